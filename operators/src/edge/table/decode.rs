//! The running decoder of a table.

use super::{ColumnFrom, TableColumn, TableDecoderSpec};
use crate::OperatorError;
use crate::batch::{Ops, Payload, StreamKind};
use crate::expression::{ExpressionCx, Failure, evaluate_or_blame};
use crate::formats::{BadPayload, FormatDecoder, Outcome};
use crate::records::{Record, Records, TopicPartition};
use crate::source::{BadRecord, DecodeCx, Decoded, Decoder};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute;
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decodes runs of records into rows of a table.
pub(super) struct TableDecoder {
    spec: TableDecoderSpec,
    value: FormatDecoder,
    key: Option<FormatDecoder>,
    /// A field of the key that can't be null, if there is one.
    key_not_null: Option<String>,
    /// Schemas of the columns before each computed one.
    before: Vec<SchemaRef>,
}

/// What became of a record.
enum Taken {
    /// A row: `1`, or `-1` for a deletion.
    Row(i8),
    /// Nothing.
    Skipped,
}

/// The rows of a run as they are put together.
struct Rows {
    /// By row: the index of its record.
    records: Vec<u32>,
    /// By row in an upsert table: `1`, or `-1` for a deletion.
    signs: Vec<i8>,
    /// Rows that have turned out to be bad: field and detail.
    bad: BTreeMap<usize, (String, String)>,
}

impl Rows {
    fn is_deletion(&self, row: usize) -> bool {
        self.signs.get(row) == Some(&-1)
    }

    /// Notes that a row is bad; the first reason stays. A deletion never is: what is missing of it is not needed.
    fn blame(&mut self, row: usize, field: &Field, detail: String) {
        if !self.is_deletion(row) {
            self.bad.entry(row).or_insert_with(|| (field.name().clone(), detail));
        }
    }
}

impl TableDecoder {
    pub(super) fn new(spec: TableDecoderSpec, value: FormatDecoder, key: Option<FormatDecoder>) -> Self {
        let is_key = |from: &ColumnFrom| matches!(from, ColumnFrom::Key(_));
        let key_not_null =
            spec.columns.iter().find(|column| is_key(&column.from) && !column.field.is_nullable());
        let key_not_null = key_not_null.map(|column| column.field.name().clone());
        // A deletion leaves columns null that may not be, and so does an expression that failed.
        let upsert = spec.kind == StreamKind::Upsert;
        let nullable = |from: &ColumnFrom| upsert || matches!(from, ColumnFrom::Computed(_));
        let field = |column: &TableColumn| {
            column.field.clone().with_nullable(nullable(&column.from) || column.field.is_nullable())
        };
        let fields: Vec<Field> = spec.columns.iter().map(field).collect();
        let before = (0..fields.len()).map(|count| Arc::new(Schema::new(fields[..count].to_vec()))).collect();
        TableDecoder { spec, value, key, key_not_null, before }
    }

    /// Appends the row of a record to the columns of value and key.
    #[inline]
    fn take(&mut self, record: &Record<'_>) -> Result<Taken, BadPayload> {
        match self.spec.kind {
            StreamKind::Upsert => self.take_upsert(record),
            _ => self.take_insertion(record),
        }
    }

    #[inline]
    fn take_insertion(&mut self, record: &Record<'_>) -> Result<Taken, BadPayload> {
        if self.value.decode(record.value)? == Outcome::Nothing {
            return Ok(Taken::Skipped);
        }
        if let Some(key) = &mut self.key {
            match key.decode(record.key) {
                Ok(Outcome::Row) => {}
                Ok(Outcome::Nothing) if self.key_not_null.is_none() => key.append_null_row(),
                Ok(Outcome::Nothing) => {
                    self.value.truncate(key.rows());
                    let detail = "the record has no key, but the field is declared NOT NULL".to_owned();
                    return Err(BadPayload { field: self.key_not_null.clone(), detail });
                }
                Err(bad) => {
                    self.value.truncate(key.rows());
                    return Err(of_key(bad));
                }
            }
        }
        Ok(Taken::Row(1))
    }

    fn take_upsert(&mut self, record: &Record<'_>) -> Result<Taken, BadPayload> {
        let rows = self.value.rows();
        if record.key.is_none() {
            let detail = "the record has no key, so it is not known which row it is".to_owned();
            return Err(BadPayload { field: None, detail });
        }
        let sign = match record.value {
            Some(_) => match self.value.decode(record.value)? {
                Outcome::Row => 1,
                Outcome::Nothing => return Ok(Taken::Skipped),
            },
            None => {
                self.value.append_null_row();
                -1
            }
        };
        let outcome = self.key.as_mut().map_or(Ok(Outcome::Row), |key| key.decode(record.key));
        match outcome {
            Ok(Outcome::Row) => Ok(Taken::Row(sign)),
            Ok(Outcome::Nothing) => {
                self.value.truncate(rows);
                Ok(Taken::Skipped)
            }
            Err(bad) => {
                self.value.truncate(rows);
                Err(of_key(bad))
            }
        }
    }

