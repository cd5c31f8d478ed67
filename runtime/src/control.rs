//! What concerns the whole job, fixed when it first starts: the control record.
//!
//! It lies in the job's control topic and is written in a commit of the job's first task, so that it is there exactly
//! when the first entry of that task is. Every process reads it before its tasks start. It is JSON: people read it when
//! something is wrong.

use crate::journal::ChainEnd;
use crate::log::{TopicId, TopicIdentity};
use crate::plan::{JobPlan, Misfit, PlanBefore, PlanRecord, StateFrom, TaskId};
use crate::savepoint::{OpenSavepoint, SavepointError};
use millstream_operators::source::{Bounded, Startup};
use millstream_operators::{
    CutTopology, InputFrom, Offset, Records, RecordsBuilder, StoreSpec, TopicPartition,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of the records that are written. Records of version 1 and 2 are read: they say neither what state means nor
/// which topics were read, and programs from before this one would take the state of version 3 for something else.
const VERSION: u32 = 3;
/// Key of the record in the control topic.
const KEY: &[u8] = b"job";
/// Key of the record that says what a job is being started from, before its first commit.
const START_KEY: &[u8] = b"start";

/// The control record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRecord {
    /// Format of the record.
    pub version: u32,
    /// Life of the job's internal topics, in hexadecimal.
    pub incarnation: String,
    /// Fingerprint of the plan, in hexadecimal.
    pub fingerprint: String,
    /// What the fingerprint is made of, a line an operator.
    pub plan: Vec<String>,
    /// The stores of each sub-topology in the order of their ids: operator, store and schema.
    pub stores: Vec<Vec<String>>,
    /// Number of tasks of each sub-topology: the partitions of its journal topic.
    pub tasks: Vec<u32>,
    /// Tasks that a sub-topology was given at most that reads repartition topics alone. Jobs from before there was a limit have
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_tasks_max: Option<u32>,
    /// For every repartition topic, how many tasks write to it.
    pub upstream_tasks: BTreeMap<String, u32>,
    /// Offsets at which inputs begin that had no committed offset, by topic and partition.
    pub begins: BTreeMap<String, BTreeMap<u32, Offset>>,
    /// Offsets at which bounded inputs end, by topic and partition.
    pub ends: BTreeMap<String, BTreeMap<u32, Offset>>,
    /// The savepoint that the job was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<StartedFrom>,
    /// Which operators keep which stores, and what they mean. Jobs from before this was written down have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<PlanRecord>,
    /// The topics that the job reads and its own ones, as they were when the job began to use them.
    #[serde(default)]
    pub topics: BTreeMap<String, TopicMark>,
}

/// A topic as it was when a job began to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicMark {
    /// Its id; `None` where the log gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TopicId>,
    /// The partitions that it had then.
    pub partitions: u32,
}

impl From<TopicIdentity> for TopicMark {
    fn from(identity: TopicIdentity) -> Self {
        TopicMark { id: identity.id, partitions: identity.partitions }
    }
}

/// The savepoint that a job was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedFrom {
    /// Where it was.
    #[serde(rename = "place")]
    pub location: String,
    /// Its id.
    pub id: String,
    /// The job it was taken of.
    pub job: String,
    /// By task, the number of the commit it stands at: the job's own follow.
    pub commits: BTreeMap<String, u64>,
    /// Topics that are read from their beginnings: others than those of their names that the savepoint stands in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub restarted: BTreeMap<String, TopicMark>,
}

impl StartedFrom {
    fn new(savepoint: &OpenSavepoint) -> Self {
        let OpenSavepoint { location, savepoint, id, restarted, .. } = savepoint;
        let commits = savepoint.tasks.iter().map(|task| (task.task.clone(), task.commit)).collect();
        let (location, id, job) = (location.clone(), id.clone(), savepoint.job.clone());
        StartedFrom { location, id, job, commits, restarted: restarted.clone() }
    }

