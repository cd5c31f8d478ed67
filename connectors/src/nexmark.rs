//! `nexmark`: the events of an auction house, those that the benchmark Nexmark asks its queries about.
//!
//! The table has the columns of Flink's: `event_type`, and `person`, `auction` and `bid`, of which one is there.

use arrow::datatypes::{DataType, Fields};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::formats::FormatError;
use millstream_operators::formats::generated::{Generator, RowMaker};
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::Event;

/// 2015-07-15 00:00:00: when the first event happens. Each time, so that an event is the same one after a restart.
const BASE_MS: u64 = 1_436_918_400_000;

/// Which events there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Events a second, by their own times.
    pub rate: u64,
    /// Of how many events so many are persons, auctions and bids.
    pub proportions: [u64; 3],
    /// Bytes of a person, an auction and a bid, on average.
    pub sizes: [u64; 3],
    /// One in so many bids is not for a hot auction, one not of a hot bidder, and one auction not of a hot seller.
    pub hot: [u64; 3],
}

impl Default for Options {
    fn default() -> Self {
        Options { rate: 10_000, proportions: [1, 3, 46], sizes: [200, 500, 100], hot: [2, 4, 4] }
    }
}

impl Generator for Options {
    // Which events there may be is no part of what their columns mean.
    fn describe(&self) -> String {
        "nexmark".to_owned()
    }

    fn maker(&self, needed: &Fields) -> Result<Box<dyn RowMaker>, FormatError> {
        let whole = |numbers: [u64; 3]| numbers.map(|number| number as usize);
        let ([persons, auctions, bids], sizes, hot) =
            (whole(self.proportions), whole(self.sizes), whole(self.hot));
        let config = NexmarkConfig {
            base_time: BASE_MS,
            first_rate: self.rate as usize,
            next_rate: self.rate as usize,
            person_proportion: persons,
            auction_proportion: auctions,
            bid_proportion: bids,
            avg_person_byte_size: sizes[0],
            avg_auction_byte_size: sizes[1],
            avg_bid_byte_size: sizes[2],
            hot_auction_ratio: hot[0],
            hot_bidder_ratio: hot[1],
            hot_seller_ratio: hot[2],
            ..NexmarkConfig::default()
        };
        let columns = needed.iter().map(|field| ColumnOf::new(field.name(), field.data_type()));
        Ok(Box::new(Maker {
            events: Some(EventGenerator::new(config)),
            columns: columns.collect::<Result<_, _>>()?,
        }))
    }
}

