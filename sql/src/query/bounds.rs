//! Bounds on queries, so that planning any text ends soon and on the stack it has.
//!
//! Whoever walks a plan or an expression calls itself for each level: levels are bounded. Plans take the place of the views
//! they read, so that a few short views may amount to a plan of any size: its size is bounded before it is made.

use super::provider::Names;
use crate::error::{Span, SqlError, code};
use crate::script::{Positions, Tokens};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Query, SetExpr,
    Spanned, TableFactor, TableFunctionArgs, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span as LineSpan;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Levels of an expression.
const DEPTH_MAX: usize = 256;
/// Relations that one `FROM` joins, and queries that one `UNION` puts together.
const OPERANDS_MAX: usize = 200;
/// Steps of a plan, those of its views counted wherever they are read.
const STEPS_MAX: usize = 1_000;
/// Columns and expressions of all steps of a plan.
const COLUMNS_MAX: usize = 200_000;
/// Terms of `AND` and `OR` that stay as they are written.
const TERMS_MAX: usize = 16;

/// What is too large, and where.
struct TooLarge {
    message: String,
    help: &'static str,
    at: Option<LineSpan>,
}

/// Looks whether a query keeps to the bounds. Long chains of `AND` and `OR` are put into groups, which mean the same.
pub(super) fn check_query(
    query: &mut Query,
    names: &Names,
    tokens: &Tokens,
    positions: &Positions,
) -> Result<(), SqlError> {
    let refused = |too_large: &TooLarge| refusal(too_large, tokens, positions);
    if let ControlFlow::Break(too_large) = query.visit(&mut Levels::default()) {
        return Err(refused(&too_large));
    }
    let mut sizes = Sizes { names, queries: Vec::new(), named: BTreeMap::new() };
    match Visit::visit(query, &mut sizes) {
        ControlFlow::Break(too_large) => Err(refused(&too_large)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The same for an expression.
pub(super) fn check_expression(
    expr: &mut Expr,
    tokens: &Tokens,
    positions: &Positions,
) -> Result<(), SqlError> {
    match expr.visit(&mut Levels::default()) {
        ControlFlow::Break(too_large) => Err(refusal(&too_large, tokens, positions)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn refusal(too_large: &TooLarge, tokens: &Tokens, positions: &Positions) -> SqlError {
    let span: Span = too_large.at.and_then(|at| positions.span(at)).unwrap_or(tokens.span);
    SqlError::new(code::TOO_LARGE, span, &too_large.message).label("here").help(too_large.help)
}

/// Groups long chains, and counts levels on the way down: so this itself stays within the bound.
#[derive(Default)]
struct Levels {
    depth: usize,
}

impl VisitorMut for Levels {
    type Break = Box<TooLarge>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        let operands = operands(&query.body);
        if operands > OPERANDS_MAX {
            return too_large(
                format!("{operands} queries are put together: {OPERANDS_MAX} at most"),
                "write them to one topic with an INSERT INTO each, and read that",
                None,
            );
        }
        let SetExpr::Select(select) = query.body.as_ref() else { return ControlFlow::Continue(()) };
        let relations: usize = select.from.iter().map(|from| 1 + from.joins.len()).sum();
        if relations > OPERANDS_MAX {
            return too_large(
                format!("{relations} tables are joined: {OPERANDS_MAX} at most"),
                "join some of them first, and write the rows to a topic with INSERT INTO",
                None,
            );
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        self.depth += 1;
        group_terms(expr);
        let parts = match expr {
            Expr::CompoundFieldAccess { access_chain, .. } => access_chain.len(),
            Expr::CompoundIdentifier(parts) => parts.len(),
            _ => 0,
        };
        if self.depth + parts <= DEPTH_MAX {
            return ControlFlow::Continue(());
        }
        too_large(
            format!("this expression has more than {DEPTH_MAX} levels"),
            "put its terms into groups, as in (a + b + ..) + (c + d + ..), or compute parts of it in a view",
            Some(place(expr)),
        )
    }

    fn post_visit_expr(&mut self, _expr: &mut Expr) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

fn too_large(message: String, help: &'static str, at: Option<LineSpan>) -> ControlFlow<Box<TooLarge>> {
    ControlFlow::Break(Box::new(TooLarge { message, help, at }))
}

/// Queries that a set operation puts together.
fn operands(body: &SetExpr) -> usize {
    let (mut count, mut left) = (0, vec![body]);
    while let Some(body) = left.pop() {
        match body {
            SetExpr::SetOperation { left: one, right: other, .. } => {
                left.extend([one.as_ref(), other.as_ref()])
            }
            _ => count += 1,
        }
    }
    count
}

/// Where an expression of many levels stands: at a part of it that has few.
fn place(mut expr: &Expr) -> LineSpan {
    loop {
        match expr {
            Expr::BinaryOp { right, .. } => expr = right,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => return expr.span(),
            Expr::Function(function) => return function.name.span(),
            _ => return LineSpan::empty(),
        }
    }
}

/// Puts the terms of a long `AND` or `OR` into groups: `a OR b OR c OR d` as `(a OR b) OR (c OR d)`.
fn group_terms(expr: &mut Expr) {
    let Expr::BinaryOp { op, .. } = &expr else { return };
    let op = op.clone();
    if !matches!(op, BinaryOperator::And | BinaryOperator::Or) || terms(expr, &op) <= TERMS_MAX {
        return;
    }
    let mut left = std::mem::replace(expr, Expr::Value(Value::Null.into()));
    let mut terms = Vec::new();
    loop {
        match left {
            Expr::BinaryOp { left: first, op: same, right } if same == op => {
                terms.push(*right);
                left = *first;
            }
            first => {
                terms.push(first);
                break;
            }
        }
    }
    terms.reverse();
    if let Some(grouped) = grouped(terms, &op) {
        *expr = grouped;
    }
}

fn terms(mut expr: &Expr, op: &BinaryOperator) -> usize {
    let mut count = 1;
    while let Expr::BinaryOp { left, op: other, .. } = expr
        && other == op
    {
        count += 1;
        expr = left;
    }
    count
}

/// A tree of as few levels as there can be; `None` of no terms.
fn grouped(mut terms: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => {
                    Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
                }
                None => left,
            });
        }
        terms = pairs;
    }
    terms.pop()
}

/// What a plan amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Its steps.
    steps: usize,
    /// Columns and expressions of all of them.
    columns: usize,
}

impl Size {
    /// The size of a table of so many columns.
    pub(super) fn of_table(columns: usize) -> Self {
        Size { steps: 1, columns }
    }

    /// The size of a plan.
    pub(super) fn of_plan(plan: &LogicalPlan) -> Self {
        let (mut size, mut left) = (Size::default(), vec![plan]);
        while let Some(plan) = left.pop() {
            size.add(Size { steps: 1, columns: plan.schema().fields().len() });
            left.extend(plan.inputs());
        }
        size
    }

    fn add(&mut self, other: Size) {
        self.steps = self.steps.saturating_add(other.steps);
        self.columns = self.columns.saturating_add(other.columns);
    }
}

/// Adds up the sizes of what a query reads, of `WITH` wherever it is read.
struct Sizes<'n> {
    names: &'n Names,
    /// The queries around the place, the outermost first.
    queries: Vec<Around>,
    /// Names of queries of `WITH` that were not walked yet, by where they stand in memory.
    named: BTreeMap<usize, String>,
}

#[derive(Default)]
struct Around {
    size: Size,
    with: BTreeMap<String, Size>,
}

impl Sizes<'_> {
    fn add(&mut self, size: Size, at: impl FnOnce() -> LineSpan) -> ControlFlow<Box<TooLarge>> {
        let Some(around) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        around.size.add(size);
        let total = around.size;
        if total.steps <= STEPS_MAX && total.columns <= COLUMNS_MAX {
            return ControlFlow::Continue(());
        }
        let help =
            "write the rows of a view that many others read to a topic with INSERT INTO, and read that";
        let (what, most) = match total.steps > STEPS_MAX {
            true => ("steps", STEPS_MAX),
            false => ("columns", COLUMNS_MAX),
        };
        let message = format!("with all views that it reads this query has more than {most} {what}");
        too_large(message, help, Some(at()))
    }

    fn size_of(&self, name: &str) -> Size {
        let with = self.queries.iter().rev().find_map(|around| around.with.get(name).copied());
        with.or_else(|| self.names.size(name)).unwrap_or_default()
    }
}

