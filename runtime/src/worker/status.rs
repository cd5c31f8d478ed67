//! What a worker tells of itself.

use super::ownership::Slot;
use super::{Phase, Worker};
use crate::plan::TaskId;
use millstream_operators::{Counters, EventTime};
use std::sync::PoisonError;

/// Counts since the worker started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) records_in: u64,
    pub(super) bytes_in: u64,
    pub(super) records_out: u64,
    pub(super) commits: u64,
    pub(super) aborts: u64,
    pub(super) in_doubt: u64,
    pub(super) fences: u64,
    pub(super) writers_replaced: u64,
    pub(super) checkpoints: u64,
    pub(super) snapshots: u64,
    pub(super) snapshots_fetched: u64,
    pub(super) evictions: u64,
}

/// What a worker is doing, at a glance.
#[derive(Debug, Clone, Default)]
pub struct WorkerStatus {
    /// Records read by tasks.
    pub records_in: u64,
    /// Bytes of keys, values and headers read by tasks.
    pub bytes_in: u64,
    /// Records written to topics of users.
    pub records_out: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Transactions aborted.
    pub aborts: u64,
    /// Commits whose fate had to be read from the journal.
    pub in_doubt: u64,
    /// Times that all tasks were dropped because somebody else might own them.
    pub fences: u64,
    /// Transactional writers that were replaced.
    pub writers_replaced: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Snapshots that have become official.
    pub snapshots: u64,
    /// Tasks that were taken over from a snapshot.
    pub snapshots_fetched: u64,
    /// Times that a task's live values were dropped to keep the memory budget.
    pub evictions: u64,
    /// Bytes read and not processed yet.
    pub queued_bytes: u64,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
}

/// What a task is doing.
#[derive(Debug, Clone)]
pub struct TaskStatus {
    /// The task.
    pub id: TaskId,
    /// `waiting`, `restoring` or `running`.
    pub state: &'static str,
    /// While it is taken over: offsets of the journal read and to read.
    pub restored: Option<(u64, u64)>,
    /// While it is taken over from a snapshot: bytes of it fetched and to fetch.
    pub fetched: Option<(u64, u64)>,
    /// While it is taken over: what it waits for.
    pub waits_for: Option<String>,
    /// Its watermark.
    pub watermark: EventTime,
    /// Number of its last commit.
    pub commit: u64,
    /// Records between its positions and the ends of its inputs, as last seen.
    pub lag: u64,
    /// Hot and pending state, in bytes.
    pub state_bytes: u64,
    /// Whether it has read all its bounded input.
    pub finished: bool,
    /// Counts of its operators, by name.
    pub operators: Vec<(String, Counters)>,
}

impl Worker {
    /// What it is doing.
    pub fn status(&self) -> WorkerStatus {
        let counts = &self.counts;
        WorkerStatus {
            records_in: counts.records_in,
            bytes_in: counts.bytes_in,
            records_out: counts.records_out,
            commits: counts.commits,
            aborts: counts.aborts,
            in_doubt: counts.in_doubt,
            fences: counts.fences,
            writers_replaced: counts.writers_replaced,
            checkpoints: counts.checkpoints,
            snapshots: counts.snapshots,
            snapshots_fetched: counts.snapshots_fetched,
            evictions: counts.evictions,
            queued_bytes: self.intake.bytes() as u64,
            tasks: self.slots.iter().map(|(id, slot)| self.task_status(*id, slot)).collect(),
        }
    }

    fn task_status(&self, id: TaskId, slot: &Slot) -> TaskStatus {
        let mut status = TaskStatus {
            id,
            state: "waiting",
            restored: None,
            fetched: None,
            waits_for: None,
            watermark: millstream_operators::NO_WATERMARK,
            commit: 0,
            lag: 0,
            state_bytes: 0,
            finished: false,
            operators: Vec::new(),
        };
        match slot {
            Slot::Waiting => status.waits_for = Some("the job's control record".to_owned()),
            Slot::Restoring(handle) => {
                status.state = "restoring";
                let progress = handle.progress.now();
                status.restored = Some(progress.read);
                status.fetched = Some(progress.fetched).filter(|(_, total)| *total > 0);
                status.waits_for = handle.waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone();
            }
            Slot::Running(task) => {
                status.state = "running";
                status.watermark = task.watermark();
                status.commit = task.chain().number;
                let unread = |(place, position): (&_, &crate::task::Position)| {
                    let end = self.reader.status(place).map_or(0, |status| status.end);
                    position.end.map_or(end, |bound| bound.min(end)).saturating_sub(position.next)
                };
                status.lag = task.positions().filter(|(_, position)| !position.ended).map(unread).sum();
                status.state_bytes = (task.memory_bytes() + task.pending_bytes()) as u64;
                status.finished = task.is_finished();
                let counters = task.graph().counters();
                status.operators = counters.map(|(name, counters)| (name.to_owned(), *counters)).collect();
            }
        }
        status
    }

    /// Whether a transaction is open.
    pub fn is_committing(&self) -> bool {
        matches!(self.phase, Phase::Committing(_) | Phase::Settling(_))
    }
}
