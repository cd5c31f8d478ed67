//! The updating join and the interval join, row by row.

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::source::Policy;
use millstream_operators::testing::{
    After, Event, Function, Harness, Keyed, batch, check_events, check_timed, field,
};
use millstream_operators::{
    END_OF_TIME, IntervalJoin, Join, JoinKind, JoinOn, JoinSide, OperatorSpec, Port, Residual, StreamKind,
};
use std::sync::Arc;

use Event::{Clock, Commit, Rows, Watermark};
use JoinKind::{Full, Inner, Left, Right};
use StreamKind::{Append, Changelog, Upsert};

fn schema(columns: &str) -> SchemaRef {
    Arc::new(Schema::new(columns.split_whitespace().map(field).collect::<Vec<_>>()))
}

/// `left (k, a)` with `right (rk, b)` on the keys.
fn on(kind: JoinKind, inputs: [StreamKind; 2]) -> JoinOn {
    let side = |columns, input| JoinSide { schema: schema(columns), keys: vec![0], input };
    JoinOn {
        left: side("k:i64 a:i64", inputs[0]),
        right: side("rk:i64 b:i64", inputs[1]),
        kind,
        on: "k = rk".to_owned(),
        residual: None,
        bad: Policy::Fail,
    }
}

/// `a < b`.
pub(crate) fn a_below_b() -> Residual {
    let predicate = Function::new("a < b", DataType::Boolean, |rows, _| {
        let (a, b) = (rows.column(0).as_primitive::<Int64Type>(), rows.column(1).as_primitive::<Int64Type>());
        let below = a.iter().zip(b).map(|(a, b)| Some(a? < b?));
        Ok(Arc::new(below.collect::<BooleanArray>()))
    });
    Residual { columns: vec![1, 3], predicate: Arc::new(predicate) }
}

fn keyed<S: OperatorSpec>(inner: S) -> Keyed<S> {
    Keyed { columns: vec![vec![0], vec![0]], inner }
}

pub(crate) fn updating(
    kind: JoinKind,
    inputs: [StreamKind; 2],
    residual: bool,
    ttl_ms: Option<i64>,
) -> Keyed<Join> {
    updating_for(kind, inputs, residual, [ttl_ms; 2])
}

/// With a time of its own for the rows of each side.
pub(crate) fn updating_for(
    kind: JoinKind,
    inputs: [StreamKind; 2],
    residual: bool,
    ttl_ms: [Option<i64>; 2],
) -> Keyed<Join> {
    let mut on = on(kind, inputs);
    on.residual = residual.then(a_below_b);
    keyed(Join { on, ttl_ms })
}

pub(crate) fn interval(kind: JoinKind, lower_ms: i64, upper_ms: i64, residual: bool) -> Keyed<IntervalJoin> {
    let mut on = on(kind, [Append, Append]);
    on.residual = residual.then(a_below_b);
    keyed(IntervalJoin { on, lower_ms, upper_ms, late: [LatePolicy::Skip; 2] })
}

const HEAD: &str = "k:i64 a:i64 rk:i64 b:i64";
const END: Event<'_> = Watermark(END_OF_TIME);

