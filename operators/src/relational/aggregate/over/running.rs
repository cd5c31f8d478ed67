//! The running aggregation over frames.

use super::super::groups::{Arguments, GROUPS, GroupTable, finish_all, result_builders};
use super::super::lane::Lane;
use super::call::{Computed, Plan};
use super::extremes::Extremes;
use super::frame::Frames;
use super::peers::Peers;
use super::steps::{Step, StepKind};
use super::{Frame, Over};
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::keys::Slot;
use crate::kit::late::without_late;
use crate::kit::waiting::Waiting;
use crate::operator::{Cx, DeltaScope, Operator, Port, StateScope};
use crate::rows::RowCodec;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{concat_batches, interleave};
use arrow::datatypes::{Schema, SchemaRef};
use millstream_state::BytesColumn;
use std::ops::ControlFlow;
use std::sync::Arc;

pub(super) struct Running {
    pub(super) spec: Over,
    pub(super) plan: Plan,
    pub(super) schema: SchemaRef,
    /// What is read of the rows of bounded frames.
    pub(super) codec: RowCodec,
    pub(super) waiting_store: u16,
    pub(super) waiting: Waiting,
    /// By key; the slots of keys are its.
    pub(super) groups: GroupTable,
    pub(super) extremes: Vec<Extremes>,
    pub(super) frames: Frames,
    pub(super) peers: Peers,
    pub(super) hash_seed: u64,
    /// Whether the store has no key that is not in memory.
    pub(super) all_hot: bool,
}

/// What is to be done, and the rows that stand so many before others: by call, and row.
#[derive(Debug)]
struct Work {
    steps: Vec<Step>,
    before: Vec<Vec<Option<u32>>>,
}

impl Operator for Running {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let batch = self.without_late(batch, cx)?;
        if batch.is_empty() { Ok(()) } else { self.waiting.add(batch) }
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.release(watermark, cx)?;
        while self.frames.is_due(watermark) {
            self.expire(watermark, &mut cx.state)?;
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.frames.delta(&self.groups.touched, &self.groups.slots, out);
        self.groups.delta(false, &[], out)?;
        self.waiting.delta(out.block(self.waiting_store))
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.all_hot = true;
        state.scan(GROUPS, &[], None, |_, _| {
            self.all_hot = false;
            ControlFlow::Break(())
        })?;
        self.frames.restore(state)?;
        self.waiting.restore(state)
    }

    fn evict(&mut self) {
        self.waiting.evict();
        self.groups = GroupTable::new(&self.plan.groups, self.plan.kind, self.hash_seed);
        self.extremes = self.plan.extremes();
        self.frames.evict();
        self.peers = Peers::default();
    }

    fn memory_bytes(&self) -> usize {
        let extremes: usize = self.extremes.iter().map(Extremes::memory_bytes).sum();
        let frames = self.frames.memory_bytes() + extremes;
        self.waiting.memory_bytes() + self.groups.memory_bytes() + frames + self.peers.memory_bytes()
    }
}

impl Running {
    /// Leaves rows out whose time had passed when they came.
    fn without_late(&self, batch: Batch, cx: &mut Cx<'_>) -> Result<Batch, OperatorError> {
        let (operator, now) = (|| format!("OVER {}", self.spec.frame), Some(cx.watermark));
        without_late(batch, self.spec.late, now, cx, |time, before| time > before, operator)
    }

