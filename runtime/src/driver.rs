//! Running a job in a test: production workers on a log in memory, under a clock that the test moves.
//!
//! A [`TestDriver`] is what a unit test of a job uses. Records are produced, time is advanced, the job is crashed, and
//! output is read; everything on the caller's thread and the same on every run. [`TestDriver::finish`] then replays
//! every commit of every task with hot state dropped, crashes and other hash seeds, and fails when anything comes out
//! differently: a test of one run tests determinism and recovery too.
//!
//! ```
//! # use millstream_operators::Topology;
//! # fn topology() -> Topology { Topology::new() }
//! use millstream_runtime::driver::TestDriver;
//! let mut driver = TestDriver::new(&topology(), &[("orders", 2)]).unwrap();
//! driver.produce("orders", 0, Some(b"key"), Some(b"{}"), 1_000);
//! driver.run().unwrap();
//! driver.crash();
//! driver.finish().unwrap();
//! ```

use crate::clock::ManualClock;
use crate::control::ControlRecord;
use crate::error::JobError;
use crate::feeds::{with_feeds, with_feeds_at_once};
use crate::log::memory::MemoryLog;
use crate::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use crate::memory::StateBudget;
use crate::plan::JobPlan;
use crate::replay::{ReplayError, ReplayOptions, read_all, read_entries, replay_task};
use crate::states::MemoryStates;
use crate::topics::{Before, prepare};
use crate::worker::{RestoreRunner, Turn, Worker, WorkerContext, WorkerSettings, WorkerStatus};
use millstream_operators::{BuildCx, CutNode, PrintedLine, Records, StoreSpec, SubTopology, Topology, Work};
use millstream_state::StoreId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a job under test is called.
pub(crate) const JOB: &str = "test";

/// Turns without progress after which a job counts as stuck.
const TURNS_MAX: usize = 2_000_000;

/// A job under test. See the module's head.
pub struct TestDriver {
    clock: Arc<ManualClock>,
    log: MemoryLog,
    topology: Topology,
    plan: Arc<JobPlan>,
    states: Arc<MemoryStates>,
    workers: Vec<Worker>,
    lives: u32,
    state_bytes: usize,
    printed: Vec<PrintedLine>,
}

/// A record that the job wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The partition.
    pub partition: u32,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key, as text.
    pub key: Option<String>,
    /// Its value, as text; `None` is a tombstone.
    pub value: Option<String>,
}

impl TestDriver {
    /// A job over `topology`, on a log with these topics (name, partitions).
    ///
    /// # Errors
    /// [`JobError`] when the topology does not fit the topics.
    pub fn new(topology: &Topology, topics: &[(&str, u32)]) -> Result<Self, JobError> {
        Self::with_records(topology, topics, |_| {})
    }

    /// The same, with records that are there before the job starts: what bounded input ends at.
    ///
    /// # Errors
    /// As [`TestDriver::new`].
    pub fn with_records(
        topology: &Topology,
        topics: &[(&str, u32)],
        produce: impl FnOnce(&MemoryLog),
    ) -> Result<Self, JobError> {
        let clock = Arc::new(ManualClock::at(1_700_000_000_000));
        let log = MemoryLog::new(Arc::clone(&clock) as Arc<_>);
        let mut admin = log.admin()?;
        for (topic, partitions) in topics {
            admin.create_topic(&TopicSpec::new(*topic, *partitions))?;
        }
        produce(&log);
        let mut admin = with_feeds(&shared(&log), topology, &(Arc::clone(&clock) as Arc<_>)).admin()?;
        let (plan, _) = prepare(topology, JOB, None, &mut *admin, Before::Nothing)?;
        let mut driver = TestDriver {
            clock,
            log,
            topology: topology.clone(),
            plan: Arc::new(plan),
            states: Arc::default(),
            workers: Vec::new(),
            lives: 0,
            state_bytes: usize::MAX,
            printed: Vec::new(),
        };
        driver.start();
        Ok(driver)
    }

    /// Starts two workers, so that tasks move and repartition topics are crossed.
    fn start(&mut self) {
        self.lives += 1;
        let budget = StateBudget::new(self.state_bytes, 2);
        for index in 0..2 {
            let process = format!("process-{}", self.lives);
            let settings = WorkerSettings {
                checkpoint_commits: 3,
                state_budget: Arc::clone(&budget),
                ..WorkerSettings::default()
            };
            let cx = WorkerContext {
                plan: Arc::clone(&self.plan),
                log: self.with_feeds(&self.log.process(&process)),
                states: Arc::clone(&self.states) as Arc<_>,
                snapshots: None,
                clock: Arc::clone(&self.clock) as Arc<_>,
                name: format!("worker-{index}"),
                session_timeout_ms: 10_000,
                transaction_timeout_ms: 10_000,
                nonce: u128::from(self.lives),
                from: None,
                settings,
            };
            self.workers
                .push(Worker::start(cx, RestoreRunner::interleaved()).expect("the log in memory is there"));
        }
    }

