//! The rows as the store has them: read when a key needs all of its rows, written with every commit.
//!
//! Stored key: the key, then the row's sequence number, big endian, so that a scan over a key gives its rows in the
//! order in which they came; stored value: the time (if rows go), matches (if they are counted), the row. Where rows only
//! ever come ([`Layout::is_packed`](super::Layout::is_packed)) the rows of a key that one commit adds are one stored
//! value, under the sequence number of the first: each with its length in front. A pair costs the journal, the checkpoint
//! and every compaction more than a row does.

use super::{Bag, Entry, NONE, RowBags, RowId};
use crate::OperatorError;
use crate::aggregate::prefix_end;
use crate::batch::EventTime;
use crate::keys::{Slot, SlotTable};
use crate::operator::StateScope;
use crate::rows::{read_length, write_length};
use millstream_state::DeltaBlock;
use std::ops::ControlFlow;

/// Bytes of the sequence number behind the key.
const SEQUENCE_BYTES: usize = 8;

/// A stored value of several rows that is longer takes no more.
const PACKED_BYTES: usize = 32 << 10;

impl RowBags {
    /// What is said of stored bytes that are no row.
    pub(crate) fn bad_row(&self) -> OperatorError {
        let detail = "a row can't be read".to_owned();
        OperatorError::CorruptState { operator: self.operator.to_owned(), detail }
    }

    /// Makes sure that all rows of these keys are in memory.
    pub(crate) fn load_all(
        &mut self,
        wanted: &[Slot],
        slots: &SlotTable,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        if !self.layout.single {
            return wanted.iter().try_for_each(|slot| self.load(*slot, slots.key(*slot), state));
        }
        let keys: Vec<Vec<u8>> = wanted.iter().map(|slot| stored_key(slots.key(*slot), 0)).collect();
        let borrowed: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let mut found: Vec<(usize, Vec<u8>)> = Vec::new();
        state.get_many(self.store, &borrowed, |index, value| {
            found.extend(value.map(|value| (index, value.to_vec())));
        })?;
        found.sort_unstable_by_key(|(index, _)| *index);
        for (index, value) in found {
            let row = self.add_stored(wanted[index], 0, &value).ok_or_else(|| self.bad_row())?;
            self.bags[wanted[index] as usize].last = row;
            self.link(wanted[index], NONE, row);
        }
        wanted.iter().for_each(|slot| self.bags[*slot as usize].complete = true);
        Ok(())
    }

    /// Reads the rows of a key that only the store has, and puts them in front of those in memory.
    fn load(&mut self, slot: Slot, key: &[u8], state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let Bag { first, last, .. } = self.bags[slot as usize];
        let hot_from = if first == NONE { u64::MAX } else { self.entries[first as usize].sequence };
        let (mut corrupt, mut before) = (false, NONE);
        self.bags[slot as usize].first = NONE;
        state.scan(self.store, key, prefix_end(key).as_deref(), |stored, value| {
            let sequence = stored[key.len()..].try_into().map(u64::from_be_bytes);
            if sequence.is_ok_and(|sequence| sequence >= hot_from) {
                return ControlFlow::Break(());
            }
            match sequence.ok().and_then(|sequence| self.add_all_stored(slot, sequence, value, before)) {
                Some(last) => before = last,
                None => corrupt = true,
            }
            ControlFlow::Continue(())
        })?;
        let bag = &mut self.bags[slot as usize];
        bag.complete = true;
        bag.last = if last == NONE { before } else { last };
        if first != NONE {
            if before == NONE {
                bag.first = first;
            } else {
                self.entries[before as usize].next = first;
                self.entries[first as usize].previous = before;
            }
        }
        if corrupt { Err(self.bad_row()) } else { Ok(()) }
    }

    /// The rows of a stored value, behind the row `before`. Gives the last.
    fn add_all_stored(
        &mut self,
        slot: Slot,
        sequence: u64,
        mut value: &[u8],
        mut before: RowId,
    ) -> Option<RowId> {
        if !self.layout.is_packed() {
            let row = self.add_stored(slot, sequence, value)?;
            self.link(slot, before, row);
            return Some(row);
        }
        // Between the first and the last of them there have been given at least as many numbers.
        for sequence in sequence.. {
            let length = read_length(&mut value)?;
            let row = self.add_stored(slot, sequence, value.get(..length)?)?;
            value = &value[length..];
            self.link(slot, before, row);
            before = row;
            if value.is_empty() {
                break;
            }
        }
        Some(before)
    }

