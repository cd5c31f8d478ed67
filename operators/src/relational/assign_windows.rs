//! Windows as columns of rows: each row once for every window that it is in.
//!
//! ```text
//!   hopping, size 2 x slide:    row @7      ->   row, window [0, 10)    @9
//!                                                row, window [5, 15)    @14
//! ```
//! From here on the time of a row is the last millisecond of its window: when the watermark has reached it, the window has
//! all its rows. What goes by windows behind this (joins and ranks of them, aggregations) does so by that time alone.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Lineage, Operator, OperatorSpec, Port};
use crate::window::Window;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// Rows that are put out at once, about: a row may be in any number of windows.
const ROWS: usize = 8192;

/// Puts the bounds of a window behind the columns of its rows: `window_start`, `window_end` and `window_time`.
///
/// Input: insertions, or a changelog in which a row that is taken back has the time it had when it came. Output: the same
/// kind, rows in their order, those of one row by the ends of their windows; the time of a row is `window_time`. Rows that
/// come late are put out as well: what is late is for whoever closes windows to say.
#[derive(Debug, Clone)]
pub struct AssignWindows {
    /// Columns of the input.
    pub input: SchemaRef,
    /// The windows.
    pub window: Window,
    /// The type of `window_time`: a timestamp.
    pub time: DataType,
}

impl AssignWindows {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let bound = || DataType::Timestamp(TimeUnit::Millisecond, None);
        let bounds = [("window_start", bound()), ("window_end", bound()), ("window_time", self.time.clone())];
        let bounds = bounds.map(|(name, data_type)| Arc::new(Field::new(name, data_type, true)));
        Arc::new(Schema::new(self.input.fields().iter().cloned().chain(bounds).collect::<Vec<_>>()))
    }
}

impl OperatorSpec for AssignWindows {
    fn describe(&self) -> Description {
        Description::new("AssignWindows", self.window.describe())
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let window = self.window.describe();
        let mut columns: Vec<String> =
            (0..self.input.fields().len()).map(|column| input.column(column)).collect();
        let bounds = ["window_start", "window_end", "window_time"];
        columns.extend(bounds.map(|bound| format!("{bound} of {window}")));
        Meaning::of(vec![Fact::new("windows", window)], Columns::Known(columns))
            .keyed(input.key.clone())
            .by_time()
    }

    /// A row that is in several windows is a record in none of them.
    fn lineage(&self) -> Lineage {
        if self.window.is_tumbling() { Lineage::Kept } else { Lineage::Lost }
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [kind @ (StreamKind::Append | StreamKind::Changelog)] => Ok(*kind),
            inputs => {
                Err(format!("rows are put into windows from insertions or a changelog, not {inputs:?}"))
            }
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Assigning { spec: self.clone(), schema: self.schema() }))
    }
}

struct Assigning {
    spec: AssignWindows,
    schema: SchemaRef,
}

impl Operator for Assigning {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let batch = if self.spec.window.is_tumbling() { batch } else { batch.without_origins() };
        let (mut rows, mut ends): (Vec<u32>, Vec<EventTime>) = (Vec::new(), Vec::new());
        for (row, time) in batch.times.iter().enumerate() {
            for end in self.spec.window.ends_of(*time) {
                rows.push(row as u32);
                ends.push(end);
                if rows.len() >= ROWS {
                    let (rows, ends) = (std::mem::take(&mut rows), std::mem::take(&mut ends));
                    cx.emit(self.windowed(&batch, &rows, &ends)?);
                }
            }
        }
        if !rows.is_empty() {
            cx.emit(self.windowed(&batch, &rows, &ends)?);
        }
        Ok(())
    }
}

impl Assigning {
    /// These rows of the batch, each in the window with this end.
    fn windowed(&self, batch: &Batch, rows: &[u32], ends: &[EventTime]) -> Result<Batch, OperatorError> {
        let window = self.spec.window;
        let batch =
            if rows.iter().copied().eq(0..batch.len() as u32) { batch.clone() } else { batch.take(rows)? };
        let times: Vec<EventTime> = ends.iter().map(|end| end.saturating_sub(1)).collect();
        let moments =
            |moments: Vec<EventTime>| -> ArrayRef { Arc::new(TimestampMillisecondArray::from(moments)) };
        let mut columns: Vec<ArrayRef> = batch.columns()?.columns().to_vec();
        columns.push(moments(ends.iter().map(|end| window.start(*end)).collect()));
        columns.push(moments(ends.to_vec()));
        columns.push(cast(&moments(times.clone()), &self.spec.time)?);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        Ok(Batch { times: times.into(), ..batch.with_columns(columns) })
    }
}
