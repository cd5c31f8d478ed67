//! Puts [`OverRows`] in the place of the planner's nodes for `OVER`.

use super::OverRows;
use super::functions::name_of;
use super::meaning::function;
use crate::features::plan_of;
use crate::features::top_n::functions::rank_function;
use crate::lower::picked_column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, Window, cast, ident,
};

pub(super) fn recognise(plan: LogicalPlan) -> Result<LogicalPlan> {
    let found = plan.transform_up(|node| match &node {
        LogicalPlan::Window(window) => Ok(Transformed::yes(over_rows(window)?)),
        _ => Ok(Transformed::no(node)),
    });
    Ok(found?.data)
}

/// What a function is computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Its frame.
    Frame,
    /// All rows so far.
    AllRows,
    /// As many rows as it looks back.
    RowsBefore,
}

fn over(function: &WindowFunction) -> Over {
    match name_of(&function.fun) {
        _ if rank_function(&function.fun).is_some() => Over::AllRows,
        Some("lag") => Over::RowsBefore,
        _ => Over::Frame,
    }
}

/// A node for each of what the functions are computed over; what they read are columns of a projection below.
fn over_rows(window: &Window) -> Result<LogicalPlan> {
    let width = window.input.schema().fields().len();
    let mut computed = Computed { relation: window.input.schema(), columns: Vec::new() };
    let calls: Vec<WindowFunction> =
        window.window_expr.iter().map(|call| computed.call(function(call)?)).collect::<Result<_>>()?;
    let mut plan = computed.below(window)?;
    for kind in [Over::Frame, Over::AllRows, Over::RowsBefore] {
        let of_kind: Vec<usize> = (0..calls.len()).filter(|call| over(&calls[*call]) == kind).collect();
        if !of_kind.is_empty() {
            let columns: Vec<usize> = of_kind.iter().map(|call| width + call).collect();
            let calls = of_kind.into_iter().map(|call| Expr::from(calls[call].clone())).collect();
            plan = plan_of(OverRows::new(plan, calls, &window.schema, &columns)?);
        }
    }
    if plan.schema().iter().eq(window.schema.iter()) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = window.schema.iter().map(Expr::from).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Expressions that become columns.
struct Computed<'a> {
    relation: &'a DFSchema,
    columns: Vec<Expr>,
}

impl Computed<'_> {
    /// The call over columns and constants.
    fn call(&mut self, function: &WindowFunction) -> Result<WindowFunction> {
        let mut function = function.clone();
        let is_lag = name_of(&function.fun) == Some("lag");
        let params = &mut function.params;
        if let (true, [value, _, default]) = (is_lag, params.args.as_mut_slice()) {
            let default_type = value.get_type(self.relation)?;
            *default = self.column(&cast(default.clone(), default_type));
        }
        for arg in params.args.iter_mut().take(if is_lag { 1 } else { usize::MAX }) {
            if !matches!(arg, Expr::Literal(..)) || is_lag {
                *arg = self.column(arg);
            }
        }
        if let Some(filter) = &mut params.filter {
            **filter = self.column(filter);
        }
        params.partition_by = params.partition_by.iter().map(|expr| self.column(expr)).collect();
        params.order_by = params
            .order_by
            .iter()
            .map(|sort| SortExpr { expr: self.column(&sort.expr), ..sort.clone() })
            .collect();
        Ok(function)
    }

    fn column(&mut self, expr: &Expr) -> Expr {
        if let Some(column) = picked_column(expr, self.relation) {
            return Expr::from(self.relation.qualified_field(column));
        }
        let expr = expr.clone().unalias();
        let place = self.columns.iter().position(|column| *column == expr).unwrap_or_else(|| {
            self.columns.push(expr);
            self.columns.len() - 1
        });
        ident(format!("over key {place}"))
    }

    /// The input of the window with the computed columns behind its own.
    fn below(self, window: &Window) -> Result<LogicalPlan> {
        let input = window.input.as_ref().clone();
        if self.columns.is_empty() {
            return Ok(input);
        }
        let computed = self.columns.into_iter().enumerate();
        let computed = computed.map(|(place, expr)| expr.alias(format!("over key {place}")));
        let columns: Vec<Expr> = window.input.schema().iter().map(Expr::from).chain(computed).collect();
        LogicalPlanBuilder::from(input).project(columns)?.build()
    }
}
