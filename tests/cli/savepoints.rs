//! `savepoint` and `run --from`; what is `pub` here is also run on Kafka.

use crate::command::{Done, PATIENCE, Place};
use crate::jobs::{expected, produce, totals, totals_of};
use std::path::Path;
use std::time::{Duration, Instant};

/// Counts orders by customer.
const COUNTS: &str = "
SET 'millstream.session-timeout' = '6 s';
CREATE TABLE orders (customer STRING, amount INT) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset'
);
CREATE TABLE counts (customer STRING, orders BIGINT, amount BIGINT, PRIMARY KEY (customer) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json'
);
INSERT INTO counts SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer;
";

/// Orders that have been counted.
fn started(place: &Place, partitions: u32) {
    place.write("job.sql", COUNTS);
    place.ok(&format!("topic create orders --partitions {partitions}"));
    produce(place, 0..1_000);
    place.ok("run job.sql --exit-when-idle");
}

/// Removes everything that a job has, but for its input and output.
fn forget(place: &Place, job: &str) {
    let own = format!("millstream.{job}.");
    for topic in place.ok("topic list --all").lines().filter(|topic| topic.starts_with(&own)) {
        place.ok(&format!("topic delete {topic}"));
    }
    for directory in [format!("millstream-data/state/{job}"), format!("millstream-data/log/snapshots/{job}")]
    {
        let _ = std::fs::remove_dir_all(place.path().join(directory));
    }
}

fn refused(place: &Place, line: &str, code: i32, says: &[&str]) -> Done {
    let done = place.run(line);
    assert_eq!(done.code, code, "millstream {line}: {done:?}");
    for part in says {
        assert!(done.err.contains(part), "{part} is missing in\n{}", done.err);
    }
    done
}

#[test]
fn a_job_goes_on_from_a_savepoint_when_nothing_else_of_it_is_left() {
    a_job_goes_on_from_a_savepoint(&Place::new());
}

pub(crate) fn a_job_goes_on_from_a_savepoint(place: &Place) {
    started(place, 3);
    let told = place.ok("savepoint job.sql --to saved");
    for part in [
        "savepoint of job \"job\" in ",
        "0-2 ",
        "1-0 ",
        "orders/0 at ",
        "millstream run FILE --job NAME --from ",
    ] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    assert_eq!(place.ok("state inspect saved"), told);
    assert!(place.ok("state verify saved").contains(": sound"));
    refused(place, "savepoint job.sql --to saved", 2, &["holds a savepoint already, of job \"job\""]);
    // The job itself goes on as well.
    produce(place, 1_000..1_500);
    refused(place, "run job.sql --from saved", 4, &["has a journal already", "under another name (--job)"]);
    place.ok("run job.sql --exit-when-idle");
    assert_eq!(totals(place), expected(1_500));
    forget(place, "job");
    place.ok("topic delete counts");
    // Every key was touched after the savepoint: its counts are those of all orders.
    produce(place, 1_500..2_000);
    let done = place.run("run job.sql --job second --from saved --exit-when-idle");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("from the savepoint of job job in "), "{}", done.err);
    assert_eq!(totals(place), expected(2_000));
    // It has snapshots of its own: the savepoint is not needed any more.
    std::fs::rename(place.path().join("saved"), place.path().join("elsewhere")).unwrap();
    produce(place, 2_000..2_500);
    place.ok("run job.sql --job second --exit-when-idle");
    place.ok("run job.sql --job second --from elsewhere --exit-when-idle");
    assert_eq!(totals(place), expected(2_500));
}

#[test]
fn a_job_that_runs_on_the_embedded_log_is_to_be_stopped_first() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    let mut running = place.start("run job.sql");
    running.wait_until_it_has_the_log(&place);
    refused(
        &place,
        "savepoint job.sql --to saved",
        4,
        &["is in use by process", "if that is the job, stop it"],
    );
    assert!(!place.path().join("saved").exists());
}

