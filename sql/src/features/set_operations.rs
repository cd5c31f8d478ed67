//! `INTERSECT ALL` and `EXCEPT ALL`: each row as often as both sides have it, or as the left has it more often.
//!
//! The planner makes a semi join or an anti join of them, as of `INTERSECT` and `EXCEPT`, but without the `DISTINCT` below:
//! that is found again here, before anything else is made of it. Where the left side is distinct by itself both come to the
//! same.

use super::{Feature, plan_of, top_n};
use crate::expression::{Evaluated, sql_text};
use crate::lower::{Changes, Lowering, PartitionedBy, Partitioning, Refusal, Stream, column_ref};
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, DFSchema, DFSchemaRef, JoinType, NullEquality, Result, plan_err};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, Projection,
    WindowFunctionDefinition, cast,
};
use datafusion::physical_expr::expressions::{CastExpr, Column as Place};
use millstream_operators::formats::sql_type;
use millstream_operators::{Expression, NodeSpec, SetKind, SetOperation, StreamKind};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// `left INTERSECT ALL right` or `left EXCEPT ALL right`: the columns of the left side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetRows {
    left: LogicalPlan,
    right: LogicalPlan,
    kind: SetKind,
    schema: DFSchemaRef,
}

impl SetRows {
    fn new(left: LogicalPlan, right: LogicalPlan, kind: SetKind) -> Self {
        let schema = Arc::clone(left.schema());
        SetRows { left, right, kind, schema }
    }

    fn join_type(&self) -> JoinType {
        match self.kind {
            SetKind::IntersectAll => JoinType::LeftSemi,
            SetKind::ExceptAll => JoinType::LeftAnti,
        }
    }
}

impl Hash for SetRows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.left, &self.right, self.join_type()).hash(state);
    }
}

impl PartialOrd for SetRows {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.left.partial_cmp(&other.left)
    }
}

impl UserDefinedLogicalNodeCore for SetRows {
    fn name(&self) -> &str {
        "SetRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetRows: {:?}", self.kind)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (inputs.pop(), inputs.pop()) {
            (Some(right), Some(left)) => Ok(SetRows::new(left, right, self.kind)),
            _ => plan_err!("a set operation has two inputs"),
        }
    }
}

impl Feature for SetRows {
    fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(recognise).data()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        let types = common_types(self.left.schema(), self.right.schema())?;
        let left = side(lowering, &self.left, &types)?;
        let right = side(lowering, &self.right, &types)?;
        let operator = SetOperation { kind: self.kind, schema: Arc::clone(&left.rows) };
        let inputs = [left.node, right.node];
        let node = lowering.add("set operation", NodeSpec::Operator(Arc::new(operator)), &inputs)?;
        let places = (0..left.rows.fields().len()).collect();
        let rows = Arc::clone(&left.rows);
        let stream = Stream {
            has_watermark: left.has_watermark && right.has_watermark,
            partitioning: Some(Partitioning { places, by: PartitionedBy::EncodedKey }),
            ..left.made_into(node, rows)
        };
        self.as_on_the_left(lowering, stream)
    }

    fn batch(&self) -> Option<Result<LogicalPlan>> {
        Some(self.numbered())
    }
}

impl SetRows {
    /// Rows in the types of the left side, in which all that come out are.
    fn as_on_the_left(&self, lowering: &mut Lowering<'_>, stream: Stream) -> Result<Stream, Refusal> {
        let wanted: Vec<&DataType> = self.schema.fields().iter().map(|field| field.data_type()).collect();
        let found = stream.rows.fields().iter().map(|field| field.data_type());
        if found.eq(wanted.iter().copied()) {
            return Ok(stream);
        }
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
        for (place, wanted) in wanted.into_iter().enumerate() {
            let field = stream.rows.field(place);
            let output: Arc<dyn Expression> = match field.data_type() == wanted {
                true => column_ref(&stream, place),
                false => {
                    let column = Arc::new(Place::new(field.name(), place));
                    let cast = Arc::new(CastExpr::new(column, wanted.clone(), None));
                    let sql = format!("CAST({} AS {})", field.name(), sql_type(wanted));
                    Arc::new(Evaluated::new(cast, &stream.rows, sql)?)
                }
            };
            outputs.push((Field::new(field.name(), wanted.clone(), true), output));
        }
        let (node, rows) = lowering.add_project("project", &stream, None, outputs)?;
        Ok(stream.over(node, rows, Some))
    }

    /// The same for a batch engine: the first, the second, the third of equal rows are other rows than one another.
    fn numbered(&self) -> Result<LogicalPlan> {
        let (left, of_left) = with_number(&self.left)?;
        let (right, of_right) = with_number(&self.right)?;
        let joined = LogicalPlanBuilder::from(left).join_detailed(
            right,
            self.join_type(),
            (of_left, of_right),
            None,
            NullEquality::NullEqualsNull,
        )?;
        joined.project(self.schema.iter().map(Expr::from).collect::<Vec<_>>())?.build()
    }
}

