//! The formats `avro` and `avro-confluent`: bytes that Flink 2.3 has written, and schema resolution by examples.

use crate::run::{bad_lines, bytes, read, write};
use arrow::datatypes::Fields;
use millstream_formats::Format;
use millstream_operators::testing::{canonical, field};
use serde_json::{Value, json};
use std::sync::Arc;

/// The columns of the table that Flink wrote.
const COLUMNS: &str = "bo:bool ti:i8 si:i16 i:i32! l:i64 f:f32 d:f64 s:utf8 v:utf8! bs:bytes dc:dec(10,2) dt:date tm:time ts:ts \
     ts0:ts! r:row(x:i32,y:row(z:utf8!)!) a:list(i32) an:list(utf8!)! m:map(i64) arr:list(row(q:i32)) mr:map(row(p:dec(5,0)))";

/// Its schema, as it stood in the file.
const SCHEMA: &str = r#"{"type":"record","name":"record","namespace":"org.apache.flink.avro.generated","fields":[{"name":"bo","type":["null","boolean"],"default":null},{"name":"ti","type":["null","int"],"default":null},{"name":"si","type":["null","int"],"default":null},{"name":"i","type":"int"},{"name":"l","type":["null","long"],"default":null},{"name":"f","type":["null","float"],"default":null},{"name":"d","type":["null","double"],"default":null},{"name":"s","type":["null","string"],"default":null},{"name":"v","type":"string"},{"name":"bs","type":["null","bytes"],"default":null},{"name":"dc","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}],"default":null},{"name":"dt","type":["null",{"type":"int","logicalType":"date"}],"default":null},{"name":"tm","type":["null",{"type":"int","logicalType":"time-millis"}],"default":null},{"name":"ts","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},{"name":"ts0","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"r","type":["null",{"type":"record","name":"record_r","fields":[{"name":"x","type":["null","int"],"default":null},{"name":"y","type":{"type":"record","name":"record_r_y","fields":[{"name":"z","type":"string"}]}}]}],"default":null},{"name":"a","type":["null",{"type":"array","items":["null","int"]}],"default":null},{"name":"an","type":{"type":"array","items":"string"}},{"name":"m","type":["null",{"type":"map","values":["null","long"]}],"default":null},{"name":"arr","type":["null",{"type":"array","items":["null",{"type":"record","name":"record_arr","fields":[{"name":"q","type":["null","int"],"default":null}]}]}],"default":null},{"name":"mr","type":["null",{"type":"map","values":["null",{"type":"record","name":"record_mr","fields":[{"name":"p","type":["null",{"type":"bytes","logicalType":"decimal","precision":5,"scale":0}],"default":null}]}]}],"default":null}]}"#;

/// Its rows, and what Flink wrote of them, without the branch of the union that the rows of a file are.
const ROWS: [(&str, &str); 2] = [
    (
        r#"+ true -1 300 42 9000000000 1.5 2.25 héllo v AP8Q 12345.67 '2024-02-29' '12:34:56' '2024-02-29T12:34:56.789'
           '1969-12-31T23:59:59' {"x":7,"y":{"z":"zz"}} [1,2,3] ["a","b"] {"k":5} [{"q":1},{"q":2}] {"m":{"p":-300}}"#,
        "0201020102d804540280e8888743020000c03f020000000000000240020c68c3a96c6c6f0276020600ff10020612d687028cb5020280a6992b\
         02aad2e2cdbe63cf0f02020e047a7a0206020202040206000402610262000202026b020a000204020202020204000202026d020204fed400",
    ),
    (
        "+ null null null -1 null null null null '' null -1.28 null null null '2024-01-01T00:00:00' null null [\"x\"] null \
         null null",
        "00000001000000000000020280000000\
         80d08fa59863000002027800000000",
    ),
];

fn format(name: &str, options: &[(&str, &str)]) -> Result<Arc<dyn Format>, String> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse(name, &options).map_err(|error| error.to_string())
}

fn confluent(options: &[(&str, &str)]) -> Arc<dyn Format> {
    format("avro-confluent", &[&[("url", "http://registry")], options].concat()).unwrap()
}

fn fields(columns: &str) -> Fields {
    let (mut depth, mut names) = (0, vec![String::new()]);
    for character in columns.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        match character {
            ' ' if depth == 0 => names.push(String::new()),
            other => names.last_mut().unwrap().push(other),
        }
    }
    names.iter().filter(|name| !name.is_empty()).map(|name| field(name)).collect()
}

/// The rows of some payloads, and what is wrong with those that are bad.
fn decode(
    format: &Arc<dyn Format>,
    declared: &str,
    needed: &str,
    payloads: &[Vec<u8>],
) -> (String, Vec<String>) {
    let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|payload| Some(payload.as_slice())).collect();
    let (rows, run) = read(&**format, &fields(declared), &fields(needed), &payloads);
    (rows, bad_lines(run))
}

