//! Writing in transactions: who may, how it ends, and offsets as part of it.

use super::Feature;
use super::peer::{Peer, shared, until};
use super::world::{World, noise, noted, records};
use millstream_log::{
    EndOutcome, GroupMetadata, Isolation, LogError, MemberOptions, TopicPartition, TransactionError,
};

fn is_fenced<T: std::fmt::Debug>(what: &str, outcome: &Result<T, TransactionError>) {
    assert!(matches!(outcome, Err(TransactionError::Fenced(_))), "{what}: {outcome:?}");
}

/// A commit by somebody who has been fenced: nothing is committed, whether the log says so or leaves it in doubt.
fn is_not_committed(outcome: &Result<EndOutcome, TransactionError>) {
    let known = matches!(outcome, Err(TransactionError::Fenced(_) | TransactionError::InDoubt(_)));
    assert!(known, "{outcome:?}");
}

pub(crate) fn a_transaction_without_anything_in_it_commits(world: &World) {
    let place = world.partition("t");
    let mut writer = world.transactional("w", 10_000);
    for _ in 0..3 {
        world.retry("begin", || writer.begin());
        assert_eq!(world.retry("flush", || writer.flush()), []);
        world.retry("commit", || writer.commit());
        world.retry("begin", || writer.begin());
        world.retry("abort", || writer.abort());
    }
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["a"]);
    world.retry("commit", || writer.commit());
    world.settled(&place);
    assert_eq!(world.values(&place), ["a"]);
}

pub(crate) fn a_writer_goes_on_after_an_abort(world: &World) {
    let place = world.partition("t");
    let mut writer = world.transactional("w", 10_000);
    for round in 0..5 {
        world.retry("begin", || writer.begin());
        world.put(writer.as_mut(), &place, &["aborted"]);
        let outcome = world.retry("abort", || writer.abort());
        assert!(!outcome.sent_again);
        world.retry("begin", || writer.begin());
        world.put(writer.as_mut(), &place, &[&format!("{round}")]);
        let outcome = world.retry("commit", || writer.commit());
        assert!(!outcome.sent_again);
    }
    world.settled(&place);
    assert_eq!(world.values(&place), ["0", "1", "2", "3", "4"]);
}

pub(crate) fn flush_gives_the_offset_after_the_last_record(world: &World) {
    let topic = world.topic("t", 3);
    let place = |partition| TopicPartition::new(topic.as_ref(), partition);
    world.write(&place(2), &["before"]);
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    world.retry("write", || writer.write(&place(0), &records(&["a", "b"])));
    world.retry("write", || writer.write(&place(2), &records(&["c"])));
    world.retry("write", || writer.write(&place(0), &records(&["d"])));
    let mut ends = world.retry("flush", || writer.flush());
    ends.sort();
    assert_eq!(ends, [(place(0), 3), (place(2), 2)]);
    world.retry("write", || writer.write(&place(2), &records(&["e"])));
    let mut ends = world.retry("flush", || writer.flush());
    ends.sort();
    assert_eq!(ends, [(place(0), 3), (place(2), 3)]);
    world.retry("commit", || writer.commit());

    // The next transaction begins without them, behind the markers.
    world.retry("begin", || writer.begin());
    assert_eq!(world.put(writer.as_mut(), &place(0), &["f"]), [(place(0), 5)]);
    world.retry("commit", || writer.commit());
}

pub(crate) fn a_second_writer_of_the_same_id_fences_the_first(world: &World) {
    let place = world.partition("t");
    let mut first = world.transactional("w", 30_000);
    world.retry("begin", || first.begin());
    world.put(first.as_mut(), &place, &["of the first"]);

    let mut second = world.transactional("w", 30_000);
    let outcome = world.outcome("commit", || first.commit());
    is_not_committed(&outcome);
    world.retry("begin", || second.begin());
    world.put(second.as_mut(), &place, &["of the second"]);
    world.retry("commit", || second.commit());
    world.settled(&place);
    assert_eq!(world.values(&place), ["of the second"]);

    // It can't even begin to disturb.
    let mut third = world.transactional("w", 30_000);
    let outcome = world.outcome("a write by a fenced writer", || {
        second.begin()?;
        second.write(&place, &records(&["too late"]))?;
        second.flush()?;
        second.commit().map(|_| ())
    });
    let refused = matches!(outcome, Err(TransactionError::Fenced(_) | TransactionError::InDoubt(_)));
    assert!(refused, "{outcome:?}");
    world.retry("begin", || third.begin());
    world.put(third.as_mut(), &place, &["of the third"]);
    world.retry("commit", || third.commit());
    world.settled(&place);
    assert_eq!(world.values(&place), ["of the second", "of the third"]);
}

