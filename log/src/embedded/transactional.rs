//! A transactional writer in the process that owns the log.

use super::batch::Encoder;
use super::engine::Shared;
use super::partition::Partition;
use super::transactions::Identity;
use super::writer::{GATHER_BYTES_MAX, check_sizes};
use crate::{
    CommittedOffset, EndOutcome, GroupMetadata, TransactionError, TransactionOptions, TransactionalWriter,
};
use millstream_records::{Offset, Records, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run of at least this size is encoded at once where nothing waits before it: gathering it would copy its index.
const ENCODE_BYTES: usize = 64 << 10;

/// A transactional writer. Records get their offsets when enough are gathered, and at the latest by `flush`.
#[derive(Debug)]
pub(crate) struct EmbeddedTransactionalWriter {
    shared: Arc<Shared>,
    options: TransactionOptions,
    identity: Option<Identity>,
    begun: bool,
    encoder: Encoder,
    gathered: BTreeMap<TopicPartition, Gathered>,
    written: BTreeMap<TopicPartition, Offset>,
}

#[derive(Debug)]
struct Gathered {
    partition: Arc<Partition>,
    runs: Vec<Records>,
    bytes: usize,
}

impl EmbeddedTransactionalWriter {
    pub(crate) fn new(shared: &Arc<Shared>, options: &TransactionOptions) -> Self {
        EmbeddedTransactionalWriter {
            shared: Arc::clone(shared),
            options: options.clone(),
            identity: None,
            begun: false,
            encoder: Encoder::default(),
            gathered: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    fn identity(&self) -> Result<&Identity, TransactionError> {
        let identity = self.identity.as_ref().filter(|_| self.begun);
        identity.ok_or_else(|| TransactionError::Fatal("no transaction was begun".to_owned()))
    }

    /// Sends on what was gathered for a partition.
    fn send(&mut self, place: &TopicPartition) -> Result<(), TransactionError> {
        let Some(gathered) = self.gathered.remove(place) else { return Ok(()) };
        self.append(&gathered.partition, &gathered.runs)
    }

    fn append(&mut self, partition: &Arc<Partition>, runs: &[Records]) -> Result<(), TransactionError> {
        let append_time_ms = partition.config.log_append_time.then(|| self.shared.clock.wall_ms());
        let batches = self.encoder.encode(runs, append_time_ms);
        if batches.is_empty() {
            return Ok(());
        }
        let end = self.shared.append_open(self.identity()?, partition, batches)?;
        self.written.insert(partition.place.clone(), end);
        Ok(())
    }

    fn clear(&mut self) {
        self.gathered.clear();
        self.written.clear();
    }
}

impl TransactionalWriter for EmbeddedTransactionalWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        self.clear();
        self.begun = false;
        self.identity = Some(self.shared.init_writer(&self.options.id, self.options.timeout_ms)?);
        Ok(())
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        if self.identity.is_none() {
            return Err(TransactionError::Fatal("the writer was not initialized".to_owned()));
        }
        self.clear();
        self.begun = true;
        Ok(())
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        self.identity()?;
        let refuse = |reason: String| TransactionError::Refused { place: place.clone(), reason };
        let bytes = records.data_bytes();
        if let Some(gathered) = self.gathered.get_mut(place) {
            check_sizes(&gathered.partition, records).map_err(|error| refuse(error.to_string()))?;
            gathered.runs.push(records.clone());
            gathered.bytes += bytes;
            if gathered.bytes >= GATHER_BYTES_MAX {
                self.send(place)?;
            }
            return Ok(());
        }
        let partition = match self.shared.partition(place) {
            Ok(partition) => partition,
            Err(error) if self.shared.check().is_err() => {
                return Err(TransactionError::Fatal(error.to_string()));
            }
            Err(error) => return Err(refuse(error.to_string())),
        };
        check_sizes(&partition, records).map_err(|error| refuse(error.to_string()))?;
        if bytes >= ENCODE_BYTES {
            return self.append(&partition, std::slice::from_ref(records));
        }
        let gathered = Gathered { partition, runs: vec![records.clone()], bytes };
        self.gathered.insert(place.clone(), gathered);
        Ok(())
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        while let Some(place) = self.gathered.keys().next().cloned() {
            self.send(&place)?;
        }
        Ok(self.written.iter().map(|(place, end)| (place.clone(), *end)).collect())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        if offsets.is_empty() {
            // As clients of brokers do: nothing is sent, and nothing fences.
            return Ok(());
        }
        self.shared.send_offsets(self.identity()?, offsets, member)
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        self.flush()?;
        self.shared.commit_writer(self.identity()?)?;
        self.begun = false;
        self.clear();
        Ok(EndOutcome { sent_again: false })
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        self.clear();
        if std::mem::take(&mut self.begun)
            && let Some(identity) = &self.identity
        {
            self.shared.abort_writer(identity)?;
        }
        Ok(EndOutcome { sent_again: false })
    }
}

impl Drop for EmbeddedTransactionalWriter {
    fn drop(&mut self) {
        // Readers would wait for the time-out of a transaction that nobody can end any more. Where this fails, a newer
        // writer has ended it.
        let _ = self.abort();
    }
}
