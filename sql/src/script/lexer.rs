//! Words of the text, and where they stand.

use super::Hint;
use super::parser::Parser;
use crate::error::{Span, SqlError, code};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::tokenizer::{
    Location, Span as LineSpan, Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace,
};

/// How Flink writes SQL: backticks around names, `'` around texts, and `FOR SYSTEM_TIME AS OF`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FlinkDialect;

impl Dialect for FlinkDialect {
    fn is_delimited_identifier_start(&self, char: char) -> bool {
        char == '`'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || char == '_' || char == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_boolean_literals(&self) -> bool {
        true
    }
}

/// The words of a text, without white space and comments, and the bytes where each stands.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    pub(super) tokens: Vec<TokenWithSpan>,
    pub(super) spans: Vec<Span>,
    /// Hints, each with how many words stand in front of it.
    pub(super) hints: Vec<(usize, Hint)>,
    /// What is wrong with the text. Where words could not be read, [`BAD`] stands for them, up to the next `;`.
    pub(super) errors: Vec<SqlError>,
}

/// Stands for what could not be read. Its error is reported already, so that no other may be for it.
pub(super) const BAD: Token = Token::Char('\u{0}');

/// Reading ends after as many errors: each begins it anew.
const ERRORS_MAX: usize = 50;

/// Reads the words of a text.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut cursor = Cursor { text, byte: 0, at: Location { line: 1, column: 1 } };
    while cursor.byte < text.len() {
        let (first, rest) = (cursor.at, &text[cursor.byte..]);
        let mut tokens = Vec::new();
        let failed = Tokenizer::new(&FlinkDialect, rest).tokenize_with_location_into_buf(&mut tokens).err();
        let bad = take(&mut lexed, &mut cursor, first, &tokens)
            .or_else(|| failed.map(|error| unreadable(&error, first, &mut cursor)));
        let Some(error) = bad else { break };
        let start = error.span.start;
        lexed.push(BAD, Span { start, end: start }, LineSpan { start: cursor.at, end: cursor.at });
        lexed.errors.push(error);
        if lexed.errors.len() >= ERRORS_MAX {
            break;
        }
        // Reading goes on at the end of the statement, as far as that can be told.
        match statement_end(text, start) {
            Some(end) => cursor.advance_to(end),
            None => break,
        }
    }
    lexed
}

/// Where a statement that can't be read probably ends: at the first `;` that is the last of its line, for others may
/// stand in texts.
fn statement_end(text: &str, start: usize) -> Option<usize> {
    let is_last = |end: &usize| {
        let line = text[end + 1..].lines().next().unwrap_or_default().trim_start();
        line.is_empty() || line.starts_with("--")
    };
    let mut ends = text[start..].match_indices(';').map(|(at, _)| start + at);
    ends.clone().find(is_last).or_else(|| ends.next())
}

/// Takes the words that were read from `first` on, up to one that can't be. Leaves the cursor behind the last one.
fn take(
    lexed: &mut Lexed,
    cursor: &mut Cursor<'_>,
    first: Location,
    tokens: &[TokenWithSpan],
) -> Option<SqlError> {
    for TokenWithSpan { token, span } in tokens {
        cursor.advance_to_location(shifted(span.start, first));
        let start = *cursor;
        cursor.advance_to_location(shifted(span.end, first));
        let span = Span { start: start.byte, end: cursor.byte };
        let lines = LineSpan { start: start.at, end: cursor.at };
        let next = cursor.text[cursor.byte..].chars().next();
        match token {
            Token::Whitespace(Whitespace::MultiLineComment(hint)) if hint.starts_with('+') => {
                take_hints(lexed, start, span);
            }
            Token::Whitespace(_) => {}
            Token::SingleQuotedString(text)
                if next.is_some_and(|next| next.is_alphanumeric() || next == '_') =>
            {
                *cursor = start;
                let (message, help) = match text.contains('\n') {
                    true => ("this text has no end", "end it with '"),
                    false => ("this text is followed by a letter", "a ' inside of a text is written ''"),
                };
                return Some(SqlError::new(code::TEXT, span, message).help(help));
            }
            Token::DoubleQuotedString(name) => {
                let help = format!("write `{name}` for a name, and '{name}' for a text");
                lexed.errors.push(
                    SqlError::new(code::TEXT, span, format!("\"{name}\" is neither a name nor a text"))
                        .help(help),
                );
                lexed.push(Token::make_word(name, Some('`')), span, lines);
            }
            token => lexed.push(token.clone(), span, lines),
        }
    }
    None
}

