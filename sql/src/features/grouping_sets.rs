//! `GROUPING SETS`, `CUBE` and `ROLLUP`: every row counts once in each set.
//!
//! ```text
//! GROUP BY GROUPING SETS ((a, b), (a))      rows once for each set, with its number
//!                                           GROUP BY a, CASE WHEN set = 0 THEN b END, set
//! ```
//! `GROUPING` and `GROUPING_ID` are asked of the set alone. Windows that all sets are grouped by stay what they are.

use super::unnest::UnnestTable;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, Aggregate, AggregateUDF, AggregateUDFImpl, Expr, LogicalPlan, Projection, Signature,
    Volatility, lit, when,
};
use std::sync::Arc;

/// What the number of a set is called while it is no column of a query.
const SET: &str = "GROUPING SET ..";
/// The most sets: a `CUBE` of ten columns.
const SETS_MAX: usize = 1024;

/// The sets of a grouping, and all expressions in them.
struct Sets {
    all: Vec<Expr>,
    sets: Vec<Vec<Expr>>,
}

impl Sets {
    /// The sets of a plan that has any.
    fn of(aggregate: &Aggregate) -> Result<Option<Sets>> {
        let [Expr::GroupingSet(set)] = aggregate.group_expr.as_slice() else { return Ok(None) };
        let all: Vec<Expr> = set.distinct_expr().into_iter().cloned().collect();
        let sets = match set {
            GroupingSet::GroupingSets(sets) => sets.clone(),
            GroupingSet::Rollup(exprs) => (0..=exprs.len()).rev().map(|end| exprs[..end].to_vec()).collect(),
            GroupingSet::Cube(exprs) if exprs.len() > 10 => Vec::new(),
            GroupingSet::Cube(exprs) => {
                let in_set = |bits: usize| {
                    let exprs = exprs.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 0);
                    exprs.map(|(_, expr)| expr.clone()).collect()
                };
                (0..1_usize << exprs.len()).map(in_set).collect()
            }
        };
        if sets.is_empty() || sets.len() > SETS_MAX {
            return plan_err!("a query has up to {SETS_MAX} grouping sets: write several queries");
        }
        Ok(Some(Sets { all, sets }))
    }

    /// A value that depends on the set.
    fn by_set(&self, value: impl Fn(&[Expr]) -> Expr) -> Result<Expr> {
        let mut cases = self.sets.iter().enumerate().map(|(number, set)| (number_of(number), value(set)));
        let Some((first, then)) = cases.next() else { return plan_err!("a grouping without sets") };
        let mut case = when(set_column().eq(first), then);
        for (number, then) in cases {
            case = case.when(set_column().eq(number), then);
        }
        case.end()
    }

    /// A group expression, null in the sets that it is not in.
    fn grouped(&self, expr: &Expr) -> Result<Expr> {
        let in_sets = (0..self.sets.len()).filter(|set| self.sets[*set].contains(expr));
        let conditions = in_sets.map(|set| set_column().eq(number_of(set)));
        match conditions.reduce(Expr::or) {
            Some(_) if self.sets.iter().all(|set| set.contains(expr)) => Ok(expr.clone()),
            Some(condition) => when(condition, expr.clone()).end(),
            None => plan_err!("{expr} is in no grouping set"),
        }
    }

    /// `GROUPING(a, b)`: a bit for each argument, the last the lowest, set where a row is not grouped by it.
    fn grouping(&self, args: &[Expr]) -> Result<Expr> {
        if let Some(other) = args.iter().find(|arg| !self.all.contains(arg)) {
            return plan_err!("GROUPING({other}): {other} is no expression of GROUP BY");
        }
        self.by_set(|set| {
            let bits = args.iter().fold(0_i64, |bits, arg| bits << 1 | i64::from(!set.contains(arg)));
            datafusion::logical_expr::cast(lit(bits), DataType::Int64)
        })
    }
}

fn number_of(set: usize) -> Expr {
    lit(set as i32)
}

fn set_column() -> Expr {
    Expr::Column(Column::new_unqualified(SET))
}

/// The arguments of a call of `GROUPING` or `GROUPING_ID`.
fn grouping_call(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Alias(alias) => grouping_call(&alias.expr),
        Expr::AggregateFunction(call) => {
            call.func.inner().downcast_ref::<Grouping>().map(|_| call.params.args.as_slice())
        }
        _ => None,
    }
}

/// Puts a grouping of rows that are there once for each set in the place of grouping sets; without any, `GROUPING` is 0.
pub(crate) fn recognise(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
    let sets = Sets::of(aggregate)?;
    let asks = aggregate.aggr_expr.iter().any(|expr| grouping_call(expr).is_some());
    let plain = Sets { all: aggregate.group_expr.clone(), sets: vec![aggregate.group_expr.clone()] };
    let (input, sets, is_plain) = match sets {
        None if !asks => return Ok(Transformed::no(plan)),
        None => (aggregate.input.as_ref().clone(), plain, true),
        Some(sets) => {
            let numbers: Vec<i32> = (0..sets.sets.len() as i32).collect();
            (UnnestTable::times(aggregate.input.as_ref().clone(), &numbers, SET)?, sets, false)
        }
    };
    let mut groups = Vec::with_capacity(sets.all.len() + 1);
    for (place, expr) in sets.all.iter().enumerate() {
        groups.push(match sets.grouped(expr)? {
            same if same == *expr => same,
            grouped => grouped.alias(format!("{SET}{place}")),
        });
    }
    groups.extend((!is_plain).then(set_column));
    let mut calls = Vec::new();
    let mut outputs: Vec<Expr> = Vec::new();
    for ((qualifier, field), group) in aggregate.schema.iter().zip(&groups[..sets.all.len()]) {
        let column = match group {
            Expr::Alias(alias) => Expr::Column(Column::new_unqualified(&alias.name)),
            _ => Expr::from((qualifier, field)),
        };
        outputs.push(column.alias_qualified(qualifier.cloned(), field.name()));
    }
    for expr in &aggregate.aggr_expr {
        let name = expr.schema_name().to_string();
        outputs.push(match grouping_call(expr) {
            Some(_) if is_plain => lit(0_i64).alias(name),
            Some(args) => sets.grouping(args)?.alias(name),
            None => {
                calls.push(expr.clone());
                Expr::Column(Column::new_unqualified(name))
            }
        });
    }
    let inner = Aggregate::try_new(Arc::new(input), groups, calls)?;
    let projection = Projection::try_new(outputs, Arc::new(LogicalPlan::Aggregate(inner)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

/// `GROUPING` and `GROUPING_ID`, as the planner knows them.
pub(crate) fn functions() -> impl Iterator<Item = Arc<AggregateUDF>> {
    NAMES.iter().map(|name| {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Grouping { name, signature }))
    })
}

/// Their names.
pub(crate) const NAMES: &[&str] = &["grouping", "grouping_id"];

#[derive(Debug, PartialEq, Eq, Hash)]
struct Grouping {
    name: &'static str,
    signature: Signature,
}

impl AggregateUDFImpl for Grouping {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        plan_err!("{} was left in a plan", self.name.to_uppercase())
    }

    fn state_fields(&self, _args: StateFieldsArgs<'_>) -> Result<Vec<arrow::datatypes::FieldRef>> {
        plan_err!("{} was left in a plan", self.name.to_uppercase())
    }
}
