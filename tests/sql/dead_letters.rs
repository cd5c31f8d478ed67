//! Late rows, undecodable ones and those that an expression can't be computed for: as dead letters, through projections,
//! a filter and an exchange, with every commit replayed; and what a job does that keeps none.

use millstream::driver::TestDriver;
use millstream::operators::TopicPartition;
use millstream::operators::dead_letter::original_of;
use millstream::{replay, sql};

const TABLES: &str = "
CREATE TABLE clicks (who STRING, n INT NOT NULL, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bad-records' = 'dead-letter', 'scan.late-records' = 'dead-letter', 'scan.dead-letter-topic' = 'dead');
CREATE TABLE counts (who STRING, window_end TIMESTAMP(3), n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'counts', 'format' = 'json');
";

const COUNT: &str = "
INSERT INTO counts SELECT who, window_end, SUM(n * 2)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '10' SECOND)) WHERE n > 0
GROUP BY who, window_start, window_end;
";

fn click(who: &str, n: i64, second: i64) -> String {
    format!(r#"{{"who": "{who}", "n": {n}, "at": "2023-01-01 00:00:{second:02}.000"}}"#)
}

/// `(reason, column, partition, offset, value)` of every letter, in order.
fn letters(driver: &TestDriver) -> Vec<(String, Option<String>, u32, u64, String)> {
    let records = replay::read_all(driver.log(), &TopicPartition::new("dead", 0)).unwrap();
    let letter = |record: millstream::operators::Record<'_>| {
        let original = original_of(&record).unwrap();
        assert_eq!((&*original.place.topic, record.key), ("clicks", Some(&b"key"[..])));
        let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
        let column = original.column.map(str::to_owned);
        (original.reason.to_owned(), column, original.place.partition, original.offset, value)
    };
    let mut letters: Vec<_> = records.iter().map(letter).collect();
    letters.sort();
    letters
}

#[test]
fn late_and_bad_rows_are_letters_behind_a_filter_and_an_exchange() {
    for partitions in [1, 2] {
        let job = sql::plan("clicks.sql", &format!("{TABLES}{COUNT}")).unwrap();
        let mut driver = TestDriver::new(&job.topology, &[("clicks", partitions), ("dead", 1)]).unwrap();
        let produce = |driver: &TestDriver, partition, values: &[String]| {
            for value in values {
                driver.produce("clicks", partition, Some(b"key"), Some(value.as_bytes()), 5);
            }
        };
        for partition in 0..partitions {
            produce(&driver, partition, &[click("a", 1, 3), click("b", 2, 41)]);
        }
        driver.run().unwrap();
        // Late, late but filtered out, in time, not decodable, late again; then crashes with all that committed.
        let n = r#"{"who": "c", "n": null, "at": "2023-01-01 00:00:50.000"}"#.to_owned();
        produce(
            &driver,
            0,
            &[click("a", 7, 4), click("a", 0, 5), click("b", 3, 42), n.clone(), click("d", 8, 1)],
        );
        driver.run().unwrap();
        driver.crash();
        driver.run().unwrap();
        driver.crash_and_lose_state();
        let bad = "no json".to_owned();
        produce(&driver, 0, &[bad.clone(), click("e", 9, 2)]);
        driver.run().unwrap();
        let expected = vec![
            ("bad".to_owned(), None, 0, 7, bad),
            ("bad".to_owned(), Some("n".to_owned()), 0, 5, n),
            ("late".to_owned(), None, 0, 2, click("a", 7, 4)),
            ("late".to_owned(), None, 0, 6, click("d", 8, 1)),
            ("late".to_owned(), None, 0, 8, click("e", 9, 2)),
        ];
        let mut found = letters(&driver);
        found
            .iter_mut()
            .filter(|letter| letter.0 == "bad" && letter.3 == 7)
            .for_each(|letter| letter.1 = None);
        assert_eq!(found, expected, "{partitions} partitions");
        driver.finish().unwrap();
    }
}

