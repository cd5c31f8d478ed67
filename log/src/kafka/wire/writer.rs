//! Writing without transactions.

use super::{REQUEST_MAX, Shared, connect, engine_place, too_large, wire_place, wire_records};
use crate::kafka::errors::denied;
use crate::{LogError, Records, TopicPartition, Writer};
use millstream_wire::produce::{ProduceError, Producer, ProducerOptions, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long records may wait for room, and how long they may be under way.
const ROOM_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(in crate::kafka) struct WireWriter {
    shared: Arc<Shared>,
    producer: Producer,
}

impl WireWriter {
    pub(in crate::kafka) fn new(shared: &Arc<Shared>) -> Result<Self, LogError> {
        let (io, cluster) = connect(shared, "kafka-writer")?;
        let options = ProducerOptions {
            transactional: None,
            held_bytes_max: shared.config().write_queue_bytes_max,
            delivery_timeout: ROOM_WITHIN,
            request_timeout: REQUEST_MAX,
        };
        Ok(WireWriter { shared: Arc::clone(shared), producer: Producer::new(&cluster, &io, options) })
    }

    fn translate(&self, error: ProduceError) -> LogError {
        match error {
            ProduceError::NotYet(text) => LogError::Timeout(text),
            ProduceError::Refused { place, reason } => {
                let place = engine_place(&place);
                match reason {
                    Refusal::UnknownTopic => {
                        self.shared.forget_topic(&place.topic);
                        LogError::UnknownTopic(place.to_string())
                    }
                    Refusal::TooLarge { largest_record } => too_large(&self.shared, &place, largest_record),
                    Refusal::Other(text) => LogError::Client(format!("writing of {place}: {text}")),
                }
            }
            ProduceError::Denied(missing) => denied(&self.shared.config().principal(), &missing),
            ProduceError::Invalid(text) => LogError::Rejected(text),
            other => LogError::Client(other.to_string()),
        }
    }
}

impl Writer for WireWriter {
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError> {
        self.shared.check_place(place)?;
        let deadline = Instant::now() + ROOM_WITHIN;
        let written = self.producer.write(&wire_place(place), wire_records(&records), deadline);
        written.map_err(|error| self.translate(error))
    }

    fn flush(&mut self, timeout: Duration) -> Result<(), LogError> {
        let flushed = self.producer.flush(Instant::now() + timeout);
        flushed.map(drop).map_err(|error| self.translate(error))
    }
}
