//! A log with feeds in it: what is no topic stands beside the topics, and nobody who reads can tell.
//!
//! ```text
//!   worker --reads--> | datagen:orders | clicks | repartition |
//!                       a feed           topics of the log
//!   worker --commits--> outputs, journal entries, and offsets of topics
//! ```
//! What a job has read of a feed stands in its journal, as for any input. Only the group's offsets say nothing of feeds: they
//! are for people and for jobs without a journal, and a broker knows no such topic.

mod admin;
mod reader;

use crate::clock::Clock;
use crate::log::{Admin, CommittedOffset};
use crate::log::{
    EndOutcome, GroupMetadata, Log, LogError, LogInfo, Member, MemberOptions, Offset, Reader, ReaderOptions,
    Records, TopicPartition, TransactionError, TransactionOptions, TransactionalWriter, Writer,
};
use admin::FeedAdmin;
use millstream_operators::Topology;
use millstream_operators::feed::Feed;
use reader::MixedReader;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Feeds by what they are called among topics.
type Feeds = BTreeMap<String, Arc<dyn Feed>>;

/// The log with the feeds of a topology in it, each as fast as it may be by a clock; the log itself where it has none.
pub fn with_feeds(log: &Arc<dyn Log>, topology: &Topology, clock: &Arc<dyn Clock>) -> Arc<dyn Log> {
    beside(log, topology, Some(clock))
}

/// The same for those who read what was read before: no record is waited for.
pub(crate) fn with_feeds_at_once(log: &Arc<dyn Log>, topology: &Topology) -> Arc<dyn Log> {
    beside(log, topology, None)
}

fn beside(log: &Arc<dyn Log>, topology: &Topology, clock: Option<&Arc<dyn Clock>>) -> Arc<dyn Log> {
    let feeds: Feeds = topology.feeds().map(|feed| (feed.topic().to_owned(), Arc::clone(feed))).collect();
    match feeds.is_empty() {
        true => Arc::clone(log),
        false => {
            Arc::new(LogWithFeeds { log: Arc::clone(log), feeds: Arc::new(feeds), clock: clock.cloned() })
        }
    }
}

struct LogWithFeeds {
    log: Arc<dyn Log>,
    feeds: Arc<Feeds>,
    /// What feeds keep time by, if they do.
    clock: Option<Arc<dyn Clock>>,
}

impl Log for LogWithFeeds {
    fn info(&self) -> LogInfo {
        self.log.info()
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(FeedAdmin { inner: self.log.admin()?, feeds: Arc::clone(&self.feeds) }))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        let inner = self.log.reader(options)?;
        Ok(Box::new(MixedReader::new(inner, Arc::clone(&self.feeds), self.clock.clone())))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        self.log.writer()
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        self.log.member(options)
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        let inner = self.log.transactional_writer(options)?;
        Ok(Box::new(FeedWriter { inner, feeds: Arc::clone(&self.feeds) }))
    }

    fn sync(&self) -> Result<(), LogError> {
        self.log.sync()
    }
}

/// Writes as the log does, and keeps offsets of feeds to itself.
struct FeedWriter {
    inner: Box<dyn TransactionalWriter>,
    feeds: Arc<Feeds>,
}

impl TransactionalWriter for FeedWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        self.inner.init()
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.inner.begin()
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        self.inner.write(place, records)
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        self.inner.flush()
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        self.inner.send_offsets(&of_topics(offsets, &self.feeds), member)
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        self.inner.commit()
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        self.inner.abort()
    }
}

/// What keeps a feed from being read, as of a log.
fn unreadable(topic: &str, why: &str) -> LogError {
    LogError::Client(format!("{topic} can't be read: {why}"))
}

/// Those of some things by partition that are not of feeds.
fn of_topics<T: Clone>(by_place: &[(TopicPartition, T)], feeds: &Feeds) -> Vec<(TopicPartition, T)> {
    by_place.iter().filter(|(place, _)| !feeds.contains_key(&*place.topic)).cloned().collect()
}
