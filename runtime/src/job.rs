//! Running a job: its workers on threads, watched until they are asked to stop or have nothing left to do.
//!
//! [`Job::start`] takes the state directory, makes the topics that are missing and starts the workers; the handle
//! shows what they are doing, stops them, and waits for their end. Nothing of this is needed to understand a worker;
//! the simulation and the test driver drive workers without it.

mod builder;
mod origin;
mod remains;
mod state_directory;
mod thread;

pub use builder::{ENVIRONMENT, JobBuilder};
pub(crate) use remains::read_started;
pub use remains::{check_input_topics, started};
pub use state_directory::StateLock;

use crate::clock::{Clock, SystemClock};
use crate::error::JobError;
use crate::feeds::with_feeds;
use crate::log::{Admin, Log};
use crate::memory::{MemoryPlan, MemoryWatch, StateBudget};
use crate::outlets::{Outlets, Pump};
use crate::plan::{JobPlan, TaskId};
use crate::restore::are_finished;
use crate::savepoint::{OpenSavepoint, SavepointPart};
use crate::snapshot::SnapshotLocation;
use crate::states::{MemoryStates, StateDirectory, StateStore};
use crate::worker::{WorkerContext, WorkerSettings, WorkerStatus};
use millstream_operators::{PrintedLine, Topology};
use millstream_state::{RocksSettings, SharedMemory};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thread::{WorkerThread, spawn};

/// Takes a line of a `print` sink.
pub type Printer = Arc<dyn Fn(&PrintedLine) -> std::io::Result<()> + Send + Sync>;

/// How a job runs.
#[derive(Clone)]
pub struct JobSettings {
    /// Its name: names its topics, its group and its state.
    pub name: String,
    /// Its consumer group; made from the name when it is not given.
    pub group: Option<String>,
    /// Number of workers in this process.
    pub workers: usize,
    /// Where state is kept; in memory when it is not given, so that every start folds the journal.
    pub state_directory: Option<PathBuf>,
    /// How long a process may be silent until its tasks go to others, milliseconds.
    pub session_timeout_ms: u64,
    /// How long a transaction may be open until the log aborts it, milliseconds.
    pub transaction_timeout_ms: u64,
    /// Memory that this process should keep to, bytes: see [`MemoryPlan`].
    pub memory_bytes: usize,
    /// What the whole process should keep to, bytes, where it runs other jobs as well; otherwise `memory_bytes`.
    pub process_memory_bytes: Option<usize>,
    /// Where snapshots are kept.
    pub snapshots: SnapshotLocation,
    /// The savepoint that it is started from. A job that was started from it before goes on where it stands; one that has
    /// another history is refused.
    pub from: Option<Arc<OpenSavepoint>>,
    /// What workers do.
    pub worker: WorkerSettings,
    /// Takes the lines of `print` sinks, once they are committed. A job whose lines can't be written ends.
    pub print: Printer,
}

impl JobSettings {
    /// A job of this name with one worker, its state in memory, printing to the console.
    pub fn new(name: impl Into<String>) -> Self {
        JobSettings {
            name: name.into(),
            group: None,
            workers: 1,
            state_directory: None,
            session_timeout_ms: 10_000,
            transaction_timeout_ms: 10_000,
            memory_bytes: 1 << 30,
            process_memory_bytes: None,
            snapshots: SnapshotLocation::Default,
            from: None,
            worker: WorkerSettings::default(),
            print: Arc::new(|line| match line.to_stderr {
                true => writeln!(std::io::stderr().lock(), "{}", line.text),
                false => writeln!(std::io::stdout().lock(), "{}", line.text),
            }),
        }
    }
}

impl JobSettings {
    /// How the memory of the process is divided. What opens the job's log asks for its part.
    pub fn memory(&self) -> MemoryPlan {
        MemoryPlan::new(self.memory_bytes, self.workers)
    }
}

impl std::fmt::Debug for JobSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobSettings")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

/// When a job ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When all its input is bounded and read, and everything is committed.
    Finished,
    /// Also when its input is drained and everything is committed. Windows that the watermark leaves open stay open.
    Drained,
}

/// A running job.
pub struct Job {
    plan: Arc<JobPlan>,
    log: Arc<dyn Log>,
    made_topics: Vec<String>,
    threads: Vec<WorkerThread>,
    shared: Arc<Shared>,
    others: Mutex<Others>,
    /// What takes output to where no topic is, for a job that has such.
    outlets: Option<Outlets>,
    /// Held as long as the job runs.
    _lock: Option<StateLock>,
}

/// How often the group is asked whether tasks elsewhere have finished.
const OTHERS_INTERVAL: Duration = Duration::from_millis(250);

