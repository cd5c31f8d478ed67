//! Removing records, and finding them by time.

use crate::common::*;
use millstream_log::clock::ManualClock;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_log::{
    Isolation, Log, LogError, OffsetQuery, Records, RecordsBuilder, TopicPartition, TopicSpec,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn timed(values: &[(i64, &str)]) -> Records {
    let mut builder = RecordsBuilder::default();
    for (timestamp_ms, value) in values {
        builder.push(None, Some(value.as_bytes()), *timestamp_ms);
    }
    builder.finish()
}

fn at_time(log: &EmbeddedLog, place: &TopicPartition, timestamp_ms: i64) -> u64 {
    offset(log, place, OffsetQuery::Timestamp(timestamp_ms), Isolation::ReadCommitted)
}

#[test]
fn records_before_an_offset_are_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let place = place("t", 0);
    for batch in [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]] {
        write(&log, &place, records(&batch));
    }
    let mut admin = log.admin().expect("admin");
    admin.delete_records(&[(place.clone(), 4)]).expect("removed");
    assert_eq!(earliest(&log, &place), 4);
    assert_eq!(values(&committed(&log, &place)), ["e", "f", "g", "h", "i"]);
    admin.delete_records(&[(place.clone(), 2)]).expect("gone already");
    let beyond = admin.delete_records(&[(place.clone(), 10)]);
    assert!(matches!(beyond, Err(LogError::OffsetOutOfRange { wanted: 10, .. })), "{beyond:?}");
    let before =
        reader(&log, Isolation::ReadCommitted, &[(place.clone(), 3)]).poll(Duration::ZERO, &mut Vec::new());
    assert!(matches!(before, Err(LogError::OffsetOutOfRange { start: 4, end: 9, .. })), "{before:?}");
    drop((admin, log));
    let log = open(dir.path());
    assert_eq!(earliest(&log, &place), 4);
    assert_eq!(values(&committed(&log, &place)), ["e", "f", "g", "h", "i"]);
    log.admin().expect("admin").delete_records(&[(place.clone(), 9)]).expect("all");
    assert_eq!((earliest(&log, &place), end(&log, &place)), (9, 9));
    drop(log);
    let log = open(dir.path());
    assert_eq!((earliest(&log, &place), end(&log, &place)), (9, 9));
    write(&log, &place, records(&["j"]));
    assert_eq!(committed(&log, &place), [(9, "j".to_owned())]);
}

#[test]
fn old_records_are_removed_batch_by_batch() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(10_000));
    let log = EmbeddedLog::open_with_clock(dir.path(), &options(), Arc::<ManualClock>::clone(&clock))
        .expect("opens");
    let spec = TopicSpec::new("t", 1).with("retention.ms", "1000");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    let place = place("t", 0);
    write(&log, &place, timed(&[(9_000, "a"), (9_100, "b")]));
    write(&log, &place, timed(&[(9_500, "c"), (9_050, "d")]));
    write(&log, &place, timed(&[(9_060, "e")]));
    clock.advance(50);
    log.tick().expect("ticked");
    assert_eq!(values(&committed(&log, &place)), ["a", "b", "c", "d", "e"], "b is young enough");
    clock.advance(100);
    log.tick().expect("ticked");
    // e is too old as well, but c before it is not.
    assert_eq!(values(&committed(&log, &place)), ["c", "d", "e"]);
    clock.advance(400);
    log.tick().expect("ticked");
    assert_eq!((earliest(&log, &place), end(&log, &place)), (5, 5));
}

#[test]
fn what_is_beyond_the_size_is_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let spec = TopicSpec::new("t", 1).with("retention.bytes", "10000");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    let place = place("t", 0);
    let value = "v".repeat(1_000);
    for _ in 0..30 {
        write(&log, &place, records(&[&value]));
    }
    log.tick().expect("ticked");
    let left = committed(&log, &place).len();
    assert!((10..=11).contains(&left), "{left} records are left");
    drop(log);
    let log = open(dir.path());
    assert_eq!(committed(&log, &place).len(), left);
    write(&log, &place, records(&[&value]));
    eventually("retention follows an append by itself", || earliest(&log, &place) > 30 - left as u64);
}

