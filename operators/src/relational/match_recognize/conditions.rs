//! Conditions of variables, computed for many rows at once.
//!
//! A condition that only reads the row that is looked at is computed once for all rows that become due together. What
//! reads rows of the match as well is computed in rounds: for the first row of every key at once, then for the second. A row
//! for which a condition can't be computed is at fault only where the pattern asks for it.

use super::queue::Rows;
use super::run::Run;
use super::source::{Condition, Kept, Seen, Table};
use crate::OperatorError;
use crate::expression::{ExpressionCx, Failure, describe_columns, evaluate_predicate_or_blame};
use arrow::array::{Array, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::sync::Arc;

/// What came of a condition.
#[derive(Debug, Default)]
pub(super) struct Answers {
    values: Option<BooleanArray>,
    /// The rows that it could not be computed for, ascending.
    failed: Vec<(usize, Failure)>,
    /// What it was computed of.
    rows: Option<RecordBatch>,
}

impl Answers {
    /// Computes a condition of all rows.
    pub(super) fn of(
        condition: &Condition,
        rows: RecordBatch,
        cx: &ExpressionCx,
    ) -> Result<Self, OperatorError> {
        let mut failed = Vec::new();
        let mut blame = |row: usize, failure: Failure| failed.push((row, failure));
        let values = evaluate_predicate_or_blame(condition.predicate.as_ref(), &rows, cx, &mut blame)?;
        let rows = (!failed.is_empty()).then_some(rows);
        Ok(Answers { values: Some(values), failed, rows })
    }

    /// Whether it holds for a row; of a variable without a condition it does.
    pub(super) fn get(&self, row: usize) -> Result<bool, OperatorError> {
        let Some(values) = &self.values else { return Ok(true) };
        if let Ok(at) = self.failed.binary_search_by_key(&row, |(row, _)| *row) {
            let Failure { what, detail } = self.failed[at].1.clone();
            let row = self.rows.as_ref().map(|rows| describe_columns(rows, row)).unwrap_or_default();
            return Err(OperatorError::BadRow { what, detail, row, letters: false });
        }
        Ok(values.is_valid(row) && values.value(row))
    }
}

/// How the condition of a variable is computed.
#[derive(Debug)]
pub(super) enum Kind {
    /// It has none.
    None,
    /// Of the row alone.
    OfRow(Condition),
    /// Of the row and the match.
    OfMatch(Condition),
}

impl Kind {
    pub(super) fn new(condition: Option<&Condition>, variable: usize) -> Self {
        match condition {
            None => Kind::None,
            Some(condition) if condition.sources.iter().all(|source| source.is_of_current(variable)) => {
                Kind::OfRow(condition.clone())
            }
            Some(condition) => Kind::OfMatch(condition.clone()),
        }
    }

    /// The answers for rows, where these alone decide.
    pub(super) fn of_rows(&self, rows: &RecordBatch, cx: &ExpressionCx) -> Result<Answers, OperatorError> {
        let Kind::OfRow(condition) = self else { return Ok(Answers::default()) };
        let columns = condition.sources.iter().filter_map(super::source::Source::column);
        let columns: Vec<usize> = columns.collect();
        let read: SchemaRef = Arc::new(Schema::new(
            columns.iter().map(|column| rows.schema().field(*column).clone()).collect::<Vec<Field>>(),
        ));
        let values = columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Answers::of(condition, RecordBatch::try_new_with_options(read, values, &options)?, cx)
    }
}

/// The questions of a round to one condition: for one match and the row that is looked at each.
pub(super) struct Questions {
    table: Table,
    condition: Condition,
    variable: usize,
}

impl Questions {
    pub(super) fn new(condition: &Condition, variable: usize, input: &Schema) -> Result<Self, OperatorError> {
        let table = Table::new(&condition.sources, input)?;
        Ok(Questions { table, condition: condition.clone(), variable })
    }

    /// Asks for a match and the last of these rows; the number of the question.
    pub(super) fn ask(&mut self, run: &Run, rows: &Rows, time: i64, kept: &Kept) -> usize {
        let seen = Seen { run, rows, current: Some((rows.next() - 1, self.variable)), time };
        self.table.push(&seen, &self.condition.sources, kept);
        self.table.rows() - 1
    }

    pub(super) fn answers(&mut self, cx: &ExpressionCx) -> Result<Answers, OperatorError> {
        let rows = self.table.finish()?;
        Answers::of(&self.condition, rows, cx)
    }
}
