//! Reading what is stored: runs of records, and records by their time.

use super::batch::{self, StoredBatch};
use super::blocks::{block_of, block_start};
use super::engine::Shared;
use super::keys::{self, IndexEntry, Space};
use super::partition::Partition;
use super::retention::{damaged_index, space_of};
use super::store::read_error;
use crate::{Isolation, LogError};
use bytes::Bytes;
use millstream_records::{Offset, Records, TopicPartition};
use std::ops::ControlFlow;

/// Stored batches read in one go, beyond one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadLimit {
    pub(crate) bytes: usize,
    pub(crate) until: Offset,
}

impl Shared {
    /// Reads the stored batches of `position..limit.until`, as many as fit and at least one; gives where to go on.
    pub(crate) fn read_stored(
        &self,
        partition: &Partition,
        position: Offset,
        limit: ReadLimit,
        runs: &mut Vec<Records>,
    ) -> Result<Offset, LogError> {
        let (from, _) = space_of(Space::Data, partition.id);
        let to = keys::placed(Space::Data, partition.id, limit.until);
        let mut rows = self.store.iterator(&from, &to);
        let key = keys::placed(Space::Data, partition.id, position);
        // The batch with the position may begin before it.
        rows.seek_for_prev(key);
        if !rows.valid() {
            rows.seek(key);
        }
        let (mut next, mut bytes) = (position, 0);
        while let (Some(key), Some(value)) = (rows.key(), rows.value()) {
            if bytes > 0 && bytes + value.len() > limit.bytes {
                return Ok(next);
            }
            match stored_records(partition, key, value, position) {
                Ok((records, end)) => {
                    // Where a batch ends records may have been compacted away.
                    next = end.max(position);
                    if let Some(records) = records {
                        bytes += value.len();
                        runs.push(records);
                    }
                }
                // What is before it is handed out first; the next read begins here.
                Err(_) if bytes > 0 => return Ok(next),
                Err(error) => return Err(error),
            }
            rows.next();
        }
        match rows.status() {
            Ok(()) => Ok(limit.until),
            Err(_) if bytes > 0 => Ok(next),
            Err(error) => {
                Err(read_error(&error, &format!("the batch of {} at offset {next}", partition.place)))
            }
        }
    }

    /// The first readable record whose timestamp is not before `timestamp_ms`.
    pub(crate) fn offset_at(
        &self,
        partition: &Partition,
        timestamp_ms: i64,
        isolation: Isolation,
    ) -> Result<Option<Offset>, LogError> {
        let stored = self.stored_offset_at(partition, timestamp_ms)?;
        let open = match isolation {
            Isolation::ReadCommitted => None,
            Isolation::ReadUncommitted => {
                let batches = partition.open_batches();
                let mut late = batches.iter().filter(|batch| batch.max_timestamp_ms >= timestamp_ms);
                late.next().map(|batch| own_records(partition, batch)).transpose()?
            }
        };
        let open = open.and_then(|records| first_at(&records, 0, timestamp_ms));
        Ok([stored, open].into_iter().flatten().min())
    }

    fn stored_offset_at(&self, partition: &Partition, timestamp_ms: i64) -> Result<Option<Offset>, LogError> {
        let start = partition.lock().start;
        // A batch with the start may begin a block earlier.
        let mut block = block_of(start).saturating_sub(1);
        loop {
            let found = partition.lock().blocks.first_with_time(block, timestamp_ms);
            let Some(found) = found else { return Ok(None) };
            if let Some(offset) = self.offset_in_block(partition, found, start, timestamp_ms)? {
                return Ok(Some(offset));
            }
            block = found + 1;
        }
    }

    fn offset_in_block(
        &self,
        partition: &Partition,
        block: u64,
        start: Offset,
        timestamp_ms: i64,
    ) -> Result<Option<Offset>, LogError> {
        let key = |block| keys::placed(Space::Index, partition.id, block_start(block));
        let mut late = Vec::new();
        self.store.scan(&key(block), &key(block + 1), |key, value| {
            let base = keys::place_of(key).map(|(_, base)| base);
            let (Some(base), Some(entry)) = (base, IndexEntry::decode(value)) else {
                return Err(damaged_index(&partition.place));
            };
            if entry.max_timestamp_ms >= timestamp_ms && base + Offset::from(entry.count) > start {
                late.push(base);
            }
            // The first has the record, unless it lies before the start of the partition: then the next one.
            Ok(if late.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        for base in late {
            // `None`: removed meanwhile.
            let Some(value) = self.store.get(&keys::placed(Space::Data, partition.id, base))? else {
                continue;
            };
            let records = decode(partition, base, Bytes::from(value))?;
            if let Some(offset) = first_at(&records, start, timestamp_ms) {
                return Ok(Some(offset));
            }
        }
        Ok(None)
    }
}

fn first_at(records: &Records, start: Offset, timestamp_ms: i64) -> Option<Offset> {
    let mut records = records.iter();
    records.find(|record| record.offset >= start && record.timestamp_ms >= timestamp_ms).map(|r| r.offset)
}

/// The records of a batch from `position` on, `None` where there are none, and the offset after the batch.
fn stored_records(
    partition: &Partition,
    key: &[u8],
    value: &[u8],
    position: Offset,
) -> Result<(Option<Records>, Offset), LogError> {
    let base = keys::place_of(key).map(|(_, base)| base);
    let base = base.ok_or_else(|| damaged(&partition.place, position, &"its key is not one"))?;
    let header = batch::Header::read(value).map_err(|error| damaged(&partition.place, base, &error))?;
    let end = base.saturating_add(Offset::from(header.count));
    if end <= position {
        return Ok((None, end));
    }
    let records = from_position(decode(partition, base, Bytes::copy_from_slice(value))?, position);
    Ok(((!records.is_empty()).then_some(records), end))
}

pub(crate) fn decode(partition: &Partition, base: Offset, value: Bytes) -> Result<Records, LogError> {
    let records = batch::decode(&value, partition.id.topic, partition.id.partition, Some(base));
    records.map_err(|error| damaged(&partition.place, base, &error))
}

/// The records of a batch in memory.
pub(crate) fn own_records(partition: &Partition, batch: &StoredBatch) -> Result<Records, LogError> {
    batch::decode_own(batch).map_err(|error| damaged(&partition.place, batch.base, &error))
}

/// The records from `position` on.
pub(crate) fn from_position(mut records: Records, position: Offset) -> Records {
    match records.first_offset() {
        Some(first) if first < position => {
            let before = records.iter().take_while(|record| record.offset < position).count();
            records.split_off(before)
        }
        _ => records,
    }
}

fn damaged(place: &TopicPartition, offset: Offset, error: &dyn std::fmt::Display) -> LogError {
    LogError::Corrupt(format!("the batch of {place} at offset {offset} is damaged: {error}"))
}
