//! The clients of the log in memory.

use super::broker::{Call, CallError};
use super::faults::{Fault, Request};
use super::partition::AppendError;
use super::transactions::{Refusal, WriterIdentity};
use super::{Shared, not_initialized};
use crate::group_client::GroupClient;
use crate::{
    Admin, CommittedOffset, EndOutcome, GroupMetadata, Isolation, LogError, Member, MemberEvent,
    MemberOptions, OffsetQuery, ReadStatus, Reader, ReaderOptions, Run, TopicDescription, TopicIdentity,
    TopicSpec, TransactionError, TransactionOptions, TransactionalWriter, Writer,
};
use millstream_records::{Offset, Records, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct MemoryAdmin {
    shared: Arc<Shared>,
}

impl MemoryAdmin {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        MemoryAdmin { shared: Arc::clone(shared) }
    }
}

impl Admin for MemoryAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        self.shared.lock().create_topic(topic)
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        self.shared.lock().delete_topic(topic)
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        Ok(self.shared.lock().topics())
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        Ok(self.shared.lock().describe_topic(topic))
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        let broker = self.shared.lock();
        Ok(topics.iter().map(|topic| broker.identify_topic(topic)).collect())
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        let broker = self.shared.lock();
        let mut offsets = Vec::with_capacity(places.len());
        for place in places {
            let partition = broker.partition(place)?;
            let end = match isolation {
                Isolation::ReadCommitted => partition.last_stable(),
                Isolation::ReadUncommitted => partition.end(),
            };
            offsets.push(match query {
                OffsetQuery::Earliest => partition.start(),
                OffsetQuery::Latest => end,
                OffsetQuery::Timestamp(at) => partition.offset_at(at).unwrap_or(end).min(end),
            });
        }
        Ok(offsets)
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let mut broker = self.shared.lock();
        before.iter().try_for_each(|(place, offset)| broker.delete_records(place, *offset))
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        let broker = self.shared.lock();
        let held = places.iter().find(|place| broker.is_pending(group, place));
        if let Some(place) = held.filter(|_| isolation == Isolation::ReadCommitted) {
            return Err(LogError::NotReady(format!("a transaction holds the committed offset of {place}")));
        }
        Ok(places.iter().map(|place| broker.committed(group, place)).collect())
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        self.shared.lock().commit_offsets(group, offsets)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.shared.lock().delete_group(group)
    }
}

pub(crate) struct MemoryReader {
    shared: Arc<Shared>,
    isolation: Isolation,
    positions: BTreeMap<TopicPartition, (Offset, bool)>,
}

impl MemoryReader {
    pub(crate) fn new(shared: &Arc<Shared>, options: &ReaderOptions) -> Self {
        MemoryReader { shared: Arc::clone(shared), isolation: options.isolation, positions: BTreeMap::new() }
    }
}

impl Reader for MemoryReader {
    fn assign(&mut self, places: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let before = std::mem::take(&mut self.positions);
        for (place, offset) in places {
            let position = before.get(place).copied().unwrap_or((*offset, false));
            self.positions.insert(place.clone(), position);
        }
        Ok(())
    }

    fn pause(&mut self, place: &TopicPartition, paused: bool) -> Result<(), LogError> {
        if let Some(position) = self.positions.get_mut(place) {
            position.1 = paused;
        }
        Ok(())
    }

    fn poll(&mut self, _timeout: Duration, runs: &mut Vec<Run>) -> Result<(), LogError> {
        let broker = self.shared.lock();
        let committed_only = self.isolation == Isolation::ReadCommitted;
        let mut failed = Ok(());
        for (place, (position, paused)) in &mut self.positions {
            if *paused {
                continue;
            }
            let partition = broker.partition(place)?;
            if *position < partition.start() || *position > partition.end() {
                let (start, end, wanted) = (partition.start(), partition.end(), *position);
                failed = Err(LogError::OffsetOutOfRange { place: place.clone(), wanted, start, end });
                continue;
            }
            let (records, next) = partition.read(*position, committed_only, broker.run_records_max);
            *position = next;
            if !records.is_empty() {
                runs.push(Run { place: place.clone(), records });
            }
        }
        failed
    }

    fn status(&self, place: &TopicPartition) -> Option<ReadStatus> {
        let (position, _) = self.positions.get(place)?;
        let broker = self.shared.lock();
        let partition = broker.partition(place).ok()?;
        let end = match self.isolation {
            Isolation::ReadCommitted => partition.last_stable(),
            Isolation::ReadUncommitted => partition.end(),
        };
        Some(ReadStatus { position: *position, end })
    }
}

pub(crate) struct MemoryWriter {
    shared: Arc<Shared>,
}

impl MemoryWriter {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        MemoryWriter { shared: Arc::clone(shared) }
    }
}

