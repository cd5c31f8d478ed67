//! Reading partitions that were assigned by hand.

use super::world::{POLL, World, reads};
use millstream_log::{Isolation, LogError, Reader, TopicPartition};

/// Polls until the reader stands at `end` of every place; gives the values in the order of their coming.
fn drain(world: &World, reader: &mut dyn Reader, ends: &[(&TopicPartition, u64)]) -> Vec<String> {
    let mut found = Vec::new();
    world.eventually("reading to the ends", || {
        let mut runs = Vec::new();
        reader.poll(POLL, &mut runs).expect("records");
        found.extend(runs.iter().flat_map(reads).map(|read| read.text()));
        let there = |(place, end): &(&TopicPartition, u64)| {
            reader.status(place).is_some_and(|status| status.position >= *end)
        };
        ends.iter().all(there).then_some(())
    });
    found
}

pub(crate) fn a_reader_begins_where_it_is_told(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b", "c", "d"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 2)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 4)]), ["c", "d"]);
}

pub(crate) fn partitions_that_stay_go_on_where_they_stand(world: &World) {
    let (first, second) = (world.partition("a"), world.partition("b"));
    world.write(&first, &["a0", "a1"]);
    world.write(&second, &["b0", "b1"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(first.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&first, 2)]), ["a0", "a1"]);

    reader.assign(&[(first.clone(), 0), (second.clone(), 1)]).expect("an assignment");
    world.write(&first, &["a2"]);
    let mut found = drain(world, reader.as_mut(), &[(&first, 3), (&second, 2)]);
    found.sort();
    assert_eq!(found, ["a2", "b1"]);

    reader.assign(&[(second.clone(), 0)]).expect("an assignment");
    assert_eq!(reader.status(&first), None);
    world.write(&first, &["a3"]);
    world.write(&second, &["b2"]);
    assert_eq!(drain(world, reader.as_mut(), &[(&second, 3)]), ["b2"]);
}

pub(crate) fn a_partition_that_comes_back_begins_at_its_new_offset(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b", "c"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 3)]), ["a", "b", "c"]);
    reader.assign(&[]).expect("an assignment");
    reader.assign(&[(place.clone(), 1)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 3)]), ["b", "c"]);
}

pub(crate) fn a_paused_partition_hands_out_nothing_until_it_goes_on(world: &World) {
    let (paused, other) = (world.partition("paused"), world.partition("other"));
    world.write(&paused, &["p0", "p1"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(paused.clone(), 0), (other.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&paused, 2)]), ["p0", "p1"]);

    reader.pause(&paused, true).expect("a pause");
    world.write(&paused, &["p2", "p3"]);
    for round in 0..5 {
        let value = format!("o{round}");
        world.write(&other, &[&value]);
        assert_eq!(drain(world, reader.as_mut(), &[(&other, round + 1)]), [value]);
    }
    reader.pause(&paused, false).expect("going on");
    assert_eq!(drain(world, reader.as_mut(), &[(&paused, 4)]), ["p2", "p3"]);
}

/// Seen with librdkafka, which takes the end that it reports for a record that it gave.
pub(crate) fn a_partition_paused_at_its_end_goes_on_with_the_next_record(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 2)]), ["a", "b"]);
    // The end is reported a little after the last record.
    for _ in 0..50 {
        let mut runs = Vec::new();
        reader.poll(POLL, &mut runs).expect("nothing");
        assert!(runs.is_empty());
    }
    reader.pause(&place, true).expect("a pause");
    world.write(&place, &["c", "d", "e"]);
    reader.pause(&place, false).expect("going on");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 5)]), ["c", "d", "e"]);
}

pub(crate) fn a_partition_assigned_anew_is_not_paused(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    reader.pause(&place, true).expect("a pause");
    reader.assign(&[]).expect("an assignment");
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 2)]), ["a", "b"]);
}

