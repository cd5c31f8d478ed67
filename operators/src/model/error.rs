//! What stops a task, with the coordinates to find the cause.

use crate::brief;
use crate::records::{Offset, TopicPartition};
use millstream_state::StateError;

/// A failure of an operator. The task that meets one has to be dropped: its memory no longer stands at a step.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A record could not be decoded, and the table's policy is to fail.
    #[error("{}", bad_record(.place, .offset, .field, .detail))]
    BadRecord {
        /// Where the record stands.
        place: TopicPartition,
        /// Its offset.
        offset: Offset,
        /// Path of the field, if one is to blame.
        field: Option<String>,
        /// What is wrong.
        detail: String,
    },
    /// An expression could not be computed for a row that is no longer one record, and the policy is to fail.
    #[error("{}", bad_row(.what, .detail, .row, *.letters))]
    BadRow {
        /// The expression as SQL, or where the row was to go.
        what: String,
        /// What went wrong.
        detail: String,
        /// The row, for people.
        row: String,
        /// Whether the row's tables keep dead letters.
        letters: bool,
    },
    /// A row came after its time had passed, and the table's policy is to fail.
    #[error(
        "{}{operator}: a row of {time} came after the watermark had reached {watermark}; give the table a larger \
         watermark delay, or set 'scan.late-records' = 'skip' to count such rows and go on",
        late_record(.record)
    )]
    LateRow {
        /// The record that the row is, where that is still known.
        record: Option<(TopicPartition, Offset)>,
        /// The operator that could not use it any more.
        operator: String,
        /// The row's event time.
        time: String,
        /// The watermark when it came.
        watermark: String,
    },
    /// An expression could not be computed for a row.
    #[error("{}: {}", brief(.expression), brief(.detail))]
    Expression {
        /// The expression, as SQL.
        expression: String,
        /// What went wrong.
        detail: String,
    },
    /// A null for a column of a table that may not be null.
    #[error(
        "column {column} of table {table} is NOT NULL, but a row of the query has a null there; leave such rows out with \
         WHERE, or SET 'table.exec.sink.not-null-enforcer' = 'DROP' to count them and go on"
    )]
    NullWritten {
        /// The table that is written.
        table: String,
        /// The column.
        column: String,
    },
    /// A value could not be encoded for a topic.
    #[error("row for topic \"{topic}\": {}", brief(.detail))]
    Encode {
        /// The topic.
        topic: String,
        /// What is wrong.
        detail: String,
    },
    /// State written by this operator can't be read back.
    #[error("{operator}: stored state can't be read: {detail}")]
    CorruptState {
        /// The operator.
        operator: String,
        /// What is wrong.
        detail: String,
    },
    /// A record of an internal topic is not what its writer must have written.
    #[error("internal topic {place} at offset {offset}: {detail}")]
    Internal {
        /// Where the record stands.
        place: TopicPartition,
        /// Its offset.
        offset: Offset,
        /// What is wrong.
        detail: String,
    },
    /// The graph joined two operators that do not fit: a defect of the planner, not of the data.
    #[error("the graph is wired wrongly: expected {expected}, found {found}")]
    Mismatch {
        /// What the operator takes.
        expected: &'static str,
        /// What it was given.
        found: &'static str,
    },
    /// Arrow refused.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// The task's state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

fn late_record(record: &Option<(TopicPartition, Offset)>) -> String {
    record.as_ref().map_or_else(String::new, |(place, offset)| {
        format!("topic {}, partition {}, offset {offset}: ", place.topic, place.partition)
    })
}

fn bad_row(what: &str, detail: &str, row: &str, letters: bool) -> String {
    let (what, detail, row) = (brief(what), brief(detail), brief(row));
    let advice = match letters {
        true => {
            "behind a join or an aggregation no record is this row's, so that it can't become a dead letter; "
        }
        false => "",
    };
    format!(
        "{what}: {detail}; the row is {row}; {advice}\
         write an expression that can be computed for every row, or set 'scan.bad-records' = 'skip' on the tables \
         that are read to count such rows and go on"
    )
}

fn bad_record(place: &TopicPartition, offset: &Offset, field: &Option<String>, detail: &str) -> String {
    let field = field.as_ref().map(|field| format!(", field \"{}\"", brief(field))).unwrap_or_default();
    let detail = brief(detail);
    format!(
        "topic {}, partition {}, offset {offset}{field}: {detail}; \
         set 'scan.bad-records' = 'skip' on the table to count such records and go on",
        place.topic, place.partition
    )
}
