//! Topics, offsets and groups, looked at and changed by hand.

use crate::{Isolation, LogError, Offset, TopicDescription, TopicIdentity, TopicPartition, TopicSpec};

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

/// An offset a group committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: Offset,
    /// What the committer wrote beside it.
    pub metadata: String,
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
