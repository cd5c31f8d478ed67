//! A consumer: of partitions assigned by hand, or as a member of a group.

use super::client::{Client, ClientKind};
use super::config::NativeConfig;
use super::list::{PartitionList, items_of};
use super::message::Messages;
use super::{Code, NativeError, c_string, text_of, timeout_ms};
use crate::{Offset, TopicPartition};
use rdkafka_sys as sys;
use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a reader waits to be told where a topic is.
const LOOK_UP_MAX: Duration = Duration::from_secs(1);

/// A consumer and its queue.
#[derive(Debug)]
pub(crate) struct Consumer {
    /// Freed before the client it belongs to.
    queue: Queue,
    client: Client,
    known_topics: Mutex<BTreeSet<String>>,
}

#[derive(Debug)]
struct Queue(NonNull<sys::rd_kafka_queue_t>);

// SAFETY: queues may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: the same.
unsafe impl Sync for Queue {}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: a reference of ours.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

/// What a member of a group is told.
#[derive(Debug)]
pub(crate) enum ConsumerEvent {
    /// These are offered.
    Assign(Vec<TopicPartition>),
    /// These have to be given up.
    Revoke(Vec<TopicPartition>),
    /// Something went wrong.
    Error(NativeError),
}

/// Who a member is.
#[derive(Debug)]
pub(crate) struct GroupIdentity {
    pub(crate) generation: i32,
    pub(crate) member: String,
}

impl Consumer {
    pub(crate) fn new(config: NativeConfig) -> Result<Self, NativeError> {
        let client = Client::new(ClientKind::Consumer, config)?;
        // SAFETY: the instance lives. The queue is a reference of its own.
        let queue = unsafe {
            sys::rd_kafka_poll_set_consumer(client.rk());
            sys::rd_kafka_queue_get_consumer(client.rk())
        };
        let queue =
            NonNull::new(queue).ok_or_else(|| NativeError::invalid("the client has no group".to_owned()))?;
        Ok(Consumer { queue: Queue(queue), client, known_topics: Mutex::default() })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    // --- reading ---

    /// Waits up to `timeout` for a message and takes what else is there, as far as there is room.
    pub(crate) fn fetch(&self, timeout: Duration, messages: &mut Messages) {
        let queue = self.queue.0.as_ptr();
        // A batch call waits for the whole batch, so only one message is waited for.
        // SAFETY: the queue is the consumer's.
        unsafe {
            messages.fill(queue, 0, usize::MAX);
            if messages.len() == 0 && !timeout.is_zero() {
                messages.fill(queue, timeout_ms(timeout), 1);
                messages.fill(queue, 0, usize::MAX);
            }
        }
    }

    /// First offset and end of a partition as the last answer had them, without asking; negative when none did.
    pub(crate) fn watermarks(&self, place: &TopicPartition) -> (i64, i64) {
        let (mut low, mut high) = (-1, -1);
        let Ok(topic) = c_string(&place.topic) else { return (low, high) };
        let partition = i32::try_from(place.partition).unwrap_or(-1);
        // SAFETY: the instance lives; both numbers are written or left alone.
        unsafe {
            let (low, high) = (&raw mut low, &raw mut high);
            sys::rd_kafka_get_watermark_offsets(self.client.rk(), topic.as_ptr(), partition, low, high);
        }
        (low, high)
    }

    // --- assignment ---

    /// Asks where topics are, each that this was not asked about before. Without that librdkafka begins to fetch a topic
    /// that is new to a client with the next tick of a timer, up to a second later.
    pub(crate) fn look_up<'a>(&self, topics: impl IntoIterator<Item = &'a str>) {
        let mut known = self.known_topics.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in topics {
            // A question that fails costs that second.
            if !known.contains(topic) && self.client.topic(topic, LOOK_UP_MAX).is_ok_and(|it| it.is_some()) {
                known.insert(topic.to_owned());
            }
        }
    }

    /// Adds partitions to what is read, each from its offset.
    pub(crate) fn assign_more(&self, places: &[(TopicPartition, Offset)]) -> Result<(), NativeError> {
        let mut list = PartitionList::new();
        for (place, offset) in places {
            let offset = i64::try_from(*offset).unwrap_or(i64::MAX);
            list.add(&place.topic, place.partition, offset, "")?;
        }
        self.incremental_assign(&list)
    }

    /// Adds partitions that are only to be held, never read: from their end, so that nothing is fetched until they are
    /// paused.
    pub(crate) fn assign_held(&self, places: &[TopicPartition]) -> Result<(), NativeError> {
        let list = PartitionList::of(places, i64::from(sys::RD_KAFKA_OFFSET_END))?;
        self.incremental_assign(&list)?;
        if places.is_empty() { Ok(()) } else { self.pause(places, true) }
    }

    fn incremental_assign(&self, list: &PartitionList) -> Result<(), NativeError> {
        // SAFETY: instance and list live through the call, which copies.
        unsafe { NativeError::take(sys::rd_kafka_incremental_assign(self.client.rk(), list.as_ptr())) }
    }

