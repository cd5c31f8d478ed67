//! What a second worker brings: a job over four partitions with one worker and with two, on either log.
//!
//! ```text
//! cargo bench --bench workers            both logs; -- embedded, or -- kafka, for one of them
//! EVENTS=20000000 ROUNDS=5 cargo bench .. 8 000 000 events and 3 rounds unless told otherwise
//! ```
//! Two jobs: one projects JSON to JSON, one counts by key over an exchange. Time counts, from the start of the job to its
//! last commit; the round that took least is printed. On Kafka the broker needs a core of its own for as long.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{number, scattered};

#[path = "../src/allocator.rs"]
mod allocator;
#[path = "support/random.rs"]
mod support;

const PARTITIONS: u32 = 4;

const TABLE: &str = "CREATE TABLE events (k BIGINT, v BIGINT, name STRING) WITH ('connector' = 'kafka',
  'topic' = 'events', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');";

const QUERIES: [(&str, &str); 2] = [
    (
        "project",
        "CREATE TABLE o (k BIGINT, v BIGINT, name STRING) WITH ('connector' = 'kafka', 'topic' = 'OUTPUT',
           'format' = 'json');
         INSERT INTO o SELECT k, v * 2, name FROM events;",
    ),
    (
        "count",
        "CREATE TABLE o (k BIGINT, n BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
           'connector' = 'upsert-kafka', 'topic' = 'OUTPUT', 'key.format' = 'json', 'value.format' = 'json');
         INSERT INTO o SELECT k, COUNT(*), SUM(v) FROM events GROUP BY k;",
    ),
];

fn load(log: &Arc<dyn Log>, events: u64) {
    log.admin().unwrap().create_topic(&TopicSpec::new("events", PARTITIONS)).unwrap();
    let mut writer = log.writer().unwrap();
    for run in (0..events).collect::<Vec<_>>().chunks(5_000) {
        let mut records = RecordsBuilder::with_capacity(run.len(), run.len() * 80);
        for event in run {
            let key = scattered(*event) % 10_000;
            let value = format!(r#"{{"k":{key},"v":{event},"name":"an item of a shop with a longer name"}}"#);
            records.push(None, Some(value.as_bytes()), *event as i64);
        }
        let place = TopicPartition::new("events", (run[0] / 5_000) as u32 % PARTITIONS);
        writer.write(&place, records.finish()).unwrap();
    }
    writer.flush(Duration::from_secs(120)).unwrap();
}

/// Seconds that a job over all events takes.
fn seconds(log: &Arc<dyn Log>, name: &str, query: &str, workers: usize, events: u64) -> f64 {
    let text = format!("{TABLE}{}", query.replace("OUTPUT", name));
    let planned = sql::plan(name, &text).unwrap_or_else(|errors| panic!("{errors}"));
    log.admin().unwrap().create_topic(&TopicSpec::new(name, PARTITIONS)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(name);
    settings.state_directory = Some(directory.path().to_path_buf());
    settings.workers = workers;
    let begin = Instant::now();
    let job = Job::start(&planned.topology, log, &settings).unwrap();
    while !job.is_done(Until::Finished) && !job.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begin.elapsed().as_secs_f64();
    let read: u64 = job.status().iter().map(|worker| worker.records_in).sum();
    job.wait(Until::Finished).unwrap();
    assert!(read >= events, "{read} records were read of {events}");
    took
}

fn run(kind: &str, log: &Arc<dyn Log>) {
    let (events, rounds) = (number("EVENTS", 8_000_000), number("ROUNDS", 3));
    load(log, events);
    for (query, text) in QUERIES {
        let mut best = [f64::INFINITY; 2];
        for round in 0..rounds {
            for workers in [1, 2] {
                let name = format!("{query}-{workers}-{round}");
                let took = seconds(log, &name, text, workers, events);
                best[workers - 1] = best[workers - 1].min(took);
            }
        }
        let [one, two] = best.map(|seconds| events as f64 / seconds);
        println!(
            "{kind} {query}: one_worker_per_s={one:.0} two_workers_per_s={two:.0} ratio={:.2}",
            two / one
        );
    }
}

fn main() {
    allocator::keep_little();
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wants = |kind: &str| only.as_ref().is_none_or(|only| only == kind);
    if wants("embedded") {
        let directory = tempfile::tempdir().unwrap();
        run(
            "embedded",
            &(Arc::new(EmbeddedLog::open(directory.path(), &EmbeddedOptions::default()).unwrap()) as _),
        );
    }
    if wants("kafka") {
        let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
        run(
            "kafka",
            &(Arc::new(KafkaLog::connect(KafkaConfig::new(broker.bootstrap().as_str())).unwrap()) as _),
        );
    }
}
