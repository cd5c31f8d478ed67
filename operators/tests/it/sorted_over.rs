//! `OVER` in the order of columns: examples, and a model that computes all anew.

use arrow::datatypes::{DataType, Schema};
use millstream_operators::aggregate::{AggregateCall, AggregateFunction, Frame, LatePolicy, Over, OverCall};
use millstream_operators::keys::SortColumn;
use millstream_operators::testing::{
    Event, Happening, Harness, Keyed, batch, check_events, field, play_every_way,
};
use millstream_operators::{OperatorSpec, Port, SortedOver, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use Event::{Commit, Rows};

/// `SUM(v)` over a frame, of rows `(k, o, v)` by `k` in the order of `o`.
fn spec(frame: Frame, descending: bool) -> Keyed<SortedOver> {
    let sum = AggregateCall {
        function: AggregateFunction::Sum,
        argument: Some(2),
        argument_type: DataType::Int64,
        distinct: false,
        filter: None,
        name: "sum".to_owned(),
    };
    over(vec![OverCall::Aggregate(sum)], frame, descending)
}

fn over(calls: Vec<OverCall>, frame: Frame, descending: bool) -> Keyed<SortedOver> {
    let input = Arc::new(Schema::new(["k:utf8", "o:i64", "v:i64"].map(field).to_vec()));
    let keys = vec![("k".to_owned(), DataType::Utf8)];
    let order = SortColumn {
        place: 1,
        name: "o".to_owned(),
        data_type: DataType::Int64,
        descending,
        nulls_first: !descending,
    };
    let over = Over { input, keys, frame, calls, late: LatePolicy::Skip };
    Keyed::new([0], SortedOver { over, kind: StreamKind::Changelog, order: vec![order] })
}

#[test]
fn a_row_in_between_changes_those_behind_it() {
    check_events(
        &spec(Frame::Range(None), false),
        &[
            Rows(0, "k:utf8 o:i64 v:i64 | + @1 a 10 1  + @2 a 30 2  + @3 b 5 7"),
            Commit,
            // Equal in the order: in each other's frames. Nothing changes for b.
            Rows(0, "k:utf8 o:i64 v:i64 | + @4 a 20 4  + @5 a 20 8  + @6 b 1 0  - @7 b 1 0"),
            Commit,
            Rows(0, "k:utf8 o:i64 v:i64 | - @8 a 10 1  - @9 b 5 7"),
            Commit,
        ],
        "k:utf8 o:i64 v:i64 sum:i64 | + @1 a 10 1 1  + @2 a 30 2 3  + @3 b 5 7 7
         - @2 a 30 2 3  + @4 a 20 4 13  + @5 a 20 8 13  + @2 a 30 2 15
         - @1 a 10 1 1  - @4 a 20 4 13  - @5 a 20 8 13  - @2 a 30 2 15  - @3 b 5 7 7
         + @4 a 20 4 12  + @5 a 20 8 12  + @2 a 30 2 14",
    );
}

#[test]
fn the_rows_before_are_those_before_in_the_order() {
    let lag = OverCall::Lag {
        argument: 2,
        data_type: DataType::Int64,
        offset: 1,
        default: None,
        name: "last".to_owned(),
    };
    check_events(
        &over(vec![lag], Frame::Rows(Some(1)), true),
        &[
            Rows(0, "k:utf8 o:i64 v:i64 | + @1 a 1 1  + @2 a 3 3"),
            Commit,
            Rows(0, "k:utf8 o:i64 v:i64 | + @3 a 2 2"),
            Commit,
        ],
        "k:utf8 o:i64 v:i64 last:i64 | + @2 a 3 3 null  + @1 a 1 1 3  - @1 a 1 1 3  + @3 a 2 2 3  + @1 a 1 1 2",
    );
}

#[test]
fn rows_that_went_leave_nothing_in_the_store_but_their_number() {
    let spec = spec(Frame::Rows(None), false);
    let mut harness = Harness::new(&spec);
    for _ in 0..2 {
        harness.process_batch(Port(0), batch("k:utf8 o:i64 v:i64 | + a 1 1  + a 1 1  + b 2 2")).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(2).unwrap().len(), 4);
        harness.process_batch(Port(0), batch("k:utf8 o:i64 v:i64 | - a 1 1  - b 2 2  - a 1 1")).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(2).unwrap().len(), 1);
    }
}

