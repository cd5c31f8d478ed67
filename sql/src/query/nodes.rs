//! What a streaming query has that DataFusion's plans have no node for.
//!
//! [`WindowTable`] adds the columns of a window table function, [`Versioned`] marks the right side of
//! `FOR SYSTEM_TIME AS OF`, and [`TemporalJoin`] takes the place of a join whose right side is marked. All three are
//! extension nodes, so that DataFusion's rules (types, simplification, unneeded columns) go through them.

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::{Expr, LogicalPlan};
use millstream_operators::aggregate::Window;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Number of columns that a window table function adds: `window_start`, `window_end`, `window_time`.
pub(crate) const WINDOW_COLUMNS: usize = 3;

/// Windows of a window table function, milliseconds. Tumbling where size and slide are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct WindowSpec {
    /// Length of a window.
    pub size_ms: i64,
    /// Distance between the starts of two windows.
    pub slide_ms: i64,
    /// Start of one of the windows, relative to 1970.
    pub offset_ms: i64,
    /// Whether windows of the same start grow by the slide until they have their length.
    pub cumulates: bool,
}

impl WindowSpec {
    /// The windows, as operators have them.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the lengths.
    pub(crate) fn checked(&self) -> std::result::Result<Window, String> {
        let WindowSpec { size_ms, slide_ms, offset_ms, cumulates } = *self;
        match cumulates {
            true => Window::cumulating(size_ms, slide_ms, offset_ms),
            false => Window::new(size_ms, slide_ms, offset_ms),
        }
    }
}

/// What the windows of a window table function are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) enum WindowKind {
    /// Their bounds are known from the time of a row.
    Fixed(WindowSpec),
    /// Rows that follow each other within a gap, milliseconds.
    Session(i64),
}

/// `TUMBLE(..)`, `HOP(..)`, `CUMULATE(..)` and `SESSION(..)`: the columns of the input, then start, end and time of the
/// window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WindowTable {
    /// The rows.
    pub input: LogicalPlan,
    /// The column that is named by `DESCRIPTOR`.
    pub time: Expr,
    /// Columns that sessions are apart by; none for other windows.
    pub partition_by: Vec<Expr>,
    /// The windows.
    pub window: WindowKind,
    schema: DFSchemaRef,
}

impl WindowTable {
    pub(crate) fn new(
        input: LogicalPlan,
        time: Expr,
        partition_by: Vec<Expr>,
        window: WindowKind,
    ) -> Result<Self> {
        let Expr::Column(column) = &time else {
            return plan_err!("DESCRIPTOR has to name a column");
        };
        let (qualifier, time_field) = input.schema().qualified_field_from_column(column)?;
        let bound = DataType::Timestamp(TimeUnit::Millisecond, None);
        let added = [
            Field::new("window_start", bound.clone(), false),
            Field::new("window_end", bound, false),
            Field::new("window_time", time_field.data_type().clone(), false),
        ];
        let added = added.map(|field| (qualifier.cloned(), Arc::new(field)));
        let fields = input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let schema = DFSchema::new_with_metadata(fields.chain(added).collect(), Default::default())?;
        Ok(WindowTable { input, time, partition_by, window, schema: Arc::new(schema) })
    }
}

impl WindowTable {
    /// Columns of the output.
    pub(crate) fn schema_ref(&self) -> &DFSchemaRef {
        &self.schema
    }
}

impl PartialOrd for WindowTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for WindowTable {
    fn name(&self) -> &str {
        "WindowTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        std::iter::once(self.time.clone()).chain(self.partition_by.iter().cloned()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WindowTable: {} {:?}", self.time, self.window)
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) if !exprs.is_empty() => {
                let time = exprs.remove(0);
                WindowTable::new(input, time, exprs, self.window)
            }
            _ => plan_err!("a window table has one input and one time"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let inputs = self.input.schema().fields().len();
        let mut needed: Vec<usize> =
            output_columns.iter().copied().filter(|column| *column < inputs).collect();
        for expr in self.expressions() {
            let columns = expr.column_refs();
            needed.extend(
                columns.into_iter().filter_map(|column| self.input.schema().maybe_index_of_column(column)),
            );
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}

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

fn columns_of(expr: &Expr, schema: &DFSchema) -> Vec<usize> {
    let columns: Vec<&Column> = expr.column_refs().into_iter().collect();
    columns.into_iter().filter_map(|column| schema.maybe_index_of_column(column)).collect()
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
        let (left, right) = (self.left.schema(), self.right.schema());
        let split = left.fields().len();
        let (mut of_left, mut of_right): (Vec<usize>, Vec<usize>) =
            output_columns.iter().copied().partition(|column| *column < split);
        of_right.iter_mut().for_each(|column| *column -= split);
        of_left.extend(columns_of(&self.time, left));
        for (on_left, on_right) in &self.on {
            of_left.extend(columns_of(on_left, left));
            of_right.extend(columns_of(on_right, right));
        }
        let sorted = |mut columns: Vec<usize>| {
            columns.sort_unstable();
            columns.dedup();
            columns
        };
        Some(vec![sorted(of_left), sorted(of_right)])
    }
}