#[test]
fn retention_does_not_pass_an_open_transaction() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(10_000));
    let log = EmbeddedLog::open_with_clock(dir.path(), &options(), Arc::<ManualClock>::clone(&clock))
        .expect("opens");
    let spec = TopicSpec::new("t", 1).with("retention.ms", "1");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    let place = place("t", 0);
    write(&log, &place, records(&["a"]));
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place, &records(&["b"])).expect("written");
    writer.flush().expect("flushed");
    write(&log, &place, records(&["c"]));
    log.tick().expect("ticked");
    assert_eq!(earliest(&log, &place), 1);
    writer.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place)), ["b", "c"]);
    log.tick().expect("ticked");
    assert_eq!(committed(&log, &place), []);
}

#[test]
fn compacted_topics_and_topics_without_limits_keep_everything() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let spec = TopicSpec::new("c", 1).with("cleanup.policy", "compact").with("retention.ms", "1");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    create(&log, "t", 1);
    for topic in ["c", "t"] {
        write(&log, &place(topic, 0), records(&["a", "b"]));
    }
    log.tick().expect("ticked");
    for topic in ["c", "t"] {
        assert_eq!(committed(&log, &place(topic, 0)).len(), 2);
    }
}

#[test]
fn removed_records_give_their_space_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let small = EmbeddedOptions { write_buffer_bytes: 16 << 20, tail_bytes_max: 0, ..options() };
    let log = EmbeddedLog::open(dir.path(), &small).expect("opens");
    create(&log, "t", 1);
    create(&log, "kept", 1);
    let place = place("t", 0);
    let size = || {
        let files = std::fs::read_dir(dir.path().join("db")).expect("listed");
        files.map(|file| file.and_then(|file| file.metadata()).map_or(0, |file| file.len())).sum::<u64>()
    };
    let value = vec![b'v'; 100_000];
    for number in 0..1_500 {
        let mut builder = RecordsBuilder::default();
        builder.push(None, Some(&value), 0);
        write(&log, &place, builder.finish());
        if number % 100 == 0 {
            write(&log, &crate::common::place("kept", 0), records(&["k"]));
        }
    }
    log.flush_files().expect("flushed");
    let full = size();
    assert!(full > 150_000_000, "{full} bytes are there");
    log.admin().expect("admin").delete_records(&[(place.clone(), 1_490)]).expect("removed");
    eventually("the files go", || size() < 30_000_000);
    assert_eq!(committed(&log, &place).len(), 10);
    assert_eq!(committed(&log, &crate::common::place("kept", 0)).len(), 15);
    drop(log);
    let log = open(dir.path());
    assert_eq!(committed(&log, &place).len(), 10);
    assert_eq!(committed(&log, &crate::common::place("kept", 0)).len(), 15);
}

#[test]
fn a_long_history_is_removed_in_one_go() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let mut writer = log.writer().expect("writer");
    for number in 0..3_000 {
        writer.write(&place("t", 0), records(&[&number.to_string()])).expect("written");
        writer.write(&place("t", 1), records(&["kept"])).expect("written");
        writer.flush(SOON).expect("acknowledged");
    }
    log.admin().expect("admin").delete_records(&[(place("t", 0), 2_990)]).expect("removed");
    let check = |log: &EmbeddedLog| {
        assert_eq!(committed(log, &place("t", 0)).len(), 10);
        assert_eq!(committed(log, &place("t", 1)).len(), 3_000);
        assert_eq!(at_time(log, &place("t", 0), 0), 2_990);
    };
    check(&log);
    drop((log, writer));
    check(&open(dir.path()));
}

