//! The grammar of JSON: what every value is made of, and how to pass over one that nobody needs.
//!
//! What is checked in a value that is skipped stands in the head of [`super::decode`].

use super::scan::{BLOCK, Block, find_quote_or_backslash};
use crate::numbers::digits;

/// How deep objects and arrays may nest in a record.
pub(crate) const DEPTH_MAX: u32 = 128;

/// Why a record can't be decoded, and where.
///
/// Functions that read take the text from the place they read at, and give back the text behind what they have read:
/// a slice that is there or not travels in two registers. What went wrong is written to a place they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes from the place of the fault to the end of the text.
    pub(crate) left: usize,
    pub(crate) kind: FaultKind,
}

/// Why a record can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Not JSON: what was expected instead.
    Malformed(Expected),
    /// A value its column can't hold: of another kind.
    Kind,
    /// A number outside the range of its column.
    Range,
    /// A field that has to be there is not.
    Missing,
    /// Null for a field that can't be null.
    Null,
}

/// What the grammar asks for at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Object,
    Value,
    Key,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Quote,
    Escape,
    SurrogatePair,
    Number,
    LessDepth,
    End,
    Utf8,
}

impl Expected {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Expected::Object => "expected an object",
            Expected::Value => "expected a value",
            Expected::Key => "expected a key in quotes",
            Expected::Colon => "expected \":\"",
            Expected::CommaOrBrace => "expected \",\" or \"}\"",
            Expected::CommaOrBracket => "expected \",\" or \"]\"",
            Expected::Quote => "expected the end of a string",
            Expected::Escape => "expected an escape such as \\n or \\u00e9",
            Expected::SurrogatePair => "expected a pair of surrogates",
            Expected::Number => "expected a number as JSON spells it",
            Expected::LessDepth => "expected at most 128 levels of nesting",
            Expected::End => "expected nothing behind the object",
            Expected::Utf8 => "expected UTF-8",
        }
    }
}

impl Default for Fault {
    fn default() -> Self {
        Fault { left: 0, kind: FaultKind::Kind }
    }
}

impl Fault {
    /// The text at `rest` is not JSON.
    #[cold]
    pub(crate) fn malformed<T>(&mut self, rest: &[u8], expected: Expected) -> Option<T> {
        self.set(rest, FaultKind::Malformed(expected))
    }

    /// The value at `rest` can't be taken.
    #[cold]
    pub(crate) fn set<T>(&mut self, rest: &[u8], kind: FaultKind) -> Option<T> {
        *self = Fault { left: rest.len(), kind };
        None
    }
}

/// The text from the next byte on that is no white space.
#[inline(always)]
pub(crate) fn space(rest: &[u8]) -> &[u8] {
    match rest {
        [byte, ..] if *byte <= b' ' => spaces(rest),
        _ => rest,
    }
}

#[inline(never)]
fn spaces(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', tail @ ..] = rest {
        rest = tail;
        while let Some((block, _)) = Block::of(rest) {
            let found = block.not_space();
            if found != 0 {
                rest = &rest[found.trailing_zeros() as usize..];
                break;
            }
            rest = &rest[BLOCK..];
        }
    }
    rest
}

/// Passes over the rest of a string, behind its opening quote.
#[inline(always)]
pub(crate) fn skip_string<'t>(mut rest: &'t [u8], fault: &mut Fault) -> Option<&'t [u8]> {
    loop {
        rest = find_quote_or_backslash(rest);
        match rest {
            [b'"', tail @ ..] => return Some(tail),
            [_, ..] => rest = skip_escape(rest, fault)?,
            [] => return fault.malformed(rest, Expected::Quote),
        }
    }
}

/// Passes over an escape.
#[cold]
fn skip_escape<'t>(rest: &'t [u8], fault: &mut Fault) -> Option<&'t [u8]> {
    match rest {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', tail @ ..] => Some(tail),
        [_, b'u', a, b, c, d, tail @ ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => {
            Some(tail)
        }
        _ => fault.malformed(rest, Expected::Escape),
    }
}

/// Passes over a literal: `null`, `true`, `false`.
#[inline(always)]
pub(crate) fn literal<'t, const N: usize>(
    rest: &'t [u8],
    literal: &[u8; N],
    fault: &mut Fault,
) -> Option<&'t [u8]> {
    match rest.split_first_chunk::<N>() {
        Some((found, tail)) if found == literal => Some(tail),
        _ => fault.malformed(rest, Expected::Value),
    }
}

/// Passes over a number.
pub(crate) fn skip_number<'t>(text: &'t [u8], fault: &mut Fault) -> Option<&'t [u8]> {
    let digits = |rest: &'t [u8]| {
        let (length, _) = digits(rest);
        (length, &rest[length..])
    };
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (length, mut rest) = digits(unsigned);
    if length == 0 || (length > 1 && unsigned[0] == b'0') {
        return fault.malformed(text, Expected::Number);
    }
    if let [b'.', fraction @ ..] = rest {
        let (length, tail) = digits(fraction);
        if length == 0 {
            return fault.malformed(text, Expected::Number);
        }
        rest = tail;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            _ => exponent,
        };
        let (length, tail) = digits(unsigned);
        if length == 0 {
            return fault.malformed(text, Expected::Number);
        }
        rest = tail;
    }
    Some(rest)
}

