//! Words of a query that the planner's library reads, and does not plan: without them the query would mean something else,
//! and nobody would say so.

use super::provider::Names;
use crate::error::{SqlError, code};
use crate::script::{Positions, Tokens};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, Query, Select, SelectFlavor,
    TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Token;
use std::ops::ControlFlow;

/// Refuses a query with words that nobody would read.
pub(super) fn check(
    query: &Query,
    names: &Names,
    tokens: &Tokens,
    positions: &Positions,
) -> Result<(), SqlError> {
    match Visit::visit(query, &mut Unread { names }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(words) => {
            let is = |token: &Token, word: &str| match token {
                Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
                _ => false,
            };
            let first = words.split(' ').next().unwrap_or_default();
            let at = tokens.tokens.iter().find(|token| is(&token.token, first));
            let span = at.and_then(|token| positions.span(token.span)).unwrap_or(tokens.span);
            let error = SqlError::new(code::UNSUPPORTED, span, format!("{words} can't stand here"));
            Err(error.label("here").help("leave it out; it is of no use in a query of Flink's"))
        }
    }
}

struct Unread<'n> {
    names: &'n Names,
}

/// Breaks with the first that is there.
fn none_of(found: &[(bool, &'static str)]) -> ControlFlow<&'static str> {
    match found.iter().find(|(found, _)| *found) {
        Some((_, words)) => ControlFlow::Break(words),
        None => ControlFlow::Continue(()),
    }
}

impl Visitor for Unread<'_> {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        none_of(&[
            (!query.locks.is_empty(), "FOR UPDATE"),
            (query.for_clause.is_some(), "FOR XML or JSON"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<&'static str> {
        let with_modifiers = match &select.group_by {
            GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) => !modifiers.is_empty(),
        };
        none_of(&[
            (select.select_modifiers.is_some(), "a modifier of SELECT"),
            (select.into.is_some(), "INTO"),
            (select.prewhere.is_some(), "PREWHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
            (!select.distribute_by.is_empty(), "DISTRIBUTE BY"),
            (select.value_table_mode.is_some(), "AS STRUCT or VALUE"),
            (select.exclude.is_some(), "EXCLUDE"),
            (select.flavor != SelectFlavor::Standard, "FROM in front of SELECT"),
            (with_modifiers, "WITH behind GROUP BY"),
        ])
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<&'static str> {
        match factor {
            TableFactor::Table {
                with_hints,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
                ..
            } => none_of(&[
                (!with_hints.is_empty(), "WITH behind a table"),
                (*with_ordinality, "WITH ORDINALITY"),
                (!partitions.is_empty(), "PARTITION"),
                (json_path.is_some(), "a path in a table"),
                (sample.is_some(), "TABLESAMPLE"),
                (!index_hints.is_empty(), "USE INDEX"),
            ]),
            TableFactor::Derived { sample, .. } => none_of(&[(sample.is_some(), "TABLESAMPLE")]),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<&'static str> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        if function.parameters != FunctionArguments::None || function.uses_odbc_syntax {
            return ControlFlow::Break("a call of this form");
        }
        let is_aggregate = self.names.is_aggregate(&function.name.to_string());
        if is_aggregate || function.over.is_some() {
            return ControlFlow::Continue(());
        }
        none_of(&of_aggregates(function))
    }
}

/// What stands in the call of an aggregate only.
fn of_aggregates(function: &Function) -> [(bool, &'static str); 5] {
    let (distinct, clauses) = match &function.args {
        FunctionArguments::List(list) => (list.duplicate_treatment.is_some(), list.clauses.as_slice()),
        _ => (false, [].as_slice()),
    };
    let is_order = |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::OrderBy(_));
    let is_nulls =
        |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_));
    [
        (distinct, "DISTINCT or ALL in a function of a row"),
        (function.filter.is_some(), "FILTER behind a function of a row"),
        (
            function.null_treatment.is_some() || clauses.iter().any(is_nulls),
            "IGNORE NULLS or RESPECT NULLS with a function of a row",
        ),
        (!function.within_group.is_empty(), "WITHIN GROUP"),
        (clauses.iter().any(is_order), "ORDER BY in a function of a row"),
    ]
}
