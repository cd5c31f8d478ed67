//! The format `debezium-json`: records that say what happened to a row of a database.
//!
//! ```text
//! {"before": null,      "after": {"id": 7, ..}, "op": "c", ..}    a row came (c), or was there at the beginning (r)
//! {"before": {..},      "after": {"id": 7, ..}, "op": "u", ..}    it was updated: the old row, then the new one
//! {"before": {"id": 7}, "after": null,          "op": "d", ..}    it went
//! ```
//! With `schema-include` that stands in the field `payload`. Everything else in a record is passed over. An update is
//! written as a row that goes and one that comes, as Flink does.

pub mod decode;
pub mod encode;

pub use decode::DebeziumDecoder;
pub use encode::DebeziumEncoder;

use super::json::JsonOptions;
use super::options::{OptionReader, describe};
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::datatypes::Fields;
use std::sync::Arc;

/// Options of `debezium-json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DebeziumOptions {
    /// Whether records hold their schema, and what happened in the field `payload`.
    pub schema_include: bool,
    /// How rows are read and written. What is bad about a record is ignored by the same option.
    pub rows: JsonOptions,
}

impl DebeziumOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        let schema_include = reader.flag("schema-include")?;
        Ok(DebeziumOptions { schema_include, rows: JsonOptions::of_rows(reader)? })
    }
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "debezium-json", names_fields: true, changes: true },
    parse: |reader| Ok(Arc::new(DebeziumOptions::parse(reader)?)),
};

impl Format for DebeziumOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        let mut pairs = self.rows.pairs();
        pairs.push(("schema-include", self.schema_include.to_string(), false.to_string()));
        describe("debezium-json", &pairs)
    }

    fn meaning(&self) -> String {
        let rows = JsonOptions { ignore_parse_errors: false, ..self.rows.clone() };
        DebeziumOptions { rows, ..self.clone() }.describe()
    }

    fn decoder(&self, _declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(Box::new(DebeziumDecoder::new(needed, self).map_err(in_own_name)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        Ok(Box::new(DebeziumEncoder::new(fields, self).map_err(in_own_name)?))
    }
}

/// What a row can't hold as JSON, it can't hold here.
fn in_own_name(error: FormatError) -> FormatError {
    match error {
        FormatError::Unsupported { field, sql_type, .. } => {
            FormatError::Unsupported { format: FORMAT.facts.name, field, sql_type }
        }
        other => other,
    }
}
