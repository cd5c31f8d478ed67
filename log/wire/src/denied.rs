//! Rights that a client has not: what it would have to be allowed, on what.

use kafka_protocol::error::ResponseError;
use std::fmt;

/// An operation that a broker does not let this client do, by the names of Kafka's access control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The operation, `Write`.
    pub operation: &'static str,
    /// On what kind of thing.
    pub resource: Resource,
    /// Its name.
    pub name: String,
}

/// What rights are given on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A topic.
    Topic,
    /// A consumer group.
    Group,
    /// The id of a transactional producer.
    TransactionalId,
    /// The cluster as a whole.
    Cluster,
}

impl Resource {
    /// How `kafka-acls` names it.
    pub fn flag(self) -> &'static str {
        match self {
            Resource::Topic => "--topic",
            Resource::Group => "--group",
            Resource::TransactionalId => "--transactional-id",
            Resource::Cluster => "--cluster",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Resource::Topic => "topic",
            Resource::Group => "group",
            Resource::TransactionalId => "transactional id",
            Resource::Cluster => "cluster",
        })
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource {
            Resource::Cluster => write!(f, "{} on the cluster is not allowed", self.operation),
            resource => write!(f, "{} on {resource} \"{}\" is not allowed", self.operation, self.name),
        }
    }
}

impl Denied {
    /// The right that is missing where a request of this name, about `what`, is answered with an error; `None` when the
    /// error is another. `what` is the name itself, or that of a partition, `topic/0`.
    pub fn of(api: &str, what: &str, error: ResponseError) -> Option<Denied> {
        use ResponseError as E;
        let resource = match error {
            E::TopicAuthorizationFailed => Resource::Topic,
            E::GroupAuthorizationFailed => Resource::Group,
            E::TransactionalIdAuthorizationFailed => Resource::TransactionalId,
            E::ClusterAuthorizationFailed => Resource::Cluster,
            _ => return None,
        };
        let operation = match (api, resource) {
            ("Produce" | "AddPartitionsToTxn", Resource::Topic) => "Write",
            ("Fetch" | "TxnOffsetCommit", Resource::Topic) => "Read",
            ("FindCoordinator", _) | (_, Resource::Topic) => "Describe",
            (_, Resource::Group) => "Read",
            (_, Resource::TransactionalId) => "Write",
            (_, Resource::Cluster) => "IdempotentWrite",
        };
        let name = match resource {
            // No topic has a slash in its name.
            Resource::Topic => what.split('/').next().unwrap_or(what),
            _ => what,
        };
        Some(Denied { operation, resource, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_that_is_missing_is_named_for_every_request() {
        use ResponseError as E;
        let cases = [
            (
                "InitProducerId",
                "job-0",
                E::TransactionalIdAuthorizationFailed,
                "Write on transactional id \"job-0\"",
            ),
            (
                "FindCoordinator",
                "job-0",
                E::TransactionalIdAuthorizationFailed,
                "Describe on transactional id \"job-0\"",
            ),
            ("FindCoordinator", "g", E::GroupAuthorizationFailed, "Describe on group \"g\""),
            ("TxnOffsetCommit", "g", E::GroupAuthorizationFailed, "Read on group \"g\""),
            ("AddPartitionsToTxn", "t/0", E::TopicAuthorizationFailed, "Write on topic \"t\""),
            ("Produce", "t/12", E::TopicAuthorizationFailed, "Write on topic \"t\""),
            ("Fetch", "t/0", E::TopicAuthorizationFailed, "Read on topic \"t\""),
            ("Metadata", "t", E::TopicAuthorizationFailed, "Describe on topic \"t\""),
            ("InitProducerId", "x", E::ClusterAuthorizationFailed, "IdempotentWrite on the cluster"),
        ];
        for (api, what, error, right) in cases {
            let denied = Denied::of(api, what, error).expect("a right");
            assert_eq!(denied.to_string(), format!("{right} is not allowed"), "{api}");
        }
        assert_eq!(Denied::of("Fetch", "t/0", E::OffsetOutOfRange), None);
    }
}
