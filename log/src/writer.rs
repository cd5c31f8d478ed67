//! Writing, in transactions and without.

use crate::{CommittedOffset, GroupMetadata, LogError, Offset, Records, TopicPartition, TransactionError};
use std::time::Duration;

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
