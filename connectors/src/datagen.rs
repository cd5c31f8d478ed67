//! `datagen`: rows that are made, as Flink's connector of that name makes them.
//!
//! Each value is a function of its table, its column and the number of its row; only times, which are the present or the past,
//! are of the clock as well. So rows differ from those of Flink, which are others each time; which values there may be does not.

mod random;

use arrow::datatypes::{Field, Fields, TimeUnit};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::formats::FormatError;
use millstream_operators::formats::generated::{Generator, RowMaker};
use random::Random;
use std::fmt::Write as _;

/// How long texts and bytes are when nothing is said.
pub const LENGTH: usize = 100;
/// How many elements arrays and maps have when nothing is said.
pub const ELEMENTS: usize = 3;
const DAY_MS: i64 = 86_400_000;

/// How the values of a column are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What each is.
    pub make: Make,
    /// How many of them are null: 0 to 1.
    pub null_rate: f64,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Make {
    /// Either.
    Boolean,
    /// A whole number, both ends included.
    Integer(i64, i64),
    /// A decimal by its unscaled value, both ends included.
    Decimal(i128, i128),
    /// A floating-point number.
    Float(f64, f64),
    /// Hexadecimal digits: as many, or from 1 to as many.
    Text(usize, Length),
    /// Bytes: as many, or from 1 to as many.
    Bytes(usize, Length),
    /// A point in time at most so many milliseconds ago.
    Past(i64),
    /// The date of today, in UTC.
    Today,
    /// The time of day, in UTC.
    TimeOfDay,
    /// Fields by their names.
    Row(Vec<(String, Column)>),
    /// Elements, and their number.
    Array(Box<Column>, usize),
    /// Keys, values, and their number.
    Map(Box<Column>, Box<Column>, usize),
    /// The row's number, counted from this.
    Sequence(i128),
}

/// Whether all values have the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// They have.
    Fixed,
    /// They have any up to it.
    Varies,
}

/// Makes the rows of a table.
#[derive(Debug)]
pub struct Datagen {
    table: String,
    columns: Vec<(String, Column)>,
}

impl Datagen {
    /// A table with these columns.
    pub fn new(table: impl Into<String>, columns: Vec<(String, Column)>) -> Self {
        Datagen { table: table.into(), columns }
    }
}

impl Generator for Datagen {
    // What there may be in a column is no part of what its values mean.
    fn describe(&self) -> String {
        "datagen".to_owned()
    }

    fn maker(&self, needed: &Fields) -> Result<Box<dyn RowMaker>, FormatError> {
        Ok(Box::new(Maker { fields: made(&self.table, &self.columns, needed)? }))
    }
}

/// The makers of some fields.
fn made(path: &str, columns: &[(String, Column)], needed: &Fields) -> Result<Vec<MadeColumn>, FormatError> {
    let of = |field: &Field| {
        let found = columns.iter().find(|(name, _)| name == field.name());
        let Some((name, column)) = found else {
            let message = format!("there is no column \"{}\" that is made", field.name());
            return Err(FormatError::Conflict { message });
        };
        MadeColumn::new(&format!("{path}.{name}"), column, field)
    };
    needed.iter().map(|field| of(field)).collect()
}

#[derive(Debug)]
struct Maker {
    fields: Vec<MadeColumn>,
}

impl RowMaker for Maker {
    fn append(&mut self, columns: &mut [ColumnBuilder], number: u64, now_ms: i64) {
        for (made, column) in self.fields.iter().zip(columns) {
            made.append(column, number, number, now_ms);
        }
    }
}

/// A column with those below it that are needed.
#[derive(Debug)]
struct MadeColumn {
    column: Column,
    /// Of a row: its fields, in the order of the column's.
    fields: Vec<MadeColumn>,
    /// Of an array the elements, of a map keys and values.
    inner: Vec<MadeColumn>,
    seed: u64,
}

impl MadeColumn {
    fn new(path: &str, column: &Column, field: &Field) -> Result<Self, FormatError> {
        use arrow::datatypes::DataType as T;
        let seed = xxhash_rust::xxh3::xxh3_64(path.as_bytes());
        let inside = |name: &str, column: &Column, field: &Field| {
            MadeColumn::new(&format!("{path}.{name}"), column, field)
        };
        let (mut fields, mut inner) = (Vec::new(), Vec::new());
        match (&column.make, field.data_type()) {
            (Make::Row(columns), T::Struct(needed)) => fields = made(path, columns, needed)?,
            (Make::Array(element, _), T::List(of)) => inner.push(inside("element", element, of)?),
            (Make::Map(key, value, _), T::Map(entries, _)) => {
                if let T::Struct(pair) = entries.data_type()
                    && let [of_key, of_value] = pair.as_ref()
                {
                    inner.extend([inside("key", key, of_key)?, inside("value", value, of_value)?]);
                }
            }
            _ => {}
        }
        Ok(MadeColumn { column: column.clone(), fields, inner, seed })
    }

