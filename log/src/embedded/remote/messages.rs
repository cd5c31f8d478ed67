//! What is asked and answered on the socket.
//!
//! New requests go at the end: their position is their code. A change to one that is there takes a new version of the
//! protocol.

use crate::{CommittedOffset, Isolation, LogError, OffsetQuery, ReadStatus, TopicDescription, TopicSpec};
use millstream_records::{Offset, TopicPartition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place(String, u32);

/// An offset that a group committed.
pub(crate) type Committed = (Offset, String);

/// A question. Its body, where it has one, is batches one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    Info,
    CreateTopic {
        name: String,
        partitions: u32,
        config: BTreeMap<String, String>,
    },
    DeleteTopic(String),
    Topics,
    DescribeTopic(String),
    Offsets {
        places: Vec<Place>,
        query: Query,
        committed_only: bool,
    },
    DeleteRecords(Vec<(Place, Offset)>),
    Committed {
        group: String,
        places: Vec<Place>,
        committed_only: bool,
    },
    Commit {
        group: String,
        offsets: Vec<(Place, Committed)>,
    },
    DeleteGroup(String),
    /// Writes and acknowledges; body: the batches, whose places and lengths are here.
    Write(Vec<(Place, u32)>),
    /// Answered with [`Response::Polled`].
    Assign {
        places: Vec<(Place, Offset)>,
        committed_only: bool,
        queue_bytes_max: u64,
    },
    Pause(Place, bool),
    /// Answered with [`Response::Polled`].
    Poll {
        timeout_ms: u32,
    },
    /// Answered with [`Response::Identities`].
    IdentifyTopics(Vec<String>),
}

/// See [`OffsetQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Query {
    Earliest,
    Latest,
    Timestamp(i64),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Response {
    Done,
    Failed(Failure),
    Info {
        cluster: String,
        location: String,
    },
    Names(Vec<String>),
    Topic(Option<(u32, BTreeMap<String, String>)>),
    Offsets(Vec<Offset>),
    Committed(Vec<Option<Committed>>),
    /// Body: the batches, whose places, first offsets and lengths are here.
    Polled {
        batches: Vec<(Place, Offset, u32)>,
        /// Position and end of each partition whose end is known.
        statuses: Vec<(Place, Offset, Offset)>,
        failure: Option<Failure>,
    },
    /// By topic: its id, if there are any, and its partitions.
    Identities(Vec<Option<(Option<u128>, u32)>>),
}

/// See [`LogError`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failure {
    NotReady(String),
    Timeout(String),
    UnknownTopic(String),
    TopicExists(String),
    BadConfig { key: String, value: String, reason: String },
    RecordTooLarge { place: Place, bytes: u64, limit: u64 },
    OffsetOutOfRange { place: Place, wanted: Offset, start: Offset, end: Offset },
    Fenced(String),
    GroupInUse(String),
    InUse { path: String, owner: String, advice: String },
    Unsupported(String),
    BadProperty { key: String, reason: String },
    Corrupt(String),
    Client(String),
    TopicMadeAnew(String),
}

impl From<&TopicPartition> for Place {
    fn from(place: &TopicPartition) -> Self {
        Place(place.topic.to_string(), place.partition)
    }
}

impl From<Place> for TopicPartition {
    fn from(Place(topic, partition): Place) -> Self {
        TopicPartition::new(topic, partition)
    }
}

/// Places as they are sent.
pub(crate) fn sent(places: &[TopicPartition]) -> Vec<Place> {
    places.iter().map(Place::from).collect()
}

/// Places as they were before they were sent.
pub(crate) fn received(places: Vec<Place>) -> Vec<TopicPartition> {
    places.into_iter().map(TopicPartition::from).collect()
}

pub(crate) fn isolation(committed_only: bool) -> Isolation {
    if committed_only { Isolation::ReadCommitted } else { Isolation::ReadUncommitted }
}

impl From<OffsetQuery> for Query {
    fn from(query: OffsetQuery) -> Self {
        match query {
            OffsetQuery::Earliest => Query::Earliest,
            OffsetQuery::Latest => Query::Latest,
            OffsetQuery::Timestamp(timestamp_ms) => Query::Timestamp(timestamp_ms),
        }
    }
}

