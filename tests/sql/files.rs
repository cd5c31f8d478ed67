//! Tables whose rows go into files: by several processes, by jobs that stop and go on, and what is refused.

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::{Isolation, Log, OffsetQuery, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::{Job, JobSettings, Until, sql};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Numbers of a topic into files of a few lines.
fn job(path: &Path, bounded: bool) -> sql::SqlJob {
    let bounded = if bounded { ", 'scan.bounded.mode' = 'latest-offset'" } else { "" };
    let text = format!(
        "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json',
           'scan.startup.mode' = 'earliest-offset'{bounded});
         CREATE TABLE written (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv',
           'sink.rolling-policy.file-size' = '500 b');
         INSERT INTO written SELECT n FROM numbers;",
        path.display()
    );
    sql::plan("files.sql", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn log_at(directory: &Path) -> Arc<dyn Log> {
    let log: Arc<dyn Log> =
        Arc::new(EmbeddedLog::open(directory.join("log"), &EmbeddedOptions::default()).unwrap());
    log.admin().unwrap().create_topic(&TopicSpec::new("numbers", 4)).unwrap();
    log
}

fn produce(log: &Arc<dyn Log>, numbers: std::ops::Range<u32>) {
    let mut writer = log.writer().unwrap();
    for n in numbers {
        let mut records = RecordsBuilder::default();
        records.push(None, Some(format!("{{\"n\": {n}}}").as_bytes()), i64::from(n));
        writer.write(&TopicPartition::new("numbers", n % 4), records.finish()).unwrap();
    }
    writer.flush(Duration::from_secs(10)).unwrap();
}

/// The numbers that are in files, and how many files there are.
fn written(path: &Path) -> (Vec<u32>, usize) {
    let files = std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "csv")).collect();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let mut numbers: Vec<u32> =
        texts.flat_map(|text| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<_>>()).collect();
    numbers.sort_unstable();
    (numbers, files.len())
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn settings() -> JobSettings {
    let mut settings = JobSettings::new("filing");
    settings.session_timeout_ms = 3_000;
    settings
}

/// Two processes share the tasks; which of them writes a partition's files is decided by who has its lock. One goes while
/// there is more to come.
#[test]
fn two_processes_of_a_job_have_each_row_in_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let (log, out) = (log_at(directory.path()), directory.path().join("out"));
    produce(&log, 0..2_000);
    let planned = job(&out, false);
    let first = Job::start(&planned.topology, &log, &settings()).unwrap();
    let second = Job::start(&planned.topology, &log, &settings()).unwrap();
    wait_until("nothing is written", || written(&out).1 >= 4);
    produce(&log, 2_000..4_000);
    first.stop();
    first.join().unwrap();
    produce(&log, 4_000..6_000);
    wait_until("the second does not go on", || second.is_done(Until::Drained));
    second.stop();
    second.join().unwrap();
    let (numbers, files) = written(&out);
    assert_eq!(numbers, (0..6_000).collect::<Vec<u32>>());
    assert!(files > 20, "{files} files");
}

/// What a job has read before it is asked to end is in files when it has, and nothing of it is kept in the log. Started
/// again it goes on; a bounded one ends when its last row is in a file.
#[test]
fn a_job_that_has_ended_has_all_its_rows_in_files() {
    let directory = tempfile::tempdir().unwrap();
    let (log, out) = (log_at(directory.path()), directory.path().join("out"));
    for round in 1..4 {
        produce(&log, (round - 1) * 10..round * 10);
        let planned = job(&out, false);
        let running = Job::start(&planned.topology, &log, &settings()).unwrap();
        running.wait(Until::Drained).unwrap();
        assert_eq!(written(&out).0, (0..round * 10).collect::<Vec<u32>>(), "round {round}");
    }
    let topic = "millstream.filing.files.written";
    let places: Vec<TopicPartition> = (0..4).map(|partition| TopicPartition::new(topic, partition)).collect();
    let mut admin = log.admin().unwrap();
    let mut ask = |query| admin.offsets(&places, query, Isolation::ReadUncommitted).unwrap();
    assert_eq!(ask(OffsetQuery::Earliest), ask(OffsetQuery::Latest), "rows that are in files are kept");

    let bounded = directory.path().join("bounded");
    let mut settings = settings();
    settings.name = "bounded".to_owned();
    let running = Job::start(&job(&bounded, true).topology, &log, &settings).unwrap();
    running.wait(Until::Finished).unwrap();
    assert_eq!(written(&bounded).0, (0..30).collect::<Vec<u32>>());
}

