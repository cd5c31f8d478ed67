//! Making a task's state from a snapshot, a file a turn.

use super::SnapshotRef;
use super::store::{SnapshotStore, StoreError};
use super::upload::{UploadError, read_manifest};
use crate::restore::RestoreProgress;
use millstream_state::{Adoption, Import, SnapshotManifest, StateError};
use std::io::{self, Write};
use std::sync::Arc;

/// A snapshot being fetched.
pub(crate) struct Download {
    store: Arc<dyn SnapshotStore>,
    pub(crate) snapshot: SnapshotRef,
    manifest: Option<SnapshotManifest>,
    import: Option<Import>,
    /// For state of another identity.
    adoption: Option<Adoption>,
    next: usize,
}

/// Why a snapshot can't be had.
#[derive(Debug)]
pub(crate) enum DownloadError {
    /// The store does not answer: again later.
    Wait(String),
    /// It is gone or damaged: take another one.
    Unusable(String),
    /// The state directory failed.
    State(StateError),
}

impl From<StoreError> for DownloadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => DownloadError::Wait(error.to_string()),
            StoreError::Missing { .. } | StoreError::BadLocation { .. } => {
                DownloadError::Unusable(error.to_string())
            }
        }
    }
}

impl From<StateError> for DownloadError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::SnapshotDamaged { .. } => DownloadError::Unusable(error.to_string()),
            error => DownloadError::State(error),
        }
    }
}

impl Download {
    pub(crate) fn new(store: Arc<dyn SnapshotStore>, snapshot: SnapshotRef, import: Import) -> Self {
        Download { store, snapshot, manifest: None, import: Some(import), adoption: None, next: 0 }
    }

    /// The same of state that is another job's so far.
    pub(crate) fn adopting(
        store: Arc<dyn SnapshotStore>,
        snapshot: SnapshotRef,
        import: Import,
        adoption: Adoption,
    ) -> Self {
        Download { adoption: Some(adoption), ..Self::new(store, snapshot, import) }
    }

    /// Does a bounded piece of work; `true` when the state is in place.
    pub(crate) fn turn(&mut self, progress: &RestoreProgress) -> Result<bool, DownloadError> {
        let Some(manifest) = &self.manifest else {
            let manifest = read_manifest(&*self.store, &self.snapshot).map_err(|error| match error {
                UploadError::Store(error) => error.into(),
                UploadError::State(error) => error.into(),
                error => DownloadError::Unusable(error.to_string()),
            })?;
            progress.expect_fetch(manifest.bytes());
            self.manifest = Some(manifest);
            return Ok(false);
        };
        let Some(import) = &mut self.import else { return Ok(true) };
        let Some(file) = manifest.files.get(self.next) else {
            match (self.import.take(), &self.adoption) {
                (Some(import), Some(adoption)) => import.finish_adopted(adoption)?,
                (Some(import), None) => import.finish()?,
                (None, _) => {}
            }
            return Ok(true);
        };
        let mut out = Counted { out: import.file(file)?, bytes: 0 };
        self.store.get(&file.object, &mut out)?;
        let bytes = out.bytes;
        out.out.finish()?;
        progress.fetched(bytes);
        self.next += 1;
        Ok(false)
    }
}

struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
