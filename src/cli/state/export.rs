//! `millstream state export`: what an operator keeps, as rows.

use crate::cli::Failure;
use crate::cli::job_file::JobFile;
use crate::cli::output::{print, table, written};
use crate::cli::progress::say;
use clap::{Args, ValueEnum};
use millstream::job::JobPlan;
use millstream::log::{Clock, Log, SystemClock};
use millstream::operators::RowLines;
use millstream::snapshot::{Keeper, ShowError, Shown, keepers, show_state};
use millstream::sql::SqlJob;
use millstream::topics::{Before, examine, started, with_feeds};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it is waited for a job's own records.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = "\
Rows are those of the last checkpoint of each task on this machine, which may be some commits old while the job runs, and of \
another commit in each task. Groups come with what they have come to, open windows by their panes (pane_end), tables that are \
read as upserts with their last rows.

Exit codes: 0 written, 2 wrong command line or no such operator, 3 wrong SQL, 4 the log or standard output failed, 5 the state \
can't be read")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    file: JobFile,
    /// The operator, by its name, whose spaces may be left out; without it, those that keep state are listed
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Directory of the job's state [default: state/JOB below --log]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Output::Json)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// One JSON object a line
    Json,
    /// Fields with commas between, below their names
    Csv,
}

/// The plan of a job as it runs on this log, or would.
///
/// # Errors
/// When it does not fit its topics.
pub(in crate::cli) fn plan_on(log: &Arc<dyn Log>, job: &SqlJob, name: &str) -> Result<JobPlan, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let log = with_feeds(log, &job.topology, &clock);
    let mut admin = log.admin()?;
    let (control, _) = started(&log, name, &mut *log.admin()?, Instant::now() + PATIENCE)?;
    let before = control.as_ref().map_or(Before::Nothing, Before::Job);
    Ok(examine(&job.topology, name, job.group.as_deref(), &mut *admin, before)?.plan)
}

impl ExportArgs {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let job = self.file.plan()?;
        let name = self.file.name(&job)?;
        let log = self.file.log.choose(Some(&job))?.open_for_topics(false)?;
        let plan = plan_on(&log, &job, &name)?;
        drop(log);
        let keepers = keepers(&plan);
        let Some(operator) = &self.operator else { return print(&listed(&keepers)) };
        let Some(keeper) = keepers.iter().find(|keeper| squeezed(&keeper.name) == squeezed(operator)) else {
            let names: Vec<&str> = keepers.iter().map(|keeper| keeper.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let operator = operator.escape_debug();
            return Err(Failure::Usage(format!(
                "no operator \"{operator}\" keeps state; those that do: {there}"
            )));
        };
        let state = self.state.clone().unwrap_or_else(|| self.file.log.state_of(&name));
        let shown = self.write(&plan, keeper, &state)?;
        if shown.iter().any(|(_, shown)| *shown == Shown::NoRows) {
            return Err(Failure::Usage(format!(
                "what {} keeps can't be shown as rows: {}; it can of groups, of windows, and of upsert tables that are read",
                keeper.name, keeper.detail
            )));
        }
        let missing = shown.iter().filter(|(_, shown)| *shown == Shown::Nowhere).count();
        for (task, shown) in &shown {
            if let Shown::Rows(mark) = shown {
                let commit =
                    mark.map_or_else(|| "no commit yet".to_owned(), |mark| format!("commit {}", mark.number));
                say(&format!("task {task}: as of {commit}"));
            }
        }
        if missing == shown.len() {
            return Err(Failure::Io(format!("{} holds no state of {name}", state.display())));
        }
        if missing > 0 {
            say(&format!("{missing} of {} tasks have no state on this machine", shown.len()));
        }
        Ok(())
    }

    /// Writes the rows there are, as they are read.
    fn write(
        &self,
        plan: &JobPlan,
        keeper: &Keeper,
        state: &std::path::Path,
    ) -> Result<Vec<(millstream::TaskId, Shown)>, Failure> {
        let mut lines = match self.output {
            Output::Json => RowLines::json(),
            Output::Csv => RowLines::csv(),
        };
        let mut out = std::io::stdout().lock();
        let (mut failed, mut bytes) = (None, Vec::new());
        let shown = show_state(plan, state, keeper, &mut |rows| {
            bytes.clear();
            let is_written = lines
                .write(&rows, &mut bytes)
                .map_err(Failure::Io)
                .and_then(|()| written(out.write_all(&bytes).and_then(|()| out.flush())));
            match is_written {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(()),
                Err(failure) => {
                    failed = Some(failure);
                    ControlFlow::Break(())
                }
            }
        });
        match (failed, shown) {
            (Some(failure), _) => Err(failure),
            (None, Ok(shown)) => Ok(shown),
            (None, Err(ShowError::State(error))) => Err(millstream::JobError::from(error).into()),
            (None, Err(error)) => Err(Failure::Damaged(error.to_string())),
        }
    }
}

/// A name without its spaces: `counts / aggregate` may be written `counts/aggregate`.
fn squeezed(name: &str) -> String {
    name.split_whitespace().collect()
}

fn listed(keepers: &[Keeper]) -> String {
    let rows: Vec<Vec<String>> =
        keepers.iter().map(|keeper| vec![keeper.name.clone(), keeper.detail.clone()]).collect();
    table(&["OPERATOR", "WHAT"], &[], &rows)
}
