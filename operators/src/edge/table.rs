//! Tables of SQL: records of a topic as rows.
//!
//! A [`TableDecoderSpec`] says what every column of a table is made of; per task its decoder turns a run of records
//! into one batch.
//!
//! ```text
//!   record value --format--> | a | b |
//!   record key   --format--> | k |         value and key columns, decoded straight into columns
//!   place, offset, ..  ----> | offset |    metadata columns
//!   all of these  ---------> | a + 1 |     computed columns, each over the columns before it
//!                            then the columns of the output are picked, and the event times taken from one
//! ```
//! A table of insertions has a row for every record with a value. In an upsert table the key names the row: a record
//! with a value inserts or replaces it, one without deletes it, and then only the key columns and the metadata mean
//! anything. In a table of changes the format says of a record which rows it inserts and takes back.
//!
//! A record is bad when its key or value can't be decoded, when a column that is declared NOT NULL would be null, when
//! a computed column can't be computed for it, and when its event time is null.

mod decode;
mod layout;
mod metadata;

pub use layout::{KeyOptions, Layout, Part, ValueFields};
pub use metadata::Metadata;

use crate::OperatorError;
use crate::batch::StreamKind;
use crate::expression::Expression;
use crate::formats::{self, FormatError, Lookup, sql_type};
use crate::meaning::{Columns, SourceMeaning};
use crate::records::Records;
use crate::source::{Decoder, DecoderSpec};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use decode::TableDecoder;
use std::sync::Arc;

/// A column of a table.
#[derive(Debug, Clone)]
pub struct TableColumn {
    /// Its name and type, and whether it may be null. Of a `ROW` in JSON only the fields that are needed.
    pub field: Field,
    /// What it is made of.
    pub from: ColumnFrom,
}

/// What a column is made of.
#[derive(Debug, Clone)]
pub enum ColumnFrom {
    /// This field of the record's value.
    Value(String),
    /// This field of the record's key.
    Key(String),
    /// Something about the record.
    Metadata(Metadata),
    /// An expression over the columns in front of it.
    Computed(Arc<dyn Expression>),
}

/// Decoders of the value and, where it is needed, of the key.
type Decoders = (Box<dyn formats::Decoder>, Option<Box<dyn formats::Decoder>>);

/// How the records of a table become rows. See the module's head.
#[derive(Debug, Clone)]
pub struct TableDecoderSpec {
    kind: StreamKind,
    value: Part,
    key: Option<Part>,
    columns: Vec<TableColumn>,
    output: Vec<usize>,
    event_time: Option<usize>,
    schema: SchemaRef,
}

impl TableDecoderSpec {
    /// A table of this kind. `columns` are those that the output, the event time and the computed columns
    /// need, expressions behind what they read; `output` picks from them, in the order the plan asks for, and
    /// `event_time` names the one that has the event time, if one has.
    ///
    /// # Errors
    /// What does not fit together: tell the user.
    pub fn new(
        kind: StreamKind,
        value: Part,
        key: Option<Part>,
        columns: Vec<TableColumn>,
        output: Vec<usize>,
        event_time: Option<usize>,
    ) -> Result<Self, FormatError> {
        let conflict = |message: String| Err(FormatError::Conflict { message });
        if (kind == StreamKind::Changelog) != value.format.facts().changes {
            let name = value.format.facts().name;
            return conflict(format!("a table of the kind {kind} can't be of the format '{name}'"));
        }
        if kind == StreamKind::Upsert && key.is_none() {
            return conflict("an upsert table needs a 'key.format'".to_owned());
        }
        for column in &columns {
            column.check()?;
        }
        if let Some(field) = event_time.map(|index| &columns[index].field)
            && !matches!(field.data_type(), DataType::Timestamp(_, _))
        {
            let (name, found) = (field.name(), sql_type(field.data_type()));
            return conflict(format!(
                "event time \"{name}\" has to be a TIMESTAMP or TIMESTAMP_LTZ, not {found}"
            ));
        }
        let may_be_null = |column: &TableColumn| {
            let survives = matches!(column.from, ColumnFrom::Key(_) | ColumnFrom::Metadata(_));
            column.field.is_nullable() || (kind == StreamKind::Upsert && !survives)
        };
        let fields: Vec<Field> = output
            .iter()
            .map(|index| columns[*index].field.clone().with_nullable(may_be_null(&columns[*index])))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let spec = TableDecoderSpec { kind, value, key, columns, output, event_time, schema };
        spec.decoders()?;
        Ok(spec)
    }

    /// The columns of the rows. In an upsert table all but those of the key may be null, since a deletion has no
    /// others.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The fields that are needed of the value or the key.
    fn needed(&self, of: impl Fn(&ColumnFrom) -> Option<&String>) -> Fields {
        let fields = self
            .columns
            .iter()
            .filter_map(|column| of(&column.from).map(|name| column.field.clone().with_name(name)));
        fields.collect()
    }

