//! Batches, operators and topologies: everything of a job that computes.
//!
//! A job is a [`Topology`] of sources, operators, exchanges and sinks. [`cut()`] turns it into sub-topologies for
//! topics of known partition counts; per task a [`Graph`] runs one of them over [`Batch`]es. This crate reads no clock,
//! spawns nothing, awaits nothing and does no I/O: time, records and state come in through arguments, results leave
//! through the [`Outbox`] and the task's delta. The same input always gives the same output and the same state.

mod changelog;
mod edge;
#[cfg(test)]
mod hostile;
mod kit;
mod model;
mod relational;
#[doc(hidden)]
pub mod testing;
pub mod typed;
mod window;

// Folders are for people who look for a file. A module's path is short wherever it stands.
use changelog::{materialize, normalize};
use edge::{input, not_null, outbox};
use kit::rows;
use model::{batch, cut, error, graph, operator, topology};
use relational::{assign_windows, join, key_by, project, set_operation, temporal_join, top_n, union, unnest};

pub use edge::{dead_letter, exchange, feed, lz4, origin, outlet, sink, source, table};
pub use kit::keys;
pub use model::{clock, expression, meaning};
pub use relational::{aggregate, match_recognize};

pub use assign_windows::AssignWindows;
pub use batch::{
    Batch, END_OF_TIME, EventTime, NO_WATERMARK, Ops, Payload, RowVec, StreamKind, take_columns,
};
pub use cut::{
    CutError, CutInput, CutNode, CutTopology, InputFrom, PartitionCounts, Repartition, SubTopology, Work,
    cut, cut_as_before,
};
pub use error::OperatorError;
pub use expression::{ColumnRef, Expression, ExpressionCx};
pub use graph::{Destinations, Graph, StepCx};
pub use input::{BehindClock, Input, InputProgress, all_idle, watermark_of_all, watermark_of_others};
pub use join::{IntervalJoin, Join, JoinKind, JoinOn, JoinSide, Residual, WindowJoin};
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
pub use model::brief::brief;
pub use model::shown::RowLines;
pub use normalize::Normalize;
pub use not_null::{NotNull, OnNull};
pub use operator::{
    BuildCx, Counters, Cx, DeltaScope, Description, EachRows, Lineage, Operator, OperatorSpec, Port,
    StateScope, StoreSpec, TaskInfo,
};
pub use outbox::{Outbox, PrintedLine, SealedOutbox};
pub use project::Project;
pub use rows::{RowCodec, RowWriter, ValueWriter};
pub use set_operation::{SetKind, SetOperation};
pub use temporal_join::{CurrentJoin, TemporalJoin};
pub use top_n::{RankFunction, SortedOver, TopN, WindowTopN};
pub use topology::{EXCHANGE_TASKS_MAX, Node, NodeId, NodeSpec, Topology, TopologyError};
pub use union::Union;
pub use unnest::{Unnest, element_types};

/// Formats: a crate of their own. What writes rows of a sink in one is here.
pub mod formats {
    pub use crate::sink::FormatEncoderSpec;
    pub use millstream_formats::*;
}

/// Tests look at what damaged bytes make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
