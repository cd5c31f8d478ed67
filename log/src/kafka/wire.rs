//! Reading and writing by the project's own client, [`millstream_wire`].
//!
//! Groups and administration stay with librdkafka, and so does looking whether a topic is there. Every client made here
//! has a thread and connections of its own, so that dropping it ends everything that it had under way.

mod reader;
mod transactional;
mod writer;

pub(super) use reader::WireReader;
pub(super) use transactional::WireTransactionalWriter;
pub(super) use writer::WireWriter;

use super::shared::Shared;
use super::writer::too_large_together;
use crate::{LogError, Records, TopicPartition};
use millstream_wire::IoThread;
use millstream_wire::cluster::Cluster;
use millstream_wire::produce::{Place, Record};
use std::time::Duration;

/// How long one request of a writer may take, at most. Then its connection is closed, and it is asked again.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// A thread, and a cluster that is reached from it.
fn connect(shared: &Shared, name: &str) -> Result<(IoThread, Cluster), LogError> {
    let io = IoThread::start(name);
    let io = io.map_err(|error| LogError::Client(format!("no thread for a client: {error}")))?;
    let cluster = Cluster::new(shared.config().wire()?);
    let cluster = cluster.map_err(|error| LogError::Client(error.to_string()))?;
    Ok((io, cluster))
}

fn wire_place(place: &TopicPartition) -> Place {
    let partition = i32::try_from(place.partition).unwrap_or(i32::MAX);
    Place { topic: place.topic.clone(), partition }
}

fn engine_place(place: &Place) -> TopicPartition {
    TopicPartition::new(place.topic.clone(), u32::try_from(place.partition).unwrap_or(u32::MAX))
}

/// Records as the client takes them.
fn wire_records(
    records: &Records,
) -> impl Iterator<Item = Record<'_, impl Iterator<Item = (&[u8], Option<&[u8]>)> + Clone>> {
    records.iter().map(|record| Record {
        timestamp_ms: record.timestamp_ms,
        key: record.key,
        value: record.value,
        headers: record.headers.iter().map(|(name, value)| (name.as_bytes(), value)),
    })
}

/// Records that their topic finds too large.
fn too_large(shared: &Shared, place: &TopicPartition, bytes: usize) -> LogError {
    let limit = shared.message_bytes_max(&place.topic);
    match bytes > limit {
        true => LogError::RecordTooLarge { place: place.clone(), bytes, limit },
        false => LogError::Client(too_large_together(place, bytes, limit)),
    }
}
