//! Queries: tokens to a logical plan with Flink's meaning.
//!
//! sqlparser reads the query, DataFusion's `SqlToRel` plans it against the file's tables and views, with hooks for what
//! it does not know ([`relations`]); [`rewrite`] then gives the plan its streaming nodes and Flink's types. What the two
//! libraries find wrong is said in words of our own ([`parse`], [`words`]), and what they would never come to an end with is
//! refused before ([`bounds`]).

mod aggregates;
pub(crate) mod answer;
#[cfg(test)]
pub(crate) mod ask;
mod bounds;
mod calls;
mod features;
mod fields;
mod flink;
mod forms;
mod hints;
mod interval;
mod joins;
mod marks;
mod parse;
pub(crate) mod patterns;
mod provider;
pub(crate) mod relations;
mod rewrite;
mod rows;
mod special;
mod subqueries;
mod types;
mod typing;
mod unread;
mod words;

pub(crate) use aggregates::of_numbers as number_aggregate;
pub(crate) use calls::is_builtin;
pub(crate) use joins::is_never_null;
pub(crate) use provider::{Names, ScanOf, TABLE_FUNCTION};
pub(crate) use rewrite::{aggregate_as_flink, analyze, cast_as_flink, check_deterministic, optimize};
pub(crate) use special::{call as sql_call, text as sql_text_literal};
pub(crate) use typing::type_node;
pub(crate) use words::{Words, from_datafusion, in_flinks_types, words};

