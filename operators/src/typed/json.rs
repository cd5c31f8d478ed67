//! Typed rows as JSON values of records.

use super::key::Key;
use super::table::Entry;
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload};
use crate::meaning::SourceMeaning;
use crate::records::{Record, Records, TopicPartition};
use crate::sink::{RowEncoder, RowEncoderSpec};
use crate::source::{BadRecord, DecodeCx, Decoded, Decoder, DecoderSpec};
use millstream_state::BytesColumn;
use std::marker::PhantomData;
use std::sync::Arc;

/// The event time of a row, milliseconds since 1970.
pub(super) type TimeOf<T> = Arc<dyn Fn(&T) -> EventTime + Send + Sync>;

/// What the time of a row is.
pub(super) enum RowTime<T> {
    /// The timestamp of its record.
    Record,
    /// What a function says.
    Of(TimeOf<T>),
    /// What the clock reads when it is read, which is recorded with the step.
    Clock,
}

impl<T> Clone for RowTime<T> {
    fn clone(&self) -> Self {
        match self {
            RowTime::Record => RowTime::Record,
            RowTime::Of(time) => RowTime::Of(Arc::clone(time)),
            RowTime::Clock => RowTime::Clock,
        }
    }
}

/// Reads JSON values as rows of `T`.
pub(super) struct JsonRows<T> {
    pub(super) time: RowTime<T>,
}

impl<T> std::fmt::Debug for JsonRows<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "json as {}", std::any::type_name::<T>())
    }
}

impl<T: super::Row> DecoderSpec for JsonRows<T> {
    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn meaning(&self, topics: &str) -> SourceMeaning {
        SourceMeaning::described(self.describe(), topics)
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(JsonRows { time: self.time.clone() }))
    }
}

impl<T: super::Row> Decoder for JsonRows<T> {
    fn decode(
        &mut self,
        _place: &TopicPartition,
        records: &Records,
        cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        decode(records, |record| {
            let row: T = read_json(record.value.unwrap_or(b"null"))?;
            let time = match &self.time {
                RowTime::Record => record.timestamp_ms,
                RowTime::Of(time) => time(&row),
                RowTime::Clock => cx.now_ms,
            };
            Ok((row, time, 1))
        })
    }
}

/// Reads records as entries of a table: by key the last value, or none.
pub(super) struct JsonEntries<K, A> {
    /// What the time of a value is; that of a deletion, and of all where nothing is said, is the timestamp of the record.
    pub(super) time: Option<TimeOf<A>>,
    pub(super) key: PhantomData<fn() -> K>,
}

impl<K, A> std::fmt::Debug for JsonEntries<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "json as {} by {}", std::any::type_name::<A>(), std::any::type_name::<K>())
    }
}

impl<K: Key, A: super::Row> DecoderSpec for JsonEntries<K, A> {
    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn meaning(&self, topics: &str) -> SourceMeaning {
        SourceMeaning::described(self.describe(), topics)
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(JsonEntries::<K, A> { time: self.time.clone(), key: PhantomData }))
    }
}

impl<K: Key, A: super::Row> Decoder for JsonEntries<K, A> {
    fn decode(
        &mut self,
        _place: &TopicPartition,
        records: &Records,
        _cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        decode(records, |record| {
            let bytes = record.key.ok_or("a record of a table without a key")?;
            let key =
                K::read(bytes).ok_or_else(|| format!("its key is no {}", std::any::type_name::<K>()))?;
            let value: Option<A> = record.value.map(read_json).transpose()?;
            let sign = if value.is_some() { 1 } else { -1 };
            let time = self.time.as_ref().zip(value.as_ref()).map(|(time, value)| time(value));
            Ok((Entry { key, value }, time.unwrap_or(record.timestamp_ms), sign))
        })
    }
}

fn read_json<T: super::Row>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("not a {}: {error}", std::any::type_name::<T>()))
}

/// Reads records by a function that gives a row, its time and its sign, or says what is wrong.
fn decode<T: Clone + Send + std::fmt::Debug + 'static>(
    records: &Records,
    read: impl Fn(&Record<'_>) -> Result<(T, EventTime, i8), String>,
) -> Result<Decoded, OperatorError> {
    let mut rows = Vec::<T>::with_capacity(records.len());
    let (mut times, mut of) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
    let (mut signs, mut bad) = (Vec::with_capacity(records.len()), Vec::new());
    for (index, record) in records.iter().enumerate() {
        match read(&record) {
            Ok((row, time, sign)) => {
                rows.push(row);
                times.push(time);
                signs.push(sign);
                of.push(index as u32);
            }
            Err(detail) => bad.push(BadRecord { index, field: None, detail }),
        }
    }
    let (rows, ops) = (Payload::Rows(Box::new(rows)), Ops::from_signs(signs));
    Ok(Decoded { rows, times: times.into(), ops, records: of, bad, skipped: 0, watermark: None })
}

/// Which bytes of a row an encoder writes.
pub(super) type WriteRow<T> = Arc<dyn Fn(&T, &mut Vec<u8>) -> Result<(), OperatorError> + Send + Sync>;

/// Writes rows by a function.
pub(super) struct WriteWith<T> {
    pub(super) what: &'static str,
    pub(super) write: WriteRow<T>,
}

impl<T> std::fmt::Debug for WriteWith<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.what, std::any::type_name::<T>())
    }
}

impl<T: Send + Sync + 'static> RowEncoderSpec for WriteWith<T> {
    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        Ok(Box::new(Written { write: Arc::clone(&self.write), rows: BytesColumn::default() }))
    }
}

/// Writes the keys of a keyed stream, as they are.
#[derive(Debug)]
pub(super) struct WriteKeys;

impl RowEncoderSpec for WriteKeys {
    fn describe(&self) -> String {
        "key".to_owned()
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        Ok(Box::new(WrittenKeys(Arc::default())))
    }
}

struct WrittenKeys(Arc<BytesColumn>);

impl RowEncoder for WrittenKeys {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        self.0 = Arc::clone(batch.keys()?);
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        out.extend_from_slice(self.0.get(row));
        Ok(())
    }
}

/// Rows of a batch, written when the batch is begun: an encoder can't hold on to typed rows.
struct Written<T> {
    write: WriteRow<T>,
    rows: BytesColumn,
}

impl<T: Send + Sync + 'static> RowEncoder for Written<T> {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        self.rows.clear();
        for row in batch.typed_rows::<T>()? {
            (self.write)(row, self.rows.open_row())?;
            self.rows.seal_row();
        }
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        out.extend_from_slice(self.rows.get(row));
        Ok(())
    }
}

/// Appends a value as JSON.
pub(super) fn write_json<T: serde::Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), OperatorError> {
    serde_json::to_writer(out, value).map_err(|error| OperatorError::Encode {
        topic: std::any::type_name::<T>().to_owned(),
        detail: error.to_string(),
    })
}
