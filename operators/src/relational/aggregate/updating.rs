//! Aggregation without a window: a table of groups that every row changes.

use super::distinct::{SharedBy, shared};
use super::groups::{Arguments, GroupTable, finish_all, result_builders};
use super::{AggregateCall, ValueOrder};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, StreamKind};
use crate::columns::ColumnBuilder;
use crate::keys::KeyCodec;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, EachRows, Lineage, Operator, OperatorSpec, Port, StateScope,
    StoreSpec,
};
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::interleave;
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Groups rows by their key and emits, once per commit, how the results changed.
///
/// Input: keyed ([`Batch::keys`]), any columns. Output columns: the key columns, then one per call; rows in the order in
/// which groups were first touched since the last commit, an update as `-1` then `+1`, at the latest time of the rows
/// since then. A group whose result did not change emits nothing, unless the output is [`StreamKind::Upsert`]: then the
/// old result is not computed and every touched group is emitted. One without rows goes away.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// The key columns: name and type, as the stream was keyed by.
    pub keys: Vec<(String, DataType)>,
    /// What is computed.
    pub calls: Vec<AggregateCall>,
    /// What the input means.
    pub input: StreamKind,
    /// Whether whoever reads this needs the old rows of updates ([`StreamKind::Changelog`]) or only the new
    /// ([`StreamKind::Upsert`]). Groups of insertions of which nothing is computed are insertions
    /// ([`StreamKind::Append`]): each comes once, and stays.
    pub output: StreamKind,
}

impl Aggregate {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let keys = self.keys.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true));
        let calls = self.calls.iter().map(|call| Field::new(&call.name, call.data_type(), true));
        Arc::new(Schema::new(keys.chain(calls).collect::<Vec<_>>()))
    }
}

/// Stores of an aggregation: its groups, then a multiset for each call that needs one, then these sets.
pub(super) fn stores(
    keys: &[(String, DataType)],
    calls: &[AggregateCall],
    input: StreamKind,
    sets: &[SharedBy],
) -> Vec<StoreSpec> {
    let keys: Vec<String> = keys.iter().map(|(_, data_type)| data_type.to_string()).collect();
    let keys = keys.join(", ");
    let in_set = |index: usize| sets.iter().any(|set| set.calls.contains(&index));
    let (multisets, plain): (Vec<_>, Vec<_>) =
        calls.iter().enumerate().partition(|(index, call)| call.needs_multiset(input) && !in_set(*index));
    let described: Vec<String> =
        plain.iter().map(|(_, call)| format!("{:?} {}", call.function, call.argument_type)).collect();
    let groups = format!("({keys}) -> rows, {}", described.join(", "));
    let mut stores = vec![StoreSpec { name: "groups".to_owned(), schema: groups }];
    for (index, (_, call)) in multisets.into_iter().enumerate() {
        let number = match call.function.order() {
            ValueOrder::Value => "",
            ValueOrder::Arrival => ", number",
        };
        let schema = format!("({keys}), {}{number} -> count", call.argument_type);
        stores.push(StoreSpec { name: format!("values {index}"), schema });
    }
    for (index, set) in sets.iter().enumerate() {
        let value = &calls[set.calls[0]].argument_type;
        let schema = format!("({keys}), {value} -> bits of {} calls", set.calls.len());
        stores.push(StoreSpec { name: format!("distinct {index}"), schema });
    }
    stores
}

pub(super) fn describe(keys: &[(String, DataType)], calls: &[AggregateCall]) -> String {
    let keys: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
    let calls: Vec<String> =
        calls.iter().map(|call| format!("{} as {}", call.describe(), call.name)).collect();
    format!("by ({}): {}", keys.join(", "), calls.join(", "))
}

impl OperatorSpec for Aggregate {
    fn describe(&self) -> Description {
        let output = if self.output == StreamKind::Upsert { ", last values only" } else { "" };
        Description::new("Aggregate", format!("{}{output}", describe(&self.keys, &self.calls)))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        super::meaning(Vec::new(), &self.calls, input, &[])
    }

