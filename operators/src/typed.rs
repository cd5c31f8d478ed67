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
mod json;
mod key;
mod stream;

pub use key::{JsonKey, Key};
pub use stream::{KeyedStream, Stream, Table};

use crate::batch::StreamKind;
use crate::source::{Bounded, DISCOVERY_INTERVAL_MS, DeadLetterSpec, Policy, SourceSpec, Startup};
use crate::topology::{NodeId, NodeSpec, Topology, TopologyError};
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

    /// Reads a topic whose values are JSON. A record that is not a `T` stops the job and says where it is.
    pub fn read<T: Row>(&self, topic: &str) -> Stream<T> {
        self.read_with(topic, ReadOptions::default())
    }

    /// Reads a topic whose values are JSON.
    pub fn read_with<T: Row>(&self, topic: &str, options: ReadOptions) -> Stream<T> {
        let spec = SourceSpec {
            table: topic.to_owned(),
            topics: vec![topic.to_owned()],
            decoder: Arc::new(json::JsonRows::<T>::new()),
            kind: StreamKind::Append,
            event_time: None,
            idle_timeout_ms: 5_000,
            discovery_interval_ms: Some(DISCOVERY_INTERVAL_MS),
            startup: options.startup,
            bounded: options.bounded,
            bad_records: options.bad_records,
            dead_letters: options.dead_letters.map(|topic| DeadLetterSpec { topic, late: false }),
        };
        let node = self.add(topic, NodeSpec::Source(Arc::new(spec)), &[]);
        Stream::at(self.clone(), node)
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