    /// All columns of the table, computed ones included.
    fn columns(
        &mut self,
        place: &TopicPartition,
        records: &Records,
        rows: &mut Rows,
        cx: &ExpressionCx,
    ) -> Result<Vec<ArrayRef>, OperatorError> {
        let mut values = self.value.finish().into_iter();
        let mut keys = self.key.as_mut().map(FormatDecoder::finish).unwrap_or_default().into_iter();
        let count = RecordBatchOptions::new().with_row_count(Some(rows.records.len()));
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.spec.columns.len());
        for (column, before) in self.spec.columns.iter().zip(&self.before) {
            let array = match &column.from {
                ColumnFrom::Value(_) => values.next().expect("a column for every field that is needed"),
                ColumnFrom::Key(_) => keys.next().expect("a column for every field that is needed"),
                ColumnFrom::Metadata(metadata) => {
                    metadata.column(place, records, &rows.records, column.field.data_type())
                }
                ColumnFrom::Computed(expression) => {
                    let known =
                        RecordBatch::try_new_with_options(Arc::clone(before), arrays.clone(), &count)?;
                    let mut blame = |row, Failure { what, detail }: Failure| {
                        rows.blame(row, &column.field, format!("{what}: {detail}"));
                    };
                    let array = evaluate_or_blame(&**expression, &known, cx, &mut blame)?;
                    if !column.field.is_nullable() && array.null_count() > 0 {
                        for row in (0..array.len()).filter(|row| array.is_null(*row)) {
                            let detail = "null, but the field is declared NOT NULL".to_owned();
                            rows.blame(row, &column.field, detail);
                        }
                    }
                    array
                }
            };
            arrays.push(array);
        }
        Ok(arrays)
    }

    /// The event time of every row.
    fn times(
        &self,
        arrays: &[ArrayRef],
        records: &Records,
        rows: &mut Rows,
    ) -> Result<Vec<i64>, OperatorError> {
        let timestamp = |row: u32| records.get(row as usize).timestamp_ms;
        let Some(index) = self.spec.event_time else {
            return Ok(rows.records.iter().map(|row| timestamp(*row)).collect());
        };
        let array = &arrays[index];
        let mut times = times_ms(array)?;
        for row in (0..times.len()).filter(|row| array.is_null(*row)) {
            // A deletion has no event time of its own; it happened when it was written.
            times[row] = timestamp(rows.records[row]);
            rows.blame(row, &self.spec.columns[index].field, "the event time is null".to_owned());
        }
        Ok(times)
    }
}

impl Decoder for TableDecoder {
    fn decode(
        &mut self,
        place: &TopicPartition,
        records: &Records,
        cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        let upsert = self.spec.kind == StreamKind::Upsert;
        let mut rows = Rows {
            records: Vec::with_capacity(records.len()),
            signs: Vec::with_capacity(if upsert { records.len() } else { 0 }),
            bad: BTreeMap::new(),
        };
        let (mut bad, mut skipped) = (Vec::new(), 0);
        self.value.reserve(records.len());
        self.key.iter_mut().for_each(|key| key.reserve(records.len()));
        for (index, record) in records.iter().enumerate() {
            match self.take(&record) {
                Ok(Taken::Row(sign)) => {
                    rows.records.push(index as u32);
                    if upsert {
                        rows.signs.push(sign);
                    }
                }
                Ok(Taken::Skipped) => skipped += 1,
                Err(BadPayload { field, detail }) => bad.push(BadRecord { index, field, detail }),
            }
        }

        let arrays = self.columns(place, records, &mut rows, &ExpressionCx { now_ms: cx.now_ms })?;
        let mut times = self.times(&arrays, records, &mut rows)?;
        let mut output: Vec<ArrayRef> =
            self.spec.output.iter().map(|index| Arc::clone(&arrays[*index])).collect();
        let Rows { records: mut indices, mut signs, bad: bad_rows } = rows;
        if !bad_rows.is_empty() {
            let kept: Vec<bool> = (0..indices.len()).map(|row| !bad_rows.contains_key(&row)).collect();
            retain(&mut times, &kept);
            retain(&mut signs, &kept);
            let bad_indices: Vec<u32> = bad_rows.keys().map(|row| indices[*row]).collect();
            retain(&mut indices, &kept);
            let mask = BooleanArray::from(kept);
            for array in &mut output {
                *array = compute::filter(array, &mask)?;
            }
            let bad_rows = bad_rows.into_values().zip(bad_indices);
            bad.extend(bad_rows.map(|((field, detail), index)| BadRecord {
                index: index as usize,
                field: Some(field),
                detail,
            }));
            bad.sort_by_key(|bad| bad.index);
        }
        let count = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.schema), output, &count)?;
        let ops = if upsert { Ops::from_signs(signs) } else { Ops::Append };
        Ok(Decoded { rows: Payload::Columns(rows), times: times.into(), ops, records: indices, bad, skipped })
    }
}

/// A bad key, said so.
fn of_key(bad: BadPayload) -> BadPayload {
    BadPayload { detail: format!("in the key: {}", bad.detail), ..bad }
}

fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| *kept.next().expect("a flag for every row"));
}

/// The values of a timestamp column in milliseconds, rounded down.
fn times_ms(array: &ArrayRef) -> Result<Vec<i64>, OperatorError> {
    Ok(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let seconds = array.as_primitive::<dt::TimestampSecondType>().values();
            seconds.iter().map(|time| time.saturating_mul(1_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<dt::TimestampMillisecondType>().values().to_vec()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = array.as_primitive::<dt::TimestampMicrosecondType>().values();
            micros.iter().map(|time| time.div_euclid(1_000)).collect()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let nanos = array.as_primitive::<dt::TimestampNanosecondType>().values();
            nanos.iter().map(|time| time.div_euclid(1_000_000)).collect()
        }
        _ => return Err(OperatorError::Mismatch { expected: "an event time", found: "another column" }),
    })
}
