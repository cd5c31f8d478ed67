//! Fetch sessions (KIP-227): the broker remembers what a client reads, and is told only what changed.
//!
//! A session begins with a full request (epoch 0), in whose answer the broker names it; every request after that counts
//! its epoch up and lists partitions that are new, stand elsewhere, or are no longer asked for. A broker that keeps no
//! session gets full requests for ever. After anything went wrong the next request is a full one.

use super::Place;
use crate::Config;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The first version that names topics by their ids.
pub(super) const WITH_IDS: i16 = 13;

/// What is asked of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) serial: u64,
    pub(super) topic_id: Uuid,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) bytes_max: i32,
}

/// How much is asked for, and how long the broker may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) wait_max: Duration,
    pub(super) bytes_max: usize,
    pub(super) read_committed: bool,
}

/// A session with one broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    /// Of the next request; 0 begins a session.
    epoch: i32,
    /// What the broker has been told.
    known: BTreeMap<Place, Wanted>,
    /// Turns full requests, so that what comes last in one comes first in another.
    turn: usize,
}

impl Session {
    /// The next request.
    pub(super) fn request(
        &mut self,
        wanted: &BTreeMap<Place, Wanted>,
        limits: &Limits,
        config: &Config,
        version: i16,
    ) -> FetchRequest {
        // A topic that was made anew has another id: what the broker knows of it is of no use.
        let is_other = |(place, it): (&Place, &Wanted)| {
            self.known.get(place).is_some_and(|known| known.topic_id != it.topic_id)
        };
        if wanted.iter().any(is_other) {
            self.reset();
        }
        let is_full = self.epoch == 0;
        let forgotten = match is_full {
            true => Vec::new(),
            false => forgotten(&self.known, wanted, version),
        };
        let mut asked: Vec<(&Place, &Wanted)> = match is_full {
            true => wanted.iter().collect(),
            false => wanted.iter().filter(|(place, it)| self.is_news(place, it)).collect(),
        };
        if is_full && !asked.is_empty() {
            let turn = self.turn % asked.len();
            asked.rotate_left(turn);
            self.turn = self.turn.wrapping_add(1);
        }
        let topics = topics(&asked, version);
        let to_i32 = |size: usize| i32::try_from(size).unwrap_or(i32::MAX);
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(i32::try_from(limits.wait_max.as_millis()).unwrap_or(i32::MAX))
            .with_min_bytes(to_i32(config.fetch.bytes_min))
            .with_max_bytes(to_i32(limits.bytes_max))
            .with_isolation_level(i8::from(limits.read_committed))
            .with_session_id(self.id)
            .with_session_epoch(self.epoch)
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten)
            .with_rack_id(StrBytes::from_string(config.client_rack.clone()));
        self.known.clone_from(wanted);
        request
    }

    fn is_news(&self, place: &Place, wanted: &Wanted) -> bool {
        // The serial is ours alone, but what it stands for begins somewhere else.
        self.known.get(place).is_none_or(|known| known != wanted)
    }

    /// What the last request asked of a partition.
    pub(super) fn asked(&self, place: &Place) -> Option<&Wanted> {
        self.known.get(place)
    }

    /// Everything that is asked for.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Place, &Wanted)> {
        self.known.iter()
    }

    /// After an answer that is no error: the session it names.
    pub(super) fn answered(&mut self, id: i32) {
        if id == 0 {
            (self.id, self.epoch) = (0, 0);
        } else {
            self.id = id;
            // Epoch 0 begins a session.
            self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        }
    }

    /// The next request begins a session, and ends the one that is known.
    pub(super) fn reset(&mut self) {
        self.epoch = 0;
        self.known.clear();
    }

    /// The same where the broker does not know it, or may be another.
    pub(super) fn forget(&mut self) {
        self.reset();
        self.id = 0;
    }
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// Partitions by topic, in their order.
fn topics(asked: &[(&Place, &Wanted)], version: i16) -> Vec<FetchTopic> {
    let mut topics: Vec<(&Arc<str>, FetchTopic)> = Vec::new();
    for (place, wanted) in asked {
        let partition = FetchPartition::default()
            .with_partition(place.partition)
            .with_current_leader_epoch(wanted.leader_epoch)
            .with_fetch_offset(wanted.offset)
            .with_partition_max_bytes(wanted.bytes_max);
        match topics.last_mut() {
            Some((name, topic)) if **name == place.topic => topic.partitions.push(partition),
            _ => {
                let topic = FetchTopic::default().with_partitions(vec![partition]);
                let topic = match version >= WITH_IDS {
                    true => topic.with_topic_id(wanted.topic_id),
                    false => topic.with_topic(topic_name(&place.topic)),
                };
                topics.push((&place.topic, topic));
            }
        }
    }
    topics.into_iter().map(|(_, topic)| topic).collect()
}

