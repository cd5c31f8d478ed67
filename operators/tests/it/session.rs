//! Aggregation over session windows, with a model that looks at one row after the other.

use crate::aggregate::calls;
use crate::window::bounds;
use millstream_operators::aggregate::{LatePolicy, SessionAggregate};
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check_timed, field, play_every_way,
};
use millstream_operators::{END_OF_TIME, OperatorSpec, StreamKind};
use proptest::prelude::*;
use std::collections::BTreeSet;

use Event::{Commit, Rows, Watermark};

const KV: &str = "k:i64 v:i64";

pub(crate) fn sessions(keys: usize, texts: &[&str], gap_ms: i64) -> Keyed<SessionAggregate> {
    let key = |text: &str| (field(text).name().clone(), field(text).data_type().clone());
    let keys: Vec<_> = KV.split_whitespace().take(keys).map(key).collect();
    let at: Vec<usize> = (0..keys.len()).collect();
    let calls = calls(KV, texts);
    Keyed::new(at, SessionAggregate { gap_ms, keys, calls, width: 2, late: LatePolicy::Skip })
}

/// Rows of key, results, and the bounds of their session.
fn expected(head: &str, rows: &[(&str, i64, i64)]) -> String {
    let row = |(values, start, end): &(&str, i64, i64)| {
        format!(" + @{} {values} {}", end - 1, bounds(*start, *end))
    };
    let rows: String = rows.iter().map(row).collect();
    format!("{head} window_start:ts window_end:ts window_time:ts |{rows}")
}

#[test]
fn rows_within_the_gap_are_one_session_and_one_that_touches_it_too() {
    check_timed(
        &sessions(1, &["count(*)", "sum(v)"], 5),
        &[3],
        &[
            Rows(0, "k:i64 v:i64 | + @0 1 1  + @5 1 2  + @3 2 3  + @11 1 4"),
            Commit,
            // One is late for its own window, and taken in by another that is open; one is late for all.
            Rows(0, "k:i64 v:i64 | + @17 1 5  + @9 2 6  + @8 1 7"),
            Commit,
            Rows(0, "k:i64 v:i64 | + @40 1 8"),
            Watermark(END_OF_TIME),
        ],
        &expected(
            "k:i64 count:i64 sumv:i64",
            &[("2 1 3", 3, 8), ("1 2 3", 0, 10), ("1 2 11", 8, 16), ("1 1 5", 17, 22), ("1 1 8", 40, 45)],
        ),
        1,
    );
}

#[test]
fn a_row_between_two_sessions_makes_them_one() {
    check_timed(
        &sessions(1, &["count(*)", "max(v)", "count(distinct v)"], 5),
        &[100],
        &[
            Rows(0, "k:i64 v:i64 | + @10 1 1  + @20 1 2  + @30 1 1"),
            Commit,
            Rows(0, "k:i64 v:i64 | + @15 1 2  + @25 1 3"),
            Commit,
            Rows(0, "k:i64 v:i64 | + @6 1 9"),
            Watermark(END_OF_TIME),
            Commit,
        ],
        &expected("k:i64 count:i64 maxv:i64 countdistinctv:i64", &[("1 6 9 4", 6, 35)]),
        0,
    );
}

#[test]
fn all_rows_are_one_partition_where_there_is_no_key() {
    check_timed(
        &sessions(0, &["sum(v)"], 5),
        &[0],
        &[Rows(0, "k:i64 v:i64 | + @0 1 1  + @4 2 2  + @20 3 3"), Watermark(END_OF_TIME)],
        &expected("sumv:i64", &[("3", 0, 9), ("3", 20, 25)]),
        0,
    );
}

