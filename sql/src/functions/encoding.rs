//! Texts as bytes, digits and Base64, and back.

use super::{Call, Failed, Function, Param, Typed, fixed};
use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use arrow::datatypes::DataType;
use std::borrow::Cow;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["HEX"],
        signature: "HEX(integer), HEX(string)",
        types: |args| number_or_text(args, true),
        eval: hex,
        fails: false,
        examples: &[("HEX('é')", "C3A9"), ("HEX(255)", "FF"), ("HEX(-1)", "FFFFFFFFFFFFFFFF")],
    },
    Function {
        names: &["UNHEX"],
        signature: "UNHEX(string)",
        types: |args| fixed(args, 1, &[Param::Text], DataType::Binary),
        eval: |call| {
            let text = call.column::<StringArray>(0)?;
            call.bytes(|row| Ok(text.get(row).and_then(unhex)))
        },
        fails: false,
        examples: &[("UNHEX('0AfF')", "[10, -1]"), ("UNHEX('ABC')", "[0, -68]"), ("UNHEX('0G')", "null")],
    },
    Function {
        names: &["BIN"],
        signature: "BIN(integer)",
        types: |args| fixed(args, 1, &[Param::Long], DataType::Utf8),
        eval: |call| {
            let number = call.column::<Int64Array>(0)?;
            call.texts(|row| Ok(number.get(row).map(|number| format!("{number:b}"))))
        },
        fails: false,
        examples: &[
            ("BIN(5)", "101"),
            ("BIN(0)", "0"),
            ("BIN(-1)", "1111111111111111111111111111111111111111111111111111111111111111"),
        ],
    },
    Function {
        names: &["TO_BASE64"],
        signature: "TO_BASE64(string), TO_BASE64(bytes)",
        types: text_or_bytes,
        eval: to_base64,
        fails: false,
        examples: &[("TO_BASE64('hé')", "aMOp"), ("TO_BASE64(X'FFFE')", "//4=")],
    },
    Function {
        names: &["FROM_BASE64"],
        signature: "FROM_BASE64(string)",
        types: |args| fixed(args, 1, &[Param::Text], DataType::Utf8),
        eval: from_base64,
        fails: true,
        examples: &[("FROM_BASE64('aGVsbG8gd29ybGQ')", "hello world"), ("FROM_BASE64('w6k=')", "é")],
    },
    Function {
        names: &["ENCODE"],
        signature: "ENCODE(string, charset)",
        types: |args| charset_of(args, 1, fixed(args, 2, &[Param::Text, Param::Text], DataType::Binary)),
        eval: encode,
        fails: true,
        examples: &[
            ("ENCODE('aé', 'UTF-8')", "[97, -61, -87]"),
            ("ENCODE('é', 'UTF-16')", "[-2, -1, 0, -23]"),
            ("ENCODE('€', 'ISO-8859-1')", "[63]"),
        ],
    },
    Function {
        names: &["DECODE"],
        signature: "DECODE(bytes, charset)",
        types: |args| charset_of(args, 1, fixed(args, 2, &[Param::Bytes, Param::Text], DataType::Utf8)),
        eval: decode,
        fails: true,
        examples: &[("DECODE(X'48C3A9', 'UTF-8')", "Hé"), ("DECODE(X'E9', 'ISO-8859-1')", "é")],
    },
    Function {
        names: &["URL_ENCODE"],
        signature: "URL_ENCODE(string)",
        types: super::string::text_of_text,
        eval: |call| {
            let text = call.column::<StringArray>(0)?;
            call.write_texts(|row, out| Ok(text.get(row).map(|text| url_encode(text, out)).is_some()))
        },
        fails: false,
        examples: &[("URL_ENCODE('ü/ *~')", "%C3%BC%2F+*%7E")],
    },
    Function {
        names: &["URL_DECODE"],
        signature: "URL_DECODE(string)",
        types: super::string::text_of_text,
        eval: |call| {
            let text = call.column::<StringArray>(0)?;
            call.texts(|row| Ok(text.get(row).and_then(url_decode)))
        },
        fails: false,
        examples: &[("URL_DECODE('a+b%20c%C3%A9')", "a b cé"), ("URL_DECODE('%zz')", "null")],
    },
];

/// Hexadecimal digits in lower case.
pub(super) const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Appends bytes as digits.
pub(super) fn push_hex(bytes: &[u8], digits: &[u8; 16], out: &mut String) {
    for byte in bytes {
        out.push(char::from(digits[usize::from(byte >> 4)]));
        out.push(char::from(digits[usize::from(byte & 15)]));
    }
}

