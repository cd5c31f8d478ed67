//! Nexmark: every query that its Flink version has and whose answer its events alone decide, as a job from topic to topic.
//! What has to come out is what Flink gave for the same events, as `flink.txt` has it.
//!
//! `tests/differential/nexmark` writes that file anew: it has this test write the events and the queries in Flink's words
//! ([`WRITE`]), runs them in Flink, and has the answers read ([`READ`]).
//!
//! Left out: q6, which Flink does not run; q12, whose windows go by the clock, so that nothing else decides its answer; q13, which
//! looks up in a file.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../benches/nexmark/events.rs"]
#[allow(dead_code, reason = "the benchmark counts what it writes")]
mod events;

use millstream::log::memory::MemoryLog;
use millstream::log::{Log, RecordsBuilder, SystemClock, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use millstream::{Job, JobSettings, Until, sql};
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// Where the events and the queries for Flink go, and where its answers are.
const WRITE: &str = "NEXMARK_FOR_FLINK";
const READ: &str = "NEXMARK_FROM_FLINK";
/// What a line begins with that says whose changes follow.
const BEGINS: &str = "changes of ";

/// What Flink gave: of each query the number of rows that are left at its end, a hash over all of them, and the first.
const RECORDED: &str = include_str!("flink.txt");

/// Two minutes of event time: a dozen windows with hundreds of bids each.
const EVENTS: usize = 6_000;
const EVENTS_PER_SECOND: usize = 50;
const PARTITIONS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(120);

fn lines() -> Vec<String> {
    let config = NexmarkConfig {
        base_time: events::BASE_MS,
        first_rate: EVENTS_PER_SECOND,
        next_rate: EVENTS_PER_SECOND,
        ..NexmarkConfig::default()
    };
    let line = |event| {
        let mut line = String::new();
        events::write_event(&mut line, &event);
        line
    };
    EventGenerator::new(config).take(EVENTS).map(line).collect()
}

/// A query: its name, its columns, its text.
struct Query {
    name: String,
    columns: Vec<String>,
    sql: String,
}

fn queries() -> Vec<Query> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nexmark/queries");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let columns = text.lines().find_map(|line| line.strip_prefix("-- columns: ")).unwrap();
        Query {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            columns: columns.split(", ").map(str::to_owned).collect(),
            sql: text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n"),
        }
    };
    let mut queries: Vec<Query> = files.map(read).collect();
    queries.sort_by_key(|query| query.name[1..].parse::<u32>().unwrap());
    queries
}

impl Query {
    /// The query with every row as one text.
    fn in_lines(&self) -> String {
        let text = |column: &String| format!("COALESCE(CAST(`{column}` AS STRING), 'NULL')");
        let columns: Vec<String> = self.columns.iter().map(text).collect();
        format!("SELECT CONCAT_WS('|', {}) AS line\nFROM (\n{}\n) AS q", columns.join(", "), self.sql)
    }
}

const TABLES: &str = include_str!("../../benches/nexmark/tables.sql");

/// The rows that are left of a changelog.
#[derive(Default)]
struct Left(BTreeMap<String, i64>);

impl Left {
    fn change(&mut self, line: String, by: i64) {
        *self.0.entry(line).or_default() += by;
    }

    /// As `flink.txt` has it.
    fn summary(&self, query: &str) -> String {
        let mut rows: Vec<&str> = Vec::new();
        for (line, count) in &self.0 {
            assert!(*count >= 0, "{query}: {line} was taken back and had not come");
            rows.extend((0..*count).map(|_| line.as_str()));
        }
        let hash = xxh3_64(rows.join("\n").as_bytes());
        format!("{query} rows={} hash={hash:016x} first={}", rows.len(), rows.first().unwrap_or(&""))
    }
}

struct World {
    log: Arc<dyn Log>,
    memory: MemoryLog,
}

impl World {
    /// A log with all events, those with the number n in partition n mod 3 or, of what watermarks would make late, all in one.
    fn new(partitions: u32) -> Self {
        let memory = MemoryLog::new(Arc::new(SystemClock::default()));
        let log: Arc<dyn Log> = Arc::new(memory.clone());
        let mut admin = log.admin().unwrap();
        admin.create_topic(&TopicSpec::new("nexmark", partitions)).unwrap();
        let mut writer = log.writer().unwrap();
        for (index, line) in lines().iter().enumerate() {
            let mut records = RecordsBuilder::default();
            records.push(None, Some(line.as_bytes()), 1_000);
            let place = TopicPartition::new("nexmark", index as u32 % partitions);
            writer.write(&place, records.finish()).unwrap();
        }
        writer.flush(PATIENCE).unwrap();
        World { log, memory }
    }

    /// Runs a job to the end of its input.
    fn run(&self, name: &str, text: &str) {
        let planned = sql::plan(name, text).unwrap_or_else(|errors| panic!("{errors}"));
        let job = Job::start(&planned.topology, &self.log, &JobSettings::new(name)).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !job.has_ended() && !job.is_done(Until::Finished) {
            assert!(Instant::now() < deadline, "{name} does not end: {:?}", job.status());
            self.memory.tick();
            std::thread::sleep(Duration::from_millis(2));
        }
        job.wait(Until::Finished).unwrap();
    }

