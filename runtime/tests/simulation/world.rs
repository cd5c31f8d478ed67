//! The simulated world: processes, disks, a broker, and what befalls them.

mod check;
mod processes;
mod profile;
mod rest;
mod savepoints;
mod totals;

pub(crate) use profile::Profile;
pub(crate) use totals::Totals;

use crate::job::{self, COUNTS, INPUT, OUT};
use crate::rng::Rng;
use crate::snapshots::Snapshots;
use millstream_operators::{RecordsBuilder, TopicPartition};
use millstream_runtime::clock::ManualClock;
use millstream_runtime::log::memory::{Fault, MemoryLog, Request};
use millstream_runtime::log::{Log, TopicSpec};
use millstream_runtime::savepoint::OpenSavepoint;
use millstream_runtime::worker::Turn;
use millstream_runtime::{JobError, JobPlan, TaskId};
use processes::Process;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Partitions of the input to which no more are added.
const INPUTS_MAX: u32 = 12;

pub(crate) struct World {
    rng: Rng,
    profile: Profile,
    clock: Arc<ManualClock>,
    log: MemoryLog,
    plan: Arc<JobPlan>,
    partitions: u32,
    /// Partitions of the input, to which some may be added.
    inputs: u32,
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
        let plan = Arc::new(job::plan_of("job", partitions, profile.discovery_interval_ms()));
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
            inputs: partitions,
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
        } else if happens(&mut self.rng, self.profile.grow) {
            self.grow();
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
            let partition = self.rng.below(u64::from(self.inputs)) as u32;
            writer.write(&TopicPartition::new(INPUT, partition), records.finish()).unwrap();
            self.produced += 1;
        }
    }

    /// Adds partitions to the input.
    fn grow(&mut self) {
        if self.inputs < INPUTS_MAX {
            self.inputs += 1 + self.rng.below(3) as u32;
            self.log.add_partitions(INPUT, self.inputs).unwrap();
            self.totals.grown += 1;
            self.say(|| format!("the input has {} partitions", self.inputs));
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
}

/// The topics only a job itself reads and writes, with their partitions.
fn internal_topics(plan: &JobPlan) -> Vec<(String, u32)> {
    let journals = plan.cut().parts.iter().map(|part| (plan.journal_topic(part.index), part.tasks));
    let repartitions = plan.cut().repartitions.iter().enumerate();
    let repartitions =
        repartitions.map(|(at, topic)| (plan.repartition_topic(at).to_string(), topic.partitions));
    journals.chain(repartitions).chain([(plan.control_topic(), 1)]).collect()
}
