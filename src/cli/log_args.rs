//! Which log a command works on.

use super::Failure;
use super::progress::say;
use super::settings::{Origin, Said, said};
use clap::Args;
use millstream::MemoryPlan;
use millstream::log::embedded::{self, EmbeddedLog, EmbeddedOptions, open_or_connect};
use millstream::log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream::log::{Log, LogError};
use millstream::sql::SqlJob;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The directory of the embedded log, and of the state of jobs, when none is named.
const DEFAULT_DIRECTORY: &str = "./millstream-data";
/// How long a job waits for whoever has its log.
const OTHERS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it does so before it says who has it.
const SAY_AFTER: Duration = Duration::from_millis(300);
/// Where the help lists these arguments.
const LOG: &str = "Log";

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogArgs {
    /// Directory of the embedded log and of the state of jobs, in log and state below it; or that of a log itself [default:
    /// ./millstream-data]
    #[arg(long, value_name = "DIR", conflicts_with = "bootstrap_servers", help_heading = LOG)]
    log: Option<PathBuf>,
    /// Kafka brokers to use instead of the embedded log, for example 127.0.0.1:9092
    #[arg(long, value_name = "HOST:PORT", help_heading = LOG)]
    bootstrap_servers: Option<String>,
    /// File with properties of the Kafka client, one key=value a line: the place for passwords
    #[arg(long, value_name = "FILE", conflicts_with = "log", help_heading = LOG)]
    client_config: Option<PathBuf>,
    /// Property of the Kafka client by librdkafka's name, for example security.protocol=ssl. Can be given several
    /// times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value, conflicts_with = "log", help_heading = LOG)]
    client_property: Vec<(String, String)>,
}

/// `KEY=VALUE`.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// The options that name the log of this command, for commands that it advises: each with a space in front.
static CHOSEN: OnceLock<String> = OnceLock::new();

/// Options by which another command works on the same log; none where no log was chosen or the default was.
pub(crate) fn chosen() -> &'static str {
    CHOSEN.get().map_or("", String::as_str)
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:,=@%+".contains(char);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A log that was chosen and is not open yet.
#[derive(Debug)]
pub(crate) enum ChosenLog {
    /// In this directory.
    Embedded(PathBuf),
    /// A cluster.
    Kafka(KafkaConfig),
}

impl LogArgs {
    /// The directory below which a job keeps its state when none is named.
    pub(crate) fn data_directory(&self) -> PathBuf {
        self.log.clone().unwrap_or_else(|| DEFAULT_DIRECTORY.into())
    }

    /// The directory of a job's state, when none is named for it.
    pub(crate) fn state_of(&self, job: &str) -> PathBuf {
        self.states().join(job)
    }

    /// The directory of the states of jobs.
    pub(crate) fn states(&self) -> PathBuf {
        let data = said().below("data").filter(|_| !said().is_flag("log"));
        data.map_or_else(|| self.data_directory(), |data| PathBuf::from(&data.value)).join("state")
    }

    /// Whether a log was named to this command: not whether others were told of it in a file.
    pub(crate) fn is_given(&self) -> bool {
        said().is_flag("log") || said().is_flag("bootstrap-servers")
    }

    /// Properties of the client that whoever runs the command says, each with its place. The later win.
    ///
    /// # Errors
    /// For a file of properties that can't be read.
    pub(crate) fn said_properties(&self) -> Result<Vec<(String, Said)>, Failure> {
        let of_settings = said().client().iter().map(|(key, said)| (key.clone(), said.clone()));
        let mut all: Vec<(String, Said)> = of_settings.collect();
        if let Some(file) = &self.client_config {
            all.extend(read_properties(file)?);
        }
        all.extend(self.client_property.iter().map(|(key, value)| {
            let origin = Origin::Flag("client-property".to_owned());
            (key.clone(), Said { value: value.clone(), origin })
        }));
        Ok(all)
    }

    /// The log of these arguments, or the one a job's file names where they name none.
    ///
    /// # Errors
    /// For properties that can't be set.
    pub(crate) fn choose(&self, job: Option<&SqlJob>) -> Result<ChosenLog, Failure> {
        let of_job = job.and_then(|job| job.bootstrap_servers.as_deref());
        // What a job's file names wins over settings, and options over both.
        let (log, servers) =
            match of_job.filter(|_| said().is_below("log") || said().is_below("bootstrap-servers")) {
                Some(servers) => (None, Some(servers)),
                None => (self.log.as_ref(), self.bootstrap_servers.as_deref()),
            };
        let servers = match log {
            Some(_) => None,
            None => servers.or(of_job),
        };
        let _ = CHOSEN.set(self.in_words(servers));
        let of_command = self.client_config.is_some() && !said().is_below("client-config");
        let given = of_command || !self.client_property.is_empty();
        let Some(servers) = servers else {
            if given {
                let message = "properties of the Kafka client need --bootstrap-servers";
                return Err(Failure::Usage(message.to_owned()));
            }
            let directory = self.data_directory();
            let found = embedded::find(&directory)?;
            return Ok(ChosenLog::Embedded(found.unwrap_or_else(|| directory.join("log"))));
        };
        let mut config = KafkaConfig::new(servers);
        for (key, value) in job.iter().flat_map(|job| &job.client_properties) {
            config = config.with_java(key, value, PropertySource::Job)?;
        }
        for (key, said) in self.said_properties()? {
            config = config.with(&key, &said.value, PropertySource::Operator)?;
        }
        Ok(ChosenLog::Kafka(config))
    }

