//! Nexmark beside Apache Flink: the same text over the same topic of a real Kafka, each query to its end.
//!
//! ```text
//! cargo bench --bench peers                      every query of tests/nexmark
//! cargo bench --bench peers -- q7 q16            these
//! EVENTS=1000000 ROUNDS=3 cargo bench ..         4 000 000 events and 2 rounds unless told otherwise
//! WITHOUT_FLINK=1 cargo bench ..                 millstream alone
//! ```
//! Topic of one partition, one worker and parallelism 1, state in RocksDB, results thrown away. CPU seconds count, not
//! time: broker and both engines share a machine. Each is measured from submission to the end of its input, millstream in this
//! process, Flink in one JVM for all rounds of a query: what it takes to start is not in its figure, and its last round is
//! compiled code. `first` is Flink's first round, which a job that has just been started sees. The least of all rounds is
//! printed otherwise. Flink is fetched with Maven the first time, 200 MB (`benches/peers/flink`).

#![allow(clippy::unwrap_used, reason = "a benchmark")]

#[path = "../../src/allocator.rs"]
mod allocator;
#[path = "../nexmark/events.rs"]
#[allow(dead_code, reason = "the benchmark nexmark counts what it writes")]
mod events;

use millstream::log::Log;
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TABLES: &str = include_str!("../nexmark/tables.sql");

/// What a run took.
#[derive(Clone, Copy)]
struct Took {
    cpu_s: f64,
    time_s: f64,
}

/// CPU seconds of this process, of all its threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, user and system time in hundredths of a second; the name before them may hold blanks.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

struct Query {
    name: String,
    sql: String,
}

/// The queries of the test, by number, of these names or all.
fn queries(wanted: &[String]) -> Vec<Query> {
    let directory = root().join("tests/nexmark/queries");
    let mut queries: Vec<Query> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| Query {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            sql: std::fs::read_to_string(path).unwrap(),
        })
        .filter(|query| wanted.is_empty() || wanted.contains(&query.name))
        .collect();
    queries.sort_by_key(|query| query.name[1..].parse::<u32>().unwrap());
    queries
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The text of a query, whose rows go into the table `into`.
fn text(query: &Query, into: &str) -> String {
    let lines = query.sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    format!("{TABLES}\nCREATE TABLE {into} WITH ('connector' = 'blackhole') AS\n{lines};\n")
}

fn on_millstream(log: &Arc<dyn Log>, query: &Query, round: usize) -> Took {
    let name = format!("{}-{round}", query.name);
    let planned =
        sql::plan(&name, &text(query, "result")).unwrap_or_else(|errors| panic!("{name}: {errors}"));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(&name);
    settings.state_directory = Some(directory.path().to_path_buf());
    let (cpu, time) = (cpu_seconds(), Instant::now());
    let job = Job::start(&planned.topology, log, &settings).unwrap();
    while !job.is_done(Until::Finished) && !job.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    job.wait(Until::Finished).unwrap();
    Took { cpu_s: cpu_seconds() - cpu, time_s: time.elapsed().as_secs_f64() }
}

/// Flink's rounds, in one process; none where it gives up.
fn on_flink(bootstrap: &str, query: &Query, rounds: usize) -> Vec<Took> {
    let kafka = format!("'connector' = 'kafka', 'properties.bootstrap.servers' = '{bootstrap}'");
    let file = tempfile::Builder::new().suffix(".sql").tempfile().unwrap();
    std::fs::write(file.path(), text(query, "ROUND").replace("'connector' = 'kafka'", &kafka)).unwrap();
    let script = root().join("benches/peers/flink");
    let output = Command::new(script).arg(file.path()).arg(rounds.to_string()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let took = |line: &str| {
        let (cpu, time) = line.split_once(' ')?;
        Some(Took { cpu_s: cpu.parse().ok()?, time_s: time.parse().ok()? })
    };
    printed.lines().filter_map(took).collect()
}

fn least(rounds: &[Took]) -> Took {
    rounds.iter().copied().min_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s)).unwrap()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn main() {
    allocator::keep_little();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(KafkaConfig::new(broker.bootstrap())).unwrap());
    let counts = events::load(&log, number("EVENTS", 4_000_000));
    let rounds = number("ROUNDS", 2) as usize;
    println!("CPU seconds, seconds, and Flink's CPU seconds as a multiple of millstream's:");
    println!("query  millstream            flink                 ratio   first");
    let mut ratios = Vec::new();
    for query in queries(&wanted) {
        let own: Vec<Took> = (1..=rounds).map(|round| on_millstream(&log, &query, round)).collect();
        let own = least(&own);
        let rate = counts.events as f64 / own.cpu_s / 1e6;
        let mut line = format!("{:<5} {:>7.2} {:>7.2} {rate:>6.2} M/s", query.name, own.cpu_s, own.time_s);
        if std::env::var_os("WITHOUT_FLINK").is_none() {
            let theirs = on_flink(&broker.bootstrap(), &query, rounds);
            match theirs.first() {
                None => line += "  it gave nothing",
                Some(first) => {
                    let best = least(&theirs);
                    let ratio = best.cpu_s / own.cpu_s;
                    ratios.push(ratio);
                    line += &format!(
                        " {:>9.2} {:>7.2} {ratio:>9.1} {:>7.1}",
                        best.cpu_s,
                        best.time_s,
                        first.cpu_s / own.cpu_s
                    );
                }
            }
        }
        println!("{line}");
    }
    if !ratios.is_empty() {
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        println!("geometric mean of {} queries: {mean:.1}", ratios.len());
    }
}
