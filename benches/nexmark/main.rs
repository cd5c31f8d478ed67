//! Nexmark on a real Apache Kafka: the engine, exactly once from topic to topic, next to a loop written by hand.
//!
//! ```text
//! cargo bench --bench nexmark                    every query
//! cargo bench --bench nexmark -- q0 hop          these
//! EVENTS=8000000 ROUNDS=5 cargo bench ..         4 000 000 events and 3 rounds unless told otherwise
//! ENGINE_ONLY=1 cargo bench ..                   without the loops, for a profile
//! ```
//! Prints a line per query and client: events per second of this process's CPU, and that rate as a share of the
//! *roofline*: a loop over the same client that consumes the same topic, decodes the same columns with our decoder (the
//! fastest we know, see the bench `formats`), encodes the same rows, as many of them, and produces them; without
//! transactions, positions, state, journal or plan. CPU seconds count, not time: the broker runs on the same machine.
//! Both take turns in one run; the round that took least is printed. Whoever in any round wrote other rows than the query
//! has, by their number and a sum over them, ends the bench.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

#[path = "../../src/allocator.rs"]
mod allocator;
mod events;
mod queries;
mod roofline;

use events::Counts;
use millstream::log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream::log::{Log, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use queries::{QUERIES, Query};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// CPU seconds of this process, of all its threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, user and system time in hundredths of a second; the name before them may hold blanks.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// What a run took.
struct Run {
    cpu_s: f64,
    time_s: f64,
    rows_out: u64,
}

fn measured(run: impl FnOnce() -> u64) -> Run {
    let (cpu, time) = (cpu_seconds(), Instant::now());
    let rows_out = run();
    Run { cpu_s: cpu_seconds() - cpu, time_s: time.elapsed().as_secs_f64(), rows_out }
}

/// Runs a query as the job `name`, which writes to the topic of that name.
fn engine(log: &Arc<dyn Log>, name: &str, query: &Query) -> u64 {
    let to = |topic: &str| format!("'topic' = '{topic}'");
    let text = format!("{}{}", queries::TABLES, query.sql.replace(&to(query.name), &to(name)));
    let planned = sql::plan(name, &text).unwrap_or_else(|errors| panic!("{}: {errors}", query.name));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(name);
    settings.state_directory = Some(directory.path().to_path_buf());
    let job = Job::start(&planned.topology, log, &settings).unwrap();
    while !job.is_done(Until::Finished) && !job.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let rows_out = job.status().iter().map(|worker| worker.records_out).sum();
    job.wait(Until::Finished).unwrap();
    rows_out
}

/// The sum over what a topic holds, of upserts the last of each key.
fn sum_of(log: &Arc<dyn Log>, topic: &str, query: &Query) -> i64 {
    let records = read_all(&**log, &TopicPartition::new(topic, 0)).unwrap();
    let mut sum = 0;
    let mut last = BTreeMap::new();
    for record in records.iter() {
        let row = record.value.map(|value| serde_json::from_slice::<Value>(value).unwrap());
        match record.key {
            None => sum += row.as_ref().map_or(0, query.sum),
            Some(key) => {
                last.insert(key.to_vec(), row);
            }
        }
    }
    sum + last.values().flatten().map(query.sum).sum::<i64>()
}

/// The round that was disturbed least.
fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The clients that the engine can have.
const CLIENTS: [&str; 2] = ["wire", "rdkafka"];

/// A cluster by each client.
struct Logs {
    bootstrap: String,
    by_client: [Arc<dyn Log>; 2],
}

impl Logs {
    fn connect(bootstrap: String) -> Self {
        let by_client = CLIENTS.map(|client| -> Arc<dyn Log> {
            let config = KafkaConfig::new(bootstrap.as_str());
            Arc::new(
                KafkaLog::connect(config.with("kafka.client", client, PropertySource::Job).unwrap()).unwrap(),
            )
        });
        Logs { bootstrap, by_client }
    }

    fn by_hand(&self, client: usize, query: &Query, events: u64, rows: u64) -> u64 {
        match CLIENTS[client] {
            "rdkafka" => roofline::run_on_rdkafka(&self.bootstrap, query, events, rows),
            _ => roofline::run_on_log(&*self.by_client[client], query, events, rows),
        }
    }
}

fn compare(logs: &Logs, query: &Query, counts: &Counts, rounds: usize) {
    let roofline_too = std::env::var_os("ENGINE_ONLY").is_none();
    let (mut engine_cpu, mut roofline_cpu) = ([vec![], vec![]], [vec![], vec![]]);
    for (round, at) in (1..=rounds).flat_map(|round| [(round, 0), (round, 1)]) {
        let (client, log) = (CLIENTS[at], &logs.by_client[at]);
        let name = format!("{}-{client}-{round}", query.name);
        log.admin().unwrap().create_topic(&TopicSpec::new(&name, 1)).unwrap();
        let run = measured(|| engine(log, &name, query));
        if let Some(expected) = (query.rows)(counts) {
            assert_eq!(run.rows_out, expected, "rows of {name}");
        }
        assert_eq!(sum_of(log, &name, query), (query.sum_wanted)(counts), "what {name} has written");
        log.admin().unwrap().delete_topic(&name).unwrap();
        engine_cpu[at].push(run.cpu_s);
        let mut line = format!(
            "# {} {client} round {round}: engine {:.2} CPU s in {:.2} s, {} rows",
            query.name, run.cpu_s, run.time_s, run.rows_out
        );
        if roofline_too {
            let by_hand = measured(|| logs.by_hand(at, query, counts.events, run.rows_out));
            assert_eq!(by_hand.rows_out, run.rows_out, "rows by hand of {}", query.name);
            roofline_cpu[at].push(by_hand.cpu_s);
            line += &format!("; by hand {:.2} CPU s in {:.2} s", by_hand.cpu_s, by_hand.time_s);
        }
        println!("{line}");
    }
    for (at, client) in CLIENTS.into_iter().enumerate() {
        let cpu = least(&engine_cpu[at]);
        let mut line =
            format!("{} client={client} events_per_cpu_s={:.0}", query.name, counts.events as f64 / cpu);
        if roofline_too {
            line += &format!(" roofline_ratio={:.2}", least(&roofline_cpu[at]) / cpu);
        }
        println!("{line}");
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn main() {
    allocator::keep_little();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let logs = Logs::connect(broker.bootstrap());
    let log = &logs.by_client[0];
    let counts = events::load(log, number("EVENTS", 4_000_000));
    log.admin().unwrap().create_topic(&TopicSpec::new(roofline::TOPIC, 1)).unwrap();
    for query in
        QUERIES.iter().filter(|query| wanted.is_empty() || wanted.iter().any(|name| name == query.name))
    {
        compare(&logs, query, &counts, number("ROUNDS", 3) as usize);
    }
}
