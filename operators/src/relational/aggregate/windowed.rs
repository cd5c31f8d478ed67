//! Aggregation over tumbling and hopping windows, in panes.
//!
//! A hopping window is cut into panes as long as its slide; a row is folded into one pane, and a window that closes is
//! put together from the panes in it. A tumbling window is a single pane.
//!
//! ```text
//!   size 3 x slide:   |--pane--|--pane--|--pane--|--pane--|
//!   windows           [--------- E1 ---------]
//!                              [--------- E2 ---------]
//! ```
//! A window closes when the watermark reaches its last millisecond. Its groups are emitted in key order, windows in the
//! order of their ends. A pane goes when the last window it is part of has closed; a row for a pane that is gone is
//! late. (Panes are Flink's *slices*; the idea is from Li et al., "No pane, no gain", SIGMOD Record 2005.)

use super::groups::{Arguments, GROUPS, GroupTable, finish_all, result_builders};
use super::updating::{check_input, describe, key_codec, stores};
use super::{AggregateCall, LatePolicy, prefix_end};
use crate::OperatorError;
use crate::batch::{Batch, END_OF_TIME, EventTime, NO_WATERMARK, StreamKind};
use crate::keys::{KeyCodec, Slot};
use crate::meaning::{Fact, Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, EachRows, Lineage, Operator, OperatorSpec, Port, StateScope,
    StoreSpec,
};
use crate::window::Window;
use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use millstream_state::BytesColumn;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Groups rows by window and key, and emits each group when its window closes.
///
/// Input: keyed ([`Batch::keys`]), any columns; the window goes by [`Batch::times`], and a row that is taken back has the
/// time it had when it came. Output: insertions only; columns
/// are the key columns, one per call, then `window_start`, `window_end` and `window_time` (the last millisecond), which
/// is also the event time of the row.
#[derive(Debug, Clone)]
pub struct WindowAggregate {
    /// The windows.
    pub window: Window,
    /// The key columns: name and type, as the stream was keyed by.
    pub keys: Vec<(String, DataType)>,
    /// What is computed.
    pub calls: Vec<AggregateCall>,
    /// What the input means.
    pub input: StreamKind,
    /// What happens to rows that come after their windows have closed.
    pub late: LatePolicy,
}

impl WindowAggregate {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        window_schema(&self.keys, &self.calls)
    }
}

/// Columns of groups of windows: the keys, the calls, and the bounds of the window.
pub(super) fn window_schema(keys: &[(String, DataType)], calls: &[AggregateCall]) -> SchemaRef {
    let timestamp = || DataType::Timestamp(TimeUnit::Millisecond, None);
    let keys = keys.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true));
    let calls = calls.iter().map(|call| Field::new(&call.name, call.data_type(), true));
    let bounds =
        ["window_start", "window_end", "window_time"].map(|name| Field::new(name, timestamp(), true));
    Arc::new(Schema::new(keys.chain(calls).chain(bounds).collect::<Vec<_>>()))
}

impl OperatorSpec for WindowAggregate {
    fn describe(&self) -> Description {
        let detail = format!("{} {}", self.window.describe(), describe(&self.keys, &self.calls));
        Description::new("WindowAggregate", detail)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let window = Fact::new("window", self.window.describe());
        super::meaning(vec![window], &self.calls, input, &["window_start", "window_end", "window_time"])
            .by_time()
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let mut stores = stores(&self.keys, &self.calls, self.input, &[]);
        for store in &mut stores {
            store.schema = format!("pane end ms ({}), {}", self.window.describe(), store.schema);
        }
        stores
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        check_input(&self.calls, self.input, inputs)?;
        Ok(StreamKind::Append)
    }

    fn show_state(&self, state: &mut StateScope<'_>, each: EachRows<'_>) -> Result<bool, OperatorError> {
        super::shown::panes(self, state, each).map(|()| true)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Windowed {
            codec: key_codec(&self.keys)?,
            schema: self.schema(),
            calls: self.calls.as_slice().into(),
            spec: self.clone(),
            hash_seed: cx.hash_seed,
            panes: BTreeMap::new(),
            closed_until: NO_WATERMARK,
            gone: Vec::new(),
        }))
    }
}

