//! What partitions cost: a running count by key over as many events in 8, 64 and 300 of them, on either log.
//!
//! ```text
//! cargo bench --bench partitions          both logs; -- embedded, or -- kafka, for one of them
//! EVENTS=4000000 PARTITIONS=8,1000 ..     1 000 000 events and 8, 64 and 300 partitions unless told otherwise
//! ```
//! The key is not that of the records, so that every row passes an exchange of as many partitions. Each number of partitions
//! has a process of its own with one worker, whose CPU seconds and resident memory count, from the start of the job to its
//! last commit; the embedded log is in that process. The counts are added up at the end: a row that was lost or counted
//! twice ends the run.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{number, scattered};

// As the binary has it.
#[path = "../src/allocator.rs"]
mod allocator;
#[path = "support/random.rs"]
mod support;

const KEYS: u64 = 10_000;
/// The log that a child opens: a directory, or the address of a broker.
const LOG: &str = "PARTITIONS_BENCH_LOG";
const COUNT: &str = "PARTITIONS_BENCH_COUNT";

fn open(log: &str) -> Arc<dyn Log> {
    match log.starts_with('/') {
        true => Arc::new(EmbeddedLog::open(Path::new(log), &EmbeddedOptions::default()).unwrap()),
        false => Arc::new(KafkaLog::connect(KafkaConfig::new(log)).unwrap()),
    }
}

/// Makes the topics of a run and writes the events, as many to each partition.
fn load(log: &Arc<dyn Log>, partitions: u32, events: u64) {
    for topic in ["events", "counts"] {
        log.admin()
            .unwrap()
            .create_topic(&TopicSpec::new(format!("{topic}-{partitions}"), partitions))
            .unwrap();
    }
    let mut writer = log.writer().unwrap();
    let share = events.div_ceil(u64::from(partitions));
    for partition in 0..partitions {
        let from = u64::from(partition) * share;
        for run in (from..(from + share).min(events)).collect::<Vec<_>>().chunks(5_000) {
            let mut records = RecordsBuilder::with_capacity(run.len(), run.len() * 80);
            for event in run {
                let key = scattered(*event) % KEYS;
                let value =
                    format!(r#"{{"k":{key},"v":{event},"name":"an item of a shop with a longer name"}}"#);
                records.push(None, Some(value.as_bytes()), *event as i64);
            }
            writer
                .write(&TopicPartition::new(format!("events-{partitions}"), partition), records.finish())
                .unwrap();
        }
    }
    writer.flush(Duration::from_secs(120)).unwrap();
}

/// How many events the newest rows count together.
fn counted(log: &Arc<dyn Log>, partitions: u32) -> u64 {
    let mut last: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for partition in 0..partitions {
        let place = TopicPartition::new(format!("counts-{partitions}"), partition);
        for record in read_all(&**log, &place).unwrap().iter() {
            let row: serde_json::Value = serde_json::from_slice(record.value.unwrap()).unwrap();
            last.insert(record.key.unwrap().to_vec(), row["n"].as_u64().unwrap());
        }
    }
    last.values().sum()
}

/// User and system time of this process, seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The most resident memory that this process has had, MiB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

fn child(log: &str, partitions: u32, events: u64) {
    let log = open(log);
    let text = format!(
        "CREATE TABLE events (k BIGINT, v BIGINT, name STRING) WITH ('connector' = 'kafka',
           'topic' = 'events-{partitions}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
           'scan.bounded.mode' = 'latest-offset');
         CREATE TABLE counts (k BIGINT, n BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
           'connector' = 'upsert-kafka', 'topic' = 'counts-{partitions}', 'key.format' = 'json', 'value.format' = 'json');
         INSERT INTO counts SELECT k, COUNT(*), SUM(v) FROM events GROUP BY k;"
    );
    let name = format!("count-{partitions}");
    let planned = sql::plan(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(&name);
    settings.state_directory = Some(directory.path().to_path_buf());
    let (begin, cpu_before) = (Instant::now(), cpu_seconds());
    let job = Job::start(&planned.topology, &log, &settings).unwrap();
    let mut first_row_s = None;
    while !job.is_done(Until::Finished) && !job.has_ended() {
        std::thread::sleep(Duration::from_millis(20));
        if first_row_s.is_none() && job.status().iter().any(|worker| worker.records_out > 0) {
            first_row_s = Some(begin.elapsed().as_secs_f64());
        }
    }
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let peak = peak_mb();
    job.wait(Until::Finished).unwrap();
    println!(
        "partitions={partitions} cpu_s={cpu:.2} seconds={seconds:.1} first_row_s={:.1} resident_mb={peak}",
        first_row_s.unwrap_or(seconds)
    );
    assert_eq!(counted(&log, partitions), events);
}

fn run(kind: &str, address: &str, counts: &[u32], events: u64) {
    // An embedded log belongs to one process at a time.
    let log = open(address);
    counts.iter().for_each(|partitions| load(&log, *partitions, events));
    drop(log);
    println!("# {kind}, {events} events");
    for partitions in counts {
        let done = Command::new(std::env::current_exe().unwrap())
            .env(LOG, address)
            .env(COUNT, partitions.to_string())
            .stdout(Stdio::inherit())
            .status()
            .unwrap();
        assert!(done.success(), "{partitions} partitions");
    }
}

fn main() {
    allocator::keep_little();
    let events = number("EVENTS", 1_000_000);
    if let Ok(log) = std::env::var(LOG) {
        return child(&log, number(COUNT, 8) as u32, events);
    }
    let counts = std::env::var("PARTITIONS").unwrap_or_else(|_| "8,64,300".to_owned());
    let counts: Vec<u32> = counts.split(',').map(|count| count.parse().unwrap()).collect();
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wants = |kind: &str| only.as_ref().is_none_or(|only| only == kind);
    if wants("embedded") {
        let directory = tempfile::tempdir().unwrap();
        let address = directory.path().to_str().unwrap();
        run("embedded", address, &counts, events);
    }
    if wants("kafka") {
        let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
        let address = broker.bootstrap();
        run("kafka", &address, &counts, events);
    }
}
