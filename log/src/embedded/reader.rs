//! A reader in the process that owns the log.

use super::batch::StoredBatch;
use super::engine::Shared;
use super::partition::{Partition, Segment};
use super::scan::{ReadLimit, from_position, own_records};
use super::wake::Waker;
use crate::{Isolation, LogError, ReadStatus, Reader, ReaderOptions, Run};
use millstream_records::{Offset, Records, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes that one poll hands out, and takes of one partition before it looks at the next.
const POLL_BYTES_MAX: usize = 4 << 20;
const TURN_BYTES_MAX: usize = 1 << 20;

/// Reads partitions, in turns. Nothing is fetched ahead: what is new is in memory, and what is old is read in order.
#[derive(Debug)]
pub(crate) struct EmbeddedReader {
    shared: Arc<Shared>,
    isolation: Isolation,
    poll_bytes_max: usize,
    waker: Arc<Waker>,
    assigned: Vec<Assigned>,
    /// Where each partition is in `assigned`.
    index: BTreeMap<TopicPartition, usize>,
    /// Which partition has the next turn.
    turn: usize,
}

#[derive(Debug)]
struct Assigned {
    place: TopicPartition,
    position: Offset,
    paused: bool,
    /// Found when it is first read: the topic may be made later.
    partition: Option<Arc<Partition>>,
}

impl EmbeddedReader {
    pub(crate) fn new(shared: &Arc<Shared>, options: &ReaderOptions) -> Self {
        EmbeddedReader {
            shared: Arc::clone(shared),
            isolation: options.isolation,
            poll_bytes_max: options.queue_bytes_max.clamp(1, POLL_BYTES_MAX),
            waker: Arc::default(),
            assigned: Vec::new(),
            index: BTreeMap::new(),
            turn: 0,
        }
    }

    /// Reads what is there; `false` when that is nothing. An error of one partition keeps no other from being read.
    fn fetch(&mut self, runs: &mut Vec<Run>) -> Result<bool, LogError> {
        self.shared.check()?;
        let before = runs.len();
        let mut error = None;
        let mut bytes_left = self.poll_bytes_max;
        let count = self.assigned.len();
        for _ in 0..count {
            self.turn = (self.turn + 1) % count;
            match self.read_turn(bytes_left.min(TURN_BYTES_MAX), runs) {
                Ok(bytes) => bytes_left = bytes_left.saturating_sub(bytes),
                Err(failed) => error = error.or(Some(failed)),
            }
            if bytes_left == 0 {
                break;
            }
        }
        error.map_or(Ok(runs.len() > before), Err)
    }

    /// Reads from the partition whose turn it is; gives the bytes read.
    fn read_turn(&mut self, bytes_max: usize, runs: &mut Vec<Run>) -> Result<usize, LogError> {
        let shared = Arc::clone(&self.shared);
        let assigned = &mut self.assigned[self.turn];
        if assigned.paused {
            return Ok(0);
        }
        let partition = assigned.partition(&shared, &self.waker)?;
        let from = assigned.position;
        check_position(&partition, from)?;
        let mut found = Vec::new();
        let mut position = from;
        // Passes over gaps; stops at the first records.
        while found.is_empty() {
            position = match partition.segment(position, self.isolation, bytes_max) {
                Segment::End => break,
                Segment::Memory { batches, next } => {
                    own_runs(&partition, &batches, position, &mut found)?;
                    next
                }
                Segment::Stored { until } => {
                    let limit = ReadLimit { bytes: bytes_max, until };
                    shared.read_stored(&partition, position, limit, &mut found)?
                }
            };
        }
        // Records that were removed meanwhile look like a gap; but the start moves before they go.
        check_position(&partition, from)?;
        assigned.position = position;
        let bytes = found.iter().map(Records::data_bytes).sum();
        let place = &assigned.place;
        runs.extend(found.into_iter().map(|records| Run { place: place.clone(), records }));
        Ok(bytes)
    }

    /// Where it stands in each partition that it has found.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = (&TopicPartition, ReadStatus)> {
        self.assigned.iter().filter_map(|assigned| Some((&assigned.place, self.status_of(assigned)?)))
    }

    fn status_of(&self, assigned: &Assigned) -> Option<ReadStatus> {
        let end = assigned.partition.as_ref()?.bounds()?.end(self.isolation);
        Some(ReadStatus { position: assigned.position, end })
    }
}

impl Assigned {
    fn partition(&mut self, shared: &Shared, waker: &Arc<Waker>) -> Result<Arc<Partition>, LogError> {
        if let Some(partition) = &self.partition {
            return Ok(Arc::clone(partition));
        }
        let partition = shared.partition(&self.place)?;
        partition.watch(waker);
        self.partition = Some(Arc::clone(&partition));
        Ok(partition)
    }
}

fn check_position(partition: &Partition, position: Offset) -> Result<(), LogError> {
    let place = &partition.place;
    let Some(bounds) = partition.bounds() else { return Err(LogError::UnknownTopic(place.to_string())) };
    if (bounds.start..=bounds.next).contains(&position) {
        return Ok(());
    }
    let (start, end) = (bounds.start, bounds.next);
    Err(LogError::OffsetOutOfRange { place: place.clone(), wanted: position, start, end })
}

fn own_runs(
    partition: &Partition,
    batches: &[StoredBatch],
    position: Offset,
    found: &mut Vec<Records>,
) -> Result<(), LogError> {
    for batch in batches {
        found.push(from_position(own_records(partition, batch)?, position));
    }
    Ok(())
}

impl Reader for EmbeddedReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        self.shared.check()?;
        let mut before: Vec<Option<Assigned>> =
            std::mem::take(&mut self.assigned).into_iter().map(Some).collect();
        let index_before = std::mem::take(&mut self.index);
        for (place, position) in places {
            if self.index.contains_key(place) {
                continue;
            }
            let kept = index_before.get(place).and_then(|index| before[*index].take());
            let mut assigned = kept.unwrap_or_else(|| Assigned {
                place: place.clone(),
                position: *position,
                paused: false,
                partition: None,
            });
            // Its end is known from here on; that a topic does not exist is told by `poll`.
            let _ = assigned.partition(&self.shared, &self.waker);
            self.index.insert(place.clone(), self.assigned.len());
            self.assigned.push(assigned);
        }
        for gone in before.into_iter().flatten().filter_map(|assigned| assigned.partition) {
            gone.unwatch(&self.waker);
        }
        self.turn = 0;
        Ok(())
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        if let Some(index) = self.index.get(place) {
            self.assigned[*index].paused = paused;
        }
        Ok(())
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        if self.fetch(runs)? || timeout.is_zero() {
            return Ok(());
        }
        let deadline = Instant::now() + timeout;
        loop {
            self.waker.prepare();
            if self.fetch(runs).inspect_err(|_| self.waker.cancel())? {
                self.waker.cancel();
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.waker.cancel();
                return Ok(());
            }
            self.waker.wait(left);
        }
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        self.status_of(self.assigned.get(*self.index.get(place)?)?)
    }
}

impl Drop for EmbeddedReader {
    fn drop(&mut self) {
        for partition in self.assigned.iter().filter_map(|assigned| assigned.partition.as_ref()) {
            partition.unwatch(&self.waker);
        }
    }
}
