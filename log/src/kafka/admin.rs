//! Requests about topics, offsets and groups.

use super::errors::{Right, is_unknown_topic};
use super::native::{Code, ListItem, NativeError, PartitionList};
use super::shared::{EARLIEST, LATEST, Shared};
use crate::topics::check_topic_name;
use crate::{
    Admin, CommittedOffset, Isolation, LogError, Offset, OffsetQuery, TopicDescription, TopicIdentity,
    TopicPartition, TopicSpec,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often is looked whether a topic has come or gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Sends requests through the log's shared client: cheap to make.
#[derive(Debug)]
pub(super) struct KafkaAdmin {
    shared: Arc<Shared>,
}

impl KafkaAdmin {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        KafkaAdmin { shared: Arc::clone(shared) }
    }

    /// Waits until a topic is as it was asked to be: brokers answer before all of them know.
    fn await_topic(
        &self,
        topic: &str,
        what: &str,
        there: impl Fn(Option<(u32, bool)>) -> bool,
    ) -> Result<(), LogError> {
        let deadline = Instant::now() + self.shared.timeout();
        loop {
            let view = self.shared.topic(topic)?;
            if there(view.map(|view| (view.partitions, view.has_leaders))) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(LogError::Timeout(format!(
                    "topic \"{topic}\" was {what} and this does not show"
                )));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Admin for KafkaAdmin {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        check_topic_name(topic)?;
        let made = self.shared.ask(|client, timeout| client.create_topic(topic, timeout));
        if matches!(&made, Err(error) if error.code == Code::RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            // The controller knows of it; whoever has made it just now may not have seen it on the brokers yet either.
            self.await_topic(&topic.name, "made", |view| view.is_some_and(|(_, has_leaders)| has_leaders))?;
            return Err(LogError::TopicExists(topic.name.clone()));
        }
        made.map_err(|error| match error.code {
            Code::RD_KAFKA_RESP_ERR_INVALID_CONFIG => bad_config(&topic.config, &error.text),
            _ => {
                let right = Right("Create", &topic.name);
                self.shared.error(&format!("making topic \"{}\"", topic.name), right, &error)
            }
        })?;
        self.await_topic(&topic.name, "made", |view| view == Some((topic.partitions, true)))
    }

    fn delete_topic(&mut self, topic: &str) -> Result<(), LogError> {
        let deleted = self.shared.ask(|client, timeout| client.delete_topic(topic, timeout));
        deleted.map_err(|error| match error.code {
            code if is_unknown_topic(code) => LogError::UnknownTopic(topic.to_owned()),
            _ => self.shared.error(&format!("deleting topic \"{topic}\""), Right("Delete", topic), &error),
        })?;
        self.await_topic(topic, "deleted", |view| view.is_none())
    }

    fn topics(&mut self) -> Result<Vec<String>, LogError> {
        let topics = self.shared.ask(|client, timeout| client.topics(timeout));
        let topics = topics.map_err(|error| self.shared.error("topics", Right("Describe", ""), &error))?;
        let mut names: Vec<String> = topics.into_iter().map(|view| view.name).collect();
        names.retain(|name| !is_internal(name));
        names.sort_unstable();
        Ok(names)
    }

    fn describe_topic(&mut self, topic: &str) -> Result<Option<TopicDescription>, LogError> {
        let Some(view) = self.shared.topic(topic)? else { return Ok(None) };
        match self.shared.ask(|client, timeout| client.topic_config(topic, timeout)) {
            Ok(config) => {
                let own = config.into_iter().filter(|(_, (_, own))| *own);
                let config = own.map(|(key, (value, _))| (key, value)).collect();
                Ok(Some(TopicDescription { name: view.name, partitions: view.partitions, config }))
            }
            Err(error) if is_unknown_topic(error.code) => Ok(None),
            Err(error) => {
                let right = Right("DescribeConfigs", topic);
                Err(self.shared.error(&format!("settings of topic \"{topic}\""), right, &error))
            }
        }
    }

    fn identify_topics(&mut self, topics: &[String]) -> Result<Vec<Option<TopicIdentity>>, LogError> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.shared.ask(|client, timeout| client.identify_topics(topics, timeout));
        let right = || Right("Describe", topics.first().map_or("", String::as_str));
        let mut found = found.map_err(|error| self.shared.error("ids of topics", right(), &error))?;
        let of = |topic: &String| match found.remove(topic) {
            Some(identity) => Ok(identity),
            None => Err(LogError::Client(format!("no answer about topic \"{topic}\""))),
        };
        topics.iter().map(of).collect()
    }

    fn offsets(
        &mut self,
        places: &[TopicPartition],
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Vec<Offset>, LogError> {
        let asked = match query {
            OffsetQuery::Earliest => EARLIEST,
            OffsetQuery::Latest => LATEST,
            // What is older than time itself is the first record.
            OffsetQuery::Timestamp(at) => at.max(0),
        };
        let found = self.shared.list_offsets(places, asked, isolation)?;
        if found.iter().all(Option::is_some) {
            return Ok(found.into_iter().flatten().collect());
        }
        let ends = self.shared.list_offsets(places, LATEST, isolation)?;
        Ok(found.into_iter().zip(ends).map(|(found, end)| found.or(end).unwrap_or(0)).collect())
    }

    fn delete_records(&mut self, before: &[(TopicPartition, Offset)]) -> Result<(), LogError> {
        let mut list = PartitionList::new();
        for (place, offset) in before {
            self.shared.check_place(place)?;
            let offset = i64::try_from(*offset).unwrap_or(i64::MAX);
            let added = list.add(&place.topic, place.partition, offset, "");
            added.map_err(|error| self.shared.place_error("deleting records", "Delete", place, &error))?;
        }
        let deleted = self.shared.ask_each(|client, timeout| client.delete_records(&list, timeout));
        let topic = before.first().map_or("", |(place, _)| &*place.topic);
        let deleted =
            deleted.map_err(|error| self.shared.error("deleting records", Right("Delete", topic), &error))?;
        for (place, offset) in before {
            let answer = deleted.iter().find(|answer| answer.place == *place);
            match answer.map_or(Code::RD_KAFKA_RESP_ERR__FAIL, |answer| answer.code) {
                Code::RD_KAFKA_RESP_ERR_NO_ERROR => {}
                Code::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE => {
                    let (start, end) = self.shared.range(place)?;
                    // Going back changes nothing.
                    if *offset > end {
                        let (place, wanted) = (place.clone(), *offset);
                        return Err(LogError::OffsetOutOfRange { place, wanted, start, end });
                    }
                }
                code => {
                    let error = NativeError::of(code);
                    return Err(self.shared.place_error("deleting records", "Delete", place, &error));
                }
            }
        }
        Ok(())
    }

    fn committed(
        &mut self,
        group: &str,
        places: &[TopicPartition],
        isolation: Isolation,
    ) -> Result<Vec<Option<CommittedOffset>>, LogError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let what = format!("committed offsets of group \"{group}\"");
        let failed = |error: NativeError| self.shared.error(&what, Right("Describe", group), &error);
        let stable = isolation == Isolation::ReadCommitted;
        let list = PartitionList::of(places, LATEST).map_err(failed)?;
        let answers = self.shared.ask_each(|client, timeout| client.committed(group, &list, stable, timeout));
        let answers = answers.map_err(failed)?;
        let committed = |place: &TopicPartition| match answers.iter().find(|answer| answer.place == *place) {
            None => Ok(None),
            Some(ListItem { code: Code::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, .. }) => {
                Err(LogError::NotReady(format!("a transaction holds the committed offset of {place}")))
            }
            Some(ListItem { code: Code::RD_KAFKA_RESP_ERR_NO_ERROR, offset, metadata, .. }) => {
                let offset = u64::try_from(*offset).ok();
                Ok(offset.map(|offset| CommittedOffset { offset, metadata: metadata.clone() }))
            }
            Some(answer) if is_unknown_topic(answer.code) => Ok(None),
            Some(answer) => {
                Err(self.shared.place_error(&what, "Describe", place, &NativeError::of(answer.code)))
            }
        };
        places.iter().map(committed).collect()
    }

    fn commit(&mut self, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) -> Result<(), LogError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let failed = |error: NativeError| {
            if is_in_use(error.code) {
                return LogError::GroupInUse(group.to_owned());
            }
            let what = format!("committing offsets of group \"{group}\"");
            self.shared.error(&what, Right("Read", group), &error)
        };
        let mut list = PartitionList::new();
        for (place, committed) in offsets {
            let offset = i64::try_from(committed.offset).unwrap_or(i64::MAX);
            list.add(&place.topic, place.partition, offset, &committed.metadata).map_err(failed)?;
        }
        let answers =
            self.shared.ask_each(|client, timeout| client.commit(group, &list, timeout)).map_err(failed)?;
        answers.into_iter().try_for_each(|answer| NativeError::check(answer.code).map_err(failed))
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        match self.shared.ask(|client, timeout| client.delete_group(group, timeout)) {
            Ok(()) => Ok(()),
            Err(error) => match error.code {
                Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND => Ok(()),
                Code::RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP => Err(LogError::GroupInUse(group.to_owned())),
                _ => {
                    let what = format!("deleting group \"{group}\"");
                    Err(self.shared.error(&what, Right("Delete", group), &error))
                }
            },
        }
    }
}

/// Topics of Kafka itself.
fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state" | "__cluster_metadata"
    )
}

/// A group with members takes commits of its members only.
fn is_in_use(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID
            | Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION
            | Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP
    )
}

/// Which of the settings a broker means, who names it only in its text.
fn bad_config(config: &BTreeMap<String, String>, text: &str) -> LogError {
    let named = config.iter().filter(|(key, _)| text.contains(key.as_str()));
    // Of two names that the text holds, one within the other, the longer is meant.
    let (key, value) = named.max_by_key(|(key, _)| key.len()).map_or(("", ""), |(key, value)| (key, value));
    LogError::BadConfig { key: key.to_owned(), value: value.to_owned(), reason: text.to_owned() }
}
