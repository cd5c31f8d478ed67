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
mod journal_reader;
mod progress;
mod savepoint;
mod snapshots;

use crate::control::ControlRecord;
use crate::error::JobError;
use crate::journal::{ChainEnd, InputMark};
use crate::log::{Admin, CommittedOffset, Isolation, Log, LogError, OffsetQuery, ReaderOptions};
use crate::plan::{JobPlan, TaskId};
use crate::rules::Rules;
use crate::savepoint::OpenSavepoint;
use crate::snapshot::download::Download;
use crate::snapshot::{CheckpointNote, SnapshotStore, Track};
use crate::states::StateStore;
use crate::task::{ResumePoint, Task};
pub(crate) use committed::{
    are_finished, commit_metadata, parse_commit_metadata, read_control, read_control_topic,
};
pub(crate) use journal_reader::{JournalReader, ReadTurn};
use millstream_operators::{BuildCx, Offset, TopicPartition};
use millstream_state::{CheckpointMark, StateError, StateIdentity, TaskState};
pub use progress::{Progress, RestoreProgress};
use snapshots::{Choice, Scan};
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// Pending state that a restore checkpoints away before it folds on.
const PENDING_BYTES_MAX: usize = 64 << 20;
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

struct Reading {
    found: Found,
    reader: JournalReader,
    state: TaskState,
    /// The checkpoint that the first entry has to confirm.
    unconfirmed: Option<CheckpointMark>,
    resume: ResumePoint,
    track: Track,
    /// Size of the journal that was folded since the last official snapshot, roughly.
    folded_bytes: u64,
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
                let changed = control.check(plan)? && self.task == TaskId::FIRST;
                if changed {
                    info!(job = plan.job(), "the plan has changed, all state fits: going on with it");
                }
                (if changed { control.for_plan(plan) } else { control }, changed)
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

    /// Goes on with state that stands at `mark`, which the first entry read has to confirm.
    fn read_from_checkpoint(
        &mut self,
        found: Found,
        state: TaskState,
        mark: CheckpointMark,
        end: Offset,
    ) -> Result<Stage, JobError> {
        let reader = self.cx.log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        let reader = JournalReader::from_checkpoint(reader, self.journal(), mark, end)?;
        let resume = ResumePoint::beginning(found.control.incarnation(), found.bounds.start);
        let note = CheckpointNote::decode(state.note());
        let track = Track::new(note.map(|note| note.officials).unwrap_or_default(), 0);
        let unconfirmed = Some(mark);
        Ok(Stage::Read(Box::new(Reading {
            found,
            reader,
            state,
            unconfirmed,
            resume,
            track,
            folded_bytes: 0,
        })))
    }

    fn read(&mut self, mut reading: Box<Reading>) -> Result<Next, JobError> {
        let before = reading.reader.position();
        let mut entries = Vec::new();
        let turn = match reading.reader.turn(TURN_TIMEOUT, &mut entries) {
            // What the checkpoint names is not there, or something else is in its place.
            Err(JobError::Journal(error)) if reading.unconfirmed.is_some() => {
                warn!(task = %self.task, %error, "the checkpoint's commit can't be read");
                return self.without_checkpoint(*reading);
            }
            Err(error @ JobError::Log(LogError::OffsetOutOfRange { .. })) => {
                return self.begin_again_if_moved(&reading.found, error);
            }
            turn => turn?,
        };
        self.progress.read(reading.reader.position() - before);
        for assembled in entries {
            let entry = assembled.entry;
            let resume = &mut reading.resume;
            resume.chain = ChainEnd { number: entry.number, hash: assembled.hash };
            (resume.journal_before, resume.journal_next) = (assembled.first_offset, assembled.next_offset);
            (resume.inputs, resume.watermark, resume.now_ms) = (entry.inputs, entry.watermark, entry.now_ms);
            resume.is_new = false;
            if let Some(official) = entry.official {
                reading.track.learn(official);
                reading.folded_bytes = 0;
            }
            if let Some(mark) = reading.unconfirmed.take() {
                let same = (mark.number, mark.hash) == (entry.number, assembled.hash);
                if same || !self.cx.rules.check_checkpoint {
                    continue;
                }
                return self.without_checkpoint(*reading);
            }
            reading.folded_bytes += assembled.bytes as u64;
            reading.state.absorb(entry.delta);
            if reading.state.pending_bytes() > PENDING_BYTES_MAX {
                self.checkpoint(&mut reading)?;
            }
        }
        match turn {
            ReadTurn::More => Ok(Next::To(Stage::Read(reading))),
            ReadTurn::Waiting => {
                let why = self.who_blocks(&reading.found, &reading.reader);
                Ok(Next::Wait(Stage::Read(reading), why))
            }
            ReadTurn::AtEnd if reading.unconfirmed.is_some() && self.cx.rules.check_checkpoint => {
                self.without_checkpoint(*reading)
            }
            ReadTurn::AtEnd => Ok(Next::To(Stage::Finish(reading))),
        }
    }