/// Passes over a value in which `depth` more levels may nest.
#[inline]
pub(crate) fn skip_value<'t>(rest: &'t [u8], depth: u32, fault: &mut Fault) -> Option<&'t [u8]> {
    match rest {
        [b'"', tail @ ..] => skip_string(tail, fault),
        [b'{' | b'[', ..] => skip_nested(rest, depth, fault),
        _ => skip_plain(rest, fault),
    }
}

/// Passes over a literal or a number.
#[inline]
fn skip_plain<'t>(rest: &'t [u8], fault: &mut Fault) -> Option<&'t [u8]> {
    match rest {
        [b'n', ..] => literal(rest, b"null", fault),
        [b't', ..] => literal(rest, b"true", fault),
        [b'f', ..] => literal(rest, b"false", fault),
        [b'-' | b'0'..=b'9', ..] => skip_number(rest, fault),
        _ => fault.malformed(rest, Expected::Value),
    }
}

/// Passes over an object or an array. Not recursive: which of the open brackets are braces is kept in bits.
fn skip_nested<'t>(mut rest: &'t [u8], depth_left: u32, fault: &mut Fault) -> Option<&'t [u8]> {
    let mut braces = 0u128;
    let mut depth = 0;
    'value: loop {
        rest = space(rest);
        match rest {
            [b'"', tail @ ..] => rest = skip_string(tail, fault)?,
            [opening @ (b'{' | b'['), tail @ ..] => {
                if depth == depth_left.min(DEPTH_MAX) {
                    return fault.malformed(rest, Expected::LessDepth);
                }
                let brace = *opening == b'{';
                rest = space(tail);
                match rest {
                    [b'}', tail @ ..] if brace => rest = tail,
                    [b']', tail @ ..] if !brace => rest = tail,
                    _ => {
                        braces = braces << 1 | u128::from(brace);
                        depth += 1;
                        if brace {
                            rest = skip_key(rest, fault)?;
                        }
                        continue 'value;
                    }
                }
            }
            _ => rest = skip_plain(rest, fault)?,
        }
        // Behind a value: everything that ends here.
        while depth > 0 {
            rest = space(rest);
            let brace = braces & 1 == 1;
            match rest {
                [b',', tail @ ..] => {
                    rest = tail;
                    if brace {
                        rest = skip_key(space(tail), fault)?;
                    }
                    continue 'value;
                }
                [b'}', tail @ ..] if brace => rest = tail,
                [b']', tail @ ..] if !brace => rest = tail,
                _ if brace => return fault.malformed(rest, Expected::CommaOrBrace),
                _ => return fault.malformed(rest, Expected::CommaOrBracket),
            }
            braces >>= 1;
            depth -= 1;
        }
        return Some(rest);
    }
}

/// Passes over a key and its colon.
#[inline]
fn skip_key<'t>(rest: &'t [u8], fault: &mut Fault) -> Option<&'t [u8]> {
    let [b'"', tail @ ..] = rest else { return fault.malformed(rest, Expected::Key) };
    match space(skip_string(tail, fault)?) {
        [b':', tail @ ..] => Some(tail),
        other => fault.malformed(other, Expected::Colon),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<usize, FaultKind> {
        let mut fault = Fault::default();
        let rest = skip_value(text.as_bytes(), DEPTH_MAX, &mut fault);
        rest.map(|rest| text.len() - rest.len()).ok_or(fault.kind)
    }

    #[test]
    fn a_skipped_value_ends_where_it_ends() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0.5e+10",
            "\"\"",
            "\"a string longer than a block, with \\\" and \\u00e9 in it\"",
            "\"a tab \t in it\"",
            "{}",
            "[ ]",
            "{ \"a\" : [ 1 , { \"b\":null } , [] ] , \"c\":\"]}\" }",
            "[[[[1]]],{}]",
        ] {
            assert_eq!(skip(text), Ok(text.len()), "{text}");
            assert_eq!(skip(&format!("{text},")), Ok(text.len()), "{text},");
            for cut in 1..text.len() {
                let number = text.as_bytes()[0].is_ascii_digit() || text.starts_with('-');
                assert!(number || skip(&text[..cut]).is_err(), "{}", &text[..cut]);
            }
        }
    }

    #[test]
    fn what_is_no_json_is_not_skipped() {
        use Expected as E;
        for (text, expected) in [
            ("", E::Value),
            ("nul", E::Value),
            ("nill", E::Value),
            ("+1", E::Value),
            ("01", E::Number),
            ("1.", E::Number),
            ("-", E::Number),
            ("1e", E::Number),
            (".5", E::Value),
            ("\"abc", E::Quote),
            ("\"\\x\"", E::Escape),
            ("\"\\u12g4\"", E::Escape),
            ("\"\\", E::Escape),
            ("{1:2}", E::Key),
            ("{\"a\" 1}", E::Colon),
            ("{\"a\":1 \"b\":2}", E::CommaOrBrace),
            ("{\"a\":1,}", E::Key),
            ("{\"a\":1]", E::CommaOrBrace),
            ("[1 2]", E::CommaOrBracket),
            ("[1,]", E::Value),
            ("[1}", E::CommaOrBracket),
            ("[,1]", E::Value),
            ("{\"a\":}", E::Value),
            ("[[[", E::Value),
        ] {
            assert_eq!(skip(text), Err(FaultKind::Malformed(expected)), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(skip(&nested(128)).is_ok());
        assert_eq!(skip(&nested(129)), Err(FaultKind::Malformed(Expected::LessDepth)));
        assert_eq!(skip(&"{\"a\":".repeat(100_000)), Err(FaultKind::Malformed(Expected::LessDepth)));
    }
}
