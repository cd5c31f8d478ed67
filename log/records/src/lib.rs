//! Runs of log records, as a consumer hands them out and a producer takes them.
//!
//! [`Records`] is one contiguous run of records of one partition: a buffer and an index into it, so that a run of
//! thousands of records costs two allocations, a decoder walks memory in order, and a client that fetches whole
//! record batches can hand them over without a copy. [`RecordsBuilder`] makes them; sinks write encoded values
//! straight into its buffer.
//!
//! ```text
//! data:     | key | value | headers | key | value | ...
//! entries:  offset, timestamp_ms, spans of key, value and headers in data
//! headers:  count u16 | { key length u16 | key | value length u32 (u32::MAX: null) | value }..
//! ```

mod builder;
mod headers;
pub mod names;
mod over;
mod record;
mod run;
mod within;

pub use builder::RecordsBuilder;
pub use headers::Headers;
pub use over::RecordsOver;
pub use record::{Record, Span};
pub use run::Records;
pub use within::RecordsWithin;

use std::fmt;
use std::sync::Arc;

/// Position in a partition. An offset that is kept (a position, a committed offset, an end) is always the *next* one
/// to read.
pub type Offset = u64;

/// A partition of a topic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Index of the partition, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

impl fmt::Debug for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
