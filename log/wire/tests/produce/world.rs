//! A broker, and what a test asks of it without the producer under test.

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, GroupId, OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use millstream_test_support::kafka::{self, Broker, BrokerOptions};
use millstream_wire::batch::{AbortedTransactions, Batches, Decompressor};
use millstream_wire::cluster::{Cluster, Coordinator, Lane};
use millstream_wire::produce::{Place, Producer, ProducerOptions, Record};
use millstream_wire::{Config, IoThread};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A client of a broker.
pub(crate) struct World {
    pub(crate) broker: &'static Broker,
    pub(crate) io: IoThread,
    pub(crate) cluster: Cluster,
    test: String,
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The broker without epochs by transaction.
fn old() -> Option<&'static Broker> {
    static OLD: OnceLock<Option<Broker>> = OnceLock::new();
    let options =
        || BrokerOptions { features: vec!["transaction.version=1".to_owned()], ..Default::default() };
    OLD.get_or_init(|| Broker::start(&options())).as_ref()
}

impl World {
    /// On the broker that all tests share.
    pub(crate) fn new(test: &str) -> Option<World> {
        kafka::shared().map(|broker| World::on(broker, test, &[]))
    }

    /// On one of the old transaction protocol.
    pub(crate) fn old(test: &str) -> Option<World> {
        old().map(|broker| World::on(broker, test, &[]))
    }

    /// With client properties.
    pub(crate) fn on(broker: &'static Broker, test: &str, properties: &[(&str, &str)]) -> World {
        let (io, cluster) = client(&broker.bootstrap(), test, properties);
        World { broker, io, cluster, test: test.to_owned() }
    }

    /// Another client of the same broker, through the proxy, which knows it by the name.
    pub(crate) fn proxied(&self, name: &str, properties: &[(&str, &str)]) -> (IoThread, Cluster) {
        client(&self.broker.proxied_bootstrap(), name, properties)
    }

    /// A name of the test's own.
    pub(crate) fn name(&self, of: &str) -> String {
        format!("{}-{of}", self.test)
    }

    pub(crate) fn topic(&self, of: &str, partitions: i32) -> String {
        self.topic_with(of, partitions, &[])
    }

