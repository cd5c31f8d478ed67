//! `SELECT` lists and `WHERE`.

use super::windows::reads_bounds;
use super::{Changes, Lowering, Refusal, Stream};
use crate::expression::{Evaluated, has_subquery, sql_text};
use crate::functions::casting::cast_of;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use millstream_operators::{ColumnRef, Expression, NodeId, NodeSpec, Normalize, Project, StreamKind};
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
                "write IN and EXISTS as conditions of a WHERE, and a query for one value as a JOIN",
            ));
        }
        let relation = input.schema();
        let picked: Vec<Option<usize>> = exprs.iter().map(|expr| picked_column(expr, relation)).collect();
        let changes = if keeps_groups(input, &picked, false) { changes } else { Changes::Both };
        let stream = self.lower(input, changes)?;
        let computed = exprs.iter().zip(&picked).filter(|(_, picked)| picked.is_none());
        let computed = computed.map(|(expr, _)| expr).chain(predicate);
        let stream = match reads_bounds(&stream, relation, computed) {
            true => self.assign_windows(stream)?,
            false => stream,
        };
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
        let mut moved: Vec<Option<usize>> = vec![None; stream.rows.fields().len()];
        for (column, place) in picked.iter().zip(&places) {
            if let Some(from) = column.and_then(|column| stream.place(column)) {
                moved[from] = moved[from].or(*place);
            }
        }
        for from in stream.carried(self.kind(&stream)) {
            if moved[from].is_none() {
                moved[from] = Some(outputs.len());
                outputs.push((stream.rows.field(from).clone(), column_ref(&stream, from)));
            }
        }
        // What tells rows apart does so too when it is written as another type.
        let image = |place: usize| {
            let is_image = |expr: &&Expr| {
                converted_column(expr, relation).map(|column| stream.place(column)) == Some(Some(place))
            };
            let at = exprs.iter().position(|expr| is_image(&expr))?;
            places[at]
        };
        let images = stream.unique.moved(|place| image(place).or(moved[place]));
        let (node, rows) = self.add_project("project", &stream, predicate, outputs)?;
        let stream = stream.over(node, rows, |place| moved[place]);
        let unique = stream.unique.clone().or(images);
        Ok(Stream { unique, ..stream }.with_columns(picked, places))
    }

    /// A projection over the rows of a stream, made for its kind, and what its rows consist of. Rows that it can't compute
    /// meet the policy of the tables they are from.
    pub(crate) fn add_project(
        &mut self,
        what: &str,
        stream: &Stream,
        predicate: Option<Arc<dyn Expression>>,
        outputs: Vec<(Field, Arc<dyn Expression>)>,
    ) -> Result<(NodeId, SchemaRef), Refusal> {
        let rows = Arc::new(Schema::new(outputs.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>()));
        let project = match self.kind(stream) {
            StreamKind::Upsert => Project::of_upserts(predicate, outputs, key_places(stream)?),
            StreamKind::Append | StreamKind::Changelog => Project::new(predicate, outputs),
        };
        let project = project.on_bad(self.bad_policy(&[stream.node]));
        let node = self.add(what, NodeSpec::Operator(Arc::new(project)), &[stream.node])?;
        Ok((node, rows))
    }

    /// Rows that hold the columns of the relation, in their order, and behind them only what has to go with the rows.
    pub(crate) fn compact(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        let known: Vec<usize> = stream.places.iter().flatten().copied().collect();
        let mut kept = known.clone();
        for place in stream.carried(self.kind(&stream)) {
            if !kept.contains(&place) {
                kept.push(place);
            }
        }
        if kept.iter().copied().eq(0..stream.rows.fields().len()) {
            return Ok(stream);
        }
        let output = |place: &usize| {
            (stream.rows.field(*place).clone().with_nullable(true), column_ref(&stream, *place))
        };
        let outputs = kept.iter().map(output).collect();
        let (node, rows) = self.add_project("pick", &stream, None, outputs)?;
        let mut next = 0..known.len();
        let places = stream.places.iter().map(|place| place.and_then(|_| next.next())).collect();
        let stream = stream.over(node, rows, |place| kept.iter().position(|kept| *kept == place));
        Ok(Stream { places, ..stream })
    }

    /// An upsert stream as a changelog of its columns, by keeping its last rows.
    pub(crate) fn normalize(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        let stream = self.compact(stream)?;
        let key = key_places(&stream)?;
        let names: Vec<String> = key.iter().map(|place| stream.rows.field(*place).name().clone()).collect();
        let stream = self.key_by(stream, key)?;
        let operator = Normalize { schema: Arc::clone(&stream.rows), key: names.join(", ") };
        let node = self.add("normalize", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        // Every change now names its whole row: what only told rows apart is needed no more.
        self.compact(Stream { node, keyed: None, ..stream })
    }
}

/// The places that tell the rows of an upsert stream apart.
fn key_places(stream: &Stream) -> Result<Vec<usize>, Refusal> {
    stream.unique.places().map(<[usize]>::to_vec).ok_or_else(|| {
        Refusal::new("nothing tells the rows of this query apart", "select the PRIMARY KEY of its table too")
    })
}

/// A column of the rows, as it is.
pub(crate) fn column_ref(stream: &Stream, place: usize) -> Arc<dyn Expression> {
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

/// The column that an expression is in another type, which has another value for each of its values.
fn converted_column(expr: &Expr, relation: &DFSchema) -> Option<usize> {
    match expr {
        Expr::Alias(alias) => converted_column(&alias.expr, relation),
        Expr::Cast(cast) => {
            let column = picked_column(&cast.expr, relation)?;
            let (from, to) = (relation.field(column).data_type(), cast.field.data_type());
            let wider = matches!((from.primitive_width(), to.primitive_width()), (Some(from), Some(to)) if from <= to);
            let keeps =
                from.is_signed_integer() && (to.is_signed_integer() && wider || *to == DataType::Utf8);
            keeps.then_some(column)
        }
        // A text without a length of its own has all digits of a whole number.
        Expr::ScalarFunction(call) => {
            let (cast, arg) = (cast_of(&call.func)?, call.args.first()?);
            let column = picked_column(arg, relation)?;
            let whole = relation.field(column).data_type().is_signed_integer();
            (whole && cast.to == DataType::Utf8 && cast.length.is_none()).then_some(column)
        }
        _ => None,
    }
}

/// Whether the groups of an aggregation can still be told apart by the picked columns, so that the last row of each is
/// enough; `exactly`: by nothing less than all of them.
pub(super) fn keeps_groups(input: &LogicalPlan, picked: &[Option<usize>], exactly: bool) -> bool {
    let keeps = |groups: usize| {
        let is_group = |column: &Option<usize>| column.is_some_and(|column| column < groups);
        (0..groups).all(|column| picked.contains(&Some(column))) && (!exactly || picked.iter().all(is_group))
    };
    match input {
        LogicalPlan::Aggregate(aggregate) => keeps(aggregate.group_expr.len()),
        LogicalPlan::Distinct(Distinct::All(input)) => keeps(input.schema().fields().len()),
        LogicalPlan::Projection(projection) => {
            let through: Vec<Option<usize>> = picked
                .iter()
                .map(|column| picked_column(&projection.expr[(*column)?], projection.input.schema()))
                .collect();
            keeps_groups(&projection.input, &through, exactly)
        }
        LogicalPlan::SubqueryAlias(alias) => keeps_groups(&alias.input, picked, exactly),
        LogicalPlan::Filter(filter) => keeps_groups(&filter.input, picked, exactly),
        _ => true,
    }
}
