//! The formats of changes by examples, which Flink 2.3 was asked, too.

use crate::run::{read, write};
use arrow::datatypes::Fields;
use millstream_formats::Format;
use millstream_operators::testing::{canonical, field};
use serde_json::{Value, json};
use std::sync::Arc;

const COLUMNS: &str = "id:i32 name:utf8 w:f64";

fn format(name: &str, options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse(name, &options).unwrap()
}

fn fields(columns: &str) -> Fields {
    columns.split_whitespace().map(field).collect()
}

/// The rows of some records, and what is wrong with those that are bad.
fn decode(format: &Arc<dyn Format>, columns: &str, records: &[Vec<u8>]) -> (String, Vec<(u32, String)>) {
    let fields = fields(columns);
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
    let (rows, run) = read(&**format, &fields, &fields, &payloads);
    (rows, run.bad.into_iter().map(|(index, bad)| (index, bad.detail)).collect())
}

fn texts(records: &[&str]) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.as_bytes().to_vec()).collect()
}

/// Of the row before an update there is what has changed; null is one that was null, and not one that did not change.
#[test]
fn canal_has_rows_in_lists_and_of_the_ones_before_what_has_changed() {
    let records = texts(&[
        r#"{"data":[{"id":"1","name":"a","w":"1.5"},{"id":"2","name":null,"w":"2.5"}],"old":null,"type":"INSERT","database":"db","table":"t","ts":1}"#,
        r#"{"data":[{"id":"1","name":"aa","w":"1.25"},{"id":"2","name":"b","w":"2.5"}],"old":[{"name":"a","w":"1.5"},{"name":null}],"type":"UPDATE","database":"db","table":"t"}"#,
        r#"{"data":[{"id":"2","name":"b","w":"2.5"}],"old":null,"type":"DELETE","database":"db","table":"t"}"#,
        r#"{"data":null,"old":null,"type":"CREATE","database":"db","table":"t","sql":"create table"}"#,
        r#"{"data":[{"id":"9","name":"x","w":"9"}],"old":null,"type":"INSERT","database":"other","table":"t"}"#,
    ]);
    let rows =
        format!("{COLUMNS} | + 1 a 1.5 + 2 null 2.5 - 1 a 1.5 + 1 aa 1.25 - 2 null 2.5 + 2 b 2.5 - 2 b 2.5");
    let only_some = format("canal-json", &[("database.include", "d.")]);
    assert_eq!(decode(&only_some, COLUMNS, &records), (canonical(&rows), vec![]));
    let all = format("canal-json", &[]);
    assert_eq!(decode(&all, COLUMNS, &records), (canonical(&format!("{rows} + 9 x 9.0")), vec![]));
    let none = format("canal-json", &[("table.include", "u|v")]);
    assert_eq!(decode(&none, COLUMNS, &records), (canonical(&format!("{COLUMNS} | ")), vec![]));

    let bad = texts(&[
        r#"{"data":[{"id":"1"}],"old":[],"type":"UPDATE"}"#,
        r#"{"data":[{"id":"1"}],"type":"UPDATE"}"#,
        r#"{"data":[{"id":"1"}],"type":"ALTER"}"#,
        r#"{"data":[{"id":"1"},{"id":"x"}],"type":"INSERT"}"#,
        r#"{"data":[{"id":"7"}],"type":"INSERT"}"#,
    ]);
    let (rows, found) = decode(&all, COLUMNS, &bad);
    assert_eq!(rows, canonical(&format!("{COLUMNS} | + 7 null null")));
    assert_eq!(found.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(found[2].1.contains("none of INSERT, UPDATE, DELETE and CREATE"), "{found:?}");
    let ignoring = format("canal-json", &[("ignore-parse-errors", "true")]);
    let rows = format!("{COLUMNS} | + 1 null null + null null null + 7 null null");
    assert_eq!(decode(&ignoring, COLUMNS, &bad), (canonical(&rows), vec![]));
    let written = write(&all, "id:i32 name:utf8 | + 1 a - 2 null").unwrap();
    assert_eq!(
        written,
        texts(&[
            r#"{"data":[{"id":1,"name":"a"}],"type":"INSERT"}"#,
            r#"{"data":[{"id":2,"name":null}],"type":"DELETE"}"#
        ])
    );
}

#[test]
fn maxwell_has_a_row_and_of_the_one_before_what_has_changed() {
    let maxwell = format("maxwell-json", &[]);
    let records = texts(&[
        r#"{"database":"db","table":"t","type":"insert","ts":1,"data":{"id":1,"name":"a","w":1.5}}"#,
        r#"{"database":"db","table":"t","type":"update","ts":1,"data":{"id":1,"name":"b","w":2.5},"old":{"name":null}}"#,
        r#"{"database":"db","table":"t","type":"update","ts":1,"data":{"id":1,"name":null,"w":3.5},"old":{"w":2.5,"name":"b"}}"#,
        r#"{"database":"db","table":"t","type":"delete","ts":1,"data":{"id":1,"name":null,"w":3.5}}"#,
        r#"{"database":"db","table":"t","type":"bootstrap-start","data":{}}"#,
    ]);
    let rows = format!("{COLUMNS} | + 1 a 1.5 - 1 null 2.5 + 1 b 2.5 - 1 b 2.5 + 1 null 3.5 - 1 null 3.5");
    let (found, bad) = decode(&maxwell, COLUMNS, &records);
    assert_eq!(found, canonical(&rows));
    assert!(bad.len() == 1 && bad[0].1.contains("none of insert, update and delete"), "{bad:?}");
    // What may not be null does not have to be in the row before.
    let strict = "id:i32! name:utf8 w:f64!";
    assert_eq!(decode(&maxwell, strict, &records[..4]).1, []);
    let written = write(&maxwell, "id:i32 name:utf8 | + 1 a - 2 null").unwrap();
    let expected = [
        r#"{"data":{"id":1,"name":"a"},"type":"insert"}"#,
        r#"{"data":{"id":2,"name":null},"type":"delete"}"#,
    ];
    assert_eq!(written, texts(&expected));
}

#[test]
fn ogg_is_as_debezium_in_other_words() {
    let ogg = format("ogg-json", &[]);
    let records = texts(&[
        r#"{"before":null,"after":{"id":1,"name":"a","w":1.5},"op_type":"I"}"#,
        r#"{"before":{"id":1,"name":"a","w":1.5},"after":{"id":1,"name":"aa","w":1.25},"op_type":"U"}"#,
        r#"{"before":{"id":1,"name":"aa","w":1.25},"after":null,"op_type":"D"}"#,
        r#"{"before":null,"after":null,"op_type":"T"}"#,
    ]);
    let rows = format!("{COLUMNS} | + 1 a 1.5 - 1 a 1.5 + 1 aa 1.25 - 1 aa 1.25");
    let (found, bad) = decode(&ogg, COLUMNS, &records);
    assert_eq!(found, canonical(&rows));
    assert!(bad.len() == 1 && bad[0].1.contains("none of I, U and D"), "{bad:?}");
    let written = write(&ogg, "id:i32 name:utf8 | + 1 a - 2 null").unwrap();
    let expected = [
        r#"{"before":null,"after":{"id":1,"name":"a"},"op_type":"I"}"#,
        r#"{"before":{"id":2,"name":null},"after":null,"op_type":"D"}"#,
    ];
    assert_eq!(written, texts(&expected));
}

/// Records as Debezium's connectors write them: one type for both rows, in a record that may not be null.
#[test]
fn debezium_in_avro_is_read_from_schemas_of_a_registry() {
    let format = format("debezium-avro-confluent", &[("url", "http://registry"), ("subject", "s")]);
    let row = json!({"type": "record", "name": "Value", "fields": [
        {"name": "w", "type": "double"}, {"name": "id", "type": "int"}, {"name": "name", "type": ["null", "string"]}]});
    let schema = json!({"type": "record", "name": "Envelope", "namespace": "shop.orders", "fields": [
        {"name": "before", "type": ["null", row]}, {"name": "after", "type": ["null", "Value"]},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": [{"name": "lsn", "type": "long"}]}},
        {"name": "op", "type": "string"}]});
    let head = [0, 0, 0, 0, 9];
    let lookup = format.lacks(&mut [&head[..]].into_iter()).unwrap();
    lookup.answer(200, json!({ "schema": schema.to_string() }).to_string().as_bytes()).unwrap();
    let one = [&[2][..], &1.5f64.to_le_bytes(), &[2, 2, 2, b'a']].concat();
    let two = [&[2][..], &2.5f64.to_le_bytes(), &[4, 0]].concat();
    let record = |before: &[u8], after: &[u8], op: u8| [&head[..], before, after, &[0x10, 2, op]].concat();
    let records = [
        record(&[0], &one, b'c'),
        record(&one, &two, b'u'),
        record(&two, &[0], b'd'),
        record(&[0], &one, b'd'),
    ];
    let (rows, bad) = decode(&format, COLUMNS, &records);
    assert_eq!(rows, canonical(&format!("{COLUMNS} | + 1 a 1.5 - 1 a 1.5 + 2 null 2.5 - 2 null 2.5")));
    assert!(bad.len() == 1 && bad[0].1.contains("REPLICA IDENTITY"), "{bad:?}");

    // What is written is read back, in the schema that Flink derives: the record may be null.
    let written = format.before_writing(&fields("id:i32! name:utf8")).unwrap();
    let body: Value = serde_json::from_str(&written.request().body.unwrap()).unwrap();
    let expected = r#"["null",{"type":"record","name":"record","namespace":"org.apache.flink.avro.generated","fields":[{"name":"before","type":["null",{"type":"record","name":"record_before","fields":[{"name":"id","type":"int"},{"name":"name","type":["null","string"],"default":null}]}],"default":null},{"name":"after","type":["null",{"type":"record","name":"record_after","fields":[{"name":"id","type":"int"},{"name":"name","type":["null","string"],"default":null}]}],"default":null},{"name":"op","type":["null","string"],"default":null}]}]"#;
    assert_eq!(body["schema"], expected);
    written.answer(200, br#"{"id":10}"#).unwrap();
    let head = [0, 0, 0, 0, 10];
    let lookup = format.lacks(&mut [&head[..]].into_iter()).unwrap();
    lookup.answer(200, json!({ "schema": expected }).to_string().as_bytes()).unwrap();
    let rows = "id:i32! name:utf8 | + 1 a - 2 null";
    let records = write(&format, rows).unwrap();
    assert_eq!(records[0], [&head[..], &[2, 0, 2, 2, 2, 2, b'a', 2, 2, b'c']].concat());
    assert_eq!(records[1], [&head[..], &[2, 2, 4, 0, 0, 2, 2, b'd']].concat());
    assert_eq!(decode(&format, "id:i32! name:utf8", &records), (canonical(rows), vec![]));
}
