//! What a worker tells of itself.

use super::ownership::Held;
use super::{Phase, Worker};
use crate::metrics::{BYTES, Histogram, SECONDS};
use crate::plan::TaskId;
use crate::task::{Position, Task};
use millstream_operators::{Counters, EventTime, Offset, TopicPartition};
use std::sync::PoisonError;

/// Counts since the worker started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) records_in: u64,
    pub(super) table_records_in: u64,
    pub(super) rows: Counters,
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
    pub(super) sizes: Sizes,
}

/// How large what it did was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sizes {
    pub(super) commit_seconds: Histogram,
    pub(super) commit_bytes: Histogram,
    pub(super) latency_seconds: Histogram,
}

impl Default for Sizes {
    fn default() -> Self {
        let seconds = Histogram::new(SECONDS);
        Sizes { commit_seconds: seconds, commit_bytes: Histogram::new(BYTES), latency_seconds: seconds }
    }
}

/// What a worker is doing, at a glance.
#[derive(Debug, Clone, Default)]
pub struct WorkerStatus {
    /// How long commits took, seconds.
    pub commit_seconds: Histogram,
    /// What commits wrote, bytes.
    pub commit_bytes: Histogram,
    /// From the timestamps of records until they were committed, seconds.
    pub latency_seconds: Histogram,
    /// Records read by tasks, of topics between them too.
    pub records_in: u64,
    /// Records read of topics of tables, by committed steps.
    pub table_records_in: u64,
    /// What became of rows, in committed steps: `rows_in` are those that sinks without a topic took.
    pub rows: Counters,
    /// Bytes of keys, values and headers read by tasks.
    pub bytes_in: u64,
    /// Records written to topics of users, dead letters among them.
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
    /// What it asks the log for again and again, and why that is in vain.
    pub waits_for: Option<String>,
    /// What keeps the job from doing all it should although it runs: partitions that nobody reads.
    pub degraded: Vec<String>,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
    /// Bounded inputs that have been read to their ends, and the ends.
    pub ended: Vec<(TopicPartition, Offset)>,
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
    /// Offsets between its positions and the ends of its tables' topics, as last seen; 0 when everything has been read.
    pub lag: u64,
    /// Hot and pending state, in bytes.
    pub state_bytes: u64,
    /// Whether it has read all its bounded input.
    pub finished: bool,
    /// Its operators.
    pub operators: Vec<OperatorStatus>,
    /// The partitions of tables that it reads.
    pub inputs: Vec<InputStatus>,
}

/// An operator of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorStatus {
    /// Its name in the plan.
    pub name: String,
    /// What it has counted.
    pub counters: Counters,
    /// State that it holds in memory, in bytes.
    pub memory_bytes: u64,
}

/// A partition of a table that a task reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputStatus {
    /// The partition.
    pub place: TopicPartition,
    /// Its watermark.
    pub watermark: EventTime,
    /// How far the watermark is behind the clock, milliseconds.
    pub watermark_lag_ms: Option<i64>,
    /// Whether it is caught up and quiet: then it holds no watermark back.
    pub idle: bool,
    /// The next offset to read.
    pub position: Offset,
    /// Offsets between that and its end, as last seen.
    pub lag: u64,
    /// Whether it is bounded, and has been read.
    pub ended: bool,
}

impl Worker {
    /// What it is doing.
    pub fn status(&self) -> WorkerStatus {
        let counts = &self.counts;
        let Sizes { commit_seconds, commit_bytes, latency_seconds } = counts.sizes;
        WorkerStatus {
            commit_seconds,
            commit_bytes,
            latency_seconds,
            records_in: counts.records_in,
            table_records_in: counts.table_records_in,
            rows: counts.rows,
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
            waits_for: self.waits_for(),
            degraded: self.looks_at_topics.degraded(),
            tasks: self.held.iter().map(|(id, held)| self.task_status(*id, held)).collect(),
            ended: if self.held.is_empty() { self.ended.clone() } else { self.ended_inputs() },
        }
    }

    /// Bounded inputs that have been read to their ends.
    pub(super) fn ended_inputs(&self) -> Vec<(TopicPartition, Offset)> {
        let running = self.held.values().filter_map(|held| match held {
            Held::Running(task) => Some(task.positions()),
            _ => None,
        });
        let ended = running.flatten().filter(|(_, position)| position.ended);
        ended.filter_map(|(place, position)| Some((place.clone(), position.end?))).collect()
    }

    /// What is in vain by now. What works at the second or third try is nobody's concern.
    fn waits_for(&self) -> Option<String> {
        let lasting = |trouble: &&super::Trouble| self.is_asking() && trouble.tries > super::TRIES_AT_ONCE;
        match self.trouble.as_ref().filter(lasting) {
            Some(it) => Some(format!("{} ({} tries so far): {}", it.what, it.tries, it.reason)),
            None if self.held.is_empty() => self.member.trouble(),
            None => self.intake.trouble(self.cx.clock.monotonic_ms()).or_else(|| self.lookups.trouble()),
        }
    }

    fn task_status(&self, id: TaskId, held: &Held) -> TaskStatus {
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
            inputs: Vec::new(),
        };
        match held {
            Held::Waiting => status.waits_for = Some("the job's control record".to_owned()),
            Held::Restoring(handle) => {
                status.state = "restoring";
                let progress = handle.progress.now();
                status.restored = Some(progress.read);
                status.fetched = Some(progress.fetched).filter(|(_, total)| *total > 0);
                status.waits_for = handle.waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone();
            }
            Held::Running(task) => {
                status.state = "running";
                status.watermark = task.watermark();
                status.commit = task.chain().number;
                status.inputs = self.inputs(task);
                status.lag = status.inputs.iter().map(|input| input.lag).sum();
                status.state_bytes = (task.memory_bytes() + task.pending_bytes()) as u64;
                status.finished = task.is_finished();
                let operators = task.graph().operators().map(|(name, counters, memory)| OperatorStatus {
                    name: name.to_owned(),
                    counters: *counters,
                    memory_bytes: memory as u64,
                });
                status.operators = operators.collect();
            }
        }
        status
    }

    fn inputs(&self, task: &Task) -> Vec<InputStatus> {
        let inputs = task.inputs().iter().zip(task.positions());
        let of_tables = inputs.filter(|(input, _)| input.table().is_some());
        let now = self.cx.clock.wall_ms();
        let inputs = of_tables.map(|(input, (place, position))| {
            let clock = input.clock();
            InputStatus {
                place: place.clone(),
                watermark: clock.watermark,
                watermark_lag_ms: now.checked_sub(clock.watermark),
                idle: clock.idle,
                position: position.next,
                lag: self.lag(place, position),
                ended: position.ended,
            }
        });
        inputs.collect()
    }

    /// Offsets that are still to be read of an input. Behind the last record may be markers of transactions, which are
    /// read and are no records.
    fn lag(&self, place: &TopicPartition, position: &Position) -> u64 {
        let Some(status) = self.reader.status(place).filter(|_| !position.ended) else { return 0 };
        let end = position.end.map_or(status.end, |bound| bound.min(status.end));
        let next =
            if self.intake.is_empty(place) { position.next.max(status.position) } else { position.next };
        end.saturating_sub(next)
    }

    /// Whether it can do nothing before the log has answered: it has no writer yet, or a transaction is open.
    pub fn is_asking(&self) -> bool {
        !matches!(self.phase, Phase::Running | Phase::Stopped)
    }

    /// Whether a transaction is open.
    pub fn is_committing(&self) -> bool {
        matches!(self.phase, Phase::Committing(_) | Phase::Settling(_))
    }
}
