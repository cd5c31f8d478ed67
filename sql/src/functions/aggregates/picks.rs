//! `FIRST_VALUE` and `LAST_VALUE`, of any type. The engine keeps one value for them where rows only come.

use super::{Aggregate, count};
use arrow::array::Array;
use arrow::datatypes::DataType;
use millstream_operators::ValueWriter;
use millstream_operators::aggregate::{AggregateFunction, GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::sync::Arc;

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[
    Aggregate {
        names: &["FIRST_VALUE"],
        signature: "FIRST_VALUE(value)",
        constants: &[],
        engine: Some(AggregateFunction::First),
        make: |args| {
            count(args, 1, 1)?;
            Ok(Arc::new(Pick { name: "FIRST_VALUE", is_first: true }))
        },
        examples: &[("FIRST_VALUE(i)", "(VALUES (CAST(NULL AS INT)), (3), (1)) AS t(i)", "3")],
    },
    Aggregate {
        names: &["LAST_VALUE"],
        signature: "LAST_VALUE(value)",
        constants: &[],
        engine: Some(AggregateFunction::Last),
        make: |args| {
            count(args, 1, 1)?;
            Ok(Arc::new(Pick { name: "LAST_VALUE", is_first: false }))
        },
        examples: &[("LAST_VALUE(i)", "(VALUES (3), (1), (CAST(NULL AS INT))) AS t(i)", "1")],
    },
];

/// The batch answer.
#[derive(Debug)]
struct Pick {
    name: &'static str,
    is_first: bool,
}

impl ValuesFunction for Pick {
    fn name(&self) -> &str {
        self.name
    }

    fn data_type(&self, argument: &DataType) -> DataType {
        argument.clone()
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        match values.column.len().checked_sub(1) {
            None => out.append_null(),
            Some(last) => {
                let row = if self.is_first { 0 } else { last };
                ValueWriter::new(&values.column).map_err(|error| error.to_string())?.append(row, out);
            }
        }
        Ok(())
    }
}
