//! Taking a savepoint in bad weather, and going on from it as another job.

use super::{Process, World};
use crate::job;
use millstream_operators::TopicPartition;
use millstream_runtime::TaskId;
use millstream_runtime::control::ControlRecord;
use millstream_runtime::journal::ChainEnd;
use millstream_runtime::log::{Log, TopicSpec};
use millstream_runtime::replay::read_all;
use millstream_runtime::savepoint::{
    OpenSavepoint, Savepoint, SavepointPart, SavepointTask, are_ends, store_part, write_savepoint,
};
use millstream_runtime::snapshot::{MemoryStore, SnapshotStore};
use std::sync::Arc;

/// Events in bad weather after which it clears up, so that a savepoint can be taken at all.
const STORM: u64 = 3_000;
/// Events after which one has to be there.
const EVENTS_MAX: u64 = 60_000;

/// All tasks as they stand.
struct Look {
    commits: u64,
    parts: Vec<SavepointPart>,
}

impl Look {
    fn chains(&self) -> Vec<(TaskId, ChainEnd)> {
        self.parts.iter().map(|part| (part.task, part.chain)).collect()
    }

    fn is_as(&self, before: &(u64, Vec<(TaskId, ChainEnd)>)) -> bool {
        (self.commits, self.chains()) == *before
    }
}

impl World {
    /// Ends the job, keeps it as a savepoint while the attacks go on, and starts another from that.
    pub(super) fn save_and_start_anew(&mut self, seed: u64) -> Result<(), String> {
        let attack = self.profile.clone();
        let store = MemoryStore::new(self.clock.clone());
        let taken = self.take_savepoint(&(Arc::new(store.clone()) as Arc<dyn SnapshotStore>))?;
        self.profile = attack;
        self.totals.savepoints += 1;
        self.say(|| format!("a savepoint is taken: {:?}", taken.savepoint.tasks));
        for index in 0..self.processes.len() {
            self.end_life(index, false);
        }
        // What the first job left under way still arrives.
        self.log.clear_faults();
        let plan = Arc::new(job::plan_of("next", self.partitions, self.profile.discovery_interval_ms()));
        taken.savepoint.check(&plan, &self.log.info().cluster).map_err(|error| error.to_string())?;
        let mut admin = self.log.admin().unwrap();
        for (topic, partitions) in super::internal_topics(&plan) {
            admin.create_topic(&TopicSpec::new(topic, partitions)).unwrap();
        }
        self.snapshots.make_for(&self.log, &self.clock, &plan);
        self.plan = plan;
        if self.profile.fault > 0 {
            let mut rng = crate::rng::Rng::new(seed.wrapping_mul(13).wrapping_add(5));
            store.set_faults(move || rng.one_in(10));
        }
        (self.held, self.from) = (false, Some(Arc::new(taken)));
        let count = 1 + self.rng.below(3);
        self.processes = (0..count).map(|index| Process::new(format!("next-p{index}"))).collect();
        self.profile.records += 60;
        self.break_network(seed.wrapping_add(1));
        Ok(())
    }

    /// As [`millstream_runtime::savepoint::take`] does, with everything else in between.
    fn take_savepoint(&mut self, store: &Arc<dyn SnapshotStore>) -> Result<OpenSavepoint, String> {
        self.held = true;
        // Those that stand still come back later, and believe that the job goes on.
        for index in 0..self.processes.len() {
            if self.processes[index].paused_until <= self.now {
                self.kill(index);
            }
        }
        let mut before: Option<(u64, Vec<(TaskId, ChainEnd)>)> = None;
        let mut stored: Option<Vec<SavepointTask>> = None;
        for event in 0..EVENTS_MAX {
            if event == STORM {
                self.end_twins();
                self.log.clear_faults();
                (self.profile.kill, self.profile.pause, self.profile.stop, self.profile.twin) = (0, 0, 0, 0);
            }
            self.event()?;
            self.end_those_not_held();
            if !self.rng.one_in(16) && self.profile.drain {
                continue;
            }
            let Some(look) = self.drained()? else {
                (before, stored) = (None, None);
                continue;
            };
            if !self.profile.drain {
                // The first look is as good as any.
                return self.finish_savepoint(store, store_all(store, look.parts)?);
            }
            if !before.as_ref().is_some_and(|before| look.is_as(before)) {
                (before, stored) = (Some((look.commits, look.chains())), None);
                continue;
            }
            let chains = look.chains();
            match stored.take() {
                None => {
                    stored = Some(store_all(store, look.parts)?);
                }
                Some(tasks) => {
                    // A job whose first commit is not to be seen yet has nothing to save.
                    if self.are_ends(&chains) && self.control()?.is_some() {
                        return self.finish_savepoint(store, tasks);
                    }
                    before = None;
                }
            }
        }
        Err("no savepoint can be taken".to_owned())
    }

    fn end_those_not_held(&mut self) {
        for index in 0..self.processes.len() {
            let process = &self.processes[index];
            if !process.held
                && process.worker.is_some()
                && process.paused_until <= self.now
                && self.rng.one_in(8)
            {
                self.kill(index);
            }
        }
    }

    fn are_ends(&mut self, chains: &[(TaskId, ChainEnd)]) -> bool {
        let mut admin = self.log.admin().unwrap();
        are_ends(&mut *admin, &self.plan, chains).unwrap_or(false)
    }

    /// Every task, if those who run have all of them and are drained.
    fn drained(&mut self) -> Result<Option<Look>, String> {
        let mut look = Look { commits: 0, parts: Vec::new() };
        for process in &mut self.processes {
            let Some(worker) = &mut process.worker else { continue };
            let status = worker.status();
            if status.tasks.is_empty() {
                continue;
            }
            let is_there = process.held && process.paused_until <= self.now && !worker.is_committing();
            let is_drained = match self.profile.drain {
                true => worker.is_drained().map_err(|error| error.to_string())?,
                false => worker.tasks_mut().all(|task| !task.is_dirty()),
            };
            if !is_there || !is_drained {
                return Ok(None);
            }
            look.commits += status.commits;
            look.parts.extend(worker.savepoint_parts().map_err(|error| error.to_string())?);
        }
        look.parts.sort_by_key(|part| part.task);
        Ok(look.parts.iter().map(|part| part.task).eq(self.plan.tasks()).then_some(look))
    }

    fn control(&self) -> Result<Option<ControlRecord>, String> {
        let topic = self.plan.control_topic();
        let records =
            read_all(&self.log, &TopicPartition::new(topic.as_str(), 0)).map_err(|e| e.to_string())?;
        ControlRecord::newest(&topic, &records).map_err(|error| error.to_string())
    }

    fn finish_savepoint(
        &self,
        store: &Arc<dyn SnapshotStore>,
        tasks: Vec<SavepointTask>,
    ) -> Result<OpenSavepoint, String> {
        let control = self.control()?.ok_or("no control record")?;
        let savepoint = Savepoint::new(&self.log.info(), &self.plan, control, self.now as i64, tasks);
        write_savepoint(store, "(memory)", &savepoint).map_err(|error| error.to_string())
    }
}

fn store_all(
    store: &Arc<dyn SnapshotStore>,
    parts: Vec<SavepointPart>,
) -> Result<Vec<SavepointTask>, String> {
    let stored = parts.into_iter().map(|part| store_part(store, part, &mut || true));
    stored.collect::<Result<_, _>>().map_err(|error| error.to_string())
}
