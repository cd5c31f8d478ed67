//! The older windows of a grouping: `GROUP BY TUMBLE(time, size)`, `HOP(time, slide, size)` and `SESSION(time, gap)`, with
//! `TUMBLE_START`, `TUMBLE_END`, `TUMBLE_ROWTIME` and those of the others.
//!
//! [`as_bounds`] writes the window of a `GROUP BY` as its three columns, which are calls that no text can name; the
//! functions of its bounds are these calls. [`recognise`] puts the table of the windows below such a grouping: from there
//! on they are windows like all others.

use super::window::{WindowKind, WindowSpec, WindowTable, millis};
use crate::query::relations::error_at;
use crate::query::{sql_call, sql_text_literal};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, Extension, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Select,
    VisitMut, VisitorMut,
};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The windows.
const KINDS: &[&str] = &["TUMBLE", "HOP", "SESSION"];

/// The columns of a window: the call that stands for each, and its name in the table of windows.
const BOUNDS: [(&str, &str, &str); 3] = [
    ("START", "window start ..", "window_start"),
    ("END", "window end ..", "window_end"),
    ("ROWTIME", "window time ..", "window_time"),
];

/// Writes the window of a grouping as its columns, and the functions of its bounds as them.
pub(crate) fn as_bounds(select: &mut Select) -> Result<()> {
    let GroupByExpr::Expressions(groups, _) = &mut select.group_by else { return Ok(()) };
    let is_window = |expr: &SqlExpr| window_call(expr).is_some();
    let Some(place) = groups.iter().position(is_window) else { return Ok(()) };
    let window = groups.remove(place);
    if let Some(second) = groups.iter().find(|expr| is_window(expr)) {
        let help = "group by one, and by the other in a query around it";
        return Err(error_at("a grouping has two windows", second, help));
    }
    let Some((kind, args)) = window_call(&window) else { return Ok(()) };
    let bound = |call: &str| {
        let args = std::iter::once(sql_text_literal(kind)).chain(args.iter().cloned());
        sql_call(call, args.collect())
    };
    for (offset, (_, call, _)) in BOUNDS.iter().enumerate() {
        groups.insert(place + offset, bound(call));
    }
    let mut bounds = Bounds { kind, args: &args, bound: &bound };
    let mut visited = ControlFlow::Continue(());
    for item in &mut select.projection {
        if visited.is_continue() {
            visited = item.visit(&mut bounds);
        }
    }
    if let (true, Some(having)) = (visited.is_continue(), &mut select.having) {
        visited = having.visit(&mut bounds);
    }
    match visited {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The kind of a window, and its arguments.
fn window_call(expr: &SqlExpr) -> Option<(&'static str, Vec<SqlExpr>)> {
    let (name, args) = plain_call(expr)?;
    Some((*KINDS.iter().find(|kind| name.eq_ignore_ascii_case(kind))?, args))
}

/// The name and the arguments of a call.
fn plain_call(expr: &SqlExpr) -> Option<(String, Vec<SqlExpr>)> {
    let SqlExpr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else {
        return None;
    };
    let args = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    Some((name.to_string(), args.collect::<Option<_>>()?))
}

/// Puts the columns of a window in the place of the functions of its bounds.
struct Bounds<'a> {
    kind: &'static str,
    args: &'a [SqlExpr],
    bound: &'a dyn Fn(&str) -> SqlExpr,
}

impl VisitorMut for Bounds<'_> {
    type Break = datafusion::common::DataFusionError;

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<Self::Break> {
        let Some((name, args)) = plain_call(expr) else { return ControlFlow::Continue(()) };
        let upper = name.to_uppercase();
        let Some((kind, bound)) = upper.split_once('_').filter(|(kind, _)| KINDS.contains(kind)) else {
            return ControlFlow::Continue(());
        };
        if bound == "PROCTIME" {
            let help = "windows go by event time: write ROWTIME in the place of PROCTIME";
            return ControlFlow::Break(error_at(format!("{upper} is not supported yet"), expr, help));
        }
        let Some((_, call, _)) = BOUNDS.iter().find(|(known, _, _)| *known == bound) else {
            return ControlFlow::Continue(());
        };
        let same = |(one, other): (&SqlExpr, &SqlExpr)| one.to_string() == other.to_string();
        if kind != self.kind || args.len() != self.args.len() || !args.iter().zip(self.args).all(same) {
            let written: Vec<String> = self.args.iter().map(ToString::to_string).collect();
            let help = format!("write {}_{bound}({})", self.kind, written.join(", "));
            return ControlFlow::Break(error_at(format!("{expr} is of another window"), expr, help));
        }
        *expr = (self.bound)(call);
        ControlFlow::Continue(())
    }
}

