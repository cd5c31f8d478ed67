//! Queries over the catalog: rows from tables and joins, filtered, grouped, ordered and cut.

use super::expression::Evaluation;
use super::frame::{Env, Field, Frame, name_of};
use super::from::renamed;
use super::select::Selected;
use super::value::Value;
use super::{Found, World, kinds};
use crate::error::Trouble;
use sqlparser::ast::{
    Expr, LimitClause, OrderByExpr, OrderByKind, Query, SetExpr, SetOperator, SetQuantifier,
};
use std::cmp::Ordering;

/// The most rows that there are at any time.
pub(super) const ROWS_MAX: usize = 200_000;

/// Computes a query. Without values for parameters its rows do not matter, only its columns.
pub(super) fn run(query: &Query, world: &World<'_>, parameters: Option<&[Value]>) -> Result<Found, Trouble> {
    let evaluation = Evaluation::new(world, parameters);
    let frame = evaluation.query(query, None)?;
    let columns = frame.fields.into_iter().map(|field| (field.name, field.kind)).collect();
    let rows = frame.rows.iter().map(|row| row.iter().map(Value::json).collect()).collect();
    Ok(Found { columns, rows })
}

pub(super) fn unsupported(what: &str) -> Trouble {
    Trouble::unsupported(
        format!("{what} is not supported over the catalog"),
        "the tables of jobs are asked in Flink's SQL, each query by itself",
    )
}

