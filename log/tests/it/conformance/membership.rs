//! Losing one's place in a group, and keeping it over a restart.

use super::Feature;
use super::peer::{Peer, shared, until};
use super::world::{REQUEST, World};
use millstream_log::{MemberEvent, MemberOptions};
use std::collections::BTreeSet;

fn named(world: &World, topic: &str, instance: &str, session_timeout_ms: u64) -> MemberOptions {
    let instance = Some(world.name(instance));
    MemberOptions { instance, session_timeout_ms, ..world.member_options("g", &[topic]) }
}

pub(crate) fn a_member_that_fell_silent_has_lost_its_partitions(world: &World) {
    if !world.can(Feature::Processes) {
        return;
    }
    let topic = world.topic("t", 2);
    let mut options = world.member_options("g", &[&topic]);
    options.session_timeout_ms = 2_000;
    let (elsewhere, process) = world.process("zombie");
    let mut zombie = Peer::join(&elsewhere, &options);
    shared(world, &mut [&mut zombie], 2);
    let held = zombie.held.clone();

    zombie.answers = false;
    world.target().pause(&process, true);
    // Somebody else gets everything, while the zombie does not listen.
    let mut heir = Peer::join(&world.log(), &options);
    until(world, "succession", &mut [&mut heir], |peers| peers[0].held.len() == 2);
    world.target().pause(&process, false);
    until(world, "the loss", &mut [&mut zombie, &mut heir], |peers| peers[0].unanswered.is_some());
    match &zombie.unanswered {
        Some(MemberEvent::Lost(lost)) => assert_eq!(lost.iter().cloned().collect::<BTreeSet<_>>(), held),
        other => panic!("{other:?}"),
    }
    let metadata = zombie.member.metadata().expect("metadata");
    assert_eq!((metadata.generation, metadata.member.as_str()), (-1, ""));
}

pub(crate) fn a_member_that_lost_its_place_joins_again_under_a_new_name(world: &World) {
    if !world.can(Feature::Processes) {
        return;
    }
    let topic = world.topic("t", 2);
    let mut options = world.member_options("g", &[&topic]);
    options.session_timeout_ms = 2_000;
    let (elsewhere, process) = world.process("zombie");
    let mut zombie = Peer::join(&elsewhere, &options);
    shared(world, &mut [&mut zombie], 2);
    let before = zombie.member.metadata().expect("metadata");

    world.target().pause(&process, true);
    let mut heir = Peer::join(&world.log(), &options);
    until(world, "succession", &mut [&mut heir], |peers| peers[0].held.len() == 2);
    world.target().pause(&process, false);
    until(world, "the loss", &mut [&mut zombie, &mut heir], |peers| peers[0].held.is_empty());
    shared(world, &mut [&mut zombie, &mut heir], 2);
    let after = zombie.member.metadata().expect("metadata");
    assert_ne!(after.member, before.member);
    assert!(after.generation > before.generation);
}

pub(crate) fn a_static_member_comes_back_without_a_rebalance(world: &World) {
    let topic = world.topic("t", 4);
    let (elsewhere, process) = world.process("first");
    let options = named(world, &topic, "a", 30_000);
    let mut first = Peer::join(&elsewhere, &options);
    let mut second = Peer::join(&world.log(), &named(world, &topic, "b", 30_000));
    shared(world, &mut [&mut first, &mut second], 4);
    let (held, generation) = (first.held.clone(), second.generation());
    let before = first.member.metadata().expect("metadata");
    assert_eq!(before.instance, Some(world.name("a")));

    drop(first);
    world.target().kill(&process);
    second.events.clear();
    let mut again = Peer::join(&world.log(), &options);
    until(world, "the old place", &mut [&mut again, &mut second], |peers| peers[0].held == held);
    assert_eq!(again.generation(), generation);
    assert_eq!(second.generation(), generation);
    assert_eq!(second.events, []);
    let after = again.member.metadata().expect("metadata");
    assert_eq!(after.instance, before.instance);
    assert_ne!(after.member, before.member);
}

pub(crate) fn the_former_holder_of_a_name_is_fenced(world: &World) {
    let topic = world.topic("t", 2);
    let options = named(world, &topic, "a", 30_000);
    let mut old = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut old], 2);
    let mut new = Peer::join(&world.log(), &options);
    until(world, "the same place", &mut [&mut new], |peers| peers[0].held.len() == 2);
    until(world, "fencing", &mut [&mut old, &mut new], |peers| peers[0].fenced);
    // And stays so.
    old.poll();
    assert!(old.fenced && !new.fenced);
}

/// A static member dies after the group has decided to take a partition from it and before it let go. The one that
/// comes back in its place is given what was left, without a rebalance, and nobody has the rest.
pub(crate) fn partitions_that_nobody_has_are_found(world: &World) {
    let topic = world.topic("t", 4);
    let (elsewhere, process) = world.process("first");
    let options = named(world, &topic, "a", 60_000);
    let mut first = Peer::join(&elsewhere, &options);
    shared(world, &mut [&mut first], 4);
    first.answers = false;
    let mut second = Peer::join(&world.log(), &named(world, &topic, "b", 60_000));
    until(world, "a revoke", &mut [&mut first, &mut second], |peers| peers[0].unanswered.is_some());
    drop(first);
    world.target().kill(&process);

    let mut again = Peer::join(&world.log(), &options);
    until(world, "what was left", &mut [&mut again, &mut second], |peers| peers[0].held.len() == 2);
    assert_eq!(second.held, BTreeSet::new());
    world.eventually("healing", || {
        again.poll();
        second.poll();
        (second.member.heal(REQUEST) == Ok(true)).then_some(())
    });
    shared(world, &mut [&mut again, &mut second], 4);
    assert_eq!(second.member.heal(REQUEST), Ok(false));
    assert_eq!(again.member.heal(REQUEST), Ok(false));
}

pub(crate) fn a_static_member_that_leaves_keeps_its_place_for_its_session(world: &World) {
    let topic = world.topic("t", 4);
    let mut first = Peer::join(&world.log(), &named(world, &topic, "a", 3_000));
    let mut second = Peer::join(&world.log(), &named(world, &topic, "b", 3_000));
    shared(world, &mut [&mut first, &mut second], 4);
    first.member.leave(REQUEST).expect("a farewell");
    second.events.clear();
    for _ in 0..100 {
        second.poll();
        world.target().pass(10);
    }
    assert_eq!(second.events, []);
    // Its session over, its partitions go to others.
    shared(world, &mut [&mut second], 4);
}
