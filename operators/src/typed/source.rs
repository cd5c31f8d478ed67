//! Where a typed stream or table is read.

use super::json::{JsonEntries, JsonRows, RowTime, TimeOf};
use super::table::Keyed;
use super::versioned::VersionedTable;
use super::{Key, Program, ReadOptions, Row, Stream, Table};
use crate::batch::{EventTime, StreamKind};
use crate::source::{
    Bounded, DISCOVERY_INTERVAL_MS, DeadLetterSpec, DecoderSpec, EventTimeSpec, Policy, SourceSpec, Startup,
};
use crate::topology::{NodeId, NodeSpec, TopologyError};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// How far ahead of the clock a row's time may be and still move the watermark, milliseconds: as in SQL.
const MAX_FUTURE_MS: i64 = 86_400_000;

/// A topic about to be read: see [`Program::source`].
///
/// ```
/// use millstream_operators::typed::{Policy, Program, Startup};
/// use std::time::Duration;
/// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
/// # struct Click { at: i64 }
/// let program = Program::new();
/// program.source::<Click>("clicks")
///     .event_time(|click| click.at, Duration::from_secs(10))
///     .startup(Startup::Earliest)
///     .bad_records(Policy::Skip)
///     .stream()
///     .to("copies");
/// program.topology().unwrap();
/// ```
#[must_use = "a topic is read once stream() or table() is called"]
pub struct Source<T> {
    program: Program,
    topic: String,
    options: ReadOptions,
    time: RowTime<T>,
    event_time: Option<EventTimeSpec>,
    idle_after: Duration,
}

impl<T> std::fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source<{}> {}", std::any::type_name::<T>(), self.topic)
    }
}

impl<T: Row> Source<T> {
    pub(super) fn new(program: Program, topic: &str) -> Self {
        Source {
            program,
            topic: topic.to_owned(),
            options: ReadOptions::default(),
            time: RowTime::Record,
            event_time: None,
            idle_after: Duration::from_secs(5),
        }
    }

    /// Declares event time: what a row's is, in milliseconds since 1970, and how far out of order rows may come. The
    /// watermark trails the largest time seen by that much; windows, timers and joins go by it.
    pub fn event_time(
        mut self,
        time: impl Fn(&T) -> EventTime + Send + Sync + 'static,
        out_of_orderness: Duration,
    ) -> Self {
        self = self.record_time(out_of_orderness);
        self.time = RowTime::Of(Arc::new(time));
        self
    }

    /// Declares the time of rows to be what the clock reads when they are read: windows, timers and joins then go by the
    /// clock, rows or no rows. The reading is recorded with the step, so that a commit that is run again sees the same.
    ///
    /// ```
    /// # use millstream_operators::typed::{Program, Windows};
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").clock_time().stream();
    /// let by_minute = clicks.key_by(|page| page.clone()).windowed(Windows::tumbling(Duration::from_secs(60)));
    /// by_minute.count().to("clicks of the minute before");
    /// program.topology().unwrap();
    /// ```
    pub fn clock_time(mut self) -> Self {
        // More rows may come at the same reading.
        self = self.record_time(Duration::from_millis(1));
        self.event_time = self.event_time.map(|time| EventTimeSpec { by_clock: true, ..time });
        self.time = RowTime::Clock;
        self
    }

    /// Declares event time to be the timestamps of the records.
    pub fn record_time(mut self, out_of_orderness: Duration) -> Self {
        self.time = RowTime::Record;
        let out_of_orderness_ms = i64::try_from(out_of_orderness.as_millis()).unwrap_or(i64::MAX);
        self.event_time = Some(EventTimeSpec {
            out_of_orderness_ms,
            max_future_ms: MAX_FUTURE_MS,
            every_row: true,
            by_clock: false,
        });
        self
    }

    /// How far ahead of the clock a row's time may be and still move the watermark: a day, when nothing is said.
    pub fn max_future(mut self, ahead: Duration) -> Self {
        if let Some(event_time) = &mut self.event_time {
            event_time.max_future_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        }
        self
    }

    /// How long a partition has to be quiet until it no longer holds the watermark back: five seconds, when nothing is said.
    pub fn idle_after(mut self, quiet: Duration) -> Self {
        self.idle_after = quiet;
        self
    }

    /// Where a new job begins.
    pub fn startup(mut self, startup: Startup) -> Self {
        self.options.startup = startup;
        self
    }

