//! Runs of log records, as a consumer hands them out and a producer takes them.
//!
//! [`Records`] is one contiguous run of records of one partition: a buffer and an index into it, so that a run of
//! thousands of records costs two allocations, a decoder walks memory in order, and a client that fetches whole
//! record batches can hand them over without a copy. [`RecordsBuilder`] makes them; sinks write encoded values
//! straight into its buffer.
//!
//! ```text
//! data:     | key | value | headers | key | value | ...
//! entries:  offset, timestamp_ms, spans of key, value and headers in data
//! headers:  count u16 | { key length u16 | key | value length u32 (u32::MAX: null) | value }..
//! ```

use bytes::Bytes;
use rapidhash::v3::rapidhash_v3;
use std::fmt;
use std::sync::Arc;

/// Position in a partition. An offset that is kept (a position, a committed offset, an end) is always the *next* one
/// to read.
pub type Offset = u64;

/// A partition of a topic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Index of the partition, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

impl fmt::Debug for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a key, a value or the headers of a record stand in the data; [`Span::NULL`] for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: u32,
    /// Bytes it takes.
    pub length: u32,
}

impl Span {
    /// There is none.
    pub const NULL: Span = Span { start: 0, length: u32::MAX };

    fn of<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        (*self != Span::NULL).then(|| &data[self.start as usize..(self.start + self.length) as usize])
    }
}

#[derive(Debug, Clone)]
struct Entry {
    offset: Offset,
    timestamp_ms: i64,
    key: Span,
    value: Span,
    headers: Span,
}

/// A run of records of one partition, offsets ascending. See the module's head for the layout.
#[derive(Clone, Default)]
pub struct Records {
    data: Bytes,
    /// Where headers stand, if not in the data.
    headers: Option<Bytes>,
    entries: Vec<Entry>,
    /// Of keys, values and headers; the data may hold more than that.
    bytes: usize,
}

impl Records {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The record at `index` of the run.
    ///
    /// # Panics
    /// When `index` is out of bounds.
    #[inline]
    pub fn get(&self, index: usize) -> Record<'_> {
        let entry = &self.entries[index];
        let headers = self.headers.as_ref().unwrap_or(&self.data);
        Record {
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: entry.key.of(&self.data),
            value: entry.value.of(&self.data),
            headers: Headers { bytes: entry.headers.of(headers).unwrap_or(&[0, 0]) },
        }
    }

    /// The records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Offset of the first record.
    pub fn first_offset(&self) -> Option<Offset> {
        self.entries.first().map(|entry| entry.offset)
    }

    /// The offset after the last record.
    pub fn next_offset(&self) -> Option<Offset> {
        self.entries.last().map(|entry| entry.offset + 1)
    }

    /// Bytes of keys, values and headers.
    pub fn data_bytes(&self) -> usize {
        self.bytes
    }

    /// A checksum over offsets, timestamps, keys, values and headers, the same however the run is laid out.
    pub fn checksum(&self) -> u64 {
        self.iter().fold(0, |state, record| record.digest(state))
    }

    /// Splits the run in two before the record at `index`.
    ///
    /// # Panics
    /// When `index` is larger than the number of records.
    pub fn split_off(&mut self, index: usize) -> Records {
        let (data, headers) = (self.data.clone(), self.headers.clone());
        Records { data, headers, entries: self.entries.split_off(index), bytes: self.bytes }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One record of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its offset; 0 in records that are still to be produced.
    pub offset: Offset,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
}

impl Record<'_> {
    /// Bytes of its key, value and headers.
    #[inline]
    pub fn data_bytes(&self) -> usize {
        let headers = if self.headers.is_empty() { 0 } else { self.headers.bytes.len() };
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + headers
    }

    /// The checksum of records that had `state` so far, with everything in this one. Each part is hashed at once, because
    /// every byte that a task reads goes through here. Says whether records are the same ones, not whether somebody has
    /// forged them.
    #[inline]
    fn digest(&self, state: u64) -> u64 {
        let mut state = mix(mix(state, self.offset), self.timestamp_ms as u64);
        for part in [self.key, self.value] {
            state = mix(state, part.map_or(0, |part| rapidhash_v3(part) | 1));
        }
        if self.headers.is_empty() { state } else { mix(state, rapidhash_v3(self.headers.bytes)) }
    }
}

/// Takes a word into a hash, so that the order of words counts: the two halves of a product, as rapidhash and wyhash do.
#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xd1b5_4a32_d192_ed03);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(state.rotate_left(23))
}

