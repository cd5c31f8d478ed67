//! Reading: partitions that are assigned by hand, handed out in runs of records.

use crate::{LogError, Offset, Records, TopicPartition};
use std::time::Duration;

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Records of committed transactions only, up to the last stable offset.
    ReadCommitted,
    /// Everything up to the end of the partition.
    ReadUncommitted,
}

/// How a reader reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Which records it sees.
    pub isolation: Isolation,
    /// Bytes it may hold that were fetched and not yet handed out.
    pub queue_bytes_max: usize,
}

impl ReaderOptions {
    /// Options with a queue of 32 MiB.
    pub fn new(isolation: Isolation) -> Self {
        ReaderOptions { isolation, queue_bytes_max: 32 << 20 }
    }
}

/// A run of records of one partition, as read.
#[derive(Debug, Clone)]
pub struct Run {
    /// The partition.
    pub place: TopicPartition,
    /// Its records, offsets ascending; never empty.
    pub records: Records,
}

/// Where a reader stands in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadStatus {
    /// The next offset it will hand out, or beyond: what holds no visible record is passed over.
    pub position: Offset,
    /// The partition's end as the reader last saw it, by its isolation.
    pub end: Offset,
}

/// Reads partitions that were assigned by hand.
pub trait Reader: Send {
    /// Replaces what is read: partitions, and for each the offset to begin at. Partitions that were read before and
    /// stay go on where they stand.
    ///
    /// # Errors
    /// [`LogError`] when the client refuses.
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError>;

    /// Stops or resumes handing out records of a partition.
    ///
    /// # Errors
    /// [`LogError`] when the client refuses.
    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError>;

    /// Waits up to `timeout` for records and appends them to `runs`.
    ///
    /// # Errors
    /// [`LogError::OffsetOutOfRange`] when a position is no longer there, each time until the partition is taken out of
    /// the assignment. Records of other partitions go to `runs` all the same.
    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError>;

    /// Where it stands in a partition; `None` before it knows the partition's end.
    fn status(&self, place: &TopicPartition) -> Option<ReadStatus>;
}
