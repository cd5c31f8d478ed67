//! `LATERAL TABLE(f(x))`: the rows that a function of the program gives for each row, beside it.
//!
//! The function gives an array of rows, and what stands here is its elements: [`Elements`], and all that becomes of them.

use super::plan_of;
use super::unnest::Elements;
use super::window::unknown_function;
use crate::query::TABLE_FUNCTION;
use crate::query::relations::{error_at, planned};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ScalarUDF};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, TableAlias,
};
use std::sync::Arc;

/// Plans what stands in the parentheses behind `LATERAL TABLE`.
pub(super) fn relation(
    table: &ObjectName,
    args: &[FunctionArg],
    with_ordinality: bool,
    alias: Option<TableAlias>,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Function(call)))] = args else {
        return Err(error_at("LATERAL TABLE takes a call of a function", table, "write LATERAL TABLE(f(x))"));
    };
    let Function { name, args, .. } = call;
    let Some(function) = named(name, context) else { return Err(unknown(name)) };
    if with_ordinality {
        let help = "leave it out, and give the rows a number in the function";
        return Err(error_at("WITH ORDINALITY stands behind UNNEST only", name, help));
    }
    let is_plain = call.over.is_none() && call.filter.is_none() && call.within_group.is_empty();
    let args = match args {
        FunctionArguments::List(list) if list.clauses.is_empty() && list.duplicate_treatment.is_none() => {
            list.args.as_slice()
        }
        _ => &[],
    };
    let args = args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) if is_plain => {
            context.sql_to_expr(arg.clone(), &DFSchema::empty())
        }
        other => {
            let help = "give it values, by their places";
            Err(error_at(format!("{name} can't take {other}"), name, help))
        }
    });
    let args = args.collect::<Result<Vec<_>>>()?;
    let rows = Expr::ScalarFunction(ScalarFunction::new_udf(function, args));
    planned(plan_of(Elements::new(rows, false, None)?), alias)
}

/// The function of tables of this name.
fn named(name: &ObjectName, context: &dyn RelationPlannerContext) -> Option<Arc<ScalarUDF>> {
    context.context_provider().get_function_meta(&format!("{TABLE_FUNCTION}{name}"))
}

/// Refuses a function that is none of tables.
fn unknown(name: &ObjectName) -> datafusion::common::DataFusionError {
    let windows = ["TUMBLE", "HOP", "CUMULATE", "SESSION"];
    if windows.iter().any(|window| name.to_string().eq_ignore_ascii_case(window)) {
        return unknown_function(name);
    }
    error_at(
        format!("there is no table function {name}"),
        name,
        "a program registers one before it plans the file: functions.table(name, version, columns, closure), see \
         docs/sql/user-functions.md",
    )
}

/// What is to be said of a function of tables that is called without `LATERAL TABLE`.
pub(crate) fn without_lateral(
    name: &ObjectName,
    context: &dyn RelationPlannerContext,
) -> Option<datafusion::common::DataFusionError> {
    named(name, context).map(|_| {
        let help = format!(
            "write FROM t, LATERAL TABLE({name}(..)) AS r (..), behind the table whose columns it is given"
        );
        error_at(format!("{name} is called without LATERAL"), name, help)
    })
}
