//! What is known of the jobs of this process.

use crate::problem::Problem;
use millstream_operators::{NodeSpec, Topology};
use millstream_runtime::worker::{TaskStatus, WorkerStatus};
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
    /// They run, but something keeps the job from doing all it should.
    Degraded,
    /// It was asked to pause, and has.
    Paused,
    /// It has ended well: its input has.
    Finished,
    /// It was asked to stop, and has.
    Stopped,
    /// It ended with an error.
    Failed,
}

impl JobState {
    /// All states.
    pub const ALL: [JobState; 8] = [
        JobState::Starting,
        JobState::Restoring,
        JobState::Running,
        JobState::Degraded,
        JobState::Paused,
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
            JobState::Degraded => "DEGRADED",
            JobState::Paused => "PAUSED",
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
    /// It was asked to, for a while.
    Paused,
    /// With an error; when it is started again, if it is without being asked.
    Failed(Problem, Option<SystemTime>),
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
    /// When it was looked at last; not at all before it runs.
    pub(crate) looked: Option<Instant>,
    pub(crate) workers: Arc<[WorkerStatus]>,
    /// When the number of commits changed last, and what it was.
    pub(crate) committed: Option<(SystemTime, u64)>,
    /// Whether all of its tasks ran at some time.
    pub(crate) has_run: bool,
    pub(crate) end: Option<JobEnd>,
    /// Where its text comes from, where it is one of many: `file jobs/a.sql`, `submitted`.
    pub(crate) origin: Option<String>,
    /// The name that its topics, its group and its state have, once it was planned.
    pub(crate) runs_as: Option<String>,
    /// A change of its text that can't be taken up.
    pub(crate) change: Option<Problem>,
    /// How often it was started again after it had failed.
    pub(crate) restarts: u64,
    /// Why it failed the last time that it did.
    pub(crate) last_failure: Option<String>,
}

impl JobView {
    fn new() -> Self {
        JobView {
            plan: Arc::new([]),
            started: SystemTime::now(),
            looked: None,
            workers: Arc::new([]),
            committed: None,
            has_run: false,
            end: None,
            origin: None,
            runs_as: None,
            change: None,
            restarts: 0,
            last_failure: None,
        }
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = &TaskStatus> {
        self.workers.iter().flat_map(|worker| worker.tasks.iter())
    }

    pub(crate) fn state(&self) -> JobState {
        match &self.end {
            Some(JobEnd::Finished) => return JobState::Finished,
            Some(JobEnd::Stopped) => return JobState::Stopped,
            Some(JobEnd::Paused) => return JobState::Paused,
            Some(JobEnd::Failed(..)) => return JobState::Failed,
            None => {}
        }
        let (mut any, mut restoring, mut all_run) = (false, false, true);
        for task in self.tasks() {
            any = true;
            restoring |= task.state == "restoring";
            all_run &= task.state == "running";
        }
        match () {
            () if restoring => JobState::Restoring,
            () if !any || !all_run => JobState::Starting,
            () if self.concerns().is_empty() => JobState::Running,
            () => JobState::Degraded,
        }
    }

    /// Why not all of its tasks run, task by task.
    pub(crate) fn waits(&self) -> Vec<String> {
        let waiting = self.tasks().filter(|task| task.state != "running");
        let mut waits: Vec<String> = waiting
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

    /// What keeps it from doing all it should although it runs.
    pub(crate) fn concerns(&self) -> Vec<String> {
        let mut concerns: Vec<String> = Vec::new();
        for worker in self.workers.iter() {
            concerns.extend(worker.waits_for.iter().map(|what| format!("waits: {what}")));
            concerns.extend(worker.degraded.iter().cloned());
        }
        concerns.sort_unstable();
        concerns.dedup();
        let change = self.change.iter();
        concerns.extend(change.map(|problem| {
            format!("its text has changed and can't be taken up, so it goes on as it was: {}", problem.detail)
        }));
        concerns
    }

    /// How long ago it was looked at, if it should be: a job whose process hangs is not.
    pub(crate) fn unseen_for(&self) -> Duration {
        let looked = self.looked.filter(|_| self.end.is_none());
        looked.map_or(Duration::ZERO, |looked| looked.elapsed())
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
        let mut jobs = self.lock();
        let JobView { origin, has_run, restarts, last_failure, .. } =
            jobs.remove(name).unwrap_or_else(JobView::new);
        let view = JobView { plan: plan.into(), origin, has_run, restarts, last_failure, ..JobView::new() };
        jobs.insert(name.to_owned(), view);
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
        view.looked = Some(Instant::now());
        view.has_run |= matches!(view.state(), JobState::Running | JobState::Degraded);
    }

    /// Notes that a job has ended.
    pub fn end(&self, name: &str, end: JobEnd) {
        self.change(name, |view| {
            if let JobEnd::Failed(problem, _) = &end {
                view.last_failure = Some(problem.detail.clone());
            }
            view.end = Some(end);
        });
    }

    /// Puts a job on it of which nothing is known yet but where it comes from.
    pub(crate) fn announce(&self, name: &str, origin: String) {
        self.lock().entry(name.to_owned()).or_insert_with(JobView::new).origin = Some(origin);
    }

    /// Takes a job off.
    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Changes what is known of a job that is on it.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut JobView)) {
        if let Some(view) = self.lock().get_mut(name) {
            change(view);
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
