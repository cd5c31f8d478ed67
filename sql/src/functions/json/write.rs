//! Writes JSON as Flink does: the members of objects by name, numbers as `java.math.BigDecimal` writes them.

use super::super::utf16;
use super::scan::{Kind, NoJson, Scanner, Value, unescaped};

/// Appends a value that was read.
pub(super) fn push_value(value: Value<'_>, out: &mut String) -> Result<(), NoJson> {
    copy(&mut Scanner::new(value.text), out)
}

/// Reads the next value, and writes it.
fn copy(scanner: &mut Scanner<'_>, out: &mut String) -> Result<(), NoJson> {
    match scanner.kind()? {
        Kind::Array => {
            out.push('[');
            scanner.elements(|scanner, index| {
                if index > 0 {
                    out.push(',');
                }
                copy(scanner, out)
            })?;
            out.push(']');
        }
        Kind::Object => {
            let mut values = String::new();
            let mut members = Vec::new();
            scanner.members(|scanner, name| {
                let start = values.len();
                copy(scanner, &mut values)?;
                members.push((unescaped(name), start..values.len()));
                Ok(())
            })?;
            sort_members(&mut members);
            push_members(members.iter().map(|(name, value)| (name, &values[value.clone()])), out);
        }
        _ => match scanner.value(0)? {
            Value { kind: Kind::Number, text } => push_number(text, out),
            Value { kind: Kind::Text, text } => push_text(&unescaped(inner(text)), out),
            Value { text, .. } => out.push_str(text),
        },
    }
    Ok(())
}

/// Appends an object of members whose values are written already.
pub(super) fn push_members<N: AsRef<str>, V: AsRef<str>>(
    members: impl Iterator<Item = (N, V)>,
    out: &mut String,
) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_text(name.as_ref(), out);
        out.push(':');
        out.push_str(value.as_ref());
    }
    out.push('}');
}

/// Appends an object of members whose values are written already, in the order of their names.
pub(in super::super) fn push_object(mut members: Vec<(&str, String)>, out: &mut String) {
    sort_members(&mut members);
    push_members(members.into_iter(), out);
}

/// What stands between the quotes of a string.
pub(super) fn inner(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Sorts members by name as Java compares texts; of equal names the last one stays.
pub(super) fn sort_members<N: AsRef<str>, V>(members: &mut Vec<(N, V)>) {
    members.reverse();
    members.sort_by(|(left, _), (right, _)| utf16::compare(left.as_ref(), right.as_ref()));
    members.dedup_by(|(later, _), (first, _)| later.as_ref() == first.as_ref());
}

/// Appends a string with its quotes.
pub(super) fn push_text(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Appends a number: a whole one as it is, any other as a `BigDecimal` is written.
pub(super) fn push_number(text: &str, out: &mut String) {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, ""));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_whole = whole.len() == digits.len();
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let significant = if significant.is_empty() { "0" } else { significant };
    if negative && significant != "0" {
        out.push('-');
    }
    if is_whole {
        out.push_str(significant);
        return;
    }
    let exponent = exponent.parse::<i64>().unwrap_or(0);
    let scale = fraction.len() as i64 - exponent;
    let adjusted = significant.len() as i64 - 1 - scale;
    if scale >= 0 && adjusted >= -6 {
        push_plain(significant, scale as usize, out);
        return;
    }
    let (first, rest) = significant.split_at(1);
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    if adjusted != 0 {
        out.push_str(&format!("E{adjusted:+}"));
    }
}

/// Digits with a point.
fn push_plain(digits: &str, scale: usize, out: &mut String) {
    match digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
        Some(whole) => {
            out.push_str(&digits[..whole]);
            if scale > 0 {
                out.push('.');
                out.push_str(&digits[whole..]);
            }
        }
        None => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', scale - digits.len()));
            out.push_str(digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_big_decimal_is() {
        for (read, written) in [
            ("1.50", "1.50"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("1e400", "1E+400"),
            ("1.0E10", "1.0E+10"),
            ("0.0000001", "1E-7"),
            ("0.000001", "0.000001"),
            ("12345678901234567890", "12345678901234567890"),
            ("1E-7", "1E-7"),
            ("100e-1", "10.0"),
        ] {
            let mut out = String::new();
            push_number(read, &mut out);
            assert_eq!(out, written, "{read}");
        }
    }
}
