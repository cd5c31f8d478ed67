//! Taking a task over where no checkpoint on disk can be used: from a snapshot, or from the journal's beginning.
//!
//! The journal says which snapshots are official. It is read once to its end for their names, then the newest that can
//! be fetched becomes the checkpoint on disk, and the take-over goes on as if it had been there. Where none can be had,
//! a journal that begins with the first entry is folded from there; otherwise state is lost, and the take-over refuses.

use super::{Found, Next, Reading, Restore, Stage, TURN_TIMEOUT, stands_at};
use crate::error::JobError;
use crate::journal::{Assembler, ChainEnd};
use crate::log::{Isolation, OffsetQuery, ReaderOptions};
use crate::restore::journal_reader::{JournalReader, ReadTurn};
use crate::snapshot::download::{Download, DownloadError};
use crate::snapshot::{CheckpointNote, SnapshotRef, Track};
use crate::task::ResumePoint;
use millstream_state::{StateError, TaskState};
use std::sync::Arc;
use tracing::warn;

/// A search through a journal for official snapshots.
pub(super) struct Scan {
    found: Found,
    reader: JournalReader,
    state: TaskState,
    /// The first entry: its number, and the hash of the one before.
    first: Option<ChainEnd>,
    /// Official snapshots, oldest first.
    officials: Vec<SnapshotRef>,
}

/// What there is to restore from, the next choice last.
pub(super) struct Choice {
    found: Found,
    state: Option<TaskState>,
    first: Option<ChainEnd>,
    candidates: Vec<SnapshotRef>,
    /// What became of those that were tried.
    failures: Vec<String>,
}

impl Restore {
    /// Begins to search the journal.
    pub(super) fn scan(&mut self, found: Found, state: TaskState) -> Result<Stage, JobError> {
        let (start, end) = (found.bounds.start, found.bounds.end);
        // Once for the snapshots, and once for the deltas, if there should be no snapshot.
        self.progress.expect_read(2 * (end - start));
        let reader = self.cx.log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        let reader = JournalReader::from_anywhere(reader, self.journal(), start, end)?;
        Ok(Stage::Scan(Box::new(Scan { found, reader, state, first: None, officials: Vec::new() })))
    }

    pub(super) fn scan_on(&mut self, mut scan: Box<Scan>) -> Result<Next, JobError> {
        let before = scan.reader.position();
        let mut entries = Vec::new();
        let turn = match scan.reader.turn(TURN_TIMEOUT, &mut entries) {
            Err(error) => return self.begin_again_if_moved(&scan.found, error),
            Ok(turn) => turn,
        };
        self.progress.read(scan.reader.position() - before);
        for found in entries {
            let entry = found.entry;
            scan.first.get_or_insert(ChainEnd { number: entry.number, hash: entry.previous });
            scan.officials.extend(entry.official);
        }
        match turn {
            ReadTurn::More => Ok(Next::To(Stage::Scan(scan))),
            ReadTurn::Waiting => {
                let why = self.who_blocks(&scan.found, &scan.reader);
                Ok(Next::Wait(Stage::Scan(scan), why))
            }
            ReadTurn::AtEnd => {
                let Scan { found, state, first, officials, .. } = *scan;
                let (start, end) = (found.bounds.start, found.bounds.end);
                let reached = |official: &SnapshotRef| (start..end).contains(&official.journal_offset);
                let candidates = officials.into_iter().filter(reached).collect();
                let (state, failures) = (Some(state), Vec::new());
                let choice = Choice { found, state, first, candidates, failures };
                Ok(Next::To(Stage::Choose(Box::new(choice))))
            }
        }
    }

    /// Takes the newest that is left.
    pub(super) fn choose(&mut self, mut choice: Box<Choice>) -> Result<Next, JobError> {
        while let Some(snapshot) = choice.candidates.pop() {
            let Some(store) = &self.cx.snapshots else {
                choice.failures.push(format!("that of commit {} is in {}", snapshot.number, snapshot.store));
                continue;
            };
            // Nobody may have the state open that is about to be replaced.
            drop(choice.state.take());
            let import = self.cx.states.import(self.task)?;
            let download = Download::new(Arc::clone(store), snapshot, import);
            return Ok(Next::To(Stage::Fetch(choice, Box::new(download))));
        }
        let base = choice.found.control.base(self.task);
        let beginning = ChainEnd { number: base.number + 1, hash: base.hash };
        if choice.first.is_some_and(|first| first != beginning) {
            return self.refuse(&choice);
        }
        let state = match self.open_state(&choice.found, choice.state.take()) {
            Err(error @ StateError::StillOpen { .. }) => {
                return Ok(Next::Wait(Stage::Choose(choice), error.to_string()));
            }
            opened => opened?,
        };
        self.without_history(choice.found, state).map(Next::To)
    }