/// The way on that the refusal names.
#[test]
fn a_job_goes_on_with_a_topic_that_was_made_anew_and_keeps_its_state() {
    let place = Place::new();
    started(&place, 2);
    place.ok("topic delete orders");
    let gone = refused(&place, "run job.sql --exit-when-idle", 6, &["was deleted", "--restart-topic orders"]);
    assert!(gone.err.contains("millstream savepoint FILE --to PLACE"), "{}", gone.err);
    place.ok("topic create orders --partitions 2");
    produce(&place, 1_000..1_700);
    for line in ["run job.sql --exit-when-idle", "check job.sql --log millstream-data"] {
        refused(&place, line, 6, &["deleted and made anew", "--restart-topic orders"]);
    }
    place.ok("savepoint job.sql --to saved");
    refused(&place, "run job.sql --job next --from saved --exit-when-idle", 6, &["--restart-topic orders"]);
    let wrong = "run job.sql --job next --from saved --restart-topic counts --exit-when-idle";
    refused(&place, wrong, 4, &["--restart-topic counts: the savepoint's job did not read it"]);
    let with = "job.sql --job next --from saved --restart-topic orders";
    place.ok(&format!("check {with} --log millstream-data"));
    // Whoever dies while it is started.
    let mut running = place.start(&format!("run {with} --rate 500"));
    std::thread::sleep(Duration::from_millis(700));
    running.signal("KILL");
    drop(running.wait());
    place.ok("run job.sql --job next --from saved --exit-when-idle");
    assert_eq!(totals(&place), expected(1_700));
    produce(&place, 1_700..2_000);
    place.ok("run job.sql --job next --exit-when-idle");
    assert_eq!(totals(&place), expected(2_000));
}

#[test]
fn a_changed_file_goes_on_where_its_state_fits() {
    let place = Place::new();
    started(&place, 2);
    place.ok("savepoint job.sql --to saved");
    produce(&place, 1_000..1_700);
    place.ok("topic create new --partitions 1");
    assert_eq!(place.run_on("topic produce new --format json", &"{\"n\": 1}\n".repeat(7)).code, 0);
    // Another topic, a filter, a statement more on the same input, and one on input of its own.
    let fits = COUNTS.replace("'topic' = 'counts'", "'topic' = 'totals'").replace(
        "SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer;",
        "SELECT customer, COUNT(*), SUM(amount) FROM orders GROUP BY customer HAVING COUNT(*) > 1;
         INSERT INTO large SELECT customer, amount FROM orders WHERE amount >= 1600;
         INSERT INTO copied SELECT n FROM new;",
    );
    let large = "
CREATE TABLE large (customer STRING, amount INT) WITH ('connector' = 'kafka', 'topic' = 'large', 'value.format' = 'json');
CREATE TABLE copied (n INT) WITH ('connector' = 'kafka', 'topic' = 'copied', 'value.format' = 'json');
CREATE TABLE new (n INT) WITH ('connector' = 'kafka', 'topic' = 'new', 'value.format' = 'json',
                               'scan.startup.mode' = 'earliest-offset');";
    let statements = fits.replace("INSERT INTO counts", "EXECUTE STATEMENT SET BEGIN INSERT INTO counts");
    place.write("changed.sql", format!("{large}{statements} END;"));
    let done = place.run("check changed.sql --from saved");
    assert!(done.code == 0 && done.err.contains("all state fits, the plan is another one"), "{done:?}");
    place.ok("run changed.sql --from saved --exit-when-idle");
    assert_eq!(totals_of(&place, "totals"), expected(1_700));
    assert_eq!((place.consume("large").len(), place.consume("copied").len()), (100, 7));
}

/// A job over what was there goes on with what comes.
#[test]
fn bounded_input_goes_on_unbounded() {
    let place = Place::new();
    let bounded = COUNTS.replacen("'scan.startup", "'scan.bounded.mode' = 'latest-offset', 'scan.startup", 1);
    place.write("bounded.sql", bounded);
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 3");
    produce(&place, 0..1_000);
    place.ok("run bounded.sql");
    produce(&place, 1_000..1_400);
    // It has ended, and another run of it ends at once.
    place.ok("run bounded.sql");
    assert_eq!(totals(&place), expected(1_000));
    place.ok("savepoint bounded.sql --to saved");
    place.ok("run bounded.sql --job again --from saved");
    assert_eq!(totals(&place), expected(1_000));
    place.ok("run job.sql --from saved --exit-when-idle");
    assert_eq!(totals(&place), expected(1_400));
}

