//! A sink that keeps the last row of every key.

use super::{RowEncoder, RowEncoderSpec, SinkWriter, partition_for_key};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::expression::Failure;
use crate::formats::Lookup;
use crate::keys::SlotTable;
use crate::operator::{BuildCx, Cx, Operator, Port};
use crate::source::Policy;
use std::sync::Arc;

/// Writes any stream as upserts: per key and commit one record, its last value or a tombstone. A retraction and the
/// insertion that follows it never show apart.
#[derive(Debug, Clone)]
pub struct UpsertSink {
    /// The table's name.
    pub table: String,
    /// The topic.
    pub topic: String,
    /// Writes keys.
    pub key: Arc<dyn RowEncoderSpec>,
    /// Writes values.
    pub value: Arc<dyn RowEncoderSpec>,
}

impl SinkWriter for UpsertSink {
    fn describe(&self) -> String {
        format!("upsert to {}: key {}, value {}", self.topic, self.key.describe(), self.value.describe())
    }

    fn accepts(&self, _kind: StreamKind) -> Result<(), String> {
        Ok(())
    }

    fn before_writing(&self) -> Vec<Lookup> {
        self.key.before_writing().into_iter().chain(self.value.before_writing()).collect()
    }

    fn build(&self, partitions: u32, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Upsert {
            topic: self.topic.as_str().into(),
            partitions,
            key: self.key.build()?,
            value: self.value.build()?,
            keys: SlotTable::with_seed(cx.hash_seed),
            last: Vec::new(),
            batches: Vec::new(),
            key_bytes: Vec::new(),
        }))
    }
}

struct Upsert {
    topic: Arc<str>,
    partitions: u32,
    key: Box<dyn RowEncoder>,
    value: Box<dyn RowEncoder>,
    /// Keys touched since the last flush, in the order of first touch.
    keys: SlotTable,
    /// By slot: where the key's last row stands (batch, row), and whether it is a deletion.
    last: Vec<Last>,
    batches: Vec<Batch>,
    key_bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Last {
    batch: u32,
    row: u32,
    deleted: bool,
    time: EventTime,
}

impl Operator for Upsert {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.key.begin(&batch)?;
        let index = self.batches.len() as u32;
        for row in 0..batch.len() {
            self.key_bytes.clear();
            if let Err(error) = self.key.encode(row, &mut self.key_bytes) {
                cx.on_bad(Policy::Fail, &batch, row, Failure::of_row(error)?)?;
                continue;
            }
            let (slot, new) = self.keys.find_or_insert(&self.key_bytes);
            let (deleted, time) = (batch.ops.get(row) == -1, batch.times[row]);
            let last = Last { batch: index, row: row as u32, deleted, time };
            if new {
                self.last.push(last);
                cx.outbox.account(self.key_bytes.len() + size_of::<Last>());
            } else {
                self.last[slot as usize] = last;
            }
        }
        // What is held back until the flush counts as outbox: it bounds the memory of a commit.
        cx.outbox.account(batch.len() * 16);
        self.batches.push(batch.without_origins());
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut open = None;
        for slot in in_batch_order(&self.last) {
            let last = self.last[slot as usize];
            let key = self.keys.key(slot);
            let records = cx.outbox.records(&self.topic, partition_for_key(key, self.partitions));
            let start = records.data_bytes();
            if last.deleted {
                records.push(Some(key), None, last.time);
                let written = records.data_bytes() - start;
                cx.outbox.account(written);
                continue;
            }
            if open != Some(last.batch) {
                self.value.begin(&self.batches[last.batch as usize])?;
                open = Some(last.batch);
            }
            self.value.encode(last.row as usize, records.open_value())?;
            records.seal(start, Some(key), last.time);
            let written = records.data_bytes() - start;
            cx.outbox.account(written);
        }
        self.keys.clear();
        self.last.clear();
        self.batches.clear();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.last.capacity() * size_of::<Last>()
    }
}

/// Slots in the order of their last rows: as the changes happened, and batch after batch for the encoder.
fn in_batch_order(last: &[Last]) -> Vec<u32> {
    let mut slots: Vec<u32> = (0..last.len() as u32).collect();
    slots.sort_unstable_by_key(|slot| (last[*slot as usize].batch, last[*slot as usize].row));
    slots
}
