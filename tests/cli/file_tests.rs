//! `millstream test`: tests that stand in SQL files.

use crate::command::Place;
use std::path::Path;

const JOB: &str = "\
CREATE TABLE clicks (page STRING, at TIMESTAMP_LTZ(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE views (page STRING, w TIMESTAMP(3), n BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'views', 'format' = 'json');
INSERT INTO views SELECT page, window_start, COUNT(*)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)) GROUP BY page, window_start, window_end;
";

const TEST: &str = "
-- @test a minute is counted once it is over, whatever happens meanwhile
-- PARTITIONS clicks 2
-- INPUT clicks
--   {\"page\": \"home\", \"at\": \"2026-01-01T10:00:05Z\"}
--   {\"page\": \"home\", \"at\": \"2026-01-01T10:00:30Z\"}
-- CRASH
-- ADVANCE TO '2026-01-01 10:00:59'
-- EXPECT views
-- ADVANCE TO '2026-01-01 10:01:00'
-- EXPECT views
--   {\"page\":\"home\",\"w\":\"2026-01-01 10:00:00\",\"n\":#}
";

fn job(test: &str) -> Place {
    let place = Place::new();
    place.write("job.sql", format!("{JOB}{test}"));
    place
}

#[test]
fn tests_in_a_file_run_without_a_broker() {
    let place = job(&TEST.replace('#', "2"));
    let out = place.ok("test job.sql --junit results.xml");
    assert!(
        out.starts_with("ok      job.sql:8 a minute is counted") && out.ends_with("1 passed, 0 failed\n"),
        "{out}"
    );
    let results = std::fs::read_to_string(place.path().join("results.xml")).unwrap();
    assert!(results.contains("tests=\"1\" failures=\"0\""), "{results}");
    assert!(!place.path().join("millstream-data").exists());
    assert!(place.ok("test job.sql --filter nothing").starts_with("0 passed"));
}

#[test]
fn a_test_that_fails_shows_what_is_otherwise_and_ends_with_1() {
    let place = job(&TEST.replace('#', "3"));
    let done = place.run("test job.sql --junit results.xml");
    assert_eq!(done.code, 1, "{done:?}");
    for part in
        ["FAILED  job.sql:8", "line 17: EXPECT views", "    - {", "    + {", "\"n\":2", "0 passed, 1 failed"]
    {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let results = std::fs::read_to_string(place.path().join("results.xml")).unwrap();
    assert!(results.contains("<failure message=\"line 17: EXPECT views\">"), "{results}");
}

#[test]
fn a_wrong_test_is_a_wrong_command_with_its_line() {
    for (test, part) in [
        ("-- @test x\n-- EXPECT nowhere\n", "no such table; it has views"),
        ("-- @test x\n-- INPUT clicks PARTITION 1\n--   {}\n", "write PARTITIONS clicks 2"),
    ] {
        let done = job(test).run("test job.sql");
        assert!(done.code == 1 && done.out.contains(part), "{part}: {done:?}");
    }
    let done = job("-- @test x\n-- ADVANCE SOON\n").run("test job.sql");
    assert!(done.code == 2 && done.err.contains("job.sql:8: expected ADVANCE TO"), "{done:?}");
    assert_eq!(Place::new().run("test nothing.sql").code, 4);
}

#[test]
fn the_tests_of_the_flights_pass() {
    let flights = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flights/flights.sql");
    let out = Place::new().ok(&format!("test {}", flights.display()));
    assert!(out.ends_with("2 passed, 0 failed\n"), "{out}");
}
