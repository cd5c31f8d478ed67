//! Both sides of a join: their rows, the keys they share, and when rows go.

use super::due::{DUE, Due, Hot, encode};
use super::{JoinOn, OPERATOR, corrupt};
use crate::OperatorError;
use crate::batch::EventTime;
use crate::keys::{Slot, SlotTable};
use crate::kit::bags::{Layout, NONE, RowBags, RowId, stored_key};
use crate::operator::{DeltaScope, StateScope};
use crate::rows::RowCodec;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use millstream_state::BytesColumn;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The slot of a row whose key is null.
pub(super) const NO_SLOT: Slot = Slot::MAX;

/// The key of the next sequence numbers, in the store of the left side: no join key is empty.
const NEXT_SEQUENCES: &[u8] = &[];

#[derive(Debug)]
pub(super) struct Sides {
    hash_seed: u64,
    pub(super) slots: SlotTable,
    pub(super) rows: [RowBags; 2],
    /// Only where rows go by themselves.
    due: Option<Due>,
    /// Keys that may have no row left.
    emptied: Vec<Slot>,
    /// The sequence numbers that the store has.
    stored_sequences: [u64; 2],
}

/// Rows that have gone, in the order of their moments.
#[derive(Debug, Default)]
pub(super) struct Expired {
    /// Side and place among the rows of that side.
    pub(super) order: Vec<(u8, u32)>,
    pub(super) times: Vec<EventTime>,
    /// By side: the rows, encoded.
    pub(super) rows: [BytesColumn; 2],
}

impl Sides {
    pub(super) fn new(on: &JoinOn, layouts: [Layout; 2], hash_seed: u64) -> Result<Self, OperatorError> {
        let rows = |side: usize| -> Result<RowBags, OperatorError> {
            let fields = on.side(side).schema.fields().iter();
            let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
            let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
            let unsupported = |data_type: DataType| {
                corrupt(format!("rows with a column of type {data_type} can't be kept"))
            };
            let codec = RowCodec::new(schema).map_err(unsupported)?;
            Ok(RowBags::new(OPERATOR, side as u16, codec, layouts[side], hash_seed))
        };
        let expires = layouts.iter().any(|layout| layout.keep_ms.is_some());
        Ok(Sides {
            hash_seed,
            slots: SlotTable::with_seed(hash_seed),
            rows: [rows(0)?, rows(1)?],
            due: expires.then(Due::default),
            emptied: Vec::new(),
            stored_sequences: [0; 2],
        })
    }

