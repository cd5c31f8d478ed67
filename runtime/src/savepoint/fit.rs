//! Whether a savepoint fits a plan, and where its tasks stand in the topics of the job that is started from it.

use super::{Savepoint, SavepointError, SavepointTask};
use crate::control::ControlError;
use crate::error::JobError;
use crate::journal::InputMark;
use crate::log::{Admin, Isolation, OffsetQuery, TopicPartition};
use crate::plan::{JobPlan, StateFrom, TaskId};
use crate::watch::check_inputs;
use millstream_operators::InputFrom;
use millstream_operators::source::{Bounded, SourceSpec};
use std::collections::BTreeMap;

impl Savepoint {
    /// Checks that a job of this plan on this cluster can go on from it. `Ok(true)`: the plan is another one, but all
    /// state and all inputs fit.
    ///
    /// # Errors
    /// [`SavepointError`] says what does not fit.
    pub fn check(&self, plan: &JobPlan, cluster: &str) -> Result<bool, SavepointError> {
        if self.cluster != cluster {
            let (taken, log, now) = (self.cluster.clone(), self.log.clone(), cluster.to_owned());
            return Err(SavepointError::OtherCluster { taken, log, now });
        }
        let changed =
            self.control.check_from(plan, StateFrom::Savepoint).map_err(|error| self.refusal(error))?;
        // A sub-topology that the savepoint does not have begins with nothing: its stores would have been new.
        for id in plan.tasks() {
            if let Some(task) = self.task(id) {
                self.inputs(plan, id, task)?;
            }
        }
        let names: Vec<String> = plan.tasks().map(|id| id.to_string()).collect();
        let gone = self.tasks.iter().filter(|task| !names.contains(&task.task));
        for task in gone {
            if let Some(mark) = task.inputs.iter().find(|mark| !self.is_internal(&mark.topic)) {
                return Err(SavepointError::InputGone { place: mark.place(), task: task.task.clone() });
            }
        }
        Ok(changed)
    }

    /// Whether a topic is one between its tasks.
    pub fn is_internal(&self, topic: &str) -> bool {
        self.control.upstream_tasks.contains_key(topic)
    }

    /// What a misfit means for who starts from it.
    pub(crate) fn refusal(&self, error: ControlError) -> SavepointError {
        match error {
            ControlError::PlanUnknown { .. } => SavepointError::PlanUnknown { job: self.job.clone() },
            ControlError::PlanMoved { job } => {
                let changes = vec![format!("another process has started job \"{job}\" with another plan")];
                SavepointError::PlanChanged { job, changes }
            }
            ControlError::PartitionsDoNotFit { topic, before, now, why, .. } => {
                SavepointError::PartitionsDoNotFit { topic, before, now, why }
            }
            ControlError::PlanChanged { changes, .. } => {
                SavepointError::PlanChanged { job: self.job.clone(), changes }
            }
            ControlError::PartitionsChanged { sub_topology, before, now, .. } => {
                SavepointError::TasksChanged { sub_topology, before, now }
            }
            ControlError::Unreadable { topic, detail, .. } => {
                SavepointError::Damaged { location: topic, detail }
            }
        }
    }

    /// Where the inputs of a task stand in the topics of `plan`. Repartition topics are the plan's own and new.
    ///
    /// # Errors
    /// [`SavepointError::InputGone`], [`SavepointError::InputEnded`].
    pub(crate) fn inputs(
        &self,
        plan: &JobPlan,
        id: TaskId,
        task: &SavepointTask,
    ) -> Result<Vec<InputMark>, SavepointError> {
        let mut now: BTreeMap<TopicPartition, &SourceSpec> = BTreeMap::new();
        let mut repartitions: Vec<String> = Vec::new();
        let part = plan.part(id.sub_topology);
        for input in &part.inputs {
            match &input.from {
                InputFrom::Table { source, topic, partitions } => {
                    for partition in (id.partition..*partitions).step_by(part.tasks.max(1) as usize) {
                        now.insert(TopicPartition::new(topic.as_str(), partition), source);
                    }
                }
                InputFrom::Repartition(index) => {
                    repartitions.push(plan.repartition_topic(*index).to_string())
                }
            }
        }
        let mut marks = Vec::with_capacity(task.inputs.len());
        for mark in &task.inputs {
            let place = mark.place();
            if self.is_internal(&mark.topic) {
                let topic = self.renamed(&mark.topic, plan.job());
                if !repartitions.contains(&topic) {
                    return Err(SavepointError::InputGone { place, task: task.task.clone() });
                }
                marks.push(InputMark { topic, position: 0, ..mark.clone() });
                continue;
            }
            match now.get(&place) {
                None => return Err(SavepointError::InputGone { place, task: task.task.clone() }),
                Some(source) if mark.ended && source.bounded == Bounded::Unbounded => {
                    // Without event time its end has closed nothing.
                    if source.event_time.is_some() {
                        return Err(SavepointError::InputEnded { place });
                    }
                    marks.push(InputMark { ended: false, ..mark.clone() });
                }
                Some(_) => marks.push(mark.clone()),
            }
        }
        Ok(marks)
    }

    /// The name that an internal topic of the saved job has for a job of another name.
    fn renamed(&self, topic: &str, job: &str) -> String {
        let own = format!("millstream.{}.", self.job);
        topic.strip_prefix(&own).map_or_else(|| topic.to_owned(), |rest| format!("millstream.{job}.{rest}"))
    }

    /// Where its tasks stand in the topics of tables, each partition once.
    pub fn positions(&self) -> BTreeMap<TopicPartition, u64> {
        let marks = self.tasks.iter().flat_map(|task| &task.inputs);
        let of_tables = marks.filter(|mark| !self.is_internal(&mark.topic));
        of_tables.map(|mark| (mark.place(), mark.position)).collect()
    }

    /// Looks whether the topics are those that it stands in: what was made again holds other records. Where the log gives
    /// no ids, whether they reach to where it stands.
    ///
    /// # Errors
    /// [`JobError::InputReplaced`], [`JobError::InputDeleted`], [`SavepointError::BehindEnd`]; [`JobError::Log`].
    pub fn check_topics(&self, admin: &mut dyn Admin) -> Result<(), JobError> {
        let positions = self.positions();
        let mut topics: Vec<String> = positions.keys().map(|place| place.topic.to_string()).collect();
        topics.dedup();
        check_inputs(&self.job, &self.control, &topics, admin, &mut |topic, _| {
            let of_topic = positions.iter().filter(|(place, _)| *place.topic == *topic);
            of_topic.map(|(place, position)| (place.partition, *position)).collect()
        })?;

        let (places, positions): (Vec<_>, Vec<_>) = self.positions().into_iter().unzip();
        let ends = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)?;
        let mut all = places.into_iter().zip(positions).zip(ends);
        match all.find(|((_, position), end)| position > end) {
            Some(((place, position), end)) => Err(SavepointError::BehindEnd { place, position, end }.into()),
            None => Ok(()),
        }
    }
}
