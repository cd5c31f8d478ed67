//! Where a job's snapshots are kept.

use super::{DirectoryStore, ObjectStorage, SnapshotStore, TopicStore};
use crate::clock::Clock;
use crate::error::JobError;
use crate::log::Log;
use crate::plan::JobPlan;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Where a job's snapshots are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SnapshotLocation {
    /// In a topic on Kafka, so that nothing else is needed; in the log's own directory on the embedded log.
    #[default]
    Default,
    /// Nowhere: journals are never purged.
    Off,
    /// In a topic of the job's log.
    Topic,
    /// Where a URL says: `file:///directory`, or one of object storage.
    Url(String),
}

impl FromStr for SnapshotLocation {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "default" => SnapshotLocation::Default,
            "off" => SnapshotLocation::Off,
            "topic" => SnapshotLocation::Topic,
            url => SnapshotLocation::Url(url.to_owned()),
        })
    }
}

impl SnapshotLocation {
    /// The store of a job.
    ///
    /// # Errors
    /// [`JobError::Snapshots`] for a place that can't be used, [`JobError::Log`].
    pub fn open(
        &self,
        plan: &JobPlan,
        log: &Arc<dyn Log>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Arc<dyn SnapshotStore>>, JobError> {
        let info = log.info();
        let topic = || -> Result<Option<Arc<dyn SnapshotStore>>, JobError> {
            let tasks = plan.cut().parts.iter().map(|part| part.tasks).sum();
            let store = TopicStore::open(Arc::clone(log), Arc::clone(clock), plan.snapshot_topic(), tasks)?;
            Ok(Some(Arc::new(store)))
        };
        match self {
            SnapshotLocation::Off => Ok(None),
            SnapshotLocation::Topic => topic(),
            SnapshotLocation::Url(url) => Ok(Some(ObjectStorage::open(url)?)),
            SnapshotLocation::Default => match info.kind {
                "kafka" => topic(),
                "embedded" => {
                    let directory = Path::new(&info.location).join("snapshots");
                    Ok(Some(Arc::new(DirectoryStore::new(directory))))
                }
                _ => Ok(None),
            },
        }
    }
}
