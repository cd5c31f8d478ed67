//! Writing records from a file or standard input.

mod rows;

use crate::cli::log_args::{LogArgs, key_value};
use crate::cli::output::counted;
use crate::cli::progress::{Counter, say};
use crate::cli::{Failure, signals};
use clap::{Args, ValueEnum};
use millstream::log::{LogError, RecordsBuilder, TopicPartition, Writer};
use millstream::operators::sink::partition_for_key;
use millstream::operators::{Headers, Record};
use rows::{Input, Row, Rows, Shape};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Records that are handed to the log at once.
const BATCH_RECORDS: usize = 1_000;
/// Bytes that are handed to the log at once.
const BATCH_BYTES: usize = 1 << 20;
/// The largest record: a batch has to stay far below 4 GiB. What a topic takes is less.
const RECORD_BYTES_MAX: usize = 1 << 30;
/// Rows that were read and wait to be written.
const QUEUE_ROWS: usize = 4_096;
/// How long a record waits for others at most before it is written.
const LINGER: Duration = Duration::from_millis(50);
/// How often the log is asked to acknowledge what it has taken, so that it is known how much is there.
const ACKNOWLEDGE: Duration = Duration::from_millis(500);
/// How soon, and how seldom at most, a log that is not ready is asked again.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long to wait for the log to acknowledge.
const FLUSH: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
CSV needs a header line; its rows become JSON objects, with numbers as numbers. JSON input is one object a line, and is \
written as it is; a line that is no JSON ends the command, and is named. A file that ends in .gz is unpacked on the way. \
Keys are written as text; records with a key go to the partition that Kafka's Java client would choose.

Examples:
  millstream topic produce weather --format csv --file weather.csv.gz --key origin --timestamp time_hour --null NA
  echo 'c7:' | millstream topic produce customers --format raw --key-delimiter : --null ''      # deletes c7
  millstream topic consume a --from-beginning --exit-at-end | millstream topic produce b --format record")]
pub(crate) struct ProduceArgs {
    /// Name of the topic; it has to be there
    name: String,
    /// What the input is
    #[arg(long, value_enum)]
    format: InputFormat,
    /// File to read; standard input when it is not given
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Column, or field of the object, whose text is the key
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Column or field with the record's time: milliseconds since 1970, or 2013-01-01T05:00:00Z, or
    /// 2013-01-01 05:00:00 (UTC). The time of writing when it is not given
    #[arg(long, value_name = "COLUMN")]
    timestamp: Option<String>,
    /// Text that ends the key at the beginning of each line of JSON or raw text: the value is what follows it
    #[arg(long, value_name = "TEXT", conflicts_with = "key", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_delimiter: Option<String>,
    /// Text that stands for null: in CSV for a cell, behind --key-delimiter for a value, which is then a tombstone: it
    /// deletes its key
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
    /// What separates the columns of CSV, for example ';', or '\\t' for a tabulator [default: ,]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Partition that all records go to
    #[arg(long, value_name = "N")]
    partition: Option<u32>,
    /// Header of all records. Can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    header: Vec<(String, String)>,
    /// Records a second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// One JSON object a line
    Json,
    /// Comma-separated values with a header
    Csv,
    /// Any text, a record a line
    Raw,
    /// What millstream topic consume prints: objects with value, and maybe key, headers, timestamp and partition
    Record,
}

/// One byte, or what stands for a tabulator.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("expected one ASCII character, or \\t".to_owned()),
    }
}

impl ProduceArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let log = self.log.open_for_topics(false)?;
        let topic = log.admin()?.describe_topic(&self.name)?;
        let partitions = topic.ok_or_else(|| LogError::UnknownTopic(self.name.clone()))?.partitions;
        if let Some(partition) = self.partition.filter(|partition| *partition >= partitions) {
            let (name, last) = (&self.name, partitions.saturating_sub(1));
            return Err(Failure::Usage(format!(
                "--partition {partition}: {name} has the partitions 0 to {last}"
            )));
        }
        let input = Input::open(self.file.as_deref())?;
        let of_input = input.name.clone();
        let shape = Shape {
            key: self.key,
            key_delimiter: self.key_delimiter,
            timestamp: self.timestamp,
            null: self.null,
            delimiter: self.delimiter,
        };
        let rows = input.rows(self.format, shape)?;
        let asked_to_end = signals::watch(Some("ending: writing what has been read"))?;
        let to = Destination {
            topic: self.name,
            input: of_input,
            partition: self.partition,
            headers: self.header,
        };
        let mut producer = Producer::new(log.writer()?, to, partitions, self.rate, asked_to_end);
        let written = producer.write_all(&read_ahead(rows)?);
        // What was handed over before an error is there all the same; how much of it is said.
        let flushed = producer.finish();
        say(&producer.summary());
        written.and(flushed)
    }
}

