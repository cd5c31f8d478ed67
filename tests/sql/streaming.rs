//! The job itself, on the log in memory.

use crate::Case;
use millstream::driver::{TestDriver, produce};
use millstream::operators::{NodeSpec, Topology};
use millstream::sql;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// By table that is written: its rows in the end, folded where it is an upsert table.
pub(crate) fn run(name: &str, case: &Case, partitions: u32) -> BTreeMap<String, Vec<Value>> {
    let job = sql::plan(name, &case.sql).unwrap_or_else(|errors| panic!("{errors}"));
    let (sources, sinks) = topics(&job.topology);
    let all: BTreeSet<&str> =
        sources.values().chain(sinks.values()).map(|(topic, _)| topic.as_str()).collect();
    let all: Vec<(&str, u32)> = all.into_iter().map(|topic| (topic, partitions)).collect();
    let mut driver = TestDriver::with_records(&job.topology, &all, |log| {
        for (table, rows) in &case.rows {
            let Some((topic, key)) = sources.get(table) else { continue };
            for (index, row) in rows.iter().enumerate() {
                let key = key.as_ref().map(|field| text(&row[field.as_str()]));
                let partition = match &key {
                    Some(key) => millstream::operators::sink::partition_for_key(key.as_bytes(), partitions),
                    None => index as u32 % partitions,
                };
                let value = row.to_string();
                produce(
                    log,
                    topic,
                    partition,
                    key.as_ref().map(String::as_bytes),
                    Some(value.as_bytes()),
                    1_000,
                );
            }
        }
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    driver.run().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (table, (topic, upserts)) in &sinks {
        let records = driver.read(topic);
        let rows = if upserts.is_some() {
            let mut last: BTreeMap<String, Option<String>> = BTreeMap::new();
            for record in records {
                last.insert(record.key.unwrap(), record.value);
            }
            last.into_values().flatten().collect()
        } else {
            records.into_iter().map(|record| record.value.unwrap()).collect::<Vec<_>>()
        };
        found.insert(table.clone(), rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect());
    }
    driver.finish().unwrap_or_else(|error| panic!("{name}, replayed: {error}"));
    found
}

type Tables = BTreeMap<String, (String, Option<String>)>;

/// By table its topic; for sources with the field of the key, for sinks with whether they are upserted.
fn topics(topology: &Topology) -> (Tables, Tables) {
    let (mut sources, mut sinks) = (Tables::new(), Tables::new());
    for node in topology.nodes() {
        match &node.spec {
            NodeSpec::Source(source) => {
                // Described as `.. key raw(k STRING) ..`.
                let described = source.decoder.describe();
                let key = described.split(", key raw(").nth(1).and_then(|key| key.split(' ').next());
                sources.insert(source.table.clone(), (source.topics[0].clone(), key.map(str::to_owned)));
            }
            NodeSpec::Sink(sink) => {
                let topic = sink.topic.as_ref().unwrap();
                let upserts = topic.compacted.then(String::new);
                sinks.insert(sink.table.clone(), (topic.name.clone(), upserts));
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
