//! The first rows of every partition.

use arrow::datatypes::{DataType, Schema};
use millstream_operators::keys::SortColumn;
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check_events, field, play_every_way,
};
use millstream_operators::{OperatorSpec, RankFunction, StreamKind, TopN};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use Event::{Commit, Rows};

const COLUMNS: &str = "k:utf8 v:i64 n:i64";

fn by_v(descending: bool) -> Vec<SortColumn> {
    let (name, data_type) = ("v".to_owned(), DataType::Int64);
    vec![SortColumn { place: 1, name, data_type, descending, nulls_first: !descending }]
}

/// The rows with the greatest `v` by `k`.
fn spec(kind: StreamKind, function: RankFunction, ranks: [u64; 2], rank: bool) -> Keyed<TopN> {
    let fields: Vec<_> = COLUMNS.split(' ').map(field).collect();
    let top = TopN {
        input: Arc::new(Schema::new(fields)),
        kind,
        function,
        order: by_v(true),
        latest_first: false,
        first: ranks[0],
        last: ranks[1],
        rank: rank.then(|| "rank".to_owned()),
        key: "k".to_owned(),
    };
    Keyed::new([0], top)
}

#[test]
fn the_greatest_rows_of_each_partition_come_out_and_go_when_greater_ones_come() {
    check_events(
        &spec(StreamKind::Append, RankFunction::RowNumber, [1, 2], false),
        &[
            Rows(0, "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 7 2  + @3 b 1 3  + @4 a 6 4"),
            Commit,
            // Less than all that are kept, equal to the last of them, and a null: none of these counts.
            Rows(0, "k:utf8 v:i64 n:i64 | + @5 a 1 5  + @6 a 6 6  + @7 a null 7"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | + @8 a 9 8  + @9 b null 9"),
            Commit,
        ],
        "k:utf8 v:i64 n:i64 | + @2 a 7 2  + @4 a 6 4  + @3 b 1 3  - @4 a 6 4  + @8 a 9 8  + @9 b null 9",
    );
}

#[test]
fn a_rank_that_is_a_column_moves_the_rows_behind_a_new_one() {
    check_events(
        &spec(StreamKind::Append, RankFunction::RowNumber, [1, 3], true),
        &[
            Rows(0, "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 3 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | + @3 a 4 3"),
            Commit,
        ],
        "k:utf8 v:i64 n:i64 rank:i64 | + @1 a 5 1 1  + @2 a 3 2 2  - @2 a 3 2 2  + @3 a 4 3 2  + @2 a 3 2 3",
    );
}

#[test]
fn a_row_that_is_taken_back_lets_the_next_one_in() {
    check_events(
        &spec(StreamKind::Changelog, RankFunction::RowNumber, [1, 1], false),
        &[
            Rows(0, "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 3 2  + @3 a 4 3  + @4 a 3 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | - @5 a 5 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | - @6 a 4 3  - @7 a 3 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | - @8 a 3 2"),
            Commit,
        ],
        "k:utf8 v:i64 n:i64 | + @1 a 5 1  - @1 a 5 1  + @3 a 4 3  - @3 a 4 3  + @4 a 3 2  - @4 a 3 2",
    );
}

#[test]
fn rows_that_are_equal_in_the_order_share_a_rank() {
    let rows = "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 5 2  + @3 a 4 3  + @4 a 3 4";
    check_events(
        &spec(StreamKind::Append, RankFunction::Rank, [1, 3], true),
        &[Rows(0, rows), Commit],
        "k:utf8 v:i64 n:i64 rank:i64 | + @1 a 5 1 1  + @2 a 5 2 1  + @3 a 4 3 3",
    );
    check_events(
        &spec(StreamKind::Append, RankFunction::DenseRank, [2, 2], true),
        &[Rows(0, rows), Commit],
        "k:utf8 v:i64 n:i64 rank:i64 | + @3 a 4 3 2",
    );
}

#[test]
fn the_first_rows_that_come_stay() {
    let mut spec = spec(StreamKind::Append, RankFunction::RowNumber, [2, 3], false);
    spec.inner.order.clear();
    assert_eq!(spec.output_kind(&[StreamKind::Append]), Ok(StreamKind::Append));
    check_events(
        &spec,
        &[
            Rows(0, "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 7 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | + @3 a 1 3  + @4 a 9 4"),
            Commit,
        ],
        "k:utf8 v:i64 n:i64 | + @2 a 7 2  + @3 a 1 3",
    );
}

#[test]
fn of_rows_of_the_same_time_the_last_one_is_kept_where_that_is_asked_for() {
    let mut spec = spec(StreamKind::Append, RankFunction::RowNumber, [1, 1], false);
    spec.inner.latest_first = true;
    check_events(
        &spec,
        &[
            Rows(0, "k:utf8 v:i64 n:i64 | + @1 a 5 1  + @2 a 5 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 n:i64 | + @3 a 5 3  + @4 a 4 4"),
            Commit,
        ],
        "k:utf8 v:i64 n:i64 | + @2 a 5 2  - @2 a 5 2  + @3 a 5 3",
    );
}

#[test]
fn rows_behind_the_last_rank_leave_nothing_in_the_store() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = spec(StreamKind::Append, RankFunction::RowNumber, [1, 3], true);
        let mut harness = Harness::with(&spec, after, 1);
        for number in 0..60 {
            harness.process(&format!("k:utf8 v:i64 n:i64 | + a {} {number}", number * 7 % 60)).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(2).unwrap().len(), 4, "three rows and the next sequence number");
    }
}

