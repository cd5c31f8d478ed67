//! What a group keeps of one aggregate, for all groups: vectors by slot.

use super::lane::{Lane, LaneType, LaneValues, lane_type};
use super::{AggregateCall, AggregateFunction};
use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use crate::rows::{read_length, write_length};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

/// One aggregate over all groups of a table.
#[derive(Debug)]
pub(super) enum Accumulator {
    Count(Vec<i64>),
    SumI64(Sums<i64>),
    SumF64(Sums<f64>),
    SumI128(Sums<i128>),
    /// `MIN`, `MAX`, `FIRST_VALUE` and `LAST_VALUE` over rows that are never taken back.
    PickI64(Pick, Vec<Option<i64>>),
    PickF64(Pick, Vec<Option<f64>>),
    PickI128(Pick, Vec<Option<i128>>),
    PickBytes(Pick, Vec<Option<Box<[u8]>>>, bool),
}

/// Sums with the number of values in them: a sum over none is null.
#[derive(Debug, Default)]
pub(super) struct Sums<T> {
    sums: Vec<T>,
    counts: Vec<i64>,
}

/// Which of two values stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    Least,
    Largest,
    First,
    Last,
}

impl Pick {
    /// Whether `new` takes the place of `old`. NaN counts as the largest number, as in sorting.
    #[inline]
    fn replaces<T: PartialOrd>(self, new: &T, old: &T) -> bool {
        match self {
            Pick::Least => new < old,
            Pick::Largest => new > old,
            Pick::First => false,
            Pick::Last => true,
        }
    }
}

impl Accumulator {
    /// An accumulator for a call that keeps no multiset. The call has been checked.
    pub(super) fn new(call: &AggregateCall) -> Self {
        use AggregateFunction as F;
        let lane = lane_type(&call.argument_type).unwrap_or(LaneType::I64);
        let pick = match call.function {
            F::Count => return Accumulator::Count(Vec::new()),
            F::Sum => {
                return match lane {
                    LaneType::F64 => Accumulator::SumF64(Sums::default()),
                    LaneType::I128 => Accumulator::SumI128(Sums::default()),
                    LaneType::I64 | LaneType::Bytes => Accumulator::SumI64(Sums::default()),
                };
            }
            F::Min => Pick::Least,
            F::Max => Pick::Largest,
            F::First => Pick::First,
            F::Last => Pick::Last,
        };
        match lane {
            LaneType::I64 => Accumulator::PickI64(pick, Vec::new()),
            LaneType::F64 => Accumulator::PickF64(pick, Vec::new()),
            LaneType::I128 => Accumulator::PickI128(pick, Vec::new()),
            LaneType::Bytes => {
                Accumulator::PickBytes(pick, Vec::new(), matches!(call.argument_type, DataType::Utf8))
            }
        }
    }

    /// Makes room for `slots` slots.
    pub(super) fn resize(&mut self, slots: usize) {
        match self {
            Accumulator::Count(counts) => counts.resize(slots, 0),
            Accumulator::SumI64(sums) => sums.resize(slots),
            Accumulator::SumF64(sums) => sums.resize(slots),
            Accumulator::SumI128(sums) => sums.resize(slots),
            Accumulator::PickI64(_, values) => values.resize(slots, None),
            Accumulator::PickF64(_, values) => values.resize(slots, None),
            Accumulator::PickI128(_, values) => values.resize(slots, None),
            Accumulator::PickBytes(_, values, _) => values.resize(slots, None),
        }
    }

    /// Makes a slot as if nothing had been folded into it.
    pub(super) fn reset(&mut self, slot: Slot) {
        let slot = slot as usize;
        match self {
            Accumulator::Count(counts) => counts[slot] = 0,
            Accumulator::SumI64(sums) => sums.set(slot, 0, 0),
            Accumulator::SumF64(sums) => sums.set(slot, 0.0, 0),
            Accumulator::SumI128(sums) => sums.set(slot, 0, 0),
            Accumulator::PickI64(_, values) => values[slot] = None,
            Accumulator::PickF64(_, values) => values[slot] = None,
            Accumulator::PickI128(_, values) => values[slot] = None,
            Accumulator::PickBytes(_, values, _) => values[slot] = None,
        }
    }