fn forgotten(
    known: &BTreeMap<Place, Wanted>,
    wanted: &BTreeMap<Place, Wanted>,
    version: i16,
) -> Vec<ForgottenTopic> {
    let mut topics: BTreeMap<&Arc<str>, ForgottenTopic> = BTreeMap::new();
    for (place, it) in known.iter().filter(|(place, _)| !wanted.contains_key(*place)) {
        let topic = topics.entry(&place.topic).or_insert_with(|| match version >= WITH_IDS {
            true => ForgottenTopic::default().with_topic_id(it.topic_id),
            false => ForgottenTopic::default().with_topic(topic_name(&place.topic)),
        });
        topic.partitions.push(place.partition);
    }
    topics.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &str, partition: i32) -> Place {
        Place { topic: topic.into(), partition }
    }

    fn wanted(places: &[(&str, i32, i64)]) -> BTreeMap<Place, Wanted> {
        let topic_id = Uuid::from_u128(7);
        let one = |(topic, partition, offset): &(&str, i32, i64)| {
            let wanted = Wanted { serial: 1, topic_id, offset: *offset, leader_epoch: 0, bytes_max: 100 };
            (place(topic, *partition), wanted)
        };
        places.iter().map(one).collect()
    }

    fn ask(session: &mut Session, places: &[(&str, i32, i64)], version: i16) -> FetchRequest {
        let limits = Limits { wait_max: Duration::ZERO, bytes_max: 1, read_committed: true };
        let config = Config::new("b:1").expect("an address");
        session.request(&wanted(places), &limits, &config, version)
    }

    fn listed(request: &FetchRequest) -> Vec<(i32, i64)> {
        let all = request.topics.iter().flat_map(|topic| &topic.partitions);
        all.map(|partition| (partition.partition, partition.fetch_offset)).collect()
    }

    #[test]
    fn a_session_tells_only_what_changed() {
        let mut session = Session::default();
        let first = ask(&mut session, &[("a", 0, 0), ("a", 1, 0), ("b", 0, 0)], 12);
        assert_eq!((first.session_id, first.session_epoch, first.topics.len()), (0, 0, 2));
        assert_eq!(listed(&first).len(), 3);
        session.answered(42);
        let second = ask(&mut session, &[("a", 0, 5), ("a", 1, 0), ("b", 0, 0)], 12);
        assert_eq!((second.session_id, second.session_epoch), (42, 1));
        assert_eq!(listed(&second), [(0, 5)]);
        session.answered(42);
        let third = ask(&mut session, &[("a", 1, 0), ("b", 0, 0), ("b", 1, 9)], 12);
        assert_eq!((third.session_epoch, listed(&third)), (2, vec![(1, 9)]));
        assert_eq!(third.forgotten_topics_data.len(), 1);
        assert_eq!(third.forgotten_topics_data[0].partitions, [0]);
    }

    #[test]
    fn without_a_session_everything_is_told_every_time_in_turns() {
        let mut session = Session::default();
        let places = [("a", 0, 0), ("a", 1, 0), ("a", 2, 0)];
        for turn in 0..4 {
            let request = ask(&mut session, &places, 13);
            assert_eq!((request.session_id, request.session_epoch), (0, 0));
            let first = listed(&request)[0].0;
            assert_eq!(first, turn % 3);
            assert!(request.topics.iter().all(|topic| topic.topic_id == Uuid::from_u128(7)));
            session.answered(0);
        }
    }

    #[test]
    fn after_an_error_a_session_begins_anew() {
        let mut session = Session::default();
        ask(&mut session, &[("a", 0, 0)], 12);
        session.answered(42);
        session.reset();
        let full = ask(&mut session, &[("a", 0, 0)], 12);
        assert_eq!((full.session_id, full.session_epoch, listed(&full).len()), (42, 0, 1));
        session.forget();
        let full = ask(&mut session, &[("a", 0, 0)], 12);
        assert_eq!((full.session_id, full.session_epoch), (0, 0));
    }
}
