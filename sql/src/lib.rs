//! Flink's SQL dialect to a topology.
//!
//! ```text
//!   text --script--> statements --catalog--> tables --planner--> a topology
//! ```
//! What is wrong with a file is reported all at once: one error or more per wrong statement, each with its place in
//! the text and with what to do about it ([`SqlErrors`]).

#[allow(dead_code, reason = "the planner is not there yet")]
mod catalog;
pub mod error;
#[cfg(test)]
mod front_tests;
#[allow(dead_code, reason = "the planner is not there yet")]
mod script;
#[allow(dead_code, reason = "the planner is not there yet")]
mod settings;

pub use error::{Span, SqlError, SqlErrors};
