//! What is wrong with a file of SQL: every error with its place and with what to do.

mod picture;
mod secrets;

pub use picture::Picture;

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

/// Codes of errors. Each has a page below `docs/errors`, which `millstream explain CODE` prints: it is part of the program.
pub mod code {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $code;)*

            /// Every code with its page, in their order.
            pub const PAGES: &[(&str, &str)] =
                &[$(($code, include_str!(concat!("../../docs/errors/", $code, ".md"))),)*];
        };
    }

    codes! {
        /// Characters that make up no word of SQL.
        TEXT = "MS0101";
        /// Words in an order that means nothing.
        SYNTAX = "MS0102";
        /// A statement of Flink's that there is not.
        STATEMENT = "MS0103";
        /// A clause of Flink's that there is not.
        CLAUSE = "MS0104";
        /// A data type that there is not.
        TYPE = "MS0201";
        /// A column that can't be as it is declared.
        COLUMN = "MS0202";
        /// A primary key that can't be.
        PRIMARY_KEY = "MS0203";
        /// A watermark that can't be.
        WATERMARK = "MS0204";
        /// Metadata that there is not.
        METADATA = "MS0205";
        /// An option that nobody knows.
        UNKNOWN_OPTION = "MS0301";
        /// A value that an option can't have.
        OPTION_VALUE = "MS0302";
        /// An option that is not there, but has to be.
        MISSING_OPTION = "MS0303";
        /// Options that contradict each other or the columns.
        CONFLICT = "MS0304";
        /// An option of Flink's that can't be set here.
        REFUSED_OPTION = "MS0305";
        /// A connector that there is not.
        CONNECTOR = "MS0306";
        /// A format that there is not, or that can't hold the columns.
        FORMAT = "MS0307";
        /// A key of `SET` that nobody knows or that can't be set.
        SETTING = "MS0401";
        /// A value that a key of `SET` can't have.
        SETTING_VALUE = "MS0402";
        /// A query that can't be planned.
        QUERY = "MS0501";
        /// A query that is right, and can't be run as a stream.
        UNSUPPORTED = "MS0502";
        /// A statement that is too large, or nested too deeply.
        TOO_LARGE = "MS0503";
        /// The planner itself failed.
        DEFECT = "MS0901";
    }

    /// The page of a code, in any case.
    pub fn page(code: &str) -> Option<&'static str> {
        PAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, page)| *page)
    }
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
/// Its text is plain: `file:line:column: message` with the line of the file and the help, for each error. Values that may
/// be secrets are in none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlErrors {
    /// The file's name.
    pub file: String,
    /// Its text; where a value may be a secret, as many other bytes.
    pub text: String,
    /// What is wrong, in the order of the text.
    pub errors: Vec<SqlError>,
}

/// Errors of a file that are shown at most: who has more mends these first.
pub const SHOWN_MAX: usize = 100;

impl std::error::Error for SqlErrors {}

impl SqlErrors {
    /// The errors of a file, put into the order of its text.
    pub fn new(file: impl Into<String>, text: impl Into<String>, mut errors: Vec<SqlError>) -> Self {
        errors.sort_by_key(|error| error.span);
        let text: String = text.into();
        let secrets = secrets::find(&text);
        for error in &mut errors {
            let shown = |text: &str| picture::cut(&picture::printable(&secrets.hidden_in(text)));
            error.message = shown(&error.message);
            error.label = shown(&error.label);
            error.help = error.help.as_deref().map(shown);
        }
        SqlErrors { file: file.into(), text: secrets.masked, errors }
    }

    /// Line and column where a span begins, in characters, both from 1.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Each in a line: its place, what is wrong, and what to do or why.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.errors.iter().map(|error| {
            let (line, column) = self.line_column(error.span);
            let help = error.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
            format!("{}:{line}:{column}: {}{help} [{}]", self.file, error.message, error.code)
        })
    }

    /// The lines that a span is in and one around them, cut to what fits a screen.
    pub fn picture(&self, span: Span) -> Picture {
        Picture::of(&self.text, span, usize::MAX, 1)
    }

    fn write_error(&self, f: &mut fmt::Formatter<'_>, error: &SqlError) -> fmt::Result {
        let (line, column) = self.line_column(error.span);
        writeln!(f, "{}:{line}:{column}: {} [{}]", self.file, error.message, error.code)?;
        let Picture { text, start, end, .. } = Picture::of(&self.text, error.span, 1, 0);
        let margin = line.to_string();
        writeln!(f, "{margin} | {text}")?;
        // Tabs stay tabs, so that the marks stand where the text stands.
        let blank: String = text[..start].chars().map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
        let marked = text[start..end].chars().count().max(1);
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
        for (index, error) in self.errors.iter().take(SHOWN_MAX).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_error(f, error)?;
        }
        match self.errors.len().checked_sub(SHOWN_MAX) {
            Some(more @ 1..) => writeln!(f, "\n{}: {more} more errors", self.file),
            _ => Ok(()),
        }
    }
}

