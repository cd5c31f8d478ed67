//! Writing in transactions.
//!
//! A thin layer over librdkafka's transactional producer. Records are sent while the transaction is open; [`flush`] waits
//! until all of them are in the log, so that the calls that follow have nothing left to wait for. The calls that may hang
//! run watched. How often the end of a transaction was sent is counted below librdkafka, which repeats it unseen: a late
//! copy could end the next transaction of the same writer, as its epoch is the same.
//!
//! [`flush`]: TransactionalWriter::flush

use super::errors::{
    Right, check_name, is_fenced, is_refusal, is_too_large, is_unknown_topic, refusal_text, transaction_error,
};
use super::native::{Code, Delivery, NativeError, PartitionList, Producer};
use super::shared::Shared;
use super::watchdog::Watched;
use super::writer::{ROOM_STEP_MS, Targets, too_large_together};
use crate::{
    CommittedOffset, EndOutcome, GroupMetadata, LogError, Offset, Records, TopicPartition, TransactionError,
    TransactionOptions, TransactionalWriter,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one call waits for acknowledgements before it says "not yet".
const FLUSH_SLICE: Duration = Duration::from_millis(500);
/// The same for requests that can be asked again.
const REQUEST_SLICE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct KafkaTransactionalWriter {
    shared: Arc<Shared>,
    id: String,
    /// Goes before the producer does.
    targets: Targets,
    watched: Watched<Producer, Result<(), NativeError>>,
    producer: Arc<Producer>,
    timeout: Duration,
    /// How long the end of a transaction is waited for.
    end_timeout: Duration,
}

impl KafkaTransactionalWriter {
    pub(super) fn new(shared: &Arc<Shared>, options: &TransactionOptions) -> Result<Self, LogError> {
        check_name("a writer", &options.id)?;
        let producer = Producer::new(shared.config().transactional_writer(options)?);
        let producer = producer
            .map_err(|error| LogError::Client(format!("no transactional writer can be made: {error}")))?;
        let producer = Arc::new(producer);
        let watchdog = shared.config().watchdog;
        let watched = Watched::new(Arc::clone(&producer), "kafka-transaction", watchdog)
            .map_err(|error| LogError::Client(format!("no thread for transactions: {error}")))?;
        let timeout = Duration::from_millis(options.timeout_ms);
        // The watchdog is for calls that ignore their time-out.
        let end_timeout = timeout.min(watchdog / 2);
        let shared = Arc::clone(shared);
        Ok(KafkaTransactionalWriter {
            shared,
            id: options.id.clone(),
            targets: Targets::default(),
            watched,
            producer,
            timeout,
            end_timeout,
        })
    }

    /// What became of the records so far: the first error that says most.
    fn failure(&self) -> Result<(), TransactionError> {
        let failed = |(place, slot): (&TopicPartition, usize)| {
            let Delivery { failed, .. } = self.producer.delivery(slot);
            failed.map(|(code, bytes)| (place.clone(), code, bytes))
        };
        let failures: Vec<_> = self.targets.slots().filter_map(failed).collect();
        // One record that is refused takes the others of the transaction with it; they fail with less telling codes.
        let telling = failures.iter().find(|(_, code, _)| is_refusal(*code));
        let telling = telling.or_else(|| failures.iter().find(|(_, code, _)| is_fenced(*code)));
        match telling.or(failures.first()) {
            None => Ok(()),
            Some((place, code, bytes)) => Err(self.translate(place, &NativeError::of(*code), *bytes)),
        }
    }

    fn translate(&self, place: &TopicPartition, error: &NativeError, bytes: usize) -> TransactionError {
        if is_unknown_topic(error.code) {
            self.shared.forget_topic(&place.topic);
            return refused(place, "the topic does not exist");
        }
        if is_too_large(error.code) {
            let limit = self.shared.message_bytes_max(&place.topic);
            let too_large = LogError::RecordTooLarge { place: place.clone(), bytes, limit }.to_string();
            let reason = if bytes > limit { too_large } else { too_large_together(place, bytes, limit) };
            return refused(place, &reason);
        }
        if is_refusal(error.code) {
            return refused(place, &refusal_text(error));
        }
        if is_fenced(error.code) {
            return TransactionError::Fenced(format!("writing to {place}: {error}"));
        }
        if let Some(permanent) = self.shared.permanent(Right("Write", &place.topic), error) {
            return TransactionError::Permanent(permanent);
        }
        match self.producer.client().fatal_error() {
            Some(fatal) => transaction_error(&format!("writing to {place}"), &fatal),
            None => TransactionError::Abortable(format!("writing to {place}: {error}")),
        }
    }

    /// An error of a call that needs a right.
    fn error(&self, what: &str, right: Right<'_>, error: &NativeError) -> TransactionError {
        // A call that came too late to be told says less than what has ended the client.
        let fatal = self.producer.client().fatal_error();
        let told = fatal.as_ref().unwrap_or(error);
        let permanent = self.shared.permanent(right, told).map(TransactionError::Permanent);
        permanent.unwrap_or_else(|| transaction_error(what, error))
    }

    /// Ends the transaction; gives how often that was sent.
    fn end(
        &self,
        what: &'static str,
        call: impl FnOnce(&Producer, Duration) -> Result<(), NativeError> + Send + 'static,
    ) -> (u32, Result<(), NativeError>) {
        self.producer.take_ends_sent();
        let timeout = self.end_timeout;
        let result = self.watched.call(what, move |producer| call(producer, timeout));
        (self.producer.take_ends_sent(), result)
    }
}

fn refused(place: &TopicPartition, reason: &str) -> TransactionError {
    TransactionError::Refused { place: place.clone(), reason: reason.to_owned() }
}

impl TransactionalWriter for KafkaTransactionalWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        // Without a connection librdkafka looks for the coordinator half a second later.
        let connected = self.producer.client().connect(REQUEST_SLICE);
        connected.map_err(|error| TransactionError::Retriable(format!("connecting: {error}")))?;
        let result =
            self.watched.call("init_transactions", |producer| producer.init_transactions(REQUEST_SLICE));
        result.map_err(|error| self.error("init_transactions", Right("Write", &self.id), &error))
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.targets.clear(&self.producer);
        let result = self.watched.call("begin_transaction", Producer::begin_transaction);
        result.map_err(|error| transaction_error("begin_transaction", &error))
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        if records.is_empty() {
            return Ok(());
        }
        match self.shared.check_place(place) {
            Ok(()) => {}
            Err(LogError::UnknownTopic(_)) => return Err(refused(place, "the topic does not exist")),
            Err(error) if error.is_retriable() => return Err(TransactionError::Retriable(error.to_string())),
            Err(error) if error.is_permanent() => return Err(TransactionError::Permanent(error)),
            Err(error) => return Err(TransactionError::Abortable(error.to_string())),
        }
        let deadline = Instant::now() + self.timeout;
        let mut from = 0;
        loop {
            let target = self.targets.of(&self.producer, place);
            let (topic, slot) = target.map_err(|error| refused(place, &error.to_string()))?;
            match self.producer.produce(topic, place.partition, records, from, slot) {
                Ok(()) => return Ok(()),
                Err((at, error)) if error.code == Code::RD_KAFKA_RESP_ERR__QUEUE_FULL => {
                    from = at;
                    if Instant::now() >= deadline {
                        // Not "again": some of the records are taken already.
                        let reason = format!("writing to {place}: no room in the queue");
                        return Err(TransactionError::Abortable(reason));
                    }
                    self.producer.client().poll(ROOM_STEP_MS);
                }
                Err((at, error)) => {
                    // The transaction has failed already: what failed says more than that it did.
                    self.failure()?;
                    let record = records.get(at);
                    let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
                    return Err(self.translate(place, &error, bytes));
                }
            }
        }
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        let flushed = self.producer.flush(FLUSH_SLICE);
        self.failure()?;
        if let Some(error) = self.producer.client().fatal_error() {
            return Err(transaction_error("flush", &error));
        }
        if !flushed {
            return Err(TransactionError::Retriable("records are not acknowledged yet".to_owned()));
        }
        let end = |(place, slot): (&TopicPartition, usize)| {
            self.producer.delivery(slot).end.map(|end| (place.clone(), end))
        };
        Ok(self.targets.slots().filter_map(end).collect())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        let mut list = PartitionList::new();
        for (place, committed) in offsets {
            let offset = i64::try_from(committed.offset).unwrap_or(i64::MAX);
            let added = list.add(&place.topic, place.partition, offset, &committed.metadata);
            added.map_err(|error| refused(place, &error.to_string()))?;
        }
        let (member, group) = (member.clone(), member.group.clone());
        let result = self.watched.call("send_offsets_to_transaction", move |producer| {
            producer.send_offsets(&list, &member, REQUEST_SLICE)
        });
        let right = Right("Read", &group);
        result.map_err(|error| self.error("send_offsets_to_transaction", right, &error))
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        // librdkafka would wait for records in its own commit, and then not say which of them failed.
        self.flush()?;
        let (sent, result) = self.end("commit_transaction", Producer::commit_transaction);
        let Err(error) = result else { return Ok(EndOutcome { sent_again: sent > 1 }) };
        let text = format!("commit_transaction: {error}");
        match sent {
            // It never got as far as asking for the end. Not so after a time-out: the request may still go out.
            0 if !error.is_retriable => Err(transaction_error("commit_transaction", &error)),
            // Asked once, and answered: not committed.
            1 if is_fenced(error.code) => Err(TransactionError::Fenced(text)),
            _ => Err(TransactionError::InDoubt(text)),
        }
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        let (sent, result) = self.end("abort_transaction", Producer::abort_transaction);
        match result {
            Ok(()) => Ok(EndOutcome { sent_again: sent > 1 }),
            Err(error) if is_fenced(error.code) => Err(transaction_error("abort_transaction", &error)),
            Err(error) => Err(TransactionError::Fatal(format!("abort_transaction: {error}"))),
        }
    }
}

impl Drop for KafkaTransactionalWriter {
    fn drop(&mut self) {
        // What nobody waits for must not be sent any more.
        self.producer.purge();
    }
}
