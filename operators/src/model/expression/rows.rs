//! Expressions that can't be computed for some row: whose fault it is, and what becomes of the row.
//!
//! An expression is evaluated over a whole batch, and fails as a whole. Only then the rows are halved until those are
//! found that it fails for: every other row goes on as if they had not been there. What a row gives does not depend on
//! the rows around it, so that neither does which rows are at fault.

use super::{Expression, ExpressionCx, evaluate};
use crate::OperatorError;
use crate::batch::Batch;
use crate::formats::shortened;
use crate::source::Policy;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::compute;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Bytes of a row, or of what is wrong with it, that a message shows.
const SHOWN_BYTES_MAX: usize = 400;

/// Why a row is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The expression, or the part of it, as SQL; or where the row was to go.
    pub what: String,
    /// What went wrong, without the expression.
    pub detail: String,
}

impl Failure {
    /// What an error says of the row that it is about.
    ///
    /// # Errors
    /// The error, when it is not about a row.
    pub(crate) fn of_row(error: OperatorError) -> Result<Self, OperatorError> {
        match error {
            OperatorError::Encode { topic, detail } => {
                Ok(Failure { what: format!("row for topic \"{topic}\""), detail })
            }
            OperatorError::Expression { expression, detail } => Ok(Failure { what: expression, detail }),
            other => Err(other),
        }
    }
}

/// Evaluates an expression for every row. Rows for which it fails become null, and `blame` is told, in their order.
///
/// # Errors
/// What no row is to blame for.
pub(crate) fn evaluate_or_blame(
    expression: &dyn Expression,
    rows: &RecordBatch,
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, Failure),
) -> Result<ArrayRef, OperatorError> {
    evaluate_part(expression, rows, 0, cx, blame)
}

/// Evaluates a predicate. Rows for which it is null or fails don't meet it.
///
/// # Errors
/// As [`evaluate_or_blame`].
pub(crate) fn evaluate_predicate_or_blame(
    predicate: &dyn Expression,
    rows: &RecordBatch,
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, Failure),
) -> Result<BooleanArray, OperatorError> {
    let array = evaluate_or_blame(predicate, rows, cx, blame)?;
    let mask = array.as_any().downcast_ref::<BooleanArray>();
    mask.cloned()
        .ok_or(OperatorError::Mismatch { expected: "a predicate", found: "an expression of another type" })
}

/// The same for rows of which the first is row `first` of the batch.
fn evaluate_part(
    expression: &dyn Expression,
    rows: &RecordBatch,
    first: usize,
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, Failure),
) -> Result<ArrayRef, OperatorError> {
    let count = rows.num_rows();
    let error = match evaluate(expression, rows, cx) {
        Ok(array) => return Ok(array),
        Err(error) => error,
    };
    let (what, detail) = match &error {
        OperatorError::Expression { expression, detail } => (expression.clone(), detail.clone()),
        OperatorError::Arrow(error) => (expression.sql().to_owned(), error.to_string()),
        _ => return Err(error),
    };
    match count {
        0 => Err(error),
        1 => {
            let shown = |text: String| shortened(text.as_bytes(), SHOWN_BYTES_MAX);
            blame(first, Failure { what: shown(what), detail: shown(detail) });
            Ok(new_null_array(expression.data_type(), 1))
        }
        _ => {
            let half = count / 2;
            let head = evaluate_part(expression, &rows.slice(0, half), first, cx, blame)?;
            let tail = evaluate_part(expression, &rows.slice(half, count - half), first + half, cx, blame)?;
            Ok(compute::concat(&[&head, &tail])?)
        }
    }
}

/// Applies the policy to a row that is no longer one record.
///
/// # Errors
/// [`OperatorError::BadRow`] unless the policy is to skip it: there is nothing to make a dead letter of.
pub(crate) fn on_bad_row(
    policy: Policy,
    what: String,
    detail: String,
    row: impl FnOnce() -> String,
) -> Result<(), OperatorError> {
    match policy {
        Policy::Skip => Ok(()),
        Policy::Fail | Policy::DeadLetter => {
            let letters = policy == Policy::DeadLetter;
            Err(OperatorError::BadRow { what, detail, row: row(), letters })
        }
    }
}

