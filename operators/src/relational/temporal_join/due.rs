//! Keys of the right side by the time at which the first of their versions becomes superfluous.
//!
//! Only times ahead of the watermark stand here, so all of them are kept in memory. Stored key: the time, big endian,
//! then the join key.

use super::DUE;
use crate::OperatorError;
use crate::batch::EventTime;
use crate::operator::StateScope;
use millstream_state::DeltaBlock;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

#[derive(Debug, Default)]
pub(super) struct Due {
    /// Stored keys; whether they are in the store.
    entries: BTreeMap<Box<[u8]>, bool>,
    came: Vec<Box<[u8]>>,
    gone: Vec<Box<[u8]>>,
    bytes: usize,
}

impl Due {
    pub(super) fn read(state: &mut StateScope<'_>) -> Result<Self, OperatorError> {
        let mut due = Due::default();
        state.scan(DUE, &[], None, |stored, _| {
            due.bytes += stored.len();
            due.entries.insert(stored.into(), true);
            ControlFlow::Continue(())
        })?;
        Ok(due)
    }

    pub(super) fn insert(&mut self, time: EventTime, key: &[u8]) {
        let stored = stored_key(time, key);
        self.bytes += stored.len();
        self.came.push(stored.clone());
        self.entries.insert(stored, false);
    }

    pub(super) fn remove(&mut self, time: EventTime, key: &[u8]) {
        if let Some((stored, is_stored)) = self.entries.remove_entry(&stored_key(time, key)) {
            self.bytes -= stored.len();
            if is_stored {
                self.gone.push(stored);
            }
        }
    }

    /// The first time not after `watermark`, and the key that is due then.
    pub(super) fn first_until(&self, watermark: EventTime) -> Option<(EventTime, Box<[u8]>)> {
        let (stored, _) = self.entries.first_key_value()?;
        let (time, key) = stored.split_first_chunk::<8>()?;
        let time = EventTime::from_be_bytes(*time) ^ EventTime::MIN;
        (time <= watermark).then(|| (time, key.into()))
    }

    pub(super) fn delta(&mut self, block: &mut DeltaBlock) {
        for stored in self.gone.drain(..).filter(|stored| !self.entries.contains_key(stored)) {
            block.delete(&stored);
        }
        for stored in self.came.drain(..) {
            if let Some(is_stored @ false) = self.entries.get_mut(&stored) {
                *is_stored = true;
                block.put(&stored, &[]);
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + self.entries.len() * 32
    }
}

fn stored_key(time: EventTime, key: &[u8]) -> Box<[u8]> {
    [&(time ^ EventTime::MIN).to_be_bytes(), key].concat().into()
}
