//! The running operators of one task.
//!
//! A [`Graph`] is driven by passes over its nodes in topological order, not by recursion: every node takes the
//! batches in its inbox and puts what it emits into the inboxes of its readers, which come later in the same pass. A
//! batch, a new watermark and a flush are each one pass.

use crate::batch::{Batch, EventTime, NO_WATERMARK};
use crate::cut::{SubTopology, Work};
use crate::error::OperatorError;
use crate::exchange::ExchangeSink;
use crate::operator::{BuildCx, Counters, Cx, DeltaScope, Operator, Port, StateScope, TaskInfo};
use crate::outbox::Outbox;
use crate::records::TopicPartition;
use millstream_state::{Delta, TaskState};
use std::sync::Arc;

/// What a graph needs to know of the topics it writes to.
#[allow(missing_debug_implementations, reason = "two functions")]
pub struct Destinations<'a> {
    /// Partition count of a sink's topic.
    pub sink_partitions: &'a dyn Fn(&str) -> u32,
    /// Name and partition count of a repartition topic, by its index in the cut topology.
    pub repartition: &'a dyn Fn(usize) -> (Arc<str>, u32),
}

/// What every call of a step shares.
#[derive(Debug)]
pub struct StepCx<'a> {
    /// Clock reading of the step, milliseconds since 1970; never goes back.
    pub now_ms: i64,
    /// Number of the commit being filled.
    pub commit: u64,
    /// The partition whose records are being processed, if it is records.
    pub origin: Option<&'a TopicPartition>,
    /// Whether every input of the task is idle.
    pub idle: bool,
    /// Committed state of the task.
    pub state: &'a mut TaskState,
    /// Where sinks write to.
    pub outbox: &'a mut Outbox,
}

/// The operators of one task, wired. See the module's head.
pub struct Graph {
    task: TaskInfo,
    nodes: Vec<RunningNode>,
    emitted: Vec<Batch>,
    watermark: EventTime,
}

struct RunningNode {
    name: String,
    /// `None` for nodes where batches enter.
    operator: Option<Box<dyn Operator>>,
    readers: Vec<(usize, Port)>,
    inbox: Vec<(Port, Batch)>,
    first_store: u16,
    counters: Counters,
    /// Whether rows leave the job here without being written to a topic.
    shows: bool,
}

/// What a pass does at every node once its inbox is empty.
#[derive(Clone, Copy)]
enum Pass {
    Process,
    Advance(EventTime),
    Flush,
}

impl Graph {
    /// Builds the operators of `part` for one task.
    ///
    /// # Errors
    /// What building an operator reports.
    pub fn build(
        part: &SubTopology,
        partition: u32,
        destinations: &Destinations<'_>,
        cx: &BuildCx,
    ) -> Result<Self, OperatorError> {
        let mut nodes: Vec<RunningNode> = Vec::with_capacity(part.nodes.len());
        for (index, node) in part.nodes.iter().enumerate() {
            let operator: Option<Box<dyn Operator>> = match &node.work {
                Work::Source(_) | Work::Receive(_) => None,
                Work::Operator(spec) => Some(spec.build(cx)?),
                Work::Send { exchange, repartition } => {
                    let (topic, partitions) = (destinations.repartition)(*repartition);
                    Some(Box::new(ExchangeSink::new(exchange, topic, partitions)))
                }
                Work::Sink(sink) => {
                    let topic = sink.topic.as_ref().map(|topic| topic.name.as_str());
                    Some(sink.writer.build(topic.map_or(0, destinations.sink_partitions), cx)?)
                }
            };
            for (port, input) in node.inputs.iter().enumerate() {
                nodes[*input].readers.push((index, Port(port as u8)));
            }
            let (readers, inbox, counters) = (Vec::new(), Vec::new(), Counters::default());
            nodes.push(RunningNode {
                name: node.name.clone(),
                operator,
                readers,
                inbox,
                first_store: node.first_store,
                counters,
                shows: matches!(&node.work, Work::Sink(sink) if sink.topic.is_none()),
            });
        }
        let task = TaskInfo { sub_topology: part.index, partition };
        Ok(Graph { task, nodes, emitted: Vec::new(), watermark: NO_WATERMARK })
    }

    /// The task.
    pub fn task(&self) -> &TaskInfo {
        &self.task
    }

    /// The watermark that the operators have seen.
    pub fn watermark(&self) -> EventTime {
        self.watermark
    }

    /// Passes a batch that entered at `node` through the graph.
    ///
    /// # Errors
    /// What an operator reports; the graph can't be used any more.
    pub fn enter(&mut self, node: usize, batch: Batch, step: &mut StepCx<'_>) -> Result<(), OperatorError> {
        let rows = batch.len() as u64;
        self.nodes[node].counters.rows_in += rows;
        self.nodes[node].counters.rows_out += rows;
        self.deliver(node, batch);
        self.pass(Pass::Process, step)
    }

