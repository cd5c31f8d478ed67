//! From DataFusion's plan of a query to the plan that is lowered: the nodes of the features, Flink's meaning of aggregates, types, constants, and only the columns that are needed.

use super::joins::place_conditions;
use super::marks::{check_marked, mark};
use super::provider::Names;
use super::subqueries::{self, check_values};
use super::typing::{type_node, type_plan};
use crate::features::{self, over, proctime};
use crate::functions::aggregates::squares;
use crate::functions::casting::{cast_expr, is_plain};
use crate::functions::time::zone::{UTC, Zone};
use crate::functions::unzoned;
use crate::functions::values::cast::Cast as To;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, Result, plan_err};
use datafusion::functions_aggregate::{count::count_udaf, sum::sum_udaf};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, ScalarFunction};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, cast, lit, when};
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Analyzer, Optimizer, OptimizerContext, OptimizerRule};
use std::sync::Arc;

/// The plan with Flink's meaning, its types settled. This is what a batch engine can be asked for the same answer.
pub(crate) fn analyze(plan: LogicalPlan, names: &Names) -> Result<LogicalPlan> {
    let plan = features::analyzed(plan)?;
    let plan = type_plan(plan, names.zone())?;
    let plan = plan.transform_up_with_subqueries(|plan| flink_aggregates(plan, names.zone()))?.data;
    let plan = plan.transform_up_with_subqueries(|plan| over::flink_windows(plan, names.zone()))?.data;
    let analyzer = Analyzer::with_rules(vec![Arc::new(TypeCoercion::new())]);
    let plan = analyzer.execute_and_check(plan, names.config(), |_, _| {})?;
    mark(plan, names)
}

/// Constants computed, conditions with the joins they are of, and only the columns that are needed.
pub(crate) fn optimize(plan: LogicalPlan, names: &Names) -> Result<LogicalPlan> {
    check_values(&plan)?;
    check_marked(&plan)?;
    let context = OptimizerContext::new_with_config_options(Arc::new(subqueries::config(names)));
    let apply = |plan: LogicalPlan, rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>| {
        Optimizer::with_rules(rules).optimize(plan, &context, |_, _| {})
    };
    // IN, EXISTS and queries for a value become joins.
    let plan = apply(
        plan,
        vec![Arc::new(DecorrelatePredicateSubquery::new()), Arc::new(ScalarSubqueryToJoin::new())],
    )?;
    let plan = apply(plan, vec![Arc::new(SimplifyExpressions::new()), Arc::new(EliminateCrossJoin::new())])?;
    let plan = place_conditions(plan)?;
    let plan = apply(plan, vec![Arc::new(SimplifyExpressions::new()), Arc::new(OptimizeProjections::new())])?;
    // A rank that only a filter has read is read by nobody when the filter is gone.
    let plan = apply(features::optimized(plan)?, vec![Arc::new(OptimizeProjections::new())])?;
    features::pruned(plan)
}

/// Gives aggregates of numbers the types and the meaning they have in Flink: the sum of integers is of their type, their
/// average an integer, the average of decimals a decimal, a variance is made of squared distances from the mean.
fn flink_aggregates(plan: LogicalPlan, zone: Zone) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
    let input_schema = aggregate.input.schema();
    let mut calls: Vec<Expr> = Vec::new();
    let mut outputs: Vec<Expr> = Vec::new();
    for (qualifier, field) in aggregate.schema.iter().take(aggregate.group_expr_len()?) {
        outputs.push(Expr::from((qualifier, field)));
    }
    let mut changed = false;
    for expr in &aggregate.aggr_expr {
        let (call, name) = match expr {
            Expr::Alias(alias) => (alias.expr.as_ref(), alias.name.clone()),
            other => (other, other.schema_name().to_string()),
        };
        let Expr::AggregateFunction(function) = call else {
            return plan_err!("{expr} is no aggregate that is supported");
        };
        match aggregate_as_flink(function, input_schema, &mut calls)? {
            Some(output) => {
                changed = true;
                outputs.push(output.alias(name));
            }
            None => {
                let call = expr.clone();
                outputs.push(Expr::Column(Column::new_unqualified(name)));
                add(&mut calls, call);
            }
        }
    }
    if !changed {
        return Ok(Transformed::no(plan));
    }
    let inner = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), calls)?;
    let projection = Projection::try_new(outputs, Arc::new(LogicalPlan::Aggregate(inner)))?;
    Ok(Transformed::yes(type_node(LogicalPlan::Projection(projection), zone)?))
}

