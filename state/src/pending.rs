//! Committed deltas that no checkpoint holds yet.
//!
//! Blocks are kept as they came. Reads look from the newest to the oldest; when reads meet more than [`BLOCKS_MAX`]
//! blocks of a store, they are first merged into one, so a commit that nobody reads back costs no sorting at all.

use crate::delta::{Delta, DeltaBlock, StoreId, prefix};
use std::collections::BTreeMap;

/// Blocks of one store that a read looks through before it merges them.
const BLOCKS_MAX: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    stores: BTreeMap<StoreId, Vec<DeltaBlock>>,
    bytes: usize,
}

impl Pending {
    pub(crate) fn absorb(&mut self, delta: Delta) {
        for (store, block) in delta.into_blocks() {
            if !block.is_empty() {
                self.bytes += block.memory_bytes();
                self.stores.entry(store).or_default().push(block);
            }
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.stores.clear();
        self.bytes = 0;
    }

    /// The store's blocks, at most [`BLOCKS_MAX`] of them, oldest first.
    pub(crate) fn blocks(&mut self, store: StoreId) -> &[DeltaBlock] {
        let Some(blocks) = self.stores.get_mut(&store) else { return &[] };
        if blocks.len() > BLOCKS_MAX {
            let before: usize = blocks.iter().map(DeltaBlock::memory_bytes).sum();
            let merged = merge(blocks);
            self.bytes = self.bytes - before + merged.memory_bytes();
            *blocks = vec![merged];
        }
        blocks
    }

    /// Calls `each` for every key with its newest row, in (store, key) order: what a checkpoint writes.
    pub(crate) fn for_each_newest(&self, mut each: impl FnMut(StoreId, &[u8], Option<&[u8]>)) {
        for (store, blocks) in &self.stores {
            merge_range(blocks, &[], None, |key, value| each(*store, key, value));
        }
    }
}

fn merge(blocks: &[DeltaBlock]) -> DeltaBlock {
    let mut merged = DeltaBlock::default();
    merge_range(blocks, &[], None, |key, value| merged.push(key, value));
    merged
}

/// Walks the keys of several blocks in `[lower, upper)` in order; of equal keys the newest block's row is given.
pub(crate) fn merge_range(
    blocks: &[DeltaBlock],
    lower: &[u8],
    upper: Option<&[u8]>,
    mut each: impl FnMut(&[u8], Option<&[u8]>),
) {
    let key = |age: u32, row: u32| blocks[age as usize].key(row);
    let mut rows: Vec<(u128, u32, u32)> = Vec::new();
    for (age, block) in (0..).zip(blocks) {
        let order = block.sorted();
        let start = order.partition_point(|row| block.key(*row) < lower);
        let end = upper.map_or(order.len(), |upper| order.partition_point(|row| block.key(*row) < upper));
        rows.extend(order[start..end.max(start)].iter().map(|row| (prefix(block.key(*row)), age, *row)));
    }
    // A stable sort finds the blocks' ascending runs and merges them.
    rows.sort_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| key(a.1, a.2).cmp(key(b.1, b.2))).then_with(|| b.1.cmp(&a.1))
    });
    let mut last: Option<&[u8]> = None;
    for (_, age, row) in rows {
        let (key, value) = blocks[age as usize].row(row as usize);
        if last != Some(key) {
            each(key, value);
            last = Some(key);
        }
    }
}

/// Walks the keys of several blocks in `[lower, upper)` in order, as [`merge_range`] does, but one at a time: for walks
/// that end early. Every step looks at each block.
pub(crate) struct Walk<'a> {
    blocks: &'a [DeltaBlock],
    /// By block: the rows that are left, in key order.
    rest: Vec<&'a [u32]>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(blocks: &'a [DeltaBlock], lower: &[u8], upper: Option<&[u8]>) -> Self {
        let rest = blocks.iter().map(|block| {
            let order = block.sorted();
            let start = order.partition_point(|row| block.key(*row) < lower);
            let end = upper.map_or(order.len(), |upper| order.partition_point(|row| block.key(*row) < upper));
            &order[start..end.max(start)]
        });
        Walk { blocks, rest: rest.collect() }
    }

    /// The next key.
    pub(crate) fn peek(&self) -> Option<&'a [u8]> {
        let keys =
            self.rest.iter().zip(self.blocks).filter_map(|(rest, block)| Some(block.key(*rest.first()?)));
        keys.min()
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.peek()?;
        let mut newest = None;
        for (rest, block) in self.rest.iter_mut().zip(self.blocks) {
            if let Some((row, after)) = rest.split_first()
                && block.key(*row) == key
            {
                newest = Some(block.row(*row as usize).1);
                *rest = after;
            }
        }
        Some((key, newest?))
    }
}
