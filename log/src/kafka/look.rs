//! A look at a cluster, for people: see [`millstream_wire::look`].

use super::KafkaConfig;
use crate::LogError;
use millstream_wire::IoThread;
pub use millstream_wire::look::{BrokerLook, ClusterLook, TopicRights};
use std::time::{Duration, Instant};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long all of it may take.
const LOOK_MAX: Duration = Duration::from_secs(60);

/// Looks at a cluster and at these topics by the project's own client, and changes nothing.
///
/// # Errors
/// [`LogError`] for what the configuration names, and when the cluster does not answer.
pub fn look(config: &KafkaConfig, topics: &[String]) -> Result<ClusterLook, LogError> {
    let io = IoThread::start("millstream-look");
    let io = io.map_err(|error| LogError::Client(format!("no thread for a client: {error}")))?;
    let (wire, topics) = (config.wire()?, topics.to_vec());
    let looked = io.call("looking at the cluster", Instant::now() + LOOK_MAX, async move {
        millstream_wire::look::look(wire, &topics, PATIENCE).await
    });
    looked.map_err(|error| LogError::Client(error.to_string()))
}
