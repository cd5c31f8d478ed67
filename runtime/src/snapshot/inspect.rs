//! Looking at state from outside: at the snapshots of a store, and at the directories of tasks.

use super::CheckpointNote;
use super::store::{SnapshotStore, StoreError};
use millstream_state::{
    CheckpointMark, SnapshotFile, SnapshotManifest, StateError, StateIdentity, content_name,
};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

/// A snapshot of a store.
#[derive(Debug)]
pub struct FoundSnapshot {
    /// Name of its manifest.
    pub name: String,
    /// The manifest, and what is wrong with the files it lists; or why it can't be read.
    pub manifest: Result<(SnapshotManifest, Vec<String>), String>,
}

/// The snapshots of a store that lists everything below a prefix, oldest first in each task. Files are looked for; with
/// `read_all` they are read and held against their content names.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub fn inspect_snapshots(
    store: &dyn SnapshotStore,
    read_all: bool,
) -> Result<Vec<FoundSnapshot>, StoreError> {
    let listed = store.list("")?;
    let sizes: BTreeMap<&str, u64> =
        listed.iter().map(|object| (object.name.as_str(), object.bytes)).collect();
    let mut found = Vec::new();
    for object in &listed {
        let name = object.name.clone();
        if !name.rsplit('/').next().is_some_and(|file| file.starts_with("m-")) {
            continue;
        }
        let manifest = match read(store, &name) {
            Ok(manifest) => {
                let check = |file: &SnapshotFile| {
                    check_object(store, file, sizes.get(file.object.as_str()).copied(), read_all).err()
                };
                let wrong = manifest.files.iter().filter_map(check).collect();
                Ok((manifest, wrong))
            }
            Err(why) => Err(why),
        };
        found.push(FoundSnapshot { name, manifest });
    }
    Ok(found)
}

/// Looks whether a file of a snapshot is there, as an object of `size` bytes; with `read_all` it is read and held against
/// its content name. Says what is wrong with it.
pub(crate) fn check_object(
    store: &dyn SnapshotStore,
    file: &SnapshotFile,
    size: Option<u64>,
    read_all: bool,
) -> Result<(), String> {
    let checked = match size {
        None => Err("is missing".to_owned()),
        Some(bytes) if bytes != file.bytes => Err(format!("has {bytes} bytes instead of {}", file.bytes)),
        Some(_) if read_all => check(store, &file.object, &file.content),
        Some(_) => Ok(()),
    };
    checked.map_err(|why| format!("{} ({}) {why}", file.name, file.object))
}

fn read(store: &dyn SnapshotStore, name: &str) -> Result<SnapshotManifest, String> {
    let mut bytes = Vec::new();
    store.get(name, &mut bytes).map_err(|error| error.to_string())?;
    if !name.ends_with(&content_name(&bytes)) {
        return Err("its content is not what its name says".to_owned());
    }
    SnapshotManifest::decode(name, &bytes).map_err(|error| error.to_string())
}

fn check(store: &dyn SnapshotStore, object: &str, content: &str) -> Result<(), String> {
    let mut hash = ContentOf::default();
    store.get(object, &mut hash).map_err(|error| error.to_string())?;
    if hash.0.finish() == content { Ok(()) } else { Err("is not what its name says".to_owned()) }
}

#[derive(Default)]
struct ContentOf(millstream_state::ContentHasher);

impl Write for ContentOf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a task's directory holds.
#[derive(Debug)]
pub struct FoundState {
    /// Whose it is.
    pub identity: StateIdentity,
    /// The commit its checkpoint stands at.
    pub mark: Option<CheckpointMark>,
    /// Where the task stood then, and its official snapshots; `None` for checkpoints of earlier versions.
    pub note: Option<CheckpointNote>,
    /// Pairs of all stores and their bytes, where everything was read.
    pub pairs: Option<(u64, u64)>,
}

/// Looks at a task's directory, also while the task runs. With `read_all` every pair is read and every checksum checked.
///
/// # Errors
/// [`StateError`]: it is no such directory, or it is damaged.
pub fn inspect_state(path: &Path, read_all: bool) -> Result<FoundState, StateError> {
    let millstream_state::StateSummary { identity, mark, note, pairs } =
        millstream_state::inspect(path, read_all)?;
    Ok(FoundState { identity, mark, note: CheckpointNote::decode(&note), pairs })
}
