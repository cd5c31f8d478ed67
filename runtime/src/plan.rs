//! The plan of a job as the runtime runs it: the cut topology, its fingerprint, and the names of everything internal.

mod compare;
mod matching;
mod record;

pub use compare::{Comparison, compare};
pub(crate) use matching::StateFrom;
pub use record::{OperatorRecord, PartRecord, PlanRecord};

use matching::{Fitted, fit, partitions_that_do_not_fit};
use millstream_operators::{CutTopology, InputFrom, SubTopology};
use record::next_stores;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A task: one sub-topology over one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// Index of the sub-topology.
    pub sub_topology: u32,
    /// Index of the partition.
    pub partition: u32,
}

impl TaskId {
    /// The task whose commits carry what concerns the whole job.
    pub const FIRST: TaskId = TaskId { sub_topology: 0, partition: 0 };
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sub_topology, self.partition)
    }
}

/// A job's plan, ready to run. Shared by its workers.
#[derive(Debug, Clone)]
pub struct JobPlan {
    job: String,
    group: String,
    cut: CutTopology,
    sink_partitions: BTreeMap<String, u32>,
    lines: Vec<String>,
    fingerprint: u128,
    /// Last names of the repartition topics.
    repartition_names: Vec<String>,
    record: PlanRecord,
    /// Operators that begin empty beside others that do not.
    new_operators: Vec<String>,
}

/// Why a plan can't go on with the state of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// What changed, an operator each.
    Changed(Vec<String>),
    /// The words that the other plan was recorded in are not those of this program, or there are none.
    Unknown,
    /// A topic has more partitions than it had, and they can't be read by the tasks there are.
    Partitions {
        /// The topic.
        topic: String,
        /// Tasks.
        before: u32,
        /// Partitions now.
        now: u32,
        /// Why not.
        why: &'static str,
    },
    /// A sub-topology would have another number of tasks.
    Tasks {
        /// Its index.
        sub_topology: usize,
        /// Before.
        before: u32,
        /// Now.
        now: u32,
    },
}

/// The longest last name of a topic that is emptied into files.
const OUTLET_NAME_MAX: usize = 70;

/// Version of what the engine makes of a plan. Raised when the same plan would come to mean something else.
const ENGINE: &str = "engine 1";

impl JobPlan {
    /// The plan of `job` over `cut`. `sink_partitions` gives the partition count of every topic it writes to.
    pub fn new(
        job: &str,
        group: Option<&str>,
        cut: CutTopology,
        sink_partitions: BTreeMap<String, u32>,
    ) -> Self {
        let names = cut.repartitions.iter().map(|repartition| legal_name(&repartition.name)).collect();
        let next_stores = next_stores(&cut);
        let fitted = Fitted { cut, names, next_stores, new: Vec::new() };
        Self::with(job, group, fitted, sink_partitions)
    }

    /// The same plan with the numbers and names that `before` gives to what means the same.
    ///
    /// # Errors
    /// [`Misfit`]: it can't go on with that state.
    pub(crate) fn going_on(self, before: &PlanBefore<'_>, from: StateFrom) -> Result<Self, Misfit> {
        if let Some((topic, before, now, why)) = partitions_that_do_not_fit(&self.cut) {
            return Err(Misfit::Partitions { topic, before, now, why });
        }
        let fitted = match before.record {
            // Nothing has changed: what could be told apart by its place alone stands where it stood.
            Some(record) if *record == self.record => Fitted {
                next_stores: next_stores(&self.cut),
                names: self.repartition_names,
                cut: self.cut,
                new: Vec::new(),
            },
            Some(record) if record.version == record::VERSION => {
                let JobPlan { cut, repartition_names, record: own, .. } = &self;
                fit(record, own, cut.clone(), repartition_names.clone(), from).map_err(Misfit::Changed)?
            }
            // Nothing says what the state means. The same words of the same program mean the same.
            _ if before.fingerprint == self.fingerprint() || !before.keeps_state => Fitted {
                next_stores: next_stores(&self.cut),
                names: self.repartition_names,
                cut: self.cut,
                new: Vec::new(),
            },
            _ => return Err(Misfit::Unknown),
        };
        for (sub_topology, (before, part)) in before.tasks.iter().zip(&fitted.cut.parts).enumerate() {
            if *before != part.tasks {
                return Err(Misfit::Tasks { sub_topology, before: *before, now: part.tasks });
            }
        }
        Ok(Self::with(&self.job, Some(&self.group), fitted, self.sink_partitions))
    }

    fn with(job: &str, group: Option<&str>, fitted: Fitted, sink_partitions: BTreeMap<String, u32>) -> Self {
        let Fitted { cut, names: repartition_names, next_stores, new: new_operators } = fitted;
        let mut lines = cut.fingerprint_lines();
        lines.push(ENGINE.to_owned());
        let fingerprint = xxh3_128(lines.join("\n").as_bytes());
        let group = group.map_or_else(|| format!("millstream-{job}"), str::to_owned);
        let record = PlanRecord::new(&cut, &repartition_names, &next_stores);
        let job = job.to_owned();
        JobPlan {
            job,
            group,
            cut,
            sink_partitions,
            lines,
            fingerprint,
            repartition_names,
            record,
            new_operators,
        }
    }

    /// What the job remembers of it.
    pub fn record(&self) -> &PlanRecord {
        &self.record
    }