impl Visitor for Sizes<'_> {
    type Break = Box<TooLarge>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        self.queries.push(Around::default());
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.named.insert(std::ptr::from_ref(cte.query.as_ref()).addr(), cte.alias.name.value.clone());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        let Some(Around { size, .. }) = self.queries.pop() else { return ControlFlow::Continue(()) };
        if let Some(name) = self.named.remove(&std::ptr::from_ref(query).addr())
            && let Some(outer) = self.queries.last_mut()
        {
            outer.with.insert(name, size);
            return ControlFlow::Continue(());
        }
        self.add(size, || query.body.span())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Self::Break> {
        let name = relation.0.last().and_then(|part| part.as_ident()).map(|part| part.value.as_str());
        let mut size = name.map(|name| self.size_of(name)).unwrap_or_default();
        size.add(Size { steps: 3, columns: 0 });
        self.add(size, || relation.span())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        let args = match factor {
            TableFactor::Table { args: Some(TableFunctionArgs { args, .. }), .. } => args,
            TableFactor::TableFunction { expr: Expr::Function(function), .. } => match &function.args {
                FunctionArguments::List(list) => &list.args,
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        let table = args.first().and_then(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name)))
            | FunctionArg::Named { arg: FunctionArgExpr::Expr(Expr::Identifier(name)), .. } => Some(name),
            _ => None,
        });
        match table {
            Some(name) => self.add(self.size_of(&name.value), || name.span),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        self.add(Size { steps: 0, columns: 1 }, || place(expr))
    }
}
