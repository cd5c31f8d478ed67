use super::moment::DAY_MICROS;
use super::parameter::from_binary;
use super::*;
use proptest::prelude::*;

fn written(json: &str, kind: Kind, binary: bool) -> Vec<u8> {
    let mut out = Vec::new();
    write(json, kind, binary, &mut out);
    let (length, value) = out.split_at(4);
    assert_eq!(i32::from_be_bytes(length.try_into().unwrap()).max(0) as usize, value.len());
    value.to_vec()
}

#[test]
fn values_are_written_as_postgresql_writes_them() {
    for (json, flink, expected) in [
        ("true", "BOOLEAN", "t"),
        ("-7", "INT", "-7"),
        ("1.5", "DECIMAL(10, 2)", "1.50"),
        ("1E+2", "DECIMAL(10, 2)", "100.00"),
        ("0", "DECIMAL(10, 3)", "0.000"),
        ("-0.05", "DECIMAL(3, 2)", "-0.05"),
        ("12345678901234567890", "DECIMAL(38, 0)", "12345678901234567890"),
        ("1.0", "DOUBLE", "1"),
        ("0.1", "DOUBLE", "0.1"),
        ("-1.5", "FLOAT", "-1.5"),
        ("1.0E20", "DOUBLE", "1e+20"),
        ("1.25E-7", "DOUBLE", "1.25e-07"),
        ("123456.0", "DOUBLE", "123456"),
        ("\"NaN\"", "DOUBLE", "NaN"),
        ("\"-Infinity\"", "DOUBLE", "-Infinity"),
        ("\"a\\\"b\\u0001\"", "STRING", "a\"b\u{1}"),
        ("\"AP8=\"", "BYTES", "\\x00ff"),
        ("\"2024-02-29\"", "DATE", "2024-02-29"),
        ("\"2024-02-29 12:30:00.5\"", "TIMESTAMP(3)", "2024-02-29 12:30:00.5"),
        ("\"2024-02-29 12:30:00.5Z\"", "TIMESTAMP_LTZ(3)", "2024-02-29 12:30:00.5+00"),
        ("{\"a\":[1,2]}", "ROW<a ARRAY<INT>>", "{\"a\":[1,2]}"),
    ] {
        let text = written(json, Kind::of_flink(flink), false);
        assert_eq!(String::from_utf8(text).unwrap(), expected, "{json} {flink}");
    }
    assert_eq!(written("null", Kind::Int4, true), b"");
}

#[test]
fn values_in_binary_are_those_of_postgresql() {
    let numeric = |json: &str, flink: &str| {
        let bytes = written(json, Kind::of_flink(flink), true);
        bytes.chunks(2).map(|word| i16::from_be_bytes(word.try_into().unwrap())).collect::<Vec<_>>()
    };
    // As PostgreSQL sends them: groups, weight, sign, scale, then the groups.
    assert_eq!(numeric("12345.67", "DECIMAL(10, 2)"), [3, 1, 0, 2, 1, 2345, 6700]);
    assert_eq!(numeric("-0.05", "DECIMAL(10, 2)"), [1, -1, 0x4000, 2, 500]);
    assert_eq!(numeric("0", "DECIMAL(10, 2)"), [0, 0, 0, 2]);
    assert_eq!(numeric("10000", "DECIMAL(10, 0)"), [1, 1, 0, 0, 1]);
    let whole = |json: &str, flink: &str| {
        let bytes = written(json, Kind::of_flink(flink), true);
        bytes.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte))
    };
    assert_eq!(whole("258", "BIGINT"), 258);
    assert_eq!(whole("\"2000-01-02\"", "DATE"), 1);
    assert_eq!(whole("\"2000-01-01 00:00:01.000002Z\"", "TIMESTAMP_LTZ(6)"), 1_000_002);
    assert_eq!(whole("\"2024-02-29 00:00:00\"", "TIMESTAMP(3)"), 8_825 * DAY_MICROS);
    assert_eq!(whole("\"00:00:02\"", "TIME(0)"), 2_000_000);
    assert_eq!(written("1.5", Kind::Float8, true), 1.5_f64.to_be_bytes());
    assert_eq!(written("true", Kind::Bool, true), [1]);
}

