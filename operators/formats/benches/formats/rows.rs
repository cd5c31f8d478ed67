//! Rows to decode and encode, made from a seed, and the columns they go into.

use super::support::Random;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// Makes the record of a number.
pub(super) type Generator = fn(&mut Random, usize) -> String;

impl Random {
    pub(super) fn letters(&mut self, length: u64) -> String {
        (0..length).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }

    pub(super) fn records(mut self, count: usize, record: Generator) -> Vec<String> {
        (0..count).map(|n| record(&mut self, n)).collect()
    }

    pub(super) fn date_time(&mut self) -> String {
        let (minute, second, milli) = (self.below(60), self.below(60), self.below(1000));
        format!("2015-07-15 00:{minute:02}:{second:02}.{milli:03}")
    }
}

fn bid_event(random: &mut Random) -> String {
    let (auction, bidder) = (1000 + random.below(100_000), 1000 + random.below(100_000));
    let price = random.below(100_000_000) >> random.below(20);
    let channel = ["Google", "Facebook", "Baidu", "Apple", "channel-1234"][random.below(5) as usize];
    let url = format!(
        "https://www.nexmark.com/{}/{}/{}/item.htm?query=1&channel_id={}",
        random.letters(4),
        random.letters(5),
        random.letters(5),
        random.below(1 << 30),
    );
    let (extra, length) = (random.letters(100), 40 + random.below(60));
    format!(
        r#"{{"event_type":2,"person":null,"auction":null,"bid":{{"auction":{auction},"bidder":{bidder},"price":{price},"channel":"{channel}","url":"{url}","dateTime":"{}","extra":"{}"}}}}"#,
        random.date_time(),
        &extra[..length as usize],
    )
}

fn person_event(random: &mut Random) -> String {
    let id = random.below(100_000);
    format!(
        r#"{{"event_type":0,"person":{{"id":{id},"name":"{} {}","emailAddress":"{}@{}.com","creditCard":"{:04} {:04} {:04} {:04}","city":"Portland","state":"OR","dateTime":"{}","extra":"{}"}},"auction":null,"bid":null}}"#,
        random.letters(5),
        random.letters(8),
        random.letters(7),
        random.letters(5),
        random.below(10_000),
        random.below(10_000),
        random.below(10_000),
        random.below(10_000),
        random.date_time(),
        random.letters(40),
    )
}

fn auction_event(random: &mut Random) -> String {
    let id = random.below(100_000);
    format!(
        r#"{{"event_type":1,"person":null,"auction":{{"id":{id},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},"extra":"{}"}},"bid":null}}"#,
        random.letters(12),
        random.letters(50),
        random.below(100_000),
        random.below(100_000),
        random.date_time(),
        random.date_time(),
        random.below(100_000),
        10 + random.below(5),
        random.letters(60),
    )
}

pub(super) fn small(random: &mut Random, _: usize) -> String {
    format!(
        r#"{{"id":{},"user":"user-{}","amount":{}.{:02},"ok":{},"ts":"{}"}}"#,
        random.below(1 << 40),
        random.below(1000),
        random.below(10_000),
        random.below(100),
        random.below(2) == 1,
        random.date_time(),
    )
}

pub(super) fn numbers(random: &mut Random, _: usize) -> String {
    format!(
        r#"{{"id":{},"a":{},"b":{},"c":{},"d":{}}}"#,
        random.below(1 << 40),
        random.below(100),
        random.below(10_000),
        random.below(1_000_000),
        random.below(10),
    )
}

pub(super) fn number_fields() -> Fields {
    ["id", "a", "b", "c", "d"].into_iter().map(|name| Field::new(name, DataType::Int64, true)).collect()
}

pub(super) fn small_fields() -> Fields {
    Fields::from(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("user", DataType::Utf8, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("ok", DataType::Boolean, true),
        Field::new("ts", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ])
}

/// The columns of a Nexmark event, those that are wanted.
pub(super) fn event_fields(wanted: &dyn Fn(&str) -> bool) -> Fields {
    let time = || DataType::Timestamp(TimeUnit::Millisecond, None);
    let row = |fields: Vec<(&str, DataType)>| {
        let fields = fields.into_iter().filter(|(name, _)| wanted(name));
        DataType::Struct(fields.map(|(name, data_type)| Field::new(name, data_type, true)).collect())
    };
    let person = row(vec![
        ("id", DataType::Int64),
        ("name", DataType::Utf8),
        ("emailAddress", DataType::Utf8),
        ("creditCard", DataType::Utf8),
        ("city", DataType::Utf8),
        ("state", DataType::Utf8),
        ("dateTime", time()),
        ("extra", DataType::Utf8),
    ]);
    let auction = row(vec![
        ("id", DataType::Int64),
        ("itemName", DataType::Utf8),
        ("description", DataType::Utf8),
        ("initialBid", DataType::Int64),
        ("reserve", DataType::Int64),
        ("dateTime", time()),
        ("expires", time()),
        ("seller", DataType::Int64),
        ("category", DataType::Int64),
        ("extra", DataType::Utf8),
    ]);
    let bid = row(vec![
        ("auction", DataType::Int64),
        ("bidder", DataType::Int64),
        ("price", DataType::Int64),
        ("channel", DataType::Utf8),
        ("url", DataType::Utf8),
        ("dateTime", time()),
        ("extra", DataType::Utf8),
    ]);
    let columns = [("event_type", DataType::Int32), ("person", person), ("auction", auction), ("bid", bid)];
    let columns = columns.into_iter().filter(|(name, _)| wanted(name));
    columns.map(|(name, data_type)| Field::new(name, data_type, true)).collect()
}

pub(super) fn bid(random: &mut Random, _: usize) -> String {
    bid_event(random)
}

pub(super) fn mixed(random: &mut Random, n: usize) -> String {
    match n % 50 {
        0 => person_event(random),
        1..=3 => auction_event(random),
        _ => bid_event(random),
    }
}

/// As Python's `json.dumps` writes it.
pub(super) fn spaced(random: &mut Random, _: usize) -> String {
    bid_event(random).replace("\":", "\": ").replace(",\"", ", \"")
}

pub(super) fn line(random: &mut Random, _: usize) -> String {
    format!(
        "{},user-{},{}.{:02},{},{}",
        random.below(1 << 40),
        random.below(1000),
        random.below(10_000),
        random.below(100),
        random.below(2) == 1,
        random.date_time(),
    )
}
