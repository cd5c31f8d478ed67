//! What functions of users give: types of Rust that are types of SQL.
//!
//! | Rust | SQL |
//! |---|---|
//! | `bool` | `BOOLEAN` |
//! | `i8`, `i16`, `i32`, `i64` | `TINYINT`, `SMALLINT`, `INT`, `BIGINT` |
//! | `f32`, `f64` | `FLOAT`, `DOUBLE` |
//! | `String`, `&str` | `STRING` |
//! | `Vec<u8>`, `&[u8]` | `BYTES` |
//! | [`Date`], [`Timestamp`], [`TimestampLtz`] | `DATE`, `TIMESTAMP(3)`, `TIMESTAMP_LTZ(3)` |
//! | [`Decimal<P, S>`](Decimal) | `DECIMAL(P, S)` |
//! | `Vec<T>`, of results only | `ARRAY<T>` |
//! | `Option<T>` | the same, or null |

use super::types::{Date, Decimal, Timestamp, TimestampLtz};
use crate::functions::call::TEXT_BYTES_MAX;
use arrow::datatypes::{DataType, Field, TimeUnit};
use millstream_operators::columns::ColumnBuilder;
use std::fmt::Display;
use std::sync::Arc;

/// What the results of a batch may still amount to: a column of texts, or of arrays, has a bound.
#[derive(Debug)]
pub struct Room {
    bytes: usize,
    items: usize,
}

impl Room {
    /// For a column.
    pub(super) fn new() -> Self {
        Room { bytes: i32::MAX as usize, items: i32::MAX as usize }
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > TEXT_BYTES_MAX {
            return Err(format!("the result has {bytes} bytes; at most {TEXT_BYTES_MAX} are possible"));
        }
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or("the results are too long")?;
        Ok(())
    }

    pub(super) fn take_items(&mut self, items: usize) -> Result<(), String> {
        let left = self.items.checked_sub(items);
        self.items = left.ok_or("the results have too many elements")?;
        Ok(())
    }
}

/// A type of Rust that is a type of SQL: `docs/sql/user-functions.md` has the table.
pub trait Value: Sized {
    /// The type of SQL.
    #[doc(hidden)]
    fn data_type() -> DataType;

    /// Appends it to a column of that type.
    #[doc(hidden)]
    fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String>;
}

/// What a function gives for a row: a [`Value`], or an error instead of one. An error is the row's.
pub trait Returned {
    /// The type of SQL.
    #[doc(hidden)]
    fn data_type() -> DataType;

    /// Appends it to a column of that type.
    #[doc(hidden)]
    fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String>;
}

/// The type of a `TIMESTAMP(3)`.
pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, None)
}

/// The type of a `TIMESTAMP_LTZ(3)`.
pub(super) fn timestamp_ltz() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

fn append_decimal(unscaled: i128, precision: u8, column: &mut ColumnBuilder) -> Result<(), String> {
    let most = 10u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
    if unscaled.unsigned_abs() >= most {
        return Err(format!("the result has more than {precision} digits"));
    }
    column.append_i128(unscaled);
    Ok(())
}

/// What is a value is a result.
macro_rules! is_returned {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Returned for $type {
            fn data_type() -> DataType {
                <Self as Value>::data_type()
            }

            fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
                Value::append(self, column, room)
            }
        }
    };
}

/// Values that always fit.
macro_rules! plain {
    ($($type:ty, $data_type:expr, |$value:ident, $column:ident| $append:expr;)*) => {$(
        impl Value for $type {
            fn data_type() -> DataType {
                $data_type
            }

            fn append(self, $column: &mut ColumnBuilder, _room: &mut Room) -> Result<(), String> {
                let $value = self;
                $append;
                Ok(())
            }
        }

        is_returned!([] $type);
    )*};
}

plain! {
    bool, DataType::Boolean, |value, column| column.append_bool(value);
    i8, DataType::Int8, |value, column| column.append_i64(value.into());
    i16, DataType::Int16, |value, column| column.append_i64(value.into());
    i32, DataType::Int32, |value, column| column.append_i64(value.into());
    i64, DataType::Int64, |value, column| column.append_i64(value);
    f32, DataType::Float32, |value, column| column.append_f64(value.into());
    f64, DataType::Float64, |value, column| column.append_f64(value);
    Date, DataType::Date32, |value, column| column.append_i64(value.days.into());
    Timestamp, timestamp(), |value, column| column.append_i64(value.ms);
    TimestampLtz, timestamp_ltz(), |value, column| column.append_i64(value.ms);
}

/// Texts and bytes.
macro_rules! variable {
    ($($type:ty, $data_type:expr;)*) => {$(
        impl Value for $type {
            fn data_type() -> DataType {
                $data_type
            }

            fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
                let bytes: &[u8] = self.as_ref();
                room.take_bytes(bytes.len())?;
                column.append_bytes(bytes);
                Ok(())
            }
        }

        is_returned!([] $type);
    )*};
}

variable! {
    String, DataType::Utf8;
    &'static str, DataType::Utf8;
    Vec<u8>, DataType::Binary;
}

impl<const P: u8, const S: i8> Value for Decimal<P, S> {
    fn data_type() -> DataType {
        DataType::Decimal128(P, S)
    }

    fn append(self, column: &mut ColumnBuilder, _room: &mut Room) -> Result<(), String> {
        append_decimal(self.unscaled, P, column)
    }
}

is_returned!([const P: u8, const S: i8] Decimal<P, S>);

impl<T: Value> Value for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }

    fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
        match self {
            Some(value) => value.append(column, room),
            None => {
                column.append_null();
                Ok(())
            }
        }
    }
}

is_returned!([T: Value] Option<T>);

impl<T: Value> Value for Vec<T> {
    fn data_type() -> DataType {
        DataType::List(Arc::new(Field::new("item", T::data_type(), true)))
    }

    fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
        room.take_items(self.len())?;
        let items = column.list_items().ok_or("the result is no array")?;
        for value in self {
            value.append(items, room)?;
        }
        column.seal_list();
        Ok(())
    }
}

is_returned!([T: Value] Vec<T>);

impl<T: Value, E: Display> Returned for Result<T, E> {
    fn data_type() -> DataType {
        T::data_type()
    }

    fn append(self, column: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
        self.map_err(|error| error.to_string())?.append(column, room)
    }
}
