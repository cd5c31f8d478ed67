//! The operator graph of a job, as SQL or the typed API declares it.
//!
//! A [`Topology`] is a list of [`Node`]s in which inputs come before the nodes that read them. It does not know how
//! many partitions a topic has; [`crate::cut`] turns it into sub-topologies when that is known.

use crate::batch::StreamKind;
use crate::exchange::ExchangeSpec;
use crate::feed::Feed;
use crate::operator::OperatorSpec;
use crate::sink::SinkSpec;
use crate::source::SourceSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A node of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// What a node does.
#[derive(Debug, Clone)]
pub enum NodeSpec {
    /// Reads topics.
    Source(Arc<SourceSpec>),
    /// Transforms what comes in.
    Operator(Arc<dyn OperatorSpec>),
    /// Brings rows with the same key to the same task.
    Exchange(Arc<ExchangeSpec>),
    /// Writes to a topic or the console.
    Sink(Arc<SinkSpec>),
}

/// A node with its place in the graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, unique in the topology. State is found again by it, so it must not change from one version of the
    /// program to the next while the node means the same.
    pub name: String,
    /// What it does.
    pub spec: NodeSpec,
    /// Where its rows come from, by port.
    pub inputs: Vec<NodeId>,
    /// What its rows mean.
    pub kind: StreamKind,
}

/// Why nodes can't be joined. Says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TopologyError {
    /// The node that was to be added.
    pub node: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Tasks that a part gets at most that reads exchanges alone, unless the job says otherwise. Every task in front of an
/// exchange writes to every one behind it: where both are as many as the partitions of a wide topic, blocks are small and their
/// number grows with the square.
pub const EXCHANGE_TASKS_MAX: u32 = 32;

/// The operator graph of a job.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    nodes: Vec<Node>,
    exchange_tasks_max: Option<u32>,
}

impl Topology {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node that reads `inputs`, and checks that it can take what they emit.
    ///
    /// # Errors
    /// [`TopologyError`] when the name is taken, or the node can't take that kind of stream.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        spec: NodeSpec,
        inputs: &[NodeId],
    ) -> Result<NodeId, TopologyError> {
        let name = name.into();
        let refuse = |message: String| Err(TopologyError { node: name.clone(), message });
        if self.nodes.iter().any(|node| node.name == name) {
            return refuse(format!("two operators are called \"{name}\"; give one of them another name"));
        }
        let kinds: Vec<StreamKind> = inputs.iter().map(|input| self.nodes[input.0].kind).collect();
        let kind = match (&spec, kinds.as_slice()) {
            (NodeSpec::Source(source), []) => source.kind,
            (NodeSpec::Operator(operator), kinds) => match operator.output_kind(kinds) {
                Ok(kind) => kind,
                Err(message) => return refuse(message),
            },
            (NodeSpec::Exchange(_), [kind]) => *kind,
            (NodeSpec::Sink(sink), [kind]) => match sink.accepts(*kind) {
                Ok(()) => *kind,
                Err(message) => return refuse(message),
            },
            (_, kinds) => return refuse(format!("\"{name}\" can't have {} inputs", kinds.len())),
        };
        self.nodes.push(Node { name, spec, inputs: inputs.to_vec(), kind });
        Ok(NodeId(self.nodes.len() - 1))
    }

    /// Whether a node that reads `inputs` would make a part of the graph feed itself through exchanges: the nodes that
    /// hang together without an exchange run in the same tasks, and a task that waits for its own output waits for ever.
    pub fn would_feed_itself(&self, inputs: &[NodeId]) -> bool {
        let parts = Parts::of(&self.nodes);
        let is_exchange = |input: &&NodeId| matches!(self.nodes[input.0].spec, NodeSpec::Exchange(_));
        let part = |input: &NodeId| parts.part[input.0];
        let merged: BTreeSet<usize> = inputs.iter().filter(|input| !is_exchange(input)).map(part).collect();
        let mut open: Vec<usize> = inputs.iter().filter(is_exchange).map(part).collect();
        let fed_by = |part: &usize| parts.fed_by.get(part).into_iter().flatten().copied();
        open.extend(merged.iter().flat_map(fed_by));
        let mut seen = BTreeSet::new();
        while let Some(part) = open.pop() {
            if merged.contains(&part) {
                return true;
            }
            if seen.insert(part) {
                open.extend(fed_by(&part));
            }
        }
        false
    }

    /// The same with so many tasks at most for a part that reads exchanges alone.
    #[must_use]
    pub fn with_exchange_tasks_max(mut self, tasks: u32) -> Self {
        self.exchange_tasks_max = Some(tasks.max(1));
        self
    }

    /// Tasks that a part gets at most that reads exchanges alone: [`EXCHANGE_TASKS_MAX`] unless it was said otherwise.
    pub fn exchange_tasks_max(&self) -> u32 {
        self.exchange_tasks_max.unwrap_or(EXCHANGE_TASKS_MAX)
    }

    /// The nodes, inputs before their readers.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The same with other sources in the place of some.
    #[must_use]
    pub fn with_sources(mut self, other: impl Fn(&SourceSpec) -> Option<SourceSpec>) -> Self {
        for node in &mut self.nodes {
            if let NodeSpec::Source(source) = &node.spec
                && let Some(source) = other(source)
            {
                node.spec = NodeSpec::Source(Arc::new(source));
            }
        }
        self
    }

    /// The same with other sinks in the place of some.
    #[must_use]
    pub fn with_sinks(mut self, other: impl Fn(&SinkSpec) -> Option<SinkSpec>) -> Self {
        for node in &mut self.nodes {
            if let NodeSpec::Sink(sink) = &node.spec
                && let Some(sink) = other(sink)
            {
                node.spec = NodeSpec::Sink(Arc::new(sink));
            }
        }
        self
    }

    /// What its sources read that is no topic.
    pub fn feeds(&self) -> impl Iterator<Item = &Arc<dyn Feed>> {
        self.nodes.iter().filter_map(|node| match &node.spec {
            NodeSpec::Source(source) => source.feed.as_ref(),
            _ => None,
        })
    }

    /// The node `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// What the rows of a node mean.
    pub fn kind(&self, id: NodeId) -> StreamKind {
        self.nodes[id.0].kind
    }
}

/// Which nodes hang together without an exchange between them.
struct Parts {
    /// By node: the first node of its part. An exchange belongs to the part that it ends.
    part: Vec<usize>,
    /// By part: the parts whose exchanges it reads.
    fed_by: BTreeMap<usize, BTreeSet<usize>>,
}

impl Parts {
    fn of(nodes: &[Node]) -> Self {
        let is_exchange = |node: usize| matches!(nodes[node].spec, NodeSpec::Exchange(_));
        let mut first: Vec<usize> = (0..nodes.len()).collect();
        fn find(first: &mut [usize], mut node: usize) -> usize {
            while first[node] != node {
                first[node] = first[first[node]];
                node = first[node];
            }
            node
        }
        let edges = || {
            nodes
                .iter()
                .enumerate()
                .flat_map(|(node, spec)| spec.inputs.iter().map(move |input| (input.0, node)))
        };
        for (input, node) in edges().filter(|(input, _)| !is_exchange(*input)) {
            let (one, other) = (find(&mut first, input), find(&mut first, node));
            first[one.max(other)] = one.min(other);
        }
        let part: Vec<usize> = (0..nodes.len()).map(|node| find(&mut first, node)).collect();
        let mut fed_by: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (input, node) in edges().filter(|(input, _)| is_exchange(*input)) {
            fed_by.entry(part[node]).or_default().insert(part[input]);
        }
        Parts { part, fed_by }
    }
}
