//! `millstream.toml`: keys and values, each with its line.
//!
//! Tables are only a way to write keys: `[millstream]` with `commit-interval` below it is `millstream.commit-interval`. The
//! file may hold secrets, so that no message quotes a value of it.

use std::path::Path;
use toml_edit::{Array, Document, Item, TableLike, Value};

/// Longer files are no settings.
const BYTES_MAX: u64 = 1 << 20;

/// A key of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// Reads a file.
///
/// # Errors
/// Where it is wrong, and how.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if metadata.len() > BYTES_MAX {
        return Err(format!("{shown}: it is longer than {BYTES_MAX} bytes: these are no settings"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    parse(&text).map_err(|(line, why)| format!("{shown}:{line}: {why}"))
}

/// The keys of a text in their order, or the line that is wrong and how.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let document = Document::parse(text).map_err(|error| {
        (line(text, error.span().map_or(0, |span| span.start)), error.message().trim_end().to_owned())
    })?;
    let mut entries = Vec::new();
    take(text, "", document.as_table(), &mut entries)?;
    entries.sort_by_key(|entry| entry.line);
    for (at, entry) in entries.iter().enumerate() {
        let before = entries.iter().take(at).find(|before| before.key == entry.key);
        if let Some(before) = before {
            return Err((entry.line, format!("{} is set in line {} already", entry.key, before.line)));
        }
    }
    Ok(entries)
}

fn take(
    text: &str,
    above: &str,
    table: &dyn TableLike,
    entries: &mut Vec<Entry>,
) -> Result<(), (usize, String)> {
    for (name, item) in table.iter() {
        let key = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        if let Some(below) = item.as_table_like() {
            take(text, &key, below, entries)?;
            continue;
        }
        let line = line(text, item.span().map_or(0, |span| span.start));
        let value = match item {
            Item::Value(value) => written(value),
            _ => None,
        };
        let key_shown = key.escape_debug();
        let value = value.ok_or_else(|| {
            (line, format!("{key_shown}: expected a text, a number, true or false, or a list of texts"))
        })?;
        entries.push(Entry { key, value, line });
    }
    Ok(())
}

/// A value as it would be written on the command line.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Boolean(choice) => Some(choice.value().to_string()),
        Value::Array(list) => listed(list),
        _ => None,
    }
}

fn listed(list: &Array) -> Option<String> {
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(","))
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_a_way_to_write_keys_and_each_has_its_line() {
        let text = "# of the cluster\nbootstrap-servers = [\"a:9092\", \"b:9092\"]\nmemory = 512\n\n[millstream]\n\
                    commit-interval = \"1 s\"\n[client-property]\n'sasl.password' = 'x'\nsecurity.protocol = 'ssl'\n";
        let entries = parse(text).unwrap();
        let shown: Vec<(&str, &str, usize)> =
            entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.line)).collect();
        let expected = [
            ("bootstrap-servers", "a:9092,b:9092", 2),
            ("memory", "512", 3),
            ("millstream.commit-interval", "1 s", 6),
            ("client-property.sasl.password", "x", 8),
            ("client-property.security.protocol", "ssl", 9),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_no_settings_is_refused_with_its_line_and_without_its_value() {
        for (text, line, part) in [
            ("a = 1\nb = hunter2\n", 2, ""),
            ("a = 1\na = 2\n", 2, ""),
            ("'a.b' = 1\n[a]\nb = 2\n", 3, "is set in line 1 already"),
            ("a = 1\nsecret = 1.5\n", 2, "secret: expected"),
            ("a = [1, 2]\n", 1, "a list of texts"),
            ("[[a]]\nb = 1\n", 1, "a: expected"),
        ] {
            let (at, why) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}: {why}");
            assert!(why.contains(part) && !why.contains("hunter2"), "{why}");
        }
    }
}