pub(crate) fn a_second_writer_ends_what_the_first_left_open(world: &World) {
    let place = world.partition("t");
    let (elsewhere, process) = world.process("first");
    let mut first = world.transactional_of(&elsewhere, "w", 60_000);
    world.retry("begin", || first.begin());
    world.put(first.as_mut(), &place, &["left open"]);
    world.target().kill(&process);
    drop(first);

    // Long before the transaction would time out.
    let mut second = world.transactional("w", 60_000);
    assert_eq!(world.settled(&place), 2);
    world.retry("begin", || second.begin());
    world.put(second.as_mut(), &place, &["a"]);
    world.retry("commit", || second.commit());
    world.settled(&place);
    assert_eq!(world.values(&place), ["a"]);
}

pub(crate) fn a_transaction_that_takes_too_long_is_aborted_and_its_writer_fenced(world: &World) {
    let place = world.partition("t");
    let mut writer = world.transactional("w", 2_000);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["too slow"]);
    assert_eq!(world.settled(&place), 2);
    let outcome = world.outcome("commit", || writer.commit());
    is_not_committed(&outcome);
    assert_eq!(world.values(&place), [""; 0]);

    let mut again = world.transactional("w", 10_000);
    world.retry("begin", || again.begin());
    world.put(again.as_mut(), &place, &["in time"]);
    world.retry("commit", || again.commit());
    world.settled(&place);
    assert_eq!(world.values(&place), ["in time"]);
}

fn refused_place(outcome: Result<(), TransactionError>) -> TopicPartition {
    match outcome {
        Err(TransactionError::Refused { place, .. }) => place,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn a_record_too_large_is_refused_with_its_partition(world: &World) {
    let topic = world.topic_with("t", 2, &[("max.message.bytes", "5000")]);
    let (small, large) = (TopicPartition::new(topic.as_ref(), 0), TopicPartition::new(topic.as_ref(), 1));
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &small, &["a"]);
    let value = noise(50_000);
    let outcome = world.outcome("a large record", || {
        writer.write(&large, &records(&[&value]))?;
        writer.flush().map(|_| ())
    });
    assert_eq!(refused_place(outcome), large);
    world.retry("abort", || writer.abort());
    world.settled(&small);
    assert_eq!(world.values(&small), [""; 0]);
}

pub(crate) fn an_unknown_topic_is_refused_with_its_partition(world: &World) {
    let missing = TopicPartition::new(world.name("missing"), 0);
    let beyond = TopicPartition::new(world.topic("t", 1), 1);
    for place in [missing, beyond] {
        let mut writer = world.transactional("w", 10_000);
        world.retry("begin", || writer.begin());
        let outcome = world.outcome("an unknown topic", || {
            writer.write(&place, &records(&["a"]))?;
            writer.flush().map(|_| ())
        });
        assert_eq!(refused_place(outcome), place);
        world.retry("abort", || writer.abort());
    }
}

/// The log may want one more abort before it takes records again: a record that was refused leaves a gap in the
/// writer's sequence numbers.
pub(crate) fn a_writer_goes_on_after_a_refusal(world: &World) {
    let topic = world.topic_with("t", 1, &[("max.message.bytes", "5000")]);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut writer = world.transactional("w", 10_000);
    for round in 0..3 {
        world.retry("begin", || writer.begin());
        let value = noise(50_000);
        let outcome = world.outcome("a large record", || {
            writer.write(&place, &records(&[&value]))?;
            writer.flush().map(|_| ())
        });
        assert_eq!(refused_place(outcome), place);
        world.retry("abort", || writer.abort());

        let value = round.to_string();
        let mut aborts = 0;
        world.eventually("a transaction after the refusal", || {
            world.retry("begin", || writer.begin());
            let written = world.outcome("a small record", || writer.write(&place, &records(&[&value])));
            let flushed = written.and_then(|()| world.outcome("flush", || writer.flush()));
            match flushed {
                Ok(_) => Some(world.retry("commit", || writer.commit())),
                Err(TransactionError::Abortable(_)) => {
                    world.retry("abort", || writer.abort());
                    aborts += 1;
                    None
                }
                Err(error) => panic!("{error}"),
            }
        });
        assert!(aborts < 2, "{aborts}");
    }
    world.settled(&place);
    assert_eq!(world.values(&place), ["0", "1", "2"]);
}

pub(crate) fn offsets_are_committed_with_the_transaction(world: &World) {
    let topic = world.topic("t", 2);
    let places: Vec<TopicPartition> =
        (0..2).map(|index| TopicPartition::new(topic.as_ref(), index)).collect();
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 2);
    let mut writer = world.transactional("w", 10_000);
    for round in 1..4 {
        let note = format!("{round} größe {}", "f".repeat(64));
        world.retry("begin", || writer.begin());
        world.put(writer.as_mut(), &places[0], &["a"]);
        let metadata = peer.member.metadata().expect("metadata");
        let offsets = [(places[0].clone(), noted(round, &note)), (places[1].clone(), noted(round * 10, ""))];
        world.retry("offsets", || writer.send_offsets(&offsets, &metadata));
        // Not before the commit.
        let before = (round > 1).then_some((round - 1) * 10);
        assert_eq!(world.committed("g", &places[1]).map(|it| it.offset), before);
        world.retry("commit", || writer.commit());
        assert_eq!(world.stable("g", &places[0]), Some(noted(round, &note)));
        assert_eq!(world.stable("g", &places[1]), Some(noted(round * 10, "")));
    }
}

