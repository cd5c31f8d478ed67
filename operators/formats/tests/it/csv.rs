//! The format `csv` by examples.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Fields, Schema};
use millstream_formats::{Format, Outcome};
use millstream_operators::Batch;
use millstream_operators::sink::{FormatEncoderSpec, RowEncoderSpec};
use millstream_operators::testing::{batch, canonical, field, print};
use std::sync::Arc;

fn format(options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse("csv", &options).unwrap()
}

fn fields(text: &str) -> Fields {
    text.split_whitespace().map(field).collect()
}

/// Decodes lines and prints the rows, or says what is wrong with the first bad one.
fn decode_some(
    options: &[(&str, &str)],
    declared: &str,
    needed: &str,
    lines: &[&str],
) -> Result<String, (Option<String>, String)> {
    let needed = fields(needed);
    let mut decoder = format(options).decoder(&fields(declared), &needed).unwrap();
    let mut rows = 0;
    for line in lines {
        match decoder.decode(Some(line.as_bytes())) {
            Ok(Outcome::Row) => rows += 1,
            Ok(_) => {}
            Err(bad) => return Err((bad.field, bad.detail)),
        }
    }
    let count = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(Schema::new(needed));
    let columns = RecordBatch::try_new_with_options(schema, decoder.finish(), &count).unwrap();
    Ok(print(&Batch::append(columns, vec![0; rows])))
}

#[track_caller]
fn check(options: &[(&str, &str)], lines: &[&str], rows: &str) {
    let columns = rows.split('|').next().unwrap();
    assert_eq!(decode_some(options, columns, columns, lines).unwrap(), canonical(rows));
}

#[track_caller]
fn refused(options: &[(&str, &str)], columns: &str, line: &str, field: Option<&str>, detail: &str) {
    let (found, text) = decode_some(options, columns, columns, &[line]).unwrap_err();
    assert_eq!(found.as_deref(), field, "{text}");
    assert_eq!(text, format!("{detail}; payload: {line}"));
}

#[test]
fn fields_are_columns_by_their_place() {
    check(
        &[],
        &["1,a,true", "-2,,FALSE", " 3 ,\"b, c\",no", "4,\"say \"\"hi\"\"\",true\n", "5,x,true,"],
        "n:i64 s:utf8 b:bool | + 1 a true  + -2 '' false  + 3 'b, c' false  + 4 'say \"hi\"' true  + 5 x true",
    );
    check(
        &[],
        &["1.5,2.345,AQI=,2015-7-5,01:02,2015-07-15 00:00:00.5 , 2015-07-15 00:00:00Z"],
        "f:f64 d:dec(5,2) y:bytes a:date t:time w:ts z:ltz | \
         + 1.5 2.35 AQI= 2015-07-05 01:02:00 2015-07-15T00:00:00.5 2015-07-15T00:00:00Z",
    );
}

#[test]
fn only_the_fields_that_are_needed_are_read() {
    let rows = decode_some(&[], "a:i64 b:i64 c:utf8", "c:utf8 a:i64", &["1,not a number,x"]).unwrap();
    assert_eq!(rows, canonical("c:utf8 a:i64 | + x 1"));
    let rows = decode_some(&[], "a:i64 b:i64", "", &["1,2"]).unwrap();
    assert_eq!(rows, canonical(" | +"));
}

#[test]
fn delimiters_quotes_and_escapes_are_those_of_the_table() {
    check(&[("field-delimiter", "\\t")], &["1\ta,b"], "n:i64 s:utf8 | + 1 a,b");
    check(&[("field-delimiter", "\\u0001")], &["1\u{1}a,b"], "n:i64 s:utf8 | + 1 a,b");
    check(&[("quote-character", "'")], &["1,'a,\"b'"], "n:i64 s:utf8 | + 1 'a,\"b'");
    check(&[("disable-quote-character", "true")], &["1,\"a"], "n:i64 s:utf8 | + 1 \"a");
    check(&[("escape-character", "\\")], &["1,\"a\\\"b\\\\,\""], "n:i64 s:utf8 | + 1 a\"b\\,");
    check(&[], &["1,\"two\nlines\""], "n:i64 s:utf8 | + 1 'two\nlines'");
    check(&[("allow-comments", "true")], &["# hello\n1,a"], "n:i64 s:utf8 | + 1 a");
}

#[test]
fn the_null_literal_is_null() {
    check(
        &[("null-literal", "n/a")],
        &["n/a,n/a,1;n/a,n/a;x", ",a,,"],
        "n:utf8 s:utf8 l:list(i64) r:row(a:i64,b:utf8) | + null null [1,null] {\"a\":null,\"b\":\"x\"}  + '' a [] null",
    );
    check(&[("null-literal", "")], &[",1"], "n:i64 m:i64 | + null 1");
    refused(&[], "n:i64 m:i64", ",1", Some("n"), "\"\" is no BIGINT");
    refused(&[("null-literal", "-")], "n:i64!", "-", Some("n"), "null, but the field is declared NOT NULL");
}

