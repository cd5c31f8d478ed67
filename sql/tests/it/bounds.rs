//! Texts that a planner could die of, or never end with.

use millstream_sql::error::code;
use millstream_sql::{SqlErrors, SqlJob, plan};
use std::fmt::Write;

const TABLES: &str =
    "CREATE TABLE t (k STRING, v INT, b BOOLEAN) WITH ('connector'='kafka','topic'='t','format'='json');\n";

fn planned(query: &str) -> Result<SqlJob, SqlErrors> {
    plan("f.sql", &format!("{TABLES}EXPLAIN {query};"))
}

#[track_caller]
fn is_too_large(query: &str) {
    let errors = planned(query).expect_err("too large");
    let error = &errors.errors[0];
    assert_eq!(error.code, code::TOO_LARGE, "{}", errors.to_string().chars().take(2_000).collect::<String>());
    assert!(error.span.end <= errors.text.len() && error.help.is_some());
}

fn joined(term: impl Fn(usize) -> String, between: &str, count: usize) -> String {
    (0..count).map(term).collect::<Vec<_>>().join(between)
}

#[test]
fn conditions_of_thousands_of_terms_are_planned() {
    for operator in [" OR ", " AND "] {
        planned(&format!("SELECT k FROM t WHERE {}", joined(|n| format!("v = {n}"), operator, 3_000)))
            .unwrap();
    }
    let mixed = joined(|n| format!("v > {n} AND v < {}", n + 2), " OR ", 2_000);
    planned(&format!("SELECT CASE WHEN {mixed} THEN 1 ELSE 2 END FROM t WHERE NOT ({mixed})")).unwrap();
    planned(&format!("SELECT k FROM t WHERE v IN ({})", joined(|n| n.to_string(), ", ", 5_000))).unwrap();
    let case = joined(|n| format!("WHEN v = {n} THEN {n}"), " ", 2_000);
    planned(&format!("SELECT CASE {case} ELSE 0 END FROM t")).unwrap();
}

#[test]
fn expressions_of_thousands_of_levels_are_refused_at_their_place() {
    for operator in [" + ", " - ", " * "] {
        is_too_large(&format!("SELECT {} FROM t", joined(|_| "v".to_owned(), operator, 3_000)));
    }
    is_too_large(&format!("SELECT {} FROM t", joined(|_| "k".to_owned(), " || ", 40_000)));
    is_too_large(&format!("SELECT v{} FROM t", " IS NULL".repeat(3_000)));
    is_too_large(&format!("SELECT {}b FROM t", "NOT ".repeat(3_000)));
    is_too_large(&format!("SELECT {}v FROM t", "- ".repeat(3_000)));
    is_too_large(&format!("SELECT {}v{} FROM t", "(".repeat(3_000), ")".repeat(3_000)));
    is_too_large(&format!("SELECT {}k{} FROM t", "UPPER(".repeat(3_000), ")".repeat(3_000)));
    is_too_large(&format!("SELECT {}v{} FROM t", "CASE WHEN b THEN ".repeat(3_000), " END".repeat(3_000)));
    is_too_large(&format!("SELECT k FROM {}t{}", "(SELECT * FROM ".repeat(3_000), ")".repeat(3_000)));
    is_too_large(&format!("SELECT v{} FROM t", "[1]".repeat(3_000)));
    is_too_large(&format!("SELECT k FROM t{}", " UNION ALL SELECT k FROM t".repeat(3_000)));
    is_too_large(&format!(
        "SELECT t.k FROM t{}",
        joined(|n| format!(" JOIN t AS t{n} ON t.k = t{n}.k"), "", 3_000)
    ));
    is_too_large(&format!("SELECT k FROM t WHERE v IN ({})", joined(|n| n.to_string(), ", ", 100_000)));
    // As deep as it may be.
    planned(&format!("SELECT {} FROM t", joined(|_| "v".to_owned(), " + ", 200))).unwrap();
    planned(&format!("SELECT {}v{} FROM t", "(".repeat(150), ")".repeat(150))).unwrap();
}

