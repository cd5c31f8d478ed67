//! `MATCH_RECOGNIZE`: patterns in the rows of a table.
//!
//! How it is written is read in [`written`], and expressions in [`reader`]: what `MEASURES` and `DEFINE` ask of the rows of a
//! match becomes calls of functions that mark it ([`value`]), over the columns of the input, so that expressions get their types as anywhere else.
//! A [`MatchRows`] has the conditions, and a column for every value of a match that `MEASURES` reads; the expressions
//! around these are a projection behind it.

mod lower;
mod reader;
mod sources;
mod value;
mod written;

pub(crate) use value::{is_value, named};

use super::{Feature, columns_read};
use crate::lower::{Changes, Lowering, Need, Refusal, Stream, add_reads};
use crate::query::patterns::Written;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::TableFactor;
use millstream_operators::match_recognize::AfterMatch;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What is looked for, beside the expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clauses {
    /// The variables.
    pub pattern: Written,
    /// By variable: whether it has a condition.
    pub defined: Vec<bool>,
    /// Number of columns of the partition.
    pub keys: usize,
    /// By column of the order: whether it is descending, and whether nulls come first.
    pub order: Vec<(bool, bool)>,
    /// Where it goes on.
    pub after: AfterMatch,
    /// How long a match may take.
    pub within_ms: Option<i64>,
    /// What the values are called.
    pub names: Vec<String>,
}

/// A row for each match: the columns of the partition, then values of the match.
#[derive(Debug, Clone)]
pub(crate) struct MatchRows {
    /// The rows that are looked at.
    pub input: LogicalPlan,
    /// The columns of the partition, those of the order, conditions, and values.
    pub exprs: Vec<Expr>,
    /// What stands beside them.
    pub clauses: Clauses,
    schema: DFSchemaRef,
}

impl MatchRows {
    fn new(input: LogicalPlan, exprs: Vec<Expr>, clauses: Clauses) -> Result<Self> {
        let before = clauses.keys + clauses.order.len() + clauses.defined.iter().filter(|is| **is).count();
        if exprs.len() != before + clauses.names.len() {
            return plan_err!("MATCH_RECOGNIZE has the expressions it had");
        }
        let mut fields: Vec<(Option<TableReference>, _)> = Vec::new();
        for key in &exprs[..clauses.keys] {
            let (_, field) = key.to_field(input.schema())?;
            let name = column_name(key).unwrap_or_else(|| field.name().clone());
            fields.push((None, Arc::new(field.as_ref().clone().with_name(name))));
        }
        for (value, name) in exprs[before..].iter().zip(&clauses.names) {
            let (_, field) = value.to_field(input.schema())?;
            fields.push((None, Arc::new(field.as_ref().clone().with_name(name).with_nullable(true))));
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        Ok(MatchRows { input, exprs, clauses, schema })
    }

    fn keys(&self) -> &[Expr] {
        &self.exprs[..self.clauses.keys]
    }

    fn order(&self) -> &[Expr] {
        &self.exprs[self.clauses.keys..][..self.clauses.order.len()]
    }

    /// By variable: its condition.
    fn conditions(&self) -> Vec<Option<&Expr>> {
        let mut defined = self.exprs[self.clauses.keys + self.clauses.order.len()..].iter();
        self.clauses.defined.iter().map(|is| if *is { defined.next() } else { None }).collect()
    }

    fn values(&self) -> &[Expr] {
        &self.exprs[self.exprs.len() - self.clauses.names.len()..]
    }

    fn identity(&self) -> (&LogicalPlan, &[Expr], &Clauses) {
        (&self.input, &self.exprs, &self.clauses)
    }
}

fn column_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Alias(alias) => column_name(&alias.expr),
        Expr::Column(Column { name, .. }) => Some(name.clone()),
        _ => None,
    }
}

impl PartialEq for MatchRows {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for MatchRows {}

impl Hash for MatchRows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.input, &self.exprs).hash(state);
    }
}

impl PartialOrd for MatchRows {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for MatchRows {
    fn name(&self) -> &str {
        "MatchRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.exprs.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = self.clauses.pattern.iter().map(|(name, quantifier)| format!("{name}{quantifier}"));
        write!(f, "MatchRows: {}", pattern.collect::<Vec<_>>().join(" "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => MatchRows::new(input, exprs, self.clauses.clone()),
            None => plan_err!("MATCH_RECOGNIZE has one input"),
        }
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![columns_read(&self.input, std::iter::empty(), &self.exprs)])
    }
}

impl Feature for MatchRows {
    fn relation(relation: TableFactor, context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        written::relation(relation, context)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        lower::lower(self, lowering)
    }

    fn reads(&self, _wanted: &[Need]) -> Result<Option<Vec<Vec<Need>>>> {
        let schema: &DFSchema = self.input.schema();
        let mut read = vec![Need::Nothing; schema.fields().len()];
        for expr in &self.exprs {
            add_reads(expr, &Need::All, schema, &mut read)?;
        }
        Ok(Some(vec![read]))
    }
}
