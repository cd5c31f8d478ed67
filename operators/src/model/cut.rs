//! From a topology to sub-topologies, once the partition counts of its topics are known.
//!
//! A topology is cut at its exchanges; what hangs together between them is a [`SubTopology`], run by one task per
//! partition. An exchange between two parts that have a single task each brings nothing together that was apart: it
//! is left out and the parts become one, unless rows get another time where they arrive.

mod parts;

use crate::OperatorError;
use crate::batch::StreamKind;
use crate::exchange::{ExchangeSink, ExchangeSpec};
use crate::operator::{Description, EachRows, OperatorSpec, StateScope, StoreSpec};
use crate::outlet::Outlet;
use crate::sink::{SinkSpec, SinkTopic};
use crate::source::SourceSpec;
use crate::topology::Topology;
use millstream_state::TaskState;
use parts::Parts;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A topology cut for topics of known partition counts.
#[derive(Debug, Clone)]
pub struct CutTopology {
    /// The parts, upstream before downstream.
    pub parts: Vec<SubTopology>,
    /// The repartition topics between them.
    pub repartitions: Vec<Repartition>,
    /// Tasks that a part was given at most that reads exchanges alone.
    pub exchange_tasks_max: u32,
}

/// A part of a topology between topics. One task runs it per partition.
#[derive(Debug, Clone)]
pub struct SubTopology {
    /// Its index.
    pub index: u32,
    /// Number of tasks.
    pub tasks: u32,
    /// Its nodes, inputs before readers.
    pub nodes: Vec<CutNode>,
    /// What its tasks read.
    pub inputs: Vec<CutInput>,
}

/// A node of a part.
#[derive(Debug, Clone)]
pub struct CutNode {
    /// The node's name in the topology.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// Its inputs within the part, by port.
    pub inputs: Vec<usize>,
    /// What its rows mean.
    pub kind: StreamKind,
    /// The id of the first of its stores; the others follow.
    pub first_store: u16,
}

/// What a node of a part does.
#[derive(Debug, Clone)]
pub enum Work {
    /// Decodes a table's records.
    Source(Arc<SourceSpec>),
    /// Reads blocks of a repartition topic.
    Receive(Arc<ExchangeSpec>),
    /// Transforms rows.
    Operator(Arc<dyn OperatorSpec>),
    /// Writes blocks to a repartition topic.
    Send {
        /// The exchange.
        exchange: Arc<ExchangeSpec>,
        /// Index into [`CutTopology::repartitions`].
        repartition: usize,
    },
    /// Writes results.
    Sink(Arc<SinkSpec>),
}

/// An input of a part.
#[derive(Debug, Clone)]
pub struct CutInput {
    /// The node its rows enter at.
    pub node: usize,
    /// Where they come from.
    pub from: InputFrom,
}

/// Where the rows of an input come from.
#[derive(Debug, Clone)]
pub enum InputFrom {
    /// One topic of a table: its name and partition count. Tasks beyond its partitions do not read it; where it has more
    /// partitions than there are tasks, task `n` of `m` reads the partitions `n`, `n + m` and so on.
    Table {
        /// The table.
        source: Arc<SourceSpec>,
        /// The topic.
        topic: String,
        /// Its partitions.
        partitions: u32,
    },
    /// A repartition topic: index into [`CutTopology::repartitions`].
    Repartition(usize),
}

/// A repartition topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repartition {
    /// Name of the exchange; the topic's name is made from it.
    pub name: String,
    /// Number of partitions: the tasks of the part that reads it.
    pub partitions: u32,
    /// The part that writes it.
    pub from_part: u32,
    /// Number of tasks that write it: a reader's watermark waits for all of them.
    pub from_tasks: u32,
}

/// Why a topology can't be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// A topic that is read does not exist.
    #[error("topic \"{topic}\" of table {table} does not exist")]
    NoTopic {
        /// The topic.
        topic: String,
        /// The table that reads it.
        table: String,
    },
    /// A join reads topics that are not partitioned alike.
    #[error("{node} joins topics with different partition counts: {}; recreate one of them with as many partitions \
             as the other", list(.topics))]
    NotCopartitioned {
        /// The join.
        node: String,
        /// The topics with their partition counts.
        topics: Vec<(String, u32)>,
    },
}

fn list(topics: &[(String, u32)]) -> String {
    let topics: Vec<String> =
        topics.iter().map(|(topic, count)| format!("\"{topic}\" has {count}")).collect();
    topics.join(", ")
}

