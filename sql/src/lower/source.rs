//! Tables that are read: one source per table, with the columns that any statement needs.

use super::letters::Policies;
use super::needed::{Need, add_reads};
use super::{Lowering, PartitionedBy, Partitioning, Refusal, RowKey, Stream, Times};
use crate::catalog::{ColumnKind, Connector, Table, TopicKind, TopicTable, Watermark};
use crate::error::{SqlError, code};
use crate::expression::{Columns, Evaluated, sql_text};
use crate::features::proctime;
use crate::query::{Names, ScanOf, plan_expression};
use crate::script::Positions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, TableScan};
use millstream_operators::source::{EventTimeSpec, SourceSpec};
use millstream_operators::table::{ColumnFrom, TableColumn, TableDecoderSpec};
use millstream_operators::{NodeSpec, StreamKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A table whose computed columns are planned.
#[derive(Debug)]
pub(crate) struct SourceTable {
    /// As declared.
    pub table: Table,
    /// All columns with their types.
    pub schema: SchemaRef,
    /// By column: the expression of a computed one.
    pub computed: BTreeMap<usize, Expr>,
}

impl SourceTable {
    /// Plans the computed columns of a table. They read columns that are not computed, and computed ones in front.
    pub(crate) fn new(table: Table, names: &Names, positions: &Positions) -> Result<Self, Vec<SqlError>> {
        let mut errors = Vec::new();
        let mut computed = BTreeMap::new();
        let mut types: Vec<Option<Field>> = table
            .columns
            .iter()
            .map(|column| {
                let known = !matches!(column.kind, ColumnKind::Computed(_));
                let field = || Field::new(&column.name.value, column.data_type.clone(), column.nullable);
                known.then(|| column.detail.on(field()))
            })
            .collect();
        for (index, column) in table.columns.iter().enumerate() {
            let ColumnKind::Computed(tokens) = &column.kind else { continue };
            let known = Schema::new(types.iter().flatten().cloned().collect::<Vec<_>>());
            let planned = DFSchema::try_from(known)
                .map_err(|error| crate::query::from_datafusion(&error, names, tokens, positions))
                .and_then(|schema| Ok((plan_expression(tokens, &schema, names, positions)?, schema)));
            match planned {
                Err(error) => errors.push(error),
                Ok((expr, schema)) => match expr.to_field(&schema) {
                    Ok((_, field)) => {
                        let field = field.as_ref().clone().with_name(&column.name.value);
                        types[index] = Some(field.with_nullable(true));
                        computed.insert(index, expr);
                    }
                    Err(error) => {
                        errors.push(crate::query::from_datafusion(&error, names, tokens, positions))
                    }
                },
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let schema = Arc::new(Schema::new(types.into_iter().flatten().collect::<Vec<_>>()));
        let source = SourceTable { table, schema, computed };
        source.check_event_time()?;
        Ok(source)
    }

    /// The column that is the event time, and how it passes: by the `WATERMARK`, or, where there is none, by the clock: that a
    /// column is which is read, or that a query takes the rows by.
    fn event_time(
        &self,
        topic: &TopicTable,
        needs: &BTreeMap<usize, Need>,
        is_by_clock: bool,
    ) -> Option<(Option<usize>, EventTimeSpec)> {
        let max_future_ms = topic.max_future_ms;
        if let Some(Watermark { column, out_of_orderness_ms, .. }) = self.table.watermark {
            return Some((Some(column), EventTimeSpec::new(out_of_orderness_ms, max_future_ms)));
        }
        let is_read = |column: &usize| needs.get(column).is_some_and(|need| *need != Need::Nothing);
        let clocks = self.computed.iter().filter(|(_, expr)| proctime::is_proctime(expr));
        let column = clocks.map(|(column, _)| *column).find(is_read);
        if column.is_none() && !is_by_clock {
            return None;
        }
        Some((column, EventTimeSpec { by_clock: true, ..EventTimeSpec::new(1, max_future_ms) }))
    }

    fn check_event_time(&self) -> Result<(), Vec<SqlError>> {
        let Some(watermark) = &self.table.watermark else { return Ok(()) };
        let field = self.schema.field(watermark.column);
        if matches!(field.data_type(), DataType::Timestamp(_, _)) {
            return Ok(());
        }
        let found = millstream_operators::formats::sql_type(field.data_type());
        let error = SqlError::new(
            code::WATERMARK,
            watermark.span,
            format!("the event time {} is a {found}", field.name()),
        );
        let help = "a watermark needs a TIMESTAMP or TIMESTAMP_LTZ; of a number make one with a computed column: \
                    event_time AS TO_TIMESTAMP_LTZ(number, 3)";
        Err(vec![error.label("not a time").help(help)])
    }
}

impl Lowering<'_> {
    pub(super) fn lower_scan(&mut self, scan: &TableScan) -> Result<Stream, Refusal> {
        let ScanOf { name, key } = ScanOf::of(scan);
        let tables = self.tables;
        let Some(table) = tables.get(key) else {
            return Err(Refusal::new(format!("there is no table {name}"), "declare it with CREATE TABLE"));
        };
        let source = match self.sources.get(key) {
            Some(source) => source.clone(),
            None => {
                let source = self.add_source(name, key, table)?;
                self.sources.insert(key.to_owned(), source.clone());
                source
            }
        };
        let all: Vec<usize> = (0..table.schema.fields().len()).collect();
        let picked: Vec<Option<usize>> =
            scan.projection.as_ref().unwrap_or(&all).iter().copied().map(Some).collect();
        let places = picked.iter().flatten().map(|column| source.places[*column]).collect();
        Ok(source.with_columns(&picked, places))
    }

    fn add_source(&mut self, name: &str, key: &str, source: &SourceTable) -> Result<Stream, Refusal> {
        let Connector::Topic(topic) = &source.table.connector else {
            return Err(Refusal::new(
                format!("{name} can only be written to"),
                "read a table with 'connector' = 'kafka' or 'upsert-kafka'",
            ));
        };
        let topics: Vec<String> = topic.topics.iter().map(|topic| topic.value.clone()).collect();
        self.check_read_once(name, &topics)?;
        let needs = self.needs.remove(key).unwrap_or_default();
        let (columns, places) = table_columns(source, topic, &needs)?;
        let event_time = source.event_time(topic, &needs, self.by_clock.contains(key));
        let output: Vec<usize> = (0..columns.len()).collect();
        let decoder = TableDecoderSpec::new(
            stream_kind(topic),
            topic.layout.value.clone(),
            topic.layout.key.clone(),
            columns,
            output,
            event_time.and_then(|(column, _)| places[column?]),
        );
        let decoder =
            decoder.map_err(|error| Refusal { message: format!("table {name}: {error}"), help: None })?;
        let Policies { bad, late, dead_letters } = self.policies(name, source, topic)?;
        let rows = Arc::clone(decoder.schema());
        let spec = SourceSpec {
            table: name.to_owned(),
            topics,
            pattern: topic.pattern.clone(),
            feed: topic.feed.clone(),
            decoder: Arc::new(decoder),
            kind: stream_kind(topic),
            event_time: event_time.map(|(_, spec)| spec),
            idle_timeout_ms: topic.idle_timeout_ms,
            discovery_interval_ms: topic.discovery_interval_ms,
            startup: topic.startup.clone(),
            bounded: topic.bounded.clone(),
            bad_records: bad,
            dead_letters,
        };
        let node_name = self.free_name(name.to_owned());
        let node = self.topology.add(node_name, NodeSpec::Source(Arc::new(spec)), &[])?;
        let placed =
            |columns: &[usize]| columns.iter().map(|column| places[*column]).collect::<Option<Vec<_>>>();
        let told_apart = stream_kind(topic) != StreamKind::Append && !source.table.primary_key.is_empty();
        let key = told_apart.then(|| placed(&source.table.primary_key)).flatten();
        let unique = key.map_or(RowKey::Unknown, RowKey::of);
        let partitioning = partitioning(source, topic)
            .and_then(|(columns, by)| Some(Partitioning { places: placed(&columns)?, by }));
        let stream = Stream {
            node,
            rows,
            places,
            time: event_time.and_then(|(column, _)| column),
            times: if event_time.is_some_and(|(_, spec)| spec.by_clock) {
                Times::Clock
            } else {
                Times::Event
            },
            has_watermark: event_time.is_some(),
            windows: None,
            within: None,
            unique,
            partitioning,
            keyed: None,
            late,
        };
        self.one_task_per_row(name, stream, source, topic)
    }

    /// Versions of a row may stand in several topics, each with another number of partitions: they are brought together.
    fn one_task_per_row(
        &mut self,
        name: &str,
        stream: Stream,
        source: &SourceTable,
        topic: &TopicTable,
    ) -> Result<Stream, Refusal> {
        if self.kind(&stream) != StreamKind::Upsert || stream.partitioning.is_some() {
            return Ok(stream);
        }
        let key = topic.layout.key.as_ref().zip(key_columns(source, topic));
        let places = key.and_then(|(key, columns)| {
            let places = columns.iter().map(|column| stream.places[*column]).collect::<Option<Vec<_>>>()?;
            Some((places, PartitionedBy::TopicKey(Arc::clone(&key.format), key.declared.clone())))
        });
        let Some((places, by)) = places else { return Ok(stream) };
        let statement = std::mem::replace(&mut self.scope, name.to_owned());
        let stream = self.exchange(stream, places, by);
        self.scope = statement;
        stream
    }

    /// Refuses what reads a topic again that is read already.
    fn check_read_once(&self, name: &str, topics: &[String]) -> Result<(), Refusal> {
        match self.reader_of(topics) {
            None => Ok(()),
            Some(other) if other == name => Err(Refusal::new(
                format!("table {name} is read with different options"),
                "a job reads a topic once: give all reads of the table the same options, or read it in two jobs",
            )),
            Some(other) => Err(Refusal::new(
                format!("tables {other} and {name} read the same topic"),
                format!("declare the columns of both in one table, and make {name} a view of it"),
            )),
        }
    }

    fn reader_of(&self, topics: &[String]) -> Option<&str> {
        self.topology.nodes().iter().find_map(|node| match &node.spec {
            NodeSpec::Source(source) if source.topics.iter().any(|topic| topics.contains(topic)) => {
                Some(source.table.as_str())
            }
            _ => None,
        })
    }
}

/// The columns that are decoded: those needed, what computed ones read, the event time and the primary key; and by
/// column of the table its place among them.
fn table_columns(
    source: &SourceTable,
    topic: &TopicTable,
    needs: &BTreeMap<usize, Need>,
) -> Result<(Vec<TableColumn>, Vec<Option<usize>>), Refusal> {
    let relation = DFSchema::try_from(source.schema.as_ref().clone())?;
    let mut reads = vec![Need::Nothing; source.schema.fields().len()];
    for (column, need) in needs {
        reads[*column] = need.clone();
    }
    let mut wanted: BTreeSet<usize> = needs.keys().copied().collect();
    wanted.extend(source.table.watermark.as_ref().map(|watermark| watermark.column));
    if stream_kind(topic) == StreamKind::Upsert {
        wanted.extend(&source.table.primary_key);
    }
    for column in (0..source.schema.fields().len()).rev() {
        if let (true, Some(expr)) = (wanted.contains(&column), source.computed.get(&column)) {
            wanted.extend(
                expr.column_refs().into_iter().filter_map(|read| relation.maybe_index_of_column(read)),
            );
            add_reads(expr, &Need::All, &relation, &mut reads)?;
        }
    }
    let (computed, plain): (Vec<usize>, Vec<usize>) =
        wanted.into_iter().partition(|column| source.computed.contains_key(column));
    let mut places = vec![None; source.schema.fields().len()];
    let mut columns: Vec<TableColumn> = Vec::new();
    for column in plain {
        let from = match &source.table.columns[column].kind {
            ColumnKind::Metadata { metadata, .. } => ColumnFrom::Metadata(*metadata),
            _ => physical(source, topic, column)?,
        };
        places[column] = Some(columns.len());
        let field = plain_field(source.schema.field(column));
        let data_type = reads[column].narrowed(field.data_type());
        columns.push(TableColumn { field: field.with_data_type(data_type), from });
    }
    for column in computed {
        let rows =
            Arc::new(Schema::new(columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>()));
        let expr = &source.computed[&column];
        let over = Columns { relation: &relation, places: &places, rows: &rows, clock: true };
        let evaluated = Evaluated::new(over.expression(expr)?, &rows, sql_text(&expr.clone().unalias()))?;
        places[column] = Some(columns.len());
        columns.push(TableColumn {
            field: plain_field(source.schema.field(column)),
            from: ColumnFrom::Computed(Arc::new(evaluated)),
        });
    }
    Ok((columns, places))
}

/// A field of rows: only planning knows what a type says beyond Arrow's.
pub(super) fn plain_field(field: &Field) -> Field {
    field.clone().with_metadata(Default::default())
}

/// Where a physical column is read from.
fn physical(source: &SourceTable, topic: &TopicTable, column: usize) -> Result<ColumnFrom, Refusal> {
    let before = source.table.columns[..column].iter();
    let index = before.filter(|column| matches!(column.kind, ColumnKind::Physical)).count();
    topic.layout.columns.get(index).cloned().ok_or_else(|| Refusal {
        message: format!("column {} is not in the records of its table", source.schema.field(column).name()),
        help: None,
    })
}

/// Records of a topic with a declared key are where their key belongs: the columns of the key, and which bytes decide.
/// Those without a key are anywhere; and of several topics each may have another number of partitions, and the same key in
/// another one.
fn partitioning(source: &SourceTable, topic: &TopicTable) -> Option<(Vec<usize>, PartitionedBy)> {
    // Directories of files bring nothing together.
    let key = topic.layout.key.as_ref().filter(|_| topic.feed.is_none())?;
    let columns = key_columns(source, topic)?;
    let by = PartitionedBy::TopicKey(Arc::clone(&key.format), key.declared.clone());
    let always_keyed = columns.iter().all(|column| !source.schema.field(*column).is_nullable());
    (topic.topics.len() == 1 && topic.pattern.is_none() && always_keyed).then_some((columns, by))
}

/// What the records of a table mean.
pub(super) fn stream_kind(topic: &TopicTable) -> StreamKind {
    match topic.kind {
        TopicKind::Append if topic.layout.value.format.facts().changes => StreamKind::Changelog,
        TopicKind::Append => StreamKind::Append,
        TopicKind::Upsert => StreamKind::Upsert,
    }
}

/// The physical columns of a table, in their order.
pub(super) fn physical_columns(source: &SourceTable) -> Vec<usize> {
    let columns = source.table.columns.iter().enumerate();
    columns
        .filter(|(_, column)| matches!(column.kind, ColumnKind::Physical))
        .map(|(index, _)| index)
        .collect()
}

/// The columns that the key of a record is made of, in the order of its fields.
pub(super) fn key_columns(source: &SourceTable, topic: &TopicTable) -> Option<Vec<usize>> {
    let key = topic.layout.key.as_ref()?;
    let physical = physical_columns(source);
    let column_of = |name: &String| {
        let by_key =
            topic.layout.columns.iter().position(|from| matches!(from, ColumnFrom::Key(key) if key == name));
        let by_name = || physical.iter().position(|column| source.schema.field(*column).name() == name);
        by_key.or_else(by_name).map(|index| physical[index])
    };
    key.declared.iter().map(|field| column_of(field.name())).collect()
}