    /// These options as they are written, of a cluster that may be named elsewhere. Properties are left out: they may be
    /// secrets.
    fn in_words(&self, servers: Option<&str>) -> String {
        let options = [
            ("--bootstrap-servers", servers.map(str::to_owned)),
            ("--log", self.log.as_ref().map(|directory| directory.display().to_string())),
            ("--client-config", self.client_config.as_ref().map(|file| file.display().to_string())),
        ];
        let given =
            options.into_iter().filter_map(|(name, value)| Some(format!(" {name} {}", quoted(&value?))));
        given.collect()
    }

    /// The log for topic commands: an embedded one that another process has is reached through that process. `create`
    /// makes an embedded one that is not there.
    ///
    /// # Errors
    /// When it can't be opened or reached.
    pub(crate) fn open_for_topics(&self, create: bool) -> Result<Arc<dyn Log>, Failure> {
        self.choose(None)?.open_for_topics(create)
    }
}

impl ChosenLog {
    /// See [`LogArgs::open_for_topics`].
    pub(crate) fn open_for_topics(self, create: bool) -> Result<Arc<dyn Log>, Failure> {
        match self {
            ChosenLog::Kafka(config) => Ok(Arc::new(KafkaLog::connect(config)?)),
            ChosenLog::Embedded(directory) => {
                if !create && !directory.join("format").exists() {
                    return Err(Failure::Io(format!(
                        "there is no log in {}; millstream topic create makes one, --log names another directory",
                        directory.display()
                    )));
                }
                Ok(open_or_connect(directory, &EmbeddedOptions { create, ..EmbeddedOptions::default() })?)
            }
        }
    }

    /// The log for a job that keeps to `memory`: an embedded one belongs to this process. A topic command may have it
    /// for a moment.
    ///
    /// # Errors
    /// When it can't be opened or reached.
    pub(crate) fn open_for_job(self, memory: &MemoryPlan) -> Result<Arc<dyn Log>, Failure> {
        match self {
            ChosenLog::Kafka(mut config) => {
                config.write_queue_bytes_max = config.write_queue_bytes_max.min(2 * memory.outbox);
                Ok(Arc::new(KafkaLog::connect(config)?))
            }
            ChosenLog::Embedded(directory) => {
                let mut options = EmbeddedOptions::default();
                options.tail_bytes_max = options.tail_bytes_max.min(memory.log / 2);
                options.write_buffer_bytes = options.write_buffer_bytes.min(memory.log / 2);
                let (begun, mut said) = (Instant::now(), false);
                loop {
                    match EmbeddedLog::open(&directory, &options) {
                        Err(error @ LogError::InUse { .. }) if begun.elapsed() < OTHERS_TIMEOUT => {
                            // Not for a topic command that is about to end.
                            if !said && begun.elapsed() > SAY_AFTER {
                                say(&format!("waiting for {} s: {error}", OTHERS_TIMEOUT.as_secs()));
                                said = true;
                            }
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        opened => return Ok(Arc::new(opened?)),
                    }
                }
            }
        }
    }
}

/// Properties of a file: `key=value` a line, `#` begins a comment.
fn read_properties(path: &Path) -> Result<Vec<(String, Said)>, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::Io(format!("{}: {error}", path.display())))?;
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parse = |(number, line)| {
        // The line may hold a password: it is not shown.
        let (key, value) = key_value(line)
            .map_err(|error| Failure::Usage(format!("{}, line {number}: {error}", path.display())))?;
        Ok((key, Said { value, origin: Origin::File(format!("{}:{number}", path.display())) }))
    };
    lines.map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_advised_names_the_log_of_the_one_that_failed() {
        let args = |log: Option<&str>| LogArgs { log: log.map(PathBuf::from), ..LogArgs::default() };
        assert_eq!(args(None).in_words(None), "");
        assert_eq!(args(Some("my data")).in_words(None), " --log 'my data'");
        assert_eq!(args(None).in_words(Some("a:9092,b:9092")), " --bootstrap-servers a:9092,b:9092");
        let secured = LogArgs { client_config: Some("c.properties".into()), ..args(None) };
        assert_eq!(secured.in_words(Some("a:1")), " --bootstrap-servers a:1 --client-config c.properties");
    }
}
