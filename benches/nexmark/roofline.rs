//! The loop by hand: what a job could cost at best, with rdkafka as the client and with the project's own.

use crate::queries::{Keep, Query};
use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use millstream::log::{Isolation, Log, ReaderOptions, RecordsBuilder, TopicPartition, Writer};
use millstream_operators::formats::json::{JsonDecoder, JsonEncoder, JsonOptions};
use millstream_operators::formats::{Encoder, PayloadDecoder};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where all loops write.
pub(crate) const TOPIC: &str = "by-hand";

/// Messages that are decoded into one batch of columns.
const BATCH: usize = 1_000;
/// The time of all rows: nobody reads it.
const TIME_MS: i64 = 1_700_000_000_000;

/// Reads `events` events by way of rdkafka, writes `rows` rows (or those that the query keeps), and returns how many it
/// wrote.
pub(crate) fn run_on_rdkafka(bootstrap: &str, query: &Query, events: u64, rows: u64) -> u64 {
    let consumer = consumer(bootstrap);
    let mut by_hand = Loop::new(query, events, rows, Producing::Rdkafka(producer(bootstrap)));
    while by_hand.read < events {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        by_hand.take(message.unwrap().payload().unwrap());
    }
    by_hand.finish()
}

/// The same by way of a log's reader and writer.
pub(crate) fn run_on_log(log: &dyn Log, query: &Query, events: u64, rows: u64) -> u64 {
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
    reader.assign(&[(TopicPartition::new("nexmark", 0), 0)]).unwrap();
    let records = RecordsBuilder::default();
    let mut by_hand = Loop::new(query, events, rows, Producing::Log(log.writer().unwrap(), records));
    let mut runs = Vec::new();
    while by_hand.read < events {
        reader.poll(Duration::from_millis(100), &mut runs).unwrap();
        for run in runs.drain(..) {
            run.records.iter().for_each(|record| by_hand.take(record.value.unwrap()));
        }
    }
    by_hand.finish()
}

/// What both loops do with an event.
struct Loop<'q> {
    query: &'q Query,
    decoder: JsonDecoder,
    writer: RowWriter<'q>,
    events: u64,
    rows: u64,
    read: u64,
    written: u64,
}

impl<'q> Loop<'q> {
    fn new(query: &'q Query, events: u64, rows: u64, producing: Producing) -> Self {
        let decoder = JsonDecoder::new(&decoded_fields(query), &JsonOptions::default()).unwrap();
        let writer = RowWriter::new(query, producing);
        Loop { query, decoder, writer, events, rows, read: 0, written: 0 }
    }

    fn take(&mut self, event: &[u8]) {
        self.decoder.decode(event).unwrap();
        self.read += 1;
        if self.decoder.rows() == BATCH || self.read == self.events {
            let columns = self.decoder.finish();
            let kinds: &Int32Array = columns[0].as_primitive();
            let bids = columns[3].as_struct();
            let keep = match self.query.keep {
                Keep::AsMany => kept_evenly(kinds.len(), self.read, self.rows, self.events),
                keep => kept_bids(kinds, bids, keep),
            };
            self.written += keep.len() as u64;
            self.writer.write(bids, &keep);
        }
    }

    fn finish(mut self) -> u64 {
        match &mut self.writer.producing {
            Producing::Rdkafka(producer) => producer.flush(Duration::from_secs(60)).unwrap(),
            Producing::Log(writer, _) => writer.flush(Duration::from_secs(60)).unwrap(),
        }
        self.written
    }
}

fn consumer(bootstrap: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "by-hand").set("enable.auto.commit", "false");
    // As the engine's: with the defaults reading stops for a second whenever the queue is full.
    config.set("fetch.queue.backoff.ms", "2").set("queued.min.messages", "65536").set("check.crcs", "true");
    config.set("fetch.message.max.bytes", "1048576");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut places = TopicPartitionList::new();
    places.add_partition_offset("nexmark", 0, Offset::Beginning).unwrap();
    consumer.assign(&places).unwrap();
    consumer
}

/// The rows of this batch whose number makes `rows` of `events` in the end.
fn kept_evenly(batch: usize, read: u64, rows: u64, events: u64) -> Vec<usize> {
    let first = read - batch as u64;
    let due = |events_read: u64| (u128::from(events_read) * u128::from(rows) / u128::from(events)) as u64;
    let mut keep = Vec::new();
    for row in 0..batch {
        let number = first + row as u64;
        keep.extend((due(number)..due(number + 1)).map(|_| row));
    }
    keep
}

