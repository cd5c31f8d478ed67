//! Counted multisets: what `MIN`, `MAX` and `DISTINCT` keep when rows can be taken back.
//!
//! Per group an ordered map from encoded value to the number of rows that have it. The map lives in a store of its own,
//! one key a value: `group key | value` -> count, so that a commit writes the values that changed and not the set.

use super::{AggregateCall, AggregateFunction};
use crate::OperatorError;
use crate::columns::ColumnBuilder;
use crate::keys::{KeyCodec, Slot};
use crate::operator::{DeltaScope, StateScope};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The multisets of one aggregate over all groups of a table.
#[derive(Debug)]
pub(super) struct Multisets {
    function: AggregateFunction,
    codec: KeyCodec,
    result_type: DataType,
    groups: Vec<BTreeMap<Box<[u8]>, i64>>,
    /// Values whose counts changed since the last delta.
    changed: BTreeMap<Slot, BTreeSet<Box<[u8]>>>,
}

impl Multisets {
    pub(super) fn new(call: &AggregateCall) -> Self {
        let codec = KeyCodec::new(vec![call.argument_type.clone()]);
        Multisets {
            function: call.function,
            codec: codec.expect("every type that can be aggregated can be a key"),
            result_type: call.data_type(),
            groups: Vec::new(),
            changed: BTreeMap::new(),
        }
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.groups.resize_with(slots, BTreeMap::new);
    }

    pub(super) fn reset(&mut self, slot: Slot) {
        self.groups[slot as usize].clear();
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
        for (row, slot) in slots.iter().enumerate() {
            if column.is_null(row) || filter.is_some_and(|filter| !crate::batch::is_true(filter, row)) {
                continue;
            }
            let sign = signs.map_or(1, |signs| i64::from(signs[row]));
            let (group, value) = (&mut self.groups[*slot as usize], values.get(row));
            match group.get_mut(value) {
                Some(count) => *count += sign,
                None => drop(group.insert(value.into(), sign)),
            }
            if group.get(value) == Some(&0) {
                group.remove(value);
            }
            self.changed.entry(*slot).or_default().insert(value.into());
        }
        Ok(())
    }

    /// Folds a group of another table of the same call in.
    pub(super) fn merge(&mut self, slot: Slot, other: &Multisets, from: Slot) {
        let group = &mut self.groups[slot as usize];
        for (value, count) in &other.groups[from as usize] {
            *group.entry(value.clone()).or_default() += count;
        }
    }

    /// Appends a group's result.
    pub(super) fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
        let group = &self.groups[slot as usize];
        let value = match self.function {
            AggregateFunction::Count => {
                out.append_i64(group.len() as i64);
                return Ok(());
            }
            AggregateFunction::Sum => return self.append_sum(group, out),
            AggregateFunction::Min => group.first_key_value(),
            _ => group.last_key_value(),
        };
        match value {
            None => out.append_null(),
            Some((value, _)) => append_value(&*self.codec.decode([&**value].into_iter())?[0], out),
        }
        Ok(())
    }

    /// The sum of the distinct values.
    fn append_sum(
        &self,
        group: &BTreeMap<Box<[u8]>, i64>,
        out: &mut ColumnBuilder,
    ) -> Result<(), OperatorError> {
        if group.is_empty() {
            out.append_null();
            return Ok(());
        }
        let values = &self.codec.decode(group.keys().map(|value| &**value))?[0];
        let values = arrow::compute::cast(values, &self.result_type)?;
        match &self.result_type {
            DataType::Float64 => out.append_f64(values.as_primitive::<Float64Type>().values().iter().sum()),
            DataType::Decimal128(_, _) => {
                let values = values.as_primitive::<Decimal128Type>().values();
                out.append_i128(values.iter().fold(0, |sum: i128, value| sum.wrapping_add(*value)));
            }
            _ => {
                let values = values.as_primitive::<Int64Type>().values();
                out.append_i64(values.iter().fold(0, |sum: i64, value| sum.wrapping_add(*value)));
            }
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
        let group = &mut self.groups[slot as usize];
        let mut corrupt = false;
        state.scan(store, group_key, prefix_end(group_key).as_deref(), |key, count| {
            match count.try_into() {
                Ok(count) => drop(group.insert(key[group_key.len()..].into(), i64::from_le_bytes(count))),
                Err(_) => corrupt = true,
            }
            ControlFlow::Continue(())
        })?;
        if corrupt {
            let (operator, detail) = ("multiset".to_owned(), "a count of another size".to_owned());
            return Err(OperatorError::CorruptState { operator, detail });
        }
        Ok(())
    }

    /// Writes the values that changed, for groups given by slot and stored key.
    pub(super) fn delta<'k>(
        &mut self,
        store: u16,
        groups: impl Iterator<Item = (Slot, &'k [u8])>,
        out: &mut DeltaScope<'_>,
    ) {
        let block = out.block(store);
        for (slot, group_key) in groups {
            for value in self.changed.remove(&slot).unwrap_or_default() {
                let key = [group_key, &value].concat();
                match self.groups[slot as usize].get(&value) {
                    Some(count) => block.put(&key, &count.to_le_bytes()),
                    None => block.delete(&key),
                }
            }
        }
    }

    /// Deletes all values of a group from its store.
    pub(super) fn delete_group(&self, slot: Slot, store: u16, group_key: &[u8], out: &mut DeltaScope<'_>) {
        // Values that went since the last delta are still in the store.
        let gone = self.changed.get(&slot).into_iter().flatten();
        let values: BTreeSet<&[u8]> =
            self.groups[slot as usize].keys().chain(gone).map(|value| &**value).collect();
        let block = out.block(store);
        for value in values {
            block.delete(&[group_key, value].concat());
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let sets: usize = self.groups.iter().map(|group| group.len() * 64).sum();
        sets + self.groups.capacity() * size_of::<BTreeMap<Box<[u8]>, i64>>()
    }
}

/// Appends the one value of an array.
fn append_value(array: &dyn Array, out: &mut ColumnBuilder) {
    use arrow::datatypes as dt;
    match array.data_type() {
        DataType::Boolean => out.append_bool(array.as_boolean().value(0)),
        DataType::Utf8 => out.append_bytes(array.as_string::<i32>().value(0).as_bytes()),
        DataType::Binary => out.append_bytes(array.as_binary::<i32>().value(0)),
        DataType::Float32 => out.append_f64(array.as_primitive::<dt::Float32Type>().value(0).into()),
        DataType::Float64 => out.append_f64(array.as_primitive::<Float64Type>().value(0)),
        DataType::Decimal128(_, _) => out.append_i128(array.as_primitive::<Decimal128Type>().value(0)),
        _ => {
            let lane = super::lane::Lane::new(Some(&arrow::array::make_array(array.to_data())), None);
            match lane.as_ref().map(super::lane::Lane::values) {
                Ok(super::lane::LaneValues::I64(values)) => out.append_i64(values[0]),
                _ => out.append_null(),
            }
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
