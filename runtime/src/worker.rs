//! A worker: some tasks, one transactional writer, one place in the consumer group.
//!
//! A [`Worker`] is driven by [`Worker::turn`], one bounded piece of work after the other, at most one request of the
//! commit protocol each. In production a thread calls it in a loop; the simulation interleaves the turns of several
//! workers and drops one between any two turns to crash it. So there is no hidden state on a stack: what is going on
//! stands in `Phase`.
//!
//! The rules it keeps: a task is owned through a token that dies at every revoke, loss and fence; a transaction never
//! spans a revoke, because the group is not asked for events while one is open; a commit whose fate is unknown is
//! settled by reading the journal, never by guessing.

mod ahead;
pub(crate) mod beside;
mod commit;
mod intake;
mod lookups;
mod memory;
mod ownership;
mod settings;
mod settle;
mod snapshots;
mod status;
mod watch;

pub use ownership::RestoreRunner;
pub use settings::{Guarantee, WorkerContext, WorkerSettings};
pub use status::{InputStatus, OperatorStatus, TaskStatus, WorkerStatus};

use crate::control::ControlRecord;
use crate::error::JobError;
use crate::log::{
    Admin, Isolation, LogError, Member, MemberOptions, Offset, Reader, ReaderOptions, TopicPartition,
    TransactionOptions, TransactionalWriter, Writer,
};
use crate::memory::StateShare;
use crate::plan::TaskId;
use crate::snapshot::SnapshotRunner;
use crate::task::Task;
use commit::Commit;
use intake::Intake;
use lookups::Lookups;
use millstream_operators::PrintedLine;
use ownership::Held;
use settle::Settle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Something; call again at once.
    Busy,
    /// Nothing; it waits for the log or for time to pass.
    Idle,
    /// The worker has stopped and left its group.
    Stopped,
}

/// What a worker is doing.
#[derive(Debug)]
enum Phase {
    /// Getting a writer: fencing the one before and ending what it left open.
    Starting,
    /// Reading and stepping.
    Running,
    /// A transaction is open.
    Committing(Box<Commit>),
    /// The fate of a commit is being read.
    Settling(Box<Settle>),
    /// Over.
    Stopped,
}

/// Getting a transactional writer, for people.
const INIT: &str = "getting a transactional writer";
/// How often a request is asked again at once, and the longest pause after that, milliseconds.
const TRIES_AT_ONCE: u32 = 4;
const PAUSE_MS_MAX: u64 = 1_000;

/// How long a worker that is to end asks for its last commit, milliseconds.
const STOP_PATIENCE_MS: u64 = 5_000;

/// What keeps a request from being done.
#[derive(Debug)]
struct Trouble {
    /// The request, for people.
    what: &'static str,
    reason: String,
    tries: u32,
    /// When it is asked again.
    not_before_ms: u64,
}

/// One worker. See the module's head.
pub struct Worker {
    cx: WorkerContext,
    admin: Box<dyn Admin>,
    member: Box<dyn Member>,
    reader: Box<dyn Reader>,
    writer: Box<dyn TransactionalWriter>,
    /// Where output goes that is written ahead of its commit; made when it is first needed.
    ahead: Option<Box<dyn Writer>>,
    /// Whether `writer` was initialized and has not been found unusable since.
    writer_ready: bool,
    phase: Phase,
    held: BTreeMap<TaskId, Held>,
    /// Tasks that a switched-off rule keeps after their partition was revoked; empty in production.
    parked: BTreeMap<TaskId, Task>,
    restores: RestoreRunner,
    /// Goes before the runner does, which waits for what is under way.
    uploads: snapshots::Uploads,
    snapshots: SnapshotRunner,
    control: Option<ControlRecord>,
    /// A control record that the first task's next commit has to carry.
    new_control: Option<ControlRecord>,
    /// When it was asked for last, and how long to wait before the next time, milliseconds.
    control_asked: (u64, u64),
    intake: Intake,
    lookups: Lookups,
    last_commit_ms: u64,
    /// How long commits take, as a mean that follows the last of them.
    commit_cost_ms: u64,
    /// Records that had been read when the last commit began.
    records_at_commit: u64,
    last_tick_ms: u64,
    last_heal_ms: u64,
    looks_at_topics: watch::Looks,
    stopping: bool,
    stopping_since_ms: Option<u64>,
    failed: Option<JobError>,
    printed: Vec<PrintedLine>,
    counts: status::Counts,
    /// Bounded inputs that had been read to their ends when the worker stopped, and where those are.
    ended: Vec<(TopicPartition, Offset)>,
    share: StateShare,
    /// Looks at the memory budget since it started.
    looks: u32,
    /// What keeps a request from being done, while it is asked again and again.
    trouble: Option<Trouble>,
}

