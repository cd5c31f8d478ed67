//! Window table functions as they are written.

use super::node::{WindowKind, WindowSpec, WindowTable};
use crate::features::plan_of;
use crate::query::relations::{PARTITION_BY, bare_table, called, error_at, planned};
use crate::script::{CATALOG, DATABASE};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    TableAlias, TableFactor, TableFunctionArgs,
};

/// A window table function.
struct WindowFunction {
    name: &'static str,
    /// Its arguments behind `DATA` and `TIMECOL`.
    lengths: &'static [&'static str],
    /// Whether an offset may follow.
    has_offset: bool,
    usage: &'static str,
}

const FUNCTIONS: &[WindowFunction] = &[
    WindowFunction {
        name: "TUMBLE",
        lengths: &["SIZE"],
        has_offset: true,
        usage: "TUMBLE(TABLE t, DESCRIPTOR(time_column), INTERVAL '1' HOUR)",
    },
    WindowFunction {
        name: "HOP",
        lengths: &["SLIDE", "SIZE"],
        has_offset: true,
        usage: "HOP(TABLE t, DESCRIPTOR(time_column), INTERVAL '5' MINUTES /* slide */, INTERVAL '1' HOUR /* size */)",
    },
    WindowFunction {
        name: "CUMULATE",
        lengths: &["STEP", "SIZE"],
        has_offset: true,
        usage: "CUMULATE(TABLE t, DESCRIPTOR(time_column), INTERVAL '5' MINUTES /* step */, INTERVAL '1' HOUR /* size */)",
    },
    WindowFunction {
        name: "SESSION",
        lengths: &["GAP"],
        has_offset: false,
        usage: "SESSION(TABLE t PARTITION BY key, DESCRIPTOR(time_column), INTERVAL '5' MINUTES)",
    },
];

/// Refuses a table function that there is not.
pub(crate) fn unknown_function(name: &ObjectName) -> DataFusionError {
    error_at(
        format!("there is no table function {name}"),
        name,
        "there are TUMBLE(TABLE t, DESCRIPTOR(time_column), size), \
         HOP(TABLE t, DESCRIPTOR(time_column), slide, size), \
         CUMULATE(TABLE t, DESCRIPTOR(time_column), step, size) and \
         SESSION(TABLE t PARTITION BY key, DESCRIPTOR(time_column), gap)",
    )
}

/// Plans a call of one of the functions.
pub(super) fn relation(
    relation: TableFactor,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let function = called(&relation).and_then(|name| {
        let name = name.to_string();
        FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(&name))
    });
    match (function, relation) {
        (
            Some(function),
            TableFactor::Table { name, alias, args: Some(TableFunctionArgs { args, .. }), .. },
        ) => plan_window(function, &name, args, alias, context),
        (
            Some(function),
            TableFactor::TableFunction {
                expr: SqlExpr::Function(Function { name, args: FunctionArguments::List(list), .. }),
                alias,
            },
        ) => plan_window(function, &name, list.args, alias, context),
        (_, other) => Ok(RelationPlanning::Original(Box::new(other))),
    }
}

/// `TUMBLE(TABLE t, DESCRIPTOR(c), size [, offset])` and the like, their arguments by place or all of them by name.
fn plan_window(
    function: &WindowFunction,
    name: &ObjectName,
    args: Vec<FunctionArg>,
    alias: Option<TableAlias>,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let usage = || format!("write {}", function.usage);
    let arguments = function.arguments(name, args)?;
    let [Some(table), Some(time), lengths @ ..] = arguments.as_slice() else {
        return Err(error_at(format!("{name} is called with other arguments"), name, usage()));
    };
    let (table, partition_by) = partitioned(table);
    if !partition_by.is_empty() && function.name != "SESSION" {
        let help = "leave it out: GROUP BY the columns beside window_start and window_end";
        return Err(error_at(format!("{name} takes no PARTITION BY"), partition_by[0], help));
    }
    let input = plan_table(name, table, context)?;
    let time = time_column(table, time, &input, context)?;
    let partition_by = partition_by.iter().map(|column| partition_column(table, column, &input, context));
    let partition_by = partition_by.collect::<Result<Vec<_>>>()?;
    let lengths =
        lengths.iter().map(|length| length.as_ref().map(|length| interval_ms(length, context)).transpose());
    let lengths = lengths.collect::<Result<Vec<Option<i64>>>>()?;
    let (lengths, offset_ms) = match lengths.split_last() {
        Some((offset, lengths)) if function.has_offset => (lengths, offset.unwrap_or(0)),
        _ => (lengths.as_slice(), 0),
    };
    if let ("SESSION", [Some(gap_ms)]) = (function.name, lengths) {
        if *gap_ms <= 0 {
            return Err(error_at("the gap between sessions has to be longer than nothing", name, usage()));
        }
        let node = WindowTable::new(input, time, partition_by, WindowKind::Session(*gap_ms))?;
        return planned(plan_of(node), alias);
    }
    let (slide_ms, size_ms) = match lengths {
        [Some(size)] => (*size, *size),
        [Some(slide), Some(size)] => (*slide, *size),
        _ => return Err(error_at(format!("{name} is called with other arguments"), name, usage())),
    };
    if offset_ms.checked_abs().is_none_or(|offset_ms| offset_ms >= size_ms) {
        let message = format!("windows of {size_ms} ms can't be moved by {offset_ms} ms");
        return Err(error_at(message, name, "choose an offset that is shorter than the window"));
    }
    let window = WindowSpec { size_ms, slide_ms, offset_ms, cumulates: function.name == "CUMULATE" };
    if let Err(message) = window.checked() {
        return Err(error_at(message, name, usage()));
    }
    let node = WindowTable::new(input, time, Vec::new(), WindowKind::Fixed(window))?;
    planned(plan_of(node), alias)
}

