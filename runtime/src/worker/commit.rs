//! The commit: one transaction of the log for all tasks of a worker that have something to commit.
//!
//! | stage | request | when it fails |
//! |---|---|---|
//! | ahead | at-least-once only: the output of one task, then all acknowledged | written again |
//! | begin | | |
//! | write | outbox and entry of one task | abort, same bytes again; a task that the log refuses three times fails |
//! | flush | all records acknowledged | abort, same bytes again |
//! | offsets | journal and input offsets, as member of the group's current generation | fenced: every task is dropped |
//! | end | end of the transaction | in doubt: settled by reading the journal |

use super::ownership::Held;
use super::settle::Settle;
use super::{Guarantee, Phase, Turn, Worker};
use crate::control::writes_control;
use crate::error::JobError;
use crate::journal::{ChainEnd, WriterId};
use crate::log::{CommittedOffset, GroupMetadata, Offset, TopicPartition, TransactionError};
use crate::plan::TaskId;
use crate::restore::commit_metadata;
use std::time::Duration;
use tracing::{debug, warn};

/// One in so many milliseconds is spent on commits at most, while they are not too far apart for it. Only who has caught
/// up commits early, so that the time is there.
const COMMIT_SHARE: u64 = 2;

/// What is asked for, for people.
const COMMIT: &str = "committing";

/// Aborts that one task may cause before it is left out.
const REFUSALS_MAX: u32 = 3;

/// A commit under way.
#[derive(Debug)]
pub(super) struct Commit {
    /// The tasks in the transaction, each with a sealed commit.
    pub(super) tasks: Vec<TaskId>,
    pub(super) stage: Stage,
    pub(super) after: After,
    /// How often the log refused a record of a task.
    refusals: Vec<(TaskId, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Only where output is written ahead of the transaction: see [`super::ahead`].
    Ahead(usize),
    Begin,
    Write(usize),
    Flush,
    Offsets(Vec<(TopicPartition, Offset)>),
    End(Vec<(TopicPartition, Offset)>),
    /// Abort, and what then.
    Abort(AfterAbort),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterAbort {
    /// Send the same bytes again.
    SendAgain,
    /// Everything may be somebody else's.
    DropAll,
}

/// What follows the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// Go on.
    Nothing,
    /// These partitions are given up.
    Release(Vec<TopicPartition>),
    /// These partitions have been given up too early: the control run of [`crate::Rules::end_before_release`].
    Forget(Vec<TopicPartition>),
}

impl Held {
    pub(super) fn outbox_bytes(&self) -> usize {
        if let Held::Running(task) = self { task.outbox_bytes() } else { 0 }
    }
}

impl Worker {
    /// Begins a commit when it is time for one. Says whether it did.
    pub(super) fn commit_if_due(&mut self) -> Result<bool, JobError> {
        let since = self.cx.clock.monotonic_ms().saturating_sub(self.last_commit_ms);
        let is_due = self.commit_interval().is_some_and(|interval| since >= interval)
            || self.outbox_is_full()
            || self.has_outgrown_memory();
        if is_due { self.begin_commit(After::Nothing) } else { Ok(false) }
    }

    /// How long it is until a commit is due; for ever when there is nothing to commit.
    pub(super) fn until_commit(&self) -> Duration {
        let Some(interval) = self.commit_interval() else { return Duration::MAX };
        let due = self.last_commit_ms.saturating_add(interval);
        Duration::from_millis(due.saturating_sub(self.cx.clock.monotonic_ms()))
    }

    /// How long after the last commit the next is due; `None` when there is nothing to commit.
    ///
    /// Input that has been drained is committed at once, unless the last commit was a moment ago: whoever waits for
    /// results waits for this. Under load commits are further apart, because each has a price.
    fn commit_interval(&self) -> Option<u64> {
        let settings = &self.cx.settings;
        let dirty = |held: &Held| matches!(held, Held::Running(task) if task.is_dirty());
        let news = |held: &Held| matches!(held, Held::Running(task) if task.has_news());
        if self.new_control.is_none() && !self.held.values().any(dirty) {
            return None;
        }
        if self.new_control.is_none() && !self.held.values().any(news) {
            return Some(settings.commit_interval_idle_ms);
        }
        let shortest = settings.commit_interval_min_ms.max(COMMIT_SHARE * self.commit_cost_ms);
        let is_caught_up = shortest < settings.commit_interval_ms && self.is_caught_up();
        Some(if is_caught_up { shortest } else { settings.commit_interval_ms })
    }

