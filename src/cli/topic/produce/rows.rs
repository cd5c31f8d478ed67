//! From an input to records: what all formats have in common.

mod csv;
mod json;
mod lines;
mod record;

use super::InputFormat;
use crate::cli::Failure;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A record to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The line it stands in, or begins in.
    pub(super) line: u64,
    pub(super) key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub(super) value: Option<Vec<u8>>,
    pub(super) timestamp_ms: i64,
    /// Where it is to go, if it says so.
    pub(super) partition: Option<u32>,
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// How an input is to be understood.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Column or field whose text is the key.
    pub(super) key: Option<String>,
    /// What ends the key at the beginning of a line.
    pub(super) key_delimiter: Option<String>,
    /// Column or field with the time.
    pub(super) timestamp: Option<String>,
    /// Text that stands for null.
    pub(super) null: Option<String>,
    /// What stands between the cells of CSV.
    pub(super) delimiter: Option<u8>,
}

/// The rows of an input; those behind an error make no sense.
pub(super) type Rows = Box<dyn Iterator<Item = Result<Row, Failure>> + Send>;

/// Bytes with a name.
pub(super) struct Input {
    pub(super) name: String,
    bytes: Box<dyn BufRead + Send>,
}

impl Input {
    /// A file, unpacked on the way if it ends in `.gz`, or standard input.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file.filter(|path| path.as_os_str() != "-") else {
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

    /// Its rows.
    ///
    /// # Errors
    /// When the shape does not fit the format, and when a header can't be read or has no such column.
    pub(super) fn rows(self, format: InputFormat, shape: Shape) -> Result<Rows, Failure> {
        shape.check(format)?;
        match format {
            InputFormat::Csv => csv::rows(self, shape),
            InputFormat::Json => Ok(json::rows(self, shape)),
            InputFormat::Raw => Ok(lines::rows(self, shape)),
            InputFormat::Record => Ok(record::rows(self)),
        }
    }

    /// Its lines with their numbers, without what ends them.
    fn lines(self) -> impl Iterator<Item = Result<(u64, Vec<u8>), Failure>> + Send {
        let Input { name, bytes } = self;
        (1..).zip(bytes.split(b'\n')).map(move |(number, line)| {
            let line = line.map_err(|error| wrong(&name, number, &error.to_string()))?;
            Ok((number, line))
        })
    }
}

impl Shape {
    /// Refuses what a format has no use for.
    fn check(&self, format: InputFormat) -> Result<(), Failure> {
        let is_csv = format == InputFormat::Csv;
        let has_fields = matches!(format, InputFormat::Csv | InputFormat::Json);
        let refused = [
            (self.key.is_some() && !has_fields, "--key names a column of CSV or a field of JSON"),
            (self.timestamp.is_some() && !has_fields, "--timestamp names a column of CSV or a field of JSON"),
            (self.delimiter.is_some() && !is_csv, "--delimiter is for CSV"),
            (
                self.key_delimiter.is_some() && (is_csv || format == InputFormat::Record),
                "--key-delimiter is for --format json and raw; in CSV --key names the column of the key",
            ),
            (
                self.null.is_some() && !is_csv && self.key_delimiter.is_none(),
                "--null is for CSV, and for values behind a --key-delimiter; JSON has its own null inside a value",
            ),
        ];
        match refused.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, message)) => Err(Failure::Usage(message.to_owned())),
            None => Ok(()),
        }
    }

    /// Takes a line apart: its key, and its value, `None` where that is the text for null.
    fn split<'l>(&self, line: &'l [u8]) -> Result<(Option<&'l [u8]>, Option<&'l [u8]>), String> {
        let Some(delimiter) = &self.key_delimiter else { return Ok((None, Some(line))) };
        let at = line.windows(delimiter.len()).position(|part| part == delimiter.as_bytes());
        let at = at.ok_or_else(|| format!("no key: there is no \"{delimiter}\" in it"))?;
        let value = &line[at + delimiter.len()..];
        let is_null = self.null.as_ref().is_some_and(|null| null.as_bytes() == value);
        Ok((Some(&line[..at]), (!is_null).then_some(value)))
    }
}

/// What is wrong with a line of an input.
fn wrong(name: &str, line: u64, detail: &str) -> Failure {
    Failure::Io(format!("{name}, line {line}: {detail}"))
}

/// What a parser of JSON says of a line, without the line, which it takes for the first.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((what, _)) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
mod tests;
