//! What a group keeps of one aggregate, for all groups: vectors by slot.

use super::lane::{Lane, LaneType, LaneValues, lane_type};
use super::picks::{Bytes, Pick, choose, keep};
use super::squares::Squares;
use super::sums::{FloatSums, Sums, count};
use super::{AggregateCall, AggregateFunction};
use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use crate::rows::{read_length, write_length};

/// One aggregate over all groups of a table.
#[derive(Debug)]
pub(super) enum Accumulator {
    Count(Vec<i64>),
    SumI64(Sums<i64>),
    SumF64(FloatSums),
    SumI128(Sums<i128>),
    Squares(Squares),
    /// `MIN`, `MAX`, `FIRST_VALUE` and `LAST_VALUE` over rows that are never taken back.
    PickI64(Pick, Vec<Option<i64>>),
    PickF64(Pick, Vec<Option<f64>>),
    PickI128(Pick, Vec<Option<i128>>),
    PickBytes(Bytes),
}

impl Accumulator {
    /// An accumulator for a call that keeps no multiset. The call has been checked.
    pub(super) fn new(call: &AggregateCall) -> Self {
        use AggregateFunction as F;
        let lane = lane_type(&call.argument_type).unwrap_or(LaneType::Bytes);
        let pick = match call.function {
            F::Count | F::Of(_) => return Accumulator::Count(Vec::new()),
            F::Sum => {
                return match lane {
                    LaneType::F64 => Accumulator::SumF64(FloatSums::default()),
                    LaneType::I128 => Accumulator::SumI128(Sums::default()),
                    LaneType::I64 | LaneType::Bytes => Accumulator::SumI64(Sums::default()),
                };
            }
            F::Squares => return Accumulator::Squares(Squares::default()),
            F::Min => Pick::Least,
            F::Max => Pick::Largest,
            F::First => Pick::First,
            F::Last => Pick::Last,
        };
        match lane {
            LaneType::I64 => Accumulator::PickI64(pick, Vec::new()),
            LaneType::F64 => Accumulator::PickF64(pick, Vec::new()),
            LaneType::I128 => Accumulator::PickI128(pick, Vec::new()),
            LaneType::Bytes => Accumulator::PickBytes(Bytes::new(pick, call.argument_type.clone())),
        }
    }

    /// Makes room for `slots` slots.
    pub(super) fn resize(&mut self, slots: usize) {
        match self {
            Accumulator::Count(counts) => counts.resize(slots, 0),
            Accumulator::SumI64(sums) => sums.resize(slots),
            Accumulator::SumF64(sums) => sums.resize(slots),
            Accumulator::SumI128(sums) => sums.resize(slots),
            Accumulator::Squares(squares) => squares.resize(slots),
            Accumulator::PickI64(_, values) => values.resize(slots, None),
            Accumulator::PickF64(_, values) => values.resize(slots, None),
            Accumulator::PickI128(_, values) => values.resize(slots, None),
            Accumulator::PickBytes(values) => values.resize(slots),
        }
    }

    /// Makes a slot as if nothing had been folded into it.
    pub(super) fn reset(&mut self, slot: Slot) {
        let at = slot as usize;
        match self {
            Accumulator::Count(counts) => counts[at] = 0,
            Accumulator::SumI64(sums) => sums.set(at, 0, 0),
            Accumulator::SumF64(sums) => sums.reset(slot),
            Accumulator::SumI128(sums) => sums.set(at, 0, 0),
            Accumulator::Squares(squares) => squares.reset(slot),
            Accumulator::PickI64(_, values) => values[at] = None,
            Accumulator::PickF64(_, values) => values[at] = None,
            Accumulator::PickI128(_, values) => values[at] = None,
            Accumulator::PickBytes(values) => values.set(slot, None),
        }
    }

