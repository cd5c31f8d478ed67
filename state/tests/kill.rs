//! What a process that is killed leaves: an earlier checkpoint, whole.
//!
//! A process of its own, this test once more, writes one checkpoint after the other and says so; it is killed in the
//! middle of it, several times over the same directory.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_state::{
    CheckpointMark, Delta, RocksSettings, SharedMemory, StateIdentity, StoreId, TaskState,
};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const DIRECTORY: &str = "MILLSTREAM_STATE_TEST_KILLED";
const STORE: StoreId = StoreId(0);
/// Checkpoint `n` sets key `n` modulo this to `n`.
const KEYS: u64 = 50;

fn open(path: &Path) -> TaskState {
    let identity =
        StateIdentity { cluster: "c".into(), job: "j".into(), incarnation: "1".into(), task: "0-0".into() };
    let mut settings = RocksSettings::new(SharedMemory::new(1 << 20, 1 << 20));
    // A flush every hundred checkpoints or so.
    settings.memtable_bytes = 64 << 10;
    TaskState::open(path, &identity, &settings).unwrap()
}

/// Writes checkpoints for as long as it lives.
fn write(path: &Path) {
    let mut state = open(path);
    for number in state.mark().map_or(0, |mark| mark.number) + 1.. {
        let mut delta = Delta::default();
        let value = [&number.to_le_bytes()[..], &[7; 500]].concat();
        delta.block(STORE).put(&(number % KEYS).to_be_bytes(), &value);
        state.absorb(delta);
        state.checkpoint(CheckpointMark { number, hash: number.into(), journal_offset: number }).unwrap();
        println!("checkpoint {number}");
    }
}

#[test]
fn a_killed_process_leaves_an_earlier_checkpoint_whole() {
    if let Some(path) = std::env::var_os(DIRECTORY) {
        return write(path.as_ref());
    }
    let directory = tempfile::tempdir().unwrap();
    let mut on_disk = 0;
    for kill_at in [700, 1_500, 4_000] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_leaves_an_earlier_checkpoint_whole", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut written = lines.filter_map(|line| line.split_once("checkpoint ")?.1.parse::<u64>().ok());
        assert!(written.by_ref().any(|number| number == kill_at), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let last = written.last().unwrap_or(kill_at);

        let mut state = open(directory.path());
        let mark = state.mark().expect("a checkpoint has reached the disk");
        // It may have been killed before it said so.
        assert!(on_disk < mark.number && mark.number <= last + 1, "{on_disk} {mark:?} {last}");
        assert_eq!((mark.hash, mark.journal_offset), (mark.number.into(), mark.number));
        for key in 0..KEYS {
            let newest = mark.number - (mark.number + KEYS - key) % KEYS;
            let value = state.get(STORE, &key.to_be_bytes()).unwrap().unwrap();
            assert_eq!(value[..8], newest.to_le_bytes(), "key {key} at checkpoint {}", mark.number);
        }
        on_disk = mark.number;
    }
}
