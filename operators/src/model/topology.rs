//! The operator graph of a job, as SQL or the typed API declares it.
//!
//! A [`Topology`] is a list of [`Node`]s in which inputs come before the nodes that read them. It does not know how
//! many partitions a topic has; [`crate::cut`] turns it into sub-topologies when that is known.

use crate::batch::StreamKind;
use crate::exchange::ExchangeSpec;
use crate::operator::OperatorSpec;
use crate::sink::SinkSpec;
use crate::source::SourceSpec;
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

/// The operator graph of a job.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    nodes: Vec<Node>,
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

    /// The nodes, inputs before their readers.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
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
