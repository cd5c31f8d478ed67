//! Taking a task over: from "assigned" to a task that stands at the end of its journal.
//!
//! A [`Restore`] is a state machine that is driven by [`Restore::turn`], a bounded piece of work each, so that it runs
//! beside processing: on a thread of its own in production, interleaved by a seed in the simulation. It keeps the order
//! in which ownership has to be established:
//!
//! 1. the group's committed offset of the journal, once no transaction holds it
//! 2. the true end of the journal, behind open transactions
//! 3. the journal up to there, committed entries only
//! 4. the end of the chain against what the group committed
//! 5. the checkpoint on disk, or the newest official snapshot, or the savepoint that the job was started from, and the
//!    deltas after it
//! 6. the positions, and whether the inputs still reach back to them
//!
//! A step that has to wait is asked again for ever, with a word about who is in the way; none is ever skipped.

mod beginning;
mod committed;
mod finish;
mod journal_reader;
mod progress;
mod reading;
mod savepoint;
mod snapshots;

use crate::control::ControlRecord;
use crate::error::JobError;
use crate::journal::ChainEnd;
use crate::log::{Admin, CommittedOffset, Isolation, Log, OffsetQuery};
use crate::plan::{JobPlan, TaskId};
use crate::rules::Rules;
use crate::savepoint::OpenSavepoint;
use crate::snapshot::SnapshotStore;
use crate::snapshot::download::Download;
use crate::states::StateStore;
use crate::task::Task;
pub(crate) use committed::{
    are_finished, commit_metadata, parse_commit_metadata, read_control, read_control_topic,
};
pub(crate) use finish::read_by_task;
pub(crate) use journal_reader::{JournalReader, ReadTurn};
use millstream_operators::{BuildCx, Offset, TopicPartition};
use millstream_state::{CheckpointMark, StateError, StateIdentity, TaskState};
pub use progress::{Progress, RestoreProgress};
use reading::Reading;
use snapshots::{Choice, Scan};
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// How long one turn may wait for the log.
const TURN_TIMEOUT: Duration = Duration::from_millis(50);

/// What a restore is made from.
#[derive(Clone)]
pub struct RestoreContext {
    /// The job's plan.
    pub plan: Arc<JobPlan>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The process's state.
    pub states: Arc<dyn StateStore>,
    /// Where snapshots are kept.
    pub snapshots: Option<Arc<dyn SnapshotStore>>,
    /// The savepoint that the job is started from, should it turn out to be new.
    pub from: Option<Arc<OpenSavepoint>>,
    /// Whether the topics of tables are not to be read, and may be others than the task stands in.
    pub hold_tables: bool,
    /// The rules of the protocol.
    pub rules: Rules,
    /// What operators are built with.
    pub build: BuildCx,
    /// The number an incarnation gets, should this job turn out to be new.
    pub nonce: u128,
}

impl std::fmt::Debug for RestoreContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestoreContext").field("job", &self.plan.job()).finish_non_exhaustive()
    }
}

/// A task that has been taken over.
#[derive(Debug)]
pub struct Restored {
    /// The task.
    pub task: Task,
    /// The job's control record.
    pub control: ControlRecord,
    /// Whether the record is new and has to be sent with the task's next commit.
    pub control_is_new: bool,
    /// Whether a snapshot was fetched for it.
    pub from_snapshot: bool,
}

/// What a turn did.
#[derive(Debug)]
pub enum RestoreTurn {
    /// There is more to do.
    Working,
    /// It has to wait, for this.
    Waiting(String),
    /// The task stands at the end of its journal.
    Done(Box<Restored>),
}

/// A take-over in progress. See the module's head.
pub struct Restore {
    cx: RestoreContext,
    task: TaskId,
    control: Option<ControlRecord>,
    admin: Box<dyn Admin>,
    stage: Stage,
    progress: Arc<RestoreProgress>,
}

enum Stage {
    Committed,
    Bounds(Option<CommittedOffset>),
    Control(Option<CommittedOffset>, Bounds),
    Open(Option<CommittedOffset>, Bounds),
    Scan(Box<Scan>),
    Choose(Box<Choice>),
    Fetch(Box<Choice>, Box<Download>),
    OpenSavepoint(Box<Found>),
    FetchSavepoint(Box<Found>, Box<Download>),
    Read(Box<Reading>),
    Finish(Box<Reading>),
    Over,
}