fn check(spec: &Keyed<Join>, events: &[Event<'_>], expected: &str) {
    check_events(spec, events, &format!("{HEAD} | {expected}"));
}

const BOTH_SIDES: &[Event<'static>] = &[
    Rows(0, "k:i64 a:i64 | + @1 1 10  + @2 2 20  + @3 1 11"),
    Commit,
    Rows(1, "rk:i64 b:i64 | + @4 1 12  + @5 3 30"),
    Commit,
    Rows(0, "k:i64 a:i64 | + @6 3 33  + @7 1 13"),
    Rows(1, "rk:i64 b:i64 | + @8 1 14"),
    Commit,
];

#[test]
fn rows_of_either_side_meet_those_of_the_other() {
    let expected = "+ @4 1 10 1 12  + @4 1 11 1 12  + @6 3 33 3 30  + @7 1 13 1 12
                    + @8 1 10 1 14  + @8 1 11 1 14  + @8 1 13 1 14";
    check(&updating(Inner, [Append, Append], false, None), BOTH_SIDES, expected);
    let met = "+ @4 1 10 1 12  + @4 1 11 1 12  + @8 1 10 1 14  + @8 1 11 1 14  + @8 1 13 1 14";
    check(&updating(Inner, [Append, Append], true, None), BOTH_SIDES, met);
}

#[test]
fn unmatched_rows_are_padded_and_taken_back_at_the_first_match() {
    check(
        &updating(Full, [Append, Append], false, None),
        BOTH_SIDES,
        "+ @1 1 10 null null  + @2 2 20 null null  + @3 1 11 null null
         - @4 1 10 null null  + @4 1 10 1 12  - @4 1 11 null null  + @4 1 11 1 12  + @5 null null 3 30
         - @6 null null 3 30  + @6 3 33 3 30  + @7 1 13 1 12
         + @8 1 10 1 14  + @8 1 11 1 14  + @8 1 13 1 14",
    );
    // With a further condition rows of one key are matched each for itself.
    check(
        &updating(Left, [Append, Append], true, None),
        BOTH_SIDES,
        "+ @1 1 10 null null  + @2 2 20 null null  + @3 1 11 null null
         - @4 1 10 null null  + @4 1 10 1 12  - @4 1 11 null null  + @4 1 11 1 12
         + @6 3 33 null null  + @7 1 13 null null
         + @8 1 10 1 14  + @8 1 11 1 14  - @8 1 13 null null  + @8 1 13 1 14",
    );
}

#[test]
fn retractions_of_either_side_take_results_back() {
    let events = [
        Rows(0, "k:i64 a:i64 | + 1 10  + 1 10  + 1 11"),
        Rows(1, "rk:i64 b:i64 | + 1 12"),
        Commit,
        // One of two equal rows; then a row that is not there.
        Rows(0, "k:i64 a:i64 | - 1 10  - 1 99"),
        Commit,
        Rows(1, "rk:i64 b:i64 | - 1 12  + 1 13"),
        Commit,
        Rows(0, "k:i64 a:i64 | - 1 10  - 1 11"),
        Commit,
        Rows(1, "rk:i64 b:i64 | - 1 13"),
        Commit,
    ];
    let inner = "+ 1 10 1 12  + 1 10 1 12  + 1 11 1 12  - 1 10 1 12
                 - 1 10 1 12  - 1 11 1 12  + 1 10 1 13  + 1 11 1 13  - 1 10 1 13  - 1 11 1 13";
    check(&updating(Inner, [Changelog, Changelog], false, None), &events, inner);
    check(&updating(Inner, [Changelog, Changelog], true, None), &events, inner);
    let full = "+ 1 10 null null  + 1 10 null null  + 1 11 null null
                - 1 10 null null  + 1 10 1 12  - 1 10 null null  + 1 10 1 12  - 1 11 null null  + 1 11 1 12
                - 1 10 1 12
                - 1 10 1 12  + 1 10 null null  - 1 11 1 12  + 1 11 null null
                - 1 10 null null  + 1 10 1 13  - 1 11 null null  + 1 11 1 13
                - 1 10 1 13  - 1 11 1 13  + null null 1 13
                - null null 1 13";
    check(&updating(Full, [Changelog, Changelog], false, None), &events, full);
    check(&updating(Full, [Changelog, Changelog], true, None), &events, full);
}

#[test]
fn an_upserted_row_replaces_the_one_of_its_key() {
    let events = [
        Rows(1, "rk:i64 b:i64 | + 1 12  + 2 20"),
        Rows(0, "k:i64 a:i64 | + 1 10  + 2 10"),
        Commit,
        Rows(1, "rk:i64 b:i64 | + 1 13  + 2 20  + 1 14"),
        Commit,
        // Only the key of a deletion means anything.
        Rows(1, "rk:i64 b:i64 | - 1 0  - 3 0"),
        Commit,
        Rows(1, "rk:i64 b:i64 | + 1 15"),
        Commit,
    ];
    check(
        &updating(Left, [Append, Upsert], false, None),
        &events,
        "+ 1 10 1 12  + 2 10 2 20
         - 1 10 1 12  + 1 10 null null  - 1 10 null null  + 1 10 1 13
         - 1 10 1 13  + 1 10 null null  - 1 10 null null  + 1 10 1 14
         - 1 10 1 14  + 1 10 null null
         - 1 10 null null  + 1 10 1 15",
    );
    let inner = "+ 1 10 1 12  + 2 10 2 20  - 1 10 1 12  + 1 10 1 13  - 1 10 1 13  + 1 10 1 14  - 1 10 1 14
                 + 1 10 1 15";
    check(&updating(Inner, [Append, Upsert], true, None), &events, inner);
    check(&updating(Inner, [Append, Upsert], false, None), &events, inner);
}

#[test]
fn a_null_key_meets_nothing() {
    let events = [
        Rows(0, "k:i64 a:i64 | + null 1  + 1 1"),
        Rows(1, "rk:i64 b:i64 | + null 2"),
        Commit,
        Rows(0, "k:i64 a:i64 | - null 1"),
        Commit,
    ];
    check_events(&updating(Inner, [Changelog, Append], false, None), &events, "");
    check(
        &updating(Full, [Changelog, Append], false, None),
        &events,
        "+ null 1 null null  + 1 1 null null  + null null null 2  - null 1 null null",
    );
    let state = |kind| {
        let spec = updating(kind, [Append, Append], false, None);
        let mut harness = Harness::new(&spec);
        harness.process_batch(Port(0), batch("k:i64 a:i64 | + null 1  + null 2")).unwrap();
        harness.commit().unwrap();
        harness.state().dump(2).unwrap()
    };
    assert_eq!((state(Inner), state(Full)), (vec![], vec![]));
}

#[test]
fn a_row_goes_when_its_time_to_live_is_over() {
    let events = [
        Clock(1_000),
        Rows(0, "k:i64 a:i64 | + 1 10"),
        Commit,
        Clock(1_050),
        Rows(0, "k:i64 a:i64 | + 1 11"),
        Commit,
        Clock(1_099),
        Rows(1, "rk:i64 b:i64 | + 1 12"),
        Commit,
        Clock(1_100),
        // The first row is not there any more: it is neither joined, nor taken back.
        Rows(1, "rk:i64 b:i64 | + 1 13"),
        Rows(0, "k:i64 a:i64 | - 1 10"),
        Commit,
        Clock(1_149),
        Rows(0, "k:i64 a:i64 | - 1 11"),
        Commit,
        Clock(2_000),
        Rows(1, "rk:i64 b:i64 | + 1 14"),
        Commit,
    ];
    let joined = "+ 1 10 1 12  + 1 11 1 12  + 1 11 1 13  - 1 11 1 12  - 1 11 1 13";
    check(&updating(Inner, [Changelog, Append], false, Some(100)), &events, joined);
    // What went by itself leaves results as they are: no padding comes back.
    check(
        &updating(Left, [Changelog, Append], false, Some(100)),
        &events,
        "+ 1 10 null null  + 1 11 null null
         - 1 10 null null  + 1 10 1 12  - 1 11 null null  + 1 11 1 12
         + 1 11 1 13  - 1 11 1 12  - 1 11 1 13",
    );
}

#[test]
fn rows_that_went_leave_nothing_in_the_stores() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = updating(Full, [Changelog, Append], false, Some(100));
        let mut harness = Harness::with(&spec, after, 1);
        for step in 0..40 {
            harness.set_clock(1_000 + step * 10);
            let rows = format!("k:i64 a:i64 | + {step} 1  + 1 {step}  - {} 1", step - 3);
            harness.process_batch(Port(0), batch(&rows)).unwrap();
            harness.process_batch(Port(1), batch(&format!("rk:i64 b:i64 | + {} 2", step + 2))).unwrap();
            harness.commit().unwrap();
            let stored = harness.state().dump(3).unwrap().len();
            assert!(stored < 100, "{after:?}: {stored} rows at {step}");
        }
        harness.set_clock(5_000);
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(3).unwrap().len(), 1, "the next sequence numbers");
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(3).unwrap().len(), 1, "{after:?}");
    }
}

