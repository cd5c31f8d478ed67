//! A run of records: one buffer and an index into it.

use crate::{Headers, Offset, Record, Span};
use bytes::Bytes;
use std::fmt;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) offset: Offset,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Span,
    pub(crate) value: Span,
    pub(crate) headers: Span,
}

/// A run of records of one partition, offsets ascending. See the crate's head for the layout.
#[derive(Clone, Default)]
pub struct Records {
    pub(crate) data: Bytes,
    /// Where headers stand, if not in the data.
    pub(crate) headers: Option<Bytes>,
    pub(crate) entries: Vec<Entry>,
    /// Of keys, values and headers; the data may hold more than that.
    pub(crate) bytes: usize,
}

impl Records {
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
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Offset of the first record.
    #[inline]
    pub fn first_offset(&self) -> Option<Offset> {
        self.entries.first().map(|entry| entry.offset)
    }

    /// The offset after the last record.
    #[inline]
    pub fn next_offset(&self) -> Option<Offset> {
        self.entries.last().map(|entry| entry.offset + 1)
    }

    /// Bytes of keys, values and headers.
    #[inline]
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
