//! The end of a transaction that comes late, in the middle of the next one: KAFKA-17754.
//!
//! A proxy holds the first request to end a transaction back. The client asks again on another connection, is answered,
//! and begins the next transaction; in the middle of that the first request reaches the broker. Whether that does harm is
//! a matter of epochs: with one for each transaction the broker refuses it, with the same one it commits what is written
//! so far. librdkafka has no epochs by transaction, which is why the engine makes a new writer after an end that was sent
//! twice; here it does not.

use millstream_log::clock::{Clock, SystemClock};
use millstream_log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_log::{
    EndOutcome, Isolation, Log, Offset, OffsetQuery, Reader, ReaderOptions, RecordsBuilder, TopicPartition,
    TopicSpec, TransactionError, TransactionOptions, TransactionalWriter,
};
use millstream_test_support::kafka::{Broker, shared};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// API key of the request that ends a transaction.
const END_TXN: i16 = 26;

fn connect(broker: &Broker, client: &str, process: Option<&str>) -> KafkaLog {
    let config = match process {
        None => KafkaConfig::new(broker.bootstrap()),
        Some(process) => KafkaConfig::new(broker.proxied_bootstrap())
            .with("client.id", process, PropertySource::Job)
            .expect("a property"),
    };
    let config = config.with("kafka.client", client, PropertySource::Job).expect("a client");
    KafkaLog::connect(config).expect("the broker answers")
}

/// Calls until the answer is another than "again".
fn retry<T>(mut call: impl FnMut() -> Result<T, TransactionError>) -> Result<T, TransactionError> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match call() {
            Err(TransactionError::Retriable(reason)) => assert!(Instant::now() < deadline, "{reason}"),
            other => return other,
        }
    }
}

fn write(writer: &mut dyn TransactionalWriter, place: &TopicPartition, value: &str) {
    let mut builder = RecordsBuilder::default();
    // Of now: what is old is deleted soon.
    builder.push(None, Some(value.as_bytes()), SystemClock::default().wall_ms());
    let records = builder.finish();
    retry(|| writer.write(place, &records)).expect("a write");
    retry(|| writer.flush()).expect("a flush");
}

/// What who reads committed records sees, up to the true end of the partition.
fn committed(log: &KafkaLog, place: &TopicPartition) -> Vec<String> {
    let mut admin = log.admin().expect("an admin");
    let mut end = |isolation| -> Offset {
        let ends = admin.offsets(std::slice::from_ref(place), OffsetQuery::Latest, isolation);
        ends.expect("an end")[0]
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while end(Isolation::ReadCommitted) < end(Isolation::ReadUncommitted) {
        assert!(Instant::now() < deadline, "markers that do not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let end = end(Isolation::ReadUncommitted);
    let mut reader: Box<dyn Reader> =
        log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).expect("a reader");
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    let (mut runs, mut values) = (Vec::new(), Vec::new());
    while reader.status(place).is_none_or(|status| status.position < end) {
        assert!(Instant::now() < deadline, "records that do not come");
        reader.poll(Duration::from_millis(50), &mut runs).expect("records");
        for run in runs.drain(..) {
            let value = |record: millstream_records::Record<'_>| record.value.map(<[u8]>::to_vec);
            let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
            values.extend(run.records.iter().filter_map(value).map(text));
        }
    }
    values
}

/// What a late end of the transaction before does to one that is then aborted: what became of the end, and what of the
/// aborted transaction is seen.
fn late_end(broker: &Broker, client: &str, is_commit: bool) -> (EndOutcome, Vec<String>) {
    let process = format!("late-{client}-{is_commit}");
    let log = connect(broker, client, None);
    let place = TopicPartition::new(process.as_str(), 0);
    let spec = TopicSpec { name: process.clone(), partitions: 1, config: BTreeMap::new() };
    log.admin().expect("an admin").create_topic(&spec).expect("a topic");
    let options = TransactionOptions { id: process.clone(), timeout_ms: 10_000 };
    let proxied = connect(broker, client, Some(&process));
    let mut writer = proxied.transactional_writer(&options).expect("a writer");
    retry(|| writer.init()).expect("an id");

    retry(|| writer.begin()).expect("a transaction");
    write(writer.as_mut(), &place, "first");
    broker.proxy().hold(&process, END_TXN);
    let ended = retry(|| if is_commit { writer.commit() } else { writer.abort() }).expect("an end");
    assert!(broker.proxy().is_holding(&process), "nothing was held back");

    // A new writer is what an engine would make of `sent_again`.
    retry(|| writer.begin()).expect("the next transaction");
    write(writer.as_mut(), &place, "half");
    broker.proxy().release(&process);
    let ending = retry(|| if is_commit { writer.abort() } else { writer.commit() });
    if client == "wire" {
        assert_eq!(ending, Ok(EndOutcome { sent_again: false }));
    }
    drop(writer);
    // Whatever is left open.
    let mut next = log.transactional_writer(&options).expect("a writer");
    retry(|| next.init()).expect("an id");
    (ended, committed(&log, &place))
}

#[test]
fn a_late_end_of_a_transaction_does_nothing_to_the_next_one() {
    let Some(broker) = shared() else { return };
    let (ended, seen) = late_end(broker, "wire", true);
    assert!(!ended.sent_again, "an end of an epoch that is over can be forgotten");
    assert_eq!(seen, ["first"]);
    let (ended, seen) = late_end(broker, "wire", false);
    assert!(!ended.sent_again);
    assert_eq!(seen, ["half"]);
}

/// The control run: what the rule `replace_repeated_writer` is for.
#[test]
fn without_epochs_and_without_a_new_writer_a_late_end_tears_the_next_transaction() {
    let Some(broker) = shared() else { return };
    let (ended, seen) = late_end(broker, "rdkafka", true);
    assert!(ended.sent_again, "the engine would have made a new writer");
    assert_eq!(seen, ["first", "half"], "half of a transaction that was aborted");
    let (ended, seen) = late_end(broker, "rdkafka", false);
    assert!(ended.sent_again, "the engine would have made a new writer");
    assert_eq!(seen, [""; 0], "a transaction that was committed, aborted in the middle");
}
