//! Aggregation over session windows: rows of a key that follow each other within a gap.
//!
//! Every row opens a window of the length of the gap; windows of a key that overlap or touch are one session. A row may
//! prolong a session, begin one, or bring several together.
//!
//! ```text
//!   gap        |-----|
//!   rows       a     b          c   d
//!   sessions   [----------)     [---------)      each ends a gap behind its last row
//! ```
//! A session closes when the watermark reaches its last millisecond. Sessions are emitted in the order of their ends, then
//! of their keys. A row whose own window had closed, and that no open session takes in, is late.
//!
//! ```text
//! store groups:   key, start -> rows, aggregates, time of the last row
//! values ..:      multisets, as other aggregations keep them
//! store due:      end, key, start -> (nothing)
//! ```

mod open;

use super::groups::{Arguments, GROUPS, GroupTable, finish_all, result_builders};
use super::updating::{check_input, describe, key_codec, stores};
use super::windowed::window_schema;
use super::{AggregateCall, AggregateFunction, LatePolicy, prefix_end};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::keys::{KeyCodec, Slot, SlotTable};
use crate::meaning::{Fact, Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Lineage, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use open::{Closing, OpenSessions};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Groups rows by key and session, and emits each group when its session closes.
///
/// Input: insertions, keyed ([`Batch::keys`]); sessions go by [`Batch::times`]. Output: insertions only; columns are the
/// key columns, one per call, then `window_start`, `window_end` and `window_time` (the last millisecond), which is also
/// the event time of the row.
#[derive(Debug, Clone)]
pub struct SessionAggregate {
    /// How long after a row the next one belongs to its session, milliseconds.
    pub gap_ms: i64,
    /// The key columns: name and type, as the stream was keyed by.
    pub keys: Vec<(String, DataType)>,
    /// What is computed.
    pub calls: Vec<AggregateCall>,
    /// Number of columns of the input.
    pub width: usize,
    /// What happens to rows that come after their sessions have closed.
    pub late: LatePolicy,
}

impl SessionAggregate {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        window_schema(&self.keys, &self.calls)
    }

    /// The calls, and behind them the time of the last row: a session ends a gap after it.
    fn calls_and_last(&self) -> Vec<AggregateCall> {
        let last = AggregateCall {
            function: AggregateFunction::Max,
            argument: Some(self.width),
            argument_type: DataType::Int64,
            distinct: false,
            filter: None,
            name: "last".to_owned(),
        };
        self.calls.iter().cloned().chain([last]).collect()
    }

    fn due_store(&self) -> u16 {
        let multisets = self.calls.iter().filter(|call| call.needs_multiset(StreamKind::Append)).count();
        GROUPS + 1 + multisets as u16
    }
}

impl OperatorSpec for SessionAggregate {
    fn describe(&self) -> Description {
        let detail = format!("sessions, gap {} ms, {}", self.gap_ms, describe(&self.keys, &self.calls));
        Description::new("SessionAggregate", detail)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let window = Fact::new("window", format!("sessions, gap {} ms", self.gap_ms));
        super::meaning(vec![window], &self.calls, input, &["window_start", "window_end", "window_time"])
            .by_time()
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let mut stores = stores(&self.keys, &self.calls_and_last(), StreamKind::Append, &[]);
        for store in &mut stores {
            store.schema = format!("session of gap {} ms, {}", self.gap_ms, store.schema);
        }
        let schema = "end ms, key, start ms ->".to_owned();
        stores.push(StoreSpec { name: "due".to_owned(), schema });
        stores
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        if matches!(inputs, [StreamKind::Changelog]) {
            let refusal = "a session can't be taken apart again when a row of it is taken back: rows of a session are \
                           only inserted; aggregate without a window, or over TUMBLE or HOP";
            return Err(refusal.to_owned());
        }
        check_input(&self.calls, StreamKind::Append, inputs)?;
        Ok(StreamKind::Append)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let calls: Arc<[AggregateCall]> = self.calls_and_last().into();
        Ok(Box::new(Sessions {
            codec: key_codec(&self.keys)?,
            schema: self.schema(),
            due_store: self.due_store(),
            groups: GroupTable::new(&calls, StreamKind::Append, cx.hash_seed),
            keys: SlotTable::with_seed(cx.hash_seed),
            open: OpenSessions::default(),
            calls,
            spec: self.clone(),
            hash_seed: cx.hash_seed,
            gone: Vec::new(),
            all_hot: false,
            stored_from: None,
        }))
    }
}

