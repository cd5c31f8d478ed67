//! Batches as text.

use crate::batch::{Batch, Ops, Payload};
use crate::columns::map_type;
use crate::formats::json::{JsonDecoder, JsonEncoder, JsonOptions};
use crate::formats::{Encoder, Outcome, PayloadDecoder, TimestampStandard};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use std::sync::Arc;

fn options() -> JsonOptions {
    JsonOptions {
        timestamps: TimestampStandard::Iso8601,
        decimal_as_plain_number: true,
        ..JsonOptions::default()
    }
}

/// Reads a batch.
///
/// # Panics
/// When the text is not of the form that the module's head shows.
pub fn batch(text: &str) -> Batch {
    let (head, rows) = text.split_once('|').unwrap_or_else(|| panic!("no bar in {text:?}"));
    let fields: Fields = head.split_whitespace().map(field).collect();
    let mut decoder = JsonDecoder::new(&fields, &options()).unwrap_or_else(|error| panic!("{error}"));
    let (mut signs, mut times) = (Vec::new(), Vec::new());
    let mut words = words(rows).into_iter().peekable();
    while let Some(sign) = words.next() {
        signs.push(match sign.as_str() {
            "+" => 1,
            "-" => -1,
            other => panic!("expected + or -, found {other:?} in {text:?}"),
        });
        let time = words.next_if(|word| word.starts_with('@'));
        times.push(time.map_or(0, |time| time[1..].parse().unwrap_or_else(|_| panic!("time {time}"))));
        let mut row = String::from("{");
        for field in &fields {
            let word = words.next().unwrap_or_else(|| panic!("no value for {} in {text:?}", field.name()));
            let value = match word.as_bytes()[0] {
                b'{' | b'[' => word,
                b'\'' => json_string(&word[1..word.len() - 1].replace("''", "'")),
                _ if word == "null" => word,
                _ => json_string(&word),
            };
            let comma = if row.len() > 1 { "," } else { "" };
            row.push_str(&format!("{comma}{}:{value}", json_string(field.name())));
        }
        row.push('}');
        let decoded = decoder.decode(row.as_bytes());
        assert_eq!(decoded, Ok(Outcome::Row), "{text:?}");
    }
    let row_count = RecordBatchOptions::new().with_row_count(Some(signs.len()));
    let schema = Arc::new(Schema::new(fields));
    let columns = RecordBatch::try_new_with_options(schema, decoder.finish(), &row_count);
    Batch::changes(columns.unwrap_or_else(|error| panic!("{error}")), times, Ops::from_signs(signs))
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

/// Words between spaces. Quotes and brackets hold together what is between them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => quoted_end(rest),
            '{' | '[' => json_end(rest),
            _ => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    words
}

/// Behind the quote that ends the word; two quotes are one.
fn quoted_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while bytes[at] != b'\'' || bytes.get(at + 1) == Some(&b'\'') {
        at += if bytes[at] == b'\'' { 2 } else { 1 };
    }
    at + 1
}

/// Behind the bracket that ends the JSON value.
fn json_end(text: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 && !in_string {
            return at + 1;
        }
    }
    panic!("a bracket is not closed in {text:?}")
}

/// Reads `name:type`.
///
/// # Panics
/// When there is no such type.
pub fn field(text: &str) -> Field {
    let (name, data_type) = text.split_once(':').unwrap_or_else(|| panic!("no type in {text:?}"));
    let (data_type, nullable) = match data_type.strip_suffix('!') {
        Some(data_type) => (data_type, false),
        None => (data_type, true),
    };
    Field::new(name, type_of(data_type), nullable)
}

fn type_of(text: &str) -> DataType {
    use DataType as T;
    let (name, inner) = match text.split_once('(') {
        Some((name, inner)) => (name, inner.strip_suffix(')').unwrap_or_else(|| panic!("{text:?}"))),
        None => (text, ""),
    };
    match name {
        "bool" => T::Boolean,
        "i8" => T::Int8,
        "i16" => T::Int16,
        "i32" => T::Int32,
        "i64" => T::Int64,
        "f32" => T::Float32,
        "f64" => T::Float64,
        "utf8" => T::Utf8,
        "bytes" => T::Binary,
        "date" => T::Date32,
        "time" => T::Time32(TimeUnit::Millisecond),
        "ts" => T::Timestamp(TimeUnit::Millisecond, None),
        "ltz" => T::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        "dec" => {
            let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
            T::Decimal128(precision.parse().expect("a precision"), scale.parse().expect("a scale"))
        }
        "row" => T::Struct(split_fields(inner).into_iter().map(field).collect()),
        "list" => T::List(Arc::new(field(&format!("item:{inner}")))),
        "map" => map_type(T::Utf8, type_of(inner)),
        _ => panic!("there is no type {text:?}"),
    }
}