#[test]
fn parameters_are_values_and_nothing_else_wherever_they_stand() {
    let text = |value: &str, kind| literal(Some(value.as_bytes()), kind, false).unwrap();
    assert_eq!(text("it's; DROP TABLE t --", Kind::Text), "'it''s; DROP TABLE t --'");
    assert_eq!(text(" 12 ", Kind::Int4), "CAST('12' AS INT)");
    assert_eq!(text("-9223372036854775808", Kind::Int8), "CAST('-9223372036854775808' AS BIGINT)");
    assert_eq!(text("1.50", Kind::Numeric(38, 18)), "CAST('1.50' AS DECIMAL(38, 18))");
    assert_eq!(count(Some(&7_i64.to_be_bytes()), Kind::Int8, true).unwrap(), "7");
    assert!(count(Some(b"-1"), Kind::Int8, false).is_err() && count(None, Kind::Int8, false).is_err());
    assert_eq!(text("t", Kind::Bool), "TRUE");
    assert_eq!(text("2024-02-29", Kind::Timestamp), "TIMESTAMP '2024-02-29 00:00:00.000000'");
    let zoned = "CAST('2024-02-29 10:00:00.000000Z' AS TIMESTAMP_LTZ(6))";
    assert_eq!(text("2024-02-29 12:00:00+02", Kind::TimestampTz), zoned);
    assert_eq!(text("2024-02-29T10:00:00Z", Kind::TimestampTz), zoned);
    assert_eq!(text("\\x00fF", Kind::Bytes), "x'00fF'");
    assert_eq!(literal(None, Kind::Int4, true).unwrap(), "CAST(NULL AS INT)");
    for (value, kind) in [
        ("1; SELECT 2", Kind::Int4),
        ("1e5", Kind::Numeric(38, 18)),
        ("NaN", Kind::Float8),
        ("x'", Kind::Bytes),
        ("\\x0", Kind::Bytes),
        ("2024-13-01", Kind::Date),
        ("2023-02-29", Kind::Date),
        ("1E-2147483648", Kind::Numeric(38, 18)),
        ("yesterday", Kind::Timestamp),
        ("maybe", Kind::Bool),
    ] {
        assert!(literal(Some(value.as_bytes()), kind, false).is_err(), "{value}");
    }
}

proptest! {
    #[test]
    fn what_is_written_in_binary_is_read_back(number: i64, micros in -200_000_000_000_000_000_i64..200_000_000_000_000_000, cents: i64) {
        let bytes = written(&number.to_string(), Kind::Int8, true);
        prop_assert_eq!(from_binary(&bytes, Kind::Int8), Some(number.to_string()));
        let timestamp = from_binary(&micros.to_be_bytes(), Kind::Timestamp).unwrap();
        prop_assert_eq!(super::moment::micros(&timestamp), Some(micros));
        let kind = Kind::Numeric(38, 2);
        let decimal = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
        let bytes = written(&decimal, kind, true);
        prop_assert_eq!(from_binary(&bytes, kind), Some(decimal));
    }

    #[test]
    fn whatever_the_bytes_a_parameter_is_a_value_or_refused(bytes: Vec<u8>, binary: bool, oid in prop::sample::select(vec![16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 1083, 1114, 1184, 1700_u32])) {
        let kind = Kind::of_oid(oid).unwrap();
        if let Ok(text) = literal(Some(&bytes), kind, binary) {
            // One literal, or one in CAST(.. AS ..): nothing can follow a quote that ends it.
            let outside: String = text.split('\'').step_by(2).collect();
            prop_assert!(text.matches('\'').count() % 2 == 0 && !outside.contains(';'), "{}", text);
        }
    }

    #[test]
    fn whatever_an_answer_holds_it_is_written(json in "[-+0-9.eE:TZ \"nul]{0,24}", binary: bool, oid in prop::sample::select(vec![16, 17, 20, 21, 23, 25, 114, 700, 701, 1082, 1083, 1114, 1184, 1700_u32])) {
        written(&json, Kind::of_oid(oid).unwrap(), binary);
    }
}
