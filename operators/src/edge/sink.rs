//! Sinks: where a job's results go.

mod append;
mod discard;
mod format;
mod outlet;
mod partitioner;
mod print;
mod upsert;

pub use append::{AppendSink, Partitioner};
pub use discard::Blackhole;
pub use format::FormatEncoderSpec;
pub use outlet::OutletSink;
pub use partitioner::{murmur2, partition_for_key};
pub use print::{Print, PrintText};
pub use upsert::UpsertSink;

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::formats::Lookup;
use crate::operator::{BuildCx, Operator};
use crate::outlet::Outlet;
use std::fmt::Debug;
use std::sync::Arc;

/// A sink of the plan.
#[derive(Debug, Clone)]
pub struct SinkSpec {
    /// The table's name, as messages call it.
    pub table: String,
    /// The topic it writes to; `None` for the console and for nowhere.
    pub topic: Option<SinkTopic>,
    /// What it does with rows.
    pub writer: Arc<dyn SinkWriter>,
}

/// A topic a job writes to. It is made when it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkTopic {
    /// Its name.
    pub name: String,
    /// Whether a topic that has to be made keeps only the last record of each key.
    pub compacted: bool,
}

/// What a sink does with rows.
pub trait SinkWriter: Send + Sync + Debug {
    /// Format, columns and key, in one line.
    fn describe(&self) -> String;

    /// Whether it takes a stream of this kind.
    ///
    /// # Errors
    /// A sentence that says why not, and what to do instead.
    fn accepts(&self, kind: StreamKind) -> Result<(), String>;

    /// What writes the values of its records, where each row is one.
    fn values(&self) -> Option<Arc<dyn RowEncoderSpec>> {
        None
    }

    /// What has to be got from elsewhere before the job begins: numbers of schemas.
    fn before_writing(&self) -> Vec<Lookup> {
        Vec::new()
    }

    /// What takes the records of its topic elsewhere, where that is a topic of the job itself.
    fn outlet(&self) -> Option<&Arc<dyn Outlet>> {
        None
    }

    /// The same, through this topic, where it has an [`SinkWriter::outlet`].
    fn through(&self, _topic: &str) -> Option<Arc<dyn SinkWriter>> {
        None
    }

    /// A new operator for one task; `partitions` of the topic, 0 without one.
    ///
    /// # Errors
    /// Any error fails the task.
    fn build(&self, partitions: u32, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError>;
}

impl SinkSpec {
    pub(crate) fn accepts(&self, kind: StreamKind) -> Result<(), String> {
        self.writer.accepts(kind)
    }
}

/// Writes the key or the value of rows, row by row into one buffer.
pub trait RowEncoder: Send {
    /// Makes ready to write rows of `batch`.
    ///
    /// # Errors
    /// Any error fails the task.
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError>;

    /// Appends the row at `row`.
    ///
    /// # Errors
    /// Any error fails the task.
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError>;
}

/// Makes encoders, one per task.
pub trait RowEncoderSpec: Send + Sync + Debug {
    /// Format and columns, in one line.
    fn describe(&self) -> String;

    /// Whether what it writes says what happened to a row, so that a record can stand for a row that is taken back.
    fn writes_changes(&self) -> bool {
        false
    }

    /// What has to be got from elsewhere before it can write.
    fn before_writing(&self) -> Option<Lookup> {
        None
    }

    /// A new encoder.
    ///
    /// # Errors
    /// Any error fails the task.
    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError>;
}
