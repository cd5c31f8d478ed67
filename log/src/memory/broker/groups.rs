//! Consumer groups, their members and what they have committed.

use super::Broker;
use crate::group::Group;
use crate::group_client::GroupClient;
use crate::{CommittedOffset, LogError};
use millstream_records::TopicPartition;
use std::sync::Arc;

impl Broker {
    /// Runs `work` on a group, with a look at the partition counts.
    pub(crate) fn with_group<R>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Group, &dyn Fn(&str) -> Option<u32>) -> R,
    ) -> R {
        let mut group = self.groups.remove(name).unwrap_or_default();
        let result =
            work(&mut group, &|topic| self.topics.get(topic).map(|topic| topic.partitions.len() as u32));
        self.groups.insert(name.to_owned(), group);
        result
    }

    pub(crate) fn add_member(&mut self, process: &Arc<str>, client: GroupClient) -> u64 {
        self.next_client += 1;
        self.members.insert(self.next_client, (Arc::clone(process), client));
        self.next_client
    }

    /// A client that is dropped falls silent; its group finds out by itself.
    pub(crate) fn remove_member(&mut self, client: u64) {
        self.members.remove(&client);
    }

    /// Runs `work` on a member and its group; `None` when its process was killed.
    pub(crate) fn with_member<R>(
        &mut self,
        client: u64,
        work: impl FnOnce(&mut GroupClient, &mut Group, u64, &dyn Fn(&str) -> Option<u32>) -> R,
    ) -> Option<R> {
        let (process, mut member) = self.members.remove(&client)?;
        let now = self.now_ms;
        let group = member.group().to_owned();
        let result =
            self.with_group(&group, |group, partitions_of| work(&mut member, group, now, partitions_of));
        self.members.insert(client, (process, member));
        Some(result)
    }

    pub(crate) fn committed(&self, group: &str, place: &TopicPartition) -> Option<CommittedOffset> {
        self.groups.get(group)?.committed(place).cloned()
    }

    /// Whether a transaction holds an offset of the partition.
    pub(crate) fn is_pending(&self, group: &str, place: &TopicPartition) -> bool {
        self.pending_offsets.keys().any(|(of, at, _)| of == group && at == place)
    }

    pub(crate) fn commit_offsets(
        &mut self,
        name: &str,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), LogError> {
        let group = self.groups.entry(name.to_owned()).or_default();
        if group.has_members() {
            return Err(LogError::GroupInUse(name.to_owned()));
        }
        for (place, offset) in offsets {
            group.commit(place.clone(), offset.clone());
        }
        Ok(())
    }

    pub(crate) fn delete_group(&mut self, name: &str) -> Result<(), LogError> {
        if self.groups.get(name).is_some_and(Group::has_members) {
            return Err(LogError::GroupInUse(name.to_owned()));
        }
        self.groups.remove(name);
        Ok(())
    }

    // --- transactions ---
}
