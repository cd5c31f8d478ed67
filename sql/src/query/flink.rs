//! What Flink says otherwise than DataFusion, changed in the syntax tree of a query before it is planned.

use super::provider::Names;
use super::relations::error_at;
use super::{calls, rows, special};
use crate::features::{group_windows, match_recognize};
use crate::script::{CATALOG, DATABASE};
use datafusion::common::{DataFusionError, Result};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinOperator, LimitClause, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Changes a query, and all in it:
///
/// - a field of a row, `SELECT bid.price`, is a column with the field's name, any other expression one called `EXPR$1`,
///   by its place; a second column `v` is called `v0`;
/// - a table is called by its name alone, and not by those of the catalog and the database that it is in;
/// - rows, their fields and `IS JSON` are what DataFusion's planner knows ([`rows`]);
/// - special forms are calls of functions, and literals have Flink's types ([`special`]);
/// - a function that there is not is an error ([`calls`]).
pub(super) fn as_flink_means(query: &mut Query, names: &Names) -> Result<()> {
    done(query.visit(&mut AsFlinkMeans { names }))
}

/// What of a query Flink has, or has otherwise, and this planner would plan as something else.
pub(super) fn not_as_flink(query: &Query) -> Option<&'static str> {
    match query.visit(&mut NotAsFlink) {
        ControlFlow::Break(message) => Some(message),
        ControlFlow::Continue(()) => None,
    }
}

struct NotAsFlink;

impl Visitor for NotAsFlink {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        let message = in_set_operation(&query.body).or_else(|| in_joins(&query.body));
        message.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }
}

/// Joins that only other dialects write.
fn in_joins(body: &SetExpr) -> Option<&'static str> {
    match body {
        SetExpr::Select(select) => {
            let mut joins = select.from.iter().flat_map(|from| &from.joins);
            joins.find_map(|join| match join.join_operator {
                JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::RightSemi(_) => {
                    Some("SEMI JOIN is not supported: write IN or EXISTS")
                }
                JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) | JoinOperator::RightAnti(_) => {
                    Some("ANTI JOIN is not supported: write NOT EXISTS")
                }
                _ => None,
            })
        }
        SetExpr::SetOperation { left, right, .. } => in_joins(left).or_else(|| in_joins(right)),
        _ => None,
    }
}

fn in_set_operation(body: &SetExpr) -> Option<&'static str> {
    use SetQuantifier::{AllByName, ByName, DistinctByName};
    // Queries in parentheses are visited themselves.
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return None };
    let message = match (op, set_quantifier) {
        (SetOperator::Minus, _) => Some("MINUS is not supported"),
        (_, ByName | AllByName | DistinctByName) => Some("BY NAME is not supported"),
        _ => None,
    };
    message.or_else(|| in_set_operation(left)).or_else(|| in_set_operation(right))
}

/// The same for an expression.
pub(super) fn expression_as_flink_means(expr: &mut Expr, names: &Names) -> Result<()> {
    done(expr.visit(&mut AsFlinkMeans { names }))
}

