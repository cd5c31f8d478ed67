//! Strings of JSON text: their bytes without the escapes, and with them.

use super::scan::{BLOCK, Block, find_in_tail, find_quote_or_backslash};
use super::syntax::{Expected, Fault};

/// Appends the rest of a string, behind its opening quote, to `out`.
///
/// Whole blocks are appended and what is behind the end is cut off again, since a copy of a length known beforehand
/// is two instructions and one of any length is a call.
#[inline(always)]
pub(crate) fn copy_string<'t>(text: &'t [u8], out: &mut Vec<u8>, fault: &mut Fault) -> Option<&'t [u8]> {
    let mut rest = text;
    while let Some((block, bytes)) = Block::of(rest) {
        out.extend_from_slice(bytes);
        let found = block.quote_or_backslash();
        if found == 0 {
            rest = &rest[BLOCK..];
            continue;
        }
        let length = found.trailing_zeros() as usize;
        out.truncate(out.len() - (BLOCK - length));
        rest = match &rest[length..] {
            [b'"', tail @ ..] => return Some(tail),
            escape => copy_escape(escape, out, fault)?,
        };
    }
    copy_tail(text, rest, out, fault)
}

/// The same where fewer bytes are left than a block holds.
#[inline(never)]
fn copy_tail<'t>(
    text: &'t [u8],
    mut rest: &'t [u8],
    out: &mut Vec<u8>,
    fault: &mut Fault,
) -> Option<&'t [u8]> {
    loop {
        let end = find_in_tail(text, rest);
        let length = rest.len() - end.len();
        match text.last_chunk::<BLOCK>() {
            // Once more a whole block, what is new of it moved to its front.
            Some(last) if !rest.is_empty() => {
                let moved = u128::from_le_bytes(*last) >> (8 * (BLOCK - rest.len()));
                out.extend_from_slice(&moved.to_le_bytes());
                out.truncate(out.len() - (BLOCK - length));
            }
            _ => out.extend_from_slice(&rest[..length]),
        }
        match end {
            [b'"', tail @ ..] => return Some(tail),
            [_, ..] => rest = copy_escape(end, out, fault)?,
            [] => return fault.malformed(end, Expected::Quote),
        }
    }
}

/// Appends what an escape stands for.
#[inline(never)]
fn copy_escape<'t>(rest: &'t [u8], out: &mut Vec<u8>, fault: &mut Fault) -> Option<&'t [u8]> {
    let (plain, tail) = match rest {
        [_, same @ (b'"' | b'\\' | b'/'), tail @ ..] => (*same, tail),
        [_, b'b', tail @ ..] => (0x08, tail),
        [_, b'f', tail @ ..] => (0x0c, tail),
        [_, b'n', tail @ ..] => (b'\n', tail),
        [_, b'r', tail @ ..] => (b'\r', tail),
        [_, b't', tail @ ..] => (b'\t', tail),
        [_, b'u', ..] => return copy_unicode(rest, out, fault),
        _ => return fault.malformed(rest, Expected::Escape),
    };
    out.push(plain);
    Some(tail)
}

fn copy_unicode<'t>(text: &'t [u8], out: &mut Vec<u8>, fault: &mut Fault) -> Option<&'t [u8]> {
    let Some((unit, mut rest)) = hex(text) else { return fault.malformed(text, Expected::Escape) };
    let mut code = Some(unit);
    if let 0xd800..=0xdbff = unit {
        let low = hex(rest).filter(|(low, _)| (0xdc00..=0xdfff).contains(low));
        code = low.map(|(low, _)| 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        rest = low.map_or(rest, |(_, tail)| tail);
    }
    let Some(character) = code.and_then(char::from_u32) else {
        return fault.malformed(text, Expected::SurrogatePair);
    };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

/// The number of a `\uXXXX`.
fn hex(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, tail) = rest.strip_prefix(b"\\u")?.split_first_chunk::<4>()?;
    let code = digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?));
    Some((code?, tail))
}

