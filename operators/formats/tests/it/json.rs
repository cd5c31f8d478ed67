//! JSON by examples: what Flink's converters take, and what this decoder says of what they don't.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use millstream_formats::{Decoder, Format, Outcome};
use millstream_operators::Batch;
use millstream_operators::sink::{FormatEncoderSpec, RowEncoder, RowEncoderSpec};
use millstream_operators::testing::{batch, canonical, field, print};
use std::sync::Arc;

fn format(options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse("json", &options).unwrap()
}

fn fields(text: &str) -> Fields {
    text.split_whitespace().map(field).collect()
}

fn finish(decoder: &mut Box<dyn Decoder>, fields: &Fields) -> Batch {
    let columns = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), decoder.finish()).unwrap();
    let rows = columns.num_rows();
    Batch::append(columns, vec![0; rows])
}

/// Decodes one payload and prints the values, or the field and what is wrong.
fn decode(
    options: &[(&str, &str)],
    columns: &str,
    payload: &str,
) -> Result<String, (Option<String>, String)> {
    let fields = fields(columns);
    let mut decoder = format(options).decoder(&fields, &fields).unwrap();
    match decoder.decode(Some(payload.as_bytes())) {
        Ok(Outcome::Row) => {}
        Ok(_) => return Ok("nothing".to_owned()),
        Err(bad) => return Err((bad.field, bad.detail)),
    }
    let printed = print(&finish(&mut decoder, &fields));
    let (_, row) = printed.split_once("|\n+").unwrap();
    Ok(row.trim().to_owned())
}

/// What a column of this type makes of a JSON value.
fn value(data_type: &str, json: &str) -> Result<String, String> {
    let decoded = decode(&[], &format!("v:{data_type}"), &format!("{{\"v\":{json}}}"));
    decoded.map_err(|(field, detail)| {
        assert!(field.is_some_and(|field| field.starts_with('v')), "{detail}");
        detail.split("; payload: ").next().unwrap().to_owned()
    })
}

#[test]
fn values_are_taken_as_flink_takes_them() {
    for (data_type, json, expected) in [
        ("bool", "true", "true"),
        ("bool", "\" TRUE \"", "true"),
        ("bool", "\"yes\"", "false"),
        ("bool", "1", "false"),
        ("i8", "-128", "-128"),
        ("i8", "\" 5 \"", "5"),
        ("i16", "32767", "32767"),
        ("i32", "2147483647", "2147483647"),
        ("i32", "1.9", "1"),
        ("i32", "-1.9e1", "-19"),
        ("i64", "9223372036854775807", "9223372036854775807"),
        ("i64", "-9223372036854775808", "-9223372036854775808"),
        ("i64", "1e3", "1000"),
        ("i64", "-0", "0"),
        ("i64", "\"+12\"", "12"),
        ("f32", "0.1", "0.1"),
        ("f32", "16777217", "1.6777216E7"),
        ("f64", "0.1", "0.1"),
        ("f64", "-0.0", "-0.0"),
        ("f64", "1E400000000000", ""),
        ("f64", "123456789012345678901234567890", "1.2345678901234568E29"),
        ("f64", "\"NaN\"", "NaN"),
        ("f64", "\"-Infinity\"", "-Infinity"),
        ("f64", "\" 1e2 \"", "100.0"),
        ("dec(10,2)", "1.005", "1.01"),
        ("dec(10,2)", "-1.005", "-1.01"),
        ("dec(10,2)", "12345678.9", "12345678.9"),
        ("dec(10,2)", "\"1e2\"", "100"),
        ("dec(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ("utf8", "\"a\\u00e9\\n\\ud83d\\ude00\"", "'aé\n😀'"),
        ("utf8", "12.50", "12.50"),
        ("utf8", "true", "true"),
        ("utf8", "{ \"a\" : [ 1, \"x y\" ] }", "'{\"a\":[1,\"x y\"]}'"),
        ("utf8", "null", "null"),
        ("bytes", "\"AQI=\"", "AQI="),
        ("date", "\"2015-07-15\"", "2015-07-15"),
        ("time", "\"01:02:03.4567\"", "01:02:03.456"),
        ("ts", "\"2015-07-15 00:00:00.1239\"", "2015-07-15T00:00:00.123"),
        ("ltz", "\"2015-07-15 00:00:00Z\"", "2015-07-15T00:00:00Z"),
        ("row(a:i64,b:utf8)", "{\"b\":\"x\"}", "{\"a\":null,\"b\":\"x\"}"),
        ("row(a:i64)", "null", "null"),
        ("list(i64)", "[1,null,\"3\"]", "[1,null,3]"),
        ("list(list(utf8))", "[[],[\"a\"],null]", "[[],[\"a\"],null]"),
        ("map(i64)", "{\"a\":1,\"b\":null}", "{\"a\":1,\"b\":null}"),
    ] {
        let found = value(data_type, json);
        match expected {
            "" => assert!(found.is_err(), "{data_type} {json}: {found:?}"),
            _ => assert_eq!(found.as_deref(), Ok(expected), "{data_type} {json}"),
        }
    }
}

