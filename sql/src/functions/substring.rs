//! Functions that cut texts and fill them up.
//!
//! Places are counted from 1. What is cut counts characters; `LPAD`, `RPAD` and `OVERLAY` count units of UTF-16.

use super::call::check_bytes;
use super::{Call, Failed, Function, Param, fixed, utf16};
use arrow::array::{ArrayRef, Int32Array, StringArray};
use arrow::datatypes::DataType;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["SUBSTRING", "SUBSTR"],
        signature: "SUBSTRING(string, start [, length]), SUBSTRING(string FROM start [FOR length])",
        types: |args| fixed(args, 2, &[Param::Text, Param::Int, Param::Int], DataType::Utf8),
        eval: substring,
        fails: false,
        examples: &[
            ("SUBSTRING('banana', -2, 2)", "na"),
            ("SUBSTRING('banana' FROM 2 FOR 3)", "ana"),
            ("SUBSTRING('banana', 0, 2)", "ba"),
            ("SUBSTRING('banana', -10)", ""),
            ("SUBSTRING('abc', 1, -1)", "null"),
            ("SUBSTR('😀a𝒳b', -3, 2)", "a𝒳"),
        ],
    },
    Function {
        names: &["LEFT"],
        signature: "LEFT(string, length)",
        types: |args| fixed(args, 2, &[Param::Text, Param::Int], DataType::Utf8),
        eval: |call| end_of(call, |text, length| &text[..byte_of(text, length)]),
        fails: false,
        examples: &[("LEFT('banana', 3)", "ban"), ("LEFT('banana', -1)", ""), ("LEFT('😀ab', 1)", "😀")],
    },
    Function {
        names: &["RIGHT"],
        signature: "RIGHT(string, length)",
        types: |args| fixed(args, 2, &[Param::Text, Param::Int], DataType::Utf8),
        eval: |call| {
            end_of(call, |text, length| &text[byte_of(text, characters(text).saturating_sub(length))..])
        },
        fails: false,
        examples: &[("RIGHT('banana', 3)", "ana"), ("RIGHT('banana', 0)", ""), ("RIGHT('ab😀', 9)", "ab😀")],
    },
    Function {
        names: &["TRIM"],
        signature: "TRIM([BOTH | LEADING | TRAILING] [characters FROM] string)",
        types: |args| fixed(args, 1, &[Param::Text, Param::Text, Param::Text], DataType::Utf8),
        eval: |call| {
            let side = match call.arity() {
                3 => call.column::<StringArray>(2)?.get(0).unwrap_or("BOTH"),
                _ => "BOTH",
            };
            trim(call, side != "TRAILING", side != "LEADING")
        },
        fails: false,
        examples: &[("TRIM('  pad  ')", "pad"), ("TRIM(LEADING 'x' FROM 'xxaxx')", "axx")],
    },
    Function {
        names: &["BTRIM"],
        signature: "BTRIM(string [, characters])",
        types: |args| fixed(args, 1, &[Param::Text, Param::Text], DataType::Utf8),
        eval: |call| trim(call, true, true),
        fails: false,
        examples: &[("BTRIM('xyabcyx', 'xy')", "abc"), ("BTRIM('abc', '')", "abc")],
    },
    Function {
        names: &["LTRIM"],
        signature: "LTRIM(string [, characters])",
        types: |args| fixed(args, 1, &[Param::Text, Param::Text], DataType::Utf8),
        eval: |call| trim(call, true, false),
        fails: false,
        examples: &[("LTRIM('  pad ')", "pad "), ("LTRIM('xxaxx', 'x')", "axx")],
    },
    Function {
        names: &["RTRIM"],
        signature: "RTRIM(string [, characters])",
        types: |args| fixed(args, 1, &[Param::Text, Param::Text], DataType::Utf8),
        eval: |call| trim(call, false, true),
        fails: false,
        examples: &[("RTRIM('abc', 'bcd')", "a"), ("RTRIM('abcé', 'é')", "abc")],
    },
    Function {
        names: &["LPAD"],
        signature: "LPAD(string, length, padding)",
        types: |args| fixed(args, 3, &[Param::Text, Param::Int, Param::Text], DataType::Utf8),
        eval: |call| pad(call, true),
        fails: true,
        examples: &[
            ("LPAD('ab', 5, 'xyz')", "xyzab"),
            ("LPAD('ab', 1, 'xyz')", "a"),
            ("LPAD('ab', -1, 'xyz')", "null"),
            ("LPAD('ab', 5, '')", "null"),
            ("LPAD('a', 4, '😀')", "😀?a"),
        ],
    },
    Function {
        names: &["RPAD"],
        signature: "RPAD(string, length, padding)",
        types: |args| fixed(args, 3, &[Param::Text, Param::Int, Param::Text], DataType::Utf8),
        eval: |call| pad(call, false),
        fails: true,
        examples: &[
            ("RPAD('ab', 5, 'xyz')", "abxyz"),
            ("RPAD('ab', 0, 'x')", ""),
            ("RPAD('😀', 1, 'x')", "?"),
        ],
    },
    Function {
        names: &["REPEAT"],
        signature: "REPEAT(string, count)",
        types: |args| fixed(args, 2, &[Param::Text, Param::Int], DataType::Utf8),
        eval: repeat,
        fails: true,
        examples: &[("REPEAT('ab', 3)", "ababab"), ("REPEAT('ab', -1)", ""), ("REPEAT('', 2147483647)", "")],
    },
    Function {
        names: &["OVERLAY"],
        signature: "OVERLAY(string PLACING replacement FROM start [FOR length])",
        types: |args| fixed(args, 3, &[Param::Text, Param::Text, Param::Int, Param::Int], DataType::Utf8),
        eval: overlay,
        fails: false,
        examples: &[
            ("OVERLAY('banana' PLACING '__' FROM 3)", "ba__na"),
            ("OVERLAY('abcdef' PLACING 'XY' FROM 3 FOR 3)", "abXYf"),
            ("OVERLAY('abcdef' PLACING 'XY' FROM 3 FOR 0)", "abXY"),
            ("OVERLAY('abcdef' PLACING 'Z' FROM 10)", "abcdef"),
        ],
    },
    Function {
        names: &["REPLACE"],
        signature: "REPLACE(string, old, new)",
        types: |args| fixed(args, 3, &[Param::Text, Param::Text, Param::Text], DataType::Utf8),
        eval: replace,
        fails: true,
        examples: &[
            ("REPLACE('banana', 'a', 'oo')", "boonoonoo"),
            ("REPLACE('ab', '', 'x')", "xaxbx"),
            ("REPLACE('aaa', 'aa', 'b')", "ba"),
        ],
    },
    Function {
        names: &["TRANSLATE"],
        signature: "TRANSLATE(string, from, to)",
        types: |args| fixed(args, 3, &[Param::Text, Param::Text, Param::Text], DataType::Utf8),
        eval: translate,
        fails: true,
        examples: &[
            ("TRANSLATE('hello', 'el', 'ip')", "hippo"),
            ("TRANSLATE('hello', 'el', '')", "ho"),
            ("TRANSLATE('abc', CAST(NULL AS STRING), 'x')", "abc"),
            ("TRANSLATE('abc', 'a', CAST(NULL AS STRING))", "bc"),
        ],
    },
];

