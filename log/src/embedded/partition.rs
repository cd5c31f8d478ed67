//! One partition: which offsets were handed out, which records can be read, and the tail that is in memory.
//!
//! ```text
//!   start            stable (LSO)              next        ceiling
//!     |  stored, readable |  held: an open      |  reserved   |
//!     |                   |  transaction or a   |  on disk,   |
//!     |                   |  write under way,   |  not handed |
//!     |                   |  and what is after  |  out        |
//! ```
//!
//! Offsets below `ceiling` are reserved on disk, synced: after a crash or a power cut the partition goes on at the
//! ceiling, so that no offset ever names two different records, written or not. The gap stays empty.
//!
//! What is *held* was given offsets and is not on disk: records of an open transaction, or a write that waits in the
//! queue. Readers stop at the first of them. A read-uncommitted reader goes on through records of open transactions,
//! which it gets from memory, and stops at the first write under way.

use super::batch::{StoredBatch, Unplaced};
use super::blocks::{Blocks, Summary};
use super::keys::{IndexEntry, PartitionId};
use super::wake::Waker;
use crate::{Isolation, TopicConfig};
use millstream_records::{Offset, TopicPartition};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Offsets reserved at once: at least, and at most.
const STEP_MIN: u64 = 1 << 10;
const STEP_MAX: u64 = 1 << 20;

/// A partition of a topic. Topics that were removed keep theirs alive while somebody reads them.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) id: PartitionId,
    pub(crate) place: TopicPartition,
    pub(crate) config: Arc<TopicConfig>,
    /// Whether the ticker has been asked to look at what is too old.
    pub(crate) retention_due: AtomicBool,
    state: Mutex<State>,
    removing: Mutex<()>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// The first offset there is.
    pub(crate) start: Offset,
    /// The next offset to hand out.
    pub(crate) next: Offset,
    /// What is reserved on disk.
    pub(crate) ceiling: Offset,
    /// The largest ceiling that was ever asked for: the next one is above it, whatever became of that one.
    asked: Offset,
    /// `next` at the reservation before, and how much it added: the size of the next one follows use.
    reserved_at: Offset,
    step: u64,
    /// Whether the ticker has been asked for the next reservation.
    hungry: bool,
    held: BTreeMap<Offset, Held>,
    /// How many of them belong to open transactions. The end of one takes an offset: so many are kept back.
    open: u64,
    pub(crate) blocks: Blocks,
    tail: BTreeMap<Offset, StoredBatch>,
    /// Every stored batch from here on is in the tail.
    tail_from: Offset,
    pub(crate) removed: bool,
    /// Below this it is compacted.
    pub(crate) clean_to: Offset,
    /// Bytes that came since, about.
    pub(crate) dirty_bytes: u64,
    watchers: Vec<Weak<Waker>>,
}

/// Offsets that were handed out and are not on disk.
#[derive(Debug)]
struct Held {
    next: Offset,
    /// The records, where they belong to an open transaction; none of a write under way.
    open: Option<Vec<StoredBatch>>,
}

/// Why offsets were not given.
#[derive(Debug)]
pub(crate) enum NotPlaced {
    /// More have to be reserved on disk first, up to this one at least.
    Exhausted { wanted: Offset, batches: Vec<Unplaced> },
    /// The topic was removed.
    Removed,
}

/// Batches at their place, and whether the next reservation should be made soon.
pub(crate) struct Placed {
    pub(crate) batches: Vec<StoredBatch>,
    pub(crate) hungry: bool,
}

/// What comes next for a reader.
#[derive(Debug)]
pub(crate) enum Segment {
    /// Stored batches up to an offset, to be read from disk.
    Stored { until: Offset },
    /// Batches in memory; nothing is between the position and the first, and reading goes on at `next`.
    Memory { batches: Vec<StoredBatch>, next: Offset },
    /// Nothing yet.
    End,
}

/// The offsets of a partition, as one moment has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: Offset,
    pub(crate) stable: Offset,
    pub(crate) next: Offset,
}

impl Bounds {
    /// The end as `isolation` sees it.
    pub(crate) fn end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadCommitted => self.stable,
            Isolation::ReadUncommitted => self.next,
        }
    }
}

