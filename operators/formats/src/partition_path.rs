//! Directories by the values of columns, as `PARTITIONED BY` makes them: `day=2024-05-01/kind=a`.
//!
//! What a record is about stands in the path of its file, not in the record. So a path is the key of a record, and this is the
//! format of such keys: it writes and reads names, values and escapes as Flink does, and no table names it.

use super::view::{Values, View};
use super::write::{WriteRules, write_plain};
use super::{BadPayload, Decoder, Encoder, Facts, Format, FormatError, Outcome, PayloadDecoder, shortened};
use crate::columns::ColumnBuilder;
use crate::text::{TextRules, append_text};
use crate::types::sql_type;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};

/// What stands for null and for a text without letters, unless a table says otherwise.
pub const DEFAULT_NAME: &str = "__DEFAULT_PARTITION__";

/// Keys that are paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPath {
    /// `partition.default-name`: what stands for null and for a text without letters.
    pub default_name: String,
}

/// What is known of it.
const FACTS: Facts = Facts { name: "partition path", names_fields: true, changes: false };

impl Format for PartitionPath {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn describe(&self) -> String {
        match self.default_name.as_str() {
            DEFAULT_NAME => "partition path".to_owned(),
            other => format!("partition path(null={other})"),
        }
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        declared.iter().try_for_each(|field| checked(field))?;
        let column = |field: &std::sync::Arc<Field>| {
            ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported(FACTS.name, field))
        };
        let columns = needed.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Box::new(PathDecoder { null: self.default_name.clone(), fields: needed.clone(), columns }))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        fields.iter().try_for_each(|field| checked(field))?;
        // Flink writes the number of the day, and can't read it as a date.
        if let Some(date) = fields.iter().find(|field| *field.data_type() == DataType::Date32) {
            let name = date.name();
            let message = format!(
                "directories can't be called by column \"{name}\" of type DATE when files are written; declare it STRING, and \
                 write CAST({name} AS STRING)"
            );
            return Err(FormatError::Conflict { message });
        }
        let mut null = Vec::new();
        escape(self.default_name.as_bytes(), &mut null);
        let name = |field: &std::sync::Arc<Field>| {
            let mut name = Vec::new();
            escape(field.name().as_bytes(), &mut name);
            name
        };
        let names = fields.iter().map(name).collect();
        Ok(Box::new(PathEncoder { null, names, columns: Vec::new(), value: Vec::new() }))
    }
}

/// Whether a column's values can be read of names of directories; all but dates can be written so, too.
pub fn can_partition(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(data_type, T::Utf8 | T::Boolean | T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Date32)
}

fn checked(field: &Field) -> Result<(), FormatError> {
    match can_partition(field.data_type()) {
        true => Ok(()),
        false => Err(FormatError::unsupported(FACTS.name, field)),
    }
}

/// Whether a byte stands in no name of a directory as it is.
fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || b"\"#%'*/:=?\\{}[]^".contains(&byte)
}

/// Appends a name, with escapes.
fn escape(name: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name {
        if is_escaped(*byte) {
            out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        } else {
            out.push(*byte);
        }
    }
}

/// A name without its escapes. A `%` that begins none stands for itself.
fn unescape(name: &[u8]) -> Vec<u8> {
    let digit = |at: usize| name.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(name.len());
    let mut at = 0;
    while let Some(byte) = name.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain
}

/// Reads values from paths.
#[derive(Debug)]
struct PathDecoder {
    null: String,
    fields: Fields,
    columns: Vec<ColumnBuilder>,
}

impl PathDecoder {
    /// The value of a column in a path: of the last directory with its name.
    fn value(path: &[u8], name: &str) -> Option<Vec<u8>> {
        path.split(|byte| *byte == b'/').rev().find_map(|directory| {
            let at = directory.iter().position(|byte| *byte == b'=')?;
            let (found, value) = directory.split_at(at);
            (unescape(found) == name.as_bytes()).then(|| unescape(value.get(1..).unwrap_or_default()))
        })
    }

    fn append(&mut self, path: &[u8]) -> Result<(), (String, String)> {
        for (field, column) in self.fields.iter().zip(&mut self.columns) {
            let bad = |detail: String| Err((field.name().clone(), detail));
            let Some(value) = Self::value(path, field.name()) else {
                let path = shortened(path, 200);
                return bad(format!("there is no directory {}=.. in the path '{path}'", field.name()));
            };
            if value == self.null.as_bytes() {
                if !field.is_nullable() {
                    return bad("null, but the column is declared NOT NULL".to_owned());
                }
                column.append_null();
                continue;
            }
            let is_text = std::str::from_utf8(&value).is_ok();
            if !is_text || append_text(column, &value, &mut TextRules::default()).is_err() {
                let (value, wanted) = (shortened(&value, 40), sql_type(field.data_type()));
                return bad(format!("the directory {}={value} is no {wanted}", field.name()));
            }
        }
        Ok(())
    }
}

