//! Aggregation over windows.

use crate::aggregate::calls;
use millstream_operators::aggregate::{LatePolicy, Window, WindowAggregate};
use millstream_operators::testing::{Event, Harness, Keyed, check_timed, field};
use millstream_operators::{END_OF_TIME, OperatorSpec, StreamKind};

/// Windows over `columns`, keyed by the first `keys` of them: size, slide and offset in milliseconds.
pub(crate) fn windows(
    columns: &str,
    keys: usize,
    texts: &[&str],
    [size, slide, offset]: [i64; 3],
    input: StreamKind,
) -> Keyed<WindowAggregate> {
    windows_of(Window::new(size, slide, offset).expect("a window"), columns, keys, texts, input)
}

pub(crate) fn windows_of(
    window: Window,
    columns: &str,
    keys: usize,
    texts: &[&str],
    input: StreamKind,
) -> Keyed<WindowAggregate> {
    let key = |text: &str| (field(text).name().clone(), field(text).data_type().clone());
    let keys: Vec<_> = columns.split_whitespace().take(keys).map(key).collect();
    let at: Vec<usize> = (0..keys.len()).collect();
    let calls = calls(columns, texts);
    Keyed::new(at, WindowAggregate { window, keys, calls, input, late: LatePolicy::Skip })
}

const KV: &str = "k:utf8 v:i64";
const BOUNDS: &str = "window_start:ts window_end:ts window_time:ts";

/// The columns of an emitted row that say which window it is of: `[start, end)`.
pub(crate) fn bounds(start: i64, end: i64) -> String {
    let time = |ms: i64| {
        let time = chrono::DateTime::from_timestamp_millis(ms).expect("a time");
        time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
    };
    format!("{} {} {}", time(start), time(end), time(end - 1))
}

fn rows(rows: &[(&str, i64, i64)], head: &str) -> String {
    let row = |(values, start, end): &(&str, i64, i64)| {
        format!(" + @{} {values} {}", end - 1, bounds(*start, *end))
    };
    format!("{head} {BOUNDS} |{}", rows.iter().map(row).collect::<String>())
}

use Event::{Commit, Rows, Watermark};

#[test]
fn a_tumbling_window_closes_when_the_watermark_reaches_its_last_millisecond() {
    let spec = windows(KV, 1, &["count(*)", "sum(v)"], [10, 10, 0], StreamKind::Append);
    check_timed(
        &spec,
        &[0],
        &[
            Rows(0, "k:utf8 v:i64 | + @1 b 1  + @3 a 2  + @2 b 3  + @8 a 4"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @9 c 5"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @10 a 6  + @25 b 7"),
        ],
        &rows(
            &[("a 2 6", 0, 10), ("b 2 4", 0, 10), ("c 1 5", 0, 10), ("a 1 6", 10, 20)],
            "k:utf8 count:i64 sumv:i64",
        ),
        0,
    );
}