    /// Seals a commit of every task that has something to commit. `false` when none has.
    pub(super) fn begin_commit(&mut self, after: After) -> Result<bool, JobError> {
        self.last_commit_ms = self.cx.clock.monotonic_ms();
        self.records_at_commit = self.counts.records_in;
        let member = self.member.metadata()?;
        let now_ms = self.cx.clock.wall_ms();
        let mut tasks = Vec::new();
        let mut failed = Vec::new();
        for (id, held) in &mut self.held {
            let Held::Running(task) = held else { continue };
            let control = self.new_control.as_ref().filter(|_| writes_control(*id));
            if !task.is_dirty() && control.is_none() {
                continue;
            }
            let extra = control.map(|control| control.encode(&self.cx.plan, now_ms)).into_iter().collect();
            let writer = WriterId {
                generation: member.generation,
                member: member.member.clone(),
                transactional_id: self.cx.name.clone(),
            };
            match task.prepare_commit(writer, now_ms, extra) {
                Ok(_) => tasks.push(*id),
                Err(error) => failed.push((*id, error)),
            }
        }
        for (id, error) in failed {
            self.fail(id, error.into());
        }
        if tasks.is_empty() {
            return Ok(false);
        }
        if !self.cx.settings.rules.checkpoint_after_commit {
            let own_mark = !self.cx.settings.rules.check_checkpoint;
            for task in self.tasks_mut().filter(|task| task.prepared().is_some()) {
                task.checkpoint_too_early(own_mark)?;
            }
        }
        let commit = Commit { tasks, stage: self.first_stage(), after, refusals: Vec::new() };
        self.phase = Phase::Committing(Box::new(commit));
        Ok(true)
    }

    /// One request of a commit.
    pub(super) fn commit_turn(&mut self, mut commit: Box<Commit>) -> Result<Turn, JobError> {
        if !self.writer_ready {
            return self.renew_writer_for(commit);
        }
        let stage = commit.stage.clone();
        let done = match &stage {
            Stage::Ahead(index) => return self.ahead_turn(commit, *index),
            Stage::Begin => self.writer.begin().map(|()| Stage::Write(0)),
            Stage::Write(index) => self.write_task(&commit, *index),
            Stage::Flush => self.writer.flush().map(Stage::Offsets),
            Stage::Offsets(ends) => self.send_offsets(&commit, ends).map(|()| Stage::End(ends.clone())),
            Stage::End(ends) => match self.writer.commit() {
                Ok(outcome) => return self.on_committed(*commit, ends, outcome.sent_again),
                Err(error) => Err(error),
            },
            Stage::Abort(then) => return self.abort(commit, *then),
        };
        match done {
            Ok(next) => {
                commit.stage = next;
                self.phase = Phase::Committing(commit);
                Ok(Turn::Busy)
            }
            Err(error) => self.on_commit_error(commit, &stage, error),
        }
    }

    fn write_task(&mut self, commit: &Commit, index: usize) -> Result<Stage, TransactionError> {
        let Some(id) = commit.tasks.get(index) else { return Ok(Stage::Flush) };
        if let Some(Held::Running(task)) = self.held.get(id)
            && let Some(prepared) = task.prepared()
        {
            let all = self.cx.settings.guarantee == Guarantee::ExactlyOnce;
            for (place, records) in &prepared.outbox.records {
                if all || self.cx.plan.is_internal(&place.topic) {
                    self.writer.write(place, records)?;
                }
            }
            self.writer.write(&prepared.journal, &prepared.entry)?;
        }
        Ok(Stage::Write(index + 1))
    }

    /// Makes the offsets part of the transaction, as whoever this worker is in its group right now.
    fn send_offsets(
        &mut self,
        commit: &Commit,
        ends: &[(TopicPartition, Offset)],
    ) -> Result<(), TransactionError> {
        let rules = self.cx.settings.rules;
        let mut offsets = Vec::new();
        for id in &commit.tasks {
            let Some(Held::Running(task)) = self.held.get(id) else { continue };
            let Some(prepared) = task.prepared() else { continue };
            if !rules.always_fence && !task.has_run() {
                continue;
            }
            let end = ends.iter().find(|(place, _)| *place == prepared.journal).map(|(_, end)| *end);
            let offset = end.expect("the entry was written to its journal");
            let chain = ChainEnd { number: prepared.number, hash: prepared.hash };
            let metadata = commit_metadata(chain, task.is_finished());
            offsets.push((prepared.journal.clone(), CommittedOffset { offset, metadata }));
            for (place, position) in &prepared.positions {
                let committed = CommittedOffset { offset: *position, metadata: String::new() };
                offsets.push((place.clone(), committed));
            }
        }
        let mut member = self
            .member
            .metadata()
            .map_err(|error| TransactionError::Fenced(format!("no membership: {error}")))?;
        if member.generation < 0 || member.member.is_empty() {
            if rules.commit_as_member {
                return Err(TransactionError::Fenced("the worker is not in its group any more".to_owned()));
            }
            member = GroupMetadata { instance: None, ..member };
        }
        self.writer.send_offsets(&offsets, &member)
    }

