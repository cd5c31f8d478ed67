//! The values that groups have had: what `DISTINCT` keeps over rows that are never taken back.
//!
//! A value counts where its group sees it first; after that rows with it change nothing, so a commit writes the values
//! that are new to their groups and not the ones that came again. All calls over one column share a set, whatever their
//! filters: a value has a bit for each of them, in a store of its own.
//!
//! ```text
//!   COUNT(DISTINCT bidder)                           bit 0
//!   COUNT(DISTINCT bidder) FILTER (WHERE price < 9)  bit 1      group key | value -> bits
//! ```
//!
//! What a set says of a value that is not in memory is read when a row asks for it. A group that never left memory has
//! all its values there, so nothing is read for it. That distinct counts share what they keep is Flink's idea too
//! (its `DistinctInfo`).

use super::AggregateCall;
use super::lane::Lane;
use crate::OperatorError;
use crate::batch::StreamKind;
use crate::keys::{KeyCodec, Slot, SlotTable};
use crate::operator::{DeltaScope, StateScope};
use arrow::array::{AsArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use millstream_state::BytesColumn;

/// Calls that one set serves.
const CALLS_MAX: usize = 64;

/// The column of a set and the calls over it, by bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedBy {
    pub(super) column: usize,
    pub(super) calls: Vec<usize>,
}

/// The sets that calls take when their input is of this kind: none where rows are taken back.
pub(super) fn shared(calls: &[AggregateCall], input: StreamKind) -> Vec<SharedBy> {
    let mut sets: Vec<SharedBy> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let Some(column) = call.argument.filter(|_| call.needs_set(input)) else { continue };
        match sets.iter_mut().find(|set| set.column == column && set.calls.len() < CALLS_MAX) {
            Some(set) => set.calls.push(index),
            None => sets.push(SharedBy { column, calls: vec![index] }),
        }
    }
    sets
}

/// One set over all groups of a table.
#[derive(Debug)]
pub(super) struct DistinctSet {
    by: SharedBy,
    codec: KeyCodec,
    store: u16,
    /// Entries by `slot of the group, 4 bytes | value`.
    entries: SlotTable,
    /// The calls that have had the value, by entry.
    bits: Vec<u64>,
    /// Entries whose bits changed since the last delta, in the order in which they did.
    changed: Vec<Slot>,
    is_changed: Vec<bool>,
    /// Whether the store may have values of the group that are not in memory, by slot.
    is_partial: Vec<bool>,
}

impl DistinctSet {
    pub(super) fn new(by: SharedBy, calls: &[AggregateCall], store: u16, hash_seed: u64) -> Self {
        let codec = KeyCodec::new(vec![calls[by.calls[0]].argument_type.clone()]);
        DistinctSet {
            by,
            codec: codec.expect("every type that can be aggregated can be a key"),
            store,
            entries: SlotTable::with_seed(hash_seed),
            bits: Vec::new(),
            changed: Vec::new(),
            is_changed: Vec::new(),
            is_partial: Vec::new(),
        }
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.is_partial.resize(slots, false);
    }

    /// Says that the group is in the store.
    pub(super) fn is_stored(&mut self, slot: Slot) {
        self.is_partial[slot as usize] = true;
    }

