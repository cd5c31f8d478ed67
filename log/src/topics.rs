//! Topics and their settings.

use super::LogError;
use millstream_records::names::topic_name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: u32,
    /// Settings by Kafka's names: `cleanup.policy`, `retention.ms`, ...
    pub config: BTreeMap<String, String>,
}

impl TopicSpec {
    /// A topic that is kept for ever.
    pub fn new(name: impl Into<String>, partitions: u32) -> Self {
        let forever = [("retention.ms", "-1"), ("retention.bytes", "-1")];
        let config = forever.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        TopicSpec { name: name.into(), partitions, config }
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.config.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// A topic as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: u32,
    /// Settings that differ from the log's defaults, by Kafka's names.
    pub config: BTreeMap<String, String>,
}

/// What tells a topic from any other that has or had its name. Shown as Kafka shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TopicId(pub u128);

/// The digits of Kafka's ids.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Digits of an id: six bits each, and two that are left.
const ID_DIGITS: usize = 22;

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for digit in 0..ID_DIGITS {
            let behind = 128 - 6 * (digit as i32 + 1);
            let bits = if behind >= 0 { self.0 >> behind } else { self.0 << -behind };
            write!(f, "{}", char::from(DIGITS[(bits & 63) as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<TopicId> for String {
    fn from(id: TopicId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for TopicId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("\"{}\" is no topic id", text.escape_debug());
        let mut id = 0u128;
        let digits = text.as_bytes();
        if digits.len() != ID_DIGITS {
            return Err(wrong());
        }
        for (at, digit) in digits.iter().enumerate() {
            let value = DIGITS.iter().position(|known| known == digit).ok_or_else(wrong)? as u128;
            // The last digit has four bits that stand for nothing.
            id = if at + 1 < ID_DIGITS { id << 6 | value } else { id << 2 | value >> 4 };
        }
        Ok(TopicId(id))
    }
}

/// Which topic a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicIdentity {
    /// Its id; `None` where the log gives none: brokers before Kafka 2.8.
    pub id: Option<TopicId>,
    /// Number of partitions.
    pub partitions: u32,
}

/// What happens to old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CleanupPolicy {
    /// Removed by age and size.
    pub delete: bool,
    /// Removed when a later record has the same key.
    pub compact: bool,
}

/// The settings of a topic that a log of ours understands.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup: CleanupPolicy,
    /// `retention.ms`; `None` for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`, per partition; `None` without limit.
    pub retention_bytes: Option<u64>,
    /// `delete.retention.ms`: how long compaction keeps the deletion of a key.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: the share of a partition that has to be new for it to be compacted.
    pub min_cleanable_dirty_ratio: f64,
    /// `max.message.bytes`.
    pub max_message_bytes: usize,
    /// Whether records get the time of their arrival instead of their writer's: `message.timestamp.type`.
    pub log_append_time: bool,
}

impl Default for TopicConfig {
    fn default() -> Self {
        TopicConfig {
            cleanup: CleanupPolicy { delete: true, compact: false },
            retention_ms: None,
            retention_bytes: None,
            delete_retention_ms: 86_400_000,
            min_cleanable_dirty_ratio: 0.5,
            max_message_bytes: 1_048_588,
            log_append_time: false,
        }
    }
}

impl TopicConfig {
    /// Reads settings by Kafka's names. What is not given keeps its default: records are kept for ever.
    ///
    /// # Errors
    /// [`LogError::BadConfig`] for a name or a value that is not known.
    pub fn parse(config: &BTreeMap<String, String>) -> Result<Self, LogError> {
        let mut parsed = TopicConfig::default();
        for (key, value) in config {
            let bad = |reason: &str| {
                let (key, value, reason) = (key.clone(), value.clone(), reason.to_owned());
                LogError::BadConfig { key, value, reason }
            };
            let number = || value.parse::<i64>().map_err(|_| bad("not a number"));
            match key.as_str() {
                "cleanup.policy" => {
                    parsed.cleanup = CleanupPolicy::default();
                    for policy in value.split(',').map(str::trim) {
                        match policy {
                            "delete" => parsed.cleanup.delete = true,
                            "compact" => parsed.cleanup.compact = true,
                            _ => return Err(bad("one of delete, compact, or both with a comma between")),
                        }
                    }
                }
                "retention.ms" => parsed.retention_ms = Some(number()?).filter(|limit| *limit >= 0),
                "retention.bytes" => parsed.retention_bytes = u64::try_from(number()?).ok(),
                "delete.retention.ms" => {
                    parsed.delete_retention_ms =
                        Some(number()?).filter(|it| *it >= 0).ok_or_else(|| bad("below 0"))?;
                }
                "min.cleanable.dirty.ratio" => {
                    let ratio = value.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
                    parsed.min_cleanable_dirty_ratio =
                        ratio.ok_or_else(|| bad("not a number from 0 to 1"))?;
                }
                "max.message.bytes" => {
                    parsed.max_message_bytes = usize::try_from(number()?).map_err(|_| bad("below 0"))?;
                }
                "message.timestamp.type" => {
                    parsed.log_append_time = match value.as_str() {
                        "CreateTime" => false,
                        "LogAppendTime" => true,
                        _ => return Err(bad("one of CreateTime, LogAppendTime")),
                    }
                }
                _ => {
                    return Err(bad("not a setting of this log; it knows cleanup.policy, retention.ms, \
                                    retention.bytes, delete.retention.ms, min.cleanable.dirty.ratio, \
                                    max.message.bytes and message.timestamp.type"));
                }
            }
        }
        Ok(parsed)
    }
}

/// Checks a topic's name as Kafka does, so that a job moves from one log to the other, and its settings.
pub(crate) fn check_topic_spec(spec: &TopicSpec) -> Result<TopicConfig, LogError> {
    check_topic_name(spec)?;
    TopicConfig::parse(&spec.config)
}

/// Checks a topic's name and its number of partitions as Kafka does.
pub(crate) fn check_topic_name(spec: &TopicSpec) -> Result<(), LogError> {
    let name = &spec.name;
    if let Err(why) = topic_name(name) {
        return Err(LogError::Unsupported(format!("no topic can be called {name:?}: {why}")));
    }
    if spec.partitions == 0 {
        return Err(LogError::Unsupported(format!("topic \"{name}\" needs at least one partition")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_is_shown_and_read_as_kafka_shows_it() {
        // What `kafka-topics.sh --describe` shows for the id of the controllers' own topic, 0..01.
        assert_eq!(TopicId(1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for id in [0, 1, 63, u128::MAX, 0x0123_4567_89ab_cdef_0fed_cba9_8765_4321] {
            let json = serde_json::to_string(&TopicId(id)).expect("an id is a string");
            assert_eq!(serde_json::from_str::<TopicId>(&json).expect("the same id"), TopicId(id));
        }
        for wrong in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA!", "AAAAAAAAAAAAAAAAAAAAAQQ"] {
            assert!(TopicId::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
