//! Finds temporal joins: tables with a `FOR SYSTEM_TIME AS OF`, and the joins that they are in.

use super::nodes::{TemporalJoin, Versioned};
use crate::features::plan_of;
use crate::query::relations::{bare_table, error_at, planned};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::utils::{find_valid_equijoin_key_pair, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Extension, Join, JoinType, LogicalPlan, SubqueryAlias};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, TableFactor, TableVersion};
use std::sync::Arc;

/// The marked right side of a join, without the mark: its plan and the name of the left side's time.
fn versioned(plan: &LogicalPlan) -> Option<(LogicalPlan, Vec<String>)> {
    match plan {
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) => {
            let (input, as_of) = versioned(input)?;
            let alias = SubqueryAlias::try_new(Arc::new(input), alias.clone()).ok()?;
            Some((LogicalPlan::SubqueryAlias(alias), as_of))
        }
        LogicalPlan::Extension(Extension { node }) => {
            let node = node.as_any().downcast_ref::<Versioned>()?;
            Some((node.input.clone(), node.as_of.clone()))
        }
        _ => None,
    }
}

/// A temporal join in the place of a join whose right side is marked.
pub(super) fn temporal_join(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = &plan else { return Ok(Transformed::no(plan)) };
    let Some((right, as_of)) = versioned(&join.right) else { return Ok(Transformed::no(plan)) };
    let keep_unmatched = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => return plan_err!("FOR SYSTEM_TIME AS OF takes JOIN or LEFT JOIN, not {other} JOIN"),
    };
    let left = join.left.as_ref().clone();
    let time = resolve(&as_of, left.schema())?;
    let on = equal_pairs(join, &left, &right)?;
    let node = TemporalJoin::new(left, right, keep_unmatched, on, time)?;
    Ok(Transformed::yes(plan_of(node)))
}

fn resolve(name: &[String], left: &DFSchema) -> Result<Expr> {
    let column = match name {
        [column] => Column::new_unqualified(column),
        [table, column] => Column::new(Some(table.as_str()), column),
        _ => return plan_err!("FOR SYSTEM_TIME AS OF {} names no column of the left side", name.join(".")),
    };
    let found = match &column.relation {
        Some(_) => left.qualified_field_from_column(&column),
        None => left.qualified_field_with_unqualified_name(&column.name),
    };
    match found {
        Ok(found) => Ok(Expr::from(found)),
        Err(_) => plan_err!("FOR SYSTEM_TIME AS OF {column}: the left side has no such column"),
    }
}

/// The equalities of a join's condition.
fn equal_pairs(join: &Join, left: &LogicalPlan, right: &LogicalPlan) -> Result<Vec<(Expr, Expr)>> {
    let mut pairs = join.on.clone();
    for condition in join.filter.clone().map(split_conjunction_owned).unwrap_or_default() {
        let pair = match &condition {
            Expr::BinaryExpr(binary) if binary.op == datafusion::logical_expr::Operator::Eq => {
                find_valid_equijoin_key_pair(&binary.left, &binary.right, left.schema(), right.schema())?
            }
            _ => None,
        };
        match pair {
            Some(pair) => pairs.push(pair),
            None => {
                return plan_err!(
                    "{condition}: a temporal join is on equalities between the two sides; move other conditions to a \
                     WHERE behind the join"
                );
            }
        }
    }
    if pairs.is_empty() { plan_err!("a temporal join needs ON left.column = right.key") } else { Ok(pairs) }
}

/// Plans a table that has a `FOR SYSTEM_TIME AS OF`.
pub(super) fn versioned_relation(
    relation: TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let TableFactor::Table { version: Some(version), name, alias, args: None, .. } = relation else {
        return Ok(RelationPlanning::Original(Box::new(relation)));
    };
    let as_of = match &version {
        TableVersion::ForSystemTimeAsOf(SqlExpr::CompoundIdentifier(parts)) => parts.clone(),
        TableVersion::ForSystemTimeAsOf(SqlExpr::Identifier(part)) => vec![part.clone()],
        _ => {
            return Err(error_at(
                "FOR SYSTEM_TIME AS OF needs the time attribute of the left side",
                &name,
                "write FOR SYSTEM_TIME AS OF left_table.time_column",
            ));
        }
    };
    let as_of = as_of.into_iter().map(|part| context.normalize_ident(part)).collect();
    let input = context.plan(bare_table(name))?;
    planned(plan_of(Versioned { input, as_of }), alias)
}