/// How many characters a text has.
fn characters(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.chars().count(),
    }
}

/// Where the character with a number, from 0, begins; the end where there is none.
fn byte_of(text: &str, index: usize) -> usize {
    match text.is_ascii() {
        true => index.min(text.len()),
        false => text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte),
    }
}

/// The part of a text from a place on, which a negative number counts from the end.
fn part(text: &str, start: i32, length: usize) -> &str {
    let first = match start {
        1.. => start as usize - 1,
        0 => 0,
        _ => match characters(text).checked_sub(start.unsigned_abs() as usize) {
            Some(first) => first,
            None => return "",
        },
    };
    let rest = &text[byte_of(text, first)..];
    &rest[..byte_of(rest, length)]
}

fn substring(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let start = call.column::<Int32Array>(1)?;
    if call.arity() == 2 {
        return call
            .texts(|row| Ok(text.get(row).zip(start.get(row)).map(|(t, start)| part(t, start, usize::MAX))));
    }
    let length = call.column::<Int32Array>(2)?;
    call.texts(|row| {
        let length = length.get(row).and_then(|length| usize::try_from(length).ok());
        let found = text.get(row).zip(start.get(row)).zip(length);
        Ok(found.map(|((text, start), length)| part(text, start, length)))
    })
}

/// As many characters of one end; none for a negative number.
fn end_of(call: &Call<'_>, cut: for<'t> fn(&'t str, usize) -> &'t str) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let length = call.column::<Int32Array>(1)?;
    call.texts(|row| {
        let found = text.get(row).zip(length.get(row));
        Ok(found.map(|(text, length)| cut(text, usize::try_from(length).unwrap_or(0))))
    })
}

/// Without some characters, blanks where none are given, at one end or both.
fn trim(call: &Call<'_>, start: bool, end: bool) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let characters = match call.arity() {
        1 => None,
        _ => Some(call.column::<StringArray>(1)?),
    };
    call.texts(|row| {
        let characters = match &characters {
            Some(characters) => characters.get(row),
            None => Some(" "),
        };
        Ok(text.get(row).zip(characters).map(|(text, characters)| {
            let is_cut = |char| characters.contains(char);
            let text = if start { text.trim_start_matches(is_cut) } else { text };
            if end { text.trim_end_matches(is_cut) } else { text }
        }))
    })
}

