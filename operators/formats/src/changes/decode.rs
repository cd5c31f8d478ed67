//! Changes into columns.
//!
//! A record is read as a row of the two sides and what happened; which rows of each record come out, and in which order, is
//! known by that. They are put together when the columns are finished.

use super::merged::Merged;
use super::{ChangesOptions, Envelope, Sides};
use crate::columns::ColumnBuilder;
use crate::json::{JsonDecoder, JsonOptions};
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder, shortened};
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Fields};
use regex::Regex;
use std::fmt::Debug;

/// The places of the two rows among the fields of a record.
pub(crate) const BEFORE: usize = 0;
pub(crate) const AFTER: usize = 1;

/// What decodes the records that changes are read from.
pub(crate) trait RecordDecoder: PayloadDecoder {
    fn rows(&self) -> usize;
    fn columns(&mut self) -> &mut [ColumnBuilder];
    fn truncate(&mut self, rows: usize);
}

impl RecordDecoder for JsonDecoder {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn columns(&mut self) -> &mut [ColumnBuilder] {
        self.columns()
    }

    fn truncate(&mut self, rows: usize) {
        self.truncate(rows);
    }
}

/// Decodes records that say what happened to rows. See the module's head.
#[derive(Debug)]
pub(crate) struct ChangesDecoder<R> {
    records: R,
    envelope: &'static Envelope,
    /// By row: [`BEFORE`] or [`AFTER`], and which of that side.
    rows: Vec<(usize, usize)>,
    /// By row of the last record: whether it comes or goes.
    signs: Vec<i8>,
    merged: Merged,
    include: Option<Include>,
    in_payload: bool,
    ignore_parse_errors: bool,
    /// Number of columns.
    width: usize,
}

/// Which records are read.
#[derive(Debug)]
struct Include {
    names: JsonDecoder,
    patterns: [Option<Regex>; 2],
}

/// The fields of a record with these rows: what may be missing of the row before does not have to be there.
pub(crate) fn record_fields(needed: &Fields, envelope: &Envelope) -> Fields {
    let row = |name: &str, fields: Fields| {
        let data_type = DataType::Struct(fields);
        match envelope.sides {
            Sides::ChangedLists => Field::new(name, DataType::new_list(data_type, true), true),
            _ => Field::new(name, data_type, true),
        }
    };
    let loose = || needed.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let before = if envelope.sides == Sides::Both { needed.clone() } else { loose() };
    let [old, new, op] = envelope.fields;
    Fields::from(vec![row(old, before), row(new, needed.clone()), Field::new(op, DataType::Utf8, true)])
}

impl ChangesDecoder<JsonDecoder> {
    /// A decoder for the fields that are needed of the rows.
    ///
    /// # Errors
    /// As [`JsonDecoder::new`].
    pub(crate) fn of_json(needed: &Fields, options: &ChangesOptions) -> Result<Self, FormatError> {
        let mut record = record_fields(needed, options.envelope);
        if options.schema_include {
            record = Fields::from(vec![Field::new("payload", DataType::Struct(record), true)]);
        }
        let rows = JsonOptions { fail_on_missing_field: false, ..options.rows.clone() };
        let records = JsonDecoder::new(&record, &rows)?;
        let include = match options.include.iter().any(Option::is_some) {
            false => None,
            true => {
                let names = ["database", "table"].map(|name| Field::new(name, DataType::Utf8, true));
                let names = JsonDecoder::new(&names.to_vec().into(), &JsonOptions::default())?;
                Some(Include { names, patterns: options.include.clone() })
            }
        };
        let mut decoder = ChangesDecoder::new(records, options.envelope, needed)?;
        decoder.include = include;
        decoder.in_payload = options.schema_include;
        decoder.ignore_parse_errors = options.rows.ignore_parse_errors;
        Ok(decoder)
    }
}

impl<R: RecordDecoder> ChangesDecoder<R> {
    /// A decoder over one of records of [`record_fields`].
    ///
    /// # Errors
    /// As [`JsonDecoder::new`].
    pub(crate) fn new(records: R, envelope: &'static Envelope, needed: &Fields) -> Result<Self, FormatError> {
        Ok(ChangesDecoder {
            records,
            envelope,
            rows: Vec::new(),
            signs: Vec::new(),
            merged: Merged::new(envelope, needed)?,
            include: None,
            in_payload: false,
            ignore_parse_errors: false,
            width: needed.len(),
        })
    }