fn done(visited: ControlFlow<DataFusionError>) -> Result<()> {
    match visited {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// A column of a query that is called as one before it.
pub(super) fn repeated_column(query: &Query) -> Option<Ident> {
    let mut body = query.body.as_ref();
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    let select = body.as_select()?;
    let relations = relations(select);
    let mut names = BTreeSet::new();
    let mut columns = select.projection.iter().enumerate().filter_map(|(place, item)| match item {
        SelectItem::UnnamedExpr(expr) => Some(column_name(expr, &relations, place).0),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        _ => None,
    });
    columns.find(|column| !names.insert(column.value.clone()))
}

/// `FETCH FIRST 3 ROWS ONLY` is `LIMIT 3`. With ties or of a hundred it is left to be refused.
fn fetch_as_limit(query: &mut Query) {
    let one = || Expr::value(Value::Number("1".to_owned(), false));
    let offset = match &query.limit_clause {
        None => None,
        Some(LimitClause::LimitOffset { limit: None, offset, .. }) => offset.clone(),
        Some(_) => return,
    };
    if let Some(fetch) = query.fetch.take_if(|fetch| !fetch.percent && !fetch.with_ties) {
        let limit = Some(fetch.quantity.unwrap_or_else(one));
        query.limit_clause = Some(LimitClause::LimitOffset { limit, offset, limit_by: Vec::new() });
    }
}

struct AsFlinkMeans<'n> {
    names: &'n Names,
}

impl VisitorMut for AsFlinkMeans<'_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        if let Some(alias) = text_as_name(&query.body) {
            let at = Expr::Identifier(alias.clone());
            let help = "write one text, or AS and a name in backquotes";
            return ControlFlow::Break(error_at("a text stands behind an expression", &at, help));
        }
        name_columns(&mut query.body);
        fetch_as_limit(query);
        match bounds_of_windows(&mut query.body) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<DataFusionError> {
        match match_recognize::named(table) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<DataFusionError> {
        let part = |index: usize| relation.0.get(index).and_then(ObjectNamePart::as_ident);
        let name = |index: usize| part(index).map(|part| part.value.as_str()).unwrap_or_default();
        let around = match relation.0.len() {
            3 if name(0) == CATALOG && name(1) == DATABASE => 2,
            2 if name(0) == DATABASE => 1,
            _ => 0,
        };
        relation.0.drain(..around);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<DataFusionError> {
        if let Expr::CompoundIdentifier(parts) = expr {
            let name = |index: usize| parts.get(index).map(|part| part.value.as_str()).unwrap_or_default();
            let around = match parts.len() {
                4.. if name(0) == CATALOG && name(1) == DATABASE => 2,
                3.. if name(0) == DATABASE => 1,
                _ => 0,
            };
            parts.drain(..around);
        }
        rows::symmetric_as_two(expr);
        match calls::check(expr, self.names) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<DataFusionError> {
        rows::as_call(expr);
        match special::as_call(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A text in the place of a column's name: `'a' 'b'`.
fn text_as_name(body: &SetExpr) -> Option<&Ident> {
    match body {
        SetExpr::Select(select) => select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } if alias.quote_style == Some('\'') => Some(alias),
            _ => None,
        }),
        SetExpr::SetOperation { left, right, .. } => text_as_name(left).or_else(|| text_as_name(right)),
        _ => None,
    }
}

fn name_columns(body: &mut SetExpr) {
    let mut left = vec![body];
    while let Some(body) = left.pop() {
        match body {
            SetExpr::Select(select) => name_columns_of(select),
            SetExpr::SetOperation { left: one, right: other, .. } => {
                left.extend([one.as_mut(), other.as_mut()])
            }
            // Queries in parentheses are visited themselves.
            _ => {}
        }
    }
}

/// Windows of groupings as their columns.
fn bounds_of_windows(body: &mut SetExpr) -> Result<()> {
    match body {
        SetExpr::Select(select) => group_windows::as_bounds(select),
        SetExpr::SetOperation { left, right, .. } => {
            bounds_of_windows(left)?;
            bounds_of_windows(right)
        }
        // Queries in parentheses are visited themselves.
        _ => Ok(()),
    }
}

fn name_columns_of(select: &mut Select) {
    let relations = relations(select);
    let mut names = BTreeSet::new();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let (expr, mut alias, is_new) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let (alias, is_new) = column_name(expr, &relations, place);
                (expr, alias, is_new)
            }
            SelectItem::ExprWithAlias { expr, alias } => (expr, alias.clone(), false),
            _ => continue,
        };
        let name = alias.value.clone();
        let mut number = 0;
        while !names.insert(alias.value.clone()) {
            alias.value = format!("{name}{number}");
            number += 1;
        }
        if is_new || number > 0 {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

/// What a column without `AS` is called, and whether that has to be said.
fn column_name(expr: &Expr, relations: &[String], place: usize) -> (Ident, bool) {
    match expr {
        Expr::Identifier(name) => (name.clone(), false),
        Expr::CompoundIdentifier(parts) => match (field_name(expr, relations), parts.last()) {
            (Some(field), _) => (field, true),
            (None, Some(column)) => (column.clone(), false),
            (None, None) => (Ident::new(format!("EXPR${place}")), true),
        },
        _ => (Ident::new(format!("EXPR${place}")), true),
    }
}

/// What names in front of a dot may mean beside a row: the relations of the `FROM` clause.
fn relations(select: &Select) -> Vec<String> {
    let tables = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    tables.filter_map(relation_name).collect()
}

fn relation_name(table: &TableFactor) -> Option<String> {
    let (alias, name) = match table {
        TableFactor::Table { alias, name, .. } => (alias, name.0.last()?.as_ident().map(|name| &name.value)),
        TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::MatchRecognize { alias, .. } => (alias, None),
        _ => return None,
    };
    alias.as_ref().map(|alias| &alias.name.value).or(name).cloned()
}

/// The name of the field that `row.field` or `relation.row.field` picks.
fn field_name(expr: &Expr, relations: &[String]) -> Option<Ident> {
    let Expr::CompoundIdentifier(parts) = expr else { return None };
    let row = usize::from(relations.contains(&parts.first()?.value));
    // One part behind the relation is a column.
    (parts.len() > row + 1).then(|| parts.last().cloned())?
}
