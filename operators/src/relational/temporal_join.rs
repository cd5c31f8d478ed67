//! The event-time temporal join: `FOR SYSTEM_TIME AS OF`. (The one by the clock is [`CurrentJoin`].)
//!
//! Each row of the left side meets the version of the right side that was valid at the row's time: the last one of its
//! key not after it. Left rows wait until the watermark has reached their time, since only then all versions up to it
//! are there; they leave in the order of their times, rows of one time in the order in which they came.
//!
//! ```text
//!   right, key k     v1@10        v2@20            v3@30
//!   left                  a@15 -> v1     b@25 -> v2       (emitted when the watermark has reached 15, 25)
//! ```
//! Of the versions at or before the watermark only the last is kept. A left row behind the watermark is late: the
//! version it needs may be gone. A version that comes behind the watermark counts from then on: for left rows that have
//! not left. A version that comes behind a watermark which its own batch has raised waits for the step to raise it for all
//! operators: only then is everything on the left side here that had left by the version's moment, for a window that
//! stands before the join closes no sooner.

mod current;
mod due;
mod versions;

pub use current::CurrentJoin;

use crate::OperatorError;
use crate::aggregate::LatePolicy;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::kit::late::without_late;
use crate::kit::waiting::{Waiting, nullable};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use std::ops::Range;
use std::sync::Arc;
use versions::Versions;

/// The store with left rows that wait.
const LEFT: u16 = 0;
/// The store with versions of the right side.
const RIGHT: u16 = 1;
/// The store with keys of the right side by the time at which a version goes.
const DUE: u16 = 2;

/// Joins rows with the version that was valid at their time.
///
/// Port 0 (left): insertions, keyed by what is joined on; its event time is the time of the join. Port 1 (right): an
/// upsert stream keyed alike; its event time says from when a version is valid. Its keys, being primary keys, are never
/// null, so that a left row whose key is null meets nothing. Output: insertions, the left columns
/// and then the right columns; without a version the right columns are null, or the row is left out.
#[derive(Debug, Clone)]
pub struct TemporalJoin {
    /// Columns of the left side.
    pub left: SchemaRef,
    /// Columns of the right side.
    pub right: SchemaRef,
    /// Whether left rows without a version are kept.
    pub keep_unmatched: bool,
    /// What the sides are joined on, for people.
    pub on: String,
    /// What happens to left rows that come after their time has passed.
    pub late: LatePolicy,
}

impl TemporalJoin {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let right =
            self.right.fields().iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
        let fields: Vec<_> = self.left.fields().iter().map(Arc::clone).chain(right).collect();
        Arc::new(Schema::new(fields))
    }
}

fn describe_columns(schema: &Schema) -> String {
    let column = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
    schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}

impl OperatorSpec for TemporalJoin {
    fn describe(&self) -> Description {
        let kind = if self.keep_unmatched { "left" } else { "inner" };
        Description::new("TemporalJoin", format!("{kind}, as of the left row's time, on {}", self.on))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [left, right] = inputs else { return Meaning::described(self.describe(), inputs) };
        let (on_left, on_right) = (self.left.fields().len(), self.right.fields().len());
        let facts = vec![
            Fact::new("joins", if self.keep_unmatched { "left, as of" } else { "inner, as of" }),
            Fact::new("left columns", left.columns_at(0..on_left)),
            Fact::new("right columns", right.columns_at(0..on_right)),
        ];
        let mut columns = left.columns_of_side("left", on_left);
        columns.extend(right.columns_of_side("right", on_right));
        Meaning::of(facts, Columns::Known(columns)).by_time()
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&TemporalJoin { left: nameless(&self.left), right: nameless(&self.right), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let left = format!("time ms, sequence -> key, {}", describe_columns(&self.left));
        let right = format!("key, valid from ms -> {}", describe_columns(&self.right));
        vec![
            StoreSpec { name: "waiting".to_owned(), schema: left },
            StoreSpec { name: "versions".to_owned(), schema: right },
            StoreSpec { name: "due".to_owned(), schema: "time ms, key ->".to_owned() },
        ]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append, StreamKind::Upsert] => Ok(StreamKind::Append),
            [StreamKind::Append, _] => Err(
                "the right side of FOR SYSTEM_TIME AS OF has to be a versioned table: one with 'connector' = \
                 'upsert-kafka', a PRIMARY KEY and a WATERMARK"
                    .to_owned(),
            ),
            _ => Err(
                "the left side of FOR SYSTEM_TIME AS OF can't be updated or deleted: join before the rows are \
                 aggregated, or group them by a window first"
                    .to_owned(),
            ),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Joining {
            waiting: Waiting::new("temporal join", LEFT, &self.left)?,
            versions: Versions::new(&self.right, cx.hash_seed)?,
            later: Vec::new(),
            released_until: EventTime::MIN,
            schema: self.schema(),
            spec: self.clone(),
        }))
    }
}

