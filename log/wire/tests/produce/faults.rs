//! Brokers that die, lead no more, or hold back.

use crate::common::Tool;
use crate::world::{World, numbered, place, producer, soon, write};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use millstream_wire::produce::{GroupMember, Offset, Producer};
use std::time::{Duration, Instant};

/// A quota of the cluster: the client waits as it is told, and nothing of that is an error.
#[test]
fn a_client_that_is_throttled_waits_and_writes_on() {
    let Some(world) = World::new("throttled") else { return };
    let topic = world.topic("t", 2);
    let name = "throttled-writer";
    let tool = Tool::new(&world.broker.bootstrap());
    tool.limit(name, "producer_byte_rate", 20_000.0);
    let properties = [("compression.type", "none"), ("batch.size", "50000"), ("linger.ms", "0")];
    let (io, cluster) = world.proxied(name, &properties);
    let mut producer = producer(&cluster, &io, None);
    let filler = "x".repeat(1_000);
    let values: Vec<String> = (0..400).map(|at| format!("{at} {filler}")).collect();
    let from = Instant::now();
    for partition in 0..2 {
        write(&mut producer, &place(&topic, partition), &values);
    }
    let flushed = producer.flush(Instant::now() + Duration::from_millis(1_000));
    assert!(flushed.is_err(), "it was not throttled");
    tool.limit(name, "producer_byte_rate", 1e9);
    producer.flush(soon()).expect("all is written");
    assert!(from.elapsed() > Duration::from_secs(1));
    for partition in 0..2 {
        assert!(world.values(&topic, partition) == values);
    }
}

/// Three brokers, each leading two partitions, one of them coordinating the transactions and one the group: two of them die
/// in turns in the middle of a transaction, and come back.
#[test]
fn transactions_over_leaders_and_coordinators_that_die_are_whole() {
    let properties = [
        "log.cleaner.dedupe.buffer.size=2097152",
        "transaction.state.log.replication.factor=3",
        "transaction.state.log.min.isr=1",
        "offsets.topic.replication.factor=3",
    ];
    let properties = properties.map(str::to_owned).to_vec();
    let options = BrokerOptions { heap_mb: 256, properties, ..BrokerOptions::default() };
    let Some(first) = Broker::start(&options) else { return };
    let first: &'static Broker = Box::leak(Box::new(first));
    let (second, third) = (first.join(2, &options), first.join(3, &options));
    let world = World::on(first, "leaders", &[("batch.size", "4000"), ("linger.ms", "0")]);
    let topic = Tool::new(&first.bootstrap()).topic_of(6, 3, &[("min.insync.replicas", "1")]);
    let group = world.name("group");
    let mut producer = world.producer(Some(&world.name("id")));
    producer.init(soon()).expect("an id");
    let mut written = 0;
    let mut transaction = |producer: &mut Producer, meanwhile: &dyn Fn()| {
        producer.begin().expect("a transaction");
        let values = numbered("v", written..written + 300);
        for half in values.chunks(150) {
            for partition in 0..6 {
                write(producer, &place(&topic, partition), half);
            }
            if half[0] == values[0] {
                meanwhile();
            }
        }
        until_done(|| producer.flush(soon()));
        written += 300;
        let member =
            GroupMember { group: group.clone(), generation: -1, member: String::new(), instance: None };
        let offset = Offset { offset: written as i64, metadata: String::new() };
        let offsets = vec![(place(&topic, 0), offset)];
        until_done(|| producer.send_offsets(offsets.clone(), member.clone(), soon()));
        let ended = until_done(|| producer.commit(soon()));
        assert!(!ended.needs_new_producer);
    };
    transaction(&mut producer, &|| {});
    for dying in [&second, &third] {
        transaction(&mut producer, &|| dying.kill());
        transaction(&mut producer, &|| dying.restart());
        transaction(&mut producer, &|| {});
    }
    for partition in 0..6 {
        assert!(world.values_by_then(&topic, partition, written) == numbered("v", 0..written), "{partition}");
    }
    assert_eq!(world.committed(&group, &topic, 0).0, written as i64);
    first.kill();
}

/// Calls until it is done.
fn until_done<T>(mut call: impl FnMut() -> Result<T, millstream_wire::produce::ProduceError>) -> T {
    use millstream_wire::produce::ProduceError;
    for _ in 0..3 {
        match call() {
            Ok(done) => return done,
            Err(ProduceError::NotYet(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("not done for a minute")
}
