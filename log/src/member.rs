//! Membership in a consumer group: partitions are shared out by it.

use crate::{LogError, TopicPartition};
use std::time::Duration;

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
