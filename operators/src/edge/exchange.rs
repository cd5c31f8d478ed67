//! Bringing rows with the same key to the same task, through a repartition topic of columnar blocks.
//!
//! An exchange of the plan becomes an `ExchangeSink` at the end of one sub-topology and an input of the next. Rows
//! travel as one block per flush and destination partition, not one by one:
//!
//! ```text
//! record value:  header | lz4 of: rows in the payload's own encoding
//! header:        version u8, flags u8, schema u64, upstream sub-topology u32, upstream partition u32,
//!                commit u64, sequence u32, watermark i64, rows u32, body bytes u32       (little endian)
//! ```
//! `(commit, sequence)` rises strictly per upstream task: a reader that sees it stand or fall knows that the log holds
//! something twice or out of order. Every flush sends a block to every partition whose watermark or idleness changed,
//! rows or not.

mod block;
mod columns;
mod ipc;
mod sink;

#[cfg(test)]
pub(crate) use block::{BlockContent, encode_block};
pub use block::{BlockHeader, BlockRows, decode_block, peek_header};
pub use columns::{ByTopicKey, ColumnBlocks};
pub(crate) use sink::ExchangeSink;

use crate::OperatorError;
use crate::batch::{Batch, Payload};
use std::fmt::Debug;
use std::sync::Arc;

/// An exchange of the plan. Its input is keyed: [`Batch::keys`] is set.
#[derive(Debug, Clone)]
pub struct ExchangeSpec {
    /// What the rows are partitioned by, for people.
    pub by: String,
    /// Which bytes of a row decide its partition.
    pub partition_by: Arc<dyn PartitionBytes>,
    /// How rows are written and read.
    pub codec: Arc<dyn PayloadCodec>,
    /// Whether the event time of the rows is the clock reading of the step that receives them: the watermark behind the
    /// exchange then follows the clock, rows or no rows, until the writers have ended.
    pub by_clock: bool,
}

impl ExchangeSpec {
    /// What the rows are partitioned by, and the time that they have then.
    pub fn describe(&self) -> String {
        let clock = if self.by_clock { "; event time by the clock" } else { "" };
        format!("by {}{clock}", self.by)
    }
}

/// Which bytes of a row decide its partition. Partitions are chosen as Kafka's Java client does, from these bytes.
pub trait PartitionBytes: Send + Sync + Debug {
    /// Calls `each(row, bytes)` for every row, in order.
    ///
    /// # Errors
    /// Any error fails the task.
    fn for_each(&self, batch: &Batch, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), OperatorError>;

    /// Whether every row goes to every partition, whatever its bytes.
    fn is_to_all(&self) -> bool {
        false
    }
}

/// Sends every row to every partition: what is small and is needed everywhere.
#[derive(Debug, Clone, Copy)]
pub struct ToAll;

impl PartitionBytes for ToAll {
    fn for_each(&self, batch: &Batch, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), OperatorError> {
        (0..batch.len()).for_each(|row| each(row, &[]));
        Ok(())
    }

    fn is_to_all(&self) -> bool {
        true
    }
}

/// Partitions by the encoded key itself: for exchanges that no topic of somebody else has to agree with.
#[derive(Debug, Clone, Copy)]
pub struct ByEncodedKey;

impl PartitionBytes for ByEncodedKey {
    fn for_each(&self, batch: &Batch, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), OperatorError> {
        for (row, key) in batch.keys()?.iter().enumerate() {
            each(row, key);
        }
        Ok(())
    }
}

/// How the rows of an exchange are written into blocks and read from them.
pub trait PayloadCodec: Send + Sync + Debug {
    /// Identifies the encoding: a reader refuses blocks of another.
    fn schema_hash(&self) -> u64;

    /// Joins the rows at the given indices of several batches, in that order, and appends their encoding.
    ///
    /// # Errors
    /// Any error fails the task.
    fn encode(&self, batches: &[Batch], rows: &[(u32, u32)], out: &mut Vec<u8>) -> Result<(), OperatorError>;

    /// Reads `rows` rows.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the bytes.
    fn decode(&self, bytes: &[u8], rows: usize) -> Result<Payload, String>;
}
