//! One process of a job: what it does, and how a test holds it.

use millstream_operators::Topology;
use millstream_operators::typed::Program;
use millstream_runtime::Rules;
use millstream_runtime::job::{Job, JobSettings};
use millstream_runtime::log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_runtime::log::{
    Admin, CommittedOffset, EndOutcome, GroupMetadata, Log, LogError, LogInfo, Member, MemberOptions, Offset,
    Reader, ReaderOptions, Records, TopicPartition, TransactionError, TransactionOptions,
    TransactionalWriter, Writer,
};
use millstream_runtime::worker::WorkerSettings;
use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How a process is told what it is for.
const SPEC: &str = "MILLSTREAM_TEST_PROCESS";
/// A file that makes a process stop once, between the offsets of a transaction and its end.
pub(crate) const STOP: &str = "stop";
/// The same file once that has happened.
pub(crate) const STOPPED: &str = "stopped";
/// A file that lets a process that was stopped go on, once it is continued.
pub(crate) const GO_ON: &str = "go-on";
/// A file that makes a process leave.
pub(crate) const LEAVE: &str = "leave";
/// Where a process says what it is doing.
pub(crate) const STATUS: &str = "status";

/// What a process runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) bootstrap: String,
    /// Its name: the one the proxy knows it by.
    pub(crate) client: String,
    /// Which client it reads and writes by.
    pub(crate) kafka_client: String,
    pub(crate) job: String,
    /// Where its state, its log and what it is told are.
    pub(crate) directory: PathBuf,
    pub(crate) workers: usize,
    pub(crate) session_timeout_ms: u64,
    pub(crate) transaction_timeout_ms: u64,
    /// Rules that are switched off.
    pub(crate) without: Vec<String>,
}

/// What a process is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) running: Vec<String>,
    /// Tasks that are not running yet, and what they wait for.
    pub(crate) taken_over: Vec<(String, String)>,
    pub(crate) commits: u64,
    pub(crate) in_doubt: u64,
    pub(crate) writers_replaced: u64,
    pub(crate) fences: u64,
}

/// A line of input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) text: String,
}

/// Every word as it comes, and how often each has come.
fn topology(job: &str) -> Topology {
    let program = Program::new();
    let words = program
        .read::<Line>(&format!("{job}-lines"))
        .flat_map(|line| line.text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.clone().to(&format!("{job}-words"));
    words.key_by(|word| word.clone()).count().to(&format!("{job}-counts"));
    program.topology().expect("a topology that is whole")
}

impl Spec {
    pub(crate) fn from_env() -> Option<Self> {
        let text = std::env::var(SPEC).ok()?;
        Some(serde_json::from_str(&text).expect("what a test has written"))
    }

    pub(crate) fn to_env(&self) -> (&'static str, String) {
        (SPEC, serde_json::to_string(self).expect("strings and numbers are JSON"))
    }

    fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        for name in &self.without {
            let rule = match name.as_str() {
                "wait_for_pending" => &mut rules.wait_for_pending,
                "read_to_true_end" => &mut rules.read_to_true_end,
                "compare_with_group" => &mut rules.compare_with_group,
                _ => panic!("no rule {name}"),
            };
            *rule = false;
        }
        rules
    }
}

/// Runs a process of a job until it is told to leave, or killed.
pub(crate) fn run(spec: &Spec) {
    // Also one that is stopped ends with the test that has started it.
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a signal");
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();

    let config = KafkaConfig::new(&spec.bootstrap)
        .with("client.id", &spec.client, PropertySource::Job)
        .and_then(|config| config.with("kafka.client", &spec.kafka_client, PropertySource::Job))
        .expect("a property that may be set");
    let kafka = KafkaLog::connect(config).expect("the broker answers");
    let words: Arc<str> = format!("{}-words", spec.job).into();
    let log: Arc<dyn Log> = Arc::new(StoppingLog { kafka, directory: spec.directory.clone(), words });
    let worker = WorkerSettings { rules: spec.rules(), heal_interval_ms: 1_000, ..WorkerSettings::default() };
    let settings = JobSettings {
        workers: spec.workers,
        state_directory: Some(spec.directory.join("state")),
        session_timeout_ms: spec.session_timeout_ms,
        transaction_timeout_ms: spec.transaction_timeout_ms,
        worker,
        ..JobSettings::new(&spec.job)
    };
    let job = Job::start(&topology(&spec.job), &log, &settings).expect("the job starts");
    while !job.has_ended() {
        if spec.directory.join(LEAVE).exists() {
            job.stop();
        }
        write_status(&spec.directory, &job);
        std::thread::sleep(Duration::from_millis(20));
    }
    job.join().expect("the job goes on");
}

fn write_status(directory: &Path, job: &Job) {
    let mut status = Status::default();
    for worker in job.status() {
        status.commits += worker.commits;
        status.in_doubt += worker.in_doubt;
        status.writers_replaced += worker.writers_replaced;
        status.fences += worker.fences;
        for task in worker.tasks {
            match task.state {
                "running" => status.running.push(task.id.to_string()),
                _ => status.taken_over.push((task.id.to_string(), task.waits_for.unwrap_or_default())),
            }
        }
    }
    let text = serde_json::to_string(&status).expect("strings and numbers are JSON");
    let fresh = directory.join("status.new");
    std::fs::write(&fresh, text).expect("a file in the test's directory");
    std::fs::rename(fresh, directory.join(STATUS)).expect("a file in the test's directory");
}

/// A log whose transactional writers can be told to stop the process.
struct StoppingLog {
    kafka: KafkaLog,
    directory: PathBuf,
    words: Arc<str>,
}

struct StoppingWriter {
    writer: Box<dyn TransactionalWriter>,
    directory: PathBuf,
    words: Arc<str>,
    /// Whether words are in the open transaction.
    has_words: bool,
}

impl Log for StoppingLog {
    fn info(&self) -> LogInfo {
        self.kafka.info()
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        self.kafka.admin()
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        self.kafka.reader(options)
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        self.kafka.writer()
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        self.kafka.member(options)
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        let writer = self.kafka.transactional_writer(options)?;
        let (directory, words) = (self.directory.clone(), Arc::clone(&self.words));
        Ok(Box::new(StoppingWriter { writer, directory, words, has_words: false }))
    }
}

impl TransactionalWriter for StoppingWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        self.writer.init()
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.has_words = false;
        self.writer.begin()
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        self.has_words |= place.topic == self.words;
        self.writer.write(place, records)
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        self.writer.flush()
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        self.writer.send_offsets(offsets, member)?;
        if self.has_words && std::fs::rename(self.directory.join(STOP), self.directory.join(STOPPED)).is_ok()
        {
            tracing::info!("stopping, with a transaction open");
            kill_process(getpid(), Signal::STOP).expect("a signal");
            // The signal stops one thread after the other; this one may be the last.
            while !self.directory.join(GO_ON).exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            tracing::info!("going on");
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        self.writer.commit()
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        self.writer.abort()
    }
}
