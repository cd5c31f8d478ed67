//! `MATCH_RECOGNIZE`: plans, Nexmark's queries with it, and what follows it.

use millstream::driver::TestDriver;
use millstream::sql;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn planned(text: &str) -> sql::SqlJob {
    sql::plan("match.sql", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn rows(driver: &TestDriver, topic: &str) -> Vec<Value> {
    let records = driver.read(topic).into_iter();
    records.map(|record| serde_json::from_str(&record.value.unwrap()).unwrap()).collect()
}

/// Nexmark's events and its view of bids, with few auctions and bidders, so that there is something to find.
const NEXMARK: &str = "
CREATE TABLE nexmark (event_type INT, 
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, `dateTime` TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>,
  `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime` WHEN event_type = 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND)
WITH ('connector' = 'nexmark', 'events.num' = '3000', 'first-event.rate' = '1000', 'next-event.rate' = '1000');
CREATE VIEW bid AS SELECT MOD(bid.auction, 7) AS auction, MOD(bid.bidder, 11) AS bidder, bid.price, `dateTime` FROM nexmark WHERE event_type = 2;
CREATE TABLE bids (auction BIGINT, bidder BIGINT, price BIGINT, at TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json');
CREATE TABLE q0 (auction BIGINT, bidder BIGINT, start_tstamp TIMESTAMP(3), bottom_tstamp TIMESTAMP(3), end_tstamp TIMESTAMP(3))
WITH ('connector' = 'kafka', 'topic' = 'q0', 'format' = 'json');
CREATE TABLE q1 (auction BIGINT, bidder BIGINT, start_tstamp TIMESTAMP(3), end_tstamp TIMESTAMP(3), avg_price BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'q1', 'format' = 'json');
CREATE TABLE q2 (auction BIGINT, bidder BIGINT, start_tstamp TIMESTAMP(3), end_tstamp TIMESTAMP(3), avg_price BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'q2', 'format' = 'json');
CREATE TABLE q3 (auction BIGINT, bidder BIGINT, drop_time TIMESTAMP(3), drop_diff BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'q3', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO bids SELECT auction, bidder, price, `dateTime` FROM bid;
INSERT INTO q0 SELECT auction, bidder, start_tstamp, bottom_tstamp, end_tstamp FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder ORDER BY `dateTime`
  MEASURES START_ROW.`dateTime` AS start_tstamp, LAST(PRICE_DOWN.`dateTime`) AS bottom_tstamp, LAST(PRICE_UP.`dateTime`) AS end_tstamp
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST PRICE_UP
  PATTERN (START_ROW PRICE_DOWN+ PRICE_UP)
  DEFINE
    PRICE_DOWN AS (LAST(PRICE_DOWN.price, 1) IS NULL AND PRICE_DOWN.price < START_ROW.price) OR PRICE_DOWN.price < LAST(PRICE_DOWN.price, 1),
    PRICE_UP AS PRICE_UP.price > LAST(PRICE_DOWN.price, 1));
INSERT INTO q1 SELECT auction, bidder, start_tstamp, end_tstamp, avg_price FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder ORDER BY `dateTime`
  MEASURES FIRST(A.`dateTime`) AS start_tstamp, LAST(A.`dateTime`) AS end_tstamp, AVG(A.price) AS avg_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A+ B)
  DEFINE A AS AVG(A.price) < 10000);
INSERT INTO q2 SELECT auction, bidder, start_tstamp, end_tstamp, avg_price FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder ORDER BY `dateTime`
  MEASURES FIRST(A.`dateTime`) AS start_tstamp, LAST(A.`dateTime`) AS end_tstamp, AVG(A.price) AS avg_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (A+ B)
  DEFINE A AS AVG(A.price) < 10000);
INSERT INTO q3 SELECT auction, bidder, drop_time, drop_diff FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder ORDER BY `dateTime`
  MEASURES C.`dateTime` AS drop_time, A.price - C.price AS drop_diff
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B* C) WITHIN INTERVAL '5' SECOND
  DEFINE B AS B.price > A.price - 50, C AS C.price < A.price - 50);
END;
";

/// What Nexmark's second query with a pattern asks for, by hand: rows whose average so far is small, and the row behind them.
fn small_averages(prices: &[(String, i64)]) -> Vec<(String, String, i64)> {
    let (mut found, mut begin) = (Vec::new(), 0);
    'from: while begin < prices.len() {
        let (mut sum, mut at) = (0, begin);
        loop {
            let Some((_, price)) = prices.get(at) else { break 'from };
            if (sum + price) / (at - begin + 1) as i64 >= 10_000 {
                break;
            }
            sum += price;
            at += 1;
        }
        match at - begin {
            0 => begin += 1,
            count => {
                found.push((prices[begin].0.clone(), prices[at - 1].0.clone(), sum / count as i64));
                begin = at + 1;
            }
        }
    }
    found
}