/// Puts the table of windows below a grouping by their columns.
pub(crate) fn recognise(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
    let Some(window) = aggregate.group_expr.iter().find_map(bound_of) else {
        return Ok(Transformed::no(plan));
    };
    let others: Vec<&Expr> = aggregate.group_expr.iter().filter(|expr| bound_of(expr).is_none()).collect();
    let (input, keys) = with_keys(aggregate.input.as_ref().clone(), &others, window.kind)?;
    let table = window.table(input, &keys)?;
    let time = table.schema_ref().iter().last().and_then(|(qualifier, _)| qualifier.cloned());
    let table = LogicalPlan::Extension(Extension { node: Arc::new(table) });
    let mut keys = keys.into_iter();
    let mut groups = Vec::with_capacity(aggregate.group_expr.len());
    for expr in &aggregate.group_expr {
        groups.push(match bound_of(expr) {
            Some(Window { bound, .. }) => Expr::Column(Column::new(time.clone(), bound)),
            None => keys.next().unwrap_or_else(|| expr.clone()),
        });
    }
    let inner = Aggregate::try_new(Arc::new(table), groups, aggregate.aggr_expr.clone())?;
    let outputs = inner.schema.iter().zip(aggregate.schema.iter());
    let outputs = outputs.map(|(found, (qualifier, field))| {
        Expr::from(found).alias_qualified(qualifier.cloned(), field.name())
    });
    let outputs = outputs.collect();
    let projection = Projection::try_new(outputs, Arc::new(LogicalPlan::Aggregate(inner)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

/// The rows with the keys of sessions as columns, and what the rows are grouped by then.
fn with_keys(input: LogicalPlan, keys: &[&Expr], kind: &str) -> Result<(LogicalPlan, Vec<Expr>)> {
    let is_column = |expr: &&Expr| matches!(expr, Expr::Column(_));
    if kind != "SESSION" || keys.iter().all(is_column) {
        return Ok((input, keys.iter().map(|key| (*key).clone()).collect()));
    }
    let mut columns: Vec<Expr> = input.schema().iter().map(Expr::from).collect();
    let mut named = Vec::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        let name = format!("session key {place} ..");
        match key {
            Expr::Column(_) => named.push((*key).clone()),
            other => {
                columns.push((*other).clone().alias(&name));
                named.push(Expr::Column(Column::new_unqualified(name)));
            }
        }
    }
    Ok((LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?), named))
}

/// A column of a window.
struct Window<'e> {
    kind: &'e str,
    time: &'e Expr,
    lengths: &'e [Expr],
    /// Its name in the table of windows.
    bound: &'static str,
}

/// The column of a window that an expression is.
fn bound_of(expr: &Expr) -> Option<Window<'_>> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let (_, _, bound) = BOUNDS.iter().find(|(_, name, _)| *name == call.func.name())?;
    match call.args.as_slice() {
        [Expr::Literal(ScalarValue::Utf8(Some(kind)), _), time, lengths @ ..] => {
            Some(Window { kind, time, lengths, bound })
        }
        _ => None,
    }
}

impl Window<'_> {
    /// The rows with the columns of their windows.
    fn table(&self, input: LogicalPlan, keys: &[Expr]) -> Result<WindowTable> {
        let usage = match self.kind {
            "TUMBLE" => "TUMBLE(time, INTERVAL '1' HOUR)",
            "HOP" => "HOP(time, INTERVAL '5' MINUTE /* slide */, INTERVAL '1' HOUR /* size */)",
            _ => "SESSION(time, INTERVAL '5' MINUTE)",
        };
        if !matches!(self.time, Expr::Column(_)) {
            return plan_err!("{} is no time attribute; write {usage}", self.time);
        }
        for (_, _, bound) in BOUNDS {
            if input.schema().has_column_with_unqualified_name(bound) {
                return plan_err!("the rows of {} have a column {bound} already", self.kind);
            }
        }
        let lengths: Option<Vec<i64>> = self.lengths.iter().map(millis).collect();
        let (slide_ms, size_ms) = match (self.kind, lengths.as_deref()) {
            ("SESSION", Some([gap_ms])) if *gap_ms > 0 => {
                return WindowTable::new(
                    input,
                    self.time.clone(),
                    keys.to_vec(),
                    WindowKind::Session(*gap_ms),
                );
            }
            ("TUMBLE", Some([size])) => (*size, *size),
            ("HOP", Some([slide, size])) => (*slide, *size),
            _ => return plan_err!("{} is called with other arguments; write {usage}", self.kind),
        };
        let window = WindowSpec { size_ms, slide_ms, offset_ms: 0, cumulates: false };
        match window.checked() {
            Ok(_) => WindowTable::new(input, self.time.clone(), Vec::new(), WindowKind::Fixed(window)),
            Err(message) => plan_err!("{message}; write {usage}"),
        }
    }
}

/// The columns of windows as functions, for the planner.
pub(crate) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    BOUNDS.into_iter().map(|(_, name, _)| {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::from(Bound { name, signature }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bound {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Bound {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let time = args.arg_fields.get(1).map(|field| field.data_type().clone());
        let data_type = match (self.name, time) {
            ("window time ..", Some(time)) => time,
            _ => self.return_type(&[])?,
        };
        Ok(Arc::new(Field::new(self.name, data_type, false)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("a window stands outside of GROUP BY")
    }
}
