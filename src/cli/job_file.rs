//! A job's file, as `run` and `check` take it.

use super::Failure;
use super::log_args::LogArgs;
use clap::Args;
use millstream::sql::{SqlJob, plan};
use std::path::PathBuf;

/// The longest name of a job: the names of its topics are a little longer, and bounded by the log.
const NAME_LENGTH_MAX: usize = 150;

#[derive(Debug, Args)]
pub(crate) struct JobFile {
    /// SQL file with the job's tables and statements
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the job: of its topics, its consumer group and its state [default: pipeline.name, or the file's name]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl JobFile {
    /// Reads and plans the file.
    ///
    /// # Errors
    /// [`Failure::Sql`] for what is wrong with it.
    pub(crate) fn plan(&self) -> Result<SqlJob, Failure> {
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file);
        let text = text.map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        Ok(plan(&name, &text)?)
    }

    /// The file in words.
    pub(crate) fn describe(&self) -> String {
        self.file.display().to_string()
    }

    /// The job's name.
    ///
    /// # Errors
    /// When it can't be part of a topic's name.
    pub(crate) fn name(&self, job: &SqlJob) -> Result<String, Failure> {
        let stem = || self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let of_pipeline = || job.settings.get("pipeline.name").cloned();
        let name = self.job.clone().or_else(of_pipeline).or_else(stem).unwrap_or_default();
        let legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
        if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(legal) {
            return Err(Failure::Usage(format!(
                "\"{name}\" can't be a job's name: it has up to {NAME_LENGTH_MAX} letters, digits, '.', '_' and '-'; \
                 give another with --job"
            )));
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn name(file: &str, job: Option<&str>, pipeline: Option<&str>) -> Result<String, String> {
        let settings = pipeline.map(|name| ("pipeline.name".to_owned(), name.to_owned()));
        let planned = SqlJob {
            topology: millstream::Topology::new(),
            settings: settings.into_iter().collect(),
            group: None,
            explain: String::new(),
            only_explain: false,
            bootstrap_servers: None,
            client_properties: BTreeMap::new(),
        };
        let file = JobFile { file: file.into(), job: job.map(str::to_owned), log: LogArgs::default() };
        file.name(&planned).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_job_is_called_as_it_is_told_then_as_its_pipeline_then_as_its_file() {
        assert_eq!(name("jobs/flights.sql", None, None).as_deref(), Ok("flights"));
        assert_eq!(name("jobs/flights.sql", None, Some("delays")).as_deref(), Ok("delays"));
        assert_eq!(name("jobs/flights.sql", Some("mine"), Some("delays")).as_deref(), Ok("mine"));
        assert!(name("jobs/my flights.sql", None, None).unwrap_err().contains("give another with --job"));
        assert!(name("jobs/flights.sql", Some(&"x".repeat(151)), None).is_err());
    }
}
