//! What a checkpoint is kept in: RocksDB, or memory in tests.
//!
//! Both hold the same pairs: `store u16 (big endian) | key` for the stores, and under the reserved store 0xffff the
//! identity and the mark.

use crate::memory::MemoryDisk;
use crate::rocks::{Rocks, RocksWrites};
use crate::{StateError, StoreId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The store that holds identity and mark.
pub(crate) const META: StoreId = StoreId(u16::MAX);

/// Calls of a scan: key, value.
pub(crate) type ScanCallback<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

#[derive(Debug, Clone)]
pub(crate) enum Base {
    Memory(MemoryDisk),
    Rocks(Arc<Rocks>),
}

/// A checkpoint about to be written, as what it is written to takes it: nothing is copied once more.
pub(crate) enum Writes {
    Memory(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Rocks(RocksWrites),
}

impl Writes {
    /// Adds a pair, or a deletion where there is no value.
    pub(crate) fn push(&mut self, store: StoreId, key: &[u8], value: Option<&[u8]>) {
        match self {
            Writes::Memory(pairs) => pairs.push((prefixed(store, key), value.map(<[u8]>::to_vec))),
            Writes::Rocks(batch) => batch.push(store, key, value),
        }
    }
}

impl Base {
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        match self {
            Base::Memory(disk) => Ok(disk.get(key)),
            Base::Rocks(rocks) => rocks.get(key),
        }
    }

    /// Values of `keys`, given to `each` in the order of the keys.
    pub(crate) fn get_many(
        &self,
        keys: &[&[u8]],
        mut each: impl FnMut(usize, Option<&[u8]>),
    ) -> Result<(), StateError> {
        match self {
            Base::Memory(disk) => {
                for (index, key) in keys.iter().enumerate() {
                    each(index, disk.get(key).as_deref());
                }
                Ok(())
            }
            Base::Rocks(rocks) => rocks.get_many(keys, each),
        }
    }

    /// Walks keys in `[lower, upper)` in order until `each` breaks.
    pub(crate) fn scan(&self, lower: &[u8], upper: &[u8], each: ScanCallback<'_>) -> Result<(), StateError> {
        match self {
            Base::Memory(disk) => {
                disk.scan(lower, upper, each);
                Ok(())
            }
            Base::Rocks(rocks) => rocks.scan(lower, upper, each),
        }
    }

    /// Writes for [`Base::write`], none yet.
    pub(crate) fn writes(&self) -> Writes {
        match self {
            Base::Memory(_) => Writes::Memory(Vec::new()),
            Base::Rocks(_) => Writes::Rocks(RocksWrites::default()),
        }
    }

    /// Writes all of it or nothing.
    pub(crate) fn write(&mut self, writes: Writes) -> Result<(), StateError> {
        match (self, writes) {
            (Base::Memory(disk), Writes::Memory(pairs)) => {
                disk.write(pairs);
                Ok(())
            }
            (Base::Rocks(rocks), Writes::Rocks(batch)) => rocks.write(batch),
            _ => unreachable!("writes are made by the base that they are for"),
        }
    }

    /// Has what was written brought to the disk, without waiting for it.
    pub(crate) fn flush_soon(&self) -> Result<(), StateError> {
        match self {
            Base::Memory(_) => Ok(()),
            Base::Rocks(rocks) => rocks.flush_soon(),
        }
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) -> Result<(), StateError> {
        match self {
            Base::Memory(disk) => {
                disk.clear();
                Ok(())
            }
            Base::Rocks(rocks) => rocks.clear(),
        }
    }

    /// Where it is, for errors.
    pub(crate) fn path(&self) -> &std::path::Path {
        match self {
            Base::Memory(_) => std::path::Path::new("(memory)"),
            Base::Rocks(rocks) => rocks.path(),
        }
    }
}

/// The key as the base has it.
pub(crate) fn prefixed(store: StoreId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + key.len());
    out.extend(store.0.to_be_bytes());
    out.extend(key);
    out
}
