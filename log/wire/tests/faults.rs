//! Reading while brokers die, change places, hold back and cut connections off: every record once, or an error that says
//! what was lost.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Read, Tool, batch, fetcher, numbers, options, place, poll, poll_until};
use millstream_test_support::kafka::{self, Broker, BrokerOptions};
use millstream_wire::Config;
use millstream_wire::batch::Compression;
use millstream_wire::fetch::{FetchError, Fetcher};
use std::time::{Duration, Instant};

/// Each of the values `0..count` once, in order, at ascending offsets.
fn assert_whole(found: &[Read], partition: i32, count: usize) {
    let of: Vec<&Read> = found.iter().filter(|(of, ..)| *of == partition).collect();
    let values = of.iter().map(|(.., value)| value.clone());
    assert!(values.eq(numbers(0..count)), "partition {partition}: {} of {count}", of.len());
    assert!(of.windows(2).all(|pair| pair[0].1 < pair[1].1));
}

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_no_record() {
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(2, &[]);
    let places = [0, 1].map(|partition| place(&topic, partition));
    let mut fetcher = fetcher(&broker.bootstrap());
    fetcher.assign(&places.each_ref().map(|place| (place.clone(), 0)));
    let mut found = Vec::new();
    for round in 0..3 {
        for place in &places {
            tool.write(place, batch(&numbers(round * 100..round * 100 + 100), Compression::Lz4));
        }
        if round == 1 {
            // With a request under way, and answers that were not read.
            poll(&mut fetcher, 10, &mut found);
        } else {
            poll_until(&mut fetcher, &mut found, |_, found| found.len() == (round + 1) * 200);
        }
        broker.kill();
        let from = Instant::now();
        fetcher.poll(Duration::from_millis(200), 1, &mut |_, _, _| Ok(()));
        assert!(from.elapsed() < Duration::from_secs(2), "nothing hangs");
        broker.restart();
    }
    for place in &places {
        tool.write(place, batch(&numbers(300..310), Compression::None));
    }
    // What the poll above visited is lost to this test, if there was anything.
    poll_until(&mut fetcher, &mut found, |fetcher, _| {
        places.iter().all(|place| fetcher.status(place).is_some_and(|it| it.position == 310))
    });
    assert_eq!(fetcher.failure(), None);
    (0..2).for_each(|partition| assert_whole(&found, partition, 310));
}

/// Every connection is cut at the same byte until nothing more comes of it; then they are left alone.
#[test]
fn a_connection_that_is_cut_at_any_byte_costs_no_record() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(1, &[]);
    let place = place(&topic, 0);
    tool.write(&place, batch(&numbers(0..4), Compression::None));
    tool.write(&place, batch(&numbers(4..6), Compression::Lz4));
    let client = "cut-at-any-byte";
    let start = || {
        let mut config = Config::new(&broker.proxied_bootstrap()).unwrap();
        for (key, value) in
            [("client.id", client), ("reconnect.backoff.ms", "1"), ("reconnect.backoff.max.ms", "1")]
        {
            config.set(key, value).unwrap();
        }
        let fetcher = Fetcher::start(config, &options()).unwrap();
        fetcher.assign(&[(place.clone(), 0)]);
        fetcher
    };
    let read_all = |fetcher: &mut Fetcher, found: &mut Vec<Read>| {
        poll_until(fetcher, found, |_, found| found.len() >= 6);
    };
    let mut found = Vec::new();
    read_all(&mut start(), &mut found);
    assert_whole(&found, 0, 6);
    // The answer with the records is the last that the connection got. All before it is cut here and there.
    let whole = broker.proxy().passed(client);
    let before = whole.saturating_sub(500);
    for cut in (0..before).step_by(61).chain(before..whole) {
        broker.proxy().limit(client, Some(cut));
        let (mut fetcher, mut found) = (start(), Vec::new());
        fetcher.poll(Duration::from_millis(10), 1_000, &mut |_, _, _| panic!("cut at {cut} and read"));
        broker.proxy().limit(client, None);
        read_all(&mut fetcher, &mut found);
        poll(&mut fetcher, 1_000, &mut found);
        assert_whole(&found, 0, 6);
    }
}

