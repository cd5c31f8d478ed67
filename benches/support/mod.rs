//! What the benchmarks of state share: a job that counts by key, its input, and what has to come out of it.

mod random;

pub(crate) use random::{number, scattered};

use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The topic with the events.
pub(crate) const EVENTS: &str = "events";

/// A count and a sum for each key, which are added up into eight rows: the state is what is measured, and a key that was
/// lost or counted twice shows.
pub(crate) struct Counts {
    /// Number of keys. The first so many events have each key once, the others keys drawn at random.
    pub(crate) keys: u64,
    /// Characters of a name that is part of the key.
    pub(crate) name_chars: usize,
}

impl Counts {
    /// The job, which writes to `output`; over what is there now, or for ever.
    pub(crate) fn sql(&self, output: &str, is_bounded: bool) -> String {
        let bounded = if is_bounded { ", 'scan.bounded.mode' = 'latest-offset'" } else { "" };
        let (name_column, name) = if self.name_chars > 0 { ("name STRING, ", ", name") } else { ("", "") };
        format!(
            "CREATE TABLE events (k BIGINT, {name_column}v BIGINT) WITH ('connector' = 'kafka',
               'topic' = '{EVENTS}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'{bounded});
             CREATE TABLE totals (part BIGINT, k BIGINT, n BIGINT, total BIGINT, PRIMARY KEY (part) NOT ENFORCED)
             WITH ('connector' = 'upsert-kafka', 'topic' = '{output}', 'key.format' = 'json', 'value.format' = 'json');
             INSERT INTO totals SELECT part, COUNT(*), SUM(n), SUM(total)
             FROM (SELECT k{name}, MOD(k, 8) AS part, COUNT(*) AS n, SUM(v) AS total FROM events GROUP BY k{name})
               AS counts
             GROUP BY part;"
        )
    }

    /// Writes events into partition 0, making the topic when there is none.
    pub(crate) fn write(&self, log: &Arc<dyn Log>, events: Range<u64>) {
        let mut admin = log.admin().unwrap();
        if admin.describe_topic(EVENTS).unwrap().is_none() {
            admin.create_topic(&TopicSpec::new(EVENTS, 1)).unwrap();
        }
        let mut writer = log.writer().unwrap();
        let place = TopicPartition::new(EVENTS, 0);
        let mut value = String::new();
        let all: Vec<u64> = events.collect();
        for run in all.chunks(5_000) {
            let mut records = RecordsBuilder::with_capacity(run.len(), 1 << 18);
            for event in run {
                self.event(*event, &mut value);
                records.push(None, Some(value.as_bytes()), *event as i64);
            }
            writer.write(&place, records.finish()).unwrap();
        }
        writer.flush(Duration::from_secs(120)).unwrap();
    }

    fn event(&self, event: u64, out: &mut String) {
        let key = match event < self.keys {
            // Every key once, in an order that is none.
            true => (u128::from(event) * 982_451_653 % u128::from(self.keys)) as u64,
            false => scattered(event) % self.keys,
        };
        out.clear();
        let _ = write!(out, r#"{{"k":{key},"#);
        if self.name_chars > 0 {
            out.push_str(r#""name":""#);
            let end = out.len() + self.name_chars;
            // Digits that no compression makes short.
            for part in 0.. {
                let _ = write!(out, "{:016x}", scattered(key ^ part << 40));
                if out.len() >= end {
                    break;
                }
            }
            out.truncate(end);
            out.push_str(r#"","#);
        }
        let _ = write!(out, r#""v":{}}}"#, value_of(event));
    }

    /// What has to come out after so many events: keys, events, and the sum of their values.
    pub(crate) fn wanted(&self, events: u64) -> [u64; 3] {
        [self.keys.min(events), events, (0..events).map(value_of).sum()]
    }
}

/// What has come out: the sums over the newest row of each part.
pub(crate) fn totals(log: &Arc<dyn Log>, topic: &str) -> [u64; 3] {
    let mut last: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    for record in read_all(&**log, &TopicPartition::new(topic, 0)).unwrap().iter() {
        last.insert(record.key.unwrap().to_vec(), serde_json::from_slice(record.value.unwrap()).unwrap());
    }
    ["k", "n", "total"].map(|column| last.values().map(|row| row[column].as_u64().unwrap()).sum())
}

fn value_of(event: u64) -> u64 {
    event % 100
}
