//! What was expected beside what was written.

use super::parse::Row;
use std::fmt::Write;

/// Compares rows, in order or not; where they differ, a picture of both.
pub(super) fn compare(expected: &[Row], found: &[Row], in_order: bool) -> Result<(), String> {
    let keyed = expected.iter().any(|row| row.key.is_some());
    let mut expected: Vec<String> = expected.iter().map(|row| line(row, keyed)).collect();
    let mut found: Vec<String> = found.iter().map(|row| line(row, keyed)).collect();
    if !in_order {
        expected.sort();
        found.sort();
    }
    if expected == found {
        return Ok(());
    }
    let mut picture = String::new();
    for (sign, line) in difference(&expected, &found) {
        let _ = writeln!(picture, "    {sign} {line}");
    }
    picture.push_str("    (- expected and not written, + written and not expected)");
    Err(picture)
}

/// A row in one line, JSON as it is written most briefly.
fn line(row: &Row, keyed: bool) -> String {
    let value = row.value.as_deref().map_or("null".to_owned(), canonical);
    match (&row.key, keyed) {
        (Some(key), true) => format!("{} => {value}", canonical(key)),
        (None, true) => format!("(no key) => {value}"),
        (_, false) => value,
    }
}

fn canonical(text: &str) -> String {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    parsed.map_or_else(|_| text.to_owned(), |value| value.to_string())
}

/// The longest that two lists have in common, with what either has alone.
fn difference<'a>(a: &'a [String], b: &'a [String]) -> Vec<(char, &'a str)> {
    let mut longest = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = match a[i] == b[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push((' ', a[i].as_str()));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(('-', a[i].as_str()));
            i += 1;
        } else {
            lines.push(('+', b[j].as_str()));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn rows(values: &[&str]) -> Vec<Row> {
        values.iter().map(|value| Row { key: None, value: Some((*value).to_owned()) }).collect()
    }

    #[test]
    fn json_is_compared_by_what_it_means() {
        assert_eq!(
            compare(&rows(&["{\"a\": 1,  \"b\": [2]}"]), &rows(&["{\"b\":[2],\"a\":1}"]), true),
            Ok(())
        );
        assert_eq!(compare(&rows(&["1", "2"]), &rows(&["2", "1"]), false), Ok(()));
        assert!(compare(&rows(&["1", "2"]), &rows(&["2", "1"]), true).is_err());
    }

    #[test]
    fn a_difference_shows_what_is_missing_and_what_is_too_much() {
        let picture = compare(&rows(&["1", "2", "3"]), &rows(&["1", "3", "4"]), true).unwrap_err();
        let lines: Vec<&str> = picture.lines().take(4).map(str::trim_end).collect();
        assert_eq!(lines, ["      1", "    - 2", "      3", "    + 4"]);
    }
}
