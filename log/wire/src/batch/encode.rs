//! Making record batches.

use super::compression::compress;
use super::{BatchError, BatchHeader, Compression, HEADER_BYTES, varint};
use bytes::Bytes;

/// What a batch may have in bytes; its length has 31 bits.
const BYTES_MAX: usize = i32::MAX as usize - 1024;

/// Takes records for one partition straight into the bytes of a batch.
#[derive(Debug, Clone)]
pub struct BatchEncoder {
    /// Room for the header, and the records.
    bytes: Vec<u8>,
    count: i32,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
}

impl Default for BatchEncoder {
    fn default() -> Self {
        BatchEncoder::with_capacity(0)
    }
}

impl BatchEncoder {
    /// One with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        BatchEncoder::reusing(Vec::with_capacity(HEADER_BYTES + bytes))
    }

    /// One that writes to the memory of a buffer that was used before.
    pub fn reusing(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(HEADER_BYTES, 0);
        BatchEncoder { bytes: buffer, count: 0, base_timestamp_ms: 0, max_timestamp_ms: i64::MIN }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes so far, not compressed.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a record. Its headers are gone through twice.
    ///
    /// # Errors
    /// [`BatchError::RecordTooLarge`] when it does not fit: the batch is as it was before.
    #[inline]
    pub fn push<'h>(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h [u8], Option<&'h [u8]>)> + Clone,
    ) -> Result<(), BatchError> {
        let base_timestamp_ms = if self.count == 0 { timestamp_ms } else { self.base_timestamp_ms };
        let delta = timestamp_ms.wrapping_sub(base_timestamp_ms);
        let (mut header_count, mut header_bytes) = (0, 0);
        for (name, value) in headers.clone() {
            header_count += 1;
            header_bytes += part_bytes(Some(name)) + part_bytes(value);
        }
        let offset_delta = i64::from(self.count);
        let length = 1
            + varint::bytes_of(delta)
            + varint::bytes_of(offset_delta)
            + part_bytes(key)
            + part_bytes(value)
            + varint::bytes_of(header_count)
            + header_bytes;
        if self.bytes.len() + length + 5 > BYTES_MAX || self.count == i32::MAX {
            let bytes = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
            return Err(BatchError::RecordTooLarge { bytes });
        }
        self.base_timestamp_ms = base_timestamp_ms;
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
        self.count += 1;
        let out = &mut self.bytes;
        out.reserve(length + 5);
        varint::write(out, length as i64);
        out.push(0);
        varint::write(out, delta);
        varint::write(out, offset_delta);
        write_part(out, key);
        write_part(out, value);
        varint::write(out, header_count);
        for (name, value) in headers {
            write_part(out, Some(name));
            write_part(out, value);
        }
        Ok(())
    }

    /// Ends the batch and compresses its records, at the codec's default level.
    ///
    /// # Errors
    /// [`BatchError::Compress`].
    pub fn seal(self, codec: Compression) -> Result<SealedBatch, BatchError> {
        self.seal_into(codec, None, Vec::new()).map(|(sealed, _)| sealed)
    }

    /// The same at a level of the codec's, in memory that was used before. Gives back the memory that is not needed, for
    /// the next time or for [`BatchEncoder::reusing`].
    ///
    /// # Errors
    /// [`BatchError::Compress`].
    pub fn seal_into(
        self,
        codec: Compression,
        level: Option<i32>,
        mut spare: Vec<u8>,
    ) -> Result<(SealedBatch, Vec<u8>), BatchError> {
        let (bytes, spare) = match codec {
            Compression::None => (self.bytes, spare),
            _ => {
                let records = &self.bytes[HEADER_BYTES..];
                spare.clear();
                // A large buffer that grows is copied; what does not repeat may even become larger.
                spare.reserve(HEADER_BYTES + records.len() + records.len() / 64 + 1_024);
                spare.resize(HEADER_BYTES, 0);
                compress(codec, level, records, &mut spare)?;
                (spare, self.bytes)
            }
        };
        let (count, base_timestamp_ms, max_timestamp_ms) =
            (self.count, self.base_timestamp_ms, self.max_timestamp_ms);
        Ok((SealedBatch { bytes, codec, count, base_timestamp_ms, max_timestamp_ms }, spare))
    }
}

/// Bytes that a key, a value or a header takes, with its length.
#[inline(always)]
fn part_bytes(part: Option<&[u8]>) -> usize {
    part.map_or(1, |part| varint::bytes_of(part.len() as i64) + part.len())
}

#[inline(always)]
fn write_part(out: &mut Vec<u8>, part: Option<&[u8]>) {
    match part {
        None => varint::write(out, -1),
        Some(part) => {
            varint::write(out, part.len() as i64);
            out.extend_from_slice(part);
        }
    }
}

/// Who writes a batch, and where it stands among the others of the same partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Id of the producer; -1 for one that is not idempotent.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// Number of records of this producer, epoch and partition before.
    pub base_sequence: i32,
    /// Whether the batch is part of a transaction.
    pub is_transactional: bool,
}

impl Default for Stamp {
    /// Nobody.
    fn default() -> Self {
        Stamp { producer_id: -1, producer_epoch: -1, base_sequence: -1, is_transactional: false }
    }
}

/// A batch that takes no more records.
#[derive(Debug, Clone)]
pub struct SealedBatch {
    bytes: Vec<u8>,
    codec: Compression,
    count: i32,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
}

impl SealedBatch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes it takes on the wire.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the batch as this producer sends it. Its checksum covers the stamp: sending it again means the same
    /// bytes again.
    pub fn stamp(mut self, stamp: &Stamp) -> Bytes {
        let header = BatchHeader {
            base_offset: 0,
            last_offset: i64::from(self.count.max(1) - 1),
            leader_epoch: -1,
            compression: self.codec,
            has_append_time: false,
            is_transactional: stamp.is_transactional,
            is_control: false,
            base_timestamp_ms: self.base_timestamp_ms,
            max_timestamp_ms: self.max_timestamp_ms,
            producer_id: stamp.producer_id,
            producer_epoch: stamp.producer_epoch,
            base_sequence: stamp.base_sequence,
            record_count: self.count,
        };
        header.write(&mut self.bytes);
        Bytes::from(self.bytes)
    }
}