#[test]
fn closed_sessions_leave_nothing_in_the_stores() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = sessions(1, &["count(*)", "count(distinct v)"], 5);
        let mut harness = Harness::with(&spec, after, 1);
        for number in 0..100 {
            let time = number * 10;
            harness
                .process(&format!("k:i64 v:i64 | + @{time} {number} 1  + @{} {number} 2", time + 3))
                .unwrap();
            harness.commit().unwrap();
            harness.advance(time + 8).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(3).unwrap(), []);
        assert!(harness.memory_bytes() < 12_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn rows_of_a_session_are_not_taken_back() {
    let spec = sessions(1, &["count(*)"], 5);
    assert_eq!(spec.output_kind(&[StreamKind::Append]), Ok(StreamKind::Append));
    assert!(spec.output_kind(&[StreamKind::Changelog]).unwrap_err().contains("session"));
}

/// A session that is open: key, start, end, values.
type Open = (Option<i64>, i64, i64, Vec<Option<i64>>);

struct Model {
    gap: i64,
    delay: i64,
    watermark: i64,
    open: Vec<Open>,
    output: String,
    late: u64,
}

impl Model {
    fn row(&mut self, key: Option<i64>, value: Option<i64>, time: i64) {
        let (start, end) = (time, time + self.gap);
        let touches = |open: &Open| open.0 == key && open.1 <= end && open.2 >= start;
        let (mut touched, rest): (Vec<Open>, Vec<Open>) = self.open.drain(..).partition(touches);
        self.open = rest;
        if touched.is_empty() && end - 1 <= self.watermark {
            self.late += 1;
        } else {
            touched.sort();
            let start = touched.iter().map(|open| open.1).min().map_or(start, |least| least.min(start));
            let end = touched.iter().map(|open| open.2).max().map_or(end, |most| most.max(end));
            let values = touched.into_iter().flat_map(|open| open.3).chain([value]).collect();
            self.open.push((key, start, end, values));
        }
        self.advance(time.saturating_sub(self.delay));
    }

    fn advance(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
        let closes = |open: &Open| open.2 - 1 <= self.watermark;
        let (mut closing, rest): (Vec<Open>, Vec<Open>) = self.open.drain(..).partition(closes);
        self.open = rest;
        closing.sort_by_key(|open| (open.2, open.0, open.1));
        for (key, start, end, rows) in closing {
            let values: Vec<i64> = rows.iter().copied().flatten().collect();
            let show = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
            let sum = (!values.is_empty()).then(|| values.iter().sum::<i64>());
            let distinct = values.iter().collect::<BTreeSet<_>>().len();
            self.output.push_str(&format!(
                " + @{} {} {} {} {} {distinct} {}",
                end - 1,
                show(key),
                rows.len(),
                show(sum),
                show(values.iter().min().copied()),
                bounds(start, end)
            ));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn sessions_hold_what_came_before_they_closed(
        rows in proptest::collection::vec(
            (proptest::option::weighted(0.9, 0..2i64), proptest::option::weighted(0.8, 0..3i64), -20..25i64, any::<(bool, bool)>()),
            0..26
        ),
        gap in 1..12i64,
        delay in 0..20i64,
        end in any::<bool>(),
    ) {
        let mut model =
            Model { gap, delay, watermark: i64::MIN, open: Vec::new(), output: String::new(), late: 0 };
        let (mut happenings, mut time, mut pending) = (Vec::new(), 0, String::new());
        let cut = |pending: &mut String| {
            let rows = std::mem::take(pending);
            (!rows.is_empty()).then(|| Happening::Rows(0, batch(&format!("{KV} |{rows}"))))
        };
        for (key, value, step, (cuts, commits)) in &rows {
            time += step;
            model.row(*key, *value, time);
            let show = |v: &Option<i64>| v.map_or("null".to_owned(), |v| v.to_string());
            pending.push_str(&format!(" + @{time} {} {}", show(key), show(value)));
            if *cuts {
                happenings.extend(cut(&mut pending));
            }
            if *commits {
                happenings.extend(cut(&mut pending));
                happenings.push(Happening::Commit);
            }
        }
        happenings.extend(cut(&mut pending));
        if end {
            happenings.push(Happening::End);
            model.advance(i64::MAX);
        }
        let spec = sessions(1, &["count(*)", "sum(v)", "min(v)", "count(distinct v)"], gap);
        let outcome = play_every_way(&spec, &[delay], &happenings);
        let head = "k:i64 count:i64 sumv:i64 minv:i64 countdistinctv:i64 window_start:ts window_end:ts window_time:ts";
        let wanted = if model.output.is_empty() { String::new() } else { format!("{head} |{}", model.output) };
        prop_assert_eq!(outcome.output, canonical(&wanted));
        prop_assert_eq!(outcome.late, model.late);
    }
}