    fn on_commit_error(
        &mut self,
        mut commit: Box<Commit>,
        stage: &Stage,
        error: TransactionError,
    ) -> Result<Turn, JobError> {
        let rules = self.cx.settings.rules;
        debug!(worker = self.cx.name, ?stage, %error, "commit");
        match error {
            TransactionError::Retriable(reason) => {
                self.note_retry(COMMIT, &reason);
                self.phase = Phase::Committing(commit);
                return Ok(Turn::Idle);
            }
            TransactionError::Permanent(error) => return Err(JobError::Log(error)),
            TransactionError::Abortable(reason) => {
                self.note_retry(COMMIT, &reason);
                commit.stage = Stage::Abort(AfterAbort::SendAgain);
            }
            TransactionError::Refused { place, reason } => {
                commit.stage = Stage::Abort(AfterAbort::SendAgain);
                self.on_refused(&mut commit, &place, &reason);
            }
            TransactionError::Fenced(reason) => {
                warn!(worker = self.cx.name, reason, "fenced");
                let then = if rules.drop_on_fence { AfterAbort::DropAll } else { AfterAbort::SendAgain };
                commit.stage = Stage::Abort(then);
            }
            TransactionError::InDoubt(reason) => {
                warn!(worker = self.cx.name, reason, "the fate of a commit is unknown");
                self.counts.in_doubt += 1;
                self.replace_writer()?;
                if rules.settle_doubt {
                    self.phase = Phase::Settling(Box::new(Settle::new(*commit)));
                    return Ok(Turn::Busy);
                }
                commit.stage = Stage::Begin;
            }
            TransactionError::Fatal(reason) => {
                warn!(worker = self.cx.name, reason, "the writer is broken");
                self.note_retry(COMMIT, &reason);
                self.replace_writer()?;
                // The end of the transaction was not asked for: nothing is in doubt.
                commit.stage = Stage::Begin;
                if matches!(stage, Stage::End(_)) {
                    self.phase = Phase::Settling(Box::new(Settle::new(*commit)));
                    return Ok(Turn::Busy);
                }
            }
        }
        self.phase = Phase::Committing(commit);
        Ok(Turn::Busy)
    }

    /// The log refuses a record, and will refuse it again: whose it is pays for it.
    pub(super) fn on_refused(&mut self, commit: &mut Commit, place: &TopicPartition, reason: &str) {
        let writes_to = |id: &TaskId| {
            let Some(Held::Running(task)) = self.held.get(id) else { return false };
            let prepared = task.prepared();
            prepared.is_some_and(|prepared| {
                prepared.journal == *place || prepared.outbox.records.iter().any(|(to, _)| to == place)
            })
        };
        let to_blame: Vec<TaskId> = commit.tasks.iter().copied().filter(writes_to).collect();
        for id in to_blame {
            let known = commit.refusals.iter_mut().find(|(task, _)| *task == id);
            let count = match known {
                Some((_, count)) => {
                    *count += 1;
                    *count
                }
                None => {
                    commit.refusals.push((id, 1));
                    1
                }
            };
            if count >= REFUSALS_MAX {
                commit.tasks.retain(|task| *task != id);
                let (task, place, reason) = (id.to_string(), place.clone(), reason.to_owned());
                self.fail(id, JobError::Refused { task, place, reason });
            }
        }
    }

    fn abort(&mut self, mut commit: Box<Commit>, then: AfterAbort) -> Result<Turn, JobError> {
        match self.writer.abort() {
            // A late copy would abort the first half of the next transaction.
            Ok(outcome) if outcome.sent_again && self.cx.settings.rules.replace_repeated_writer => {
                self.replace_writer()?;
            }
            Ok(_) => {}
            Err(TransactionError::Retriable(reason)) => {
                self.note_retry("ending a transaction", &reason);
                self.phase = Phase::Committing(commit);
                return Ok(Turn::Idle);
            }
            // Initializing a new writer aborts what the old one left open.
            Err(_) => self.replace_writer()?,
        }
        self.counts.aborts += 1;
        if then == AfterAbort::DropAll {
            return self.on_not_mine(*commit);
        }
        if commit.tasks.is_empty() {
            return self.on_nothing_left(*commit);
        }
        commit.stage = Stage::Begin;
        self.phase = Phase::Committing(commit);
        Ok(Turn::Busy)
    }