#[test]
fn values_that_do_not_fit_are_named() {
    for (data_type, json, expected) in [
        ("i8", "128", "128 is out of range for TINYINT"),
        ("i8", "1.0", "1.0 is no TINYINT"),
        ("i16", "\"99999\"", "\"99999\" is out of range for SMALLINT"),
        ("i32", "2147483648", "2147483648 is out of range for INT"),
        ("i64", "9223372036854775808", "9223372036854775808 is out of range for BIGINT"),
        ("i64", "1e19", "1e19 is out of range for BIGINT"),
        ("i64", "\"\"", "\"\" is no BIGINT"),
        ("i64", "\"1.5\"", "\"1.5\" is no BIGINT"),
        ("i64", "true", "true is no BIGINT"),
        ("i64", "{\"a\":1}", "{\"a\":1} is no BIGINT"),
        ("f32", "1e39", "1e39 is out of range for FLOAT"),
        ("f64", "1e309", "1e309 is out of range for DOUBLE"),
        ("f64", "\"0x1p3\"", "\"0x1p3\" is no DOUBLE"),
        ("dec(4,2)", "100", "100 is out of range for DECIMAL(4, 2)"),
        ("dec(4,2)", "99.995", "99.995 is out of range for DECIMAL(4, 2)"),
        ("dec(4,2)", "\"a\"", "\"a\" is no DECIMAL(4, 2)"),
        ("bool", "{}", "{} is no BOOLEAN"),
        ("bytes", "\"A\"", "\"A\" is no BYTES"),
        ("bytes", "1", "1 is no BYTES"),
        ("date", "\"2015-02-30\"", "\"2015-02-30\" is no DATE"),
        ("date", "16000", "16000 is no DATE"),
        ("ts", "1436918400000", "1436918400000 is no TIMESTAMP(3)"),
        ("ts", "\"2015-07-15T00:00:00\"", "\"2015-07-15T00:00:00\" is no TIMESTAMP(3)"),
        ("ts", "\"2015-07-15 00:00:00Z\"", "\"2015-07-15 00:00:00Z\" is no TIMESTAMP(3)"),
        ("ltz", "\"2015-07-15 00:00:00\"", "\"2015-07-15 00:00:00\" is no TIMESTAMP_LTZ(3)"),
        ("row(a:i64)", "[1]", "[1] is no ROW<a BIGINT>"),
        ("list(i64)", "{}", "{} is no ARRAY<BIGINT>"),
        ("map(i64)", "[]", "[] is no MAP<STRING, BIGINT>"),
        ("i64!", "null", "null, but the field is declared NOT NULL"),
        ("list(i64!)", "[1,null]", "null, but the field is declared NOT NULL"),
    ] {
        assert_eq!(value(data_type, json), Err(expected.to_owned()), "{data_type} {json}");
    }
}

