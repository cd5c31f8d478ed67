//! The node of a window table function.

use crate::features::columns_read;
use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::{Expr, LogicalPlan};
use millstream_operators::aggregate::Window;
use std::cmp::Ordering;
use std::fmt;
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
        let passed_on = output_columns.iter().copied().filter(|column| *column < inputs);
        Some(vec![columns_read(&self.input, passed_on, &self.expressions())])
    }
}
