//! `kill -9` at any moment.
//!
//! The test runs itself again as a child that works on a log at full speed from several threads, and reports on its
//! standard output what was acknowledged, what it was told of offsets and what its readers have seen. It is killed at
//! a random moment, in some rounds while it opens the log. Then the parent opens the log and holds it against all
//! reports of all rounds. Values name their round, their kind and their number, so each record says what it has to be.

use crate::common::*;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions, SyncPolicy};
use millstream_log::{
    CommittedOffset, GroupMetadata, Isolation, Log, Offset, OffsetQuery, RecordsBuilder, TopicPartition,
    TopicSpec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "MILLSTREAM_TEST_CRASH_DIR";
const ROUND: &str = "MILLSTREAM_TEST_CRASH_ROUND";
const ROUNDS: u32 = 60;

fn policy(round: u32) -> SyncPolicy {
    [SyncPolicy::Interval, SyncPolicy::Always, SyncPolicy::Never][round as usize % 3]
}

fn open_round(dir: &Path, round: u32) -> EmbeddedLog {
    // Small buffers: files are flushed and compacted all the time.
    let options = EmbeddedOptions {
        sync: policy(round),
        write_buffer_bytes: 4 << 20,
        tail_bytes_max: 1 << 20,
        ..options()
    };
    EmbeddedLog::open(dir, &options).expect("the log opens")
}

/// The number of records of transaction `number` in each of its two partitions.
fn shares(number: u64) -> (u64, u64) {
    (1 + number % 7, number % 5)
}

fn report(line: &str) {
    // One write per line, so that lines of threads do not mix; the parent ignores a line that is cut off.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
    let _ = std::io::stdout().flush();
}

fn numbered(kind: &str, round: u32, number: u64, count: u64, padding: usize) -> millstream_log::Records {
    let mut builder = RecordsBuilder::default();
    for record in 0..count {
        let mut value = format!("{kind} {round} {number} {record}/{count} ").into_bytes();
        value.resize(value.len() + padding, b'.');
        builder.push(None, Some(&value), 0);
    }
    builder.finish()
}

/// Works until it is killed. Without its environment it is no test at all.
#[test]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let round: u32 = round.parse().expect("a number");
    report("! opening");
    let log = open_round(Path::new(&dir), round);
    for topic in ["plain", "tx", "large"] {
        // Exists from the second round on.
        let _ = log.admin().expect("admin").create_topic(&TopicSpec::new(topic, 2));
    }
    report("! opened");
    std::thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || plain(log, round));
        scope.spawn(move || transactions(log, round));
        scope.spawn(move || large(log, round));
        scope.spawn(move || watch(log));
    });
}

/// Plain writes, each acknowledged before the next.
fn plain(log: &EmbeddedLog, round: u32) {
    let mut writer = log.writer().expect("writer");
    for number in 0.. {
        writer.write(&place("plain", 0), numbered("p", round, number, 1 + number % 3, 20)).expect("written");
        writer.flush(SOON).expect("acknowledged");
        report(&format!("plain {round} {number}"));
    }
}

/// Transactions over two partitions and a group's offset; every fourth is aborted.
fn transactions(log: &EmbeddedLog, round: u32) {
    let mut writer = transactional(log, "w");
    let nobody =
        GroupMetadata { group: "g".to_owned(), generation: -1, member: String::new(), instance: None };
    for number in 0.. {
        let (first, second) = shares(number);
        writer.begin().expect("begun");
        let kind = if number % 4 == 3 { "abort" } else { "tx" };
        writer.write(&place("tx", 0), &numbered(kind, round, number, first, 100)).expect("written");
        writer.write(&place("tx", 1), &numbered(kind, round, number, second, 100)).expect("written");
        for (place, end) in writer.flush().expect("flushed") {
            report(&format!("given {} {} {end}", place.topic, place.partition));
        }
        if kind == "abort" {
            writer.abort().expect("aborted");
            continue;
        }
        let offset = CommittedOffset { offset: number, metadata: format!("{round} {number}") };
        writer.send_offsets(&[(place("in", 0), offset)], &nobody).expect("sent");
        writer.commit().expect("committed");
        report(&format!("tx {round} {number}"));
    }
}

/// Large records, so that files are written and compacted.
fn large(log: &EmbeddedLog, round: u32) {
    let mut writer = log.writer().expect("writer");
    for number in 0.. {
        writer.write(&place("large", 1), numbered("l", round, number, 4, 30_000)).expect("written");
        writer.flush(SOON).expect("acknowledged");
        report(&format!("large {round} {number}"));
        if number % 32 == 31 {
            let end = end(log, &place("large", 1));
            let mut admin = log.admin().expect("admin");
            admin.delete_records(&[(place("large", 1), end.saturating_sub(40))]).expect("removed");
            report(&format!("removed {}", end.saturating_sub(40)));
        }
    }
}

