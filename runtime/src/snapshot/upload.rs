//! Storing a snapshot, a bounded piece of work a turn.
//!
//! 1. the files of the newest checkpoint are taken, as links
//! 2. what the task has in the store is listed, and the manifest of its last official snapshot read
//! 3. files that are not in there are stored
//! 4. the manifest is stored
//!
//! The result is an [`Offer`]: the snapshot is official once the task's next commit names it. It also says what no kept
//! snapshot will need then, from the list of step 2: a list that is older than that commit.

use super::store::{SnapshotStore, StoreError, StoredObject};
use super::{CheckpointNote, SnapshotRef, prefix_of};
use millstream_state::{
    Export, Exporter, SnapshotFile, SnapshotManifest, StateError, StateIdentity, content_name,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// A snapshot that is stored, for the next commit to name.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) snapshot: SnapshotRef,
    /// Objects that it and the snapshot before do not name, old enough to be nobody's work in progress.
    pub(crate) unreferenced: Vec<String>,
}

/// What a turn did.
#[derive(Debug)]
pub(crate) enum UploadTurn {
    Working,
    Done(Box<Offer>),
}

/// Why there is no snapshot. The task goes on as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("there is no checkpoint to take")]
    NoCheckpoint,
    #[error("the files of the checkpoint: {0}")]
    Io(#[from] io::Error),
}

impl UploadError {
    /// Whether the same turn may work when it is tried again.
    pub(crate) fn is_retriable(&self) -> bool {
        matches!(self, UploadError::Store(StoreError::Unavailable { .. }))
    }
}

/// What a snapshot is made from.
#[derive(Debug)]
pub(crate) struct UploadOf {
    pub(crate) identity: StateIdentity,
    pub(crate) exporter: Exporter,
    /// The last official snapshot.
    pub(crate) last: Option<SnapshotRef>,
    /// Objects younger than this are not removed.
    pub(crate) keep_ms: u64,
}

/// A snapshot in the making. See the module's head.
pub(crate) struct Upload {
    store: Arc<dyn SnapshotStore>,
    prefix: String,
    of: Option<UploadOf>,
    stage: Stage,
}

enum Stage {
    Export,
    List(Box<Making>),
    File(Box<Making>, usize),
    Manifest(Box<Making>),
    Over,
}

struct Making {
    export: Export,
    note: CheckpointNote,
    identity: StateIdentity,
    last: Option<SnapshotRef>,
    keep_ms: u64,
    /// The manifest of the last official snapshot, where it can be read.
    last_manifest: Option<SnapshotManifest>,
    listed: Vec<StoredObject>,
    files: Vec<SnapshotFile>,
}

impl Upload {
    pub(crate) fn new(store: Arc<dyn SnapshotStore>, of: UploadOf) -> Self {
        let StateIdentity { job, incarnation, task, .. } = &of.identity;
        let prefix = prefix_of(job, incarnation, task);
        Upload { store, prefix, of: Some(of), stage: Stage::Export }
    }

