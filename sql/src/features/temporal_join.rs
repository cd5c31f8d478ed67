//! `JOIN .. FOR SYSTEM_TIME AS OF`: each left row with the version of the right side that was valid at its time.
//!
//! [`Versioned`] marks the right side as it is written; [`TemporalJoin`] takes the place of a join whose right side is
//! marked.

mod lower;
mod nodes;
mod recognise;

pub(crate) use nodes::{TemporalJoin, Versioned};

use super::Feature;
use crate::lower::{Changes, Lowering, Refusal, Stream};
use datafusion::common::Result;
use datafusion::common::tree_node::TransformedResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::sql::sqlparser::ast::TableFactor;

impl Feature for Versioned {
    fn relation(relation: TableFactor, context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        recognise::versioned_relation(relation, context)
    }

    fn lower(&self, _lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        Err(Refusal::new(
            format!("FOR SYSTEM_TIME AS OF {} stands outside of a join", self.as_of.join(".")),
            "write left JOIN right FOR SYSTEM_TIME AS OF left.time AS r ON left.k = r.k",
        ))
    }
}

impl Feature for TemporalJoin {
    fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(recognise::temporal_join).data()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        lowering.lower_temporal_join(self)
    }
}
