//! The plan of a job as the runtime runs it: the cut topology, its fingerprint, and the names of everything internal.

use millstream_operators::{CutTopology, SubTopology};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

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
#[derive(Debug)]
pub struct JobPlan {
    job: String,
    group: String,
    cut: CutTopology,
    sink_partitions: BTreeMap<String, u32>,
    lines: Vec<String>,
    fingerprint: u128,
}

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
        let mut lines = cut.fingerprint_lines();
        lines.push(ENGINE.to_owned());
        let fingerprint = xxh3_128(lines.join("\n").as_bytes());
        let group = group.map_or_else(|| format!("millstream-{job}"), str::to_owned);
        JobPlan { job: job.to_owned(), group, cut, sink_partitions, lines, fingerprint }
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
        format!("millstream.{}.journal.{sub_topology}", self.job)
    }

    /// The task whose journal is a partition of `topic`.
    pub fn task_of_journal(&self, topic: &str, partition: u32) -> Option<TaskId> {
        let part = self.cut.parts.iter().find(|part| self.journal_topic(part.index) == topic)?;
        Some(TaskId { sub_topology: part.index, partition })
    }

    /// The topic of what concerns the whole job.
    pub fn control_topic(&self) -> String {
        format!("millstream.{}.control", self.job)
    }

    /// Whether a topic is one that only the job itself reads and writes.
    pub fn is_internal(&self, topic: &str) -> bool {
        let own = topic.strip_prefix("millstream.").and_then(|rest| rest.strip_prefix(&self.job));
        own.is_some_and(|rest| rest.starts_with('.'))
    }

    /// The topic of snapshots, where they are kept in the log.
    pub fn snapshot_topic(&self) -> String {
        format!("millstream.{}.snapshots", self.job)
    }

    /// The topic of an exchange.
    pub fn repartition_topic(&self, index: usize) -> Arc<str> {
        let name = &self.cut.repartitions[index].name;
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
        let name: String = name.chars().map(legal).collect();
        format!("millstream.{}.repartition.{name}", self.job).into()
    }
}
