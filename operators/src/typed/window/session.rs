//! Sessions: rows of a key that follow each other within a gap.

use super::Windowed;
use crate::batch::EventTime;
use crate::source::Policy;
use crate::typed::fold::FoldRow;
use crate::typed::join::millis;
use crate::typed::keyed::{folding, reducing};
use crate::typed::process::{Context, ListState, Logic};
use crate::typed::{Key, KeyedStream, Row};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Rows grouped by key and session. A session ends a gap behind its last row, and closes when the watermark reaches its last
/// millisecond, or later by the grace.
#[derive(Debug, Clone)]
#[must_use = "sessions are read once they are counted, reduced or aggregated"]
pub struct SessionStream<K, T> {
    stream: KeyedStream<K, T>,
    gap: Duration,
    grace: Duration,
    late: Policy,
}

impl<K, T> SessionStream<K, T> {
    pub(in crate::typed) fn new(stream: KeyedStream<K, T>, gap: Duration) -> Self {
        SessionStream { stream, gap, grace: Duration::ZERO, late: Policy::Skip }
    }

    /// How long a session waits for late rows before it closes.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What happens to rows whose own session would have closed, and that no open one takes in: they are counted and left
    /// out, when nothing is said.
    pub fn late(mut self, policy: Policy) -> Self {
        self.late = policy;
        self
    }
}

/// How two sessions that a row brings together become one.
type Merge<A> = Arc<dyn Fn(A, A) -> A + Send + Sync>;

impl<K: Key + Row, T: Row> SessionStream<K, T> {
    /// The number of rows of each session.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let by_page = clicks.key_by(|page| page.clone()).sessions(Duration::from_secs(60));
    /// by_page.grace(Duration::from_secs(5)).count().to("sessions");
    /// program.topology().unwrap();
    /// ```
    pub fn count(self) -> KeyedStream<K, Windowed<K, u64>> {
        let fold: FoldRow<T, u64> = Arc::new(|count, _| count.unwrap_or(0) + 1);
        self.folded("count", fold, Arc::new(|a, b| a + b))
    }

    /// Combines the rows of each session, two at a time.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let by_page = clicks.key_by(|page| page.clone()).sessions(Duration::from_secs(60));
    /// by_page.reduce(|a, b| a.max(b)).to("sessions");
    /// program.topology().unwrap();
    /// ```
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> KeyedStream<K, Windowed<K, T>> {
        let f = Arc::new(f);
        let merge = Arc::clone(&f);
        self.folded("reduce", reducing(move |a, b| f(a, b)), Arc::new(move |a, b| merge(a, b)))
    }

    /// Folds the rows of each session into a value that begins as `initial`; `merge` makes one of the values of two
    /// sessions, the earlier first, when a row between them brings them together.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let by_page = clicks.key_by(|page| page.clone()).sessions(Duration::from_secs(60));
    /// by_page.aggregate(0u64, |count, _| count + 1, |earlier, later| earlier + later).to("sessions");
    /// program.topology().unwrap();
    /// ```
    pub fn aggregate<A: Row>(
        self,
        initial: A,
        f: impl Fn(A, T) -> A + Send + Sync + 'static,
        merge: impl Fn(A, A) -> A + Send + Sync + 'static,
    ) -> KeyedStream<K, Windowed<K, A>> {
        self.folded("aggregate", folding(initial, f), Arc::new(merge))
    }

    fn folded<A: Row>(
        self,
        what: &str,
        fold: FoldRow<T, A>,
        merge: Merge<A>,
    ) -> KeyedStream<K, Windowed<K, A>> {
        let (gap_ms, grace_ms) = (millis(self.gap), millis(self.grace));
        let (rows, values) = (std::any::type_name::<T>(), std::any::type_name::<A>());
        let detail = format!("{what} of {rows} into {values}, gap {gap_ms} ms, grace {grace_ms} ms");
        self.stream.keyed_by("Sessions", detail, self.late, move |states| Sessions::<K, T, A> {
            open: states.list("open sessions"),
            gap_ms,
            grace_ms,
            fold: Arc::clone(&fold),
            merge: Arc::clone(&merge),
            key: PhantomData,
        })
    }
}

/// A session that is open.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open<A> {
    start: EventTime,
    end: EventTime,
    value: A,
}

/// The sessions of a key that are open, by their starts.
struct Sessions<K, T, A> {
    open: ListState<Open<A>>,
    gap_ms: i64,
    grace_ms: i64,
    fold: FoldRow<T, A>,
    merge: Merge<A>,
    key: PhantomData<fn() -> K>,
}

impl<K, T, A> Sessions<K, T, A> {
    /// The moment at which the session with this end closes.
    fn closes(&self, end: EventTime) -> EventTime {
        super::closes(end, self.grace_ms)
    }
}

impl<K: Key + Row, T: Row, A: Row> Logic for Sessions<K, T, A> {
    type Left = T;
    type Right = ();
    type Out = Windowed<K, A>;

    fn left(&mut self, cx: &mut Context<'_, Self::Out>, row: T) {
        let (time, own_end) = (cx.time(), cx.time().saturating_add(self.gap_ms));
        let takes_in = |session: &Open<A>| session.start <= own_end && time <= session.end;
        let is_alone = !self.open.get(cx).iter().any(takes_in);
        if is_alone && self.closes(own_end) <= cx.watermark() {
            return cx.drop_late();
        }
        let (fold, merge) = (&self.fold, &self.merge);
        let (before, end) = self.open.update(cx, |open| {
            let (mut start, mut end, mut value, mut ends) = (time, own_end, None, Vec::new());
            for session in open.extract_if(.., |session| takes_in(session)) {
                (start, end) = (start.min(session.start), end.max(session.end));
                ends.push(session.end);
                value = Some(match value {
                    None => session.value,
                    Some(earlier) => merge(earlier, session.value),
                });
            }
            let at = open.partition_point(|session| session.start < start);
            open.insert(at, Open { start, end, value: fold(value, row) });
            (ends, end)
        });
        for old in before.iter().filter(|old| **old != end) {
            cx.remove_timer(self.closes(*old));
        }
        if !before.contains(&end) {
            cx.set_timer(self.closes(end));
        }
    }

    fn timer(&mut self, cx: &mut Context<'_, Self::Out>, moment: EventTime) {
        let Some(key) = cx.key::<K>() else { return };
        let closed: Vec<Open<A>> = self
            .open
            .update(cx, |open| open.extract_if(.., |session| self.closes(session.end) <= moment).collect());
        for Open { start, end, value } in closed {
            let windowed = Windowed { key: key.clone(), window_start: start, window_end: end, value };
            cx.emit_at(windowed, end - 1);
        }
    }
}
