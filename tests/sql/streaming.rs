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
