//! Options of `WITH`, read by name so that at the end it is known which mean nothing.

use super::refused;
use crate::error::{Span, SqlError, code, nearest};
use crate::script::Spanned;
use std::collections::BTreeMap;

/// The options of a table, and what is wrong with them so far.
#[derive(Debug)]
pub(super) struct Options<'d> {
    given: &'d [(Spanned<String>, Spanned<String>)],
    /// Those nobody has asked for yet.
    left: BTreeMap<&'d str, &'d (Spanned<String>, Spanned<String>)>,
    /// Names that were asked for.
    known: Vec<String>,
    /// Names of the formats' options.
    of_formats: Vec<String>,
    /// The table's name: where to say that an option is missing.
    table: Span,
    pub(super) errors: Vec<SqlError>,
}

impl<'d> Options<'d> {
    pub(super) fn new(given: &'d [(Spanned<String>, Spanned<String>)], table: Span) -> Self {
        let left = given.iter().map(|option| (option.0.value.as_str(), option)).collect();
        Options { given, left, known: Vec::new(), of_formats: Vec::new(), table, errors: Vec::new() }
    }

    /// Reports an error.
    pub(super) fn fail<T>(&mut self, error: SqlError) -> Option<T> {
        self.errors.push(error);
        None
    }

    /// An option with its name.
    pub(super) fn option(&mut self, name: &str) -> Option<&'d (Spanned<String>, Spanned<String>)> {
        self.known.push(name.to_owned());
        self.left.remove(name)
    }

    /// Where an option is set, if it is and nobody has asked for it yet.
    pub(super) fn given(&self, name: &str) -> Option<Span> {
        self.left.get(name).map(|(name, _)| name.span)
    }

    /// Where an option stands; where the table's name does if it does not.
    pub(super) fn span(&self, name: &str) -> Span {
        self.given.iter().find(|(given, _)| given.value == name).map_or(self.table, |(given, _)| given.span)
    }

    /// The value of an option, which is still to be asked for.
    pub(super) fn peek(&self, name: &str) -> Option<&'d str> {
        self.left.get(name).map(|(_, value)| value.value.as_str())
    }

    /// The value of an option, asked for or not.
    pub(super) fn value(&self, name: &str) -> Option<&'d str> {
        let found = self.given.iter().find(|(given, _)| given.value == name);
        found.map(|(_, value)| value.value.as_str())
    }

    /// Whether an option is in the text, asked for or not.
    pub(super) fn was_given(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given.value == name)
    }

    /// The value of an option.
    pub(super) fn text(&mut self, name: &str) -> Option<&'d Spanned<String>> {
        self.option(name).map(|(_, value)| value)
    }

    /// The value of an option that has to be there.
    pub(super) fn required(&mut self, name: &str, help: &str) -> Option<&'d Spanned<String>> {
        let text = self.text(name);
        if text.is_none() {
            self.missing(name, help);
        }
        text
    }

    pub(super) fn missing(&mut self, name: &str, help: &str) {
        let error = SqlError::new(code::MISSING_OPTION, self.table, format!("option '{name}' is missing"));
        self.errors.push(error.help(help));
    }

    /// All options whose names begin so, by the rest of their names.
    pub(super) fn with_prefix(
        &mut self,
        prefix: &str,
    ) -> BTreeMap<&'d str, &'d (Spanned<String>, Spanned<String>)> {
        let found: Vec<&str> = self.left.keys().copied().filter(|name| name.starts_with(prefix)).collect();
        found.into_iter().filter_map(|name| Some((&name[prefix.len()..], self.left.remove(name)?))).collect()
    }

    /// Reports a value that an option can't have.
    pub(super) fn bad<T>(&mut self, name: &str, value: &Spanned<String>, expected: &str) -> Option<T> {
        let message = format!("'{name}' can't be '{}'", value.value);
        let error = SqlError::new(code::OPTION_VALUE, value.span, message);
        self.fail(error.label("not a value of this option").help(format!("expected {expected}")))
    }

    /// An option with these values, in any case; the first when it is not there.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> T {
        self.optional_choice(name, values).unwrap_or(values[0].1)
    }

    /// An option with these values, in any case; `None` when it is not there.
    pub(super) fn optional_choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        if let Some((_, value)) = values.iter().find(|(value, _)| value.eq_ignore_ascii_case(&text.value)) {
            return Some(*value);
        }
        let names: Vec<String> = values.iter().map(|(value, _)| format!("'{value}'")).collect();
        let expected = match nearest(&text.value, values.iter().map(|(value, _)| *value)) {
            Some(near) => format!("{}; did you mean '{near}'?", names.join(" or ")),
            None => names.join(" or "),
        };
        self.bad(name, text, &expected)
    }

    /// A duration greater than 0, in milliseconds.
    pub(super) fn duration_ms(&mut self, name: &str, default: i64) -> i64 {
        let Some(text) = self.text(name) else { return default };
        match duration_ms(&text.value).filter(|duration| *duration > 0) {
            Some(duration) => duration,
            None => self.bad(name, text, DURATION).unwrap_or(default),
        }
    }

    /// Milliseconds since 1970.
    pub(super) fn time_ms(&mut self, name: &str, text: &Spanned<String>) -> Option<i64> {
        match text.value.trim().parse() {
            Ok(time) if time >= 0 => Some(time),
            _ => self.bad(name, text, "milliseconds since 1970, as in '1700000000000'"),
        }
    }

    /// Refuses options that nobody asked for; all that is wrong.
    pub(super) fn finish(mut self, connector: &str) -> Vec<SqlError> {
        for (name, option) in std::mem::take(&mut self.left) {
            let span = option.0.span;
            let error = match refused::reason(connector, name) {
                Some(help) => {
                    SqlError::new(code::REFUSED_OPTION, span, format!("'{name}' can't be set")).help(help)
                }
                None => {
                    let message = format!("connector '{connector}' has no option '{name}'");
                    SqlError::new(code::UNKNOWN_OPTION, span, message).help(self.unknown_help(name))
                }
            };
            self.errors.push(error);
        }
        self.errors
    }

    fn unknown_help(&self, name: &str) -> String {
        let known = self.known.iter().chain(&self.of_formats).map(String::as_str);
        // An option of a format has the prefix of the option that names the format.
        let inner = name.trim_start_matches("value.").trim_start_matches("key.");
        let format = known.clone().find(|known| *known == inner || known.ends_with(&format!(".{inner}")));
        match (format, nearest(name, known)) {
            (Some(format), _) => format!("did you mean '{format}'?"),
            (None, Some(near)) => format!("did you mean '{near}'?"),
            (None, None) => {
                let mut known: Vec<&str> = self.known.iter().map(String::as_str).collect();
                known.sort_unstable();
                known.dedup();
                format!("leave it out; options are {}", known.join(", "))
            }
        }
    }

    /// Options of a format that may stand in the text.
    pub(super) fn know_of_format(&mut self, names: impl IntoIterator<Item = String>) {
        self.of_formats.extend(names);
    }
}

