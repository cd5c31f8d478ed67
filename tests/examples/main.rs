//! The examples do what they say.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../examples/word_count.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod word_count;

use millstream::driver::TestDriver;
use std::collections::BTreeMap;
use tempfile::TempDir;
use word_count::{Line, run, word_count};

#[test]
fn word_count_counts_over_crashes() {
    let mut driver = TestDriver::new(&word_count().unwrap(), &[("lines", 2)]).unwrap();
    let texts = ["the mill and the stream", "The stream"];
    for (partition, text) in (0..).zip(texts) {
        let line = serde_json::to_vec(&Line { text: text.to_owned() }).unwrap();
        driver.produce("lines", partition, None, Some(&line), 1_000);
        driver.advance(20).unwrap();
        driver.crash();
    }
    driver.run().unwrap();
    let mut counts = BTreeMap::new();
    for record in driver.read("counts") {
        counts.insert(record.key.unwrap(), record.value.unwrap());
    }
    let expected = [("and", "1"), ("mill", "1"), ("stream", "2"), ("the", "3")];
    assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count.to_owned())).into());
    driver.finish().unwrap();
}

#[test]
fn word_count_goes_on_in_its_directory() {
    let directory = TempDir::new().unwrap();
    for round in 1..=2 {
        let counts = run(directory.path()).unwrap();
        let of = |word: &str| counts.get(word).copied().unwrap_or(0);
        let expected = [("the", 9), ("stream", 3), ("turns", 3), ("wheel", 2), ("flour", 1)];
        for (word, once) in expected {
            assert_eq!(of(word), once * round, "{word} after {round} rounds: {counts:?}");
        }
    }
}
