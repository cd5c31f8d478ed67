//! Rows as JSON objects.
//!
//! A [`JsonEncoder`] downcasts its columns once per batch and then writes row after row into one buffer. What stands
//! between the values, `,"name":`, is made once.
//!
//! Written as Flink does: null fields as `null` unless told otherwise, bytes in base 64, `NaN` and infinities as
//! strings, floats as Java prints them, decimals without the zeros at their end, timestamps with no more digits than
//! they need. Unlike there, times of day keep their fraction.

use super::JsonOptions;
use super::scan::BLOCK;
use super::strings::push_escaped;
use crate::datetime::{Instant, write_timestamp};
use crate::view::{Values, View, items};
use crate::write::{WriteRules, write_i64, write_plain};
use crate::{Encoder, FormatError};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};

/// Writes rows of some columns as JSON objects. See the module's head.
#[derive(Debug)]
pub struct JsonEncoder {
    fields: Vec<FieldText>,
    columns: Vec<View>,
    writer: Writer,
}

/// A field as it is written.
#[derive(Debug)]
struct FieldText {
    /// `"name":` with a byte in front of it for the comma or the brace.
    key: ShortText,
    /// The fields of a `ROW`, of items that are `ROW`s, of values that are `ROW`s.
    inner: Vec<FieldText>,
}

/// What writing a row needs beside its columns.
#[derive(Debug)]
struct Writer {
    options: JsonOptions,
    rules: WriteRules,
}

/// A text that is mostly shorter than a block.
#[derive(Debug)]
struct ShortText {
    text: Vec<u8>,
    /// Its first bytes, zeros behind them.
    head: [u8; BLOCK],
    length: usize,
}

impl ShortText {
    fn new(text: Vec<u8>) -> Self {
        let mut head = [0; BLOCK];
        let length = text.len();
        head[..length.min(BLOCK)].copy_from_slice(&text[..length.min(BLOCK)]);
        ShortText { text, head, length }
    }

    /// Appends the text, without a call where it is short.
    #[inline(always)]
    fn push(&self, out: &mut Vec<u8>) {
        if self.length <= BLOCK {
            out.extend_from_slice(&self.head);
            out.truncate(out.len() - (BLOCK - self.length));
        } else {
            out.extend_from_slice(&self.text);
        }
    }
}

impl FieldText {
    fn of(fields: &Fields) -> Result<Vec<FieldText>, FormatError> {
        let text = |field: &Field| {
            let mut key = b",\"".to_vec();
            push_escaped(field.name().as_bytes(), &mut key);
            key.extend(b"\":");
            Ok(FieldText { key: ShortText::new(key), inner: inner_fields(field)? })
        };
        fields.iter().map(|field| text(field)).collect()
    }
}

/// The fields of the `ROW`s in a column, however deep they are.
fn inner_fields(field: &Field) -> Result<Vec<FieldText>, FormatError> {
    match field.data_type() {
        DataType::Struct(fields) => FieldText::of(fields),
        DataType::List(item) => inner_fields(item),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 && *pair[0].data_type() == DataType::Utf8 => {
                inner_fields(&pair[1])
            }
            _ => Err(FormatError::unsupported("json", field)),
        },
        plain => match crate::columns::ColumnBuilder::new(plain) {
            Ok(_) => Ok(Vec::new()),
            Err(_) => Err(FormatError::unsupported("json", field)),
        },
    }
}

impl JsonEncoder {
    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] for the first type that JSON can't hold.
    pub fn new(fields: &Fields, options: &JsonOptions) -> Result<Self, FormatError> {
        let rules = WriteRules {
            timestamps: options.timestamps,
            plain_decimals: options.decimal_as_plain_number,
            ..WriteRules::default()
        };
        let writer = Writer { options: options.clone(), rules };
        Ok(JsonEncoder { fields: FieldText::of(fields)?, columns: Vec::new(), writer })
    }
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        self.columns = columns
            .map(View::of)
            .collect::<Result<_, _>>()
            .map_err(|data_type| format!("a column of type {data_type} can't be written as JSON"))?;
        Ok(())
    }

    #[inline]
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.writer.object(&self.fields, &self.columns, row, out);
        Ok(())
    }
}

impl Writer {
    fn object(&mut self, fields: &[FieldText], columns: &[View], row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        for (field, column) in fields.iter().zip(columns) {
            let null = column.is_null(row);
            if null && self.options.ignore_null_fields {
                continue;
            }
            field.key.push(out);
            if null {
                out.extend_from_slice(b"null");
            } else {
                self.value(&field.inner, &column.values, row, out);
            }
        }
        // The comma before the first key becomes the brace.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// Appends a value that is not null.
    #[inline(always)]
    fn value(&mut self, inner: &[FieldText], values: &Values, row: usize, out: &mut Vec<u8>) {
        match values {
            Values::Int64(values) => write_i64(values[row], out),
            Values::Utf8(values) => write_string(values.value(row), out),
            Values::Timestamp(values, unit, zoned) => {
                out.push(b'"');
                let instant = Instant::of_unit(values[row], *unit);
                write_timestamp(instant, self.rules.timestamps, *zoned, &mut self.rules.last_date, out);
                out.push(b'"');
            }
            Values::Struct(columns) => self.object(inner, columns, row, out),
            _ => self.less_usual(inner, values, row, out),
        }
    }

    #[inline(never)]
    fn less_usual(&mut self, inner: &[FieldText], values: &Values, row: usize, out: &mut Vec<u8>) {
        let is_text = match values {
            Values::Date(_) | Values::Time32(..) | Values::Time64(..) | Values::Binary(_) => true,
            Values::Float32(values) => !values[row].is_finite(),
            Values::Float64(values) => !values[row].is_finite(),
            Values::List(offsets, list) => {
                out.push(b'[');
                for (index, item) in items(offsets, row).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.nullable(inner, list, item, out);
                }
                out.push(b']');
                return;
            }
            Values::Map(offsets, pair) => return self.map(inner, pair, items(offsets, row), out),
            _ => false,
        };
        if is_text {
            out.push(b'"');
        }
        write_plain(values, row, &mut self.rules, out);
        if is_text {
            out.push(b'"');
        }
    }

    fn nullable(&mut self, inner: &[FieldText], column: &View, row: usize, out: &mut Vec<u8>) {
        if column.is_null(row) {
            out.extend_from_slice(b"null");
        } else {
            self.value(inner, &column.values, row, out);
        }
    }

    fn map(
        &mut self,
        inner: &[FieldText],
        [keys, values]: &[View; 2],
        pairs: std::ops::Range<usize>,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        for pair in pairs {
            out.push(b',');
            if let Values::Utf8(keys) = &keys.values {
                write_string(keys.value(pair), out);
            }
            out.push(b':');
            self.nullable(inner, values, pair, out);
        }
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }
}

#[inline(always)]
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_escaped(text.as_bytes(), out);
    out.push(b'"');
}