/// Reads on a thread of its own, so that what has come is written while more is waited for.
fn read_ahead(rows: Rows) -> Result<Receiver<Result<Row, Failure>>, Failure> {
    let (to_write, received) = sync_channel(QUEUE_ROWS);
    let thread = std::thread::Builder::new().name("input".to_owned());
    let thread = thread.spawn(move || {
        for row in rows {
            let failed = row.is_err();
            if to_write.send(row).is_err() || failed {
                return;
            }
        }
    });
    thread.map_err(|error| Failure::Io(format!("can't start a thread: {error}")))?;
    Ok(received)
}

/// Where records go.
struct Destination {
    topic: String,
    /// The input's name, for messages.
    input: String,
    /// The partition of all of them.
    partition: Option<u32>,
    /// Headers of all of them.
    headers: Vec<(String, String)>,
}

/// Records for a partition that are handed to the log at once.
#[derive(Default)]
struct Held {
    records: RecordsBuilder,
    /// The line of each.
    lines: Vec<u64>,
}

struct Producer {
    writer: Box<dyn Writer>,
    to: Destination,
    held: Vec<Held>,
    held_records: usize,
    held_bytes: usize,
    held_since: Instant,
    /// Where the next batch of records without a key goes.
    turn: u32,
    pace: Pace,
    /// Records read so far.
    read: u64,
    /// Records that the log has taken, and those it has acknowledged, as of when.
    accepted: u64,
    acknowledged: u64,
    acknowledged_at: Instant,
    asked_to_end: Arc<AtomicBool>,
}

impl Producer {
    fn new(
        writer: Box<dyn Writer>,
        to: Destination,
        partitions: u32,
        rate: Option<u64>,
        asked_to_end: Arc<AtomicBool>,
    ) -> Self {
        Producer {
            writer,
            to,
            held: (0..partitions).map(|_| Held::default()).collect(),
            held_records: 0,
            held_bytes: 0,
            held_since: Instant::now(),
            turn: 0,
            pace: Pace { rate, start: Instant::now() },
            read: 0,
            accepted: 0,
            acknowledged: 0,
            acknowledged_at: Instant::now(),
            asked_to_end,
        }
    }

