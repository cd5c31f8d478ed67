//! What is known of the jobs of this process.

use millstream_operators::{NodeSpec, Topology};
use millstream_runtime::worker::WorkerStatus;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It joins its group, or waits for tasks.
    Starting,
    /// A task is being taken over.
    Restoring,
    /// All of its tasks in this process run.
    Running,
    /// It has ended well: its input has.
    Finished,
    /// It was asked to stop, and has.
    Stopped,
    /// It ended with an error.
    Failed,
}

impl JobState {
    /// All states.
    pub const ALL: [JobState; 6] = [
        JobState::Starting,
        JobState::Restoring,
        JobState::Running,
        JobState::Finished,
        JobState::Stopped,
        JobState::Failed,
    ];

    /// Its name, as it is shown.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Starting => "STARTING",
            JobState::Restoring => "RESTORING",
            JobState::Running => "RUNNING",
            JobState::Finished => "FINISHED",
            JobState::Stopped => "STOPPED",
            JobState::Failed => "FAILED",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// All its input has been read.
    Finished,
    /// It was asked to.
    Stopped,
    /// With an error.
    Failed(String),
}

/// An operator of a job's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanNode {
    /// Its name, which its counts go by.
    pub name: String,
    /// What it does: `Aggregate`, `Source`, ..
    pub what: String,
    /// Places of the operators it reads, in the plan.
    pub inputs: Vec<usize>,
}

impl PlanNode {
    /// The operators of a topology, inputs before those that read them.
    pub fn of(topology: &Topology) -> Vec<PlanNode> {
        let what = |spec: &NodeSpec| match spec {
            NodeSpec::Source(_) => "Source".to_owned(),
            NodeSpec::Exchange(_) => "Exchange".to_owned(),
            NodeSpec::Sink(_) => "Sink".to_owned(),
            NodeSpec::Operator(operator) => operator.describe().name,
        };
        let nodes = topology.nodes().iter().map(|node| PlanNode {
            name: node.name.clone(),
            what: what(&node.spec),
            inputs: node.inputs.iter().map(|input| input.0).collect(),
        });
        nodes.collect()
    }
}

/// What is known of a job.
#[derive(Debug, Clone)]
pub(crate) struct JobView {
    pub(crate) plan: Arc<[PlanNode]>,
    pub(crate) started: SystemTime,
    /// When it was looked at last.
    pub(crate) looked: Instant,
    pub(crate) workers: Arc<[WorkerStatus]>,
    /// When the number of commits changed last, and what it was.
    pub(crate) committed: Option<(SystemTime, u64)>,
    /// Whether all of its tasks ran at some time.
    pub(crate) has_run: bool,
    pub(crate) end: Option<JobEnd>,
}

impl JobView {
    pub(crate) fn state(&self) -> JobState {
        match &self.end {
            Some(JobEnd::Finished) => return JobState::Finished,
            Some(JobEnd::Stopped) => return JobState::Stopped,
            Some(JobEnd::Failed(_)) => return JobState::Failed,
            None => {}
        }
        let states: Vec<&str> =
            self.workers.iter().flat_map(|worker| worker.tasks.iter().map(|task| task.state)).collect();
        match () {
            () if states.contains(&"restoring") => JobState::Restoring,
            () if !states.is_empty() && states.iter().all(|state| *state == "running") => JobState::Running,
            () => JobState::Starting,
        }
    }

    /// Why not all of its tasks run, task by task.
    pub(crate) fn waits(&self) -> Vec<String> {
        let tasks = self.workers.iter().flat_map(|worker| worker.tasks.iter());
        let mut waits: Vec<String> = tasks
            .filter(|task| task.state != "running")
            .map(|task| match &task.waits_for {
                Some(what) => format!("task {} is {}: it waits for {what}", task.id, task.state),
                None => format!("task {} is {}", task.id, task.state),
            })
            .collect();
        if waits.is_empty() && self.workers.iter().all(|worker| worker.tasks.is_empty()) {
            waits.push("no task is assigned to this process yet".to_owned());
        }
        waits
    }

    /// How long ago it was looked at: a job whose process hangs is not.
    pub(crate) fn unseen_for(&self) -> Duration {
        self.looked.elapsed()
    }
}

/// Where those who run jobs put what is known of them, and the server reads it.
#[derive(Debug, Clone, Default)]
pub struct Board {
    jobs: Arc<Mutex<BTreeMap<String, JobView>>>,
}

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a job on it that starts now.
    pub fn begin(&self, name: &str, plan: Vec<PlanNode>) {
        let view = JobView {
            plan: plan.into(),
            started: SystemTime::now(),
            looked: Instant::now(),
            workers: Arc::new([]),
            committed: None,
            has_run: false,
            end: None,
        };
        self.lock().insert(name.to_owned(), view);
    }

    /// Notes what a job's workers tell. Call it often: a job that is not looked at counts as hung after ten seconds.
    pub fn look(&self, name: &str, workers: Vec<WorkerStatus>) {
        let mut jobs = self.lock();
        let Some(view) = jobs.get_mut(name) else { return };
        let commits: u64 = workers.iter().map(|worker| worker.commits).sum();
        if view.committed.is_none_or(|(_, before)| before != commits) && commits > 0 {
            view.committed = Some((SystemTime::now(), commits));
        }
        view.workers = workers.into();
        view.looked = Instant::now();
        view.has_run |= view.state() == JobState::Running;
    }

    /// Notes that a job has ended.
    pub fn end(&self, name: &str, end: JobEnd) {
        if let Some(view) = self.lock().get_mut(name) {
            view.end = Some(end);
        }
    }

    /// What is known now, by job.
    pub(crate) fn now(&self) -> BTreeMap<String, JobView> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, JobView>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
