//! Tables: records in, batches out.

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Fields, Int64Type, TimeUnit};
use millstream_operators::formats::{self, Format};
use millstream_operators::source::{BadRecord, DecodeCx, Decoded, Decoder, DecoderSpec};
use millstream_operators::table::{
    ColumnFrom, KeyOptions, Layout, Metadata, TableColumn, TableDecoderSpec, ValueFields,
};
use millstream_operators::testing::{Function, canonical, field, print};
use millstream_operators::{
    Batch, Expression, Headers, Record, Records, RecordsBuilder, StreamKind, TopicPartition,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table under test, put together as a planner would.
struct Table {
    kind: StreamKind,
    physical: Fields,
    value: Arc<dyn Format>,
    key: Option<(Arc<dyn Format>, KeyOptions)>,
    more: Vec<TableColumn>,
    output: Vec<&'static str>,
    event_time: Option<&'static str>,
}

fn format(name: &str, options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    formats::parse(name, &options.collect::<BTreeMap<_, _>>()).unwrap()
}

fn append(physical: &str) -> Table {
    Table {
        kind: StreamKind::Append,
        physical: physical.split_whitespace().map(field).collect(),
        value: format("json", &[]),
        key: None,
        more: Vec::new(),
        output: Vec::new(),
        event_time: None,
    }
}

fn upsert(physical: &str, key: &[&str]) -> Table {
    let options = KeyOptions {
        fields: key.iter().map(|name| (*name).to_owned()).collect(),
        include: ValueFields::ExceptKey,
        ..KeyOptions::default()
    };
    Table { kind: StreamKind::Upsert, key: Some((format("json", &[]), options)), ..append(physical) }
}

impl Table {
    fn metadata(mut self, name: &'static str, metadata: Metadata) -> Self {
        let field = Field::new(name, metadata.data_type(), metadata.is_nullable());
        self.more.push(TableColumn { field, from: ColumnFrom::Metadata(metadata) });
        self
    }

    fn computed(mut self, name: &'static str, expression: impl Expression + 'static, nullable: bool) -> Self {
        let field = Field::new(name, expression.data_type().clone(), nullable);
        self.more.push(TableColumn { field, from: ColumnFrom::Computed(Arc::new(expression)) });
        self
    }

    fn output(mut self, names: &[&'static str]) -> Self {
        self.output = names.to_vec();
        self
    }

    fn time(mut self, name: &'static str) -> Self {
        self.event_time = Some(name);
        self
    }

    fn spec(&self) -> Result<TableDecoderSpec, String> {
        let key = self.key.as_ref().map(|(format, options)| (format.clone(), options));
        let layout = Layout::new(self.kind, &self.physical, self.value.clone(), key);
        let layout = layout.map_err(|error| error.to_string())?;
        let physical = self.physical.iter().zip(layout.columns);
        let physical = physical.map(|(field, from)| TableColumn { field: field.as_ref().clone(), from });
        let columns: Vec<TableColumn> = physical.chain(self.more.iter().cloned()).collect();
        let index = |name: &str| columns.iter().position(|column| column.field.name() == name).unwrap();
        let output = match self.output.is_empty() {
            true => (0..columns.len()).collect(),
            false => self.output.iter().map(|name| index(name)).collect(),
        };
        let event_time = self.event_time.map(index);
        TableDecoderSpec::new(self.kind, layout.value, layout.key, columns, output, event_time)
            .map_err(|error| error.to_string())
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        self.spec().unwrap().build().unwrap()
    }

    fn decode(&self, records: &[Simple<'_>]) -> Decoded {
        decode(&mut *self.decoder(), records)
    }

    /// Checks the rows, and what is said of the bad records: index, field, and the beginning of the detail.
    #[track_caller]
    fn check(&self, records: &[Simple<'_>], rows: &str, bad: &[(usize, Option<&str>, &str)]) {
        let mut decoder = self.decoder();
        // Twice: nothing may be left in the decoder.
        for _ in 0..2 {
            let decoded = decode(&mut *decoder, records);
            let skipped = decoded.skipped as usize;
            assert_eq!(skipped + decoded.bad.len() + decoded.times.len(), records.len());
            let said: Vec<_> = decoded.bad.iter().map(|bad| (bad.index, bad.field.as_deref())).collect();
            let expected: Vec<_> = bad.iter().map(|(index, field, _)| (*index, *field)).collect();
            assert_eq!(said, expected, "{:?}", decoded.bad);
            for (BadRecord { detail, .. }, (_, _, beginning)) in decoded.bad.iter().zip(bad) {
                assert!(detail.starts_with(beginning), "{detail}");
            }
            assert_eq!(print(&as_batch(decoded)), canonical(rows));
        }
    }
}

/// Key and value of a record. Offsets count from 100, timestamps from 1000.
type Simple<'a> = (Option<&'a str>, Option<&'a str>);

fn records(records: &[Simple<'_>]) -> Records {
    let mut builder = RecordsBuilder::default();
    for (index, (key, value)) in records.iter().enumerate() {
        builder.push_record(Record {
            offset: 100 + index as u64,
            timestamp_ms: 1000 + index as i64,
            key: key.map(str::as_bytes),
            value: value.map(str::as_bytes),
            headers: Headers::NONE,
        });
    }
    builder.finish()
}

fn decode(decoder: &mut dyn Decoder, run: &[Simple<'_>]) -> Decoded {
    decoder.decode(&TopicPartition::new("t", 3), &records(run), &DecodeCx { now_ms: 77 }).unwrap()
}

fn as_batch(decoded: Decoded) -> Batch {
    Batch::new(decoded.rows, decoded.times, decoded.ops)
}

/// `10 / v` over the column at `index`.
fn ten_over(index: usize) -> Function {
    Function::new("10 / v", DataType::Int64, move |rows, _| {
        let values = rows.column(index).as_primitive::<Int64Type>();
        let quotient = |value: i64| 10i64.checked_div(value).ok_or("division by zero".to_owned());
        let quotients: Result<Int64Array, String> =
            values.iter().map(|value| value.map(quotient).transpose()).collect();
        Ok(Arc::new(quotients?))
    })
}

#[test]
fn rows_are_insertions_with_the_times_of_their_records() {
    append("id:i64 name:utf8").check(
        &[(None, Some(r#"{"id":1,"name":"a"}"#)), (Some("k"), Some(r#"{"name":"b","more":[1]}"#))],
        "id:i64 name:utf8 | + @1000 1 a  + @1001 null b",
        &[],
    );
}

#[test]
fn only_the_columns_of_the_output_are_there_and_in_its_order() {
    let table = append("id:i64 name:utf8 ok:bool").output(&["ok", "id"]);
    table.check(&[(None, Some(r#"{"id":1,"name":"a","ok":true}"#))], "ok:bool id:i64 | + @1000 true 1", &[]);
}

#[test]
fn a_record_without_a_value_is_skipped_in_a_table_of_insertions() {
    let decoded = append("id:i64!").decode(&[(None, None), (None, Some("")), (None, Some(r#"{"id":1}"#))]);
    assert_eq!((decoded.skipped, decoded.bad.len(), decoded.times.len()), (2, 0, 1));
}

#[test]
fn raw_makes_null_of_a_record_without_a_value() {
    let table = Table { value: format("raw", &[]), ..append("line:utf8") };
    table.check(&[(None, Some("a b")), (None, None)], "line:utf8 | + @1000 'a b'  + @1001 null", &[]);
}

#[test]
fn bad_records_are_left_out_and_named() {
    append("id:i64! bid:row(price:i8)").check(
        &[
            (None, Some(r#"{"id":1}"#)),
            (None, Some(r#"{"id":"x"}"#)),
            (None, Some(r#"{"id":2,"bid":{"price":1000}}"#)),
            (None, Some("{")),
            (None, Some(r#"{"name":"a"}"#)),
            (None, Some(r#"{"id":3,"bid":{"price":5}}"#)),
        ],
        r#"id:i64 bid:row(price:i8) | + @1000 1 null  + @1005 3 {"price":5}"#,
        &[
            (1, Some("id"), "\"x\" is no BIGINT; payload: {\"id\":\"x\"}"),
            (2, Some("bid.price"), "1000 is out of range for TINYINT; payload: {\"id\":2,\"bid\""),
            (3, None, "not JSON: expected a key in quotes at byte 1; payload: {"),
            (4, Some("id"), "null, but the field is declared NOT NULL"),
        ],
    );
}

#[test]
fn what_the_format_ignores_is_skipped_and_not_bad() {
    let table = Table { value: format("json", &[("ignore-parse-errors", "true")]), ..append("id:i64") };
    let decoded = table.decode(&[(None, Some("{")), (None, Some(r#"{"id":"x"}"#))]);
    assert_eq!((decoded.skipped, decoded.bad.len()), (1, 0));
    assert_eq!(print(&as_batch(decoded)), canonical("id:i64 | + @1001 null"));
}

#[test]
fn key_columns_come_from_the_key() {
    let options = KeyOptions {
        fields: vec!["k_id".to_owned()],
        prefix: "k_".to_owned(),
        include: ValueFields::ExceptKey,
    };
    let key = Some((format("json", &[]), options));
    let table = Table { key, ..append("k_id:i64! id:i64") };
    table.check(
        &[
            (Some(r#"{"id":1}"#), Some(r#"{"id":2,"k_id":3}"#)),
            (None, Some(r#"{"id":2}"#)),
            (Some(r#"{"id":[]}"#), Some(r#"{"id":2}"#)),
            (Some(r#"{"id":4}"#), Some(r#"{"id":"x"}"#)),
            (Some(r#"{"id":5}"#), Some(r#"{"id":6}"#)),
            (Some(r#"{"id":7}"#), None),
        ],
        "k_id:i64 id:i64 | + @1000 1 2  + @1004 5 6",
        &[
            (1, Some("k_id"), "the record has no key, but the field is declared NOT NULL"),
            (2, Some("id"), "in the key: [] is no BIGINT"),
            (3, Some("id"), "\"x\" is no BIGINT"),
        ],
    );
}

#[test]
fn a_missing_key_is_null_where_that_is_allowed() {
    let options =
        KeyOptions { fields: vec!["k".to_owned()], include: ValueFields::ExceptKey, ..KeyOptions::default() };
    let table = Table { key: Some((format("raw", &[]), options)), ..append("k:utf8 v:i64") };
    table.check(
        &[(Some("a"), Some(r#"{"v":1}"#)), (None, Some(r#"{"v":2}"#))],
        "k:utf8 v:i64 | + @1000 a 1  + @1001 null 2",
        &[],
    );
}

#[test]
fn an_upsert_table_replaces_and_deletes_by_key() {
    upsert("id:i64! name:utf8! price:i64", &["id"]).check(
        &[
            (Some(r#"{"id":1}"#), Some(r#"{"name":"a","price":5}"#)),
            (Some(r#"{"id":1}"#), None),
            (Some(r#"{"id":2}"#), Some(r#"{"price":5}"#)),
            (None, Some(r#"{"name":"a"}"#)),
            (Some(r#"{"id":"x"}"#), None),
            (Some(r#"{"id":3}"#), Some(r#"{"name":"c"}"#)),
            (Some(r#"{"id":4}"#), Some("")),
        ],
        "id:i64 name:utf8 price:i64 | + @1000 1 a 5  - @1001 1 null null  + @1005 3 c null",
        &[
            (2, Some("name"), "null, but the field is declared NOT NULL"),
            (3, None, "the record has no key"),
            (4, Some("id"), "in the key: \"x\" is no BIGINT"),
        ],
    );
}

#[test]
fn in_an_upsert_table_the_key_says_which_row_it_is_even_if_the_value_holds_it_too() {
    let mut table = upsert("id:i64! name:utf8", &["id"]);
    table.key.as_mut().unwrap().1.include = ValueFields::All;
    table.check(
        &[(Some(r#"{"id":1}"#), Some(r#"{"id":9,"name":"a"}"#)), (Some(r#"{"id":1}"#), None)],
        "id:i64 name:utf8 | + @1000 1 a  - @1001 1 null",
        &[],
    );
}

#[test]
fn metadata_columns_tell_of_the_record() {
    let table = append("id:i64")
        .metadata("topic", Metadata::Topic)
        .metadata("part", Metadata::Partition)
        .metadata("at", Metadata::Offset)
        .metadata("time", Metadata::Timestamp)
        .metadata("kind", Metadata::TimestampType)
        .metadata("epoch", Metadata::LeaderEpoch)
        .metadata("headers", Metadata::Headers);
    table.check(
        &[(None, Some(r#"{"id":1}"#)), (None, Some("x")), (None, Some(r#"{"id":2}"#))],
        "id:i64 topic:utf8 part:i32 at:i64 time:ltz kind:utf8 epoch:i32 headers:map(bytes) |
         + @1000 1 t 3 100 1970-01-01T00:00:01Z CreateTime null {}
         + @1002 2 t 3 102 1970-01-01T00:00:01.002Z CreateTime null {}",
        &[(1, None, "not JSON: expected an object at byte 0")],
    );
}

#[test]
fn of_headers_that_repeat_the_last_one_counts() {
    let mut builder = RecordsBuilder::default();
    let record = Record { offset: 0, timestamp_ms: 0, key: None, value: Some(b"{}"), headers: Headers::NONE };
    let headers = [("a", Some(&b"1"[..])), ("b", None), ("a", Some(b"2"))];
    builder.push_with_headers(record, headers);
    let table = append("").metadata("headers", Metadata::Headers);
    let place = TopicPartition::new("t", 0);
    let decoded = table.decoder().decode(&place, &builder.finish(), &DecodeCx { now_ms: 0 }).unwrap();
    let expected = canonical(r#"headers:map(bytes) | + {"b":null,"a":"Mg=="}"#);
    assert_eq!(print(&as_batch(decoded)), expected);
}

#[test]
fn computed_columns_see_those_before_them() {
    let now = Function::new("now()", DataType::Int64, |rows, cx| {
        Ok(Arc::new(Int64Array::from(vec![cx.now_ms; rows.num_rows()])))
    });
    let table = append("v:i64")
        .metadata("at", Metadata::Offset)
        .computed("over", ten_over(0), true)
        .computed("over_at", ten_over(1), true)
        .computed("again", ten_over(2), true)
        .computed("now", now, false)
        .output(&["over", "over_at", "again", "now"]);
    table.check(
        &[(None, Some(r#"{"v":2}"#)), (None, Some(r#"{"v":null}"#))],
        "over:i64 over_at:i64 again:i64 now:i64 | + @1000 5 0 2 77  + @1001 null 0 null 77",
        &[],
    );
}

#[test]
fn a_record_for_which_an_expression_fails_is_bad_and_no_other() {
    let table = append("v:i64").computed("over", ten_over(0), true).computed("again", ten_over(1), true);
    let run: Vec<String> = (0..100).map(|v| format!(r#"{{"v":{}}}"#, v % 40)).collect();
    let run: Vec<Simple<'_>> = run.iter().map(|value| (None, Some(value.as_str()))).collect();
    let decoded = table.decode(&run);
    // 0 can't be divided by; 11 to 39 give 0, which can't be divided by next.
    let bad: Vec<_> = decoded.bad.iter().map(|bad| (bad.index, bad.field.clone().unwrap())).collect();
    let expected = (0..100).filter(|v| v % 40 == 0 || v % 40 > 10);
    let field = |v: usize| if v.is_multiple_of(40) { "over" } else { "again" }.to_owned();
    assert_eq!(bad, expected.map(|v| (v, field(v))).collect::<Vec<_>>());
    assert_eq!(decoded.bad[0].detail, "10 / v: division by zero");
    assert_eq!(decoded.times.len(), 100 - decoded.bad.len());
}

#[test]
fn a_computed_column_that_may_not_be_null_makes_its_record_bad() {
    let table = append("v:i64").computed("over", ten_over(0), false);
    table.check(
        &[(None, Some(r#"{"v":2}"#)), (None, Some("{}")), (None, Some(r#"{"v":0}"#))],
        "v:i64 over:i64 | + @1000 2 5",
        &[
            (1, Some("over"), "null, but the field is declared NOT NULL"),
            (2, Some("over"), "10 / v: division by zero"),
        ],
    );
}

#[test]
fn an_expression_that_fails_for_a_deletion_does_not_matter() {
    let no_null = Function::new("upper(name)", DataType::Utf8, |rows, _| {
        let names = rows.column(1).as_string::<i32>();
        let upper = names.iter().map(|name| name.map(str::to_uppercase).ok_or("no name".to_owned()));
        Ok(Arc::new(upper.map(|name| name.map(Some)).collect::<Result<StringArray, String>>()?))
    });
    let table = upsert("id:i64! name:utf8", &["id"]).computed("big", no_null, false);
    table.check(
        &[
            (Some(r#"{"id":1}"#), Some(r#"{"name":"a"}"#)),
            (Some(r#"{"id":1}"#), None),
            (Some(r#"{"id":2}"#), Some("{}")),
        ],
        "id:i64 name:utf8 big:utf8 | + @1000 1 a A  - @1001 1 null null",
        &[(2, Some("big"), "upper(name): no name")],
    );
}

#[test]
fn event_times_of_every_unit_are_milliseconds() {
    let text = "1970-01-01 00:00:01.9999999";
    for (unit, expected) in [
        (TimeUnit::Second, 1000),
        (TimeUnit::Millisecond, 1999),
        (TimeUnit::Microsecond, 1999),
        (TimeUnit::Nanosecond, 1999),
    ] {
        let field = Field::new("at", DataType::Timestamp(unit, None), true);
        let table = Table { physical: Fields::from(vec![field]), ..append("") };
        let decoded = table.time("at").decode(&[(None, Some(&format!(r#"{{"at":"{text}"}}"#)))]);
        assert_eq!(&decoded.times[..], &[expected], "{unit:?}");
    }
}

#[test]
fn a_null_event_time_is_bad_except_for_a_deletion() {
    append("at:ts id:i64").time("at").output(&["id"]).check(
        &[(None, Some(r#"{"at":"1970-01-01 00:00:00.005","id":1}"#)), (None, Some(r#"{"id":2}"#))],
        "id:i64 | + @5 1",
        &[(1, Some("at"), "the event time is null")],
    );
    upsert("id:i64! at:ts", &["id"]).time("at").check(
        &[
            (Some(r#"{"id":1}"#), Some(r#"{"at":"1970-01-01 00:00:00.005"}"#)),
            (Some(r#"{"id":1}"#), None),
            (Some(r#"{"id":2}"#), Some("{}")),
        ],
        "id:i64 at:ts | + @5 1 1970-01-01T00:00:00.005  - @1001 1 null",
        &[(2, Some("at"), "the event time is null")],
    );
    let of_record = append("id:i64").metadata("at", Metadata::Timestamp).time("at").output(&["id"]);
    of_record.check(&[(None, Some(r#"{"id":1}"#))], "id:i64 | + @1000 1", &[]);
}

#[test]
fn a_table_that_does_not_fit_together_is_refused() {
    let refused = |table: Table| table.spec().unwrap_err();
    assert!(refused(append("id:i64").time("id")).contains("\"id\" has to be a TIMESTAMP"));
    assert!(
        refused(Table { value: format("raw", &[]), ..append("a:utf8 b:utf8") }).contains("holds one column")
    );
    assert!(
        refused(Table { value: format("csv", &[]), ..append("m:map(i64)") }).contains("MAP<STRING, BIGINT>")
    );
    let mut wrong = append("id:i64").metadata("at", Metadata::Offset);
    wrong.more[0].field = Field::new("at", DataType::Utf8, true);
    assert_eq!(refused(wrong), "column \"at\" is declared STRING, but is BIGINT");
    let keyless = Table { kind: StreamKind::Upsert, ..append("id:i64") };
    assert!(refused(keyless).contains("needs a 'key.format'"));
    assert_eq!(
        Metadata::parse("ofset").unwrap_err(),
        "topic, partition, offset, timestamp, timestamp-type, headers, leader-epoch"
    );
}

#[test]
fn the_description_names_everything_that_gives_rows_their_meaning() {
    let table = upsert("id:i64! name:utf8", &["id"])
        .metadata("at", Metadata::Offset)
        .computed("over", ten_over(0), true)
        .output(&["over", "id"]);
    assert_eq!(
        table.spec().unwrap().describe(),
        "value json, key json: id BIGINT NOT NULL = key id, name STRING, \
         at BIGINT NOT NULL = metadata offset, over BIGINT = 10 / v; rows of over, id; time record timestamp"
    );
}
