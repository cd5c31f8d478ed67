//! The broker of the log in memory: topics, groups, transactions, and the requests that change them.

mod groups;
mod writers;

use super::faults::{Fault, Request};
use super::partition::{AppendError, Partition};
use super::transactions::{Marker, Phase, Refusal, Transaction, WriterIdentity};
use crate::group::{Group, Standing};
use crate::group_client::GroupClient;
use crate::topics::check_topic_spec;
use crate::{
    CommittedOffset, GroupMetadata, LogError, TopicConfig, TopicDescription, TopicId, TopicIdentity,
    TopicSpec,
};
use millstream_records::{Offset, Records, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) type FaultSwitch = Box<dyn FnMut(&Request) -> Fault + Send>;

/// Everything that is shared between the processes of the simulated world.
pub(crate) struct Broker {
    pub(crate) now_ms: u64,
    pub(crate) wall_ms: i64,
    topics: BTreeMap<Arc<str>, Topic>,
    groups: BTreeMap<String, Group>,
    transactions: BTreeMap<Arc<str>, Transaction>,
    /// Offsets sent in transactions that have not ended: by group, partition and writer.
    pending_offsets: BTreeMap<(String, TopicPartition, u64), CommittedOffset>,
    markers: Vec<Marker>,
    pub(crate) hold_markers: bool,
    pub(crate) faults: Option<FaultSwitch>,
    pub(crate) delayed: Vec<Call>,
    pub(crate) run_records_max: usize,
    members: BTreeMap<u64, (Arc<str>, GroupClient)>,
    next_client: u64,
    next_producer: u64,
    next_topic: u128,
    /// Whether topics are asked about in vain, as with brokers that know no ids.
    pub(crate) without_topic_ids: bool,
    stopped: BTreeSet<Arc<str>>,
    dead: BTreeSet<Arc<str>>,
}

impl Default for Broker {
    fn default() -> Self {
        Broker {
            now_ms: 0,
            wall_ms: 0,
            topics: BTreeMap::new(),
            groups: BTreeMap::new(),
            transactions: BTreeMap::new(),
            pending_offsets: BTreeMap::new(),
            markers: Vec::new(),
            hold_markers: false,
            faults: None,
            delayed: Vec::new(),
            run_records_max: 4096,
            members: BTreeMap::new(),
            next_client: 0,
            next_producer: 0,
            next_topic: 1,
            without_topic_ids: false,
            stopped: BTreeSet::new(),
            dead: BTreeSet::new(),
        }
    }
}

struct Topic {
    config: TopicConfig,
    spec: TopicSpec,
    id: TopicId,
    partitions: Vec<Partition>,
}

/// A request of a transactional writer that may arrive late.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Produce {
        id: Arc<str>,
        writer: WriterIdentity,
        place: TopicPartition,
        records: Records,
        sequence: u64,
    },
    SendOffsets {
        id: Arc<str>,
        writer: WriterIdentity,
        member: GroupMetadata,
        offsets: Vec<(TopicPartition, CommittedOffset)>,
    },
    End {
        id: Arc<str>,
        writer: WriterIdentity,
        commit: bool,
    },
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    Transaction(Refusal),
    Append(AppendError),
    Group(Standing),
    UnknownTopic(TopicPartition),
    TooLarge { place: TopicPartition, bytes: usize, limit: usize },
}

impl Broker {
    pub(crate) fn now(&mut self, monotonic_ms: u64, wall_ms: i64) {
        (self.now_ms, self.wall_ms) = (monotonic_ms, wall_ms);
    }

    pub(crate) fn describe(&self) -> String {
        let partitions = self.topics.iter().flat_map(|(name, topic)| {
            let described =
                |(index, partition): (usize, &Partition)| format!("{name}/{index}: {partition:?}\n");
            topic.partitions.iter().enumerate().map(described).collect::<Vec<_>>()
        });
        format!(
            "{}groups {:#?}\nmembers {:#?}\ntransactions {:#?}\nmarkers {:#?}",
            partitions.collect::<String>(),
            self.groups,
            self.members,
            self.transactions,
            self.markers
        )
    }

    // --- time ---

    pub(crate) fn tick(&mut self) {
        let now = self.now_ms;
        let expired: Vec<Arc<str>> = self
            .transactions
            .iter()
            .filter(|(_, transaction)| {
                let Phase::Ongoing { since_ms } = transaction.phase else { return false };
                now.saturating_sub(since_ms) > transaction.timeout_ms
            })
            .map(|(id, _)| Arc::clone(id))
            .collect();
        for id in expired {
            self.bump_and_abort(&id);
        }
        let mut members = std::mem::take(&mut self.members);
        for (process, client) in members.values_mut() {
            if !self.stopped.contains(process) && !self.dead.contains(process) {
                self.with_group(client.group().to_owned().as_str(), |group, partitions_of| {
                    client.background(group, now, partitions_of);
                });
            }
        }
        self.members = members;
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        for name in groups {
            self.with_group(&name, |group, partitions_of| group.tick(now, partitions_of));
        }
        for topic in self.topics.values_mut() {
            let oldest = topic.config.retention_ms.filter(|_| topic.config.cleanup.delete);
            let oldest = oldest.map(|limit| self.wall_ms.saturating_sub(limit));
            let bytes_max = topic.config.retention_bytes.filter(|_| topic.config.cleanup.delete);
            if oldest.is_some() || bytes_max.is_some() {
                topic.partitions.iter_mut().for_each(|partition| partition.retain(oldest, bytes_max));
            }
            // Only where a topic says when: tests that look at all that was written would wonder.
            let eager = topic.spec.config.contains_key("min.cleanable.dirty.ratio");
            if topic.config.cleanup.compact && eager {
                topic.partitions.iter_mut().for_each(Partition::compact);
            }
        }
    }