#[test]
fn the_path_leads_to_the_field() {
    for (columns, payload, path) in [
        ("bid:row(price:i8)", r#"{"bid":{"price":300}}"#, "bid.price"),
        ("bids:list(row(price:i8))", r#"{"bids":[{},{"price":300}]}"#, "bids[1].price"),
        ("tags:map(i8)", r#"{"tags":{"a":1,"b\u0020c":300}}"#, "tags['b c']"),
        ("a:row(b:row(c:i64!))", r#"{"a":{"b":{}}}"#, "a.b.c"),
        ("a:i64 b:i64", r#"{"a":1,"b":[}"#, "b"),
    ] {
        let (field, _) = decode(&[], columns, payload).unwrap_err();
        assert_eq!(field.as_deref(), Some(path), "{payload}");
    }
}

#[test]
fn a_record_that_is_not_json_is_bad_wherever_the_flaw_is() {
    for (payload, expected) in [
        ("[]", "not JSON: expected an object at byte 0"),
        ("null", "not JSON: expected an object at byte 0"),
        ("  ", "not JSON: expected an object at byte 2"),
        ("{\"a\":1", "not JSON: expected \",\" or \"}\" at byte 6"),
        ("{\"a\":1}x", "not JSON: expected nothing behind the object at byte 7"),
        ("{\"a\":1,}", "not JSON: expected a key in quotes at byte 7"),
        ("{\"a\":01}", "not JSON: expected a number as JSON spells it at byte 5"),
        ("{\"a\":1.}", "not JSON: expected a number as JSON spells it at byte 5"),
        ("{\"a\":nul}", "not JSON: expected a value at byte 5"),
        ("{\"a\" 1}", "not JSON: expected \":\" at byte 5"),
        ("{a:1}", "not JSON: expected a key in quotes at byte 1"),
        ("{\"x\":[1,2}", "not JSON: expected \",\" or \"]\" at byte 9"),
        ("{\"x\":\"abc}", "not JSON: expected the end of a string at byte 10"),
        ("{\"x\":\"\\q\"}", "not JSON: expected an escape such as \\n or \\u00e9 at byte 6"),
        ("{\"s\":\"\\ud800\"}", "not JSON: expected a pair of surrogates at byte 6"),
        ("{\"x\":{\"y\":tru}}", "not JSON: expected a value at byte 10"),
    ] {
        let (_, detail) = decode(&[], "a:i64 s:utf8", payload).unwrap_err();
        assert_eq!(detail, format!("{expected}; payload: {payload}"));
    }
    let mut decoder = format(&[]).decoder(&fields("a:i64"), &fields("a:i64")).unwrap();
    let bad = decoder.decode(Some(b"{\"a\":1,\"x\":\"\xff\"}")).unwrap_err();
    assert!(bad.detail.starts_with("not JSON: expected UTF-8 at byte 12"), "{}", bad.detail);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(128), "]".repeat(128));
    let bad = decoder.decode(Some(deep.as_bytes())).unwrap_err();
    assert!(bad.detail.starts_with("not JSON: expected at most 128 levels"), "{}", bad.detail);
    assert!(bad.detail.ends_with("..."), "long payloads are cut: {}", bad.detail);
}

#[test]
fn only_the_last_of_keys_that_repeat_counts() {
    for (columns, payload, expected) in [
        ("a:i64 b:utf8", r#"{"a":1,"b":"x","a":2,"b":"y"}"#, "2 y"),
        ("a:i64", r#"{"a":1,"a":null}"#, "null"),
        ("r:row(a:i64,b:utf8)", r#"{"r":{"a":1,"b":"x"},"r":{"b":"z"}}"#, r#"{"a":null,"b":"z"}"#),
        ("l:list(utf8)", r#"{"l":["a","b"],"l":[]}"#, "[]"),
        ("m:map(i64)", r#"{"m":{"a":1,"b":2,"a":3}}"#, r#"{"b":2,"a":3}"#),
        ("m:map(list(i64))", r#"{"m":{"a":[1,2],"a":[],"a":[3]}}"#, r#"{"a":[3]}"#),
    ] {
        assert_eq!(decode(&[], columns, payload).unwrap(), expected, "{payload}");
    }
    let pairs: Vec<String> = (0..50).map(|n| format!("\"k{}\":{n}", n % 20)).collect();
    let payload = format!("{{\"m\":{{{}}}}}", pairs.join(","));
    let map: Vec<String> = (30..50).map(|n| format!("\"k{}\":{n}", n % 20)).collect();
    assert_eq!(decode(&[], "m:map(i64)", &payload).unwrap(), format!("{{{}}}", map.join(",")));
}

#[test]
fn missing_fields_are_null_or_bad_as_the_table_says() {
    let strict = [("fail-on-missing-field", "true")];
    assert_eq!(decode(&[], "a:i64 b:i64", r#"{"b":1}"#).unwrap(), "null 1");
    assert_eq!(decode(&strict, "a:i64 b:i64", r#"{"b":1,"a":null}"#).unwrap(), "null 1");
    let (field, detail) = decode(&strict, "a:i64 r:row(b:i64,c:i64)", r#"{"r":{"c":1},"a":1}"#).unwrap_err();
    assert_eq!(field.as_deref(), Some("r.b"));
    assert!(detail.starts_with("the field is missing"), "{detail}");
}

#[test]
fn parse_errors_can_be_ignored_field_by_field() {
    let ignore = [("ignore-parse-errors", "true")];
    for (columns, payload, expected) in [
        ("a:i64 b:i64", r#"{"a":"x","b":1}"#, "null 1"),
        ("a:i64 b:i64", r#"{"a":{"deep":[1,{"x":2}]},"b":1}"#, "null 1"),
        ("r:row(a:i8,b:i64)", r#"{"r":{"a":300,"b":1}}"#, r#"{"a":null,"b":1}"#),
        ("r:row(a:i8!,b:i64)", r#"{"r":{"a":300,"b":1}}"#, "null"),
        ("l:list(i8)", r#"{"l":[1,"x",300]}"#, "[1,null,null]"),
        ("l:list(list(i8))", r#"{"l":[[1],"x",[2]]}"#, "[[1],null,[2]]"),
        ("m:map(i8)", r#"{"m":{"a":"x","b":1}}"#, r#"{"a":null,"b":1}"#),
        ("a:ts", r#"{"a":"yesterday"}"#, "null"),
        ("a:bytes b:utf8", r#"{"a":"AQ=","b":"c"}"#, "null c"),
        ("a:i64", r#"{"a":"#, "nothing"),
        ("a:i64", "", "nothing"),
    ] {
        assert_eq!(decode(&ignore, columns, payload).unwrap(), expected, "{payload}");
    }
    let (field, _) = decode(&ignore, "a:i64!", r#"{"a":"x"}"#).unwrap_err();
    assert_eq!(field.as_deref(), Some("a"));
}

#[test]
fn timestamps_have_the_standard_of_the_table() {
    let standard = |name| [("timestamp-format.standard", name)];
    let payload = |text: &str| format!("{{\"a\":\"{text}\"}}");
    for (name, data_type, text, expected) in [
        ("ISO-8601", "ts", "2015-07-15T01:02:03.5", "2015-07-15T01:02:03.5"),
        ("ISO-8601", "ts", "2015-07-15T01:02", "2015-07-15T01:02:00"),
        ("ISO-8601", "ltz", "2015-07-15T01:02:03Z", "2015-07-15T01:02:03Z"),
        ("ISO-8601-WITH-OFFSET", "ltz", "2015-07-15T01:02:03+01:00", "2015-07-15T00:02:03Z"),
        ("ISO-8601-WITH-OFFSET", "ts", "2015-07-15T01:02:03Z", "2015-07-15T01:02:03"),
    ] {
        let decoded = decode(&standard(name), &format!("a:{data_type}"), &payload(text));
        assert_eq!(decoded.unwrap(), expected, "{name} {text}");
    }
    assert!(decode(&standard("ISO-8601"), "a:ts", &payload("2015-07-15 01:02:03")).is_err());
}

#[test]
fn a_bad_record_leaves_no_trace_in_the_columns() {
    let columns = "s:utf8 n:i64 r:row(s:utf8,l:list(i64)) m:map(utf8)";
    let good = r#"{"s":"a","n":1,"r":{"s":"b","l":[1,2]},"m":{"k":"v"}}"#;
    let fields = fields(columns);
    let mut decoder = format(&[]).decoder(&fields, &fields).unwrap();
    decoder.decode(Some(good.as_bytes())).unwrap();
    for cut in 1..good.len() {
        assert!(decoder.decode(Some(&good.as_bytes()[..cut])).is_err(), "{cut}");
        assert!(decoder.decode(Some(b"{\"r\":null,\"s\":\"x\",\"n\":\"bad\"}")).is_err());
    }
    decoder.decode(Some(br#"{"s":"z","r":null}"#)).unwrap();
    assert!(decoder.decode(Some(b"{\"r\":null,\"n\":\"bad\"}")).is_err());
    decoder.decode(Some(good.as_bytes())).unwrap();
    let row = r#"a 1 {"s":"b","l":[1,2]} {"k":"v"}"#;
    assert_eq!(
        print(&finish(&mut decoder, &fields)),
        canonical(&format!("{columns} | + {row}  + z null null null  + {row}"))
    );
}

fn encode(options: &[(&str, &str)], rows: &str) -> Result<Vec<String>, String> {
    let batch = batch(rows);
    let fields = batch.columns().unwrap().schema().fields().clone();
    let columns = (0..fields.len()).collect();
    let spec = FormatEncoderSpec::new(format(options), "out", columns, fields).unwrap();
    let mut encoder: Box<dyn RowEncoder> = spec.build().unwrap();
    encoder.begin(&batch).unwrap();
    (0..batch.len())
        .map(|row| {
            let mut out = b"before".to_vec();
            encoder.encode(row, &mut out).map_err(|error| error.to_string())?;
            Ok(String::from_utf8(out.split_off(6)).unwrap())
        })
        .collect()
}

#[test]
fn rows_are_written_as_flink_writes_them() {
    for (options, rows, expected) in [
        (&[][..], "a:i64 b:utf8 | + 1 x  + null null", &[r#"{"a":1,"b":"x"}"#, r#"{"a":null,"b":null}"#][..]),
        (
            &[("encode.ignore-null-fields", "true")],
            "a:i64 b:utf8 r:row(x:i64,y:i64) | + null x {\"y\":1}  + null null null  + 1 null {}",
            &[r#"{"b":"x","r":{"y":1}}"#, "{}", r#"{"a":1,"r":{}}"#],
        ),
        (
            &[],
            "d:dec(10,2) | + 1.5  + 100  + 0  + -0.01",
            &[r#"{"d":1.5}"#, r#"{"d":1E+2}"#, r#"{"d":0}"#, r#"{"d":-0.01}"#],
        ),
        (&[("encode.decimal-as-plain-number", "true")], "d:dec(10,2) | + 100", &[r#"{"d":100}"#]),
        (
            &[],
            "f:f64 g:f32 | + 1 0.5  + 1e10 1e10  + NaN -Infinity",
            &[r#"{"f":1.0,"g":0.5}"#, r#"{"f":1.0E10,"g":1.0E10}"#, r#"{"f":"NaN","g":"-Infinity"}"#],
        ),
        (
            &[],
            "t:ts z:ltz d:date m:time | + 2013-01-01T05:00:00 2013-01-01T05:00:00.120Z 2013-01-01 05:00:00.5",
            &[
                r#"{"t":"2013-01-01 05:00:00","z":"2013-01-01 05:00:00.12Z","d":"2013-01-01","m":"05:00:00.5"}"#,
            ],
        ),
        (
            &[("timestamp-format.standard", "ISO-8601")],
            "t:ts z:ltz | + 2013-01-01T05:00:00 2013-01-01T05:00:00Z",
            &[r#"{"t":"2013-01-01T05:00:00","z":"2013-01-01T05:00:00Z"}"#],
        ),
        (
            &[],
            "l:list(utf8) m:map(bool) y:bytes | + [\"a\",null] {\"k\":true,\"l\":null} AQI=  + [] {} ''",
            &[r#"{"l":["a",null],"m":{"k":true,"l":null},"y":"AQI="}"#, r#"{"l":[],"m":{},"y":""}"#],
        ),
        (
            &[],
            "l:list(row(a:i64)) m:map(row(b:i64)) | + [{\"a\":1},null,{}] {\"k\":{\"b\":2}}",
            &[r#"{"l":[{"a":1},null,{"a":null}],"m":{"k":{"b":2}}}"#],
        ),
    ] {
        assert_eq!(encode(options, rows).unwrap(), expected, "{rows}");
    }
}

#[test]
fn strings_and_names_are_escaped() {
    let fields = Fields::from(vec![Field::new("a \"quoted\"\nname", DataType::Utf8, true)]);
    let text = "a \"text\" of more than sixteen bytes with \\, \u{1}\u{1f}, a tab\tand é";
    let column = Arc::new(arrow::array::StringArray::from(vec![text]));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), vec![column]).unwrap();
    let spec = FormatEncoderSpec::new(format(&[]), "out", vec![0], fields).unwrap();
    let mut encoder = spec.build().unwrap();
    encoder.begin(&Batch::append(batch, vec![0])).unwrap();
    let mut out = Vec::new();
    encoder.encode(0, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{\"a \\\"quoted\\\"\\nname\":\"a \\\"text\\\" of more than sixteen bytes with \\\\, \\u0001\\u001F, a tab\\tand é\"}"
    );
}

#[test]
fn types_that_json_can_not_hold_are_refused() {
    let nested = DataType::new_list(DataType::UInt8, true);
    let by_number = millstream_formats::columns::map_type(DataType::Int64, DataType::Int64);
    let interval = DataType::Duration(TimeUnit::Second);
    for data_type in [nested, by_number, interval] {
        let fields = Fields::from(vec![Field::new("f", data_type, true)]);
        let error = format(&[]).decoder(&fields, &fields).unwrap_err().to_string();
        assert!(error.starts_with("format 'json' can't hold field \"f\" of type "), "{error}");
        let error = FormatEncoderSpec::new(format(&[]), "out", vec![0], fields).unwrap_err().to_string();
        assert!(error.starts_with("format 'json' can't hold field"), "{error}");
    }
}
