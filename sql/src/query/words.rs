//! What the planner's library finds wrong, in words of our own.
//!
//! A user of this project has not heard of DataFusion, of schemas and of `Utf8`. Each of its errors that queries have led to
//! stands in a table with what we say instead. One that stands in none is shown as it is if it is plain, and not at all if
//! it speaks of what is inside.

mod advice;
mod table;
mod types;

pub(crate) use advice::Words;
pub(crate) use types::in_flinks_types;

use super::provider::Names;
use crate::error::{Span, SqlError, code, nearest};
use crate::script::{Positions, Tokens};
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Span as LineSpan, Token};
use std::fmt;
use table::of_table;

/// What this project itself says through the library.
#[derive(Debug)]
pub(crate) struct Said {
    /// What is wrong, and what to do.
    pub(crate) words: Words,
    /// Where, if it is known.
    at: Option<LineSpan>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.message)
    }
}

impl std::error::Error for Said {}

/// An error of our own for the library to pass on.
pub(crate) fn said(message: impl Into<String>, help: impl Into<String>, at: LineSpan) -> DataFusionError {
    let at = (at.start.line > 0).then_some(at);
    DataFusionError::External(Box::new(Said { words: Words::new(message, help), at }))
}

/// An error of the library at its place: the one it names, or that of what it quotes.
pub(crate) fn from_datafusion(
    error: &DataFusionError,
    names: &Names,
    tokens: &Tokens,
    positions: &Positions,
) -> SqlError {
    let words = words(error, Some(names));
    let diagnostic = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let own = said_in(error).and_then(|said| said.at).and_then(|at| positions.span(at));
    let location = |at: datafusion::common::Location| Location { line: at.line, column: at.column };
    let named = own.or_else(|| {
        diagnostic.map(|span| Span {
            start: positions.byte(location(span.start)),
            end: positions.byte(location(span.end)),
        })
    });
    let span = named
        .or_else(|| column_of(error).and_then(|column| column_in(column, tokens, positions)))
        .or_else(|| quoted_in(&words.message, tokens, positions))
        .unwrap_or(tokens.span);
    let found = SqlError::new(code::QUERY, span, words.message).label("here");
    match words.help {
        Some(help) => found.help(help),
        None => found,
    }
}

/// An error of the library in our words.
pub(crate) fn words(error: &DataFusionError, names: Option<&Names>) -> Words {
    if let Some(said) = said_in(error) {
        return said.words.clone();
    }
    let root = root(error);
    if let DataFusionError::SchemaError(error, _) = root {
        return of_columns(error);
    }
    let diagnostic = error.diagnostic().map(|diagnostic| diagnostic.message.clone());
    let text = plain(&root.strip_backtrace());
    let known = diagnostic.iter().chain([&text]).find_map(|text| of_table(text, names));
    known.unwrap_or_else(|| unknown(&diagnostic.unwrap_or(text))).with_its_advice()
}

/// Whether an error says less than what the query has that there is not.
pub(crate) fn is_vague(error: &DataFusionError) -> bool {
    let is_unsupported = |text: &str| text.contains("not supported") || text.contains("no table function");
    match root(error) {
        DataFusionError::SchemaError(..) => false,
        DataFusionError::External(_) => said_in(error).is_none_or(|said| is_unsupported(&said.words.message)),
        DataFusionError::Plan(text) => is_unsupported(text) || of_table(text, None).is_none(),
        _ => true,
    }
}

/// The error at the bottom of others, of several the first.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        other => other,
    }
}

fn said_in(error: &DataFusionError) -> Option<&Said> {
    match root(error) {
        DataFusionError::External(inner) => inner.downcast_ref::<Said>(),
        _ => None,
    }
}

