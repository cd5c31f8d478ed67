//! Whether the topics that a worker reads are still those that the job began to use, while it reads them.

use super::Worker;
use super::ownership::Held;
use crate::control::table_inputs;
use crate::error::JobError;
use crate::log::{LogError, Offset, TopicIdentity, TopicPartition};
use crate::plan::{JobPlan, TaskId};
use crate::restore::read_by_task;
use crate::watch::{check_inputs, is_another, replaced};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{info, warn};

/// How soon a worker looks again that has found a topic gone or made anew: brokers that have just started may not know yet.
const LOOK_AGAIN_MS: u64 = 2_000;

/// How long partitions may be missing here that another process reads already, and how soon is looked for them again.
const PARTITIONS_PATIENCE_MS: u64 = 30_000;
const PARTITIONS_AGAIN_MS: u64 = 200;

/// When topics were looked at, and what was found.
#[derive(Debug, Default)]
pub(super) struct Looks {
    next_ms: u64,
    /// Whether the last look found a topic gone or made anew.
    suspects: bool,
    /// By topic: what is wrong with it, for people.
    degraded: BTreeMap<String, String>,
    /// The plan to go on with: it reads partitions that were added.
    pub(super) next_plan: Option<Arc<JobPlan>>,
    /// Since when partitions are missing that another process reads already, and when they are looked for again.
    pub(super) missing: Option<(u64, u64)>,
}

impl Looks {
    /// What keeps the job from doing all it should.
    pub(super) fn degraded(&self) -> Vec<String> {
        self.degraded.values().cloned().collect()
    }
}

impl Worker {
    /// Looks at the topics of the running tasks, when it is time to.
    pub(super) fn look_at_topics_if_due(&mut self) {
        let now = self.cx.clock.monotonic_ms();
        if self.stopping || self.cx.settings.hold_tables || now < self.looks_at_topics.next_ms {
            return;
        }
        let topics = self.topics_read();
        let Some(interval) = topics.values().flatten().min().copied() else { return };
        let is_first = self.looks_at_topics.next_ms == 0;
        self.looks_at_topics.next_ms = now.saturating_add(interval);
        // Tasks that were just taken over have looked themselves.
        if is_first || self.control.is_none() {
            return;
        }
        let (topics, intervals): (Vec<String>, Vec<Option<u64>>) = topics.into_iter().unzip();
        match self.admin.identify_topics(&topics) {
            Ok(found) => {
                self.compare_topics(&topics, &found, now);
                let looked = topics.iter().zip(found).zip(intervals);
                let looked = looked.filter(|(_, interval)| interval.is_some());
                self.read_more(looked.filter_map(|((topic, found), _)| Some((topic.as_str(), found?))));
            }
            Err(error) => tracing::debug!(%error, "could not look at the topics"),
        }
    }

    /// The topics of tables that running tasks read, and how often each is to be looked at.
    fn topics_read(&self) -> BTreeMap<String, Option<u64>> {
        let mut topics = BTreeMap::new();
        for held in self.held.values() {
            let Held::Running(task) = held else { continue };
            for input in task.inputs() {
                if let Some(table) = input.table() {
                    topics.insert(input.place().topic.to_string(), table.discovery_interval_ms);
                }
            }
        }
        topics
    }

    fn compare_topics(&mut self, topics: &[String], found: &[Option<TopicIdentity>], now: u64) {
        let Some(control) = &self.control else { return };
        let is_suspect = topics.iter().zip(found).any(|(topic, found)| {
            let mark = control.topics.get(topic);
            mark.is_some_and(|mark| found.is_none_or(|found| is_another(mark, &found)))
        });
        if is_suspect && self.looks_at_topics.suspects {
            self.fail_readers(topics);
        } else if is_suspect {
            self.looks_at_topics.next_ms = now + LOOK_AGAIN_MS;
        }
        self.looks_at_topics.suspects = is_suspect;
    }

