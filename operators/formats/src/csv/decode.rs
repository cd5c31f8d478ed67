//! Lines of fields into columns.
//!
//! A line without quotes, escapes and line breaks is cut at its delimiters; every other goes through `csv-core`. Unlike
//! in Flink an escape character counts inside quotes only, and a payload of more than one line is bad rather than cut
//! off.

use super::{CsvOptions, check_field};
use crate::columns::ColumnBuilder;
use crate::datetime::TimestampStandard;
use crate::text::{TextRules, Unfit, append_text};
use crate::types::sql_type;
use crate::{BadPayload, FormatError, Outcome, PayloadDecoder, shortened};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Decodes lines of fields into columns. See the module's head.
#[derive(Debug)]
pub struct CsvDecoder {
    /// By the place in the line: the column that the field goes to.
    places: Vec<Option<usize>>,
    fields: Vec<FieldShape>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    rules: Rules,
    splitter: Splitter,
}

/// A field that is needed.
#[derive(Debug)]
struct FieldShape {
    name: String,
    nullable: bool,
    sql_type: String,
    /// Names, nullability and types of the parts of an `ARRAY` or `ROW`.
    parts: Vec<(String, bool, String)>,
}

#[derive(Debug)]
struct Rules {
    text: TextRules,
    ignore_parse_errors: bool,
    array_delimiter: u8,
    null_literal: Option<Vec<u8>>,
}

/// Why a field can't be taken: the path within it, the text, and what is wrong.
struct Fault<'a> {
    part: String,
    text: &'a [u8],
    why: Why,
    sql_type: &'a str,
}

enum Why {
    Unfit(Unfit),
    Null,
    Missing,
}

impl FieldShape {
    fn new(field: &Field) -> Self {
        let part = |path: String, field: &Field| (path, field.is_nullable(), sql_type(field.data_type()));
        let parts = match field.data_type() {
            DataType::Struct(fields) => {
                fields.iter().map(|field| part(format!(".{}", field.name()), field)).collect()
            }
            DataType::List(item) => vec![part(String::new(), item)],
            _ => Vec::new(),
        };
        let (name, sql_type) = (field.name().clone(), sql_type(field.data_type()));
        FieldShape { name, nullable: field.is_nullable(), sql_type, parts }
    }
}

impl CsvDecoder {
    /// A decoder for lines of the `declared` fields, of which those in `needed` become columns.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] for the first type that a line can't hold; [`FormatError::Conflict`] when a field
    /// that is needed is not declared so.
    pub fn new(declared: &Fields, needed: &Fields, options: &CsvOptions) -> Result<Self, FormatError> {
        let mut places = vec![None; declared.len()];
        let mut columns = Vec::with_capacity(needed.len());
        for (index, field) in needed.iter().enumerate() {
            check_field(field)?;
            let same = |other: &Field| other.name() == field.name() && other.data_type() == field.data_type();
            let place = declared.iter().position(|other| same(other));
            let place = place.ok_or_else(|| FormatError::Conflict {
                message: format!("field \"{}\" is not among those that a line holds", field.name()),
            })?;
            places[place] = Some(index);
            let column = ColumnBuilder::new(field.data_type());
            columns.push(column.map_err(|_| FormatError::unsupported("csv", field))?);
        }
        let rules = Rules {
            text: TextRules { timestamps: TimestampStandard::Sql, loose: true, ..TextRules::default() },
            ignore_parse_errors: options.ignore_parse_errors,
            array_delimiter: options.array_delimiter,
            null_literal: options.null_literal.as_ref().map(|text| text.as_bytes().to_vec()),
        };
        let fields = needed.iter().map(|field| FieldShape::new(field)).collect();
        Ok(CsvDecoder { places, fields, columns, rows: 0, rules, splitter: Splitter::new(options) })
    }