    /// Notes the rows of the record at `record`, or says what is wrong with it.
    fn change(&mut self, record: usize, payload: &[u8]) -> Result<Outcome, &'static str> {
        let mut fields = self.records.columns();
        if self.in_payload {
            fields = match fields {
                [payload] if !payload.is_null(record) => payload.struct_columns(),
                _ => return Err("there is no payload"),
            };
        }
        let [before, after, ColumnBuilder::Utf8(op)] = fields else { return Err("there is no \"op\"") };
        let (envelope, op) = (self.envelope, op.get(record));
        let came = envelope.came.contains(&op);
        if !came && op != envelope.updated && op != envelope.went {
            let passed = !envelope.passed.is_empty() && op == envelope.passed;
            return if passed { Ok(Outcome::Nothing) } else { Err(unknown(envelope)) };
        }
        let (has_before, has_after) = (!before.is_null(record), !after.is_null(record));
        let updated = op == envelope.updated;
        if envelope.sides == Sides::Both {
            return match (came, updated) {
                (true, _) if has_after => self.note(&[(AFTER, record, 1)]),
                (_, true) if has_before && has_after => {
                    self.note(&[(BEFORE, record, -1), (AFTER, record, 1)])
                }
                (false, false) if has_before => self.note(&[(BEFORE, record, -1)]),
                (false, _) if !has_before => Err(
                    "\"before\" is null, so it is not known which row it was; if the records are from PostgreSQL, set \
                     the table's REPLICA IDENTITY to FULL",
                ),
                _ => Err("\"after\" is null"),
            };
        }
        if !has_after || (updated && !has_before) {
            return Err("\"data\" or \"old\" is null");
        }
        let (new, old) = (items(after, record), if updated { items(before, record) } else { 0..0 });
        if !updated {
            let sign = if came { 1 } else { -1 };
            let rows: Vec<(usize, usize, i8)> = new.map(|row| (AFTER, row, sign)).collect();
            return self.note(&rows);
        }
        if new.len() != old.len() {
            return Err("\"data\" and \"old\" have different numbers of rows");
        }
        let (old, first) = (inner(before), old.start);
        self.merged.look(old, first..first + new.len(), payload)?;
        let rows: Vec<(usize, usize, i8)> =
            new.clone().zip(first..).flat_map(|(new, old)| [(BEFORE, old, -1), (AFTER, new, 1)]).collect();
        self.merged.note(self.rows.len(), new);
        self.note(&rows)
    }

    fn note(&mut self, rows: &[(usize, usize, i8)]) -> Result<Outcome, &'static str> {
        self.rows.extend(rows.iter().map(|(side, row, _)| (*side, *row)));
        self.signs.clear();
        self.signs.extend(rows.iter().map(|(_, _, sign)| *sign));
        Ok(match self.signs.as_slice() {
            [] => Outcome::Nothing,
            [1] => Outcome::Row,
            [-1] => Outcome::Deletion,
            [-1, 1] => Outcome::Update,
            _ => Outcome::Several,
        })
    }

    /// Whether a record is one of those that are read.
    fn is_included(&mut self, payload: &[u8]) -> Result<bool, &'static str> {
        let Some(Include { names, patterns }) = &mut self.include else { return Ok(true) };
        // What is no JSON is said when it is read.
        if !matches!(names.decode(payload), Ok(Outcome::Row)) {
            return Ok(true);
        }
        let found = PayloadDecoder::finish(names);
        for (pattern, name) in patterns.iter().zip(&found) {
            let Some(pattern) = pattern else { continue };
            if name.is_null(0) {
                return Err("there is no \"database\" or \"table\"");
            }
            if !pattern.is_match(name.as_string::<i32>().value(0)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn refuse(&self, why: &str, payload: &[u8]) -> Result<Outcome, BadPayload> {
        if self.ignore_parse_errors {
            return Ok(Outcome::Nothing);
        }
        Err(BadPayload { field: None, detail: format!("{why}; payload: {}", shortened(payload, 80)) })
    }
}

fn unknown(envelope: &Envelope) -> &'static str {
    match envelope.fields[2] {
        "op" => "\"op\" is none of c, r, u and d",
        "op_type" => "\"op_type\" is none of I, U and D",
        _ if envelope.sides == Sides::Changed => "\"type\" is none of insert, update and delete",
        _ => "\"type\" is none of INSERT, UPDATE, DELETE and CREATE",
    }
}

/// The rows of a side that a record has.
fn items(side: &ColumnBuilder, record: usize) -> std::ops::Range<usize> {
    match side {
        ColumnBuilder::List(list) => list.range(record),
        _ => record..record + 1,
    }
}

/// The rows of a side, of lists those in them.
fn inner(side: &mut ColumnBuilder) -> &mut ColumnBuilder {
    match side {
        ColumnBuilder::List(list) => list.open(),
        other => other,
    }
}

impl<R: RecordDecoder> PayloadDecoder for ChangesDecoder<R> {
    fn reserve(&mut self, rows: usize) {
        self.records.reserve(rows);
        self.rows.reserve(rows);
    }

    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let Some(payload) = payload else { return Ok(Outcome::Nothing) };
        match self.is_included(payload) {
            Ok(true) => {}
            Ok(false) => return Ok(Outcome::Nothing),
            Err(why) => return self.refuse(why, payload),
        }
        let record = self.records.rows();
        if self.records.take(Some(payload))? == Outcome::Nothing {
            return Ok(Outcome::Nothing);
        }
        let change = self.change(record, payload);
        if matches!(change, Ok(Outcome::Nothing) | Err(_)) {
            self.records.truncate(record);
        }
        change.or_else(|why| self.refuse(why, payload))
    }

    fn signs(&self) -> &[i8] {
        &self.signs
    }

    fn append_null_row(&mut self) {
        let record = self.records.rows();
        self.records.append_null_row();
        match self.records.columns() {
            [ColumnBuilder::List(before), ..] if !self.in_payload => {
                let rows = before.open();
                rows.append_null();
                self.rows.push((BEFORE, rows.len() - 1));
                before.close_behind();
            }
            _ => self.rows.push((BEFORE, record)),
        }
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let (mut record, rows) = (self.records.finish(), std::mem::take(&mut self.rows));
        if self.in_payload {
            record = record[0].as_struct().columns().to_vec();
        }
        let rows_of = |side: &ArrayRef| match side.data_type() {
            DataType::List(_) => side.as_list::<i32>().values().as_struct().clone(),
            _ => side.as_struct().clone(),
        };
        let sides = [rows_of(&record[BEFORE]), rows_of(&record[AFTER])];
        let merged = std::mem::take(&mut self.merged.rows);
        let column = |column: usize| {
            let sides = [sides[BEFORE].column(column).as_ref(), sides[AFTER].column(column).as_ref()];
            let places = Merged::places(&merged, &rows, column);
            interleave(&sides, places.as_deref().unwrap_or(&rows))
                .expect("two columns of a type, with a place for each row")
        };
        (0..self.width).map(column).collect()
    }
}
