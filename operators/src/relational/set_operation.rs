//! `INTERSECT ALL` and `EXCEPT ALL`: how often a row is there, of how often it is on either side.
//!
//! ```text
//! the whole row -> how often it came on the left, on the right; of that alone follows how often it is there
//! ```
//! A row that is taken back before it comes, as it may be behind an exchange, counts less than nothing until it does.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, StreamKind, take_columns};
use crate::keys::KeyCodec;
use crate::kit::state::{KeyedState, Stored};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Lineage, Operator, OperatorSpec, Port, StoreSpec,
};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;

/// The store with how often every row came.
const COUNTS: u16 = 0;
const OPERATOR: &str = "set operation";

/// How often a row is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetKind {
    /// As often as on both sides.
    IntersectAll,
    /// As often as it is on the left more than on the right.
    ExceptAll,
}

impl SetKind {
    fn name(self) -> &'static str {
        match self {
            SetKind::IntersectAll => "intersect all",
            SetKind::ExceptAll => "except all",
        }
    }

    /// How often a row is there that came so often on the left and on the right.
    fn count(self, [left, right]: [i64; 2]) -> i64 {
        let right = right.max(0);
        match self {
            SetKind::IntersectAll => left.min(right).max(0),
            SetKind::ExceptAll => left.saturating_sub(right).max(0),
        }
    }
}

/// The rows of two streams that are on both sides, or on the left more often than on the right, each as often as that says.
///
/// Input: insertions or changelogs of these columns, keyed by all of them. Output: the same columns, at the latest time of
/// what changed a row since the last commit; insertions where rows only come and both sides are intersected, a changelog
/// otherwise.
#[derive(Debug, Clone)]
pub struct SetOperation {
    /// Which.
    pub kind: SetKind,
    /// Columns of both inputs and of the output.
    pub schema: SchemaRef,
}

impl OperatorSpec for SetOperation {
    fn describe(&self) -> Description {
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        Description::new("SetOperation", format!("{}: {}", self.kind.name(), names.join(", ")))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [left, right] = inputs else { return Meaning::described(self.describe(), inputs) };
        let columns: Vec<String> = (0..self.schema.fields().len())
            .map(|column| format!("({} | {})", left.column(column), right.column(column)))
            .collect();
        let fact = Fact::new(self.kind.name(), columns.join(", "));
        Meaning::of(vec![fact], Columns::Known(columns.clone())).keyed(columns)
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&SetOperation { schema: nameless(&self.schema), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let column = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
        let columns: Vec<String> = self.schema.fields().iter().map(column).collect();
        let schema = format!("{} -> left i64, right i64", columns.join(", "));
        vec![StoreSpec { name: "counts".to_owned(), schema }]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        use StreamKind::{Append, Changelog, Upsert};
        match (self.kind, inputs) {
            (_, [Upsert, _] | [_, Upsert]) => {
                Err("a stream of upserts has to be normalized before its rows are counted".to_owned())
            }
            (SetKind::IntersectAll, [Append, Append]) => Ok(Append),
            (_, [_, _]) => Ok(Changelog),
            (_, inputs) => Err(format!("{} has two inputs, not {}", self.kind.name(), inputs.len())),
        }
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let types = self.schema.fields().iter().map(|field| field.data_type().clone()).collect();
        let codec = KeyCodec::new(types)
            .map_err(|_| OperatorError::Mismatch { expected: "columns of keys", found: "others" })?;
        let (kind, schema) = (self.kind, Arc::clone(&self.schema));
        Ok(Box::new(Counting { kind, schema, codec, rows: KeyedState::new(OPERATOR, COUNTS, cx) }))
    }
}

struct Counting {
    kind: SetKind,
    schema: SchemaRef,
    codec: KeyCodec,
    rows: KeyedState<Counts>,
}

/// How often a row came, and what has been said of it since the last commit.
#[derive(Default)]
struct Counts {
    sides: [i64; 2],
    /// How often it was there when that was last emitted.
    emitted: i64,
    /// The latest time since the last commit.
    time: EventTime,
}

impl Stored for Counts {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        match bytes.as_chunks::<8>() {
            ([left, right], []) => {
                let sides = [left, right].map(|side| i64::from_le_bytes(*side));
                Ok(Counts { sides, ..Counts::default() })
            }
            _ => Err(format!("{} bytes are no counts of a row", bytes.len())),
        }
    }

    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        self.sides.iter().for_each(|side| scratch.extend(side.to_le_bytes()));
        Ok(scratch)
    }
}

impl Operator for Counting {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.rows.load(batch.keys()?, &mut cx.state)?;
        let side = usize::from(port.0 != 0);
        for (row, slot) in slots.into_iter().enumerate() {
            let change = self.rows.change(slot);
            let counts = change.value.get_or_insert_default();
            if change.is_first {
                (counts.emitted, counts.time) = (self.kind.count(counts.sides), EventTime::MIN);
            }
            let count = &mut counts.sides[side];
            *count = count.saturating_add(i64::from(batch.ops.get(row)));
            counts.time = counts.time.max(batch.times[row]);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let touched = self.rows.touched().to_vec();
        if touched.is_empty() {
            return Ok(());
        }
        let mut changed = Vec::new();
        let (mut rows, mut signs, mut times): (Vec<u32>, Vec<i8>, Vec<EventTime>) = Default::default();
        for slot in touched {
            let value = self.rows.change(slot).value;
            let Some(counts) = value else { continue };
            let (before, after) = (counts.emitted, self.kind.count(counts.sides));
            if before != after {
                let copies = before.abs_diff(after) as usize;
                rows.extend(std::iter::repeat_n(changed.len() as u32, copies));
                signs.extend(std::iter::repeat_n(if after > before { 1 } else { -1 }, copies));
                times.extend(std::iter::repeat_n(counts.time, copies));
                changed.push(slot);
            }
            counts.emitted = after;
            if counts.sides == [0, 0] {
                *value = None;
            }
        }
        let keys = self.codec.decode(changed.iter().map(|slot| self.rows.key(*slot)))?;
        let options = RecordBatchOptions::new().with_row_count(Some(changed.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), keys, &options)?;
        cx.emit(Batch::changes(take_columns(&columns, &rows)?, times, Ops::from_signs(signs)));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.rows.delta(out)
    }

    fn evict(&mut self) {
        self.rows.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }
}
