//! Reading: every record once, from the beginning to the end of a partition.

use super::{Best, Cost, VALUE_BYTES, log, now_ms, number, values};
use millstream_log::{Isolation, Log, ReaderOptions, TopicPartition, TopicSpec};
use millstream_test_support::kafka::Broker;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::time::Duration;

/// Records written at once.
const CHUNK: u64 = 3_000;

pub(crate) fn run(broker: &Broker, compression: &str) {
    let (records, rounds) = (number("RECORDS", 3_000_000), number("ROUNDS", 3));
    let place = fill(broker, compression, records);
    let (mut bare, mut rdkafka, mut wire) = (Best::default(), Best::default(), Best::default());
    for _ in 0..rounds {
        bare.take("reading, librdkafka polled bare", Cost::of(|| poll_bare(broker, &place, records)));
        rdkafka.take("reading, reader by rdkafka", Cost::of(|| read(broker, "rdkafka", &place, records)));
        wire.take("reading, reader by wire", Cost::of(|| read(broker, "wire", &place, records)));
    }
    println!(
        "reading {VALUE_BYTES} bytes, {compression}: librdkafka {:.2} M, through the trait {:.2} M, wire {:.2} M \
         records per CPU s: {:.1} times librdkafka, {:.1} times the other reader",
        bare.rate() / 1e6,
        rdkafka.rate() / 1e6,
        wire.rate() / 1e6,
        wire.rate() / bare.rate(),
        wire.rate() / rdkafka.rate()
    );
}

fn fill(broker: &Broker, compression: &str, records: u64) -> TopicPartition {
    let log = log(broker, "wire", compression);
    let topic = format!("reading-{compression}");
    log.admin().unwrap().create_topic(&TopicSpec::new(topic.as_str(), 1)).unwrap();
    let place = TopicPartition::new(topic.as_str(), 0);
    let mut writer = log.writer().unwrap();
    let now = now_ms();
    for from in (0..records).step_by(CHUNK as usize) {
        writer.write(&place, values(from, CHUNK.min(records - from), now)).unwrap();
    }
    writer.flush(Duration::from_secs(120)).unwrap();
    place
}

/// Reads through the trait; gives the records. Looks at each value's ends, so that it was there.
fn read(broker: &Broker, client: &str, place: &TopicPartition, records: u64) -> u64 {
    let log = log(broker, client, "none");
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
    reader.assign(&[(place.clone(), 0)]).unwrap();
    let (mut next, mut runs) = (0, Vec::new());
    while next < records {
        reader.poll(Duration::from_millis(100), &mut runs).unwrap();
        for run in runs.drain(..) {
            for record in run.records.iter() {
                assert_eq!(record.offset, next);
                next += 1;
                let value = record.value.unwrap();
                assert!(value.len() == VALUE_BYTES && value[0] == b'{' && value[VALUE_BYTES - 1] == b'}');
            }
        }
    }
    next
}

/// The same by librdkafka alone.
fn poll_bare(broker: &Broker, place: &TopicPartition, records: u64) -> u64 {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .set("queued.min.messages", "1000000")
        .set("fetch.queue.backoff.ms", "2")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    let partition = i32::try_from(place.partition).unwrap();
    list.add_partition_offset(&place.topic, partition, Offset::Offset(0)).unwrap();
    consumer.assign(&list).unwrap();
    let mut next = 0;
    while next < records {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message.unwrap();
        assert_eq!(message.offset(), i64::try_from(next).unwrap());
        next += 1;
        let value = message.payload().unwrap();
        assert!(value.len() == VALUE_BYTES && value[0] == b'{' && value[VALUE_BYTES - 1] == b'}');
    }
    next
}
