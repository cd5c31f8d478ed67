//! Finds in a plan what only keeps the first rows: a filter over a rank, and a limit.

use super::RankedRows;
use super::functions::rank_function;
use crate::features::plan_of;
use crate::lower::picked_column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Extension, FetchType, Filter, Limit, LogicalPlan, LogicalPlanBuilder, Operator,
    Projection, SkipType, SortExpr, Window,
};
use millstream_operators::RankFunction;
use std::sync::Arc;

/// Puts [`RankedRows`] in the place of ranks that are filtered, and of limits.
pub(super) fn recognise(plan: LogicalPlan) -> Result<LogicalPlan> {
    let found = plan.transform_down(|node| match &node {
        LogicalPlan::Filter(filter) => Ok(match filtered_rank(filter)? {
            Some(ranked) => Transformed::yes(ranked),
            None => Transformed::no(node),
        }),
        LogicalPlan::Limit(limit) => Ok(Transformed::yes(limited(limit)?)),
        _ => Ok(Transformed::no(node)),
    });
    Ok(found?.data)
}

/// Leaves the rank out where the columns that are selected right above do without it.
pub(super) fn drop_unread_ranks(plan: LogicalPlan) -> Result<LogicalPlan> {
    let found = plan.transform_down(|node| {
        let LogicalPlan::Projection(projection) = &node else { return Ok(Transformed::no(node)) };
        let LogicalPlan::Extension(Extension { node: below }) = projection.input.as_ref() else {
            return Ok(Transformed::no(node));
        };
        let Some(ranked) = below.as_any().downcast_ref::<RankedRows>().filter(|ranked| ranked.with_rank)
        else {
            return Ok(Transformed::no(node));
        };
        let rank = ranked.schema.fields().len() - 1;
        let reads = |expr: &Expr| {
            let columns = expr.column_refs();
            columns.into_iter().any(|column| ranked.schema.maybe_index_of_column(column) == Some(rank))
        };
        if projection.expr.iter().any(reads) {
            return Ok(Transformed::no(node));
        }
        let input = Arc::new(plan_of(ranked.without_rank()));
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(projection.expr.clone(), input)?)))
    });
    Ok(found?.data)
}

/// The ranks that pass.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    first: i64,
    last: Option<i64>,
}

impl Bounds {
    const ALL: Bounds = Bounds { first: 1, last: None };

    /// With `rank operator value` beside the others.
    fn narrowed(self, operator: Operator, value: i64) -> Bounds {
        let least = |last: i64| Some(self.last.map_or(last, |other| other.min(last)));
        match operator {
            Operator::LtEq => Bounds { last: least(value), ..self },
            Operator::Lt => Bounds { last: least(value.saturating_sub(1)), ..self },
            Operator::GtEq => Bounds { first: self.first.max(value), ..self },
            Operator::Gt => Bounds { first: self.first.max(value.saturating_add(1)), ..self },
            _ => Bounds { first: self.first.max(value), last: least(value) },
        }
    }
}

/// A filter that bounds a rank, as the rows that pass; other conditions stay above them.
fn filtered_rank(filter: &Filter) -> Result<Option<LogicalPlan>> {
    let relation = filter.input.schema();
    let (mut bounds, mut rank, mut rest) = (Bounds::ALL, None, Vec::new());
    for condition in split_conjunction_owned(filter.predicate.clone()) {
        let bound = bound_of(&condition, relation)
            .filter(|(column, _, _)| rank.unwrap_or(*column) == *column && is_rank(&filter.input, *column));
        match bound {
            Some((column, operator, value)) => {
                (rank, bounds) = (Some(column), bounds.narrowed(operator, value));
            }
            None => rest.push(condition),
        }
    }
    let Some(rank) = rank else { return Ok(None) };
    let Some(last) = bounds.last else {
        return plan_err!(
            "{} has no upper bound: all rows would be kept and numbered again with each that comes; add <= to its condition",
            relation.field(rank).name()
        );
    };
    if last < bounds.first {
        return plan_err!("no row has a {} from {} to {last}", relation.field(rank).name(), bounds.first);
    }
    let ranked = replace_window(&filter.input, (bounds.first.max(1) as u64, last as u64))?;
    Ok(Some(match conjunction(rest) {
        Some(rest) => LogicalPlanBuilder::from(ranked).filter(rest)?.build()?,
        None => ranked,
    }))
}

/// `column operator number`, whichever way round.
fn bound_of(condition: &Expr, relation: &DFSchema) -> Option<(usize, Operator, i64)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let (column, operator, number) = match (picked_column(left, relation), picked_column(right, relation)) {
        (Some(column), None) => (column, *op, right),
        (None, Some(column)) => (column, op.swap()?, left),
        _ => return None,
    };
    let bounds = [Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq, Operator::Eq];
    match (bounds.contains(&operator), number.as_ref()) {
        (true, Expr::Literal(ScalarValue::Int64(Some(value)), _)) => Some((column, operator, *value)),
        _ => None,
    }
}

