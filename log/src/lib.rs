//! The log: a durable, partitioned, replayable sequence of records, and the only source of truth.
//!
//! [`Log`] is what the engine needs of one. Three backends implement it: [`kafka`] (any broker that speaks the
//! protocol), [`embedded`] (on disk, in this process) and [`memory`] (for tests and simulations; it models what real
//! brokers do, late markers and fencing included). One suite, `tests/it/conformance`, runs against all three.
//!
//! The traits are batch-wise both ways: readers hand out runs of records, writers take them. No call blocks for longer
//! than its timeout, and none is asynchronous: each worker drives its clients from its own thread.

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
pub mod memory;
pub mod overlay;
mod topics;

pub use error::{LogError, MissingRight, TransactionError};
pub use exit::exit_now;
pub use kind::ErrorKind;
pub use millstream_records::{Offset, Record, Records, RecordsBuilder, TopicPartition};
pub use topics::{CleanupPolicy, TopicConfig, TopicDescription, TopicId, TopicIdentity, TopicSpec};

use std::time::Duration;

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

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Records of committed transactions only, up to the last stable offset.
    ReadCommitted,
    /// Everything up to the end of the partition.
    ReadUncommitted,
}

/// Which offset of a partition is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetQuery {
    /// The first one there is.
    Earliest,
    /// The one after the last: with [`Isolation::ReadCommitted`] the last stable offset.
    Latest,
    /// The first record whose timestamp is not before this, milliseconds since 1970; the end where there is none.
    Timestamp(i64),
}

/// Topics, offsets and groups.
pub trait Admin: Send {
    /// Makes a topic.
    ///
    /// # Errors
    /// [`LogError::TopicExists`]; [`LogError::BadConfig`] for a setting the log does not know.
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError>;

    /// Removes a topic and its records.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`].
    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError>;

    /// The names of all topics, in order; those of the log itself left out.
    ///
    /// # Errors
    /// [`LogError`] when the log can't be reached.
    fn topics(&mut self) -> Result<Vec<String>, LogError>;

    /// A topic's partitions and settings; `None` when it does not exist.
    ///
    /// # Errors
    /// As [`Admin::topics`].
    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError>;

    /// Which topics names stand for now, in their order; `None` for a topic that does not exist. A topic that was deleted
    /// and made anew under its name has another id.
    ///
    /// # Errors
    /// As [`Admin::topics`].
    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError>;

    /// Offsets of partitions, in their order.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`], [`LogError::Timeout`].
    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError>;

    /// Removes the records before an offset, for each partition.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`]; [`LogError::OffsetOutOfRange`] beyond the end.
    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError>;

    /// What a group has committed for partitions, in their order. With [`Isolation::ReadCommitted`] only once no
    /// transaction holds an offset of theirs; otherwise what was committed before such a transaction.
    ///
    /// # Errors
    /// [`LogError::NotReady`] or [`LogError::Timeout`] while a transaction does: ask again.
    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError>;

    /// Commits offsets for a group that has no members, and fails otherwise.
    ///
    /// # Errors
    /// [`LogError::GroupInUse`] while it has members.
    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError>;

    /// Forgets a group that has no members, and what it committed. One that does not exist is no error.
    ///
    /// # Errors
    /// [`LogError::GroupInUse`] while it has members.
    fn delete_group(&mut self, group: &str) -> Result<(), LogError>;
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

/// Writes records without transactions.
pub trait Writer: Send {
    /// Takes records for a partition; may wait for room in its bounded queue.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`], [`LogError::RecordTooLarge`], [`LogError::Timeout`].
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError>;

    /// Waits until everything written is acknowledged.
    ///
    /// # Errors
    /// The first error of a record; which of the others are there is then unknown.
    fn flush(&mut self, timeout: Duration) -> Result<(), LogError>;
}

/// How a member joins its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOptions {
    /// The group.
    pub group: String,
    /// Name of this member over restarts; a member of the same name takes its place at once.
    pub instance: Option<String>,
    /// The topics whose partitions the group shares out.
    pub topics: Vec<String>,
    /// After how long without a sign of life the group gives its partitions to others, milliseconds.
    pub session_timeout_ms: u64,
}

/// What happened to a member's partitions. Nothing moves until the member has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEvent {
    /// These are offered; take them with [`Member::accept`].
    Assigned(Vec<TopicPartition>),
    /// These have to be given up: finish what is open, then [`Member::release`]. Nobody else has them before that.
    Revoking(Vec<TopicPartition>),
    /// These are gone, somebody else may have them already. Answer with [`Member::release`].
    Lost(Vec<TopicPartition>),
}

