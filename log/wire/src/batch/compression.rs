//! Compression of the records of a batch.

use super::lz4;
use super::{BatchError, BatchHeader};
use crate::pool::Pool;
use bytes::Bytes;
use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

/// How records are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy: one block when writing; Java's client splits it into several, with a head of their own.
    Snappy,
    /// LZ4, in its frame format.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Compression {
    const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    pub(super) fn of_number(number: i16) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    pub(super) fn number(self) -> i16 {
        self as i16
    }

    /// Its name in client properties.
    pub fn name(self) -> &'static str {
        ["none", "gzip", "snappy", "lz4", "zstd"][self as usize]
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|codec| codec.name() == name);
        found.ok_or_else(|| "not a codec: none, gzip, snappy, lz4 or zstd".to_owned())
    }
}

/// Decompresses batches, within a limit.
#[derive(Debug)]
pub struct Decompressor {
    bytes_max: usize,
    pool: Pool,
}

/// What a batch may have when decompressed, bytes. A batch has a megabyte on the wire unless the topic says otherwise.
const BYTES_MAX: usize = 256 << 20;

impl Default for Decompressor {
    fn default() -> Self {
        Decompressor::with_limit(BYTES_MAX)
    }
}

impl Decompressor {
    /// One that refuses batches with more bytes than this.
    pub fn with_limit(bytes_max: usize) -> Self {
        // Slices have 32 bits.
        Decompressor { bytes_max: bytes_max.min(u32::MAX as usize), pool: Pool::default() }
    }

    /// The records of a batch, or `None` where they are not compressed.
    pub(super) fn decompress(
        &mut self,
        header: &BatchHeader,
        records: &[u8],
    ) -> Result<Option<Bytes>, BatchError> {
        let base_offset = header.base_offset;
        let codec = header.compression;
        let result = match codec {
            Compression::None => return Ok(None),
            Compression::Gzip => self.read_all(flate2::read::MultiGzDecoder::new(records), records.len()),
            Compression::Snappy => self.snappy(records),
            Compression::Lz4 => match lz4::decompress(records, self.bytes_max, &mut self.pool) {
                Some(Ok(bytes)) => return Ok(Some(bytes)),
                Some(Err(failure)) => Err(failure),
                None => self.read_all(lz4_flex::frame::FrameDecoder::new(records), records.len()),
            },
            Compression::Zstd => zstd::Decoder::with_buffer(records)
                .map_err(Failure::from)
                .and_then(|decoder| self.read_all(decoder, records.len())),
        };
        match result {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(Failure::TooLarge) => Err(BatchError::TooLarge { base_offset, limit: self.bytes_max }),
            Err(Failure::Codec(reason)) => Err(BatchError::Decompress { base_offset, codec, reason }),
        }
    }

    fn read_all(&self, decoder: impl Read, compressed: usize) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::with_capacity((4 * compressed).min(self.bytes_max));
        decoder.take(self.bytes_max as u64 + 1).read_to_end(&mut out)?;
        if out.len() > self.bytes_max { Err(Failure::TooLarge) } else { Ok(out) }
    }

    /// One block, or what Java's client writes: a head, and blocks with their lengths.
    fn snappy(&self, records: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        let Some(mut rest) = records.strip_prefix(XERIAL_MAGIC) else {
            self.snappy_block(records, &mut out)?;
            return Ok(out);
        };
        // Two versions.
        rest = rest.get(8..).ok_or_else(|| Failure::Codec("a head that is cut off".to_owned()))?;
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let block = tail.split_at_checked(u32::from_be_bytes(*length) as usize);
            let (block, tail) = block.ok_or_else(|| Failure::Codec("a block is cut off".to_owned()))?;
            self.snappy_block(block, &mut out)?;
            rest = tail;
        }
        if rest.is_empty() { Ok(out) } else { Err(Failure::Codec("bytes after the last block".to_owned())) }
    }

    fn snappy_block(&self, block: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let codec = |error: snap::Error| Failure::Codec(error.to_string());
        let (start, length) = (out.len(), snap::raw::decompress_len(block).map_err(codec)?);
        if length > self.bytes_max - start {
            return Err(Failure::TooLarge);
        }
        if length > block.len().saturating_mul(SNAPPY_RATIO_MAX) {
            return Err(Failure::Codec(format!("{length} bytes can't come of a block of {}", block.len())));
        }
        out.resize(start + length, 0);
        let written = snap::raw::Decoder::new().decompress(block, &mut out[start..]).map_err(codec)?;
        out.truncate(start + written);
        Ok(())
    }
}

/// Bytes that one byte of a block of Snappy can stand for, at most: a copy of 64 bytes takes three.
const SNAPPY_RATIO_MAX: usize = 22;
/// How the framing of snappy-java begins.
const XERIAL_MAGIC: &[u8] = b"\x82SNAPPY\0";

/// Why records can't be decompressed.
#[derive(Debug)]
pub(super) enum Failure {
    TooLarge,
    Codec(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Codec(error.to_string())
    }
}

/// Appends the compressed form of `records` to `out`. `level` is the codec's own; `None` for its default, and without
/// meaning to Snappy.
pub(super) fn compress(
    codec: Compression,
    level: Option<i32>,
    records: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    let failed = |reason: String| BatchError::Compress { codec, reason };
    match codec {
        Compression::None => out.extend_from_slice(records),
        Compression::Gzip => {
            let level = level.and_then(|level| u32::try_from(level).ok()).filter(|level| *level <= 9);
            let level = level.map_or(flate2::Compression::default(), flate2::Compression::new);
            let mut encoder = flate2::write::GzEncoder::new(out, level);
            encoder.write_all(records).map_err(|error| failed(error.to_string()))?;
            encoder.finish().map_err(|error| failed(error.to_string()))?;
        }
        Compression::Snappy => {
            let start = out.len();
            out.resize(start + snap::raw::max_compress_len(records.len()), 0);
            let written = snap::raw::Encoder::new().compress(records, &mut out[start..]);
            out.truncate(start + written.map_err(|error| failed(error.to_string()))?);
        }
        Compression::Lz4 => lz4::compress(level, records, out).map_err(|error| failed(error.to_string()))?,
        Compression::Zstd => {
            let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
            zstd::stream::copy_encode(records, out, level).map_err(|error| failed(error.to_string()))?;
        }
    }
    Ok(())
}
