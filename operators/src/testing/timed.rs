//! An operator behind inputs with event time, driven in every way that must not make a difference.

use super::harness::{After, Event, Harness};
use super::table::{batch, canonical, print_all};
use crate::batch::{Batch, END_OF_TIME, StreamKind};
use crate::clock::{InputClock, combine, limit, observe};
use crate::operator::{OperatorSpec, Port};
use crate::source::EventTimeSpec;
use arrow::compute::concat_batches;
use millstream_state::StoreId;

/// Something that happens to an operator behind inputs with event time.
#[derive(Debug, Clone)]
pub enum Happening {
    /// Rows are read from the input of a port.
    Rows(u8, Batch),
    /// All inputs end.
    End,
    /// A commit.
    Commit,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was emitted.
    pub output: String,
    /// Rows that were too late.
    pub late: u64,
    /// What stands in the operator's stores.
    pub state: Vec<(StoreId, Vec<u8>, Vec<u8>)>,
}

/// Events as happenings: a watermark at the end of time is the end of all inputs.
///
/// # Panics
/// When there is another watermark or a clock among them.
pub fn happenings(events: &[Event<'_>]) -> Vec<Happening> {
    let happening = |event: &Event<'_>| match event {
        Event::Rows(port, rows) => Happening::Rows(*port, batch(rows)),
        Event::Watermark(END_OF_TIME) => Happening::End,
        Event::Commit => Happening::Commit,
        other => panic!("{other:?} does not come from an input"),
    };
    events.iter().map(happening).collect()
}

/// Checks what an operator makes of rows of inputs whose watermarks trail by `delays` (by port), and how many rows it
/// finds late; see [`play_every_way`].
///
/// # Panics
/// When it is not what is expected.
#[track_caller]
pub fn check_timed(spec: &dyn OperatorSpec, delays: &[i64], events: &[Event<'_>], expected: &str, late: u64) {
    let outcome = play_every_way(spec, delays, &happenings(events));
    assert_eq!(outcome.output, canonical(expected));
    assert_eq!(outcome.late, late, "late rows");
}

/// Lets an operator go through `all`, and a last commit: with rows as they are cut, cut one by one and at random, with
/// state kept, dropped and restored after commits, and with a crash at every point. Output, late rows and state must
/// always be the same.
///
/// # Panics
/// When they are not.
#[track_caller]
pub fn play_every_way(spec: &dyn OperatorSpec, delays: &[i64], all: &[Happening]) -> Outcome {
    let upserts = spec.output_kind(&[StreamKind::Upsert]).is_ok();
    let run = Run { spec, delays, upserts, rows: single(all) };
    let whole = run.play(After::Nothing, &|place| run.begins(all, place), None);
    let check = |other: Outcome, how: String| {
        assert_eq!(other.output, whole.output, "output: {how}");
        assert_eq!(other.late, whole.late, "late rows: {how}");
        assert_eq!(other.state, whole.state, "state: {how}");
    };
    for after in [After::Nothing, After::Evict, After::EvictSometimes, After::Checkpoint, After::Crash] {
        check(run.play(after, &|_| true, None), format!("{after:?} after commits, row by row"));
        for seed in 1..4u64 {
            let cut = |place: usize| (place as u64 + 7).wrapping_mul(seed * 0x9e37_79b9_7f4a_7c15) >> 62 == 0;
            check(run.play(after, &cut, None), format!("{after:?} after commits, cut by {seed}"));
        }
    }
    for crash in 0..=run.rows.len() {
        for after in [After::Nothing, After::Checkpoint] {
            let how = format!("{after:?} after commits, crash before {crash}");
            check(run.play(after, &|_| true, Some(crash)), how.clone());
            check(run.play(after, &|place| run.begins(all, place) || place == crash, Some(crash)), how);
        }
    }
    whole
}

/// Every row on its own.
fn single(all: &[Happening]) -> Vec<Happening> {
    let mut rows = Vec::new();
    for happening in all {
        match happening {
            Happening::Rows(port, batch) => {
                rows.extend((0..batch.len() as u32).map(|row| {
                    Happening::Rows(*port, batch.take(&[row]).unwrap_or_else(|error| panic!("{error}")))
                }));
            }
            other => rows.push(other.clone()),
        }
    }
    rows.push(Happening::Commit);
    rows
}

struct Run<'a> {
    spec: &'a dyn OperatorSpec,
    delays: &'a [i64],
    /// Whether the input is of upserts.
    upserts: bool,
    /// One by one.
    rows: Vec<Happening>,
}

