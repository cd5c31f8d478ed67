//! Functions of whole texts: their case, their length, texts put together and compared.
//!
//! A character is a Unicode code point.

use super::{Call, Failed, Function, Param, Typed, fixed, variadic};
use arrow::array::{ArrayRef, BinaryArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use std::borrow::Cow;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["UPPER"],
        signature: "UPPER(string)",
        types: text_of_text,
        eval: |call| mapped(call, |text| Cow::Owned(text.to_uppercase())),
        fails: false,
        examples: &[("UPPER('straße')", "STRASSE"), ("UPPER(CAST(NULL AS STRING))", "null")],
    },
    Function {
        names: &["LOWER"],
        signature: "LOWER(string)",
        types: text_of_text,
        eval: |call| mapped(call, |text| Cow::Owned(text.to_lowercase())),
        fails: false,
        examples: &[("LOWER('ÀÉ')", "àé"), ("LOWER('ΑΣ ΣΑ')", "ας σα")],
    },
    Function {
        names: &["INITCAP"],
        signature: "INITCAP(string)",
        types: text_of_text,
        eval: |call| mapped(call, |text| Cow::Owned(capitalized(text))),
        fails: false,
        examples: &[
            ("INITCAP('hello world-x o''neil x1y2 HELLO')", "Hello World-X O'Neil X1y2 Hello"),
            ("INITCAP('héllo')", "Héllo"),
        ],
    },
    Function {
        names: &["REVERSE"],
        signature: "REVERSE(string)",
        types: text_of_text,
        eval: |call| mapped(call, |text| Cow::Owned(text.chars().rev().collect())),
        fails: false,
        examples: &[("REVERSE('banana')", "ananab"), ("REVERSE('é😀')", "😀é")],
    },
    Function {
        names: &["CHAR_LENGTH", "CHARACTER_LENGTH"],
        signature: "CHAR_LENGTH(string)",
        types: |args| fixed(args, 1, &[Param::Text], DataType::Int32),
        eval: |call| counted(call, |text| text.chars().count() as i32),
        fails: false,
        examples: &[("CHAR_LENGTH('😀a𝒳b')", "4"), ("CHARACTER_LENGTH('é')", "1")],
    },
    Function {
        names: &["ASCII"],
        signature: "ASCII(string)",
        types: |args| fixed(args, 1, &[Param::Text], DataType::Int32),
        // The first byte, which is signed.
        eval: |call| counted(call, |text| text.bytes().next().map_or(0, |byte| i32::from(byte as i8))),
        fails: false,
        examples: &[("ASCII('banana')", "98"), ("ASCII('')", "0"), ("ASCII('é')", "-61")],
    },
    Function {
        names: &["CHR"],
        signature: "CHR(integer)",
        types: |args| fixed(args, 1, &[Param::Long], DataType::Utf8),
        eval: chr,
        fails: false,
        examples: &[("CHR(65)", "A"), ("CHR(321)", "A"), ("CHR(255)", "ÿ"), ("CHR(-1)", "")],
    },
    Function {
        names: &["CONCAT"],
        signature: "CONCAT(string1, string2, ..)",
        types: |args| match args {
            [] => Err("takes at least 1 argument".to_owned()),
            args => variadic(args, &[], Param::Text, DataType::Utf8),
        },
        eval: concat,
        fails: false,
        examples: &[("CONCAT('a', 'b', 'c')", "abc"), ("CONCAT('a', CAST(NULL AS STRING))", "null")],
    },
    Function {
        names: &["CONCAT_WS"],
        signature: "CONCAT_WS(separator, string1, string2, ..)",
        types: |args| variadic(args, &[Param::Text], Param::Text, DataType::Utf8),
        eval: concat_with,
        fails: false,
        examples: &[
            ("CONCAT_WS(',', 'a', CAST(NULL AS STRING), 'b')", "a,b"),
            ("CONCAT_WS(CAST(NULL AS STRING), 'a')", "null"),
            ("CONCAT_WS(',')", ""),
        ],
    },
    Function {
        names: &["ELT"],
        signature: "ELT(index, value1, value2, ..)",
        types: |args| {
            let bytes = args.get(1).is_some_and(|arg| *arg.data_type == DataType::Binary);
            let (param, returns) = match bytes {
                true => (Param::Bytes, DataType::Binary),
                false => (Param::Text, DataType::Utf8),
            };
            variadic(args, &[Param::Int, param], param, returns)
        },
        eval: elt,
        fails: false,
        examples: &[("ELT(2, 'a', 'b')", "b"), ("ELT(4, 'a', 'b')", "null"), ("ELT(0, 'a')", "null")],
    },
    Function {
        names: &["STARTSWITH"],
        signature: "STARTSWITH(value, prefix)",
        types: two_alike,
        eval: |call| compared(call, |value, prefix| value.starts_with(prefix)),
        fails: false,
        examples: &[
            ("STARTSWITH('abc', 'ab')", "true"),
            ("STARTSWITH('abc', '')", "true"),
            ("STARTSWITH(X'0102', X'02')", "false"),
        ],
    },
    Function {
        names: &["ENDSWITH"],
        signature: "ENDSWITH(value, suffix)",
        types: two_alike,
        eval: |call| compared(call, |value, suffix| value.ends_with(suffix)),
        fails: false,
        examples: &[("ENDSWITH('banana', 'na')", "true"), ("ENDSWITH(X'0102', X'02')", "true")],
    },
];

