//! What snapshots are kept in: one suite for every store.

use millstream_operators::TopicPartition;
use millstream_runtime::clock::{Clock, ManualClock};
use millstream_runtime::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_runtime::log::memory::MemoryLog;
use millstream_runtime::log::{Log, RecordsBuilder};
use millstream_runtime::snapshot::{
    DirectoryStore, MemoryStore, ObjectStorage, SnapshotStore, StoreError, TopicStore,
};
use std::sync::Arc;

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(1_700_000_000_000))
}

/// Runs a test against every store.
fn each(test: impl Fn(&dyn SnapshotStore)) {
    let directory = tempfile::tempdir().expect("a directory");
    test(&MemoryStore::new(clock()));
    test(&DirectoryStore::new(directory.path().join("objects")));
    test(&*ObjectStorage::open("memory:///some/where").expect("a store in memory"));
    let url = format!("file://{}", directory.path().join("more").display());
    test(&*ObjectStorage::open(&url).expect("a directory"));
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(clock()));
    test(&TopicStore::open(log, clock(), "snapshots".into(), 3).expect("a topic"));
    let log = EmbeddedLog::open(directory.path().join("log"), &EmbeddedOptions::default());
    let log: Arc<dyn Log> = Arc::new(log.expect("a log"));
    test(&TopicStore::open(log, clock(), "snapshots".into(), 3).expect("a topic"));
}

fn put(store: &dyn SnapshotStore, name: &str, content: &[u8]) {
    let mut reader = content;
    store.put(name, content.len() as u64, &mut reader).expect("stored");
}

fn get(store: &dyn SnapshotStore, name: &str) -> Result<Vec<u8>, StoreError> {
    let mut content = Vec::new();
    store.get(name, &mut content).map(|()| content)
}

fn names(store: &dyn SnapshotStore, prefix: &str) -> Vec<(String, u64)> {
    let listed = store.list(prefix).expect("listed");
    listed.into_iter().map(|object| (object.name, object.bytes)).collect()
}

/// Bytes that do not compress and differ in every chunk.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn objects_are_found_by_name_and_gone_when_removed() {
    each(|store| {
        assert_eq!(names(store, "job/1/0-0/"), vec![], "{}", store.describe());
        put(store, "job/1/0-0/f-a", b"abc");
        put(store, "job/1/0-0/f-b", b"");
        put(store, "job/1/0-1/f-a", b"other");
        let expected = [("job/1/0-0/f-a".to_owned(), 3), ("job/1/0-0/f-b".to_owned(), 0)];
        assert_eq!(names(store, "job/1/0-0/"), expected, "{}", store.describe());
        assert_eq!(get(store, "job/1/0-0/f-a").expect("there"), b"abc");
        assert_eq!(get(store, "job/1/0-0/f-b").expect("there"), b"");
        store.remove(&["job/1/0-0/f-a".to_owned(), "job/1/0-0/never".to_owned()]).expect("removed");
        let error = get(store, "job/1/0-0/f-a").expect_err("gone");
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        assert_eq!(names(store, "job/1/0-0/"), &expected[1..], "{}", store.describe());
        assert_eq!(get(store, "job/1/0-1/f-a").expect("there"), b"other");
    });
}

#[test]
fn large_objects_come_back_as_they_were() {
    let content = noise(20 << 20);
    each(|store| {
        put(store, "j/1/0-0/f-large", &content);
        // Again, as after an answer that was lost.
        put(store, "j/1/0-0/f-large", &content);
        put(store, "j/1/0-0/f-small", b"behind it");
        assert!(get(store, "j/1/0-0/f-large").expect("there") == content, "{}", store.describe());
        assert_eq!(get(store, "j/1/0-0/f-small").expect("there"), b"behind it");
    });
}

#[test]
fn an_object_whose_content_ends_early_is_not_there() {
    each(|store| {
        let mut short = &b"ab"[..];
        store.put("j/1/0-0/f-short", 900_000, &mut short).expect_err("too short");
        let error = get(store, "j/1/0-0/f-short").expect_err("not there");
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        let whole = names(store, "j/1/0-0/f-short").into_iter().filter(|(_, bytes)| *bytes > 0);
        assert_eq!(whole.count(), 0, "{}", store.describe());
    });
}

#[test]
fn what_a_dying_process_left_in_a_topic_is_listed_and_can_be_removed() {
    let log = MemoryLog::new(clock());
    let store = TopicStore::open(Arc::new(log.clone()), clock(), "snapshots".into(), 1).expect("a topic");
    let mut short = &noise(600 << 10)[..];
    store.put("j/1/0-0/f-half", 2 << 20, &mut short).expect_err("too short");
    assert_eq!(names(&store, "j/"), [("j/1/0-0/f-half".to_owned(), 0)]);
    store.remove(&["j/1/0-0/f-half".to_owned()]).expect("removed");
    assert_eq!(names(&store, "j/"), vec![]);
}

#[test]
fn chunks_of_two_writers_in_any_order_make_one_object() {
    let log = MemoryLog::new(clock());
    let store = TopicStore::open(Arc::new(log.clone()), clock(), "snapshots".into(), 1).expect("a topic");
    let content = noise(1_300_000);
    put(&store, "j/1/0-0/f-x", &content);
    // Another process stores the same, and compaction has left the later copies of some chunks only: the last chunk
    // comes before the first.
    let place = TopicPartition::new("snapshots", 1);
    let records = millstream_runtime::replay::read_all(&log, &place).expect("read");
    let chunks: Vec<(Vec<u8>, Vec<u8>)> = records
        .iter()
        .map(|record| (record.key.expect("a key").to_vec(), record.value.expect("a value").to_vec()))
        .collect();
    assert_eq!(chunks.len(), 3);
    let mut later = RecordsBuilder::default();
    for (key, value) in [&chunks[2], &chunks[0], &chunks[1]] {
        later.push(Some(key), Some(value), 0);
    }
    let mut writer = log.writer().expect("a writer");
    writer.write(&place, later.finish()).expect("written");
    let end = records.next_offset().expect("records");
    log.admin().expect("an admin").delete_records(&[(place, end)]).expect("removed");
    assert!(get(&store, "j/1/0-0/f-x").expect("there") == content);
}

#[test]
fn places_that_are_none_are_refused_with_the_reason() {
    let not_built = (!cfg!(feature = "s3")).then_some(("s3://bucket/prefix", "features"));
    let refused =
        [("snapshots", "not a URL"), ("ftp://host/path", "ftp"), ("file://host/path", "absolute path")];
    for (place, part) in refused.into_iter().chain(not_built) {
        let Err(error) = ObjectStorage::open(place) else { panic!("{place} was taken") };
        assert!(error.to_string().contains(part), "{error}");
    }
}
