//! What functions of users take: columns, read as values of Rust.

use super::types::{Date, Decimal, Timestamp, TimestampLtz};
use super::value::{timestamp, timestamp_ltz};
use crate::functions::signature::is_number;
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::DataType;
use millstream_operators::formats::sql_type;

/// A type of Rust that an argument of SQL is read as. One that is no `Option` takes no null: the function is not called
/// for it.
pub trait Argument {
    /// The same, of a row at hand.
    type Value<'a>;
    /// The column that it stands in.
    #[doc(hidden)]
    type Column: Array + 'static;
    /// Whether it takes null.
    #[doc(hidden)]
    const TAKES_NULL: bool = false;

    /// The type of SQL.
    #[doc(hidden)]
    fn data_type() -> DataType;

    /// The value of a row, which is not null unless it takes null.
    #[doc(hidden)]
    fn value(column: &Self::Column, row: usize) -> Self::Value<'_>;
}

macro_rules! arguments {
    ($($type:ty, $value:ty, $column:ty, $data_type:expr, |$array:ident, $row:ident| $read:expr;)*) => {$(
        impl Argument for $type {
            type Value<'a> = $value;
            type Column = $column;

            fn data_type() -> DataType {
                $data_type
            }

            fn value($array: &Self::Column, $row: usize) -> Self::Value<'_> {
                $read
            }
        }
    )*};
}

arguments! {
    bool, bool, BooleanArray, DataType::Boolean, |array, row| array.value(row);
    i8, i8, Int8Array, DataType::Int8, |array, row| array.value(row);
    i16, i16, Int16Array, DataType::Int16, |array, row| array.value(row);
    i32, i32, Int32Array, DataType::Int32, |array, row| array.value(row);
    i64, i64, Int64Array, DataType::Int64, |array, row| array.value(row);
    f32, f32, Float32Array, DataType::Float32, |array, row| array.value(row);
    f64, f64, Float64Array, DataType::Float64, |array, row| array.value(row);
    String, String, StringArray, DataType::Utf8, |array, row| array.value(row).to_owned();
    &str, &'a str, StringArray, DataType::Utf8, |array, row| array.value(row);
    Vec<u8>, Vec<u8>, BinaryArray, DataType::Binary, |array, row| array.value(row).to_vec();
    &[u8], &'a [u8], BinaryArray, DataType::Binary, |array, row| array.value(row);
    Date, Date, Date32Array, DataType::Date32, |array, row| Date { days: array.value(row) };
    Timestamp, Timestamp, TimestampMillisecondArray, timestamp(), |array, row| Timestamp { ms: array.value(row) };
    TimestampLtz, TimestampLtz, TimestampMillisecondArray, timestamp_ltz(),
        |array, row| TimestampLtz { ms: array.value(row) };
}

impl<const P: u8, const S: i8> Argument for Decimal<P, S> {
    type Value<'a> = Self;
    type Column = Decimal128Array;

    fn data_type() -> DataType {
        DataType::Decimal128(P, S)
    }

    fn value(column: &Self::Column, row: usize) -> Self {
        Decimal { unscaled: column.value(row) }
    }
}

impl<A: Argument> Argument for Option<A> {
    type Value<'a> = Option<A::Value<'a>>;
    type Column = A::Column;
    const TAKES_NULL: bool = true;

    fn data_type() -> DataType {
        A::data_type()
    }

    fn value(column: &Self::Column, row: usize) -> Option<A::Value<'_>> {
        (!column.is_null(row)).then(|| A::value(column, row))
    }
}

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub(super) data_type: DataType,
    pub(super) takes_null: bool,
}

impl Parameter {
    pub(super) fn of<A: Argument>() -> Self {
        Parameter { data_type: A::data_type(), takes_null: A::TAKES_NULL }
    }

    /// Whether a value of this type is one of its type without loss, as Flink casts it without being asked.
    fn takes(&self, found: &DataType) -> bool {
        use DataType as T;
        match (&self.data_type, found) {
            (_, T::Null) => true,
            (T::Int16, T::Int8) | (T::Int32, T::Int8 | T::Int16) => true,
            (T::Int64, T::Int8 | T::Int16 | T::Int32) => true,
            (T::Float32, T::Int8 | T::Int16) => true,
            (T::Float64, found) => is_number(found),
            (T::Decimal128(precision, scale), found) => match digits(found) {
                Some((before, behind)) => {
                    i16::from(*precision) - i16::from(*scale) >= before && i16::from(*scale) >= behind
                }
                None => false,
            },
            (wanted, found) => wanted == found,
        }
    }
}

/// Digits before and behind the point of a type of exact numbers.
fn digits(data_type: &DataType) -> Option<(i16, i16)> {
    use DataType as T;
    Some(match data_type {
        T::Int8 => (3, 0),
        T::Int16 => (5, 0),
        T::Int32 => (10, 0),
        T::Int64 => (19, 0),
        T::Decimal128(precision, scale) => (i16::from(*precision) - i16::from(*scale), i16::from(*scale)),
        _ => return None,
    })
}

/// Checks the types that arguments have.
///
/// # Errors
/// What is wrong, behind the function's name.
pub(super) fn check_types<'t>(
    parameters: &[Parameter],
    found: impl ExactSizeIterator<Item = &'t DataType>,
) -> Result<(), String> {
    check_count(parameters, found.len())?;
    for (index, (parameter, found)) in parameters.iter().zip(found).enumerate() {
        if !parameter.takes(found) {
            let (wanted, found) = (sql_type(&parameter.data_type), sql_type(found));
            return Err(format!("takes {wanted} as argument {}, not {found}: CAST it", index + 1));
        }
    }
    Ok(())
}

/// Checks how many arguments there are.
pub(super) fn check_count(parameters: &[Parameter], found: usize) -> Result<(), String> {
    let wanted = parameters.len();
    match wanted == found {
        true => Ok(()),
        false if wanted == 1 => Err(format!("takes 1 argument, not {found}")),
        false => Err(format!("takes {wanted} arguments, not {found}")),
    }
}

/// The rows of a call: a column for each argument.
#[derive(Debug)]
pub struct Rows<'a> {
    /// By argument: its values, one a row, or a single one for all.
    pub(super) columns: &'a [ArrayRef],
    /// By argument: whether it has a single value.
    pub(super) constant: &'a [bool],
    /// How many there are.
    pub(super) count: usize,
}

impl<'a> Rows<'a> {
    /// The values of an argument.
    pub(super) fn read<A: Argument>(&self, at: usize) -> Result<Read<'a, A>, String> {
        let column = self.columns.get(at).filter(|column| *column.data_type() == A::data_type());
        let column = column.and_then(|column| column.as_any().downcast_ref::<A::Column>());
        let column = column.ok_or_else(|| format!("argument {} is of another type", at + 1))?;
        Ok(Read { column, constant: self.constant.get(at).copied().unwrap_or(false) })
    }
}

/// The values of an argument.
pub(super) struct Read<'a, A: Argument> {
    column: &'a A::Column,
    constant: bool,
}

impl<'a, A: Argument> Read<'a, A> {
    /// The value of a row; `None` for a null that the function does not take.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<A::Value<'a>> {
        let row = if self.constant { 0 } else { row };
        let there = row < self.column.len() && (A::TAKES_NULL || !self.column.is_null(row));
        there.then(|| A::value(self.column, row))
    }
}