#[test]
fn frames_of_so_long_are_in_the_order_of_time_only() {
    let bounded = spec(Frame::Range(Some(5)), false);
    assert!(bounded.output_kind(&[StreamKind::Changelog]).is_err());
    let rows = spec(Frame::Rows(Some(5)), false);
    assert_eq!(rows.output_kind(&[StreamKind::Changelog]), Ok(StreamKind::Changelog));
    assert!(rows.output_kind(&[StreamKind::Upsert]).is_err());
}

/// What printed output amounts to, without times.
fn fold(output: &str) -> BTreeMap<String, i64> {
    let mut bag = BTreeMap::new();
    for line in output.lines().filter(|line| line.starts_with(['+', '-'])) {
        let sign = if line.starts_with('+') { 1 } else { -1 };
        let words: Vec<&str> =
            line.split_whitespace().skip(1).filter(|word| !word.starts_with('@')).collect();
        *bag.entry(words.join(" ")).or_default() += sign;
    }
    bag.retain(|_, count| *count != 0);
    bag
}

#[derive(Debug, Clone)]
enum Action {
    Come(u8, i64, i64),
    /// One of the rows that are there goes.
    Go(usize),
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        5 => (0..2u8, 0..5i64, 1..9i64).prop_map(|(key, order, value)| Action::Come(key, order, value)),
        2 => (0..20usize).prop_map(Action::Go),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..25)
}

fn frames() -> impl Strategy<Value = Frame> {
    proptest::sample::select(vec![
        Frame::Range(None),
        Frame::Rows(None),
        Frame::Rows(Some(0)),
        Frame::Rows(Some(2)),
    ])
}

/// What is computed for the rows of a key, in their order.
fn sums(rows: &[(i64, i64)], frame: Frame) -> Vec<i64> {
    let sum = |rows: &[(i64, i64)]| rows.iter().map(|(_, value)| value).sum();
    let of = |at: usize| match frame {
        Frame::Range(_) => sum(&rows[..rows.iter().rposition(|row| row.0 == rows[at].0).unwrap() + 1]),
        Frame::Rows(None) => sum(&rows[..=at]),
        Frame::Rows(Some(before)) => sum(&rows[at.saturating_sub(before as usize)..=at]),
    };
    (0..rows.len()).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_comes_out_amounts_to_all_computed_anew(actions in actions(), frame in frames(), descending in any::<bool>()) {
        let mut there: Vec<(u8, i64, i64)> = Vec::new();
        let mut happenings = Vec::new();
        for (time, action) in actions.iter().enumerate() {
            let (sign, (key, order, value)) = match action {
                Action::Commit => {
                    happenings.push(Happening::Commit);
                    continue;
                }
                Action::Come(key, order, value) => {
                    there.push((*key, *order, *value));
                    ('+', (*key, *order, *value))
                }
                Action::Go(place) if *place < there.len() => {
                    let row = there[*place];
                    // Of rows that are equal the first goes.
                    let first = there.iter().position(|other| *other == row).unwrap();
                    ('-', there.remove(first))
                }
                Action::Go(_) => continue,
            };
            happenings.push(Happening::Rows(0, batch(&format!("k:utf8 o:i64 v:i64 | {sign} @{} k{key} {order} {value}", time + 1))));
        }
        let outcome = play_every_way(&spec(frame, descending), &[0], &happenings);
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for key in 0..2u8 {
            let mut rows: Vec<(i64, i64)> =
                there.iter().filter(|row| row.0 == key).map(|row| (row.1, row.2)).collect();
            rows.sort_by_key(|row| if descending { -row.0 } else { row.0 });
            for ((order, value), sum) in rows.iter().zip(sums(&rows, frame)) {
                *expected.entry(format!("k{key} {order} {value} {sum}")).or_default() += 1;
            }
        }
        prop_assert_eq!(fold(&outcome.output), expected);
    }
}
