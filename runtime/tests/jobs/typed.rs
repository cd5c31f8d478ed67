//! Jobs declared with typed streams.

use millstream_operators::Topology;
use millstream_operators::typed::Program;
use millstream_runtime::driver::{Output, TestDriver};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    text: String,
}

fn word_count() -> Topology {
    let program = Program::new();
    program
        .read::<Line>("lines")
        .flat_map(|line| line.text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>())
        .key_by(|word| word.clone())
        .count()
        .to("counts");
    program.topology().unwrap()
}

/// The last value of every key.
fn fold(output: Vec<Output>) -> BTreeMap<String, String> {
    let mut last = BTreeMap::new();
    for record in output {
        match record.value {
            Some(value) => last.insert(record.key.unwrap(), value),
            None => last.remove(&record.key.unwrap()),
        };
    }
    last
}

fn say(driver: &TestDriver, partition: u32, text: &str) {
    let line = serde_json::to_vec(&Line { text: text.to_owned() }).unwrap();
    driver.produce("lines", partition, None, Some(&line), 1_000);
}

#[test]
fn words_are_counted_over_partitions_and_crashes() {
    for partitions in [1, 4] {
        let mut driver = TestDriver::new(&word_count(), &[("lines", partitions)]).unwrap();
        for round in 0..10 {
            say(&driver, round % partitions, "The mill turns the stream");
            say(&driver, (round + 1) % partitions, "a stream is a stream");
            match round {
                3 => driver.run().unwrap(),
                5 => driver.crash(),
                6 => driver.run().unwrap(),
                8 => driver.crash_and_lose_state(),
                _ => driver.advance(30).unwrap(),
            }
        }
        driver.run().unwrap();
        let expected = [("a", 20), ("is", 10), ("mill", 10), ("stream", 30), ("the", 20), ("turns", 10)];
        let expected: BTreeMap<String, String> =
            expected.map(|(word, count)| (word.to_owned(), count.to_string())).into();
        assert_eq!(fold(driver.read("counts")), expected);
        driver.finish().unwrap();
    }
}

#[test]
fn state_larger_than_its_budget_is_counted_all_the_same() {
    let mut driver = TestDriver::new(&word_count(), &[("lines", 3)]).unwrap();
    driver.keep_within(16 << 10);
    for round in 0..4 {
        for line in 0..300 {
            let words: Vec<String> = (0..7).map(|n| format!("word-{}", (line * 7 + n) % 2_000)).collect();
            say(&driver, line % 3, &words.join(" "));
            if line % 50 == 0 {
                driver.advance(50).unwrap();
            }
        }
        if round == 2 {
            driver.crash();
        }
    }
    driver.run().unwrap();
    let evictions: u64 = driver.status().iter().map(|worker| worker.evictions).sum();
    assert!(evictions > 2, "{evictions} evictions");
    let counts = fold(driver.read("counts"));
    // 2 100 words a round: the first hundred come twice.
    let expected = |n: u32| if n < 100 { "8" } else { "4" };
    assert_eq!(counts.len(), 2_000);
    for n in 0..2_000 {
        assert_eq!(counts[&format!("word-{n}")], expected(n), "word-{n}");
    }
    driver.finish().unwrap();
}

#[test]
fn a_chain_of_closures_is_one_operator() {
    let program = Program::new();
    program.read::<u64>("numbers").filter(|n| n % 2 == 0).map(|n| n * 10).flat_map(|n| [n, n + 1]).to("out");
    let topology = program.topology().unwrap();
    assert_eq!(topology.nodes().len(), 3);
    let mut driver = TestDriver::new(&topology, &[("numbers", 1)]).unwrap();
    for n in 0..5 {
        driver.produce("numbers", 0, None, Some(n.to_string().as_bytes()), 1_000 + n);
    }
    driver.run().unwrap();
    let output = driver.read("out");
    let seen: Vec<(String, i64)> = output.into_iter().map(|o| (o.value.unwrap(), o.timestamp_ms)).collect();
    let expected = [("0", 1000), ("1", 1000), ("20", 1002), ("21", 1002), ("40", 1004), ("41", 1004)];
    assert_eq!(seen, expected.map(|(value, time)| (value.to_owned(), time)));
    driver.finish().unwrap();
}

#[test]
fn rows_are_reduced_by_any_serde_key() {
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Trade {
        venue: String,
        symbol: String,
        price: f64,
    }
    use millstream_operators::typed::JsonKey;
    let program = Program::new();
    program
        .read::<Trade>("trades")
        .key_by(|trade| JsonKey((trade.venue.clone(), trade.symbol.clone())))
        .reduce(|best, trade| if trade.price > best.price { trade } else { best })
        .to("best");
    let mut driver = TestDriver::new(&program.topology().unwrap(), &[("trades", 2)]).unwrap();
    for (partition, price) in [(0, 1.5), (1, 4.5), (0, 3.0)] {
        let trade = Trade { venue: "X".into(), symbol: "ABC".into(), price };
        driver.produce("trades", partition, None, Some(&serde_json::to_vec(&trade).unwrap()), 5);
    }
    driver.run().unwrap();
    let best = fold(driver.read("best"));
    assert_eq!(best[r#"["X","ABC"]"#], r#"{"venue":"X","symbol":"ABC","price":4.5}"#);
    driver.finish().unwrap();
}

#[test]
fn a_record_that_is_no_row_stops_the_job_and_says_where_it_is() {
    let mut driver = TestDriver::new(&word_count(), &[("lines", 1)]).unwrap();
    say(&driver, 0, "fine");
    driver.produce("lines", 0, None, Some(b"{\"text\": 5}"), 1);
    let error = driver.run().unwrap_err().to_string();
    assert!(error.contains("topic lines, partition 0, offset 1"), "{error}");
    assert!(error.contains("expected a string at line 1 column 10"), "{error}");
}
