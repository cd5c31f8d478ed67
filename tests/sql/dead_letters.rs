//! Late and undecodable rows as dead letters: through projections, a filter and an exchange, with every commit replayed.

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