#[test]
fn parts_of_arrays_and_rows_are_within_a_field() {
    check(
        &[],
        &["1;2,7;x", "\"3\",8;y;more", ",9;\"z\""],
        "l:list(i64) r:row(a:i64,b:utf8) | + [1,2] {\"a\":7,\"b\":\"x\"}  + [3] {\"a\":8,\"b\":\"y\"}  + [] {\"a\":9,\"b\":\"\\\"z\\\"\"}",
    );
    check(&[("array-element-delimiter", "|")], &["1|2"], "l:list(i64) | + [1,2]");
    refused(&[], "l:list(i8)", "1;300", Some("l[1]"), "\"300\" is out of range for TINYINT");
    refused(&[], "r:row(a:i64,b:i64)", "1", Some("r.b"), "the field is missing");
    refused(&[], "r:row(a:i64,b:i64)", "1;x", Some("r.b"), "\"x\" is no BIGINT");
}

#[test]
fn a_line_that_does_not_fit_is_bad() {
    refused(&[], "a:i64 b:i64", "1", None, "a line of 1 fields, expected 2");
    refused(&[], "a:i64 b:i64", "1,2,3", None, "a line of 3 fields, expected 2");
    refused(&[], "a:i64 b:i64", "1,x", Some("b"), "\"x\" is no BIGINT");
    refused(&[], "a:i8", "200", Some("a"), "\"200\" is out of range for TINYINT");
    refused(&[], "a:utf8", "\"open", None, "a quote is not closed");
    refused(&[], "a:utf8", "x\ny", None, "there is more than one line");
    refused(&[], "a:utf8", "", None, "there is no line");
    refused(&[("allow-comments", "true")], "a:utf8", "# only", None, "there is no line");
    let mut decoder = format(&[]).decoder(&fields("a:utf8"), &fields("a:utf8")).unwrap();
    let bad = decoder.decode(Some(b"a\xffb")).unwrap_err();
    assert!(bad.detail.starts_with("not UTF-8 at byte 1"), "{}", bad.detail);
}

#[test]
fn parse_errors_can_be_ignored() {
    check(
        &[("ignore-parse-errors", "true")],
        &["x,1", "1", "1,2,3", "\"open", "", "2,3;x"],
        "a:i64 l:list(i8) | + null [1]  + 1 null  + 2 [3,null]",
    );
}

fn encode(options: &[(&str, &str)], rows: &str) -> Vec<String> {
    let batch = batch(rows);
    let fields = batch.columns().unwrap().schema().fields().clone();
    let spec = FormatEncoderSpec::new(format(options), "out", (0..fields.len()).collect(), fields).unwrap();
    let mut encoder = spec.build().unwrap();
    encoder.begin(&batch).unwrap();
    let encode = |row| {
        let mut out = Vec::new();
        encoder.encode(row, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    (0..batch.len()).map(encode).collect()
}

#[test]
fn rows_are_lines() {
    for (options, rows, expected) in [
        (
            &[][..],
            "n:i64 s:utf8 b:bool | + 1 a true  + null null null  + 2 'say \"hi\"' false  + 3 a,b true",
            &["1,a,true", ",,", "2,\"say \"\"hi\"\"\",false", "3,\"a,b\",true"][..],
        ),
        (&[("null-literal", "n/a")], "n:i64 s:utf8 | + null ''", &["n/a,"]),
        (&[], "s:utf8 | + ''  + null", &["\"\"", "\"\""]),
        (
            &[("field-delimiter", ";")],
            "t:ts l:list(i64) | + 2015-07-15T00:00:00.5 [1,2]",
            &["2015-07-15 00:00:00.5;\"1;2\""],
        ),
        (&[("escape-character", "\\")], "s:utf8 | + 'a\"b\\c,'", &["\"a\\\"b\\\\c,\""]),
        (&[("disable-quote-character", "true")], "s:utf8 n:i64 | + 'a\"b,c' 1", &["a\"b,c,1"]),
        (&[("allow-comments", "true")], "s:utf8 n:i64 | + #a 1", &["\"#a\",1"]),
        (&[], "d:dec(10,2) r:row(a:i64,b:utf8) | + 100 {\"a\":1,\"b\":null}", &["1E+2,1;"]),
        (&[("write-bigdecimal-in-scientific-notation", "false")], "d:dec(10,2) | + 100", &["100"]),
        (
            &[],
            "y:bytes f:f64 z:ltz | + AQI= 1e10 2015-07-15T00:00:00Z",
            &["AQI=,1.0E10,2015-07-15 00:00:00Z"],
        ),
    ] {
        assert_eq!(encode(options, rows), expected, "{rows}");
    }
}

/// Flink 2.3: "No content to map due to end-of-input".
#[test]
fn an_empty_value_is_no_line() {
    refused(&[], "v:utf8", "", None, "there is no line");
    refused(&[], "v:utf8 n:i32", "", None, "there is no line");
    check(&[("ignore-parse-errors", "true")], &["", "a"], "v:utf8 | + a");
}
