//! Where savepoints are, and reading them.

use super::{MANIFEST, Savepoint, SavepointError};
use crate::control::TopicMark;
use crate::error::JobError;
use crate::log::Admin;
use crate::snapshot::{DirectoryStore, ObjectStorage, SnapshotStore, StoreError};
use millstream_state::content_name;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A savepoint that was found.
#[derive(Clone)]
pub struct OpenSavepoint {
    /// Where it is.
    pub location: String,
    /// What it consists of.
    pub savepoint: Savepoint,
    /// Its id: the content name of its manifest.
    pub id: String,
    pub(crate) store: Arc<dyn SnapshotStore>,
    /// Topics that are to be read from their beginnings: see [`OpenSavepoint::restarting`].
    pub(crate) restarted: BTreeMap<String, TopicMark>,
}

/// The store at a location: a URL, or the path of a directory. Gives it with the location as it is found from anywhere.
///
/// # Errors
/// [`SavepointError::Store`] for a location that can't be used.
pub fn open_location(location: &str) -> Result<(Arc<dyn SnapshotStore>, String), SavepointError> {
    if location.contains("://") {
        return Ok((ObjectStorage::open(location)?, location.to_owned()));
    }
    let path = std::path::absolute(location).map_err(|error| {
        let (location, reason) = (location.to_owned(), error.to_string());
        StoreError::BadLocation { location, reason }
    })?;
    let absolute = path.display().to_string();
    Ok((Arc::new(DirectoryStore::new(path)), absolute))
}

impl OpenSavepoint {
    /// The savepoint at a location.
    ///
    /// # Errors
    /// [`SavepointError::Missing`], [`SavepointError::Damaged`], [`SavepointError::Newer`], [`SavepointError::Store`].
    pub fn open(location: &str) -> Result<Self, SavepointError> {
        let (store, location) = open_location(location)?;
        Self::read(store, &location)
    }

    pub(crate) fn read(store: Arc<dyn SnapshotStore>, location: &str) -> Result<Self, SavepointError> {
        let bytes = read_manifest(&*store)?;
        let bytes = bytes.ok_or_else(|| SavepointError::Missing { location: location.to_owned() })?;
        let savepoint = Savepoint::decode(location, &bytes)?;
        let (location, id) = (location.to_owned(), content_name(&bytes));
        Ok(OpenSavepoint { location, savepoint, id, store, restarted: BTreeMap::new() })
    }

    /// The same for topics that were made anew: they are read from their beginnings, with all state that comes of the topics
    /// that had their names before.
    ///
    /// # Errors
    /// [`SavepointError::CantRestart`]; [`JobError::Log`].
    pub fn restarting(self, topics: &[String], admin: &mut dyn Admin) -> Result<Self, JobError> {
        let mut restarted = BTreeMap::new();
        if topics.is_empty() {
            return Ok(self);
        }
        let found = admin.identify_topics(topics)?;
        for (topic, found) in topics.iter().zip(found) {
            let refused = |reason: String| SavepointError::CantRestart { topic: topic.clone(), reason };
            let known = self.savepoint.control.topics.get(topic);
            let known =
                known.filter(|_| self.savepoint.positions().keys().any(|place| *place.topic == **topic));
            let known = known.ok_or_else(|| refused("the savepoint's job did not read it".to_owned()))?;
            let found = found.ok_or_else(|| refused("it does not exist: create it first".to_owned()))?;
            if found.id.is_some() && found.id == known.id {
                let reason =
                    "it is the topic that was read, and its records would count twice: leave the option out";
                return Err(refused(reason.to_owned()).into());
            }
            if found.partitions < known.partitions {
                let (now, before) = (found.partitions, known.partitions);
                let reason =
                    format!("it has {now} partitions, and {before} tasks read it: create it with {before}");
                return Err(refused(reason).into());
            }
            restarted.insert(topic.clone(), TopicMark { id: found.id, partitions: known.partitions });
        }
        Ok(self.restarted_as(&restarted))
    }

    /// The same, standing nowhere in topics that are other ones now.
    pub(crate) fn restarted_as(mut self, restarted: &BTreeMap<String, TopicMark>) -> Self {
        for task in &mut self.savepoint.tasks {
            task.inputs.retain(|mark| !restarted.contains_key(&mark.topic));
        }
        let marks = restarted.iter().map(|(topic, mark)| (topic.clone(), *mark));
        self.savepoint.control.topics.extend(marks);
        OpenSavepoint { restarted: restarted.clone(), ..self }
    }

    /// Where its objects are.
    pub fn store(&self) -> &Arc<dyn SnapshotStore> {
        &self.store
    }

    /// Whether it is kept in a directory of this machine.
    pub fn is_directory(&self) -> bool {
        !self.location.contains("://") && Path::new(&self.location).is_dir()
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
            .field("location", &self.location)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
