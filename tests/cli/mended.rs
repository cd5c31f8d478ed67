//! Jobs that fail, and go on once the cause is mended: with all they had, and nothing twice.

use crate::command::{Done, Place};
use crate::jobs::{COUNTS, expected, produce, totals};
use std::fs::{File, OpenOptions};
use std::process::Stdio;

const RUN: &str = "run job.sql --exit-when-idle";
const STATE: &str = "millstream-data/state/job";

/// What is done to a job between two runs, how it then fails, and how that is mended.
struct Cause {
    name: &'static str,
    /// What `topic create counts` is given.
    counts: &'static str,
    spoil: fn(&Place),
    code: i32,
    says: &'static [&'static str],
    mend: fn(&Place),
    /// Orders that come in beside those of [`produce`], without an amount.
    more: u64,
}

fn order(place: &Place, json: &str) {
    let done = place.run_on("topic produce orders --format json", &format!("{json}\n"));
    assert_eq!(done.code, 0, "{done:?}");
}

const CAUSES: [Cause; 5] = [
    Cause {
        name: "a record that can't be decoded",
        counts: "",
        spoil: |place| order(place, "{\"customer\": \"c1\", \"amount\": \"many\"}"),
        code: 4,
        says: &["topic orders, partition 0, offset 700", "'scan.bad-records' = 'skip'"],
        mend: |place| {
            let skips = "'scan.bad-records' = 'skip', 'scan.startup.mode'";
            place.write("job.sql", COUNTS.replacen("'scan.startup.mode'", skips, 1));
        },
        more: 0,
    },
    Cause {
        name: "a row that is larger than its topic takes",
        counts: " --config max.message.bytes=2000",
        spoil: |place| {
            order(place, &format!("{{\"customer\": \"{}\", \"amount\": 0}}", "long".repeat(1_000)));
        },
        code: 4,
        says: &["counts", "larger than the topic takes (2000 bytes)", "max.message.bytes"],
        mend: |place| {
            place.ok("topic delete counts");
            place.ok("topic create counts --partitions 1 --config cleanup.policy=compact");
        },
        more: 1,
    },
    Cause {
        name: "a state directory that is damaged",
        counts: "",
        spoil: |place| place.write(&format!("{STATE}/instance"), [0; 17]),
        code: 5,
        says: &["state directory", "is damaged", "\"instance\"", "delete it to restore it from the journal"],
        mend: |place| std::fs::remove_dir_all(place.path().join(STATE)).unwrap(),
        more: 0,
    },
    Cause {
        name: "a state directory that is none",
        counts: "",
        spoil: |place| {
            std::fs::rename(place.path().join(STATE), place.path().join("kept")).unwrap();
            place.write(STATE, "");
        },
        code: 4,
        says: &["state directory", "millstream-data/state/job"],
        mend: |place| {
            std::fs::remove_file(place.path().join(STATE)).unwrap();
            std::fs::rename(place.path().join("kept"), place.path().join(STATE)).unwrap();
        },
        more: 0,
    },
    Cause {
        name: "a setting that is none",
        counts: "",
        spoil: |place| place.write("job.sql", format!("SET 'millstream.memory' = '5 mb';\n{COUNTS}")),
        code: 3,
        says: &["'millstream.memory'"],
        mend: |place| place.write("job.sql", COUNTS),
        more: 0,
    },
];

#[test]
fn a_job_that_failed_goes_on_once_the_cause_is_mended() {
    for cause in CAUSES {
        let name = cause.name;
        let place = Place::new();
        place.write("job.sql", COUNTS);
        place.ok("topic create orders --partitions 1");
        place.ok(&format!(
            "topic create counts --partitions 1 --config cleanup.policy=compact{}",
            cause.counts
        ));
        produce(&place, 0..700);
        place.ok(RUN);
        assert_eq!(totals(&place), expected(700), "{name}");
        (cause.spoil)(&place);
        produce(&place, 700..1_400);
        // It fails as often as it is started, and loses nothing by it.
        for _ in 0..2 {
            let failed = place.run(RUN);
            assert_eq!(failed.code, cause.code, "{name}: {failed:?}");
            for part in cause.says {
                assert!(failed.err.contains(part), "{name}: {part} is missing in\n{}", failed.err);
            }
        }
        (cause.mend)(&place);
        place.ok(RUN);
        let (orders, amount) = expected(1_400);
        assert_eq!(totals(&place), (orders + cause.more, amount), "{name}");
    }
}

/// Counts orders, and prints each.
fn printing() -> String {
    format!(
        "{COUNTS}
CREATE TABLE shown (customer STRING, amount INT) WITH ('connector' = 'print');
INSERT INTO shown SELECT customer, amount FROM orders;
"
    )
}

/// Rows that nobody could read were counted as printed, and the job ended well.
fn printing_ends_with_the_reason(stdout: impl Fn() -> Stdio, reason: &str) {
    let place = Place::new();
    place.write("job.sql", printing());
    place.ok("topic create orders --partitions 1");
    produce(&place, 0..700);
    let failed: Done = place.run_into(RUN, stdout());
    assert_eq!(failed.code, 4, "{failed:?}");
    for part in ["standard output takes nothing more", reason, "were not printed"] {
        assert!(failed.err.contains(part), "{part} is missing in\n{}", failed.err);
    }
    produce(&place, 700..1_400);
    let out = place.ok(RUN);
    assert!(out.lines().count() >= 700, "{}", out.lines().count());
    assert_eq!(totals(&place), expected(1_400));
}

#[test]
fn a_job_whose_output_nobody_reads_ends_with_the_reason_and_goes_on() {
    printing_ends_with_the_reason(
        || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer.into()
        },
        "Broken pipe",
    );
}

#[test]
fn a_job_whose_output_has_no_room_ends_with_the_reason_and_goes_on() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    if File::open("/dev/full").is_ok() {
        printing_ends_with_the_reason(|| full().into(), "No space left on device");
    }
}
