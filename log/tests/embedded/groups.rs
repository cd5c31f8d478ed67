//! Consumer groups: assignment, what fences, what is kept.

use crate::common::*;
use millstream_log::clock::ManualClock;
use millstream_log::embedded::EmbeddedLog;
use millstream_log::{
    CommittedOffset, Isolation, Log, LogError, Member, MemberEvent, MemberOptions, TopicPartition,
    TransactionError,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn options_of(group: &str) -> MemberOptions {
    MemberOptions {
        group: group.to_owned(),
        instance: None,
        topics: vec!["t".to_owned()],
        session_timeout_ms: 10_000,
    }
}

/// A member and what it holds.
struct Worker {
    member: Box<dyn Member>,
    held: BTreeSet<TopicPartition>,
}

impl Worker {
    fn new(log: &EmbeddedLog, options: &MemberOptions) -> Self {
        Worker { member: log.member(options).expect("member"), held: BTreeSet::new() }
    }

    fn poll(&mut self) {
        match self.member.poll().expect("polled") {
            Some(MemberEvent::Assigned(places)) => {
                self.member.accept(&places).expect("accepted");
                self.held.extend(places);
            }
            Some(MemberEvent::Revoking(places) | MemberEvent::Lost(places)) => {
                self.held.retain(|place| !places.contains(place));
                self.member.release(&places).expect("released");
            }
            None => {}
        }
    }
}

fn settle(workers: &mut [Worker], each: usize) {
    for _ in 0..20 {
        workers.iter_mut().for_each(Worker::poll);
    }
    let all: BTreeSet<_> = workers.iter().flat_map(|worker| &worker.held).collect();
    assert_eq!(
        all.len(),
        workers.iter().map(|worker| worker.held.len()).sum::<usize>(),
        "no partition twice"
    );
    assert!(workers.iter().all(|worker| worker.held.len() == each), "shared evenly");
}

#[test]
fn partitions_are_shared_out_and_given_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 4);
    let mut workers = vec![Worker::new(&log, &options_of("g"))];
    settle(&mut workers, 4);
    workers.push(Worker::new(&log, &options_of("g")));
    settle(&mut workers, 2);
    let mut left = workers.pop().expect("two");
    left.member.leave(SOON).expect("left");
    settle(&mut workers, 4);
    drop(left);
    settle(&mut workers, 4);
}

#[test]
fn a_member_that_is_dropped_times_out_and_one_that_is_idle_does_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::at(0));
    let log = EmbeddedLog::open_with_clock(dir.path(), &options(), Arc::<ManualClock>::clone(&clock))
        .expect("opens");
    create(&log, "t", 2);
    let mut workers = vec![Worker::new(&log, &options_of("g")), Worker::new(&log, &options_of("g"))];
    settle(&mut workers, 1);
    clock.advance(3_600_000);
    log.tick().expect("ticked");
    settle(&mut workers, 1);
    drop(workers.pop());
    clock.advance(10_000);
    log.tick().expect("ticked");
    settle(&mut workers, 1);
    clock.advance(1);
    log.tick().expect("ticked");
    settle(&mut workers, 2);
}

#[test]
fn a_static_member_that_comes_back_keeps_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let named = |name: &str| MemberOptions { instance: Some(name.to_owned()), ..options_of("g") };
    let mut workers = vec![Worker::new(&log, &named("a")), Worker::new(&log, &named("b"))];
    settle(&mut workers, 1);
    let generation = workers[0].member.metadata().expect("metadata").generation;
    let old = workers.pop().expect("two");
    workers.push(Worker::new(&log, &named("b")));
    settle(&mut workers, 1);
    assert_eq!(workers[0].member.metadata().expect("metadata").generation, generation);
    let mut old = old.member;
    assert!(matches!(old.poll(), Ok(None) | Err(LogError::Fenced(_))));
    assert!(matches!(old.poll(), Err(LogError::Fenced(_))));
}

#[test]
fn generations_ascend_over_restarts() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut last = -1;
    for _ in 0..3 {
        let log = open(dir.path());
        if last < 0 {
            create(&log, "t", 1);
        }
        let mut workers = [Worker::new(&log, &options_of("g"))];
        settle(&mut workers, 1);
        let generation = workers[0].member.metadata().expect("metadata").generation;
        assert!(generation > last, "{generation} after {last}");
        last = generation;
    }
}

