//! `state inspect` and `state verify`.

use crate::command::{PATIENCE, Place};
use std::path::{Path, PathBuf};
use std::time::Instant;

const JOB: &str = "
CREATE TABLE orders (customer STRING, amount INT) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset'
);
CREATE TABLE counts (customer STRING, orders BIGINT, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json'
);
INSERT INTO counts SELECT customer, COUNT(*) FROM orders GROUP BY customer;
";

const SNAPSHOTS: &str = "millstream-data/log/snapshots";

fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, prefix));
        } else if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(path);
        }
    }
    found
}

/// A job that has run until it has snapshots.
fn with_snapshots() -> Place {
    let place = Place::new();
    place.write("job.sql", JOB);
    place.ok("topic create orders --partitions 1");
    let mut job = place.start("run job.sql --snapshot-bytes 1");
    job.wait_until_it_has_the_log(&place);
    let deadline = Instant::now() + PATIENCE;
    let mut round = 0;
    // Each is named by a later commit: there has to be something to commit.
    while files(&place.path().join(SNAPSHOTS), "m-").len() < 2 {
        assert!(Instant::now() < deadline, "the job never stores a snapshot");
        round += 1;
        let orders: String =
            (0..50).map(|n| format!("{{\"customer\": \"c{round}-{n}\", \"amount\": {n}}}\n")).collect();
        assert_eq!(place.run_on("topic produce orders --format json", &orders).code, 0);
    }
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
    place
}

#[test]
fn state_and_snapshots_say_whose_they_are_and_where_they_stand() {
    let place = with_snapshots();
    let state = place.ok("state inspect millstream-data/state/job");
    for part in ["task 0-0 of job \"job\"", "commit    ", "input     orders/0 at ", "snapshot  of commit "] {
        assert!(state.contains(part), "{part} is missing in\n{state}");
    }
    assert_eq!(place.ok("state inspect millstream-data/state/job/task-0-0"), state);
    let verified = place.ok("state verify millstream-data/state/job");
    assert!(verified.contains(": sound"), "{verified}");
    for command in ["inspect", "verify"] {
        let snapshots = place.ok(&format!("state {command} {SNAPSHOTS}"));
        assert!(snapshots.contains("task 0-0 of job \"job\""), "{snapshots}");
        assert!(!snapshots.contains("DAMAGED"), "{snapshots}");
    }
}

#[test]
fn a_snapshot_that_is_damaged_is_named() {
    let place = with_snapshots();
    let directory = place.path().join(SNAPSHOTS);
    let file = files(&directory, "f-").into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    place.ok(&format!("state inspect {SNAPSHOTS}"));
    let done = place.run(&format!("state verify {SNAPSHOTS}"));
    assert_eq!(done.code, 5, "{done:?}");
    assert!(done.out.contains("is not what its name says"), "{done:?}");
    assert!(done.err.contains("snapshots can't be used"), "{done:?}");
    std::fs::remove_file(&file).unwrap();
    let done = place.run(&format!("state inspect {SNAPSHOTS}"));
    assert_eq!(done.code, 5, "{done:?}");
    assert!(done.out.contains("is missing"), "{done:?}");
}

#[test]
fn what_is_neither_state_nor_snapshots_is_refused() {
    let place = Place::new();
    place.write("file", "");
    for directory in [".", "none"] {
        let done = place.run(&format!("state inspect {directory}"));
        assert_eq!(done.code, 4, "{done:?}");
    }
}
