//! A log, and jobs that run on it in this process.

use millstream::job::{Job, JobSettings, Until};
use millstream::log::SystemClock;
use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::memory::MemoryLog;
use millstream::log::{
    Admin, Isolation, Log, OffsetQuery, ReaderOptions, RecordsBuilder, TopicPartition, TopicSpec,
};
use millstream::operators::sink::partition_for_key;
use millstream::savepoint::{OpenSavepoint, TakeSettings, take};
use millstream::{JobError, sql};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a job may take to drain its input.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Memory,
    Embedded,
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) memory: Option<MemoryLog>,
    _ticker: Option<Ticker>,
    /// In front of the names of topics and jobs, where worlds share a broker.
    prefix: String,
}

impl World {
    pub(crate) fn new(on: On) -> Self {
        let directory = TempDir::new().unwrap();
        match on {
            On::Embedded => {
                let log = open_embedded(directory.path());
                World { directory, log, memory: None, _ticker: None, prefix: String::new() }
            }
            On::Memory => {
                let clock = Arc::new(SystemClock::default());
                let memory = MemoryLog::new(clock);
                let stop = Arc::new(AtomicBool::new(false));
                let (ticked, stopped) = (memory.clone(), Arc::clone(&stop));
                let ticker = std::thread::spawn(move || {
                    while !stopped.load(Ordering::Relaxed) {
                        ticked.tick();
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
                let log: Arc<dyn Log> = Arc::new(memory.clone());
                let ticker = Some(Ticker { stop, thread: Some(ticker) });
                World { directory, log, memory: Some(memory), _ticker: ticker, prefix: String::new() }
            }
        }
    }

    /// On a broker that others use too.
    pub(crate) fn on_kafka(bootstrap: &str, prefix: &str) -> Self {
        let log = KafkaLog::connect(KafkaConfig::new(bootstrap)).unwrap();
        let (directory, prefix) = (TempDir::new().unwrap(), prefix.to_owned());
        World { directory, log: Arc::new(log), memory: None, _ticker: None, prefix }
    }

    /// A copy of a world on the embedded log, whose log nobody has open.
    pub(crate) fn copied(from: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        copy(from, directory.path());
        let log = open_embedded(directory.path());
        World { directory, log, memory: None, _ticker: None, prefix: String::new() }
    }

    /// Closes the log and gives the directory.
    pub(crate) fn closed(self) -> TempDir {
        let World { directory, log, .. } = self;
        drop(log);
        directory
    }

    pub(crate) fn admin(&self) -> Box<dyn Admin> {
        self.log.admin().unwrap()
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn create(&self, topic: &str, partitions: u32) {
        self.admin().create_topic(&TopicSpec::new(self.name(topic), partitions)).unwrap();
    }

    pub(crate) fn delete(&self, topic: &str) {
        self.admin().delete_topic(&self.name(topic)).unwrap();
    }

    /// Writes rows as JSON, by the bytes of a column where there is one, otherwise evenly.
    pub(crate) fn produce(&self, topic: &str, key: Option<&str>, rows: &[Value]) {
        let topic = self.name(topic);
        let found = self.admin().identify_topics(std::slice::from_ref(&topic)).unwrap()[0];
        let partitions = found.unwrap().partitions;
        let mut writer = self.log.writer().unwrap();
        for (index, row) in rows.iter().enumerate() {
            let key = key.map(|column| row[column].as_str().unwrap_or_default().to_owned());
            let partition = match &key {
                Some(key) => partition_for_key(key.as_bytes(), partitions),
                None => index as u32 % partitions,
            };
            let mut records = RecordsBuilder::default();
            records.push(key.as_ref().map(String::as_bytes), Some(row.to_string().as_bytes()), 1_000);
            writer.write(&TopicPartition::new(topic.as_str(), partition), records.finish()).unwrap();
        }
        writer.flush(PATIENCE).unwrap();
    }

    pub(crate) fn settings(&self, job: &str) -> JobSettings {
        let mut settings = JobSettings::new(self.name(job));
        settings.state_directory = Some(self.state(job));
        // A process that has ended is a member until its session is over; brokers take no less than six seconds.
        settings.session_timeout_ms = if self.log.info().kind == "kafka" { 6_000 } else { 700 };
        settings.memory_bytes = 128 << 20;
        settings
    }

    pub(crate) fn state(&self, job: &str) -> PathBuf {
        self.directory.path().join("state").join(self.name(job))
    }

    fn sql(&self, sql: &str) -> String {
        sql.replace("'topic' = '", &format!("'topic' = '{}", self.prefix))
    }

    /// Runs a file until its input is drained; gives the operators that began empty.
    pub(crate) fn run(&self, sql: &str, job: &str) -> Result<Vec<String>, JobError> {
        self.run_from(sql, job, None)
    }

    pub(crate) fn run_from(
        &self,
        sql: &str,
        job: &str,
        from: Option<Arc<OpenSavepoint>>,
    ) -> Result<Vec<String>, JobError> {
        let settings = JobSettings { from, ..self.settings(job) };
        let running = self.start(sql, &settings)?;
        let new = running.plan().new_operators().to_vec();
        drained(running).map(|()| new)
    }

    pub(crate) fn start(&self, sql: &str, settings: &JobSettings) -> Result<Job, JobError> {
        let planned = sql::plan("job.sql", &self.sql(sql)).unwrap_or_else(|errors| panic!("{errors}"));
        Job::start(&planned.topology, &self.log, settings)
    }

    /// A savepoint of a job that does not run.
    pub(crate) fn savepoint(&self, sql: &str, job: &str, to: &str) -> Result<Arc<OpenSavepoint>, JobError> {
        let planned = sql::plan("job.sql", &self.sql(sql)).unwrap_or_else(|errors| panic!("{errors}"));
        let to = self.directory.path().join(to).display().to_string();
        let settings = TakeSettings { job: self.settings(job), to: &to, now_ms: 1 };
        take(&planned.topology, &self.log, &settings, &mut |_| true).map(Arc::new)
    }

    /// The committed records of a topic, partition by partition: key and value.
    pub(crate) fn records(&self, topic: &str) -> Vec<(Option<String>, Option<String>)> {
        let topic = self.name(topic);
        let mut admin = self.admin();
        let Some(found) = admin.identify_topics(std::slice::from_ref(&topic)).unwrap()[0] else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for partition in 0..found.partitions {
            let place = TopicPartition::new(topic.as_str(), partition);
            let places = std::slice::from_ref(&place);
            let end = admin.offsets(places, OffsetQuery::Latest, Isolation::ReadCommitted).unwrap()[0];
            let mut reader = self.log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
            reader.assign(&[(place.clone(), 0)]).unwrap();
            let (mut position, deadline) = (0, Instant::now() + PATIENCE);
            while position < end {
                assert!(Instant::now() < deadline, "{place} is not read to its end");
                let mut runs = Vec::new();
                reader.poll(Duration::from_millis(50), &mut runs).unwrap();
                for record in runs.iter().flat_map(|run| run.records.iter()) {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    all.push((record.key.map(text), record.value.map(text)));
                }
                position = reader.status(&place).map_or(0, |status| status.position);
            }
        }
        all
    }

    /// The last value of every key.
    pub(crate) fn upserted(&self, topic: &str) -> BTreeMap<String, String> {
        let mut last = BTreeMap::new();
        for (key, value) in self.records(topic) {
            match value {
                Some(value) => last.insert(key.unwrap_or_default(), value),
                None => last.remove(&key.unwrap_or_default()),
            };
        }
        last
    }

    /// The values of a topic, sorted.
    pub(crate) fn appended(&self, topic: &str) -> Vec<String> {
        let mut values: Vec<String> =
            self.records(topic).into_iter().filter_map(|(_, value)| value).collect();
        values.sort();
        values
    }
}

/// Lets time pass on a log in memory.
struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits until a job has drained its input.
pub(crate) fn drained(job: Job) -> Result<(), JobError> {
    let deadline = Instant::now() + PATIENCE;
    while !job.has_ended() && !job.is_done(Until::Drained) {
        assert!(Instant::now() < deadline, "the job does not drain its input: {:?}", job.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    job.stop();
    job.join()
}

fn open_embedded(directory: &Path) -> Arc<dyn Log> {
    Arc::new(EmbeddedLog::open(directory.join("log"), &EmbeddedOptions::default()).unwrap())
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}