    /// Does a bounded piece of work. After an error that is retriable the same turn is tried again.
    pub(crate) fn turn(&mut self) -> Result<UploadTurn, UploadError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let (stage, result) = match stage {
            Stage::Export => (self.export()?, Ok(())),
            Stage::List(mut making) => {
                let result = self.list(&mut making);
                (if result.is_ok() { Stage::File(making, 0) } else { Stage::List(making) }, result)
            }
            Stage::File(making, index) if index == making.files.len() => (Stage::Manifest(making), Ok(())),
            Stage::File(mut making, index) => {
                let result = self.file(&mut making, index);
                (Stage::File(making, index + usize::from(result.is_ok())), result)
            }
            Stage::Manifest(making) => match self.manifest(&making) {
                Ok(offer) => return Ok(UploadTurn::Done(Box::new(offer))),
                Err(error) => (Stage::Manifest(making), Err(error)),
            },
            Stage::Over => return Err(UploadError::NoCheckpoint),
        };
        self.stage = stage;
        result.map(|()| UploadTurn::Working)
    }

    fn export(&mut self) -> Result<Stage, UploadError> {
        let UploadOf { identity, exporter, last, keep_ms, .. } =
            self.of.take().ok_or(UploadError::NoCheckpoint)?;
        let export = exporter.export()?.ok_or(UploadError::NoCheckpoint)?;
        let note = CheckpointNote::decode(&export.note).ok_or(UploadError::NoCheckpoint)?;
        let files = export.files().cloned().collect();
        let (last_manifest, listed) = (None, Vec::new());
        let making = Making { export, note, identity, last, keep_ms, last_manifest, listed, files };
        Ok(Stage::List(Box::new(making)))
    }

    /// Finds out what is there already. Only what the last official snapshot names counts, and only as far as it is
    /// there indeed: a store that has lost something is given it anew.
    fn list(&self, making: &mut Making) -> Result<(), UploadError> {
        making.listed = self.store.list(&self.prefix)?;
        making.last_manifest = match &making.last {
            None => None,
            Some(last) => read_manifest(&*self.store, last).ok_or_missing()?,
        };
        let listed: BTreeMap<&str, u64> =
            making.listed.iter().map(|object| (object.name.as_str(), object.bytes)).collect();
        let last = making.last_manifest.iter().flat_map(|manifest| &manifest.files);
        let there = last.filter(|file| listed.get(file.object.as_str()) == Some(&file.bytes));
        let there: BTreeMap<&str, &str> =
            there.map(|file| (file.content.as_str(), file.object.as_str())).collect();
        let number = making.export.mark.number;
        for file in &mut making.files {
            file.object = match there.get(file.content.as_str()) {
                Some(object) => (*object).to_owned(),
                None => format!("{}f-{}-{number}", self.prefix, file.content),
            };
        }
        Ok(())
    }

    fn file(&self, making: &mut Making, index: usize) -> Result<(), UploadError> {
        let file = &making.files[index];
        let is_new = file.object.ends_with(&format!("-{}", making.export.mark.number));
        if is_new {
            let mut content = making.export.open(index)?;
            self.store.put(&file.object, file.bytes, &mut content)?;
        }
        Ok(())
    }

    fn manifest(&self, making: &Making) -> Result<Offer, UploadError> {
        let mark = making.export.mark;
        let plan = format!("{:032x}", making.note.fingerprint);
        let manifest = SnapshotManifest::new(&making.identity, plan, mark, making.files.clone());
        let encoded = manifest.encode();
        let name = format!("{}m-{:020}-{}", self.prefix, mark.number, content_name(&encoded));
        self.store.put(&name, encoded.len() as u64, &mut encoded.as_slice())?;
        let input = |mark: &crate::journal::InputMark| (mark.topic.clone(), mark.partition, mark.position);
        let snapshot = SnapshotRef {
            number: mark.number,
            hash: mark.hash,
            journal_offset: mark.journal_offset,
            manifest: name,
            bytes: manifest.bytes(),
            store: self.store.describe(),
            inputs: making.note.inputs.iter().map(input).collect(),
        };
        let unreferenced = unreferenced(making, &manifest, &snapshot);
        Ok(Offer { snapshot, unreferenced })
    }
}

/// What was listed and neither of the two snapshots names that will be kept.
fn unreferenced(making: &Making, manifest: &SnapshotManifest, snapshot: &SnapshotRef) -> Vec<String> {
    // Without the manifest it is not known what the last snapshot needs.
    if making.last.is_some() && making.last_manifest.is_none() {
        return Vec::new();
    }
    let files = manifest.files.iter().chain(making.last_manifest.iter().flat_map(|last| &last.files));
    let mut needed: BTreeSet<&str> = files.map(|file| file.object.as_str()).collect();
    needed.insert(&snapshot.manifest);
    needed.extend(making.last.iter().map(|last| last.manifest.as_str()));
    let old = making.listed.iter().filter(|object| object.age_ms >= making.keep_ms);
    old.filter(|object| !needed.contains(object.name.as_str())).map(|object| object.name.clone()).collect()
}

/// The manifest of an official snapshot.
///
/// # Errors
/// [`UploadError::Store`] when it is missing or the store can't be reached; [`UploadError::State`] when it is not what
/// its name says.
pub(crate) fn read_manifest(
    store: &dyn SnapshotStore,
    snapshot: &SnapshotRef,
) -> Result<SnapshotManifest, UploadError> {
    let name = &snapshot.manifest;
    let mut bytes = Vec::new();
    store.get(name, &mut bytes)?;
    if !name.ends_with(&content_name(&bytes)) {
        let detail = "its manifest is not what its name says".to_owned();
        return Err(StateError::SnapshotDamaged { place: name.clone(), detail }.into());
    }
    let manifest = SnapshotManifest::decode(name, &bytes)?;
    if manifest.mark() != Some(snapshot.mark()) {
        let detail = "it stands at another commit than the journal says".to_owned();
        return Err(StateError::SnapshotDamaged { place: name.clone(), detail }.into());
    }
    Ok(manifest)
}

/// What is gone or damaged is not there.
trait OrMissing<T> {
    fn ok_or_missing(self) -> Result<Option<T>, UploadError>;
}

impl<T> OrMissing<T> for Result<T, UploadError> {
    fn ok_or_missing(self) -> Result<Option<T>, UploadError> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_retriable() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the last snapshot can't be built upon: storing all files anew");
                Ok(None)
            }
        }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
