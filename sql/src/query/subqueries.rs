//! Queries that stand for one value: `(SELECT MAX(x) FROM u WHERE u.k = t.k)`.
//!
//! They become joins, each row with the one row that there is for it, or with nulls. That there is no second one has to be
//! known beforehand: Flink would fail the job when it comes.

use super::provider::Names;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Expr, FetchType, LogicalPlan, Subquery};

/// The settings under which a query without a reference to the rows around it becomes a join, too.
pub(super) fn config(names: &Names) -> ConfigOptions {
    let mut config = names.config().clone();
    config.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    config
}

/// Refuses queries for a value that may have several rows.
pub(super) fn check_values(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| match expr {
                Expr::ScalarSubquery(query) if !has_one_row(query) => plan_err!(
                    "a query that stands for a value may have several rows; aggregate it, as in (SELECT MAX(x) FROM u), or JOIN it"
                ),
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })
    })?;
    Ok(())
}

fn has_one_row(query: &Subquery) -> bool {
    let is_alone = query.outer_ref_columns.is_empty();
    one_row(&query.subquery, is_alone)
}

/// Whether a plan has one row at most; `is_alone`: it reads nothing of the rows around it.
fn one_row(plan: &LogicalPlan, is_alone: bool) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => one_row(&projection.input, is_alone),
        LogicalPlan::SubqueryAlias(alias) => one_row(&alias.input, is_alone),
        LogicalPlan::Filter(filter) => one_row(&filter.input, is_alone),
        LogicalPlan::Limit(limit) => {
            let few = matches!(limit.get_fetch_type(), Ok(FetchType::Literal(Some(rows))) if rows <= 1);
            is_alone && few
        }
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    }
}
