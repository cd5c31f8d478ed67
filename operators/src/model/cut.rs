//! From a topology to sub-topologies, once the partition counts of its topics are known.
//!
//! A topology is cut at its exchanges; what hangs together between them is a [`SubTopology`], run by one task per
//! partition. An exchange between two parts that have a single task each brings nothing together that was apart: it
//! is left out and the parts become one.

use crate::batch::StreamKind;
use crate::exchange::{ExchangeSink, ExchangeSpec};
use crate::operator::{Description, OperatorSpec, StoreSpec};
use crate::sink::{SinkSpec, SinkTopic};
use crate::source::SourceSpec;
use crate::topology::{NodeId, NodeSpec, Topology};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A topology cut for topics of known partition counts.
#[derive(Debug, Clone)]
pub struct CutTopology {
    /// The parts, upstream before downstream.
    pub parts: Vec<SubTopology>,
    /// The repartition topics between them.
    pub repartitions: Vec<Repartition>,
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

/// Which nodes hang together, while exchanges are being left out.
struct Parts<'a> {
    topology: &'a Topology,
    /// Exchanges that were left out.
    elided: Vec<bool>,
    /// For each node that is no exchange, the representative of its part.
    part: Vec<usize>,
}

impl<'a> Parts<'a> {
    fn new(topology: &'a Topology) -> Self {
        let mut parts = Parts { topology, elided: vec![false; topology.nodes().len()], part: Vec::new() };
        parts.connect();
        parts
    }

    fn is_exchange(&self, node: usize) -> bool {
        matches!(self.topology.nodes()[node].spec, NodeSpec::Exchange(_)) && !self.elided[node]
    }

    /// Recomputes which nodes hang together. An exchange that is kept belongs to the part it ends.
    fn connect(&mut self) {
        let count = self.topology.nodes().len();
        self.part = (0..count).collect();
        for (node, spec) in self.topology.nodes().iter().enumerate() {
            for NodeId(input) in &spec.inputs {
                if !self.is_exchange(*input) {
                    let (from, to) = (self.part[*input], self.part[node]);
                    let low = from.min(to);
                    self.part
                        .iter_mut()
                        .filter(|part| **part == from || **part == to)
                        .for_each(|part| *part = low);
                }
            }
        }
    }

    /// Sources of a part with their topics.
    fn sources(&self, part: usize) -> impl Iterator<Item = &Arc<SourceSpec>> {
        self.topology.nodes().iter().enumerate().filter_map(move |(node, spec)| match &spec.spec {
            NodeSpec::Source(source) if self.part[node] == part => Some(source),
            _ => None,
        })
    }

    /// Exchanges that feed a part.
    fn feeding(&self, part: usize) -> Vec<usize> {
        let mut feeding: Vec<usize> = Vec::new();
        for (node, spec) in self.topology.nodes().iter().enumerate() {
            if self.part[node] == part {
                feeding
                    .extend(spec.inputs.iter().map(|input| input.0).filter(|input| self.is_exchange(*input)));
            }
        }
        feeding.sort_unstable();
        feeding.dedup();
        feeding
    }

    /// Number of tasks of each part: the most partitions among its topics; where it reads only repartition topics,
    /// as many as the tasks that feed it.
    fn tasks(&self, partitions: PartitionCounts<'_>) -> Result<BTreeMap<usize, u32>, CutError> {
        let mut tasks = BTreeMap::new();
        for &part in &self.part {
            self.tasks_of(part, partitions, &mut tasks)?;
        }
        Ok(tasks)
    }

    fn tasks_of(
        &self,
        part: usize,
        partitions: PartitionCounts<'_>,
        tasks: &mut BTreeMap<usize, u32>,
    ) -> Result<u32, CutError> {
        if let Some(known) = tasks.get(&part) {
            return Ok(*known);
        }
        let mut most = 0;
        for source in self.sources(part) {
            for topic in &source.topics {
                let count = partitions(topic)
                    .ok_or_else(|| CutError::NoTopic { topic: topic.clone(), table: source.table.clone() })?;
                most = most.max(count);
            }
        }
        if most == 0 {
            for exchange in self.feeding(part) {
                most = most.max(self.tasks_of(self.part[exchange], partitions, tasks)?);
            }
        }
        tasks.insert(part, most.max(1));
        Ok(most.max(1))
    }

