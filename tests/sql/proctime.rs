//! The clock as the time of rows: `pt AS PROCTIME()`.

use millstream::driver::TestDriver;
use millstream::sql;
use serde_json::{Value, json};

const CLICKS: &str = "
CREATE TABLE clicks (k STRING, v INT, pt AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset');
CREATE VIEW later AS SELECT k, v, PROCTIME() AS at FROM clicks WHERE v > 0;
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
    rows_of(driver, "out")
}

fn rows_of(driver: &TestDriver, topic: &str) -> Vec<Value> {
    driver
        .read(topic)
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

const RATES: &str = "
CREATE TABLE rates (id STRING, rate INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'rates',
  'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE sales (k STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, pt AS PROCTIME()) WITH ('connector' = 'kafka',
  'topic' = 'sales', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
";

/// A job over clicks, sales and rates that writes into `out`.
fn rated(columns: &str, insert: &str) -> TestDriver {
    let text = format!(
        "{CLICKS} {RATES} CREATE TABLE out ({columns}) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json'); {insert};"
    );
    let job = sql::plan("proctime.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
    TestDriver::new(&job.topology, &[("clicks", 2), ("sales", 1), ("rates", 3), ("out", 1)]).unwrap()
}

fn rate(driver: &mut TestDriver, id: &str, rate: Option<i64>) {
    let partition = millstream::operators::sink::partition_for_key(id.as_bytes(), 3);
    let row = rate.map(|rate| json!({"id": id, "rate": rate}).to_string());
    driver.produce("rates", partition, Some(id.as_bytes()), row.as_ref().map(String::as_bytes), 1_000);
    driver.run().unwrap();
}

/// A click of each key, one after the other.
fn clicks(driver: &mut TestDriver, keys: &[&str]) {
    for (v, k) in keys.iter().enumerate() {
        click(driver, v as u32 % 2, k, v as i64);
        driver.run().unwrap();
    }
}

#[test]
fn a_row_is_joined_with_what_is_there_when_it_comes() {
    let join = |kind: &str| {
        format!(
            "INSERT INTO out SELECT c.k, c.v, r.rate FROM clicks AS c {kind} JOIN rates FOR SYSTEM_TIME AS OF c.pt AS r ON c.k = r.id"
        )
    };
    let columns = "k STRING, v INT, rate INT";
    let [mut inner, mut left] = ["", "LEFT"].map(|kind| rated(columns, &join(kind)));
    for driver in [&mut inner, &mut left] {
        clicks(driver, &["a"]);
        rate(driver, "a", Some(1));
        rate(driver, "b", Some(5));
        clicks(driver, &["a", "b"]);
        rate(driver, "a", Some(2));
        clicks(driver, &["a"]);
        rate(driver, "a", None);
        clicks(driver, &["a", "b"]);
    }
    let expected = [
        json!({"k": "a", "v": 0, "rate": null}),
        json!({"k": "a", "v": 0, "rate": 1}),
        json!({"k": "b", "v": 1, "rate": 5}),
        json!({"k": "a", "v": 0, "rate": 2}),
        json!({"k": "a", "v": 0, "rate": null}),
        json!({"k": "b", "v": 1, "rate": 5}),
    ];
    assert_eq!(rows(&left), expected);
    let met: Vec<Value> = expected.into_iter().filter(|row| !row["rate"].is_null()).collect();
    assert_eq!(rows(&inner), met);
    left.finish().unwrap();
    inner.finish().unwrap();
}

#[test]
fn groups_are_joined_as_they_are_by_the_clock_and_one_join_may_follow_another() {
    let mut driver = rated(
        "k STRING, n BIGINT, rate INT",
        "CREATE VIEW counts AS SELECT k, COUNT(*) AS n FROM sales GROUP BY k;
         INSERT INTO out SELECT c.k, s.n, r.rate FROM clicks AS c
         LEFT JOIN counts FOR SYSTEM_TIME AS OF c.pt AS s ON s.k = c.k
         LEFT JOIN rates FOR SYSTEM_TIME AS OF c.pt AS r ON r.id = UPPER(c.k) WHERE c.v >= 0",
    );
    rate(&mut driver, "A", Some(7));
    for amount in 0..2 {
        clicks(&mut driver, &["a"]);
        let sale = json!({"k": "a", "amount": amount, "ts": "2025-03-01 10:00:00"}).to_string();
        driver.produce("sales", 0, None, Some(sale.as_bytes()), 1_000);
        driver.run().unwrap();
    }
    clicks(&mut driver, &["a", "b"]);
    let row = |k: &str, n: Option<i64>, rate: Option<i64>| json!({"k": k, "n": n, "rate": rate});
    let a = |n| row("a", n, Some(7));
    assert_eq!(rows(&driver), [a(None), a(Some(1)), a(Some(2)), row("b", None, None)]);
    driver.finish().unwrap();
}

#[test]
fn what_can_not_be_joined_by_the_clock_is_refused_with_what_to_do() {
    let refused = |insert: &str| {
        let text = format!(
            "{CLICKS} {RATES} CREATE TABLE out (k STRING, v INT) WITH ('connector' = 'blackhole');
             CREATE VIEW rated AS SELECT s.k, s.ts, r.rate FROM sales AS s JOIN rates FOR SYSTEM_TIME AS OF s.pt AS r ON s.k = r.id;
             INSERT INTO out {insert};"
        );
        sql::plan("proctime.sql", &text).err().map(|errors| errors.to_string()).unwrap_or_default()
    };
    let no_key = refused(
        "SELECT c.k, s.amount FROM clicks AS c JOIN sales FOR SYSTEM_TIME AS OF c.pt AS s ON c.k = s.k",
    );
    assert!(no_key.contains("has no key: of a key there has to be one row at a time"), "{no_key}");
    let not_on_it = refused(
        "SELECT c.k, r.rate FROM clicks AS c JOIN rates FOR SYSTEM_TIME AS OF c.pt AS r ON c.v = r.rate",
    );
    assert!(not_on_it.contains("r.rate is not part of the table's primary key"), "{not_on_it}");
    let time = refused(
        "SELECT k, SUM(rate) FROM TABLE(TUMBLE(TABLE rated, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end",
    );
    assert!(time.contains("ts is not the time attribute of its table"), "rates has no watermark: {time}");
    let updated = refused(
        "SELECT c.k, r.rate FROM (SELECT k, MAX(pt) AS pt FROM clicks GROUP BY k) AS c
         JOIN rates FOR SYSTEM_TIME AS OF c.pt AS r ON c.k = r.id",
    );
    assert!(updated.contains("the left side of FOR SYSTEM_TIME AS OF updates or deletes rows"), "{updated}");
}

const BIDS: &str = "
CREATE TABLE bids (bidder INT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 'clicks',
  'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TEMPORARY VIEW b AS SELECT *, PROCTIME() AS p_time FROM bids;
CREATE TABLE out (bidder INT, n BIGINT, seconds INT) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json');
CREATE TABLE of_price (price INT, n BIGINT, seconds INT) WITH ('connector' = 'kafka', 'topic' = 'of_price', 'format' = 'json');
";

/// A job over bids, which have an event time, and a view of them by the clock.
fn bids(partitions: u32, statements: &str) -> TestDriver {
    let text = format!("{BIDS} {statements}");
    let job = sql::plan("proctime.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
    TestDriver::new(&job.topology, &[("clicks", partitions), ("out", 1), ("of_price", 1)]).unwrap()
}

fn bid(driver: &mut TestDriver, partition: u32, bidder: i64, minute: i64) {
    let row =
        json!({"bidder": bidder, "price": 1, "ts": format!("2020-01-01 00:{minute:02}:00")}).to_string();
    driver.produce("clicks", partition, None, Some(row.as_bytes()), 1_000);
    driver.run().unwrap();
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(ToString::to_string);
    rows
}

/// Nexmark's twelfth query.
const Q12: &str = "INSERT INTO out SELECT b.bidder, COUNT(*), TIMESTAMPDIFF(SECOND, window_start, window_end)
FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(p_time), INTERVAL '10' SECOND)) GROUP BY b.bidder, window_start, window_end;";

#[test]
fn windows_of_a_view_go_by_its_clock_and_close_without_another_row() {
    for partitions in [1, 2] {
        let mut driver = bids(partitions, Q12);
        driver.run().unwrap();
        // By their event time most of these would be late, and the others of other windows.
        for (bidder, minute) in [(1, 30), (1, 2), (2, 40), (1, 1)] {
            bid(&mut driver, bidder as u32 % partitions, bidder, minute);
        }
        assert_eq!(rows(&driver), Vec::<Value>::new());
        driver.advance(15_000).unwrap();
        driver.run().unwrap();
        let row = |bidder: i64, n: i64| json!({"bidder": bidder, "n": n, "seconds": 10});
        assert_eq!(sorted(rows(&driver)), [row(1, 3), row(2, 1)], "{partitions} partitions");
        bid(&mut driver, 0, 2, 0);
        driver.advance(15_000).unwrap();
        driver.run().unwrap();
        assert_eq!(rows(&driver).len(), 3);
        driver.finish().unwrap();
    }
}

#[test]
fn one_table_goes_by_its_event_time_and_by_the_clock_in_one_job() {
    let mut driver = bids(
        2,
        &format!(
            "EXECUTE STATEMENT SET BEGIN {Q12}
             INSERT INTO of_price SELECT price, COUNT(*), TIMESTAMPDIFF(SECOND, window_start, window_end)
             FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' MINUTES)) GROUP BY price, window_start, window_end; END;"
        ),
    );
    driver.run().unwrap();
    for minute in [1, 2, 11, 12] {
        bid(&mut driver, minute as u32 % 2, 1, minute);
    }
    driver.advance(15_000).unwrap();
    driver.run().unwrap();
    assert_eq!(rows(&driver), [json!({"bidder": 1, "n": 4, "seconds": 10})]);
    assert_eq!(rows_of(&driver, "of_price"), [json!({"price": 1, "n": 2, "seconds": 600})]);
    driver.finish().unwrap();
}

#[test]
fn a_query_over_a_table_without_a_time_goes_by_the_clock() {
    let mut driver = job(
        "k STRING, n BIGINT, total INT, ms BIGINT",
        "INSERT INTO out SELECT k, COUNT(*), SUM(v), TIMESTAMPDIFF(SECOND, window_start, window_end) FROM
         TABLE(TUMBLE(TABLE later, DESCRIPTOR(at), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end",
    );
    driver.run().unwrap();
    for (partition, k, v) in [(0, "a", 1), (1, "a", 2), (1, "b", 3)] {
        click(&mut driver, partition, k, v);
    }
    driver.run().unwrap();
    driver.advance(15_000).unwrap();
    driver.run().unwrap();
    let expected =
        [json!({"k": "a", "n": 2, "total": 3, "ms": 10}), json!({"k": "b", "n": 1, "total": 3, "ms": 10})];
    assert_eq!(sorted(rows(&driver)), expected);
    driver.finish().unwrap();
}

#[test]
fn rows_of_so_long_before_by_the_clock_of_a_view_are_counted() {
    let mut driver = bids(
        1,
        "INSERT INTO out SELECT bidder, COUNT(*) OVER (PARTITION BY bidder ORDER BY p_time RANGE BETWEEN INTERVAL '5' SECOND PRECEDING
         AND CURRENT ROW), price FROM b;",
    );
    driver.run().unwrap();
    for (pause_ms, minute) in [(1_000, 30), (7_000, 1), (10_000, 20)] {
        bid(&mut driver, 0, 7, minute);
        driver.advance(pause_ms).unwrap();
        driver.run().unwrap();
    }
    let row = |n: i64| json!({"bidder": 7, "n": n, "seconds": 1});
    assert_eq!(rows(&driver), [row(1), row(2), row(1)]);
    driver.finish().unwrap();
}
