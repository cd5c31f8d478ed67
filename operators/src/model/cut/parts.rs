//! The parts of a topology while it is cut.

use super::{
    CutError, CutInput, CutNode, CutTopology, InputFrom, PartitionCounts, Repartition, SubTopology, Work,
};
use crate::operator::OperatorSpec;
use crate::source::SourceSpec;
use crate::topology::{NodeId, NodeSpec, Topology};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which nodes hang together, while exchanges are being left out.
pub(super) struct Parts<'a> {
    topology: &'a Topology,
    /// Exchanges that were left out.
    elided: Vec<bool>,
    /// For each node that is no exchange, the representative of its part.
    part: Vec<usize>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(topology: &'a Topology) -> Self {
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
    /// as many as the tasks that feed it, up to the limit of the topology.
    pub(super) fn tasks(&self, partitions: PartitionCounts<'_>) -> Result<BTreeMap<usize, u32>, CutError> {
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
            most = most.min(self.topology.exchange_tasks_max());
        }
        tasks.insert(part, most.max(1));
        Ok(most.max(1))
    }

    /// Whether rows get another time where they arrive: no exchange is needless that changes more than where rows are.
    fn is_by_clock(&self, node: usize) -> bool {
        matches!(&self.topology.nodes()[node].spec, NodeSpec::Exchange(exchange) if exchange.by_clock)
    }

    /// Leaves out one exchange that joins two parts of one task each. Says whether there was one.
    pub(super) fn drop_needless_exchange(&mut self, tasks: &BTreeMap<usize, u32>) -> bool {
        for node in 0..self.topology.nodes().len() {
            if !self.is_exchange(node) || tasks[&self.part[node]] != 1 || self.is_by_clock(node) {
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
    pub(super) fn check_copartitioning(&self, partitions: PartitionCounts<'_>) -> Result<(), CutError> {
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

    pub(super) fn build(&self, tasks: &BTreeMap<usize, u32>, partitions: PartitionCounts<'_>) -> CutTopology {
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
        CutTopology { parts, repartitions, exchange_tasks_max: self.topology.exchange_tasks_max() }
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
