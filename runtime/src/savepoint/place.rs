//! Where savepoints are, and reading them.

use super::{MANIFEST, Savepoint, SavepointError};
use crate::snapshot::{DirectoryStore, ObjectStorage, SnapshotStore, StoreError};
use millstream_state::content_name;
use std::path::Path;
use std::sync::Arc;

/// A savepoint that was found.
#[derive(Clone)]
pub struct OpenSavepoint {
    /// Where it is.
    pub place: String,
    /// What it consists of.
    pub savepoint: Savepoint,
    /// Its id: the content name of its manifest.
    pub id: String,
    pub(crate) store: Arc<dyn SnapshotStore>,
}

/// The store at a place: a URL, or the path of a directory. Gives it with the place as it is found from anywhere.
///
/// # Errors
/// [`SavepointError::Store`] for a place that can't be used.
pub fn open_place(place: &str) -> Result<(Arc<dyn SnapshotStore>, String), SavepointError> {
    if place.contains("://") {
        return Ok((ObjectStorage::open(place)?, place.to_owned()));
    }
    let path = std::path::absolute(place).map_err(|error| {
        let (place, reason) = (place.to_owned(), error.to_string());
        StoreError::BadPlace { place, reason }
    })?;
    let absolute = path.display().to_string();
    Ok((Arc::new(DirectoryStore::new(path)), absolute))
}

impl OpenSavepoint {
    /// The savepoint at a place.
    ///
    /// # Errors
    /// [`SavepointError::Missing`], [`SavepointError::Damaged`], [`SavepointError::Newer`], [`SavepointError::Store`].
    pub fn open(place: &str) -> Result<Self, SavepointError> {
        let (store, place) = open_place(place)?;
        Self::read(store, &place)
    }

    pub(crate) fn read(store: Arc<dyn SnapshotStore>, place: &str) -> Result<Self, SavepointError> {
        let bytes = read_manifest(&*store)?;
        let bytes = bytes.ok_or_else(|| SavepointError::Missing { place: place.to_owned() })?;
        let savepoint = Savepoint::decode(place, &bytes)?;
        Ok(OpenSavepoint { place: place.to_owned(), savepoint, id: content_name(&bytes), store })
    }

    /// Where its objects are.
    pub fn store(&self) -> &Arc<dyn SnapshotStore> {
        &self.store
    }

    /// Whether it is kept in a directory of this machine.
    pub fn is_directory(&self) -> bool {
        !self.place.contains("://") && Path::new(&self.place).is_dir()
    }
}

/// The manifest's bytes, if there is one.
pub(super) fn read_manifest(store: &dyn SnapshotStore) -> Result<Option<Vec<u8>>, SavepointError> {
    let mut bytes = Vec::new();
    match store.get(MANIFEST, &mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl std::fmt::Debug for OpenSavepoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSavepoint")
            .field("place", &self.place)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