/// The headers of a record, in their order; names may repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// No headers.
    pub const NONE: Headers<'static> = Headers { bytes: &[0, 0] };

    /// Headers from their encoding, see the module's head; `None` when the bytes are not one.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first_chunk::<2>()?;
        for _ in 0..u16::from_le_bytes(*count) {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (name, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            std::str::from_utf8(name).ok()?;
            let (length, tail) = tail.split_first_chunk::<4>()?;
            rest = match u32::from_le_bytes(*length) {
                u32::MAX => tail,
                length => tail.get(length as usize..)?,
            };
        }
        rest.is_empty().then_some(Headers { bytes })
    }

    /// The encoding of the headers, see the module's head.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of headers.
    pub fn len(&self) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[0], self.bytes[1]]))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name and value of each header.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + Clone + use<'a> {
        let mut rest = &self.bytes[2..];
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (name, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            let (value, tail) = match length {
                u32::MAX => (None, tail),
                _ => {
                    let (value, tail) = tail.split_at_checked(length as usize)?;
                    (Some(value), tail)
                }
            };
            rest = tail;
            Some((std::str::from_utf8(name).unwrap_or("\u{fffd}"), value))
        })
    }

    /// The value of the last header called `name`.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(found, _)| *found == name).last().and_then(|(_, value)| value)
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Collects records. Values can be written piece by piece: [`RecordsBuilder::open_value`], then
/// [`RecordsBuilder::seal`].
///
/// ```
/// use millstream_records::RecordsBuilder;
/// let mut builder = RecordsBuilder::default();
/// builder.push(Some(b"key"), Some(b"value"), 1_000);
/// let records = builder.finish();
/// assert_eq!(records.get(0).value, Some(&b"value"[..]));
/// ```
#[derive(Debug, Default)]
pub struct RecordsBuilder {
    data: Vec<u8>,
    entries: Vec<Entry>,
}

impl RecordsBuilder {
    /// A builder with room for `records` records of `bytes` in total.
    pub fn with_capacity(records: usize, bytes: usize) -> Self {
        RecordsBuilder { data: Vec::with_capacity(bytes), entries: Vec::with_capacity(records) }
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys, values and headers so far.
    pub fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Appends a record without headers that is still to be produced.
    #[inline]
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp_ms: i64) {
        self.push_record(Record { offset: 0, timestamp_ms, key, value, headers: Headers::NONE });
    }

    /// Appends a record as it is.
    pub fn push_record(&mut self, record: Record<'_>) {
        let key = self.append(record.key);
        let value = self.append(record.value);
        let headers = (!record.headers.is_empty()).then_some(record.headers.bytes);
        let headers = self.append(headers);
        let (offset, timestamp_ms) = (record.offset, record.timestamp_ms);
        self.entries.push(Entry { offset, timestamp_ms, key, value, headers });
    }

