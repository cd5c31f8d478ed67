//! Flink's SQL dialect to a topology.

pub mod error;

pub use error::{Span, SqlError, SqlErrors};

use millstream_operators::Topology;
use std::collections::BTreeMap;

/// A file of SQL as a job.
#[derive(Debug, Clone)]
pub struct SqlJob {
    /// What it computes.
    pub topology: Topology,
    /// Keys and values of `SET`. Durations are whole milliseconds, sizes whole bytes.
    pub settings: BTreeMap<String, String>,
    /// Its consumer group, where the file names one.
    pub group: Option<String>,
    /// The plan, for people.
    pub explain: String,
    /// Whether the file only asks for explanations.
    pub only_explain: bool,
    /// Brokers that all its tables agree on.
    pub bootstrap_servers: Option<String>,
    /// Properties of the Kafka client, by the names of the Java client.
    pub client_properties: BTreeMap<String, String>,
}

/// Plans a file.
///
/// # Errors
/// Always: there is no planner yet.
pub fn plan(file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    let comments: usize =
        text.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
    let length = text[comments..].find(char::is_whitespace).unwrap_or(text.len() - comments);
    let span = Span { start: comments, end: comments + length };
    Err(SqlErrors::new(file_name, text, vec![SqlError::new("MS0103", span, "SQL can't be planned yet")]))
}
