//! Connections and the cluster, against a real broker.

#![allow(clippy::unwrap_used, reason = "a test")]

use kafka_protocol::messages::ApiVersionsRequest;
use millstream_test_support::kafka;
use millstream_wire::cluster::{Cluster, Coordinator, Lane};
use millstream_wire::{Config, IoThread, Kind};
use std::time::{Duration, Instant};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn a_cluster_is_found_and_asked() {
    let Some(broker) = kafka::shared() else { return };
    let io = IoThread::start("wire-test").unwrap();
    let cluster = Cluster::new(Config::new(&broker.bootstrap()).unwrap()).unwrap();
    let found = cluster.clone();
    io.call("asking", soon(), async move {
        found.refresh::<&str>(&[], soon()).await?;
        let connection = found.broker(1, Lane::Requests, soon()).await?;
        assert!(connection.versions().of::<ApiVersionsRequest>().is_some());
        assert!(connection.versions().feature("transaction.version") >= 2);
        let same = found.coordinator(Coordinator::Transaction, "some-id", soon()).await?;
        assert_eq!(connection.broker(), same.broker());
        found.coordinator(Coordinator::Group, "some-group", soon()).await?;
        let missing = found.leader("no-such-topic", 0, soon()).await.unwrap_err();
        assert_eq!(missing.kind(), Kind::Retriable, "{missing}");
        assert!(missing.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"), "{missing}");
        Ok(())
    })
    .unwrap();
    assert_eq!(cluster.id().map(|id| id.len()), Some(22));
    assert_eq!(cluster.brokers(), [1]);
}

#[test]
fn where_nobody_listens_there_is_an_error_in_time() {
    let io = IoThread::start("wire-test").unwrap();
    let cluster = Cluster::new(Config::new("127.0.0.1:1").unwrap()).unwrap();
    let from = Instant::now();
    let deadline = from + Duration::from_millis(300);
    let error = io.call("asking", soon(), async move { cluster.any(deadline).await }).map(drop).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(from.elapsed() < Duration::from_secs(5));
}