/// A table, and the columns of its `PARTITION BY`.
fn partitioned(table: &SqlExpr) -> (&SqlExpr, Vec<&SqlExpr>) {
    let call = match table {
        SqlExpr::Function(Function { name, args: FunctionArguments::List(list), .. })
            if name.to_string() == PARTITION_BY =>
        {
            &list.args
        }
        _ => return (table, Vec::new()),
    };
    let mut arguments = call.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    (arguments.next().unwrap_or(table), arguments.collect())
}

/// A column of a `PARTITION BY`.
fn partition_column(
    table: &SqlExpr,
    column: &SqlExpr,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Expr> {
    let SqlExpr::Identifier(name) = column else {
        let help = "name a column; compute it in a view first";
        return Err(error_at(format!("PARTITION BY takes columns, not {column}"), column, help));
    };
    let name = context.normalize_ident(name.clone());
    match input.schema().qualified_field_with_unqualified_name(&name) {
        Ok((qualifier, field)) => Ok(Expr::from((qualifier, field))),
        Err(_) => Err(error_at(format!("{table} has no column {name}"), column, "name one of its columns")),
    }
}

impl WindowFunction {
    /// The arguments in their order: table, time, lengths and offset, of which those at the end may be missing.
    fn arguments(&self, name: &ObjectName, args: Vec<FunctionArg>) -> Result<Vec<Option<SqlExpr>>> {
        let front = ["DATA", "TIMECOL"].into_iter();
        let names: Vec<&str> =
            front.chain(self.lengths.iter().copied()).chain(self.has_offset.then_some("OFFSET")).collect();
        let mut found: Vec<Option<SqlExpr>> = vec![None; names.len()];
        let wrong = |message: String| error_at(message, name, format!("write {}", self.usage));
        for (index, arg) in args.into_iter().enumerate() {
            let (place, value) = match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(index), value),
                FunctionArg::Named { name: of, arg: FunctionArgExpr::Expr(value), .. } => {
                    let place = names.iter().position(|known| of.value.eq_ignore_ascii_case(known));
                    if place.is_none() {
                        let message = format!("{name} has no argument {of}; it has {}", names.join(", "));
                        return Err(wrong(message));
                    }
                    (place, value)
                }
                other => return Err(wrong(format!("{name} can't take {other}"))),
            };
            match place.and_then(|place| found.get_mut(place)) {
                Some(free @ None) => *free = Some(value),
                _ => return Err(wrong(format!("{name} is called with other arguments"))),
            }
        }
        Ok(found)
    }
}

/// The table of a window function.
fn plan_table(
    function: &ObjectName,
    table: &SqlExpr,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let parts = match table {
        SqlExpr::Identifier(name) => vec![name.clone()],
        SqlExpr::CompoundIdentifier(parts) => {
            let names: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
            match names.as_slice() {
                [DATABASE, _] | [CATALOG, DATABASE, _] => parts[parts.len() - 1..].to_vec(),
                _ => parts.clone(),
            }
        }
        other => {
            let help = "name a table or a view; make a view of the query first";
            return Err(error_at(format!("{function} needs a table, not {other}"), other, help));
        }
    };
    let input = context.plan(bare_table(ObjectName::from(parts)))?;
    for name in ["window_start", "window_end", "window_time"] {
        if input.schema().has_column_with_unqualified_name(name) {
            let message = format!("{table} has a column {name} already");
            return Err(error_at(message, table, format!("give it another name: {name} AS inner_{name}")));
        }
    }
    Ok(input)
}

/// The column that `DESCRIPTOR` names.
fn time_column(
    table: &SqlExpr,
    time: &SqlExpr,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Expr> {
    let name = context.normalize_ident(descriptor(time)?);
    match input.schema().qualified_field_with_unqualified_name(&name) {
        Ok((qualifier, field)) => Ok(Expr::from((qualifier, field))),
        Err(_) => {
            let message = format!("{table} has no column {name}");
            Err(error_at(message, time, "name its time attribute"))
        }
    }
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
    millis(&planned).ok_or_else(refuse)
}

/// A constant interval without months, in milliseconds.
pub(crate) fn millis(interval: &Expr) -> Option<i64> {
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _) = interval else { return None };
    let is_length = value.months == 0 && value.nanoseconds % 1_000_000 == 0;
    is_length.then(|| i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000)
}
