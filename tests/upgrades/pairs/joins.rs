//! Joins, and rows that there are others of.

use super::Then::{Kept, Refused};
use super::{Pair, pair};

const JOINED: &str = "INSERT INTO joined SELECT t.g, t.n, u.n FROM t JOIN u ON t.g = u.g;";
const SEMI: &str = "INSERT INTO plain SELECT g, n FROM t WHERE g IN (SELECT g FROM u);";

pub(crate) const PAIRS: &[Pair] = &[
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
        "rows that there are others of, by another column",
        SEMI,
        &[("WHERE g IN", "WHERE h IN")],
        Refused(&["INSERT INTO plain: its ", "left key: g became h"]),
    ),
    pair(
        "rows that there are others of, of which some are left out",
        SEMI,
        &[("SELECT g FROM u", "SELECT g FROM u WHERE n > 3")],
        Refused(&["now right where", "n > 3"]),
    ),
    pair(
        "rows that there are others of become pairs",
        SEMI,
        &[("SELECT g, n FROM t WHERE g IN (SELECT g FROM u)", "SELECT t.g, t.n FROM t JOIN u ON t.g = u.g")],
        Refused(&["INSERT INTO plain: its ", "semi became inner"]),
    ),
    pair(
        "rows that there are others of, in other words",
        SEMI,
        &[("FROM t WHERE g IN (SELECT g FROM u)", "FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.g = t.g)")],
        Kept("plain"),
    ),
    pair(
        "rows that there are others of become those that there are none of",
        "INSERT INTO out SELECT g, COUNT(*), SUM(n) FROM t WHERE g IN (SELECT g FROM u) GROUP BY g;",
        &[("g IN (SELECT g FROM u)", "NOT EXISTS (SELECT 1 FROM u WHERE u.g = t.g)")],
        Refused(&["INSERT INTO out: its ", "semi"]),
    ),
];
