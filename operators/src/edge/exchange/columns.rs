//! Rows of columns in blocks, and their partitioning by the key of somebody else's topic.

use super::{PartitionBytes, PayloadCodec};
use crate::OperatorError;
use crate::batch::{Batch, Payload};
use crate::sink::RowEncoderSpec;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::read_record_batch;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Writes rows as one message of Arrow's IPC format, without the schema: both ends know it from the plan.
///
/// ```text
/// message bytes u32 | buffers bytes u32 | message | buffers        (little endian)
/// ```
#[derive(Debug, Clone)]
pub struct ColumnBlocks {
    schema: SchemaRef,
    hash: u64,
}

impl ColumnBlocks {
    /// For rows with these columns.
    pub fn new(schema: SchemaRef) -> Self {
        // What columns are called is nothing to them: which is which is a matter of the plan.
        let types = schema.fields().iter().map(|field| field.data_type().to_string());
        let columns: Vec<String> = types.collect();
        let hash = xxh3_64(columns.join(", ").as_bytes());
        ColumnBlocks { schema, hash }
    }
}

impl PayloadCodec for ColumnBlocks {
    fn schema_hash(&self) -> u64 {
        self.hash
    }

    fn encode(&self, batches: &[Batch], rows: &[(u32, u32)], out: &mut Vec<u8>) -> Result<(), OperatorError> {
        let gathered = gather(&self.schema, batches, rows)?;
        let mut dictionaries = DictionaryTracker::new(false);
        let options = IpcWriteOptions::default();
        let (_, encoded) = IpcDataGenerator::default().encode(
            &gathered,
            &mut dictionaries,
            &options,
            &mut Default::default(),
        )?;
        out.extend((encoded.ipc_message.len() as u32).to_le_bytes());
        out.extend((encoded.arrow_data.len() as u32).to_le_bytes());
        out.extend(encoded.ipc_message);
        out.extend(encoded.arrow_data);
        Ok(())
    }

    fn decode(&self, bytes: &[u8], rows: usize) -> Result<Payload, String> {
        let (lengths, rest) = bytes.split_first_chunk::<8>().ok_or("the block has no columns")?;
        let [m0, m1, m2, m3, d0, d1, d2, d3] = *lengths;
        let length = u32::from_le_bytes([m0, m1, m2, m3]) as usize;
        let (message, data) = rest.split_at_checked(length).ok_or("the block's columns are cut off")?;
        // Arrow panics where a buffer is shorter than the message says.
        if data.len() != u32::from_le_bytes([d0, d1, d2, d3]) as usize {
            return Err("the block's columns are cut off".to_owned());
        }
        let message = arrow::ipc::root_as_message(message).map_err(|error| error.to_string())?;
        let header = message.header_as_record_batch().ok_or("the block holds no columns")?;
        super::ipc::check(header, self.schema.fields(), data.len(), rows)?;
        let (schema, version) = (Arc::clone(&self.schema), message.version());
        let data = Buffer::from(data);
        #[allow(
            clippy::disallowed_types,
            reason = "Arrow asks for one; there are no dictionaries to put into it"
        )]
        let dictionaries = std::collections::HashMap::new();
        let columns = read_record_batch(&data, header, schema, &dictionaries, None, &version);
        Ok(Payload::Columns(columns.map_err(|error| error.to_string())?))
    }
}

/// The rows at the given places, column by column.
fn gather(schema: &SchemaRef, batches: &[Batch], rows: &[(u32, u32)]) -> Result<RecordBatch, OperatorError> {
    let sources: Vec<&RecordBatch> = batches.iter().map(Batch::columns).collect::<Result<_, _>>()?;
    let places: Vec<(usize, usize)> =
        rows.iter().map(|(batch, row)| (*batch as usize, *row as usize)).collect();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for column in 0..schema.fields().len() {
        let missing = OperatorError::Mismatch { expected: "the columns of the exchange", found: "fewer" };
        let arrays: Option<Vec<&dyn Array>> =
            sources.iter().map(|source| source.columns().get(column).map(AsRef::as_ref)).collect();
        columns.push(interleave(&arrays.ok_or(missing)?, &places)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// Partitions by the bytes that an encoder writes: those that are the key of a topic the rows are joined with. A key that
/// can't be written, as null in the raw format, is no key of that topic: such a row goes by its encoded key, which is
/// as good as any.
#[derive(Debug, Clone)]
pub struct ByTopicKey(pub Arc<dyn RowEncoderSpec>);

impl PartitionBytes for ByTopicKey {
    fn for_each(&self, batch: &Batch, each: &mut dyn FnMut(usize, &[u8])) -> Result<(), OperatorError> {
        let mut encoder = self.0.build()?;
        encoder.begin(batch)?;
        let mut key = Vec::new();
        for row in 0..batch.len() {
            key.clear();
            match encoder.encode(row, &mut key) {
                Ok(()) => each(row, &key),
                Err(OperatorError::Encode { .. }) => each(row, batch.keys()?.get(row)),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::FormatEncoderSpec;
    use crate::formats::raw::RawOptions;
    use crate::keys::KeyCodec;
    use crate::testing::batch as parse_batch;
    use arrow::datatypes::DataType;

    #[test]
    fn a_null_key_does_not_stop_rows_on_their_way_to_the_tasks_of_a_raw_topic() {
        let mut batch = parse_batch("k:utf8 | + a  + null  + b");
        let columns = batch.columns().unwrap().clone();
        let codec = KeyCodec::new(vec![DataType::Utf8]).unwrap();
        batch.keys = Some(Arc::new(codec.encode(columns.columns(), 3).unwrap()));
        let fields = columns.schema().fields().clone();
        let encoder = FormatEncoderSpec::new(Arc::new(RawOptions::default()), "t", vec![0], fields).unwrap();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        ByTopicKey(Arc::new(encoder)).for_each(&batch, &mut |_, key| keys.push(key.to_vec())).unwrap();
        assert_eq!(keys, [&b"a"[..], &[0], b"b"]);
    }

    #[test]
    fn rows_of_several_batches_come_back_in_the_order_asked_for() {
        let batches = ["a:utf8 b:i64 | + x 1  + null 2", "a:utf8 b:i64 | + y null"].map(parse_batch);
        let codec = ColumnBlocks::new(batches[0].columns().unwrap().schema());
        let mut bytes = Vec::new();
        codec.encode(&batches, &[(1, 0), (0, 1), (0, 0), (0, 1)], &mut bytes).unwrap();
        let Payload::Columns(found) = codec.decode(&bytes, 4).unwrap() else { panic!("columns went in") };
        let wanted = parse_batch("a:utf8 b:i64 | + y null  + null 2  + x 1  + null 2");
        assert_eq!(&found, wanted.columns().unwrap());
        assert!(codec.decode(&bytes, 3).is_err());
        for end in 0..bytes.len() {
            assert!(codec.decode(&bytes[..end], 4).is_err(), "cut at {end}");
        }
    }
}