    /// A log of the job, with what it reads that is no topic.
    fn with_feeds(&self, log: &MemoryLog) -> Arc<dyn Log> {
        with_feeds(&shared(log), &self.topology, &(Arc::clone(&self.clock) as Arc<_>))
    }

    /// Starts the workers again, with room for this many bytes of state in memory; the rest is read back from disk.
    pub fn keep_within(&mut self, state_bytes: usize) {
        self.state_bytes = state_bytes;
        self.crash();
    }

    /// Appends a record to a topic's partition.
    ///
    /// # Panics
    /// When the topic does not exist.
    pub fn produce(
        &self,
        topic: &str,
        partition: u32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) {
        produce(&self.log, topic, partition, key, value, timestamp_ms);
    }

    /// Lets time pass, and the job with it.
    ///
    /// # Errors
    /// [`JobError`] of the job.
    pub fn advance(&mut self, ms: u64) -> Result<(), JobError> {
        let mut left = ms;
        while left > 0 {
            let slice = left.min(50);
            self.clock.advance(slice);
            self.log.tick();
            for _ in 0..4 {
                self.turn_all()?;
            }
            left -= slice;
        }
        Ok(())
    }

    /// Runs until the input is drained and everything is committed.
    ///
    /// # Errors
    /// [`JobError`] of the job.
    ///
    /// # Panics
    /// When the job does not come to rest.
    pub fn run(&mut self) -> Result<(), JobError> {
        for turn in 0..TURNS_MAX {
            let busy = self.turn_all()?;
            if !busy {
                self.clock.advance(5);
                self.log.tick();
            }
            if turn % 16 == 15 && self.is_drained()? {
                return Ok(());
            }
        }
        panic!("the job does not come to rest: {:#?}", self.status());
    }

    fn turn_all(&mut self) -> Result<bool, JobError> {
        let mut busy = false;
        for worker in &mut self.workers {
            busy |= worker.turn(Duration::ZERO)? == Turn::Busy;
            self.printed.extend(worker.take_printed());
        }
        Ok(busy)
    }