/// First offset and true end of the journal partition.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    start: Offset,
    end: Offset,
}

/// What was found out before a state is chosen.
struct Found {
    committed: Option<CommittedOffset>,
    bounds: Bounds,
    control: ControlRecord,
    control_is_new: bool,
}

impl Restore {
    /// Begins to take `task` over. `control` is the job's control record; only the job's first task may begin without.
    ///
    /// # Errors
    /// [`JobError::Log`] when no client can be made.
    pub fn begin(cx: RestoreContext, task: TaskId, control: Option<ControlRecord>) -> Result<Self, JobError> {
        let admin = cx.log.admin()?;
        Ok(Restore { cx, task, control, admin, stage: Stage::Committed, progress: Arc::default() })
    }

    /// The task.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// How far it is.
    pub fn progress(&self) -> &Arc<RestoreProgress> {
        &self.progress
    }

    fn journal(&self) -> TopicPartition {
        TopicPartition::new(self.cx.plan.journal_topic(self.task.sub_topology), self.task.partition)
    }

    /// Does a bounded piece of work.
    ///
    /// # Errors
    /// [`JobError`]: the task can't be taken over, and nothing was changed.
    pub fn turn(&mut self) -> Result<RestoreTurn, JobError> {
        match self.take_turn() {
            // Whatever was found out by then is asked again.
            Err(JobError::Log(error)) if error.is_retriable() => {
                self.stage = Stage::Committed;
                Ok(RestoreTurn::Waiting(error.to_string()))
            }
            turned => turned,
        }
    }

