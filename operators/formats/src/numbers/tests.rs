//! Numbers against the standard library, and at their limits.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn integers_are_read_as_the_standard_library_reads_them(number in any::<i64>(), zeros in 0..30usize, cut in 0..20u32) {
        let number = number >> (cut * 3);
        let padded = format!("{}{}{}", if number < 0 { "-" } else { "" }, "0".repeat(zeros), number.unsigned_abs());
        prop_assert_eq!(parse_i64(padded.as_bytes()), Some(number));
    }

    #[test]
    fn text_is_an_integer_only_where_the_standard_library_says_so(text in "[-+]?[0-9a:/ ]{0,22}") {
        prop_assert_eq!(parse_i64(text.as_bytes()), text.parse().ok());
    }

    #[test]
    fn digits_are_counted_and_joined(text in "[0-9]{0,19}[^0-9]?[0-9]{0,9}") {
        let run: String = text.chars().take_while(char::is_ascii_digit).collect();
        let value = run.parse::<u128>().unwrap_or(0) as u64;
        prop_assert_eq!(digits(text.as_bytes()), (run.len(), value));
    }

    #[test]
    fn floats_are_read_as_the_standard_library_reads_them(text in "-?[0-9]{1,20}(\\.[0-9]{1,12})?(e-?[0-9]{1,2})?") {
        prop_assert_eq!(parse_f64(text.as_bytes()), text.parse().ok());
        if let Some((number, [])) = short_decimal(text.as_bytes()) {
            prop_assert!(number.as_f32().is_none_or(|value| Ok(value) == text.parse()));
        }
    }

    #[test]
    fn decimals_come_back(value in any::<i64>(), scale in 0..18usize) {
        let text = plain(value.into(), scale);
        prop_assert_eq!(parse_decimal(text.as_bytes(), 38, scale as i8), Ok(value.into()));
        let half_up = (value.unsigned_abs() + 5) / 10;
        let half_up = if value < 0 { -i128::from(half_up) } else { half_up.into() };
        if scale > 0 {
            prop_assert_eq!(parse_decimal(text.as_bytes(), 38, scale as i8 - 1), Ok(half_up));
            let whole = (value as i128 / 10i128.pow(scale as u32)) as i64;
            prop_assert_eq!(parse_whole(text.as_bytes()), Some(whole));
        }
    }
}

fn plain(value: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}

#[test]
fn integers_end_at_their_limits() {
    for (text, expected) in [
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("00000000000000000000000012", Some(12)),
        ("18446744073709551616", None),
        ("99999999999999999999", None),
        ("", None),
        ("-", None),
        ("+7", Some(7)),
        ("--7", None),
    ] {
        assert_eq!(parse_i64(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn decimals_round_half_up_and_end_at_their_precision() {
    for (text, precision, scale, expected) in [
        ("1.005", 10, 2, Ok(101)),
        ("-1.005", 10, 2, Ok(-101)),
        ("1.0049999", 10, 2, Ok(100)),
        ("0.005", 10, 2, Ok(1)),
        ("0.0049", 10, 2, Ok(0)),
        ("9.995", 3, 2, Err(NotDecimal::Range)),
        ("1e2", 5, 2, Ok(10_000)),
        ("1e3", 5, 2, Err(NotDecimal::Range)),
        ("1.5E-1", 5, 2, Ok(15)),
        (".5", 5, 0, Ok(1)),
        ("5.", 5, 0, Ok(5)),
        ("0e999999999999", 5, 0, Ok(0)),
        ("1e-999999999999", 5, 0, Ok(0)),
        ("99999999999999999999999999999999999999", 38, 0, Ok(10i128.pow(38) - 1)),
        ("99999999999999999999999999999999999999.5", 38, 0, Err(NotDecimal::Range)),
        (".", 5, 0, Err(NotDecimal::Text)),
        ("", 5, 0, Err(NotDecimal::Text)),
        ("1e", 5, 0, Err(NotDecimal::Text)),
        ("1.2.3", 5, 0, Err(NotDecimal::Text)),
        ("0x1", 5, 0, Err(NotDecimal::Text)),
    ] {
        assert_eq!(parse_decimal(text.as_bytes(), precision, scale), expected, "{text}");
    }
}

#[test]
fn floats_are_what_java_reads_but_hexadecimal() {
    for (text, expected) in [
        ("1.5", Some(1.5)),
        ("+.5e1", Some(5.0)),
        ("5.", Some(5.0)),
        ("-Infinity", Some(f64::NEG_INFINITY)),
        ("inf", None),
        ("infinity", None),
        ("nan", None),
        ("1e999", Some(f64::INFINITY)),
        ("", None),
        ("-", None),
        ("+-1", None),
        ("1_000", None),
        ("0x1p3", None),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), expected, "{text}");
    }
    assert!(parse_f64(b"NaN").is_some_and(f64::is_nan));
}

#[test]
fn the_whole_part_is_cut_off_towards_zero() {
    for (text, expected) in [
        ("1.9", Some(1)),
        ("-1.9", Some(-1)),
        ("1e3", Some(1000)),
        ("1.25e1", Some(12)),
        ("0.5", Some(0)),
        ("1e-5", Some(0)),
        ("0.0001e4", Some(1)),
        ("9223372036854775807.9", Some(i64::MAX)),
        ("1e19", None),
        ("0e99", Some(0)),
    ] {
        assert_eq!(parse_whole(text.as_bytes()), expected, "{text}");
    }
}
