//! The sessions that are open and in memory.

use crate::batch::EventTime;
use crate::keys::Slot;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// An open session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    /// Time of its first row.
    pub(super) start: EventTime,
    /// A gap behind its last row.
    pub(super) end: EventTime,
    /// Its group.
    pub(super) slot: Slot,
    /// The end that the store has.
    pub(super) stored_end: Option<EventTime>,
}

/// A session that closes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    pub(super) key: Slot,
    pub(super) start: EventTime,
    pub(super) end: EventTime,
    pub(super) slot: Slot,
    pub(super) stored_end: Option<EventTime>,
}

/// When to look whether a session ends, in the order of ends. A session that was prolonged since is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    end: EventTime,
    start: EventTime,
    key: Slot,
}

/// Open sessions by key, in the order of their starts; they neither overlap nor touch.
#[derive(Debug, Default)]
pub(super) struct OpenSessions {
    by_key: Vec<Vec<Session>>,
    looks: BinaryHeap<Reverse<Look>>,
    /// By group: its key.
    key_of: Vec<Slot>,
    /// Keys that may have no session, noted since the last delta.
    lost: Vec<Slot>,
}

impl OpenSessions {
    /// Makes room for `keys` keys.
    pub(super) fn resize(&mut self, keys: usize) {
        if self.by_key.len() < keys {
            self.by_key.resize_with(keys, Vec::new);
        }
    }

    /// Which sessions of a key overlap or touch the window from `start` to `end`.
    pub(super) fn overlapping(&self, key: Slot, start: EventTime, end: EventTime) -> Range<usize> {
        let sessions = &self.by_key[key as usize];
        let from = sessions.partition_point(|session| session.end < start);
        let count = sessions[from..].iter().take_while(|session| session.start <= end).count();
        from..from + count
    }

    /// Lets the only session that takes a row in end later, where the row does not come before it. Its group.
    pub(super) fn prolong(
        &mut self,
        key: Slot,
        taken_in_by: &Range<usize>,
        start: EventTime,
        end: EventTime,
    ) -> Option<Slot> {
        let session = &mut self.by_key[key as usize][taken_in_by.clone()];
        match session {
            [only] if only.start <= start => {
                only.end = only.end.max(end);
                Some(only.slot)
            }
            _ => None,
        }
    }

    /// Adds a session that overlaps no other of its key.
    pub(super) fn add(
        &mut self,
        key: Slot,
        start: EventTime,
        end: EventTime,
        slot: Slot,
        stored_end: Option<EventTime>,
    ) {
        let sessions = &mut self.by_key[key as usize];
        let at = sessions.partition_point(|session| session.start < start);
        sessions.insert(at, Session { start, end, slot, stored_end });
        if self.key_of.len() <= slot as usize {
            self.key_of.resize(slot as usize + 1, 0);
        }
        self.key_of[slot as usize] = key;
        self.looks.push(Reverse(Look { end, start, key }));
    }

    /// Takes sessions of a key out.
    pub(super) fn take(&mut self, key: Slot, range: Range<usize>) -> Vec<Session> {
        self.by_key[key as usize].drain(range).collect()
    }

    /// The session of a group, while it is open.
    pub(super) fn of_group(&mut self, slot: Slot) -> Option<&mut Session> {
        let key = *self.key_of.get(slot as usize)?;
        self.by_key[key as usize].iter_mut().find(|session| session.slot == slot)
    }

    /// A moment at or before the first end.
    pub(super) fn first_end(&self) -> Option<EventTime> {
        self.looks.peek().map(|Reverse(look)| look.end)
    }

    /// Takes out the sessions whose last millisecond is at or before the watermark.
    pub(super) fn close_until(&mut self, watermark: EventTime) -> Vec<Closing> {
        let mut closing = Vec::new();
        while let Some(Reverse(look)) = self.looks.peek().copied() {
            if look.end.saturating_sub(1) > watermark {
                break;
            }
            self.looks.pop();
            let key = look.key;
            let sessions = &mut self.by_key[key as usize];
            let Some(at) = sessions.iter().position(|session| session.start == look.start) else { continue };
            let Session { start, end, slot, stored_end } = sessions[at];
            if end.saturating_sub(1) > watermark {
                self.looks.push(Reverse(Look { end, ..look }));
                continue;
            }
            sessions.remove(at);
            if sessions.is_empty() {
                self.lost.push(key);
            }
            closing.push(Closing { key, start, end, slot, stored_end });
        }
        closing
    }

    /// Notes a key that may have no session.
    pub(super) fn let_go(&mut self, key: Slot) {
        self.lost.push(key);
    }

    /// Keys without an open session, of those that lost one, or were noted, since the last call.
    pub(super) fn take_empty(&mut self) -> Vec<Slot> {
        let mut lost = std::mem::take(&mut self.lost);
        lost.sort_unstable();
        lost.dedup();
        lost.retain(|key| self.by_key[*key as usize].is_empty());
        lost
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let sessions: usize =
            self.by_key.iter().map(|sessions| sessions.capacity() * size_of::<Session>()).sum();
        sessions
            + self.by_key.capacity() * size_of::<Vec<Session>>()
            + self.looks.capacity() * size_of::<Look>()
            + self.key_of.capacity() * size_of::<Slot>()
    }
}
