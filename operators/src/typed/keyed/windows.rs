//! Rows of a keyed stream, some at a time: by event time, by number, and only the first.

use super::KeyedStream;
use crate::source::Policy;
use crate::typed::process::{Context, Logic, ValueState};
use crate::typed::window::{CountStream, SessionStream, SlidingStream, WindowStream, Windows};
use crate::typed::{Key, Row};
use std::marker::PhantomData;
use std::time::Duration;

impl<K: Key, T: Row> KeyedStream<K, T> {
    /// The first row of each key; others of the key are left out, until the watermark is `within` behind the first one's
    /// time. What is forgotten then makes the next row of the key a first one.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Payment { id: String, at: i64 }
    /// let program = Program::new();
    /// program.source::<Payment>("payments")
    ///     .event_time(|payment| payment.at, Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|payment| payment.id.clone())
    ///     .deduplicate(Duration::from_secs(3_600))
    ///     .to("payments once");
    /// program.topology().unwrap();
    /// ```
    pub fn deduplicate(self, within: Duration) -> KeyedStream<K, T> {
        let detail = format!("first of {} within {} ms", std::any::type_name::<T>(), within.as_millis());
        self.keyed_by("Deduplicate", detail, Policy::Skip, move |states| First {
            seen: states.expire_after(within).value("seen"),
            rows: PhantomData,
        })
    }

    /// Groups rows by windows in event time, too.
    ///
    /// ```
    /// # use millstream_operators::typed::{Program, Windows};
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// program.source::<String>("pages")
    ///     .record_time(Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|page| page.clone())
    ///     .windowed(Windows::tumbling(Duration::from_secs(60)).grace(Duration::from_secs(10)))
    ///     .count()
    ///     .to("views by minute");
    /// program.topology().unwrap();
    /// ```
    pub fn windowed(self, windows: Windows) -> WindowStream<K, T> {
        WindowStream::new(self, windows)
    }

    /// Groups rows by sessions, too: rows of a key that follow each other within a gap.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// program.source::<String>("users' clicks")
    ///     .record_time(Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|user| user.clone())
    ///     .sessions(Duration::from_secs(1_800))
    ///     .count()
    ///     .to("sessions");
    /// program.topology().unwrap();
    /// ```
    pub fn sessions(self, gap: Duration) -> SessionStream<K, T> {
        SessionStream::new(self, gap)
    }

    /// For each moment at which a key has rows, the rows of the key in the time that ends with it: emitted when the watermark
    /// reaches the moment, in the order of time. Where rows are many a window is folded anew for each; windows that begin
    /// at fixed times are cheaper.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let payments = program.source::<(String, u64)>("payments").record_time(Duration::from_secs(1)).stream();
    /// payments
    ///     .key_by(|(card, _)| card.clone())
    ///     .sliding(Duration::from_secs(600))
    ///     .aggregate(0, |sum, (_, cents)| sum + cents)
    ///     .filter(|spent| spent.value > 100_000)
    ///     .to("spent fast");
    /// program.topology().unwrap();
    /// ```
    pub fn sliding(self, size: Duration) -> SlidingStream<K, T> {
        SlidingStream::new(self, size)
    }

    /// The rows of each key by so many, whenever they come; with [`CountStream::every`] the last so many.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let prices = program.read::<(String, f64)>("prices").key_by(|(symbol, _)| symbol.clone());
    /// let sums = prices.clone().map_values(|(_, price)| price).last_rows(20).every(1).aggregate(0.0, |a, b| a + b);
    /// sums.map_values(|sum| sum / 20.0).to("moving averages");
    /// prices.last_rows(100).reduce(|_, last| last).to("each hundredth");
    /// program.topology().unwrap();
    /// ```
    pub fn last_rows(self, size: usize) -> CountStream<K, T> {
        CountStream::new(self, size)
    }
}

/// The first row of a key.
struct First<T> {
    seen: ValueState<()>,
    rows: PhantomData<fn() -> T>,
}

impl<T: Row> Logic for First<T> {
    type Left = T;
    type Right = ();
    type Out = T;

    fn left(&mut self, cx: &mut Context<'_, T>, row: T) {
        if self.seen.get(cx).is_none() {
            self.seen.set(cx, ());
            cx.emit(row);
        }
    }
}
