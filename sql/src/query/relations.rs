//! Window table functions and `FOR SYSTEM_TIME AS OF` in a `FROM` clause.

use super::nodes::{Versioned, WindowSpec, WindowTable};
use super::words::said;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned,
    TableAlias, TableFactor, TableFunctionArgs, TableVersion,
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

fn planned(plan: LogicalPlan, alias: Option<TableAlias>) -> Result<RelationPlanning> {
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

fn bare_table(name: ObjectName) -> TableFactor {
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

fn unknown_function(name: &ObjectName) -> DataFusionError {
    error_at(
        format!("there is no table function {name}"),
        name,
        "there are TUMBLE(TABLE t, DESCRIPTOR(time_column), size) and \
         HOP(TABLE t, DESCRIPTOR(time_column), slide, size)",
    )
}

/// `TUMBLE(t, DESCRIPTOR(c), size [, offset])` and `HOP(t, DESCRIPTOR(c), slide, size [, offset])`.
fn plan_window(
    function: &ObjectName,
    args: Vec<FunctionArg>,
    alias: Option<TableAlias>,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let hops = match function.to_string().to_uppercase().as_str() {
        "TUMBLE" => false,
        "HOP" => true,
        "CUMULATE" | "SESSION" => {
            return Err(error_at(
                format!("{function} is not supported yet"),
                function,
                "use TUMBLE or HOP; a HOP that slides by the step of the CUMULATE has all of its windows",
            ));
        }
        _ => return Err(unknown_function(function)),
    };
    let lengths = 1 + usize::from(hops);
    let usage = match hops {
        false => "TUMBLE(TABLE t, DESCRIPTOR(time_column), INTERVAL '1' HOUR)",
        true => {
            "HOP(TABLE t, DESCRIPTOR(time_column), INTERVAL '5' MINUTES /* slide */, INTERVAL '1' HOUR /* size */)"
        }
    };
    if args.iter().any(|arg| !matches!(arg, FunctionArg::Unnamed(_))) {
        let message = format!("arguments of {function} by name are not supported yet");
        return Err(error_at(message, function, format!("write {usage}")));
    }
    if args.len() < 2 + lengths || args.len() > 3 + lengths {
        return Err(error_at(
            format!("{function} is called with other arguments"),
            function,
            format!("write {usage}"),
        ));
    }
    let mut plain = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => plain.push(expr),
            other => {
                return Err(error_at(
                    format!("{function} can't take {other}"),
                    function,
                    format!("write {usage}"),
                ));
            }
        }
    }
    let table = match &plain[0] {
        SqlExpr::Identifier(name) => ObjectName::from(vec![name.clone()]),
        other => {
            let help = "name a table or a view; make a view of the query first";
            return Err(error_at(format!("{function} needs a table, not {other}"), other, help));
        }
    };
    let input = context.plan(bare_table(table))?;
    for name in ["window_start", "window_end", "window_time"] {
        if input.schema().has_column_with_unqualified_name(name) {
            let message = format!("{} has a column {name} already", plain[0]);
            return Err(error_at(
                message,
                &plain[0],
                format!("give it another name: {name} AS inner_{name}"),
            ));
        }
    }
    let time = descriptor(&plain[1])?;
    let name = context.normalize_ident(time.clone());
    let Ok((qualifier, field)) = input.schema().qualified_field_with_unqualified_name(&name) else {
        return Err(error_at(
            format!("{} has no column {name}", plain[0]),
            &plain[1],
            "name its time attribute",
        ));
    };
    let time = Expr::from((qualifier, field));
    let mut lengths_ms = Vec::new();
    for expr in &plain[2..] {
        lengths_ms.push(interval_ms(expr, context)?);
    }
    let (slide_ms, size_ms) = match hops {
        false => (lengths_ms[0], lengths_ms[0]),
        true => (lengths_ms[0], lengths_ms[1]),
    };
    let offset_ms = lengths_ms.get(lengths).copied().unwrap_or(0);
    if let Err(message) = millstream_operators::aggregate::Window::new(size_ms, slide_ms, offset_ms) {
        return Err(error_at(message, &plain[2], format!("write {usage}")));
    }
    let window = WindowSpec { size_ms, slide_ms, offset_ms };
    let node = Extension { node: Arc::new(WindowTable::new(input, time, window)?) };
    planned(LogicalPlan::Extension(node), alias)
}

fn descriptor(expr: &SqlExpr) -> Result<Ident> {
    if let SqlExpr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr
        && name.to_string().eq_ignore_ascii_case("DESCRIPTOR")
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Identifier(column)))] =
            list.args.as_slice()
    {
        return Ok(column.clone());
    }
    Err(error_at(
        format!("expected DESCRIPTOR(time_column), found {expr}"),
        expr,
        "name the time attribute of the table",
    ))
}

/// A constant interval in milliseconds.
fn interval_ms(expr: &SqlExpr, context: &mut dyn RelationPlannerContext) -> Result<i64> {
    let schema = datafusion::common::DFSchema::empty();
    let refuse = || {
        let help = "write a length without months, as INTERVAL '1' HOUR or INTERVAL '30' SECONDS";
        error_at(format!("{expr} is no length of time"), expr, help)
    };
    let planned = context.sql_to_expr(expr.clone(), &schema).map_err(|_| refuse())?;
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _) = planned else {
        return Err(refuse());
    };
    if value.months != 0 || value.nanoseconds % 1_000_000 != 0 {
        return Err(refuse());
    }
    Ok(i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000)
}
