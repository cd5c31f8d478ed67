//! All that a function over the rows of a key can reach while it runs.

use super::output::{Output, Placed, SideRows};
use super::states::{AnyState, Kept};
use super::{Side, states};
use crate::batch::EventTime;
use crate::expression::Failure;
use crate::keys::Slot;
use crate::kit::late::Around;
use crate::kit::timers::Timers;
use crate::records::{Headers, Offset};
use crate::typed::{Key, Row};
use crate::{OperatorError, brief};

/// What a [`super::ProcessFunction`] can reach: time, timers, outputs, the record that a row is. States are reached through
/// their handles, which take it as an argument.
pub struct Context<'a, O> {
    pub(super) key: &'a [u8],
    pub(super) time: EventTime,
    pub(super) watermark: EventTime,
    /// Whether time passes at all.
    pub(super) is_timed: bool,
    pub(super) states: &'a mut [Box<dyn AnyState>],
    /// By state: the slot of the key.
    pub(super) slots: &'a [Slot],
    pub(super) timers: &'a mut Timers,
    pub(super) out: &'a mut Output<O>,
    pub(super) sides: &'a mut [Box<dyn SideRows>],
    /// The batch that the row is of, and where it stands; `None` in a timer.
    pub(super) row: Option<(&'a Around, usize)>,
    pub(super) verdict: Verdict,
}

/// What is to become of a row beside what the function did with it.
#[derive(Debug, Default)]
pub(super) enum Verdict {
    #[default]
    Fine,
    Late,
    Bad(Failure),
    Fatal(OperatorError),
}

/// The record that a row is.
#[derive(Debug, Clone, Copy)]
pub struct RecordInfo<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, milliseconds since 1970: not the event time, if that was declared to be something else.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
}

impl<O> std::fmt::Debug for Context<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("time", &self.time)
            .field("watermark", &self.watermark)
            .finish_non_exhaustive()
    }
}

impl<O> Context<'_, O> {
    /// The event time of the row, or the moment that the timer was set for.
    pub fn time(&self) -> EventTime {
        self.time
    }

    /// The watermark just before the row: everything up to it is complete, but for what comes late.
    pub fn watermark(&self) -> EventTime {
        self.watermark
    }

    /// Whether the row came after its time had passed.
    pub fn is_late(&self) -> bool {
        self.row.is_some() && self.is_timed && self.time <= self.watermark
    }

    /// Emits a row, with the time of the row that came or of the timer.
    pub fn emit(&mut self, row: O) {
        self.emit_at(row, self.time);
    }

    /// Emits a row with another time.
    pub fn emit_at(&mut self, row: O, time: EventTime) {
        let placed = Placed { key: self.key, time, bound: self.bound() };
        self.out.push(row, &placed);
    }

    /// Emits a row at a side output, with the time of the row that came or of the timer.
    ///
    /// # Panics
    /// When the side was declared for another function.
    pub fn emit_to<S: Row>(&mut self, side: &Side<S>, row: S) {
        let placed = Placed { key: self.key, time: self.time, bound: self.bound() };
        side.push(self.sides, row, &placed);
    }

    /// What those who read the output judge it by: a timer fires just before the watermark is what it was set for.
    fn bound(&self) -> EventTime {
        match self.row {
            Some(_) => self.watermark,
            None => self.time.saturating_sub(1),
        }
    }

    /// Sets a timer of the key. One that has passed already fires next; one that is set already stays one.
    ///
    /// ```
    /// # use millstream_operators::typed::Context;
    /// fn in_a_minute(cx: &mut Context<'_, String>) {
    ///     cx.set_timer(cx.time() + 60_000);
    /// }
    /// ```
    pub fn set_timer(&mut self, time: EventTime) {
        if !self.is_timed {
            let detail = "no timer of this stream ever fires; declare event time with event_time(..) where its topics are \
                          read"
                .to_owned();
            let error = OperatorError::Expression { expression: "set_timer".to_owned(), detail };
            self.verdict = Verdict::Fatal(error);
            return;
        }
        self.timers.set(time, &states::timer_of(0, self.key));
    }

    /// Removes a timer of the key.
    pub fn remove_timer(&mut self, time: EventTime) {
        self.timers.remove(time, &states::timer_of(0, self.key));
    }

    /// Counts the row as late, by the policy of the operator. What the function did stays done: say so first.
    pub fn drop_late(&mut self) {
        self.verdict = Verdict::Late;
    }

    /// Says that the row can't be used: the job fails, skips it or writes it to the dead letters, as was said where its topic
    /// is read. What the function did stays done: say so first.
    ///
    /// ```
    /// # use millstream_operators::typed::Context;
    /// fn checked(cx: &mut Context<'_, u64>, price: u64) {
    ///     match price {
    ///         0 => cx.reject("nothing is free"),
    ///         price => cx.emit(price),
    ///     }
    /// }
    /// ```
    pub fn reject(&mut self, why: impl Into<String>) {
        let detail = brief(&why.into()).into_owned();
        self.verdict = Verdict::Bad(Failure { what: "the row was rejected".to_owned(), detail });
    }

    /// The record that the row is: as long as it is one, which it is no longer behind a repartition topic, a window or a
    /// join, nor in a timer. A topic that is keyed by what it is partitioned by keeps its records with
    /// [`crate::typed::Stream::with_record`], wherever they go.
    ///
    /// ```
    /// # use millstream_operators::typed::Context;
    /// fn place(cx: &Context<'_, u64>) -> Option<String> {
    ///     cx.record().map(|record| format!("{}-{}@{}", record.topic, record.partition, record.offset))
    /// }
    /// ```
    pub fn record(&self) -> Option<RecordInfo<'_>> {
        let (around, row) = self.row?;
        let (run, record) = around.record(row)?;
        Some(RecordInfo {
            topic: &run.place.topic,
            partition: run.place.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            headers: record.headers,
        })
    }

    /// The key, read back; the job ends when it is none.
    pub(in crate::typed) fn key<K: Key>(&mut self) -> Option<K> {
        let key = K::read(self.key);
        if key.is_none() {
            let detail = format!("{:02x?} is no {}", self.key, std::any::type_name::<K>());
            self.verdict = Verdict::Fatal(OperatorError::CorruptState { operator: "key".to_owned(), detail });
        }
        key
    }

    /// Whether a row is taken back: the key of a table has gone.
    pub(in crate::typed) fn is_retraction(&self) -> bool {
        self.row.is_some_and(|(around, row)| around.sign(row) == -1)
    }

    pub(super) fn value<V: Row>(&self, at: usize) -> Option<&V> {
        let kept: &Kept<V> = states::known(self.states[at].as_any());
        kept.get(self.slots[at])
    }

    pub(super) fn change<V: Row, R>(&mut self, at: usize, f: impl FnOnce(&mut Option<V>) -> R) -> R {
        let kept: &mut Kept<V> = states::known_mut(self.states[at].as_any_mut());
        let (result, expires) = kept.change(self.slots[at], self.time, f);
        if let Some(moment) = expires {
            self.timers.set(moment, &states::timer_of(1 + at as u16, self.key));
        }
        result
    }
}
