//! Rows with the value that their key had in a table at their time.

use super::join::WithValue;
use super::keyed::add;
use super::plain::Maybe;
use super::process::{Context, Logic, MapState, Processing, States};
use super::table::Entry;
use super::{Key, KeyedStream, Program, Row};
use crate::batch::{EventTime, StreamKind};
use crate::source::Policy;
use crate::topology::NodeId;
use std::marker::PhantomData;
use std::sync::Arc;

/// A table that knows what each key had at any time that is not over yet: see [`super::Source::versioned`].
pub struct VersionedTable<K, A> {
    program: Program,
    node: NodeId,
    entries: PhantomData<fn() -> (K, A)>,
}

impl<K, A> Clone for VersionedTable<K, A> {
    fn clone(&self) -> Self {
        VersionedTable { program: self.program.clone(), node: self.node, entries: PhantomData }
    }
}

impl<K, A> std::fmt::Debug for VersionedTable<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VersionedTable<{}, {}>", std::any::type_name::<K>(), std::any::type_name::<A>())
    }
}

impl<K, A> VersionedTable<K, A> {
    pub(super) fn at(program: Program, node: NodeId) -> Self {
        VersionedTable { program, node, entries: PhantomData }
    }
}

impl<K: Key, T: Row> KeyedStream<K, T> {
    /// Each row with the value that its key had in a table at the row's time; rows whose key had none are left out. A row
    /// waits until the watermark of both is there, for until then the value may become another: see
    /// [`super::Source::versioned`].
    pub fn join_as_of<A: Row, U: Row>(
        self,
        table: VersionedTable<K, A>,
        f: impl Fn(T, &A) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_version("inner", table, move |row, value| value.map(|value| f(row, value)))
    }

    /// Each row with the value that its key had in a table at the row's time, if it had one.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let titles = program.source::<String>("titles").record_time(Duration::ZERO).versioned::<String>();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let titled = |page: String, title: Option<&String>| title.cloned().unwrap_or(page);
    /// clicks.key_by(|page| page.clone()).left_join_as_of(titles, titled).to("titled");
    /// program.topology().unwrap();
    /// ```
    pub fn left_join_as_of<A: Row, U: Row>(
        self,
        table: VersionedTable<K, A>,
        f: impl Fn(T, Option<&A>) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_version("left", table, move |row, value| Some(f(row, value)))
    }

    fn join_version<A: Row, U: Row>(
        self,
        how: &str,
        table: VersionedTable<K, A>,
        f: impl Fn(T, Option<&A>) -> Option<U> + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        let of = [std::any::type_name::<T>(), std::any::type_name::<A>()];
        let (detail, f) = (format!("{how} of {} with {}", of[0], of[1]), Arc::new(f));
        let make = move |states: &mut States| AsOf {
            versions: states.map("versions"),
            waiting: states.map("waiting rows"),
            f: Arc::clone(&f) as _,
            key: PhantomData::<fn() -> K>,
        };
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        program.must_be_timed(is_timed, "a join as of a time");
        let processing = Processing {
            what: "AsOfJoin",
            detail,
            make: Arc::new(make),
            inputs: vec![StreamKind::Append, StreamKind::Upsert],
            is_timed,
            late: Policy::Skip,
        };
        let nodes = [self.settle(), table.node];
        let (node, _) = add::<K, _>(&program, processing, &nodes);
        KeyedStream::at(program, node, is_timed)
    }
}

/// Versions by the time from which they hold, and rows that wait until no version of their time can come any more.
struct AsOf<K, T, A, U> {
    versions: MapState<EventTime, Maybe<A>>,
    waiting: MapState<EventTime, Vec<T>>,
    f: WithValue<T, A, U>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, T: Row, A: Row, U: Row> AsOf<K, T, A, U> {
    fn answer(&self, cx: &mut Context<'_, U>, row: T, time: EventTime) {
        let versions = self.versions.entries(cx);
        let version = versions.and_then(|versions| versions.range(..=time).next_back());
        if let Some(row) = (self.f)(row, version.and_then(|(_, value)| value.0.as_ref())) {
            cx.emit_at(row, time);
        }
    }

    /// Lets go of what no row can ask for once all up to a time have been answered.
    fn forget(&self, cx: &mut Context<'_, U>, until: EventTime) {
        let held = |time: &EventTime| *time <= until;
        let Some(versions) = self.versions.entries(cx) else { return };
        let old = versions.keys().filter(|time| held(time)).count();
        let newest = versions.range(..=until).next_back().map(|(time, value)| (*time, value.0.is_none()));
        let Some((newest, is_deletion)) = newest else { return };
        if old > 1 || is_deletion {
            self.versions.update(cx, |versions| {
                versions.retain(|time, _| !held(time) || (*time == newest && !is_deletion));
            });
        }
    }
}

impl<K: Key, T: Row, A: Row, U: Row> Logic for AsOf<K, T, A, U> {
    type Left = T;
    type Right = Entry<K, A>;
    type Out = U;

    fn left(&mut self, cx: &mut Context<'_, U>, row: T) {
        let (time, watermark) = (cx.time(), cx.watermark());
        if time < watermark {
            return cx.drop_late();
        }
        // A row of exactly the watermark's time has nothing to wait for.
        if time == watermark {
            return self.answer(cx, row, time);
        }
        self.waiting.update(cx, |waiting| waiting.entry(time).or_default().push(row));
        cx.set_timer(time);
    }

    fn right(&mut self, cx: &mut Context<'_, U>, entry: Entry<K, A>) {
        let (time, watermark) = (cx.time(), cx.watermark());
        let is_over = |versions: &std::collections::BTreeMap<_, _>| {
            time < watermark && versions.range(time + 1..=watermark).next().is_some()
        };
        if self.versions.entries(cx).is_some_and(is_over) {
            return cx.drop_late();
        }
        self.versions.insert(cx, time, Maybe(entry.value));
        match time <= watermark {
            true => self.forget(cx, watermark),
            false => cx.set_timer(time),
        }
    }

    fn timer(&mut self, cx: &mut Context<'_, U>, time: EventTime) {
        for row in self.waiting.remove(cx, &time).unwrap_or_default() {
            self.answer(cx, row, time);
        }
        self.forget(cx, time);
    }
}
