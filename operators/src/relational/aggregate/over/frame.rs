//! The rows that are in the frames of keys, the oldest first, with what is read of them when they leave.
//!
//! Stored key: the key, the time, and a number among the rows of that key and time, big endian; stored value: the
//! arguments. Where frames are spans of time, the rows of a key that gets no others have to go too: the key is due a span or
//! two behind its last row, at a multiple of the span, so that hardly any row moves it. Stored key of that, in a store of
//! its own: the moment, then the key.

use super::corrupt;
use crate::OperatorError;
use crate::aggregate::prefix_end;
use crate::batch::EventTime;
use crate::keys::{Slot, SlotTable};
use crate::operator::{DeltaScope, StateScope};
use crate::rows::RowWriter;
use millstream_state::BytesColumn;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;

/// About how many stored keys are read at once because they are due.
const SOME: usize = 4096;

/// A row in a frame.
#[derive(Debug)]
struct Row {
    time: EventTime,
    /// Its number among the rows of its key and time.
    peer: u32,
    /// What is read of it; of a row that came in this round not yet.
    bytes: Box<[u8]>,
    /// The last round in which it had a place among the columns, and the place.
    place: (u64, u32),
    stored: bool,
}

/// The rows of a key.
#[derive(Debug, Default)]
struct Frame {
    rows: VecDeque<Row>,
    /// The last round in which a row came.
    round: u64,
    /// When the key is due, now and in the store.
    due: Option<EventTime>,
    stored_due: Option<EventTime>,
}

/// The frames of the keys in memory.
///
/// They are changed in rounds, in which rows have places: those that come by their order, older ones behind them, in the
/// order in which they are asked for.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The store with the rows; the one behind it has the moments.
    store: u16,
    /// How long after its time a row is in a frame, where frames are spans of time.
    span_ms: Option<i64>,
    by_slot: Vec<Frame>,
    due: BinaryHeap<Reverse<(EventTime, Slot)>>,
    /// Where the moments of keys begin that only the store knows of.
    stored_from: Option<Vec<u8>>,
    round: u64,
    /// How many rows come in this round.
    came: u32,
    /// The keys for which they do.
    touched: Vec<Slot>,
    /// What is read of older rows in this round.
    older: BytesColumn,
    /// Stored keys of rows that left since the last delta.
    left: Vec<Vec<u8>>,
    /// Bytes of all rows.
    bytes: usize,
}

impl Frames {
    pub(super) fn new(store: u16, span_ms: Option<i64>) -> Self {
        Frames { store, span_ms, ..Frames::default() }
    }

    pub(super) fn resize(&mut self, slots: usize) {
        if self.by_slot.len() < slots {
            self.by_slot.resize_with(slots, Frame::default);
        }
    }

    /// Begins a round in which so many rows come.
    pub(super) fn begin(&mut self, came: usize) {
        self.round += 1;
        self.came = came as u32;
        self.older.clear();
    }

    /// What is read of the older rows that have a place in this round.
    pub(super) fn older(&self) -> &BytesColumn {
        &self.older
    }

    pub(super) fn len(&self, slot: Slot) -> usize {
        self.by_slot[slot as usize].rows.len()
    }

    /// Adds a row that comes, behind the others of its key.
    pub(super) fn push(&mut self, slot: Slot, time: EventTime, row: u32) {
        let frame = &mut self.by_slot[slot as usize];
        let peer = frame.rows.back().filter(|last| last.time == time).map_or(0, |last| last.peer + 1);
        let place = (self.round, row);
        frame.rows.push_back(Row { time, peer, bytes: Box::default(), place, stored: false });
        self.bytes += size_of::<Row>();
        if std::mem::replace(&mut frame.round, self.round) != self.round {
            self.touched.push(slot);
        }
        frame.be_due(slot, time, self.span_ms, &mut self.due);
    }