/// The types of a function from one text to another.
pub(super) fn text_of_text(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    fixed(args, 1, &[Param::Text], DataType::Utf8)
}

/// Two texts, or two times bytes.
fn two_alike(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    let param = match args.iter().any(|arg| *arg.data_type == DataType::Binary) {
        true => Param::Bytes,
        false => Param::Text,
    };
    fixed(args, 2, &[param, param], DataType::Boolean)
}

/// A text of each text.
pub(super) fn mapped(call: &Call<'_>, map: fn(&str) -> Cow<'_, str>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    call.texts(|row| Ok(text.get(row).map(map)))
}

/// A number of each text.
fn counted(call: &Call<'_>, count: fn(&str) -> i32) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    call.numbers::<Int32Type>(|row| Ok(text.get(row).map(count)))
}

/// Upper case at the beginning of each word, lower case behind it; words are of letters and digits.
fn capitalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for char in text.chars() {
        match (char.is_alphanumeric(), inside) {
            (true, true) => out.extend(char.to_lowercase()),
            (true, false) => {
                let mut upper = char.to_uppercase();
                out.extend(upper.next());
                out.extend(upper.flat_map(char::to_lowercase));
            }
            (false, _) => out.push(char),
        }
        inside = char.is_alphanumeric();
    }
    out
}

/// The character of the lowest byte of a number.
fn chr(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let code = call.column::<arrow::array::Int64Array>(0)?;
    call.write_texts(|row, out| {
        let Some(code) = code.get(row) else { return Ok(false) };
        if code >= 0 {
            out.push(char::from(code as u8));
        }
        Ok(true)
    })
}

fn concat(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let texts = all_texts(call, 0)?;
    call.write_texts(|row, out| {
        for text in &texts {
            let Some(text) = text.get(row) else { return Ok(false) };
            out.push_str(text);
        }
        Ok(true)
    })
}

/// Nulls are left out, but for the separator.
fn concat_with(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let separator = call.column::<StringArray>(0)?;
    let texts = all_texts(call, 1)?;
    call.write_texts(|row, out| {
        let Some(separator) = separator.get(row) else { return Ok(false) };
        let mut first = true;
        for text in texts.iter().filter_map(|text| text.get(row)) {
            if !std::mem::take(&mut first) {
                out.push_str(separator);
            }
            out.push_str(text);
        }
        Ok(true)
    })
}

fn all_texts<'a>(call: &Call<'a>, from: usize) -> Result<Vec<super::Column<'a, StringArray>>, Failed> {
    (from..call.arity()).map(|arg| call.column::<StringArray>(arg)).collect()
}

/// The argument that the first one numbers, from 1.
fn elt(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let index = call.column::<Int32Array>(0)?;
    let chosen = |row: usize, count: usize| {
        let index = index.get(row).and_then(|index| usize::try_from(index).ok())?;
        index.checked_sub(1).filter(|index| *index < count)
    };
    if *call.returns() == DataType::Binary {
        let values: Vec<_> =
            (1..call.arity()).map(|arg| call.column::<BinaryArray>(arg)).collect::<Result<_, _>>()?;
        return call.bytes(|row| Ok(chosen(row, values.len()).and_then(|index| values[index].get(row))));
    }
    let texts = all_texts(call, 1)?;
    call.texts(|row| Ok(chosen(row, texts.len()).and_then(|index| texts[index].get(row))))
}

/// Compares the bytes of two arguments.
fn compared(call: &Call<'_>, compare: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef, Failed> {
    if let Ok(value) = call.column::<BinaryArray>(0) {
        let part = call.column::<BinaryArray>(1)?;
        return call.booleans(|row| Ok(value.get(row).zip(part.get(row)).map(|(v, p)| compare(v, p))));
    }
    let value = call.column::<StringArray>(0)?;
    let part = call.column::<StringArray>(1)?;
    call.booleans(|row| {
        Ok(value.get(row).zip(part.get(row)).map(|(v, p)| compare(v.as_bytes(), p.as_bytes())))
    })
}
