//! A member's side of the group protocol, as librdkafka runs it: heartbeats and joining happen in the background,
//! without the application; what concerns partitions waits until the application has answered.
//!
//! The details that exactly-once depends on are librdkafka's: a rebalance in the background changes the generation
//! between two polls; a member that the group has forgotten reports generation -1 and no id until the application has
//! given up its partitions, and only then joins again under a new id; a member with an instance name does not say
//! that it leaves.

use super::group::{Group, Join, PartitionsOf, Standing};
use super::{GroupMetadata, LogError, MemberEvent, MemberOptions};
use millstream_records::TopicPartition;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(crate) struct GroupClient {
    options: MemberOptions,
    member: Option<String>,
    generation: i32,
    state: State,
    /// What the application holds.
    held: BTreeSet<TopicPartition>,
    /// What the group wants it to hold.
    target: BTreeSet<TopicPartition>,
    /// An event the application has been told and not answered yet.
    told: Option<MemberEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not in the group; wants to be.
    Out,
    /// Has joined; the generation has not begun.
    Joining,
    /// In a generation.
    In,
    /// Forgotten by the group; the application has to give up what it holds.
    Lost,
    /// Another member has the instance name.
    Fenced,
    /// Gone by its own will.
    Left,
}

impl GroupClient {
    pub(crate) fn new(options: MemberOptions) -> Self {
        GroupClient {
            options,
            member: None,
            generation: -1,
            state: State::Out,
            held: BTreeSet::new(),
            target: BTreeSet::new(),
            told: None,
        }
    }

    pub(crate) fn group(&self) -> &str {
        &self.options.group
    }

    /// Its id, while the group knows it.
    pub(crate) fn member_id(&self) -> Option<&str> {
        self.member.as_deref()
    }

    pub(crate) fn subscribes(&self, topic: &str) -> bool {
        self.options.topics.iter().any(|subscribed| subscribed == topic)
    }

    pub(crate) fn metadata(&self) -> GroupMetadata {
        let known = matches!(self.state, State::In | State::Joining);
        GroupMetadata {
            group: self.options.group.clone(),
            generation: if known { self.generation } else { -1 },
            member: self.member.clone().filter(|_| known).unwrap_or_default(),
            instance: self.options.instance.clone(),
        }
    }

    /// What the client's own thread does: heartbeats, and joining when it has to.
    pub(crate) fn background(&mut self, group: &mut Group, now_ms: u64, partitions_of: PartitionsOf<'_>) {
        match self.state {
            State::Out => self.join(group, now_ms),
            State::In => {
                let metadata = self.metadata();
                match group.heartbeat(&metadata, now_ms) {
                    Standing::Current => {}
                    // An unanswered event holds joining back, heartbeats go on.
                    Standing::Rejoin if self.told.is_some() => {}
                    Standing::Rejoin => self.join(group, now_ms),
                    Standing::FencedInstance => self.lose(State::Fenced),
                    Standing::Unknown | Standing::IllegalGeneration => self.lose(State::Lost),
                }
            }
            State::Joining => {
                let member = self.member.clone().unwrap_or_default();
                if !group.touch(&member, now_ms) {
                    self.lose(State::Lost);
                }
            }
            State::Lost | State::Fenced | State::Left => {}
        }
        group.tick(now_ms, partitions_of);
        if self.state == State::Joining
            && let Some((generation, assigned)) = group.joined(self.member.as_deref().unwrap_or_default())
        {
            (self.generation, self.target, self.state) = (generation, assigned, State::In);
        }
    }

    fn join(&mut self, group: &mut Group, now_ms: u64) {
        let join = Join {
            member: self.member.clone(),
            instance: self.options.instance.clone(),
            topics: self.options.topics.clone(),
            session_timeout_ms: self.options.session_timeout_ms,
            owned: self.held.clone(),
        };
        match group.join(join, now_ms) {
            Ok(member) => {
                self.member = Some(member);
                self.state = State::Joining;
            }
            Err(Standing::FencedInstance) => self.lose(State::Fenced),
            Err(_) => self.lose(State::Lost),
        }
    }

    fn lose(&mut self, state: State) {
        self.state = state;
        self.member = None;
        self.generation = -1;
        self.told = None;
        self.target.clear();
        if state == State::Lost && self.held.is_empty() {
            self.state = State::Out;
        }
    }

    pub(crate) fn poll(&mut self) -> Result<Option<MemberEvent>, LogError> {
        if self.told.is_some() {
            return Ok(None);
        }
        let revoked: Vec<TopicPartition> = self.held.difference(&self.target).cloned().collect();
        let added: Vec<TopicPartition> = self.target.difference(&self.held).cloned().collect();
        let event = match self.state {
            State::Lost if !self.held.is_empty() => MemberEvent::Lost(self.held.iter().cloned().collect()),
            State::Fenced => {
                let instance = self.options.instance.as_deref().unwrap_or_default();
                return Err(LogError::Fenced(format!(
                    "another process has joined group \"{}\" as \"{instance}\"; give each process of a job a state \
                     directory of its own",
                    self.options.group
                )));
            }
            State::In if !revoked.is_empty() => MemberEvent::Revoking(revoked),
            State::In if !added.is_empty() => MemberEvent::Assigned(added),
            _ => return Ok(None),
        };
        self.told = Some(event.clone());
        Ok(Some(event))
    }

    pub(crate) fn accept(&mut self, places: &[TopicPartition]) {
        self.told = None;
        self.held.extend(places.iter().filter(|place| self.target.contains(place)).cloned());
    }

    pub(crate) fn release(&mut self, places: &[TopicPartition], group: &mut Group, now_ms: u64) {
        self.told = None;
        for place in places {
            self.held.remove(place);
        }
        match self.state {
            State::Lost if self.held.is_empty() => self.state = State::Out,
            // Giving up partitions is made known by joining again with what is left.
            State::In => self.join(group, now_ms),
            _ => {}
        }
    }

    /// Joins again when the group is at rest with partitions that nobody has.
    pub(crate) fn heal(&mut self, group: &mut Group, now_ms: u64, partitions_of: PartitionsOf<'_>) -> bool {
        let orphaned = self.state == State::In && self.told.is_none() && group.has_orphans(partitions_of);
        if orphaned {
            self.join(group, now_ms);
        }
        orphaned
    }

    pub(crate) fn leave(&mut self, group: &mut Group) {
        // A member with a name only falls silent: it may come back before its session is over.
        if let Some(member) = self.member.take()
            && self.options.instance.is_none()
        {
            group.leave(&member);
        }
        self.lose(State::Left);
        self.held.clear();
    }
}