    /// Where reading ends.
    pub fn bounded(mut self, bounded: Bounded) -> Self {
        self.options.bounded = bounded;
        self
    }

    /// What happens to records that are no `T`, and to rows that a function rejects.
    pub fn bad_records(mut self, policy: Policy) -> Self {
        self.options.bad_records = policy;
        self
    }

    /// The topic for dead letters, of bad records and of late rows; it has to be there.
    pub fn dead_letters(mut self, topic: &str) -> Self {
        self.options.dead_letters = Some(topic.to_owned());
        self
    }

    pub(super) fn options(mut self, options: ReadOptions) -> Self {
        self.options = options;
        self
    }

    /// Reads the topic as rows, one after the other: its values, as JSON.
    pub fn stream(self) -> Stream<T> {
        let decoder = Arc::new(JsonRows { time: self.time.clone() });
        let node = self.add(decoder, StreamKind::Append, self.event_time);
        Stream::at(self.program, node, self.event_time.is_some())
    }

    /// Reads the topic as a table: by key of its records the last value, as JSON, and none after a record without one.
    ///
    /// A table is as its topic was read so far: a join finds what is there when its row comes. Where it is joined with a
    /// stream, rows come to the partition of the table that their key is in, as Kafka's own clients choose it.
    pub fn table<K: Key>(self) -> Table<K, T> {
        let node = self.entries::<K>(None, None);
        Table::at(self.program, node)
    }

    /// Reads the topic as a table that knows what each key had at any time that is not over yet, by event time. A record
    /// without a value has its own timestamp.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Rate { from: i64, euros: f64 }
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Order { at: i64, currency: String, amount: f64 }
    /// let program = Program::new();
    /// let rates = program.source::<Rate>("rates").event_time(|rate| rate.from, Duration::ZERO).versioned::<String>();
    /// program.source::<Order>("orders")
    ///     .event_time(|order| order.at, Duration::from_secs(10))
    ///     .stream()
    ///     .key_by(|order| order.currency.clone())
    ///     .join_as_of(rates, |order, rate| order.amount * rate.euros)
    ///     .to("in euros");
    /// program.topology().unwrap();
    /// ```
    pub fn versioned<K: Key>(self) -> VersionedTable<K, T> {
        self.program.must_be_timed(self.event_time.is_some(), "a versioned table");
        let time = match &self.time {
            RowTime::Record => None,
            RowTime::Of(time) => Some(Arc::clone(time)),
            RowTime::Clock => {
                let message = "the versions of a table have times of their own: read it with event_time(..) or \
                               record_time(..), or as a table()";
                self.program.fail(TopologyError { node: self.topic.clone(), message: message.to_owned() });
                None
            }
        };
        let node = self.entries::<K>(time, self.event_time);
        VersionedTable::at(self.program, node)
    }

    fn entries<K: Key>(&self, time: Option<TimeOf<T>>, event_time: Option<EventTimeSpec>) -> NodeId {
        let decoder = Arc::new(JsonEntries::<K, T> { time, key: PhantomData });
        let node = self.add(decoder, StreamKind::Upsert, event_time);
        let keyed = NodeSpec::Operator(Arc::new(Keyed::<K, T>(PhantomData)));
        self.program.add(&format!("{} by key", self.topic), keyed, &[node])
    }

    fn add(
        &self,
        decoder: Arc<dyn DecoderSpec>,
        kind: StreamKind,
        event_time: Option<EventTimeSpec>,
    ) -> NodeId {
        let ReadOptions { startup, bounded, bad_records, dead_letters } = self.options.clone();
        self.program.must_be_new(&self.topic);
        let spec = SourceSpec {
            table: self.topic.clone(),
            topics: vec![self.topic.clone()],
            pattern: None,
            feed: None,
            decoder,
            kind,
            event_time,
            idle_timeout_ms: i64::try_from(self.idle_after.as_millis()).unwrap_or(i64::MAX),
            discovery_interval_ms: Some(DISCOVERY_INTERVAL_MS),
            startup,
            bounded,
            bad_records,
            dead_letters: dead_letters.map(|topic| DeadLetterSpec { topic, late: event_time.is_some() }),
        };
        self.program.add(&self.topic, NodeSpec::Source(Arc::new(spec)), &[])
    }
}
