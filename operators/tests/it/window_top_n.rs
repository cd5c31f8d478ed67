//! The first rows of every partition of a window, and rows put into their windows.

use crate::window::bounds;
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use millstream_operators::aggregate::{LatePolicy, Window};
use millstream_operators::keys::SortColumn;
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check, check_timed, field, play_every_way,
};
use millstream_operators::{
    AssignWindows, END_OF_TIME, Lineage, OperatorSpec, RankFunction, StreamKind, TopN, WindowTopN,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use Event::{Commit, Rows, Watermark};

fn schema(columns: &str) -> SchemaRef {
    Arc::new(Schema::new(columns.split_whitespace().map(field).collect::<Vec<_>>()))
}

/// The rows with the greatest `v` by `k`.
fn top(function: RankFunction, [first, last]: [u64; 2], latest_first: bool) -> Keyed<WindowTopN> {
    let (name, data_type) = ("v".to_owned(), DataType::Int64);
    let top = TopN {
        input: schema("k:utf8 v:i64 n:i64"),
        kind: StreamKind::Append,
        function,
        order: vec![SortColumn { place: 1, name, data_type, descending: true, nulls_first: false }],
        latest_first,
        first,
        last,
        rank: Some("rank".to_owned()),
        key: "k".to_owned(),
    };
    Keyed::new([0], WindowTopN { top, late: LatePolicy::Skip })
}

const HEAD: &str = "k:utf8 v:i64 n:i64 rank:i64";

const EVENTS: &[Event<'static>] = &[
    Rows(0, "k:utf8 v:i64 n:i64 | + @9 b 1 1  + @9 a 5 2  + @9 a 7 3  + @19 a 1 4"),
    Commit,
    Rows(0, "k:utf8 v:i64 n:i64 | + @9 a 7 5  + @19 a null 6  + @29 a 2 7  + @9 b 9 8"),
    Commit,
    Watermark(END_OF_TIME),
];

#[test]
fn the_first_rows_of_a_window_come_out_once_when_it_closes() {
    let rows = "+ @9 a 7 3 1  + @9 a 7 5 2  + @9 b 1 1 1  + @19 a 1 4 1  + @19 a null 6 2  + @29 a 2 7 1";
    check_timed(&top(RankFunction::RowNumber, [1, 2], false), &[15], EVENTS, &format!("{HEAD} | {rows}"), 1);
    let second = "+ @9 a 5 2 2  + @19 a null 6 2";
    check_timed(
        &top(RankFunction::DenseRank, [2, 2], false),
        &[15],
        EVENTS,
        &format!("{HEAD} | {second}"),
        1,
    );
    let latest = "+ @9 a 7 5 1  + @9 b 1 1 1  + @19 a 1 4 1  + @29 a 2 7 1";
    check_timed(&top(RankFunction::RowNumber, [1, 1], true), &[15], EVENTS, &format!("{HEAD} | {latest}"), 1);
}

#[test]
fn windows_that_have_closed_leave_no_ranks_behind() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = top(RankFunction::RowNumber, [1, 2], false);
        let mut harness = Harness::with(&spec, after, 1);
        for window in 1..60 {
            let time = window * 10 - 1;
            harness
                .process(&format!("k:utf8 v:i64 n:i64 | + @{time} a 1 1  + @{time} k{window} 2 2"))
                .unwrap();
            harness.commit().unwrap();
            harness.advance(time).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(3).unwrap().len(), 1, "the next sequence number");
        assert!(harness.memory_bytes() < 8_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn a_window_keeps_no_more_rows_than_it_puts_out() {
    let spec = top(RankFunction::RowNumber, [1, 3], false);
    let mut harness = Harness::new(&spec);
    for number in 0..50 {
        harness.process(&format!("k:utf8 v:i64 n:i64 | + @9 a {} {number}", number * 7 % 50)).unwrap();
        harness.commit().unwrap();
    }
    assert_eq!(harness.state().dump(3).unwrap().len(), 5, "three rows, when they are due, the next number");
}

/// What comes out of rows `(window, key, v, n)` that have come before their windows closed.
fn model(
    rows: &[(i64, &str, Option<i64>, usize)],
    function: RankFunction,
    [first, last]: [u64; 2],
) -> String {
    let mut groups: BTreeMap<(i64, &str), Vec<(Option<i64>, usize)>> = BTreeMap::new();
    for (time, key, v, n) in rows {
        groups.entry((*time, *key)).or_default().push((*v, *n));
    }
    let mut out = String::new();
    for ((time, key), mut rows) in groups {
        rows.sort_by_key(|(v, _)| (v.is_none(), std::cmp::Reverse(*v)));
        let (mut rank, mut dense) = (0, 0);
        for (index, (v, n)) in rows.iter().enumerate() {
            if index == 0 || rows[index - 1].0 != *v {
                (rank, dense) = (index as u64 + 1, dense + 1);
            }
            let number = match function {
                RankFunction::RowNumber => index as u64 + 1,
                RankFunction::Rank => rank,
                RankFunction::DenseRank => dense,
            };
            if (first..=last).contains(&number) {
                let v = v.map_or("null".to_owned(), |v| v.to_string());
                write!(out, " + @{time} {key} {v} {n} {number}").unwrap();
            }
        }
    }
    if out.is_empty() { out } else { format!("{HEAD} |{out}") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn windows_are_ranked_as_by_sorting_them_whatever_is_cut_evicted_or_killed(
        rows in proptest::collection::vec(
            (proptest::sample::select(vec!["a", "b"]), proptest::option::weighted(0.9, 0..4i64),
             prop_oneof![5 => Just(0i64), 2 => Just(1i64), 1 => Just(-1i64)], 0..4u8),
            0..26
        ),
        function in proptest::sample::select(vec![RankFunction::RowNumber, RankFunction::Rank, RankFunction::DenseRank]),
        ranks in proptest::sample::select(vec![[1, 1], [1, 2], [2, 3], [1, 9]]),
        delay in 0..25i64,
    ) {
        let (mut window, mut watermark, mut late) = (1i64, i64::MIN, 0);
        let mut in_time = Vec::new();
        let mut happenings = Vec::new();
        for (n, (key, v, step, how)) in rows.iter().enumerate() {
            window = (window + step).max(1);
            let time = window * 10 - 1;
            if time <= watermark {
                late += 1;
            } else {
                in_time.push((time, *key, *v, n));
            }
            watermark = watermark.max(time - delay);
            let v = v.map_or("null".to_owned(), |v| v.to_string());
            happenings.push(Happening::Rows(0, batch(&format!("k:utf8 v:i64 n:i64 | + @{time} {key} {v} {n}"))));
            if *how == 0 {
                happenings.push(Happening::Commit);
            }
        }
        happenings.push(Happening::End);
        let outcome = play_every_way(&top(function, ranks, false), &[delay], &happenings);
        prop_assert_eq!(outcome.output, canonical(&model(&in_time, function, ranks)));
        prop_assert_eq!(outcome.late, late);
    }
}

fn assigned(window: Window) -> AssignWindows {
    AssignWindows { input: schema("k:utf8"), window, time: DataType::Timestamp(TimeUnit::Millisecond, None) }
}

fn windowed(rows: &[(&str, i64, i64)]) -> String {
    let row = |(row, start, end): &(&str, i64, i64)| {
        let (sign, key) = row.split_at(1);
        format!(" {sign} @{} {key} {}", end - 1, bounds(*start, *end))
    };
    format!(
        "k:utf8 window_start:ts window_end:ts window_time:ts |{}",
        rows.iter().map(row).collect::<String>()
    )
}

#[test]
fn a_row_comes_out_once_for_every_window_it_is_in() {
    let rows = "k:utf8 | + @7 a  - @10 b";
    let tumbling = assigned(Window::new(10, 10, 0).unwrap());
    check(&tumbling, rows, &windowed(&[("+a", 0, 10), ("-b", 10, 20)]));
    assert_eq!(tumbling.lineage(), Lineage::Kept);
    let hopping = assigned(Window::new(10, 5, 2).unwrap());
    check(&hopping, rows, &windowed(&[("+a", 2, 12), ("+a", 7, 17), ("-b", 2, 12), ("-b", 7, 17)]));
    assert_eq!(
        hopping.lineage(),
        Lineage::Lost,
        "a row that is late for one of its windows is a record of the others"
    );
    let cumulating = assigned(Window::cumulating(15, 5, 0).unwrap());
    let expected = [("+a", 0, 10), ("+a", 0, 15), ("-b", 0, 15)];
    check(&cumulating, rows, &windowed(&expected));
}
