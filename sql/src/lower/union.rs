//! `UNION ALL`. (`UNION` is the distinct rows of it.)

use super::clock::keyable;
use super::project::column_ref;
use super::{Changes, Lowering, PartitionedBy, Refusal, Stream};
use crate::expression::{Evaluated, sql_text};
use arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::{Expr, LogicalPlan, Union as UnionPlan};
use millstream_operators::{Expression, NodeId, NodeSpec, StreamKind, Union};
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn lower_union(&mut self, union: &UnionPlan) -> Result<Stream, Refusal> {
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for part in flattened(union) {
            inputs.push(self.union_input(part, union)?);
        }
        let Some(first) = inputs.first().cloned() else {
            return Err(Refusal::new("a UNION of nothing", "write a query on each side of it"));
        };
        if inputs.iter().any(|input| input.late != first.late) {
            return Err(Refusal::new(
                "the tables of a UNION treat late rows differently",
                "give all of them the same 'scan.late-records'",
            ));
        }
        let field = |(index, field): (usize, &Arc<Field>)| {
            Field::new(field.name(), first.rows.field(index).data_type().clone(), true)
        };
        let rows =
            Arc::new(Schema::new(union.schema.fields().iter().enumerate().map(field).collect::<Vec<_>>()));
        let mut nodes: Vec<NodeId> = inputs.iter().map(|input| input.node).collect();
        if self.topology.would_feed_itself(&nodes) {
            nodes = inputs.iter().map(|input| self.moved_on(input.clone())).collect::<Result<_, _>>()?;
        }
        let operator = Union { schema: Arc::clone(&rows), inputs: nodes.len() };
        let node = self.add("union", NodeSpec::Operator(Arc::new(operator)), &nodes)?;
        // A row of one part may be the same as one of another, and stand in another task.
        Ok(Stream {
            time: first.time.filter(|_| inputs.iter().all(|input| input.time == first.time)),
            has_watermark: inputs.iter().all(|input| input.has_watermark),
            ..first.made_into(node, rows)
        })
    }

    /// The rows of a part in tasks of their own, by all columns that can be part of a key.
    fn moved_on(&mut self, input: Stream) -> Result<NodeId, Refusal> {
        let places = keyable(&input);
        Ok(self.exchange(input, places, PartitionedBy::EncodedKey)?.node)
    }

    /// A part of a union: its columns and no others, in the types of the union.
    fn union_input(&mut self, part: &LogicalPlan, union: &UnionPlan) -> Result<Stream, Refusal> {
        let input = self.lower(part, Changes::Both)?;
        let input = self.assign_windows(input)?;
        let input = match self.kind(&input) {
            StreamKind::Upsert => self.normalize(input)?,
            StreamKind::Append | StreamKind::Changelog => input,
        };
        let input = self.compact(input)?;
        let wanted = union.schema.fields().iter().map(|field| field.data_type());
        let found = input.rows.fields().iter().map(|field| field.data_type());
        if wanted.clone().eq(found) {
            return Ok(input);
        }
        let relation = part.schema();
        let columns = self.columns(&input, relation);
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
        for (index, wanted) in wanted.enumerate() {
            let field = Field::new(input.rows.field(index).name(), wanted.clone(), true);
            let output: Arc<dyn Expression> = match input.rows.field(index).data_type() == wanted {
                true => column_ref(&input, index),
                false => {
                    let column = Expr::from(relation.qualified_field(index));
                    let cast = datafusion::logical_expr::cast(column, wanted.clone());
                    Arc::new(Evaluated::new(columns.expression(&cast)?, &input.rows, sql_text(&cast))?)
                }
            };
            outputs.push((field, output));
        }
        let (node, rows) = self.add_project("project", &input, None, outputs)?;
        Ok(input.over(node, rows, Some))
    }
}

/// The parts of a union, and of the unions that are parts of it.
fn flattened(union: &UnionPlan) -> Vec<&LogicalPlan> {
    let parts = union.inputs.iter().map(|input| input.as_ref());
    let flat = parts.flat_map(|part| match part {
        LogicalPlan::Union(inner)
            if inner.schema.fields().iter().map(|field| field.data_type()).eq(union
                .schema
                .fields()
                .iter()
                .map(|field| field.data_type())) =>
        {
            flattened(inner)
        }
        other => vec![other],
    });
    flat.collect()
}
