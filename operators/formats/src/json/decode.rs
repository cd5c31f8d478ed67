//! JSON records into columns.
//!
//! A [`JsonDecoder`] reads a record once from front to back and appends every value to its column as it comes by.
//! There is no tree and no tape in between, and nothing is allocated for a record. The next key is guessed to be the
//! one that came next last time. When a record turns out to be bad, what has been appended of it is cut off again.
//!
//! ```text
//!  {"id":7,"note":"...","bid":{"price":12,"extra":"..."}}        fields: id, bid ROW<price>
//!   ^ key guessed, value appended to the column `id`
//!          ^ no column: skipped    ^ ROW: the same again, one level down
//! ```
//! Values are taken as Flink's converters take them: text with a number in it for a number, the text of anything for a
//! `STRING`, the whole part of a number for `INT` and `BIGINT`, `true` in any case for `BOOLEAN` and all else false.
//! Unlike there a number that is too large is an error, also for `FLOAT`, `DOUBLE` and `DECIMAL`; surrogates have to
//! come in pairs; a date has to be one of the calendar; nothing may stand behind the object. Control characters may
//! stand in strings unescaped. Of keys that repeat the last one counts, but what it replaces has to fit as well.
//!
//! In a value that is skipped everything is checked but what its strings and numbers mean: brackets match and do not
//! nest too deep, keys, colons and commas stand where they must, literals and numbers are spelled correctly, strings
//! are closed and their escapes complete, and all is UTF-8. Not checked are pairs of surrogate escapes, the range of
//! numbers, and whether keys repeat.

mod nested;
mod scalar;

use super::JsonOptions;
use super::keys::Keys;
use super::scan::is_ascii;
use super::syntax::{DEPTH_MAX, Expected, Fault, FaultKind, skip_value, space};
use crate::columns::ColumnBuilder;
use crate::text::TextRules;
use crate::types::sql_type;
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder, shortened};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};

/// Decodes JSON objects into columns. See the module's head.
#[derive(Debug)]
pub struct JsonDecoder {
    shape: RowShape,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    reader: Reader,
}

/// A field as it is read.
#[derive(Debug)]
struct FieldShape {
    name: String,
    sql_type: String,
    nullable: bool,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Scalar,
    Row(RowShape),
    /// Items of an `ARRAY`, values of a `MAP`.
    Items(Box<FieldShape>),
}

/// An object with known fields.
#[derive(Debug)]
struct RowShape {
    fields: Vec<FieldShape>,
    keys: Keys,
    /// A bit for each of the first 64 fields.
    all: u64,
}

/// What reading a record needs beside its columns.
#[derive(Debug, Default)]
struct Reader {
    rules: TextRules,
    fail_on_missing_field: bool,
    ignore_parse_errors: bool,
    scratch: Vec<u8>,
    fault: Fault,
    /// Where the error is, innermost step first, and the type of the field there.
    path: Vec<Step>,
    wanted: Option<String>,
}

#[derive(Debug)]
enum Step {
    Field(String),
    Index(usize),
    Key(String),
}

impl FieldShape {
    fn new(field: &Field) -> Result<Self, FormatError> {
        let shape = match field.data_type() {
            DataType::Struct(fields) => Shape::Row(RowShape::new(fields)?),
            DataType::List(item) => Shape::Items(Box::new(FieldShape::new(item)?)),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 && *pair[0].data_type() == DataType::Utf8 => {
                    Shape::Items(Box::new(FieldShape::new(&pair[1])?))
                }
                _ => return Err(FormatError::unsupported("json", field)),
            },
            _ => Shape::Scalar,
        };
        let (name, sql_type) = (field.name().clone(), sql_type(field.data_type()));
        Ok(FieldShape { name, sql_type, nullable: field.is_nullable(), shape })
    }
}

impl RowShape {
    fn new(fields: &Fields) -> Result<Self, FormatError> {
        let keys = Keys::new(fields.iter().map(|field| field.name().as_str()));
        let fields = fields.iter().map(|field| FieldShape::new(field)).collect::<Result<Vec<_>, _>>()?;
        let all = if fields.is_empty() { 0 } else { u64::MAX >> (64 - fields.len().min(64)) };
        Ok(RowShape { fields, keys, all })
    }
}