pub(crate) fn offsets_of_an_aborted_transaction_are_forgotten(world: &World) {
    let topic = world.topic("t", 1);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 1);
    let mut writer = world.transactional("w", 10_000);
    let metadata = peer.member.metadata().expect("metadata");
    for (offset, commit) in [(1, true), (2, false), (3, false)] {
        world.retry("begin", || writer.begin());
        world.retry("offsets", || writer.send_offsets(&[(place.clone(), noted(offset, "n"))], &metadata));
        match commit {
            true => world.retry("commit", || writer.commit()),
            false => world.retry("abort", || writer.abort()),
        };
        assert_eq!(world.stable("g", &place), Some(noted(1, "n")));
    }
}

pub(crate) fn committed_waits_for_the_transaction_that_holds_the_offset(world: &World) {
    let topic = world.topic("t", 2);
    let places: Vec<TopicPartition> =
        (0..2).map(|index| TopicPartition::new(topic.as_ref(), index)).collect();
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 2);
    let metadata = peer.member.metadata().expect("metadata");
    let mut writer = world.transactional("w", 30_000);
    world.retry("begin", || writer.begin());
    world.retry("offsets", || writer.send_offsets(&[(places[0].clone(), noted(4, "n"))], &metadata));

    for _ in 0..3 {
        let answer = world.admin().committed(&world.name("g"), &places, Isolation::ReadCommitted);
        assert!(matches!(answer, Err(LogError::NotReady(_) | LogError::Timeout(_))), "{answer:?}");
        peer.poll();
    }
    // Who does not mind transactions gets an answer, and so do partitions that none holds.
    assert_eq!(world.committed("g", &places[0]), None);
    assert_eq!(world.stable("g", &places[1]), None);
    world.retry("commit", || writer.commit());
    assert_eq!(world.stable("g", &places[0]), Some(noted(4, "n")));
}

pub(crate) fn an_earlier_generation_is_fenced(world: &World) {
    let topic = world.topic("t", 2);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let options = world.member_options("g", &[&topic]);
    let mut first = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first], 2);
    let old = first.member.metadata().expect("metadata");
    let mut second = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut first, &mut second], 2);
    let now = first.member.metadata().expect("metadata");

    let mut writer = world.transactional("w", 10_000);
    for metadata in [old, GroupMetadata { generation: now.generation + 1, ..now.clone() }] {
        world.retry("begin", || writer.begin());
        let outcome =
            world.outcome("offsets", || writer.send_offsets(&[(place.clone(), noted(9, ""))], &metadata));
        is_fenced("another generation", &outcome);
        world.retry("abort", || writer.abort());
    }
    world.retry("begin", || writer.begin());
    world.retry("offsets", || writer.send_offsets(&[(place.clone(), noted(1, ""))], &now));
    world.retry("commit", || writer.commit());
    assert_eq!(world.stable("g", &place), Some(noted(1, "")));
}

