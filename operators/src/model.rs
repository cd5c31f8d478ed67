//! What a job is made of, before anything runs: batches and time, operators and expressions, the graph as declared, the
//! graph cut into sub-topologies, and the graph of a task.

pub(crate) mod batch;
pub(crate) mod brief;
pub mod clock;
pub(crate) mod cut;
pub(crate) mod error;
pub mod expression;
pub(crate) mod graph;
pub mod meaning;
pub(crate) mod operator;
pub(crate) mod shown;
pub(crate) mod topology;