    /// Operators that begin empty although the job has state: those of new statements.
    pub fn new_operators(&self) -> &[String] {
        &self.new_operators
    }

    /// The job's name.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The job's consumer group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The cut topology.
    pub fn cut(&self) -> &CutTopology {
        &self.cut
    }

    /// A part of it.
    ///
    /// # Panics
    /// When there is none of this index.
    pub fn part(&self, sub_topology: u32) -> &SubTopology {
        &self.cut.parts[sub_topology as usize]
    }

    /// The same plan over a topic that has so many partitions now, if it does not read all of them: the same tasks with the
    /// same state read more.
    ///
    /// # Errors
    /// What is to be said of partitions that must not be read.
    pub(crate) fn reading_more(&self, topic: &str, now: u32) -> Option<Result<Self, String>> {
        let mut plan = self.clone();
        let mut read = None;
        for input in plan.cut.parts.iter_mut().flat_map(|part| &mut part.inputs) {
            if let InputFrom::Table { topic: of, partitions, .. } = &mut input.from
                && of == topic
            {
                read = Some(*partitions);
                *partitions = now;
            }
        }
        let read = read.filter(|read| *read < now)?;
        Some(match partitions_that_do_not_fit(&plan.cut) {
            None => Ok(plan),
            Some((.., why)) => Err(format!(
                "topic {topic} has {now} partitions, and the job reads {read} of them: it can't read the others with the \
                 state that it has: {why}. To read them all start the job under another name (--job), which begins anew; \
                 or copy the others' records into a topic with {read} partitions and read that"
            )),
        })
    }

    /// What the fingerprint is made of, a line an operator.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Equal fingerprints, equal plans.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// Partition count of a topic the job writes to.
    pub fn sink_partitions(&self, topic: &str) -> u32 {
        self.sink_partitions.get(topic).copied().unwrap_or(1)
    }

    /// Every task of the job.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let tasks = |part: &SubTopology| {
            let sub_topology = part.index;
            (0..part.tasks).map(move |partition| TaskId { sub_topology, partition })
        };
        self.cut.parts.iter().flat_map(tasks)
    }

    /// The topic whose partitions are the journals of a sub-topology's tasks.
    pub fn journal_topic(&self, sub_topology: u32) -> String {
        Self::journal_topic_of(&self.job, sub_topology)
    }

    pub(crate) fn journal_topic_of(job: &str, sub_topology: u32) -> String {
        format!("millstream.{job}.journal.{sub_topology}")
    }

    /// The task whose journal is a partition of `topic`.
    pub fn task_of_journal(&self, topic: &str, partition: u32) -> Option<TaskId> {
        let part = self.cut.parts.iter().find(|part| self.journal_topic(part.index) == topic)?;
        Some(TaskId { sub_topology: part.index, partition })
    }

    /// The topic of what concerns the whole job.
    pub fn control_topic(&self) -> String {
        Self::control_topic_of(&self.job)
    }

    pub(crate) fn control_topic_of(job: &str) -> String {
        format!("millstream.{job}.control")
    }

    /// Whether a topic is one that only the job itself reads and writes.
    pub fn is_internal(&self, topic: &str) -> bool {
        let own = topic.strip_prefix("millstream.").and_then(|rest| rest.strip_prefix(&self.job));
        own.is_some_and(|rest| rest.starts_with('.'))
    }

    /// The topic of snapshots, where they are kept in the log.
    pub fn snapshot_topic(&self) -> String {
        Self::snapshot_topic_of(&self.job)
    }

    pub(crate) fn snapshot_topic_of(job: &str) -> String {
        format!("millstream.{job}.snapshots")
    }

    /// The topic of a table whose rows are taken elsewhere from there.
    pub(crate) fn outlet_topic_of(job: &str, table: &str) -> String {
        let mut name = legal_name(table);
        if name != table || name.len() > OUTLET_NAME_MAX || name.is_empty() {
            name.truncate(OUTLET_NAME_MAX - 17);
            name = format!("{name}-{:016x}", xxh3_64(table.as_bytes()));
        }
        format!("{}{name}", Self::outlet_topics_of(job))
    }

    /// What the names of such topics begin with.
    pub(crate) fn outlet_topics_of(job: &str) -> String {
        format!("millstream.{job}.files.")
    }

    /// The table of such a topic, for people.
    pub(crate) fn table_of_outlet(topic: &str) -> &str {
        topic.rsplit('.').next().unwrap_or(topic)
    }

    /// Whether a topic is one that only the job itself reads and writes, and which holds what is on its way to files.
    pub(crate) fn is_outlet(&self, topic: &str) -> bool {
        topic.starts_with(&Self::outlet_topics_of(&self.job))
    }

    /// The topic of an exchange.
    pub fn repartition_topic(&self, index: usize) -> Arc<str> {
        format!("millstream.{}.repartition.{}", self.job, self.repartition_names[index]).into()
    }
}

/// What is known of the plan that a job had before.
#[derive(Debug)]
pub(crate) struct PlanBefore<'a> {
    /// Its record; there is none of jobs from before there were records.
    pub(crate) record: Option<&'a PlanRecord>,
    /// Its fingerprint.
    pub(crate) fingerprint: u128,
    /// Whether any of its operators keeps state.
    pub(crate) keeps_state: bool,
    /// Tasks, by sub-topology.
    pub(crate) tasks: &'a [u32],
}

fn legal_name(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    name.chars().map(legal).collect()
}
