//! `SELECT` lists and `WHERE`.

use super::{Changes, Lowering, Refusal, Stream};
use crate::expression::{Evaluated, sql_text};
use arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::{Expr, LogicalPlan};
use millstream_operators::{ColumnRef, Expression, KeyBy, NodeId, NodeSpec, Normalize, Project, StreamKind};
use std::sync::Arc;

impl Lowering<'_> {
    /// Filter (when `input` is one) and projection, as one operator, or none when columns are only picked.
    pub(super) fn lower_projection(
        &mut self,
        input: &LogicalPlan,
        exprs: &[Expr],
        schema: &DFSchemaRef,
        changes: Changes,
    ) -> Result<Stream, Refusal> {
        let (predicate, input) = match input {
            LogicalPlan::Filter(filter) => (Some(&filter.predicate), filter.input.as_ref()),
            other => (None, other),
        };
        if exprs.iter().chain(predicate).any(has_subquery) {
            return Err(Refusal::new(
                "a query inside an expression is not supported yet",
                "JOIN it: for IN and EXISTS a view of SELECT DISTINCT keys, for NOT IN with LEFT JOIN .. WHERE key IS NULL",
            ));
        }
        let relation = input.schema();
        let picked: Vec<Option<usize>> = exprs.iter().map(|expr| picked_column(expr, relation)).collect();
        let changes = if keeps_groups(input, &picked) { changes } else { Changes::Both };
        let mut stream = self.lower(input, changes)?;
        if self.kind(&stream) == StreamKind::Upsert && !keeps(&picked, stream.unique.as_deref()) {
            stream = self.normalize(stream)?;
        }
        if predicate.is_none() && picked.iter().all(Option::is_some) {
            let places = picked.iter().flatten().map(|column| stream.places[*column]).collect();
            return Ok(stream.with_columns(&picked, places));
        }
        self.project(stream, relation, predicate, exprs, &picked, schema)
    }

    fn project(
        &mut self,
        stream: Stream,
        relation: &DFSchema,
        predicate: Option<&Expr>,
        exprs: &[Expr],
        picked: &[Option<usize>],
        schema: &DFSchemaRef,
    ) -> Result<Stream, Refusal> {
        let columns = self.columns(&stream, relation);
        let evaluated = |expr: &Expr| -> Result<Arc<dyn Expression>, Refusal> {
            let sql = sql_text(&expr.clone().unalias());
            Ok(Arc::new(Evaluated::new(columns.expression(expr)?, &stream.rows, sql)?))
        };
        let predicate = predicate.map(evaluated).transpose()?;
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
        let mut places = Vec::with_capacity(exprs.len());
        for (index, (expr, column)) in exprs.iter().zip(picked).enumerate() {
            if column.is_some_and(|column| stream.places[column].is_none()) {
                places.push(None);
                continue;
            }
            let expression = match column.and_then(|column| stream.place(column)) {
                Some(place) => column_ref(&stream, place),
                None => evaluated(expr)?,
            };
            let field = schema.field(index);
            places.push(Some(outputs.len()));
            outputs.push((Field::new(field.name(), expression.data_type().clone(), true), expression));
        }
        let rows = Arc::new(Schema::new(outputs.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>()));
        let key = match self.kind(&stream) {
            StreamKind::Upsert => Some(key_places(&stream)?),
            _ => None,
        };
        let project = match key {
            Some(key) => Project::of_upserts(predicate, outputs, key),
            None => Project::new(predicate, outputs),
        };
        let node = self.add_project("project", project, stream.node)?;
        Ok(Stream { node, rows, keyed: None, ..stream.with_columns(picked, places) })
    }

    /// Adds a projection of the rows of a node. Rows that it can't compute meet the policy of the tables they are from.
    pub(super) fn add_project(
        &mut self,
        what: &str,
        project: Project,
        input: NodeId,
    ) -> Result<NodeId, Refusal> {
        let project = project.on_bad(self.bad_policy(&[input]));
        self.add(what, NodeSpec::Operator(Arc::new(project)), &[input])
    }

    /// Rows that hold the columns of the relation and no others, in their order.
    pub(crate) fn compact(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        let identity = stream.places.iter().enumerate().all(|(column, place)| *place == Some(column));
        if identity && stream.rows.fields().len() == stream.places.len() {
            return Ok(stream);
        }
        let mut outputs = Vec::new();
        for place in stream.places.iter().flatten() {
            let field = stream.rows.field(*place);
            outputs.push((field.clone().with_nullable(true), column_ref(&stream, *place)));
        }
        let rows = Arc::new(Schema::new(outputs.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>()));
        let places = (0..outputs.len()).map(Some).collect();
        let project = match self.kind(&stream) {
            StreamKind::Upsert => Project::of_upserts(None, outputs, key_places(&stream)?),
            _ => Project::new(None, outputs),
        };
        let node = self.add_project("pick", project, stream.node)?;
        Ok(Stream { node, rows, places, keyed: None, ..stream })
    }

    /// An upsert stream as a changelog, by keeping its last rows.
    pub(crate) fn normalize(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        let stream = self.compact(stream)?;
        let key = key_places(&stream)?;
        let stream = self.key_by(stream, key)?;
        let names: Vec<&str> =
            stream.unique.iter().flatten().map(|column| stream.rows.field(*column).name().as_str()).collect();
        let operator = Normalize { schema: Arc::clone(&stream.rows), key: names.join(", ") };
        let node = self.add("normalize", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        Ok(Stream { node, keyed: None, ..stream })
    }

    /// Keys the rows by these places.
    pub(crate) fn key_by(&mut self, stream: Stream, places: Vec<usize>) -> Result<Stream, Refusal> {
        if stream.keyed.as_ref() == Some(&places) {
            return Ok(stream);
        }
        let column = |place: &usize| {
            let field = stream.rows.field(*place);
            (*place, field.name().clone(), field.data_type().clone())
        };
        let key_by = KeyBy::new(places.iter().map(column).collect()).map_err(|data_type| {
            let sql_type = millstream_operators::formats::sql_type(&data_type);
            Refusal::new(
                format!("rows can't be grouped or joined by a column of type {sql_type}"),
                "use one of its fields",
            )
        })?;
        let node = self.add("key", NodeSpec::Operator(Arc::new(key_by)), &[stream.node])?;
        Ok(Stream { node, keyed: Some(places), ..stream })
    }
}

