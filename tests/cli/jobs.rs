//! `run` and `check`; what is `pub` here is also run on Kafka.

use crate::command::{PATIENCE, Place};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[test]
fn wrong_sql_is_shown_with_its_place() {
    let place = Place::new();
    place.write("job.sql", "-- a comment\nSELEC 1;\n");
    for command in ["run", "check"] {
        let done = place.run(&format!("{command} job.sql"));
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{done:?}");
        for part in ["job.sql:2:1", "SELEC 1;", "job.sql: 1 error\n"] {
            assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
        }
    }
    assert!(!place.path().join("millstream-data").exists(), "a job that can't run makes nothing");
}

#[test]
fn a_file_that_is_not_there_and_names_that_are_none_are_refused() {
    let place = Place::new();
    for command in ["run", "check"] {
        let done = place.run(&format!("{command} none.sql"));
        assert_eq!(done.code, 4, "{done:?}");
        assert!(done.err.contains("none.sql: No such file"), "{}", done.err);
        let done = place.run(command);
        assert_eq!(done.code, 2, "{done:?}");
    }
    let done = place.run("run none.sql --workers 0");
    assert_eq!(done.code, 2, "{done:?}");
}

/// It said "fine", although the topic was missing.
#[test]
fn check_says_that_it_did_not_look_at_the_brokers_that_a_file_names() {
    let place = Place::new();
    let servers = "'properties.bootstrap.servers' = 'nowhere.invalid:9092', 'topic'";
    place.write("job.sql", COUNTS.replace("'topic'", servers));
    let done = place.run("check job.sql");
    assert_eq!(done.code, 0, "{done:?}");
    let said =
        "its topics at nowhere.invalid:9092 were not looked at: add --bootstrap-servers nowhere.invalid:9092";
    assert!(done.err.contains(&format!("fine as far as the file alone tells; {said}")), "{}", done.err);
    // Where it looks, it finds that the topic is missing.
    place.write("job.sql", COUNTS);
    place.ok("topic create other --partitions 1");
    let done = place.run("check job.sql --log millstream-data");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("orders") && done.err.contains("does not exist"), "{}", done.err);
}

/// Counts orders by customer. Nothing bounds it, so it runs until it is told to end.
pub(crate) const COUNTS: &str = "
CREATE TABLE orders (customer STRING, amount INT) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset'
);
CREATE TABLE counts (customer STRING, orders BIGINT, amount BIGINT, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json'
);
INSERT INTO counts SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer;
";

/// The same over what is there when it starts.
fn bounded() -> String {
    COUNTS.replacen("'scan.startup", "'scan.bounded.mode' = 'latest-offset', 'scan.startup", 1)
}

pub(crate) fn produce(place: &Place, orders: std::ops::Range<u64>) {
    let input: String =
        orders.map(|n| format!("{{\"customer\": \"c{}\", \"amount\": {n}}}\n", n % 7)).collect();
    assert_eq!(place.run_on("topic produce orders --format json", &input).code, 0);
}

/// The number of orders and their amounts over all customers, of the last record of each.
pub(crate) fn totals(place: &Place) -> (u64, u64) {
    totals_of(place, "counts")
}

/// The same of another topic.
pub(crate) fn totals_of(place: &Place, topic: &str) -> (u64, u64) {
    let mut last = BTreeMap::new();
    for record in place.consume(topic) {
        let value: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
        last.insert(record["key"].to_string(), value);
    }
    let sum = |column: &str| last.values().map(|value| value[column].as_u64().unwrap()).sum();
    (sum("orders"), sum("amount"))
}

/// What `totals` has to give after the first `orders` orders.
pub(crate) fn expected(orders: u64) -> (u64, u64) {
    (orders, (0..orders).sum())
}

#[test]
fn bounded_input_ends_the_job() {
    let place = Place::new();
    place.write("job.sql", bounded());
    place.ok("topic create orders --partitions 3");
    produce(&place, 0..10_000);
    let done = place.run("run job.sql --workers 2");
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done:?}");
    for part in ["created topic counts (3 partitions)", "running job on the embedded log", "job: ended; "] {
        assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
    }
    assert_eq!(totals(&place), expected(10_000));
}

