//! The records of a batch, walked in place.

use super::varint::{read_i32, read_i64};
use super::{BatchError, BatchHeader};
use bytes::Bytes;
use std::ops::Range;

/// Where a key, a value or headers stand in a buffer; [`Slice::NULL`] for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Where it begins.
    pub start: u32,
    /// Bytes it takes.
    pub length: u32,
}

impl Slice {
    /// There is none.
    pub const NULL: Slice = Slice { start: 0, length: u32::MAX };

    /// What stands there; `None` when there is none.
    ///
    /// # Panics
    /// When `buffer` is not the one it was found in.
    #[inline]
    pub fn of<'a>(&self, buffer: &'a [u8]) -> Option<&'a [u8]> {
        let start = self.start as usize;
        (*self != Slice::NULL).then(|| &buffer[start..start + self.length as usize])
    }
}

/// One record: where its parts stand in the buffer of its [`Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slices {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Slice,
    /// Its value.
    pub value: Slice,
    /// Its headers as they are on the wire, without their number: [`HeaderIter`] reads them. Null when it has none.
    pub headers: Slice,
    /// Number of its headers.
    pub header_count: u32,
}

/// The records of a batch.
#[derive(Debug, Clone)]
pub struct Body {
    header: BatchHeader,
    buffer: Bytes,
    records: Range<usize>,
}

impl Body {
    /// `records` is within `buffer`, which is smaller than 4 GiB.
    pub(super) fn new(header: BatchHeader, buffer: Bytes, records: Range<usize>) -> Self {
        Body { header, buffer, records }
    }

    /// What the batch says about itself.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// What the spans of records point into. Batches that are not compressed share the buffer they were fetched in.
    pub fn buffer(&self) -> &Bytes {
        &self.buffer
    }

    /// How many records there are, as far as the header can be believed: no more than there is room for.
    pub fn records_max(&self) -> usize {
        let claimed = usize::try_from(self.header.record_count).unwrap_or(0);
        claimed.min(self.records.len() / RECORD_BYTES_MIN)
    }

    /// Visits the records in order.
    ///
    /// # Errors
    /// [`BatchError::Malformed`]; records before the one that is have been visited.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(Slices)) -> Result<(), BatchError> {
        let base_offset = self.header.base_offset;
        let walked = walk(&self.header, &self.buffer[..self.records.end], self.records.start, &mut visit);
        walked.map_err(|what| BatchError::Malformed { base_offset, what })
    }
}

/// A record without key, value and headers: seven numbers of one byte.
const RECORD_BYTES_MIN: usize = 7;
const CUT_OFF: &str = "a record is cut off";
const BAD_LENGTH: &str = "a record's length is not that of its parts";

/// `buffer` ends where the records do.
#[inline]
fn walk(
    header: &BatchHeader,
    buffer: &[u8],
    start: usize,
    visit: &mut impl FnMut(Slices),
) -> Result<(), &'static str> {
    let last_delta = header.last_offset - header.base_offset;
    let (mut position, mut delta_before) = (start, -1);
    for _ in 0..header.record_count {
        let (length, taken) = read_i32(&buffer[position..]).ok_or(CUT_OFF)?;
        position += taken;
        let length = usize::try_from(length).map_err(|_| BAD_LENGTH)?;
        let end = position + length;
        if length == 0 || end > buffer.len() {
            return Err(CUT_OFF);
        }
        // Attributes of records have no meaning yet.
        let mut at = position + 1;
        let record = &buffer[..end];
        let (timestamp_delta, taken) = read_i64(&record[at..]).ok_or(BAD_LENGTH)?;
        at += taken;
        let (offset_delta, taken) = read_i32(&record[at..]).ok_or(BAD_LENGTH)?;
        at += taken;
        let key = read_slice(record, &mut at)?;
        let value = read_slice(record, &mut at)?;
        let (header_count, taken) = read_i32(&record[at..]).ok_or(BAD_LENGTH)?;
        at += taken;
        let header_count = u32::try_from(header_count).map_err(|_| "a negative number of headers")?;
        let headers = match header_count {
            0 => Slice::NULL,
            _ => Slice { start: at as u32, length: check_headers(record, &mut at, header_count)? },
        };
        if at != end {
            return Err(BAD_LENGTH);
        }
        let delta = i64::from(offset_delta);
        if delta <= delta_before || delta > last_delta {
            return Err("offsets that do not ascend within the batch");
        }
        delta_before = delta;
        let timestamp_ms = match header.has_append_time {
            true => header.max_timestamp_ms,
            false => header.base_timestamp_ms.wrapping_add(timestamp_delta),
        };
        visit(Slices { offset: header.base_offset + delta, timestamp_ms, key, value, headers, header_count });
        position = end;
    }
    if position != buffer.len() {
        return Err("bytes after the last record");
    }
    Ok(())
}

/// A length and as many bytes; -1 for none.
#[inline(always)]
fn read_slice(record: &[u8], at: &mut usize) -> Result<Slice, &'static str> {
    let (length, taken) = read_i32(&record[*at..]).ok_or(BAD_LENGTH)?;
    let start = *at + taken;
    let Ok(length) = usize::try_from(length) else {
        *at = start;
        return if length == -1 { Ok(Slice::NULL) } else { Err("a negative length") };
    };
    if length > record.len() - start {
        return Err(BAD_LENGTH);
    }
    *at = start + length;
    Ok(Slice { start: start as u32, length: length as u32 })
}

/// Walks the headers of a record; gives the bytes they take.
fn check_headers(record: &[u8], at: &mut usize, count: u32) -> Result<u32, &'static str> {
    let start = *at;
    for _ in 0..count {
        let name = read_slice(record, at)?;
        if name == Slice::NULL {
            return Err("a header without a name");
        }
        read_slice(record, at)?;
    }
    Ok((*at - start) as u32)
}

/// Names and values of a record's headers, of which [`Slices::headers`] says where they stand.
#[derive(Debug, Clone)]
pub struct HeaderIter<'a> {
    rest: &'a [u8],
}

impl<'a> HeaderIter<'a> {
    /// The headers of a record of the body with this buffer.
    pub fn new(buffer: &'a [u8], record: &Slices) -> Self {
        HeaderIter { rest: record.headers.of(buffer).unwrap_or_default() }
    }
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        // Checked when the record was walked.
        let mut at = 0;
        let name = read_slice(self.rest, &mut at).ok()?;
        let value = read_slice(self.rest, &mut at).ok()?;
        let item = (name.of(self.rest)?, value.of(self.rest));
        self.rest = &self.rest[at..];
        Some(item)
    }
}
