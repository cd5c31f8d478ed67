//! Transactions: what is visible when, what fences, what is left behind.

use crate::common::*;
use millstream_log::clock::ManualClock;
use millstream_log::embedded::EmbeddedLog;
use millstream_log::{
    CommittedOffset, GroupMetadata, Isolation, Log, LogError, TransactionError, TransactionOptions,
};
use std::sync::Arc;

const NOBODY: fn() -> GroupMetadata =
    || GroupMetadata { group: "g".to_owned(), generation: -1, member: String::new(), instance: None };

fn at(offset: u64) -> CommittedOffset {
    CommittedOffset { offset, metadata: format!("at {offset}") }
}

#[test]
fn a_transaction_is_seen_when_it_is_committed() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let (first, second) = (place("t", 0), place("t", 1));
    write(&log, &first, records(&["before"]));
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&first, &records(&["a", "b"])).expect("written");
    writer.write(&second, &records(&["c"])).expect("written");
    let mut ends = writer.flush().expect("flushed");
    ends.sort();
    assert_eq!(ends, [(first.clone(), 3), (second.clone(), 1)]);
    // What comes after it is held back as well, and a read-uncommitted reader sees all of it.
    write(&log, &first, records(&["after"]));
    assert_eq!((stable(&log, &first), end(&log, &first)), (1, 4));
    assert_eq!(values(&committed(&log, &first)), ["before"]);
    assert_eq!(values(&contents(&log, &first, 0, Isolation::ReadUncommitted)), ["before", "a", "b", "after"]);
    assert_eq!(values(&contents(&log, &first, 2, Isolation::ReadUncommitted)), ["b", "after"]);

    writer.send_offsets(&[(place("in", 0), at(7))], &NOBODY()).expect("sent");
    let mut admin = log.admin().expect("admin");
    assert_eq!(admin.committed("g", &[place("in", 0)], Isolation::ReadUncommitted), Ok(vec![None]));
    assert_eq!(writer.commit().map(|outcome| outcome.sent_again), Ok(false));
    // The end takes an offset, as a broker's marker does.
    assert_eq!(stable(&log, &first), 5);
    let check = |log: &EmbeddedLog| {
        assert_eq!(values(&committed(log, &first)), ["before", "a", "b", "after"]);
        assert_eq!(values(&committed(log, &second)), ["c"]);
        let found = log.admin().expect("admin").committed("g", &[place("in", 0)], Isolation::ReadCommitted);
        assert_eq!(found, Ok(vec![Some(at(7))]));
    };
    check(&log);
    drop((admin, writer, log));
    check(&open(dir.path()));
}

#[test]
fn an_aborted_transaction_leaves_a_gap_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let place = place("t", 0);
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place, &records(&["a", "b"])).expect("written");
    writer.send_offsets(&[(place.clone(), at(7))], &NOBODY()).expect("sent");
    writer.flush().expect("flushed");
    writer.abort().expect("aborted");
    assert_eq!((stable(&log, &place), end(&log, &place)), (3, 3));
    assert_eq!(contents(&log, &place, 0, Isolation::ReadUncommitted), []);
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place.clone(), 0)]);
    drain(reader.as_mut());
    assert_eq!(reader.status(&place).expect("read from").position, 3, "the gap is passed over");
    writer.begin().expect("begun");
    writer.write(&place, &records(&["c"])).expect("written");
    writer.commit().expect("committed");
    assert_eq!(committed(&log, &place), [(3, "c".to_owned())]);
    assert_eq!(
        log.admin().expect("admin").committed("g", std::slice::from_ref(&place), Isolation::ReadCommitted),
        Ok(vec![None])
    );
}

#[test]
fn a_newer_writer_of_the_id_fences_the_one_before() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let place = place("t", 0);
    let mut old = transactional(&log, "w");
    old.begin().expect("begun");
    old.write(&place, &records(&["old"])).expect("written");
    old.flush().expect("flushed");
    let mut new = transactional(&log, "w");
    assert_eq!(stable(&log, &place), 2, "what it left open is aborted");
    let fenced = |answer: Result<(), TransactionError>| {
        assert!(matches!(answer, Err(TransactionError::Fenced(_))), "{answer:?}");
    };
    old.write(&place, &records(&["more"])).expect("gathered");
    fenced(old.flush().map(|_| ()));
    fenced(old.send_offsets(&[(place.clone(), at(1))], &NOBODY()));
    fenced(old.commit().map(|_| ()));
    fenced(old.abort().map(|_| ()));
    new.begin().expect("begun");
    new.write(&place, &records(&["new"])).expect("written");
    new.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place)), ["new"]);
    drop((old, new, log));

    // Another process, so to speak: the id is known.
    let log = open(dir.path());
    let mut again = transactional(&log, "w");
    again.begin().expect("begun");
    again.write(&place, &records(&["again"])).expect("written");
    again.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place)), ["new", "again"]);
}