#[test]
fn a_bounded_job_that_has_ended_says_so_when_it_is_run_again_and_names_new_input() {
    a_job_that_has_ended_says_so(&Place::new());
}

pub(crate) fn a_job_that_has_ended_says_so(place: &Place) {
    place.write("bounded.sql", bounded());
    place.ok("topic create orders --partitions 1");
    produce(place, 0..7);
    let first = place.run("run bounded.sql");
    assert!(first.err.contains("bounded: ended; 7 records read, 7 written, "), "{}", first.err);
    assert!(first.err.contains("; nothing dropped"), "{}", first.err);
    for part in ["nothing to do", "not read"] {
        assert!(!first.err.contains(part), "{}", first.err);
    }
    let again = place.run("run bounded.sql");
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("nothing to do") && again.err.contains("--job NAME"), "{}", again.err);
    assert!(!again.err.contains("not read"), "{}", again.err);
    produce(place, 7..10);
    let behind = place.run("run bounded.sql");
    assert_eq!(behind.code, 0, "{behind:?}");
    assert!(behind.err.contains("not read: orders/0 from offset 7 to 10; "), "{}", behind.err);
    let anew = place.run("run bounded.sql --job anew");
    assert!(anew.err.contains("anew: ended; 10 records read"), "{}", anew.err);
}

#[test]
fn what_a_job_has_dropped_is_in_its_last_line() {
    let place = Place::new();
    let job = "
CREATE TABLE clicks (who STRING, n STRING, at TIMESTAMP(3), WATERMARK FOR at AS at) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bad-records' = 'dead-letter', 'scan.dead-letter-topic' = 'dead');
CREATE TABLE counts (who STRING, until TIMESTAMP(3), n BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE shown (who STRING, n INT) WITH ('connector' = 'print');
EXECUTE STATEMENT SET BEGIN
INSERT INTO counts SELECT who, window_end, COUNT(*)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '10' SECOND)) GROUP BY who, window_start, window_end;
INSERT INTO shown SELECT who, CAST(n AS INT) FROM clicks WHERE n <> '7';
END;
";
    place.write("job.sql", job);
    place.ok("topic create clicks --partitions 1");
    place.ok("topic create dead --partitions 1");
    let click = |n: &str, second: u32| {
        format!("{{\"who\": null, \"n\": \"{n}\", \"at\": \"2023-01-01 00:00:{second:02}\"}}\n")
    };
    let input =
        [click("7", 1), click("8", 31), click("9", 2), click("x", 32), "{\"n\": [\n".to_owned()].concat();
    let done = place.run_on("topic produce clicks --format raw", &input);
    assert_eq!(done.code, 0, "{done:?}");
    let done = place.run("run job.sql --exit-when-idle");
    assert_eq!((done.code, done.out.as_str()), (0, "+I[null, 8]\n+I[null, 9]\n"), "{done:?}");
    // The first window is written; what is shown counts as written, and dead letters count by themselves.
    assert!(done.err.contains("job: ended; 5 records read, 3 written, "), "{}", done.err);
    assert!(done.err.contains("; dropped 1 late, 2 bad (2 dead letters)"), "{}", done.err);
    let letters = place.ok("dead-letter list dead");
    assert!(letters.contains("CAST(n AS INT): "), "{letters}");
    // What was counted before a restart is not counted again.
    let done = place.run("run job.sql --exit-when-idle");
    assert!(done.err.contains("job: ended; 0 records read, 0 written, "), "{}", done.err);
    assert!(done.err.contains("; nothing dropped"), "{}", done.err);
}

