//! Formats whose records say what happened to a row of a database, as JSON: `debezium-json`, `ogg-json`, `maxwell-json` and
//! `canal-json`.
//!
//! ```text
//! debezium-json   {"before": {..}, "after": {..}, "op": "u"}             both rows; c and r: it came, d: it went
//! ogg-json        {"before": {..}, "after": {..}, "op_type": "U"}        the same; I, D
//! maxwell-json    {"data": {..}, "old": {..}, "type": "update"}          the row, and of the one before what has changed
//! canal-json      {"data": [{..}], "old": [{..}], "type": "UPDATE"}      the same, of several rows at once
//! ```
//! What tells them apart stands in an [`Envelope`]. Everything else in a record is passed over. An update is written as a row
//! that goes and one that comes, as Flink does.

pub(crate) mod decode;
pub(crate) mod encode;
mod merged;

pub(crate) use decode::ChangesDecoder;
pub(crate) use encode::ChangesEncoder;

use super::json::{JsonDecoder, JsonOptions};
use super::options::{OptionReader, describe};
use super::{Decoder, Encoder, Facts, Format, FormatError, Registered};
use arrow::datatypes::Fields;
use regex::Regex;
use std::sync::Arc;

/// How records of a format say what happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) facts: Facts,
    /// The fields of the row before and of the row after, and that of what happened.
    pub(crate) fields: [&'static str; 3],
    pub(crate) sides: Sides,
    /// What happened: it came, it was updated, it went; and what is no matter of rows.
    pub(crate) came: &'static [&'static [u8]],
    pub(crate) updated: &'static [u8],
    pub(crate) went: &'static [u8],
    pub(crate) passed: &'static [u8],
}

/// What records have of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    /// The row before and the row after, each whole.
    Both,
    /// One row, whether it comes or goes; of the one before an update only what has changed.
    Changed,
    /// As [`Sides::Changed`], in lists.
    ChangedLists,
}

const fn facts(name: &'static str) -> Facts {
    Facts { name, names_fields: true, changes: true }
}

pub(crate) static DEBEZIUM_ENVELOPE: Envelope = Envelope {
    facts: facts("debezium-json"),
    fields: ["before", "after", "op"],
    sides: Sides::Both,
    came: &[b"c", b"r"],
    updated: b"u",
    went: b"d",
    passed: b"",
};

static OGG_ENVELOPE: Envelope = Envelope {
    facts: facts("ogg-json"),
    fields: ["before", "after", "op_type"],
    sides: Sides::Both,
    came: &[b"I"],
    updated: b"U",
    went: b"D",
    passed: b"",
};

static MAXWELL_ENVELOPE: Envelope = Envelope {
    facts: facts("maxwell-json"),
    fields: ["old", "data", "type"],
    sides: Sides::Changed,
    came: &[b"insert"],
    updated: b"update",
    went: b"delete",
    passed: b"",
};

static CANAL_ENVELOPE: Envelope = Envelope {
    facts: facts("canal-json"),
    fields: ["old", "data", "type"],
    sides: Sides::ChangedLists,
    came: &[b"INSERT"],
    updated: b"UPDATE",
    went: b"DELETE",
    passed: b"CREATE",
};

pub(crate) const DEBEZIUM: Registered = Registered {
    facts: facts("debezium-json"),
    parse: |reader| ChangesOptions::parse(&DEBEZIUM_ENVELOPE, reader),
};
pub(crate) const OGG: Registered =
    Registered { facts: facts("ogg-json"), parse: |reader| ChangesOptions::parse(&OGG_ENVELOPE, reader) };
pub(crate) const MAXWELL: Registered = Registered {
    facts: facts("maxwell-json"),
    parse: |reader| ChangesOptions::parse(&MAXWELL_ENVELOPE, reader),
};
pub(crate) const CANAL: Registered =
    Registered { facts: facts("canal-json"), parse: |reader| ChangesOptions::parse(&CANAL_ENVELOPE, reader) };

/// Options of these formats.
#[derive(Debug, Clone)]
pub(crate) struct ChangesOptions {
    pub(crate) envelope: &'static Envelope,
    /// Whether records hold their schema, and what happened in the field `payload`: of `debezium-json`.
    pub(crate) schema_include: bool,
    /// Which databases and tables are read: of `canal-json`.
    pub(crate) include: [Option<Regex>; 2],
    /// How rows are read and written. What is bad about a record is ignored by the same option.
    pub(crate) rows: JsonOptions,
}

impl ChangesOptions {
    fn parse(
        envelope: &'static Envelope,
        reader: &mut OptionReader<'_>,
    ) -> Result<Arc<dyn Format>, FormatError> {
        let schema_include = envelope == &DEBEZIUM_ENVELOPE && reader.flag("schema-include")?;
        let mut include = [None, None];
        if envelope == &CANAL_ENVELOPE {
            for (include, name) in include.iter_mut().zip(["database.include", "table.include"]) {
                let Some(text) = reader.text(name) else { continue };
                let regex = Regex::new(&format!("^(?:{text})$"));
                *include =
                    Some(regex.map_err(|_| reader.bad(name, text, "a regular expression, as in 'shop_.*'"))?);
            }
        }
        let rows = JsonOptions::of_rows(reader)?;
        Ok(Arc::new(ChangesOptions { envelope, schema_include, include, rows }))
    }
}

impl Format for ChangesOptions {
    fn facts(&self) -> &'static Facts {
        &self.envelope.facts
    }

    fn describe(&self) -> String {
        let mut pairs = self.rows.pairs();
        pairs.push(("schema-include", self.schema_include.to_string(), false.to_string()));
        let text = |regex: &Option<Regex>| regex.as_ref().map(|regex| regex.to_string()).unwrap_or_default();
        pairs.push(("database.include", text(&self.include[0]), String::new()));
        pairs.push(("table.include", text(&self.include[1]), String::new()));
        describe(self.envelope.facts.name, &pairs)
    }

    fn meaning(&self) -> String {
        let rows = JsonOptions { ignore_parse_errors: false, ..self.rows.clone() };
        ChangesOptions { rows, ..self.clone() }.describe()
    }

    fn decoder(&self, _declared: &Fields, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        let decoder = ChangesDecoder::<JsonDecoder>::of_json(needed, self);
        Ok(Box::new(decoder.map_err(|error| self.in_own_name(error))?))
    }

    fn encoder(&self, fields: &Fields) -> Result<Box<dyn Encoder>, FormatError> {
        let encoder = ChangesEncoder::new(fields, self);
        Ok(Box::new(encoder.map_err(|error| self.in_own_name(error))?))
    }
}

impl ChangesOptions {
    /// What a row can't hold as JSON, it can't hold here.
    fn in_own_name(&self, error: FormatError) -> FormatError {
        match error {
            FormatError::Unsupported { field, sql_type, .. } => {
                FormatError::Unsupported { format: self.envelope.facts.name, field, sql_type }
            }
            other => other,
        }
    }
}
