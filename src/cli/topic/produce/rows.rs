//! From lines of a file to records.

use super::InputFormat;
use crate::cli::Failure;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use serde_json::{Number, Value};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A record to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: Option<String>,
    pub(super) value: Vec<u8>,
    pub(super) timestamp_ms: i64,
}

/// The rows of an input; those behind an error make no sense.
pub(super) type Rows = Box<dyn Iterator<Item = Result<Row, Failure>> + Send>;

/// Bytes with a name.
pub(super) struct Input {
    name: String,
    bytes: Box<dyn BufRead + Send>,
}

impl Input {
    /// A file, unpacked on the way if it ends in `.gz`, or standard input.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else {
            let bytes = BufReader::new(std::io::stdin());
            return Ok(Input { name: "standard input".to_owned(), bytes: Box::new(bytes) });
        };
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        let bytes: Box<dyn Read + Send> = match path.extension() {
            Some(extension) if extension == "gz" => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            _ => Box::new(file),
        };
        Ok(Input { name, bytes: Box::new(BufReader::with_capacity(64 << 10, bytes)) })
    }

    /// Its rows; `key` and `timestamp` name columns, `null` is the text that stands for null in CSV.
    ///
    /// # Errors
    /// When the header can't be read or has no such column.
    pub(super) fn rows(
        self,
        format: InputFormat,
        key: Option<String>,
        timestamp: Option<String>,
        null: Option<String>,
    ) -> Result<Rows, Failure> {
        match format {
            InputFormat::Json => {
                if null.is_some() {
                    return Err(Failure::Usage("--null is for CSV; JSON has its own null".to_owned()));
                }
                Ok(self.json_rows(JsonFields { key, timestamp }))
            }
            InputFormat::Csv => self.csv_rows(key, timestamp, null),
        }
    }

    fn json_rows(self, fields: JsonFields) -> Rows {
        let Input { name, bytes } = self;
        let lines = (1..).zip(bytes.lines());
        let lines = lines.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
        Box::new(lines.map(move |(number, line): (u64, _)| {
            let at = |detail: String| Failure::Io(format!("{name}, line {number}: {detail}"));
            let line = line.map_err(|error| at(error.to_string()))?;
            let (key, timestamp_ms) = fields.pick(&line).map_err(at)?;
            Ok(Row { key, value: line.into_bytes(), timestamp_ms })
        }))
    }

    fn csv_rows(
        self,
        key: Option<String>,
        timestamp: Option<String>,
        null: Option<String>,
    ) -> Result<Rows, Failure> {
        let Input { name, bytes } = self;
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers().map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        let place = |wanted: Option<String>| {
            let Some(wanted) = wanted else { return Ok(None) };
            let found = header.iter().position(|column| *column == wanted);
            let known = || header.iter().collect::<Vec<_>>().join(", ");
            let missing = || Failure::Usage(format!("{name} has no column \"{wanted}\"; it has {}", known()));
            found.map(Some).ok_or_else(missing)
        };
        let (key, timestamp) = (place(key)?, place(timestamp)?);
        let names = header.iter().map(|column| Value::from(column).to_string()).collect();
        let columns = CsvColumns { names, key, timestamp, null };
        Ok(Box::new(reader.into_records().map(move |record| {
            // The error names the line itself.
            let record = record.map_err(|error| Failure::Io(format!("{name}: {error}")))?;
            let line = record.position().map_or(0, csv::Position::line);
            columns.row(&record).map_err(|detail| Failure::Io(format!("{name}, line {line}: {detail}")))
        })))
    }
}

/// Which columns of a CSV file mean what.
struct CsvColumns {
    /// As JSON.
    names: Vec<String>,
    key: Option<usize>,
    timestamp: Option<usize>,
    null: Option<String>,
}

impl CsvColumns {
    fn row(&self, record: &StringRecord) -> Result<Row, String> {
        let cell = |index: usize| record.get(index).filter(|cell| self.null.as_deref() != Some(*cell));
        let timestamp_ms = match self.timestamp {
            None => now_ms(),
            Some(index) => {
                let text = cell(index).ok_or("its time is null")?;
                parse_time(text).ok_or_else(|| format!("\"{text}\" is no time"))?
            }
        };
        let names: usize = self.names.iter().map(|name| name.len() + 4).sum();
        let mut value = Vec::with_capacity(record.as_slice().len() + names);
        for (index, name) in self.names.iter().enumerate() {
            value.push(if index == 0 { b'{' } else { b',' });
            value.extend(name.as_bytes());
            value.push(b':');
            write_cell(cell(index), &mut value);
        }
        value.push(b'}');
        Ok(Row { key: self.key.and_then(cell).map(str::to_owned), value, timestamp_ms })
    }
}