    /// Emits the rows that the watermark has reached.
    fn release(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let Some(ready) = self.waiting.take_until(watermark, &mut cx.state)? else { return Ok(()) };
        let (results, read) = self.computed(&ready.keys, &ready.times, &ready.columns, &mut cx.state)?;
        if self.spec.frame.is_bounded() {
            self.frames.end(&self.codec.writer(&read)?);
        }
        let columns = ready.columns.columns().iter().cloned().chain(results).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(ready.times.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        cx.emit(Batch::append(columns, ready.times));
        Ok(())
    }

    /// What is computed for the next rows of some keys, by call; and what is read of the rows.
    pub(super) fn computed(
        &mut self,
        keys: &BytesColumn,
        times: &[EventTime],
        rows: &RecordBatch,
        state: &mut StateScope<'_>,
    ) -> Result<(Vec<ArrayRef>, RecordBatch), OperatorError> {
        let slots = self.intern(keys, state)?;
        self.groups.touch(&slots, |_, _| Ok(()))?;
        self.frames.begin(slots.len());
        let work = match self.spec.frame {
            Frame::Rows(preceding) => self.by_rows(preceding, &slots, times),
            Frame::Range(span_ms) => self.by_range(span_ms, &slots, times),
        };
        let mut read = rows.project(&self.plan.read)?;
        if self.plan.ranks {
            let peers = self.peers.columns(&slots, times, &self.groups.rows);
            read = with_columns(&read, peers)?;
        }
        let results = self.run(&work, &read, rows)?;
        Ok((results, read))
    }

    /// What rows do to frames of so many rows before them.
    fn by_rows(&mut self, preceding: Option<u64>, slots: &[Slot], times: &[EventTime]) -> Work {
        let mut work = self.no_work(slots.len());
        for (row, (slot, time)) in slots.iter().zip(times).enumerate() {
            let (slot, row) = (*slot, row as u32);
            work.steps.push(Step { slot, row, kind: StepKind::Come });
            work.steps.push(Step { slot, row, kind: StepKind::Result });
            let Some(preceding) = preceding else { continue };
            self.frames.push(slot, *time, row);
            for (lag, before) in self.plan.lags.iter().zip(&mut work.before) {
                before.push(self.frames.place_before_last(slot, lag.offset));
            }
            if self.frames.len(slot) as u64 > preceding {
                self.leave(slot, EventTime::MAX, &mut work.steps);
            }
        }
        work
    }

    /// What rows do to frames of so long before them.
    fn by_range(&mut self, span_ms: Option<i64>, slots: &[Slot], times: &[EventTime]) -> Work {
        let mut work = self.no_work(slots.len());
        for peers in (0..slots.len()).collect::<Vec<_>>().chunk_by(|a, b| times[*a] == times[*b]) {
            for row in peers {
                let (slot, time) = (slots[*row], times[*row]);
                if let Some(span_ms) = span_ms {
                    while self.leave(slot, time.saturating_sub(span_ms), &mut work.steps) {}
                    self.frames.push(slot, time, *row as u32);
                }
                work.steps.push(Step { slot, row: *row as u32, kind: StepKind::Come });
            }
            let result = |row: &usize| Step { slot: slots[*row], row: *row as u32, kind: StepKind::Result };
            work.steps.extend(peers.iter().map(result));
        }
        work
    }

    fn no_work(&self, rows: usize) -> Work {
        Work { steps: Vec::with_capacity(rows * 3), before: vec![Vec::new(); self.plan.lags.len()] }
    }

    /// Lets the oldest row of a key leave if its time is before `until`. Whether there was one.
    fn leave(&mut self, slot: Slot, until: EventTime, steps: &mut Vec<Step>) -> bool {
        let Some(row) = self.frames.pop(slot, until, &self.groups.slots) else { return false };
        steps.push(Step { slot, row, kind: StepKind::Leave });
        true
    }

    /// Lets the rows of keys go that have got no others for so long that they are in no frame any more.
    fn expire(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let stored = self.frames.stored_due(watermark, &self.groups.slots, state)?;
        self.intern(&stored, state)?;
        self.frames.begin(0);
        let due = self.frames.take_due(watermark, &self.groups.slots);
        self.groups.touch(&due, |_, _| Ok(()))?;
        let mut work = self.no_work(0);
        for slot in due {
            while self.leave(slot, EventTime::MAX, &mut work.steps) {}
        }
        let none = RecordBatch::new_empty(Arc::clone(self.codec.schema()));
        self.run(&work, &none, &none).map(drop)
    }

    /// Does what is to be done. `came`: what is read of the rows that come, which are `rows`. The results, by call.
    fn run(
        &mut self,
        work: &Work,
        came: &RecordBatch,
        rows: &RecordBatch,
    ) -> Result<Vec<ArrayRef>, OperatorError> {
        let columns = self.with_older(came)?;
        let mut groups = result_builders(&self.plan.groups);
        let arguments = Arguments::new(&self.plan.groups, &columns)?;
        self.groups.run(&work.steps, &self.plan.groups, &arguments, &mut groups)?;
        let (groups, queues) = (finish_all(&mut groups), self.run_queues(&work.steps, &columns)?);
        let result = |computed: &Computed| match computed {
            Computed::Group(at) => Ok(Arc::clone(&groups[*at])),
            Computed::Queue(at) => Ok(Arc::clone(&queues[*at])),
            Computed::Lag(at) => self.lagging(*at, &work.before[*at], &columns, rows),
        };
        self.plan.computed.iter().map(result).collect()
    }

    /// The values of the rows that stand so many before.
    fn lagging(
        &self,
        lag: usize,
        before: &[Option<u32>],
        columns: &RecordBatch,
        rows: &RecordBatch,
    ) -> Result<ArrayRef, OperatorError> {
        let lag = &self.plan.lags[lag];
        let values = columns.column(lag.argument);
        let (default, is_null) = match lag.default {
            Some(column) => (Arc::clone(rows.column(column)), false),
            None => (new_null_array(values.data_type(), 1), true),
        };
        let place = |(row, before): (usize, &Option<u32>)| match before {
            Some(at) => (0, *at as usize),
            None => (1, if is_null { 0 } else { row }),
        };
        let places: Vec<(usize, usize)> = before.iter().enumerate().map(place).collect();
        let sources: [&dyn Array; 2] = [values.as_ref(), default.as_ref()];
        Ok(interleave(&sources, &places)?)
    }

    /// What is read of the rows that come, and of the older ones behind them.
    fn with_older(&self, came: &RecordBatch) -> Result<RecordBatch, OperatorError> {
        if self.frames.older().is_empty() {
            return Ok(came.clone());
        }
        let older = self.codec.read(self.frames.older().iter())?;
        if came.num_rows() == 0 {
            return Ok(older);
        }
        Ok(concat_batches(self.codec.schema(), [came, &older])?)
    }

    /// The slots of keys, whose groups and frames are in memory then.
    fn intern(&mut self, keys: &BytesColumn, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.groups.intern(keys, &mut slots, &mut new);
        let count = self.groups.slots.slot_count();
        self.frames.resize(count);
        self.peers.resize(if self.plan.ranks { count } else { 0 });
        self.extremes.iter_mut().for_each(|extremes| extremes.resize(count));
        if !self.all_hot && !new.is_empty() {
            // In the order of the store.
            new.sort_unstable_by(|a, b| self.groups.slots.key(*a).cmp(self.groups.slots.key(*b)));
            self.load(&new, state)?;
        }
        Ok(slots)
    }

    fn load(&mut self, new: &[Slot], state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let found = self.groups.load_all(new, state)?;
        self.frames.begin(0);
        let mut work = self.no_work(0);
        for slot in found {
            if !self.spec.frame.is_bounded() {
                continue;
            }
            self.frames.load(slot, self.groups.slots.key(slot), state)?;
            if self.extremes.is_empty() {
                continue;
            }
            for back in (0..self.frames.len(slot)).rev() {
                let row = self.frames.place_before_last(slot, back);
                work.steps.extend(row.map(|row| Step { slot, row, kind: StepKind::Come }));
            }
        }
        let columns = self.codec.read(self.frames.older().iter())?;
        self.run_queues(&work.steps, &columns).map(drop)
    }

    /// Takes the queues through steps; their results.
    fn run_queues(&mut self, steps: &[Step], columns: &RecordBatch) -> Result<Vec<ArrayRef>, OperatorError> {
        let mut results = result_builders(&self.plan.queues);
        for ((extremes, call), out) in self.extremes.iter_mut().zip(&self.plan.queues).zip(&mut results) {
            let filter = call.filter.map(|column| columns.column(column).as_boolean());
            let lane = Lane::new(call.argument.map(|column| columns.column(column)), filter)?;
            extremes.run(steps, &lane, out);
        }
        Ok(finish_all(&mut results))
    }
}

/// Rows with more columns behind theirs.
fn with_columns<const N: usize>(
    rows: &RecordBatch,
    more: [(arrow::datatypes::Field, ArrayRef); N],
) -> Result<RecordBatch, OperatorError> {
    let (fields, columns): (Vec<_>, Vec<_>) = more.into_iter().unzip();
    let schema = rows.schema();
    let fields = schema.fields().iter().cloned().chain(fields.into_iter().map(Arc::new));
    let columns = rows.columns().iter().cloned().chain(columns).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
}
