//! Compaction: what goes, what stays, how much work that is, and `kill -9` in the middle of it.
//!
//! The crash test runs itself again as a child that overwrites a few keys at full speed, in plain writes and in
//! transactions, and reports what was acknowledged; the log compacts all the time. The parent kills it and holds the
//! log against the reports.

use crate::common::*;
use millstream_log::clock::ManualClock;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_log::{Isolation, Log, Offset, Records, RecordsBuilder, TopicPartition, TopicSpec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

type Found = Vec<(Offset, String, Option<String>)>;

fn keyed(rows: &[(&str, Option<&str>)]) -> Records {
    let mut builder = RecordsBuilder::default();
    for (key, value) in rows {
        builder.push(Some(key.as_bytes()), value.map(str::as_bytes), 1_000);
    }
    builder.finish()
}

fn create_compacted(log: &EmbeddedLog, topic: &str, settings: &[(&str, &str)]) -> TopicPartition {
    let spec = TopicSpec::new(topic, 1).with("cleanup.policy", "compact");
    let spec = settings.iter().fold(spec, |spec, (key, value)| spec.with(key, value));
    log.admin().expect("admin").create_topic(&spec).expect("a new topic");
    place(topic, 0)
}

fn found(log: &EmbeddedLog, place: &TopicPartition, from: Offset) -> Found {
    let mut reader = reader(log, Isolation::ReadCommitted, &[(place.clone(), from)]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let runs = drain(reader.as_mut());
    let records = runs.iter().flat_map(|run| run.records.iter());
    records
        .map(|record| (record.offset, record.key.map(text).unwrap_or_default(), record.value.map(text)))
        .collect()
}

fn row(offset: Offset, key: &str, value: Option<&str>) -> (Offset, String, Option<String>) {
    (offset, key.to_owned(), value.map(str::to_owned))
}

const EAGER: &[(&str, &str)] = &[("min.cleanable.dirty.ratio", "0")];

fn with_clock(dir: &Path, clock: &Arc<ManualClock>) -> EmbeddedLog {
    EmbeddedLog::open_with_clock(dir, &options(), Arc::clone(clock) as Arc<_>).expect("the log opens")
}

#[test]
fn what_is_left_keeps_its_offset_from_wherever_it_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(10_000));
    let mut log = with_clock(dir.path(), &clock);
    let place = create_compacted(&log, "t", EAGER);
    write(&log, &place, keyed(&[("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("c", Some("1"))]));
    write(&log, &place, keyed(&[("a", Some("3")), ("d", Some("1"))]));
    write(&log, &place, keyed(&[("d", Some("2")), ("d", Some("3"))]));
    write(&log, &place, keyed(&[("e", Some("1")), ("e", Some("2"))]));
    log.tick().expect("ticked");
    let expected = [
        row(1, "b", Some("1")),
        row(3, "c", Some("1")),
        row(4, "a", Some("3")),
        row(7, "d", Some("3")),
        // The last batch is left alone.
        row(8, "e", Some("1")),
        row(9, "e", Some("2")),
    ];
    for round in 0..2 {
        for from in 0..=10 {
            let behind: Found = expected.iter().filter(|row| row.0 >= from).cloned().collect();
            assert_eq!(found(&log, &place, from), behind, "from {from}, round {round}");
        }
        assert_eq!((earliest(&log, &place), end(&log, &place)), (0, 10));
        drop(log);
        log = with_clock(dir.path(), &clock);
        log.tick().expect("ticked");
    }
    write(&log, &place, keyed(&[("b", Some("2"))]));
    write(&log, &place, keyed(&[("z", Some("1"))]));
    log.tick().expect("ticked");
    let left: Vec<Offset> = found(&log, &place, 0).iter().map(|row| row.0).collect();
    assert_eq!(left, [3, 4, 7, 9, 10, 11]);
}

#[test]
fn a_deletion_stays_for_its_time_and_goes_then() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(10_000));
    let log = with_clock(dir.path(), &clock);
    let settings = [("min.cleanable.dirty.ratio", "0"), ("delete.retention.ms", "5000")];
    let place = create_compacted(&log, "t", &settings);
    write(&log, &place, keyed(&[("a", Some("1")), ("b", Some("1"))]));
    write(&log, &place, keyed(&[("a", None)]));
    let pass = |filler: &str| {
        write(&log, &place, keyed(&[("filler", Some(filler))]));
        log.tick().expect("ticked");
        let mut found = found(&log, &place, 0);
        found.retain(|row| row.1 != "filler");
        found
    };
    let deleted = vec![row(1, "b", Some("1")), row(2, "a", None)];
    assert_eq!(pass("1"), deleted);
    clock.advance(4_999);
    assert_eq!(pass("2"), deleted);
    clock.advance(1);
    assert_eq!(pass("3"), deleted[..1]);
    // Somebody may write the key again.
    write(&log, &place, keyed(&[("a", Some("2"))]));
    assert_eq!(pass("4").last().map(|row| row.1.clone()), Some("a".to_owned()));
}

#[test]
fn little_that_is_new_is_not_worth_a_pass() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(10_000));
    let log = with_clock(dir.path(), &clock);
    let place = create_compacted(&log, "t", &[("min.cleanable.dirty.ratio", "0.5")]);
    let padding = "x".repeat(1_000);
    let write_some = |keys: std::ops::Range<u32>| {
        for key in keys {
            write(&log, &place, keyed(&[(&format!("k{key}"), Some(&padding))]));
        }
    };
    write_some(0..100);
    log.tick().expect("ticked");
    // A quarter of it is new, all of it overwrites: nothing is done.
    write_some(0..25);
    let before = log.written();
    log.tick().expect("ticked");
    assert_eq!((log.written(), found(&log, &place, 0).len()), (before, 125));
    write_some(25..90);
    write_some(0..30);
    log.tick().expect("ticked");
    // But for the last record, which is left alone, one of each key.
    assert_eq!(found(&log, &place, 0).len(), 101);
    let before = log.written();
    log.tick().expect("ticked");
    assert_eq!(log.written(), before, "there is nothing new");
}