/// Pages of sites, whose size comes as text.
fn pages(policy: &str) -> String {
    format!(
        "
CREATE TABLE pages (site STRING, size STRING, parts INT) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'{policy});
CREATE TABLE large (site STRING, part INT) WITH ('connector' = 'kafka', 'topic' = 'large', 'format' = 'json');
CREATE TABLE sites (site STRING, total BIGINT, PRIMARY KEY (site) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'sites', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO large SELECT site, CAST(size AS INT) / parts FROM pages WHERE 100 / parts < 60;
INSERT INTO sites SELECT site, SUM(CAST(size AS INT)) FROM pages GROUP BY site;
"
    )
}

const LETTERS: &str = ", 'scan.bad-records' = 'dead-letter', 'scan.dead-letter-topic' = 'dead'";

fn page(site: &str, size: &str, parts: i64) -> String {
    format!(r#"{{"site": "{site}", "size": "{size}", "parts": {parts}}}"#)
}

/// What a topic holds in the end, by key where it has keys.
fn values(driver: &TestDriver, topic: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut last = std::collections::BTreeMap::new();
    for output in driver.read(topic) {
        match output.key {
            Some(key) => drop(last.insert(key, output.value.unwrap_or_default())),
            None => values.push(output.value.unwrap_or_default()),
        }
    }
    values.extend(last.into_values());
    values.sort();
    values
}

#[test]
fn rows_that_an_expression_can_not_be_computed_for_are_letters_once_whoever_dies() {
    for partitions in [1, 2] {
        let job = sql::plan("pages.sql", &pages(LETTERS)).unwrap();
        let mut driver = TestDriver::new(&job.topology, &[("clicks", partitions), ("dead", 1)]).unwrap();
        let produce = |driver: &TestDriver, values: &[String]| {
            for value in values {
                driver.produce("clicks", 0, Some(b"key"), Some(value.as_bytes()), 5);
            }
        };
        produce(&driver, &[page("a", "10", 2), page("a", "x", 2), page("b", "8", 0), page("b", "9", 3)]);
        driver.run().unwrap();
        driver.crash();
        produce(&driver, &[page("a", "y", 0), page("b", "z", 1), page("c", "", 5)]);
        driver.run().unwrap();
        driver.crash_and_lose_state();
        produce(&driver, &[page("c", "7", 7)]);
        driver.run().unwrap();

        // Of each record as many letters as statements that could not use it.
        let found: Vec<(u64, String)> = letters(&driver)
            .into_iter()
            .map(|(reason, _, _, offset, value)| {
                assert_eq!(reason, "bad");
                (offset, value)
            })
            .collect();
        let expected = vec![
            (1, page("a", "x", 2)),
            (1, page("a", "x", 2)),
            (2, page("b", "8", 0)),
            (4, page("a", "y", 0)),
            (4, page("a", "y", 0)),
            (5, page("b", "z", 1)),
            (6, page("c", "", 5)),
            (6, page("c", "", 5)),
        ];
        let mut sorted = found.clone();
        sorted.sort();
        assert_eq!(sorted, expected, "{partitions} partitions");
        let large = [r#"{"site":"a","part":5}"#, r#"{"site":"b","part":3}"#, r#"{"site":"c","part":1}"#];
        assert_eq!(values(&driver, "large"), large);
        let sites = [r#"{"site":"a","total":10}"#, r#"{"site":"b","total":17}"#, r#"{"site":"c","total":7}"#];
        assert_eq!(values(&driver, "sites"), sites);
        driver.finish().unwrap();
    }
}

#[test]
fn a_row_that_can_not_be_computed_fails_the_job_by_name_and_it_goes_on_once_it_is_skipped() {
    let plan = |policy: &str| sql::plan("pages.sql", &pages(policy)).unwrap();
    let mut driver = TestDriver::new(&plan("").topology, &[("clicks", 1)]).unwrap();
    let produce = |driver: &TestDriver, value: &str| {
        driver.produce("clicks", 0, None, Some(value.as_bytes()), 5);
    };
    produce(&driver, &page("a", "10", 2));
    driver.run().unwrap();
    produce(&driver, &page("a", "x", 2));
    produce(&driver, &page("a", "20", 4));
    let error = driver.run().unwrap_err().to_string();
    for part in [
        "topic clicks, partition 0, offset 1: ",
        "CAST(size AS INT): 'x' is no INT",
        "'scan.bad-records' = 'skip'",
    ] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    // The same job, told to skip such records, goes on where it stood.
    driver.crash_and_change(&plan(", 'scan.bad-records' = 'skip'").topology).unwrap();
    driver.run().unwrap();
    assert_eq!(values(&driver, "large"), [r#"{"site":"a","part":5}"#; 2]);
    assert_eq!(values(&driver, "sites"), [r#"{"site":"a","total":30}"#]);
    driver.finish().unwrap();
}

#[test]
fn dead_letters_are_refused_where_they_can_not_be_kept() {
    let refused = |text: &str| sql::plan("job.sql", text).unwrap_err().to_string();
    let without_topic = TABLES.replace(", 'scan.dead-letter-topic' = 'dead'", "");
    let error = refused(&format!("{without_topic}{COUNT}"));
    assert!(error.contains("no topic is named") && error.contains("clicks"), "{error}");
    let set = "SET 'millstream.dead-letter-topic' = 'dead';";
    assert!(sql::plan("job.sql", &format!("{set}{without_topic}{COUNT}")).is_ok());
    let error = refused(&format!("{}{COUNT}", TABLES.replace("'dead'", "'clicks'")));
    assert!(error.contains("its own dead letters"), "{error}");

    let versions = "
CREATE TABLE people (who STRING, name STRING, since TIMESTAMP(3), WATERMARK FOR since AS since,
  PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'people', 'key.format' = 'raw', 'value.format' = 'json');
CREATE VIEW named AS SELECT c.who, c.n, c.at FROM clicks AS c
LEFT JOIN people FOR SYSTEM_TIME AS OF c.at AS p ON c.who = p.who;
";
    let error = refused(&format!("{TABLES}{versions}{}", COUNT.replace("TABLE clicks", "TABLE named")));
    assert!(error.contains("TemporalJoin"), "{error}");
}
