//! A member of a group that answers what it is told, as a worker would.

use super::world::World;
use millstream_log::{Log, LogError, Member, MemberEvent, MemberOptions, TopicPartition};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A member, what it holds, and what happened to it.
pub(crate) struct Peer {
    pub(crate) member: Box<dyn Member>,
    pub(crate) held: BTreeSet<TopicPartition>,
    /// Everything it was told, in order.
    pub(crate) events: Vec<MemberEvent>,
    /// Told and not answered yet.
    pub(crate) unanswered: Option<MemberEvent>,
    /// Whether it answers at once.
    pub(crate) answers: bool,
    /// Set once the group has given its name to another.
    pub(crate) fenced: bool,
}

impl Peer {
    pub(crate) fn join(log: &Arc<dyn Log>, options: &MemberOptions) -> Self {
        let member = log.member(options).expect("a member");
        let (held, events) = (BTreeSet::new(), Vec::new());
        Peer { member, held, events, unanswered: None, answers: true, fenced: false }
    }

    /// Listens once, and answers if it is to.
    pub(crate) fn poll(&mut self) {
        match self.member.poll() {
            Ok(Some(event)) => {
                assert!(self.unanswered.is_none(), "told {event:?} while {:?} waits", self.unanswered);
                self.events.push(event.clone());
                self.unanswered = Some(event);
            }
            Ok(None) => {}
            Err(LogError::Fenced(_)) => self.fenced = true,
            Err(error) => panic!("the member failed: {error}"),
        }
        if self.answers {
            self.answer();
        }
    }

    /// Answers what it was told.
    pub(crate) fn answer(&mut self) {
        match self.unanswered.take() {
            None => {}
            Some(MemberEvent::Assigned(places)) => {
                self.member.accept(&places).expect("offered partitions can be taken");
                self.held.extend(places);
            }
            Some(MemberEvent::Revoking(places) | MemberEvent::Lost(places)) => {
                self.held.retain(|place| !places.contains(place));
                self.member.release(&places).expect("revoked partitions can be released");
            }
        }
    }

    pub(crate) fn generation(&mut self) -> i32 {
        self.member.metadata().expect("group metadata").generation
    }
}

/// Lets members listen until they are as the test wants them.
pub(crate) fn until(world: &World, what: &str, peers: &mut [&mut Peer], done: impl Fn(&[&mut Peer]) -> bool) {
    world.eventually(what, || {
        peers.iter_mut().for_each(|peer| peer.poll());
        done(peers).then_some(())
    });
}

/// Lets members listen until everything they share is held by exactly one of them, as evenly as it can be, and all are
/// in the same generation.
pub(crate) fn shared(world: &World, peers: &mut [&mut Peer], partitions: usize) {
    let fair = partitions / peers.len();
    world.eventually("an even share for everybody", || {
        peers.iter_mut().for_each(|peer| peer.poll());
        let generations: BTreeSet<i32> = peers.iter_mut().map(|peer| peer.generation()).collect();
        let held: usize = peers.iter().map(|peer| peer.held.len()).sum();
        let even = peers.iter().all(|peer| peer.held.len() == fair || peer.held.len() == fair + 1);
        let one_generation = generations.len() == 1 && generations.first().is_some_and(|it| *it >= 0);
        (held == partitions && even && one_generation).then_some(())
    });
    let all: BTreeSet<_> = peers.iter().flat_map(|peer| peer.held.iter()).collect();
    assert_eq!(all.len(), partitions, "a partition is held twice");
}
