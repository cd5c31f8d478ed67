//! Walking the batches that a broker answered for one partition.

use super::header::{PREFIX_BYTES, i32_at, i64_at};
use super::{BatchError, BatchHeader, Body, Decompressor, HEADER_BYTES};
use bytes::Bytes;

/// The batches in what a broker answered for one partition. The last one may be cut off, for brokers answer as many
/// bytes as were asked for: it is left out, and fetched again from its first offset.
///
/// ```
/// use millstream_wire::batch::{BatchEncoder, Batches, Compression, Decompressor, Stamp};
/// let mut encoder = BatchEncoder::default();
/// encoder.push(1_000, Some(b"key"), Some(b"value"), std::iter::empty())?;
/// let sealed = encoder.seal(Compression::None)?.stamp(&Stamp::default());
/// let mut batches = Batches::new(sealed);
/// let batch = batches.next_batch()?.expect("one batch");
/// let body = batch.open(&mut Decompressor::default())?;
/// body.for_each(|record| {
///     assert_eq!(record.key.of(body.buffer()), Some(&b"key"[..]));
/// })?;
/// # Ok::<(), millstream_wire::batch::BatchError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Batches {
    buffer: Bytes,
    position: usize,
}

/// A batch whose checksum is right.
#[derive(Debug, Clone)]
pub struct Batch {
    header: BatchHeader,
    /// What it is a part of.
    buffer: Bytes,
    start: usize,
    end: usize,
}

impl Batches {
    /// The batches of an answer.
    pub fn new(buffer: Bytes) -> Self {
        Batches { buffer, position: 0 }
    }

    /// The next batch; `None` when there is none that is whole.
    ///
    /// # Errors
    /// [`BatchError`] for a batch that is damaged or in an old format. What follows it can't be read.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, BatchError> {
        let rest = &self.buffer[self.position..];
        if rest.len() < PREFIX_BYTES {
            return Ok(None);
        }
        let base_offset = i64_at(rest, 0);
        let malformed = |what| Err(BatchError::Malformed { base_offset, what });
        let Ok(length) = usize::try_from(i32_at(rest, 8)) else { return malformed("a negative length") };
        let length = PREFIX_BYTES + length;
        if length > rest.len() {
            return Ok(None);
        }
        if u32::try_from(self.buffer.len()).is_err() {
            return malformed("part of an answer of 4 GiB or more");
        }
        let header = BatchHeader::parse(&rest[..length])?;
        let start = self.position;
        self.position += length;
        Ok(Some(Batch { header, buffer: self.buffer.clone(), start, end: self.position }))
    }

    /// Bytes walked so far: where the batch begins that is not whole, or that is damaged.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl Batch {
    /// What it says about itself.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// All of its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Its records, decompressed if they have to be.
    ///
    /// # Errors
    /// [`BatchError`] when they can't be.
    pub fn open(&self, decompressor: &mut Decompressor) -> Result<Body, BatchError> {
        let records = self.start + HEADER_BYTES..self.end;
        let header = self.header;
        match decompressor.decompress(&header, &self.buffer[records.clone()])? {
            None => Ok(Body::new(header, self.buffer.clone(), records)),
            Some(buffer) => {
                let records = 0..buffer.len();
                Ok(Body::new(header, buffer, records))
            }
        }
    }
}
