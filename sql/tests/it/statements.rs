//! Statements that change what is declared, and those that show it. What is expected of `SHOW` and `DESCRIBE` is what Flink
//! 2.3 answers, but for expressions, which stand as they are written.

use millstream_sql::{SqlJob, plan};

const TABLES: &str = "
CREATE TABLE t (k STRING, n INT, ts TIMESTAMP(3), c AS n + 1, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');
CREATE TABLE u (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'u', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE s (k STRING, n BIGINT) WITH ('connector' = 'kafka', 'topic' = 's', 'format' = 'json');
CREATE TABLE b (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
";

fn planned(statements: &str) -> SqlJob {
    plan("f.sql", &format!("{TABLES}{statements}")).unwrap_or_else(|errors| panic!("{errors}"))
}

fn refused(statements: &str) -> String {
    plan("f.sql", &format!("{TABLES}{statements}")).map(|job| job.explain).unwrap_err().to_string()
}

/// The answers of all statements, as they are printed.
fn shown(statements: &str) -> String {
    planned(statements).answers.iter().map(ToString::to_string).collect()
}

#[test]
fn tables_are_shown_as_flink_shows_them() {
    let columns = shown("DESCRIBE t;");
    assert_eq!(
        columns,
        "+------+------------------------+-------+-----+----------+----------------------------+
| name |                   type |  null | key |   extras |                  watermark |
+------+------------------------+-------+-----+----------+----------------------------+
|    k |                 STRING |  TRUE |     |          |                            |
|    n |                    INT |  TRUE |     |          |                            |
|   ts | TIMESTAMP(3) *ROWTIME* |  TRUE |     |          | ts - INTERVAL '5' SECOND |
|    c |                    INT |  TRUE |     | AS n + 1 |                            |
+------+------------------------+-------+-----+----------+----------------------------+
4 rows in set
"
        .replace("|                  watermark |", "|                watermark |")
        .replace("+----------------------------+", "+--------------------------+")
        .replace("|                            |", "|                          |")
        .replace("|  null |", "| null |")
        .replace("+-------+-----+", "+------+-----+")
        .replace("|  TRUE |", "| TRUE |")
    );
    assert_eq!(
        shown("SHOW CREATE TABLE u;"),
        "CREATE TABLE `default_catalog`.`default_database`.`u` (
  `k` VARCHAR(2147483647) NOT NULL,
  `n` BIGINT,
  CONSTRAINT `PK_k` PRIMARY KEY (`k`) NOT ENFORCED
)
WITH (
  'connector' = 'upsert-kafka',
  'key.format' = 'json',
  'topic' = 'u',
  'value.format' = 'json'
)
"
    );
    let names = shown("CREATE VIEW v AS SELECT k FROM t; SHOW TABLES; SHOW VIEWS; SHOW TABLES NOT LIKE '_';");
    let table = |names: &[&str], count| {
        let rows: String = names.iter().map(|name| format!("| {name:>10} |\n")).collect();
        format!("+------------+\n| table name |\n+------------+\n{rows}+------------+\n{count} in set\n")
    };
    let views = table(&["v"], "1 row").replace("-+", "+").replace("| table name |", "| view name |");
    assert_eq!(
        names,
        table(&["b", "s", "t", "u", "v"], "5 rows")
            + &views.replace("|          v |", "|         v |")
            + "Empty set\n"
    );
    let catalogs = shown(
        "SHOW CURRENT CATALOG; USE default_database; USE CATALOG default_catalog; SHOW DATABASES LIKE 'd%';",
    );
    assert!(
        catalogs.contains("|      default_catalog |") && catalogs.contains("| default_database |"),
        "{catalogs}"
    );
}

#[test]
fn passwords_are_not_shown() {
    let text = shown("ALTER TABLE s SET ('properties.sasl.password' = 'hunter22'); SHOW CREATE TABLE s;");
    assert!(text.contains("'properties.sasl.password' = ") && !text.contains("hunter"), "{text}");
}

#[test]
fn a_table_like_another_takes_what_it_is_told_to() {
    let like = |statement: &str| shown(&format!("CREATE TABLE l {statement}; SHOW CREATE TABLE l;"));
    let all = like("LIKE t");
    for part in ["`c` AS n + 1", "WATERMARK FOR `ts`", "'topic' = 't'"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let options = like("(x INT) COMMENT 'mine' WITH ('topic' = 'l') LIKE t");
    for part in ["`c` AS n + 1,\n  `x` INT", "COMMENT 'mine'", "'topic' = 'l'", "'format' = 'json'"] {
        assert!(options.contains(part), "{part}: {options}");
    }
    let none = like("WITH ('connector' = 'print') LIKE t (EXCLUDING ALL)");
    assert!(none.contains("`ts` TIMESTAMP(3)\n)\nWITH (\n  'connector' = 'print'\n)"), "{none}");
    let some =
        like("(c AS n + 2) WITH ('connector' = 'print') LIKE t (OVERWRITING GENERATED EXCLUDING OPTIONS)");
    assert!(some.contains("`c` AS n + 2,\n  WATERMARK"), "{some}");
    for (statement, said) in [
        ("(n BIGINT) LIKE t", "table \"t\" has a column \"n\" already"),
        ("(c AS n + 2) LIKE t", "write LIKE .. (OVERWRITING GENERATED)"),
        ("(WATERMARK FOR ts AS ts) LIKE t", "table \"t\" has a watermark already"),
        ("(PRIMARY KEY (n) NOT ENFORCED) LIKE u", "table \"u\" has a primary key already"),
        ("WITH ('topic' = 'l') LIKE t (INCLUDING OPTIONS)", "table \"t\" sets option 'topic' already"),
        ("LIKE t (OVERWRITING CONSTRAINTS)", "CONSTRAINTS: it can't be overwritten"),
        ("LIKE t (EXCLUDING OPTIONS EXCLUDING OPTIONS)", "OPTIONS: it is said twice"),
        ("LIKE nothing", "there is no table nothing"),
    ] {
        let error = refused(&format!("CREATE TABLE l {statement}; INSERT INTO s SELECT k, n FROM t;"));
        assert!(error.contains(said), "{statement}: {error}");
    }
}

#[test]
fn a_table_of_a_query_has_its_columns_and_is_filled() {
    let of = |statement: &str| {
        let job = planned(&format!("CREATE TABLE l {statement}; SHOW CREATE TABLE l;"));
        (job.answers[0].to_string(), job.explain)
    };
    let (declared, filled) = of("WITH ('connector' = 'blackhole') AS SELECT k, n + 1 AS m FROM t");
    assert!(declared.contains("(\n  `k` VARCHAR(2147483647),\n  `m` INT\n)"), "{declared}");
    assert!(filled.contains("l / sink"), "{filled}");
    let (declared, _) = of("(m, k) WITH ('connector' = 'blackhole') AS SELECT k, n + 1 AS m FROM t");
    assert!(declared.contains("(\n  `m` INT,\n  `k` VARCHAR(2147483647)\n)"), "{declared}");
    let (declared, _) =
        of("(x INT, m BIGINT) WITH ('connector' = 'blackhole') AS SELECT k, n + 1 AS m FROM t");
    assert!(declared.contains("(\n  `x` INT,\n  `m` BIGINT,\n  `k` VARCHAR(2147483647)\n)"), "{declared}");
    for (statement, said) in [
        (
            "(m) WITH ('connector' = 'blackhole') AS SELECT k, n AS m FROM t",
            "names other columns than its query has",
        ),
        ("(m, k) WITH ('connector' = 'blackhole')", "column \"m\" has no type"),
        ("WITH ('connector' = 'blackhole') LIKE t AS SELECT k FROM t", "AS a query and LIKE can't both be"),
        ("(k INT) WITH ('connector' = 'blackhole') AS SELECT k FROM t", "but the query gives k as STRING"),
    ] {
        let error = refused(&format!("CREATE TABLE l {statement}; INSERT INTO s SELECT k, n FROM t;"));
        assert!(error.contains(said), "{statement}: {error}");
    }
}

#[test]
fn altered_tables_are_what_flink_makes_of_them() {
    let text = shown(
        "ALTER TABLE t SET ('topic' = 't2', 'scan.startup.mode' = 'latest-offset');
         ALTER TABLE t RESET ('scan.startup.mode');
         ALTER TABLE t ADD x INT;
         ALTER TABLE t ADD y INT COMMENT 'why' FIRST;
         ALTER TABLE t ADD (z INT AFTER k, z2 AS z * 2);
         ALTER TABLE t MODIFY WATERMARK FOR ts AS ts - INTERVAL '1' SECOND;
         ALTER TABLE t MODIFY (x BIGINT FIRST);
         ALTER TABLE t DROP (c);
         ALTER TABLE t RENAME n TO nn;
         SHOW CREATE TABLE t;
         ALTER TABLE t DROP WATERMARK;
         ALTER TABLE b DROP CONSTRAINT PK_k;
         SHOW COLUMNS FROM t LIKE 'ts';",
    );
    let expected = "CREATE TABLE `default_catalog`.`default_database`.`t` (
  `x` BIGINT,
  `y` INT COMMENT 'why',
  `k` VARCHAR(2147483647),
  `z` INT,
  `nn` INT,
  `ts` TIMESTAMP(3),
  `z2` AS z * 2,
  WATERMARK FOR `ts` AS ts - INTERVAL '1' SECOND
)
WITH (
  'connector' = 'kafka',
  'format' = 'json',
  'topic' = 't2'
)
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("|   ts | TIMESTAMP(3) | TRUE |"), "{text}");
}

#[test]
fn what_an_alteration_does_not_fit_is_said() {
    for (statement, said) in [
        ("ALTER TABLE t ADD n INT", "table \"t\" has a column \"n\" already"),
        ("ALTER TABLE t ADD x INT AFTER no", "table \"t\" has no column \"no\""),
        ("ALTER TABLE t ADD WATERMARK FOR ts AS ts", "table \"t\" has a watermark already"),
        ("ALTER TABLE u MODIFY WATERMARK FOR k AS k", "table \"u\" has no watermark"),
        ("ALTER TABLE t MODIFY no INT", "table \"t\" has no column \"no\""),
        ("ALTER TABLE t DROP n", "column \"n\" can't go: column \"c\" is computed of it"),
        ("ALTER TABLE t DROP ts", "column \"ts\" can't go: the watermark is of it"),
        ("ALTER TABLE t RENAME n TO m", "column \"n\" can't go"),
        ("ALTER TABLE u DROP k", "it is part of the primary key"),
        ("ALTER TABLE t RENAME k TO ts", "has a column \"ts\" already"),
        ("ALTER TABLE u ADD PRIMARY KEY (n) NOT ENFORCED", "has a primary key already"),
        ("ALTER TABLE t DROP PRIMARY KEY", "table \"t\" has no primary key"),
        ("ALTER TABLE u DROP CONSTRAINT no", "its primary key is called PK_k"),
        ("ALTER TABLE t RENAME TO u", "there is already a table or view \"u\""),
        ("ALTER TABLE t RESET ('connector')", "option 'connector' is missing"),
        ("ALTER TABLE no RENAME TO x", "there is no table no"),
        ("ALTER VIEW t AS SELECT 1", "t is a table"),
        ("DROP VIEW t", "t is a table"),
        ("DROP TABLE no", "there is no table no"),
        ("USE shop", "there is one catalog"),
        ("SHOW CREATE VIEW t", "t is of the other kind"),
        ("DESCRIBE no", "there is no table no"),
        ("RESET 'nothing'", "there is no setting 'nothing'"),
        ("EXPLAIN ESTIMATED_COST SELECT 1", "EXPLAIN ESTIMATED_COST is not supported"),
        ("CREATE DATABASE shop", "CREATE DATABASE is not supported"),
        ("SHOW PARTITIONS t", "SHOW is not supported"),
    ] {
        let error = refused(&format!("{statement}; INSERT INTO s SELECT k, n FROM t;"));
        assert!(error.contains(said) && error.contains("help: "), "{statement}: {error}");
    }
    planned("DROP TABLE IF EXISTS no; DROP VIEW IF EXISTS no; INSERT INTO s SELECT k, n FROM t;");
}

#[test]
fn a_statement_keeps_the_table_that_it_was_planned_with() {
    let job = planned(
        "INSERT INTO s SELECT k, n FROM t;
         ALTER TABLE s SET ('topic' = 's2');
         INSERT INTO s SELECT k, n FROM t;
         DROP TABLE s;
         CREATE TABLE s (k STRING) WITH ('connector' = 'kafka', 'topic' = 's3', 'format' = 'json');
         INSERT INTO s SELECT k FROM t;",
    );
    let mut topics: Vec<String> = Vec::new();
    for node in job.topology.nodes() {
        if let millstream_operators::NodeSpec::Sink(sink) = &node.spec {
            topics.extend(sink.topic.as_ref().map(|topic| topic.name.clone()));
        }
    }
    assert_eq!(topics, ["s", "s2", "s3"]);
}

#[test]
fn views_follow_the_tables_that_they_read_or_can_t_be_read_any_more() {
    planned(
        "CREATE VIEW v AS SELECT k, n FROM t; ALTER TABLE t ADD x INT; INSERT INTO s SELECT k, n FROM v;",
    );
    for change in ["DROP TABLE t", "ALTER TABLE t RENAME TO t2", "ALTER TABLE t MODIFY n DOUBLE"] {
        let error = refused(&format!(
            "CREATE VIEW v AS SELECT k, n FROM t; CREATE VIEW w AS SELECT * FROM v; {change}; INSERT INTO s SELECT k, n FROM w;"
        ));
        assert!(error.contains("view w can't be read any more"), "{change}: {error}");
    }
    planned(
        "CREATE VIEW v AS SELECT k FROM t; ALTER VIEW v AS SELECT k, n FROM u; ALTER VIEW v RENAME TO w;
         INSERT INTO b SELECT * FROM w; DROP VIEW w; CREATE VIEW w AS SELECT 1 AS one;",
    );
}

#[test]
fn hints_set_options_of_one_read_and_one_write() {
    let job = planned(
        "INSERT INTO s /*+ OPTIONS('topic' = 'other') */ SELECT x.k, n FROM t /*+ OPTIONS('topic'='t3', 'scan.startup.mode'='latest-offset') */ AS x;",
    );
    assert!(job.explain.contains("topic t3") && job.explain.contains("other"), "{}", job.explain);
    planned("INSERT INTO b SELECT u.k, u.n FROM u /*+ OPTIONS('topic'='u2') */ JOIN t ON t.k = u.k;");
    for (query, said) in [
        ("SELECT k, n FROM t /*+ OPTIONS('nothing'='1') */", "has no option 'nothing'"),
        ("SELECT k, n FROM t /*+ OPTIONS() */", "OPTIONS needs options"),
        ("SELECT k, n FROM t /*+ */", "this hint is empty"),
        ("SELECT k, n FROM t /*+ FOO('a'='b') */", "there is no hint FOO"),
        ("SELECT k, n FROM t AS x /*+ OPTIONS('topic'='a') */", "which is no table"),
        (
            "SELECT k, n FROM t /*+ OPTIONS('topic'='a'), OPTIONS('topic'='b') */",
            "there is a hint OPTIONS already",
        ),
        ("SELECT /*+ OPTIONS('topic'='a') */ k, n FROM t", "can't stand behind SELECT"),
        ("SELECT /*+ LOOKUP('table'='t') */ k, n FROM t", "the hint LOOKUP is not supported"),
        ("SELECT k /*+ OPTIONS('topic'='a') */, n FROM t", "OPTIONS stands behind k, which is no table"),
        ("SELECT k, n FROM t WHERE n > 1 /*+ OPTIONS('topic'='a') */", "a hint can't stand here"),
        ("SELECT /*+ BROADCAST(x) */ k, n FROM t", "BROADCAST names x"),
        ("SELECT /*+ STATE_TTL('x'='1d') */ k, n FROM t", "STATE_TTL names x"),
        ("SELECT /*+ STATE_TTL('t'='1d') */ k, n FROM t", "STATE_TTL of t means nothing here"),
        (
            "SELECT /*+ STATE_TTL('t'='1d') */ k, COUNT(*) FROM t GROUP BY k",
            "STATE_TTL of t means nothing here",
        ),
        ("SELECT /*+ STATE_TTL('t'='soon') */ k, n FROM t", "STATE_TTL can't be 'soon'"),
        (
            "SELECT k, n FROM t UNION ALL SELECT k, n FROM t /*+ OPTIONS('scan.startup.mode'='latest-offset') */",
            "table t is read with different options",
        ),
    ] {
        let error = refused(&format!("INSERT INTO b {query};"));
        assert!(error.contains(said) && error.contains("help: "), "{query}: {error}");
    }
    let error = refused("CREATE TABLE x /*+ OPTIONS('a'='b') */ (k INT) WITH ('connector' = 'print');");
    assert!(error.contains("a hint can't stand here"), "{error}");
    let job =
        planned("INSERT INTO b SELECT /*+ BROADCAST(x) */ x.k, x.n FROM t AS x JOIN u AS y ON x.k = y.k;");
    assert!(job.warnings.to_string().contains("the hint BROADCAST changes nothing"), "{}", job.warnings);
}

/// As Flink plans `STATE_TTL`: `LEFT` and `RIGHT` of each join, where it names that side itself.
#[test]
fn rows_of_a_side_are_kept_as_long_as_a_hint_says() {
    let joins = |query: &str| -> Vec<String> {
        let job = planned(&format!("INSERT INTO b {query};"));
        let kept = job.explain.lines().filter_map(|line| line.split_once("rows kept for "));
        kept.map(|(_, kept)| kept.to_owned()).collect()
    };
    let two =
        joins("SELECT /*+ STATE_TTL('a'='1d','b'='2h') */ a.k, a.n FROM t AS a JOIN t AS b ON a.k = b.k");
    assert_eq!(two, ["86400000 ms on the left, 7200000 ms on the right"]);
    let one = joins("SELECT /*+ STATE_TTL('t'='1d') */ t.k, u.n FROM t JOIN u ON t.k = u.k");
    assert_eq!(one, ["86400000 ms on the left, ever on the right"]);
    let three = joins(
        "SELECT /*+ STATE_TTL('a'='1d','c'='2h') */ a.k, a.n FROM t AS a JOIN t AS b ON a.k = b.k JOIN t AS c ON a.k = c.k",
    );
    assert_eq!(
        three,
        ["86400000 ms on the left, ever on the right", "ever on the left, 7200000 ms on the right"]
    );
    let of_query = joins(
        "SELECT /*+ STATE_TTL('x'='1d') */ x.k, x.n FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) AS x JOIN u ON x.k = u.k",
    );
    assert_eq!(of_query, ["86400000 ms on the left, ever on the right"]);
    let set = joins("SELECT t.k, u.n FROM t JOIN u ON t.k = u.k; SET 'table.exec.state.ttl' = '1 h'");
    assert_eq!(set, ["3600000 ms"]);
}

#[test]
fn explain_shows_the_changes_of_each_operator() {
    let explained = planned("EXPLAIN CHANGELOG_MODE SELECT k, COUNT(*) FROM t GROUP BY k;").explain;
    assert!(
        explained.contains("changelogMode=[I]") && explained.contains("changelogMode=[I,UB,UA,D]"),
        "{explained}"
    );
    assert!(!planned("EXPLAIN SELECT k FROM t;").explain.contains("changelogMode"));
}