    /// Folds a column in. `signs`: `-1` takes a row back.
    pub(super) fn update(&mut self, slots: &[Slot], lane: &Lane, signs: Option<&[i8]>) {
        let valid = lane.valid();
        match (self, lane.values()) {
            (Accumulator::Count(counts), _) => count(counts, slots, valid, signs),
            (Accumulator::SumI64(sums), LaneValues::I64(values)) => sums.add(slots, values, valid, signs),
            (Accumulator::SumF64(sums), LaneValues::F64(values)) => sums.add(slots, values, valid, signs),
            (Accumulator::SumI128(sums), LaneValues::I128(values)) => sums.add(slots, values, valid, signs),
            (Accumulator::Squares(squares), LaneValues::F64(values)) => {
                squares.add(slots, values, valid, signs)
            }
            (Accumulator::PickI64(pick, kept), LaneValues::I64(values)) => {
                choose(*pick, kept, slots, values, valid);
            }
            (Accumulator::PickF64(pick, kept), LaneValues::F64(values)) => {
                choose(*pick, kept, slots, values, valid);
            }
            (Accumulator::PickI128(pick, kept), LaneValues::I128(values)) => {
                choose(*pick, kept, slots, values, valid);
            }
            (Accumulator::PickBytes(kept), LaneValues::Utf8(values)) => {
                kept.choose(slots, |row| values.value(row).as_bytes(), valid);
            }
            (Accumulator::PickBytes(kept), LaneValues::Binary(values)) => {
                kept.choose(slots, |row| values.value(row), valid);
            }
            (accumulator, values) => {
                unreachable!("{accumulator:?} was made for another lane than {values:?}")
            }
        }
    }

    /// Folds a group of another table of the same call in. That table's rows count as later ones.
    pub(super) fn merge(&mut self, slot: Slot, other: &Accumulator, from: Slot) {
        let (at, other_at) = (slot as usize, from as usize);
        match (self, other) {
            (Accumulator::Count(counts), Accumulator::Count(others)) => counts[at] += others[other_at],
            (Accumulator::SumI64(sums), Accumulator::SumI64(others)) => sums.merge(at, others, other_at),
            (Accumulator::SumF64(sums), Accumulator::SumF64(others)) => sums.merge(slot, others, from),
            (Accumulator::SumI128(sums), Accumulator::SumI128(others)) => sums.merge(at, others, other_at),
            (Accumulator::Squares(squares), Accumulator::Squares(others)) => {
                squares.merge(slot, others, from)
            }
            (Accumulator::PickI64(pick, kept), Accumulator::PickI64(_, others)) => {
                keep(*pick, &mut kept[at], others[other_at]);
            }
            (Accumulator::PickF64(pick, kept), Accumulator::PickF64(_, others)) => {
                keep(*pick, &mut kept[at], others[other_at]);
            }
            (Accumulator::PickI128(pick, kept), Accumulator::PickI128(_, others)) => {
                keep(*pick, &mut kept[at], others[other_at]);
            }
            (Accumulator::PickBytes(kept), Accumulator::PickBytes(others)) => {
                others.get(from).into_iter().for_each(|value| kept.keep(slot, value));
            }
            (accumulator, other) => unreachable!("{accumulator:?} and {other:?} are of different calls"),
        }
    }

