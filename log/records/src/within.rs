//! Records within a buffer that holds more than them.

use crate::headers::encode_headers;
use crate::run::Entry;
use crate::{Offset, Records, Span};
use bytes::Bytes;

/// Makes records whose keys and values stand anywhere in a buffer, as in the record batches of a fetch: they are not
/// copied. Headers are, into a buffer of their own, for they are encoded otherwise.
///
/// What does not fit the buffer is refused, as by [`RecordsOver`](crate::RecordsOver).
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