    /// The place of a row of a key, `back` rows before its last one.
    pub(super) fn place_before_last(&mut self, slot: Slot, back: usize) -> Option<u32> {
        let rows = &mut self.by_slot[slot as usize].rows;
        let index = rows.len().checked_sub(back.checked_add(1)?)?;
        rows.get_mut(index).map(|row| row.place_in(self.round, self.came, &mut self.older))
    }

    /// Takes the oldest row of a key out, if its time is before `until`. Its place.
    pub(super) fn pop(&mut self, slot: Slot, until: EventTime, slots: &SlotTable) -> Option<u32> {
        let rows = &mut self.by_slot[slot as usize].rows;
        let mut row = rows.pop_front_if(|row| row.time < until)?;
        self.bytes -= size_of::<Row>() + row.bytes.len();
        if row.stored {
            self.left.push(stored_key(slots.key(slot), row.time, row.peer));
        }
        Some(row.place_in(self.round, self.came, &mut self.older))
    }

    /// Ends a round: of the rows that came and are still there, keeps what is read.
    pub(super) fn end(&mut self, writer: &RowWriter<'_>) {
        let mut scratch = Vec::new();
        for slot in self.touched.drain(..) {
            for row in self.by_slot[slot as usize].rows.iter_mut().rev() {
                let (round, place) = row.place;
                if round != self.round || place >= self.came {
                    break;
                }
                scratch.clear();
                writer.write(place as usize, &mut scratch);
                self.bytes += scratch.len();
                row.bytes = scratch.as_slice().into();
            }
        }
    }

    /// Reads the rows of a key, and when it is due.
    pub(super) fn load(
        &mut self,
        slot: Slot,
        key: &[u8],
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let (mut frame, mut bad, bytes) = (Frame::default(), false, &mut self.bytes);
        state.scan(self.store, key, prefix_end(key).as_deref(), |stored, value| {
            let Some((time, peer)) = decode_key(&stored[key.len()..]) else {
                bad = true;
                return ControlFlow::Break(());
            };
            *bytes += size_of::<Row>() + value.len();
            frame.rows.push_back(Row { time, peer, bytes: value.into(), place: (0, 0), stored: true });
            ControlFlow::Continue(())
        })?;
        if bad {
            return Err(corrupt("a row of a frame can't be read"));
        }
        if let Some(last) = frame.rows.back() {
            let time = last.time;
            frame.be_due(slot, time, self.span_ms, &mut self.due);
            frame.stored_due = frame.due;
        }
        self.by_slot[slot as usize] = frame;
        Ok(())
    }

    /// Whether keys may be due.
    pub(super) fn is_due(&self, watermark: EventTime) -> bool {
        self.stored_from.as_deref().and_then(moment_of).is_some_and(|from| from <= watermark)
            || self.due.peek().is_some_and(|Reverse((moment, _))| *moment <= watermark)
    }