fn pad(call: &Call<'_>, left: bool) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let length = call.column::<Int32Array>(1)?;
    let padding = call.column::<StringArray>(2)?;
    call.write_texts(|row, out| {
        let Some(((text, length), padding)) = text.get(row).zip(length.get(row)).zip(padding.get(row)) else {
            return Ok(false);
        };
        let Ok(length) = usize::try_from(length) else { return Ok(false) };
        if padding.is_empty() {
            return Ok(false);
        }
        check_bytes(length)?;
        if text.is_ascii() && padding.is_ascii() {
            pad_ascii(text, length, padding, left, out);
            return Ok(true);
        }
        let (text, padding) = (utf16::units(text), utf16::units(padding));
        let text = &text[..text.len().min(length)];
        let missing = padding.iter().copied().cycle().take(length - text.len());
        let padded: Vec<u16> = match left {
            true => missing.chain(text.iter().copied()).collect(),
            false => text.iter().copied().chain(missing).collect(),
        };
        utf16::push(&padded, out);
        Ok(true)
    })
}

fn pad_ascii(text: &str, length: usize, padding: &str, left: bool, out: &mut String) {
    let text = &text[..text.len().min(length)];
    if !left {
        out.push_str(text);
    }
    let mut missing = length - text.len();
    while missing > 0 {
        let part = &padding[..padding.len().min(missing)];
        out.push_str(part);
        missing -= part.len();
    }
    if left {
        out.push_str(text);
    }
}

fn repeat(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let count = call.column::<Int32Array>(1)?;
    call.write_texts(|row, out| {
        let Some((text, count)) = text.get(row).zip(count.get(row)) else { return Ok(false) };
        let count = usize::try_from(count).unwrap_or(0);
        check_bytes(text.len().saturating_mul(count))?;
        if !text.is_empty() {
            (0..count).for_each(|_| out.push_str(text));
        }
        Ok(true)
    })
}

/// What is replaced is as long as the replacement unless it is said. As in Flink nothing is left behind a replacement of
/// nothing or of less, nor behind one that reaches the end.
fn overlay(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let replacement = call.column::<StringArray>(1)?;
    let start = call.column::<Int32Array>(2)?;
    let length = match call.arity() {
        3 => None,
        _ => Some(call.column::<Int32Array>(3)?),
    };
    call.write_texts(|row, out| {
        let given = text.get(row).zip(replacement.get(row)).zip(start.get(row));
        let Some(((text, replacement), start)) = given else { return Ok(false) };
        let length = match &length {
            None => utf16::count(replacement) as i64,
            Some(length) => match length.get(row) {
                Some(length) => i64::from(length),
                None => return Ok(false),
            },
        };
        let units = utf16::units(text);
        let first = match usize::try_from(start) {
            Ok(start @ 1..) if start <= units.len() => start - 1,
            _ => {
                out.push_str(text);
                return Ok(true);
            }
        };
        let behind = usize::try_from(length).ok().filter(|length| *length > 0).map(|length| first + length);
        let mut replaced = units[..first].to_vec();
        replaced.extend(replacement.encode_utf16());
        if let Some(rest) = behind.and_then(|behind| units.get(behind..)) {
            replaced.extend(rest);
        }
        utf16::push(&replaced, out);
        Ok(true)
    })
}

fn replace(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let old = call.column::<StringArray>(1)?;
    let new = call.column::<StringArray>(2)?;
    call.write_texts(|row, out| {
        let Some(((text, old), new)) = text.get(row).zip(old.get(row)).zip(new.get(row)) else {
            return Ok(false);
        };
        if old.is_empty() {
            return between_units(text, new, out).map(|()| true);
        }
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(old) {
            check_bytes(out.len() + before.len() + new.len())?;
            out.push_str(before);
            out.push_str(new);
            rest = behind;
        }
        out.push_str(rest);
        Ok(true)
    })
}

/// A text between all units of another one, and around it.
fn between_units(text: &str, new: &str, out: &mut String) -> Result<(), Failed> {
    check_bytes(text.len() + (text.len() + 1).saturating_mul(new.len()))?;
    out.push_str(new);
    for char in text.chars() {
        match char.len_utf16() {
            1 => out.push(char),
            _ => {
                out.push('?');
                out.push_str(new);
                out.push('?');
            }
        }
        out.push_str(new);
    }
    Ok(())
}

/// Each character that stands in `from` becomes the one at its place in `to`, or nothing.
fn translate(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let from = call.column::<StringArray>(1)?;
    let to = call.column::<StringArray>(2)?;
    let mut table: (&str, &str, Vec<char>, Vec<char>) = ("", "", Vec::new(), Vec::new());
    call.write_texts(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        let (from, to) = (from.get(row).unwrap_or_default(), to.get(row).unwrap_or_default());
        if (table.0, table.1) != (from, to) {
            table = (from, to, from.chars().collect(), to.chars().collect());
        }
        let (_, _, from, to) = &table;
        out.extend(text.chars().filter_map(|char| match from.iter().position(|from| *from == char) {
            Some(place) => to.get(place).copied(),
            None => Some(char),
        }));
        Ok(true)
    })
}
