//! Options of a format, read by name from a table's `WITH`.

use super::FormatError;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Reads options one by one, so that at the end it is known which names mean nothing.
#[derive(Debug)]
pub(crate) struct OptionReader<'o> {
    format: &'static str,
    options: &'o BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl<'o> OptionReader<'o> {
    pub(crate) fn new(format: &'static str, options: &'o BTreeMap<String, String>) -> Self {
        OptionReader { format, options, known: Vec::new() }
    }

    /// The text of an option.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<&'o str> {
        self.known.push(name);
        self.options.get(name).map(String::as_str)
    }

    /// An option that is `true` or `false`; `false` when it is not there.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, FormatError> {
        self.choice(name, &[("false", false), ("true", true)])
    }

    /// An option of Flink's whose one value here is its default; `instead` says what to do about another.
    pub(crate) fn only(
        &mut self,
        name: &'static str,
        default: &str,
        instead: &str,
    ) -> Result<(), FormatError> {
        match self.text(name) {
            Some(text) if !text.eq_ignore_ascii_case(default) => {
                Err(self.bad(name, text, format_args!("'{default}', or nothing: {instead}")))
            }
            _ => Ok(()),
        }
    }

    /// An option with these values, in any case; the first when it is not there.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        values: &[(&str, T)],
    ) -> Result<T, FormatError> {
        let Some(text) = self.text(name) else { return Ok(values[0].1) };
        let found = values.iter().find(|(value, _)| value.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = values.iter().map(|(value, _)| format!("'{value}'")).collect();
            self.bad(name, text, names.join(" or "))
        })
    }

    /// An option that is one ASCII character.
    pub(crate) fn character(&mut self, name: &'static str) -> Result<Option<u8>, FormatError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.as_bytes() {
            [one] if one.is_ascii() => Ok(Some(*one)),
            _ => Err(self.bad(name, text, "one ASCII character")),
        }
    }

    /// As [`OptionReader::character`], but the character may be escaped as in Java: `\t`, `\u0001`.
    pub(crate) fn escaped_character(&mut self, name: &'static str) -> Result<Option<u8>, FormatError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let byte = match text.as_bytes() {
            [one] => Some(*one),
            [b'\\', b't'] => Some(b'\t'),
            [b'\\', b'f'] => Some(0x0c),
            [b'\\', b'b'] => Some(0x08),
            [b'\\', same @ (b'\\' | b'"' | b'\'')] => Some(*same),
            [b'\\', b'u', _, _, _, _] => u8::from_str_radix(&text[2..], 16).ok(),
            _ => None,
        };
        match byte {
            Some(byte) if byte.is_ascii() => Ok(Some(byte)),
            _ => Err(self.bad(name, text, "one ASCII character")),
        }
    }

    /// The format's name.
    pub(crate) fn format(&self) -> &'static str {
        self.format
    }

    pub(crate) fn missing(&self, name: &str, what: &'static str) -> FormatError {
        FormatError::MissingOption { option: format!("{}.{name}", self.format), what }
    }

    pub(crate) fn bad(&self, name: &str, value: &str, expected: impl Display) -> FormatError {
        FormatError::BadOption {
            option: format!("{}.{name}", self.format),
            value: value.to_owned(),
            expected: expected.to_string(),
        }
    }

    /// The names that have been asked for.
    pub(crate) fn known(self) -> Vec<&'static str> {
        self.known
    }

    /// Refuses options that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), FormatError> {
        match self.options.keys().find(|name| !self.known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => Err(FormatError::UnknownOption {
                format: self.format,
                option: unknown.clone(),
                known: self.known.join(", "),
            }),
        }
    }
}

/// `json(ignore-parse-errors=true)`: a format with the options that are not at their defaults.
pub(crate) fn describe(format: &str, options: &[(&str, String, String)]) -> String {
    let changed: Vec<String> = options
        .iter()
        .filter(|(_, value, default)| value != default)
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect();
    if changed.is_empty() { format.to_owned() } else { format!("{format}({})", changed.join(", ")) }
}
