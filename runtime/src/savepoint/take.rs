//! Taking a savepoint of a job that does not run.
//!
//! 1. the group has no members: nobody runs the job
//! 2. the job is run without reading the topics of tables, until what its tasks have sent each other is read and
//!    committed; each task is taken over from its journal like at any start
//! 3. every task is checkpointed, and its files are stored
//! 4. no task has committed anything since step 2, and the group's offsets say the same: the savepoint is the end of
//!    every journal. Otherwise from step 2 again
//! 5. the manifest is stored
//!
//! A crash before the last step leaves objects that the next savepoint at the same location takes over, and the job as it
//! was. What is done in step 2 is what the next start of the job would do first.

use super::location::read_manifest;
use super::steps::{SavepointPart, are_ends, store_part, write_savepoint};
use super::{OpenSavepoint, Savepoint, SavepointError, SavepointTask, open_location};
use crate::clock::{Clock, SystemClock};
use crate::error::JobError;
use crate::feeds::with_feeds;
use crate::job::{Job, JobSettings, Parts, read_started};
use crate::journal::ChainEnd;
use crate::log::{Admin, Isolation, Log, LogError, TopicPartition};
use crate::plan::{JobPlan, TaskId};
use crate::restore::read_control;
use crate::snapshot::SnapshotStore;
use crate::topics::{Before, examine};
use crate::worker::WorkerStatus;
use millstream_operators::Topology;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(50);

/// How long tasks may be nobody's or somebody else's, beyond a session.
const ELSEWHERE_TIMEOUT: Duration = Duration::from_secs(20);

/// What a savepoint is taken of, and where it goes.
#[derive(Debug)]
pub struct TakeSettings<'a> {
    /// How the job runs: its name, its state directory and so on.
    pub job: JobSettings,
    /// A directory or a URL.
    pub to: &'a str,
    /// When it is, milliseconds since 1970.
    pub now_ms: i64,
}

/// How far it is.
#[derive(Debug)]
pub enum TakeProgress {
    /// Processes that ended a moment ago are members of the group until their session is over.
    WaitingForGroup,
    /// Tasks are taken over and drained.
    Draining(Vec<WorkerStatus>),
    /// State is stored: tasks done, tasks, bytes done.
    Storing(usize, usize, u64),
}

/// Takes a savepoint of a job that does not run. `look` is told how far it is, and says whether to go on.
///
/// # Errors
/// [`JobError::Savepoint`] says what to do; whatever ends a job may end this too. The job is left as it was, but for
/// what its tasks had sent each other, which is processed.
pub fn take(
    topology: &Topology,
    log: &Arc<dyn Log>,
    settings: &TakeSettings<'_>,
    look: &mut dyn FnMut(TakeProgress) -> bool,
) -> Result<OpenSavepoint, JobError> {
    let (store, location) = open_location(settings.to)?;
    refuse_occupied(&store, &location)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let log = &with_feeds(log, topology, &clock);
    let mut admin = log.admin()?;
    let plan = started_plan(topology, log, &settings.job, &mut *admin)?;
    wait_until_nobody_runs(&plan, settings.job.session_timeout_ms, &mut *admin, look)?;
    let job = Job::start_held(topology, log, &settings.job)?;
    let taken = Taking { log, store, location, settings, admin, job: &job }.take(look);
    job.stop();
    // What ended a worker says more than that its tasks were missed.
    let ended = job.join();
    match taken {
        Ok(taken) => Ok(taken),
        Err(error) => Err(ended.err().unwrap_or(error)),
    }
}

fn refuse_occupied(store: &Arc<dyn SnapshotStore>, location: &str) -> Result<(), SavepointError> {
    let Some(bytes) = read_manifest(&**store)? else { return Ok(()) };
    let job = Savepoint::decode(location, &bytes)?.job;
    Err(SavepointError::Occupied { location: location.to_owned(), job })
}

/// The plan of a job that has run on this log.
fn started_plan(
    topology: &Topology,
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    admin: &mut dyn Admin,
) -> Result<JobPlan, JobError> {
    let not_started = || SavepointError::NotStarted { job: settings.name.clone() };
    let (control, _) = read_started(log, settings, admin)?;
    let control = control.ok_or_else(not_started)?;
    let before = Before::Job(&control);
    Ok(examine(topology, &settings.name, settings.group.as_deref(), admin, before)?.plan)
}

