//! Reading partitions assigned by hand.
//!
//! Messages come in batches over all partitions; a poll sorts them into one run per partition. Where a partition ends,
//! librdkafka says so once per end it reaches, with the offset that would be read next: that is how a position gets
//! past aborted records and markers, and how a read-committed reader knows the last stable offset.

use super::errors::{is_unknown_topic, log_error};
use super::native::{Code, Consumer, Message, Messages, NativeError};
use super::shared::Shared;
use crate::{
    LogError, Offset, ReadStatus, Reader, ReaderOptions, Record, RecordsBuilder, Run, TopicPartition,
};
use millstream_records::Headers;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often a client that takes a position that is there for one that is not is pointed at it again.
const POINTED_AGAIN_MAX: u32 = 5;

/// Messages of one poll: enough for decoders to run warm, few enough for a worker to look around in between.
const MESSAGES_MAX: usize = 8192;

#[derive(Debug)]
pub(super) struct KafkaReader {
    shared: Arc<Shared>,
    /// Freed before the consumer they belong to.
    messages: Messages,
    consumer: Consumer,
    places: BTreeMap<TopicPartition, Place>,
}

/// Where reading stands in a partition.
#[derive(Debug)]
struct Place {
    position: Offset,
    /// The end that was reached last.
    end_seen: Option<Offset>,
    paused: bool,
    /// How often the client was pointed at the position again since it last gave something.
    pointed_again: u32,
    /// Why it can't be read.
    failed: Option<LogError>,
}

/// The records of one partition in one poll.
struct Slot {
    topic: usize,
    place: TopicPartition,
    records: RecordsBuilder,
    /// The offset after the last record.
    position: Offset,
    end_seen: Option<Offset>,
}

impl KafkaReader {
    pub(super) fn new(shared: &Arc<Shared>, options: &ReaderOptions) -> Result<Self, LogError> {
        let consumer = Consumer::new(shared.config().reader(options)?);
        let consumer =
            consumer.map_err(|error| LogError::Client(format!("no reader can be made: {error}")))?;
        Ok(KafkaReader {
            shared: Arc::clone(shared),
            consumer,
            places: BTreeMap::new(),
            messages: Messages::with_room(MESSAGES_MAX),
        })
    }

    /// Sorts what was fetched into runs.
    fn sort(&mut self, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut current = usize::MAX;
        let mut errors = Vec::new();
        for message in self.messages.iter() {
            match message.code() {
                Code::RD_KAFKA_RESP_ERR_NO_ERROR => {
                    current = slot_of(&mut slots, current, &message, &self.places);
                    slots[current].push(&message);
                }
                Code::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                    current = slot_of(&mut slots, current, &message, &self.places);
                    slots[current].end_seen = u64::try_from(message.offset()).ok();
                }
                _ => {
                    let place = TopicPartition::new(message.topic(), message.partition());
                    errors.extend(message.error().map(|error| (place, error)));
                }
            }
        }
        self.messages.clear();
        for Slot { place, records, position, end_seen, .. } in slots {
            // What arrives of a partition that is not assigned any more is dropped.
            let Some(known) = self.places.get_mut(&place) else { continue };
            known.position = known.position.max(position).max(end_seen.unwrap_or(0));
            known.end_seen = end_seen.or(known.end_seen);
            known.pointed_again = 0;
            if !records.is_empty() {
                runs.push(Run { place, records: records.finish() });
            }
        }
        errors.into_iter().try_for_each(|(place, error)| self.on_error(place, &error))
    }

    /// The client says that it can't read at the position. Where the position is in the partition all the same it is
    /// pointed there again: seen at the very end of a partition, while the client was busy with others. A log that was
    /// cut has other records at the same offsets, so that is an error wherever the position is.
    fn on_out_of_range(&mut self, place: TopicPartition, error: &NativeError) -> Result<(), LogError> {
        let (start, end) = self.shared.range(&place)?;
        let Some(known) = self.places.get_mut(&place) else { return Ok(()) };
        let wanted = known.position;
        let was_cut = error.to_string().contains("truncation");
        if was_cut || !(start..=end).contains(&wanted) || known.pointed_again == POINTED_AGAIN_MAX {
            tracing::warn!(target: "millstream::kafka", %place, wanted, %error, "the position can't be read");
            known.failed = Some(LogError::OffsetOutOfRange { place, wanted, start, end });
            return Ok(());
        }
        tracing::warn!(target: "millstream::kafka", %place, wanted, %error, "reading there again");
        known.pointed_again += 1;
        let paused = known.paused;
        let again = self.point_at(&place, wanted);
        let pause = || if paused { self.consumer.pause(std::slice::from_ref(&place), true) } else { Ok(()) };
        again
            .and_then(|()| pause())
            .map_err(|error| self.shared.place_error("reading again", "Read", &place, &error))
    }

    /// Has the client read on from a position, whatever it takes for its own.
    fn point_at(&self, place: &TopicPartition, position: Offset) -> Result<(), NativeError> {
        self.consumer.assign_less(std::slice::from_ref(place))?;
        self.consumer.assign_more(&[(place.clone(), position)])
    }

    fn on_error(&mut self, place: TopicPartition, error: &NativeError) -> Result<(), LogError> {
        let Some(known) = self.places.get_mut(&place) else {
            // Of the client as a whole: connections, which librdkafka mends.
            tracing::debug!(target: "millstream::kafka", %place, %error, "reading");
            return Ok(());
        };
        match error.code {
            Code::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
            | Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
            | Code::RD_KAFKA_RESP_ERR__NO_OFFSET => self.on_out_of_range(place, error)?,
            code if is_unknown_topic(code) || code == Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED => {
                known.failed = Some(self.shared.place_error("reading", "Read", &place, error));
            }
            _ => match log_error(&format!("reading {place}"), error) {
                LogError::NotReady(text) | LogError::Timeout(text) => {
                    tracing::debug!(target: "millstream::kafka", "{text}");
                }
                other => known.failed = Some(other),
            },
        }
        Ok(())
    }
}

