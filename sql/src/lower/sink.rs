//! `INSERT INTO`.

use super::project::keeps_groups;
use super::source::{key_columns, physical_columns, plain_field, stream_kind};
use super::{Changes, Lowering, PartitionedBy, Refusal, RowKey, SourceTable, Stream};
use crate::catalog::{ColumnKind, Connector, TopicTable};
use crate::expression::{Evaluated, sql_text};
use crate::functions::casting::cast_expr;
use crate::functions::time::zone::UTC;
use crate::functions::values::cast::{Cast, Length};
use crate::functions::values::detail::{Detail, TimeDigits, type_name};
use crate::script::OnConflict;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::scalar::ScalarValue;
use millstream_operators::formats::{Format, FormatEncoderSpec, FormatError, JsonOptions};
use millstream_operators::sink::{
    AppendSink, Blackhole, OutletSink, Partitioner, Print, PrintText, RowEncoderSpec, SinkSpec, SinkTopic,
    SinkWriter, UpsertSink,
};
use millstream_operators::{Expression, Materialize, NodeSpec, NotNull, OnNull, StreamKind};
use std::sync::Arc;

/// What an `INSERT INTO` writes.
pub(crate) struct InsertInto<'a> {
    /// The query.
    pub plan: &'a LogicalPlan,
    /// The table's name.
    pub table: &'a str,
    /// By column of the query: the column of the table.
    pub columns: Vec<usize>,
    /// What is done where the table's primary key does not tell the query's rows apart.
    pub on_conflict: Option<OnConflict>,
}

