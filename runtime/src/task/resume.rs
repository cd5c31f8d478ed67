//! Where a task goes on, and where its inputs stand.

use crate::journal::{ChainEnd, InputMark};
use crate::snapshot::CheckpointNote;
use millstream_operators::{EventTime, NO_WATERMARK, Offset};

/// Where a task goes on: the end of its journal.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// The last entry; number 0 and the job's incarnation for a task that never committed.
    pub chain: ChainEnd,
    /// An offset at or before the first record of the last entry, and after the entry before it.
    pub journal_before: Offset,
    /// The offset after the last entry.
    pub journal_next: Offset,
    /// Where the inputs stand.
    pub inputs: Vec<InputMark>,
    /// The watermark.
    pub watermark: EventTime,
    /// The last clock reading.
    pub now_ms: i64,
    /// Whether its journal has no entry yet.
    pub is_new: bool,
}

impl ResumePoint {
    /// The point of a task that never committed.
    pub fn beginning(incarnation: u128, journal_start: Offset) -> Self {
        ResumePoint {
            chain: ChainEnd { number: 0, hash: incarnation },
            journal_before: journal_start,
            journal_next: journal_start,
            inputs: Vec::new(),
            watermark: NO_WATERMARK,
            now_ms: 0,
            is_new: true,
        }
    }

    /// The point of a task that was started from a savepoint and never committed: what its state says of itself.
    pub(crate) fn after_savepoint(base: ChainEnd, journal_start: Offset, note: CheckpointNote) -> Self {
        let CheckpointNote { inputs, watermark, now_ms, .. } = note;
        let beginning = Self::beginning(base.hash, journal_start);
        ResumePoint { chain: base, inputs, watermark, now_ms, ..beginning }
    }
}

/// Where an input of a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The next offset to read.
    pub next: Offset,
    /// The offset bounded input ends at.
    pub end: Option<Offset>,
    /// Whether it was read to there, by a recorded tick.
    pub ended: bool,
}
