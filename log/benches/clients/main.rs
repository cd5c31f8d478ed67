//! The two clients of Kafka side by side: records of 334 bytes for each second of this process's CPU.
//!
//! ```text
//! cargo bench --bench clients
//! RECORDS=10000000 ROUNDS=5 cargo bench --bench clients -- reading
//! ```
//! Both go through the traits that the engine uses, against one broker on the same machine, in turns; the best round of
//! each counts. CPU seconds count, not time: the broker takes its share of the same cores. Checksums are verified.
//! librdkafka is measured once more by itself, message by message as programs do, without what the trait adds.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod reading;
mod writing;

use millstream_log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_log::{Records, RecordsBuilder};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Instant;

/// Bytes of a value.
const VALUE_BYTES: usize = 334;
/// Of short ones, which are written only.
const SHORT_BYTES: usize = 60;

/// What the environment says, or else this.
fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// CPU seconds of this process, of all its threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Fields 14 and 15, user and system time in hundredths of a second; the name before them may hold blanks.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    records: u64,
    cpu_s: f64,
    time_s: f64,
}

impl Cost {
    fn of(run: impl FnOnce() -> u64) -> Cost {
        let (cpu, time) = (cpu_seconds(), Instant::now());
        let records = run();
        Cost { records, cpu_s: cpu_seconds() - cpu, time_s: time.elapsed().as_secs_f64() }
    }

    /// Records for each CPU second.
    fn rate(&self) -> f64 {
        self.records as f64 / self.cpu_s
    }
}

/// The best of several rounds.
#[derive(Debug, Default)]
struct Best(Option<Cost>);

impl Best {
    fn take(&mut self, what: &str, cost: Cost) {
        println!(
            "# {what}: {:.2} CPU s in {:.2} s, {:.2} M records per CPU s",
            cost.cpu_s,
            cost.time_s,
            cost.rate() / 1e6
        );
        if self.0.is_none_or(|best| best.rate() < cost.rate()) {
            self.0 = Some(cost);
        }
    }

    fn rate(&self) -> f64 {
        self.0.map_or(f64::NAN, |best| best.rate())
    }
}

/// A log by one of the clients.
fn log(broker: &Broker, client: &str, compression: &str) -> KafkaLog {
    let config = KafkaConfig::new(broker.bootstrap())
        .with("kafka.client", client, PropertySource::Operator)
        .and_then(|config| config.with("compression.type", compression, PropertySource::Operator));
    KafkaLog::connect(config.unwrap()).unwrap()
}

/// Bids as Nexmark has them, in JSON.
fn values(from: u64, count: u64, now_ms: i64) -> Records {
    values_of(from..from + count, VALUE_BYTES, now_ms)
}

/// The same with so many bytes each.
fn values_of(numbers: Range<u64>, bytes: usize, now_ms: i64) -> Records {
    let mut records = RecordsBuilder::default();
    for number in numbers {
        // Scattered over all 64 bits (Steele, Lea and Flood, `SplittableRandom`).
        let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let start = records.open_value().len();
        let mut text = String::with_capacity(VALUE_BYTES.max(bytes));
        let (auction, bidder, price) = (mixed % 10_000, (mixed >> 16) % 100_000, (mixed >> 32) % 10_000_000);
        let _ = write!(
            text,
            "{{\"auction\":{auction},\"bidder\":{bidder},\"price\":{price},\"channel\":\"channel-{}\",\
             \"url\":\"https://www.nexmark.com/item.htm?query=1&channel_id={}\",\"dateTime\":{},\"extra\":\"",
            mixed % 100,
            mixed % 1_000_000_000,
            now_ms + number as i64
        );
        while text.len() < bytes - 2 {
            mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(char::from(b'a' + (mixed >> 60) as u8));
        }
        // Of short ones the first fields.
        text.truncate(bytes - 2);
        text.push_str("\"}");
        records.open_value().extend_from_slice(text.as_bytes());
        records.seal(start, None, now_ms);
    }
    records.finish()
}

fn main() {
    let Some(broker) = Broker::start(&BrokerOptions { heap_mb: 1_024, ..BrokerOptions::default() }) else {
        return;
    };
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |what: &str| wanted.is_empty() || wanted.iter().any(|it| it == what);
    for compression in ["none", "lz4"] {
        if is_wanted("reading") {
            reading::run(&broker, compression);
        }
        if is_wanted("writing") {
            writing::run(&broker, compression, VALUE_BYTES);
            writing::run(&broker, compression, SHORT_BYTES);
        }
    }
}

/// The wall clock; brokers delete what is older than their retention.
fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
