//! Where partners live: rows that have subscribed to a key, and the value that the key has.

use super::{Answer, Says, Subscription, WithPartner, Word};
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::keys::Slot;
use crate::kit::sorted::Sorted;
use crate::kit::state::KeyedState;
use crate::operator::{BuildCx, Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::table::Entry;
use crate::typed::table::spec::{Changes, Since};
use crate::typed::table::top::prefix_of;
use crate::typed::{Key, Row};
use millstream_state::BytesColumn;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is to be answered to a row.
#[derive(Debug)]
struct Due<A> {
    sequence: u64,
    open: i64,
    /// `None`: the row has gone.
    row: Option<A>,
    is_gone: bool,
    is_alone: bool,
    time: EventTime,
}

/// Keeps the rows of the left by the key that they name, and the values of the right; once per commit, all rows that
/// changed, or whose partner did, are answered.
pub(super) struct Matching<F, A, B, U> {
    f: WithPartner<A, B, U>,
    rows: Sorted<Live<(u64, A)>>,
    partners: KeyedState<Live<B>>,
    since: Since<()>,
    /// By named key and own key.
    due: BTreeMap<(Box<[u8]>, Box<[u8]>), Due<A>>,
    key: PhantomData<fn() -> F>,
}

impl<F: Key, A: Row, B: Row, U: Row> Matching<F, A, B, U> {
    pub(super) fn new(f: WithPartner<A, B, U>, cx: &BuildCx) -> Self {
        let (rows, partners) = (Sorted::new("match", 0), KeyedState::new("match", 1, cx));
        Matching { f, rows, partners, since: Since::default(), due: BTreeMap::new(), key: PhantomData }
    }

    fn subscribe(&mut self, at: &[u8], subscription: Subscription<A>, time: EventTime) {
        let Subscription { of, sequence, is_alone, says } = subscription;
        let (open, row, is_gone) = match says {
            Says::Begins(row) => (1, Some(row), false),
            Says::Is(row) => (0, Some(row), false),
            Says::Ends { is_gone } => (-1, None, is_gone),
        };
        if !is_alone {
            self.rows.set(&row_key(at, &of.0), row.clone().map(|row| Live((sequence, row))));
        }
        let due = Due { sequence, open, row, is_gone, is_alone, time };
        // One that is alone is no neighbour of those that name the key which it has itself.
        let place = if is_alone { Vec::new() } else { prefix_of(at) };
        let before = self.due.remove(&(place.as_slice().into(), of.0.clone()));
        let due = match before {
            None => due,
            Some(before) => Due { open: before.open + open, time: before.time.max(time), ..due },
        };
        self.due.insert((place.into(), of.0), due);
    }

    /// Answers all rows that name a key whose value has changed.
    fn answer_all(
        &self,
        slot: Slot,
        time: EventTime,
        cx: &mut Cx<'_>,
        out: &mut Changes<Answer<U>>,
    ) -> Result<(), OperatorError> {
        let prefix = prefix_of(self.partners.key(slot));
        let partner = self.partners.get(slot).map(|Live(value)| value);
        self.rows.walk(&prefix, &mut cx.state, |key, Live((sequence, row))| {
            let of = key.get(prefix.len()..).unwrap_or_default();
            // Those that have changed themselves are answered for that.
            let is_due = || self.due.contains_key(&(prefix.as_slice().into(), of.into()));
            if self.due.is_empty() || !is_due() {
                let word = (self.f)(row, partner).into();
                out.push(Answer { sequence: *sequence, open: 0, word }, of, time, 1);
            }
            ControlFlow::Continue(())
        })
    }
}

/// The key of a row: of all that name a key, one behind the other.
fn row_key(at: &[u8], of: &[u8]) -> Vec<u8> {
    [&prefix_of(at), of].concat()
}

impl<F: Key, A: Row, B: Row, U: Row> Operator for Matching<F, A, B, U> {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, keys) = (batch.times.clone(), Arc::clone(batch.keys()?));
        if port == Port(0) {
            for (row, subscription) in batch.into_rows::<Subscription<A>>()?.into_iter().enumerate() {
                self.subscribe(keys.get(row), subscription, times[row]);
            }
            return Ok(());
        }
        let slots = self.partners.load(&keys, &mut cx.state)?;
        for (row, entry) in batch.into_rows::<Entry<F, B>>()?.into_iter().enumerate() {
            let change = self.partners.change(slots[row]);
            *change.value = entry.value.map(Live);
            let first = change.is_first.then_some(());
            self.since.note(slots[row], times[row], first);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut out = Changes::default();
        for slot in self.partners.touched() {
            let ((), time) = self.since.of(*slot);
            self.answer_all(*slot, time, cx, &mut out)?;
        }
        // The values that the rows which changed name: what is not in memory yet is read at once.
        let named = self.due.keys().filter(|(place, _)| !place.is_empty());
        let named: BytesColumn = named.map(|(place, _)| place.get(4..).unwrap_or_default()).collect();
        let mut slots = self.partners.load(&named, &mut cx.state)?.into_iter();
        for ((place, of), due) in std::mem::take(&mut self.due) {
            let slot = if place.is_empty() { None } else { slots.next() };
            let partner = slot.filter(|_| !due.is_alone).and_then(|slot| self.partners.get(slot));
            let word = match due.row {
                Some(row) => (self.f)(&row, partner.map(|Live(value)| value)).into(),
                None if due.is_gone => Word::Nothing,
                None => Word::Elsewhere,
            };
            out.push(Answer { sequence: due.sequence, open: due.open, word }, &of, due.time, 1);
        }
        out.emit(cx);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.rows.delta(out)?;
        self.partners.delta(out)
    }

    fn evict(&mut self) {
        self.partners.evict();
        self.since.evict();
    }

    fn memory_bytes(&self) -> usize {
        let due = self.due.len() * size_of::<Due<A>>();
        self.rows.memory_bytes() + self.partners.memory_bytes() + self.since.memory_bytes() + due
    }
}
