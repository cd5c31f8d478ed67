//! What is wrong with a file of SQL: every error with its place and with what to do.

use std::fmt;

/// A part of a file's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends: the first byte behind it.
    pub end: usize,
}

impl Span {
    /// From the beginning of this to the end of `last`.
    pub fn to(self, last: Span) -> Span {
        Span { start: self.start, end: self.end.max(last.end) }
    }
}

/// Codes of errors: what a page of the documentation is found by.
pub mod code {
    /// Characters that make up no word of SQL.
    pub const TEXT: &str = "MS0101";
    /// Words in an order that means nothing.
    pub const SYNTAX: &str = "MS0102";
    /// A statement of Flink's that there is not.
    pub const STATEMENT: &str = "MS0103";
    /// A clause of Flink's that there is not.
    pub const CLAUSE: &str = "MS0104";
    /// A data type that there is not.
    pub const TYPE: &str = "MS0201";
    /// A column that can't be as it is declared.
    pub const COLUMN: &str = "MS0202";
    /// A primary key that can't be.
    pub const PRIMARY_KEY: &str = "MS0203";
    /// A watermark that can't be.
    pub const WATERMARK: &str = "MS0204";
    /// Metadata that there is not.
    pub const METADATA: &str = "MS0205";
    /// An option that nobody knows.
    pub const UNKNOWN_OPTION: &str = "MS0301";
    /// A value that an option can't have.
    pub const OPTION_VALUE: &str = "MS0302";
    /// An option that is not there, but has to be.
    pub const MISSING_OPTION: &str = "MS0303";
    /// Options that contradict each other or the columns.
    pub const CONFLICT: &str = "MS0304";
    /// An option of Flink's that can't be set here.
    pub const REFUSED_OPTION: &str = "MS0305";
    /// A connector that there is not.
    pub const CONNECTOR: &str = "MS0306";
    /// A format that there is not, or that can't hold the columns.
    pub const FORMAT: &str = "MS0307";
    /// A query that can't be planned.
    pub const QUERY: &str = "MS0501";
    /// A query that is right, and can't be run as a stream.
    pub const UNSUPPORTED: &str = "MS0502";
    /// A key of `SET` that nobody knows or that can't be set.
    pub const SETTING: &str = "MS0401";
    /// A value that a key of `SET` can't have.
    pub const SETTING_VALUE: &str = "MS0402";
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// Its code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write at that place; empty for nothing.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl SqlError {
    /// An error at a place.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        SqlError { code, message: message.into(), span, label: String::new(), help: None }
    }

    /// With a few words at the place.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        SqlError { label: label.into(), ..self }
    }

    /// With what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        SqlError { help: Some(help.into()), ..self }
    }
}

/// Everything that is wrong with a file.
///
/// Its text is plain: `file:line:column: message` with the line of the file and the help, for each error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlErrors {
    /// The file's name.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What is wrong, in the order of the text.
    pub errors: Vec<SqlError>,
}

impl std::error::Error for SqlErrors {}

impl SqlErrors {
    /// The errors of a file, put into the order of its text.
    pub fn new(file: impl Into<String>, text: impl Into<String>, mut errors: Vec<SqlError>) -> Self {
        errors.sort_by_key(|error| error.span);
        SqlErrors { file: file.into(), text: text.into(), errors }
    }

    /// Line and column where a span begins, in characters, both from 1.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn write_error(&self, f: &mut fmt::Formatter<'_>, error: &SqlError) -> fmt::Result {
        let (line, column) = self.line_column(error.span);
        writeln!(f, "{}:{line}:{column}: {} [{}]", self.file, error.message, error.code)?;
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        let margin = line.to_string();
        writeln!(f, "{margin} | {text}")?;
        // Tabs stay tabs, so that the marks stand where the text stands.
        let blank: String =
            text.chars().take(column - 1).map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
        let marked = self.text.get(error.span.start..error.span.end).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count().max(1);
        let label = if error.label.is_empty() { String::new() } else { format!(" {}", error.label) };
        let gap = " ".repeat(margin.len());
        writeln!(f, "{gap} | {blank}{}{label}", "^".repeat(marked))?;
        match &error.help {
            Some(help) => writeln!(f, "{gap} = help: {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SqlErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_error(f, error)?;
        }
        Ok(())
    }
}

/// The known name that is meant by `name`: the nearest if it is near enough, or the only one that begins so.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let distance = |known: &&str| strsim::osa_distance(&lower, &known.to_lowercase());
    let near = known.iter().copied().min_by_key(|known| (distance(known), *known))?;
    if distance(&near) <= 1 + name.chars().count() / 5 {
        return Some(near);
    }
    let mut begin = known.iter().copied().filter(|known| known.to_lowercase().starts_with(&lower));
    let only = begin.next().filter(|_| lower.chars().count() >= 3)?;
    begin.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_is_meant_is_near_or_begins_so() {
        let known = ["earliest-offset", "latest-offset", "timestamp", "topic"];
        for (name, meant) in [
            ("latest-ofset", Some("latest-offset")),
            ("earliest", Some("earliest-offset")),
            ("TOPIC", Some("topic")),
            ("topci", Some("topic")),
            ("t", None),
            ("offset", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }

    #[test]
    fn lines_and_columns_count_characters() {
        let text = "a\n\tgröße x\r\nlast";
        let error = |start, end| SqlError::new(code::TEXT, Span { start, end }, "no").label("here");
        let errors = SqlErrors::new("f.sql", text, vec![error(17, 30), error(11, 12), error(3, 10)]);
        let expected = "f.sql:2:2: no [MS0101]\n2 | \tgröße x\n  | \t^^^^^ here\n\n\
                        f.sql:2:8: no [MS0101]\n2 | \tgröße x\n  | \t      ^ here\n\n\
                        f.sql:3:4: no [MS0101]\n3 | last\n  |    ^ here\n";
        assert_eq!(errors.to_string(), expected);
    }
}
