//! A disk in memory, for tests and simulations.

use crate::base::ScanCallback;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

/// Stands for a task's directory in tests: it outlives the [`crate::TaskState`] opened on it, as a directory outlives
/// its process, so a test can crash the one and open the other. Clones share the content.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    pairs: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl MemoryDisk {
    /// A copy with a life of its own: what a backup of the directory would hold.
    pub fn fork(&self) -> Self {
        MemoryDisk { pairs: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Removes everything, as `rm -r` would.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Replaces the content by `other`'s, as putting back a backup would.
    pub fn replace_with(&self, other: &MemoryDisk) {
        let content = other.lock().clone();
        *self.lock() = content;
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().get(key).cloned()
    }

    pub(crate) fn scan(&self, lower: &[u8], upper: &[u8], each: ScanCallback<'_>) {
        if lower >= upper {
            return;
        }
        let range = (Bound::Included(lower), Bound::Excluded(upper));
        for (key, value) in self.lock().range::<[u8], _>(range) {
            if each(key, value).is_break() {
                return;
            }
        }
    }

    pub(crate) fn each(&self, mut each: impl FnMut(&[u8], &[u8])) {
        self.lock().iter().for_each(|(key, value)| each(key, value));
    }

    pub(crate) fn replace_pairs(&self, pairs: BTreeMap<Vec<u8>, Vec<u8>>) {
        *self.lock() = pairs;
    }

    pub(crate) fn write(&self, writes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
        let mut pairs = self.lock();
        for (key, value) in writes {
            match value {
                Some(value) => pairs.insert(key, value),
                None => pairs.remove(&key),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.pairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
