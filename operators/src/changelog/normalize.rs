//! From an upsert stream to a changelog: finds the old row that an update or a deletion replaces.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, StreamKind};
use crate::kit::state::{KeyedState, Stored};
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::model::shown::{EachRows, pieces};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::origin::{NO_RECORD, Origins};
use crate::rows::RowCodec;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;

/// The store with the last row of every key.
const ROWS: u16 = 0;

/// Keeps the last row of every key and emits updates as the old row taken back and the new one inserted.
///
/// Input: an upsert stream, keyed by its primary key. Output: a changelog of the same columns; what does not change any
/// of them emits nothing. A row taken back has the event time it had when it came, so that it leaves the window it is
/// in; a column that windows go by has to be among the columns.
#[derive(Debug, Clone)]
pub struct Normalize {
    /// Columns of input and output.
    pub schema: SchemaRef,
    /// The key, for people.
    pub key: String,
}

impl OperatorSpec for Normalize {
    fn describe(&self) -> Description {
        Description::new("Normalize", format!("last row by {}", self.key))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let facts = vec![
            Fact::new("keeps", "the last row of a key"),
            Fact::new("columns", input.columns_at(0..self.schema.fields().len())),
        ];
        Meaning::of(facts, input.columns.clone()).keyed(input.key.clone()).by_time()
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&Normalize { schema: nameless(&self.schema), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let column = |field: &Arc<arrow::datatypes::Field>| format!("{} {}", field.name(), field.data_type());
        let columns: Vec<String> = self.schema.fields().iter().map(column).collect();
        vec![StoreSpec { name: "rows".to_owned(), schema: format!("key -> time ms, {}", columns.join(", ")) }]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Upsert] => Ok(StreamKind::Changelog),
            inputs => Err(format!("only an upsert stream can be normalized, not {inputs:?}")),
        }
    }

    fn show_state(&self, state: &mut StateScope<'_>, each: EachRows<'_>) -> Result<bool, OperatorError> {
        let codec = row_codec(&self.schema)?;
        pieces(ROWS, state, |_, values, _| {
            let rows = codec.read(values.iter().map(|value| value.get(8..).unwrap_or_default()))?;
            Ok(each(rows))
        })?;
        Ok(true)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let codec = row_codec(&self.schema)?;
        Ok(Box::new(Normalizing { codec, rows: KeyedState::new("normalize", ROWS, cx) }))
    }
}

fn row_codec(schema: &SchemaRef) -> Result<RowCodec, OperatorError> {
    RowCodec::new(Arc::clone(schema)).map_err(|data_type| OperatorError::CorruptState {
        operator: "normalize".to_owned(),
        detail: format!("rows with a column of type {data_type} can't be kept"),
    })
}

struct Normalizing {
    codec: RowCodec,
    /// The last row of every key.
    rows: KeyedState<StoredRow>,
}

/// A row with its event time in front: eight bytes, little endian.
struct StoredRow(Box<[u8]>);

impl StoredRow {
    fn time(&self) -> EventTime {
        self.0.first_chunk().map_or(EventTime::MIN, |time| EventTime::from_le_bytes(*time))
    }

    fn row(&self) -> &[u8] {
        self.0.get(8..).unwrap_or_default()
    }
}

impl Stored for StoredRow {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        match bytes.len() {
            0..8 => Err(format!("{bytes:02x?} is no row")),
            _ => Ok(StoredRow(bytes.into())),
        }
    }

    fn bytes<'a>(&'a self, _scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        Ok(&self.0)
    }
}

impl Operator for Normalizing {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.rows.load(batch.keys()?, &mut cx.state)?;
        let columns = batch.columns()?;
        let writer = self.codec.writer(columns)?;
        let mut old_rows: Vec<StoredRow> = Vec::new();
        // Which side (0: old rows, 1: the batch) and which row of it.
        let mut emitted: Vec<(usize, usize)> = Vec::new();
        let (mut signs, mut times): (Vec<i8>, Vec<EventTime>) = (Vec::new(), Vec::new());
        let mut bounds: Vec<EventTime> = Vec::new();
        let mut scratch = Vec::new();
        for (row, slot) in slots.iter().enumerate() {
            let inserts = batch.ops.get(row) == 1;
            if inserts {
                scratch.clear();
                scratch.extend(batch.times[row].to_le_bytes());
                writer.write(row, &mut scratch);
            }
            let same = match self.rows.get(*slot) {
                Some(last) => inserts && last.row() == &scratch[8..],
                None => !inserts,
            };
            if same {
                continue;
            }
            // Both rows are judged by the watermark of this moment.
            let bound = batch.watermark_before(row, cx.watermark);
            let new = inserts.then(|| StoredRow(scratch.as_slice().into()));
            if let Some(old) = std::mem::replace(self.rows.change(*slot).value, new) {
                emitted.push((0, old_rows.len()));
                signs.push(-1);
                times.push(old.time());
                bounds.push(bound);
                old_rows.push(old);
            }
            if inserts {
                emitted.push((1, row));
                signs.push(1);
                times.push(batch.times[row]);
                bounds.push(bound);
            }
        }
        let old = self.codec.read(old_rows.iter().map(StoredRow::row))?;
        let column = |index: usize| {
            interleave(&[old.column(index).as_ref(), columns.column(index).as_ref()], &emitted)
        };
        let arrays = (0..columns.num_columns()).map(column).collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(emitted.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(self.codec.schema()), arrays, &options)?;
        let any_behind = times.iter().zip(&bounds).any(|(time, bound)| time <= bound);
        let behind = any_behind.then(|| bounds.into());
        let origins = batch.origins.as_ref().and_then(|origins| origins_of(origins, &emitted));
        cx.emit(Batch { behind, origins, ..Batch::changes(rows, times, Ops::from_signs(signs)) });
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

/// The records of the rows that go on: a new row is the record it came in, an old one is none.
fn origins_of(origins: &Origins, emitted: &[(usize, usize)]) -> Option<Origins> {
    let Origins::Run { run, records } = origins else { return None };
    let record = |(side, row): &(usize, usize)| if *side == 1 { records[*row] } else { NO_RECORD };
    let records: Vec<u32> = emitted.iter().map(record).collect();
    Some(Origins::Run { run: Arc::clone(run), records: records.into() })
}
