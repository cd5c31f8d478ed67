//! `millstream run`: a job in the foreground.

pub(super) mod settings;
mod watch;

use super::http_args::HttpArgs;
use super::job_file::JobFile;
use super::output::{counted, print};
use super::postgres::OneJob;
use super::progress::{beside_display, say};
use super::settings::{memory_mib, said};
use super::{Failure, signals};
use clap::Args;
use millstream::job::Printer;
use millstream::log::{Isolation, Log, LogError, Offset, OffsetQuery, TopicPartition};
use millstream::operators::PrintedLine;
use millstream::savepoint::OpenSavepoint;
use millstream::snapshot::SnapshotLocation;
use millstream::sql::SqlJob;
use millstream::worker::WorkerStatus;
use millstream::{Job, JobSettings, Until};
use millstream_server::{Board, PlanNode};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use watch::Watch;

/// How often it is looked what the job is doing.
const LOOK: Duration = Duration::from_millis(100);
/// How many partitions a message lists.
const PLACES_SHOWN_MAX: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the job has ended or was asked to end, and everything is committed; 2 wrong command line, setting or right; \
3 wrong SQL, or topics that do not fit; 4 the log or standard output failed, or a record could not be processed; 5 the \
state directory failed or is damaged; 6 going on would lose or repeat records; 70 a defect, please report it; 75 the log \
was not ready in time, or the Kafka client hung: start again; 130 interrupted before everything was committed")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    file: JobFile,
    /// Directory of the job's state [default: state/JOB below --log]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where snapshots of the job's state are kept, so that it can move to an empty machine: topic, off, or a URL such as
    /// file:///directory [default: a topic on Kafka, a directory in the embedded log]
    #[arg(long, value_name = "PLACE")]
    snapshots: Option<SnapshotLocation>,
    /// Start from this savepoint (see millstream savepoint --help): a directory, or a URL that every process of the job
    /// can reach. The job must have no history under its name: give it another with --job, or remove its topics. Can be
    /// left out, or given again, once the job has been started from it
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// With --from, a topic that was deleted and made anew since: it is read from its beginning, and all state is kept. Can
    /// be given several times
    #[arg(long, value_name = "TOPIC", requires = "from")]
    restart_topic: Vec<String>,
    /// Bytes that a task writes to its journal between two snapshots [default: millstream.snapshot-bytes, or 64 MiB]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_bytes: Option<u64>,
    /// Number of workers: threads that share the job's tasks [default: parallelism.default, or 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    workers: Option<u16>,
    /// Commit and end once the input is drained. Windows that the watermark leaves open stay open, for the next run to
    /// go on with; bounded input closes them all and ends the job by itself
    #[arg(long)]
    exit_when_idle: bool,
    /// Records that each worker takes in a second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Memory that the process keeps to: MiB, or a size as 2 gb [default: millstream.memory, or 1 gb]
    #[arg(long, value_name = "MIB", value_parser = memory_mib)]
    memory: Option<u32>,
    #[command(flatten)]
    http: HttpArgs,
}

impl RunArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (planned, text) = self.file.plan_with_text()?;
        let name = self.file.name(&planned)?;
        JobFile::print_answers(&planned)?;
        if planned.only_explain {
            return print(&planned.explain);
        }
        let board = Board::new();
        let server = self.http.serve(&board)?;
        board.begin(&name, PlanNode::of(&planned.topology));
        let asked_to_end = signals::watch(Some("ending: committing what has been read"))?;
        let state = self.state.clone();
        let state = state.unwrap_or_else(|| self.file.log.state_of(&name));
        let mut settings = self.settings(name, &planned);
        settings.state_directory = Some(state.clone());
        settings.print = printer();
        let from = self.from.as_deref().map(OpenSavepoint::open).transpose()?;
        let log = self.file.log.choose(Some(&planned))?.open_for_job(&settings.memory())?;
        let from = from.map(|from| from.restarting(&self.restart_topic, &mut *log.admin()?)).transpose()?;
        settings.from = from.map(Arc::new);
        let asked = OneJob { name: settings.name.clone(), text: text.into(), log: Arc::clone(&log) };
        let _postgres = self.http.serve_postgres(asked)?;
        let job = Job::start(&planned.topology, &log, &settings)?;
        for topic in job.made_topics() {
            say(&format!("created topic {topic}"));
        }
        for operator in job.plan().new_operators() {
            say(&format!(
                "{operator} is new and begins empty: it counts what comes from where the job stands"
            ));
        }
        let log = Arc::clone(job.log());
        let info = log.info();
        let guarantee = settings.worker.guarantee;
        say(&format!("running {} on the {} log at {}, {guarantee}", settings.name, info.kind, info.location));
        if let Some(from) = &settings.from {
            say(&format!("from the savepoint of job {} in {}", from.savepoint.job, from.location));
        }
        let until = if self.exit_when_idle { Until::Drained } else { Until::Finished };
        let mut watch = Watch::new(&settings.name, state);
        let name = settings.name.as_str();
        let look = |status: Vec<WorkerStatus>| {
            if server.is_some() {
                board.look(name, status);
            }
        };
        let ended = attend(job, until, &asked_to_end, &mut watch, look);
        watch.close(ended.is_ok());
        if ended.is_ok() && !watch.ended().is_empty() {
            say_what_is_not_read(&*log, &watch)?;
        }
        ended
    }
}