    /// Appends a group's result.
    pub(super) fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) {
        let at = slot as usize;
        match self {
            Accumulator::Count(counts) => out.append_i64(counts[at]),
            Accumulator::SumI64(sums) => append(out, sums.get(at), ColumnBuilder::append_i64),
            Accumulator::SumF64(sums) => append(out, sums.get(slot), ColumnBuilder::append_f64),
            Accumulator::SumI128(sums) => append(out, sums.get(at), ColumnBuilder::append_i128),
            Accumulator::Squares(squares) => append(out, squares.get(slot), ColumnBuilder::append_f64),
            Accumulator::PickI64(_, values) => match (values[at], &out) {
                (Some(value), ColumnBuilder::Boolean(_)) => out.append_bool(value != 0),
                (value, _) => append(out, value, ColumnBuilder::append_i64),
            },
            Accumulator::PickF64(_, values) => append(out, values[at], ColumnBuilder::append_f64),
            Accumulator::PickI128(_, values) => append(out, values[at], ColumnBuilder::append_i128),
            Accumulator::PickBytes(values) => match values.get(slot) {
                Some(value) => values.append(value, out),
                None => out.append_null(),
            },
        }
    }

    /// Appends what has to be kept of a group.
    pub(super) fn encode(&self, slot: Slot, out: &mut Vec<u8>) {
        let at = slot as usize;
        match self {
            Accumulator::Count(counts) => out.extend(counts[at].to_le_bytes()),
            Accumulator::SumI64(sums) => {
                let (sum, count) = sums.parts(at);
                out.extend(sum.to_le_bytes());
                out.extend(count.to_le_bytes());
            }
            Accumulator::SumF64(sums) => sums.encode(slot, out),
            Accumulator::Squares(squares) => squares.encode(slot, out),
            Accumulator::SumI128(sums) => {
                let (sum, count) = sums.parts(at);
                out.extend(sum.to_le_bytes());
                out.extend(count.to_le_bytes());
            }
            Accumulator::PickI64(_, values) => encode_option(values[at].map(i64::to_le_bytes), out),
            Accumulator::PickF64(_, values) => encode_option(values[at].map(f64::to_le_bytes), out),
            Accumulator::PickI128(_, values) => encode_option(values[at].map(i128::to_le_bytes), out),
            Accumulator::PickBytes(values) => match values.get(slot) {
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
        let at = slot as usize;
        match self {
            Accumulator::Count(counts) => counts[at] = i64::from_le_bytes(take(input)?),
            Accumulator::SumI64(sums) => {
                sums.set(at, i64::from_le_bytes(take(input)?), i64::from_le_bytes(take(input)?));
            }
            Accumulator::SumF64(sums) => sums.decode(slot, input)?,
            Accumulator::Squares(squares) => squares.decode(slot, input)?,
            Accumulator::SumI128(sums) => {
                sums.set(at, i128::from_le_bytes(take(input)?), i64::from_le_bytes(take(input)?));
            }
            Accumulator::PickI64(_, values) => values[at] = decode_option(input)?.map(i64::from_le_bytes),
            Accumulator::PickF64(_, values) => values[at] = decode_option(input)?.map(f64::from_le_bytes),
            Accumulator::PickI128(_, values) => values[at] = decode_option(input)?.map(i128::from_le_bytes),
            Accumulator::PickBytes(values) => match take::<1>(input)? {
                [0] => values.set(slot, None),
                _ => {
                    let length = read_length(input)?;
                    let (value, rest) = input.split_at_checked(length)?;
                    *input = rest;
                    values.is_whole(value).then(|| values.set(slot, Some(value)))?;
                }
            },
        }
        Some(())
    }

    /// Memory held, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Accumulator::Count(counts) => counts.capacity() * 8,
            Accumulator::SumI64(sums) => sums.memory_bytes(),
            Accumulator::SumF64(sums) => sums.memory_bytes(),
            Accumulator::SumI128(sums) => sums.memory_bytes(),
            Accumulator::Squares(squares) => squares.memory_bytes(),
            Accumulator::PickI64(_, values) => values.capacity() * 16,
            Accumulator::PickF64(_, values) => values.capacity() * 16,
            Accumulator::PickI128(_, values) => values.capacity() * 32,
            Accumulator::PickBytes(values) => values.memory_bytes(),
        }
    }
}

#[inline]
pub(super) fn append<T>(
    out: &mut ColumnBuilder,
    value: Option<T>,
    append: impl FnOnce(&mut ColumnBuilder, T),
) {
    match value {
        Some(value) => append(out, value),
        None => out.append_null(),
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
