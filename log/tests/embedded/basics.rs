//! Topics, writing and reading, with and without a restart in between.

use crate::common::*;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions, SyncPolicy};
use millstream_log::{
    Isolation, Log, LogError, OffsetQuery, ReaderOptions, Records, RecordsBuilder, TopicSpec,
};
use std::time::{Duration, Instant};

#[test]
fn records_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let mut builder = RecordsBuilder::default();
    builder.push(Some(b"k"), None, 5);
    builder.push(None, Some(b""), -7);
    let few = builder.finish();
    let record = few.get(0);
    let mut builder = RecordsBuilder::default();
    builder.push_with_headers(record, [("h", Some(&b"1"[..])), ("n", None)]);
    builder.push_record(few.get(1));
    write(&log, &place("t", 1), builder.finish());

    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0), (place("t", 1), 0)]);
    let check = |runs: Vec<millstream_log::Run>| {
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].place, place("t", 1));
        let records = &runs[0].records;
        assert_eq!(records.len(), 2);
        let first = records.get(0);
        assert_eq!((first.offset, first.timestamp_ms), (0, 5));
        assert_eq!((first.key, first.value), (Some(&b"k"[..]), None));
        assert_eq!(first.headers.iter().collect::<Vec<_>>(), [("h", Some(&b"1"[..])), ("n", None)]);
        let second = records.get(1);
        assert_eq!((second.offset, second.timestamp_ms), (1, -7));
        assert_eq!((second.key, second.value), (None, Some(&b""[..])));
    };
    check(drain(reader.as_mut()));
    let status = reader.status(&place("t", 1)).expect("read from");
    assert_eq!((status.position, status.end), (2, 2));
    drop((reader, log));

    // Now from disk.
    let log = open(dir.path());
    let mut reader = crate::common::reader(&log, Isolation::ReadCommitted, &[(place("t", 1), 0)]);
    check(drain(reader.as_mut()));
}

#[test]
fn topics_are_made_described_and_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let spec = TopicSpec::new("b", 3).with("cleanup.policy", "compact").with("retention.ms", "1000");
    {
        let log = open(dir.path());
        let mut admin = log.admin().expect("admin");
        admin.create_topic(&spec).expect("new");
        admin.create_topic(&TopicSpec::new("a", 1)).expect("new");
        assert_eq!(admin.create_topic(&spec), Err(LogError::TopicExists("b".to_owned())));
        let odd = TopicSpec::new("c", 1).with("flush.ms", "1");
        assert!(matches!(admin.create_topic(&odd), Err(LogError::BadConfig { .. })));
        assert!(matches!(admin.create_topic(&TopicSpec::new("c d", 1)), Err(LogError::Unsupported(_))));
        assert!(matches!(admin.create_topic(&TopicSpec::new("c", 0)), Err(LogError::Unsupported(_))));
        assert!(matches!(admin.create_topic(&TopicSpec::new("c", 1 << 20)), Err(LogError::Unsupported(_))));
    }
    let log = open(dir.path());
    let mut admin = log.admin().expect("admin");
    assert_eq!(admin.topics(), Ok(vec!["a".to_owned(), "b".to_owned()]));
    let found = admin.describe_topic("b").expect("answered").expect("is there");
    assert_eq!((found.partitions, found.config), (3, spec.config));
    assert_eq!(admin.describe_topic("c"), Ok(None));
    admin.delete_topic("b").expect("removed");
    assert_eq!(admin.delete_topic("b"), Err(LogError::UnknownTopic("b".to_owned())));
    assert_eq!(admin.topics(), Ok(vec!["a".to_owned()]));
}

#[test]
fn a_topic_made_again_is_empty() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    write(&log, &place("t", 0), records(&["old"]));
    let mut before = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0)]);
    assert_eq!(drain(before.as_mut()).len(), 1);
    log.admin().expect("admin").delete_topic("t").expect("removed");
    create(&log, "t", 1);
    assert_eq!(committed(&log, &place("t", 0)), []);
    assert_eq!(end(&log, &place("t", 0)), 0);
    let gone = before.poll(Duration::ZERO, &mut Vec::new());
    assert!(matches!(gone, Err(LogError::UnknownTopic(_))), "a reader of the old one: {gone:?}");
    write(&log, &place("t", 0), records(&["new"]));
    drop((log, before));
    assert_eq!(committed(&open(dir.path()), &place("t", 0)), [(0, "new".to_owned())]);
}

#[test]
fn what_can_not_be_written_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let spec = TopicSpec::new("t", 1).with("max.message.bytes", "10");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    let mut writer = log.writer().expect("writer");
    let unknown = writer.write(&place("nowhere", 0), records(&["v"]));
    assert_eq!(unknown, Err(LogError::UnknownTopic("nowhere/0".to_owned())));
    assert!(matches!(writer.write(&place("t", 1), records(&["v"])), Err(LogError::UnknownTopic(_))));
    let large = writer.write(&place("t", 0), records(&["12345678"]));
    assert_eq!(large, Err(LogError::RecordTooLarge { place: place("t", 0), bytes: 11, limit: 10 }));
    writer.write(&place("t", 0), records(&["1234567"])).expect("just fits");
    writer.flush(SOON).expect("acknowledged");
    assert_eq!(values(&committed(&log, &place("t", 0))), ["1234567"]);
}

