//! `IN` and `EXISTS` with a query wherever they stand: in `OR`, `NOT`, `CASE`, and in a `SELECT` list.
//!
//! Where one is a condition of a `WHERE` by itself, a row that does not meet it is gone, and a semi join or an anti join says
//! so. Elsewhere it is a value: a join marks each row by whether there is a row in the query ([`JoinType::LeftMark`]), and
//! the mark stands in its place. `IN` has a third value. It is no more than two marks: whether there is an equal row, and
//! whether there is one that might be equal, for one of the two is null.
//!
//! ```text
//! x IN (SELECT q ..)   CASE WHEN EXISTS (.. q = x) THEN TRUE
//!                           WHEN EXISTS (.. q IS NULL OR x IS NULL) THEN NULL ELSE FALSE END
//! ```
//! Where the third value comes to the same as one of the others, as below an `OR` of a `WHERE`, one mark is enough.
//!
//! Of a query that reads the row around it there is no such value, as in Flink.
//!
//! [`JoinType::LeftMark`]: datafusion::logical_expr::JoinType::LeftMark

use super::Names;
use super::joins::has_no_null;
use super::subqueries;
use super::words::said;
use crate::lower::picked_column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Case, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Subquery, lit,
    when,
};
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};
use datafusion::sql::sqlparser::tokenizer::Span as LineSpan;
use std::sync::Arc;

/// The plan with marks in the place of the queries that are values.
pub(super) fn mark(plan: LogicalPlan, names: &Names) -> Result<LogicalPlan> {
    let config = Arc::new(subqueries::config(names));
    let mut marks = Marks { context: OptimizerContext::new_with_config_options(config), queries: 0 };
    plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Filter(filter) if has_query(&filter.predicate) => marks.filter(filter),
        LogicalPlan::Projection(projection) if projection.expr.iter().any(has_query) => {
            marks.projection(projection)
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// Refuses what is left of `IN` and `EXISTS` as values.
pub(super) fn check_marked(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|plan| {
        let is_left = match plan {
            LogicalPlan::Filter(filter) => split_conjunction(&filter.predicate)
                .into_iter()
                .any(|condition| has_query(condition) && !is_alone(condition)),
            LogicalPlan::Projection(projection) => projection.expr.iter().any(has_query),
            _ => false,
        };
        match is_left {
            false => Ok(TreeNodeRecursion::Continue),
            true => Err(said(
                "IN or EXISTS inside of OR, NOT, CASE or a SELECT list is not supported, nor in Flink, of a query that reads \
                 the row around it",
                "write it as a condition of its own, joined to others by AND; or LEFT JOIN the distinct keys of the query",
                LineSpan::empty(),
            )),
        }
    })?;
    Ok(())
}

/// Whether a query in an expression reads the row around it.
fn reads_around(expr: &Expr) -> bool {
    let reads = |query: &Subquery| !query.outer_ref_columns.is_empty();
    let found = expr.exists(|expr| {
        Ok(match expr {
            Expr::InSubquery(query) => reads(&query.subquery),
            Expr::Exists(query) => reads(&query.subquery),
            _ => false,
        })
    });
    found.unwrap_or(true)
}

/// Whether `IN` or `EXISTS` stands in an expression.
fn has_query(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(matches!(expr, Expr::InSubquery(_) | Expr::Exists(_)))).unwrap_or(false)
}

/// What a value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Whether it is true: null is as good as false.
    Truth,
    /// All that it is.
    Value,
}

struct Marks {
    context: OptimizerContext,
    /// Queries that have got a name.
    queries: usize,
}

