//! `INSERT INTO`.

use super::source::{key_columns, physical_columns, stream_kind};
use super::{Changes, Lowering, Refusal, SourceTable, Stream};
use crate::catalog::{ColumnKind, Connector, TopicTable};
use crate::expression::{Evaluated, sql_text};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::scalar::ScalarValue;
use millstream_operators::formats::{Format, FormatEncoderSpec, FormatError, sql_type};
use millstream_operators::sink::{
    AppendSink, Blackhole, Print, PrintText, RowEncoderSpec, SinkSpec, SinkTopic, SinkWriter, UpsertSink,
};
use millstream_operators::{Expression, Materialize, NodeSpec, Project, StreamKind};
use std::sync::Arc;

/// What an `INSERT INTO` writes.
pub(crate) struct InsertInto<'a> {
    /// The query.
    pub plan: &'a LogicalPlan,
    /// The table's name.
    pub table: &'a str,
    /// By column of the query: the column of the table.
    pub columns: Vec<usize>,
}

impl Lowering<'_> {
    /// Adds the operators of a statement.
    pub(crate) fn insert(&mut self, insert: &InsertInto<'_>, target: &SourceTable) -> Result<(), Refusal> {
        self.scope = insert.table.to_owned();
        let table = &target.table;
        let changes = match &table.connector {
            Connector::Topic(topic) if stream_kind(topic) == StreamKind::Upsert => Changes::LastOnly,
            _ => Changes::Both,
        };
        let stream = self.lower(insert.plan, changes)?;
        if stream.windows.is_some() {
            return Err(Refusal::new(
                "the rows of an open window are written",
                "group them by window_start and window_end",
            ));
        }
        let mut stream = self.sink_rows(stream, insert, target)?;
        let at = |column: usize| insert.columns.iter().position(|into| *into == column);
        let writer: Arc<dyn SinkWriter> = match &table.connector {
            Connector::Blackhole => Arc::new(Blackhole),
            Connector::Print { identifier, to_stderr } => {
                let identifier = identifier.clone().unwrap_or_default();
                Arc::new(Print { identifier, to_stderr: *to_stderr, text: Arc::new(PrintText) })
            }
            Connector::Topic(topic) => {
                if let Some(missing) = table.primary_key.iter().find(|column| at(**column).is_none()) {
                    let name = &table.columns[*missing].name.value;
                    return Err(Refusal::new(
                        format!("INSERT INTO {} leaves out {name}, which is part of its key", insert.table),
                        "write all columns of the PRIMARY KEY",
                    ));
                }
                if stream_kind(topic) == StreamKind::Upsert {
                    stream = self.materialize(stream, target)?;
                    self.check_upsert(&stream, insert, target)?;
                }
                topic_writer(target, topic, insert.table)?
            }
        };
        let topic = match &table.connector {
            Connector::Topic(topic) => Some(SinkTopic {
                name: topic.topics[0].value.clone(),
                compacted: stream_kind(topic) == StreamKind::Upsert,
            }),
            _ => None,
        };
        let spec = SinkSpec { table: insert.table.to_owned(), topic, writer };
        let name = self.free_name(format!("{} / sink", insert.table));
        self.topology.add(name, NodeSpec::Sink(Arc::new(spec)), &[stream.node])?;
        Ok(())
    }

    /// Rows with the physical columns of the table, in their order and with their types.
    fn sink_rows(
        &mut self,
        stream: Stream,
        insert: &InsertInto<'_>,
        target: &SourceTable,
    ) -> Result<Stream, Refusal> {
        let relation = insert.plan.schema();
        let physical: Vec<usize> = physical_columns(target);
        let fields: Fields =
            physical.iter().map(|column| target.schema.field(*column).clone().with_nullable(true)).collect();
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
        let mut picked: Vec<Option<usize>> = Vec::new();
        for (column, field) in physical.iter().zip(&fields) {
            let from = insert.columns.iter().position(|into| into == column);
            let expr = match from {
                Some(from) => converted(relation, from, field)?,
                None => lit(ScalarValue::try_from(field.data_type())?),
            };
            let physical = self.columns(&stream, relation).expression(&expr)?;
            let expression: Arc<dyn Expression> =
                Arc::new(Evaluated::new(physical, &stream.rows, sql_text(&expr))?);
            picked.push(from);
            outputs.push((field.as_ref().clone(), expression));
        }
        let as_it_is = stream.rows.fields().len() == fields.len()
            && picked.iter().enumerate().all(|(index, from)| {
                from.and_then(|from| stream.place(from)) == Some(index)
                    && stream.rows.field(index).data_type() == fields[index].data_type()
            });
        let places = (0..fields.len()).map(Some).collect();
        if as_it_is {
            return Ok(stream.with_columns(&picked, places));
        }
        let project = match (self.kind(&stream), &stream.unique) {
            (StreamKind::Upsert, Some(unique)) => {
                let key: Option<Vec<usize>> = unique.iter().map(|column| stream.place(*column)).collect();
                Project::of_upserts(None, outputs, key.unwrap_or_default())
            }
            _ => Project::new(None, outputs),
        };
        let node = self.add_project("project", project, stream.node)?;
        let rows = Arc::new(Schema::new(fields));
        Ok(Stream { node, rows, keyed: None, ..stream.with_columns(&picked, places) })
    }

    /// Of rows that nothing tells apart the last of every key of the table.
    fn materialize(&mut self, stream: Stream, target: &SourceTable) -> Result<Stream, Refusal> {
        if !stream.nameless || self.kind(&stream) != StreamKind::Changelog {
            return Ok(stream);
        }
        let physical = physical_columns(target);
        let key = &target.table.primary_key;
        let place = |column: &usize| physical.iter().position(|other| other == column);
        let places: Vec<usize> = key.iter().filter_map(place).collect();
        let together = stream.partitioning.as_ref();
        let together = together.is_some_and(|by| by.columns.iter().all(|column| places.contains(column)));
        let stream = self.key_by(stream, places.clone())?;
        let stream = if together { stream } else { self.exchange(stream)? };
        let names: Vec<&str> =
            key.iter().map(|column| target.schema.field(*column).name().as_str()).collect();
        let operator = Materialize { schema: Arc::clone(&stream.rows), key: names.join(", ") };
        let node = self.add("materialize", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        Ok(Stream { node, unique: Some(places), nameless: false, keyed: None, ..stream })
    }

    /// The key of an upsert table has to name the rows of the query: otherwise one row would overwrite another.
    fn check_upsert(
        &self,
        stream: &Stream,
        insert: &InsertInto<'_>,
        target: &SourceTable,
    ) -> Result<(), Refusal> {
        if self.kind(stream) == StreamKind::Append {
            return Ok(());
        }
        let physical = physical_columns(target);
        let names = |columns: &[usize]| {
            columns
                .iter()
                .map(|column| target.schema.field(*column).name().as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let key = &target.table.primary_key;
        let Some(unique) = &stream.unique else {
            return Err(Refusal::new(
                format!(
                    "the query updates rows, and drops columns that tell them apart; table {} has the PRIMARY KEY ({})",
                    insert.table,
                    names(key)
                ),
                "select all columns of GROUP BY, and make them the PRIMARY KEY",
            ));
        };
        let unique: Vec<usize> = unique.iter().map(|column| physical[*column]).collect();
        let same = unique.iter().all(|column| key.contains(column))
            && key.iter().all(|column| unique.contains(column));
        let wider =
            self.kind(stream) == StreamKind::Changelog && unique.iter().all(|column| key.contains(column));
        if same || wider {
            return Ok(());
        }
        Err(Refusal::new(
            format!(
                "rows of the query are told apart by ({}), but table {} has the PRIMARY KEY ({})",
                names(&unique),
                insert.table,
                names(key)
            ),
            format!("declare PRIMARY KEY ({}) NOT ENFORCED", names(&unique)),
        ))
    }
}

/// A column of the query as the type of the table's column, where nothing is lost by it.
pub(crate) fn converted(relation: &DFSchema, from: usize, to: &Field) -> Result<Expr, Refusal> {
    let found = relation.field(from).data_type();
    let expr = Expr::from(relation.qualified_field(from));
    if found == to.data_type() {
        return Ok(expr);
    }
    if *found != DataType::Null && !widens(found, to.data_type()) {
        let (found, wanted) = (sql_type(found), sql_type(to.data_type()));
        let name = relation.field(from).name();
        return Err(Refusal::new(
            format!("column {} of the table is {wanted}, but the query gives {name} as {found}", to.name()),
            format!("write CAST({name} AS {wanted}), or declare the column as {found}"),
        ));
    }
    Ok(datafusion::logical_expr::cast(expr, to.data_type().clone()))
}

/// Whether every value of one type is a value of the other; or is expected to be: the precision of a calculated decimal
/// is a bound that its values rarely come near, and one that does not fit stops the job with its place.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let rank = |data_type: &DataType| match data_type {
        T::Int8 => Some(3),
        T::Int16 => Some(5),
        T::Int32 => Some(10),
        T::Int64 => Some(19),
        _ => None,
    };
    match (from, to) {
        (T::Utf8 | T::LargeUtf8 | T::Utf8View, T::Utf8) | (T::Binary | T::BinaryView, T::Binary) => true,
        (T::Float32, T::Float64) => true,
        (T::Timestamp(from, from_zone), T::Timestamp(to, to_zone)) => {
            from <= to && from_zone.is_some() == to_zone.is_some()
        }
        (T::Decimal128(from_precision, from_scale), T::Decimal128(to_precision, to_scale)) => {
            let whole = |precision: &u8, scale: &i8| i16::from(*precision) - i16::from(*scale);
            to_scale == from_scale
                || to_scale > from_scale && whole(to_precision, to_scale) >= whole(from_precision, from_scale)
        }
        (integer, T::Decimal128(precision, scale)) if rank(integer).is_some() => {
            rank(integer) <= Some(i32::from(*precision) - i32::from(*scale))
        }
        (integer, T::Float64) if rank(integer).is_some_and(|rank| rank <= 10) => true,
        (from, to) => matches!((rank(from), rank(to)), (Some(from), Some(to)) if from <= to),
    }
}

