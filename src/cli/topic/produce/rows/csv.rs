//! Rows of CSV as JSON objects.

use super::{Input, Row, Rows, Shape, now_ms, parse_time, wrong};
use crate::cli::Failure;
use csv::{ReaderBuilder, StringRecord};
use serde_json::{Number, Value};

/// What other programs put between the cells of what they call CSV.
const OTHER_DELIMITERS: [(char, &str); 3] = [(';', "';'"), ('\t', "'\\t'"), ('|', "'|'")];

/// The rows below the header.
///
/// # Errors
/// When the header can't be read, has no column of that name, or is one that was meant to be several.
pub(super) fn rows(input: Input, shape: Shape) -> Result<Rows, Failure> {
    let Input { name, bytes } = input;
    let mut reader = ReaderBuilder::new().delimiter(shape.delimiter.unwrap_or(b',')).from_reader(bytes);
    let header = reader.headers().map_err(|error| Failure::Io(format!("{name}: {error}")))?;
    if shape.delimiter.is_none() {
        check_header(&name, header)?;
    }
    let place = |wanted: &Option<String>| {
        let Some(wanted) = wanted else { return Ok(None) };
        let found = header.iter().position(|column| column == wanted);
        let known = || header.iter().collect::<Vec<_>>().join(", ");
        let missing = || Failure::Usage(format!("{name} has no column \"{wanted}\"; it has {}", known()));
        found.map(Some).ok_or_else(missing)
    };
    let (key, timestamp) = (place(&shape.key)?, place(&shape.timestamp)?);
    let names = header.iter().map(|column| Value::from(column).to_string()).collect();
    let columns = Columns { names, key, timestamp, null: shape.null };
    Ok(Box::new(reader.into_records().map(move |record| {
        // The error names the line itself.
        let record = record.map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        columns.row(&record, line).map_err(|detail| wrong(&name, line, &detail))
    })))
}

/// Refuses a header of one column that another separator would make several of.
fn check_header(name: &str, header: &StringRecord) -> Result<(), Failure> {
    let mut columns = header.iter();
    let (Some(only), None) = (columns.next(), columns.next()) else { return Ok(()) };
    match OTHER_DELIMITERS.iter().find(|(delimiter, _)| only.contains(*delimiter)) {
        None => Ok(()),
        Some((delimiter, shown)) => Err(Failure::Usage(format!(
            "the header of {name} is one column, \"{only}\"; if its columns are separated by {shown}, say --delimiter \
             {shown}, and if it is one, --delimiter ,",
            only =
                only.replace(*delimiter, if *delimiter == '\t' { "\\t" } else { shown.trim_matches('\'') }),
        ))),
    }
}

/// Which columns mean what.
struct Columns {
    /// As JSON.
    names: Vec<String>,
    key: Option<usize>,
    timestamp: Option<usize>,
    null: Option<String>,
}

impl Columns {
    fn row(&self, record: &StringRecord, line: u64) -> Result<Row, String> {
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
        let key = self.key.and_then(cell).map(|key| key.as_bytes().to_vec());
        Ok(Row { line, key, value: Some(value), timestamp_ms, ..Row::default() })
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
