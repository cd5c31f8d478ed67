//! What keeps the objects of snapshots.

use std::io::{Read, Write};

/// Keeps objects by name. Names are made of letters, digits, `-`, `_`, `.` and `/`. Calls block: they are made beside
/// processing, never in a worker's turn.
pub trait SnapshotStore: Send + Sync {
    /// Where it is, for people.
    fn describe(&self) -> String;

    /// Stores an object of `bytes` bytes. It is there whole or not at all; where there is one of this name, its content is
    /// the same, and it stays.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: again later.
    fn put(&self, name: &str, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError>;

    /// Writes an object's content to `to`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none. [`StoreError::Unavailable`]: again later, from the beginning.
    fn get(&self, name: &str, to: &mut dyn Write) -> Result<(), StoreError>;

    /// The objects whose names begin with `prefix`, in the order of their names. Those that are not whole are listed
    /// too if something of them has to be removed, with fewer bytes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError>;

    /// Removes objects; those that are not there are no error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; some may have been removed.
    fn remove(&self, names: &[String]) -> Result<(), StoreError>;
}

/// An object of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// How long ago it was stored, by the store's own account.
    pub age_ms: u64,
}

/// Why a store did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("{store} has no object {name}")]
    Missing {
        /// The store.
        store: String,
        /// The object.
        name: String,
    },
    /// The store can't be reached, or refuses.
    #[error("{store}: {reason}")]
    Unavailable {
        /// The store.
        store: String,
        /// Why.
        reason: String,
    },
    /// What the store is to be made from is wrong.
    #[error("snapshots can't be kept at \"{location}\": {reason}")]
    BadLocation {
        /// What was given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
}
