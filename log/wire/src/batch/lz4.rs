//! The frames of LZ4 as Kafka has them: blocks that do not depend on each other.
//!
//! ```text
//! magic u32 = 0x184d2204 | flags u8 | block size u8 | content size u64, if flagged | head's checksum u8
//! { length u32, top bit: not compressed | block | checksum u32, if flagged }.. | 0 u32 | checksum u32, if flagged
//! ```
//! Blocks are compressed by the reference library straight into and out of the buffers that records stand in; a
//! general reader of frames copies all bytes once more and clears a block's memory for each frame. Checksums of frames
//! are passed over, because that of the batch was right.

use super::compression::Failure;
use crate::pool::Pool;
use bytes::Bytes;
use std::io;

const MAGIC: u32 = 0x184d_2204;
/// Flags: version 1, independent blocks.
const INDEPENDENT: u8 = 0b0110_0000;
const BLOCK_CHECKSUMS: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const DICTIONARY: u8 = 1;
/// The size of blocks by its number in a frame's head.
const BLOCK_BYTES_MAX: [usize; 4] = [64 << 10, 256 << 10, 1 << 20, 4 << 20];
const NOT_COMPRESSED: u32 = 1 << 31;
/// No block becomes more times larger.
const RATIO_MAX: usize = 255;
/// How a frame of LZ4 begins: its magic number, version 1, blocks that stand for themselves and have up to 256 KiB, no
/// checksums but that of these two bytes: the batch has one of its own.
const HEAD: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb];
const WRITTEN_BLOCK_BYTES: usize = 256 << 10;
/// How quickly the search gives up where nothing repeats. Of JSON rows of 334 bytes, a third of them noise: at 1 a record
/// takes 197 ns, at 3 it takes 143 ns and 1.3 % more bytes. A frame encoder, which copies, takes 220 to 350 ns.
const ACCELERATION: i32 = 3;
/// From this level on the search is thorough, as librdkafka has it.
const THOROUGH: i32 = 3;

/// A block, and whether it is compressed.
type Block<'a> = (&'a [u8], bool);

/// A frame's content; `None` for frames that are of another kind than this reads.
pub(super) fn decompress(frame: &[u8], bytes_max: usize, pool: &mut Pool) -> Option<Result<Bytes, Failure>> {
    let (block_bytes_max, has_checksums, mut rest) = head(frame)?;
    let cut = || Failure::Codec("a block is cut off".to_owned());
    let mut blocks = Vec::new();
    let mut room = 0_usize;
    loop {
        match next_block(rest, has_checksums) {
            Some((Some(block), tail)) => {
                let (bytes, is_compressed) = block;
                let most = if is_compressed { bytes.len().saturating_mul(RATIO_MAX) } else { bytes.len() };
                room = room.saturating_add(most.min(block_bytes_max));
                blocks.push(block);
                rest = tail;
            }
            Some((None, _)) => break,
            None => return Some(Err(cut())),
        }
    }
    Some(decode(&blocks, room.min(bytes_max), room > bytes_max, pool))
}