#[test]
fn a_key_with_more_rows_than_are_joined_at_once_joins_them_all() {
    let spec = updating(Full, [Changelog, Changelog], true, None);
    let rows = |head: &str, sign: char, from: i64| {
        let rows: Vec<String> = (from..from + 200).map(|n| format!("{sign} 1 {n}")).collect();
        batch(&format!("{head} | {}", rows.join(" ")))
    };
    let mut harness = Harness::new(&spec);
    harness.process_batch(Port(0), rows("k:i64 a:i64", '+', 0)).unwrap();
    harness.process_batch(Port(1), rows("rk:i64 b:i64", '+', 1)).unwrap();
    let sum = |harness: &mut Harness<'_>| {
        let emitted = harness.take();
        let signs =
            emitted.iter().flat_map(|batch| (0..batch.len()).map(|row| i64::from(batch.ops.get(row))));
        signs.sum::<i64>()
    };
    // 200 + 199 + .. + 1 pairs; each left row has one.
    assert_eq!(sum(&mut harness), 200 * 201 / 2);
    harness.commit().unwrap();
    harness.process_batch(Port(1), rows("rk:i64 b:i64", '-', 1)).unwrap();
    assert_eq!(sum(&mut harness), 200 - 200 * 201 / 2);
    harness.process_batch(Port(0), rows("k:i64 a:i64", '-', 0)).unwrap();
    assert_eq!(sum(&mut harness), -200);
    harness.commit().unwrap();
    assert_eq!(harness.state().dump(2).unwrap().len(), 1);
}

