//! Typed rows on the wire between two tasks: MessagePack with field names, so that a struct may gain fields.

use crate::OperatorError;
use crate::batch::{Batch, Payload};
use crate::exchange::PayloadCodec;
use crate::kit::state::Stored;
use std::marker::PhantomData;

/// Writes rows of `T` into blocks and reads them back.
pub(crate) struct RowsCodec<T>(PhantomData<fn() -> T>);

impl<T> RowsCodec<T> {
    pub(crate) fn new() -> Self {
        RowsCodec(PhantomData)
    }
}

impl<T> std::fmt::Debug for RowsCodec<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rows of {}", std::any::type_name::<T>())
    }
}

impl<T: super::Row> PayloadCodec for RowsCodec<T> {
    fn schema_hash(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(std::any::type_name::<T>().as_bytes())
    }

    fn encode(&self, batches: &[Batch], rows: &[(u32, u32)], out: &mut Vec<u8>) -> Result<(), OperatorError> {
        let typed: Vec<&[T]> = batches.iter().map(Batch::typed_rows).collect::<Result<_, _>>()?;
        for (batch, row) in rows {
            write_row(&typed[*batch as usize][*row as usize], out)?;
        }
        Ok(())
    }

    fn decode(&self, bytes: &[u8], rows: usize) -> Result<Payload, String> {
        let mut input = bytes;
        let mut values: Vec<T> = Vec::with_capacity(rows);
        for _ in 0..rows {
            let value = rmp_serde::from_read(&mut input);
            values.push(value.map_err(|error| format!("a row of {}: {error}", std::any::type_name::<T>()))?);
        }
        Ok(Payload::Rows(Box::new(values)))
    }
}

/// A value that is kept by key: live in memory, in the same encoding when it is stored.
#[derive(Debug)]
pub(super) struct Live<V>(pub(super) V);

impl<V: super::Row> Stored for Live<V> {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let value = rmp_serde::from_slice(bytes);
        value.map(Live).map_err(|error| format!("a {}: {error}", std::any::type_name::<V>()))
    }

    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        write_row(&self.0, scratch)?;
        Ok(scratch)
    }

    fn differs(&self, bytes: &[u8]) -> Option<String> {
        let (is, read) = (format!("{:?}", self.0), Live::read(bytes));
        let read = read.map_or_else(|error| error, |Live::<V>(read)| format!("{read:?}"));
        let detail = || format!("a value does not survive its own encoding: {is} is read back as {read}");
        (is != read).then(detail)
    }
}

/// Appends a value with the names of its fields.
pub(crate) fn write_row<T: serde::Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), OperatorError> {
    let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
    value.serialize(&mut serializer).map_err(|error| OperatorError::Encode {
        topic: std::any::type_name::<T>().to_owned(),
        detail: error.to_string(),
    })
}
