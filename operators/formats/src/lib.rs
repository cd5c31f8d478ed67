//! Formats: records as columns, and rows as records.
//!
//! A [`Format`] is what a table declares with `'format' = '..'` and the options of that format. It makes
//! [`Decoder`]s, which append the rows of payloads straight to the [`columns`] that the plan needs, and [`Encoder`]s, which
//! write rows one behind the other into one buffer. Behaviour and option names are those of Flink's formats. A format is a
//! folder here and a line in [`FORMATS`]: nothing else names it. This crate knows payloads, columns and fields: neither topics nor batches nor operators.
//!
//! ```
//! use arrow::datatypes::{DataType, Field, Fields};
//! use millstream_formats::{Outcome, parse};
//! let format = parse("json", &[("ignore-parse-errors".to_owned(), "true".to_owned())].into()).unwrap();
//! let fields = Fields::from(vec![Field::new("price", DataType::Int64, true)]);
//! let mut decoder = format.decoder(&fields, &fields).unwrap();
//! assert_eq!(decoder.decode(Some(br#"{"price": 12, "note": "not needed"}"#)), Ok(Outcome::Row));
//! assert_eq!(decoder.decode(Some(b"{\"price\"")), Ok(Outcome::Nothing));
//! assert_eq!(decoder.finish()[0].len(), 1);
//! ```

pub mod avro;
mod changes;
pub mod columns;
pub mod csv;
mod datetime;
mod decoder;
mod encoder;
pub mod generated;
pub mod json;
mod numbers;
mod options;
pub mod partition_path;
mod print;
pub mod protobuf;
pub mod raw;
mod registry;
mod text;
mod types;
mod view;
mod write;

pub use avro::schemas::{Lookup, LookupError};
pub use datetime::TimestampStandard;
pub use decoder::{Absent, Decoder, PayloadDecoder, Run};
pub use encoder::Encoder;
pub use json::JsonOptions;
pub use print::PrintEncoder;
pub use registry::{FORMATS, Registered, instead_of, named, names, parse};
pub use types::sql_type;

use arrow::datatypes::{Field, Fields};
use std::fmt::Debug;

/// A format with its options.
pub trait Format: Debug + Send + Sync {
    /// What it is, whatever its options.
    fn facts(&self) -> &'static Facts;

    /// Its name with the options that are not at their defaults.
    fn describe(&self) -> String;

    /// As [`Format::describe`], without what is done about payloads that can't be read: that changes nothing about what was
    /// read. State is found again by it.
    fn meaning(&self) -> String {
        self.describe()
    }

    /// A decoder for payloads that hold the `declared` fields, of which the `needed` ones become columns, in their
    /// order. Where fields are named, a `ROW` that is needed may have fewer fields than declared.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] and [`FormatError::Conflict`] for fields that the format can't hold.
    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError>;

    /// An encoder for rows of these fields.
    ///
    /// # Errors
    /// As [`Format::decoder`].
    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError>;

    /// Whether its records need anything from elsewhere: schemas of a registry.
    fn looks_up(&self) -> bool {
        false
    }

    /// What has to be got before these payloads can be decoded, and has not been yet. Asked again once that is there, it
    /// names the next.
    fn lacks(&self, _payloads: &mut dyn Iterator<Item = &[u8]>) -> Option<Lookup> {
        None
    }

    /// What has to be got before rows of these fields can be encoded.
    fn before_writing(&self, _fields: &Fields) -> Option<Lookup> {
        None
    }
}

/// What is known of a format without its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its name in Flink.
    pub name: &'static str,
    /// Whether payloads name their fields; else a field is known by its place among all that are declared.
    pub names_fields: bool,
    /// Whether a payload says what happened to a row, and not what it is. It holds no key, and no row of a table whose keys
    /// say what happens.
    pub changes: bool,
}

/// What became of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A row.
    Row,
    /// Nothing: it was empty, or it was bad and the table's options say to ignore that.
    Nothing,
    /// A row that is taken back.
    Deletion,
    /// Two rows: one that is taken back, and the one in its place.
    Update,
    /// Any number of rows, some of which may be taken back: [`PayloadDecoder::signs`] says which.
    Several,
}

/// A payload that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPayload {
    /// Path of the field, if one is to blame.
    pub field: Option<String>,
    /// What is wrong, with some of the payload.
    pub detail: String,
}

