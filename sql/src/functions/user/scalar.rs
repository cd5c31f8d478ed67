//! Functions of a row: closures, called for one row after the other.

use super::args::{Argument, Parameter, Rows, check_types};
use super::value::{Returned, Room};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use millstream_operators::columns::ColumnBuilder;
use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A closure that is a function of a row: at most eight [`Argument`]s, and a result that is [`Returned`]. `S` is its
/// signature, which is inferred.
pub trait ScalarFunction<S>: Send + Sync + 'static {
    /// What it takes.
    #[doc(hidden)]
    fn parameters() -> Vec<Parameter>;

    /// Type of the result.
    #[doc(hidden)]
    fn data_type() -> DataType;

    /// Appends its results for these rows.
    #[doc(hidden)]
    fn results(&self, rows: &Rows<'_>, out: &mut ColumnBuilder) -> Result<(), String>;
}

macro_rules! scalar_functions {
    ($(($($A:ident $a:ident $place:tt),*))*) => {$(
        impl<F, R, $($A),*> ScalarFunction<fn($($A),*) -> R> for F
        where
            F: Send + Sync + 'static,
            for<'f> &'f F: Fn($($A),*) -> R + Fn($(<$A as Argument>::Value<'_>),*) -> R,
            R: Returned,
            $($A: Argument,)*
        {
            fn parameters() -> Vec<Parameter> {
                vec![$(Parameter::of::<$A>()),*]
            }

            fn data_type() -> DataType {
                R::data_type()
            }

            #[allow(clippy::too_many_arguments, reason = "those of the function")]
            fn results(&self, rows: &Rows<'_>, out: &mut ColumnBuilder) -> Result<(), String> {
                fn called<R, $($A),*>(function: impl Fn($($A),*) -> R, $($a: $A),*) -> R {
                    function($($a),*)
                }
                let mut room = Room::new();
                $(let $a = rows.read::<$A>($place)?;)*
                for row in 0..rows.count {
                    let _ = row;
                    $(let Some($a) = $a.get(row) else {
                        out.append_null();
                        continue;
                    };)*
                    called(self, $($a),*).append(out, &mut room)?;
                }
                Ok(())
            }
        }
    )*};
}

scalar_functions! {
    ()
    (A a 0)
    (A a 0, B b 1)
    (A a 0, B b 1, C c 2)
    (A a 0, B b 1, C c 2, D d 3)
    (A a 0, B b 1, C c 2, D d 3, E e 4)
    (A a 0, B b 1, C c 2, D d 3, E e 4, G g 5)
    (A a 0, B b 1, C c 2, D d 3, E e 4, G g 5, H h 6)
    (A a 0, B b 1, C c 2, D d 3, E e 4, G g 5, H h 6, I i 7)
}

type Results = dyn Fn(&Rows<'_>, &mut ColumnBuilder) -> Result<(), String> + Send + Sync;

/// A function of a row, whatever its closure.
pub(crate) struct UserScalar {
    pub(crate) name: String,
    pub(crate) version: u32,
    parameters: Vec<Parameter>,
    returns: DataType,
    results: Box<Results>,
}

impl fmt::Debug for UserScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, version {}", self.name, self.version)
    }
}

impl UserScalar {
    pub(super) fn new(
        name: &str,
        version: u32,
        parameters: Vec<Parameter>,
        returns: DataType,
        results: impl Fn(&Rows<'_>, &mut ColumnBuilder) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        UserScalar { name: name.to_lowercase(), version, parameters, returns, results: Box::new(results) }
    }

    /// What the arguments of a call are cast to, and the type of its result.
    ///
    /// # Errors
    /// What is wrong with them, behind the function's name.
    pub(crate) fn types<'t>(
        &self,
        found: impl ExactSizeIterator<Item = &'t DataType>,
    ) -> Result<(Vec<DataType>, DataType), String> {
        check_types(&self.parameters, found)?;
        let wanted = self.parameters.iter().map(|parameter| parameter.data_type.clone());
        Ok((wanted.collect(), self.returns.clone()))
    }

    /// The results for these rows. A panic is an error like others.
    fn evaluate(&self, rows: &Rows<'_>) -> Result<ArrayRef, String> {
        let mut out = ColumnBuilder::new(&self.returns)
            .map_err(|data_type| format!("there are no columns of {data_type}"))?;
        contained(|| (self.results)(rows, &mut out))?;
        Ok(out.finish())
    }
}

/// Runs a function of a user's, whose panic is its error.
///
/// # Errors
/// What it says, or what it panicked with.
pub(super) fn contained<T>(function: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // What it leaves half done is dropped with the rows.
    match catch_unwind(AssertUnwindSafe(function)) {
        Ok(result) => result,
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("the function panicked: {}", said.as_deref().unwrap_or("it does not say why")))
        }
    }
}

/// A function of a row as the planner calls it.
pub(super) fn udf<S>(name: &str, version: u32, function: impl ScalarFunction<S>) -> Arc<ScalarUDF> {
    fn made<S, F: ScalarFunction<S>>(name: &str, version: u32, function: F) -> UserScalar {
        let results = move |rows: &Rows<'_>, out: &mut ColumnBuilder| function.results(rows, out);
        UserScalar::new(name, version, F::parameters(), F::data_type(), results)
    }
    called(made(name, version, function))
}

/// A function as the planner calls it.
pub(super) fn called(function: UserScalar) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(UserCall { function: Arc::new(function), signature }))
}

/// The function of a user's that DataFusion calls.
pub(crate) fn of_users(udf: &ScalarUDF) -> Option<&Arc<UserScalar>> {
    let inner: &dyn Any = udf.inner().as_ref();
    inner.downcast_ref::<UserCall>().map(|call| &call.function)
}

#[derive(Debug)]
struct UserCall {
    function: Arc<UserScalar>,
    signature: Signature,
}

impl PartialEq for UserCall {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

impl Eq for UserCall {}

impl Hash for UserCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for UserCall {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Arguments are cast by the pass that gives expressions Flink's types.
    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns.clone())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(&self.function.name, self.function.returns.clone(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant: Vec<bool> =
            args.args.iter().map(|arg| matches!(arg, ColumnarValue::Scalar(_))).collect();
        let columns = args.args.into_iter().map(|arg| match arg {
            ColumnarValue::Array(array) => Ok(array),
            ColumnarValue::Scalar(scalar) => scalar.to_array_of_size(1),
        });
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let all_constant = constant.iter().all(|constant| *constant);
        let count = if all_constant { 1 } else { args.number_rows };
        let rows = Rows { columns: &columns, constant: &constant, count };
        let values = self.function.evaluate(&rows).map_err(DataFusionError::Execution)?;
        if values.len() != count {
            let name = &self.function.name;
            return plan_err!("{name} gave {} values for {count} rows", values.len());
        }
        match all_constant {
            true => ScalarValue::try_from_array(&values, 0).map(ColumnarValue::Scalar),
            false => Ok(ColumnarValue::Array(values)),
        }
    }
}
