//! Pairs of files.

use crate::check::check_all;
use crate::world::{On, World};

/// What has to come of a pair.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// The output of this topic is, key by key, that of a run of the second file over all input.
    Kept(&'static str),
    /// The same, and these operators begin empty.
    KeptWithNew(&'static str, &'static [&'static str]),
    /// The second run is refused, and says this.
    Refused(&'static [&'static str]),
}
use Then::{Kept, KeptWithNew, Refused};

/// What a job is made of, so that a pair says only what differs.
const TABLES: &str = "
CREATE TABLE t (g STRING, h STRING, n INT, m INT, at TIMESTAMP(3), WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH ('connector' = 'kafka', 'topic' = 't', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE u (g STRING, n INT) WITH (
  'connector' = 'kafka', 'topic' = 'u', 'value.format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE v (g STRING, w INT, PRIMARY KEY (g) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'v', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE out (k STRING, a BIGINT, b BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'out', 'key.format' = 'raw', 'value.format' = 'json');
CREATE TABLE two (k STRING, l STRING, a BIGINT, PRIMARY KEY (k, l) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'two', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE windows (k STRING, start TIMESTAMP(3), a BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'windows', 'value.format' = 'json');
CREATE TABLE joined (k STRING, a INT, b INT) WITH (
  'connector' = 'kafka', 'topic' = 'joined', 'value.format' = 'json');
CREATE TABLE plain (k STRING, a INT) WITH (
  'connector' = 'kafka', 'topic' = 'plain', 'value.format' = 'json');
CREATE TABLE other (k STRING, a BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'other', 'key.format' = 'raw', 'value.format' = 'json');
";

const SUMS: &str = "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;";
const COUNTS: &str = "INSERT INTO out SELECT g, COUNT(*), SUM(n) FROM t WHERE n > 5 GROUP BY g;";
const WINDOWS: &str = "INSERT INTO windows SELECT g, window_start, SUM(n) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(at), \
                       INTERVAL '10' SECONDS)) GROUP BY g, window_start, window_end;";
const JOINED: &str = "INSERT INTO joined SELECT t.g, t.n, u.n FROM t JOIN u ON t.g = u.g;";
const VERSIONED: &str = "INSERT INTO out SELECT g, COUNT(*), SUM(w) FROM v GROUP BY g;";

/// A pair: its name, the statements of the first file and what is replaced in it by what; and what has to come of it.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    before: &'static str,
    changes: &'static [(&'static str, &'static str)],
    pub(crate) then: Then,
}

const fn pair(
    name: &'static str,
    before: &'static str,
    changes: &'static [(&'static str, &'static str)],
    then: Then,
) -> Pair {
    Pair { name, before, changes, then }
}

impl Pair {
    pub(crate) fn before(&self) -> String {
        format!("{TABLES}{}", self.before)
    }

    pub(crate) fn after(&self) -> String {
        let mut sql = self.before();
        for (from, to) in self.changes {
            assert!(sql.contains(from), "{}: {from} is not in the file", self.name);
            sql = sql.replacen(from, to, 1);
        }
        sql
    }
}

pub(crate) const PAIRS: &[Pair] = &[
    pair(
        "aggregates of the same types change places",
        SUMS,
        &[("SUM(n), SUM(m)", "SUM(m), SUM(n)")],
        Refused(&[
            "INSERT INTO out: its aggregate has changed: computes: SUM(n), SUM(m) became SUM(m), SUM(n)",
        ]),
    ),
    pair(
        "another column is summed",
        SUMS,
        &[("SUM(n), SUM(m)", "SUM(n), SUM(n + 0)")],
        Refused(&["INSERT INTO out: its aggregate has changed: computes: SUM(n), SUM(m) became "]),
    ),
    pair(
        "another aggregate of the same type",
        COUNTS,
        &[("SUM(n)", "SUM(m)")],
        Refused(&["computes: COUNT(*), SUM(n) became COUNT(*), SUM(m)"]),
    ),
    pair(
        "a sum becomes a maximum",
        COUNTS,
        &[("SUM(n)", "MAX(n)")],
        Refused(&["SUM(n) became COUNT(*), MAX(n)"]),
    ),
    pair(
        "rows become values",
        COUNTS,
        &[("COUNT(*)", "COUNT(m)")],
        Refused(&["COUNT(*), SUM(n) became COUNT(m)"]),
    ),
    pair("values become distinct", SUMS, &[("SUM(m)", "SUM(DISTINCT m)")], Refused(&["SUM(DISTINCT m)"])),
    pair(
        "an aggregate gets a filter",
        SUMS,
        &[("SUM(m)", "SUM(m) FILTER (WHERE n > 3)")],
        Refused(&["became SUM(n), SUM(m) FILTER (WHERE "]),
    ),
    pair(
        "keys change places",
        "INSERT INTO two SELECT g, h, COUNT(*) FROM t GROUP BY g, h;",
        &[("SELECT g, h, COUNT(*) FROM t GROUP BY g, h", "SELECT h, g, COUNT(*) FROM t GROUP BY h, g")],
        Refused(&["INSERT INTO two: its aggregate has changed: by: g, h became h, g"]),
    ),
    pair(
        "rows are grouped by another column",
        SUMS,
        &[("SELECT g,", "SELECT h,"), ("GROUP BY g", "GROUP BY h")],
        Refused(&["its aggregate has changed: by: g became h"]),
    ),
    pair(
        "another filter below an aggregation",
        COUNTS,
        &[("n > 5", "n > 6")],
        Refused(&["INSERT INTO out: its aggregate has changed: where: ", "n > 5", "became", "n > 6"]),
    ),
    pair("a filter comes", SUMS, &[("FROM t", "FROM t WHERE n > 5")], Refused(&["now where ", "n > 5"])),
    pair("a filter goes", COUNTS, &[("WHERE n > 5 ", "")], Refused(&["no longer where ", "n > 5"])),
    pair(
        "a computed argument computes something else",
        "INSERT INTO out SELECT g, SUM(n * 2), SUM(m) FROM t GROUP BY g;",
        &[("n * 2", "n * 3")],
        Refused(&["n * 2", "became", "n * 3"]),
    ),
    pair(
        "a filter above an aggregation",
        COUNTS,
        &[("GROUP BY g", "GROUP BY g HAVING COUNT(*) > 0")],
        Kept("out"),
    ),
    pair(
        "other white space, other case, comments",
        COUNTS,
        &[("SELECT g, COUNT(*)", "-- g\nselect  g,\n count(*)")],
        Kept("out"),
    ),
    pair(
        "a view in between",
        COUNTS,
        &[
            (
                "INSERT INTO out",
                "CREATE VIEW named AS SELECT m AS y, g AS x, n AS z FROM t;\nINSERT INTO out",
            ),
            (
                "SELECT g, COUNT(*), SUM(n) FROM t WHERE n > 5 GROUP BY g",
                "SELECT x, COUNT(*), SUM(z) FROM named WHERE z > 5 GROUP BY x",
            ),
        ],
        Kept("out"),
    ),
    pair(
        "a renamed view, with renamed columns",
        "CREATE VIEW a AS SELECT g, n AS one FROM t WHERE n > 2;\nINSERT INTO out SELECT g, COUNT(*), SUM(one) FROM a GROUP BY g;",
        &[
            ("VIEW a AS SELECT g, n AS one", "VIEW b AS SELECT n AS two, g"),
            ("SUM(one) FROM a", "SUM(two) FROM b"),
        ],
        Kept("out"),
    ),
    pair(
        "columns of a table in another order, and more of them",
        COUNTS,
        &[(
            "(g STRING, h STRING, n INT, m INT, at TIMESTAMP(3)",
            "(m INT, at TIMESTAMP(3), more STRING, n INT, h STRING, g STRING",
        )],
        Kept("out"),
    ),
    pair(
        "a statement without state on the same table",
        SUMS,
        &[("INSERT INTO out", "INSERT INTO plain SELECT h, n FROM t WHERE n > 3;\nINSERT INTO out")],
        Kept("out"),
    ),
    pair(
        "statements in another order",
        "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\nINSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;",
        &[
            ("INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\n", ""),
            (
                "FROM u GROUP BY g;",
                "FROM u GROUP BY g;\nINSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;",
            ),
        ],
        Kept("out"),
    ),
    pair(
        "statements in another order, the other of them",
        "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\nINSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;",
        &[
            ("INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\n", ""),
            (
                "FROM u GROUP BY g;",
                "FROM u GROUP BY g;\nINSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;",
            ),
        ],
        Kept("other"),
    ),
    pair(
        "two aggregations of one table in another order",
        "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\nINSERT INTO other SELECT g, SUM(n) FROM t GROUP BY g;",
        &[
            ("INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\n", ""),
            (
                "SELECT g, SUM(n) FROM t GROUP BY g;",
                "SELECT g, SUM(n) FROM t GROUP BY g;\nINSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;",
            ),
        ],
        Kept("out"),
    ),
    pair(
        "a new statement with state in front",
        SUMS,
        &[("INSERT INTO out", "INSERT INTO other SELECT h, COUNT(*) FROM t GROUP BY h;\nINSERT INTO out")],
        KeptWithNew("out", &["other / aggregate"]),
    ),
    pair(
        "a new statement on a table of its own in front",
        SUMS,
        &[("INSERT INTO out", "INSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;\nINSERT INTO out")],
        KeptWithNew("other", &["other / aggregate"]),
    ),
    pair(
        "a statement without state gets some",
        "INSERT INTO windows SELECT g, at, CAST(n AS BIGINT) FROM t;",
        &[(
            "SELECT g, at, CAST(n AS BIGINT) FROM t;",
            "SELECT g, window_start, SUM(n) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL '10' SECONDS)) GROUP BY g, \
             window_start, window_end;",
        )],
        Refused(&["INSERT INTO windows: its window aggregate is new in a statement that was there"]),
    ),
    pair(
        "a statement with state goes",
        "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\nINSERT INTO other SELECT h, COUNT(*) FROM t GROUP BY h;",
        &[("INSERT INTO other SELECT h, COUNT(*) FROM t GROUP BY h;", "")],
        Refused(&["INSERT INTO other: its aggregate is gone"]),
    ),
    pair(
        "a table is not read any more",
        "INSERT INTO out SELECT g, SUM(n), SUM(m) FROM t GROUP BY g;\nINSERT INTO plain SELECT g, n FROM u;",
        &[("INSERT INTO plain SELECT g, n FROM u;", "")],
        Refused(&["topic u is not read any more"]),
    ),
    pair(
        "a table that is written has another name",
        SUMS,
        &[("TABLE out ", "TABLE renamed "), ("INSERT INTO out", "INSERT INTO renamed")],
        Kept("out"),
    ),
    pair(
        "another topic of the same columns",
        "INSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;",
        &[("'topic' = 'u'", "'topic' = 't'"), ("'topic' = 't'", "'topic' = 'u'")],
        Refused(&["reads: topic u", "became topic t"]),
    ),
    pair(
        "another format",
        "INSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;",
        &[("'topic' = 'u', 'value.format' = 'json'", "'topic' = 'u', 'value.format' = 'csv'")],
        Refused(&["reads: topic u: append; value json became topic u: append; value csv"]),
    ),
    pair(
        "what is done about what a format can't read",
        "INSERT INTO other SELECT g, SUM(n) FROM u GROUP BY g;",
        &[(
            "'topic' = 'u', 'value.format' = 'json'",
            "'topic' = 'u', 'value.format' = 'json', 'value.json.ignore-parse-errors' = 'true'",
        )],
        Kept("other"),
    ),
    pair(
        "another type of a column",
        SUMS,
        &[("n INT, m INT, at", "n BIGINT, m INT, at")],
        Refused(&["its aggregate has changed", "INT", "BIGINT"]),
    ),
    pair(
        "where it begins to read",
        SUMS,
        &[("'scan.startup.mode' = 'earliest-offset'", "'scan.startup.mode' = 'latest-offset'")],
        Kept("out"),
    ),
    pair(
        "settings of how it runs",
        SUMS,
        &[("INSERT INTO", "SET 'millstream.commit-interval' = '50 ms';\nINSERT INTO")],
        Kept("out"),
    ),
    pair(
        "a window of another size",
        WINDOWS,
        &[("'10' SECONDS", "'20' SECONDS")],
        Refused(&["window: tumbling 10000 ms became tumbling 20000 ms"]),
    ),
    pair(
        "windows by another column of time",
        WINDOWS,
        &[
            (
                "WATERMARK FOR at AS at - INTERVAL '1' SECOND",
                "then_ AS at + INTERVAL '1' SECOND, WATERMARK FOR then_ AS then_ - INTERVAL '1' SECOND",
            ),
            ("DESCRIPTOR(at)", "DESCRIPTOR(then_)"),
        ],
        Refused(&["INSERT INTO windows: its window aggregate has changed: event time"]),
    ),
    pair(
        "another delay of a watermark that windows go by",
        WINDOWS,
        &[("at - INTERVAL '1' SECOND", "at - INTERVAL '2' SECOND")],
        Refused(&["event time: at, watermark 1000 ms behind became at, watermark 2000 ms behind"]),
    ),
    pair(
        "another delay of a watermark that nothing goes by",
        SUMS,
        &[("at - INTERVAL '1' SECOND", "at - INTERVAL '2' SECOND")],
        Kept("out"),
    ),
    pair(
        "the sides of a join change places",
        JOINED,
        &[("t.g, t.n, u.n FROM t JOIN u", "t.g, t.n, u.n FROM u JOIN t")],
        Refused(&["INSERT INTO joined: its join has changed"]),
    ),
    pair(
        "another kind of join",
        "INSERT INTO out SELECT t.g, COUNT(*), SUM(u.n) FROM t JOIN u ON t.g = u.g GROUP BY t.g;",
        &[("JOIN u", "LEFT JOIN u")],
        Refused(&["INSERT INTO out: its ", "joins: inner became left"]),
    ),
    pair(
        "a condition of a join",
        JOINED,
        &[("ON t.g = u.g", "ON t.g = u.g AND t.n < u.n")],
        Refused(&["condition"]),
    ),
    pair(
        "other keys of a join",
        JOINED,
        &[("ON t.g = u.g", "ON t.h = u.g")],
        Refused(&["left key: g became h"]),
    ),
    pair(
        "how long a join keeps rows",
        JOINED,
        &[("INSERT INTO joined", "SET 'table.exec.state.ttl' = '1 h';\nINSERT INTO joined")],
        Refused(&["keeps rows for 3600000 ms"]),
    ),
    pair(
        "another aggregate over versions",
        VERSIONED,
        &[("SUM(w)", "MAX(w)")],
        Refused(&["SUM(w) became COUNT(*), MAX(w)"]),
    ),
    pair(
        "versions of other columns",
        VERSIONED,
        &[("COUNT(*), SUM(w) FROM v", "COUNT(*), SUM(w + 1) FROM v")],
        Refused(&["w"]),
    ),
];

#[test]
fn a_changed_file_goes_on_rightly_or_is_refused_on_the_embedded_log() {
    check_all(PAIRS.iter(), 2, &|_| World::new(On::Embedded));
}

#[test]
fn a_changed_file_goes_on_rightly_or_is_refused_on_the_log_in_memory() {
    // One partition: no exchanges, so that everything is in one task.
    check_all(PAIRS.iter(), 1, &|_| World::new(On::Memory));
}
