//! Windows that end at each row of a key: what has happened in the last minutes, each time something happens.

use super::Windowed;
use crate::batch::EventTime;
use crate::source::Policy;
use crate::typed::fold::FoldRow;
use crate::typed::join::millis;
use crate::typed::keyed::{folding, reducing};
use crate::typed::process::{Context, Logic, MapState};
use crate::typed::{Key, KeyedStream, Row};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// For each moment at which a key has rows, the rows of the key until then: see [`KeyedStream::sliding`].
#[derive(Debug, Clone)]
#[must_use = "windows are read once they are counted, reduced or aggregated"]
pub struct SlidingStream<K, T> {
    stream: KeyedStream<K, T>,
    size: Duration,
    late: Policy,
}

impl<K, T> SlidingStream<K, T> {
    pub(in crate::typed) fn new(stream: KeyedStream<K, T>, size: Duration) -> Self {
        SlidingStream { stream, size, late: Policy::Skip }
    }

    /// What happens to rows whose moment has passed: they are counted and left out, when nothing is said.
    pub fn late(mut self, policy: Policy) -> Self {
        self.late = policy;
        self
    }
}

impl<K: Key + Row, T: Row> SlidingStream<K, T> {
    /// The number of rows of each window.
    pub fn count(self) -> KeyedStream<K, Windowed<K, u64>> {
        self.folded("count", Arc::new(|count, _| count.unwrap_or(0) + 1))
    }

    /// Combines the rows of each window, two at a time, in the order of their times.
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> KeyedStream<K, Windowed<K, T>> {
        self.folded("reduce", reducing(f))
    }

    /// Folds the rows of each window into a value that begins as `initial`, in the order of their times.
    pub fn aggregate<A: Row>(
        self,
        initial: A,
        f: impl Fn(A, T) -> A + Send + Sync + 'static,
    ) -> KeyedStream<K, Windowed<K, A>> {
        self.folded("aggregate", folding(initial, f))
    }

    fn folded<A: Row>(self, how: &str, fold: FoldRow<T, A>) -> KeyedStream<K, Windowed<K, A>> {
        let size_ms = millis(self.size).max(1);
        let (rows, values) = (std::any::type_name::<T>(), std::any::type_name::<A>());
        let detail = format!("{how} of {rows} of the last {size_ms} ms into {values}");
        self.stream.keyed_by("Sliding", detail, self.late, move |states| Sliding::<K, T, A> {
            rows: states.map("rows"),
            size_ms,
            fold: Arc::clone(&fold),
            key: PhantomData,
        })
    }
}

/// Rows by their times: those that wait for the watermark, and those that a later window takes in.
struct Sliding<K, T, A> {
    rows: MapState<EventTime, Vec<T>>,
    size_ms: i64,
    fold: FoldRow<T, A>,
    key: PhantomData<fn() -> K>,
}

impl<K, T, A> Sliding<K, T, A> {
    /// Where the window begins that ends with a moment.
    fn start(&self, time: EventTime) -> EventTime {
        time.saturating_add(1).saturating_sub(self.size_ms)
    }
}

impl<K: Key + Row, T: Row, A: Row> Logic for Sliding<K, T, A> {
    type Left = T;
    type Right = ();
    type Out = Windowed<K, A>;

    fn left(&mut self, cx: &mut Context<'_, Self::Out>, row: T) {
        if cx.is_late() {
            return cx.drop_late();
        }
        let time = cx.time();
        self.rows.update(cx, |rows| rows.entry(time).or_default().push(row));
        cx.set_timer(time);
    }

    fn timer(&mut self, cx: &mut Context<'_, Self::Out>, moment: EventTime) {
        let start = self.start(moment);
        let Some(rows) = self.rows.entries(cx) else { return };
        // Rows go when no window takes them in any more: the one that ends with this moment is the last for these.
        let (has_rows, has_old) = (rows.contains_key(&moment), rows.range(..=start).next().is_some());
        let last = rows.range(start..=moment).next_back().map(|(time, _)| *time);
        if has_rows {
            let seen = rows.range(start..=moment).flat_map(|(_, rows)| rows).cloned();
            let value = seen.fold(None, |value, row| Some((self.fold)(value, row)));
            if let (Some(value), Some(key)) = (value, cx.key::<K>()) {
                let (window_start, window_end) = (start, moment.saturating_add(1));
                cx.emit_at(Windowed { key, window_start, window_end, value }, moment);
            }
        }
        if has_old {
            self.rows.update(cx, |rows| rows.retain(|time, _| *time > start));
        }
        // The newest of them has to go, too, if nothing comes any more.
        if let Some(last) = last.filter(|last| *last > start) {
            cx.set_timer(last.saturating_add(self.size_ms - 1));
        }
    }
}
