//! What the command line takes, and what it gives back.

mod ask;
mod bundle;
mod check;
mod client;
mod completions;
mod dead_letter;
mod diff;
mod doctor;
mod explain;
mod failure;
mod http_args;
mod job;
mod job_file;
mod log_args;
mod notify;
mod output;
mod postgres;
mod progress;
mod run;
mod savepoint;
mod serve;
mod settings;
mod signals;
mod sql;
mod state;
mod test;
mod text;
mod tls;
mod topic;
mod why;

pub(crate) use failure::Failure;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// Stream processing over a durable log.
///
/// A job is a SQL file in Flink's dialect. It reads topics, keeps state on disk, and writes topics, exactly once.
/// Topics live in an embedded log in a directory, or in Kafka when a broker is named; every command works alike on
/// both.
#[derive(Debug, Parser)]
#[command(name = "millstream", version, max_term_width = 100, after_long_help = failure::EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How much to say on standard error: error, warn, info, debug, or filters such as millstream_runtime=debug
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "MILLSTREAM_LOG_LEVEL",
        default_value = "warn",
        value_parser = log_level,
        help_heading = "Global options"
    )]
    log_level: String,

    /// File with settings, in place of millstream.toml in the working directory: see millstream settings --help [env:
    /// MILLSTREAM_CONFIG_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config_file: Option<PathBuf>,
}

/// Refuses what is no filter while the command line is being read.
fn log_level(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a SQL file as one job, in the foreground
    ///
    /// Ctrl-C commits, checkpoints and ends within 10 seconds; the next start goes on where this one ended. A process
    /// that is killed loses nothing either. Several processes of one job share its partitions when they run on Kafka,
    /// each with its own --state directory.
    Run(run::RunArgs),
    /// Ask a question of the tables of a SQL file
    ///
    /// A query outside of a job, over what the topics hold at the moment: append tables by their rows, upsert tables by the
    /// last row of each key. It is answered by the operators of a job, so that it means what a job means by it, and leaves
    /// nothing behind. On a terminal and without -e it is a shell.
    Sql(sql::SqlArgs),
    /// Run many jobs in one process, watched and operated over HTTP
    ///
    /// Jobs are the SQL files of a directory, and what is submitted with `millstream job submit`, on the page or over REST.
    /// Each runs on its own threads, all on one log: one that fails is started again with pauses, and its neighbours do not
    /// notice. Ctrl-C commits, checkpoints and ends; the next start goes on with all of them, as they were.
    Serve(serve::ServeArgs),
    /// Submit, look at and operate jobs of a server
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Say why a running job puts nothing out, or is behind
    ///
    /// Which partition holds the watermark back, where rows come to nothing, what is late or bad, what is waited for, and
    /// which transaction holds readers: from what a server (`millstream serve`, or `millstream run --http`) tells of the job,
    /// and with --log or --bootstrap-servers from its topics.
    Why(why::WhyArgs),
    /// Look whether machine, log and topics are in order, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Write what whoever helps has to see into one file, without secrets
    ///
    /// Versions, settings, plans, topics with their offsets, where groups and checkpoints stand, what the doctor says, and of
    /// a server (--server) metrics, status and last log lines. Records and values of state are not taken.
    DebugBundle(bundle::BundleArgs),
    /// Show every setting that holds, and who says it
    ///
    /// What is not given as an option may stand in millstream.toml or in the environment; what a job's file sets wins over
    /// both, and options win over all. Passwords and the like are not shown.
    Settings(settings::SettingsArgs),
    /// Print what completes this command's words in a shell
    Completions(completions::CompletionsArgs),
    /// Write the manual's pages into a directory
    #[command(hide = true)]
    Man(completions::ManArgs),
    /// Say whether a server is ready, as its probes do: for containers
    Health(client::ServerArgs),
    /// Copy a stopped job's state to a place that a job can start from
    ///
    /// A savepoint outlives the job: its topics, its journals, its snapshots and its state directory may all be removed
    /// afterwards. `millstream run FILE --from PLACE` starts the same job, or one whose file has changed, exactly where
    /// the savepoint stands: every record after it is processed once, none before it again.
    ///
    /// The job must not be running: stop it first (Ctrl-C, or SIGTERM). Its topics of input are not read meanwhile. What
    /// its tasks had sent each other through repartition topics is processed first, and results are written, as the next
    /// start of the job would have done. The job stands where the savepoint stands and can go on afterwards, too.
    Savepoint(savepoint::SavepointArgs),
    /// Plan a SQL file without running it
    ///
    /// Prints the plan. With --log or --bootstrap-servers, also looks whether the job could start on that log: whether
    /// its input topics are there and fit each other, and which topics it would create; with --from, whether it could start
    /// from that savepoint. Changes nothing.
    Check(check::CheckArgs),
    /// Say what a restart with another SQL file would make of a job's state
    ///
    /// Compares two files as a restart does: which operators go on with their state, which are new and begin empty, and
    /// what the job would be refused for. Needs no job and no log, and changes nothing.
    Diff(diff::DiffArgs),
    /// Say what an error means, or show the plan of a SQL file
    ///
    /// Every error of a SQL file has a code, as MS0501, and every code a page: what it means, an example, and what to do. With
    /// a file instead of a code, prints the plan of its job: its operators, their state and their topics.
    Explain(explain::ExplainArgs),
    /// Create, look at, fill and read topics
    #[command(subcommand)]
    Topic(topic::TopicCommand),
    /// Look at a job's state and snapshots on disk, and at savepoints
    #[command(subcommand)]
    State(state::StateCommand),
    /// Look at records that jobs could not use, and replay them
    #[command(subcommand, name = "dead-letter")]
    DeadLetter(dead_letter::DeadLetterCommand),
    /// Run the tests that stand in SQL files, without a broker
    ///
    /// A test stands in comments of its file, from `-- @test NAME` on. The job runs as it would, on a log in memory and under a
    /// clock that the test moves; each test runs twice, the second time with the process killed after every commit and its
    /// memory dropped, and then every commit is run again: what comes out has to be the same.
    Test(test::TestArgs),
    /// Print the version, as --version does
    Version,
}

