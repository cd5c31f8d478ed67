//! A consumer group's coordinator, as a pure state machine: the classic protocol with incremental ("cooperative
//! sticky") rebalancing and static membership, as Apache Kafka's `ClassicGroup` has it.
//!
//! The memory log and the embedded log share it. Time comes in as an argument, nothing is sent anywhere. The rules
//! that matter to exactly-once are modelled as brokers have them: offset commits in a transaction are checked for
//! member and generation, never for who owns a partition, and one with generation -1 and no member is not checked at
//! all.

use super::{CommittedOffset, GroupMetadata};
use millstream_records::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};

/// The group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    generation: i32,
    members: BTreeMap<String, Member>,
    /// Members that lost their place to a newer one of the same instance.
    fenced: BTreeSet<String>,
    /// Whether members are joining for the next generation.
    preparing: bool,
    member_count: u64,
    committed: BTreeMap<TopicPartition, CommittedOffset>,
}

#[derive(Debug)]
struct Member {
    instance: Option<String>,
    topics: Vec<String>,
    session_timeout_ms: u64,
    last_seen_ms: u64,
    /// Whether it has joined the generation that is being prepared.
    rejoined: bool,
    /// Whether it waits to be told its generation.
    awaiting: bool,
    owned: BTreeSet<TopicPartition>,
    assigned: BTreeSet<TopicPartition>,
}

/// What a member asks for when it joins.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Its id; `None` the first time.
    pub(crate) member: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) session_timeout_ms: u64,
    /// What it holds and has not given up.
    pub(crate) owned: BTreeSet<TopicPartition>,
}

/// What the coordinator says of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In the current generation.
    Current,
    /// Has to join again: a new generation is being prepared.
    Rejoin,
    /// Not known, or of another generation: everything it held may be somebody else's.
    Unknown,
    /// A newer member has its instance name.
    FencedInstance,
    /// Known, with another generation.
    IllegalGeneration,
}

/// Partition count of a topic; `None` when it does not exist.
pub(crate) type PartitionsOf<'a> = &'a dyn Fn(&str) -> Option<u32>;

impl Group {
    /// Takes a member in; gives its id. The generation it belongs to is known once [`Group::joined`] says so.
    pub(crate) fn join(&mut self, join: Join, now_ms: u64) -> Result<String, Standing> {
        let replaced = join.instance.as_ref().and_then(|instance| {
            let same = |(_, member): &(&String, &Member)| member.instance.as_ref() == Some(instance);
            self.members.iter().find(same).map(|(id, _)| id.clone())
        });
        let id = match join.member {
            Some(id) if self.fenced.contains(&id) => return Err(Standing::FencedInstance),
            Some(id) if !self.members.contains_key(&id) => return Err(Standing::Unknown),
            Some(id) => id,
            None => {
                self.member_count += 1;
                format!("member-{}", self.member_count)
            }
        };
        if let Some(old) = replaced.filter(|old| *old != id)
            && let Some(mut member) = self.members.remove(&old)
        {
            // A static member that comes back keeps its place without a new generation.
            self.fenced.insert(old);
            member.last_seen_ms = now_ms;
            member.owned.clear();
            member.rejoined = true;
            member.awaiting = false;
            member.session_timeout_ms = join.session_timeout_ms;
            // One that comes for other topics, because its job has more parts now, changes what there is to share out.
            let is_changed = member.topics != join.topics;
            member.topics = join.topics;
            self.members.insert(id.clone(), member);
            if is_changed {
                self.rebalance();
            }
            return Ok(id);
        }
        let known = self.members.remove(&id);
        self.rebalance();
        let assigned = known.map(|known| known.assigned).unwrap_or_default();
        let Join { instance, topics, session_timeout_ms, owned, .. } = join;
        let member = Member {
            instance,
            topics,
            session_timeout_ms,
            last_seen_ms: now_ms,
            rejoined: true,
            awaiting: true,
            owned,
            assigned,
        };
        self.members.insert(id.clone(), member);
        Ok(id)
    }

    /// The generation and assignment of a member that joined; `None` while others are still awaited.
    pub(crate) fn joined(&self, member: &str) -> Option<(i32, BTreeSet<TopicPartition>)> {
        let found = self.members.get(member)?;
        (!found.awaiting).then(|| (self.generation, found.assigned.clone()))
    }

