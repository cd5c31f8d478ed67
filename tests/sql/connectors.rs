//! Tables that are no topics: rows that are made.

use millstream::driver::TestDriver;
use millstream::sql;
use serde_json::Value;

fn rows(driver: &TestDriver, topic: &str) -> Vec<Value> {
    let records = driver.read(topic).into_iter();
    records.map(|record| serde_json::from_str(&record.value.unwrap()).unwrap()).collect()
}

fn planned(text: &str) -> sql::SqlJob {
    sql::plan("made.sql", text).unwrap_or_else(|errors| panic!("{errors}"))
}

const COUNTED: &str = "
CREATE TABLE numbers (n BIGINT, k INT, name STRING NOT NULL, at TIMESTAMP_LTZ(3), twice AS n * 2)
WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'scan.parallelism' = '3', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '5000', 'fields.k.min' = '0', 'fields.k.max' = '4', 'fields.name.length' = '8');
CREATE TABLE copies (n BIGINT, k INT, name STRING, twice BIGINT) WITH ('connector' = 'kafka', 'topic' = 'copies', 'format' = 'json');
CREATE TABLE counts (k INT, c BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO copies SELECT n, k, name, twice FROM numbers;
INSERT INTO counts SELECT k, COUNT(*) FROM numbers GROUP BY k;
END;
";

/// A bounded sequence whose job is killed again and again: every number is there once, and each row is the same one that it
/// would have been.
#[test]
fn rows_that_are_made_come_once_whoever_dies() {
    let job = planned(COUNTED);
    let topics = [("copies", 1), ("counts", 1)];
    let mut driver = TestDriver::new(&job.topology, &topics).unwrap();
    for round in 0..4 {
        driver.advance(700 + 90 * round).unwrap();
        match round % 2 {
            0 => driver.crash(),
            _ => driver.crash_and_lose_state(),
        }
    }
    driver.run().unwrap();
    let mut found = rows(&driver, "copies");
    found.sort_by_key(|row| row["n"].as_i64());
    let numbers: Vec<i64> = found.iter().map(|row| row["n"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=5_000).collect::<Vec<i64>>());
    assert!(found.iter().all(|row| row["twice"].as_i64() == row["n"].as_i64().map(|n| 2 * n)));
    assert!(found.iter().all(|row| row["name"].as_str().unwrap().len() == 8));
    let mut counted = std::collections::BTreeMap::new();
    for record in driver.read("counts") {
        let row: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
        counted.insert(row["k"].as_i64().unwrap(), row["c"].as_i64().unwrap());
    }
    for (k, count) in counted {
        let expected = found.iter().filter(|row| row["k"].as_i64() == Some(k)).count();
        assert_eq!(count, expected as i64, "rows of {k}");
    }
    driver.finish().unwrap();

    // Without a crash the rows are those.
    let mut calm = TestDriver::new(&job.topology, &topics).unwrap();
    calm.run().unwrap();
    let mut others = rows(&calm, "copies");
    others.sort_by_key(|row| row["n"].as_i64());
    assert_eq!(found, others);
}

#[test]
fn rows_come_as_fast_as_the_clock_says() {
    let job = planned(
        "CREATE TABLE made (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
         CREATE TABLE copies (n INT) WITH ('connector' = 'kafka', 'topic' = 'copies', 'format' = 'json');
         INSERT INTO copies SELECT n FROM made;",
    );
    let mut driver = TestDriver::new(&job.topology, &[("copies", 1)]).unwrap();
    driver.advance(1_000).unwrap();
    let begun = rows(&driver, "copies").len();
    driver.advance(10_000).unwrap();
    let later = rows(&driver, "copies").len() - begun;
    assert!((900..=1_100).contains(&later), "{later} rows in ten seconds, {begun} in the first");
}

#[test]
fn nexmark_has_its_events_in_their_times() {
    let job = planned(
        "CREATE TABLE nexmark (event_type INT,
           person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, `dateTime` TIMESTAMP(3), extra STRING>,
           bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>,
           `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime` ELSE bid.`dateTime` END
         ) WITH ('connector' = 'nexmark', 'events.num' = '1000', 'first-event.rate' = '100', 'next-event.rate' = '100');
         CREATE TABLE bids (auction BIGINT, price BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json');
         INSERT INTO bids SELECT bid.auction, bid.price, `dateTime` FROM nexmark WHERE event_type = 2;",
    );
    let mut driver = TestDriver::new(&job.topology, &[("bids", 1)]).unwrap();
    driver.run().unwrap();
    let bids = rows(&driver, "bids");
    assert_eq!(bids.len(), 920);
    assert!(bids.iter().all(|bid| bid["auction"].as_i64() >= Some(1_000)), "{bids:?}");
    // The last event is the thousandth, at a hundred a second.
    assert_eq!(bids[919]["ts"], "2015-07-15 00:00:09.99");
    driver.finish().unwrap();
}

#[test]
fn what_can_not_be_made_is_refused_with_what_to_do() {
    let refused = |columns: &str, options: &str| {
        let text = format!(
            "CREATE TABLE t ({columns}) WITH ('connector' = 'datagen'{options});
             CREATE TABLE s (k STRING) WITH ('connector' = 'blackhole'); INSERT INTO s SELECT CAST(a AS STRING) FROM t;"
        );
        match sql::plan("made.sql", &text) {
            Ok(_) => "it runs".to_owned(),
            Err(errors) => {
                errors.errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ")
            }
        }
    };
    for (columns, options, message) in [
        ("a INT", ", 'fields.a.min' = '5', 'fields.a.max' = '4'", "'fields.a.max' is less than the minimum"),
        ("a TINYINT", ", 'fields.a.max' = '300'", "'fields.a.max' can't be '300'"),
        (
            "a INT NOT NULL",
            ", 'fields.a.null-rate' = '0.5'",
            "values of a can't be null: it is declared NOT NULL",
        ),
        (
            "a INT",
            ", 'fields.a.kind' = 'sequence', 'fields.a.start' = '1'",
            "option 'fields.a.end' is missing",
        ),
        ("a BOOLEAN", ", 'fields.a.kind' = 'sequence'", "values of type BOOLEAN can't be counted"),
        ("a INT", ", 'fields.b.min' = '5'", "connector 'datagen' has no option 'fields.b.min'"),
        ("a INT", ", 'rows-per-second' = '0'", "'rows-per-second' can't be '0'"),
        ("a INT", ", 'topic' = 'a'", "connector 'datagen' has no option 'topic'"),
        ("a BIGINT METADATA FROM 'offset'", "", "a 'datagen' table has no metadata"),
    ] {
        assert_eq!(refused(columns, options), message);
    }
    let into = "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
                INSERT INTO t SELECT a FROM t;";
    assert!(sql::plan("made.sql", into).unwrap_err().to_string().contains("table t can only be read"));
}

#[test]
fn files_are_read_to_their_end_and_other_files_are_another_input() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::create_dir(path.join("in")).unwrap();
    for (file, lines) in [("b.csv", "4,\"two\nlines\"\n"), ("a.csv", "1,x\n\n2,y\n3,\n")] {
        std::fs::write(path.join("in").join(file), lines).unwrap();
    }
    let text = format!(
        "CREATE TABLE lines (n INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '{}/in', 'format' = 'csv');
         CREATE TABLE copies (n INT, s STRING) WITH ('connector' = 'kafka', 'topic' = 'copies', 'format' = 'json');
         INSERT INTO copies SELECT n, s FROM lines;",
        path.display()
    );
    let job = planned(&text);
    let mut driver = TestDriver::new(&job.topology, &[("copies", 1)]).unwrap();
    driver.run().unwrap();
    let found: Vec<Value> = rows(&driver, "copies");
    let expected = [(1, "x"), (2, "y"), (3, ""), (4, "two\nlines")];
    assert_eq!(found, expected.map(|(n, s)| serde_json::json!({"n": n, "s": s})));
    driver.finish().unwrap();

    // The job has read those files: with others it would not know where it stands.
    let mut driver = TestDriver::new(&job.topology, &[("copies", 1)]).unwrap();
    driver.run().unwrap();
    std::fs::write(path.join("in/c.csv"), "5,z\n").unwrap();
    let error = driver.crash_and_change(&planned(&text).topology).and_then(|()| driver.run());
    assert!(error.unwrap_err().to_string().contains("filesystem:lines"), "the other files are not seen");
}