/// Typing errors of a command that is still recognised.
const TYPING_ERRORS: usize = 2;

/// The error with the command that is meant by one that there is not, where none is near enough for clap: `rnu`.
fn meant(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(tried)) = error.get(ContextKind::InvalidSubcommand).cloned() else {
        return error;
    };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut command = Cli::command();
    for word in words.iter().take_while(|word| **word != tried) {
        command = command.find_subcommand(word).cloned().unwrap_or(command);
    }
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    let near = names.map(|name| (strsim::osa_distance(&name, &tried), name)).min();
    if let Some((_, name)) = near.filter(|(errors, name)| *errors <= TYPING_ERRORS.min(name.len() / 3)) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name]));
    }
    error
}

impl Cli {
    /// Reads the command line of this process. What is wrong with it is said, and the process ends.
    pub(crate) fn read() -> Self {
        let read = settings::read(Cli::command)
            .and_then(|matches| Cli::from_arg_matches(&matches).map_err(settings::Unread::Line));
        match read {
            Ok(cli) => cli,
            Err(settings::Unread::Line(error)) => meant(error).exit(),
            Err(settings::Unread::Said(failure)) => millstream::exit_now(failure.report()),
        }
    }

    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Run(args) => args.run(),
            Command::Sql(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Job(command) => command.run(),
            Command::Why(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::DebugBundle(args) => args.run(),
            Command::Settings(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
            Command::Health(server) => {
                let answer = server.send("GET", "/readyz", None)?;
                match answer.status {
                    200 => output::print(&answer.body),
                    _ => Err(Failure::Io(answer.body.trim_end().to_owned())),
                }
            }
            Command::Savepoint(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Diff(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Topic(command) => command.run(),
            Command::State(command) => command.run(),
            Command::DeadLetter(command) => command.run(),
            Command::Test(args) => args.run(),
            Command::Version => output::print(&Cli::command().render_version()),
        }
    }
}

/// Sends what the crates log to standard error, above the live display.
pub(crate) fn init_logging(cli: &Cli) {
    // It was looked at before.
    let filter = EnvFilter::try_new(&cli.log_level).unwrap_or_else(|_| EnvFilter::new("warn"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(progress::above_display);
    if std::io::stderr().is_terminal() {
        logging.without_time().init();
    } else {
        logging.with_ansi(false).init();
    }
}
