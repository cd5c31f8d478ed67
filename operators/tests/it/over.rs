//! Aggregation over the rows before each row.

use arrow::datatypes::{DataType, Schema};
use millstream_operators::aggregate::{AggregateCall, AggregateFunction, Frame, LatePolicy, Over, OverCall};
use millstream_operators::testing::{After, Event, Harness, Keyed, check_timed, field};
use millstream_operators::{END_OF_TIME, OperatorSpec, StreamKind};
use std::sync::Arc;

use AggregateFunction::{Count, First, Last, Max, Min, Sum};
use Event::{Commit, Rows, Watermark};

const COLUMNS: &str = "k:utf8 v:i64 f:f64 s:utf8";

pub(crate) fn call(function: AggregateFunction, column: Option<usize>) -> OverCall {
    OverCall::Aggregate(aggregate(function, column, false))
}

pub(crate) fn aggregate(
    function: AggregateFunction,
    argument: Option<usize>,
    distinct: bool,
) -> AggregateCall {
    let types = [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Utf8];
    let argument_type = argument.map_or(DataType::Int64, |column| types[column].clone());
    AggregateCall { function, argument, argument_type, distinct, filter: None, name: "x".to_owned() }
}

pub(crate) fn lag(argument: usize, offset: u32, default: Option<usize>) -> OverCall {
    let data_type = [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Utf8][argument].clone();
    OverCall::Lag { argument, data_type, offset, default, name: "x".to_owned() }
}

pub(crate) fn over(frame: Frame, calls: Vec<OverCall>) -> Keyed<Over> {
    let input = Arc::new(Schema::new(COLUMNS.split(' ').map(field).collect::<Vec<_>>()));
    let keys = vec![("k".to_owned(), DataType::Utf8)];
    Keyed::new([0], Over { input, keys, frame, calls, late: LatePolicy::Skip })
}

const ROWS: &str = "k:utf8 v:i64 f:f64 s:utf8 |
    + @10 a 1 0.5 p  + @12 a 5 null q  + @11 b 7 1.5 r  + @12 a 2 1.5 null  + @15 a null 2.5 s  + @13 a 3 0.25 t";

fn check(frame: Frame, calls: Vec<OverCall>, expected: &str) {
    let head = format!("{COLUMNS} {}", if calls.len() == 1 { "x:i64" } else { "" });
    let expected = if expected.contains('|') { expected.to_owned() } else { format!("{head} | {expected}") };
    let (before, behind) = (Rows(0, ROWS), Rows(0, "k:utf8 v:i64 f:f64 s:utf8 | + @30 c 9 1.0 u"));
    check_timed(
        &over(frame, calls),
        &[4],
        &[before, Commit, behind, Commit, Watermark(END_OF_TIME)],
        &expected,
        0,
    );
}

#[test]
fn rows_of_one_time_see_each_other_in_a_range() {
    check(
        Frame::Range(None),
        vec![call(Sum, Some(1))],
        "+ @10 a 1 0.5 p 1  + @11 b 7 1.5 r 7  + @12 a 5 null q 8  + @12 a 2 1.5 null 8  + @13 a 3 0.25 t 11
         + @15 a null 2.5 s 11  + @30 c 9 1.0 u 9",
    );
}

#[test]
fn rows_follow_each_other_in_the_order_in_which_they_came() {
    check(
        Frame::Rows(None),
        vec![call(Sum, Some(1))],
        "+ @10 a 1 0.5 p 1  + @11 b 7 1.5 r 7  + @12 a 5 null q 6  + @12 a 2 1.5 null 8  + @13 a 3 0.25 t 11
         + @15 a null 2.5 s 11  + @30 c 9 1.0 u 9",
    );
}

#[test]
fn rows_leave_a_frame_of_so_many() {
    check(
        Frame::Rows(Some(1)),
        vec![call(Sum, Some(1))],
        "+ @10 a 1 0.5 p 1  + @11 b 7 1.5 r 7  + @12 a 5 null q 6  + @12 a 2 1.5 null 7  + @13 a 3 0.25 t 5
         + @15 a null 2.5 s 3  + @30 c 9 1.0 u 9",
    );
    check(
        Frame::Rows(Some(0)),
        vec![call(Sum, Some(1))],
        "+ @10 a 1 0.5 p 1  + @11 b 7 1.5 r 7  + @12 a 5 null q 5  + @12 a 2 1.5 null 2  + @13 a 3 0.25 t 3
         + @15 a null 2.5 s null  + @30 c 9 1.0 u 9",
    );
}

#[test]
fn rows_leave_a_frame_of_so_long() {
    check(
        Frame::Range(Some(2)),
        vec![call(Count, None)],
        "+ @10 a 1 0.5 p 1  + @11 b 7 1.5 r 1  + @12 a 5 null q 3  + @12 a 2 1.5 null 3  + @13 a 3 0.25 t 3
         + @15 a null 2.5 s 2  + @30 c 9 1.0 u 1",
    );
}

#[test]
fn values_are_picked_of_those_in_the_frame() {
    check(
        Frame::Rows(Some(1)),
        vec![call(Min, Some(1)), call(Max, Some(2)), call(First, Some(3)), call(Last, Some(3))],
        "k:utf8 v:i64 f:f64 s:utf8 x:i64 x:f64 x:utf8 x:utf8 |
         + @10 a 1 0.5 p 1 0.5 p p  + @11 b 7 1.5 r 7 1.5 r r  + @12 a 5 null q 1 0.5 p q
         + @12 a 2 1.5 null 2 1.5 q q  + @13 a 3 0.25 t 2 1.5 t t  + @15 a null 2.5 s 3 2.5 t s
         + @30 c 9 1.0 u 9 1.0 u u",
    );
}