    /// A row as the store has it, not linked yet.
    fn add_stored(&mut self, slot: Slot, sequence: u64, value: &[u8]) -> Option<RowId> {
        let (time, matches, bytes) = self.decode(value)?;
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        let entry = self.new_entry(slot, sequence, time, start, bytes.len() as u32);
        Some(self.add(Entry { matches, stored: true, ..entry }))
    }

    /// Time, matches and row of a stored value.
    pub(crate) fn decode<'v>(&self, value: &'v [u8]) -> Option<(EventTime, u32, &'v [u8])> {
        let (mut rest, mut time, mut matches) = (value, 0, 0);
        if self.layout.keep_ms.is_some() {
            let (head, tail) = rest.split_first_chunk::<8>()?;
            (time, rest) = (EventTime::from_le_bytes(*head), tail);
        }
        if self.layout.counted {
            matches = u32::try_from(read_length(&mut rest)?).ok()?;
        }
        Some((time, matches, rest))
    }

    /// Writes rows that came or changed, and takes away those that went. `due` is told of the rows that go by time and
    /// are new (true) or gone (false): time, sequence number and join key.
    pub(crate) fn delta(
        &mut self,
        slots: &SlotTable,
        block: &mut DeltaBlock,
        mut due: impl FnMut(bool, EventTime, u64, &[u8]),
    ) {
        // A row may come again under the same stored key: the later entry of a block wins.
        for (stored, time) in self.gone.keys.iter().zip(&self.gone.times) {
            block.delete(stored);
            let (key, sequence) = stored.split_at(stored.len() - SEQUENCE_BYTES);
            due(false, *time, sequence.try_into().map_or(0, u64::from_be_bytes), key);
        }
        self.gone.keys.clear();
        self.gone.times.clear();
        if self.layout.is_packed() {
            return self.packed_delta(slots, block);
        }
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for row in self.changed.drain(..) {
            let entry = &mut self.entries[row as usize];
            if !entry.linked {
                continue;
            }
            entry.changed = false;
            key.clear();
            key.extend_from_slice(slots.key(entry.slot));
            if !std::mem::replace(&mut entry.stored, true) {
                due(true, entry.time, entry.sequence, &key);
            }
            key.extend(entry.sequence.to_be_bytes());
            value.clear();
            if self.layout.keep_ms.is_some() {
                value.extend(entry.time.to_le_bytes());
            }
            if self.layout.counted {
                write_length(entry.matches as usize, &mut value);
            }
            value.extend_from_slice(&self.data[entry.start..entry.start + entry.length as usize]);
            block.put(&key, &value);
        }
        self.free.append(&mut self.freed);
        if self.dead_bytes > self.data.len() / 2 && self.dead_bytes > 1 << 16 {
            self.compact();
        }
    }

    /// Writes the rows that came, those of a key together.
    fn packed_delta(&mut self, slots: &SlotTable, block: &mut DeltaBlock) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for row in self.changed.drain(..) {
            let Entry { slot, sequence, stored, .. } = self.entries[row as usize];
            // The first row of a key that came takes those behind it along.
            if stored {
                continue;
            }
            key.clear();
            key.extend_from_slice(slots.key(slot));
            key.extend(sequence.to_be_bytes());
            value.clear();
            let mut next = row;
            while next != NONE && value.len() < PACKED_BYTES {
                let entry = &mut self.entries[next as usize];
                (entry.stored, entry.changed) = (true, false);
                write_length(entry.length as usize, &mut value);
                value.extend_from_slice(&self.data[entry.start..entry.start + entry.length as usize]);
                next = entry.next;
            }
            block.put(&key, &value);
        }
    }
}

/// The key of a row in its store.
pub(crate) fn stored_key(key: &[u8], sequence: u64) -> Vec<u8> {
    [key, &sequence.to_be_bytes()].concat()
}
