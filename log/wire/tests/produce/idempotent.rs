//! Without transactions.

use crate::world::{World, numbered, place, producer, soon, try_write, write};
use millstream_test_support::kafka::Mischief;
use millstream_wire::produce::{ProduceError, Refusal};
use std::time::{Duration, Instant};

#[test]
fn records_are_there_once_in_order_and_their_ends_are_known() {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let Some(broker) = millstream_test_support::kafka::shared() else { return };
        let properties = [("compression.type", codec), ("batch.size", "20000")];
        let world = World::on(broker, &format!("plain-{codec}"), &properties);
        let topic = world.topic("t", 3);
        let mut producer = world.producer(None);
        for round in 0..2 {
            for partition in 0..3 {
                let values = numbered(&format!("{partition}"), 5_000 * round..5_000 * (round + 1));
                write(&mut producer, &place(&topic, partition), &values);
            }
            let mut ends = producer.flush(soon()).expect("all is written");
            ends.sort();
            let expected: Vec<_> = (0..3).map(|it| (place(&topic, it), 5_000 * (round as i64 + 1))).collect();
            assert_eq!(ends, expected, "{codec}");
        }
        for partition in 0..3 {
            assert!(
                world.values(&topic, partition) == numbered(&format!("{partition}"), 0..10_000),
                "{codec}"
            );
        }
        assert_eq!(producer.flush(soon()), Ok(Vec::new()), "nothing was written since");
    }
}

/// Connections are cut after some answer, again and again: what was taken and not answered is sent again, and there once.
#[test]
fn cut_connections_lose_and_double_nothing() {
    let Some(world) = World::new("cut") else { return };
    let topic = world.topic("t", 2);
    let properties = [("batch.size", "4000"), ("linger.ms", "0"), ("compression.type", "none")];
    let (io, cluster) = world.proxied("cut-client", &properties);
    let mut producer = producer(&cluster, &io, None);
    for round in 0..30 {
        let values = numbered("v", 1_000 * round..1_000 * (round + 1));
        world.broker.proxy().cut("cut-client", round as u32 % 4);
        for partition in 0..2 {
            write(&mut producer, &place(&topic, partition), &values);
        }
    }
    producer.flush(soon()).expect("all is written");
    for partition in 0..2 {
        assert!(world.values(&topic, partition) == numbered("v", 0..30_000));
    }
}

#[test]
fn a_broker_that_is_killed_and_comes_back_has_everything_once() {
    use millstream_test_support::kafka::{Broker, BrokerOptions};
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let broker: &'static Broker = Box::leak(Box::new(broker));
    let world = World::on(broker, "killed", &[("batch.size", "4000"), ("linger.ms", "0")]);
    // Written through: what was acknowledged is on disk.
    let topic = world.topic_with("t", 1, &[("flush.messages", "1")]);
    let mut producer = world.producer(None);
    for round in 0..10 {
        let values = numbered("v", 1_000 * round..1_000 * (round + 1));
        write(&mut producer, &place(&topic, 0), &values);
        if round == 5 {
            broker.restart();
        }
    }
    producer.flush(soon()).expect("all is written");
    assert!(world.values(&topic, 0) == numbered("v", 0..10_000));
    broker.kill();
}

#[test]
fn what_a_topic_does_not_take_is_refused_and_the_next_records_are_taken() {
    let Some(world) = World::new("refused") else { return };
    let topic = world.topic_with("t", 1, &[("max.message.bytes", "1000")]);
    let to = place(&topic, 0);
    let mut producer = world.producer(None);
    // Digits that do not compress.
    let large = (0..4_000u32)
        .fold(String::new(), |text, at| text + &(at.wrapping_mul(2_654_435_761) % 997).to_string());
    write(&mut producer, &to, std::slice::from_ref(&large));
    let refused = producer.flush(soon()).expect_err("larger than allowed");
    let reason = Refusal::TooLarge { largest_record: large.len() };
    assert_eq!(refused, ProduceError::Refused { place: to.clone(), reason });
    write(&mut producer, &to, &["small".to_owned()]);
    assert_eq!(producer.flush(soon()), Ok(vec![(to, 1)]));
    assert_eq!(world.values(&topic, 0), ["small"]);

    let nowhere = place(&world.name("nowhere"), 0);
    let from = Instant::now();
    write(&mut producer, &nowhere, &["lost".to_owned()]);
    let refused = producer.flush(soon()).expect_err("no such topic");
    assert_eq!(refused, ProduceError::Refused { place: nowhere, reason: Refusal::UnknownTopic });
    assert!(from.elapsed() < Duration::from_secs(10));
}

