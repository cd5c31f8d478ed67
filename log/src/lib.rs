//! The log: a durable, partitioned, replayable sequence of records, and the only source of truth.
//!
//! [`Log`] is what the engine needs of one. Three backends implement it: [`kafka`] (any broker that speaks the
//! protocol), [`embedded`] (on disk, in this process) and [`memory`] (for tests and simulations; it models what real
//! brokers do, late markers and fencing included). One suite, `tests/it/conformance`, runs against all three.
//!
//! A file each: topics and offsets ([`Admin`]), reading ([`Reader`]), writing ([`Writer`], [`TransactionalWriter`]) and the
//! consumer group ([`Member`]).
//!
//! The traits are batch-wise both ways: readers hand out runs of records, writers take them. No call blocks for longer
//! than its timeout, and none is asynchronous: each worker drives its clients from its own thread.

mod admin;
pub mod clock;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod exit;
#[cfg_attr(not(feature = "embedded"), allow(dead_code, reason = "the embedded log uses all of it"))]
mod group;
#[cfg_attr(not(feature = "embedded"), allow(dead_code, reason = "the embedded log uses all of it"))]
mod group_client;
#[cfg(feature = "kafka")]
pub mod kafka;
mod kind;
mod member;
pub mod memory;
pub mod overlay;
mod reader;
mod topics;
mod writer;

pub use admin::{Admin, CommittedOffset, OffsetQuery};
pub use error::{LogError, MissingRight, TransactionError};
pub use exit::exit_now;
pub use kind::ErrorKind;
pub use member::{GroupMetadata, Member, MemberEvent, MemberOptions};
pub use millstream_records::{Offset, Record, Records, RecordsBuilder, TopicPartition};
pub use reader::{Isolation, ReadStatus, Reader, ReaderOptions, Run};
pub use topics::{CleanupPolicy, TopicConfig, TopicDescription, TopicId, TopicIdentity, TopicSpec};
pub use writer::{EndOutcome, TransactionOptions, TransactionalWriter, Writer};

/// A log. Cheap to share; every client made from it is independent.
pub trait Log: Send + Sync {
    /// What and where it is.
    fn info(&self) -> LogInfo;

    /// A client for topics, offsets and groups.
    ///
    /// # Errors
    /// [`LogError`] when the log can't be reached.
    fn admin(&self) -> Result<Box<dyn Admin>, LogError>;

    /// A client that reads partitions by hand.
    ///
    /// # Errors
    /// As [`Log::admin`].
    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError>;

    /// A client that writes without transactions; every record is there once when its write was acknowledged.
    ///
    /// # Errors
    /// As [`Log::admin`].
    fn writer(&self) -> Result<Box<dyn Writer>, LogError>;

    /// A member of a consumer group.
    ///
    /// # Errors
    /// As [`Log::admin`].
    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError>;

    /// A client that writes in transactions.
    ///
    /// # Errors
    /// As [`Log::admin`].
    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError>;

    /// Makes everything that was acknowledged so far survive a power cut of this machine. What is kept elsewhere and
    /// must not get ahead of the log waits for this first. Nothing to do where the log is on other machines.
    ///
    /// # Errors
    /// [`LogError`] when the log has failed: what was acknowledged last may be lost.
    fn sync(&self) -> Result<(), LogError> {
        Ok(())
    }
}

/// What and where a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// `kafka`, `embedded` or `memory`.
    pub kind: &'static str,
    /// Id of the cluster: state kept for one is refused for another.
    pub cluster: String,
    /// Where it is, for people.
    pub location: String,
}

/// Tests look at what damaged bytes make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
