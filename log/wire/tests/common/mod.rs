//! What tests need of a cluster beside what is tested: topics, and batches written to them one request at a time.

#![allow(clippy::unwrap_used, dead_code, reason = "a test, and not every test needs all")]

use bytes::Bytes;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, BrokerId, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use millstream_wire::batch::{BatchEncoder, Compression, Stamp};
use millstream_wire::cluster::{Cluster, Lane};
use millstream_wire::fetch::{FetchOptions, Fetcher, Place};
use millstream_wire::{Config, IoThread};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub(crate) fn place(topic: &str, partition: i32) -> Place {
    Place { topic: topic.into(), partition }
}

/// A client for what is not tested.
pub(crate) struct Tool {
    io: IoThread,
    pub(crate) cluster: Cluster,
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn topic_of(topic: &str, partitions: i32, replicas: i16, config: &[(&str, &str)]) -> CreatableTopic {
    let config = config.iter().map(|(key, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string((*key).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    });
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
        .with_configs(config.collect())
}

/// Values as one batch.
pub(crate) fn batch(values: &[String], codec: Compression) -> Bytes {
    // Brokers delete what is older than their retention.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let mut encoder = BatchEncoder::default();
    for value in values {
        encoder.push(now, Some(b"key"), Some(value.as_bytes()), std::iter::empty()).unwrap();
    }
    encoder.seal(codec).unwrap().stamp(&Stamp::default())
}

/// `from..to` as values.
pub(crate) fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

impl Tool {
    pub(crate) fn new(bootstrap: &str) -> Tool {
        Tool::with(Config::new(bootstrap).unwrap())
    }

    pub(crate) fn with(config: Config) -> Tool {
        Tool { io: IoThread::start("wire-tool").unwrap(), cluster: Cluster::new(config).unwrap() }
    }

    /// A topic of its own name.
    pub(crate) fn topic(&self, partitions: i32, config: &[(&str, &str)]) -> String {
        self.topic_of(partitions, 1, config)
    }

    pub(crate) fn topic_of(&self, partitions: i32, replicas: i16, config: &[(&str, &str)]) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let topic = format!("t{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.make_topic(&topic, partitions, replicas, config);
        topic
    }

    /// A topic of one partition on these brokers, the first of which leads it.
    pub(crate) fn topic_on(&self, brokers: &[i32], config: &[(&str, &str)]) -> String {
        let topic = format!("on-{}-{}", brokers.len(), config.len());
        let replicas = brokers.iter().map(|id| BrokerId(*id)).collect();
        let assignment =
            CreatableReplicaAssignment::default().with_partition_index(0).with_broker_ids(replicas);
        let one = topic_of(&topic, -1, -1, config).with_assignments(vec![assignment]);
        self.create(&topic, 1, one);
        topic
    }

    pub(crate) fn make_topic(&self, topic: &str, partitions: i32, replicas: i16, config: &[(&str, &str)]) {
        self.create(topic, partitions, topic_of(topic, partitions, replicas, config));
    }

    fn create(&self, topic: &str, partitions: i32, one: CreatableTopic) {
        let request = CreateTopicsRequest::default().with_topics(vec![one]).with_timeout_ms(20_000);
        let cluster = self.cluster.clone();
        let answer = self.io.call("topic", soon(), async move {
            let connection = cluster.any(soon()).await?;
            connection.ask(&request, soon()).await
        });
        assert_eq!(answer.unwrap().topics[0].error_code, 0);
        let (cluster, topic) = (self.cluster.clone(), topic.to_owned());
        let led = self.io.call("leaders", soon(), async move {
            for partition in 0..partitions {
                // It may be unknown to the broker for a moment.
                while cluster.leader(&topic, partition, soon()).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            Ok(())
        });
        led.unwrap();
    }

    /// Limits how many bytes a second a client may read.
    pub(crate) fn limit_reading(&self, client: &str, bytes_per_s: f64) {
        self.limit(client, "consumer_byte_rate", bytes_per_s);
    }

    /// Sets a quota of a client.
    pub(crate) fn limit(&self, client: &str, quota: &str, rate: f64) {
        let entity = EntityData::default()
            .with_entity_type(StrBytes::from_static_str("client-id"))
            .with_entity_name(Some(StrBytes::from_string(client.to_owned())));
        let op = OpData::default().with_key(StrBytes::from_string(quota.to_owned())).with_value(rate);
        let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
        let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
        let cluster = self.cluster.clone();
        let answer = self
            .io
            .call("quota", soon(), async move { cluster.any(soon()).await?.ask(&request, soon()).await });
        assert_eq!(answer.unwrap().entries[0].error_code, 0);
    }

    pub(crate) fn delete_topic(&self, topic: &str) {
        let request =
            DeleteTopicsRequest::default().with_topic_names(vec![name(topic)]).with_timeout_ms(20_000);
        let cluster = self.cluster.clone();
        let answer = self.io.call("deletion", soon(), async move {
            cluster.any(soon()).await?.send_version(&request, 5)?.wait(soon()).await
        });
        assert_eq!(answer.unwrap().responses[0].error_code, 0);
    }

    /// Writes a batch; gives its first offset. Asks again while the partition has no leader.
    pub(crate) fn write(&self, place: &Place, batch: Bytes) -> i64 {
        let deadline = soon();
        loop {
            match self.try_write(place, batch.clone()) {
                Ok(offset) => return offset,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn try_write(&self, place: &Place, batch: Bytes) -> Result<i64, String> {
        let data = PartitionProduceData::default().with_index(place.partition).with_records(Some(batch));
        let topic = TopicProduceData::default().with_name(name(&place.topic)).with_partition_data(vec![data]);
        let request =
            ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![topic]);
        let (cluster, place) = (self.cluster.clone(), place.clone());
        let answer = self.io.call("writing", soon(), async move {
            let leader = cluster.leader(&place.topic, place.partition, soon()).await?;
            // The leader may be dead, and another one in its place.
            let patience = Instant::now() + Duration::from_secs(1);
            let answer = async {
                let connection = cluster.broker(leader.broker, Lane::Requests, patience).await?;
                connection.send_version(&request, 9)?.wait(soon()).await
            };
            let answer = answer.await;
            let is_written =
                answer.as_ref().is_ok_and(|it| it.responses[0].partition_responses[0].error_code == 0);
            if !is_written {
                cluster.forget_leader(&place.topic, place.partition);
            }
            answer
        });
        let answer = answer.map_err(|error| error.to_string())?;
        let found = &answer.responses[0].partition_responses[0];
        if found.error_code == 0 { Ok(found.base_offset) } else { Err(format!("error {}", found.error_code)) }
    }

    pub(crate) fn delete_records(&self, place: &Place, before: i64) {
        let partition =
            DeleteRecordsPartition::default().with_partition_index(place.partition).with_offset(before);
        let topic =
            DeleteRecordsTopic::default().with_name(name(&place.topic)).with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(20_000);
        let (cluster, place) = (self.cluster.clone(), place.clone());
        let answer = self.io.call("deletion", soon(), async move {
            let leader = cluster.leader(&place.topic, place.partition, soon()).await?;
            cluster.broker(leader.broker, Lane::Requests, soon()).await?.ask(&request, soon()).await
        });
        assert_eq!(answer.unwrap().topics[0].partitions[0].error_code, 0);
    }
}

pub(crate) fn options() -> FetchOptions {
    FetchOptions { read_committed: true, queue_bytes_max: 32 << 20, batch_bytes_max: 64 << 20 }
}

pub(crate) fn fetcher(bootstrap: &str) -> Fetcher {
    Fetcher::start(Config::new(bootstrap).unwrap(), &options()).unwrap()
}

/// What was read: partition, offset, value.
pub(crate) type Read = (i32, i64, String);

/// Polls once.
pub(crate) fn poll(fetcher: &mut Fetcher, records_max: usize, found: &mut Vec<Read>) {
    fetcher.poll(Duration::from_millis(20), records_max, &mut |place, position, body| {
        body.for_each(|record| {
            if record.offset >= position {
                let value = record.value.of(body.buffer()).unwrap_or_default();
                found.push((place.partition, record.offset, String::from_utf8_lossy(value).into_owned()));
            }
        })
    });
}

/// Polls until a condition holds.
pub(crate) fn poll_until(
    fetcher: &mut Fetcher,
    found: &mut Vec<Read>,
    mut is_there: impl FnMut(&Fetcher, &[Read]) -> bool,
) {
    let deadline = soon();
    while !is_there(fetcher, found) {
        assert!(
            Instant::now() < deadline,
            "not in time; {} read, failure {:?}, last error {:?}",
            found.len(),
            fetcher.failure(),
            fetcher.last_error()
        );
        poll(fetcher, 8_192, found);
    }
}
