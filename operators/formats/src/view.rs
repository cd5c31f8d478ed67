//! Columns as encoders read them: downcast once per batch.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, TimeUnit};

/// A column. Holds on to its buffers.
#[derive(Debug)]
pub(crate) struct View {
    nulls: Option<NullBuffer>,
    pub(crate) values: Values,
}

/// The values of a column, of which those of null rows mean nothing.
#[derive(Debug)]
pub(crate) enum Values {
    Boolean(BooleanBuffer),
    Int8(ScalarBuffer<i8>),
    Int16(ScalarBuffer<i16>),
    Int32(ScalarBuffer<i32>),
    Int64(ScalarBuffer<i64>),
    Float32(ScalarBuffer<f32>),
    Float64(ScalarBuffer<f64>),
    /// With its scale.
    Decimal(ScalarBuffer<i128>, i8),
    Date(ScalarBuffer<i32>),
    Time32(ScalarBuffer<i32>, TimeUnit),
    Time64(ScalarBuffer<i64>, TimeUnit),
    /// Whether it is a `TIMESTAMP_LTZ`.
    Timestamp(ScalarBuffer<i64>, TimeUnit, bool),
    Utf8(StringArray),
    Binary(BinaryArray),
    Struct(Vec<View>),
    List(OffsetBuffer<i32>, Box<View>),
    /// Keys and values.
    Map(OffsetBuffer<i32>, Box<[View; 2]>),
}

impl View {
    /// A view of a column.
    ///
    /// # Errors
    /// The type, when it is none of SQL.
    pub(crate) fn of(array: &ArrayRef) -> Result<View, DataType> {
        use DataType as T;
        macro_rules! values {
            ($native:ty) => {
                array.as_primitive::<$native>().values().clone()
            };
        }
        let values = match array.data_type() {
            T::Boolean => Values::Boolean(array.as_boolean().values().clone()),
            T::Int8 => Values::Int8(values!(dt::Int8Type)),
            T::Int16 => Values::Int16(values!(dt::Int16Type)),
            T::Int32 => Values::Int32(values!(dt::Int32Type)),
            T::Int64 => Values::Int64(values!(dt::Int64Type)),
            T::Float32 => Values::Float32(values!(dt::Float32Type)),
            T::Float64 => Values::Float64(values!(dt::Float64Type)),
            T::Decimal128(_, scale) => Values::Decimal(values!(dt::Decimal128Type), *scale),
            T::Date32 => Values::Date(values!(dt::Date32Type)),
            T::Time32(unit @ TimeUnit::Second) => Values::Time32(values!(dt::Time32SecondType), *unit),
            T::Time32(unit) => Values::Time32(values!(dt::Time32MillisecondType), *unit),
            T::Time64(unit @ TimeUnit::Microsecond) => {
                Values::Time64(values!(dt::Time64MicrosecondType), *unit)
            }
            T::Time64(unit) => Values::Time64(values!(dt::Time64NanosecondType), *unit),
            T::Timestamp(unit, zone) => {
                let values = match unit {
                    TimeUnit::Second => values!(dt::TimestampSecondType),
                    TimeUnit::Millisecond => values!(dt::TimestampMillisecondType),
                    TimeUnit::Microsecond => values!(dt::TimestampMicrosecondType),
                    TimeUnit::Nanosecond => values!(dt::TimestampNanosecondType),
                };
                Values::Timestamp(values, *unit, zone.is_some())
            }
            T::Utf8 => Values::Utf8(array.as_string().clone()),
            T::Binary => Values::Binary(array.as_binary().clone()),
            T::Struct(_) => {
                Values::Struct(array.as_struct().columns().iter().map(View::of).collect::<Result<_, _>>()?)
            }
            T::List(_) => {
                let list = array.as_list::<i32>();
                Values::List(list.offsets().clone(), Box::new(View::of(list.values())?))
            }
            T::Map(_, _) => {
                let map = array.as_map();
                let pair = [View::of(map.keys())?, View::of(map.values())?];
                Values::Map(map.offsets().clone(), Box::new(pair))
            }
            other => return Err(other.clone()),
        };
        Ok(View { nulls: array.nulls().cloned(), values })
    }

    /// Whether the row at `row` is null.
    #[inline(always)]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

/// The items of a row of an `ARRAY` or `MAP`.
pub(crate) fn items(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
