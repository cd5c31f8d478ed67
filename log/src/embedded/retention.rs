//! Removing old records: by request, by age, by size.
//!
//! Records go batch by batch from the start of a partition. What a transaction or a write still holds back stays, and
//! everything after it. Age and size are looked at a moment after a partition with such limits has grown, when the
//! log is opened and when [`super::EmbeddedLog::tick`] is called; a process that does nothing removes nothing.
//!
//! Removed keys and the files behind them go when RocksDB compacts. After much was removed, a thread of the log's own
//! sees to that; it ends when it is done.

use super::engine::Shared;
use super::keys::{self, IndexEntry, PLACED_KEY_BYTES, PartitionId, Space};
use super::partition::Partition;
use super::queue::Unit;
use crate::LogError;
use millstream_records::{Offset, TopicPartition};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Batches that are removed one by one; more are removed as a range. A range tombstone is one key, but every iterator
/// has to carry it until it is compacted.
const SINGLE_MAX: usize = 1_024;
/// Bytes removed after which the files behind them are looked at.
const CLEAN_BYTES: u64 = 64 << 20;
/// Index entries looked at in one go: the rest follows in the next.
const SWEEP_BATCHES: usize = 65_536;

/// The thread that cleans up, when there is one.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    state: Mutex<CleanerState>,
}

#[derive(Debug, Default)]
struct CleanerState {
    removed_bytes: u64,
    thread: Option<JoinHandle<()>>,
}

/// Batches at the start of a partition that are to be removed.
#[derive(Debug, Default)]
struct Sweep {
    batches: Vec<(Offset, IndexEntry)>,
    /// Whether there may be more.
    more: bool,
}

impl Sweep {
    fn end(&self) -> Option<Offset> {
        self.batches.last().map(|(base, entry)| base + Offset::from(entry.count))
    }
}

impl Shared {
    /// Removes the records before an offset.
    pub(crate) fn delete_records(&self, place: &TopicPartition, before: Offset) -> Result<(), LogError> {
        let partition = self.partition(place)?;
        let _one = partition.removing();
        let bounds = self.bounds(place)?;
        if before > bounds.next {
            let (place, start, end) = (place.clone(), bounds.start, bounds.next);
            return Err(LogError::OffsetOutOfRange { place, wanted: before, start, end });
        }
        loop {
            let sweep = self.sweep(&partition, |base, entry| base + Offset::from(entry.count) <= before)?;
            let start = if sweep.more { sweep.end().unwrap_or(before) } else { before };
            self.remove(&partition, &sweep, start)?;
            if !sweep.more {
                return Ok(());
            }
        }
    }

    /// Removes what is too old or too much.
    pub(crate) fn retain(&self, partition: &Arc<Partition>) -> Result<(), LogError> {
        let config = &partition.config;
        if !config.cleanup.delete {
            return Ok(());
        }
        let oldest_ms = config.retention_ms.map(|limit| self.clock.wall_ms().saturating_sub(limit));
        let bytes_max = config.retention_bytes;
        let _one = partition.removing();
        loop {
            let (mut bytes, stable) = {
                let state = partition.lock();
                (state.blocks.bytes(), state.bounds().stable)
            };
            let sweep = self.sweep(partition, |base, entry| {
                let too_old = oldest_ms.is_some_and(|oldest| entry.max_timestamp_ms < oldest);
                // As brokers do: a batch goes when the limit is kept without it as well.
                let rest = bytes.saturating_sub(u64::from(entry.bytes));
                let too_much = bytes_max.is_some_and(|max| rest >= max);
                let stays = base + Offset::from(entry.count) > stable || !(too_old || too_much);
                bytes = rest;
                !stays
            })?;
            let Some(end) = sweep.end() else { return Ok(()) };
            self.remove(partition, &sweep, end)?;
            if !sweep.more {
                return Ok(());
            }
        }
    }

