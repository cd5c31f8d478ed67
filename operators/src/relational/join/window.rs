//! The window join: rows of one window of both sides, once it has closed.
//!
//! ```text
//!   left   @9 a   @9 b   @19 a                  windows of 10 ms: a row's time is the last millisecond of its window
//!   right  @9 a   @19 a                         watermark 9: a a, b null      watermark 19: a a
//! ```
//! Rows wait until the watermark has reached their time; then all rows of their window are there, on either side. They are
//! joined, put out and gone: nothing is ever taken back. What comes out are, window by window, the pairs in the order of
//! the left rows, then the left rows that have met none, then the right ones; rows of a side in the order in which they
//! came. A semi or anti join puts out left rows in that order.

use super::output::{MET, NULLS, OutputRows, evaluate_residual};
use super::{JoinKind, JoinOn};
use crate::OperatorError;
use crate::aggregate::LatePolicy;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::expression::{ExpressionCx, Failure, on_bad_row};
use crate::keys::SlotTable;
use crate::kit::late::without_late;
use crate::kit::waiting::{Ready, Waiting, nullable};
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use millstream_state::BytesColumn;
use std::ops::Range;

/// Pairs that are looked at at once.
const PAIRS_MAX: usize = 8192;

/// No row.
const NONE: u32 = u32::MAX;

/// Joins the rows of each window, when it has closed.
///
/// Input: insertions on both sides, keyed by the columns that have to be equal ([`Batch::keys`]); the time of a row is the
/// last millisecond of its window, and windows that end together and are not the same are told apart by the keys. Output:
/// insertions, the left columns and then, where pairs come out, the right ones, at the time of the window. A row whose
/// window has closed is late.
#[derive(Debug, Clone)]
pub struct WindowJoin {
    /// The sides and the rest of the condition.
    pub on: JoinOn,
    /// What happens to late rows of the left side and of the right.
    pub late: [LatePolicy; 2],
}

impl OperatorSpec for WindowJoin {
    fn describe(&self) -> Description {
        Description::new("WindowJoin", format!("{}, on {}", self.on.kind.name(), self.on.on))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let meaning = self.on.meaning(inputs, vec![Fact::new("joins rows of", "a window")]);
        meaning.map_or_else(|| Meaning::described(self.describe(), inputs), Meaning::by_time)
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&WindowJoin { on: self.on.nameless(), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let side = |side: usize, name: &str| {
            let columns = self.on.side(side).schema.fields().iter();
            let columns: Vec<String> =
                columns.map(|field| format!("{} {}", field.name(), field.data_type())).collect();
            let schema = format!("time ms, sequence -> key, {}", columns.join(", "));
            StoreSpec { name: name.to_owned(), schema }
        };
        vec![side(0, "left"), side(1, "right")]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append, StreamKind::Append] => Ok(StreamKind::Append),
            _ => Err("a window join needs rows that are not updated or deleted".to_owned()),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let waiting = |side: usize| Waiting::new("window join", side as u16, &self.on.side(side).schema);
        let sides = [waiting(0)?, waiting(1)?];
        let (schema, hash_seed) = (self.on.schema(), cx.hash_seed);
        Ok(Box::new(Joining { sides, schema, hash_seed, spec: self.clone() }))
    }
}

struct Joining {
    spec: WindowJoin,
    schema: SchemaRef,
    hash_seed: u64,
    sides: [Waiting; 2],
}

impl Operator for Joining {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let own = usize::from(port.0);
        let batch = self.without_late(own, batch, cx)?;
        if batch.is_empty() { Ok(()) } else { self.sides[own].add(batch) }
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let left = self.sides[0].take_until(watermark, &mut cx.state)?;
        let right = self.sides[1].take_until(watermark, &mut cx.state)?;
        let sides = [self.closed(0, left)?, self.closed(1, right)?];
        for window in windows(&sides) {
            self.join(&sides, &window, cx)?;
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let mut sides = self.sides.iter_mut().zip(0..);
        sides.try_for_each(|(side, store)| side.delta(out.block(store)))
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.sides.iter_mut().try_for_each(|side| side.restore(state))
    }

    fn evict(&mut self) {
        self.sides.iter_mut().for_each(Waiting::evict);
    }

    fn memory_bytes(&self) -> usize {
        self.sides.iter().map(Waiting::memory_bytes).sum()
    }
}

/// A window, and the rows of either side that are in it.
struct Window {
    time: EventTime,
    rows: [Range<usize>; 2],
}

/// Rows of a side whose windows have closed.
struct Closed {
    rows: RecordBatch,
    keys: BytesColumn,
    /// The windows, ascending.
    times: Vec<EventTime>,
    /// Whether a row meets nothing, for a part of its key is null.
    is_null: Vec<bool>,
}

impl Joining {
    /// Leaves rows out whose windows had closed when they came.
    fn without_late(&self, own: usize, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let operator = || format!("window join on {}", self.spec.on.on);
        without_late(batch, self.spec.late[own], None, cx, |time, before| time > before, operator)
    }

    fn closed(&self, side: usize, ready: Option<Ready>) -> Result<Closed, OperatorError> {
        let Some(Ready { columns: rows, keys, times, .. }) = ready else {
            let schema = nullable(&self.spec.on.side(side).schema);
            let (keys, times, is_null) = (BytesColumn::default(), Vec::new(), Vec::new());
            return Ok(Closed { rows: RecordBatch::new_empty(schema), keys, times, is_null });
        };
        let mut is_null = vec![false; times.len()];
        for key in &self.spec.on.side(side).keys {
            if let Some(nulls) = rows.column(*key).nulls() {
                is_null.iter_mut().zip(nulls.iter()).for_each(|(is_null, valid)| *is_null |= !valid);
            }
        }
        Ok(Closed { rows, keys, times, is_null })
    }