/// Tasks that this process does not own.
struct Others {
    admin: Box<dyn Admin>,
    asked: Option<Instant>,
}

/// All tasks of a job that is drained.
pub(crate) struct Parts {
    /// Commits of its workers so far: where there are no more later, nothing has moved.
    pub(crate) commits: u64,
    /// In the order of the tasks.
    pub(crate) parts: Vec<SavepointPart>,
}

/// What the workers and their handle share.
pub(crate) struct Shared {
    pub(crate) stop: AtomicBool,
    /// Raised by the handle to have every worker look whether it is drained.
    pub(crate) round: AtomicU64,
}

impl Job {
    /// Starts a job.
    ///
    /// # Errors
    /// [`JobError`]: nothing was started. Topics may have been made.
    pub fn start(topology: &Topology, log: &Arc<dyn Log>, settings: &JobSettings) -> Result<Self, JobError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let log = &with_feeds(log, topology, &clock);
        let mut admin = log.admin()?;
        let (origin, (plan, made_topics)) = origin::find_and_prepare(topology, log, settings, &mut *admin)?;
        let plan = Arc::new(plan);
        let memory = settings.memory();
        let lock = settings.state_directory.as_ref().map(|path| StateLock::take(path)).transpose()?;
        let states: Arc<dyn StateStore> = match &settings.state_directory {
            None => Arc::new(MemoryStates::default()),
            Some(path) => {
                let memory = SharedMemory::new(memory.cache, memory.write_buffers);
                Arc::new(StateDirectory::new(path.clone(), RocksSettings::new(memory)))
            }
        };
        let instance =
            lock.as_ref().map_or_else(|| format!("{:016x}", rand::random::<u64>()), StateLock::instance);
        origin::write_start(&plan, log, &clock, &origin)?;
        let from = origin.from;
        let snapshots = settings.snapshots.open(&plan, log, &clock)?;
        let shared = Arc::new(Shared { stop: AtomicBool::new(false), round: AtomicU64::new(0) });
        let nonce = rand::random::<u128>();
        let worker = within(&memory, settings);
        let mut threads = Vec::with_capacity(settings.workers);
        for index in 0..settings.workers.max(1) {
            let cx = WorkerContext {
                plan: Arc::clone(&plan),
                log: Arc::clone(log),
                states: Arc::clone(&states),
                snapshots: snapshots.clone(),
                clock: Arc::clone(&clock),
                name: format!("millstream-{}-{instance}-{index}", settings.name),
                session_timeout_ms: settings.session_timeout_ms,
                transaction_timeout_ms: settings.transaction_timeout_ms,
                nonce,
                from: from.clone(),
                settings: worker.clone(),
            };
            // State in memory has nowhere to go.
            let keeps_watch = index == 0 && settings.state_directory.is_some();
            let budget = Arc::clone(&worker.state_budget);
            let tasks = plan.tasks().count();
            let process_bytes = settings.process_memory_bytes.unwrap_or(settings.memory_bytes);
            let watch = keeps_watch.then(|| MemoryWatch::new(process_bytes, budget, tasks));
            threads.push(spawn(index, cx, &shared, &settings.print, watch)?);
        }
        let outlets = Pump::new(&plan, log, &clock)?.map(Outlets::start).transpose()?;
        let others = Mutex::new(Others { admin, asked: None });
        let log = Arc::clone(log);
        Ok(Job { plan, log, made_topics, threads, shared, others, outlets, _lock: lock })
    }

    /// Starts a job that leaves the topics of tables alone.
    pub(crate) fn start_held(
        topology: &Topology,
        log: &Arc<dyn Log>,
        settings: &JobSettings,
    ) -> Result<Self, JobError> {
        let mut settings = settings.clone();
        (settings.worker.hold_tables, settings.from) = (true, None);
        // Snapshots are the business of those who run the job: each is named by a commit, and nothing is to be committed.
        settings.worker.snapshot_journal_bytes = u64::MAX;
        Self::start(topology, log, &settings)
    }

    /// The log that it runs on, with what it reads that is no topic.
    pub fn log(&self) -> &Arc<dyn Log> {
        &self.log
    }

    /// Its plan.
    pub fn plan(&self) -> &Arc<JobPlan> {
        &self.plan
    }

    /// Topics that were made for it, with their partition counts, for people.
    pub fn made_topics(&self) -> &[String] {
        &self.made_topics
    }

    /// What its workers in this process are doing.
    pub fn status(&self) -> Vec<WorkerStatus> {
        self.threads.iter().map(WorkerThread::status).collect()
    }

    /// Asks it to commit, checkpoint and leave its group.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Whether a worker has ended, or what takes output elsewhere: the job is about to end, or has failed.
    pub fn has_ended(&self) -> bool {
        let outlets_have = self.outlets.as_ref().is_some_and(Outlets::has_ended);
        outlets_have || self.threads.iter().any(WorkerThread::has_ended)
    }

    /// Looks whether there is nothing left to do. Call it every now and then.
    pub fn is_done(&self, until: Until) -> bool {
        let done = self.has_committed_all(until);
        self.outlets.as_ref().map_or(done, |outlets| outlets.are_empty(done))
    }

    /// Whether all results are committed.
    fn has_committed_all(&self, until: Until) -> bool {
        let owned: BTreeSet<TaskId> =
            self.status().iter().flat_map(|status| status.tasks.iter().map(|task| task.id)).collect();
        if owned.is_empty() {
            return false;
        }
        let elsewhere: Vec<TaskId> = self.plan.tasks().filter(|task| !owned.contains(task)).collect();
        if self.threads.iter().all(WorkerThread::is_finished_or_empty) {
            return elsewhere.is_empty() || self.are_finished_elsewhere(&elsewhere);
        }
        until == Until::Drained && elsewhere.is_empty() && self.is_drained()
    }

    /// Whether tasks of other processes have finished. Those of one that died come here when its session is over.
    fn are_finished_elsewhere(&self, tasks: &[TaskId]) -> bool {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if others.asked.is_some_and(|asked| asked.elapsed() < OTHERS_INTERVAL) {
            return false;
        }
        others.asked = Some(Instant::now());
        are_finished(&mut *others.admin, &self.plan, tasks).unwrap_or_else(|error| {
            tracing::debug!(%error, "can't ask whether other processes have finished");
            false
        })
    }

    /// Two looks at every worker with no commit between them: what one sends another reads before it is called
    /// drained.
    fn is_drained(&self) -> bool {
        let Some(first) = self.drained_commits() else { return false };
        self.drained_commits() == Some(first)
    }

    /// Every task as it stands, if this process has all of them and nothing is left to read between them. For a job that
    /// leaves the topics of tables alone.
    pub(crate) fn drained_parts(&self) -> Option<Parts> {
        let first = self.drained_commits()?;
        let commits = self.drained_commits().filter(|commits| *commits == first)?;
        let mut parts: Vec<SavepointPart> = self.threads.iter().flat_map(WorkerThread::take_parts).collect();
        parts.sort_by_key(|part| part.task);
        let is_all = parts.iter().map(|part| part.task).eq(self.plan.tasks());
        is_all.then_some(Parts { commits, parts })
    }

    /// The number of commits of all workers, if all are drained.
    fn drained_commits(&self) -> Option<u64> {
        let round = self.shared.round.fetch_add(1, Ordering::Relaxed) + 1;
        let mut commits = 0;
        for thread in &self.threads {
            commits += thread.drained_in(round, Duration::from_secs(2))?;
        }
        Some(commits)
    }

    /// Waits until it has ended, by itself or because it was stopped.
    ///
    /// # Errors
    /// The first error of a worker.
    pub fn wait(self, until: Until) -> Result<(), JobError> {
        while !self.has_ended() && !self.shared.stop.load(Ordering::Relaxed) {
            if self.is_done(until) {
                self.stop();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.join()
    }

    /// Waits for the workers' ends; one that fails takes the others with it.
    ///
    /// # Errors
    /// The first error of a worker.
    pub fn join(self) -> Result<(), JobError> {
        // Workers end when they are stopped or fail; the others would wait for the tasks of one that failed.
        while !self.has_ended() {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop();
        let mut first = Ok(());
        for thread in self.threads {
            match (&first, thread.join()) {
                (Ok(()), joined) => first = joined,
                (Err(_), Ok(())) => {}
                (Err(_), Err(error)) => tracing::error!(%error, "another worker failed, too"),
            }
        }
        // What failed is why workers were stopped, if they were not told to.
        let ended = self.outlets.map_or(Ok(()), |outlets| outlets.end(first.is_ok()));
        first.and(ended)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("name", &self.plan.job()).finish_non_exhaustive()
    }
}

/// The settings of workers that keep to a share of the memory.
fn within(memory: &MemoryPlan, settings: &JobSettings) -> WorkerSettings {
    let given = settings.worker.clone();
    WorkerSettings {
        fetch_bytes_max: given.fetch_bytes_max.min(memory.fetched),
        queue_bytes_max: given.queue_bytes_max.min(memory.queue),
        outbox_bytes_max: given.outbox_bytes_max.min(memory.outbox),
        checkpoint_bytes: given.checkpoint_bytes.min(memory.state / 4 / settings.workers.max(1)),
        state_budget: StateBudget::new(memory.state, settings.workers),
        ..given
    }
}
