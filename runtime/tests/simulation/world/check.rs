//! What must be true at the end: every record had its effect once, and every commit comes out the same again.

use super::World;
use crate::job::{COUNTS, INPUT, OUT};
use millstream_operators::{BuildCx, TopicPartition};
use millstream_runtime::TaskId;
use millstream_runtime::control::ControlRecord;
use millstream_runtime::log::{Isolation, Log, OffsetQuery, ReaderOptions};
use millstream_runtime::replay::{ReplayOptions, read_all, replay_task};
use millstream_runtime::worker::Guarantee;
use std::collections::BTreeMap;
use std::time::Duration;

impl World {
    pub(super) fn check(&mut self) -> Result<(), String> {
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
        // Steps before there were all partitions are those of another plan.
        let is_one_plan = self.from.is_none() && self.inputs == self.partitions;
        if self.rng.one_in(8) && is_one_plan { self.check_replay() } else { Ok(()) }
    }

    /// Every commit of every task comes out the same when its steps are run again.
    pub(super) fn check_replay(&mut self) -> Result<(), String> {
        let topic = self.plan.control_topic();
        let control =
            read_all(&self.log, &TopicPartition::new(topic.as_str(), 0)).map_err(|e| e.to_string())?;
        let control = ControlRecord::newest(&topic, &control).map_err(|error| error.to_string())?;
        let incarnation = control.ok_or("no control record")?.incarnation();
        let options = ReplayOptions {
            evict: self.rng.one_in(2),
            crash_every: self.rng.below(3),
            build: BuildCx { hash_seed: self.rng.next(), verify: true },
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
    pub(super) fn is_purged(&self, task: TaskId) -> bool {
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

    pub(super) fn count_purged(&mut self) {
        let mut admin = self.log.admin().unwrap();
        for task in self.plan.tasks().collect::<Vec<_>>() {
            let place = [TopicPartition::new(self.plan.journal_topic(task.sub_topology), task.partition)];
            let start = admin.offsets(&place, OffsetQuery::Earliest, Isolation::ReadCommitted).unwrap()[0];
            self.totals.purged_journals += u64::from(start > 0);
        }
        self.totals.removed_objects += self.snapshots.removed();
    }

    /// The group's offsets stand at the end of the input and of every journal.
    pub(super) fn check_groups(&mut self) -> Result<(), String> {
        let mut admin = self.log.admin().map_err(|error| error.to_string())?;
        for partition in 0..self.inputs {
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

    pub(super) fn read_all(&self, topic: &str) -> Result<Vec<(String, Option<String>)>, String> {
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
