//! From a changelog to an upsert stream by a key that its rows do not have to themselves.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, StreamKind};
use crate::keys::{Slot, SlotTable};
use crate::kit::bags::{Layout, NONE, RowBags, RowId};
use crate::kit::sequence;
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::rows::RowCodec;
use arrow::datatypes::SchemaRef;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What the operator is called where its state can't be read.
const OPERATOR: &str = "materialize";

/// The store with the rows.
const ROWS: u16 = 0;

/// The key of the next sequence number: no key of a row is empty.
const NEXT_SEQUENCE: &[u8] = &[];

/// Keeps all rows of every key and emits, once per commit, the last of those that are still there.
///
/// Input: a changelog, keyed by the key of the output ([`Batch::keys`]); a row that is taken back may be any of those of
/// its key. Output: an upsert stream of the same columns, keys in the order in which they were first touched since the
/// last commit; when the last row of a key has gone the one before it takes its place, without any the key is deleted.
#[derive(Debug, Clone)]
pub struct Materialize {
    /// Columns of input and output, which may all be null.
    pub schema: SchemaRef,
    /// The key, for people.
    pub key: String,
}

impl OperatorSpec for Materialize {
    fn describe(&self) -> Description {
        Description::new("Materialize", format!("last row of those there are by {}", self.key))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let facts = vec![
            Fact::new("keeps", "all rows of a key, and gives the last"),
            Fact::new("columns", input.columns_at(0..self.schema.fields().len())),
        ];
        Meaning::of(facts, input.columns.clone()).keyed(input.key.clone())
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&Materialize { schema: nameless(&self.schema), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let column = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
        let columns: Vec<String> = self.schema.fields().iter().map(column).collect();
        vec![StoreSpec {
            name: "rows".to_owned(),
            schema: format!("key, sequence -> {}", columns.join(", ")),
        }]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Changelog] => Ok(StreamKind::Upsert),
            inputs => Err(format!("only a changelog can be materialized, not {inputs:?}")),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let codec = RowCodec::new(Arc::clone(&self.schema))
            .map_err(|data_type| corrupt(format!("rows with a column of type {data_type} can't be kept")))?;
        let layout = Layout { searched: true, ..Layout::default() };
        Ok(Box::new(Materializing {
            hash_seed: cx.hash_seed,
            slots: SlotTable::with_seed(cx.hash_seed),
            rows: RowBags::new(OPERATOR, ROWS, codec, layout, cx.hash_seed),
            touched: Vec::new(),
            touches: Vec::new(),
            stored_sequence: 0,
        }))
    }
}

fn corrupt(detail: String) -> OperatorError {
    OperatorError::CorruptState { operator: OPERATOR.to_owned(), detail }
}

struct Materializing {
    hash_seed: u64,
    slots: SlotTable,
    rows: RowBags,
    /// Keys touched since the last commit, in the order of first touch.
    touched: Vec<Slot>,
    /// By slot.
    touches: Vec<Touch>,
    stored_sequence: u64,
}

/// What is known of a key since it was first touched.
#[derive(Debug, Clone, Copy)]
struct Touch {
    is_touched: bool,
    /// The last row before.
    before: RowId,
    /// The latest time.
    time: EventTime,
}

const UNTOUCHED: Touch = Touch { is_touched: false, before: NONE, time: EventTime::MIN };

impl Operator for Materializing {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.intern(&batch, &mut cx.state)?;
        let codec = self.rows.codec().clone();
        let writer = codec.writer(batch.columns()?)?;
        let mut scratch = Vec::new();
        for (row, slot) in slots.into_iter().enumerate() {
            let before = self.rows.last(slot);
            let touch = &mut self.touches[slot as usize];
            if !touch.is_touched {
                *touch = Touch { is_touched: true, before, ..UNTOUCHED };
                self.touched.push(slot);
            }
            touch.time = touch.time.max(batch.times[row]);
            if batch.ops.get(row) == 1 {
                self.rows.insert(slot, 0, |out| writer.write(row, out));
                continue;
            }
            scratch.clear();
            writer.write(row, &mut scratch);
            if let Some(gone) = self.rows.find(slot, &scratch) {
                self.rows.remove(gone, &self.slots);
            }
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (mut rows, mut signs, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for slot in &self.touched {
            let Touch { before, time, .. } = self.touches[*slot as usize];
            let last = self.rows.last(*slot);
            if last == before {
                continue;
            }
            // The bytes of a row that has gone stay until the delta is taken.
            rows.push(if last == NONE { before } else { last });
            signs.push(if last == NONE { -1 } else { 1 });
            times.push(time);
        }
        if !rows.is_empty() {
            cx.emit(Batch::changes(self.rows.read(&rows)?, times, Ops::from_signs(signs)));
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let block = out.block(ROWS);
        self.rows.delta(&self.slots, block, |_, _, _, _| {});
        let sequence = self.rows.next_sequence;
        if std::mem::replace(&mut self.stored_sequence, sequence) != sequence {
            block.put(NEXT_SEQUENCE, &sequence.to_le_bytes());
        }
        for slot in self.touched.drain(..) {
            self.touches[slot as usize] = UNTOUCHED;
            if self.rows.count(slot) == 0 {
                self.slots.remove(slot);
            }
        }
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let sequence = sequence::next(OPERATOR, ROWS, NEXT_SEQUENCE, state)?;
        (self.rows.next_sequence, self.rows.hot_from, self.stored_sequence) = (sequence, sequence, sequence);
        self.rows.all_hot = true;
        state.scan(ROWS, &[0], None, |_, _| {
            self.rows.all_hot = false;
            ControlFlow::Break(())
        })?;
        Ok(())
    }

    fn evict(&mut self) {
        self.slots = SlotTable::with_seed(self.hash_seed);
        self.rows.evict();
        self.touches.clear();
    }

    fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.rows.memory_bytes() + self.touches.capacity() * size_of::<Touch>()
    }
}

impl Materializing {
    /// The slots of a batch's keys, whose rows are all in memory then.
    fn intern(&mut self, batch: &Batch, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        let keys = batch.keys()?;
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.slots.find_or_insert_all(keys, &mut slots, &mut new);
        self.rows.resize(self.slots.slot_count());
        self.touches.resize(self.slots.slot_count(), UNTOUCHED);
        new.iter().for_each(|slot| self.rows.begin(*slot));
        new.retain(|slot| !self.rows.is_complete(*slot));
        new.sort_unstable_by(|a, b| self.slots.key(*a).cmp(self.slots.key(*b)));
        self.rows.load_all(&new, &self.slots, state)?;
        Ok(slots)
    }
}
