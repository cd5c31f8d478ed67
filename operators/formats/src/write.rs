//! Values as plain text, the way Flink prints them.

use super::datetime::{Instant, LastDateText, TimestampStandard, write_date, write_time, write_timestamp};
use super::view::Values;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How values are written, and the date written last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WriteRules {
    /// How timestamps are written.
    pub(crate) timestamps: TimestampStandard,
    /// Whether decimals are always written digit by digit.
    pub(crate) plain_decimals: bool,
    pub(crate) last_date: LastDateText,
}

/// Appends the value at `row`, without quotes and escapes. Nested values have no plain text: nothing is written.
#[inline]
pub(crate) fn write_plain(values: &Values, row: usize, rules: &mut WriteRules, out: &mut Vec<u8>) {
    match values {
        Values::Boolean(values) => {
            out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
        }
        Values::Int8(values) => write_i64(values[row].into(), out),
        Values::Int16(values) => write_i64(values[row].into(), out),
        Values::Int32(values) => write_i64(values[row].into(), out),
        Values::Int64(values) => write_i64(values[row], out),
        Values::Float32(values) => write_f32(values[row], out),
        Values::Float64(values) => write_f64(values[row], out),
        Values::Decimal(values, scale) => write_decimal(values[row], *scale, rules.plain_decimals, out),
        Values::Date(values) => write_date(values[row].into(), out),
        Values::Time32(values, unit) => write_time(Instant::of_unit(values[row].into(), *unit), out),
        Values::Time64(values, unit) => write_time(Instant::of_unit(values[row], *unit), out),
        Values::Timestamp(values, unit, zoned) => {
            let instant = Instant::of_unit(values[row], *unit);
            write_timestamp(instant, rules.timestamps, *zoned, &mut rules.last_date, out);
        }
        Values::Utf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
        Values::Binary(values) => write_base64(values.value(row), out),
        Values::Struct(_) | Values::List(..) | Values::Map(..) => {}
    }
}