/// An aggregate that is made of others: adds these, and gives what it is of their columns.
pub(crate) fn aggregate_as_flink(
    function: &AggregateFunction,
    input: &DFSchema,
    calls: &mut Vec<Expr>,
) -> Result<Option<Expr>> {
    match (function.func.name(), function.params.args.as_slice()) {
        ("avg", [argument]) => average(function, &argument.get_type(input)?, calls).map(Some),
        ("sum", [argument]) => Ok(Some(sum(function, &argument.get_type(input)?, calls))),
        (name, [argument]) => match Deviation::named(name) {
            Some(of) => of.made(function, &argument.get_type(input)?, calls).map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Adds a call unless it is there; the column it is read from.
fn add(calls: &mut Vec<Expr>, call: Expr) -> Expr {
    let column = Expr::Column(Column::new_unqualified(call.schema_name().to_string()));
    if !calls.contains(&call) {
        calls.push(call);
    }
    column
}

fn same_with(function: &AggregateFunction, udaf: Arc<datafusion::logical_expr::AggregateUDF>) -> Expr {
    let AggregateFunctionParams { args, distinct, filter, .. } = function.params.clone();
    Expr::AggregateFunction(AggregateFunction::new_udf(udaf, args, distinct, filter, Vec::new(), None))
}

fn average(function: &AggregateFunction, argument: &DataType, calls: &mut Vec<Expr>) -> Result<Expr> {
    use DataType as T;
    let sum = add(calls, same_with(function, sum_udaf()));
    let count = add(calls, same_with(function, count_udaf()));
    Ok(match argument {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 => cast(sum / count, argument.clone()),
        T::Float32 | T::Float64 => cast(sum / cast(count, T::Float64), argument.clone()),
        T::Decimal128(_, scale) => {
            cast(cast(sum, T::Decimal128(38, *scale)) / count, T::Decimal128(38, (*scale).max(6)))
        }
        other => return plan_err!("AVG needs numbers, not {other}"),
    })
}

/// A variance, or its root.
struct Deviation {
    is_root: bool,
    /// Of some values, and not of all that there are: divided by one less.
    is_sample: bool,
}

impl Deviation {
    fn named(name: &str) -> Option<Self> {
        let (is_root, is_sample) = match name {
            "stddev" | "stddev_samp" => (true, true),
            "stddev_pop" => (true, false),
            "variance" | "var_samp" => (false, true),
            "var_pop" => (false, false),
            _ => return None,
        };
        Some(Deviation { is_root, is_sample })
    }

    fn made(&self, function: &AggregateFunction, argument: &DataType, calls: &mut Vec<Expr>) -> Result<Expr> {
        use DataType as T;
        let mut doubled = same_with(function, squares());
        if let Expr::AggregateFunction(call) = &mut doubled {
            call.params.args =
                std::mem::take(&mut call.params.args).into_iter().map(|arg| cast(arg, T::Float64)).collect();
        }
        let squares = add(calls, doubled);
        let count = add(calls, same_with(function, count_udaf()));
        let divisor = match self.is_sample {
            false => count,
            true => when(count.clone().gt(lit(1)), count - lit(1)).end()?,
        };
        let variance = squares / cast(divisor, T::Float64);
        let value = if self.is_root { root(variance)? } else { variance };
        Ok(match argument {
            T::Decimal128(_, scale) => cast(value, T::Decimal128(38, (*scale).max(6))),
            other => cast(value, other.clone()),
        })
    }
}

fn root(of: Expr) -> Result<Expr> {
    match crate::functions::table().find(|function| function.names.contains(&"SQRT")) {
        Some(root) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(unzoned(root), vec![of]))),
        None => plan_err!("there is no SQRT"),
    }
}

/// The sum of whole numbers is of their type, and loses the upper bits of what does not fit.
fn sum(function: &AggregateFunction, argument: &DataType, calls: &mut Vec<Expr>) -> Expr {
    use DataType as T;
    let sum = add(calls, same_with(function, sum_udaf()));
    match argument {
        T::Int8 | T::Int16 | T::Int32 | T::Float32 => cast(sum, argument.clone()),
        T::Decimal128(_, scale) => cast(sum, T::Decimal128(38, *scale)),
        _ => sum,
    }
}

/// A cast that the planner makes, with Flink's meaning.
pub(crate) fn cast_as_flink(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    match *from == DataType::Null || is_plain(from, to) {
        true => cast(expr, to.clone()),
        false => cast_expr(expr, To::to(to.clone(), UTC)),
    }
}

/// Refuses what would give another answer when it is computed again.
pub(crate) fn check_deterministic(plan: &LogicalPlan) -> Result<()> {
    use datafusion::common::tree_node::TreeNodeRecursion;
    use datafusion::logical_expr::Volatility;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| match expr {
                Expr::ScalarFunction(call)
                    if call.func.signature().volatility != Volatility::Immutable
                        && !proctime::is_clock(&call.func) =>
                {
                    Err(DataFusionError::Plan(format!(
                        "{} depends on when or where it is computed; use a column of the table, as one with METADATA \
                         FROM 'timestamp'",
                        call.func.name().to_uppercase()
                    )))
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })
    })?;
    Ok(())
}