/// The sink of a topic, over rows with the table's physical columns.
fn topic_writer(
    target: &SourceTable,
    topic: &TopicTable,
    table: &str,
) -> Result<Arc<dyn SinkWriter>, Refusal> {
    let physical = physical_columns(target);
    let encoder = |format: &Format,
                   declared: &Fields,
                   columns: &[usize]|
     -> Result<Arc<dyn RowEncoderSpec>, Refusal> {
        let places =
            columns.iter().filter_map(|column| physical.iter().position(|other| other == column)).collect();
        let spec = FormatEncoderSpec::new(format.clone(), table, places, declared.clone());
        Ok(Arc::new(spec.map_err(|error| refused(table, &error))?))
    };
    let value = &topic.layout.value;
    let named =
        |name: &String| physical.iter().copied().find(|column| target.schema.field(*column).name() == name);
    let columns: Vec<usize> = value.declared.iter().filter_map(|field| named(field.name())).collect();
    let value = encoder(&value.format, &value.declared, &columns)?;
    let key = match (&topic.layout.key, key_columns(target, topic)) {
        (Some(key), Some(columns)) => Some(encoder(&key.format, &key.declared, &columns)?),
        _ => None,
    };
    let (table, name) = (table.to_owned(), topic.topics[0].value.clone());
    if topic.topics.len() > 1 {
        return Err(Refusal::new(
            format!("table {table} names several topics, and can't be written to"),
            "write to a table of one topic",
        ));
    }
    if let Some(column) = target
        .table
        .columns
        .iter()
        .find(|column| matches!(column.kind, ColumnKind::Metadata { virtual_: false, .. }))
    {
        return Err(Refusal::new(
            format!("metadata column {} of table {table} can't be written yet", column.name.value),
            "declare it VIRTUAL: it is then left out of INSERT INTO",
        ));
    }
    match (stream_kind(topic), key) {
        (StreamKind::Upsert, Some(key)) => Ok(Arc::new(UpsertSink { table, topic: name, key, value })),
        (_, key) => {
            let partitioner = topic.partitioner;
            Ok(Arc::new(AppendSink { table, topic: name, key, value, partitioner }))
        }
    }
}

fn refused(table: &str, error: &FormatError) -> Refusal {
    Refusal { message: format!("table {table}: {error}"), help: None }
}
