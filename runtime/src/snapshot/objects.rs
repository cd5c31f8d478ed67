//! Snapshots in object storage: whatever a URL of the `object_store` crate names.

use super::directory::DirectoryStore;
use super::store::{SnapshotStore, StoreError, StoredObject};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use std::future::Future;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Runtime;
use url::Url;

/// Bytes of a piece: larger objects are written and read in pieces of this size.
const PIECE_BYTES: u64 = 8 << 20;

/// A bucket, or a part of one.
pub struct ObjectStorage {
    location: String,
    store: Box<dyn ObjectStore>,
    root: Path,
    runtime: Runtime,
}

impl ObjectStorage {
    /// The store that a URL names: `file:///directory`, `memory:///`, and with the crate's features `s3://bucket/prefix`,
    /// `gs://..` and `az://..`, whose credentials come from the environment as their own tools expect them.
    ///
    /// # Errors
    /// [`StoreError::BadLocation`].
    pub fn open(location: &str) -> Result<Arc<dyn SnapshotStore>, StoreError> {
        let bad = |reason: String| StoreError::BadLocation { location: location.to_owned(), reason };
        let url = Url::parse(location).map_err(|error| bad(format!("not a URL ({error})")))?;
        if url.scheme() == "file" {
            let path: PathBuf = url.to_file_path().map_err(|()| bad("not an absolute path".to_owned()))?;
            return Ok(Arc::new(DirectoryStore::new(path)));
        }
        let environment = std::env::vars().map(|(key, value)| (key.to_ascii_lowercase(), value));
        let opened = object_store::parse_url_opts(&url, environment);
        let (store, root) = opened.map_err(|error| match error {
            // A scheme it knows, but was not built with.
            Error::Generic { .. } => bad(format!(
                "{error}; this build has file:// and memory://, and what its features s3, gcs and azure add"
            )),
            error => bad(error.to_string()),
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| bad(error.to_string()))?;
        Ok(Arc::new(ObjectStorage { location: location.to_owned(), store, root, runtime }))
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    fn unavailable(&self, reason: &dyn std::fmt::Display) -> StoreError {
        StoreError::Unavailable { store: self.describe(), reason: reason.to_string() }
    }

    fn wait<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
        self.runtime.block_on(work)
    }

    fn put_pieces(&self, path: &Path, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError> {
        let mut upload =
            self.wait(self.store.put_multipart(path)).map_err(|error| self.unavailable(&error))?;
        let mut left = bytes;
        while left > 0 {
            let piece = match read_piece(content, left.min(PIECE_BYTES)) {
                Ok(piece) => piece,
                Err(error) => {
                    let _ = self.wait(upload.abort());
                    return Err(self.unavailable(&error));
                }
            };
            left -= piece.len() as u64;
            if let Err(error) = self.wait(upload.put_part(PutPayload::from(piece))) {
                let _ = self.wait(upload.abort());
                return Err(self.unavailable(&error));
            }
        }
        self.wait(upload.complete()).map(drop).map_err(|error| self.unavailable(&error))
    }
}

fn read_piece(content: &mut dyn Read, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut piece = vec![0; bytes as usize];
    content.read_exact(&mut piece)?;
    Ok(piece)
}

impl SnapshotStore for ObjectStorage {
    fn describe(&self) -> String {
        self.location.clone()
    }

    fn put(&self, name: &str, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError> {
        let path = self.path(name);
        match self.wait(self.store.head(&path)) {
            Ok(there) if there.size == bytes => return Ok(()),
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(self.unavailable(&error)),
        }
        // Names say the content: who writes the same name at the same time writes the same bytes.
        if bytes > PIECE_BYTES {
            return self.put_pieces(&path, bytes, content);
        }
        let piece = read_piece(content, bytes).map_err(|error| self.unavailable(&error))?;
        match self.wait(self.store.put_opts(&path, PutPayload::from(piece), PutMode::Create.into())) {
            Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn get(&self, name: &str, to: &mut dyn Write) -> Result<(), StoreError> {
        let path = self.path(name);
        let failed = |error: Error| match error {
            Error::NotFound { .. } => StoreError::Missing { store: self.describe(), name: name.to_owned() },
            error => self.unavailable(&error),
        };
        let size = self.wait(self.store.head(&path)).map_err(failed)?.size;
        let mut at = 0;
        while at < size {
            let range = at..size.min(at + PIECE_BYTES);
            at = range.end;
            let piece = self.wait(self.store.get_range(&path, range)).map_err(failed)?;
            to.write_all(&piece).map_err(|error| self.unavailable(&error))?;
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        let now_ms = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let directory = self.path(prefix);
        let listed = self.wait(self.store.list_with_delimiter(Some(&directory)));
        let listed = listed.map_err(|error| self.unavailable(&error))?;
        let objects = listed.objects.into_iter().map(|object| StoredObject {
            name: format!("{prefix}{}", object.location.filename().unwrap_or_default()),
            bytes: object.size,
            age_ms: u64::try_from(now_ms - object.last_modified.timestamp_millis()).unwrap_or(0),
        });
        let mut objects: Vec<StoredObject> = objects.collect();
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(objects)
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        for name in names {
            match self.wait(self.store.delete(&self.path(name))) {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.unavailable(&error)),
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for ObjectStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStorage").field("location", &self.location).finish_non_exhaustive()
    }
}
