//! A job with its log and its settings, from code and environment, run to its end.

use super::{Job, JobSettings, Until};
use crate::error::JobError;
use crate::log::{Log, LogError, TopicSpec};
use crate::worker::Guarantee;
use millstream_operators::Topology;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the environment may say: the variable, and what it is for.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("MILLSTREAM_LOG", "directory of the embedded log and of the job's state"),
    ("MILLSTREAM_BOOTSTRAP_SERVERS", "Kafka brokers to use instead: host:port, with commas between"),
    ("MILLSTREAM_STATE", "directory of the job's state"),
    ("MILLSTREAM_SNAPSHOTS", "where snapshots are kept: topic, off or a URL"),
    ("MILLSTREAM_WORKERS", "number of threads"),
    ("MILLSTREAM_MEMORY_MB", "memory that the process keeps to, in megabytes"),
    ("MILLSTREAM_COMMIT_INTERVAL_MS", "how long a commit may wait under load, milliseconds"),
    ("MILLSTREAM_GUARANTEE", "exactly-once or at-least-once"),
];

/// How a variable of the environment is read.
type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A job about to run: see [`Job::builder`].
#[must_use = "a job runs once run() or start() is called"]
pub struct JobBuilder {
    settings: JobSettings,
    log_choice: Option<LogChoice>,
    topics: Vec<TopicSpec>,
    until: Until,
    environment: Environment,
}

/// Which log.
enum LogChoice {
    Open(Arc<dyn Log>),
    #[cfg_attr(not(feature = "embedded"), allow(dead_code, reason = "there is no such log"))]
    Directory(PathBuf),
    #[cfg(feature = "kafka")]
    Kafka(crate::log::kafka::KafkaConfig),
}

impl std::fmt::Debug for JobBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Job {
    /// A job of this name: where its log is, how it runs, and then [`JobBuilder::run`].
    ///
    /// What code says holds where the environment says nothing: see [`ENVIRONMENT`].
    ///
    /// ```no_run
    /// use millstream_operators::typed::Program;
    /// use millstream_runtime::job::Job;
    ///
    /// let program = Program::new();
    /// program.read::<String>("words").key_by(|word| word.clone()).count().to("counts");
    /// Job::builder("word-count").directory("data").topic("words", 2).run(&program.topology()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(name: impl Into<String>) -> JobBuilder {
        JobBuilder {
            settings: JobSettings::new(name),
            log_choice: None,
            topics: Vec::new(),
            until: Until::Finished,
            environment: Arc::new(|name| std::env::var(name).ok()),
        }
    }
}

impl JobBuilder {
    /// Runs on a log that is open.
    pub fn log(mut self, log: Arc<dyn Log>) -> Self {
        self.log_choice = Some(LogChoice::Open(log));
        self
    }

