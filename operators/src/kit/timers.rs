//! Moments in event time at which something is to happen, each for some bytes: a key, or more than a key.
//!
//! Stored key: the moment, big endian, then the bytes; so timers fire in the order of their moments, then of their bytes.
//! The earliest of them are in memory, as many as were read at once and those set since; later ones are only in the store.
//!
//! ```text
//!   moments   ---x--x---x--xx--|--x-----x----x----x-->
//!                  in memory   until      stored
//! ```
//! A delta says what was set and removed last, whether the store knew of it or not: what is in memory must not show in it.

use crate::OperatorError;
use crate::batch::{EventTime, NO_WATERMARK};
use crate::operator::{DeltaScope, StateScope};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};

/// How many stored timers are read at once.
const SOME: usize = 4096;

/// What one timer costs beside its bytes, in either tree.
const NODE_BYTES: usize = 32;

/// Timers. See the module's head.
pub(crate) struct Timers {
    operator: String,
    store: u16,
    /// All timers before `until`.
    hot: BTreeSet<Box<[u8]>>,
    /// Where those begin that only the store and `changed` know of; `None`: nowhere.
    until: Option<Box<[u8]>>,
    /// Whether a timer is there, by those that were set or removed since the last delta.
    changed: BTreeMap<Box<[u8]>, bool>,
    /// No timer is before this; `None`: there is none at all.
    earliest: Option<EventTime>,
    bytes: usize,
}

impl Timers {
    /// Timers in an operator's `store`; [`Timers::restore`] is called next.
    pub(crate) fn new(operator: impl Into<String>, store: u16) -> Self {
        Timers {
            operator: operator.into(),
            store,
            hot: BTreeSet::new(),
            until: None,
            changed: BTreeMap::new(),
            earliest: None,
            bytes: 0,
        }
    }

    /// Sets a timer; one that is set already stays.
    pub(crate) fn set(&mut self, time: EventTime, of: &[u8]) {
        let key = encode(time, of);
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        if self.is_hot(&key) && self.hot.insert(key.clone()) {
            self.bytes += key.len() + NODE_BYTES;
        }
        self.change(key, true);
    }

    /// Removes a timer, if there is one. The delta says so either way.
    pub(crate) fn remove(&mut self, time: EventTime, of: &[u8]) {
        let key = encode(time, of);
        if self.hot.remove(&key) {
            self.bytes -= key.len() + NODE_BYTES;
        }
        self.change(key, false);
    }

    fn change(&mut self, key: Box<[u8]>, is_set: bool) {
        let bytes = key.len() + NODE_BYTES;
        if self.changed.insert(key, is_set).is_none() {
            self.bytes += bytes;
        }
    }

    fn is_hot(&self, key: &[u8]) -> bool {
        self.until.as_deref().is_none_or(|until| key < until)
    }

    /// Takes the first timer at or before `watermark`.
    pub(crate) fn pop(
        &mut self,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<Option<(EventTime, Box<[u8]>)>, OperatorError> {
        while self.earliest.is_some_and(|earliest| earliest <= watermark) {
            let Some(first) = self.hot.first() else {
                self.read_more(state)?;
                continue;
            };
            let (time, of) = decode(first).ok_or_else(|| self.corrupt())?;
            self.earliest = Some(time);
            if time > watermark {
                break;
            }
            let of: Box<[u8]> = of.into();
            self.remove(time, &of);
            return Ok(Some((time, of)));
        }
        Ok(None)
    }

    /// Reads the timers that follow those in memory, of which there are none left.
    fn read_more(&mut self, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let Some(from) = self.until.take() else {
            self.earliest = None;
            return Ok(());
        };
        let mut next: Option<Box<[u8]>> = None;
        let mut read = 0;
        state.scan(self.store, &from, None, |key, _| {
            if read == SOME {
                next = Some(key.into());
                return ControlFlow::Break(());
            }
            read += 1;
            if self.changed.get(key) != Some(&false) {
                self.hot.insert(key.into());
            }
            ControlFlow::Continue(())
        })?;
        let behind = next.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let set = self.changed.range::<[u8], _>((Bound::Included(&*from), behind));
        self.hot.extend(set.filter(|(_, is_set)| **is_set).map(|(key, _)| key.clone()));
        self.bytes += self.hot.iter().map(|key| key.len() + NODE_BYTES).sum::<usize>();
        let first = self.hot.first().or(next.as_ref()).map(|key| decode(key).ok_or_else(|| self.corrupt()));
        self.earliest = first.transpose()?.map(|(time, _)| time);
        self.until = next;
        Ok(())
    }

    /// Writes what was set and removed.
    pub(crate) fn delta(&mut self, out: &mut DeltaScope<'_>) {
        let block = out.block(self.store);
        for (key, is_set) in std::mem::take(&mut self.changed) {
            block.push(&key, is_set.then_some(&[]));
            self.bytes -= key.len() + NODE_BYTES;
        }
    }

    /// Makes them stand at the store, which is read when time comes near.
    pub(crate) fn restore(&mut self) {
        self.evict();
        (self.until, self.earliest) = (Some(Box::default()), Some(NO_WATERMARK));
    }

    /// Forgets everything; it has been committed, and [`Timers::restore`] follows.
    pub(crate) fn evict(&mut self) {
        self.hot.clear();
        self.changed.clear();
        self.bytes = 0;
    }

    /// Memory held, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }

    fn corrupt(&self) -> OperatorError {
        let detail = "the moment of a timer can't be read".to_owned();
        OperatorError::CorruptState { operator: self.operator.clone(), detail }
    }
}

fn encode(time: EventTime, of: &[u8]) -> Box<[u8]> {
    [&(time ^ EventTime::MIN).to_be_bytes(), of].concat().into()
}

fn decode(key: &[u8]) -> Option<(EventTime, &[u8])> {
    let (time, of) = key.split_first_chunk::<8>()?;
    Some((EventTime::from_be_bytes(*time) ^ EventTime::MIN, of))
}
