//! Values of parameters, as clients send them, to what stands in a text of Flink's SQL.

use super::digits;
use super::moment::{DAY_MICROS, DAYS_TO_2000, clock, date, days, micros_of_day, moment};
use crate::error::Trouble;
use crate::types::{Kind, format_type};

/// The value of a parameter, as it stands in a text of SQL. It can be nothing else there than this value.
pub(crate) fn literal(value: Option<&[u8]>, kind: Kind, binary: bool) -> Result<String, Trouble> {
    let type_name = kind.in_flink();
    let Some(bytes) = value else { return Ok(format!("CAST(NULL AS {type_name})")) };
    let text = of_parameter(bytes, kind, binary)?;
    let trimmed = text.trim();
    let is_finite = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    let written = match kind {
        Kind::Bool => truth(trimmed).map(|holds| if holds { "TRUE" } else { "FALSE" }.to_owned()),
        Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid => {
            trimmed.parse::<i64>().ok().map(|number| format!("CAST('{number}' AS {type_name})"))
        }
        Kind::Float4 | Kind::Float8 => {
            is_finite(trimmed).then(|| format!("CAST('{trimmed}' AS {type_name})"))
        }
        Kind::Numeric(..) => digits(trimmed)
            .filter(|number| number.exponent <= 0 && number.digits.len() <= 38)
            .and_then(|number| {
                Some(format!("CAST('{}' AS {type_name})", number.text(u8::try_from(-number.exponent).ok()?)))
            }),
        Kind::Date => days(trimmed).map(|days| format!("DATE '{}'", date(days))),
        Kind::Time => micros_of_day(trimmed).map(|micros| format!("TIME '{}'", clock(micros))),
        Kind::Timestamp | Kind::TimestampTz => {
            let zoned = kind == Kind::TimestampTz;
            let at = moment(trimmed, zoned);
            let text = at.map(|at| {
                let day = date(at.div_euclid(DAY_MICROS) + DAYS_TO_2000);
                format!("{day} {}", clock(at.rem_euclid(DAY_MICROS)))
            });
            text.map(|text| match zoned {
                true => format!("CAST('{text}Z' AS {type_name})"),
                false => format!("TIMESTAMP '{text}'"),
            })
        }
        Kind::Bytes => hex(bytes, &text, binary).map(|hex| format!("x'{hex}'")),
        Kind::Char | Kind::Name | Kind::Text | Kind::Json => {
            (!text.contains('\0')).then(|| format!("'{}'", text.replace('\'', "''")))
        }
        Kind::TextArray | Kind::IntArray => {
            return Err(Trouble::unsupported(
                "parameters that are arrays are not supported",
                "give each value a parameter of its own: IN ($1, $2)",
            ));
        }
    };
    written.ok_or_else(|| bad(kind))
}

/// The value of a parameter that says how many rows are wanted.
pub(crate) fn count(value: Option<&[u8]>, kind: Kind, binary: bool) -> Result<String, Trouble> {
    let text = of_parameter(value.ok_or_else(|| bad(Kind::Int8))?, kind, binary)?;
    let number = text.trim().parse::<u64>().map_err(|_| bad(Kind::Int8))?;
    Ok(number.to_string())
}

fn bad(kind: Kind) -> Trouble {
    Trouble::new("22P02", format!("a parameter is no {}", format_type(kind.oid(), None)))
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" | "on" | "yes" | "y" => Some(true),
        "f" | "false" | "0" | "off" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// Bytes in the digits of Flink's literal.
fn hex(bytes: &[u8], text: &str, binary: bool) -> Option<String> {
    let hex: String = match binary {
        true => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        false => text.strip_prefix("\\x")?.to_owned(),
    };
    (hex.len().is_multiple_of(2) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hex)
}

/// The text of a parameter, whichever way it was sent.
pub(crate) fn of_parameter(bytes: &[u8], kind: Kind, binary: bool) -> Result<String, Trouble> {
    let text = match binary {
        true => from_binary(bytes, kind),
        false => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.ok_or_else(|| bad(kind))
}

/// The text of a value in binary.
pub(super) fn from_binary(bytes: &[u8], kind: Kind) -> Option<String> {
    let text = match kind {
        Kind::Bool => (*bytes.first()? != 0).to_string(),
        Kind::Int2 => i16::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Int4 => i32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Int8 => i64::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Oid => u32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Float4 => f32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Float8 => f64::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Kind::Date => date(i64::from(i32::from_be_bytes(bytes.try_into().ok()?)) + DAYS_TO_2000),
        Kind::Time => clock(i64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Timestamp | Kind::TimestampTz => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            let day = date(micros.div_euclid(DAY_MICROS) + DAYS_TO_2000);
            format!("{day} {}", clock(micros.rem_euclid(DAY_MICROS)))
        }
        Kind::Numeric(..) => numeric_text(bytes)?,
        Kind::Bytes => String::new(),
        Kind::Char | Kind::Name | Kind::Text | Kind::Json => std::str::from_utf8(bytes).ok()?.to_owned(),
        Kind::TextArray | Kind::IntArray => return None,
    };
    Some(text)
}

/// The digits of a decimal in binary.
fn numeric_text(bytes: &[u8]) -> Option<String> {
    let mut words = bytes.chunks_exact(2).filter_map(|word| word.try_into().ok()).map(u16::from_be_bytes);
    let (count, weight, sign, scale) = (words.next()?, words.next()? as i16, words.next()?, words.next()?);
    let groups: Vec<u16> = words.collect();
    if groups.len() != usize::from(count) || groups.iter().any(|group| *group > 9_999) || sign & 0x8000 != 0 {
        return None;
    }
    if groups.len() > 100 || weight.unsigned_abs() > 100 || scale > 100 {
        return None;
    }
    let group =
        |at: i16| usize::try_from(weight - at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    let whole: String = (0..=weight.max(0)).rev().map(|at| format!("{:04}", group(at))).collect();
    let fraction: String =
        (1..=25).map(|at| format!("{:04}", group(-at))).take(usize::from(scale).div_ceil(4)).collect();
    let fraction: String = fraction.chars().take(usize::from(scale)).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if sign == 0x4000 { "-" } else { "" };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}