    /// Appends the row of a line. No row comes of a line that can't be taken apart under `ignore-parse-errors`.
    ///
    /// # Errors
    /// [`BadPayload`] says what is wrong; no row has been appended then.
    pub fn decode(&mut self, payload: &[u8]) -> Result<Outcome, BadPayload> {
        let whole = |detail: String| BadPayload {
            field: None,
            detail: format!("{detail}; payload: {}", shortened(payload, 80)),
        };
        let split = match check_utf8(payload) {
            None => self.splitter.split(payload).map_err(str::to_owned),
            Some(at) => Err(format!("not UTF-8 at byte {at}")),
        };
        let ignore = self.rules.ignore_parse_errors;
        let (text, ends) = match split {
            Ok(split) => split,
            Err(_) if ignore => return Ok(Outcome::Nothing),
            Err(detail) => return Err(whole(detail)),
        };
        let (expected, found) = (self.places.len(), ends.len());
        let trailing_comma = found == expected + 1 && field(text, ends, expected).is_empty();
        if found > expected && !trailing_comma || found < expected && !ignore {
            return if ignore {
                Ok(Outcome::Nothing)
            } else {
                Err(whole(format!("a line of {found} fields, expected {expected}")))
            };
        }
        for (place, index) in self.places.iter().enumerate() {
            let Some(index) = *index else { continue };
            let (shape, column) = (&self.fields[index], &mut self.columns[index]);
            let appended = match place < found {
                true => append_field(column, shape, field(text, ends, place), &mut self.rules),
                false => append_null(column, shape),
            };
            if let Err(fault) = appended {
                let bad = BadPayload {
                    field: Some(format!("{}{}", shape.name, fault.part)),
                    detail: format!("{}; payload: {}", fault.describe(), shortened(payload, 80)),
                };
                let rows = self.rows;
                self.columns.iter_mut().for_each(|column| column.truncate(rows));
                return Err(bad);
            }
        }
        self.rows += 1;
        Ok(Outcome::Row)
    }
}

impl PayloadDecoder for CsvDecoder {
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

impl Fault<'_> {
    fn describe(&self) -> String {
        let text = shortened(self.text, 40);
        match self.why {
            Why::Unfit(Unfit::Kind) => format!("\"{text}\" is no {}", self.sql_type),
            Why::Unfit(Unfit::Range) => format!("\"{text}\" is out of range for {}", self.sql_type),
            Why::Null => "null, but the field is declared NOT NULL".to_owned(),
            Why::Missing => "the field is missing".to_owned(),
        }
    }
}

/// Where the text is not UTF-8.
fn check_utf8(text: &[u8]) -> Option<usize> {
    if text.is_ascii() { None } else { std::str::from_utf8(text).err().map(|error| error.valid_up_to()) }
}

/// The field at `place`.
fn field<'t>(text: &'t [u8], ends: &[(usize, usize)], place: usize) -> &'t [u8] {
    let (start, end) = ends[place];
    &text[start..end]
}

fn append_null<'a>(column: &mut ColumnBuilder, shape: &'a FieldShape) -> Result<(), Fault<'a>> {
    if !shape.nullable {
        return Err(Fault { part: String::new(), text: b"", why: Why::Null, sql_type: &shape.sql_type });
    }
    column.append_null();
    Ok(())
}

fn append_field<'a>(
    column: &mut ColumnBuilder,
    shape: &'a FieldShape,
    text: &'a [u8],
    rules: &mut Rules,
) -> Result<(), Fault<'a>> {
    if rules.null_literal.as_deref() == Some(text) {
        return append_null(column, shape);
    }
    let rows = column.len();
    let appended = match &mut *column {
        ColumnBuilder::List(list) => {
            let part = &shape.parts[0];
            let mut parts = parts(text, rules.array_delimiter).enumerate();
            let appended =
                parts.try_for_each(|(index, text)| append_part(list.open(), part, Some(index), text, rules));
            appended.map(|()| list.seal())
        }
        // As in Flink, a `ROW` of nothing is null.
        ColumnBuilder::Struct(_) if text.is_empty() => return append_null(column, shape),
        ColumnBuilder::Struct(row) => {
            let mut parts = parts(text, rules.array_delimiter);
            let (columns, _) = row.open();
            let appended =
                columns.iter_mut().zip(&shape.parts).try_for_each(|(column, part)| match parts.next() {
                    Some(text) => append_part(column, part, None, text, rules),
                    None if rules.ignore_parse_errors && part.1 => {
                        column.append_null();
                        Ok(())
                    }
                    None => {
                        Err(Fault { part: part.0.clone(), text: b"", why: Why::Missing, sql_type: &part.2 })
                    }
                });
            appended.map(|()| row.seal())
        }
        plain => append_text(plain, text, &mut rules.text).map_err(|why| Fault {
            part: String::new(),
            text,
            why: Why::Unfit(why),
            sql_type: &shape.sql_type,
        }),
    };
    match appended {
        Err(_) if rules.ignore_parse_errors && shape.nullable => {
            column.truncate(rows);
            column.append_null();
            Ok(())
        }
        other => other,
    }
}

