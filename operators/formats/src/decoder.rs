//! A decoder of any format.

use super::csv::CsvDecoder;
use super::json::JsonDecoder;
use super::raw::RawDecoder;
use super::{BadPayload, Outcome};
use arrow::array::ArrayRef;

/// Decodes payloads into columns. Made by [`super::Format::decoder`].
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for each table and task, and it does not move")]
pub enum FormatDecoder {
    /// `json`.
    Json(JsonDecoder),
    /// `csv`.
    Csv(CsvDecoder),
    /// `raw`.
    Raw(RawDecoder),
}

impl FormatDecoder {
    /// Makes room for as many rows.
    pub fn reserve(&mut self, rows: usize) {
        match self {
            FormatDecoder::Json(decoder) => decoder.reserve(rows),
            FormatDecoder::Csv(decoder) => decoder.reserve(rows),
            FormatDecoder::Raw(decoder) => decoder.reserve(rows),
        }
    }

    /// Number of rows so far.
    #[inline]
    pub fn rows(&self) -> usize {
        match self {
            FormatDecoder::Json(decoder) => decoder.rows(),
            FormatDecoder::Csv(decoder) => decoder.rows(),
            FormatDecoder::Raw(decoder) => decoder.rows(),
        }
    }

    /// Appends the row of a payload, if one comes of it.
    ///
    /// # Errors
    /// [`BadPayload`] says what is wrong; no row has been appended then.
    #[inline]
    pub fn decode(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        match (self, payload) {
            (FormatDecoder::Json(decoder), Some(payload)) => decoder.decode(payload),
            (FormatDecoder::Csv(decoder), Some(payload)) => decoder.decode(payload),
            (FormatDecoder::Raw(decoder), payload) => decoder.decode(payload),
            (_, None) => Ok(Outcome::Nothing),
        }
    }

    /// Drops all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            FormatDecoder::Json(decoder) => decoder.truncate(rows),
            FormatDecoder::Csv(decoder) => decoder.truncate(rows),
            FormatDecoder::Raw(decoder) => decoder.truncate(rows),
        }
    }

    /// Appends a row of nulls, whether or not the fields may be null.
    #[inline]
    pub fn append_null_row(&mut self) {
        match self {
            FormatDecoder::Json(decoder) => decoder.append_null_row(),
            FormatDecoder::Csv(decoder) => decoder.append_null_row(),
            FormatDecoder::Raw(decoder) => decoder.append_null_row(),
        }
    }

    /// The columns. The decoder is empty afterwards.
    pub fn finish(&mut self) -> Vec<ArrayRef> {
        match self {
            FormatDecoder::Json(decoder) => decoder.finish(),
            FormatDecoder::Csv(decoder) => decoder.finish(),
            FormatDecoder::Raw(decoder) => decoder.finish(),
        }
    }
}
