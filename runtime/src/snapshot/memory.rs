//! Snapshots in memory, for tests: a store that outlives processes, and does what it is told to do wrong.

use super::store::{SnapshotStore, StoreError, StoredObject};
use crate::clock::Clock;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Decides whether a request fails.
type Faults = Box<dyn FnMut() -> bool + Send>;

/// A store in memory. Clones share their content.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Shared {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    faults: Option<Faults>,
    removed: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        MemoryStore { shared: Arc::default(), clock }
    }

    /// Asks before each request whether it fails.
    pub fn set_faults(&self, faults: impl FnMut() -> bool + Send + 'static) {
        self.lock().faults = Some(Box::new(faults));
    }

    /// Nothing fails from now on.
    pub fn clear_faults(&self) {
        self.lock().faults = None;
    }

    /// Removes an object, as a disk or a person might. Says whether it was there.
    pub fn lose(&self, name: &str) -> bool {
        self.lock().objects.remove(name).is_some()
    }

    /// Number of objects removed through [`SnapshotStore::remove`].
    pub fn removed(&self) -> u64 {
        self.lock().removed
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self) -> Result<MutexGuard<'_, Shared>, StoreError> {
        let mut shared = self.lock();
        if shared.faults.as_mut().is_some_and(|faults| faults()) {
            return Err(self.unavailable("no answer"));
        }
        Ok(shared)
    }

    fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { store: self.describe(), reason: reason.to_owned() }
    }
}

impl SnapshotStore for MemoryStore {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn put(&self, name: &str, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError> {
        let mut read = Vec::new();
        content.read_to_end(&mut read).map_err(|error| self.unavailable(&error.to_string()))?;
        if read.len() as u64 != bytes {
            return Err(self.unavailable("another size than announced"));
        }
        let now = self.clock.monotonic_ms();
        self.ask()?.objects.entry(name.to_owned()).or_insert((read, now));
        Ok(())
    }

    fn get(&self, name: &str, to: &mut dyn Write) -> Result<(), StoreError> {
        let shared = self.ask()?;
        let Some((content, _)) = shared.objects.get(name) else {
            return Err(StoreError::Missing { store: self.describe(), name: name.to_owned() });
        };
        to.write_all(content).map_err(|error| self.unavailable(&error.to_string()))
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        let now = self.clock.monotonic_ms();
        let shared = self.ask()?;
        let object = |(name, (content, at)): (&String, &(Vec<u8>, u64))| StoredObject {
            name: name.clone(),
            bytes: content.len() as u64,
            age_ms: now.saturating_sub(*at),
        };
        Ok(shared.objects.iter().filter(|(name, _)| name.starts_with(prefix)).map(object).collect())
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        let mut shared = self.ask()?;
        for name in names {
            let removed = shared.objects.remove(name).is_some();
            shared.removed += u64::from(removed);
        }
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("objects", &self.lock().objects.len()).finish_non_exhaustive()
    }
}