#[test]
fn a_row_before_is_looked_up_or_a_default_taken() {
    check(
        Frame::Rows(Some(2)),
        vec![lag(1, 1, None), lag(3, 2, Some(0)), lag(2, 0, None)],
        "k:utf8 v:i64 f:f64 s:utf8 x:i64 x:utf8 x:f64 |
         + @10 a 1 0.5 p null a 0.5  + @11 b 7 1.5 r null b 1.5  + @12 a 5 null q 1 a null
         + @12 a 2 1.5 null 5 p 1.5  + @13 a 3 0.25 t 2 q 0.25  + @15 a null 2.5 s 3 null 2.5
         + @30 c 9 1.0 u null c 1.0",
    );
}

#[test]
fn ranks_number_rows_and_times() {
    let name = || "x".to_owned();
    check(
        Frame::Rows(None),
        vec![OverCall::RowNumber(name()), OverCall::Rank(name()), OverCall::DenseRank(name())],
        "k:utf8 v:i64 f:f64 s:utf8 x:i64 x:i64 x:i64 |
         + @10 a 1 0.5 p 1 1 1  + @11 b 7 1.5 r 1 1 1  + @12 a 5 null q 2 2 2  + @12 a 2 1.5 null 3 2 2
         + @13 a 3 0.25 t 4 4 3  + @15 a null 2.5 s 5 5 4  + @30 c 9 1.0 u 1 1 1",
    );
}

#[test]
fn a_row_whose_time_is_not_after_the_watermark_is_late() {
    check_timed(
        &over(Frame::Range(None), vec![call(Count, None)]),
        &[5],
        &[
            Rows(
                0,
                "k:utf8 v:i64 f:f64 s:utf8 | + @10 a 1 0.5 p  + @20 a 2 0.5 p  + @15 a 3 0.5 p  + @16 a 4 0.5 p",
            ),
            Watermark(END_OF_TIME),
        ],
        "k:utf8 v:i64 f:f64 s:utf8 x:i64 | + @10 a 1 0.5 p 1  + @16 a 4 0.5 p 2  + @20 a 2 0.5 p 3",
        1,
    );
}

#[test]
fn what_is_no_frame_for_a_function_is_refused() {
    let refused = |frame, call| over(frame, vec![call]).output_kind(&[StreamKind::Append]).unwrap_err();
    assert_eq!(refused(Frame::Rows(Some(1)), lag(1, 2, None)), "the row 2 before is not in rows 1 preceding");
    let rank = OverCall::Rank("x".to_owned());
    assert_eq!(
        refused(Frame::Range(None), rank),
        "a rank is over all rows so far, not over range unbounded preceding"
    );
    let counted = over(Frame::Range(None), vec![call(Count, None)]);
    assert!(counted.output_kind(&[StreamKind::Changelog]).is_err());
}

/// What is in the stores after rows of many keys that came once.
fn stored(frame: Frame, function: AggregateFunction, last: &str) -> usize {
    let spec = over(frame, vec![call(function, Some(1))]);
    let mut harness = Harness::with(&spec, After::EvictSometimes, 1);
    for number in 0..60 {
        harness
            .process(&format!("k:utf8 v:i64 f:f64 s:utf8 | + @{number} key{} {number} 0.5 p", number % 7))
            .unwrap();
        harness.advance(number).unwrap();
        harness.commit().unwrap();
    }
    harness.process(last).unwrap();
    harness.advance(1000).unwrap();
    harness.commit().unwrap();
    harness.state().dump(spec.stores().len() as u16).unwrap().len()
}

#[test]
fn rows_out_of_their_frames_leave_nothing_in_the_stores() {
    let last = "k:utf8 v:i64 f:f64 s:utf8 | + @999 z 1 0.5 p";
    // The next sequence number; of the last key its group, one row, and its moment.
    assert_eq!(stored(Frame::Range(Some(10)), Sum, last), 4);
    assert_eq!(stored(Frame::Range(Some(10)), Max, last), 4);
    // Eight groups, and of each but the last key the two rows that the next one sees.
    assert_eq!(stored(Frame::Rows(Some(2)), Sum, last), 1 + 8 + 15);
    assert_eq!(stored(Frame::Rows(Some(0)), Sum, last), 1);
    assert_eq!(stored(Frame::Range(None), Sum, last), 1 + 8);
}

#[test]
fn a_sum_of_fractions_does_not_depend_on_what_was_evicted() {
    let fractions = [0.1, 1e16, 0.3, -1e16, 0.7, 1e-9, 0.2];
    let outputs = [After::Nothing, After::Evict, After::Crash].map(|after| {
        let spec = over(Frame::Rows(Some(1)), vec![call(Sum, Some(2)), call(Max, Some(2))]);
        let mut harness = Harness::with(&spec, after, 1);
        for (time, fraction) in fractions.iter().enumerate() {
            harness.process(&format!("k:utf8 v:i64 f:f64 s:utf8 | + @{time} a 1 {fraction} p")).unwrap();
            harness.advance(time as i64).unwrap();
            harness.commit().unwrap();
        }
        harness.output()
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
}
