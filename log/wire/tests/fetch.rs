//! Reading from a real broker.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Tool, batch, fetcher, numbers, options, place, poll, poll_until, soon};
use millstream_test_support::kafka;
use millstream_wire::Config;
use millstream_wire::batch::Compression;
use millstream_wire::fetch::{FetchError, FetchOptions, Fetcher, Status};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const CODECS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

/// All codecs, many partitions, small and large queues: every record once, in its partition's order, and ends known.
#[test]
fn everything_is_read_once_and_in_order_whatever_the_limits() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(6, &[]);
    let mut written = BTreeMap::new();
    for partition in 0..6 {
        let end = written.entry(partition).or_insert(0);
        for round in 0..8_usize {
            let values = numbers(*end..*end + 50 * (round + 1));
            *end += values.len();
            tool.write(&place(&topic, partition), batch(&values, CODECS[round % CODECS.len()]));
        }
    }
    for queue_bytes_max in [1, 3_000, 100_000, 32 << 20] {
        let options = FetchOptions { queue_bytes_max, ..options() };
        let mut config = Config::new(&broker.bootstrap()).unwrap();
        config.set("fetch.message.max.bytes", "5000").unwrap();
        let mut fetcher = Fetcher::start(config, &options).unwrap();
        let places: Vec<_> = (0..6).map(|partition| (place(&topic, partition), 0)).collect();
        fetcher.assign(&places);
        let mut found = Vec::new();
        let total: usize = written.values().sum();
        poll_until(&mut fetcher, &mut found, |_, found| found.len() >= total);
        poll(&mut fetcher, 1_000, &mut found);
        assert_eq!(found.len(), total);
        for (partition, end) in &written {
            let of: Vec<_> = found.iter().filter(|(of, ..)| of == partition).collect();
            let expected = (0..*end).map(|at| (*partition, at as i64, at.to_string()));
            assert!(of.into_iter().cloned().eq(expected), "partition {partition}, queue {queue_bytes_max}");
            let end = *end as i64;
            assert_eq!(fetcher.status(&place(&topic, *partition)), Some(Status { position: end, end }));
        }
    }
}

/// A poll stops within an answer, between batches, and goes on there.
#[test]
fn a_poll_stops_when_it_has_enough_and_goes_on_where_it_stopped() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(1, &[]);
    let place = place(&topic, 0);
    for at in 0..10 {
        tool.write(&place, batch(&numbers(at * 10..at * 10 + 10), Compression::Lz4));
    }
    let mut fetcher = fetcher(&broker.bootstrap());
    fetcher.assign(&[(place.clone(), 5)]);
    let mut found = Vec::new();
    poll_until(&mut fetcher, &mut found, |fetcher, _| fetcher.status(&place).is_some_and(|it| it.end == 100));
    let deadline = soon();
    while found.len() < 95 {
        assert!(Instant::now() < deadline);
        let before = found.len();
        poll(&mut fetcher, 15, &mut found);
        assert!(found.len() - before <= 20, "{}", found.len() - before);
        let status = fetcher.status(&place).unwrap();
        assert_eq!(status.position, found.last().unwrap().1 + 1);
    }
    assert!(found.iter().map(|(_, offset, _)| *offset).eq(5..100));
}

#[test]
fn what_is_written_later_comes_soon() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(2, &[]);
    let (busy, quiet) = (place(&topic, 0), place(&topic, 1));
    let mut fetcher = fetcher(&broker.bootstrap());
    fetcher.assign(&[(busy.clone(), 0), (quiet, 0)]);
    let mut found = Vec::new();
    let mut waits = Vec::new();
    for round in 0..30 {
        tool.write(&busy, batch(&numbers(round..round + 1), Compression::None));
        let from = Instant::now();
        poll_until(&mut fetcher, &mut found, |_, found| found.len() > round);
        waits.push(from.elapsed());
    }
    waits.sort();
    // The long poll ends with the record, not with its time.
    assert!(waits[15] < Duration::from_millis(50), "{waits:?}");
}

