//! SQL between typed streams: a query over rows of a program, whose rows are a stream of the program again.

use millstream::sql::functions::Functions;
use millstream::testing;
use millstream::typed::Program;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Click {
    page: String,
    ms: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Slow {
    page: String,
    seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PerPage {
    page: String,
    clicks: i64,
}

const CLICKS: &str = "CREATE TABLE clicks (page STRING, ms BIGINT NOT NULL, at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL";

fn with(topic: &str) -> String {
    format!("WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = 'json');")
}

fn planned(text: &str) -> millstream::Topology {
    let mut functions = Functions::new();
    functions.scalar("seconds", 1, |ms: i64| ms as f64 / 1_000.0).unwrap();
    functions.plan("job.sql", text).unwrap_or_else(|errors| panic!("{errors}")).topology
}

#[test]
fn a_query_over_a_stream_is_a_stream_and_what_it_writes_elsewhere_is_written() {
    let program = Program::new();
    let clicks = program.read::<Click>("raw").filter(|click| !click.page.starts_with('_'));
    let sql = planned(&format!(
        "{CLICKS}) {} CREATE TABLE slow (page STRING, seconds DOUBLE) {} CREATE TABLE pages (page STRING, n BIGINT, PRIMARY KEY \
         (page) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'pages', 'key.format' = 'raw', 'value.format' = \
         'json'); INSERT INTO slow SELECT UPPER(page), seconds(ms) FROM clicks WHERE ms > 100; INSERT INTO pages SELECT page, \
         COUNT(*) FROM clicks GROUP BY page;",
        with("clicks"),
        with("slow"),
    ));
    let included = program.include(&sql).feed("clicks", clicks).streams(&["slow"]);
    included.stream::<Slow>("slow").map(|slow| format!("{} {}", slow.page, slow.seconds)).to("shown");
    let topology = program.topology().unwrap();
    testing::run(&topology, &[("raw", 2)], |job| {
        for (page, ms) in [("home", 1_500), ("_hidden", 9_000), ("help", 20), ("home", 250)] {
            job.pipe("raw", &Click { page: page.to_owned(), ms }, 1_000);
            job.crash_and_restore();
        }
        let mut shown = job.read::<String>("shown");
        shown.sort();
        assert_eq!(shown, ["HOME 0.25", "HOME 1.5"]);
        let pages: std::collections::BTreeMap<String, serde_json::Value> = job.table("pages");
        let counts: Vec<String> = pages.iter().map(|(page, row)| format!("{page} {}", row["n"])).collect();
        assert_eq!(counts, ["help 1", "home 2"]);
    });
}

#[test]
fn event_time_goes_through_a_query_and_its_windows_close_by_the_streams_watermark() {
    let program = Program::new();
    let clicks = program.source::<Click>("raw").event_time(|click| click.ms, Duration::from_secs(1)).stream();
    let sql = planned(&format!(
        "{CLICKS}, WATERMARK FOR at AS at) {} CREATE TABLE counts (page STRING, clicks BIGINT) {} INSERT INTO counts SELECT page, \
         COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '10' SECOND)) GROUP BY page, window_start, \
         window_end;",
        with("clicks"),
        with("counts"),
    ));
    let counts =
        program.include(&sql).feed("clicks", clicks).streams(&["counts"]).stream::<PerPage>("counts");
    counts
        .key_by(|count| count.page.clone())
        .reduce(|most, count| if count.clicks > most.clicks { count } else { most })
        .to("most");
    testing::run(&program.topology().unwrap(), &[("raw", 2)], |job| {
        for (page, ms) in [("home", 1_000), ("home", 2_000), ("help", 3_000), ("home", 12_000)] {
            job.pipe("raw", &Click { page: page.to_owned(), ms }, 7);
        }
        job.crash_and_restore();
        job.advance_watermark(9_000);
        assert!(job.table::<String, PerPage>("most").is_empty());
        job.advance_watermark(10_000);
        let most = job.table::<String, PerPage>("most");
        assert_eq!(most.values().map(|page| page.clicks).collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_row_that_is_none_of_the_table_stops_the_job_and_says_which_record_it_is() {
    let program = Program::new();
    let numbers =
        program.read::<Vec<i64>>("raw").map(|numbers| Click { page: "p".to_owned(), ms: numbers[0] });
    let clicks = numbers
        .map(|click| serde_json::json!({ "page": click.page, "ms": (click.ms > 0).then_some(click.ms) }));
    let sql = planned(&format!(
        "{CLICKS}) {} CREATE TABLE slow (page STRING, ms BIGINT) {} INSERT INTO slow SELECT page, ms FROM clicks;",
        with("clicks"),
        with("slow")
    ));
    let slow = program.include(&sql).feed("clicks", clicks).streams(&["slow"]);
    slow.stream::<Click>("slow").to("out");
    let topology = program.topology().unwrap();
    let mut driver = millstream::driver::TestDriver::new(&topology, &[("raw", 1), ("out", 1)]).unwrap();
    driver.produce("raw", 0, None, Some(b"[7]"), 5);
    driver.produce("raw", 0, None, Some(b"[-1]"), 5);
    let error = driver.run().unwrap_err().to_string();
    for part in ["topic raw, partition 0, offset 1", "row for table clicks", "ms"] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
}

#[test]
fn what_is_no_stream_of_insertions_is_refused_when_the_program_is_planned() {
    let plan = |table: &str, query: &str, streams: &[&str]| {
        let program = Program::new();
        let clicks = program.read::<Click>("raw");
        let sql = planned(&format!(
            "{table} CREATE TABLE counts (page STRING, n BIGINT, PRIMARY KEY (page) NOT ENFORCED) WITH ('connector' = \
             'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json'); CREATE TABLE slow (page STRING) \
             {} {query}",
            with("slow")
        ));
        let included = program.include(&sql).feed("clicks", clicks).streams(streams);
        streams.iter().for_each(|topic| included.stream::<serde_json::Value>(topic).to("out"));
        program.topology().unwrap_err().to_string()
    };
    let clicks = format!("{CLICKS}) {}", with("clicks"));
    let timed = format!("{CLICKS}, WATERMARK FOR at AS at) {}", with("clicks"));
    let placed = format!("{CLICKS}, p INT METADATA FROM 'partition' VIRTUAL) {}", with("clicks"));
    let slow = "INSERT INTO slow SELECT page FROM clicks;";
    let windowed = "INSERT INTO slow SELECT page FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' SECOND)) GROUP BY page, window_start, window_end;";
    let placed_query = "INSERT INTO slow SELECT CAST(p AS STRING) FROM clicks;";
    for (table, query, streams, part) in [
        (
            &clicks,
            "INSERT INTO counts SELECT page, COUNT(*) FROM clicks GROUP BY page;",
            &["counts"][..],
            "updates rows",
        ),
        (&timed, windowed, &["slow"], "no event time passes"),
        (&placed, placed_query, &["slow"], "the place of a record"),
        (&clicks, slow, &["slow", "nowhere"], "nowhere is no stream"),
    ] {
        let error = plan(table, query, streams);
        assert!(error.contains(part), "{query}: {part} is missing in {error}");
    }
}
