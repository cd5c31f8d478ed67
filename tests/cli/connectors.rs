//! Jobs that need nothing: their rows are made.

use crate::command::Place;
use serde_json::Value;
use std::time::Duration;

#[test]
fn a_job_from_nothing_prints_its_rows() {
    let place = Place::new();
    let done = place.run_on(
        "run - --job first",
        "CREATE TABLE orders (id INT, price DECIMAL(6, 2))
         WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3',
           'fields.price.min' = '5', 'fields.price.max' = '5');
         CREATE TABLE shown (id INT, price DECIMAL(6, 2)) WITH ('connector' = 'print');
         INSERT INTO shown SELECT id, price FROM orders;",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out, "+I[1, 5.00]\n+I[2, 5.00]\n+I[3, 5.00]\n");
}

/// Killed with kill -9 again and again, wherever it stands, a job has each row of what is made once.
#[test]
fn killed_jobs_lose_and_repeat_no_row_that_is_made() {
    let place = Place::new();
    place.write(
        "made.sql",
        "CREATE TABLE numbers (n BIGINT, k INT)
         WITH ('connector' = 'datagen', 'rows-per-second' = '4000', 'scan.parallelism' = '2', 'fields.n.kind' = 'sequence',
           'fields.n.start' = '0', 'fields.n.end' = '11999', 'fields.k.min' = '0', 'fields.k.max' = '9');
         CREATE TABLE copies (n BIGINT, k INT) WITH ('connector' = 'kafka', 'topic' = 'copies', 'format' = 'json');
         INSERT INTO copies SELECT n, k FROM numbers;",
    );
    place.ok("topic create copies --partitions 1");
    for after_ms in [300, 450, 700] {
        let mut job = place.start("run made.sql");
        job.wait_until_it_has_the_log(&place);
        std::thread::sleep(Duration::from_millis(after_ms));
        job.signal("KILL");
        assert_ne!(job.wait().code, 0, "it has ended before it was killed");
    }
    let done = place.run("run made.sql");
    assert_eq!(done.code, 0, "{done:?}");
    let number = |record: &Value| -> i64 {
        let row: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
        row["n"].as_i64().unwrap()
    };
    let mut numbers: Vec<i64> = place.consume("copies").iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..12_000).collect::<Vec<i64>>());
    // What was read to its end is over.
    let again = place.run("run made.sql");
    assert!(again.code == 0 && again.err.contains("nothing to do"), "{again:?}");
}

/// What the front page says runs with nothing beside it.
#[test]
fn the_first_job_of_the_readme_runs() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, behind) = readme.split_once("millstream run - --job first <<'SQL'\n").unwrap();
    let (sql, _) = behind.split_once("\nSQL\n").unwrap();
    let done = Place::new().run_on("run - --job first", sql);
    assert_eq!(done.code, 0, "{done:?}");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(lines.len() >= 20 && lines[0].starts_with("+I["), "{done:?}");
}
