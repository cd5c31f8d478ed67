//! Output rows: gathered column by column from the rows of both sides.

use super::{JoinKind, Residual};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops};
use crate::expression::{ExpressionCx, Failure, describe_columns, evaluate_predicate_or_blame};
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};
use std::sync::Arc;

/// The row that stands for nulls; in the place of a mark: that the row has met none.
pub(super) const NULLS: u32 = u32::MAX;
/// In the place of a mark: that the row has met some.
pub(super) const MET: u32 = 0;

/// Rows that come out: by side the row that is taken, [`NULLS`] for none.
#[derive(Debug, Default)]
pub(super) struct OutputRows {
    pub(super) rows: [Vec<u32>; 2],
    pub(super) signs: Vec<i8>,
    pub(super) times: Vec<EventTime>,
    /// Whether there is a mark behind the left columns in the place of the right ones.
    marked: bool,
}

impl OutputRows {
    /// None yet.
    pub(super) fn of(kind: JoinKind) -> Self {
        OutputRows { marked: kind == JoinKind::Mark, ..OutputRows::default() }
    }

    /// Adds a row: the row of side `own`, the row of the other side.
    #[inline]
    pub(super) fn push(&mut self, own: usize, row: u32, other: u32, sign: i8, time: EventTime) {
        self.rows[own].push(row);
        self.rows[1 - own].push(other);
        self.signs.push(sign);
        self.times.push(time);
    }

    /// The batch, over the rows of both sides.
    pub(super) fn gather(self, sides: [&RecordBatch; 2], schema: &SchemaRef) -> Result<Batch, OperatorError> {
        let [left, mut right] = self.rows;
        let marks = self.marked.then(|| std::mem::take(&mut right));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for (at, (side, rows)) in sides.into_iter().zip([left, right]).enumerate() {
            // A semi join and an anti join have the left columns alone.
            if columns.len() == schema.fields().len() {
                break;
            }
            if let (1, Some(marks)) = (at, &marks) {
                columns.push(Arc::new(marks.iter().map(|met| Some(*met != NULLS)).collect::<BooleanArray>()));
                break;
            }
            if rows.iter().all(|row| *row == NULLS) {
                let nulls = |column: &ArrayRef| arrow::array::new_null_array(column.data_type(), rows.len());
                columns.extend(side.columns().iter().map(nulls));
                continue;
            }
            let is_whole = rows.len() == side.num_rows() && rows.iter().zip(0..).all(|(row, at)| *row == at);
            let indices = indices(rows);
            for column in side.columns() {
                columns.push(if is_whole { Arc::clone(column) } else { take(column, &indices, None)? });
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.times.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
        Ok(Batch::changes(columns, self.times, Ops::from_signs(self.signs)))
    }
}

fn indices(rows: Vec<u32>) -> UInt32Array {
    if rows.contains(&NULLS) {
        rows.into_iter().map(|row| (row != NULLS).then_some(row)).collect()
    } else {
        UInt32Array::from(rows)
    }
}

/// Which pairs of rows meet the rest of the condition. Pairs for which it can't be computed don't, and `blame` is told,
/// with the columns that it reads.
pub(super) fn evaluate_residual(
    residual: &Residual,
    sides: [&RecordBatch; 2],
    pairs: [Vec<u32>; 2],
    cx: &ExpressionCx,
    blame: &mut dyn FnMut(usize, Failure, String),
) -> Result<BooleanArray, OperatorError> {
    let split = sides[0].num_columns();
    let rows = pairs[0].len();
    let [left, right] = pairs.map(UInt32Array::from);
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for column in &residual.columns {
        let (side, at, indices) = match column.checked_sub(split) {
            None => (sides[0], *column, &left),
            Some(at) => (sides[1], at, &right),
        };
        fields.push(side.schema().field(at).clone().with_nullable(true));
        columns.push(take(side.column(at), indices, None)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let columns = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?;
    let mut blame = |pair, failure| blame(pair, failure, describe_columns(&columns, pair));
    evaluate_predicate_or_blame(&*residual.predicate, &columns, cx, &mut blame)
}
