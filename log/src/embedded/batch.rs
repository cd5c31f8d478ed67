//! The stored form of a run of records: what a value in the database is, and what crosses the socket.
//!
//! An [`Encoder`] makes an [`Unplaced`] batch, checksum of its body included, outside of any lock. Its place becomes
//! known when offsets are reserved: [`Unplaced::place`] writes the header and nothing else. A [`StoredBatch`] is
//! never changed again; readers slice it.
//!
//! ```text
//!  0  version u8 | flags u8 | zero u16 | crc32c of bytes 8..56
//!  8  topic id u32 | partition u32
//! 16  base offset u64
//! 24  record count u32 | data length u32
//! 32  meta length u32 | crc32c of the body
//! 40  timestamp of the first record i64
//! 48  largest timestamp i64
//! 56  data: | key | value | headers | key | value | ..     (the layout of `Records`: decoding copies nothing)
//!     meta: per record, as varints: timestamp less the one before (zigzag), key length + 1, value length + 1,
//!           headers length; 0 for none
//! ```
//!
//! A batch that was compacted has version 2. Its count is that of the offsets it had, and its meta begins with the time
//! until which its deletions are kept (0, or 1 and the time in milliseconds, zigzag); each record's meta begins with the
//! number of offsets left out before it.
//!
//! Numbers are little-endian. Offsets ascend by one. The checksums cover every byte: the header's says where the batch
//! belongs, so that a whole batch in the wrong place is found as well.

mod decode;
mod encode;
#[cfg(test)]
mod tests;
mod varint;

pub(crate) use decode::{decode, decode_own, deletions_kept_until};
pub(crate) use encode::Encoder;

use bytes::Bytes;
use millstream_records::Offset;

/// The version of batches as they were appended, and of those that were compacted: the newest this build reads.
const APPENDED: u8 = 1;
const COMPACTED: u8 = 2;
const VERSION: u8 = COMPACTED;
pub(crate) const HEADER_BYTES: usize = 56;
/// Where the part of the header begins that its checksum covers.
const CHECKED_FROM: usize = 8;

/// Why bytes are not a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("it is cut off")]
    Short,
    #[error("its format version is {0}; this build reads up to {VERSION}: use the newer build that wrote it")]
    Version(u8),
    #[error("the checksum of its header is wrong")]
    HeaderChecksum,
    #[error("the checksum of its records is wrong")]
    BodyChecksum,
    #[error("its records do not fit its length")]
    Malformed,
    #[error("it belongs to topic id {topic}, partition {partition}, offset {base}")]
    Misplaced { topic: u32, partition: u32, base: Offset },
}

/// A batch that has no place yet: the header's space is there, the body is complete.
#[derive(Debug)]
pub(crate) struct Unplaced {
    version: u8,
    bytes: Vec<u8>,
    count: u32,
    data_bytes: u32,
    meta_bytes: u32,
    first_timestamp_ms: i64,
    max_timestamp_ms: i64,
    body_checksum: u32,
}

/// A batch at its place.
#[derive(Debug, Clone)]
pub(crate) struct StoredBatch {
    pub(crate) base: Offset,
    pub(crate) count: u32,
    pub(crate) max_timestamp_ms: i64,
    pub(crate) bytes: Bytes,
}

impl StoredBatch {
    /// The offset after its last record.
    pub(crate) fn next(&self) -> Offset {
        self.base + Offset::from(self.count)
    }
}

/// The offsets that a batch had before it was compacted, and until when its deletions are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) base: Offset,
    pub(crate) count: u32,
    pub(crate) deletions_kept_until_ms: Option<i64>,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u8,
    pub(crate) topic: u32,
    pub(crate) partition: u32,
    pub(crate) base: Offset,
    pub(crate) count: u32,
    pub(crate) data_bytes: u32,
    pub(crate) meta_bytes: u32,
    pub(crate) body_checksum: u32,
    pub(crate) first_timestamp_ms: i64,
    pub(crate) max_timestamp_ms: i64,
}

impl Unplaced {
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Bytes as stored.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes the header.
    pub(crate) fn place(mut self, topic: u32, partition: u32, base: Offset) -> StoredBatch {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend([self.version, 0, 0, 0, 0, 0, 0, 0]);
        header.extend(topic.to_le_bytes());
        header.extend(partition.to_le_bytes());
        header.extend(base.to_le_bytes());
        header.extend(self.count.to_le_bytes());
        header.extend(self.data_bytes.to_le_bytes());
        header.extend(self.meta_bytes.to_le_bytes());
        header.extend(self.body_checksum.to_le_bytes());
        header.extend(self.first_timestamp_ms.to_le_bytes());
        header.extend(self.max_timestamp_ms.to_le_bytes());
        let checksum = header_checksum(&header);
        header[4..8].copy_from_slice(&checksum.to_le_bytes());
        self.bytes[..HEADER_BYTES].copy_from_slice(&header);
        let (count, max_timestamp_ms) = (self.count, self.max_timestamp_ms);
        StoredBatch { base, count, max_timestamp_ms, bytes: Bytes::from(self.bytes) }
    }
}

/// The checksum of a header: of its first four bytes as well, the version among them.
fn header_checksum(header: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&header[..4]), &header[CHECKED_FROM..HEADER_BYTES])
}

impl Header {
    /// Reads the header of a batch.
    ///
    /// # Errors
    /// [`BatchError`] when it is not one, or of a newer version.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.get(..HEADER_BYTES) else { return Err(BatchError::Short) };
        // A version and the checksum: of a newer build, whose checksum may mean something else.
        let intact = u32_at(header, 4) == header_checksum(header);
        if !(APPENDED..=VERSION).contains(&header[0]) && (intact || header[0] == VERSION + 1) {
            return Err(BatchError::Version(header[0]));
        }
        if !intact {
            return Err(BatchError::HeaderChecksum);
        }
        if header[1..4] != [0, 0, 0] {
            return Err(BatchError::Malformed);
        }
        Ok(Header {
            version: header[0],
            topic: u32_at(header, 8),
            partition: u32_at(header, 12),
            base: u64_at(header, 16),
            count: u32_at(header, 24),
            data_bytes: u32_at(header, 28),
            meta_bytes: u32_at(header, 32),
            body_checksum: u32_at(header, 36),
            first_timestamp_ms: u64_at(header, 40) as i64,
            max_timestamp_ms: u64_at(header, 48) as i64,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
