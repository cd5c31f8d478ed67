//! Rows by the moment at which they go.
//!
//! A row goes when the clock of its join (the watermark, or the step's clock reading) reaches its moment. Rows in memory
//! stand in a heap; those that only the store has are found there. Stored key: the moment, big endian, the side, the
//! sequence number, the join key.

use super::corrupt;
use crate::OperatorError;
use crate::batch::EventTime;
use crate::keys::Slot;
use crate::kit::bags::RowId;
use crate::operator::StateScope;
use millstream_state::BytesColumn;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// The store with the moments of all rows.
pub(super) const DUE: u16 = 2;

/// About how many stored rows are let go of at once.
const SOME: usize = 4096;

/// A row in memory and its moment; ordered as rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hot {
    pub(super) moment: EventTime,
    pub(super) side: u8,
    pub(super) sequence: u64,
    pub(super) row: RowId,
    pub(super) slot: Slot,
}

#[derive(Debug, Default)]
pub(super) struct Due {
    heap: BinaryHeap<Reverse<Hot>>,
    /// The earliest moment of rows that only the store knows of.
    stored_from: Option<EventTime>,
}

/// Rows whose moment has come and that only the store knows of.
#[derive(Debug, Default)]
pub(super) struct StoredDue {
    pub(super) moments: Vec<EventTime>,
    pub(super) sides: Vec<u8>,
    pub(super) sequences: Vec<u64>,
    pub(super) keys: BytesColumn,
}

impl Due {
    pub(super) fn push(&mut self, row: Hot) {
        self.heap.push(Reverse(row));
    }

    /// Whether some row's moment is at or before `clock`.
    pub(super) fn is_due(&self, clock: EventTime) -> bool {
        self.stored_from.is_some_and(|from| from <= clock)
            || self.heap.peek().is_some_and(|Reverse(first)| first.moment <= clock)
    }

    /// The next row in memory whose moment is before `until`, or at it when that is the `clock` itself.
    pub(super) fn pop(&mut self, until: EventTime) -> Option<Hot> {
        self.heap.peek().filter(|Reverse(first)| first.moment <= until)?;
        self.heap.pop().map(|Reverse(first)| first)
    }

    /// Reads some of the rows that only the store knows of, up to a moment: the given clock, or one before it up to
    /// which these are all. Rows of a side from its number in `hot_from` on are in the heap.
    pub(super) fn read_stored(
        &mut self,
        clock: EventTime,
        hot_from: [u64; 2],
        state: &mut StateScope<'_>,
    ) -> Result<(StoredDue, EventTime), OperatorError> {
        let mut found = StoredDue::default();
        let Some(from) = self.stored_from.filter(|from| *from <= clock) else { return Ok((found, clock)) };
        let (mut bad, mut next) = (false, None);
        state.scan(DUE, &encode_moment(from), None, |stored, _| {
            let Some((moment, side, sequence, key)) = decode(stored) else {
                bad = true;
                return ControlFlow::Break(());
            };
            if sequence >= hot_from[usize::from(side)] {
                return ControlFlow::Continue(());
            }
            let enough = found.moments.len() >= SOME && found.moments.last() != Some(&moment);
            if moment > clock || enough {
                next = Some(moment);
                return ControlFlow::Break(());
            }
            found.moments.push(moment);
            found.sides.push(side);
            found.sequences.push(sequence);
            found.keys.push(key);
            ControlFlow::Continue(())
        })?;
        if bad {
            return Err(corrupt("the moment of a row can't be read"));
        }
        self.stored_from = next;
        Ok((found, next.map_or(clock, |next| clock.min(next - 1))))
    }

    /// Makes it stand at the store.
    pub(super) fn restore(&mut self, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.stored_from = None;
        self.heap.clear();
        let mut bad = false;
        state.scan(DUE, &[], None, |stored, _| {
            self.stored_from = decode(stored).map(|(moment, _, _, _)| moment);
            bad = self.stored_from.is_none();
            ControlFlow::Break(())
        })?;
        if bad { Err(corrupt("the moment of a row can't be read")) } else { Ok(()) }
    }

    pub(super) fn evict(&mut self) {
        self.heap = BinaryHeap::new();
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Hot>()
    }
}

fn encode_moment(moment: EventTime) -> [u8; 8] {
    (moment ^ EventTime::MIN).to_be_bytes()
}

/// Writes a row's key in the store.
pub(super) fn encode(moment: EventTime, side: u8, sequence: u64, key: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend(encode_moment(moment));
    out.push(side);
    out.extend(sequence.to_be_bytes());
    out.extend_from_slice(key);
}

fn decode(stored: &[u8]) -> Option<(EventTime, u8, u64, &[u8])> {
    let (moment, rest) = stored.split_first_chunk::<8>()?;
    let (side, rest) = rest.split_first()?;
    let (sequence, key) = rest.split_first_chunk::<8>()?;
    let moment = EventTime::from_be_bytes(*moment) ^ EventTime::MIN;
    (*side < 2).then(|| (moment, *side, u64::from_be_bytes(*sequence), key))
}
