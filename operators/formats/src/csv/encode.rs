//! Rows as lines of fields.
//!
//! Null is written as the null literal, or as nothing where there is none. A field gets quotes when it would else be
//! taken for something different; without a quote character it is written as it is, as Flink does. There is no line
//! break at the end: a record is a line.

use super::{CsvOptions, check_field};
use crate::datetime::TimestampStandard;
use crate::view::{Values, View, items};
use crate::write::{WriteRules, write_plain};
use crate::{Encoder, FormatError};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

/// Writes rows of some columns as lines of fields. See the module's head.
#[derive(Debug)]
pub struct CsvEncoder {
    columns: Vec<View>,
    options: CsvOptions,
    rules: WriteRules,
    /// Bytes that make quotes necessary.
    special: [bool; 256],
}

impl CsvEncoder {
    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] for the first type that a line can't hold.
    pub fn new(fields: &Fields, options: &CsvOptions) -> Result<Self, FormatError> {
        fields.iter().try_for_each(|field| check_field(field))?;
        let mut special = [false; 256];
        for byte in [options.delimiter, b'\n', b'\r'].into_iter().chain(options.quote).chain(options.escape) {
            special[usize::from(byte)] = true;
        }
        let plain_decimals = options.decimal_as_plain_number;
        let rules =
            WriteRules { timestamps: TimestampStandard::Sql, plain_decimals, ..WriteRules::default() };
        Ok(CsvEncoder { columns: Vec::new(), options: options.clone(), rules, special })
    }
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        self.columns = columns
            .map(View::of)
            .collect::<Result<_, _>>()
            .map_err(|data_type| format!("a column of type {data_type} can't be written as CSV"))?;
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let line = out.len();
        let CsvEncoder { columns, options, rules, special } = self;
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(options.delimiter);
            }
            let start = out.len();
            write_field(column, row, options, rules, out);
            let comment = start == line && options.allow_comments && out.get(start) == Some(&b'#');
            // No way out before the end: nearly always there is nothing special.
            if comment || out[start..].iter().fold(false, |any, byte| any | special[usize::from(*byte)]) {
                enclose(start, options, out);
            }
        }
        if out.len() == line {
            // An empty line would be no line at all.
            enclose(line, options, out);
        }
        Ok(())
    }
}

fn write_field(column: &View, row: usize, options: &CsvOptions, rules: &mut WriteRules, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(options.null_literal.as_deref().unwrap_or_default().as_bytes());
    }
    match &column.values {
        Values::Struct(columns) => {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(options.array_delimiter);
                }
                write_field(column, row, options, rules, out);
            }
        }
        Values::List(offsets, list) => {
            for (index, item) in items(offsets, row).enumerate() {
                if index > 0 {
                    out.push(options.array_delimiter);
                }
                write_field(list, item, options, rules, out);
            }
        }
        plain => write_plain(plain, row, rules, out),
    }
}

/// Puts quotes around what has been written from `start` on.
#[cold]
fn enclose(start: usize, options: &CsvOptions, out: &mut Vec<u8>) {
    let Some(quote) = options.quote else { return };
    let text = out.split_off(start);
    out.push(quote);
    for byte in text {
        match options.escape {
            Some(escape) if byte == quote || byte == escape => out.push(escape),
            None if byte == quote => out.push(quote),
            _ => {}
        }
        out.push(byte);
    }
    out.push(quote);
}