/// Splits at the commas that are in no bracket.
fn split_fields(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn type_name(data_type: &DataType) -> String {
    use DataType as T;
    match data_type {
        T::Boolean => "bool".to_owned(),
        T::Int8 => "i8".to_owned(),
        T::Int16 => "i16".to_owned(),
        T::Int32 => "i32".to_owned(),
        T::Int64 => "i64".to_owned(),
        T::Float32 => "f32".to_owned(),
        T::Float64 => "f64".to_owned(),
        T::Utf8 => "utf8".to_owned(),
        T::Binary => "bytes".to_owned(),
        T::Date32 => "date".to_owned(),
        T::Time32(TimeUnit::Millisecond) => "time".to_owned(),
        T::Timestamp(TimeUnit::Millisecond, None) => "ts".to_owned(),
        T::Timestamp(TimeUnit::Millisecond, Some(_)) => "ltz".to_owned(),
        T::Decimal128(precision, scale) => format!("dec({precision},{scale})"),
        T::Struct(fields) => {
            let fields =
                fields.iter().map(|field| format!("{}:{}", field.name(), type_name(field.data_type())));
            format!("row({})", fields.collect::<Vec<_>>().join(","))
        }
        T::List(item) => format!("list({})", type_name(item.data_type())),
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(pair) if pair.len() == 2 => format!("map({})", type_name(pair[1].data_type())),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// A text as [`print_all`] would print the batch it stands for. An empty text stands for no batch.
pub fn canonical(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { print(&batch(text)) }
}

/// Writes a batch. Times are shown when one of them is not 0.
pub fn print(batch: &Batch) -> String {
    print_all(std::slice::from_ref(batch))
}

/// Writes several batches as one; columns are named again where they change. Typed rows are written with `Debug`.
pub fn print_all(batches: &[Batch]) -> String {
    let mut text = String::new();
    let mut head = String::new();
    let with_times = batches.iter().any(|batch| batch.times.iter().any(|time| *time != 0));
    for batch in batches {
        let (names, rows) = match &batch.rows {
            Payload::Columns(columns) => print_columns(columns),
            Payload::Rows(rows) => ("rows |".to_owned(), vec![format!("{rows:?}")]),
        };
        if names != head {
            text.push_str(&names);
            text.push('\n');
            head = names;
        }
        for (row, values) in rows.iter().enumerate() {
            let sign = if batch.ops.get(row) == 1 { "+" } else { "-" };
            let time = if with_times { format!(" @{}", batch.times[row]) } else { String::new() };
            text.push_str(format!("{sign}{time} {values}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// The names and the rows of some columns.
fn print_columns(columns: &RecordBatch) -> (String, Vec<String>) {
    let mut names = String::new();
    let mut rows = vec![String::new(); columns.num_rows()];
    for (field, array) in columns.schema().fields().iter().zip(columns.columns()) {
        names.push_str(&format!("{}:{} ", field.name(), type_name(field.data_type())));
        let one = Fields::from(vec![Field::new("v", field.data_type().clone(), true)]);
        let mut encoder = JsonEncoder::new(&one, &options()).unwrap_or_else(|error| panic!("{error}"));
        encoder.begin(&mut std::iter::once(array), &[]).unwrap_or_else(|error| panic!("{error}"));
        for (row, text) in rows.iter_mut().enumerate() {
            let mut json = Vec::new();
            encoder.encode(row, &mut json).unwrap_or_else(|error| panic!("{error}"));
            let value = &json[r#"{"v":"#.len()..json.len() - 1];
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&match serde_json::from_slice::<String>(value) {
                Ok(string) => word(&string),
                Err(_) => String::from_utf8_lossy(value).into_owned(),
            });
        }
    }
    names.push('|');
    (names, rows)
}

/// A text as one word.
fn word(text: &str) -> String {
    let first = text.bytes().next();
    let special = matches!(first, None | Some(b'@' | b'\'' | b'{' | b'['));
    if special || text == "null" || text == "+" || text == "-" || text.contains(char::is_whitespace) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_every_type_comes_back() {
        let text = concat!(
            "b:bool i:i8 n:i64! f:f64 d:dec(10,2) s:utf8 y:bytes a:date t:time w:ts z:ltz ",
            "r:row(x:i64,y:row(z:utf8)) l:list(i64) m:map(utf8) |\n",
            "+ @1 true -1 5 2.5 1.25 a AQI= 2015-07-15 01:02:03.5 2015-07-15T00:00:00 2015-07-15T00:00:00.5Z ",
            "{\"x\":1,\"y\":{\"z\":\"} [\"}} [1,null] {\"k\":\"v w\"}\n",
            "- @-2 null null -7 null null 'it''s ''' null null null null null null null null\n",
            "+ @3 false 0 0 1.0E10 0 '' '' 1970-01-01 00:00:00 1970-01-01T00:00:00 1970-01-01T00:00:00Z ",
            "{\"x\":null,\"y\":null} [] {}\n",
        );
        assert_eq!(print(&batch(text)), text.replace("i64!", "i64"));
    }

    #[test]
    fn words_that_mean_something_are_quoted() {
        for text in ["null", "+", "-", "@1", "{", "", "two words", "'"] {
            let one = batch(&format!("s:utf8 | + {}", word(text)));
            let printed = print(&one);
            assert_eq!(printed, print(&batch(&printed)), "{text:?}");
            assert!(printed.contains('\''), "{text:?}");
        }
        assert_eq!(canonical("s:utf8 | + -a  + 'b'"), "s:utf8 |\n+ -a\n+ b\n");
        assert_eq!(canonical(" "), "");
    }
}
