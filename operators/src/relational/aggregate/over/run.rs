//! The aggregates of groups, going through steps.

use super::super::accumulator::{Accumulator, append};
use super::super::lane::{Lane, LaneValues};
use super::super::picks::keep;
use super::steps::{Step, StepKind, each_step};
use crate::columns::ColumnBuilder;

impl Accumulator {
    /// Goes through steps over a column.
    pub(in super::super) fn run(&mut self, steps: &[Step], lane: &Lane, out: &mut ColumnBuilder) {
        let valid = lane.valid();
        match (&mut *self, lane.values()) {
            (Accumulator::Count(counts), _) => each_step(
                steps,
                valid,
                counts,
                out,
                |counts, step, sign| counts[step.slot as usize] += i64::from(sign),
                |counts, slot, out| out.append_i64(counts[slot as usize]),
            ),
            (Accumulator::SumI64(sums), LaneValues::I64(values)) => each_step(
                steps,
                valid,
                sums,
                out,
                |sums, step, sign| sums.add(&[step.slot], &values[step.at()..][..1], None, Some(&[sign])),
                |sums, slot, out| append(out, sums.get(slot as usize), ColumnBuilder::append_i64),
            ),
            (Accumulator::SumF64(sums), LaneValues::F64(values)) => each_step(
                steps,
                valid,
                sums,
                out,
                |sums, step, sign| sums.add(&[step.slot], &values[step.at()..][..1], None, Some(&[sign])),
                |sums, slot, out| append(out, sums.get(slot), ColumnBuilder::append_f64),
            ),
            (Accumulator::PickI64(pick, kept), LaneValues::I64(values)) => each_step(
                steps,
                valid,
                kept,
                out,
                |kept, step, _| keep(*pick, &mut kept[step.slot as usize], Some(values[step.at()])),
                |kept, slot, out| append_whole(out, kept[slot as usize]),
            ),
            (Accumulator::PickF64(pick, kept), LaneValues::F64(values)) => each_step(
                steps,
                valid,
                kept,
                out,
                |kept, step, _| keep(*pick, &mut kept[step.slot as usize], Some(values[step.at()])),
                |kept, slot, out| append(out, kept[slot as usize], ColumnBuilder::append_f64),
            ),
            _ => self.run_by_rows(steps, lane, out),
        }
    }

    /// The same for any aggregate, by columns of one row.
    fn run_by_rows(&mut self, steps: &[Step], lane: &Lane, out: &mut ColumnBuilder) {
        for step in steps {
            match step.kind {
                StepKind::Result => self.append_result(step.slot, out),
                _ if step.counts(lane.valid()) => {
                    self.update(&[step.slot], &lane.row(step.at()), Some(&[step.sign()]));
                }
                _ => {}
            }
        }
    }
}

/// Appends a whole number, or the truth value that it stands for.
#[inline]
pub(super) fn append_whole(out: &mut ColumnBuilder, value: Option<i64>) {
    match (value, &out) {
        (Some(value), ColumnBuilder::Boolean(_)) => out.append_bool(value != 0),
        (value, _) => append(out, value, ColumnBuilder::append_i64),
    }
}