/// Who a member is, as the group knows it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMetadata {
    /// The group.
    pub group: String,
    /// Its generation; negative while the member is not in it.
    pub generation: i32,
    /// The member's id; empty while it is not in the group.
    pub member: String,
    /// The member's name over restarts.
    pub instance: Option<String>,
}

/// An offset a group committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: Offset,
    /// What the committer wrote beside it.
    pub metadata: String,
}

/// A member of a consumer group. It never reads the partitions it is given: holding one means owning a task.
pub trait Member: Send {
    /// Keeps the membership alive and says what happened; never waits.
    ///
    /// # Errors
    /// [`LogError::Fenced`] when another member has taken this one's name: stop. [`LogError`] when the client gave up.
    fn poll(&mut self) -> Result<Option<MemberEvent>, LogError>;

    /// Takes offered partitions.
    ///
    /// # Errors
    /// [`LogError`] when the client refuses.
    fn accept(&mut self, places: &[TopicPartition]) -> Result<(), LogError>;

    /// Gives up revoked or lost partitions.
    ///
    /// # Errors
    /// [`LogError`] when the client refuses.
    fn release(&mut self, places: &[TopicPartition]) -> Result<(), LogError>;

    /// Who this member is now. Read it right before committing, never keep it.
    ///
    /// # Errors
    /// [`LogError`] when the client can't say.
    fn metadata(&mut self) -> Result<GroupMetadata, LogError>;

    /// Looks whether the group is at rest with partitions that nobody has, and asks for a rebalance if so; says whether
    /// it did.
    ///
    /// It happens: a member dies after the group has decided to take a partition from it and before it has let go; a
    /// static member that comes back in its place is given what was left to it, without a rebalance.
    ///
    /// # Errors
    /// [`LogError::Timeout`]: ask again later.
    fn heal(&mut self, timeout: Duration) -> Result<bool, LogError>;

    /// What keeps it from its group, as far as is known: brokers that are away, an error that may pass.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Leaves the group; its partitions go to others at once. A member with a name keeps its place until its session
    /// is over, so that it can come back; so does one that is dropped without leaving.
    ///
    /// # Errors
    /// [`LogError::Timeout`]; the group then finds out by itself.
    fn leave(&mut self, timeout: Duration) -> Result<(), LogError>;
}

/// How a transactional writer is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionOptions {
    /// Its id: a writer of the same id fences the one before.
    pub id: String,
    /// After how long the log aborts a transaction that was not ended, milliseconds.
    pub timeout_ms: u64,
}

/// How a transaction was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndOutcome {
    /// Whether the end of the transaction was sent more than once. A late copy could end the next transaction: make a
    /// new writer before beginning one.
    pub sent_again: bool,
}

/// Writes in transactions, one at a time.
///
/// `init` once, then `begin`, `write`.., `flush`, `send_offsets`, and `commit` or `abort`.
pub trait TransactionalWriter: Send {
    /// Fences earlier writers of the same id and ends what they left open.
    ///
    /// # Errors
    /// [`TransactionError::Retriable`]: again. Others: make a new writer.
    fn init(&mut self) -> Result<(), TransactionError>;

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`TransactionError::Retriable`]: again.
    fn begin(&mut self) -> Result<(), TransactionError>;

    /// Takes records for a partition.
    ///
    /// # Errors
    /// [`TransactionError::Refused`] names the partition to blame.
    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError>;

    /// Waits until all records are in the log, and gives for each partition written the offset after its last record.
    ///
    /// # Errors
    /// As [`TransactionalWriter::write`]; [`TransactionError::Retriable`]: again.
    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError>;

    /// Makes offsets of a group part of the transaction. The log checks that `member` is in the group's current
    /// generation, and nothing else: not that it owns the partitions.
    ///
    /// # Errors
    /// [`TransactionError::Fenced`] when it is not.
    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError>;

    /// Commits.
    ///
    /// # Errors
    /// [`TransactionError::InDoubt`] when nobody can say whether it did.
    fn commit(&mut self) -> Result<EndOutcome, TransactionError>;

    /// Aborts.
    ///
    /// # Errors
    /// Any: make a new writer, whose `init` aborts.
    fn abort(&mut self) -> Result<EndOutcome, TransactionError>;
}

/// Tests look at what damaged bytes make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
