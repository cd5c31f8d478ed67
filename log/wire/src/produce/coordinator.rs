//! Requests to the coordinators of transactions and groups. Each is repeated until its deadline while it may help.
//!
//! Whether an answer that did not come matters differs: [`end`] says so, the others can be repeated.

use super::error::ProduceError;
use super::queue::Identity;
use super::{GroupMember, Offset, Place};
use crate::cluster::{Cluster, Coordinator};
use crate::{Code, Kind, WireError};
use kafka_protocol::error::ResponseError as E;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, GroupId, InitProducerIdRequest,
    ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Newest version of AddPartitionsToTxn that is for clients.
const ADD_PARTITIONS_VERSION_MAX: i16 = 3;
/// Newest versions that mean the old protocol; those after them bump epochs and add offsets by themselves.
const END_VERSION_MAX_OLD: i16 = 4;
const OFFSETS_VERSION_MAX_OLD: i16 = 4;
/// Pauses before a request is repeated: first, and at most. The first request of a transaction is refused while the last
/// one still ends, which is a matter of a moment.
const PAUSES: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(100));

/// How long one request may take, and when all must be over.
pub(super) type Timeouts = (Duration, Instant);

/// What a producer is after it asked who it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Initialized {
    pub(super) identity: Identity,
    /// Level of the cluster's `transaction.version`.
    pub(super) transaction_version: i16,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// Who the producer is from now on, if that changed.
    pub(super) identity: Option<Identity>,
    /// Whether a copy of the request may still be under way.
    pub(super) may_come_again: bool,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A pause that grows.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Pauses {
        Pauses(PAUSES.0)
    }

    /// Pauses, and says whether there is time left.
    async fn next(&mut self, deadline: Instant) -> bool {
        if Instant::now() + self.0 >= deadline {
            return false;
        }
        tokio::time::sleep(self.0).await;
        self.0 = (2 * self.0).min(PAUSES.1);
        true
    }
}

/// What a coordinator's error code means for asking again.
fn should_ask_again(code: Code) -> bool {
    matches!(
        code.error(),
        E::ConcurrentTransactions
            | E::CoordinatorLoadInProgress
            | E::CoordinatorNotAvailable
            | E::NotCoordinator
            | E::RequestTimedOut
            | E::UnknownTopicOrPartition
            | E::NotEnoughReplicas
            | E::NotEnoughReplicasAfterAppend
            | E::NotLeaderOrFollower
            | E::KafkaStorageError
            | E::ThrottlingQuotaExceeded
    )
}

/// Whether the coordinator may be somebody else.
fn has_moved(code: Code) -> bool {
    matches!(code.error(), E::NotCoordinator | E::CoordinatorNotAvailable)
}

/// Asks a coordinator until it says yes, or no for good. `codes` gives what an answer says.
async fn ask<R: Request>(
    cluster: &Cluster,
    whom: (Coordinator, &str),
    request: &R,
    version_max: i16,
    (timeout, deadline): Timeouts,
    code_of: impl Fn(&R::Response) -> (Code, String),
) -> Result<R::Response, ProduceError> {
    let mut pauses = Pauses::new();
    loop {
        let late = deadline.min(Instant::now() + timeout);
        let error = match ask_once(cluster, whom, request, version_max, late).await {
            Ok((answer, at)) => {
                let (code, what) = code_of(&answer);
                if code.0 == 0 {
                    return Ok(answer);
                }
                if has_moved(code) {
                    cluster.forget_coordinator(whom.0, whom.1);
                }
                let error = WireError::Refused { at, what, code, message: None };
                if !should_ask_again(code) {
                    return Err(refusal(&error));
                }
                error
            }
            Err(error) => {
                if !matches!(error.kind(), Kind::Retriable | Kind::InDoubt) {
                    return Err(ProduceError::of_request(&error));
                }
                error
            }
        };
        tracing::debug!(target: "millstream::wire", %error, "asking again");
        if !pauses.next(deadline).await {
            return Err(ProduceError::NotYet(error.to_string()));
        }
    }
}

