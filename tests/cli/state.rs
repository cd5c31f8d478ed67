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

/// The operator in a line of the list, without spaces.
fn named(line: &str) -> String {
    line.split_once("  ").unwrap().0.split_whitespace().collect()
}

/// Rows of an operator's state, in the order of their texts.
fn exported(place: &Place, file: &str, what: &str, options: &str) -> Vec<String> {
    let list = place.ok(&format!("state export {file}"));
    let line = list.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what} in\n{list}"));
    let name = named(line);
    let out = place.ok(&format!("state export {file} --operator {name} {options}"));
    let mut rows: Vec<String> = out.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[test]
fn what_operators_keep_comes_out_as_rows() {
    let place = Place::new();
    place.write("job.sql", JOB);
    place.ok("topic create orders --partitions 2");
    let done = place.run("state export job.sql --operator nothing");
    assert!(
        done.code == 2 && done.err.contains("no operator \"nothing\" keeps state; those that do: "),
        "{done:?}"
    );
    let orders = "{\"customer\":\"a\",\"amount\":1}\n{\"customer\":\"b, \\\"c\\\"\",\"amount\":2}\n{\"customer\":\"a\",\"amount\":3}\n";
    assert_eq!(place.run_on("topic produce orders --format json", orders).code, 0);
    place.ok("run job.sql --exit-when-idle");
    let rows = exported(&place, "job.sql", "Aggregate: ", "");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("\"customer\":\"a\"") && rows[0].ends_with(":2}"), "{rows:?}");
    assert!(rows[1].contains("b, \\\"c\\\"") && rows[1].ends_with(":1}"), "{rows:?}");
    let csv = exported(&place, "job.sql", "Aggregate: ", "--output csv");
    assert!(csv.contains(&"a,2".to_owned()) && csv.contains(&"\"b, \"\"c\"\"\",1".to_owned()), "{csv:?}");
    assert!(csv.iter().any(|line| line.starts_with("customer,")), "{csv:?}");
    let elsewhere = exported_failure(&place, "job.sql", "--state nowhere");
    assert!(elsewhere.contains("nowhere holds no state of job"), "{elsewhere}");
}

fn exported_failure(place: &Place, file: &str, options: &str) -> String {
    let list = place.ok(&format!("state export {file}"));
    let name = named(list.lines().nth(1).unwrap());
    let done = place.run(&format!("state export {file} --operator {name} {options}"));
    assert_ne!(done.code, 0, "{done:?}");
    done.err
}

#[test]
fn open_windows_and_upsert_tables_come_out_as_rows_and_joins_are_refused() {
    let place = Place::new();
    let windows = "
CREATE TABLE orders (customer STRING, amount INT, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset'
);
CREATE TABLE names (id STRING, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'names', 'key.format' = 'raw', 'value.format' = 'json'
);
CREATE TABLE hours (customer STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'hours', 'format' = 'json');
CREATE TABLE lengths (n INT, names BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'lengths', 'key.format' = 'json', 'value.format' = 'json'
);
CREATE TABLE named (customer STRING, name STRING, amount INT) WITH (
  'connector' = 'kafka', 'topic' = 'named', 'format' = 'debezium-json'
);
INSERT INTO hours SELECT customer, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(at), INTERVAL '1' HOUR))
  GROUP BY customer, window_start, window_end;
INSERT INTO lengths SELECT CHAR_LENGTH(name), COUNT(*) FROM names GROUP BY CHAR_LENGTH(name);
INSERT INTO named SELECT customer, name, amount FROM orders JOIN names ON customer = id;
";
    place.write("windows.sql", windows);
    place.ok("topic create orders --partitions 1");
    place.ok("topic create names --partitions 1 --config cleanup.policy=compact");
    let orders = "{\"customer\":\"a\",\"amount\":1,\"at\":\"2025-01-01 10:10:00\"}\n{\"customer\":\"a\",\"amount\":2,\"at\":\"2025-01-01 10:20:00\"}\n";
    assert_eq!(place.run_on("topic produce orders --format json", orders).code, 0);
    let names = "k1:{\"name\":\"one\"}\n";
    assert_eq!(place.run_on("topic produce names --format raw --key-delimiter :", names).code, 0);
    place.ok("run windows.sql --exit-when-idle");
    let rows = exported(&place, "windows.sql", "WindowAggregate: ", "");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].contains("\"pane_end\":\"2025-01-01 11:00:00") && rows[0].ends_with(":2}"), "{rows:?}");
    let rows = exported(&place, "windows.sql", "Normalize: ", "");
    assert!(rows.iter().all(|row| row.contains("\"name\":\"one\"")), "{rows:?}");
    let list = place.ok("state export windows.sql");
    let join = named(list.lines().find(|line| line.contains("Join: ")).unwrap());
    let done = place.run(&format!("state export windows.sql --operator {join}"));
    assert!(done.code == 2 && done.err.contains("can't be shown as rows"), "{done:?}");
}