#[test]
fn it_happens_by_itself_and_beside_removal_by_size() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let both = [
        ("min.cleanable.dirty.ratio", "0.1"),
        ("cleanup.policy", "compact,delete"),
        ("retention.bytes", "300000"),
    ];
    let (kept, limited) = (create_compacted(&log, "kept", EAGER), create_compacted(&log, "limited", &both));
    let padding = "x".repeat(10_000);
    let mut round = 0;
    eventually("compaction", || {
        for place in [&kept, &limited] {
            write(&log, place, keyed(&[("same", Some(&padding))]));
            write(&log, place, keyed(&[(&format!("other {round}"), Some(&padding))]));
        }
        round += 1;
        std::thread::sleep(Duration::from_millis(20));
        let same =
            |place| found(&log, place, earliest(&log, place)).iter().filter(|row| row.1 == "same").count();
        round > 60 && same(&kept) < round / 2 && earliest(&log, &limited) > 0 && same(&limited) < 15
    });
    assert_eq!(earliest(&log, &kept), 0);
}

/// What happens to a topic.
#[derive(Debug, Clone)]
enum Event {
    Write(Vec<(u8, Option<u8>)>),
    Transaction(Vec<(u8, Option<u8>)>, bool),
    Tick,
    Reopen,
    DeleteBefore(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let rows = || proptest::collection::vec((0u8..6, proptest::option::weighted(0.8, any::<u8>())), 1..6);
    let event = prop_oneof![
        5 => rows().prop_map(Event::Write),
        2 => (rows(), any::<bool>()).prop_map(|(rows, commit)| Event::Transaction(rows, commit)),
        3 => Just(Event::Tick),
        1 => Just(Event::Reopen),
        1 => (0u8..20).prop_map(Event::DeleteBefore),
    ];
    proptest::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens: what is read was written, at its offset, and of each key the newest is there.
    #[test]
    fn the_newest_of_each_key_is_always_there(events in events()) {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::at(10_000));
        let mut log = with_clock(dir.path(), &clock);
        let place = create_compacted(&log, "t", EAGER);
        let mut written: BTreeMap<Offset, (String, Option<String>)> = BTreeMap::new();
        for event in events {
            let rows = match &event {
                Event::Write(rows) | Event::Transaction(rows, _) => rows.clone(),
                _ => Vec::new(),
            };
            let texts: Vec<(String, Option<String>)> =
                rows.iter().map(|(key, value)| (format!("k{key}"), value.map(|value| value.to_string()))).collect();
            let rows: Vec<(&str, Option<&str>)> = texts.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
            let first = end(&log, &place);
            match event {
                Event::Write(_) => write(&log, &place, keyed(&rows)),
                Event::Transaction(_, commit) => {
                    let mut writer = transactional(&log, "w");
                    writer.begin().expect("begun");
                    writer.write(&place, &keyed(&rows)).expect("written");
                    writer.flush().expect("flushed");
                    log.tick().expect("ticked");
                    if !commit {
                        writer.abort().expect("aborted");
                        continue;
                    }
                    writer.commit().expect("committed");
                }
                Event::Tick => log.tick().expect("ticked"),
                Event::Reopen => {
                    drop(log);
                    log = with_clock(dir.path(), &clock);
                }
                Event::DeleteBefore(offset) => {
                    let before = u64::from(offset).min(end(&log, &place));
                    log.admin().expect("admin").delete_records(&[(place.clone(), before)]).expect("removed");
                }
            }
            written.extend((first..).zip(texts));
            let start = earliest(&log, &place);
            let found = found(&log, &place, start);
            for (offset, key, value) in &found {
                prop_assert_eq!(written.get(offset), Some(&(key.clone(), value.clone())));
            }
            let mut newest: BTreeMap<&str, Offset> = BTreeMap::new();
            newest.extend(written.range(start..).map(|(offset, (key, _))| (key.as_str(), *offset)));
            for (key, offset) in newest {
                prop_assert!(found.iter().any(|row| row.0 == offset), "{} at {} is gone", key, offset);
            }
        }
    }
}

