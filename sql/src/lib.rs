//! Flink's SQL dialect to a topology.
//!
//! ```text
//!   text --script--> statements --catalog--> tables
//!                        |                      |
//!                        +---- query (DataFusion's planner, Flink's meaning) --lower--> topology
//! ```
//! [`plan()`] does all of it. What is wrong with a file is reported all at once: one error or more per wrong statement,
//! each with its place in the text and with what to do about it ([`SqlErrors`]). No DataFusion plan is ever executed:
//! only its expressions are, inside of operators.

mod catalog;
pub mod error;
pub mod explain;
mod expression;
mod features;
#[cfg(test)]
mod front_tests;
mod functions;
mod guard;
mod lower;
mod meaning;
mod plan;
mod query;
mod script;
mod settings;
#[doc(hidden)]
pub mod testing;

pub use error::{Picture, Span, SqlError, SqlErrors};
pub use explain::explain;
pub use guard::PLANNER;
pub use plan::{Answered, Question, Relation, SqlJob, ask, check_tables, plan, relations, show};
pub use settings::{Defaults, JobSetting, KnownSetting, settings_in};

/// Functions that a program has written in Rust, to be called in SQL: see [`user::Functions`].
pub mod user {
    pub use crate::functions::user::{
        Aggregate, Argument, Date, Decimal, Fold, FunctionError, Functions, Parameter, Returned, Room, Rows,
        ScalarFunction, TableFunction, TableRow, TableRows, Timestamp, TimestampLtz, Value,
    };
}