/// Errors about the columns of a relation.
fn of_columns(error: &SchemaError) -> Words {
    let listed = |names: Vec<String>| {
        let more = if names.len() > 20 { ", .." } else { "" };
        let are = if names.len() == 1 { "is only" } else { "are" };
        format!("there {are} {}{more}", names[..names.len().min(20)].join(", "))
    };
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut fields: Vec<String> = valid_fields.iter().map(|field| field.name.clone()).collect();
            fields.sort();
            fields.dedup();
            let relation = field.relation.as_ref().map(|relation| relation.to_string().replace('"', ""));
            let of_relation: Vec<String> = valid_fields
                .iter()
                .filter(|other| other.relation == field.relation)
                .map(|field| field.name.clone())
                .collect();
            let message = match &relation {
                Some(relation) if of_relation.is_empty() => {
                    format!("there is no table {relation} in FROM, and no column {relation}")
                }
                Some(relation) => format!("{relation} has no column {}", field.name),
                None => format!("there is no column {}", field.name),
            };
            let of_relation = if of_relation.is_empty() { fields } else { of_relation };
            let help = match nearest(&field.name, of_relation.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None if of_relation.is_empty() => "there is no column to read here".to_owned(),
                None => listed(of_relation),
            };
            Words::new(message, help)
        }
        SchemaError::AmbiguousReference { field } => Words::new(
            format!("{} is a column of several tables", field.name),
            format!("write the name of its table in front of it, as in table.{}", field.name),
        ),
        SchemaError::DuplicateQualifiedField { qualifier, name } => Words::new(
            format!("there are two columns {}.{name}", qualifier.table()),
            "give one of the tables another name with AS",
        ),
        SchemaError::DuplicateUnqualifiedField { name } => Words::new(
            format!("there are two columns {name}"),
            format!("give one of them another name with AS, as in {name} AS other_{name}"),
        ),
    }
}

