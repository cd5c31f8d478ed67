//! A member of a consumer group.
//!
//! librdkafka keeps the membership alive on a thread of its own. A rebalance comes as an event, and nothing of it
//! happens until the application has called assign or unassign: heartbeats go on meanwhile, so that the call can be made
//! whenever the worker has ended what is open (`rd_kafka_rebalance_op_incr` and `rd_kafka_cgrp_join_state_serve` in
//! librdkafka's sources). Partitions are held from their end and paused: nothing of them is ever downloaded.

use super::errors::log_error;
use super::native::{Code, Consumer, ConsumerEvent, NativeError};
use super::shared::Shared;
use crate::log::{GroupMetadata, LogError, Member, MemberEvent, MemberOptions, TopicPartition};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A topic that nobody has: subscribed to for a moment, it makes librdkafka join the group again.
const NO_TOPIC: &str = "millstream.nothing";

#[derive(Debug)]
pub(super) struct KafkaMember {
    shared: Arc<Shared>,
    consumer: Consumer,
    options: MemberOptions,
    held: BTreeSet<TopicPartition>,
    /// Told and not answered yet.
    told: Option<MemberEvent>,
    left: bool,
}

impl KafkaMember {
    pub(super) fn new(shared: &Arc<Shared>, options: &MemberOptions) -> Result<Self, LogError> {
        let failed = |error: NativeError| log_error(&format!("joining group \"{}\"", options.group), &error);
        let consumer = Consumer::new(shared.config().member(options)?).map_err(failed)?;
        consumer.subscribe(options.topics.iter().map(String::as_str)).map_err(failed)?;
        Ok(KafkaMember {
            shared: Arc::clone(shared),
            consumer,
            options: options.clone(),
            held: BTreeSet::new(),
            told: None,
            left: false,
        })
    }

    fn failed(&self, what: &str, error: &NativeError) -> LogError {
        log_error(&format!("{what} in group \"{}\"", self.options.group), error)
    }

    /// Whether the client has given up, and why.
    fn check_fatal(&self) -> Result<(), LogError> {
        let Some(error) = self.consumer.client().fatal_error() else { return Ok(()) };
        if error.code != Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID {
            return Err(self.failed("membership", &error));
        }
        let instance = self.options.instance.as_deref().unwrap_or_default();
        Err(LogError::Fenced(format!(
            "another process has joined group \"{}\" as \"{instance}\"; give each process of a job a state directory of \
             its own",
            self.options.group
        )))
    }

    /// What an event means to the worker; answers at once what concerns nobody.
    fn translate(&mut self, event: ConsumerEvent) -> Result<Option<MemberEvent>, LogError> {
        match event {
            ConsumerEvent::Assign(places) if places.is_empty() => {
                self.consumer.assign_held(&[]).map_err(|error| self.failed("assignment", &error))?;
                Ok(None)
            }
            ConsumerEvent::Revoke(places) if places.is_empty() => {
                self.consumer.assign_less(&[]).map_err(|error| self.failed("assignment", &error))?;
                Ok(None)
            }
            ConsumerEvent::Assign(places) => Ok(Some(MemberEvent::Assigned(places))),
            ConsumerEvent::Revoke(places) if self.consumer.assignment_lost() => {
                Ok(Some(MemberEvent::Lost(places)))
            }
            ConsumerEvent::Revoke(places) => Ok(Some(MemberEvent::Revoking(places))),
            ConsumerEvent::Error(error) => {
                // What ends the membership comes as a fatal error; the rest librdkafka mends.
                tracing::debug!(target: "millstream::kafka", group = self.options.group, %error, "membership");
                Ok(None)
            }
        }
    }
}

impl Member for KafkaMember {
    fn poll(&mut self) -> Result<Option<MemberEvent>, LogError> {
        if self.left {
            return Ok(None);
        }
        // Looked at even while an answer is awaited: it is the sign of life that librdkafka waits for.
        while let Some(event) = self.consumer.event(Duration::ZERO) {
            if let Some(event) = self.translate(event)? {
                self.told = Some(event.clone());
                return Ok(Some(event));
            }
        }
        self.check_fatal()?;
        Ok(None)
    }

    fn accept(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.told = None;
        self.consumer.assign_held(places).map_err(|error| self.failed("assignment", &error))?;
        self.held.extend(places.iter().cloned());
        Ok(())
    }

    fn release(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.told = None;
        let held: Vec<TopicPartition> =
            places.iter().filter(|place| self.held.remove(place)).cloned().collect();
        self.consumer.assign_less(&held).map_err(|error| self.failed("assignment", &error))
    }

    fn metadata(&mut self) -> Result<GroupMetadata, LogError> {
        let (group, instance) = (self.options.group.clone(), self.options.instance.clone());
        let nobody = GroupMetadata { group, generation: -1, member: String::new(), instance };
        if self.left || self.consumer.client().fatal_error().is_some() {
            return Ok(nobody);
        }
        let identity = self.consumer.group_identity();
        let identity = identity.map_err(|error| self.failed("group metadata", &error))?;
        // A forgotten member loses its id at once and its generation later, or the other way round: with either gone
        // it is nobody.
        if identity.generation < 0 || identity.member.is_empty() {
            return Ok(nobody);
        }
        Ok(GroupMetadata { generation: identity.generation, member: identity.member, ..nobody })
    }

    fn heal(&mut self, timeout: Duration) -> Result<bool, LogError> {
        if self.told.is_some() || self.metadata()?.generation < 0 {
            return Ok(false);
        }
        let group = self.shared.client().describe_group(&self.options.group, timeout);
        let group = group.map_err(|error| self.shared.error("describing the group", &error))?;
        let mut partitions = 0;
        for topic in &self.options.topics {
            partitions += self.shared.topic(topic)?.map_or(0, |view| view.partitions as usize);
        }
        let assigned: BTreeSet<&TopicPartition> = group.assigned.iter().collect();
        if !group.is_stable || assigned.len() >= partitions {
            return Ok(false);
        }
        // librdkafka has no call for it, but joins again when its subscription changes. It changes back at once: that
        // is taken up when the joining begins.
        let topics = || self.options.topics.iter().map(String::as_str);
        let joined = self.consumer.subscribe(topics().chain([NO_TOPIC]));
        let joined = joined.and_then(|()| self.consumer.subscribe(topics()));
        joined.map_err(|error| self.failed("joining again", &error))?;
        Ok(true)
    }

    fn leave(&mut self, timeout: Duration) -> Result<(), LogError> {
        if self.left {
            return Ok(());
        }
        self.left = true;
        // Closing waits for the answer to what was told.
        let answered = match self.told.take() {
            Some(MemberEvent::Assigned(_)) => self.consumer.assign_held(&[]),
            Some(MemberEvent::Revoking(places) | MemberEvent::Lost(places)) => {
                self.consumer.assign_less(places.iter().filter(|place| self.held.contains(place)))
            }
            None => Ok(()),
        };
        self.held.clear();
        let closed = answered.and_then(|()| self.consumer.close(timeout));
        match closed {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(LogError::Timeout(format!("leaving group \"{}\" takes too long", self.options.group)))
            }
            Err(error) => Err(self.failed("leaving", &error)),
        }
    }
}