struct Windowed {
    spec: WindowAggregate,
    calls: Arc<[AggregateCall]>,
    schema: SchemaRef,
    codec: KeyCodec,
    hash_seed: u64,
    /// Panes by their ends.
    panes: BTreeMap<EventTime, Pane>,
    /// End of the last window that was closed.
    closed_until: EventTime,
    /// Panes that went since the last delta and whose groups are in the store.
    gone: Vec<(EventTime, GroupTable)>,
}

/// Rows of a batch by the ends of their panes.
type PaneRows = BTreeMap<EventTime, Vec<u32>>;

enum Pane {
    /// In the store only.
    Stored,
    Loaded(Box<GroupTable>),
}

impl Operator for Windowed {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let window = self.spec.window;
        let (mut least, mut largest) = (END_OF_TIME, NO_WATERMARK);
        for time in batch.times.iter() {
            (least, largest) = (least.min(*time), largest.max(*time));
        }
        let one_pane = !batch.is_empty() && window.pane_end(least) == window.pane_end(largest);
        if one_pane && batch.behind.is_none() {
            return self.fold(window.pane_end(least), &batch, cx);
        }
        let mut rows = PaneRows::new();
        for (row, time) in batch.times.iter().enumerate() {
            let pane_end = window.pane_end(*time);
            // Judged by the watermark of the row's own moment, so that it does not matter how rows were batched.
            if let Some(bounds) = &batch.behind {
                let bound = bounds[row];
                if window.last_window_of(pane_end) - 1 <= bound {
                    cx.on_late(self.spec.late, &batch, row, bound, || window.describe())?;
                    continue;
                }
                // The first of its windows had closed at that moment: without this row, but with those before it.
                if pane_end - 1 <= bound && window.last_closed(bound) > self.closed_until {
                    self.fold_all(std::mem::take(&mut rows), &batch, cx)?;
                    self.close_until(bound, cx)?;
                }
            }
            rows.entry(pane_end).or_default().push(row as u32);
        }
        self.fold_all(rows, &batch, cx)
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.close_until(watermark, cx)
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        for (pane_end, groups) in self.gone.drain(..) {
            groups.delete_all(&stored_key(pane_end, &[]), out);
        }
        for (pane_end, pane) in &mut self.panes {
            if let Pane::Loaded(groups) = pane {
                groups.delta(false, &stored_key(*pane_end, &[]), out)?;
            }
        }
        Ok(())
    }

    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.closed_until = self.spec.window.last_closed(watermark);
        let mut from: Vec<u8> = Vec::new();
        loop {
            let mut found = None;
            state.scan(GROUPS, &from, None, |key, _| {
                found = key.first_chunk::<8>().map(|bytes| decode_end(*bytes));
                ControlFlow::Break(())
            })?;
            let Some(pane_end) = found else { return Ok(()) };
            self.panes.insert(pane_end, Pane::Stored);
            let Some(next) = prefix_end(&stored_key(pane_end, &[])) else { return Ok(()) };
            from = next;
        }
    }

    fn evict(&mut self) {
        self.panes.clear();
    }

    fn memory_bytes(&self) -> usize {
        let loaded = self.panes.values().map(|pane| match pane {
            Pane::Stored => 0,
            Pane::Loaded(groups) => groups.memory_bytes(),
        });
        loaded.sum()
    }
}

impl Windowed {
    /// Closes the windows that end at or before the watermark, and lets go of the panes that are in no later one.
    fn close_until(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let window = self.spec.window;
        while let Some(&first) = self.panes.keys().next() {
            let end = first.max(self.closed_until.saturating_add(window.slide_ms));
            if end > window.last_window_of(first) {
                self.drop_pane(first);
                continue;
            }
            if end - 1 > watermark {
                break;
            }
            self.close(end, cx)?;
            self.closed_until = end;
            if end == window.last_window_of(first) {
                self.drop_pane(first);
            }
        }
        self.closed_until = self.closed_until.max(window.last_closed(watermark));
        Ok(())
    }

    /// Folds rows of several panes in.
    fn fold_all(&mut self, rows: PaneRows, batch: &Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        rows.iter().try_for_each(|(pane_end, rows)| self.fold(*pane_end, &batch.take(rows)?, cx))
    }