#[test]
fn an_insertion_reads_nothing_of_its_own_side() {
    let spec = updating(Inner, [Append, Append], false, None);
    let mut harness = Harness::with(&spec, After::Evict, 0);
    let many: Vec<String> = (0..3_000).map(|n| format!("+ 1 {n}")).collect();
    harness.process_batch(Port(0), batch(&format!("k:i64 a:i64 | {}", many.join(" ")))).unwrap();
    harness.process_batch(Port(1), batch("rk:i64 b:i64 | + 2 1")).unwrap();
    harness.commit().unwrap();
    // Of the left side two pairs, since one does not take all of them; one of the right; and the next numbers.
    assert_eq!(harness.state().dump(2).unwrap().len(), 4);
    let before = harness.memory_bytes();
    harness.process_batch(Port(0), batch("k:i64 a:i64 | + 1 3000  + 1 3001")).unwrap();
    assert!(harness.memory_bytes() < before + 2_000, "{} after {before}", harness.memory_bytes());
    harness.process_batch(Port(1), batch("rk:i64 b:i64 | + 1 1")).unwrap();
    let joined: Vec<i64> = harness
        .take()
        .iter()
        .flat_map(|batch| batch.columns().unwrap().column(1).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(joined, (0..3_002).collect::<Vec<_>>(), "in the order they came, whatever was evicted");
}

#[test]
fn rows_meet_within_the_interval_in_whatever_order_they_come() {
    let events = [
        Rows(0, "k:i64 a:i64 | + @100 1 10  + @104 1 11"),
        Rows(1, "rk:i64 b:i64 | + @98 1 20  + @97 1 21  + @105 1 22  + @106 1 23  + @100 2 24"),
        Commit,
        Rows(0, "k:i64 a:i64 | + @108 1 12  + @99 1 13"),
        Commit,
        END,
    ];
    // left - right from -1 to 2.
    let joined = "+ @100 1 10 1 20  + @105 1 11 1 22  + @108 1 12 1 23  + @99 1 13 1 20  + @99 1 13 1 21";
    check_timed(&interval(Inner, -1, 2, false), &[20, 20], &events, &format!("{HEAD} | {joined}"), 0);
    let all = format!("{HEAD} | {joined} + @100 null null 2 24");
    check_timed(&interval(Full, -1, 2, false), &[20, 20], &events, &all, 0);
}

#[test]
fn an_unmatched_row_comes_out_when_nothing_can_match_it_any_more() {
    let spec = interval(Left, -5, 0, false);
    let mut harness = Harness::new(&spec);
    harness.process_batch(Port(0), batch("k:i64 a:i64 | + @10 1 1  + @12 2 2")).unwrap();
    harness.process_batch(Port(1), batch("rk:i64 b:i64 | + @12 2 9")).unwrap();
    for (watermark, expected) in [
        (15, format!("{HEAD} |\n+ @12 2 2 2 9\n")),
        (16, format!("{HEAD} |\n+ @10 1 1 null null\n")),
        (END_OF_TIME, String::new()),
    ] {
        harness.advance(watermark).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.output(), expected, "watermark {watermark}");
    }
    assert_eq!(harness.state().dump(3).unwrap().len(), 1, "the next sequence numbers");
}

