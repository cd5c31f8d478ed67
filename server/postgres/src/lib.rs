//! PostgreSQL's wire protocol in front of whoever answers questions: `psql`, JDBC, Grafana and others ask the tables of jobs.
//!
//! ```text
//!   client --bytes--> Connection --messages--> Session --+-- Catalog: pg_class, information_schema.tables, ..
//!                                                        +-- Backend: a question over tables of a job
//! ```
//! A database is a job, its schema `public` holds the tables and views that the job's file declares, and a query is a
//! question to a [`Backend`], asked in Flink's SQL with what clients put around it taken off. What clients ask the catalog is
//! answered here, from a few tables in memory and by an evaluator of its own. Nothing can be written or declared.
//!
//! The protocol is its own code, about a dozen messages: connections, messages, statements, portals and answers have limits,
//! and no bytes of a client make it panic. The library that there is for it has no limits before who connects is known.
//!
//! Security: as the HTTP server, it listens on the loopback interface, or needs a password; passwords are shown to be known
//! by SCRAM and never sent. Who may only read may ask, for nothing can be declared on the way.

mod catalog;
mod error;
mod extended;
mod io;
mod message;
mod parameters;
mod query;
mod scram;
mod server;
mod session;
mod settings;
mod startup;
mod statement;
mod text;
mod types;
mod value;

pub use error::{Reason, Refusal};
pub use server::{PostgresError, PostgresOptions, PostgresServer};

use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What who is connected may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Read.
    Read,
    /// Whatever can be done.
    Operate,
}

/// A column: its name, and its type as Flink writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as `DECIMAL(10, 2)`.
    pub type_name: String,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

/// A question, and how much its answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The database whose tables it is about.
    pub database: &'a str,
    /// The question, in Flink's SQL.
    pub text: &'a str,
    /// How many rows of the answer are wanted at most.
    pub rows_max: usize,
    /// How long it may take.
    pub time_max: Duration,
    /// Whether nobody waits for it any longer.
    pub cancelled: &'a AtomicBool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: a value of JSON for each column.
    pub rows: Vec<Vec<String>>,
    /// Whether there are more rows than were wanted.
    pub more: bool,
}

/// Whoever answers. Its methods are called on threads that may wait.
pub trait Backend: Send + Sync + 'static {
    /// The names of the databases: of the jobs.
    fn databases(&self) -> Vec<String>;

    /// The tables and views of a database.
    ///
    /// # Errors
    /// Where there is no such database.
    fn tables(&self, database: &str) -> Result<Vec<Table>, Refusal>;

    /// The columns that an answer will have.
    ///
    /// # Errors
    /// What is wrong with the question.
    fn describe(&self, database: &str, text: &str) -> Result<Vec<Column>, Refusal>;

    /// Answers a question.
    ///
    /// # Errors
    /// What is wrong with the question, or with the answer.
    fn answer(&self, asked: Asked<'_>) -> Result<Answer, Refusal>;
}