#[test]
fn a_member_of_an_older_generation_can_not_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 2);
    let mut workers = vec![Worker::new(&log, &options_of("g"))];
    settle(&mut workers, 2);
    let stale = workers[0].member.metadata().expect("metadata");
    let offsets = [(place("t", 0), CommittedOffset { offset: 1, metadata: "m".to_owned() })];
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.send_offsets(&offsets, &stale).expect("current");
    writer.abort().expect("aborted");
    workers.push(Worker::new(&log, &options_of("g")));
    settle(&mut workers, 1);
    writer.begin().expect("begun");
    let fenced = writer.send_offsets(&offsets, &stale);
    assert!(matches!(fenced, Err(TransactionError::Fenced(_))), "{fenced:?}");
    writer.abort().expect("aborted");
    let current = workers[0].member.metadata().expect("metadata");
    writer.begin().expect("begun");
    writer.send_offsets(&offsets, &current).expect("current");
    writer.commit().expect("committed");
}

#[test]
fn pending_offsets_are_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    create(&log, "t", 1);
    let mut workers = [Worker::new(&log, &options_of("g"))];
    settle(&mut workers, 1);
    let metadata = workers[0].member.metadata().expect("metadata");
    let committed = CommittedOffset { offset: 5, metadata: "five".to_owned() };
    let mut writer = transactional(&log, "w");
    writer.begin().expect("begun");
    writer.send_offsets(&[(place("t", 0), committed.clone())], &metadata).expect("sent");
    let places = [place("t", 0)];
    let mut admin = log.admin().expect("admin");
    let pending = admin.committed("g", &places, Isolation::ReadCommitted);
    assert!(matches!(pending, Err(LogError::NotReady(_))), "{pending:?}");
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        writer.commit().expect("committed");
    });
    let answer = loop {
        match admin.committed("g", &places, Isolation::ReadCommitted) {
            Err(LogError::NotReady(_)) => std::thread::sleep(Duration::from_millis(1)),
            answer => break answer,
        }
    };
    assert_eq!(answer, Ok(vec![Some(committed)]));
    thread.join().expect("committed");
}

#[test]
fn groups_without_members_can_be_changed_by_hand() {
    let dir = tempfile::tempdir().expect("a directory");
    let offset = |offset| CommittedOffset { offset, metadata: String::new() };
    {
        let log = open(dir.path());
        create(&log, "t", 2);
        let mut admin = log.admin().expect("admin");
        admin.commit("g", &[(place("t", 0), offset(3)), (place("u", 0), offset(4))]).expect("committed");
        let mut workers = [Worker::new(&log, &options_of("g"))];
        settle(&mut workers, 2);
        assert_eq!(admin.commit("g", &[]), Err(LogError::GroupInUse("g".to_owned())));
        assert_eq!(admin.delete_group("g"), Err(LogError::GroupInUse("g".to_owned())));
        workers[0].member.leave(SOON).expect("left");
    }
    let log = open(dir.path());
    let mut admin = log.admin().expect("admin");
    let places = [place("t", 0), place("t", 1), place("u", 0)];
    assert_eq!(
        admin.committed("g", &places, Isolation::ReadCommitted),
        Ok(vec![Some(offset(3)), None, Some(offset(4))])
    );
    // What was committed for a topic goes with it: made again, its offsets mean something else.
    admin.delete_topic("t").expect("removed");
    assert_eq!(
        admin.committed("g", &places, Isolation::ReadCommitted),
        Ok(vec![None, None, Some(offset(4))])
    );
    admin.delete_group("g").expect("forgotten");
    admin.delete_group("never was").expect("no error");
    drop((admin, log));
    let log = open(dir.path());
    assert_eq!(
        log.admin().expect("admin").committed("g", &places, Isolation::ReadCommitted),
        Ok(vec![None, None, None])
    );
}

#[test]
fn a_topic_that_is_made_later_is_shared_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    let mut workers = [Worker::new(&log, &options_of("g"))];
    settle(&mut workers, 0);
    create(&log, "other", 3);
    let generation = workers[0].member.metadata().expect("metadata").generation;
    create(&log, "t", 2);
    settle(&mut workers, 2);
    assert!(workers[0].member.metadata().expect("metadata").generation > generation);
}
