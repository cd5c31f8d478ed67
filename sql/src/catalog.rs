//! Tables, as `CREATE TABLE` declares them.

use crate::error::{Span, SqlError};
use crate::script::{CreateTable, Ident, Spanned, Tokens};
use arrow::datatypes::DataType;
use millstream_operators::formats::Format;
use millstream_operators::source::{Bounded, Policy, Startup};
use millstream_operators::table::{Layout, Metadata};
use std::collections::BTreeMap;

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub name: Ident,
    pub columns: Vec<Column>,
    /// Columns of the primary key, in the order they are named there.
    pub primary_key: Vec<usize>,
    pub watermark: Option<Watermark>,
    pub connector: Connector,
    /// The whole statement.
    pub span: Span,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: Ident,
    /// Its type; [`DataType::Null`] for a computed column, whose type only the planner knows.
    pub data_type: DataType,
    /// Whether it may be null; columns of the primary key may not.
    pub nullable: bool,
    pub kind: ColumnKind,
}

/// What a column is made of.
#[derive(Debug, Clone)]
pub(crate) enum ColumnKind {
    /// A field of the key or the value.
    Physical,
    /// An expression over the physical and metadata columns.
    Computed(Tokens),
    /// Something known of the record; a virtual one is never written.
    Metadata { metadata: Metadata, virtual_: bool },
}

/// `WATERMARK FOR column AS column - INTERVAL ..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// The column that has the event time. The type of a computed one is left to the planner to check.
    pub column: usize,
    pub out_of_orderness_ms: i64,
    pub span: Span,
}

/// Where the rows of a table are.
#[derive(Debug, Clone)]
pub(crate) enum Connector {
    /// In topics.
    Topic(Box<TopicTable>),
    /// On the console: only written.
    Print { identifier: Option<String>, to_stderr: bool },
    /// Nowhere: only written.
    Blackhole,
}

/// Whether records are rows or upserts of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicKind {
    /// `'connector' = 'kafka'`.
    Append,
    /// `'connector' = 'upsert-kafka'`.
    Upsert,
}

/// Options of a table in topics.
#[derive(Debug, Clone)]
pub(crate) struct TopicTable {
    /// One or more; a table that is written has one.
    pub topics: Vec<Spanned<String>>,
    pub kind: TopicKind,
    /// Over the physical columns, in their order.
    pub layout: Layout,
    pub key_format: Option<Format>,
    pub value_format: Format,
    pub startup: Startup,
    pub bounded: Bounded,
    pub bad_records: Policy,
    pub late_records: Policy,
    pub idle_timeout_ms: i64,
    pub max_future_ms: i64,
    pub sink_partitioner: Partitioner,
    pub group: Option<Spanned<String>>,
    pub bootstrap_servers: Option<Spanned<String>>,
    /// Properties of Kafka's Java client without `properties.`.
    pub properties: BTreeMap<String, Spanned<String>>,
}

/// `'sink.partitioner'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Partitioner {
    /// By the key as Kafka's Java client does; records without a key go to the task's own partition.
    #[default]
    Default,
}

/// The table that a statement declares.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn table(def: &CreateTable) -> Result<Table, Vec<SqlError>> {
    Err(vec![SqlError::new(crate::error::code::CONNECTOR, def.span, "tables can't be declared yet")])
}