    /// Says that a member is alive, and learns where it stands.
    pub(crate) fn heartbeat(&mut self, metadata: &GroupMetadata, now_ms: u64) -> Standing {
        if let Some(member) = self.members.get_mut(&metadata.member) {
            member.last_seen_ms = now_ms;
        }
        match self.standing(metadata) {
            Standing::Current if self.preparing && !self.members[&metadata.member].rejoined => {
                Standing::Rejoin
            }
            standing => standing,
        }
    }

    /// Keeps a member that waits for others to join from expiring.
    pub(crate) fn touch(&mut self, member: &str, now_ms: u64) -> bool {
        let found = self.members.get_mut(member);
        found.map(|member| member.last_seen_ms = now_ms).is_some()
    }

    /// A member goes.
    pub(crate) fn leave(&mut self, member: &str) {
        if self.members.remove(member).is_some() {
            self.rebalance();
        }
    }

    /// Lets time pass: drops members that gave no sign of life, and begins the next generation when everybody has
    /// joined.
    pub(crate) fn tick(&mut self, now_ms: u64, partitions_of: PartitionsOf<'_>) {
        let expired: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| now_ms.saturating_sub(member.last_seen_ms) > member.session_timeout_ms)
            .map(|(id, _)| id.clone())
            .collect();
        for id in expired {
            self.members.remove(&id);
            self.rebalance();
        }
        if self.preparing && self.members.values().all(|member| member.rejoined) {
            self.next_generation(partitions_of);
        }
    }

    /// Asks everybody to join again, if that has not been asked already.
    pub(crate) fn rebalance(&mut self) {
        if !self.preparing {
            self.preparing = true;
            self.members.values_mut().for_each(|member| member.rejoined = false);
        }
    }

    fn next_generation(&mut self, partitions_of: PartitionsOf<'_>) {
        self.generation += 1;
        let claims = self.members.iter().map(|(id, member)| (id.clone(), member.owned.clone())).collect();
        let places = self.places(partitions_of);
        let assignment = assign(&claims, &places);
        for (id, member) in &mut self.members {
            member.assigned = assignment.get(id).cloned().unwrap_or_default();
            member.awaiting = false;
        }
        self.preparing = false;
    }

    /// Every partition that the group shares out.
    fn places(&self, partitions_of: PartitionsOf<'_>) -> BTreeSet<TopicPartition> {
        let mut places = BTreeSet::new();
        for topic in self.members.values().flat_map(|member| &member.topics) {
            let count = partitions_of(topic).unwrap_or(0);
            places.extend((0..count).map(|partition| TopicPartition::new(topic.as_str(), partition)));
        }
        places
    }

    /// Whether the group is at rest with partitions that nobody was given.
    pub(crate) fn has_orphans(&self, partitions_of: PartitionsOf<'_>) -> bool {
        let given: usize = self.members.values().map(|member| member.assigned.len()).sum();
        !self.preparing && given < self.places(partitions_of).len()
    }

    /// Where a member stands, as an offset commit is checked.
    pub(crate) fn standing(&self, metadata: &GroupMetadata) -> Standing {
        if self.fenced.contains(&metadata.member) {
            return Standing::FencedInstance;
        }
        match self.members.get(&metadata.member) {
            None => Standing::Unknown,
            Some(_) if metadata.generation != self.generation => Standing::IllegalGeneration,
            Some(_) => Standing::Current,
        }
    }

    /// Checks an offset commit that is part of a transaction. Whoever claims to be nobody is let through, as brokers
    /// do.
    pub(crate) fn check_transactional_commit(&self, metadata: &GroupMetadata) -> Standing {
        if metadata.generation < 0 && metadata.member.is_empty() && metadata.instance.is_none() {
            return Standing::Current;
        }
        self.standing(metadata)
    }

    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    pub(crate) fn committed(&self, place: &TopicPartition) -> Option<&CommittedOffset> {
        self.committed.get(place)
    }

    pub(crate) fn commit(&mut self, place: TopicPartition, offset: CommittedOffset) {
        self.committed.insert(place, offset);
    }
}

/// What a group keeps on disk.
impl Group {
    /// A group that has had `generation` generations: numbers of generations are never used again.
    pub(crate) fn restored(generation: i32) -> Self {
        Group { generation, ..Group::default() }
    }

