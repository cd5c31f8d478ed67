//! Reading a journal partition up to a given end.

use crate::error::JobError;
use crate::journal::{Assembled, Assembler, Entry, WriterId};
use crate::log::{Isolation, Log, Offset, Reader, ReaderOptions, TopicPartition};
use millstream_state::CheckpointMark;
use std::time::Duration;

/// Reads committed entries of one journal partition up to an end that was fixed before.
pub(crate) struct JournalReader {
    reader: Box<dyn Reader>,
    place: TopicPartition,
    assembler: Assembler,
    position: Offset,
    end: Offset,
}

/// What a turn of reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadTurn {
    /// There is more before the end.
    More,
    /// There is more before the end, but it can't be seen yet.
    Waiting,
    /// Everything before the end has been read.
    AtEnd,
}

impl JournalReader {
    /// Reads from an offset between two entries of a chain.
    pub(crate) fn from_anywhere(
        reader: Box<dyn Reader>,
        place: TopicPartition,
        from: Offset,
        end: Offset,
    ) -> Result<Self, JobError> {
        let assembler = Assembler::from_anywhere(place.clone());
        Self::assign(reader, place, assembler, from, end)
    }

    /// Reads from the entry that a checkpoint stands at.
    pub(crate) fn from_checkpoint(
        reader: Box<dyn Reader>,
        place: TopicPartition,
        mark: CheckpointMark,
        end: Offset,
    ) -> Result<Self, JobError> {
        let assembler = Assembler::from_anywhere(place.clone());
        Self::assign(reader, place, assembler, mark.journal_offset, end)
    }

    /// Reads what follows a known end of the chain.
    pub(crate) fn after(
        reader: Box<dyn Reader>,
        place: TopicPartition,
        assembler: Assembler,
        from: Offset,
        end: Offset,
    ) -> Result<Self, JobError> {
        Self::assign(reader, place, assembler, from, end)
    }

    fn assign(
        mut reader: Box<dyn Reader>,
        place: TopicPartition,
        assembler: Assembler,
        from: Offset,
        end: Offset,
    ) -> Result<Self, JobError> {
        reader.assign(&[(place.clone(), from)])?;
        Ok(JournalReader { reader, place, assembler, position: from, end })
    }

    /// How far it has read.
    pub(crate) fn position(&self) -> Offset {
        self.position
    }

    /// Reads a piece and appends the entries found.
    pub(crate) fn turn(
        &mut self,
        timeout: Duration,
        entries: &mut Vec<Assembled>,
    ) -> Result<ReadTurn, JobError> {
        if self.position >= self.end {
            return Ok(ReadTurn::AtEnd);
        }
        let mut runs = Vec::new();
        self.reader.poll(timeout, &mut runs)?;
        for record in runs.iter().flat_map(|run| run.records.iter()) {
            // What lies behind the end was written after this take-over began: by a writer that is fenced by it.
            if record.offset < self.end {
                entries.extend(self.assembler.push(record)?);
                self.position = record.offset + 1;
            }
        }
        if let Some(status) = self.reader.status(&self.place) {
            self.position = self.position.max(status.position);
        }
        let at_end = self.position >= self.end;
        Ok(match (at_end, runs.is_empty()) {
            (true, _) => ReadTurn::AtEnd,
            (false, false) => ReadTurn::More,
            (false, true) => ReadTurn::Waiting,
        })
    }

    /// Who wrote the entry at an offset, committed or not: to name the transaction that is in the way.
    pub(crate) fn writer_at(log: &dyn Log, place: &TopicPartition, offset: Offset) -> Option<WriterId> {
        let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadUncommitted)).ok()?;
        reader.assign(&[(place.clone(), offset)]).ok()?;
        let mut runs = Vec::new();
        for _ in 0..10 {
            reader.poll(Duration::from_millis(20), &mut runs).ok()?;
            let mut assembler = Assembler::from_anywhere(place.clone());
            for record in runs.iter().flat_map(|run| run.records.iter()) {
                if let Ok(Some(Assembled { entry: Entry { writer, .. }, .. })) = assembler.push(record) {
                    return Some(writer);
                }
            }
        }
        None
    }
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalReader")
            .field("place", &self.place)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
