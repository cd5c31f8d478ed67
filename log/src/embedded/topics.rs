//! The topics there are, and what happens to them.
//!
//! A topic's id is given once and never again, so that a topic made under the name of a removed one does not find its
//! records. Its settings are stored as JSON, by Kafka's names.

use super::blocks::Blocks;
use super::engine::Shared;
use super::keys::{self, PartitionId, Space};
use super::partition::{Bounds, Partition};
use super::queue::Unit;
use crate::topics::check_topic_spec;
use crate::{LogError, TopicConfig, TopicDescription, TopicId, TopicIdentity, TopicSpec};
use millstream_records::TopicPartition;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Partitions that one topic may have: each costs memory while the log is open.
pub(crate) const PARTITIONS_MAX: u32 = 16_384;

/// All topics.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    by_name: BTreeMap<Arc<str>, Topic>,
    next_id: u32,
}

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) stored: StoredTopic,
    pub(crate) partitions: Vec<Arc<Partition>>,
}

/// A topic as its value in the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTopic {
    pub(crate) id: u32,
    pub(crate) partitions: u32,
    pub(crate) config: BTreeMap<String, String>,
    /// What tells it from every other topic of any log. Topics from before there were ids have none stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic_id: Option<TopicId>,
}

impl Topics {
    /// Topics from disk; ids go on at `next_id`.
    pub(crate) fn new(next_id: u32) -> Self {
        Topics { by_name: BTreeMap::new(), next_id }
    }

    pub(crate) fn insert(&mut self, name: Arc<str>, topic: Topic) {
        self.by_name.insert(name, topic);
    }

    pub(crate) fn partition(&self, place: &TopicPartition) -> Option<&Arc<Partition>> {
        self.by_name.get(&place.topic)?.partitions.get(place.partition as usize)
    }

    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.by_name.values().flat_map(|topic| &topic.partitions)
    }
}

impl StoredTopic {
    /// What tells it from every other topic. That of one from before there were ids is made of its number, which is given
    /// once.
    fn topic_id(&self) -> TopicId {
        self.topic_id.unwrap_or(TopicId(u128::from(self.id) + 1))
    }

    /// The topic with its partitions, which `partition` makes.
    pub(crate) fn with_partitions(
        self,
        name: &Arc<str>,
        config: TopicConfig,
        mut partition: impl FnMut(PartitionId, TopicPartition, Arc<TopicConfig>) -> Partition,
    ) -> Topic {
        let config = Arc::new(config);
        let partitions = (0..self.partitions).map(|index| {
            let id = PartitionId { topic: self.id, partition: index };
            let place = TopicPartition { topic: Arc::clone(name), partition: index };
            Arc::new(partition(id, place, Arc::clone(&config)))
        });
        Topic { partitions: partitions.collect(), stored: self }
    }
}

impl Shared {
    pub(crate) fn create_topic(&self, spec: &TopicSpec) -> Result<(), LogError> {
        self.check()?;
        let config = check_topic_spec(spec)?;
        if spec.partitions > PARTITIONS_MAX {
            return Err(LogError::Unsupported(format!(
                "topic \"{}\" of {} partitions: a topic has at most {PARTITIONS_MAX}",
                spec.name, spec.partitions
            )));
        }
        self.store.check_space(0)?;
        let name: Arc<str> = spec.name.as_str().into();
        {
            // Held while it is written: a second one of the name must not slip in, and nobody who leads the queue
            // needs the topics.
            let mut topics = self.topics_mut();
            if topics.by_name.contains_key(&name) {
                return Err(LogError::TopicExists(spec.name.clone()));
            }
            let stored = StoredTopic {
                id: topics.next_id,
                partitions: spec.partitions,
                config: spec.config.clone(),
                topic_id: Some(TopicId(rand::random())),
            };
            let json = serde_json::to_vec(&stored).map_err(|error| LogError::Client(error.to_string()))?;
            let mut unit = Unit::put(keys::named(Space::Topic, &name), json);
            let next_id = keys::number(u64::from(topics.next_id) + 1);
            unit.keys.push((keys::named(Space::Meta, "next-topic"), Some(next_id.to_vec())));
            self.commit(unit)?;
            // People expect a topic to be there once they were told so.
            self.store.sync()?;
            topics.next_id += 1;
            let topic = stored.with_partitions(&name, config, |id, place, config| {
                Partition::new(id, place, config, 0, 0, 0, Blocks::default())
            });
            topics.insert(Arc::clone(&name), topic);
        }
        self.rebalance_topic(&name);
        Ok(())
    }

    pub(crate) fn delete_topic(&self, name: &str) -> Result<(), LogError> {
        self.check()?;
        let removed = self.topics_mut().by_name.remove(name);
        let topic = removed.ok_or_else(|| LogError::UnknownTopic(name.to_owned()))?;
        for partition in &topic.partitions {
            partition.remove();
            // Whoever is rewriting batches ends that first, and begins no more.
            drop(partition.removing());
        }
        let id = topic.stored.id;
        let mut unit = Unit { keys: self.groups().forget_topic(name), ..Unit::default() };
        unit.keys.push((keys::named(Space::Topic, name), None));
        for space in [Space::Data, Space::Index, Space::Summary, Space::Reserved, Space::Clean, Space::Start]
        {
            let (from, to) = keys::topic_range(space, id);
            unit.removed.push((from.to_vec(), to.to_vec()));
        }
        self.commit(unit)?;
        self.store.sync()?;
        self.rebalance_topic(name);
        let bytes = topic.partitions.iter().map(|partition| partition.lock().blocks.bytes()).sum();
        self.clean_later(bytes);
        Ok(())
    }

    pub(crate) fn topic_names(&self) -> Result<Vec<String>, LogError> {
        self.check()?;
        Ok(self.topics().by_name.keys().map(|name| name.to_string()).collect())
    }

    pub(crate) fn describe_topic(&self, name: &str) -> Result<Option<TopicDescription>, LogError> {
        self.check()?;
        Ok(self.topics().by_name.get(name).map(|topic| TopicDescription {
            name: name.to_owned(),
            partitions: topic.stored.partitions,
            config: topic.stored.config.clone(),
        }))
    }

    pub(crate) fn identify_topic(&self, name: &str) -> Option<TopicIdentity> {
        self.topics().by_name.get(name).map(|topic| TopicIdentity {
            id: Some(topic.stored.topic_id()),
            partitions: topic.stored.partitions,
        })
    }

    pub(crate) fn partition_count(&self, topic: &str) -> Option<u32> {
        self.topics().by_name.get(topic).map(|topic| topic.stored.partitions)
    }

    /// # Errors
    /// [`LogError::UnknownTopic`].
    pub(crate) fn partition(&self, place: &TopicPartition) -> Result<Arc<Partition>, LogError> {
        self.check()?;
        let found = self.topics().partition(place).cloned();
        found.ok_or_else(|| LogError::UnknownTopic(place.to_string()))
    }

    /// # Errors
    /// [`LogError::UnknownTopic`].
    pub(crate) fn bounds(&self, place: &TopicPartition) -> Result<Bounds, LogError> {
        let bounds = self.partition(place)?.bounds();
        bounds.ok_or_else(|| LogError::UnknownTopic(place.to_string()))
    }
}
