//! Rows that wait for the watermark, in a store of their operator.
//!
//! Rows stay in the batches they came in, with an order by time beside each; rows that a restore left in the store are
//! read from there when their time comes. Stored key: time, then sequence number, big endian, so that the store is in
//! the order in which rows leave.

use super::sequence;
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::operator::StateScope;
use crate::rows::{RowCodec, read_length, write_length};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::{Schema, SchemaRef};
use millstream_state::{BytesColumn, DeltaBlock};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The key of the next sequence number: no row has it, since a row's key is longer.
const NEXT_SEQUENCE: &[u8] = b"next";

pub(crate) struct Waiting {
    /// The operator, for people.
    operator: &'static str,
    store: u16,
    codec: RowCodec,
    batches: VecDeque<WaitingBatch>,
    /// The least time of a row in the batches.
    earliest: EventTime,
    next_sequence: u64,
    /// Rows from this number on are in a batch, those before it only in the store.
    hot_from: u64,
    sequence_changed: bool,
    /// The earliest time of rows that only the store has.
    stored_from: Option<EventTime>,
    /// Rows that left and are in the store.
    left: Vec<(EventTime, u64)>,
}

struct WaitingBatch {
    batch: Batch,
    first_sequence: u64,
    /// Rows by time, those of one time in the order they came.
    order: Vec<u32>,
    /// How many of them have left.
    gone: usize,
    /// Whether the rest is in the store.
    stored: bool,
}

/// Rows that leave, in order.
pub(crate) struct Ready {
    pub(crate) columns: RecordBatch,
    pub(crate) keys: BytesColumn,
    pub(crate) times: Vec<EventTime>,
    /// The watermark before each row came, when some row was not ahead of it.
    pub(crate) behind: Option<Vec<EventTime>>,
}

/// Where a row that leaves is: in which source and at which row of it.
struct Leaving {
    time: EventTime,
    sequence: u64,
    place: (usize, usize),
}

impl Waiting {
    /// Rows of these columns, in this store.
    pub(crate) fn new(operator: &'static str, store: u16, schema: &Schema) -> Result<Self, OperatorError> {
        let codec = RowCodec::new(nullable(schema)).map_err(|data_type| {
            corrupt(operator, format!("rows with a column of type {data_type} can't be kept"))
        })?;
        Ok(Waiting {
            operator,
            store,
            codec,
            batches: VecDeque::new(),
            earliest: EventTime::MAX,
            next_sequence: 0,
            hot_from: 0,
            sequence_changed: false,
            stored_from: None,
            left: Vec::new(),
        })
    }

    /// Takes rows in, keyed.
    pub(crate) fn add(&mut self, batch: Batch) -> Result<(), OperatorError> {
        batch.columns()?;
        batch.keys()?;
        let mut order: Vec<u32> = (0..batch.len() as u32).collect();
        order.sort_by_key(|row| batch.times[*row as usize]);
        if let Some(first) = order.first() {
            self.earliest = self.earliest.min(batch.times[*first as usize]);
        }
        let first_sequence = self.next_sequence;
        self.next_sequence += batch.len() as u64;
        self.sequence_changed = true;
        let batch = batch.without_origins();
        self.batches.push_back(WaitingBatch { batch, first_sequence, order, gone: 0, stored: false });
        Ok(())
    }

    /// Takes the rows up to and including `watermark` out; `None` when there are none.
    pub(crate) fn take_until(
        &mut self,
        watermark: EventTime,
        state: &mut StateScope<'_>,
    ) -> Result<Option<Ready>, OperatorError> {
        let stored_leave = self.stored_from.is_some_and(|from| from <= watermark);
        if watermark < self.earliest && !stored_leave {
            return Ok(None);
        }
        let mut leaving = Vec::new();
        // The batches that rows leave from.
        let mut sources: Vec<usize> = Vec::new();
        self.earliest = EventTime::MAX;
        for (index, waiting) in self.batches.iter_mut().enumerate() {
            while let Some(row) = waiting.order.get(waiting.gone) {
                let time = waiting.batch.times[*row as usize];
                if time > watermark {
                    self.earliest = self.earliest.min(time);
                    break;
                }
                if sources.last() != Some(&index) {
                    sources.push(index);
                }
                let sequence = waiting.first_sequence + u64::from(*row);
                leaving.push(Leaving { time, sequence, place: (sources.len() - 1, *row as usize) });
                if waiting.stored {
                    self.left.push((time, sequence));
                }
                waiting.gone += 1;
            }
        }
        let stored = self.read_stored(watermark, sources.len(), state, &mut leaving)?;
        if leaving.is_empty() {
            return Ok(None);
        }
        leaving.sort_by_key(|row| (row.time, row.sequence));
        let ready = self.gather(&leaving, &sources, stored.as_ref())?;
        self.batches.retain(|waiting| waiting.gone < waiting.order.len());
        Ok(Some(ready))
    }

