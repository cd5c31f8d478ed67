//! Values of answers, which are JSON, to what clients of PostgreSQL read: as text and in binary.

mod moment;
mod parameter;

pub(crate) use parameter::{count, literal, of_parameter};

use crate::types::Kind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use moment::{DAYS_TO_2000, days, micros, micros_of_day};

/// Writes a value behind its length; `json` is the value as it stands in an answer.
pub(crate) fn write(json: &str, kind: Kind, binary: bool, out: &mut Vec<u8>) {
    if json == "null" {
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        return;
    }
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    match binary {
        true => binary_value(json, kind, out),
        false => out.extend_from_slice(text(json, kind).as_bytes()),
    }
    let length = i32::try_from(out.len() - at - 4).unwrap_or(i32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// What stands between the quotes of a text, and anything else as it is.
fn plain(json: &str) -> String {
    match json.starts_with('"') {
        true => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
        false => json.to_owned(),
    }
}

/// A value as PostgreSQL writes it.
pub(crate) fn text(json: &str, kind: Kind) -> String {
    match kind {
        Kind::Bool => if json == "true" { "t" } else { "f" }.to_owned(),
        Kind::Json => json.to_owned(),
        Kind::Bytes => {
            let bytes = STANDARD.decode(plain(json)).unwrap_or_default();
            bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
        Kind::Float4 | Kind::Float8 => float(&plain(json)),
        Kind::Numeric(_, scale) => match digits(json) {
            Some(number) => number.text(scale),
            None => plain(json),
        },
        Kind::TimestampTz => {
            let text = plain(json).replace('T', " ");
            text.strip_suffix('Z').map(|text| format!("{text}+00")).unwrap_or(text)
        }
        _ => plain(json),
    }
}

/// As PostgreSQL writes a float: without a fraction where there is none, with an exponent where it is far from 1.
fn float(text: &str) -> String {
    let Ok(value) = text.parse::<f64>() else { return text.to_owned() };
    if !value.is_finite() {
        return text.to_owned();
    }
    // The digits are the shortest that mean the value, of 32 bits or 64: only where the point stands changes.
    let number = digits(text).map(|number| number.trimmed());
    let Some(number) = number else { return text.to_owned() };
    let exponent = number.exponent + number.digits.len() as i32 - 1;
    if value != 0.0 && !(-4..15).contains(&exponent) {
        let (first, rest) = number.digits.split_at(number.digits.len().min(1));
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if number.negative { "-" } else { "" };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs());
    }
    number.text(u8::try_from((-number.exponent).max(0)).unwrap_or(0))
}

/// A number as digits, the last of which counts 10 to the power of `exponent`.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    negative: bool,
    digits: String,
    exponent: i32,
}

/// Digits that a number may have: decimals have 38, and an exponent may put zeros behind them.
const DIGITS_MAX: i32 = 400;

/// Takes a number apart: `-1.50`, `1.0E-7`.
fn digits(text: &str) -> Option<Digits> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() > 1_000 {
        return None;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    (-DIGITS_MAX..=DIGITS_MAX).contains(&exponent).then_some(Digits { negative, digits, exponent })
}

impl Digits {
    /// Without zeros at the end of a fraction.
    fn trimmed(mut self) -> Self {
        while self.digits.ends_with('0') {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            self.exponent = 0;
        }
        self
    }

    /// With so many digits behind the point. A decimal of a column has no more than that.
    fn text(&self, scale: u8) -> String {
        let scale = usize::from(scale);
        let mut digits = self.digits.clone();
        let shift = self.exponent + scale as i32;
        match usize::try_from(shift) {
            Ok(zeros) => digits.extend(std::iter::repeat_n('0', zeros)),
            Err(_) => digits.truncate(digits.len().saturating_sub(shift.unsigned_abs() as usize)),
        }
        let missing = (scale + 1).saturating_sub(digits.len());
        let digits = "0".repeat(missing) + &digits;
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.negative && digits.bytes().any(|digit| digit != b'0') { "-" } else { "" };
        let point = if scale == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

/// A value in binary. What is no value of its kind is sent as its text: it comes from whoever answered, and no client gets
/// a value that is another.
fn binary_value(json: &str, kind: Kind, out: &mut Vec<u8>) {
    let value = plain(json);
    let put = |bytes: Option<Vec<u8>>, out: &mut Vec<u8>| match bytes {
        Some(bytes) => out.extend_from_slice(&bytes),
        None => out.extend_from_slice(value.as_bytes()),
    };
    let bytes = match kind {
        Kind::Bool => Some(vec![u8::from(value == "true")]),
        Kind::Bytes => STANDARD.decode(&value).ok(),
        Kind::Int2 => value.parse::<i16>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Int4 => value.parse::<i32>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Int8 => value.parse::<i64>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Oid => value.parse::<u32>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Float4 => value.parse::<f32>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Float8 => value.parse::<f64>().ok().map(|number| number.to_be_bytes().to_vec()),
        Kind::Numeric(_, scale) => digits(&value).map(|number| numeric(&number.text(scale), scale)),
        Kind::Date => days(&value)
            .and_then(|days| i32::try_from(days - DAYS_TO_2000).ok())
            .map(|days| days.to_be_bytes().to_vec()),
        Kind::Time => micros_of_day(&value).map(|micros| micros.to_be_bytes().to_vec()),
        Kind::Timestamp | Kind::TimestampTz => micros(&value).map(|micros| micros.to_be_bytes().to_vec()),
        Kind::Json => Some(json.as_bytes().to_vec()),
        Kind::TextArray | Kind::IntArray => array(&value, kind),
        Kind::Char | Kind::Name | Kind::Text => None,
    };
    put(bytes, out);
}

/// Items of an array of the catalog, `{a,b}`, in binary.
fn array(text: &str, kind: Kind) -> Option<Vec<u8>> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let items: Vec<&str> = inside.split(',').filter(|item| !item.is_empty()).collect();
    let count = u32::try_from(items.len()).ok()?;
    let item_oid: u32 = if kind == Kind::IntArray { 23 } else { 25 };
    let mut out = Vec::new();
    let dimensions = u32::from(count > 0);
    [dimensions, 0, item_oid].iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    if count > 0 {
        [count, 1].iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    }
    for item in items {
        let bytes = match kind {
            Kind::IntArray => item.parse::<i32>().ok()?.to_be_bytes().to_vec(),
            _ => item.trim_matches('"').as_bytes().to_vec(),
        };
        out.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
        out.extend_from_slice(&bytes);
    }
    Some(out)
}

/// A decimal in groups of four digits: how many, the weight of the first, the sign, the digits behind the point, the groups.
fn numeric(text: &str, scale: u8) -> Vec<u8> {
    let (negative, number) = text.strip_prefix('-').map_or((false, text), |number| (true, number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = "0".repeat((4 - whole.len() % 4) % 4) + whole;
    let whole_groups = digits.len() / 4;
    let digits = digits + fraction + &"0".repeat((4 - fraction.len() % 4) % 4);
    let group = |chunk: &[u8]| {
        chunk.iter().fold(0_u16, |group, digit| group * 10 + u16::from(digit.wrapping_sub(b'0') % 10))
    };
    let groups: Vec<u16> = digits.as_bytes().chunks(4).map(group).collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups.iter().rev().take_while(|group| **group == 0).count();
    let kept = groups.get(leading..groups.len().saturating_sub(trailing)).unwrap_or_default();
    // 38 digits: these are small numbers.
    let weight = if kept.is_empty() { 0 } else { whole_groups as i16 - 1 - leading as i16 };
    let sign: u16 = if negative && !kept.is_empty() { 0x4000 } else { 0 };
    let mut out = Vec::new();
    out.extend_from_slice(&(kept.len() as u16).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&u16::from(scale).to_be_bytes());
    kept.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
    out
}

#[cfg(test)]
mod tests;
