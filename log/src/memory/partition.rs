//! One partition of the log in memory.

use super::transactions::{ProducerId, WriterIdentity};
use millstream_records::{Offset, Record, Records, RecordsBuilder};
use std::collections::BTreeMap;

/// Records, control records, and what is known of the writers.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    entries: Vec<Entry>,
    start: Offset,
    end: Offset,
    /// First offset of each open transaction.
    open: BTreeMap<ProducerId, Offset>,
    /// Epoch and next sequence number of each idempotent writer.
    writers: BTreeMap<ProducerId, (u32, u64)>,
}

#[derive(Debug)]
struct Entry {
    records: Records,
    visibility: Visibility,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Visible,
    Open(ProducerId),
    Aborted,
    /// A transaction marker: takes an offset, is never handed out.
    Control,
}

/// Why an append was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// A newer epoch of the writer has been seen.
    OldEpoch,
    /// Sequence numbers are missing.
    OutOfSequence,
}

impl Partition {
    pub(crate) fn start(&self) -> Offset {
        self.start
    }

    pub(crate) fn end(&self) -> Offset {
        self.end
    }

    /// The end of what a read-committed reader can see.
    pub(crate) fn last_stable(&self) -> Offset {
        self.open.values().copied().min().unwrap_or(self.end)
    }

    pub(crate) fn append(&mut self, records: &Records, append_time_ms: Option<i64>) -> Offset {
        self.store(records, append_time_ms, Visibility::Visible)
    }

    /// Appends records of a transaction. A repetition of the writer's last records changes nothing.
    pub(crate) fn append_transactional(
        &mut self,
        records: &Records,
        append_time_ms: Option<i64>,
        writer: WriterIdentity,
        sequence: u64,
    ) -> Result<(), AppendError> {
        let (epoch, next) = self.writers.get(&writer.producer).copied().unwrap_or((writer.epoch, 0));
        if writer.epoch < epoch {
            return Err(AppendError::OldEpoch);
        }
        let next = if writer.epoch > epoch { 0 } else { next };
        if sequence < next {
            return Ok(());
        }
        if sequence > next {
            return Err(AppendError::OutOfSequence);
        }
        self.writers.insert(writer.producer, (writer.epoch, next + records.len() as u64));
        self.open.entry(writer.producer).or_insert(self.end);
        self.store(records, append_time_ms, Visibility::Open(writer.producer));
        Ok(())
    }

    fn store(&mut self, records: &Records, append_time_ms: Option<i64>, visibility: Visibility) -> Offset {
        let first = self.end;
        let mut placed = RecordsBuilder::with_capacity(records.len(), records.data_bytes());
        for (record, offset) in records.iter().zip(first..) {
            let timestamp_ms = append_time_ms.unwrap_or(record.timestamp_ms);
            placed.push_record(Record { offset, timestamp_ms, ..record });
        }
        self.end += records.len() as u64;
        self.entries.push(Entry { records: placed.finish(), visibility });
        first
    }

    /// Writes the marker of a transaction.
    pub(crate) fn mark(&mut self, writer: WriterIdentity, commit: bool) {
        let known = self.writers.entry(writer.producer).or_insert((writer.epoch, 0));
        if writer.epoch > known.0 {
            *known = (writer.epoch, 0);
        }
        for entry in &mut self.entries {
            if entry.visibility == Visibility::Open(writer.producer) {
                entry.visibility = if commit { Visibility::Visible } else { Visibility::Aborted };
            }
        }
        self.open.remove(&writer.producer);
        let mut control = RecordsBuilder::default();
        control.push(None, None, 0);
        self.store(&control.finish(), None, Visibility::Control);
    }

    /// Up to `records_max` visible records from `from` on, and the offset reading goes on at.
    pub(crate) fn read(&self, from: Offset, committed_only: bool, records_max: usize) -> (Records, Offset) {
        let limit = if committed_only { self.last_stable() } else { self.end };
        let mut found = RecordsBuilder::default();
        let mut next = from;
        let first = self.entries.partition_point(|entry| entry.records.next_offset().unwrap_or(0) <= from);
        'entries: for entry in &self.entries[first..] {
            let visible = match entry.visibility {
                Visibility::Visible => true,
                Visibility::Control => false,
                Visibility::Open(_) | Visibility::Aborted => !committed_only,
            };
            for record in entry.records.iter().filter(|record| record.offset >= from) {
                if record.offset >= limit || found.len() == records_max {
                    break 'entries;
                }
                next = record.offset + 1;
                if visible {
                    found.push_record(record);
                }
            }
        }
        (found.finish(), next)
    }

    /// The first visible or invisible record whose timestamp is not before `timestamp_ms`.
    pub(crate) fn offset_at(&self, timestamp_ms: i64) -> Option<Offset> {
        let data = self.entries.iter().filter(|entry| entry.visibility != Visibility::Control);
        let mut records = data.flat_map(|entry| entry.records.iter());
        records
            .find(|record| record.timestamp_ms >= timestamp_ms && record.offset >= self.start)
            .map(|r| r.offset)
    }

    /// Removes everything before `offset`.
    pub(crate) fn delete_before(&mut self, offset: Offset) {
        self.start = self.start.max(offset.min(self.end));
        let start = self.start;
        self.entries.retain(|entry| entry.records.next_offset().unwrap_or(0) > start);
    }

    /// Keeps the newest record of each key among what is stable; the last append is left alone, deletions stay.
    pub(crate) fn compact(&mut self) {
        let stable = self.last_stable();
        let last =
            self.entries.iter().rposition(|entry| entry.visibility == Visibility::Visible).unwrap_or(0);
        let is_old = |entry: &Entry| entry.records.next_offset().is_some_and(|next| next <= stable);
        let cleanable = |entry: &&mut Entry| entry.visibility == Visibility::Visible && is_old(entry);
        let mut newest: BTreeMap<Vec<u8>, Offset> = BTreeMap::new();
        for entry in self.entries[..last].iter_mut().filter(cleanable) {
            for record in entry.records.iter() {
                newest.extend(record.key.map(|key| (key.to_vec(), record.offset)));
            }
        }
        for entry in self.entries[..last].iter_mut().filter(cleanable) {
            let mut kept = RecordsBuilder::default();
            for record in entry.records.iter() {
                if record.key.is_none_or(|key| newest[key] == record.offset) {
                    kept.push_record(record);
                }
            }
            entry.records = kept.finish();
        }
        self.entries.retain(|entry| !entry.records.is_empty());
    }

    /// Removes whole appends that are too old, or beyond the size kept; never what is not stable yet.
    pub(crate) fn retain(&mut self, oldest_ms: Option<i64>, bytes_max: Option<u64>) {
        let stable = self.last_stable();
        let mut bytes: u64 = self.entries.iter().map(|entry| entry.records.data_bytes() as u64).sum();
        let mut start = self.start;
        for entry in &self.entries {
            let next = entry.records.next_offset().unwrap_or(0);
            let newest = entry.records.iter().map(|record| record.timestamp_ms).max().unwrap_or(0);
            let control = entry.visibility == Visibility::Control;
            let too_old = oldest_ms.is_some_and(|oldest| control || newest < oldest);
            let too_large = bytes_max.is_some_and(|max| bytes > max);
            if next > stable || !(too_old || too_large) {
                break;
            }
            bytes -= entry.records.data_bytes() as u64;
            start = next;
        }
        self.delete_before(start);
    }
}
