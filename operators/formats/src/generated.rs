//! Rows that are made and not read: the payload is a row's number, and the row a function of that.
//!
//! What makes them is somebody else's, a [`Generator`]; the same number at the same reading of the clock gives the same row,
//! so that a job that read a row once reads the same one again after a crash.

use super::{BadPayload, Decoder, Encoder, Facts, Format, FormatError, Outcome, PayloadDecoder};
use crate::columns::ColumnBuilder;
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use std::fmt::Debug;
use std::sync::Arc;

/// Makes the rows of a table.
pub trait Generator: Debug + Send + Sync {
    /// What it is, in one line.
    fn describe(&self) -> String;

    /// What makes rows of these fields, of which a `ROW` may have fewer than declared.
    ///
    /// # Errors
    /// [`FormatError`] for a field that it can't make.
    fn maker(&self, needed: &Fields) -> Result<Box<dyn RowMaker>, FormatError>;
}

/// Makes rows, one by one.
pub trait RowMaker: Debug + Send {
    /// Appends one value to each column: those of the row `number`, made at `now_ms`.
    fn append(&mut self, columns: &mut [ColumnBuilder], number: u64, now_ms: i64);
}

/// A generator in the place of a format.
#[derive(Debug, Clone)]
pub struct Generated(pub Arc<dyn Generator>);

/// What is known of it; no table names it by its format.
const FACTS: Facts = Facts { name: "generated", names_fields: true, changes: false };

impl Format for Generated {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn decoder(&self, _declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(Box::new(GeneratedDecoder::new(needed, self)?))
    }

    fn encoder(&self, _fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        Err(FormatError::Conflict { message: "rows that are made can only be read".to_owned() })
    }
}

/// Makes rows of numbers.
#[derive(Debug)]
pub struct GeneratedDecoder {
    columns: Vec<ColumnBuilder>,
    maker: Box<dyn RowMaker>,
    now_ms: i64,
}

impl GeneratedDecoder {
    /// A decoder for these fields.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] for a type of which no column can be built; what the generator can't make.
    pub fn new(needed: &Fields, generator: &Generated) -> Result<Self, FormatError> {
        let column = |field: &Arc<arrow::datatypes::Field>| {
            ColumnBuilder::new(field.data_type()).map_err(|_| FormatError::unsupported("generated", field))
        };
        let columns = needed.iter().map(column).collect::<Result<_, _>>()?;
        Ok(GeneratedDecoder { columns, maker: generator.0.maker(needed)?, now_ms: 0 })
    }
}

impl PayloadDecoder for GeneratedDecoder {
    fn begin(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        let Some(payload) = payload else { return Ok(Outcome::Nothing) };
        let Ok(number) = payload.try_into().map(u64::from_be_bytes) else {
            return Err(BadPayload { field: None, detail: "this is no number of a row".to_owned() });
        };
        self.maker.append(&mut self.columns, number, self.now_ms);
        Ok(Outcome::Row)
    }

    fn append_null_row(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_null);
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.columns.iter_mut().map(ColumnBuilder::finish).collect()
    }
}
