//! `COLLECT`: the values of a group with their numbers.

use super::{Aggregate, count};
use arrow::datatypes::DataType;
use millstream_operators::ValueWriter;
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::{ColumnBuilder, multiset_type};
use std::sync::Arc;

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[Aggregate {
    names: &["COLLECT"],
    signature: "COLLECT([DISTINCT] value)",
    constants: &[],
    engine: None,
    make: |args| {
        count(args, 1, 1)?;
        Ok(Arc::new(Collect))
    },
    examples: &[
        ("COLLECT(i)", "(VALUES (3), (CAST(NULL AS INT)), (1), (3)) AS t(i)", "{1=1, 3=2}"),
        ("COLLECT(DISTINCT i)", "(VALUES (3), (1), (3)) AS t(i)", "{1=1, 3=1}"),
    ],
}];

/// A `MULTISET` is a map from its values to their numbers.
#[derive(Debug)]
struct Collect;

impl ValuesFunction for Collect {
    fn name(&self) -> &str {
        "COLLECT"
    }

    fn data_type(&self, argument: &DataType) -> DataType {
        multiset_type(argument.clone())
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Value
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let mut writer = ValueWriter::new(&values.column).map_err(|error| error.to_string())?;
        let (keys, numbers) = out.map_columns().ok_or("the result is no map")?;
        for (row, count) in values.counts.iter().enumerate() {
            writer.append(row, keys);
            numbers.append_i64(i64::from(i32::try_from(*count).unwrap_or(i32::MAX)));
        }
        out.seal_map();
        Ok(())
    }
}
