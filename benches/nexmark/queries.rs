//! The queries, in Flink's words, and what their rooflines read and write.

use crate::events::Counts;
use serde_json::Value;

/// A query.
pub(crate) struct Query {
    /// Its name, and that of its sink's topic, for which a run puts one of its own.
    pub name: &'static str,
    /// Its sink and its `INSERT`.
    pub sql: &'static str,
    /// How many rows it writes; `None` where that depends on when it commits.
    pub rows: fn(&Counts) -> Option<u64>,
    /// A sum over what it has written, of upserts the last row of each key.
    pub sum: fn(&Value) -> i64,
    /// What that sum has to be.
    pub sum_wanted: fn(&Counts) -> i64,
    /// For the loop by hand: the fields of a bid, and of an auction, beside the times that the watermark needs.
    pub bid: &'static [&'static str],
    pub auction: &'static [&'static str],
    /// For the loop by hand: which bids are written, and as what.
    pub keep: Keep,
    pub output: &'static [(&'static str, &'static str)],
}

fn number(row: &Value, column: &str) -> i64 {
    row[column].as_i64().unwrap_or_else(|| panic!("{column} of {row} is no whole number"))
}

/// Which bids the loop by hand writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep {
    All,
    Of123,
    /// As many as the engine wrote rows, evenly.
    AsMany,
}

pub(crate) const TABLES: &str = include_str!("tables.sql");

pub(crate) const QUERIES: &[Query] = &[
    Query {
        name: "q0",
        sql: "
CREATE TABLE q0 (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING)
WITH ('connector' = 'kafka', 'topic' = 'q0', 'format' = 'json');
INSERT INTO q0 SELECT auction, bidder, price, `dateTime`, extra FROM bid;",
        rows: |counts| Some(counts.bids),
        sum: |row| number(row, "price"),
        sum_wanted: |counts| counts.prices,
        bid: &["auction", "bidder", "price", "dateTime", "extra"],
        auction: &["dateTime"],
        keep: Keep::All,
        output: &[
            ("auction", "auction"),
            ("bidder", "bidder"),
            ("price", "price"),
            ("dateTime", "dateTime"),
            ("extra", "extra"),
        ],
    },
    Query {
        name: "q1",
        sql: "
CREATE TABLE q1 (auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` TIMESTAMP(3), extra STRING)
WITH ('connector' = 'kafka', 'topic' = 'q1', 'format' = 'json');
INSERT INTO q1 SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid;",
        rows: |counts| Some(counts.bids),
        sum: |row| (row["price"].as_f64().unwrap() * 1e3).round() as i64,
        sum_wanted: |counts| counts.prices * 908,
        bid: &["auction", "bidder", "price", "dateTime", "extra"],
        auction: &["dateTime"],
        keep: Keep::All,
        output: &[
            ("auction", "auction"),
            ("bidder", "bidder"),
            ("price", "euros"),
            ("dateTime", "dateTime"),
            ("extra", "extra"),
        ],
    },
    Query {
        name: "q2",
        sql: "
CREATE TABLE q2 (auction BIGINT, price BIGINT) WITH ('connector' = 'kafka', 'topic' = 'q2', 'format' = 'json');
INSERT INTO q2 SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;",
        rows: |counts| Some(counts.bids_of_123),
        sum: |row| number(row, "price"),
        sum_wanted: |counts| counts.prices_of_123,
        bid: &["auction", "price", "dateTime"],
        auction: &["dateTime"],
        keep: Keep::Of123,
        output: &[("auction", "auction"), ("price", "price")],
    },
    Query {
        name: "hop",
        sql: "
CREATE TABLE hop (auction BIGINT, window_start TIMESTAMP(3), window_end TIMESTAMP(3), num BIGINT)
WITH ('connector' = 'kafka', 'topic' = 'hop', 'format' = 'json');
INSERT INTO hop SELECT auction, window_start, window_end, COUNT(*) AS num
FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end;",
        rows: |counts| Some(counts.hops),
        sum: |row| number(row, "num"),
        sum_wanted: |counts| counts.bids as i64 * 5,
        bid: &["auction", "dateTime"],
        auction: &["dateTime"],
        keep: Keep::AsMany,
        output: &[
            ("auction", "auction"),
            ("window_start", "dateTime"),
            ("window_end", "dateTime"),
            ("num", "auction"),
        ],
    },
    Query {
        name: "bidders",
        sql: "
CREATE TABLE bidders (bidder BIGINT, num BIGINT, PRIMARY KEY (bidder) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'bidders', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO bidders SELECT bidder, COUNT(*) AS num FROM bid GROUP BY bidder;",
        rows: |_| None,
        sum: |row| number(row, "num"),
        sum_wanted: |counts| counts.bids as i64,
        bid: &["bidder", "dateTime"],
        auction: &["dateTime"],
        keep: Keep::AsMany,
        output: &[("bidder", "bidder"), ("num", "bidder")],
    },
    Query {
        name: "q4",
        sql: "
CREATE TABLE q4 (category BIGINT, final BIGINT, PRIMARY KEY (category) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'q4', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO q4 SELECT Q.category, AVG(Q.final) FROM (
  SELECT MAX(B.price) AS final, A.category FROM auction A, bid B
  WHERE A.id = B.auction AND B.`dateTime` BETWEEN A.`dateTime` AND A.expires
  GROUP BY A.id, A.category
) Q GROUP BY Q.category;",
        rows: |_| None,
        sum: |row| number(row, "category") * number(row, "final"),
        sum_wanted: Counts::winners,
        bid: &["auction", "price", "dateTime"],
        auction: &["id", "dateTime", "expires", "category"],
        keep: Keep::AsMany,
        output: &[("category", "auction"), ("final", "price")],
    },
];
