//! Batches made of runs of records, or of what compaction left of one.

use super::varint::{put_varint, zigzag};
use super::{APPENDED, COMPACTED, Extent, HEADER_BYTES, Unplaced};
use millstream_records::{Record, Records};

/// Records of a batch are taken up to this many bytes of data; a larger record gets a batch of its own.
pub(super) const DATA_BYTES_MAX: usize = 1 << 20;
/// The most records of a batch: one reaches at most into the next block of summaries.
const RECORDS_MAX: u32 = 1 << 16;

/// Encodes batches. Keep one per writer: it reuses its scratch space.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
    meta: Vec<u8>,
    count: u32,
    first_timestamp_ms: i64,
    max_timestamp_ms: i64,
    previous_timestamp_ms: i64,
}

impl Encoder {
    /// Batches of `runs`, in order; with `append_time_ms` every record gets that timestamp.
    pub(crate) fn encode(&mut self, runs: &[Records], append_time_ms: Option<i64>) -> Vec<Unplaced> {
        let mut left: usize = runs.iter().map(|run| run.data_bytes() + run.len() * 8).sum();
        let mut batches = Vec::new();
        for run in runs {
            for record in run.iter() {
                let bytes = record.data_bytes();
                let full = self.data_bytes() + bytes > DATA_BYTES_MAX || self.count == RECORDS_MAX;
                if self.count > 0 && full {
                    left = left.saturating_sub(self.bytes.len());
                    batches.push(self.finish());
                }
                if self.count == 0 {
                    let room = left.min(DATA_BYTES_MAX + (DATA_BYTES_MAX >> 5)).max(bytes);
                    self.begin(HEADER_BYTES + room);
                }
                self.push(record, append_time_ms.unwrap_or(record.timestamp_ms));
            }
        }
        if self.count > 0 {
            batches.push(self.finish());
        }
        batches
    }

    /// What is left of a batch of which records are removed: over the offsets it had. `None` when nothing is.
    pub(crate) fn rewrite(&mut self, kept: &[Record<'_>], extent: &Extent) -> Option<Unplaced> {
        let bytes: usize = kept.iter().map(Record::data_bytes).sum();
        self.begin(HEADER_BYTES + bytes);
        match extent.deletions_kept_until_ms {
            None => put_varint(&mut self.meta, 0),
            Some(time) => {
                put_varint(&mut self.meta, 1);
                put_varint(&mut self.meta, zigzag(time));
            }
        }
        let mut next = extent.base;
        for record in kept {
            put_varint(&mut self.meta, record.offset - next);
            self.push(*record, record.timestamp_ms);
            next = record.offset + 1;
        }
        if kept.is_empty() {
            self.bytes.clear();
            return None;
        }
        Some(Unplaced { version: COMPACTED, count: extent.count, ..self.finish() })
    }

    fn begin(&mut self, capacity: usize) {
        self.bytes = Vec::with_capacity(capacity);
        self.bytes.resize(HEADER_BYTES, 0);
        self.meta.clear();
    }

    fn data_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(HEADER_BYTES)
    }

    #[inline]
    fn push(&mut self, record: Record<'_>, timestamp_ms: i64) {
        if self.count == 0 {
            self.first_timestamp_ms = timestamp_ms;
            self.max_timestamp_ms = timestamp_ms;
            self.previous_timestamp_ms = timestamp_ms;
        }
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
        put_varint(&mut self.meta, zigzag(timestamp_ms.wrapping_sub(self.previous_timestamp_ms)));
        self.previous_timestamp_ms = timestamp_ms;
        for part in [record.key, record.value] {
            put_varint(&mut self.meta, part.map_or(0, |part| part.len() as u64 + 1));
            self.bytes.extend_from_slice(part.unwrap_or_default());
        }
        let headers = if record.headers.is_empty() { &[] } else { record.headers.as_bytes() };
        put_varint(&mut self.meta, headers.len() as u64);
        self.bytes.extend_from_slice(headers);
        self.count += 1;
    }

    fn finish(&mut self) -> Unplaced {
        let data_bytes = self.data_bytes() as u32;
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.extend_from_slice(&self.meta);
        let body_checksum = crc32c::crc32c(&bytes[HEADER_BYTES..]);
        Unplaced {
            version: APPENDED,
            bytes,
            count: std::mem::take(&mut self.count),
            data_bytes,
            meta_bytes: self.meta.len() as u32,
            first_timestamp_ms: self.first_timestamp_ms,
            max_timestamp_ms: self.max_timestamp_ms,
            body_checksum,
        }
    }
}