#[test]
fn nested_casts_with_a_mistake_inside_are_read_once() {
    for depth in [20, 48, 100, 3_000] {
        let nested = |inner: &str| {
            format!("SELECT {}{inner}{} FROM t", "CAST(".repeat(depth), " AS INT)".repeat(depth))
        };
        match planned(&nested("v")) {
            Ok(_) => assert!(depth <= 100),
            Err(errors) => {
                assert!(depth == 3_000 && errors.errors[0].code == code::TOO_LARGE, "{depth}: {errors}")
            }
        }
        let errors = planned(&nested("v v v")).expect_err("wrong");
        assert!([code::SYNTAX, code::TOO_LARGE].contains(&errors.errors[0].code));
        for call in ["SUBSTRING", "TRIM", "CEIL", "POSITION", "EXTRACT", "OVERLAY", "INTERVAL", "ARRAY", "f"]
        {
            let call = format!("{call}(").repeat(depth);
            planned(&format!("SELECT {call} v v v {} FROM t", ")".repeat(depth))).expect_err("wrong");
        }
    }
}

#[test]
fn views_that_read_views_are_planned_or_refused_by_the_size_of_what_they_amount_to() {
    let mut chain = TABLES.to_owned() + "CREATE VIEW v0 AS SELECT * FROM t;\n";
    for view in 1..5_000 {
        let _ = writeln!(chain, "CREATE VIEW v{view} AS SELECT * FROM v{};", view - 1);
    }
    let errors = plan("f.sql", &format!("{chain}EXPLAIN SELECT * FROM v4999;")).unwrap_err();
    assert_eq!((errors.errors.len(), errors.errors[0].code), (1, code::TOO_LARGE));
    let marked = &errors.text[errors.errors[0].span.start..errors.errors[0].span.end];
    assert!(marked.starts_with('v'), "{marked}");
    // Each reads the one before twice.
    let mut doubled = TABLES.to_owned() + "CREATE VIEW v0 AS SELECT k FROM t;\n";
    let mut with = "WITH w0 AS (SELECT k FROM t)".to_owned();
    for view in 1..60 {
        let before = view - 1;
        let _ = writeln!(
            doubled,
            "CREATE VIEW v{view} AS SELECT a.k FROM v{before} AS a JOIN v{before} AS b ON a.k = b.k;"
        );
        let _ =
            write!(with, ", w{view} AS (SELECT a.k FROM w{before} AS a JOIN w{before} AS b ON a.k = b.k)");
    }
    let errors = plan("f.sql", &format!("{doubled}EXPLAIN SELECT * FROM v59;")).unwrap_err();
    assert_eq!((errors.errors.len(), errors.errors[0].code), (1, code::TOO_LARGE));
    is_too_large(&format!("{with} SELECT * FROM w59"));
    // Some are fine.
    let few: String = chain.lines().take(102).map(|line| format!("{line}\n")).collect();
    plan("f.sql", &format!("{few}EXPLAIN SELECT * FROM v100;")).unwrap();
}

#[test]
fn texts_of_any_size_and_depth_end_with_an_error() {
    for text in [
        "(".repeat(100_000),
        "'".repeat(100_001),
        "`".repeat(100_001),
        "/*".repeat(50_000),
        "SELECT ".repeat(50_000),
        ";".repeat(100_000) + "x",
        "CREATE TABLE t (a ".to_owned() + &"ARRAY<".repeat(50_000),
        "CREATE TABLE t (a ".to_owned() + &"ROW<a ".repeat(50_000),
        "EXPLAIN ".repeat(50_000),
        "INSERT INTO t SELECT 1;\n".repeat(3_000),
        "BEGIN STATEMENT SET; ".repeat(20_000),
        "\u{feff}\u{feff}\u{0}\u{1b}[2J\u{202e}".to_owned(),
        format!("{TABLES}INSERT INTO t SELECT '{}' FROM t;", "x".repeat(1 << 20)),
    ] {
        let errors = plan("f.sql", &text).unwrap_err();
        let shown = errors.to_string();
        assert!(shown.starts_with("f.sql:") && shown.len() < 200_000, "{}", shown.len());
    }
}
