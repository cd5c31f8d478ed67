//! What a log can answer instead of doing what was asked.

use super::ErrorKind;
use millstream_records::{Offset, TopicPartition};

/// A failure of the log or its client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Not now; ask again.
    #[error("{0}")]
    NotReady(String),
    /// No answer in time. Ask again; what was asked may have been done.
    #[error("no answer in time: {0}")]
    Timeout(String),
    /// The topic does not exist.
    #[error("topic \"{0}\" does not exist")]
    UnknownTopic(String),
    /// A topic was deleted and another made under its name while it was read.
    #[error("{0} was deleted and made anew while it was read: its offsets mean something else now")]
    TopicMadeAnew(String),
    /// The topic exists already.
    #[error("topic \"{0}\" exists already")]
    TopicExists(String),
    /// A setting of a topic is not known, or its value is not one.
    #[error("topic setting {key} = \"{value}\": {reason}")]
    BadConfig {
        /// The setting.
        key: String,
        /// Its value.
        value: String,
        /// What is wrong.
        reason: String,
    },
    /// A record is larger than the log takes.
    #[error(
        "a record of {bytes} bytes for {place} is larger than the topic takes ({limit} bytes); \
             raise max.message.bytes of the topic"
    )]
    RecordTooLarge {
        /// The partition.
        place: TopicPartition,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A position is not in the partition any more, or not yet.
    #[error("offset {wanted} of {place} is not there: the partition holds {start} up to {end}")]
    OffsetOutOfRange {
        /// The partition.
        place: TopicPartition,
        /// The offset that was asked for.
        wanted: Offset,
        /// The first offset there is.
        start: Offset,
        /// The end.
        end: Offset,
    },
    /// Another member has taken this one's place for good.
    #[error("{0}")]
    Fenced(String),
    /// A group can't be changed while it has members.
    #[error("group \"{0}\" has members; stop the job first")]
    GroupInUse(String),
    /// Another process owns the log's directory.
    #[error("the log in {path} is in use by {owner}; {advice}")]
    InUse {
        /// The directory.
        path: String,
        /// Who has it.
        owner: String,
        /// What to do.
        advice: String,
    },
    /// The log can't do this.
    #[error("{0}")]
    Unsupported(String),
    /// The client has not the right to do this.
    #[error("{0}")]
    Denied(Box<MissingRight>),
    /// The log does not take a setting of this client, now or later.
    #[error("{0}")]
    Rejected(String),
    /// A client property is refused.
    #[error("client property \"{key}\": {reason}")]
    BadProperty {
        /// The property.
        key: String,
        /// Why.
        reason: String,
    },
    /// Stored data can't be understood.
    #[error("{0}")]
    Corrupt(String),
    /// The client or the disk failed in another way.
    #[error("{0}")]
    Client(String),
}

/// A right that a client has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRight {
    /// Who the client is to the brokers, `User:alice`.
    pub principal: String,
    /// The operation by Kafka's name, `Write`.
    pub operation: String,
    /// The kind of thing: topic, group, transactional id, cluster.
    pub resource: String,
    /// Its name.
    pub name: String,
    /// The resource as an option of `kafka-acls.sh`.
    pub option: String,
}

impl std::fmt::Display for MissingRight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MissingRight { principal, operation, resource, name, option } = self;
        write!(
            f,
            "{principal} has not the right to {operation} {resource} \"{name}\": allow it, for example with: \
             kafka-acls.sh --add --allow-principal {principal} --operation {operation} {option}; then start again"
        )
    }
}

impl LogError {
    /// What somebody can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            LogError::NotReady(_) | LogError::Timeout(_) => ErrorKind::Retry,
            LogError::BadConfig { .. }
            | LogError::BadProperty { .. }
            | LogError::Denied(_)
            | LogError::Rejected(_) => ErrorKind::FixConfiguration,
            LogError::RecordTooLarge { .. } => ErrorKind::FixInput,
            LogError::UnknownTopic(_)
            | LogError::TopicExists(_)
            | LogError::Fenced(_)
            | LogError::GroupInUse(_)
            | LogError::InUse { .. }
            | LogError::Unsupported(_)
            | LogError::Client(_) => ErrorKind::FixSurroundings,
            LogError::Corrupt(_) => ErrorKind::RestoreState,
            LogError::OffsetOutOfRange { .. } | LogError::TopicMadeAnew(_) => ErrorKind::RestoreHistory,
        }
    }

    /// Whether the same will be answered until somebody changes a right, a setting or a topic: asking again can't help,
    /// and nothing is broken.
    pub fn is_permanent(&self) -> bool {
        matches!(self, LogError::Denied(_) | LogError::Rejected(_))
    }

    /// Whether asking again can help.
    pub fn is_retriable(&self) -> bool {
        matches!(self, LogError::NotReady(_) | LogError::Timeout(_))
    }
}

/// A failure of a transaction. Says what has to happen next, not what went wrong inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Call again with the same arguments.
    #[error("not yet: {0}")]
    Retriable(String),
    /// Abort the transaction. The writer can begin another.
    #[error("the transaction has to be aborted: {0}")]
    Abortable(String),
    /// The group does not know this member in this generation, or a newer writer has this one's id. Whatever the
    /// writer's worker owned may belong to somebody else by now.
    #[error("fenced: {0}")]
    Fenced(String),
    /// A record can't be written; abort. It will be the same next time.
    #[error("{place}: {reason}")]
    Refused {
        /// The partition it was for.
        place: TopicPartition,
        /// Why.
        reason: String,
    },
    /// Nobody can say whether the transaction was committed. Make a new writer, `init` it, and look.
    #[error("the fate of the transaction is unknown: {0}")]
    InDoubt(String),
    /// No other writer would be answered otherwise, until somebody changes a right or a setting. Nothing was committed.
    #[error(transparent)]
    Permanent(LogError),
    /// The writer can't be used any more and nothing was committed. Make a new one.
    #[error("the writer can't be used any more: {0}")]
    Fatal(String),
}
