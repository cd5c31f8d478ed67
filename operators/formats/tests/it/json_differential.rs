//! The JSON decoder against `serde_json` and a slow converter.
//!
//! The reference reads a payload into a tree and converts the tree by Flink's rules, one value at a time. Payloads are
//! valid JSON in many spellings, such JSON with some bytes changed or cut off, and soups of bytes that JSON is made
//! of. The decoder has to accept what the reference accepts, with the same rows, and refuse what it refuses.
//!
//! What the two may disagree on is known: the decoder refuses a value that does not fit even if a later one of the
//! same key replaces it; in values that nobody needs the decoder looks neither at surrogates nor at
//! the size of numbers; control characters in strings are taken as they are; the reference rounds some floats
//! differently.

mod payloads;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use millstream_formats::json::{JsonDecoder, JsonOptions};
use millstream_formats::{BadPayload, Outcome, PayloadDecoder};
use millstream_operators::testing::field;
use payloads::{json_byte, mutate, payload};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const COLUMNS: &str = "a:i64 b:f64 s:utf8 ok:bool i:i8 r:row(a:i32,s:utf8,r:row(b:f64)) l:list(i64) ls:list(utf8) m:map(row(a:i64))";

fn fields() -> Fields {
    COLUMNS.split_whitespace().map(field).collect()
}

/// A row as a tree, as the decoder sees it.
fn ours(decoder: &mut JsonDecoder, fields: &Fields, payload: &[u8]) -> Result<Option<Value>, BadPayload> {
    Ok(match decoder.decode(payload)? {
        Outcome::Row => {
            let schema = Arc::new(Schema::new(fields.clone()));
            let count = RecordBatchOptions::new().with_row_count(Some(1));
            let batch = RecordBatch::try_new_with_options(schema, decoder.finish(), &count).unwrap();
            let row = fields.iter().zip(batch.columns());
            Some(Value::Object(row.map(|(field, column)| (field.name().clone(), cell(column, 0))).collect()))
        }
        _ => None,
    })
}

fn cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 => json!(array.as_primitive::<dt::Int8Type>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<dt::Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<dt::Int64Type>().value(row)),
        DataType::Float64 => match array.as_primitive::<dt::Float64Type>().value(row) {
            finite if finite.is_finite() => json!(finite),
            other => json!(other.to_string()),
        },
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            Value::Object(columns.map(|(field, column)| (field.name().clone(), cell(column, row))).collect())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|item| cell(&items, item)).collect())
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1));
            Value::Object(
                (0..keys.len()).map(|pair| (keys.value(pair).to_owned(), cell(values, pair))).collect(),
            )
        }
        other => panic!("{other}"),
    }
}

/// Why the reference refuses a payload.
#[derive(Debug, PartialEq)]
enum Refused {
    NotJson(String),
    Field,
    /// It can't tell.
    Unknown,
}

/// The same row, by the reference.
fn theirs(fields: &Fields, payload: &[u8]) -> Result<Value, Refused> {
    let tree: Value = serde_json::from_slice(&escape_controls(payload))
        .map_err(|error| Refused::NotJson(error.to_string()))?;
    let Value::Object(object) = tree else { return Err(Refused::NotJson("no object".to_owned())) };
    row(fields, &object)
}

fn row(fields: &Fields, object: &Map<String, Value>) -> Result<Value, Refused> {
    let mut row = Map::new();
    for field in fields {
        let value = object.get(field.name()).unwrap_or(&Value::Null);
        row.insert(field.name().clone(), convert(field, value)?);
    }
    Ok(Value::Object(row))
}