fn kept_bids(kinds: &Int32Array, bids: &StructArray, keep: Keep) -> Vec<usize> {
    let auctions: &Int64Array = bids.column_by_name("auction").unwrap().as_primitive();
    let of_123 = matches!(keep, Keep::Of123);
    let kept = |row: &usize| kinds.value(*row) == 2 && !(of_123 && auctions.value(*row) % 123 != 0);
    (0..kinds.len()).filter(kept).collect()
}

fn producer(bootstrap: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("enable.idempotence", "true").set("linger.ms", "5");
    config.set("compression.type", "lz4").set("queue.buffering.max.messages", "1000000");
    config.set("batch.num.messages", "100000");
    config.create().unwrap()
}

/// Where rows go.
enum Producing {
    Rdkafka(BaseProducer),
    Log(Box<dyn Writer>, RecordsBuilder),
}

/// Encodes rows and produces them, one record each.
struct RowWriter<'q> {
    producing: Producing,
    encoder: JsonEncoder,
    query: &'q Query,
    value: Vec<u8>,
}

impl<'q> RowWriter<'q> {
    fn new(query: &'q Query, producing: Producing) -> Self {
        let fields: Fields =
            query.output.iter().map(|(name, from)| Field::new(*name, output_type(from), true)).collect();
        let encoder = JsonEncoder::new(&fields, &JsonOptions::default()).unwrap();
        RowWriter { producing, encoder, query, value: Vec::new() }
    }

    fn write(&mut self, bids: &StructArray, rows: &[usize]) {
        let columns: Vec<ArrayRef> = self.query.output.iter().map(|(_, from)| output(bids, from)).collect();
        self.encoder.begin(&mut columns.iter(), &[]).unwrap();
        for row in rows {
            self.value.clear();
            self.encoder.encode(*row, &mut self.value).unwrap();
            match &mut self.producing {
                Producing::Log(_, records) => records.push(None, Some(&self.value), TIME_MS),
                Producing::Rdkafka(producer) => {
                    let mut record = BaseRecord::<(), [u8]>::to(TOPIC).payload(&self.value);
                    while let Err((_, back)) = producer.send(record) {
                        producer.poll(Duration::from_millis(10));
                        record = back;
                    }
                }
            }
        }
        match &mut self.producing {
            Producing::Log(_, records) if records.is_empty() => {}
            Producing::Log(writer, records) => {
                writer.write(&TopicPartition::new(TOPIC, 0), std::mem::take(records).finish()).unwrap();
            }
            Producing::Rdkafka(producer) => {
                producer.poll(Duration::ZERO);
            }
        }
    }
}

fn output(bids: &StructArray, from: &str) -> ArrayRef {
    if from != "euros" {
        return Arc::clone(bids.column_by_name(from).unwrap());
    }
    let prices: &Int64Array = bids.column_by_name("price").unwrap().as_primitive();
    let euros: Decimal128Array =
        prices.iter().map(|price| price.map(|price| i128::from(price) * 908)).collect();
    Arc::new(euros.with_precision_and_scale(23, 3).unwrap())
}

fn output_type(from: &str) -> DataType {
    if from == "euros" { DataType::Decimal128(23, 3) } else { types()[from].clone() }
}

fn types() -> BTreeMap<&'static str, DataType> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let whole = ["auction", "bidder", "price", "id", "category"].map(|name| (name, DataType::Int64));
    let others = [("dateTime", time.clone()), ("expires", time), ("extra", DataType::Utf8)];
    whole.into_iter().chain(others).collect()
}

/// What is decoded: the kind of the event, its time, and what the query reads.
fn decoded_fields(query: &Query) -> Fields {
    let row = |names: &[&str]| {
        let types = types();
        DataType::Struct(names.iter().map(|name| Field::new(*name, types[name].clone(), true)).collect())
    };
    [
        ("event_type", DataType::Int32),
        ("person", row(&["dateTime"])),
        ("auction", row(query.auction)),
        ("bid", row(query.bid)),
    ]
    .into_iter()
    .map(|(name, data_type)| Field::new(name, data_type, true))
    .collect()
}
