//! Queries: tokens to a logical plan with Flink's meaning.
//!
//! sqlparser reads the query, DataFusion's `SqlToRel` plans it against the file's tables and views, with hooks for what
//! it does not know ([`relations`]); [`rewrite`] then gives the plan its streaming nodes and Flink's types.

mod flink;
mod functions;
mod joins;
pub(crate) mod nodes;
mod provider;
mod relations;
mod rewrite;

pub(crate) use provider::Names;
pub(crate) use rewrite::{analyze, check_deterministic, optimize};

use crate::error::{Span, SqlError, code};
use crate::lower::Refusal;
use crate::script::{Positions, Tokens};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Projection};
use datafusion::sql::planner::{NullOrdering, ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast::{Query, Statement};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use std::sync::Arc;

/// Plans a query; types are settled, columns are not pruned.
pub(crate) fn plan_query(
    tokens: &Tokens,
    names: &Names,
    positions: &Positions,
) -> Result<LogicalPlan, SqlError> {
    let mut query = parse_query(tokens, positions)?;
    flink::as_flink_means(&mut query);
    let plan = planner(names)
        .sql_statement_to_plan(Statement::Query(query))
        .and_then(|plan| analyze(plan, names))
        .and_then(|plan| check_deterministic(&plan).map(|()| plan));
    plan.map_err(|error| from_datafusion(&error, tokens, positions))
}

/// Plans an expression over columns; its type is settled.
pub(crate) fn plan_expression(
    tokens: &Tokens,
    schema: &DFSchema,
    names: &Names,
    positions: &Positions,
) -> Result<Expr, SqlError> {
    let mut parser =
        Parser::new(&crate::script::FlinkDialect).with_tokens_with_locations(tokens.tokens.clone());
    let parsed = parser.parse_expr().and_then(|expr| parser.expect_token(&Token::EOF).map(|_| expr));
    let mut parsed = parsed.map_err(|error| from_parser(&error, tokens, positions))?;
    flink::expression_as_flink_means(&mut parsed);
    let planned = planner(names).sql_to_expr(parsed, schema, &mut PlannerContext::new());
    planned
        .and_then(|expr| settle(expr, schema, names))
        .map_err(|error| from_datafusion(&error, tokens, positions))
}

/// Gives an expression its types, and computes what is constant in it.
fn settle(expr: Expr, schema: &DFSchema, names: &Names) -> Result<Expr, DataFusionError> {
    let rows = EmptyRelation { produce_one_row: false, schema: Arc::new(schema.clone()) };
    let over = Arc::new(LogicalPlan::EmptyRelation(rows));
    let plan = LogicalPlan::Projection(Projection::try_new(vec![expr], over)?);
    check_deterministic(&plan)?;
    match analyze(plan, names)? {
        LogicalPlan::Projection(Projection { mut expr, .. }) if expr.len() == 1 => {
            Ok(expr.remove(0).unalias())
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

fn parse_query(tokens: &Tokens, positions: &Positions) -> Result<Box<Query>, SqlError> {
    let tokens_without = without_table_arguments(&tokens.tokens);
    let mut parser = Parser::new(&crate::script::FlinkDialect).with_tokens_with_locations(tokens_without);
    let query = parser.parse_query().and_then(|query| parser.expect_token(&Token::EOF).map(|_| query));
    query.map_err(|error| from_parser(&error, tokens, positions))
}

/// `TUMBLE(TABLE t, ..)` without the `TABLE`, which sqlparser takes for the beginning of another expression.
fn without_table_arguments(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let meaning = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let is_table = matches!(&token.token, Token::Word(word) if word.keyword == Keyword::TABLE);
        let opened = kept.iter().rev().find(meaning).is_some_and(|last| last.token == Token::LParen);
        let named =
            tokens[index + 1..].iter().find(meaning).is_some_and(|next| matches!(next.token, Token::Word(_)));
        if !(is_table && opened && named) {
            kept.push(token.clone());
        }
    }
    kept
}

fn from_parser(error: &ParserError, tokens: &Tokens, positions: &Positions) -> SqlError {
    let (ParserError::ParserError(message) | ParserError::TokenizerError(message)) = error else {
        return SqlError::new(code::SYNTAX, tokens.span, "the query is nested too deeply");
    };
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => (message, place.split_once(", Column: ")),
        None => (message.as_str(), None),
    };
    let place = place.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    // Behind the last word: where something is missing.
    let end = Span { start: tokens.span.end, end: tokens.span.end };
    let span = place.and_then(|(line, column)| word_at(tokens, line, column, positions)).unwrap_or(end);
    SqlError::new(code::SYNTAX, span, message.to_owned()).label("here")
}

/// An error of DataFusion, at the place it names; where it names none, at what it quotes.
pub(crate) fn from_datafusion(error: &DataFusionError, tokens: &Tokens, positions: &Positions) -> SqlError {
    let diagnostic = error.diagnostic();
    let message = match (diagnostic, error.find_root()) {
        (Some(diagnostic), _) => diagnostic.message.clone(),
        (None, DataFusionError::SchemaError(error, _)) => error.to_string(),
        (None, root) => plain(&root.strip_backtrace()),
    };
    let place = diagnostic.and_then(|diagnostic| diagnostic.span);
    let location = |at: datafusion::common::Location| Location { line: at.line, column: at.column };
    let span = place.map_or_else(
        || quoted_in(&message, tokens, positions).unwrap_or(tokens.span),
        |span| Span { start: positions.byte(location(span.start)), end: positions.byte(location(span.end)) },
    );
    let mut found = SqlError::new(code::QUERY, span, message).label("here");
    let helps = diagnostic.map(|diagnostic| {
        let all = diagnostic.helps.iter().map(|help| &help.message);
        all.chain(diagnostic.notes.iter().map(|note| &note.message)).cloned().collect::<Vec<_>>().join("; ")
    });
    // What the planner was told by the file's names says more than it passes on.
    let told = plain(&error.find_root().strip_backtrace());
    let helps = helps.filter(|help| !help.is_empty()).or((told != found.message).then_some(told));
    if let Some(help) = helps {
        found = found.help(help);
    }
    found
}

/// Without the words that DataFusion puts in front of its messages.
fn plain(message: &str) -> String {
    let prefixes = [
        "Error during planning: ",
        "This feature is not implemented: ",
        "Invalid function ",
        "type_coercion\ncaused by\n",
    ];
    let mut rest = message;
    while let Some(prefix) = prefixes.iter().find(|prefix| rest.starts_with(**prefix)) {
        rest = &rest[prefix.len()..];
    }
    rest.to_owned()
}

/// The place of the first word of the query that the message quotes.
fn quoted_in(message: &str, tokens: &Tokens, positions: &Positions) -> Option<Span> {
    let words = tokens.tokens.iter().filter(|token| match &token.token {
        Token::Word(word) => word.keyword == Keyword::NoKeyword,
        _ => false,
    });
    let mut found = words.filter(|token| {
        let word = token.token.to_string();
        message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
    });
    found.next().and_then(|token| positions.span(token.span))
}

/// The word that begins at a place.
fn word_at(tokens: &Tokens, line: u64, column: u64, positions: &Positions) -> Option<Span> {
    let found = tokens.tokens.iter().find(|token| token.span.start == Location { line, column });
    found.and_then(|token| positions.span(token.span))
}

/// What the lowering refuses, at what it quotes.
pub(crate) fn refused(refusal: &Refusal, tokens: &Tokens, positions: &Positions) -> SqlError {
    let span = quoted_in(&refusal.message, tokens, positions).unwrap_or(tokens.span);
    let error = SqlError::new(code::UNSUPPORTED, span, &refusal.message).label("here");
    match &refusal.help {
        Some(help) => error.help(help),
        None => error,
    }
}
