//! What a `FROM` clause has that DataFusion does not know: `FOR SYSTEM_TIME AS OF`, and window table functions
//! ([`super::windows`]).

use super::nodes::Versioned;
use super::windows::{plan_window, unknown_function};
use super::words::said;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArguments, ObjectName, Spanned, TableAlias, TableFactor,
    TableFunctionArgs, TableVersion,
};
use std::sync::Arc;

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
        match relation {
            TableFactor::Table { version: Some(version), name, alias, args: None, .. } => {
                plan_versioned(version, name, alias, context)
            }
            TableFactor::Table { name, alias, args: Some(TableFunctionArgs { args, .. }), .. } => {
                plan_window(&name, args, alias, context)
            }
            TableFactor::TableFunction { expr: SqlExpr::Function(function), alias } => {
                let Function { name, args, .. } = function;
                match args {
                    FunctionArguments::List(list) => plan_window(&name, list.args, alias, context),
                    _ => Err(unknown_function(&name)),
                }
            }
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

pub(super) fn planned(plan: LogicalPlan, alias: Option<TableAlias>) -> Result<RelationPlanning> {
    Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
}

fn plan_versioned(
    version: TableVersion,
    name: ObjectName,
    alias: Option<TableAlias>,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
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
    let node = Extension { node: Arc::new(Versioned { input, as_of }) };
    planned(LogicalPlan::Extension(node), alias)
}

pub(super) fn bare_table(name: ObjectName) -> TableFactor {
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
