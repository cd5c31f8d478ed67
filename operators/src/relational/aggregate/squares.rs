//! How far values are from their mean, by slot: what variances and deviations are made of.
//!
//! Count, mean and sum of squared distances, each moved by a value that comes or goes (Welford's way, as in Flink, and
//! Chan's to bring two together): nothing is lost where values are large and near each other. What rounding leaves below
//! nothing, when values have been taken back, is nothing.

use super::accumulator::take;
use super::sums::each_row;
use crate::keys::Slot;
use arrow::buffer::NullBuffer;

/// Sums of squared distances.
#[derive(Debug, Default)]
pub(super) struct Squares(Vec<Moments>);

#[derive(Debug, Default, Clone, Copy)]
struct Moments {
    count: i64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, sign: i8) {
        self.count += i64::from(sign);
        if self.count == 0 {
            (self.mean, self.squares) = (0.0, 0.0);
        }
        // What was taken back before it came: both together are nothing.
        if self.count <= 0 {
            return;
        }
        let sign = f64::from(sign);
        let before = value - self.mean;
        self.mean += sign * before / self.count as f64;
        self.squares += sign * before * (value - self.mean);
    }

    fn merge(&mut self, other: Moments) {
        let count = self.count + other.count;
        match (self.count, other.count) {
            (_, ..=0) => self.count = count,
            (0, _) => *self = other,
            _ => {
                let (mine, theirs, all) = (self.count as f64, other.count as f64, count as f64);
                let between = other.mean - self.mean;
                self.mean += between * theirs / all;
                self.squares += other.squares + between * between * mine * theirs / all;
                self.count = count;
            }
        }
    }
}

impl Squares {
    pub(super) fn resize(&mut self, slots: usize) {
        self.0.resize(slots, Moments::default());
    }

    pub(super) fn reset(&mut self, slot: Slot) {
        self.0[slot as usize] = Moments::default();
    }

    pub(super) fn add(
        &mut self,
        slots: &[Slot],
        values: &[f64],
        valid: Option<&NullBuffer>,
        signs: Option<&[i8]>,
    ) {
        each_row(slots, valid, signs, |row, slot, sign| self.0[slot].add(values[row], sign));
    }

    pub(super) fn merge(&mut self, slot: Slot, other: &Self, from: Slot) {
        self.0[slot as usize].merge(other.0[from as usize]);
    }

    /// The sum; `None` over no value.
    pub(super) fn get(&self, slot: Slot) -> Option<f64> {
        let Moments { count, squares, .. } = self.0[slot as usize];
        // What rounding left below zero is zero; what is no number stays none.
        (count > 0).then_some(if squares < 0.0 { 0.0 } else { squares })
    }

    /// The sum over some values, each once.
    pub(super) fn of(values: &[f64]) -> Option<f64> {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add(*value, 1));
        (moments.count > 0).then_some(moments.squares)
    }

    pub(super) fn encode(&self, slot: Slot, out: &mut Vec<u8>) {
        let Moments { count, mean, squares } = self.0[slot as usize];
        out.extend(count.to_le_bytes());
        out.extend(mean.to_le_bytes());
        out.extend(squares.to_le_bytes());
    }

    pub(super) fn decode(&mut self, slot: Slot, input: &mut &[u8]) -> Option<()> {
        let count = i64::from_le_bytes(take(input)?);
        let mean = f64::from_le_bytes(take(input)?);
        self.0[slot as usize] = Moments { count, mean, squares: f64::from_le_bytes(take(input)?) };
        Some(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Moments>()
    }
}
