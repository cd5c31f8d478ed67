//! Everything that a job has, deleted in every combination: the table of `docs/protocol.md`.

use crate::check::{create, produce};
use crate::world::{On, World};
use millstream::JobError;
use std::collections::BTreeMap;
use std::path::Path;

/// What a job has beside its input and its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Journal,
    Control,
    Offsets,
    State,
    Snapshots,
    Repartition,
}
use Part::{Control, Journal, Offsets, Repartition, Snapshots, State};

pub(crate) const PARTS: [Part; 6] = [Journal, Control, Offsets, State, Snapshots, Repartition];

const SQL: &str = "
CREATE TABLE t (g STRING, h STRING, n INT, m INT) WITH (
  'connector' = 'kafka', 'topic' = 't', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE out (k STRING, a BIGINT, b BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO out SELECT g, SUM(n), COUNT(*) FROM t GROUP BY g;
";

/// What has to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on, and every record counts once.
    GoesOn,
    /// It goes on where its journals reach back to their first entries; otherwise it is refused: state is lost.
    GoesOnOrStateLost,
    /// Refused: topics of the job were deleted while its control topic is there.
    OwnTopicDeleted,
    /// Refused: journals without a control record.
    ControlMissing,
    /// Refused: neither, but state, snapshots, or what was on its way between tasks.
    TopicsDeleted,
    /// Nothing is left: it is a new job.
    Begins,
}
use Outcome::*;

/// The table.
pub(crate) fn outcome(deleted: &[Part]) -> Outcome {
    let is_deleted = |part| deleted.contains(&part);
    match (is_deleted(Control), is_deleted(Journal)) {
        (true, false) => ControlMissing,
        (true, true) if is_deleted(State) && is_deleted(Snapshots) && is_deleted(Repartition) => Begins,
        (true, true) => TopicsDeleted,
        (false, true) => OwnTopicDeleted,
        (false, false) if is_deleted(Repartition) => OwnTopicDeleted,
        (false, false) if is_deleted(State) && is_deleted(Snapshots) => GoesOnOrStateLost,
        (false, false) => GoesOn,
    }
}

/// A job that has run for a while, with snapshots.
pub(crate) fn ran(world: &World) {
    create(world, 2);
    produce(world, 0);
    run(world).unwrap();
    produce(world, 1);
    run(world).unwrap();
}

fn run(world: &World) -> Result<(), JobError> {
    let mut settings = world.settings("job");
    settings.worker.snapshot_journal_bytes = 1;
    crate::world::drained(world.start(SQL, &settings)?)
}

pub(crate) fn delete(world: &World, part: Part) {
    let job = world.name("job");
    let own = |middle: &str| {
        let prefix = format!("millstream.{job}.{middle}");
        let topics = world.admin().topics().unwrap();
        topics.into_iter().filter(|topic| topic.starts_with(&prefix)).collect::<Vec<_>>()
    };
    let delete = |topics: Vec<String>| {
        assert!(!topics.is_empty(), "there is nothing to delete: {part:?}");
        topics.iter().for_each(|topic| world.admin().delete_topic(topic).unwrap());
    };
    match part {
        Journal => delete(own("journal.")),
        Control => delete(own("control")),
        Repartition => delete(own("repartition.")),
        Offsets => {
            // Processes that ended are members until their session is over.
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while let Err(error) = world.admin().delete_group(&format!("millstream-{job}")) {
                assert!(std::time::Instant::now() < deadline, "{error}");
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
        State => std::fs::remove_dir_all(world.state("job")).unwrap(),
        Snapshots if world.log.info().kind == "kafka" => delete(own("snapshots")),
        Snapshots => {
            let info = world.log.info();
            std::fs::remove_dir_all(Path::new(&info.location).join("snapshots").join(&job)).unwrap();
        }
    }
}

/// Sums and counts by key of two halves and a third one.
fn wanted(halves: &[usize]) -> BTreeMap<String, String> {
    let world = World::new(On::Embedded);
    create(&world, 2);
    halves.iter().for_each(|half| produce(&world, *half));
    world.run(SQL, "job").unwrap();
    world.upserted("out")
}

/// Deletes parts of a job that has run, and looks what becomes of the next start.
pub(crate) fn check(world: &World, deleted: &[Part]) {
    let job = world.name("job");
    deleted.iter().for_each(|part| delete(world, *part));
    // Other tests may use the same broker.
    let own = format!("millstream.{job}.journal.");
    let journals_now = || {
        let topics = world.admin().topics().unwrap().into_iter();
        topics.filter(|topic| topic.starts_with(&own)).collect::<Vec<String>>()
    };
    let journals = journals_now();
    produce(world, 2);
    let before = world.records("out").len();
    let ran = run(world);
    let all = || wanted(&[0, 1, 2]);
    match (outcome(deleted), &ran) {
        (GoesOn | GoesOnOrStateLost, Ok(())) => {
            assert_eq!(world.upserted("out"), all(), "{deleted:?}");
            return;
        }
        (GoesOnOrStateLost, Err(JobError::StateLost { .. })) => {}
        (OwnTopicDeleted, Err(error @ JobError::OwnTopicDeleted { topics, .. })) => {
            let named = error.to_string();
            for (part, name) in [(Journal, "journal"), (Repartition, "repartition")] {
                assert_eq!(
                    topics.iter().any(|topic| topic.contains(name)),
                    deleted.contains(&part),
                    "{named}"
                );
            }
            for part in ["--from", "--job", &format!("millstream.{job}.control")] {
                assert!(named.contains(part), "{part} is missing in {named}");
            }
        }
        (ControlMissing, Err(JobError::ControlMissing { .. })) => {}
        (TopicsDeleted, Err(error @ JobError::TopicsDeleted { .. })) => {
            assert!(error.to_string().contains("its topics were deleted"), "{error}");
        }
        (Begins, Ok(())) => {
            assert_eq!(world.upserted("out"), all(), "{deleted:?}");
            return;
        }
        (wanted, ran) => panic!("{deleted:?}: {wanted:?}, and it was {ran:?}"),
    }
    // A refusal makes nothing and writes nothing; and it stays one.
    assert_eq!(journals_now(), journals, "{deleted:?}");
    assert_eq!(world.records("out").len(), before, "{deleted:?}");
    assert!(run(world).is_err(), "{deleted:?}");
}

#[test]
fn whatever_of_a_job_is_deleted_it_goes_on_rightly_or_says_what_is_gone() {
    let world = World::new(On::Embedded);
    ran(&world);
    let template = world.closed();
    for combination in 0..1 << PARTS.len() {
        let deleted: Vec<Part> = PARTS
            .iter()
            .enumerate()
            .filter(|(bit, _)| combination & (1 << bit) != 0)
            .map(|(_, part)| *part)
            .collect();
        check(&World::copied(template.path()), &deleted);
    }
}
