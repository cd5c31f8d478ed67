//! The nodes of a temporal join.

use crate::features::columns_read;
use arrow::datatypes::Field;
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::{Expr, LogicalPlan};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The right side of `FOR SYSTEM_TIME AS OF`: the table in the version of a time that the left side gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Versioned {
    /// The versioned table.
    pub input: LogicalPlan,
    /// Parts of the name of the left side's column.
    pub as_of: Vec<String>,
}

impl PartialOrd for Versioned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for Versioned {
    fn name(&self) -> &str {
        "Versioned"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Versioned: as of {}", self.as_of.join("."))
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => Ok(Versioned { input, as_of: self.as_of.clone() }),
            None => plan_err!("a versioned table has one input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}

/// A join with the version that was valid at the left row's time. Columns: those of the left, then of the right.
#[derive(Debug, Clone)]
pub(crate) struct TemporalJoin {
    /// Insertions.
    pub left: LogicalPlan,
    /// The versioned table.
    pub right: LogicalPlan,
    /// Whether left rows without a version are kept.
    pub keep_unmatched: bool,
    /// Pairs of equal expressions, left and right.
    pub on: Vec<(Expr, Expr)>,
    /// The left side's time.
    pub time: Expr,
    schema: DFSchemaRef,
}

impl TemporalJoin {
    pub(crate) fn new(
        left: LogicalPlan,
        right: LogicalPlan,
        keep_unmatched: bool,
        on: Vec<(Expr, Expr)>,
        time: Expr,
    ) -> Result<Self> {
        let owned = |(qualifier, field): (Option<&TableReference>, &Arc<Field>)| {
            (qualifier.cloned(), Arc::clone(field))
        };
        let right_fields = right.schema().iter().map(|(qualifier, field)| {
            let field = if keep_unmatched {
                Arc::new(field.as_ref().clone().with_nullable(true))
            } else {
                Arc::clone(field)
            };
            (qualifier.cloned(), field)
        });
        let fields = left.schema().iter().map(owned).chain(right_fields).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        Ok(TemporalJoin { left, right, keep_unmatched, on, time, schema })
    }

    fn identity(&self) -> (&LogicalPlan, &LogicalPlan, bool, &[(Expr, Expr)], &Expr) {
        (&self.left, &self.right, self.keep_unmatched, &self.on, &self.time)
    }
}

impl PartialEq for TemporalJoin {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for TemporalJoin {}

impl Hash for TemporalJoin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartialOrd for TemporalJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.left.partial_cmp(&other.left)
    }
}

impl UserDefinedLogicalNodeCore for TemporalJoin {
    fn name(&self) -> &str {
        "TemporalJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let sides = self.on.iter().flat_map(|(left, right)| [left.clone(), right.clone()]);
        sides.chain([self.time.clone()]).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.on.iter().map(|(left, right)| format!("{left} = {right}")).collect::<Vec<_>>();
        write!(f, "TemporalJoin: {} as of {}", on.join(" AND "), self.time)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some((time, sides)), Ok([left, right])) =
            (exprs.split_last(), <[LogicalPlan; 2]>::try_from(inputs))
        else {
            return plan_err!("a temporal join has two inputs and a time");
        };
        let on = sides.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        TemporalJoin::new(left, right, self.keep_unmatched, on, time.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let split = self.left.schema().fields().len();
        let columns = output_columns.iter().copied();
        let of_left = columns.clone().filter(|column| *column < split);
        let of_right = columns.filter_map(|column| column.checked_sub(split));
        let (on_left, on_right) =
            (self.on.iter().map(|(left, _)| left), self.on.iter().map(|(_, right)| right));
        Some(vec![
            columns_read(&self.left, of_left, on_left.chain([&self.time])),
            columns_read(&self.right, of_right, on_right),
        ])
    }
}