#[test]
fn a_row_that_can_not_be_computed_is_named_once_and_the_job_goes_on_once_it_is_mended() {
    let place = Place::new();
    let job = COUNTS.replace("SUM(amount)", "SUM(100 / amount)");
    place.write("job.sql", &job);
    place.ok("topic create orders --partitions 1");
    produce(&place, 1..3);
    place.ok("run job.sql --exit-when-idle");
    produce(&place, 0..1);
    for _ in 0..2 {
        let failed = place.run("run job.sql --exit-when-idle");
        assert_eq!(failed.code, 4, "{failed:?}");
        let place = "topic orders, partition 0, offset 2: 100 / amount: division by zero; ";
        assert_eq!(failed.err.matches(place).count(), 1, "{}", failed.err);
        assert!(failed.err.contains("job: failed; "), "{}", failed.err);
    }
    place.write("job.sql", format!("SET 'millstream.bad-records' = 'skip';{job}"));
    let mended = place.run("run job.sql --exit-when-idle");
    assert_eq!(mended.code, 0, "{mended:?}");
    assert!(mended.err.contains("dropped 1 bad"), "{}", mended.err);
    assert_eq!(totals(&place), (2, 150));
}

#[test]
fn a_job_is_read_from_standard_input() {
    let place = Place::new();
    place.ok("topic create orders --partitions 1");
    produce(&place, 0..5);
    let nameless = place.run_on("run - --exit-when-idle", COUNTS);
    assert_eq!(nameless.code, 2, "{nameless:?}");
    assert!(nameless.err.contains("give it one with --job"), "{}", nameless.err);
    let done = place.run_on("run - --job piped --exit-when-idle", COUNTS);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(totals(&place), expected(5));
    let wrong = place.run_on("check -", "SELEC 1;");
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.err.contains("standard input:1:1"), "{}", wrong.err);
}

#[test]
fn a_job_that_ends_when_idle_goes_on_where_it_ended() {
    a_job_goes_on(&Place::new());
}

pub(crate) fn a_job_goes_on(place: &Place) {
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    for round in 0..3 {
        produce(place, round * 500..(round + 1) * 500);
        place.ok("run job.sql --exit-when-idle");
        assert_eq!(totals(place), expected((round + 1) * 500));
    }
    // Under another name it is another job.
    place.ok("run job.sql --exit-when-idle --job other --state elsewhere");
    assert!(place.path().join("elsewhere/lock").exists());
    let topics = place.ok("topic list --all");
    assert!(
        topics.contains("millstream.job.control") && topics.contains("millstream.other.control"),
        "{topics}"
    );
}

/// A process that was killed is a member of the group for a while, and has tasks that nobody runs.
pub(crate) fn a_job_ends_with_the_tasks_of_members_that_died(place: &Place) {
    place.write("job.sql", bounded());
    place.ok("topic create orders --partitions 4");
    let input: String =
        (0..400).map(|n| format!("{{\"customer\": \"c{}\", \"amount\": {n}}}\n", n % 50)).collect();
    let done = place.run_on("topic produce orders --format json --key customer", &input);
    assert_eq!(done.code, 0, "{done:?}");
    let mut first = place.start("run job.sql --state first --rate 10");
    let deadline = Instant::now() + PATIENCE;
    while !place.ok("topic list").contains("counts") || totals(place).0 == 0 {
        assert!(Instant::now() < deadline && first.child().try_wait().unwrap().is_none(), "it does nothing");
    }
    first.signal("KILL");
    drop(first);
    place.ok("run job.sql --state second");
    assert_eq!(totals(place), expected(400));
}

#[test]
fn an_interrupted_job_commits_and_goes_on_later() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..3_000);
    for signal in ["INT", "TERM"] {
        let before = if place.ok("topic list").contains("counts") { totals(&place).0 } else { 0 };
        let mut job = place.start("run job.sql --rate 1000");
        job.wait_until_it_has_the_log(&place);
        let deadline = Instant::now() + PATIENCE;
        // Other processes reach the log through the job's.
        while !place.ok("topic list").contains("counts") || totals(&place).0 == before {
            assert!(Instant::now() < deadline, "the job does nothing");
        }
        job.signal(signal);
        let asked = Instant::now();
        let ended = job.wait();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        for part in ["ending: committing what has been read", "job: ended; "] {
            assert!(ended.err.contains(part), "{part} is missing in\n{}", ended.err);
        }
        assert!(totals(&place).0 < 3_000, "--rate has no effect");
    }
    place.ok("run job.sql --exit-when-idle");
    assert_eq!(totals(&place), expected(3_000));
}

