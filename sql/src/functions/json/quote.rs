//! `JSON_QUOTE` and `JSON_UNQUOTE`: a text as a string of JSON in ASCII, and back.

use super::scan::{self, Kind, unescaped};
use super::write::inner;
use std::borrow::Cow;

/// Appends a text with quotes and escapes; what is not ASCII is escaped too.
pub(super) fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='\u{7f}' => out.push(char),
            char => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// The text of a string of JSON; any other text as it is.
pub(super) fn unquoted(text: &str) -> Cow<'_, str> {
    let is_quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    match is_quoted && has_good_escapes(inner(text)) {
        true => unescaped(inner(text)),
        false => Cow::Borrowed(text),
    }
}

/// Whether each backslash begins an escape of JSON. Quotes in between need none.
fn has_good_escapes(text: &str) -> bool {
    if !text.contains('\\') {
        return true;
    }
    let escaped = text.replace('"', "'").replace("\\'", "\\\"");
    let whole: String = escaped.chars().map(|char| if char < ' ' { ' ' } else { char }).collect();
    let quoted = format!("\"{whole}\"");
    scan::value(&quoted).is_ok_and(|value| value.kind == Kind::Text && value.text.len() == quoted.len())
}