    fn is_drained(&mut self) -> Result<bool, JobError> {
        let owned: usize = self.workers.iter().map(|worker| worker.status().tasks.len()).sum();
        if owned < self.plan.tasks().count() {
            return Ok(false);
        }
        for worker in &mut self.workers {
            if !worker.status().tasks.is_empty() && !worker.is_drained()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Kills the process at this moment and starts it again on the same disk.
    pub fn crash(&mut self) {
        self.workers.clear();
        self.log.kill(&format!("process-{}", self.lives));
        self.start();
    }

    /// Kills the process and starts it again on an empty disk.
    pub fn crash_and_lose_state(&mut self) {
        self.workers.clear();
        self.log.kill(&format!("process-{}", self.lives));
        self.states = Arc::default();
        self.start();
    }

    /// Kills the process and starts it again with another plan under the same name: the file of the job has changed.
    ///
    /// # Errors
    /// As [`TestDriver::new`]; [`JobError::Control`] where the state does not fit.
    pub fn crash_and_change(&mut self, topology: &Topology) -> Result<(), JobError> {
        self.workers.clear();
        self.log.kill(&format!("process-{}", self.lives));
        let control = self.read_partition(&self.plan.control_topic(), 0);
        let control = ControlRecord::newest(&self.plan.control_topic(), &control)?;
        let before = control.as_ref().map_or(Before::Nothing, Before::Job);
        self.topology = topology.clone();
        let mut admin = self.with_feeds(&self.log).admin()?;
        let (plan, _) = prepare(topology, JOB, None, &mut *admin, before)?;
        self.plan = Arc::new(plan);
        self.start();
        Ok(())
    }

    /// Everything committed in a topic, partition by partition.
    ///
    /// # Panics
    /// When the topic does not exist.
    pub fn read(&self, topic: &str) -> Vec<Output> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut output = Vec::new();
        let partitions = self.partitions(topic);
        for partition in 0..partitions {
            let records = self.read_partition(topic, partition);
            output.extend(records.iter().map(|record| Output {
                partition,
                timestamp_ms: record.timestamp_ms,
                key: record.key.map(text),
                value: record.value.map(text),
            }));
        }
        output
    }

    /// What an operator keeps in one of its stores, as of the last commit: bytes by key, of all its tasks. `None` where no
    /// operator of this name keeps a store of that name.
    ///
    /// # Errors
    /// [`JobError`] when a journal can't be read.
    pub fn stored(
        &self,
        operator: &str,
        store: &str,
    ) -> Result<Option<(StoreSpec, BTreeMap<Vec<u8>, Vec<u8>>)>, JobError> {
        let Some((part, node, at, spec)) = self.find_store(operator, store) else { return Ok(None) };
        let id = StoreId(node.first_store + at as u16);
        let control = self.read_partition(&self.plan.control_topic(), 0);
        let control = ControlRecord::newest(&self.plan.control_topic(), &control)?;
        let mut kept = BTreeMap::new();
        for partition in (0..part.tasks).filter(|_| control.is_some()) {
            let journal = TopicPartition::new(self.plan.journal_topic(part.index), partition);
            let incarnation = control.as_ref().map_or(0, ControlRecord::incarnation);
            for (entry, _) in read_entries(&self.log, &journal, incarnation)? {
                for (_, block) in entry.delta.blocks().iter().filter(|(store, _)| *store == id) {
                    for (key, value) in (0..block.len()).map(|row| block.row(row)) {
                        match value {
                            Some(value) => kept.insert(key.to_vec(), value.to_vec()),
                            None => kept.remove(key),
                        };
                    }
                }
            }
        }
        Ok(Some((spec, kept)))
    }

    fn find_store(&self, operator: &str, store: &str) -> Option<(&SubTopology, &CutNode, usize, StoreSpec)> {
        let nodes =
            self.plan.cut().parts.iter().flat_map(|part| part.nodes.iter().map(move |node| (part, node)));
        let (part, node) = nodes.into_iter().find(|(_, node)| node.name == operator)?;
        let Work::Operator(spec) = &node.work else { return None };
        let (at, spec) = spec.stores().into_iter().enumerate().find(|(_, spec)| spec.name == store)?;
        Some((part, node, at, spec))
    }

    /// The operators that keep something, with the names of their stores.
    pub fn keepers(&self) -> Vec<(String, Vec<String>)> {
        let nodes = self.plan.cut().parts.iter().flat_map(|part| &part.nodes);
        let stores = |node: &CutNode| match &node.work {
            Work::Operator(spec) => spec.stores().into_iter().map(|store| store.name).collect(),
            _ => Vec::new(),
        };
        nodes.map(|node| (node.name.clone(), stores(node))).filter(|(_, stores)| !stores.is_empty()).collect()
    }

    /// Number of partitions of a topic.
    ///
    /// # Panics
    /// When the topic does not exist.
    pub fn partitions(&self, topic: &str) -> u32 {
        let described = self.log.admin().and_then(|mut admin| admin.describe_topic(topic));
        described.ok().flatten().map(|topic| topic.partitions).expect("the topic exists")
    }

    pub(crate) fn read_partition(&self, topic: &str, partition: u32) -> Records {
        read_all(&self.log, &TopicPartition::new(topic, partition)).expect("the log in memory can be read")
    }

    /// Lines that `print` sinks have written.
    pub fn printed(&self) -> &[PrintedLine] {
        &self.printed
    }

    /// What the workers are doing.
    pub fn status(&self) -> Vec<WorkerStatus> {
        self.workers.iter().map(Worker::status).collect()
    }

    /// The log.
    pub fn log(&self) -> &MemoryLog {
        &self.log
    }

    /// Drains the job, stops it, and replays all it did: with hot state dropped after every commit, with crashes, and
    /// with another hash seed.
    ///
    /// # Errors
    /// [`ReplayError`] when anything comes out differently.
    pub fn finish(mut self) -> Result<(), ReplayError> {
        self.run()?;
        for worker in &mut self.workers {
            worker.stop();
        }
        let mut open = self.workers.len();
        while open > 0 {
            open = 0;
            for worker in &mut self.workers {
                open += usize::from(worker.turn(Duration::ZERO)? != Turn::Stopped);
            }
            self.clock.advance(5);
        }
        let control = self.read_partition(&self.plan.control_topic(), 0);
        let control = ControlRecord::newest(&self.plan.control_topic(), &control).map_err(JobError::from)?;
        let Some(control) = control else { return Ok(()) };
        let seeded = BuildCx { hash_seed: 99, verify: true };
        let variants = [
            ReplayOptions { evict: true, crash_every: 0, build: BuildCx::default() },
            ReplayOptions { evict: false, crash_every: 1, build: seeded },
            ReplayOptions { evict: false, crash_every: 3, build: seeded },
        ];
        let log = with_feeds_at_once(&shared(&self.log), &self.topology);
        for task in self.plan.tasks() {
            for options in &variants {
                replay_task(&self.plan, &*log, task, control.incarnation(), options)?;
            }
        }
        Ok(())
    }
}

fn shared(log: &MemoryLog) -> Arc<dyn Log> {
    Arc::new(log.clone())
}

/// Appends a record to a partition of a log in memory.
///
/// # Panics
/// When the topic does not exist.
pub fn produce(
    log: &MemoryLog,
    topic: &str,
    partition: u32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    timestamp_ms: i64,
) {
    let mut records = RecordsBuilder::default();
    records.push(key, value, timestamp_ms);
    let mut writer = log.writer().expect("the log in memory is there");
    writer.write(&TopicPartition::new(topic, partition), records.finish()).expect("the topic exists");
}

impl std::fmt::Debug for TestDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestDriver").field("lives", &self.lives).finish_non_exhaustive()
    }
}
