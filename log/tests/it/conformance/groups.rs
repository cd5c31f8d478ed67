//! Consumer groups: who gets what, and what the group remembers.

use super::Feature;
use super::peer::{Peer, shared, until};
use super::world::{REQUEST, World, noted};
use millstream_log::{Isolation, LogError, MemberEvent, TopicPartition};
use std::collections::BTreeSet;

fn all(topic: &str, partitions: u32) -> BTreeSet<TopicPartition> {
    (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect()
}

pub(crate) fn the_first_member_gets_everything(world: &World) {
    let topic = world.topic("t", 4);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    let before = peer.member.metadata().expect("metadata");
    assert_eq!((before.generation, before.member.as_str()), (-1, ""));
    assert_eq!(before.group, world.name("g"));

    shared(world, &mut [&mut peer], 4);
    assert_eq!(peer.held, all(&topic, 4));
    let now = peer.member.metadata().expect("metadata");
    assert!(now.generation >= 0 && !now.member.is_empty(), "{now:?}");
    assert_eq!((now.group, now.instance), (world.name("g"), None));
}

pub(crate) fn two_members_share_evenly(world: &World) {
    let topic = world.topic("t", 5);
    let options = world.member_options("g", &[&topic]);
    let (mut first, mut second) = (Peer::join(&world.log(), &options), Peer::join(&world.log(), &options));
    shared(world, &mut [&mut first, &mut second], 5);
    assert_ne!(first.member.metadata(), second.member.metadata());
}

pub(crate) fn nothing_moves_until_it_is_released(world: &World) {
    let topic = world.topic("t", 4);
    let options = world.member_options("g", &[&topic]);
    let mut first = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first], 4);

    first.answers = false;
    let mut second = Peer::join(&world.log(), &options);
    until(world, "a revoke", &mut [&mut first, &mut second], |peers| peers[0].unanswered.is_some());
    let Some(MemberEvent::Revoking(revoked)) = first.unanswered.clone() else {
        panic!("{:?}", first.unanswered)
    };
    assert_eq!(revoked.len(), 2);
    // Much longer than a rebalance takes, much shorter than the session.
    for _ in 0..100 {
        second.poll();
        world.target().pass(10);
    }
    assert_eq!(second.held, BTreeSet::new());

    first.answers = true;
    shared(world, &mut [&mut first, &mut second], 4);
    assert_eq!(second.held, revoked.into_iter().collect());
}

pub(crate) fn what_stays_is_left_alone(world: &World) {
    let topic = world.topic("t", 6);
    let options = world.member_options("g", &[&topic]);
    let mut first = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first], 6);
    first.events.clear();
    let mut second = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first, &mut second], 6);

    let [MemberEvent::Revoking(revoked)] = &first.events[..] else { panic!("{:?}", first.events) };
    assert_eq!(revoked.len(), 3);
    assert!(first.held.is_disjoint(&revoked.iter().cloned().collect()));
    let [MemberEvent::Assigned(assigned)] = &second.events[..] else { panic!("{:?}", second.events) };
    assert_eq!(assigned.iter().collect::<BTreeSet<_>>(), revoked.iter().collect());
}

pub(crate) fn generations_rise(world: &World) {
    let topic = world.topic("t", 2);
    let options = world.member_options("g", &[&topic]);
    let mut first = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first], 2);
    let alone = first.generation();
    let member = first.member.metadata().expect("metadata").member;
    let mut second = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first, &mut second], 2);
    assert!(first.generation() > alone);
    assert_eq!(first.generation(), second.generation());
    assert_eq!(first.member.metadata().expect("metadata").member, member);
}

pub(crate) fn the_partitions_of_a_member_that_leaves_go_to_others(world: &World) {
    let topic = world.topic("t", 4);
    // A session so long that only a farewell can be the reason.
    let mut options = world.member_options("g", &[&topic]);
    options.session_timeout_ms = 60_000;
    let (mut first, mut second) = (Peer::join(&world.log(), &options), Peer::join(&world.log(), &options));
    shared(world, &mut [&mut first, &mut second], 4);
    second.member.leave(REQUEST).expect("a farewell");
    let gone = second.member.metadata().expect("metadata");
    assert_eq!((gone.generation, gone.member.as_str()), (-1, ""));
    shared(world, &mut [&mut first], 4);
    assert_eq!(first.held, all(&topic, 4));
}