    /// The keys in memory that are due, in an order that does not depend on their slots.
    pub(super) fn take_due(&mut self, watermark: EventTime, slots: &SlotTable) -> Vec<Slot> {
        let mut found: Vec<(EventTime, Slot)> = Vec::new();
        while let Some(Reverse((moment, slot))) =
            self.due.peek().copied().filter(|Reverse((moment, _))| *moment <= watermark)
        {
            self.due.pop();
            let due = &mut self.by_slot[slot as usize].due;
            if *due == Some(moment) {
                *due = None;
                found.push((moment, slot));
            }
        }
        found.sort_unstable_by(|a, b| (a.0, slots.key(a.1)).cmp(&(b.0, slots.key(b.1))));
        found.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Some of the keys that are due and that only the store knows of.
    pub(super) fn stored_due(
        &mut self,
        watermark: EventTime,
        slots: &SlotTable,
        state: &mut StateScope<'_>,
    ) -> Result<BytesColumn, OperatorError> {
        let mut found = BytesColumn::default();
        let Some(from) = self.stored_from.take_if(|from| moment_of(from).is_some_and(|at| at <= watermark))
        else {
            return Ok(found);
        };
        state.scan(self.store + 1, &from, None, |stored, _| {
            if found.len() >= SOME || moment_of(stored).is_none_or(|moment| moment > watermark) {
                self.stored_from = Some(stored.to_vec());
                return ControlFlow::Break(());
            }
            let key = stored.get(8..).unwrap_or_default();
            if slots.find(key).is_none() {
                found.push(key);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Writes what came and what left, of these keys, and when they are due.
    pub(super) fn delta(&mut self, touched: &[Slot], slots: &SlotTable, out: &mut DeltaScope<'_>) {
        // Keys become due in an order that depends on what was evicted.
        self.left.sort_unstable();
        for stored in self.left.drain(..) {
            out.block(self.store).delete(&stored);
        }
        for slot in touched {
            let (key, frame) = (slots.key(*slot), &mut self.by_slot[*slot as usize]);
            let new = frame.rows.iter().rev().take_while(|row| !row.stored).count();
            for row in frame.rows.range_mut(frame.rows.len() - new..) {
                out.block(self.store).put(&stored_key(key, row.time, row.peer), &row.bytes);
                row.stored = true;
            }
            let before = std::mem::replace(&mut frame.stored_due, frame.due);
            if before == frame.due {
                continue;
            }
            let moments = out.block(self.store + 1);
            before.into_iter().for_each(|moment| moments.delete(&due_key(moment, key)));
            frame.due.into_iter().for_each(|moment| moments.put(&due_key(moment, key), &[]));
        }
    }

    pub(super) fn evict(&mut self) {
        *self = Frames::new(self.store, self.span_ms);
    }

    /// Makes it stand at the store, with nothing in memory.
    pub(super) fn restore(&mut self, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.evict();
        if self.span_ms.is_none() {
            return Ok(());
        }
        state.scan(self.store + 1, &[], None, |stored, _| {
            self.stored_from = Some(stored.to_vec());
            ControlFlow::Break(())
        })?;
        match &self.stored_from {
            Some(stored) if moment_of(stored).is_none() => Err(corrupt("the moment of a key can't be read")),
            _ => Ok(()),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let frames = self.by_slot.capacity() * size_of::<Frame>();
        frames + self.bytes + self.due.capacity() * 16 + self.older.memory_bytes()
    }
}

impl Row {
    /// Its place in a round.
    fn place_in(&mut self, round: u64, came: u32, older: &mut BytesColumn) -> u32 {
        if self.place.0 != round {
            self.place = (round, came + older.len() as u32);
            older.push(&self.bytes);
        }
        self.place.1
    }
}

impl Frame {
    /// Makes the key due behind a row of this time.
    fn be_due(
        &mut self,
        slot: Slot,
        time: EventTime,
        span_ms: Option<i64>,
        due: &mut BinaryHeap<Reverse<(EventTime, Slot)>>,
    ) {
        let Some(span_ms) = span_ms.map(|span_ms| span_ms.max(1)) else { return };
        let moment = time.div_euclid(span_ms).saturating_add(2).saturating_mul(span_ms);
        if self.due.replace(moment) != Some(moment) {
            due.push(Reverse((moment, slot)));
        }
    }
}

fn stored_key(key: &[u8], time: EventTime, peer: u32) -> Vec<u8> {
    [key, &encode_time(time), &peer.to_be_bytes()].concat()
}

/// Time and number of a row, from what stands behind its key.
fn decode_key(stored: &[u8]) -> Option<(EventTime, u32)> {
    let (time, peer) = stored.split_first_chunk::<8>()?;
    Some((decode_time(*time), u32::from_be_bytes(peer.try_into().ok()?)))
}

fn due_key(moment: EventTime, key: &[u8]) -> Vec<u8> {
    [&encode_time(moment)[..], key].concat()
}

fn moment_of(stored: &[u8]) -> Option<EventTime> {
    stored.first_chunk().map(|time| decode_time(*time))
}

fn encode_time(time: EventTime) -> [u8; 8] {
    (time ^ EventTime::MIN).to_be_bytes()
}

fn decode_time(bytes: [u8; 8]) -> EventTime {
    EventTime::from_be_bytes(bytes) ^ EventTime::MIN
}
