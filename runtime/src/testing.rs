//! Tests of jobs, without a broker: the production task under a clock that the test moves, on a log in memory.
//!
//! [`run`] plays a scenario twice: as it is, and with the process killed after every commit and its hot state dropped. What
//! comes out has to be the same. Between the two, every commit of the first run is run again, in three ways: code that does
//! not give the same for the same input, and values that do not survive their own encoding, are found there, by the name of
//! the operator.
//!
//! ```
//! use millstream_operators::typed::{Program, Windows};
//! use millstream_runtime::testing::run;
//! use std::time::Duration;
//!
//! let program = Program::new();
//! program.source::<String>("pages")
//!     .record_time(Duration::from_secs(1))
//!     .stream()
//!     .key_by(|page| page.clone())
//!     .windowed(Windows::tumbling(Duration::from_secs(60)))
//!     .count()
//!     .map_values(|window| window.value)
//!     .to("views");
//! run(&program.topology().unwrap(), &[("pages", 2), ("views", 1)], |job| {
//!     job.pipe("pages", &"home", 1_000);
//!     job.pipe("pages", &"home", 2_000);
//!     job.crash_and_restore();
//!     job.advance_watermark(59_998);
//!     assert!(job.read::<u64>("views").is_empty());
//!     job.advance_watermark(60_000);
//!     assert_eq!(job.read::<u64>("views"), [2]);
//! });
//! ```

mod marked;

use crate::driver::{JOB, TestDriver};
use crate::error::JobError;
use crate::log::{Log, Offset, Record, RecordsBuilder, TopicPartition};
use crate::plan::JobPlan;
use crate::replay::ReplayError;
use millstream_operators::sink::{SinkSpec, partition_for_key};
use millstream_operators::typed::{Key, Row, stored_value};
use millstream_operators::{Headers, NodeSpec, Topology};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

/// Plays a scenario twice; see [the module](self). Topics are given with their numbers of partitions; those that the job
/// writes are made when they are not among them.
///
/// # Panics
/// When the scenario does, or the job comes out differently when it is killed or run again: with what differs, and the
/// operator that it is of.
#[track_caller]
pub fn run(topology: &Topology, topics: &[(&str, u32)], scenario: impl Fn(&mut TestJob)) {
    let start =
        |kills: bool| TestJob::start(topology, topics, kills).unwrap_or_else(|error| panic!("{error}"));
    let mut job = start(false);
    scenario(&mut job);
    if let Err(error) = job.finish() {
        panic!("the job comes out differently when its commits are run again: {error}");
    }
    let mut job = start(true);
    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| scenario(&mut job))) {
        eprintln!(
            "what follows happened when the process was killed after every commit and its hot state was dropped; without \
             that the scenario passed"
        );
        resume_unwind(cause);
    }
    if let Err(error) = job.finish() {
        panic!(
            "killed after every commit, the job comes out differently when its commits are run again: {error}"
        );
    }
}

/// A job under test: what [`run`] gives to its scenario. Its methods panic when the job fails.
#[derive(Debug)]
pub struct TestJob {
    driver: TestDriver,
    /// Whether the process is killed after every commit.
    kills: bool,
    /// By topic of input: the number of records so far, which spreads them over partitions.
    piped: BTreeMap<String, u32>,
    /// By topic of output and partition: how many records have been read.
    read: BTreeMap<(String, u32), usize>,
    /// Topics that are read as tables or streams with event time.
    inputs: BTreeSet<String>,
}

/// A record that a job wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRecord<K, V> {
    /// Its partition.
    pub partition: u32,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<K>,
    /// Its value; `None` is a deletion.
    pub value: Option<V>,
}

impl TestJob {
    /// Starts a job.
    ///
    /// # Errors
    /// [`JobError`] when the topology does not fit the topics.
    pub fn start(topology: &Topology, topics: &[(&str, u32)], kills: bool) -> Result<Self, JobError> {
        let (marked, inputs) = marked::marked(topology);
        let mut all: Vec<(&str, u32)> = topics.to_vec();
        for node in topology.nodes() {
            let written = match &node.spec {
                NodeSpec::Sink(sink) if sink.writer.outlet().is_none() => {
                    sink.topic.as_ref().map(|topic| topic.name.as_str())
                }
                _ => None,
            };
            all.extend(
                written.filter(|topic| all.iter().all(|(known, _)| known != topic)).map(|topic| (topic, 1)),
            );
        }
        let driver = TestDriver::new(&marked, &all)?;
        Ok(TestJob { driver, kills, piped: BTreeMap::new(), read: BTreeMap::new(), inputs })
    }