impl Marks {
    fn filter(&mut self, filter: Filter) -> Result<Transformed<LogicalPlan>> {
        let mut input = filter.input.as_ref().clone();
        let mut marked: Vec<(Expr, Expr)> = Vec::new();
        let mut conditions = Vec::new();
        for condition in split_conjunction_owned(filter.predicate.clone()) {
            let is_value = has_query(&condition) && !is_alone(&condition) && !reads_around(&condition);
            conditions.push(match is_value {
                true => {
                    let condition = self.without_in(condition, Asked::Truth, &filter.input)?;
                    self.with_marks(condition, &mut input, &mut marked)?
                }
                false => condition,
            });
        }
        let Some(predicate) = conjunction(conditions).filter(|_| !marked.is_empty()) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let columns: Vec<Expr> = filter.input.schema().iter().map(Expr::from).collect();
        let plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?);
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
    }

    fn projection(&mut self, projection: Projection) -> Result<Transformed<LogicalPlan>> {
        let mut input = projection.input.as_ref().clone();
        let mut exprs = Vec::with_capacity(projection.expr.len());
        let mut marked: Vec<(Expr, Expr)> = Vec::new();
        for (expr, (qualifier, field)) in projection.expr.into_iter().zip(projection.schema.iter()) {
            if !has_query(&expr) || reads_around(&expr) {
                exprs.push(expr);
                continue;
            }
            let expr = self.without_in(expr, Asked::Value, &projection.input)?;
            let expr = self.with_marks(expr, &mut input, &mut marked)?;
            exprs.push(expr.unalias().alias_qualified(qualifier.cloned(), field.name()));
        }
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)))
    }

    /// An expression with marks in the place of `EXISTS`; `input` gets them as columns.
    fn with_marks(
        &self,
        expr: Expr,
        input: &mut LogicalPlan,
        marked: &mut Vec<(Expr, Expr)>,
    ) -> Result<Expr> {
        let expr = expr.transform_up(|expr| match expr {
            Expr::Exists(_) => self.marked(expr, input, marked).map(Transformed::yes),
            other => Ok(Transformed::no(other)),
        });
        expr.data()
    }

    fn marked(&self, exists: Expr, input: &mut LogicalPlan, marked: &mut Vec<(Expr, Expr)>) -> Result<Expr> {
        if let Some((_, mark)) = marked.iter().find(|(known, _)| *known == exists) {
            return Ok(mark.clone());
        }
        // The rule makes marks for filters alone: of one that leaves nothing out the mark is taken.
        let condition = exists.clone().or(lit(true));
        let filter = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(input.clone()))?);
        let found = DecorrelatePredicateSubquery::new().rewrite(filter, &self.context)?.data;
        let found = match found {
            LogicalPlan::Projection(projection) => Arc::unwrap_or_clone(projection.input),
            other => other,
        };
        if let LogicalPlan::Filter(filter) = found
            && let Expr::BinaryExpr(either) = filter.predicate
            && !has_query(&either.left)
        {
            *input = Arc::unwrap_or_clone(filter.input);
            marked.push((exists, either.left.as_ref().clone()));
            return Ok(*either.left);
        }
        Ok(exists)
    }

    /// An expression over `input` with `EXISTS` in the place of `IN`.
    fn without_in(&mut self, expr: Expr, asked: Asked, input: &LogicalPlan) -> Result<Expr> {
        match expr {
            Expr::InSubquery(query) => self.without_this_in(query, asked, input),
            Expr::Not(inner) => match *inner {
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let query = InSubquery { expr, subquery, negated: !negated };
                    self.without_this_in(query, asked, input)
                }
                other => Ok(Expr::Not(Box::new(self.without_in(other, Asked::Value, input)?))),
            },
            Expr::Alias(mut alias) => {
                alias.expr = Box::new(self.without_in(*alias.expr, asked, input)?);
                Ok(Expr::Alias(alias))
            }
            Expr::BinaryExpr(mut binary) if matches!(binary.op, Operator::And | Operator::Or) => {
                binary.left = Box::new(self.without_in(*binary.left, asked, input)?);
                binary.right = Box::new(self.without_in(*binary.right, asked, input)?);
                Ok(Expr::BinaryExpr(binary))
            }
            Expr::Case(Case { expr: None, when_then_expr, else_expr }) => {
                let mut cases = Vec::with_capacity(when_then_expr.len());
                for (condition, value) in when_then_expr {
                    let condition = self.without_in(*condition, Asked::Truth, input)?;
                    cases.push((Box::new(condition), Box::new(self.without_in(*value, asked, input)?)));
                }
                let otherwise = else_expr.map(|value| self.without_in(*value, asked, input)).transpose()?;
                Ok(Expr::Case(Case::new(None, cases, otherwise.map(Box::new))))
            }
            other => {
                let inner = other
                    .map_children(|child| self.without_in(child, Asked::Value, input).map(Transformed::yes));
                inner.data()
            }
        }
    }

    fn without_this_in(&mut self, query: InSubquery, asked: Asked, input: &LogicalPlan) -> Result<Expr> {
        let InSubquery { expr, subquery, negated } = query;
        let maybe_null = may_be_null(&expr, input)? || !has_no_null(&subquery.subquery, 0);
        let query = self.named(subquery)?;
        let value = Expr::from(query.subquery.schema().qualified_field(0));
        let outer = as_outer(*expr, input)?;
        let same = value.clone().eq(outer.clone());
        let unknown = value.is_null().or(outer.is_null());
        if !maybe_null || (asked == Asked::Truth && !negated) {
            return exists(&query, same, negated);
        }
        if asked == Asked::Truth {
            return exists(&query, same.or(unknown), true);
        }
        let (same, unknown) = (exists(&query, same, false)?, exists(&query, unknown, false)?);
        when(same, lit(!negated)).when(unknown, lit(ScalarValue::Boolean(None))).otherwise(lit(negated))
    }

    /// A query whose column is called as no other is.
    fn named(&mut self, mut query: Subquery) -> Result<Subquery> {
        self.queries += 1;
        let plan = LogicalPlanBuilder::from(query.subquery.as_ref().clone());
        query.subquery = Arc::new(plan.alias(format!("__in_{}", self.queries))?.build()?);
        Ok(query)
    }
}

/// Whether a condition is `IN` or `EXISTS` and nothing else.
fn is_alone(condition: &Expr) -> bool {
    match condition {
        Expr::Not(inner) => matches!(**inner, Expr::InSubquery(_) | Expr::Exists(_)),
        other => matches!(other, Expr::InSubquery(_) | Expr::Exists(_)),
    }
}

fn may_be_null(expr: &Expr, input: &LogicalPlan) -> Result<bool> {
    let column = picked_column(expr, input.schema());
    Ok(expr.nullable(input.schema())? && !column.is_some_and(|column| has_no_null(input, column)))
}

/// An expression over `input`, read from inside of a query.
fn as_outer(expr: Expr, input: &LogicalPlan) -> Result<Expr> {
    let outer = expr.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let (qualifier, field) = input.schema().qualified_field_from_column(&column)?;
            let name = datafusion::common::Column::new(qualifier.cloned(), field.name());
            Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), name)))
        }
        other => Ok(Transformed::no(other)),
    });
    outer.data()
}

/// Whether a query has a row that meets a condition.
fn exists(query: &Subquery, condition: Expr, negated: bool) -> Result<Expr> {
    let filter = Filter::try_new(condition, Arc::clone(&query.subquery))?;
    let plan = LogicalPlan::Filter(filter);
    let outer_ref_columns = plan.all_out_ref_exprs();
    let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: query.spans.clone() };
    Ok(Expr::Exists(Exists { subquery, negated }))
}
