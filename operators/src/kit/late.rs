//! Rows of a typed batch, taken out one by one, and what each is judged by: late rows are split off here.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Payload};
use crate::operator::Cx;
use crate::origin::Run;
use crate::records::Record;
use crate::source::Policy;

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
