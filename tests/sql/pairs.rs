//! Every pair of a kind of stream and an operator: it runs and what it has written is the batch answer, or it is refused.
//!
//! A query of [`OPERATORS`] reads columns `id`, `g`, `v` and, where there is one, the time `ts` of a relation of
//! [`RELATIONS`]. Its rows come out as a bag: each with its number, so that a row too many or too few shows whatever the
//! stream. What is refused is refused with the message that the snapshot has. `pairs_flink.txt` has what Flink 2.3 answered
//! to many of the same queries, in batch mode over the rows that are there in the end.

use crate::{Case, Change, batch, sorted, streaming};
use millstream::sql;
use serde_json::Value;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

const TABLES: &str = "
CREATE TABLE t (id STRING, g STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE u (id STRING, g STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE two (id STRING, g STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR, PRIMARY KEY (id, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'two', 'key.format' = 'json', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE d (id STRING, g STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'kafka', 'topic' = 'd', 'format' = 'debezium-json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE names (g STRING, name STRING, PRIMARY KEY (g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'names', 'key.format' = 'raw', 'value.format' = 'json', 'scan.bounded.mode' = 'latest-offset');
CREATE TABLE bag (a STRING, b STRING, c BIGINT, n BIGINT, PRIMARY KEY (a, b, c) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bag', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE added (a STRING, b STRING, c BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'added', 'format' = 'json');
CREATE TABLE moves (id STRING, g STRING, v BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'moves', 'format' = 'debezium-json');
CREATE TABLE by_id (id STRING, g STRING, v BIGINT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_id', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_both (id STRING, g STRING, v BIGINT, PRIMARY KEY (id, g) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_both', 'key.format' = 'json', 'value.format' = 'json');
CREATE VIEW renamed AS SELECT UPPER(id) AS id, g, v, ts FROM u;
CREATE VIEW groups AS SELECT id, MAX(g) AS g, SUM(v) AS v FROM t GROUP BY id;
CREATE VIEW changed AS SELECT id, g, v FROM u WHERE v > 2;
CREATE VIEW distinct_rows AS SELECT DISTINCT id, g, v FROM t;
CREATE VIEW keyless AS SELECT CONCAT(id, '') AS id, g, v FROM groups WHERE v < 100;
CREATE VIEW named AS SELECT u.id, n.name AS g, u.v FROM u JOIN names AS n ON u.g = n.g;
CREATE VIEW padded AS SELECT t.id, COALESCE(n.name, 'none') AS g, t.v FROM t LEFT JOIN names AS n ON t.g = n.g;
CREATE VIEW windowed AS
SELECT id, MAX(g) AS g, SUM(v) AS v, window_time AS ts
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY id, window_start, window_end, window_time;
";

/// Relations, by what their streams are.
const RELATIONS: &[(&str, &str)] = &[
    ("append", "t"),
    ("append of windows", "windowed"),
    ("upsert", "u"),
    ("upsert by two", "two"),
    ("upsert, key renamed", "renamed"),
    ("upsert, filtered", "changed"),
    ("changelog by key", "groups"),
    ("append of distinct rows", "distinct_rows"),
    ("changelog without a key", "keyless"),
    ("changelog of a join", "named"),
    ("changelog of an outer join", "padded"),
    ("changelog of a table", "d"),
];

/// Queries over a relation `r`, with columns `a`, `b` and `c`.
const OPERATORS: &[(&str, &str)] = &[
    ("all columns", "SELECT id AS a, g AS b, v AS c FROM r"),
    ("without the key", "SELECT '' AS a, g AS b, v AS c FROM r"),
    ("half of the key", "SELECT id AS a, '' AS b, v AS c FROM r"),
    ("computed", "SELECT UPPER(id) AS a, LOWER(g) AS b, v * 2 AS c FROM r"),
    ("constants", "SELECT '' AS a, '' AS b, 1 AS c FROM r"),
    ("twice", "SELECT g AS a, g AS b, v AS c FROM r"),
    ("filter", "SELECT id AS a, g AS b, v AS c FROM r WHERE v > 3"),
    ("filter by what is not selected", "SELECT '' AS a, g AS b, 1 AS c FROM r WHERE v > 3 AND id <> 'b'"),
    (
        "filters in layers",
        "SELECT '' AS a, b, 1 AS c FROM (SELECT g AS b, v AS c FROM r WHERE id <> 'b') AS x WHERE c > 1",
    ),
    ("count of all", "SELECT '' AS a, '' AS b, COUNT(*) AS c FROM r"),
    ("sum of all", "SELECT '' AS a, '' AS b, SUM(v) AS c FROM r WHERE v < 100"),
    ("count by g", "SELECT '' AS a, g AS b, COUNT(*) AS c FROM r GROUP BY g"),
    ("sum by g", "SELECT '' AS a, g AS b, SUM(v) AS c FROM r GROUP BY g"),
    ("least by g", "SELECT '' AS a, g AS b, MIN(v) AS c FROM r GROUP BY g"),
    ("largest by g", "SELECT MAX(id) AS a, g AS b, MAX(v) AS c FROM r GROUP BY g"),
    ("average by g", "SELECT '' AS a, g AS b, AVG(v) AS c FROM r GROUP BY g"),
    ("distinct count by g", "SELECT '' AS a, g AS b, COUNT(DISTINCT v) AS c FROM r GROUP BY g"),
    ("filtered count by g", "SELECT '' AS a, g AS b, COUNT(*) FILTER (WHERE v > 2) AS c FROM r GROUP BY g"),
    ("count by an expression", "SELECT UPPER(g) AS a, '' AS b, COUNT(*) AS c FROM r GROUP BY UPPER(g)"),
    ("count by key", "SELECT id AS a, '' AS b, COUNT(*) AS c FROM r GROUP BY id"),
    ("count by key and more", "SELECT id AS a, g AS b, COUNT(*) AS c FROM r GROUP BY g, id"),
    ("having", "SELECT '' AS a, g AS b, COUNT(*) AS c FROM r GROUP BY g HAVING COUNT(*) > 1"),
    (
        "groups of groups",
        "SELECT '' AS a, '' AS b, SUM(n * n) AS c FROM (SELECT g, COUNT(*) AS n FROM r GROUP BY g) AS x",
    ),
    ("distinct g", "SELECT DISTINCT '' AS a, g AS b, 0 AS c FROM r"),
    ("count of distinct", "SELECT '' AS a, '' AS b, COUNT(*) AS c FROM (SELECT DISTINCT g FROM r) AS x"),
    ("part of distinct", "SELECT '' AS a, g AS b, 0 AS c FROM (SELECT DISTINCT g, v FROM r) AS x"),
    ("join, left, by key", "SELECT r.id AS a, t.g AS b, r.v + t.v AS c FROM r JOIN t ON r.id = t.id"),
    ("join, right, by key", "SELECT t.id AS a, t.g AS b, r.v - t.v AS c FROM t JOIN r ON t.id = r.id"),
    ("join, left, by g", "SELECT r.id AS a, t.id AS b, r.v + t.v AS c FROM r JOIN t ON r.g = t.g"),
    ("join, right, by g, without its key", "SELECT t.id AS a, '' AS b, r.v AS c FROM t JOIN r ON t.g = r.g"),
    (
        "join with an upsert table by its key",
        "SELECT r.id AS a, n.name AS b, r.v AS c FROM r JOIN names AS n ON r.g = n.g",
    ),
    (
        "left join",
        "SELECT r.id AS a, COALESCE(n.name, '-') AS b, r.v AS c FROM r LEFT JOIN names AS n ON r.g = n.g",
    ),
    (
        "right join",
        "SELECT COALESCE(r.g, '-') AS a, n.name AS b, COALESCE(r.v, 0) AS c FROM r RIGHT JOIN names AS n ON r.g = n.g",
    ),
    (
        "full join",
        "SELECT COALESCE(r.id, '-') AS a, COALESCE(n.name, '-') AS b, COALESCE(r.v, 0) AS c FROM r FULL JOIN names AS n ON r.g = n.g",
    ),
    ("join with a condition", "SELECT r.id AS a, t.id AS b, 0 AS c FROM r JOIN t ON r.g = t.g AND r.v < t.v"),
    ("join with itself", "SELECT r.id AS a, s.id AS b, s.v AS c FROM r JOIN r AS s ON r.g = s.g"),
    ("intersect all", "SELECT id AS a, g AS b, v AS c FROM r INTERSECT ALL SELECT id, g, v FROM t"),
    ("except all", "SELECT '' AS a, g AS b, v AS c FROM r EXCEPT ALL SELECT '', g, v FROM t WHERE v > 3"),
    ("in, below or", "SELECT id AS a, g AS b, v AS c FROM r WHERE g IN (SELECT g FROM names) OR v > 3"),
    (
        "in, as a value",
        "SELECT id AS a, CAST(g IN (SELECT g FROM names) AS STRING) AS b, v AS c FROM r WHERE v IS NOT NULL",
    ),
    (
        "in, of it, as a value",
        "SELECT g AS a, CAST(g IN (SELECT g FROM r) AS STRING) AS b, 0 AS c FROM names",
    ),
    (
        "over in any order",
        "SELECT id AS a, g AS b, SUM(v) OVER (PARTITION BY g ORDER BY v DESC, id) AS c FROM r",
    ),
    (
        "interval join",
        "SELECT r.id AS a, t.id AS b, t.v AS c FROM r JOIN t ON r.g = t.g AND r.ts BETWEEN t.ts - INTERVAL '10' SECONDS AND t.ts",
    ),
    (
        "tumbling windows",
        "SELECT g AS a, CAST(window_start AS STRING) AS b, SUM(v) AS c FROM TABLE(TUMBLE(TABLE r, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY window_start, window_end, g",
    ),
    (
        "windows of all",
        "SELECT '' AS a, CAST(window_end AS STRING) AS b, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE r, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY window_start, window_end",
    ),
    (
        "hopping windows",
        "SELECT '' AS a, CAST(window_start AS STRING) AS b, MAX(v) AS c FROM TABLE(HOP(TABLE r, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '20' SECONDS)) GROUP BY window_start, window_end",
    ),
    (
        "windows, filtered",
        "SELECT g AS a, '' AS b, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE r, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) WHERE v > 2 GROUP BY window_start, window_end, g",
    ),
];

/// Statements that write a relation `r` as it is.
const SINKS: &[(&str, &str)] = &[
    ("append table", "INSERT INTO added SELECT id, g, v FROM r"),
    ("table of changes", "INSERT INTO moves SELECT id, g, v FROM r"),
    ("upsert table by id", "INSERT INTO by_id SELECT id, g, v FROM r"),
    ("upsert table by id and g", "INSERT INTO by_both SELECT id, g, v FROM r"),
];

const T: &[&str] = &[
    r#"{"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"}"#,
    r#"{"id": "b", "g": "x", "v": 2, "ts": "2023-01-01 00:00:12"}"#,
    r#"{"id": "a", "g": "y", "v": 3, "ts": "2023-01-01 00:00:03"}"#,
    r#"{"id": "c", "g": "z", "v": 4, "ts": "2023-01-01 00:00:25"}"#,
    r#"{"id": "b", "g": "y", "v": 5, "ts": "2023-01-01 00:00:21"}"#,
    r#"{"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"}"#,
    r#"{"id": "d", "g": "w", "v": 6, "ts": "2023-01-01 00:00:09"}"#,
];

const U: &[&str] = &[
    r#"{"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"}"#,
    r#"{"id": "b", "g": "x", "v": 2, "ts": "2023-01-01 00:00:02"}"#,
    r#"{"id": "c", "g": "y", "v": 3, "ts": "2023-01-01 00:00:13"}"#,
    r#"{"id": "d", "g": "x", "v": 4, "ts": "2023-01-01 00:00:14"}"#,
    // The row moves to another group, to another window, to both, and goes.
    r#"{"id": "b", "g": "y", "v": 2, "ts": "2023-01-01 00:00:02"}"#,
    r#"{"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:24"}"#,
    r#"{"id": "d", "g": "z", "v": 9, "ts": "2023-01-01 00:00:31"}"#,
    r#"{"id": "e", "g": "x", "v": 5, "ts": "2023-01-01 00:00:05"}"#,
    r#"{"id": "f", "g": "z", "v": 5, "ts": "2023-01-01 00:00:06"}"#,
    r#"- {"id": "e"}"#,
    r#"{"id": "b", "g": "x", "v": 3, "ts": "2023-01-01 00:00:02"}"#,
    r#"- {"id": "nobody"}"#,
];

const TWO: &[&str] = &[
    r#"{"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"}"#,
    r#"{"id": "a", "g": "y", "v": 2, "ts": "2023-01-01 00:00:02"}"#,
    r#"{"id": "b", "g": "x", "v": 3, "ts": "2023-01-01 00:00:13"}"#,
    r#"{"id": "b", "g": "y", "v": 4, "ts": "2023-01-01 00:00:14"}"#,
    r#"{"id": "a", "g": "x", "v": 5, "ts": "2023-01-01 00:00:21"}"#,
    r#"{"id": "c", "g": "z", "v": 6, "ts": "2023-01-01 00:00:22"}"#,
    r#"- {"id": "b", "g": "x"}"#,
    r#"{"id": "c", "g": "z", "v": 7, "ts": "2023-01-01 00:00:22"}"#,
];

const D: &[&str] = &[
    r#"{"op": "r", "after": {"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"}}"#,
    r#"{"op": "c", "after": {"id": "b", "g": "x", "v": 2, "ts": "2023-01-01 00:00:02"}}"#,
    r#"{"op": "c", "after": {"id": "c", "g": "y", "v": 3, "ts": "2023-01-01 00:00:13"}}"#,
    r#"{"op": "u", "before": {"id": "b", "g": "x", "v": 2, "ts": "2023-01-01 00:00:02"},
        "after": {"id": "b", "g": "y", "v": 2, "ts": "2023-01-01 00:00:02"}}"#,
    r#"{"op": "u", "before": {"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:01"},
        "after": {"id": "a", "g": "x", "v": 1, "ts": "2023-01-01 00:00:24"}}"#,
    r#"{"op": "c", "after": {"id": "e", "g": "x", "v": 5, "ts": "2023-01-01 00:00:05"}}"#,
    r#"{"op": "d", "before": {"id": "e", "g": "x", "v": 5, "ts": "2023-01-01 00:00:05"}, "after": null}"#,
    r#"{"op": "c", "after": {"id": "e", "g": "z", "v": 9, "ts": "2023-01-01 00:00:31"}}"#,
];

const NAMES: &[&str] = &[
    r#"{"g": "x", "name": "cross"}"#,
    r#"{"g": "y", "name": "fork"}"#,
    r#"{"g": "z", "name": "fork"}"#,
    r#"{"g": "x", "name": "kiss"}"#,
    r#"{"g": "q", "name": "question"}"#,
    r#"- {"g": "z"}"#,
    r#"{"g": "z", "name": "snake"}"#,
];

fn case(statement: &str, relation: &str) -> Case {
    // `r` stands for the relation wherever it is a name of its own.
    let named = format!("CREATE VIEW r AS SELECT * FROM {relation};");
    let rows = [("t", T), ("u", U), ("two", TWO), ("d", D), ("names", NAMES)]
        .map(|(table, lines)| (table.to_owned(), lines.iter().map(|line| Change::parse(line)).collect()));
    Case {
        sql: format!("{TABLES}{named}\n{statement};"),
        rows: rows.into(),
        recorded: Default::default(),
        late: None,
    }
}

/// Runs a statement over a relation; "right", or what it is refused with.
fn outcome(name: &str, case: &Case) -> String {
    if let Err(errors) = sql::plan(name, &case.sql) {
        let messages = errors.errors.iter().map(|error| error.message.clone());
        return format!("refused: {}", messages.collect::<Vec<_>>().join("; "));
    }
    let wanted = batch::answers(case);
    if let Some(recorded) = recorded(name) {
        let mut rows: Vec<String> = wanted["bag"].iter().map(as_flink_prints).collect();
        rows.sort();
        assert_eq!(rows.join("; "), recorded, "{name}, as Flink has it");
    }
    // Windows of input that goes on stay open.
    let has_windows = case.sql.contains("CREATE VIEW r AS SELECT * FROM windowed")
        || case.sql.contains("TABLE r, DESCRIPTOR");
    let found = match has_windows {
        true => streaming::run(name, case, 3),
        false => streaming::run_stepwise(name, case, 3, 3),
    };
    for (table, wanted) in &wanted {
        assert_eq!(sorted(found[table].clone()), sorted(wanted.clone()), "{name}");
    }
    "right".to_owned()
}

/// What Flink answered, if it was asked.
fn recorded(name: &str) -> Option<&'static str> {
    include_str!("pairs_flink.txt").lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn as_flink_prints(row: &Value) -> String {
    let text = |column: &str| match &row[column] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // The text of a time is another test's.
    let b = text("b");
    let b = if b.starts_with("20") { b.replace('T', " ").trim_end_matches(".000").to_owned() } else { b };
    [text("a"), b, text("c"), text("n")].join(", ")
}

#[test]
fn every_pair_of_stream_and_operator_is_right_or_refused() {
    let of_operator = |(operator, query): &(&str, &str)| {
        let mut table = format!("{operator}\n");
        let statement =
            format!("INSERT INTO bag SELECT a, b, c, COUNT(*) FROM ({query}) AS q GROUP BY a, b, c");
        for (kind, relation) in RELATIONS {
            let outcome = outcome(&format!("{operator} / {kind}"), &case(&statement, relation));
            let _ = writeln!(table, "  {kind:<28} {outcome}");
        }
        table
    };
    let next = AtomicUsize::new(0);
    let mut tables: Vec<(usize, String)> = std::thread::scope(|scope| {
        let work = || {
            let places = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
            let operators = places.map_while(|place| Some((place, OPERATORS.get(place)?)));
            operators.map(|(place, operator)| (place, of_operator(operator))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    tables.sort();
    let table: String = tables.into_iter().map(|(_, table)| table).collect();
    insta::assert_snapshot!(table);
}

#[test]
fn every_pair_of_stream_and_sink_is_right_or_refused() {
    let mut table = String::new();
    for (sink, statement) in SINKS {
        let _ = writeln!(table, "{sink}");
        for (kind, relation) in RELATIONS {
            let outcome = outcome(&format!("{sink} / {kind}"), &case(statement, relation));
            let _ = writeln!(table, "  {kind:<28} {outcome}");
        }
    }
    insta::assert_snapshot!(table);
}