    /// For each of its calls, the rows whose value is new to their group. `group_key` gives the stored key of a slot's
    /// group.
    pub(super) fn first_rows<'k>(
        &mut self,
        slots: &[Slot],
        calls: &[AggregateCall],
        columns: &RecordBatch,
        group_key: impl Fn(Slot) -> &'k [u8],
        state: &mut StateScope<'_>,
    ) -> Result<Vec<(usize, NullBuffer)>, OperatorError> {
        let masks = self.masks(calls, columns)?;
        let values = self.codec.encode(std::slice::from_ref(columns.column(self.by.column)), slots.len())?;
        let entries = self.find(slots, &masks, &values, group_key, state)?;
        let mut first = vec![vec![false; slots.len()]; self.by.calls.len()];
        for (row, (entry, mask)) in entries.iter().zip(&masks).enumerate() {
            let Some(bits) = self.bits.get_mut(*entry as usize).filter(|bits| mask & !**bits != 0) else {
                continue;
            };
            let new = mask & !*bits;
            *bits |= new;
            if !std::mem::replace(&mut self.is_changed[*entry as usize], true) {
                self.changed.push(*entry);
            }
            each_bit(new, |bit| first[bit][row] = true);
        }
        let calls = self.by.calls.iter().copied();
        Ok(calls.zip(first.into_iter().map(|rows| NullBuffer::new(BooleanBuffer::from(rows)))).collect())
    }

    /// By row: the calls that take its value.
    fn masks(&self, calls: &[AggregateCall], columns: &RecordBatch) -> Result<Vec<u64>, OperatorError> {
        let mut masks = vec![0; columns.num_rows()];
        for (bit, call) in self.by.calls.iter().enumerate() {
            let filter = calls[*call].filter.map(|column| columns.column(column).as_boolean());
            let lane = Lane::new(Some(columns.column(self.by.column)), filter)?;
            match lane.valid() {
                None => masks.iter_mut().for_each(|mask| *mask |= 1 << bit),
                Some(valid) => valid.valid_indices().for_each(|row| masks[row] |= 1 << bit),
            }
        }
        Ok(masks)
    }

    /// By row: its entry; [`NO_ENTRY`] where no call takes the value.
    fn find<'k>(
        &mut self,
        slots: &[Slot],
        masks: &[u64],
        values: &BytesColumn,
        group_key: impl Fn(Slot) -> &'k [u8],
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Slot>, OperatorError> {
        let mut found = Vec::with_capacity(slots.len());
        let mut missing = Missing::default();
        let mut key = Vec::new();
        for ((slot, mask), value) in slots.iter().zip(masks).zip(values.iter()) {
            if *mask == 0 {
                found.push(NO_ENTRY);
                continue;
            }
            key.clear();
            key.extend(slot.to_le_bytes());
            key.extend_from_slice(value);
            let (entry, is_new) = self.entries.find_or_insert(&key);
            found.push(entry);
            if is_new && self.is_partial[*slot as usize] {
                missing.push(entry, group_key(*slot), value);
            }
        }
        self.bits.resize(self.entries.slot_count(), 0);
        self.is_changed.resize(self.entries.slot_count(), false);
        self.read(&missing, state)?;
        Ok(found)
    }

    /// Reads what the store says of entries.
    fn read(&mut self, missing: &Missing, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        if missing.entries.is_empty() {
            return Ok(());
        }
        let keys: Vec<&[u8]> = missing.keys.iter().collect();
        let bits = &mut self.bits;
        let mut corrupt = None;
        state.get_many(self.store, &keys, |index, stored| {
            let Some(stored) = stored else { return };
            let mut bytes = [0; 8];
            match bytes.get_mut(..stored.len()) {
                Some(start) => {
                    start.copy_from_slice(stored);
                    bits[missing.entries[index] as usize] = u64::from_le_bytes(bytes);
                }
                None => corrupt = Some(format!("{stored:02x?} are no bits of a set")),
            }
        })?;
        match corrupt {
            None => Ok(()),
            Some(detail) => Err(OperatorError::CorruptState { operator: "distinct".to_owned(), detail }),
        }
    }

    /// Writes the values that are new to their groups. `write_key` appends the stored key of a slot's group.
    pub(super) fn delta(&mut self, write_key: impl Fn(Slot, &mut Vec<u8>), out: &mut DeltaScope<'_>) {
        let block = out.block(self.store);
        let bytes = self.by.calls.len().div_ceil(8);
        let mut key = Vec::new();
        for entry in self.changed.drain(..) {
            self.is_changed[entry as usize] = false;
            let Some((slot, value)) = self.entries.key(entry).split_first_chunk() else { continue };
            key.clear();
            write_key(Slot::from_le_bytes(*slot), &mut key);
            key.extend_from_slice(value);
            block.put(&key, &self.bits[entry as usize].to_le_bytes()[..bytes]);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes()
            + self.bits.capacity() * 9
            + self.changed.capacity() * size_of::<Slot>()
            + self.is_partial.capacity()
    }
}

/// Of a row that no call takes.
const NO_ENTRY: Slot = Slot::MAX;

/// Entries that the store is asked for, with their keys there.
#[derive(Default)]
struct Missing {
    entries: Vec<Slot>,
    keys: BytesColumn,
}

impl Missing {
    fn push(&mut self, entry: Slot, group_key: &[u8], value: &[u8]) {
        self.entries.push(entry);
        let key = self.keys.open_row();
        key.extend_from_slice(group_key);
        key.extend_from_slice(value);
        self.keys.seal_row();
    }
}

fn each_bit(mut bits: u64, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
