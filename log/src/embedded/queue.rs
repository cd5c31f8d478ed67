//! The way of every write to the database: units in one queue, written group by group.
//!
//! A [`Unit`] is atomic: the records and group offsets of a transaction, a run of plain records, a change to a topic.
//! Whoever waits for a unit and finds nobody at it becomes the *leader*: takes what is queued, writes it as one batch
//! of the database (and syncs once, where the policy says so), makes it visible, and tells the others. So a single
//! writer pays for no hand-over, and many writers share each write and each sync.
//!
//! ```text
//! submit -> | unit | unit | unit |  -> leader: one WriteBatch -> WAL (-> sync) -> visible -> waiters
//! ```
//!
//! The order of the queue is the order of the write-ahead log, so what a power cut takes is always a suffix of it.

use super::SyncPolicy;
use super::batch::StoredBatch;
use super::engine::Shared;
use super::keys::{self, Space};
use super::partition::Partition;
use crate::{CommittedOffset, LogError};
use millstream_records::TopicPartition;
use rocksdb::WriteBatch;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes after which a group takes no further unit.
const GROUP_BYTES: usize = 4 << 20;
/// Bytes that may be queued without anybody waiting.
const QUEUE_BYTES_MAX: usize = 1 << 20;
/// What a unit counts beside its records.
const UNIT_BYTES: usize = 256;

/// What is written as one.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    pub(crate) appends: Vec<Append>,
    pub(crate) offsets: Vec<GroupOffset>,
    /// Other keys; `None` removes one.
    pub(crate) keys: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Ranges of keys to remove.
    pub(crate) removed: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Batches that were given their offsets at once.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) partition: Arc<Partition>,
    pub(crate) batches: Vec<StoredBatch>,
    /// Whether a transaction ends with them in this partition: that takes an offset, as a broker's marker does, so
    /// that offsets are the same on every log.
    pub(crate) end: bool,
}

/// An offset that a group commits.
#[derive(Debug, Clone)]
pub(crate) struct GroupOffset {
    pub(crate) group: Arc<str>,
    pub(crate) place: TopicPartition,
    pub(crate) committed: CommittedOffset,
}

impl Unit {
    /// A unit that sets a key.
    pub(crate) fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Unit { keys: vec![(key.into(), Some(value.into()))], ..Unit::default() }
    }

    fn bytes(&self) -> usize {
        let batches = self.appends.iter().flat_map(|append| &append.batches);
        batches.map(|batch| batch.bytes.len() + UNIT_BYTES).sum::<usize>() + UNIT_BYTES
    }
}

/// A unit's number in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    units: VecDeque<Unit>,
    bytes: usize,
    /// Tickets given out, and how many of them are done.
    tickets: u64,
    done: u64,
    led: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Queues a unit. It is written when somebody waits for it, or a moment later.
    pub(crate) fn submit(&self, unit: Unit) -> Ticket {
        let mut state = self.queue.lock();
        state.bytes += unit.bytes();
        state.units.push_back(unit);
        state.tickets += 1;
        Ticket(state.tickets)
    }

    /// Queues a unit that nobody waits for now: the ticker sees to it. Waits for room in the queue.
    pub(crate) fn submit_later(&self, unit: Unit) -> Result<Ticket, LogError> {
        let ticket = self.submit(unit);
        if self.queue.lock().bytes > QUEUE_BYTES_MAX {
            self.wait(ticket)?;
        } else {
            self.ticker.linger();
        }
        Ok(ticket)
    }

    /// Writes a unit.
    pub(crate) fn commit(&self, unit: Unit) -> Result<(), LogError> {
        let ticket = self.submit(unit);
        self.wait(ticket)
    }

    /// Waits until a unit, and so every one before it, is written.
    ///
    /// # Errors
    /// The failure that ended the log; whether the unit is on disk is then unknown.
    pub(crate) fn wait(&self, ticket: Ticket) -> Result<(), LogError> {
        let mut state = self.queue.lock();
        while state.done < ticket.0 {
            self.store.check()?;
            if state.led {
                state = self.queue.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.led = true;
            let group = take_group(&mut state);
            drop(state);
            let turn = Turn { shared: self, units: group.len() as u64, written: false };
            turn.run(group)?;
            state = self.queue.lock();
        }
        Ok(())
    }

    /// Writes what is queued.
    pub(crate) fn drain(&self) -> Result<(), LogError> {
        let last = self.queue.lock().tickets;
        self.wait(Ticket(last))
    }
}

