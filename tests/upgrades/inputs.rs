//! Topics that are deleted, made anew, or get more partitions.

use crate::world::{On, World, drained};
use millstream::JobError;
use millstream::job::{Job, JobSettings};
use millstream::savepoint::OpenSavepoint;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const SUMS: &str = "
CREATE TABLE t (g STRING, n INT) WITH (
  'connector' = 'kafka', 'topic' = 't', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '100 ms');
CREATE TABLE out (g STRING, n BIGINT, c BIGINT, PRIMARY KEY (g) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO out SELECT g, SUM(n), COUNT(*) FROM t GROUP BY g;
";

/// A table whose key says where its records are: no exchange in front of the aggregation.
const BY_TOPIC_KEY: &str = "
CREATE TABLE t (g STRING NOT NULL, n INT) WITH (
  'connector' = 'kafka', 'topic' = 't', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw', 'key.fields' = 'g', 'scan.topic-partition-discovery.interval' = '100 ms');
CREATE TABLE out (g STRING, n BIGINT, c BIGINT, PRIMARY KEY (g) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO out SELECT g, SUM(n), COUNT(*) FROM t GROUP BY g;
";

const VERSIONS: &str = "
CREATE TABLE t (g STRING, n INT, PRIMARY KEY (g) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 't', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE out (n INT, c BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO out SELECT n, COUNT(*) FROM t GROUP BY n;
";

fn rows(numbers: std::ops::Range<i64>) -> Vec<Value> {
    numbers.map(|n| json!({"g": format!("g{}", n % 5), "n": n})).collect()
}

/// Number of rows and their sum, over all keys.
fn totals(world: &World) -> (i64, i64) {
    let rows: Vec<Value> =
        world.upserted("out").into_values().map(|row| serde_json::from_str(&row).unwrap()).collect();
    let sum = |column: &str| rows.iter().map(|row| row[column].as_i64().unwrap()).sum();
    (sum("c"), sum("n"))
}

fn expected(rows: i64) -> (i64, i64) {
    (rows, (0..rows).sum())
}

fn refused(ran: Result<Vec<String>, JobError>, says: &[&str]) {
    let error = ran.expect_err("refused").to_string();
    for part in says {
        assert!(error.contains(part), "{part} is missing in\n{error}");
    }
}

/// Shorter than it was, as long, and longer; restarted and from a savepoint.
pub(crate) fn a_topic_made_anew_is_not_taken_for_the_old_one(world: &dyn Fn(&str) -> World) {
    for (index, length) in [40, 100, 170].into_iter().enumerate() {
        let world = world(&format!("anew{index}-"));
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(0..100));
        world.run(SUMS, "job").unwrap();
        assert_eq!(totals(&world), expected(100));
        let saved = world.savepoint(SUMS, "job", "saved").unwrap();
        world.delete("t");
        let t = world.name("t");
        let says = [
            &*format!("topic {t}, which job"),
            "was deleted",
            "up to offset",
            "of partition 0",
            "of partition 1",
            "--job",
        ];
        refused(world.run(SUMS, "job"), &says);
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(1_000..1_000 + length));
        let says = [
            &*format!("topic {t} is not the one"),
            "deleted and made anew (its id was ",
            "up to offset",
            "of partition 1",
            "Of the new one nothing was read: offsets 0 to ",
            "--job",
            "earliest-offset",
        ];
        let before = world.records("out").len();
        refused(world.run(SUMS, "job"), &says);
        refused(world.run_from(SUMS, "next", Some(saved)), &says);
        assert_eq!(world.records("out").len(), before);
        // The way on that it names.
        world.run(SUMS, "another").unwrap();
        let (from, to) = (1_000, 1_000 + length);
        assert_eq!(totals(&world), (length, (from..to).sum()));
    }
}

/// The way on that keeps the state: whether the savepoint is of before or of after, whoever starts it again.
fn a_topic_made_anew_is_read_from_its_beginning_with_the_state_kept(world: &dyn Fn() -> World) {
    for saved_before in [true, false] {
        let world = world();
        let restarted = |from: &Arc<OpenSavepoint>| {
            let from = (**from).clone();
            from.restarting(&["t".to_owned()], &mut *world.admin()).map(Arc::new)
        };
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(0..100));
        world.run(SUMS, "job").unwrap();
        let saved = saved_before.then(|| world.savepoint(SUMS, "job", "saved").unwrap());
        if let Some(saved) = &saved {
            let error = restarted(saved).unwrap_err().to_string();
            assert!(error.contains("would count twice"), "{error}");
        }
        world.delete("t");
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(100..300));
        let saved = saved.unwrap_or_else(|| world.savepoint(SUMS, "job", "saved").unwrap());
        refused(
            world.run_from(SUMS, "next", Some(Arc::clone(&saved))),
            &["is not the one", "--restart-topic t"],
        );
        let from = restarted(&saved).unwrap();
        world.run_from(SUMS, "next", Some(Arc::clone(&from))).unwrap();
        assert_eq!(totals(&world), expected(300));
        // It goes on by itself, on a machine that has nothing, and with the command given again.
        world.produce("t", Some("g"), &rows(300..400));
        std::fs::remove_dir_all(world.state("next")).unwrap();
        world.run(SUMS, "next").unwrap();
        assert_eq!(totals(&world), expected(400));
        world.produce("t", Some("g"), &rows(400..450));
        world.run_from(SUMS, "next", Some(from)).unwrap();
        world.produce("t", Some("g"), &rows(450..500));
        world.run_from(SUMS, "next", Some(saved)).unwrap();
        assert_eq!(totals(&world), expected(500));
    }
}

#[test]
fn a_topic_made_anew_is_read_from_its_beginning_with_the_state_kept_on_the_embedded_log() {
    a_topic_made_anew_is_read_from_its_beginning_with_the_state_kept(&|| World::new(On::Embedded));
}

#[test]
fn a_topic_made_anew_is_read_from_its_beginning_with_the_state_kept_on_the_log_in_memory() {
    a_topic_made_anew_is_read_from_its_beginning_with_the_state_kept(&|| World::new(On::Memory));
}

/// With fewer partitions than tasks, deleted only, or never read.
#[test]
fn a_topic_that_can_not_take_the_place_of_another_is_refused_by_name() {
    let world = World::new(On::Memory);
    world.create("t", 2);
    world.create("u", 2);
    world.produce("t", Some("g"), &rows(0..100));
    world.run(SUMS, "job").unwrap();
    let saved = world.savepoint(SUMS, "job", "saved").unwrap();
    let refusal = |topic: &str| {
        let from = (*saved).clone().restarting(&[topic.to_owned()], &mut *world.admin());
        from.unwrap_err().to_string()
    };
    assert!(
        refusal("u").contains("--restart-topic u: the savepoint's job did not read it"),
        "{}",
        refusal("u")
    );
    world.delete("t");
    assert!(refusal("t").contains("create it first"), "{}", refusal("t"));
    world.create("t", 1);
    assert!(refusal("t").contains("it has 1 partitions, and 2 tasks read it"), "{}", refusal("t"));
}

#[test]
fn a_topic_made_anew_is_not_taken_for_the_old_one_on_the_embedded_log() {
    a_topic_made_anew_is_not_taken_for_the_old_one(&|_| World::new(On::Embedded));
}

#[test]
fn a_topic_made_anew_is_not_taken_for_the_old_one_on_the_log_in_memory() {
    a_topic_made_anew_is_not_taken_for_the_old_one(&|_| World::new(On::Memory));
}

/// Brokers from before there were ids: what ends before it was read is another topic.
#[test]
fn without_topic_ids_a_topic_that_is_shorter_than_it_was_is_another_one() {
    let world = World::new(On::Memory);
    world.memory.as_ref().unwrap().hide_topic_ids(true);
    world.create("t", 1);
    world.produce("t", Some("g"), &rows(0..100));
    world.run(SUMS, "job").unwrap();
    world.delete("t");
    world.create("t", 1);
    world.produce("t", Some("g"), &rows(1_000..1_040));
    refused(
        world.run(SUMS, "job"),
        &["is not the one", "up to offset 100 of partition 0", "offsets 0 to 40"],
    );
    // A log that has learned to give ids: they are taken down, and count from then on.
    let world = World::new(On::Memory);
    let memory = world.memory.as_ref().unwrap();
    memory.hide_topic_ids(true);
    world.create("t", 1);
    world.produce("t", Some("g"), &rows(0..100));
    world.run(SUMS, "job").unwrap();
    memory.hide_topic_ids(false);
    world.run(SUMS, "job").unwrap();
    world.delete("t");
    world.create("t", 1);
    world.produce("t", Some("g"), &rows(1_000..1_200));
    refused(world.run(SUMS, "job"), &["is not the one", "its id was"]);
}

/// The job fails with this while it runs.
pub(crate) fn fails_while_it_runs(world: &World, meanwhile: impl FnOnce(&World)) -> JobError {
    world.create("t", 2);
    world.produce("t", Some("g"), &rows(0..100));
    let job = world.start(SUMS, &world.settings("job")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while totals(world) != expected(100) {
        assert!(Instant::now() < deadline, "{:?}", job.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    meanwhile(world);
    while !job.has_ended() {
        assert!(Instant::now() < deadline, "it goes on: {:?}", job.status());
        std::thread::sleep(Duration::from_millis(20));
    }
    job.join().expect_err("it has failed")
}

pub(crate) fn an_input_that_goes_under_a_running_job_ends_it(world: &dyn Fn(&str) -> World) {
    let gone = fails_while_it_runs(&world("gone-"), |world| world.delete("t"));
    assert!(matches!(gone, JobError::InputDeleted { .. }), "{gone}");
    assert!(gone.to_string().contains("up to offset"), "{gone}");
    let anew = fails_while_it_runs(&world("anew-"), |world| {
        world.delete("t");
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(0..300));
    });
    // Whoever looks while it is gone says so.
    assert!(matches!(anew, JobError::InputReplaced { .. } | JobError::InputDeleted { .. }), "{anew}");
    assert!(anew.to_string().contains("up to offset"), "{anew}");
}

#[test]
fn an_input_that_goes_under_a_running_job_ends_it_on_the_embedded_log() {
    an_input_that_goes_under_a_running_job_ends_it(&|_| World::new(On::Embedded));
}

#[test]
fn an_input_that_goes_under_a_running_job_ends_it_on_the_log_in_memory() {
    an_input_that_goes_under_a_running_job_ends_it(&|_| World::new(On::Memory));
}

fn wait_for(world: &World, rows: i64, jobs: &mut Vec<Job>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while totals(world) != expected(rows) {
        let status = || jobs.iter().flat_map(Job::status).collect::<Vec<_>>();
        assert!(Instant::now() < deadline, "{:?} of {rows} rows: {:?}", totals(world), status());
        if let Some(ended) = jobs.iter().position(Job::has_ended) {
            let status = status();
            panic!("it has ended: {:?}, {status:?}", jobs.remove(ended).join());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Partitions that are added to an input of a running job: read by the processes that run, and from then on.
pub(crate) fn partitions_that_are_added_are_read(
    sql: &str,
    world: &World,
    add: &dyn Fn(&World, u32),
    processes: usize,
) {
    world.create("t", 2);
    world.produce("t", Some("g"), &rows(0..100));
    let settings = |process: usize| JobSettings {
        state_directory: Some(world.state(&format!("job-{process}"))),
        workers: 2,
        ..world.settings("job")
    };
    let mut jobs: Vec<Job> =
        (0..processes).map(|process| world.start(sql, &settings(process)).unwrap()).collect();
    wait_for(world, 100, &mut jobs);
    add(world, 4);
    world.produce("t", Some("g"), &rows(100..400));
    wait_for(world, 400, &mut jobs);
    add(world, 8);
    world.produce("t", Some("g"), &rows(400..500));
    wait_for(world, 500, &mut jobs);
    assert!(jobs.iter().flat_map(Job::status).all(|worker| worker.degraded.is_empty()));
    // Who goes leaves the new partitions to others.
    for job in jobs {
        job.stop();
        job.join().unwrap();
    }
    let saved = world.savepoint(sql, "job", "saved").unwrap();
    world.produce("t", Some("g"), &rows(500..600));
    world.run(sql, "job").unwrap();
    assert_eq!(totals(world), expected(600));
    // The same from a savepoint: the last of each key is written once more.
    world.run_from(sql, "next", Some(saved)).unwrap();
    assert_eq!(totals(world), expected(600));
}

fn add_in_memory(world: &World, partitions: u32) {
    world.memory.as_ref().unwrap().add_partitions("t", partitions).unwrap();
}

#[test]
fn partitions_that_are_added_are_read_while_the_job_runs() {
    for sql in [SUMS, BY_TOPIC_KEY] {
        for processes in [1, 2] {
            partitions_that_are_added_are_read(sql, &World::new(On::Memory), &add_in_memory, processes);
        }
    }
}

/// What must not be read is said as long as the job runs, with what to do.
#[test]
fn partitions_that_are_added_and_can_not_be_read_are_said() {
    let world = World::new(On::Memory);
    world.create("t", 2);
    world.produce("t", Some("g"), &rows(0..100));
    let mut jobs = vec![world.start(BY_TOPIC_KEY, &world.settings("job")).unwrap()];
    wait_for(&world, 100, &mut jobs);
    let job = jobs.remove(0);
    add_in_memory(&world, 3);
    let deadline = Instant::now() + Duration::from_secs(60);
    let said = loop {
        if let Some(said) = job.status().into_iter().flat_map(|worker| worker.degraded).next() {
            break said;
        }
        assert!(Instant::now() < deadline, "nothing is said: {:?}", job.status());
        std::thread::sleep(Duration::from_millis(20));
    };
    for part in ["topic t has 3 partitions", "reads 2 of them", "a multiple of the old", "--job"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    drained(job).unwrap();
    // A number that fits makes up for it.
    add_in_memory(&world, 4);
    world.produce("t", Some("g"), &rows(100..200));
    world.run(BY_TOPIC_KEY, "job").unwrap();
    assert_eq!(totals(&world), expected(200));
}

#[test]
fn partitions_that_would_split_keys_from_their_state_are_refused_by_name() {
    for (sql, partitions, why) in [
        (BY_TOPIC_KEY, 3, "unless the new number is a multiple of the old"),
        (VERSIONS, 4, "a key's older values may be unread"),
    ] {
        let world = World::new(On::Memory);
        world.create("t", 2);
        world.produce("t", Some("g"), &rows(0..100));
        world.run(sql, "job").unwrap();
        let saved = world.savepoint(sql, "job", "saved").unwrap();
        world.memory.as_ref().unwrap().add_partitions("t", partitions).unwrap();
        let says = [&*format!("topic t has {partitions} partitions now"), "2 tasks", why];
        refused(world.run(sql, "job"), &says);
        refused(world.run_from(sql, "next", Some(saved)), &says);
    }
}

/// What bounded input ends at was fixed when there were fewer partitions.
#[test]
fn partitions_that_are_added_are_no_part_of_bounded_input() {
    let sql =
        SUMS.replacen("'scan.startup.mode'", "'scan.bounded.mode' = 'latest-offset', 'scan.startup.mode'", 1);
    let world = World::new(On::Memory);
    world.create("t", 2);
    world.produce("t", Some("g"), &rows(0..100));
    world.run(&sql, "job").unwrap();
    world.memory.as_ref().unwrap().add_partitions("t", 4).unwrap();
    world.produce("t", Some("g"), &rows(100..300));
    world.run(&sql, "job").unwrap();
    assert_eq!(totals(&world), expected(100));
}
