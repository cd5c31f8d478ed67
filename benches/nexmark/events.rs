//! Events of Nexmark in the JSON that Flink's version of it writes: one table of persons, auctions and bids, each in a
//! field of its own.

use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::{Auction, Bid, Event, Person};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// 2015-07-15 00:00:00, where Flink's Nexmark begins.
pub(crate) const BASE_MS: u64 = 1_436_918_400_000;

/// What has been written, for the number of rows that the queries have.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub events: u64,
    pub bids: u64,
    /// Bids whose auction is a multiple of 123.
    pub bids_of_123: u64,
    /// Sums of their prices.
    pub prices: i64,
    pub prices_of_123: i64,
    /// Pairs of an auction and a hopping window of 10 s every 2 s with bids in it.
    pub hops: u64,
    /// By auction: its category, when it begins and expires, and the highest bid in between.
    auctions: HashMap<usize, (usize, u64, u64, Option<usize>)>,
    /// Auction, price and time of every bid, until all auctions are known.
    all_bids: Vec<(usize, usize, u64)>,
}

impl Counts {
    /// The sum over categories of the category times the average, in whole numbers, of its auctions' highest bids.
    pub(crate) fn winners(&self) -> i64 {
        let mut categories: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
        for (category, _, _, best) in self.auctions.values() {
            if let Some(best) = best {
                let (sum, count) = categories.entry(*category).or_default();
                *sum += *best as i64;
                *count += 1;
            }
        }
        categories.into_iter().map(|(category, (sum, count))| category as i64 * (sum / count)).sum()
    }

    fn note(&mut self, event: &Event, hops: &mut HashSet<(usize, u64)>) {
        match event {
            Event::Person(_) => {}
            Event::Auction(auction) => {
                let Auction { id, category, date_time, expires, .. } = auction;
                self.auctions.insert(*id, (*category, *date_time, *expires, None));
            }
            Event::Bid(bid) => {
                self.bids += 1;
                self.prices += bid.price as i64;
                if bid.auction % 123 == 0 {
                    self.bids_of_123 += 1;
                    self.prices_of_123 += bid.price as i64;
                }
                let last = bid.date_time / 2_000;
                hops.extend((0..5).map(|back| (bid.auction, last - back)));
                self.all_bids.push((bid.auction, bid.price, bid.date_time));
            }
        }
    }
}

/// Creates the topic `nexmark` and writes this many events to it.
pub(crate) fn load(log: &Arc<dyn Log>, events: u64) -> Counts {
    log.admin().unwrap().create_topic(&TopicSpec::new("nexmark", 1)).unwrap();
    let mut writer = log.writer().unwrap();
    let place = TopicPartition::new("nexmark", 0);
    let config = NexmarkConfig { base_time: BASE_MS, ..NexmarkConfig::default() };
    let mut generator = EventGenerator::new(config);
    let mut counts = Counts { events, ..Counts::default() };
    let mut hops: HashSet<(usize, u64)> = HashSet::new();
    let (mut left, mut value, mut bytes) = (events, String::new(), 0);
    while left > 0 {
        let run = left.min(2_000);
        let mut records = RecordsBuilder::with_capacity(run as usize, 1 << 20);
        for event in generator.by_ref().take(run as usize) {
            counts.note(&event, &mut hops);
            value.clear();
            write_event(&mut value, &event);
            bytes += value.len() as u64;
            records.push(None, Some(value.as_bytes()), event.timestamp() as i64);
        }
        writer.write(&place, records.finish()).unwrap();
        left -= run;
    }
    writer.flush(Duration::from_secs(60)).unwrap();
    counts.hops = hops.len() as u64;
    for (auction, price, time) in std::mem::take(&mut counts.all_bids) {
        // Bids may come before their auction.
        if let Some((_, from, to, best)) = counts.auctions.get_mut(&auction)
            && (*from..=*to).contains(&time)
        {
            *best = (*best).max(Some(price));
        }
    }
    println!("# {events} events of {} bytes on average, {} bids", bytes / events.max(1), counts.bids);
    counts
}

pub(crate) fn write_event(out: &mut String, event: &Event) {
    match event {
        Event::Person(person) => {
            out.push_str(r#"{"event_type":0,"person":{"#);
            write_person(out, person);
            out.push_str(r#"},"auction":null,"bid":null}"#);
        }
        Event::Auction(auction) => {
            out.push_str(r#"{"event_type":1,"person":null,"auction":{"#);
            write_auction(out, auction);
            out.push_str(r#"},"bid":null}"#);
        }
        Event::Bid(bid) => {
            out.push_str(r#"{"event_type":2,"person":null,"auction":null,"bid":{"#);
            write_bid(out, bid);
            out.push_str("}}");
        }
    }
}

fn write_person(out: &mut String, person: &Person) {
    let Person { id, name, email_address, credit_card, city, state, date_time, extra } = person;
    let _ = write!(
        out,
        r#""id":{id},"name":"{name}","emailAddress":"{email_address}","creditCard":"{credit_card}","city":"{city}","state":"{state}","dateTime":"{}","extra":"{extra}""#,
        time(*date_time)
    );
}

fn write_auction(out: &mut String, auction: &Auction) {
    let Auction { id, item_name, description, initial_bid, reserve, seller, category, extra, .. } = auction;
    let (at, expires) = (time(auction.date_time), time(auction.expires));
    let _ = write!(
        out,
        r#""id":{id},"itemName":"{item_name}","description":"{description}","initialBid":{initial_bid},"reserve":{reserve},"dateTime":"{at}","expires":"{expires}","seller":{seller},"category":{category},"extra":"{extra}""#,
    );
}

fn write_bid(out: &mut String, bid: &Bid) {
    let Bid { auction, bidder, price, channel, url, date_time, extra } = bid;
    let _ = write!(
        out,
        r#""auction":{auction},"bidder":{bidder},"price":{price},"channel":"{channel}","url":"{url}","dateTime":"{}","extra":"{extra}""#,
        time(*date_time)
    );
}

/// `2015-07-15 00:00:00.000`; the generator stays within a month.
fn time(ms: u64) -> String {
    let after = ms - BASE_MS;
    let (day, ms) = (15 + after / 86_400_000, after % 86_400_000);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    let (month, day) = if day > 31 { (8, day - 31) } else { (7, day) };
    format!("2015-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", ms % 1_000)
}
