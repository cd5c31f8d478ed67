//! The format `debezium-avro-confluent`: what happened to rows, in records whose schemas are in a registry.

use super::confluent::{ConfluentOptions, Head};
use super::decode::AvroDecoder;
use super::write::{FieldWrite, compile_fields, write_change};
use super::{conflict, views};
use crate::changes::decode::record_fields;
use crate::changes::{ChangesDecoder, DEBEZIUM_ENVELOPE};
use crate::view::View;
use crate::{Decoder, Encoder, Facts, Format, FormatError, Lookup, Registered};
use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use std::sync::Arc;

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "debezium-avro-confluent", names_fields: true, changes: true },
    parse: |reader| Ok(Arc::new(DebeziumConfluent(ConfluentOptions::parse(reader)?))),
};

/// The options are those of `avro-confluent`; a schema is that of the whole record.
#[derive(Debug, Clone)]
struct DebeziumConfluent(ConfluentOptions);

impl DebeziumConfluent {
    fn own_schema(&self, fields: &Fields) -> Result<super::confluent::OwnSchema, FormatError> {
        // Flink's record may be null itself, as those of Kafka Connect.
        self.0.own_schema(FORMAT.facts.name, &loose(fields), true)
    }
}

/// The fields of a record: of each row that it has of the table's.
fn loose(fields: &Fields) -> Fields {
    record_fields(fields, &DEBEZIUM_ENVELOPE)
}

impl Format for DebeziumConfluent {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        self.0.describe_as(FORMAT.facts.name)
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        let (_, reader) = self.own_schema(declared)?;
        let schemas = Arc::clone(&self.0.schemas);
        let records = AvroDecoder::of_schemas(schemas, reader, &loose(declared), &loose(needed))?;
        Ok(Box::new(ChangesDecoder::new(records, &DEBEZIUM_ENVELOPE, needed)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        let own = self.own_schema(fields)?;
        let writes = compile_fields(&own.1, &own.1.root, &loose(fields)).map_err(conflict)?;
        let head = Head::new(&self.0, own)?;
        Ok(Box::new(ChangesEncoder { head, fields: writes, columns: Vec::new(), signs: Vec::new() }))
    }

    fn lacks(&self, payloads: &mut dyn Iterator<Item = &[u8]>) -> Option<Lookup> {
        self.0.missing(payloads)
    }

    fn looks_up(&self) -> bool {
        true
    }

    fn before_writing(&self, fields: &Fields) -> Option<Lookup> {
        let (text, _) = self.own_schema(fields).ok()?;
        self.0.number(text)
    }
}

/// Writes rows as records that say what happened to them.
#[derive(Debug)]
struct ChangesEncoder {
    head: Head,
    fields: Vec<FieldWrite>,
    columns: Vec<View>,
    signs: Vec<i8>,
}

impl Encoder for ChangesEncoder {
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, signs: &[i8]) -> Result<(), String> {
        self.head.begin()?;
        self.columns = views(columns)?;
        self.signs = signs.to_vec();
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.head.push(out);
        let goes = self.signs.get(row) == Some(&-1);
        write_change(&self.fields, &self.columns, row, goes, out)
    }
}
