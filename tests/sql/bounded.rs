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
