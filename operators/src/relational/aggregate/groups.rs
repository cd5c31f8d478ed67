//! Groups of an aggregation: their keys, their slots, and the aggregates over them.

mod stored;

use super::accumulator::Accumulator;
use super::distinct::{DistinctSet, SharedBy};
use super::lane::Lane;
use super::multiset::Multisets;
use super::over::{Step, StepKind};
use super::own::Own;
use super::{AggregateCall, AggregateFunction as F};
use crate::OperatorError;
use crate::batch::StreamKind;
use crate::columns::ColumnBuilder;
use crate::keys::{Slot, SlotTable};
use crate::operator::StateScope;
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use millstream_state::BytesColumn;

/// The store with the groups; multisets follow it.
pub(super) const GROUPS: u16 = 0;

/// The groups of an aggregation without a window, or of one pane of a windowed one.
#[derive(Debug)]
pub(super) struct GroupTable {
    pub(super) slots: SlotTable,
    /// Rows in each group: it exists while there are any.
    pub(super) rows: Vec<i64>,
    aggregates: Vec<GroupAggregate>,
    /// Where distinct values are found out once for all calls, which then only see rows with new ones.
    sets: Vec<DistinctSet>,
    /// Slots touched since the last delta, in the order of first touch.
    pub(super) touched: Vec<Slot>,
    is_touched: Vec<bool>,
    /// Whether the group's last commit is in the store.
    pub(super) stored: Vec<bool>,
    /// Commits that touched the group since it came into memory or was kept in it, up to [`HOT`].
    uses: Vec<u8>,
}

/// Commits after which a group is worth keeping in memory.
const HOT: u8 = 2;

#[derive(Debug)]
enum GroupAggregate {
    Plain(Accumulator),
    Own(Own),
    /// With the store that holds it.
    Multiset(Multisets, u16),
}

/// A batch's columns, as the aggregates take them.
pub(super) struct Arguments<'a> {
    columns: &'a RecordBatch,
    lanes: Vec<Lane>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(calls: &[AggregateCall], columns: &'a RecordBatch) -> Result<Self, OperatorError> {
        let lane = |call: &AggregateCall| {
            let filter = call.filter.map(|column| columns.column(column).as_boolean());
            let column = call.argument.map(|column| columns.column(column));
            // A multiset looks at the column itself.
            match call.function {
                F::Count | F::Of(_) => Ok(Lane::of_rows(column, filter)),
                _ => Lane::new(column, filter),
            }
        };
        Ok(Arguments { columns, lanes: calls.iter().map(lane).collect::<Result<_, _>>()? })
    }

    /// The values of a call that keeps them, or makes something of its own of them, and which of them count.
    fn of(&self, call: &AggregateCall) -> (&'a ArrayRef, Option<&'a BooleanArray>) {
        let column = |index: usize| self.columns.column(index);
        let values = call.argument.map(column).expect("a call that has been checked is of values");
        (values, call.filter.map(|at| column(at).as_boolean()))
    }
}

impl GroupTable {
    /// A table whose groups can be merged: each keeps all it has of its distinct values.
    pub(super) fn new(calls: &[AggregateCall], input: StreamKind, hash_seed: u64) -> Self {
        Self::with_sets(calls, input, &[], hash_seed)
    }

