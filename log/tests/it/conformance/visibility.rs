//! What readers see of transactions.

use super::Feature;
use super::world::{POLL, Read, World, records};
use millstream_log::{Isolation, TopicPartition, TransactionalWriter};

fn begun(world: &World, id: &str) -> Box<dyn TransactionalWriter> {
    let mut writer = world.transactional(id, 30_000);
    world.retry("begin", || writer.begin());
    writer
}

fn texts(found: &[Read]) -> Vec<String> {
    found.iter().map(Read::text).collect()
}

pub(crate) fn a_committed_transaction_is_seen_whole(world: &World) {
    let place = world.partition("t");
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["a", "b"]);
    world.put(writer.as_mut(), &place, &["c"]);
    let outcome = world.retry("commit", || writer.commit());
    assert!(!outcome.sent_again);
    // The answer comes before the markers are written: visible soon, not at once.
    world.eventually_equals("the commit", &vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], || {
        world.values(&place)
    });
}

pub(crate) fn an_aborted_transaction_is_never_seen(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["before"]);
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["a", "b"]);
    world.retry("abort", || writer.abort());
    world.settled(&place);
    world.write(&place, &["after"]);
    let found = world.read_all(&place, Isolation::ReadCommitted);
    assert_eq!(texts(&found), ["before", "after"]);
    // Two records and a marker lie between.
    assert_eq!(found.iter().map(|read| read.offset).collect::<Vec<_>>(), [0, 4]);
}

pub(crate) fn an_open_transaction_is_not_seen(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["before"]);
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["a"]);
    assert_eq!((world.committed_end(&place), world.end(&place)), (1, 2));
    assert_eq!(world.values(&place), ["before"]);

    // A reader that waits at the open transaction gets it the moment it is committed.
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    assert_eq!(texts(&world.read_to(reader.as_mut(), &place, 1)), ["before"]);
    world.eventually_equals("the end of what it may see", &Some((1, 1)), || {
        reader.poll(POLL, &mut Vec::new()).expect("nothing");
        reader.status(&place).map(|status| (status.position, status.end))
    });
    world.retry("commit", || writer.commit());
    assert_eq!(texts(&world.read_to(reader.as_mut(), &place, 3)), ["a"]);
}

pub(crate) fn an_open_transaction_hides_what_others_wrote_after_it(world: &World) {
    let place = world.partition("t");
    let mut slow = begun(world, "slow");
    world.put(slow.as_mut(), &place, &["slow"]);
    world.write(&place, &["plain"]);
    let mut quick = begun(world, "quick");
    world.put(quick.as_mut(), &place, &["quick"]);
    world.retry("commit", || quick.commit());
    // The quick one's marker is there, and still nothing can be seen.
    world.eventually_equals("the marker", &4, || world.end(&place));
    assert_eq!(world.committed_end(&place), 0);
    assert_eq!(world.values(&place), [""; 0]);

    world.retry("abort", || slow.abort());
    world.settled(&place);
    assert_eq!(world.values(&place), ["plain", "quick"]);
}

pub(crate) fn an_uncommitted_reader_sees_everything(world: &World) {
    let place = world.partition("t");
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["aborted"]);
    world.retry("abort", || writer.abort());
    world.settled(&place);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["open"]);
    let aborted = world.target().can(Feature::AbortedRecords).then_some("aborted");
    let expected: Vec<&str> = aborted.into_iter().chain(["open"]).collect();
    assert_eq!(texts(&world.read_all(&place, Isolation::ReadUncommitted)), expected);
    assert_eq!(world.values(&place), [""; 0]);
}

pub(crate) fn the_position_passes_over_aborted_data_and_markers(world: &World) {
    let place = world.partition("t");
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["committed"]);
    world.retry("commit", || writer.commit());
    for _ in 0..3 {
        world.retry("begin", || writer.begin());
        world.put(writer.as_mut(), &place, &["aborted", "aborted"]);
        world.retry("abort", || writer.abort());
    }
    // One record, three times two, four markers: nothing visible after the first.
    let end = world.settled(&place);
    assert_eq!(end, 11);
    for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
        let mut reader = world.reader(isolation);
        reader.assign(&[(place.clone(), 0)]).expect("an assignment");
        let found = world.read_to(reader.as_mut(), &place, end);
        let aborted = isolation == Isolation::ReadUncommitted && world.target().can(Feature::AbortedRecords);
        assert_eq!(found.len(), if aborted { 7 } else { 1 });
        let status = reader.status(&place).expect("a status");
        assert_eq!((status.position, status.end), (end, end), "{isolation:?}");
    }
}

