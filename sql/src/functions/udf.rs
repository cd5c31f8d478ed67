//! A function of the table as DataFusion sees it.

use super::time::zone::{UTC, Zone};
use super::{Arg, Call, Function};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An operator, which is the same in every zone. Its arguments are typed.
pub(crate) fn wrap(function: &'static Function) -> Arc<ScalarUDF> {
    wrapped(function, UTC, true)
}

/// A function that is the same in every zone, of arguments that are not typed yet.
pub(crate) fn unzoned(function: &'static Function) -> Arc<ScalarUDF> {
    wrapped(function, UTC, false)
}

/// The same function, of arguments that are typed.
pub(crate) fn of_typed(udf: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let inner: &dyn std::any::Any = udf.inner().as_ref();
    match inner.downcast_ref::<Wrapped>() {
        Some(found) if !found.typed => wrapped(found.function, found.zone, true),
        _ => Arc::clone(udf),
    }
}

/// The function, to be called by DataFusion's planner and in its expressions.
pub(super) fn wrap_in_zone(function: &'static Function, zone: Zone) -> Arc<ScalarUDF> {
    wrapped(function, zone, false)
}

fn wrapped(function: &'static Function, zone: Zone, typed: bool) -> Arc<ScalarUDF> {
    let name = function.names.first().map(|name| name.to_lowercase()).unwrap_or_default();
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Wrapped { function, name, signature, zone, typed }))
}

/// The function of the table that DataFusion calls.
pub(crate) fn function_of(udf: &ScalarUDF) -> Option<&'static Function> {
    let inner: &dyn std::any::Any = udf.inner().as_ref();
    inner.downcast_ref::<Wrapped>().map(|wrapped| wrapped.function)
}

/// The zone whose clocks a function of the table reads.
pub(crate) fn zone_of(udf: &ScalarUDF) -> Option<Zone> {
    let inner: &dyn std::any::Any = udf.inner().as_ref();
    inner.downcast_ref::<Wrapped>().map(|wrapped| wrapped.zone)
}

#[derive(Debug)]
struct Wrapped {
    function: &'static Function,
    name: String,
    signature: Signature,
    zone: Zone,
    /// Whether its arguments are of Flink's types already; if not, a whole number that is an `INT` is still called a
    /// `BIGINT`.
    typed: bool,
}

impl PartialEq for Wrapped {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.zone == other.zone
            && self.typed == other.typed
            && std::ptr::eq(self.function, other.function)
    }
}

impl Eq for Wrapped {}

impl Hash for Wrapped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Wrapped {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments are cast by the pass that gives expressions Flink's types.
    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        plan_err!("{} was asked for its type without its arguments", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let literals = args.scalar_arguments.iter().copied().chain(std::iter::repeat(None));
        let args: Vec<Arg<'_>> = args
            .arg_fields
            .iter()
            .zip(literals)
            .map(|(field, literal)| match literal {
                Some(ScalarValue::Int64(Some(value))) if !self.typed && i32::try_from(*value).is_ok() => {
                    Arg { data_type: &DataType::Int32, literal }
                }
                _ => Arg { data_type: field.data_type(), literal },
            })
            .collect();
        match (self.function.types)(&args) {
            Ok(typed) => Ok(Arc::new(Field::new(&self.name, typed.returns, true))),
            Err(wrong) => plan_err!("{} {wrong}", self.name.to_uppercase()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant: Vec<bool> =
            args.args.iter().map(|arg| matches!(arg, ColumnarValue::Scalar(_))).collect();
        let arrays: Vec<ArrayRef> = args
            .args
            .into_iter()
            .map(|arg| match arg {
                ColumnarValue::Array(array) => Ok(array),
                ColumnarValue::Scalar(scalar) => scalar.to_array_of_size(1),
            })
            .collect::<Result<_>>()?;
        let all_constant = constant.iter().all(|constant| *constant);
        let rows = if all_constant { 1 } else { args.number_rows };
        let returns = args.return_field.data_type();
        let call = Call { args: &arrays, constant: &constant, rows, returns, zone: self.zone };
        let values = (self.function.eval)(&call).map_err(|failed| DataFusionError::Execution(failed.0))?;
        if values.len() != rows || values.data_type() != returns {
            let (name, found) = (&self.name, values.data_type());
            return plan_err!("{name} gave {} values of {found} for {rows} of {returns}", values.len());
        }
        match all_constant {
            true => ScalarValue::try_from_array(&values, 0).map(ColumnarValue::Scalar),
            false => Ok(ColumnarValue::Array(values)),
        }
    }
}