pub(crate) fn a_reader_knows_its_position_and_the_end(world: &World) {
    let place = world.partition("t");
    let mut reader = world.reader(Isolation::ReadCommitted);
    assert_eq!(reader.status(&place), None);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 0)]), [""; 0]);
    let status = reader.status(&place).expect("a status");
    assert_eq!((status.position, status.end), (0, 0));

    world.write(&place, &["a", "b", "c"]);
    drain(world, reader.as_mut(), &[(&place, 3)]);
    let status = reader.status(&place).expect("a status");
    assert_eq!((status.position, status.end), (3, 3));
}

pub(crate) fn a_reader_sees_what_is_written_later(world: &World) {
    let place = world.partition("t");
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 0)]).expect("an assignment");
    for round in 0..20 {
        let value = format!("v{round}");
        world.write(&place, &[&value]);
        assert_eq!(drain(world, reader.as_mut(), &[(&place, round + 1)]), [value]);
    }
}

/// The error a reader gives; every run until then goes to `found`.
fn error_of(world: &World, reader: &mut dyn Reader, found: &mut Vec<String>) -> LogError {
    world.eventually("an error", || {
        let mut runs = Vec::new();
        let error = reader.poll(POLL, &mut runs).err();
        found.extend(runs.iter().flat_map(reads).map(|read| read.text()));
        error
    })
}

pub(crate) fn an_offset_that_is_gone_is_out_of_range(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b", "c", "d"]);
    world.admin().delete_records(&[(place.clone(), 2)]).expect("deletion");
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 1)]).expect("an assignment");
    let error = error_of(world, reader.as_mut(), &mut Vec::new());
    assert_eq!(error, LogError::OffsetOutOfRange { place, wanted: 1, start: 2, end: 4 });
}

pub(crate) fn an_offset_beyond_the_end_is_out_of_range(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let mut reader = world.reader(Isolation::ReadUncommitted);
    reader.assign(&[(place.clone(), 9)]).expect("an assignment");
    let error = error_of(world, reader.as_mut(), &mut Vec::new());
    assert_eq!(error, LogError::OffsetOutOfRange { place, wanted: 9, start: 0, end: 2 });
}

pub(crate) fn an_offset_out_of_range_does_not_stop_other_partitions(world: &World) {
    let places: Vec<TopicPartition> = ["a", "b", "c"].map(|name| world.partition(name)).into();
    places.iter().for_each(|place| world.write(place, &["0", "1"]));
    let mut reader = world.reader(Isolation::ReadCommitted);
    let starts = [(places[0].clone(), 0), (places[1].clone(), 7), (places[2].clone(), 1)];
    reader.assign(&starts).expect("an assignment");

    let (mut found, mut errors) = (Vec::new(), 0);
    world.eventually("the other partitions and an error", || {
        let mut runs = Vec::new();
        match reader.poll(POLL, &mut runs) {
            Err(LogError::OffsetOutOfRange { place, wanted: 7, .. }) if place == places[1] => errors += 1,
            Err(error) => panic!("{error}"),
            Ok(()) => {}
        }
        found.extend(runs.iter().flat_map(reads).map(|read| read.text()));
        (found.len() == 3 && errors > 0).then_some(())
    });
    found.sort();
    assert_eq!(found, ["0", "1", "1"]);
}

pub(crate) fn reading_goes_on_after_the_offset_is_mended(world: &World) {
    let place = world.partition("t");
    world.write(&place, &["a", "b"]);
    let mut reader = world.reader(Isolation::ReadCommitted);
    reader.assign(&[(place.clone(), 5)]).expect("an assignment");
    error_of(world, reader.as_mut(), &mut Vec::new());
    reader.assign(&[]).expect("an assignment");
    reader.assign(&[(place.clone(), 1)]).expect("an assignment");
    assert_eq!(drain(world, reader.as_mut(), &[(&place, 2)]), ["b"]);
}
