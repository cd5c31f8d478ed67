//! The format `debezium-json` by examples, which Flink 2.3 was asked, too.

use crate::run::read;
use arrow::datatypes::Fields;
use millstream_formats::{Absent, Format, Run};
use millstream_operators::sink::{FormatEncoderSpec, RowEncoderSpec};
use millstream_operators::testing::{batch, canonical, field};
use std::sync::Arc;

const COLUMNS: &str = "id:i64 name:utf8 w:f64";

fn format(options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse("debezium-json", &options).unwrap()
}

fn fields(columns: &str) -> Fields {
    columns.split_whitespace().map(field).collect()
}

/// The rows of some records, and what is wrong with those that are bad.
fn decode(
    options: &[(&str, &str)],
    columns: &str,
    records: &[Option<&str>],
) -> (String, Vec<(u32, String)>, u64) {
    let fields = fields(columns);
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| record.map(str::as_bytes)).collect();
    let (rows, run) = read(&*format(options), &fields, &fields, &payloads);
    let nothing = run.nothing;
    (rows, run.bad.into_iter().map(|(index, bad)| (index, bad.detail)).collect(), nothing)
}

#[test]
fn a_record_says_which_rows_come_and_go() {
    let records = [
        r#"{"before":null,"after":{"id":1,"name":"a","w":1.5},"source":{"x":1},"op":"c","ts_ms":1}"#,
        r#"{"before":null,"after":{"id":2,"name":"b","w":2.5},"op":"r"}"#,
        r#"{"before":{"id":1,"name":"a","w":1.5},"after":{"id":1,"name":"aa","w":1.25},"op":"u"}"#,
        r#"{"before":{"id":2,"name":"b","w":2.5},"after":null,"op":"d"}"#,
    ];
    let rows = format!("{COLUMNS} | + 1 a 1.5  + 2 b 2.5  - 1 a 1.5  + 1 aa 1.25  - 2 b 2.5");
    let plain: Vec<Option<&str>> = records.iter().copied().map(Some).chain([None, Some("")]).collect();
    assert_eq!(decode(&[], COLUMNS, &plain), (canonical(&rows), vec![], 2));

    let wrapped: Vec<String> = records
        .iter()
        .map(|record| format!(r#"{{"schema":{{"type":"struct"}},"payload":{record}}}"#))
        .collect();
    let wrapped: Vec<Option<&str>> = wrapped.iter().map(|record| Some(record.as_str())).collect();
    assert_eq!(decode(&[("schema-include", "true")], COLUMNS, &wrapped), (canonical(&rows), vec![], 0));

    // Nothing is needed of the rows but that they are there.
    let declared = fields(COLUMNS);
    let mut decoder = format(&[]).decoder(&declared, &Fields::empty()).unwrap();
    let mut run = Run::default();
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_bytes())).collect();
    decoder.decode_run(&payloads, Absent::AsItIs, &mut run);
    assert_eq!((run.payloads, run.signs), (vec![0, 1, 2, 2, 3], vec![1, 1, -1, 1, -1]));
    assert!(decoder.finish().is_empty());
}

#[test]
fn what_a_record_does_not_say_is_bad_or_ignored_as_a_whole() {
    let records = [
        (r#"{"before":null,"after":{"id":1,"name":"a","w":1.5},"op":"c"}"#, None),
        (r#"{"before":null,"after":null,"op":"c"}"#, Some("\"after\" is null")),
        (r#"{"before":null,"after":{"id":3,"name":"c","w":1.5},"op":"u"}"#, Some("REPLICA IDENTITY")),
        (r#"{"before":{"id":3,"name":"c","w":1.5},"after":null,"op":"u"}"#, Some("\"after\" is null")),
        (r#"{"before":null,"after":{"id":4},"op":"d"}"#, Some("\"before\" is null")),
        (r#"{"before":null,"after":{"id":5},"op":"x"}"#, Some("none of c, r, u and d")),
        (r#"{"before":null,"after":{"id":6}}"#, Some("none of c, r, u and d")),
        (r#"not json"#, Some("not JSON")),
        (r#"{"before":{"id":7},"after":{"id":7},"op":"c"}"#, None),
        (r#"{"before":{"id":8},"after":{"id":88},"op":"d"}"#, None),
        (r#"{"op":"c","after":{"id":9}}"#, None),
    ];
    let payloads: Vec<Option<&str>> = records.iter().map(|(record, _)| Some(*record)).collect();
    let rows = format!("{COLUMNS} | + 1 a 1.5  + 7 null null  - 8 null null  + 9 null null");
    let (found, bad, nothing) = decode(&[], COLUMNS, &payloads);
    assert_eq!((found, nothing), (canonical(&rows), 0));
    let wanted = records.iter().zip(0..).filter_map(|((_, why), index)| why.map(|why| (index, why)));
    for ((index, why), (found, detail)) in wanted.zip(&bad) {
        assert!(index == *found && detail.contains(why), "{index}: {detail}");
    }
    assert_eq!(bad.len(), 7);
    let ignore = [("ignore-parse-errors", "true")];
    assert_eq!(decode(&ignore, COLUMNS, &payloads), (canonical(&rows), vec![], 7));

    let misfit = r#"{"before":null,"after":{"id":"q","name":"bad"},"op":"c"}"#;
    let (_, bad, _) = decode(&[], COLUMNS, &[Some(misfit)]);
    assert!(bad[0].1.contains("\"q\" is no BIGINT"), "{bad:?}");
    let (rows, bad, _) = decode(&ignore, COLUMNS, &[Some(misfit)]);
    assert_eq!((rows, bad), (canonical(&format!("{COLUMNS} | + null bad null")), vec![]));
    let (_, bad, _) =
        decode(&[("schema-include", "true")], COLUMNS, &[Some(misfit), Some(r#"{"payload":null}"#)]);
    assert_eq!(bad.len(), 2);
}

#[test]
fn a_row_that_comes_is_created_and_one_that_goes_is_deleted() {
    let changes = batch(&format!("{COLUMNS} | + 1 a 1.5  - 2 null 2.5"));
    let fields = fields(COLUMNS);
    let written = |options: &[(&str, &str)]| {
        let spec = FormatEncoderSpec::new(format(options), "out", vec![0, 1, 2], fields.clone()).unwrap();
        let mut encoder = spec.build().unwrap();
        encoder.begin(&changes).unwrap();
        let mut out = Vec::new();
        for row in 0..changes.len() {
            encoder.encode(row, &mut out).unwrap();
            out.push(b'\n');
        }
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        written(&[]),
        "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\",\"w\":1.5},\"op\":\"c\"}\n\
         {\"before\":{\"id\":2,\"name\":null,\"w\":2.5},\"after\":null,\"op\":\"d\"}\n"
    );
    assert_eq!(
        written(&[("encode.ignore-null-fields", "true")]),
        "{\"after\":{\"id\":1,\"name\":\"a\",\"w\":1.5},\"op\":\"c\"}\n{\"before\":{\"id\":2,\"w\":2.5},\"op\":\"d\"}\n"
    );
    let refused =
        FormatEncoderSpec::new(format(&[("schema-include", "true")]), "out", vec![0, 1, 2], fields.clone());
    assert!(refused.unwrap_err().to_string().contains("schema-include"));
}
