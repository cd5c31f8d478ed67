//! Requests about topics, offsets and groups. Each waits for its answer on a queue of its own.

mod groups;

use super::client::Client;
use super::list::{ListItem, PartitionList, item_of, items_of};
use super::{Code, NativeError, c_string, text_of, timeout_ms};
use crate::{Isolation, TopicId, TopicIdentity, TopicPartition, TopicSpec};
use rdkafka_sys as sys;
use std::collections::BTreeMap;
use std::time::Duration;
use sys::rd_kafka_admin_op_t as Op;

/// A topic as brokers have it.
#[derive(Debug)]
pub(crate) struct TopicView {
    pub(crate) name: String,
    pub(crate) partitions: u32,
    /// Whether every partition can be written and read now.
    pub(crate) has_leaders: bool,
}

/// Who has which partitions of a group.
#[derive(Debug)]
pub(crate) struct GroupView {
    /// Whether every member knows what it has.
    pub(crate) is_stable: bool,
    pub(crate) assigned: Vec<TopicPartition>,
    /// Names over restarts of the members that have one.
    pub(crate) instances: Vec<String>,
}

impl Client {
    /// The cluster's id.
    pub(crate) fn cluster_id(&self, timeout: Duration) -> Option<String> {
        // SAFETY: the instance lives; the text is ours and freed.
        unsafe {
            let id = sys::rd_kafka_clusterid(self.rk(), timeout_ms(timeout));
            let found = (!id.is_null()).then(|| text_of(id));
            sys::rd_kafka_mem_free(self.rk(), id.cast());
            found
        }
    }

    /// Waits until a broker is connected.
    pub(crate) fn connect(&self, timeout: Duration) -> Result<(), NativeError> {
        let mut metadata = std::ptr::null();
        // SAFETY: the instance lives; no topic is asked about; what comes back is freed.
        unsafe {
            let (nothing, found) = (std::ptr::null_mut(), &raw mut metadata);
            NativeError::check(sys::rd_kafka_metadata(self.rk(), 0, nothing, found, timeout_ms(timeout)))?;
            sys::rd_kafka_metadata_destroy(metadata);
        }
        Ok(())
    }

    /// All topics that are well.
    pub(crate) fn topics(&self, timeout: Duration) -> Result<Vec<TopicView>, NativeError> {
        // SAFETY: no topic is named.
        let topics = unsafe { self.metadata(std::ptr::null_mut(), timeout) }?;
        Ok(topics.into_iter().filter_map(Result::ok).collect())
    }

    /// One topic; `None` when it does not exist.
    pub(crate) fn topic(&self, topic: &str, timeout: Duration) -> Result<Option<TopicView>, NativeError> {
        let name = c_string(topic)?;
        // SAFETY: instance and name live through the calls; the topic is freed after its last use.
        let mut topics = unsafe {
            let handle = sys::rd_kafka_topic_new(self.rk(), name.as_ptr(), std::ptr::null_mut());
            if handle.is_null() {
                return Err(NativeError::invalid(format!("no topic can be called \"{topic}\"")));
            }
            let topics = self.metadata(handle, timeout);
            sys::rd_kafka_topic_destroy(handle);
            topics?
        };
        match topics.pop() {
            None
            | Some(Err(
                Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
                // A name that no topic can have.
                | Code::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            )) => Ok(None),
            Some(Err(code)) => Err(NativeError::of(code)),
            Some(Ok(view)) => Ok(Some(view)),
        }
    }

