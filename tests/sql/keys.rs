//! Keys of tables that are written: where they are not the query's, and where a null would be written.

use millstream::driver::TestDriver;
use millstream::sql;

const TABLES: &str = "
CREATE TABLE t (k STRING, v INT, e STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE n (k STRING, v INT)
WITH ('connector' = 'kafka', 'topic' = 'n', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE u (id STRING, g STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE by_k (k STRING, v BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_k', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE by_both (k STRING, e STRING, v BIGINT, PRIMARY KEY (k, e) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_both', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE by_window (k STRING, ws TIMESTAMP(3), v BIGINT, PRIMARY KEY (k, ws) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'by_window', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE whole (k STRING NOT NULL, v INT) WITH ('connector' = 'kafka', 'topic' = 'whole', 'format' = 'json');
";

/// As Flink has it, but where it asks for ON CONFLICT although every change of a row finds the one before.
#[test]
fn a_table_key_that_does_not_tell_the_querys_rows_apart_asks_for_on_conflict() {
    let right = [
        "by_k SELECT k, COUNT(*) FROM t GROUP BY k",
        "by_k SELECT id, v FROM u",
        "by_k SELECT DISTINCT k, 1 FROM t",
        "by_k SELECT 'x', COUNT(*) FROM t",
        "by_k SELECT CAST(v AS STRING), n FROM (SELECT v, COUNT(*) AS n FROM t GROUP BY v)",
        "by_both SELECT k, e, n FROM (SELECT k, MAX(e) AS e, COUNT(*) AS n FROM t GROUP BY k)",
        "by_both SELECT id, g, v FROM u",
        "by_window SELECT k, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end",
        "by_window SELECT k, window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end",
        "by_k SELECT l.k, r.n FROM (SELECT DISTINCT k FROM t) AS l LEFT JOIN (SELECT e, COUNT(*) AS n FROM t GROUP BY e) AS r ON l.k = r.e",
    ];
    let conflicting = [
        "by_k SELECT k, v FROM t",
        "by_k SELECT e, COUNT(*) FROM t GROUP BY k, e",
        "by_k SELECT g, v FROM u",
        "by_k SELECT UPPER(g), COUNT(*) FROM u GROUP BY g",
        "by_k SELECT DISTINCT k, v FROM t",
        "by_k SELECT t.k, u.v FROM t JOIN u ON t.k = u.g",
        "by_k SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end",
        "by_k SELECT l.k, r.n FROM (SELECT DISTINCT k FROM t) AS l FULL JOIN (SELECT e, COUNT(*) AS n FROM t GROUP BY e) AS r ON l.k = r.e",
        "by_k SELECT k, n FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k UNION ALL SELECT id, v FROM u)",
    ];
    let plan = |query: &str, end: &str| sql::plan("keys.sql", &format!("{TABLES}INSERT INTO {query}{end};"));
    for query in right {
        plan(query, "").unwrap_or_else(|errors| panic!("{query}: {errors}"));
    }
    for query in conflicting {
        let errors = plan(query, "").map(drop).expect_err(query).to_string();
        assert!(
            errors.contains("may overwrite each other") && errors.contains("ON CONFLICT DO DEDUPLICATE"),
            "{query}: {errors}"
        );
        plan(query, " ON CONFLICT DO DEDUPLICATE").unwrap_or_else(|errors| panic!("{query}: {errors}"));
        let set = format!("SET 'table.exec.sink.require-on-conflict' = 'false';{TABLES}INSERT INTO {query};");
        sql::plan("keys.sql", &set).unwrap_or_else(|errors| panic!("{query}: {errors}"));
        for what in ["NOTHING", "ERROR"] {
            let errors =
                plan(query, &format!(" ON CONFLICT DO {what}")).map(drop).expect_err(query).to_string();
            assert!(errors.contains(&format!("ON CONFLICT DO {what} is not supported yet")), "{errors}");
        }
    }
}

#[test]
fn a_null_in_a_key_or_a_column_that_is_not_null_ends_the_job_or_is_dropped_and_counted() {
    let rows = [r#"{"k": "a", "v": 1}"#, r#"{"k": null, "v": 2}"#, r#"{"k": "b", "v": null}"#];
    for (into, column, topic) in [
        ("whole SELECT k, v FROM n", "column k of table whole is NOT NULL", "whole"),
        ("by_k SELECT k, SUM(v) FROM n GROUP BY k", "column k of table by_k is NOT NULL", "by_k"),
    ] {
        let run = |set: &str| {
            let job = sql::plan("nulls.sql", &format!("{set}{TABLES}INSERT INTO {into};"));
            let job = job.unwrap_or_else(|errors| panic!("{errors}"));
            let mut driver = TestDriver::new(&job.topology, &[("n", 1), (topic, 1)]).unwrap();
            for row in rows {
                driver.produce("n", 0, None, Some(row.as_bytes()), 1_000);
            }
            (driver.run(), driver)
        };
        let (outcome, driver) = run("");
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(column), "{error}");
        assert_eq!(driver.read(topic).len(), 0);
        let (outcome, driver) = run("SET 'table.exec.sink.not-null-enforcer' = 'DROP';");
        outcome.unwrap();
        let written: Vec<String> = driver.read(topic).into_iter().filter_map(|record| record.value).collect();
        assert_eq!(written, [r#"{"k":"a","v":1}"#, r#"{"k":"b","v":null}"#]);
        driver.finish().unwrap();
    }
    let left_out = sql::plan("nulls.sql", &format!("{TABLES}INSERT INTO whole (v) SELECT v FROM t;"));
    let errors = left_out.map(drop).unwrap_err().to_string();
    assert!(errors.contains("leaves out k, which is NOT NULL"), "{errors}");
}

#[test]
fn columns_that_are_called_alike_or_have_no_name_are_written_by_their_places() {
    for query in [
        "whole SELECT k, v FROM (SELECT k, v, v + 1, v + 1 FROM t)",
        "by_both SELECT k, k, v FROM (SELECT k, COUNT(*) AS v FROM t GROUP BY k)",
        "by_k SELECT k, EXPR$1 FROM (SELECT k, CAST(SUM(v) AS BIGINT) FROM t GROUP BY k)",
        "default_catalog.default_database.whole SELECT t.k, t.v FROM default_catalog.default_database.t",
        "whole SELECT k, v FROM TABLE(TUMBLE(TABLE default_database.t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY k, v, window_start, window_end",
        "whole SELECT a.k, b.v FROM t AS a JOIN t AS b ON a.k IS NOT DISTINCT FROM b.k AND a.v = b.v",
        "nowhere SELECT AVG(v), AVG(v), k, k FROM t GROUP BY k",
    ] {
        let nowhere =
            "CREATE TABLE nowhere (a INT, b INT, c STRING, d STRING) WITH ('connector' = 'blackhole');";
        let job = sql::plan("names.sql", &format!("{TABLES}{nowhere}INSERT INTO {query};"));
        job.unwrap_or_else(|errors| panic!("{query}: {errors}"));
    }
    let wrong = sql::plan("names.sql", &format!("{TABLES}INSERT INTO other.whole SELECT k, v FROM t;"));
    assert!(wrong.map(drop).unwrap_err().to_string().contains("there is one catalog"));
}

/// `table 'default_catalog.default_database.t' not found`
#[test]
fn a_table_is_found_by_its_full_name_in_every_clause() {
    let text = format!(
        "{TABLES}INSERT INTO default_catalog.default_database.by_k SELECT default_catalog.default_database.t.k, \
         SUM(t.v) FROM default_catalog.default_database.t WHERE default_database.t.v > 1 GROUP BY t.k;"
    );
    let job = sql::plan("names.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut driver = TestDriver::new(&job.topology, &[("t", 1), ("by_k", 1)]).unwrap();
    for v in 1..=3 {
        let row = format!(r#"{{"k": "a", "v": {v}, "ts": "2025-03-01 08:00:00"}}"#);
        driver.produce("t", 0, None, Some(row.as_bytes()), 1_000);
    }
    driver.run().unwrap();
    let mut written = driver.read("by_k").into_iter().filter_map(|record| record.value);
    assert_eq!(written.next_back().unwrap(), r#"{"k":"a","v":5}"#);
    driver.finish().unwrap();
}

#[test]
fn rows_of_equal_nulls_meet_where_the_condition_says_so() {
    let text = format!(
        "{TABLES}INSERT INTO whole SELECT COALESCE(a.k, 'none'), b.v FROM n AS a JOIN n AS b ON a.k IS NOT DISTINCT FROM b.k;"
    );
    let job = sql::plan("nulls.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut driver = TestDriver::new(&job.topology, &[("n", 3), ("whole", 1)]).unwrap();
    for (partition, row) in
        [r#"{"k": "", "v": 1}"#, r#"{"k": null, "v": 2}"#, r#"{"k": null, "v": 3}"#].iter().enumerate()
    {
        driver.produce("n", partition as u32, None, Some(row.as_bytes()), 1_000);
    }
    driver.run().unwrap();
    let mut written: Vec<String> =
        driver.read("whole").into_iter().filter_map(|record| record.value).collect();
    written.sort();
    let pair = |k: &str, v: i32| format!(r#"{{"k":"{k}","v":{v}}}"#);
    assert_eq!(written, [pair("", 1), pair("none", 2), pair("none", 2), pair("none", 3), pair("none", 3)]);
    driver.finish().unwrap();
}

/// Of a topic with keys the records of a key are in one partition, but those without one are in any.
#[test]
fn records_without_a_key_are_one_group_whatever_partitions_they_stand_in() {
    let text = "
CREATE TABLE clicks (k STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'key.format' = 'raw', 'key.fields' = 'k',
  'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE counts (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO counts SELECT COALESCE(k, '-'), n FROM (SELECT k, COUNT(*) AS n FROM clicks GROUP BY k) ON CONFLICT DO DEDUPLICATE;";
    let job = sql::plan("keys.sql", text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut driver = TestDriver::new(&job.topology, &[("clicks", 3), ("counts", 1)]).unwrap();
    for partition in 0..3 {
        driver.produce("clicks", partition, None, Some(br#"{"n": 1}"#), 1_000);
        driver.produce("clicks", 1, Some(b"a"), Some(br#"{"n": 1}"#), 1_000);
    }
    driver.run().unwrap();
    let written = driver.read("counts").into_iter();
    let mut last: Vec<String> = written.filter_map(|record| record.value).collect();
    last.sort();
    assert_eq!(last, [r#"{"k":"-","n":3}"#, r#"{"k":"a","n":3}"#]);
    driver.finish().unwrap();
}

/// Topics of one table may have different numbers of partitions, and a key another partition in each.
#[test]
fn a_key_in_several_topics_of_a_table_is_one_key() {
    let table = |connector: &str, key: &str| {
        format!("
CREATE TABLE t (k STRING NOT NULL, v INT{key}) WITH ('connector' = '{connector}', 'topic' = 'one;other', 'key.format' = 'raw',
  'value.format' = 'json'")
    };
    let append = table("kafka", "") + ", 'key.fields' = 'k', 'scan.startup.mode' = 'earliest-offset');";
    let upsert = table("upsert-kafka", ", PRIMARY KEY (k) NOT ENFORCED") + ");";
    for (table, wanted) in [(append, 8), (upsert, 4)] {
        let text = format!("{table}
CREATE TABLE counts (what STRING, n BIGINT, PRIMARY KEY (what) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'counts', 'key.format' = 'raw', 'value.format' = 'json');
INSERT INTO counts SELECT 'all', SUM(n) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k HAVING COUNT(*) = {});", wanted / 4);
        let job = sql::plan("topics.sql", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let mut driver = TestDriver::new(&job.topology, &[("one", 1), ("other", 3), ("counts", 1)]).unwrap();
        for (topic, partitions) in [("one", 1), ("other", 3)] {
            for k in ["a", "b", "c", "d"] {
                let partition = millstream::operators::sink::partition_for_key(k.as_bytes(), partitions);
                let row = format!(r#"{{"k": "{k}", "v": 1}}"#);
                driver.produce(topic, partition, Some(k.as_bytes()), Some(row.as_bytes()), 1_000);
            }
        }
        driver.run().unwrap();
        let last = driver.read("counts").pop().and_then(|record| record.value).unwrap();
        assert_eq!(last, format!(r#"{{"what":"all","n":{wanted}}}"#));
        driver.finish().unwrap();
    }
}
