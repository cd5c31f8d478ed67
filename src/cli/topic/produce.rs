//! Writing records from a file or standard input.

mod rows;

use crate::cli::log_args::LogArgs;
use crate::cli::progress::{Counter, say};
use crate::cli::{Failure, signals};
use clap::{Args, ValueEnum};
use millstream::log::{LogError, RecordsBuilder, TopicPartition, Writer};
use millstream::operators::sink::partition_for_key;
use rows::{Input, Row, Rows};
use std::path::PathBuf;
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
/// How long to wait for the log to acknowledge.
const FLUSH: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
CSV needs a header line; its rows become JSON objects, with numbers as numbers. JSON input is one object a line, and is \
written as it is. A file that ends in .gz is unpacked on the way. Keys are written as text; records with a key go to \
the partition that Kafka's Java client would choose.

Example: millstream topic produce weather --format csv --file weather.csv.gz --key origin --timestamp time_hour --null NA")]
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
    /// Text that stands for null in CSV
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
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
}

impl ProduceArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let log = self.log.open_for_topics(false)?;
        let topic = log.admin()?.describe_topic(&self.name)?;
        let partitions = topic.ok_or_else(|| LogError::UnknownTopic(self.name.clone()))?.partitions;
        let input = Input::open(self.file.as_deref())?;
        let rows = input.rows(self.format, self.key, self.timestamp, self.null)?;
        let asked_to_end = signals::watch(Some("ending: writing what has been read"))?;
        let mut producer = Producer::new(log.writer()?, &self.name, partitions, self.rate);
        let written = producer.write_all(&read_ahead(rows)?, &asked_to_end);
        // What was handed over before an error is there all the same; how much of it is said.
        let flushed = producer.finish();
        say(&format!("wrote {} records to {}", producer.count, self.name));
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

struct Producer<'a> {
    writer: Box<dyn Writer>,
    topic: &'a str,
    batches: Vec<RecordsBuilder>,
    held_records: usize,
    held_bytes: usize,
    held_since: Instant,
    /// Where the next batch of records without a key goes.
    turn: u32,
    pace: Pace,
    /// Records taken so far.
    count: u64,
}

impl<'a> Producer<'a> {
    fn new(writer: Box<dyn Writer>, topic: &'a str, partitions: u32, rate: Option<u64>) -> Self {
        Producer {
            writer,
            topic,
            batches: (0..partitions).map(|_| RecordsBuilder::default()).collect(),
            held_records: 0,
            held_bytes: 0,
            held_since: Instant::now(),
            turn: 0,
            pace: Pace { rate, start: Instant::now() },
            count: 0,
        }
    }

    /// Writes rows until there are no more, or the command is to end.
    fn write_all(
        &mut self,
        rows: &Receiver<Result<Row, Failure>>,
        asked_to_end: &AtomicBool,
    ) -> Result<(), Failure> {
        let counter = Counter::new(&format!("records written to {}", self.topic));
        loop {
            if asked_to_end.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted("interrupted before the end of the input".to_owned()));
            }
            match rows.recv_timeout(LINGER) {
                Ok(row) => self.add(&row?)?,
                Err(RecvTimeoutError::Timeout) => self.send()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            counter.set(self.count);
        }
    }

    fn add(&mut self, row: &Row) -> Result<(), Failure> {
        if row.value.len() > RECORD_BYTES_MAX {
            return Err(Failure::Io(format!("a record of {} bytes is too large", row.value.len())));
        }
        if self.held_bytes + row.value.len() > BATCH_BYTES {
            self.send()?;
        }
        if self.pace.is_ahead(self.count) {
            self.send()?;
            self.pace.wait(self.count);
        }
        let partitions = self.batches.len() as u32;
        let partition = match &row.key {
            Some(key) => partition_for_key(key.as_bytes(), partitions),
            None => self.turn % partitions,
        };
        let key = row.key.as_ref().map(|key| key.as_bytes());
        if self.held_records == 0 {
            self.held_since = Instant::now();
        }
        self.batches[partition as usize].push(key, Some(&row.value), row.timestamp_ms);
        self.held_records += 1;
        self.held_bytes += row.value.len();
        self.count += 1;
        // A source that trickles faster than the time-out must not hold records back either.
        let is_due = self.held_records >= BATCH_RECORDS
            || (self.held_records.is_multiple_of(32) && self.held_since.elapsed() >= LINGER);
        if is_due { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.held_records == 0 {
            return Ok(());
        }
        (self.held_records, self.held_bytes) = (0, 0);
        self.turn = self.turn.wrapping_add(1);
        for (partition, batch) in (0..).zip(&mut self.batches) {
            if !batch.is_empty() {
                let records = std::mem::take(batch).finish();
                self.writer.write(&TopicPartition::new(self.topic, partition), records)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.send()?;
        Ok(self.writer.flush(FLUSH)?)
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