impl Worker {
    /// A worker that joins the job's group. The job's internal topics have to be there.
    ///
    /// # Errors
    /// [`JobError::Log`] when the log can't be reached.
    pub fn start(cx: WorkerContext, restores: RestoreRunner) -> Result<Self, JobError> {
        let topics = cx.plan.cut().parts.iter().map(|part| cx.plan.journal_topic(part.index)).collect();
        let member = cx.log.member(&MemberOptions {
            group: cx.plan.group().to_owned(),
            instance: Some(cx.name.clone()),
            topics,
            session_timeout_ms: cx.session_timeout_ms,
        })?;
        let queue_bytes_max = cx.settings.fetch_bytes_max;
        let reader =
            cx.log.reader(&ReaderOptions { isolation: Isolation::ReadCommitted, queue_bytes_max })?;
        let writer = new_writer(&cx)?;
        let admin = cx.log.admin()?;
        let snapshots = snapshot_runner(&cx, &restores)?;
        let now = cx.clock.monotonic_ms();
        Ok(Worker {
            admin,
            member,
            reader,
            writer,
            ahead: None,
            writer_ready: false,
            phase: Phase::Starting,
            held: BTreeMap::new(),
            parked: BTreeMap::new(),
            restores,
            snapshots,
            uploads: snapshots::Uploads::default(),
            control: None,
            new_control: None,
            control_asked: (0, 0),
            intake: Intake::default(),
            lookups: Lookups::default(),
            last_commit_ms: now,
            commit_cost_ms: 0,
            records_at_commit: 0,
            last_tick_ms: now,
            last_heal_ms: now,
            looks_at_topics: watch::Looks::default(),
            stopping: false,
            stopping_since_ms: None,
            failed: None,
            printed: Vec::new(),
            counts: status::Counts::default(),
            ended: Vec::new(),
            share: StateShare::new(Arc::clone(&cx.settings.state_budget)),
            looks: 0,
            trouble: None,
            cx,
        })
    }