/// Waits until the group has no members. It is asked by committing again what it has committed for one journal, which
/// only works while it has none; what is there stays.
fn wait_until_nobody_runs(
    plan: &JobPlan,
    session_timeout_ms: u64,
    admin: &mut dyn Admin,
    look: &mut dyn FnMut(TakeProgress) -> bool,
) -> Result<(), JobError> {
    let journal = [TopicPartition::new(plan.journal_topic(0), 0)];
    // A process that was killed while its group was dividing partitions is taken for alive until that has ended, which
    // waits for the session of others; and its own begins then.
    let until = Instant::now() + Duration::from_millis(2 * session_timeout_ms) + Duration::from_secs(3);
    loop {
        let asked = admin.committed(plan.group(), &journal, Isolation::ReadCommitted).and_then(|found| {
            let Some(Some(committed)) = found.into_iter().next() else { return Ok(()) };
            admin.commit(plan.group(), &[(journal[0].clone(), committed)])
        });
        match asked {
            Ok(()) => return Ok(()),
            Err(LogError::GroupInUse(_)) if Instant::now() >= until => {
                let (job, group) = (plan.job().to_owned(), plan.group().to_owned());
                return Err(SavepointError::Running { job, group }.into());
            }
            Err(error) if Instant::now() >= until => return Err(error.into()),
            Err(LogError::GroupInUse(_)) => {}
            Err(error) if error.is_retriable() => {}
            Err(error) => return Err(error.into()),
        }
        if !look(TakeProgress::WaitingForGroup) {
            return Err(SavepointError::Interrupted.into());
        }
        std::thread::sleep(4 * LOOK);
    }
}

/// A savepoint in the making.
struct Taking<'a> {
    log: &'a Arc<dyn Log>,
    store: Arc<dyn SnapshotStore>,
    location: String,
    settings: &'a TakeSettings<'a>,
    admin: Box<dyn Admin>,
    job: &'a Job,
}

impl Taking<'_> {
    fn take(mut self, look: &mut dyn FnMut(TakeProgress) -> bool) -> Result<OpenSavepoint, JobError> {
        let mut parts = self.drained(look)?;
        loop {
            let chains: Vec<(TaskId, ChainEnd)> =
                parts.parts.iter().map(|part| (part.task, part.chain)).collect();
            let commits = parts.commits;
            let tasks = self.stored(parts.parts, look)?;
            let again = self.drained(look)?;
            let same = again.commits == commits
                && again.parts.iter().map(|part| (part.task, part.chain)).eq(chains.iter().copied());
            if same && are_ends(&mut *self.admin, self.job.plan(), &chains)? {
                return self.finish(tasks);
            }
            parts = again;
        }
    }

    /// Waits until this process has all tasks and nothing is left between them.
    fn drained(&mut self, look: &mut dyn FnMut(TakeProgress) -> bool) -> Result<Parts, JobError> {
        let session = Duration::from_millis(self.settings.job.session_timeout_ms);
        let mut missing_since = Instant::now();
        loop {
            let status = self.job.status();
            let has = |id: &TaskId| status.iter().flat_map(|worker| &worker.tasks).any(|task| task.id == *id);
            match self.job.plan().tasks().find(|task| !has(task)) {
                None => {
                    missing_since = Instant::now();
                    if let Some(parts) = self.job.drained_parts() {
                        return Ok(parts);
                    }
                }
                Some(task) if missing_since.elapsed() > session + ELSEWHERE_TIMEOUT => {
                    let (job, task) = (self.job.plan().job().to_owned(), task.to_string());
                    return Err(SavepointError::Elsewhere { job, task }.into());
                }
                Some(_) => {}
            }
            if self.job.has_ended() || !look(TakeProgress::Draining(status)) {
                return Err(SavepointError::Interrupted.into());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Stores the state of every task.
    fn stored(
        &self,
        parts: Vec<SavepointPart>,
        look: &mut dyn FnMut(TakeProgress) -> bool,
    ) -> Result<Vec<SavepointTask>, JobError> {
        let (count, mut bytes) = (parts.len(), 0);
        let mut tasks = Vec::with_capacity(count);
        for part in parts {
            let stored = store_part(&self.store, part, &mut || {
                !self.job.has_ended() && look(TakeProgress::Storing(tasks.len(), count, bytes))
            })?;
            bytes += stored.bytes;
            tasks.push(stored);
        }
        Ok(tasks)
    }

    /// Stores the manifest.
    fn finish(mut self, tasks: Vec<SavepointTask>) -> Result<OpenSavepoint, JobError> {
        let plan = self.job.plan();
        let control = read_control(&**self.log, &mut *self.admin, plan)?;
        let control = control.ok_or_else(|| SavepointError::NotStarted { job: plan.job().to_owned() })?;
        let savepoint = Savepoint::new(&self.log.info(), plan, control, self.settings.now_ms, tasks);
        Ok(write_savepoint(&self.store, &self.location, &savepoint)?)
    }
}
