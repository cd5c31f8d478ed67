//! A writer without transactions, in the process that owns the log.
//!
//! Small writes are gathered, so that they make batches worth the name: until there is enough, `flush` is called, or
//! a moment has passed.

use super::batch::Encoder;
use super::engine::Shared;
use super::partition::Partition;
use super::queue::{Append, Ticket, Unit};
use crate::{LogError, Writer};
use millstream_records::{Records, TopicPartition};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes gathered for a partition before they are sent on.
pub(crate) const GATHER_BYTES_MAX: usize = 512 << 10;
/// The largest record, whatever the topic allows: a batch has to stay far below 4 GiB.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// A writer.
#[derive(Debug)]
pub(crate) struct EmbeddedWriter {
    shared: Arc<Shared>,
    gathered: Arc<Mutex<Gathered>>,
}

/// What a writer was given and the queue has not. Shared with the log's own thread, which sends it on when the writer
/// says nothing more.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    by_place: BTreeMap<TopicPartition, Runs>,
    bytes: usize,
    encoder: Encoder,
    /// The last unit in the queue.
    ticket: Option<Ticket>,
    /// What went wrong since the last flush.
    error: Option<LogError>,
    /// Whether the log's own thread has it on its list.
    pub(crate) listed: bool,
}

#[derive(Debug)]
struct Runs {
    partition: Arc<Partition>,
    runs: Vec<Records>,
}

/// Checks the sizes of records against the topic's limit.
pub(crate) fn check_sizes(partition: &Partition, records: &Records) -> Result<(), LogError> {
    let limit = partition.config.max_message_bytes.min(RECORD_BYTES_MAX);
    if records.data_bytes() <= limit {
        return Ok(());
    }
    match records.iter().map(|record| record.data_bytes()).find(|bytes| *bytes > limit) {
        Some(bytes) => Err(LogError::RecordTooLarge { place: partition.place.clone(), bytes, limit }),
        None => Ok(()),
    }
}

/// Locks what a writer gathered.
pub(crate) fn lock(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gathered {
    /// Queues everything as one unit.
    pub(crate) fn send(&mut self, shared: &Shared) {
        let mut unit = Unit::default();
        for (_, Runs { partition, runs }) in std::mem::take(&mut self.by_place) {
            let append_time_ms = partition.config.log_append_time.then(|| shared.clock.wall_ms());
            let batches = self.encoder.encode(&runs, append_time_ms);
            if batches.is_empty() {
                continue;
            }
            // From here on readers wait for these offsets: whatever happens to the others, the unit is queued.
            match shared.place(&partition, batches, false) {
                Ok(batches) => unit.appends.push(Append { partition, batches, end: false }),
                Err(error) => self.error = self.error.take().or(Some(error)),
            }
        }
        self.bytes = 0;
        if unit.appends.is_empty() {
            return;
        }
        match shared.submit_later(unit) {
            Ok(ticket) => self.ticket = Some(ticket),
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }

    fn take_error(&mut self) -> Result<(), LogError> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl EmbeddedWriter {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        EmbeddedWriter { shared: Arc::clone(shared), gathered: Arc::default() }
    }
}

impl Writer for EmbeddedWriter {
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError> {
        let partition = self.shared.partition(place)?;
        check_sizes(&partition, &records)?;
        let bytes = records.data_bytes();
        self.shared.store.check_space(bytes)?;
        let mut gathered = lock(&self.gathered);
        gathered.take_error()?;
        let of_place = match gathered.by_place.get_mut(place) {
            Some(runs) => runs,
            None => gathered.by_place.entry(place.clone()).or_insert(Runs { partition, runs: Vec::new() }),
        };
        of_place.runs.push(records);
        gathered.bytes += bytes;
        if gathered.bytes >= GATHER_BYTES_MAX {
            gathered.send(&self.shared);
        } else if !gathered.listed {
            gathered.listed = true;
            self.shared.send_later(&self.gathered);
        }
        Ok(())
    }

    fn flush(&mut self, _timeout: Duration) -> Result<(), LogError> {
        self.shared.check()?;
        let mut gathered = lock(&self.gathered);
        gathered.send(&self.shared);
        let ticket = gathered.ticket.take();
        gathered.take_error()?;
        drop(gathered);
        ticket.map_or(Ok(()), |ticket| self.shared.wait(ticket))
    }
}

impl Drop for EmbeddedWriter {
    fn drop(&mut self) {
        if self.shared.check().is_ok() {
            lock(&self.gathered).send(&self.shared);
        }
    }
}

impl Shared {
    /// Has the log's own thread send on what a writer gathered.
    fn send_later(&self, gathered: &Arc<Mutex<Gathered>>) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(gathered));
        self.ticker.linger();
    }

    /// Sends on what writers gathered and have not sent.
    pub(crate) fn send_gathered(&self) {
        let gathered = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        for gathered in gathered.iter().filter_map(std::sync::Weak::upgrade) {
            let mut gathered = lock(&gathered);
            gathered.listed = false;
            gathered.send(self);
        }
    }
}