#[test]
fn reading_begins_anywhere_in_a_batch() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    for batch in [["a", "b", "c"], ["d", "e", "f"]] {
        write(&log, &place("t", 0), records(&batch));
    }
    let all = ["a", "b", "c", "d", "e", "f"];
    let check = |log: &EmbeddedLog| {
        for from in 0..=6 {
            let found = contents(log, &place("t", 0), from, Isolation::ReadCommitted);
            assert_eq!(values(&found), all[from as usize..]);
            assert!(found.first().is_none_or(|(offset, _)| *offset == from));
        }
        let beyond = reader(log, Isolation::ReadCommitted, &[(place("t", 0), 7)])
            .poll(Duration::ZERO, &mut Vec::new());
        let (wanted, start, end) = (7, 0, 6);
        assert_eq!(beyond, Err(LogError::OffsetOutOfRange { place: place("t", 0), wanted, start, end }));
    };
    check(&log);
    drop(log);
    check(&open(dir.path()));
}

#[test]
fn offsets_go_on_without_a_gap_after_a_clean_close() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    drop(log);
    for round in 0..3 {
        let log = open(dir.path());
        write(&log, &place("t", 0), records(&["v"]));
        assert_eq!(end(&log, &place("t", 0)), round + 1);
    }
}

#[test]
fn a_poll_waits_for_new_records_and_no_longer() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0), (place("t", 1), 0)]);
    let mut runs = Vec::new();
    let started = Instant::now();
    reader.poll(Duration::from_millis(30), &mut runs).expect("polled");
    assert!(runs.is_empty() && started.elapsed() >= Duration::from_millis(30));

    let writer = log.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        write(&writer, &place("t", 1), records(&["v"]));
    });
    let started = Instant::now();
    reader.poll(SOON, &mut runs).expect("polled");
    assert!(started.elapsed() < SOON / 2);
    assert_eq!(shown(&runs[0].records), [(0, "v".to_owned())]);
    thread.join().expect("written");
}

#[test]
fn what_is_written_and_never_flushed_arrives_by_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let mut writer = log.writer().expect("writer");
    writer.write(&place("t", 0), records(&["v"])).expect("taken");
    eventually("the record arrives", || !committed(&log, &place("t", 0)).is_empty());
}

#[test]
fn paused_partitions_keep_their_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    write(&log, &place("t", 0), records(&["a"]));
    write(&log, &place("t", 1), records(&["b"]));
    let both = [(place("t", 0), 0), (place("t", 1), 0)];
    let mut reader = reader(&log, Isolation::ReadCommitted, &both);
    reader.pause(&place("t", 0), true).expect("paused");
    let runs = drain(reader.as_mut());
    assert_eq!(runs.iter().map(|run| run.place.clone()).collect::<Vec<_>>(), [place("t", 1)]);
    reader.pause(&place("t", 0), false).expect("resumed");
    assert_eq!(drain(reader.as_mut()).len(), 1);
    // Those that stay go on where they stand, whatever offset comes with them.
    reader.assign(&both).expect("assigned");
    assert!(drain(reader.as_mut()).is_empty());
    reader.assign(&[]).expect("assigned");
    reader.assign(&both).expect("assigned");
    assert_eq!(drain(reader.as_mut()).len(), 2);
}

#[test]
fn an_error_of_one_partition_does_not_keep_others_from_being_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    write(&log, &place("t", 0), records(&["a"]));
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0), (place("t", 1), 9)]);
    let (mut found, mut errors) = (Vec::new(), 0);
    for value in 0..10 {
        let mut runs = Vec::new();
        match reader.poll(Duration::ZERO, &mut runs) {
            Ok(()) => {}
            Err(error) => {
                assert!(matches!(error, LogError::OffsetOutOfRange { .. }));
                errors += 1;
            }
        }
        found.extend(runs.iter().flat_map(|run| shown(&run.records)));
        write(&log, &place("t", 0), records(&[&value.to_string()]));
    }
    assert_eq!(errors, 10, "the error is told again and again");
    assert_eq!(found.len(), 10, "the other partition is read: {found:?}");
    assert!(found.iter().map(|(offset, _)| *offset).eq(0..found.len() as u64), "without a hole: {found:?}");
}

#[test]
fn log_append_time_is_the_logs_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let spec = TopicSpec::new("t", 1).with("message.timestamp.type", "LogAppendTime");
    log.admin().expect("admin").create_topic(&spec).expect("new");
    write(&log, &place("t", 0), records(&["a", "b"]));
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0)]);
    let runs = drain(reader.as_mut());
    assert!(runs[0].records.iter().all(|record| record.timestamp_ms > 1_600_000_000_000));
}