    /// The topic that a sink writes to: of one whose rows go into files, the job's own that they go through. Files are not
    /// written in a test.
    pub fn output_topic(sink: &SinkSpec) -> Option<String> {
        match sink.writer.outlet() {
            Some(_) => Some(JobPlan::outlet_topic_of(JOB, &sink.table)),
            None => sink.topic.as_ref().map(|topic| topic.name.clone()),
        }
    }

    /// Appends a record without a key, its value as JSON, to the next partition of a topic.
    #[track_caller]
    pub fn pipe<V: Serialize + ?Sized>(&mut self, topic: &str, value: &V, timestamp_ms: i64) {
        let count = self.piped.entry(topic.to_owned()).or_default();
        let partition = *count % self.driver.partitions(topic);
        *count += 1;
        self.pipe_to(topic, partition, None, Some(&json(value)), timestamp_ms);
    }

    /// Appends a record with a key, its value as JSON, to the partition that the key belongs to.
    #[track_caller]
    pub fn pipe_keyed<K: Key, V: Serialize + ?Sized>(
        &mut self,
        topic: &str,
        key: &K,
        value: &V,
        timestamp_ms: i64,
    ) {
        let key = bytes(key);
        let partition = partition_for_key(&key, self.driver.partitions(topic));
        self.pipe_to(topic, partition, Some(&key), Some(&json(value)), timestamp_ms);
    }

    /// Appends a record with a key and no value: what deletes a key of a table.
    #[track_caller]
    pub fn delete<K: Key>(&mut self, topic: &str, key: &K, timestamp_ms: i64) {
        let key = bytes(key);
        let partition = partition_for_key(&key, self.driver.partitions(topic));
        self.pipe_to(topic, partition, Some(&key), None, timestamp_ms);
    }

    /// Appends a record, as bytes, to a partition.
    #[track_caller]
    pub fn pipe_to(
        &mut self,
        topic: &str,
        partition: u32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) {
        self.driver.produce(topic, partition, key, value, timestamp_ms);
        if self.kills {
            self.settle();
        }
    }

    /// Lets the job process what is there, and commit.
    #[track_caller]
    pub fn settle(&mut self) {
        self.driver.run().unwrap_or_else(|error| panic!("the job failed: {error}"));
        if self.kills {
            self.driver.crash();
            self.driver.run().unwrap_or_else(|error| panic!("the job failed after it was killed: {error}"));
        }
    }

    /// Lets time pass on the clock, and the job with it.
    #[track_caller]
    pub fn advance(&mut self, time: Duration) {
        self.settle();
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.driver.advance(ms).unwrap_or_else(|error| panic!("the job failed: {error}"));
        self.settle();
    }

    /// Raises the watermark of every input to a moment, as rows would whose times are far enough beyond it: windows that end
    /// before it close, and timers up to it fire. What has event time nowhere is not concerned.
    #[track_caller]
    pub fn advance_watermark(&mut self, to: i64) {
        self.settle();
        for topic in self.inputs.clone() {
            for partition in 0..self.driver.partitions(&topic) {
                let mut records = RecordsBuilder::default();
                let (mark, headers) = (to.to_string(), Headers::NONE);
                let record = Record { offset: 0, timestamp_ms: 0, key: None, value: None, headers };
                records.push_with_headers(record, [(marked::WATERMARK, Some(mark.as_bytes()))]);
                let written = self.driver.log().writer().and_then(|mut writer| {
                    writer.write(&TopicPartition::new(&*topic, partition), records.finish())?;
                    writer.flush(Duration::from_secs(1))
                });
                written.unwrap_or_else(|error| panic!("{topic}: {error}"));
            }
        }
        self.settle();
    }

    /// Kills the process at this moment and starts it again on the same disk.
    #[track_caller]
    pub fn crash_and_restore(&mut self) {
        self.driver.crash();
        self.settle();
    }

    /// Kills the process at this moment and starts it again on an empty disk: state comes from the job's journals.
    #[track_caller]
    pub fn crash_and_lose_disk(&mut self) {
        self.driver.crash_and_lose_state();
        self.settle();
    }

    /// The values of the records that were written to a topic since it was last read, partition by partition.
    #[track_caller]
    pub fn read<V: DeserializeOwned>(&mut self, topic: &str) -> Vec<V> {
        self.read_records::<String, V>(topic).into_iter().filter_map(|record| record.value).collect()
    }

