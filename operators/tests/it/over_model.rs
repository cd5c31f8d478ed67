//! Aggregation over frames against a model that looks through all rows for each of them.

use crate::over::{aggregate, call, lag, over};
use millstream_operators::aggregate::AggregateFunction::{Count, First, Last, Max, Min, Sum};
use millstream_operators::aggregate::{Frame, OverCall};
use millstream_operators::testing::{Happening, batch, canonical, play_every_way};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Action {
    /// Key, how far the time is from the last, value.
    Row(u8, i64, Option<i64>),
    Cut,
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let step = prop_oneof![4 => -6..8i64, 1 => 20..60i64, 2 => Just(0i64)];
    let value = proptest::option::weighted(0.8, -5..6i64);
    let action = prop_oneof![
        8 => (0..3u8, step, value).prop_map(|(key, step, value)| Action::Row(key, step, value)),
        2 => Just(Action::Cut),
        2 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..30)
}

fn frames() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(Frame::Rows(None)),
        Just(Frame::Range(None)),
        (0..5u64).prop_map(|rows| Frame::Rows(Some(rows))),
        (0..12i64).prop_map(|ms| Frame::Range(Some(ms))),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Row {
    time: i64,
    number: usize,
    key: u8,
    value: Option<i64>,
}

fn calls(frame: Frame) -> Vec<OverCall> {
    let mut calls = vec![
        call(Count, None),
        call(Sum, Some(1)),
        call(Min, Some(1)),
        call(Max, Some(1)),
        call(First, Some(1)),
        call(Last, Some(1)),
        OverCall::Aggregate(aggregate(Count, Some(1), true)),
    ];
    if let Frame::Rows(Some(rows)) = frame {
        calls.push(lag(1, rows as u32, None));
    }
    calls
}

/// What is computed for one of the rows that were in time, which are in the order in which they leave.
fn results(frame: Frame, rows: &[Row], at: usize) -> Vec<Option<i64>> {
    let own = rows[at];
    let of_key =
        |until: usize| rows[..until].iter().filter(|row| row.key == own.key).copied().collect::<Vec<_>>();
    let so_far = of_key(at + 1);
    let seen: Vec<Row> = match frame {
        Frame::Rows(preceding) => {
            let most = preceding.map_or(usize::MAX, |rows| rows as usize + 1);
            so_far[so_far.len().saturating_sub(most)..].to_vec()
        }
        Frame::Range(span) => {
            let from = span.map_or(i64::MIN, |span| own.time - span);
            of_key(rows.len()).into_iter().filter(|row| (from..=own.time).contains(&row.time)).collect()
        }
    };
    let values: Vec<i64> = seen.iter().filter_map(|row| row.value).collect();
    let mut distinct = values.clone();
    distinct.sort();
    distinct.dedup();
    let mut results = vec![
        Some(seen.len() as i64),
        (!values.is_empty()).then(|| values.iter().sum()),
        values.iter().min().copied(),
        values.iter().max().copied(),
        values.first().copied(),
        values.last().copied(),
        Some(distinct.len() as i64),
    ];
    if let Frame::Rows(Some(offset)) = frame {
        let before = (so_far.len() - 1).checked_sub(offset as usize);
        results.push(before.and_then(|place| so_far[place].value));
    }
    results
}

fn shown(value: Option<i64>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_row_comes_out_with_what_is_in_its_frame(
        actions in actions(),
        frame in frames(),
        delay in 0..15i64,
    ) {
        const HEAD: &str = "k:utf8 v:i64 f:f64 s:utf8";
        let (mut rows, mut late) = (Vec::<Row>::new(), 0);
        let (mut time, mut watermark) = (100, i64::MIN);
        let (mut happenings, mut pending) = (Vec::new(), String::new());
        for (number, action) in actions.iter().chain([&Action::Cut]).enumerate() {
            match action {
                Action::Row(key, step, value) => {
                    time += step;
                    match time > watermark {
                        true => rows.push(Row { time, number, key: *key, value: *value }),
                        false => late += 1,
                    }
                    watermark = watermark.max(time - delay);
                    pending.push_str(&format!(" + @{time} k{key} {} 0.5 n{number}", shown(*value)));
                }
                Action::Cut | Action::Commit => {
                    if !pending.is_empty() {
                        happenings.push(Happening::Rows(0, batch(&format!("{HEAD} |{pending}"))));
                        pending.clear();
                    }
                    if matches!(action, Action::Commit) {
                        happenings.push(Happening::Commit);
                    }
                }
            }
        }
        happenings.push(Happening::End);
        rows.sort_by_key(|row| (row.time, row.number));
        let calls = calls(frame);
        let types = vec!["x:i64"; calls.len()].join(" ");
        let mut expected = format!("{HEAD} {types} |");
        for (at, row) in rows.iter().enumerate() {
            let results: Vec<String> = results(frame, &rows, at).into_iter().map(shown).collect();
            let Row { time, number, key, value } = row;
            expected.push_str(&format!(" + @{time} k{key} {} 0.5 n{number} {}", shown(*value), results.join(" ")));
        }
        let outcome = play_every_way(&over(frame, calls), &[delay], &happenings);
        let expected = if rows.is_empty() { String::new() } else { canonical(&expected) };
        prop_assert_eq!(outcome.output, expected);
        prop_assert_eq!(outcome.late, late);
    }
}
