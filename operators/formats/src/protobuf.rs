//! The format `protobuf`: records that are messages of Protocol Buffers.
//!
//! Flink knows a message by a class that was generated for it; here it is known by a descriptor set, which `protoc
//! --include_imports --descriptor_set_out=FILE` writes, and its name in there. Columns are fields of the message by their names;
//! fields that no column has are passed over. Records are read from their bytes straight into columns.

mod decode;
mod descriptor;
mod encode;
mod plan;
mod wire;

pub use decode::ProtobufDecoder;

use super::options::{OptionReader, describe};
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::datatypes::Fields;
use descriptor::Pool;
use std::fmt;
use std::sync::Arc;

/// Bytes of a descriptor set, at most.
const DESCRIPTOR_BYTES_MAX: u64 = 16 << 20;

/// Options of `protobuf`.
#[derive(Clone)]
pub struct ProtobufOptions {
    pool: Arc<Pool>,
    /// Which of its messages records are.
    message: usize,
    /// Whether a record that can't be read gives no row.
    ignore_parse_errors: bool,
    /// Whether a field that is not there has its default; else it is null. Fields that can't be told from their defaults
    /// always have them.
    read_default_values: bool,
    /// What is written for a null within an `ARRAY` or a `MAP` of texts.
    null_literal: String,
}

impl fmt::Debug for ProtobufOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl ProtobufOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        let (file, name) = (reader.text("descriptor-file"), reader.text("message-name"));
        let class = reader.text("message-class-name");
        let ignore_parse_errors = reader.flag("ignore-parse-errors")?;
        let read_default_values = reader.flag("read-default-values")?;
        let null_literal = reader.text("write-null-string-literal").unwrap_or_default().to_owned();
        if class.is_some() {
            let message = "'protobuf.message-class-name' can't be set: there are no Java classes here; set \
                           'protobuf.descriptor-file' to what protoc --include_imports --descriptor_set_out has written, \
                           and 'protobuf.message-name' to the message's name in it";
            return Err(FormatError::Conflict { message: message.to_owned() });
        }
        let file =
            file.ok_or_else(|| reader.missing("descriptor-file", "a descriptor set, as protoc writes it"))?;
        let name =
            name.ok_or_else(|| reader.missing("message-name", "the name of a message, as in 'shop.Order'"))?;
        let no_set =
            |why: String| reader.bad("descriptor-file", file, format!("a descriptor set of protoc: {why}"));
        let bytes = read(file).map_err(&no_set)?;
        let pool = Pool::parse(&bytes).map_err(&no_set)?;
        let Some(message) = pool.message(name) else {
            let known = pool.names().join(", ");
            return Err(reader.bad(
                "message-name",
                name,
                format!("a message of the descriptor set, which has {known}"),
            ));
        };
        let pool = Arc::new(pool);
        Ok(ProtobufOptions { pool, message, ignore_parse_errors, read_default_values, null_literal })
    }

    /// A format by the bytes of a descriptor set and the name of a message.
    ///
    /// # Errors
    /// A sentence that says what is wrong with them.
    pub fn of_descriptors(bytes: &[u8], message: &str) -> Result<Self, String> {
        let pool = Pool::parse(bytes)?;
        let found = pool.message(message).ok_or_else(|| format!("there is no message {message}"))?;
        Ok(ProtobufOptions {
            pool: Arc::new(pool),
            message: found,
            ignore_parse_errors: false,
            read_default_values: false,
            null_literal: String::new(),
        })
    }

    /// The same with defaults for fields that are not there.
    pub fn with_default_values(self) -> Self {
        ProtobufOptions { read_default_values: true, ..self }
    }
}

/// The bytes of a file that is not too large.
fn read(path: &str) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > DESCRIPTOR_BYTES_MAX {
        return Err(format!("it has {size} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "protobuf", names_fields: true, changes: false },
    parse: |reader| Ok(Arc::new(ProtobufOptions::parse(reader)?)),
};

impl Format for ProtobufOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        let (name, no) = (self.pool.messages[self.message].name.clone(), || "false".to_owned());
        let pairs = [
            ("message-name", name, String::new()),
            ("ignore-parse-errors", self.ignore_parse_errors.to_string(), no()),
            ("read-default-values", self.read_default_values.to_string(), no()),
            ("write-null-string-literal", self.null_literal.clone(), String::new()),
        ];
        describe(FORMAT.facts.name, &pairs)
    }

    fn meaning(&self) -> String {
        ProtobufOptions { ignore_parse_errors: false, ..self.clone() }.describe()
    }

    fn decoder(&self, _declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        let plan = plan::compile(&self.pool, self.message, needed, self.read_default_values);
        let plan = plan.map_err(|message| FormatError::Conflict { message })?;
        Ok(Box::new(ProtobufDecoder::new(needed, plan, self.ignore_parse_errors)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        let encoder = encode::ProtobufEncoder::new(&self.pool, self.message, fields, &self.null_literal);
        Ok(Box::new(encoder.map_err(|message| FormatError::Conflict { message })?))
    }
}
