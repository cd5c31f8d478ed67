//! The journal: a task's chain of entries in the log, one per commit, and its only write-ahead log.
//!
//! An [`Entry`] says what a commit did: the steps it took, where its inputs stand after it, and the net change of
//! state. Entries are numbered and chained by hash, so that the chain alone says whether a commit whose fate is
//! unknown is part of history. [`Assembler`] puts entries together from the records of a journal partition and checks
//! the chain as it goes: a gap, a fork or a foreign entry is an error, never skipped.
//!
//! ```text
//! record:  "MSJ" version u8 | number u64 | part u16 | parts u16 | bytes of the entry        (little endian)
//! entry:   head length u32 | head (postcard) | delta raw length u32 | delta (lz4)
//! hash:    xxh3-128 over the entry's bytes; the head holds the hash of the entry before
//! ```

mod assemble;
mod entry;

pub use assemble::{Assembled, Assembler, ChainEnd, JournalError};
pub use entry::{Entry, InputMark, Step, WriterId, encode_entry};
