//! Keys and values of sinks in a format.

use super::{RowEncoder, RowEncoderSpec};
use crate::OperatorError;
use crate::batch::Batch;
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use millstream_formats::{Encoder, Format, FormatError, Lookup, sql_type};
use std::sync::Arc;

/// Writes some columns of a stream in a format: the keys or the values of a sink.
#[derive(Debug, Clone)]
pub struct FormatEncoderSpec {
    format: Arc<dyn Format>,
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
        format: Arc<dyn Format>,
        topic: impl Into<String>,
        columns: Vec<usize>,
        fields: Fields,
    ) -> Result<Self, FormatError> {
        let spec = FormatEncoderSpec { format, topic: topic.into(), fields, columns };
        spec.format.encoder(&spec.fields)?;
        Ok(spec)
    }
}

impl RowEncoderSpec for FormatEncoderSpec {
    fn describe(&self) -> String {
        let fields: Vec<String> = (self.fields.iter().zip(&self.columns))
            .map(|(field, column)| format!("{} {} from {column}", field.name(), sql_type(field.data_type())))
            .collect();
        format!("{} of {}", self.format.describe(), fields.join(", "))
    }

    fn writes_changes(&self) -> bool {
        self.format.facts().changes
    }

    fn before_writing(&self) -> Option<Lookup> {
        self.format.before_writing(&self.fields)
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        let encoder = self.format.encoder(&self.fields).map_err(|error| OperatorError::Encode {
            topic: self.topic.clone(),
            detail: error.to_string(),
        })?;
        let (topic, columns) = (self.topic.clone(), self.columns.clone());
        Ok(Box::new(FormatRowEncoder { encoder, topic, columns }))
    }
}

/// Writes rows in a format. Made by [`FormatEncoderSpec`].
#[derive(Debug)]
struct FormatRowEncoder {
    encoder: Box<dyn Encoder>,
    topic: String,
    columns: Vec<usize>,
}

impl FormatRowEncoder {
    fn error(&self, detail: String) -> OperatorError {
        OperatorError::Encode { topic: self.topic.clone(), detail }
    }
}

impl RowEncoder for FormatRowEncoder {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        let all = batch.columns()?.columns();
        let columns: Option<Vec<&ArrayRef>> = self.columns.iter().map(|column| all.get(*column)).collect();
        let missing = OperatorError::Mismatch { expected: "the columns of the sink", found: "fewer" };
        let mut columns = columns.ok_or(missing)?.into_iter();
        let signs = batch.ops.signs().unwrap_or_default();
        self.encoder.begin(&mut columns, signs).map_err(|detail| self.error(detail))
    }

    #[inline]
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        self.encoder.encode(row, out).map_err(|detail| self.error(detail))
    }
}
