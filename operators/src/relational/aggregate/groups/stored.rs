//! What of the groups is in the store: read when they are met again, written at each commit, deleted when they go.

use super::super::accumulator::take;
use super::{GROUPS, GroupAggregate, GroupTable};
use crate::OperatorError;
use crate::keys::Slot;
use crate::operator::{DeltaScope, StateScope};

impl GroupTable {
    /// Reads those of some groups that the store has, all at once; their slots.
    pub(in super::super) fn load_all(
        &mut self,
        slots: &[Slot],
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Slot>, OperatorError> {
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Vec<u8>> = slots.iter().map(|slot| self.slots.key(*slot).to_vec()).collect();
        let borrowed: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let mut found: Vec<(usize, Vec<u8>)> = Vec::new();
        state.get_many(GROUPS, &borrowed, |index, value| {
            found.extend(value.map(|value| (index, value.to_vec())));
        })?;
        for (index, value) in &found {
            self.load(slots[*index], &keys[*index], value, state)?;
        }
        Ok(found.into_iter().map(|(index, _)| slots[index]).collect())
    }

    /// Reads a group as the store has it, its multisets included.
    pub(in super::super) fn load(
        &mut self,
        slot: Slot,
        stored_key: &[u8],
        stored: &[u8],
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        self.decode(slot, stored).ok_or_else(|| OperatorError::CorruptState {
            operator: "aggregate".to_owned(),
            detail: format!("{stored:02x?} is no group"),
        })?;
        for aggregate in &mut self.aggregates {
            if let GroupAggregate::Multiset(multisets, store) = aggregate {
                multisets.load(slot, stored_key, *store, state)?;
            }
        }
        self.sets.iter_mut().for_each(|set| set.is_stored(slot));
        self.stored[slot as usize] = true;
        Ok(())
    }

    /// Writes the touched groups: their values, or tombstones for those without rows, under `prefix` and their keys.
    /// Groups without rows are forgotten.
    pub(in super::super) fn delta(
        &mut self,
        keep_empty: bool,
        prefix: &[u8],
        out: &mut DeltaScope<'_>,
    ) -> Result<(), OperatorError> {
        let touched = std::mem::take(&mut self.touched);
        let slots = &self.slots;
        let write_key = |slot: Slot, key: &mut Vec<u8>| {
            key.extend_from_slice(prefix);
            key.extend_from_slice(slots.key(slot));
        };
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for slot in &touched {
            let exists = self.rows[*slot as usize] != 0 || keep_empty;
            if !exists && !self.stored[*slot as usize] {
                continue;
            }
            key.clear();
            write_key(*slot, &mut key);
            value.clear();
            if exists {
                self.encode(*slot, &mut value)?;
            }
            out.block(GROUPS).push(&key, exists.then_some(&value));
        }
        for aggregate in &mut self.aggregates {
            if let GroupAggregate::Multiset(multisets, store) = aggregate {
                multisets.delta(*store, write_key, out);
            }
        }
        self.sets.iter_mut().for_each(|set| set.delta(write_key, out));
        for slot in touched {
            let at = slot as usize;
            self.is_touched[at] = false;
            self.stored[at] = self.rows[at] != 0 || keep_empty;
            if !self.stored[at] {
                self.forget(slot);
            }
        }
        Ok(())
    }

    /// Writes tombstones for every group that is in the store, under `prefix` and its key: the whole table goes.
    pub(in super::super) fn delete_all(&self, prefix: &[u8], out: &mut DeltaScope<'_>) {
        self.delete_stored((0..self.slots.slot_count() as Slot).collect(), prefix, out);
    }

    /// Writes tombstones for those of these groups that are in the store, under their keys, and forgets all of them.
    pub(in super::super) fn delete_slots(&mut self, slots: &[Slot], out: &mut DeltaScope<'_>) {
        self.delete_stored(slots.to_vec(), &[], out);
        let mut gone = slots.to_vec();
        gone.sort_unstable();
        for aggregate in &mut self.aggregates {
            if let GroupAggregate::Multiset(multisets, _) = aggregate {
                multisets.drop_changes(&gone);
            }
        }
        for slot in gone {
            self.stored[slot as usize] = false;
            self.is_touched[slot as usize] = false;
            self.forget(slot);
        }
        self.touched.retain(|slot| self.is_touched[*slot as usize]);
    }

    fn delete_stored(&self, mut slots: Vec<Slot>, prefix: &[u8], out: &mut DeltaScope<'_>) {
        slots.retain(|slot| self.stored[*slot as usize]);
        // Slots depend on what was evicted and read back since; the order of keys does not.
        slots.sort_unstable_by(|a, b| self.slots.key(*a).cmp(self.slots.key(*b)));
        for slot in slots {
            let key = [prefix, self.slots.key(slot)].concat();
            out.block(GROUPS).delete(&key);
            for aggregate in &self.aggregates {
                if let GroupAggregate::Multiset(multisets, store) = aggregate {
                    multisets.delete_group(slot, *store, &key, out);
                }
            }
        }
    }

    fn encode(&self, slot: Slot, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        out.extend(self.rows[slot as usize].to_le_bytes());
        for aggregate in &self.aggregates {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.encode(slot, out),
                GroupAggregate::Own(own) => own.encode(slot, out)?,
                GroupAggregate::Multiset(..) => {}
            }
        }
        Ok(())
    }

    /// The same where all aggregates are plain.
    pub(super) fn encode_plain(&self, slot: Slot, out: &mut Vec<u8>) {
        out.extend(self.rows[slot as usize].to_le_bytes());
        for aggregate in &self.aggregates {
            if let GroupAggregate::Plain(accumulator) = aggregate {
                accumulator.encode(slot, out);
            }
        }
    }

    pub(super) fn decode(&mut self, slot: Slot, stored: &[u8]) -> Option<()> {
        let mut input = stored;
        self.rows[slot as usize] = i64::from_le_bytes(take(&mut input)?);
        for aggregate in &mut self.aggregates {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.decode(slot, &mut input)?,
                GroupAggregate::Own(own) => own.decode(slot, &mut input)?,
                GroupAggregate::Multiset(..) => {}
            }
        }
        input.is_empty().then_some(())
    }
}