#[test]
fn rows_out_of_order_count_until_their_window_has_closed_and_then_are_late() {
    let spec = windows(KV, 1, &["sum(v)"], [10, 10, 0], StreamKind::Append);
    check_timed(
        &spec,
        &[5],
        &[
            Rows(0, "k:utf8 v:i64 | + @12 a 1  + @3 a 2  + @13 a 3  + @1 a 4  + @14 a 5  + @0 a 6  + @9 a 7"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @40 a 1"),
            Watermark(END_OF_TIME),
        ],
        &rows(&[("a 6", 0, 10), ("a 9", 10, 20), ("a 1", 40, 50)], "k:utf8 sumv:i64"),
        2,
    );
}

#[test]
fn windows_leave_in_the_order_of_their_ends_and_keys_in_theirs() {
    let spec = windows("k:i64", 1, &["count(*)"], [10, 10, 3], StreamKind::Append);
    check_timed(
        &spec,
        &[100],
        &[
            Rows(0, "k:i64 | + @33 2  + @1 -1  + @32 null  + @22 7  + @-8 3  + @23 -5  + @-7 3"),
            Commit,
            Watermark(END_OF_TIME),
            Commit,
        ],
        &rows(
            &[
                ("3 1", -17, -7),
                ("-1 1", -7, 3),
                ("3 1", -7, 3),
                ("7 1", 13, 23),
                ("null 1", 23, 33),
                ("-5 1", 23, 33),
                ("2 1", 33, 43),
            ],
            "k:i64 count:i64",
        ),
        0,
    );
}

#[test]
fn a_hopping_window_is_put_together_from_its_panes() {
    let spec = windows(KV, 1, &["count(*)", "max(v)"], [30, 10, 0], StreamKind::Append);
    check_timed(
        &spec,
        &[0],
        &[
            Rows(0, "k:utf8 v:i64 | + @5 a 1  + @15 b 2"),
            Commit,
            Rows(0, "k:utf8 v:i64 | + @16 a 3"),
            Commit,
            Commit,
            Rows(0, "k:utf8 v:i64 | + @36 a 4"),
            Watermark(END_OF_TIME),
        ],
        &rows(
            &[
                ("a 1 1", -20, 10),
                ("a 2 3", -10, 20),
                ("b 1 2", -10, 20),
                ("a 2 3", 0, 30),
                ("b 1 2", 0, 30),
                ("a 2 4", 10, 40),
                ("b 1 2", 10, 40),
                ("a 1 4", 20, 50),
                ("a 1 4", 30, 60),
            ],
            "k:utf8 count:i64 maxv:i64",
        ),
        0,
    );
}

#[test]
fn a_row_late_for_some_of_its_windows_counts_in_the_others_only_however_rows_are_cut() {
    let spec = windows(KV, 1, &["sum(v)"], [30, 10, 0], StreamKind::Append);
    check_timed(
        &spec,
        &[0],
        // When 8 comes, the windows that end at 10 and 20 have closed; when 7 comes, all of its windows have.
        &[
            Rows(0, "k:utf8 v:i64 | + @5 a 1  + @25 a 2  + @8 a 4  + @29 a 8  + @7 a 16"),
            Watermark(END_OF_TIME),
        ],
        &rows(
            &[("a 1", -20, 10), ("a 1", -10, 20), ("a 15", 0, 30), ("a 10", 10, 40), ("a 10", 20, 50)],
            "k:utf8 sumv:i64",
        ),
        1,
    );
}

#[test]
fn values_taken_back_leave_their_window() {
    let calls = ["count(*)", "min(v)", "count(distinct v)", "sum(distinct v)"];
    let spec = windows(KV, 1, &calls, [20, 10, 0], StreamKind::Changelog);
    check_timed(
        &spec,
        &[0],
        &[
            Rows(0, "k:utf8 v:i64 | + @1 a 1  + @2 a 5  + @3 b 1"),
            Commit,
            Rows(0, "k:utf8 v:i64 | - @1 a 1  + @7 a 5  - @3 b 1  + @12 b 2"),
            Commit,
            Watermark(END_OF_TIME),
        ],
        &rows(
            &[("a 2 5 1 5", -10, 10), ("a 2 5 1 5", 0, 20), ("b 1 2 1 2", 0, 20), ("b 1 2 1 2", 10, 30)],
            "k:utf8 count:i64 minv:i64 countdistinctv:i64 sumdistinctv:i64",
        ),
        0,
    );
}

#[test]
fn closed_windows_leave_nothing_in_the_store() {
    for shape in [[10, 10, 0], [30, 10, 0]] {
        let spec = windows(KV, 1, &["count(*)", "count(distinct v)"], shape, StreamKind::Changelog);
        let mut harness = Harness::new(&spec);
        for start in 0..20 {
            let rows: String = (0..10).map(|n| format!(" + @{} k{n} {n}", start * 10 + n)).collect();
            harness.process(&format!("k:utf8 v:i64 |{rows}")).unwrap_or_else(|_| panic!("{start}: keyed"));
            harness.commit().unwrap();
            harness.advance(start * 10 + 9).unwrap();
        }
        harness.advance(END_OF_TIME).unwrap();
        harness.commit().unwrap();
        assert_eq!(harness.state().dump(spec.stores().len() as u16).unwrap(), []);
        assert!(harness.memory_bytes() < 1_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn times_at_the_ends_of_time_are_in_windows_too() {
    let spec = windows(KV, 1, &["count(*)"], [20, 10, 7], StreamKind::Append);
    let mut harness = Harness::new(&spec);
    let (least, largest) = (i64::MIN, i64::MAX);
    harness.process(&format!("k:utf8 v:i64 | + @{least} a 1  + @{largest} b 1  + @5 c 1")).unwrap();
    harness.commit().unwrap();
    harness.advance(100).unwrap();
    harness.commit().unwrap();
    harness.advance(END_OF_TIME).unwrap();
    harness.commit().unwrap();
    let counted: usize = harness.take().iter().map(|batch| batch.len()).sum();
    assert!(counted >= 4, "{counted}");
    assert_eq!(harness.state().dump(1).unwrap(), []);
}

#[test]
fn a_late_row_stops_the_task_where_the_policy_says_so() {
    let mut spec = windows(KV, 1, &["count(*)"], [10, 10, 0], StreamKind::Append);
    spec.inner.late = LatePolicy::Fail;
    let mut late = millstream_operators::testing::batch("k:utf8 v:i64 | + @20 a 1  + @3 a 1");
    late.behind = Some(vec![i64::MIN, 20].into());
    let mut harness = Harness::new(&spec);
    let error = harness.process_batch(millstream_operators::Port(0), late).unwrap_err().to_string();
    assert!(error.contains("1970-01-01 00:00:00.003") && error.contains("00:00:00.020"), "{error}");
}

/// Counting it and going on would lose it, which is not what was asked for.
#[test]
fn a_late_row_that_has_lost_its_record_can_not_become_a_dead_letter_and_stops_the_task() {
    let mut spec = windows(KV, 1, &["count(*)"], [10, 10, 0], StreamKind::Append);
    spec.inner.late = LatePolicy::DeadLetter;
    let mut late = millstream_operators::testing::batch("k:utf8 v:i64 | + @20 a 1  + @3 a 1");
    late.behind = Some(vec![i64::MIN, 20].into());
    let mut harness = Harness::new(&spec);
    let error = harness.process_batch(millstream_operators::Port(0), late).unwrap_err().to_string();
    assert!(error.contains("00:00:00.003"), "{error}");
    assert_eq!(harness.counters().late, 1);
}

#[test]
fn a_window_that_does_not_slide_evenly_is_refused() {
    assert!(Window::new(10, 4, 0).unwrap_err().contains("size of 12 ms"));
    assert!(Window::new(0, 4, 0).is_err());
    assert!(Window::new(4, -4, 0).is_err());
}

#[test]
fn windows_that_a_row_would_be_in_without_end_are_refused_at_once() {
    let error = Window::new(86_400_000, 1, 0).unwrap_err();
    assert!(error.contains("86400000 windows") && error.contains("100000 at most"), "{error}");
    assert!(Window::new(86_400_000, 1_000, 0).is_ok());
    assert!(Window::cumulating(86_400_000, 1, 0).is_err());
}

#[test]
fn a_cumulating_window_grows_until_it_has_its_length_and_begins_anew() {
    let window = Window::cumulating(30, 10, 5).expect("a window");
    let spec = windows_of(window, KV, 1, &["count(*)"], StreamKind::Append);
    let rows_in = Rows(0, "k:utf8 v:i64 | + @7 a 1  + @26 a 2  + @34 b 3  + @36 a 4");
    check_timed(
        &spec,
        &[0],
        &[rows_in, Watermark(END_OF_TIME)],
        &rows(
            &[
                ("a 1", 5, 15),
                ("a 1", 5, 25),
                ("a 2", 5, 35),
                ("b 1", 5, 35),
                ("a 1", 35, 45),
                ("a 1", 35, 55),
                ("a 1", 35, 65),
            ],
            "k:utf8 count:i64",
        ),
        0,
    );
}