    /// A table that finds out in these sets which rows of their calls count.
    pub(super) fn with_sets(
        calls: &[AggregateCall],
        input: StreamKind,
        sets: &[SharedBy],
        hash_seed: u64,
    ) -> Self {
        let mut store = GROUPS;
        let mut next_store = || {
            store += 1;
            store
        };
        let mut aggregate = |(index, call): (usize, &AggregateCall)| {
            if call.needs_multiset(input) && !sets.iter().any(|set| set.calls.contains(&index)) {
                GroupAggregate::Multiset(Multisets::new(call), next_store())
            } else if let Some(states) = call.states(input) {
                GroupAggregate::Own(Own::new(call, states))
            } else {
                GroupAggregate::Plain(Accumulator::new(call))
            }
        };
        GroupTable {
            aggregates: calls.iter().enumerate().map(&mut aggregate).collect(),
            sets: sets
                .iter()
                .map(|by| DistinctSet::new(by.clone(), calls, next_store(), hash_seed))
                .collect(),
            slots: SlotTable::with_seed(hash_seed),
            rows: Vec::new(),
            touched: Vec::new(),
            is_touched: Vec::new(),
            stored: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// Slots for a column of keys; new ones are listed in `new`.
    pub(super) fn intern(&mut self, keys: &BytesColumn, slots: &mut Vec<Slot>, new: &mut Vec<Slot>) {
        self.slots.find_or_insert_all(keys, slots, new);
        self.resize();
    }

    /// The slot of one key, and whether it is new.
    pub(super) fn intern_one(&mut self, key: &[u8]) -> (Slot, bool) {
        let found = self.slots.find_or_insert(key);
        self.resize();
        found
    }

    fn resize(&mut self) {
        let count = self.slots.slot_count();
        if self.rows.len() < count {
            self.rows.resize(count, 0);
            self.is_touched.resize(count, false);
            self.stored.resize(count, false);
            self.uses.resize(count, 0);
            for aggregate in &mut self.aggregates {
                match aggregate {
                    GroupAggregate::Plain(accumulator) => accumulator.resize(count),
                    GroupAggregate::Own(own) => own.states.resize(count),
                    GroupAggregate::Multiset(multisets, _) => multisets.resize(count),
                }
            }
            self.sets.iter_mut().for_each(|set| set.resize(count));
        }
    }

    /// Marks slots as touched; calls `first` for each that was not, before anything is folded in.
    pub(super) fn touch(
        &mut self,
        slots: &[Slot],
        mut first: impl FnMut(&Self, Slot) -> Result<(), OperatorError>,
    ) -> Result<(), OperatorError> {
        for slot in slots {
            if !self.is_touched[*slot as usize] {
                first(self, *slot)?;
                self.is_touched[*slot as usize] = true;
                let uses = &mut self.uses[*slot as usize];
                *uses = (*uses + 1).min(HOT);
                self.touched.push(*slot);
            }
        }
        Ok(())
    }

    /// Keeps, for the calls that have a set, the rows whose values are new to their groups.
    pub(super) fn keep_first_rows(
        &mut self,
        slots: &[Slot],
        calls: &[AggregateCall],
        arguments: &mut Arguments<'_>,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let group_slots = &self.slots;
        for set in &mut self.sets {
            let group_key = |slot: Slot| group_slots.key(slot);
            for (call, rows) in set.first_rows(slots, calls, arguments.columns, group_key, state)? {
                arguments.lanes[call].keep(rows);
            }
        }
        Ok(())
    }

    /// Folds rows in.
    pub(super) fn update(
        &mut self,
        slots: &[Slot],
        calls: &[AggregateCall],
        arguments: &Arguments<'_>,
        signs: Option<&[i8]>,
    ) -> Result<(), OperatorError> {
        match signs {
            None => slots.iter().for_each(|slot| self.rows[*slot as usize] += 1),
            Some(signs) => {
                let signed = slots.iter().zip(signs);
                signed.for_each(|(slot, sign)| self.rows[*slot as usize] += i64::from(*sign));
            }
        }
        for ((aggregate, call), lane) in self.aggregates.iter_mut().zip(calls).zip(&arguments.lanes) {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.update(slots, lane, signs),
                GroupAggregate::Own(own) => {
                    let (values, filter) = arguments.of(call);
                    own.update(slots, values, filter, signs)?;
                }
                GroupAggregate::Multiset(multisets, _) => {
                    let (values, filter) = arguments.of(call);
                    multisets.update(slots, values, filter, signs)?;
                }
            }
        }
        Ok(())
    }

    /// Goes through steps, whose results are appended, one to each builder.
    pub(super) fn run(
        &mut self,
        steps: &[Step],
        calls: &[AggregateCall],
        arguments: &Arguments<'_>,
        out: &mut [ColumnBuilder],
    ) -> Result<(), OperatorError> {
        for step in steps.iter().filter(|step| step.kind != StepKind::Result) {
            self.rows[step.slot as usize] += i64::from(step.sign());
        }
        let lanes = calls.iter().zip(&arguments.lanes);
        for ((aggregate, (call, lane)), out) in self.aggregates.iter_mut().zip(lanes).zip(out) {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.run(steps, lane, out),
                GroupAggregate::Own(own) => {
                    let (values, filter) = arguments.of(call);
                    for step in steps {
                        if step.kind == StepKind::Result {
                            own.append_result(step.slot, out)?;
                            continue;
                        }
                        let value = values.slice(step.at(), 1);
                        let filter = filter.map(|filter| filter.slice(step.at(), 1));
                        own.update(&[step.slot], &value, filter.as_ref(), Some(&[step.sign()]))?;
                    }
                }
                GroupAggregate::Multiset(multisets, _) => {
                    let (values, filter) = arguments.of(call);
                    for step in steps {
                        if step.kind == StepKind::Result {
                            multisets.append_result(step.slot, out)?;
                            continue;
                        }
                        let value = values.slice(step.at(), 1);
                        let filter = filter.map(|filter| filter.slice(step.at(), 1));
                        multisets.update(&[step.slot], &value, filter.as_ref(), Some(&[step.sign()]))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Folds a group of another table of the same aggregation in, to be read once.
    pub(super) fn merge(&mut self, slot: Slot, other: &GroupTable, from: Slot) -> Result<(), OperatorError> {
        self.merge_from(slot, other, from, false)
    }

    fn merge_from(
        &mut self,
        slot: Slot,
        other: &GroupTable,
        from: Slot,
        keep: bool,
    ) -> Result<(), OperatorError> {
        self.rows[slot as usize] += other.rows[from as usize];
        for (aggregate, other) in self.aggregates.iter_mut().zip(&other.aggregates) {
            match (aggregate, other) {
                (GroupAggregate::Plain(accumulator), GroupAggregate::Plain(other)) => {
                    accumulator.merge(slot, other, from);
                }
                (GroupAggregate::Own(own), GroupAggregate::Own(other)) => own.merge(slot, other, from)?,
                (GroupAggregate::Multiset(multisets, _), GroupAggregate::Multiset(other, _)) => {
                    multisets.merge(slot, other, from, keep)?;
                }
                _ => unreachable!("tables of one aggregation have the same aggregates"),
            }
        }
        Ok(())
    }

    /// Appends a group's results, one to each builder.
    pub(super) fn append_results(&self, slot: Slot, out: &mut [ColumnBuilder]) -> Result<(), OperatorError> {
        for (aggregate, out) in self.aggregates.iter().zip(out) {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.append_result(slot, out),
                GroupAggregate::Own(own) => own.append_result(slot, out)?,
                GroupAggregate::Multiset(multisets, _) => multisets.append_result(slot, out)?,
            }
        }
        Ok(())
    }

    /// Lets go of the groups that few commits have touched; all of them are in the store. `empty` is a table of the
    /// same aggregation. Where most are in use, or an aggregate keeps more than numbers, all go.
    pub(super) fn evict(&mut self, empty: GroupTable) {
        let hot = |slot: &Slot| self.uses[*slot as usize] == HOT && self.stored[*slot as usize];
        let hot: Vec<Slot> = (0..self.slots.slot_count() as Slot).filter(hot).collect();
        let cold = std::mem::replace(self, empty);
        let is_plain = cold.aggregates.iter().all(|it| matches!(it, GroupAggregate::Plain(_)));
        if !is_plain || hot.len() > cold.slots.slot_count() / 2 {
            return;
        }
        let mut value = Vec::new();
        for from in hot {
            value.clear();
            cold.encode_plain(from, &mut value);
            let (slot, _) = self.intern_one(cold.slots.key(from));
            self.decode(slot, &value).expect("what was encoded is decoded");
            self.sets.iter_mut().for_each(|set| set.is_stored(slot));
            (self.stored[slot as usize], self.uses[slot as usize]) = (true, HOT - 1);
        }
    }

    fn forget(&mut self, slot: Slot) {
        self.slots.remove(slot);
        (self.rows[slot as usize], self.uses[slot as usize]) = (0, 0);
        for aggregate in &mut self.aggregates {
            match aggregate {
                GroupAggregate::Plain(accumulator) => accumulator.reset(slot),
                GroupAggregate::Own(own) => own.states.reset(slot),
                GroupAggregate::Multiset(multisets, _) => multisets.reset(slot),
            }
        }
    }

    /// Folds one of its groups into another, which is kept; the first is left as it is.
    pub(super) fn merge_within(
        &mut self,
        slot: Slot,
        from: Slot,
        mut empty: GroupTable,
    ) -> Result<(), OperatorError> {
        let (copy, _) = empty.intern_one(&[]);
        empty.merge(copy, self, from)?;
        self.merge_from(slot, &empty, copy, true)
    }

    /// The value that a call picked (`MIN`, `MAX`, ..) of integers or times.
    pub(super) fn picked_i64(&self, call: usize, slot: Slot) -> Option<i64> {
        match self.aggregates.get(call) {
            Some(GroupAggregate::Plain(Accumulator::PickI64(_, values))) => values[slot as usize],
            _ => None,
        }
    }

    /// The slots that have seen rows.
    pub(super) fn used_slots(&self) -> impl Iterator<Item = Slot> {
        (0..self.slots.slot_count() as Slot).filter(|slot| self.rows[*slot as usize] != 0)
    }

    /// The slots that have rows, in key order.
    pub(super) fn slots_by_key(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.used_slots().filter(|slot| self.rows[*slot as usize] > 0).collect();
        slots.sort_unstable_by(|a, b| self.slots.key(*a).cmp(self.slots.key(*b)));
        slots
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let aggregates = self.aggregates.iter().map(|aggregate| match aggregate {
            GroupAggregate::Plain(accumulator) => accumulator.memory_bytes(),
            GroupAggregate::Own(own) => own.states.memory_bytes(),
            GroupAggregate::Multiset(multisets, _) => multisets.memory_bytes(),
        });
        let sets = self.sets.iter().map(DistinctSet::memory_bytes);
        self.slots.memory_bytes()
            + self.rows.capacity() * 11
            + aggregates.sum::<usize>()
            + sets.sum::<usize>()
    }
}

/// Builders for the results of calls.
pub(super) fn result_builders(calls: &[AggregateCall]) -> Vec<ColumnBuilder> {
    let builder = |call: &AggregateCall| ColumnBuilder::new(&call.data_type()).expect("the call was checked");
    calls.iter().map(builder).collect()
}

/// The columns of builders.
pub(super) fn finish_all(builders: &mut [ColumnBuilder]) -> Vec<ArrayRef> {
    builders.iter_mut().map(ColumnBuilder::finish).collect()
}