impl Lowering<'_> {
    /// Adds the operators of a statement.
    pub(crate) fn insert(&mut self, insert: &InsertInto<'_>, target: &SourceTable) -> Result<(), Refusal> {
        self.scope = insert.table.to_owned();
        let table = &target.table;
        if let Connector::Topic(topic) = &table.connector
            && topic.feed.is_some()
            && topic.outlet.is_none()
        {
            return Err(Refusal::new(
                format!("table {} can only be read", insert.table),
                "write to a table of 'kafka', 'upsert-kafka', 'filesystem', 'print' or 'blackhole'",
            ));
        }
        let stream = self.sink_changes(insert, target)?;
        let stream = self.sink_rows(stream, insert, target)?;
        let mut stream = self.without_nulls(stream, target, insert.table)?;
        let writer: Arc<dyn SinkWriter> = match &table.connector {
            Connector::Blackhole => Arc::new(Blackhole),
            Connector::Print { identifier, to_stderr } => {
                let identifier = identifier.clone().unwrap_or_default();
                Arc::new(Print { identifier, to_stderr: *to_stderr, text: Arc::new(PrintText) })
            }
            Connector::Answer => Arc::new(Print {
                identifier: String::new(),
                to_stderr: false,
                text: as_json(target, insert.table)?,
            }),
            Connector::Topic(topic) => {
                if stream_kind(topic) == StreamKind::Upsert {
                    stream = self.by_primary_key(stream, insert, target)?;
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
        self.check_one_outlet(insert.table, &*writer)?;
        let spec = SinkSpec { table: insert.table.to_owned(), topic, writer };
        let name = self.free_name(format!("{} / sink", insert.table));
        self.topology.add(name, NodeSpec::Sink(Arc::new(spec)), &[stream.node])?;
        Ok(())
    }

    /// What is written to a table at two places goes there in one stream, so it is one place.
    fn check_one_outlet(&self, table: &str, writer: &dyn SinkWriter) -> Result<(), Refusal> {
        let Some(outlet) = writer.outlet() else { return Ok(()) };
        let sinks = self.topology.nodes().iter().filter_map(|node| match &node.spec {
            NodeSpec::Sink(sink) if sink.table == table => sink.writer.outlet(),
            _ => None,
        });
        match sinks.map(|other| other.describe()).find(|other| *other != outlet.describe()) {
            None => Ok(()),
            Some(other) => Err(Refusal::new(
                format!("table {table} is written to with other options already: {other}"),
                "declare a table for each, with CREATE TABLE .. LIKE",
            )),
        }
    }

    /// The query's rows with their changes, as the table takes them.
    fn sink_changes(&mut self, insert: &InsertInto<'_>, target: &SourceTable) -> Result<Stream, Refusal> {
        let at = |column: &usize| insert.columns.iter().position(|into| into == column);
        let key: Vec<Option<usize>> = target.table.primary_key.iter().map(at).collect();
        let is_upserted = match &target.table.connector {
            Connector::Topic(topic) => stream_kind(topic) == StreamKind::Upsert,
            Connector::Print { .. } | Connector::Blackhole | Connector::Answer => false,
        };
        if is_upserted && let Some(missing) = key.iter().position(Option::is_none) {
            let name = &target.table.columns[target.table.primary_key[missing]].name.value;
            return Err(Refusal::new(
                format!("INSERT INTO {} leaves out {name}, which is part of its key", insert.table),
                "write all columns of the PRIMARY KEY",
            ));
        }
        // Keys that are cut may become one.
        let cuts =
            key.iter().flatten().zip(&target.table.primary_key).any(|(from, column)| {
                is_cut(insert.plan.schema().field(*from), target.schema.field(*column))
            });
        let last_only = is_upserted && !cuts && keeps_groups(insert.plan, &key, true);
        let changes = if last_only { Changes::LastOnly } else { Changes::Both };
        let stream = self.lower(insert.plan, changes)?;
        self.check_kept(insert.plan)?;
        let stream = self.assign_windows(stream)?;
        let places: Option<Vec<usize>> = key.iter().map(|column| stream.place((*column)?)).collect();
        let takes_as_it_is = match (&target.table.connector, places) {
            (Connector::Blackhole, _) => true,
            (Connector::Topic(_), Some(places)) => is_upserted && !cuts && stream.unique.is(&places),
            // What is shown of a change is the whole row, not only its key.
            _ => false,
        };
        match self.kind(&stream) {
            StreamKind::Upsert if !takes_as_it_is => self.normalize(stream),
            _ => Ok(stream),
        }
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
        let fields: Fields = physical
            .iter()
            .map(|column| plain_field(target.schema.field(*column)).with_nullable(true))
            .collect();
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
        let mut picked: Vec<Option<usize>> = Vec::new();
        for (column, field) in physical.iter().zip(&fields) {
            let from = insert.columns.iter().position(|into| into == column);
            if target.table.columns[*column].inner_length {
                return Err(Refusal::new(
                    format!(
                        "column {} of table {} has texts or bytes with a length inside of its type: they can't be written yet",
                        field.name(),
                        insert.table
                    ),
                    "declare them STRING or BYTES",
                ));
            }
            let expr = match from {
                Some(from) => converted(relation, from, target.schema.field(*column))?,
                None if !target.table.columns[*column].nullable => {
                    return Err(Refusal::new(
                        format!(
                            "INSERT INTO {} leaves out {}, which is NOT NULL",
                            insert.table,
                            field.name()
                        ),
                        "write the column, or declare it without NOT NULL",
                    ));
                }
                None => lit(ScalarValue::try_from(field.data_type())?),
            };
            let physical = self.columns(&stream, relation).expression(&expr)?;
            let expression: Arc<dyn Expression> =
                Arc::new(Evaluated::new(physical, &stream.rows, sql_text(&expr))?);
            let cuts = from.is_some_and(|from| is_cut(relation.field(from), target.schema.field(*column)));
            picked.push(from.filter(|_| !cuts));
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
        let (node, rows) = self.add_project("project", &stream, None, outputs)?;
        // A column that is converted loses nothing, so that it tells apart what it did.
        let from: Vec<Option<usize>> =
            picked.iter().map(|column| column.and_then(|column| stream.place(column))).collect();
        let stream = stream.over(node, rows, |place| from.iter().position(|from| *from == Some(place)));
        Ok(stream.with_columns(&picked, places))
    }

    /// The rows without nulls in columns that may not be null.
    fn without_nulls(
        &mut self,
        stream: Stream,
        target: &SourceTable,
        table: &str,
    ) -> Result<Stream, Refusal> {
        let physical = physical_columns(target);
        let is_required = |(_, column): &(usize, usize)| !target.table.columns[*column].nullable;
        let columns: Vec<usize> =
            physical.into_iter().enumerate().filter(is_required).map(|(place, _)| place).collect();
        if columns.is_empty() {
            return Ok(stream);
        }
        let key = match self.kind(&stream) {
            StreamKind::Upsert => stream.unique.places().unwrap_or_default().to_vec(),
            StreamKind::Append | StreamKind::Changelog => Vec::new(),
        };
        let on_null = match self.settings.get("table.exec.sink.not-null-enforcer").map(String::as_str) {
            Some("DROP") => OnNull::Drop,
            _ => OnNull::Fail,
        };
        let (table, schema) = (table.to_owned(), Arc::clone(&stream.rows));
        let operator = NotNull { table, schema, columns, key, on_null };
        let node = self.add("not null", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        Ok(Stream { node, ..stream })
    }

    /// The rows by the primary key of an upsert table. Where it does not tell the rows of the query apart, or where the
    /// changes of one of its rows may come from several tasks, in whatever order, the table has the last row of those
    /// that are there.
    fn by_primary_key(
        &mut self,
        stream: Stream,
        insert: &InsertInto<'_>,
        target: &SourceTable,
    ) -> Result<Stream, Refusal> {
        let physical = physical_columns(target);
        let key = &target.table.primary_key;
        let place = |column: &usize| physical.iter().position(|other| other == column);
        let places: Vec<usize> = key.iter().filter_map(place).collect();
        let told_apart = stream.unique.is_within(&places);
        if !told_apart {
            self.check_conflict(&stream, insert, target)?;
        }
        let in_order = told_apart && stream.is_together(&places);
        if in_order || self.kind(&stream) != StreamKind::Changelog {
            return Ok(stream);
        }
        let stream = match stream.is_together(&places) {
            true => self.key_by(stream, places.clone())?,
            false => self.exchange(stream, places.clone(), PartitionedBy::EncodedKey)?,
        };
        let names: Vec<&str> =
            key.iter().map(|column| target.schema.field(*column).name().as_str()).collect();
        let operator = Materialize { schema: Arc::clone(&stream.rows), key: names.join(", ") };
        let node = self.add("materialize", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        Ok(Stream { node, unique: RowKey::of(places), keyed: None, ..stream })
    }
}

impl Lowering<'_> {
    /// Two rows of the query may be one of the table: the statement has to say what is done then.
    fn check_conflict(
        &self,
        stream: &Stream,
        insert: &InsertInto<'_>,
        target: &SourceTable,
    ) -> Result<(), Refusal> {
        let required = self.settings.get("table.exec.sink.require-on-conflict");
        if insert.on_conflict.is_some() || required.is_some_and(|required| required == "false") {
            return Ok(());
        }
        let key = &target.table.primary_key;
        let cut = key.iter().find_map(|column| {
            let from = insert.columns.iter().position(|into| into == column)?;
            let (from, to) = (insert.plan.schema().field(from), target.schema.field(*column));
            let named = |field: &Field| type_name(field.data_type(), &Detail::of(field));
            is_cut(from, to).then(|| format!("{} is cut from {} to {}", to.name(), named(from), named(to)))
        });
        let key: Vec<&str> = key.iter().map(|column| target.schema.field(*column).name().as_str()).collect();
        let told_apart = match stream.unique.places() {
            None if cut.is_some() => cut.unwrap_or_default(),
            None => "nothing that is written tells the query's rows apart".to_owned(),
            Some(places) => {
                let names = places.iter().map(|place| stream.rows.field(*place).name().as_str());
                format!("the query's rows are told apart by ({})", names.collect::<Vec<_>>().join(", "))
            }
        };
        Err(Refusal::new(
            format!(
                "rows of the query may overwrite each other: table {} has the PRIMARY KEY ({}), but {told_apart}",
                insert.table,
                key.join(", ")
            ),
            "write ON CONFLICT DO DEDUPLICATE behind the query: of each key the table then has the last row of those \
             that are there; or make what tells the rows apart the PRIMARY KEY",
        ))
    }
}

/// A column of the query as the type of the table's column, where nothing is lost by it.
pub(crate) fn converted(relation: &DFSchema, from: usize, to: &Field) -> Result<Expr, Refusal> {
    let found = relation.field(from).data_type();
    let expr = Expr::from(relation.qualified_field(from));
    let (has, wanted) = (Detail::of(relation.field(from)), Detail::of(to));
    if found == to.data_type() {
        return match (has.length, wanted.length) {
            (has, Some(Length::Fixed(_))) if !matches!(has, Some(Length::Fixed(_))) => {
                Err(not_as(relation.field(from), from, to))
            }
            _ if is_cut(relation.field(from), to) => Ok(cut(expr, relation.field(from), to)),
            _ => Ok(expr),
        };
    }
    if *found != DataType::Null && !widens(found, to.data_type()) {
        return Err(not_as(relation.field(from), from, to));
    }
    if is_cut(relation.field(from), to) {
        return Ok(cut(expr, relation.field(from), to));
    }
    Ok(crate::query::cast_as_flink(expr, found, to.data_type()))
}

/// A column that is not what the table's column takes.
fn not_as(column: &Field, from: usize, to: &Field) -> Refusal {
    let named = |field: &Field| type_name(field.data_type(), &Detail::of(field));
    let (found, wanted) = (named(column), named(to));
    let (name, cast) = match column.name() {
        unnamed if unnamed.starts_with("EXPR$") => {
            (format!("its column {}", from + 1), format!("CAST(.. AS {wanted}) around it"))
        }
        name => (name.clone(), format!("CAST({name} AS {wanted})")),
    };
    Refusal::new(
        format!("column {} of the table is {wanted}, but the query gives {name} as {found}", to.name()),
        format!("write {cast}, or declare the column as {found}"),
    )
}

/// Whether values of a column lose digits or letters, or get blanks, as values of another.
fn is_cut(from: &Field, to: &Field) -> bool {
    let (has, wanted) = (Detail::of(from), Detail::of(to));
    let fits = match (has.length, wanted.length) {
        (_, None) => true,
        (Some(Length::Fixed(has)), Some(Length::Fixed(wanted))) => has == wanted,
        (Some(Length::Fixed(has) | Length::AtMost(has)), Some(Length::AtMost(wanted))) => has <= wanted,
        (_, Some(_)) => false,
    };
    !fits || !TimeDigits::of_field(from).fit(&TimeDigits::of_field(to))
}

/// The column with the digits and the length of another.
fn cut(expr: Expr, from: &Field, to: &Field) -> Expr {
    cast_expr(
        expr,
        Cast {
            length: Detail::of(to).length,
            digits_from: Some(TimeDigits::of_field(from)),
            digits_to: Some(TimeDigits::of_field(to)),
            ..Cast::to(to.data_type().clone(), UTC)
        },
    )
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

/// Writes all columns of a table whose columns are physical.
fn as_json(target: &SourceTable, table: &str) -> Result<Arc<dyn RowEncoderSpec>, Refusal> {
    let fields = target.schema.fields().clone();
    let format = Arc::new(JsonOptions::default());
    let spec = FormatEncoderSpec::new(format, table, (0..fields.len()).collect(), fields);
    Ok(Arc::new(spec.map_err(|error| refused(table, &error))?))
}

/// The sink of a topic, over rows with the table's physical columns.
fn topic_writer(
    target: &SourceTable,
    topic: &TopicTable,
    table: &str,
) -> Result<Arc<dyn SinkWriter>, Refusal> {
    let physical = physical_columns(target);
    let encoder = |format: &Arc<dyn Format>,
                   declared: &Fields,
                   columns: &[usize]|
     -> Result<Arc<dyn RowEncoderSpec>, Refusal> {
        let places =
            columns.iter().filter_map(|column| physical.iter().position(|other| other == column)).collect();
        let spec = FormatEncoderSpec::new(Arc::clone(format), table, places, declared.clone());
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
    if topic.topics.len() > 1 || topic.pattern.is_some() {
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
    if let Some(outlet) = &topic.outlet {
        let append = AppendSink { table, topic: name, key, value, partitioner: Partitioner::ByTask };
        return Ok(Arc::new(OutletSink { outlet: Arc::clone(outlet), append }));
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
