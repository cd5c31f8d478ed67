//! Runs a topology on a log.

pub mod clock;
pub mod journal;
pub mod log;
