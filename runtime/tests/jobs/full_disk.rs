//! A job on a log whose disk is full.

use millstream_operators::Topology;
use millstream_operators::typed;
use millstream_runtime::job::{Job, JobSettings, Until};
use millstream_runtime::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_runtime::log::{
    ErrorKind, Isolation, Log, ReaderOptions, RecordsBuilder, TopicPartition, TopicSpec,
};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Counts words.
fn topology() -> Topology {
    let program = typed::Program::new();
    program.read::<String>("words").key_by(|word| word.clone()).count().to("counts");
    program.topology().expect("a topology")
}

fn open(directory: &Path, free_bytes_min: u64) -> Arc<dyn Log> {
    let options =
        EmbeddedOptions { free_bytes_min, write_buffer_bytes: 8 << 20, ..EmbeddedOptions::default() };
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Clients of the log that was closed may hold it for a moment.
        match EmbeddedLog::open(directory.join("log"), &options) {
            Err(error) if Instant::now() < deadline => {
                assert!(error.to_string().contains("in use"), "{error}");
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return Arc::new(opened.expect("a log")),
        }
    }
}

fn say(log: &Arc<dyn Log>, word: &str) {
    let mut records = RecordsBuilder::default();
    records.push(None, Some(format!("\"{word}\"").as_bytes()), 1_000);
    let mut writer = log.writer().expect("a writer");
    writer.write(&TopicPartition::new("words", 0), records.finish()).expect("written");
    writer.flush(PATIENCE).expect("acknowledged");
}

fn start(directory: &Path, log: &Arc<dyn Log>) -> Job {
    let settings =
        JobSettings { state_directory: Some(directory.join("state")), ..JobSettings::new("words") };
    Job::start(&topology(), log, &settings).expect("a job")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waiting until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The values of the output so far.
fn counts(log: &Arc<dyn Log>) -> Vec<String> {
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).expect("a reader");
    let place = TopicPartition::new("counts", 0);
    reader.assign(&[(place.clone(), 0)]).expect("assigned");
    let mut found = Vec::new();
    wait_until("everything is read", || {
        let mut runs = Vec::new();
        reader.poll(Duration::from_millis(10), &mut runs).expect("polled");
        for record in runs.iter().flat_map(|run| run.records.iter()) {
            found.push(String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
        }
        reader.status(&place).is_some_and(|status| status.position >= status.end)
    });
    found
}

/// It took 85 % of a core, and said nothing.
#[test]
fn a_full_disk_keeps_a_job_waiting_which_says_so_and_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path(), 0);
    log.admin().expect("an admin").create_topic(&TopicSpec::new("words", 1)).expect("made");
    say(&log, "mill");
    start(directory.path(), &log).wait(Until::Drained).expect("ended");
    assert_eq!(counts(&log), ["1"]);
    say(&log, "mill");
    drop(log);

    let log = open(directory.path(), 1 << 60);
    let job = start(directory.path(), &log);
    let waits_for = || job.status().iter().find_map(|worker| worker.waits_for.clone());
    wait_until("it says that it waits", || waits_for().is_some());
    std::thread::sleep(Duration::from_secs(2));
    let said = waits_for().expect("it still waits");
    let tries: u32 = said.split(&['(', ' '][..]).find_map(|word| word.parse().ok()).expect("a number");
    assert!(said.contains("disk full") && tries < 40, "{said}");
    assert!(!job.is_done(Until::Drained) && !job.has_ended());
    // It can be ended all the same.
    job.stop();
    let ended = job.join().expect_err("its last commit is missing");
    assert_eq!(ended.kind(), ErrorKind::Retry, "{ended}");
    assert!(ended.to_string().contains("disk full"), "{ended}");
    drop(log);

    let log = open(directory.path(), 0);
    say(&log, "mill");
    start(directory.path(), &log).wait(Until::Drained).expect("ended");
    assert_eq!(counts(&log).last().map(String::as_str), Some("3"));
}
