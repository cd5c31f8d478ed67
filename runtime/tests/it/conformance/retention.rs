//! Old records go, by age and by size.

use super::world::{World, noise, records};
use millstream_runtime::log::{RecordsBuilder, TopicPartition};

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
