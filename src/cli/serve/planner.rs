//! Jobs of a server: planned from their text, started on the server's log or on the one that the text names.

use crate::cli::Failure;
use crate::cli::log_args::{ChosenLog, LogArgs};
use crate::cli::run::settings;
use crate::cli::settings::defaults;
use millstream::job::Printer;
use millstream::log::Log;
use millstream::operators::records::names::job_name;
use millstream::sql::{JobSetting, SqlErrors, SqlJob};
use millstream::{Job, JobSettings, MemoryPlan};
use millstream_server::{JobText, Mistake, PlanNode, PlannedJob, Planner, Problem};
use std::path::PathBuf;
use std::sync::Arc;

/// What a job of a server plans with when its text says nothing.
const JOB_MEMORY_BYTES: usize = 256 << 20;

/// Where the jobs of a server run.
pub(super) struct Place {
    args: LogArgs,
    /// The server's own log, where jobs do not name another.
    log: Option<Arc<dyn Log>>,
    states: PathBuf,
    memory_bytes: usize,
}

impl Place {
    /// The embedded log is opened at once and belongs to this process; on Kafka each job has clients of its own.
    pub(super) fn open(args: LogArgs, states: PathBuf, memory_bytes: usize) -> Result<Self, Failure> {
        let log = match args.choose(None)? {
            chosen @ ChosenLog::Embedded(_) => Some(chosen.open_for_job(&MemoryPlan::new(memory_bytes, 1))?),
            ChosenLog::Kafka(_) => None,
        };
        Ok(Place { args, log, states, memory_bytes })
    }

    /// The log in words.
    pub(super) fn describe(&self) -> String {
        match &self.log {
            Some(log) => format!("the {} log at {}", log.info().kind, log.info().location),
            None => "Kafka".to_owned(),
        }
    }

    /// The log of a job that keeps to `memory`.
    pub(super) fn log_of(&self, planned: &SqlJob, memory: &MemoryPlan) -> Result<Arc<dyn Log>, Failure> {
        match (self.args.choose(Some(planned))?, &self.log) {
            (ChosenLog::Embedded(_), Some(log)) => Ok(Arc::clone(log)),
            (chosen, _) => chosen.open_for_job(memory),
        }
    }

    fn start(&self, name: String, planned: &SqlJob, print: Printer) -> Result<Job, Failure> {
        let mut settings = JobSettings::new(name);
        settings.group.clone_from(&planned.group);
        settings.state_directory = Some(self.states.join(&settings.name));
        settings::apply(&planned.job_settings, &mut settings);
        let says_memory = |setting: &JobSetting| matches!(setting, JobSetting::MemoryBytes(_));
        if !planned.job_settings.iter().any(says_memory) {
            settings.memory_bytes = JOB_MEMORY_BYTES;
        }
        settings.process_memory_bytes = Some(self.memory_bytes);
        settings.print = print;
        let log = self.log_of(planned, &settings.memory())?;
        Ok(Job::start(&planned.topology, &log, &settings)?)
    }
}

/// Plans jobs that run there.
pub(super) fn planner(place: Arc<Place>) -> Planner {
    Arc::new(move |job: JobText<'_>| {
        let planned = defaults().plan(job.file, job.text).map_err(|errors| problem(&errors))?;
        if planned.only_explain {
            return Err(Problem::mistakes(
                "it asks for a plan only (EXPLAIN): there is nothing to run",
                vec![],
            ));
        }
        let pipeline = planned.settings.get("pipeline.name");
        let runs_as = pipeline.map_or_else(|| job.name.to_owned(), Clone::clone);
        job_name(&runs_as).map_err(|why| {
            let name = runs_as.escape_debug();
            Problem::mistakes(format!("no job can be called \"{name}\": {why}"), vec![])
        })?;
        let (place, name) = (Arc::clone(&place), runs_as.clone());
        Ok(PlannedJob {
            runs_as,
            operators: PlanNode::of(&planned.topology),
            warnings: planned.warnings.lines().collect(),
            start: Box::new(move |print| {
                let started = place.start(name, &planned, print);
                started.map_err(|failure| Problem::failure(failure.to_string()))
            }),
        })
    })
}

/// The mistakes of a text, with their places.
pub(super) fn problem(errors: &SqlErrors) -> Problem {
    let mistakes = errors.errors.iter().map(|error| Mistake {
        code: error.code,
        message: error.message.clone(),
        span: (error.span.start, error.span.end),
        place: errors.line_column(error.span),
        label: error.label.clone(),
        help: error.help.clone(),
    });
    Problem::mistakes(errors.to_string(), mistakes.collect())
}
