//! What concerns the whole job, fixed when it first starts: the control record.
//!
//! It lies in the job's control topic and is written in a commit of the job's first task, so that it is there exactly
//! when the first entry of that task is. Every process reads it before its tasks start. It is JSON: people read it when
//! something is wrong.

use crate::journal::ChainEnd;
use crate::plan::{JobPlan, TaskId};
use crate::savepoint::{OpenSavepoint, SavepointError};
use millstream_operators::source::{Bounded, Startup};
use millstream_operators::{
    CutTopology, InputFrom, Offset, Records, RecordsBuilder, StoreSpec, TopicPartition,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Newest version of the record, and that of a record which names no savepoint: all programs read it.
const VERSION: u32 = 2;
const VERSION_PLAIN: u32 = 1;
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
    /// For every repartition topic, how many tasks write to it.
    pub upstream_tasks: BTreeMap<String, u32>,
    /// Offsets at which inputs begin that had no committed offset, by topic and partition.
    pub begins: BTreeMap<String, BTreeMap<u32, Offset>>,
    /// Offsets at which bounded inputs end, by topic and partition.
    pub ends: BTreeMap<String, BTreeMap<u32, Offset>>,
    /// The savepoint that the job was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<StartedFrom>,
}

/// The savepoint that a job was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedFrom {
    /// Where it was.
    pub place: String,
    /// Its id.
    pub id: String,
    /// The job it was taken of.
    pub job: String,
    /// By task, the number of the commit it stands at: the job's own follow.
    pub commits: BTreeMap<String, u64>,
}

impl StartedFrom {
    fn new(savepoint: &OpenSavepoint) -> Self {
        let OpenSavepoint { place, savepoint, id, .. } = savepoint;
        let commits = savepoint.tasks.iter().map(|task| (task.task.clone(), task.commit)).collect();
        StartedFrom { place: place.clone(), id: id.clone(), job: savepoint.job.clone(), commits }
    }

    /// The savepoint, where it was.
    ///
    /// # Errors
    /// As [`OpenSavepoint::open`]; [`SavepointError::Missing`] also when another one is there now.
    pub(crate) fn open(&self) -> Result<OpenSavepoint, SavepointError> {
        let found = OpenSavepoint::open(&self.place)?;
        let is_same = found.id == self.id;
        is_same.then_some(found).ok_or_else(|| SavepointError::Missing { place: self.place.clone() })
    }
}

/// Why a job can't go on with its plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The state of some operators would be lost or misread.
    #[error(
        "job \"{job}\" was started with another plan, and its state does not fit: {}; start the job under another \
         name (--job), or go back to the plan before", .changes.join("; ")
    )]
    PlanChanged {
        /// The job.
        job: String,
        /// What changed, an operator each.
        changes: Vec<String>,
    },
    /// A topic has another partition count than when the job was started.
    #[error(
        "job \"{job}\" was started with {before} tasks in sub-topology {sub_topology}, but its topics now have {now} \
         partitions: rows of a key would be split from their state; start the job under another name (--job)"
    )]
    PartitionsChanged {
        /// The job.
        job: String,
        /// The sub-topology.
        sub_topology: usize,
        /// Tasks when it was started.
        before: u32,
        /// Partitions now.
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
            version: VERSION_PLAIN,
            incarnation: format!("{incarnation:032x}"),
            fingerprint: format!("{:032x}", plan.fingerprint()),
            plan: plan.lines().to_vec(),
            stores: store_lines(plan.cut()),
            tasks: plan.cut().parts.iter().map(|part| part.tasks).collect(),
            upstream_tasks: (0..plan.cut().repartitions.len()).map(upstream).collect(),
            begins: by_topic(begins),
            ends: by_topic(ends),
            savepoint: None,
        }
    }

    /// The record of a job that is started from a savepoint.
    #[must_use]
    pub fn started_from(self, savepoint: &OpenSavepoint) -> Self {
        ControlRecord { version: VERSION, savepoint: Some(StartedFrom::new(savepoint)), ..self }
    }

    /// The record as a savepoint holds it: what the job itself was started from does not matter any more.
    #[must_use]
    pub(crate) fn for_savepoint(self) -> Self {
        ControlRecord { version: VERSION_PLAIN, savepoint: None, ..self }
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
            Some(savepoint) => format!(" and was started from the savepoint in {}", savepoint.place),
            None => String::new(),
        };
        Err(SavepointError::JobExists { job: job.to_owned(), before })
    }

    /// The same job with a plan that has changed and whose state fits.
    #[must_use]
    pub fn for_plan(self, plan: &JobPlan) -> Self {
        let renewed = ControlRecord::new(plan, self.incarnation(), Offsets::new(), Offsets::new());
        let ControlRecord { version, begins, ends, savepoint, .. } = self;
        ControlRecord { version, begins, ends, savepoint, ..renewed }
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
        let job = plan.job().to_owned();
        for (sub_topology, part) in plan.cut().parts.iter().enumerate() {
            let now = part.tasks;
            if let Some(before) = self.tasks.get(sub_topology).copied().filter(|before| *before != now) {
                return Err(ControlError::PartitionsChanged { job, sub_topology, before, now });
            }
        }
        let stores = store_lines(plan.cut());
        if self.fingerprint == format!("{:032x}", plan.fingerprint()) {
            return Ok(false);
        }
        let changes = differences(&self.stores, &stores);
        if changes.is_empty() { Ok(true) } else { Err(ControlError::PlanChanged { job, changes }) }
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
    let line = |(node, StoreSpec { name, schema }): (String, StoreSpec)| format!("{node}.{name}: {schema}");
    cut.parts.iter().map(|part| part.stores().into_iter().map(line).collect()).collect()
}

/// What differs between the stores of two plans: store ids are positions, so order counts.
fn differences(before: &[Vec<String>], now: &[Vec<String>]) -> Vec<String> {
    let mut changes = Vec::new();
    let empty = Vec::new();
    for part in 0..before.len().max(now.len()) {
        let (before, now) = (before.get(part).unwrap_or(&empty), now.get(part).unwrap_or(&empty));
        if before == now {
            continue;
        }
        let gone =
            before.iter().filter(|store| !now.contains(store)).map(|store| format!("\"{store}\" is gone"));
        let new =
            now.iter().filter(|store| !before.contains(store)).map(|store| format!("\"{store}\" is new"));
        let before_changes = changes.len();
        changes.extend(gone.chain(new));
        if changes.len() == before_changes {
            changes.push(format!("the operators of sub-topology {part} are in another order"));
        }
    }
    changes
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