/// The places of the columns that name a row.
fn key_places(stream: &Stream) -> Result<Vec<usize>, Refusal> {
    let unique = stream.unique.as_deref().unwrap_or_default();
    let places: Option<Vec<usize>> = unique.iter().map(|column| stream.place(*column)).collect();
    places.ok_or_else(|| {
        Refusal::new("the key of the rows is not among their columns", "select the key columns too")
    })
}

pub(super) fn column_ref(stream: &Stream, place: usize) -> Arc<dyn Expression> {
    let field = stream.rows.field(place);
    Arc::new(ColumnRef::new(place, field.name(), field.data_type().clone()))
}

/// The column of `relation` that an expression is, under whatever name.
pub(crate) fn picked_column(expr: &Expr, relation: &DFSchema) -> Option<usize> {
    match expr {
        Expr::Alias(alias) => picked_column(&alias.expr, relation),
        Expr::Column(column) => relation.maybe_index_of_column(column),
        _ => None,
    }
}

/// Whether a query stands in an expression.
fn has_subquery(expr: &Expr) -> bool {
    let is_query = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_)
        ))
    };
    expr.exists(is_query).unwrap_or(true)
}

fn keeps(picked: &[Option<usize>], key: Option<&[usize]>) -> bool {
    key.is_some_and(|key| key.iter().all(|column| picked.contains(&Some(*column))))
}

/// Whether the groups of an aggregation can still be told apart by the picked columns.
fn keeps_groups(input: &LogicalPlan, picked: &[Option<usize>]) -> bool {
    match input {
        LogicalPlan::Aggregate(aggregate) => {
            let groups = aggregate.group_expr.len();
            (0..groups).all(|column| picked.contains(&Some(column)))
        }
        LogicalPlan::Projection(projection) => {
            let through: Vec<Option<usize>> = picked
                .iter()
                .map(|column| picked_column(&projection.expr[(*column)?], projection.input.schema()))
                .collect();
            keeps_groups(&projection.input, &through)
        }
        LogicalPlan::SubqueryAlias(alias) => keeps_groups(&alias.input, picked),
        LogicalPlan::Filter(filter) => keeps_groups(&filter.input, picked),
        _ => true,
    }
}
