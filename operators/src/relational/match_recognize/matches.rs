//! What there is of matches in the rows of one key, and what a row does to it.
//!
//! The order in which matches become known is Flink's. One that is whole waits as long as another that began before it is
//! still open; then it comes out, and what overlaps it goes by what `AFTER MATCH` says: open matches, and whole ones that
//! wait.

use super::automaton::{Automaton, DONE, Successor};
use super::pattern::AfterMatch;
use super::queue::{Queue, Rows};
use super::run::Run;
use super::source::Kept;
use crate::OperatorError;
use crate::batch::EventTime;

/// Open matches, and whole ones that wait, that one key may have.
pub(super) const MATCHES_MAX: usize = 4_096;

/// Rows of one key that matches may be made of.
pub(super) const ROWS_MAX: usize = 65_536;

/// What is looked for, once the names are gone.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) automaton: Automaton,
    pub(super) variables: usize,
    pub(super) after: AfterMatch,
    pub(super) within_ms: Option<i64>,
    pub(super) kept: Kept,
    /// Names for messages.
    pub(super) names: Vec<String>,
}

/// The matches of a key. Without any it has no value.
#[derive(Debug)]
pub(crate) struct Matches {
    pub(super) rows: Rows,
    /// The moment that is set for the key.
    pub(super) armed: Option<EventTime>,
    /// Those that are not whole, and what every match begins as.
    pub(super) open: Queue,
    /// Whole ones that wait for one that began before them.
    pub(super) whole: Queue,
}

/// Takes a match that is known, at its time.
pub(super) type Found<'a> = dyn FnMut(&Run, &Rows, EventTime) + 'a;

impl Matches {
    pub(super) fn new(search: &Search) -> Self {
        let mut open = Queue::default();
        open.add(Run::new(search.automaton.start, search.variables, search.kept.no_sums()));
        Matches { rows: Rows::default(), armed: None, open, whole: Queue::default() }
    }

    /// Whether nothing of any match is there.
    pub(super) fn are_none(&self) -> bool {
        self.whole.is_empty() && self.open.runs().iter().all(Run::is_new)
    }

    /// Whether all rows of all matches are there.
    pub(super) fn are_within_rows(&self) -> bool {
        let within = |run: &Run| {
            let length = run.counts.iter().try_fold(0u64, |sum, count| sum.checked_add((*count).into()));
            let end = length.and_then(|length| run.start.checked_add(length));
            run.is_new() || run.start >= self.rows.first && end.is_some_and(|end| end <= self.rows.next())
        };
        self.open.runs().iter().chain(self.whole.runs()).all(within)
    }

    /// When the oldest open match has taken too long.
    pub(super) fn due(&self, search: &Search) -> Option<EventTime> {
        let within = search.within_ms?;
        let began = self.open.first().filter(|run| !run.is_new())?.began;
        Some(began.saturating_add(within))
    }

    /// Lets time pass: open matches that take too long go, and what has waited for them is known.
    pub(super) fn advance(
        &mut self,
        until: EventTime,
        search: &Search,
        found: &mut Found<'_>,
    ) -> Result<(), OperatorError> {
        while let Some(due) = self.due(search).filter(|due| *due <= until) {
            let within = search.within_ms.unwrap_or(EventTime::MAX);
            let stays = |run: &Run| run.is_new() || due < run.began.saturating_add(within);
            let mut open = Queue::default();
            self.open.take().into_iter().filter(stays).for_each(|run| open.add(run));
            self.open = open;
            self.release(due, search, found)?;
        }
        Ok(())
    }

    /// Takes the next row in, which was pushed to the rows, at its time. `holds` says whether the condition of a variable
    /// does for a match, by its place.
    pub(super) fn take_row(
        &mut self,
        time: EventTime,
        search: &Search,
        mut holds: impl FnMut(usize, usize) -> Result<bool, OperatorError>,
        found: &mut Found<'_>,
    ) -> Result<(), OperatorError> {
        let number = self.rows.next() - 1;
        let row = self.rows.get(number).unwrap_or_default();
        let (mut open, mut whole) = (Queue::default(), Queue::default());
        let mut successors: Vec<Successor> = Vec::new();
        for (place, run) in self.open.take().into_iter().enumerate() {
            search.automaton.successors(run.state, |variable| holds(place, variable), &mut successors)?;
            for successor in &successors {
                let next = extended(&run, *successor, (number, time, row), search);
                if successor.state == DONE { whole.add(next) } else { open.add(next) }
            }
            if run.is_new() {
                open.add(run);
            }
        }
        self.open = open;
        whole.take().into_iter().for_each(|run| self.whole.add(run));
        self.release(time, search, found)?;
        self.forget_rows();
        self.check_size(search)
    }