/// Somebody else's files, an older disk or another machine's directory must not pass for what the job has written.
#[test]
fn a_job_whose_files_are_not_those_it_has_written_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let (log, out) = (log_at(directory.path()), directory.path().join("out"));
    produce(&log, 0..40);
    let run = |out: &Path| {
        let running = Job::start(&job(out, false).topology, &log, &settings()).unwrap();
        running.wait(Until::Drained).map_err(|error| error.to_string())
    };
    run(&out).unwrap();
    let error = run(&directory.path().join("elsewhere")).unwrap_err();
    assert!(error.contains("table written can't be written") && error.contains("the same files"), "{error}");
    // Given back, it goes on.
    produce(&log, 40..80);
    run(&out).unwrap();
    assert_eq!(written(&out).0, (0..80).collect::<Vec<u32>>());
}

/// What is wrong with a table in files of these columns and options, and with writing a query to it.
fn refused(columns: &str, options: &str, query: &str) -> String {
    let text = format!(
        "CREATE TABLE orders (a INT, b STRING, c TIMESTAMP(3)) WITH ('connector' = 'datagen');
         CREATE TABLE t ({columns} WITH ('connector' = 'filesystem', 'path' = 'out'{options});
         INSERT INTO t SELECT {query};"
    );
    match sql::plan("files.sql", &text) {
        Ok(_) => "it runs".to_owned(),
        Err(errors) => {
            let said = errors
                .errors
                .iter()
                .map(|error| format!("{} ({})", error.message, error.help.clone().unwrap_or_default()));
            said.collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn what_can_not_be_written_to_files_is_refused_with_what_to_do() {
    let json = ", 'format' = 'json'";
    for (columns, options, query, says) in [
        ("a INT, b STRING) PARTITIONED BY (b)", json, "a, b FROM orders", "it runs"),
        (
            "a INT, b STRING) PARTITIONED BY (d)",
            json,
            "a, b FROM orders",
            "no column \"d\" that a directory can be called by",
        ),
        (
            "a INT, b STRING) PARTITIONED BY (b, b)",
            json,
            "a, b FROM orders",
            "column \"b\" is named twice (name it once)",
        ),
        (
            "a INT, c TIMESTAMP(3)) PARTITIONED BY (c)",
            json,
            "a, c FROM orders",
            "DATE_FORMAT makes a text of a time",
        ),
        (
            "a INT, d DATE) PARTITIONED BY (d)",
            json,
            "a, CAST(c AS DATE) FROM orders",
            "write CAST(d AS STRING)",
        ),
        ("a INT) PARTITIONED BY (a)", json, "a FROM orders", "none is left for the files"),
        ("a INT)", ", 'format' = 'avro'", "a FROM orders", "format 'avro' is not supported in files yet"),
        ("a INT)", ", 'format' = 'parquet'", "a FROM orders", "format 'parquet' is not supported yet"),
        (
            "a INT)",
            ", 'format' = 'json', 'sink.rolling-policy.file-size' = '0'",
            "a FROM orders",
            "can't be '0'",
        ),
        (
            "a INT)",
            ", 'format' = 'json', 'auto-compaction' = 'true'",
            "a FROM orders",
            "'sink.rolling-policy.file-size'",
        ),
        ("b STRING, n BIGINT)", json, "b, COUNT(*) FROM orders GROUP BY b", "takes insertions only"),
        (
            "a INT)",
            ", 'format' = 'json', 'key.format' = 'json'",
            "a FROM orders",
            "a line of a file has no key",
        ),
    ] {
        let found = refused(columns, options, query);
        assert!(found.contains(says), "{columns} {options}: {found}");
    }
}