    /// The savepoint, where it was.
    ///
    /// # Errors
    /// As [`OpenSavepoint::open`]; [`SavepointError::Missing`] also when another one is there now.
    pub(crate) fn open(&self) -> Result<OpenSavepoint, SavepointError> {
        let found = OpenSavepoint::open(&self.location)?;
        let is_same = found.id == self.id;
        let found = is_same.then_some(found);
        let found = found.ok_or_else(|| SavepointError::Missing { location: self.location.clone() })?;
        Ok(found.restarted_as(&self.restarted))
    }

    /// The savepoint as the job was started from it. Who says again which topics are restarted has to say the same.
    ///
    /// # Errors
    /// [`SavepointError::RestartedOtherwise`].
    pub(crate) fn as_started(&self, from: &Arc<OpenSavepoint>) -> Result<Arc<OpenSavepoint>, SavepointError> {
        if from.id != self.id || from.restarted == self.restarted {
            return Ok(Arc::clone(from));
        }
        match from.restarted.is_empty() {
            true => Ok(Arc::new((**from).clone().restarted_as(&self.restarted))),
            false => Err(SavepointError::RestartedOtherwise { location: self.location.clone() }),
        }
    }
}

/// Why a job can't go on with its plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The state of some operators would be lost or misread.
    #[error(
        "job \"{job}\" can't go on with this plan, which means something else by its state: {}. Undo the change; or start \
         the file under another name (--job), which begins anew and leaves this job as it is", .changes.join("; and ")
    )]
    PlanChanged {
        /// The job.
        job: String,
        /// What changed, an operator each.
        changes: Vec<String>,
    },
    /// Nothing says what the job's state means.
    #[error(
        "job \"{job}\" has state from a version of millstream that did not write down what it means, and this plan is not \
         the one that it had: whether the state fits can't be told. Start it once with the file that it had, by which that \
         is written down, and change the file after that; or start it under another name (--job)"
    )]
    PlanUnknown {
        /// The job.
        job: String,
    },
    /// Another process has started the job with another plan meanwhile.
    #[error(
        "another process has started job \"{job}\" with another plan meanwhile; give all of them the same file, and start this \
         one again"
    )]
    PlanMoved {
        /// The job.
        job: String,
    },
    /// A topic has partitions that the job's tasks must not read.
    #[error(
        "topic {topic} has {now} partitions now, and job \"{job}\" has {before} tasks that read it: {why}. Start the job \
         under another name (--job), which reads all of the topic from its beginning; or copy the new partitions' records \
         into a topic with {before} partitions, by a job that selects them, and read that"
    )]
    PartitionsDoNotFit {
        /// The job.
        job: String,
        /// The topic.
        topic: String,
        /// Tasks that read it.
        before: u32,
        /// Partitions now.
        now: u32,
        /// Why they must not.
        why: &'static str,
    },
    /// A sub-topology would have other tasks than when the job was started.
    #[error(
        "job \"{job}\" was started with {before} tasks in sub-topology {sub_topology}, and this plan has {now}: rows of a \
         key would be split from their state; start the job under another name (--job)"
    )]
    PartitionsChanged {
        /// The job.
        job: String,
        /// The sub-topology.
        sub_topology: usize,
        /// Tasks when it was started.
        before: u32,
        /// Tasks now.
        now: u32,
    },
    /// The record can't be read.
    #[error("control topic {topic} at offset {offset}: {detail}")]
    Unreadable {
        /// The control topic.
        topic: String,
        /// Where in it.
        offset: Offset,
        /// What is wrong.
        detail: String,
    },
}

