//! Writing: transactions of records, given to the client in runs, each transaction acknowledged and committed.

use super::{Best, Cost, log, now_ms, number, values_of};
use millstream_log::kafka::KafkaLog;
use millstream_log::{
    Isolation, Log, OffsetQuery, Records, TopicPartition, TopicSpec, TransactionError, TransactionOptions,
    TransactionalWriter,
};
use millstream_test_support::kafka::Broker;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

/// Records given to a client at once, and those of a transaction.
const RUN: u64 = 5_000;
const TRANSACTION: u64 = 200_000;

pub(crate) fn run(broker: &Broker, compression: &str, value_bytes: usize) {
    let (records, rounds) = (number("RECORDS", 3_000_000), number("ROUNDS", 3));
    let run = values_of(0..RUN, value_bytes, now_ms());
    let (mut bare, mut rdkafka, mut wire) = (Best::default(), Best::default(), Best::default());
    for round in 0..rounds {
        let name = |client: &str| format!("writing-{client}-{compression}-{value_bytes}-{round}");
        bare.take(
            "writing, librdkafka sent bare",
            send_bare(broker, compression, &name("bare"), &run, records),
        );
        let by = |client: &str| write(broker, client, compression, &name(client), &run, records);
        rdkafka.take("writing, writer by rdkafka", by("rdkafka"));
        wire.take("writing, writer by wire", by("wire"));
    }
    println!(
        "writing {value_bytes} bytes, {compression}: librdkafka {:.2} M, through the trait {:.2} M, wire {:.2} M \
         records per CPU s: {:.1} times librdkafka, {:.1} times the other writer",
        bare.rate() / 1e6,
        rdkafka.rate() / 1e6,
        wire.rate() / 1e6,
        wire.rate() / bare.rate(),
        wire.rate() / rdkafka.rate()
    );
}

/// Writes to a topic that is there for this alone. The first transaction, with connections and memory, does not count.
fn write(broker: &Broker, client: &str, compression: &str, topic: &str, run: &Records, records: u64) -> Cost {
    let log = log(broker, client, compression);
    log.admin().unwrap().create_topic(&TopicSpec::new(topic, 1)).unwrap();
    let place = TopicPartition::new(topic, 0);
    let options = TransactionOptions { id: topic.to_owned(), timeout_ms: 60_000 };
    let mut writer = log.transactional_writer(&options).unwrap();
    retry(|| writer.init());
    transaction(writer.as_mut(), &place, run, TRANSACTION);
    let cost = Cost::of(|| {
        let mut written = 0;
        while written < records {
            written += transaction(writer.as_mut(), &place, run, TRANSACTION.min(records - written));
        }
        written
    });
    check_and_delete(&log, topic, TRANSACTION + cost.records);
    cost
}

/// What was committed has to be in the log, with a marker for each transaction behind it.
fn check_and_delete(log: &KafkaLog, topic: &str, records: u64) {
    let mut admin = log.admin().unwrap();
    let place = [TopicPartition::new(topic, 0)];
    let end = admin.offsets(&place, OffsetQuery::Latest, Isolation::ReadCommitted).unwrap()[0];
    assert_eq!(end, records + records.div_ceil(TRANSACTION), "the end of {topic}");
    admin.delete_topic(topic).unwrap();
}

fn transaction(
    writer: &mut dyn TransactionalWriter,
    place: &TopicPartition,
    run: &Records,
    records: u64,
) -> u64 {
    retry(|| writer.begin());
    let mut written = 0;
    while written < records {
        retry(|| writer.write(place, run));
        written += run.len() as u64;
    }
    assert_eq!(retry(|| writer.flush()).len(), 1);
    retry(|| writer.commit());
    written
}

fn retry<T>(mut call: impl FnMut() -> Result<T, TransactionError>) -> T {
    loop {
        match call() {
            Ok(done) => return done,
            Err(TransactionError::Retriable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The same by librdkafka alone, message by message as programs do, without what the trait adds.
fn send_bare(broker: &Broker, compression: &str, topic: &str, run: &Records, records: u64) -> Cost {
    let log = log(broker, "rdkafka", compression);
    log.admin().unwrap().create_topic(&TopicSpec::new(topic, 1)).unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("transactional.id", topic)
        .set("compression.type", compression)
        .set("linger.ms", "5")
        .set("batch.num.messages", "100000")
        .set("queue.buffering.max.messages", "10000000")
        .set("queue.buffering.max.kbytes", "65536")
        .create()
        .unwrap();
    let timeout = Duration::from_secs(60);
    producer.init_transactions(timeout).unwrap();
    let send = |records: u64| {
        producer.begin_transaction().unwrap();
        let mut written = 0;
        while written < records {
            for record in run.iter() {
                let value = record.value.unwrap();
                let mut message = BaseRecord::<(), [u8]>::to(topic).partition(0).payload(value);
                while let Err((error, again)) = producer.send(message) {
                    assert!(
                        matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)),
                        "{error}"
                    );
                    producer.poll(Duration::from_millis(1));
                    message = again;
                }
            }
            producer.poll(Duration::ZERO);
            written += run.len() as u64;
        }
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(1));
        }
        producer.commit_transaction(timeout).unwrap();
        written
    };
    send(TRANSACTION);
    let cost = Cost::of(|| {
        let mut written = 0;
        while written < records {
            written += send(TRANSACTION.min(records - written));
        }
        written
    });
    check_and_delete(&log, topic, TRANSACTION + cost.records);
    cost
}
