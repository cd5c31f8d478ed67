//! Versions of the right side, by key and the time from which they are valid.
//!
//! Stored key: the join key, then the time, big endian; stored value: a marker (0: deleted, 1: row) and the row. A key's
//! versions are read from the store when it is first needed, all at once.
//!
//! A version goes when the watermark reaches the next one, a deletion when the watermark reaches it. Which keys have
//! such a time ahead of them stands in [`Due`], so that keys that nothing is heard of any more are cleared up too.

use super::due::Due;
use super::{DUE, RIGHT, nullable, unsupported};
use crate::OperatorError;
use crate::aggregate::prefix_end;
use crate::batch::{Batch, EventTime};
use crate::keys::{Slot, SlotTable};
use crate::operator::{DeltaScope, StateScope};
use crate::rows::RowCodec;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use std::ops::{ControlFlow, Range};

pub(super) struct Versions {
    codec: RowCodec,
    hash_seed: u64,
    keys: SlotTable,
    /// By slot, ascending by time.
    versions: Vec<Vec<Version>>,
    due: Due,
    /// Up to which watermark versions have been let go of.
    pruned_until: EventTime,
    /// Versions that came since the last delta.
    came: Vec<(Slot, EventTime)>,
    /// Versions that went since the last delta, and are in the store.
    gone: Vec<(Slot, EventTime)>,
    /// The row that stands for no version.
    null_row: Vec<u8>,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    valid_from: EventTime,
    /// `None`: the key was deleted.
    row: Option<Box<[u8]>>,
    /// Whether a version of that time is in the store, and whether it is this one.
    stored: bool,
    changed: bool,
}

impl Version {
    fn bytes(&self) -> usize {
        self.row.as_ref().map_or(0, |row| row.len()) + size_of::<Version>()
    }
}

impl Versions {
    pub(super) fn new(schema: &Schema, hash_seed: u64) -> Result<Self, OperatorError> {
        Ok(Versions {
            codec: RowCodec::new(nullable(schema)).map_err(unsupported)?,
            hash_seed,
            keys: SlotTable::with_seed(hash_seed),
            versions: Vec::new(),
            due: Due::default(),
            pruned_until: EventTime::MIN,
            came: Vec::new(),
            gone: Vec::new(),
            null_row: vec![0; schema.fields().len()],
            bytes: 0,
        })
    }

