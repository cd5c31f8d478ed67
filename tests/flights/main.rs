//! The main job, as a user runs it: `examples/flights/flights.sql` over all records of 2013, with the real binary, on
//! both logs and by both clients of Kafka, with one partition and with four, undisturbed and killed over and over. What
//! it has written has to be the batch answer, which [`batch`] computes in plain Rust from the same files.

#![allow(clippy::unwrap_used, reason = "a test")]

mod batch;
mod command;

use command::{Records, Where};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

fn wanted() -> &'static batch::Answer {
    static WANTED: OnceLock<batch::Answer> = OnceLock::new();
    WANTED.get_or_init(batch::answer)
}

/// Reads what the job has written and holds it against the batch answer.
fn check(place: &Where) {
    let mut hourly = BTreeMap::new();
    for record in place.consume("hourly") {
        let row = batch::Hour::of_json(&record.value.unwrap());
        let key = (row.origin.clone(), row.hour_start.clone());
        assert_eq!(record.key.as_deref(), Some(row.origin.as_str()));
        assert!(hourly.insert(key.clone(), row).is_none(), "{key:?} was written twice");
    }
    let mut carriers = BTreeMap::new();
    for record in place.consume("carriers") {
        let row = batch::Carrier::of_json(&record.value.unwrap());
        carriers.insert(record.key.unwrap(), row);
    }
    let wanted = wanted();
    assert_eq!(hourly.len(), wanted.hourly.len());
    let differs = |(key, row): (&_, &batch::Hour)| {
        let found = hourly.get(key);
        (!found.is_some_and(|found| found.is_about(row))).then(|| format!("{found:?} is not {row:?}"))
    };
    let differing: Vec<String> = wanted.hourly.iter().filter_map(differs).collect();
    assert!(
        differing.is_empty(),
        "{} hours: {:#?} ..",
        differing.len(),
        &differing[..differing.len().min(20)]
    );
    assert_eq!(carriers.keys().collect::<Vec<_>>(), wanted.carriers.keys().collect::<Vec<_>>());
    for (key, row) in &wanted.carriers {
        assert!(carriers[key].is_about(row), "{:?} is not {row:?}", carriers[key]);
    }
}

fn undisturbed(place: Option<Where>, partitions: u32) {
    let Some(place) = place else { return };
    place.load(partitions, Records::All);
    place.run(&[]);
    check(&place);
}

#[test]
fn one_partition_on_the_embedded_log() {
    undisturbed(Some(Where::embedded()), 1);
}

#[test]
fn four_partitions_on_the_embedded_log() {
    undisturbed(Some(Where::embedded()), 4);
}

#[test]
fn one_partition_on_kafka() {
    undisturbed(Where::kafka("rdkafka"), 1);
}

#[test]
fn four_partitions_on_kafka() {
    undisturbed(Where::kafka("rdkafka"), 4);
}

#[test]
fn four_partitions_on_kafka_by_wire() {
    undisturbed(Where::kafka("wire"), 4);
}

/// How often the job is killed: `MILLSTREAM_KILLS`, or a few times, since it takes a minute to be killed twenty times.
fn kills() -> u32 {
    std::env::var("MILLSTREAM_KILLS").map_or(5, |kills| kills.parse().unwrap())
}

/// Snapshots every second or so, and journals purged behind them.
const SNAPSHOT_BYTES: &str = "50000";

fn killed(place: Option<Where>, lose_state: bool) {
    let Some(place) = place else { return };
    place.load(4, Records::All);
    // At this rate the input lasts as long as the kills; each comes at another moment of a commit.
    let kills = kills();
    let rate = (363_000 / (u64::from(kills) * 3)).to_string();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    for kill in 0..kills {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_millis(800 + (dice >> 33) % 2_400);
        place.run_and_kill(&["--rate", &rate, "--snapshot-bytes", SNAPSHOT_BYTES], after);
        if lose_state && kill % 2 == 0 {
            place.lose_state();
        }
    }
    place.run(&[]);
    check(&place);
}

#[test]
fn killed_on_the_embedded_log() {
    killed(Some(Where::embedded()), false);
}

#[test]
fn killed_on_the_embedded_log_and_its_state_deleted() {
    killed(Some(Where::embedded()), true);
}

#[test]
fn killed_on_kafka() {
    killed(Where::kafka("rdkafka"), false);
}

#[test]
fn killed_on_kafka_by_wire() {
    killed(Where::kafka("wire"), false);
}

#[test]
fn killed_on_kafka_and_its_state_deleted() {
    killed(Where::kafka("rdkafka"), true);
}

#[test]
fn killed_on_kafka_by_wire_and_its_state_deleted() {
    killed(Where::kafka("wire"), true);
}

/// The job is killed until its journals have been purged, and goes on where there is nothing of it: from a snapshot.
fn moved(place: Option<Where>) {
    let Some(place) = place else { return };
    place.load(4, Records::All);
    // A journal entry of a busy machine is as small as another's, and there are fewer of them.
    let options = ["--rate", "20000", "--snapshot-bytes", "15000"];
    let mut tries = 0_u64;
    while tries == 0 || !place.journal_is_purged() {
        assert!(tries < 10, "the journal is never purged");
        tries += 1;
        // How long a start takes is a matter of the machine: the job is let alone a little longer each time.
        place.run_and_kill(&options, Duration::from_millis(2_000 + 1_000 * tries));
    }
    for _ in 0..2 {
        place.lose_state();
        place.run_and_kill(&options, Duration::from_millis(2_000));
    }
    place.lose_state();
    place.run(&[]);
    check(&place);
}

#[test]
fn moved_to_an_empty_machine_on_the_embedded_log() {
    moved(Some(Where::embedded()));
}

#[test]
fn moved_to_an_empty_machine_on_kafka_from_a_topic() {
    moved(Where::kafka("rdkafka"));
}

/// The job is interrupted and killed, kept as a savepoint, and removed; another job goes on from that, and a third from
/// a savepoint of the second. What they have written together has to be the batch answer.
fn saved(place: Option<Where>) {
    let Some(place) = place else { return };
    place.load(4, Records::All);
    let mut from: Option<String> = None;
    for job in ["first", "second"] {
        let mut words = vec!["--job", job, "--rate", "30000", "--snapshot-bytes", SNAPSHOT_BYTES];
        words.extend(from.iter().flat_map(|from| ["--from", from.as_str()]));
        let mut tries = 0;
        while tries == 0 || !place.has_committed(job) {
            assert!(tries < 10, "{job} never commits");
            tries += 1;
            place.run_and_interrupt(&words, Duration::from_millis(2_500));
            place.run_and_kill(&words, Duration::from_millis(2_000));
        }
        let taken = place.savepoint(job);
        place.forget(job);
        from = Some(taken);
    }
    let from = from.unwrap();
    // The first start dies in the middle of it.
    place.run_and_kill(&["--job", "third", "--from", &from], Duration::from_millis(250));
    place.run(&["--job", "third", "--from", &from]);
    check(&place);
}

#[test]
fn kept_as_a_savepoint_and_gone_on_with_on_the_embedded_log() {
    saved(Some(Where::embedded()));
}

#[test]
fn kept_as_a_savepoint_and_gone_on_with_on_kafka() {
    saved(Where::kafka("rdkafka"));
}
