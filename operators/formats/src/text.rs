//! Values of columns from plain text: fields of CSV, and strings of JSON where a column is not a string.

use super::datetime::{
    LastDate, TimestampStandard, parse_date, parse_loose_date, parse_time, timestamp_prefix,
};
use super::numbers::{NotDecimal, parse_decimal, parse_f64, parse_i64, trim};
use crate::columns::ColumnBuilder;
use arrow::datatypes::TimeUnit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How text is read, and the date read last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextRules {
    /// How timestamps are written.
    pub(crate) timestamps: TimestampStandard,
    /// Whether dates may have single digits, times no seconds and timestamps spaces around them, as in CSV.
    pub(crate) loose: bool,
    pub(crate) last_date: LastDate,
}

/// Why text is no value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is a value of another kind.
    Kind,
    /// It is a number outside the column's range.
    Range,
}

/// Appends the value that `text`, which is UTF-8, stands for. Nothing is appended on failure.
pub(crate) fn append_text(
    column: &mut ColumnBuilder,
    text: &[u8],
    rules: &mut TextRules,
) -> Result<(), Unfit> {
    use ColumnBuilder as C;
    match column {
        C::Utf8(column) => column.append(text),
        C::Boolean(column) => column.append(trim(text).eq_ignore_ascii_case(b"true")),
        C::Int8(column) => column.append(integer(text)?),
        C::Int16(column) => column.append(integer(text)?),
        C::Int32(column) => column.append(integer(text)?),
        C::Int64(column) => column.append(integer(text)?),
        C::Float32(column) => column.append(float32(trim(text))?),
        C::Float64(column) => column.append(float64(trim(text))?),
        C::Decimal(column, precision, scale) => column.append(decimal(trim(text), *precision, *scale)?),
        C::Binary(column) => {
            let start = column.open().len();
            if STANDARD.decode_vec(text, column.open()).is_err() {
                column.open().truncate(start);
                return Err(Unfit::Kind);
            }
            column.seal();
        }
        C::Date(column) => {
            let days = if rules.loose { parse_loose_date(text) } else { parse_date(text) };
            column.append(days.ok_or(Unfit::Kind)?);
        }
        C::Time32(column, unit) => column.append(time(text, *unit, rules)? as i32),
        C::Time64(column, unit) => column.append(time(text, *unit, rules)?),
        C::Timestamp(column, unit, zone) => {
            let text = if rules.loose { trim(text) } else { text };
            let instant = timestamp_prefix(text, rules.timestamps, zone.is_some(), &mut rules.last_date);
            let instant = instant.filter(|(_, rest)| rest.is_empty()).ok_or(Unfit::Kind)?.0;
            column.append(instant.in_unit(*unit).ok_or(Unfit::Range)?);
        }
        C::Struct(_) | C::List(_) | C::Map(_) => return Err(Unfit::Kind),
    }
    Ok(())
}

fn integer<T: TryFrom<i64>>(text: &[u8]) -> Result<T, Unfit> {
    let text = trim(text);
    match parse_i64(text) {
        Some(value) => T::try_from(value).map_err(|_| Unfit::Range),
        None => Err(if is_whole(text) { Unfit::Range } else { Unfit::Kind }),
    }
}

fn is_whole(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// A `DOUBLE`. A finite number that is too large is out of range, not infinite.
pub(crate) fn float64(text: &[u8]) -> Result<f64, Unfit> {
    let value = parse_f64(text).ok_or(Unfit::Kind)?;
    if value.is_infinite() && !text.ends_with(b"y") { Err(Unfit::Range) } else { Ok(value) }
}

/// A `FLOAT`, rounded once.
pub(crate) fn float32(text: &[u8]) -> Result<f32, Unfit> {
    let wide = float64(text)?;
    if !wide.is_finite() {
        return Ok(wide as f32);
    }
    let value: f32 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Unfit::Kind)?;
    if value.is_infinite() { Err(Unfit::Range) } else { Ok(value) }
}

pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, Unfit> {
    parse_decimal(text, precision, scale).map_err(|why| match why {
        NotDecimal::Text => Unfit::Kind,
        NotDecimal::Range => Unfit::Range,
    })
}

fn time(text: &[u8], unit: TimeUnit, rules: &TextRules) -> Result<i64, Unfit> {
    parse_time(text, rules.loose).and_then(|time| time.in_unit(unit)).ok_or(Unfit::Kind)
}
