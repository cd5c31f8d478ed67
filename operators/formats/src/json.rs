//! The format `json`: records that are JSON objects.
//!
//! [`JsonDecoder`] reads them, [`JsonEncoder`] writes them, both as Flink's `json` format does; where they differ on
//! purpose, [`decode`] and [`encode`] say so.

pub mod decode;
pub mod encode;
mod keys;
mod scan;
mod strings;
mod syntax;

pub use decode::JsonDecoder;
pub use encode::JsonEncoder;

use super::datetime::TimestampStandard;
use super::options::{OptionReader, describe};
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::datatypes::Fields;
use std::sync::Arc;

/// Options of `json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JsonOptions {
    /// Whether a field that is missing makes a record bad; else it is null.
    pub fail_on_missing_field: bool,
    /// Whether a value that does not fit becomes null, and a record that is not JSON gives no row.
    pub ignore_parse_errors: bool,
    /// How timestamps are written.
    pub timestamps: TimestampStandard,
    /// Whether decimals are always written digit by digit; else `1E+3` and `2.7E-8` may come.
    pub decimal_as_plain_number: bool,
    /// Whether null fields are left out.
    pub ignore_null_fields: bool,
}

impl JsonOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        // Nothing to decide: there is one reader where Flink has two.
        reader.flag("decode.json-parser.enabled")?;
        let fail_on_missing_field = reader.flag("fail-on-missing-field")?;
        let parsed = JsonOptions { fail_on_missing_field, ..JsonOptions::of_rows(reader)? };
        if parsed.fail_on_missing_field && parsed.ignore_parse_errors {
            return Err(FormatError::Conflict {
                message: "'json.fail-on-missing-field' and 'json.ignore-parse-errors' can't both be 'true'"
                    .to_owned(),
            });
        }
        Ok(parsed)
    }

    /// The options that every format has whose rows are JSON objects.
    pub(crate) fn of_rows(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        use TimestampStandard as T;
        let standards =
            [("SQL", T::Sql), ("ISO-8601", T::Iso8601), ("ISO-8601-WITH-OFFSET", T::Iso8601WithOffset)];
        // Nothing to decide: Arrow's maps have no null keys.
        reader.text("map-null-key.literal");
        reader.choice("map-null-key.mode", &[("FAIL", ()), ("DROP", ()), ("LITERAL", ())])?;
        Ok(JsonOptions {
            fail_on_missing_field: false,
            ignore_parse_errors: reader.flag("ignore-parse-errors")?,
            timestamps: reader.choice("timestamp-format.standard", &standards)?,
            decimal_as_plain_number: reader.flag("encode.decimal-as-plain-number")?,
            ignore_null_fields: reader.flag("encode.ignore-null-fields")?,
        })
    }

    /// The options with their values, and with what they are by default.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String, String)> {
        let default = Self::default();
        let pair = |name, text: fn(&Self) -> String| (name, text(self), text(&default));
        vec![
            pair("encode.decimal-as-plain-number", |options| options.decimal_as_plain_number.to_string()),
            pair("encode.ignore-null-fields", |options| options.ignore_null_fields.to_string()),
            pair("fail-on-missing-field", |options| options.fail_on_missing_field.to_string()),
            pair("ignore-parse-errors", |options| options.ignore_parse_errors.to_string()),
            pair("timestamp-format.standard", |options| format!("{:?}", options.timestamps)),
        ]
    }
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "json", names_fields: true, changes: false },
    parse: |reader| Ok(Arc::new(JsonOptions::parse(reader)?)),
};

impl Format for JsonOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        describe("json", &self.pairs())
    }

    fn meaning(&self) -> String {
        JsonOptions { ignore_parse_errors: false, ..self.clone() }.describe()
    }

    fn decoder(&self, _declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(Box::new(JsonDecoder::new(needed, self)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        Ok(Box::new(JsonEncoder::new(fields, self)?))
    }
}
