//! What a producer answers instead of doing what was asked, by what has to happen next.

use super::Place;
use crate::{Denied, Kind, WireError};
use kafka_protocol::error::ResponseError;

/// A failure to write records or to go on with a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProduceError {
    /// Not done in time, and nothing is known to be wrong: call again with the same arguments.
    #[error("not in time: {0}")]
    NotYet(String),
    /// Records that the partition will not take, now or later. A transaction has to be aborted.
    #[error("{place}: {reason}")]
    Refused {
        /// The partition.
        place: Place,
        /// Why.
        reason: Refusal,
    },
    /// The transaction has to be aborted; the producer can begin another. Without transactions: some of the records
    /// since the last flush may not be there, and nobody can say which.
    #[error("{0}")]
    Abortable(String),
    /// A newer producer of the same id, or a newer generation of the group, has taken this one's place.
    #[error("fenced: {0}")]
    Fenced(String),
    /// Nobody can say whether the transaction was committed.
    #[error("in doubt: {0}")]
    InDoubt(String),
    /// The producer can't be used any more. Nothing was committed.
    #[error("{0}")]
    Fatal(String),
    /// A right is missing. No other producer would be answered otherwise.
    #[error("{0}")]
    Denied(Denied),
    /// The cluster does not take the producer's id or its timeout. No other producer with them would be taken.
    #[error("{0}")]
    Invalid(String),
}

/// Why a partition does not take records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The topic or the partition does not exist.
    #[error("the topic or the partition does not exist")]
    UnknownTopic,
    /// A batch is larger than the topic takes.
    #[error("a batch whose largest record has {largest_record} bytes is larger than the topic takes")]
    TooLarge {
        /// Bytes of key and value of the largest record.
        largest_record: usize,
    },
    /// Another reason.
    #[error("{0}")]
    Other(String),
}

impl ProduceError {
    /// How much an error tells: of several that came of the same cause the one that tells most is kept.
    pub(super) fn tells_more_than(&self, other: &ProduceError) -> bool {
        let rank = |error: &ProduceError| match error {
            ProduceError::Denied(_) | ProduceError::Invalid(_) => 5,
            ProduceError::Refused { .. } => 4,
            ProduceError::Fenced(_) => 3,
            ProduceError::Fatal(_) => 2,
            ProduceError::Abortable(_) => 1,
            ProduceError::NotYet(_) | ProduceError::InDoubt(_) => 0,
        };
        rank(self) > rank(other)
    }

    /// An error of a request that changes nothing by itself, or that can be repeated: in doubt is as good as not done.
    pub(super) fn of_request(error: &WireError) -> ProduceError {
        let text = error.to_string();
        match error.kind() {
            Kind::Retriable | Kind::InDoubt => ProduceError::NotYet(text),
            Kind::Fenced => ProduceError::Fenced(text),
            Kind::Abortable => ProduceError::Abortable(text),
            Kind::Fatal => ProduceError::Fatal(text),
            Kind::Permanent => error.denied().map_or(ProduceError::Invalid(text), ProduceError::Denied),
        }
    }
}

/// What a broker's answer says of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in the log from this offset on; -1 where the broker does not remember.
    Written(i64),
    /// It is not, and can be sent again; `moved` when somebody else leads the partition.
    Again { moved: bool },
    /// A batch before it is missing.
    OutOfOrder,
    /// Nobody knows: send it again, it will be there once.
    Unknown,
    /// The broker knows no such partition: not yet, or not any more.
    NoSuchPartition,
    /// It is not, and never will be.
    Failed(ProduceError),
}

/// What an error code means for a batch. 0 is none.
pub(super) fn verdict(
    place: &Place,
    code: i16,
    base_offset: i64,
    message: Option<&str>,
    largest_record: usize,
) -> Verdict {
    use ResponseError as E;
    let Some(error) = ResponseError::try_from_code(code) else { return Verdict::Written(base_offset) };
    let name = crate::Code(code);
    let text = message.map_or_else(|| name.to_string(), |message| format!("{name}: {message}"));
    let at_place = || format!("writing to {place}: {text}");
    let refused = |reason| Verdict::Failed(ProduceError::Refused { place: place.clone(), reason });
    match error {
        // An old acquaintance, beyond the last five that brokers remember offsets of.
        E::DuplicateSequenceNumber => Verdict::Written(-1),
        E::OutOfOrderSequenceNumber => Verdict::OutOfOrder,
        E::UnknownTopicOrPartition | E::UnknownTopicId | E::InconsistentTopicId => Verdict::NoSuchPartition,
        E::NotLeaderOrFollower
        | E::LeaderNotAvailable
        | E::FencedLeaderEpoch
        | E::UnknownLeaderEpoch
        | E::ReplicaNotAvailable
        | E::KafkaStorageError => Verdict::Again { moved: true },
        // It is in the leader's log, and may be lost with it.
        E::RequestTimedOut | E::NotEnoughReplicasAfterAppend => Verdict::Unknown,
        E::MessageTooLarge | E::RecordListTooLarge => refused(Refusal::TooLarge { largest_record }),
        E::InvalidTimestamp => refused(Refusal::Other(
            "a timestamp too far from the broker's clock; see message.timestamp.after.max.ms and \
             message.timestamp.before.max.ms of the topic"
                .to_owned(),
        )),
        E::InvalidRecord
        | E::InvalidTopicException
        | E::PolicyViolation
        | E::UnsupportedForMessageFormat
        | E::UnsupportedCompressionType => refused(Refusal::Other(text)),
        E::InvalidProducerEpoch | E::ProducerFenced => Verdict::Failed(ProduceError::Fenced(at_place())),
        E::TransactionAbortable | E::InvalidTxnState | E::UnknownProducerId => {
            Verdict::Failed(ProduceError::Abortable(at_place()))
        }
        E::TopicAuthorizationFailed
        | E::TransactionalIdAuthorizationFailed
        | E::ClusterAuthorizationFailed => {
            let denied = Denied::of("Produce", &place.topic, error);
            Verdict::Failed(denied.map_or_else(|| ProduceError::Fatal(at_place()), ProduceError::Denied))
        }
        // The transaction before is still ending; the coordinator is somewhere else; changed on the way, by its checksum.
        E::ConcurrentTransactions
        | E::CoordinatorLoadInProgress
        | E::CoordinatorNotAvailable
        | E::NotCoordinator
        | E::NotEnoughReplicas
        | E::ThrottlingQuotaExceeded
        | E::CorruptMessage => Verdict::Again { moved: false },
        error if error.is_retriable() => Verdict::Again { moved: false },
        _ => Verdict::Failed(ProduceError::Fatal(at_place())),
    }
}
