//! The format `csv`: records that are one line of fields each.
//!
//! ```text
//! 7,"a ""quoted"" text",2015-07-15 00:00:00.123,1;2;3
//! ```
//! Fields are columns by their place. `ARRAY`s and `ROW`s of plain values are one field, their parts separated by the
//! array element delimiter; `MAP`s can't be held.

pub mod decode;
pub mod encode;

pub use decode::CsvDecoder;
pub use encode::CsvEncoder;

use super::options::{OptionReader, describe};
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

/// Options of `csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold a delimiter; `None` when there is no such character.
    pub quote: Option<u8>,
    /// Whether lines that begin with `#` are passed over.
    pub allow_comments: bool,
    /// Whether a value that does not fit becomes null, and a line that can't be taken apart gives no row.
    pub ignore_parse_errors: bool,
    /// Between the parts of `ARRAY`s and `ROW`s.
    pub array_delimiter: u8,
    /// Makes the next character of a quoted field an ordinary one.
    pub escape: Option<u8>,
    /// The text that stands for null.
    pub null_literal: Option<String>,
    /// Whether decimals are always written digit by digit; else `1E+3` may come.
    pub decimal_as_plain_number: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: b',',
            quote: Some(b'"'),
            allow_comments: false,
            ignore_parse_errors: false,
            array_delimiter: b';',
            escape: None,
            null_literal: None,
            decimal_as_plain_number: false,
        }
    }
}

/// Options that are at their defaults, and what to do where another value is wanted.
const DEFAULTS_ONLY: &[(&str, &str, &str)] = &[
    ("trim-spaces", "false", "write TRIM(column) in the query"),
    ("ignore-trailing-unmappable", "false", "declare a column for each field"),
    ("allow-trailing-comma", "true", "a ',' behind the last field is passed over"),
    (
        "fail-on-missing-columns",
        "false",
        "a line with fewer fields is bad unless 'ignore-parse-errors' is 'true'",
    ),
    ("empty-string-as-null", "false", "set 'null-literal' to '', or write NULLIF(column, '') in the query"),
];

impl CsvOptions {
    fn parse(reader: &mut OptionReader<'_>) -> Result<Self, FormatError> {
        let default = Self::default();
        let quote = reader.character("quote-character")?;
        let no_quote = reader.flag("disable-quote-character")?;
        let scientific = [("true", true), ("false", false)];
        for (name, default, instead) in DEFAULTS_ONLY {
            reader.only(name, default, instead)?;
        }
        let parsed = CsvOptions {
            delimiter: reader.escaped_character("field-delimiter")?.unwrap_or(default.delimiter),
            quote: if no_quote { None } else { quote.or(default.quote) },
            allow_comments: reader.flag("allow-comments")?,
            ignore_parse_errors: reader.flag("ignore-parse-errors")?,
            array_delimiter: reader.character("array-element-delimiter")?.unwrap_or(default.array_delimiter),
            escape: reader.character("escape-character")?,
            null_literal: reader.text("null-literal").map(str::to_owned),
            decimal_as_plain_number: !reader
                .choice("write-bigdecimal-in-scientific-notation", &scientific)?,
        };
        let conflict = |message: &str| Err(FormatError::Conflict { message: message.to_owned() });
        if no_quote && quote.is_some() {
            return conflict(
                "'csv.quote-character' can't be set together with 'csv.disable-quote-character'",
            );
        }
        let special = [Some(parsed.delimiter), parsed.quote, parsed.escape];
        let twice = (1..3).any(|at| special[at].is_some() && special[..at].contains(&special[at]));
        if twice || special.contains(&Some(b'\n')) || special.contains(&Some(b'\r')) {
            return conflict(
                "'csv.field-delimiter', 'csv.quote-character' and 'csv.escape-character' must differ, and be no line \
                 breaks",
            );
        }
        Ok(parsed)
    }
}

pub(crate) const FORMAT: Registered = Registered {
    facts: Facts { name: "csv", names_fields: false, changes: false },
    parse: |reader| Ok(Arc::new(CsvOptions::parse(reader)?)),
};

impl Format for CsvOptions {
    fn facts(&self) -> &'static Facts {
        const { &FORMAT.facts }
    }

    fn describe(&self) -> String {
        let default = Self::default();
        let pair = |name, text: fn(&Self) -> String| (name, text(self), text(&default));
        let character = |byte: u8| char::from(byte).escape_default().to_string();
        let pairs = [
            ("array-element-delimiter", character(self.array_delimiter), character(default.array_delimiter)),
            pair("allow-comments", |options| options.allow_comments.to_string()),
            pair("escape-character", |options| format!("{:?}", options.escape.map(char::from))),
            ("field-delimiter", character(self.delimiter), character(default.delimiter)),
            pair("ignore-parse-errors", |options| options.ignore_parse_errors.to_string()),
            pair("null-literal", |options| format!("{:?}", options.null_literal)),
            pair("quote-character", |options| format!("{:?}", options.quote.map(char::from))),
            pair("write-bigdecimal-in-scientific-notation", |options| {
                (!options.decimal_as_plain_number).to_string()
            }),
        ];
        describe("csv", &pairs)
    }

    fn meaning(&self) -> String {
        CsvOptions { ignore_parse_errors: false, ..self.clone() }.describe()
    }

    fn decoder(&self, declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(Box::new(CsvDecoder::new(declared, needed, self)?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        Ok(Box::new(CsvEncoder::new(fields, self)?))
    }
}

/// Refuses fields that a line can't hold.
fn check_field(field: &Field) -> Result<(), FormatError> {
    let plain = |data_type: &DataType| {
        crate::columns::ColumnBuilder::new(data_type).is_ok() && !data_type.is_nested()
    };
    let fits = match field.data_type() {
        DataType::Struct(fields) => fields.iter().all(|field| plain(field.data_type())),
        DataType::List(item) => plain(item.data_type()),
        other => plain(other),
    };
    if fits { Ok(()) } else { Err(FormatError::unsupported("csv", field)) }
}
