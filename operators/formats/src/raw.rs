//! The format `raw`: the payload is the value of the one column.
//!
//! ```text
//! STRING   UTF-8            TINYINT to BIGINT, FLOAT, DOUBLE   1 to 8 bytes, big endian unless told otherwise
//! BYTES    as they are      BOOLEAN                            one byte, 0 for false
//! ```
//! Alone among the formats it makes a row of a record without a value: null.

use super::options::{OptionReader, describe};
use super::view::{Values, View};
use super::{
    BadPayload, Decoder, Encoder, Facts, Format, FormatError, Outcome, PayloadDecoder, Registered, shortened,
};
use crate::columns::ColumnBuilder;
use crate::types::sql_type;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

/// Options of `raw`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawOptions {
    /// Whether the lowest byte of a number comes first.
    pub little_endian: bool,
}

impl RawOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        reader.choice("charset", &[("UTF-8", ()), ("UTF8", ())])?;
        let little_endian = reader.choice("endianness", &[("big-endian", false), ("little-endian", true)])?;
        Ok(RawOptions { little_endian })
    }
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "raw", names_fields: false, changes: false },
    parse: |reader| Ok(Arc::new(RawOptions::parse(reader)?)),
};

impl Format for RawOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        let endianness = |little| if little { "little-endian" } else { "big-endian" }.to_owned();
        describe("raw", &[("endianness", endianness(self.little_endian), endianness(false))])
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(Box::new(RawDecoder::new(declared, needed, self)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        Ok(Box::new(RawEncoder::new(fields, self)?))
    }
}

/// The one field there must be, of a type that a payload can be.
fn only_field(fields: &Fields) -> Result<&Field, FormatError> {
    use DataType as T;
    let [field] = fields.as_ref() else {
        return Err(FormatError::Conflict {
            message: format!("format 'raw' holds one column, not {}; choose 'json' or 'csv'", fields.len()),
        });
    };
    match field.data_type() {
        T::Boolean | T::Utf8 | T::Binary => Ok(field),
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 => Ok(field),
        _ => Err(FormatError::unsupported("raw", field)),
    }
}

/// Decodes payloads that are values.
#[derive(Debug)]
pub struct RawDecoder {
    field: Field,
    /// `None` when the value is not needed.
    column: Option<ColumnBuilder>,
    little_endian: bool,
}

impl RawDecoder {
    /// A decoder for the one `declared` field, which may be `needed` or not.
    ///
    /// # Errors
    /// [`FormatError::Conflict`] when there is not one field, [`FormatError::Unsupported`] for its type.
    pub fn new(declared: &Fields, needed: &Fields, options: &RawOptions) -> Result<Self, FormatError> {
        let field = only_field(declared)?.clone();
        let column = match needed.is_empty() {
            true => None,
            false => Some(
                ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported("raw", &field))?,
            ),
        };
        // What is needed may say more of null than what is declared.
        let field = needed.first().map_or(field, |needed| needed.as_ref().clone());
        Ok(RawDecoder { field, column, little_endian: options.little_endian })
    }
}

impl PayloadDecoder for RawDecoder {
    fn reserve(&mut self, rows: usize) {
        self.column.iter_mut().for_each(|column| column.reserve(rows));
    }

    #[inline]
    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let bad = |detail: String| Err(BadPayload { field: Some(self.field.name().clone()), detail });
        if let Some(column) = &mut self.column {
            match payload {
                None if !self.field.is_nullable() => {
                    return bad("null, but the field is declared NOT NULL".to_owned());
                }
                None => column.append_null(),
                Some(payload) => {
                    if append(column, payload, self.little_endian).is_none() {
                        let (bytes, payload_type) = (payload.len(), sql_type(self.field.data_type()));
                        let text = shortened(payload, 40);
                        return bad(format!("{bytes} bytes are no {payload_type}; payload: {text}"));
                    }
                }
            }
        }
        Ok(Outcome::Row)
    }

    #[inline]
    fn append_null_row(&mut self) {
        self.column.iter_mut().for_each(ColumnBuilder::append_null);
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.column.iter_mut().map(ColumnBuilder::finish).collect()
    }
}

/// Appends a value; `None` when the payload is no such value.
fn append(column: &mut ColumnBuilder, payload: &[u8], little_endian: bool) -> Option<()> {
    use ColumnBuilder as C;
    macro_rules! number {
        ($column:ident, $native:ty) => {{
            let bytes = payload.try_into().ok()?;
            let value =
                if little_endian { <$native>::from_le_bytes(bytes) } else { <$native>::from_be_bytes(bytes) };
            $column.append(value);
        }};
    }
    match column {
        C::Utf8(column) => column.append(std::str::from_utf8(payload).ok()?.as_bytes()),
        C::Binary(column) => column.append(payload),
        C::Boolean(column) => {
            let [byte] = payload else { return None };
            column.append(*byte != 0);
        }
        C::Int8(column) => number!(column, i8),
        C::Int16(column) => number!(column, i16),
        C::Int32(column) => number!(column, i32),
        C::Int64(column) => number!(column, i64),
        C::Float32(column) => number!(column, f32),
        C::Float64(column) => number!(column, f64),
        _ => return None,
    }
    Some(())
}

/// Writes rows of one column as their values.
#[derive(Debug)]
pub struct RawEncoder {
    column: Option<View>,
    little_endian: bool,
}

impl RawEncoder {
    /// An encoder for rows of the one field.
    ///
    /// # Errors
    /// [`FormatError::Conflict`] when there is not one field, [`FormatError::Unsupported`] for its type.
    pub fn new(fields: &Fields, options: &RawOptions) -> Result<Self, FormatError> {
        only_field(fields)?;
        Ok(RawEncoder { column: None, little_endian: options.little_endian })
    }
}

impl Encoder for RawEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        let column = columns.next().ok_or("a column is missing")?;
        let view = View::of(column).map_err(|data_type| format!("{data_type} can't be written as it is"))?;
        self.column = Some(view);
        Ok(())
    }

    #[inline]
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let column = self.column.as_ref().filter(|column| !column.is_null(row));
        let column = column.ok_or("null can't be written as it is; give it a value with COALESCE")?;
        macro_rules! number {
            ($values:ident) => {{
                let value = $values[row];
                let bytes = if self.little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
                out.extend_from_slice(&bytes);
            }};
        }
        match &column.values {
            Values::Utf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Binary(values) => out.extend_from_slice(values.value(row)),
            Values::Boolean(values) => out.push(values.value(row).into()),
            Values::Int8(values) => number!(values),
            Values::Int16(values) => number!(values),
            Values::Int32(values) => number!(values),
            Values::Int64(values) => number!(values),
            Values::Float32(values) => number!(values),
            Values::Float64(values) => number!(values),
            _ => return Err("a column of another type than declared".to_owned()),
        }
        Ok(())
    }
}
