//! How rows are ranked and kept: their order as bytes, themselves as bytes, and back.

use super::partition::{Ranked, StoredRow};
use super::{TopN, corrupt};
use crate::OperatorError;
use crate::batch::{Batch, EventTime};
use crate::keys::{EncodedOrder, OrderCodec};
use crate::rows::{RowCodec, RowWriter};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;

/// What a [`TopN`] needs to keep rows and to put them out.
pub(super) struct Ranker {
    codec: RowCodec,
    order: OrderCodec,
    schema: SchemaRef,
    with_rank: bool,
}

/// The rows of a batch.
pub(super) struct Rows<'b> {
    batch: &'b Batch,
    writer: RowWriter<'b>,
    order: EncodedOrder,
}

impl Ranker {
    pub(super) fn new(top: &TopN) -> Result<Self, OperatorError> {
        let codec = RowCodec::new(Arc::clone(&top.input))
            .map_err(|data_type| corrupt(format!("rows with a column of type {data_type} can't be kept")))?;
        let order = OrderCodec::new(&top.order)
            .map_err(|data_type| corrupt(format!("rows can't be ordered by a column of type {data_type}")))?;
        Ok(Ranker { codec, order, schema: top.schema(), with_rank: top.rank.is_some() })
    }

    pub(super) fn rows<'b>(&self, batch: &'b Batch) -> Result<Rows<'b>, OperatorError> {
        let columns = batch.columns()?;
        Ok(Rows { batch, writer: self.codec.writer(columns)?, order: self.order.encode(columns)? })
    }

    /// Ranked rows and their event times.
    pub(super) fn read(&self, ranked: &[Ranked]) -> Result<(RecordBatch, Vec<EventTime>), OperatorError> {
        let mut times = Vec::with_capacity(ranked.len());
        let mut bytes: Vec<&StoredRow> = Vec::with_capacity(ranked.len());
        for (_, row) in ranked {
            let (time, row) =
                row.split_first_chunk().ok_or_else(|| corrupt(format!("{row:02x?} is no row")))?;
            times.push(EventTime::from_le_bytes(*time));
            bytes.push(row);
        }
        let rows = self.codec.read(bytes)?;
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        if self.with_rank {
            columns.push(Arc::new(Int64Array::from_iter_values(ranked.iter().map(|(rank, _)| *rank as i64))));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(ranked.len()));
        Ok((RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?, times))
    }
}

impl Rows<'_> {
    /// The order of a row, in the place of what is in `out`.
    pub(super) fn order(&self, row: usize, out: &mut Vec<u8>) {
        out.clear();
        self.order.write(row, out);
    }

    /// The event time and the row, in the place of what is in `out`.
    pub(super) fn bytes(&self, row: usize, out: &mut Vec<u8>) {
        out.clear();
        out.extend(self.batch.times[row].to_le_bytes());
        self.writer.write(row, out);
    }
}
