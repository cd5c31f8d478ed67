//! `millstream job`: jobs of a server, from elsewhere.

mod show;

use super::Failure;
use super::client::ServerArgs;
use super::job_file::read_text;
use super::output::print;
use super::progress::say;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long it is waited until a job has done what it was asked for.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Send a SQL file to the server, which runs it from now on
    ///
    /// It is planned first: with a mistake in it nothing changes. The server keeps it, over its own restarts too.
    Submit(SubmitArgs),
    /// List jobs with their states
    List(ListArgs),
    /// Show a job: its state with the error, tasks, operators
    Status(OneArgs),
    /// End a job for a while: it commits, and keeps its place
    Pause(ActArgs),
    /// Go on with a job that was paused or stopped, or has failed or finished
    Resume(ActArgs),
    /// End a job: it commits, and does not run until it is resumed or restarted
    Stop(ActArgs),
    /// End a job and start it again
    Restart(ActArgs),
    /// Forget a job that was submitted, after it has ended. Its topics and its state stay
    Remove(ActArgs),
    /// Show what has happened to a job
    Logs(LogsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// SQL file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the job [default: the file's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Put the file in the place of a job that was submitted by this name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputArg {
    /// For people
    Text,
    /// As the server answers
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t = OutputArg::Text)]
    output: OutputArg,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Name of the job
    name: String,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ActArgs {
    /// Name of the job
    name: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Name of the job
    name: String,
    /// Go on as more happens
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl JobCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            JobCommand::Submit(args) => args.run(),
            JobCommand::List(args) => {
                let jobs = args.server.json("GET", "/api/v1/jobs")?;
                args.print(&jobs, show::list)
            }
            JobCommand::Status(args) => {
                let job = args.list.server.json("GET", &path(&args.name, ""))?;
                args.list.print(&job, show::status)
            }
            JobCommand::Pause(args) => args.ask("pause", &["PAUSED"]),
            JobCommand::Resume(args) => args.ask("resume", RUNS),
            JobCommand::Stop(args) => args.ask("stop", &["STOPPED"]),
            JobCommand::Restart(args) => args.ask("restart", RUNS),
            JobCommand::Remove(args) => {
                args.server.ask("DELETE", &path(&args.name, ""), None)?;
                say(&format!("{} is removed; its topics and its state stay", args.name));
                Ok(())
            }
            JobCommand::Logs(args) => args.run(),
        }
    }
}

/// What becomes of a job that is started.
const RUNS: &[&str] = &["RUNNING", "DEGRADED", "RESTORING", "FINISHED"];

/// The path of a job. A name that is none is refused by the server, in whatever path it would make.
fn path(name: &str, below: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let encoded = name.bytes().map(|byte| match is_plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    format!("/api/v1/jobs/{}{below}", encoded.collect::<String>())
}

impl SubmitArgs {
    fn run(self) -> Result<(), Failure> {
        let (file, text) = read_text(&self.file)?;
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let stem = stem.filter(|_| self.file.as_os_str() != "-");
        let Some(name) = self.name.or(stem) else {
            return Err(Failure::Usage("name the job with --name: standard input has no name".to_owned()));
        };
        let sent = Some((file.as_str(), text.as_str()));
        let at = path(&name, "");
        match self.replace {
            true => self.server.ask("PUT", &at, sent)?,
            false => {
                let query = at.replacen("/api/v1/jobs/", "/api/v1/jobs?name=", 1);
                self.server.ask("POST", &query, sent)?
            }
        };
        say(&format!("{name} is submitted; millstream job status {name} shows how it is"));
        Ok(())
    }
}

impl ListArgs {
    fn print(&self, answer: &Value, as_text: fn(&Value) -> String) -> Result<(), Failure> {
        match self.output {
            OutputArg::Json => print(&format!("{answer:#}\n")),
            OutputArg::Text => print(&as_text(answer)),
        }
    }
}

impl ActArgs {
    /// Asks for something and waits until it is so.
    fn ask(self, what: &str, wanted: &[&str]) -> Result<(), Failure> {
        self.server.ask("POST", &path(&self.name, &format!("/{what}")), None)?;
        let begun = Instant::now();
        loop {
            let job = self.server.json("GET", &path(&self.name, ""))?;
            let state = job["state"].as_str().unwrap_or_default();
            if wanted.contains(&state) || begun.elapsed() > PATIENCE {
                say(&format!("{} is {state}", self.name));
                return Ok(());
            }
            // An error of the last time stands there until it is started.
            if state == "FAILED" && begun.elapsed() > PATIENCE / 10 {
                let error = job["error"].as_str().unwrap_or_default();
                return Err(Failure::Io(format!("{} is FAILED: {error}", self.name)));
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl LogsArgs {
    fn run(self) -> Result<(), Failure> {
        let mut last: Option<Value> = None;
        loop {
            let log = self.server.json("GET", &path(&self.name, "/log"))?;
            let lines = log.as_array().map(Vec::as_slice).unwrap_or_default();
            let known = last.as_ref().and_then(|last| lines.iter().rposition(|line| line == last));
            let new = &lines[known.map_or(0, |at| at + 1)..];
            print(&new.iter().map(show::log_line).collect::<String>())?;
            last = lines.last().cloned();
            if !self.follow {
                return Ok(());
            }
            std::thread::sleep(LOOK * 5);
        }
    }
}
