//! The values of one group, counted.

use super::super::function::ValueOrder;
use super::super::values::{OWED, numbered, split};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The values of a group, by their bytes: see [`super::super::values`].
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) values: BTreeMap<Box<[u8]>, Counted>,
    /// Values that are there, by their numbers; only where they are kept by arrival.
    arrivals: BTreeMap<u64, Box<[u8]>>,
    /// How many of them are there.
    pub(super) present: i64,
    /// Their sum, where a sum is asked for and the values are whole numbers.
    pub(super) sum: i128,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counted {
    pub(super) count: i64,
    /// Whether it changed since the last delta.
    pub(super) changed: bool,
}

/// What a change did to an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// Whether the entry is new.
    pub(super) is_new: bool,
    /// Whether this is its first change since the last delta.
    pub(super) is_first: bool,
}

impl Group {
    /// Changes the count of an entry. `number` is the value, where sums are kept.
    #[inline]
    pub(super) fn add(&mut self, entry: &[u8], by: i64, number: i128) -> Done {
        let (before, is_new, is_first) = match self.values.get_mut(entry) {
            Some(counted) => {
                counted.count += by;
                (counted.count - by, false, !std::mem::replace(&mut counted.changed, true))
            }
            None => {
                self.values.insert(entry.into(), Counted { count: by, changed: true });
                (0, true, true)
            }
        };
        match (before > 0, before + by > 0) {
            (false, true) => {
                self.present += 1;
                self.sum = self.sum.wrapping_add(number);
            }
            (true, false) => {
                self.present -= 1;
                self.sum = self.sum.wrapping_sub(number);
            }
            _ => {}
        }
        Done { is_new, is_first }
    }

    /// Changes how often a value is there that is kept by arrival; calls `done` with every entry that this changes.
    /// `distinct`: it is there once, since it came first.
    pub(super) fn arrive(
        &mut self,
        value: &[u8],
        mut by: i64,
        distinct: bool,
        mut done: impl FnMut(&[u8], Done),
    ) {
        while by != 0 {
            let (entry, count) = self.entry_for(value, by > 0, distinct);
            // What is there once, or owed, takes no more than brings it to nothing; what is distinct takes all.
            let step = match (by > 0, count) {
                (true, ..0) => by.min(-count),
                (true, _) => {
                    if distinct {
                        by
                    } else {
                        1
                    }
                }
                (false, 1..) => by.max(-count),
                (false, _) => by,
            };
            by -= step;
            let change = self.add(&entry, step, 0);
            match split(&entry) {
                Some((value, number)) if number != OWED => match count + step > 0 {
                    true => drop(self.arrivals.insert(number, value.into())),
                    false => drop(self.arrivals.remove(&number)),
                },
                _ => {}
            }
            done(&entry, change);
        }
    }

    /// The entry of a value that a change is for, and its count.
    fn entry_for(&self, value: &[u8], comes: bool, distinct: bool) -> (Vec<u8>, i64) {
        let entries = self
            .values
            .range::<[u8], _>((Bound::Included(value), Bound::Unbounded))
            .take_while(|(entry, _)| entry.starts_with(value));
        let takes = |count: i64| if comes { count < 0 || distinct && count > 0 } else { count > 0 };
        let found = entries.map(|(entry, counted)| (entry, counted.count)).find(|(_, count)| takes(*count));
        match found {
            Some((entry, count)) => (entry.to_vec(), count),
            None if comes => (numbered(value, self.next_number()), 0),
            None => {
                let entry = numbered(value, OWED);
                let count = self.values.get(&*entry).map_or(0, |counted| counted.count);
                (entry, count)
            }
        }
    }

    /// One more than the last number that is there, so that it depends on nothing that went.
    fn next_number(&self) -> u64 {
        self.arrivals.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    /// Takes in what a store has; `None` when it can't be.
    pub(super) fn load(&mut self, order: ValueOrder, entry: &[u8], count: i64) -> Option<()> {
        self.values.insert(entry.into(), Counted { count, changed: false });
        self.present += i64::from(count > 0);
        if order == ValueOrder::Arrival {
            let (value, number) = split(entry)?;
            if count > 0 && number != OWED {
                self.arrivals.insert(number, value.into());
            }
        }
        Some(())
    }

    /// The values that are there, in order, and how often.
    pub(super) fn present(
        &self,
        order: ValueOrder,
    ) -> Box<dyn DoubleEndedIterator<Item = (&[u8], i64)> + '_> {
        match order {
            ValueOrder::Arrival => Box::new(self.arrivals.values().map(|value| (&**value, 1))),
            ValueOrder::Value => {
                let there = self.values.iter().filter(|(_, counted)| counted.count > 0);
                Box::new(there.map(|(value, counted)| (&**value, counted.count)))
            }
        }
    }

    /// All that is counted, be it there or owed, in order: values and their counts.
    pub(super) fn all(&self, order: ValueOrder) -> Vec<(&[u8], i64)> {
        match order {
            ValueOrder::Value => {
                self.values.iter().map(|(value, counted)| (&**value, counted.count)).collect()
            }
            ValueOrder::Arrival => {
                let count = |value: &[u8], number| {
                    self.values.get(&*numbered(value, number)).map_or(0, |counted| counted.count)
                };
                let there = self.arrivals.iter().map(|(number, value)| (&**value, count(value, *number)));
                let owed = self.values.iter().filter(|(_, counted)| counted.count < 0);
                let owed = owed.filter_map(|(entry, counted)| Some((split(entry)?.0, counted.count)));
                there.chain(owed).collect()
            }
        }
    }
}
