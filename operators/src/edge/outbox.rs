//! What the next commit will send.
//!
//! Sinks write encoded records here, their partitions and timestamps already chosen. The runtime produces the whole
//! in the commit's transaction, and again, byte for byte, when that transaction was aborted. [`Outbox::hash`] stands
//! in the journal entry, so that a replay can be compared with what was sent.

use crate::records::{Records, RecordsBuilder, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Encoded records by topic and partition, and lines for the console.
#[derive(Debug, Default)]
pub struct Outbox {
    topics: BTreeMap<Arc<str>, BTreeMap<u32, RecordsBuilder>>,
    printed: Vec<PrintedLine>,
    bytes: usize,
}

/// A line of a `print` sink; written when its commit has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedLine {
    /// Whether it goes to standard error.
    pub to_stderr: bool,
    /// The line, without its end.
    pub text: String,
}

impl Outbox {
    /// The records for a partition so far. Call [`Outbox::account`] after appending.
    pub fn records(&mut self, topic: &Arc<str>, partition: u32) -> &mut RecordsBuilder {
        if !self.topics.contains_key(topic) {
            self.topics.insert(Arc::clone(topic), BTreeMap::new());
        }
        let partitions = self.topics.get_mut(topic).expect("was just inserted");
        partitions.entry(partition).or_default()
    }

    /// Adds to the size that bounds the outbox.
    pub fn account(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Adds a line for the console.
    pub fn print(&mut self, line: PrintedLine) {
        self.bytes += line.text.len();
        self.printed.push(line);
    }

    /// Bytes accounted for so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.topics.values().all(|partitions| partitions.values().all(RecordsBuilder::is_empty))
            && self.printed.is_empty()
    }

    /// Ends the outbox: what to produce, by topic and partition in order, and what to print.
    pub fn seal(&mut self) -> SealedOutbox {
        let taken = std::mem::take(self);
        let mut records = Vec::new();
        for (topic, partitions) in taken.topics {
            for (partition, builder) in partitions {
                if !builder.is_empty() {
                    records.push((TopicPartition::new(Arc::clone(&topic), partition), builder.finish()));
                }
            }
        }
        SealedOutbox { records, printed: taken.printed }
    }
}

/// An outbox that nothing is added to any more.
#[derive(Debug, Default, Clone)]
pub struct SealedOutbox {
    /// Records by partition, partitions in order.
    pub records: Vec<(TopicPartition, Records)>,
    /// Lines for the console.
    pub printed: Vec<PrintedLine>,
}

impl SealedOutbox {
    /// Hash over everything in it. Does not depend on buffers, only on content.
    pub fn hash(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for (place, records) in &self.records {
            hasher.update(place.topic.as_bytes());
            hasher.update(&place.partition.to_le_bytes());
            hasher.update(&records.checksum().to_le_bytes());
        }
        for line in &self.printed {
            hasher.update(line.text.as_bytes());
            hasher.update(b"\n");
        }
        hasher.digest()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.printed.is_empty()
    }
}
