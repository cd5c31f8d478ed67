//! Aggregates of bitmaps, and bitmaps of numbers: `BITMAP_BUILD_AGG` and its family.

use super::super::bitmap::{bitmap, numbers_at, write_bitmap};
use super::{Aggregate, count, no};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int32Type};
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An aggregate of the family.
macro_rules! aggregate {
    ($name:literal, $argument:literal, $how:expr, $counts:literal, $examples:expr) => {
        Aggregate {
            names: &[$name],
            signature: concat!($name, "(", $argument, ")"),
            constants: &[],
            engine: None,
            make: |args| {
                count(args, 1, 1)?;
                let wanted = if $how == How::Build { DataType::Int32 } else { bitmap() };
                match *args[0].data_type == wanted {
                    true => Ok(Arc::new(Bits { name: $name, how: $how, counts: $counts })),
                    false => Err(no(concat!("a ", $argument), &args[0])),
                }
            },
            examples: $examples,
        }
    };
}

const NUMBERS: &str = "(VALUES (1), (5), (1), (CAST(NULL AS INT))) AS t(i)";

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[
    aggregate!(
        "BITMAP_BUILD_AGG",
        "INT",
        How::Build,
        false,
        &[("BITMAP_TO_STRING(BITMAP_BUILD_AGG(i))", NUMBERS, "{1,5}")]
    ),
    aggregate!(
        "BITMAP_BUILD_CARDINALITY_AGG",
        "INT",
        How::Build,
        true,
        &[("BITMAP_BUILD_CARDINALITY_AGG(i)", NUMBERS, "2")]
    ),
    aggregate!(
        "BITMAP_AND_AGG",
        "BITMAP",
        How::And,
        false,
        &[("BITMAP_TO_STRING(BITMAP_AND_AGG(BITMAP_BUILD(ARRAY[i, 5])))", NUMBERS, "{5}")]
    ),
    aggregate!(
        "BITMAP_AND_CARDINALITY_AGG",
        "BITMAP",
        How::And,
        true,
        &[("BITMAP_AND_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[i, 5]))", NUMBERS, "1")]
    ),
    aggregate!(
        "BITMAP_OR_AGG",
        "BITMAP",
        How::Or,
        false,
        &[("BITMAP_TO_STRING(BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[i, 7])))", NUMBERS, "{1,5,7}")]
    ),
    aggregate!(
        "BITMAP_OR_CARDINALITY_AGG",
        "BITMAP",
        How::Or,
        true,
        &[("BITMAP_OR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[i, 7]))", NUMBERS, "3")]
    ),
    aggregate!(
        "BITMAP_XOR_AGG",
        "BITMAP",
        How::Xor,
        false,
        &[("BITMAP_TO_STRING(BITMAP_XOR_AGG(BITMAP_BUILD(ARRAY[i])))", NUMBERS, "{5}")]
    ),
    aggregate!(
        "BITMAP_XOR_CARDINALITY_AGG",
        "BITMAP",
        How::Xor,
        true,
        &[("BITMAP_XOR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[i]))", NUMBERS, "1")]
    ),
];

/// Which numbers are in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Those that are the values.
    Build,
    /// Those that are in every bitmap.
    And,
    /// Those that are in any.
    Or,
    /// Those that are in an odd number of them.
    Xor,
}

#[derive(Debug)]
struct Bits {
    name: &'static str,
    how: How,
    /// Whether the result is how many there are.
    counts: bool,
}

impl ValuesFunction for Bits {
    fn name(&self) -> &str {
        self.name
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        if self.counts { DataType::Int64 } else { bitmap() }
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Value
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        if values.counts.is_empty() {
            out.append_null();
            return Ok(());
        }
        let numbers = self.numbers(values)?;
        match self.counts {
            true => out.append_i64(numbers.len() as i64),
            false => write_bitmap(&numbers, out).map_err(|failed| failed.0)?,
        }
        Ok(())
    }
}

impl Bits {
    fn numbers(&self, values: &GroupValues) -> Result<Vec<u32>, String> {
        if self.how == How::Build {
            let numbers = values.column.as_primitive_opt::<Int32Type>().ok_or("the values are no INT")?;
            // Bits are not signed.
            let mut numbers: Vec<u32> = numbers.values().iter().map(|number| *number as u32).collect();
            numbers.sort_unstable();
            return Ok(numbers);
        }
        let mut found: BTreeMap<u32, i64> = BTreeMap::new();
        let mut all = 0;
        for (row, count) in values.counts.iter().enumerate() {
            all += count;
            for number in numbers_at(&values.column, row).map_err(|failed| failed.0)? {
                *found.entry(number).or_default() += count;
            }
        }
        let is_in = |count: i64| match self.how {
            How::And => count == all,
            How::Xor => count % 2 == 1,
            How::Build | How::Or => true,
        };
        Ok(found.into_iter().filter(|(_, count)| is_in(*count)).map(|(number, _)| number).collect())
    }
}
