//! Nexmark's q0 and a hopping count per auction on a real Apache Kafka, exactly once, in events per CPU second of this
//! process, next to a loop over rdkafka that consumes, decodes the same columns, encodes and produces the same rows.
//!
//! ```text
//! cargo bench --bench nexmark            EVENTS=1000000 by default
//! ```
//! CPU seconds count, not time: the broker runs on the same machine. The loop produces in transactions too, one each
//! 100 ms, and keeps its offsets in them.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec, Writer};
use millstream::{Job, JobSettings, Until, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BIDS: &str = "
CREATE TABLE bids (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP(3), extra STRING,
  WATERMARK FOR date_time AS date_time - INTERVAL '4' SECONDS)
WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset');
";

const Q0: &str = "
CREATE TABLE q0 (auction BIGINT, bidder BIGINT, price BIGINT, date_time TIMESTAMP(3), extra STRING)
WITH ('connector' = 'kafka', 'topic' = 'q0', 'format' = 'json');
INSERT INTO q0 SELECT auction, bidder, price, date_time, extra FROM bids;
";

const HOPPING: &str = "
CREATE TABLE hot (auction BIGINT, window_end TIMESTAMP(3), bids BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'hot', 'format' = 'json');
INSERT INTO hot SELECT auction, window_end, COUNT(*)
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(date_time), INTERVAL '2' SECONDS, INTERVAL '10' SECONDS))
GROUP BY auction, window_start, window_end;
";

/// The columns of q0, as a program written by hand would decode them.
#[derive(Serialize, Deserialize)]
struct Bid<'a> {
    auction: i64,
    bidder: i64,
    price: i64,
    #[serde(borrow)]
    date_time: Cow<'a, str>,
    #[serde(borrow)]
    extra: Cow<'a, str>,
}

/// CPU seconds of this process, of all its threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, user and system time in hundredths of a second; the name before them may hold blanks.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn report(name: &str, events: u64, run: impl FnOnce()) {
    let (cpu, time) = (cpu_seconds(), Instant::now());
    run();
    let (cpu, time) = (cpu_seconds() - cpu, time.elapsed().as_secs_f64());
    let per_second = events as f64 / cpu / 1e3;
    println!("{name:<34} {per_second:>8.0} k events per CPU second   {cpu:>6.2} CPU s in {time:>6.2} s");
}

fn load(log: &Arc<dyn Log>, events: u64) {
    let mut admin = log.admin().unwrap();
    for topic in ["bids", "q0", "hot", "by-hand"] {
        admin.create_topic(&TopicSpec::new(topic, 1)).unwrap();
    }
    let mut writer: Box<dyn Writer> = log.writer().unwrap();
    let place = TopicPartition::new("bids", 0);
    let mut number = 0;
    while number < events {
        let mut records = RecordsBuilder::with_capacity(2_000, 1 << 20);
        for _ in 0..2_000 {
            let (auction, bidder, price) =
                (1_000 + number * 7 % 1_009, 1_000 + number * 13 % 9_973, 100 + number * 31 % 9_001);
            let ms = number / 100;
            let at = format!(
                "2023-01-01 {:02}:{:02}:{:02}.{:03}",
                ms / 3_600_000,
                ms / 60_000 % 60,
                ms / 1_000 % 60,
                ms % 1_000
            );
            let value = format!(
                r#"{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"channel-{}","url":"https://www.nexmark.com/item.htm?query=1&channel_id={}","date_time":"{at}","extra":"{:064x}"}}"#,
                number % 10_000,
                number * 17 % 1_048_576,
                u128::from(number) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835 % (1 << 100),
            );
            records.push(None, Some(value.as_bytes()), 1_672_531_200_000 + ms as i64);
            number += 1;
        }
        writer.write(&place, records.finish()).unwrap();
    }
    writer.flush(Duration::from_secs(60)).unwrap();
}

fn run_sql(log: &Arc<dyn Log>, name: &str, statements: &str) {
    let planned = sql::plan(name, &format!("{BIDS}{statements}")).unwrap_or_else(|errors| panic!("{errors}"));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = JobSettings::new(name);
    settings.state_directory = Some(directory.path().to_path_buf());
    Job::start(&planned.topology, log, &settings).unwrap().wait(Until::Finished).unwrap();
}

fn by_hand(bootstrap: &str, events: u64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "by-hand").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut places = TopicPartitionList::new();
    places.add_partition_offset("bids", 0, Offset::Beginning).unwrap();
    consumer.assign(&places).unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("transactional.id", "by-hand").set("linger.ms", "5");
    config.set("queue.buffering.max.messages", "1000000");
    let producer: BaseProducer = config.create().unwrap();
    let timeout = Duration::from_secs(30);
    producer.init_transactions(timeout).unwrap();
    let (mut done, mut value) = (0, Vec::new());
    while done < events {
        producer.begin_transaction().unwrap();
        let (end, mut next) = (Instant::now() + Duration::from_millis(100), 0);
        while Instant::now() < end && done < events {
            let Some(message) = consumer.poll(Duration::from_millis(10)) else { continue };
            let message = message.unwrap();
            let bid: Bid<'_> = serde_json::from_slice(message.payload().unwrap()).unwrap();
            value.clear();
            serde_json::to_writer(&mut value, &bid).unwrap();
            next = message.offset() + 1;
            done += 1;
            let mut record = BaseRecord::<(), [u8]>::to("by-hand").payload(&value);
            while let Err((_, back)) = producer.send(record) {
                producer.poll(Duration::from_millis(10));
                record = back;
            }
            if done % 1_000 == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("bids", 0, Offset::Offset(next)).unwrap();
        producer.send_offsets_to_transaction(&offsets, &consumer.group_metadata().unwrap(), timeout).unwrap();
        producer.commit_transaction(timeout).unwrap();
    }
}

fn main() {
    let events = std::env::var("EVENTS").map_or(1_000_000, |events| events.parse().unwrap());
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let bootstrap = broker.bootstrap();
    let log = KafkaLog::connect(KafkaConfig::new(bootstrap.as_str())).unwrap();
    let log: Arc<dyn Log> = Arc::new(log);
    load(&log, events);
    for round in 1..=3 {
        report("q0, by hand over rdkafka", events, || by_hand(&bootstrap, events));
        report("q0, SQL, exactly once", events, || run_sql(&log, &format!("q0-{round}"), Q0));
        report("hopping count, SQL, exactly once", events, || {
            run_sql(&log, &format!("hot-{round}"), HOPPING)
        });
    }
}
