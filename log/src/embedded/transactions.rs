//! Transactions: what a writer has been given offsets for and not committed, in memory; one atomic write at the end.
//!
//! Nothing of an open transaction is on disk, so there is nothing to undo after a crash and no marker to write: an
//! aborted transaction leaves a gap in the offsets. Readers stop at its first offset until it has ended. The end takes
//! one more offset of each partition, where a broker would write its marker.
//!
//! A writer is fenced by its epoch: `init` of another writer of the same id, and a transaction that takes too long,
//! raise it. Group offsets are checked for member and generation when they are sent, as brokers do, and not again at
//! the commit.

use super::batch::Unplaced;
use super::engine::Shared;
use super::keys::{self, Space};
use super::partition::Partition;
use super::queue::{Append, GroupOffset, Unit};
use crate::group::Standing;
use crate::{CommittedOffset, GroupMetadata, LogError, TransactionError};
use millstream_records::{Offset, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All transactional ids.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    by_id: Mutex<BTreeMap<Arc<str>, Arc<Mutex<Writer>>>>,
}

/// What is known of one transactional id.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Names the writer where its id would be long.
    number: u64,
    epoch: u32,
    timeout_ms: u64,
    phase: Phase,
    appends: Vec<Append>,
    offsets: Vec<GroupOffset>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No transaction, or none that has reached the log.
    Idle,
    Open {
        since_ms: u64,
    },
    /// In the queue: it can't be aborted any more.
    Committing,
}

