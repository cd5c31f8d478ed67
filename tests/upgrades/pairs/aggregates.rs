//! What is computed, by what, of which rows.

use super::Then::Refused;
use super::{COUNTS, Pair, SUMS, pair};

const VERSIONED: &str = "INSERT INTO out SELECT g, COUNT(*), SUM(w) FROM v GROUP BY g;";

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
