//! Writing in transactions.
//!
//! Where the cluster gives a producer a new epoch with every end of a transaction, nothing of one can touch the next:
//! the writer goes on. Where it does not, [`EndOutcome::sent_again`] asks for a new writer whenever a request is left that
//! could, be it an end that was not answered or records that were dropped in an abort. Every call has a deadline, so that
//! no watchdog is needed.

use super::{REQUEST_MAX, Shared, connect, engine_place, too_large, wire_place, wire_records};
use crate::kafka::errors::{TRANSACTION_TIMEOUT, check_name, denied};
use crate::{
    CommittedOffset, EndOutcome, GroupMetadata, LogError, Offset, Records, TopicPartition, TransactionError,
    TransactionOptions, TransactionalWriter,
};
use millstream_wire::produce::{self, GroupMember, ProduceError, Producer, ProducerOptions, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one call waits for acknowledgements before it says "not yet".
const FLUSH_SLICE: Duration = Duration::from_millis(500);
/// The same for requests that can be asked again.
const REQUEST_SLICE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(in crate::kafka) struct WireTransactionalWriter {
    shared: Arc<Shared>,
    producer: Producer,
    timeout: Duration,
    /// How long the end of a transaction is waited for.
    end_timeout: Duration,
}

impl WireTransactionalWriter {
    pub(in crate::kafka) fn new(
        shared: &Arc<Shared>,
        options: &TransactionOptions,
    ) -> Result<Self, LogError> {
        check_name("a writer", &options.id)?;
        let (io, cluster) = connect(shared, "kafka-transaction")?;
        let timeout = Duration::from_millis(options.timeout_ms);
        let producer_options = ProducerOptions {
            transactional: Some((options.id.clone(), timeout)),
            held_bytes_max: shared.config().write_queue_bytes_max,
            delivery_timeout: timeout,
            // A lost answer is noticed, and the request repeated, while the transaction is still open.
            request_timeout: (timeout / 2).clamp(Duration::from_millis(500), REQUEST_MAX),
        };
        let producer = Producer::new(&cluster, &io, producer_options);
        let end_timeout = timeout.min(shared.config().watchdog / 2);
        Ok(WireTransactionalWriter { shared: Arc::clone(shared), producer, timeout, end_timeout })
    }

    fn translate(&self, what: &str, error: ProduceError) -> TransactionError {
        let with = |text: String| format!("{what}: {text}");
        match error {
            ProduceError::NotYet(text) => TransactionError::Retriable(with(text)),
            ProduceError::Abortable(text) => TransactionError::Abortable(with(text)),
            ProduceError::Fenced(text) => TransactionError::Fenced(with(text)),
            ProduceError::InDoubt(text) => TransactionError::InDoubt(with(text)),
            ProduceError::Fatal(text) => TransactionError::Fatal(with(text)),
            ProduceError::Denied(missing) => {
                TransactionError::Permanent(denied(&self.shared.config().principal(), &missing))
            }
            ProduceError::Invalid(text) => TransactionError::Permanent(rejected(&text)),
            ProduceError::Refused { place, reason } => {
                let place = engine_place(&place);
                let reason = match reason {
                    Refusal::UnknownTopic => {
                        self.shared.forget_topic(&place.topic);
                        UNKNOWN_TOPIC.to_owned()
                    }
                    Refusal::TooLarge { largest_record } => {
                        too_large(&self.shared, &place, largest_record).to_string()
                    }
                    Refusal::Other(text) => text,
                };
                TransactionError::Refused { place, reason }
            }
        }
    }

    fn outcome(
        &self,
        what: &str,
        ended: Result<produce::End, ProduceError>,
    ) -> Result<EndOutcome, TransactionError> {
        match ended {
            Ok(end) => Ok(EndOutcome { sent_again: end.needs_new_producer }),
            Err(error) => Err(self.translate(what, error)),
        }
    }
}

/// Settings of a writer that the cluster does not take, by the names that a job gives them.
fn rejected(text: &str) -> LogError {
    LogError::Rejected(match text.contains("INVALID_TRANSACTION_TIMEOUT") {
        true => TRANSACTION_TIMEOUT.to_owned(),
        false => format!("the brokers do not take the job's name or settings: {text}"),
    })
}

const UNKNOWN_TOPIC: &str = "the topic does not exist";

impl TransactionalWriter for WireTransactionalWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        let initialized = self.producer.init(Instant::now() + REQUEST_SLICE);
        initialized.map_err(|error| self.translate("init", error))
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.producer.begin().map_err(|error| self.translate("begin", error))
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        if records.is_empty() {
            return Ok(());
        }
        match self.shared.check_place(place) {
            Ok(()) => {}
            Err(LogError::UnknownTopic(_)) => {
                let (place, reason) = (place.clone(), UNKNOWN_TOPIC.to_owned());
                return Err(TransactionError::Refused { place, reason });
            }
            Err(error) if error.is_retriable() => return Err(TransactionError::Retriable(error.to_string())),
            Err(error) if error.is_permanent() => return Err(TransactionError::Permanent(error)),
            Err(error) => return Err(TransactionError::Abortable(error.to_string())),
        }
        let deadline = Instant::now() + self.timeout;
        let written = self.producer.write(&wire_place(place), wire_records(records), deadline);
        written.map_err(|error| self.translate("writing", error))
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        let flushed = self.producer.flush(Instant::now() + FLUSH_SLICE);
        let ends = flushed.map_err(|error| self.translate("flush", error))?;
        let offset = |end: i64| u64::try_from(end).unwrap_or(0);
        Ok(ends.into_iter().map(|(place, end)| (engine_place(&place), offset(end))).collect())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let offset = |(place, committed): &(TopicPartition, CommittedOffset)| {
            let offset = i64::try_from(committed.offset).unwrap_or(i64::MAX);
            (wire_place(place), produce::Offset { offset, metadata: committed.metadata.clone() })
        };
        let member = GroupMember {
            group: member.group.clone(),
            generation: member.generation,
            member: member.member.clone(),
            instance: member.instance.clone(),
        };
        let deadline = Instant::now() + REQUEST_SLICE;
        let sent = self.producer.send_offsets(offsets.iter().map(offset).collect(), member, deadline);
        sent.map_err(|error| self.translate("offsets", error))
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        // What is not written yet is not in doubt.
        self.flush()?;
        let ended = self.producer.commit(Instant::now() + self.end_timeout);
        self.outcome("commit", ended)
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        let ended = self.producer.abort(Instant::now() + self.end_timeout);
        match self.outcome("abort", ended) {
            Err(TransactionError::InDoubt(text) | TransactionError::Abortable(text)) => {
                Err(TransactionError::Fatal(text))
            }
            other => other,
        }
    }
}