impl JsonDecoder {
    /// A decoder for the fields that are needed of a record's object. Nested `ROW`s have just the fields that are
    /// needed of them.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] for the first type that JSON can't be read as.
    pub fn new(fields: &Fields, options: &JsonOptions) -> Result<Self, FormatError> {
        let columns = fields
            .iter()
            .map(|field| {
                ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported("json", field))
            })
            .collect::<Result<_, _>>()?;
        let reader = Reader {
            rules: TextRules { timestamps: options.timestamps, ..TextRules::default() },
            fail_on_missing_field: options.fail_on_missing_field,
            ignore_parse_errors: options.ignore_parse_errors,
            ..Reader::default()
        };
        Ok(JsonDecoder { shape: RowShape::new(fields)?, columns, rows: 0, reader })
    }

    /// Appends the row of a record. No row comes of an empty payload, nor of one that is not JSON under
    /// `ignore-parse-errors`.
    ///
    /// # Errors
    /// [`BadPayload`] says what is wrong; no row has been appended then.
    #[inline]
    pub fn decode(&mut self, payload: &[u8]) -> Result<Outcome, BadPayload> {
        match self.record(payload) {
            Some(()) => {
                self.rows += 1;
                Ok(Outcome::Row)
            }
            None => self.refuse(payload),
        }
    }

    fn record(&mut self, payload: &[u8]) -> Option<()> {
        let rest = space(payload);
        let [b'{', ..] = rest else { return self.reader.fault.malformed(rest, Expected::Object) };
        let rest = self.reader.row(&mut self.shape, &mut self.columns, self.rows, rest, DEPTH_MAX)?;
        match space(rest) {
            [] if is_ascii(payload) => Some(()),
            [] => self.check_utf8(payload),
            more => self.reader.fault.malformed(more, Expected::End),
        }
    }

    #[inline(never)]
    fn check_utf8(&mut self, payload: &[u8]) -> Option<()> {
        match std::str::from_utf8(payload) {
            Ok(_) => Some(()),
            Err(error) => self.reader.fault.malformed(&payload[error.valid_up_to()..], Expected::Utf8),
        }
    }

    #[cold]
    fn refuse(&mut self, payload: &[u8]) -> Result<Outcome, BadPayload> {
        self.truncate(self.rows);
        let fault = self.reader.fault;
        let steps = std::mem::take(&mut self.reader.path);
        let wanted = self.reader.wanted.take();
        let malformed = matches!(fault.kind, FaultKind::Malformed(_));
        if payload.is_empty() || (malformed && self.reader.ignore_parse_errors) {
            return Ok(Outcome::Nothing);
        }
        let field = (!steps.is_empty()).then(|| path(&steps));
        let at = payload.len() - fault.left;
        let detail = format!("{}; payload: {}", what(payload, at, fault.kind, wanted), excerpt(payload, at));
        Err(BadPayload { field, detail })
    }

    /// Number of rows so far.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns as they are.
    pub(crate) fn columns(&mut self) -> &mut [ColumnBuilder] {
        &mut self.columns
    }

    /// Drops all rows from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }
}

impl PayloadDecoder for JsonDecoder {
    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    #[inline]
    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        payload.map_or(Ok(Outcome::Nothing), |payload| self.decode(payload))
    }

    #[inline]
    fn append_null_row(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_null);
        self.rows += 1;
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        self.columns.iter_mut().map(ColumnBuilder::finish).collect()
    }
}

/// `bid.price`, `items[3].price`, `tags['k']`.
fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps.iter().rev() {
        match step {
            Step::Field(name) if path.is_empty() => path.push_str(name),
            Step::Field(name) => path.extend([".", name]),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Key(key) => path.push_str(&format!("['{key}']")),
        }
    }
    path
}

/// What is wrong, in words.
fn what(payload: &[u8], at: usize, kind: FaultKind, wanted: Option<String>) -> String {
    let value = || {
        let value = &payload[at..];
        let behind = skip_value(value, DEPTH_MAX, &mut Fault::default()).map_or(0, <[u8]>::len);
        shortened(&value[..value.len() - behind], 40)
    };
    let wanted = wanted.as_deref().unwrap_or("value");
    match kind {
        FaultKind::Malformed(expected) => format!("not JSON: {} at byte {at}", expected.text()),
        FaultKind::Kind => format!("{} is no {wanted}", value()),
        FaultKind::Range => format!("{} is out of range for {wanted}", value()),
        FaultKind::Missing => "the field is missing".to_owned(),
        FaultKind::Null => "null, but the field is declared NOT NULL".to_owned(),
    }
}

/// Some of the payload around a place.
fn excerpt(payload: &[u8], at: usize) -> String {
    const BEFORE: usize = 40;
    let start = at.saturating_sub(BEFORE);
    let head = if start > 0 { "..." } else { "" };
    format!("{head}{}", shortened(payload.get(start..).unwrap_or_default(), 2 * BEFORE))
}
