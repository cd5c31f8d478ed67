//! What the tests share.

use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_log::{
    Isolation, Log, Offset, OffsetQuery, Reader, ReaderOptions, Records, RecordsBuilder, Run, TopicPartition,
    TopicSpec, TransactionOptions, TransactionalWriter,
};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn options() -> EmbeddedOptions {
    EmbeddedOptions { free_bytes_min: 0, write_buffer_bytes: 8 << 20, ..EmbeddedOptions::default() }
}

pub(crate) fn open(dir: &Path) -> EmbeddedLog {
    EmbeddedLog::open(dir, &options()).expect("the log opens")
}

pub(crate) fn place(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

pub(crate) fn create(log: &dyn Log, topic: &str, partitions: u32) {
    log.admin().expect("admin").create_topic(&TopicSpec::new(topic, partitions)).expect("a new topic");
}

/// Records with these values, timestamps 1000, 1001, ..
pub(crate) fn records(values: &[&str]) -> Records {
    let mut builder = RecordsBuilder::default();
    for (value, timestamp_ms) in values.iter().zip(1_000..) {
        builder.push(Some(b"key"), Some(value.as_bytes()), timestamp_ms);
    }
    builder.finish()
}

pub(crate) fn write(log: &dyn Log, place: &TopicPartition, records: Records) {
    let mut writer = log.writer().expect("writer");
    writer.write(place, records).expect("written");
    writer.flush(SOON).expect("acknowledged");
}

pub(crate) fn reader(
    log: &dyn Log,
    isolation: Isolation,
    from: &[(TopicPartition, Offset)],
) -> Box<dyn Reader> {
    let mut reader = log.reader(&ReaderOptions::new(isolation)).expect("reader");
    reader.assign(from).expect("assigned");
    reader
}

/// Everything a reader gets without waiting.
pub(crate) fn drain(reader: &mut dyn Reader) -> Vec<Run> {
    let mut runs = Vec::new();
    loop {
        let before = runs.len();
        reader.poll(Duration::ZERO, &mut runs).expect("polled");
        if runs.len() == before {
            return runs;
        }
    }
}

/// Offsets and values of what a partition holds from `from` on.
pub(crate) fn contents(
    log: &dyn Log,
    place: &TopicPartition,
    from: Offset,
    isolation: Isolation,
) -> Vec<(Offset, String)> {
    let mut reader = reader(log, isolation, &[(place.clone(), from)]);
    let runs = drain(reader.as_mut());
    runs.iter().flat_map(|run| shown(&run.records)).collect()
}

/// As [`contents`], committed records from the start of the partition.
pub(crate) fn committed(log: &dyn Log, place: &TopicPartition) -> Vec<(Offset, String)> {
    contents(log, place, earliest(log, place), Isolation::ReadCommitted)
}

pub(crate) fn values(contents: &[(Offset, String)]) -> Vec<&str> {
    contents.iter().map(|(_, value)| value.as_str()).collect()
}

pub(crate) fn shown(records: &Records) -> Vec<(Offset, String)> {
    let value = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or(b"-")).into_owned();
    records.iter().map(|record| (record.offset, value(record.value))).collect()
}

pub(crate) fn offset(
    log: &dyn Log,
    place: &TopicPartition,
    query: OffsetQuery,
    isolation: Isolation,
) -> Offset {
    let mut admin = log.admin().expect("admin");
    admin.offsets(std::slice::from_ref(place), query, isolation).expect("offsets")[0]
}

pub(crate) fn earliest(log: &dyn Log, place: &TopicPartition) -> Offset {
    offset(log, place, OffsetQuery::Earliest, Isolation::ReadUncommitted)
}

/// The end of a partition, as a read-uncommitted client sees it.
pub(crate) fn end(log: &dyn Log, place: &TopicPartition) -> Offset {
    offset(log, place, OffsetQuery::Latest, Isolation::ReadUncommitted)
}

/// The last stable offset.
pub(crate) fn stable(log: &dyn Log, place: &TopicPartition) -> Offset {
    offset(log, place, OffsetQuery::Latest, Isolation::ReadCommitted)
}

/// A transactional writer, initialized.
pub(crate) fn transactional(log: &dyn Log, id: &str) -> Box<dyn TransactionalWriter> {
    let options = TransactionOptions { id: id.to_owned(), timeout_ms: 60_000 };
    let mut writer = log.transactional_writer(&options).expect("transactional writer");
    writer.init().expect("initialized");
    writer
}

/// Waits until `done` or fails.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Copies a log's directory as it is: what a killed process would leave.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for file in std::fs::read_dir(from).expect("listed") {
        let path = file.expect("listed").path();
        let target = to.join(path.file_name().expect("named"));
        if path.is_dir() {
            copy_dir(&path, &target);
        } else if path.is_file() {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}