/// Partition counts of the topics of a cluster; `None` for a topic that does not exist.
pub type PartitionCounts<'a> = &'a dyn Fn(&str) -> Option<u32>;

/// Cuts a topology for the given partition counts.
///
/// # Errors
/// [`CutError`]; nothing was created.
pub fn cut(topology: &Topology, partitions: PartitionCounts<'_>) -> Result<CutTopology, CutError> {
    cut_as_before(topology, partitions, partitions)
}

/// Cuts a topology whose topics had other partition counts when it was cut first: into as many tasks as then. Task `n` of
/// `m` reads the partitions `n`, `n + m` and so on.
///
/// # Errors
/// As [`cut`].
pub fn cut_as_before(
    topology: &Topology,
    partitions: PartitionCounts<'_>,
    before: PartitionCounts<'_>,
) -> Result<CutTopology, CutError> {
    let mut parts = Parts::new(topology);
    loop {
        let tasks = parts.tasks(before)?;
        if !parts.drop_needless_exchange(&tasks) {
            parts.check_copartitioning(before)?;
            return Ok(parts.build(&tasks, partitions));
        }
    }
}

impl CutTopology {
    /// The topics the job writes its results to, without those of its own.
    pub fn sink_topics(&self) -> Vec<SinkTopic> {
        let of_users = self.sinks().filter(|sink| sink.writer.outlet().is_none());
        let mut topics: Vec<SinkTopic> = of_users.filter_map(|sink| sink.topic.clone()).collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        topics.dedup();
        topics
    }

    /// The topics of the job itself whose records are taken elsewhere, and what takes them.
    pub fn outlets(&self) -> BTreeMap<&str, &Arc<dyn Outlet>> {
        let sinks = self.sinks();
        sinks.filter_map(|sink| Some((sink.topic.as_ref()?.name.as_str(), sink.writer.outlet()?))).collect()
    }

    fn sinks(&self) -> impl Iterator<Item = &Arc<SinkSpec>> {
        self.parts.iter().flat_map(|part| &part.nodes).filter_map(|node| match &node.work {
            Work::Sink(sink) => Some(sink),
            _ => None,
        })
    }

    /// One line per node that gives state or output its meaning: equal lines, equal plans.
    pub fn fingerprint_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for part in &self.parts {
            for node in &part.nodes {
                let Description { name, detail } = node.describe();
                lines.push(format!("{}-{}: {name}: {detail}", part.index, node.name));
            }
        }
        lines
    }
}

impl SubTopology {
    /// The stores of its tasks, in the order of its nodes: id, the node's name, and what the store is.
    pub fn stores(&self) -> Vec<(u16, String, StoreSpec)> {
        let stores = |node: &CutNode| {
            let (name, first) = (node.name.clone(), node.first_store);
            let numbered = node.stores().into_iter().zip(first..);
            numbered.map(move |(store, id)| (id, name.clone(), store)).collect::<Vec<_>>()
        };
        self.nodes.iter().flat_map(stores).collect()
    }
}

impl CutNode {
    /// What the node is and does.
    pub fn describe(&self) -> Description {
        match &self.work {
            Work::Source(source) => Description::new("Source", source.describe()),
            Work::Receive(exchange) => Description::new("Receive", exchange.describe()),
            Work::Operator(operator) => operator.describe(),
            Work::Send { exchange, .. } => Description::new("Exchange", exchange.describe()),
            Work::Sink(sink) => Description::new("Sink", sink.writer.describe()),
        }
    }

    /// What is in the stores it keeps, whatever columns are called: see [`OperatorSpec::layouts`].
    pub fn layouts(&self) -> Vec<String> {
        match &self.work {
            Work::Operator(operator) => operator.layouts(),
            _ => self.stores().into_iter().map(|store| format!("{}: {}", store.name, store.schema)).collect(),
        }
    }

    /// Gives the rows that its state in a task stands for to `each`, for people; says whether it can show any.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn show_state(&self, state: &mut TaskState, each: EachRows<'_>) -> Result<bool, OperatorError> {
        match &self.work {
            Work::Operator(operator) => {
                operator.show_state(&mut StateScope::new(state, self.first_store), each)
            }
            _ => Ok(false),
        }
    }

    /// The stores it keeps.
    pub fn stores(&self) -> Vec<StoreSpec> {
        match &self.work {
            Work::Operator(operator) => operator.stores(),
            Work::Send { .. } => ExchangeSink::stores(),
            _ => Vec::new(),
        }
    }
}
