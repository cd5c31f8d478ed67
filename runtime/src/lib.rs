//! Runs a topology on a log.

pub mod control;
pub mod driver;
mod error;
pub mod feeds;
pub mod job;
pub mod journal;
mod lookup;
mod memory;
pub mod metrics;
pub mod outlets;
mod plan;
pub mod replay;
pub mod restore;
mod rules;
pub mod savepoint;
pub mod shown;
pub mod snapshot;
mod states;
pub mod task;
pub mod testing;
pub mod topics;
mod watch;
pub mod worker;

pub use error::JobError;
pub use memory::{MEMORY_BYTES_MIN, MemoryPlan, StateBudget};
/// The log that jobs run on: a crate of its own.
pub use millstream_log as log;
pub use millstream_log::{clock, exit_now};
pub use plan::{Comparison, JobPlan, OperatorRecord, PartRecord, PlanRecord, TaskId, compare};
pub use rules::Rules;
pub use states::{MemoryStates, StateDirectory, StateStore};

/// Tests look at what damaged bytes make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
