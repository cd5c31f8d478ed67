//! Tables and streams read from topics: what a source declares, and how its records become batches.
//!
//! A [`SourceSpec`] is part of the plan. Per task its [`Decoder`] turns runs of records into rows; what could not be
//! decoded is handled by the table's [`Policy`] here, in one place for every format.

use crate::batch::{EventTime, Ops, Payload, StreamKind};
use crate::error::OperatorError;
use crate::feed::Feed;
use crate::formats::Lookup;
use crate::meaning::SourceMeaning;
use crate::records::{Offset, Records, TopicPartition};
use arrow::buffer::ScalarBuffer;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// How often topics are looked at when nothing else is said: Flink's default.
pub const DISCOVERY_INTERVAL_MS: u64 = 300_000;

/// What to do with a record or row that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Stop the task with an error that names the record.
    #[default]
    Fail,
    /// Count it and go on.
    Skip,
    /// Count it, write its record to the source's dead-letter topic, and go on.
    DeadLetter,
}

/// Where a job that has no journal yet begins to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Startup {
    /// At the group's committed offsets; where there are none, at the beginning.
    #[default]
    GroupOffsets,
    /// At the first record.
    Earliest,
    /// Behind the last record.
    Latest,
    /// At the first record whose timestamp is not before this, milliseconds since 1970.
    Timestamp(i64),
    /// At these offsets by partition; other partitions as with [`Startup::GroupOffsets`].
    Offsets(BTreeMap<u32, Offset>),
}

/// Where reading ends. The offsets are fixed once per job, when it first starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Bounded {
    /// Never.
    #[default]
    Unbounded,
    /// At the end of the topic as it was when the job first started.
    Latest,
    /// At the group's committed offsets.
    GroupOffsets,
    /// At the first record whose timestamp is not before this, milliseconds since 1970.
    Timestamp(i64),
    /// At these offsets by partition; other partitions have no end.
    Offsets(BTreeMap<u32, Offset>),
}

/// How event time passes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTimeSpec {
    /// How far behind the largest time seen the watermark trails, milliseconds.
    pub out_of_orderness_ms: i64,
    /// How far ahead of the clock a row's time may be and still move the watermark, milliseconds.
    pub max_future_ms: i64,
    /// Whether every row is to have the watermark of its moment, not only those behind it: for operators whose state goes
    /// by it whatever row comes.
    pub every_row: bool,
    /// Whether the times of rows are clock readings: the watermark then follows the clock, rows or no rows.
    pub by_clock: bool,
}

impl EventTimeSpec {
    /// Event time whose watermark trails by so much, of rows that are in time unless they are behind it.
    pub fn new(out_of_orderness_ms: i64, max_future_ms: i64) -> Self {
        EventTimeSpec { out_of_orderness_ms, max_future_ms, every_row: false, by_clock: false }
    }
}

impl std::fmt::Display for EventTimeSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.by_clock {
            true => f.write_str("watermark by the clock"),
            false => write!(f, "watermark {} ms behind", self.out_of_orderness_ms),
        }
    }
}

/// A source of the plan.
#[derive(Debug, Clone)]
pub struct SourceSpec {
    /// The table's name, as messages call it.
    pub table: String,
    /// The topics it reads; partition `n` of each goes to task `n`.
    pub topics: Vec<String>,
    /// Which topics these are, where they are found when the job starts: until then the pattern stands among them.
    pub pattern: Option<Arc<dyn TopicPattern>>,
    /// What its one topic is when it is none of the log.
    pub feed: Option<Arc<dyn Feed>>,
    /// How records become rows.
    pub decoder: Arc<dyn DecoderSpec>,
    /// What the rows mean.
    pub kind: StreamKind,
    /// How event time passes; `None` for a source without a watermark, which never holds the task's back.
    pub event_time: Option<EventTimeSpec>,
    /// How long a partition has to stay caught up with the end of the log until it no longer holds the watermark
    /// back, milliseconds.
    pub idle_timeout_ms: i64,
    /// How often a running job looks whether its topics are still the same and have the partitions that they had,
    /// milliseconds; `None`: never. They are looked at whenever a task is taken over.
    pub discovery_interval_ms: Option<u64>,
    /// Where a new job begins.
    pub startup: Startup,
    /// Where reading ends.
    pub bounded: Bounded,
    /// What happens to records that can't be decoded, and to those whose rows can't be computed further on.
    pub bad_records: Policy,
    /// Where dead letters of this source go. Has to be there when a policy of its rows is [`Policy::DeadLetter`].
    pub dead_letters: Option<DeadLetterSpec>,
}