    /// The slots of a batch's keys, [`NO_SLOT`] where `is_null`. What a row of side `own` needs is in memory then: the
    /// rows of its key on the other side; those on its own where `needs_own` says so, or, when it `counts_own`, at least
    /// one of them if there are any.
    pub(super) fn intern(
        &mut self,
        own: usize,
        keys: &BytesColumn,
        is_null: Option<&[bool]>,
        counts_own: bool,
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Slot>, OperatorError> {
        let mut slots = Vec::with_capacity(keys.len());
        let mut missing: [Vec<Slot>; 2] = [Vec::new(), Vec::new()];
        let needs_own = self.rows[own].layout.searched || self.rows[own].layout.single;
        for (row, key) in keys.iter().enumerate() {
            if is_null.is_some_and(|is_null| is_null[row]) {
                slots.push(NO_SLOT);
                continue;
            }
            let (slot, new) = self.slots.find_or_insert(key);
            slots.push(slot);
            if new {
                let count = self.slots.slot_count();
                self.rows.iter_mut().for_each(|rows| {
                    rows.resize(count);
                    rows.begin(slot);
                });
                // A retraction that takes nothing away leaves a key without rows.
                if needs_own {
                    self.emptied.push(slot);
                }
            }
            if !self.rows[1 - own].is_complete(slot) {
                missing[1 - own].push(slot);
            }
            let mine = &self.rows[own];
            if !mine.is_complete(slot) && (needs_own || (counts_own && mine.count(slot) == 0)) {
                missing[own].push(slot);
            }
        }
        for (rows, missing) in self.rows.iter_mut().zip(&mut missing) {
            missing.sort_unstable_by(|a, b| self.slots.key(*a).cmp(self.slots.key(*b)));
            missing.dedup();
            rows.load_all(missing, &self.slots, state)?;
        }
        Ok(slots)
    }

    /// Adds a row to a side.
    #[inline]
    pub(super) fn insert(
        &mut self,
        side: usize,
        slot: Slot,
        time: EventTime,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> RowId {
        let rows = &mut self.rows[side];
        let row = rows.insert(slot, time, write);
        if let (Some(due), Some(keep_ms)) = (&mut self.due, rows.layout.keep_ms) {
            let (sequence, moment) = (rows.entry(row).sequence, time.saturating_add(keep_ms));
            due.push(Hot { moment, side: side as u8, sequence, row, slot });
        }
        row
    }

    /// Takes a row away.
    pub(super) fn remove(&mut self, side: usize, row: RowId) {
        let slot = self.rows[side].entry(row).slot;
        self.rows[side].remove(row, &self.slots);
        self.emptied.push(slot);
    }

    /// Lets go of some of the rows whose moment is at or before `clock`. Gives those of the sides in `wanted` that have
    /// met nothing; `None` when no row is due any more.
    pub(super) fn expire(
        &mut self,
        clock: EventTime,
        wanted: [bool; 2],
        state: &mut StateScope<'_>,
    ) -> Result<Option<Expired>, OperatorError> {
        let Some(mut due) = self.due.take_if(|due| due.is_due(clock)) else { return Ok(None) };
        let expired = self.expire_due(&mut due, clock, wanted, state);
        self.due = Some(due);
        expired.map(Some)
    }

    fn expire_due(
        &mut self,
        due: &mut Due,
        clock: EventTime,
        wanted: [bool; 2],
        state: &mut StateScope<'_>,
    ) -> Result<Expired, OperatorError> {
        let hot_from = [self.rows[0].hot_from, self.rows[1].hot_from];
        let (stored, until) = due.read_stored(clock, hot_from, state)?;
        // By moment, side and sequence number; a row in memory, or one of the stored ones.
        let mut all: Vec<(EventTime, u8, u64, Result<Hot, usize>)> = Vec::new();
        while let Some(hot) = due.pop(until) {
            all.push((hot.moment, hot.side, hot.sequence, Ok(hot)));
        }
        for index in 0..stored.keys.len() {
            let place = (stored.moments[index], stored.sides[index], stored.sequences[index]);
            match self.find_stored(place, stored.keys.get(index)) {
                Some(hot) => all.push((place.0, place.1, place.2, Ok(hot))),
                None => all.push((place.0, place.1, place.2, Err(index))),
            }
        }
        all.sort_by_key(|(moment, side, sequence, _)| (*moment, *side, *sequence));
        let values = self.read_values(&all, &stored.keys, &stored.sequences, wanted, state)?;
        let mut expired = Expired::default();
        for ((moment, side, sequence, found), value) in all.iter().zip(&values) {
            let at = usize::from(*side);
            let rows = &mut self.rows[at];
            let time = moment.saturating_sub(rows.layout.keep_ms.unwrap_or(0));
            let unmatched = match found {
                Ok(Hot { row, .. }) => {
                    let entry = rows.entry(*row);
                    // It may have gone before, and its number may have been given to another.
                    if !entry.linked || (entry.sequence, entry.time) != (*sequence, time) {
                        continue;
                    }
                    let unmatched = wanted[at] && entry.matches == 0;
                    if unmatched {
                        expired.rows[at].push(rows.bytes(*row));
                    }
                    self.remove(at, *row);
                    unmatched
                }
                Err(index) => {
                    let value =
                        value.as_deref().map(|value| rows.decode(value).ok_or_else(|| rows.bad_row()));
                    let unmatched = match value.transpose()? {
                        Some((_, 0, row)) => {
                            expired.rows[at].push(row);
                            true
                        }
                        _ => false,
                    };
                    rows.forget_stored(stored.keys.get(*index), *sequence, time);
                    unmatched
                }
            };
            if unmatched {
                expired.order.push((*side, expired.rows[at].len() as u32 - 1));
                expired.times.push(time);
            }
        }
        Ok(expired)
    }

    /// A row that stands in the store, when it has been read into memory.
    fn find_stored(&self, (moment, side, sequence): (EventTime, u8, u64), key: &[u8]) -> Option<Hot> {
        let slot = self.slots.find(key)?;
        let rows = &self.rows[usize::from(side)];
        let mut row = rows.first(slot);
        while row != NONE {
            let entry = rows.entry(row);
            if entry.sequence >= sequence {
                let found = Hot { moment, side, sequence, row, slot };
                return (entry.sequence == sequence).then_some(found);
            }
            row = entry.next;
        }
        None
    }

    /// The values of rows that only the store has, where they are asked for.
    fn read_values(
        &self,
        all: &[(EventTime, u8, u64, Result<Hot, usize>)],
        keys: &BytesColumn,
        sequences: &[u64],
        wanted: [bool; 2],
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Option<Vec<u8>>>, OperatorError> {
        let mut values = vec![None; all.len()];
        for side in (0..2).filter(|side| wanted[*side]) {
            let mut places = Vec::new();
            let mut stored: Vec<Vec<u8>> = Vec::new();
            for (place, (_, of, _, found)) in all.iter().enumerate() {
                if let (true, Err(index)) = (usize::from(*of) == side, found) {
                    places.push(place);
                    stored.push(stored_key(keys.get(*index), sequences[*index]));
                }
            }
            let borrowed: Vec<&[u8]> = stored.iter().map(Vec::as_slice).collect();
            state.get_many(side as u16, &borrowed, |index, value| {
                values[places[index]] = value.map(<[u8]>::to_vec);
            })?;
        }
        Ok(values)
    }

    pub(super) fn delta(&mut self, out: &mut DeltaScope<'_>) {
        let mut moments: Vec<(bool, Vec<u8>)> = Vec::new();
        for (side, rows) in self.rows.iter_mut().enumerate() {
            let keep_ms = rows.layout.keep_ms;
            rows.delta(&self.slots, out.block(side as u16), |came, time, sequence, key| {
                if let Some(keep_ms) = keep_ms {
                    let mut stored = Vec::new();
                    encode(time.saturating_add(keep_ms), side as u8, sequence, key, &mut stored);
                    moments.push((came, stored));
                }
            });
        }
        for (came, stored) in moments {
            out.block(DUE).push(&stored, came.then_some(&[]));
        }
        let sequences = [self.rows[0].next_sequence, self.rows[1].next_sequence];
        if std::mem::replace(&mut self.stored_sequences, sequences) != sequences {
            let mut value = sequences[0].to_le_bytes().to_vec();
            value.extend(sequences[1].to_le_bytes());
            out.block(0).put(NEXT_SEQUENCES, &value);
        }
        self.emptied.sort_unstable();
        self.emptied.dedup();
        for slot in self.emptied.drain(..) {
            if self.rows.iter().all(|rows| rows.count(slot) == 0) {
                self.slots.remove(slot);
            }
        }
    }

    pub(super) fn restore(&mut self, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let sequences = match state.get(0, NEXT_SEQUENCES)? {
            None => [0, 0],
            Some(bytes) => {
                let numbers: &[u8; 16] = bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| corrupt("the next sequence numbers can't be read"))?;
                let number = |at: usize| numbers[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
                [number(0), number(8)]
            }
        };
        self.stored_sequences = sequences;
        for (side, rows) in self.rows.iter_mut().enumerate() {
            (rows.next_sequence, rows.hot_from) = (sequences[side], sequences[side]);
            rows.all_hot = true;
            // Keys begin with 0 or 1; the empty one is not a row's.
            state.scan(side as u16, &[0], None, |_, _| {
                rows.all_hot = false;
                ControlFlow::Break(())
            })?;
        }
        self.due.as_mut().map_or(Ok(()), |due| due.restore(state))
    }

    pub(super) fn evict(&mut self) {
        self.slots = SlotTable::with_seed(self.hash_seed);
        self.rows.iter_mut().for_each(RowBags::evict);
        self.emptied.clear();
        if let Some(due) = &mut self.due {
            due.evict();
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let rows: usize = self.rows.iter().map(RowBags::memory_bytes).sum();
        self.slots.memory_bytes() + rows + self.due.as_ref().map_or(0, Due::memory_bytes)
    }

    /// The columns of encoded rows of a side.
    pub(super) fn read(&self, side: usize, rows: &BytesColumn) -> Result<RecordBatch, OperatorError> {
        self.rows[side].codec().read(rows.iter())
    }
}
