//! `SUM`, `AVG`, variances and deviations as the planner knows them: with Flink's types, until [`super::rewrite`] makes
//! sums, counts and squares of them.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// The aggregates of numbers.
pub(super) fn numeric() -> impl Iterator<Item = Arc<AggregateUDF>> {
    let deviations = ["stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance"];
    ["sum", "avg"].into_iter().chain(deviations).map(|name| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Numeric { name, signature }))
    })
}

/// The aggregate of numbers of a name.
pub(crate) fn of_numbers(name: &str) -> Option<Arc<AggregateUDF>> {
    numeric().find(|aggregate| aggregate.name() == name)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Numeric {
    name: &'static str,
    signature: Signature,
}

impl Numeric {
    fn result(&self, argument: &DataType) -> Result<DataType> {
        use DataType as T;
        match argument {
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 => Ok(argument.clone()),
            T::Decimal128(_, scale) if self.name == "sum" => Ok(T::Decimal128(38, *scale)),
            T::Decimal128(_, scale) => Ok(T::Decimal128(38, (*scale).max(6))),
            other => {
                let name = self.name.to_uppercase();
                plan_err!("{name} takes numbers, not {}: CAST the column", sql_type(other))
            }
        }
    }
}

impl AggregateUDFImpl for Numeric {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [argument] => self.result(argument).map(|_| vec![argument.clone()]),
            other => plan_err!("{} takes one number, not {}", self.name.to_uppercase(), other.len()),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [argument] => self.result(argument),
            other => plan_err!("{} takes one number, not {}", self.name.to_uppercase(), other.len()),
        }
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        plan_err!("{} was left in a plan", self.name.to_uppercase())
    }

    fn state_fields(&self, _args: StateFieldsArgs<'_>) -> Result<Vec<arrow::datatypes::FieldRef>> {
        plan_err!("{} was left in a plan", self.name.to_uppercase())
    }
}
