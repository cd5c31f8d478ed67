//! Output that is written ahead of its commit, where a job promises to write each record at least once.
//!
//! Records for topics of users go through a plain writer and are flushed before the transaction begins; entry,
//! positions and what goes to internal topics stay in the transaction, which is fenced as ever. So the journal never
//! forks, state is exact and repartition topics hold each block once; what is repeated after a crash between the flush
//! and the end of the transaction is output alone.

use super::commit::{Commit, Stage};
use super::ownership::Held;
use super::{Guarantee, Turn, Worker};
use crate::error::JobError;
use crate::log::{LogError, TopicPartition};
use crate::plan::TaskId;
use std::time::Duration;

/// How long one turn waits for acknowledgements, and how many turns do before another writer is made.
const FLUSH_SLICE: Duration = Duration::from_millis(500);
const SLICES_MAX: u32 = 64;
/// What is asked for, for people.
const OUTPUT: &str = "writing output";
/// Times that output is written anew before the worker gives up.
const RETRIES_MAX: u32 = 100;

impl Worker {
    /// Where a commit begins.
    pub(super) fn first_stage(&self) -> Stage {
        match self.cx.settings.guarantee {
            Guarantee::ExactlyOnce => Stage::Begin,
            Guarantee::AtLeastOnce => Stage::Ahead(0),
        }
    }

    /// Writes the output of one task, and after the last waits until all is in the log.
    pub(super) fn ahead_turn(&mut self, mut commit: Box<Commit>, index: usize) -> Result<Turn, JobError> {
        let (done, next) = match commit.tasks.get(index).copied() {
            Some(id) => (self.write_ahead(id), Stage::Ahead(index + 1)),
            None => {
                let flushed = self.ahead.as_mut().map_or(Ok(()), |writer| writer.flush(FLUSH_SLICE));
                (flushed.map_err(|error| (None, error)), Stage::Begin)
            }
        };
        match done {
            Ok(()) => {
                self.trouble = None;
                commit.stage = next;
            }
            Err((Some(place), error @ (LogError::UnknownTopic(_) | LogError::RecordTooLarge { .. }))) => {
                self.ahead = None;
                self.on_refused(&mut commit, &place, &error.to_string());
                commit.stage = Stage::Ahead(0);
                if commit.tasks.is_empty() {
                    return self.on_nothing_left(*commit);
                }
            }
            Err((None, LogError::Timeout(reason) | LogError::NotReady(reason))) => {
                self.note_retry(OUTPUT, &reason);
                // A writer may have given up on records: another one gets all of them again.
                if self.tries().is_multiple_of(SLICES_MAX) {
                    self.ahead = None;
                    commit.stage = Stage::Ahead(0);
                }
                self.phase = super::Phase::Committing(commit);
                return Ok(Turn::Idle);
            }
            Err((_, error)) => {
                // Nobody knows what is there: all of it once more.
                self.note_retry(OUTPUT, &error.to_string());
                self.ahead = None;
                // What may pass is waited for, as a disk that is full.
                let is_over = self.tries() > RETRIES_MAX && !error.is_retriable();
                if is_over || error.is_permanent() {
                    return Err(error.into());
                }
                commit.stage = Stage::Ahead(0);
                self.phase = super::Phase::Committing(commit);
                return Ok(Turn::Idle);
            }
        }
        self.phase = super::Phase::Committing(commit);
        Ok(Turn::Busy)
    }

    fn write_ahead(&mut self, id: TaskId) -> Result<(), (Option<TopicPartition>, LogError)> {
        let Some(Held::Running(task)) = self.held.get(&id) else { return Ok(()) };
        let Some(prepared) = task.prepared() else { return Ok(()) };
        let writer = match &mut self.ahead {
            Some(writer) => writer,
            None => self.ahead.insert(self.cx.log.writer().map_err(|error| (None, error))?),
        };
        for (place, records) in &prepared.outbox.records {
            if !self.cx.plan.is_internal(&place.topic) {
                writer.write(place, records.clone()).map_err(|error| (Some(place.clone()), error))?;
            }
        }
        Ok(())
    }
}