    /// Appends a record with headers, names and values.
    pub fn push_with_headers<'h>(
        &mut self,
        record: Record<'_>,
        headers: impl IntoIterator<Item = (&'h str, Option<&'h [u8]>)>,
    ) {
        let bytes = encode_headers(headers);
        self.push_record(Record { headers: Headers { bytes: &bytes }, ..record });
    }

    /// The buffer to append the value of the next record to.
    #[inline]
    pub fn open_value(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Ends a record whose value was written through [`RecordsBuilder::open_value`] from `value_start` on (the
    /// buffer's length before).
    #[inline]
    pub fn seal(&mut self, value_start: usize, key: Option<&[u8]>, timestamp_ms: i64) {
        let value = Span { start: value_start as u32, length: (self.data.len() - value_start) as u32 };
        let key = self.append(key);
        self.entries.push(Entry { offset: 0, timestamp_ms, key, value, headers: Span::NULL });
    }

    fn append(&mut self, part: Option<&[u8]>) -> Span {
        let Some(part) = part else { return Span::NULL };
        let start = u32::try_from(self.data.len()).expect("a run is bounded far below 4 GiB");
        self.data.extend_from_slice(part);
        Span { start, length: part.len() as u32 }
    }

    /// The run.
    pub fn finish(self) -> Records {
        let bytes = self.data.len();
        Records { data: Bytes::from(self.data), headers: None, entries: self.entries, bytes }
    }
}

/// Makes records over a buffer that holds their data already: nothing is copied.
///
/// The key, the value and the headers of each record follow each other in the buffer, record after record, without
/// gaps. What does not fit the buffer is refused, so that bytes from a disk or a socket can't make records that panic
/// when they are read.
///
/// ```
/// use millstream_records::RecordsOver;
/// let mut over = RecordsOver::new(bytes::Bytes::from_static(b"kvaluek2"), 2).expect("small");
/// over.push(7, 1_000, Some(1), Some(5), 0).expect("within the buffer");
/// over.push(8, 1_000, Some(2), None, 0).expect("within the buffer");
/// let records = over.finish().expect("nothing is left over");
/// assert_eq!(records.get(0).value, Some(&b"value"[..]));
/// assert_eq!((records.get(1).offset, records.get(1).key), (8, Some(&b"k2"[..])));
/// ```
#[derive(Debug)]
pub struct RecordsOver {
    data: Bytes,
    /// Where the next record begins.
    position: u32,
    entries: Vec<Entry>,
}

impl RecordsOver {
    /// No records yet over `data`, with room for `records`; `None` when the buffer is 4 GiB or larger.
    pub fn new(data: Bytes, records: usize) -> Option<Self> {
        u32::try_from(data.len()).ok()?;
        Some(RecordsOver { data, position: 0, entries: Vec::with_capacity(records) })
    }

    /// The next record: lengths of its key and value (`None`: there is none) and of its encoded headers (0: none).
    /// `None` when they reach beyond the buffer or the headers are not an encoding of some.
    #[inline]
    pub fn push(
        &mut self,
        offset: Offset,
        timestamp_ms: i64,
        key: Option<u32>,
        value: Option<u32>,
        headers: u32,
    ) -> Option<()> {
        let key = self.take(key)?;
        let value = self.take(value)?;
        let headers = self.take((headers > 0).then_some(headers))?;
        if let Some(bytes) = headers.of(&self.data) {
            Headers::from_bytes(bytes)?;
        }
        self.entries.push(Entry { offset, timestamp_ms, key, value, headers });
        Some(())
    }

    #[inline]
    fn take(&mut self, length: Option<u32>) -> Option<Span> {
        let Some(length) = length else { return Some(Span::NULL) };
        let start = self.position;
        let end = start.checked_add(length).filter(|end| *end as usize <= self.data.len())?;
        self.position = end;
        Some(Span { start, length })
    }

    /// The run; `None` when the buffer holds more than the records.
    pub fn finish(self) -> Option<Records> {
        let bytes = self.data.len();
        let records = Records { data: self.data, headers: None, entries: self.entries, bytes };
        (self.position as usize == bytes).then_some(records)
    }
}

/// Makes records whose keys and values stand anywhere in a buffer, as in the record batches of a fetch: they are not
/// copied. Headers are, into a buffer of their own, for they are encoded otherwise.
///
/// What does not fit the buffer is refused, as by [`RecordsOver`].
///
/// ```
/// use millstream_records::{RecordsWithin, Span};
/// let mut within = RecordsWithin::new(bytes::Bytes::from_static(b"..key..value"), 1);
/// within.push(7, 1_000, Span { start: 2, length: 3 }, Span { start: 7, length: 5 }).expect("within the buffer");
/// within.headers([("name", Some(&b"text"[..]))]);
/// let records = within.finish();
/// assert_eq!((records.get(0).key, records.get(0).value), (Some(&b"key"[..]), Some(&b"value"[..])));
/// assert_eq!(records.get(0).headers.get("name"), Some(&b"text"[..]));
/// ```
#[derive(Debug)]
pub struct RecordsWithin {
    data: Bytes,
    headers: Vec<u8>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl RecordsWithin {
    /// No records yet within `data`, with room for `records`.
    pub fn new(data: Bytes, records: usize) -> Self {
        RecordsWithin { data, headers: Vec::new(), entries: Vec::with_capacity(records), bytes: 0 }
    }

    /// The next record; `None` when its key or value reaches beyond the buffer.
    #[inline]
    pub fn push(&mut self, offset: Offset, timestamp_ms: i64, key: Span, value: Span) -> Option<()> {
        self.bytes += self.check(key)? + self.check(value)?;
        self.entries.push(Entry { offset, timestamp_ms, key, value, headers: Span::NULL });
        Some(())
    }

    /// Bytes of a span, if it is within the buffer.
    #[inline]
    fn check(&self, span: Span) -> Option<usize> {
        if span == Span::NULL {
            return Some(0);
        }
        let end = span.start.checked_add(span.length)?;
        (end as usize <= self.data.len()).then_some(span.length as usize)
    }

    /// Headers of the last record.
    pub fn headers<'h>(&mut self, headers: impl IntoIterator<Item = (&'h str, Option<&'h [u8]>)>) {
        let Some(entry) = self.entries.last_mut() else { return };
        let encoded = encode_headers(headers);
        let Ok(start) = u32::try_from(self.headers.len()) else { return };
        let Ok(length) = u32::try_from(encoded.len()) else { return };
        if start.checked_add(length).is_none() {
            return;
        }
        self.headers.extend_from_slice(&encoded);
        self.bytes += encoded.len();
        entry.headers = Span { start, length };
    }

    /// Number of records so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The run.
    pub fn finish(self) -> Records {
        let headers = Some(Bytes::from(self.headers));
        Records { data: self.data, headers, entries: self.entries, bytes: self.bytes }
    }
}

/// The encoding of headers, as in the module's head.
///
/// More than 65 535 headers or a name beyond 65 535 bytes can't be written; what is over is left out.
fn encode_headers<'h>(headers: impl IntoIterator<Item = (&'h str, Option<&'h [u8]>)>) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    let mut count = 0u16;
    for (name, value) in headers {
        let Ok(length) = u16::try_from(name.len()) else { continue };
        let Some(next) = count.checked_add(1) else { break };
        count = next;
        bytes.extend(length.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(value.map_or(u32::MAX, |value| value.len() as u32).to_le_bytes());
        bytes.extend(value.unwrap_or_default());
    }
    bytes[..2].copy_from_slice(&count.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests;
