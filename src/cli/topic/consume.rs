//! Printing the records of a topic.

use crate::cli::log_args::LogArgs;
use crate::cli::output::written;
use crate::cli::progress::say;
use crate::cli::text::Text;
use crate::cli::{Failure, signals};
use clap::{Args, ValueEnum};
use millstream::log::{Isolation, Log, LogError, OffsetQuery, Reader, ReaderOptions, Run, TopicPartition};
use millstream::operators::Record;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a poll waits before it is looked whether the command is to end.
const POLL: Duration = Duration::from_millis(200);
/// How long nothing comes until it is said what is waited for.
const WAITING_IS_SAID_AFTER: Duration = Duration::from_secs(2);
const OUTPUT_BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is an object with topic, partition, offset, timestamp (milliseconds since 1970), key, value and headers. Keys \
and values are text; bytes that are not text appear as {\"base64\": ..}; a missing key and a tombstone are null. The \
records of a partition are in order, partitions are not.

Example: millstream topic consume counts --from-beginning --exit-at-end | jq -r .value")]
pub(crate) struct ConsumeArgs {
    /// Name of the topic
    name: String,
    /// Begin at the first record, not behind the last
    #[arg(long)]
    from_beginning: bool,
    /// End at what is the end of the topic now, instead of waiting for more. Transactions that are open there are waited for:
    /// what they write is in front of the end
    #[arg(long)]
    exit_at_end: bool,
    /// Which records to show
    #[arg(long, value_enum, default_value_t = IsolationArg::ReadCommitted)]
    isolation: IsolationArg,
    /// How to print a record
    #[arg(long, value_enum, default_value_t = OutputArg::Json)]
    output: OutputArg,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IsolationArg {
    /// Records of committed transactions only
    #[value(name = "read_committed")]
    ReadCommitted,
    /// Also records of open transactions, and what the log has of aborted ones
    #[value(name = "read_uncommitted")]
    ReadUncommitted,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OutputArg {
    /// One JSON object a line
    Json,
}

impl ConsumeArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let OutputArg::Json = self.output;
        let log = self.log.open_for_topics(false)?;
        let asked_to_end = signals::watch(None)?;
        let mut consumer = self.start(&*log)?;
        let mut out = BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, io::stdout().lock());
        while !consumer.is_done() && !asked_to_end.load(Ordering::Relaxed) {
            if !written(consumer.turn(&mut out)?)? {
                return Ok(());
            }
        }
        written(out.flush()).map(|_| ())
    }

    fn start(&self, log: &dyn Log) -> Result<Consumer, Failure> {
        let isolation = match self.isolation {
            IsolationArg::ReadCommitted => Isolation::ReadCommitted,
            IsolationArg::ReadUncommitted => Isolation::ReadUncommitted,
        };
        let mut admin = log.admin()?;
        let topic = admin.describe_topic(&self.name)?;
        let topic = topic.ok_or_else(|| LogError::UnknownTopic(self.name.clone()))?;
        let places: Vec<TopicPartition> = (0..topic.partitions)
            .map(|partition| TopicPartition::new(self.name.as_str(), partition))
            .collect();
        // An open transaction hides what was committed behind it: the end is that of all records, and is waited for.
        let ends = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)?;
        let starts = match self.from_beginning {
            true => admin.offsets(&places, OffsetQuery::Earliest, isolation)?,
            false => ends.clone(),
        };
        let unread = places.iter().cloned().zip(starts.iter().zip(&ends));
        let unread = unread.filter(|(_, (start, end))| start < end).map(|(place, (_, end))| (place, *end));
        let until = self.exit_at_end.then(|| unread.collect());
        let mut reader = log.reader(&ReaderOptions::new(isolation))?;
        reader.assign(&places.into_iter().zip(starts).collect::<Vec<_>>())?;
        Ok(Consumer { reader, until, progress: Some(Instant::now()) })
    }
}

struct Consumer {
    reader: Box<dyn Reader>,
    /// Partitions with records left to print, and where to stop; `None` for never.
    until: Option<BTreeMap<TopicPartition, u64>>,
    /// When it last got further; `None` once it has been said that it waits.
    progress: Option<Instant>,
}

