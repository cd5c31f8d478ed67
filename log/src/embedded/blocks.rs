//! Summaries of a partition's batches, one per 65 536 offsets: what lookups by time and retention by size go by
//! without touching the batches.
//!
//! All summaries are in memory (a billion records need half a megabyte). On disk are those of every block but the
//! newest, each written with the batch that began a newer one, and again with any batch that arrives late in a block;
//! the newest is made up from the index when the log is opened. Batches do not arrive in the order of their offsets:
//! transactions reserve offsets before they commit.

use super::keys::IndexEntry;
use millstream_records::Offset;
use std::collections::BTreeMap;

const BLOCK_BITS: u32 = 16;

/// What is known of the batches that begin in one block. The timestamp may be that of a batch that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) max_timestamp_ms: i64,
    pub(crate) bytes: u64,
    pub(crate) batches: u32,
}

impl Summary {
    const EMPTY: Summary = Summary { max_timestamp_ms: i64::MIN, bytes: 0, batches: 0 };

    pub(crate) fn encode(&self) -> [u8; 20] {
        let mut value = [0; 20];
        value[..8].copy_from_slice(&self.max_timestamp_ms.to_le_bytes());
        value[8..16].copy_from_slice(&self.bytes.to_le_bytes());
        value[16..].copy_from_slice(&self.batches.to_le_bytes());
        value
    }

    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        let (max_timestamp_ms, rest) = value.split_first_chunk::<8>()?;
        let (bytes, rest) = rest.split_first_chunk::<8>()?;
        Some(Summary {
            max_timestamp_ms: i64::from_le_bytes(*max_timestamp_ms),
            bytes: u64::from_le_bytes(*bytes),
            batches: u32::from_le_bytes(rest.try_into().ok()?),
        })
    }
}

/// The block that an offset lies in.
pub(crate) fn block_of(offset: Offset) -> u64 {
    offset >> BLOCK_BITS
}

/// The first offset of a block.
pub(crate) fn block_start(block: u64) -> Offset {
    block << BLOCK_BITS
}

/// The summaries of a partition.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    summaries: BTreeMap<u64, Summary>,
    bytes: u64,
}

impl Blocks {
    /// Takes a summary from disk; `None` when there can't be such a block.
    pub(crate) fn load(&mut self, block: u64, summary: Summary) -> Option<()> {
        if block > block_of(Offset::MAX - 1) || self.summaries.insert(block, summary).is_some() {
            return None;
        }
        self.bytes = self.bytes.checked_add(summary.bytes)?;
        Some(())
    }

    /// The first offset that no summary from disk covers.
    pub(crate) fn loaded_to(&self) -> Offset {
        self.summaries
            .last_key_value()
            .map_or(0, |(block, _)| block_start(*block).saturating_add(1 << BLOCK_BITS))
    }

    /// Adds a batch; gives the summary that has to be written with it, if one has.
    pub(crate) fn add(&mut self, base: Offset, entry: &IndexEntry) -> Option<(u64, Summary)> {
        let block = block_of(base);
        let newest = self.summaries.last_key_value().map(|(newest, summary)| (*newest, *summary));
        let summary = self.summaries.entry(block).or_insert(Summary::EMPTY);
        summary.max_timestamp_ms = summary.max_timestamp_ms.max(entry.max_timestamp_ms);
        summary.bytes += u64::from(entry.bytes);
        summary.batches += 1;
        self.bytes += u64::from(entry.bytes);
        let summary = *summary;
        match newest {
            Some((newest, of_newest)) if block > newest => Some((newest, of_newest)),
            Some((newest, _)) if block < newest => Some((block, summary)),
            _ => None,
        }
    }

    /// Takes a batch out; gives what its block's summary is now (`None`: the block is empty).
    pub(crate) fn remove(&mut self, base: Offset, entry: &IndexEntry) -> (u64, Option<Summary>) {
        let block = block_of(base);
        let Some(summary) = self.summaries.get_mut(&block) else { return (block, None) };
        let bytes = u64::from(entry.bytes).min(summary.bytes);
        summary.bytes -= bytes;
        summary.batches = summary.batches.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if summary.batches == 0 {
            self.summaries.remove(&block);
            return (block, None);
        }
        (block, Some(*summary))
    }

    /// Puts a smaller batch in the place of one; gives what its block's summary is now.
    pub(crate) fn replace(
        &mut self,
        base: Offset,
        entry: &IndexEntry,
        smaller: &IndexEntry,
    ) -> (u64, Option<Summary>) {
        let block = block_of(base);
        let less = u64::from(entry.bytes.saturating_sub(smaller.bytes));
        let Some(summary) = self.summaries.get_mut(&block) else { return (block, None) };
        let less = less.min(summary.bytes);
        summary.bytes -= less;
        self.bytes = self.bytes.saturating_sub(less);
        (block, Some(*summary))
    }

    /// Bytes of the batches in the blocks from that of an offset on.
    pub(crate) fn bytes_from(&self, offset: Offset) -> u64 {
        self.summaries.range(block_of(offset)..).map(|(_, summary)| summary.bytes).sum()
    }

    /// Bytes of all batches.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether `block` is older than the newest, and so has its summary on disk.
    pub(crate) fn is_closed(&self, block: u64) -> bool {
        self.summaries.last_key_value().is_some_and(|(newest, _)| block < *newest)
    }

    /// The first block from `from` on that may hold a record not older than `timestamp_ms`.
    pub(crate) fn first_with_time(&self, from: u64, timestamp_ms: i64) -> Option<u64> {
        let mut blocks = self.summaries.range(from..);
        blocks.find(|(_, summary)| summary.max_timestamp_ms >= timestamp_ms).map(|(block, _)| *block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(max_timestamp_ms: i64) -> IndexEntry {
        IndexEntry { count: 1, max_timestamp_ms, bytes: 10 }
    }

    #[test]
    fn a_summary_is_written_when_its_block_is_left_and_when_a_batch_comes_late() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.add(0, &entry(5)), None);
        assert_eq!(blocks.add(100, &entry(3)), None);
        let first = Summary { max_timestamp_ms: 5, bytes: 20, batches: 2 };
        assert_eq!(blocks.add(1 << 16, &entry(4)), Some((0, first)));
        let late = Summary { max_timestamp_ms: 9, bytes: 30, batches: 3 };
        assert_eq!(blocks.add(50, &entry(9)), Some((0, late)));
        assert_eq!(blocks.bytes(), 40);
        assert!(blocks.is_closed(0) && !blocks.is_closed(1));
    }

    #[test]
    fn blocks_are_found_by_time() {
        let mut blocks = Blocks::default();
        for (block, time) in [(0, 10), (1, 30), (2, 20), (5, 40)] {
            blocks.add(block_start(block), &entry(time));
        }
        assert_eq!(blocks.first_with_time(0, 15), Some(1));
        assert_eq!(blocks.first_with_time(2, 15), Some(2));
        assert_eq!(blocks.first_with_time(0, 35), Some(5));
        assert_eq!(blocks.first_with_time(0, 41), None);
    }

    #[test]
    fn removing_batches_empties_blocks() {
        let mut blocks = Blocks::default();
        blocks.add(0, &entry(10));
        blocks.add(5, &entry(10));
        assert_eq!(blocks.remove(0, &entry(10)).1.map(|summary| summary.batches), Some(1));
        assert_eq!(blocks.remove(5, &entry(10)), (0, None));
        assert_eq!(blocks.bytes(), 0);
        let summary = Summary { max_timestamp_ms: -1, bytes: 7, batches: 2 };
        assert_eq!(Summary::decode(&summary.encode()), Some(summary));
    }
}
