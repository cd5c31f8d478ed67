//! Rows and the windows that they are in, side by side.

use super::{Lowering, Partitioning, Refusal, RowKey, Stream, Within};
use crate::features::window::WindowKind;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use millstream_operators::{AssignWindows, NodeSpec};
use std::sync::Arc;

impl Lowering<'_> {
    /// Rows of open windows with the bounds of their windows as columns, each row once for every window that it is in. Their
    /// event time is `window_time` from here on. Other rows stay as they are.
    pub(crate) fn assign_windows(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        if stream.windows.is_none() {
            return Ok(stream);
        }
        let stream = self.compact(stream)?;
        let stream = self.settled(stream)?;
        let Some(windows) = stream.windows.clone() else { return Ok(stream) };
        let WindowKind::Fixed(spec) = windows.kind else {
            return Err(Refusal::new(
                "the rows of SESSION are read one by one: a session has no bounds before it closes",
                "GROUP BY window_start, window_end and the columns of its PARTITION BY first",
            ));
        };
        let window = spec.checked().map_err(|message| Refusal { message, help: None })?;
        let operator =
            AssignWindows { input: Arc::clone(&stream.rows), window, time: windows.time_type.clone() };
        let (rows, first) = (operator.schema(), stream.rows.fields().len());
        let node = self.add("windows", NodeSpec::Operator(Arc::new(operator)), &[stream.node])?;
        let mut places = stream.places.clone();
        let bounds = &windows.bounds;
        for (columns, place) in [&bounds.start, &bounds.end, &bounds.time].into_iter().zip(first..) {
            columns.iter().for_each(|column| places[*column] = Some(place));
        }
        // A row of several windows is told apart by them.
        let unique = match spec.size_ms == spec.slide_ms {
            true => stream.unique.clone(),
            false => {
                let with_end = |key: &Vec<usize>| key.iter().copied().chain([first + 1]).collect();
                RowKey::any_of(stream.unique.alternatives().iter().map(with_end).collect())
            }
        };
        let partitioning: Option<Partitioning> = stream.partitioning.clone();
        let time = windows.bounds.time.first().copied();
        let within = Some(Within { kind: windows.kind, by: stream.time, bounds: windows.bounds });
        Ok(Stream { node, rows, places, time, within, windows: None, unique, partitioning, ..stream })
    }
}

/// Whether expressions over a relation read bounds of windows that are open.
pub(super) fn reads_bounds<'e>(
    stream: &Stream,
    relation: &DFSchema,
    exprs: impl Iterator<Item = &'e Expr>,
) -> bool {
    let reads = |expr: &Expr| {
        let columns = expr.column_refs();
        let mut columns = columns.into_iter().filter_map(|column| relation.maybe_index_of_column(column));
        columns.any(|column| stream.place(column).is_none())
    };
    stream.windows.is_some() && exprs.into_iter().any(reads)
}