impl ControlRecord {
    /// The record of a job that starts.
    pub fn new(plan: &JobPlan, incarnation: u128, begins: Offsets, ends: Offsets) -> Self {
        let upstream =
            |index| (plan.repartition_topic(index).to_string(), plan.cut().repartitions[index].from_tasks);
        ControlRecord {
            version: VERSION,
            incarnation: format!("{incarnation:032x}"),
            fingerprint: format!("{:032x}", plan.fingerprint()),
            plan: plan.lines().to_vec(),
            stores: store_lines(plan.cut()),
            tasks: plan.cut().parts.iter().map(|part| part.tasks).collect(),
            exchange_tasks_max: Some(plan.cut().exchange_tasks_max),
            upstream_tasks: (0..plan.cut().repartitions.len()).map(upstream).collect(),
            begins: by_topic(begins),
            ends: by_topic(ends),
            savepoint: None,
            meaning: Some(plan.record().clone()),
            topics: BTreeMap::new(),
        }
    }

    /// The same with topics that the job begins to use. What is known of others stays.
    #[must_use]
    pub(crate) fn with_topics(mut self, found: impl IntoIterator<Item = (String, TopicIdentity)>) -> Self {
        for (topic, identity) in found {
            let now = TopicMark::from(identity);
            let known = self.topics.entry(topic).or_insert(now);
            // An id that is known is never exchanged for another: that is another topic. The partitions that there were
            // first say how many tasks there are.
            known.id = known.id.or(now.id);
        }
        self
    }

    /// The record of a job that is started from a savepoint.
    #[must_use]
    pub fn started_from(self, savepoint: &OpenSavepoint) -> Self {
        // The topics of tables are those that the savepoint stands in: their partitions say how many tasks there are.
        let OpenSavepoint { savepoint: of, .. } = savepoint;
        let own = format!("millstream.{}.", of.job);
        let tables = of.control.topics.iter().filter(|(topic, _)| !topic.starts_with(&own));
        let topics = tables.map(|(topic, mark)| (topic.clone(), *mark)).collect();
        ControlRecord { savepoint: Some(StartedFrom::new(savepoint)), topics, ..self }
    }

    /// The record as a savepoint holds it: what the job itself was started from does not matter any more.
    #[must_use]
    pub(crate) fn for_savepoint(self) -> Self {
        ControlRecord { savepoint: None, ..self }
    }

    /// What the first entry of a task's journal follows: number 0, or the commit of the savepoint. In the place of a hash
    /// stands the incarnation, so that entries of another life never chain.
    pub fn base(&self, task: TaskId) -> ChainEnd {
        let commits = self.savepoint.as_ref().map(|savepoint| &savepoint.commits);
        let number = commits.and_then(|commits| commits.get(&task.to_string())).copied().unwrap_or(0);
        ChainEnd { number, hash: self.incarnation() }
    }

    /// Refuses a job that is there already and was not started from this savepoint.
    ///
    /// # Errors
    /// [`SavepointError::JobExists`].
    pub fn check_start(&self, job: &str, from: &OpenSavepoint) -> Result<(), SavepointError> {
        let before = match &self.savepoint {
            Some(savepoint) if savepoint.id == from.id => return Ok(()),
            Some(savepoint) => format!(" and was started from the savepoint in {}", savepoint.location),
            None => String::new(),
        };
        Err(SavepointError::JobExists { job: job.to_owned(), before })
    }

    /// The same job with a plan that has changed and whose state fits.
    #[must_use]
    pub fn for_plan(self, plan: &JobPlan) -> Self {
        let renewed = ControlRecord::new(plan, self.incarnation(), Offsets::new(), Offsets::new());
        let ControlRecord { begins, ends, savepoint, topics, .. } = self;
        ControlRecord { begins, ends, savepoint, topics, ..renewed }
    }

    /// The same with further offsets at which inputs begin and end.
    #[must_use]
    pub(crate) fn with_bounds(mut self, begins: Offsets, ends: Offsets) -> Self {
        let add = |known: &mut BTreeMap<String, BTreeMap<u32, Offset>>, more: Offsets| {
            for (topic, partitions) in by_topic(more) {
                known.entry(topic).or_default().extend(partitions);
            }
        };
        add(&mut self.begins, begins);
        add(&mut self.ends, ends);
        self
    }

