//! How joins are planned: what `EXPLAIN` shows of them.

use millstream::sql;

const TABLES: &str = "
CREATE TABLE a (id BIGINT, v INT, at TIMESTAMP(3), ends TIMESTAMP(3), WATERMARK FOR at AS at)
WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json');
CREATE TABLE b (id INT, w INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'b', 'format' = 'json');
CREATE TABLE u (id STRING, x INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json');
";

/// The lines of a plan with the given operators, in order.
fn explained(query: &str, operators: &[&str]) -> String {
    let job = sql::plan("plan.sql", &format!("{TABLES}{query}")).unwrap_or_else(|errors| panic!("{errors}"));
    let is_wanted = |line: &&str| operators.iter().any(|operator| line.contains(&format!("] {operator}: ")));
    let after_kind = |line: &str| line[line.find('[').unwrap_or(0)..].to_owned();
    job.explain.lines().filter(is_wanted).map(after_kind).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_fourth_query_of_nexmark_is_one_join_and_two_aggregates() {
    let case = include_str!("cases/nexmark_q4.sql");
    let (sql, _) = case.split_once("-- rows of").unwrap();
    let sql = format!("SET 'table.exec.state.ttl' = '1 h';\n{sql}");
    insta::assert_snapshot!(sql::plan("q4.sql", &sql).unwrap().explain);
}

#[test]
fn bounds_between_the_times_of_both_sides_make_an_interval_join() {
    for (condition, bounds) in [
        ("a.at BETWEEN b.at - INTERVAL '5' SECONDS AND b.at + INTERVAL '1' MINUTE", Some((-5000, 60000))),
        ("b.at > a.at AND b.at - INTERVAL '1' SECOND < a.at", Some((-999, -1))),
        ("a.at + INTERVAL '1' SECOND >= b.at AND b.at >= a.at", Some((-1000, 0))),
        ("a.at = b.at", Some((0, 0))),
        (
            "a.at >= b.at AND a.at >= b.at - INTERVAL '1' HOUR AND a.at < b.at + INTERVAL '1' DAY",
            Some((0, 86399999)),
        ),
        // Bounds from one end only, and bounds that are columns.
        ("a.at >= b.at", None),
        ("b.at BETWEEN a.at AND a.ends", None),
        ("a.ends BETWEEN b.at AND b.at + INTERVAL '1' SECOND", None),
    ] {
        let query = format!("EXPLAIN SELECT a.v, b.w FROM a JOIN b ON a.id = b.id AND {condition};");
        let found = explained(&query, &["Join", "IntervalJoin"]);
        match bounds {
            None => assert!(found.starts_with("[append] Join: inner"), "{condition}: {found}"),
            Some((lower, upper)) => {
                let wanted = format!("left time - right time from {lower} to {upper} ms");
                assert!(
                    found.starts_with("[append] IntervalJoin") && found.ends_with(&wanted),
                    "{condition}: {found}"
                );
                assert!(
                    !found.contains("BETWEEN") && !found.contains(">="),
                    "nothing is looked at twice: {found}"
                );
            }
        }
    }
}

#[test]
fn conditions_on_one_side_are_met_before_its_rows_are_kept() {
    let query = |join: &str| {
        format!(
            "EXPLAIN SELECT a.v FROM a {join} JOIN b ON a.id = b.id AND a.v > 1 AND b.w > 2 AND a.v < b.w;"
        )
    };
    let operators = ["Join", "Project"];
    let inner = explained(&query(""), &operators);
    assert!(inner.contains("where a.v > 1") && !last(&inner).contains("> 1"), "{inner}");
    let left = explained(&query("LEFT"), &operators);
    assert!(last(&left).contains("a.v > 1") && !last(&left).contains("b.w > 2"), "{left}");
    let full = explained(&query("FULL"), &operators);
    assert!(last(&full).contains("a.v > 1") && last(&full).contains("b.w > 2"), "{full}");
}

fn last(lines: &str) -> &str {
    lines.lines().find(|line| line.contains("Join: ")).unwrap()
}

#[test]
fn an_upsert_table_joined_on_its_key_is_kept_once_and_stays_where_it_is() {
    let operators = ["Join", "Normalize", "Send"];
    let on_key =
        explained("EXPLAIN SELECT b.w, u.x FROM b JOIN u ON CAST(b.id AS STRING) = u.id;", &operators);
    assert!(!on_key.contains("Normalize") && on_key.matches("Send").count() == 1, "{on_key}");
    let on_other = explained("EXPLAIN SELECT b.w, u.x FROM b JOIN u ON b.id = u.x;", &operators);
    assert!(on_other.contains("Normalize") && on_other.matches("Send").count() == 2, "{on_other}");
}

#[test]
fn an_interval_join_refuses_rows_that_are_updated() {
    let upserts = "CREATE TABLE v (id INT, x INT, at TIMESTAMP(3), WATERMARK FOR at AS at, PRIMARY KEY (id) NOT ENFORCED)
        WITH ('connector' = 'upsert-kafka', 'topic' = 'v', 'key.format' = 'json', 'value.format' = 'json');";
    let query = "EXPLAIN SELECT b.w, v.x FROM b JOIN v ON b.id = v.id AND v.at = b.at;";
    let errors = sql::plan("plan.sql", &format!("{TABLES}{upserts}\n{query}")).unwrap_err().to_string();
    assert!(errors.contains("an interval join can't take v: its rows are updated or deleted"), "{errors}");
}
