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

use bytes::Bytes;
use millstream_operators::{Offset, Record, Records, RecordsOver};

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
pub(crate) struct Span {
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

/// Records of a batch are taken up to this many bytes of data; a larger record gets a batch of its own.
const DATA_BYTES_MAX: usize = 1 << 20;
/// The most records of a batch: one reaches at most into the next block of summaries.
pub(crate) const RECORDS_MAX: u32 = 1 << 16;

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
    pub(crate) fn rewrite(&mut self, kept: &[Record<'_>], span: &Span) -> Option<Unplaced> {
        let bytes: usize = kept.iter().map(Record::data_bytes).sum();
        self.begin(HEADER_BYTES + bytes);
        match span.deletions_kept_until_ms {
            None => put_varint(&mut self.meta, 0),
            Some(time) => {
                put_varint(&mut self.meta, 1);
                put_varint(&mut self.meta, zigzag(time));
            }
        }
        let mut next = span.base;
        for record in kept {
            put_varint(&mut self.meta, record.offset - next);
            self.push(*record, record.timestamp_ms);
            next = record.offset + 1;
        }
        if kept.is_empty() {
            self.bytes.clear();
            return None;
        }
        Some(Unplaced { version: COMPACTED, count: span.count, ..self.finish() })
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

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[inline]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[inline]
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for shift in (7..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_operators::{Headers, RecordsBuilder};
    use proptest::prelude::*;

    type Row = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300));
        let headers = proptest::collection::vec(("[a-z]{0,5}", bytes()), 0..3);
        proptest::collection::vec((any::<i64>(), bytes(), bytes(), headers), 1..20)
    }

    fn records(rows: &[Row]) -> Records {
        let mut builder = RecordsBuilder::default();
        for (timestamp_ms, key, value, headers) in rows {
            let (key, value) = (key.as_deref(), value.as_deref());
            let record =
                Record { offset: 0, timestamp_ms: *timestamp_ms, key, value, headers: Headers::NONE };
            let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            builder.push_with_headers(record, headers);
        }
        builder.finish()
    }

    fn stored(rows: &[Row]) -> StoredBatch {
        let records = records(rows);
        one(Encoder::default().encode(&[records], None)).place(3, 4, 1_000)
    }

    fn one(mut batches: Vec<Unplaced>) -> Unplaced {
        assert_eq!(batches.len(), 1);
        batches.remove(0)
    }

    fn few() -> Vec<Row> {
        let header = ("h".to_owned(), Some(b"1".to_vec()));
        vec![
            (5, Some(b"key".to_vec()), Some(b"value".to_vec()), vec![header]),
            (-9, None, None, vec![]),
            (i64::MAX, Some(vec![]), Some(vec![7; 300]), vec![]),
        ]
    }

