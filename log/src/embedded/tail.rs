//! The bound on what partitions keep in memory of what was just written.
//!
//! A job reads what another wrote a moment ago: those reads are served from the very buffers that went to the
//! database. One bound for all partitions; the batch written longest ago goes first.

use super::batch::StoredBatch;
use super::partition::Partition;
use millstream_records::Offset;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

#[derive(Debug)]
pub(crate) struct Tail {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<(Weak<Partition>, Offset, usize)>,
    bytes: usize,
}

/// What an entry costs beside the bytes of its batch.
const ENTRY_BYTES: usize = 128;

impl Tail {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Tail { bytes_max, kept: Mutex::default() }
    }

    /// Counts batches that a partition took into its tail, and drops the oldest beyond the bound.
    pub(crate) fn count(&self, partition: &Arc<Partition>, batches: &[StoredBatch]) {
        let mut evicted = Vec::new();
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            for batch in batches {
                let bytes = batch.bytes.len() + ENTRY_BYTES;
                kept.bytes += bytes;
                kept.batches.push_back((Arc::downgrade(partition), batch.base, bytes));
            }
            while kept.bytes > self.bytes_max
                && let Some((partition, base, bytes)) = kept.batches.pop_front()
            {
                kept.bytes -= bytes;
                evicted.push((partition, base));
            }
        }
        // Outside of the lock: freeing large buffers takes time.
        for (partition, base) in evicted {
            if let Some(partition) = partition.upgrade() {
                partition.evict(base);
            }
        }
    }
}