    fn stores(&self) -> Vec<StoreSpec> {
        stores(&self.keys, &self.calls, self.input, &shared(&self.calls, self.input))
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        check_input(&self.calls, self.input, inputs)?;
        let only_groups = self.calls.is_empty() && !self.keys.is_empty() && self.input == StreamKind::Append;
        if self.output == StreamKind::Append && !only_groups {
            return Err("groups that change are no insertions".to_owned());
        }
        Ok(self.output)
    }

    fn show_state(&self, state: &mut StateScope<'_>, each: EachRows<'_>) -> Result<bool, OperatorError> {
        super::shown::groups(self, state, each).map(|()| true)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let codec = key_codec(&self.keys)?;
        Ok(Box::new(Updating {
            schema: self.schema(),
            calls: self.calls.clone(),
            with_old: self.output != StreamKind::Upsert,
            is_global: self.keys.is_empty(),
            groups: new_groups(&self.calls, self.input, cx.hash_seed),
            before: Before::new(&self.calls),
            times: Vec::new(),
            input: self.input,
            hash_seed: cx.hash_seed,
            codec,
        }))
    }
}

/// Checks that calls can be computed over an input, and that it is the declared one.
pub(super) fn check_input(
    calls: &[AggregateCall],
    declared: StreamKind,
    inputs: &[StreamKind],
) -> Result<(), String> {
    match inputs {
        [StreamKind::Upsert] => {
            Err("an upsert stream has no old rows to take back from an aggregate; normalize it first"
                .to_owned())
        }
        [input] if *input == declared => calls.iter().try_for_each(AggregateCall::check),
        inputs => Err(format!("an aggregate over {declared} can't read {inputs:?}")),
    }
}

pub(super) fn key_codec(keys: &[(String, DataType)]) -> Result<KeyCodec, OperatorError> {
    let types = keys.iter().map(|(_, data_type)| data_type.clone()).collect();
    KeyCodec::new(types).map_err(|_| OperatorError::Mismatch { expected: "key types", found: "others" })
}

pub(super) fn new_groups(calls: &[AggregateCall], input: StreamKind, hash_seed: u64) -> GroupTable {
    GroupTable::with_sets(calls, input, &shared(calls, input), hash_seed)
}

struct Updating {
    schema: SchemaRef,
    calls: Vec<AggregateCall>,
    with_old: bool,
    /// Without keys there is one group, which stays when its last row goes.
    is_global: bool,
    groups: GroupTable,
    before: Before,
    /// Latest event time since the last flush, by slot.
    times: Vec<EventTime>,
    input: StreamKind,
    hash_seed: u64,
    codec: KeyCodec,
}

/// Results of the touched groups as they were emitted last, in the order of first touch.
struct Before {
    results: Vec<ColumnBuilder>,
    existed: Vec<bool>,
}

impl Before {
    fn new(calls: &[AggregateCall]) -> Self {
        Before { results: result_builders(calls), existed: Vec::new() }
    }
}

impl Operator for Updating {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut arguments = Arguments::new(&self.calls, batch.columns()?)?;
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.groups.intern(batch.keys()?, &mut slots, &mut new);
        self.groups.load_all(&new, &mut cx.state)?;
        self.groups.keep_first_rows(&slots, &self.calls, &mut arguments, &mut cx.state)?;

        self.times.resize(self.groups.slots.slot_count(), EventTime::MIN);
        let (Before { results, existed }, times) = (&mut self.before, &mut self.times);
        let (with_old, is_global) = (self.with_old, self.is_global);
        self.groups.touch(&slots, |groups, slot| {
            existed.push(groups.rows[slot as usize] > 0 || (is_global && groups.stored[slot as usize]));
            times[slot as usize] = EventTime::MIN;
            if with_old { groups.append_results(slot, results) } else { Ok(()) }
        })?;
        self.groups.update(&slots, &self.calls, &arguments, batch.ops.signs())?;
        for (slot, time) in slots.iter().zip(batch.times.iter()) {
            let latest = &mut self.times[*slot as usize];
            *latest = (*latest).max(*time);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let touched = &self.groups.touched;
        if touched.is_empty() {
            return Ok(());
        }
        let exists: Vec<bool> =
            touched.iter().map(|slot| self.is_global || self.groups.rows[*slot as usize] > 0).collect();
        let keys = self.codec.decode(touched.iter().map(|slot| self.groups.slots.key(*slot)))?;
        let mut results = result_builders(&self.calls);
        for slot in touched {
            self.groups.append_results(*slot, &mut results)?;
        }
        let after = finish_all(&mut results);
        let times: Vec<EventTime> = touched.iter().map(|slot| self.times[*slot as usize]).collect();
        let existed = std::mem::take(&mut self.before.existed);
        let batch = if self.with_old {
            let before = finish_all(&mut self.before.results);
            self.changes(&keys, &before, &after, &existed, &exists, &times)?
        } else {
            self.last_values(&keys, &after, &existed, &exists, &times)?
        };
        cx.emit(batch);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.groups.delta(self.is_global, &[], out)
    }