    /// Asks the worker to commit, checkpoint and leave.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.stopping_since_ms.get_or_insert(self.cx.clock.monotonic_ms());
    }

    /// Does a bounded piece of work; waits at most `wait` for records when there is nothing else to do.
    ///
    /// # Errors
    /// [`JobError`]: the worker can't go on and has to be dropped. A task that failed is reported here once the others
    /// have been committed.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, JobError> {
        if !self.rest().is_zero() {
            return self.out_of_patience().map_or(Ok(Turn::Idle), Err);
        }
        match std::mem::replace(&mut self.phase, Phase::Running) {
            Phase::Starting => self.renew_writer(),
            Phase::Running => self.run(wait),
            Phase::Committing(commit) => self.commit_turn(commit),
            Phase::Settling(settle) => self.settle_turn(settle),
            Phase::Stopped => {
                self.phase = Phase::Stopped;
                Ok(Turn::Stopped)
            }
        }
    }

    fn run(&mut self, wait: Duration) -> Result<Turn, JobError> {
        if let Some(event) = self.member.poll()? {
            self.on_event(event)?;
            return Ok(Turn::Busy);
        }
        self.heal_if_due();
        self.look_at_topics_if_due();
        let mut busy = self.drive_restores()?;
        busy |= self.drive_snapshots();
        busy |= self.drive_lookups()?;
        if self.stopping && self.stop_when_clean()? || self.change_plan()? {
            return Ok(Turn::Busy);
        }
        if !self.stopping {
            busy |= self.read(if busy { Duration::ZERO } else { wait.min(self.until_commit()) })?;
            busy |= self.step_tasks();
        }
        busy |= self.tick_if_due();
        busy |= self.commit_if_due()?;
        Ok(if busy { Turn::Busy } else { Turn::Idle })
    }

    /// Takes a stop further: commits what is dirty, then checkpoints and leaves. Says whether it did something.
    fn stop_when_clean(&mut self) -> Result<bool, JobError> {
        if self.begin_commit(commit::After::Nothing)? {
            return Ok(true);
        }
        for held in self.held.values_mut() {
            if let Held::Running(task) = held {
                task.checkpoint()?;
            }
        }
        self.ended = self.ended_inputs();
        self.held.clear();
        self.restores.clear();
        // A group that could not be told finds out by itself.
        let left = self.member.leave(Duration::from_secs(3));
        if let Err(error) = left {
            tracing::warn!(%error, "could not leave the group in time");
        }
        self.phase = Phase::Stopped;
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(true),
        }
    }

    /// Makes the writer usable. A writer that was found unusable has been replaced before.
    fn renew_writer(&mut self) -> Result<Turn, JobError> {
        use crate::log::TransactionError as E;
        match self.writer.init() {
            Ok(()) => {
                self.writer_ready = true;
                self.trouble = None;
                self.phase = Phase::Running;
                return Ok(Turn::Busy);
            }
            Err(E::Permanent(error)) => return Err(JobError::Log(error)),
            Err(E::Retriable(reason)) => self.note_retry(INIT, &reason),
            Err(error) => {
                self.note_retry(INIT, &error.to_string());
                self.replace_writer()?;
            }
        }
        // Who is asked to end and has nothing to commit needs no writer for it.
        let needs_writer = !self.stopping || self.tasks_mut().any(|task| task.is_dirty());
        self.phase = if needs_writer { Phase::Starting } else { Phase::Running };
        Ok(Turn::Idle)
    }

    /// Throws the writer away; the next has to be initialized before it is used.
    fn replace_writer(&mut self) -> Result<(), JobError> {
        self.counts.writers_replaced += 1;
        self.writer_ready = false;
        self.writer = new_writer(&self.cx)?;
        Ok(())
    }

    /// Notes that a request has to be asked again, and when: the more often it was in vain, the later.
    fn note_retry(&mut self, what: &'static str, reason: &str) {
        let tries = self.trouble.as_ref().map_or(0, |trouble| trouble.tries) + 1;
        let pause_ms = match tries {
            ..=TRIES_AT_ONCE => 0,
            _ => (1 << (tries - TRIES_AT_ONCE).min(10)).min(PAUSE_MS_MAX),
        };
        if tries.is_power_of_two() && tries > 8 {
            tracing::info!(what, reason, tries, "still trying");
        }
        let not_before_ms = self.cx.clock.monotonic_ms() + pause_ms;
        self.trouble = Some(Trouble { what, reason: reason.to_owned(), tries, not_before_ms });
    }

    /// Why a worker that is to end does so without its last commit: the log has not taken it for long enough. What it has
    /// read since the commit before is read again by the next start.
    fn out_of_patience(&mut self) -> Option<JobError> {
        let since = self.cx.clock.monotonic_ms().saturating_sub(self.stopping_since_ms?);
        if since < STOP_PATIENCE_MS {
            return None;
        }
        let of_log = |trouble: &Trouble| {
            let text = "ended without its last commit, which the next start makes up for";
            JobError::Log(LogError::NotReady(format!("{text}; {}: {}", trouble.what, trouble.reason)))
        };
        self.failed.take().or_else(|| self.trouble.as_ref().map(of_log))
    }

    /// How often the last request was in vain.
    fn tries(&self) -> u32 {
        self.trouble.as_ref().map_or(0, |trouble| trouble.tries)
    }

    /// How long nothing is to be asked of the log, because the last request was in vain.
    pub fn rest(&self) -> Duration {
        let is_asking = !matches!(self.phase, Phase::Running | Phase::Stopped);
        let trouble = self.trouble.as_ref().filter(|_| is_asking);
        let now = self.cx.clock.monotonic_ms();
        trouble.map_or(Duration::ZERO, |trouble| {
            Duration::from_millis(trouble.not_before_ms.saturating_sub(now))
        })
    }

    /// Lines that `print` sinks have committed since the last call.
    pub fn take_printed(&mut self) -> Vec<PrintedLine> {
        std::mem::take(&mut self.printed)
    }

    /// Whether every task of this worker has read all its bounded input and committed the results, and there is at
    /// least one.
    pub fn is_finished(&self) -> bool {
        let finished =
            |held: &Held| matches!(held, Held::Running(task) if task.is_finished() && !task.is_dirty());
        matches!(self.phase, Phase::Running) && !self.held.is_empty() && self.held.values().all(finished)
    }

    /// The running tasks, for tests.
    pub fn tasks_mut(&mut self) -> impl Iterator<Item = &mut Task> {
        self.held.values_mut().filter_map(|held| match held {
            Held::Running(task) => Some(&mut **task),
            _ => None,
        })
    }
}

/// Snapshots are stored as tasks are taken over: on a thread, or a turn at a time.
fn snapshot_runner(cx: &WorkerContext, restores: &RestoreRunner) -> Result<SnapshotRunner, JobError> {
    let threaded = !restores.is_interleaved() && cx.snapshots.is_some();
    if !threaded {
        return Ok(SnapshotRunner::interleaved());
    }
    SnapshotRunner::threaded(&cx.name).map_err(|error| {
        JobError::Log(crate::log::LogError::Client(format!("thread for snapshots: {error}")))
    })
}

fn new_writer(cx: &WorkerContext) -> Result<Box<dyn TransactionalWriter>, JobError> {
    let options = TransactionOptions { id: cx.name.clone(), timeout_ms: cx.transaction_timeout_ms };
    Ok(cx.log.transactional_writer(&options)?)
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.cx.name)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