#[test]
fn a_pattern_reads_the_topics_that_there_are_when_the_job_starts() {
    let job = planned(
        "CREATE TABLE orders (n INT, t STRING METADATA FROM 'topic' VIRTUAL)
         WITH ('connector' = 'kafka', 'topic-pattern' = 'orders-[a-z]+', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
         CREATE TABLE counts (t STRING, c BIGINT, PRIMARY KEY (t) NOT ENFORCED)
         WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'json', 'value.format' = 'json');
         INSERT INTO counts SELECT t, COUNT(*) FROM orders GROUP BY t;",
    );
    let topics = [("orders-a", 2), ("orders-b", 1), ("orders-1", 1), ("my-orders-c", 1), ("counts", 1)];
    let mut driver = TestDriver::new(&job.topology, &topics).unwrap();
    for (topic, _) in &topics[..4] {
        (0..3)
            .for_each(|n| driver.produce(topic, 0, None, Some(format!("{{\"n\": {n}}}").as_bytes()), 1_000));
    }
    driver.run().unwrap();
    // A topic that is there at the next start is read as well, and the state of the others goes on.
    use millstream::log::{Log, TopicSpec};
    driver.log().admin().unwrap().create_topic(&TopicSpec::new("orders-z", 1)).unwrap();
    driver.produce("orders-z", 0, None, Some(b"{\"n\": 7}"), 1_000);
    driver.produce("orders-a", 1, None, Some(b"{\"n\": 7}"), 1_000);
    driver.crash_and_change(&job.topology).unwrap();
    driver.run().unwrap();
    let mut counted = std::collections::BTreeMap::new();
    for row in rows(&driver, "counts") {
        counted.insert(row["t"].as_str().unwrap().to_owned(), row["c"].as_i64().unwrap());
    }
    let expected = [("orders-a", 4), ("orders-b", 3), ("orders-z", 1)];
    assert_eq!(counted, expected.map(|(topic, count)| (topic.to_owned(), count)).into());
}