fn convert(field: &Field, value: &Value) -> Result<Value, Refused> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let integer = |text: &str| text.trim_matches(|c| c <= ' ').parse::<i64>().map_err(|_| Refused::Field);
    let in_range = |least: i64, number: i64, most: i64| {
        if (least..=most).contains(&number) { Ok(json!(number)) } else { Err(Refused::Field) }
    };
    Ok(match (field.data_type(), value) {
        (DataType::Boolean, Value::Bool(flag)) => json!(flag),
        (DataType::Boolean, Value::String(text)) => {
            json!(text.trim_matches(|c| c <= ' ').eq_ignore_ascii_case("true"))
        }
        (DataType::Boolean, Value::Number(_)) => json!(false),
        // `-0` is an integer, `0.0` is none.
        (DataType::Int8, Value::Number(number)) if number.as_f64() == Some(0.0) && number.is_f64() => {
            return Err(Refused::Unknown);
        }
        (DataType::Int8, Value::Number(number)) => {
            in_range(-128, number.as_i64().ok_or(Refused::Field)?, 127)?
        }
        (DataType::Int8, Value::String(text)) => in_range(-128, integer(text)?, 127)?,
        (DataType::Int32, Value::Number(number)) => {
            in_range(i32::MIN.into(), truncated(number)?, i32::MAX.into())?
        }
        (DataType::Int32, Value::String(text)) => in_range(i32::MIN.into(), integer(text)?, i32::MAX.into())?,
        (DataType::Int64, Value::Number(number)) => json!(truncated(number)?),
        (DataType::Int64, Value::String(text)) => json!(integer(text)?),
        (DataType::Float64, Value::Number(number)) => json!(number.as_f64().unwrap()),
        (DataType::Float64, Value::String(text)) => match text.trim_matches(|c| c <= ' ') {
            "NaN" | "+NaN" | "-NaN" => json!("NaN"),
            "Infinity" | "+Infinity" => json!("inf"),
            "-Infinity" => json!("-inf"),
            text if text.bytes().all(|byte| b"+-.eE0123456789".contains(&byte)) => {
                let number = text.parse::<f64>().map_err(|_| Refused::Field)?;
                if number.is_finite() { json!(number) } else { return Err(Refused::Field) }
            }
            _ => return Err(Refused::Field),
        },
        // Text of other values is compared by what it means.
        (DataType::Utf8, value) => value.clone(),
        (DataType::Struct(fields), Value::Object(object)) => row(fields, object)?,
        (DataType::List(item), Value::Array(items)) => {
            Value::Array(items.iter().map(|value| convert(item, value)).collect::<Result<_, _>>()?)
        }
        (DataType::Map(entries, _), Value::Object(object)) => {
            let DataType::Struct(pair) = entries.data_type() else { unreachable!() };
            let pairs = object.iter().map(|(key, value)| Ok((key.clone(), convert(&pair[1], value)?)));
            Value::Object(pairs.collect::<Result<_, _>>()?)
        }
        _ => return Err(Refused::Field),
    })
}

/// The whole part of a number. Beyond 2^53 the reference does not know it.
fn truncated(number: &serde_json::Number) -> Result<i64, Refused> {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => Ok(whole),
        (None, _) if number.is_u64() => Err(Refused::Field),
        (None, Some(float)) if float.abs() < 9.2e18 => Ok(float as i64),
        (None, Some(float)) if float.abs() < 9.3e18 => Err(Refused::Unknown),
        _ => Err(Refused::Field),
    }
}

/// Whether two rows are the same as far as the reference can tell.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= 4.0 * f64::EPSILON * a.abs()
        }
        (Value::String(a), Value::String(b)) => a == b,
        // A STRING column that was given something else.
        (Value::String(text), value) => {
            serde_json::from_str::<Value>(text).is_ok_and(|parsed| same(&parsed, value))
        }
        (a, b) => a == b,
    }
}

/// JSON as `serde_json` reads it: control characters in strings escaped.
fn escape_controls(payload: &[u8]) -> Vec<u8> {
    let (mut out, mut in_string, mut escaped) = (Vec::new(), false, false);
    for byte in payload {
        match byte {
            0..=0x1f if in_string && !escaped => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(*byte),
        }
        escaped = in_string && !escaped && *byte == b'\\';
        if *byte == b'"' && !(in_string && out.len() >= 2 && ends_escaped(&out)) {
            in_string = !in_string;
        }
    }
    out
}