/// A row as people read it: `(k = 7, v = x)`.
pub(crate) fn describe_row(batch: &Batch, row: usize) -> String {
    batch.columns().map_or_else(|_| "(..)".to_owned(), |columns| describe_columns(columns, row))
}

/// A row of columns, as [`describe_row`] gives it.
pub(crate) fn describe_columns(columns: &RecordBatch, row: usize) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let value = |column: &ArrayRef| {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options);
        formatter.map_or_else(|_| "..".to_owned(), |formatter| formatter.value(row).to_string())
    };
    let schema = columns.schema();
    let named = schema.fields().iter().zip(columns.columns());
    let values: Vec<String> =
        named.map(|(field, column)| format!("{} = {}", field.name(), value(column))).collect();
    shortened(format!("({})", values.join(", ")).as_bytes(), SHOWN_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Function, batch};
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Int64Type};
    use std::cell::Cell;
    use std::rc::Rc;

    /// `100 / v`, counting how often it is evaluated.
    fn hundred_over(calls: &std::sync::Arc<std::sync::atomic::AtomicU64>) -> Function {
        let calls = std::sync::Arc::clone(calls);
        Function::new("100 / v", DataType::Int64, move |rows, _| {
            calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let values = rows.column(0).as_primitive::<Int64Type>();
            let quotient = |value: i64| 100i64.checked_div(value).ok_or("division by zero".to_owned());
            let quotients: Result<Int64Array, String> =
                values.iter().map(|value| value.map(quotient).transpose()).collect();
            Ok(std::sync::Arc::new(quotients?))
        })
    }

    #[test]
    fn every_row_at_fault_is_found_and_no_other_wherever_it_stands() {
        let calls = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let expression = hundred_over(&calls);
        for faulty in 0u32..64 {
            let value = |row: u32| if faulty >> row & 1 == 1 { 0 } else { i64::from(row) + 1 };
            let rows: String = (0..6).map(|row| format!(" + {}", value(row))).collect();
            let rows = batch(&format!("v:i64 |{rows}"));
            let mut blamed = Vec::new();
            let array = evaluate_or_blame(
                &expression,
                rows.columns().unwrap(),
                &ExpressionCx { now_ms: 0 },
                &mut |row, failure| blamed.push((row as u32, failure)),
            );
            let found: Vec<Option<i64>> = array.unwrap().as_primitive::<Int64Type>().iter().collect();
            let expected: Vec<Option<i64>> = (0..6).map(|row| 100i64.checked_div(value(row))).collect();
            assert_eq!(found, expected);
            let expected: Vec<u32> = (0..6).filter(|row| value(*row) == 0).collect();
            assert_eq!(blamed.iter().map(|(row, _)| *row).collect::<Vec<_>>(), expected);
            assert!(
                blamed
                    .iter()
                    .all(|(_, failure)| failure.what == "100 / v" && failure.detail == "division by zero")
            );
        }
    }

    #[test]
    fn rows_that_all_can_be_computed_are_evaluated_once() {
        let calls = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let rows = batch("v:i64 | + 1 + 2 + 3");
        let nobody = &mut |_, _| panic!("nobody is to blame");
        let cx = ExpressionCx { now_ms: 0 };
        evaluate_or_blame(&hundred_over(&calls), rows.columns().unwrap(), &cx, nobody).unwrap();
        assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn what_no_row_is_to_blame_for_is_an_error() {
        let never = Function::new("never", DataType::Int64, |_, _| Err("never".to_owned()));
        let empty = batch("v:i64 |");
        let told = Rc::new(Cell::new(false));
        let mut blame = |_, _| told.set(true);
        let cx = ExpressionCx { now_ms: 0 };
        let columns = empty.columns().unwrap();
        assert!(evaluate_or_blame(&never, columns, &cx, &mut blame).is_err() && !told.get());
    }

    #[test]
    fn a_row_is_shown_with_its_columns_and_cut_when_it_is_long() {
        let rows = batch("k:utf8 v:i64 | + a 1  + null 2");
        assert_eq!(describe_row(&rows, 1), "(k = NULL, v = 2)");
        let rows = batch(&format!("k:utf8 | + {}", "x".repeat(10_000)));
        assert!(describe_row(&rows, 0).len() < 2 * SHOWN_BYTES_MAX);
    }
}