/// A quota of the cluster: the client waits as it is told, and reads on.
#[test]
fn a_client_that_is_throttled_waits_and_reads_on() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(1, &[]);
    let place = place(&topic, 0);
    let filler = "x".repeat(1_000);
    let values: Vec<String> = (0..100).map(|at| format!("{at} {filler}")).collect();
    (0..10).for_each(|_| assert!(tool.write(&place, batch(&values, Compression::None)) >= 0));
    let client = "throttled";
    tool.limit_reading(client, 40_000.0);
    let mut config = Config::new(&broker.bootstrap()).unwrap();
    config.set("client.id", client).unwrap();
    config.set("fetch.message.max.bytes", "150000").unwrap();
    let mut fetcher = Fetcher::start(config, &options()).unwrap();
    fetcher.assign(&[(place.clone(), 0)]);
    let from = Instant::now();
    let mut found = Vec::new();
    poll_until(&mut fetcher, &mut found, |_, found| found.len() >= 500);
    assert!(from.elapsed() > Duration::from_secs(1), "{:?}: it was not throttled", from.elapsed());
    tool.limit_reading(client, 1e9);
    poll_until(&mut fetcher, &mut found, |_, found| found.len() >= 1_000);
    assert!(found.iter().map(|(_, offset, _)| *offset).eq(0..1_000));
}

/// Three brokers, one partition led by each of the two that are no controller: they die in turns.
#[test]
fn leaders_that_change_cost_no_record_and_a_log_that_was_cut_is_reported() {
    let properties = vec!["log.cleaner.dedupe.buffer.size=2097152".to_owned()];
    let options = BrokerOptions { heap_mb: 256, properties, ..BrokerOptions::default() };
    let Some(first) = Broker::start(&options) else { return };
    let (second, third) = (first.join(2, &options), first.join(3, &options));
    let tool = Tool::new(&first.bootstrap());
    let topic = tool.topic_of(6, 3, &[("min.insync.replicas", "1")]);
    let places: Vec<_> = (0..6).map(|partition| place(&topic, partition)).collect();
    let mut fetcher = fetcher(&first.bootstrap());
    fetcher.assign(&places.iter().map(|place| (place.clone(), 0)).collect::<Vec<_>>());
    let (mut found, mut end) = (Vec::new(), 0);
    let mut write_and_read = |fetcher: &mut Fetcher| {
        for place in &places {
            tool.write(place, batch(&numbers(end..end + 50), Compression::None));
        }
        end += 50;
        poll_until(fetcher, &mut found, |_, found| found.len() == 6 * end);
    };
    write_and_read(&mut fetcher);
    for dying in [&second, &third] {
        dying.kill();
        write_and_read(&mut fetcher);
        dying.restart();
        write_and_read(&mut fetcher);
    }
    assert_eq!(fetcher.failure(), None);
    (0..6).for_each(|partition| assert_whole(&found, partition, end));

    // The third has not got what was written while it was dead, and leads all the same.
    let topic = tool.topic_on(&[2, 3], &[("unclean.leader.election.enable", "true")]);
    let cut = place(&topic, 0);
    let mut fetcher = common::fetcher(&first.bootstrap());
    fetcher.assign(&[(cut.clone(), 0)]);
    let mut found = Vec::new();
    tool.write(&cut, batch(&numbers(0..10), Compression::None));
    poll_until(&mut fetcher, &mut found, |_, found| found.len() == 10);
    third.kill();
    tool.write(&cut, batch(&numbers(10..20), Compression::None));
    poll_until(&mut fetcher, &mut found, |_, found| found.len() == 20);
    second.kill();
    third.restart();
    tool.write(&cut, batch(&numbers(100..130), Compression::None));
    poll_until(&mut fetcher, &mut found, |fetcher, _| fetcher.failure().is_some());
    let (_, error) = fetcher.failure().unwrap();
    assert!(matches!(error, FetchError::Cut { wanted: 20, end: 10, .. }), "{error:?}");
    assert_eq!(found.len(), 20, "nothing of the other history was handed out");
}
