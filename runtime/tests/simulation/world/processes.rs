//! The lives of processes: started, killed, paused, stopped, doubled.

use super::{Profile, World};
use crate::rng::Rng;
use millstream_runtime::clock::ManualClock;
use millstream_runtime::log::memory::MemoryLog;
use millstream_runtime::savepoint::OpenSavepoint;
use millstream_runtime::snapshot::SnapshotStore;
use millstream_runtime::worker::{RestoreRunner, Worker, WorkerContext, WorkerSettings};
use millstream_runtime::{JobPlan, MemoryStates};
use millstream_state::MemoryDisk;
use std::sync::Arc;

pub(super) struct Process {
    pub(super) name: String,
    /// How often it was started: part of the name its connections have.
    pub(super) life: u32,
    pub(super) worker: Option<Worker>,
    pub(super) states: Arc<MemoryStates>,
    pub(super) backup: Vec<(millstream_runtime::TaskId, MemoryDisk)>,
    pub(super) paused_until: u64,
    pub(super) restart_at: u64,
    /// Whether it leaves the input alone: a savepoint is being taken.
    pub(super) held: bool,
}

impl Process {
    pub(super) fn new(name: String) -> Self {
        Process {
            name,
            life: 0,
            worker: None,
            states: Arc::default(),
            backup: Vec::new(),
            paused_until: 0,
            restart_at: 0,
            held: false,
        }
    }
}

impl World {
    pub(super) fn start(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.life += 1;
        let life = format!("{}#{}", process.name, process.life);
        let log = Arc::new(self.log.process(&life));
        let store = self.snapshots.store(&log, &self.clock, &self.plan);
        process.held = self.held;
        let from = self.from.clone();
        let worker =
            start_worker(&self.profile, &self.plan, log, &self.clock, store, from, process, &mut self.rng);
        self.processes[index].worker = Some(worker);
        self.say(|| format!("{life} starts"));
    }

    pub(super) fn end_life(&mut self, index: usize, count: bool) {
        let restart_at = self.now + self.rng.below(400);
        let process = &mut self.processes[index];
        if let Some(worker) = process.worker.take() {
            let status = worker.status();
            self.totals.commits += status.commits;
            self.totals.aborts += status.aborts;
            self.totals.in_doubt += status.in_doubt;
            self.totals.fences += status.fences;
            self.totals.writers_replaced += status.writers_replaced;
            self.totals.checkpoints += status.checkpoints + u64::from(count);
            self.totals.snapshots += status.snapshots;
            self.totals.snapshots_fetched += status.snapshots_fetched;
        }
        let life = format!("{}#{}", process.name, process.life);
        self.log.kill(&life);
        let process = &mut self.processes[index];
        process.paused_until = 0;
        process.restart_at = restart_at;
    }

    pub(super) fn kill(&mut self, index: usize) {
        let Some(worker) = &self.processes[index].worker else { return };
        self.totals.kills += 1;
        self.totals.kills_in_commit += u64::from(worker.is_committing());
        self.totals.kills_in_snapshot += u64::from(worker.is_snapshotting());
        let restoring = worker.status().tasks.iter().any(|task| task.state == "restoring");
        self.totals.kills_in_restore += u64::from(restoring);
        self.say(|| format!("p{index} is killed"));
        self.end_life(index, false);
        self.touch_disk(index);
    }

    /// What may happen to the disk of a process that is down.
    pub(super) fn touch_disk(&mut self, index: usize) {
        let process = &mut self.processes[index];
        if self.profile.lose_disk > 0 && self.rng.one_in(self.profile.lose_disk) {
            self.totals.lost_disks += 1;
            process.states.disks().iter().for_each(|(_, disk)| disk.clear());
        } else if self.profile.stale_disk > 0 && self.rng.one_in(self.profile.stale_disk) {
            if process.backup.is_empty() {
                process.backup = process.states.disks().iter().map(|(id, disk)| (*id, disk.fork())).collect();
            } else {
                self.totals.stale_disks += 1;
                for (id, backup) in std::mem::take(&mut process.backup) {
                    process.states.disk(id).replace_with(&backup);
                }
            }
        }
    }

    pub(super) fn pause(&mut self, index: usize) {
        let until = self.now + self.rng.below(self.profile.pause_ms_max);
        let process = &mut self.processes[index];
        let Some(worker) = &process.worker else { return };
        self.totals.pauses += 1;
        self.totals.pauses_in_commit += u64::from(worker.is_committing());
        self.totals.pauses_in_snapshot += u64::from(worker.is_snapshotting());
        process.paused_until = until;
        let life = format!("{}#{}", process.name, process.life);
        // A worker that only stalls, on a slow disk say, is kept in its group by its client's own thread.
        let stalls = self.rng.one_in(2);
        if !stalls {
            self.log.pause(&life, true);
        }
        self.say(|| format!("{life} {}", if stalls { "stalls" } else { "is paused" }));
    }

    pub(super) fn stop(&mut self, index: usize) {
        if let Some(worker) = &mut self.processes[index].worker {
            self.totals.stops += 1;
            worker.stop();
            self.say(|| format!("p{index} is asked to stop"));
        }
    }

    /// Starts a process a second time while the first still runs, on a disk of its own: an orchestrator that gave up
    /// on a machine too early.
    pub(super) fn twin(&mut self, index: usize) {
        if self.processes.len() > 5 || self.processes[index].worker.is_none() {
            return;
        }
        self.totals.twins += 1;
        let name = self.processes[index].name.clone();
        let life = self.processes.iter().map(|process| process.life).max().unwrap_or(0) + 100;
        self.processes.push(Process { life, ..Process::new(name) });
        self.start(self.processes.len() - 1);
    }
}

#[allow(clippy::too_many_arguments, reason = "what a process is made from")]
fn start_worker(
    profile: &Profile,
    plan: &Arc<JobPlan>,
    log: Arc<MemoryLog>,
    clock: &Arc<ManualClock>,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    from: Option<Arc<OpenSavepoint>>,
    process: &Process,
    rng: &mut Rng,
) -> Worker {
    let mut settings = WorkerSettings {
        commit_interval_ms: 20,
        commit_interval_min_ms: rng.below(20),
        tick_interval_ms: 20,
        heal_interval_ms: 500,
        checkpoint_commits: 1 + rng.below(6),
        rules: profile.rules,
        guarantee: profile.guarantee,
        evict_after_commit: rng.one_in(2),
        hold_tables: process.held,
        ..WorkerSettings::default()
    };
    settings.build.hash_seed = rng.next();
    if profile.snapshots {
        settings.snapshot_journal_bytes = 100 + rng.below(profile.snapshot_bytes);
        // Some seeds trust in the list being older than the commit alone.
        settings.snapshot_keep_ms = rng.below(2) * 2_000;
    }
    let states: Arc<MemoryStates> = Arc::clone(&process.states);
    let cx = WorkerContext {
        plan: Arc::clone(plan),
        log,
        states,
        snapshots,
        clock: clock.clone(),
        name: process.name.clone(),
        session_timeout_ms: profile.session_timeout_ms,
        transaction_timeout_ms: profile.transaction_timeout_ms,
        nonce: u128::from(rng.next()),
        from,
        settings,
    };
    Worker::start(cx, RestoreRunner::interleaved()).expect("a worker starts on the log in memory")
}