    /// What is left of the changelog that a query writes.
    fn answer(&self, query: &Query) -> Left {
        let name = &query.name;
        self.log.admin().unwrap().create_topic(&TopicSpec::new(name.as_str(), 1)).unwrap();
        let text = format!(
            "{TABLES}\nCREATE TABLE result (line STRING) WITH ('connector' = 'kafka', 'topic' = '{name}',
             'format' = 'debezium-json');\nINSERT INTO result\n{};",
            query.in_lines()
        );
        self.run(name, &text);
        let mut left = Left::default();
        for record in read_all(&*self.log, &TopicPartition::new(name.as_str(), 0)).unwrap().iter() {
            let envelope: serde_json::Value = serde_json::from_slice(record.value.unwrap()).unwrap();
            let line = |side: &str| envelope[side]["line"].as_str().map(str::to_owned);
            line("before").into_iter().for_each(|line| left.change(line, -1));
            line("after").into_iter().for_each(|line| left.change(line, 1));
        }
        left
    }
}

fn every_query_gives_what_flink_gives(partitions: u32) {
    let world = World::new(partitions);
    let recorded: BTreeMap<&str, &str> =
        RECORDED.lines().filter_map(|line| Some((line.split_once(' ')?.0, line))).collect();
    let mut wrong = Vec::new();
    for query in queries() {
        let found = world.answer(&query).summary(&query.name);
        match recorded.get(query.name.as_str()) {
            Some(wanted) if *wanted == found => {}
            wanted => {
                wrong.push(format!("found  {found}\nwanted {}", wanted.unwrap_or(&"nothing is recorded")))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(recorded.len(), queries().len(), "of each query that is recorded there is one");
}

#[test]
fn every_query_of_nexmark_gives_what_flink_gives() {
    every_query_gives_what_flink_gives(1);
}

/// Rows of several partitions come in another order: of equal ones others are first, where that is all that tells them apart.
#[test]
fn every_query_of_nexmark_gives_the_same_over_several_partitions() {
    every_query_gives_what_flink_gives(PARTITIONS);
}

/// What is left of changes as Flink prints them. Where it takes nothing back that it replaces (q9), the first column says what
/// a row replaces.
fn left_by_flink(changes: &[&str]) -> Left {
    let line = |change: &str, kinds: [&str; 2]| {
        let line = kinds.into_iter().find_map(|kind| change.strip_prefix(kind))?;
        line.strip_suffix(']').map(str::to_owned)
    };
    let is_upsert = !changes.iter().any(|change| change.starts_with("-U["));
    let mut left = Left::default();
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for change in changes {
        if let Some(line) = line(change, ["+I[", "+U["]) {
            let key = line.split('|').next().unwrap_or_default().to_owned();
            let replaced = last.insert(key, line.clone()).filter(|_| change.starts_with("+U["));
            replaced.filter(|_| is_upsert).into_iter().for_each(|line| left.change(line, -1));
            left.change(line, 1);
        }
        line(change, ["-U[", "-D["]).into_iter().for_each(|line| left.change(line, -1));
    }
    left
}

/// For `tests/differential/nexmark`, which sets the variables.
#[test]
fn for_flink() {
    if let Ok(directory) = std::env::var(WRITE) {
        let directory = Path::new(&directory);
        std::fs::write(directory.join("events.json"), lines().join("\n") + "\n").unwrap();
        let (declared, views) = TABLES.split_once(") WITH (").unwrap();
        let views = views.split_once(");").unwrap().1;
        let events = directory.join("events.json").display().to_string();
        let source = format!("'connector' = 'filesystem', 'path' = 'file://{events}', 'format' = 'json'");
        // One run for all of them: most of the time goes into its start.
        let mut text = format!("{declared}) WITH ({source});{views}\n");
        for query in queries() {
            let _ = writeln!(text, "SELECT '{BEGINS}{}' AS line;\n{};", query.name, query.in_lines());
        }
        std::fs::write(directory.join("queries.sql"), text).unwrap();
    }
    if let Ok(directory) = std::env::var(READ) {
        let printed = std::fs::read_to_string(Path::new(&directory).join("answers.txt")).unwrap();
        let mut recorded = String::new();
        for query in queries() {
            let begins = format!("+I[{BEGINS}{}]", query.name);
            let changes = printed.lines().skip_while(|change| **change != begins).skip(1);
            let changes = changes.take_while(|change| !change.starts_with(&format!("+I[{BEGINS}")));
            let left = left_by_flink(&changes.collect::<Vec<_>>());
            assert!(!left.0.is_empty(), "Flink gave nothing for {}", query.name);
            let _ = writeln!(recorded, "{}", left.summary(&query.name));
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nexmark/flink.txt");
        std::fs::write(file, recorded).unwrap();
    }
}
