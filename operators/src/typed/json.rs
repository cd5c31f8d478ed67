//! Typed rows as JSON values of records.

use crate::OperatorError;
use crate::batch::{Batch, Ops, Payload};
use crate::records::{Records, TopicPartition};
use crate::sink::{RowEncoder, RowEncoderSpec};
use crate::source::{BadRecord, DecodeCx, Decoded, Decoder, DecoderSpec};
use millstream_state::BytesColumn;
use std::marker::PhantomData;
use std::sync::Arc;

/// Reads JSON values as rows of `T`.
pub(super) struct JsonRows<T>(PhantomData<fn() -> T>);

impl<T> JsonRows<T> {
    pub(super) fn new() -> Self {
        JsonRows(PhantomData)
    }
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

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(JsonRows::<T>::new()))
    }
}

impl<T: super::Row> Decoder for JsonRows<T> {
    fn decode(
        &mut self,
        _place: &TopicPartition,
        records: &Records,
        _cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        let (mut rows, mut times) =
            (Vec::<T>::with_capacity(records.len()), Vec::with_capacity(records.len()));
        let (mut of, mut bad) = (Vec::with_capacity(records.len()), Vec::new());
        for (index, record) in records.iter().enumerate() {
            match serde_json::from_slice(record.value.unwrap_or(b"null")) {
                Ok(row) => {
                    rows.push(row);
                    of.push(index as u32);
                    times.push(record.timestamp_ms);
                }
                Err(error) => {
                    let detail = format!("not a {}: {error}", std::any::type_name::<T>());
                    bad.push(BadRecord { index, field: None, detail });
                }
            }
        }
        let rows = Payload::Rows(Box::new(rows));
        Ok(Decoded { rows, times: times.into(), ops: Ops::Append, records: of, bad, skipped: 0 })
    }
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
