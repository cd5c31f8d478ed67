//! The least, largest, first or last value of a frame that rows come into at one end and leave at the other.
//!
//! Of a key's values only those are kept that may become the one: a value that came before a smaller one will never be the
//! least again, since it leaves first. What is left is in order, and the one is at the front (a monotonic queue). Every
//! value comes and goes once. Nothing of it is stored: the rows of the frame are, and say it all.

use super::super::AggregateFunction;
use super::super::accumulator::append;
use super::super::lane::{Lane, LaneType, LaneValues, lane_type};
use super::super::picks::{Pick, Pickable};
use super::run::append_whole;
use super::steps::{Step, StepKind};
use crate::columns::ColumnBuilder;
use arrow::datatypes::DataType;
use std::collections::VecDeque;

/// The queues of one aggregate, by slot.
#[derive(Debug)]
pub(super) struct Extremes {
    pick: Pick,
    values: Values,
}

#[derive(Debug)]
enum Values {
    I64(Queues<i64>),
    F64(Queues<f64>),
    I128(Queues<i128>),
    Bytes(Queues<Box<[u8]>>),
}

/// Queues of values with their places in the frame.
#[derive(Debug)]
struct Queues<T> {
    by_slot: Vec<Queue<T>>,
    /// Bytes of all values in them.
    held: usize,
}

#[derive(Debug)]
struct Queue<T> {
    /// The place of the oldest row of the frame.
    first: u64,
    /// The place of the next row that comes.
    next: u64,
    values: VecDeque<(u64, T)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { first: 0, next: 0, values: VecDeque::new() }
    }
}

impl Extremes {
    /// What picks a value for a function over values of a type; `None` for other functions.
    pub(super) fn new(function: &AggregateFunction, data_type: &DataType) -> Option<Self> {
        let pick = match function {
            AggregateFunction::Min => Pick::Least,
            AggregateFunction::Max => Pick::Largest,
            AggregateFunction::First => Pick::First,
            AggregateFunction::Last => Pick::Last,
            _ => return None,
        };
        let values = match lane_type(data_type)? {
            LaneType::I64 => Values::I64(Queues::new()),
            LaneType::F64 => Values::F64(Queues::new()),
            LaneType::I128 => Values::I128(Queues::new()),
            LaneType::Bytes => Values::Bytes(Queues::new()),
        };
        Some(Extremes { pick, values })
    }

    /// Makes room for `slots` slots.
    pub(super) fn resize(&mut self, slots: usize) {
        match &mut self.values {
            Values::I64(queues) => queues.by_slot.resize_with(slots, Queue::default),
            Values::F64(queues) => queues.by_slot.resize_with(slots, Queue::default),
            Values::I128(queues) => queues.by_slot.resize_with(slots, Queue::default),
            Values::Bytes(queues) => queues.by_slot.resize_with(slots, Queue::default),
        }
    }

    /// Goes through steps over a column.
    pub(super) fn run(&mut self, steps: &[Step], lane: &Lane, out: &mut ColumnBuilder) {
        let pick = self.pick;
        let valid = |step: Step| step.counts(lane.valid());
        match (&mut self.values, lane.values()) {
            (Values::I64(queues), LaneValues::I64(values)) => {
                let replaces = |new: &i64, old: &i64| pick.replaces(new, old);
                queues.run(
                    steps,
                    |step| valid(step).then(|| values[step.at()]),
                    replaces,
                    |value| {
                        append_whole(out, value.copied());
                    },
                );
            }
            (Values::F64(queues), LaneValues::F64(values)) => {
                let replaces = |new: &f64, old: &f64| pick.replaces(&new.order(), &old.order());
                queues.run(
                    steps,
                    |step| valid(step).then(|| values[step.at()]),
                    replaces,
                    |value| {
                        append(out, value.copied(), ColumnBuilder::append_f64);
                    },
                );
            }
            (Values::I128(queues), LaneValues::I128(values)) => {
                let replaces = |new: &i128, old: &i128| pick.replaces(new, old);
                queues.run(
                    steps,
                    |step| valid(step).then(|| values[step.at()]),
                    replaces,
                    |value| {
                        append(out, value.copied(), ColumnBuilder::append_i128);
                    },
                );
            }
            (Values::Bytes(queues), values) => {
                type Bytes = Box<[u8]>;
                let bytes = |step: Step| -> Option<Bytes> {
                    match (&values, valid(step)) {
                        (LaneValues::Utf8(values), true) => Some(values.value(step.at()).as_bytes().into()),
                        (LaneValues::Binary(values), true) => Some(values.value(step.at()).into()),
                        _ => None,
                    }
                };
                let replaces = |new: &Bytes, old: &Bytes| pick.replaces(&**new, &**old);
                queues.run(steps, bytes, replaces, |value| {
                    append(out, value.map(|value| &**value), ColumnBuilder::append_bytes);
                });
            }
            (values, lane) => unreachable!("{values:?} were made for another lane than {lane:?}"),
        }
    }

    /// Memory held, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.values {
            Values::I64(queues) => queues.memory_bytes(),
            Values::F64(queues) => queues.memory_bytes(),
            Values::I128(queues) => queues.memory_bytes(),
            Values::Bytes(queues) => queues.memory_bytes(),
        }
    }
}

/// A value in a queue.
trait Held: Sized {
    /// Memory that it takes there.
    fn held(&self) -> usize {
        size_of::<(u64, Self)>()
    }
}

impl Held for i64 {}
impl Held for f64 {}
impl Held for i128 {}

impl Held for Box<[u8]> {
    fn held(&self) -> usize {
        size_of::<(u64, Self)>() + self.len()
    }
}

impl<T: Held> Queues<T> {
    fn new() -> Self {
        Queues { by_slot: Vec::new(), held: 0 }
    }

    #[inline(always)]
    fn run(
        &mut self,
        steps: &[Step],
        value: impl Fn(Step) -> Option<T>,
        replaces: impl Fn(&T, &T) -> bool,
        mut result: impl FnMut(Option<&T>),
    ) {
        for step in steps {
            let queue = &mut self.by_slot[step.slot as usize];
            match step.kind {
                StepKind::Result => result(queue.values.front().map(|(_, value)| value)),
                StepKind::Come => {
                    if let Some(new) = value(*step) {
                        while let Some((_, old)) = queue.values.pop_back_if(|(_, old)| replaces(&new, old)) {
                            self.held -= old.held();
                        }
                        self.held += new.held();
                        queue.values.push_back((queue.next, new));
                    }
                    queue.next += 1;
                }
                StepKind::Leave => {
                    let first = queue.first;
                    if let Some((_, old)) = queue.values.pop_front_if(|(place, _)| *place == first) {
                        self.held -= old.held();
                    }
                    queue.first += 1;
                }
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.by_slot.capacity() * size_of::<Queue<T>>() + self.held
    }
}
