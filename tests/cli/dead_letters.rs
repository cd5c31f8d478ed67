//! Dead letters: what a job could not use, kept and given back. What is `pub` here is also run on Kafka.

use crate::command::Place;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Keeps orders with an amount; the others become dead letters, by what the table says or by SET.
const JOB: &str = "
CREATE TABLE orders (customer STRING, amount INT) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'json', 'key.format' = 'raw', 'key.fields' = 'customer',
  'value.fields-include' = 'EXCEPT_KEY', 'scan.startup.mode' = 'earliest-offset', 'scan.bad-records' = 'dead-letter',
  'scan.dead-letter-topic' = 'dead'
);
CREATE TABLE kept (customer STRING, amount INT) WITH ('connector' = 'kafka', 'topic' = 'kept', 'format' = 'json');
INSERT INTO kept SELECT customer, amount FROM orders;
";

fn produce(place: &Place, lines: impl IntoIterator<Item = String>) {
    let input: String = lines.into_iter().map(|line| line + "\n").collect();
    let done = place.run_on("topic produce orders --format json --key customer", &input);
    assert_eq!(done.code, 0, "{done:?}");
}

fn order(number: u64) -> String {
    match number % 3 {
        0 => format!(r#"{{"customer": "c{number}", "amount": "bad {number}"}}"#),
        _ => format!(r#"{{"customer": "c{number}", "amount": {number}}}"#),
    }
}

fn letters(place: &Place, arguments: &str) -> Vec<Value> {
    crate::command::lines(&place.ok(&format!("dead-letter list dead {arguments}")))
}

#[test]
fn what_could_not_be_decoded_is_kept_listed_and_replayed_once() {
    kept_listed_and_replayed(&Place::new());
}

pub(crate) fn kept_listed_and_replayed(place: &Place) {
    place.write("letters.sql", JOB);
    place.ok("topic create orders --partitions 2");
    let done = place.run("run letters.sql --exit-when-idle");
    assert_eq!(done.code, 3, "the topic for letters is not there: {done:?}");
    assert!(done.err.contains("millstream topic create dead"), "{}", done.err);
    place.ok("topic create dead --partitions 1");
    produce(place, (0..6).map(order));
    place.ok("run letters.sql --exit-when-idle");
    assert_eq!(place.consume("kept").len(), 4);

    let input = place.consume("orders");
    let found = letters(place, "");
    assert_eq!(found.len(), 2, "{found:?}");
    for letter in &found {
        let original = input.iter().find(|record| {
            (&record["partition"], &record["offset"])
                == (&letter["original_partition"], &letter["original_offset"])
        });
        let original = original.unwrap();
        assert_eq!((&letter["key"], &letter["value"]), (&original["key"], &original["value"]));
        assert_eq!(letter["timestamp"], original["timestamp"]);
        assert_eq!(
            (&letter["topic"], &letter["reason"], &letter["column"]),
            (&Value::from("orders"), &Value::from("bad"), &Value::from("amount"))
        );
        assert!(letter["detail"].as_str().unwrap().contains("INT"), "{letter}");
        assert_eq!(letter["replayed"], false);
    }

    // Nothing happens in a dry run, and nothing to letters of another reason.
    for arguments in ["--dry-run", "--reason late"] {
        let done = place.run(&format!("dead-letter replay dead {arguments}"));
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(place.consume("orders").len(), 6, "{arguments}");
    }
    let done = place.run("dead-letter replay dead --dry-run");
    assert!(done.err.contains("would write 2 records of dead"), "{}", done.err);
    for expected in ["wrote 2 records of dead", "wrote 0 records of dead"] {
        let done = place.run("dead-letter replay dead");
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.err.contains(expected), "{expected} is missing in\n{}", done.err);
    }
    assert!(letters(place, "--reason bad").iter().all(|letter| letter["replayed"] == true));
    assert_eq!(letters(place, "--reason late"), Vec::<Value>::new());
    // They come back as they were, and are letters again.
    let input = place.consume("orders");
    assert_eq!(input.len(), 8);
    for letter in &found {
        let same = input.iter().filter(|record| {
            ["key", "value", "timestamp"].iter().all(|part| record[part] == letter[part])
                && record["partition"] == letter["original_partition"]
                && record["headers"] == Value::from(Vec::<Value>::new())
        });
        assert_eq!(same.count(), 2, "{letter}");
    }
    place.ok("run letters.sql --exit-when-idle");
    assert_eq!(letters(place, "").iter().filter(|letter| letter["replayed"] == false).count(), 2);
}

#[test]
fn killed_jobs_and_replays_lose_and_repeat_no_letter() {
    let place = Place::new();
    place.write("letters.sql", JOB);
    place.ok("topic create orders --partitions 2");
    place.ok("topic create dead --partitions 2");
    produce(&place, (0..15_000).map(order));
    let kill = |line: &str, after: Duration| {
        let mut command = place.start(line);
        std::thread::sleep(after);
        command.signal("KILL");
        drop(command.wait());
    };
    for round in 0..3 {
        kill("run letters.sql --rate 6000", Duration::from_millis(500 + 150 * round));
    }
    place.ok("run letters.sql --exit-when-idle");
    assert_eq!(place.consume("kept").len(), 10_000);
    let found = letters(&place, "");
    let offsets: BTreeSet<String> = found
        .iter()
        .map(|letter| format!("{} {}", letter["original_partition"], letter["original_offset"]))
        .collect();
    assert_eq!((found.len(), offsets.len()), (5_000, 5_000));

    for round in 0..8 {
        kill("dead-letter replay dead", Duration::from_millis(15 + 10 * round));
    }
    place.ok("dead-letter replay dead");
    let input = place.consume("orders");
    let values: BTreeSet<&str> = input.iter().map(|record| record["value"].as_str().unwrap()).collect();
    assert_eq!((input.len(), values.len()), (20_000, 15_000));
}

/// Rows that an expression can't be computed for: letters by their record, whenever the process dies.
#[test]
fn killed_jobs_lose_and_repeat_no_letter_of_an_expression() {
    let place = Place::new();
    let job = JOB.replace("orders (customer STRING, amount INT)", "orders (customer STRING, amount STRING)");
    place
        .write("letters.sql", job.replace("SELECT customer, amount", "SELECT customer, CAST(amount AS INT)"));
    place.ok("topic create orders --partitions 2");
    place.ok("topic create dead --partitions 2");
    let order = |number: u64| match number % 3 {
        0 => format!(r#"{{"customer": "c{number}", "amount": "bad {number}"}}"#),
        _ => format!(r#"{{"customer": "c{number}", "amount": "{number}"}}"#),
    };
    produce(&place, (0..15_000).map(order));
    for round in 0..4 {
        let mut job = place.start("run letters.sql --rate 5000");
        std::thread::sleep(Duration::from_millis(450 + 170 * round));
        job.signal("KILL");
        drop(job.wait());
    }
    place.ok("run letters.sql --exit-when-idle");
    assert_eq!(place.consume("kept").len(), 10_000);
    let found = letters(&place, "--reason bad");
    let values: BTreeSet<&str> = found.iter().map(|letter| letter["value"].as_str().unwrap()).collect();
    assert_eq!((found.len(), values.len()), (5_000, 5_000));
    for letter in &found {
        assert!(letter["detail"].as_str().unwrap().contains("CAST(amount AS INT"), "{letter}");
    }
}

#[test]
fn letters_are_replayed_while_the_job_runs_and_has_the_log() {
    let place = Place::new();
    let set = "SET 'millstream.bad-records' = 'dead-letter';";
    place.write("letters.sql", format!("{set}{}", JOB.replace("'scan.bad-records' = 'dead-letter',", "")));
    place.ok("topic create orders --partitions 1");
    place.ok("topic create dead --partitions 1");
    produce(&place, (0..3).map(order));
    let mut job = place.start("run letters.sql");
    job.wait_until_it_has_the_log(&place);
    let deadline = std::time::Instant::now() + crate::command::PATIENCE;
    let wait_for = |count: usize| {
        while letters(&place, "").len() < count {
            assert!(std::time::Instant::now() < deadline, "no letter comes");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(1);
    place.ok("dead-letter replay dead");
    wait_for(2);
    let again = place.run("dead-letter replay dead --reason late");
    assert!(again.err.contains("wrote 0 records of dead"), "{}", again.err);
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
}
