//! `INTERSECT ALL` and `EXCEPT ALL`: examples, and a model that counts.

use arrow::datatypes::Schema;
use millstream_operators::testing::{
    Event, Happening, Harness, Keyed, batch, check_events, field, play_every_way,
};
use millstream_operators::{OperatorSpec, Port, SetKind, SetOperation, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use Event::{Commit, Rows};

const HEAD: &str = "k:i64 a:utf8";

fn spec(kind: SetKind) -> Keyed<SetOperation> {
    let schema = Arc::new(Schema::new(["k:i64", "a:utf8"].map(field).to_vec()));
    Keyed { columns: vec![vec![0, 1], vec![0, 1]], inner: SetOperation { kind, schema } }
}

#[test]
fn a_row_is_there_as_often_as_on_both_sides() {
    check_events(
        &spec(SetKind::IntersectAll),
        &[
            Rows(0, "k:i64 a:utf8 | + @1 1 x  + @2 1 x  + @3 1 x  + @4 null n"),
            Commit,
            Rows(1, "k:i64 a:utf8 | + @5 1 x  + @6 null n  + @7 2 y  + @8 1 x"),
            Commit,
            // Came and went between two commits; and one that is left on one side.
            Rows(1, "k:i64 a:utf8 | - @9 1 x  + @10 1 x  - @11 null n  + @12 null m"),
            Commit,
            Rows(0, "k:i64 a:utf8 | - @13 1 x  - @14 1 x"),
            Commit,
        ],
        "k:i64 a:utf8 | + @8 1 x  + @8 1 x  + @6 null n  - @11 null n  - @14 1 x",
    );
}

#[test]
fn a_row_is_there_as_often_as_the_left_has_it_more() {
    check_events(
        &spec(SetKind::ExceptAll),
        &[
            Rows(0, "k:i64 a:utf8 | + @1 1 x  + @2 1 x  + @3 2 y"),
            Rows(1, "k:i64 a:utf8 | + @4 2 y  + @5 2 y"),
            Commit,
            Rows(1, "k:i64 a:utf8 | + @6 1 x"),
            Rows(0, "k:i64 a:utf8 | + @7 2 y"),
            Commit,
            Rows(1, "k:i64 a:utf8 | - @8 1 x  - @9 2 y"),
            Commit,
        ],
        "k:i64 a:utf8 | + @2 1 x  + @2 1 x  - @6 1 x  + @8 1 x  + @9 2 y",
    );
}

#[test]
fn rows_that_are_on_neither_side_leave_nothing_in_the_store() {
    let spec = spec(SetKind::ExceptAll);
    let mut harness = Harness::new(&spec);
    let mut both = |rows: &str| {
        harness.process_batch(Port(0), batch(&format!("{HEAD} | {rows}"))).unwrap();
        harness.process_batch(Port(1), batch(&format!("{HEAD} | {rows}"))).unwrap();
        harness.commit().unwrap();
        harness.state().dump(1).unwrap().len()
    };
    assert_eq!(both("+ 1 a  + 2 b  + 2 b"), 2);
    assert_eq!(both("- 2 b  - 1 a  - 2 b"), 0);
}

#[test]
fn only_an_intersection_of_insertions_inserts_alone() {
    use StreamKind::{Append, Changelog, Upsert};
    let [intersect, except] = [SetKind::IntersectAll, SetKind::ExceptAll].map(spec);
    assert_eq!(intersect.output_kind(&[Append, Append]), Ok(Append));
    assert_eq!(intersect.output_kind(&[Append, Changelog]), Ok(Changelog));
    assert_eq!(except.output_kind(&[Append, Append]), Ok(Changelog));
    assert!(except.output_kind(&[Append, Upsert]).is_err());
    assert!(except.output_kind(&[Append]).is_err());
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
    /// A row comes (or is taken back) on a side.
    Change(u8, bool, i64),
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let change = (0..2u8, proptest::bool::weighted(0.65), 0..4i64);
    let action = prop_oneof![
        6 => change.prop_map(|(side, comes, value)| Action::Change(side, comes, value)),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Also of rows that are taken back before they come.
    #[test]
    fn what_comes_out_amounts_to_the_counts_of_both_sides(actions in actions(), intersects in any::<bool>()) {
        let kind = if intersects { SetKind::IntersectAll } else { SetKind::ExceptAll };
        let mut counts: BTreeMap<i64, [i64; 2]> = BTreeMap::new();
        let mut happenings = Vec::new();
        for (time, action) in actions.iter().enumerate() {
            happenings.push(match action {
                Action::Commit => Happening::Commit,
                Action::Change(side, comes, value) => {
                    let sign = if *comes { '+' } else { '-' };
                    counts.entry(*value).or_default()[usize::from(*side)] += if *comes { 1 } else { -1 };
                    Happening::Rows(*side, batch(&format!("{HEAD} | {sign} @{} {value} v{value}", time + 1)))
                }
            });
        }
        let outcome = play_every_way(&spec(kind), &[0, 0], &happenings);
        let there = |[left, right]: [i64; 2]| match kind {
            SetKind::IntersectAll => left.min(right).max(0),
            SetKind::ExceptAll => (left - right.max(0)).max(0),
        };
        let expected: BTreeMap<String, i64> = counts
            .into_iter()
            .map(|(value, counts)| (format!("{value} v{value}"), there(counts)))
            .filter(|(_, count)| *count != 0)
            .collect();
        prop_assert_eq!(fold(&outcome.output), expected);
    }
}
