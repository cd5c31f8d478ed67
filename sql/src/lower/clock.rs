//! Rows by the clock: `PROCTIME()` in a view or a query as the time attribute of its rows.
//!
//! A task has one watermark: what goes by the clock can't stand in the same task as what goes by the event time of its
//! table. So rows get the clock as their time where they are sent on by key anyway, in front of the windows or the `OVER`
//! that go by it: [`Times::Arrival`] says that this is still to come, and [`Lowering::exchange`] does it. A table that has
//! no event time of its own goes by the clock from the start.

use super::{Lowering, PartitionedBy, Refusal, SourceTable, Stream, Times, picked_column};
use crate::features::match_recognize::MatchRows;
use crate::features::over::OverRows;
use crate::features::proctime;
use crate::features::temporal_join::TemporalJoin;
use crate::features::window::WindowTable;
use crate::query::ScanOf;
use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Extension, LogicalPlan};
use millstream_operators::{KeyBy, StreamKind};
use std::collections::{BTreeMap, BTreeSet};

/// By key: the tables that are read.
type Tables = BTreeMap<String, SourceTable>;

impl Lowering<'_> {
    /// The rows of a plan with a column of theirs as their time, where that is the clock and they have another time so far.
    pub(crate) fn by_clock(&self, stream: Stream, plan: &LogicalPlan, column: usize) -> Stream {
        let can_be = self.kind(&stream) == StreamKind::Append && stream.has_watermark;
        if stream.time == Some(column) || !can_be || !self.is_clock(plan, column) {
            return stream;
        }
        match stream.times {
            Times::Clock => Stream { time: Some(column), ..stream },
            // Wherever they are, they are sent on.
            Times::Event | Times::Arrival => Stream {
                time: Some(column),
                times: Times::Arrival,
                within: None,
                partitioning: None,
                keyed: None,
                ..stream
            },
        }
    }

    /// The rows with the time that they go by: those that are still to get it are sent on, by all columns that can be part
    /// of a key.
    pub(super) fn settled(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        if stream.times != Times::Arrival {
            return Ok(stream);
        }
        let places = keyable(&stream);
        self.exchange(stream, places, PartitionedBy::EncodedKey)
    }

    /// Whether a column of a plan is the clock, `PROCTIME()`, as it was when the row came.
    pub(crate) fn is_clock(&self, plan: &LogicalPlan, column: usize) -> bool {
        is_clock(self.tables, plan, column)
    }
}

/// The places of rows that can be part of a key.
pub(super) fn keyable(stream: &Stream) -> Vec<usize> {
    let is_keyable = |place: &usize| {
        let field = stream.rows.field(*place);
        KeyBy::new(vec![(*place, field.name().clone(), field.data_type().clone())]).is_ok()
    };
    (0..stream.rows.fields().len()).filter(is_keyable).collect()
}

fn is_clock(tables: &Tables, plan: &LogicalPlan, column: usize) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let table = tables.get(scan.table_name.table());
            let column = scan.projection.as_ref().map_or(Some(&column), |columns| columns.get(column));
            let expr = table.zip(column).and_then(|(table, column)| table.computed.get(column));
            expr.is_some_and(proctime::is_proctime)
        }
        LogicalPlan::Projection(projection) => {
            let Some(expr) = projection.expr.get(column) else { return false };
            let inner = picked_column(expr, projection.input.schema());
            proctime::is_proctime(expr)
                || inner.is_some_and(|inner| is_clock(tables, &projection.input, inner))
        }
        LogicalPlan::SubqueryAlias(alias) => is_clock(tables, &alias.input, column),
        LogicalPlan::Filter(filter) => is_clock(tables, &filter.input, column),
        // One join behind the other, each as of the time of the first left side.
        LogicalPlan::Extension(Extension { node }) if node.as_any().is::<TemporalJoin>() => {
            let left = node.inputs().first().copied();
            left.is_some_and(|left| column < left.schema().fields().len() && is_clock(tables, left, column))
        }
        _ => false,
    }
}

/// Notes the tables whose rows a plan takes by the clock. Those of them that have no event time go by it.
pub(super) fn collect_by_clock(
    plan: &LogicalPlan,
    tables: &Tables,
    found: &mut BTreeSet<String>,
) -> PlanResult<()> {
    plan.apply(|plan| {
        let LogicalPlan::Extension(Extension { node }) = plan else {
            return Ok(TreeNodeRecursion::Continue);
        };
        let any = node.as_any();
        if any.is::<WindowTable>() || any.is::<OverRows>() || any.is::<MatchRows>() {
            let exprs = node.expressions();
            for input in node.inputs() {
                let columns = exprs.iter().flat_map(|expr| expr.column_refs());
                let mut columns = columns.filter_map(|column| input.schema().maybe_index_of_column(column));
                if columns.any(|column| is_clock(tables, input, column)) {
                    found.extend(table_below(input));
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The table whose rows these are, one by one.
fn table_below(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::TableScan(scan) => Some(ScanOf::of(scan).key.to_owned()),
        LogicalPlan::Projection(projection) => table_below(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => table_below(&alias.input),
        LogicalPlan::Filter(filter) => table_below(&filter.input),
        _ => None,
    }
}
