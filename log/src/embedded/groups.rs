//! Consumer groups: the coordinator of [`crate::group`] with its members in this process, and what it keeps on
//! disk.
//!
//! A member that is in this process is alive: no heartbeat has to prove it. It only times out when it is dropped
//! without having left, as a process that was killed would. Whatever changes a group is followed by letting all its
//! members do what a client's own thread would do, so that a rebalance goes through without anybody polling, save
//! where a member has an answer to give.
//!
//! On disk are the committed offsets, in the same write as the records of their transaction, and the number of the
//! last generation, so that generations ascend over restarts.

use super::engine::Shared;
use super::keys::{self, Space};
use super::queue::{GroupOffset, Unit};
use crate::group::{Group, Standing};
use crate::group_client::GroupClient;
use crate::{CommittedOffset, GroupMetadata, Isolation, LogError, MemberEvent, MemberOptions};
use millstream_records::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_name: BTreeMap<Arc<str>, Entry>,
    /// Offsets of transactions that have not ended, and whose.
    pending: BTreeMap<(Arc<str>, TopicPartition), BTreeSet<u64>>,
    clients: u64,
}

#[derive(Debug, Default)]
struct Entry {
    group: Group,
    /// The generation on disk.
    stored_generation: i32,
    clients: BTreeMap<u64, GroupClient>,
    /// Those that have polled: before that a member does not join.
    started: BTreeSet<u64>,
}

/// A member in this process.
#[derive(Debug, Clone)]
pub(crate) struct ClientId {
    group: Arc<str>,
    number: u64,
}

/// Partition count of a topic.
pub(crate) type PartitionsOf<'a> = &'a dyn Fn(&str) -> Option<u32>;

impl Entry {
    /// Says that the members in this process are alive: before anything that looks for expired ones.
    fn touch(&mut self, now_ms: u64) {
        for client in self.clients.values() {
            if let Some(member) = client.member_id() {
                self.group.touch(member, now_ms);
            }
        }
    }

    /// Lets all members do what they can do without being asked.
    fn settle(&mut self, now_ms: u64, partitions_of: PartitionsOf<'_>) {
        self.touch(now_ms);
        // A member joins, the others learn of it and join again, the generation begins and all learn of that.
        for _ in 0..3 {
            for (number, client) in &mut self.clients {
                if self.started.contains(number) {
                    client.background(&mut self.group, now_ms, partitions_of);
                }
            }
        }
        self.group.tick(now_ms, partitions_of);
    }

    /// The write that keeps the generation, when it has changed.
    fn generation_unit(&mut self, name: &str) -> Option<Unit> {
        let generation = self.group.generation();
        if generation == self.stored_generation {
            return None;
        }
        self.stored_generation = generation;
        Some(Unit::put(keys::named(Space::Group, name), generation.to_le_bytes()))
    }
}

impl Groups {
    // --- from disk ---

    pub(crate) fn load_generation(&mut self, name: &str, generation: i32) {
        let entry = self.by_name.entry(name.into()).or_default();
        (entry.group, entry.stored_generation) = (Group::restored(generation), generation);
    }

    pub(crate) fn load_offset(&mut self, name: &str, place: TopicPartition, committed: CommittedOffset) {
        self.entry(name).group.commit(place, committed);
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        if !self.by_name.contains_key(name) {
            self.by_name.insert(name.into(), Entry::default());
        }
        self.by_name.get_mut(name).expect("inserted above")
    }

    // --- offsets ---

    pub(crate) fn committed(&self, group: &str, place: &TopicPartition) -> Option<CommittedOffset> {
        self.by_name.get(group)?.group.committed(place).cloned()
    }

    /// Offsets are on disk.
    pub(crate) fn commit(&mut self, offsets: &[GroupOffset]) {
        for GroupOffset { group, place, committed } in offsets {
            self.entry(group).group.commit(place.clone(), committed.clone());
        }
    }

    /// Whether a transaction holds an offset of the partition.
    pub(crate) fn is_pending(&self, group: &str, place: &TopicPartition) -> bool {
        !self.pending.is_empty() && self.pending.contains_key(&(group.into(), place.clone()))
    }

