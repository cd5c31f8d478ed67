//! Which tasks a worker owns, and how it comes to own them.

use super::beside::{Beside, Inbox, Lane};
use super::commit::After;
use super::intake::Readers;
use super::{Phase, Worker};
use crate::control::ControlRecord;
use crate::error::JobError;
use crate::log::{LogError, MemberEvent, Offset, TopicPartition};
use crate::plan::TaskId;
use crate::restore::{Restore, RestoreContext, RestoreProgress, RestoreTurn, Restored, read_control};
use crate::task::Task;
use millstream_operators::brief;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// How soon a worker asks again for a control record that is not there, milliseconds: at first, when the task that
/// writes it may do so any moment, and at most.
const CONTROL_INTERVAL_MS: RangeInclusive<u64> = 10..=200;

/// What a worker holds of a task that it was given. It is the token of ownership: dropping it drops the task's memory and
/// outbox, and what a restore of it brings back later finds none of its number.
#[derive(Debug)]
pub(super) enum Held {
    /// Waits for the job's control record.
    Waiting,
    /// Is being taken over, by the restore of this number.
    Restoring(RestoreHandle),
    /// Runs.
    Running(Box<Task>),
}

/// A restore under way.
#[derive(Debug)]
pub(super) struct RestoreHandle {
    number: u64,
    pub(super) progress: Arc<RestoreProgress>,
    pub(super) waits_for: Arc<Mutex<Option<String>>>,
    cancelled: Arc<AtomicBool>,
}

