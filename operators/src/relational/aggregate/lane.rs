//! Columns as the few native types that aggregates are written for.

use crate::OperatorError;
use crate::rows::ValueWriter;
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, TimeUnit};
use std::sync::Arc;

/// Native type of an aggregate's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneType {
    /// Integers, booleans, dates, times and timestamps.
    I64,
    /// Floating point.
    F64,
    /// Decimals, unscaled.
    I128,
    /// Strings and bytes; values of nested types as bytes.
    Bytes,
}

pub(super) fn lane_type(data_type: &DataType) -> Option<LaneType> {
    use DataType as T;
    Some(match data_type {
        T::Boolean | T::Int8 | T::Int16 | T::Int32 | T::Int64 => LaneType::I64,
        T::Date32 | T::Time32(_) | T::Time64(_) | T::Timestamp(_, _) => LaneType::I64,
        T::Float32 | T::Float64 => LaneType::F64,
        T::Decimal128(_, _) => LaneType::I128,
        T::Utf8 | T::Binary => LaneType::Bytes,
        _ => return None,
    })
}

pub(super) fn is_supported(data_type: &DataType) -> bool {
    lane_type(data_type).is_some()
}

pub(super) fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_floating() || matches!(data_type, DataType::Decimal128(_, _))
}

/// A column, as one of the native types, with the rows that count.
#[derive(Debug)]
pub(super) struct Lane {
    /// Keeps the values alive: the column, cast where its type is a narrower one.
    array: Option<ArrayRef>,
    /// Rows that count: not null, and let through by the filter. `None`: all.
    valid: Option<NullBuffer>,
}

/// The values of a lane.
#[derive(Debug)]
pub(super) enum LaneValues<'a> {
    /// There is no column: only rows are counted.
    None,
    I64(&'a [i64]),
    F64(&'a [f64]),
    I128(&'a [i128]),
    Utf8(&'a StringArray),
    Binary(&'a BinaryArray),
}

impl Lane {
    /// The rows that count, without values: those that a filter lets through and whose column is not null.
    pub(super) fn of_rows(column: Option<&ArrayRef>, filter: Option<&BooleanArray>) -> Self {
        let nulls = column.and_then(|column| column.logical_nulls());
        let passing = filter.map(|filter| {
            let true_and_valid =
                filter.nulls().map_or(filter.values().clone(), |nulls| filter.values() & nulls.inner());
            NullBuffer::new(true_and_valid)
        });
        let valid =
            NullBuffer::union(nulls.as_ref(), passing.as_ref()).filter(|valid| valid.null_count() > 0);
        Lane { array: None, valid }
    }

    /// Makes a lane of a column, and of a filter.
    ///
    /// # Errors
    /// What Arrow says; [`OperatorError::Mismatch`] when no value of the column's type can be kept.
    pub(super) fn new(
        column: Option<&ArrayRef>,
        filter: Option<&BooleanArray>,
    ) -> Result<Self, OperatorError> {
        let array = column.map(widen).transpose()?;
        Ok(Lane { array, ..Lane::of_rows(column, filter) })
    }

    /// Lets only these rows count.
    pub(super) fn keep(&mut self, rows: NullBuffer) {
        self.valid = Some(rows);
    }

    /// One row of it.
    pub(super) fn row(&self, row: usize) -> Lane {
        Lane {
            array: self.array.as_ref().map(|array| array.slice(row, 1)),
            valid: self.valid.as_ref().map(|valid| valid.slice(row, 1)),
        }
    }

    #[inline]
    pub(super) fn valid(&self) -> Option<&NullBuffer> {
        self.valid.as_ref()
    }

    pub(super) fn values(&self) -> LaneValues<'_> {
        let Some(array) = &self.array else { return LaneValues::None };
        match array.data_type() {
            DataType::Int64 => LaneValues::I64(array.as_primitive::<dt::Int64Type>().values()),
            DataType::Float64 => LaneValues::F64(array.as_primitive::<dt::Float64Type>().values()),
            DataType::Decimal128(_, _) => {
                LaneValues::I128(array.as_primitive::<dt::Decimal128Type>().values())
            }
            DataType::Utf8 => LaneValues::Utf8(array.as_string()),
            DataType::Binary => LaneValues::Binary(array.as_binary()),
            _ => LaneValues::None,
        }
    }
}

/// The column in its lane's type.
fn widen(column: &ArrayRef) -> Result<ArrayRef, OperatorError> {
    use DataType as T;
    Ok(match column.data_type() {
        T::Boolean | T::Int8 | T::Int16 | T::Int32 => cast(column, &T::Int64)?,
        T::Date32 | T::Time32(_) => cast(&cast(column, &T::Int32)?, &T::Int64)?,
        T::Timestamp(
            TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond,
            _,
        )
        | T::Time64(_) => cast(column, &T::Int64)?,
        T::Float32 => cast(column, &T::Float64)?,
        T::Struct(_) | T::List(_) | T::Map(_, _) => Arc::new(as_bytes(column)?),
        _ => Arc::clone(column),
    })
}

/// Nested values as [`crate::rows`] writes them.
fn as_bytes(column: &ArrayRef) -> Result<BinaryArray, OperatorError> {
    let writer = ValueWriter::new(column)?;
    let mut bytes = Vec::new();
    Ok(BinaryArray::from_iter_values((0..column.len()).map(|row| {
        bytes.clear();
        writer.write(row, &mut bytes);
        bytes.clone()
    })))
}
