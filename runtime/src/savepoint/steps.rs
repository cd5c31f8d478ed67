//! The steps of taking a savepoint, one by one: for [`super::take`], and for tests that drive workers themselves.

use super::location::read_manifest;
use super::{FORMAT, MANIFEST, OpenSavepoint, Savepoint, SavepointError, SavepointTask};
use crate::control::ControlRecord;
use crate::journal::ChainEnd;
use crate::log::{Admin, Isolation, LogError, LogInfo, TopicPartition};
use crate::plan::{JobPlan, TaskId};
use crate::restore::parse_commit_metadata;
use crate::snapshot::upload::{Upload, UploadOf, UploadTurn, read_manifest as read_state_manifest};
use crate::snapshot::{CheckpointNote, SnapshotRef, SnapshotStore};
use std::sync::Arc;
use std::time::Duration;

/// How often a request to the store that was not answered is made again, and how long to wait before.
const TRIES_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// One task of a cut, ready to be stored.
#[derive(Debug)]
pub struct SavepointPart {
    /// The task.
    pub task: TaskId,
    /// The end of its journal.
    pub chain: ChainEnd,
    pub(crate) note: CheckpointNote,
    pub(crate) of: UploadOf,
}

/// Stores the state of a task. `go_on` is asked now and then.
///
/// # Errors
/// [`SavepointError::Upload`]; [`SavepointError::Interrupted`] when it is not to go on. What was stored stays, and is
/// found again.
pub fn store_part(
    store: &Arc<dyn SnapshotStore>,
    part: SavepointPart,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<SavepointTask, SavepointError> {
    let SavepointPart { task, note, of, .. } = part;
    let snapshot = upload(store, task, of, go_on)?;
    // It is read back: what can't be read is no savepoint.
    let mut tries = 0;
    let manifest = loop {
        match read_state_manifest(&**store, &snapshot) {
            Ok(manifest) => break manifest,
            Err(error) if error.is_retriable() && tries < TRIES_MAX => pause(&mut tries),
            Err(error) => return Err(failed(task, &error)),
        }
    };
    Ok(SavepointTask {
        task: task.to_string(),
        commit: snapshot.number,
        hash: format!("{:032x}", snapshot.hash),
        journal_offset: snapshot.journal_offset,
        manifest: snapshot.manifest,
        bytes: snapshot.bytes,
        files: manifest.files.len(),
        watermark: note.watermark,
        now_ms: note.now_ms,
        inputs: note.inputs,
    })
}

fn upload(
    store: &Arc<dyn SnapshotStore>,
    task: TaskId,
    of: UploadOf,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<SnapshotRef, SavepointError> {
    let mut upload = Upload::new(Arc::clone(store), of);
    let mut tries = 0;
    loop {
        match upload.turn() {
            Ok(UploadTurn::Working) => tries = 0,
            Ok(UploadTurn::Done(offer)) => return Ok(offer.snapshot),
            Err(error) if error.is_retriable() && tries < TRIES_MAX => {
                tracing::warn!(%task, %error, "storing a task's state: trying again");
                pause(&mut tries);
            }
            Err(error) => return Err(failed(task, &error)),
        }
        if !go_on() {
            return Err(SavepointError::Interrupted);
        }
    }
}

fn pause(tries: &mut u32) {
    *tries += 1;
    std::thread::sleep(PAUSE);
}

fn failed(task: TaskId, error: &dyn std::fmt::Display) -> SavepointError {
    SavepointError::Upload { task: task.to_string(), reason: error.to_string() }
}

/// Whether the group's offsets say that these are the ends of the journals. Where it has forgotten one, or an older one
/// came late, the journal decides, which the tasks have read.
///
/// # Errors
/// [`LogError`] when the group can't be asked.
pub fn are_ends(
    admin: &mut dyn Admin,
    plan: &JobPlan,
    chains: &[(TaskId, ChainEnd)],
) -> Result<bool, LogError> {
    let journal = |(task, _): &(TaskId, ChainEnd)| {
        TopicPartition::new(plan.journal_topic(task.sub_topology), task.partition)
    };
    let journals: Vec<TopicPartition> = chains.iter().map(journal).collect();
    let committed = match admin.committed(plan.group(), &journals, Isolation::ReadCommitted) {
        Err(error) if error.is_retriable() => return Ok(false),
        committed => committed?,
    };
    Ok(chains.iter().zip(committed).all(|((_, chain), committed)| {
        let committed = committed.and_then(|committed| parse_commit_metadata(&committed.metadata));
        committed.is_none_or(|(of, _)| of.number < chain.number || of == *chain)
    }))
}

impl Savepoint {
    /// The savepoint of a job whose tasks have been stored.
    pub fn new(
        log: &LogInfo,
        plan: &JobPlan,
        control: ControlRecord,
        now_ms: i64,
        tasks: Vec<SavepointTask>,
    ) -> Self {
        Savepoint {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_ms: now_ms,
            job: plan.job().to_owned(),
            cluster: log.cluster.clone(),
            log: format!("{} log at {}", log.kind, log.location),
            control: control.for_savepoint(),
            tasks,
        }
    }
}

/// Stores the manifest: with it the savepoint is there.
///
/// # Errors
/// [`SavepointError::Occupied`] when another savepoint is there; [`SavepointError::Store`].
pub fn write_savepoint(
    store: &Arc<dyn SnapshotStore>,
    location: &str,
    savepoint: &Savepoint,
) -> Result<OpenSavepoint, SavepointError> {
    let bytes = savepoint.encode();
    let mut tries = 0;
    while let Err(error) = store.put(MANIFEST, bytes.len() as u64, &mut bytes.as_slice()) {
        if tries == TRIES_MAX {
            return Err(error.into());
        }
        pause(&mut tries);
    }
    while let Err(SavepointError::Store(error)) = read_manifest(&**store) {
        if tries == TRIES_MAX {
            return Err(error.into());
        }
        pause(&mut tries);
    }
    let written = OpenSavepoint::read(Arc::clone(store), location)?;
    if written.savepoint != *savepoint {
        // Somebody else was faster.
        let (location, job) = (location.to_owned(), written.savepoint.job);
        return Err(SavepointError::Occupied { location, job });
    }
    Ok(written)
}
