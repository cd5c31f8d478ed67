//! `OVER`: running aggregates, ranks and rows before, in the order of the time attribute or in any other.
//!
//! The planner's node for it stays in the plan until that is optimized: a batch engine answers it as it is, with the
//! aggregates that are Flink's ([`meaning`]). A stream has an [`OverRows`] in its place ([`recognise`]), which becomes the
//! operator [`Over`], one for each frame, or [`SortedOver`] where what comes out may change. A rank with an upper bound is
//! none of it: [`super::top_n`] looks for these first.
//!
//! [`Over`]: millstream_operators::aggregate::Over
//! [`SortedOver`]: millstream_operators::SortedOver

mod first_row;
pub(crate) mod functions;
mod lower;
mod meaning;
mod recognise;

pub(crate) use first_row::first_rows;
pub(crate) use meaning::flink_windows;

use super::{Feature, columns_read};
use crate::lower::{Changes, Lowering, Need, Refusal, Stream, add_reads};
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::{Expr, LogicalPlan};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Rows, and what is computed over the rows before each: the columns of the input, then one per call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OverRows {
    /// The rows.
    pub input: LogicalPlan,
    /// Window functions of one partition, order and frame, over columns and constants.
    pub calls: Vec<Expr>,
    schema: DFSchemaRef,
}

impl OverRows {
    /// The node whose calls have these columns of `named`.
    fn new(input: LogicalPlan, calls: Vec<Expr>, named: &DFSchema, columns: &[usize]) -> Result<Self> {
        let results = columns.iter().map(|column| named.qualified_field(*column));
        let fields = input.schema().iter().chain(results);
        let fields = fields.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        Ok(OverRows { input, calls, schema })
    }

    /// Number of columns of the input.
    fn width(&self) -> usize {
        self.schema.fields().len() - self.calls.len()
    }
}

impl PartialOrd for OverRows {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for OverRows {
    fn name(&self) -> &str {
        "OverRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.calls.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<String> = self.calls.iter().map(ToString::to_string).collect();
        write!(f, "OverRows: {}", calls.join(", "))
    }

    fn with_exprs_and_inputs(&self, calls: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop().filter(|_| calls.len() == self.calls.len()) else {
            return plan_err!("rows before others have one input, and the calls they had");
        };
        let columns: Vec<usize> = (self.width()..self.schema.fields().len()).collect();
        // Columns that nobody reads may be missing from the input.
        OverRows::new(input, calls, &self.schema, &columns)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.width();
        let passed_on = output_columns.iter().copied().filter(|column| *column < width);
        Some(vec![columns_read(&self.input, passed_on, &self.calls)])
    }
}

impl Feature for OverRows {
    fn optimized(plan: LogicalPlan) -> Result<LogicalPlan> {
        recognise::recognise(plan)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        lower::lower(self, lowering)
    }

    fn reads(&self, wanted: &[Need]) -> Result<Option<Vec<Vec<Need>>>> {
        let mut read = wanted[..self.width()].to_vec();
        for call in &self.calls {
            add_reads(call, &Need::All, self.input.schema(), &mut read)?;
        }
        Ok(Some(vec![read]))
    }
}