/// What a duration looks like.
pub(crate) const DURATION: &str = "a duration as in '500 ms', '10 s', '5 min', '2 h' or '1 d', longer than 0";

/// A duration as Flink writes them: a whole number and a unit; milliseconds without one.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A number of bytes as Flink writes them: a whole number and a unit, of which each is 1 024 of the one before; bytes without one.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit: u64 = match text[digits..].trim().to_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The parts of a list in a text, with the place of each, as `a;b` in `'a;b'`.
pub(super) fn split(text: &Spanned<String>, separator: char) -> Vec<Spanned<String>> {
    // Where a ' is doubled, places in the value are not those in the text.
    let exact = text.span.end - text.span.start == text.value.len() + 2;
    let mut start = text.span.start + 1;
    let mut parts = Vec::new();
    for part in text.value.split(separator) {
        let inner = part.trim();
        let begin = start + (part.len() - part.trim_start().len());
        let span = match exact && !inner.is_empty() {
            true => Span { start: begin, end: begin + inner.len() },
            false => text.span,
        };
        parts.push(Spanned { value: inner.to_owned(), span });
        start += part.len() + separator.len_utf8();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_flink_writes_them() {
        for (text, expected) in [
            ("5", Some(5)),
            (" 10 s ", Some(10_000)),
            ("5min", Some(300_000)),
            ("2 HOURS", Some(7_200_000)),
            ("1 d", Some(86_400_000)),
            ("", None),
            ("-5 s", None),
            ("5 lightyears", None),
            ("9223372036854775807 d", None),
        ] {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_are_read_as_flink_writes_them() {
        for (text, expected) in [
            ("5", Some(5)),
            ("128MB", Some(128 << 20)),
            (" 1 kb ", Some(1_024)),
            ("2 GibiBytes", Some(2 << 30)),
            ("", None),
            ("-1 b", None),
            ("1.5 mb", None),
            ("16777216 tb", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    /// Each part is what its place in the text says, except where a doubled ' hides the places.
    #[test]
    fn parts_of_a_list_know_their_places() {
        for text in ["a;b", " größer ; b;c ", "a"] {
            let file = format!("'topic' = '{text}'");
            let span = Span { start: 10, end: file.len() };
            for part in split(&Spanned { value: text.to_owned(), span }, ';') {
                assert_eq!(file[part.span.start..part.span.end], part.value, "{text}");
            }
        }
        let quoted = Spanned { value: "it's;b".to_owned(), span: Span { start: 0, end: 9 } };
        assert!(split(&quoted, ';').iter().all(|part| part.span == quoted.span));
    }
}
