//! Folding the rows of each key into one value.

use super::exchange::write_row;
use super::key::Key;
use super::stream::Entry;
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload, StreamKind};
use crate::keys::{Slot, SlotTable};
use crate::operator::{BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StoreSpec};
use std::marker::PhantomData;
use std::sync::Arc;

/// The store with the value of every key.
const VALUES: u16 = 0;

/// How a row goes into the value of its key: `None` is a key without one.
pub(super) type FoldRow<T, A> = Arc<dyn Fn(Option<A>, T) -> A + Send + Sync>;

/// Keeps one value by key, live in memory and encoded once per commit in which it changed.
///
/// Input: keyed rows of `T`. Output: an upsert stream of [`Entry`]s, once per commit for the keys whose rows came, in the
/// order of first touch.
pub(super) struct Fold<K, T, A> {
    pub(super) what: &'static str,
    pub(super) fold: FoldRow<T, A>,
    pub(super) key: PhantomData<fn() -> K>,
}

impl<K, T, A> std::fmt::Debug for Fold<K, T, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

impl<K: Key, T: super::Row, A: super::Row> OperatorSpec for Fold<K, T, A> {
    fn describe(&self) -> Description {
        let (rows, values) = (std::any::type_name::<T>(), std::any::type_name::<A>());
        Description::new("Fold", format!("{} of {rows} into {values}", self.what))
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let schema = format!("{} -> {}", std::any::type_name::<K>(), std::any::type_name::<A>());
        vec![StoreSpec { name: "values".to_owned(), schema }]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => Ok(StreamKind::Upsert),
            inputs => Err(format!("{} can't take rows back, and its input is {inputs:?}", self.what)),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Folding::<K, T, A> {
            fold: Arc::clone(&self.fold),
            hash_seed: cx.hash_seed,
            keys: SlotTable::with_seed(cx.hash_seed),
            values: Vec::new(),
            times: Vec::new(),
            touched: Vec::new(),
            is_touched: Vec::new(),
            key: PhantomData,
        }))
    }
}

struct Folding<K, T, A> {
    fold: FoldRow<T, A>,
    hash_seed: u64,
    keys: SlotTable,
    values: Vec<Option<A>>,
    times: Vec<EventTime>,
    touched: Vec<Slot>,
    is_touched: Vec<bool>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, T: super::Row, A: super::Row> Operator for Folding<K, T, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.intern(&batch, cx)?;
        let times = batch.times.clone();
        for (row, value) in batch.into_rows::<T>()?.into_iter().enumerate() {
            let slot = slots[row];
            let at = slot as usize;
            self.values[at] = Some((self.fold)(self.values[at].take(), value));
            self.times[at] = self.times[at].max(times[row]);
            if !std::mem::replace(&mut self.is_touched[at], true) {
                self.touched.push(slot);
            }
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut entries: Vec<Entry<K, A>> = Vec::with_capacity(self.touched.len());
        let mut times = Vec::with_capacity(self.touched.len());
        for slot in &self.touched {
            let bytes = self.keys.key(*slot);
            let key = K::read(bytes).ok_or_else(|| corrupt(format!("{bytes:02x?} is no key")))?;
            let value =
                self.values[*slot as usize].clone().ok_or_else(|| corrupt("a touched key".to_owned()))?;
            entries.push(Entry { key, value });
            times.push(self.times[*slot as usize]);
        }
        let rows = Payload::Rows(Box::new(entries));
        let times = times.into();
        cx.emit(Batch::new(rows, times, Ops::Append));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let block = out.block(VALUES);
        let mut bytes = Vec::new();
        for slot in std::mem::take(&mut self.touched) {
            bytes.clear();
            if let Some(value) = &self.values[slot as usize] {
                write_row(value, &mut bytes)?;
                block.put(self.keys.key(slot), &bytes);
            }
            self.is_touched[slot as usize] = false;
        }
        Ok(())
    }

    fn evict(&mut self) {
        self.keys = SlotTable::with_seed(self.hash_seed);
        self.values.clear();
        self.times.clear();
        self.is_touched.clear();
    }

    fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.values.capacity() * size_of::<Option<A>>() + self.times.capacity() * 9
    }
}

impl<K: Key, T: super::Row, A: super::Row> Folding<K, T, A> {
    /// Slots of the batch's keys, with the values of those that are new here read from the store.
    fn intern(&mut self, batch: &Batch, cx: &mut Cx<'_>) -> Result<Vec<Slot>, OperatorError> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.keys.find_or_insert_all(batch.keys()?, &mut slots, &mut new);
        let count = self.keys.slot_count();
        self.values.resize_with(count, || None);
        self.times.resize(count, EventTime::MIN);
        self.is_touched.resize(count, false);
        let keys: Vec<&[u8]> = new.iter().map(|slot| self.keys.key(*slot)).collect();
        let values = &mut self.values;
        let mut failed = None;
        cx.state.get_many(VALUES, &keys, |index, stored| {
            match stored.map(rmp_serde::from_slice).transpose() {
                Ok(value) => values[new[index] as usize] = value,
                Err(error) => failed = Some(error.to_string()),
            }
        })?;
        failed.map_or(Ok(slots), |detail| Err(corrupt(detail)))
    }
}

fn corrupt(detail: String) -> OperatorError {
    OperatorError::CorruptState { operator: "fold".to_owned(), detail }
}
