//! A state directory knows whose it is.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_state::{
    CheckpointMark, Delta, RocksSettings, SharedMemory, StateError, StateIdentity, StoreId, TaskState,
};
use std::path::Path;

fn identity() -> StateIdentity {
    StateIdentity { cluster: "c1".into(), job: "fraud".into(), incarnation: "1".into(), task: "0-3".into() }
}

fn open(path: &Path, identity: &StateIdentity) -> Result<TaskState, StateError> {
    TaskState::open(path, identity, &RocksSettings::new(SharedMemory::new(1 << 20, 1 << 20)))
}

fn with_a_checkpoint(path: &Path) {
    let mut state = open(path, &identity()).unwrap();
    let mut delta = Delta::default();
    delta.block(StoreId(0)).put(b"k", b"v");
    state.absorb(delta);
    state.checkpoint(CheckpointMark { number: 4, hash: 9, journal_offset: 2 }).unwrap();
}

#[test]
fn state_of_another_job_cluster_or_task_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    with_a_checkpoint(directory.path());
    let others = [
        StateIdentity { job: "other".into(), ..identity() },
        StateIdentity { cluster: "c2".into(), ..identity() },
        StateIdentity { task: "0-4".into(), ..identity() },
    ];
    for other in others {
        let error = open(directory.path(), &other).unwrap_err();
        assert!(matches!(error, StateError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("task 0-3 of job \"fraud\" on cluster c1"), "{error}");
    }
    assert_eq!(open(directory.path(), &identity()).unwrap().mark().unwrap().number, 4);
}

#[test]
fn state_of_an_earlier_incarnation_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    with_a_checkpoint(directory.path());
    let mut state = open(directory.path(), &StateIdentity { incarnation: "2".into(), ..identity() }).unwrap();
    assert_eq!(state.mark(), None);
    assert_eq!(state.get(StoreId(0), b"k").unwrap(), None);
}

#[test]
fn reset_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    with_a_checkpoint(directory.path());
    let mut state = open(directory.path(), &identity()).unwrap();
    state.reset().unwrap();
    drop(state);
    let mut state = open(directory.path(), &identity()).unwrap();
    assert_eq!(state.mark(), None);
    assert_eq!(state.dump(2).unwrap(), vec![]);
}

#[test]
fn state_that_is_still_open_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), &identity()).unwrap();
    let second = open(directory.path(), &identity()).unwrap_err();
    assert!(matches!(second, StateError::StillOpen { .. }), "{second}");
    drop(first);
    open(directory.path(), &identity()).unwrap();
}
