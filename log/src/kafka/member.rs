//! A member of a consumer group.
//!
//! librdkafka keeps the membership alive on a thread of its own. A rebalance comes as an event, and nothing of it
//! happens until the application has called assign or unassign: heartbeats go on meanwhile, so that the call can be made
//! whenever the worker has ended what is open (`rd_kafka_rebalance_op_incr` and `rd_kafka_cgrp_join_state_serve` in
//! librdkafka's sources).
//!
//! A member that was cut off may fence itself: its request to join again reaches the broker twice, and the second takes
//! the name from the first. librdkafka gives up for good then, as it does when another process has the name. The two are
//! told apart by waiting: nobody keeps the place of a request that was sent twice, so the name leaves the group.
//!
//! Partitions are held from their end and paused: nothing of them is ever downloaded.

use super::errors::{Right, check_name};
use super::native::{Code, Consumer, ConsumerEvent, NativeError};
use super::shared::Shared;
use crate::{GroupMetadata, LogError, Member, MemberEvent, MemberOptions, TopicPartition};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A topic that nobody has: subscribed to for a moment, it makes librdkafka join the group again.
const NO_TOPIC: &str = "millstream.nothing";

/// How often a member that was fenced looks who has its name, and how long a look may take.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOK_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct KafkaMember {
    shared: Arc<Shared>,
    consumer: Consumer,
    options: MemberOptions,
    held: BTreeSet<TopicPartition>,
    /// Told and not answered yet.
    told: Option<MemberEvent>,
    /// Whether its place was lost and it has not come back to the group since.
    lost: bool,
    /// The last error since it was given partitions.
    trouble: Option<String>,
    /// While it waits to see who has its name.
    fenced: Option<Fenced>,
    left: bool,
}

/// A member that was fenced after it had been cut off.
#[derive(Debug, Clone, Copy)]
struct Fenced {
    /// When the name is somebody else's.
    until: Instant,
    next_look: Instant,
}

impl KafkaMember {
    pub(super) fn new(shared: &Arc<Shared>, options: &MemberOptions) -> Result<Self, LogError> {
        check_name("a group", &options.group)?;
        let failed = |error: NativeError| {
            shared.error(
                &format!("joining group \"{}\"", options.group),
                Right("Read", &options.group),
                &error,
            )
        };
        let consumer = Consumer::new(shared.config().member(options)?).map_err(failed)?;
        consumer.subscribe(options.topics.iter().map(String::as_str)).map_err(failed)?;
        Ok(KafkaMember {
            shared: Arc::clone(shared),
            consumer,
            options: options.clone(),
            held: BTreeSet::new(),
            told: None,
            lost: false,
            trouble: None,
            fenced: None,
            left: false,
        })
    }

    /// Looks every now and then whether the name has left the group, and joins again when it has.
    fn rejoin(&mut self, fenced: Fenced) -> Result<(), LogError> {
        let now = Instant::now();
        if now < fenced.next_look {
            return Ok(());
        }
        let group = self.shared.client().describe_group(&self.options.group, LOOK_MAX);
        let instance = self.options.instance.as_deref().unwrap_or_default();
        // Who can't be asked has said nothing.
        let is_taken = group.map_or(None, |group| Some(group.instances.iter().any(|name| name == instance)));
        if is_taken == Some(false) {
            tracing::warn!(target: "millstream::kafka", instance, "joining the group again after a fence");
            let Self { shared, options, .. } = self;
            *self = KafkaMember::new(&Arc::clone(shared), &options.clone())?;
            return Ok(());
        }
        if is_taken == Some(true) && now >= fenced.until {
            return Err(self.taken());
        }
        self.fenced = Some(Fenced { next_look: now + LOOK_EVERY, ..fenced });
        Ok(())
    }

    fn taken(&self) -> LogError {
        let instance = self.options.instance.as_deref().unwrap_or_default();
        LogError::Fenced(format!(
            "another process has joined group \"{}\" as \"{instance}\"; give each process of a job a state directory of \
             its own",
            self.options.group
        ))
    }

    fn failed(&self, what: &str, error: &NativeError) -> LogError {
        let Self { shared, options, .. } = self;
        shared.error(&format!("{what} in group \"{}\"", options.group), Right("Read", &options.group), error)
    }

    /// Whether the client has given up, and why.
    fn check_fatal(&mut self) -> Result<(), LogError> {
        let Some(error) = self.consumer.client().fatal_error() else { return Ok(()) };
        if error.code != Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID {
            return Err(self.failed("membership", &error));
        }
        if !self.lost || !self.held.is_empty() {
            return Err(self.taken());
        }
        let now = Instant::now();
        let sessions = Duration::from_millis(3 * self.options.session_timeout_ms);
        self.fenced = Some(Fenced { until: now + sessions + LOOK_MAX, next_look: now });
        Ok(())
    }

    /// What an event means to the worker; answers at once what concerns nobody.
    fn translate(&mut self, event: ConsumerEvent) -> Result<Option<MemberEvent>, LogError> {
        match event {
            ConsumerEvent::Assign(places) if places.is_empty() => {
                self.lost = false;
                self.consumer.assign_held(&[]).map_err(|error| self.failed("assignment", &error))?;
                Ok(None)
            }
            ConsumerEvent::Revoke(places) if places.is_empty() => {
                self.lost |= self.consumer.assignment_lost();
                self.consumer.assign_less(&[]).map_err(|error| self.failed("assignment", &error))?;
                Ok(None)
            }
            ConsumerEvent::Assign(places) => {
                self.lost = false;
                Ok(Some(MemberEvent::Assigned(places)))
            }
            ConsumerEvent::Revoke(places) if self.consumer.assignment_lost() => {
                self.lost = true;
                Ok(Some(MemberEvent::Lost(places)))
            }
            ConsumerEvent::Revoke(places) => Ok(Some(MemberEvent::Revoking(places))),
            ConsumerEvent::Error(error) => {
                // What ends the membership comes as a fatal error; the rest librdkafka mends, or asks for again and again
                // without a word where nobody can mend it from here.
                if let Some(permanent) = self.shared.permanent(Right("Read", &self.options.group), &error) {
                    return Err(permanent);
                }
                tracing::debug!(target: "millstream::kafka", group = self.options.group, %error, "membership");
                self.trouble = Some(error.to_string());
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
        if let Some(fenced) = self.fenced {
            self.rejoin(fenced)?;
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
        (self.told, self.trouble) = (None, None);
        self.consumer.assign_held(places).map_err(|error| self.failed("assignment", &error))?;
        self.held.extend(places.iter().cloned());
        Ok(())
    }

    fn release(&mut self, places: &[TopicPartition]) -> Result<(), LogError> {
        self.told = None;
        let held: Vec<TopicPartition> =
            places.iter().filter(|place| self.held.remove(place)).cloned().collect();
        match self.consumer.assign_less(&held) {
            // A client that has given up has nothing left to give up.
            Err(_) if self.consumer.client().fatal_error().is_some() => Ok(()),
            released => released.map_err(|error| self.failed("assignment", &error)),
        }
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
        let group = group.map_err(|error| {
            self.shared.error("describing the group", Right("Describe", &self.options.group), &error)
        })?;
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

    fn trouble(&self) -> Option<String> {
        let of_client = || Some(self.consumer.client().last_error()).filter(|text| !text.is_empty());
        self.trouble.clone().or_else(of_client)
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
