//! Input that is no topic: a feed.
//!
//! A job's positions are offsets of partitions, and what it read once it must be able to read again. So what is no topic
//! comes in as one that nobody has written: a [`Feed`] has partitions, and gives the record at an offset whenever it is asked
//! for, always the same. Then a position is committed as that of any input, and restarts, savepoints, replays and the
//! simulation need not know what a feed is. The runtime puts feeds beside the topics of the log that a job runs on.

use crate::records::{Offset, Records};
use std::fmt::Debug;

/// What has no timestamp: a record of a feed counts as of when it is read.
pub const NO_TIMESTAMP: i64 = -1;

/// A source of records that are not in the log.
pub trait Feed: Debug + Send + Sync {
    /// What it is called among topics. It has a `:` in it, as no topic has.
    fn topic(&self) -> &str;

    /// What it gives and how fast, in one line.
    fn describe(&self) -> String;

    /// Tells it from any other feed of its name, which gives other records at the same offsets.
    ///
    /// # Errors
    /// A sentence that says why that can't be told.
    fn identity(&self) -> Result<u128, String>;

    /// Number of partitions.
    fn partitions(&self) -> u32;

    /// The offset behind a partition's last record; `None`: there is always another one.
    ///
    /// # Errors
    /// As [`Feed::identity`].
    fn end(&self, partition: u32) -> Result<Option<Offset>, String>;

    /// How many records a second a partition gives at most.
    fn rate(&self) -> Option<f64>;

    /// What reads a partition.
    ///
    /// # Errors
    /// A sentence that says why it can't be read.
    fn open(&self, partition: u32) -> Result<Box<dyn FeedReader>, String>;
}

/// Reads one partition of a feed.
pub trait FeedReader: Send {
    /// The records from an offset on, offsets ascending: at most so many. None are left where none come back. The same
    /// offset always has the same record.
    ///
    /// # Errors
    /// A sentence that says why they can't be read.
    fn read(&mut self, from: Offset, records_max: usize) -> Result<Records, String>;
}