/// What is shown of a file's text, without what may be a secret of it and without what steers a terminal.
pub(crate) fn shown(file: &str, text: &str) -> String {
    picture::printable(&secrets::find(file).hidden_in(text))
}

/// The values in a text that may be secrets: of options such as `'properties.sasl.password'`, and passwords in addresses.
///
/// ```
/// assert_eq!(millstream_sql::error::secrets_in("'sasl.password' = 'hunter2'"), ["hunter2"]);
/// ```
pub fn secrets_in(text: &str) -> Vec<String> {
    secrets::find(text).into_values()
}

/// A text with others in place of the characters of what may be a secret.
pub fn without_secrets(text: &str) -> String {
    secrets::find(text).masked
}

/// The known name that is meant by `name`: the nearest if it is near enough, or the only one that begins so.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let distance = |known: &&str| strsim::osa_distance(&lower, &known.to_lowercase());
    let near = known.iter().copied().min_by_key(|known| (distance(known), *known))?;
    // One letter is as near to any other.
    let typing_errors = if name.chars().count() < 2 { 0 } else { 1 + name.chars().count() / 5 };
    if distance(&near) <= typing_errors {
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

    #[test]
    fn a_mistake_far_to_the_right_is_shown_with_what_is_around_it() {
        let text = format!("SELECT {}wrong, {} FROM t", "a, ".repeat(30_000), "b, ".repeat(30_000));
        let start = text.find("wrong").unwrap_or_default();
        let error = SqlError::new(code::QUERY, Span { start, end: start + 5 }, "no").label("here");
        let shown = SqlErrors::new("f.sql", text, vec![error]).to_string();
        assert!(shown.starts_with(&format!("f.sql:1:{}: no", start + 1)), "{shown}");
        assert!(shown.len() < 1_500 && shown.contains("a, wrong, b, "), "{shown}");
        let (above, below) = shown.split_once('^').unwrap_or_default();
        let column = |text: &str| text.lines().last().map_or(0, |line| line.chars().count());
        let at = |line: &str| line.chars().take_while(|char| *char != 'w').count();
        assert_eq!(column(above), shown.lines().nth(1).map_or(0, at), "{shown}");
        assert!(below.starts_with("^^^^ here"), "{shown}");
    }

    #[test]
    fn a_password_is_in_no_message_and_in_no_picture() {
        let text =
            "CREATE TABLE t (k STRNG) WITH ('a' = 'b', 'properties.sasl.password' = 'hunt er2', 'c' 'd');";
        let start = text.find("'hunt").unwrap_or_default();
        let error = SqlError::new(code::OPTION_VALUE, Span { start, end: start + 10 }, "can't be 'hunt er2'")
            .label("not hunt er2")
            .help("write hunt er2");
        let shown = SqlErrors::new("f.sql", text, vec![error]).to_string();
        assert!(!shown.contains("hunt") && !shown.contains("er2"), "{shown}");
        assert!(shown.contains("'properties.sasl.password' = '********', 'c' 'd'"), "{shown}");
    }

    #[test]
    fn characters_that_steer_a_terminal_are_not_printed() {
        let text = "SELECT \u{1b}[2J FROM t";
        let error = SqlError::new(code::TEXT, Span { start: 7, end: 8 }, "no \u{1b}[2J");
        let shown = SqlErrors::new("f.sql", text, vec![error]).to_string();
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }

    #[test]
    fn every_code_is_found_by_its_page() {
        assert!(code::page("ms0101").is_some_and(|page| page.starts_with("# MS0101: ")));
        assert_eq!(code::page("MS9999"), None);
    }
}
