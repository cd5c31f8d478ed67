//! What a `FROM` clause has that DataFusion does not know: it is of some feature of the language.

pub(crate) use super::parse::PARTITION_BY;

use super::words::said;
use crate::features;
use crate::features::table_function::without_lateral;
use crate::features::window::unknown_function;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, ObjectName, Spanned, TableAlias, TableFactor,
};

/// Plans the relations that DataFusion does not know, or would plan without what makes them special.
#[derive(Debug)]
pub(crate) struct StreamingRelations;

/// An error that points at a piece of SQL.
pub(crate) fn error_at(
    message: impl Into<String>,
    at: &impl Spanned,
    help: impl Into<String>,
) -> DataFusionError {
    said(message, help, at.span())
}

impl RelationPlanner for StreamingRelations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let found = features::relation(relation, context)?;
        match &found {
            RelationPlanning::Original(relation) => {
                let unknown = |name| without_lateral(name, context).unwrap_or_else(|| unknown_function(name));
                called(relation).map_or(Ok(()), |name| Err(unknown(name)))?;
            }
            RelationPlanning::Planned(_) => {}
        }
        Ok(found)
    }
}

/// The function that is called where a table could stand.
pub(crate) fn called(relation: &TableFactor) -> Option<&ObjectName> {
    match relation {
        TableFactor::Table { name, args: Some(_), .. } => Some(name),
        TableFactor::TableFunction { expr: SqlExpr::Function(Function { name, .. }), .. } => Some(name),
        _ => None,
    }
}

/// A relation that is planned.
pub(crate) fn planned(plan: LogicalPlan, alias: Option<TableAlias>) -> Result<RelationPlanning> {
    Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
}

/// A table by its name, and nothing else.
pub(crate) fn bare_table(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}
