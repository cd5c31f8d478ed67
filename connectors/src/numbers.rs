//! Numbers of rows, as records: what rows that are made come as.

use millstream_operators::feed::{Feed, FeedReader, NO_TIMESTAMP};
use millstream_operators::{Headers, Offset, Record, Records, RecordsBuilder};

/// Counts: the record at an offset of a partition holds the number of a row, and each number comes once.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// What it is called among topics.
    pub topic: String,
    /// What its rows are.
    pub what: String,
    /// See [`Feed::identity`].
    pub identity: u128,
    /// Number of partitions: rows go to them in turns.
    pub partitions: u32,
    /// How many numbers there are; `None`: there is always another one.
    pub rows: Option<u64>,
    /// How many a second there are, of all partitions.
    pub per_second: Option<u64>,
}

impl Feed for Numbers {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn describe(&self) -> String {
        let rows = self.rows.map_or(String::new(), |rows| format!(", {rows} rows"));
        let rate = self.per_second.map_or(String::new(), |rate| format!(", {rate} a second"));
        format!("{} ({}{rows}{rate})", self.topic, self.what)
    }

    fn identity(&self) -> Result<u128, String> {
        Ok(self.identity)
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn end(&self, partition: u32) -> Result<Option<Offset>, String> {
        let partitions = u64::from(self.partitions);
        Ok(self.rows.map(|rows| rows.saturating_sub(u64::from(partition)).div_ceil(partitions)))
    }

    fn rate(&self) -> Option<f64> {
        self.per_second.map(|rate| rate as f64 / f64::from(self.partitions))
    }

    fn open(&self, partition: u32) -> Result<Box<dyn FeedReader>, String> {
        let (partitions, partition) = (u64::from(self.partitions), u64::from(partition));
        Ok(Box::new(Counting { partitions, partition, end: self.end(partition as u32)? }))
    }
}

struct Counting {
    partitions: u64,
    partition: u64,
    end: Option<Offset>,
}

impl FeedReader for Counting {
    fn read(&mut self, from: Offset, records_max: usize) -> Result<Records, String> {
        let to = from.saturating_add(records_max as u64).min(self.end.unwrap_or(Offset::MAX));
        let mut records = RecordsBuilder::with_capacity(records_max, 8 * records_max);
        for offset in from..to {
            let number = offset.wrapping_mul(self.partitions).wrapping_add(self.partition).to_be_bytes();
            let (key, value, headers) = (None, Some(&number[..]), Headers::NONE);
            records.push_record(Record { offset, timestamp_ms: NO_TIMESTAMP, key, value, headers });
        }
        Ok(records.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbers(partitions: u32, rows: Option<u64>) -> Numbers {
        let (topic, what) = ("datagen:t".to_owned(), "rows that are made".to_owned());
        Numbers { topic, what, identity: 1, partitions, rows, per_second: Some(10) }
    }

    /// Whatever the number of partitions and the runs that are asked for, each row comes once.
    #[test]
    fn every_number_comes_once() {
        for (partitions, rows, at_once) in [(1, 7, 3), (3, 7, 2), (4, 2, 100), (2, 0, 1)] {
            let feed = numbers(partitions, Some(rows));
            let mut found = BTreeSet::new();
            for partition in 0..partitions {
                let mut reader = feed.open(partition).unwrap();
                let mut next = 0;
                loop {
                    let records = reader.read(next, at_once).unwrap();
                    let Some(last) = records.iter().last() else { break };
                    next = last.offset + 1;
                    let numbers = records
                        .iter()
                        .map(|record| u64::from_be_bytes(record.value.unwrap().try_into().unwrap()));
                    for number in numbers {
                        assert!(found.insert(number), "{number} comes twice");
                    }
                }
                assert_eq!(Ok(Some(next)), feed.end(partition));
            }
            assert_eq!(found, (0..rows).collect());
        }
    }

    #[test]
    fn what_has_no_end_goes_on() {
        let feed = numbers(2, None);
        assert_eq!((feed.end(0), feed.rate()), (Ok(None), Some(5.0)));
        assert_eq!(feed.open(1).unwrap().read(1 << 40, 5).unwrap().len(), 5);
    }
}
