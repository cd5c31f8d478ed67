//! Tables, as `CREATE TABLE` declares them.

mod columns;
mod files;
#[cfg(test)]
mod flink_options;
mod formats;
mod made;
mod offsets;
mod options;
mod refused;
mod topic;

use crate::error::{Span, SqlError, code, nearest};
use crate::functions::values::detail::Detail;
use crate::script::{CreateTable, Ident, Spanned, Tokens};
use arrow::datatypes::DataType;
use millstream_operators::feed::Feed;
use millstream_operators::outlet::Outlet;
use millstream_operators::sink::Partitioner;
use millstream_operators::source::{Bounded, Policy, Startup, TopicPattern};
use millstream_operators::table::{Layout, Metadata};
use options::Options;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(crate) use topic::POLICIES;

pub(crate) use options::{DURATION, duration_ms};

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub columns: Vec<Column>,
    /// Columns of the primary key, in the order they are named there.
    pub primary_key: Vec<usize>,
    pub watermark: Option<Watermark>,
    pub connector: Connector,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: Ident,
    /// Its type; [`DataType::Null`] for a computed column, whose type only the planner knows.
    pub data_type: DataType,
    /// What its type says beyond Arrow's.
    pub detail: Detail,
    /// Whether texts or bytes inside of its type have a length.
    pub inner_length: bool,
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
    /// To who has asked, as JSON: only written, and by no statement of a file.
    Answer,
}

/// Whether records are rows or upserts of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicKind {
    /// `'connector' = 'kafka'`.
    Append,
    /// `'connector' = 'upsert-kafka'`.
    Upsert,
}

/// Options of a table in topics, or in what takes the place of one.
#[derive(Debug, Clone)]
pub(crate) struct TopicTable {
    /// What its one topic is when it is none of the log.
    pub feed: Option<Arc<dyn Feed>>,
    /// What takes its rows to where they are to be, if that is no topic.
    pub outlet: Option<Arc<dyn Outlet>>,
    /// `'topic-pattern'`; it stands among the topics.
    pub pattern: Option<Arc<dyn TopicPattern>>,
    /// One or more; a table that is written has one.
    pub topics: Vec<Spanned<String>>,
    pub kind: TopicKind,
    /// Over the physical columns, in their order.
    pub layout: Layout,
    pub startup: Startup,
    pub bounded: Bounded,
    /// What the table itself says; otherwise settings of the file decide.
    pub bad_records: Option<Policy>,
    pub late_records: Option<Policy>,
    pub dead_letter_topic: Option<Spanned<String>>,
    pub idle_timeout_ms: i64,
    pub max_future_ms: i64,
    pub partitioner: Partitioner,
    /// How often its topics are looked at; `None`: never.
    pub discovery_interval_ms: Option<u64>,
    pub group: Option<Spanned<String>>,
    pub bootstrap_servers: Option<Spanned<String>>,
    /// Properties of Kafka's Java client without `properties.`.
    pub properties: BTreeMap<String, Spanned<String>>,
}

/// Connectors of Flink's that there are not, and what to do instead.
const OTHERS: &[(&str, &str)] = &[
    (
        "faker",
        "use 'connector' = 'datagen', or write rows to a topic with millstream topic produce, and read that",
    ),
    ("jdbc", "bring the rows into a topic, compacted by their key, and read that as 'upsert-kafka'"),
    ("dynamic-kafka", "declare a table with 'connector' = 'kafka' for each cluster's topic"),
    (
        "postgres-cdc",
        "bring the changes into a topic, compacted by their key, and read that as 'upsert-kafka'",
    ),
    ("mysql-cdc", "bring the changes into a topic, compacted by their key, and read that as 'upsert-kafka'"),
    ("mongodb", "bring the rows into a topic, and read that"),
    ("elasticsearch-7", "write to a topic, and bring its records there with Kafka Connect"),
    ("elasticsearch-8", "write to a topic, and bring its records there with Kafka Connect"),
    ("opensearch", "write to a topic, and bring its records there with Kafka Connect"),
    ("hbase-2.2", "write to a topic, and bring its records there with Kafka Connect"),
    ("kinesis", "bring the records into a topic, and read that"),
    ("pulsar", "bring the records into a topic, and read that"),
    ("rabbitmq", "bring the records into a topic, and read that"),
    ("firehose", "write to a topic, and bring its records there"),
    ("iceberg", "write to a topic, and bring its records there with Kafka Connect"),
    ("paimon", "write to a topic, and bring its records there with Kafka Connect"),
    ("hudi", "write to a topic, and bring its records there with Kafka Connect"),
];

