//! Joins of streams: with a table, and with each other in a window of event time.

use super::process::{Context, ListState, Logic, ValueState};
use super::table::Entry;
use super::{Key, Row};
use crate::batch::EventTime;
use crate::source::Policy;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a row and the value of its key.
pub(super) type WithValue<T, A, U> = Arc<dyn Fn(T, Option<&A>) -> Option<U> + Send + Sync>;

/// Rows with what a table has of their keys when they come.
pub(super) struct StreamTable<K, T, A, U> {
    pub(super) table: ValueState<A>,
    pub(super) f: WithValue<T, A, U>,
    pub(super) key: PhantomData<fn() -> K>,
}

impl<K: Key, T: Row, A: Row, U: Row> Logic for StreamTable<K, T, A, U> {
    type Left = T;
    type Right = Entry<K, A>;
    type Out = U;

    fn left(&mut self, cx: &mut Context<'_, U>, row: T) {
        if let Some(row) = (self.f)(row, self.table.get(cx)) {
            cx.emit(row);
        }
    }

    fn right(&mut self, cx: &mut Context<'_, U>, entry: Entry<K, A>) {
        match entry.value {
            Some(value) if !cx.is_retraction() => self.table.set(cx, value),
            _ => self.table.clear(cx),
        }
    }
}

/// How near each other in event time two rows have to be to be joined.
///
/// ```
/// use millstream_operators::typed::Within;
/// use std::time::Duration;
/// let ten = Duration::from_secs(10);
/// let near = Within::both(ten);
/// let paid = Within::after(Duration::from_secs(3_600)).grace(ten);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    before_ms: i64,
    after_ms: i64,
    grace_ms: i64,
    pub(super) late: Policy,
}

impl Within {
    /// The other row is at most this much before or after.
    pub fn both(distance: Duration) -> Self {
        Within { before_ms: millis(distance), ..Within::after(distance) }
    }

    /// The other row comes at the same time or later, by at most this much.
    pub fn after(distance: Duration) -> Self {
        Within { before_ms: 0, after_ms: millis(distance), grace_ms: 0, late: Policy::Skip }
    }

    /// The other row comes at the same time or earlier, by at most this much.
    pub fn before(distance: Duration) -> Self {
        Within { before_ms: millis(distance), ..Within::after(Duration::ZERO) }
    }

    /// How far behind the watermark a row may be and still be joined.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace_ms = millis(grace);
        self
    }

    /// What happens to rows that come later: they are counted and left out, when nothing is said.
    pub fn late(mut self, policy: Policy) -> Self {
        self.late = policy;
        self
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "from {} ms before to {} ms after, grace {} ms",
            self.before_ms, self.after_ms, self.grace_ms
        )
    }
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What becomes of two rows that meet, and of one that meets none.
pub(super) type WithOther<T, R, U> = Arc<dyn Fn(Option<&T>, Option<&R>) -> Option<U> + Send + Sync>;

/// A row that waits for those of the other stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held<T> {
    time: EventTime,
    row: T,
    has_met: bool,
}

/// Rows of two streams that are near each other: each is kept until no row can come any more that it would meet.
pub(super) struct InWindow<T, R, U> {
    pub(super) left: ListState<Held<T>>,
    pub(super) right: ListState<Held<R>>,
    pub(super) within: Within,
    /// Which sides' rows are emitted alone when they have met none.
    pub(super) alone: [bool; 2],
    pub(super) f: WithOther<T, R, U>,
}

impl<T, R, U> InWindow<T, R, U> {
    /// When the rows of a side go.
    fn end(&self, time: EventTime, reach_ms: i64) -> EventTime {
        time.saturating_add(reach_ms).saturating_add(self.within.grace_ms)
    }

    fn is_late(&self, cx: &Context<'_, U>) -> bool {
        self.end(cx.time(), 0) <= cx.watermark()
    }
}

impl<T: Row, R: Row, U: Row> Logic for InWindow<T, R, U> {
    type Left = T;
    type Right = R;
    type Out = U;

    fn left(&mut self, cx: &mut Context<'_, U>, row: T) {
        if self.is_late(cx) {
            return cx.drop_late();
        }
        let (time, Within { before_ms, after_ms, .. }) = (cx.time(), self.within);
        let near = time.saturating_sub(before_ms)..=time.saturating_add(after_ms);
        let pair = |held: &R| (self.f)(Some(&row), Some(held));
        let has_met = meet(cx, &self.right, near, time, pair);
        self.left.push(cx, Held { time, row, has_met });
        cx.set_timer(self.end(time, after_ms));
    }

    fn right(&mut self, cx: &mut Context<'_, U>, row: R) {
        if self.is_late(cx) {
            return cx.drop_late();
        }
        let (time, Within { before_ms, after_ms, .. }) = (cx.time(), self.within);
        let near = time.saturating_sub(after_ms)..=time.saturating_add(before_ms);
        let pair = |held: &T| (self.f)(Some(held), Some(&row));
        let has_met = meet(cx, &self.left, near, time, pair);
        self.right.push(cx, Held { time, row, has_met });
        cx.set_timer(self.end(time, before_ms));
    }

    fn timer(&mut self, cx: &mut Context<'_, U>, moment: EventTime) {
        for held in gone(cx, &self.left, |time| self.end(time, self.within.after_ms) <= moment) {
            if self.alone[0]
                && !held.has_met
                && let Some(row) = (self.f)(Some(&held.row), None)
            {
                cx.emit_at(row, held.time);
            }
        }
        for held in gone(cx, &self.right, |time| self.end(time, self.within.before_ms) <= moment) {
            if self.alone[1]
                && !held.has_met
                && let Some(row) = (self.f)(None, Some(&held.row))
            {
                cx.emit_at(row, held.time);
            }
        }
    }
}

/// Pairs a row of a time with those of the other side that are near; whether there were any.
fn meet<V: Row, U>(
    cx: &mut Context<'_, U>,
    others: &ListState<Held<V>>,
    near: std::ops::RangeInclusive<EventTime>,
    time: EventTime,
    pair: impl Fn(&V) -> Option<U>,
) -> bool {
    let is_near = |held: &Held<V>| near.contains(&held.time);
    if !others.get(cx).iter().any(is_near) {
        return false;
    }
    // Only what has not met another yet changes.
    if others.get(cx).iter().any(|held| is_near(held) && !held.has_met) {
        others.update(cx, |held| {
            held.iter_mut().filter(|held| is_near(held)).for_each(|held| held.has_met = true)
        });
    }
    let pairs: Vec<(U, EventTime)> = others
        .get(cx)
        .iter()
        .filter(|held| is_near(held))
        .filter_map(|held| Some((pair(&held.row)?, held.time.max(time))))
        .collect();
    pairs.into_iter().for_each(|(row, time)| cx.emit_at(row, time));
    true
}

/// Takes the rows of a side that go.
fn gone<V: Row, U>(
    cx: &mut Context<'_, U>,
    held: &ListState<Held<V>>,
    goes: impl Fn(EventTime) -> bool,
) -> Vec<Held<V>> {
    if !held.get(cx).iter().any(|held| goes(held.time)) {
        return Vec::new();
    }
    held.update(cx, |held| held.extract_if(.., |held| goes(held.time)).collect())
}
