//! The simulated world: processes, disks, a broker, and what befalls them.

mod savepoints;

use crate::job::{self, COUNTS, INPUT, OUT};
use crate::rng::Rng;
use crate::snapshots::Snapshots;
use millstream_operators::{BuildCx, RecordsBuilder, TopicPartition};
use millstream_runtime::clock::ManualClock;
use millstream_runtime::control::ControlRecord;
use millstream_runtime::log::memory::{Fault, MemoryLog, Request};
use millstream_runtime::log::{Isolation, Log, OffsetQuery, ReaderOptions, TopicSpec};
use millstream_runtime::replay::{ReplayOptions, read_all, replay_task};
use millstream_runtime::savepoint::OpenSavepoint;
use millstream_runtime::snapshot::SnapshotStore;
use millstream_runtime::worker::{Guarantee, RestoreRunner, Turn, Worker, WorkerContext, WorkerSettings};
use millstream_runtime::{JobError, JobPlan, MemoryStates, Rules, TaskId};
use millstream_state::MemoryDisk;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a run of seeds is like.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) rules: Rules,
    pub(crate) guarantee: Guarantee,
    /// Input records of a run.
    pub(crate) records: u64,
    /// Events before everything is set right.
    pub(crate) events: u64,
    /// A process is killed, paused, and so on once in so many events; 0 never.
    pub(crate) kill: u64,
    pub(crate) pause: u64,
    /// Longest pause, milliseconds.
    pub(crate) pause_ms_max: u64,
    pub(crate) stop: u64,
    pub(crate) twin: u64,
    pub(crate) stale_disk: u64,
    pub(crate) lose_disk: u64,
    /// A request goes wrong once in so many; 0 never.
    pub(crate) fault: u64,
    pub(crate) late_markers: bool,
    /// A delayed request arrives once in so many of the events that may deliver one.
    pub(crate) late: u64,
    /// Whether snapshots are taken, and journals purged behind them.
    pub(crate) snapshots: bool,
    /// Bytes of journal that bring a snapshot, at most.
    pub(crate) snapshot_bytes: u64,
    /// The newest official snapshot of a task gets lost once in so many events; 0 never.
    pub(crate) lose_snapshot: u64,
    /// Somebody removes the records of a journal after the attack.
    pub(crate) cut_journal: bool,
    /// Whether the job is kept as a savepoint after the attack, and another goes on from it under the next.
    pub(crate) savepoint: bool,
    /// Whether it waits until nothing lies between the tasks; off only to show that it has to.
    pub(crate) drain: bool,
    /// Times out after so long, milliseconds.
    pub(crate) session_timeout_ms: u64,
    pub(crate) transaction_timeout_ms: u64,
}

impl Profile {
    pub(crate) fn chaos() -> Self {
        Profile {
            rules: Rules::default(),
            guarantee: Guarantee::ExactlyOnce,
            records: 120,
            events: 2_500,
            kill: 250,
            pause: 200,
            pause_ms_max: 3_000,
            stop: 400,
            twin: 600,
            stale_disk: 4,
            lose_disk: 4,
            fault: 8,
            late_markers: true,
            late: 4,
            snapshots: true,
            snapshot_bytes: 1_500,
            lose_snapshot: 200,
            cut_journal: false,
            savepoint: false,
            drain: true,
            session_timeout_ms: 600,
            transaction_timeout_ms: 1_000,
        }
    }

    /// Many snapshots: longer runs with more commits between the attacks.
    pub(crate) fn purged() -> Self {
        Profile {
            records: 500,
            events: 8_000,
            kill: 500,
            pause: 400,
            stop: 2_000,
            twin: 2_000,
            fault: 40,
            lose_disk: 2,
            snapshot_bytes: 200,
            lose_snapshot: 50,
            ..Self::chaos()
        }
    }

    pub(crate) fn quiet() -> Self {
        Profile {
            lose_snapshot: 0,
            kill: 0,
            pause: 0,
            stop: 0,
            twin: 0,
            fault: 0,
            late_markers: false,
            ..Self::chaos()
        }
    }
}