    /// Folds a column in. `signs`: `-1` takes a row back.
    pub(super) fn update(&mut self, slots: &[Slot], lane: &Lane, signs: Option<&[i8]>) {
        let valid = lane.valid();
        match (self, lane.values()) {
            (Accumulator::Count(counts), _) => count(counts, slots, valid, signs),
            (Accumulator::SumI64(sums), LaneValues::I64(values)) => {
                let times = |value: i64, sign: i64| value.wrapping_mul(sign);
                add(sums, slots, values, valid, signs, i64::wrapping_add, times);
            }
            (Accumulator::SumF64(sums), LaneValues::F64(values)) => {
                add(sums, slots, values, valid, signs, |a, b| a + b, |value, sign| value * sign as f64);
            }
            (Accumulator::SumI128(sums), LaneValues::I128(values)) => {
                let times = |value: i128, sign: i64| value.wrapping_mul(sign.into());
                add(sums, slots, values, valid, signs, i128::wrapping_add, times);
            }
            (Accumulator::PickI64(pick, kept), LaneValues::I64(values)) => {
                choose(*pick, kept, slots, |row| values[row], valid);
            }
            (Accumulator::PickF64(pick, kept), LaneValues::F64(values)) => {
                choose_f64(*pick, kept, slots, values, valid);
            }
            (Accumulator::PickI128(pick, kept), LaneValues::I128(values)) => {
                choose(*pick, kept, slots, |row| values[row], valid);
            }
            (Accumulator::PickBytes(pick, kept, _), LaneValues::Utf8(values)) => {
                choose_bytes(*pick, kept, slots, |row| values.value(row).as_bytes(), valid);
            }
            (Accumulator::PickBytes(pick, kept, _), LaneValues::Binary(values)) => {
                choose_bytes(*pick, kept, slots, |row| values.value(row), valid);
            }
            (accumulator, values) => {
                unreachable!("{accumulator:?} was made for another lane than {values:?}")
            }
        }
    }

    /// Folds a group of another table of the same call in. That table's rows came later.
    pub(super) fn merge(&mut self, slot: Slot, other: &Accumulator, from: Slot) {
        let (slot, from) = (slot as usize, from as usize);
        match (self, other) {
            (Accumulator::Count(counts), Accumulator::Count(others)) => counts[slot] += others[from],
            (Accumulator::SumI64(sums), Accumulator::SumI64(others)) => {
                sums.sums[slot] = sums.sums[slot].wrapping_add(others.sums[from]);
                sums.counts[slot] += others.counts[from];
            }
            (Accumulator::SumF64(sums), Accumulator::SumF64(others)) => {
                sums.sums[slot] += others.sums[from];
                sums.counts[slot] += others.counts[from];
            }
            (Accumulator::SumI128(sums), Accumulator::SumI128(others)) => {
                sums.sums[slot] = sums.sums[slot].wrapping_add(others.sums[from]);
                sums.counts[slot] += others.counts[from];
            }
            (Accumulator::PickI64(pick, kept), Accumulator::PickI64(_, others)) => {
                keep(*pick, &mut kept[slot], others[from]);
            }
            (Accumulator::PickF64(pick, kept), Accumulator::PickF64(_, others)) => {
                let ordered = |value: f64| (total_order(value), value);
                let mut best = kept[slot].map(ordered);
                keep(*pick, &mut best, others[from].map(ordered));
                kept[slot] = best.map(|(_, value)| value);
            }
            (Accumulator::PickI128(pick, kept), Accumulator::PickI128(_, others)) => {
                keep(*pick, &mut kept[slot], others[from]);
            }
            (Accumulator::PickBytes(pick, kept, _), Accumulator::PickBytes(_, others, _)) => {
                keep(*pick, &mut kept[slot], others[from].clone());
            }
            (accumulator, other) => unreachable!("{accumulator:?} and {other:?} are of different calls"),
        }
    }

