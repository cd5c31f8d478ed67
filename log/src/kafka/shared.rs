//! What all clients of a log share: its configuration, one client for requests, and what is known of topics.

use super::KafkaConfig;
use super::errors::{Right, is_passing, is_unknown_topic, log_error, permanent};
use super::native::{Client, ClientKind, Code, ListItem, NativeError, PartitionList, TopicView};
use crate::{Isolation, LogError, Offset, TopicPartition};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a number of partitions is taken for the truth. A topic that is deleted meanwhile is found out by the
/// request that needs it, only later.
const KNOWN_FOR: Duration = Duration::from_secs(10);
/// What a topic takes by Kafka's defaults, in bytes a batch.
const MESSAGE_BYTES_MAX: usize = 1_048_588;
/// How long is waited after "not now": first, and at most. A leader of a new topic is there in a moment.
const ASK_AGAIN_MS: std::ops::RangeInclusive<u64> = 2..=100;
/// What offsets are asked for besides timestamps.
pub(super) const EARLIEST: i64 = -2;
pub(super) const LATEST: i64 = -1;
/// What librdkafka 2.12 gives, without any error, for partitions whose request was not answered: parts of an answer that
/// failed are left out when they are put together (`rd_kafka_ListOffsets_response_merge`). -1 is an answer: no record is
/// that young.
const NOT_ANSWERED: i64 = -1001;

#[derive(Debug)]
pub(super) struct Shared {
    config: KafkaConfig,
    client: Client,
    partitions: Mutex<HashMap<Arc<str>, (u32, Instant)>>,
}

impl Shared {
    pub(super) fn connect(config: KafkaConfig) -> Result<Self, LogError> {
        let client = Client::new(ClientKind::Consumer, config.admin()?)
            .map_err(|error| LogError::Client(format!("no client can be made: {error}")))?;
        Ok(Shared { config, client, partitions: Mutex::default() })
    }

    pub(super) fn config(&self) -> &KafkaConfig {
        &self.config
    }

