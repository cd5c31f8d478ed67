//! `t MATCH_RECOGNIZE (..)` as it is written, planned.

use super::reader::{Reader, value_name};
use super::{Clauses, MatchRows};
use crate::features::plan_of;
use crate::features::window::millis;
use crate::query::patterns::{WITHIN, Written, decode};
use crate::query::relations::{error_at, planned};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    AfterMatchSkip, Expr as SqlExpr, Ident, MatchRecognizePattern, MatchRecognizeSymbol, Measure,
    OrderByExpr, SymbolDefinition, TableFactor,
};
use millstream_operators::match_recognize::AfterMatch;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn relation(
    relation: TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let TableFactor::MatchRecognize {
        table,
        partition_by,
        order_by,
        measures,
        after_match_skip,
        pattern,
        mut symbols,
        alias,
        ..
    } = relation
    else {
        return Ok(RelationPlanning::Original(Box::new(relation)));
    };
    let input = context.plan(*table)?;
    let pattern = written_pattern(&pattern)?;
    let within_ms = within(&mut symbols, context)?;
    let definitions = definitions(symbols, &pattern)?;
    let after = after(after_match_skip.as_ref(), &pattern)?;
    let mut exprs = partition(partition_by, &input, context)?;
    let keys = exprs.len();
    let mut order = Vec::new();
    for sort in order_by {
        let (expr, how) = order_column(sort, &input, context)?;
        exprs.push(expr);
        order.push(how);
    }
    let time = exprs.get(keys).cloned();
    let names: Vec<String> = pattern.iter().map(|(name, _)| name.clone()).collect();
    let mut reader = Reader::new(context, input.schema(), &names, time);
    for (name, definition) in pattern.iter().map(|(name, _)| (name, definitions.get(name))) {
        if let Some(definition) = definition {
            exprs.push(reader.condition(definition.clone(), name)?);
        }
    }
    let mut outputs: Vec<Expr> = exprs[..keys].iter().map(key_column).collect();
    for Measure { expr, alias } in measures {
        outputs.push(reader.planned(expr)?.alias(alias.value));
    }
    let values = reader.values();
    check_names(&outputs, alias.as_ref().map(|alias| &alias.name))?;
    let names = (0..values.len()).map(value_name).collect();
    exprs.extend(values);
    let defined = pattern.iter().map(|(name, _)| definitions.contains_key(name)).collect();
    let clauses = Clauses { pattern, defined, keys, order, after, within_ms, names };
    let rows = plan_of(MatchRows::new(input, exprs, clauses)?);
    planned(LogicalPlanBuilder::from(rows).project(outputs)?.build()?, alias)
}

fn key_column(key: &Expr) -> Expr {
    match key {
        Expr::Column(column) => Expr::Column(Column::new_unqualified(&column.name)),
        other => other.clone(),
    }
}

/// The word that `query::patterns` has left.
fn written_pattern(pattern: &MatchRecognizePattern) -> Result<Written> {
    match pattern {
        MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Named(word)) => match decode(&word.value) {
            Some(pattern) => Ok(pattern),
            None => plan_err!("the pattern {word} can't be read"),
        },
        other => plan_err!("the pattern {other} can't be read"),
    }
}

/// Takes the length of time out of the definitions.
fn within(
    symbols: &mut Vec<SymbolDefinition>,
    context: &mut dyn RelationPlannerContext,
) -> Result<Option<i64>> {
    if symbols.first().is_none_or(|first| first.symbol.value != WITHIN) {
        return Ok(None);
    }
    let interval = symbols.remove(0).definition;
    let refuse = || {
        let help = "write a length without months, as WITHIN INTERVAL '1' HOUR";
        error_at(format!("WITHIN {interval}: that is no length of time"), &interval, help)
    };
    let planned = context.sql_to_expr(interval.clone(), &DFSchema::empty()).map_err(|_| refuse())?;
    millis(&planned).filter(|ms| *ms > 0).map(Some).ok_or_else(refuse)
}

