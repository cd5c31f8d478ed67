//! Counted multisets: what aggregates keep that are computed of the values of a group, and not of a number.
//!
//! Per group an ordered map from encoded value to the number of rows that have it. The map lives in a store of its own,
//! one key a value: `group key | value` -> count, so that a commit writes the values that changed and not the set.
//! Where the order of arrival counts, each value has its number behind it ([`super::values`]).
//!
//! A count may fall below zero, when the old row of an update overtakes the row itself; such a value is not there.

mod group;

use super::AggregateCall;
use super::function::{AggregateFunction, GroupValues, ValueOrder};
use super::lane::{Lane, LaneValues};
use super::squares::Squares;
use super::values::ValueCodec;
use crate::OperatorError;
use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use crate::operator::{DeltaScope, StateScope};
use crate::rows::ValueWriter;
use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float64Type};
use group::{Done, Group};
use std::ops::ControlFlow;

/// The multisets of one aggregate over all groups of a table.
#[derive(Debug)]
pub(super) struct Multisets {
    function: AggregateFunction,
    order: ValueOrder,
    distinct: bool,
    codec: ValueCodec,
    result_type: DataType,
    groups: Vec<Group>,
    /// Values whose counts changed since the last delta, in the order in which they did.
    changed: Vec<(Slot, Box<[u8]>)>,
    /// Memory of all values.
    bytes: usize,
}

/// Memory of a value beside its bytes.
const ENTRY_BYTES: usize = 48;

impl Multisets {
    /// The call has been checked.
    pub(super) fn new(call: &AggregateCall) -> Self {
        Multisets {
            function: call.function.clone(),
            order: call.function.order(),
            distinct: call.distinct,
            codec: ValueCodec::new(call),
            result_type: call.data_type(),
            groups: Vec::new(),
            changed: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.groups.resize_with(slots, Group::default);
    }

    pub(super) fn reset(&mut self, slot: Slot) {
        let group = std::mem::take(&mut self.groups[slot as usize]);
        self.bytes -= group.values.keys().map(|value| value.len() + ENTRY_BYTES).sum::<usize>();
    }

    /// Adds and takes away values.
    pub(super) fn update(
        &mut self,
        slots: &[Slot],
        column: &ArrayRef,
        filter: Option<&BooleanArray>,
        signs: Option<&[i8]>,
    ) -> Result<(), OperatorError> {
        let values = self.codec.encode(column)?;
        let lane = match self.function {
            AggregateFunction::Sum => Lane::new(Some(column), filter)?,
            _ => Lane::of_rows((!self.function.takes_nulls()).then_some(column), filter),
        };
        let numbers = self.numbers(&lane);
        for (row, slot) in slots.iter().enumerate() {
            if lane.valid().is_some_and(|valid| valid.is_null(row)) {
                continue;
            }
            let sign = signs.map_or(1, |signs| i64::from(signs[row]));
            self.add(*slot, values.get(row), sign, numbers.get(row), true);
        }
        Ok(())
    }

    /// Changes how often a value is there; `keep`: what changed is written with the next delta.
    #[inline]
    fn add(&mut self, slot: Slot, value: &[u8], by: i64, number: i128, keep: bool) {
        let Multisets { groups, changed, bytes, .. } = self;
        let mut done = |entry: &[u8], Done { is_new, is_first }: Done| {
            *bytes += if is_new { entry.len() + ENTRY_BYTES } else { 0 };
            if is_first && keep {
                changed.push((slot, entry.into()));
            }
        };
        let group = &mut groups[slot as usize];
        match self.order {
            ValueOrder::Value => {
                let change = group.add(value, by, number);
                done(value, change);
            }
            ValueOrder::Arrival => group.arrive(value, by, self.distinct, done),
        }
    }

    /// Values to be summed up, as a lane; nothing where no sum is asked for.
    fn summands<'v>(&self, values: impl Iterator<Item = &'v [u8]>) -> Result<Lane, OperatorError> {
        let is_sum = self.function == AggregateFunction::Sum;
        let column = is_sum.then(|| self.codec.decode(values)).transpose()?;
        Lane::new(column.as_ref(), None)
    }