    /// Folds the journal from its first entry: onto no state, or onto that of the savepoint which the job was started
    /// from.
    pub(super) fn fold_from_start(&mut self, found: Found, mut state: TaskState) -> Result<Stage, JobError> {
        let base = found.control.base(self.task);
        let is_at_base = state.mark().is_some_and(|mark| stands_at(&mark, base));
        if state.mark().is_some() && !is_at_base && self.cx.rules.check_checkpoint {
            state.reset()?;
        }
        let (start, end) = (found.bounds.start, found.bounds.end);
        let reader = self.cx.log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        let assembler = Assembler::after(self.journal(), base);
        let reader = JournalReader::after(reader, self.journal(), assembler, start, end)?;
        let resume = match CheckpointNote::decode(state.note()).filter(|_| is_at_base) {
            Some(note) => ResumePoint::after_savepoint(base, start, note),
            None => ResumePoint::beginning(base.hash, start),
        };
        let track = Track::default();
        let reading = Reading { found, reader, state, unconfirmed: None, resume, track, folded_bytes: 0 };
        Ok(Stage::Read(Box::new(reading)))
    }

    pub(super) fn fetch(
        &mut self,
        mut choice: Box<Choice>,
        mut download: Box<Download>,
    ) -> Result<Next, JobError> {
        let snapshot = download.snapshot.clone();
        match download.turn(&self.progress) {
            Ok(false) => return Ok(Next::To(Stage::Fetch(choice, download))),
            Ok(true) => {}
            Err(DownloadError::Wait(why)) => return Ok(Next::Wait(Stage::Fetch(choice, download), why)),
            Err(DownloadError::State(error)) => return Err(error.into()),
            Err(DownloadError::Unusable(why)) => {
                warn!(task = %self.task, commit = snapshot.number, why, "a snapshot can't be used");
                self.progress.give_up_fetch();
                choice.failures.push(format!("that of commit {}: {why}", snapshot.number));
                return Ok(Next::To(Stage::Choose(choice)));
            }
        }
        let state = match self.open_state(&choice.found, None) {
            Err(error @ StateError::StillOpen { .. }) => {
                return Ok(Next::Wait(Stage::Fetch(choice, download), error.to_string()));
            }
            opened => opened?,
        };
        let mark = snapshot.mark();
        if state.mark() != Some(mark) {
            let why = format!("it holds state at {:?}", state.mark());
            choice.failures.push(format!("that of commit {}: {why}", snapshot.number));
            choice.state = Some(state);
            return Ok(Next::To(Stage::Choose(choice)));
        }
        let (start, end) = (choice.found.bounds.start, choice.found.bounds.end);
        self.progress.spare_read(mark.journal_offset - start);
        self.read_from_checkpoint(choice.found, state, mark, end).map(Next::To)
    }

    /// Refuses to go on, unless somebody has gone on with the task meanwhile.
    fn refuse(&mut self, choice: &Choice) -> Result<Next, JobError> {
        let error = JobError::StateLost {
            task: self.task.to_string(),
            journal: self.journal(),
            first: choice.first.map_or(0, |first| first.number),
            failures: if choice.failures.is_empty() {
                "no entry names a snapshot".to_owned()
            } else {
                choice.failures.join("; ")
            },
        };
        self.begin_again_if_moved(&choice.found, error)
    }

    /// After a failure: where entries or snapshots are gone because whoever owns the task now has gone on, they are not
    /// missing, this take-over is late. It begins again; if the task is not this worker's any more, it will be told.
    pub(super) fn begin_again_if_moved(&mut self, found: &Found, error: JobError) -> Result<Next, JobError> {
        let journal = [self.journal()];
        let mut ask = |query| self.admin.offsets(&journal, query, Isolation::ReadUncommitted);
        let now = ask(OffsetQuery::Earliest).and_then(|start| Ok((start[0], ask(OffsetQuery::Latest)?[0])));
        if now.is_ok_and(|now| now != (found.bounds.start, found.bounds.end)) {
            let why = format!("the journal has moved on meanwhile ({error})");
            return Ok(Next::Wait(Stage::Committed, why));
        }
        Err(error)
    }
}