    /// Puts out what comes of a window.
    fn join(&self, sides: &[Closed; 2], window: &Window, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let kind = self.spec.on.kind;
        let [left_rows, right_rows] = &window.rows;
        let mut met = [vec![false; left_rows.len()], vec![false; right_rows.len()]];
        let (table, first, next) = chains(&sides[1], right_rows, self.hash_seed);
        let mut pairs: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
        for left in left_rows.clone().filter(|left| !sides[0].is_null[*left]) {
            let slot = table.find(sides[0].keys.get(left));
            let mut right = slot.map_or(NONE, |slot| first[slot as usize]);
            while right != NONE {
                pairs[0].push(left as u32);
                pairs[1].push(right);
                right = next[right as usize - right_rows.start];
                if pairs[0].len() >= PAIRS_MAX {
                    self.settle(sides, window, std::mem::take(&mut pairs), &mut met, cx)?;
                }
            }
        }
        self.settle(sides, window, pairs, &mut met, cx)?;
        let mut out = OutputRows::of(kind);
        for side in [0, 1].into_iter().filter(|side| kind.keeps(*side)) {
            let wanted = kind == JoinKind::Semi;
            for (row, met) in window.rows[side].clone().zip(&met[side]) {
                if kind == JoinKind::Mark {
                    out.push(side, row as u32, if *met { MET } else { NULLS }, 1, window.time);
                } else if *met == wanted {
                    out.push(side, row as u32, NULLS, 1, window.time);
                }
            }
        }
        self.emit(out, sides, cx)
    }

    /// Notes which rows of some pairs have met, and puts the pairs out that have.
    fn settle(
        &self,
        sides: &[Closed; 2],
        window: &Window,
        pairs: [Vec<u32>; 2],
        met: &mut [Vec<bool>; 2],
        cx: &mut Cx<'_>,
    ) -> Result<(), OperatorError> {
        if pairs[0].is_empty() {
            return Ok(());
        }
        let meets = self.meeting(sides, &pairs, cx)?;
        let mut out = OutputRows::of(self.spec.on.kind);
        for (pair, (left, right)) in pairs[0].iter().zip(&pairs[1]).enumerate() {
            if meets.as_ref().is_none_or(|meets| meets[pair]) {
                met[0][*left as usize - window.rows[0].start] = true;
                met[1][*right as usize - window.rows[1].start] = true;
                if self.spec.on.kind.pairs() {
                    out.push(0, *left, *right, 1, window.time);
                }
            }
        }
        self.emit(out, sides, cx)
    }

    /// Which pairs meet the rest of the condition; `None`: all. One that it can't be computed for does not.
    fn meeting(
        &self,
        sides: &[Closed; 2],
        pairs: &[Vec<u32>; 2],
        cx: &mut Cx<'_>,
    ) -> Result<Option<Vec<bool>>, OperatorError> {
        let Some(residual) = &self.spec.on.residual else { return Ok(None) };
        let mut failed = Ok(());
        let mut blame = |_: usize, Failure { what, detail }: Failure, row: String| {
            if failed.is_ok() {
                cx.counters.bad += 1;
                failed = on_bad_row(self.spec.on.bad, what, detail, || row);
            }
        };
        let with = ExpressionCx { now_ms: cx.now_ms };
        let met = evaluate_residual(residual, rows_of(sides), pairs.clone(), &with, &mut blame)?;
        failed.map(|()| Some((0..met.len()).map(|pair| met.is_valid(pair) && met.value(pair)).collect()))
    }

    fn emit(&self, out: OutputRows, sides: &[Closed; 2], cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if !out.times.is_empty() {
            cx.emit(out.gather(rows_of(sides), &self.schema)?);
        }
        Ok(())
    }
}

fn rows_of(sides: &[Closed; 2]) -> [&RecordBatch; 2] {
    [&sides[0].rows, &sides[1].rows]
}

/// The windows, the first first.
fn windows(sides: &[Closed; 2]) -> Vec<Window> {
    let mut all = Vec::new();
    let mut at = [0, 0];
    loop {
        let next = |side: usize| sides[side].times.get(at[side]).copied();
        let Some(time) = [next(0), next(1)].into_iter().flatten().min() else { return all };
        let rows = [0, 1].map(|side: usize| {
            let rest = &sides[side].times[at[side]..];
            at[side]..at[side] + rest.iter().take_while(|other| **other == time).count()
        });
        at = [rows[0].end, rows[1].end];
        all.push(Window { time, rows });
    }
}

/// The rows of a side in a window by key: the first row of each, and behind every row the next one.
fn chains(side: &Closed, rows: &Range<usize>, hash_seed: u64) -> (SlotTable, Vec<u32>, Vec<u32>) {
    let (mut table, mut first) = (SlotTable::with_seed(hash_seed), Vec::new());
    let mut next = vec![NONE; rows.len()];
    for row in rows.clone().rev().filter(|row| !side.is_null[*row]) {
        let (slot, is_new) = table.find_or_insert(side.keys.get(row));
        if is_new {
            first.push(NONE);
        }
        next[row - rows.start] = std::mem::replace(&mut first[slot as usize], row as u32);
    }
    (table, first, next)
}
