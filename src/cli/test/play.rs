//! A test played: as it is, with kills, and its commits run again.

use super::compare::compare;
use super::parse::{Row, Step, Test, What};
use millstream::Topology;
use millstream::operators::NodeSpec;
use millstream::operators::sink::partition_for_key;
use millstream::testing::{RawRecord, TestJob};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Plays a test twice, and says what is wrong the first time that something is.
pub(super) fn play(topology: &Topology, test: &Test) -> Result<(), String> {
    let tables = Tables::of(topology, test)?;
    for kills in [false, true] {
        let how = match kills {
            false => "",
            true => "    with the process killed after every commit and its memory dropped:\n",
        };
        let played = quietly(|| tables.play(topology, test, kills));
        played.map_err(|message| format!("{how}{message}"))?;
    }
    Ok(())
}

/// What a job that fails says as it is driven, instead of a panic.
fn quietly(play: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let played = catch_unwind(AssertUnwindSafe(play));
    std::panic::set_hook(hook);
    played.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Err(format!("    {}", text.unwrap_or("the job panicked")))
    })
}

/// The topics of the tables of a job.
struct Tables {
    read: BTreeMap<String, String>,
    written: BTreeMap<String, String>,
    partitions: BTreeMap<String, u32>,
}

impl Tables {
    fn of(topology: &Topology, test: &Test) -> Result<Self, String> {
        let mut tables =
            Tables { read: BTreeMap::new(), written: BTreeMap::new(), partitions: BTreeMap::new() };
        for node in topology.nodes() {
            match &node.spec {
                NodeSpec::Source(source) => {
                    let first = source.topics.first().cloned().unwrap_or_default();
                    tables.read.insert(source.table.clone(), first);
                    tables.partitions.extend(source.topics.iter().map(|topic| (topic.clone(), 1)));
                }
                NodeSpec::Sink(sink) => {
                    let Some(topic) = TestJob::output_topic(sink) else { continue };
                    tables.written.insert(sink.table.clone(), topic.clone());
                    // The job makes what is its own.
                    if sink.writer.outlet().is_none() {
                        tables.partitions.entry(topic).or_insert(1);
                    }
                }
                NodeSpec::Operator(_) | NodeSpec::Exchange(_) => {}
            }
        }
        for (table, count) in &test.partitions {
            let topic = tables.read.get(table).or_else(|| tables.written.get(table)).cloned();
            let topic = topic.ok_or_else(|| format!("    PARTITIONS {table}: the job has no such table"))?;
            tables.partitions.insert(topic, *count);
        }
        Ok(tables)
    }

    fn play(&self, topology: &Topology, test: &Test, kills: bool) -> Result<(), String> {
        let topics: Vec<(&str, u32)> =
            self.partitions.iter().map(|(topic, count)| (topic.as_str(), *count)).collect();
        let mut job = TestJob::start(topology, &topics, kills).map_err(|error| format!("    {error}"))?;
        let mut now = 0;
        for step in &test.steps {
            self.step(&mut job, step, &mut now)
                .map_err(|message| format!("    line {}: {message}", step.line))?;
        }
        job.finish()
            .map_err(|error| format!("    its commits come out differently when they are run again: {error}"))
    }

    fn step(&self, job: &mut TestJob, step: &Step, now: &mut i64) -> Result<(), String> {
        match &step.what {
            What::Input { table, partition, at, rows } => {
                let topic = named("INPUT", &self.read, table)?;
                *now = at.unwrap_or(*now);
                let count = self.partitions.get(topic).copied().unwrap_or(1);
                for (index, row) in rows.iter().enumerate() {
                    let key = row.key.as_ref().map(String::as_bytes);
                    let place = match (partition, key) {
                        (Some(partition), _) => *partition,
                        (None, Some(key)) => partition_for_key(key, count),
                        (None, None) => index as u32 % count,
                    };
                    if place >= count {
                        return Err(format!(
                            "{table} has {count} partitions: write PARTITIONS {table} {}",
                            place + 1
                        ));
                    }
                    job.pipe_to(topic, place, key, row.value.as_ref().map(String::as_bytes), *now);
                }
            }
            What::Watermark(to) => job.advance_watermark(*to),
            What::Clock(ms) => job.advance(Duration::from_millis(*ms)),
            What::Crash => job.crash_and_restore(),
            What::Expect { table, as_table, rows } => {
                let topic = named("EXPECT", &self.written, table)?;
                let in_order = !as_table && self.partitions.get(topic) == Some(&1);
                let found = match as_table {
                    true => last_by_key(job.read_all(topic)),
                    false => job.read_bytes(topic).into_iter().map(row_of).collect(),
                };
                compare(rows, &found, in_order).map_err(|picture| format!("EXPECT {table}\n{picture}"))?;
            }
        }
        Ok(())
    }
}

fn named<'a>(what: &str, tables: &'a BTreeMap<String, String>, table: &str) -> Result<&'a str, String> {
    let names = || tables.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let topic = tables.get(table).map(String::as_str);
    topic.ok_or_else(|| format!("{what} {table}: the job has no such table; it has {}", names()))
}

fn row_of(record: RawRecord) -> Row {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Row { key: record.key.map(text), value: record.value.map(text) }
}

fn last_by_key(records: Vec<RawRecord>) -> Vec<Row> {
    let mut last: BTreeMap<Option<String>, Row> = BTreeMap::new();
    for row in records.into_iter().map(row_of) {
        match row.value {
            Some(_) => last.insert(row.key.clone(), row),
            None => last.remove(&row.key),
        };
    }
    last.into_values().collect()
}