impl PayloadDecoder for PathDecoder {
    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let rows = self.columns.first().map_or(0, ColumnBuilder::len);
        match self.append(payload.unwrap_or_default()) {
            Ok(()) => Ok(Outcome::Row),
            Err((field, detail)) => {
                self.columns.iter_mut().for_each(|column| column.truncate(rows));
                Err(BadPayload { field: Some(field), detail })
            }
        }
    }

    fn append_null_row(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_null);
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.columns.iter_mut().map(ColumnBuilder::finish).collect()
    }
}

/// Writes values as paths.
#[derive(Debug)]
struct PathEncoder {
    null: Vec<u8>,
    names: Vec<Vec<u8>>,
    columns: Vec<View>,
    value: Vec<u8>,
}

impl Encoder for PathEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        let views = columns.map(View::of).collect::<Result<_, _>>();
        self.columns = views.map_err(|data_type| format!("{data_type} can't be the name of a directory"))?;
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        for (index, (name, column)) in self.names.iter().zip(&self.columns).enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            out.extend_from_slice(name);
            out.push(b'=');
            self.value.clear();
            if !column.is_null(row) {
                match &column.values {
                    Values::Utf8(values) => self.value.extend_from_slice(values.value(row).as_bytes()),
                    values => write_plain(values, row, &mut WriteRules::default(), &mut self.value),
                }
            }
            match self.value.is_empty() {
                true => out.extend_from_slice(&self.null),
                false => escape(&self.value, out),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn path() -> PartitionPath {
        PartitionPath { default_name: DEFAULT_NAME.to_owned() }
    }

    fn fields() -> Fields {
        let field = |name: &str, data_type| Field::new(name, data_type, true);
        vec![
            field("s", DataType::Utf8),
            field("n", DataType::Int64),
            field("day", DataType::Date32),
            field("is it", DataType::Boolean),
        ]
        .into()
    }

    fn without_day() -> Fields {
        fields().iter().filter(|field| field.name() != "day").cloned().collect()
    }

    #[test]
    fn values_come_back_from_the_directories_they_have_made() {
        let special = "ö.. ,;[]{}^'\"#*?:\\x";
        let columns: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("a/b=c %41\n"), None, Some(""), Some(special)])),
            Arc::new(Int64Array::from(vec![Some(-5), Some(i64::MAX), None, Some(0)])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])),
        ];
        assert!(path().encoder(&fields()).unwrap_err().to_string().contains("CAST(day AS STRING)"));
        let mut encoder = path().encoder(&without_day()).unwrap();
        encoder.begin(&mut columns.iter(), &[]).unwrap();
        let mut decoder = path().decoder(&without_day(), &without_day()).unwrap();
        let mut paths = Vec::new();
        for row in 0..4 {
            let mut out = Vec::new();
            encoder.encode(row, &mut out).unwrap();
            assert_eq!(decoder.decode(Some(&out)), Ok(Outcome::Row));
            paths.push(String::from_utf8(out).unwrap());
        }
        let null = DEFAULT_NAME;
        assert_eq!(
            paths,
            [
                // As Flink has them.
                "s=a%2Fb%3Dc %2541%0A/n=-5/is it=true".to_owned(),
                format!("s={null}/n=9223372036854775807/is it=false"),
                format!("s={null}/n={null}/is it={null}"),
                "s=ö.. ,;%5B%5D%7B%7D%5E%27%22%23%2A%3F%3A%5Cx/n=0/is it=true".to_owned(),
            ]
        );
        let back = decoder.finish();
        // A text without letters is null when it comes back, as in Flink.
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a/b=c %41\n"), None, None, Some(special)]));
        assert_eq!(&back[0], &texts);
        assert_eq!(&back[1..], &columns[1..]);
    }

    #[test]
    fn a_path_that_has_not_the_columns_makes_a_bad_record_and_leaves_no_trace() {
        let mut decoder = path().decoder(&fields(), &fields()).unwrap();
        for (path, detail) in [
            ("s=a/n=1/day=2024-05-01", "there is no directory is it=.."),
            ("s=a/n=one/day=2024-05-01/is it=true", "the directory n=one is no BIGINT"),
            ("", "there is no directory s=.. in the path ''"),
        ] {
            let bad = decoder.decode(Some(path.as_bytes())).unwrap_err();
            assert!(bad.detail.contains(detail), "{bad:?}");
        }
        assert_eq!(decoder.decode(Some(b"x/s=a/n=1/day=2024-05-01/is it=FALSE")), Ok(Outcome::Row));
        let columns = decoder.finish();
        assert!(columns.iter().all(|column| column.len() == 1));
        let day: ArrayRef = Arc::new(Date32Array::from(vec![19_844]));
        assert_eq!(&columns[2], &day);
    }
}
