//! Counted multisets: what `MIN`, `MAX` and `DISTINCT` keep when rows can be taken back.
//!
//! Per group an ordered map from encoded value to the number of rows that have it. The map lives in a store of its own,
//! one key a value: `group key | value` -> count, so that a commit writes the values that changed and not the set.
//!
//! A count may fall below zero, when the old row of an update overtakes the row itself; such a value is not there.

use super::lane::{Lane, LaneValues};
use super::{AggregateCall, AggregateFunction};
use crate::OperatorError;
use crate::columns::ColumnBuilder;
use crate::keys::{KeyCodec, Slot};
use crate::operator::{DeltaScope, StateScope};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Float64Type};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The multisets of one aggregate over all groups of a table.
#[derive(Debug)]
pub(super) struct Multisets {
    function: AggregateFunction,
    codec: KeyCodec,
    result_type: DataType,
    groups: Vec<Group>,
    /// Values whose counts changed since the last delta, in the order in which they did.
    changed: Vec<(Slot, Box<[u8]>)>,
    /// Memory of all values.
    bytes: usize,
}

/// Memory of a value beside its bytes.
const ENTRY_BYTES: usize = 48;

/// The values of a group.
#[derive(Debug, Default)]
struct Group {
    values: BTreeMap<Box<[u8]>, Counted>,
    /// How many of them are there.
    present: i64,
    /// Their sum, where a sum is asked for and the values are whole numbers.
    sum: i128,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counted {
    count: i64,
    /// Whether it changed since the last delta.
    changed: bool,
}

impl Group {
    /// Changes the count of a value. `number` is the value, where sums are kept. Gives whether the value is new, and
    /// whether this is its first change since the last delta.
    #[inline]
    fn add(&mut self, value: &[u8], by: i64, number: i128) -> (bool, bool) {
        let (before, is_new, first) = match self.values.get_mut(value) {
            Some(counted) => {
                counted.count += by;
                (counted.count - by, false, !std::mem::replace(&mut counted.changed, true))
            }
            None => {
                self.values.insert(value.into(), Counted { count: by, changed: true });
                (0, true, true)
            }
        };
        match (before > 0, before + by > 0) {
            (false, true) => {
                self.present += 1;
                self.sum = self.sum.wrapping_add(number);
            }
            (true, false) => {
                self.present -= 1;
                self.sum = self.sum.wrapping_sub(number);
            }
            _ => {}
        }
        (is_new, first)
    }

    /// The values that are there, in order.
    fn present(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.values.iter().filter(|(_, counted)| counted.count > 0).map(|(value, _)| &**value)
    }
}

impl Multisets {
    pub(super) fn new(call: &AggregateCall) -> Self {
        let codec = KeyCodec::new(vec![call.argument_type.clone()]);
        Multisets {
            function: call.function,
            codec: codec.expect("every type that can be aggregated can be a key"),
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
        let values = self.codec.encode(std::slice::from_ref(column), column.len())?;
        let lane = Lane::new(Some(column), filter)?;
        let numbers = self.numbers(&lane);
        for (row, slot) in slots.iter().enumerate() {
            if lane.valid().is_some_and(|valid| valid.is_null(row)) {
                continue;
            }
            let sign = signs.map_or(1, |signs| i64::from(signs[row]));
            let value = values.get(row);
            let (is_new, first) = self.groups[*slot as usize].add(value, sign, numbers.get(row));
            self.bytes += if is_new { value.len() + ENTRY_BYTES } else { 0 };
            if first {
                self.changed.push((*slot, value.into()));
            }
        }
        Ok(())
    }

    /// Values to be summed up, as a lane; nothing where no sum is asked for.
    fn summands<'v>(&self, values: impl Iterator<Item = &'v [u8]>) -> Result<Lane, OperatorError> {
        let is_sum = self.function == AggregateFunction::Sum;
        let columns = if is_sum { self.codec.decode(values)? } else { Vec::new() };
        Ok(Lane::new(columns.first(), None)?)
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
        let others = &other.groups[from as usize].values;
        let lane = self.summands(others.keys().map(|value| &**value))?;
        let numbers = self.numbers(&lane);
        let group = &mut self.groups[slot as usize];
        for (row, (value, counted)) in others.iter().enumerate() {
            let (is_new, first) = group.add(value, counted.count, numbers.get(row));
            self.bytes += if is_new { value.len() + ENTRY_BYTES } else { 0 };
            if first && keep {
                self.changed.push((slot, value.clone()));
            }
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
        let value = match self.function {
            AggregateFunction::Count => {
                out.append_i64(group.present);
                return Ok(());
            }
            AggregateFunction::Sum => return self.append_sum(group, out),
            AggregateFunction::Min => group.present().next(),
            _ => group.present().next_back(),
        };
        match value {
            None => out.append_null(),
            Some(value) => append_value(&*self.codec.decode(std::iter::once(value))?[0], out)?,
        }
        Ok(())
    }

    /// The sum of the distinct values. That of floating-point numbers is added up anew, in their order: what is left
    /// of numbers that went would depend on which ones came.
    fn append_sum(&self, group: &Group, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
        match &self.result_type {
            _ if group.present == 0 => out.append_null(),
            DataType::Float64 => {
                let values = &self.codec.decode(group.present())?[0];
                let values = arrow::compute::cast(values, &DataType::Float64)?;
                out.append_f64(values.as_primitive::<Float64Type>().values().iter().sum());
            }
            DataType::Decimal128(_, _) => out.append_i128(group.sum),
            _ => out.append_i64(group.sum as i64),
        }
        Ok(())
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
            match count.try_into() {
                Ok(count) => {
                    let counted = Counted { count: i64::from_le_bytes(count), changed: false };
                    let value = &key[group_key.len()..];
                    self.bytes += value.len() + ENTRY_BYTES;
                    group.values.insert(value.into(), counted);
                }
                Err(_) => corrupt = true,
            }
            ControlFlow::Continue(())
        })?;
        if corrupt {
            let (operator, detail) = ("multiset".to_owned(), "a count of another size".to_owned());
            return Err(OperatorError::CorruptState { operator, detail });
        }
        group.present = group.present().count() as i64;
        let lane = self.summands(group.present())?;
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

/// Appends the one value of an array.
fn append_value(array: &dyn Array, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
    let lane = Lane::new(Some(&arrow::array::make_array(array.to_data())), None)?;
    match (lane.values(), &out) {
        (LaneValues::I64(values), ColumnBuilder::Boolean(_)) => out.append_bool(values[0] != 0),
        (LaneValues::I64(values), _) => out.append_i64(values[0]),
        (LaneValues::F64(values), _) => out.append_f64(values[0]),
        (LaneValues::I128(values), _) => out.append_i128(values[0]),
        (LaneValues::Utf8(values), _) => out.append_bytes(values.value(0).as_bytes()),
        (LaneValues::Binary(values), _) => out.append_bytes(values.value(0)),
        (LaneValues::None, _) => out.append_null(),
    }
    Ok(())
}

/// The least key that does not begin with `prefix`; `None` when every larger key does.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
