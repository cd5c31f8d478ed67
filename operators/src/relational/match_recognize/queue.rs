//! Matches by the row they begin with, the earliest first.
//!
//! Matches that begin with the same row have no order of their own, and which of them is first decides what is left of
//! them when it is whole. They stand here as Flink has them: in the places of a binary heap, kept as Java's is.

use super::run::Run;
use std::collections::VecDeque;

/// Matches in the places of a heap.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue(Vec<Run>);

impl Queue {
    /// Matches in these places.
    pub(super) fn of(runs: Vec<Run>) -> Self {
        Queue(runs)
    }

    /// All, in their places.
    pub(super) fn runs(&self) -> &[Run] {
        &self.0
    }

    /// All, in their places; none are left.
    pub(super) fn take(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.0)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that begins first.
    pub(super) fn first(&self) -> Option<&Run> {
        self.0.first()
    }

    /// Adds one at the end; it rises past those that begin later.
    pub(super) fn add(&mut self, run: Run) {
        let mut at = self.0.len();
        self.0.push(run);
        while at > 0 {
            let above = (at - 1) / 2;
            if self.0[at].start >= self.0[above].start {
                break;
            }
            self.0.swap(at, above);
            at = above;
        }
    }

    /// Takes the first out.
    pub(super) fn pop(&mut self) -> Option<Run> {
        let last = self.0.pop()?;
        match self.0.first_mut() {
            None => Some(last),
            Some(first) => {
                let first = std::mem::replace(first, last);
                self.sink(0);
                Some(first)
            }
        }
    }

    /// Drops those for which `goes` holds.
    pub(super) fn drop_where(&mut self, goes: impl Fn(&Run) -> bool) {
        let before = self.0.len();
        self.0.retain(|run| !goes(run));
        if self.0.len() < before {
            (0..self.0.len() / 2).rev().for_each(|at| self.sink(at));
        }
    }

    /// Lets one sink below those that begin earlier.
    fn sink(&mut self, mut at: usize) {
        loop {
            let left = 2 * at + 1;
            let Some(mut below) = self.0.get(left).map(|_| left) else { return };
            if self.0.get(left + 1).is_some_and(|right| self.0[left].start > right.start) {
                below = left + 1;
            }
            if self.0[at].start <= self.0[below].start {
                return;
            }
            self.0.swap(at, below);
            at = below;
        }
    }
}

/// Rows of one key, in order, by number; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: VecDeque<Box<[u8]>>,
    /// The number of the first row.
    pub(super) first: u64,
    /// Length of all.
    pub(super) bytes: usize,
}

impl Rows {
    /// Rows from this number on.
    #[cfg(test)]
    pub(super) fn from(first: u64) -> Self {
        Rows { first, ..Rows::default() }
    }

    /// The number of the next row.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.rows.len() as u64)
    }

    pub(super) fn push(&mut self, row: &[u8]) {
        self.bytes += row.len();
        self.rows.push_back(row.into());
    }

    pub(super) fn get(&self, number: u64) -> Option<&[u8]> {
        self.rows.get(usize::try_from(number.checked_sub(self.first)?).ok()?).map(AsRef::as_ref)
    }

    /// Lets go of the rows in front of a number.
    pub(super) fn drop_before(&mut self, number: u64) {
        while self.first < number
            && let Some(row) = self.rows.pop_front()
        {
            self.bytes -= row.len();
            self.first += 1;
        }
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u64, number: u32) -> Run {
        Run { start, counts: vec![number], ..Run::default() }
    }

    fn numbers(queue: &Queue) -> Vec<u32> {
        queue.runs().iter().map(|run| run.counts[0]).collect()
    }

    /// What java.util.PriorityQueue of OpenJDK 17 has in its places after the same calls.
    #[test]
    fn those_that_begin_together_stand_as_in_javas_queue() {
        let mut queue = Queue::default();
        for (number, start) in [5, 3, 3, 5, 1, 3].into_iter().enumerate() {
            queue.add(run(start, number as u32));
        }
        assert_eq!(numbers(&queue), [4, 1, 2, 3, 0, 5]);
        assert_eq!(queue.pop().map(|run| run.counts[0]), Some(4));
        assert_eq!(numbers(&queue), [5, 1, 2, 3, 0]);
        queue.drop_where(|run| run.counts[0] == 1);
        assert_eq!(numbers(&queue), [5, 2, 3, 0]);
    }

    #[test]
    fn rows_go_from_the_front() {
        let mut rows = Rows::from(7);
        ["a", "bc", "d"].iter().for_each(|row| rows.push(row.as_bytes()));
        rows.drop_before(9);
        assert_eq!((rows.first, rows.next(), rows.bytes), (9, 10, 1));
        assert_eq!((rows.get(8), rows.get(9), rows.get(10)), (None, Some("d".as_bytes()), None));
    }
}
