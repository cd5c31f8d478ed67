//! Features of the language, a file each, and their register.
//!
//! A feature is a node of ours in DataFusion's plans. Its [`Feature`] says how it is written and found, what becomes of it,
//! and what a batch engine answers; a line in [`ALL`] makes it part of the language. The nodes are extension nodes, so
//! that DataFusion's rules (types, simplification, unneeded columns) go through them.

pub(crate) mod group_windows;
pub(crate) mod grouping_sets;
pub(crate) mod match_recognize;
pub(crate) mod over;
pub(crate) mod proctime;
pub(crate) mod set_operations;
pub(crate) mod state_ttl;
pub(crate) mod table_function;
pub(crate) mod temporal_join;
pub(crate) mod top_n;
pub(crate) mod unnest;
pub(crate) mod window;

use crate::lower::{Changes, Lowering, Need, Refusal, Stream};
use datafusion::common::Result;
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode};
use datafusion::sql::sqlparser::ast::TableFactor;
use std::any::Any;
use std::sync::Arc;

/// The features that have a node.
const ALL: &[Registered] = &[
    Registered::of::<window::WindowTable>(),
    Registered::of::<temporal_join::Versioned>(),
    Registered::of::<temporal_join::TemporalJoin>(),
    Registered::of::<top_n::RankedRows>(),
    Registered::of::<over::OverRows>(),
    Registered::of::<match_recognize::MatchRows>(),
    Registered::of::<unnest::Elements>(),
    Registered::of::<unnest::UnnestTable>(),
    Registered::of::<set_operations::SetRows>(),
];

/// A node of ours in a plan. What a feature does not say is as for any other plan.
pub(crate) trait Feature {
    /// What stands in a `FROM` where it is the feature's, planned; anything else as it is.
    fn relation(relation: TableFactor, _context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning>
    where
        Self: Sized,
    {
        Ok(RelationPlanning::Original(Box::new(relation)))
    }

    /// Puts the node into a plan before its types are settled: a batch engine is asked for it, too.
    fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan>
    where
        Self: Sized,
    {
        Ok(plan)
    }

    /// Puts the node into a plan that has its types and only the columns that are needed, in the place of nodes that a
    /// batch engine can be asked for.
    fn optimized(plan: LogicalPlan) -> Result<LogicalPlan>
    where
        Self: Sized,
    {
        Ok(plan)
    }

    /// Leaves out of the node what nobody reads behind it.
    fn pruned(plan: LogicalPlan) -> Result<LogicalPlan>
    where
        Self: Sized,
    {
        Ok(plan)
    }

    /// The operators that the node becomes.
    fn lower(&self, lowering: &mut Lowering<'_>, changes: Changes) -> Result<Stream, Refusal>;

    /// By input and column: what is read of it where `wanted` is read of the node's columns. The inputs are read whole
    /// where nothing is said.
    fn reads(&self, _wanted: &[Need]) -> Result<Option<Vec<Vec<Need>>>> {
        Ok(None)
    }

    /// What a batch engine is asked for the same answer, where it can be asked.
    fn batch(&self) -> Option<Result<LogicalPlan>> {
        None
    }
}

type Rewrite = fn(LogicalPlan) -> Result<LogicalPlan>;

/// What of a feature is asked without a node.
struct Registered {
    node: fn(&dyn Any) -> Option<&dyn Feature>,
    relation: fn(TableFactor, &mut dyn RelationPlannerContext) -> Result<RelationPlanning>,
    analyzed: Rewrite,
    optimized: Rewrite,
    pruned: Rewrite,
}

impl Registered {
    const fn of<F: Feature + 'static>() -> Self {
        Registered {
            node: |node| node.downcast_ref::<F>().map(|node| node as &dyn Feature),
            relation: F::relation,
            analyzed: F::analyzed,
            optimized: F::optimized,
            pruned: F::pruned,
        }
    }
}

/// The feature that an extension node is of.
pub(crate) fn feature(node: &dyn UserDefinedLogicalNode) -> Option<&dyn Feature> {
    ALL.iter().find_map(|feature| (feature.node)(node.as_any()))
}

/// A plan with the nodes that stand in it before its types are settled.
pub(crate) fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan> {
    ALL.iter().try_fold(plan, |plan, feature| (feature.analyzed)(plan))
}

/// A plan with the nodes that are found in it once it is optimized.
pub(crate) fn optimized(plan: LogicalPlan) -> Result<LogicalPlan> {
    ALL.iter().try_fold(plan, |plan, feature| (feature.optimized)(plan))
}

/// A plan whose nodes have only what is read of them.
pub(crate) fn pruned(plan: LogicalPlan) -> Result<LogicalPlan> {
    ALL.iter().try_fold(plan, |plan, feature| (feature.pruned)(plan))
}

/// What stands in a `FROM`, planned by the feature that it is of.
pub(crate) fn relation(
    relation: TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    ALL.iter().try_fold(RelationPlanning::Original(Box::new(relation)), |found, feature| match found {
        RelationPlanning::Original(relation) => (feature.relation)(*relation, context),
        planned => Ok(planned),
    })
}

/// A plan that is a node of ours.
pub(crate) fn plan_of(node: impl UserDefinedLogicalNode + 'static) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// The columns of an input of which some are passed on, and some are read by expressions.
fn columns_read<'e>(
    input: &LogicalPlan,
    passed_on: impl Iterator<Item = usize>,
    exprs: impl IntoIterator<Item = &'e Expr>,
) -> Vec<usize> {
    let schema = input.schema();
    let columns = exprs.into_iter().flat_map(Expr::column_refs);
    let mut read: Vec<usize> =
        passed_on.chain(columns.filter_map(|column| schema.maybe_index_of_column(column))).collect();
    read.sort_unstable();
    read.dedup();
    read
}