fn decode(blocks: &[Block<'_>], room: usize, may_be_more: bool, pool: &mut Pool) -> Result<Bytes, Failure> {
    let mut out = pool.take_full(room);
    let mut written = 0;
    for (block, is_compressed) in blocks {
        let to = &mut out[written..room];
        // What does not fit the room of all of them is too much, if the room was cut to the limit, and wrong if not.
        let failed = |reason: &str| match may_be_more {
            true => Failure::TooLarge,
            false => Failure::Codec(reason.to_owned()),
        };
        written += match is_compressed {
            false => {
                let to = to.get_mut(..block.len()).ok_or_else(|| failed("a block is too large"))?;
                to.copy_from_slice(block);
                block.len()
            }
            true => {
                let length = i32::try_from(to.len()).unwrap_or(i32::MAX);
                let decoded = lz4::block::decompress_to_buffer(block, Some(length), to);
                decoded.map_err(|error| failed(&error.to_string()))?
            }
        };
    }
    let whole = out.freeze();
    pool.remember(&whole);
    Ok(whole.slice(..written))
}

/// What a frame's head says: the size of blocks, whether they have checksums, and what follows.
fn head(frame: &[u8]) -> Option<(usize, bool, &[u8])> {
    let (magic, rest) = frame.split_first_chunk::<4>()?;
    let (&[flags, size], rest) = rest.split_first_chunk::<2>()?;
    if u32::from_le_bytes(*magic) != MAGIC || flags & 0b1110_0000 != INDEPENDENT || flags & DICTIONARY != 0 {
        return None;
    }
    let block_bytes_max = *BLOCK_BYTES_MAX.get(usize::from(size >> 4 & 7).checked_sub(4)?)?;
    let more = if flags & CONTENT_SIZE != 0 { 9 } else { 1 };
    Some((block_bytes_max, flags & BLOCK_CHECKSUMS != 0, rest.get(more..)?))
}

/// The next block, or that there is none, and what follows; `None` when it is cut off.
fn next_block(rest: &[u8], has_checksums: bool) -> Option<(Option<Block<'_>>, &[u8])> {
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == 0 {
        return Some((None, rest));
    }
    let (block, rest) = rest.split_at_checked((length & !NOT_COMPRESSED) as usize)?;
    let rest = if has_checksums { rest.get(4..)? } else { rest };
    Some((Some((block, length & NOT_COMPRESSED == 0)), rest))
}

/// Appends a frame.
pub(super) fn compress(level: Option<i32>, records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    use lz4::block::{CompressionMode, compress_bound, compress_to_buffer};
    let mode = match level {
        Some(level) if level >= THOROUGH => CompressionMode::HIGHCOMPRESSION(level),
        _ => CompressionMode::FAST(ACCELERATION),
    };
    out.extend_from_slice(&HEAD);
    // Room of its own that stays in the processor's cache, instead of room in `out` that would have to be cleared.
    let mut room = vec![0; compress_bound(records.len().min(WRITTEN_BLOCK_BYTES))?];
    for block in records.chunks(WRITTEN_BLOCK_BYTES) {
        let length = compress_to_buffer(block, Some(mode), false, &mut room)?;
        let (bytes, head) = match length < block.len() {
            true => (&room[..length], length as u32),
            false => (block, block.len() as u32 | NOT_COMPRESSED),
        };
        out.extend_from_slice(&head.to_le_bytes());
        out.extend_from_slice(bytes);
    }
    // No more blocks.
    out.extend_from_slice(&0u32.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
    use std::io::{Read, Write};

    fn contents() -> Vec<Vec<u8>> {
        let noise = |length: usize| {
            let mut state = 7_u64;
            let next = |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            };
            (0..length).map(next).collect::<Vec<u8>>()
        };
        let text = b"some text that repeats, and repeats, ".repeat(40_000);
        vec![vec![], vec![7], vec![0; 9 << 20], noise(100), noise(5 << 20), text]
    }

    fn unpacked(frame: &[u8], limit: usize) -> Option<Result<Bytes, Failure>> {
        decompress(frame, limit, &mut Pool::default())
    }

    #[test]
    fn what_is_written_is_read_here_and_by_a_general_reader() {
        for content in contents() {
            let mut frame = Vec::new();
            compress(None, &content, &mut frame).expect("compressed");
            let found = unpacked(&frame, 64 << 20).expect("of this kind").expect("a frame");
            assert!(found == content, "{}", content.len());
            let mut general = Vec::new();
            FrameDecoder::new(frame.as_slice()).read_to_end(&mut general).expect("a frame");
            assert!(general == content, "{}", content.len());
        }
    }

    #[test]
    fn frames_with_checksums_and_sizes_are_read_and_linked_blocks_left_to_others() {
        for content in contents() {
            for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
                let info = FrameInfo::new()
                    .block_size(size)
                    .block_checksums(true)
                    .content_checksum(true)
                    .content_size(Some(content.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(&content).expect("compressed");
                let frame = encoder.finish().expect("compressed");
                let found = unpacked(&frame, 64 << 20).expect("of this kind").expect("a frame");
                assert!(found == content, "{}", content.len());
            }
        }
        let info = FrameInfo::new().block_mode(BlockMode::Linked);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(b"text").expect("compressed");
        assert!(unpacked(&encoder.finish().expect("compressed"), 100).is_none());
    }

    #[test]
    fn what_is_too_large_or_no_frame_is_refused() {
        let mut frame = Vec::new();
        compress(None, &vec![1; 1 << 20], &mut frame).expect("compressed");
        assert!(unpacked(&frame, 1 << 20).is_some_and(|found| found.is_ok()));
        assert!(matches!(unpacked(&frame, (1 << 20) - 1), Some(Err(Failure::TooLarge))));
        for cut in 0..frame.len() {
            assert!(!matches!(unpacked(&frame[..cut], 2 << 20), Some(Ok(_))), "cut at {cut}");
        }
        for at in 7..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 0xff;
            // Anything but a panic.
            drop(unpacked(&changed, 2 << 20));
        }
    }
}