    /// The batches from the start on that `remove` is true for.
    fn sweep(
        &self,
        partition: &Partition,
        mut remove: impl FnMut(Offset, &IndexEntry) -> bool,
    ) -> Result<Sweep, LogError> {
        let mut sweep = Sweep::default();
        let (from, to) = space_of(Space::Index, partition.id);
        self.store.scan(&from, &to, |key, value| {
            let base = keys::place_of(key).map(|(_, base)| base);
            let (Some(base), Some(entry)) = (base, IndexEntry::decode(value)) else {
                return Err(damaged_index(&partition.place));
            };
            if !remove(base, &entry) {
                return Ok(ControlFlow::Break(()));
            }
            sweep.more = sweep.batches.len() == SWEEP_BATCHES;
            if sweep.more {
                return Ok(ControlFlow::Break(()));
            }
            sweep.batches.push((base, entry));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(sweep)
    }

    /// Moves the start of a partition, and removes the batches before it.
    fn remove(&self, partition: &Arc<Partition>, sweep: &Sweep, start: Offset) -> Result<(), LogError> {
        let id = partition.id;
        let mut unit = Unit::default();
        let stable;
        {
            let mut state = partition.lock();
            stable = state.bounds().stable;
            if start <= state.start && sweep.batches.is_empty() {
                return Ok(());
            }
            state.advance_start(start);
            for (base, entry) in &sweep.batches {
                let (block, summary) = state.blocks.remove(*base, entry);
                // The newest block has none on disk. One write per block: the last one counts.
                let key = keys::placed(Space::Summary, id, block).to_vec();
                unit.keys.pop_if(|(last, _)| *last == key);
                if state.blocks.is_closed(block) || summary.is_none() {
                    unit.keys.push((key, summary.map(|summary| summary.encode().to_vec())));
                }
            }
            let start = keys::number(state.start).to_vec();
            unit.keys.push((keys::of_partition(Space::Start, id).to_vec(), Some(start)));
        }
        let spaces = [Space::Data, Space::Index];
        match sweep.end() {
            // A batch that is being written is not in the sweep and must not go unnoticed: no range over it. Nor over
            // a batch that lies across the start, which is kept.
            Some(end) if sweep.batches.len() > SINGLE_MAX && end <= stable => {
                let range =
                    |space| (keys::placed(space, id, 0).to_vec(), keys::placed(space, id, end).to_vec());
                unit.removed.extend(spaces.map(range));
            }
            _ => {
                for (base, _) in &sweep.batches {
                    let gone = spaces.map(|space| (keys::placed(space, id, *base).to_vec(), None));
                    unit.keys.extend(gone);
                }
            }
        }
        self.commit(unit)?;
        self.clean_later(sweep.batches.iter().map(|(_, entry)| u64::from(entry.bytes)).sum());
        Ok(())
    }

    /// Looks after every partition with limits.
    pub(crate) fn retain_all(&self) -> Result<(), LogError> {
        let limited = |partition: &&Arc<Partition>| {
            partition.config.retention_ms.is_some() || partition.config.retention_bytes.is_some()
        };
        let partitions: Vec<Arc<Partition>> = self.topics().partitions().filter(limited).cloned().collect();
        partitions.iter().try_for_each(|partition| self.retain(partition))
    }

    /// Counts removed bytes towards the next clean-up.
    pub(crate) fn clean_later(&self, bytes: u64) {
        let mut state = self.cleaner.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.removed_bytes += bytes;
        if state.removed_bytes >= CLEAN_BYTES {
            self.ticker.linger();
        }
    }

    /// Starts cleaning up when enough was removed and nobody is at it.
    pub(crate) fn clean(self: &Arc<Self>) {
        let mut state = self.cleaner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = state.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        if busy || state.removed_bytes < CLEAN_BYTES {
            return;
        }
        state.removed_bytes = 0;
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("millstream-clean".to_owned()).spawn(move || {
            let first = PartitionId { topic: 0, partition: 0 };
            let last = PartitionId { topic: u32::MAX, partition: u32::MAX };
            let range = |space| (keys::placed(space, first, 0), keys::placed(space, last, u64::MAX));
            for space in [Space::Index, Space::Data] {
                let (from, to) = range(space);
                shared.store.clean(&from, &to);
            }
        });
        match thread {
            Ok(thread) => state.thread = Some(thread),
            Err(error) => tracing::warn!(%error, "can't start the thread that cleans up"),
        }
    }

    /// Waits for the thread that cleans up.
    pub(crate) fn join_cleaner(&self) {
        let mut state = self.cleaner.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = state.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The keys of a partition in a space.
pub(crate) fn space_of(space: Space, id: PartitionId) -> ([u8; PLACED_KEY_BYTES], [u8; PLACED_KEY_BYTES]) {
    (keys::placed(space, id, 0), keys::placed(space, id, u64::MAX))
}

pub(crate) fn damaged_index(place: &TopicPartition) -> LogError {
    LogError::Corrupt(format!("the index of {place} holds something that is not an entry"))
}