pub(crate) fn a_member_the_group_does_not_know_is_fenced(world: &World) {
    let topic = world.topic("t", 1);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 1);
    let now = peer.member.metadata().expect("metadata");
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    let stranger = GroupMetadata { member: "nobody-1".to_owned(), ..now };
    let outcome =
        world.outcome("offsets", || writer.send_offsets(&[(place.clone(), noted(9, ""))], &stranger));
    is_fenced("a stranger", &outcome);
    world.retry("abort", || writer.abort());
    assert_eq!(world.stable("g", &place), None);
}

pub(crate) fn a_fenced_instance_can_not_commit(world: &World) {
    let topic = world.topic("t", 1);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let instance = Some(world.name("a"));
    let options =
        MemberOptions { instance, session_timeout_ms: 30_000, ..world.member_options("g", &[&topic]) };
    let mut old = Peer::join(&world.log(), &options);
    shared(world, &mut [&mut old], 1);
    let metadata = old.member.metadata().expect("metadata");
    let mut new = Peer::join(&world.log(), &options);
    until(world, "the same place", &mut [&mut new], |peers| peers[0].held.len() == 1);

    // The generation is the same, and still the group knows the difference.
    assert_eq!(new.generation(), metadata.generation);
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    let outcome =
        world.outcome("offsets", || writer.send_offsets(&[(place.clone(), noted(9, ""))], &metadata));
    is_fenced("the former holder of the name", &outcome);
    world.retry("abort", || writer.abort());
    assert_eq!(world.stable("g", &place), None);
}

pub(crate) fn a_zombie_that_lost_its_partitions_is_fenced(world: &World) {
    if !world.can(Feature::Processes) {
        return;
    }
    let topic = world.topic("t", 1);
    let (place, output) = (TopicPartition::new(topic.as_ref(), 0), world.partition("output"));
    let mut options = world.member_options("g", &[&topic]);
    options.session_timeout_ms = 2_000;
    let (elsewhere, process) = world.process("zombie");
    let mut zombie = Peer::join(&elsewhere, &options);
    shared(world, &mut [&mut zombie], 1);
    let metadata = zombie.member.metadata().expect("metadata");
    let mut writer = world.transactional("w", 30_000);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &output, &["of a zombie"]);

    world.target().pause(&process, true);
    let mut heir = Peer::join(&world.log(), &options);
    until(world, "succession", &mut [&mut heir], |peers| peers[0].held.len() == 1);
    let outcome =
        world.outcome("offsets", || writer.send_offsets(&[(place.clone(), noted(9, ""))], &metadata));
    is_fenced("a zombie", &outcome);
    world.retry("abort", || writer.abort());
    world.settled(&output);
    assert_eq!(world.values(&output), [""; 0]);
    assert_eq!(world.stable("g", &place), None);
    world.target().pause(&process, false);
}

pub(crate) fn offsets_of_a_partition_of_somebody_else_are_accepted(world: &World) {
    let topic = world.topic("t", 2);
    let input = world.partition("input");
    let options = world.member_options("g", &[&topic]);
    let (mut first, mut second) = (Peer::join(&world.log(), &options), Peer::join(&world.log(), &options));
    shared(world, &mut [&mut first, &mut second], 2);
    let theirs = second.held.first().expect("its share").clone();

    let metadata = first.member.metadata().expect("metadata");
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    let offsets =
        [(theirs.clone(), noted(3, "by the first")), (input.clone(), noted(8, "no topic of the group"))];
    world.retry("offsets", || writer.send_offsets(&offsets, &metadata));
    world.retry("commit", || writer.commit());
    assert_eq!(world.stable("g", &theirs), Some(noted(3, "by the first")));
    assert_eq!(world.stable("g", &input), Some(noted(8, "no topic of the group")));
}

pub(crate) fn whoever_claims_to_be_nobody_is_not_checked(world: &World) {
    let topic = world.topic("t", 1);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut peer = Peer::join(&world.log(), &world.member_options("g", &[&topic]));
    shared(world, &mut [&mut peer], 1);
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    let nobody = world.nobody("g");
    world.retry("offsets", || writer.send_offsets(&[(place.clone(), noted(2, "hole"))], &nobody));
    world.retry("commit", || writer.commit());
    assert_eq!(world.stable("g", &place), Some(noted(2, "hole")));
}