impl RunArgs {
    /// How the job runs: as its file says, and as options say where they say something.
    fn settings(&self, name: String, planned: &SqlJob) -> JobSettings {
        let mut settings = JobSettings::new(name);
        settings.group.clone_from(&planned.group);
        let memory = self.memory.map(|mib| (mib as usize) << 20);
        settings.memory_bytes = memory.unwrap_or(settings.memory_bytes);
        settings::apply(&planned.job_settings, &mut settings);
        if let Some(memory) = memory.filter(|_| said().is_flag("memory")) {
            settings.memory_bytes = memory;
        }
        if let Some(workers) = self.workers {
            settings.workers = usize::from(workers);
        }
        if let Some(snapshots) = &self.snapshots {
            settings.snapshots = snapshots.clone();
        }
        if let Some(bytes) = self.snapshot_bytes {
            settings.worker.snapshot_journal_bytes = bytes;
        }
        if self.rate.is_some() {
            settings.worker.records_per_second = self.rate;
        }
        settings
    }
}

/// Of bounded input that has been read to its end: says where that was all that there was to do, and what has come since.
fn say_what_is_not_read(log: &dyn Log, watch: &Watch) -> Result<(), Failure> {
    let anew = "millstream run FILE --job NAME reads the topics from the beginning, as another job";
    let (places, ends): (Vec<TopicPartition>, Vec<Offset>) = watch.ended().iter().cloned().unzip();
    let now = match log.admin()?.offsets(&places, OffsetQuery::Latest, Isolation::ReadCommitted) {
        Ok(now) => now,
        // A topic may be gone by now; what the job did stands.
        Err(LogError::UnknownTopic(_)) => ends.clone(),
        Err(error) => return Err(error.into()),
    };
    let behind = places.iter().zip(ends.iter().zip(&now)).filter(|(_, (end, now))| now > end);
    let behind: Vec<String> =
        behind.map(|(place, (end, now))| format!("{place} from offset {end} to {now}")).collect();
    if watch.did_nothing() {
        say("nothing to do: this job had read its bounded input to the end before");
    }
    if !behind.is_empty() {
        let more = behind.len().saturating_sub(PLACES_SHOWN_MAX);
        let more =
            if more > 0 { format!(" and {} more", counted(more as u64, "partition")) } else { String::new() };
        let behind = behind[..behind.len().min(PLACES_SHOWN_MAX)].join(", ") + &more;
        say(&format!("not read: {behind}; the ends of bounded input were fixed when the job first started"));
    }
    if watch.did_nothing() || !behind.is_empty() {
        say(anew);
    }
    Ok(())
}

/// Stays with a job until it has ended.
fn attend(
    job: Job,
    until: Until,
    asked_to_end: &AtomicBool,
    watch: &mut Watch,
    look: impl Fn(Vec<WorkerStatus>),
) -> Result<(), Failure> {
    let mut stopping = false;
    while !job.has_ended() {
        if !stopping && (asked_to_end.load(Ordering::Relaxed) || job.is_done(until)) {
            job.stop();
            stopping = true;
        }
        let status = job.status();
        watch.look(&status);
        look(status);
        std::thread::sleep(LOOK);
    }
    watch.look(&job.status());
    Ok(job.join()?)
}

/// Prints the lines of `print` tables.
fn printer() -> Printer {
    Arc::new(|line: &PrintedLine| {
        beside_display(|| match line.to_stderr {
            true => writeln!(std::io::stderr().lock(), "{}", line.text),
            false => writeln!(std::io::stdout().lock(), "{}", line.text),
        })
    })
}
