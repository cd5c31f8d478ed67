//! What a checkpoint is kept in: RocksDB, or memory in tests.
//!
//! Both hold the same pairs: `store u16 (big endian) | key` for the stores, and under the reserved store 0xffff the
//! identity and the mark.

use crate::memory::MemoryDisk;
use crate::rocks::Rocks;
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

/// A checkpoint about to be written: pairs, `None` for a deletion.
pub(crate) type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

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

    pub(crate) fn write(&mut self, writes: Writes) -> Result<(), StateError> {
        match self {
            Base::Memory(disk) => {
                disk.write(writes);
                Ok(())
            }
            Base::Rocks(rocks) => rocks.write(writes),
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
