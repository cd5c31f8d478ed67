//! `millstream doctor`: whether this machine, the log and the topics are what jobs need, and what to do where they are not.

mod brokers;
mod log;
mod machine;
pub(super) mod topics;

use super::Failure;
use super::job_file::{JobFile, read_text};
use super::log_args::LogArgs;
use super::output::print;
use super::settings::defaults;
use clap::Args;
use millstream::sql::error::code;
use millstream::sql::{SqlErrors, SqlJob, relations};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Looks, and changes nothing, but for a file that it writes to the disk of the state and removes, and on Kafka a transaction \
that it begins and aborts.

Exit codes: 0 nothing is wrong, 2 wrong command line, 3 wrong SQL, 4 something is wrong")]
pub(crate) struct DoctorArgs {
    /// SQL file of a job, or of tables: their topics are looked at, too
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

/// What a file asks for: a job, or where it only declares tables, a question about each of them that can be read.
#[derive(Default)]
struct Jobs {
    job: Option<SqlJob>,
    tables: Vec<SqlJob>,
}

impl Jobs {
    fn of(name: &str, text: &str) -> Result<Self, SqlErrors> {
        let errors = match defaults().plan(name, text) {
            Ok(job) => return Ok(Jobs { job: Some(job), ..Jobs::default() }),
            Err(errors) => errors,
        };
        // That there is nothing to run stands at the end of the text, and at no word.
        let declares_only = matches!(errors.errors.as_slice(), [error]
            if error.code == code::STATEMENT && error.span.start == error.span.end);
        let tables = relations(text).into_iter().filter(|relation| declares_only && relation.kind == "table");
        let asked = tables.filter_map(|table| {
            let all = format!("SELECT * FROM `{}`", table.name.replace('`', "``"));
            // One that is only written can't be asked.
            defaults().ask(name, text, &all, false).ok()
        });
        let tables: Vec<SqlJob> = asked.map(|question| question.job).collect();
        if tables.is_empty() { Err(errors) } else { Ok(Jobs { job: None, tables }) }
    }
}

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    /// Jobs run, but not as they could.
    Poor,
    /// Jobs do not run.
    Bad,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    mark: Mark,
    what: &'static str,
    pub(super) found: String,
    /// What to do, where it is not good.
    pub(super) help: Option<String>,
}

fn good(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { mark: Mark::Good, what, found: found.into(), help: None }
}

fn poor(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding { mark: Mark::Poor, what, found: found.into(), help: Some(help.into()) }
}

fn bad(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding { mark: Mark::Bad, what, found: found.into(), help: Some(help.into()) }
}

impl Finding {
    fn line(&self) -> String {
        let mark = match self.mark {
            Mark::Good => "ok   ",
            Mark::Poor => "poor ",
            Mark::Bad => "BAD  ",
        };
        let help = self.help.as_ref().map_or_else(String::new, |help| format!("\n        {}", help));
        let found = self.found.lines().next().unwrap_or_default();
        format!("{mark}{:<13} {found}{help}\n", self.what)
    }
}

impl DoctorArgs {
    /// A look at this file and this log.
    pub(super) fn of(file: Option<PathBuf>, log: LogArgs) -> Self {
        DoctorArgs { file, log }
    }

    pub(super) fn run(self) -> Result<(), Failure> {
        let mut worst = Mark::Good;
        self.look(&mut |findings| {
            for finding in findings {
                if finding.mark == Mark::Bad {
                    worst = Mark::Bad;
                }
                print(&finding.line())?;
            }
            Ok(())
        })?;
        match worst {
            Mark::Bad => Err(Failure::Io("something is wrong: see the lines that begin with BAD".to_owned())),
            Mark::Good | Mark::Poor => Ok(()),
        }
    }

    /// What it finds, as one text.
    ///
    /// # Errors
    /// As [`DoctorArgs::run`], of the file and the options.
    pub(super) fn told(&self) -> Result<String, Failure> {
        let mut text = String::new();
        self.look(&mut |findings| {
            text.extend(findings.iter().map(Finding::line));
            Ok(())
        })?;
        Ok(text)
    }

    /// Looks at one thing after the other, and tells of each when it has been looked at.
    fn look(&self, tell: &mut dyn FnMut(Vec<Finding>) -> Result<(), Failure>) -> Result<(), Failure> {
        let jobs = match &self.file {
            Some(file) => {
                let (name, text) = read_text(file)?;
                Jobs::of(&name, &text)?
            }
            None => Jobs::default(),
        };
        tell(machine::look(&self.log.data_directory()))?;
        let any = jobs.job.as_ref().or(jobs.tables.first());
        let asked: Vec<topics::Topic> =
            jobs.job.iter().chain(&jobs.tables).flat_map(topics::of_job).collect();
        let (findings, log) = log::look(self.log.choose(any)?, &asked);
        tell(findings)?;
        if let Some(log) = &log {
            let name = jobs.job.as_ref().map(|job| self.name(job)).transpose()?;
            tell(topics::look(log, &jobs, name.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn name(&self, job: &SqlJob) -> Result<String, Failure> {
        let file = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        JobFile::at(&file).name(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_with_what_to_do_below() {
        assert_eq!(good("disk", "7 GiB free").line(), "ok   disk          7 GiB free\n");
        let line = bad("log", "refused\nand more", "start it").line();
        assert_eq!(line, "BAD  log           refused\n        start it\n");
        assert_eq!(poor("files", "1024", "ulimit -n 65536").mark, Mark::Poor);
    }
}
