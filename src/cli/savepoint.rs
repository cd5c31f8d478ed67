//! `millstream savepoint`: a copy of a stopped job that another can be started from.

mod picture;

pub(super) use picture::picture;

use super::job_file::JobFile;
use super::output::print;
use super::progress::{Panel, is_live, say};
use super::run::settings;
use super::{Failure, signals};
use clap::Args;
use indicatif::BinaryBytes;
use millstream::JobSettings;
use millstream::log::LogError;
use millstream::operators::PrintedLine;
use millstream::savepoint::{TakeProgress, TakeSettings, take};
use millstream::snapshot::SnapshotLocation;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Debug, Args)]
#[command(after_help = "\
Example, a job that goes on under another name with a changed file:
  millstream savepoint orders.sql --to /backup/orders-1
  millstream state inspect /backup/orders-1
  millstream run orders-v2.sql --job orders-v2 --from /backup/orders-1

The changed file fits when all operators with state are still there, under the tables that they write to, with the same \
columns in their state; otherwise the start is refused and names them. It may filter, compute and format differently, \
write to other topics, and have more tables and statements without state. Partition counts may not change.

Exit codes: 0 the savepoint is there, whole; 2 wrong command line, or the place holds a savepoint already; 3 wrong SQL, \
or topics that do not fit; 4 the job is running or has never run, or the log or the place failed; 5 the state directory \
failed; 6 going on would lose or repeat records; 130 interrupted. Whatever happens, the job stays as it is, and the same \
command can be given again")]
pub(crate) struct SavepointArgs {
    #[command(flatten)]
    file: JobFile,
    /// Where the savepoint goes: a directory, which is made, or a URL such as file:///directory. Each savepoint has a
    /// place of its own; nothing is ever written to it again
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Directory of the job's state, so that it need not be restored first [default: state/JOB below --log]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where snapshots of the job's state are kept, as run was told: state that is not on disk here comes from there
    /// [default: a topic on Kafka, a directory in the embedded log]
    #[arg(long, value_name = "PLACE")]
    snapshots: Option<SnapshotLocation>,
    /// Number of workers: threads that share the job's tasks [default: parallelism.default, or 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    workers: Option<u16>,
}

impl SavepointArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let planned = self.file.plan()?;
        let name = self.file.name(&planned)?;
        let asked_to_end = signals::watch(Some("ending: no savepoint will be there"))?;
        let state = self.state.clone();
        let state = state.unwrap_or_else(|| self.file.log.state_of(&name));
        let mut job = JobSettings::new(name);
        job.group.clone_from(&planned.group);
        job.state_directory = Some(state);
        settings::apply(&planned.job_settings, &mut job);
        if let Some(workers) = self.workers {
            job.workers = usize::from(workers);
        }
        if let Some(snapshots) = self.snapshots {
            job.snapshots = snapshots;
        }
        // Standard output is the savepoint's description.
        job.print = Arc::new(|line: &PrintedLine| {
            say(&line.text);
            Ok(())
        });
        let log = self.file.log.choose(Some(&planned))?.open_for_job(&job.memory());
        let log = log.map_err(|failure| match failure {
            Failure::Log(LogError::InUse { path, owner, .. }) => Failure::Io(format!(
                "the log in {path} is in use by {owner}; if that is the job, stop it (Ctrl-C, or SIGTERM), then take the \
                 savepoint"
            )),
            failure => failure,
        })?;
        let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now_ms = now_ms.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let settings = TakeSettings { job, to: &self.to, now_ms };
        let mut progress = Progress { panel: is_live().then(Panel::new), said: String::new() };
        let taken = take(&planned.topology, &log, &settings, &mut |stage| {
            progress.look(&stage);
            !asked_to_end.load(Ordering::Relaxed)
        });
        drop(progress);
        let taken = taken?;
        print(&picture(&taken))
    }
}

/// Shows how far it is: live on a terminal, a line for each stage elsewhere.
struct Progress {
    panel: Option<Panel>,
    said: String,
}

impl Progress {
    fn look(&mut self, stage: &TakeProgress) {
        let (what, more) = match stage {
            TakeProgress::WaitingForGroup => {
                ("waiting until the group has forgotten processes that have ended".to_owned(), String::new())
            }
            TakeProgress::Draining(workers) => {
                let tasks = workers.iter().flat_map(|worker| &worker.tasks);
                let waits_for = tasks.clone().find_map(|task| task.waits_for.clone());
                let running = tasks.filter(|task| task.state == "running").count();
                let waits_for = waits_for.map_or_else(String::new, |why| format!("; waits for {why}"));
                (
                    "taking the tasks over and draining them".to_owned(),
                    format!(": {running} stand{waits_for}"),
                )
            }
            TakeProgress::Storing(done, tasks, bytes) => (
                format!("storing the state of {tasks} tasks"),
                format!(": {done} done, {}", BinaryBytes(*bytes)),
            ),
        };
        match &self.panel {
            Some(panel) => panel.show(format!("{what}{more}")),
            None if what != self.said => say(&what),
            None => {}
        }
        self.said = what;
    }
}
