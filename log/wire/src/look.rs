//! A look at a cluster, for people: whether each broker can be reached at the address that it gives out, whether TLS and the
//! login work, what brokers speak, and what this client may do with some topics. Changes nothing.

use crate::config::{Address, Mechanism};
use crate::connection::{Connection, Connector};
use crate::{Code, Config, WireError};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest,
    InitProducerIdRequest, ListOffsetsRequest, MetadataRequest, MetadataResponse, ProduceRequest, TopicName,
    TxnOffsetCommitRequest, metadata_request::MetadataRequestTopic,
};
use kafka_protocol::protocol::{Request, StrBytes};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many brokers are tried.
const BROKERS_MAX: usize = 32;

/// What was seen of a cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterLook {
    /// What protects connections, in words: `TLS, SCRAM-SHA-512`.
    pub secured: String,
    /// The addresses that this client was told.
    pub bootstrap: Vec<BrokerLook>,
    /// Those that brokers give out: clients go on with them. Empty when no broker was reached.
    pub advertised: Vec<BrokerLook>,
    /// Requests that a job needs, and the first broker does not speak in a version that is known here.
    pub missing: Vec<&'static str>,
    /// Levels of what the cluster has agreed on: of its metadata, and of transactions. 0 for none.
    pub levels: (i16, i16),
    /// What this client may do with each topic.
    pub rights: Vec<TopicRights>,
}

/// Whether a broker could be reached.
#[derive(Debug, Clone)]
pub struct BrokerLook {
    /// Where.
    pub address: Address,
    /// Its id, where it is known.
    pub id: Option<i32>,
    /// How long it took, login included, or why not.
    pub reached: Result<Duration, WireError>,
}

/// What a client may do with a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRights {
    /// The topic.
    pub topic: String,
    /// What the broker says when asked for it, where that is an error.
    pub refused: Option<Code>,
    /// A bit for each operation by Kafka's numbers, where the broker tells.
    operations: Option<u32>,
}

impl TopicRights {
    /// Whether it may be read; `None` where the broker does not tell.
    pub fn may_read(&self) -> Option<bool> {
        self.may(3)
    }

    /// Whether it may be written.
    pub fn may_write(&self) -> Option<bool> {
        self.may(4)
    }

    fn may(&self, operation: u32) -> Option<bool> {
        self.operations.map(|operations| operations & (1 << operation) != 0)
    }
}

/// Looks at a cluster and at these topics. Each connection may take `patience`.
///
/// # Errors
/// [`WireError::Config`] for what the configuration names; what the broker answers when it is asked about the cluster.
pub async fn look(config: Config, topics: &[String], patience: Duration) -> Result<ClusterLook, WireError> {
    let secured = secured(&config);
    let connector = Connector::new(Arc::new(config))?;
    let mut found = ClusterLook { secured, ..ClusterLook::default() };
    let mut first: Option<Connection> = None;
    for address in connector.config().bootstrap.iter().take(BROKERS_MAX) {
        let (seen, connection) = reach(&connector, address.clone(), None, patience).await;
        found.bootstrap.push(seen);
        first = first.or(connection);
    }
    let Some(connection) = first else { return Ok(found) };
    found.missing = missing(&connection);
    let versions = connection.versions();
    found.levels = (versions.feature("metadata.version"), versions.feature("transaction.version"));
    let answer = connection.ask(&request(topics), Instant::now() + patience).await?;
    for broker in answer.brokers.iter().take(BROKERS_MAX) {
        let Ok(port) = u16::try_from(broker.port) else { continue };
        let address = Address { host: broker.host.to_string(), port };
        found.advertised.push(reach(&connector, address, Some(broker.node_id.0), patience).await.0);
    }
    found.rights = rights(&answer);
    Ok(found)
}

/// What protects connections.
fn secured(config: &Config) -> String {
    let tls = config.tls_in_use().map_or("no TLS", |_| "TLS");
    let login = config.sasl_in_use().map_or("no login", |sasl| match sasl.mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
        Mechanism::OAuthBearer => "OAUTHBEARER",
    });
    format!("{tls}, {login}")
}

async fn reach(
    connector: &Connector,
    address: Address,
    id: Option<i32>,
    patience: Duration,
) -> (BrokerLook, Option<Connection>) {
    let begun = Instant::now();
    let opened = connector.open(&address, id, begun + patience).await;
    let reached = opened.as_ref().map(|_| begun.elapsed()).map_err(Clone::clone);
    (BrokerLook { address, id, reached }, opened.ok())
}

fn request(topics: &[String]) -> MetadataRequest {
    let topic = |name: &String| {
        let name = TopicName(StrBytes::from_string(name.clone()));
        MetadataRequestTopic::default().with_name(Some(name))
    };
    MetadataRequest::default()
        .with_topics(Some(topics.iter().map(topic).collect()))
        .with_allow_auto_topic_creation(false)
        .with_include_topic_authorized_operations(true)
}

fn rights(answer: &MetadataResponse) -> Vec<TopicRights> {
    let of = |topic: &kafka_protocol::messages::metadata_response::MetadataResponseTopic| {
        // The least number stands for "not told".
        let operations = u32::try_from(topic.topic_authorized_operations).ok();
        Some(TopicRights {
            topic: topic.name.as_ref()?.to_string(),
            refused: Code::check(topic.error_code).err(),
            operations,
        })
    };
    answer.topics.iter().filter_map(of).collect()
}

/// What a job asks for, and the broker does not speak.
fn missing(connection: &Connection) -> Vec<&'static str> {
    fn needs<R: Request>(connection: &Connection, name: &'static str) -> Option<&'static str> {
        connection.versions().of::<R>().is_none().then_some(name)
    }
    let all = [
        needs::<ProduceRequest>(connection, "Produce"),
        needs::<FetchRequest>(connection, "Fetch"),
        needs::<ListOffsetsRequest>(connection, "ListOffsets"),
        needs::<FindCoordinatorRequest>(connection, "FindCoordinator"),
        needs::<InitProducerIdRequest>(connection, "InitProducerId"),
        needs::<AddPartitionsToTxnRequest>(connection, "AddPartitionsToTxn"),
        needs::<AddOffsetsToTxnRequest>(connection, "AddOffsetsToTxn"),
        needs::<EndTxnRequest>(connection, "EndTxn"),
        needs::<TxnOffsetCommitRequest>(connection, "TxnOffsetCommit"),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::metadata_response::MetadataResponseTopic;

    #[test]
    fn rights_are_bits_and_not_told_where_the_broker_says_so() {
        let topic = |name: &str, operations: i32, error: i16| {
            MetadataResponseTopic::default()
                .with_name(Some(TopicName(StrBytes::from_string(name.to_owned()))))
                .with_topic_authorized_operations(operations)
                .with_error_code(error)
        };
        let topics = vec![topic("a", 1 << 3 | 1 << 8, 0), topic("b", 1 << 4, 0), topic("c", i32::MIN, 29)];
        let found = rights(&MetadataResponse::default().with_topics(topics));
        let may: Vec<_> = found.iter().map(|topic| (topic.may_read(), topic.may_write())).collect();
        assert_eq!(may, [(Some(true), Some(false)), (Some(false), Some(true)), (None, None)]);
        assert_eq!(
            found[2].refused.map(|code| code.to_string()).as_deref(),
            Some("TOPIC_AUTHORIZATION_FAILED")
        );
    }
}