async fn ask_once<R: Request>(
    cluster: &Cluster,
    (of, key): (Coordinator, &str),
    request: &R,
    version_max: i16,
    deadline: Instant,
) -> Result<(R::Response, crate::At), WireError> {
    let connection = cluster.coordinator(of, key, deadline).await?;
    let at = connection.at::<R>();
    let Some(version) = connection.versions().of::<R>() else {
        let reason = "the broker does not speak it; transactions need Kafka 0.11 or later".to_owned();
        return Err(WireError::Unsupported { at, reason });
    };
    let answer = connection.send_version(request, version.min(version_max))?.wait(deadline).await;
    if answer.is_err() {
        // Whoever fell silent may have been replaced.
        cluster.forget_coordinator(of, key);
    }
    Ok((answer?, at))
}

/// An answer that says no for good.
fn refusal(error: &WireError) -> ProduceError {
    match error.code() {
        // The group moves on without this member's answer.
        Some(E::RebalanceInProgress) => ProduceError::Abortable(error.to_string()),
        Some(E::OperationNotAttempted) => ProduceError::Abortable(error.to_string()),
        _ => match error.kind() {
            Kind::Retriable | Kind::InDoubt => ProduceError::Abortable(error.to_string()),
            _ => ProduceError::of_request(error),
        },
    }
}

/// Asks for an id, or for the next epoch of a transactional id: that fences whoever had it, and ends what they left open.
pub(super) async fn init(
    cluster: &Cluster,
    transactional: Option<(&str, Duration)>,
    timeouts: Timeouts,
) -> Result<Initialized, ProduceError> {
    let timeout_ms =
        transactional.map_or(i32::MAX, |(_, timeout)| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX));
    let request = InitProducerIdRequest::default()
        .with_transactional_id(transactional.map(|(id, _)| TransactionalId(text(id))))
        .with_transaction_timeout_ms(timeout_ms)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    let answer = match transactional {
        Some((id, _)) => {
            let whom = (Coordinator::Transaction, id);
            let code = |answer: &_| init_code(answer, id);
            ask(cluster, whom, &request, i16::MAX, timeouts, code).await?
        }
        None => ask_any(cluster, &request, timeouts).await?,
    };
    let identity = Identity { id: answer.producer_id.0, epoch: answer.producer_epoch };
    // The level is the cluster's; whoever answers knows it.
    let connection = match transactional {
        Some((id, _)) => cluster.coordinator(Coordinator::Transaction, id, timeouts.1).await,
        None => cluster.any(timeouts.1).await,
    };
    let connection = connection.map_err(|error| ProduceError::of_request(&error))?;
    let transaction_version = connection.versions().feature("transaction.version");
    Ok(Initialized { identity, transaction_version })
}

fn init_code(answer: &kafka_protocol::messages::InitProducerIdResponse, what: &str) -> (Code, String) {
    (Code(answer.error_code), what.to_owned())
}

/// The same of any broker, for a producer without transactions.
async fn ask_any(
    cluster: &Cluster,
    request: &InitProducerIdRequest,
    (timeout, deadline): Timeouts,
) -> Result<kafka_protocol::messages::InitProducerIdResponse, ProduceError> {
    let mut pauses = Pauses::new();
    loop {
        let late = deadline.min(Instant::now() + timeout);
        let answer = async {
            let connection = cluster.any(late).await?;
            let answer = connection.ask(request, late).await?;
            Code::check(answer.error_code).map_err(|code| WireError::Refused {
                at: connection.at::<InitProducerIdRequest>(),
                what: "a new producer".to_owned(),
                code,
                message: None,
            })?;
            Ok::<_, WireError>(answer)
        };
        let error = match answer.await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let again = matches!(error.kind(), Kind::Retriable | Kind::InDoubt);
        if !again {
            return Err(ProduceError::of_request(&error));
        }
        if !pauses.next(deadline).await {
            return Err(ProduceError::NotYet(error.to_string()));
        }
    }
}

