//! What is to be done to the groups of an aggregation over frames, row after row, and the loops that do it.
//!
//! Frames of rows that follow each other differ by a row or two. So what comes of a batch is a list of small steps, the
//! same for every aggregate: a row comes into the frame of its key, a row leaves it, a result is taken. Each aggregate goes
//! through the whole list in a loop of its own, over one column.

use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use arrow::buffer::NullBuffer;

/// One step of a key.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Step {
    /// The key.
    pub(in super::super) slot: Slot,
    /// The row that comes or leaves, among those of the columns.
    pub(in super::super) row: u32,
    /// What happens.
    pub(in super::super) kind: StepKind,
}

/// What happens in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum StepKind {
    /// A row comes into the frame.
    Come,
    /// The oldest row of the frame leaves it.
    Leave,
    /// The result over the frame is taken.
    Result,
}

impl Step {
    /// The row as an index.
    pub(in super::super) fn at(self) -> usize {
        self.row as usize
    }

    /// What it adds to a count of rows.
    pub(in super::super) fn sign(self) -> i8 {
        match self.kind {
            StepKind::Come => 1,
            StepKind::Leave => -1,
            StepKind::Result => 0,
        }
    }

    /// Whether its row counts, or there is none.
    pub(in super::super) fn counts(self, valid: Option<&NullBuffer>) -> bool {
        self.kind == StepKind::Result || valid.is_none_or(|valid| valid.is_valid(self.at()))
    }
}

/// Goes through steps with what an aggregate keeps: `fold(kept, step, sign)` for rows that count, `result(kept, slot, out)`
/// where one is taken. Inlined, so that each of its loops is as tight as what it is called with.
#[inline(always)]
pub(in super::super) fn each_step<K: ?Sized>(
    steps: &[Step],
    valid: Option<&NullBuffer>,
    kept: &mut K,
    out: &mut ColumnBuilder,
    fold: impl Fn(&mut K, Step, i8),
    result: impl Fn(&K, Slot, &mut ColumnBuilder),
) {
    for step in steps {
        match step.kind {
            StepKind::Result => result(kept, step.slot, out),
            _ if step.counts(valid) => fold(kept, *step, step.sign()),
            _ => {}
        }
    }
}
