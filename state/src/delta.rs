//! What changed since the last commit: per store, keys with their new values or tombstones.
//!
//! A [`Delta`] is a list of [`DeltaBlock`]s, one per store that changed. It is written into the journal entry of the
//! commit, absorbed into *pending* when the commit succeeded, and folded in order at a restore.
//!
//! ```text
//! block:  store u16 | rows u32 | key ends u32.. | keys | value ends u32.. | values | tombstone bits
//! ```
//! All numbers are little endian. The journal compresses the whole.

use crate::BytesColumn;
use std::sync::OnceLock;

/// Number of a store within its task, given by the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub u16);

/// Net changes of one store. Where a key stands twice, the later row wins.
#[derive(Debug, Default)]
pub struct DeltaBlock {
    keys: BytesColumn,
    values: BytesColumn,
    tombstones: Vec<bool>,
    /// Rows in key order, each key once (its last row). Made when first asked for: most blocks are never read.
    sorted: OnceLock<Box<[u32]>>,
    /// Says of most keys that are not here that they are not. Made when first asked for.
    filter: OnceLock<Filter>,
}

impl DeltaBlock {
    /// Number of rows, tombstones included.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Records that `key` now has `value`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(key, Some(value));
    }

    /// Records that `key` is gone.
    pub fn delete(&mut self, key: &[u8]) {
        self.push(key, None);
    }

    /// Appends a row: the new value, or `None` for a tombstone.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.sorted.take();
        self.filter.take();
        self.keys.push(key);
        self.values.push(value.unwrap_or_default());
        self.tombstones.push(value.is_none());
    }

    /// The key and the new value (`None`: a tombstone) of a row.
    pub fn row(&self, row: usize) -> (&[u8], Option<&[u8]>) {
        (self.keys.get(row), (!self.tombstones[row]).then(|| self.values.get(row)))
    }

    /// Memory of keys and values, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.values.memory_bytes() + self.tombstones.capacity()
    }

    /// Row numbers in key order, each key once.
    pub(crate) fn sorted(&self) -> &[u32] {
        self.sorted.get_or_init(|| {
            let mut order: Vec<(u128, u32)> =
                (0..self.len() as u32).map(|row| (prefix(self.key(row)), row)).collect();
            let by_key = |a: u32, b: u32| self.key(a).cmp(self.key(b));
            order.sort_unstable_by(|(a, row), (b, other)| {
                a.cmp(b).then_with(|| by_key(*row, *other)).then(other.cmp(row))
            });
            order.dedup_by(|later, first| later.0 == first.0 && by_key(later.1, first.1).is_eq());
            order.into_iter().map(|(_, row)| row).collect()
        })
    }

    /// Finds `key`, whose hash is [`key_hash`]: its new value, `Some(None)` for a tombstone, `None` when the block says
    /// nothing. New keys of a growing store are looked up in vain, so that has to be cheap: one word of the filter
    /// instead of a binary search through memory.
    pub(crate) fn find(&self, key: &[u8], hash: u64) -> Option<Option<&[u8]>> {
        let filter = self.filter.get_or_init(|| Filter::of(&self.keys));
        if !filter.may_hold(hash) {
            return None;
        }
        let order = self.sorted();
        let at = order.binary_search_by(|row| self.key(*row).cmp(key)).ok()?;
        Some(self.row(order[at] as usize).1)
    }

    pub(crate) fn key(&self, row: u32) -> &[u8] {
        self.keys.get(row as usize)
    }

    fn encode(&self, store: StoreId, out: &mut Vec<u8>) {
        out.extend(store.0.to_le_bytes());
        out.extend((self.len() as u32).to_le_bytes());
        for column in [&self.keys, &self.values] {
            for end in column.ends() {
                out.extend(end.to_le_bytes());
            }
            out.extend(column.data());
        }
        for bits in self.tombstones.chunks(8) {
            out.push(bits.iter().enumerate().fold(0, |byte, (bit, set)| byte | (u8::from(*set) << bit)));
        }
    }

    fn decode(input: &mut &[u8]) -> Option<(StoreId, Self)> {
        let store = StoreId(u16::from_le_bytes(take(input, 2)?.try_into().ok()?));
        let rows = u32::from_le_bytes(take(input, 4)?.try_into().ok()?) as usize;
        let keys = decode_column(input, rows)?;
        let values = decode_column(input, rows)?;
        let bits = take(input, rows.div_ceil(8))?;
        let tombstones = (0..rows).map(|row| bits[row / 8] >> (row % 8) & 1 == 1).collect();
        Some((store, DeltaBlock { keys, values, tombstones, ..DeltaBlock::default() }))
    }
}

