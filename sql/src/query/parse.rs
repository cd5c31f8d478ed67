//! The words of a query as a syntax tree, and what is wrong with them in words of our own.

use super::forms::known_forms;
use super::patterns;
use super::special::map_literals;
use crate::error::{Span, SqlError, code};
use crate::script::{FlinkDialect, Positions, Tokens, found_word};
use datafusion::sql::sqlparser::ast::{Expr, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

/// How deep queries and expressions may stand in each other.
pub(super) const NESTING_MAX: usize = 200;
/// Words of one query or expression.
const WORDS_MAX: usize = 100_000;

/// What a table and its `PARTITION BY` are called with while sqlparser reads them.
pub(crate) const PARTITION_BY: &str = "PARTITION BY";

/// Reads a query.
pub(super) fn parse_query(tokens: &Tokens, positions: &Positions) -> Result<Box<Query>, SqlError> {
    let words = patterns::as_one_word(tokens, positions)?;
    let words = map_literals(known_forms(&lateral_elements(without_table_arguments(&words))));
    parse(words, tokens, positions, |parser| parser.parse_query())
}

/// Reads an expression.
pub(super) fn parse_expression(tokens: &Tokens, positions: &Positions) -> Result<Expr, SqlError> {
    parse(map_literals(known_forms(&tokens.tokens)), tokens, positions, |parser| parser.parse_expr())
}

fn parse<T>(
    words: Vec<TokenWithSpan>,
    tokens: &Tokens,
    positions: &Positions,
    read: impl Fn(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Result<T, SqlError> {
    if words.len() > WORDS_MAX {
        let message = format!("this has {} words: more than {WORDS_MAX}", words.len());
        let help = "divide it into views, or write a table of values to a topic and join it";
        return Err(SqlError::new(code::TOO_LARGE, tokens.span, message).help(help));
    }
    let dialect = FlinkDialect::of_words(words.len());
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(words.clone());
    let parsed = read(&mut parser).and_then(|read| parser.expect_token(&Token::EOF).map(|_| read));
    parsed.map_err(|error| match &error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            syntax_error(message, tokens, positions)
        }
        ParserError::RecursionLimitExceeded => {
            let at = words.get(dialect.furthest()).and_then(|word| positions.span(word.span));
            let message = format!("this is nested too deeply: {NESTING_MAX} levels at most");
            let error = SqlError::new(code::TOO_LARGE, at.unwrap_or(tokens.span), message).label("here");
            error.help("compute the inner part in a view, and read that")
        }
    })
}

/// `LATERAL UNNEST(..)` for `UNNEST(..)` in a `FROM`: it sees what stands to its left, as it does in Flink.
fn lateral_elements(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    const ENDS: &[Keyword] = &[
        Keyword::SELECT,
        Keyword::WHERE,
        Keyword::GROUP,
        Keyword::HAVING,
        Keyword::QUALIFY,
        Keyword::ORDER,
        Keyword::WINDOW,
    ];
    let mut changed: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // By bracket: whether a FROM clause goes on.
    let mut from = vec![false];
    for (at, token) in tokens.iter().enumerate() {
        let within = from.last().copied().unwrap_or_default();
        match &token.token {
            Token::LParen => from.push(false),
            Token::RParen if from.len() > 1 => drop(from.pop()),
            Token::Word(word) if word.quote_style.is_none() => {
                let called = matches!(tokens.get(at + 1), Some(next) if next.token == Token::LParen);
                let first = changed.last().is_some_and(|last| match &last.token {
                    Token::Comma => true,
                    Token::Word(word) => matches!(word.keyword, Keyword::FROM | Keyword::JOIN),
                    _ => false,
                });
                if within && called && first && word.keyword == Keyword::UNNEST {
                    let lateral = Token::make_keyword("LATERAL");
                    changed.push(TokenWithSpan { token: lateral, span: token.span });
                }
                if let Some(last) = from.last_mut() {
                    *last = word.keyword == Keyword::FROM || *last && !ENDS.contains(&word.keyword);
                }
            }
            _ => {}
        }
        changed.push(token.clone());
    }
    changed
}

/// `TUMBLE(TABLE t, ..)` without the `TABLE`, which sqlparser takes for the beginning of another expression.
fn without_table_arguments(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let is_word =
        |token: Option<&TokenWithSpan>| matches!(token, Some(word) if matches!(word.token, Token::Word(_)));
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let is_table = matches!(&token.token, Token::Word(word) if word.keyword == Keyword::TABLE);
        let opened = kept.last().is_some_and(|last| matches!(last.token, Token::LParen | Token::RArrow));
        let skipped = is_table && opened && is_word(tokens.get(index + 1));
        if !skipped {
            kept.push(token.clone());
        }
    }
    with_partition_calls(&kept)
}

