//! Windows: `TUMBLE`, `HOP`, `CUMULATE` and `SESSION`, the table functions.
//!
//! [`WindowTable`] adds the columns of the window to those of the table. They are in no row as long as nobody asks: the
//! aggregation that groups by them makes them when the window closes. For everything else rows are put into their windows,
//! one by one (`sql/src/lower/windows.rs`).

mod batch;
mod node;
mod written;

pub(crate) use node::{WINDOW_COLUMNS, WindowKind, WindowSpec, WindowTable};
pub(crate) use written::{millis, unknown_function};

use super::{Feature, group_windows};
use crate::functions::time::zone::{UTC, Zone};
use crate::lower::{Bounds, Changes, Lowering, Need, Refusal, Stream, Windows, add_reads, picked_column};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::TransformedResult;
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::TableFactor;
use millstream_operators::StreamKind;

impl Feature for WindowTable {
    fn relation(relation: TableFactor, context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        written::relation(relation, context)
    }

    fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(group_windows::recognise).data()
    }

    /// The columns of the window are in no row yet.
    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        let input = lowering.lower(&self.input, Changes::Both)?;
        let named = match &self.time {
            Expr::Column(column) => self.input.schema().maybe_index_of_column(column),
            _ => None,
        };
        let input = lowering.assign_windows(input)?;
        let input = match named {
            Some(column) => lowering.by_clock(input, &self.input, column),
            None => input,
        };
        if named.is_none() || named != input.time {
            return Err(not_the_time(self, input.time));
        }
        let is_moment = matches!(self.time.get_type(self.input.schema())?, DataType::Timestamp(_, Some(_)));
        let zone = lowering.zone();
        if is_moment && Zone::named(zone) != Some(UTC) {
            return Err(Refusal::new(
                format!("windows over a TIMESTAMP_LTZ by the clocks of {zone} are not supported yet"),
                "leave SET 'table.local-time-zone' out, or declare the WATERMARK for a column AS CAST(t AS TIMESTAMP(3))",
            ));
        }
        // Each change of a row takes the row it replaces out of that one's window.
        let input = match lowering.kind(&input) {
            StreamKind::Upsert => lowering.normalize(input)?,
            _ => input,
        };
        let first = input.places.len();
        let partition = self
            .partition_by
            .iter()
            .map(|expr| picked_column(expr, self.input.schema()).and_then(|column| input.place(column)));
        let windows = Windows {
            kind: self.window,
            partition: partition.collect(),
            by: input.time.and_then(|time| input.place(time)),
            time_type: self.schema_ref().field(first + 2).data_type().clone(),
            bounds: Bounds { start: vec![first], end: vec![first + 1], time: vec![first + 2] },
        };
        let mut places = input.places.clone();
        places.extend([None; WINDOW_COLUMNS]);
        Ok(Stream { places, windows: Some(windows), within: None, ..input })
    }

    fn reads(&self, wanted: &[Need]) -> Result<Option<Vec<Vec<Need>>>> {
        let schema = self.input.schema();
        let mut read = wanted[..schema.fields().len()].to_vec();
        for expr in std::iter::once(&self.time).chain(&self.partition_by) {
            add_reads(expr, &Need::All, schema, &mut read)?;
        }
        Ok(Some(vec![read]))
    }

    fn batch(&self) -> Option<Result<LogicalPlan>> {
        batch::every_window(self)
    }
}

/// Refuses a column that windows can't be of, with what to do: that depends on what else there is.
fn not_the_time(table: &WindowTable, time: Option<usize>) -> Refusal {
    let schema = table.input.schema();
    let column = match &table.time {
        Expr::Column(column) => column.name.clone(),
        other => other.to_string(),
    };
    let is_time = table.time.get_type(schema).is_ok_and(|found| matches!(found, DataType::Timestamp(..)));
    let help = match time.and_then(|time| schema.fields().get(time)) {
        Some(time) => format!("write DESCRIPTOR({}): the table has its WATERMARK for that", time.name()),
        None if is_time => format!(
            "declare WATERMARK FOR {column} AS {column} - INTERVAL '5' SECOND in the CREATE TABLE, and keep the column \
             in views as it is"
        ),
        None => "declare a WATERMARK for a TIMESTAMP column in the CREATE TABLE; of a number or a text make one with a \
                 computed column: event_time AS TO_TIMESTAMP_LTZ(number, 3)"
            .to_owned(),
    };
    Refusal::new(format!("{column} is not the time attribute of its table"), help)
}