    /// A transaction of `writer` holds offsets, if the group lets the member commit.
    pub(crate) fn hold(
        &mut self,
        writer: u64,
        member: &GroupMetadata,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<Vec<GroupOffset>, Standing> {
        match self.entry(&member.group).group.check_transactional_commit(member) {
            Standing::Current | Standing::Rejoin => {}
            standing => return Err(standing),
        }
        let group: Arc<str> = member.group.as_str().into();
        let held = offsets.iter().map(|(place, committed)| {
            self.pending.entry((Arc::clone(&group), place.clone())).or_default().insert(writer);
            GroupOffset { group: Arc::clone(&group), place: place.clone(), committed: committed.clone() }
        });
        Ok(held.collect())
    }

    /// The transaction of `writer` has ended.
    pub(crate) fn unhold(&mut self, writer: u64) {
        self.pending.retain(|_, writers| {
            writers.remove(&writer);
            !writers.is_empty()
        });
    }

    /// # Errors
    /// [`LogError::GroupInUse`] when the group has members.
    pub(crate) fn check_empty(&self, name: &str) -> Result<(), LogError> {
        match self.by_name.get(name) {
            Some(entry) if entry.group.has_members() => Err(LogError::GroupInUse(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Forgets a group: what has to be removed on disk.
    pub(crate) fn delete(&mut self, name: &str) -> Unit {
        let mut unit = Unit::default();
        if let Some(entry) = self.by_name.remove(name) {
            unit.keys.push((keys::named(Space::Group, name), None));
            let places = entry.group.committed_places();
            unit.keys.extend(places.map(|place| (keys::group_offset(name, place), None)));
        }
        unit
    }

    /// Forgets what was committed for a topic: the keys to remove on disk.
    pub(crate) fn forget_topic(&mut self, topic: &str) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let mut removed = Vec::new();
        for (name, entry) in &mut self.by_name {
            let places = entry.group.forget_topic(topic);
            removed.extend(places.iter().map(|place| (keys::group_offset(name, place), None)));
        }
        removed
    }
}

fn has_left() -> LogError {
    LogError::Client("the member has left its group".to_owned())
}

/// Members.
impl Shared {
    /// Runs `work` on a group and keeps its generation on disk where it changed.
    fn with_group<R>(&self, name: &str, work: impl FnOnce(&mut Entry, u64, PartitionsOf<'_>) -> R) -> R {
        let now_ms = self.clock.monotonic_ms();
        let mut groups = self.groups();
        let entry = groups.entry(name);
        let result = work(entry, now_ms, &|topic| self.partition_count(topic));
        // Under the lock: the generation comes before anything that is written in it.
        if let Some(unit) = entry.generation_unit(name) {
            self.submit(unit);
            self.ticker.linger();
        }
        result
    }

    pub(crate) fn add_member(&self, options: &MemberOptions) -> ClientId {
        let number = {
            let mut groups = self.groups();
            groups.clients += 1;
            groups.clients
        };
        self.with_group(&options.group, |entry, _, _| {
            entry.clients.insert(number, GroupClient::new(options.clone()));
        });
        ClientId { group: options.group.as_str().into(), number }
    }

    /// What a client's own thread does; joins when it is the first time.
    pub(crate) fn poll_member(&self, client: &ClientId) -> Result<Option<MemberEvent>, LogError> {
        self.check()?;
        let polled = self.with_group(&client.group, |entry, now_ms, partitions_of| {
            entry.touch(now_ms);
            let first = entry.started.insert(client.number);
            let member = entry.clients.get_mut(&client.number)?;
            member.background(&mut entry.group, now_ms, partitions_of);
            if first {
                entry.settle(now_ms, partitions_of);
            }
            entry.clients.get_mut(&client.number).map(GroupClient::poll)
        });
        polled.ok_or_else(has_left)?
    }

    /// Runs `work` on a member; afterwards, with `settle`, the whole group does what follows from it.
    pub(crate) fn with_member<R>(
        &self,
        client: &ClientId,
        settle: bool,
        work: impl FnOnce(&mut GroupClient, &mut Group, u64) -> R,
    ) -> Result<R, LogError> {
        self.check()?;
        let result = self.with_group(&client.group, |entry, now_ms, partitions_of| {
            entry.touch(now_ms);
            let member = entry.clients.get_mut(&client.number)?;
            let result = work(member, &mut entry.group, now_ms);
            if settle {
                entry.settle(now_ms, partitions_of);
            }
            Some(result)
        });
        result.ok_or_else(has_left)
    }

    /// Rebalances a group that is at rest with partitions that nobody has.
    pub(crate) fn heal_group(&self, client: &ClientId) -> Result<bool, LogError> {
        self.check()?;
        let healed = self.with_group(&client.group, |entry, now_ms, partitions_of| {
            entry.touch(now_ms);
            let member = entry.clients.get_mut(&client.number)?;
            let healed = member.heal(&mut entry.group, now_ms, partitions_of);
            if healed {
                entry.settle(now_ms, partitions_of);
            }
            Some(healed)
        });
        healed.ok_or_else(has_left)
    }

    /// Looks for members that are gone once a session that ends now is over.
    pub(crate) fn expire_after(&self, session_timeout_ms: u64) {
        self.ticker.timeout_at(self.clock.monotonic_ms() + session_timeout_ms + 1);
    }

    /// A member is gone without having left: the group finds out after its session timeout.
    pub(crate) fn drop_member(&self, client: &ClientId, session_timeout_ms: u64) {
        self.with_group(&client.group, |entry, now_ms, _| {
            entry.touch(now_ms);
            entry.clients.remove(&client.number);
            entry.started.remove(&client.number);
        });
        self.expire_after(session_timeout_ms);
    }

    /// Drops members whose session has timed out.
    pub(crate) fn expire_members(&self) {
        let names: Vec<Arc<str>> = self.groups().by_name.keys().cloned().collect();
        for name in names {
            self.with_group(&name, |entry, now_ms, partitions_of| entry.settle(now_ms, partitions_of));
        }
    }

    /// A topic came or went: its subscribers share out anew.
    pub(crate) fn rebalance_topic(&self, topic: &str) {
        let subscribed = |entry: &Entry| entry.clients.values().any(|client| client.subscribes(topic));
        let names: Vec<Arc<str>> = {
            let groups = self.groups();
            let with = groups.by_name.iter().filter(|(_, entry)| subscribed(entry));
            with.map(|(name, _)| Arc::clone(name)).collect()
        };
        for name in names {
            self.with_group(&name, |entry, now_ms, partitions_of| {
                entry.group.rebalance();
                entry.settle(now_ms, partitions_of);
            });
        }
    }

    /// What a group has committed; read-committed only once no transaction holds any of it.
    ///
    /// # Errors
    /// [`LogError::NotReady`] while one does.
    pub(crate) fn committed(
        &self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        self.check()?;
        let groups = self.groups();
        let held = places.iter().find(|place| groups.is_pending(group, place));
        if let Some(place) = held.filter(|_| isolation == Isolation::ReadCommitted) {
            return Err(LogError::NotReady(format!("a transaction holds the committed offset of {place}")));
        }
        Ok(places.iter().map(|place| groups.committed(group, place)).collect())
    }

    /// Commits offsets of a group without members.
    pub(crate) fn commit_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), LogError> {
        self.check()?;
        self.groups().check_empty(group)?;
        let name: Arc<str> = group.into();
        let offset = |(place, committed): &(TopicPartition, CommittedOffset)| GroupOffset {
            group: Arc::clone(&name),
            place: place.clone(),
            committed: committed.clone(),
        };
        let offsets: Vec<GroupOffset> = offsets.iter().map(offset).collect();
        if offsets.iter().any(|offset| !keys::fits_key(&offset.place.topic)) || !keys::fits_key(group) {
            return Err(LogError::Unsupported("a name is longer than 65535 bytes".to_owned()));
        }
        self.commit(Unit { offsets, ..Unit::default() })
    }

    /// Forgets a group without members.
    pub(crate) fn delete_group(&self, group: &str) -> Result<(), LogError> {
        self.check()?;
        let unit = {
            let mut groups = self.groups();
            groups.check_empty(group)?;
            groups.delete(group)
        };
        self.commit(unit)
    }
}
