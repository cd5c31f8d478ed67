//! Values of a group as bytes, and in what order they are kept.
//!
//! ```text
//! by value     value                 KeyCodec, which keeps the order of values; RowCodec for types without one
//! by arrival   value, number         RowCodec, and a number that grows by one with every value of the group
//! ```
//! Either way no value's bytes are the beginning of another's. A value that was taken back before it came is owed: it
//! stands under a number behind all others, with a count below zero.

use super::AggregateCall;
use super::function::ValueOrder;
use crate::OperatorError;
use crate::keys::KeyCodec;
use crate::rows::RowCodec;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use millstream_state::BytesColumn;
use std::sync::Arc;

/// The number of what is owed.
pub(super) const OWED: u64 = u64::MAX;

/// Values of one type as bytes.
#[derive(Debug)]
pub(super) enum ValueCodec {
    Key(KeyCodec),
    Row(RowCodec),
}

impl ValueCodec {
    /// For the values of a call, which has been checked.
    pub(super) fn new(call: &AggregateCall) -> Self {
        match (call.function.order(), KeyCodec::new(vec![call.argument_type.clone()])) {
            (ValueOrder::Value, Ok(codec)) => ValueCodec::Key(codec),
            _ => {
                let field = Field::new("value", call.argument_type.clone(), true);
                let codec = RowCodec::new(Arc::new(Schema::new(vec![field])));
                ValueCodec::Row(codec.expect("every type that is checked can be kept"))
            }
        }
    }

    pub(super) fn encode(&self, column: &ArrayRef) -> Result<BytesColumn, OperatorError> {
        match self {
            ValueCodec::Key(codec) => codec.encode(std::slice::from_ref(column), column.len()),
            ValueCodec::Row(codec) => {
                let rows = RecordBatch::try_new(Arc::clone(codec.schema()), vec![Arc::clone(column)])?;
                let writer = codec.writer(&rows)?;
                let mut values = BytesColumn::with_capacity(column.len(), column.len() * 16);
                for row in 0..column.len() {
                    writer.write(row, values.open_row());
                    values.seal_row();
                }
                Ok(values)
            }
        }
    }

    pub(super) fn decode<'v>(
        &self,
        values: impl Iterator<Item = &'v [u8]>,
    ) -> Result<ArrayRef, OperatorError> {
        match self {
            ValueCodec::Key(codec) => Ok(codec.decode(values)?.swap_remove(0)),
            ValueCodec::Row(codec) => Ok(Arc::clone(codec.read(values)?.column(0))),
        }
    }
}

/// A value with its number, as it is kept by arrival.
pub(super) fn numbered(value: &[u8], number: u64) -> Vec<u8> {
    [value, &number.to_be_bytes()].concat()
}

/// A value and its number.
pub(super) fn split(entry: &[u8]) -> Option<(&[u8], u64)> {
    let (value, number) = entry.split_last_chunk::<8>()?;
    Some((value, u64::from_be_bytes(*number)))
}
