//! Jobs over what is there when they start, on the embedded log.

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::{Job, JobSettings, Until, sql};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_job_that_has_read_everything_ends_without_waiting_for_an_idle_commit() {
    let directory = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> =
        Arc::new(EmbeddedLog::open(directory.path().join("log"), &EmbeddedOptions::default()).unwrap());
    for topic in ["numbers", "doubled"] {
        log.admin().unwrap().create_topic(&TopicSpec::new(topic, 2)).unwrap();
    }
    let mut writer = log.writer().unwrap();
    for partition in 0..2 {
        let mut records = RecordsBuilder::default();
        (0..100).for_each(|n| records.push(None, Some(format!("{{\"n\": {n}}}").as_bytes()), n));
        writer.write(&TopicPartition::new("numbers", partition), records.finish()).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
    let job = sql::plan(
        "doubling",
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json',
           'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
         CREATE TABLE doubled (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'doubled', 'format' = 'json');
         INSERT INTO doubled SELECT 2 * n FROM numbers;",
    )
    .unwrap();
    let mut settings = JobSettings::new("doubling");
    settings.state_directory = Some(directory.path().join("state"));
    settings.worker.commit_interval_idle_ms = 3_600_000;
    let running = Job::start(&job.topology, &log, &settings).unwrap();
    let begin = Instant::now();
    while !running.is_done(Until::Finished) && !running.has_ended() {
        assert!(begin.elapsed() < Duration::from_secs(60), "it waits for the hour of an idle commit");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.wait(Until::Finished).unwrap();
}

const TEMPORAL: &str = "
CREATE TABLE orders (id INT, who STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset');
CREATE TABLE customers (who STRING, city STRING, since TIMESTAMP(3), WATERMARK FOR since AS since, PRIMARY KEY (who) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'customers', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE o (id INT, city STRING) WITH ('connector' = 'kafka', 'topic' = 'o', 'format' = 'json');
INSERT INTO o SELECT orders.id, c.city FROM orders
LEFT JOIN customers FOR SYSTEM_TIME AS OF orders.ts AS c ON orders.who = c.who;
";

#[test]
fn an_ended_side_of_a_temporal_join_does_not_wait_for_an_idle_one_for_ever() {
    use millstream::driver::{TestDriver, produce};
    for partitions in [1, 3] {
        for known in [0, 2] {
            let job = sql::plan("temporal.sql", TEMPORAL).unwrap_or_else(|errors| panic!("{errors}"));
            let topics = [("orders", partitions), ("customers", partitions), ("o", 1)];
            let mut driver = TestDriver::with_records(&job.topology, &topics, |log| {
                for id in 0..6 {
                    let value =
                        format!(r#"{{"id": {id}, "who": "{}", "ts": "2023-01-01 00:00:0{id}"}}"#, id % 2);
                    produce(log, "orders", id % partitions, None, Some(value.as_bytes()), 1_000);
                }
                for who in 0..known {
                    let value =
                        format!(r#"{{"who": "{who}", "city": "c{who}", "since": "2022-01-01 00:00:00"}}"#);
                    let key = who.to_string();
                    let at = millstream::operators::sink::partition_for_key(key.as_bytes(), partitions);
                    produce(log, "customers", at, Some(key.as_bytes()), Some(value.as_bytes()), 1_000);
                }
            })
            .unwrap();
            driver.run().unwrap();
            // Longer than the idle time-out of customers.
            driver.advance(20_000).unwrap();
            driver.run().unwrap();
            let mut found: Vec<String> =
                driver.read("o").into_iter().filter_map(|record| record.value).collect();
            found.sort();
            let city = |id: u32| if id % 2 < known { format!("\"c{}\"", id % 2) } else { "null".to_owned() };
            let wanted: Vec<String> =
                (0..6).map(|id| format!(r#"{{"id":{id},"city":{}}}"#, city(id))).collect();
            assert_eq!(found, wanted, "{partitions} partitions, {known} customers");
            driver.crash();
            driver.run().unwrap();
            driver.finish().unwrap();
        }
    }
}
