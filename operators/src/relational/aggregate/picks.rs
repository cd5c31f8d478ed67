//! Least, largest, first and last values by slot, over rows that are never taken back.

use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use crate::rows::read_nullable;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

/// Which of two values stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    Least,
    Largest,
    First,
    Last,
}

impl Pick {
    /// Whether `new` takes the place of `old`.
    #[inline]
    pub(super) fn replaces<T: PartialOrd + ?Sized>(self, new: &T, old: &T) -> bool {
        match self {
            Pick::Least => new < old,
            Pick::Largest => new > old,
            Pick::First => false,
            Pick::Last => true,
        }
    }
}

/// A number that can be picked.
pub(super) trait Pickable: Copy {
    type Order: PartialOrd;
    /// What it is compared by.
    fn order(self) -> Self::Order;
}

impl Pickable for i64 {
    type Order = i64;
    fn order(self) -> i64 {
        self
    }
}

impl Pickable for i128 {
    type Order = i128;
    fn order(self) -> i128 {
        self
    }
}

impl Pickable for f64 {
    type Order = i64;
    /// Bits that order as numbers do, NaN last.
    fn order(self) -> i64 {
        let value = if self.is_nan() { f64::NAN } else { self + 0.0 };
        let bits = value.to_bits() as i64;
        bits ^ (((bits >> 63) as u64) >> 1) as i64
    }
}

/// Keeps one of two numbers.
#[inline]
pub(super) fn keep<T: Pickable>(pick: Pick, kept: &mut Option<T>, new: Option<T>) {
    if let Some(new) = new
        && kept.is_none_or(|old| pick.replaces(&new.order(), &old.order()))
    {
        *kept = Some(new);
    }
}

/// Folds a column of numbers in.
pub(super) fn choose<T: Pickable>(
    pick: Pick,
    kept: &mut [Option<T>],
    slots: &[Slot],
    values: &[T],
    valid: Option<&NullBuffer>,
) {
    each_row(slots, valid, |row| keep(pick, &mut kept[slots[row] as usize], Some(values[row])));
}

/// Strings or bytes by slot.
#[derive(Debug)]
pub(super) struct Bytes {
    pick: Pick,
    /// A value that is replaced keeps its memory.
    values: Vec<Option<Vec<u8>>>,
    /// The type of the values. Those of a nested type are kept as [`crate::rows`] writes them.
    data_type: DataType,
    /// Length of all values.
    bytes: usize,
}

impl Bytes {
    pub(super) fn new(pick: Pick, data_type: DataType) -> Self {
        Bytes { pick, values: Vec::new(), data_type, bytes: 0 }
    }

    /// Appends a value that is kept.
    pub(super) fn append(&self, value: &[u8], out: &mut ColumnBuilder) {
        match self.data_type {
            DataType::Utf8 | DataType::Binary => out.append_bytes(value),
            _ => drop(read_nullable(&self.data_type, &mut &*value, out)),
        }
    }

    /// Whether bytes that were stored are a value.
    pub(super) fn is_whole(&self, value: &[u8]) -> bool {
        match self.data_type {
            DataType::Utf8 => std::str::from_utf8(value).is_ok(),
            DataType::Binary => true,
            _ => ColumnBuilder::new(&self.data_type).is_ok_and(|mut scratch| {
                let mut rest = value;
                read_nullable(&self.data_type, &mut rest, &mut scratch).is_some() && rest.is_empty()
            }),
        }
    }

    pub(super) fn resize(&mut self, slots: usize) {
        self.values.resize(slots, None);
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&[u8]> {
        self.values[slot as usize].as_deref()
    }

    pub(super) fn set(&mut self, slot: Slot, value: Option<&[u8]>) {
        let kept = &mut self.values[slot as usize];
        self.bytes -= kept.as_ref().map_or(0, Vec::len);
        self.bytes += value.map_or(0, <[u8]>::len);
        match (kept, value) {
            (Some(kept), Some(value)) => {
                kept.clear();
                kept.extend_from_slice(value);
            }
            (kept, value) => *kept = value.map(<[u8]>::to_vec),
        }
    }

    pub(super) fn keep(&mut self, slot: Slot, new: &[u8]) {
        if self.get(slot).is_none_or(|old| self.pick.replaces(new, old)) {
            self.set(slot, Some(new));
        }
    }

    pub(super) fn choose<'a>(
        &mut self,
        slots: &[Slot],
        value: impl Fn(usize) -> &'a [u8],
        valid: Option<&NullBuffer>,
    ) {
        each_row(slots, valid, |row| self.keep(slots[row], value(row)));
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.values.capacity() * size_of::<Option<Vec<u8>>>() + self.bytes
    }
}

#[inline(always)]
fn each_row(slots: &[Slot], valid: Option<&NullBuffer>, one: impl FnMut(usize)) {
    match valid {
        None => (0..slots.len()).for_each(one),
        Some(valid) => valid.valid_indices().for_each(one),
    }
}
