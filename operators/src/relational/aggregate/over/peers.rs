//! Which rows are the first of their key and time: what ranks are made of.

use crate::batch::EventTime;
use crate::keys::Slot;
use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

/// By slot: the time of the last row, and the number of rows of what is worked through at once. Rows of one time are
/// always worked through together.
#[derive(Debug, Default)]
pub(super) struct Peers {
    by_slot: Vec<(EventTime, i64)>,
}

impl Peers {
    pub(super) fn resize(&mut self, slots: usize) {
        self.by_slot.resize(slots.max(self.by_slot.len()), (EventTime::MIN, 0));
    }

    /// Whether each row is the first of its key and time, and the number of those that are, among all of their key;
    /// `before` says how many there were.
    pub(super) fn columns(
        &mut self,
        slots: &[Slot],
        times: &[EventTime],
        before: &[i64],
    ) -> [(Field, ArrayRef); 2] {
        let (mut first, mut numbers) = (Vec::with_capacity(slots.len()), Vec::with_capacity(slots.len()));
        for (slot, time) in slots.iter().zip(times) {
            let (last, rows) = &mut self.by_slot[*slot as usize];
            let is_first = *rows == 0 || *last != *time;
            (*last, *rows) = (*time, *rows + 1);
            first.push(is_first);
            numbers.push(is_first.then_some(before[*slot as usize] + *rows));
        }
        slots.iter().for_each(|slot| self.by_slot[*slot as usize] = (EventTime::MIN, 0));
        [
            (Field::new("first of its time", DataType::Boolean, false), Arc::new(BooleanArray::from(first))),
            (Field::new("its number", DataType::Int64, true), Arc::new(Int64Array::from(numbers))),
        ]
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.by_slot.capacity() * 16
    }
}
