//! Runs a topology on a log.

pub mod clock;
pub mod control;
mod error;
pub mod journal;
pub mod log;
mod plan;
pub mod restore;
mod rules;
mod states;
pub mod task;
pub mod worker;

pub use error::JobError;
pub use plan::{JobPlan, TaskId};
pub use rules::Rules;
pub use states::{MemoryStates, StateDirectory, StateStore};