/// The slot of a message's partition, the one before if it is the same.
fn slot_of(
    slots: &mut Vec<Slot>,
    current: usize,
    message: &Message<'_>,
    places: &BTreeMap<TopicPartition, Place>,
) -> usize {
    let (topic, partition) = (message.topic_key(), message.partition());
    let same = |slot: &Slot| slot.topic == topic && slot.place.partition == partition;
    if slots.get(current).is_some_and(same) {
        return current;
    }
    if let Some(found) = slots.iter().position(same) {
        return found;
    }
    let place = TopicPartition::new(message.topic(), partition);
    // The name that is already there, rather than another copy of it in every run.
    let place = places.get_key_value(&place).map_or(place, |(known, _)| known.clone());
    let position = places.get(&place).map_or(0, |known| known.position);
    slots.push(Slot { topic, place, records: RecordsBuilder::default(), position, end_seen: None });
    slots.len() - 1
}

impl Slot {
    fn push(&mut self, message: &Message<'_>) {
        let Ok(offset) = u64::try_from(message.offset()) else { return };
        if offset < self.position {
            return;
        }
        self.position = offset + 1;
        let record = Record {
            offset,
            timestamp_ms: message.timestamp_ms(),
            key: message.key(),
            value: message.value(),
            headers: Headers::NONE,
        };
        match message.headers() {
            None => self.records.push_record(record),
            Some(headers) => self.records.push_with_headers(record, headers),
        }
    }
}

impl Reader for KafkaReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let failed = |error: NativeError| log_error("assigning partitions", &error);
        let gone: Vec<TopicPartition> = self
            .places
            .keys()
            .filter(|known| !places.iter().any(|(place, _)| place == *known))
            .cloned()
            .collect();
        if !gone.is_empty() {
            // librdkafka keeps a partition paused as long as it knows its topic, whoever is assigned to it meanwhile.
            let is_paused = |place: &&TopicPartition| self.places.get(*place).is_some_and(|it| it.paused);
            let paused: Vec<TopicPartition> = gone.iter().filter(is_paused).cloned().collect();
            self.consumer.pause(&paused, false).map_err(failed)?;
            self.consumer.assign_less(&gone).map_err(failed)?;
            gone.iter().for_each(|place| drop(self.places.remove(place)));
        }
        let mut new: Vec<(TopicPartition, Offset)> = Vec::new();
        for (place, offset) in places {
            if !self.places.contains_key(place) && !new.iter().any(|(known, _)| known == place) {
                new.push((place.clone(), *offset));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        self.consumer.look_up(new.iter().map(|(place, _)| place.topic.as_ref()));
        self.consumer.assign_more(&new).map_err(failed)?;
        for (place, position) in new {
            let place_of = Place { position, end_seen: None, paused: false, pointed_again: 0, failed: None };
            self.places.insert(place, place_of);
        }
        Ok(())
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        let Some(known) = self.places.get(place) else { return Ok(()) };
        if known.paused == paused {
            return Ok(());
        }
        let (position, at_end) = (known.position, known.end_seen == Some(known.position));
        let mut result = self.consumer.pause(std::slice::from_ref(place), paused);
        // The client takes the end that it reported for a record: it would go on after the one that came there meanwhile.
        if !paused && at_end {
            result = result.and_then(|()| self.point_at(place, position));
        }
        result.map_err(|error| self.shared.place_error("pausing", "Read", place, &error))?;
        if let Some(known) = self.places.get_mut(place) {
            known.paused = paused;
        }
        Ok(())
    }

    fn poll(&mut self, timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        self.consumer.fetch(timeout, &mut self.messages);
        self.sort(runs)?;
        if let Some(error) = self.consumer.client().fatal_error() {
            return Err(log_error("reading", &error));
        }
        match self.places.values().find_map(|place| place.failed.as_ref()) {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        let known = self.places.get(place)?;
        let position = known.position;
        if known.end_seen == Some(position) {
            return Some(ReadStatus { position, end: position });
        }
        // Beyond the last end that was reached the true end is the best there is: with open transactions a
        // read-committed reader finds its own end a little earlier.
        let (_, high) = self.consumer.watermarks(place);
        let high = u64::try_from(high).ok()?;
        Some(ReadStatus { position, end: high.max(position) })
    }
}
