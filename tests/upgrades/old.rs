//! Control records in the forms of programs from before this one: the job goes on with the file it had.
//!
//! What every run draws anew is put into the kept bytes: the incarnation, and the savepoint.

use crate::check::{create, output, produce};
use crate::inputs::SUMS;
use crate::world::{On, World};
use millstream::log::{RecordsBuilder, TopicPartition};
use serde_json::Value;
use std::time::Duration;

/// Of a job that was started with nothing.
const VERSION_1: &str = include_str!("old/control-1.json");
/// Of a job that was started from a savepoint.
const VERSION_2: &str = include_str!("old/control-2.json");

fn control(world: &World, job: &str) -> Value {
    let records = world.records(&format!("millstream.{job}.control"));
    let newest = records.into_iter().rfind(|(key, _)| key.as_deref() == Some("job")).unwrap();
    serde_json::from_str(&newest.1.unwrap()).unwrap()
}

/// Puts an old record in the place of a job's.
fn age(world: &World, job: &str, old: &str) {
    let now = control(world, job);
    let mut old = old.replace("@incarnation", now["incarnation"].as_str().unwrap());
    for part in ["place", "id"] {
        old = old.replace(&format!("@{part}"), now["savepoint"][part].as_str().unwrap_or_default());
    }
    write_control(world, job, &old);
}

fn write_control(world: &World, job: &str, record: &str) {
    let mut records = RecordsBuilder::default();
    records.push(Some(b"job"), Some(record.as_bytes()), 1_000);
    let mut writer = world.log.writer().unwrap();
    let place = TopicPartition::new(format!("millstream.{job}.control"), 0);
    writer.write(&place, records.finish()).unwrap();
    writer.flush(Duration::from_secs(10)).unwrap();
}

fn old_record_goes_on(old: &str, from_savepoint: bool) {
    let world = World::new(On::Embedded);
    create(&world, 2);
    produce(&world, 0);
    let mut job = "job";
    world.run(SUMS, job).unwrap();
    if from_savepoint {
        let saved = world.savepoint(SUMS, job, "saved").unwrap();
        job = "next";
        world.run_from(SUMS, job, Some(saved)).unwrap();
    }
    age(&world, job, old);
    produce(&world, 1);
    // Whether state fits another file is not known, and is said before anything is done.
    let changed = SUMS.replace("SUM(n), COUNT(*)", "COUNT(*), SUM(n)");
    let error = world.run(&changed, job).unwrap_err().to_string();
    assert!(error.contains("Start it once with the file that it had"), "{error}");
    world.run(SUMS, job).unwrap();
    let expected = {
        let world = World::new(On::Memory);
        create(&world, 2);
        produce(&world, 0);
        produce(&world, 1);
        world.run(SUMS, "job").unwrap();
        output(&world, "out")
    };
    assert_eq!(output(&world, "out"), expected);
    // From then on it is known what the state means.
    let now = control(&world, job);
    assert!(now["meaning"].is_object() && now["topics"]["t"].is_object(), "{now}");
    assert!(now["version"].as_u64() >= Some(3), "{now}");
    let more = format!("CREATE TABLE nowhere (g STRING) WITH ('connector' = 'blackhole');{SUMS}");
    world.run(&format!("{more}INSERT INTO nowhere SELECT g FROM t;"), job).unwrap();
}

#[test]
fn a_job_whose_control_record_is_of_version_1_goes_on() {
    old_record_goes_on(VERSION_1, false);
}

#[test]
fn a_job_whose_control_record_is_of_version_2_goes_on() {
    old_record_goes_on(VERSION_2, true);
}

#[test]
fn a_job_keeps_the_tasks_that_it_began_with() {
    let world = World::new(On::Memory);
    create(&world, 40);
    produce(&world, 0);
    let tasks = |job: &str| control(&world, job)["tasks"].clone();
    let unlimited = format!("SET 'millstream.exchange-tasks' = '1000';{SUMS}");
    let other = SUMS.replace("'topic' = 'out'", "'topic' = 'other'");
    world.run(&unlimited, "job").unwrap();
    world.run(&other, "limited").unwrap();
    assert_eq!(tasks("job"), serde_json::json!([40, 40]));
    assert_eq!(tasks("limited"), serde_json::json!([40, 32]));

    // As a program wrote it that knew of no limit.
    let mut before = control(&world, "job");
    before.as_object_mut().unwrap().remove("exchange_tasks_max").unwrap();
    write_control(&world, "job", &before.to_string());
    produce(&world, 1);
    world.run(SUMS, "job").unwrap();
    world.run(&format!("SET 'millstream.exchange-tasks' = '1000';{other}"), "limited").unwrap();
    assert_eq!(tasks("job"), serde_json::json!([40, 40]));
    assert_eq!(tasks("limited"), serde_json::json!([40, 32]));
    assert_eq!(output(&world, "out"), output(&world, "other"));
}
