//! Folding a journal into state, from a checkpoint or from the start, up to the journal's end.

use super::{Found, JournalReader, Next, ReadTurn, Restore, Stage, TURN_TIMEOUT};
use crate::error::JobError;
use crate::journal::ChainEnd;
use crate::log::{Isolation, LogError, ReaderOptions};
use crate::snapshot::{CheckpointNote, Track};
use crate::task::ResumePoint;
use millstream_operators::Offset;
use millstream_state::{CheckpointMark, TaskState};
use tracing::warn;

/// Pending state that a restore checkpoints away before it folds on.
const PENDING_BYTES_MAX: usize = 64 << 20;

/// A journal that is being read.
pub(super) struct Reading {
    pub(super) found: Found,
    pub(super) reader: JournalReader,
    pub(super) state: TaskState,
    /// The checkpoint that the first entry has to confirm.
    pub(super) unconfirmed: Option<CheckpointMark>,
    pub(super) resume: ResumePoint,
    pub(super) track: Track,
    /// Size of the journal that was folded since the last official snapshot, roughly.
    pub(super) folded_bytes: u64,
}

impl Restore {
    /// Goes on with state that stands at `mark`, which the first entry read has to confirm.
    pub(super) fn read_from_checkpoint(
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

    pub(super) fn read(&mut self, mut reading: Box<Reading>) -> Result<Next, JobError> {
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
    pub(super) fn who_blocks(&self, found: &Found, reader: &JournalReader) -> String {
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
}