#[test]
fn a_late_row_meets_what_is_still_there() {
    let events = [
        Rows(1, "rk:i64 b:i64 | + @10 1 1  + @15 1 2  + @30 1 3"),
        Rows(0, "k:i64 a:i64 | + @30 1 10"),
        Commit,
        // At watermark 30 right rows up to 24 are gone, and left rows up to 24 can meet nothing that comes.
        Rows(0, "k:i64 a:i64 | + @25 1 11  + @20 1 12  + @19 1 13"),
        Rows(1, "rk:i64 b:i64 | + @26 1 4  + @20 1 5"),
        Commit,
        END,
    ];
    let late = "+ @30 1 11 1 3  + @30 1 10 1 4  + @26 1 11 1 4  + @25 1 11 1 5";
    let inner = format!("{HEAD} | + @30 1 10 1 3  {late}");
    check_timed(&interval(Inner, -5, 5, false), &[0, 0], &events, &inner, 1);
    let gone = "+ @10 null null 1 1  + @15 null null 1 2";
    let full = format!("{HEAD} | + @30 1 10 1 3  {gone}  {late}  + @20 1 12 null null");
    check_timed(&interval(Full, -5, 5, false), &[0, 0], &events, &full, 1);
}

#[test]
fn a_late_row_stops_the_task_where_the_policy_says_so() {
    let mut spec = interval(Inner, 0, 5, false);
    spec.inner.late = [LatePolicy::Fail, LatePolicy::Skip];
    let mut rows = batch("k:i64 a:i64 | + @20 1 1  + @3 1 2");
    rows.behind = Some(vec![i64::MIN, 20].into());
    let error = Harness::new(&spec).process_batch(Port(0), rows).unwrap_err().to_string();
    assert!(error.contains("1970-01-01 00:00:00.003") && error.contains("00:00:00.020"), "{error}");
}

/// `60 / a > b`, which can't be computed where `a` is 0.
fn sixty_over_a() -> Residual {
    let predicate = Function::new("60 / a > b", DataType::Boolean, |rows, _| {
        let (a, b) = (rows.column(0).as_primitive::<Int64Type>(), rows.column(1).as_primitive::<Int64Type>());
        let mut above = Vec::new();
        for (a, b) in a.iter().zip(b) {
            let (Some(a), Some(b)) = (a, b) else {
                above.push(None);
                continue;
            };
            above.push(Some(60i64.checked_div(a).ok_or("division by zero")? > b));
        }
        Ok(Arc::new(BooleanArray::from(above)))
    });
    Residual { columns: vec![1, 3], predicate: Arc::new(predicate) }
}