struct Joining {
    spec: TemporalJoin,
    schema: SchemaRef,
    waiting: Waiting,
    versions: Versions,
    /// Versions of this step that have a late one among or before them, in the order in which they came.
    later: Vec<Later>,
    /// The watermark up to which left rows have left and versions have been let go of.
    released_until: EventTime,
}

/// Versions that are taken in once left rows have left up to a watermark.
struct Later {
    until: EventTime,
    batch: Batch,
    rows: Range<usize>,
}

impl Operator for Joining {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if port == Port(1) {
            return self.add_versions(batch, cx);
        }
        let batch = self.without_late(batch, cx)?;
        if batch.is_empty() {
            return Ok(());
        }
        // A row of exactly the watermark's time is not late, and has nothing to wait for.
        let at_once = batch.times.iter().any(|time| *time <= cx.watermark);
        self.waiting.add(batch)?;
        if at_once { self.release(cx.watermark, cx) } else { Ok(()) }
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.add_later(cx)?;
        self.reach(watermark, cx)
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.add_later(cx)
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.waiting.delta(out.block(LEFT))?;
        self.versions.delta(out);
        Ok(())
    }

    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.released_until = watermark;
        self.versions.restore(watermark, state)?;
        self.waiting.restore(state)
    }

    fn evict(&mut self) {
        self.waiting.evict();
        self.versions.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.waiting.memory_bytes() + self.versions.memory_bytes()
    }
}

impl Joining {
    /// Leaves rows out whose time had passed when they came.
    fn without_late(&self, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let operator = || format!("temporal join on {}", self.spec.on);
        without_late(batch, self.spec.late, None, cx, |time, before| time >= before, operator)
    }

    /// Takes versions in. Before one that is late left rows leave, up to the watermark of its moment: they had left by
    /// then, had each row come in a batch of its own. They may not be here yet, so it and what is behind it wait.
    fn add_versions(&mut self, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let before = self.later.last().map_or(EventTime::MIN, |later| later.until);
        let (mut until, mut start) = (before.max(self.released_until), 0);
        for (row, bound) in batch.behind.iter().flat_map(|behind| behind.iter().enumerate()) {
            if batch.times[row] <= *bound && *bound > until {
                self.add_or_keep(&batch, start..row, until, cx)?;
                (until, start) = (*bound, row);
            }
        }
        self.add_or_keep(&batch, start..batch.len(), until, cx)
    }

    /// Takes versions in that come when left rows have left up to `until`, now or later.
    fn add_or_keep(
        &mut self,
        batch: &Batch,
        rows: Range<usize>,
        until: EventTime,
        cx: &mut Cx<'_>,
    ) -> Result<(), OperatorError> {
        if until <= self.released_until {
            return self.versions.add(batch, rows, &mut cx.state);
        }
        if !rows.is_empty() {
            self.later.push(Later { until, batch: batch.clone(), rows });
        }
        Ok(())
    }

    /// Takes in the versions that wait, each behind the left rows that had left before it came.
    fn add_later(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        for Later { until, batch, rows } in std::mem::take(&mut self.later) {
            self.reach(until, cx)?;
            self.versions.add(&batch, rows, &mut cx.state)?;
        }
        Ok(())
    }

    /// Lets left rows and versions go that the watermark has reached.
    fn reach(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.release(watermark, cx)?;
        self.versions.prune_until(watermark, &mut cx.state)?;
        self.released_until = self.released_until.max(watermark);
        Ok(())
    }

    /// Emits the left rows up to the watermark with their versions.
    fn release(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let Some(ready) = self.waiting.take_until(watermark, &mut cx.state)? else { return Ok(()) };
        let slots = self.versions.load_all(ready.keys.iter(), &mut cx.state)?;
        let mut rows: Vec<u32> = Vec::with_capacity(ready.times.len());
        let mut found: Vec<Option<&[u8]>> = Vec::with_capacity(ready.times.len());
        for (row, (slot, time)) in slots.into_iter().zip(&ready.times).enumerate() {
            let version = self.versions.at(slot, *time);
            if version.is_some() || self.spec.keep_unmatched {
                rows.push(row as u32);
                found.push(version);
            }
        }
        let left = if rows.len() == ready.times.len() {
            ready.columns
        } else {
            crate::batch::take_columns(&ready.columns, &rows)?
        };
        let right = self.versions.rows(&found)?;
        let columns: Vec<ArrayRef> = left.columns().iter().chain(right.columns()).map(Arc::clone).collect();
        let pick = |times: &[EventTime]| rows.iter().map(|row| times[*row as usize]).collect::<Vec<_>>();
        let (times, behind) = (pick(&ready.times), ready.behind.map(|behind| pick(&behind).into()));
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(times.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        cx.emit(Batch { behind, ..Batch::append(columns, times) });
        Ok(())
    }
}

fn unsupported(data_type: DataType) -> OperatorError {
    let detail = format!("rows with a column of type {data_type} can't be kept");
    OperatorError::CorruptState { operator: "join".to_owned(), detail }
}
