//! Texts of values: what `CAST(x AS STRING)` gives, and all that makes texts of values.
//!
//! Flink's rules (`CharVarCharTrimPadCastRule`, `*ToStringCastRule` and Java's `Double.toString`): truth values in upper
//! case, floating numbers with the fewest digits that tell them apart, times with a blank and as many digits behind the
//! second as their type has, `NULL` inside of arrays, maps and rows.

use super::super::Failed;
use super::super::time::calendar::Date;
use super::super::time::zone::Zone;
use super::super::time::{Moment, SECOND, date_at, time_at, timestamp_at};
use super::decimal;
use super::detail::times;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
};
use std::fmt::Write;

/// What a text depends on beside the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style<'a> {
    /// The zone in which a `TIMESTAMP_LTZ` is read.
    pub(crate) zone: Zone,
    /// Digits behind the second of every time in the type, in their order; none where the units say them.
    pub(crate) digits: &'a [u8],
}

/// Writes the text of a value that is not null.
///
/// # Errors
/// For types that have no text.
pub(crate) fn write(array: &dyn Array, row: usize, style: Style<'_>, out: &mut String) -> Result<(), Failed> {
    use DataType as T;
    let digits = |unit: &TimeUnit| style.digits.first().copied().unwrap_or(digits_of(*unit));
    match array.data_type() {
        T::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        T::Boolean => out.push_str(if array.as_boolean().value(row) { "TRUE" } else { "FALSE" }),
        T::Int8 => written(out, array.as_primitive::<Int8Type>().value(row)),
        T::Int16 => written(out, array.as_primitive::<Int16Type>().value(row)),
        T::Int32 => written(out, array.as_primitive::<Int32Type>().value(row)),
        T::Int64 => written(out, array.as_primitive::<Int64Type>().value(row)),
        T::Float32 => write_f32(array.as_primitive::<Float32Type>().value(row), out),
        T::Float64 => write_f64(array.as_primitive::<Float64Type>().value(row), out),
        T::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            decimal::write(value, u8::try_from(*scale).unwrap_or(0), out);
        }
        T::Binary => out.push_str(&String::from_utf8_lossy(array.as_binary::<i32>().value(row))),
        T::Date32 => write_date(date_at(array, row).unwrap_or(0), out),
        T::Time32(unit) | T::Time64(unit) => {
            let nanos = time_at(array, row)?.unwrap_or(0);
            write_clock(nanos, digits(unit), out);
        }
        T::Timestamp(unit, zone) => {
            let moment = timestamp_at(array, row)?.unwrap_or(Moment { seconds: 0, nanos: 0 });
            let moment = if zone.is_some() { style.zone.local(moment) } else { moment };
            write_moment(moment, digits(unit), out);
        }
        T::List(_) | T::Map(_, _) | T::Struct(_) => write_nested(array, row, style, out)?,
        other => return Err(Failed(format!("{other} has no text"))),
    }
    Ok(())
}

fn written(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// Digits behind the second of a type with this unit.
pub(crate) fn digits_of(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// `[1, NULL]`, `{k=v}`, `(1, a)`.
fn write_nested(array: &dyn Array, row: usize, style: Style<'_>, out: &mut String) -> Result<(), Failed> {
    // The digits of the parts, one after the other.
    let mut rest = style.digits;
    let mut digits_of_part = |part: &dyn Array| {
        let (first, behind) = rest.split_at(times(part.data_type()).min(rest.len()));
        rest = behind;
        Style { digits: first, ..style }
    };
    let item = |array: &dyn Array, row: usize, style: Style<'_>, out: &mut String| match array.is_null(row) {
        true => {
            out.push_str("NULL");
            Ok(())
        }
        false => write(array, row, style, out),
    };
    if let Some(list) = array.as_list_opt::<i32>() {
        let items = list.value(row);
        let style = digits_of_part(&items);
        out.push('[');
        for at in 0..items.len() {
            out.push_str(if at == 0 { "" } else { ", " });
            item(&items, at, style, out)?;
        }
        out.push(']');
    } else if let Some(map) = array.as_map_opt() {
        let entries = map.value(row);
        let (keys, values) = (entries.column(0), entries.column(1));
        let (of_key, of_value) = (digits_of_part(keys), digits_of_part(values));
        out.push('{');
        for at in 0..entries.len() {
            out.push_str(if at == 0 { "" } else { ", " });
            item(keys, at, of_key, out)?;
            out.push('=');
            item(values, at, of_value, out)?;
        }
        out.push('}');
    } else {
        out.push('(');
        for (at, column) in array.as_struct().columns().iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ", " });
            item(column, row, digits_of_part(column), out)?;
        }
        out.push(')');
    }
    Ok(())
}

