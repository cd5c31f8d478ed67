//! One value by key: live in memory, read when its key first comes, written once per commit in which it changed.
//!
//! ```text
//! key -> slot -> read what is missing -> change -> delta -> removed keys go -> evict
//! ```
//! What the laws of an operator ask of keyed state is kept here: a delta has each key once, in the order in which keys were
//! first touched since the last commit; a key that has no value leaves neither slot nor stored bytes; memory is counted by
//! the encoded size of the values, as they were last read or written.

use crate::OperatorError;
use crate::keys::{Slot, SlotTable};
use crate::operator::{BuildCx, DeltaScope, StateScope};
use millstream_state::BytesColumn;

/// What a [`KeyedState`] keeps.
pub(crate) trait Stored: Sized {
    /// Reads what [`Stored::bytes`] gave.
    fn read(bytes: &[u8]) -> Result<Self, String>;

    /// The value as bytes, written into `scratch` where they are not at hand.
    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError>;

    /// How the value differs from what is read back of it, where that can be told.
    fn differs(&self, bytes: &[u8]) -> Option<String> {
        let _ = bytes;
        None
    }
}

/// Values by key. See the module's head.
pub(crate) struct KeyedState<V> {
    /// Whose state it is, for messages.
    operator: String,
    store: u16,
    build: BuildCx,
    keys: SlotTable,
    cells: Vec<Cell<V>>,
    touched: Vec<Slot>,
    /// Of all values that are stored or were read.
    value_bytes: usize,
}

struct Cell<V> {
    value: Option<V>,
    /// Length of the value as it is stored, if it is.
    stored: Option<u32>,
    is_touched: bool,
}

impl<V> Default for Cell<V> {
    fn default() -> Self {
        Cell { value: None, stored: None, is_touched: false }
    }
}

/// The value of a key that is about to change.
pub(crate) struct Change<'a, V> {
    /// The value; `None` is a key without one, which leaves nothing behind.
    pub(crate) value: &'a mut Option<V>,
    /// Whether nothing has changed here since the last commit.
    pub(crate) is_first: bool,
}

impl<V: Stored> KeyedState<V> {
    /// State in an operator's `store`.
    pub(crate) fn new(operator: impl Into<String>, store: u16, build: &BuildCx) -> Self {
        KeyedState {
            operator: operator.into(),
            store,
            build: *build,
            keys: SlotTable::with_seed(build.hash_seed),
            cells: Vec::new(),
            touched: Vec::new(),
            value_bytes: 0,
        }
    }

    /// The slots of some keys, whose values are in memory then.
    pub(crate) fn load(
        &mut self,
        keys: &BytesColumn,
        state: &mut StateScope<'_>,
    ) -> Result<Vec<Slot>, OperatorError> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.keys.find_or_insert_all(keys, &mut slots, &mut new);
        self.read(&new, state).map(|()| slots)
    }

    /// The slot of one key, whose value is in memory then.
    pub(crate) fn load_one(&mut self, key: &[u8], state: &mut StateScope<'_>) -> Result<Slot, OperatorError> {
        let (slot, is_new) = self.keys.find_or_insert(key);
        if is_new {
            self.read(&[slot], state)?;
        }
        Ok(slot)
    }

    fn read(&mut self, new: &[Slot], state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.cells.resize_with(self.keys.slot_count(), Cell::default);
        if new.is_empty() {
            return Ok(());
        }
        let keys: Vec<&[u8]> = new.iter().map(|slot| self.keys.key(*slot)).collect();
        let (cells, value_bytes) = (&mut self.cells, &mut self.value_bytes);
        let mut corrupt = None;
        state.get_many(self.store, &keys, |index, stored| {
            let Some(bytes) = stored else { return };
            match V::read(bytes) {
                Ok(value) => {
                    let stored = Some(bytes.len() as u32);
                    cells[new[index] as usize] = Cell { value: Some(value), stored, is_touched: false };
                    *value_bytes += bytes.len();
                }
                Err(detail) => corrupt = Some(detail),
            }
        })?;
        let operator = || self.operator.clone();
        corrupt.map_or(Ok(()), |detail| Err(OperatorError::CorruptState { operator: operator(), detail }))
    }

    /// One more than the largest slot: how long vectors beside it have to be.
    pub(crate) fn slot_count(&self) -> usize {
        self.keys.slot_count()
    }

    /// The key of a slot.
    pub(crate) fn key(&self, slot: Slot) -> &[u8] {
        self.keys.key(slot)
    }

    /// The value of a slot.
    pub(crate) fn get(&self, slot: Slot) -> Option<&V> {
        self.cells[slot as usize].value.as_ref()
    }

    /// The value of a slot, to be changed: it is written by the next delta.
    pub(crate) fn change(&mut self, slot: Slot) -> Change<'_, V> {
        let cell = &mut self.cells[slot as usize];
        let is_first = !std::mem::replace(&mut cell.is_touched, true);
        if is_first {
            self.touched.push(slot);
        }
        Change { value: &mut cell.value, is_first }
    }

    /// Slots that changed since the last delta, in the order of first touch.
    pub(crate) fn touched(&self) -> &[Slot] {
        &self.touched
    }

    /// Writes what changed; keys without a value go.
    pub(crate) fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let block = out.block(self.store);
        let mut scratch = Vec::new();
        for slot in std::mem::take(&mut self.touched) {
            let cell = &mut self.cells[slot as usize];
            cell.is_touched = false;
            self.value_bytes -= cell.stored.map_or(0, |length| length as usize);
            let Some(value) = &cell.value else {
                if cell.stored.is_some() {
                    block.delete(self.keys.key(slot));
                }
                *cell = Cell::default();
                self.keys.remove(slot);
                continue;
            };
            scratch.clear();
            let bytes = value.bytes(&mut scratch)?;
            if let Some(detail) = self.build.verify.then(|| value.differs(bytes)).flatten() {
                return Err(OperatorError::CorruptState { operator: self.operator.clone(), detail });
            }
            block.put(self.keys.key(slot), bytes);
            cell.stored = Some(bytes.len() as u32);
            self.value_bytes += bytes.len();
        }
        Ok(())
    }

    /// Forgets everything; it has been committed.
    pub(crate) fn evict(&mut self) {
        self.keys = SlotTable::with_seed(self.build.hash_seed);
        self.cells = Vec::new();
        self.value_bytes = 0;
    }

    /// Memory held, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.cells.capacity() * size_of::<Cell<V>>() + self.value_bytes
    }
}