    proptest! {
        #[test]
        fn a_batch_gives_back_its_records(rows in rows()) {
            let batch = stored(&rows);
            let found = decode(&batch.bytes, 3, 4, Some(1_000)).expect("just encoded");
            let wanted = records(&rows);
            prop_assert_eq!(found.len(), rows.len());
            for ((found, wanted), offset) in found.iter().zip(wanted.iter()).zip(1_000..) {
                prop_assert_eq!(found.offset, offset);
                prop_assert_eq!(Record { offset: 0, ..found }, wanted);
            }
            let max = rows.iter().map(|row| row.0).max().expect("not empty");
            prop_assert_eq!(batch.max_timestamp_ms, max);
            prop_assert_eq!(batch.next(), 1_000 + rows.len() as u64);
            prop_assert_eq!(decode_own(&batch).expect("just encoded").checksum(), found.checksum());
        }

        #[test]
        fn any_changed_byte_is_found(rows in rows(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = stored(&rows).bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(decode(&Bytes::from(bytes), 3, 4, Some(1_000)).is_err());
        }

        #[test]
        fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&Bytes::from(bytes), 0, 0, None).is_err());
        }

        /// Checksums say nothing against a body that was malformed when it was summed up: no panic there either.
        #[test]
        fn a_malformed_body_never_panics(
            body in proptest::collection::vec(any::<u8>(), 0..100),
            data_bytes in 0u32..120,
            count in 0u32..50,
            base in any::<u64>(),
            version in APPENDED..=COMPACTED,
        ) {
            let mut bytes = vec![0; HEADER_BYTES];
            bytes.extend(&body);
            let meta_bytes = (body.len() as u32).saturating_sub(data_bytes);
            let body_checksum = crc32c::crc32c(&body);
            let unplaced = Unplaced {
                version,
                bytes, count, data_bytes, meta_bytes, first_timestamp_ms: 0, max_timestamp_ms: 0, body_checksum,
            };
            let base = base.min(u64::MAX - 100);
            if let Ok(records) = decode(&unplaced.place(0, 0, base).bytes, 0, 0, Some(base)) {
                records.iter().for_each(|record| { record.headers.iter().count(); });
            }
        }
    }

    #[test]
    fn a_compacted_batch_keeps_its_offsets_and_the_time_of_its_deletions() {
        let rows: Vec<Row> =
            (0..6).map(|n| (n, Some(vec![n as u8]), (n != 4).then(|| vec![9]), vec![])).collect();
        let whole = decode(&stored(&rows).bytes, 3, 4, Some(1_000)).unwrap();
        for (left, time) in
            [(vec![1, 4], Some(-5)), (vec![0, 5], None), (vec![3], Some(i64::MAX)), (vec![], None)]
        {
            let kept: Vec<Record<'_>> = left.iter().map(|index| whole.get(*index)).collect();
            let span = Span { base: 1_000, count: 6, deletions_kept_until_ms: time };
            let Some(batch) = Encoder::default().rewrite(&kept, &span) else {
                assert!(left.is_empty());
                continue;
            };
            let batch = batch.place(3, 4, 1_000);
            assert_eq!((batch.next(), deletions_kept_until(&batch.bytes)), (1_006, time));
            let read = decode(&batch.bytes, 3, 4, Some(1_000)).unwrap();
            assert_eq!(read.iter().collect::<Vec<_>>(), kept);
            for end in 0..batch.bytes.len() {
                assert!(decode(&batch.bytes.slice(..end), 3, 4, Some(1_000)).is_err(), "cut at {end}");
            }
        }
        assert_eq!(deletions_kept_until(&stored(&rows).bytes), None);
    }

    #[test]
    fn every_bit_of_a_batch_is_covered() {
        let good = stored(&few()).bytes;
        for bit in 0..good.len() * 8 {
            let mut bytes = good.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&Bytes::from(bytes), 3, 4, Some(1_000)).is_err(), "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(decode(&good.slice(..length), 3, 4, Some(1_000)).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_batch_in_the_wrong_place_is_refused() {
        let batch = stored(&few());
        let misplaced = BatchError::Misplaced { topic: 3, partition: 4, base: 1_000 };
        assert_eq!(decode(&batch.bytes, 3, 4, Some(1_003)).expect_err("elsewhere"), misplaced);
        assert_eq!(decode(&batch.bytes, 3, 5, None).expect_err("elsewhere"), misplaced);
    }

    #[test]
    fn a_newer_version_is_named() {
        let mut bytes = stored(&few()).bytes.to_vec();
        bytes[0] = VERSION + 1;
        let error = decode(&Bytes::from(bytes), 3, 4, None).expect_err("newer");
        assert_eq!(error, BatchError::Version(VERSION + 1));
    }

    #[test]
    fn append_time_replaces_every_timestamp() {
        let records = records(&few());
        let batch = one(Encoder::default().encode(&[records], Some(77))).place(0, 0, 0);
        let found = decode(&batch.bytes, 0, 0, None).expect("just encoded");
        assert!(found.iter().all(|record| record.timestamp_ms == 77));
        assert_eq!(batch.max_timestamp_ms, 77);
    }

    #[test]
    fn runs_are_joined_and_large_ones_split() {
        let mut encoder = Encoder::default();
        let (few, none) = (records(&few()), Records::default());
        let joined = one(encoder.encode(&[few.clone(), none.clone(), few.clone()], None));
        assert_eq!(joined.count(), 6);
        assert!(encoder.encode(&[none], None).is_empty());

        let mut large = RecordsBuilder::default();
        let value = vec![1; DATA_BYTES_MAX / 2 - 10];
        for _ in 0..5 {
            large.push(None, Some(&value), 0);
        }
        large.push(None, Some(&vec![2; DATA_BYTES_MAX * 2]), 0);
        large.push(None, Some(b"small"), 0);
        let batches = encoder.encode(&[large.finish()], None);
        let counts: Vec<u32> = batches.iter().map(Unplaced::count).collect();
        assert_eq!(counts, [2, 2, 1, 1, 1]);
    }
}