    /// # Safety
    /// `topic` is null, for all topics, or a live topic of this client.
    unsafe fn metadata(
        &self,
        topic: *mut sys::rd_kafka_topic_t,
        timeout: Duration,
    ) -> Result<Vec<Result<TopicView, Code>>, NativeError> {
        let mut metadata = std::ptr::null();
        // SAFETY: the instance lives, and the topic as the caller promises. What comes back has as many entries as it
        // says; it is copied, then freed.
        unsafe {
            let (all, found) = (i32::from(topic.is_null()), &raw mut metadata);
            let code = sys::rd_kafka_metadata(self.rk(), all, topic, found, timeout_ms(timeout));
            NativeError::check(code)?;
            let count = usize::try_from((*metadata).topic_cnt).unwrap_or(0);
            let view = |at| {
                let topic = &*(*metadata).topics.add(at);
                if topic.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return Err(topic.err);
                }
                let partitions = u32::try_from(topic.partition_cnt).unwrap_or(0);
                let has_leader = |at| (*topic.partitions.add(at as usize)).leader >= 0;
                let has_leaders = (0..partitions).all(has_leader);
                Ok(TopicView { name: text_of(topic.topic), partitions, has_leaders })
            };
            let topics = (0..count).map(view).collect();
            sys::rd_kafka_metadata_destroy(metadata);
            Ok(topics)
        }
    }

    /// Makes a topic, with the broker's number of replicas.
    pub(crate) fn create_topic(&self, spec: &TopicSpec, timeout: Duration) -> Result<(), NativeError> {
        let name = c_string(&spec.name)?;
        let count = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
        let mut config = Vec::with_capacity(spec.config.len());
        for (key, value) in &spec.config {
            config.push((c_string(key)?, c_string(value)?));
        }
        // SAFETY: all strings live through the calls; the new topic is ours and freed after its last use.
        unsafe {
            let mut reason = [0; 256];
            let mut topic =
                sys::rd_kafka_NewTopic_new(name.as_ptr(), count, -1, reason.as_mut_ptr(), reason.len());
            if topic.is_null() {
                return Err(NativeError::invalid(text_of(reason.as_ptr())));
            }
            for (key, value) in &config {
                sys::rd_kafka_NewTopic_set_config(topic, key.as_ptr(), value.as_ptr());
            }
            let result = self.request(Op::RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout, None, |options, queue| {
                sys::rd_kafka_CreateTopics(self.rk(), &raw mut topic, 1, options, queue);
            });
            sys::rd_kafka_NewTopic_destroy(topic);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_CreateTopics_result(event.0);
            first_topic(sys::rd_kafka_CreateTopics_result_topics(result, &raw mut count), count)
        }
    }

    pub(crate) fn delete_topic(&self, topic: &str, timeout: Duration) -> Result<(), NativeError> {
        let name = c_string(topic)?;
        // SAFETY: the name lives through the calls; the request is ours and freed after its last use.
        unsafe {
            let mut topic = sys::rd_kafka_DeleteTopic_new(name.as_ptr());
            let result = self.request(Op::RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout, None, |options, queue| {
                sys::rd_kafka_DeleteTopics(self.rk(), &raw mut topic, 1, options, queue);
            });
            sys::rd_kafka_DeleteTopic_destroy(topic);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_DeleteTopics_result(event.0);
            first_topic(sys::rd_kafka_DeleteTopics_result_topics(result, &raw mut count), count)
        }
    }

    /// Ids and partition counts of topics, by name; `None` for one that does not exist. Brokers from before Kafka 2.8 give
    /// no ids.
    pub(crate) fn identify_topics(
        &self,
        topics: &[String],
        timeout: Duration,
    ) -> Result<BTreeMap<String, Option<TopicIdentity>>, NativeError> {
        let names = topics.iter().map(|topic| c_string(topic)).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: names and pointers live through the calls; the collection is ours and freed after its last use; what
        // comes back belongs to the event and is copied.
        unsafe {
            let collection =
                sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            let result =
                self.request(Op::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout, None, |options, queue| {
                    sys::rd_kafka_DescribeTopics(self.rk(), collection, options, queue);
                });
            sys::rd_kafka_TopicCollection_destroy(collection);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_DescribeTopics_result(event.0);
            let found = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
            (0..count).map(|at| identity_of(*found.add(at))).collect()
        }
    }

    /// All settings of a topic, and for each whether it was given to the topic itself.
    pub(crate) fn topic_config(
        &self,
        topic: &str,
        timeout: Duration,
    ) -> Result<BTreeMap<String, (String, bool)>, NativeError> {
        let name = c_string(topic)?;
        let kind = sys::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
        // SAFETY: the name lives through the calls; the request is ours and freed after its last use; what comes back
        // belongs to the event and is copied.
        unsafe {
            let mut resource = sys::rd_kafka_ConfigResource_new(kind, name.as_ptr());
            let result =
                self.request(Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout, None, |options, queue| {
                    sys::rd_kafka_DescribeConfigs(self.rk(), &raw mut resource, 1, options, queue);
                });
            sys::rd_kafka_ConfigResource_destroy(resource);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_DescribeConfigs_result(event.0);
            let resources = sys::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
            if count == 0 {
                return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
            }
            let resource = *resources;
            NativeError::check(sys::rd_kafka_ConfigResource_error(resource))?;
            let entries = sys::rd_kafka_ConfigResource_configs(resource, &raw mut count);
            let entry = |at| {
                let entry = *entries.add(at);
                let source = sys::rd_kafka_ConfigEntry_source(entry);
                let own = source == sys::rd_kafka_ConfigSource_t::RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
                let value = text_of(sys::rd_kafka_ConfigEntry_value(entry));
                (text_of(sys::rd_kafka_ConfigEntry_name(entry)), (value, own))
            };
            Ok((0..count).map(entry).collect())
        }
    }

    /// Looks offsets up. Those of `asked` are what is asked for: -2 for the first, -1 for the end, or a timestamp.
    pub(crate) fn list_offsets(
        &self,
        asked: &PartitionList,
        isolation: Isolation,
        timeout: Duration,
    ) -> Result<Vec<ListItem>, NativeError> {
        // SAFETY: the list lives through the call; what comes back belongs to the event and is copied.
        unsafe {
            let option = Some(RequestOption::Isolation(isolation));
            let event =
                self.request(Op::RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout, option, |options, queue| {
                    sys::rd_kafka_ListOffsets(self.rk(), asked.as_ptr(), options, queue);
                })?;
            let mut count = 0;
            let result = sys::rd_kafka_event_ListOffsets_result(event.0);
            let infos = sys::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
            let item = |at| item_of(sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*infos.add(at)));
            Ok((0..count).map(item).collect())
        }
    }

    /// Removes the records before the offsets of a list.
    pub(crate) fn delete_records(
        &self,
        before: &PartitionList,
        timeout: Duration,
    ) -> Result<Vec<ListItem>, NativeError> {
        // SAFETY: the list lives through the calls; the request is ours and freed after its last use.
        unsafe {
            let mut request = sys::rd_kafka_DeleteRecords_new(before.as_ptr());
            let result =
                self.request(Op::RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout, None, |options, queue| {
                    sys::rd_kafka_DeleteRecords(self.rk(), &raw mut request, 1, options, queue);
                });
            sys::rd_kafka_DeleteRecords_destroy(request);
            let event = result?;
            let result = sys::rd_kafka_event_DeleteRecords_result(event.0);
            Ok(items_of(sys::rd_kafka_DeleteRecords_result_offsets(result)))
        }
    }

    /// Sends a request and waits for its answer.
    fn request(
        &self,
        op: Op,
        timeout: Duration,
        option: Option<RequestOption>,
        send: impl FnOnce(*const sys::rd_kafka_AdminOptions_t, *mut sys::rd_kafka_queue_t),
    ) -> Result<Event, NativeError> {
        let limit_ms = timeout_ms(timeout);
        let mut reason = [0; 256];
        // SAFETY: the instance lives; options and queue are ours and freed after their last use; the event is handed
        // to its owner. Setters fail only for options that the request does not have.
        unsafe {
            let options = sys::rd_kafka_AdminOptions_new(self.rk(), op);
            sys::rd_kafka_AdminOptions_set_request_timeout(
                options,
                limit_ms,
                reason.as_mut_ptr(),
                reason.len(),
            );
            let set = match option {
                None => Ok(()),
                Some(RequestOption::Isolation(isolation)) => NativeError::take(
                    sys::rd_kafka_AdminOptions_set_isolation_level(options, level(isolation)),
                ),
                Some(RequestOption::Stable(stable)) => NativeError::take(
                    sys::rd_kafka_AdminOptions_set_require_stable_offsets(options, i32::from(stable)),
                ),
            };
            let queue = sys::rd_kafka_queue_new(self.rk());
            send(options, queue);
            // The request's own time-out gives an event; this one is for when it does not.
            let event = sys::rd_kafka_queue_poll(queue, limit_ms.saturating_add(5_000));
            sys::rd_kafka_queue_destroy(queue);
            sys::rd_kafka_AdminOptions_destroy(options);
            set?;
            if event.is_null() {
                return Err(NativeError::timed_out("no answer".to_owned()));
            }
            let event = Event(event);
            match sys::rd_kafka_event_error(event.0) {
                Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
                code => Err(NativeError::with_text(code, text_of(sys::rd_kafka_event_error_string(event.0)))),
            }
        }
    }
}

