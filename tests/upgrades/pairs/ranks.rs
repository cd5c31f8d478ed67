//! First rows, distinct rows, unions, operations on sets, rows before others, and rows without nulls.

use super::Then::{Kept, Refused};
use super::{Pair, pair};

const TOP: &str = "INSERT INTO ranked SELECT g, rn, m FROM (SELECT g, m, ROW_NUMBER() OVER (PARTITION BY g ORDER BY m DESC) \
                   AS rn FROM t) WHERE rn <= 3;";
/// Of each key one row, which is the last of those that are there.
const FIRST: &str = "INSERT INTO strict SELECT g, n, m FROM (SELECT g, n, m, RANK() OVER (PARTITION BY g ORDER BY m DESC) \
                     AS rn FROM t) WHERE rn <= 1 ON CONFLICT DO DEDUPLICATE;";
const LARGEST: &str = "INSERT INTO out SELECT g, rn, m FROM (SELECT g, m, ROW_NUMBER() OVER (PARTITION BY g ORDER BY m DESC) \
                       AS rn FROM t) WHERE rn <= 1;";
const DISTINCT: &str =
    "INSERT INTO out SELECT g, COUNT(*), SUM(n) FROM (SELECT DISTINCT g, n FROM t) GROUP BY g;";
const UNITED: &str = "INSERT INTO out SELECT g, COUNT(*), SUM(n) FROM (SELECT g, n FROM t UNION ALL SELECT g, n FROM u) \
                      GROUP BY g;";

const BOTH: &str = "INSERT INTO out SELECT g, COUNT(*), SUM(n) FROM (SELECT g, n FROM t INTERSECT ALL SELECT g, n FROM u) \
                    GROUP BY g;";
const NUMBERED: &str = "INSERT INTO out SELECT g, ROW_NUMBER() OVER (PARTITION BY g ORDER BY m DESC), m FROM t ON CONFLICT DO DEDUPLICATE;";

