//! Records collected one by one.

use crate::headers::encode_headers;
use crate::run::Entry;
use crate::{Headers, Record, Records, Span};
use bytes::Bytes;

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
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys, values and headers so far.
    #[inline]
    pub fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Appends a record without headers that is still to be produced.
    #[inline]
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp_ms: i64) {
        self.push_record(Record { offset: 0, timestamp_ms, key, value, headers: Headers::NONE });
    }

    /// Appends a record as it is.
    #[inline]
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

    #[inline]
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