/// The column that an error is about.
fn column_of(error: &DataFusionError) -> Option<&Column> {
    match root(error) {
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, .. } | SchemaError::AmbiguousReference { field } => {
                Some(field)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Functions that are called with `OVER` only.
const OF_WINDOWS: &[&str] = &["lag", "lead", "ntile", "nth_value", "percent_rank", "cume_dist"];

fn no_such_function(name: &str, names: Option<&Names>) -> Words {
    let is_aggregate = names.is_some_and(|names| names.is_aggregate(name));
    if is_aggregate || OF_WINDOWS.contains(&name.to_lowercase().as_str()) {
        return Words::new(
            format!("{} is called with OVER only", name.to_uppercase()),
            "write it as in LAG(v) OVER (PARTITION BY k ORDER BY time)",
        );
    }
    let is_of_tables = |names: &Names| names.users().table_named(&name.to_lowercase()).is_some();
    if names.is_some_and(is_of_tables) {
        return Words::new(
            format!("{} is a function of tables, and no value", name.to_uppercase()),
            format!("write FROM t, LATERAL TABLE({name}(..)) AS r (..)"),
        );
    }
    let message = format!("there is no function {}", name.to_uppercase());
    let known = names.map(Names::functions).unwrap_or_default();
    match nearest(&name.to_lowercase(), known.iter().map(String::as_str)) {
        Some(near) => Words::new(message, format!("did you mean {}?", near.to_uppercase())),
        None => Words::new(message, "compute it with the functions there are"),
    }
}

/// Words that only those know who know what is inside.
const INSIDE: &[&str] = &[
    "DataFusion",
    "datafusion",
    "Internal",
    "internal",
    "likely a bug",
    "schema",
    "Schema",
    "logical",
    "Logical",
    "physical",
    "Physical",
    "udf",
    "UDF",
    "coerc",
    "signature",
    "Signature",
    "candidate",
    "Candidate",
    "NativeType",
    "Some(",
    "::",
    "Expr",
    "expr_",
    "LogicalPlan",
    "TableScan",
    "not implemented",
    "sqlparser",
    "sql parser",
    "ScalarValue",
    "Arrow",
    "arrow",
    "qualifier",
    "quote_style",
    "span:",
    "Optimizer",
    "optimizer",
    "panicked",
    "RecordBatch",
    "Invalid argument error",
    "Compute error",
    "External error",
    "}",
    "{",
    "Utf8",
    "UInt",
    "Float16",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Decimal128",
    "Decimal256",
    "Interval(",
    "Timestamp(",
    "Struct(",
    "List(",
    "Dictionary(",
    "Binary",
    "LargeBinary",
    "Date32",
    "Time64",
];

/// Whether a text says only what somebody can know who writes SQL.
fn is_plain(text: &str) -> bool {
    !INSIDE.iter().any(|word| text.contains(word))
}

/// Bytes of a message that is taken as it is.
const SHOWN_MAX: usize = 400;

/// The beginning and the end of a text that is too long: it quotes what the user has written, of whatever length.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(most * 2 / 3);
    let end = text.ceil_char_boundary(text.len() - most / 4);
    format!("{} .. {}", &text[..start], &text[end..])
}

/// An error that stands in no table.
fn unknown(text: &str) -> Words {
    let text = in_flinks_types(text).replace('\n', " ");
    match is_plain(&text) {
        // It is probably said by ourselves.
        true => Words { message: cut(&text, SHOWN_MAX), help: None },
        false => Words::new(
            "this can't be planned",
            "find the part that it is for by leaving out one after the other; if Flink runs it, please report it",
        ),
    }
}

/// Without the words that the library puts in front of its messages.
fn plain(message: &str) -> String {
    let prefixes = [
        "Error during planning: ",
        "This feature is not implemented: ",
        "Execution error: ",
        "Arrow error: ",
        "Optimizer rule 'simplify_expressions' failed\ncaused by\n",
        "Invalid argument error: ",
        "Cast error: ",
        "Parser error: ",
        "SQL error: ",
        "type_coercion\ncaused by\n",
    ];
    let mut rest = message;
    while let Some(prefix) = prefixes.iter().find(|prefix| rest.starts_with(**prefix)) {
        rest = &rest[prefix.len()..];
    }
    rest.to_owned()
}

/// The place of a column that is named in the query.
fn column_in(column: &Column, tokens: &Tokens, positions: &Positions) -> Option<Span> {
    let is = |at: usize, name: &str| {
        matches!(tokens.tokens.get(at).map(|token| &token.token),
        Some(Token::Word(word)) if word.value == name)
    };
    let at = (0..tokens.tokens.len()).find(|at| match &column.relation {
        Some(relation) => {
            is(*at, relation.table())
                && tokens.tokens.get(at + 1).is_some_and(|token| token.token == Token::Period)
                && is(at + 2, &column.name)
        }
        None => is(*at, &column.name),
    })?;
    let last = at + if column.relation.is_some() { 2 } else { 0 };
    Some(positions.span(tokens.tokens.get(at)?.span)?.to(positions.span(tokens.tokens.get(last)?.span)?))
}

/// The place of the first word of the query that the message quotes: a name, or the word that the message begins with.
pub(super) fn quoted_in(message: &str, tokens: &Tokens, positions: &Positions) -> Option<Span> {
    let words = || message.split(|c: char| !c.is_alphanumeric() && c != '_');
    let quoted: std::collections::BTreeSet<&str> = words().collect();
    let is_quoted = |token: &Token| match token {
        Token::Word(word) if word.keyword == Keyword::NoKeyword => {
            quoted.contains(word.value.as_str()) || quoted.contains(word.value.to_uppercase().as_str())
        }
        _ => false,
    };
    let first = words().next().filter(|first| first.len() > 1 && first.to_uppercase() == **first);
    let is_first = |token: &Token| match (token, first) {
        (Token::Word(word), Some(first)) => word.value.eq_ignore_ascii_case(first),
        _ => false,
    };
    let found = tokens.tokens.iter().find(|token| is_quoted(&token.token));
    let found = found.or_else(|| tokens.tokens.iter().find(|token| is_first(&token.token)));
    found.and_then(|token| positions.span(token.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_quotes_a_long_text_is_cut_and_not_hidden() {
        let long = "a INT, ".repeat(200);
        let said = unknown(&format!("nothing can be cast to ROW<{long}>: expected '>'"));
        assert!(said.message.starts_with("nothing can be cast to ROW<a INT, "), "{said:?}");
        assert!(said.message.ends_with(": expected '>'") && said.message.len() < 420, "{said:?}");
        let row = format!("Struct({})", vec!["\"a\": Int32"; 100].join(", "));
        let text = format!(
            "Cannot get result type for arithmetic operation {row} + {row}: Invalid argument error: x"
        );
        let said = table::of_table(&text, None).unwrap();
        assert_eq!(said.message, "this can't be computed: a ROW + a ROW");
    }
}
