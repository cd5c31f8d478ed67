//! What operators over tables are made of: their place in the plan, the changes that they emit, and what they know of a
//! key since the last commit.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, Payload, StreamKind};
use crate::keys::Slot;
use crate::kit::state::KeyedState;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, StoreSpec};
use crate::topology::{NodeId, NodeSpec};
use crate::typed::exchange::Live;
use crate::typed::table::Entry;
use crate::typed::{Key, Program, Row};
use millstream_state::BytesColumn;
use std::fmt::Debug;
use std::sync::Arc;

/// Makes the operator of one task.
pub(in crate::typed) type Build = Arc<dyn Fn(&BuildCx) -> Box<dyn Operator> + Send + Sync>;

/// An operator over tables, as the plan has it.
pub(in crate::typed) struct OverTables {
    /// What it is called.
    pub(in crate::typed) what: &'static str,
    /// What it does, in full: types, for closures can't be compared.
    pub(in crate::typed) detail: String,
    /// What its inputs have to be.
    pub(in crate::typed) inputs: Vec<StreamKind>,
    pub(in crate::typed) output: StreamKind,
    /// Names of its stores, and what is in them.
    pub(in crate::typed) stores: Vec<(&'static str, String)>,
    /// Whether rows of its inputs meet by their keys.
    pub(in crate::typed) by_key: bool,
    pub(in crate::typed) build: Build,
}

impl OverTables {
    /// Adds it to a program.
    pub(in crate::typed) fn add(self, program: &Program, inputs: &[NodeId]) -> NodeId {
        let name = self.what.to_lowercase();
        self.add_as(&name, program, inputs)
    }

    /// Adds it to a program under a name.
    pub(in crate::typed) fn add_as(self, name: &str, program: &Program, inputs: &[NodeId]) -> NodeId {
        program.add(name, NodeSpec::Operator(Arc::new(self)), inputs)
    }
}

impl Debug for OverTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.detail)
    }
}

impl OperatorSpec for OverTables {
    fn describe(&self) -> Description {
        Description::new(self.what, &self.detail)
    }

    /// Closures can't be compared: types say all that is known.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let store =
            |(name, schema): &(&str, String)| StoreSpec { name: (*name).to_owned(), schema: schema.clone() };
        self.stores.iter().map(store).collect()
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match self.inputs == inputs {
            true => Ok(self.output),
            false => Err(format!("{} takes {:?}, and its inputs are {inputs:?}", self.what, self.inputs)),
        }
    }

    fn brings_together(&self) -> bool {
        self.by_key
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok((self.build)(cx))
    }
}

/// The name of a type, as plans have it.
pub(in crate::typed) fn type_of<T>() -> &'static str {
    std::any::type_name::<T>()
}

/// Changes about to be emitted: rows with their keys, times and signs.
pub(in crate::typed) struct Changes<R> {
    rows: Vec<R>,
    keys: BytesColumn,
    times: Vec<EventTime>,
    signs: Vec<i8>,
}

impl<R> Default for Changes<R> {
    fn default() -> Self {
        Changes { rows: Vec::new(), keys: BytesColumn::default(), times: Vec::new(), signs: Vec::new() }
    }
}

impl<R: Clone + Send + Debug + 'static> Changes<R> {
    pub(in crate::typed) fn push(&mut self, row: R, key: &[u8], time: EventTime, sign: i8) {
        self.rows.push(row);
        self.keys.push(key);
        self.times.push(time);
        self.signs.push(sign);
    }

    pub(in crate::typed) fn emit(self, cx: &mut Cx<'_>) {
        let Changes { rows, keys, times, signs } = self;
        let batch = Batch::new(Payload::Rows(Box::new(rows)), times.into(), Ops::from_signs(signs));
        cx.emit(Batch { keys: Some(Arc::new(keys)), ..batch });
    }
}

impl<K, A> Changes<Entry<K, A>>
where
    Entry<K, A>: Clone + Send + Debug + 'static,
{
    /// A key's value, or that it has gone.
    pub(in crate::typed) fn entry(&mut self, entry: Entry<K, A>, key: &[u8], time: EventTime) {
        let sign = if entry.value.is_some() { 1 } else { -1 };
        self.push(entry, key, time, sign);
    }
}

/// By slot: what is known of a key since it first changed after the last commit, and the latest time of its changes.
pub(in crate::typed) struct Since<W>(Vec<(W, EventTime)>);

impl<W> Default for Since<W> {
    fn default() -> Self {
        Since(Vec::new())
    }
}

impl<W: Default> Since<W> {
    /// Notes a change: `first` is what is to be known, asked when it is the first one.
    pub(in crate::typed) fn note(&mut self, slot: Slot, time: EventTime, first: Option<W>) {
        let slot = slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || (W::default(), EventTime::MIN));
        }
        let (known, latest) = &mut self.0[slot];
        match first {
            Some(first) => (*known, *latest) = (first, time),
            None => *latest = (*latest).max(time),
        }
    }

    /// What is known of a slot that changed.
    pub(in crate::typed) fn of(&mut self, slot: Slot) -> (&mut W, EventTime) {
        let (known, latest) = &mut self.0[slot as usize];
        (known, *latest)
    }

    pub(in crate::typed) fn evict(&mut self) {
        self.0 = Vec::new();
    }

    pub(in crate::typed) fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(W, EventTime)>()
    }
}

/// A value by key in the store 0 of an operator, and what is known of the keys that changed since the last commit.
pub(in crate::typed) struct Values<V, W> {
    /// The operator, for people.
    operator: &'static str,
    pub(in crate::typed) state: KeyedState<Live<V>>,
    pub(in crate::typed) since: Since<W>,
}

impl<V: Row, W: Default> Values<V, W> {
    pub(in crate::typed) fn new(operator: &'static str, cx: &BuildCx) -> Self {
        Values { operator, state: KeyedState::new(operator, 0, cx), since: Since::default() }
    }

    /// Reads a key that is stored.
    pub(in crate::typed) fn read_key<K: Key>(&self, bytes: &[u8]) -> Result<K, OperatorError> {
        K::read(bytes).ok_or_else(|| corrupt_key::<K>(self.operator, bytes))
    }

    /// Emits, of every key that changed since the last commit, what it comes to. `outcome` gives whether it came to something
    /// before, and what it comes to now; `None` where nothing has changed that others see.
    pub(in crate::typed) fn emit<K: Key, U: Row>(
        &mut self,
        cx: &mut Cx<'_>,
        outcome: impl Fn(Option<&V>, &W) -> Option<(bool, Option<U>)>,
    ) -> Result<(), OperatorError> {
        let mut changes = Changes::default();
        for slot in self.state.touched() {
            let bytes = self.state.key(*slot);
            let (known, time) = self.since.of(*slot);
            let Some((had, value)) = outcome(self.state.get(*slot).map(|Live(value)| value), known) else {
                continue;
            };
            if value.is_some() || had {
                changes.entry(Entry { key: self.read_key::<K>(bytes)?, value }, bytes, time);
            }
        }
        changes.emit(cx);
        Ok(())
    }

    pub(in crate::typed) fn evict(&mut self) {
        self.state.evict();
        self.since.evict();
    }

    pub(in crate::typed) fn memory_bytes(&self) -> usize {
        self.state.memory_bytes() + self.since.memory_bytes()
    }
}

/// A stored key that can't be read.
pub(in crate::typed) fn corrupt_key<K>(operator: &str, key: &[u8]) -> OperatorError {
    let detail = format!("{key:02x?} is no {}", type_of::<K>());
    OperatorError::CorruptState { operator: operator.to_owned(), detail }
}
