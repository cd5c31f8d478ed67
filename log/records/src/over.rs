//! Records over a buffer that holds their parts one behind the other.

use crate::run::Entry;
use crate::{Headers, Offset, Records, Span};
use bytes::Bytes;

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
