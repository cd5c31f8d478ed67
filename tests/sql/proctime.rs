//! The clock as the time of rows: `pt AS PROCTIME()`.

use millstream::driver::TestDriver;
use millstream::sql;
use serde_json::{Value, json};

const CLICKS: &str = "
CREATE TABLE clicks (k STRING, v INT, pt AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
";

/// A job that writes into `out`, whose columns are given.
fn job(columns: &str, insert: &str) -> TestDriver {
    let text = format!(
        "{CLICKS} CREATE TABLE out ({columns}) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json'); {insert};"
    );
    let job = sql::plan("proctime.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
    TestDriver::new(&job.topology, &[("clicks", 2), ("out", 1)]).unwrap()
}

fn click(driver: &mut TestDriver, partition: u32, k: &str, v: i64) {
    let row = json!({"k": k, "v": v}).to_string();
    driver.produce("clicks", partition, None, Some(row.as_bytes()), 1_000);
}

fn rows(driver: &TestDriver) -> Vec<Value> {
    driver
        .read("out")
        .iter()
        .map(|record| serde_json::from_str(record.value.as_ref().unwrap()).unwrap())
        .collect()
}

#[test]
fn a_window_of_the_clock_closes_without_another_row() {
    let mut driver = job(
        "k STRING, n BIGINT, total INT, ms BIGINT",
        "INSERT INTO out SELECT k, COUNT(*), SUM(v), TIMESTAMPDIFF(SECOND, window_start, window_end) FROM
         TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(pt), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end",
    );
    driver.run().unwrap();
    for (partition, k, v) in [(0, "a", 1), (1, "a", 2), (1, "b", 3)] {
        click(&mut driver, partition, k, v);
    }
    driver.run().unwrap();
    driver.advance(15_000).unwrap();
    driver.run().unwrap();
    let mut closed = rows(&driver);
    closed.sort_by_key(|row| row["k"].to_string());
    let expected =
        [json!({"k": "a", "n": 2, "total": 3, "ms": 10}), json!({"k": "b", "n": 1, "total": 3, "ms": 10})];
    assert_eq!(closed, expected);
    driver.finish().unwrap();
}

#[test]
fn rows_of_so_long_before_by_the_clock_are_counted() {
    let mut driver = job(
        "k STRING, v INT, n BIGINT, before INT",
        "INSERT INTO out SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY pt RANGE BETWEEN INTERVAL '5' SECOND PRECEDING
         AND CURRENT ROW), LAG(v) OVER (PARTITION BY k ORDER BY pt) FROM clicks",
    );
    driver.run().unwrap();
    for (pause_ms, v) in [(1_000, 1), (2_000, 2), (10_000, 3)] {
        click(&mut driver, 0, "a", v);
        driver.run().unwrap();
        driver.advance(pause_ms).unwrap();
        driver.run().unwrap();
    }
    let expected = [(1, 1, Value::Null), (2, 2, json!(1)), (3, 2, json!(2))];
    let expected = expected.map(|(v, n, before)| json!({"k": "a", "v": v, "n": n, "before": before}));
    assert_eq!(rows(&driver)[..2], expected[..2]);
    assert_eq!(rows(&driver).len(), 3);
    driver.finish().unwrap();
}

#[test]
fn of_every_key_the_first_row_by_the_clock_comes_out_once() {
    let mut driver = job(
        "k STRING, v INT",
        "INSERT INTO out SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) AS rn FROM clicks) WHERE rn = 1",
    );
    driver.run().unwrap();
    for (k, v) in [("a", 1), ("b", 2), ("a", 3)] {
        click(&mut driver, 0, k, v);
        driver.run().unwrap();
        driver.advance(1_000).unwrap();
    }
    driver.run().unwrap();
    assert_eq!(rows(&driver), [json!({"k": "a", "v": 1}), json!({"k": "b", "v": 2})]);
    driver.finish().unwrap();
}

#[test]
fn the_clock_is_a_value_of_every_row_and_the_same_again() {
    let mut driver = job(
        "v INT, late BOOLEAN",
        "INSERT INTO out SELECT v, PROCTIME() > TO_TIMESTAMP_LTZ(0, 3) FROM clicks WHERE PROCTIME() IS NOT NULL",
    );
    driver.run().unwrap();
    click(&mut driver, 0, "a", 1);
    driver.run().unwrap();
    assert_eq!(rows(&driver), [json!({"v": 1, "late": true})]);
    driver.finish().unwrap();
}

#[test]
fn a_job_that_goes_by_the_clock_comes_to_rest() {
    let mut driver = job(
        "k STRING, n BIGINT",
        "INSERT INTO out SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE clicks PARTITION BY k, DESCRIPTOR(pt), INTERVAL '1' SECOND))
         GROUP BY k, window_start, window_end",
    );
    driver.run().unwrap();
    click(&mut driver, 0, "a", 1);
    driver.run().unwrap();
    for _ in 0..3 {
        driver.advance(20_000).unwrap();
        driver.run().unwrap();
    }
    assert_eq!(rows(&driver), [json!({"k": "a", "n": 1})]);
    driver.finish().unwrap();
}

#[test]
fn what_the_clock_can_not_be_read_for_is_refused_by_name() {
    let refused = |insert: &str| {
        let text = format!(
            "{CLICKS} CREATE TABLE out (a STRING, n BIGINT, b TIMESTAMP_LTZ(3)) WITH ('connector' = 'blackhole'); {insert};"
        );
        sql::plan("proctime.sql", &text).err().map(|errors| errors.to_string()).unwrap_or_default()
    };
    let grouped = refused(
        "INSERT INTO out SELECT k, n, PROCTIME() FROM (SELECT k, COUNT(*) AS n FROM clicks GROUP BY k)",
    );
    assert!(
        grouped.contains("PROCTIME() is not supported for rows that are updated or deleted"),
        "{grouped}"
    );
}