/// Whether a column of a plan is a rank, under whatever names it came here.
fn is_rank(plan: &LogicalPlan, column: usize) -> bool {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => is_rank(&alias.input, column),
        LogicalPlan::Projection(projection) => {
            let inner = picked_column(&projection.expr[column], projection.input.schema());
            inner.is_some_and(|inner| is_rank(&projection.input, inner))
        }
        LogicalPlan::Window(window) => {
            let call = column.checked_sub(window.input.schema().fields().len());
            call.and_then(|call| window.window_expr.get(call)).is_some_and(|call| rank_call(call).is_some())
        }
        _ => false,
    }
}

fn rank_call(expr: &Expr) -> Option<(RankFunction, &WindowFunctionParams)> {
    match expr {
        Expr::Alias(alias) => rank_call(&alias.expr),
        Expr::WindowFunction(call) => {
            let WindowFunction { fun, params } = call.as_ref();
            Some((rank_function(fun)?, params))
        }
        _ => None,
    }
}

/// The plan with ranked rows in the place of the window at its end.
fn replace_window(plan: &LogicalPlan, bounds: (u64, u64)) -> Result<LogicalPlan> {
    if let LogicalPlan::Window(window) = plan {
        return ranked_window(window, bounds);
    }
    let [input] = plan.inputs()[..] else { return plan_err!("a rank has one input") };
    let input = replace_window(input, bounds)?;
    plan.with_new_exprs(plan.expressions(), vec![input])
}

fn ranked_window(window: &Window, bounds: (u64, u64)) -> Result<LogicalPlan> {
    let [call] = window.window_expr.as_slice() else {
        return plan_err!("several functions OVER one window: rank in one query, and aggregate in another");
    };
    let Some((function, params)) = rank_call(call) else {
        return plan_err!("{call} is no rank");
    };
    let WindowFunctionParams { partition_by, order_by, .. } = params;
    if order_by.is_empty() {
        return plan_err!("{} needs an ORDER BY in its OVER", function.name());
    }
    ranked(&window.input, function, partition_by, order_by, bounds, Some(&window.schema))
}

/// Ranked rows of `input`; expressions that they go by are columns of a projection below them.
fn ranked(
    input: &Arc<LogicalPlan>,
    function: RankFunction,
    partition_by: &[Expr],
    order_by: &[SortExpr],
    bounds: (u64, u64),
    with_rank: Option<&Arc<DFSchema>>,
) -> Result<LogicalPlan> {
    let relation = input.schema();
    let mut computed: Vec<Expr> = Vec::new();
    let mut column_of = |expr: &Expr| match picked_column(expr, relation) {
        Some(column) => Expr::from(relation.qualified_field(column)),
        None => {
            let name = format!("rank key {}", computed.len() + 1);
            computed.push(expr.clone().alias(&name));
            datafusion::logical_expr::ident(name)
        }
    };
    let partition_by: Vec<Expr> = partition_by.iter().map(&mut column_of).collect();
    let order_by: Vec<SortExpr> =
        order_by.iter().map(|sort| SortExpr { expr: column_of(&sort.expr), ..sort.clone() }).collect();
    let schema = with_rank.map_or_else(|| Arc::clone(relation), Arc::clone);
    if computed.is_empty() {
        let input = input.as_ref().clone();
        return Ok(plan_of(RankedRows::new(input, function, partition_by, order_by, bounds, schema)));
    }
    let columns: Vec<Expr> = relation.iter().map(Expr::from).chain(computed).collect();
    let wide = LogicalPlanBuilder::from(input.as_ref().clone()).project(columns)?.build()?;
    let rank = with_rank.map(|schema| schema.qualified_field(relation.fields().len()));
    let fields = wide.schema().iter().chain(rank);
    let fields = fields.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
    let wide_schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
    let ranked = plan_of(RankedRows::new(wide, function, partition_by, order_by, bounds, wide_schema));
    let columns: Vec<Expr> = schema.iter().map(Expr::from).collect();
    LogicalPlanBuilder::from(ranked).project(columns)?.build()
}

/// `ORDER BY .. LIMIT n OFFSET m`.
fn limited(limit: &Limit) -> Result<LogicalPlan> {
    let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
        (limit.get_skip_type()?, limit.get_fetch_type()?)
    else {
        return plan_err!("LIMIT and OFFSET take numbers");
    };
    let Some(fetch) = fetch.filter(|fetch| *fetch > 0) else {
        return plan_err!("OFFSET without a LIMIT, or a LIMIT of no rows: say how many rows are kept");
    };
    let bounds = (skip as u64 + 1, skip.saturating_add(fetch) as u64);
    match limit.input.as_ref() {
        LogicalPlan::Sort(sort) => {
            ranked(&sort.input, RankFunction::RowNumber, &[], &sort.expr, bounds, None)
        }
        // The columns of a query may be picked behind its order.
        LogicalPlan::Projection(projection) if matches!(projection.input.as_ref(), LogicalPlan::Sort(_)) => {
            let below = Limit { input: Arc::clone(&projection.input), ..limit.clone() };
            let input = Arc::new(limited(&below)?);
            Ok(LogicalPlan::Projection(Projection::try_new(projection.expr.clone(), input)?))
        }
        _ => ranked(&limit.input, RankFunction::RowNumber, &[], &[], bounds, None),
    }
}