    /// Reads the rows up to `watermark` that only the store has, as one more source behind the batches.
    fn read_stored(
        &mut self,
        watermark: EventTime,
        source: usize,
        state: &mut StateScope<'_>,
        leaving: &mut Vec<Leaving>,
    ) -> Result<Option<(RecordBatch, BytesColumn)>, OperatorError> {
        let Some(from) = self.stored_from.filter(|from| *from <= watermark) else { return Ok(None) };
        let (mut rows, mut keys) = (BytesColumn::default(), BytesColumn::default());
        let mut bad = false;
        let mut next = None;
        state.scan(self.store, &stored_key(from, 0), None, |key, value| {
            let (Some((time, sequence)), Some((join_key, row))) = (decode_key(key), split_value(value))
            else {
                bad |= key != NEXT_SEQUENCE;
                return ControlFlow::Continue(());
            };
            // What came since the restore is in a batch as well.
            if sequence >= self.hot_from {
                return ControlFlow::Continue(());
            }
            if time > watermark {
                next = Some(time);
                return ControlFlow::Break(());
            }
            leaving.push(Leaving { time, sequence, place: (source, rows.len()) });
            self.left.push((time, sequence));
            rows.push(row);
            keys.push(join_key);
            ControlFlow::Continue(())
        })?;
        if bad {
            return Err(corrupt(self.operator, "a waiting row can't be read".to_owned()));
        }
        self.stored_from = next;
        Ok(Some((self.codec.read(rows.iter())?, keys)))
    }

    fn gather(
        &self,
        leaving: &[Leaving],
        batches: &[usize],
        stored: Option<&(RecordBatch, BytesColumn)>,
    ) -> Result<Ready, OperatorError> {
        let mut sources: Vec<&RecordBatch> = Vec::with_capacity(batches.len() + 1);
        let mut source_keys: Vec<&BytesColumn> = Vec::with_capacity(batches.len() + 1);
        let mut bounds: Vec<Option<&[EventTime]>> = Vec::with_capacity(batches.len() + 1);
        for index in batches {
            let batch = &self.batches[*index].batch;
            sources.push(batch.columns()?);
            source_keys.push(batch.keys()?);
            bounds.push(batch.behind.as_deref());
        }
        if let Some((rows, keys)) = stored {
            sources.push(rows);
            source_keys.push(keys);
            // A row that was not ahead of the watermark does not wait for a commit.
            bounds.push(None);
        }
        let bound = |row: &Leaving| bounds[row.place.0].map_or(EventTime::MIN, |bounds| bounds[row.place.1]);
        let any_behind = leaving.iter().any(|row| row.time <= bound(row));
        let places: Vec<(usize, usize)> = leaving.iter().map(|row| row.place).collect();
        let column = |index: usize| -> Result<ArrayRef, OperatorError> {
            let arrays: Vec<&dyn arrow::array::Array> =
                sources.iter().map(|source| source.column(index).as_ref()).collect();
            Ok(interleave(&arrays, &places)?)
        };
        let schema = self.codec.schema();
        let columns = (0..schema.fields().len()).map(column).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(leaving.len()));
        Ok(Ready {
            columns: RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?,
            keys: places.iter().map(|(source, row)| source_keys[*source].get(*row)).collect(),
            times: leaving.iter().map(|row| row.time).collect(),
            behind: any_behind.then(|| leaving.iter().map(bound).collect()),
        })
    }

    /// Writes rows that came and still wait, and takes away those that left.
    pub(crate) fn delta(&mut self, block: &mut DeltaBlock) -> Result<(), OperatorError> {
        let mut value = Vec::new();
        for waiting in self.batches.iter_mut().filter(|waiting| !waiting.stored) {
            let writer = self.codec.writer(waiting.batch.columns()?)?;
            let keys = waiting.batch.keys()?;
            for row in &waiting.order[waiting.gone..] {
                let at = *row as usize;
                value.clear();
                write_length(keys.get(at).len(), &mut value);
                value.extend(keys.get(at));
                writer.write(at, &mut value);
                let sequence = waiting.first_sequence + u64::from(*row);
                block.put(&stored_key(waiting.batch.times[at], sequence), &value);
            }
            waiting.stored = true;
        }
        // Rows leave from several sources; what a restore has changed about that must not show.
        self.left.sort_unstable();
        for (time, sequence) in self.left.drain(..) {
            block.delete(&stored_key(time, sequence));
        }
        if std::mem::take(&mut self.sequence_changed) {
            block.put(NEXT_SEQUENCE, &self.next_sequence.to_le_bytes());
        }
        Ok(())
    }

    pub(crate) fn restore(&mut self, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.next_sequence = sequence::next(self.operator, self.store, NEXT_SEQUENCE, state)?;
        self.hot_from = self.next_sequence;
        self.stored_from = None;
        state.scan(self.store, &[], None, |key, _| {
            let Some((time, _)) = decode_key(key) else { return ControlFlow::Continue(()) };
            self.stored_from = Some(time);
            ControlFlow::Break(())
        })?;
        Ok(())
    }

    pub(crate) fn evict(&mut self) {
        self.batches.clear();
        self.earliest = EventTime::MAX;
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let batch = |waiting: &WaitingBatch| {
            let columns = waiting.batch.columns().map_or(0, RecordBatch::get_array_memory_size);
            columns + waiting.order.capacity() * 4
        };
        self.batches.iter().map(batch).sum()
    }
}

/// The schema with every column nullable, as rows are stored.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Arc::new(field.as_ref().clone().with_nullable(true)));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn corrupt(operator: &str, detail: String) -> OperatorError {
    OperatorError::CorruptState { operator: operator.to_owned(), detail }
}

fn stored_key(time: EventTime, sequence: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&(time ^ EventTime::MIN).to_be_bytes());
    key[8..].copy_from_slice(&sequence.to_be_bytes());
    key
}

fn decode_key(key: &[u8]) -> Option<(EventTime, u64)> {
    let (time, sequence) = key.split_first_chunk::<8>()?;
    let time = EventTime::from_be_bytes(*time) ^ EventTime::MIN;
    Some((time, u64::from_be_bytes(sequence.try_into().ok()?)))
}

fn split_value(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = value;
    let length = read_length(&mut rest)?;
    rest.split_at_checked(length)
}