#[test]
fn nexmarks_queries_with_patterns_run_and_find_what_a_loop_finds() {
    let job = planned(NEXMARK);
    let topics = [("bids", 1), ("q0", 1), ("q1", 1), ("q2", 1), ("q3", 1)];
    let mut driver = TestDriver::new(&job.topology, &topics).unwrap();
    for round in 0..3 {
        driver.advance(300 + 90 * round).unwrap();
        match round % 2 {
            0 => driver.crash(),
            _ => driver.crash_and_lose_state(),
        }
    }
    driver.run().unwrap();
    let mut by_key: BTreeMap<(i64, i64), Vec<(String, i64)>> = BTreeMap::new();
    for bid in rows(&driver, "bids") {
        let key = (bid["auction"].as_i64().unwrap(), bid["bidder"].as_i64().unwrap());
        let at = bid["at"].as_str().unwrap().to_owned();
        by_key.entry(key).or_default().push((at, bid["price"].as_i64().unwrap()));
    }
    let mut wanted = Vec::new();
    for ((auction, bidder), prices) in &mut by_key {
        prices.sort_by(|one, other| one.0.cmp(&other.0));
        for (start, end, average) in small_averages(prices) {
            wanted.push(json!({"auction": auction, "bidder": bidder, "start_tstamp": start, "end_tstamp": end, "avg_price": average}));
        }
    }
    let sorted = |rows: Vec<Value>| {
        let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        rows.sort();
        rows
    };
    assert!(wanted.len() > 20, "{}", wanted.len());
    assert_eq!(sorted(rows(&driver, "q1")), sorted(wanted));
    for query in ["q0", "q2", "q3"] {
        assert!(rows(&driver, query).len() > 20, "{query}");
    }
    driver.finish().unwrap();
}

const READINGS: &str = "
CREATE TABLE t (k STRING, v INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
";

#[test]
fn explain_shows_the_pattern_and_what_is_asked_of_rows() {
    let job = planned(&format!(
        "{READINGS} EXPLAIN SELECT k, top, mean, m.end_ FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY at, v DESC
           MEASURES A.v AS top, AVG(B.v + 1) AS mean, MATCH_ROWTIME() AS end_
           AFTER MATCH SKIP TO LAST B PATTERN (A B{{2,}}? C? D+?) WITHIN INTERVAL '1' MINUTE
           DEFINE B AS B.v < LAST(B.v, 1) OR SUM(v) > 10, D AS D.v > A.v) AS m WHERE top > 3;"
    ));
    let lines = job.explain.lines().filter(|line| line.contains("MatchRecognize"));
    insta::assert_snapshot!(lines.map(str::trim).collect::<Vec<_>>().join("\n"));
}

#[test]
fn windows_and_another_pattern_may_follow_the_time_of_a_match() {
    let job = planned(&format!(
        "{READINGS}
         CREATE VIEW rises AS SELECT k, v, at FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY at
           MEASURES B.v AS v, MATCH_ROWTIME() AS at AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE B AS B.v > A.v);
         CREATE TABLE windows (w TIMESTAMP(3), n BIGINT, total INT) WITH ('connector' = 'kafka', 'topic' = 'windows', 'format' = 'json');
         CREATE TABLE twice (k STRING, one INT, other INT) WITH ('connector' = 'kafka', 'topic' = 'twice', 'format' = 'json');
         INSERT INTO windows SELECT window_start, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE rises, DESCRIPTOR(at), INTERVAL '10' SECOND))
           GROUP BY window_start, window_end;
         INSERT INTO twice SELECT k, one, other FROM rises MATCH_RECOGNIZE (PARTITION BY k ORDER BY at
           MEASURES X.v AS one, Y.v AS other PATTERN (X Y) DEFINE Y AS Y.v > X.v);"
    ));
    let mut driver = TestDriver::new(&job.topology, &[("t", 1), ("windows", 1), ("twice", 1)]).unwrap();
    for (second, k, v) in
        [(1, "a", 1), (2, "a", 5), (3, "b", 2), (4, "a", 6), (5, "a", 9), (12, "b", 3), (15, "a", 1)]
    {
        let row = json!({"k": k, "v": v, "at": format!("1970-01-01 00:00:{second:02}")}).to_string();
        driver.produce("t", 0, None, Some(row.as_bytes()), 1_000);
    }
    let end = json!({"k": "z", "v": 0, "at": "1970-01-01 00:01:00"}).to_string();
    driver.produce("t", 0, None, Some(end.as_bytes()), 1_000);
    driver.run().unwrap();
    assert_eq!(
        rows(&driver, "windows"),
        [
            json!({"w": "1970-01-01 00:00:00", "n": 2, "total": 14}),
            json!({"w": "1970-01-01 00:00:10", "n": 1, "total": 3}),
        ]
    );
    assert_eq!(rows(&driver, "twice"), [json!({"k": "a", "one": 5, "other": 9})]);
    driver.finish().unwrap();
}

#[test]
fn a_pattern_may_go_by_the_clock() {
    let job = planned(
        "CREATE TABLE clicks (k STRING, v INT, pt AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json',
           'scan.startup.mode' = 'earliest-offset');
         CREATE TABLE out (k STRING, one INT, other INT) WITH ('connector' = 'kafka', 'topic' = 'out', 'format' = 'json');
         INSERT INTO out SELECT k, one, other FROM clicks MATCH_RECOGNIZE (PARTITION BY k ORDER BY pt
           MEASURES A.v AS one, B.v AS other AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) WITHIN INTERVAL '5' SECOND DEFINE B AS B.v > A.v);",
    );
    let mut driver = TestDriver::new(&job.topology, &[("clicks", 1), ("out", 1)]).unwrap();
    for (wait, v) in [(0, 1), (2_000, 2), (2_000, 3), (9_000, 4), (1_000, 5), (20_000, 0)] {
        driver.advance(wait).unwrap();
        let row = json!({"k": "a", "v": v}).to_string();
        driver.produce("clicks", 0, None, Some(row.as_bytes()), 1_000);
        driver.run().unwrap();
    }
    driver.advance(10_000).unwrap();
    driver.run().unwrap();
    assert_eq!(
        rows(&driver, "out"),
        [json!({"k": "a", "one": 1, "other": 2}), json!({"k": "a", "one": 4, "other": 5})]
    );
    driver.finish().unwrap();
}
