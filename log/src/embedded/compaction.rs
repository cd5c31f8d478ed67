//! Compaction: of each key in a topic with `cleanup.policy=compact` the newest record is kept.
//!
//! ```text
//!   start        clean to              dirty to       newest batch     stable
//!     |  one record per key |  anything    |  the active part: left alone |
//! ```
//!
//! A pass reads the dirty part and notes the newest offset of each key in it, as far as memory for that goes; then it
//! walks the partition from its start to there and rewrites the batches that hold anything older, each at its place
//! and over the offsets it had, with gaps where records were. Batches in which nothing is left go; what has not
//! changed is not written. A deletion is kept for `delete.retention.ms` from the pass on that first saw it with all
//! before it clean, so that a reader that is on its way still learns of it. Records without a key stay.
//!
//! It is safe to stop anywhere: a record goes only where one above it, that is already on disk, says more, and each
//! unit that is written is a whole number of batches. Nothing of an open transaction is touched: those lie at and
//! above the last stable offset.
//!
//! Work is bounded: a partition is looked at when at least `min.cleanable.dirty.ratio` of its bytes are dirty, so that
//! every byte is read again for at most so many that came new, and a thread of its own reads no more than
//! [`super::EmbeddedOptions::compaction_bytes_per_second`].

use super::batch::{self, Encoder, Extent, StoredBatch};
use super::engine::Shared;
use super::keys::{self, IndexEntry, Space};
use super::partition::Partition;
use super::queue::Unit;
use super::retention::{damaged_index, space_of};
use super::scan;
use crate::LogError;
use millstream_records::{Offset, Record};
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

/// Keys that one pass notes: 32 bytes each. What is dirty beyond them is the next pass's.
const KEYS_MAX: usize = 1 << 20;
/// Bytes read between two looks at whether to go on, and written as one unit at most, beyond one batch.
const CHUNK_BYTES: usize = 2 << 20;

/// The thread that compacts, when there is one.
#[derive(Debug, Default)]
pub(crate) struct Compactor {
    state: Mutex<CompactorState>,
    /// Told when the log is closed.
    closed: Condvar,
}

#[derive(Debug, Default)]
struct CompactorState {
    waiting: VecDeque<Arc<Partition>>,
    thread: Option<JoinHandle<()>>,
    /// Whether `thread` has said that it ends.
    idle: bool,
    closing: bool,
}

/// The newest offset of each key of a dirty part, by the hash of the key.
type Newest = HashMap<u128, Offset>;

/// Some batches of a partition, as read.
#[derive(Debug, Default)]
struct Chunk {
    batches: Vec<(Offset, IndexEntry)>,
    bytes: usize,
    /// Where the next one begins; `None` at the end.
    next: Option<Offset>,
}

impl Shared {
    /// Has a partition compacted if enough of it is dirty; on the compactor's thread.
    pub(crate) fn compact_later(self: &Arc<Self>, partition: &Arc<Partition>) {
        if !partition.is_cleanable() {
            return;
        }
        let compactor = &self.compactor;
        let mut state = compactor.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closing || state.waiting.iter().any(|waiting| Arc::ptr_eq(waiting, partition)) {
            return;
        }
        state.waiting.push_back(Arc::clone(partition));
        if state.thread.is_some() && !state.idle {
            return;
        }
        state.idle = false;
        // One that has said that it ends holds the log open until it has: nobody must be left behind when that closes.
        if let Some(ended) = state.thread.take() {
            let _ = ended.join();
        }
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("millstream-compact".to_owned());
        match thread.spawn(move || shared.compact_waiting()) {
            Ok(thread) => state.thread = Some(thread),
            Err(error) => {
                state.idle = true;
                tracing::warn!(%error, "can't start the thread that compacts topics");
            }
        }
    }

    fn compact_waiting(&self) {
        loop {
            let next = {
                let mut state = self.compactor.state.lock().unwrap_or_else(PoisonError::into_inner);
                let next = state.waiting.pop_front().filter(|_| !state.closing);
                state.idle = next.is_none();
                next
            };
            let Some(partition) = next else { return };
            if let Err(error) = self.compact(&partition, true) {
                tracing::warn!(place = %partition.place, %error, "compacting stopped");
            }
        }
    }