/// What a reader has seen stays.
fn watch(log: &EmbeddedLog) {
    let places = [place("plain", 0), place("tx", 0)];
    let from: Vec<_> = places
        .iter()
        .map(|place| {
            let end = offset(log, place, OffsetQuery::Latest, Isolation::ReadCommitted);
            (place.clone(), end)
        })
        .collect();
    let mut reader = reader(log, Isolation::ReadCommitted, &from);
    loop {
        let mut runs = Vec::new();
        reader.poll(Duration::from_secs(1), &mut runs).expect("polled");
        for run in &runs {
            if let Some((offset, value)) = shown(&run.records).last() {
                report(&format!("seen {} {} {offset} {value}", run.place.topic, run.place.partition));
            }
        }
    }
}

/// What all rounds have reported.
#[derive(Debug, Default)]
struct Reports {
    /// The last acknowledged number, by kind and round.
    acknowledged: BTreeMap<(String, u32), u64>,
    /// The largest offset given out, by partition, in rounds before the present one and in it.
    given: BTreeMap<TopicPartition, Offset>,
    seen: BTreeMap<(TopicPartition, Offset), String>,
    removed: Offset,
}

impl Reports {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [kind @ ("plain" | "tx" | "large"), round, number] => {
                let key = (kind.to_owned(), round.parse().expect("a round"));
                self.acknowledged.insert(key, number.parse().expect("a number"));
            }
            ["given", topic, partition, end] => {
                let place = place(topic, partition.parse().expect("a partition"));
                let given = self.given.entry(place).or_default();
                *given = (*given).max(end.parse().expect("an offset"));
            }
            ["seen", topic, partition, offset, ..] => {
                let place = place(topic, partition.parse().expect("a partition"));
                let value = words[4..].join(" ");
                let offset: Offset = offset.parse().expect("an offset");
                if let Some(before) = self.seen.insert((place.clone(), offset), value.clone()) {
                    assert_eq!(before, value, "offset {offset} of {place} was something else before");
                }
                let given = self.given.entry(place).or_default();
                *given = (*given).max(offset + 1);
            }
            ["removed", offset] => self.removed = offset.parse().expect("an offset"),
            // What the test harness says.
            _ => {}
        }
    }

    /// Holds the log against everything reported so far; `given_before`: offsets of earlier rounds.
    fn check(&self, log: &EmbeddedLog, round: u32, given_before: &BTreeMap<TopicPartition, Offset>) {
        for (place, given) in &self.given {
            let end = end(log, place);
            assert!(end >= *given, "{place} goes on at {end}, and {given} was given out");
        }
        self.check_plain("plain", 0, &committed(log, &place("plain", 0)));
        let large = committed(log, &place("large", 1));
        assert!(large.first().is_none_or(|(offset, _)| *offset >= self.removed));
        self.check_last("large", &large);
        self.check_transactions(log);
        for place in self.seen.keys().map(|(place, _)| place).collect::<BTreeSet<_>>() {
            let there: BTreeMap<Offset, String> = committed(log, place).into_iter().collect();
            for ((_, offset), value) in self.seen.iter().filter(|((of, _), _)| of == place) {
                assert_eq!(there.get(offset), Some(value), "offset {offset} of {place} was seen before");
            }
        }
        for (place, before) in given_before {
            let all = contents(log, place, earliest(log, place), Isolation::ReadUncommitted);
            let mut new = all.iter().filter(|(_, value)| parse(value).0 == round);
            assert!(new.all(|(offset, _)| offset >= before), "{place}: offsets below {before} given again");
        }
    }

    /// All writes are there, whole and in order; after those that were acknowledged at most one more.
    fn check_plain(&self, kind: &str, first: u64, found: &[(Offset, String)]) {
        let mut expected: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for (_, value) in found {
            let (round, number, record, count) = parse(value);
            let next = expected.entry(round).or_insert((first, 0));
            assert_eq!((number, record), *next, "{kind} of round {round} is out of order");
            *next = if record + 1 == count { (number + 1, 0) } else { (number, record + 1) };
        }
        for ((_, round), last) in self.acknowledged.iter().filter(|((of, _), _)| of == kind) {
            let next = expected.get(round).copied().unwrap_or((0, 0));
            assert_eq!(next.1, 0, "the last write of round {round} is torn");
            assert!(next.0 > *last, "{kind} {last} of round {round} was acknowledged, found up to {next:?}");
        }
    }

    /// Of what is partly removed: the end is there.
    fn check_last(&self, kind: &str, found: &[(Offset, String)]) {
        let last = self.acknowledged.iter().rfind(|((of, _), _)| of == kind);
        if let (Some(((_, round), last)), Some((_, value))) = (last, found.last()) {
            let (found_round, number, record, count) = parse(value);
            assert_eq!(record + 1, count, "the last write is whole");
            assert!((found_round, number) >= (*round, *last), "{kind} {last} of round {round} is missing");
        }
    }

    fn check_transactions(&self, log: &EmbeddedLog) {
        let mut whole: BTreeMap<(u32, u64), [u64; 2]> = BTreeMap::new();
        let mut last = None;
        for partition in 0..2 {
            let mut before = None;
            for (_, value) in committed(log, &place("tx", partition)) {
                assert!(value.starts_with("tx "), "an aborted record is there: {value}");
                let (round, number, record, _) = parse(&value);
                let counts = whole.entry((round, number)).or_default();
                assert_eq!(record, counts[partition as usize], "out of order within {round} {number}");
                counts[partition as usize] += 1;
                assert!(before <= Some((round, number)), "transactions out of order");
                before = Some((round, number));
            }
            last = last.max(before);
        }
        for ((round, number), counts) in &whole {
            let (first, second) = shares(*number);
            assert_eq!(*counts, [first, second], "transaction {number} of round {round} is torn");
        }
        let acknowledged = self.acknowledged.iter().filter(|((kind, _), _)| kind == "tx");
        for ((_, round), acknowledged) in acknowledged {
            for number in (0..=*acknowledged).filter(|number| number % 4 != 3) {
                assert!(whole.contains_key(&(*round, number)), "transaction {number} of {round} is gone");
            }
        }
        // The group's offset is of the last transaction whose records are there.
        let offset = log
            .admin()
            .expect("admin")
            .committed("g", &[place("in", 0)], Isolation::ReadCommitted)
            .expect("answered");
        let offset = offset[0].as_ref().map(|offset| offset.metadata.clone());
        assert_eq!(offset, last.map(|(round, number)| format!("{round} {number}")));
    }
}