enum RequestOption {
    Isolation(Isolation),
    Stable(bool),
}

fn level(isolation: Isolation) -> sys::rd_kafka_IsolationLevel_t {
    match isolation {
        Isolation::ReadCommitted => sys::rd_kafka_IsolationLevel_t::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED,
        Isolation::ReadUncommitted => {
            sys::rd_kafka_IsolationLevel_t::RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
        }
    }
}

/// An answer.
struct Event(*mut sys::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { sys::rd_kafka_event_destroy(self.0) };
    }
}

/// The result of a request about one topic.
///
/// # Safety
/// `results` has `count` entries that live while this runs.
unsafe fn first_topic(
    results: *mut *const sys::rd_kafka_topic_result_t,
    count: usize,
) -> Result<(), NativeError> {
    if count == 0 {
        return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR__FAIL));
    }
    // SAFETY: there is one; its text lives with it.
    unsafe {
        match sys::rd_kafka_topic_result_error(*results) {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => {
                let text = text_of(sys::rd_kafka_topic_result_error_string(*results));
                Err(NativeError::with_text(code, text))
            }
        }
    }
}

/// A topic's name, and what it is if it exists.
///
/// # Safety
/// `topic` lives while this runs.
unsafe fn identity_of(
    topic: *const sys::rd_kafka_TopicDescription_t,
) -> Result<(String, Option<TopicIdentity>), NativeError> {
    // SAFETY: the topic lives, and what it gives belongs to it.
    unsafe {
        let name = text_of(sys::rd_kafka_TopicDescription_name(topic));
        match NativeError::borrow(sys::rd_kafka_TopicDescription_error(topic)) {
            Err(error) if is_no_topic(error.code) => return Ok((name, None)),
            result => result?,
        }
        let mut partitions = 0;
        sys::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        let id = (!id.is_null()).then(|| {
            let high = sys::rd_kafka_Uuid_most_significant_bits(id) as u64;
            let low = sys::rd_kafka_Uuid_least_significant_bits(id) as u64;
            TopicId(u128::from(high) << 64 | u128::from(low))
        });
        let partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
        Ok((name, Some(TopicIdentity { id: id.filter(|id| id.0 != 0), partitions })))
    }
}

/// Whether a topic does not exist, or can't.
fn is_no_topic(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            | Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            | Code::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION
    )
}
