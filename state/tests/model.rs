//! A [`TaskState`] against a plain map: random puts, deletes, checkpoints and crashes, then every read must agree.
//!
//! The model keeps two maps: what was absorbed, and what the last checkpoint held. A crash throws the first away.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_state::{
    CheckpointMark, Delta, MemoryDisk, RocksSettings, SharedMemory, StateIdentity, StoreId, TaskState,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const STORES: u16 = 3;

#[derive(Debug, Clone)]
enum Action {
    Commit(Vec<(u16, u8, Option<u8>)>),
    Checkpoint,
    Crash,
    Read(u16, u8),
    Scan(u16, u8, Option<u8>),
}

fn action() -> impl Strategy<Value = Action> {
    let row = (0..STORES, 0..20u8, proptest::option::weighted(0.7, any::<u8>()));
    prop_oneof![
        6 => proptest::collection::vec(row, 0..8).prop_map(Action::Commit),
        1 => Just(Action::Checkpoint),
        1 => Just(Action::Crash),
        3 => (0..STORES, 0..20u8).prop_map(|(store, key)| Action::Read(store, key)),
        3 => (0..STORES, 0..20u8, proptest::option::of(0..20u8)).prop_map(|(s, l, u)| Action::Scan(s, l, u)),
    ]
}

type Model = BTreeMap<(u16, Vec<u8>), Vec<u8>>;

/// Keys of one to three bytes, so that prefixes of each other occur.
fn key(k: u8) -> Vec<u8> {
    vec![k; 1 + k as usize % 3]
}

fn run(actions: Vec<Action>, open: &dyn Fn() -> TaskState) {
    let (mut live, mut durable): (Model, Model) = Default::default();
    let mut state = open();
    let mut number = 0;
    for action in actions {
        match action {
            Action::Commit(rows) => {
                let mut delta = Delta::default();
                for (store, k, value) in rows {
                    match value {
                        Some(value) => {
                            delta.block(StoreId(store)).put(&key(k), &[value]);
                            live.insert((store, key(k)), vec![value]);
                        }
                        None => {
                            delta.block(StoreId(store)).delete(&key(k));
                            live.remove(&(store, key(k)));
                        }
                    }
                }
                state.absorb(delta);
            }
            Action::Checkpoint => {
                number += 1;
                state.checkpoint(CheckpointMark { number, hash: number.into(), journal_offset: 0 }).unwrap();
                durable = live.clone();
            }
            Action::Crash => {
                drop(state);
                state = open();
                live = durable.clone();
                assert_eq!(state.mark().map_or(0, |mark| mark.number), number);
            }
            Action::Read(store, k) => {
                assert_eq!(state.get(StoreId(store), &key(k)).unwrap(), live.get(&(store, key(k))).cloned());
            }
            Action::Scan(store, lower, upper) => {
                let (lower, upper) = (key(lower), upper.map(key));
                let mut seen = Vec::new();
                let mut collect = |k: &[u8], v: &[u8]| {
                    seen.push((k.to_vec(), v.to_vec()));
                    ControlFlow::Continue(())
                };
                state.scan(StoreId(store), &lower, upper.as_deref(), &mut collect).unwrap();
                let expected: Vec<_> = live
                    .iter()
                    .filter(|((s, k), _)| *s == store && *k >= lower && upper.as_ref().is_none_or(|u| k < u))
                    .map(|((_, k), v)| (k.clone(), v.clone()))
                    .collect();
                assert_eq!(seen, expected);
            }
        }
    }
    let all: Vec<_> = live.into_iter().map(|((store, k), v)| (StoreId(store), k, v)).collect();
    assert_eq!(state.dump(STORES).unwrap(), all);
}

fn identity() -> StateIdentity {
    StateIdentity { cluster: "c".into(), job: "j".into(), incarnation: "1".into(), task: "0-0".into() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn memory_reads_like_a_map(actions in proptest::collection::vec(action(), 0..60)) {
        let disk = MemoryDisk::default();
        run(actions, &|| TaskState::open_memory(&disk, &identity()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn rocksdb_reads_like_a_map(actions in proptest::collection::vec(action(), 0..60)) {
        let directory = tempfile::tempdir().unwrap();
        let settings = RocksSettings::new(SharedMemory::new(1 << 20, 1 << 20));
        run(actions, &|| TaskState::open(directory.path(), &identity(), &settings).unwrap());
    }
}