/// What happened, over many seeds: a fault that never happens proves nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals {
    pub(crate) events: u64,
    pub(crate) commits: u64,
    pub(crate) kills: u64,
    pub(crate) kills_in_commit: u64,
    pub(crate) pauses: u64,
    pub(crate) pauses_in_commit: u64,
    pub(crate) stops: u64,
    pub(crate) twins: u64,
    pub(crate) stale_disks: u64,
    pub(crate) lost_disks: u64,
    pub(crate) requests_lost: u64,
    pub(crate) requests_repeated: u64,
    pub(crate) requests_delayed: u64,
    pub(crate) gave_up: u64,
    pub(crate) aborts: u64,
    pub(crate) in_doubt: u64,
    pub(crate) fences: u64,
    pub(crate) writers_replaced: u64,
    pub(crate) late_requests: u64,
    pub(crate) checkpoints: u64,
    pub(crate) replayed: u64,
    /// Records that were written more than once, where that is allowed.
    pub(crate) repeated: u64,
    pub(crate) snapshots: u64,
    pub(crate) snapshots_fetched: u64,
    pub(crate) kills_in_snapshot: u64,
    pub(crate) pauses_in_snapshot: u64,
    pub(crate) kills_in_restore: u64,
    pub(crate) lost_snapshots: u64,
    pub(crate) purged_journals: u64,
    pub(crate) removed_objects: u64,
    pub(crate) moved: u64,
    pub(crate) savepoints: u64,
    /// Records of journals that somebody cut.
    pub(crate) cut_entries: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Totals) {
        self.events += other.events;
        self.commits += other.commits;
        self.kills += other.kills;
        self.kills_in_commit += other.kills_in_commit;
        self.pauses += other.pauses;
        self.pauses_in_commit += other.pauses_in_commit;
        self.stops += other.stops;
        self.twins += other.twins;
        self.stale_disks += other.stale_disks;
        self.lost_disks += other.lost_disks;
        self.requests_lost += other.requests_lost;
        self.requests_repeated += other.requests_repeated;
        self.requests_delayed += other.requests_delayed;
        self.gave_up += other.gave_up;
        self.aborts += other.aborts;
        self.in_doubt += other.in_doubt;
        self.fences += other.fences;
        self.writers_replaced += other.writers_replaced;
        self.late_requests += other.late_requests;
        self.checkpoints += other.checkpoints;
        self.replayed += other.replayed;
        self.repeated += other.repeated;
        self.snapshots += other.snapshots;
        self.snapshots_fetched += other.snapshots_fetched;
        self.kills_in_snapshot += other.kills_in_snapshot;
        self.pauses_in_snapshot += other.pauses_in_snapshot;
        self.kills_in_restore += other.kills_in_restore;
        self.lost_snapshots += other.lost_snapshots;
        self.purged_journals += other.purged_journals;
        self.removed_objects += other.removed_objects;
        self.moved += other.moved;
        self.savepoints += other.savepoints;
    }

    /// Checks that the attacks took place, where they were asked for.
    pub(crate) fn assert_everything_happened(&self) {
        assert!(self.commits > 0 && self.checkpoints > 0, "{self:?}");
        // What stands on a savepoint can't be run again from the beginning.
        assert!(self.replayed > 0 || self.savepoints > 0, "{self:?}");
        let snapshots =
            [self.snapshots, self.snapshots_fetched, self.purged_journals, self.removed_objects, self.moved];
        assert!(snapshots.iter().all(|count| *count > 0), "{self:?}");
        let chaos = self.kills > 0;
        if chaos {
            let happened = [
                self.kills_in_commit,
                self.pauses_in_commit,
                self.stops,
                self.twins,
                self.stale_disks,
                self.lost_disks,
                self.requests_lost,
                self.requests_repeated,
                self.requests_delayed,
                self.gave_up,
                self.aborts,
                self.in_doubt,
                self.fences,
                self.writers_replaced,
                self.late_requests,
                self.kills_in_snapshot,
                self.pauses_in_snapshot,
                self.kills_in_restore,
            ];
            assert!(happened.iter().all(|count| *count > 0), "{self:?}");
        }
    }
}

