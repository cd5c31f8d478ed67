//! Reads feeds beside topics, each as fast as it may.

use super::{Feeds, unreadable};
use crate::clock::Clock;
use crate::log::{LogError, Offset, ReadStatus, Reader, Run, TopicPartition};
use millstream_operators::feed::FeedReader;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Records of a run at most.
const RUN_RECORDS_MAX: Offset = 1_024;
/// How long records that are due one by one are waited for together, milliseconds.
const TOGETHER_MS: u64 = 5;

/// Reads both. The log is asked only for what it has.
pub(super) struct MixedReader {
    inner: Box<dyn Reader>,
    /// Whether it reads any topic.
    has_topics: bool,
    feeds: Arc<Feeds>,
    clock: Option<Arc<dyn Clock>>,
    open: BTreeMap<TopicPartition, OpenFeed>,
}

/// A partition of a feed that is read.
struct OpenFeed {
    reader: Box<dyn FeedReader>,
    next: Offset,
    end: Option<Offset>,
    paused: bool,
    pace: Option<Pace>,
}

/// How fast a partition goes on: by the clock, from where it was when it was opened.
struct Pace {
    per_second: f64,
    from: Offset,
    since_ms: u64,
}

impl Pace {
    /// The offset before which records are due.
    fn reached(&self, now_ms: u64) -> Offset {
        let elapsed = now_ms.saturating_sub(self.since_ms) as f64 / 1_000.0;
        self.from.saturating_add((elapsed * self.per_second) as Offset)
    }

    /// How long the record at an offset is still to be waited for, milliseconds.
    fn wait_ms(&self, offset: Offset, now_ms: u64) -> u64 {
        let records = (offset + 1).saturating_sub(self.from) as f64;
        let at = self.since_ms + (records / self.per_second * 1_000.0).ceil() as u64;
        at.saturating_sub(now_ms).max(TOGETHER_MS)
    }
}

impl OpenFeed {
    /// Where the partition ends as far as is known now.
    fn end(&self, now_ms: u64) -> Offset {
        let due = match &self.pace {
            Some(pace) => pace.reached(now_ms).max(self.next),
            None => self.next + RUN_RECORDS_MAX,
        };
        self.end.map_or(due, |end| end.min(due))
    }
}

impl MixedReader {
    pub(super) fn new(inner: Box<dyn Reader>, feeds: Arc<Feeds>, clock: Option<Arc<dyn Clock>>) -> Self {
        MixedReader { inner, has_topics: false, feeds, clock, open: BTreeMap::new() }
    }

    fn now_ms(&self) -> u64 {
        self.clock.as_ref().map_or(0, |clock| clock.monotonic_ms())
    }

    /// What is due of each feed. Says how long to wait for the next.
    fn read_feeds(&mut self, runs: &mut Vec<Run>) -> Result<Option<u64>, LogError> {
        let now_ms = self.now_ms();
        let mut wait_ms: Option<u64> = None;
        for (place, feed) in &mut self.open {
            if feed.paused {
                continue;
            }
            let due = feed.end(now_ms).saturating_sub(feed.next).min(RUN_RECORDS_MAX);
            if due > 0 {
                let read = feed.reader.read(feed.next, due as usize);
                let records = read.map_err(|why| unreadable(&place.topic, &why))?;
                if let Some(last) = records.iter().last() {
                    feed.next = last.offset + 1;
                    runs.push(Run { place: place.clone(), records });
                    wait_ms = Some(0);
                    continue;
                }
                // What follows the last record holds none.
                feed.next = feed.end.unwrap_or(feed.next);
            }
            if let Some(pace) = feed.pace.as_ref().filter(|_| feed.end.is_none_or(|end| feed.next < end)) {
                let wait = pace.wait_ms(feed.next, now_ms);
                wait_ms = Some(wait_ms.map_or(wait, |least| least.min(wait)));
            }
        }
        Ok(wait_ms)
    }
}

impl Reader for MixedReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let (of_feeds, of_topics): (Vec<_>, Vec<_>) =
            places.iter().cloned().partition(|(place, _)| self.feeds.contains_key(&*place.topic));
        self.open.retain(|open, _| of_feeds.iter().any(|(place, _)| place == open));
        for (place, from) in of_feeds {
            let Some(feed) = self.feeds.get(&*place.topic).filter(|_| !self.open.contains_key(&place)) else {
                continue;
            };
            let end = feed.end(place.partition).map_err(|why| unreadable(&place.topic, &why))?;
            let reader = feed.open(place.partition).map_err(|why| unreadable(&place.topic, &why))?;
            let since_ms = self.clock.as_ref().map(|clock| clock.monotonic_ms());
            let pace = feed.rate().zip(since_ms);
            let pace = pace.map(|(per_second, since_ms)| Pace { per_second, from, since_ms });
            self.open.insert(place, OpenFeed { reader, next: from, end, paused: false, pace });
        }
        self.has_topics = !of_topics.is_empty();
        self.inner.assign(&of_topics)
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        match self.open.get_mut(place) {
            Some(feed) => {
                feed.paused = paused;
                Ok(())
            }
            None => self.inner.pause(place, paused),
        }
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let wait = match self.read_feeds(runs)? {
            Some(wait_ms) => timeout.min(Duration::from_millis(wait_ms)),
            None => timeout,
        };
        if self.has_topics {
            return self.inner.poll(wait, runs);
        }
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        Ok(())
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        match self.open.get(place) {
            Some(feed) => Some(ReadStatus { position: feed.next, end: feed.end(self.now_ms()) }),
            None => self.inner.status(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_by_the_clock_and_not_before() {
        let pace = Pace { per_second: 2.5, from: 100, since_ms: 1_000 };
        assert_eq!((pace.reached(1_000), pace.reached(1_399), pace.reached(1_400)), (100, 100, 101));
        assert_eq!((pace.reached(0), pace.reached(3_000)), (100, 105));
        assert_eq!(
            (pace.wait_ms(100, 1_000), pace.wait_ms(101, 1_000), pace.wait_ms(100, 1_399)),
            (400, 800, 5)
        );
    }
}
