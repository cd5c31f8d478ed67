//! The formats `avro` and `avro-confluent`: records of Avro, in the schema of the table or in one of a registry.
//!
//! ```text
//! avro             the record, written in the schema of the table
//! avro-confluent   0, the number of the writer's schema in four bytes, the record
//! ```
//! The schema of a table is the one that Flink derives ([`derive`]). A schema is compiled once against the columns that are
//! needed (`resolve`), and records are then read from their bytes straight into columns (`read`). Where the numbers of
//! schemas are looked up is [`schemas`]: nothing here does it, whoever runs the job does.
//!
//! Unlike in Flink a record with bytes left behind it is bad, since it was written in another schema; so are numbers out of
//! the range of their columns.

mod changes;
mod confluent;
mod decode;
mod default;
mod derive;
mod numbers;
mod read;
mod resolve;
mod schema;
pub mod schemas;
mod write;

pub use confluent::ConfluentOptions;
pub use decode::AvroDecoder;

pub(crate) use changes::FORMAT as DEBEZIUM_CONFLUENT;
pub(crate) use confluent::FORMAT as CONFLUENT;
pub(crate) use decode::hex;

use super::options::{OptionReader, describe};
use super::view::View;
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use std::sync::Arc;
use write::FieldWrite;

/// Options of `avro`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvroOptions {
    /// Whether a `TIMESTAMP` is an instant of milliseconds, as Flink has it unless told otherwise.
    pub legacy_timestamps: bool,
}

impl AvroOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        let binary = reader.choice("encoding", &[("binary", true), ("json", false)])?;
        let legacy_timestamps =
            reader.choice("timestamp_mapping.legacy", &[("true", true), ("false", false)])?;
        if !binary {
            return Err(FormatError::Conflict {
                message: "'avro.encoding' = 'json' is not supported yet; write the records as 'binary', or as format 'json'"
                    .to_owned(),
            });
        }
        Ok(AvroOptions { legacy_timestamps })
    }
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "avro", names_fields: false, changes: false },
    parse: |reader| Ok(Arc::new(AvroOptions::parse(reader)?)),
};

impl Format for AvroOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        describe(
            "avro",
            &[("timestamp_mapping.legacy", self.legacy_timestamps.to_string(), true.to_string())],
        )
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        let schema = Arc::new(derive::derive(FORMAT.facts.name, declared, self.legacy_timestamps, false)?);
        Ok(Box::new(AvroDecoder::of_schema(&schema, declared, needed)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        let schema = derive::derive(FORMAT.facts.name, fields, self.legacy_timestamps, false)?;
        let fields = write::compile_fields(&schema, &schema.root, fields).map_err(conflict)?;
        Ok(Box::new(AvroEncoder { fields, columns: Vec::new() }))
    }
}

fn conflict(message: String) -> FormatError {
    FormatError::Conflict { message }
}

/// Writes rows as records.
#[derive(Debug)]
struct AvroEncoder {
    fields: Vec<FieldWrite>,
    columns: Vec<View>,
}

impl Encoder for AvroEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, _signs: &[i8]) -> Result<(), String> {
        self.columns = views(columns)?;
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        write::write_row(&self.fields, &self.columns, row, out)
    }
}

fn views(columns: &mut dyn Iterator<Item = &ArrayRef>) -> Result<Vec<View>, String> {
    let views = columns.map(View::of).collect::<Result<_, _>>();
    views.map_err(|data_type| format!("a column of type {data_type} can't be written as Avro"))
}