    /// Takes some rows of a batch in.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        rows: Range<usize>,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let (columns, keys) = (batch.columns()?, batch.keys()?);
        let slots = self.load_all(rows.clone().map(|row| keys.get(row)), state)?;
        let writer = self.codec.writer(columns)?;
        let mut scratch = Vec::new();
        for (row, slot) in rows.zip(slots) {
            let valid_from = batch.times[row];
            let content = (batch.ops.get(row) == 1).then(|| {
                scratch.clear();
                writer.write(row, &mut scratch);
                scratch.as_slice().into()
            });
            let mut version = Version { valid_from, row: content, stored: false, changed: true };
            self.change(slot, |this| {
                this.bytes += version.bytes();
                let versions = &mut this.versions[slot as usize];
                // Of two versions of one time the later record is the right one.
                match versions.binary_search_by_key(&valid_from, |version| version.valid_from) {
                    Ok(at) => {
                        let old = &mut versions[at];
                        this.bytes -= old.bytes();
                        if !old.changed {
                            this.came.push((slot, valid_from));
                        }
                        version.stored = old.stored;
                        *old = version;
                    }
                    Err(at) => {
                        this.came.push((slot, valid_from));
                        versions.insert(at, version);
                    }
                }
                this.prune(slot);
            });
        }
        Ok(())
    }

    /// Lets go of the versions that a watermark has made superfluous.
    pub(super) fn prune_until(
        &mut self,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        self.pruned_until = self.pruned_until.max(watermark);
        while let Some((time, key)) = self.due.first_until(watermark) {
            self.due.remove(time, &key);
            for slot in self.load_all(std::iter::once(&*key), state)? {
                self.prune(slot);
                due_time(&self.versions[slot as usize]).inspect(|time| self.due.insert(*time, &key));
            }
        }
        Ok(())
    }

    /// Changes the versions of a key, and when it is due next.
    fn change(&mut self, slot: Slot, change: impl FnOnce(&mut Self)) {
        let before = due_time(&self.versions[slot as usize]);
        change(self);
        let after = due_time(&self.versions[slot as usize]);
        if before != after {
            let key = self.keys.key(slot);
            before.inspect(|time| self.due.remove(*time, key));
            after.inspect(|time| self.due.insert(*time, key));
        }
    }

    /// Of the versions that the watermark has reached only the last can still be asked for.
    fn prune(&mut self, slot: Slot) {
        let versions = &mut self.versions[slot as usize];
        let reached = versions.partition_point(|version| version.valid_from <= self.pruned_until);
        let mut superfluous = reached.saturating_sub(1);
        if reached > 0 && versions[superfluous].row.is_none() {
            superfluous += 1;
        }
        for version in versions.drain(..superfluous) {
            self.bytes -= version.bytes();
            if version.stored {
                self.gone.push((slot, version.valid_from));
            }
        }
    }

    /// Makes sure that the versions of keys are in memory, and gives the slots of the keys.
    pub(super) fn load_all<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Slot>, OperatorError> {
        let mut slots = Vec::with_capacity(keys.size_hint().0);
        for key in keys {
            let (slot, new) = self.keys.find_or_insert(key);
            slots.push(slot);
            if new {
                self.versions.resize_with(self.keys.slot_count(), Vec::new);
                self.load(slot, key, state)?;
            }
        }
        Ok(slots)
    }

    fn load(&mut self, slot: Slot, key: &[u8], state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let versions = &mut self.versions[slot as usize];
        let mut corrupt = false;
        let bytes = &mut self.bytes;
        state.scan(RIGHT, key, prefix_end(key).as_deref(), |stored, value| {
            let time =
                stored[key.len()..].try_into().map(|time| EventTime::from_be_bytes(time) ^ EventTime::MIN);
            let row = match value.split_first() {
                Some((0, [])) => Some(None),
                Some((1, row)) => Some(Some(row.into())),
                _ => None,
            };
            match (time, row) {
                (Ok(valid_from), Some(row)) => {
                    let version = Version { valid_from, row, stored: true, changed: false };
                    *bytes += version.bytes();
                    versions.push(version);
                }
                _ => corrupt = true,
            }
            ControlFlow::Continue(())
        })?;
        if corrupt {
            let (operator, detail) = ("temporal join".to_owned(), "a version can't be read".to_owned());
            return Err(OperatorError::CorruptState { operator, detail });
        }
        Ok(())
    }

    /// The row of a loaded key that was valid at a time.
    pub(super) fn at(&self, slot: Slot, time: EventTime) -> Option<&[u8]> {
        let versions = &self.versions[slot as usize];
        let reached = versions.partition_point(|version| version.valid_from <= time);
        versions[..reached].last()?.row.as_deref()
    }

    /// The columns of rows found, null for those not found.
    pub(super) fn rows(&self, found: &[Option<&[u8]>]) -> Result<RecordBatch, OperatorError> {
        self.codec.read(found.iter().map(|row| row.unwrap_or(&self.null_row)))
    }

    pub(super) fn delta(&mut self, out: &mut DeltaScope<'_>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let block = out.block(RIGHT);
        for (slot, valid_from) in self.gone.drain(..) {
            let versions = &mut self.versions[slot as usize];
            match versions.binary_search_by_key(&valid_from, |version| version.valid_from) {
                // It came again since, and is written below.
                Ok(_) => {}
                Err(_) => {
                    stored_key(self.keys.key(slot), valid_from, &mut key);
                    block.delete(&key);
                }
            }
        }
        for (slot, valid_from) in self.came.drain(..) {
            let versions = &mut self.versions[slot as usize];
            let place = versions.binary_search_by_key(&valid_from, |version| version.valid_from);
            let Some(version) = place.ok().map(|at| &mut versions[at]).filter(|version| version.changed)
            else {
                continue;
            };
            (version.stored, version.changed) = (true, false);
            stored_key(self.keys.key(slot), valid_from, &mut key);
            value.clear();
            value.push(version.row.is_some().into());
            value.extend_from_slice(version.row.as_deref().unwrap_or_default());
            block.put(&key, &value);
        }
        self.due.delta(out.block(DUE));
    }

    pub(super) fn restore(
        &mut self,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        self.pruned_until = watermark;
        self.due = Due::read(state)?;
        Ok(())
    }

    pub(super) fn evict(&mut self) {
        self.keys = SlotTable::with_seed(self.hash_seed);
        self.versions.clear();
        self.bytes = 0;
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let slots = self.versions.capacity() * size_of::<Vec<Version>>();
        self.keys.memory_bytes() + slots + self.bytes + self.due.memory_bytes()
    }
}

/// When the first of a key's versions becomes superfluous: when the second is reached, or a deletion is.
fn due_time(versions: &[Version]) -> Option<EventTime> {
    match versions {
        [Version { row: None, valid_from, .. }, ..] | [_, Version { valid_from, .. }, ..] => {
            Some(*valid_from)
        }
        _ => None,
    }
}

fn stored_key(key: &[u8], valid_from: EventTime, stored: &mut Vec<u8>) {
    stored.clear();
    stored.extend_from_slice(key);
    stored.extend((valid_from ^ EventTime::MIN).to_be_bytes());
}
