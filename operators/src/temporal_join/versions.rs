//! Versions of the right side, by key and the time from which they are valid.
//!
//! Stored key: the join key, then the time, big endian; stored value: a marker (0: deleted, 1: row) and the row. A key's
//! versions are read from the store when it is first needed, all at once.

use super::{RIGHT, nullable, unsupported};
use crate::OperatorError;
use crate::aggregate::prefix_end;
use crate::batch::{Batch, EventTime};
use crate::keys::SlotTable;
use crate::operator::StateScope;
use crate::rows::RowCodec;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use millstream_state::DeltaBlock;
use std::ops::ControlFlow;

pub(super) struct Versions {
    codec: RowCodec,
    hash_seed: u64,
    keys: SlotTable,
    /// By slot, ascending by time.
    versions: Vec<Vec<Version>>,
    /// Stored keys with new values, or none, since the last delta; later ones win.
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The row that stands for no version.
    null_row: Vec<u8>,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    valid_from: EventTime,
    /// `None`: the key was deleted.
    row: Option<Box<[u8]>>,
}

impl Versions {
    pub(super) fn new(schema: &Schema, hash_seed: u64) -> Result<Self, OperatorError> {
        Ok(Versions {
            codec: RowCodec::new(nullable(schema)).map_err(unsupported)?,
            hash_seed,
            keys: SlotTable::with_seed(hash_seed),
            versions: Vec::new(),
            changes: Vec::new(),
            null_row: vec![0; schema.fields().len()],
            bytes: 0,
        })
    }

    /// Takes versions in, and forgets those that the watermark has made superfluous.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let (columns, keys) = (batch.columns()?, batch.keys()?);
        self.load_all(keys.iter(), state)?;
        let writer = self.codec.writer(columns)?;
        for (row, key) in keys.iter().enumerate() {
            let valid_from = batch.times[row];
            let row = (batch.ops.get(row) == 1).then(|| {
                let mut bytes = Vec::new();
                writer.write(row, &mut bytes);
                bytes.into_boxed_slice()
            });
            let stored = match &row {
                Some(row) => [&[1], &**row].concat(),
                None => vec![0],
            };
            self.changes.push((stored_key(key, valid_from), Some(stored)));
            self.bytes += row.as_ref().map_or(0, |row| row.len()) + size_of::<Version>();
            let (slot, _) = self.keys.find_or_insert(key);
            let versions = &mut self.versions[slot as usize];
            let version = Version { valid_from, row };
            // Of two versions of one time the later record is the right one.
            match versions.binary_search_by_key(&valid_from, |version| version.valid_from) {
                Ok(at) => versions[at] = version,
                Err(at) => versions.insert(at, version),
            }
            self.prune(slot as usize, key, watermark);
        }
        Ok(())
    }

    /// Of the versions that the watermark has reached only the last can still be asked for.
    fn prune(&mut self, slot: usize, key: &[u8], watermark: EventTime) {
        let versions = &mut self.versions[slot];
        let reached = versions.partition_point(|version| version.valid_from <= watermark);
        let mut superfluous = reached.saturating_sub(1);
        if reached > 0 && versions[superfluous].row.is_none() {
            superfluous += 1;
        }
        for version in versions.drain(..superfluous) {
            self.bytes -= version.row.as_ref().map_or(0, |row| row.len()) + size_of::<Version>();
            self.changes.push((stored_key(key, version.valid_from), None));
        }
    }

    /// Makes sure that the versions of keys are in memory.
    pub(super) fn load_all<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        for key in keys {
            let (slot, new) = self.keys.find_or_insert(key);
            if !new {
                continue;
            }
            self.versions.resize_with(self.keys.slot_count(), Vec::new);
            let versions = &mut self.versions[slot as usize];
            let mut corrupt = false;
            let bytes = &mut self.bytes;
            state.scan(RIGHT, key, prefix_end(key).as_deref(), |stored, value| {
                let time = stored[key.len()..]
                    .try_into()
                    .map(|time| EventTime::from_be_bytes(time) ^ EventTime::MIN);
                let row = match value.split_first() {
                    Some((0, [])) => Some(None),
                    Some((1, row)) => Some(Some(row.into())),
                    _ => None,
                };
                match (time, row) {
                    (Ok(valid_from), Some(row)) => {
                        *bytes += value.len() + size_of::<Version>();
                        versions.push(Version { valid_from, row });
                    }
                    _ => corrupt = true,
                }
                ControlFlow::Continue(())
            })?;
            if corrupt {
                let (operator, detail) = ("temporal join".to_owned(), "a version can't be read".to_owned());
                return Err(OperatorError::CorruptState { operator, detail });
            }
        }
        Ok(())
    }

    /// The row of a key that was valid at a time. The key has been loaded.
    pub(super) fn at(&self, key: &[u8], time: EventTime) -> Option<&[u8]> {
        let versions = &self.versions[self.keys.find(key)? as usize];
        let reached = versions.partition_point(|version| version.valid_from <= time);
        versions[..reached].last()?.row.as_deref()
    }

    /// The columns of rows found, null for those not found.
    pub(super) fn rows(&self, found: &[Option<&[u8]>]) -> Result<RecordBatch, OperatorError> {
        self.codec.read(found.iter().map(|row| row.unwrap_or(&self.null_row)))
    }

    pub(super) fn delta(&mut self, block: &mut DeltaBlock) {
        for (key, value) in self.changes.drain(..) {
            block.push(&key, value.as_deref());
        }
    }

    pub(super) fn evict(&mut self) {
        self.keys = SlotTable::with_seed(self.hash_seed);
        self.versions.clear();
        self.bytes = 0;
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.versions.capacity() * size_of::<Vec<Version>>() + self.bytes
    }
}

fn stored_key(key: &[u8], valid_from: EventTime) -> Vec<u8> {
    let mut stored = key.to_vec();
    stored.extend((valid_from ^ EventTime::MIN).to_be_bytes());
    stored
}