/// About how many keys of stored sessions are read at once to be closed.
const SOME: usize = 4096;

struct Sessions {
    spec: SessionAggregate,
    /// With the time of the last row.
    calls: Arc<[AggregateCall]>,
    schema: SchemaRef,
    codec: KeyCodec,
    due_store: u16,
    hash_seed: u64,
    /// Sessions, by key and start.
    groups: GroupTable,
    /// Keys whose sessions are all in memory.
    keys: SlotTable,
    open: OpenSessions,
    /// Groups that were closed or merged into others since the last delta, with their ends in the store.
    gone: Vec<(Slot, Option<EventTime>)>,
    /// Whether the store has no key that is not in memory.
    all_hot: bool,
    /// The earliest end of sessions that only the store knows of.
    stored_from: Option<EventTime>,
}

/// Rows that are about to be folded in, and the groups they belong to.
#[derive(Debug, Default)]
struct Pending {
    rows: Vec<u32>,
    slots: Vec<Slot>,
}

impl Operator for Sessions {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let keys = self.intern(&batch, &mut cx.state)?;
        let mut pending = Pending::default();
        for (row, key) in keys.into_iter().enumerate() {
            // Judged by the watermark of the row's own moment, so that it does not matter how rows were batched.
            let watermark = batch.watermark_before(row, cx.watermark);
            if self.is_due(watermark) {
                self.fold(&mut pending, &batch)?;
                self.close_until(watermark, cx)?;
            }
            let time = batch.times[row];
            let end = time.saturating_add(self.spec.gap_ms);
            let taken_in_by = self.open.overlapping(key, time, end);
            if taken_in_by.is_empty() && end - 1 <= watermark {
                let gap_ms = self.spec.gap_ms;
                self.open.let_go(key);
                cx.on_late(self.spec.late, &batch, row, watermark, || format!("sessions, gap {gap_ms} ms"))?;
                continue;
            }
            let slot = match self.open.prolong(key, &taken_in_by, time, end) {
                Some(slot) => slot,
                None => {
                    self.fold(&mut pending, &batch)?;
                    self.merge(key, taken_in_by, time, end)?
                }
            };
            pending.rows.push(row as u32);
            pending.slots.push(slot);
        }
        self.fold(&mut pending, &batch)
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if self.is_due(watermark) { self.close_until(watermark, cx) } else { Ok(()) }
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let mut due_key = Vec::new();
        let gone = std::mem::take(&mut self.gone);
        let mut ended: Vec<(EventTime, &[u8])> = Vec::new();
        for (slot, stored_end) in &gone {
            ended.extend(stored_end.map(|end| (end, self.groups.slots.key(*slot))));
        }
        // The order of ends and keys does not depend on what was evicted.
        ended.sort_unstable();
        let due = out.block(self.due_store);
        for (end, key) in ended {
            encode_due(end, key, &mut due_key);
            due.delete(&due_key);
        }
        let gone_slots: Vec<Slot> = gone.iter().map(|(slot, _)| *slot).collect();
        for slot in &self.groups.touched {
            let Some(session) = self.open.of_group(*slot) else { continue };
            let (old, end) = (session.stored_end.replace(session.end), session.end);
            if old == Some(end) {
                continue;
            }
            let key = self.groups.slots.key(*slot);
            if let Some(old) = old {
                encode_due(old, key, &mut due_key);
                due.delete(&due_key);
            }
            encode_due(end, key, &mut due_key);
            due.put(&due_key, &[]);
        }
        self.groups.delete_slots(&gone_slots, out);
        self.groups.delta(false, &[], out)?;
        for key in self.open.take_empty() {
            self.keys.remove(key);
        }
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.stored_from = None;
        let mut bad = false;
        state.scan(self.due_store, &[], None, |stored, _| {
            self.stored_from = decode_due(stored).map(|(end, _)| end);
            bad = self.stored_from.is_none();
            ControlFlow::Break(())
        })?;
        self.all_hot = self.stored_from.is_none();
        if bad { Err(corrupt("the end of a session can't be read")) } else { Ok(()) }
    }

    fn evict(&mut self) {
        self.groups = GroupTable::new(&self.calls, StreamKind::Append, self.hash_seed);
        self.keys = SlotTable::with_seed(self.hash_seed);
        self.open = OpenSessions::default();
    }

    fn memory_bytes(&self) -> usize {
        self.groups.memory_bytes() + self.keys.memory_bytes() + self.open.memory_bytes()
    }
}

