//! Snapshots in a directory: of this machine, or of one that is mounted.

use super::store::{SnapshotStore, StoreError, StoredObject};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the names of files begin with that are being written.
const UNFINISHED: &str = ".writing-";

/// A directory of objects: files, at the paths that their names say. An object is written beside its place and synced,
/// then linked there, so that it is whole or not there whatever happens.
#[derive(Debug)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// Objects below `root`, which is made when the first is stored.
    pub fn new(root: PathBuf) -> Self {
        DirectoryStore { root }
    }

    fn unavailable(&self, path: &Path, error: &io::Error) -> StoreError {
        StoreError::Unavailable { store: self.describe(), reason: format!("{}: {error}", path.display()) }
    }

    fn walk(&self, directory: &Path, prefix: &str, found: &mut Vec<StoredObject>) -> io::Result<()> {
        let entries = match std::fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let Ok(name) = path.strip_prefix(&self.root) else { continue };
            let name = name.to_string_lossy().into_owned();
            // Files come and go meanwhile.
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                let within = format!("{name}/");
                if within.starts_with(prefix) || prefix.starts_with(&within) {
                    self.walk(&path, prefix, found)?;
                }
            } else if name.starts_with(prefix) {
                let age = metadata.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
                found.push(StoredObject { name, bytes: metadata.len(), age_ms: age.as_millis() as u64 });
            }
        }
        Ok(())
    }
}

/// Makes a directory and those above it, to stay after a power cut too. For its owner's eyes only, as the state is that
/// comes to be there.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), make_directory)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    above.map_or(Ok(()), |above| File::open(above)?.sync_all())
}

fn write_file(path: &Path, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let written = io::copy(content, &mut file)?;
    if written != bytes {
        return Err(io::Error::other(format!("{written} bytes came instead of {bytes}")));
    }
    file.sync_all()
}

impl SnapshotStore for DirectoryStore {
    fn describe(&self) -> String {
        format!("directory {}", self.root.display())
    }

    fn put(&self, name: &str, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = self.root.join(name);
        if path.exists() {
            return Ok(());
        }
        let directory = path.parent().unwrap_or(&self.root);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let unfinished = directory.join(format!("{UNFINISHED}{}-{count}", std::process::id()));
        let stored = make_directory(directory)
            .and_then(|()| write_file(&unfinished, bytes, content))
            // A link fails where a file is, unlike a rename: who comes first has stored the object.
            .and_then(|()| match std::fs::hard_link(&unfinished, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            })
            .and_then(|()| File::open(directory)?.sync_all());
        let _ = std::fs::remove_file(&unfinished);
        stored.map_err(|error| self.unavailable(&path, &error))
    }

    fn get(&self, name: &str, to: &mut dyn Write) -> Result<(), StoreError> {
        let path = self.root.join(name);
        match File::open(&path).and_then(|mut file| io::copy(&mut file, to)) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Missing { store: self.describe(), name: name.to_owned() })
            }
            Err(error) => Err(self.unavailable(&path, &error)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        let mut found = Vec::new();
        self.walk(&self.root, prefix, &mut found).map_err(|error| self.unavailable(&self.root, &error))?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        for name in names {
            let path = self.root.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.unavailable(&path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_stored_is_for_its_owner_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = DirectoryStore::new(directory.path().join("above/snapshots"));
        store.put("job/0-0/object", 3, &mut &b"abc"[..]).expect("stored");
        let mode = |name: &str| {
            let metadata = std::fs::metadata(directory.path().join(name)).expect(name);
            metadata.permissions().mode() & 0o777
        };
        for made in ["above", "above/snapshots", "above/snapshots/job", "above/snapshots/job/0-0"] {
            assert_eq!(mode(made), 0o700, "{made}");
        }
        assert_eq!(mode("above/snapshots/job/0-0/object"), 0o600);
    }
}