    /// Waits for the thread that compacts.
    pub(crate) fn join_compactor(&self) {
        let thread = {
            let mut state = self.compactor.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.closing = true;
            state.thread.take()
        };
        self.compactor.closed.notify_all();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Compacts every partition of which enough is dirty, here and now.
    pub(crate) fn compact_all(&self) -> Result<(), LogError> {
        let partitions: Vec<Arc<Partition>> = self.topics().partitions().cloned().collect();
        for partition in partitions.iter().filter(|partition| partition.is_cleanable()) {
            self.compact(partition, false)?;
        }
        Ok(())
    }

    /// One pass over a partition. `slowly`: within the budget.
    fn compact(&self, partition: &Arc<Partition>, slowly: bool) -> Result<(), LogError> {
        let Some((clean_to, dirty_to)) = self.dirty_part(partition)? else { return Ok(()) };
        let mut newest = Newest::new();
        let mut noted_to = clean_to;
        let mut at = Some(clean_to);
        while let Some(from) = at {
            let chunk = self.chunk(partition, from, dirty_to)?;
            for (base, entry) in &chunk.batches {
                // `None`: removed meanwhile.
                if let Some(batch) = self.stored(partition, *base)? {
                    let records = scan::decode(partition, *base, batch)?;
                    records.iter().for_each(|record| note(&mut newest, &record));
                }
                noted_to = base + Offset::from(entry.count);
            }
            at = chunk.next.filter(|_| newest.len() < KEYS_MAX);
            if !self.may_go_on(partition, chunk.bytes, slowly) {
                return Ok(());
            }
        }
        if at.is_none() {
            noted_to = dirty_to;
        }
        let mut at = Some(partition.lock().start);
        while let Some(from) = at {
            let bytes;
            (bytes, at) = self.rewrite_chunk(partition, from, noted_to, &newest)?;
            if !self.may_go_on(partition, bytes, slowly) {
                return Ok(());
            }
        }
        self.end_pass(partition, noted_to)
    }

    /// What a pass has to look at: up to where the partition is clean, and where the active part begins.
    fn dirty_part(&self, partition: &Partition) -> Result<Option<(Offset, Offset)>, LogError> {
        let (clean_to, stable) = {
            let state = partition.lock();
            let bounds = state.bounds();
            (state.clean_to.max(bounds.start), bounds.stable)
        };
        let (from, _) = space_of(Space::Index, partition.id);
        let to = keys::placed(Space::Index, partition.id, stable);
        let mut rows = self.store.iterator(&from, &to);
        rows.seek_to_last();
        let newest = rows.key().and_then(keys::place_of).map_or(0, |(_, base)| base);
        Ok((newest > clean_to).then_some((clean_to, newest)))
    }

    /// The index entries of some batches that end beyond `from` and begin before `until`.
    fn chunk(&self, partition: &Partition, from: Offset, until: Offset) -> Result<Chunk, LogError> {
        let to = keys::placed(Space::Index, partition.id, until);
        let mut start = keys::placed(Space::Index, partition.id, from);
        {
            // The batch with `from` in it may begin before.
            let (first, _) = space_of(Space::Index, partition.id);
            let mut rows = self.store.iterator(&first, &to);
            rows.seek_for_prev(start);
            if let Some((_, base)) = rows.key().and_then(keys::place_of) {
                start = keys::placed(Space::Index, partition.id, base);
            }
        }
        let mut chunk = Chunk::default();
        self.store.scan(&start, &to, |key, value| {
            let base = keys::place_of(key).map(|(_, base)| base);
            let (Some(base), Some(entry)) = (base, IndexEntry::decode(value)) else {
                return Err(damaged_index(&partition.place));
            };
            if base + Offset::from(entry.count) <= from {
                return Ok(ControlFlow::Continue(()));
            }
            if chunk.bytes >= CHUNK_BYTES {
                chunk.next = Some(base);
                return Ok(ControlFlow::Break(()));
            }
            chunk.bytes += entry.bytes as usize;
            chunk.batches.push((base, entry));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(chunk)
    }

    /// Rewrites what has to be of some batches; gives the bytes read and where to go on.
    fn rewrite_chunk(
        &self,
        partition: &Arc<Partition>,
        from: Offset,
        until: Offset,
        newest: &Newest,
    ) -> Result<(usize, Option<Offset>), LogError> {
        // Batches are counted out once, by whoever removes records.
        let _one = partition.removing();
        let now_ms = self.clock.wall_ms();
        let chunk = self.chunk(partition, from, until)?;
        let mut encoder = Encoder::default();
        let mut unit = Unit::default();
        let mut replaced = Vec::new();
        for (base, entry) in &chunk.batches {
            let Some(batch) = self.stored(partition, *base)? else { continue };
            let records = scan::decode(partition, *base, batch.clone())?;
            let horizon_ms = batch::deletions_kept_until(&batch);
            let deletions = match horizon_ms {
                Some(horizon) if now_ms >= horizon => Deletions::Drop,
                Some(_) => Deletions::Keep,
                None => Deletions::KeepFromNow,
            };
            let keep = |record: &Record<'_>| match record.key {
                None => true,
                Some(key) => {
                    let superseded = newest.get(&xxh3_128(key)).is_some_and(|newest| record.offset < *newest);
                    !superseded && (record.value.is_some() || deletions != Deletions::Drop)
                }
            };
            let kept: Vec<Record<'_>> = records.iter().filter(keep).collect();
            let has_deletions = kept.iter().any(|record| record.key.is_some() && record.value.is_none());
            let begins_horizon = has_deletions && deletions == Deletions::KeepFromNow;
            if kept.len() == records.len() && !begins_horizon {
                continue;
            }
            let horizon_ms = match deletions {
                _ if !has_deletions => None,
                Deletions::KeepFromNow => Some(now_ms.saturating_add(partition.config.delete_retention_ms)),
                _ => horizon_ms,
            };
            let extent = Extent { base: *base, count: entry.count, deletions_kept_until_ms: horizon_ms };
            let id = partition.id;
            let rewritten =
                encoder.rewrite(&kept, &extent).map(|batch| batch.place(id.topic, id.partition, *base));
            self.replace(partition, *base, entry, rewritten.as_ref(), &mut unit);
            replaced.push(*base);
        }
        if !unit.keys.is_empty() && !partition.lock().removed {
            self.commit(unit)?;
        }
        // What is in memory of these batches is what they were.
        replaced.into_iter().for_each(|base| partition.evict(base));
        Ok((chunk.bytes, chunk.next))
    }

    fn stored(&self, partition: &Partition, base: Offset) -> Result<Option<bytes::Bytes>, LogError> {
        let value = self.store.get(&keys::placed(Space::Data, partition.id, base))?;
        Ok(value.map(bytes::Bytes::from))
    }

    /// Puts what a batch becomes into a unit: another one at its place, or nothing.
    fn replace(
        &self,
        partition: &Partition,
        base: Offset,
        entry: &IndexEntry,
        batch: Option<&StoredBatch>,
        unit: &mut Unit,
    ) {
        let id = partition.id;
        let (data, index) = (keys::placed(Space::Data, id, base), keys::placed(Space::Index, id, base));
        let mut state = partition.lock();
        let (block, summary) = match batch {
            None => {
                unit.keys.extend([(data.to_vec(), None), (index.to_vec(), None)]);
                state.blocks.remove(base, entry)
            }
            Some(batch) => {
                let (max_timestamp_ms, bytes) = (batch.max_timestamp_ms, batch.bytes.len() as u32);
                let smaller = IndexEntry { count: entry.count, max_timestamp_ms, bytes };
                unit.keys.push((data.to_vec(), Some(batch.bytes.to_vec())));
                unit.keys.push((index.to_vec(), Some(smaller.encode().to_vec())));
                state.blocks.replace(base, entry, &smaller)
            }
        };
        // The newest block has no summary on disk. One write per block: the last one counts.
        let key = keys::placed(Space::Summary, id, block).to_vec();
        unit.keys.pop_if(|(last, _)| *last == key);
        if state.blocks.is_closed(block) || summary.is_none() {
            unit.keys.push((key, summary.map(|summary| summary.encode().to_vec())));
        }
        drop(state);
        // What was there is garbage in its file, whatever has taken its place.
        self.clean_later(u64::from(entry.bytes));
    }

    /// Everything before an offset is clean.
    fn end_pass(&self, partition: &Partition, clean_to: Offset) -> Result<(), LogError> {
        // Before what is left is counted: what comes meanwhile is counted twice rather than not at all.
        partition.lock().dirty_bytes = 0;
        let mut left = 0;
        let (from, to) =
            (keys::placed(Space::Index, partition.id, clean_to), space_of(Space::Index, partition.id).1);
        self.store.scan(&from, &to, |_, value| {
            left += IndexEntry::decode(value).map_or(0, |entry| u64::from(entry.bytes));
            Ok(ControlFlow::Continue(()))
        })?;
        {
            let mut state = partition.lock();
            if state.removed {
                return Ok(());
            }
            state.clean_to = clean_to;
            state.dirty_bytes += left;
        }
        let key = keys::of_partition(Space::Clean, partition.id);
        self.commit(Unit::put(key, keys::number(clean_to)))
    }

    /// Waits for as long as the budget says after `bytes` were read; `false` when there is nothing to go on for.
    fn may_go_on(&self, partition: &Partition, bytes: usize, slowly: bool) -> bool {
        let gone = || self.check().is_err() || partition.lock().removed;
        if !slowly || gone() {
            return !gone();
        }
        let seconds = bytes as f64 / self.options.compaction_bytes_per_second.max(1) as f64;
        let state = self.compactor.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = Duration::from_secs_f64(seconds);
        let (state, _) = self
            .compactor
            .closed
            .wait_timeout_while(state, wait, |state| !state.closing)
            .unwrap_or_else(PoisonError::into_inner);
        !state.closing
    }
}

/// What becomes of the deletions of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deletions {
    /// They are kept, and how long is decided now: everything before them is clean.
    KeepFromNow,
    /// Their time has not come.
    Keep,
    /// They have been there for long enough.
    Drop,
}

fn note(newest: &mut Newest, record: &Record<'_>) {
    if let Some(key) = record.key {
        let offset = newest.entry(xxh3_128(key)).or_insert(record.offset);
        *offset = record.offset.max(*offset);
    }
}