    pub(crate) fn topic_with(&self, of: &str, partitions: i32, config: &[(&str, &str)]) -> String {
        use kafka_protocol::messages::create_topics_request::CreatableTopicConfig;
        let name = self.name(of);
        let configs = config.iter().map(|(name, value)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(&name)))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let cluster = self.cluster.clone();
        let made = self
            .io
            .call("a topic", soon(), async move { cluster.any(soon()).await?.ask(&request, soon()).await });
        let made = made.expect("an answer");
        assert_eq!(made.topics[0].error_code, 0, "{:?}", made.topics[0].error_message);
        name
    }

    pub(crate) fn producer(&self, id: Option<&str>) -> Producer {
        producer(&self.cluster, &self.io, id)
    }

    /// All values of a partition, with their offsets, as one who reads committed records sees them, or uncommitted ones.
    pub(crate) fn read(&self, topic: &str, partition: i32, committed: bool) -> Vec<(i64, String)> {
        let (cluster, topic) = (self.cluster.clone(), topic.to_owned());
        let read = self.io.call("reading", soon(), async move {
            let (mut found, mut from) = (Vec::new(), 0);
            let leader = cluster.leader(&topic, partition, soon()).await?;
            let connection = cluster.broker(leader.broker, Lane::Fetch, soon()).await?;
            loop {
                let partitions = FetchPartition::default()
                    .with_partition(partition)
                    .with_fetch_offset(from)
                    .with_partition_max_bytes(10 << 20);
                let topics = FetchTopic::default()
                    .with_topic(TopicName(text(&topic)))
                    .with_partitions(vec![partitions]);
                let request = FetchRequest::default()
                    .with_replica_id(BrokerId(-1))
                    .with_max_wait_ms(0)
                    .with_isolation_level(i8::from(committed))
                    .with_topics(vec![topics]);
                let answer = connection.send_version(&request, 12)?.wait(soon()).await?;
                let answer = &answer.responses[0].partitions[0];
                assert_eq!(answer.error_code, 0);
                let aborted = answer.aborted_transactions.iter().flatten();
                let aborted = aborted.map(|it| (it.producer_id.0, it.first_offset));
                let mut aborted = AbortedTransactions::new(aborted);
                let mut batches = Batches::new(answer.records.clone().unwrap_or_default());
                let before = from;
                while let Some(batch) = batches.next_batch().expect("a batch") {
                    from = batch.header().last_offset + 1;
                    let is_seen = aborted.admits(&batch).expect("a batch") || !committed;
                    if !is_seen || batch.header().is_control {
                        continue;
                    }
                    let body = batch.open(&mut Decompressor::default()).expect("records");
                    let visited = body.for_each(|record| {
                        let value = record.value.of(body.buffer()).unwrap_or(b"(none)");
                        found.push((record.offset, String::from_utf8_lossy(value).into_owned()));
                    });
                    visited.expect("records");
                }
                if from == before {
                    return Ok(found);
                }
            }
        });
        read.expect("a partition to read")
    }

    /// The same without offsets.
    pub(crate) fn values(&self, topic: &str, partition: i32) -> Vec<String> {
        self.read(topic, partition, true).into_iter().map(|(_, value)| value).collect()
    }

    /// Reads until so many committed values are there: markers come after the answer.
    pub(crate) fn values_by_then(&self, topic: &str, partition: i32, count: usize) -> Vec<String> {
        let deadline = soon();
        loop {
            let values = self.values(topic, partition);
            if values.len() >= count || Instant::now() > deadline {
                return values;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a group has committed for a partition, once nothing is pending: offset and metadata.
    pub(crate) fn committed(&self, group: &str, topic: &str, partition: i32) -> (i64, String) {
        let topics = OffsetFetchRequestTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partition_indexes(vec![partition]);
        let request = OffsetFetchRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_topics(Some(vec![topics]))
            .with_require_stable(true);
        let (cluster, group) = (self.cluster.clone(), group.to_owned());
        let asked = self.io.call("offsets", soon(), async move {
            loop {
                let connection = cluster.coordinator(Coordinator::Group, &group, soon()).await?;
                let answer = connection.send_version(&request, 7)?.wait(soon()).await?;
                let found = answer.topics[0].partitions[0].clone();
                // A transaction's end is still under way.
                if found.error_code == 0 {
                    return Ok(found);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let found = asked.expect("an offset");
        (found.committed_offset, found.metadata.map_or_else(String::new, |text| text.to_string()))
    }
}

pub(crate) fn client(bootstrap: &str, name: &str, properties: &[(&str, &str)]) -> (IoThread, Cluster) {
    let mut config = Config::new(bootstrap).expect("an address");
    config.set("client.id", name).expect("a property");
    for (property, value) in properties {
        config.set(property, value).expect("a property");
    }
    (IoThread::start("wire-test").expect("a thread"), Cluster::new(config).expect("a configuration"))
}

pub(crate) fn producer(cluster: &Cluster, io: &IoThread, id: Option<&str>) -> Producer {
    let options = ProducerOptions {
        transactional: id.map(|id| (id.to_owned(), Duration::from_secs(20))),
        held_bytes_max: 8 << 20,
        delivery_timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(3),
    };
    Producer::new(cluster, io, options)
}

pub(crate) fn place(topic: &str, partition: i32) -> Place {
    Place { topic: topic.into(), partition }
}

/// Writes values to a partition.
pub(crate) fn write(producer: &mut Producer, to: &Place, values: &[String]) {
    try_write(producer, to, values).expect("a write");
}

pub(crate) fn try_write(
    producer: &mut Producer,
    to: &Place,
    values: &[String],
) -> Result<(), millstream_wire::produce::ProduceError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let record = |value| Record {
        timestamp_ms: now.as_millis() as i64,
        key: None,
        value: Some(value),
        headers: std::iter::empty(),
    };
    producer.write(to, values.iter().map(|value: &String| record(value.as_bytes())), soon())
}

pub(crate) fn numbered(prefix: &str, range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("{prefix}-{number}")).collect()
}