    /// Appends a group's result.
    pub(super) fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) {
        let slot = slot as usize;
        match self {
            Accumulator::Count(counts) => out.append_i64(counts[slot]),
            Accumulator::SumI64(sums) => match sums.get(slot) {
                Some(sum) => out.append_i64(sum),
                None => out.append_null(),
            },
            Accumulator::SumF64(sums) => match sums.get(slot) {
                Some(sum) => out.append_f64(sum),
                None => out.append_null(),
            },
            Accumulator::SumI128(sums) => match sums.get(slot) {
                Some(sum) => out.append_i128(sum),
                None => out.append_null(),
            },
            Accumulator::PickI64(_, values) => match (values[slot], &out) {
                (Some(value), ColumnBuilder::Boolean(_)) => out.append_bool(value != 0),
                (Some(value), _) => out.append_i64(value),
                (None, _) => out.append_null(),
            },
            Accumulator::PickF64(_, values) => match values[slot] {
                Some(value) => out.append_f64(value),
                None => out.append_null(),
            },
            Accumulator::PickI128(_, values) => match values[slot] {
                Some(value) => out.append_i128(value),
                None => out.append_null(),
            },
            Accumulator::PickBytes(_, values, _) => match &values[slot] {
                Some(value) => out.append_bytes(value),
                None => out.append_null(),
            },
        }
    }

    /// Appends what has to be kept of a group.
    pub(super) fn encode(&self, slot: Slot, out: &mut Vec<u8>) {
        let slot = slot as usize;
        match self {
            Accumulator::Count(counts) => out.extend(counts[slot].to_le_bytes()),
            Accumulator::SumI64(sums) => {
                out.extend(sums.sums[slot].to_le_bytes());
                out.extend(sums.counts[slot].to_le_bytes());
            }
            Accumulator::SumF64(sums) => {
                out.extend(sums.sums[slot].to_le_bytes());
                out.extend(sums.counts[slot].to_le_bytes());
            }
            Accumulator::SumI128(sums) => {
                out.extend(sums.sums[slot].to_le_bytes());
                out.extend(sums.counts[slot].to_le_bytes());
            }
            Accumulator::PickI64(_, values) => encode_option(values[slot].map(i64::to_le_bytes), out),
            Accumulator::PickF64(_, values) => encode_option(values[slot].map(f64::to_le_bytes), out),
            Accumulator::PickI128(_, values) => encode_option(values[slot].map(i128::to_le_bytes), out),
            Accumulator::PickBytes(_, values, _) => match &values[slot] {
                None => out.push(0),
                Some(value) => {
                    out.push(1);
                    write_length(value.len(), out);
                    out.extend(value);
                }
            },
        }
    }

    /// Reads what [`Accumulator::encode`] wrote; `None` when it is something else.
    pub(super) fn decode(&mut self, slot: Slot, input: &mut &[u8]) -> Option<()> {
        let slot = slot as usize;
        match self {
            Accumulator::Count(counts) => counts[slot] = i64::from_le_bytes(take(input)?),
            Accumulator::SumI64(sums) => {
                sums.set(slot, i64::from_le_bytes(take(input)?), i64::from_le_bytes(take(input)?));
            }
            Accumulator::SumF64(sums) => {
                sums.set(slot, f64::from_le_bytes(take(input)?), i64::from_le_bytes(take(input)?));
            }
            Accumulator::SumI128(sums) => {
                sums.set(slot, i128::from_le_bytes(take(input)?), i64::from_le_bytes(take(input)?));
            }
            Accumulator::PickI64(_, values) => values[slot] = decode_option(input)?.map(i64::from_le_bytes),
            Accumulator::PickF64(_, values) => values[slot] = decode_option(input)?.map(f64::from_le_bytes),
            Accumulator::PickI128(_, values) => values[slot] = decode_option(input)?.map(i128::from_le_bytes),
            Accumulator::PickBytes(_, values, text) => {
                values[slot] = match take::<1>(input)? {
                    [0] => None,
                    _ => {
                        let length = read_length(input)?;
                        let (value, rest) = input.split_at_checked(length)?;
                        *input = rest;
                        if *text {
                            std::str::from_utf8(value).ok()?;
                        }
                        Some(value.into())
                    }
                };
            }
        }
        Some(())
    }

    /// Memory held, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Accumulator::Count(counts) => counts.capacity() * 8,
            Accumulator::SumI64(sums) => sums.counts.capacity() * 16,
            Accumulator::SumF64(sums) => sums.counts.capacity() * 16,
            Accumulator::SumI128(sums) => sums.counts.capacity() * 24,
            Accumulator::PickI64(_, values) => values.capacity() * 16,
            Accumulator::PickF64(_, values) => values.capacity() * 16,
            Accumulator::PickI128(_, values) => values.capacity() * 32,
            Accumulator::PickBytes(_, values, _) => {
                let data: usize = values.iter().flatten().map(|value| value.len()).sum();
                values.capacity() * 16 + data
            }
        }
    }
}

impl<T: Copy + Default> Sums<T> {
    fn resize(&mut self, slots: usize) {
        self.sums.resize(slots, T::default());
        self.counts.resize(slots, 0);
    }

    fn set(&mut self, slot: usize, sum: T, count: i64) {
        (self.sums[slot], self.counts[slot]) = (sum, count);
    }