    /// Writes rows until there are no more, or the command is to end.
    fn write_all(&mut self, rows: &Receiver<Result<Row, Failure>>) -> Result<(), Failure> {
        let counter = Counter::new(&format!("records written to {}", self.to.topic));
        loop {
            if self.asked_to_end.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted("interrupted before the end of the input".to_owned()));
            }
            match rows.recv_timeout(LINGER) {
                Ok(row) => self.add(row?)?,
                Err(RecvTimeoutError::Timeout) => self.send()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            counter.set(self.read);
        }
    }

    fn add(&mut self, row: Row) -> Result<(), Failure> {
        let bytes = row.key.as_ref().map_or(0, Vec::len) + row.value.as_ref().map_or(0, Vec::len);
        if bytes > RECORD_BYTES_MAX {
            return Err(self.wrong(row.line, &format!("a record of {bytes} bytes is too large")));
        }
        if self.held_bytes + bytes > BATCH_BYTES {
            self.send()?;
        }
        if self.pace.is_ahead(self.read) {
            self.send()?;
            self.pace.wait(self.read);
        }
        let partition = self.partition_of(&row)?;
        if self.held_records == 0 {
            self.held_since = Instant::now();
        }
        let Held { records, lines } = &mut self.held[partition];
        lines.push(row.line);
        let record = Record {
            offset: 0,
            timestamp_ms: row.timestamp_ms,
            key: row.key.as_deref(),
            value: row.value.as_deref(),
            headers: Headers::NONE,
        };
        let of_all = self.to.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes())));
        let own = row.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        records.push_with_headers(record, of_all.chain(own));
        self.held_records += 1;
        self.held_bytes += bytes;
        self.read += 1;
        // A source that trickles faster than the time-out must not hold records back either.
        let is_due = self.held_records >= BATCH_RECORDS
            || (self.held_records.is_multiple_of(32) && self.held_since.elapsed() >= LINGER);
        if is_due { self.send() } else { Ok(()) }
    }

    /// Where a record goes: where it is told, else where its key belongs, else by turns.
    fn partition_of(&self, row: &Row) -> Result<usize, Failure> {
        let partitions = self.held.len() as u32;
        let partition = match (self.to.partition.or(row.partition), &row.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_for_key(key, partitions),
            (None, None) => self.turn % partitions,
        };
        if partition < partitions {
            return Ok(partition as usize);
        }
        let topic = &self.to.topic;
        Err(self.wrong(
            row.line,
            &format!("{topic} has no partition {partition}, only {partitions}; leave partition out, or give --partition"),
        ))
    }

    fn wrong(&self, line: u64, detail: &str) -> Failure {
        Failure::Io(format!("{}, line {line}: {detail}", self.to.input))
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.held_records == 0 {
            return Ok(());
        }
        (self.held_records, self.held_bytes) = (0, 0);
        self.turn = self.turn.wrapping_add(1);
        for partition in 0..self.held.len() {
            let Held { records, lines } = std::mem::take(&mut self.held[partition]);
            if lines.is_empty() {
                continue;
            }
            let records = records.finish();
            let place = TopicPartition::new(self.to.topic.as_str(), partition as u32);
            // A log that is not ready has taken nothing of them.
            match patiently(&self.asked_to_end, || self.writer.write(&place, records.clone())) {
                Ok(()) => self.accepted += lines.len() as u64,
                Err(error @ LogError::RecordTooLarge { bytes, .. }) => {
                    let at = records.iter().position(|record| record.data_bytes() == bytes);
                    return Err(match at.and_then(|at| lines.get(at)) {
                        Some(line) => self.wrong(*line, &error.to_string()),
                        None => error.into(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.acknowledged_at.elapsed() >= ACKNOWLEDGE { self.acknowledge() } else { Ok(()) }
    }

    /// Waits until the log has everything that it has taken.
    fn acknowledge(&mut self) -> Result<(), Failure> {
        patiently(&self.asked_to_end, || self.writer.flush(FLUSH))?;
        (self.acknowledged, self.acknowledged_at) = (self.accepted, Instant::now());
        Ok(())
    }

    /// Hands over what is held, and waits until everything that the log has taken is acknowledged.
    fn finish(&mut self) -> Result<(), Failure> {
        let sent = self.send();
        sent.and(self.acknowledge())
    }

    /// What is there for sure, and what may be.
    fn summary(&self) -> String {
        let (topic, wrote) = (&self.to.topic, counted(self.acknowledged, "record"));
        match self.accepted - self.acknowledged {
            0 => format!("wrote {wrote} to {topic}"),
            more => {
                format!("wrote {wrote} to {topic}; of {more} more it is not known how many of them are there")
            }
        }
    }
}

/// Asks again, less and less often, while the log is not ready: a disk that is full may be made room on. Says so once.
fn patiently(
    asked_to_end: &AtomicBool,
    mut call: impl FnMut() -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut pause = PAUSE_MIN;
    loop {
        let reason = match call() {
            Err(LogError::NotReady(reason)) if !asked_to_end.load(Ordering::Relaxed) => reason,
            done => return done,
        };
        if pause == PAUSE_MIN {
            say(&format!("waiting: {reason}"));
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(PAUSE_MAX);
    }
}

/// Keeps to a rate: records become due evenly from the start.
struct Pace {
    rate: Option<u64>,
    start: Instant,
}

impl Pace {
    /// How long it takes until the record after `count` others is due.
    fn early(&self, count: u64) -> Duration {
        match self.rate {
            None => Duration::ZERO,
            Some(rate) => {
                let due = Duration::from_secs_f64(count as f64 / rate as f64);
                due.saturating_sub(self.start.elapsed())
            }
        }
    }

    /// Whether it is worth waiting.
    fn is_ahead(&self, count: u64) -> bool {
        self.early(count) >= Duration::from_millis(5)
    }

    fn wait(&self, count: u64) {
        std::thread::sleep(self.early(count));
    }
}