/// The rest of a string, behind its opening quote, and the text behind it. Without escapes it is a part of the text,
/// else it is put together in `scratch`.
#[inline]
pub(crate) fn unescape<'a>(
    rest: &'a [u8],
    scratch: &'a mut Vec<u8>,
    fault: &mut Fault,
) -> Option<(&'a [u8], &'a [u8])> {
    let end = find_quote_or_backslash(rest);
    if let [b'"', tail @ ..] = end {
        return Some((&rest[..rest.len() - end.len()], tail));
    }
    scratch.clear();
    let tail = copy_string(rest, scratch, fault)?;
    Some((scratch, tail))
}

/// Appends the inside of a string, escaped as Flink does: control characters, quotes and backslashes, nothing else.
#[inline(always)]
pub(crate) fn push_escaped(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some((block, bytes)) = Block::of(text) {
        out.extend_from_slice(bytes);
        let found = block.needs_escape();
        if found == 0 {
            text = &text[BLOCK..];
            continue;
        }
        let length = found.trailing_zeros() as usize;
        out.truncate(out.len() - (BLOCK - length));
        push_escape(bytes[length], out);
        text = &text[length + 1..];
    }
    for byte in text {
        match byte {
            b'"' | b'\\' | 0..=0x1f => push_escape(*byte, out),
            _ => out.push(*byte),
        }
    }
}

#[inline(never)]
fn push_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]);
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Appends a value without the white space around its parts, its strings written anew. The value is well-formed but
/// for what [`super::syntax`] leaves open.
pub(crate) fn push_compact(value: &[u8], out: &mut Vec<u8>, fault: &mut Fault) -> Option<()> {
    let mut scratch = Vec::new();
    let mut rest = value;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'"' => {
                let (inside, tail) = unescape(tail, &mut scratch, fault)?;
                out.push(b'"');
                push_escaped(inside, out);
                out.push(b'"');
                rest = &rest[rest.len() - tail.len()..];
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            other => out.push(*other),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::syntax::FaultKind;
    use proptest::prelude::*;

    fn copied(text: &[u8]) -> Result<(String, usize), FaultKind> {
        let (mut out, mut fault) = (b"before".to_vec(), Fault::default());
        let rest = copy_string(&text[1..], &mut out, &mut fault).ok_or(fault.kind)?;
        Ok((String::from_utf8(out).unwrap().split_off(6), text.len() - rest.len()))
    }

    proptest! {
        #[test]
        fn strings_come_back_as_they_were_written(text in ".{0,60}", control in "[\\x00-\\x20\"\\\\a]{0,20}") {
            for text in [format!("{text}{control}"), format!("{control}{text}")] {
                let mut quoted = vec![b'"'];
                push_escaped(text.as_bytes(), &mut quoted);
                quoted.push(b'"');
                prop_assert_eq!(copied(&quoted).unwrap(), (text.clone(), quoted.len()));
                prop_assert_eq!(&serde_json::from_slice::<String>(&quoted).unwrap(), &text);
                let theirs = serde_json::to_string(&text).unwrap();
                prop_assert_eq!(copied(theirs.as_bytes()).unwrap(), (text, theirs.len()));
            }
        }
    }

    #[test]
    fn escapes_are_taken_for_what_they_stand_for() {
        for (text, expected) in [
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u00e9\u4e16""#, "é世"),
            (r#""a long beginning, \ud83d\ude00 and an end""#, "a long beginning, 😀 and an end"),
        ] {
            assert_eq!(copied(text.as_bytes()).unwrap(), (expected.to_owned(), text.len()), "{text}");
        }
        for (text, expected) in [
            (r#""\ud83d""#, Expected::SurrogatePair),
            (r#""\ud83d\u0041""#, Expected::SurrogatePair),
            (r#""\ude00""#, Expected::SurrogatePair),
            (r#""\u00g0""#, Expected::Escape),
            (r#""\u00""#, Expected::Escape),
            (r#""\a""#, Expected::Escape),
            (r#""abc"#, Expected::Quote),
            (r#""abc\"#, Expected::Escape),
        ] {
            assert_eq!(copied(text.as_bytes()), Err(FaultKind::Malformed(expected)), "{text}");
        }
    }

    #[test]
    fn compact_text_has_no_space_outside_of_strings() {
        let mut out = Vec::new();
        push_compact(br#"{ "a b" : [ 1 , "\u00e9\/ \n" ] }"#, &mut out, &mut Fault::default()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a b":[1,"é/ \n"]}"#);
    }
}