struct Process {
    name: String,
    /// How often it was started: part of the name its connections have.
    life: u32,
    worker: Option<Worker>,
    states: Arc<MemoryStates>,
    backup: Vec<(millstream_runtime::TaskId, MemoryDisk)>,
    paused_until: u64,
    restart_at: u64,
    /// Whether it leaves the input alone: a savepoint is being taken.
    held: bool,
}

impl Process {
    fn new(name: String) -> Self {
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

pub(crate) struct World {
    rng: Rng,
    profile: Profile,
    clock: Arc<ManualClock>,
    log: MemoryLog,
    plan: Arc<JobPlan>,
    partitions: u32,
    processes: Vec<Process>,
    produced: u64,
    now: u64,
    faults: Arc<Mutex<FaultCounts>>,
    snapshots: Snapshots,
    /// Whether processes that start are to leave the input alone.
    held: bool,
    /// The savepoint that the job was started from.
    from: Option<Arc<OpenSavepoint>>,
    totals: Totals,
    trace: bool,
}

#[derive(Default)]
struct FaultCounts {
    lost: u64,
    repeated: u64,
    delayed: u64,
    gave_up: u64,
}

/// Runs one seed to its end and checks the result.
pub(crate) fn run_seed(seed: u64, profile: &Profile) -> Result<Totals, String> {
    let trace = std::env::var("MILLSTREAM_TRACE").is_ok();
    let mut world = World::new(seed, profile.clone(), trace);
    let attacked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.attack()?;
        if world.profile.savepoint {
            world.save_and_start_anew(seed)?;
            world.attack()?;
        }
        world.set_right()?;
        world.check()
    }));
    match attacked {
        Ok(result) => result.map(|()| world.totals.clone()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Err(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}

impl World {
    fn new(seed: u64, profile: Profile, trace: bool) -> Self {
        let mut rng = Rng::new(seed);
        let clock = Arc::new(ManualClock::at(1_000_000));
        let log = MemoryLog::new(clock.clone());
        let partitions = 1 + rng.below(4) as u32;
        let plan = Arc::new(job::plan(partitions));
        let mut admin = log.admin().unwrap();
        let mut topics: Vec<(String, u32)> =
            [INPUT, OUT, COUNTS].iter().map(|topic| (topic.to_string(), partitions)).collect();
        topics.extend(internal_topics(&plan));
        for (topic, partitions) in topics {
            admin.create_topic(&TopicSpec::new(topic, partitions)).unwrap();
        }
        let snapshots = Snapshots::new(&profile, &log, &clock, &plan, seed, &mut rng);
        log.set_run_records_max(1 + rng.below(20) as usize);
        log.hold_markers(profile.late_markers);
        let count = 1 + rng.below(3);
        let mut world = World {
            processes: (0..count).map(|index| Process::new(format!("p{index}"))).collect(),
            rng,
            clock,
            log,
            plan,
            partitions,
            produced: 0,
            now: 1_000_000,
            faults: Arc::default(),
            snapshots,
            held: false,
            from: None,
            totals: Totals::default(),
            profile,
            trace,
        };
        world.break_network(seed);
        world
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>8} {}", self.now - 1_000_000, text());
        }
    }

    fn break_network(&mut self, seed: u64) {
        let one_in = self.profile.fault;
        if one_in == 0 {
            return;
        }
        let counts = Arc::clone(&self.faults);
        let mut rng = Rng::new(seed.wrapping_mul(31).wrapping_add(7));
        let trace = self.trace;
        self.log.set_faults(move |request| {
            if !rng.one_in(one_in) {
                return Fault::None;
            }
            let mut counts = counts.lock().unwrap();
            let fault = match (request, rng.below(6)) {
                (_, 0) => Fault::LoseRequest,
                (_, 1) => Fault::LoseAnswer,
                (_, 2) => Fault::Delay,
                (_, 3) => Fault::GiveUpLost,
                (Request::Produce { .. }, _) => Fault::Delay,
                (_, 4) => Fault::GiveUpDone,
                (_, _) => Fault::GiveUpDelayed,
            };
            match fault {
                Fault::LoseRequest => counts.lost += 1,
                Fault::LoseAnswer => counts.repeated += 1,
                Fault::Delay => counts.delayed += 1,
                Fault::GiveUpLost | Fault::GiveUpDone | Fault::GiveUpDelayed => counts.gave_up += 1,
                Fault::None => {}
            }
            if trace {
                println!("         fault {fault:?} on {request:?}");
            }
            fault
        });
    }

    // --- events ---

    fn attack(&mut self) -> Result<(), String> {
        for _ in 0..self.profile.events {
            self.event()?;
        }
        Ok(())
    }

    fn event(&mut self) -> Result<(), String> {
        self.totals.events += 1;
        let process = self.rng.below(self.processes.len() as u64) as usize;
        let happens = |rng: &mut Rng, one_in: u64| one_in > 0 && rng.one_in(one_in);
        if happens(&mut self.rng, self.profile.kill) {
            self.kill(process);
        } else if happens(&mut self.rng, self.profile.pause) {
            self.pause(process);
        } else if happens(&mut self.rng, self.profile.stop) {
            self.stop(process);
        } else if happens(&mut self.rng, self.profile.twin) {
            self.twin(process);
        } else if happens(&mut self.rng, self.profile.lose_snapshot) {
            self.lose_snapshot();
        }
        match self.rng.below(20) {
            0 | 1 => self.pass_time(),
            2 => self.produce(),
            3 => self.deliver_marker(),
            4 if self.rng.one_in(self.profile.late) => self.deliver_delayed(),
            _ => self.turn(process)?,
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        let ms = 1 + self.rng.below(25);
        self.now += ms;
        self.clock.advance(ms);
        self.log.tick();
        for index in 0..self.processes.len() {
            let process = &mut self.processes[index];
            if process.paused_until > 0 && process.paused_until <= self.now {
                process.paused_until = 0;
                let life = format!("{}#{}", process.name, process.life);
                self.log.pause(&life, false);
                self.say(|| format!("{life} continues"));
            }
            if self.processes[index].worker.is_none() && self.processes[index].restart_at <= self.now {
                self.start(index);
            }
        }
    }

    fn produce(&mut self) {
        if self.produced >= self.profile.records {
            return;
        }
        let mut writer = self.log.writer().unwrap();
        for _ in 0..1 + self.rng.below(8) {
            let id = self.produced;
            let text = format!("{id} k{}", id % 7);
            let mut records = RecordsBuilder::default();
            records.push(None, Some(text.as_bytes()), self.now as i64);
            let partition = self.rng.below(u64::from(self.partitions)) as u32;
            writer.write(&TopicPartition::new(INPUT, partition), records.finish()).unwrap();
            self.produced += 1;
        }
    }

    fn deliver_marker(&mut self) {
        let held = self.log.held_markers();
        if held > 0 {
            self.log.deliver_marker(self.rng.below(held as u64) as usize);
        }
    }

    fn deliver_delayed(&mut self) {
        let delayed = self.log.delayed_requests();
        if delayed > 0 {
            self.totals.late_requests += 1;
            self.say(|| "a delayed request arrives".to_owned());
            self.log.deliver_delayed(self.rng.below(delayed as u64) as usize);
        }
    }

    fn turn(&mut self, index: usize) -> Result<(), String> {
        let now = self.now;
        let process = &mut self.processes[index];
        if process.paused_until > now {
            return Ok(());
        }
        let Some(worker) = &mut process.worker else { return Ok(()) };
        let before = self.trace.then(|| format!("{worker:?}"));
        match worker.turn(Duration::ZERO) {
            Ok(Turn::Stopped) => self.end_life(index, true),
            Ok(_) => {
                if let Some(before) = before {
                    let after = format!("{:?}", self.processes[index].worker.as_ref().unwrap());
                    if before != after {
                        self.say(|| after.to_string());
                    }
                }
            }
            // Another process has the name: this one is over.
            Err(JobError::Log(millstream_runtime::log::LogError::Fenced(why))) => {
                self.say(|| format!("p{index} was replaced: {why}"));
                self.end_life(index, false);
            }
            Err(error) => {
                self.say(|| self.log.describe());
                return Err(format!("p{index} failed: {error}"));
            }
        }
        Ok(())
    }

    // --- lives of processes ---

    fn start(&mut self, index: usize) {
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

    fn end_life(&mut self, index: usize, count: bool) {
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

    fn kill(&mut self, index: usize) {
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
    fn touch_disk(&mut self, index: usize) {
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

    fn pause(&mut self, index: usize) {
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

    fn stop(&mut self, index: usize) {
        if let Some(worker) = &mut self.processes[index].worker {
            self.totals.stops += 1;
            worker.stop();
            self.say(|| format!("p{index} is asked to stop"));
        }
    }

    /// Starts a process a second time while the first still runs, on a disk of its own: an orchestrator that gave up
    /// on a machine too early.
    fn twin(&mut self, index: usize) {
        if self.processes.len() > 5 || self.processes[index].worker.is_none() {
            return;
        }
        self.totals.twins += 1;
        let name = self.processes[index].name.clone();
        let life = self.processes.iter().map(|process| process.life).max().unwrap_or(0) + 100;
        self.processes.push(Process { life, ..Process::new(name) });
        self.start(self.processes.len() - 1);
    }

    // --- the end ---

    /// Ends all attacks, and lets the job drain its input.
    fn set_right(&mut self) -> Result<(), String> {
        self.say(|| "everything is set right".to_owned());
        self.log.clear_faults();
        self.snapshots.clear_faults();
        self.end_twins();
        while self.produced < self.profile.records {
            self.produce();
        }
        while self.log.delayed_requests() > 0 {
            self.deliver_delayed();
        }
        if self.profile.cut_journal {
            self.cut_journal()?;
        }
        if self.comes_to_rest(60_000)? {
            return self.move_to_empty_machines();
        }
        let states: Vec<String> = self
            .processes
            .iter()
            .map(|process| {
                format!(
                    "{}: {:?} {:?}",
                    process.name,
                    process.worker,
                    process.worker.as_ref().map(Worker::status)
                )
            })
            .collect();
        self.say(|| self.log.describe());
        Err(format!("the job does not come to rest: {}", states.join("\n")))
    }

    /// Twins of a living process go; one process of each name stays.
    fn end_twins(&mut self) {
        let mut seen: Vec<String> = Vec::new();
        for index in (0..self.processes.len()).rev() {
            let name = self.processes[index].name.clone();
            if seen.contains(&name) {
                self.end_life(index, false);
                self.processes.remove(index);
            } else {
                seen.push(name);
            }
        }
    }

    /// Lets the job go on, undisturbed, until its input stays drained, and stops it. `false` when it does not within
    /// so many rounds.
    fn comes_to_rest(&mut self, rounds: u64) -> Result<bool, String> {
        let mut drained = 0;
        for round in 0..rounds {
            for index in 0..self.processes.len() {
                self.turn(index)?;
            }
            // Markers come late until the end, but they come.
            if round % 3 == 0 {
                self.deliver_marker();
            }
            if round % 4 == 0 {
                self.pass_time();
            }
            if round % 16 == 0 && self.produced >= self.profile.records {
                drained = if self.is_drained()? { drained + 1 } else { 0 };
                if drained > 3 {
                    self.stop_all()?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Ends all processes and removes the records of every journal.
    fn cut_journal(&mut self) -> Result<(), String> {
        for index in 0..self.processes.len() {
            self.end_life(index, false);
        }
        // Open transactions end, so that there is something to cut.
        for _ in 0..100 {
            self.now += 100;
            self.clock.advance(100);
            self.log.tick();
            self.deliver_marker();
        }
        let mut admin = self.log.admin().map_err(|error| error.to_string())?;
        for part in &self.plan.cut().parts {
            let topic = self.plan.journal_topic(part.index);
            for partition in 0..part.tasks {
                let place = TopicPartition::new(topic.as_str(), partition);
                let places = [place.clone()];
                let records = read_all(&self.log, &place).map_err(|error| error.to_string())?;
                self.totals.cut_entries += records.len() as u64;
                let end = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted).unwrap()[0];
                admin.delete_records(&[(place, end)]).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    fn is_drained(&mut self) -> Result<bool, String> {
        let mut tasks = 0;
        for process in &mut self.processes {
            // One that stands still may believe to have what others have by now.
            if process.paused_until > self.now {
                return Ok(false);
            }
            let Some(worker) = &mut process.worker else { return Ok(false) };
            let status = worker.status();
            tasks += status.tasks.len();
            let empty = status.tasks.is_empty();
            if !empty && !worker.is_drained().map_err(|error| error.to_string())? {
                return Ok(false);
            }
        }
        Ok(tasks == self.plan.tasks().count())
    }

    fn stop_all(&mut self) -> Result<(), String> {
        for index in 0..self.processes.len() {
            self.processes[index].restart_at = u64::MAX;
            if let Some(worker) = &mut self.processes[index].worker {
                worker.stop();
            }
        }
        for _ in 0..5_000 {
            for index in 0..self.processes.len() {
                self.turn(index)?;
                self.processes[index].restart_at = u64::MAX;
            }
            self.pass_time();
            self.deliver_marker();
            if self.processes.iter().all(|process| process.worker.is_none()) {
                return Ok(());
            }
        }
        Err("the job does not stop".to_owned())
    }

    fn check(&mut self) -> Result<(), String> {
        while self.log.held_markers() > 0 {
            self.deliver_marker();
        }
        let counts = self.faults.lock().unwrap();
        self.totals.requests_lost += counts.lost;
        self.totals.requests_repeated += counts.repeated;
        self.totals.requests_delayed += counts.delayed;
        self.totals.gave_up += counts.gave_up;
        drop(counts);

        let mut times: BTreeMap<u64, u32> = BTreeMap::new();
        for (_, value) in self.read_all(OUT)? {
            *times.entry(value.unwrap_or_default().parse().map_err(|_| "odd output")?).or_default() += 1;
        }
        let lost: Vec<u64> = (0..self.produced).filter(|id| !times.contains_key(id)).collect();
        let doubled: Vec<u64> = times.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id).collect();
        let may_repeat = self.profile.guarantee == Guarantee::AtLeastOnce;
        self.totals.repeated += doubled.len() as u64;
        if !lost.is_empty() || !(doubled.is_empty() || may_repeat) {
            self.say(|| self.log.describe());
            return Err(format!("lost {lost:?}, doubled {doubled:?} of {} records", self.produced));
        }
        let mut folded: BTreeMap<String, u64> = BTreeMap::new();
        for (key, value) in self.read_all(COUNTS)? {
            let count: u64 = value.unwrap_or_default().parse().map_err(|_| "odd count")?;
            // Counts only rise. A process that was cut off may repeat an old one behind the last, no more.
            let known = folded.entry(key).or_default();
            *known = if may_repeat { count.max(*known) } else { count };
        }
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for id in 0..self.produced {
            *expected.entry(format!("k{}", id % 7)).or_default() += 1;
        }
        if folded != expected {
            return Err(format!("counts are {folded:?}, expected {expected:?}"));
        }
        self.check_groups()?;
        if self.rng.one_in(8) && self.from.is_none() { self.check_replay() } else { Ok(()) }
    }

    /// Every commit of every task comes out the same when its steps are run again.
    fn check_replay(&mut self) -> Result<(), String> {
        let topic = self.plan.control_topic();
        let control =
            read_all(&self.log, &TopicPartition::new(topic.as_str(), 0)).map_err(|e| e.to_string())?;
        let control = ControlRecord::newest(&topic, &control).map_err(|error| error.to_string())?;
        let incarnation = control.ok_or("no control record")?.incarnation();
        let options = ReplayOptions {
            evict: self.rng.one_in(2),
            crash_every: self.rng.below(3),
            build: BuildCx { hash_seed: self.rng.next() },
        };
        for task in self.plan.tasks() {
            // What was purged can't be run again.
            if self.is_purged(task) {
                continue;
            }
            let replayed = replay_task(&self.plan, &self.log, task, incarnation, &options);
            self.totals.replayed += replayed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether records of a task's journal or inputs are gone.
    fn is_purged(&self, task: TaskId) -> bool {
        let mut places = vec![self.plan.journal_topic(task.sub_topology)];
        places.extend(
            (0..self.plan.cut().repartitions.len())
                .map(|index| self.plan.repartition_topic(index).to_string()),
        );
        let mut admin = self.log.admin().unwrap();
        places.into_iter().any(|topic| {
            let place = [TopicPartition::new(topic.as_str(), task.partition)];
            admin.offsets(&place, OffsetQuery::Earliest, Isolation::ReadCommitted).unwrap()[0] > 0
        })
    }

    /// Starts the job on machines that have nothing: what it has written must not change, and more input is counted on
    /// top of what was.
    fn move_to_empty_machines(&mut self) -> Result<(), String> {
        if self.profile.rules != Rules::default() && self.profile.rules.purge_behind_previous {
            return Ok(());
        }
        self.count_purged();
        if !self.rng.one_in(2) {
            return Ok(());
        }
        self.totals.moved += 1;
        self.say(|| "the job moves to empty machines".to_owned());
        self.profile.records += 30;
        for index in 0..self.processes.len() {
            self.processes[index].states = Arc::default();
            self.start(index);
        }
        while self.produced < self.profile.records {
            self.produce();
        }
        match self.comes_to_rest(20_000)? {
            true => Ok(()),
            false => Err("the job does not come to rest on empty machines".to_owned()),
        }
    }

    fn count_purged(&mut self) {
        let mut admin = self.log.admin().unwrap();
        for task in self.plan.tasks().collect::<Vec<_>>() {
            let place = [TopicPartition::new(self.plan.journal_topic(task.sub_topology), task.partition)];
            let start = admin.offsets(&place, OffsetQuery::Earliest, Isolation::ReadCommitted).unwrap()[0];
            self.totals.purged_journals += u64::from(start > 0);
        }
        self.totals.removed_objects += self.snapshots.removed();
    }

    /// The newest official snapshot of a task gets lost, unless the one before it is lost already.
    fn lose_snapshot(&mut self) {
        let mut tasks: Vec<TaskId> = self.plan.tasks().collect();
        let first = self.rng.below(tasks.len() as u64) as usize;
        tasks.rotate_left(first);
        for task in tasks {
            let place = TopicPartition::new(self.plan.journal_topic(task.sub_topology), task.partition);
            if self.snapshots.lose_newest(&self.log, &place) {
                self.totals.lost_snapshots += 1;
                return self.say(|| format!("the newest snapshot of task {task} is lost"));
            }
        }
    }

    /// The group's offsets stand at the end of the input and of every journal.
    fn check_groups(&mut self) -> Result<(), String> {
        let mut admin = self.log.admin().map_err(|error| error.to_string())?;
        for partition in 0..self.partitions {
            let place = [TopicPartition::new(INPUT, partition)];
            let end = admin.offsets(&place, OffsetQuery::Latest, Isolation::ReadCommitted).unwrap()[0];
            let committed = admin.committed(self.plan.group(), &place, Isolation::ReadCommitted).unwrap();
            let committed = committed[0].as_ref().map_or(0, |committed| committed.offset);
            if committed > end {
                return Err(format!("the group has committed {committed} of {end} in {place:?}"));
            }
        }
        Ok(())
    }

    fn read_all(&self, topic: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let mut reader = self.log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
        let places: Vec<_> =
            (0..self.partitions).map(|partition| (TopicPartition::new(topic, partition), 0)).collect();
        reader.assign(&places).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut all = Vec::new();
        loop {
            let mut runs = Vec::new();
            reader.poll(Duration::ZERO, &mut runs).unwrap();
            for record in runs.iter().flat_map(|run| run.records.iter()) {
                all.push((record.key.map(text).unwrap_or_default(), record.value.map(text)));
            }
            let at_end = |(place, _): &(TopicPartition, u64)| {
                reader.status(place).is_some_and(|status| status.position >= status.end)
            };
            if places.iter().all(at_end) {
                return Ok(all);
            }
        }
    }
}

/// The topics only a job itself reads and writes, with their partitions.
fn internal_topics(plan: &JobPlan) -> Vec<(String, u32)> {
    let journals = plan.cut().parts.iter().map(|part| (plan.journal_topic(part.index), part.tasks));
    let repartitions = plan.cut().repartitions.iter().enumerate();
    let repartitions =
        repartitions.map(|(at, topic)| (plan.repartition_topic(at).to_string(), topic.partitions));
    journals.chain(repartitions).chain([(plan.control_topic(), 1)]).collect()
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