    /// Folds rows of one pane in.
    fn fold(&mut self, pane_end: EventTime, batch: &Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let arguments = Arguments::new(&self.spec.calls, batch.columns()?)?;
        let calls = Arc::clone(&self.calls);
        let groups = self.pane(pane_end, &mut cx.state)?;
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        groups.intern(batch.keys()?, &mut slots, &mut new);
        groups.touch(&slots, |_, _| Ok(()))?;
        groups.update(&slots, &calls, &arguments, batch.ops.signs())
    }

    /// A pane's groups; read from the store first when they are only there, empty when there are none.
    fn pane(
        &mut self,
        pane_end: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<&mut GroupTable, OperatorError> {
        let stored = matches!(self.panes.get(&pane_end), Some(Pane::Stored));
        if stored || !self.panes.contains_key(&pane_end) {
            let mut groups = self.new_groups();
            if stored {
                load_pane(&mut groups, pane_end, state)?;
            }
            self.panes.insert(pane_end, Pane::Loaded(Box::new(groups)));
        }
        match self.panes.get_mut(&pane_end) {
            Some(Pane::Loaded(groups)) => Ok(groups),
            _ => unreachable!("the pane was just loaded"),
        }
    }

    fn new_groups(&self) -> GroupTable {
        GroupTable::new(&self.spec.calls, self.spec.input, self.hash_seed)
    }

    /// Emits the groups of the window that ends at `end`.
    fn close(&mut self, end: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let panes = self.spec.window.panes_of(end);
        let inside: Vec<EventTime> = self.panes.range(panes).map(|(pane_end, _)| *pane_end).collect();
        if let [single] = inside.as_slice() {
            self.pane(*single, &mut cx.state)?;
            let Some(Pane::Loaded(groups)) = self.panes.get(single) else { return Ok(()) };
            let batch = self.results(groups, end)?;
            cx.emit(batch);
            return Ok(());
        }
        let mut merged = self.new_groups();
        for pane_end in inside {
            let groups = self.pane(pane_end, &mut cx.state)?;
            for from in groups.used_slots() {
                let (slot, _) = merged.intern_one(groups.slots.key(from));
                merged.merge(slot, groups, from)?;
            }
        }
        let batch = self.results(&merged, end)?;
        cx.emit(batch);
        Ok(())
    }

    fn results(&self, groups: &GroupTable, end: EventTime) -> Result<Batch, OperatorError> {
        let slots: Vec<Slot> = groups.slots_by_key();
        let mut columns = self.codec.decode(slots.iter().map(|slot| groups.slots.key(*slot)))?;
        let mut results = result_builders(&self.spec.calls);
        for slot in &slots {
            groups.append_results(*slot, &mut results)?;
        }
        columns.extend(finish_all(&mut results));
        for bound in [self.spec.window.start(end), end, end - 1] {
            let column: ArrayRef = Arc::new(TimestampMillisecondArray::from_value(bound, slots.len()));
            columns.push(column);
        }
        let times = vec![end - 1; slots.len()];
        Ok(Batch::append(RecordBatch::try_new(Arc::clone(&self.schema), columns)?, times))
    }

    fn drop_pane(&mut self, pane_end: EventTime) {
        if let Some(Pane::Loaded(groups)) = self.panes.remove(&pane_end)
            && groups.stored.contains(&true)
        {
            self.gone.push((pane_end, *groups));
        }
    }
}

/// A group's key in the store: the pane's end, such that panes sort by time, and the key.
fn stored_key(pane_end: EventTime, key: &[u8]) -> Vec<u8> {
    let mut stored = (pane_end ^ EventTime::MIN).to_be_bytes().to_vec();
    stored.extend(key);
    stored
}

pub(super) fn decode_end(bytes: [u8; 8]) -> EventTime {
    EventTime::from_be_bytes(bytes) ^ EventTime::MIN
}

fn load_pane(
    groups: &mut GroupTable,
    pane_end: EventTime,
    state: &mut StateScope<'_>,
) -> Result<(), OperatorError> {
    let from = stored_key(pane_end, &[]);
    let to = prefix_end(&from);
    let (mut keys, mut values) = (BytesColumn::default(), BytesColumn::default());
    state.scan(GROUPS, &from, to.as_deref(), |key, value| {
        keys.push(key);
        values.push(value);
        ControlFlow::Continue(())
    })?;
    for (key, value) in keys.iter().zip(values.iter()) {
        let (slot, _) = groups.intern_one(&key[8..]);
        groups.load(slot, key, value, state)?;
    }
    Ok(())
}
