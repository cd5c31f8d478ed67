//! Runs a topology on a log.

pub mod clock;
pub mod control;
pub mod driver;
mod error;
mod exit;
pub mod job;
pub mod journal;
pub mod log;
mod memory;
mod plan;
pub mod replay;
pub mod restore;
mod rules;
pub mod savepoint;
pub mod snapshot;
mod states;
pub mod task;
pub mod topics;
pub mod worker;

pub use error::JobError;
pub use exit::exit_now;
pub use memory::{MEMORY_BYTES_MIN, MemoryPlan, StateBudget};
pub use plan::{JobPlan, TaskId};
pub use rules::Rules;
pub use states::{MemoryStates, StateDirectory, StateStore};