impl Partition {
    /// A partition that goes on at `ceiling`.
    pub(crate) fn new(
        id: PartitionId,
        place: TopicPartition,
        config: Arc<TopicConfig>,
        start: Offset,
        ceiling: Offset,
        clean_to: Offset,
        blocks: Blocks,
    ) -> Self {
        let state = State {
            clean_to,
            dirty_bytes: blocks.bytes_from(clean_to),
            start: start.min(ceiling),
            next: ceiling,
            ceiling,
            reserved_at: ceiling,
            tail_from: ceiling,
            blocks,
            ..State::default()
        };
        Partition {
            id,
            place,
            config,
            retention_due: AtomicBool::new(false),
            state: Mutex::new(state),
            removing: Mutex::new(()),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether enough of it is dirty for compaction to be worth its work.
    pub(crate) fn is_cleanable(&self) -> bool {
        let state = self.lock();
        let (dirty, all) = (state.dirty_bytes as f64, state.blocks.bytes() as f64);
        self.config.cleanup.compact
            && !state.removed
            && dirty > 0.0
            && dirty >= all * self.config.min_cleanable_dirty_ratio
    }

    /// Held by whoever removes records: batches are counted out once.
    pub(crate) fn removing(&self) -> MutexGuard<'_, ()> {
        self.removing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let state = self.lock();
        (!state.removed).then(|| state.bounds())
    }

    /// Gives batches their offsets and holds readers back. `open`: they belong to an open transaction.
    pub(crate) fn place(&self, batches: Vec<Unplaced>, open: bool) -> Result<Placed, NotPlaced> {
        let count: u64 = batches.iter().map(|batch| u64::from(batch.count())).sum();
        let mut state = self.lock();
        if state.removed {
            return Err(NotPlaced::Removed);
        }
        let first = state.next;
        let wanted = first + count + state.open + u64::from(open);
        if wanted > state.ceiling {
            return Err(NotPlaced::Exhausted { wanted, batches });
        }
        let mut next = first;
        let mut placed = Vec::with_capacity(batches.len());
        for batch in batches {
            let batch = batch.place(self.id.topic, self.id.partition, next);
            next = batch.next();
            placed.push(batch);
        }
        state.next = next;
        state.open += u64::from(open);
        state.held.insert(first, Held { next, open: open.then(|| placed.clone()) });
        let low = !state.hungry && state.ceiling - state.next < state.step / 2;
        state.hungry |= low;
        if open {
            state.wake();
        }
        Ok(Placed { batches: placed, hungry: low })
    }

    /// Lets go of held offsets: their records are on disk (`stored`), or never will be. `end`: a transaction ends
    /// here.
    pub(crate) fn release(&self, batches: &[StoredBatch], stored: bool, end: bool) {
        let mut state = self.lock();
        if let Some(held) = batches.first().and_then(|first| state.held.remove(&first.base)) {
            state.open -= u64::from(held.open.is_some());
        }
        // Kept back when it was opened.
        if end && state.next < state.ceiling {
            state.next += 1;
        }
        if stored && !state.removed {
            let tail_from = state.tail_from;
            for batch in batches.iter().filter(|batch| batch.base >= tail_from) {
                state.tail.insert(batch.base, batch.clone());
            }
        }
        state.wake();
    }

    /// Drops a batch from the tail.
    pub(crate) fn evict(&self, base: Offset) {
        let mut state = self.lock();
        if let Some(batch) = state.tail.remove(&base) {
            state.tail_from = state.tail_from.max(batch.next());
        }
    }

    /// What comes next for a reader that stands at `position`: at most `bytes_max` from memory, but one batch.
    pub(crate) fn segment(&self, position: Offset, isolation: Isolation, bytes_max: usize) -> Segment {
        self.lock().segment(position, isolation, bytes_max)
    }

    /// Wakes `waker` whenever something changes.
    pub(crate) fn watch(&self, waker: &Arc<Waker>) {
        let mut state = self.lock();
        state.watchers.retain(|watcher| watcher.strong_count() > 0);
        state.watchers.push(Arc::downgrade(waker));
    }

    /// Ends [`Partition::watch`].
    pub(crate) fn unwatch(&self, waker: &Arc<Waker>) {
        self.lock().watchers.retain(|watcher| watcher.as_ptr() != Arc::as_ptr(waker));
    }

    /// Batches of open transactions, in order of their offsets.
    pub(crate) fn open_batches(&self) -> Vec<StoredBatch> {
        let state = self.lock();
        state.held.values().filter_map(|held| held.open.as_ref()).flatten().cloned().collect()
    }

    /// Marks the partition as gone: nothing is read from it or written to it any more.
    pub(crate) fn remove(&self) {
        let mut state = self.lock();
        state.removed = true;
        state.tail.clear();
        state.wake();
    }
}

impl State {
    pub(crate) fn bounds(&self) -> Bounds {
        let stable = self.held.first_key_value().map_or(self.next, |(first, _)| *first);
        Bounds { start: self.start, stable: stable.max(self.start), next: self.next }
    }

