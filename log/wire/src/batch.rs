//! Record batches, the unit in which Kafka stores, sends and compresses records.
//!
//! Reading: [`Batches`] walks what a broker answered for one partition, batch by batch, and checks their sums. A
//! [`Batch`] is its [`BatchHeader`] and bytes; [`Batch::open`] gives the [`Body`], whose records are [`Slices`] into a
//! buffer that is the fetched one itself where the batch is not compressed. Nothing is copied or allocated per record.
//! [`AbortedTransactions`] tells which batches a reader of committed records must not see.
//!
//! Writing: [`BatchEncoder`] takes records one after the other straight into the bytes of a batch; [`BatchEncoder::seal`]
//! compresses them, [`SealedBatch::stamp`] says whose batch it is and computes the checksum.
//!
//! ```text
//!  0 base offset i64 | batch length i32 | leader epoch i32 | magic i8 = 2 | crc32c u32 of all that follows
//! 21 attributes i16: codec (3 bits), append time, transactional, control, delete horizon
//! 23 last offset delta i32 | base timestamp i64 | max timestamp i64
//! 43 producer id i64 | producer epoch i16 | base sequence i32 | record count i32
//! 61 records, compressed as a whole:
//!    length varint | attributes i8 | timestamp delta varlong | offset delta varint | key | value | headers
//! ```
//!
//! Whatever is read here came over a network: every length is checked, and what is wrong is named with its offset.

mod aborted;
mod compression;
mod encode;
mod error;
mod header;
mod lz4;
mod records;
mod varint;
mod walk;

#[cfg(test)]
mod tests;

pub use aborted::{AbortedTransactions, ControlType};
pub use compression::{Compression, Decompressor};
pub use encode::{BatchEncoder, SealedBatch, Stamp};
pub use error::BatchError;
pub use header::{BatchHeader, HEADER_BYTES};
pub use records::{Body, HeaderIter, Slice, Slices};
pub use walk::{Batch, Batches};