/// Appends an item of an `ARRAY`, whose index it has, or a field of a `ROW`.
fn append_part<'a>(
    column: &mut ColumnBuilder,
    (path, nullable, sql_type): &'a (String, bool, String),
    index: Option<usize>,
    text: &'a [u8],
    rules: &mut Rules,
) -> Result<(), Fault<'a>> {
    let null = rules.null_literal.as_deref() == Some(text);
    let why = match null {
        true if *nullable => {
            column.append_null();
            return Ok(());
        }
        true => Why::Null,
        false => match append_text(column, text, &mut rules.text) {
            Ok(()) => return Ok(()),
            Err(_) if rules.ignore_parse_errors && *nullable => {
                column.append_null();
                return Ok(());
            }
            Err(why) => Why::Unfit(why),
        },
    };
    let part = index.map_or_else(|| path.clone(), |index| format!("[{index}]"));
    Err(Fault { part, text, why, sql_type })
}

/// The parts of an `ARRAY` or `ROW`; an empty text has none.
fn parts(text: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let none = text.is_empty();
    text.split(move |byte| *byte == delimiter).filter(move |_| !none)
}

/// Cuts lines into fields.
#[derive(Debug)]
struct Splitter {
    reader: Reader,
    delimiter: u8,
    quote: Option<u8>,
    comments: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: Vec<(usize, usize)>,
}

impl Splitter {
    fn new(options: &CsvOptions) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(options.delimiter).escape(options.escape);
        builder.comment(options.allow_comments.then_some(b'#'));
        builder.quoting(options.quote.is_some()).quote(options.quote.unwrap_or(b'"'));
        Splitter {
            reader: builder.build(),
            delimiter: options.delimiter,
            quote: options.quote,
            comments: options.allow_comments,
            text: Vec::new(),
            ends: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The text and where in it the fields of the one line in `line` stand.
    fn split<'s>(&'s mut self, line: &'s [u8]) -> Result<(&'s [u8], &'s [(usize, usize)]), &'static str> {
        self.fields.clear();
        let simple = match self.quote {
            Some(quote) => memchr::memchr3(quote, b'\n', b'\r', line).is_none(),
            None => memchr::memchr2(b'\n', b'\r', line).is_none(),
        };
        if !simple || line.is_empty() || (self.comments && line[0] == b'#') {
            return self.split_any(line);
        }
        let mut start = 0;
        for end in memchr::memchr_iter(self.delimiter, line) {
            self.fields.push((start, end));
            start = end + 1;
        }
        self.fields.push((start, line.len()));
        Ok((line, &self.fields))
    }

    fn split_any(&mut self, line: &[u8]) -> Result<(&[u8], &[(usize, usize)]), &'static str> {
        self.reader.reset();
        self.text.resize(self.text.len().max(line.len() + 1), 0);
        self.ends.resize(self.ends.len().max(16), 0);
        let (mut input, mut written, mut fields) = (line, 0, 0);
        let mut ended = false;
        loop {
            let (result, read, more, more_fields) =
                self.reader.read_record(input, &mut self.text[written..], &mut self.ends[fields..]);
            input = &input[read..];
            written += more;
            fields += more_fields;
            match result {
                ReadRecordResult::Record => break,
                // A line break of our own ends every line but one with an open quote.
                ReadRecordResult::InputEmpty if !ended => (input, ended) = (b"\n", true),
                ReadRecordResult::InputEmpty if written > 0 || fields > 0 => {
                    return Err("a quote is not closed");
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Err("there is no line"),
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
        if !ended && input.iter().any(|byte| !matches!(byte, b'\n' | b'\r')) {
            return Err("there is more than one line");
        }
        let mut start = 0;
        for end in &self.ends[..fields] {
            self.fields.push((start, *end));
            start = *end;
        }
        Ok((&self.text[..written], &self.fields))
    }
}