    /// The ceiling of the next reservation: at least `wanted`. Ceilings ascend in the order of these calls, which has
    /// to be the order they are written in.
    pub(crate) fn next_ceiling(&mut self, wanted: Offset) -> Offset {
        let used = self.next - self.reserved_at;
        self.step = (used * 4).clamp(STEP_MIN, STEP_MAX);
        self.reserved_at = self.next;
        self.hungry = false;
        self.asked = self.asked.max(wanted).max(self.ceiling) + self.step;
        self.asked
    }

    /// The ceiling of a reservation ahead of use; `None` when one was made since it was asked for.
    pub(crate) fn ceiling_ahead(&mut self) -> Option<Offset> {
        let ceiling = self.ceiling;
        self.hungry.then(|| self.next_ceiling(ceiling))
    }

    /// A reservation is on disk.
    pub(crate) fn raise_ceiling(&mut self, ceiling: Offset) {
        self.ceiling = self.ceiling.max(ceiling);
    }

    /// Notes a batch that is about to be written; gives the summary to write with it, and `None` when the batch is
    /// not wanted any more.
    pub(crate) fn note(&mut self, batch: &StoredBatch) -> Option<(IndexEntry, Option<(u64, Summary)>)> {
        if self.removed || batch.next() <= self.start {
            return None;
        }
        let (count, max_timestamp_ms) = (batch.count, batch.max_timestamp_ms);
        let entry = IndexEntry { count, max_timestamp_ms, bytes: batch.bytes.len() as u32 };
        self.dirty_bytes += u64::from(entry.bytes);
        Some((entry, self.blocks.add(batch.base, &entry)))
    }

    /// Moves the start: the tail forgets what is before.
    pub(crate) fn advance_start(&mut self, start: Offset) {
        self.start = self.start.max(start);
        while let Some((base, batch)) = self.tail.first_key_value()
            && batch.next() <= self.start
        {
            let base = *base;
            self.tail.remove(&base);
        }
    }

    fn segment(&self, position: Offset, isolation: Isolation, bytes_max: usize) -> Segment {
        let bounds = self.bounds();
        let stop = match isolation {
            Isolation::ReadCommitted => bounds.stable,
            Isolation::ReadUncommitted => {
                if let Some((_, held)) = self.held.range(..=position).next_back()
                    && held.next > position
                {
                    return match &held.open {
                        Some(batches) => {
                            let batches = batches.iter().filter(|batch| batch.next() > position);
                            Segment::Memory { batches: batches.cloned().collect(), next: held.next }
                        }
                        None => Segment::End,
                    };
                }
                self.held.range(position..).next().map_or(self.next, |(first, _)| *first)
            }
        };
        if position >= stop {
            return Segment::End;
        }
        if position < self.tail_from {
            return Segment::Stored { until: stop.min(self.tail_from) };
        }
        self.tail_segment(position, stop, bytes_max)
    }

    fn tail_segment(&self, position: Offset, stop: Offset, bytes_max: usize) -> Segment {
        let mut batches: Vec<StoredBatch> = Vec::new();
        let mut bytes = 0;
        let covering = self.tail.range(..=position).next_back().filter(|(_, batch)| batch.next() > position);
        let from = covering.map_or(position, |(base, _)| *base);
        for (_, batch) in self.tail.range(from..stop) {
            if !batches.is_empty() && bytes + batch.bytes.len() > bytes_max {
                let next = batches.last().map_or(position, StoredBatch::next);
                return Segment::Memory { batches, next };
            }
            bytes += batch.bytes.len();
            batches.push(batch.clone());
        }
        Segment::Memory { batches, next: stop }
    }

    pub(crate) fn wake(&self) {
        for watcher in &self.watchers {
            if let Some(watcher) = watcher.upgrade() {
                watcher.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lower one written after a higher one would let offsets be given twice after a crash.
    #[test]
    fn ceilings_ascend_however_they_are_asked_for() {
        let mut state = State { next: 900, ceiling: 1_024, hungry: true, ..State::default() };
        let ahead = state.ceiling_ahead().expect("hungry");
        assert_eq!(state.ceiling_ahead(), None, "asked for twice, answered once");
        let urgent = state.next_ceiling(1_030);
        assert!(ahead > 1_024 && urgent > ahead);
        state.hungry = true;
        assert!(state.ceiling_ahead() > Some(urgent));
    }
}