impl Consumer {
    fn is_done(&self) -> bool {
        self.until.as_ref().is_some_and(BTreeMap::is_empty)
    }

    /// Prints what there is. The inner error is one of the output.
    fn turn(&mut self, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
        let mut runs = Vec::new();
        match self.reader.poll(POLL, &mut runs) {
            Ok(()) => {}
            Err(error) if error.is_retriable() => {}
            Err(error) => return Err(error.into()),
        }
        for run in &runs {
            if let Err(error) = self.print(run, out) {
                return Ok(Err(error));
            }
        }
        if let Some(until) = &mut self.until {
            until.retain(|place, end| !is_at(&*self.reader, &runs, place, *end));
            self.note_waiting(!runs.is_empty());
        }
        // Who waits for more wants to see what there is.
        Ok(if self.until.is_none() { out.flush() } else { Ok(()) })
    }

    /// Says where it waits, once, when nothing has come for a while.
    fn note_waiting(&mut self, got_further: bool) {
        let (Some((place, end)), Some(since)) =
            (self.until.as_ref().and_then(BTreeMap::first_key_value), self.progress)
        else {
            return;
        };
        if got_further {
            self.progress = Some(Instant::now());
        } else if since.elapsed() > WAITING_IS_SAID_AFTER {
            let position = self.reader.status(place).map_or(0, |status| status.position);
            say(&format!(
                "waiting at offset {position} of {end} in partition {} of {}: a transaction may be open there, until it is \
                 committed or times out; --isolation read_uncommitted does not wait",
                place.partition, place.topic
            ));
            self.progress = None;
        }
    }

    fn print(&self, Run { place, records }: &Run, out: &mut impl Write) -> io::Result<()> {
        let end = match &self.until {
            None => u64::MAX,
            Some(until) => until.get(place).copied().unwrap_or(0),
        };
        for record in records.iter().filter(|record| record.offset < end) {
            serde_json::to_writer(&mut *out, &Line::new(place, &record))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Whether everything before `end` has been handed out.
fn is_at(reader: &dyn Reader, runs: &[Run], place: &TopicPartition, end: u64) -> bool {
    let read =
        runs.iter().filter(|run| run.place == *place).filter_map(|run| run.records.next_offset()).max();
    let position = reader.status(place).map_or(0, |status| status.position);
    position.max(read.unwrap_or(0)) >= end
}

/// A record as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    partition: u32,
    offset: u64,
    timestamp: i64,
    key: Option<Text<'a>>,
    value: Option<Text<'a>>,
    headers: Vec<HeaderLine<'a>>,
}

#[derive(Serialize)]
struct HeaderLine<'a> {
    key: &'a str,
    value: Option<Text<'a>>,
}

impl<'a> Line<'a> {
    fn new(place: &'a TopicPartition, record: &Record<'a>) -> Self {
        let header = |(key, value): (&'a str, Option<&'a [u8]>)| HeaderLine { key, value: value.map(Text) };
        Line {
            topic: &place.topic,
            partition: place.partition,
            offset: record.offset,
            timestamp: record.timestamp_ms,
            key: record.key.map(Text),
            value: record.value.map(Text),
            headers: record.headers.iter().map(header).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream::operators::{Headers, RecordsBuilder};

    #[test]
    fn bytes_that_are_no_text_and_headers_are_shown() {
        let mut builder = RecordsBuilder::default();
        let record = Record {
            offset: 7,
            timestamp_ms: 5,
            key: Some(b"\xff\x00"),
            value: None,
            headers: Headers::NONE,
        };
        builder.push_with_headers(record, [("trace", Some(&b"x\"y"[..])), ("none", None)]);
        let records = builder.finish();
        let line = serde_json::to_string(&Line::new(&TopicPartition::new("t", 3), &records.get(0))).unwrap();
        let expected = concat!(
            r#"{"topic":"t","partition":3,"offset":7,"timestamp":5,"key":{"base64":"/wA="},"value":null,"#,
            r#""headers":[{"key":"trace","value":"x\"y"},{"key":"none","value":null}]}"#
        );
        assert_eq!(line, expected);
    }
}
