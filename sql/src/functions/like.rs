//! `LIKE` and `SIMILAR TO`.
//!
//! Without `ESCAPE` no character escapes: a backslash is one. With it the character stands in front of `%`, `_` and
//! itself, and of nothing else.

use super::{Call, Failed, Function, Typed};
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use regex::Regex;

/// `LIKE(text, pattern[, escape])`, for patterns that are no constants.
pub(crate) static LIKE: Function = Function {
    names: &["like"],
    signature: "",
    types: truth_of_texts,
    eval: like,
    fails: true,
    examples: &[],
};

/// `SIMILAR TO`, of a pattern that is a constant.
pub(crate) static SIMILAR: Function = Function {
    names: &["similar_to"],
    signature: "",
    types: truth_of_texts,
    eval: similar,
    fails: true,
    examples: &[],
};

fn truth_of_texts(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    super::variadic(args, &[], super::Param::Text, DataType::Boolean)
}

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Is(char),
    One,
    Any,
}

fn pieces(pattern: &str, escape: Option<char>) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        pieces.push(match char {
            char if Some(char) == escape => match chars.next() {
                Some(next) if next == '%' || next == '_' || Some(next) == escape => Piece::Is(next),
                _ => return Err(format!("'{char}' escapes nothing in the pattern '{pattern}'")),
            },
            '%' => Piece::Any,
            '_' => Piece::One,
            char => Piece::Is(char),
        });
    }
    Ok(pieces)
}

/// The pattern in the words of Arrow's `LIKE`, in which a backslash escapes.
///
/// # Errors
/// What is wrong with the pattern.
pub(crate) fn arrow_pattern(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut words = String::with_capacity(pattern.len());
    for piece in pieces(pattern, escape)? {
        match piece {
            Piece::Any => words.push('%'),
            Piece::One => words.push('_'),
            Piece::Is(char) => {
                if matches!(char, '%' | '_' | '\\') {
                    words.push('\\');
                }
                words.push(char);
            }
        }
    }
    Ok(words)
}

/// Whether a text is like a pattern.
fn is_like(text: &str, pattern: &[Piece]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut piece) = (0, 0);
    // Where to go on when what follows the last % does not fit.
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::Any) => {
                again = Some((piece, at));
                piece += 1;
                continue;
            }
            Some(Piece::One) => {
                at += 1;
                piece += 1;
                continue;
            }
            Some(Piece::Is(char)) if *char == text[at] => {
                at += 1;
                piece += 1;
                continue;
            }
            _ => {}
        }
        let Some((any, from)) = again else { return false };
        again = Some((any, from + 1));
        (at, piece) = (from + 1, any + 1);
    }
    pattern.get(piece..).unwrap_or_default().iter().all(|piece| *piece == Piece::Any)
}

fn like(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let (texts, patterns) = (call.column::<StringArray>(0)?, call.column::<StringArray>(1)?);
    let escapes = if call.arity() > 2 { Some(call.column::<StringArray>(2)?) } else { None };
    call.booleans(|row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let escape = match &escapes {
            None => None,
            Some(escapes) => match escapes.get(row) {
                None => return Ok(None),
                Some(escape) => Some(one_char(escape)?),
            },
        };
        Ok(Some(is_like(text, &pieces(pattern, escape)?)))
    })
}

fn one_char(text: &str) -> Result<char, Failed> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Ok(char),
        _ => Err(Failed(format!("ESCAPE takes one character, not '{text}'"))),
    }
}

/// The regular expression that a pattern of `SIMILAR TO` is: `%` and `_` stand for any characters, `| * + ? {} () []` are
/// those of regular expressions, all others are themselves.
///
/// # Errors
/// What is wrong with the pattern.
pub(crate) fn similar_regex(pattern: &str, escape: Option<char>) -> Result<Regex, String> {
    let mut words = String::from("(?s)^(?:");
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(char) = chars.next() {
        match char {
            char if Some(char) == escape => {
                let next = chars.next().ok_or_else(|| format!("'{char}' escapes nothing in '{pattern}'"))?;
                words.push_str(&regex::escape(&next.to_string()));
            }
            '[' => {
                in_class = true;
                words.push('[');
            }
            ']' => {
                in_class = false;
                words.push(']');
            }
            '^' | '-' if in_class => words.push(char),
            char if in_class => words.push_str(&regex::escape(&char.to_string())),
            '%' => words.push_str(".*"),
            '_' => words.push('.'),
            '|' | '*' | '+' | '?' | '{' | '}' | '(' | ')' => words.push(char),
            char => words.push_str(&regex::escape(&char.to_string())),
        }
    }
    words.push_str(")$");
    if pattern.contains("[:") {
        return Err(format!("classes like [:ALPHA:] are not supported yet, in the pattern '{pattern}'"));
    }
    Regex::new(&words).map_err(|_| format!("'{pattern}' is no pattern of SIMILAR TO"))
}

fn similar(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = call.column::<StringArray>(0)?;
    let pattern = call.column::<StringArray>(1)?;
    let escape = match call.arity() {
        2 => None,
        _ => call.column::<StringArray>(2)?.get(0).map(one_char).transpose()?,
    };
    let Some(Some(pattern)) = pattern.constant() else {
        return Err(Failed::from("SIMILAR TO takes a constant pattern"));
    };
    let regex = similar_regex(pattern, escape)?;
    call.booleans(|row| Ok(texts.get(row).map(|text| regex.is_match(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_without_escape() {
        for (text, pattern, escape, is) in [
            (r"C:\temp\x", r"C:\temp%", None, true),
            ("a%c", r"a\%c", None, false),
            ("a_b", "a!_b", Some('!'), true),
            ("axb", "a!_b", Some('!'), false),
            ("", "%", None, true),
            ("abcabd", "%ab_", None, true),
            ("abcabd", "%abc", None, false),
            ("😀x", "__", None, true),
        ] {
            assert_eq!(is_like(text, &pieces(pattern, escape).unwrap()), is, "{text} {pattern}");
        }
        assert_eq!(arrow_pattern(r"a\%!%", Some('!')).unwrap(), r"a\\%\%");
        assert!(pieces("a!b", Some('!')).is_err());
        assert!(pieces("a!", Some('!')).is_err());
    }

    #[test]
    fn a_pattern_of_similar_to_is_of_the_whole_text() {
        let is = |text: &str, pattern: &str| similar_regex(pattern, None).unwrap().is_match(text);
        assert!(is("axb", "a%"));
        assert!(!is("xaxb", "a%"));
        assert!(is("abc", "[a-z]{3}"));
        assert!(!is("abcd", "[a-z]{3}"));
        assert!(is("a.b", "a.b") && !is("axb", "a.b"));
        assert!(is("b", "a|b") && !is("bc", "a|b"));
    }
}