impl Evaluation<'_> {
    /// The rows of a query; `outer` is the row that it is computed for, where it stands in an expression.
    pub(super) fn query(&self, query: &Query, outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        let before = self.given.borrow().len();
        for given in query.with.iter().flat_map(|with| &with.cte_tables) {
            let mut frame = self.query(&given.query, outer)?;
            renamed(&mut frame, Some(&given.alias));
            self.given.borrow_mut().push((name_of(&given.alias.name), frame));
        }
        let order: &[OrderByExpr] = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(OrderByKind::Expressions(order)) => order,
            Some(OrderByKind::All(_)) => return Err(unsupported("ORDER BY ALL")),
        };
        let mut frame = match query.body.as_ref() {
            SetExpr::Select(select) => {
                let selected = self.select(select, outer)?;
                self.ordered(selected, order, outer)?
            }
            body => {
                let out = self.body(body, outer)?;
                let (from, sources) = (out.fields.clone(), out.rows.clone());
                self.ordered(Selected { out, from, sources, groups: None }, order, outer)?
            }
        };
        self.cut(&mut frame, query, outer)?;
        self.given.borrow_mut().truncate(before);
        Ok(frame)
    }

    fn body(&self, body: &SetExpr, outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        match body {
            SetExpr::Select(select) => Ok(self.select(select, outer)?.out),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::Values(values) => {
                self.values(&values.rows.iter().map(|row| row.content.as_slice()).collect::<Vec<_>>(), outer)
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (mut left, right) = (self.body(left, outer)?, self.body(right, outer)?);
                if left.fields.len() != right.fields.len() {
                    return Err(Trouble::new("42601", "each side of a UNION has to have as many columns"));
                }
                let has = |rows: &[Vec<Value>], row: &Vec<Value>| rows.iter().any(|other| same(other, row));
                match op {
                    SetOperator::Union => left.rows.extend(right.rows),
                    SetOperator::Except => left.rows.retain(|row| !has(&right.rows, row)),
                    SetOperator::Intersect => left.rows.retain(|row| has(&right.rows, row)),
                    SetOperator::Minus => return Err(unsupported("MINUS")),
                }
                if !matches!(set_quantifier, SetQuantifier::All) {
                    distinct(&mut left.rows);
                }
                Ok(left)
            }
            _ => Err(unsupported("this query")),
        }
    }

    fn values(&self, rows: &[&[Expr]], outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        let env = Env::new(&[], &[], outer);
        let first = rows.first().copied().unwrap_or_default();
        let field = |(at, expr): (usize, &Expr)| Field {
            relation: String::new(),
            name: format!("column{}", at + 1),
            kind: kinds::of(self, expr, &env),
        };
        let fields = first.iter().enumerate().map(field).collect();
        let row =
            |row: &&[Expr]| row.iter().map(|expr| self.value(expr, &env)).collect::<Result<Vec<_>, _>>();
        Ok(Frame { fields, rows: rows.iter().map(row).collect::<Result<_, _>>()? })
    }

    fn ordered(
        &self,
        selected: Selected,
        order: &[OrderByExpr],
        outer: Option<&Env<'_>>,
    ) -> Result<Frame, Trouble> {
        let Selected { mut out, from, sources, groups } = selected;
        if order.is_empty() {
            return Ok(out);
        }
        let by: Vec<(bool, bool)> = order.iter().map(direction).collect();
        let mut keyed = Vec::new();
        for (at, row) in out.rows.drain(..).enumerate() {
            let source = sources.get(at).map(Vec::as_slice).unwrap_or_default();
            let group = groups.as_ref().and_then(|groups| groups.get(at)).map(Vec::as_slice);
            let env = Env { group, ..Env::new(&from, source, outer) };
            let mut keys = Vec::new();
            for by in order {
                let number = match &by.expr {
                    Expr::Value(_) => self.value(&by.expr, &env)?.int(),
                    Expr::Identifier(ident) => {
                        let name = name_of(ident);
                        out.fields.iter().position(|field| field.name == name).map(|at| at as i64 + 1)
                    }
                    _ => None,
                };
                let put_out = number
                    .and_then(|number| usize::try_from(number.saturating_sub(1)).ok())
                    .and_then(|at| row.get(at));
                keys.push(match put_out {
                    Some(value) => value.clone(),
                    None => self.value(&by.expr, &env)?,
                });
            }
            keyed.push((keys, row));
        }
        keyed.sort_by(|one, other| by_keys(&one.0, &other.0, &by));
        out.rows = keyed.into_iter().map(|(_, row)| row).collect();
        Ok(out)
    }

    fn cut(&self, frame: &mut Frame, query: &Query, outer: Option<&Env<'_>>) -> Result<(), Trouble> {
        let env = Env::new(&[], &[], outer);
        let count = |expr: &Expr| -> Result<Option<usize>, Trouble> {
            Ok(self.value(expr, &env)?.int().map(|number| usize::try_from(number).unwrap_or(0)))
        };
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => return Err(unsupported("LIMIT with a comma")),
        };
        let fetched = query
            .fetch
            .as_ref()
            .map(|fetch| fetch.quantity.as_ref().map_or(Ok(Some(1)), count))
            .transpose()?;
        let limit = limit.map(count).transpose()?.flatten().or(fetched.flatten());
        let offset = offset.map(count).transpose()?.flatten().unwrap_or(0);
        frame.rows.drain(..offset.min(frame.rows.len()));
        frame.rows.truncate(limit.unwrap_or(usize::MAX));
        Ok(())
    }
}

/// Whether rows descend, and whether nulls come first.
pub(super) fn direction(by: &OrderByExpr) -> (bool, bool) {
    let descends = by.options.asc == Some(false);
    (descends, by.options.nulls_first.unwrap_or(descends))
}

pub(super) fn by_keys(one: &[Value], other: &[Value], by: &[(bool, bool)]) -> Ordering {
    let each = one.iter().zip(other).zip(by).map(|((one, other), (descends, nulls_first))| {
        match (one.is_null(), other.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if *nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if *nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) if *descends => other.order(one),
            (false, false) => one.order(other),
        }
    });
    each.fold(Ordering::Equal, Ordering::then)
}

pub(super) fn same(one: &[Value], other: &[Value]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
}

pub(super) fn distinct(rows: &mut Vec<Vec<Value>>) {
    let mut kept: Vec<Vec<Value>> = Vec::new();
    for row in rows.drain(..) {
        if !kept.iter().any(|other| same(other, &row)) {
            kept.push(row);
        }
    }
    *rows = kept;
}