/// Memory is bounded, and waiting for room has a deadline.
#[test]
fn a_broker_that_stands_still_holds_writers_up_until_their_deadline_and_no_longer() {
    use millstream_wire::produce::{Producer, ProducerOptions, Record};
    let Some(world) = World::new("still") else { return };
    let topic = world.topic("t", 1);
    let (io, cluster) = world.proxied("still-client", &[("compression.type", "none")]);
    let options = ProducerOptions {
        transactional: None,
        held_bytes_max: 1 << 20,
        delivery_timeout: Duration::from_secs(60),
        request_timeout: Duration::from_secs(2),
    };
    let mut producer = Producer::new(&cluster, &io, options);
    let to = place(&topic, 0);
    write(&mut producer, &to, &["first".to_owned()]);
    producer.flush(soon()).expect("a record");
    world.broker.proxy().pause("still-client", true);
    let value = vec![b'x'; 1_000];
    let record =
        || Record { timestamp_ms: 1, key: None, value: Some(&value[..]), headers: std::iter::empty() };
    let (from, mut taken) = (Instant::now(), 0);
    let error = loop {
        let deadline = from + Duration::from_millis(500);
        match producer.write(&to, std::iter::once(record()), deadline) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 2_000, "more than the limit");
    };
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(from.elapsed() < Duration::from_secs(3), "{:?}", from.elapsed());
    let late = producer.flush(Instant::now() + Duration::from_millis(300));
    assert!(matches!(late, Err(ProduceError::NotYet(_))), "{late:?}");
    world.broker.proxy().pause("still-client", false);
    assert_eq!(producer.flush(soon()), Ok(vec![(to.clone(), 1 + taken)]));
    assert!(try_write(&mut producer, &to, &["last".to_owned()]).is_ok());
    assert_eq!(producer.flush(soon()), Ok(vec![(to, 2 + taken)]));
}

/// An answer is cut at each of its bytes, comes twice, or after the next one. What it spoke of is there once.
#[test]
fn answers_that_are_cut_anywhere_doubled_or_out_of_order_lose_and_double_nothing() {
    let Some(world) = World::new("mischief") else { return };
    let topic = world.topic("t", 1);
    let name = "mischief-client";
    let (io, cluster) = world.proxied(name, &[("linger.ms", "0"), ("batch.size", "100")]);
    let mut producer = producer(&cluster, &io, None);
    let to = place(&topic, 0);
    let mut written = 0;
    let cuts = (0..=120).map(Mischief::CutAfter);
    for mischief in cuts.chain([Mischief::Twice, Mischief::Late, Mischief::Twice, Mischief::Late]) {
        // The connection is there, and so is the leader: the next answer is about records.
        write(&mut producer, &to, &numbered("v", written..written + 1));
        producer.flush(soon()).expect("a record");
        world.broker.proxy().play(name, mischief);
        write(&mut producer, &to, &numbered("v", written + 1..written + 20));
        let ends = producer.flush(soon()).expect("records");
        written += 20;
        assert_eq!(ends, [(to.clone(), written as i64)], "{mischief:?}");
        assert!(!world.broker.proxy().is_waiting_to_play(name), "{mischief:?} never took place");
    }
    assert!(world.values(&topic, 0) == numbered("v", 0..written));
}