/// Which topics a source reads that names none.
pub trait TopicPattern: Send + Sync + Debug {
    /// As it is written.
    fn text(&self) -> &str;

    /// Whether a topic is one of them.
    fn matches(&self, topic: &str) -> bool;
}

/// Where dead letters go, and which there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterSpec {
    /// The topic. It has to exist before the job starts.
    pub topic: String,
    /// Whether rows that come too late are among them: rows that might be are then accompanied by their records.
    pub late: bool,
}

impl SourceSpec {
    /// What it reads, whichever topics a pattern is found to name.
    pub fn reads(&self) -> String {
        match &self.pattern {
            Some(pattern) => pattern.text().to_owned(),
            None => self.topics.join(";"),
        }
    }

    /// Everything that gives the source's rows their meaning.
    pub fn describe(&self) -> String {
        let time = self.event_time.map_or("no watermark".to_owned(), |time| time.to_string());
        let from = self.feed.as_ref().map_or_else(|| self.reads(), |feed| feed.describe());
        format!("{} from {from}: {}; {time}", self.kind, self.decoder.describe())
    }
}

/// How the records of a source become rows.
pub trait DecoderSpec: Send + Sync + Debug {
    /// Format, columns and expressions, in one line.
    fn describe(&self) -> String;

    /// What its rows mean; `topics` says what they are read from. State is found again by it.
    fn meaning(&self, topics: &str) -> SourceMeaning;

    /// Whether rows are made of more than the value and the timestamp of their record.
    fn reads_more_than_values(&self) -> bool {
        true
    }

    /// Whether the time of a row is the timestamp of its record.
    fn time_is_of_records(&self) -> bool {
        false
    }

    /// What has to be got from elsewhere before these records can be decoded, and has not been yet. Decoding does no I/O:
    /// whoever reads gets it, and asks again.
    fn lacks(&self, _records: &Records) -> Option<Lookup> {
        None
    }

    /// A new decoder for one task.
    ///
    /// # Errors
    /// Any error fails the task.
    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError>;
}

/// Turns runs of records into rows. Keeps buffers, but no state: the same run at the same clock reading always gives
/// the same rows.
pub trait Decoder: Send {
    /// Decodes a run. Records that can't be decoded are left out of the rows and reported in [`Decoded::bad`].
    ///
    /// # Errors
    /// Only for what is wrong beyond single records.
    fn decode(
        &mut self,
        place: &TopicPartition,
        records: &Records,
        cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError>;
}

/// What decoding may depend on beside the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeCx {
    /// Clock reading of the step, milliseconds since 1970.
    pub now_ms: i64,
}

/// What a run of records decoded to.
#[derive(Debug)]
pub struct Decoded {
    /// The rows.
    pub rows: Payload,
    /// Event time of each row; the record's timestamp where the table declares none.
    pub times: ScalarBuffer<i64>,
    /// Change kind of each row.
    pub ops: Ops,
    /// By row: the index of its record in the run.
    pub records: Vec<u32>,
    /// Records that are not among the rows because they could not be decoded, in their order.
    pub bad: Vec<BadRecord>,
    /// Number of records of which no row comes, and that are not bad: without a value in a table of insertions, empty,
    /// or bad in a table whose format ignores that.
    pub skipped: u64,
    /// A watermark that a record declares, beside those that the rows' times make.
    pub watermark: Option<EventTime>,
}

/// A record that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Its index in the run.
    pub index: usize,
    /// Path of the field, if one is to blame.
    pub field: Option<String>,
    /// What is wrong.
    pub detail: String,
}
