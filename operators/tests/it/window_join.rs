//! The window join, against a model that looks at all pairs of every window.

use crate::join::a_below_b;
use arrow::datatypes::{Schema, SchemaRef};
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::source::Policy;
use millstream_operators::testing::{
    After, Event, Happening, Harness, Keyed, batch, canonical, check_timed, field, play_every_way,
};
use millstream_operators::{END_OF_TIME, JoinKind, JoinOn, JoinSide, OperatorSpec, StreamKind, WindowJoin};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;

use Event::{Commit, Rows, Watermark};
use JoinKind::{Anti, Full, Inner, Left, Mark, Right, Semi};

fn schema(columns: &str) -> SchemaRef {
    Arc::new(Schema::new(columns.split_whitespace().map(field).collect::<Vec<_>>()))
}

/// `left (k, a)` with `right (rk, b)` on the keys, and with `a < b` where there is a residual.
fn join(kind: JoinKind, residual: bool) -> Keyed<WindowJoin> {
    let side = |columns| JoinSide { schema: schema(columns), keys: vec![0], input: StreamKind::Append };
    let on = JoinOn {
        left: side("k:i64 a:i64"),
        right: side("rk:i64 b:i64"),
        kind,
        on: "k = rk".to_owned(),
        residual: residual.then(a_below_b),
        bad: Policy::Fail,
    };
    Keyed { columns: vec![vec![0], vec![0]], inner: WindowJoin { on, late: [LatePolicy::Skip; 2] } }
}

const HEAD: &str = "k:i64 a:i64 rk:i64 b:i64";
const END: Event<'_> = Watermark(END_OF_TIME);

/// Windows of 10 ms: two rows of the first on either side, one of the second, and one that comes for the first when that
/// has closed.
const WINDOWS: &[Event<'static>] = &[
    Rows(0, "k:i64 a:i64 | + @9 1 10  + @9 null 1  + @19 1 11"),
    Rows(1, "rk:i64 b:i64 | + @9 1 12  + @9 1 5"),
    Commit,
    Rows(1, "rk:i64 b:i64 | + @9 null 2  + @19 2 20  + @9 1 99"),
    Commit,
    END,
];

#[test]
fn rows_of_a_window_meet_when_it_closes_and_late_ones_do_not() {
    let inner = format!("{HEAD} | + @9 1 10 1 12  + @9 1 10 1 5");
    check_timed(&join(Inner, false), &[10, 10], WINDOWS, &inner, 1);
    let full = format!(
        "{HEAD} | + @9 1 10 1 12  + @9 1 10 1 5  + @9 null 1 null null  + @9 null null null 2
         + @19 1 11 null null  + @19 null null 2 20"
    );
    check_timed(&join(Full, false), &[10, 10], WINDOWS, &full, 1);
    let left = format!("{HEAD} | + @9 1 10 1 12  + @9 null 1 null null  + @19 1 11 null null");
    check_timed(&join(Left, true), &[10, 10], WINDOWS, &left, 1);
}

#[test]
fn of_a_semi_or_anti_join_each_left_row_comes_out_once() {
    check_timed(&join(Semi, false), &[10, 10], WINDOWS, "k:i64 a:i64 | + @9 1 10", 1);
    let none = "k:i64 a:i64 | + @9 null 1  + @19 1 11";
    check_timed(&join(Anti, false), &[10, 10], WINDOWS, none, 1);
}

#[test]
fn each_left_row_comes_out_with_whether_it_has_met_one() {
    let marked = "k:i64 a:i64 mark:bool | + @9 1 10 true  + @9 null 1 false  + @19 1 11 false";
    check_timed(&join(Mark, false), &[10, 10], WINDOWS, marked, 1);
}

#[test]
fn more_pairs_than_are_looked_at_at_once_come_out_all_the_same() {
    let rows = |count: usize| (0..count).map(|row| format!(" + @9 1 {row}")).collect::<String>();
    let spec = join(Right, true);
    let mut harness = Harness::new(&spec);
    harness.play(Rows(0, &format!("k:i64 a:i64 |{}", rows(200)))).unwrap();
    harness.play(Rows(1, &format!("rk:i64 b:i64 |{}", rows(100)))).unwrap();
    harness.advance(9).unwrap();
    // Of the right rows 0 to 99 each meets the left ones below it, and 0 meets none.
    assert_eq!(harness.output().lines().count(), 1 + (0..100).sum::<usize>() + 1);
}

#[test]
fn closed_windows_leave_nothing_in_the_stores() {
    for after in [After::Nothing, After::Evict, After::Crash] {
        let spec = join(Full, false);
        let mut harness = Harness::with(&spec, after, 1);
        for window in 1..40 {
            let time = window * 10 - 1;
            harness.process(&format!("k:i64 a:i64 | + @{time} {window} 1")).unwrap();
            harness.commit().unwrap();
            harness.advance(time).unwrap();
            harness.commit().unwrap();
        }
        assert_eq!(harness.state().dump(2).unwrap().len(), 1, "the next sequence number");
        assert!(harness.memory_bytes() < 1_000, "{}", harness.memory_bytes());
    }
}

#[test]
fn rows_that_are_taken_back_are_not_joined() {
    let spec = join(Inner, false);
    assert!(spec.output_kind(&[StreamKind::Changelog, StreamKind::Append]).is_err());
    assert_eq!(spec.output_kind(&[StreamKind::Append, StreamKind::Append]), Ok(StreamKind::Append));
}

