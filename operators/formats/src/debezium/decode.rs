//! Changes into columns.
//!
//! A record is read as a row of `before`, `after` and `op`; which of the two rows of each record come out, and in which
//! order, is known by `op`. They are put together when the columns are finished.

use super::DebeziumOptions;
use crate::columns::ColumnBuilder;
use crate::json::{JsonDecoder, JsonOptions};
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder, shortened};
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Fields};

/// The places of the two rows among the fields of a record.
const BEFORE: usize = 0;
const AFTER: usize = 1;

/// Decodes records that say what happened to a row. See the module's head.
#[derive(Debug)]
pub struct DebeziumDecoder {
    records: JsonDecoder,
    /// By row: [`BEFORE`] or [`AFTER`], and of which record.
    rows: Vec<(usize, usize)>,
    options: DebeziumOptions,
    /// Number of columns.
    width: usize,
}

impl DebeziumDecoder {
    /// A decoder for the fields that are needed of the rows.
    ///
    /// # Errors
    /// As [`JsonDecoder::new`].
    pub fn new(needed: &Fields, options: &DebeziumOptions) -> Result<Self, FormatError> {
        let row = |name: &str| Field::new(name, DataType::Struct(needed.clone()), true);
        let record = Fields::from(vec![row("before"), row("after"), Field::new("op", DataType::Utf8, true)]);
        let record = match options.schema_include {
            true => Fields::from(vec![Field::new("payload", DataType::Struct(record), true)]),
            false => record,
        };
        let rows = JsonOptions { fail_on_missing_field: false, ..options.rows.clone() };
        Ok(DebeziumDecoder {
            records: JsonDecoder::new(&record, &rows)?,
            rows: Vec::new(),
            options: options.clone(),
            width: needed.len(),
        })
    }

    /// What happened, by the record at `record`; or what is wrong with it.
    fn change(&mut self, record: usize) -> Result<Outcome, &'static str> {
        let mut fields = self.records.columns();
        if self.options.schema_include {
            fields = match fields {
                [payload] if !payload.is_null(record) => payload.struct_columns(),
                _ => return Err("there is no payload"),
            };
        }
        let [before, after, ColumnBuilder::Utf8(op)] = fields else { return Err("there is no \"op\"") };
        let (has_before, has_after) = (!before.is_null(record), !after.is_null(record));
        match op.get(record) {
            b"c" | b"r" if has_after => Ok(Outcome::Row),
            b"u" if has_before && has_after => Ok(Outcome::Update),
            b"d" if has_before => Ok(Outcome::Deletion),
            b"u" | b"d" if !has_before => Err(
                "\"before\" is null, so it is not known which row it was; if the records are from PostgreSQL, set the \
                 table's REPLICA IDENTITY to FULL",
            ),
            b"c" | b"r" | b"u" => Err("\"after\" is null"),
            _ => Err("\"op\" is none of c, r, u and d"),
        }
    }
}

impl PayloadDecoder for DebeziumDecoder {
    fn reserve(&mut self, rows: usize) {
        self.records.reserve(rows);
        self.rows.reserve(rows);
    }

    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let Some(payload) = payload else { return Ok(Outcome::Nothing) };
        let record = self.records.rows();
        if self.records.decode(payload)? == Outcome::Nothing {
            return Ok(Outcome::Nothing);
        }
        let change = self.change(record);
        match change {
            Ok(Outcome::Row) => self.rows.push((AFTER, record)),
            Ok(Outcome::Deletion) => self.rows.push((BEFORE, record)),
            Ok(Outcome::Update) => self.rows.extend([(BEFORE, record), (AFTER, record)]),
            Ok(Outcome::Nothing) | Err(_) => self.records.truncate(record),
        }
        match change {
            Err(_) if self.options.rows.ignore_parse_errors => Ok(Outcome::Nothing),
            Err(why) => {
                let detail = format!("{why}; payload: {}", shortened(payload, 80));
                Err(BadPayload { field: None, detail })
            }
            Ok(outcome) => Ok(outcome),
        }
    }

    fn append_null_row(&mut self) {
        self.rows.push((BEFORE, self.records.rows()));
        self.records.append_null_row();
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let (mut record, rows) = (self.records.finish(), std::mem::take(&mut self.rows));
        if self.options.schema_include {
            record = record[0].as_struct().columns().to_vec();
        }
        let sides = [record[BEFORE].as_struct(), record[AFTER].as_struct()];
        let column = |column: usize| {
            let sides = sides.map(|side| side.column(column).as_ref());
            interleave(&sides, &rows).expect("two columns of a type, with a place for each row")
        };
        (0..self.width).map(column).collect()
    }
}