impl Drop for RestoreHandle {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Runs restores beside processing.
#[derive(Debug)]
pub struct RestoreRunner {
    lane: Lane<RestoreJob, RestoreResult>,
    /// Number of the last restore.
    count: u64,
}

/// A restore and its number.
#[derive(Debug)]
struct RestoreJob {
    number: u64,
    restore: Restore,
    waits_for: Arc<Mutex<Option<String>>>,
    cancelled: Arc<AtomicBool>,
}

/// What became of a restore.
type RestoreResult = (u64, Result<Box<Restored>, JobError>);

impl RestoreJob {
    /// One turn; the result when it is the last.
    fn turn(&mut self) -> Option<Result<Box<Restored>, JobError>> {
        let mut waits_for = self.waits_for.lock().unwrap_or_else(PoisonError::into_inner);
        match self.restore.turn() {
            Ok(RestoreTurn::Done(restored)) => Some(Ok(restored)),
            Ok(RestoreTurn::Working) => {
                *waits_for = None;
                None
            }
            Ok(RestoreTurn::Waiting(why)) => {
                if waits_for.as_deref() != Some(&why) {
                    info!(task = %self.restore.task(), why, "taking over: waiting");
                }
                *waits_for = Some(why);
                None
            }
            Err(JobError::Log(error)) if error.is_retriable() => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl RestoreRunner {
    /// Restores that only move when the worker does.
    pub fn interleaved() -> Self {
        RestoreRunner { lane: Lane::Interleaved(VecDeque::new()), count: 0 }
    }

    /// Restores on a thread. It ends when the worker is dropped.
    ///
    /// # Errors
    /// That of the system, when there can be no more threads.
    pub fn threaded(name: &str) -> std::io::Result<Self> {
        let beside = Beside::spawn(format!("{name}-restore"), run_restores)?;
        Ok(RestoreRunner { lane: Lane::Threaded(beside), count: 0 })
    }

    /// Whether restores wait for the worker's turns.
    pub(super) fn is_interleaved(&self) -> bool {
        matches!(self.lane, Lane::Interleaved(_))
    }

    fn submit(&mut self, restore: Restore) -> RestoreHandle {
        self.count += 1;
        let (number, progress) = (self.count, Arc::clone(restore.progress()));
        let (waits_for, cancelled) = (Arc::default(), Arc::default());
        let handle = RestoreHandle {
            number,
            progress,
            waits_for: Arc::clone(&waits_for),
            cancelled: Arc::clone(&cancelled),
        };
        self.lane.submit(RestoreJob { number, restore, waits_for, cancelled });
        handle
    }

    /// The next result. Interleaved restores get a turn.
    fn next(&mut self) -> (Option<RestoreResult>, bool) {
        match &mut self.lane {
            Lane::Threaded(beside) => beside.next(),
            Lane::Interleaved(jobs) => {
                let Some(mut job) = jobs.pop_front() else { return (None, false) };
                if job.cancelled.load(Ordering::Relaxed) {
                    return (None, true);
                }
                match job.turn() {
                    Some(result) => (Some((job.number, result)), true),
                    None => {
                        let waits = job.waits_for.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                        jobs.push_back(job);
                        (None, !waits)
                    }
                }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        if let Lane::Interleaved(jobs) = &mut self.lane {
            jobs.clear();
        }
    }
}

/// Restores on a thread, by turns.
fn run_restores(inbox: &Inbox<RestoreJob, RestoreResult>) {
    let mut open: VecDeque<RestoreJob> = VecDeque::new();
    while !inbox.is_over() {
        // Blocks only while there is nothing to restore.
        if open.is_empty() {
            open.extend(inbox.jobs.recv());
        }
        open.extend(inbox.jobs.try_iter());
        let Some(mut job) = open.pop_front() else { continue };
        if job.cancelled.load(Ordering::Relaxed) {
            continue;
        }
        match job.turn() {
            Some(result) => drop(inbox.results.send((job.number, result))),
            None => {
                if job.waits_for.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                open.push_back(job);
            }
        }
    }
}

impl Worker {
    /// Answers what happened to the worker's partitions.
    pub(super) fn on_event(&mut self, event: MemberEvent) -> Result<(), JobError> {
        match event {
            MemberEvent::Assigned(places) => {
                self.member.accept(&places)?;
                for task in self.tasks_of(&places) {
                    info!(%task, worker = self.cx.name, "assigned");
                    let held = match self.parked.remove(&task) {
                        Some(kept) => Held::Running(Box::new(kept)),
                        None => Held::Waiting,
                    };
                    self.held.insert(task, held);
                }
                self.reassign()
            }
            MemberEvent::Revoking(places) if self.cx.settings.rules.end_before_release => {
                // What was done so far is committed first, so that the next owner need not do it again.
                if !self.begin_commit(After::Release(places.clone()))? {
                    self.give_up(&places)?;
                }
                Ok(())
            }
            MemberEvent::Revoking(places) => {
                if !self.begin_commit(After::Forget(places.clone()))? {
                    self.forget(&places)?;
                }
                Ok(self.member.release(&places)?)
            }
            MemberEvent::Lost(places) => {
                warn!(worker = self.cx.name, ?places, "lost");
                self.give_up(&places)
            }
        }
    }

    /// Lets the group look for tasks that nobody has.
    pub(super) fn heal_if_due(&mut self) {
        let now = self.cx.clock.monotonic_ms();
        if self.stopping || now < self.last_heal_ms + self.cx.settings.heal_interval_ms {
            return;
        }
        self.last_heal_ms = now;
        match self.member.heal(Duration::from_secs(1)) {
            Ok(false) => {}
            Ok(true) => {
                warn!(worker = self.cx.name, "the group had left tasks to nobody: sharing them out again")
            }
            Err(error) => tracing::debug!(%error, "could not look at the group"),
        }
    }

    fn tasks_of(&self, places: &[TopicPartition]) -> Vec<TaskId> {
        places
            .iter()
            .filter_map(|place| self.cx.plan.task_of_journal(&place.topic, place.partition))
            .collect()
    }

    /// Destroys the tokens of partitions and lets others have them.
    pub(super) fn give_up(&mut self, places: &[TopicPartition]) -> Result<(), JobError> {
        self.forget(places)?;
        Ok(self.member.release(places)?)
    }

    /// Destroys the tokens of partitions.
    pub(super) fn forget(&mut self, places: &[TopicPartition]) -> Result<(), JobError> {
        for task in self.tasks_of(places) {
            let held = self.held.remove(&task);
            if let Some(Held::Running(kept)) = held
                && !self.cx.settings.rules.drop_on_revoke
            {
                self.parked.insert(task, *kept);
            }
        }
        self.reassign()
    }

    /// Destroys every token: whatever this worker holds may be somebody else's. What it still has been given is taken
    /// over again from the journal.
    pub(super) fn drop_all_tasks(&mut self, why: &str) -> Result<(), JobError> {
        warn!(worker = self.cx.name, why, "dropping all tasks");
        self.counts.fences += 1;
        for held in self.held.values_mut() {
            *held = Held::Waiting;
        }
        self.new_control = None;
        self.reassign()
    }

    /// Goes on with a plan that reads more, if there is one: what was done so far is committed, then every task is taken over
    /// anew, from its own state. Says whether it did something.
    pub(super) fn change_plan(&mut self) -> Result<bool, JobError> {
        if self.stopping || self.looks_at_topics.next_plan.is_none() {
            return Ok(false);
        }
        if self.begin_commit(After::Nothing)? {
            return Ok(true);
        }
        for held in self.held.values_mut() {
            if let Held::Running(task) = held {
                task.checkpoint()?;
            }
            *held = Held::Waiting;
        }
        (self.new_control, self.looks_at_topics.missing) = (None, None);
        if let Some(plan) = self.looks_at_topics.next_plan.take() {
            self.cx.plan = plan;
        }
        self.reassign()?;
        Ok(true)
    }

    /// Moves restores on and takes over what they bring. Says whether it did something.
    pub(super) fn drive_restores(&mut self) -> Result<bool, JobError> {
        let mut busy = self.begin_restores()?;
        let mut any = false;
        loop {
            let (result, moved) = self.restores.next();
            busy |= moved;
            let Some((number, result)) = result else { break };
            let of_number = |held: &Held| matches!(held, Held::Restoring(handle) if handle.number == number);
            let Some(id) = self.held.iter().find(|(_, held)| of_number(held)).map(|(id, _)| *id) else {
                continue;
            };
            match result {
                Ok(restored) => {
                    self.take_over(id, *restored);
                    any = true;
                }
                Err(JobError::MorePartitions { .. }) if self.waits_for_partitions() => {
                    self.held.insert(id, Held::Waiting);
                }
                Err(error) => self.fail(id, error),
            }
        }
        // Once for all of them: each looks at every input of the worker.
        if any {
            self.reassign()?;
        }
        Ok(busy)
    }

    /// Begins to take over what waits, as far as the control record allows.
    fn begin_restores(&mut self) -> Result<bool, JobError> {
        let waiting = |(_, held): &(&TaskId, &Held)| matches!(held, Held::Waiting);
        let mut waiting: Vec<TaskId> = self.held.iter().filter(waiting).map(|(id, _)| *id).collect();
        if waiting.is_empty() || self.stopping || self.is_about_to_change() {
            return Ok(false);
        }
        if self.control.is_none() {
            self.ask_for_control()?;
        }
        if self.control.is_none() {
            waiting.retain(|task| *task == TaskId::FIRST);
        }
        let busy = !waiting.is_empty();
        for task in waiting {
            let cx = RestoreContext {
                plan: Arc::clone(&self.cx.plan),
                log: Arc::clone(&self.cx.log),
                states: Arc::clone(&self.cx.states),
                snapshots: self.cx.snapshots.clone(),
                hold_tables: self.cx.settings.hold_tables,
                rules: self.cx.settings.rules,
                build: self.cx.settings.build,
                nonce: self.cx.nonce,
                from: self.cx.from.clone(),
            };
            let restore = Restore::begin(cx, task, self.control.clone())?;
            let handle = self.restores.submit(restore);
            self.held.insert(task, Held::Restoring(handle));
        }
        Ok(busy)
    }

    fn ask_for_control(&mut self) -> Result<(), JobError> {
        let now = self.cx.clock.monotonic_ms();
        let (asked, interval) = self.control_asked;
        if now < asked + interval {
            return Ok(());
        }
        let (least, most) = CONTROL_INTERVAL_MS.into_inner();
        self.control_asked = (now, (2 * interval).clamp(least, most));
        match read_control(&*self.cx.log, &mut *self.admin, &self.cx.plan) {
            Ok(control) => {
                self.control = control;
                Ok(())
            }
            Err(JobError::Log(LogError::NotReady(_) | LogError::Timeout(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn take_over(&mut self, id: TaskId, restored: Restored) {
        let Restored { task, control, control_is_new, from_snapshot } = restored;
        self.counts.snapshots_fetched += u64::from(from_snapshot);
        self.looks_at_topics.missing = None;
        info!(task = %id, commit = task.chain().number, worker = self.cx.name, "running");
        if control_is_new {
            self.new_control = Some(control);
        } else {
            self.set_control(control);
        }
        self.held.insert(id, Held::Running(Box::new(task)));
    }

    pub(super) fn set_control(&mut self, control: ControlRecord) {
        self.control = Some(control);
    }

    /// A task can't go on: the worker commits the others and stops.
    pub(super) fn fail(&mut self, id: TaskId, error: JobError) {
        self.held.remove(&id);
        // The first is what the worker ends with, and is reported by whoever waits for it.
        match &self.failed {
            None => {
                tracing::debug!(task = %id, error = %brief(&error.to_string()), "failed");
                self.failed = Some(error);
            }
            Some(_) => tracing::error!(task = %id, error = %brief(&error.to_string()), "failed, too"),
        }
        self.stop();
    }

    /// Tells the reader what to read: the inputs of the running tasks, from where they stand.
    pub(super) fn reassign(&mut self) -> Result<(), JobError> {
        // By partition: where to begin, and who reads it.
        let mut read: BTreeMap<TopicPartition, (Offset, Readers)> = BTreeMap::new();
        for (id, held) in &self.held {
            let Held::Running(task) = held else { continue };
            for (index, (input, (place, position))) in task.inputs().iter().zip(task.positions()).enumerate()
            {
                if self.is_held(input) || position.ended {
                    continue;
                }
                // Of two inputs over one partition that stand apart the one behind decides.
                let (from, readers) = read.entry(place.clone()).or_insert((position.next, Vec::new()));
                *from = position.next.min(*from);
                readers.push((*id, index));
            }
        }
        let places: Vec<(TopicPartition, Offset)> =
            read.iter().map(|(place, (from, _))| (place.clone(), *from)).collect();
        self.intake.keep_only(read.into_iter().map(|(place, (_, readers))| (place, readers)).collect());
        self.reader.assign(&places)?;
        Ok(())
    }

    /// Whether the worker is between two transactions.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }
}
