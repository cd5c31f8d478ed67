//! State by key, as a function declares it: live Rust values, encoded once per commit in which they changed.

use super::{ListState, MapState, ReducingState, ValueState};
use crate::OperatorError;
use crate::batch::EventTime;
use crate::keys::Slot;
use crate::kit::state::{KeyedState, Stored};
use crate::kit::timers::Timers;
use crate::operator::{BuildCx, DeltaScope, StateScope, StoreSpec};
use crate::typed::Row;
use crate::typed::exchange::{Live, write_row};
use millstream_state::BytesColumn;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::output::{Side, SideRows};

/// What a function keeps, declared as it is made: each state and each side output by a name of its own.
///
/// State is found again by where it stands among the function's states and by its type: add new ones behind the others.
pub struct States {
    pub(super) made: Vec<Box<dyn AnyState>>,
    pub(super) sides: Vec<Box<dyn SideRows>>,
    ttl_ms: Option<i64>,
    build: BuildCx,
    /// Whose states they are, for messages.
    operator: String,
}

impl Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.made.iter().map(|state| state.name())).finish()
    }
}

impl States {
    pub(super) fn new(build: BuildCx, operator: String) -> Self {
        States { made: Vec::new(), sides: Vec::new(), ttl_ms: None, build, operator }
    }

    /// Lets the state that is declared next expire: the value of a key goes this long after the event time of the row that
    /// last changed it, when the watermark gets there.
    pub fn expire_after(&mut self, ttl: Duration) -> &mut Self {
        self.ttl_ms = Some(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        self
    }

    /// One value by key.
    pub fn value<V: Row>(&mut self, name: &str) -> ValueState<V> {
        ValueState { at: self.keep::<V>(name), of: PhantomData }
    }

    /// A list by key. It is written whole when it changes.
    pub fn list<V: Row>(&mut self, name: &str) -> ListState<V> {
        ListState { at: self.keep::<Vec<V>>(name), of: PhantomData }
    }

    /// A map by key, in the order of its own keys. It is written whole when it changes: one of thousands of entries is
    /// better a key of the stream.
    pub fn map<M: Row + Ord, V: Row>(&mut self, name: &str) -> MapState<M, V> {
        MapState { at: self.keep::<BTreeMap<M, V>>(name), of: PhantomData }
    }

    /// One value by key, to which others are added by a function.
    pub fn reducing<V: Row>(
        &mut self,
        name: &str,
        f: impl Fn(V, V) -> V + Send + Sync + 'static,
    ) -> ReducingState<V> {
        ReducingState { at: self.keep::<V>(name), f: Arc::new(f) }
    }

    /// A side output: rows of another type, read with [`super::Sides::get`].
    pub fn side<S: Row>(&mut self, name: &str) -> Side<S> {
        let side = Side::new(name, self.sides.len());
        self.sides.push(side.rows());
        side
    }

    fn keep<V: Row>(&mut self, name: &str) -> usize {
        // The first store has the timers.
        let store = 1 + self.made.len() as u16;
        let state = KeyedState::new(format!("{}, state {name}", self.operator), store, &self.build);
        self.made.push(Box::new(Kept::<V> { name: name.to_owned(), state, ttl_ms: self.ttl_ms.take() }));
        self.made.len() - 1
    }

    /// Whether some state expires.
    pub(super) fn expires(&self) -> bool {
        self.made.iter().any(|state| state.expires())
    }
}

/// A value, and when it goes.
pub(super) struct Aged<V> {
    value: V,
    until: EventTime,
}

impl<V: Row> Stored for Aged<V> {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let (until, value) = bytes.split_first_chunk().ok_or("a value without a time")?;
        let Live(value) = Live::read(value)?;
        Ok(Aged { value, until: EventTime::from_le_bytes(*until) })
    }

    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        scratch.extend(self.until.to_le_bytes());
        write_row(&self.value, scratch)?;
        Ok(scratch)
    }

    fn differs(&self, bytes: &[u8]) -> Option<String> {
        let is = format!("{:?}", self.value);
        let read = Aged::<V>::read(bytes).map_or_else(|error| error, |read| format!("{:?}", read.value));
        let detail = || format!("a value does not survive its own encoding: {is} is read back as {read}");
        (is != read).then(detail)
    }
}

