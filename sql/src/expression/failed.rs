//! What is said of an expression that can't be computed for a row.
//!
//! The innermost part of it that fails is named, as SQL with its casts, and what is wrong in few words.

use crate::functions::casting::cast_of;
use arrow::array::RecordBatch;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::CastExpr;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use millstream_operators::OperatorError;
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// What errors of the library begin with, which says nothing to people.
const PREFIXES: [&str; 7] = [
    "Arrow error: ",
    "Compute error: ",
    "Cast error: ",
    "Execution error: ",
    "Arithmetic overflow: ",
    "External error: ",
    "Error during planning: ",
];

/// The error of an expression over these rows. Of one row the part is named that fails; of several, which are looked at one
/// by one next, the whole.
pub(super) fn failed(
    expr: &Arc<dyn PhysicalExpr>,
    sql: &str,
    rows: &RecordBatch,
    error: &DataFusionError,
) -> OperatorError {
    let detail = words_of(error);
    let part = if rows.num_rows() == 1 { part_that_fails(expr, rows, &detail) } else { Arc::clone(expr) };
    let expression =
        if Arc::ptr_eq(&part, expr) && !has_cast(expr) { sql.to_owned() } else { text_of(&part) };
    OperatorError::Expression { expression, detail }
}

/// The innermost part that fails for the row in the same words.
fn part_that_fails(expr: &Arc<dyn PhysicalExpr>, row: &RecordBatch, detail: &str) -> Arc<dyn PhysicalExpr> {
    let mut part = Arc::clone(expr);
    loop {
        let fails = |child: &&Arc<dyn PhysicalExpr>| {
            let evaluated = child.evaluate(row).and_then(|value| value.into_array(row.num_rows()));
            evaluated.is_err_and(|error| words_of(&error) == detail)
        };
        match part.children().into_iter().find(fails).cloned() {
            Some(child) => part = child,
            None => return part,
        }
    }
}

fn words_of(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut words = text.as_str();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| words.strip_prefix(prefix)) {
        words = rest;
    }
    match words {
        "Divide by zero error" => "division by zero".to_owned(),
        words => words.to_owned(),
    }
}

fn as_cast(expr: &Arc<dyn PhysicalExpr>) -> Option<&CastExpr> {
    (expr.as_ref() as &dyn std::any::Any).downcast_ref::<CastExpr>()
}

/// A cast or an operator that is a call of ours: its text, and how SQL writes it.
fn as_written(expr: &Arc<dyn PhysicalExpr>) -> Option<(String, String)> {
    let call = (expr.as_ref() as &dyn std::any::Any).downcast_ref::<ScalarFunctionExpr>()?;
    let raw = fmt_sql(expr.as_ref()).to_string();
    let args: Vec<String> = call.args().iter().map(|arg| fmt_sql(arg.as_ref()).to_string()).collect();
    let written = match (cast_of(call.fun()), args.as_slice()) {
        (Some(cast), [arg]) => {
            let name = if cast.lenient { "TRY_CAST" } else { "CAST" };
            format!("{name}({arg} AS {})", sql_type(&cast.to))
        }
        (None, [left, right]) => {
            let operator = super::operator_of(call.fun().name())?;
            format!("{left} {operator} {right}")
        }
        _ => return None,
    };
    Some((raw, written))
}

fn has_cast(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.exists(|part| Ok(as_cast(part).is_some() || as_written(part).is_some())).unwrap_or(false)
}

/// An expression as SQL, its casts with the types of SQL.
fn text_of(expr: &Arc<dyn PhysicalExpr>) -> String {
    let mut text = fmt_sql(expr.as_ref()).to_string();
    let _ = expr.apply(|part| {
        if let Some(cast) = as_cast(part) {
            let (found, wanted) = (cast.cast_type(), sql_type(cast.cast_type()));
            text = text.replace(&format!(" AS {found:?})"), &format!(" AS {wanted})"));
        }
        if let Some((raw, written)) = as_written(part) {
            text = text.replace(&raw, &written);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    text
}