const DIR: &str = "MILLSTREAM_TEST_COMPACTION_DIR";
const ROUND: &str = "MILLSTREAM_TEST_COMPACTION_ROUND";
const ROUNDS: u64 = 20;
const KEYS: u64 = 7;

fn busy(dir: &Path) -> EmbeddedLog {
    let options = EmbeddedOptions { write_buffer_bytes: 4 << 20, tail_bytes_max: 1 << 18, ..options() };
    EmbeddedLog::open(dir, &options).expect("the log opens")
}

/// Overwrites until it is killed. Without its environment it is no test at all.
#[test]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let round: u64 = round.parse().expect("a number");
    let log = busy(Path::new(&dir));
    for topic in ["plain", "tx"] {
        let spec =
            TopicSpec::new(topic, 1).with("cleanup.policy", "compact").with("min.cleanable.dirty.ratio", "0");
        let _ = log.admin().expect("admin").create_topic(&spec);
    }
    let report = |line: String| {
        let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
        let _ = std::io::stdout().flush();
    };
    std::thread::scope(|scope| {
        let log = &log;
        // The ticker would begin a pass each second only.
        scope.spawn(move || while log.tick().is_ok() {});
        scope.spawn(move || {
            for number in 0.. {
                let value = format!("{:08} {}", round * 1_000_000 + number, "x".repeat(200));
                write(log, &place("plain", 0), keyed(&[(&format!("k{}", number % KEYS), Some(&value))]));
                report(format!("plain k{} {}", number % KEYS, &value[..8]));
            }
        });
        scope.spawn(move || {
            let mut writer = transactional(log, "w");
            for number in 0.. {
                let commit = number % 3 != 2;
                let value = format!("{:08}", round * 1_000_000 + number);
                let value = if commit { value } else { "aborted".to_owned() };
                writer.begin().expect("begun");
                writer
                    .write(&place("tx", 0), &keyed(&[("k0", Some(&value)), ("k1", Some(&value))]))
                    .expect("written");
                writer.flush().expect("flushed");
                match commit {
                    false => drop(writer.abort().expect("aborted")),
                    true => {
                        writer.commit().expect("committed");
                        report(format!("tx k0 {value}"));
                        report(format!("tx k1 {value}"));
                    }
                }
            }
        });
    });
}

#[test]
fn killed_while_it_compacts_it_keeps_the_newest_of_each_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut acknowledged: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut removed = 0;
    for round in 1..=ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["compaction::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIR, dir.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let out = child.stdout.take().expect("its output");
        let lines =
            std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(60 + 23 * round));
        child.kill().expect("killed");
        child.wait().expect("ended");
        for line in lines.join().expect("read") {
            if let [topic, key, value] = line.split(' ').collect::<Vec<_>>()[..]
                && value.len() == 8
                && ["plain", "tx"].contains(&topic)
            {
                acknowledged.insert((topic.to_owned(), key.to_owned()), value.to_owned());
            }
        }
        let log = busy(dir.path());
        for topic in ["plain", "tx"] {
            if log.admin().expect("admin").describe_topic(topic).expect("described").is_none() {
                continue;
            }
            let place = place(topic, 0);
            let rows = found(&log, &place, 0);
            assert!(
                rows.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{topic}, round {round}: offsets fall"
            );
            assert!(rows.iter().all(|row| row.2.as_deref() != Some("aborted")), "{topic}, round {round}");
            let mut last: BTreeMap<&str, &str> = BTreeMap::new();
            for (_, key, value) in &rows {
                let value = &value.as_deref().expect("a value")[..8];
                assert!(
                    last.insert(key, value).is_none_or(|before| before < value),
                    "{topic} {key}, round {round}"
                );
            }
            for ((_, key), value) in acknowledged.iter().filter(|((of, _), _)| of == topic) {
                let found = last.get(key.as_str()).copied().unwrap_or_default();
                assert!(
                    found >= value.as_str(),
                    "{topic} {key}, round {round}: {value} is lost, {found} is there"
                );
            }
            removed += end(&log, &place) - rows.len() as u64;
        }
    }
    assert!(acknowledged.len() as u64 == KEYS + 2 && removed > 1_000, "{removed} records compacted away");
}