/// What stands in a state of a function, or in the store of a fold: for tests.
///
/// # Errors
/// What is wrong with the bytes.
#[doc(hidden)]
pub fn stored_value<V: Row>(spec: &StoreSpec, bytes: &[u8]) -> Result<V, String> {
    match spec.schema.starts_with(SCHEMA) {
        true => Aged::read(bytes).map(|aged| aged.value),
        false => Live::read(bytes).map(|Live(value)| value),
    }
}

/// How the schema of a state begins.
pub(super) const SCHEMA: &str = "key -> until ms, ";

/// A state of a function.
pub(super) struct Kept<V> {
    name: String,
    state: KeyedState<Aged<V>>,
    ttl_ms: Option<i64>,
}

impl<V: Row> Kept<V> {
    pub(super) fn get(&self, slot: Slot) -> Option<&V> {
        self.state.get(slot).map(|aged| &aged.value)
    }

    /// Changes the value of a key at a time; gives the moment at which it has to be looked whether it has expired.
    pub(super) fn change<R>(
        &mut self,
        slot: Slot,
        time: EventTime,
        f: impl FnOnce(&mut Option<V>) -> R,
    ) -> (R, Option<EventTime>) {
        let cell = self.state.change(slot).value;
        let (mut value, before) = match cell.take() {
            Some(Aged { value, until }) => (Some(value), Some(until)),
            None => (None, None),
        };
        let result = f(&mut value);
        let until = self.ttl_ms.map_or(EventTime::MAX, |ttl_ms| time.saturating_add(ttl_ms));
        let until = before.map_or(until, |before| before.max(until));
        let begins = value.is_some() && before.is_none() && self.ttl_ms.is_some();
        *cell = value.map(|value| Aged { value, until });
        (result, begins.then_some(until))
    }
}

/// A [`Kept`] whose type is erased.
pub(super) trait AnyState: Send {
    fn name(&self) -> &str;
    /// What its values are.
    fn schema(&self) -> &'static str;
    fn expires(&self) -> bool;
    fn load(&mut self, keys: &BytesColumn, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError>;
    fn load_one(&mut self, key: &[u8], state: &mut StateScope<'_>) -> Result<Slot, OperatorError>;
    /// Lets go of the value of a key if its time has come, or sets another timer.
    fn expire(
        &mut self,
        time: EventTime,
        timer: &[u8],
        timers: &mut Timers,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError>;
    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError>;
    fn evict(&mut self);
    fn memory_bytes(&self) -> usize;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<V: Row> AnyState for Kept<V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &'static str {
        std::any::type_name::<V>()
    }

    fn expires(&self) -> bool {
        self.ttl_ms.is_some()
    }

    fn load(&mut self, keys: &BytesColumn, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        self.state.load(keys, state)
    }

    fn load_one(&mut self, key: &[u8], state: &mut StateScope<'_>) -> Result<Slot, OperatorError> {
        self.state.load_one(key, state)
    }

    fn expire(
        &mut self,
        time: EventTime,
        timer: &[u8],
        timers: &mut Timers,
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        let slot = self.state.load_one(timer.get(2..).unwrap_or_default(), state)?;
        match self.state.get(slot).map(|aged| aged.until) {
            Some(until) if until <= time => *self.state.change(slot).value = None,
            Some(until) => timers.set(until, timer),
            None => {}
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.state.delta(out)
    }

    fn evict(&mut self) {
        self.state.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.state.memory_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

const FOREIGN: &str = "a function uses a state or a side output that was declared for another";

pub(super) fn known<T: 'static>(any: &dyn Any) -> &T {
    any.downcast_ref().expect(FOREIGN)
}

pub(super) fn known_mut<T: 'static>(any: &mut dyn Any) -> &mut T {
    any.downcast_mut().expect(FOREIGN)
}

/// The bytes of a timer: whose it is (0: the function, else the state with the number before it), and the key.
pub(super) fn timer_of(whose: u16, key: &[u8]) -> Vec<u8> {
    [&whose.to_be_bytes(), key].concat()
}