/// A column: the type of the event, or one of the three with the fields that are needed of it.
#[derive(Debug)]
enum ColumnOf {
    Type,
    Event(Kind, Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Auction,
    Bid,
}

/// A value of an event.
enum Value<'e> {
    Number(usize),
    Time(u64),
    Text(&'e str),
}

impl ColumnOf {
    fn new(name: &str, data_type: &DataType) -> Result<Self, FormatError> {
        let kind = match name {
            "event_type" => return Ok(ColumnOf::Type),
            "person" => Kind::Person,
            "auction" => Kind::Auction,
            "bid" => Kind::Bid,
            _ => return Err(FormatError::Conflict { message: format!("no event has a column \"{name}\"") }),
        };
        let DataType::Struct(fields) = data_type else {
            return Err(FormatError::Conflict { message: format!("\"{name}\" is a ROW") });
        };
        Ok(ColumnOf::Event(kind, fields.iter().map(|field| field.name().clone()).collect()))
    }
}

/// The columns of an event with their types, as the text of Flink's benchmark declares them.
pub const COLUMNS: &[(&str, &str)] = &[
    ("event_type", "INT"),
    (
        "person",
        "ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, \
         `dateTime` TIMESTAMP(3), extra STRING>",
    ),
    (
        "auction",
        "ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, \
         `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>",
    ),
    (
        "bid",
        "ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, \
         `dateTime` TIMESTAMP(3), extra STRING>",
    ),
];

#[derive(Debug)]
struct Maker {
    /// Always there between two rows.
    events: Option<EventGenerator>,
    columns: Vec<ColumnOf>,
}

impl Maker {
    fn event(&mut self, number: u64) -> Option<Event> {
        let at = self.events.take()?;
        let mut events = if at.offset() == number { at } else { at.with_offset(number) };
        let event = events.next();
        self.events = Some(events);
        event
    }
}

impl RowMaker for Maker {
    fn append(&mut self, columns: &mut [ColumnBuilder], number: u64, _now_ms: i64) {
        let Some(event) = self.event(number) else {
            return columns.iter_mut().for_each(ColumnBuilder::append_null);
        };
        let kind = match &event {
            Event::Person(_) => Kind::Person,
            Event::Auction(_) => Kind::Auction,
            Event::Bid(_) => Kind::Bid,
        };
        for (of, column) in self.columns.iter().zip(columns) {
            match of {
                ColumnOf::Type => column.append_i64(kind as i64),
                ColumnOf::Event(of, fields) if *of == kind => {
                    for (name, field) in fields.iter().zip(column.struct_columns()) {
                        match value(&event, name) {
                            Some(Value::Number(number)) => field.append_i64(number as i64),
                            Some(Value::Time(ms)) => field.append_i64(ms as i64),
                            Some(Value::Text(text)) => field.append_bytes(text.as_bytes()),
                            None => field.append_null(),
                        }
                    }
                    column.seal_struct();
                }
                ColumnOf::Event(..) => column.append_null(),
            }
        }
    }
}

/// A field of an event by its name in the table.
fn value<'e>(event: &'e Event, field: &str) -> Option<Value<'e>> {
    use Value::{Number, Text, Time};
    Some(match (event, field) {
        (Event::Person(person), "id") => Number(person.id),
        (Event::Person(person), "name") => Text(&person.name),
        (Event::Person(person), "emailAddress") => Text(&person.email_address),
        (Event::Person(person), "creditCard") => Text(&person.credit_card),
        (Event::Person(person), "city") => Text(&person.city),
        (Event::Person(person), "state") => Text(&person.state),
        (Event::Person(person), "dateTime") => Time(person.date_time),
        (Event::Person(person), "extra") => Text(&person.extra),
        (Event::Auction(auction), "id") => Number(auction.id),
        (Event::Auction(auction), "itemName") => Text(&auction.item_name),
        (Event::Auction(auction), "description") => Text(&auction.description),
        (Event::Auction(auction), "initialBid") => Number(auction.initial_bid),
        (Event::Auction(auction), "reserve") => Number(auction.reserve),
        (Event::Auction(auction), "dateTime") => Time(auction.date_time),
        (Event::Auction(auction), "expires") => Time(auction.expires),
        (Event::Auction(auction), "seller") => Number(auction.seller),
        (Event::Auction(auction), "category") => Number(auction.category),
        (Event::Auction(auction), "extra") => Text(&auction.extra),
        (Event::Bid(bid), "auction") => Number(bid.auction),
        (Event::Bid(bid), "bidder") => Number(bid.bidder),
        (Event::Bid(bid), "price") => Number(bid.price),
        (Event::Bid(bid), "channel") => Text(&bid.channel),
        (Event::Bid(bid), "url") => Text(&bid.url),
        (Event::Bid(bid), "dateTime") => Time(bid.date_time),
        (Event::Bid(bid), "extra") => Text(&bid.extra),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Field, Int32Type, Int64Type, TimeUnit};

    fn needed() -> Fields {
        let time = DataType::Timestamp(TimeUnit::Millisecond, None);
        let bid = Fields::from(vec![
            Field::new("price", DataType::Int64, true),
            Field::new("dateTime", time, true),
        ]);
        Fields::from(vec![
            Field::new("event_type", DataType::Int32, true),
            Field::new("bid", DataType::Struct(bid), true),
        ])
    }

    fn rows(numbers: impl Iterator<Item = u64>) -> Vec<ColumnBuilder> {
        let mut columns: Vec<ColumnBuilder> =
            needed().iter().map(|field| ColumnBuilder::new(field.data_type()).unwrap()).collect();
        let mut maker = Options::default().maker(&needed()).unwrap();
        numbers.for_each(|number| maker.append(&mut columns, number, 0));
        columns
    }

    #[test]
    fn events_are_persons_auctions_and_bids_in_their_proportions_and_only_bids_have_a_bid() {
        let mut columns = rows(0..100);
        let types = columns[0].finish();
        let types = types.as_primitive::<Int32Type>().values();
        let count = |of: i32| types.iter().filter(|found| **found == of).count();
        assert_eq!((count(0), count(1), count(2)), (2, 6, 92));
        assert_eq!(columns[1].finish().null_count(), 8);
    }

    #[test]
    fn an_event_is_the_same_wherever_reading_begins() {
        let prices = |numbers: std::ops::Range<u64>| {
            let bids = rows(numbers)[1].finish();
            bids.as_struct().column(0).as_primitive::<Int64Type>().iter().collect::<Vec<_>>()
        };
        let all = prices(0..200);
        assert_eq!(prices(123..200), all[123..]);
    }
}
