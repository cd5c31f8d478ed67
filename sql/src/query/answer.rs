//! How the rows of a question are ordered and cut: behind the query, over all that it gives in the end.
//!
//! A stream has no last row, so that a job knows `ORDER BY` and `LIMIT` only as ranks. What is asked ends, and is put in
//! order by whoever shows it: by columns that it has.

use crate::error::{SqlError, code};
use crate::script::{Positions, Tokens};
use datafusion::sql::sqlparser::ast::{Expr, LimitClause, OrderByExpr, OrderByKind, Query, Spanned, Value};
use datafusion::sql::sqlparser::tokenizer::Span as LineSpan;

/// A column that rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// The first one is 1.
    Number(u64),
    Name(String),
}

/// What stands behind a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Columns, whether they descend, and whether nulls come first.
    pub(crate) order: Vec<(By, bool, bool)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
}

/// Where something is that can't be behind a question, what is wrong, and what to do.
type Refused = (Option<LineSpan>, &'static str, &'static str);

/// Takes off a query what stands behind it.
pub(super) fn taken_off(
    query: &mut Query,
    tokens: &Tokens,
    positions: &Positions,
) -> Result<Behind, SqlError> {
    taken(query).map_err(|(at, message, help)| {
        let span = at.and_then(|at| positions.span(at)).unwrap_or(tokens.span);
        SqlError::new(code::UNSUPPORTED, span, message).label("here").help(help)
    })
}

fn taken(query: &mut Query) -> Result<Behind, Refused> {
    let mut behind = Behind::default();
    match query.order_by.take().map(|order| order.kind) {
        None => {}
        Some(OrderByKind::All(_)) => return Err((None, "ORDER BY ALL is not supported", "name the columns")),
        Some(OrderByKind::Expressions(all)) => {
            behind.order = all.iter().map(ordered_by).collect::<Result<_, _>>()?;
        }
    }
    match query.limit_clause.take() {
        None => {}
        Some(LimitClause::LimitOffset { limit, offset, .. }) => {
            behind.limit = limit.as_ref().map(count).transpose()?;
            behind.offset = offset.map(|offset| count(&offset.value)).transpose()?.unwrap_or(0);
        }
        Some(LimitClause::OffsetCommaLimit { limit, .. }) => {
            return Err((
                Some(limit.span()),
                "LIMIT with a comma is not supported",
                "write LIMIT n OFFSET m",
            ));
        }
    }
    match query.fetch.take() {
        None => {}
        Some(fetch) if fetch.with_ties || fetch.percent => {
            return Err((None, "this FETCH is not supported", "write LIMIT n"));
        }
        Some(fetch) => behind.limit = Some(fetch.quantity.as_ref().map_or(Ok(1), count)?),
    }
    Ok(behind)
}

fn ordered_by(by: &OrderByExpr) -> Result<(By, bool, bool), Refused> {
    let column = match &by.expr {
        Expr::Identifier(name) => Some(By::Name(name.value.clone())),
        Expr::CompoundIdentifier(names) => names.last().map(|name| By::Name(name.value.clone())),
        Expr::Value(value) => number(&value.value).map(By::Number),
        _ => None,
    };
    let column = column.ok_or((
        Some(by.expr.span()),
        "an answer is ordered by columns that it has",
        "select the expression AS a column, and order by that",
    ))?;
    let descends = by.options.asc == Some(false);
    // As in Flink: a null is less than any value.
    Ok((column, descends, by.options.nulls_first.unwrap_or(!descends)))
}

fn count(expr: &Expr) -> Result<u64, Refused> {
    let value = match expr {
        Expr::Value(value) => number(&value.value),
        _ => None,
    };
    value.ok_or((Some(expr.span()), "this is no whole number", "write how many rows"))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(text, _) => text.to_string().parse().ok(),
        _ => None,
    }
}
