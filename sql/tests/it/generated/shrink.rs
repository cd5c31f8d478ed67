//! A text that fails made small: statements are left out, then words, as long as it fails.

use super::mutate::words;

/// How often it is tried.
const TRIES_MAX: usize = 600;

/// A part of `text` that fails as well, of which little can be left out.
pub(super) fn smallest(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut tries = 0;
    let statements: Vec<String> = text.split_inclusive(';').map(str::to_owned).collect();
    let text = without_needless(statements, &mut tries, &fails).concat();
    let words: Vec<String> = words(&text).into_iter().map(str::to_owned).collect();
    without_needless(words, &mut tries, &fails).concat()
}

/// Leaves parts out: first halves, at last single ones.
fn without_needless(mut parts: Vec<String>, tries: &mut usize, fails: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut length = parts.len().div_ceil(2);
    while length > 0 && *tries < TRIES_MAX {
        let mut at = 0;
        while at < parts.len() && *tries < TRIES_MAX {
            let end = (at + length).min(parts.len());
            let rest: Vec<String> = [&parts[..at], &parts[end..]].concat();
            *tries += 1;
            match fails(&rest.concat()) {
                true => parts = rest,
                false => at += length,
            }
        }
        length /= 2;
    }
    parts
}

#[test]
fn what_is_left_is_what_fails() {
    let text = "SELECT a, b FROM t; INSERT INTO x SELECT broken FROM y WHERE c; SELECT 2;";
    assert_eq!(smallest(text, |text| text.contains("broken")).trim(), "broken");
}
