//! An encoder of any format.

use super::csv::CsvEncoder;
use super::json::JsonEncoder;
use super::raw::RawEncoder;
use arrow::array::ArrayRef;

/// Encodes rows of columns. Made by [`super::Format::encoder`].
#[derive(Debug)]
pub enum FormatEncoder {
    /// `json`.
    Json(JsonEncoder),
    /// `csv`.
    Csv(CsvEncoder),
    /// `raw`.
    Raw(RawEncoder),
}

impl FormatEncoder {
    /// Makes ready to write rows of these columns: one for each field, in their order.
    ///
    /// # Errors
    /// A sentence that names a type that can't be written.
    pub fn begin<'a>(&mut self, columns: impl Iterator<Item = &'a ArrayRef>) -> Result<(), String> {
        match self {
            FormatEncoder::Json(encoder) => encoder.begin(columns),
            FormatEncoder::Csv(encoder) => encoder.begin(columns),
            FormatEncoder::Raw(encoder) => encoder.begin(columns),
        }
    }

    /// Appends the row at `row`.
    ///
    /// # Errors
    /// A sentence that says what the format can't write.
    #[inline]
    pub fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            FormatEncoder::Json(encoder) => encoder.encode(row, out),
            FormatEncoder::Csv(encoder) => encoder.encode(row, out),
            FormatEncoder::Raw(encoder) => return encoder.encode(row, out),
        }
        Ok(())
    }
}
