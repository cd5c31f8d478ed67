//! Jobs as typed Rust: streams of serde structs, on the same operators, exchanges, state and commits as SQL.
//!
//! ```
//! use millstream_operators::typed::Program;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct Line {
//!     text: String,
//! }
//!
//! let program = Program::new();
//! program.read::<Line>("lines")
//!     .flat_map(|line| line.text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>())
//!     .key_by(|word| word.clone())
//!     .count()
//!     .to("counts");
//! let topology = program.topology().unwrap();
//! assert_eq!(topology.nodes().len(), 5);
//! ```
//!
//! A [`Stream`] is what comes in, one row after the other; grouping it by a key makes a [`KeyedStream`], and folding that
//! a [`Table`]: the last value of every key. Closures between two such points run fused, as one operator with one loop
//! each over whole batches. They must depend on nothing but their arguments: a job is replayed after a crash.

mod chain;
pub(crate) mod exchange;
mod fold;
mod global;
mod included;
mod join;
mod json;
mod key;
mod keyed;
mod merge;
mod plain;
pub mod process;
mod record;
mod source;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod versioned;
mod window;

pub use crate::batch::EventTime;
pub use crate::source::{Bounded, Policy, Startup};
pub use global::GlobalTable;
pub use included::{Include, Included};
pub use join::Within;
pub use key::{JsonKey, Key};
pub use keyed::KeyedStream;
#[doc(hidden)]
pub use process::stored_value;
pub use process::{
    Context, ListState, MapState, ProcessFunction, RecordInfo, ReducingState, Side, Sides, States, ValueState,
};
pub use record::RecordOf;
pub use source::Source;
pub use stream::Stream;
pub use table::{GroupedTable, Rank, Table};
pub use versioned::VersionedTable;
pub use window::{CountStream, SessionStream, SlidingStream, WindowStream, Windowed, Windows};

use crate::exchange::{ByEncodedKey, ExchangeSpec, ToAll};
use crate::topology::{NodeId, NodeSpec, Topology, TopologyError};
use exchange::RowsCodec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

/// What rows of a typed stream have to be. Every type that is `Clone`, `Debug` and can cross threads and the wire is.
pub trait Row: Clone + Debug + Send + Sync + Serialize + DeserializeOwned + 'static {}

impl<T: Clone + Debug + Send + Sync + Serialize + DeserializeOwned + 'static> Row for T {}

/// A job being declared. What runs it is called a job, and starts from its [`Program::topology`].
#[derive(Debug, Clone, Default)]
pub struct Program {
    plan: Rc<RefCell<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    topology: Topology,
    /// The first thing that was wrong; reported by [`Program::topology`].
    error: Option<TopologyError>,
    names: std::collections::BTreeMap<String, u32>,
}

impl Program {
    /// A program without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A topic, to be read as a stream or a table once event time and other things are declared.
    pub fn source<T: Row>(&self, topic: &str) -> Source<T> {
        Source::new(self.clone(), topic)
    }

    /// Reads a topic whose values are JSON. A record that is not a `T` stops the job and says where it is.
    pub fn read<T: Row>(&self, topic: &str) -> Stream<T> {
        self.source(topic).stream()
    }

    /// Reads a topic whose values are JSON.
    pub fn read_with<T: Row>(&self, topic: &str, options: ReadOptions) -> Stream<T> {
        self.source(topic).options(options).stream()
    }

    /// The operator graph.
    ///
    /// # Errors
    /// What was wrong with the declaration first.
    pub fn topology(&self) -> Result<Topology, TopologyError> {
        let plan = self.plan.borrow();
        match &plan.error {
            Some(error) => Err(error.clone()),
            None => Ok(plan.topology.clone()),
        }
    }

    /// Notes that something is wrong.
    fn fail(&self, error: TopologyError) {
        self.plan.borrow_mut().error.get_or_insert(error);
    }

    /// Notes that something goes by event time where none passes.
    fn must_be_timed(&self, is_timed: bool, what: &str) {
        if !is_timed {
            let message = format!(
                "{what} goes by event time, and none passes here: declare it where each topic is read, with \
                 source(..).event_time(..) or record_time(..)"
            );
            self.fail(TopologyError { node: what.to_owned(), message });
        }
    }

