//! `millstream check`: whether a job could run.

use super::Failure;
use super::job_file::JobFile;
use super::output::print;
use super::progress::say;
use clap::Args;
use millstream::log::{Clock, SystemClock, TopicSpec};
use millstream::savepoint::OpenSavepoint;
use millstream::topics::{Before, check_input_topics, examine, started, with_feeds};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 fine, 2 wrong command line, 3 wrong SQL or topics that do not fit, 4 no such file or log, 6 going \
                  on would lose or repeat records"
)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    file: JobFile,
    /// Also look whether the job could be started from this savepoint: see millstream run --help
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// With --from, a topic that was deleted and made anew since: see millstream run --help
    #[arg(long, value_name = "TOPIC", requires = "from")]
    restart_topic: Vec<String>,
}

impl CheckArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let job = self.file.plan()?;
        let name = self.file.name(&job)?;
        JobFile::print_answers(&job)?;
        print(&job.explain)?;
        let from = self.from.as_deref().map(OpenSavepoint::open).transpose()?;
        if job.only_explain || !(self.file.log.is_given() || from.is_some()) {
            // A log is only asked when it is named on the command line: a file is checked where no broker is.
            let unasked = match job.bootstrap_servers.as_deref() {
                Some(servers) if !job.only_explain => format!(
                    " as far as the file alone tells; its topics at {servers} were not looked at: add \
                     --bootstrap-servers {servers}"
                ),
                _ => String::new(),
            };
            say(&format!("{}: fine{unasked}", self.file.describe()));
            return Ok(());
        }
        let log = self.file.log.choose(Some(&job))?.open_for_topics(false)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let log = with_feeds(&log, &job.topology, &clock);
        let mut admin = log.admin()?;
        let from = from.map(|from| from.restarting(&self.restart_topic, &mut *admin)).transpose()?;
        let until = Instant::now() + Duration::from_secs(10);
        let (started, _) = started(&log, &name, &mut *admin, until)?;
        let before = match (&started, &from) {
            (_, Some(from)) => Before::Savepoint(from),
            (Some(control), None) => Before::Job(control),
            (None, None) => Before::Nothing,
        };
        if let Before::Job(control) = before {
            check_input_topics(&job.topology, control, &name, &log, &mut *admin)?;
        }
        let examined = examine(&job.topology, &name, job.group.as_deref(), &mut *admin, before)?;
        let tasks = examined.plan.tasks().count();
        let info = log.info();
        say(&format!(
            "{}: fine on the {} log at {}; {tasks} tasks",
            self.file.describe(),
            info.kind,
            info.location
        ));
        if let Some(from) = from {
            let changed = from.savepoint.check(&examined.plan, &info.cluster)?;
            from.savepoint.check_topics(&mut *admin)?;
            let how =
                if changed { "all state fits, the plan is another one" } else { "the plan is the same" };
            say(&format!(
                "could start from the savepoint of job {} in {}: {how}",
                from.savepoint.job, from.location
            ));
        }
        for operator in examined.plan.new_operators() {
            say(&format!(
                "{operator} is new and would begin empty: it counts what comes from where the job stands"
            ));
        }
        tell_missing("would create", &examined.missing);
        tell_missing("would create for itself", &examined.missing_internal);
        Ok(())
    }
}

fn tell_missing(what: &str, topics: &[TopicSpec]) {
    for TopicSpec { name, partitions, .. } in topics {
        say(&format!("{what}: {name}, partitions: {partitions}"));
    }
}
