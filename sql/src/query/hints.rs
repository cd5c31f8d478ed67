//! Hints put into the syntax tree of a query, and names that say their catalog put into short.
//!
//! A table with options of its own is read by the key that the planner gave it, under the name it is written with. A side of
//! a join whose rows are kept for a time goes through a query of nothing but it, whose name says how long: see
//! [`state_ttl`].

use super::provider::Names;
use crate::catalog::duration_ms;
use crate::error::{Span, SqlError, code};
use crate::features::state_ttl;
use crate::script::{CATALOG, DATABASE, FlinkDialect, Hint, Spanned, Tokens};
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SetExpr, TableAlias, TableFactor, VisitMut,
    VisitorMut,
};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Span as LineSpan;
use std::ops::ControlFlow;

/// Puts the hints of a query into it.
pub(super) fn apply(query: &mut Query, tokens: &Tokens, names: &Names) -> Result<(), SqlError> {
    let mut placing = Placing { hints: &tokens.hints, names, placed: vec![false; tokens.hints.len()] };
    if let ControlFlow::Break(error) = VisitMut::visit(query, &mut placing) {
        return Err(*error);
    }
    match placing.placed.iter().position(|placed| !placed) {
        None => Ok(()),
        Some(at) => {
            let error = SqlError::new(code::CLAUSE, tokens.hints[at].span, "a hint can't stand here");
            Err(error.help("hints stand behind the name of a table in FROM, or behind SELECT"))
        }
    }
}

struct Placing<'a> {
    hints: &'a [Hint],
    names: &'a Names,
    placed: Vec<bool>,
}

impl Placing<'_> {
    /// Notes that the hints behind a word are where they can be.
    fn place(&mut self, after: LineSpan) {
        for (hint, placed) in self.hints.iter().zip(&mut self.placed) {
            *placed |= hint.after == after;
        }
    }

    /// The table that a hint makes of the one whose name ends with a word.
    fn hinted(&mut self, name: &Ident) -> Option<Ident> {
        let key = self.names.hint_at(name.span.start)?.to_owned();
        self.place(name.span);
        Some(Ident { value: key, quote_style: Some('`'), span: name.span })
    }
}

impl VisitorMut for Placing<'_> {
    type Break = Box<SqlError>;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Box<SqlError>> {
        let token = select.select_token.0.span;
        let missing = |hint: &Hint, name: &str, span: Span| {
            let message = format!("{} names {name}, which this SELECT does not read", hint.name.value);
            let error = SqlError::new(code::CLAUSE, span, message);
            ControlFlow::Break(Box::new(
                error.help("name a table, a view or an alias of its FROM, as it is written there"),
            ))
        };
        for hint in self.hints.iter().filter(|hint| hint.after == token) {
            let unread = hint.names.iter().find(|name| factor_of(select, &name.value).is_none());
            if let Some(name) = unread {
                return missing(hint, &name.value, name.span);
            }
            for (key, value) in &hint.options {
                if !keep_for(select, key, duration_ms(&value.value).unwrap_or(0)) {
                    return missing(hint, &key.value, key.span);
                }
            }
        }
        self.place(token);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Box<SqlError>> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else {
            return ControlFlow::Continue(());
        };
        shorten(name);
        let [ObjectNamePart::Identifier(plain)] = name.0.as_slice() else { return ControlFlow::Continue(()) };
        let plain = plain.clone();
        if let Some(hinted) = self.hinted(&plain) {
            *name = ObjectName::from(vec![hinted]);
            alias.get_or_insert_with(|| called(plain));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<SqlError>> {
        // A column of a table, or a table that is the argument of a function.
        if let Expr::CompoundIdentifier(parts) = expr
            && parts.len() >= 3
            && parts[0].value == CATALOG
            && parts[1].value == DATABASE
        {
            parts.drain(..2);
            if let [name] = parts.as_slice() {
                *expr = Expr::Identifier(name.clone());
            }
        }
        if let Expr::Identifier(name) = expr
            && let Some(hinted) = self.hinted(name)
        {
            *name = hinted;
        }
        ControlFlow::Continue(())
    }
}

/// `default_catalog.default_database.t` as `t`.
fn shorten(name: &mut ObjectName) {
    let values: Vec<&str> =
        name.0.iter().filter_map(ObjectNamePart::as_ident).map(|part| part.value.as_str()).collect();
    let before = match values.as_slice() {
        [CATALOG, DATABASE, _] => 2,
        [DATABASE, _] => 1,
        _ => 0,
    };
    name.0.drain(..before);
}

fn called(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

/// What something in a `FROM` is called.
fn name_of(factor: &TableFactor) -> Option<&Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::TableFunction { alias: Some(alias), .. } => Some(&alias.name),
        TableFactor::Table { name, args: None, .. } => name.0.last().and_then(ObjectNamePart::as_ident),
        _ => None,
    }
}

/// What is called so in the `FROM` of a `SELECT`.
fn factor_of<'s>(select: &'s mut Select, name: &str) -> Option<&'s mut TableFactor> {
    let mut relations = select.from.iter_mut().flat_map(|from| {
        std::iter::once(&mut from.relation).chain(from.joins.iter_mut().map(|join| &mut join.relation))
    });
    relations.find(|factor| name_of(factor).is_some_and(|found| found.value == name))
}

/// Makes the rows of what is called so be kept for a time, where a `SELECT` joins it. Whether there is such a thing.
fn keep_for(select: &mut Select, key: &Spanned<String>, ttl_ms: i64) -> bool {
    let Some(factor) = factor_of(select, &key.value) else { return false };
    let Some(name) = name_of(factor).cloned() else { return false };
    let Some(mut query) = whole_query() else { return false };
    let marked =
        Ident { value: state_ttl::marked(&name.value, ttl_ms), quote_style: Some('`'), span: name.span };
    let SetExpr::Select(inner) = query.body.as_mut() else { return false };
    let Some(from) = inner.from.first_mut() else { return false };
    // It is of no place in the file: no hint stands behind it.
    inner.select_token = AttachedToken::empty();
    std::mem::swap(&mut from.relation, factor);
    match &mut from.relation {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. } => {
            let columns = alias.take().map(|alias| alias.columns).unwrap_or_default();
            *alias = Some(TableAlias { columns, ..called(marked) });
        }
        // What has another form has no name.
        _ => return false,
    }
    *factor =
        TableFactor::Derived { lateral: false, subquery: query, alias: Some(called(name)), sample: None };
    true
}

/// `SELECT * FROM t`, whose table is to be another.
fn whole_query() -> Option<Box<Query>> {
    let dialect = FlinkDialect::default();
    let mut parser = Parser::new(&dialect).try_with_sql("SELECT * FROM t").ok()?;
    parser.parse_query().ok()
}
