//! Which batches a reader of committed records sees.

use super::{Batch, BatchError, Decompressor};
use std::collections::{HashSet, VecDeque};

/// What a control batch says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlType {
    /// The producer's transaction was aborted.
    Abort,
    /// It was committed.
    Commit,
    /// Something of the brokers' own.
    Other(i16),
}

/// The aborted transactions of a Fetch answer of one partition, and which of them are open where the walk stands.
///
/// Ask about every batch, in order.
#[derive(Debug, Default)]
pub struct AbortedTransactions {
    /// Producer and first offset, by first offset.
    ahead: VecDeque<(i64, i64)>,
    open: HashSet<i64>,
}

impl AbortedTransactions {
    /// From the list in the answer: producer id and first offset of each transaction, in any order.
    pub fn new(transactions: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut ahead: Vec<(i64, i64)> = transactions.into_iter().collect();
        ahead.sort_by_key(|(_, first_offset)| *first_offset);
        AbortedTransactions { ahead: ahead.into(), open: HashSet::new() }
    }

    /// Whether the records of the next batch are committed. Control batches have none.
    ///
    /// # Errors
    /// [`BatchError`] for a control batch that can't be read.
    pub fn admits(&mut self, batch: &Batch) -> Result<bool, BatchError> {
        let header = batch.header();
        while let Some((producer, _)) = self.ahead.pop_front_if(|(_, first)| *first <= header.last_offset) {
            self.open.insert(producer);
        }
        if header.is_control {
            if batch.control_type()? == ControlType::Abort {
                self.open.remove(&header.producer_id);
            }
            return Ok(false);
        }
        Ok(!(header.is_transactional && self.open.contains(&header.producer_id)))
    }
}

impl Batch {
    /// What a control batch says.
    ///
    /// # Errors
    /// [`BatchError::Malformed`] when it says nothing.
    pub fn control_type(&self) -> Result<ControlType, BatchError> {
        let base_offset = self.header().base_offset;
        let body = self.open(&mut Decompressor::default())?;
        let mut found = None;
        body.for_each(|record| {
            // Version and type, two bytes each; later versions may have more.
            if let Some([_, _, high, low, ..]) = record.key.of(body.buffer()) {
                found = Some(i16::from_be_bytes([*high, *low]));
            }
        })?;
        match found {
            Some(0) => Ok(ControlType::Abort),
            Some(1) => Ok(ControlType::Commit),
            Some(other) => Ok(ControlType::Other(other)),
            None => Err(BatchError::Malformed { base_offset, what: "a marker without a type" }),
        }
    }
}