impl Writer for MemoryWriter {
    fn write(&mut self, place: &TopicPartition, records: Records) -> Result<(), LogError> {
        self.shared.lock().append(place, &records).map_err(|error| match error {
            CallError::UnknownTopic(place) => LogError::UnknownTopic(place.to_string()),
            CallError::TooLarge { place, bytes, limit } => LogError::RecordTooLarge { place, bytes, limit },
            other => LogError::Client(format!("{other:?}")),
        })
    }

    fn flush(&mut self, _timeout: Duration) -> Result<(), LogError> {
        Ok(())
    }
}

pub(crate) struct MemoryMember {
    shared: Arc<Shared>,
    client: u64,
}

impl MemoryMember {
    pub(crate) fn new(shared: &Arc<Shared>, process: &Arc<str>, options: &MemberOptions) -> Self {
        let client = shared.lock().add_member(process, GroupClient::new(options.clone()));
        MemoryMember { shared: Arc::clone(shared), client }
    }
}

impl Drop for MemoryMember {
    fn drop(&mut self) {
        self.shared.lock().remove_member(self.client);
    }
}

fn dead() -> LogError {
    LogError::Client("the process is dead".to_owned())
}

impl Member for MemoryMember {
    fn poll(&mut self) -> Result<Option<MemberEvent>, LogError> {
        let mut broker = self.shared.lock();
        broker
            .with_member(self.client, |member, group, now, partitions_of| {
                member.background(group, now, partitions_of);
                member.poll()
            })
            .ok_or_else(dead)?
    }

    fn accept(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.shared.lock().with_member(self.client, |member, _, _, _| member.accept(places)).ok_or_else(dead)
    }

    fn release(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        let mut broker = self.shared.lock();
        let released =
            broker.with_member(self.client, |member, group, now, _| member.release(places, group, now));
        released.ok_or_else(dead)
    }

    fn metadata(&mut self) -> Result<GroupMetadata, LogError> {
        self.shared.lock().with_member(self.client, |member, _, _, _| member.metadata()).ok_or_else(dead)
    }

    fn heal(&mut self, _timeout: Duration) -> Result<bool, LogError> {
        let mut broker = self.shared.lock();
        broker.with_member(self.client, |member, group, now, of| member.heal(group, now, of)).ok_or_else(dead)
    }

    fn leave(&mut self, _timeout: Duration) -> Result<(), LogError> {
        self.shared
            .lock()
            .with_member(self.client, |member, group, _, _| member.leave(group))
            .ok_or_else(dead)
    }
}

/// Behaves as librdkafka's transactional producer: repeats what was not answered, reports fencing by the group, and
/// forgets its writer id only when it is made anew.
pub(crate) struct MemoryTransactionalWriter {
    shared: Arc<Shared>,
    id: Arc<str>,
    timeout_ms: u64,
    writer: Option<WriterIdentity>,
    /// Whether the transaction has anything in it.
    begun: bool,
    /// Next sequence number and offset after the last record, by partition.
    sequences: BTreeMap<TopicPartition, u64>,
    written: BTreeMap<TopicPartition, Offset>,
    /// Whether an end of a transaction was sent that nobody answered: it may still arrive.
    end_under_way: bool,
}

impl MemoryTransactionalWriter {
    pub(crate) fn new(shared: &Arc<Shared>, options: &TransactionOptions) -> Self {
        MemoryTransactionalWriter {
            shared: Arc::clone(shared),
            id: options.id.as_str().into(),
            timeout_ms: options.timeout_ms,
            writer: None,
            begun: false,
            sequences: BTreeMap::new(),
            written: BTreeMap::new(),
            end_under_way: false,
        }
    }

    fn writer(&self) -> Result<WriterIdentity, TransactionError> {
        self.writer.ok_or_else(not_initialized)
    }

    /// Sends a request through what may befall it, once more when it is not answered.
    fn send(&mut self, request: &Request, call: Call) -> Result<Result<(), CallError>, String> {
        let mut broker = self.shared.lock();
        let fault = broker.fault(request);
        self.end_under_way |= fault != Fault::None && matches!(request, Request::End { .. });
        match fault {
            Fault::LoseAnswer | Fault::GiveUpDone => {
                let _ = broker.call(&call);
            }
            Fault::Delay | Fault::GiveUpDelayed => broker.delayed.push(call.clone()),
            Fault::None | Fault::LoseRequest | Fault::GiveUpLost => {}
        }
        if fault.gives_up() {
            return Err(format!("no answer to {request:?}"));
        }
        Ok(broker.call(&call))
    }
}