/// Whether the quote at the end of the text is escaped.
fn ends_escaped(text: &[u8]) -> bool {
    text[..text.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Compares both on a payload.
fn compare(decoder: &mut JsonDecoder, fields: &Fields, payload: &[u8]) -> Result<(), TestCaseError> {
    let found = ours(decoder, fields, payload);
    let expected = theirs(fields, payload);
    let shown = String::from_utf8_lossy(payload).into_owned();
    match (&found, &expected) {
        (Ok(Some(found)), Ok(expected)) => {
            prop_assert!(same(found, expected), "{shown}\n{found}\n{expected}");
        }
        (Ok(None), _) => prop_assert!(payload.is_empty(), "{shown}"),
        // Known: what is skipped is not looked at that closely.
        (Ok(_), Err(Refused::NotJson(error))) => {
            let known =
                ["surrogate", "hex escape", "number out of range"].iter().any(|it| error.contains(it));
            prop_assert!(known, "{shown}\naccepted, but: {error}");
        }
        (Ok(Some(found)), Err(Refused::Field)) => prop_assert!(false, "{shown}\naccepted as {found}"),
        (Err(bad), Ok(expected)) => {
            // Known: a value has to fit even if a later one of the same key replaces it.
            let tree: Value = serde_json::from_slice(&escape_controls(payload)).unwrap();
            let found = ours(decoder, fields, tree.to_string().as_bytes());
            let agree = found.is_ok_and(|found| found.is_some_and(|found| same(&found, expected)));
            prop_assert!(agree, "{shown}\nrefused, {}, but is {expected}", bad.detail);
        }
        (Err(bad), Err(Refused::Field)) => {
            // Which of several flaws is named is open, but a field is to blame.
            prop_assert!(bad.field.is_some(), "{shown}\n{}", bad.detail);
        }
        (Err(_), Err(Refused::NotJson(_))) | (_, Err(Refused::Unknown)) => {}
    }
    Ok(())
}

fn decoder(fields: &Fields) -> JsonDecoder {
    JsonDecoder::new(fields, &JsonOptions::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn valid_json_gives_the_rows_of_the_reference(payloads in proptest::collection::vec(payload(), 1..6)) {
        let fields = fields();
        // One decoder for all: what it has learned of one record must not show in the next.
        let mut decoder = decoder(&fields);
        for payload in payloads {
            compare(&mut decoder, &fields, payload.as_bytes())?;
        }
    }

    #[test]
    fn damaged_json_is_taken_or_refused_as_the_reference_does(
        payload in payload(),
        changes in proptest::collection::vec((any::<u8>(), any::<prop::sample::Index>(), json_byte()), 1..4),
    ) {
        let fields = fields();
        let mut decoder = decoder(&fields);
        compare(&mut decoder, &fields, payload.as_bytes())?;
        let damaged = mutate(payload.clone().into_bytes(), &changes);
        compare(&mut decoder, &fields, &damaged)?;
        compare(&mut decoder, &fields, payload.as_bytes())?;
    }

    #[test]
    fn a_soup_of_bytes_is_taken_or_refused_as_the_reference_does(
        soup in proptest::collection::vec(json_byte(), 0..60), object in any::<bool>()
    ) {
        let fields = fields();
        let payload = if object { [b"{\"a\":", soup.as_slice(), b"}"].concat() } else { soup };
        compare(&mut decoder(&fields), &fields, &payload)?;
    }

    #[test]
    fn columns_are_the_same_whatever_others_are_needed(payload in payload(), needed in any::<u16>()) {
        let all = fields();
        let some: Fields =
            all.iter().enumerate().filter(|(index, _)| needed >> index & 1 == 1).map(|(_, field)| Arc::clone(field)).collect();
        let whole = ours(&mut decoder(&all), &all, payload.as_bytes());
        let part = ours(&mut decoder(&some), &some, payload.as_bytes());
        if let Ok(whole) = whole {
            let (whole, part) = (whole.unwrap(), part.unwrap().unwrap());
            for field in &some {
                prop_assert_eq!(&whole[field.name()], &part[field.name()]);
            }
        } else if let Ok(Some(part)) = part {
            // The flaw is in what is not needed.
            prop_assert_eq!(part.as_object().unwrap().len(), some.len());
        }
    }

    #[test]
    fn ignoring_errors_never_fails_and_changes_nothing_that_fits(
        payload in payload(),
        changes in proptest::collection::vec((any::<u8>(), any::<prop::sample::Index>(), json_byte()), 0..3),
    ) {
        let fields = fields();
        let options = JsonOptions { ignore_parse_errors: true, ..JsonOptions::default() };
        let mut lenient = JsonDecoder::new(&fields, &options).unwrap();
        let payload = mutate(payload.into_bytes(), &changes);
        let (strict, lenient) = (ours(&mut decoder(&fields), &fields, &payload), ours(&mut lenient, &fields, &payload));
        let lenient = lenient.map_err(|bad| TestCaseError::fail(bad.detail))?;
        match strict {
            Ok(row) => prop_assert_eq!(row, lenient),
            Err(bad) if bad.detail.starts_with("not JSON") => prop_assert_eq!(lenient, None, "{}", bad.detail),
            // The first flaw is in a field; whether there is one in the text behind it the reference knows.
            Err(_) => {
                let text = matches!(theirs(&fields, &payload), Err(Refused::NotJson(_)));
                prop_assert!(lenient.is_some() || text);
            }
        }
    }
}
