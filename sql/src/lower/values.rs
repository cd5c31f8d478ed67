//! Rows that stand in the query: `VALUES`, and a query without a table, which is one row.

use super::{Lowering, Refusal, RowKey, Stream, Times};
use crate::expression::{Columns, Evaluated, sql_text};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{EmptyRelation, Expr, Values as ValuesNode};
use millstream_connectors::numbers::Numbers;
use millstream_connectors::values::{Values, identity};
use millstream_operators::source::{Bounded, Policy, SourceSpec, Startup};
use millstream_operators::{Expression, ExpressionCx, NodeSpec, StreamKind};
use std::sync::Arc;

/// How many rows are written out where a plan is shown.
const SHOWN_MAX: usize = 3;

impl Lowering<'_> {
    /// `VALUES (1, 'a'), (2, 'b')`
    pub(super) fn lower_values(&mut self, values: &ValuesNode) -> Result<Stream, Refusal> {
        let rows = evaluated(values)?;
        let shown = values.values.iter().take(SHOWN_MAX).map(|row| {
            let row: Vec<String> = row.iter().map(sql_text).collect();
            format!("({})", row.join(", "))
        });
        let more = if values.values.len() > SHOWN_MAX { ", .." } else { "" };
        let text = format!("values {}{more}", shown.collect::<Vec<_>>().join(", "));
        self.add_values(Values::new(rows, text))
    }

    /// A query without a table: one row without columns, or none where its condition never holds.
    pub(super) fn lower_empty(&mut self, empty: &EmptyRelation) -> Result<Stream, Refusal> {
        let schema: SchemaRef = Arc::new(empty.schema.as_arrow().clone());
        let columns: Vec<ArrayRef> =
            schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
        let count = usize::from(empty.produce_one_row);
        let rows = batch(schema, columns, count)?;
        self.add_values(Values::new(rows, if count == 1 { "one row" } else { "no row" }))
    }

    fn add_values(&mut self, values: Values) -> Result<Stream, Refusal> {
        // Named by what they are, so that other rows are another input.
        let identity = identity(&values);
        let topic = format!("values:{:016x}", (identity >> 64) as u64);
        if let Some(stream) = self.sources.get(&topic) {
            return Ok(stream.clone());
        }
        let feed = Numbers {
            topic: topic.clone(),
            what: "rows of the query".to_owned(),
            identity,
            partitions: 1,
            rows: Some(values.count()),
            per_second: None,
        };
        let rows = values.schema();
        let name = self.free_name(format!("{} / values", self.scope));
        let spec = SourceSpec {
            table: name.clone(),
            topics: vec![topic.clone()],
            pattern: None,
            feed: Some(Arc::new(feed)),
            decoder: Arc::new(values),
            kind: StreamKind::Append,
            event_time: None,
            idle_timeout_ms: 0,
            discovery_interval_ms: None,
            startup: Startup::Earliest,
            bounded: Bounded::Latest,
            bad_records: Policy::Fail,
            dead_letters: None,
        };
        let node = self.topology.add(name, NodeSpec::Source(Arc::new(spec)), &[])?;
        let stream = Stream {
            node,
            places: (0..rows.fields().len()).map(Some).collect(),
            rows,
            time: None,
            times: Times::Event,
            has_watermark: false,
            windows: None,
            within: None,
            unique: RowKey::Unknown,
            partitioning: None,
            keyed: None,
            late: Policy::Fail,
        };
        self.sources.insert(topic, stream.clone());
        Ok(stream)
    }
}

/// The values of all rows, each a constant.
fn evaluated(values: &ValuesNode) -> Result<RecordBatch, Refusal> {
    let schema = values.schema.as_arrow();
    let mut columns = Vec::with_capacity(schema.fields().len());
    let mut fields = Vec::with_capacity(schema.fields().len());
    for (index, field) in schema.fields().iter().enumerate() {
        let cells = values.values.iter().filter_map(|row| row.get(index)).map(constant);
        let cells = cells.collect::<Result<Vec<ArrayRef>, Refusal>>()?;
        let column = one_type(&cells, field)?;
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    batch(Arc::new(Schema::new(fields)), columns, values.values.len())
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, count: usize) -> Result<RecordBatch, Refusal> {
    let count = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema, columns, &count).map_err(|error| {
        Refusal::new(format!("the rows of VALUES do not fit together: {error}"), "give each column one type")
    })
}

/// The value of an expression that reads no column.
fn constant(expr: &Expr) -> Result<ArrayRef, Refusal> {
    let nothing: SchemaRef = Arc::new(Schema::empty());
    let over = Columns { relation: &DFSchema::empty(), places: &[], rows: &nothing, clock: false };
    let evaluated = Evaluated::new(over.expression(expr)?, &nothing, sql_text(expr))?;
    let row = batch(nothing, Vec::new(), 1)?;
    evaluated.evaluate(&row, &ExpressionCx { now_ms: 0 }).map_err(|error| {
        Refusal::new(format!("{} has no value: {error}", sql_text(expr)), "write another value")
    })
}

/// Values of one column; nulls have its type.
fn one_type(cells: &[ArrayRef], field: &Field) -> Result<ArrayRef, Refusal> {
    let data_type = cells.iter().map(|cell| cell.data_type()).find(|found| **found != DataType::Null);
    let data_type = data_type.unwrap_or(field.data_type());
    let typed = cells.iter().map(|cell| match cell.data_type() {
        DataType::Null => Ok(arrow::array::new_null_array(data_type, cell.len())),
        found if found == data_type => Ok(Arc::clone(cell)),
        found => {
            let (one, other) = (sql(data_type), sql(found));
            let message = format!("a column of VALUES has values of type {one} and of type {other}");
            Err(Refusal::new(message, format!("CAST them to {one}")))
        }
    });
    let typed = typed.collect::<Result<Vec<ArrayRef>, Refusal>>()?;
    let typed: Vec<&dyn Array> = typed.iter().map(AsRef::as_ref).collect();
    match typed.is_empty() {
        true => Ok(new_empty_array(data_type)),
        false => concat(&typed).map_err(|error| Refusal { message: error.to_string(), help: None }),
    }
}

fn sql(data_type: &DataType) -> String {
    millstream_operators::formats::sql_type(data_type)
}