/// Puts the node in the place of the join that the planner has made.
fn recognise(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = &plan else { return Ok(Transformed::no(plan)) };
    let kind = match join.join_type {
        JoinType::LeftSemi => SetKind::IntersectAll,
        JoinType::LeftAnti => SetKind::ExceptAll,
        _ => return Ok(Transformed::no(plan)),
    };
    if !is_of_whole_rows(join) || matches!(*join.left, LogicalPlan::Distinct(Distinct::All(_))) {
        return Ok(Transformed::no(plan));
    }
    let (left, right) = (join.left.as_ref().clone(), join.right.as_ref().clone());
    let plan = plan_of(SetRows::new(left, right, kind));
    // What is compared with the rows of a query looks for its column in a node of the planner's.
    let columns: Vec<Expr> = plan.schema().iter().map(Expr::from).collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
}

/// Whether rows are compared whole, with nulls equal to nulls: no other join is written so.
fn is_of_whole_rows(join: &Join) -> bool {
    let columns = [&join.left, &join.right].map(|side| side.schema().fields().len());
    join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && columns == [join.on.len(); 2]
}

/// A side with no columns but its own, in these types, in the tasks and with the keys of its whole rows.
fn side(lowering: &mut Lowering<'_>, plan: &LogicalPlan, types: &[DataType]) -> Result<Stream, Refusal> {
    let input = lowering.lower(plan, Changes::Both)?;
    let input = lowering.assign_windows(input)?;
    let input = match lowering.kind(&input) {
        StreamKind::Upsert => lowering.normalize(input)?,
        StreamKind::Append | StreamKind::Changelog => input,
    };
    let input = lowering.compact(input)?;
    let input = in_types(lowering, input, plan.schema(), types)?;
    let places: Vec<usize> = (0..input.rows.fields().len()).collect();
    lowering.exchange(input, places, PartitionedBy::EncodedKey)
}

/// Rows that consist of the columns of a relation, in these types.
fn in_types(
    lowering: &mut Lowering<'_>,
    input: Stream,
    relation: &DFSchema,
    types: &[DataType],
) -> Result<Stream, Refusal> {
    let is_whole = input.places.iter().copied().eq((0..types.len()).map(Some));
    let found = input.rows.fields().iter().map(|field| field.data_type());
    if is_whole && found.eq(types) {
        return Ok(input);
    }
    let columns = lowering.columns(&input, relation);
    let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
    for (column, wanted) in types.iter().enumerate() {
        let (qualifier, field) = relation.qualified_field(column);
        let expr = Expr::from((qualifier, field));
        let expr = if field.data_type() == wanted { expr } else { cast(expr, wanted.clone()) };
        let output: Arc<dyn Expression> =
            Arc::new(Evaluated::new(columns.expression(&expr)?, &input.rows, sql_text(&expr))?);
        outputs.push((Field::new(field.name(), wanted.clone(), true), output));
    }
    let (node, rows) = lowering.add_project("project", &input, None, outputs)?;
    let places = (0..types.len()).map(Some).collect();
    let stream = input.over(node, rows, |_| None);
    Ok(Stream { places, ..stream })
}

/// By column the type that both sides are compared as.
fn common_types(left: &DFSchema, right: &DFSchema) -> Result<Vec<DataType>, Refusal> {
    let common = |(one, other): (&Arc<Field>, &Arc<Field>)| {
        let (of_one, of_other) = (one.data_type(), other.data_type());
        if of_one == of_other {
            return Ok(of_one.clone());
        }
        comparison_coercion(of_one, of_other).ok_or_else(|| {
            let (found, beside) = (sql_type(of_one), sql_type(of_other));
            Refusal::new(
                format!(
                    "{} and {} can't be compared: they are {found} and {beside}",
                    one.name(),
                    other.name()
                ),
                "CAST one of them to the type of the other",
            )
        })
    };
    left.fields().iter().zip(right.fields()).map(common).collect()
}

/// Rows with a number among those that are equal to them, and the columns of both.
fn with_number(plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<Column>)> {
    let Some(function) = top_n::functions::named("ROW_NUMBER") else { return plan_err!("no ROW_NUMBER") };
    let columns: Vec<Expr> = plan.schema().iter().map(Expr::from).collect();
    let number = Expr::from(WindowFunction::new(WindowFunctionDefinition::WindowUDF(function), Vec::new()));
    let order = columns.iter().take(1).map(|column| column.clone().sort(true, true)).collect();
    let number = number.partition_by(columns).order_by(order).build()?;
    let plan = LogicalPlanBuilder::from(plan.clone()).window(vec![number])?.build()?;
    let all = plan.schema().columns();
    Ok((plan, all))
}
