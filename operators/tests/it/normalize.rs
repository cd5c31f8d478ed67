//! From upserts to a changelog.

use crate::window::{bounds, windows};
use arrow::datatypes::Schema;
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check_events, check_timed, field,
    play_every_way,
};
use millstream_operators::{Normalize, OperatorSpec, Port, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn normalize() -> Keyed<Normalize> {
    let fields: Vec<_> = ["k:i64", "v:utf8"].map(field).into();
    Keyed::new([0], Normalize { schema: Arc::new(Schema::new(fields)), key: "k".to_owned() })
}

use Event::{Commit, Rows};

#[test]
fn an_upsert_takes_the_row_before_it_back() {
    check_events(
        &normalize(),
        &[
            Rows(0, "k:i64 v:utf8 | + @1 1 a  + @2 2 b  + @3 1 c"),
            Commit,
            Rows(0, "k:i64 v:utf8 | + @4 2 null  - @5 1 null"),
            Commit,
            Rows(0, "k:i64 v:utf8 | + @6 1 d  + @7 2 e"),
            Commit,
        ],
        "k:i64 v:utf8 | + @1 1 a  + @2 2 b  - @1 1 a  + @3 1 c  - @2 2 b  + @4 2 null  - @3 1 c
         + @6 1 d  - @4 2 null  + @7 2 e",
    );
}

#[test]
fn what_changes_nothing_emits_nothing() {
    let events = [
        Rows(0, "k:i64 v:utf8 | + @1 1 a  + @2 1 a  - @3 2 null"),
        Commit,
        Rows(0, "k:i64 v:utf8 | + @4 1 a  - @5 2 null  - @6 1 null  - @7 1 null"),
        Commit,
    ];
    check_timed(&normalize(), &[0], &events, "k:i64 v:utf8 | + @1 1 a  - @1 1 a", 0);
}

#[test]
fn a_row_taken_back_leaves_the_window_it_is_in() {
    let window = windows("k:i64 v:utf8", 0, &["count(*)"], [10, 10, 0], StreamKind::Changelog);
    let upserts = batch("k:i64 v:utf8 | + @1 1 a  + @2 2 b  + @12 1 c  + @30 3 d  + @31 2 e");
    // Before each row, with the clock of an input without delay.
    let behind = [i64::MIN, 1, 2, 12, 30];
    for row_by_row in [false, true] {
        let normalize = normalize();
        let (mut first, mut second) = (Harness::new(&normalize), Harness::new(&window));
        let pieces: Vec<Vec<u32>> =
            if row_by_row { (0..5).map(|row| vec![row]).collect() } else { vec![(0..5).collect()] };
        for piece in pieces {
            let mut rows = upserts.take(&piece).unwrap();
            rows.behind = Some(piece.iter().map(|row| behind[*row as usize]).collect::<Vec<_>>().into());
            let watermark = *rows.times.last().unwrap();
            first.process_batch(Port(0), rows).unwrap();
            first.advance(watermark).unwrap();
            for emitted in first.take() {
                second.process_batch(Port(0), emitted).unwrap();
            }
            second.advance(watermark).unwrap();
        }
        second.advance(100).unwrap();
        let head = "count:i64 window_start:ts window_end:ts window_time:ts";
        let [one, two, four] = [(0, 10), (10, 20), (30, 40)].map(|(start, end)| bounds(start, end));
        // The row of 1 goes while its window is still open, that of 2 when it is too late.
        let expected = format!("{head} | + @9 1 {one}  + @19 1 {two}  + @39 2 {four}");
        assert_eq!(second.output(), canonical(&expected), "row by row: {row_by_row}");
        assert_eq!(second.counters().late, 1, "row by row: {row_by_row}");
    }
}

#[test]
fn keys_that_are_gone_take_no_room() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = normalize();
        let mut harness = Harness::with(&spec, after, 1);
        for key in 0..300 {
            harness.process(&format!("k:i64 v:utf8 | + {key} value")).unwrap();
            harness.commit().unwrap();
            harness.process(&format!("k:i64 v:utf8 | - {key} null")).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(1).unwrap(), []);
        assert!(harness.memory_bytes() < 6_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn only_upserts_are_normalized() {
    assert_eq!(normalize().output_kind(&[StreamKind::Upsert]), Ok(StreamKind::Changelog));
    assert!(normalize().output_kind(&[StreamKind::Append]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_changelog_is_the_difference_of_tables(
        changes in proptest::collection::vec((0..4i64, proptest::option::of("[ab]?"), any::<bool>()), 0..30)
    ) {
        let (mut rows, mut expected) = (String::new(), String::new());
        let mut happenings = Vec::new();
        let mut table: BTreeMap<i64, (usize, String)> = BTreeMap::new();
        for (time, (key, value, commit)) in changes.iter().enumerate() {
            let new = value.as_ref().map(|value| format!("'{value}'"));
            let old = table.get(key).cloned();
            rows.push_str(&match &new {
                Some(new) => format!(" + @{time} {key} {new}"),
                None => format!(" - @{time} {key} null"),
            });
            if old.as_ref().map(|old| &old.1) != new.as_ref() {
                expected.extend(old.map(|(time, old)| format!(" - @{time} {key} {old}")));
                table.remove(key);
                if let Some(new) = new {
                    expected.push_str(&format!(" + @{time} {key} {new}"));
                    table.insert(*key, (time, new));
                }
            }
            if *commit {
                happenings.push(Happening::Rows(0, batch(&format!("k:i64 v:utf8 |{rows}"))));
                happenings.push(Happening::Commit);
                rows.clear();
            }
        }
        happenings.push(Happening::Rows(0, batch(&format!("k:i64 v:utf8 |{rows}"))));
        let outcome = play_every_way(&normalize(), &[0], &happenings);
        let expected = if expected.is_empty() { String::new() } else { format!("k:i64 v:utf8 |{expected}") };
        prop_assert_eq!(outcome.output, canonical(&expected));
        prop_assert_eq!(outcome.state.len(), table.len());
    }
}
