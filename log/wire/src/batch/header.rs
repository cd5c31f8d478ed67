//! The head of a record batch.

use super::{BatchError, Compression};

/// Bytes of a batch before its records.
pub const HEADER_BYTES: usize = 61;
/// Bytes up to and with the batch's length, which does not count them.
pub(super) const PREFIX_BYTES: usize = 12;
/// The only format there is since Kafka 0.11.
pub(super) const MAGIC: u8 = 2;
pub(super) const AT_MAGIC: usize = 16;
pub(super) const AT_CRC: usize = 17;
/// The checksum covers everything from here on.
pub(super) const AT_ATTRIBUTES: usize = 21;

const CODEC: i16 = 7;
const APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// What a batch says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record it was written with; it may have been removed by compaction.
    pub base_offset: i64,
    /// Offset of the last one, likewise. The next batch begins after it.
    pub last_offset: i64,
    /// Epoch of the partition's leader that appended it; -1 in batches not yet written.
    pub leader_epoch: i32,
    /// How its records are compressed.
    pub compression: Compression,
    /// Whether all records have the broker's time of appending, [`BatchHeader::max_timestamp_ms`].
    pub has_append_time: bool,
    /// Whether it is part of a transaction.
    pub is_transactional: bool,
    /// Whether it holds a marker instead of records.
    pub is_control: bool,
    /// Timestamp that those of the records are relative to.
    pub base_timestamp_ms: i64,
    /// Latest timestamp of its records.
    pub max_timestamp_ms: i64,
    /// Who wrote it; -1 for a producer that is not idempotent.
    pub producer_id: i64,
    /// Epoch of the producer.
    pub producer_epoch: i16,
    /// The producer's sequence number of the first record, per partition.
    pub base_sequence: i32,
    /// Number of records that are in it.
    pub record_count: i32,
}

impl BatchHeader {
    /// The header at the beginning of a batch, whose checksum is verified.
    pub(super) fn parse(batch: &[u8]) -> Result<Self, BatchError> {
        let base_offset = i64_at(batch, 0);
        let malformed = |what| BatchError::Malformed { base_offset, what };
        // Old formats are shorter, and say in the same place what they are.
        if let Some(magic) = batch.get(AT_MAGIC).filter(|magic| **magic != MAGIC) {
            return Err(BatchError::Format { base_offset, magic: *magic as i8 });
        }
        if batch.len() < HEADER_BYTES {
            return Err(malformed("shorter than its header"));
        }
        let stored = u32_at(batch, AT_CRC);
        let computed = crc32c::crc32c(&batch[AT_ATTRIBUTES..]);
        if stored != computed {
            return Err(BatchError::Checksum { base_offset, stored, computed });
        }
        let attributes = i16_at(batch, AT_ATTRIBUTES);
        let codec = attributes & CODEC;
        let compression = Compression::of_number(codec).ok_or(BatchError::Codec { base_offset, codec })?;
        let last_offset_delta = i64::from(i32_at(batch, 23));
        let record_count = i32_at(batch, 57);
        if base_offset < 0 || last_offset_delta < 0 || record_count < 0 {
            return Err(malformed("a negative offset or number of records"));
        }
        let last_offset = base_offset.checked_add(last_offset_delta);
        Ok(BatchHeader {
            base_offset,
            last_offset: last_offset.ok_or(malformed("an offset beyond the last one there can be"))?,
            leader_epoch: i32_at(batch, 12),
            compression,
            has_append_time: attributes & APPEND_TIME != 0,
            is_transactional: attributes & TRANSACTIONAL != 0,
            is_control: attributes & CONTROL != 0,
            base_timestamp_ms: i64_at(batch, 27),
            max_timestamp_ms: i64_at(batch, 35),
            producer_id: i64_at(batch, 43),
            producer_epoch: i16_at(batch, 51),
            base_sequence: i32_at(batch, 53),
            record_count,
        })
    }

    /// Writes the header to the beginning of a batch that is otherwise complete, and its checksum.
    pub(super) fn write(&self, batch: &mut [u8]) {
        let length = (batch.len() - PREFIX_BYTES) as i32;
        let mut attributes = self.compression.number();
        for (is_set, flag) in [
            (self.has_append_time, APPEND_TIME),
            (self.is_transactional, TRANSACTIONAL),
            (self.is_control, CONTROL),
        ] {
            attributes |= if is_set { flag } else { 0 };
        }
        let last_offset_delta = (self.last_offset - self.base_offset) as i32;
        batch[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        batch[12..16].copy_from_slice(&self.leader_epoch.to_be_bytes());
        batch[AT_MAGIC] = MAGIC;
        batch[21..23].copy_from_slice(&attributes.to_be_bytes());
        batch[23..27].copy_from_slice(&last_offset_delta.to_be_bytes());
        batch[27..35].copy_from_slice(&self.base_timestamp_ms.to_be_bytes());
        batch[35..43].copy_from_slice(&self.max_timestamp_ms.to_be_bytes());
        batch[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        batch[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        batch[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        batch[57..61].copy_from_slice(&self.record_count.to_be_bytes());
        let crc = crc32c::crc32c(&batch[AT_ATTRIBUTES..]);
        batch[AT_CRC..AT_ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    }
}

/// The bytes of an integer; those beyond the end are zero.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk::<N>()).copied().unwrap_or([0; N])
}

pub(super) fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes(array(bytes, at))
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(array(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

pub(super) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(array(bytes, at))
}