fn take_group(state: &mut State) -> Vec<Unit> {
    let mut group = Vec::new();
    let mut bytes = 0;
    while let Some(unit) = state.units.front()
        && (group.is_empty() || bytes + unit.bytes() <= GROUP_BYTES)
    {
        bytes += unit.bytes();
        group.extend(state.units.pop_front());
    }
    state.bytes -= bytes;
    group
}

/// A leader's turn. However it ends, the next one can begin.
struct Turn<'a> {
    shared: &'a Shared,
    units: u64,
    written: bool,
}

impl Turn<'_> {
    fn run(mut self, group: Vec<Unit>) -> Result<(), LogError> {
        let shared = self.shared;
        let batch = shared.batch_of(&group);
        if !batch.is_empty() {
            shared.store.write(batch)?;
            match shared.options.sync {
                SyncPolicy::Always => shared.store.sync()?,
                SyncPolicy::Interval => shared.ticker.written(),
                SyncPolicy::Never => {}
            }
        }
        for unit in group {
            shared.show(unit);
        }
        self.written = true;
        Ok(())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.written {
            // Also where the leader panicked: the others must not wait for it for ever.
            let _ = self.shared.store.fail("written to", &"the write was not completed");
        }
        let mut state = self.shared.queue.lock();
        state.led = false;
        if self.written {
            state.done += self.units;
        }
        drop(state);
        self.shared.queue.turned.notify_all();
    }
}

impl Shared {
    /// Everything that a group of units changes on disk.
    fn batch_of(&self, group: &[Unit]) -> WriteBatch {
        let bytes = group.iter().map(Unit::bytes).sum();
        let mut batch = WriteBatch::with_capacity_bytes(bytes);
        for unit in group {
            for append in &unit.appends {
                put_append(&mut batch, append);
            }
            for GroupOffset { group, place, committed } in &unit.offsets {
                let value = keys::committed(committed.offset, &committed.metadata);
                batch.put(keys::group_offset(group, place), value);
            }
            for (key, value) in &unit.keys {
                match value {
                    Some(value) => batch.put(key, value),
                    None => batch.delete(key),
                }
            }
            for (from, to) in &unit.removed {
                batch.delete_range(from.as_slice(), to.as_slice());
            }
        }
        batch
    }

    /// Makes a unit visible that is on disk.
    fn show(&self, unit: Unit) {
        for Append { partition, batches, end } in &unit.appends {
            partition.release(batches, true, *end);
            self.tail.count(partition, batches);
            let config = &partition.config;
            if config.retention_ms.is_some() || config.retention_bytes.is_some() || config.cleanup.compact {
                self.ticker.retain(partition);
            }
        }
        if !unit.offsets.is_empty() {
            self.groups().commit(&unit.offsets);
        }
    }
}

fn put_append(batch: &mut WriteBatch, append: &Append) {
    let id = append.partition.id;
    // The lock is not held over the copies: offsets and summaries first.
    let mut noted = Vec::with_capacity(append.batches.len());
    {
        let mut state = append.partition.lock();
        for stored in &append.batches {
            if let Some((entry, summary)) = state.note(stored) {
                noted.push((stored, entry, summary));
            }
        }
    }
    for (stored, entry, summary) in noted {
        batch.put(keys::placed(Space::Data, id, stored.base), &stored.bytes);
        batch.put(keys::placed(Space::Index, id, stored.base), entry.encode());
        if let Some((block, summary)) = summary {
            batch.put(keys::placed(Space::Summary, id, block), summary.encode());
        }
    }
}