fn by_topic<'a, T>(
    places: impl Iterator<Item = &'a Place>,
    mut add: impl FnMut(&Arc<str>, usize) -> T,
) -> Vec<(Arc<str>, Vec<T>)> {
    let mut topics: Vec<(Arc<str>, Vec<T>)> = Vec::new();
    for (at, place) in places.enumerate() {
        let item = add(&place.topic, at);
        match topics.iter_mut().find(|(topic, _)| *topic == place.topic) {
            Some((_, items)) => items.push(item),
            None => topics.push((Arc::clone(&place.topic), vec![item])),
        }
    }
    topics
}

/// Makes partitions part of the transaction.
pub(super) async fn add_partitions(
    cluster: &Cluster,
    id: &str,
    identity: Identity,
    places: &[Place],
    timeouts: Timeouts,
) -> Result<(), ProduceError> {
    let topics = by_topic(places.iter(), |_, at| places[at].partition).into_iter();
    let topics = topics.map(|(topic, partitions)| {
        AddPartitionsToTxnTopic::default().with_name(TopicName(text(&topic))).with_partitions(partitions)
    });
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(TransactionalId(text(id)))
        .with_v3_and_below_producer_id(ProducerId(identity.id))
        .with_v3_and_below_producer_epoch(identity.epoch)
        .with_v3_and_below_topics(topics.collect());
    let whom = (Coordinator::Transaction, id);
    let asked = ask(cluster, whom, &request, ADD_PARTITIONS_VERSION_MAX, timeouts, |answer| {
        let topics = answer.results_by_topic_v3_and_below.iter();
        let results = topics.flat_map(|topic| {
            topic.results_by_partition.iter().map(|result| {
                let place = format!("{}/{}", topic.name.as_str(), result.partition_index);
                (Code(result.partition_error_code), place)
            })
        });
        // Of one that is refused the others say only that they were not looked at.
        let failed = results.filter(|(code, _)| code.0 != 0);
        let telling = |(code, _): &(Code, String)| code.error() == E::OperationNotAttempted;
        failed.min_by_key(telling).unwrap_or((Code(0), String::new()))
    });
    asked.await.map(|_| ())
}

/// Makes offsets of a group part of the transaction.
pub(super) async fn send_offsets(
    cluster: &Cluster,
    (id, identity, is_implicit): (&str, Identity, bool),
    offsets: &[(Place, Offset)],
    member: &GroupMember,
    timeouts: Timeouts,
) -> Result<(), ProduceError> {
    if !is_implicit {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(identity.id))
            .with_producer_epoch(identity.epoch)
            .with_group_id(GroupId(text(&member.group)));
        let whom = (Coordinator::Transaction, id);
        let code = |answer: &kafka_protocol::messages::AddOffsetsToTxnResponse| {
            (Code(answer.error_code), member.group.clone())
        };
        ask(cluster, whom, &request, i16::MAX, timeouts, code).await?;
    }
    let topics = by_topic(offsets.iter().map(|(place, _)| place), |_, at| {
        let (place, offset) = &offsets[at];
        TxnOffsetCommitRequestPartition::default()
            .with_partition_index(place.partition)
            .with_committed_offset(offset.offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(text(&offset.metadata)))
    });
    let topics = topics.into_iter().map(|(topic, partitions)| {
        TxnOffsetCommitRequestTopic::default().with_name(TopicName(text(&topic))).with_partitions(partitions)
    });
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(id)))
        .with_group_id(GroupId(text(&member.group)))
        .with_producer_id(ProducerId(identity.id))
        .with_producer_epoch(identity.epoch)
        .with_generation_id(member.generation)
        .with_member_id(text(&member.member))
        .with_group_instance_id(member.instance.as_deref().map(text))
        .with_topics(topics.collect());
    let version_max = if is_implicit { i16::MAX } else { OFFSETS_VERSION_MAX_OLD };
    let whom = (Coordinator::Group, member.group.as_str());
    let asked = ask(cluster, whom, &request, version_max, timeouts, |answer| {
        let topics = answer.topics.iter();
        let mut results = topics.flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions
                .map(|it| (Code(it.error_code), format!("{}/{}", topic.name.as_str(), it.partition_index)))
        });
        let failed = results.find(|(code, _)| code.0 != 0);
        failed.map_or((Code(0), String::new()), |(code, place)| match code.error() {
            // Of a right that is missing on the group, or on a topic, the name is what counts.
            E::GroupAuthorizationFailed => (code, member.group.clone()),
            E::TopicAuthorizationFailed => (code, place),
            _ => (code, format!("group {}, {place}", member.group)),
        })
    });
    asked.await.map(|_| ())
}

