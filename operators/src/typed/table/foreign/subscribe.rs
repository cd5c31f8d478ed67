//! The left side: says to where the partner of a row lives that the row is there, has changed, or is there no more.

use super::{PartnerOf, Says, Subscription};
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::kit::state::KeyedState;
use crate::operator::{BuildCx, Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::plain::KeyBytes;
use crate::typed::table::Entry;
use crate::typed::table::spec::{Changes, Since};
use crate::typed::{Key, Row};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Where a row has subscribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Partner(Option<KeyBytes>);

/// Keeps where each row has subscribed; once per commit a row that changed says so.
pub(super) struct Subscribing<K, A, F> {
    partner: PartnerOf<A, F>,
    partners: KeyedState<Live<Partner>>,
    sequence: KeyedState<Live<u64>>,
    /// Where a row had subscribed before the commit, and what it is now.
    since: Since<(Option<Partner>, Option<A>)>,
    key: PhantomData<fn() -> K>,
}

impl<K, A: Row, F> Subscribing<K, A, F> {
    pub(super) fn new(partner: PartnerOf<A, F>, cx: &BuildCx) -> Self {
        let (partners, sequence) = (KeyedState::new("subscribe", 0, cx), KeyedState::new("subscribe", 1, cx));
        Subscribing { partner, partners, sequence, since: Since::default(), key: PhantomData }
    }
}

impl<K: Key, A: Row, F: Key> Operator for Subscribing<K, A, F> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.partners.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        for (row, entry) in batch.into_rows::<Entry<K, A>>()?.into_iter().enumerate() {
            let change = self.partners.change(slots[row]);
            let partner = entry.value.as_ref().map(|value| {
                let key = (self.partner)(value).map(|key| {
                    let mut bytes = Vec::new();
                    key.write(&mut bytes);
                    KeyBytes(bytes.into())
                });
                Live(Partner(key))
            });
            let before = std::mem::replace(change.value, partner);
            let first = change.is_first.then(|| (before.map(|Live(partner)| partner), None));
            self.since.note(slots[row], times[row], first);
            self.since.of(slots[row]).0.1 = entry.value;
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if self.partners.touched().is_empty() {
            return Ok(());
        }
        let slot = self.sequence.load_one(&[], &mut cx.state)?;
        let sequence = self.sequence.change(slot).value;
        let next = sequence.as_ref().map_or(1, |Live(last)| last + 1);
        *sequence = Some(Live(next));
        let mut changes = Changes::default();
        for slot in self.partners.touched() {
            let key = self.partners.key(*slot);
            let ((before, now), time) = self.since.of(*slot);
            let after = self.partners.get(*slot).map(|Live(partner)| partner);
            let moved = (before.take(), after, now.take());
            say(&mut changes, key, next, time, moved);
        }
        changes.emit(cx);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.partners.delta(out)?;
        self.sequence.delta(out)
    }

    fn evict(&mut self) {
        self.partners.evict();
        self.sequence.evict();
        self.since.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.partners.memory_bytes() + self.sequence.memory_bytes() + self.since.memory_bytes()
    }
}

/// What a row says that was at one place, is at another now, and has this value.
fn say<A: Row>(
    changes: &mut Changes<Subscription<A>>,
    of: &[u8],
    sequence: u64,
    time: EventTime,
    (before, after, value): (Option<Partner>, Option<&Partner>, Option<A>),
) {
    let mut push = |Partner(at): &Partner, says: Says<A>| {
        let subscription = Subscription { of: KeyBytes(of.into()), sequence, is_alone: at.is_none(), says };
        changes.push(subscription, at.as_ref().map_or(of, |at| &at.0), time, 1);
    };
    let stays = before.as_ref() == after;
    if let (Some(before), false) = (&before, stays) {
        push(before, Says::Ends { is_gone: after.is_none() });
    }
    if let (Some(after), Some(value)) = (after, value) {
        push(after, if stays { Says::Is(value) } else { Says::Begins(value) });
    }
}
