//! The formats there are, by name.

use super::options::OptionReader;
use super::{Facts, Format, FormatError, avro, changes, csv, json, protobuf, raw};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The formats. A new one is a folder, and a line here.
pub const FORMATS: &[Registered] = &[
    json::FORMAT,
    csv::FORMAT,
    raw::FORMAT,
    avro::FORMAT,
    avro::CONFLUENT,
    changes::DEBEZIUM,
    avro::DEBEZIUM_CONFLUENT,
    changes::CANAL,
    changes::MAXWELL,
    changes::OGG,
    protobuf::FORMAT,
];

/// Formats of Flink's that there are not, and what to do instead.
const OTHERS: &[(&str, &str)] = &[
    ("parquet", "it is for files; topics are of 'json', 'csv' or 'raw'"),
    ("orc", "it is for files; topics are of 'json', 'csv' or 'raw'"),
];

/// A format that there is.
#[derive(Debug)]
pub struct Registered {
    /// What it is.
    pub facts: Facts,
    pub(crate) parse: fn(&mut OptionReader<'_>) -> Result<Arc<dyn Format>, FormatError>,
}

impl Registered {
    /// The format with options whose names have lost their prefix: `fail-on-missing-field` of
    /// `'json.fail-on-missing-field'` or `'value.json.fail-on-missing-field'`.
    ///
    /// # Errors
    /// What is wrong with the first option: tell the user.
    pub fn with(&self, options: &BTreeMap<String, String>) -> Result<Arc<dyn Format>, FormatError> {
        let mut reader = OptionReader::new(self.facts.name, options);
        let parsed = (self.parse)(&mut reader);
        if !matches!(parsed, Err(FormatError::BadOption { .. })) {
            reader.finish()?;
        }
        parsed
    }

    /// The names of its options.
    pub fn options(&self) -> Vec<&'static str> {
        let none = BTreeMap::new();
        let mut reader = OptionReader::new(self.facts.name, &none);
        // Without any option each is at its default: all are read.
        let _ = (self.parse)(&mut reader);
        reader.known()
    }
}

/// The format called so.
pub fn named(name: &str) -> Option<&'static Registered> {
    FORMATS.iter().find(|format| format.facts.name == name)
}

/// `'json', 'csv' and 'raw'`: the names of the formats.
pub fn names() -> String {
    let names: Vec<String> = FORMATS.iter().map(|format| format!("'{}'", format.facts.name)).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// The format called `name`, with its options.
///
/// # Errors
/// What is wrong with the name or the first option: tell the user.
pub fn parse(name: &str, options: &BTreeMap<String, String>) -> Result<Arc<dyn Format>, FormatError> {
    let unknown = || FormatError::UnknownFormat { format: name.to_owned(), known: names() };
    named(name).ok_or_else(unknown)?.with(options)
}

/// What to do instead of a format that Flink has and that there is not.
pub fn instead_of(name: &str) -> Option<&'static str> {
    OTHERS.iter().find(|(other, _)| *other == name).map(|(_, help)| *help)
}