impl Sessions {
    /// Slots of the batch's keys, whose sessions are all in memory then.
    fn intern(&mut self, batch: &Batch, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.keys.find_or_insert_all(batch.keys()?, &mut slots, &mut new);
        self.open.resize(self.keys.slot_count());
        if !self.all_hot {
            new.sort_unstable_by(|a, b| self.keys.key(*a).cmp(self.keys.key(*b)));
            new.into_iter().try_for_each(|key| self.load(key, state))?;
        }
        Ok(slots)
    }

    /// Reads the sessions of a key.
    fn load(&mut self, key: Slot, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let prefix = self.keys.key(key);
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        state.scan(GROUPS, prefix, prefix_end(prefix).as_deref(), |stored, value| {
            // The empty key is the beginning of all.
            if stored.len() == prefix.len() + 8 {
                found.push((stored.to_vec(), value.to_vec()));
            }
            ControlFlow::Continue(())
        })?;
        for (stored, value) in found {
            let (slot, _) = self.groups.intern_one(&stored);
            self.groups.load(slot, &stored, &value, state)?;
            let start = stored.last_chunk().map(|bytes| decode_time(*bytes));
            let last = self.groups.picked_i64(self.calls.len() - 1, slot);
            let (Some(start), Some(last)) = (start, last) else {
                return Err(corrupt("a session without a time"));
            };
            let end = last.saturating_add(self.spec.gap_ms);
            self.open.add(key, start, end, slot, Some(end));
        }
        Ok(())
    }

