//! Windows that are the same for all keys: tumbling and hopping.

use super::Windowed;
use crate::batch::EventTime;
use crate::source::Policy;
use crate::topology::TopologyError;
use crate::typed::fold::FoldRow;
use crate::typed::join::millis;
use crate::typed::keyed::{folding, reducing};
use crate::typed::process::{Context, Logic, MapState};
use crate::typed::{Key, KeyedStream, Row};
use crate::window::Window;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Windows in event time. A window closes when the watermark reaches its last millisecond, or later by the grace.
///
/// ```
/// use millstream_operators::typed::Windows;
/// use std::time::Duration;
/// let minute = Duration::from_secs(60);
/// let by_minute = Windows::tumbling(minute);
/// let last_five = Windows::hopping(5 * minute, minute).grace(minute);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    size: Duration,
    every: Duration,
    offset: Duration,
    grace: Duration,
    late: Policy,
}

impl Windows {
    /// Windows of a length, one behind the other.
    pub fn tumbling(size: Duration) -> Self {
        Windows::hopping(size, size)
    }

    /// Windows of a length, one of which begins `every` so often: a row is in several. The length has to be a multiple.
    pub fn hopping(size: Duration, every: Duration) -> Self {
        Windows { size, every, offset: Duration::ZERO, grace: Duration::ZERO, late: Policy::Skip }
    }

    /// Where one of the windows begins, from 1970 on: six hours for days that begin at six.
    pub fn offset(mut self, offset: Duration) -> Self {
        self.offset = offset;
        self
    }

    /// How long a window waits for late rows before it closes.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What happens to rows all of whose windows have closed: they are counted and left out, when nothing is said.
    pub fn late(mut self, policy: Policy) -> Self {
        self.late = policy;
        self
    }
}

/// Rows grouped by key and window.
#[derive(Debug, Clone)]
#[must_use = "windows are read once they are counted, reduced or aggregated"]
pub struct WindowStream<K, T> {
    stream: KeyedStream<K, T>,
    windows: Windows,
}

impl<K: Key + Row, T: Row> WindowStream<K, T> {
    /// The number of rows of each window.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let minute = Windows::tumbling(Duration::from_secs(60));
    /// clicks.key_by(|page| page.clone()).windowed(minute).count().to("views");
    /// program.topology().unwrap();
    /// ```
    pub fn count(self) -> KeyedStream<K, Windowed<K, u64>> {
        self.folded("count", Arc::new(|count, _| count.unwrap_or(0) + 1))
    }

    /// Combines the rows of each window, two at a time, in the order they come.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let minute = Windows::tumbling(Duration::from_secs(60));
    /// clicks.key_by(|page| page.len() as u64).windowed(minute).reduce(|a, b| a.max(b)).to("last by name");
    /// program.topology().unwrap();
    /// ```
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> KeyedStream<K, Windowed<K, T>> {
        self.folded("reduce", reducing(f))
    }

    /// Folds the rows of each window into a value that begins as `initial`.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let minute = Windows::tumbling(Duration::from_secs(60));
    /// let by_length = clicks.key_by(|page| page.len() as u64);
    /// by_length.windowed(minute).aggregate(0, |sum: u64, page| sum + page.len() as u64).to("letters");
    /// program.topology().unwrap();
    /// ```
    pub fn aggregate<A: Row>(
        self,
        initial: A,
        f: impl Fn(A, T) -> A + Send + Sync + 'static,
    ) -> KeyedStream<K, Windowed<K, A>> {
        self.folded("aggregate", folding(initial, f))
    }

    fn folded<A: Row>(self, what: &str, fold: FoldRow<T, A>) -> KeyedStream<K, Windowed<K, A>> {
        let Windows { size, every, offset, grace, late } = self.windows;
        let window = Window::new(millis(size), millis(every), millis(offset)).unwrap_or_else(|message| {
            self.stream.program.fail(TopologyError { node: "window".to_owned(), message });
            Window::MINUTE
        });
        let grace_ms = millis(grace);
        let (rows, values) = (std::any::type_name::<T>(), std::any::type_name::<A>());
        let detail = format!("{what} of {rows} into {values}, {}, grace {grace_ms} ms", window.describe());
        self.stream.keyed_by("Window", detail, late, move |states| Folding::<K, T, A> {
            open: states.map("open windows"),
            window,
            grace_ms,
            fold: Arc::clone(&fold),
            key: PhantomData,
        })
    }
}

impl<K, T> WindowStream<K, T> {
    pub(in crate::typed) fn new(stream: KeyedStream<K, T>, windows: Windows) -> Self {
        WindowStream { stream, windows }
    }
}

/// The windows of a key that are open, by their ends.
struct Folding<K, T, A> {
    open: MapState<EventTime, A>,
    window: Window,
    grace_ms: i64,
    fold: FoldRow<T, A>,
    key: PhantomData<fn() -> K>,
}

impl<K, T, A> Folding<K, T, A> {
    /// The moment at which the window with this end closes.
    fn closes(&self, end: EventTime) -> EventTime {
        super::closes(end, self.grace_ms)
    }
}

impl<K: Key + Row, T: Row, A: Row> Logic for Folding<K, T, A> {
    type Left = T;
    type Right = ();
    type Out = Windowed<K, A>;

    fn left(&mut self, cx: &mut Context<'_, Self::Out>, row: T) {
        let mut end = self.window.pane_end(cx.time());
        let last = self.window.last_window_of(end);
        while self.closes(end) <= cx.watermark() {
            if end >= last {
                return cx.drop_late();
            }
            end = end.saturating_add(self.window.slide_ms);
        }
        let mut begun = Vec::new();
        self.open.update(cx, |open| {
            loop {
                let value = open.remove(&end);
                if value.is_none() {
                    begun.push(end);
                }
                if end >= last {
                    open.insert(end, (self.fold)(value, row));
                    break;
                }
                open.insert(end, (self.fold)(value, row.clone()));
                end = end.saturating_add(self.window.slide_ms);
            }
        });
        begun.into_iter().for_each(|end| cx.set_timer(self.closes(end)));
    }

    fn timer(&mut self, cx: &mut Context<'_, Self::Out>, moment: EventTime) {
        let end = moment.saturating_sub(self.grace_ms).saturating_add(1);
        let (Some(value), Some(key)) = (self.open.remove(cx, &end), cx.key::<K>()) else { return };
        let window_start = self.window.start(end);
        cx.emit_at(Windowed { key, window_start, window_end: end, value }, end - 1);
    }
}
