//! The examples do what they say.

#![allow(clippy::unwrap_used, reason = "tests")]

mod orders;

#[path = "../../examples/word_count.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod word_count;

#[path = "../../examples/user_functions.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod user_functions;

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use millstream::{Job, testing};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use word_count::{Line, word_count};

#[test]
fn word_count_counts_over_crashes() {
    testing::run(&word_count().unwrap(), &[("lines", 2)], |job| {
        for text in ["the mill and the stream", "The stream"] {
            job.pipe("lines", &Line { text: text.to_owned() }, 1_000);
            job.crash_and_restore();
        }
        let expected = [("and", 1), ("mill", 1), ("stream", 2), ("the", 3)];
        assert_eq!(job.table("counts"), expected.map(|(word, count)| (word.to_owned(), count)).into());
    });
}

#[test]
fn functions_of_a_program_are_called_in_its_sql_over_crashes() {
    let job = user_functions::job(&user_functions::functions().unwrap()).unwrap();
    testing::run(&job.topology, &[("reviews", 2)], |job| {
        for (text, stars) in [("Mills and streams", 4), ("a stream", 1), ("streams", 2)] {
            job.pipe(
                "reviews",
                &BTreeMap::from(
                    [("text", text.into()), ("stars", stars.into())] as [(&str, serde_json::Value); 2]
                ),
                1_000,
            );
            job.crash_and_restore();
        }
        let words: BTreeMap<String, serde_json::Value> = job.table("words");
        let liked = |word: &str| words[word]["liked"].as_f64().unwrap();
        assert_eq!(words["stream"]["times"], 3);
        assert!((liked("stream") - 2.0).abs() < 1e-9 && (liked("mill") - 4.0).abs() < 1e-9, "{words:?}");
    });
}

#[test]
fn word_count_is_whole_in_twenty_five_lines() {
    let source = include_str!("../../examples/word_count.rs");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = source.lines().filter(is_code).count();
    assert!(lines <= 25, "{lines} lines");
}

#[test]
fn a_job_goes_on_in_its_directory() {
    let directory = TempDir::new().unwrap();
    for round in 1..=2u64 {
        let log: Arc<dyn Log> =
            Arc::new(EmbeddedLog::open(directory.path().join("log"), &EmbeddedOptions::default()).unwrap());
        if round == 1 {
            log.admin().unwrap().create_topic(&TopicSpec::new("lines", 2)).unwrap();
        }
        let mut writer = log.writer().unwrap();
        for partition in 0..2 {
            let line = serde_json::to_vec(&Line { text: "the wheel turns the shaft".to_owned() }).unwrap();
            let mut records = RecordsBuilder::default();
            records.push(None, Some(&line), 0);
            writer.write(&TopicPartition::new("lines", partition), records.finish()).unwrap();
        }
        writer.flush(Duration::from_secs(10)).unwrap();
        drop((writer, log));
        let job =
            Job::builder("word-count").directory(directory.path()).topic("lines", 2).without_environment();
        job.until_drained().run(&word_count().unwrap()).unwrap();

        let log = EmbeddedLog::open(directory.path().join("log"), &EmbeddedOptions::default()).unwrap();
        let mut counts = BTreeMap::new();
        for partition in 0..2 {
            for record in read_all(&log, &TopicPartition::new("counts", partition)).unwrap().iter() {
                let word = String::from_utf8_lossy(record.key.unwrap()).into_owned();
                counts.insert(word, serde_json::from_slice::<u64>(record.value.unwrap()).unwrap());
            }
        }
        assert_eq!((counts["the"], counts["wheel"]), (4 * round, 2 * round), "{counts:?}");
    }
}