    /// Folds the rows in that are waiting for it.
    fn fold(&mut self, pending: &mut Pending, batch: &Batch) -> Result<(), OperatorError> {
        let Pending { rows, slots } = std::mem::take(pending);
        if rows.is_empty() {
            return Ok(());
        }
        let taken = if rows.len() == batch.len() { batch.clone() } else { batch.take(&rows)? };
        let columns = taken.columns()?;
        let times: ArrayRef = Arc::new(Int64Array::new(taken.times.clone(), None));
        let mut fields: Vec<_> = columns.schema().fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new("", DataType::Int64, false)));
        let arrays = columns.columns().iter().cloned().chain([times]).collect();
        let columns = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        let arguments = Arguments::new(&self.calls, &columns)?;
        self.groups.touch(&slots, |_, _| Ok(()))?;
        self.groups.update(&slots, &self.calls, &arguments, None)
    }

    /// Begins a session with a row, or makes one of several and the row. Its group.
    fn merge(
        &mut self,
        key: Slot,
        taken_in_by: std::ops::Range<usize>,
        time: EventTime,
        end: EventTime,
    ) -> Result<Slot, OperatorError> {
        let merged = self.open.take(key, taken_in_by);
        let start = merged.first().map_or(time, |first| first.start.min(time));
        let end = merged.iter().fold(end, |end, session| end.max(session.end));
        let mut group_key = self.keys.key(key).to_vec();
        group_key.extend(encode_time(start));
        let (slot, _) = self.groups.intern_one(&group_key);
        let mut stored_end = None;
        for session in merged {
            if session.slot == slot {
                stored_end = session.stored_end;
                continue;
            }
            let empty = GroupTable::new(&self.calls, StreamKind::Append, self.hash_seed);
            self.groups.merge_within(slot, session.slot, empty)?;
            self.gone.push((session.slot, session.stored_end));
        }
        self.open.add(key, start, end, slot, stored_end);
        Ok(slot)
    }

    fn is_due(&self, watermark: EventTime) -> bool {
        let is_due = |end: EventTime| end.saturating_sub(1) <= watermark;
        self.stored_from.is_some_and(is_due) || self.open.first_end().is_some_and(is_due)
    }

    /// Closes the sessions that end at or before the watermark.
    fn close_until(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        loop {
            let until = self.load_due(watermark, &mut cx.state)?;
            let mut closing = self.open.close_until(until);
            closing.sort_unstable_by(|a, b| {
                let key = |closing: &Closing| (closing.end, self.keys.key(closing.key), closing.start);
                key(a).cmp(&key(b))
            });
            if !closing.is_empty() {
                cx.emit(self.results(&closing)?);
                self.gone.extend(closing.iter().map(|closing| (closing.slot, closing.stored_end)));
            }
            if until == watermark {
                return Ok(());
            }
        }
    }

    /// Reads keys of sessions that are to be closed and that only the store knows of. Up to which watermark these are
    /// all: the given one, or one before it.
    fn load_due(
        &mut self,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<EventTime, OperatorError> {
        let Some(from) = self.stored_from.filter(|from| from.saturating_sub(1) <= watermark) else {
            return Ok(watermark);
        };
        let (mut bad, mut next, mut last) = (false, None, from);
        let mut found: Vec<Vec<u8>> = Vec::new();
        state.scan(self.due_store, &encode_time(from), None, |stored, _| {
            let Some((end, key)) = decode_due(stored) else {
                bad = true;
                return ControlFlow::Break(());
            };
            if end.saturating_sub(1) > watermark || (found.len() >= SOME && end != last) {
                next = Some(end);
                return ControlFlow::Break(());
            }
            last = end;
            if self.keys.find(key).is_none() {
                found.push(key.to_vec());
            }
            ControlFlow::Continue(())
        })?;
        if bad {
            return Err(corrupt("the end of a session can't be read"));
        }
        self.stored_from = next;
        for key in found {
            // A key may have several sessions that end.
            let (slot, is_new) = self.keys.find_or_insert(&key);
            self.open.resize(self.keys.slot_count());
            if is_new {
                self.load(slot, state)?;
            }
        }
        Ok(next.map_or(watermark, |next| watermark.min(next.saturating_sub(2))))
    }

    fn results(&self, closing: &[Closing]) -> Result<Batch, OperatorError> {
        let mut columns = self.codec.decode(closing.iter().map(|closing| self.keys.key(closing.key)))?;
        let mut results = result_builders(&self.calls);
        for closing in closing {
            self.groups.append_results(closing.slot, &mut results)?;
        }
        columns.extend(finish_all(&mut results));
        columns.pop();
        let bound = |of: fn(&Closing) -> EventTime| -> ArrayRef {
            Arc::new(TimestampMillisecondArray::from_iter_values(closing.iter().map(of)))
        };
        let last = |closing: &Closing| closing.end - 1;
        columns.extend([bound(|closing| closing.start), bound(|closing| closing.end), bound(last)]);
        let times: Vec<EventTime> = closing.iter().map(last).collect();
        Ok(Batch::append(RecordBatch::try_new(Arc::clone(&self.schema), columns)?, times))
    }
}

fn corrupt(detail: impl Into<String>) -> OperatorError {
    OperatorError::CorruptState { operator: "session aggregate".to_owned(), detail: detail.into() }
}

fn encode_time(time: EventTime) -> [u8; 8] {
    (time ^ EventTime::MIN).to_be_bytes()
}

fn decode_time(bytes: [u8; 8]) -> EventTime {
    EventTime::from_be_bytes(bytes) ^ EventTime::MIN
}

/// Writes the key of a session in the store of ends.
fn encode_due(end: EventTime, group_key: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend(encode_time(end));
    out.extend_from_slice(group_key);
}

/// The end of a session, and its key.
fn decode_due(stored: &[u8]) -> Option<(EventTime, &[u8])> {
    let (end, group_key) = stored.split_first_chunk::<8>()?;
    let (key, _) = group_key.split_last_chunk::<8>()?;
    Some((decode_time(*end), key))
}