    fn evict(&mut self) {
        self.groups.evict(new_groups(&self.calls, self.input, self.hash_seed));
        self.times = Vec::new();
    }

    fn memory_bytes(&self) -> usize {
        self.groups.memory_bytes() + self.times.capacity() * 8
    }
}

impl Updating {
    /// Old rows as `-1`, new rows as `+1`, for the groups that changed.
    fn changes(
        &self,
        keys: &[ArrayRef],
        before: &[ArrayRef],
        after: &[ArrayRef],
        existed: &[bool],
        exists: &[bool],
        times: &[EventTime],
    ) -> Result<Batch, OperatorError> {
        let same = same_rows(before, after, exists.len())?;
        let (mut rows, mut signs, mut row_times) = (Vec::new(), Vec::new(), Vec::new());
        for (row, time) in times.iter().enumerate() {
            if existed[row] && exists[row] && same.value(row) {
                continue;
            }
            let (old, new) = (existed[row].then_some((0, -1)), exists[row].then_some((1, 1)));
            for (side, sign) in [old, new].into_iter().flatten() {
                rows.push((side, row));
                signs.push(sign);
                row_times.push(*time);
            }
        }
        let mut columns = Vec::with_capacity(keys.len() + after.len());
        for key in keys {
            columns.push(interleave(&[key.as_ref(), key.as_ref()], &rows)?);
        }
        for (before, after) in before.iter().zip(after) {
            columns.push(interleave(&[before.as_ref(), after.as_ref()], &rows)?);
        }
        let columns =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &with_rows(rows.len()))?;
        Ok(Batch::changes(columns, row_times, Ops::from_signs(signs)))
    }

    /// The touched groups as they are now: `+1`, or `-1` when they are gone.
    fn last_values(
        &self,
        keys: &[ArrayRef],
        after: &[ArrayRef],
        existed: &[bool],
        exists: &[bool],
        times: &[EventTime],
    ) -> Result<Batch, OperatorError> {
        let columns = keys.iter().chain(after).map(Arc::clone).collect();
        let columns =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &with_rows(times.len()))?;
        let signs = exists.iter().map(|exists| if *exists { 1 } else { -1 }).collect();
        let all = Batch::changes(columns, times.to_vec(), Ops::from_signs(signs));
        // A group that came and went between two commits was never seen.
        let seen: BooleanArray =
            existed.iter().zip(exists).map(|(existed, exists)| Some(*existed || *exists)).collect();
        all.filter(&seen)
    }
}

fn with_rows(rows: usize) -> arrow::array::RecordBatchOptions {
    arrow::array::RecordBatchOptions::new().with_row_count(Some(rows))
}

/// For each row, whether all columns are equal; nulls equal each other.
fn same_rows(before: &[ArrayRef], after: &[ArrayRef], rows: usize) -> Result<BooleanArray, OperatorError> {
    let mut same = BooleanBuffer::new_set(rows);
    for (before, after) in before.iter().zip(after) {
        let (before, after): (&dyn Array, &dyn Array) = (before.as_ref(), after.as_ref());
        same = &same
            & &match before.data_type().is_nested() {
                true => BooleanBuffer::collect_bool(rows, |row| before.slice(row, 1) == after.slice(row, 1)),
                false => not_distinct(&before, &after)?.values().clone(),
            };
    }
    Ok(BooleanArray::new(same, None))
}