    /// Runs on the embedded log in a directory, in `log` below it, with its state in `state` below it: as the command does
    /// with `--log`.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.log_choice = Some(LogChoice::Directory(directory.into()));
        self
    }

    /// Runs on Kafka. Its state is in memory, unless a directory is named for it.
    #[cfg(feature = "kafka")]
    pub fn kafka(mut self, config: crate::log::kafka::KafkaConfig) -> Self {
        self.log_choice = Some(LogChoice::Kafka(config));
        self
    }

    /// Makes a topic of input with so many partitions, where it is not there.
    pub fn topic(mut self, name: &str, partitions: u32) -> Self {
        self.topics.push(TopicSpec::new(name, partitions));
        self
    }

    /// Keeps the job's state in a directory.
    pub fn state(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.state_directory = Some(directory.into());
        self
    }

    /// Runs on so many threads.
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = workers;
        self
    }

    /// Ends when all input has been read and everything is committed, though more may come.
    pub fn until_drained(mut self) -> Self {
        self.until = Until::Drained;
        self
    }

    /// Changes any other setting.
    pub fn settings(mut self, change: impl FnOnce(&mut JobSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Leaves the environment alone.
    pub fn without_environment(mut self) -> Self {
        self.environment = Arc::new(|_| None);
        self
    }

    /// Starts the job and gives its handle.
    ///
    /// # Errors
    /// [`JobError`]: nothing was started.
    pub fn start(mut self, topology: &Topology) -> Result<Job, JobError> {
        self.read_environment()?;
        let log = self.open()?;
        let mut admin = log.admin()?;
        for topic in &self.topics {
            match admin.create_topic(topic) {
                Ok(()) | Err(LogError::TopicExists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        drop(admin);
        Job::start(topology, &log, &self.settings)
    }

    /// Runs the job until its input ends, or somebody interrupts the process: at Ctrl-C and SIGTERM it commits, keeps a
    /// checkpoint, leaves its group and ends; the next start goes on from there. At the second signal the process ends.
    ///
    /// # Errors
    /// [`JobError`] of the job.
    pub fn run(self, topology: &Topology) -> Result<(), JobError> {
        let (until, asked) = (self.until, Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            // The second finds the flag raised.
            let watched = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)));
            watched.map_err(|error| LogError::Client(format!("can't watch for signals: {error}")))?;
        }
        let job = self.start(topology)?;
        while !job.has_ended() && !asked.load(Ordering::Relaxed) && !job.is_done(until) {
            std::thread::sleep(Duration::from_millis(50));
        }
        job.stop();
        job.join()
    }

    fn read_environment(&mut self) -> Result<(), JobError> {
        let environment = Arc::clone(&self.environment);
        let said = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let number = |name: &'static str| match said(name).map(|value| (value.trim().parse::<usize>(), value))
        {
            None => Ok(None),
            Some((Ok(number), _)) if number > 0 => Ok(Some(number)),
            Some((_, value)) => Err(bad(name, format!("expected a number above 0, not \"{value}\""))),
        };
        if let Some(directory) = said("MILLSTREAM_LOG") {
            self.log_choice = Some(LogChoice::Directory(directory.into()));
        }
        if let Some(servers) = said("MILLSTREAM_BOOTSTRAP_SERVERS") {
            self.log_choice = Some(kafka_at(&servers)?);
        }
        if let Some(directory) = said("MILLSTREAM_STATE") {
            self.settings.state_directory = Some(directory.into());
        }
        if let Some(location) = said("MILLSTREAM_SNAPSHOTS") {
            let location =
                location.parse().map_err(|error| bad("MILLSTREAM_SNAPSHOTS", format!("{error}")))?;
            self.settings.snapshots = location;
        }
        if let Some(workers) = number("MILLSTREAM_WORKERS")? {
            self.settings.workers = workers;
        }
        if let Some(mb) = number("MILLSTREAM_MEMORY_MB")? {
            self.settings.memory_bytes = mb.saturating_mul(1 << 20);
        }
        if let Some(ms) = number("MILLSTREAM_COMMIT_INTERVAL_MS")? {
            self.settings.worker.commit_interval_ms = ms as _;
        }
        match said("MILLSTREAM_GUARANTEE").as_deref() {
            None => {}
            Some("exactly-once") => self.settings.worker.guarantee = Guarantee::ExactlyOnce,
            Some("at-least-once") => self.settings.worker.guarantee = Guarantee::AtLeastOnce,
            Some(other) => {
                let reason = format!("expected exactly-once or at-least-once, not \"{other}\"");
                return Err(bad("MILLSTREAM_GUARANTEE", reason));
            }
        }
        Ok(())
    }

    /// Opens the log; where it is a directory the state goes beside it.
    fn open(&mut self) -> Result<Arc<dyn Log>, JobError> {
        match self.log_choice.take() {
            Some(LogChoice::Open(log)) => Ok(log),
            Some(LogChoice::Directory(directory)) => self.open_directory(directory),
            #[cfg(feature = "kafka")]
            Some(LogChoice::Kafka(config)) => Ok(Arc::new(crate::log::kafka::KafkaLog::connect(config)?)),
            None => self.open_directory("millstream-data".into()),
        }
    }

    #[cfg(feature = "embedded")]
    fn open_directory(&mut self, directory: PathBuf) -> Result<Arc<dyn Log>, JobError> {
        use crate::log::embedded::{EmbeddedLog, EmbeddedOptions, find};
        let log = find(&directory)?.unwrap_or_else(|| directory.join("log"));
        let state = || directory.join("state").join(&self.settings.name);
        if self.settings.state_directory.is_none() {
            self.settings.state_directory = Some(state());
        }
        Ok(Arc::new(EmbeddedLog::open(log, &EmbeddedOptions::default())?))
    }

    #[cfg(not(feature = "embedded"))]
    fn open_directory(&mut self, _directory: PathBuf) -> Result<Arc<dyn Log>, JobError> {
        Err(bad(
            "MILLSTREAM_LOG",
            "this program was built without the embedded log (feature \"embedded\")".to_owned(),
        ))
    }
}

#[cfg(feature = "kafka")]
fn kafka_at(servers: &str) -> Result<LogChoice, JobError> {
    Ok(LogChoice::Kafka(crate::log::kafka::KafkaConfig::new(servers)))
}

#[cfg(not(feature = "kafka"))]
fn kafka_at(_servers: &str) -> Result<LogChoice, JobError> {
    Err(bad(
        "MILLSTREAM_BOOTSTRAP_SERVERS",
        "this program was built without Kafka (feature \"kafka\")".to_owned(),
    ))
}

fn bad(key: &'static str, reason: String) -> JobError {
    JobError::Setting { key, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &'static [(&'static str, &'static str)]) -> Result<JobSettings, JobError> {
        let find =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        assert!(variables.iter().all(|(key, _)| ENVIRONMENT.iter().any(|(known, _)| known == key)));
        let mut builder = Job::builder("job").workers(3);
        builder.environment = Arc::new(find);
        builder.read_environment()?;
        Ok(builder.settings)
    }

    #[test]
    fn the_environment_wins_over_the_code() {
        assert_eq!(with(&[]).unwrap().workers, 3);
        let settings = with(&[
            ("MILLSTREAM_WORKERS", "5"),
            ("MILLSTREAM_MEMORY_MB", "512"),
            ("MILLSTREAM_STATE", "/state"),
            ("MILLSTREAM_GUARANTEE", "at-least-once"),
            ("MILLSTREAM_COMMIT_INTERVAL_MS", "250"),
        ]);
        let settings = settings.unwrap();
        assert_eq!((settings.workers, settings.memory_bytes), (5, 512 << 20));
        assert_eq!(settings.state_directory, Some(PathBuf::from("/state")));
        assert_eq!(settings.worker.guarantee, Guarantee::AtLeastOnce);
        assert_eq!(settings.worker.commit_interval_ms, 250);
    }

    #[test]
    fn a_variable_that_makes_no_sense_is_named() {
        for variables in [
            &[("MILLSTREAM_WORKERS", "many")],
            &[("MILLSTREAM_WORKERS", "0")],
            &[("MILLSTREAM_GUARANTEE", "twice")],
            &[("MILLSTREAM_MEMORY_MB", "1 gb")],
        ] {
            let error = with(variables).unwrap_err();
            assert!(error.to_string().contains(variables[0].0), "{error}");
            assert_eq!(error.kind(), crate::log::ErrorKind::FixConfiguration);
        }
    }
}
