//! Aggregates that keep something of their own of a group: one to test with, driven in every way.

use crate::aggregate::aggregate;
use crate::session::sessions;
use crate::window::{bounds, windows};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};
use millstream_operators::aggregate::{
    AggregateFunction, GroupValues, States, ValueOrder, Values, ValuesFunction, read_state, write_state,
};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::keys::Slot;
use millstream_operators::testing::{Event, Harness, check_timed};
use millstream_operators::{END_OF_TIME, OperatorSpec, StreamKind};
use std::any::Any;
use std::sync::Arc;

/// How many numbers there are, and their sum. More than nine are too many, and 13 can't be folded in.
#[derive(Debug)]
struct Tally {
    can_take_back: bool,
}

impl ValuesFunction for Tally {
    fn name(&self) -> &str {
        "TALLY"
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn states(&self, taken_back: bool) -> Option<Box<dyn States>> {
        (self.can_take_back || !taken_back).then(|| Box::new(Tallies::default()) as Box<dyn States>)
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let numbers = values.column.as_primitive::<Int64Type>();
        let state = numbers.iter().flatten().fold((0, 0), |(count, sum), number| (count + 1, sum + number));
        append(state, out)
    }
}

fn append((count, sum): (i64, i64), out: &mut ColumnBuilder) -> Result<(), String> {
    if count > 9 {
        return Err(format!("{count} are too many"));
    }
    out.append_bytes(format!("{count}:{sum}").as_bytes());
    Ok(())
}

#[derive(Debug, Default)]
struct Tallies(Vec<(i64, i64)>);

impl States for Tallies {
    fn resize(&mut self, slots: usize) {
        self.0.resize(slots, (0, 0));
    }

    fn reset(&mut self, slot: Slot) {
        self.0[slot as usize] = (0, 0);
    }

    fn update(
        &mut self,
        slots: &[Slot],
        column: &ArrayRef,
        filter: Option<&BooleanArray>,
        signs: Option<&[i8]>,
    ) -> Result<(), String> {
        let numbers = column.as_primitive::<Int64Type>();
        for (row, slot) in slots.iter().enumerate() {
            let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !passes || numbers.is_null(row) {
                continue;
            }
            if numbers.value(row) == 13 {
                return Err("13 brings bad luck".to_owned());
            }
            let sign = signs.map_or(1, |signs| i64::from(signs[row]));
            let (count, sum) = &mut self.0[*slot as usize];
            *count += sign;
            *sum += sign * numbers.value(row);
        }
        Ok(())
    }

    fn merge(&mut self, slot: Slot, other: &dyn States, from: Slot) -> Result<(), String> {
        let other = other.as_any().downcast_ref::<Tallies>().ok_or("others")?.0[from as usize];
        let (count, sum) = &mut self.0[slot as usize];
        *count += other.0;
        *sum += other.1;
        Ok(())
    }

    fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), String> {
        append(self.0[slot as usize], out)
    }

    fn encode(&self, slot: Slot, out: &mut Vec<u8>) -> Result<(), String> {
        write_state(&self.0[slot as usize], out)
    }

    fn decode(&mut self, slot: Slot, bytes: &[u8]) -> Result<(), String> {
        self.0[slot as usize] = read_state(bytes)?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.0.capacity() * 16
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A function by the name that tests call it by.
pub(crate) fn named(name: &str) -> Option<AggregateFunction> {
    let tally = |can_take_back: bool| AggregateFunction::Of(Values(Arc::new(Tally { can_take_back })));
    match name {
        "tally" => Some(tally(true)),
        "grow" => Some(tally(false)),
        _ => None,
    }
}

use Event::{Commit, Rows, Watermark};

const KV: &str = "k:i64 v:i64 b:bool";

#[test]
fn a_state_of_its_own_follows_rows_that_come_and_go_whoever_dies() {
    let calls = ["tally(v)", "sum(v)", "grow(v)", "tally(distinct v)", "tally(v) filter b"];
    let spec = aggregate(KV, 1, &calls, StreamKind::Changelog, StreamKind::Changelog);
    check_timed(
        &spec,
        &[0],
        &[
            Rows(0, "k:i64 v:i64 b:bool | + @1 1 5 true  + @2 2 7 false  + @3 1 5 null  + @4 1 null true"),
            Commit,
            Rows(0, "k:i64 v:i64 b:bool | - @5 1 5 true  + @6 1 2 true"),
            Commit,
            Rows(0, "k:i64 v:i64 b:bool | - @7 2 7 false"),
            Commit,
        ],
        "k:i64 tallyv:utf8 sumv:i64 growv:utf8 tallydistinctv:utf8 tallyvfilterb:utf8 |
         + @4 1 2:10 10 2:10 1:5 1:5  + @2 2 1:7 7 1:7 1:7 0:0
         - @6 1 2:10 10 2:10 1:5 1:5  + @6 1 2:7 7 2:7 2:7 1:2
         - @7 2 1:7 7 1:7 1:7 0:0",
        0,
    );
}

#[test]
fn only_what_can_not_be_taken_back_is_kept_as_values() {
    let stores = |calls: &[&str], input| aggregate(KV, 1, calls, input, StreamKind::Upsert).stores().len();
    assert_eq!(stores(&["tally(v)", "grow(v)"], StreamKind::Append), 1);
    assert_eq!(stores(&["tally(v)", "grow(v)"], StreamKind::Changelog), 2);
    assert_eq!(stores(&["tally(distinct v)"], StreamKind::Append), 2);
}

#[test]
fn states_of_panes_and_sessions_are_put_together() {
    let spec = windows("k:i64 v:i64", 1, &["tally(v)"], [20, 10, 0], StreamKind::Append);
    let rows = |rows: &[(&str, i64, i64)]| -> String {
        let head = "k:i64 tallyv:utf8 window_start:ts window_end:ts window_time:ts |";
        let row = |(values, start, end): &(&str, i64, i64)| {
            format!(" + @{} {values} {}", end - 1, bounds(*start, *end))
        };
        format!("{head}{}", rows.iter().map(row).collect::<String>())
    };
    let events = [
        Rows(0, "k:i64 v:i64 | + @1 1 5  + @12 1 2"),
        Commit,
        Rows(0, "k:i64 v:i64 | + @15 1 3"),
        Commit,
        Watermark(END_OF_TIME),
    ];
    let windows = rows(&[("1 1:5", -10, 10), ("1 3:10", 0, 20), ("1 2:5", 10, 30)]);
    check_timed(&spec, &[20], &events, &windows, 0);
    let events = [
        Rows(0, "k:i64 v:i64 | + @0 1 1  + @20 1 2"),
        Commit,
        Rows(0, "k:i64 v:i64 | + @10 1 3"),
        Commit,
        Watermark(END_OF_TIME),
    ];
    check_timed(&sessions(1, &["tally(v)"], 11), &[20], &events, &rows(&[("1 3:6", 0, 31)]), 0);
}

#[test]
fn a_row_that_can_not_be_folded_in_and_a_group_without_a_result_fail_by_name() {
    let spec = aggregate("k:i64 v:i64", 1, &["tally(v)"], StreamKind::Append, StreamKind::Upsert);
    let mut harness = Harness::new(&spec);
    let error = harness.process("k:i64 v:i64 | + 1 13").unwrap_err().to_string();
    assert_eq!(error, "TALLY: 13 brings bad luck");
    let mut harness = Harness::new(&spec);
    harness.process(&format!("k:i64 v:i64 |{}", " + 1 7".repeat(10))).unwrap();
    assert_eq!(harness.commit().unwrap_err().to_string(), "TALLY: 10 are too many");
}