    fn take_turn(&mut self) -> Result<RestoreTurn, JobError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let stepped = match stage {
            Stage::Committed => self.committed(),
            Stage::Bounds(committed) => self.bounds(committed),
            Stage::Control(committed, bounds) => self.read_control(committed, bounds),
            Stage::Open(committed, bounds) => self.open(committed, bounds),
            Stage::Scan(scan) => self.scan_on(scan),
            Stage::Choose(choice) => self.choose(choice),
            Stage::Fetch(choice, download) => self.fetch(choice, download),
            Stage::OpenSavepoint(found) => self.open_savepoint(found),
            Stage::FetchSavepoint(found, download) => self.fetch_savepoint(found, download),
            Stage::Read(reading) => self.read(reading),
            Stage::Finish(reading) => return self.finish(*reading).map(RestoreTurn::Done),
            Stage::Over => unreachable!("a restore that is done is not turned again"),
        };
        match stepped? {
            Next::To(stage) => {
                self.stage = stage;
                Ok(RestoreTurn::Working)
            }
            Next::Wait(stage, why) => {
                self.stage = stage;
                Ok(RestoreTurn::Waiting(why))
            }
        }
    }

    fn committed(&mut self) -> Result<Next, JobError> {
        let journal = self.journal();
        let isolation = if self.cx.rules.wait_for_pending {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        };
        match self.admin.committed(self.cx.plan.group(), &[journal], isolation) {
            Ok(mut committed) => Ok(Next::To(Stage::Bounds(committed.pop().flatten()))),
            Err(error) if error.is_retriable() => Ok(Next::Wait(Stage::Committed, error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn bounds(&mut self, committed: Option<CommittedOffset>) -> Result<Next, JobError> {
        let journal = [self.journal()];
        let isolation = if self.cx.rules.read_to_true_end {
            Isolation::ReadUncommitted
        } else {
            Isolation::ReadCommitted
        };
        let mut ask = |query| self.admin.offsets(&journal, query, isolation).map(|offsets| offsets[0]);
        let bounds = ask(OffsetQuery::Earliest).and_then(|start| Ok((start, ask(OffsetQuery::Latest)?)));
        match bounds {
            Ok((start, end)) => {
                let bounds = Bounds { start, end };
                let next = if self.control.is_some() { Stage::Open } else { Stage::Control };
                Ok(Next::To(next(committed, bounds)))
            }
            Err(error) if error.is_retriable() => Ok(Next::Wait(Stage::Bounds(committed), error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// Only for the first task: its own commits write the record, so what it has to find is known once its journal
    /// holds still.
    fn read_control(&mut self, committed: Option<CommittedOffset>, bounds: Bounds) -> Result<Next, JobError> {
        match read_control(&*self.cx.log, &mut *self.admin, &self.cx.plan) {
            Ok(control) => {
                self.control = control;
                Ok(Next::To(Stage::Open(committed, bounds)))
            }
            Err(JobError::Log(error)) if error.is_retriable() => {
                Ok(Next::Wait(Stage::Control(committed, bounds), error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    fn open(&mut self, committed: Option<CommittedOffset>, bounds: Bounds) -> Result<Next, JobError> {
        let plan = Arc::clone(&self.cx.plan);
        let plan = &plan;
        let (control, control_is_new) = match self.control.clone() {
            Some(control) => {
                if let Some(from) = &self.cx.from {
                    control.check_start(plan.job(), from)?;
                }
                let changed = control.check(plan)?;
                self.check_own_topics(&control)?;
                if self.task != TaskId::FIRST && !self.knows_all_begins(&control) {
                    self.control = read_control(&*self.cx.log, &mut *self.admin, plan)?.or(Some(control));
                    let why = "the job's first task, which says where new inputs begin".to_owned();
                    return Ok(Next::Wait(Stage::Open(committed, bounds), why));
                }
                let changed = self.task == TaskId::FIRST && (changed || self.has_new_topics(&control)?);
                if !changed {
                    (control, false)
                } else {
                    info!(job = plan.job(), "the plan or its topics have changed, all state fits: going on");
                    match self.renewed_control(control) {
                        Ok(control) => (control, true),
                        Err(error) if error.is_retriable() => {
                            return Ok(Next::Wait(Stage::Open(committed, bounds), error.to_string()));
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            None => match self.new_control() {
                Ok(control) => (control, true),
                Err(error) if error.is_retriable() => {
                    return Ok(Next::Wait(Stage::Open(committed, bounds), error.to_string()));
                }
                Err(error) => return Err(error.into()),
            },
        };
        let found = Found { committed, bounds, control, control_is_new };
        if self.task == TaskId::FIRST && self.control.is_some() && bounds.end == 0 {
            // The record was written together with its first entry.
            return self.begin_again_if_moved(&found, self.own_journal_lost());
        }
        let state = match self.open_state(&found, None) {
            Err(error @ StateError::StillOpen { .. }) => {
                let Found { committed, bounds, .. } = found;
                return Ok(Next::Wait(Stage::Open(committed, bounds), error.to_string()));
            }
            opened => opened?,
        };
        let base = found.control.base(self.task);
        let usable = |mark: &CheckpointMark| (bounds.start..bounds.end).contains(&mark.journal_offset);
        match state.mark() {
            // It stands before the first entry, which is there: what begins at 0 was never purged.
            Some(mark) if stands_at(&mark, base) && bounds.start == 0 => {
                self.progress.expect_read(bounds.end);
                self.fold_from_start(found, state).map(Next::To)
            }
            Some(mark) if usable(&mark) && !stands_at(&mark, base) => {
                self.progress.expect_read(bounds.end - mark.journal_offset);
                self.read_from_checkpoint(found, state, mark, bounds.end).map(Next::To)
            }
            // Without a store there are no snapshots to look for.
            _ if self.cx.snapshots.is_none() && bounds.start == 0 => {
                self.progress.expect_read(bounds.end);
                self.without_history(found, state).map(Next::To)
            }
            _ => self.scan(found, state).map(Next::To),
        }
    }

    /// Goes on without state of this job's own: from the savepoint that it was started from, or with none.
    fn without_history(&mut self, found: Found, state: TaskState) -> Result<Stage, JobError> {
        // Tasks of a sub-topology that is new have nothing in the savepoint.
        match found.control.base(self.task).number {
            0 => self.fold_from_start(found, state),
            _ => Ok(Stage::OpenSavepoint(Box::new(found))),
        }
    }

    /// The task's state, unless it is open already.
    fn open_state(&self, found: &Found, open: Option<TaskState>) -> Result<TaskState, StateError> {
        let identity = StateIdentity {
            cluster: self.cx.log.info().cluster,
            job: self.cx.plan.job().to_owned(),
            incarnation: found.control.incarnation.clone(),
            task: self.task.to_string(),
        };
        open.map_or_else(|| self.cx.states.open(self.task, &identity), Ok)
    }
}

/// Whether state stands before the first entry of a journal, at a savepoint.
fn stands_at(mark: &CheckpointMark, base: ChainEnd) -> bool {
    base.number > 0 && (mark.number, mark.hash) == (base.number, base.hash)
}

enum Next {
    To(Stage),
    Wait(Stage, String),
}

impl std::fmt::Debug for Restore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restore")
            .field("task", &self.task)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