use crate::error::{SqlError, code};
use crate::lower::Refusal;
use crate::script::{Positions, Tokens};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection};
use datafusion::sql::planner::{NullOrdering, ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast::{Query, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Its rows are taken by the places of their columns, or the view names them.
    Rows,
    /// A view whose columns are called as those of the query.
    View,
}

/// Plans a query; types are settled, columns are not pruned.
pub(crate) fn plan_query(
    tokens: &Tokens,
    of: For,
    names: &Names,
    positions: &Positions,
) -> Result<LogicalPlan, SqlError> {
    plan_with(tokens, of, names, positions, |_| Ok(())).map(|(plan, ())| plan)
}

/// Plans a question: the query, and what stands behind it.
pub(crate) fn plan_question(
    tokens: &Tokens,
    names: &Names,
    positions: &Positions,
) -> Result<(LogicalPlan, answer::Behind), SqlError> {
    plan_with(tokens, For::Rows, names, positions, |query| answer::taken_off(query, tokens, positions))
}

/// Plans a query that `prepare` takes something off before.
fn plan_with<T>(
    tokens: &Tokens,
    of: For,
    names: &Names,
    positions: &Positions,
    prepare: impl FnOnce(&mut Query) -> Result<T, SqlError>,
) -> Result<(LogicalPlan, T), SqlError> {
    plan_known(tokens, of, names, positions, prepare).map_err(|(error, vague)| {
        let missing = vague.then(|| features::missing_feature(tokens, positions)).flatten();
        missing.unwrap_or(error)
    })
}

/// Plans a query. What is wrong with it is vague where it may be that it has a feature that there is not.
fn plan_known<T>(
    tokens: &Tokens,
    of: For,
    names: &Names,
    positions: &Positions,
    prepare: impl FnOnce(&mut Query) -> Result<T, SqlError>,
) -> Result<(LogicalPlan, T), (SqlError, bool)> {
    let parsed = parse::parse_query(tokens, positions);
    let mut query = parsed.map_err(|error| {
        let vague = error.code == code::SYNTAX;
        (error, vague)
    })?;
    hints::apply(&mut query, tokens, names).map_err(|error| (error, false))?;
    let taken = prepare(&mut query).map_err(|error| (error, false))?;
    check(&mut query, of, names, tokens, positions).map_err(|error| {
        let vague = error.code == code::UNSUPPORTED;
        (error, vague)
    })?;
    let plan = flink::as_flink_means(&mut query, names)
        .and_then(|()| planner(names).sql_statement_to_plan(Statement::Query(query)))
        .and_then(|plan| analyze(plan, names))
        .and_then(|plan| check_deterministic(&plan).map(|()| plan));
    plan.map(|plan| (plan, taken))
        .map_err(|error| (from_datafusion(&error, names, tokens, positions), words::is_vague(&error)))
}

/// Looks whether a query is one that can be planned at all.
fn check(
    query: &mut Query,
    of: For,
    names: &Names,
    tokens: &Tokens,
    positions: &Positions,
) -> Result<(), SqlError> {
    bounds::check_query(query, names, tokens, positions)?;
    unread::check(query, names, tokens, positions)?;
    if let Some(message) = flink::not_as_flink(query) {
        let help = "there are UNION, INTERSECT and EXCEPT, each with and without ALL";
        return Err(SqlError::new(code::UNSUPPORTED, tokens.span, message).label("here").help(help));
    }
    let Some(column) = flink::repeated_column(query).filter(|_| of == For::View) else { return Ok(()) };
    let span = positions.span(column.span).unwrap_or(tokens.span);
    let message = format!("the view has two columns called {}", column.value);
    let help = "give one of them another name with AS";
    Err(SqlError::new(code::COLUMN, span, message).label("here").help(help))
}

/// Plans an expression over columns; its type is settled.
pub(crate) fn plan_expression(
    tokens: &Tokens,
    schema: &DFSchema,
    names: &Names,
    positions: &Positions,
) -> Result<Expr, SqlError> {
    let mut parsed = parse::parse_expression(tokens, positions)?;
    bounds::check_expression(&mut parsed, tokens, positions)?;
    flink::expression_as_flink_means(&mut parsed, names)
        .and_then(|()| planner(names).sql_to_expr(parsed, schema, &mut PlannerContext::new()))
        .and_then(|expr| settle(expr, schema, names))
        .map_err(|error| from_datafusion(&error, names, tokens, positions))
}

/// Gives an expression its types, and computes what is constant in it.
fn settle(expr: Expr, schema: &DFSchema, names: &Names) -> Result<Expr, DataFusionError> {
    let rows = EmptyRelation { produce_one_row: false, schema: Arc::new(schema.clone()) };
    let over = Arc::new(LogicalPlan::EmptyRelation(rows));
    let plan = LogicalPlan::Projection(Projection::try_new(vec![expr], over)?);
    check_deterministic(&plan)?;
    match analyze(plan, names)? {
        LogicalPlan::Projection(Projection { mut expr, .. }) if expr.len() == 1 => {
            Ok(match expr.remove(0) {
                // What its type says beyond Arrow's stands there.
                Expr::Alias(alias) if alias.metadata.is_some() => Expr::Alias(alias),
                expr => expr.unalias(),
            })
        }
        other => Err(DataFusionError::Internal(format!("an expression became {other}"))),
    }
}

fn planner(names: &Names) -> SqlToRel<'_, Names> {
    let options = ParserOptions::new()
        .with_enable_ident_normalization(false)
        .with_parse_float_as_decimal(true)
        .with_support_varchar_with_length(true)
        .with_map_string_types_to_utf8view(false)
        .with_collect_spans(true)
        // As in Flink: a null is less than any value.
        .with_default_null_ordering(NullOrdering::NullsMin);
    SqlToRel::new_with_options(names, options)
}

/// What the lowering refuses, at what it quotes; or a feature that there is not, at its place in the query or in a view
/// that it reads.
pub(crate) fn refused<'t>(
    refusal: &Refusal,
    tokens: &'t Tokens,
    views: &BTreeMap<String, &'t Tokens>,
    positions: &Positions,
) -> SqlError {
    if refusal.message.contains("not supported")
        && let Some(missing) = missing_in_any(tokens, views, positions)
    {
        return missing;
    }
    let span = words::quoted_in(&refusal.message, tokens, positions).unwrap_or(tokens.span);
    let error = SqlError::new(code::UNSUPPORTED, span, &refusal.message).label("here");
    match &refusal.help {
        Some(help) => error.help(help),
        None => error,
    }
}

fn missing_in_any<'t>(
    tokens: &'t Tokens,
    views: &BTreeMap<String, &'t Tokens>,
    positions: &Positions,
) -> Option<SqlError> {
    let (mut read, mut left) = (BTreeSet::new(), vec![tokens]);
    while let Some(tokens) = left.pop() {
        if let Some(missing) = features::missing_feature(tokens, positions) {
            return Some(missing);
        }
        let named = tokens.words().filter_map(|word| views.get_key_value(word));
        left.extend(named.filter(|(name, _)| read.insert(name.as_str())).map(|(_, tokens)| *tokens));
    }
    None
}