    /// The records that were written to a topic since it was last read, partition by partition.
    #[track_caller]
    pub fn read_records<K: Key, V: DeserializeOwned>(&mut self, topic: &str) -> Vec<TestRecord<K, V>> {
        let record = |record: RawRecord| TestRecord {
            partition: record.partition,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(|key| {
                K::read(&key).unwrap_or_else(|| panic!("{topic}: a key is {}", String::from_utf8_lossy(&key)))
            }),
            value: record.value.map(|value| parsed(topic, &value)),
        };
        self.read_bytes(topic).into_iter().map(record).collect()
    }

    /// The records that were written to a topic since it was last read, as bytes.
    #[track_caller]
    pub fn read_bytes(&mut self, topic: &str) -> Vec<RawRecord> {
        self.settle();
        let mut found = Vec::new();
        for partition in 0..self.driver.partitions(topic) {
            let records = self.driver.read_partition(topic, partition);
            let from = self.read.insert((topic.to_owned(), partition), records.len()).unwrap_or(0);
            found.extend(records.iter().skip(from).map(|record| RawRecord::of(partition, record)));
        }
        found
    }

    /// All records that were ever written to a topic, as bytes, partition by partition.
    #[track_caller]
    pub fn read_all(&mut self, topic: &str) -> Vec<RawRecord> {
        self.settle();
        let mut found = Vec::new();
        for partition in 0..self.driver.partitions(topic) {
            let records = self.driver.read_partition(topic, partition);
            found.extend(records.iter().map(|record| RawRecord::of(partition, record)));
        }
        found
    }

    /// A topic as a table: by key the last value, of all that was ever written to it.
    #[track_caller]
    pub fn table<K: Key + Ord, V: DeserializeOwned>(&mut self, topic: &str) -> BTreeMap<K, V> {
        let mut table = BTreeMap::new();
        for record in self.read_all(topic) {
            let key = record.key.as_deref().and_then(K::read);
            let key = key.unwrap_or_else(|| panic!("{topic}: a record has no such key"));
            match record.value {
                Some(value) => table.insert(key, parsed(topic, &value)),
                None => table.remove(&key),
            };
        }
        table
    }

    /// What an operator keeps in one of its states, by key: of a process function the values of a state by its name, of a
    /// count, a reduction and a fold its `values`.
    #[track_caller]
    pub fn state<K: Key + Ord, V: Row>(&mut self, operator: &str, state: &str) -> BTreeMap<K, V> {
        self.settle();
        let found = self.driver.stored(operator, state).unwrap_or_else(|error| panic!("{error}"));
        let Some((spec, kept)) = found else {
            panic!("operator {operator} keeps no {state}; there are {:?}", self.driver.keepers())
        };
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let key = K::read(&key).unwrap_or_else(|| panic!("{operator}: {key:02x?} is no such key"));
            let value =
                stored_value(&spec, &value).unwrap_or_else(|error| panic!("{operator}, {state}: {error}"));
            (key, value)
        };
        kept.into_iter().map(read).collect()
    }

    /// How many rows came too late so far, in the workers that are running.
    pub fn late(&self) -> u64 {
        let status = self.driver.status();
        let operators = status.iter().flat_map(|worker| &worker.tasks).flat_map(|task| &task.operators);
        operators.map(|operator| operator.counters.late).sum()
    }

    /// What drives the job.
    pub fn driver(&mut self) -> &mut TestDriver {
        &mut self.driver
    }

    /// Ends the job, and runs every commit again with hot state dropped, with crashes and with other hash seeds.
    ///
    /// # Errors
    /// [`ReplayError`] when anything comes out differently.
    pub fn finish(self) -> Result<(), ReplayError> {
        self.driver.finish()
    }
}

/// A record that a job wrote, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a deletion.
    pub value: Option<Vec<u8>>,
}

impl RawRecord {
    fn of(partition: u32, record: Record<'_>) -> Self {
        RawRecord {
            partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
        }
    }
}

#[track_caller]
fn json<V: Serialize + ?Sized>(value: &V) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| panic!("the value can't be written as JSON: {error}"))
}

fn bytes<K: Key>(key: &K) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.write(&mut bytes);
    bytes
}

#[track_caller]
fn parsed<V: DeserializeOwned>(topic: &str, value: &[u8]) -> V {
    serde_json::from_slice(value).unwrap_or_else(|error| {
        let (text, of) = (String::from_utf8_lossy(value), std::any::type_name::<V>());
        panic!("{topic}: a value is no {of}: {error}: {text}")
    })
}