    pub(crate) fn pause(&mut self, process: &str, paused: bool) {
        if paused {
            self.stopped.insert(process.into());
        } else {
            self.stopped.remove(process);
        }
    }

    pub(crate) fn kill(&mut self, process: &str) {
        self.dead.insert(process.into());
        self.members.retain(|_, (owner, _)| owner.as_ref() != process);
    }

    // --- topics ---

    pub(crate) fn create_topic(&mut self, spec: &TopicSpec) -> Result<(), LogError> {
        let config = check_topic_spec(spec)?;
        if self.topics.contains_key(spec.name.as_str()) {
            return Err(LogError::TopicExists(spec.name.clone()));
        }
        let partitions = (0..spec.partitions).map(|_| Partition::default()).collect();
        let id = TopicId(self.next_topic);
        self.next_topic += 1;
        self.topics.insert(spec.name.as_str().into(), Topic { config, spec: spec.clone(), id, partitions });
        self.groups.values_mut().for_each(Group::rebalance);
        Ok(())
    }

    pub(crate) fn delete_topic(&mut self, name: &str) -> Result<(), LogError> {
        self.topics.remove(name).map(|_| ()).ok_or_else(|| LogError::UnknownTopic(name.to_owned()))
    }

    pub(crate) fn topics(&self) -> Vec<String> {
        self.topics.keys().map(|name| name.to_string()).collect()
    }

    pub(crate) fn describe_topic(&self, name: &str) -> Option<TopicDescription> {
        let topic = self.topics.get(name)?;
        Some(TopicDescription {
            name: name.to_owned(),
            partitions: topic.partitions.len() as u32,
            config: topic.spec.config.clone(),
        })
    }

    pub(crate) fn identify_topic(&self, name: &str) -> Option<TopicIdentity> {
        let topic = self.topics.get(name)?;
        let id = Some(topic.id).filter(|_| !self.without_topic_ids);
        Some(TopicIdentity { id, partitions: topic.partitions.len() as u32 })
    }

    /// Adds partitions to a topic, as an administrator can on Kafka.
    pub(crate) fn add_partitions(&mut self, name: &str, partitions: u32) -> Result<(), LogError> {
        let topic = self.topics.get_mut(name).ok_or_else(|| LogError::UnknownTopic(name.to_owned()))?;
        topic.partitions.resize_with(partitions as usize, Partition::default);
        topic.spec.partitions = partitions;
        self.groups.values_mut().for_each(Group::rebalance);
        Ok(())
    }

    pub(crate) fn partition(&self, place: &TopicPartition) -> Result<&Partition, LogError> {
        let topic = self.topics.get(&place.topic);
        let partition = topic.and_then(|topic| topic.partitions.get(place.partition as usize));
        partition.ok_or_else(|| LogError::UnknownTopic(place.to_string()))
    }

    pub(crate) fn delete_records(&mut self, place: &TopicPartition, before: Offset) -> Result<(), LogError> {
        let (start, end) = self.partition(place).map(|partition| (partition.start(), partition.end()))?;
        if before > end {
            return Err(LogError::OffsetOutOfRange { place: place.clone(), wanted: before, start, end });
        }
        if let Some(topic) = self.topics.get_mut(&place.topic) {
            topic.partitions[place.partition as usize].delete_before(before);
        }
        Ok(())
    }

    pub(crate) fn append(&mut self, place: &TopicPartition, records: &Records) -> Result<(), CallError> {
        let (partition, append_time) = self.writable(place, records)?;
        partition.append(records, append_time);
        Ok(())
    }

    fn writable(
        &mut self,
        place: &TopicPartition,
        records: &Records,
    ) -> Result<(&mut Partition, Option<i64>), CallError> {
        let wall_ms = self.wall_ms;
        let unknown = || CallError::UnknownTopic(place.clone());
        let topic = self.topics.get_mut(&place.topic).ok_or_else(unknown)?;
        let limit = topic.config.max_message_bytes;
        let size = |record: millstream_records::Record<'_>| {
            record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
        };
        if let Some(bytes) = records.iter().map(size).find(|bytes| *bytes > limit) {
            return Err(CallError::TooLarge { place: place.clone(), bytes, limit });
        }
        let append_time = topic.config.log_append_time.then_some(wall_ms);
        let partition = topic.partitions.get_mut(place.partition as usize).ok_or_else(unknown)?;
        Ok((partition, append_time))
    }

    // --- groups ---
}