#[test]
fn offsets_are_found_by_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let place = place("t", 0);
    assert_eq!(at_time(&log, &place, 5), 0, "the end, where there is nothing");
    write(&log, &place, timed(&[(10, "a"), (30, "b"), (20, "c")]));
    write(&log, &place, timed(&[(5, "d"), (40, "e")]));
    let check = |log: &EmbeddedLog| {
        for (time, wanted) in [(0, 0), (10, 0), (11, 1), (30, 1), (31, 4), (40, 4), (41, 5)] {
            assert_eq!(at_time(log, &place, time), wanted, "at {time}");
        }
    };
    check(&log);
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place, &timed(&[(100, "f")])).expect("written");
    writer.flush().expect("flushed");
    write(&log, &place, timed(&[(200, "g")]));
    assert_eq!(at_time(&log, &place, 50), 5, "not beyond the last stable offset");
    let uncommitted = |time| offset(&log, &place, OffsetQuery::Timestamp(time), Isolation::ReadUncommitted);
    assert_eq!((uncommitted(50), uncommitted(150), uncommitted(201)), (5, 6, 7));
    writer.abort().expect("aborted");
    assert_eq!(at_time(&log, &place, 50), 6);
    assert_eq!(at_time(&log, &place, 201), 8, "the end of the transaction took an offset");
    drop((writer, log));
    check_after(dir.path(), &place);
}

fn check_after(dir: &std::path::Path, place: &TopicPartition) {
    let log = open(dir);
    assert_eq!(at_time(&log, place, 50), 6);
    log.admin().expect("admin").delete_records(&[(place.clone(), 2)]).expect("removed");
    assert_eq!(at_time(&log, place, 25), 4, "b is gone");
    assert_eq!(at_time(&log, place, 0), 2);
}

/// Enough offsets for several blocks of summaries, transactions that commit late, restarts: against a plain list.
#[test]
fn times_are_found_across_blocks_late_commits_and_restarts() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    let batch = (1usize..30_000, 0i64..1_000, any::<bool>());
    let cases = (proptest::collection::vec(batch, 1..15), any::<bool>(), 0.0..1.0f64);
    let run = runner.run(&cases, |(batches, crash, removed)| {
        let dir = tempfile::tempdir().expect("a directory");
        let log = open(dir.path());
        create(&log, "t", 1);
        let place = place("t", 0);
        let mut wanted: Vec<(u64, i64)> = Vec::new();
        let mut open_writers = Vec::new();
        let mut next = 0u64;
        for (index, (count, time, late)) in batches.iter().enumerate() {
            let mut builder = RecordsBuilder::default();
            (0..*count).for_each(|_| builder.push(None, Some(b"v"), *time));
            let records = builder.finish();
            wanted.extend((0..*count).map(|record| (next + record as u64, *time)));
            next += *count as u64;
            if *late {
                let mut writer = transactional(&log, &index.to_string());
                writer.begin().expect("begun");
                writer.write(&place, &records).expect("written");
                writer.flush().expect("flushed");
                open_writers.push(writer);
            } else {
                write(&log, &place, records);
            }
        }
        for writer in &mut open_writers {
            writer.commit().expect("committed");
        }
        let start = (next as f64 * removed) as u64;
        log.admin().expect("admin").delete_records(&[(place.clone(), start)]).expect("removed");
        let check = |log: &EmbeddedLog| -> Result<(), TestCaseError> {
            for time in [0, 1, 100, 300, 500, 700, 900, 999, 1_000] {
                let found = wanted.iter().find(|(offset, at)| *offset >= start && *at >= time);
                let end = end(log, &place);
                prop_assert_eq!(at_time(log, &place, time), found.map_or(end, |(offset, _)| *offset));
            }
            Ok(())
        };
        check(&log)?;
        drop(open_writers);
        if crash {
            let copy = tempfile::tempdir().expect("a directory");
            copy_dir(dir.path(), copy.path());
            check(&open(copy.path()))
        } else {
            drop(log);
            check(&open(dir.path()))
        }
    });
    run.expect("times are found");
}
