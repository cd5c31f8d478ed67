//! Leaders and their epochs, by topic.

use crate::Code;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Who leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leader {
    /// The broker's id.
    pub broker: i32,
    /// The epoch it leads in; -1 where the cluster has none.
    pub epoch: i32,
    /// The topic's id; nil where the cluster has none.
    pub topic_id: Uuid,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicView {
    /// Its id; nil where the cluster has none.
    pub id: Uuid,
    /// Number of partitions.
    pub partitions: usize,
}

/// Why a partition has no leader.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoLeader {
    pub(super) code: Code,
    /// Whether that may be over in a moment.
    pub(super) is_passing: bool,
}

#[derive(Debug, Default)]
pub(super) struct Topics {
    topics: HashMap<Arc<str>, Topic>,
}

#[derive(Debug)]
struct Topic {
    id: Uuid,
    at: Instant,
    error: i16,
    partitions: Vec<Partition>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Partition {
    leader: Option<i32>,
    epoch: i32,
    error: i16,
    is_there: bool,
}

impl Topics {
    pub(super) fn leader(&self, topic: &str, partition: i32, age_max: Duration) -> Option<Leader> {
        let topic = self.topics.get(topic).filter(|topic| topic.at.elapsed() < age_max)?;
        topic.leader(partition)
    }

    /// The leader, however old that knowledge, or why there is none.
    pub(super) fn look(&self, name: &str, partition: i32) -> Result<Leader, NoLeader> {
        let unknown =
            NoLeader { code: Code(ResponseError::UnknownTopicOrPartition.code()), is_passing: false };
        let topic = self.topics.get(name).ok_or(unknown)?;
        let refuse = |code: i16| {
            let code = Code(code);
            let is_passing = matches!(
                code.error(),
                ResponseError::LeaderNotAvailable
                    | ResponseError::ReplicaNotAvailable
                    | ResponseError::ListenerNotFound
            );
            NoLeader { code, is_passing }
        };
        if topic.error != 0 {
            return Err(refuse(topic.error));
        }
        if let Some(leader) = topic.leader(partition) {
            return Ok(leader);
        }
        let found = usize::try_from(partition).ok().and_then(|index| topic.partitions.get(index));
        match found.filter(|partition| partition.is_there) {
            None => Err(unknown),
            Some(Partition { error: 0, .. }) => Err(refuse(ResponseError::LeaderNotAvailable.code())),
            Some(partition) => Err(refuse(partition.error)),
        }
    }

    pub(super) fn view(&self, topic: &str) -> Option<TopicView> {
        let topic = self.topics.get(topic).filter(|topic| topic.error == 0)?;
        Some(TopicView { id: topic.id, partitions: topic.partitions.len() })
    }

    pub(super) fn name(&self, id: Uuid) -> Option<Arc<str>> {
        self.topics.iter().find(|(_, topic)| topic.id == id).map(|(name, _)| Arc::clone(name))
    }

    pub(super) fn is_newer(&self, topic: &str, than: Instant) -> bool {
        self.topics.get(topic).is_some_and(|topic| topic.at > than)
    }

    pub(super) fn forget(&mut self, topic: &str, partition: i32) {
        if let Some(partition) = self.partition(topic, partition) {
            partition.leader = None;
        }
    }

    pub(super) fn forget_topic(&mut self, topic: &str) {
        let partitions = self.topics.get_mut(topic).map(|topic| &mut topic.partitions);
        partitions.into_iter().flatten().for_each(|partition| partition.leader = None);
    }

    pub(super) fn learn(&mut self, topic: &str, partition: i32, broker: i32, epoch: i32) {
        if let Some(partition) = self.partition(topic, partition)
            && epoch > partition.epoch
            && broker >= 0
        {
            (partition.leader, partition.epoch) = (Some(broker), epoch);
        }
    }

    fn partition(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partitions.get_mut(usize::try_from(partition).ok()?)
    }

