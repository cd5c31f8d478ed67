//! The job itself, on the log in memory.

use crate::{Case, Change};
use millstream::driver::{TestDriver, produce};
use millstream::operators::{NodeSpec, Topology};
use millstream::sql;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// By table that is written: its rows in the end, folded where it is an upsert table.
pub(crate) fn run(name: &str, case: &Case, partitions: u32) -> BTreeMap<String, Vec<Value>> {
    let job = sql::plan(name, &case.sql).unwrap_or_else(|errors| panic!("{errors}"));
    let (sources, sinks) = topics(case, &job.topology);
    let all = all_topics(&sources, &sinks, partitions);
    let mut driver = TestDriver::with_records(&job.topology, &all, |log| {
        for (table, changes) in &case.rows {
            let Some(source) = sources.get(table) else { continue };
            for (index, change) in changes.iter().enumerate() {
                let (partition, key, value) = source.record(change, index, partitions);
                produce(log, &source.topic, partition, key.as_deref(), value.as_deref(), 1_000);
            }
        }
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    driver.run().unwrap_or_else(|error| panic!("{name}: {error}"));
    let found = written(&driver, &sinks);
    driver.finish().unwrap_or_else(|error| panic!("{name}, replayed: {error}"));
    found
}

/// How many rows are late while the job runs, each counted by every operator that finds it so. Tables are not bounded: a job
/// that has ended counts nothing any more.
pub(crate) fn late(name: &str, case: &Case) -> u64 {
    let text = case.sql.replace(", 'scan.bounded.mode' = 'latest-offset'", "");
    let job = sql::plan(name, &text).unwrap_or_else(|errors| panic!("{errors}"));
    let (sources, sinks) = topics(case, &job.topology);
    let mut driver = TestDriver::new(&job.topology, &all_topics(&sources, &sinks, 1))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    for (table, changes) in &case.rows {
        let Some(source) = sources.get(table) else { continue };
        for (index, change) in changes.iter().enumerate() {
            let (partition, key, value) = source.record(change, index, 1);
            driver.produce(&source.topic, partition, key.as_deref(), value.as_deref(), 1_000);
        }
    }
    driver.run().unwrap_or_else(|error| panic!("{name}: {error}"));
    let status = driver.status();
    let operators = status.iter().flat_map(|worker| &worker.tasks).flat_map(|task| &task.operators);
    operators.map(|operator| operator.counters.late).sum()
}

/// The same with a commit for every record or few, so that changes that come apart are seen apart. Tables are not bounded.
pub(crate) fn run_stepwise(
    name: &str,
    case: &Case,
    partitions: u32,
    step: usize,
) -> BTreeMap<String, Vec<Value>> {
    let text = case.sql.replace(", 'scan.bounded.mode' = 'latest-offset'", "");
    let job = sql::plan(name, &text).unwrap_or_else(|errors| panic!("{errors}"));
    let (sources, sinks) = topics(case, &job.topology);
    let mut driver = TestDriver::new(&job.topology, &all_topics(&sources, &sinks, partitions))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let most = case.rows.values().map(Vec::len).max().unwrap_or(0);
    for first in (0..most).step_by(step) {
        for (table, changes) in &case.rows {
            let Some(source) = sources.get(table) else { continue };
            for (index, change) in changes.iter().enumerate().skip(first).take(step) {
                let (partition, key, value) = source.record(change, index, partitions);
                driver.produce(&source.topic, partition, key.as_deref(), value.as_deref(), 1_000);
            }
        }
        driver.run().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let found = written(&driver, &sinks);
    driver.finish().unwrap_or_else(|error| panic!("{name}, replayed: {error}"));
    found
}

/// What stands in the topics of sinks, the last of every key where they are upserted.
fn written(driver: &TestDriver, sinks: &BTreeMap<String, Sink>) -> BTreeMap<String, Vec<Value>> {
    let rows_of = |sink: &Sink| -> Vec<Value> {
        let records = driver.read(&sink.topic);
        if sink.is_upserted {
            let mut last: BTreeMap<String, Option<String>> = BTreeMap::new();
            for record in records {
                last.insert(record.key.unwrap(), record.value);
            }
            return last.into_values().flatten().map(|row| serde_json::from_str(&row).unwrap()).collect();
        }
        let mut rows: Vec<Value> = Vec::new();
        for record in records {
            let change = Change::parse(&record.value.unwrap());
            let (row, deletes) = change.meaning();
            match deletes {
                false => rows.push(row.clone()),
                true => drop(rows.remove(rows.iter().position(|other| other == row).unwrap())),
            }
        }
        rows
    };
    sinks.iter().map(|(table, sink)| (table.clone(), rows_of(sink))).collect()
}

/// A table that is read.
struct Source {
    topic: String,
    /// The format and the fields of the key, if records have one.
    key: Option<(String, Vec<String>)>,
}

/// A table that is written.
struct Sink {
    topic: String,
    is_upserted: bool,
}

/// A record: its partition, key and value.
type Record = (u32, Option<Vec<u8>>, Option<Vec<u8>>);

impl Source {
    fn record(&self, change: &Change, index: usize, partitions: u32) -> Record {
        let key = self.key.as_ref().map(|(format, fields)| match format.as_str() {
            "raw" => text(&change.meaning().0[&fields[0]]).into_bytes(),
            _ => {
                let row = change.meaning().0;
                let fields = fields.iter().map(|field| (field.clone(), row[field].clone()));
                Value::Object(fields.collect()).to_string().into_bytes()
            }
        });
        let partition = match &key {
            Some(key) => millstream::operators::sink::partition_for_key(key, partitions),
            None => index as u32 % partitions,
        };
        (partition, key, (!change.deletes).then(|| change.row.to_string().into_bytes()))
    }
}

fn all_topics<'t>(
    sources: &'t BTreeMap<String, Source>,
    sinks: &'t BTreeMap<String, Sink>,
    partitions: u32,
) -> Vec<(&'t str, u32)> {
    let read = sources.values().map(|source| source.topic.as_str());
    let all: BTreeSet<&str> = read.chain(sinks.values().map(|sink| sink.topic.as_str())).collect();
    all.into_iter().map(|topic| (topic, partitions)).collect()
}

/// Whether the key of a table says which row a record is about.
fn is_keyed(declared: &str) -> bool {
    ["upsert-kafka", "debezium-json"].iter().any(|word| declared.contains(word))
}

/// By table of a file whose records are about the row of a key: the columns of its primary key.
pub(crate) fn keys(sql: &str) -> BTreeMap<String, Vec<String>> {
    let tables = sql.split(';').filter_map(|statement| {
        let declared = statement.split_once("CREATE TABLE ")?.1;
        let (_, key) = declared.split_once("PRIMARY KEY (").filter(|_| is_keyed(declared))?;
        let columns = key.split_once(')')?.0.split(", ").map(str::to_owned);
        Some((declared.split(' ').next()?.to_owned(), columns.collect()))
    });
    tables.collect()
}

fn topics(case: &Case, topology: &Topology) -> (BTreeMap<String, Source>, BTreeMap<String, Sink>) {
    let mut keys = keys(&case.sql);
    let (mut sources, mut sinks) = (BTreeMap::new(), BTreeMap::new());
    for node in topology.nodes() {
        match &node.spec {
            NodeSpec::Source(source) if source.feed.is_none() => {
                let format = if source.decoder.describe().contains(", key raw(") { "raw" } else { "json" };
                let key = keys.remove(&source.table).map(|columns| (format.to_owned(), columns));
                sources.insert(source.table.clone(), Source { topic: source.topics[0].clone(), key });
            }
            NodeSpec::Sink(sink) => {
                let topic = sink.topic.as_ref().unwrap();
                let sunk = Sink { topic: topic.name.clone(), is_upserted: topic.compacted };
                sinks.insert(sink.table.clone(), sunk);
            }
            _ => {}
        }
    }
    (sources, sinks)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn a_job_that_has_read_everything_has_no_lag_whatever_markers_are_behind_it() {
    use millstream::log::{Log, RecordsBuilder, TopicPartition, TransactionOptions};
    let job = millstream::sql::plan(
        "copy.sql",
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json',
           'scan.startup.mode' = 'earliest-offset');
         CREATE TABLE counts (n BIGINT, c BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'upsert-kafka',
           'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');
         INSERT INTO counts SELECT n, COUNT(*) FROM numbers GROUP BY n;",
    )
    .unwrap();
    let mut driver = TestDriver::new(&job.topology, &[("numbers", 2), ("counts", 1)]).unwrap();
    let options = TransactionOptions { id: "other".to_owned(), timeout_ms: 60_000 };
    let mut writer = driver.log().process("other").transactional_writer(&options).unwrap();
    while writer.init().is_err() {
        driver.advance(10).unwrap();
    }
    writer.begin().unwrap();
    for partition in 0..2 {
        let mut records = RecordsBuilder::default();
        (0..5).for_each(|n| records.push(None, Some(format!("{{\"n\": {n}}}").as_bytes()), n));
        writer.write(&TopicPartition::new("numbers", partition), &records.finish()).unwrap();
    }
    while writer.flush().is_err() {
        driver.advance(10).unwrap();
    }
    while writer.commit().is_err() {
        driver.advance(10).unwrap();
    }
    driver.run().unwrap();
    let status = driver.status();
    let lag: u64 = status.iter().flat_map(|worker| worker.tasks.iter().map(|task| task.lag)).sum();
    // The blocks that go from task to task are no records of the user's.
    let (read, all): (u64, u64) =
        status.iter().fold((0, 0), |sum, it| (sum.0 + it.table_records_in, sum.1 + it.records_in));
    assert_eq!((lag, read), (0, 10));
    assert!(all > 10, "nothing went through the exchange");
    driver.finish().unwrap();
}
