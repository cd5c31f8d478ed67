//! An operator made of the kit alone, driven through every cut, crash and eviction.

use super::late::Around;
use super::state::{KeyedState, Stored};
use super::timers::Timers;
use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::testing::{Event, Harness, Keyed, batch, check_timed, happenings, play_every_way};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

/// How long after its first row a key is summed up.
const AFTER: i64 = 10;

/// Sums the rows of a key from its first on, and emits the sum ten milliseconds later; a negative row calls that off.
#[derive(Debug)]
struct SumSpec;

struct Sum {
    sums: KeyedState<Pot>,
    timers: Timers,
}

/// A sum, and when it is due.
struct Pot {
    sum: i64,
    due: EventTime,
}

impl Stored for Pot {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let (sum, due) = bytes.split_first_chunk().ok_or("too short")?;
        let due = due.try_into().map_err(|_| "no time")?;
        Ok(Pot { sum: i64::from_le_bytes(*sum), due: i64::from_le_bytes(due) })
    }

    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        scratch.extend(self.sum.to_le_bytes());
        scratch.extend(self.due.to_le_bytes());
        Ok(scratch)
    }
}

impl OperatorSpec for SumSpec {
    fn describe(&self) -> Description {
        Description::new("Sum", "of the kit")
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        ["sums", "timers"].map(|name| StoreSpec { name: name.to_owned(), schema: String::new() }).into()
    }

    // Of upserts, too: then every row comes with its bound.
    fn output_kind(&self, _inputs: &[StreamKind]) -> Result<StreamKind, String> {
        Ok(StreamKind::Append)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Sum { sums: KeyedState::new("sum", 0, cx), timers: Timers::new("sum", 1) }))
    }
}

impl Sum {
    fn fire(&mut self, until: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        while let Some((time, key)) = self.timers.pop(until, &mut cx.state)? {
            let slot = self.sums.load_one(&key, &mut cx.state)?;
            let Some(pot) = self.sums.change(slot).value.take() else { continue };
            assert_eq!(pot.due, time);
            let key = String::from_utf8_lossy(&key).replace(|c: char| !c.is_alphanumeric(), "");
            cx.emit(batch(&format!("k:utf8 sum:i64 | + @{time} {key} {}", pot.sum)));
        }
        Ok(())
    }
}

impl Operator for Sum {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.sums.load(batch.keys()?, &mut cx.state)?;
        let values = batch.columns()?.column(1).as_primitive::<Int64Type>().clone();
        let keys = std::sync::Arc::clone(batch.keys()?);
        let around = Around::of(&batch);
        for (row, slot) in slots.into_iter().enumerate() {
            let bound = around.bound(row, cx.watermark);
            self.fire(bound, cx)?;
            let (time, value) = (around.time(row), values.value(row));
            if time <= bound {
                around.split_off(row, crate::source::Policy::Skip, cx, || "sum".to_owned())?;
                continue;
            }
            match self.sums.change(slot).value {
                pot if value < 0 => {
                    if let Some(pot) = pot.take() {
                        self.timers.remove(pot.due, keys.get(row));
                    }
                }
                Some(pot) => pot.sum += value,
                pot @ None => {
                    *pot = Some(Pot { sum: value, due: time + AFTER });
                    self.timers.set(time + AFTER, keys.get(row));
                }
            }
        }
        Ok(())
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.fire(watermark, cx)
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.sums.delta(out)?;
        self.timers.delta(out);
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, _state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.timers.restore();
        Ok(())
    }

    fn evict(&mut self) {
        self.sums.evict();
        self.timers.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.sums.memory_bytes() + self.timers.memory_bytes()
    }
}

fn sum() -> Keyed<SumSpec> {
    Keyed::new([0], SumSpec)
}

use Event::{Commit, Rows, Watermark};

#[test]
fn what_is_made_of_the_kit_is_the_same_whatever_is_cut_evicted_or_killed() {
    let events = [
        Rows(0, "k:utf8 v:i64 | + @1 a 1  + @3 b 2  + @2 a 4"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @4 c 7  + @5 a 8  + @6 b -1  + @7 d 1"),
        Commit,
        Rows(0, "k:utf8 v:i64 | + @14 b 16  + @8 e 1  + @15 a 32  + @3 e 9"),
        Commit,
        Commit,
        Rows(0, "k:utf8 v:i64 | + @40 f 1"),
        Watermark(crate::batch::END_OF_TIME),
        Commit,
    ];
    let expected = "k:utf8 sum:i64 | + @11 a 13  + @14 c 7  + @17 d 1  + @24 b 16  + @25 a 32  + @50 f 1";
    check_timed(&sum(), &[2], &events, expected, 2);
}

#[test]
fn what_is_over_leaves_nothing_in_memory_or_in_the_stores() {
    let rows: Vec<String> = (0..10_000).map(|n| format!("+ @{n} key{n} {n}")).collect();
    let rows = format!("k:utf8 v:i64 | {}", rows.join(" "));
    let spec = sum();
    let mut harness = Harness::new(&spec);
    harness.process(&rows).unwrap();
    harness.commit().unwrap();
    let held = harness.memory_bytes();
    assert!(held > 10_000 * (4 + 16), "{held}");
    harness.advance(20_000).unwrap();
    harness.commit().unwrap();
    assert_eq!(harness.take().len(), 10_000);
    assert!(harness.state().dump(2).unwrap().is_empty());
    assert!(harness.memory_bytes() < held / 4 * 3, "{} of {held}", harness.memory_bytes());
}

#[test]
fn timers_by_the_thousand_fire_in_the_order_of_their_moments() {
    // More than are read at once, set out of order, over commits whose hot state is dropped.
    let mut events: Vec<String> = Vec::new();
    for part in 0..3 {
        let times = (0..3_000).map(|n| (n * 7919 + part) % 9_001 + 100);
        let rows: Vec<String> = times.map(|time| format!("+ @{time} k{time}p{part} 1")).collect();
        events.push(format!("k:utf8 v:i64 | {}", rows.join(" ")));
    }
    let spec = sum();
    let mut outputs = Vec::new();
    for after in [crate::testing::After::Nothing, crate::testing::After::Evict, crate::testing::After::Crash]
    {
        let mut harness = Harness::with(&spec, after, 3);
        for rows in &events {
            harness.process(rows).unwrap();
            harness.commit().unwrap();
        }
        for watermark in [150, 4_000, 20_000] {
            harness.advance(watermark).unwrap();
            harness.commit().unwrap();
        }
        let emitted = harness.take();
        assert!(emitted.is_sorted_by_key(|batch| batch.times[0]));
        outputs.push(crate::testing::print_all(&emitted));
    }
    assert_eq!(outputs[0].matches('+').count(), 9_000);
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
}

#[test]
fn random_rows_are_summed_alike_however_they_come() {
    let mut seed = 7u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut texts = Vec::new();
    for part in 0..6u64 {
        let rows: Vec<String> = (0..8)
            .map(|_| format!("+ @{} k{} {}", part * 6 + next(14), next(4), next(9) as i64 - 2))
            .collect();
        texts.push(format!("k:utf8 v:i64 | {}", rows.join(" ")));
    }
    let mut events: Vec<Event<'_>> = Vec::new();
    for text in &texts {
        events.extend([Rows(0, text), Commit]);
    }
    events.push(Watermark(crate::batch::END_OF_TIME));
    let outcome = play_every_way(&sum(), &[3], &happenings(&events));
    assert!(outcome.output.lines().count() > 5 && outcome.state.is_empty(), "{outcome:?}");
}