    /// Has partitions read that were added to topics, by the tasks there are and with their state; says where that can't be.
    fn read_more<'t>(&mut self, found: impl Iterator<Item = (&'t str, TopicIdentity)>) {
        let mut next = None;
        let mut degraded = BTreeMap::new();
        for (topic, found) in found {
            // Without a record a task that is taken over looks itself.
            let mark = self.control.as_ref().map(|control| control.topics.get(topic));
            if mark.is_some_and(|mark| mark.is_none_or(|mark| is_another(mark, &found))) {
                continue;
            }
            match next.as_ref().unwrap_or(&*self.cx.plan).reading_more(topic, found.partitions) {
                None => {}
                Some(Ok(plan)) => {
                    info!(
                        worker = self.cx.name,
                        topic, found.partitions, "reading the partitions that were added"
                    );
                    next = Some(plan);
                }
                Some(Err(why)) => {
                    if self.looks_at_topics.degraded.get(topic) != Some(&why) {
                        warn!(worker = self.cx.name, topic, why, "DEGRADED");
                    }
                    degraded.insert(topic.to_owned(), why);
                }
            }
        }
        self.looks_at_topics.degraded = degraded;
        self.looks_at_topics.next_plan = next.map(Arc::new);
    }

    /// Looks for partitions that another process reads already and this one does not know. `false` when they have been
    /// missing for too long.
    pub(super) fn waits_for_partitions(&mut self) -> bool {
        let now = self.cx.clock.monotonic_ms();
        let (since, _) = self.looks_at_topics.missing.unwrap_or((now, now));
        self.looks_at_topics.missing = Some((since, now + PARTITIONS_AGAIN_MS));
        let inputs = table_inputs(&self.cx.plan).into_iter();
        let mut topics: Vec<String> = inputs.map(|(place, ..)| place.topic.to_string()).collect();
        topics.dedup();
        if let Ok(found) = self.admin.identify_topics(&topics) {
            let found = topics.iter().zip(found);
            self.read_more(found.filter_map(|(topic, found)| Some((topic.as_str(), found?))));
        }
        self.looks_at_topics.next_plan.is_some() || now < since + PARTITIONS_PATIENCE_MS
    }

    /// Whether tasks that wait are to be taken over with another plan, which is not there yet.
    pub(super) fn is_about_to_change(&mut self) -> bool {
        let now = self.cx.clock.monotonic_ms();
        self.looks_at_topics.next_plan.is_some()
            || self.looks_at_topics.missing.is_some_and(|(_, again)| now < again)
    }

    /// Fails a task that reads what is gone or made anew.
    fn fail_readers(&mut self, topics: &[String]) {
        let Some(Err(error)) = self.checked_inputs(topics) else { return };
        let gone = match &error {
            JobError::InputReplaced { topic, .. } | JobError::InputDeleted { topic, .. } => topic.clone(),
            _ => return,
        };
        let reads = |held: &Held| match held {
            Held::Running(task) => task.positions().any(|(place, _)| *place.topic == *gone),
            _ => false,
        };
        let reader = self.held.iter().find(|(_, held)| reads(held)).map(|(id, _)| *id);
        if let Some(id) = reader {
            self.fail(id, error);
        }
    }

    fn checked_inputs(&mut self, topics: &[String]) -> Option<Result<(), JobError>> {
        let control = self.control.as_ref()?;
        let held = &self.held;
        let job = self.cx.plan.job();
        Some(check_inputs(job, control, topics, &mut *self.admin, &mut |topic, _| read_by_held(held, topic)))
    }

    /// What a failed read means for the job: whether a topic of a table is not what it was, and what was read of it.
    pub(super) fn error_of_read(&mut self, error: LogError) -> JobError {
        let named = match &error {
            LogError::OffsetOutOfRange { place, .. } => place.to_string(),
            LogError::TopicMadeAnew(place) | LogError::UnknownTopic(place) => place.clone(),
            _ => return error.into(),
        };
        let Some((task, place)) = self.table_input(&named) else { return error.into() };
        let topic = [place.topic.to_string()];
        if let Some(Err(checked @ (JobError::InputReplaced { .. } | JobError::InputDeleted { .. }))) =
            self.checked_inputs(&topic)
        {
            return checked;
        }
        let job = self.cx.plan.job().to_owned();
        let read = read_by_held(&self.held, &topic[0]);
        match error {
            LogError::OffsetOutOfRange { place, wanted, start, .. } if wanted < start => {
                JobError::DataLoss { task: task.to_string(), place, from: wanted, start }
            }
            LogError::UnknownTopic(_) => {
                let [topic] = topic;
                JobError::InputDeleted { job, topic, read }
            }
            _ => replaced(&job, &topic[0], None, read, &mut *self.admin),
        }
    }

    /// The running task that reads a partition of a table, which is given as errors name it.
    fn table_input(&self, named: &str) -> Option<(TaskId, TopicPartition)> {
        self.held.iter().find_map(|(id, held)| {
            let Held::Running(task) = held else { return None };
            let mut tables = task.inputs().iter().filter(|input| input.table().is_some());
            let input = tables.find(|input| input.place().to_string() == named)?;
            Some((*id, input.place().clone()))
        })
    }
}

/// What the running tasks have read of a topic: by partition, the next offset.
fn read_by_held(held: &BTreeMap<TaskId, Held>, topic: &str) -> Vec<(u32, Offset)> {
    let running = held.values().filter_map(|held| match held {
        Held::Running(task) => Some(read_by_task(task, topic)),
        _ => None,
    });
    running.flatten().collect()
}