    /// Decoders of the value and, where it is needed, of the key.
    fn decoders(&self) -> Result<Decoders, FormatError> {
        let of_value = self.needed(|from| if let ColumnFrom::Value(name) = from { Some(name) } else { None });
        let of_key = self.needed(|from| if let ColumnFrom::Key(name) = from { Some(name) } else { None });
        let value = self.value.decoder(&of_value)?;
        let key = match &self.key {
            _ if of_key.is_empty() => None,
            Some(key) => Some(key.decoder(&of_key)?),
            None => {
                let message =
                    format!("column \"{}\" is of the key, but there is no 'key.format'", of_key[0].name());
                return Err(FormatError::Conflict { message });
            }
        };
        Ok((value, key))
    }
}

impl TableColumn {
    fn check(&self) -> Result<(), FormatError> {
        let found = match &self.from {
            ColumnFrom::Value(_) | ColumnFrom::Key(_) => return Ok(()),
            ColumnFrom::Metadata(metadata) if metadata.fits(self.field.data_type()) => return Ok(()),
            ColumnFrom::Metadata(metadata) => metadata.data_type(),
            ColumnFrom::Computed(expression) if expression.data_type() == self.field.data_type() => {
                return Ok(());
            }
            ColumnFrom::Computed(expression) => expression.data_type().clone(),
        };
        let (name, declared) = (self.field.name(), sql_type(self.field.data_type()));
        let found = sql_type(&found);
        Err(FormatError::Conflict {
            message: format!("column \"{name}\" is declared {declared}, but is {found}"),
        })
    }

    fn describe(&self) -> String {
        let from = match &self.from {
            ColumnFrom::Value(name) if name == self.field.name() => String::new(),
            ColumnFrom::Value(name) => format!(" = value {name}"),
            ColumnFrom::Key(name) => format!(" = key {name}"),
            ColumnFrom::Metadata(metadata) => format!(" = metadata {}", metadata.name()),
            ColumnFrom::Computed(expression) => format!(" = {}", expression.sql()),
        };
        let not_null = if self.field.is_nullable() { "" } else { " NOT NULL" };
        format!("{} {}{not_null}{from}", self.field.name(), sql_type(self.field.data_type()))
    }
}

impl TableColumn {
    /// What it is made of; `columns` are those in front of it.
    fn meaning(&self, topics: &str, columns: &[String]) -> String {
        // Which fields of a row are decoded is everybody's business: those that are read name them.
        let data_type = match self.field.data_type() {
            DataType::Struct(_) => "ROW".to_owned(),
            other => sql_type(other),
        };
        match &self.from {
            ColumnFrom::Value(name) => format!("{{{topics}/{name}|{data_type}}}"),
            ColumnFrom::Key(name) => format!("{{{topics}/key {name}|{data_type}}}"),
            ColumnFrom::Metadata(metadata) => {
                format!("{{{topics}/metadata {}|{data_type}}}", metadata.name())
            }
            ColumnFrom::Computed(expression) => {
                let column =
                    |index: usize| columns.get(index).cloned().unwrap_or_else(|| format!("#{index}"));
                expression.meaning(&column)
            }
        }
    }
}

impl DecoderSpec for TableDecoderSpec {
    fn meaning(&self, topics: &str) -> SourceMeaning {
        let mut columns: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push(column.meaning(topics, &columns));
        }
        let key = self.key.as_ref().map(|key| format!(", key {}", key.meaning())).unwrap_or_default();
        let time = self.event_time.map_or("record timestamp".to_owned(), |index| columns[index].clone());
        let output = self.output.iter().map(|index| columns[*index].clone()).collect();
        let reads = format!("value {}{key}", self.value.meaning());
        SourceMeaning { reads, columns: Columns::Known(output), time }
    }

    fn describe(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(TableColumn::describe).collect();
        let name = |index: &usize| self.columns[*index].field.name().as_str();
        let output: Vec<&str> = self.output.iter().map(name).collect();
        let key = self.key.as_ref().map(|key| format!(", key {}", key.describe_read())).unwrap_or_default();
        let time = self.event_time.as_ref().map_or("record timestamp", name);
        format!(
            "value {}{key}: {}; rows of {}; time {time}",
            self.value.describe_read(),
            columns.join(", "),
            output.join(", "),
        )
    }

    fn reads_more_than_values(&self) -> bool {
        self.columns.iter().any(|column| match &column.from {
            ColumnFrom::Key(_) => true,
            ColumnFrom::Metadata(metadata) => *metadata != Metadata::Timestamp,
            ColumnFrom::Value(_) | ColumnFrom::Computed(_) => false,
        })
    }

    fn time_is_of_records(&self) -> bool {
        let column = self.event_time.and_then(|index| self.columns.get(index));
        column.is_none_or(|column| matches!(column.from, ColumnFrom::Metadata(Metadata::Timestamp)))
    }

    fn lacks(&self, records: &Records) -> Option<Lookup> {
        let count = records.len();
        let of_value = || {
            let mut payloads = (0..count).filter_map(|index| records.get(index).value);
            self.value.format.looks_up().then(|| self.value.format.lacks(&mut payloads)).flatten()
        };
        let key = self.key.as_ref().filter(|key| key.format.looks_up());
        let of_key = || key?.format.lacks(&mut (0..count).filter_map(|index| records.get(index).key));
        of_value().or_else(of_key)
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        let mismatch = OperatorError::Mismatch { expected: "formats that hold the table", found: "others" };
        let decoders = self.decoders().map_err(|_| mismatch)?;
        Ok(Box::new(TableDecoder::new(self.clone(), decoders)))
    }
}
