//! The temporal join by the clock: `FOR SYSTEM_TIME AS OF` a column that is `PROCTIME()`.
//!
//! ```text
//!   right, key k     v1            v2     (taken back)
//!   left                a -> v1        b               c -> nothing      as they come, one after the other
//! ```
//! Each left row meets the row of its key that is there when it comes, and what becomes of that row later changes nothing
//! about it. Nothing waits, and of the right side only its last rows are kept. Which of them was read before a left row is
//! in the order of the task's input, which is recorded: run again, it is the same.

use super::describe_columns;
use super::unsupported;
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::kit::state::{KeyedState, Stored};
use crate::kit::waiting::nullable;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Lineage, Operator, OperatorSpec, Port, StoreSpec,
};
use crate::rows::RowCodec;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use std::sync::Arc;

/// The store with the rows of the right side.
const ROWS: u16 = 0;

/// Joins rows with the row of their key that is there when they come.
///
/// Port 0 (left): insertions, keyed by what is joined on. Port 1 (right): a stream of any kind in which a key has one row
/// at most, keyed by it. Output: insertions, the left columns and then the right columns; without a row the right columns
/// are null, or the left row is left out.
#[derive(Debug, Clone)]
pub struct CurrentJoin {
    /// Columns of the left side.
    pub left: SchemaRef,
    /// The columns that it is keyed by: a null in one of them meets nothing.
    pub left_keys: Vec<usize>,
    /// Columns of the right side.
    pub right: SchemaRef,
    /// What the rows of the right side mean.
    pub kind: StreamKind,
    /// Whether left rows that meet nothing are kept.
    pub keep_unmatched: bool,
    /// What the sides are joined on, for people.
    pub on: String,
}

impl CurrentJoin {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let right = nullable(&self.right);
        let fields: Vec<_> = self.left.fields().iter().chain(right.fields()).map(Arc::clone).collect();
        Arc::new(Schema::new(fields))
    }
}

impl OperatorSpec for CurrentJoin {
    fn describe(&self) -> Description {
        let kind = if self.keep_unmatched { "left" } else { "inner" };
        Description::new("CurrentJoin", format!("{kind}, as of when the left row comes, on {}", self.on))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [left, right] = inputs else { return Meaning::described(self.describe(), inputs) };
        let (on_left, on_right) = (self.left.fields().len(), self.right.fields().len());
        let facts = vec![
            Fact::new("joins", if self.keep_unmatched { "left, as it comes" } else { "inner, as it comes" }),
            Fact::new("left key", left.columns_at(self.left_keys.iter().copied())),
            Fact::new("right key", right.key.join(", ")),
            Fact::new("right columns", right.columns_at(0..on_right)),
        ];
        let mut columns = left.columns_of_side("left", on_left);
        columns.extend(right.columns_of_side("right", on_right));
        Meaning::of(facts, Columns::Known(columns))
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&CurrentJoin { left: nameless(&self.left), right: nameless(&self.right), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let schema = format!("key -> {}", describe_columns(&self.right));
        vec![StoreSpec { name: "rows".to_owned(), schema }]
    }

    /// Of each left row there comes one row at most.
    fn lineage(&self) -> Lineage {
        Lineage::Kept
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append, right] if *right == self.kind => Ok(StreamKind::Append),
            [StreamKind::Append, right] => Err(format!("a join with {} rows can't read {right}", self.kind)),
            _ => Err(
                "the left side of FOR SYSTEM_TIME AS OF can't be updated or deleted: join before the rows are \
                 aggregated, or group them by a window first"
                    .to_owned(),
            ),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Joining {
            codec: RowCodec::new(nullable(&self.right)).map_err(unsupported)?,
            rows: KeyedState::new("temporal join by the clock", ROWS, cx),
            null_row: vec![0; self.right.fields().len()],
            schema: self.schema(),
            spec: self.clone(),
        }))
    }
}

/// A row of the right side, encoded.
struct Row(Box<[u8]>);

impl Stored for Row {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        Ok(Row(bytes.into()))
    }

    fn bytes<'a>(&'a self, _scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        Ok(&self.0)
    }
}

struct Joining {
    spec: CurrentJoin,
    schema: SchemaRef,
    codec: RowCodec,
    rows: KeyedState<Row>,
    /// The row that stands for none.
    null_row: Vec<u8>,
}

impl Operator for Joining {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        match port {
            Port(1) => self.take_in(&batch, cx),
            _ => self.join(&batch, cx),
        }
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

impl Joining {
    /// Takes changes of the right side in.
    fn take_in(&mut self, batch: &Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.rows.load(batch.keys()?, &mut cx.state)?;
        let writer = self.codec.writer(batch.columns()?)?;
        let mut bytes = Vec::new();
        for (row, slot) in slots.into_iter().enumerate() {
            bytes.clear();
            writer.write(row, &mut bytes);
            let is_same = self.rows.get(slot).is_some_and(|there| *there.0 == *bytes);
            let next = match (batch.ops.get(row), self.spec.kind) {
                (1, _) if is_same => continue,
                (1, _) => Some(Row(bytes.as_slice().into())),
                // Of a deleted key only the key is known.
                (_, StreamKind::Upsert) => None,
                // What is taken back may have been replaced already.
                _ if is_same => None,
                _ => continue,
            };
            *self.rows.change(slot).value = next;
        }
        Ok(())
    }

    /// Puts left rows out with what is there.
    fn join(&mut self, batch: &Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.rows.load(batch.keys()?, &mut cx.state)?;
        // A key that has no row leaves no slot behind.
        for slot in &slots {
            if self.rows.get(*slot).is_none() {
                self.rows.change(*slot);
            }
        }
        let columns = batch.columns()?;
        let has_null = |row: usize| self.spec.left_keys.iter().any(|key| columns.column(*key).is_null(row));
        let mut rows: Vec<u32> = Vec::with_capacity(slots.len());
        let mut found: Vec<&[u8]> = Vec::with_capacity(slots.len());
        for (row, slot) in slots.into_iter().enumerate() {
            match self.rows.get(slot).filter(|_| !has_null(row)) {
                Some(there) => found.push(&there.0),
                None if self.spec.keep_unmatched => found.push(&self.null_row),
                None => continue,
            }
            rows.push(row as u32);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let left = if rows.len() == batch.len() { batch.clone() } else { batch.take(&rows)? };
        let right = self.codec.read(found)?;
        let columns: Vec<ArrayRef> =
            left.columns()?.columns().iter().chain(right.columns()).map(Arc::clone).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        cx.emit(left.with_columns(columns));
        Ok(())
    }
}
