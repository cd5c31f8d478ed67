//! The temporal join by the clock, against a model that goes row by row.

use arrow::datatypes::{Schema, SchemaRef};
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check_events, field, play_every_way,
};
use millstream_operators::{CurrentJoin, Lineage, OperatorSpec, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use Event::{Commit, Rows};

fn schema(columns: &str) -> SchemaRef {
    Arc::new(Schema::new(columns.split_whitespace().map(field).collect::<Vec<_>>()))
}

/// `left (k, a)` joined with `right (rk, v)` on the keys.
fn join(kind: StreamKind, keep_unmatched: bool) -> Keyed<CurrentJoin> {
    let inner = CurrentJoin {
        left: schema("k:i64 a:i64"),
        left_keys: vec![0],
        right: schema("rk:i64 v:i64"),
        kind,
        keep_unmatched,
        on: "k = rk".to_owned(),
    };
    Keyed { columns: vec![vec![0], vec![0]], inner }
}

const HEAD: &str = "k:i64 a:i64 rk:i64 v:i64";

#[test]
fn a_row_meets_what_is_there_when_it_comes() {
    let events = [
        Rows(0, "k:i64 a:i64 | + @5 1 1"),
        Rows(1, "rk:i64 v:i64 | + @9 1 10  + @9 2 20  + @3 1 11"),
        Rows(0, "k:i64 a:i64 | + @1 1 2  + @2 2 3  + @3 null 4"),
        Commit,
        Rows(1, "rk:i64 v:i64 | - @9 1 null"),
        Rows(0, "k:i64 a:i64 | + @4 1 5  + @5 2 6"),
        Commit,
    ];
    let met = "+ @1 1 2 1 11  + @2 2 3 2 20";
    check_events(&join(StreamKind::Upsert, false), &events, &format!("{HEAD} | {met}  + @5 2 6 2 20"));
    let kept = format!(
        "{HEAD} | + @5 1 1 null null  {met}  + @3 null 4 null null  + @4 1 5 null null  + @5 2 6 2 20"
    );
    check_events(&join(StreamKind::Upsert, true), &events, &kept);
}

#[test]
fn what_is_taken_back_after_it_was_replaced_takes_nothing_away() {
    let events = [
        Rows(1, "rk:i64 v:i64 | + 1 10  + 1 11  - 1 10"),
        Rows(0, "k:i64 a:i64 | + 1 1"),
        Rows(1, "rk:i64 v:i64 | - 1 11"),
        Rows(0, "k:i64 a:i64 | + 1 2"),
        Commit,
    ];
    check_events(&join(StreamKind::Changelog, false), &events, &format!("{HEAD} | + 1 1 1 11"));
}

#[test]
fn a_null_key_meets_no_null() {
    let events = [Rows(1, "rk:i64 v:i64 | + null 10"), Rows(0, "k:i64 a:i64 | + null 1"), Commit];
    check_events(&join(StreamKind::Changelog, true), &events, &format!("{HEAD} | + null 1 null null"));
}

#[test]
fn keys_without_a_row_leave_nothing_behind() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = join(StreamKind::Upsert, true);
        let mut harness = Harness::with(&spec, after, 1);
        for key in 0..200 {
            harness.play(Rows(1, &format!("rk:i64 v:i64 | + {key} 1  - {key} null"))).unwrap();
            harness.play(Rows(0, &format!("k:i64 a:i64 | + {key} 1"))).unwrap();
            harness.commit().unwrap();
        }
        assert!(harness.state().dump(1).unwrap().is_empty());
        assert!(harness.memory_bytes() < 8_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn a_row_stays_the_record_it_was_and_only_comes() {
    let spec = join(StreamKind::Upsert, true);
    assert_eq!(spec.inner.lineage(), Lineage::Kept);
    assert_eq!(spec.output_kind(&[StreamKind::Append, StreamKind::Upsert]), Ok(StreamKind::Append));
    assert!(spec.output_kind(&[StreamKind::Changelog, StreamKind::Upsert]).is_err());
    assert!(spec.output_kind(&[StreamKind::Append, StreamKind::Append]).is_err(), "made for upserts");
}

#[derive(Debug, Clone)]
enum Action {
    Left(Option<u8>),
    Right(u8, bool),
    Commit,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn rows_meet_what_was_there_whatever_is_cut_evicted_or_killed(
        actions in proptest::collection::vec(prop_oneof![
            4 => proptest::option::weighted(0.9, 0..3u8).prop_map(Action::Left),
            4 => (0..3u8, proptest::bool::weighted(0.7)).prop_map(|(key, row)| Action::Right(key, row)),
            1 => Just(Action::Commit),
        ], 0..30),
        keep_unmatched in any::<bool>(),
    ) {
        let mut there: BTreeMap<u8, usize> = BTreeMap::new();
        let mut happenings = Vec::new();
        let mut expected = String::new();
        for (id, action) in actions.iter().enumerate() {
            match action {
                Action::Commit => happenings.push(Happening::Commit),
                Action::Right(key, row) => {
                    let sign = if *row { '+' } else { '-' };
                    happenings.push(Happening::Rows(1, batch(&format!("rk:i64 v:i64 | {sign} @1 {key} {id}"))));
                    if *row { there.insert(*key, id); } else { there.remove(key); }
                }
                Action::Left(key) => {
                    let name = key.map_or("null".to_owned(), |key| key.to_string());
                    happenings.push(Happening::Rows(0, batch(&format!("k:i64 a:i64 | + @1 {name} {id}"))));
                    match key.and_then(|key| there.get(&key)) {
                        Some(row) => expected.push_str(&format!(" + @1 {name} {id} {name} {row}")),
                        None if keep_unmatched => expected.push_str(&format!(" + @1 {name} {id} null null")),
                        None => {}
                    }
                }
            }
        }
        let outcome = play_every_way(&join(StreamKind::Upsert, keep_unmatched), &[0, 0], &happenings);
        let expected = if expected.is_empty() { expected } else { format!("{HEAD} |{expected}") };
        prop_assert_eq!(outcome.output, canonical(&expected));
    }
}