/// `SESSION(t PARTITION BY a, b, DESCRIPTOR(c), ..)` with `PARTITION_BY(t, a, b)` in the place of the table, which
/// sqlparser reads.
fn with_partition_calls(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| {
            matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
        })
    };
    let symbol = |at: usize, symbol: Token| tokens.get(at).is_some_and(|token| token.token == symbol);
    let mut changed: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let opened = at > 0 && matches!(tokens[at - 1].token, Token::LParen | Token::RArrow);
        if !(opened && is(at + 1, "PARTITION") && is(at + 2, "BY")) {
            changed.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let put = |token: Token, of: usize| TokenWithSpan { token, span: tokens[of].span };
        changed.push(put(Token::make_word(PARTITION_BY, None), at + 1));
        changed.push(put(Token::LParen, at + 1));
        changed.push(tokens[at].clone());
        changed.push(put(Token::Comma, at + 2));
        at += 3;
        // Up to the argument behind the columns: DESCRIPTOR(..), or one that is named.
        let ends = |at: usize| {
            symbol(at, Token::RParen)
                || symbol(at, Token::Comma) && (is(at + 1, "DESCRIPTOR") || symbol(at + 2, Token::RArrow))
        };
        while at < tokens.len() && !ends(at) {
            changed.push(tokens[at].clone());
            at += 1;
        }
        changed.push(put(Token::RParen, at.min(tokens.len() - 1)));
    }
    changed
}

/// What sqlparser expects, as we call it.
const EXPECTED: &[(&str, &str)] = &[
    ("identifier", "a name"),
    ("an identifier", "a name"),
    ("an identifier after AS", "a name behind AS"),
    ("wildcard or identifier", "a name"),
    ("an identifier or a '*' after '.'", "a name or * behind the point"),
    ("an identifier or value", "a name behind the point"),
    ("an expression", "an expression"),
    ("an expression:", "an expression"),
    ("joined table", "a table or a join"),
    ("ON, or USING after JOIN", "ON and the condition of the join"),
    ("a join type after NATURAL", "JOIN behind NATURAL"),
    ("JOIN or APPLY after CROSS", "JOIN behind CROSS"),
    ("SELECT, VALUES, or a subquery in the query body", "SELECT or VALUES"),
    ("SELECT or a subquery", "SELECT"),
    ("IN or BETWEEN after NOT", "IN, BETWEEN or LIKE behind NOT"),
    ("date/time field", "a unit of time (YEAR, MONTH, DAY, HOUR, MINUTE or SECOND)"),
    ("a data type name", "a data type"),
    ("a name or type", "a data type"),
    ("literal number", "a number"),
    ("literal int", "a whole number"),
    ("number", "a number"),
    ("literal string", "a text in '..'"),
    ("string literal", "a text in '..'"),
    ("a string", "a text in '..'"),
    ("trim_where field", "BOTH, LEADING or TRAILING"),
    ("ROWS, RANGE, GROUPS", "ROWS or RANGE"),
    ("PRECEDING or FOLLOWING", "PRECEDING or FOLLOWING"),
    ("a list of columns in parentheses", "a list of columns in parentheses"),
];

/// An error of sqlparser's at the word that it is for.
fn syntax_error(message: &str, tokens: &Tokens, positions: &Positions) -> SqlError {
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => (message, place.split_once(", Column: ")),
        None => (message, None),
    };
    let place = place.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let word = place.and_then(|(line, column)| word_at(tokens, line, column));
    // Behind the last word: where something is missing.
    let end = Span { start: tokens.span.end, end: tokens.span.end };
    let span = word.and_then(|word| positions.span(word.span)).unwrap_or(end);
    let found = word.map_or_else(|| "the end".to_owned(), |word| found_word(&word.token));
    let error =
        |message: String, help: String| SqlError::new(code::SYNTAX, span, message).label("here").help(help);
    if message.starts_with("INTERVAL requires a unit") {
        let message = "this interval has no unit".to_owned();
        return error(message, "write INTERVAL '5' SECOND, MINUTE, HOUR or DAY".to_owned());
    }
    match expected(message) {
        Some(expected) => {
            error(format!("expected {expected}, found {found}"), format!("write {expected} here"))
        }
        None => {
            let help = "a query is SELECT .. FROM .. [JOIN .. ON ..] [WHERE ..] [GROUP BY ..] [HAVING ..]";
            error(format!("{found} can't stand here"), help.to_owned())
        }
    }
}

/// What is missing, where it can be told in few words.
fn expected(message: &str) -> Option<String> {
    let (expected, _) = message.strip_prefix("Expected: ")?.split_once(", found: ")?;
    if let Some((_, own)) = EXPECTED.iter().find(|(theirs, _)| *theirs == expected) {
        return Some((*own).to_owned());
    }
    let is_keyword = |word: &str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if expected.chars().count() <= 2 && !expected.contains(char::is_alphanumeric) {
        return Some(format!("'{expected}'"));
    }
    (expected != "EOF" && expected.split(' ').count() <= 3 && expected.split(' ').all(is_keyword))
        .then(|| expected.to_owned())
}

/// The word that begins at a place.
fn word_at(tokens: &Tokens, line: u64, column: u64) -> Option<&TokenWithSpan> {
    tokens.tokens.iter().find(|token| token.span.start == Location { line, column })
}
