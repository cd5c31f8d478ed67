//! Durable keyed state of one task.
//!
//! A [`TaskState`] holds every store of a task and checkpoints them together with the commit they stand at. What an
//! operator changed since the last commit is a [`Delta`]: it travels in the task's journal entry first, and only when
//! that entry is committed is it absorbed here. Reads see three layers, top down:
//!
//! ```text
//!   operators' hot state      live values            (operators crate)
//!   pending                   deltas since the last checkpoint, encoded, bounded
//!   base                      RocksDB, or memory in tests: the last checkpoint
//! ```
//!
//! The rule this crate keeps: nothing uncommitted is on disk. Until [`TaskState::checkpoint`] returns, a crash shows
//! an earlier checkpoint, whole; after it, the new one or an earlier one, whole. This crate knows neither a log nor
//! Arrow, and reads no clock.

mod adopt;
mod base;
mod bytes_column;
mod delta;
mod error;
mod export;
#[cfg(test)]
mod hostile;
mod identity;
mod inspect;
mod memory;
mod pending;
mod rocks;
mod snapshot;
mod task_state;

pub use adopt::Adoption;
pub use bytes_column::BytesColumn;
pub use delta::{Delta, DeltaBlock, StoreId};
pub use error::StateError;
pub use export::{Export, Exporter, Import, ImportFile};
pub use identity::{CheckpointMark, StateIdentity};
pub use inspect::{StateSummary, inspect};
pub use memory::MemoryDisk;
pub use rocks::{RocksSettings, SharedMemory};
pub use snapshot::{ContentHasher, SnapshotFile, SnapshotManifest, content_name};
pub use task_state::TaskState;

/// Tests look at what damaged bytes make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