impl Run<'_> {
    /// Whether one of the batches in `all` begins at a row.
    fn begins(&self, all: &[Happening], place: usize) -> bool {
        let mut start = 0;
        for happening in all {
            if start >= place {
                break;
            }
            start += if let Happening::Rows(_, batch) = happening { batch.len() } else { 1 };
        }
        start == place
    }

    /// `cut`: whether a new batch begins at a place. `crash`: where the process dies once.
    fn play(&self, after: After, cut: &dyn Fn(usize) -> bool, crash: Option<usize>) -> Outcome {
        let mut harness = Harness::with(self.spec, after, 1 + after as u64);
        let clock = |delay: &i64| (InputClock::new(true), *delay);
        let mut clocks: Vec<(InputClock, i64)> = self.delays.iter().map(clock).collect();
        let mut committed = (0, clocks.clone());
        let mut crash = crash;
        let mut place = 0;
        loop {
            if crash == Some(place) {
                crash = None;
                harness.crash();
                (place, clocks) = committed.clone();
            }
            let Some(next) = self.rows.get(place) else { break };
            let played = match next {
                Happening::Commit => {
                    let done = harness.commit();
                    committed = (place + 1, clocks.clone());
                    place += 1;
                    done
                }
                Happening::End => {
                    clocks.iter_mut().for_each(|(clock, _)| clock.watermark = END_OF_TIME);
                    place += 1;
                    raise(&mut harness, &clocks)
                }
                Happening::Rows(port, first) => {
                    let mut run = vec![first];
                    while let Some(Happening::Rows(other, row)) = self.rows.get(place + run.len())
                        && other == port
                        && !cut(place + run.len())
                    {
                        run.push(row);
                    }
                    place += run.len();
                    let batch = join(&run);
                    read(&mut harness, &mut clocks, *port, batch, self.upserts)
                        .and_then(|()| raise(&mut harness, &clocks))
                }
            };
            played.unwrap_or_else(|error| panic!("{next:?}: {error}"));
        }
        let late = harness.counters().late;
        let output = print_all(&harness.take());
        let stores = self.spec.stores().len() as u16;
        let state = harness.state().dump(stores).unwrap_or_else(|error| panic!("{error}"));
        Outcome { output, late, state }
    }
}

fn join(rows: &[&Batch]) -> Batch {
    let columns: Vec<_> = rows.iter().filter_map(|row| row.columns().ok()).collect();
    let columns = concat_batches(&columns[0].schema(), columns).unwrap_or_else(|error| panic!("{error}"));
    let signs = rows.iter().map(|row| row.ops.get(0)).collect();
    let times: Vec<i64> = rows.iter().map(|row| row.times[0]).collect();
    Batch::changes(columns, times, crate::batch::Ops::from_signs(signs))
}

/// Hands a batch over with the bounds that its input's clock gives its rows, as a task reads it.
fn read(
    harness: &mut Harness<'_>,
    clocks: &mut [(InputClock, i64)],
    port: u8,
    mut batch: Batch,
    upserts: bool,
) -> Result<(), crate::OperatorError> {
    let at = usize::from(port);
    let others = clocks.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (clock, _))| *clock);
    let others = limit(others);
    let (clock, delay) = &mut clocks[at];
    let spec = EventTimeSpec {
        out_of_orderness_ms: *delay,
        max_future_ms: i64::MAX,
        every_row: false,
        by_clock: false,
    };
    let seen = observe(&batch.times, &spec, clock.watermark, others, harness.watermark(), 0, upserts);
    clock.watermark = seen.watermark;
    batch.behind = seen.behind;
    harness.process_batch(Port(port), batch)
}

fn raise(harness: &mut Harness<'_>, clocks: &[(InputClock, i64)]) -> Result<(), crate::OperatorError> {
    let clocks: Vec<InputClock> = clocks.iter().map(|(clock, _)| *clock).collect();
    let watermark = combine(&clocks);
    if watermark > harness.watermark() { harness.advance(watermark) } else { Ok(()) }
}