/// A writer's hold on its id.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    writer: Arc<Mutex<Writer>>,
    epoch: u32,
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transactions {
    /// Takes an id from disk.
    pub(crate) fn load(&self, id: &str, epoch: u32) {
        self.writer(id).1.lock().unwrap_or_else(PoisonError::into_inner).epoch = epoch;
    }

    /// The writer of an id, and whether it is new.
    fn writer(&self, id: &str) -> (bool, Arc<Mutex<Writer>>) {
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = by_id.get(id) {
            return (false, Arc::clone(writer));
        }
        let writer = Arc::new(Mutex::new(Writer {
            number: by_id.len() as u64,
            epoch: 0,
            timeout_ms: 0,
            phase: Phase::Idle,
            appends: Vec::new(),
            offsets: Vec::new(),
            bytes: 0,
        }));
        by_id.insert(id.into(), Arc::clone(&writer));
        (true, writer)
    }

    fn all(&self) -> Vec<Arc<Mutex<Writer>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// The error of a writer whose id somebody else has.
fn fenced() -> TransactionError {
    TransactionError::Fenced("a newer writer has this one's id, or its transaction took too long".to_owned())
}

/// The log can't be used any more; nothing of the transaction is on disk.
fn fatal(error: &LogError) -> TransactionError {
    TransactionError::Fatal(error.to_string())
}

/// Marks the last append of each partition.
fn mark_ends(appends: &mut [Append]) {
    let mut seen = BTreeSet::new();
    for append in appends.iter_mut().rev() {
        append.end = seen.insert(append.partition.id);
    }
}

impl Shared {
    /// Gives a writer its identity, fencing the one before and aborting what it left.
    pub(crate) fn init_writer(&self, id: &str, timeout_ms: u64) -> Result<Identity, TransactionError> {
        self.check().map_err(|error| fatal(&error))?;
        if !keys::fits_key(id) {
            return Err(TransactionError::Fatal("a transactional id of more than 65535 bytes".to_owned()));
        }
        let (new, writer) = self.transactions.writer(id);
        let epoch = {
            let mut state = lock(&writer);
            if state.phase == Phase::Committing {
                return Err(TransactionError::Retriable(
                    "the transaction before is still being committed".to_owned(),
                ));
            }
            self.abort_open(&mut state);
            state.epoch += u32::from(!new);
            state.timeout_ms = timeout_ms;
            state.epoch
        };
        let stored = self.commit(Unit::put(keys::named(Space::Writer, id), epoch.to_le_bytes()));
        stored.map_err(|error| fatal(&error))?;
        Ok(Identity { writer, epoch })
    }

    /// Ends the transaction of a writer, if one is open.
    fn abort_open(&self, state: &mut Writer) {
        let mut appends = std::mem::take(&mut state.appends);
        mark_ends(&mut appends);
        for Append { partition, batches, end } in appends {
            partition.release(&batches, false, end);
        }
        if !state.offsets.is_empty() {
            state.offsets.clear();
            self.groups().unhold(state.number);
        }
        state.bytes = 0;
        state.phase = Phase::Idle;
    }

    /// The writer's state, its transaction open.
    fn open<'a>(&self, identity: &'a Identity) -> Result<MutexGuard<'a, Writer>, TransactionError> {
        self.check().map_err(|error| fatal(&error))?;
        let mut state = lock(&identity.writer);
        if state.epoch != identity.epoch {
            return Err(fenced());
        }
        if state.phase == Phase::Idle {
            let since_ms = self.clock.monotonic_ms();
            state.phase = Phase::Open { since_ms };
            self.ticker.timeout_at(since_ms + state.timeout_ms + 1);
        }
        Ok(state)
    }

    /// Gives records of a transaction their offsets; gives the offset after the last one.
    pub(crate) fn append_open(
        &self,
        identity: &Identity,
        partition: &Arc<Partition>,
        batches: Vec<Unplaced>,
    ) -> Result<Offset, TransactionError> {
        let mut state = self.open(identity)?;
        let refused = |reason| TransactionError::Refused { place: partition.place.clone(), reason };
        let bytes: usize = batches.iter().map(Unplaced::len).sum();
        let limit = self.options.transaction_bytes_max;
        if state.bytes + bytes > limit {
            return Err(refused(format!("the transaction is larger than the log takes ({limit} bytes)")));
        }
        self.store
            .check_space(state.bytes + bytes)
            .map_err(|error| TransactionError::Abortable(error.to_string()))?;
        let batches = self.place(partition, batches, true).map_err(|error| match error {
            LogError::UnknownTopic(_) => refused("the topic does not exist".to_owned()),
            other => fatal(&other),
        })?;
        let next = batches.last().map_or(0, |batch| batch.next());
        state.bytes += bytes;
        state.appends.push(Append { partition: Arc::clone(partition), batches, end: false });
        Ok(next)
    }

    /// Makes offsets of a group part of the transaction.
    pub(crate) fn send_offsets(
        &self,
        identity: &Identity,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let too_long = |(place, _): &(TopicPartition, _)| !keys::fits_key(&place.topic);
        if !keys::fits_key(&member.group) || offsets.iter().any(too_long) {
            return Err(TransactionError::Abortable("a name is longer than 65535 bytes".to_owned()));
        }
        let mut state = self.open(identity)?;
        let held = self.groups().hold(state.number, member, offsets).map_err(|standing| {
            TransactionError::Fenced(match standing {
                Standing::FencedInstance => "another member has this one's name".to_owned(),
                Standing::IllegalGeneration => format!(
                    "group \"{}\" is past generation {}, which the member was in",
                    member.group, member.generation
                ),
                _ => format!("group \"{}\" does not know member \"{}\"", member.group, member.member),
            })
        })?;
        state.offsets.extend(held);
        Ok(())
    }

    /// Commits: one write.
    pub(crate) fn commit_writer(&self, identity: &Identity) -> Result<(), TransactionError> {
        let (unit, number) = {
            let mut state = lock(&identity.writer);
            if state.epoch != identity.epoch {
                return Err(fenced());
            }
            if state.phase == Phase::Idle {
                return Ok(());
            }
            self.check().map_err(|error| fatal(&error))?;
            state.phase = Phase::Committing;
            state.bytes = 0;
            let mut appends = std::mem::take(&mut state.appends);
            mark_ends(&mut appends);
            let offsets = std::mem::take(&mut state.offsets);
            (Unit { appends, offsets, ..Unit::default() }, state.number)
        };
        let holds_offsets = !unit.offsets.is_empty();
        // From here on it may reach the disk whatever happens: the next process on this log will know.
        self.commit(unit).map_err(|error| TransactionError::InDoubt(error.to_string()))?;
        if holds_offsets {
            self.groups().unhold(number);
        }
        lock(&identity.writer).phase = Phase::Idle;
        Ok(())
    }

    /// Aborts.
    pub(crate) fn abort_writer(&self, identity: &Identity) -> Result<(), TransactionError> {
        let mut state = lock(&identity.writer);
        if state.epoch != identity.epoch {
            return Err(fenced());
        }
        if state.phase == Phase::Committing {
            return Err(TransactionError::Fatal("its commit failed; nobody knows its fate".to_owned()));
        }
        self.abort_open(&mut state);
        Ok(())
    }

    /// Aborts transactions that took too long, drops members that are gone, and asks for the next look.
    pub(crate) fn time_out(&self) {
        let now_ms = self.clock.monotonic_ms();
        for writer in self.transactions.all() {
            let mut state = lock(&writer);
            let Phase::Open { since_ms } = state.phase else { continue };
            if now_ms.saturating_sub(since_ms) > state.timeout_ms {
                tracing::warn!(timeout_ms = state.timeout_ms, "a transaction took too long and is aborted");
                state.epoch += 1;
                self.abort_open(&mut state);
            } else {
                self.ticker.timeout_at(since_ms + state.timeout_ms + 1);
            }
        }
        self.expire_members();
    }
}
