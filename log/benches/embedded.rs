//! What the embedded log costs per record: wall time and CPU time of the whole process, RocksDB's threads included.
//!
//! ```text
//! cargo bench -p millstream-log --bench embedded [-- NAME..]
//! RECORDS=10000000 cargo bench -p millstream-log --bench embedded -- append
//! ```
//!
//! Records are 300 bytes of JSON and key, in batches of 500 unless the name says otherwise. Files are made in the
//! directory for temporary files; `TMPDIR` chooses the disk. Reads from disk mostly come from the page cache.

use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions, SyncPolicy};
use millstream_log::{
    Isolation, Log, Reader, ReaderOptions, Records, RecordsBuilder, TopicPartition, TopicSpec,
    TransactionOptions,
};
use std::path::Path;
use std::time::{Duration, Instant};

const RECORD_BYTES: usize = 300;
const WAIT: Duration = Duration::from_secs(60);

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wanted =
        |name: &str| names.is_empty() || names.iter().any(|wanted| name.starts_with(wanted.as_str()));
    let records = number("RECORDS", 6_000_000);
    println!("{:<28}{:>12}{:>14}{:>12}{:>10}", "", "records/s", "per CPU-second", "MB/s", "CPU/wall");
    let cases: [(&str, fn(u64)); 9] = [
        ("append", |records| append(records, 500, 1, 1)),
        ("append-acked-by-8", |records| append(records, 500, 8, 1)),
        ("append-64-partitions", |records| append(records, 500, 8, 64)),
        ("append-small", |records| append(records / 30, 10, 1, 1)),
        ("append-single", |records| append(records / 100, 1, 1, 1)),
        ("append-always-4-writers", |records| append_always(records / 10, 4)),
        ("transactions", transactions),
        ("read-tail", read_tail),
        ("read", read),
    ];
    for (name, case) in cases {
        if wanted(name) {
            case(records);
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// User and system time of the process, seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    // The first field, a letter, is not among them.
    fields.get(10..12).map_or(f64::NAN, |times| times.iter().sum::<f64>() / 100.0)
}

/// Runs `work` and prints what its records cost.
fn measure(name: &str, records: u64, work: impl FnOnce()) {
    let (started, cpu) = (Instant::now(), cpu_seconds());
    work();
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let records = records as f64;
    println!(
        "{name:<28}{:>12.0}{:>14.0}{:>12.0}{:>10.2}",
        records / wall,
        records / cpu,
        records * RECORD_BYTES as f64 / wall / 1e6,
        cpu / wall
    );
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Batches that repeat: 64 different ones of bids on auctions.
fn batches(records: usize) -> Vec<Records> {
    let mut random = Random(88_172_645_463_325_252);
    let mut batch = || {
        let mut builder = RecordsBuilder::with_capacity(records, records * RECORD_BYTES);
        for _ in 0..records {
            let key = format!("{:016x}", random.next());
            let mut value = format!(
                "{{\"auction\":{},\"bidder\":{},\"price\":{},\"channel\":\"channel-{}\",\"url\":\
                 \"https://www.example.com/item.htm?query=1&channel_id={}\",\"dateTime\":\"2026-01-02 03:04:{:02}.{:03}\",\
                 \"extra\":\"",
                random.next() % 100_000,
                random.next() % 100_000,
                random.next() % 10_000_000,
                random.next() % 10_000,
                random.next() % 1_000_000_000,
                random.next() % 60,
                random.next() % 1_000
            );
            while value.len() + 2 < RECORD_BYTES - key.len() {
                value.push(char::from(b'a' + (random.next() % 26) as u8));
            }
            value.push_str("\"}");
            builder.push(Some(key.as_bytes()), Some(value.as_bytes()), 1_767_323_000_000);
        }
        builder.finish()
    };
    (0..64).map(|_| batch()).collect()
}

fn open(dir: &Path, sync: SyncPolicy) -> EmbeddedLog {
    let options = EmbeddedOptions { sync, ..EmbeddedOptions::default() };
    EmbeddedLog::open(dir, &options).expect("the log opens")
}

fn places(log: &EmbeddedLog, partitions: u32) -> Vec<TopicPartition> {
    log.admin().expect("admin").create_topic(&TopicSpec::new("bids", partitions)).expect("new");
    (0..partitions).map(|partition| TopicPartition::new("bids", partition)).collect()
}

/// Plain writes, a flush every `flush_every` batches.
fn append(records: u64, batch: usize, flush_every: usize, partitions: u32) {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path(), SyncPolicy::Interval);
    let places = places(&log, partitions);
    let batches = batches(batch);
    let rounds = records as usize / batch;
    let name = match (batch, flush_every, partitions) {
        (500, 1, 1) => "append".to_owned(),
        (500, _, 1) => format!("append, acked by {flush_every}"),
        (500, _, _) => format!("append, {partitions} partitions"),
        _ => format!("append, batches of {batch}"),
    };
    measure(&name, (rounds * batch) as u64, || {
        let mut writer = log.writer().expect("writer");
        for round in 0..rounds {
            let place = &places[round % places.len()];
            writer.write(place, batches[round % batches.len()].clone()).expect("written");
            if (round + 1) % flush_every == 0 {
                writer.flush(WAIT).expect("acknowledged");
            }
        }
        writer.flush(WAIT).expect("acknowledged");
    });
}

/// Every batch synced before it is acknowledged; writers share syncs.
fn append_always(records: u64, writers: u32) {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path(), SyncPolicy::Always);
    let places = places(&log, writers);
    let batches = batches(100);
    let rounds = records as usize / 100 / writers as usize;
    measure(
        &format!("append, always, {writers} writers"),
        (rounds * 100) as u64 * u64::from(writers),
        || {
            std::thread::scope(|scope| {
                for place in &places {
                    let (log, batches) = (&log, &batches);
                    scope.spawn(move || {
                        let mut writer = log.writer().expect("writer");
                        for round in 0..rounds {
                            writer.write(place, batches[round % batches.len()].clone()).expect("written");
                            writer.flush(WAIT).expect("acknowledged");
                        }
                    });
                }
            });
        },
    );
}