    /// Appends the value of a row. `number` is that of the row; `salt` tells apart what is made for the same row.
    fn append(&self, to: &mut ColumnBuilder, number: u64, salt: u64, now_ms: i64) {
        let mut random = Random::new(self.seed, salt);
        if self.column.null_rate > 0.0 && random.fraction() < self.column.null_rate {
            return to.append_null();
        }
        match &self.column.make {
            Make::Boolean => to.append_bool(random.next() & 1 == 1),
            Make::Integer(min, max) => {
                to.append_i64(random.between(i128::from(*min), i128::from(*max)) as i64);
            }
            Make::Decimal(min, max) => to.append_i128(random.between(*min, *max)),
            // By halves: the width of a range may be no number.
            Make::Float(min, max) => {
                let half = min / 2.0 + random.fraction() * (max / 2.0 - min / 2.0);
                to.append_f64(2.0 * half);
            }
            Make::Text(length, varies) => {
                let length = random.length(*length, *varies);
                if let Some(bytes) = to.open_bytes() {
                    random.hexadecimal(length, bytes);
                    to.seal_bytes();
                }
            }
            Make::Bytes(length, varies) => {
                let length = random.length(*length, *varies);
                if let Some(bytes) = to.open_bytes() {
                    bytes.extend((0..length).map(|_| random.next() as u8));
                    to.seal_bytes();
                }
            }
            Make::Past(max_past_ms) => {
                let ago = random.between(0, i128::from(*max_past_ms)) as i64;
                to.append_i64(in_unit_of(to, now_ms.saturating_sub(ago)));
            }
            Make::Today => to.append_i64(now_ms.div_euclid(DAY_MS)),
            Make::TimeOfDay => to.append_i64(in_unit_of(to, now_ms.rem_euclid(DAY_MS))),
            Make::Sequence(start) => append_counted(to, start + i128::from(number)),
            Make::Row(_) | Make::Array(..) | Make::Map(..) => {
                self.append_nested(to, number, &mut random, now_ms)
            }
        }
    }

    fn append_nested(&self, to: &mut ColumnBuilder, number: u64, random: &mut Random, now_ms: i64) {
        match (&self.column.make, self.inner.as_slice()) {
            (Make::Row(_), _) => {
                let salt = random.next();
                for (made, column) in self.fields.iter().zip(to.struct_columns()) {
                    made.append(column, number, salt, now_ms);
                }
                to.seal_struct();
            }
            (Make::Array(_, length), [element]) => {
                if let Some(items) = to.list_items() {
                    (0..*length).for_each(|_| element.append(items, number, random.next(), now_ms));
                }
                to.seal_list();
            }
            (Make::Map(_, _, length), [key, value]) => {
                if let Some((keys, values)) = to.map_columns() {
                    for _ in 0..*length {
                        let salt = random.next();
                        key.append(keys, number, salt, now_ms);
                        value.append(values, number, salt, now_ms);
                    }
                }
                to.seal_map();
            }
            _ => to.append_null(),
        }
    }
}

/// A time in milliseconds in the unit of a column.
fn in_unit_of(column: &ColumnBuilder, ms: i64) -> i64 {
    let (ColumnBuilder::Timestamp(_, unit, _)
    | ColumnBuilder::Time32(_, unit)
    | ColumnBuilder::Time64(_, unit)) = column
    else {
        return ms;
    };
    match unit {
        TimeUnit::Second => ms.div_euclid(1_000),
        TimeUnit::Millisecond => ms,
        TimeUnit::Microsecond => ms.saturating_mul(1_000),
        TimeUnit::Nanosecond => ms.saturating_mul(1_000_000),
    }
}

/// A counted number as a value of any type that can be counted.
fn append_counted(to: &mut ColumnBuilder, number: i128) {
    match to {
        ColumnBuilder::Decimal(_, _, scale) => {
            let factor = 10_i128.pow(u32::try_from(*scale).unwrap_or(0));
            to.append_i128(number.saturating_mul(factor));
        }
        ColumnBuilder::Float32(_) | ColumnBuilder::Float64(_) => to.append_f64(number as f64),
        ColumnBuilder::Utf8(_) => {
            let mut text = String::new();
            let _ = write!(text, "{number}");
            to.append_bytes(text.as_bytes());
        }
        other => other.append_i64(number as i64),
    }
}

#[cfg(test)]
mod tests;
