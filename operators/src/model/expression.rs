//! Expressions over the columns of a batch, as operators see them.
//!
//! Operators compute with whatever implements [`Expression`]; they know neither SQL nor who evaluates it. An expression
//! is created once, with the plan, and evaluated once per batch.

mod rows;

pub use rows::Failure;
pub(crate) use rows::{
    describe_columns, describe_row, evaluate_or_blame, evaluate_predicate_or_blame, on_bad_row,
};

use crate::OperatorError;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use std::fmt::Debug;

/// Something that can be computed for every row of a batch. The same rows, at the same clock reading, give the same
/// result, in whatever batch they stand.
pub trait Expression: Send + Sync + Debug {
    /// The values for `rows`, as many as there are rows, of type [`Expression::data_type`].
    ///
    /// # Errors
    /// [`OperatorError::Expression`] when it can't be computed for some row. Which one that is, and whether it or the
    /// task has to go, is found out by whoever evaluates it: see [`Failure`].
    fn evaluate(&self, rows: &RecordBatch, cx: &ExpressionCx) -> Result<ArrayRef, OperatorError>;

    /// The type of the values.
    fn data_type(&self) -> &DataType;

    /// The expression as SQL: for messages, and for the plan's fingerprint.
    fn sql(&self) -> &str;

    /// The expression in words that stay the same while its meaning does; `column` says what the columns are made of. See
    /// [`crate::meaning`].
    fn meaning(&self, column: &dyn Fn(usize) -> String) -> String;
}

/// What an expression may depend on beside the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpressionCx {
    /// Clock reading of the step, milliseconds since 1970.
    pub now_ms: i64,
}

/// The values of a column.
#[derive(Debug, Clone)]
pub struct ColumnRef {
    index: usize,
    name: String,
    data_type: DataType,
}

impl ColumnRef {
    /// The column at `index`.
    pub fn new(index: usize, name: impl Into<String>, data_type: DataType) -> Self {
        ColumnRef { index, name: name.into(), data_type }
    }
}

impl Expression for ColumnRef {
    fn evaluate(&self, rows: &RecordBatch, _cx: &ExpressionCx) -> Result<ArrayRef, OperatorError> {
        let column = rows.columns().get(self.index).filter(|column| *column.data_type() == self.data_type);
        column.cloned().ok_or(OperatorError::Mismatch { expected: "a column of the plan", found: "others" })
    }

    fn data_type(&self) -> &DataType {
        &self.data_type
    }

    fn sql(&self) -> &str {
        &self.name
    }

    fn meaning(&self, column: &dyn Fn(usize) -> String) -> String {
        column(self.index)
    }
}

/// Evaluates an expression and checks what came of it.
pub(crate) fn evaluate(
    expression: &dyn Expression,
    rows: &RecordBatch,
    cx: &ExpressionCx,
) -> Result<ArrayRef, OperatorError> {
    let array = expression.evaluate(rows, cx)?;
    if array.len() != rows.num_rows() || array.data_type() != expression.data_type() {
        return Err(OperatorError::Mismatch {
            expected: "a value of the declared type for every row",
            found: "something else, from an expression",
        });
    }
    Ok(array)
}
