//! Changes of rows as records: a row that comes is created, and one that goes is deleted.

use super::DebeziumOptions;
use crate::json::JsonEncoder;
use crate::{Encoder, FormatError};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

/// Writes rows as records that say what happened to them. See the module's head.
#[derive(Debug)]
pub struct DebeziumEncoder {
    row: JsonEncoder,
    /// By row: whether it goes (`-1`); empty where all come.
    signs: Vec<i8>,
    /// Whether the side that there is not is left out.
    only_one_side: bool,
}

impl DebeziumEncoder {
    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// As [`JsonEncoder::new`]; and [`FormatError::Conflict`] with `schema-include`.
    pub fn new(fields: &Fields, options: &DebeziumOptions) -> Result<Self, FormatError> {
        if options.schema_include {
            let message =
                "'debezium-json.schema-include' is for reading: records are written without their schema";
            return Err(FormatError::Conflict { message: message.to_owned() });
        }
        let row = JsonEncoder::new(fields, &options.rows)?;
        Ok(DebeziumEncoder { row, signs: Vec::new(), only_one_side: options.rows.ignore_null_fields })
    }
}

impl Encoder for DebeziumEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, signs: &[i8]) -> Result<(), String> {
        self.signs.clear();
        self.signs.extend_from_slice(signs);
        self.row.begin(columns, signs)
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let goes = self.signs.get(row) == Some(&-1);
        let (head, tail): (&[u8], &[u8]) = match (goes, self.only_one_side) {
            (false, false) => (br#"{"before":null,"after":"#, br#","op":"c"}"#),
            (false, true) => (br#"{"after":"#, br#","op":"c"}"#),
            (true, false) => (br#"{"before":"#, br#","after":null,"op":"d"}"#),
            (true, true) => (br#"{"before":"#, br#","op":"d"}"#),
        };
        out.extend_from_slice(head);
        self.row.encode(row, out)?;
        out.extend_from_slice(tail);
        Ok(())
    }
}