pub(crate) fn a_reader_that_begins_within_a_transaction_sees_its_rest(world: &World) {
    let place = world.partition("t");
    let mut writer = begun(world, "w");
    world.put(writer.as_mut(), &place, &["a", "b", "c"]);
    world.retry("commit", || writer.commit());
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["x", "y", "z"]);
    world.retry("abort", || writer.abort());
    let end = world.settled(&place);
    for (from, expected) in [(1, vec!["b", "c"]), (5, vec![]), (6, vec![]), (end, vec![])] {
        let mut reader = world.reader(Isolation::ReadCommitted);
        reader.assign(&[(place.clone(), from)]).expect("an assignment");
        assert_eq!(texts(&world.read_to(reader.as_mut(), &place, end)), expected, "from {from}");
    }
}

pub(crate) fn a_large_transaction_over_many_partitions_is_all_or_nothing(world: &World) {
    let topic = world.topic("t", 4);
    let places: Vec<TopicPartition> =
        (0..4).map(|index| TopicPartition::new(topic.as_ref(), index)).collect();
    let mut writer = world.transactional("w", 60_000);
    let mut expected: Vec<Vec<String>> = vec![Vec::new(); 4];
    for (round, commit) in [true, false, true].into_iter().enumerate() {
        world.retry("begin", || writer.begin());
        for chunk in 0..10 {
            for (at, place) in places.iter().enumerate() {
                let values: Vec<String> = (0..500)
                    .map(|value| format!("{round}/{chunk}/{at}/{value}/{}", "-".repeat(200)))
                    .collect();
                let borrowed: Vec<&str> = values.iter().map(String::as_str).collect();
                world.retry("write", || writer.write(place, &records(&borrowed)));
                if commit {
                    expected[at].extend(values);
                }
            }
        }
        let ends = world.retry("flush", || writer.flush());
        assert_eq!(ends.len(), 4);
        match commit {
            true => world.retry("commit", || writer.commit()),
            false => world.retry("abort", || writer.abort()),
        };
    }
    for (place, expected) in places.iter().zip(&expected) {
        assert_eq!(world.settled(place), 15_003);
        assert!(world.values(place) == *expected, "{place}");
    }
}

pub(crate) fn many_small_transactions_follow_each_other(world: &World) {
    let topic = world.topic("t", 2);
    let places: Vec<TopicPartition> =
        (0..2).map(|index| TopicPartition::new(topic.as_ref(), index)).collect();
    let mut writer = world.transactional("w", 30_000);
    for round in 0..60 {
        world.retry("begin", || writer.begin());
        for place in &places[..1 + round % 2] {
            world.put(writer.as_mut(), place, &[&format!("{round}")]);
        }
        assert!(!world.retry("commit", || writer.commit()).sent_again);
    }
    places.iter().for_each(|place| {
        world.settled(place);
    });
    let all: Vec<String> = (0..60).map(|round| round.to_string()).collect();
    let odd: Vec<String> =
        (0..60).filter(|round| round % 2 == 1).map(|round: u32| round.to_string()).collect();
    assert_eq!((world.values(&places[0]), world.values(&places[1])), (all, odd));
}

pub(crate) fn transactions_of_two_writers_interleave(world: &World) {
    let place = world.partition("t");
    let (mut first, mut second) = (begun(world, "first"), begun(world, "second"));
    for _ in 0..3 {
        world.put(first.as_mut(), &place, &["kept"]);
        world.put(second.as_mut(), &place, &["dropped"]);
    }
    world.retry("commit", || first.commit());
    world.retry("abort", || second.abort());
    world.settled(&place);
    assert_eq!(world.values(&place), ["kept", "kept", "kept"]);
}
