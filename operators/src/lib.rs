//! Batches, operators and topologies: everything of a job that computes.
//!
//! A job is a [`Topology`] of sources, operators, exchanges and sinks. [`cut()`] turns it into sub-topologies for
//! topics of known partition counts; per task a [`Graph`] runs one of them over [`Batch`]es. This crate reads no clock,
//! spawns nothing, awaits nothing and does no I/O: time, records and state come in through arguments, results leave
//! through the [`Outbox`] and the task's delta. The same input always gives the same output and the same state.

pub mod aggregate;
mod batch;
pub mod clock;
mod cut;
pub mod dead_letter;
mod error;
pub mod exchange;
pub mod expression;
mod graph;
mod input;
mod join;
mod key_by;
pub mod keys;
mod materialize;
mod normalize;
mod operator;
mod outbox;
mod project;
mod rows;
pub mod sink;
pub mod source;
pub mod table;
mod temporal_join;
#[doc(hidden)]
pub mod testing;
mod topology;
pub mod typed;

pub use batch::{
    Batch, END_OF_TIME, EventTime, NO_WATERMARK, Ops, Payload, RowVec, StreamKind, take_columns,
};
pub use cut::{
    CutError, CutInput, CutNode, CutTopology, InputFrom, PartitionCounts, Repartition, SubTopology, Work, cut,
};
pub use error::OperatorError;
pub use expression::{ColumnRef, Expression, ExpressionCx};
pub use graph::{Destinations, Graph, StepCx};
pub use input::{Input, InputProgress, all_idle, watermark_of_all, watermark_of_others};
pub use join::{IntervalJoin, Join, JoinKind, JoinOn, JoinSide, Residual};
pub use key_by::KeyBy;
pub use materialize::Materialize;
/// Columns under construction, of the crate of formats.
pub use millstream_formats::columns;
/// Records of the log: a crate of their own.
pub use millstream_records as records;
pub use millstream_records::{
    Headers, Offset, Record, Records, RecordsBuilder, RecordsOver, RecordsWithin, Span, TopicPartition,
};
pub use millstream_state::BytesColumn;
pub use normalize::Normalize;
pub use operator::{
    BuildCx, Counters, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
    TaskInfo,
};
pub use outbox::{Outbox, PrintedLine, SealedOutbox};
pub use project::Project;
pub use rows::{RowCodec, RowWriter};
pub use temporal_join::TemporalJoin;
pub use topology::{Node, NodeId, NodeSpec, Topology, TopologyError};

/// Formats: a crate of their own. What writes rows of a sink in one is here.
pub mod formats {
    pub use crate::sink::FormatEncoderSpec;
    pub use millstream_formats::*;
}
