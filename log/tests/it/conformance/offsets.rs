//! Offsets of partitions, as anybody can ask for them.

use super::world::{World, records};
use millstream_log::{Isolation, LogError, OffsetQuery, RecordsBuilder, TopicPartition};

const BOTH: [Isolation; 2] = [Isolation::ReadCommitted, Isolation::ReadUncommitted];

pub(crate) fn an_empty_partition_begins_and_ends_at_zero(world: &World) {
    let place = world.partition("t");
    for isolation in BOTH {
        for query in [OffsetQuery::Earliest, OffsetQuery::Latest, OffsetQuery::Timestamp(0)] {
            assert_eq!(world.offset(&place, query, isolation), 0, "{query:?}");
        }
    }
}

pub(crate) fn earliest_and_latest_enclose_the_records(world: &World) {
    let topic = world.topic("t", 3);
    let places: Vec<TopicPartition> =
        (0..3).map(|partition| TopicPartition::new(topic.as_ref(), partition)).collect();
    world.write(&places[0], &["a", "b", "c"]);
    world.write(&places[2], &["d"]);
    let mut admin = world.admin();
    // Answers come in the order of the question, whatever that is.
    let asked = [places[2].clone(), places[0].clone(), places[1].clone()];
    for isolation in BOTH {
        assert_eq!(admin.offsets(&asked, OffsetQuery::Earliest, isolation), Ok(vec![0, 0, 0]));
        assert_eq!(admin.offsets(&asked, OffsetQuery::Latest, isolation), Ok(vec![1, 3, 0]));
    }
    assert_eq!(admin.offsets(&[], OffsetQuery::Latest, Isolation::ReadCommitted), Ok(vec![]));
}

pub(crate) fn a_timestamp_finds_the_first_record_not_before_it(world: &World) {
    let place = world.partition("t");
    for timestamps in [&[1_000, 2_000, 2_000][..], &[1_500, 3_000], &[4_000]] {
        let mut builder = RecordsBuilder::default();
        timestamps.iter().for_each(|at| builder.push(None, Some(b"v"), *at));
        world.write_records(&place, builder.finish());
    }
    for (at, expected) in [(0, 0), (1_000, 0), (1_001, 1), (2_000, 1), (2_001, 4), (4_000, 5), (4_001, 6)] {
        for isolation in BOTH {
            let found = world.offset(&place, OffsetQuery::Timestamp(at), isolation);
            assert_eq!(found, expected, "{at} {isolation:?}");
        }
    }
}

pub(crate) fn an_open_transaction_holds_the_committed_end(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let mut writer = world.transactional("w", 30_000);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["c", "d", "e"]);
    assert_eq!((world.committed_end(&place), world.end(&place)), (2, 5));
    let late = OffsetQuery::Timestamp(1_800_000_000_000);
    assert_eq!(world.offset(&place, late, Isolation::ReadCommitted), 2);
    assert_eq!(world.offset(&place, late, Isolation::ReadUncommitted), 5);

    world.retry("commit", || writer.commit());
    // The marker takes an offset of its own.
    assert_eq!(world.settled(&place), 6);
}

pub(crate) fn records_before_an_offset_can_be_deleted(world: &World) {
    let topic = world.topic("t", 2);
    let places: Vec<TopicPartition> =
        (0..2).map(|partition| TopicPartition::new(topic.as_ref(), partition)).collect();
    places.iter().for_each(|place| world.write_records(place, records(&["a", "b", "c", "d"])));
    let mut admin = world.admin();
    admin.delete_records(&[(places[0].clone(), 3), (places[1].clone(), 0)]).expect("deletion");
    assert_eq!((world.earliest(&places[0]), world.end(&places[0])), (3, 4));
    assert_eq!((world.earliest(&places[1]), world.end(&places[1])), (0, 4));
    assert_eq!(world.values(&places[0]), ["d"]);
    // Going back changes nothing.
    admin.delete_records(&[(places[0].clone(), 1)]).expect("deletion");
    assert_eq!(world.earliest(&places[0]), 3);

    admin.delete_records(&[(places[0].clone(), 4)]).expect("deletion");
    assert_eq!((world.earliest(&places[0]), world.end(&places[0])), (4, 4));
    world.write(&places[0], &["e"]);
    assert_eq!(world.values(&places[0]), ["e"]);
    assert_eq!(world.end(&places[0]), 5);
}

pub(crate) fn records_beyond_the_end_can_not_be_deleted(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let refused = world.admin().delete_records(&[(place.clone(), 3)]);
    assert_eq!(
        refused,
        Err(LogError::OffsetOutOfRange { place: place.clone(), wanted: 3, start: 0, end: 2 })
    );
    assert_eq!(world.earliest(&place), 0);
}

pub(crate) fn offsets_of_an_unknown_topic_are_refused(world: &World) {
    let known = world.partition("t");
    let places = [
        TopicPartition::new(world.name("missing"), 0),
        TopicPartition::new(std::sync::Arc::clone(&known.topic), 1),
    ];
    for place in places {
        for query in [OffsetQuery::Earliest, OffsetQuery::Latest, OffsetQuery::Timestamp(5)] {
            let asked = [known.clone(), place.clone()];
            let refused = world.admin().offsets(&asked, query, Isolation::ReadCommitted);
            assert!(matches!(refused, Err(LogError::UnknownTopic(_))), "{place} {query:?}: {refused:?}");
        }
    }
}