fn translate(error: CallError) -> TransactionError {
    match error {
        CallError::Transaction(Refusal::Concurrent) => {
            TransactionError::Retriable("the transaction before is still being ended".to_owned())
        }
        CallError::Transaction(Refusal::OldEpoch) | CallError::Append(AppendError::OldEpoch) => {
            TransactionError::Fenced("a newer writer has this one's id".to_owned())
        }
        CallError::Transaction(refusal) => TransactionError::Fatal(format!("{refusal:?}")),
        CallError::Append(AppendError::OutOfSequence) => {
            TransactionError::Fatal("records are missing before these".to_owned())
        }
        CallError::Group(standing) => TransactionError::Fenced(format!("the group answers {standing:?}")),
        CallError::UnknownTopic(place) => {
            TransactionError::Refused { reason: "the topic does not exist".to_owned(), place }
        }
        CallError::TooLarge { place, bytes, limit } => {
            let reason = LogError::RecordTooLarge { place: place.clone(), bytes, limit }.to_string();
            TransactionError::Refused { place, reason }
        }
    }
}

impl TransactionalWriter for MemoryTransactionalWriter {
    fn init(&mut self) -> Result<(), TransactionError> {
        let writer = self.shared.lock().init_writer(&self.id, self.timeout_ms);
        self.writer = Some(writer.map_err(|refusal| translate(CallError::Transaction(refusal)))?);
        self.end_under_way = false;
        self.sequences.clear();
        Ok(())
    }

    fn begin(&mut self) -> Result<(), TransactionError> {
        self.writer()?;
        self.written.clear();
        self.begun = false;
        Ok(())
    }

    fn write(&mut self, place: &TopicPartition, records: &Records) -> Result<(), TransactionError> {
        let writer = self.writer()?;
        if records.is_empty() {
            return Ok(());
        }
        self.begun = true;
        let sequence = self.sequences.get(place).copied().unwrap_or(0);
        let (id, records_sent) = (Arc::clone(&self.id), records.clone());
        let call = Call::Produce { id, writer, place: place.clone(), records: records_sent, sequence };
        match self.send(&Request::Produce { writer: Arc::clone(&self.id) }, call) {
            Err(reason) => Err(TransactionError::Abortable(reason)),
            Ok(Err(error)) => Err(translate(error)),
            Ok(Ok(())) => {
                self.sequences.insert(place.clone(), sequence + records.len() as u64);
                let broker = self.shared.lock();
                let end = broker.partition(place).map(|partition| partition.end());
                self.written.insert(place.clone(), end.unwrap_or(0));
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> Result<Vec<(TopicPartition, Offset)>, TransactionError> {
        Ok(self.written.iter().map(|(place, end)| (place.clone(), *end)).collect())
    }

    fn send_offsets(
        &mut self,
        offsets: &[(TopicPartition, CommittedOffset)],
        member: &GroupMetadata,
    ) -> Result<(), TransactionError> {
        if offsets.is_empty() {
            // As librdkafka does: nothing is sent, and nothing fences.
            return Ok(());
        }
        self.begun = true;
        let (id, writer) = (Arc::clone(&self.id), self.writer()?);
        let call = Call::SendOffsets { id, writer, member: member.clone(), offsets: offsets.to_vec() };
        match self.send(&Request::SendOffsets { writer: Arc::clone(&self.id) }, call) {
            Err(reason) => Err(TransactionError::Abortable(reason)),
            Ok(answer) => answer.map_err(translate),
        }
    }

    fn commit(&mut self) -> Result<EndOutcome, TransactionError> {
        if !self.begun {
            // As librdkafka does: the end of a transaction without anything in it is not sent.
            return Ok(EndOutcome { sent_again: false });
        }
        let (id, writer) = (Arc::clone(&self.id), self.writer()?);
        let request = Request::End { writer: Arc::clone(&id), commit: true };
        match self.send(&request, Call::End { id, writer, commit: true }) {
            Err(reason) => Err(TransactionError::InDoubt(reason)),
            Ok(Ok(())) => Ok(EndOutcome { sent_again: self.end_under_way }),
            // The repetition found the first copy at work: it has been decided, and as asked.
            Ok(Err(CallError::Transaction(Refusal::Concurrent))) => Ok(EndOutcome { sent_again: true }),
            Ok(Err(CallError::Transaction(Refusal::OldEpoch))) => {
                Err(TransactionError::InDoubt("the writer was fenced while it committed".to_owned()))
            }
            Ok(Err(error)) => Err(TransactionError::InDoubt(translate(error).to_string())),
        }
    }

    fn abort(&mut self) -> Result<EndOutcome, TransactionError> {
        if !self.begun {
            return Ok(EndOutcome { sent_again: false });
        }
        let (id, writer) = (Arc::clone(&self.id), self.writer()?);
        let request = Request::End { writer: Arc::clone(&id), commit: false };
        match self.send(&request, Call::End { id, writer, commit: false }) {
            Err(reason) => Err(TransactionError::Fatal(reason)),
            Ok(Ok(())) => Ok(EndOutcome { sent_again: self.end_under_way }),
            // Nothing had reached the broker: there is nothing to abort.
            Ok(Err(CallError::Transaction(Refusal::InvalidState))) => {
                Ok(EndOutcome { sent_again: self.end_under_way })
            }
            Ok(Err(error)) => Err(translate(error)),
        }
    }
}
