//! Old records go, by age and by size.

use super::world::{World, noise, records};
use millstream_log::{Offset, Records, RecordsBuilder, TopicPartition};

pub(crate) fn records_expire_by_their_time(world: &World) {
    let topic = world.topic_with("t", 1, &[("retention.ms", "60000")]);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut builder = RecordsBuilder::default();
    for _ in 0..10 {
        builder.push(None, Some(b"of 2001"), 1_000_000_000_000);
    }
    world.write_records(&place, builder.finish());
    world.eventually("expiry", || (world.earliest(&place) == 10).then_some(()));
    assert_eq!(world.end(&place), 10);
    // Offsets go on where they were.
    let mut builder = RecordsBuilder::default();
    builder.push(None, Some(b"of today"), world.target().now_ms());
    world.write_records(&place, builder.finish());
    assert_eq!(world.end(&place), 11);
    assert_eq!(world.values(&place), ["of today"]);
}

pub(crate) fn records_expire_by_their_size(world: &World) {
    let mut config = world.target().small_segments().to_vec();
    config.push(("retention.bytes", "2000000"));
    let topic = world.topic_with("t", 1, &config);
    let place = TopicPartition::new(topic.as_ref(), 0);
    for _ in 0..12 {
        world.write_records(&place, records(&[&noise(500_000)]));
    }
    let earliest = world.eventually("expiry", || Some(world.earliest(&place)).filter(|start| *start >= 4));
    assert_eq!(world.end(&place), 12);
    assert!(earliest <= 8, "{earliest}: at least 2 000 000 bytes stay");
}

pub(crate) fn records_without_a_limit_stay(world: &World) {
    let (kept, probe) = (world.partition("kept"), world.topic_with("probe", 1, &[("retention.ms", "1000")]));
    let probe = TopicPartition::new(probe.as_ref(), 0);
    for place in [&kept, &probe] {
        let mut builder = RecordsBuilder::default();
        builder.push(None, Some(b"of 2001"), 1_000_000_000_000);
        world.write_records(place, builder.finish());
    }
    world.eventually("expiry of the other topic", || (world.earliest(&probe) == 1).then_some(()));
    assert_eq!(world.earliest(&kept), 0);
    assert_eq!(world.values(&kept), ["of 2001"]);
}

type Found = Vec<(Offset, String, Option<String>)>;

fn compacted(world: &World) -> TopicPartition {
    let mut config = world.target().eager_compaction().to_vec();
    config.extend([("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01")]);
    TopicPartition::new(world.topic_with("t", 1, &config).as_ref(), 0)
}

fn keyed(world: &World, key: &str, value: Option<&str>) -> Records {
    let mut builder = RecordsBuilder::default();
    builder.push(Some(key.as_bytes()), value.map(str::as_bytes), world.target().now_ms());
    builder.finish()
}

/// Writes until a topic holds what is expected beside that, and reads it from its start and from within.
fn compacts_to(world: &World, place: &TopicPartition, expected: &[(Offset, &str, Option<&str>)]) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let read = |from| -> Found {
        let records = world.read_from(place, from).into_iter();
        let found =
            records.map(|record| (record.offset, text(record.key.expect("a key")), record.value.map(text)));
        found.filter(|(_, key, _)| key != "filler").collect()
    };
    let owned = |(offset, key, value): &(Offset, &str, Option<&str>)| {
        (*offset, (*key).to_owned(), value.map(str::to_owned))
    };
    let expected: Found = expected.iter().map(owned).collect();
    world.eventually_equals("compaction", &expected, || {
        // What was written last is left alone.
        world.write_records(place, keyed(world, "filler", Some("-")));
        world.target().pass(100);
        read(0)
    });
    for from in 0..=expected.last().map_or(0, |last| last.0 + 1) {
        let behind: Found = expected.iter().filter(|found| found.0 >= from).cloned().collect();
        assert_eq!(read(from), behind, "from {from}");
    }
}

pub(crate) fn the_newest_record_of_each_key_stays(world: &World) {
    let place = compacted(world);
    for (key, value) in [("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("c", Some("1")), ("b", None)]
    {
        world.write_records(&place, keyed(world, key, value));
    }
    // A deletion is a record as well, for as long as somebody may not have seen it.
    compacts_to(world, &place, &[(2, "a", Some("2")), (3, "c", Some("1")), (4, "b", None)]);
    let end = world.end(&place);
    world.write_records(&place, keyed(world, "a", Some("3")));
    compacts_to(world, &place, &[(3, "c", Some("1")), (4, "b", None), (end, "a", Some("3"))]);
    assert_eq!(world.earliest(&place), 0);
}

pub(crate) fn compaction_leaves_alone_what_is_not_committed(world: &World) {
    let place = compacted(world);
    for (key, value) in [("a", "1"), ("b", "1"), ("b", "2")] {
        world.write_records(&place, keyed(world, key, Some(value)));
    }
    let mut writer = world.transactional("w", 60_000);
    world.retry("begin", || writer.begin());
    world.retry("write", || writer.write(&place, &keyed(world, "a", Some("aborted"))));
    world.retry("flush", || writer.flush());
    world.retry("abort", || writer.abort());
    world.settled(&place);
    compacts_to(world, &place, &[(0, "a", Some("1")), (2, "b", Some("2"))]);
    let mut writer = world.transactional("w", 60_000);
    world.retry("begin", || writer.begin());
    world.retry("write", || writer.write(&place, &keyed(world, "b", Some("3"))));
    let ends = world.retry("flush", || writer.flush());
    let committed = || world.read_from(&place, 0).iter().any(|record| record.value.as_deref() == Some(b"2"));
    for _ in 0..20 {
        world.target().pass(50);
        assert!(committed(), "a record of an open transaction has replaced a committed one");
    }
    world.retry("commit", || writer.commit());
    world.settled(&place);
    compacts_to(world, &place, &[(0, "a", Some("1")), (ends[0].1 - 1, "b", Some("3"))]);
}
