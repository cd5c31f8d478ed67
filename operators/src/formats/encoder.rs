//! An encoder of any format, for sinks.

use super::csv::CsvEncoder;
use super::json::JsonEncoder;
use super::raw::RawEncoder;
use super::{Format, FormatError, sql_type};
use crate::OperatorError;
use crate::batch::Batch;
use crate::sink::{RowEncoder, RowEncoderSpec};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

/// Writes some columns of a stream in a format: the keys or the values of a sink.
#[derive(Debug, Clone)]
pub struct FormatEncoderSpec {
    format: Format,
    topic: String,
    fields: Fields,
    columns: Vec<usize>,
}

impl FormatEncoderSpec {
    /// Writes the columns at these indices as these fields. `topic` is for messages.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] and [`FormatError::Conflict`] for fields that the format can't hold.
    pub fn new(
        format: Format,
        topic: impl Into<String>,
        columns: Vec<usize>,
        fields: Fields,
    ) -> Result<Self, FormatError> {
        let spec = FormatEncoderSpec { format, topic: topic.into(), fields, columns };
        spec.encoder()?;
        Ok(spec)
    }

    fn encoder(&self) -> Result<AnyEncoder, FormatError> {
        Ok(match &self.format {
            Format::Json(options) => AnyEncoder::Json(JsonEncoder::new(&self.fields, options)?),
            Format::Csv(options) => AnyEncoder::Csv(CsvEncoder::new(&self.fields, options)?),
            Format::Raw(options) => AnyEncoder::Raw(RawEncoder::new(&self.fields, options)?),
        })
    }
}

impl RowEncoderSpec for FormatEncoderSpec {
    fn describe(&self) -> String {
        let fields: Vec<String> = (self.fields.iter().zip(&self.columns))
            .map(|(field, column)| format!("{} {} from {column}", field.name(), sql_type(field.data_type())))
            .collect();
        format!("{} of {}", self.format.describe(), fields.join(", "))
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        let encoder = self.encoder().map_err(|error| OperatorError::Encode {
            topic: self.topic.clone(),
            detail: error.to_string(),
        })?;
        let (topic, columns) = (self.topic.clone(), self.columns.clone());
        Ok(Box::new(FormatEncoder { encoder, topic, columns }))
    }
}

/// Writes rows in a format. Made by [`FormatEncoderSpec`].
#[derive(Debug)]
pub struct FormatEncoder {
    encoder: AnyEncoder,
    topic: String,
    columns: Vec<usize>,
}

#[derive(Debug)]
enum AnyEncoder {
    Json(JsonEncoder),
    Csv(CsvEncoder),
    Raw(RawEncoder),
}

impl FormatEncoder {
    fn error(&self, detail: String) -> OperatorError {
        OperatorError::Encode { topic: self.topic.clone(), detail }
    }
}

impl RowEncoder for FormatEncoder {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        let all = batch.columns()?.columns();
        let columns: Option<Vec<&ArrayRef>> = self.columns.iter().map(|column| all.get(*column)).collect();
        let missing = OperatorError::Mismatch { expected: "the columns of the sink", found: "fewer" };
        let columns = columns.ok_or(missing)?.into_iter();
        let begun = match &mut self.encoder {
            AnyEncoder::Json(encoder) => encoder.begin(columns),
            AnyEncoder::Csv(encoder) => encoder.begin(columns),
            AnyEncoder::Raw(encoder) => encoder.begin(columns),
        };
        begun.map_err(|detail| self.error(detail))
    }

    #[inline]
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        let encoded = match &mut self.encoder {
            AnyEncoder::Json(encoder) => {
                encoder.encode(row, out);
                return Ok(());
            }
            AnyEncoder::Csv(encoder) => {
                encoder.encode(row, out);
                return Ok(());
            }
            AnyEncoder::Raw(encoder) => encoder.encode(row, out),
        };
        encoded.map_err(|detail| self.error(detail))
    }
}