pub(crate) fn the_partitions_of_a_dead_member_go_to_others(world: &World) {
    if !world.can(Feature::Processes) {
        return;
    }
    let topic = world.topic("t", 4);
    let mut options = world.member_options("g", &[&topic]);
    options.session_timeout_ms = 2_000;
    let (other, process) = world.process("other");
    let (mut first, mut second) = (Peer::join(&world.log(), &options), Peer::join(&other, &options));
    shared(world, &mut [&mut first, &mut second], 4);
    let was_held = second.held.clone();
    drop(second);
    world.target().kill(&process);
    first.events.clear();
    shared(world, &mut [&mut first], 4);
    let [MemberEvent::Assigned(assigned)] = &first.events[..] else { panic!("{:?}", first.events) };
    assert_eq!(assigned.iter().cloned().collect::<BTreeSet<_>>(), was_held);
}

pub(crate) fn a_member_gets_partitions_of_all_its_topics(world: &World) {
    let (one, two) = (world.topic("one", 3), world.topic("two", 2));
    let options = world.member_options("g", &[&one, &two]);
    let (mut first, mut second) = (Peer::join(&world.log(), &options), Peer::join(&world.log(), &options));
    shared(world, &mut [&mut first, &mut second], 5);
    let mut held = first.held.clone();
    held.extend(second.held.iter().cloned());
    assert_eq!(held, all(&one, 3).union(&all(&two, 2)).cloned().collect());
}

pub(crate) fn groups_do_not_see_each_other(world: &World) {
    let topic = world.topic("t", 3);
    let mut first = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    let mut second = Peer::join(&world.log(), &world.member_options("h", &[&topic]));
    until(world, "everything for both", &mut [&mut first, &mut second], |peers| {
        peers.iter().all(|peer| peer.held.len() == 3)
    });
}

pub(crate) fn a_group_without_members_takes_commits(world: &World) {
    let topic = world.topic("t", 3);
    let places: Vec<TopicPartition> = all(&topic, 3).into_iter().collect();
    let commits = [(places[0].clone(), noted(5, "größe: {\"n\": 1}")), (places[2].clone(), noted(7, ""))];
    let mut admin = world.admin();
    admin.commit(&world.name("g"), &commits).expect("a commit");
    let asked = [places[2].clone(), places[1].clone(), places[0].clone()];
    let expected = vec![Some(noted(7, "")), None, Some(noted(5, "größe: {\"n\": 1}"))];
    assert_eq!(admin.committed(&world.name("g"), &asked, Isolation::ReadUncommitted), Ok(expected));

    // A member finds what was committed before it came.
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 3);
    assert_eq!(world.stable("g", &places[0]), Some(commits[0].1.clone()));
    assert_eq!(world.stable("g", &places[1]), None);
}

pub(crate) fn a_group_with_members_takes_no_commits_from_outside(world: &World) {
    let topic = world.topic("t", 1);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 1);
    let refused = world.admin().commit(&world.name("g"), &[(place.clone(), noted(5, ""))]);
    assert_eq!(refused, Err(LogError::GroupInUse(world.name("g"))));
    assert_eq!(world.committed("g", &place), None);

    peer.member.leave(REQUEST).expect("a farewell");
    world.eventually("a commit", || {
        world.admin().commit(&world.name("g"), &[(place.clone(), noted(6, ""))]).ok()
    });
    assert_eq!(world.committed("g", &place), Some(noted(6, "")));
}

pub(crate) fn a_group_with_members_can_not_be_deleted(world: &World) {
    let topic = world.topic("t", 1);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 1);
    let refused = world.admin().delete_group(&world.name("g"));
    assert_eq!(refused, Err(LogError::GroupInUse(world.name("g"))));
}

pub(crate) fn a_group_that_does_not_exist_has_committed_nothing(world: &World) {
    let place = world.partition("t");
    assert_eq!(world.committed("missing", &place), None);
    let unknown = TopicPartition::new(world.name("no-topic"), 3);
    assert_eq!(world.committed("missing", &unknown), None);
    assert_eq!(world.admin().delete_group(&world.name("missing")), Ok(()));
}

pub(crate) fn a_deleted_group_has_forgotten_what_it_committed(world: &World) {
    let place = world.partition("t");
    let mut admin = world.admin();
    admin.commit(&world.name("g"), &[(place.clone(), noted(3, "note"))]).expect("a commit");
    admin.delete_group(&world.name("g")).expect("deletion");
    assert_eq!(world.committed("g", &place), None);
    admin.commit(&world.name("g"), &[(place.clone(), noted(4, ""))]).expect("a commit");
    assert_eq!(world.committed("g", &place), Some(noted(4, "")));
}
