//! A job's file, as `run` and `check` take it.

use super::Failure;
use super::log_args::LogArgs;
use super::output::print;
use super::progress::say;
use super::settings::defaults;
use clap::Args;
use millstream::operators::records::names::job_name;
use millstream::sql::SqlJob;
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct JobFile {
    /// SQL file with the job's tables and statements; - for standard input, with --job or SET 'pipeline.name'
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the job: of its topics, its consumer group and its state [default: pipeline.name, or the file's name]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl JobFile {
    /// A file on the log there is.
    pub(crate) fn at(file: &str) -> Self {
        JobFile { file: file.into(), job: None, log: LogArgs::default() }
    }

    /// Reads and plans the file.
    ///
    /// # Errors
    /// [`Failure::Sql`] for what is wrong with it.
    pub(crate) fn plan(&self) -> Result<SqlJob, Failure> {
        self.plan_with_text().map(|(planned, _)| planned)
    }

    /// Reads and plans the file; gives its text as well.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub(crate) fn plan_with_text(&self) -> Result<(SqlJob, String), Failure> {
        let (name, text) = read_text(&self.file)?;
        let planned = defaults().plan(&name, &text)?;
        planned.warnings.lines().for_each(|warning| say(&format!("warning: {warning}")));
        Ok((planned, text))
    }

    /// Prints what its `SHOW` and `DESCRIBE` answer.
    ///
    /// # Errors
    /// When that can't be written.
    pub(crate) fn print_answers(job: &SqlJob) -> Result<(), Failure> {
        job.answers.iter().try_for_each(|answer| print(&answer.to_string()))
    }

    fn is_standard_input(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The file in words.
    pub(crate) fn describe(&self) -> String {
        described(&self.file)
    }

    /// The job's name.
    ///
    /// # Errors
    /// When it can't be part of a topic's name.
    pub(crate) fn name(&self, job: &SqlJob) -> Result<String, Failure> {
        let stem = || self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let stem = || stem().filter(|_| !self.is_standard_input());
        let of_pipeline = || job.settings.get("pipeline.name").cloned();
        let Some(name) = self.job.clone().or_else(of_pipeline).or_else(stem) else {
            return Err(Failure::Usage(format!(
                "{} has no name that the job could have: give it one with --job, or SET 'pipeline.name'",
                self.describe()
            )));
        };
        job_name(&name).map_err(|why| {
            let name = name.escape_debug();
            Failure::Usage(format!("no job can be called \"{name}\": {why}; give another name with --job"))
        })?;
        Ok(name)
    }
}

fn described(file: &Path) -> String {
    match file.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    }
}

/// A file in words, and its text; - is standard input.
///
/// # Errors
/// When it can't be read.
pub(crate) fn read_text(file: &Path) -> Result<(String, String), Failure> {
    let name = described(file);
    let read = match file.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => std::fs::read(file),
    };
    let bytes = read.map_err(|error| Failure::Io(format!("{name}: {error}")))?;
    let text = text_of(&name, bytes)?;
    Ok((name, text))
}

/// A file's text, without a byte order mark.
///
/// # Errors
/// When it is not UTF-8, with the place.
fn text_of(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let (line, column) =
            (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default());
        let column = column.chars().count() + 1;
        Failure::Io(format!("{name}:{line}:{column}: this byte is not UTF-8; save the file as UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
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
            job_settings: Vec::new(),
            warnings: millstream::sql::SqlErrors::default(),
            group: None,
            explain: String::new(),
            only_explain: false,
            answers: Vec::new(),
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
        assert!(
            name("jobs/my flights.sql", None, None).unwrap_err().contains("give another name with --job")
        );
        assert!(name("jobs/flights.sql", Some(&"x".repeat(151)), None).is_err());
        for job in ["..", ".", "a/b", "../a", "a\n", ""] {
            assert!(name("jobs/flights.sql", Some(job), None).is_err(), "{job:?}");
        }
        assert!(name("-", None, None).unwrap_err().contains("--job"));
        assert_eq!(name("-", None, Some("delays")).as_deref(), Ok("delays"));
        assert_eq!(name("-", Some("mine"), None).as_deref(), Ok("mine"));
    }

    #[test]
    fn a_file_may_begin_with_a_byte_order_mark_and_is_utf_8() {
        let text = |bytes: &[u8]| text_of("job.sql", bytes.to_vec()).map_err(|failure| failure.to_string());
        assert_eq!(text(b"\xef\xbb\xbfSET").as_deref(), Ok("SET"));
        let error = text("SET\n\u{e9}\u{e9}x".as_bytes()).map(|_| ());
        assert_eq!(error, Ok(()));
        let error = text(b"SET\n\xc3\xa9x\xe9 = 1").unwrap_err();
        assert!(error.starts_with("job.sql:2:3: "), "{error}");
    }
}
