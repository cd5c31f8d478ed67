//! Writing without transactions.

use super::world::{REQUEST, World, noise, records};
use millstream_log::{Isolation, LogError, Records, RecordsBuilder, TopicPartition};
use millstream_records::{Headers, Record};

type NamedValues<'a> = &'a [(&'a str, Option<&'a [u8]>)];

const AT_MS: i64 = 1_650_000_000_123;

pub(crate) fn records_come_back_byte_for_byte(world: &World) {
    let place = world.partition("t");
    let binary: Vec<u8> = (0..=255).collect();
    let parts: [Option<&[u8]>; 4] = [None, Some(b""), Some(b"text"), Some(&binary)];
    let headers: [NamedValues<'_>; 4] = [
        &[],
        &[("one", Some(b"1"))],
        &[("twice", Some(b"a")), ("null", None), ("twice", Some(b"")), ("", Some(&binary))],
        &[("größe", Some(&binary))],
    ];
    let mut builder = RecordsBuilder::default();
    for (at, key) in parts.iter().enumerate() {
        for value in parts {
            for (more, headers) in headers.iter().enumerate() {
                let timestamp_ms = AT_MS + (at * 10 + more) as i64;
                let record = Record { offset: 0, timestamp_ms, key: *key, value, headers: Headers::NONE };
                builder.push_with_headers(record, headers.iter().copied());
            }
        }
    }
    let written = builder.finish();
    world.write_records(&place, written.clone());

    let found = world.read_all(&place, Isolation::ReadUncommitted);
    assert_eq!(found.len(), written.len());
    for (read, wrote) in found.iter().zip(written.iter()) {
        assert_eq!(read.key.as_deref(), wrote.key);
        assert_eq!(read.value.as_deref(), wrote.value);
        assert_eq!(read.timestamp_ms, wrote.timestamp_ms);
        let headers: Vec<_> =
            read.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(headers, wrote.headers.iter().collect::<Vec<_>>());
    }
}

pub(crate) fn offsets_follow_each_other(world: &World) {
    let place = world.partition("t");
    let mut writer = world.log().writer().expect("a writer");
    for round in 0..3 {
        let values: Vec<String> = (0..100).map(|at| format!("{round}-{at}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        writer.write(&place, records(&values)).expect("room");
        writer.flush(REQUEST).expect("an acknowledgement");
    }
    let found = world.read_all(&place, Isolation::ReadCommitted);
    assert_eq!(found.iter().map(|read| read.offset).collect::<Vec<_>>(), (0..300).collect::<Vec<_>>());
    assert_eq!((found[0].text(), found[299].text()), ("0-0".to_owned(), "2-99".to_owned()));
}

pub(crate) fn an_empty_run_is_nothing(world: &World) {
    let place = world.partition("t");
    world.write_records(&place, Records::default());
    assert_eq!(world.end(&place), 0);
}

pub(crate) fn records_of_many_partitions_find_their_own(world: &World) {
    let topic = world.topic("t", 8);
    let places: Vec<TopicPartition> =
        (0..8).map(|partition| TopicPartition::new(topic.as_ref(), partition)).collect();
    let mut writer = world.log().writer().expect("a writer");
    for round in 0..50 {
        for place in &places {
            let value = format!("{}:{round}", place.partition);
            writer.write(place, records(&[&value])).expect("room");
        }
    }
    writer.flush(REQUEST).expect("an acknowledgement");
    for place in &places {
        let expected: Vec<String> = (0..50).map(|round| format!("{}:{round}", place.partition)).collect();
        assert_eq!(world.values(place), expected);
    }
}

pub(crate) fn a_large_record_comes_through(world: &World) {
    let place = world.partition("t");
    let large = noise(900_000);
    let mut builder = RecordsBuilder::default();
    builder.push(Some(b"before"), Some(b"small"), AT_MS);
    builder.push(Some(b"large"), Some(large.as_bytes()), AT_MS);
    builder.push(Some(b"after"), Some(b"small"), AT_MS);
    world.write_records(&place, builder.finish());
    let found = world.read_all(&place, Isolation::ReadUncommitted);
    assert_eq!(found.len(), 3);
    assert!(found[1].value.as_deref() == Some(large.as_bytes()));
}

pub(crate) fn a_record_larger_than_the_topic_takes_is_refused(world: &World) {
    let topic = world.topic_with("t", 2, &[("max.message.bytes", "5000")]);
    let place = TopicPartition::new(topic.as_ref(), 1);
    let mut writer = world.log().writer().expect("a writer");
    let refused = writer.write(&place, records(&[&noise(50_000)])).and_then(|()| writer.flush(REQUEST));
    match refused {
        Err(LogError::RecordTooLarge { place: of, bytes, limit }) => {
            assert_eq!((of, limit), (place.clone(), 5000));
            assert!(bytes >= 50_000, "{bytes}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.end(&place), 0);
    world.write(&place, &["small"]);
    assert_eq!(world.values(&place), ["small"]);
}

pub(crate) fn an_unknown_topic_is_refused(world: &World) {
    let place = TopicPartition::new(world.name("missing"), 0);
    let mut writer = world.log().writer().expect("a writer");
    let refused = writer.write(&place, records(&["a"])).and_then(|()| writer.flush(REQUEST));
    assert!(matches!(refused, Err(LogError::UnknownTopic(_))), "{refused:?}");
}

pub(crate) fn a_partition_beyond_the_last_is_refused(world: &World) {
    let place = TopicPartition::new(world.topic("t", 2), 2);
    let mut writer = world.log().writer().expect("a writer");
    let refused = writer.write(&place, records(&["a"])).and_then(|()| writer.flush(REQUEST));
    assert!(matches!(refused, Err(LogError::UnknownTopic(_))), "{refused:?}");
}

pub(crate) fn append_time_replaces_the_writers_timestamp(world: &World) {
    let topic = world.topic_with("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    let place = TopicPartition::new(topic.as_ref(), 0);
    let mut builder = RecordsBuilder::default();
    builder.push(None, Some(b"old"), 1_000);
    world.write_records(&place, builder.finish());
    let found = world.read_all(&place, Isolation::ReadUncommitted);
    assert!(found[0].timestamp_ms > AT_MS, "{}", found[0].timestamp_ms);
}
