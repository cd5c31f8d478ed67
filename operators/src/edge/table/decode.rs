//! The running decoder of a table.

use super::{ColumnFrom, Decoders, TableColumn, TableDecoderSpec};
use crate::OperatorError;
use crate::batch::{Ops, Payload, StreamKind};
use crate::expression::{ExpressionCx, Failure, evaluate_or_blame};
use crate::feed::NO_TIMESTAMP;
use crate::formats::{self, Absent, BadPayload, Run};
use crate::records::{Records, TopicPartition};
use crate::source::{BadRecord, DecodeCx, Decoded, Decoder};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute;
use arrow::datatypes as dt;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Decodes runs of records into rows of a table.
pub(super) struct TableDecoder {
    spec: TableDecoderSpec,
    value: Box<dyn formats::Decoder>,
    key: Option<Box<dyn formats::Decoder>>,
    /// A field of the key that can't be null, if there is one.
    key_not_null: Option<String>,
    /// Schemas of the columns before each computed one.
    before: Vec<SchemaRef>,
}

/// The rows of a run as they are put together.
struct Rows {
    /// By row: the index of its record.
    records: Vec<u32>,
    /// By row: `1`, or `-1` for one that is taken back. Empty while there is none of those.
    signs: Vec<i8>,
    /// Whether a row that is taken back has all its columns, and may be bad.
    blames_deletions: bool,
    /// Rows that have turned out to be bad: field and detail.
    blamed: BTreeMap<usize, (String, String)>,
    /// Records that have.
    bad: Vec<BadRecord>,
    /// Number of records of which no row came, and that are not bad.
    skipped: u64,
}

impl Rows {
    fn is_deletion(&self, row: usize) -> bool {
        self.signs.get(row) == Some(&-1)
    }

    /// Notes that a row is bad; the first reason stays. A deletion of a row that its key names never is: what is missing of
    /// it is not needed.
    fn blame(&mut self, row: usize, field: &Field, detail: String) {
        if self.blames_deletions || !self.is_deletion(row) {
            self.blamed.entry(row).or_insert_with(|| (field.name().clone(), detail));
        }
    }

    /// Which rows are of records none of whose rows was blamed, once those records are noted as bad.
    fn settle(&mut self) -> Vec<bool> {
        let mut found: BTreeMap<u32, BadRecord> = BTreeMap::new();
        for (row, (field, detail)) in std::mem::take(&mut self.blamed) {
            let index = self.records[row];
            let bad = BadRecord { index: index as usize, field: Some(field), detail };
            found.entry(index).or_insert(bad);
        }
        let kept = self.records.iter().map(|index| !found.contains_key(index)).collect();
        self.bad.extend(found.into_values());
        kept
    }

    fn retain(&mut self, kept: &[bool]) {
        retain(&mut self.records, kept);
        if !self.signs.is_empty() {
            retain(&mut self.signs, kept);
        }
    }
}