    /// Raises the watermark.
    ///
    /// # Errors
    /// As [`Graph::enter`].
    pub fn advance(&mut self, watermark: EventTime, step: &mut StepCx<'_>) -> Result<(), OperatorError> {
        debug_assert!(watermark > self.watermark, "a watermark never goes back");
        self.pass(Pass::Advance(watermark), step)?;
        self.watermark = watermark;
        Ok(())
    }

    /// Lets every operator emit what it holds back, in topological order.
    ///
    /// # Errors
    /// As [`Graph::enter`].
    pub fn flush(&mut self, step: &mut StepCx<'_>) -> Result<(), OperatorError> {
        self.pass(Pass::Flush, step)
    }

    /// What changed in every store since the last call.
    ///
    /// # Errors
    /// As [`Graph::enter`].
    pub fn delta(&mut self) -> Result<Delta, OperatorError> {
        let mut delta = Delta::default();
        for node in &mut self.nodes {
            if let Some(operator) = &mut node.operator {
                operator.delta(&mut DeltaScope::new(&mut delta, node.first_store))?;
            }
        }
        delta.retain_changed();
        Ok(delta)
    }

    /// Makes the operators stand at the state, with the watermark of the same commit.
    ///
    /// # Errors
    /// As [`Graph::enter`].
    pub fn restore(&mut self, watermark: EventTime, state: &mut TaskState) -> Result<(), OperatorError> {
        self.watermark = watermark;
        for node in &mut self.nodes {
            if let Some(operator) = &mut node.operator {
                operator.restore(watermark, &mut StateScope::new(state, node.first_store))?;
            }
        }
        Ok(())
    }

    /// Drops all hot state; call it only right after a commit.
    ///
    /// # Errors
    /// As [`Graph::enter`].
    pub fn evict(&mut self, state: &mut TaskState) -> Result<(), OperatorError> {
        for operator in self.nodes.iter_mut().filter_map(|node| node.operator.as_mut()) {
            operator.evict();
        }
        self.restore(self.watermark, state)
    }

    /// Hot state of all operators, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.nodes
            .iter()
            .filter_map(|node| node.operator.as_ref())
            .map(|operator| operator.memory_bytes())
            .sum()
    }

    /// What all operators have counted together; `rows_in` are the rows that sinks without a topic took.
    pub fn totals(&self) -> Counters {
        let counted = |node: &RunningNode| Counters {
            rows_in: if node.shows { node.counters.rows_in } else { 0 },
            rows_out: 0,
            ..node.counters
        };
        self.nodes.iter().fold(Counters::default(), |all, node| all.plus(&counted(node)))
    }

    /// Name, counts, and bytes of hot state of every node.
    pub fn operators(&self) -> impl Iterator<Item = (&str, &Counters, usize)> {
        self.nodes.iter().map(|node| {
            let memory = node.operator.as_ref().map_or(0, |operator| operator.memory_bytes());
            (node.name.as_str(), &node.counters, memory)
        })
    }

    /// The counts of a node, for what is counted where batches enter.
    pub fn counters_mut(&mut self, node: usize) -> &mut Counters {
        &mut self.nodes[node].counters
    }

    fn pass(&mut self, pass: Pass, step: &mut StepCx<'_>) -> Result<(), OperatorError> {
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            let Some(operator) = &mut node.operator else { continue };
            let inbox = std::mem::take(&mut node.inbox);
            let mut cx = Cx {
                task: &self.task,
                now_ms: step.now_ms,
                watermark: self.watermark,
                commit: step.commit,
                origin: step.origin,
                idle: step.idle,
                state: StateScope::new(step.state, node.first_store),
                counters: &mut node.counters,
                outbox: step.outbox,
                emitted: &mut self.emitted,
            };
            for (port, batch) in inbox {
                cx.counters.rows_in += batch.len() as u64;
                operator.process(port, batch, &mut cx)?;
            }
            match pass {
                Pass::Process => {}
                Pass::Advance(watermark) => operator.advance(watermark, &mut cx)?,
                Pass::Flush => operator.flush(&mut cx)?,
            }
            for batch in std::mem::take(&mut self.emitted) {
                self.deliver(index, batch);
            }
        }
        Ok(())
    }

    fn deliver(&mut self, from: usize, batch: Batch) {
        let readers = std::mem::take(&mut self.nodes[from].readers);
        if let Some(((last, last_port), others)) = readers.split_last() {
            for (reader, port) in others {
                self.nodes[*reader].inbox.push((*port, batch.clone()));
            }
            self.nodes[*last].inbox.push((*last_port, batch));
        }
        self.nodes[from].readers = readers;
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        f.debug_struct("Graph").field("task", &self.task).field("nodes", &names).finish_non_exhaustive()
    }
}