#[test]
fn many_partitions_and_readers_far_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let few = EmbeddedOptions { tail_bytes_max: 64 << 10, ..options() };
    let log = EmbeddedLog::open(dir.path(), &few).expect("opens");
    create(&log, "t", 300);
    let mut writer = log.writer().expect("writer");
    for round in 0..20 {
        for partition in 0..300 {
            let mut builder = RecordsBuilder::default();
            for record in 0..10 {
                let value = format!("{partition}-{}", round * 10 + record);
                builder.push(None, Some(value.as_bytes()), 0);
            }
            writer.write(&place("t", partition), builder.finish()).expect("written");
        }
        if round % 5 == 0 {
            writer.flush(SOON).expect("acknowledged");
        }
        if round == 10 {
            log.flush_files().expect("flushed");
        }
    }
    writer.flush(SOON).expect("acknowledged");
    let check = |log: &EmbeddedLog| {
        let all: Vec<_> = (0..300).map(|partition| (place("t", partition), 0)).collect();
        let mut options = ReaderOptions::new(Isolation::ReadCommitted);
        options.queue_bytes_max = 10_000;
        let mut reader = log.reader(&options).expect("reader");
        reader.assign(&all).expect("assigned");
        let mut next = vec![0u64; 300];
        for run in drain(reader.as_mut()) {
            let next = &mut next[run.place.partition as usize];
            for record in run.records.iter() {
                assert_eq!(record.offset, *next);
                let wanted = format!("{}-{next}", run.place.partition);
                assert_eq!(record.value, Some(wanted.as_bytes()));
                *next += 1;
            }
        }
        assert!(next.iter().all(|next| *next == 200));
    };
    check(&log);
    drop((log, writer));
    check(&open(dir.path()));
}

#[test]
fn many_writers_share_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let always = EmbeddedOptions { sync: SyncPolicy::Always, ..options() };
    let log = EmbeddedLog::open(dir.path(), &always).expect("opens");
    create(&log, "t", 2);
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let log = &log;
            scope.spawn(move || {
                let mut writer = log.writer().expect("writer");
                for number in 0..100 {
                    let value = format!("{thread} {number}");
                    writer.write(&place("t", thread % 2), records(&[&value])).expect("written");
                    writer.flush(SOON).expect("acknowledged");
                }
            });
        }
    });
    assert_eq!(log.synced(), log.written(), "each acknowledged write is on disk");
    for partition in 0..2 {
        let found = committed(&log, &place("t", partition));
        assert!(found.iter().map(|(offset, _)| *offset).eq(0..400));
        for thread in (partition..8).step_by(2) {
            let of_thread = found.iter().filter_map(|(_, value)| value.strip_prefix(&format!("{thread} ")));
            assert!(of_thread.eq((0..100).map(|number| number.to_string())), "in its writer's order");
        }
    }
}

#[test]
fn sync_catches_up_with_what_was_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let never = EmbeddedOptions { sync: SyncPolicy::Never, ..options() };
    let log = EmbeddedLog::open(dir.path(), &never).expect("opens");
    create(&log, "t", 1);
    write(&log, &place("t", 0), records(&["a"]));
    write(&log, &place("t", 0), records(&["b"]));
    let written = log.written();
    assert!(log.synced() < written);
    log.sync().expect("synced");
    assert!(log.synced() >= written);

    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    write(&log, &place("t", 0), records(&["a"]));
    eventually("the interval passes", || log.synced() == log.written());
}

#[test]
fn a_full_disk_is_refused_before_it_is_full() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    write(&log, &place("t", 0), records(&["a"]));
    drop(log);
    let demanding = EmbeddedOptions { free_bytes_min: 1 << 60, ..options() };
    let log = EmbeddedLog::open(dir.path(), &demanding).expect("opens");
    let mut writer = log.writer().expect("writer");
    let refused = writer.write(&place("t", 0), records(&["b"])).expect_err("no room");
    assert!(refused.is_retriable() && refused.to_string().contains("disk full"), "{refused}");
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place("t", 0), &records(&["c"])).expect("gathered");
    let refused = writer.flush().expect_err("no room");
    assert!(refused.to_string().contains("disk full"), "{refused}");
    writer.abort().expect("aborted");
    assert_eq!(values(&committed(&log, &place("t", 0))), ["a"]);
}

#[test]
fn a_log_that_was_closed_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let mut writer = log.writer().expect("writer");
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("t", 0), 0)]);
    let waiting = std::thread::spawn(move || reader.poll(SOON, &mut Vec::new()));
    std::thread::sleep(Duration::from_millis(20));
    drop(log);
    let ended = waiting.join().expect("ended").expect_err("closed");
    assert!(ended.to_string().contains("was closed"), "{ended}");
    let refused = writer.write(&place("t", 0), records(&["v"])).expect_err("closed");
    assert!(refused.to_string().contains("was closed"), "{refused}");
    drop(writer);
    assert_eq!(end(&open(dir.path()), &place("t", 0)), 0);
}

#[test]
fn an_empty_write_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    write(&log, &place("t", 0), Records::default());
    let isolation = Isolation::ReadUncommitted;
    assert_eq!(offset(&log, &place("t", 0), OffsetQuery::Latest, isolation), 0);
}
