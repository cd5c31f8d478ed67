//! Pairs of files.

mod aggregates;
mod joins;
mod ranks;
mod statements;
mod time;

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
CREATE TABLE ranked (k STRING, r BIGINT, a INT, PRIMARY KEY (k, r) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'ranked', 'key.format' = 'json', 'value.format' = 'json');
CREATE TABLE strict (k STRING, a INT NOT NULL, b INT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'strict', 'key.format' = 'raw', 'value.format' = 'json');
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

/// A pair: its name, the statements of the first file and what is replaced in it by what; and what has to come of it.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) before: &'static str,
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

/// All pairs, or with `MILLSTREAM_PAIR=rank` those whose names contain that.
pub(crate) fn pairs() -> impl Iterator<Item = &'static Pair> {
    let all = [aggregates::PAIRS, statements::PAIRS, time::PAIRS, joins::PAIRS, ranks::PAIRS];
    let wanted = std::env::var("MILLSTREAM_PAIR").unwrap_or_default();
    all.into_iter().flatten().filter(move |pair| pair.name.contains(&wanted))
}

#[test]
fn a_changed_file_goes_on_rightly_or_is_refused_on_the_embedded_log() {
    check_all(pairs(), 2, &|_| World::new(On::Embedded));
}

#[test]
fn a_changed_file_goes_on_rightly_or_is_refused_on_the_log_in_memory() {
    // One partition: no exchanges, so that everything is in one task.
    check_all(pairs(), 1, &|_| World::new(On::Memory));
}