    /// Takes partitions out of what is read or held.
    pub(crate) fn assign_less<'a>(
        &self,
        places: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<(), NativeError> {
        let list = PartitionList::of(places, -1)?;
        // SAFETY: instance and list live through the call, which copies.
        unsafe { NativeError::take(sys::rd_kafka_incremental_unassign(self.client.rk(), list.as_ptr())) }
    }

    /// Stops or resumes fetching; what was fetched and not handed out is fetched again.
    pub(crate) fn pause(&self, places: &[TopicPartition], paused: bool) -> Result<(), NativeError> {
        let list = PartitionList::of(places, -1)?;
        // SAFETY: instance and list live through the call.
        let code = unsafe {
            match paused {
                true => sys::rd_kafka_pause_partitions(self.client.rk(), list.as_ptr()),
                false => sys::rd_kafka_resume_partitions(self.client.rk(), list.as_ptr()),
            }
        };
        NativeError::check(code)?;
        list.items().iter().try_for_each(|item| NativeError::check(item.code))
    }

    // --- membership ---

    pub(crate) fn subscribe<'a>(&self, topics: impl IntoIterator<Item = &'a str>) -> Result<(), NativeError> {
        let list = PartitionList::of_topics(topics)?;
        // SAFETY: instance and list live through the call, which copies.
        NativeError::check(unsafe { sys::rd_kafka_subscribe(self.client.rk(), list.as_ptr()) })
    }

    /// The next event, if one is there. A rebalance has to be answered with [`Consumer::assign_held`] or
    /// [`Consumer::assign_less`], whenever that suits; heartbeats go on until then.
    pub(crate) fn event(&self, timeout: Duration) -> Option<ConsumerEvent> {
        // SAFETY: the queue is the consumer's; the event is ours and freed below, its contents are copied before.
        unsafe {
            let event = sys::rd_kafka_queue_poll(self.queue.0.as_ptr(), timeout_ms(timeout));
            if event.is_null() {
                return None;
            }
            let found = read_event(event);
            sys::rd_kafka_event_destroy(event);
            found
        }
    }

    /// Whether what has to be given up is lost already.
    pub(crate) fn assignment_lost(&self) -> bool {
        // SAFETY: the instance lives.
        unsafe { sys::rd_kafka_assignment_lost(self.client.rk()) == 1 }
    }

    /// Who this member is at this moment.
    pub(crate) fn group_identity(&self) -> Result<GroupIdentity, NativeError> {
        // SAFETY: the instance lives; the object is ours, its contents are copied before it is freed.
        unsafe {
            let metadata = sys::rd_kafka_consumer_group_metadata(self.client.rk());
            if metadata.is_null() {
                return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR__UNKNOWN_GROUP));
            }
            let identity = GroupIdentity {
                generation: sys::rd_kafka_consumer_group_metadata_generation_id(metadata),
                member: text_of(sys::rd_kafka_consumer_group_metadata_member_id(metadata)),
            };
            sys::rd_kafka_consumer_group_metadata_destroy(metadata);
            Ok(identity)
        }
    }

    /// Leaves the group and closes the consumer, giving up whatever it holds. `false` when that took longer than
    /// allowed.
    pub(crate) fn close(&self, timeout: Duration) -> Result<bool, NativeError> {
        let deadline = Instant::now() + timeout;
        // SAFETY: instance and queue live.
        unsafe {
            NativeError::take(sys::rd_kafka_consumer_close_queue(self.client.rk(), self.queue.0.as_ptr()))?;
        }
        // SAFETY: the instance lives.
        while unsafe { sys::rd_kafka_consumer_closed(self.client.rk()) } != 1 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            if let Some(ConsumerEvent::Assign(_) | ConsumerEvent::Revoke(_)) =
                self.event(left.min(Duration::from_millis(20)))
            {
                // SAFETY: the instance lives; no list takes everything away.
                NativeError::check(unsafe { sys::rd_kafka_assign(self.client.rk(), std::ptr::null()) })?;
            }
        }
        Ok(true)
    }
}

/// # Safety
/// `event` lives while this runs.
unsafe fn read_event(event: *mut sys::rd_kafka_event_t) -> Option<ConsumerEvent> {
    // SAFETY: as the caller promises; lists and texts belong to the event and are copied.
    unsafe {
        match sys::rd_kafka_event_type(event) {
            sys::RD_KAFKA_EVENT_REBALANCE => {
                let list = items_of(sys::rd_kafka_event_topic_partition_list(event));
                let places = list.into_iter().map(|item| item.place).collect();
                match sys::rd_kafka_event_error(event) {
                    Code::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Some(ConsumerEvent::Assign(places)),
                    Code::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => Some(ConsumerEvent::Revoke(places)),
                    code => Some(ConsumerEvent::Error(NativeError::of(code))),
                }
            }
            sys::RD_KAFKA_EVENT_ERROR => {
                let text = text_of(sys::rd_kafka_event_error_string(event));
                let error = NativeError::with_text(sys::rd_kafka_event_error(event), text);
                let is_fatal = sys::rd_kafka_event_error_is_fatal(event) != 0;
                Some(ConsumerEvent::Error(NativeError { is_fatal, ..error }))
            }
            // A record of a partition that is held and was not paused yet: nobody reads it.
            _ => None,
        }
    }
}
