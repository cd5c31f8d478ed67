//! The end of a run: attacks stop, the job drains its input, and may have to do it again on machines that have nothing.

use super::World;
use crate::job::INPUT;
use millstream_operators::TopicPartition;
use millstream_runtime::Rules;
use millstream_runtime::log::{Isolation, Log, OffsetQuery};
use millstream_runtime::replay::read_all;
use millstream_runtime::worker::Worker;
use std::sync::Arc;

impl World {
    /// Ends all attacks, and lets the job drain its input.
    pub(super) fn set_right(&mut self) -> Result<(), String> {
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
    pub(super) fn end_twins(&mut self) {
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
    pub(super) fn comes_to_rest(&mut self, rounds: u64) -> Result<bool, String> {
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
    pub(super) fn cut_journal(&mut self) -> Result<(), String> {
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

    pub(super) fn is_drained(&mut self) -> Result<bool, String> {
        let (mut tasks, mut inputs) = (0, 0);
        for process in &mut self.processes {
            // One that stands still may believe to have what others have by now.
            if process.paused_until > self.now {
                return Ok(false);
            }
            let Some(worker) = &mut process.worker else { return Ok(false) };
            let status = worker.status();
            tasks += status.tasks.len();
            let read = worker
                .tasks_mut()
                .map(|task| task.positions().filter(|(place, _)| *place.topic == *INPUT).count());
            inputs += read.sum::<usize>();
            let empty = status.tasks.is_empty();
            if !empty && !worker.is_drained().map_err(|error| error.to_string())? {
                return Ok(false);
            }
        }
        // Workers see partitions that were added a while after.
        Ok(tasks == self.plan.tasks().count() && inputs == self.inputs as usize)
    }

    pub(super) fn stop_all(&mut self) -> Result<(), String> {
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

    /// Starts the job on machines that have nothing: what it has written must not change, and more input is counted on
    /// top of what was.
    pub(super) fn move_to_empty_machines(&mut self) -> Result<(), String> {
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
}
