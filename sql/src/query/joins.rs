//! Joins of two streams, with each condition where it belongs.
//!
//! `FROM a, b WHERE ..` and `a JOIN b ON ..` come to the same: equalities between the sides are the keys of the join,
//! conditions on one side are met before the rows are kept, where the kind of join allows it, the others stay with the
//! join. Names in front of a column decide nothing here: DataFusion's schemas do.

use crate::lower::picked_column;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, NullEquality, Result, internal_err};
use datafusion::logical_expr::utils::{
    conjunction, find_valid_equijoin_key_pair, split_conjunction, split_conjunction_owned,
};
use datafusion::logical_expr::{
    Distinct, Expr, ExprSchemable, Filter, Join, JoinType, LogicalPlan, Operator, binary_expr, lit, when,
};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

/// The plan with the conditions of all joins where they belong.
pub(crate) fn place_conditions(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_up(place)?.data)
}

fn place(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Filter(filter) if is_join(&filter.input, &[JoinType::Inner]) => {
            let conditions = split_conjunction_owned(filter.predicate);
            with_conditions(Arc::unwrap_or_clone(filter.input), conditions).map(Transformed::yes)
        }
        // What comes out are rows of the left side: fewer of them have to be kept.
        LogicalPlan::Filter(filter) if is_join(&filter.input, &[JoinType::LeftSemi, JoinType::LeftAnti]) => {
            let LogicalPlan::Join(mut join) = Arc::unwrap_or_clone(filter.input) else {
                return internal_err!("a join is none");
            };
            let conditions = split_conjunction_owned(filter.predicate);
            join.left = Arc::new(with_conditions(Arc::unwrap_or_clone(join.left), conditions)?);
            Ok(Transformed::yes(LogicalPlan::Join(join)))
        }
        LogicalPlan::Join(mut join) => {
            let mut conditions = join.filter.take().map(split_conjunction_owned).unwrap_or_default();
            if join.null_equality == NullEquality::NullEqualsNull {
                // What INTERSECT and EXCEPT compare by.
                join.null_equality = NullEquality::NullEqualsNothing;
                let same = |(one, other)| binary_expr(one, Operator::IsNotDistinctFrom, other);
                conditions.extend(std::mem::take(&mut join.on).into_iter().map(same));
            }
            let null_aware = join.null_aware;
            let plan = place_in(join, conditions)?;
            Ok(Transformed::yes(if null_aware { with_nulls_in(plan) } else { plan }))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// `NOT IN` of values that may be null: a row has none in there only where it is equal to none and neither is null. As rows
/// with nulls meet all others, nothing is left that they could be brought together by.
fn with_nulls_in(plan: LogicalPlan) -> LogicalPlan {
    let LogicalPlan::Join(mut join) = plan else { return plan };
    if is_never_null(&join) || join.filter.is_some() {
        return LogicalPlan::Join(join);
    }
    // Numbers with a point are compared as keys otherwise than by an operator: 0 and -0 are one.
    let is_compared = |expr: &Expr| {
        expr.get_type(join.left.schema())
            .is_ok_and(|data_type| !data_type.is_floating() && !data_type.is_nested())
    };
    if let [(left, right)] = join.on.as_slice()
        && is_compared(left)
    {
        let is_null = |expr: &Expr| Expr::IsNull(Box::new(expr.clone()));
        let same = binary_expr(left.clone(), Operator::Eq, right.clone());
        join.filter = Some(same.or(is_null(left)).or(is_null(right)));
        (join.on, join.null_aware) = (Vec::new(), false);
    }
    LogicalPlan::Join(join)
}

fn is_join(plan: &LogicalPlan, types: &[JoinType]) -> bool {
    matches!(plan, LogicalPlan::Join(join) if types.contains(&join.join_type))
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
        JoinType::Inner | JoinType::LeftSemi => (true, true),
        JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => (false, true),
        JoinType::Right => (true, false),
        _ => (false, false),
    };
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    let mut of_both: Vec<Expr> = join.filter.take().map(split_conjunction_owned).unwrap_or_default();
    for condition in conditions.into_iter().filter(|condition| !is_true(condition)) {
        let (left, right) = (join.left.schema(), join.right.schema());
        if left_first && is_over(&condition, left) {
            of_left.push(condition);
        } else if right_first && is_over(&condition, right) {
            of_right.push(condition);
        } else if let Some(pairs) = equal_pairs(&condition, left, right)? {
            for pair in pairs {
                if !join.on.contains(&pair) {
                    join.on.push(pair);
                }
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

fn is_true(condition: &Expr) -> bool {
    matches!(condition, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
}

/// Whether a condition reads columns of this schema, and no others.
fn is_over(condition: &Expr, schema: &DFSchema) -> bool {
    let columns = condition.column_refs();
    !columns.is_empty() && columns.iter().all(|column| schema.maybe_index_of_column(column).is_some())
}

/// The pairs that are equal where a condition is met, if it is nothing else. `a IS NOT DISTINCT FROM b` is two: both are
/// null or neither is, and what they are without their nulls is equal.
fn equal_pairs(condition: &Expr, left: &DFSchema, right: &DFSchema) -> Result<Option<Vec<(Expr, Expr)>>> {
    let Expr::BinaryExpr(binary) = condition else { return Ok(None) };
    if !matches!(binary.op, Operator::Eq | Operator::IsNotDistinctFrom) {
        return Ok(None);
    }
    let Some((one, other)) = find_valid_equijoin_key_pair(&binary.left, &binary.right, left, right)? else {
        return Ok(None);
    };
    if binary.op == Operator::Eq {
        return Ok(Some(vec![(one, other)]));
    }
    let (Some(of_one), Some(of_other)) = (without_null(&one, left)?, without_null(&other, right)?) else {
        return Ok(None);
    };
    let is_null = |expr: Expr| Expr::IsNull(Box::new(expr));
    Ok(Some(vec![(of_one, of_other), (is_null(one), is_null(other))]))
}

/// An expression with a value of its type in the place of a null.
fn without_null(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let data_type = expr.get_type(schema)?;
    let value = match &data_type {
        DataType::Utf8 => ScalarValue::Utf8(Some(String::new())),
        DataType::Boolean => ScalarValue::Boolean(Some(false)),
        DataType::Binary => ScalarValue::Binary(Some(Vec::new())),
        other if other.is_numeric() || other.is_temporal() => match ScalarValue::new_zero(other) {
            Ok(zero) => zero,
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    let is_null = Expr::IsNull(Box::new(expr.clone()));
    Ok(Some(when(is_null, lit(value)).otherwise(expr.clone())?))
}

/// Whether the keys of a join are never null on either side: as the columns are declared, or by a condition.
pub(crate) fn is_never_null(join: &Join) -> bool {
    let of_side = |plan: &LogicalPlan, expr: &Expr| {
        let expr = match expr {
            Expr::Cast(cast) if cast.field.data_type().is_integer() => &cast.expr,
            other => other,
        };
        picked_column(expr, plan.schema()).is_some_and(|column| has_no_null(plan, column))
    };
    join.on.iter().all(|(left, right)| of_side(&join.left, left) && of_side(&join.right, right))
        && join.filter.is_none()
}

pub(super) fn has_no_null(plan: &LogicalPlan, column: usize) -> bool {
    if !plan.schema().field(column).is_nullable() {
        return true;
    }
    match plan {
        LogicalPlan::Filter(filter) => {
            let says_so = |condition: &Expr| match condition {
                Expr::IsNotNull(inner) => picked_column(inner, filter.input.schema()) == Some(column),
                _ => false,
            };
            split_conjunction(&filter.predicate).into_iter().any(says_so)
                || has_no_null(&filter.input, column)
        }
        LogicalPlan::SubqueryAlias(alias) => has_no_null(&alias.input, column),
        LogicalPlan::Distinct(Distinct::All(input)) => has_no_null(input, column),
        LogicalPlan::Projection(projection) => {
            let inner = picked_column(&projection.expr[column], projection.input.schema());
            inner.is_some_and(|inner| has_no_null(&projection.input, inner))
        }
        _ => false,
    }
}
