//! Several processes on one embedded log: one has it, the others reach it through its socket.

use crate::command::{PATIENCE, Place};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

#[test]
fn a_second_process_reaches_the_log_through_the_first() {
    let place = Place::new();
    place.ok("topic create t --partitions 1");
    let mut owner = place.start("topic consume t --from-beginning");
    owner.wait_until_it_has_the_log(&place);
    assert_eq!(
        place.run_on("topic produce t --format json --key k", "{\"k\": \"a\"}\n{\"k\": \"b\"}\n").code,
        0
    );
    let mut seen = BufReader::new(owner.child().stdout.take().unwrap()).lines();
    for (offset, key) in [(0, "a"), (1, "b")] {
        let line: Value = serde_json::from_str(&seen.next().unwrap().unwrap()).unwrap();
        assert_eq!((line["offset"].as_u64(), line["key"].as_str()), (Some(offset), Some(key)));
    }
    // The other commands work through it alike.
    place.ok("topic create u --partitions 2");
    assert_eq!(place.ok("topic list"), "t\nu\n");
    assert_eq!(place.consume("t").len(), 2);
    assert!(place.ok("topic describe t").ends_with(&format!("{:>9}  {:>14}  {:>14}  {:>14}\n", 0, 0, 2, 2)));
    place.ok("topic delete u");
    assert_eq!(place.run("topic describe u").code, 4);
    owner.signal("INT");
    let ended = owner.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    // It is gone, and with it the socket: the next opens the log itself.
    assert_eq!(place.consume("t").len(), 2);
}

#[test]
fn records_that_trickle_are_written_while_more_are_waited_for() {
    let place = Place::new();
    place.ok("topic create t --partitions 1");
    let mut producer = place.start("topic produce t --format json");
    producer.wait_until_it_has_the_log(&place);
    for count in 1..=3 {
        producer.child().stdin.as_mut().unwrap().write_all(b"{}\n").unwrap();
        let deadline = Instant::now() + PATIENCE;
        while place.consume("t").len() < count {
            assert!(Instant::now() < deadline, "record {count} is not written while the input stays open");
        }
    }
    // Interrupted, it says what it did and that this was not all.
    producer.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while producer.child().try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it waits for its input");
        std::thread::sleep(Duration::from_millis(10));
    }
    let ended = producer.wait();
    assert_eq!(ended.code, 130, "{ended:?}");
    assert!(ended.err.contains("wrote 3 records to t"), "{}", ended.err);
}

#[test]
fn whoever_reads_the_output_may_leave() {
    let place = Place::new();
    place.ok("topic create t --partitions 1");
    assert_eq!(place.run_on("topic produce t --format json", &"{\"n\": 1}\n".repeat(50_000)).code, 0);
    let mut consumer = place.start("topic consume t --from-beginning");
    drop(consumer.child().stdout.take());
    let ended = consumer.wait();
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}