    /// The numbers of a lane, where a sum of whole numbers is asked for.
    fn numbers<'l>(&self, lane: &'l Lane) -> Numbers<'l> {
        match lane.values() {
            _ if self.function != AggregateFunction::Sum => Numbers::None,
            LaneValues::I64(values) => Numbers::I64(values),
            LaneValues::I128(values) => Numbers::I128(values),
            _ => Numbers::None,
        }
    }

    /// Folds a group of another table of the same call in; `keep`: the sum is written with the next delta.
    pub(super) fn merge(
        &mut self,
        slot: Slot,
        other: &Multisets,
        from: Slot,
        keep: bool,
    ) -> Result<(), OperatorError> {
        let others = other.groups[from as usize].all(self.order);
        let lane = self.summands(others.iter().map(|(value, _)| *value))?;
        let numbers = self.numbers(&lane);
        for (row, (value, count)) in others.into_iter().enumerate() {
            self.add(slot, value, count, numbers.get(row), keep);
        }
        Ok(())
    }

    /// Forgets the changes of groups that go; `slots` are in order.
    pub(super) fn drop_changes(&mut self, slots: &[Slot]) {
        self.changed.retain(|(slot, _)| slots.binary_search(slot).is_err());
    }

    /// Appends a group's result.
    pub(super) fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
        let group = &self.groups[slot as usize];
        let mut values = group.present(self.order).map(|(value, _)| value);
        let value = match &self.function {
            AggregateFunction::Count => {
                out.append_i64(group.present);
                return Ok(());
            }
            AggregateFunction::Sum => return self.append_sum(group, out),
            AggregateFunction::Squares => {
                match Squares::of(&self.doubles(group)?) {
                    Some(squares) => out.append_f64(squares),
                    None => out.append_null(),
                }
                return Ok(());
            }
            AggregateFunction::Of(function) => {
                let (values, counts): (Vec<&[u8]>, Vec<i64>) = group.present(self.order).unzip();
                let counts = if self.distinct { vec![1; counts.len()] } else { counts };
                let values = GroupValues { column: self.codec.decode(values.into_iter())?, counts };
                let failed =
                    |detail| OperatorError::Expression { expression: function.0.name().to_owned(), detail };
                return function.0.result(&values, out).map_err(failed);
            }
            AggregateFunction::Min | AggregateFunction::First => values.next(),
            AggregateFunction::Max | AggregateFunction::Last => values.next_back(),
        };
        match value {
            None => out.append_null(),
            Some(value) => {
                let column = self.codec.decode(std::iter::once(value))?;
                ValueWriter::new(&column)?.append(0, out);
            }
        }
        Ok(())
    }

    /// The sum of the distinct values. That of floating-point numbers is added up anew, in their order: what is left
    /// of numbers that went would depend on which ones came.
    fn append_sum(&self, group: &Group, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
        match &self.result_type {
            _ if group.present == 0 => out.append_null(),
            DataType::Float64 => {
                out.append_f64(self.doubles(group)?.iter().sum());
            }
            DataType::Decimal128(_, _) => out.append_i128(group.sum),
            _ => out.append_i64(group.sum as i64),
        }
        Ok(())
    }

    /// The distinct numbers of a group, in their order.
    fn doubles(&self, group: &Group) -> Result<Vec<f64>, OperatorError> {
        let values = self.codec.decode(group.present(self.order).map(|(value, _)| value))?;
        let values = arrow::compute::cast(&values, &DataType::Float64)?;
        Ok(values.as_primitive::<Float64Type>().values().to_vec())
    }

    /// Reads a group's values from its store.
    pub(super) fn load(
        &mut self,
        slot: Slot,
        group_key: &[u8],
        store: u16,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let mut group = Group::default();
        let mut corrupt = false;
        state.scan(store, group_key, prefix_end(group_key).as_deref(), |key, count| {
            let entry = &key[group_key.len()..];
            let count = count.try_into().ok().map(i64::from_le_bytes);
            self.bytes += entry.len() + ENTRY_BYTES;
            corrupt |= count.and_then(|count| group.load(self.order, entry, count)).is_none();
            ControlFlow::Continue(())
        })?;
        if corrupt {
            let (operator, detail) = ("multiset".to_owned(), "no value with its count".to_owned());
            return Err(OperatorError::CorruptState { operator, detail });
        }
        let lane = self.summands(group.present(self.order).map(|(value, _)| value))?;
        let numbers = self.numbers(&lane);
        group.sum = (0..group.present as usize).fold(0, |sum: i128, row| sum.wrapping_add(numbers.get(row)));
        self.groups[slot as usize] = group;
        Ok(())
    }

    /// Writes the values that changed. `write_key` appends the stored key of a slot's group.
    pub(super) fn delta(
        &mut self,
        store: u16,
        write_key: impl Fn(Slot, &mut Vec<u8>),
        out: &mut DeltaScope<'_>,
    ) {
        let block = out.block(store);
        let mut key = Vec::new();
        for (slot, value) in self.changed.drain(..) {
            let values = &mut self.groups[slot as usize].values;
            key.clear();
            write_key(slot, &mut key);
            key.extend_from_slice(&value);
            match values.get_mut(&value) {
                Some(counted) if counted.count != 0 => {
                    counted.changed = false;
                    block.put(&key, &counted.count.to_le_bytes());
                }
                _ => {
                    self.bytes -= values.remove(&value).map_or(0, |_| value.len() + ENTRY_BYTES);
                    block.delete(&key);
                }
            }
        }
    }

    /// Deletes all values of a group from its store.
    pub(super) fn delete_group(&self, slot: Slot, store: u16, group_key: &[u8], out: &mut DeltaScope<'_>) {
        // Values that went since the last delta are still among them, as they are in the store.
        let block = out.block(store);
        for value in self.groups[slot as usize].values.keys() {
            block.delete(&[group_key, value].concat());
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Group>()
    }
}

/// Whole numbers to be summed up.
enum Numbers<'l> {
    None,
    I64(&'l [i64]),
    I128(&'l [i128]),
}

impl Numbers<'_> {
    #[inline]
    fn get(&self, row: usize) -> i128 {
        match self {
            Numbers::None => 0,
            Numbers::I64(values) => values[row].into(),
            Numbers::I128(values) => values[row],
        }
    }
}

/// The least key that does not begin with `prefix`; `None` when every larger key does.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