#[test]
fn an_offset_that_is_not_there_is_reported_and_the_others_are_read() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(3, &[]);
    for partition in 0..3 {
        tool.write(&place(&topic, partition), batch(&numbers(0..10), Compression::None));
    }
    tool.delete_records(&place(&topic, 0), 4);
    let mut fetcher = fetcher(&broker.bootstrap());
    let expected = [
        (0, 3, FetchError::OutOfRange { wanted: 3, start: 4, end: 10 }),
        (1, 11, FetchError::OutOfRange { wanted: 11, start: 0, end: 10 }),
    ];
    for (partition, offset, error) in expected {
        fetcher.assign(&[(place(&topic, partition), offset), (place(&topic, 2), 0)]);
        let mut found = Vec::new();
        poll_until(&mut fetcher, &mut found, |fetcher, _| fetcher.failure().is_some());
        assert_eq!(fetcher.failure(), Some((place(&topic, partition), error)));
    }
    fetcher.assign(&[(place(&topic, 0), 4), (place(&topic, 2), 0)]);
    let mut found = Vec::new();
    poll_until(&mut fetcher, &mut found, |_, found| found.len() == 6);
    assert_eq!(fetcher.failure(), None);
}

/// Deleted while it is read and made again under its name: the offsets mean something else.
#[test]
fn a_topic_made_anew_is_reported() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(1, &[]);
    let place = place(&topic, 0);
    tool.write(&place, batch(&numbers(0..10), Compression::None));
    let mut fetcher = fetcher(&broker.bootstrap());
    fetcher.assign(&[(place.clone(), 0)]);
    poll_until(&mut fetcher, &mut Vec::new(), |_, found| found.len() == 10);
    tool.delete_topic(&topic);
    tool.make_topic(&topic, 1, 1, &[]);
    tool.write(&place, batch(&numbers(0..20), Compression::None));
    let mut found = Vec::new();
    poll_until(&mut fetcher, &mut found, |fetcher, _| fetcher.failure().is_some());
    assert_eq!(fetcher.failure(), Some((place, FetchError::MadeAnew)));
    assert_eq!(found, []);
}

#[test]
fn a_topic_that_is_not_there_is_reported() {
    let Some(broker) = kafka::shared() else { return };
    let mut fetcher = fetcher(&broker.bootstrap());
    fetcher.assign(&[(place("no-such-topic", 0), 0)]);
    poll_until(&mut fetcher, &mut Vec::new(), |fetcher, _| fetcher.failure().is_some());
    let (_, error) = fetcher.failure().unwrap();
    assert_eq!(error.to_string(), "UNKNOWN_TOPIC_OR_PARTITION");
}

/// Half of the partitions are paused with a full queue: the others are read all the same.
#[test]
fn paused_partitions_keep_their_queue_and_leave_room_for_others() {
    let Some(broker) = kafka::shared() else { return };
    let tool = Tool::new(&broker.bootstrap());
    let topic = tool.topic(4, &[]);
    let filler = "x".repeat(1_000);
    let values: Vec<String> = (0..500).map(|at| format!("{at} {filler}")).collect();
    for partition in 0..4 {
        tool.write(&place(&topic, partition), batch(&values, Compression::None));
    }
    let options = FetchOptions { queue_bytes_max: 600_000, ..options() };
    let mut fetcher = Fetcher::start(Config::new(&broker.bootstrap()).unwrap(), &options).unwrap();
    let places: Vec<_> = (0..4).map(|partition| (place(&topic, partition), 0)).collect();
    fetcher.assign(&places);
    let paused = |partition: &i32| *partition < 2;
    (0..4).filter(paused).for_each(|partition| fetcher.pause(&place(&topic, partition), true));
    let mut found = Vec::new();
    poll_until(&mut fetcher, &mut found, |_, found| found.len() == 1_000);
    assert!(found.iter().all(|(partition, ..)| !paused(partition)));
    (0..4).for_each(|partition| fetcher.pause(&place(&topic, partition), false));
    poll_until(&mut fetcher, &mut found, |_, found| found.len() == 2_000);
    for partition in 0..4 {
        let offsets = found.iter().filter(|(of, ..)| *of == partition).map(|(_, offset, _)| *offset);
        assert!(offsets.eq(0..500), "partition {partition}");
    }
}
