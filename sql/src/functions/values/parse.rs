//! What texts mean as values of other types: `CAST('..' AS INT)` and its like.
//!
//! Flink's rules: `BinaryStringDataUtil` for truth values and whole numbers, Java's `Double.parseDouble`, and
//! `DateTimeUtils` for times. `None` is a text that is no such value.

use super::super::time::calendar::{Date, month_days};
use super::super::time::{DAY_S, Moment, SECOND};

/// `TRUE`, `t`, `yes`, `1` and the opposites.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number; digits behind a point don't count, but have to be digits.
pub(crate) fn integer(text: &str, min: i64, max: i64) -> Option<i64> {
    let text = text.trim_matches(' ');
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mut value: i64 = 0;
    for byte in whole.bytes() {
        // Counted downwards, since there is one negative number more.
        value = value.checked_mul(10)?.checked_sub(i64::from(byte - b'0'))?;
    }
    let value = if negative { value } else { value.checked_neg()? };
    (min..=max).contains(&value).then_some(value)
}

/// The number of a text, in the words that Rust reads numbers by.
fn float_text(text: &str) -> Option<String> {
    let text = text.trim_matches(|char: char| char <= ' ');
    let (sign, number) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let named = match number {
        "NaN" => Some("NaN"),
        "Infinity" => Some("inf"),
        _ => None,
    };
    if let Some(named) = named {
        return Some(format!("{sign}{named}"));
    }
    let number = number.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(number);
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    let legal = has_digits && !unsigned.is_empty();
    (legal && is_digits(whole) && is_digits(fraction) && is_digits(unsigned))
        .then(|| format!("{sign}{number}"))
}

/// A `DOUBLE`.
pub(crate) fn double(text: &str) -> Option<f64> {
    float_text(text)?.parse().ok()
}

/// A `FLOAT`.
pub(crate) fn float(text: &str) -> Option<f32> {
    float_text(text)?.parse().ok()
}

/// So many digits and no others.
fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let legal = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if legal { text.parse().ok() } else { None }
}

/// A `DATE`, as days since 1970: `2024-02-29`, `2024-2`, `2024`, also in front of a time.
pub(crate) fn date(text: &str) -> Option<i64> {
    let text = match text.find(' ') {
        Some(blank) if blank > 0 => &text[..blank],
        _ => text,
    };
    let mut parts = text.splitn(3, '-').map(|part| digits(part.trim(), 1, 9));
    let (year, month, day) =
        (parts.next()??, parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    let legal = (0..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&day);
    legal.then(|| Date { year, month, day }.days())
}

/// A `TIME`, as nanoseconds since midnight: `01:02:03.004`, `1:2`, `1`.
pub(crate) fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':').map(|part| digits(part.trim(), 1, 9));
    let (hour, minute, second) =
        (parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    let legal = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let nanos = fraction_nanos(fraction.trim())?;
    legal.then_some((hour * 3600 + minute * 60 + second) * SECOND + nanos)
}

/// Digits behind the second as nanoseconds.
fn fraction_nanos(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let value = digits(fraction, 1, 9)?;
    Some(value * 10_i64.pow(9 - fraction.len() as u32))
}

/// A `TIMESTAMP`: `2024-02-29 01:02:03.004`, `2024-2-9`. A day that the month has not is its last one, and midnight may
/// be written as 24:00:00, as `java.time` resolves them.
pub(crate) fn timestamp(text: &str) -> Option<Moment> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4, 4)?;
    let (month, day) = (digits(parts.next()?, 1, 2)?, digits(parts.next()?, 1, 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let day = Date { year, month, day: day.min(month_days(year, month)) }.days();
    let Some(time) = time else { return Some(Moment { seconds: day * DAY_S, nanos: 0 }) };
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (time, ""),
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 1, 2)?, digits(parts.next()?, 1, 2)?);
    let (second, nanos) = (digits(parts.next()?, 1, 2)?, fraction_nanos(fraction)?);
    let midnight = hour == 24 && minute == 0 && second == 0 && nanos == 0;
    if !(midnight || hour < 24) || minute > 59 || second > 59 {
        return None;
    }
    Some(Moment { seconds: day * DAY_S + hour * 3600 + minute * 60 + second, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_have_a_fraction_that_does_not_count() {
        let byte = |text| integer(text, -128, 127);
        for (text, value) in [
            (" 7 ", Some(7)),
            ("1.9", Some(1)),
            ("-1.5", Some(-1)),
            ("+5", Some(5)),
            ("-128", Some(-128)),
            ("128", None),
            ("1e2", None),
            ("", None),
            ("-", None),
            ("1.x", None),
            ("0x10", None),
        ] {
            assert_eq!(byte(text), value, "{text}");
        }
        assert_eq!(integer("-9223372036854775808", i64::MIN, i64::MAX), Some(i64::MIN));
        assert_eq!(integer("9223372036854775808", i64::MIN, i64::MAX), None);
    }

    #[test]
    fn floating_numbers_are_read_as_java_reads_them() {
        for (text, value) in [
            ("1d", Some(1.0)),
            (" -1.5e3 ", Some(-1500.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("inf", None),
            ("nan", None),
            ("1e", None),
            (".", None),
            ("1_000", None),
        ] {
            assert_eq!(double(text), value, "{text}");
        }
        assert!(double("NaN").unwrap().is_nan());
    }

    #[test]
    fn times_are_read_by_the_rules_of_their_type() {
        assert_eq!(date("2024-02-29 12:34"), Some(19_782));
        assert_eq!(date(" 2024-02-29 "), Some(19_782));
        assert_eq!(date("2024"), Some(19_723));
        assert_eq!(date("2023-02-29"), None);
        assert_eq!(date("2024-02-29T12:34:56"), None);
        assert_eq!(timestamp("2023-02-29"), Some(Moment { seconds: 19_416 * DAY_S, nanos: 0 }));
        assert_eq!(timestamp("2024-02-29 24:00:00"), Some(Moment { seconds: 19_783 * DAY_S, nanos: 0 }));
        for wrong in ["2024-02-29 12:34", " 2024-02-29", "2024", "", "10000-01-01", "2024-02-29 24:00:01"] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
        assert_eq!(time("7:8"), Some((7 * 60 + 8) * 60 * SECOND));
        assert_eq!(time("24:00:00"), None);
    }
}