/// A cell as JSON: null, a number when it is written as JSON writes one (its digits stay as they are), otherwise text.
fn write_cell(cell: Option<&str>, out: &mut Vec<u8>) {
    match cell {
        None => out.extend(b"null"),
        Some(cell) if is_json_number(cell) => out.extend(cell.as_bytes()),
        Some(cell) => out.extend(Value::from(cell).to_string().as_bytes()),
    }
}

fn is_json_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<Number>(text).is_ok()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Which fields of JSON objects mean more than a value.
struct JsonFields {
    key: Option<String>,
    timestamp: Option<String>,
}

impl JsonFields {
    /// The key and the time of a record. What is not asked for is not looked at.
    fn pick(&self, line: &str) -> Result<(Option<String>, i64), String> {
        if self.key.is_none() && self.timestamp.is_none() {
            return Ok((None, now_ms()));
        }
        let object: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let field = |name: &String| object.get(name).ok_or_else(|| format!("no field \"{name}\""));
        let key = match self.key.as_ref().map(field).transpose()? {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let timestamp_ms = match self.timestamp.as_ref().map(field).transpose()? {
            None => now_ms(),
            Some(Value::String(text)) => parse_time(text).ok_or_else(|| format!("\"{text}\" is no time"))?,
            Some(value) => value.as_i64().ok_or_else(|| format!("{value} is no time"))?,
        };
        Ok((key, timestamp_ms))
    }
}

/// Milliseconds since 1970 of a time as text: a number of them, or a date and time, UTC where it names no zone.
fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse() {
        return Some(ms);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let naive = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    naive.or_else(date).map(|time| time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(
        format: InputFormat,
        text: &'static str,
        key: Option<&str>,
        timestamp: Option<&str>,
    ) -> Vec<Result<Row, String>> {
        let input = Input { name: "input".into(), bytes: Box::new(text.as_bytes()) };
        let null = (format == InputFormat::Csv).then(|| "NA".to_owned());
        let rows = input.rows(format, key.map(str::to_owned), timestamp.map(str::to_owned), null);
        rows.unwrap().map(|row| row.map_err(|failure| failure.to_string())).collect()
    }

    fn row(key: Option<&str>, value: &str, timestamp_ms: i64) -> Result<Row, String> {
        Ok(Row { key: key.map(str::to_owned), value: value.as_bytes().to_vec(), timestamp_ms })
    }

    #[test]
    fn csv_rows_become_objects_with_numbers_nulls_and_text() {
        let text = "a,b,c,at\n1,NA,x,2013-01-01T05:00:00Z\n-2.50,007,\"q \"\"\",1000\n1e2,\"1 \",NA,0\n";
        let first = r#"{"a":1,"b":null,"c":"x","at":"2013-01-01T05:00:00Z"}"#;
        let second = r#"{"a":-2.50,"b":"007","c":"q \"","at":1000}"#;
        let third = r#"{"a":1e2,"b":"1 ","c":null,"at":0}"#;
        let expected =
            [row(Some("x"), first, 1_357_016_400_000), row(Some("q \""), second, 1000), row(None, third, 0)];
        assert_eq!(rows(InputFormat::Csv, text, Some("c"), Some("at")), expected);
    }

    #[test]
    fn json_lines_are_written_as_they_are() {
        let text = "{\"k\": 7,  \"t\": 5}\n\n{\"k\": null, \"t\": \"1970-01-01 00:00:06\"}";
        let first = row(Some("7"), "{\"k\": 7,  \"t\": 5}", 5);
        let second = row(None, "{\"k\": null, \"t\": \"1970-01-01 00:00:06\"}", 6_000);
        assert_eq!(rows(InputFormat::Json, text, Some("k"), Some("t")), [first, second]);
    }

    #[test]
    fn a_wrong_line_is_named() {
        let rows_of_json = rows(InputFormat::Json, "{\"k\": 1}\n{\"k\": }\n{\"l\": 1}", Some("k"), None);
        assert!(rows_of_json[0].is_ok());
        let error = |row: &Result<Row, String>| row.as_ref().unwrap_err().clone();
        assert!(error(&rows_of_json[1]).starts_with("input, line 2: expected value"), "{rows_of_json:?}");
        assert_eq!(error(&rows_of_json[2]), "input, line 3: no field \"k\"");
        let rows_of_csv = rows(InputFormat::Csv, "a,t\n1,5\n\"x\ny\",NA\n3\n", None, Some("t"));
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
}
