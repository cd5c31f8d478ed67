//! The records that rows are, at hand as values.

use super::Row;
use super::chain::{Rows, Steps};
use crate::OperatorError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The record that a row is, as a value that goes wherever the row goes: see [`super::Stream::with_record`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordOf {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its headers, in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Puts its record beside each row.
pub(super) fn with_records<T: Row>(before: Steps<T>) -> Steps<(T, RecordOf)> {
    Arc::new(move |batch| {
        let origins = batch.origins.clone();
        let Rows { values, from } = before(batch)?;
        let mut paired = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let row = from.as_ref().map_or(index, |from| from[index] as usize);
            let missing = OperatorError::Mismatch { expected: "rows that are records", found: "others" };
            let (run, record) = origins.as_ref().and_then(|origins| origins.record(row)).ok_or(missing)?;
            let header = |(name, value): (&str, Option<&[u8]>)| (name.to_owned(), value.map(<[u8]>::to_vec));
            paired.push((
                value,
                RecordOf {
                    topic: run.place.topic.to_string(),
                    partition: run.place.partition,
                    offset: record.offset,
                    timestamp_ms: record.timestamp_ms,
                    headers: record.headers.iter().map(header).collect(),
                },
            ));
        }
        Ok(Rows { values: paired, from })
    })
}
