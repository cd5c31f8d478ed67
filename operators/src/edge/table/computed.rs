//! Computed columns: evaluating them so that one record that can't be computed does not take its run with it.

use crate::OperatorError;
use crate::expression::{Expression, ExpressionCx, evaluate};
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute;

/// Evaluates an expression for every row. Where that fails, the rows are halved until those are found that it fails
/// for; they become null, and `blame` is told.
///
/// # Errors
/// What no row is to blame for.
pub(super) fn evaluate_or_blame(
    expression: &dyn Expression,
    rows: &RecordBatch,
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, String),
) -> Result<ArrayRef, OperatorError> {
    evaluate_part(expression, rows, 0, cx, blame)
}

/// The same for rows of which the first is row `first` of the run.
fn evaluate_part(
    expression: &dyn Expression,
    rows: &RecordBatch,
    first: usize,
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, String),
) -> Result<ArrayRef, OperatorError> {
    let count = rows.num_rows();
    match evaluate(expression, rows, cx) {
        Ok(array) => Ok(array),
        Err(error @ (OperatorError::Expression { .. } | OperatorError::Arrow(_))) => match count {
            0 => Err(error),
            1 => {
                blame(first, error.to_string());
                Ok(new_null_array(expression.data_type(), 1))
            }
            _ => {
                let half = count / 2;
                let head = evaluate_part(expression, &rows.slice(0, half), first, cx, blame)?;
                let tail =
                    evaluate_part(expression, &rows.slice(half, count - half), first + half, cx, blame)?;
                Ok(compute::concat(&[&head, &tail])?)
            }
        },
        Err(error) => Err(error),
    }
}
