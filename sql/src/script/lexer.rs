//! Words of the text, and where they stand.

use crate::error::Span;
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Span as LineSpan};

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
