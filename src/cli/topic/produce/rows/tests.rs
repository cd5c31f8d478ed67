use super::*;

fn input(text: &'static str) -> Input {
    Input { name: "input".into(), bytes: Box::new(text.as_bytes()) }
}

fn rows(format: InputFormat, text: &'static str, shape: Shape) -> Vec<Result<Row, String>> {
    let rows = input(text).rows(format, shape).unwrap();
    rows.map(|row| row.map_err(|failure| failure.to_string())).collect()
}

fn refused(format: InputFormat, text: &'static str, shape: Shape) -> String {
    match input(text).rows(format, shape) {
        Ok(_) => panic!("{text:?} was taken"),
        Err(failure) => failure.to_string(),
    }
}

fn fields(key: Option<&str>, timestamp: Option<&str>) -> Shape {
    Shape { key: key.map(str::to_owned), timestamp: timestamp.map(str::to_owned), ..Shape::default() }
}

fn row(line: u64, key: Option<&str>, value: &str, timestamp_ms: i64) -> Result<Row, String> {
    let (key, value) = (key.map(|key| key.as_bytes().to_vec()), Some(value.as_bytes().to_vec()));
    Ok(Row { line, key, value, timestamp_ms, ..Row::default() })
}

/// Keys and values of rows whose times are those of the test.
fn keys_and_values(rows: Vec<Result<Row, String>>) -> Vec<(Option<String>, Option<String>)> {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
    rows.into_iter().map(|row| row.unwrap()).map(|row| (text(row.key), text(row.value))).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn csv_rows_become_objects_with_numbers_nulls_and_text() {
    let text = "a,b,c,at\n1,NA,x,2013-01-01T05:00:00Z\n-2.50,007,\"q \"\"\",1000\n1e2,\"1 \",NA,0\n";
    let first = r#"{"a":1,"b":null,"c":"x","at":"2013-01-01T05:00:00Z"}"#;
    let second = r#"{"a":-2.50,"b":"007","c":"q \"","at":1000}"#;
    let third = r#"{"a":1e2,"b":"1 ","c":null,"at":0}"#;
    let expected = [
        row(2, Some("x"), first, 1_357_016_400_000),
        row(3, Some("q \""), second, 1000),
        row(4, None, third, 0),
    ];
    let shape = Shape { null: some("NA"), ..fields(Some("c"), Some("at")) };
    assert_eq!(rows(InputFormat::Csv, text, shape), expected);
}

#[test]
fn csv_with_another_separator_is_read_by_it_and_refused_without_a_word_about_it() {
    let text = "id;name\n7;x,y\n";
    let shape = |delimiter| Shape { delimiter, ..fields(Some("id"), None) };
    let found = keys_and_values(rows(InputFormat::Csv, text, shape(Some(b';'))));
    assert_eq!(found, [(some("7"), some(r#"{"id":7,"name":"x,y"}"#))]);
    for (text, separator) in [(text, "';'"), ("id\tname\n", "'\\t'"), ("id|name\n", "'|'")] {
        let message = refused(InputFormat::Csv, text, Shape::default());
        assert!(message.contains(&format!("--delimiter {separator}")), "{message}");
    }
    // Who says that it is one column is believed, and one of which there is no doubt is taken.
    let one = Shape { delimiter: Some(b','), ..Shape::default() };
    let found = keys_and_values(rows(InputFormat::Csv, "id;name\n7\n", one));
    assert_eq!(found, [(None, some(r#"{"id;name":7}"#))]);
    assert_eq!(keys_and_values(rows(InputFormat::Csv, "id\n7\n", Shape::default())).len(), 1);
}

#[test]
fn json_lines_are_written_as_they_are() {
    let text = "{\"k\": 7,  \"t\": 5}\n\n{\"k\": null, \"t\": \"1970-01-01 00:00:06\"}\r\n";
    let first = row(1, Some("7"), "{\"k\": 7,  \"t\": 5}", 5);
    let second = row(3, None, "{\"k\": null, \"t\": \"1970-01-01 00:00:06\"}", 6_000);
    assert_eq!(rows(InputFormat::Json, text, fields(Some("k"), Some("t"))), [first, second]);
}

#[test]
fn a_line_that_is_no_json_is_refused_by_its_number_unless_lines_are_raw() {
    let text = "{\"k\": 1}\n{\"k\": }\n";
    let found = rows(InputFormat::Json, text, Shape::default());
    assert!(found[0].is_ok());
    let error = found[1].as_ref().unwrap_err();
    assert!(error.starts_with("input, line 2: expected value at column 7"), "{error}");
    assert!(error.contains("--format raw"), "{error}");
    for wrong in ["hello", "{\"a\": 1} x", "{'a': 1}", "NaN", "{\"a\": 1"] {
        let found = rows(InputFormat::Json, wrong, Shape::default());
        assert!(found[0].is_err(), "{wrong}");
        let raw = keys_and_values(rows(InputFormat::Raw, wrong, Shape::default()));
        assert_eq!(raw, [(None, some(wrong))]);
    }
}

#[test]
fn raw_lines_keep_every_byte_and_may_be_empty() {
    let found = keys_and_values(rows(InputFormat::Raw, "a \r\n\n\tb", Shape::default()));
    assert_eq!(found, [(None, some("a \r")), (None, some("")), (None, some("\tb"))]);
}

#[test]
fn a_key_stands_in_front_of_its_delimiter_and_the_text_for_null_is_a_tombstone() {
    let shape = |null: Option<&str>| Shape {
        key_delimiter: some("=>"),
        null: null.map(str::to_owned),
        ..Shape::default()
    };
    let text = "a=>{\"n\": 1}\nb=>\nc=>null\n";
    let raw = keys_and_values(rows(InputFormat::Raw, text, shape(Some(""))));
    assert_eq!(raw[1..], [(some("b"), None), (some("c"), some("null"))]);
    let text = "a=>{\"n\": \"=>\"}\nb=>null\n";
    let json = keys_and_values(rows(InputFormat::Json, text, shape(Some("null"))));
    assert_eq!(json, [(some("a"), some("{\"n\": \"=>\"}")), (some("b"), None)]);
    let found = rows(InputFormat::Json, "{\"n\": 1}\n", shape(None));
    assert_eq!(found[0].as_ref().unwrap_err(), "input, line 1: no key: there is no \"=>\" in it");
}

#[test]
fn records_are_read_as_they_are_printed() {
    let text = concat!(
        r#"{"topic":"t","partition":3,"offset":7,"timestamp":5,"key":{"base64":"/wA="},"value":null,"#,
        r#""headers":[{"key":"trace","value":"x\"y"},{"key":"none","value":null}]}"#,
        "\n{\"value\": \"v\"}\n"
    );
    let found = rows(InputFormat::Record, text, Shape::default());
    let headers = vec![("trace".to_owned(), Some(b"x\"y".to_vec())), ("none".to_owned(), None)];
    let expected =
        Row { line: 1, key: Some(vec![0xff, 0]), value: None, timestamp_ms: 5, partition: Some(3), headers };
    assert_eq!(found[0], Ok(expected));
    let second = found[1].as_ref().unwrap();
    assert_eq!((&second.value, second.partition), (&Some(b"v".to_vec()), None));
    for (wrong, part) in [
        (r#"{"key": "k"}"#, "missing field `value`"),
        (r#"{"value": "v", "header": []}"#, "unknown field `header`"),
        (r#"{"value": {"base64": "!"}}"#, "not base 64"),
        (r#"{"value": 7}"#, "line 1"),
    ] {
        let found = rows(InputFormat::Record, wrong, Shape::default());
        let error = found[0].as_ref().unwrap_err();
        assert!(error.starts_with("input, line 1: ") && error.contains(part), "{error}");
    }
}

#[test]
fn what_a_format_has_no_use_for_is_refused() {
    let null = || Shape { null: some("NA"), ..Shape::default() };
    assert!(refused(InputFormat::Json, "", null()).contains("--null is for CSV"));
    assert!(refused(InputFormat::Raw, "", fields(Some("k"), None)).contains("--key names"));
    assert!(refused(InputFormat::Record, "", fields(None, Some("t"))).contains("--timestamp names"));
    let delimiter = Shape { delimiter: Some(b';'), ..Shape::default() };
    assert!(refused(InputFormat::Json, "", delimiter).contains("--delimiter is for CSV"));
    let key_delimiter = Shape { key_delimiter: some(":"), ..Shape::default() };
    assert!(refused(InputFormat::Csv, "a,b\n", key_delimiter).contains("--key-delimiter"));
}

#[test]
fn a_wrong_line_is_named() {
    let rows_of_json = rows(InputFormat::Json, "{\"k\": 1}\n{\"k\": }\n{\"l\": 1}", fields(Some("k"), None));
    assert!(rows_of_json[0].is_ok());
    let error = |row: &Result<Row, String>| row.as_ref().unwrap_err().clone();
    assert!(error(&rows_of_json[1]).starts_with("input, line 2: expected value"), "{rows_of_json:?}");
    assert_eq!(error(&rows_of_json[2]), "input, line 3: no field \"k\"");
    let shape = Shape { null: some("NA"), ..fields(None, Some("t")) };
    let rows_of_csv = rows(InputFormat::Csv, "a,t\n1,5\n\"x\ny\",NA\n3\n", shape);
    assert_eq!(error(&rows_of_csv[1]), "input, line 3: its time is null");
    assert!(error(&rows_of_csv[2]).contains("line: 5"), "{rows_of_csv:?}");
}

#[test]
fn times_are_read_as_people_and_machines_write_them() {
    for text in [
        "1357016400000",
        "2013-01-01T05:00:00Z",
        "2013-01-01T06:00:00+01:00",
        "2013-01-01 05:00:00",
        "2013-01-01T05:00:00.000",
        "2013-01-01 05:00",
    ] {
        assert_eq!(parse_time(text), Some(1_357_016_400_000), "{text}");
    }
    assert_eq!(parse_time("2013-01-01"), Some(1_356_998_400_000));
    assert_eq!(parse_time("1/1/2013"), None);
}
