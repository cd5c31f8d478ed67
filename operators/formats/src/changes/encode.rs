//! Changes of rows as records: a row that comes is created, and one that goes is deleted.

use super::{ChangesOptions, Sides};
use crate::json::JsonEncoder;
use crate::{Encoder, FormatError};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;

/// Writes rows as records that say what happened to them. See the module's head.
#[derive(Debug)]
pub(crate) struct ChangesEncoder {
    row: JsonEncoder,
    /// By row: whether it goes (`-1`); empty where all come.
    signs: Vec<i8>,
    /// What stands in front of a row and behind it: of one that comes, and of one that goes.
    around: [[String; 2]; 2],
}

impl ChangesEncoder {
    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// As [`JsonEncoder::new`]; and [`FormatError::Conflict`] with `schema-include`.
    pub(crate) fn new(fields: &Fields, options: &ChangesOptions) -> Result<Self, FormatError> {
        if options.schema_include {
            let message =
                "'debezium-json.schema-include' is for reading: records are written without their schema";
            return Err(FormatError::Conflict { message: message.to_owned() });
        }
        let row = JsonEncoder::new(fields, &options.rows)?;
        Ok(ChangesEncoder { row, signs: Vec::new(), around: [around(options, false), around(options, true)] })
    }
}

fn around(options: &ChangesOptions, goes: bool) -> [String; 2] {
    let envelope = options.envelope;
    let ([before, after, op], only_one_side) = (envelope.fields, options.rows.ignore_null_fields);
    let what = if goes { envelope.went } else { envelope.came[0] };
    let what = String::from_utf8_lossy(what);
    match (envelope.sides, goes, only_one_side) {
        (Sides::Both, false, false) => {
            [format!("{{\"{before}\":null,\"{after}\":"), format!(",\"{op}\":\"{what}\"}}")]
        }
        (Sides::Both, true, false) => {
            [format!("{{\"{before}\":"), format!(",\"{after}\":null,\"{op}\":\"{what}\"}}")]
        }
        (Sides::Both, false, true) => [format!("{{\"{after}\":"), format!(",\"{op}\":\"{what}\"}}")],
        (Sides::Both, true, true) => [format!("{{\"{before}\":"), format!(",\"{op}\":\"{what}\"}}")],
        (Sides::Changed, ..) => [format!("{{\"{after}\":"), format!(",\"{op}\":\"{what}\"}}")],
        (Sides::ChangedLists, ..) => [format!("{{\"{after}\":["), format!("],\"{op}\":\"{what}\"}}")],
    }
}

impl Encoder for ChangesEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, signs: &[i8]) -> Result<(), String> {
        self.signs.clear();
        self.signs.extend_from_slice(signs);
        self.row.begin(columns, signs)
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let goes = self.signs.get(row) == Some(&-1);
        let [head, tail] = &self.around[usize::from(goes)];
        out.extend_from_slice(head.as_bytes());
        self.row.encode(row, out)?;
        out.extend_from_slice(tail.as_bytes());
        Ok(())
    }
}
