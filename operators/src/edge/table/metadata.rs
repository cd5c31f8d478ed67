//! Metadata columns: what is known of a record beside its key and value.

use crate::columns::map_type;
use crate::records::{Records, TopicPartition};
use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Array, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder,
    TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, TimeUnit};
use std::sync::Arc;

/// Something known of a record: the keys of `METADATA FROM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// `topic STRING NOT NULL`.
    Topic,
    /// `partition INT NOT NULL`.
    Partition,
    /// `offset BIGINT NOT NULL`.
    Offset,
    /// `timestamp TIMESTAMP_LTZ(3) NOT NULL`.
    Timestamp,
    /// `timestamp-type STRING NOT NULL`. Always `CreateTime`: clients here do not say.
    TimestampType,
    /// `headers MAP<STRING, BYTES> NOT NULL`. Of headers that repeat the last one counts.
    Headers,
    /// `leader-epoch INT`. Always null: clients here do not say.
    LeaderEpoch,
}

impl Metadata {
    const ALL: [Metadata; 7] = [
        Metadata::Topic,
        Metadata::Partition,
        Metadata::Offset,
        Metadata::Timestamp,
        Metadata::TimestampType,
        Metadata::Headers,
        Metadata::LeaderEpoch,
    ];

    /// The metadata called so.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|metadata| metadata.name() == name);
        found.ok_or_else(|| Self::ALL.map(|metadata| metadata.name()).join(", "))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Metadata::Topic => "topic",
            Metadata::Partition => "partition",
            Metadata::Offset => "offset",
            Metadata::Timestamp => "timestamp",
            Metadata::TimestampType => "timestamp-type",
            Metadata::Headers => "headers",
            Metadata::LeaderEpoch => "leader-epoch",
        }
    }

    /// The type of its values. A timestamp may have any zone.
    pub fn data_type(self) -> DataType {
        match self {
            Metadata::Topic | Metadata::TimestampType => DataType::Utf8,
            Metadata::Partition | Metadata::LeaderEpoch => DataType::Int32,
            Metadata::Offset => DataType::Int64,
            Metadata::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Metadata::Headers => map_type(DataType::Utf8, DataType::Binary),
        }
    }

    /// Whether it can be null.
    pub fn is_nullable(self) -> bool {
        self == Metadata::LeaderEpoch
    }

    /// Whether a column of this type can hold it.
    pub(super) fn fits(self, data_type: &DataType) -> bool {
        match self {
            Metadata::Timestamp => matches!(data_type, DataType::Timestamp(TimeUnit::Millisecond, Some(_))),
            _ => *data_type == self.data_type(),
        }
    }

    /// The values for the records at `rows`, as a column of a type that [`Metadata::fits`].
    pub(super) fn column(
        self,
        place: &TopicPartition,
        records: &Records,
        rows: &[u32],
        data_type: &DataType,
    ) -> ArrayRef {
        let records = rows.iter().map(|row| records.get(*row as usize));
        let repeat = |text: &str| StringArray::from_iter_values(std::iter::repeat_n(text, rows.len()));
        match self {
            Metadata::Topic => Arc::new(repeat(&place.topic)),
            Metadata::TimestampType => Arc::new(repeat("CreateTime")),
            Metadata::Partition => Arc::new(Int32Array::from(vec![place.partition as i32; rows.len()])),
            Metadata::Offset => {
                Arc::new(records.map(|record| Some(record.offset as i64)).collect::<Int64Array>())
            }
            Metadata::Timestamp => {
                let zone = match data_type {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let values: Vec<i64> = records.map(|record| record.timestamp_ms).collect();
                Arc::new(TimestampMillisecondArray::from(values).with_timezone_opt(zone))
            }
            Metadata::Headers => {
                let names = MapFieldNames {
                    entry: "entries".to_owned(),
                    key: "key".to_owned(),
                    value: "value".to_owned(),
                };
                let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new());
                for record in records {
                    for (index, (name, value)) in record.headers.iter().enumerate() {
                        if record.headers.iter().skip(index + 1).all(|(later, _)| later != name) {
                            builder.keys().append_value(name);
                            builder.values().append_option(value);
                        }
                    }
                    builder.append(true).expect("as many keys as values");
                }
                Arc::new(builder.finish())
            }
            Metadata::LeaderEpoch => new_null_array(&DataType::Int32, rows.len()),
        }
    }
}