/// Answers what is asked for about a schema.
fn know(format: &Arc<dyn Format>, id: u32, schema: &str) {
    let head = [&[0][..], &id.to_be_bytes()].concat();
    let lookup = format.lacks(&mut [head.as_slice()].into_iter()).expect("it is not known yet");
    assert_eq!(lookup.request().urls, [format!("http://registry/schemas/ids/{id}")]);
    lookup.answer(200, json!({ "schema": schema }).to_string().as_bytes()).unwrap();
    assert!(format.lacks(&mut [head.as_slice()].into_iter()).is_none());
}

#[test]
fn what_flink_has_written_is_read_and_written_alike() {
    let avro = format("avro", &[]).unwrap();
    for (row, hex) in ROWS {
        let rows = format!("{COLUMNS} | {row}");
        assert_eq!(decode(&avro, COLUMNS, COLUMNS, &[bytes(hex)]), (canonical(&rows), vec![]));
        assert_eq!(write(&avro, &rows).unwrap(), [bytes(hex)], "{rows}");
    }
    // Only some of the fields, of rows as well; those of a file are a union with null.
    let needed = "mr:map(row(p:dec(5,0))) r:row(y:row(z:utf8!)!) l:i64";
    let expected =
        canonical(&format!("{needed} | + {{\"m\":{{\"p\":-300}}}} {{\"y\":{{\"z\":\"zz\"}}}} 9000000000"));
    assert_eq!(decode(&avro, COLUMNS, needed, &[bytes(ROWS[0].1)]), (expected.clone(), vec![]));
    let registered = confluent(&[]);
    know(&registered, 258, &format!("[\"null\",{SCHEMA}]"));
    let payload = [bytes("0000000102 02"), bytes(ROWS[0].1)].concat();
    assert_eq!(decode(&registered, COLUMNS, needed, &[payload]), (expected, vec![]));
}

