//! Counts and sums by slot, and the loops that fold columns into them.

use super::accumulator::take;
use crate::keys::Slot;
use arrow::buffer::NullBuffer;
use std::collections::BTreeMap;

/// Sums of whole numbers with the number of values in them: a sum over none is null. They wrap around.
#[derive(Debug, Default)]
pub(super) struct Sums<T> {
    sums: Vec<T>,
    counts: Vec<i64>,
}

/// A whole number that can be summed up.
pub(super) trait Whole: Copy + Default {
    /// The sum, wrapped around.
    fn plus(self, other: Self) -> Self;
    /// The number, or its negative.
    fn signed(self, sign: i8) -> Self;
}

impl Whole for i64 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn signed(self, sign: i8) -> Self {
        self.wrapping_mul(sign.into())
    }
}

impl Whole for i128 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    fn signed(self, sign: i8) -> Self {
        self.wrapping_mul(sign.into())
    }
}

impl<T: Whole> Sums<T> {
    pub(super) fn resize(&mut self, slots: usize) {
        self.sums.resize(slots, T::default());
        self.counts.resize(slots, 0);
    }

    pub(super) fn set(&mut self, slot: usize, sum: T, count: i64) {
        (self.sums[slot], self.counts[slot]) = (sum, count);
    }

    /// The sum; `None` over no value.
    pub(super) fn get(&self, slot: usize) -> Option<T> {
        (self.counts[slot] != 0).then(|| self.sums[slot])
    }

    /// The sum and the number of values.
    pub(super) fn parts(&self, slot: usize) -> (T, i64) {
        (self.sums[slot], self.counts[slot])
    }

    pub(super) fn merge(&mut self, slot: usize, other: &Self, from: usize) {
        self.sums[slot] = self.sums[slot].plus(other.sums[from]);
        self.counts[slot] += other.counts[from];
    }

    pub(super) fn add(
        &mut self,
        slots: &[Slot],
        values: &[T],
        valid: Option<&NullBuffer>,
        signs: Option<&[i8]>,
    ) {
        each_row(slots, valid, signs, |row, slot, sign| {
            self.sums[slot] = self.sums[slot].plus(values[row].signed(sign));
            self.counts[slot] += i64::from(sign);
        });
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.counts.capacity() * (8 + size_of::<T>())
    }
}

/// Sums of floating-point numbers. What is no finite number is counted beside the sum: taking it back would otherwise
/// leave NaN behind for good.
#[derive(Debug, Default)]
pub(super) struct FloatSums {
    sums: Vec<f64>,
    counts: Vec<i64>,
    /// Numbers of NaNs, of infinities and of negative ones, of the slots that have seen any.
    odd: BTreeMap<Slot, [i64; 3]>,
}

impl FloatSums {
    pub(super) fn resize(&mut self, slots: usize) {
        self.sums.resize(slots, 0.0);
        self.counts.resize(slots, 0);
    }

    pub(super) fn reset(&mut self, slot: Slot) {
        (self.sums[slot as usize], self.counts[slot as usize]) = (0.0, 0);
        self.odd.remove(&slot);
    }

    /// The sum; `None` over no value.
    pub(super) fn get(&self, slot: Slot) -> Option<f64> {
        let at = slot as usize;
        (self.counts[at] != 0).then(|| match self.odd.get(&slot) {
            Some([nans, _, _]) if *nans > 0 => f64::NAN,
            Some([_, plus, minus]) if *plus > 0 && *minus > 0 => f64::NAN,
            Some([_, plus, _]) if *plus > 0 => f64::INFINITY,
            Some([_, _, minus]) if *minus > 0 => f64::NEG_INFINITY,
            _ => self.sums[at],
        })
    }

    pub(super) fn merge(&mut self, slot: Slot, other: &Self, from: Slot) {
        self.sums[slot as usize] += other.sums[from as usize];
        self.counts[slot as usize] += other.counts[from as usize];
        if let Some(counts) = other.odd.get(&from) {
            let sums = self.odd.entry(slot).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    pub(super) fn add(
        &mut self,
        slots: &[Slot],
        values: &[f64],
        valid: Option<&NullBuffer>,
        signs: Option<&[i8]>,
    ) {
        each_row(slots, valid, signs, |row, slot, sign| {
            let value = values[row];
            self.counts[slot] += i64::from(sign);
            if value.is_finite() {
                self.sums[slot] += value * f64::from(sign);
            } else {
                let kind = if value.is_nan() { 0 } else { 1 + usize::from(value < 0.0) };
                self.odd.entry(slot as Slot).or_default()[kind] += i64::from(sign);
            }
            // Over nothing the sum is nothing: what rounding has left must not stay in it.
            if self.counts[slot] == 0 {
                self.sums[slot] = 0.0;
            }
        });
    }

    pub(super) fn encode(&self, slot: Slot, out: &mut Vec<u8>) {
        out.extend(self.sums[slot as usize].to_le_bytes());
        out.extend(self.counts[slot as usize].to_le_bytes());
        let odd = self.odd.get(&slot).filter(|counts| counts.iter().any(|count| *count != 0));
        out.push(odd.is_some().into());
        odd.into_iter().flatten().for_each(|count| out.extend(count.to_le_bytes()));
    }

    pub(super) fn decode(&mut self, slot: Slot, input: &mut &[u8]) -> Option<()> {
        self.sums[slot as usize] = f64::from_le_bytes(take(input)?);
        self.counts[slot as usize] = i64::from_le_bytes(take(input)?);
        if take::<1>(input)? == [1] {
            let mut counts = [0; 3];
            for count in &mut counts {
                *count = i64::from_le_bytes(take(input)?);
            }
            self.odd.insert(slot, counts);
        }
        Some(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.counts.capacity() * 16 + self.odd.len() * 48
    }
}

/// Counts rows.
pub(super) fn count(counts: &mut [i64], slots: &[Slot], valid: Option<&NullBuffer>, signs: Option<&[i8]>) {
    each_row(slots, valid, signs, |_, slot, sign| counts[slot] += i64::from(sign));
}

/// Calls `one(row, slot, sign)` for the rows that count. Inlined, so that each of its loops is as tight as the call.
#[inline(always)]
pub(super) fn each_row(
    slots: &[Slot],
    valid: Option<&NullBuffer>,
    signs: Option<&[i8]>,
    mut one: impl FnMut(usize, usize, i8),
) {
    match (valid, signs) {
        (None, None) => slots.iter().enumerate().for_each(|(row, slot)| one(row, *slot as usize, 1)),
        (None, Some(signs)) => {
            let rows = slots.iter().zip(signs).enumerate();
            rows.for_each(|(row, (slot, sign))| one(row, *slot as usize, *sign));
        }
        (Some(valid), None) => valid.valid_indices().for_each(|row| one(row, slots[row] as usize, 1)),
        (Some(valid), Some(signs)) => {
            valid.valid_indices().for_each(|row| one(row, slots[row] as usize, signs[row]));
        }
    }
}