fn definitions(symbols: Vec<SymbolDefinition>, pattern: &Written) -> Result<BTreeMap<String, SqlExpr>> {
    let mut definitions = BTreeMap::new();
    for SymbolDefinition { symbol, definition } in symbols {
        let at = SqlExpr::Identifier(symbol.clone());
        if pattern.iter().all(|(name, _)| *name != symbol.value) {
            let help = "name it in PATTERN, or leave its definition out";
            return Err(error_at(format!("{symbol} is no variable of the pattern"), &at, help));
        }
        if definitions.insert(symbol.value.clone(), definition).is_some() {
            return Err(error_at(
                format!("{symbol} is defined twice"),
                &at,
                "put the conditions together with AND",
            ));
        }
    }
    Ok(definitions)
}

fn after(skip: Option<&AfterMatchSkip>, pattern: &Written) -> Result<AfterMatch> {
    let place = |name: &Ident, to: fn(usize) -> AfterMatch| {
        let at = SqlExpr::Identifier(name.clone());
        let Some(place) = pattern.iter().position(|(variable, _)| *variable == name.value) else {
            let help = "name a variable of PATTERN, or write SKIP PAST LAST ROW";
            return Err(error_at(format!("{name} is no variable of the pattern"), &at, help));
        };
        let begins = |to_first: bool| {
            let (_, quantifier) = &pattern[place];
            place == 0 && quantifier.min > 0 && (to_first || quantifier.max == Some(1))
        };
        match begins(to(0) == AfterMatch::ToFirst(0)) {
            false => Ok(to(place)),
            true => {
                let help = "write SKIP TO NEXT ROW or SKIP PAST LAST ROW, or name a variable behind it";
                let message =
                    format!("SKIP TO {name}: a match begins there, and would be found again for ever");
                Err(error_at(message, &at, help))
            }
        }
    };
    match skip {
        // As in Flink; the standard goes on behind the match.
        None | Some(AfterMatchSkip::ToNextRow) => Ok(AfterMatch::ToNextRow),
        Some(AfterMatchSkip::PastLastRow) => Ok(AfterMatch::PastLastRow),
        Some(AfterMatchSkip::ToFirst(name)) => place(name, AfterMatch::ToFirst),
        Some(AfterMatchSkip::ToLast(name)) => place(name, AfterMatch::ToLast),
    }
}

fn partition(
    by: Vec<SqlExpr>,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let column = |written: SqlExpr| match context.sql_to_expr(written.clone(), input.schema())? {
        column @ Expr::Column(_) => Ok(column),
        _ => {
            let help = "compute it in a view of the table, and name the column";
            let message = format!("PARTITION BY {written}: that is no column");
            Err(error_at(message, &written, help))
        }
    };
    by.into_iter().map(column).collect()
}

/// A column of the order: whether it is descending, and whether nulls come first.
fn order_column(
    sort: OrderByExpr,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<(Expr, (bool, bool))> {
    let written = sort.expr;
    let descending = sort.options.asc == Some(false);
    // As in Flink: a null is less than any value.
    let nulls_first = sort.options.nulls_first.unwrap_or(!descending);
    match context.sql_to_expr(written.clone(), input.schema())? {
        column @ Expr::Column(_) => Ok((column, (descending, nulls_first))),
        _ => {
            let help = "compute it in a view of the table, and name the column";
            Err(error_at(format!("ORDER BY {written}: that is no column"), &written, help))
        }
    }
}

/// Two columns of one name can't be told apart.
fn check_names(outputs: &[Expr], alias: Option<&Ident>) -> Result<()> {
    let mut names = BTreeSet::new();
    for output in outputs {
        let (_, name) = output.qualified_name();
        if !names.insert(name.clone()) {
            let of = alias.map(|alias| format!(" {alias}")).unwrap_or_default();
            return plan_err!(
                "MATCH_RECOGNIZE{of} has two columns called {name}: the columns of PARTITION BY are among its columns; call \
                 the measure otherwise"
            );
        }
    }
    Ok(())
}
