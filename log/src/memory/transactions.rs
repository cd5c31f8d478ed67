//! The transaction coordinator of the log in memory, as Apache Kafka's with `transaction.version` 1 behaves: one epoch
//! per writer and not per transaction, the end answered before the markers are written.

use millstream_records::TopicPartition;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Number of an idempotent writer.
pub(crate) type ProducerId = u64;

/// Who wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriterIdentity {
    pub(crate) producer: ProducerId,
    pub(crate) epoch: u32,
}

/// What the coordinator knows of one transactional id.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) writer: WriterIdentity,
    pub(crate) phase: Phase,
    pub(crate) timeout_ms: u64,
    /// Partitions and groups that are part of the open transaction.
    pub(crate) partitions: BTreeSet<TopicPartition>,
    pub(crate) groups: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    Ongoing {
        since_ms: u64,
    },
    /// Decided; `markers` are still to be written.
    Ending {
        commit: bool,
        markers: usize,
    },
    Ended {
        commit: bool,
    },
}

/// What the coordinator answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The transaction before is still being ended.
    Concurrent,
    /// A newer writer of the id is there, or the coordinator has aborted the transaction itself.
    OldEpoch,
    /// There is no transaction to end that way.
    InvalidState,
    /// The id is not known.
    UnknownId,
}

/// A marker to be written.
#[derive(Debug, Clone)]
pub(crate) struct Marker {
    pub(crate) id: Arc<str>,
    pub(crate) writer: WriterIdentity,
    pub(crate) commit: bool,
    pub(crate) target: MarkerTarget,
}

#[derive(Debug, Clone)]
pub(crate) enum MarkerTarget {
    Partition(TopicPartition),
    Group(String),
}

impl Transaction {
    /// Ends the open transaction: which markers have to be written.
    pub(crate) fn end(&mut self, id: &Arc<str>, commit: bool) -> Vec<Marker> {
        let partitions = std::mem::take(&mut self.partitions).into_iter().map(MarkerTarget::Partition);
        let groups = std::mem::take(&mut self.groups).into_iter().map(MarkerTarget::Group);
        let marker = |target| Marker { id: Arc::clone(id), writer: self.writer, commit, target };
        let markers: Vec<Marker> = partitions.chain(groups).map(marker).collect();
        self.phase = match markers.len() {
            0 => Phase::Ended { commit },
            markers => Phase::Ending { commit, markers },
        };
        markers
    }

    /// Whether requests of `writer` are let through.
    pub(crate) fn check_writer(&self, writer: WriterIdentity) -> Result<(), Refusal> {
        if writer == self.writer { Ok(()) } else { Err(Refusal::OldEpoch) }
    }

    /// Opens the transaction if it is not open.
    pub(crate) fn open(&mut self, writer: WriterIdentity, now_ms: u64) -> Result<(), Refusal> {
        self.check_writer(writer)?;
        match self.phase {
            Phase::Ending { .. } => Err(Refusal::Concurrent),
            Phase::Ongoing { .. } => Ok(()),
            Phase::Empty | Phase::Ended { .. } => {
                self.phase = Phase::Ongoing { since_ms: now_ms };
                Ok(())
            }
        }
    }
}