/// A whole number or a text.
fn number_or_text(args: &[super::Arg<'_>], number: bool) -> Result<Typed, String> {
    let is_number = args.first().is_some_and(|arg| Param::Long.accepts(arg.data_type));
    let param = if number && is_number { Param::Long } else { Param::Text };
    fixed(args, 1, &[param], DataType::Utf8)
}

fn text_or_bytes(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    let is_bytes = args.first().is_some_and(|arg| *arg.data_type == DataType::Binary);
    fixed(args, 1, &[if is_bytes { Param::Bytes } else { Param::Text }], DataType::Utf8)
}

fn hex(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    if let Ok(number) = call.column::<Int64Array>(0) {
        return call.texts(|row| Ok(number.get(row).map(|number| format!("{number:X}"))));
    }
    let text = call.column::<StringArray>(0)?;
    call.write_texts(|row, out| Ok(text.get(row).map(|text| push_hex(text.as_bytes(), UPPER, out)).is_some()))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Bytes of digits. As documented by Flink, the first of an odd number of digits is dropped, and a zero stands for it.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let (odd, digits) = digits.split_at(digits.len() % 2);
    let mut bytes = Vec::with_capacity(odd.len() + digits.len() / 2);
    if let [first] = odd {
        digit(*first)?;
        bytes.push(0);
    }
    for pair in digits.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(bytes)
}

fn to_base64(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    if let Ok(bytes) = call.column::<BinaryArray>(0) {
        return call
            .write_texts(|row, out| Ok(bytes.get(row).map(|bytes| push_base64(bytes, out)).is_some()));
    }
    let text = call.column::<StringArray>(0)?;
    call.write_texts(|row, out| Ok(text.get(row).map(|text| push_base64(text.as_bytes(), out)).is_some()))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes in Base64.
pub(super) fn push_base64(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            match index <= chunk.len() {
                true => out.push(char::from(BASE64[(bits >> (18 - 6 * index) & 63) as usize])),
                false => out.push('='),
            }
        }
    }
}

fn from_base64(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    call.texts(|row| match text.get(row) {
        None => Ok(None),
        Some(text) => match base64_bytes(text) {
            Some(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            None => Err(Failed::from("FROM_BASE64 takes Base64, which this text is not")),
        },
    })
}

/// As Java decodes: padding may be missing, but not be wrong.
fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let missing = match digits.len() % 4 {
        0 => 0,
        1 => return None,
        rest => 4 - rest,
    };
    if padding != 0 && padding != missing {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0;
        for byte in chunk {
            bits = bits << 6 | BASE64.iter().position(|digit| digit == byte)? as u32;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend(&bits.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

/// A character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// Big-endian with a mark; without one it is read as big-endian.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// By a name that Java knows.
    fn named(name: &str) -> Result<Self, Failed> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "US-ASCII" | "ASCII" => Charset::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "LATIN1" => Charset::Latin1,
            "UTF-8" | "UTF8" => Charset::Utf8,
            "UTF-16" | "UTF16" => Charset::Utf16,
            "UTF-16BE" => Charset::Utf16Be,
            "UTF-16LE" => Charset::Utf16Le,
            _ => {
                return Err(Failed(format!(
                    "there is no charset '{name}'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE, UTF-16"
                )));
            }
        })
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let single = |limit: u32| {
            text.chars().map(|char| if u32::from(char) < limit { char as u8 } else { b'?' }).collect()
        };
        let big = |mark: &[u8]| {
            let units = text.encode_utf16().flat_map(u16::to_be_bytes);
            mark.iter().copied().chain(units).collect()
        };
        match self {
            Charset::Ascii => single(0x80),
            Charset::Latin1 => single(0x100),
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Utf16 if text.is_empty() => Vec::new(),
            Charset::Utf16 => big(&[0xfe, 0xff]),
            Charset::Utf16Be => big(&[]),
            Charset::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }

    /// What can't be read becomes U+FFFD.
    fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Charset::Utf8 => String::from_utf8_lossy(bytes),
            Charset::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' })
                .collect(),
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Utf16 => match bytes {
                [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).into(),
                [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).into(),
                bytes => decode_utf16(bytes, u16::from_be_bytes).into(),
            },
            Charset::Utf16Be => decode_utf16(bytes, u16::from_be_bytes).into(),
            Charset::Utf16Le => decode_utf16(bytes, u16::from_le_bytes).into(),
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks_exact(2);
    let odd = (!pairs.remainder().is_empty()).then_some('\u{fffd}');
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|decoded| decoded.unwrap_or('\u{fffd}')).chain(odd).collect()
}

/// Refuses a constant that is no charset.
fn charset_of(args: &[super::Arg<'_>], place: usize, typed: Result<Typed, String>) -> Result<Typed, String> {
    let typed = typed?;
    match args.get(place).and_then(super::Arg::text).map(Charset::named) {
        Some(Err(Failed(wrong))) => Err(format!("takes a charset: {wrong}")),
        _ => Ok(typed),
    }
}

fn encode(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let charset = call.column::<StringArray>(1)?;
    call.bytes(|row| match text.get(row).zip(charset.get(row)) {
        Some((text, charset)) => Ok(Some(Charset::named(charset)?.encode(text))),
        None => Ok(None),
    })
}

fn decode(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let bytes = call.column::<BinaryArray>(0)?;
    let charset = call.column::<StringArray>(1)?;
    call.texts(|row| match bytes.get(row).zip(charset.get(row)) {
        Some((bytes, charset)) => Ok(Some(Charset::named(charset)?.decode(bytes))),
        None => Ok(None),
    })
}

/// As forms are encoded: letters, digits and `.-*_` stay, a blank is `+`.
fn url_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            byte => {
                out.push('%');
                push_hex(&[byte], UPPER, out);
            }
        }
    }
}

/// `None` where a `%` is not followed by two digits, which may have a plus sign, as Java reads them.
fn url_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (pair, behind) = rest.split_at_checked(2)?;
                bytes.push(match pair[0] {
                    b'+' => digit(pair[1])?,
                    first => digit(first)? << 4 | digit(pair[1])?,
                });
                rest = behind;
            }
            byte => bytes.push(*byte),
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}