    /// Lets whole matches out that nothing is waited for with, and with each of them what overlaps it.
    fn release(
        &mut self,
        time: EventTime,
        search: &Search,
        found: &mut Found<'_>,
    ) -> Result<(), OperatorError> {
        loop {
            let Some(earliest) = self.whole.first() else { return Ok(()) };
            if self.open.first().is_some_and(|open| open.start < earliest.start) {
                return Ok(());
            }
            let Some(known) = self.whole.pop() else { return Ok(()) };
            let (until, included) = search.skips(&known)?;
            let goes = |run: &Run| !run.is_new() && (run.start < until || included && run.start == until);
            self.open.drop_where(goes);
            self.whole.drop_where(goes);
            found(&known, &self.rows, time);
        }
    }

    /// Lets go of rows that no match has.
    fn forget_rows(&mut self) {
        let starts = self.open.first().into_iter().chain(self.whole.first()).map(|run| run.start);
        let first = starts.min().unwrap_or(u64::MAX).min(self.rows.next());
        self.rows.drop_before(first);
    }

    fn check_size(&self, search: &Search) -> Result<(), OperatorError> {
        let matches = self.open.len() + self.whole.len();
        let detail = match (matches > MATCHES_MAX, self.rows.iter().len() > ROWS_MAX) {
            (true, _) => format!("one key has more than {MATCHES_MAX} matches that are not whole"),
            (_, true) => format!("one key has a match of more than {ROWS_MAX} rows that is not whole"),
            _ => return Ok(()),
        };
        let help = "give the pattern an end: WITHIN INTERVAL '..' behind PATTERN, a condition for every variable with * or +, \
                    or another PARTITION BY";
        Err(search.failed(format!("{detail}; {help}")))
    }
}

/// A match with one more row.
fn extended(run: &Run, to: Successor, (number, time, row): (u64, EventTime, &[u8]), search: &Search) -> Run {
    let mut next = run.clone();
    next.state = to.state;
    if run.is_new() {
        (next.start, next.began) = (number, time);
    }
    if let Some(count) = next.counts.get_mut(to.variable) {
        *count += 1;
    }
    search.kept.add_row(&mut next.sums, row, to.variable);
    next
}

impl Search {
    /// Up to which row others may not begin once a match is known, and whether not with that either.
    fn skips(&self, known: &Run) -> Result<(u64, bool), OperatorError> {
        let (variable, from_end) = match self.after {
            AfterMatch::PastLastRow => return Ok((known.start + known.length().saturating_sub(1), true)),
            AfterMatch::ToNextRow => return Ok((known.start, true)),
            AfterMatch::ToFirst(variable) => (variable, 1),
            AfterMatch::ToLast(variable) => (variable, 0),
        };
        let (before, count) = known.rows_of(variable);
        let name = self.names.get(variable).cloned().unwrap_or_default();
        if count == 0 {
            return Err(self.failed(format!(
                "AFTER MATCH would go on at a row of {name}, and a match has none: go on at another variable, or PAST LAST ROW"
            )));
        }
        let to = if from_end == 1 { before } else { before + count - 1 };
        if to == 0 {
            return Err(self.failed(format!(
                "AFTER MATCH would go on at a row of {name} that is the first of its match, and find it again for ever: go on \
                 TO NEXT ROW or PAST LAST ROW"
            )));
        }
        Ok((known.start + to, false))
    }

    /// What ends a job.
    pub(super) fn failed(&self, detail: String) -> OperatorError {
        OperatorError::Expression {
            expression: format!("MATCH_RECOGNIZE of {}", self.names.join(" ")),
            detail,
        }
    }
}
