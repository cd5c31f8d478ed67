//! Writing without transactions, by an idempotent producer.

use super::errors::{is_too_large, is_unknown_topic, log_error};
use super::native::{Code, NativeError, Producer, ProducerTopic};
use super::shared::Shared;
use crate::{LogError, Records, TopicPartition, Writer};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long records may wait for room in the queue.
const ROOM_WITHIN: Duration = Duration::from_secs(60);
/// How long is waited at once, milliseconds.
pub(super) const ROOM_STEP_MS: i32 = 10;

#[derive(Debug)]
pub(super) struct KafkaWriter {
    shared: Arc<Shared>,
    targets: Targets,
    producer: Producer,
}

/// Partitions written to. Goes before its producer does.
#[derive(Debug, Default)]
pub(super) struct Targets {
    topics: HashMap<Arc<str>, ProducerTopic>,
    /// Slots of delivery reports.
    slots: BTreeMap<TopicPartition, usize>,
}

impl Targets {
    /// The topic of a partition, and where its delivery reports go.
    pub(super) fn of(
        &mut self,
        producer: &Producer,
        place: &TopicPartition,
    ) -> Result<(&ProducerTopic, usize), NativeError> {
        if !self.topics.contains_key(&place.topic) {
            self.topics.insert(Arc::clone(&place.topic), producer.topic(&place.topic)?);
        }
        let slot = match self.slots.get(place) {
            Some(slot) => *slot,
            None => {
                let slot = producer.open_slot();
                self.slots.insert(place.clone(), slot);
                slot
            }
        };
        Ok((&self.topics[&place.topic], slot))
    }

    /// Partitions and their slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&TopicPartition, usize)> {
        self.slots.iter().map(|(place, slot)| (place, *slot))
    }

    /// Begins with new slots.
    pub(super) fn clear(&mut self, producer: &Producer) {
        producer.forget();
        self.slots.clear();
    }
}

impl KafkaWriter {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self, LogError> {
        let producer = Producer::new(shared.config().writer()?);
        let producer =
            producer.map_err(|error| LogError::Client(format!("no writer can be made: {error}")))?;
        Ok(KafkaWriter { shared: Arc::clone(shared), targets: Targets::default(), producer })
    }

    /// The first error of a record, if there was one since this was last asked.
    fn failure(&mut self) -> Result<(), LogError> {
        let failed = |(place, slot): (&TopicPartition, usize)| {
            self.producer.delivery(slot).failed.map(|(code, bytes)| (place.clone(), code, bytes))
        };
        let Some((place, code, bytes)) = self.targets.slots().find_map(failed) else { return Ok(()) };
        self.targets.clear(&self.producer);
        Err(self.translate(&place, &NativeError::of(code), bytes))
    }

    fn translate(&self, place: &TopicPartition, error: &NativeError, bytes: usize) -> LogError {
        if is_unknown_topic(error.code) {
            self.shared.forget_topic(&place.topic);
        }
        if !is_too_large(error.code) {
            return self.shared.place_error("writing", "Write", place, error);
        }
        let limit = self.shared.message_bytes_max(&place.topic);
        if bytes > limit {
            return LogError::RecordTooLarge { place: place.clone(), bytes, limit };
        }
        LogError::Client(too_large_together(place, bytes, limit))
    }
}

/// Records that are small enough, in a batch that is not.
pub(super) fn too_large_together(place: &TopicPartition, bytes: usize, limit: usize) -> String {
    format!(
        "{place} takes {limit} bytes at once, and the largest record has {bytes} bytes: raise max.message.bytes of the \
         topic, or set the client property batch.size below it"
    )
}

impl Writer for KafkaWriter {
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError> {
        self.shared.check_place(place)?;
        self.producer.client().poll(0);
        self.failure()?;
        let deadline = Instant::now() + ROOM_WITHIN;
        let mut from = 0;
        loop {
            let target = self.targets.of(&self.producer, place);
            let (topic, slot) =
                target.map_err(|error| self.shared.place_error("writing", "Write", place, &error))?;
            match self.producer.produce(topic, place.partition, &records, from, slot) {
                Ok(()) => return Ok(()),
                Err((at, error)) if error.code == Code::RD_KAFKA_RESP_ERR__QUEUE_FULL => {
                    from = at;
                    if Instant::now() >= deadline {
                        return Err(LogError::Timeout(format!("writing to {place}: no room in the queue")));
                    }
                    self.producer.client().poll(ROOM_STEP_MS);
                }
                Err((at, error)) => {
                    let record = records.get(at);
                    let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
                    return Err(self.translate(place, &error, bytes));
                }
            }
        }
    }

    fn flush(&mut self, timeout: Duration) -> Result<(), LogError> {
        let flushed = self.producer.flush(timeout);
        self.failure()?;
        if let Some(error) = self.producer.client().fatal_error() {
            return Err(log_error("writing", &error));
        }
        if flushed {
            // The next flush speaks of what is written from here on.
            self.targets.clear(&self.producer);
            return Ok(());
        }
        let last = self.producer.client().last_error();
        Err(LogError::Timeout(format!("records are not acknowledged; last: {last}")))
    }
}
