//! What flows along an edge of the graph.
//!
//! A [`Batch`] is some rows with, per row, an event time and a change kind. Rows are Arrow columns in SQL jobs and
//! live Rust values in typed ones ([`Payload`]); everything around them is the same, so both kinds of jobs share
//! graph, exchange, state and commit.
//!
//! ```text
//!   rows    | a | b | c |     Columns(RecordBatch)  or  Rows(Vec<T>)
//!   times   | 5 | 9 | 7 |     event time, milliseconds since 1970
//!   ops     | + | - | + |     Append (all +)  or  Mixed
//!   behind  | 4 | 4 | 8 |     watermark just before the row; only there when some row is not more than 1 ms ahead of it
//!   keys    | k | l | k |     encoded keys, set by `key by`
//!   origins | 0 | 2 | 3 |     the record of each row in the run it was decoded from, while it is one record's
//! ```

use crate::OperatorError;
use crate::origin::Origins;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute;
use millstream_state::BytesColumn;
use std::any::Any;
use std::sync::Arc;

/// A point in event time, or a watermark: milliseconds since 1970, UTC.
pub type EventTime = i64;

/// The watermark before anything was read.
pub const NO_WATERMARK: EventTime = i64::MIN;

/// The watermark after bounded input ended: every window closes.
pub const END_OF_TIME: EventTime = i64::MAX;

/// Rows with their event times, change kinds and keys; see the module's head.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The rows.
    pub rows: Payload,
    /// Event time of each row.
    pub times: ScalarBuffer<i64>,
    /// Change kind of each row.
    pub ops: Ops,
    /// The task's watermark just before each row was read. Present only when at least one row's time is not after
    /// it, so that in-order input pays nothing. Lateness is judged per row against this, never against the batch:
    /// results then do not depend on how records were cut into batches.
    pub behind: Option<ScalarBuffer<i64>>,
    /// Encoded key of each row, once the stream is keyed.
    pub keys: Option<Arc<BytesColumn>>,
    /// The records of the rows, as long as each is one record's: see [`crate::origin`].
    pub origins: Option<Origins>,
}

/// Change kind of each row. An update is a `-1` row with the old value, then a `+1` row with the new, in one batch.
#[derive(Debug, Clone)]
pub enum Ops {
    /// All rows are insertions.
    Append,
    /// `+1` or `-1` for each row.
    Mixed(ScalarBuffer<i8>),
}

/// What the rows of a stream mean. Known for every edge when the graph is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Insertions only.
    Append,
    /// Insertions and retractions; a retraction carries the whole old row.
    Changelog,
    /// `+1` replaces the row of its key; `-1` deletes it, and only its key columns mean anything.
    Upsert,
}

impl std::fmt::Display for StreamKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            StreamKind::Append => "append",
            StreamKind::Changelog => "changelog",
            StreamKind::Upsert => "upsert",
        })
    }
}

/// The rows of a batch: columns, or values of a Rust type that only the operators at both ends of the edge know.
#[derive(Debug)]
pub enum Payload {
    /// Arrow columns.
    Columns(RecordBatch),
    /// A `Vec<T>`.
    Rows(Box<dyn RowVec>),
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        match self {
            Payload::Columns(columns) => Payload::Columns(columns.clone()),
            Payload::Rows(rows) => Payload::Rows(rows.clone_rows()),
        }
    }
}

