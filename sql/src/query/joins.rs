//! Joins of two streams, with each condition where it belongs.
//!
//! `FROM a, b WHERE ..` and `a JOIN b ON ..` come to the same: equalities between the sides are the keys of the join,
//! conditions on one side are met before the rows are kept, where the kind of join allows it, the others stay with the
//! join. Names in front of a column decide nothing here: DataFusion's schemas do.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::utils::{conjunction, find_valid_equijoin_key_pair, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, Operator};
use std::sync::Arc;

/// The plan with the conditions of all joins where they belong.
pub(crate) fn place_conditions(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_up(place)?.data)
}

fn place(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Filter(filter) if is_inner_join(&filter.input) => {
            let conditions = split_conjunction_owned(filter.predicate);
            with_conditions(Arc::unwrap_or_clone(filter.input), conditions).map(Transformed::yes)
        }
        LogicalPlan::Join(mut join) => match join.filter.take() {
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
            Some(filter) => place_in(join, split_conjunction_owned(filter)).map(Transformed::yes),
        },
        other => Ok(Transformed::no(other)),
    }
}

fn is_inner_join(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(join) if join.join_type == JoinType::Inner)
}

/// A plan whose rows meet further conditions.
fn with_conditions(plan: LogicalPlan, conditions: Vec<Expr>) -> Result<LogicalPlan> {
    let Some(all) = conjunction(conditions.iter().cloned()) else { return Ok(plan) };
    match plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => place_in(join, conditions),
        other => Ok(LogicalPlan::Filter(Filter::try_new(all, Arc::new(other))?)),
    }
}

/// A join with further conditions of its own.
fn place_in(mut join: Join, conditions: Vec<Expr>) -> Result<LogicalPlan> {
    // A row that a join keeps whether it is matched or not has to reach it.
    let (left_first, right_first) = match join.join_type {
        JoinType::Inner => (true, true),
        JoinType::Left => (false, true),
        JoinType::Right => (true, false),
        _ => (false, false),
    };
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    let mut of_both: Vec<Expr> = join.filter.take().map(split_conjunction_owned).unwrap_or_default();
    for condition in conditions {
        let (left, right) = (join.left.schema(), join.right.schema());
        if left_first && is_over(&condition, left) {
            of_left.push(condition);
        } else if right_first && is_over(&condition, right) {
            of_right.push(condition);
        } else if let Some(pair) = equal_pair(&condition, left, right)? {
            if !join.on.contains(&pair) {
                join.on.push(pair);
            }
        } else if !of_both.contains(&condition) {
            of_both.push(condition);
        }
    }
    join.filter = conjunction(of_both);
    join.left = Arc::new(with_conditions(Arc::unwrap_or_clone(join.left), of_left)?);
    join.right = Arc::new(with_conditions(Arc::unwrap_or_clone(join.right), of_right)?);
    Ok(LogicalPlan::Join(join))
}

/// Whether a condition reads columns of this schema, and no others.
fn is_over(condition: &Expr, schema: &DFSchema) -> bool {
    let columns = condition.column_refs();
    !columns.is_empty() && columns.iter().all(|column| schema.maybe_index_of_column(column).is_some())
}

fn equal_pair(condition: &Expr, left: &DFSchema, right: &DFSchema) -> Result<Option<(Expr, Expr)>> {
    match condition {
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
            find_valid_equijoin_key_pair(&binary.left, &binary.right, left, right)
        }
        _ => Ok(None),
    }
}
