//! Topics, offsets and groups of a log with feeds in it.

use super::{Feeds, of_topics, unreadable};
use crate::log::{
    Admin, CommittedOffset, Isolation, LogError, Offset, OffsetQuery, TopicDescription, TopicId,
    TopicIdentity, TopicPartition, TopicSpec,
};
use millstream_operators::feed::Feed;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Behind the last record of what never ends.
const NEVER: Offset = i64::MAX as Offset;

pub(super) struct FeedAdmin {
    pub(super) inner: Box<dyn Admin>,
    pub(super) feeds: Arc<Feeds>,
}

impl FeedAdmin {
    fn feed(&self, topic: &str) -> Option<&Arc<dyn Feed>> {
        self.feeds.get(topic)
    }

    /// Asks the log for what it has, and puts the answers where they belong, between those about feeds.
    fn merged<Q: Clone, A: Clone>(
        &mut self,
        asked: &[Q],
        of_feed: impl Fn(&Self, &Q) -> Result<Option<A>, LogError>,
        ask: impl FnOnce(&mut dyn Admin, &[Q]) -> Result<Vec<A>, LogError>,
    ) -> Result<Vec<A>, LogError> {
        let known = asked.iter().map(|asked| of_feed(self, asked)).collect::<Result<Vec<Option<A>>, _>>()?;
        let others = asked.iter().zip(&known).filter(|(_, known)| known.is_none());
        let others: Vec<Q> = others.map(|(asked, _)| asked.clone()).collect();
        let answers = if others.is_empty() { Vec::new() } else { ask(&mut *self.inner, &others)? };
        let mut answers = answers.into_iter();
        let missing = || LogError::Client("the log left a question without an answer".to_owned());
        known.into_iter().map(|known| known.or_else(|| answers.next()).ok_or_else(missing)).collect()
    }
}

impl Admin for FeedAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        self.inner.create_topic(topic)
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        self.inner.delete_topic(topic)
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        self.inner.topics()
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        match self.feed(topic) {
            None => self.inner.describe_topic(topic),
            Some(feed) => Ok(Some(TopicDescription {
                name: topic.to_owned(),
                partitions: feed.partitions(),
                config: BTreeMap::new(),
            })),
        }
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        let of_feed = |this: &Self, topic: &String| {
            let Some(feed) = this.feed(topic) else { return Ok(None) };
            let id = feed.identity().map_err(|why| unreadable(topic, &why))?;
            Ok(Some(Some(TopicIdentity { id: Some(TopicId(id)), partitions: feed.partitions() })))
        };
        self.merged(topics, of_feed, |inner, topics| inner.identify_topics(topics))
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        let of_feed = |this: &Self, place: &TopicPartition| {
            let Some(feed) = this.feed(&place.topic) else { return Ok(None) };
            let end = || feed.end(place.partition).map_err(|why| unreadable(&place.topic, &why));
            Ok(Some(match query {
                OffsetQuery::Earliest => 0,
                OffsetQuery::Latest | OffsetQuery::Timestamp(_) => end()?.unwrap_or(NEVER),
            }))
        };
        self.merged(places, of_feed, |inner, places| inner.offsets(places, query, isolation))
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        self.inner.delete_records(&of_topics(before, &self.feeds))
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        let of_feed = |this: &Self, place: &TopicPartition| Ok(this.feed(&place.topic).map(|_| None));
        self.merged(places, of_feed, |inner, places| inner.committed(group, places, isolation))
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        self.inner.commit(group, &of_topics(offsets, &self.feeds))
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.inner.delete_group(group)
    }
}
