//! Event time of a task: one [`InputClock`] per input partition, and the task's watermark over them.
//!
//! The watermark of a task is the minimum over its active inputs and never goes back. An input that is idle (caught
//! up with the end of its log for a while) or ended does not hold it back. Where every input is idle or ended, the furthest
//! of them decides: nothing is on its way that could still be in time. An ended one then counts by its last row, not as
//! the end of time: what comes on an idle one later is not late for that.

use crate::batch::{END_OF_TIME, EventTime, NO_WATERMARK};
use crate::source::EventTimeSpec;
use arrow::buffer::ScalarBuffer;

/// Event time of one input partition, or of one upstream task of a repartition topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputClock {
    /// The watermark: no later row is expected at or before it.
    pub watermark: EventTime,
    /// Whether it is caught up and quiet.
    pub idle: bool,
    /// Of an input that has ended: the time of its last row, as far as it is known.
    pub last: EventTime,
}

impl InputClock {
    /// The clock of an input before its first record. One that declares no event time never holds anything back.
    pub fn new(has_event_time: bool) -> Self {
        let watermark = if has_event_time { NO_WATERMARK } else { END_OF_TIME };
        InputClock { watermark, idle: false, last: NO_WATERMARK }
    }
}

impl InputClock {
    /// Of an input whose times are clock readings: the clock reads `now_ms`, and it has all rows up to the one before. Says
    /// whether it has not ended.
    pub(crate) fn reach(&mut self, now_ms: i64) -> bool {
        if self.watermark == END_OF_TIME {
            return false;
        }
        self.watermark = self.watermark.max(now_ms.saturating_sub(1));
        if self.last == NO_WATERMARK {
            self.last = now_ms;
        }
        true
    }
}

/// The watermark of a task over the clocks of its inputs.
pub fn combine(clocks: &[InputClock]) -> EventTime {
    let least = limit(clocks.iter().copied());
    if least != END_OF_TIME {
        return least;
    }
    if clocks.iter().all(|clock| clock.watermark == END_OF_TIME) {
        return END_OF_TIME;
    }
    let furthest = |clock: &InputClock| match clock.watermark {
        END_OF_TIME => clock.last,
        watermark => watermark,
    };
    clocks.iter().map(furthest).max().unwrap_or(END_OF_TIME)
}

/// How far a watermark may rise as far as `clocks` are concerned: idle and ended ones set no limit.
pub fn limit(clocks: impl Iterator<Item = InputClock>) -> EventTime {
    clocks.filter(|clock| !clock.idle).map(|clock| clock.watermark).min().unwrap_or(END_OF_TIME)
}

/// A time as people read it: `2013-01-01 05:00:00.250`, UTC.
pub fn format_time(time: EventTime) -> String {
    match time {
        NO_WATERMARK => "the beginning".to_owned(),
        END_OF_TIME => "the end".to_owned(),
        time => match chrono::DateTime::from_timestamp_millis(time) {
            Some(time) => time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            None => format!("{time} ms"),
        },
    }
}

/// What reading a batch did to an input's clock.
#[derive(Debug)]
pub struct Observed {
    /// The input's watermark after the batch.
    pub watermark: EventTime,
    /// The task's watermark before each row, when some row is not ahead of it, or only by a millisecond.
    pub behind: Option<ScalarBuffer<i64>>,
    /// Rows too far ahead of the clock to move the watermark.
    pub far_future: u64,
}