impl TableDecoder {
    pub(super) fn new(spec: TableDecoderSpec, (value, key): Decoders) -> Self {
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

    /// The rows of a run, in the columns of value and key.
    fn rows(&mut self, records: &Records) -> Rows {
        // Of a record without a key it is not known which row of an upsert table it is.
        let upserts = self.spec.kind == StreamKind::Upsert;
        let keyed: Vec<u32> = match upserts {
            true => indices(records).filter(|index| records.get(*index as usize).key.is_some()).collect(),
            false => Vec::new(),
        };
        let some = upserts && keyed.len() < records.len();
        let payloads: Vec<Option<&[u8]>> = match some {
            true => keyed.iter().map(|index| records.get(*index as usize).value).collect(),
            false => records.iter().map(|record| record.value).collect(),
        };
        let mut run = Run::default();
        let absent = if upserts { Absent::Deletion } else { Absent::AsItIs };
        self.value.decode_run(&payloads, absent, &mut run);
        let Run { payloads: mut of, signs, nothing, bad } = run;
        let mut bad: Vec<BadRecord> = bad.into_iter().map(|(index, bad)| bad_record(index, bad)).collect();
        if some {
            of.iter_mut().for_each(|index| *index = keyed[*index as usize]);
            bad.iter_mut().for_each(|bad| bad.index = keyed[bad.index] as usize);
            let keyless = indices(records).filter(|index| keyed.binary_search(index).is_err());
            bad.extend(keyless.map(|index| BadRecord {
                index: index as usize,
                field: None,
                detail: "the record has no key, so it is not known which row it is".to_owned(),
            }));
        }
        Rows {
            records: of,
            signs,
            blames_deletions: !upserts,
            blamed: BTreeMap::new(),
            bad,
            skipped: nothing,
        }
    }

    /// Appends the keys of the rows, and gives the rows that are none because of their keys.
    fn take_keys(&mut self, records: &Records, rows: &mut Rows) -> BTreeSet<usize> {
        let Some(key) = &mut self.key else { return BTreeSet::new() };
        let keys: Vec<Option<&[u8]>> =
            rows.records.iter().map(|index| records.get(*index as usize).key).collect();
        let mut none = BTreeSet::new();
        for (row, why) in key.decode_each(&keys) {
            let (row, index) = (row as usize, rows.records[row as usize]);
            match (why, &self.key_not_null) {
                (Some(bad), _) => {
                    rows.bad.push(bad_record(
                        index,
                        BadPayload { detail: format!("in the key: {}", bad.detail), ..bad },
                    ));
                }
                (None, _) if self.spec.kind == StreamKind::Upsert => rows.skipped += 1,
                (None, None) => continue,
                (None, field) => {
                    let detail = "the record has no key, but the field is declared NOT NULL".to_owned();
                    rows.bad.push(bad_record(index, BadPayload { field: field.clone(), detail }));
                }
            }
            none.insert(row);
        }
        none
    }

    /// The columns of value and key, of the rows that there are.
    fn finish(
        &mut self,
        records: &Records,
        rows: &mut Rows,
    ) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>), OperatorError> {
        let none = self.take_keys(records, rows);
        let values = self.value.finish();
        let keys = self.key.as_mut().map(|key| key.finish()).unwrap_or_default();
        if none.is_empty() {
            return Ok((values, keys));
        }
        let kept: Vec<bool> = (0..rows.records.len()).map(|row| !none.contains(&row)).collect();
        rows.retain(&kept);
        let mask = BooleanArray::from(kept);
        let filtered = |arrays: Vec<ArrayRef>| {
            arrays.iter().map(|array| compute::filter(array, &mask)).collect::<Result<Vec<_>, _>>()
        };
        Ok((filtered(values)?, filtered(keys)?))
    }

    /// All columns of the table, computed ones included.
    fn columns(
        &mut self,
        place: &TopicPartition,
        records: &Records,
        rows: &mut Rows,
        cx: &ExpressionCx,
    ) -> Result<Vec<ArrayRef>, OperatorError> {
        let (values, keys) = self.finish(records, rows)?;
        let (mut values, mut keys) = (values.into_iter(), keys.into_iter());
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
        now_ms: i64,
    ) -> Result<Vec<i64>, OperatorError> {
        // A record that says nothing of when it was written is one of now.
        let timestamp = |row: u32| match records.get(row as usize).timestamp_ms {
            NO_TIMESTAMP => now_ms,
            timestamp => timestamp,
        };
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
        self.value.begin(cx.now_ms);
        let mut rows = self.rows(records);
        let arrays = self.columns(place, records, &mut rows, &ExpressionCx { now_ms: cx.now_ms })?;
        let mut times = self.times(&arrays, records, &mut rows, cx.now_ms)?;
        let mut output: Vec<ArrayRef> =
            self.spec.output.iter().map(|index| Arc::clone(&arrays[*index])).collect();
        if !rows.blamed.is_empty() {
            let kept = rows.settle();
            retain(&mut times, &kept);
            rows.retain(&kept);
            let mask = BooleanArray::from(kept);
            for array in &mut output {
                *array = compute::filter(array, &mask)?;
            }
        }
        let Rows { records, signs, mut bad, skipped, .. } = rows;
        bad.sort_by_key(|bad| bad.index);
        bad.dedup_by_key(|bad| bad.index);
        let count = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.schema), output, &count)?;
        let (ops, rows) = (Ops::from_signs(signs), Payload::Columns(rows));
        Ok(Decoded { rows, times: times.into(), ops, records, bad, skipped, watermark: None })
    }
}

fn indices(records: &Records) -> std::ops::Range<u32> {
    0..records.len() as u32
}

fn bad_record(index: u32, bad: BadPayload) -> BadRecord {
    BadRecord { index: index as usize, field: bad.field, detail: bad.detail }
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