/// A `DOUBLE` as Java writes it: `1.0`, `1.0E7`, `1.0E-4`.
pub(crate) fn write_f64(value: f64, out: &mut String) {
    write_float(
        value,
        value.is_nan(),
        value.is_infinite(),
        value.abs() >= 1e-3 && value.abs() < 1e7,
        value == 0.0,
        out,
    );
}

/// The same for a `FLOAT`.
pub(crate) fn write_f32(value: f32, out: &mut String) {
    write_float(
        value,
        value.is_nan(),
        value.is_infinite(),
        value.abs() >= 1e-3 && value.abs() < 1e7,
        value == 0.0,
        out,
    );
}

fn write_float<F>(value: F, is_nan: bool, is_infinite: bool, is_plain: bool, is_zero: bool, out: &mut String)
where
    F: std::fmt::Debug + std::fmt::LowerExp + Copy,
{
    if is_nan {
        out.push_str("NaN");
    } else if is_infinite {
        out.push_str(if format!("{value:?}").starts_with('-') { "-Infinity" } else { "Infinity" });
    } else if is_plain || is_zero {
        let _ = write!(out, "{value:?}");
    } else {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        out.push_str(mantissa);
        out.push_str(if mantissa.contains('.') { "E" } else { ".0E" });
        out.push_str(exponent);
    }
}

/// `2024-02-29`, by days since 1970.
pub(crate) fn write_date(days: i64, out: &mut String) {
    let Date { year, month, day } = Date::of_days(days);
    let (sign, year) = if year < 0 { ("-", -year) } else { ("", year) };
    let _ = write!(out, "{sign}{year:04}-{month:02}-{day:02}");
}

/// `01:02:03.004`, by nanoseconds since midnight.
pub(crate) fn write_time(nanos: i64, digits: u8, out: &mut String) {
    let (seconds, nanos) = (nanos / SECOND, nanos % SECOND);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if digits > 0 {
        let fraction = format!("{nanos:09}");
        out.push('.');
        out.push_str(fraction.get(..usize::from(digits.min(9))).unwrap_or(&fraction));
    }
}

/// A `TIME` as a text: no more digits than it has, and one at least where its type has any.
fn write_clock(nanos: i64, digits: u8, out: &mut String) {
    write_time(nanos, digits, out);
    if digits > 0 {
        let kept = out.trim_end_matches('0').len();
        out.truncate(kept);
        out.push_str(if out.ends_with('.') { "0" } else { "" });
    }
}

/// `2024-02-29 01:02:03.004`.
pub(crate) fn write_moment(moment: Moment, digits: u8, out: &mut String) {
    let (days, nanos) = moment.day();
    write_date(days, out);
    out.push(' ');
    write_time(nanos, digits, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floating_numbers_are_written_as_java_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1e-3, "0.001"),
            (1e-4, "1.0E-4"),
            (123_456_789.125, "1.23456789125E8"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            write_f64(value, &mut out);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn times_have_the_digits_of_their_type() {
        let moment = Moment { seconds: -1, nanos: 40_000_000 };
        for (digits, text) in
            [(0, "1969-12-31 23:59:59"), (1, "1969-12-31 23:59:59.0"), (3, "1969-12-31 23:59:59.040")]
        {
            let mut out = String::new();
            write_moment(moment, digits, &mut out);
            assert_eq!(out, text);
        }
    }
}
