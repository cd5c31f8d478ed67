//! Topics, offsets and group membership in the process that owns the log: thin handles.

use super::engine::Shared;
use super::groups::ClientId;
use crate::{
    Admin, CommittedOffset, GroupMetadata, Isolation, LogError, Member, MemberEvent, MemberOptions,
    OffsetQuery, TopicDescription, TopicIdentity, TopicSpec,
};
use millstream_records::{Offset, TopicPartition};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct EmbeddedAdmin {
    shared: Arc<Shared>,
}

impl EmbeddedAdmin {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        EmbeddedAdmin { shared: Arc::clone(shared) }
    }

    fn offset(
        &self,
        place: &TopicPartition,
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Offset, LogError> {
        let bounds = self.shared.bounds(place)?;
        let end = bounds.end(isolation);
        Ok(match query {
            OffsetQuery::Earliest => bounds.start,
            OffsetQuery::Latest => end,
            OffsetQuery::Timestamp(timestamp_ms) => {
                let partition = self.shared.partition(place)?;
                self.shared.offset_at(&partition, timestamp_ms, isolation)?.unwrap_or(end).min(end)
            }
        })
    }
}

impl Admin for EmbeddedAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        self.shared.create_topic(topic)
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        self.shared.delete_topic(topic)
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        self.shared.topic_names()
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        self.shared.describe_topic(topic)
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        self.shared.check()?;
        Ok(topics.iter().map(|topic| self.shared.identify_topic(topic)).collect())
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        places.iter().map(|place| self.offset(place, query, isolation)).collect()
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        before.iter().try_for_each(|(place, offset)| self.shared.delete_records(place, *offset))
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        self.shared.committed(group, places, isolation)
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        self.shared.commit_offsets(group, offsets)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.shared.delete_group(group)
    }
}

/// A member. Dropping it without [`Member::leave`] is what a crash is: the group waits for its session timeout.
#[derive(Debug)]
pub(crate) struct EmbeddedMember {
    shared: Arc<Shared>,
    client: ClientId,
    session_timeout_ms: u64,
}

impl EmbeddedMember {
    pub(crate) fn new(shared: &Arc<Shared>, options: &MemberOptions) -> Self {
        let client = shared.add_member(options);
        EmbeddedMember { shared: Arc::clone(shared), client, session_timeout_ms: options.session_timeout_ms }
    }
}

impl Member for EmbeddedMember {
    fn poll(&mut self) -> Result<Option<MemberEvent>, LogError> {
        self.shared.poll_member(&self.client)
    }

    fn accept(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.shared.with_member(&self.client, true, |member, _, _| member.accept(places))
    }

    fn release(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.shared.with_member(&self.client, true, |member, group, now_ms| {
            member.release(places, group, now_ms);
        })
    }

    fn metadata(&mut self) -> Result<GroupMetadata, LogError> {
        self.shared.with_member(&self.client, false, |member, _, _| member.metadata())
    }

    fn heal(&mut self, _timeout: Duration) -> Result<bool, LogError> {
        self.shared.heal_group(&self.client)
    }

    fn leave(&mut self, _timeout: Duration) -> Result<(), LogError> {
        let left = self.shared.with_member(&self.client, true, |member, group, _| member.leave(group));
        // One with a name keeps its place for as long as its session lasts.
        self.shared.expire_after(self.session_timeout_ms);
        left
    }
}

impl Drop for EmbeddedMember {
    fn drop(&mut self) {
        self.shared.drop_member(&self.client, self.session_timeout_ms);
    }
}
