//! The format `raw` by examples.

use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, Schema};
use millstream_formats::{Format, Outcome};
use millstream_operators::Batch;
use millstream_operators::sink::{FormatEncoderSpec, RowEncoderSpec};
use millstream_operators::testing::{batch, canonical, field, print};
use std::sync::Arc;

fn format(options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse("raw", &options).unwrap()
}

#[test]
fn a_payload_is_the_value_and_comes_back() {
    let little = [("endianness", "little-endian")];
    for (options, rows, payload) in [
        (&[][..], "v:utf8 | + 'a é'", "a é".as_bytes()),
        (&[], "v:utf8 | + ''", b""),
        (&[], "v:bytes | + AQI=", &[1, 2]),
        (&[], "v:bool | + true", &[1]),
        (&[], "v:i8 | + -1", &[0xff]),
        (&[], "v:i16 | + 258", &[1, 2]),
        (&little, "v:i16 | + 258", &[2, 1]),
        (&[], "v:i32 | + -2", &[0xff, 0xff, 0xff, 0xfe]),
        (&[], "v:i64 | + 1", &[0, 0, 0, 0, 0, 0, 0, 1]),
        (&little, "v:i64 | + 1", &[1, 0, 0, 0, 0, 0, 0, 0]),
        (&[], "v:f32 | + 1.5", &[0x3f, 0xc0, 0, 0]),
        (&little, "v:f64 | + 1.5", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
    ] {
        let batch = batch(rows);
        let fields = batch.columns().unwrap().schema().fields().clone();
        let mut decoder = format(options).decoder(&fields, &fields).unwrap();
        assert_eq!(decoder.decode(Some(payload)), Ok(Outcome::Row), "{rows}");
        let columns = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), decoder.finish()).unwrap();
        assert_eq!(print(&Batch::append(columns, vec![0])), canonical(rows));

        let spec = FormatEncoderSpec::new(format(options), "out", vec![0], fields).unwrap();
        let mut encoder = spec.build().unwrap();
        encoder.begin(&batch).unwrap();
        let mut out = Vec::new();
        encoder.encode(0, &mut out).unwrap();
        assert_eq!(out, payload, "{rows}");
    }
}

#[test]
fn a_payload_of_another_length_is_bad() {
    for (column, payload, expected) in [
        ("v:i32", &b"abc"[..], "3 bytes are no INT; payload: abc"),
        ("v:bool", b"", "0 bytes are no BOOLEAN; payload: "),
        ("v:f64", b"1", "1 bytes are no DOUBLE; payload: 1"),
        ("v:utf8", b"\xff", "1 bytes are no STRING; payload: \u{fffd}"),
    ] {
        let fields = Fields::from(vec![field(column)]);
        let mut decoder = format(&[]).decoder(&fields, &fields).unwrap();
        let bad = decoder.decode(Some(payload)).unwrap_err();
        assert_eq!((bad.field.as_deref(), bad.detail.as_str()), (Some("v"), expected));
    }
}

#[test]
fn null_is_a_row_when_read_and_an_error_when_written() {
    let fields = Fields::from(vec![field("v:utf8")]);
    let mut decoder = format(&[]).decoder(&fields, &fields).unwrap();
    assert_eq!(decoder.decode(None), Ok(Outcome::Row));
    assert!(decoder.finish()[0].is_null(0));
    let not_null = Fields::from(vec![field("v:utf8!")]);
    let mut decoder = format(&[]).decoder(&not_null, &not_null).unwrap();
    assert!(decoder.decode(None).unwrap_err().detail.starts_with("null, but"));

    let spec = FormatEncoderSpec::new(format(&[]), "out", vec![0], fields).unwrap();
    let mut encoder = spec.build().unwrap();
    encoder.begin(&batch("v:utf8 | + null")).unwrap();
    let error = encoder.encode(0, &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "row for topic \"out\": null can't be written as it is; give it a value with COALESCE");
}

#[test]
fn a_value_that_is_not_needed_is_not_looked_at() {
    let declared = Fields::from(vec![field("v:i64")]);
    let mut decoder = format(&[]).decoder(&declared, &Fields::empty()).unwrap();
    assert_eq!(decoder.decode(Some(b"abc")), Ok(Outcome::Row));
    assert!(decoder.finish().is_empty());
}

/// Flink 2.3: an empty text is a text, and no number has no bytes.
#[test]
fn an_empty_value_is_an_empty_text_and_no_number() {
    for (column, is_row) in [("v:utf8", true), ("v:bytes", true), ("v:i32", false), ("v:bool", false)] {
        let declared = Fields::from(vec![field(column)]);
        let mut decoder = format(&[]).decoder(&declared, &declared).unwrap();
        assert_eq!(decoder.decode(Some(b"")).is_ok(), is_row, "{column}");
        assert_eq!(decoder.finish()[0].len(), usize::from(is_row), "{column}");
    }
}