    /// Leaves out one exchange that joins two parts of one task each. Says whether there was one.
    fn drop_needless_exchange(&mut self, tasks: &BTreeMap<usize, u32>) -> bool {
        for node in 0..self.topology.nodes().len() {
            if !self.is_exchange(node) || tasks[&self.part[node]] != 1 {
                continue;
            }
            let reads = |spec: &crate::topology::Node| spec.inputs.contains(&NodeId(node));
            let mut readers = self.topology.nodes().iter().enumerate().filter(|(_, spec)| reads(spec));
            if !readers.all(|(reader, _)| tasks[&self.part[reader]] == 1) {
                continue;
            }
            self.elided[node] = true;
            self.connect();
            if !self.has_loop() {
                return true;
            }
            // Another way leads from one part to the other, through a third.
            self.elided[node] = false;
            self.connect();
        }
        false
    }

    /// Whether a part feeds itself.
    fn has_loop(&self) -> bool {
        let order = self.order();
        let place = |part: usize| order.iter().position(|other| *other == part);
        order.iter().any(|part| {
            self.feeding(*part).iter().any(|exchange| place(self.part[*exchange]) >= place(*part))
        })
    }

    /// A node with two inputs needs what reaches it directly from topics to be partitioned alike.
    fn check_copartitioning(&self, partitions: PartitionCounts<'_>) -> Result<(), CutError> {
        for (node, spec) in self.topology.nodes().iter().enumerate() {
            let joins = |operator: &dyn OperatorSpec| spec.inputs.len() > 1 && operator.brings_together();
            if !matches!(&spec.spec, NodeSpec::Operator(operator) if joins(&**operator)) {
                continue;
            }
            let mut topics: Vec<(String, u32)> = Vec::new();
            for source in self.sources_above(node) {
                topics.extend(
                    source.topics.iter().map(|topic| (topic.clone(), partitions(topic).unwrap_or(0))),
                );
            }
            if topics.iter().any(|(_, count)| *count != topics[0].1) {
                return Err(CutError::NotCopartitioned { node: spec.name.clone(), topics });
            }
        }
        Ok(())
    }