    pub(super) fn take(&mut self, found: &MetadataResponseTopic, now: Instant) {
        let Some(TopicName(name)) = &found.name else { return };
        // A topic of that name that was made anew begins with new epochs.
        let before = self.topics.remove(name.as_str()).filter(|topic| topic.id == found.topic_id);
        let mut partitions = vec![Partition::default(); found.partitions.len()];
        for partition in &found.partitions {
            let Ok(index) = usize::try_from(partition.partition_index) else { continue };
            // They are numbered from 0 without gaps; what is not, is not there.
            let Some(slot) = partitions.get_mut(index) else { continue };
            let known = before.as_ref().and_then(|topic| topic.partitions.get(index));
            *slot = partition_of(partition, known);
        }
        let topic = Topic { id: found.topic_id, at: now, error: found.error_code, partitions };
        self.topics.insert(name.as_str().into(), topic);
    }
}

impl Topic {
    fn leader(&self, partition: i32) -> Option<Leader> {
        let partition = self.partitions.get(usize::try_from(partition).ok()?)?;
        let broker = partition.leader?;
        Some(Leader { broker, epoch: partition.epoch, topic_id: self.id })
    }
}

fn partition_of(found: &MetadataResponsePartition, known: Option<&Partition>) -> Partition {
    let leader = Some(found.leader_id.0).filter(|id| *id >= 0);
    let new = Partition { leader, epoch: found.leader_epoch, error: found.error_code, is_there: true };
    match known {
        // Whoever was asked is behind; the leader may have been forgotten, which is no reason to believe it.
        Some(known) if known.epoch > new.epoch && new.epoch >= 0 => *known,
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::BrokerId;
    use kafka_protocol::protocol::StrBytes;

    fn answer(id: u128, leader: i32, epoch: i32, error: i16) -> MetadataResponseTopic {
        let partition = MetadataResponsePartition::default()
            .with_partition_index(0)
            .with_leader_id(BrokerId(leader))
            .with_leader_epoch(epoch)
            .with_error_code(error);
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str("t"))))
            .with_topic_id(Uuid::from_u128(id))
            .with_partitions(vec![partition])
    }

    fn leader(topics: &Topics) -> Option<(i32, i32)> {
        let leader = topics.leader("t", 0, Duration::from_secs(60))?;
        Some((leader.broker, leader.epoch))
    }

    #[test]
    fn knowledge_of_a_leader_never_goes_back() {
        let mut topics = Topics::default();
        topics.take(&answer(1, 1, 5, 0), Instant::now());
        topics.take(&answer(1, 2, 4, 0), Instant::now());
        assert_eq!(leader(&topics), Some((1, 5)));
        topics.learn("t", 0, 3, 5);
        assert_eq!(leader(&topics), Some((1, 5)));
        topics.learn("t", 0, 3, 6);
        assert_eq!(leader(&topics), Some((3, 6)));
        topics.forget("t", 0);
        assert_eq!(leader(&topics), None);
        topics.take(&answer(1, 1, 5, 0), Instant::now());
        assert_eq!(leader(&topics), None, "an older epoch is no news");
        topics.take(&answer(1, 3, 6, 0), Instant::now());
        assert_eq!(leader(&topics), Some((3, 6)));
        topics.take(&answer(2, 1, 0, 0), Instant::now());
        assert_eq!(leader(&topics), Some((1, 0)), "another topic of the same name");
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_being_elected() {
        let mut topics = Topics::default();
        assert!(topics.look("t", 0).is_err_and(|refused| !refused.is_passing));
        topics.take(&answer(1, -1, 3, 5), Instant::now());
        assert!(topics.look("t", 0).is_err_and(|refused| refused.is_passing));
        assert!(topics.look("t", 1).is_err_and(|refused| !refused.is_passing));
        assert!(topics.look("t", -1).is_err_and(|refused| !refused.is_passing));
    }
}
