//! The sum of the squared distances of values from their mean: what the planner makes variances and deviations of. No
//! text can call it.

use super::udaf::Listed;
use super::{Aggregate, count};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::AggregateUDF;
use millstream_operators::aggregate::{AggregateFunction, GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::sync::Arc;

static SQUARES: Aggregate = Aggregate {
    names: &["SQUARES .."],
    signature: "SQUARES ..(double)",
    constants: &[],
    engine: Some(AggregateFunction::Squares),
    make: |args| {
        count(args, 1, 1)?;
        Ok(Arc::new(Squares))
    },
    examples: &[],
};

/// The function, for the planner.
pub(crate) fn squares() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Listed::new(&SQUARES)))
}

/// The batch answer.
#[derive(Debug)]
struct Squares;

impl ValuesFunction for Squares {
    fn name(&self) -> &str {
        "SQUARES"
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Float64
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let numbers = values.column.as_primitive_opt::<Float64Type>().ok_or("the values are no DOUBLE")?;
        let (mut mean, mut squares) = (0.0, 0.0);
        for (place, number) in numbers.values().iter().enumerate() {
            let before = number - mean;
            mean += before / (place + 1) as f64;
            squares += before * (number - mean);
        }
        match numbers.values().is_empty() {
            true => out.append_null(),
            false => out.append_f64(squares),
        }
        Ok(())
    }
}
