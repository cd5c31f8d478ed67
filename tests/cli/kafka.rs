//! The same commands on a real Kafka.

use crate::command::Place;
use crate::{dead_letters, jobs, topics};

#[test]
fn commands_work_on_kafka_as_on_the_embedded_log() {
    let Some(place) = Place::on_kafka() else { return };
    topics::csv_comes_back(&place);
    topics::json_comes_back(&place);
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
    dead_letters::kept_listed_and_replayed(&place);
    assert!(!place.path().join("millstream-data/log").exists(), "the embedded log is not touched");
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    let done = Place::new().run("topic list --bootstrap-servers 127.0.0.1:1");
    assert_eq!(done.code, 4, "{done:?}");
    assert!(done.err.contains("127.0.0.1:1"), "{}", done.err);
}
