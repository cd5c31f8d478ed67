//! One match, or as much of it as there is.
//!
//! Contiguity is strict and no variable stands in a pattern twice. So the rows of a match are a slice of the rows of its
//! key, cut into a piece for each variable, and a match is a few numbers:
//!
//! ```text
//!   rows of the key   17  18  19  20  21  22
//!   match                [A | B   B   B | C]        start 18, counts 1 3 1
//!   another                      [A | B   B ..      start 20, counts 1 2 0
//! ```
//! The rows stand once, however many matches share them; where Flink, and the paper it follows, has to find the rows of a
//! match by versioned pointers from each row to those before it, they are counted off here.

use super::automaton::StateId;
use super::source::MatchAggregate;
use crate::batch::EventTime;
use crate::columns::ColumnBuilder;
use crate::rows::read_nullable;
use arrow::datatypes::DataType;

/// The start of what has no row yet.
pub(super) const NO_START: u64 = u64::MAX;

/// A match, or a part of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Run {
    pub(super) state: StateId,
    /// The number of its first row.
    pub(super) start: u64,
    /// The time of its first row.
    pub(super) began: EventTime,
    /// By variable: how many rows are of it.
    pub(super) counts: Vec<u32>,
    /// What is summed up over its rows.
    pub(super) sums: Vec<Sum>,
}

impl Run {
    /// What every match begins as.
    pub(super) fn new(state: StateId, variables: usize, sums: Vec<Sum>) -> Self {
        Run { state, start: NO_START, began: 0, counts: vec![0; variables], sums }
    }

    pub(super) fn is_new(&self) -> bool {
        self.start == NO_START
    }

    /// How many rows it has.
    pub(super) fn length(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The rows of a variable: how many are before them, and how many they are.
    pub(super) fn rows_of(&self, variable: usize) -> (u64, u64) {
        let (before, rest) = self.counts.split_at(variable.min(self.counts.len()));
        let before = before.iter().map(|count| u64::from(*count)).sum();
        (before, rest.first().map_or(0, |count| u64::from(*count)))
    }
}

/// How something is summed up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SumKind {
    Count,
    /// A sum of whole numbers, of floating-point numbers, of decimals.
    Whole(DataType),
    Float(DataType),
    Decimal,
    /// The largest value, or the least.
    Extreme {
        largest: bool,
        data_type: DataType,
    },
}

/// What has been summed up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sum {
    Count(i64),
    Whole(Option<i64>),
    Float(Option<f64>),
    Decimal(Option<i128>),
    Extreme(Option<Box<[u8]>>),
}

impl SumKind {
    pub(super) fn new(aggregate: MatchAggregate, data_type: &DataType) -> Self {
        match (aggregate, data_type) {
            (MatchAggregate::Count, _) => SumKind::Count,
            (MatchAggregate::Sum, DataType::Float32 | DataType::Float64) => SumKind::Float(data_type.clone()),
            (MatchAggregate::Sum, DataType::Decimal128(_, _)) => SumKind::Decimal,
            (MatchAggregate::Sum, _) => SumKind::Whole(data_type.clone()),
            (MatchAggregate::Min | MatchAggregate::Max, _) => {
                SumKind::Extreme { largest: aggregate == MatchAggregate::Max, data_type: data_type.clone() }
            }
        }
    }

    pub(super) fn empty(&self) -> Sum {
        match self {
            SumKind::Count => Sum::Count(0),
            SumKind::Whole(_) => Sum::Whole(None),
            SumKind::Float(_) => Sum::Float(None),
            SumKind::Decimal => Sum::Decimal(None),
            SumKind::Extreme { .. } => Sum::Extreme(None),
        }
    }
}

impl Sum {
    /// Adds a value, as it stands in a row.
    pub(super) fn add(&mut self, kind: &SumKind, value: &[u8]) {
        let Some((1, value)) = value.split_first().map(|(marker, value)| (*marker, value)) else { return };
        match (self, kind) {
            (Sum::Count(count), _) => *count = count.wrapping_add(1),
            (Sum::Whole(sum), SumKind::Whole(data_type)) => {
                *sum = Some(sum.unwrap_or(0).wrapping_add(whole(data_type, value)));
            }
            (Sum::Float(sum), SumKind::Float(data_type)) => {
                *sum = Some(sum.unwrap_or(0.0) + float(data_type, value));
            }
            (Sum::Decimal(sum), _) => *sum = Some(sum.unwrap_or(0).wrapping_add(decimal(value))),
            (Sum::Extreme(kept), SumKind::Extreme { largest, data_type }) => {
                let goes_before = |old: &[u8]| match largest {
                    true => order(data_type, value) > order(data_type, old),
                    false => order(data_type, value) < order(data_type, old),
                };
                if kept.as_deref().is_none_or(goes_before) {
                    *kept = Some(value.into());
                }
            }
            _ => {}
        }
    }

    /// Appends what it is, with one more value.
    pub(super) fn append(
        &self,
        kind: &SumKind,
        more: Option<&[u8]>,
        data_type: &DataType,
        out: &mut ColumnBuilder,
    ) -> Option<()> {
        let mut sum = self.clone();
        if let Some(value) = more {
            sum.add(kind, value);
        }
        match sum {
            Sum::Count(count) => out.append_i64(count),
            Sum::Whole(sum) => out.append_i64(sum?),
            Sum::Float(sum) => out.append_f64(sum?),
            Sum::Decimal(sum) => out.append_i128(sum?),
            Sum::Extreme(kept) => {
                let marked = [&[1], &*kept?].concat();
                read_nullable(data_type, &mut marked.as_slice(), out)?;
            }
        }
        Some(())
    }
}

fn bytes<const N: usize>(value: &[u8]) -> [u8; N] {
    value.first_chunk::<N>().copied().unwrap_or([0; N])
}

/// A value of a type with whole numbers in it.
fn whole(data_type: &DataType, value: &[u8]) -> i64 {
    match data_type.primitive_width().unwrap_or(1) {
        1 => i8::from_le_bytes(bytes(value)).into(),
        2 => i16::from_le_bytes(bytes(value)).into(),
        4 => i32::from_le_bytes(bytes(value)).into(),
        _ => i64::from_le_bytes(bytes(value)),
    }
}

fn float(data_type: &DataType, value: &[u8]) -> f64 {
    match data_type {
        DataType::Float32 => f32::from_le_bytes(bytes(value)).into(),
        _ => f64::from_le_bytes(bytes(value)),
    }
}

fn decimal(value: &[u8]) -> i128 {
    i128::from_le_bytes(bytes(value))
}

/// What values are compared by.
#[derive(Debug, PartialEq, PartialOrd)]
enum Order<'a> {
    Number(i128),
    Bytes(&'a [u8]),
}

fn order<'a>(data_type: &DataType, value: &'a [u8]) -> Order<'a> {
    match data_type {
        // Behind the length.
        DataType::Utf8 | DataType::Binary => {
            let length = value.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
            Order::Bytes(value.get(length..).unwrap_or_default())
        }
        DataType::Decimal128(_, _) => Order::Number(decimal(value)),
        DataType::Float32 | DataType::Float64 => {
            // Bits that order as numbers do, NaN last.
            let number = float(data_type, value);
            let bits = if number.is_nan() { f64::NAN } else { number + 0.0 }.to_bits() as i64;
            Order::Number((bits ^ (((bits >> 63) as u64) >> 1) as i64).into())
        }
        _ => Order::Number(whole(data_type, value).into()),
    }
}