    /// Notes when a topic is read already: where a job stands in it is kept once.
    fn must_be_new(&self, topic: &str) {
        let is_read = {
            let plan = self.plan.borrow();
            let reads = |spec: &NodeSpec| matches!(spec, NodeSpec::Source(source) if source.topics.iter().any(|it| it == topic));
            plan.topology.nodes().iter().any(|node| reads(&node.spec))
        };
        if is_read {
            let message = format!("topic {topic} is read twice: read it once, and clone the stream");
            self.fail(TopologyError { node: topic.to_owned(), message });
        }
    }

    /// Notes when the rows of a node are not the records of a topic.
    fn must_be_records(&self, node: NodeId) {
        let is_source = {
            let plan = self.plan.borrow();
            plan.topology.nodes().get(node.0).is_none_or(|node| matches!(node.spec, NodeSpec::Source(_)))
        };
        if !is_source {
            let message = "rows are records only where they are read: call with_record() right behind the source, and take \
                           along what is needed of it"
                .to_owned();
            self.fail(TopologyError { node: "with_record".to_owned(), message });
        }
    }

    /// Notes when a merge would be upstream of itself.
    fn must_be_apart(&self, inputs: &[NodeId]) {
        if self.plan.borrow().topology.would_feed_itself(inputs) {
            let message = "what was keyed can't be merged with what it was made of: key the other by the same, too, and merge \
                           the two keyed streams"
                .to_owned();
            self.fail(TopologyError { node: "merge".to_owned(), message });
        }
    }

    /// Brings keyed rows to every task that reads them.
    fn broadcast<T: Row>(&self, what: &str, from: NodeId) -> NodeId {
        let exchange = ExchangeSpec {
            by: format!("{what}, to every task"),
            partition_by: Arc::new(ToAll),
            codec: Arc::new(RowsCodec::<T>::new()),
            by_clock: false,
        };
        self.add("broadcast", NodeSpec::Exchange(Arc::new(exchange)), &[from])
    }

    /// Brings keyed rows to the tasks that have their keys.
    fn exchange<T: Row>(&self, by: &str, from: NodeId) -> NodeId {
        let exchange = ExchangeSpec {
            by: by.to_owned(),
            partition_by: Arc::new(ByEncodedKey),
            codec: Arc::new(RowsCodec::<T>::new()),
            by_clock: false,
        };
        self.add("exchange", NodeSpec::Exchange(Arc::new(exchange)), &[from])
    }

    /// Two inputs that an operator can have: where one is made of what the other is, and has been sent to other tasks since,
    /// the operator would be upstream of itself. Then each is sent, by `again`, if it has not just been.
    fn apart(&self, inputs: [NodeId; 2], again: [&dyn Fn(NodeId) -> NodeId; 2]) -> [NodeId; 2] {
        let is_sent = {
            let plan = self.plan.borrow();
            if !plan.topology.would_feed_itself(&inputs) {
                return inputs;
            }
            inputs.map(|input| matches!(plan.topology.node(input).spec, NodeSpec::Exchange(_)))
        };
        let send = |side: usize| if is_sent[side] { inputs[side] } else { again[side](inputs[side]) };
        [send(0), send(1)]
    }

    /// Adds a node; its name gets a number when it is taken.
    fn add(&self, name: &str, spec: NodeSpec, inputs: &[NodeId]) -> NodeId {
        let mut plan = self.plan.borrow_mut();
        let count = plan.names.entry(name.to_owned()).or_default();
        *count += 1;
        let name = if *count == 1 { name.to_owned() } else { format!("{name} {count}") };
        match plan.topology.add(name, spec, inputs) {
            Ok(node) => node,
            Err(error) => {
                plan.error.get_or_insert(error);
                NodeId(0)
            }
        }
    }
}

/// How a topic is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Where a new job begins.
    pub startup: Startup,
    /// Where reading ends.
    pub bounded: Bounded,
    /// What happens to records that are not a row.
    pub bad_records: Policy,
    /// The topic for dead letters; it has to be there for [`Policy::DeadLetter`].
    pub dead_letters: Option<String>,
}
