//! What can go wrong between here and a broker, and what it means for what was asked.
//!
//! A [`WireError`] always tells whether the request may have been carried out: [`WireError::NotSent`] never left,
//! [`WireError::NoAnswer`] may have been done. [`WireError::kind`] says what to do.

use crate::Denied;
use kafka_protocol::error::ResponseError;
use std::fmt;

/// Which request, to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The broker, `host:port (id)`.
    pub broker: String,
    /// The request, by its name in the protocol.
    pub api: &'static str,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.api, self.broker)
    }
}

/// A broker's error code, never 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub i16);

impl Code {
    /// What the protocol calls it.
    pub fn error(self) -> ResponseError {
        ResponseError::try_from_code(self.0).unwrap_or(ResponseError::UnknownServerError)
    }

    /// `Err` for any code but 0.
    ///
    /// # Errors
    /// The code.
    pub fn check(code: i16) -> Result<(), Code> {
        if code == 0 { Ok(()) } else { Err(Code(code)) }
    }
}

impl fmt::Display for Code {
    /// The name as Kafka's documentation has it, `NOT_LEADER_OR_FOLLOWER`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ResponseError::Unknown(code) = self.error() {
            return write!(f, "error {code}");
        }
        let camel = format!("{:?}", self.error());
        for (at, letter) in camel.chars().enumerate() {
            if at > 0 && letter.is_ascii_uppercase() {
                f.write_str("_")?;
            }
            write!(f, "{}", letter.to_ascii_uppercase())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.0)
    }
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ask again, after a moment and perhaps somebody else: nothing was done.
    Retriable,
    /// Nobody knows whether it was done.
    InDoubt,
    /// A newer writer of the same id, or a newer generation of the group, has taken this one's place.
    Fenced,
    /// The transaction has to be aborted; the client can go on after that.
    Abortable,
    /// Asking again will not help.
    Fatal,
    /// Asking again is answered the same, by whatever client, until a right or a setting is changed.
    Permanent,
}

/// A failure of a request or a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A property can't be set to this.
    #[error("client property \"{property}\": {reason}")]
    Config {
        /// The property, by librdkafka's name.
        property: String,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The request never left: nothing was done.
    #[error("{at}: not sent: {reason}")]
    NotSent {
        /// Which request.
        at: At,
        /// Why.
        reason: String,
    },
    /// The request can't be written down, whoever it is sent to: nothing was done.
    #[error("{at}: can't be sent: {reason}")]
    Invalid {
        /// Which request.
        at: At,
        /// What is wrong with it.
        reason: String,
    },
    /// The request left, wholly or in part, and no answer came. It may have been done.
    #[error("{at}: sent, but no answer came: {reason}")]
    NoAnswer {
        /// Which request.
        at: At,
        /// Why.
        reason: String,
    },
    /// The broker's answer is an error.
    #[error("{at}, {what}: {code}{}", message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// Which request.
        at: At,
        /// The partition, group or id that it is about.
        what: String,
        /// The error.
        code: Code,
        /// What the broker says about it.
        message: Option<String>,
    },
    /// The answer is not one. The connection is closed; the request may have been done.
    #[error("{at}: the answer can't be understood: {reason}")]
    Malformed {
        /// Which request.
        at: At,
        /// What is wrong with it.
        reason: String,
    },
    /// The broker does not offer what is needed.
    #[error("{at}: {reason}")]
    Unsupported {
        /// Which request.
        at: At,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The broker does not let this client in, or is not who it should be.
    #[error("{broker}: {reason}")]
    Login {
        /// The broker.
        broker: String,
        /// Why.
        reason: String,
    },
    /// Something did not come to be in time; nothing was asked of a broker that could have changed anything.
    #[error("{what}: not in time{}", last.as_ref().map(|text| format!("; last: {text}")).unwrap_or_default())]
    Timeout {
        /// What was waited for.
        what: String,
        /// The last reason why it was not there.
        last: Option<String>,
    },
}

impl WireError {
    /// What to do.
    pub fn kind(&self) -> Kind {
        match self {
            WireError::NotSent { .. } | WireError::Timeout { .. } => Kind::Retriable,
            WireError::NoAnswer { .. } | WireError::Malformed { .. } => Kind::InDoubt,
            WireError::Refused { code, .. } => kind_of(code.error()),
            WireError::Invalid { .. } => Kind::Permanent,
            WireError::Config { .. } | WireError::Unsupported { .. } | WireError::Login { .. } => Kind::Fatal,
        }
    }

    /// The right that is missing, if that is what is wrong.
    pub fn denied(&self) -> Option<Denied> {
        match self {
            WireError::Refused { at, what, code, .. } => Denied::of(at.api, what, code.error()),
            _ => None,
        }
    }

    /// The broker's error code, if it is one.
    pub fn code(&self) -> Option<ResponseError> {
        match self {
            WireError::Refused { code, .. } => Some(code.error()),
            _ => None,
        }
    }
}

fn kind_of(error: ResponseError) -> Kind {
    use ResponseError as E;
    match error {
        E::ProducerFenced
        | E::InvalidProducerEpoch
        | E::IllegalGeneration
        | E::UnknownMemberId
        | E::FencedInstanceId
        | E::FencedMemberEpoch
        | E::StaleMemberEpoch => Kind::Fenced,
        E::TransactionAbortable
        | E::OutOfOrderSequenceNumber
        | E::UnknownProducerId
        | E::InvalidTxnState
        | E::InvalidProducerIdMapping => Kind::Abortable,
        // The broker gave up waiting for what it had begun.
        E::RequestTimedOut | E::NotEnoughReplicasAfterAppend => Kind::InDoubt,
        E::TopicAuthorizationFailed
        | E::GroupAuthorizationFailed
        | E::TransactionalIdAuthorizationFailed
        | E::ClusterAuthorizationFailed
        | E::InvalidTransactionTimeout
        | E::InvalidGroupId => Kind::Permanent,
        error if error.is_retriable() => Kind::Retriable,
        _ => Kind::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_the_documentation() {
        assert_eq!(Code(6).to_string(), "NOT_LEADER_OR_FOLLOWER");
        assert_eq!(Code(90).to_string(), "PRODUCER_FENCED");
        assert_eq!(Code(9_999).to_string(), "error 9999");
    }

    #[test]
    fn what_may_have_been_done_is_in_doubt() {
        let at = At { broker: "b:1".to_owned(), api: "EndTxn" };
        let reason = "the connection was cut".to_owned();
        let sent = WireError::NoAnswer { at: at.clone(), reason: reason.clone() };
        assert_eq!(sent.kind(), Kind::InDoubt);
        assert_eq!(WireError::NotSent { at: at.clone(), reason }.kind(), Kind::Retriable);
        let refused = |code| WireError::Refused {
            at: at.clone(),
            what: "t/0".to_owned(),
            code: Code(code),
            message: None,
        };
        assert_eq!(refused(90).kind(), Kind::Fenced);
        assert_eq!(refused(6).kind(), Kind::Retriable);
        assert_eq!(refused(29).kind(), Kind::Permanent);
        assert_eq!(refused(42).kind(), Kind::Fatal);
        assert_eq!(refused(7).kind(), Kind::InDoubt);
    }
}
