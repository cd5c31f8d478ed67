//! Late rows: those of a batch are left out of it, and rows of a typed batch, which are taken out one by one, know what each is
//! judged by.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Payload};
use crate::operator::Cx;
use crate::origin::Run;
use crate::records::Record;
use crate::source::Policy;

/// Leaves the rows out that came too late, each by the policy. `in_time` says of a row's time and the watermark just before it
/// whether it came in time; a batch that says nothing of watermarks is judged by `otherwise`, or has no late rows.
pub(crate) fn without_late(
    batch: Batch,
    policy: Policy,
    otherwise: Option<EventTime>,
    cx: &mut Cx<'_>,
    in_time: impl Fn(EventTime, EventTime) -> bool,
    operator: impl Fn() -> String,
) -> Result<Batch, OperatorError> {
    let current = match (&batch.behind, otherwise) {
        (None, None) => return Ok(batch),
        (_, otherwise) => otherwise.unwrap_or(EventTime::MIN),
    };
    let bound = |row: usize| batch.watermark_before(row, current);
    let is_kept = |row: &u32| in_time(batch.times[*row as usize], bound(*row as usize));
    let kept: Vec<u32> = (0..batch.len() as u32).filter(is_kept).collect();
    if kept.len() == batch.len() {
        return Ok(batch);
    }
    for row in (0..batch.len() as u32).filter(|row| !is_kept(row)) {
        cx.on_late(policy, &batch, row as usize, bound(row as usize), &operator)?;
    }
    batch.take(&kept)
}

/// A batch whose rows have been taken out: the time, the bound and the record of each are still known.
pub(crate) struct Around(Batch);

impl Around {
    /// Takes the rows out of a batch.
    pub(crate) fn take<T: 'static>(mut batch: Batch) -> Result<(Vec<T>, Around), OperatorError> {
        let nothing = Payload::Rows(Box::new(Vec::<()>::new()));
        let rows = std::mem::replace(&mut batch.rows, nothing);
        let around = Around(batch.clone());
        batch.rows = rows;
        Ok((batch.into_rows()?, around))
    }

    /// What is around the rows of a batch.
    #[cfg(test)]
    pub(crate) fn of(batch: &Batch) -> Around {
        Around(batch.clone())
    }

    /// The time of a row.
    pub(crate) fn time(&self, row: usize) -> EventTime {
        self.0.times[row]
    }

    /// The watermark just before a row.
    pub(crate) fn bound(&self, row: usize, current: EventTime) -> EventTime {
        self.0.watermark_before(row, current)
    }

    /// The change kind of a row.
    pub(crate) fn sign(&self, row: usize) -> i8 {
        self.0.ops.get(row)
    }

    /// The record that a row is, as long as it is one.
    pub(crate) fn record(&self, row: usize) -> Option<(&Run, Record<'_>)> {
        self.0.origins.as_ref().and_then(|origins| origins.record(row))
    }

    /// Applies a policy to a row that came too late.
    pub(crate) fn split_off(
        &self,
        row: usize,
        policy: Policy,
        cx: &mut Cx<'_>,
        operator: impl Fn() -> String,
    ) -> Result<(), OperatorError> {
        let bound = self.bound(row, cx.watermark);
        cx.on_late(policy, &self.0, row, bound, operator)
    }

    /// Applies its table's policy to a row that can't be used, or fails.
    pub(crate) fn bad(
        &self,
        row: usize,
        cx: &mut Cx<'_>,
        failure: crate::expression::Failure,
    ) -> Result<(), OperatorError> {
        cx.on_bad(Policy::Fail, &self.0, row, failure)
    }
}
