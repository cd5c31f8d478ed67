//! Power cuts, as far as they can be acted without one: what was not synced is taken away from a copy of the
//! directory, at any byte, or replaced by garbage. And the opposite: what *was* synced is damaged, and must be missed.

use crate::common::*;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions, SyncPolicy};
use millstream_log::{CommittedOffset, GroupMetadata, Isolation, Log, LogError, TopicPartition};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No sync but those the test and reservations ask for.
fn unsynced() -> EmbeddedOptions {
    EmbeddedOptions { sync_interval_ms: 3_600_000, ..options() }
}

struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = rand::random();
        println!("seed {seed}");
        Random(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// The write-ahead logs and their lengths.
fn logs(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let files = std::fs::read_dir(dir.join("db")).expect("listed").map(|file| file.expect("listed").path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| (path.clone(), path.metadata().expect("is there").len())).collect()
}

/// One step of the workload: `number` says what it does.
fn step(log: &EmbeddedLog, number: u64) {
    let nobody =
        GroupMetadata { group: "g".to_owned(), generation: -1, member: String::new(), instance: None };
    if number.is_multiple_of(3) {
        write(log, &place("t", 0), records(&[&format!("plain {number}")]));
        return;
    }
    let mut writer = transactional(log, "w");
    writer.begin().expect("begun");
    for partition in 0..2 {
        let values = [format!("tx {number} a"), format!("tx {number} b")];
        writer.write(&place("t", partition), &records(&[&values[0], &values[1]])).expect("written");
    }
    writer.flush().expect("flushed");
    if number.is_multiple_of(5) {
        writer.abort().expect("aborted");
        return;
    }
    let offset = CommittedOffset { offset: number, metadata: String::new() };
    writer.send_offsets(&[(place("in", 0), offset)], &nobody).expect("sent");
    writer.commit().expect("committed");
}

/// What partition 0 holds after so many steps.
fn expected(steps: u64) -> Vec<String> {
    let values = |number: u64| match number {
        plain if plain % 3 == 0 => vec![format!("plain {plain}")],
        aborted if aborted % 5 == 0 => vec![],
        number => vec![format!("tx {number} a"), format!("tx {number} b")],
    };
    (0..steps).flat_map(values).collect()
}

/// The log after a power cut: at least `synced` steps and some of those after, none of them in part.
fn check(log: &EmbeddedLog, synced: u64, steps: u64) -> u64 {
    let found = committed(log, &place("t", 0));
    let found = values(&found);
    let survived = (synced..=steps).find(|survived| expected(*survived) == found);
    let survived = survived.unwrap_or_else(|| panic!("{synced} of {steps} steps were synced: {found:?}"));
    let transactions: Vec<&str> = found.into_iter().filter(|value| value.starts_with("tx")).collect();
    assert_eq!(values(&committed(log, &place("t", 1))), transactions, "transactions are whole");
    let last = (0..survived).rev().find(|number| number % 3 != 0 && number % 5 != 0);
    let offset = log
        .admin()
        .expect("admin")
        .committed("g", &[place("in", 0)], Isolation::ReadCommitted)
        .expect("answered");
    assert_eq!(offset[0].as_ref().map(|offset| offset.offset), last);
    survived
}

fn ends(log: &EmbeddedLog) -> Vec<(TopicPartition, u64)> {
    (0..2).map(|partition| (place("t", partition), end(log, &place("t", partition)))).collect()
}

#[test]
fn a_power_cut_takes_a_suffix_and_no_offset_comes_twice() {
    let mut random = Random::new();
    for case in 0..40 {
        let dir = tempfile::tempdir().expect("a directory");
        let log = EmbeddedLog::open(dir.path(), &unsynced()).expect("opens");
        create(&log, "t", 2);
        // Both partitions have their reservation after two steps.
        let synced = 2 + random.below(40);
        (0..synced).for_each(|number| step(&log, number));
        log.sync().expect("synced");
        // Reservations of the log's own thread are through.
        std::thread::sleep(Duration::from_millis(5));
        log.sync().expect("synced");
        let (mark, lengths) = (log.synced(), logs(dir.path()));
        let steps = synced + random.below(60);
        (synced..steps).for_each(|number| step(&log, number));
        assert_eq!(log.synced(), mark, "nothing was synced meanwhile");
        let ends = ends(&log);

        let copy = tempfile::tempdir().expect("a directory");
        copy_dir(dir.path(), copy.path());
        for (path, length) in logs(copy.path()) {
            let name = dir.path().join("db").join(path.file_name().expect("named"));
            let kept = lengths.get(&name).copied().unwrap_or(0);
            let cut = kept + random.below(length - kept + 1);
            let mut bytes = std::fs::read(&path).expect("read");
            if case % 2 == 0 {
                bytes.truncate(cut as usize);
            } else {
                bytes[cut as usize..].iter_mut().for_each(|byte| *byte = random.below(256) as u8);
            }
            std::fs::write(&path, bytes).expect("written");
        }
        let after = EmbeddedLog::open(copy.path(), &unsynced()).expect("opens after the power cut");
        check(&after, synced, steps);
        for (place, before) in &ends {
            assert!(end(&after, place) >= *before, "{place}: offsets are given again");
            write(&after, place, records(&["after"]));
            let (offset, value) = committed(&after, place).pop().expect("just written");
            assert!(offset >= *before && value == "after");
        }
        // And once more, without any cut.
        drop(after);
        let again = EmbeddedLog::open(copy.path(), &unsynced()).expect("opens");
        assert_eq!(committed(&again, &place("t", 0)).pop().map(|last| last.1).as_deref(), Some("after"));
    }
}

#[test]
fn everything_acknowledged_under_always_survives() {
    let mut random = Random::new();
    for _ in 0..10 {
        let dir = tempfile::tempdir().expect("a directory");
        let always = EmbeddedOptions { sync: SyncPolicy::Always, ..options() };
        let log = EmbeddedLog::open(dir.path(), &always).expect("opens");
        create(&log, "t", 2);
        let steps = 1 + random.below(60);
        (0..steps).for_each(|number| step(&log, number));
        assert_eq!(log.synced(), log.written());
        let copy = tempfile::tempdir().expect("a directory");
        copy_dir(dir.path(), copy.path());
        // Garbage after what was synced changes nothing.
        for path in logs(copy.path()).into_keys() {
            let mut bytes = std::fs::read(&path).expect("read");
            bytes.extend((0..random.below(10_000)).map(|_| random.below(256) as u8).collect::<Vec<_>>());
            std::fs::write(&path, bytes).expect("written");
        }
        let after = EmbeddedLog::open(copy.path(), &always).expect("opens");
        assert_eq!(check(&after, steps, steps), steps);
    }
}

#[test]
fn a_damaged_write_ahead_log_is_refused_and_kept() {
    let mut random = Random::new();
    let dir = tempfile::tempdir().expect("a directory");
    let log = EmbeddedLog::open(dir.path(), &unsynced()).expect("opens");
    create(&log, "t", 2);
    let steps = 60;
    (0..steps).for_each(|number| step(&log, number));
    log.sync().expect("synced");
    let mut refused = 0;
    for _ in 0..40 {
        let copy = tempfile::tempdir().expect("a directory");
        copy_dir(dir.path(), copy.path());
        let (path, length) = logs(copy.path()).pop_last().expect("one is there");
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[random.below(length) as usize] ^= 1 + random.below(255) as u8;
        std::fs::write(&path, &bytes).expect("written");
        for attempt in 0..2 {
            match EmbeddedLog::open(copy.path(), &unsynced()) {
                // The byte did not matter.
                Ok(log) if attempt == 0 => {
                    check(&log, steps, steps);
                    break;
                }
                Ok(_) => panic!("refused first, taken then"),
                Err(LogError::Corrupt(text)) => {
                    assert!(text.contains("synced") && text.contains("recovery"), "{text}");
                    let kept = copy.path().join("recovery").join(path.file_name().expect("named"));
                    assert_eq!(std::fs::read(kept).expect("kept"), bytes);
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        if refused % 4 == 1 {
            std::fs::remove_file(copy.path().join("synced")).expect("removed");
            match EmbeddedLog::open(copy.path(), &unsynced()) {
                Ok(log) => {
                    check(&log, 0, steps);
                }
                // Its very first writes are gone: the topic, or the log's own settings.
                Err(error) => assert!(matches!(error, LogError::Corrupt(_)), "{error}"),
            }
        }
    }
    assert!(refused >= 40, "most bytes matter: {refused}");
}