/// Connectors there are.
const CONNECTORS: &[&str] =
    &["kafka", "upsert-kafka", "filesystem", "datagen", "nexmark", "print", "blackhole"];

/// The table that a statement declares.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn table(def: &CreateTable) -> Result<Table, Vec<SqlError>> {
    let mut errors = Vec::new();
    let mut columns = columns::columns(def, &mut errors);
    // A column that is wrong would be missed by the key, the watermark and the options.
    if !errors.is_empty() {
        return Err(errors);
    }
    let primary_key = columns::primary_key(def, &mut columns, &mut errors);
    let watermark = columns::watermark(def, &columns, &mut errors);
    let (connector, more) = connector(def, &columns, &primary_key);
    errors.extend(more);
    match connector {
        Some(connector) if errors.is_empty() => Ok(Table { columns, primary_key, watermark, connector }),
        _ => Err(errors),
    }
}

/// Where the rows are, unless something is wrong with the options.
fn connector(
    def: &CreateTable,
    columns: &[Column],
    primary_key: &[usize],
) -> (Option<Connector>, Vec<SqlError>) {
    let mut options = Options::new(&def.options, def.name.span);
    let help = "set 'connector' = 'kafka', 'upsert-kafka', 'filesystem', 'datagen', 'print' or 'blackhole'";
    let Some(name) = options.required("connector", help) else { return (None, options.errors) };
    if let Some(partitions) = def.partitions.as_ref().filter(|_| name.value != "filesystem") {
        let error = SqlError::new(code::CLAUSE, partitions.span, "PARTITIONED BY is not supported");
        let help = "leave it out: a record's partition follows from its key, set 'key.fields'";
        options.errors.push(error.help(help));
    }
    let topic = |kind, options: &mut Options<'_>| {
        let table = topic::topic_table(kind, def, columns, primary_key, options);
        table.map(|table| Connector::Topic(Box::new(table)))
    };
    let connector = match name.value.as_str() {
        "kafka" => topic(TopicKind::Append, &mut options),
        "upsert-kafka" => topic(TopicKind::Upsert, &mut options),
        "filesystem" => {
            check_no_metadata("filesystem", columns, &mut options);
            let table = files::file_table(def, columns, &mut options);
            table.map(|table| Connector::Topic(Box::new(table)))
        }
        "datagen" | "nexmark" => {
            check_no_metadata(&name.value, columns, &mut options);
            let table = made::made_table(&name.value, def, columns, &mut options);
            table.map(|table| Connector::Topic(Box::new(table)))
        }
        "print" => {
            check_no_metadata("print", columns, &mut options);
            let identifier = options.text("print-identifier").map(|text| text.value.clone());
            let to_stderr = options.choice("standard-error", &[("false", false), ("true", true)]);
            Some(Connector::Print { identifier, to_stderr })
        }
        "blackhole" => {
            check_no_metadata("blackhole", columns, &mut options);
            Some(Connector::Blackhole)
        }
        // What its options are nobody knows.
        _ => return (None, vec![no_such_connector(name)]),
    };
    (connector, options.finish(&name.value))
}

fn no_such_connector(name: &Spanned<String>) -> SqlError {
    if let Some((_, help)) = OTHERS.iter().find(|(other, _)| *other == name.value) {
        let message = format!("connector '{}' is not supported yet", name.value);
        return SqlError::new(code::CONNECTOR, name.span, message).help(*help);
    }
    let help = match nearest(&name.value, CONNECTORS.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => {
            let names: Vec<String> = CONNECTORS.iter().map(|name| format!("'{name}'")).collect();
            format!("connectors are {}", names.join(", "))
        }
    };
    SqlError::new(code::CONNECTOR, name.span, format!("there is no connector '{}'", name.value)).help(help)
}

fn check_no_metadata(connector: &str, columns: &[Column], options: &mut Options<'_>) {
    for column in columns.iter().filter(|column| matches!(column.kind, ColumnKind::Metadata { .. })) {
        let message = format!("a '{connector}' table has no metadata");
        options
            .errors
            .push(SqlError::new(code::METADATA, column.name.span, message).help("leave METADATA out"));
    }
}