/// Round, number, index and count of a value.
fn parse(value: &str) -> (u32, u64, u64, u64) {
    let words: Vec<&str> = value.split(' ').collect();
    let number = |word: &str| word.parse::<u64>().expect("a number");
    let (record, count) = words[3].split_once('/').expect("index and count");
    (number(words[1]) as u32, number(words[2]), number(record), number(count))
}

#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut reports = Reports::default();
    for round in 0..ROUNDS {
        let given_before = reports.given.clone();
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIR, dir.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        // Some are killed while they open the log.
        let opening = round % 8 == 7;
        let (told, waiting) = std::sync::mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut whole = Vec::new();
            let mut lines = lines;
            loop {
                let mut line = String::new();
                // A line without its end was cut off by the kill.
                if lines.read_line(&mut line).unwrap_or(0) == 0 || !line.ends_with('\n') {
                    return whole;
                }
                let line = line.trim_end_matches('\n').to_owned();
                if line.ends_with("! opening") && opening || line == "! opened" {
                    let _ = told.send(());
                }
                whole.push(line);
            }
        });
        waiting.recv_timeout(SOON).expect("the child begins");
        std::thread::sleep(Duration::from_micros(random(if opening { 30_000 } else { 150_000 })));
        child.kill().expect("killed");
        child.wait().expect("gone");
        for line in reading.join().expect("read") {
            reports.take(&line);
        }
        if reports.acknowledged.is_empty() {
            continue;
        }
        // In some rounds it is a copy that is looked at: then the next child finds what the killed one left, and goes
        // on after several kills in a row.
        let copy = tempfile::tempdir().expect("a directory");
        let looked_at = if round % 3 == 0 { dir.path() } else { copy.path() };
        if round % 3 != 0 {
            copy_dir(dir.path(), copy.path());
        }
        reports.check(&open_round(looked_at, round + 1), round, &given_before);
    }
    let transactions: u64 =
        reports.acknowledged.iter().filter(|((kind, _), _)| kind == "tx").map(|(_, last)| last).sum();
    println!("{transactions} transactions, {} observations", reports.seen.len());
    // How much they do is a matter of the machine.
    assert!(transactions > 50, "the rounds have done something: {transactions}");
}