impl From<Query> for OffsetQuery {
    fn from(query: Query) -> Self {
        match query {
            Query::Earliest => OffsetQuery::Earliest,
            Query::Latest => OffsetQuery::Latest,
            Query::Timestamp(timestamp_ms) => OffsetQuery::Timestamp(timestamp_ms),
        }
    }
}

impl From<&TopicSpec> for Request {
    fn from(spec: &TopicSpec) -> Self {
        let TopicSpec { name, partitions, config } = spec.clone();
        Request::CreateTopic { name, partitions, config }
    }
}

impl From<TopicDescription> for Response {
    fn from(topic: TopicDescription) -> Self {
        Response::Topic(Some((topic.partitions, topic.config)))
    }
}

pub(crate) fn committed_sent(offset: &CommittedOffset) -> Committed {
    (offset.offset, offset.metadata.clone())
}

pub(crate) fn committed_received((offset, metadata): Committed) -> CommittedOffset {
    CommittedOffset { offset, metadata }
}

pub(crate) fn status_sent((place, status): (&TopicPartition, ReadStatus)) -> (Place, Offset, Offset) {
    (place.into(), status.position, status.end)
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        match error {
            LogError::NotReady(text) => Failure::NotReady(text),
            LogError::Timeout(text) => Failure::Timeout(text),
            LogError::UnknownTopic(topic) => Failure::UnknownTopic(topic),
            LogError::TopicExists(topic) => Failure::TopicExists(topic),
            LogError::BadConfig { key, value, reason } => Failure::BadConfig { key, value, reason },
            LogError::RecordTooLarge { place, bytes, limit } => {
                let (bytes, limit) = (bytes as u64, limit as u64);
                Failure::RecordTooLarge { place: (&place).into(), bytes, limit }
            }
            LogError::OffsetOutOfRange { place, wanted, start, end } => {
                Failure::OffsetOutOfRange { place: (&place).into(), wanted, start, end }
            }
            LogError::Fenced(text) => Failure::Fenced(text),
            LogError::GroupInUse(group) => Failure::GroupInUse(group),
            LogError::InUse { path, owner, advice } => Failure::InUse { path, owner, advice },
            LogError::Unsupported(text) => Failure::Unsupported(text),
            // The embedded log knows no rights and rejects no client.
            denied @ (LogError::Denied(_) | LogError::Rejected(_)) => Failure::Client(denied.to_string()),
            LogError::BadProperty { key, reason } => Failure::BadProperty { key, reason },
            LogError::Corrupt(text) => Failure::Corrupt(text),
            LogError::Client(text) => Failure::Client(text),
            LogError::TopicMadeAnew(place) => Failure::TopicMadeAnew(place),
        }
    }
}

impl From<Failure> for LogError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotReady(text) => LogError::NotReady(text),
            Failure::Timeout(text) => LogError::Timeout(text),
            Failure::UnknownTopic(topic) => LogError::UnknownTopic(topic),
            Failure::TopicExists(topic) => LogError::TopicExists(topic),
            Failure::BadConfig { key, value, reason } => LogError::BadConfig { key, value, reason },
            Failure::RecordTooLarge { place, bytes, limit } => {
                let (bytes, limit) = (bytes as usize, limit as usize);
                LogError::RecordTooLarge { place: place.into(), bytes, limit }
            }
            Failure::OffsetOutOfRange { place, wanted, start, end } => {
                LogError::OffsetOutOfRange { place: place.into(), wanted, start, end }
            }
            Failure::Fenced(text) => LogError::Fenced(text),
            Failure::GroupInUse(group) => LogError::GroupInUse(group),
            Failure::InUse { path, owner, advice } => LogError::InUse { path, owner, advice },
            Failure::Unsupported(text) => LogError::Unsupported(text),
            Failure::BadProperty { key, reason } => LogError::BadProperty { key, reason },
            Failure::Corrupt(text) => LogError::Corrupt(text),
            Failure::Client(text) => LogError::Client(text),
            Failure::TopicMadeAnew(place) => LogError::TopicMadeAnew(place),
        }
    }
}