#[test]
fn a_partition_without_rows_leaves_nothing_in_the_store() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = spec(StreamKind::Changelog, RankFunction::RowNumber, [1, 3], false);
        let mut harness = Harness::with(&spec, after, 1);
        for number in 0..100 {
            harness.process(&format!("k:utf8 v:i64 n:i64 | + k{number} 1 1")).unwrap();
            harness.commit().unwrap();
            harness.process(&format!("k:utf8 v:i64 n:i64 | - k{number} 1 1")).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(2).unwrap().len(), 1, "the next sequence number");
        assert!(harness.memory_bytes() < 8_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn upserts_are_not_ranked() {
    let spec = spec(StreamKind::Changelog, RankFunction::RowNumber, [1, 3], false);
    assert_eq!(spec.output_kind(&[StreamKind::Changelog]), Ok(StreamKind::Changelog));
    assert!(spec.output_kind(&[StreamKind::Upsert]).is_err());
}

/// Rank and row of all rows that pass, over the rows that there are, in the order in which they came.
fn model(
    rows: &[(usize, &str, Option<i64>)],
    function: RankFunction,
    ranks: [u64; 2],
) -> BTreeMap<String, usize> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for key in ["a", "b"] {
        let mut of_key: Vec<_> = rows.iter().filter(|row| row.1 == key).collect();
        of_key.sort_by_key(|row| std::cmp::Reverse(row.2));
        let mut dense = 0;
        let mut rank = 0;
        for (index, row) in of_key.iter().enumerate() {
            let is_new = index == 0 || of_key[index - 1].2 != row.2;
            dense += u64::from(is_new);
            rank = if is_new { index as u64 + 1 } else { rank };
            let number = match function {
                RankFunction::RowNumber => index as u64 + 1,
                RankFunction::Rank => rank,
                RankFunction::DenseRank => dense,
            };
            if (ranks[0]..=ranks[1]).contains(&number) {
                let v = row.2.map_or("null".to_owned(), |v| v.to_string());
                *found.entry(format!("{key} {v} {} {number}", row.0)).or_default() += 1;
            }
        }
    }
    found
}

/// What a changelog amounts to.
fn folded(output: &str) -> BTreeMap<String, usize> {
    let mut rows: BTreeMap<String, i64> = BTreeMap::new();
    let text = output.split_once('|').map_or("", |(_, rows)| rows);
    let mut words = text.split_whitespace().peekable();
    while let Some(sign) = words.next() {
        words.next_if(|word| word.starts_with('@'));
        let row: Vec<&str> = words.by_ref().take(4).collect();
        *rows.entry(row.join(" ")).or_default() += if sign == "+" { 1 } else { -1 };
    }
    rows.into_iter().filter(|(_, count)| *count != 0).map(|(row, count)| (row, count as usize)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_comes_out_amounts_to_the_ranks_of_the_rows_that_are_there(
        changes in proptest::collection::vec(
            (proptest::sample::select(vec!["a", "b"]), proptest::option::weighted(0.9, 0..4i64), any::<Option<u8>>(), any::<bool>()),
            0..24
        ),
        function in proptest::sample::select(vec![RankFunction::RowNumber, RankFunction::Rank, RankFunction::DenseRank]),
        ranks in proptest::sample::select(vec![[1, 1], [1, 2], [2, 3], [1, 9]]),
        takes_back in any::<bool>(),
    ) {
        let kind = if takes_back { StreamKind::Changelog } else { StreamKind::Append };
        let mut there: Vec<(usize, &str, Option<i64>)> = Vec::new();
        let mut happenings = Vec::new();
        for (number, (key, v, gone, commit)) in changes.iter().enumerate() {
            let show = |v: &Option<i64>| v.map_or("null".to_owned(), |v| v.to_string());
            let row = match gone.filter(|_| takes_back && !there.is_empty()) {
                Some(at) => {
                    let (number, key, v) = there.remove(at as usize % there.len());
                    format!("- {key} {} {number}", show(&v))
                }
                None => {
                    there.push((number, *key, *v));
                    format!("+ {key} {} {number}", show(v))
                }
            };
            happenings.push(Happening::Rows(0, batch(&format!("{COLUMNS} | {row}"))));
            if *commit {
                happenings.push(Happening::Commit);
            }
        }
        let outcome = play_every_way(&spec(kind, function, ranks, true), &[0], &happenings);
        prop_assert_eq!(folded(&outcome.output), model(&there, function, ranks), "{}", canonical(&outcome.output));
    }
}