#[test]
fn a_pair_that_the_condition_can_not_be_computed_for_does_not_meet_or_fails_the_task_by_name() {
    let mut spec = updating(Left, [Changelog, Append], false, None);
    spec.inner.on.residual = Some(sixty_over_a());
    let events = [
        Rows(1, "rk:i64 b:i64 | + 1 5  + 1 7"),
        Rows(0, "k:i64 a:i64 | + 1 10  + 1 0"),
        Commit,
        Rows(1, "rk:i64 b:i64 | + 1 2"),
        Rows(0, "k:i64 a:i64 | - 1 0  - 1 10"),
        Commit,
    ];
    let mut harness = Harness::new(&spec);
    let error = events.into_iter().try_for_each(|event| harness.play(event)).unwrap_err().to_string();
    assert!(error.starts_with("60 / a > b: division by zero; the row is (a = 0, b = 5)"), "{error}");
    spec.inner.on.bad = Policy::Skip;
    let expected = "+ 1 10 1 5  + 1 0 null null  + 1 10 1 2  - 1 0 null null  - 1 10 1 5  - 1 10 1 2";
    check(&spec, &events, expected);
    let mut harness = Harness::new(&spec);
    events.into_iter().for_each(|event| harness.play(event).unwrap());
    assert_eq!(harness.counters().bad, 3, "each pair once");
}

#[test]
fn sides_of_other_kinds_are_refused_with_a_reason() {
    let inner = updating(Inner, [Append, Append], false, None);
    assert_eq!(inner.output_kind(&[Append, Append]), Ok(Append));
    assert!(inner.output_kind(&[Append, Changelog]).is_err());
    let left = updating(Right, [Append, Append], false, None);
    assert_eq!(left.output_kind(&[Append, Append]), Ok(Changelog));
    let interval = interval(Full, 0, 1, false);
    assert_eq!(interval.output_kind(&[Append, Append]), Ok(Append));
    assert!(interval.output_kind(&[Changelog, Append]).unwrap_err().contains("updated"));
}

#[test]
fn what_is_kept_is_described() {
    let spec = updating(Left, [Append, Changelog], true, Some(60_000));
    assert_eq!(spec.describe().detail, "left, on k = rk, rows kept for 60000 ms");
    let stores: Vec<String> = spec.stores().into_iter().map(|store| store.schema).collect();
    assert_eq!(stores[0], "key, sequence -> time ms, matches, k Int64, a Int64");
    assert_eq!(stores[1], "key, sequence -> time ms, rk Int64, b Int64");
    assert_eq!(updating(Left, [Append, Append], false, None).stores().len(), 2);
}

#[test]
fn a_row_is_marked_by_whether_it_has_met_one_and_anew_when_that_changes() {
    check_events(
        &updating(JoinKind::Mark, [Append, Changelog], false, None),
        &[
            Rows(0, "k:i64 a:i64 | + @1 1 10  + @2 null 20  + @3 2 30"),
            Commit,
            Rows(1, "rk:i64 b:i64 | + @4 1 100  + @5 1 101  + @6 3 102"),
            Commit,
            Rows(0, "k:i64 a:i64 | + @7 3 40"),
            Rows(1, "rk:i64 b:i64 | - @8 1 100"),
            Commit,
            Rows(1, "rk:i64 b:i64 | - @9 1 101"),
            Commit,
        ],
        "k:i64 a:i64 mark:bool | + @1 1 10 false  + @2 null 20 false  + @3 2 30 false
         - @4 1 10 false  + @4 1 10 true  + @7 3 40 true  - @9 1 10 true  + @9 1 10 false",
    );
}