#[test]
fn a_killed_job_loses_and_repeats_nothing() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    produce(&place, 0..20_000);
    for _ in 0..3 {
        let mut job = place.start("run job.sql --rate 5000");
        std::thread::sleep(Duration::from_millis(700));
        job.signal("KILL");
        assert_eq!(job.wait().code, -1);
    }
    place.ok("run job.sql --exit-when-idle");
    assert_eq!(totals(&place), expected(20_000));
}

#[test]
fn a_killed_job_may_repeat_its_output_where_it_was_told_so() {
    output_may_be_repeated(&Place::new());
}

/// On topics that are not there yet.
pub(crate) fn output_may_be_repeated(place: &Place) {
    let set = "SET 'millstream.delivery-guarantee' = 'at-least-once';";
    place.write("job.sql", format!("{set}{COUNTS}"));
    place.ok("topic create orders --partitions 2");
    let plan = place.ok("check job.sql --job repeats");
    assert!(plan.contains("Guarantee: at-least-once"), "{plan}");
    produce(place, 0..10_000);
    for _ in 0..3 {
        let mut job = place.start("run job.sql --job repeats --state repeats --rate 3000");
        std::thread::sleep(Duration::from_millis(600));
        job.signal("KILL");
        drop(job.wait());
    }
    let done = place.run("run job.sql --job repeats --state repeats --exit-when-idle");
    assert_eq!(done.code, 0, "{done:?}");
    for part in ["running repeats on the ", ", at-least-once"] {
        assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
    }
    assert_eq!(totals(place), expected(10_000));
}

#[test]
fn checking_plans_and_changes_nothing() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    let done = place.run("check job.sql");
    assert_eq!((done.code, done.err.as_str()), (0, "job.sql: fine\n"), "{done:?}");
    assert!(done.out.contains("orders") && done.out.contains("counts"), "{}", done.out);
    assert!(!place.path().join("millstream-data").exists());
    // On a log, the topics are looked at too.
    place.ok("topic create other --partitions 1 --log data");
    let done = place.run("check job.sql --log data");
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("orders"), "{}", done.err);
    place.ok("topic create orders --partitions 4 --log data");
    let done = place.run("check job.sql --log data");
    assert_eq!(done.code, 0, "{done:?}");
    for part in ["fine on the embedded log", "would create: counts, partitions: 4", "millstream.job.control"]
    {
        assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
    }
    assert_eq!(place.ok("topic list --all --log data"), "orders\nother\n");
}

#[test]
fn what_stops_a_job_has_its_code() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    let done = place.run("run job.sql");
    assert_eq!(done.code, 3, "input that is not there: {done:?}");
    place.ok("topic create orders --partitions 1");
    let mut job = place.start("run job.sql");
    job.wait_until_it_has_the_log(&place);
    let done = place.run("run job.sql");
    assert_eq!(done.code, 4, "the log belongs to the other process: {done:?}");
    let at_once = done.err.lines().next().unwrap_or_default();
    assert!(at_once.starts_with("waiting for 5 s: the log in "), "{}", done.err);
    for part in ["is in use by process", "run job.sql", "kill ", "into one file"] {
        assert!(at_once.contains(part), "{part} is missing in {}", done.err);
    }
    job.signal("INT");
    assert_eq!(job.wait().code, 0);
    // A record that can't be decoded.
    assert_eq!(place.run_on("topic produce orders --format json", "{\"amount\": \"many\"}\n").code, 0);
    let done = place.run("run job.sql --exit-when-idle --workers 2");
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.err.contains("topic orders, partition 0, offset"), "{}", done.err);
    // Another topic under the name of the input.
    place.ok("topic delete orders");
    place.ok("topic create orders --partitions 2");
    let done = place.run("run job.sql --exit-when-idle");
    assert_eq!(done.code, 6, "{done:?}");
    for part in ["topic orders is not the one", "start the job under another name (--job)"] {
        assert!(done.err.contains(part), "{part} is missing in {}", done.err);
    }
}
