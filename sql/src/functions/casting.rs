//! `CAST` and `TRY_CAST` as DataFusion's expressions call them.

use super::values::cast::{Cast, cast, is_total};
use super::values::decimal::Digits;
use super::values::detail::Detail;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// A cast that Arrow does otherwise than Flink.
pub(crate) fn cast_expr(expr: Expr, to: Cast) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    let name = if to.lenient { "try_cast" } else { "cast" };
    ScalarUDF::from(Casting { to, name, signature }).call(vec![expr])
}

/// The cast that a function is.
pub(crate) fn cast_of(udf: &ScalarUDF) -> Option<&Cast> {
    let inner: &dyn std::any::Any = udf.inner().as_ref();
    inner.downcast_ref::<Casting>().map(|casting| &casting.to)
}

/// Whether a cast between these types is Arrow's: nothing is lost, and no text is made or read.
pub(crate) fn is_plain(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        (T::Int8, T::Int16 | T::Int32 | T::Int64)
        | (T::Int16, T::Int32 | T::Int64)
        | (T::Int32, T::Int64)
        | (T::Int8 | T::Int16 | T::Int32 | T::Int64, T::Float64 | T::Float32)
        | (T::Float32, T::Float64) => true,
        (T::Timestamp(from, from_zone), T::Timestamp(to, to_zone)) => from < to && from_zone == to_zone,
        (T::Int8 | T::Int16 | T::Int32 | T::Int64, T::Decimal128(precision, scale)) => Digits::of(from)
            .is_some_and(|from| i16::from(from.precision) + i16::from(*scale) <= i16::from(*precision)),
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Casting {
    to: Cast,
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Casting {
    fn name(&self) -> &str {
        self.name
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let arg = args.first().map(|arg| arg.schema_name().to_string()).unwrap_or_default();
        Ok(format!("{}({arg} AS {})", self.name.to_uppercase(), self.to.to))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.to.to.clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let detail = Detail { digits: self.to.digits_to.clone(), length: self.to.length };
        Ok(Arc::new(detail.on(Field::new(self.name, self.to.to.clone(), true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let failed = |failed: super::Failed| DataFusionError::Execution(failed.0);
        match args.args.as_slice() {
            [ColumnarValue::Array(array)] => cast(array, &self.to).map(ColumnarValue::Array).map_err(failed),
            [ColumnarValue::Scalar(value)] => {
                let value = cast(&value.to_array_of_size(1)?, &self.to).map_err(failed)?;
                ScalarValue::try_from_array(&value, 0).map(ColumnarValue::Scalar)
            }
            _ => plan_err!("a cast is of one value"),
        }
    }
}

/// Whether there are values for which such a cast fails.
pub(crate) fn fails(from: &DataType, to: &Cast) -> bool {
    !to.lenient && !is_total(from, &to.to)
}
