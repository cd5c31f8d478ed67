//! Windows, and what event time is.

use super::Then::{Kept, Refused};
use super::{Pair, SUMS, pair};

const WINDOWS: &str = "INSERT INTO windows SELECT g, window_start, SUM(n) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(at), \
                       INTERVAL '10' SECONDS)) GROUP BY g, window_start, window_end;";
const SESSIONS: &str = "INSERT INTO windows SELECT g, window_start, SUM(n) FROM TABLE(SESSION(TABLE t PARTITION BY g, \
                        DESCRIPTOR(at), INTERVAL '1' SECOND)) GROUP BY g, window_start, window_end;";

const PATTERNS: &str = "INSERT INTO joined SELECT g, x, y FROM t MATCH_RECOGNIZE (PARTITION BY g ORDER BY at MEASURES A.n AS x, \
                        LAST(B.m) AS y AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2}) DEFINE B AS B.n > A.n);";

pub(crate) const PAIRS: &[Pair] = &[
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
        "sessions with another gap",
        SESSIONS,
        &[("DESCRIPTOR(at), INTERVAL '1' SECOND", "DESCRIPTOR(at), INTERVAL '2' SECOND")],
        Refused(&["window: sessions, gap 1000 ms became sessions, gap 2000 ms"]),
    ),
    pair(
        "sessions become windows",
        SESSIONS,
        &[("SESSION(TABLE t PARTITION BY g,", "TUMBLE(TABLE t,")],
        Refused(&["INSERT INTO windows: its ", "sessions, gap 1000 ms", "tumbling 1000 ms"]),
    ),
    pair(
        "a pattern whose variables are called otherwise",
        PATTERNS,
        &[
            ("A.n AS x", "ONE.n AS x"),
            ("PATTERN (A B{2})", "PATTERN (ONE B{2})"),
            ("B.n > A.n", "B.n > ONE.n"),
        ],
        Kept("joined"),
    ),
    pair("another pattern", PATTERNS, &[("B{2}", "B{3}")], Refused(&["finds: (#0 #1[2]) became (#0 #1[3])"])),
    pair(
        "a pattern that goes on elsewhere",
        PATTERNS,
        &[("PAST LAST ROW", "TO NEXT ROW")],
        Refused(&["goes on: SKIP PAST LAST ROW became SKIP TO NEXT ROW"]),
    ),
];