/// Ends the transaction. What is not answered is asked again: a coordinator that has done it says yes once more.
///
/// # Errors
/// [`ProduceError::InDoubt`] when a request may have been carried out and no answer says so.
pub(super) async fn end(
    cluster: &Cluster,
    (id, identity, bumps_epoch): (&str, Identity, bool),
    is_commit: bool,
    (timeout, deadline): Timeouts,
) -> Result<Ended, ProduceError> {
    let request = EndTxnRequest::default()
        .with_transactional_id(TransactionalId(text(id)))
        .with_producer_id(ProducerId(identity.id))
        .with_producer_epoch(identity.epoch)
        .with_committed(is_commit);
    let version_max = if bumps_epoch { i16::MAX } else { END_VERSION_MAX_OLD };
    let (mut pauses, mut is_ambiguous, mut is_unanswered) = (Pauses::new(), false, false);
    loop {
        let late = deadline.min(Instant::now() + timeout);
        let asked = ask_once(cluster, (Coordinator::Transaction, id), &request, version_max, late).await;
        let error = match asked {
            Ok((answer, at)) => match Code::check(answer.error_code) {
                Ok(()) => {
                    let new = Identity { id: answer.producer_id.0, epoch: answer.producer_epoch };
                    let identity = Some(new).filter(|new| bumps_epoch && new.id >= 0 && new.epoch >= 0);
                    // A copy that comes later carries an epoch that is over.
                    let may_come_again = is_unanswered && identity.is_none();
                    return Ok(Ended { identity, may_come_again });
                }
                Err(code) => {
                    if has_moved(code) {
                        cluster.forget_coordinator(Coordinator::Transaction, id);
                    }
                    // The coordinator may have decided, and not heard of its replicas in time: it says that it is none.
                    let is_clear =
                        matches!(code.error(), E::ConcurrentTransactions | E::CoordinatorLoadInProgress);
                    is_ambiguous |= should_ask_again(code) && !is_clear;
                    let error = WireError::Refused { at, what: id.to_owned(), code, message: None };
                    if !should_ask_again(code) {
                        return Err(match refusal(&error) {
                            // The coordinator has ended it, for it took too long; so long that somebody else may be at
                            // work by now.
                            _ if is_commit && code.error() == E::InvalidTxnState && !is_ambiguous => {
                                ProduceError::Fenced(format!("{error}: it took longer than it may"))
                            }
                            refused if is_ambiguous => ProduceError::InDoubt(refused.to_string()),
                            refused => refused,
                        });
                    }
                    error
                }
            },
            Err(error) => {
                match error.kind() {
                    Kind::InDoubt => (is_ambiguous, is_unanswered) = (true, true),
                    Kind::Retriable => {}
                    _ if is_ambiguous => return Err(ProduceError::InDoubt(error.to_string())),
                    _ => return Err(ProduceError::of_request(&error)),
                }
                error
            }
        };
        tracing::debug!(target: "millstream::wire", %error, "asking again for the end of a transaction");
        if !pauses.next(deadline).await {
            return Err(match is_ambiguous {
                true => ProduceError::InDoubt(error.to_string()),
                false => ProduceError::NotYet(error.to_string()),
            });
        }
    }
}
