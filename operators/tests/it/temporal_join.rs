//! The event-time temporal join.

use arrow::datatypes::{Schema, SchemaRef};
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::testing::{Event, Harness, Keyed, batch, check_timed, field};
use millstream_operators::{END_OF_TIME, OperatorSpec, Port, StreamKind, TemporalJoin};
use std::sync::Arc;

fn schema(columns: &str) -> SchemaRef {
    Arc::new(Schema::new(columns.split_whitespace().map(field).collect::<Vec<_>>()))
}

/// `left (k, a)` joined with `right (rk, v)` on the keys.
pub(crate) fn join(keep_unmatched: bool) -> Keyed<TemporalJoin> {
    let inner = TemporalJoin {
        left: schema("k:i64 a:utf8"),
        right: schema("rk:i64! v:utf8!"),
        keep_unmatched,
        on: "k".to_owned(),
        late: LatePolicy::Skip,
    };
    Keyed { columns: vec![vec![0], vec![0]], inner }
}

use Event::{Commit, Rows, Watermark};

const HEAD: &str = "k:i64 a:utf8 rk:i64 v:utf8";
const END: Event<'_> = Watermark(END_OF_TIME);

fn check(keep_unmatched: bool, events: &[Event<'_>], expected: &str) {
    check_timed(&join(keep_unmatched), &[0, 0], events, &format!("{HEAD} | {expected}"), 0);
}

#[test]
fn a_row_meets_the_version_of_its_time() {
    let events = [
        Rows(1, "rk:i64 v:utf8 | + @10 1 ten  + @15 2 other  + @20 1 twenty  + @30 1 thirty"),
        Commit,
        Rows(0, "k:i64 a:utf8 | + @9 1 a  + @10 1 b  + @19 1 c  + @20 1 d  + @29 1 e"),
        Commit,
        END,
    ];
    let matched = "+ @10 1 b 1 ten  + @19 1 c 1 ten  + @20 1 d 1 twenty  + @29 1 e 1 twenty";
    check(false, &events, matched);
    check(true, &events, &format!("+ @9 1 a null null  {matched}"));
}

#[test]
fn rows_wait_for_the_watermark_of_both_sides() {
    let mut spec = join(false);
    spec.inner.on = "k".to_owned();
    let mut harness = Harness::new(&spec);
    harness.process_batch(Port(0), batch("k:i64 a:utf8 | + @12 1 a  + @18 1 b  + @11 1 c")).unwrap();
    harness.process_batch(Port(1), batch("rk:i64 v:utf8 | + @5 1 five")).unwrap();
    harness.commit().unwrap();
    assert_eq!(harness.output(), "");
    harness.process_batch(Port(1), batch("rk:i64 v:utf8 | + @12 1 twelve")).unwrap();
    harness.advance(12).unwrap();
    let expected = format!("{HEAD} |\n+ @11 1 c 1 five\n+ @12 1 a 1 twelve\n");
    assert_eq!(harness.output(), expected);
    harness.advance(17).unwrap();
    assert_eq!(harness.output(), "");
    harness.advance(18).unwrap();
    assert_eq!(harness.output(), format!("{HEAD} |\n+ @18 1 b 1 twelve\n"));
}

#[test]
fn rows_leave_by_time_and_those_of_one_time_as_they_came() {
    check(
        true,
        &[
            Rows(0, "k:i64 a:utf8 | + @30 1 a"),
            Commit,
            Rows(0, "k:i64 a:utf8 | + @30 2 b  + @40 1 c"),
            Commit,
            Rows(0, "k:i64 a:utf8 | + @40 3 d  + @50 1 e  + @50 1 f"),
            Rows(1, "rk:i64 v:utf8 | + @35 1 x  + @45 1 y"),
            Commit,
            END,
        ],
        "+ @30 1 a null null  + @30 2 b null null  + @40 1 c 1 x  + @40 3 d null null
         + @50 1 e 1 y  + @50 1 f 1 y",
    );
}

#[test]
fn versions_may_come_out_of_order() {
    let events = [
        Rows(1, "rk:i64 v:utf8 | + @30 1 c  + @10 1 a  + @20 1 b  + @20 1 bb"),
        Rows(0, "k:i64 a:utf8 | + @15 1 x  + @25 1 y  + @35 1 z"),
        Commit,
        END,
    ];
    let expected = format!("{HEAD} | + @15 1 x 1 a  + @25 1 y 1 bb  + @35 1 z 1 c");
    check_timed(&join(false), &[0, 50], &events, &expected, 0);
}

#[test]
fn after_a_deletion_there_is_no_version() {
    let events = [
        Rows(1, "rk:i64 v:utf8 | + @10 1 a  - @20 1 ''  + @30 1 b"),
        Commit,
        Rows(0, "k:i64 a:utf8 | + @15 1 x  + @25 1 y"),
        Commit,
        Rows(0, "k:i64 a:utf8 | + @30 1 z"),
        END,
    ];
    check(false, &events, "+ @15 1 x 1 a  + @30 1 z 1 b");
    check(true, &events, "+ @15 1 x 1 a  + @25 1 y null null  + @30 1 z 1 b");
}

#[test]
fn a_null_key_meets_nothing() {
    let events = [
        Rows(1, "rk:i64 v:utf8 | + @10 0 a"),
        Rows(0, "k:i64 a:utf8 | + @15 null x  + @15 0 null  + @16 null null"),
        Commit,
        END,
    ];
    check(false, &events, "+ @15 0 null 0 a");
    check(true, &events, "+ @15 null x null null  + @15 0 null 0 a  + @16 null null null null");
}

#[test]
fn late_rows_are_counted_and_those_at_the_watermark_are_not_late() {
    let events = [
        Rows(1, "rk:i64 v:utf8 | + @10 1 a  + @100 1 b"),
        Rows(0, "k:i64 a:utf8 | + @50 1 x  + @49 1 late  + @50 1 y  + @60 1 z  + @59 1 late"),
        Commit,
        Rows(0, "k:i64 a:utf8 | + @60 1 zz  + @10 1 late"),
        Commit,
        END,
    ];
    let expected = format!("{HEAD} | + @50 1 x 1 a  + @50 1 y 1 a  + @60 1 z 1 a  + @60 1 zz 1 a");
    check_timed(&join(false), &[0, 0], &events, &expected, 3);
}

#[test]
fn a_late_version_counts_from_when_it_came_however_rows_are_cut() {
    // The watermark is the right side's. When 12 comes it stands at 20: the row of 13 has left, that of 25 has not.
    let events = [
        Rows(0, "k:i64 a:utf8 | + @13 1 x  + @25 1 y  + @40 1 z"),
        Rows(1, "rk:i64 v:utf8 | + @1 1 one  + @20 2 other  + @12 1 twelve  + @30 1 thirty  + @28 1 late"),
        Commit,
        END,
    ];
    check(false, &events, "+ @13 1 x 1 one  + @25 1 y 1 twelve  + @40 1 z 1 thirty");
}

#[test]
fn rows_at_the_watermark_say_so_to_what_comes_behind() {
    let spec = join(false);
    for together in [false, true] {
        let mut harness = Harness::new(&spec);
        harness.process_batch(Port(1), batch("rk:i64 v:utf8 | + @10 1 a")).unwrap();
        harness.advance(20).unwrap();
        let mut rows = batch("k:i64 a:utf8 | + @25 1 x  + @22 1 y");
        rows.behind = Some(vec![20, 22].into());
        if !together {
            harness.process_batch(Port(0), rows.take(&[0]).unwrap()).unwrap();
            harness.advance(22).unwrap();
            rows = rows.take(&[1]).unwrap();
        }
        harness.process_batch(Port(0), rows).unwrap();
        harness.advance(30).unwrap();
        let emitted = harness.take();
        assert_eq!(emitted[0].times[0], 22);
        assert_eq!(emitted[0].behind.as_ref().expect("22 is not ahead of 22")[0], 22);
    }
}

fn right_state(harness: &mut Harness<'_>) -> usize {
    let rows = harness.state().dump(3).unwrap();
    rows.iter().filter(|(store, _, _)| store.0 == 1).count()
}

#[test]
fn versions_that_nobody_can_ask_for_go_even_if_their_key_is_not_heard_of_again() {
    use millstream_operators::testing::After;
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = join(false);
        let mut harness = Harness::with(&spec, after, 3);
        let rows = "rk:i64 v:utf8 | + @10 1 a  + @20 1 b  + @30 1 c  + @10 2 x  - @25 2 ''  + @12 3 y";
        harness.process_batch(Port(1), batch(rows)).unwrap();
        harness.commit().unwrap();
        assert_eq!(right_state(&mut harness), 6);
        harness.advance(24).unwrap();
        harness.commit().unwrap();
        // The last version at the watermark is still asked for.
        assert_eq!(right_state(&mut harness), 5, "{after:?}");
        harness.process_batch(Port(0), batch("k:i64 a:utf8 | + @24 1 p  + @24 2 q  + @24 3 r")).unwrap();
        harness.commit().unwrap();
        let expected = format!("{HEAD} |\n+ @24 1 p 1 b\n+ @24 2 q 2 x\n+ @24 3 r 3 y\n");
        assert_eq!(harness.output(), expected, "{after:?}");
        harness.advance(40).unwrap();
        harness.commit().unwrap();
        assert_eq!(right_state(&mut harness), 2, "{after:?}");
        assert_eq!(harness.state().dump(3).unwrap().iter().filter(|row| row.0.0 == 2).count(), 0);
    }
}