    /// The client for requests.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn timeout(&self) -> Duration {
        self.config.request_timeout
    }

    pub(super) fn cluster_id(&self) -> Result<String, LogError> {
        self.client.cluster_id(self.timeout()).ok_or_else(|| {
            let bootstrap = self.config.bootstrap();
            LogError::Timeout(format!("no broker answers at {bootstrap}{}", self.last_error()))
        })
    }

    /// Makes a request until the answer is another than "not now": a coordinator that moves, a leader that is elected.
    pub(super) fn ask<T>(
        &self,
        request: impl Fn(&Client, Duration) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        let deadline = Instant::now() + self.timeout();
        let mut wait_ms = *ASK_AGAIN_MS.start();
        loop {
            let answer = request(&self.client, self.timeout());
            let again = matches!(&answer, Err(error) if is_passing(error.code));
            if !again || Instant::now() >= deadline {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(wait_ms));
            wait_ms = (2 * wait_ms).min(*ASK_AGAIN_MS.end());
        }
    }

    /// The same for a request with an answer for each partition.
    pub(super) fn ask_each(
        &self,
        request: impl Fn(&Client, Duration) -> Result<Vec<ListItem>, NativeError>,
    ) -> Result<Vec<ListItem>, NativeError> {
        self.ask(|client, timeout| {
            let answers = request(client, timeout)?;
            // What a transaction holds may stay so for long: that is for the caller to know.
            let again = |answer: &&ListItem| {
                is_passing(answer.code) && answer.code != Code::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT
            };
            answers.iter().find(again).map_or(Ok(()), |answer| Err(NativeError::of(answer.code)))?;
            Ok(answers)
        })
    }

    /// An error of a request that needs a right, with what went wrong with the connections before it.
    pub(super) fn error(&self, what: &str, right: Right<'_>, error: &NativeError) -> LogError {
        if let Some(permanent) = self.permanent(right, error) {
            return permanent;
        }
        match log_error(what, error) {
            LogError::Timeout(text) => LogError::Timeout(format!("{text}{}", self.last_error())),
            other => other,
        }
    }

    /// An error that comes again until somebody changes a right or a setting.
    pub(super) fn permanent(&self, right: Right<'_>, error: &NativeError) -> Option<LogError> {
        permanent(&self.config.principal(), right, error)
    }

    /// An error that concerns a partition, of what needs the right of this name on its topic.
    pub(super) fn place_error(
        &self,
        what: &str,
        operation: &'static str,
        place: &TopicPartition,
        error: &NativeError,
    ) -> LogError {
        if is_unknown_topic(error.code) {
            return LogError::UnknownTopic(place.to_string());
        }
        let permanent = self.permanent(Right(operation, &place.topic), error);
        permanent.unwrap_or_else(|| log_error(&format!("{what} of {place}"), error))
    }

    fn last_error(&self) -> String {
        self.client.poll(0);
        let reason = self.client.last_error();
        if reason.is_empty() { reason } else { format!("; last: {reason}") }
    }

    // --- topics ---

    /// A topic as the brokers have it now.
    pub(super) fn topic(&self, topic: &str) -> Result<Option<TopicView>, LogError> {
        let view = self.ask(|client, timeout| client.topic(topic, timeout));
        let view = view.map_err(|error| {
            self.error(&format!("metadata of topic \"{topic}\""), Right("Describe", topic), &error)
        })?;
        let mut partitions = self.partitions();
        match &view {
            Some(view) => partitions.insert(topic.into(), (view.partitions, Instant::now())),
            None => partitions.remove(topic),
        };
        Ok(view)
    }

    /// Whether there is such a partition. librdkafka would wait for one that is not there yet.
    pub(super) fn check_place(&self, place: &TopicPartition) -> Result<(), LogError> {
        let known = self.partitions().get(&place.topic).copied();
        if known.is_some_and(|(count, at)| place.partition < count && at.elapsed() < KNOWN_FOR) {
            return Ok(());
        }
        match self.topic(&place.topic)? {
            Some(view) if place.partition < view.partitions => Ok(()),
            _ => Err(LogError::UnknownTopic(place.to_string())),
        }
    }

    pub(super) fn forget_topic(&self, topic: &str) {
        self.partitions().remove(topic);
    }

    fn partitions(&self) -> MutexGuard<'_, HashMap<Arc<str>, (u32, Instant)>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that a topic takes in one batch. For an error's text: what the broker does not tell is taken for the
    /// default.
    pub(super) fn message_bytes_max(&self, topic: &str) -> usize {
        let config = self.client.topic_config(topic, self.timeout()).unwrap_or_default();
        let limit = config.get("max.message.bytes").and_then(|(value, _)| value.parse().ok());
        limit.unwrap_or(MESSAGE_BYTES_MAX)
    }

    // --- offsets ---

    /// Looks offsets up, all for the same question: [`EARLIEST`], [`LATEST`] or a timestamp. `None` where no record is
    /// that young.
    pub(super) fn list_offsets(
        &self,
        places: &[TopicPartition],
        asked: i64,
        isolation: Isolation,
    ) -> Result<Vec<Option<Offset>>, LogError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        places.iter().try_for_each(|place| self.check_place(place))?;
        let failed = |error: NativeError| {
            if is_unknown_topic(error.code) {
                places.iter().for_each(|place| self.forget_topic(&place.topic));
            }
            self.place_error("offsets", "Describe", &places[0], &error)
        };
        let list = PartitionList::of(places, asked).map_err(failed)?;
        let answers = self.ask_each(|client, timeout| {
            let answers = client.list_offsets(&list, isolation, timeout)?;
            // Taken for an answer it would be the end: a journal that is not empty would seem so.
            let is_silent =
                |it: &ListItem| it.code == Code::RD_KAFKA_RESP_ERR_NO_ERROR && it.offset == NOT_ANSWERED;
            match answers.iter().any(is_silent) {
                true => Err(NativeError::of(Code::RD_KAFKA_RESP_ERR__TIMED_OUT)),
                false => Ok(answers),
            }
        });
        let answers = answers.map_err(failed)?;
        let mut offsets = Vec::with_capacity(places.len());
        for place in places {
            let answer = answers.iter().find(|answer| answer.place == *place);
            let answer = answer.ok_or_else(|| LogError::Client(format!("no answer about {place}")))?;
            match answer.code {
                Code::RD_KAFKA_RESP_ERR_NO_ERROR => offsets.push(u64::try_from(answer.offset).ok()),
                code => {
                    return Err(self.place_error("offset", "Describe", place, &NativeError::of(code)));
                }
            }
        }
        Ok(offsets)
    }

    /// First offset and true end of a partition.
    pub(super) fn range(&self, place: &TopicPartition) -> Result<(Offset, Offset), LogError> {
        let places = std::slice::from_ref(place);
        let ask = |asked| {
            let found = self.list_offsets(places, asked, Isolation::ReadUncommitted)?;
            Ok::<Offset, LogError>(found.first().copied().flatten().unwrap_or(0))
        };
        Ok((ask(EARLIEST)?, ask(LATEST)?))
    }
}
