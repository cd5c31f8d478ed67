//! The writing end of an exchange.

use super::ExchangeSpec;
use super::block::{BlockContent, encode_block};
use crate::batch::{Batch, EventTime, NO_WATERMARK};
use crate::operator::{Cx, DeltaScope, Operator, Port, StateScope, StoreSpec};
use crate::sink::partition_for_key;
use crate::{OperatorError, records::Headers, records::Record};
use std::sync::Arc;

/// Rows of one block at most. Keeps a block of ordinary rows below a broker's limit of one record, 1 MB.
const BLOCK_ROWS_MAX: usize = 4096;
/// Bytes a block may have before it is split, when its rows are large.
const BLOCK_BYTES_MAX: usize = 512 << 10;

/// The store with what was last sent: watermark and idleness, under the empty key.
const SENT: u16 = 0;

/// Collects rows by destination and writes them as blocks when the task flushes.
pub(crate) struct ExchangeSink {
    spec: Arc<ExchangeSpec>,
    topic: Arc<str>,
    batches: Vec<Batch>,
    /// Rows for each partition: index of the batch and of the row in it.
    rows: Vec<Vec<(u32, u32)>>,
    sent: (EventTime, bool),
    sent_changed: bool,
}

impl ExchangeSink {
    /// The stores it keeps.
    pub(crate) fn stores() -> Vec<StoreSpec> {
        vec![StoreSpec { name: "sent".to_owned(), schema: "() -> watermark i64, idle u8".to_owned() }]
    }

    pub(crate) fn new(spec: &Arc<ExchangeSpec>, topic: Arc<str>, partitions: u32) -> Self {
        ExchangeSink {
            spec: Arc::clone(spec),
            topic,
            batches: Vec::new(),
            rows: vec![Vec::new(); partitions as usize],
            sent: (NO_WATERMARK, false),
            sent_changed: false,
        }
    }

    /// Writes the rows for one partition as one block or, when they are many or large, as several.
    fn send(&self, partition: u32, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut open: Vec<&[(u32, u32)]> = vec![&self.rows[partition as usize]];
        let mut sequence = 0;
        let mut block = Vec::new();
        while let Some(rows) = open.pop() {
            if let Some((first, second)) = self.split(rows, BLOCK_ROWS_MAX) {
                open.extend([second, first]);
                continue;
            }
            block.clear();
            let content = BlockContent {
                task: cx.task,
                commit: cx.commit,
                sequence,
                watermark: if open.is_empty() { cx.watermark } else { self.sent.0 },
                idle: cx.idle && open.is_empty(),
                batches: &self.batches,
                rows,
            };
            encode_block(&content, &*self.spec.codec, &mut block)?;
            if block.len() > BLOCK_BYTES_MAX
                && let Some((first, second)) = self.split(rows, rows.len() / 2)
            {
                open.extend([second, first]);
                continue;
            }
            let value = Some(block.as_slice());
            let record =
                Record { offset: 0, timestamp_ms: cx.now_ms, key: None, value, headers: Headers::NONE };
            cx.outbox.records(&self.topic, partition).push_record(record);
            cx.outbox.account(block.len());
            sequence += 1;
        }
        Ok(())
    }

    /// Splits rows after about `at` of them, but never between the two rows of an update: a reader that commits
    /// between two blocks would show the old row gone and the new one not yet there.
    fn split<'r>(&self, rows: &'r [(u32, u32)], at: usize) -> Option<(&'r [(u32, u32)], &'r [(u32, u32)])> {
        let is_retraction =
            |(batch, row): &(u32, u32)| self.batches[*batch as usize].ops.get(*row as usize) == -1;
        let mut at = at;
        while at > 0 && at < rows.len() && is_retraction(&rows[at - 1]) {
            at += 1;
        }
        (at > 0 && at < rows.len()).then(|| rows.split_at(at))
    }
}

impl Operator for ExchangeSink {
    fn process(&mut self, _port: Port, mut batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let origins = batch.origins.take();
        batch.origins = origins.and_then(|origins| origins.kept(&batch.times, batch.behind.as_deref()));
        let index = self.batches.len() as u32;
        let partitions = self.rows.len() as u32;
        let is_to_all = self.spec.partition_by.is_to_all();
        self.spec.partition_by.for_each(&batch, &mut |row, bytes| match is_to_all {
            true => self.rows.iter_mut().for_each(|rows| rows.push((index, row as u32))),
            false => self.rows[partition_for_key(bytes, partitions) as usize].push((index, row as u32)),
        })?;
        // A guess at the size: what counts is that rows held back are bounded like everything else in the outbox.
        let copies = if is_to_all { self.rows.len() } else { 1 };
        cx.outbox.account(batch.len() * copies * 16);
        self.batches.push(batch);
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let now = (cx.watermark, cx.idle);
        let changed = now != self.sent;
        for partition in 0..self.rows.len() as u32 {
            if changed || !self.rows[partition as usize].is_empty() {
                self.send(partition, cx)?;
            }
        }
        self.batches.clear();
        self.rows.iter_mut().for_each(Vec::clear);
        self.sent = now;
        self.sent_changed |= changed;
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        if std::mem::take(&mut self.sent_changed) {
            let mut value = self.sent.0.to_le_bytes().to_vec();
            value.push(self.sent.1.into());
            out.block(SENT).put(&[], &value);
        }
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.sent = match state.get(SENT, &[])?.as_deref() {
            None => (NO_WATERMARK, false),
            Some([time @ .., idle]) if time.len() == 8 => {
                (EventTime::from_le_bytes(time.try_into().expect("eight bytes")), *idle == 1)
            }
            Some(_) => {
                let (operator, detail) =
                    (format!("exchange by {}", self.spec.by), "not a watermark".to_owned());
                return Err(OperatorError::CorruptState { operator, detail });
            }
        };
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.rows.iter().map(|rows| rows.capacity() * 8).sum()
    }
}
