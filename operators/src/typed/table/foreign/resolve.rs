//! The answers about a row, wherever they come from: the one to its newest subscription counts.

use super::{Answer, Word};
use crate::OperatorError;
use crate::batch::Batch;
use crate::operator::{BuildCx, Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::plain::Maybe;
use crate::typed::table::spec::Values;
use crate::typed::{Key, Row};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// What is known of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known<U> {
    /// Of the subscription that was answered with it.
    sequence: u64,
    value: Maybe<U>,
    /// Subscriptions that have begun and not ended: as long as there are some, older answers may come.
    open: i64,
}

/// Keeps what is known of each row, and emits once per commit what has become of it.
pub(super) struct Resolving<K, U> {
    /// Whether a row came to something before the commit, and whether an answer has counted since.
    values: Values<Known<U>, (bool, bool)>,
    key: PhantomData<fn() -> K>,
}

impl<K, U: Row> Resolving<K, U> {
    pub(super) fn new(cx: &BuildCx) -> Self {
        Resolving { values: Values::new("resolve", cx), key: PhantomData }
    }
}

impl<K: Key, U: Row> Operator for Resolving<K, U> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.values.state.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        for (row, answer) in batch.into_rows::<Answer<U>>()?.into_iter().enumerate() {
            let change = self.values.state.change(slots[row]);
            let known = change.value.take().map(|Live(known)| known);
            let had = known.as_ref().is_some_and(|known| known.value.0.is_some());
            self.values.since.note(slots[row], times[row], change.is_first.then_some((had, false)));
            let mut known = known.unwrap_or(Known { sequence: 0, value: Maybe(None), open: 0 });
            known.open += answer.open;
            let newest = match answer.word {
                Word::Is(value) => Some(Some(value)),
                Word::Nothing => Some(None),
                Word::Elsewhere => None,
            };
            if let Some(value) = newest.filter(|_| answer.sequence >= known.sequence) {
                (known.sequence, known.value) = (answer.sequence, Maybe(value));
                self.values.since.of(slots[row]).0.1 = true;
            }
            let is_over = known.open == 0 && known.value.0.is_none();
            *change.value = (!is_over).then_some(Live(known));
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.values.emit::<K, U>(cx, |known, (had, is_other)| {
            is_other.then(|| (*had, known.and_then(|known| known.value.0.clone())))
        })
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.values.state.delta(out)
    }

    fn evict(&mut self) {
        self.values.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.values.memory_bytes()
    }
}
