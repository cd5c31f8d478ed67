//! Batches as runs of records, over the bytes they are stored in.

use super::varint::{take_varint, unzigzag};
use super::{BatchError, COMPACTED, HEADER_BYTES, Header, StoredBatch};
use bytes::Bytes;
use millstream_records::{Offset, Records, RecordsOver};

/// The records of a stored batch, over its bytes. `topic`, `partition` and `base` say where it was found.
///
/// # Errors
/// [`BatchError`] when anything about it is not as it was written.
pub(crate) fn decode(
    bytes: &Bytes,
    topic: u32,
    partition: u32,
    base: Option<Offset>,
) -> Result<Records, BatchError> {
    let header = Header::read(bytes)?;
    let at = (header.topic, header.partition, header.base);
    if at != (topic, partition, base.unwrap_or(header.base)) {
        return Err(BatchError::Misplaced { topic: at.0, partition: at.1, base: at.2 });
    }
    if crc32c::crc32c(&bytes[HEADER_BYTES..]) != header.body_checksum {
        return Err(BatchError::BodyChecksum);
    }
    decode_checked(bytes, &header)
}

/// As [`decode`], of bytes that have not left the process since they were encoded: without looking at checksums.
pub(crate) fn decode_own(batch: &StoredBatch) -> Result<Records, BatchError> {
    decode_checked(&batch.bytes, &Header::read(&batch.bytes)?)
}

fn decode_checked(bytes: &Bytes, header: &Header) -> Result<Records, BatchError> {
    let data_end = HEADER_BYTES + header.data_bytes as usize;
    if bytes.len() != data_end + header.meta_bytes as usize {
        return Err(BatchError::Malformed);
    }
    // A record takes at least four bytes of meta: bounds what a wrong count can allocate.
    let is_compacted = header.version == COMPACTED;
    let count_max = header.meta_bytes / 4;
    if header.count == 0 || (!is_compacted && header.count > count_max) {
        return Err(BatchError::Malformed);
    }
    let count = header.count.min(count_max);
    let records = RecordsOver::new(bytes.slice(HEADER_BYTES..data_end), count as usize);
    let fill = if is_compacted { fill_compacted } else { fill };
    let records = records.and_then(|records| fill(records, &bytes[data_end..], header));
    records.ok_or(BatchError::Malformed)
}

/// The time until which the deletions of a compacted batch are kept, if it has one.
pub(crate) fn deletions_kept_until(bytes: &[u8]) -> Option<i64> {
    let header = Header::read(bytes).ok().filter(|header| header.version == COMPACTED)?;
    let mut meta = bytes.get(HEADER_BYTES + header.data_bytes as usize..)?;
    take_horizon(&mut meta)?
}

fn take_horizon(meta: &mut &[u8]) -> Option<Option<i64>> {
    match take_varint(meta)? {
        0 => Some(None),
        1 => Some(Some(unzigzag(take_varint(meta)?))),
        _ => None,
    }
}

fn fill_compacted(mut records: RecordsOver, meta: &[u8], header: &Header) -> Option<Records> {
    let mut meta = meta;
    take_horizon(&mut meta)?;
    let mut timestamp_ms = header.first_timestamp_ms;
    let last = header.base.checked_add(Offset::from(header.count))?;
    let mut offset = header.base;
    while !meta.is_empty() {
        offset = offset.checked_add(take_varint(&mut meta)?).filter(|offset| *offset < last)?;
        fill_one(&mut records, offset, &mut timestamp_ms, &mut meta)?;
        offset += 1;
    }
    records.finish()
}

#[inline]
fn fill_one(
    records: &mut RecordsOver,
    offset: Offset,
    timestamp_ms: &mut i64,
    meta: &mut &[u8],
) -> Option<()> {
    *timestamp_ms = timestamp_ms.wrapping_add(unzigzag(take_varint(meta)?));
    let key = length_of(take_varint(meta)?)?;
    let value = length_of(take_varint(meta)?)?;
    let headers = u32::try_from(take_varint(meta)?).ok()?;
    records.push(offset, *timestamp_ms, key, value, headers)
}

fn fill(mut records: RecordsOver, meta: &[u8], header: &Header) -> Option<Records> {
    let mut meta = meta;
    let mut timestamp_ms = header.first_timestamp_ms;
    let last = header.base.checked_add(Offset::from(header.count))?;
    for offset in header.base..last {
        fill_one(&mut records, offset, &mut timestamp_ms, &mut meta)?;
    }
    if !meta.is_empty() {
        return None;
    }
    records.finish()
}

/// A stored length: 0 is none.
#[inline]
fn length_of(stored: u64) -> Option<Option<u32>> {
    match stored {
        0 => Some(None),
        length => u32::try_from(length - 1).ok().map(Some),
    }
}