/// The beginning of a key as a number that sorts as the key does: where two are equal the keys have to be looked at.
/// Sorting compares what lies in the sorted array, instead of following every key to its bytes.
pub(crate) fn prefix(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = key.len().min(16);
    bytes[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(bytes)
}

/// The hash that [`DeltaBlock::find`] goes by.
pub(crate) fn key_hash(key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(key)
}

/// A Bloom filter whose bits for one key are all in one word; a word for every four keys or fewer.
#[derive(Debug)]
struct Filter(Box<[u64]>);

impl Filter {
    fn of(keys: &BytesColumn) -> Self {
        let mut words = vec![0; (keys.len() / 4).next_power_of_two()].into_boxed_slice();
        for key in keys.iter() {
            let (word, bits) = Self::place(key_hash(key), words.len());
            words[word] |= bits;
        }
        Filter(words)
    }

    fn may_hold(&self, hash: u64) -> bool {
        let (word, bits) = Self::place(hash, self.0.len());
        self.0[word] & bits == bits
    }

    /// The word of a hash, and four bits of it. `words` is a power of two.
    #[inline]
    fn place(hash: u64, words: usize) -> (usize, u64) {
        let bit = |shift: u32| 1 << (hash >> shift & 63);
        ((hash >> 24) as usize & (words - 1), bit(0) | bit(6) | bit(12) | bit(18))
    }
}

fn decode_column(input: &mut &[u8], rows: usize) -> Option<BytesColumn> {
    let ends: Vec<u32> = take(input, rows.checked_mul(4)?)?
        .chunks_exact(4)
        .map(|end| u32::from_le_bytes([end[0], end[1], end[2], end[3]]))
        .collect();
    let data = take(input, ends.last().map_or(0, |end| *end as usize))?.to_vec();
    BytesColumn::from_parts(data, ends)
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let head = input.get(..length)?;
    *input = &input[length..];
    Some(head)
}

/// Net changes of all stores of a task in one commit.
#[derive(Debug, Default)]
pub struct Delta {
    blocks: Vec<(StoreId, DeltaBlock)>,
}

impl Delta {
    /// The block of `store`, made when it is not there yet. Blocks keep the order in which they were first asked for.
    pub fn block(&mut self, store: StoreId) -> &mut DeltaBlock {
        let at = self.blocks.iter().position(|(id, _)| *id == store).unwrap_or_else(|| {
            self.blocks.push((store, DeltaBlock::default()));
            self.blocks.len() - 1
        });
        &mut self.blocks[at].1
    }

    /// Drops blocks without rows.
    pub fn retain_changed(&mut self) {
        self.blocks.retain(|(_, block)| !block.is_empty());
    }

    /// Whether no store changed.
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|(_, block)| block.is_empty())
    }

    /// Number of changed keys over all stores.
    pub fn rows(&self) -> usize {
        self.blocks.iter().map(|(_, block)| block.len()).sum()
    }

    /// The blocks with their stores.
    pub fn blocks(&self) -> &[(StoreId, DeltaBlock)] {
        &self.blocks
    }

    pub(crate) fn into_blocks(self) -> Vec<(StoreId, DeltaBlock)> {
        self.blocks
    }

    /// Appends the uncompressed encoding, see the module's head.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (store, block) in self.blocks.iter().filter(|(_, block)| !block.is_empty()) {
            block.encode(*store, out);
        }
    }

    /// Reads what [`Delta::encode`] wrote; `None` when the bytes are not that.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut blocks = Vec::new();
        while !bytes.is_empty() {
            blocks.push(DeltaBlock::decode(&mut bytes)?);
        }
        Some(Delta { blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Delta {
        let mut delta = Delta::default();
        delta.block(StoreId(3)).put(b"b", b"1");
        delta.block(StoreId(3)).delete(b"a");
        delta.block(StoreId(3)).put(b"b", b"2");
        delta.block(StoreId(1)).put(b"", b"");
        delta
    }

    #[test]
    fn a_delta_survives_its_encoding() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        let read = Delta::decode(&bytes).expect("decodes");
        let rows: Vec<_> = read
            .blocks()
            .iter()
            .flat_map(|(id, block)| (0..block.len()).map(|row| (*id, block.row(row))))
            .collect();
        let expected: Vec<(StoreId, (&[u8], Option<&[u8]>))> = vec![
            (StoreId(3), (b"b", Some(b"1"))),
            (StoreId(3), (b"a", None)),
            (StoreId(3), (b"b", Some(b"2"))),
            (StoreId(1), (b"", Some(b""))),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_later_row_of_a_key_wins() {
        let delta = sample();
        let block = &delta.blocks()[0].1;
        let find = |key: &[u8]| block.find(key, key_hash(key));
        assert_eq!(find(b"b"), Some(Some(&b"2"[..])));
        assert_eq!(find(b"a"), Some(None));
        assert_eq!(find(b"c"), None);
        assert_eq!(block.sorted(), &[1, 2]);
    }

    #[test]
    fn the_filter_passes_every_key_there_is_and_few_others() {
        for rows in [0u32, 1, 5, 1000, 10_000] {
            let keys: BytesColumn = (0..rows).map(u32::to_le_bytes).collect();
            let filter = Filter::of(&keys);
            assert!((0..rows).all(|row| filter.may_hold(key_hash(&row.to_le_bytes()))));
            let others = rows..rows + 10_000;
            let passed = others.filter(|row| filter.may_hold(key_hash(&row.to_le_bytes()))).count();
            assert!(passed < 500, "{passed} of 10000 beside {rows}");
        }
    }

    #[test]
    fn a_cut_encoding_is_refused_wherever_it_is_cut() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        let second_block = {
            let mut first = Vec::new();
            sample().blocks()[0].1.encode(StoreId(3), &mut first);
            first.len()
        };
        for cut in (1..bytes.len()).filter(|cut| *cut != second_block) {
            assert!(Delta::decode(&bytes[..cut]).is_none(), "cut at {cut}");
        }
    }
}