/// Why a format can't be used for a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A format there is not.
    #[error("there is no format '{format}'; there are {known}")]
    UnknownFormat {
        /// The format.
        format: String,
        /// The formats there are.
        known: String,
    },
    /// An option the format does not have.
    #[error("format '{format}' has no option '{option}'; it has {known}")]
    UnknownOption {
        /// The format.
        format: &'static str,
        /// The option, without the format's prefix.
        option: String,
        /// The options there are.
        known: String,
    },
    /// An option that has to be there.
    #[error("option '{option}' is missing: {what}")]
    MissingOption {
        /// The option, with the format's prefix.
        option: String,
        /// What it says.
        what: &'static str,
    },
    /// A value that an option can't have.
    #[error("'{option}' = '{value}': expected {expected}")]
    BadOption {
        /// The option, with the format's prefix.
        option: String,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// Options or columns that do not go together.
    #[error("{message}")]
    Conflict {
        /// What is wrong, and what to do.
        message: String,
    },
    /// A column of a type that the format can't hold.
    #[error("format '{format}' can't hold field \"{field}\" of type {sql_type}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// The field.
        field: String,
        /// Its type.
        sql_type: String,
    },
}

impl FormatError {
    pub(crate) fn unsupported(format: &'static str, field: &Field) -> Self {
        FormatError::Unsupported {
            format,
            field: field.name().clone(),
            sql_type: sql_type(field.data_type()),
        }
    }
}

/// The beginning of a text, for a message.
pub fn shortened(text: &[u8], bytes_max: usize) -> String {
    let tail = if text.len() > bytes_max { "..." } else { "" };
    format!("{}{tail}", String::from_utf8_lossy(&text[..text.len().min(bytes_max)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn parse(name: &str, options: &[(&str, &str)]) -> Result<Arc<dyn Format>, String> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        super::parse(name, &options).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_by_their_names_in_flink() {
        let json = parse(
            "json",
            &[
                ("fail-on-missing-field", "true"),
                ("timestamp-format.standard", "ISO-8601"),
                ("map-null-key.mode", "LITERAL"),
                ("map-null-key.literal", "none"),
                ("encode.decimal-as-plain-number", "TRUE"),
                ("encode.ignore-null-fields", "false"),
                ("decode.json-parser.enabled", "true"),
            ],
        );
        assert_eq!(
            json.unwrap().describe(),
            "json(encode.decimal-as-plain-number=true, fail-on-missing-field=true, \
             timestamp-format.standard=Iso8601)"
        );
        let csv = parse(
            "csv",
            &[("field-delimiter", "\\t"), ("disable-quote-character", "true"), ("null-literal", "n/a")],
        );
        assert_eq!(
            csv.unwrap().describe(),
            "csv(field-delimiter=\\t, null-literal=Some(\"n/a\"), quote-character=None)"
        );
        assert_eq!(
            parse("raw", &[("endianness", "little-endian")]).unwrap().describe(),
            "raw(endianness=little-endian)"
        );
        for name in ["json", "csv", "raw"] {
            assert_eq!(parse(name, &[]).unwrap().describe(), name);
        }
    }

    #[test]
    fn options_that_mean_nothing_are_refused_with_what_there_is() {
        for (name, options, message) in [
            (
                "orc",
                &[][..],
                "there is no format 'orc'; there are 'json', 'csv', 'raw', 'avro', 'avro-confluent', 'debezium-json', \
                 'debezium-avro-confluent', 'canal-json', 'maxwell-json', 'ogg-json' and 'protobuf'",
            ),
            (
                "raw",
                &[("endianess", "x")],
                "format 'raw' has no option 'endianess'; it has charset, endianness",
            ),
            ("raw", &[("charset", "UTF-16")], "'raw.charset' = 'UTF-16': expected 'UTF-8' or 'UTF8'"),
            (
                "json",
                &[("ignore-parse-errors", "yes")],
                "'json.ignore-parse-errors' = 'yes': expected 'false' or 'true'",
            ),
            (
                "json",
                &[("ignore-parse-errors", "true"), ("fail-on-missing-field", "true")],
                "'json.fail-on-missing-field' and 'json.ignore-parse-errors' can't both be 'true'",
            ),
            (
                "csv",
                &[("quote-character", "''")],
                "'csv.quote-character' = '''': expected one ASCII character",
            ),
            (
                "csv",
                &[("quote-character", "'"), ("disable-quote-character", "true")],
                "'csv.quote-character' can't be set together with 'csv.disable-quote-character'",
            ),
            (
                "csv",
                &[("field-delimiter", "\"")],
                "'csv.field-delimiter', 'csv.quote-character' and 'csv.escape-character' must differ, and be no line \
                 breaks",
            ),
        ] {
            assert_eq!(parse(name, options).unwrap_err(), message);
        }
    }
}