/// Transactions of ten batches over four partitions.
fn transactions(records: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path(), SyncPolicy::Interval);
    let places = places(&log, 4);
    let batches = batches(500);
    let options = TransactionOptions { id: "w".to_owned(), timeout_ms: 60_000 };
    let rounds = records as usize / 5_000;
    measure("transactions of 5000", (rounds * 5_000) as u64, || {
        let mut writer = log.transactional_writer(&options).expect("writer");
        writer.init().expect("initialized");
        for round in 0..rounds {
            writer.begin().expect("begun");
            for batch in 0..10 {
                let records = &batches[(round * 10 + batch) % batches.len()];
                writer.write(&places[batch % 4], records).expect("written");
            }
            writer.flush().expect("flushed");
            writer.commit().expect("committed");
        }
    });
}

fn reader(log: &EmbeddedLog, places: &[TopicPartition]) -> Box<dyn Reader> {
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).expect("reader");
    let from: Vec<_> = places.iter().map(|place| (place.clone(), 0)).collect();
    reader.assign(&from).expect("assigned");
    reader
}

/// Reads until `records` have come; looks at each of them.
fn read_all(reader: &mut dyn Reader, records: u64) {
    let (mut count, mut bytes) = (0, 0);
    let mut runs = Vec::new();
    while count < records {
        reader.poll(WAIT, &mut runs).expect("polled");
        for run in runs.drain(..) {
            count += run.records.len() as u64;
            bytes += run.records.iter().map(|record| record.value.map_or(0, <[u8]>::len)).sum::<usize>();
        }
    }
    assert!(bytes as u64 > records * 200);
}

/// A reader that follows a writer: what it costs beside the writing is the difference to `append`.
fn read_tail(records: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path(), SyncPolicy::Interval);
    let places = places(&log, 1);
    let batches = batches(500);
    let mut reader = reader(&log, &places);
    let mut writer = log.writer().expect("writer");
    let rounds = records / 500;
    let mut reading = Duration::ZERO;
    for chunk in 0..rounds / 64 {
        for round in 0..64 {
            writer.write(&places[0], batches[(chunk * 64 + round) as usize % 64].clone()).expect("written");
        }
        writer.flush(WAIT).expect("acknowledged");
        let started = Instant::now();
        read_all(reader.as_mut(), 64 * 500);
        reading += started.elapsed();
    }
    let records = (rounds / 64 * 64 * 500) as f64;
    let rate = records / reading.as_secs_f64();
    println!(
        "{:<28}{rate:>12.0}{rate:>14.0}{:>12.0}{:>10.2}",
        "read, from the tail",
        rate * 300.0 / 1e6,
        1.0
    );
}

/// A log that was closed, read from its start.
fn read(records: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let batches = batches(500);
    let rounds = records as usize / 500;
    for partitions in [1u32, 16] {
        let dir = dir.path().join(partitions.to_string());
        let log = open(&dir, SyncPolicy::Interval);
        let places = places(&log, partitions);
        let mut writer = log.writer().expect("writer");
        for round in 0..rounds {
            writer.write(&places[round % places.len()], batches[round % 64].clone()).expect("written");
        }
        writer.flush(WAIT).expect("acknowledged");
        drop((writer, log));
        let log = open(&dir, SyncPolicy::Interval);
        let mut reader = reader(&log, &places);
        measure(&format!("read, {partitions} partitions"), (rounds * 500) as u64, || {
            read_all(reader.as_mut(), (rounds * 500) as u64);
        });
    }
}