    /// Whatever the worker held may be somebody else's: drops it, and answers the revoke it was asked for.
    pub(super) fn on_not_mine(&mut self, commit: Commit) -> Result<Turn, JobError> {
        self.drop_all_tasks("a commit was fenced")?;
        self.on_nothing_left(commit)
    }

    /// Nothing of the commit is left to send.
    pub(super) fn on_nothing_left(&mut self, commit: Commit) -> Result<Turn, JobError> {
        self.phase = if self.writer_ready { Phase::Running } else { Phase::Starting };
        self.after_commit(commit.after)?;
        Ok(Turn::Busy)
    }

    fn after_commit(&mut self, after: After) -> Result<(), JobError> {
        match after {
            After::Nothing => Ok(()),
            After::Release(places) => self.give_up(&places),
            After::Forget(places) => self.forget(&places),
        }
    }

    /// The transaction is part of history.
    pub(super) fn on_committed(
        &mut self,
        commit: Commit,
        ends: &[(TopicPartition, Offset)],
        sent_again: bool,
    ) -> Result<Turn, JobError> {
        self.counts.commits += 1;
        self.trouble = None;
        let took = self.cx.clock.monotonic_ms().saturating_sub(self.last_commit_ms);
        self.commit_cost_ms = (self.commit_cost_ms + took) / 2;
        self.counts.sizes.commit_seconds.observe(took as f64 / 1_000.0, 1);
        let mut bytes = 0;
        if self.new_control.is_some() && commit.tasks.contains(&TaskId::FIRST) {
            self.control = self.new_control.take();
        }
        for id in &commit.tasks {
            let Some(Held::Running(task)) = self.held.get_mut(id) else { continue };
            let journal = task.journal();
            let end = ends.iter().find(|(place, _)| *place == journal).map(|(_, end)| *end);
            bytes += task.prepared().map_or(0, |prepared| prepared.entry.data_bytes());
            let outbox = task.committed(end.expect("the entry was written to its journal"));
            let plan = &self.cx.plan;
            let is_output = |topic: &str| !plan.is_internal(topic) || plan.is_outlet(topic);
            let to_users = outbox.records.iter().filter(|(place, _)| is_output(&place.topic));
            bytes += outbox.records.iter().map(|(_, records)| records.data_bytes()).sum::<usize>();
            self.counts.records_out += to_users.map(|(_, records)| records.len() as u64).sum::<u64>();
            let (read, counted) = task.take_counts();
            self.counts.table_records_in += read;
            self.counts.rows = self.counts.rows.plus(&counted);
            self.printed.extend(outbox.printed);
            if self.cx.settings.evict_after_commit {
                task.evict()?;
            }
            // Tasks that began together do not all come to it at the same commit.
            let stagger = u64::from(id.partition % 8) * self.cx.settings.checkpoint_commits / 8;
            let rounds = |commits: u64| (commits + stagger) / self.cx.settings.checkpoint_commits;
            let (number, since) = (task.chain().number, task.committed_since_checkpoint());
            let is_long_ago = rounds(number) > rounds(number.saturating_sub(since));
            if is_long_ago || task.pending_bytes() >= self.cx.settings.checkpoint_bytes {
                task.checkpoint()?;
                self.counts.checkpoints += 1;
            }
            if is_long_ago {
                task.flush_soon()?;
            }
        }
        self.counts.sizes.commit_bytes.observe(bytes as f64, 1);
        self.intake.committed(&mut self.counts.sizes.latency_seconds, self.cx.clock.wall_ms());
        self.relieve_memory()?;
        self.phase = Phase::Running;
        if commit.after == After::Nothing {
            self.snapshots_after_commit(&commit.tasks)?;
        }
        if sent_again && self.cx.settings.rules.replace_repeated_writer {
            self.replace_writer()?;
            self.phase = Phase::Starting;
        }
        self.after_commit(commit.after)?;
        Ok(Turn::Busy)
    }

    /// Initializes a replaced writer in the middle of a commit.
    fn renew_writer_for(&mut self, commit: Box<Commit>) -> Result<Turn, JobError> {
        let turn = self.renew_writer()?;
        self.phase = Phase::Committing(commit);
        Ok(turn)
    }
}
