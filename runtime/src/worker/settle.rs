//! Settling a commit in doubt: the journal says whether it is part of history.
//!
//! A new writer is initialized first: it fences what may still be under way and ends what was left open. Then every
//! journal of the transaction is read to its true end. All of them hold the commit's entry: it happened. All of them
//! end at the entry before: it did not, and the same bytes are sent again. Anything else means that somebody else has
//! been writing: everything is dropped and taken over anew.

use super::commit::{Commit, Stage};
use super::ownership::Held;
use super::{Phase, Turn, Worker};
use crate::error::JobError;
use crate::journal::{Assembler, ChainEnd};
use crate::log::{Isolation, LogError, Offset, OffsetQuery, ReaderOptions, TopicPartition};
use crate::plan::TaskId;
use crate::restore::{JournalReader, ReadTurn};
use std::time::Duration;

/// A commit whose fate is being read.
#[derive(Debug)]
pub(super) struct Settle {
    commit: Commit,
    /// Verdicts on the tasks of the commit, in their order, as far as they are known.
    verdicts: Vec<Verdict>,
    reading: Option<JournalReader>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// The journal holds the entry; the offset after it.
    Committed(TopicPartition, Offset),
    /// The journal ends at the entry before.
    NotCommitted,
    /// The journal holds something else.
    Foreign,
}

impl Settle {
    pub(super) fn new(commit: Commit) -> Self {
        Settle { commit, verdicts: Vec::new(), reading: None }
    }
}

impl Worker {
    pub(super) fn settle_turn(&mut self, mut settle: Box<Settle>) -> Result<Turn, JobError> {
        if !self.writer_ready {
            let turn = self.renew_writer()?;
            self.phase = Phase::Settling(settle);
            return Ok(turn);
        }
        let Some(id) = settle.commit.tasks.get(settle.verdicts.len()).copied() else {
            return self.on_settled(*settle);
        };
        match self.judge(id, &mut settle.reading) {
            Ok(Some(verdict)) => {
                settle.verdicts.push(verdict);
                settle.reading = None;
            }
            Ok(None) => {}
            Err(JobError::Log(error)) if error.is_retriable() => {
                self.note_retry("finding out whether a commit happened", &error.to_string());
                self.phase = Phase::Settling(settle);
                return Ok(Turn::Idle);
            }
            Err(error) => return Err(error),
        }
        self.phase = Phase::Settling(settle);
        Ok(Turn::Busy)
    }

    /// Reads a journal for the entry of a task's sealed commit; `None` while there is more to read.
    fn judge(
        &mut self,
        id: TaskId,
        reading: &mut Option<JournalReader>,
    ) -> Result<Option<Verdict>, JobError> {
        let Some(Held::Running(task)) = self.held.get(&id) else { return Ok(Some(Verdict::Foreign)) };
        let Some(prepared) = task.prepared() else { return Ok(Some(Verdict::Foreign)) };
        let (journal, mine) =
            (prepared.journal.clone(), ChainEnd { number: prepared.number, hash: prepared.hash });
        let Some(reader) = reading else {
            // The same order as a take-over: the pending offset, the true end, then the entries.
            let places = std::slice::from_ref(&journal);
            self.admin.committed(self.cx.plan.group(), places, Isolation::ReadCommitted)?;
            let end = self.admin.offsets(places, OffsetQuery::Latest, Isolation::ReadUncommitted)?[0];
            let reader = self.cx.log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
            let assembler = Assembler::after(journal.clone(), task.chain());
            *reading = Some(JournalReader::after(reader, journal, assembler, task.journal_next(), end)?);
            return Ok(None);
        };
        let mut entries = Vec::new();
        let turn = match reader.turn(Duration::from_millis(50), &mut entries) {
            // What followed is another entry, or was purged: whoever owns the task now has gone on.
            Err(JobError::Journal(_) | JobError::Log(LogError::OffsetOutOfRange { .. })) => {
                return Ok(Some(Verdict::Foreign));
            }
            turn => turn?,
        };
        if let Some(found) = entries.first() {
            let same = found.entry.number == mine.number && found.hash == mine.hash && entries.len() == 1;
            let verdict =
                if same { Verdict::Committed(journal, found.next_offset) } else { Verdict::Foreign };
            return Ok(Some(verdict));
        }
        match turn {
            ReadTurn::AtEnd => Ok(Some(Verdict::NotCommitted)),
            ReadTurn::More => Ok(None),
            ReadTurn::Waiting => {
                Err(LogError::NotReady(format!("a transaction holds the end of {journal}")).into())
            }
        }
    }

    fn on_settled(&mut self, settle: Settle) -> Result<Turn, JobError> {
        let Settle { mut commit, verdicts, .. } = settle;
        if verdicts.iter().all(|verdict| *verdict == Verdict::NotCommitted) {
            commit.stage = Stage::Begin;
            self.phase = Phase::Committing(Box::new(commit));
            return Ok(Turn::Busy);
        }
        let mut ends = Vec::new();
        for verdict in &verdicts {
            if let Verdict::Committed(journal, end) = verdict {
                ends.push((journal.clone(), *end));
            }
        }
        if ends.len() == verdicts.len() {
            return self.on_committed(commit, &ends, false);
        }
        self.on_not_mine(commit)
    }
}