#[test]
fn rows_that_have_left_are_not_in_the_store() {
    let spec = join(true);
    let mut harness = Harness::new(&spec);
    for time in 0..50 {
        let rows = format!("k:i64 a:utf8 | + @{} 1 a  + @{} 2 b", time + 10, time + 12);
        harness.process_batch(Port(0), batch(&rows)).unwrap();
        harness.advance(time).unwrap();
        harness.commit().unwrap();
    }
    harness.advance(END_OF_TIME).unwrap();
    harness.commit().unwrap();
    assert_eq!(harness.take().iter().map(|batch| batch.len()).sum::<usize>(), 100);
    let stored = harness.state().dump(3).unwrap();
    assert_eq!(stored.len(), 1, "only the next sequence number: {stored:?}");
}

#[test]
fn a_late_row_stops_the_task_where_the_policy_says_so() {
    let mut spec = join(true);
    spec.inner.late = LatePolicy::Fail;
    let mut rows = batch("k:i64 a:utf8 | + @20 1 a  + @3 1 b");
    rows.behind = Some(vec![i64::MIN, 20].into());
    let error = Harness::new(&spec).process_batch(Port(0), rows).unwrap_err().to_string();
    assert!(error.contains("1970-01-01 00:00:00.003") && error.contains("00:00:00.020"), "{error}");
}