#[derive(Debug, Clone)]
enum Action {
    /// Side, key, value, and how far the window is from the side's last.
    Row(u8, Option<u8>, i64, i64),
    Cut,
    Commit,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let step = || prop_oneof![5 => Just(0i64), 2 => Just(1i64), 1 => Just(-1i64), 1 => 2..4i64];
    let row = (0..2u8, proptest::option::weighted(0.85, 0..2u8), 0..4i64, step());
    let action = prop_oneof![
        9 => row.prop_map(|(side, key, value, step)| Action::Row(side, key, value, step)),
        2 => Just(Action::Cut),
        1 => Just(Action::Commit),
    ];
    proptest::collection::vec(action, 0..28)
}

/// A row: its window, its key and its value.
type Row = (i64, Option<u8>, i64);

struct Model {
    kind: JoinKind,
    residual: bool,
    watermarks: [Option<i64>; 2],
    waiting: [Vec<Row>; 2],
    output: String,
    late: u64,
}

impl Model {
    fn watermark(&self) -> Option<i64> {
        Some(self.watermarks[0]?.min(self.watermarks[1]?))
    }

    fn row(&mut self, side: usize, row: Row, delay: i64) {
        match self.watermark() {
            Some(watermark) if row.0 <= watermark => self.late += 1,
            _ => self.waiting[side].push(row),
        }
        let read = &mut self.watermarks[side];
        *read = Some((*read).unwrap_or(i64::MIN).max(row.0 - delay));
        self.close();
    }

    fn close(&mut self) {
        let Some(watermark) = self.watermark() else { return };
        let mut times: Vec<i64> = self.waiting.iter().flatten().map(|row| row.0).collect();
        times.sort_unstable();
        times.dedup();
        for time in times.into_iter().filter(|time| *time <= watermark) {
            let of_window = |rows: &mut Vec<Row>| {
                let (closed, rest): (Vec<Row>, Vec<Row>) = rows.iter().partition(|row| row.0 == time);
                *rows = rest;
                closed
            };
            let [left, right] = self.waiting.each_mut().map(of_window);
            self.join(time, &left, &right);
        }
    }

    fn join(&mut self, time: i64, left: &[Row], right: &[Row]) {
        let meets = |left: &Row, right: &Row| {
            left.1.is_some() && left.1 == right.1 && (!self.residual || left.2 < right.2)
        };
        let text =
            |row: &Row| format!("{} {}", row.1.map_or("null".to_owned(), |key| key.to_string()), row.2);
        let mut out: Vec<String> = Vec::new();
        if matches!(self.kind, Semi | Anti) {
            let wanted = self.kind == Semi;
            let found = left.iter().filter(|left| right.iter().any(|right| meets(left, right)) == wanted);
            out.extend(found.map(text));
        } else {
            for left in left {
                out.extend(
                    right
                        .iter()
                        .filter(|right| meets(left, right))
                        .map(|right| format!("{} {}", text(left), text(right))),
                );
            }
            if matches!(self.kind, Left | Full) {
                let alone = left.iter().filter(|left| !right.iter().any(|right| meets(left, right)));
                out.extend(alone.map(|left| format!("{} null null", text(left))));
            }
            if matches!(self.kind, Right | Full) {
                let alone = right.iter().filter(|right| !left.iter().any(|left| meets(left, right)));
                out.extend(alone.map(|right| format!("null null {}", text(right))));
            }
        }
        out.iter().for_each(|row| write!(self.output, " + @{time} {row}").unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn windows_are_joined_as_by_a_nested_loop_whatever_is_cut_evicted_or_killed(
        actions in actions(),
        kind in proptest::sample::select(vec![Inner, Left, Right, Full, Semi, Anti]),
        residual in any::<bool>(),
        delays in [0..25i64, 0..25i64],
        end in any::<bool>(),
    ) {
        let mut model = Model {
            kind,
            residual,
            watermarks: [None, None],
            waiting: [Vec::new(), Vec::new()],
            output: String::new(),
            late: 0,
        };
        let mut windows = [1i64, 1];
        let mut happenings = Vec::new();
        let mut pending: (u8, String) = (0, String::new());
        let cut = |happenings: &mut Vec<Happening>, (port, rows): &mut (u8, String)| {
            let head = ["k:i64 a:i64", "rk:i64 b:i64"][usize::from(*port)];
            if !rows.is_empty() {
                happenings.push(Happening::Rows(*port, batch(&format!("{head} |{rows}"))));
                rows.clear();
            }
        };
        for action in &actions {
            let Action::Row(side, key, value, step) = action else {
                cut(&mut happenings, &mut pending);
                if matches!(action, Action::Commit) {
                    happenings.push(Happening::Commit);
                }
                continue;
            };
            let window = &mut windows[usize::from(*side)];
            *window = (*window + step).max(1);
            let time = *window * 10 - 1;
            model.row(usize::from(*side), (time, *key, *value), delays[usize::from(*side)]);
            if pending.0 != *side {
                cut(&mut happenings, &mut pending);
                pending.0 = *side;
            }
            let key = key.map_or("null".to_owned(), |key| key.to_string());
            pending.1.push_str(&format!(" + @{time} {key} {value}"));
        }
        cut(&mut happenings, &mut pending);
        if end {
            happenings.push(Happening::End);
            model.watermarks = [Some(i64::MAX); 2];
            model.close();
        }
        let outcome = play_every_way(&join(kind, residual), &delays, &happenings);
        let head = if matches!(kind, Semi | Anti) { "k:i64 a:i64" } else { HEAD };
        let expected =
            if model.output.is_empty() { String::new() } else { format!("{head} |{}", model.output) };
        prop_assert_eq!(outcome.output, canonical(&expected));
        prop_assert_eq!(outcome.late, model.late);
    }
}
