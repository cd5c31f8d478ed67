//! Statements, views, tables and settings: what changes without changing what is computed, and what does not.

use super::Then::{Kept, KeptWithNew, Refused};
use super::{COUNTS, Pair, SUMS, pair};

pub(crate) const PAIRS: &[Pair] = &[
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
];