/// A `Vec<T>` whose type is erased, once per batch and not once per row.
pub trait RowVec: Any + Send + std::fmt::Debug {
    /// Number of rows.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A copy.
    fn clone_rows(&self) -> Box<dyn RowVec>;
    /// The rows for which `keep` holds.
    fn filter_rows(&self, keep: &[bool]) -> Box<dyn RowVec>;
    /// For downcasting to `Vec<T>`.
    fn as_any(&self) -> &dyn Any;
    /// For downcasting to `Vec<T>`.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: Clone + Send + std::fmt::Debug + 'static> RowVec for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn clone_rows(&self) -> Box<dyn RowVec> {
        Box::new(self.clone())
    }

    fn filter_rows(&self, keep: &[bool]) -> Box<dyn RowVec> {
        let kept = self.iter().zip(keep).filter(|(_, keep)| **keep).map(|(row, _)| row.clone());
        Box::new(kept.collect::<Vec<T>>())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Ops {
    /// The change kind of the row at `index`: `1` or `-1`.
    #[inline]
    pub fn get(&self, index: usize) -> i8 {
        match self {
            Ops::Append => 1,
            Ops::Mixed(ops) => ops[index],
        }
    }

    /// The signs as a slice; `None` when all are `+1`.
    pub fn signs(&self) -> Option<&[i8]> {
        match self {
            Ops::Append => None,
            Ops::Mixed(ops) => Some(ops),
        }
    }

    /// Ops from signs, [`Ops::Append`] when all are `+1`.
    pub fn from_signs(signs: Vec<i8>) -> Self {
        if signs.iter().all(|sign| *sign == 1) { Ops::Append } else { Ops::Mixed(signs.into()) }
    }
}

impl Batch {
    /// A batch of insertions in columns.
    pub fn append(columns: RecordBatch, times: impl Into<ScalarBuffer<i64>>) -> Self {
        Self::changes(columns, times, Ops::Append)
    }

    /// A batch of changes in columns.
    pub fn changes(columns: RecordBatch, times: impl Into<ScalarBuffer<i64>>, ops: Ops) -> Self {
        let times = times.into();
        debug_assert_eq!(columns.num_rows(), times.len());
        Self::new(Payload::Columns(columns), times, ops)
    }

    /// A batch of rows that carry nothing but their times and changes.
    pub fn new(rows: Payload, times: ScalarBuffer<i64>, ops: Ops) -> Self {
        Batch { rows, times, ops, behind: None, keys: None, origins: None }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The rows as columns.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when they are Rust values: the graph joined a typed edge to a columnar operator.
    pub fn columns(&self) -> Result<&RecordBatch, OperatorError> {
        match &self.rows {
            Payload::Columns(columns) => Ok(columns),
            Payload::Rows(_) => Err(OperatorError::Mismatch { expected: "columns", found: "typed rows" }),
        }
    }

    /// The rows as values of `T`.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when they are columns or of another type.
    pub fn into_rows<T: 'static>(self) -> Result<Vec<T>, OperatorError> {
        let mismatch = |found| OperatorError::Mismatch { expected: std::any::type_name::<T>(), found };
        match self.rows {
            Payload::Columns(_) => Err(mismatch("columns")),
            Payload::Rows(rows) => {
                rows.into_any().downcast().map(|rows| *rows).map_err(|_| mismatch("rows of another type"))
            }
        }
    }

    /// The rows as a slice of `T`.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when they are columns or of another type.
    pub fn typed_rows<T: 'static>(&self) -> Result<&[T], OperatorError> {
        let mismatch = |found| OperatorError::Mismatch { expected: std::any::type_name::<T>(), found };
        match &self.rows {
            Payload::Columns(_) => Err(mismatch("columns")),
            Payload::Rows(rows) => rows
                .as_any()
                .downcast_ref::<Vec<T>>()
                .map(Vec::as_slice)
                .ok_or(mismatch("rows of another type")),
        }
    }

    /// The keys of the rows.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] when the stream is not keyed.
    pub fn keys(&self) -> Result<&Arc<BytesColumn>, OperatorError> {
        self.keys
            .as_ref()
            .ok_or(OperatorError::Mismatch { expected: "a keyed stream", found: "one without keys" })
    }

    /// The watermark just before the row at `index` was read, or `current` when no row of the batch is behind it.
    #[inline]
    pub fn watermark_before(&self, index: usize, current: EventTime) -> EventTime {
        self.behind.as_ref().map_or(current, |behind| behind[index])
    }

    /// The rows for which `keep` holds.
    ///
    /// # Errors
    /// What Arrow says, for columns.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Batch, OperatorError> {
        if keep.true_count() == self.len() {
            return Ok(self.clone());
        }
        let kept: Vec<u32> = (0..self.len() as u32).filter(|row| is_true(keep, *row as usize)).collect();
        let rows = match &self.rows {
            Payload::Columns(columns) => Payload::Columns(compute::filter_record_batch(columns, keep)?),
            Payload::Rows(rows) => {
                let keep: Vec<bool> = (0..self.len()).map(|row| is_true(keep, row)).collect();
                Payload::Rows(rows.filter_rows(&keep))
            }
        };
        Ok(Batch { rows, ..self.pick_around(&kept) })
    }

    /// The rows at `indices`, in that order. Columns only.
    ///
    /// # Errors
    /// [`OperatorError::Mismatch`] for typed rows.
    pub fn take(&self, indices: &[u32]) -> Result<Batch, OperatorError> {
        let columns = take_columns(self.columns()?, indices)?;
        Ok(Batch { rows: Payload::Columns(columns), ..self.pick_around(indices) })
    }

    /// The same times, ops, bounds and keys around other rows; as many rows as before.
    pub fn with_columns(&self, columns: RecordBatch) -> Batch {
        debug_assert_eq!(columns.num_rows(), self.len());
        Batch { rows: Payload::Columns(columns), ..self.pick_all() }
    }

    /// The batch, letting go of the records that its rows are: for whoever keeps it.
    pub fn without_origins(self) -> Batch {
        Batch { origins: None, ..self }
    }

    fn pick_all(&self) -> Batch {
        Batch {
            rows: Payload::Rows(Box::new(Vec::<()>::new())),
            times: self.times.clone(),
            ops: self.ops.clone(),
            behind: self.behind.clone(),
            keys: self.keys.clone(),
            origins: self.origins.clone(),
        }
    }

    fn pick_around(&self, rows: &[u32]) -> Batch {
        let pick =
            |values: &ScalarBuffer<i64>| rows.iter().map(|row| values[*row as usize]).collect::<Vec<_>>();
        let ops = match &self.ops {
            Ops::Append => Ops::Append,
            Ops::Mixed(ops) => {
                Ops::Mixed(rows.iter().map(|row| ops[*row as usize]).collect::<Vec<_>>().into())
            }
        };
        Batch {
            rows: Payload::Rows(Box::new(Vec::<()>::new())),
            times: pick(&self.times).into(),
            ops,
            behind: self.behind.as_ref().map(|behind| pick(behind).into()),
            keys: self.keys.as_ref().map(|keys| {
                Arc::new(rows.iter().map(|row| keys.get(*row as usize)).collect::<BytesColumn>())
            }),
            origins: self.origins.as_ref().map(|origins| origins.pick(rows)),
        }
    }
}

/// Whether `mask` is true (neither false nor null) at `row`.
#[inline]
pub(crate) fn is_true(mask: &BooleanArray, row: usize) -> bool {
    use arrow::array::Array;
    mask.is_valid(row) && mask.value(row)
}

/// The rows of `columns` at `indices`.
///
/// # Errors
/// What Arrow says.
pub fn take_columns(columns: &RecordBatch, indices: &[u32]) -> Result<RecordBatch, OperatorError> {
    let indices = UInt32Array::from(indices.to_vec());
    let arrays: Vec<ArrayRef> = columns
        .columns()
        .iter()
        .map(|column| compute::take(column, &indices, None))
        .collect::<Result<_, _>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(indices.values().len()));
    Ok(RecordBatch::try_new_with_options(columns.schema(), arrays, &options)?)
}
