//! Columns taken out of their builders, as Arrow has them.

use super::{ColumnBuilder, Fixed};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, StringArray, StructArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, TimeUnit};
use std::sync::Arc;

impl ColumnBuilder {
    /// The column. The builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Boolean(column) => {
                let values = BooleanBuffer::from(std::mem::take(&mut column.values));
                Arc::new(BooleanArray::new(values, column.nulls.finish()))
            }
            Self::Int8(column) => Arc::new(column.array::<dt::Int8Type>()),
            Self::Int16(column) => Arc::new(column.array::<dt::Int16Type>()),
            Self::Int32(column) => Arc::new(column.array::<dt::Int32Type>()),
            Self::Int64(column) => Arc::new(column.array::<dt::Int64Type>()),
            Self::Float32(column) => Arc::new(column.array::<dt::Float32Type>()),
            Self::Float64(column) => Arc::new(column.array::<dt::Float64Type>()),
            Self::Decimal(column, precision, scale) => {
                let array: Decimal128Array = column.array::<dt::Decimal128Type>();
                let data_type = DataType::Decimal128(*precision, *scale);
                Arc::new(array.with_data_type(data_type))
            }
            Self::Date(column) => Arc::new(column.array::<dt::Date32Type>()),
            Self::Time32(column, TimeUnit::Second) => Arc::new(column.array::<dt::Time32SecondType>()),
            Self::Time32(column, _) => Arc::new(column.array::<dt::Time32MillisecondType>()),
            Self::Time64(column, TimeUnit::Microsecond) => {
                Arc::new(column.array::<dt::Time64MicrosecondType>())
            }
            Self::Time64(column, _) => Arc::new(column.array::<dt::Time64NanosecondType>()),
            Self::Timestamp(column, unit, zone) => finish_timestamp(column, *unit, zone.clone()),
            Self::Utf8(column) => {
                let (ends, data, nulls) = column.take();
                Arc::new(StringArray::new(ends, data, nulls))
            }
            Self::Binary(column) => {
                let (ends, data, nulls) = column.take();
                Arc::new(BinaryArray::new(ends, data, nulls))
            }
            Self::Struct(column) => column.finish(),
            Self::List(column) => {
                let items = column.items.finish();
                let field = Arc::clone(&column.field);
                Arc::new(ListArray::new(field, column.ends.take(), items, column.nulls.finish()))
            }
            Self::Map(column) => {
                let DataType::Struct(pair) = column.entries.data_type() else {
                    unreachable!("checked when the builder was made")
                };
                let entries =
                    StructArray::new(pair.clone(), vec![column.keys.finish(), column.values.finish()], None);
                let field = Arc::clone(&column.entries);
                Arc::new(MapArray::new(field, column.ends.take(), entries, column.nulls.finish(), false))
            }
        }
    }
}

fn finish_timestamp(column: &mut Fixed<i64>, unit: TimeUnit, zone: Option<Arc<str>>) -> ArrayRef {
    match unit {
        TimeUnit::Second => Arc::new(column.array::<dt::TimestampSecondType>().with_timezone_opt(zone)),
        TimeUnit::Millisecond => {
            Arc::new(column.array::<dt::TimestampMillisecondType>().with_timezone_opt(zone))
        }
        TimeUnit::Microsecond => {
            Arc::new(column.array::<dt::TimestampMicrosecondType>().with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(column.array::<dt::TimestampNanosecondType>().with_timezone_opt(zone))
        }
    }
}