/// Appends an integer.
#[inline]
pub(crate) fn write_i64(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    if value < 100_000_000 {
        write_short(value, out);
    } else if value < 10_000_000_000_000_000 {
        write_short(value / 100_000_000, out);
        let digits = eight_digits(value % 100_000_000) | 0x3030_3030_3030_3030;
        out.extend_from_slice(&digits.to_le_bytes());
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

/// Appends a number of up to eight digits. All eight are appended and what is too much is cut off: a copy of a length
/// known beforehand is one instruction and one of any length is a call.
#[inline(always)]
fn write_short(value: u64, out: &mut Vec<u8>) {
    let digits = eight_digits(value);
    // Leading zeros; the last digit stays also where it is zero.
    let zeros = (digits | 1 << 63).trailing_zeros() & !7;
    let text = (digits | 0x3030_3030_3030_3030) >> zeros;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(out.len() - zeros as usize / 8);
}

/// Eight digits, the first in the lowest byte. Divides by multiplying: first by 10 000, then both halves by 100, then
/// all quarters by 10.
#[inline(always)]
fn eight_digits(value: u64) -> u64 {
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((quarters - tens * 10) << 8)
}

/// Appends a `DOUBLE` as Java writes it: `1.0`, `1.0E10`, `NaN`.
pub(crate) fn write_f64(value: f64, out: &mut Vec<u8>) {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    if plain && write_few_places(value, out) {
        return;
    }
    write_float(value, plain, ryu::Buffer::new().format_finite(value), out);
}

/// Appends a number that has at most four places behind its point, if it is one. No shorter text can mean the same
/// number: up to 15 digits, different texts are different numbers.
#[inline]
fn write_few_places(value: f64, out: &mut Vec<u8>) -> bool {
    let digits = (value.abs() * 1e4 + 0.5) as u64;
    if digits as f64 / 1e4 != value.abs() || digits == 0 {
        return false;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    write_short(digits / 10_000, out);
    let places = (eight_digits(digits % 10_000) >> 32) as u32 | 0x3030_3030;
    let [first, second, third, fourth] = places.to_le_bytes();
    out.extend_from_slice(&[b'.', first, second, third, fourth]);
    // Zeros at the end go, but not the first digit behind the point.
    let zeros = (places ^ 0x3030_3030).leading_zeros().min(24) / 8;
    out.truncate(out.len() - zeros as usize);
    true
}

/// Appends a `FLOAT` as Java writes it.
pub(crate) fn write_f32(value: f32, out: &mut Vec<u8>) {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    write_float(value.into(), plain, ryu::Buffer::new().format_finite(value), out);
}

#[inline(always)]
fn write_float(value: f64, plain: bool, shortest: &str, out: &mut Vec<u8>) {
    if plain {
        out.extend_from_slice(shortest.as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value < 0.0 { b"-Infinity" } else { b"Infinity" });
    } else {
        write_scientific(shortest, out);
    }
}

/// Appends a number in scientific notation: one digit before the point, at least one behind it.
#[inline(never)]
fn write_scientific(shortest: &str, out: &mut Vec<u8>) {
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = whole.trim_start_matches('-');
    let digits = format!("{unsigned}{fraction}");
    let significant = digits.trim_start_matches('0');
    let leading = digits.len() - significant.len();
    let exponent = exponent.parse().unwrap_or(0) + unsigned.len() as i32 - 1 - leading as i32;
    let (first, rest) = significant.split_at(1);
    let rest = rest.trim_end_matches('0');
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let rest = if rest.is_empty() { "0" } else { rest };
    out.extend_from_slice(format!("{sign}{first}.{rest}E{exponent}").as_bytes());
}

/// Appends a decimal without the zeros at its end, as Flink does: digit by digit when `plain`, else as `1E+3` and
/// `2.7E-8` where Java's `BigDecimal` would.
pub(crate) fn write_decimal(value: i128, scale: i8, plain: bool, out: &mut Vec<u8>) {
    let mut scale = i32::from(scale);
    let mut buffer = itoa::Buffer::new();
    let digits = match u64::try_from(value.unsigned_abs()) {
        Ok(short) => buffer.format(short),
        Err(_) => buffer.format(value.unsigned_abs()),
    };
    if value == 0 {
        return out.push(b'0');
    }
    let digits = digits.trim_end_matches('0').as_bytes();
    scale -= (buffer_length(value) - digits.len()) as i32;
    if value < 0 {
        out.push(b'-');
    }
    let exponent = digits.len() as i32 - 1 - scale;
    if plain || (scale >= 0 && exponent >= -6) {
        write_point(digits, scale, out);
        return;
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"E" } else { b"E+" });
    write_i64(exponent.into(), out);
}

/// Digits of the number without its sign.
fn buffer_length(value: i128) -> usize {
    value.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends digits with `scale` of them behind the point, or `-scale` zeros behind them.
fn write_point(digits: &[u8], scale: i32, out: &mut Vec<u8>) {
    let zeros = |count: i32, out: &mut Vec<u8>| out.resize(out.len() + count.max(0) as usize, b'0');
    if scale <= 0 {
        out.extend_from_slice(digits);
        return zeros(-scale, out);
    }
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale as usize));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    out.push(b'.');
    zeros(scale - fraction.len() as i32, out);
    out.extend_from_slice(fraction);
}

/// Appends bytes in base 64.
fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(bytes, &mut out[start..]).expect("there is room for it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::{parse_decimal, parse_f64};
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn integers_are_written_as_the_standard_library_writes_them(value in any::<i64>(), shift in 0..63u32) {
            for value in [value >> shift, (value >> shift).wrapping_neg()] {
                prop_assert_eq!(written(|out| write_i64(value, out)), value.to_string());
            }
        }

        #[test]
        fn floats_come_back(bits in any::<u64>(), small in -1e9..1e9f64, few in any::<i32>(), places in 0..7) {
            for value in [f64::from_bits(bits), small, f64::from(few) / 10f64.powi(places)] {
                let text = written(|out| write_f64(value, out));
                prop_assert!(!(1e-3..1e7).contains(&value) || text == ryu::Buffer::new().format(value), "{}", text);
                let back = parse_f64(text.as_bytes()).unwrap();
                prop_assert!(back == value || value.is_nan() && back.is_nan(), "{}", text);
            }
            let value = f32::from_bits(bits as u32);
            let text = written(|out| write_f32(value, out));
            prop_assert!(text.parse::<f32>().unwrap() == value || value.is_nan(), "{}", text);
        }

        #[test]
        fn decimals_come_back(value in any::<i128>(), shift in 0..127u32, scale in 0..38i8, plain in any::<bool>()) {
            let value = (value >> shift) % 10i128.pow(38);
            let text = written(|out| write_decimal(value, scale, plain, out));
            prop_assert_eq!(parse_decimal(text.as_bytes(), 38, scale), Ok(value), "{}", text);
        }
    }

    #[test]
    fn integers_of_every_length_are_written() {
        for digits in 0..19 {
            let power = 10i64.pow(digits);
            for value in [power - 1, power, power + 1, -power] {
                assert_eq!(written(|out| write_i64(value, out)), value.to_string());
            }
        }
        assert_eq!(written(|out| write_i64(i64::MIN, out)), i64::MIN.to_string());
    }

    #[test]
    fn floats_are_written_as_java_writes_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (0.00012345, "1.2345E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (-1e100, "-1.0E100"),
            (5e-324, "5.0E-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(written(|out| write_f64(value, out)), expected);
        }
        assert_eq!(written(|out| write_f32(16_777_216.0, out)), "1.6777216E7");
        assert_eq!(written(|out| write_f32(0.1, out)), "0.1");
    }

    #[test]
    fn decimals_are_plain_or_scientific() {
        for (value, scale, plain, scientific) in [
            (0, 2, "0", "0"),
            (150, 2, "1.5", "1.5"),
            (-12_345, 2, "-123.45", "-123.45"),
            (10_000, 2, "100", "1E+2"),
            (1_234_500, 2, "12345", "12345"),
            (1_200_000, 2, "12000", "1.2E+4"),
            (27, 9, "0.000000027", "2.7E-8"),
            (1, 6, "0.000001", "0.000001"),
            (1, 7, "0.0000001", "1E-7"),
            (5, 0, "5", "5"),
            (50, 0, "50", "5E+1"),
        ] {
            assert_eq!(written(|out| write_decimal(value, scale, true, out)), plain);
            assert_eq!(written(|out| write_decimal(value, scale, false, out)), scientific);
        }
    }
}