    fn get(&self, slot: usize) -> Option<T> {
        (self.counts[slot] != 0).then(|| self.sums[slot])
    }
}

// --- the loops ---

fn count(counts: &mut [i64], slots: &[Slot], valid: Option<&NullBuffer>, signs: Option<&[i8]>) {
    match (valid, signs) {
        (None, None) => slots.iter().for_each(|slot| counts[*slot as usize] += 1),
        (None, Some(signs)) => {
            slots.iter().zip(signs).for_each(|(slot, sign)| counts[*slot as usize] += i64::from(*sign));
        }
        (Some(valid), signs) => {
            for row in valid.valid_indices() {
                counts[slots[row] as usize] += signs.map_or(1, |signs| i64::from(signs[row]));
            }
        }
    }
}

#[inline]
fn add<T: Copy>(
    sums: &mut Sums<T>,
    slots: &[Slot],
    values: &[T],
    valid: Option<&NullBuffer>,
    signs: Option<&[i8]>,
    plus: impl Fn(T, T) -> T,
    times: impl Fn(T, i64) -> T,
) {
    let mut one = |row: usize, sign: Option<i8>| {
        let slot = slots[row] as usize;
        match sign {
            None => {
                sums.sums[slot] = plus(sums.sums[slot], values[row]);
                sums.counts[slot] += 1;
            }
            Some(sign) => {
                sums.sums[slot] = plus(sums.sums[slot], times(values[row], sign.into()));
                sums.counts[slot] += i64::from(sign);
            }
        }
    };
    match (valid, signs) {
        (None, None) => (0..slots.len()).for_each(|row| one(row, None)),
        (None, Some(signs)) => (0..slots.len()).for_each(|row| one(row, Some(signs[row]))),
        (Some(valid), signs) => {
            valid.valid_indices().for_each(|row| one(row, signs.map(|signs| signs[row])));
        }
    }
}

#[inline]
fn keep<T: PartialOrd>(pick: Pick, kept: &mut Option<T>, new: Option<T>) {
    if let Some(new) = new
        && kept.as_ref().is_none_or(|old| pick.replaces(&new, old))
    {
        *kept = Some(new);
    }
}

fn choose<T: PartialOrd + Copy>(
    pick: Pick,
    kept: &mut [Option<T>],
    slots: &[Slot],
    value: impl Fn(usize) -> T,
    valid: Option<&NullBuffer>,
) {
    let mut one = |row: usize| keep(pick, &mut kept[slots[row] as usize], Some(value(row)));
    match valid {
        None => (0..slots.len()).for_each(one),
        Some(valid) => valid.valid_indices().for_each(&mut one),
    }
}

/// Bits of a float that order as numbers do, NaN last.
fn total_order(value: f64) -> i64 {
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn choose_f64(
    pick: Pick,
    kept: &mut [Option<f64>],
    slots: &[Slot],
    values: &[f64],
    valid: Option<&NullBuffer>,
) {
    let mut one = |row: usize| {
        let (kept, new) = (&mut kept[slots[row] as usize], values[row]);
        if kept.is_none_or(|old| pick.replaces(&total_order(new), &total_order(old))) {
            *kept = Some(new);
        }
    };
    match valid {
        None => (0..slots.len()).for_each(one),
        Some(valid) => valid.valid_indices().for_each(&mut one),
    }
}

fn choose_bytes<'a>(
    pick: Pick,
    kept: &mut [Option<Box<[u8]>>],
    slots: &[Slot],
    value: impl Fn(usize) -> &'a [u8],
    valid: Option<&NullBuffer>,
) {
    let mut one = |row: usize| {
        let (kept, new) = (&mut kept[slots[row] as usize], value(row));
        if kept.as_deref().is_none_or(|old| pick.replaces(&new, &old)) {
            *kept = Some(new.into());
        }
    };
    match valid {
        None => (0..slots.len()).for_each(one),
        Some(valid) => valid.valid_indices().for_each(&mut one),
    }
}

fn encode_option<const N: usize>(bytes: Option<[u8; N]>, out: &mut Vec<u8>) {
    out.push(bytes.is_some().into());
    if let Some(bytes) = bytes {
        out.extend(bytes);
    }
}

fn decode_option<const N: usize>(input: &mut &[u8]) -> Option<Option<[u8; N]>> {
    match take::<1>(input)? {
        [0] => Some(None),
        _ => Some(Some(take(input)?)),
    }
}

pub(super) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}