/// Journals are purged behind snapshots that are kept elsewhere, and nothing is on disk.
#[test]
fn a_savepoint_is_taken_from_snapshots_where_they_are() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    let snapshots = format!("--snapshots file://{}/snaps", place.path().display());
    let mut counted = 0;
    let purged = || {
        let journal = "topic consume millstream.job.journal.0 --from-beginning --exit-at-end --output json";
        place.run(journal).out.lines().next().is_some_and(|first| !first.contains("\"offset\":0,"))
    };
    let mut running = place.start(&format!("run job.sql {snapshots} --snapshot-bytes 1"));
    running.wait_until_it_has_the_log(&place);
    let deadline = Instant::now() + PATIENCE;
    while counted == 0 || !purged() {
        assert!(Instant::now() < deadline, "the journal is never purged");
        produce(&place, counted..counted + 50);
        counted += 50;
    }
    running.signal("INT");
    assert_eq!(running.wait().code, 0);
    std::fs::remove_dir_all(place.path().join("millstream-data/state")).unwrap();
    refused(&place, "savepoint job.sql --to saved", 6, &["can't be restored", "no snapshot"]);
    place.ok(&format!("savepoint job.sql --to saved {snapshots}"));
    forget(&place, "job");
    produce(&place, counted..counted + 100);
    place.ok("run job.sql --job next --from saved --exit-when-idle");
    assert_eq!(totals(&place), expected(counted + 100));
}

#[test]
fn a_changed_file_is_refused_where_its_state_does_not_fit() {
    let place = Place::new();
    started(&place, 2);
    place.ok("savepoint job.sql --to saved");
    let maximum = COUNTS.replace("SUM(amount)", "MAX(amount)");
    place.write("maximum.sql", maximum);
    let says = [
        "does not fit this plan",
        "INSERT INTO counts: its aggregate has changed: computes: COUNT(*), SUM(amount) became COUNT(*), MAX(amount)",
        "Undo the change",
        "without --from",
    ];
    for command in ["check", "run"] {
        refused(&place, &format!("{command} maximum.sql --from saved"), 3, &says);
    }
    place.write("renamed.sql", COUNTS.replace("'topic' = 'orders'", "'topic' = 'others'"));
    place.ok("topic create others --partitions 2");
    let says =
        ["INSERT INTO counts: its aggregate has changed: ", "reads: topic orders", "became topic others"];
    refused(&place, "run renamed.sql --from saved", 3, &says);
    // Nothing was made for jobs that did not start.
    let topics = place.ok("topic list --all");
    assert!(!topics.contains("maximum") && !topics.contains("renamed"), "{topics}");
    place.ok("topic delete orders");
    place.ok("topic create orders --partitions 2");
    refused(
        &place,
        "run job.sql --job again --from saved",
        6,
        &["topic orders is not the one", "deleted and made anew", "up to offset"],
    );
    place.ok("topic delete orders");
    place.ok("topic create orders --partitions 4");
    refused(&place, "run job.sql --job wide --from saved", 6, &["topic orders is not the one"]);
    place.ok("topic create orders --partitions 2 --log other");
    refused(&place, "run job.sql --job there --from saved --log other", 6, &["mean nothing in these topics"]);
}

#[test]
fn what_is_no_savepoint_or_not_all_of_one_is_refused() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 1");
    refused(&place, "savepoint job.sql --to saved", 4, &["has committed nothing on this log yet"]);
    assert!(!place.path().join("saved").exists());
    refused(&place, "run job.sql --from saved", 4, &["there is no savepoint in ", "savepoint.json"]);
    refused(&place, "savepoint job.sql --to ftp://somewhere", 2, &["ftp://somewhere"]);
    produce(&place, 0..10);
    place.ok("run job.sql --exit-when-idle");
    place.ok("savepoint job.sql --to saved");
    // A byte of the manifest, then a file of state.
    let manifest = std::fs::read_to_string(place.path().join("saved/savepoint.json")).unwrap();
    place.write("saved/savepoint.json", manifest.replace("\"commit\": 1", "\"commit\": 2"));
    refused(&place, "run job.sql --job b --from saved", 5, &["another checksum than it says"]);
    place.write("saved/savepoint.json", &manifest);
    let file = a_file_of_state(&place.path().join("saved"));
    let away = place.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    refused(&place, "state inspect saved", 5, &["can't be used"]);
    refused(&place, "run job.sql --job b --from saved", 6, &["needs the savepoint", "run --from PLACE"]);
    std::fs::rename(&away, &file).unwrap();
    // A start that was cut short goes on with the savepoint without being told, or says that it can't.
    let (saved, gone) = (place.path().join("saved"), place.path().join("gone"));
    std::fs::rename(&saved, &gone).unwrap();
    refused(
        &place,
        "run job.sql --job b",
        6,
        &["was being started from the savepoint in ", "run --from PLACE"],
    );
    std::fs::rename(&gone, &saved).unwrap();
    produce(&place, 10..30);
    place.ok("run job.sql --job b --exit-when-idle");
    assert_eq!(totals(&place), expected(30));
}