pub(crate) const PAIRS: &[Pair] = &[
    pair(
        "another operation on sets",
        BOTH,
        &[("INTERSECT", "EXCEPT")],
        Refused(&["its set operation has changed"]),
    ),
    pair(
        "a filter below an operation on sets",
        BOTH,
        &[("FROM u)", "FROM u WHERE n > 2)")],
        Refused(&["n > 2"]),
    ),
    pair(
        "rows are looked at in another order",
        NUMBERED,
        &[("m DESC", "m")],
        Refused(&["its over has changed", "ordered by: m desc nulls last became m asc nulls first"]),
    ),
    pair(
        "more of the first rows",
        TOP,
        &[("rn <= 3", "rn <= 4")],
        Refused(&[
            "INSERT INTO ranked: its top n has changed: ranks: ROW_NUMBER 1 to 3 became ROW_NUMBER 1 to 4",
        ]),
    ),
    pair(
        "fewer of the first rows",
        TOP,
        &[("rn <= 3", "rn <= 2")],
        Refused(&["ranks: ROW_NUMBER 1 to 3 became ROW_NUMBER 1 to 2"]),
    ),
    pair(
        "the last rows in the place of the first",
        TOP,
        &[("m DESC", "m")],
        Refused(&["its top n has changed: ordered by: m desc nulls last became m asc nulls first"]),
    ),
    pair(
        "the first rows in the order of another column",
        TOP,
        &[("SELECT g, m, ROW", "SELECT g, m, n, ROW"), ("m DESC", "n DESC, m DESC")],
        Refused(&[
            "its top n has changed: ordered by: m desc nulls last became n desc nulls last, m desc nulls last",
        ]),
    ),
    pair(
        "the first rows of other partitions",
        TOP,
        &[("SELECT g, rn", "SELECT h, rn"), ("SELECT g, m", "SELECT h, m"), ("BY g", "BY h")],
        Refused(&["INSERT INTO ranked: its top n has changed", "by: g became h"]),
    ),
    pair(
        "rows are ranked otherwise",
        FIRST,
        &[("RANK()", "DENSE_RANK()")],
        Refused(&["ranks: RANK 1 to 1 became DENSE_RANK 1 to 1"]),
    ),
    pair(
        "a filter below a rank",
        TOP,
        &[("FROM t)", "FROM t WHERE n > 2)")],
        Refused(&["now where", "n > 2"]),
    ),
    pair("a filter above a rank", TOP, &[("rn <= 3", "rn <= 3 AND m >= 0")], Kept("ranked")),
    pair("the rank is not shown any more", LARGEST, &[("SELECT g, rn, m", "SELECT g, 1, m")], Kept("out")),
    pair(
        "the rank is shown from now on",
        "INSERT INTO out SELECT g, 1, m FROM (SELECT g, m, ROW_NUMBER() OVER (PARTITION BY g ORDER BY m DESC) AS rn \
         FROM t) WHERE rn <= 1;",
        &[("SELECT g, 1, m", "SELECT g, rn, m")],
        Kept("out"),
    ),
    pair(
        "ranked columns are called otherwise",
        TOP,
        &[
            ("SELECT g, rn, m FROM (SELECT g, m,", "SELECT x, place, y FROM (SELECT g AS x, m AS y,"),
            ("AS rn", "AS place"),
            ("rn <= 3", "place <= 3"),
        ],
        Kept("ranked"),
    ),
    pair(
        "rows are distinct by more columns",
        DISTINCT,
        &[("DISTINCT g, n", "DISTINCT g, n, h")],
        Refused(&["INSERT INTO out: its ", "by: g, n"]),
    ),
    pair(
        "rows are distinct by columns in another order",
        DISTINCT,
        &[("DISTINCT g, n", "DISTINCT n, g")],
        Refused(&["by: g, n became n, g"]),
    ),
    pair(
        "rows are not made distinct any more",
        DISTINCT,
        &[("DISTINCT ", "")],
        Refused(&["INSERT INTO out: its "]),
    ),
    pair(
        "distinct rows are called otherwise",
        DISTINCT,
        &[("SUM(n) FROM (SELECT DISTINCT g, n", "SUM(z) FROM (SELECT DISTINCT g, n AS z")],
        Kept("out"),
    ),
    pair(
        "the parts of a union change places",
        UNITED,
        &[(
            "SELECT g, n FROM t UNION ALL SELECT g, n FROM u",
            "SELECT g, n FROM u UNION ALL SELECT g, n FROM t",
        )],
        Refused(&["INSERT INTO out: its aggregate has changed"]),
    ),
    pair(
        "another column of a part of a union",
        UNITED,
        &[("SELECT g, n FROM t", "SELECT g, m AS n FROM t")],
        Refused(&[
            "INSERT INTO out: its aggregate has changed",
            "SUM((n | n)) became COUNT(*), SUM((m | n))",
        ]),
    ),
    pair(
        "a filter in a part of a union",
        UNITED,
        &[("FROM u)", "FROM u WHERE n > 4)")],
        Refused(&["now right where", "n > 4"]),
    ),
    pair(
        "a part of a union more",
        UNITED,
        &[("SELECT g, n FROM u)", "SELECT g, n FROM u UNION ALL SELECT h, n FROM t)")],
        Refused(&["INSERT INTO out: its aggregate has changed"]),
    ),
    pair(
        "a union becomes one of distinct rows",
        UNITED,
        &[("UNION ALL", "UNION")],
        Refused(&["INSERT INTO out: its "]),
    ),
    pair(
        "columns of a union are called otherwise",
        UNITED,
        &[("SUM(n) FROM (SELECT g, n FROM t", "SUM(z) FROM (SELECT g, n AS z FROM t")],
        Kept("out"),
    ),
    pair(
        "a column below what keeps rows may be null now",
        FIRST,
        &[("a INT NOT NULL", "a INT")],
        Refused(&["INSERT INTO strict: its materialize has changed", "without nulls in"]),
    ),
    pair(
        "nulls are dropped that failed the job",
        FIRST,
        &[("INSERT INTO", "SET 'table.exec.sink.not-null-enforcer' = 'DROP';\nINSERT INTO")],
        Kept("strict"),
    ),
];
