//! Where a task ends and the log begins: records to batches and back, watermarks of inputs, rows on their way to other
//! tasks, and what the next commit sends.

pub mod dead_letter;
pub mod exchange;
pub mod feed;
pub(crate) mod input;
pub mod lz4;
pub(crate) mod not_null;
pub mod origin;
pub(crate) mod outbox;
pub mod outlet;
pub mod sink;
pub mod source;
pub mod table;