/// A table of state, which no other file of the savepoint holds.
fn a_file_of_state(directory: &Path) -> std::path::PathBuf {
    let mut largest = (0, directory.to_owned());
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let found = if path.is_dir() { a_file_of_state(&path) } else { path };
        let size = std::fs::metadata(&found).unwrap().len();
        if !found.ends_with("savepoint.json") && found.is_file() && size > largest.0 {
            largest = (size, found);
        }
    }
    largest.1
}

#[test]
fn killed_while_a_savepoint_is_taken_or_started_from_nothing_is_lost_or_doubled() {
    let place = Place::new();
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 4");
    let mut produced = 0;
    let (mut job, mut from) = ("job".to_owned(), String::new());
    let mut dice = u64::from(std::process::id());
    let mut after = |most_ms: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((dice >> 33) % most_ms)
    };
    let killed = |line: &str, after: Duration| {
        let mut running = place.start(line);
        std::thread::sleep(after);
        running.signal("KILL");
        drop(running.wait());
    };
    for round in 0..4 {
        produce(&place, produced..produced + 2_000);
        produced += 2_000;
        // Killed, so that there is something between its tasks.
        let mut running = place.start(&format!("run job.sql --job {job} {from} --rate 2000"));
        running.wait_until_it_has_the_log(&place);
        let control = format!("topic consume millstream.{job}.control --from-beginning --exit-at-end");
        let deadline = Instant::now() + PATIENCE;
        while !place.run(&control).out.contains("\"key\":\"job\"") {
            assert!(Instant::now() < deadline, "{job} never commits");
        }
        std::thread::sleep(after(500));
        running.signal("KILL");
        drop(running.wait());
        let saved = format!("saved-{round}");
        for _ in 0..3 {
            killed(&format!("savepoint job.sql --job {job} --to {saved}"), after(300));
        }
        if !place.path().join(&saved).join("savepoint.json").exists() {
            place.ok(&format!("savepoint job.sql --job {job} --to {saved}"));
        }
        forget(&place, &job);
        (job, from) = (format!("job-{round}"), format!("--from {saved}"));
        for _ in 0..3 {
            killed(&format!("run job.sql --job {job} {from} --rate 2000"), after(500));
        }
    }
    place.ok(&format!("run job.sql --job {job} {from} --exit-when-idle"));
    assert_eq!(totals(&place), expected(produced));
}

/// On Kafka, where other processes could run the job meanwhile.
pub(crate) fn a_running_job_is_not_saved(place: &Place) {
    place.write("job.sql", COUNTS);
    place.ok("topic create orders --partitions 2");
    produce(place, 0..100);
    let mut running = place.start("run job.sql --job runs --state first");
    let deadline = Instant::now() + PATIENCE;
    while !place.ok("topic list").contains("counts") || totals(place).0 < 100 {
        assert!(Instant::now() < deadline, "the job does nothing");
    }
    let says = ["job \"runs\" is running", "Stop all its processes"];
    refused(place, "savepoint job.sql --job runs --to running --state second", 4, &says);
    // The job has not noticed.
    produce(place, 100..200);
    while totals(place).0 < 200 {
        assert!(Instant::now() < deadline, "the job stands still");
    }
    running.signal("INT");
    assert_eq!(running.wait().code, 0);
    // On a machine that has nothing of it.
    place.ok("savepoint job.sql --job runs --to running --state second");
}