#[test]
fn the_schema_of_a_table_is_the_one_that_flink_derives() {
    let format = confluent(&[("subject", "orders-value")]);
    let lookup = format.before_writing(&fields(COLUMNS)).unwrap();
    let request = lookup.request();
    assert_eq!(request.urls, ["http://registry/subjects/orders-value/versions"]);
    let body: Value = serde_json::from_str(&request.body.unwrap()).unwrap();
    assert_eq!(body["schema"], SCHEMA);
    // Rows are written once its number is known.
    let rows = format!("{COLUMNS} | {}", ROWS[1].0);
    assert!(write(&format, &rows).unwrap_err().contains("has not been looked up"));
    lookup.answer(200, br#"{"id":258}"#).unwrap();
    let expected = [bytes("0000000102"), bytes(ROWS[1].1)].concat();
    assert_eq!(write(&format, &rows).unwrap(), [expected]);
    let asks_only = confluent(&[("subject", "s"), ("auto.register.schemas", "false")]);
    let urls = asks_only.before_writing(&fields("a:i32")).unwrap().request().urls;
    assert_eq!(urls, ["http://registry/subjects/s"]);
}

/// A writer's fields in another order, under other names, of other types; some that nobody wants, some that are missing.
#[test]
fn records_of_other_schemas_are_read_by_the_names_of_their_fields() {
    let schema = json!({"type": "record", "name": "com.shop.Order", "fields": [
        {"name": "unused", "type": {"type": "map", "values": {"type": "array", "items": ["null", "string", {
            "type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}, {"name": "of", "type": "double"}]}]}}},
        {"name": "amount", "type": "int"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
        {"name": "price", "type": {"type": "fixed", "name": "Price", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 3}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "note", "type": ["string", "null"]},
        {"name": "either", "type": ["null", "int", "string", "long"]},
        {"name": "key", "type": {"type": "fixed", "name": "Key", "size": 16, "logicalType": "uuid"}},
        {"name": "part", "type": {"type": "record", "name": "Part", "fields": [{"name": "b", "type": "bytes"}, {"name": "a", "type": "float"}]}}
    ]});
    let columns = "price:dec(10,2) at:ts amount:i64 note:utf8 missing:i32 either:i64 state:utf8 key:utf8 \
                   part:row(a:f64,b:utf8,c:bool)";
    let format = confluent(&[]);
    know(&format, 7, &schema.to_string());
    let head = "0000000007";
    let record = |either: &str, note: &str| {
        bytes(&format!(
            "{head} 00 54 02 ffffff85 dea7d3ca8fa18906 {note} {either} 123e4567e89b12d3a456426614174000 04 6869 0000c03f"
        ))
    };
    let payloads = [record("02 0e", "00 04 6f6b"), record("06 10", "02"), record("04 02 78", "02")];
    let (rows, bad) = decode(&format, columns, columns, &payloads);
    let expected = format!(
        "{columns} | + -0.12 '2024-02-29T12:34:56.789' 42 ok null 7 PAID 123e4567-e89b-12d3-a456-426614174000 \
         {{\"a\":1.5,\"b\":\"hi\",\"c\":null}} + -0.12 '2024-02-29T12:34:56.789' 42 null null 8 PAID \
         123e4567-e89b-12d3-a456-426614174000 {{\"a\":1.5,\"b\":\"hi\",\"c\":null}}"
    );
    assert_eq!(rows, canonical(&expected));
    assert_eq!(bad.len(), 1);
    assert!(bad[0].starts_with("2: either: the writer has string, which can't be read as BIGINT"), "{bad:?}");
}

#[test]
fn what_nobody_wants_is_passed_over_however_it_nests() {
    let schema = json!({"type": "record", "name": "R", "fields": [
        {"name": "m", "type": {"type": "map", "values": {"type": "array", "items": ["null", "string", "R"]}}},
        {"name": "d", "type": "double"}, {"name": "b", "type": "boolean"}, {"name": "f", "type": "float"},
        {"name": "n", "type": {"type": "array", "items": "null"}},
        {"name": "x", "type": {"type": "fixed", "name": "X", "size": 3}},
        {"name": "id", "type": "long"}]})
    .to_string();
    let format = confluent(&[]);
    know(&format, 1, &schema);
    let tail = "0000000000000000 01 00000000 808080808080808001 00 010203";
    // An entry "k" with an array of null, "hi" and a record; then one in a block of known length.
    let inner = format!("00 {tail} 00");
    let record = format!("00 00000001 02 026b 06 00 02 046869 04 {inner} 00 01 06 026c 00 00 {tail} 0e");
    let (rows, bad) = decode(&format, "id:i64", "id:i64", &[bytes(&record)]);
    assert_eq!((rows, bad), (canonical("id:i64 | + 7"), vec![]));
}

#[test]
fn a_schema_that_a_table_can_not_be_read_from_is_said_for_each_record() {
    let format = confluent(&[]);
    let one = |field: &str| format!("{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{field}]}}");
    for (id, columns, field, why) in [
        (
            1,
            "a:i32!",
            "{\"name\":\"b\",\"type\":\"int\"}",
            "field \"a\": the writer's schema does not have it",
        ),
        (2, "a:i32", "{\"name\":\"a\",\"type\":\"long\"}", "the writer has long, which can't be read as INT"),
        (
            3,
            "a:utf8",
            "{\"name\":\"a\",\"type\":\"int\"}",
            "the writer has int, which can't be read as STRING",
        ),
        (4, "a:row(b:i32)", "{\"name\":\"a\",\"type\":\"string\"}", "which can't be read as ROW<b INT>"),
        (5, "a:i32!", "{\"name\":\"a\",\"type\":\"null\"}", "null, but the field is declared NOT NULL"),
    ] {
        know(&format, id, &one(field));
        let (_, bad) = decode(&format, columns, columns, &[bytes(&format!("000000000{id} 02"))]);
        assert!(bad.len() == 1 && bad[0].starts_with(&format!("0: schema {id}: ")), "{bad:?}");
        assert!(bad[0].contains(why), "{bad:?}");
    }
    let (_, bad) =
        decode(&format, "a:i32", "a:i32", &[b"{\"a\":1}".to_vec(), vec![], bytes("0000000063 02")]);
    assert!(bad[0].contains("begins with a zero and the number of its schema") && bad.len() == 3, "{bad:?}");
    assert!(bad[2].contains("schema 99: it has not been looked up"), "{bad:?}");
}

#[test]
fn a_record_that_is_not_of_the_schema_is_bad_and_leaves_no_trace() {
    let avro = format("avro", &[]).unwrap();
    let columns = "n:i32! s:utf8 l:list(i64) t:i8";
    let good = bytes("0e 02 02 61 02 02 02 04 00 02 02");
    let row = canonical(&format!("{columns} | + 7 a [2] 1 + 7 a [2] 1"));
    for (hex, expected) in [
        ("", "n: the record ends within INT, behind 0 bytes"),
        ("0e 02 08 61", "s: the record ends within STRING"),
        ("0e 02 01", "s: not Avro of this schema: no length"),
        ("0e 04", "s: not Avro of this schema: no number of a branch or symbol"),
        ("0e 02 02 ff 00 00", "s: the text that ends at byte 4 is not UTF-8"),
        ("0e 00 02 fe ff ff ff 0f", "l: the record ends within ARRAY<BIGINT>"),
        ("0e 00 02 04 02 02 04 00 00", "l[1]: not Avro of this schema: no number of a branch"),
        ("0e 00 00 02 80 02", "t: the value that ends at byte 6 is out of range for TINYINT"),
        ("0e 00 00 00 01 02", "2 bytes are left behind the record"),
        ("fe ff ff ff 1f 00 00 00", "n: not Avro of this schema: no int"),
    ] {
        let (rows, bad) = decode(&avro, columns, columns, &[good.clone(), bytes(hex), good.clone()]);
        assert_eq!(rows, row, "{hex}");
        assert!(bad.len() == 1 && bad[0].starts_with(&format!("1: {expected}")), "{hex}: {bad:?}");
    }
}

#[test]
fn of_keys_that_repeat_the_last_one_counts() {
    let avro = format("avro", &[]).unwrap();
    let columns = "m:map(i64)";
    let payload = bytes("02 04 0261 0202 0262 0204 02 0261 0206 00");
    assert_eq!(
        decode(&avro, columns, columns, &[payload]),
        (canonical("m:map(i64) | + {\"b\":2,\"a\":3}"), vec![])
    );
}

/// Defaults come from the schema that the table names; its fields are known by their places.
#[test]
fn a_schema_of_its_own_gives_names_defaults_and_aliases() {
    let schema = json!({"type": "record", "name": "R", "fields": [
        {"name": "id", "type": "long", "aliases": ["number"]},
        {"name": "state", "type": {"type": "enum", "name": "S", "symbols": ["A", "B"]}, "default": "B"},
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": ["x", "y"]},
        {"name": "part", "type": {"type": "record", "name": "P", "fields": [
            {"name": "a", "type": ["null", "int"], "default": null}, {"name": "b", "type": "double", "default": 1.5}]}, "default": {}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, "default": "\u{1}\u{0}"}]})
    .to_string();
    let format = confluent(&[("schema", &schema), ("subject", "s")]);
    know(
        &format,
        1,
        "{\"type\":\"record\",\"name\":\"Q\",\"fields\":[{\"name\":\"number\",\"type\":\"int\"}]}",
    );
    let columns = "n:i64! s:utf8! t:list(utf8!)! p:row(a:i32,b:f64!)! d:dec(4,2)!";
    let row = r#"7 B ["x","y"] {"a":null,"b":1.5} 2.56"#;
    let read = decode(&format, columns, columns, &[bytes("0000000001 0e")]);
    assert_eq!(read, (canonical(&format!("{columns} | + {row}")), vec![]));
    let lookup = format.before_writing(&fields(columns)).unwrap();
    lookup.answer(200, br#"{"id":2}"#).unwrap();
    let written = write(&format, &format!("{columns} | + {row}")).unwrap();
    assert_eq!(written, [bytes("0000000002 0e 02 04 0278 0279 00 00 000000000000f83f 04 0100")]);
    let refused = format.decoder(&fields("n:i64!"), &fields("n:i64!")).unwrap_err().to_string();
    assert!(refused.contains("the schema has 5 fields where the table has 1 columns"), "{refused}");
}

#[test]
fn what_avro_can_not_hold_is_refused_with_what_to_do() {
    let (legacy, new) =
        (format("avro", &[]).unwrap(), format("avro", &[("timestamp_mapping.legacy", "false")]).unwrap());
    for (format, columns, why) in [
        (&legacy, "z:ltz", "'avro.timestamp_mapping.legacy' = 'false'"),
        (&new, "z:list(ltz)", "outside of arrays and maps"),
        (&legacy, "a-b:i32", "letters, digits and _"),
    ] {
        let refused = format.decoder(&fields(columns), &fields(columns)).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    assert!(new.decoder(&fields("z:ltz t:ts"), &fields("z:ltz t:ts")).is_ok());
    let twice = format("avro-confluent", &[("url", "http://r"), ("subject", "s")]).unwrap();
    let columns = fields("a:row(b:row(c:i32)) a_b:row(c:i32)");
    assert!(twice.encoder(&columns).unwrap_err().to_string().contains("would both be called"));
    for (options, why) in [
        (&[][..], "option 'avro-confluent.url' is missing: the address of the schema registry"),
        (&[("url", "registry:8081")], "expected an address as in 'http://registry:8081'"),
        (&[("url", "http://r"), ("ssl.keystore.location", "x")], "certificates of clients are not supported"),
        (&[("url", "http://r"), ("schema", "{}")], "a schema of Avro"),
        (
            &[("url", "http://r"), ("bearer-auth.token", "t"), ("basic-auth.user-info", "u:p")],
            "can't both be set",
        ),
        (&[("url", "http://r"), ("urll", "x")], "has no option 'urll'"),
    ] {
        let refused = format("avro-confluent", options).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    assert!(format("avro", &[("encoding", "json")]).unwrap_err().contains("not supported yet"));
}