/// Passes the times of a batch through an input's clock. `others` is how far the other inputs let the task's watermark
/// rise ([`limit`]), `task` the task's watermark now. `always`: whether the bounds are wanted even when every row is ahead
/// of them; in an upsert stream the rows that these replace may not be.
pub fn observe(
    times: &[i64],
    spec: &EventTimeSpec,
    input: EventTime,
    others: EventTime,
    task: EventTime,
    now_ms: i64,
    always: bool,
) -> Observed {
    let horizon = now_ms.saturating_add(spec.max_future_ms);
    let mut watermark = input;
    let mut before = Vec::with_capacity(if always { times.len() } else { 0 });
    let mut far_future = 0;
    for (row, &time) in times.iter().enumerate() {
        let bound = watermark.min(others).max(task);
        // One that is just ahead of the watermark touches a session that has just closed.
        let near = time <= bound.saturating_add(1);
        if near && before.is_empty() {
            // Only now are the bounds of the rows so far worth having; none of them was behind, so any bound below
            // their times says the same.
            before.reserve_exact(times.len());
            before.resize(row, task);
        }
        if always || !before.is_empty() || near {
            before.push(bound);
        }
        if time > horizon {
            far_future += 1;
        } else {
            watermark = watermark.max(time.saturating_sub(spec.out_of_orderness_ms));
        }
    }
    let behind = (!before.is_empty()).then(|| before.into());
    Observed { watermark, behind, far_future }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(watermark: EventTime, idle: bool) -> InputClock {
        InputClock { watermark, idle, last: NO_WATERMARK }
    }

    #[test]
    fn the_slowest_active_input_decides() {
        assert_eq!(combine(&[clock(5, false), clock(3, false)]), 3);
        assert_eq!(combine(&[clock(5, false), clock(3, true)]), 5);
        assert_eq!(combine(&[clock(5, false), InputClock::new(false)]), 5);
        assert_eq!(combine(&[clock(5, false), clock(NO_WATERMARK, false)]), NO_WATERMARK);
    }

    #[test]
    fn where_all_are_idle_the_furthest_decides() {
        assert_eq!(combine(&[clock(5, true), clock(3, true)]), 5);
        assert_eq!(combine(&[clock(NO_WATERMARK, true), clock(3, true)]), 3);
    }

    #[test]
    fn ended_inputs_hold_nothing_back() {
        assert_eq!(combine(&[clock(END_OF_TIME, false), clock(3, false)]), 3);
        assert_eq!(combine(&[clock(END_OF_TIME, false), clock(3, true)]), 3);
        assert_eq!(combine(&[clock(END_OF_TIME, false)]), END_OF_TIME);
    }

    #[test]
    fn an_ended_input_beside_an_idle_one_counts_by_its_last_row() {
        let ended = InputClock { watermark: END_OF_TIME, idle: false, last: 7 };
        assert_eq!(combine(&[ended, clock(NO_WATERMARK, true)]), 7);
        assert_eq!(combine(&[ended, clock(9, true)]), 9);
        assert_eq!(combine(&[ended, clock(3, false)]), 3);
        assert_eq!(combine(&[ended, ended]), END_OF_TIME);
        assert_eq!(
            combine(&[InputClock::new(false), clock(3, true)]),
            3,
            "without event time there is no last row"
        );
    }

    const SPEC: EventTimeSpec =
        EventTimeSpec { out_of_orderness_ms: 2, max_future_ms: 100, every_row: false, by_clock: false };

    fn seen(times: &[i64], input: EventTime, others: EventTime) -> Observed {
        observe(times, &SPEC, input, others, NO_WATERMARK, 1_000, false)
    }

    #[test]
    fn in_order_rows_carry_no_bounds() {
        let observed = seen(&[10, 11, 11, 15], NO_WATERMARK, END_OF_TIME);
        assert!(observed.behind.is_none());
        assert_eq!(observed.watermark, 13);
    }

    #[test]
    fn upserts_always_carry_bounds() {
        let observed = observe(&[10, 20, 15, 30], &SPEC, 4, END_OF_TIME, 5, 1_000, true);
        assert_eq!(observed.behind.as_deref(), Some(&[5, 8, 18, 18][..]));
    }

    #[test]
    fn a_row_behind_the_watermark_carries_the_bound_of_its_moment() {
        let observed = seen(&[10, 20, 17, 18], NO_WATERMARK, END_OF_TIME);
        let behind = observed.behind.expect("17 is behind 20 - 2");
        assert_eq!(&behind[2..], &[18, 18]);
        assert_eq!(seen(&[20, 17], NO_WATERMARK, 15).behind, None, "another input holds the watermark back");
    }

    #[test]
    fn bounds_do_not_depend_on_where_a_run_is_cut() {
        let times = [10, 20, 17, 30, 18, 29, 40, 1];
        let late = |cut: usize| {
            let first = seen(&times[..cut], NO_WATERMARK, END_OF_TIME);
            let second = seen(&times[cut..], first.watermark, END_OF_TIME);
            let flag = |part: &[i64], observed: &Observed| {
                part.iter()
                    .enumerate()
                    .map(|(row, time)| observed.behind.as_ref().is_some_and(|bound| *time <= bound[row]))
                    .collect::<Vec<_>>()
            };
            [flag(&times[..cut], &first), flag(&times[cut..], &second)].concat()
        };
        for cut in 0..=times.len() {
            assert_eq!(late(cut), [false, false, true, false, true, false, false, true], "cut at {cut}");
        }
    }

    #[test]
    fn a_time_in_the_far_future_does_not_move_the_watermark() {
        let observed = seen(&[10, 2_000, 11], NO_WATERMARK, END_OF_TIME);
        assert_eq!((observed.far_future, observed.watermark), (1, 9));
        assert!(observed.behind.is_none());
    }
}