    /// Whether the record says where a partition begins.
    pub(crate) fn knows_begin(&self, place: &TopicPartition) -> bool {
        let begins = self.begins.get(place.topic.as_ref());
        begins.is_some_and(|begins| begins.contains_key(&place.partition))
    }

    /// What is known of the job's plan.
    pub(crate) fn plan_before(&self) -> PlanBefore<'_> {
        PlanBefore {
            record: self.meaning.as_ref(),
            fingerprint: u128::from_str_radix(&self.fingerprint, 16).unwrap_or(0),
            keeps_state: self.stores.iter().any(|stores| !stores.is_empty()),
            tasks: &self.tasks,
        }
    }

    /// The job's own topics that are there since it was started: its journals, what lies between its tasks, and what is on
    /// its way to files.
    pub(crate) fn own_topics(&self, job: &str) -> Vec<String> {
        let journals = (0..self.tasks.len()).map(|part| format!("millstream.{job}.journal.{part}"));
        let outlets = JobPlan::outlet_topics_of(job);
        let outlets = self.topics.keys().filter(|topic| topic.starts_with(&outlets));
        journals.chain(self.upstream_tasks.keys().cloned()).chain(outlets.cloned()).collect()
    }

    /// The job's incarnation as a number.
    pub fn incarnation(&self) -> u128 {
        u128::from_str_radix(&self.incarnation, 16).unwrap_or(0)
    }

    /// Where an input begins that has no position in its task's journal.
    pub fn begin(&self, place: &TopicPartition) -> Offset {
        let begins = self.begins.get(place.topic.as_ref());
        begins.and_then(|begins| begins.get(&place.partition)).copied().unwrap_or(0)
    }

    /// Where bounded inputs end.
    pub fn ends(&self) -> Offsets {
        let flat = |(topic, ends): (&String, &BTreeMap<u32, Offset>)| {
            let place =
                |(partition, end): (&u32, &Offset)| (TopicPartition::new(topic.as_str(), *partition), *end);
            ends.iter().map(place).collect::<Vec<_>>()
        };
        self.ends.iter().flat_map(flat).collect()
    }

    /// Checks that `plan` can go on with what was started by this record. `Ok(true)`: the plan is another one, but
    /// all state fits.
    ///
    /// # Errors
    /// [`ControlError`]: tell the user; nothing was changed.
    pub fn check(&self, plan: &JobPlan) -> Result<bool, ControlError> {
        self.check_from(plan, StateFrom::Journal)
    }

    pub(crate) fn check_from(&self, plan: &JobPlan, from: StateFrom) -> Result<bool, ControlError> {
        let fitted = self.fitted(plan.clone(), from)?;
        if fitted.record() != plan.record() {
            return Err(ControlError::PlanMoved { job: plan.job().to_owned() });
        }
        let same = self.fingerprint == format!("{:032x}", plan.fingerprint());
        Ok(!same || self.meaning.as_ref() != Some(plan.record()))
    }

    /// The plan with the numbers and names that it had.
    ///
    /// # Errors
    /// [`ControlError`]: it can't go on with what was started by this record.
    pub(crate) fn fitted(&self, plan: JobPlan, from: StateFrom) -> Result<JobPlan, ControlError> {
        let job = plan.job().to_owned();
        plan.going_on(&self.plan_before(), from).map_err(|misfit| match misfit {
            Misfit::Changed(changes) => ControlError::PlanChanged { job, changes },
            Misfit::Unknown => ControlError::PlanUnknown { job },
            Misfit::Partitions { topic, before, now, why } => {
                ControlError::PartitionsDoNotFit { job, topic, before, now, why }
            }
            Misfit::Tasks { sub_topology, before, now } => {
                ControlError::PartitionsChanged { job, sub_topology, before, now }
            }
        })
    }

    /// The record as the control topic holds it.
    pub fn encode(&self, plan: &JobPlan, now_ms: i64) -> (TopicPartition, Records) {
        let json = serde_json::to_vec_pretty(self).expect("strings and numbers are JSON");
        let mut records = RecordsBuilder::default();
        records.push(Some(KEY), Some(&json), now_ms);
        (TopicPartition::new(plan.control_topic(), 0), records.finish())
    }

    /// The newest record among those of the control topic, if there is one.
    ///
    /// # Errors
    /// [`ControlError::Unreadable`].
    pub fn newest(topic: &str, records: &Records) -> Result<Option<Self>, ControlError> {
        let Some(record) = records.iter().filter(|record| record.key == Some(KEY)).last() else {
            return Ok(None);
        };
        let unreadable =
            |detail| ControlError::Unreadable { topic: topic.to_owned(), offset: record.offset, detail };
        let control: Self = serde_json::from_slice(record.value.unwrap_or_default())
            .map_err(|error| unreadable(format!("not a control record: {error}")))?;
        if control.version > VERSION {
            return Err(unreadable(format!("version {}, this program reads {VERSION}", control.version)));
        }
        Ok(Some(control))
    }
}