    /// Writes what was folded so far to disk.
    fn checkpoint(&self, reading: &mut Reading) -> Result<(), JobError> {
        let ResumePoint { chain: ChainEnd { number, hash }, journal_before, .. } = reading.resume;
        let note = CheckpointNote {
            officials: reading.track.officials().to_vec(),
            inputs: reading.resume.inputs.clone(),
            watermark: reading.resume.watermark,
            now_ms: reading.resume.now_ms,
            fingerprint: self.cx.plan.fingerprint(),
        };
        let mark = CheckpointMark { number, hash, journal_offset: journal_before };
        Ok(reading.state.checkpoint_with_note(mark, note.encode())?)
    }

    /// Begins again without the checkpoint on disk.
    fn without_checkpoint(&mut self, reading: Reading) -> Result<Next, JobError> {
        warn!(task = %self.task, "the checkpoint is of another history than the journal: dropping it");
        let Reading { found, reader, mut state, .. } = reading;
        self.progress.spare_read(found.bounds.end.saturating_sub(reader.position()));
        state.reset()?;
        self.scan(found, state).map(Next::To)
    }

    /// Says whose open transaction keeps the journal's end out of sight.
    fn who_blocks(&self, found: &Found, reader: &JournalReader) -> String {
        let journal = self.journal();
        let writer = JournalReader::writer_at(&*self.cx.log, &journal, reader.position());
        let writer = writer.map_or_else(String::new, |writer| {
            format!(
                " (written by member \"{}\", transactional id \"{}\")",
                writer.member, writer.transactional_id
            )
        });
        let (position, end) = (reader.position(), found.bounds.end);
        format!("an open transaction holds {journal} between {position} and {end}{writer}")
    }

    fn finish(&mut self, reading: Reading) -> Result<Box<Restored>, JobError> {
        let Reading { found, mut resume, state, track, folded_bytes, .. } = reading;
        let Found { committed, control, control_is_new, .. } = found;
        if self.cx.rules.compare_with_group {
            self.compare(&resume, committed.as_ref())?;
        }
        if self.task == TaskId::FIRST && control_is_new && !resume.is_new && self.is_new(&control) {
            let (job, topic) = (self.cx.plan.job().to_owned(), self.cx.plan.control_topic());
            return Err(JobError::ControlMissing { job, topic });
        }
        if !self.cx.rules.positions_from_journal {
            self.take_group_positions(&mut resume.inputs)?;
        }
        let (begin, ends) = (|place: &TopicPartition| control.begin(place), control.ends());
        let mut task = Task::open(&self.cx.plan, self.task, state, resume, &begin, &ends, &self.cx.build)?;
        *task.track_mut() = match control.base(self.task).number {
            1.. if track.officials().is_empty() => Track::on_savepoint(),
            _ => Track::new(track.officials().to_vec(), folded_bytes),
        };
        self.check_inputs(&task)?;
        let from_snapshot = self.progress.now().fetched.1 > 0;
        Ok(Box::new(Restored { task, control, control_is_new, from_snapshot }))
    }

    fn is_new(&self, control: &ControlRecord) -> bool {
        control.incarnation() == self.cx.nonce
    }

    /// Holds the end of the chain against what the group committed.
    fn compare(&self, resume: &ResumePoint, committed: Option<&CommittedOffset>) -> Result<(), JobError> {
        let chain = resume.chain;
        let contradiction = |committed: String| {
            let (journal, group) = (self.journal(), self.cx.plan.group().to_owned());
            let chain = format!("entry {}, offset {}", chain.number, resume.journal_next);
            Err(JobError::Contradiction { journal, group, chain, committed })
        };
        let Some(committed) = committed else {
            if !resume.is_new {
                warn!(task = %self.task, "the group has forgotten its committed offset: the journal decides");
            }
            return Ok(());
        };
        let Some((of, _)) = parse_commit_metadata(&committed.metadata) else {
            return contradiction(format!("offset {} without a mark of this job", committed.offset));
        };
        if of.number == chain.number && of.hash == chain.hash {
            return Ok(());
        }
        if of.number < chain.number && committed.offset < resume.journal_next {
            // A late copy of an older commit's offsets came after the newer ones.
            warn!(task = %self.task, of.number, "the group's committed offset is behind: the journal decides");
            return Ok(());
        }
        contradiction(format!("entry {}, offset {}", of.number, committed.offset))
    }

    fn take_group_positions(&mut self, inputs: &mut [InputMark]) -> Result<(), JobError> {
        for mark in inputs {
            if let Some(offset) = self.group_offset(&mark.place())? {
                mark.position = offset;
            }
        }
        Ok(())
    }

    /// Checks that the inputs still reach back to where the task goes on.
    fn check_inputs(&mut self, task: &Task) -> Result<(), JobError> {
        for (place, position) in task.positions() {
            let places = std::slice::from_ref(place);
            let start = self.admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadCommitted)?[0];
            if start > position.next && !position.ended {
                let (task, place, from) = (self.task.to_string(), place.clone(), position.next);
                return Err(JobError::DataLoss { task, place, from, start });
            }
        }
        Ok(())
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
