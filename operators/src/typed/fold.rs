//! Folding the rows of each key into one value.

use super::exchange::Live;
use super::key::Key;
use super::table::Entry;
use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload, StreamKind};
use crate::kit::state::KeyedState;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StoreSpec};
use millstream_state::BytesColumn;
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

    /// Closures can't be compared: types say all that is known.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
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
        let state = KeyedState::new(self.what, VALUES, cx);
        let (fold, key) = (Arc::clone(&self.fold), PhantomData::<fn() -> K>);
        Ok(Box::new(Folding { what: self.what, fold, state, times: Vec::new(), key }))
    }
}

struct Folding<K, T, A> {
    what: &'static str,
    fold: FoldRow<T, A>,
    state: KeyedState<Live<A>>,
    /// By slot: the latest time of the rows since the last commit.
    times: Vec<EventTime>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, T: super::Row, A: super::Row> Operator for Folding<K, T, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.state.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        self.times.resize(self.state.slot_count(), EventTime::MIN);
        for ((slot, row), time) in slots.into_iter().zip(batch.into_rows::<T>()?).zip(times.iter()) {
            let change = self.state.change(slot);
            let latest = &mut self.times[slot as usize];
            *latest = if change.is_first { *time } else { (*latest).max(*time) };
            *change.value = Some(Live((self.fold)(change.value.take().map(|Live(value)| value), row)));
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let touched = self.state.touched();
        let mut entries: Vec<Entry<K, A>> = Vec::with_capacity(touched.len());
        let (mut times, mut keys) = (Vec::with_capacity(touched.len()), BytesColumn::default());
        for slot in touched {
            let bytes = self.state.key(*slot);
            let key = K::read(bytes).ok_or_else(|| self.corrupt(bytes))?;
            let value = self.state.get(*slot).map(|Live(value)| value.clone());
            entries.push(Entry { key, value });
            keys.push(bytes);
            times.push(self.times[*slot as usize]);
        }
        let rows = Payload::Rows(Box::new(entries));
        cx.emit(Batch { keys: Some(Arc::new(keys)), ..Batch::new(rows, times.into(), Ops::Append) });
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.state.delta(out)
    }

    fn evict(&mut self) {
        self.state.evict();
        self.times = Vec::new();
    }

    fn memory_bytes(&self) -> usize {
        self.state.memory_bytes() + self.times.capacity() * size_of::<EventTime>()
    }
}

impl<K, T, A> Folding<K, T, A> {
    fn corrupt(&self, key: &[u8]) -> OperatorError {
        let detail = format!("{key:02x?} is no {}", std::any::type_name::<K>());
        OperatorError::CorruptState { operator: self.what.to_owned(), detail }
    }
}