/// What a job is being started from. It is written before the first commit, so that a start that is cut short goes on
/// with the savepoint however it is begun again.
pub(crate) fn encode_start(plan: &JobPlan, from: &OpenSavepoint, now_ms: i64) -> (TopicPartition, Records) {
    let json = serde_json::to_vec_pretty(&StartedFrom::new(from)).expect("strings and numbers are JSON");
    let mut records = RecordsBuilder::default();
    records.push(Some(START_KEY), Some(&json), now_ms);
    (TopicPartition::new(plan.control_topic(), 0), records.finish())
}

/// What a job is being started from, by the newest record of the control topic that says so.
///
/// # Errors
/// [`ControlError::Unreadable`].
pub(crate) fn newest_start(topic: &str, records: &Records) -> Result<Option<StartedFrom>, ControlError> {
    let newest = records.iter().filter(|record| record.key == Some(START_KEY)).last();
    let Some(record) = newest else { return Ok(None) };
    serde_json::from_slice(record.value.unwrap_or_default()).map(Some).map_err(|error| {
        let detail = format!("not the record of a start: {error}");
        ControlError::Unreadable { topic: topic.to_owned(), offset: record.offset, detail }
    })
}

/// Offsets by partition.
pub type Offsets = BTreeMap<TopicPartition, Offset>;

fn by_topic(offsets: Offsets) -> BTreeMap<String, BTreeMap<u32, Offset>> {
    let mut topics: BTreeMap<String, BTreeMap<u32, Offset>> = BTreeMap::new();
    for (place, offset) in offsets {
        topics.entry(place.topic.to_string()).or_default().insert(place.partition, offset);
    }
    topics
}

fn store_lines(cut: &CutTopology) -> Vec<Vec<String>> {
    let line =
        |(_, node, StoreSpec { name, schema }): (u16, String, StoreSpec)| format!("{node}.{name}: {schema}");
    cut.parts.iter().map(|part| part.stores().into_iter().map(line).collect()).collect()
}

/// The inputs of a job that are read from tables: partition, where a new job begins and where it ends.
pub fn table_inputs(plan: &JobPlan) -> Vec<(TopicPartition, Startup, Bounded)> {
    let mut inputs = BTreeMap::new();
    for part in &plan.cut().parts {
        for input in &part.inputs {
            if let InputFrom::Table { source, topic, partitions } = &input.from {
                for partition in 0..*partitions {
                    let place = TopicPartition::new(topic.as_str(), partition);
                    inputs.insert(place, (source.startup.clone(), source.bounded.clone()));
                }
            }
        }
    }
    inputs.into_iter().map(|(place, (startup, bounded))| (place, startup, bounded)).collect()
}

/// Whether a task writes the control record.
pub fn writes_control(task: TaskId) -> bool {
    task == TaskId::FIRST
}
