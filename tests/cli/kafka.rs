//! The same commands on a real Kafka.

use crate::command::{Done, PATIENCE, Place};
use crate::{dead_letters, jobs, savepoints, topics};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

#[test]
fn commands_work_on_kafka_as_on_the_embedded_log() {
    let Some(place) = Place::on_kafka() else { return };
    topics::csv_comes_back(&place);
    topics::json_comes_back(&place);
    topics::whole_records_come_back(&place);
    topics::consuming_begins_and_ends(&place);
    place.ok("topic create kept --partitions 2 --config cleanup.policy=compact");
    let described = place.ok("topic describe kept");
    for line in ["partitions  2", "cleanup.policy = compact", "retention.ms = -1"] {
        assert!(described.lines().any(|found| found == line), "{line} is missing in\n{described}");
    }
    place.ok("topic delete kept");
    for line in ["topic describe kept", "topic consume kept --exit-at-end"] {
        let done = place.run(line);
        assert_eq!(done.code, 4, "{done:?}");
        assert!(done.err.contains("topic \"kept\" does not exist"), "{}", done.err);
    }
    jobs::a_job_goes_on(&place);
    let forget = || ["orders", "counts"].map(|topic| place.ok(&format!("topic delete {topic}")));
    forget();
    jobs::output_may_be_repeated(&place);
    forget();
    jobs::a_job_that_has_ended_says_so(&place);
    forget();
    dead_letters::kept_listed_and_replayed(&place);
    assert!(!place.path().join("millstream-data/log").exists(), "the embedded log is not touched");
}

#[test]
fn a_doctor_finds_brokers_where_they_say_they_are_and_topics_that_may_be_used() {
    let Some(place) = Place::on_kafka() else { return };
    place.write("job.sql", jobs::COUNTS);
    place.ok("topic create orders --partitions 1");
    let out = place.ok("doctor job.sql");
    for part in [
        "no TLS, no login, let in within",
        "ok   advertised    broker ",
        "ok   features      metadata.version ",
        "brokers speak all that jobs ask for",
        "job fits its topics: ",
    ] {
        assert!(out.contains(part), "{part} is missing in\n{out}");
    }
    assert!(!out.contains("rights"), "everything is allowed: {out}");
    let done = place.run("doctor --client-property security.protocol=ssl");
    assert!(done.code == 4 && done.out.contains("BAD  login") && done.out.contains("TLS"), "{done:?}");
}

#[test]
fn a_job_does_not_end_while_members_that_died_have_tasks() {
    let Some(place) = Place::on_kafka() else { return };
    jobs::a_job_ends_with_the_tasks_of_members_that_died(&place);
}

#[test]
fn a_job_goes_on_from_a_savepoint_on_kafka() {
    let Some(place) = Place::on_kafka() else { return };
    savepoints::a_job_goes_on_from_a_savepoint(&place);
    for topic in ["orders", "counts"] {
        place.ok(&format!("topic delete {topic}"));
    }
    savepoints::a_running_job_is_not_saved(&place);
}

/// A transaction of another process with one record in a topic of one partition.
fn open_transaction(place: &Place, topic: &str, record: &str) -> BaseProducer {
    place.ok(&format!("topic create {topic} --partitions 1"));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", place.bootstrap()).set("transactional.id", "slow");
    let slow: BaseProducer = config.create().unwrap();
    slow.init_transactions(PATIENCE).unwrap();
    slow.begin_transaction().unwrap();
    slow.send(BaseRecord::<(), str>::to(topic).payload(record)).map_err(|(error, _)| error).unwrap();
    slow.flush(PATIENCE).unwrap();
    slow
}

/// What a command does that runs while the transaction is committed.
fn run_over_commit(place: &Place, line: &str, slow: &BaseProducer) -> Done {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| place.run(line));
        std::thread::sleep(Duration::from_secs(4));
        assert!(!run.is_finished(), "it ended before the transaction did");
        slow.commit_transaction(PATIENCE).unwrap();
        run.join().unwrap()
    })
}

#[test]
fn the_end_of_a_topic_is_behind_what_an_open_transaction_hides() {
    let Some(place) = Place::on_kafka() else { return };
    let slow = open_transaction(&place, "hidden", "first");
    place.run_on("topic produce hidden --format json", "{\"second\": 2}\n");
    let done = run_over_commit(&place, "topic consume hidden --from-beginning --exit-at-end", &slow);
    assert_eq!((done.code, done.out.lines().count()), (0, 2), "{done:?}");
    assert!(done.err.contains("waiting at offset 0 of 2 in partition 0 of hidden"), "{}", done.err);
}

#[test]
fn a_bounded_job_reads_what_is_being_committed_when_it_starts() {
    let Some(place) = Place::on_kafka() else { return };
    let slow = open_transaction(&place, "hidden", "{\"word\": \"first\"}");
    place.run_on("topic produce hidden --format json", "{\"word\": \"second\"}\n");
    place.ok("topic create seen --partitions 1");
    let table = |name: &str, more: &str| {
        format!(
            "CREATE TABLE {name} (word STRING) WITH \
             ('connector' = 'kafka', 'topic' = '{name}', 'format' = 'json'{more});\n"
        )
    };
    let bounded = ", 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'";
    let insert = "INSERT INTO seen SELECT word FROM hidden;\n";
    place.write("job.sql", &(table("hidden", bounded) + &table("seen", "") + insert));
    let done = run_over_commit(&place, "run job.sql", &slow);
    assert_eq!(done.code, 0, "{done:?}");
    let seen = place.ok("topic consume seen --from-beginning --exit-at-end");
    assert_eq!(seen.lines().count(), 2, "{seen}");
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    let done = Place::new().run("topic list --bootstrap-servers 127.0.0.1:1");
    assert_eq!(done.code, 75, "{done:?}");
    assert!(done.err.contains("127.0.0.1:1"), "{}", done.err);
}