    fn sources_above(&self, node: usize) -> Vec<&Arc<SourceSpec>> {
        let mut found = Vec::new();
        let mut open = vec![node];
        let mut seen = vec![false; self.topology.nodes().len()];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            let spec = &self.topology.nodes()[node];
            if let NodeSpec::Source(source) = &spec.spec {
                found.push(source);
            }
            open.extend(spec.inputs.iter().map(|input| input.0).filter(|input| !self.is_exchange(*input)));
        }
        found.reverse();
        found
    }

    fn build(&self, tasks: &BTreeMap<usize, u32>, partitions: PartitionCounts<'_>) -> CutTopology {
        let index: BTreeMap<usize, u32> = self.order().into_iter().zip(0..).collect();
        let mut repartitions = Vec::new();
        let mut repartition_of = BTreeMap::new();
        for (node, spec) in self.topology.nodes().iter().enumerate() {
            if self.is_exchange(node) {
                let reader = self.readers(node).next();
                repartition_of.insert(node, repartitions.len());
                repartitions.push(Repartition {
                    name: spec.name.clone(),
                    partitions: reader.map_or(1, |reader| tasks[&self.part[reader]]),
                    from_part: index[&self.part[node]],
                    from_tasks: tasks[&self.part[node]],
                });
            }
        }
        let mut parts: Vec<SubTopology> = Vec::new();
        for (&part, &index) in &index {
            parts.push(self.build_part(part, index, tasks[&part], &repartition_of, partitions));
        }
        parts.sort_by_key(|part| part.index);
        CutTopology { parts, repartitions }
    }

    fn readers(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let reads = move |spec: &crate::topology::Node| spec.inputs.contains(&NodeId(node));
        self.topology
            .nodes()
            .iter()
            .enumerate()
            .filter(move |(_, spec)| reads(spec))
            .map(|(reader, _)| reader)
    }

    /// The parts, upstream before downstream, otherwise in the order of their first nodes.
    fn order(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.part.clone();
        open.sort_unstable();
        open.dedup();
        let mut order: Vec<usize> = Vec::new();
        while !open.is_empty() {
            let ready = open.iter().position(|part| {
                self.feeding(*part).iter().all(|exchange| order.contains(&self.part[*exchange]))
            });
            // A topology is made without parts that feed themselves: one part is always ready.
            order.push(open.remove(ready.unwrap_or(0)));
        }
        order
    }

    fn build_part(
        &self,
        part: usize,
        index: u32,
        tasks: u32,
        repartition_of: &BTreeMap<usize, usize>,
        partitions: PartitionCounts<'_>,
    ) -> SubTopology {
        let mut built = SubTopology { index, tasks, nodes: Vec::new(), inputs: Vec::new() };
        let (mut place, mut received): (BTreeMap<usize, usize>, BTreeMap<usize, usize>) = Default::default();
        for exchange in self.feeding(part) {
            let spec = &self.topology.nodes()[exchange];
            let NodeSpec::Exchange(work) = &spec.spec else { continue };
            received.insert(exchange, built.nodes.len());
            let from = InputFrom::Repartition(repartition_of[&exchange]);
            built.inputs.push(CutInput { node: built.nodes.len(), from });
            built.nodes.push(CutNode {
                name: format!("{} (receive)", spec.name),
                work: Work::Receive(Arc::clone(work)),
                inputs: Vec::new(),
                kind: spec.kind,
                first_store: 0,
            });
        }
        for (node, spec) in
            self.topology.nodes().iter().enumerate().filter(|(node, _)| self.part[*node] == part)
        {
            // What an exchange sends is read where it is received.
            let input = |input: &NodeId| received.get(&input.0).copied().unwrap_or_else(|| place[&input.0]);
            let inputs: Vec<usize> = spec.inputs.iter().map(input).collect();
            if self.elided[node] {
                place.insert(node, inputs[0]);
                continue;
            }
            let at = built.nodes.len();
            let work = match &spec.spec {
                NodeSpec::Source(source) => {
                    for topic in &source.topics {
                        let from = InputFrom::Table {
                            source: Arc::clone(source),
                            topic: topic.clone(),
                            partitions: partitions(topic).unwrap_or(0),
                        };
                        built.inputs.push(CutInput { node: at, from });
                    }
                    Work::Source(Arc::clone(source))
                }
                NodeSpec::Operator(operator) => Work::Operator(Arc::clone(operator)),
                NodeSpec::Exchange(exchange) => {
                    Work::Send { exchange: Arc::clone(exchange), repartition: repartition_of[&node] }
                }
                NodeSpec::Sink(sink) => Work::Sink(Arc::clone(sink)),
            };
            place.insert(node, at);
            let (name, kind) = (spec.name.clone(), spec.kind);
            built.nodes.push(CutNode { name, work, inputs, kind, first_store: 0 });
        }
        let mut next_store = 0;
        for node in &mut built.nodes {
            node.first_store = next_store;
            next_store += node.stores().len() as u16;
        }
        built
    }
}

impl CutTopology {
    /// The topics the job writes its results to.
    pub fn sink_topics(&self) -> Vec<SinkTopic> {
        let nodes = self.parts.iter().flat_map(|part| &part.nodes);
        let mut topics: Vec<SinkTopic> = nodes
            .filter_map(|node| match &node.work {
                Work::Sink(sink) => sink.topic.clone(),
                _ => None,
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        topics.dedup();
        topics
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
            Work::Receive(exchange) => Description::new("Receive", format!("by {}", exchange.by)),
            Work::Operator(operator) => operator.describe(),
            Work::Send { exchange, .. } => Description::new("Exchange", format!("by {}", exchange.by)),
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

    /// The stores it keeps.
    pub fn stores(&self) -> Vec<StoreSpec> {
        match &self.work {
            Work::Operator(operator) => operator.stores(),
            Work::Send { .. } => ExchangeSink::stores(),
            _ => Vec::new(),
        }
    }
}
