//! Groups as rows, for people: what each has come to, with windows that are still open by their panes.

use super::groups::{GROUPS, GroupTable, finish_all, result_builders};
use super::updating::{Aggregate, key_codec, new_groups};
use super::windowed::{WindowAggregate, decode_end};
use crate::OperatorError;
use crate::model::shown::{EachRows, pieces};
use crate::operator::StateScope;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The groups of an aggregation: their keys, and one column for each call.
pub(super) fn groups(
    spec: &Aggregate,
    state: &mut StateScope<'_>,
    each: EachRows<'_>,
) -> Result<(), OperatorError> {
    let codec = key_codec(&spec.keys)?;
    pieces(GROUPS, state, |keys, _, state| {
        let mut groups = new_groups(&spec.calls, spec.input, 0);
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        groups.intern(keys, &mut slots, &mut new);
        groups.load_all(&new, state)?;
        let mut results = result_builders(&spec.calls);
        slots.iter().try_for_each(|slot| groups.append_results(*slot, &mut results))?;
        let mut columns = codec.decode(keys.iter())?;
        columns.extend(finish_all(&mut results));
        Ok(each(rows(spec.schema(), columns, slots.len())?))
    })
}

/// The panes of windows that are still open: the end of each, keys, and one column for each call.
pub(super) fn panes(
    spec: &WindowAggregate,
    state: &mut StateScope<'_>,
    each: EachRows<'_>,
) -> Result<(), OperatorError> {
    let codec = key_codec(&spec.keys)?;
    let schema = pane_schema(spec);
    pieces(GROUPS, state, |keys, values, state| {
        let mut results = result_builders(&spec.calls);
        let mut ends = Vec::new();
        for (key, value) in keys.iter().zip(values.iter()) {
            let (end, own) = key.split_first_chunk::<8>().ok_or_else(|| OperatorError::CorruptState {
                operator: "aggregate".to_owned(),
                detail: format!("{key:02x?} is no key of a pane"),
            })?;
            // A key is in many panes, and in one table once.
            let mut one = GroupTable::new(&spec.calls, spec.input, 0);
            let (slot, _) = one.intern_one(own);
            one.load(slot, key, value, state)?;
            one.append_results(slot, &mut results)?;
            ends.push(decode_end(*end));
        }
        let count = ends.len();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(TimestampMillisecondArray::from(ends))];
        columns.extend(codec.decode(keys.iter().map(|key| key.get(8..).unwrap_or_default()))?);
        columns.extend(finish_all(&mut results));
        Ok(each(rows(Arc::clone(&schema), columns, count)?))
    })
}

fn pane_schema(spec: &WindowAggregate) -> SchemaRef {
    let end = Field::new("pane_end", DataType::Timestamp(TimeUnit::Millisecond, None), false);
    let keys = spec.keys.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true));
    let calls = spec.calls.iter().map(|call| Field::new(&call.name, call.data_type(), true));
    Arc::new(Schema::new([end].into_iter().chain(keys).chain(calls).collect::<Vec<_>>()))
}

fn rows(schema: SchemaRef, columns: Vec<ArrayRef>, count: usize) -> Result<RecordBatch, OperatorError> {
    debug_assert!(columns.iter().all(|column| column.len() == count), "columns are of the same rows");
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