    pub(crate) fn generation(&self) -> i32 {
        self.generation
    }

    /// The partitions that it committed offsets for.
    pub(crate) fn committed_places(&self) -> impl Iterator<Item = &TopicPartition> {
        self.committed.keys()
    }

    /// Forgets what it committed for partitions of a topic; gives those.
    pub(crate) fn forget_topic(&mut self, topic: &str) -> Vec<TopicPartition> {
        let forgotten: Vec<TopicPartition> =
            self.committed.keys().filter(|place| place.topic.as_ref() == topic).cloned().collect();
        for place in &forgotten {
            self.committed.remove(place);
        }
        forgotten
    }
}

/// Shares partitions out: evenly, moving as few as it can, and never giving a partition to anybody while another
/// member still holds it: that member is left without it now and it is given away in the next generation.
fn assign(
    claims: &BTreeMap<String, BTreeSet<TopicPartition>>,
    places: &BTreeSet<TopicPartition>,
) -> BTreeMap<String, BTreeSet<TopicPartition>> {
    let mut owners: BTreeMap<&TopicPartition, Vec<&String>> = BTreeMap::new();
    for (member, owned) in claims {
        for place in owned.iter().filter(|place| places.contains(place)) {
            owners.entry(place).or_default().push(member);
        }
    }
    let members = claims.len().max(1);
    let (least, extra) = (places.len() / members, places.len() % members);
    let mut assignment: BTreeMap<String, BTreeSet<TopicPartition>> =
        claims.keys().map(|member| (member.clone(), BTreeSet::new())).collect();
    let mut larger = 0;
    for (member, owned) in claims {
        // Two members that claim the same partition: neither keeps it.
        let keeps = owned.iter().filter(|place| owners.get(place).is_some_and(|owners| owners.len() == 1));
        let quota = if larger < extra { least + 1 } else { least };
        let kept: BTreeSet<TopicPartition> = keeps.take(quota).cloned().collect();
        larger += usize::from(kept.len() > least);
        assignment.insert(member.clone(), kept);
    }
    for place in places.iter().filter(|place| !owners.contains_key(place)) {
        let fewest = assignment.iter_mut().min_by_key(|(_, given)| given.len());
        if let Some((_, given)) = fewest {
            given.insert(place.clone());
        }
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(count: u32) -> BTreeSet<TopicPartition> {
        (0..count).map(|partition| TopicPartition::new("t", partition)).collect()
    }

    fn claims(claims: &[(&str, &[u32])]) -> BTreeMap<String, BTreeSet<TopicPartition>> {
        let place = |partition: &u32| TopicPartition::new("t", *partition);
        claims.iter().map(|(member, owned)| (member.to_string(), owned.iter().map(place).collect())).collect()
    }

    fn shown(assignment: &BTreeMap<String, BTreeSet<TopicPartition>>) -> String {
        let list = |given: &BTreeSet<TopicPartition>| {
            given.iter().map(|place| place.partition.to_string()).collect::<Vec<_>>().join(",")
        };
        assignment.iter().map(|(member, given)| format!("{member}:{} ", list(given))).collect()
    }

    #[test]
    fn partitions_are_shared_evenly_and_stay_where_they_are() {
        assert_eq!(shown(&assign(&claims(&[("a", &[]), ("b", &[])]), &places(4))), "a:0,2 b:1,3 ");
        assert_eq!(shown(&assign(&claims(&[("a", &[0, 3]), ("b", &[1, 2])]), &places(4))), "a:0,3 b:1,2 ");
    }

    #[test]
    fn what_somebody_holds_is_given_away_only_a_generation_later() {
        let first = assign(&claims(&[("a", &[0, 1, 2, 3]), ("b", &[])]), &places(4));
        assert_eq!(shown(&first), "a:0,1 b: ");
        let second = assign(&claims(&[("a", &[0, 1]), ("b", &[])]), &places(4));
        assert_eq!(shown(&second), "a:0,1 b:2,3 ");
    }

    #[test]
    fn a_partition_that_two_members_claim_is_taken_from_both() {
        assert_eq!(shown(&assign(&claims(&[("a", &[0, 1]), ("b", &[1])]), &places(2))), "a:0 b: ");
    }
}