#[test]
fn a_transaction_that_takes_too_long_is_aborted() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(1_000));
    let log = EmbeddedLog::open_with_clock(dir.path(), &options(), Arc::<ManualClock>::clone(&clock))
        .expect("opens");
    create(&log, "t", 1);
    let place = place("t", 0);
    let options = TransactionOptions { id: "w".to_owned(), timeout_ms: 500 };
    let mut writer = log.transactional_writer(&options).expect("writer");
    writer.init().expect("initialized");
    writer.begin().expect("begun");
    writer.write(&place, &records(&["a"])).expect("written");
    writer.flush().expect("flushed");
    clock.advance(500);
    log.tick().expect("ticked");
    assert_eq!(stable(&log, &place), 0);
    clock.advance(1);
    log.tick().expect("ticked");
    assert_eq!(stable(&log, &place), 2);
    assert!(matches!(writer.commit(), Err(TransactionError::Fenced(_))));
    writer.init().expect("initialized");
    writer.begin().expect("begun");
    writer.commit().expect("an empty one");
}

#[test]
fn a_writer_that_is_dropped_does_not_hold_readers_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place("t", 0), &records(&["a"])).expect("written");
    writer.flush().expect("flushed");
    drop(writer);
    assert_eq!(stable(&log, &place("t", 0)), 2);
}

#[test]
fn transactions_that_overlap_are_read_in_the_order_of_offsets() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let place = place("t", 0);
    let mut writers = [transactional(&log, "early"), transactional(&log, "late")];
    for writer in &mut writers {
        writer.begin().expect("begun");
    }
    for (index, value) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let writer = &mut writers[index % 2];
        writer.write(&place, &records(&[value])).expect("written");
        writer.flush().expect("flushed");
    }
    let [mut early, mut late] = writers;
    late.commit().expect("committed");
    assert_eq!(stable(&log, &place), 0);
    assert_eq!(committed(&log, &place), []);
    early.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place)), ["a", "b", "c", "d"]);
    drop((early, late, log));
    assert_eq!(values(&committed(&open(dir.path()), &place)), ["a", "b", "c", "d"]);
}

#[test]
fn nothing_of_an_open_transaction_is_on_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    let secret = "not to be found on the disk".repeat(1_000);
    writer.write(&place("t", 0), &records(&[&secret])).expect("written");
    writer.flush().expect("flushed");
    log.sync().expect("synced");
    log.flush_files().expect("flushed");
    let needle = &secret.as_bytes()[..27];
    for file in std::fs::read_dir(dir.path().join("db")).expect("listed") {
        let path = file.expect("listed").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found, "{} has it", path.display());
    }
}

#[test]
fn what_can_not_be_written_names_its_partition() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut few = options();
    few.transaction_bytes_max = 200_000;
    let log = EmbeddedLog::open(dir.path(), &few).expect("opens");
    create(&log, "t", 1);
    let mut writer = transactional(&log, "w");
    let unbegun = writer.write(&place("t", 0), &records(&["v"]));
    assert!(matches!(unbegun, Err(TransactionError::Fatal(_))));
    writer.begin().expect("begun");
    let unknown = writer.write(&place("nowhere", 3), &records(&["v"]));
    assert!(matches!(&unknown, Err(TransactionError::Refused { place, .. }) if place.partition == 3));
    let huge = "v".repeat(2 << 20);
    let large = writer.write(&place("t", 0), &records(&[&huge]));
    assert!(matches!(&large, Err(TransactionError::Refused { reason, .. }) if reason.contains("larger")));
    let half = "v".repeat(120_000);
    writer.write(&place("t", 0), &records(&[&half])).expect("fits");
    let over = writer.write(&place("t", 0), &records(&[&half]));
    assert!(matches!(&over, Err(TransactionError::Refused { .. })), "{over:?}");
    writer.abort().expect("aborted");
    writer.begin().expect("begun");
    writer.write(&place("t", 0), &records(&["v"])).expect("written");
    writer.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place("t", 0))), ["v"]);
}

#[test]
fn a_transaction_into_a_removed_topic_commits_the_rest() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    create(&log, "gone", 1);
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.write(&place("t", 0), &records(&["v"])).expect("written");
    writer.write(&place("gone", 0), &records(&["v"])).expect("written");
    writer.flush().expect("flushed");
    log.admin().expect("admin").delete_topic("gone").expect("removed");
    writer.commit().expect("committed");
    assert_eq!(values(&committed(&log, &place("t", 0))), ["v"]);
    let error = log.admin().expect("admin").describe_topic("gone");
    assert_eq!(error, Ok::<_, LogError>(None));
}
