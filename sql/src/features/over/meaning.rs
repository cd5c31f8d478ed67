//! Aggregates with `OVER` as Flink means them: sums and averages of its types, first and last values that are not null.

use super::functions::name_of;
use crate::functions::time::zone::Zone;
use crate::query::{aggregate_as_flink, type_node};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, TableReference, plan_err};
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, NullTreatment, WindowFunction, WindowFunctionParams,
};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Window, WindowFrame, WindowFunctionDefinition,
};
use std::sync::Arc;

/// A plan whose node has functions `OVER`: one node for each frame, with aggregates that are kept.
pub(crate) fn flink_windows(plan: LogicalPlan, zone: Zone) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Window(window) = &plan else { return Ok(Transformed::no(plan)) };
    let mut frames: Vec<WindowFrame> = Vec::new();
    for call in &window.window_expr {
        let frame = &function(call)?.params.window_frame;
        if !frames.contains(frame) {
            frames.push(frame.clone());
        }
    }
    let mut input = Arc::clone(&window.input);
    for frame in frames {
        input = Arc::new(of_frame(window, input, &frame, zone)?);
    }
    // In the order in which they are written.
    let columns: Vec<Expr> = window.schema.iter().map(Expr::from).collect();
    let plan = match input.schema().iter().eq(window.schema.iter()) {
        true => Arc::unwrap_or_clone(input),
        false => LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(columns)?.build()?,
    };
    Ok(Transformed::yes(plan))
}

/// The function that is called.
pub(super) fn function(expr: &Expr) -> Result<&WindowFunction> {
    match expr {
        Expr::Alias(alias) => function(&alias.expr),
        Expr::WindowFunction(function) => Ok(function),
        other => plan_err!("{other} is no function with OVER"),
    }
}

/// The calls of one frame over `input`, which become columns behind its own.
fn of_frame(
    window: &Window,
    input: Arc<LogicalPlan>,
    frame: &WindowFrame,
    zone: Zone,
) -> Result<LogicalPlan> {
    let width = window.input.schema().fields().len();
    let named = |index: usize| window.schema.qualified_field(width + index);
    let of_frame =
        |(_, call): &(usize, &Expr)| function(call).is_ok_and(|call| call.params.window_frame == *frame);
    let written: Vec<(usize, &Expr)> = window.window_expr.iter().enumerate().filter(of_frame).collect();
    let mut calls: Vec<Expr> = Vec::new();
    let mut made: Vec<Option<Expr>> = Vec::new();
    for (_, call) in &written {
        made.push(as_flink(function(call)?, &window.input, &mut calls)?);
    }
    let changed = made.iter().any(Option::is_some);
    let mut outputs: Vec<Expr> = input.schema().iter().map(Expr::from).collect();
    for ((index, call), made) in written.into_iter().zip(made) {
        let (qualifier, field) = named(index);
        let output = match made {
            Some(made) => made,
            // What another is made of may be what this is.
            None => column_of(picking(function(call)?)?, (qualifier, field.name()), &mut calls),
        };
        outputs.push(output.alias_qualified(qualifier.cloned(), field.name()));
    }
    let window = LogicalPlan::Window(Window::try_new(calls, input)?);
    match changed {
        true => type_node(LogicalPlanBuilder::from(window).project(outputs)?.build()?, zone),
        false => Ok(window),
    }
}

/// An aggregate that is made of others: adds these, and gives what it is of their columns.
fn as_flink(function: &WindowFunction, input: &LogicalPlan, calls: &mut Vec<Expr>) -> Result<Option<Expr>> {
    let WindowFunctionDefinition::AggregateUDF(func) = &function.fun else { return Ok(None) };
    let WindowFunctionParams { args, distinct, filter, .. } = function.params.clone();
    let params =
        AggregateFunctionParams { args, distinct, filter, order_by: Vec::new(), null_treatment: None };
    let aggregate = AggregateFunction { func: Arc::clone(func), params };
    let mut parts = Vec::new();
    let output = aggregate_as_flink(&aggregate, input.schema(), &mut parts)?;
    for part in parts {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = &part else {
            return plan_err!("{part} is no aggregate");
        };
        let fun = WindowFunctionDefinition::AggregateUDF(Arc::clone(func));
        let params = WindowFunctionParams { args: params.args.clone(), ..function.params.clone() };
        let name = part.schema_name().to_string();
        column_of(Expr::from(WindowFunction { fun, params }), (None, &name), calls);
    }
    Ok(output)
}

/// The column of a call, which is added under a name unless it is there.
fn column_of(call: Expr, name: (Option<&TableReference>, &str), calls: &mut Vec<Expr>) -> Expr {
    let is_same = |other: &&Expr| matches!(other, Expr::Alias(alias) if *alias.expr == call);
    let column = match calls.iter().find(is_same) {
        Some(Expr::Alias(alias)) => Column::new(alias.relation.clone(), &alias.name),
        _ => {
            calls.push(call.alias_qualified(name.0.cloned(), name.1));
            Column::new(name.0.cloned(), name.1)
        }
    };
    Expr::Column(column)
}

/// A function that picks a row: nulls do not count for the first and the last value.
fn picking(function: &WindowFunction) -> Result<Expr> {
    let name = name_of(&function.fun);
    let mut function = function.clone();
    match (name, function.params.null_treatment) {
        (_, Some(NullTreatment::RespectNulls)) => {
            return plan_err!("RESPECT NULLS is not supported with OVER; nulls are left out of it");
        }
        (Some("first_value" | "last_value"), _) => {
            function.params.null_treatment = Some(NullTreatment::IgnoreNulls);
        }
        (Some("lag"), Some(_)) => return plan_err!("LAG takes no IGNORE NULLS"),
        _ => {}
    }
    Ok(Expr::from(function))
}