#[test]
fn sides_of_other_kinds_are_refused_with_a_reason() {
    use StreamKind::{Append, Changelog, Upsert};
    let spec = join(true);
    assert_eq!(spec.output_kind(&[Append, Upsert]), Ok(Append));
    assert!(spec.output_kind(&[Append, Append]).unwrap_err().contains("versioned table"));
    assert!(spec.output_kind(&[Changelog, Upsert]).unwrap_err().contains("join before"));
}

/// A window before the join gives its rows with the watermark, behind the versions of the same step.
#[test]
fn rows_of_a_window_meet_the_versions_of_their_time_where_the_left_side_is_ahead() {
    let spec = join(true);
    let mut harness = Harness::new(&spec);
    // Of two versions of one time the second is behind the watermark that the first has raised.
    let mut versions = batch(
        "rk:i64 v:utf8 | + @10 1 a10  + @10 2 b10  + @20 1 a20  + @20 2 b20  + @30 1 a30  + @30 2 b30  + @40 1 a40",
    );
    versions.behind = Some(vec![i64::MIN, 10, 10, 20, 20, 30, 30].into());
    harness.process_batch(Port(1), versions).unwrap();
    harness.process_batch(Port(0), batch("k:i64 a:utf8 | + @19 1 x  + @19 2 y  + @29 1 z")).unwrap();
    harness.advance(30).unwrap();
    let expected = format!("{HEAD} |\n+ @19 1 x 1 a10\n+ @19 2 y 2 b10\n+ @29 1 z 1 a20\n");
    assert_eq!(harness.output(), expected);
    harness.process_batch(Port(0), batch("k:i64 a:utf8 | + @35 2 u  + @45 1 v")).unwrap();
    harness.advance(50).unwrap();
    assert_eq!(harness.output(), format!("{HEAD} |\n+ @35 2 u 2 b30\n+ @45 1 v 1 a40\n"));
}

#[test]
fn a_late_version_changes_no_row_of_a_window_that_had_left_before_it_came() {
    let spec = join(true);
    let mut harness = Harness::new(&spec);
    let mut versions = batch("rk:i64 v:utf8 | + @20 1 a20  + @5 2 b5");
    versions.behind = Some(vec![i64::MIN, 20].into());
    harness.process_batch(Port(1), versions).unwrap();
    harness.process_batch(Port(0), batch("k:i64 a:utf8 | + @10 2 p  + @25 2 q")).unwrap();
    harness.advance(30).unwrap();
    assert_eq!(harness.output(), format!("{HEAD} |\n+ @10 2 p null null\n+ @25 2 q 2 b5\n"));
    harness.commit().unwrap();
}