/// Reads the hints of a comment that begins at the cursor.
fn take_hints(lexed: &mut Lexed, mut cursor: Cursor<'_>, span: Span) {
    cursor.advance_to(span.start + "/*+".len());
    let inner = cursor.text.get(cursor.byte..span.end.saturating_sub("*/".len())).unwrap_or_default();
    let (first, mut words, mut tokens) = (cursor.at, Lexed::default(), Vec::new());
    let failed = Tokenizer::new(&FlinkDialect, inner).tokenize_with_location_into_buf(&mut tokens).is_err();
    if failed {
        let error = SqlError::new(code::SYNTAX, span, "this hint can't be read");
        lexed.errors.push(error.help("write /*+ NAME('key' = 'value') */"));
        return;
    }
    // A hint inside of a hint is none.
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if let Some(error) = take(&mut words, &mut cursor, first, &tokens) {
        lexed.errors.push(error);
        return;
    }
    let after = lexed.tokens.last().map_or(LineSpan::empty(), |token| token.span);
    let mut parser = Parser::new(&words, span.end);
    let hints = parser.hints(after);
    if hints.is_empty() && parser.errors.is_empty() {
        let error = SqlError::new(code::SYNTAX, span, "this hint is empty");
        parser.errors.push(error.help("write /*+ NAME('key' = 'value') */, or a comment without the +"));
    }
    lexed.errors.append(&mut parser.errors);
    lexed.errors.append(&mut words.errors);
    let before = lexed.tokens.len();
    lexed.hints.extend(hints.into_iter().map(|hint| (before, hint)));
}

/// What the tokenizer could not read.
fn unreadable(error: &TokenizerError, first: Location, cursor: &mut Cursor<'_>) -> SqlError {
    let rest = &cursor.text[cursor.byte..];
    let (message, help) = if rest.starts_with("/*") {
        ("this comment has no end".to_owned(), "end it with */")
    } else if rest.starts_with('`') {
        ("this name has no end".to_owned(), "end it with `")
    } else if rest.starts_with('\'') {
        ("this text has no end".to_owned(), "end it with '")
    } else {
        cursor.advance_to_location(shifted(error.location, first));
        (error.message.clone(), "names consist of letters, digits and _; others stand in backticks")
    };
    let length = cursor.text[cursor.byte..].lines().next().unwrap_or_default().len();
    let span = Span { start: cursor.byte, end: cursor.byte + length };
    SqlError::new(code::TEXT, span, message).help(help)
}

/// A place of a part of the text that begins at `first`, as a place of the text.
fn shifted(at: Location, first: Location) -> Location {
    match at.line {
        1 => Location { line: first.line, column: first.column + at.column - 1 },
        line => Location { line: first.line + line - 1, column: at.column },
    }
}

impl Lexed {
    fn push(&mut self, token: Token, span: Span, lines: LineSpan) {
        self.tokens.push(TokenWithSpan { token, span: lines });
        self.spans.push(span);
    }
}

/// Walks over a text in bytes and in lines and columns at once.
#[derive(Clone, Copy)]
struct Cursor<'t> {
    text: &'t str,
    byte: usize,
    at: Location,
}

impl Cursor<'_> {
    fn advance_while(&mut self, mut more: impl FnMut(&Self) -> bool) {
        while let Some(char) = self.text[self.byte..].chars().next() {
            if !more(self) {
                return;
            }
            self.byte += char.len_utf8();
            self.at = match char {
                '\n' => Location { line: self.at.line + 1, column: 1 },
                _ => Location { line: self.at.line, column: self.at.column + 1 },
            };
        }
    }

    fn advance_to(&mut self, byte: usize) {
        self.advance_while(|cursor| cursor.byte < byte);
    }

    fn advance_to_location(&mut self, to: Location) {
        self.advance_while(|cursor| cursor.at < to);
    }
}

/// Where the lines of a text begin: from sqlparser's lines and columns to bytes.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    text: String,
    lines: Vec<usize>,
}

impl Positions {
    pub(crate) fn new(text: &str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Positions { text: text.to_owned(), lines }
    }

    /// The whole text.
    pub(crate) fn all(&self) -> &str {
        &self.text
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The byte at a line and column, both from 1; the end of the text for places behind it.
    pub(crate) fn byte(&self, at: Location) -> usize {
        let line = usize::try_from(at.line).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(start) = self.lines.get(line) else { return self.text.len() };
        let column = usize::try_from(at.column).unwrap_or(usize::MAX).saturating_sub(1);
        let rest = &self.text[*start..];
        rest.char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at)
    }

    /// The bytes of a span of lines and columns; `None` for the empty span that sqlparser gives to what has no place.
    pub(crate) fn span(&self, span: LineSpan) -> Option<Span> {
        (span.start.line > 0).then(|| Span { start: self.byte(span.start), end: self.byte(span.end) })
    }
}
