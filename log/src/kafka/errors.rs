//! What librdkafka's errors mean to the engine.

use super::native::{Code, NativeError};
use crate::{LogError, MissingRight, TransactionError};
use millstream_wire::{Denied, Resource};

/// An error outside of transactions. `what` says what was being done.
pub(super) fn log_error(what: &str, error: &NativeError) -> LogError {
    let text = format!("{what}: {error}");
    match error.code {
        code if is_silence(code) => LogError::Timeout(text),
        code if is_passing(code) => LogError::NotReady(text),
        _ => LogError::Client(text),
    }
}

/// What was to be done with what, by the names of Kafka's access control.
#[derive(Debug, Clone, Copy)]
pub(super) struct Right<'a>(pub(super) &'static str, pub(super) &'a str);

/// An error that comes again until somebody changes a right or a setting; `None` for any other.
pub(super) fn permanent(principal: &str, right: Right<'_>, error: &NativeError) -> Option<LogError> {
    let resource = match error.code {
        Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED => Resource::Topic,
        Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED => Resource::Group,
        Code::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED => Resource::TransactionalId,
        Code::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED => Resource::Cluster,
        Code::RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT => {
            return Some(LogError::Rejected(TRANSACTION_TIMEOUT.to_owned()));
        }
        Code::RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT => {
            return Some(LogError::Rejected(SESSION_TIMEOUT.to_owned()));
        }
        Code::RD_KAFKA_RESP_ERR_INVALID_GROUP_ID => {
            return Some(LogError::Rejected(format!(
                "the brokers do not take the name \"{}\": {error}",
                right.1
            )));
        }
        _ => return None,
    };
    let (operation, name) = (right.0, right.1.to_owned());
    Some(denied(principal, &Denied { operation, resource, name }))
}

/// A right that is missing.
pub(super) fn denied(principal: &str, denied: &Denied) -> LogError {
    let Denied { operation, resource, name } = denied;
    let name = if *resource == Resource::Cluster { "kafka-cluster" } else { name };
    let option = match resource {
        Resource::Cluster => resource.flag().to_owned(),
        _ => format!("{} {name}", resource.flag()),
    };
    LogError::Denied(Box::new(MissingRight {
        principal: principal.to_owned(),
        operation: (*operation).to_owned(),
        resource: resource.to_string(),
        name: name.to_owned(),
        option,
    }))
}

/// What a job sets by names of its own.
pub(super) const TRANSACTION_TIMEOUT: &str = "the brokers do not take the job's transaction timeout: it is above their \
     transaction.max.timeout.ms; lower millstream.transaction-timeout, or raise theirs";
const SESSION_TIMEOUT: &str = "the brokers do not take the job's session timeout: it is not between their \
     group.min.session.timeout.ms and group.max.session.timeout.ms; change millstream.session-timeout, or theirs";

/// Whether the protocol has room for a name: of a group, or of a transactional writer.
pub(super) fn check_name(of: &str, name: &str) -> Result<(), LogError> {
    match name.len() {
        ..=NAME_BYTES_MAX => Ok(()),
        length => Err(LogError::Rejected(format!(
            "the name of {of} is too long: {length} bytes, where Kafka takes {NAME_BYTES_MAX}; give the job a shorter \
             name (--job)"
        ))),
    }
}

/// What the oldest requests have room for.
const NAME_BYTES_MAX: usize = i16::MAX as usize;

/// Nobody answered.
fn is_silence(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE
            | Code::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR__TRANSPORT
            | Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
            | Code::RD_KAFKA_RESP_ERR__RESOLVE
            | Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION
    )
}

/// Somebody answered "not now".
pub(super) fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__WAIT_COORD
            | Code::RD_KAFKA_RESP_ERR__WAIT_CACHE
            | Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR
            | Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT
            | Code::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
            | Code::RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE
            // A broker and a client learn of a new topic or leader one after the other.
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
            | Code::RD_KAFKA_RESP_ERR_NOT_CONTROLLER
            | Code::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS
            | Code::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR
            | Code::RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED
    )
}

pub(super) fn is_unknown_topic(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            | Code::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID
            | Code::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION
    )
}

/// A record that will be refused again.
pub(super) fn is_refusal(code: Code) -> bool {
    is_unknown_topic(code)
        || matches!(
            code,
            Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                | Code::RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE
                | Code::RD_KAFKA_RESP_ERR_INVALID_RECORD
                | Code::RD_KAFKA_RESP_ERR_INVALID_MSG
                | Code::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP
                | Code::RD_KAFKA_RESP_ERR_POLICY_VIOLATION
        )
}

/// Why, where the broker's text does not tell what to do.
pub(super) fn refusal_text(error: &NativeError) -> String {
    match error.code {
        Code::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP => {
            "a timestamp too far from the broker's clock; see message.timestamp.after.max.ms and \
             message.timestamp.before.max.ms of the topic"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

pub(super) fn is_too_large(code: Code) -> bool {
    matches!(code, Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE | Code::RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
}

/// Somebody else has this one's place: a newer writer of its id, or a newer generation of its group. librdkafka calls
/// those of the group abortable; they are not, for the worker may have lost what it commits for.
pub(super) fn is_fenced(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__FENCED
            | Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            | Code::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID
            | Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
            | Code::RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH
    )
}

/// An error of a transactional call other than a commit.
pub(super) fn transaction_error(what: &str, error: &NativeError) -> TransactionError {
    let text = format!("{what}: {error}");
    match error {
        error if is_fenced(error.code) => TransactionError::Fenced(text),
        error if error.is_fatal => TransactionError::Fatal(text),
        error if error.needs_abort => TransactionError::Abortable(text),
        error if error.is_retriable => TransactionError::Retriable(text),
        _ => TransactionError::Fatal(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Code, needs_abort: bool, is_fatal: bool) -> NativeError {
        NativeError { needs_abort, is_fatal, ..NativeError::of(code) }
    }

    /// What librdkafka reports for an offset commit that the group refuses.
    #[test]
    fn fencing_by_the_group_is_fencing_although_it_looks_abortable() {
        for code in [
            Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
            Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
        ] {
            let found = transaction_error("offsets", &error(code, true, false));
            assert!(matches!(found, TransactionError::Fenced(_)), "{found:?}");
        }
    }

    #[test]
    fn an_error_of_no_known_kind_is_fatal() {
        let found = transaction_error("init", &NativeError::of(Code::RD_KAFKA_RESP_ERR__FAIL));
        assert!(matches!(found, TransactionError::Fatal(_)), "{found:?}");
    }

    #[test]
    fn silence_and_not_now_can_be_asked_again() {
        let silent = log_error("offsets", &NativeError::of(Code::RD_KAFKA_RESP_ERR__TRANSPORT));
        let passing = log_error("offsets", &NativeError::of(Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR));
        assert!(silent.is_retriable() && passing.is_retriable());
        let other =
            log_error("offsets", &NativeError::of(Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED));
        assert!(!other.is_retriable());
    }

    #[test]
    fn a_job_starts_although_the_leader_of_its_new_topic_has_not_heard_of_it() {
        for code in
            [Code::RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, Code::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE]
        {
            assert!(is_passing(code));
        }
    }
}
