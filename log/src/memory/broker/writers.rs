//! Transactional writers: what they ask for, and the markers that come of it.

use super::{Broker, Call, CallError};
use crate::group::Standing;
use crate::memory::faults::{Fault, Request};
use crate::memory::transactions::{Marker, MarkerTarget, Phase, Refusal, Transaction, WriterIdentity};
use millstream_records::TopicPartition;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Broker {
    /// Gives a writer its identity, fencing the one before.
    pub(crate) fn init_writer(&mut self, id: &Arc<str>, timeout_ms: u64) -> Result<WriterIdentity, Refusal> {
        let Some(transaction) = self.transactions.get_mut(id) else {
            self.next_producer += 1;
            let writer = WriterIdentity { producer: self.next_producer, epoch: 0 };
            let (partitions, groups) = (BTreeSet::new(), BTreeSet::new());
            let transaction = Transaction { writer, phase: Phase::Empty, timeout_ms, partitions, groups };
            self.transactions.insert(Arc::clone(id), transaction);
            return Ok(writer);
        };
        transaction.timeout_ms = timeout_ms;
        match transaction.phase {
            Phase::Ending { .. } => Err(Refusal::Concurrent),
            Phase::Ongoing { .. } => {
                self.bump_and_abort(id);
                Err(Refusal::Concurrent)
            }
            Phase::Empty | Phase::Ended { .. } => {
                transaction.writer.epoch += 1;
                transaction.phase = Phase::Empty;
                Ok(transaction.writer)
            }
        }
    }

    pub(super) fn bump_and_abort(&mut self, id: &Arc<str>) {
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.writer.epoch += 1;
            let markers = transaction.end(id, false);
            self.write_markers(markers);
        }
    }

    /// What the next request of this kind meets on its way.
    pub(crate) fn fault(&mut self, request: &Request) -> Fault {
        self.faults.as_mut().map_or(Fault::None, |faults| faults(request))
    }

    pub(crate) fn call(&mut self, call: &Call) -> Result<(), CallError> {
        match call {
            Call::Produce { id, writer, place, records, sequence } => {
                let now = self.now_ms;
                let transaction =
                    self.transactions.get_mut(id).ok_or(CallError::Transaction(Refusal::UnknownId))?;
                transaction.open(*writer, now).map_err(CallError::Transaction)?;
                let (partition, append_time) = self.writable(place, records)?;
                partition
                    .append_transactional(records, append_time, *writer, *sequence)
                    .map_err(CallError::Append)?;
                if let Some(transaction) = self.transactions.get_mut(id) {
                    transaction.partitions.insert(place.clone());
                }
                Ok(())
            }
            Call::SendOffsets { id, writer, member, offsets } => {
                let now = self.now_ms;
                let transaction =
                    self.transactions.get_mut(id).ok_or(CallError::Transaction(Refusal::UnknownId))?;
                transaction.open(*writer, now).map_err(CallError::Transaction)?;
                transaction.groups.insert(member.group.clone());
                let group = self.groups.entry(member.group.clone()).or_default();
                match group.check_transactional_commit(member) {
                    Standing::Current | Standing::Rejoin => {}
                    standing => return Err(CallError::Group(standing)),
                }
                for (place, offset) in offsets {
                    let key = (member.group.clone(), place.clone(), writer.producer);
                    self.pending_offsets.insert(key, offset.clone());
                }
                Ok(())
            }
            Call::End { id, writer, commit } => {
                self.end(id, *writer, *commit).map_err(CallError::Transaction)
            }
        }
    }

    pub(super) fn end(&mut self, id: &Arc<str>, writer: WriterIdentity, commit: bool) -> Result<(), Refusal> {
        let transaction = self.transactions.get_mut(id).ok_or(Refusal::UnknownId)?;
        transaction.check_writer(writer)?;
        match transaction.phase {
            Phase::Ongoing { .. } => {
                let markers = transaction.end(id, commit);
                self.write_markers(markers);
                Ok(())
            }
            Phase::Ending { commit: decided, .. } if decided == commit => Err(Refusal::Concurrent),
            // A repetition of an end that was carried out is answered like the first.
            Phase::Ended { commit: decided } if decided == commit => Ok(()),
            Phase::Empty | Phase::Ending { .. } | Phase::Ended { .. } => Err(Refusal::InvalidState),
        }
    }

    pub(super) fn write_markers(&mut self, markers: Vec<Marker>) {
        if self.hold_markers {
            self.markers.extend(markers);
        } else {
            markers.into_iter().for_each(|marker| self.write_marker(marker));
        }
    }

    pub(crate) fn held_markers(&self) -> usize {
        self.markers.len()
    }

    pub(crate) fn deliver_marker(&mut self, index: usize) {
        if index < self.markers.len() {
            let marker = self.markers.remove(index);
            self.write_marker(marker);
        }
    }

    pub(crate) fn deliver_delayed(&mut self, index: usize) {
        if index < self.delayed.len() {
            let call = self.delayed.remove(index);
            // Brokers check that what a late request belongs to is still part of the open transaction (KIP-890,
            // part 1); the end of a transaction has nothing to be checked against.
            let belongs = match &call {
                Call::Produce { id, place, .. } => {
                    self.transactions.get(id).is_some_and(|open| open.partitions.contains(place))
                }
                Call::SendOffsets { id, member, .. } => {
                    self.transactions.get(id).is_some_and(|open| open.groups.contains(&member.group))
                }
                Call::End { .. } => true,
            };
            if belongs {
                // Nobody waits for the answer any more.
                let _ = self.call(&call);
            }
        }
    }

    pub(super) fn write_marker(&mut self, marker: Marker) {
        match &marker.target {
            MarkerTarget::Partition(place) => {
                if let Some(topic) = self.topics.get_mut(&place.topic) {
                    topic.partitions[place.partition as usize].mark(marker.writer, marker.commit);
                }
            }
            MarkerTarget::Group(name) => {
                let of_writer = |(group, _, producer): &(String, TopicPartition, u64)| {
                    group == name && *producer == marker.writer.producer
                };
                let keys: Vec<_> =
                    self.pending_offsets.keys().filter(|key| of_writer(key)).cloned().collect();
                for key in keys {
                    if let Some(offset) = self.pending_offsets.remove(&key)
                        && marker.commit
                    {
                        self.groups.entry(name.clone()).or_default().commit(key.1, offset);
                    }
                }
            }
        }
        if let Some(transaction) = self.transactions.get_mut(&marker.id)
            && let Phase::Ending { commit, markers } = transaction.phase
        {
            transaction.phase = match markers {
                1 => Phase::Ended { commit },
                more => Phase::Ending { commit, markers: more - 1 },
            };
        }
    }
}
