//! Dead letters: records that a job could not use, kept in a topic instead of being counted and forgotten.
//!
//! [`DeadLetters`] is where a source's letters go. A letter is the record as it was, key, value and headers, with
//! headers added that say where it stood and why it was refused; it is part of the commit that passed the record, so
//! it is there once if and only if the record was passed over. A record that can't be decoded is a letter at once. That
//! an expression can't be computed for a row, or that it is late, turns out further on: rows say which record they are,
//! see [`crate::origin`].
//!
//! [`original_of`] is the way back.

use crate::outbox::Outbox;
use crate::records::{Offset, Record, TopicPartition};
use std::sync::Arc;

/// What the names of the headers that are added begin with.
pub const HEADER_PREFIX: &str = "dead-letter.";
/// The topic the record stood in.
pub const TOPIC: &str = "dead-letter.topic";
/// Its partition.
pub const PARTITION: &str = "dead-letter.partition";
/// Its offset.
pub const OFFSET: &str = "dead-letter.offset";
/// Its timestamp, milliseconds since 1970. The letter's own is the time at which it was refused: a topic that drops
/// records by their age keeps it as long as others.
pub const TIMESTAMP: &str = "dead-letter.timestamp";
/// Why it was refused: `bad` or `late`.
pub const REASON: &str = "dead-letter.reason";
/// The column that is to blame, if one is.
pub const COLUMN: &str = "dead-letter.column";
/// What is wrong, for people.
pub const DETAIL: &str = "dead-letter.detail";

/// Where the letters of a source go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The topic.
    pub topic: Arc<str>,
    /// Its partition count; letters go to the partition of their record's number, modulo this.
    pub partitions: u32,
}

/// Why a record was refused.
#[derive(Debug, Clone, Copy)]
pub struct Reason<'a> {
    /// `bad` or `late`.
    pub kind: &'static str,
    /// The column that is to blame, if one is.
    pub column: Option<&'a str>,
    /// What is wrong, for people.
    pub detail: &'a str,
}

impl DeadLetters {
    /// Puts a record of `place` among what the next commit sends.
    pub fn write(
        &self,
        place: &TopicPartition,
        record: &Record<'_>,
        reason: &Reason<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) {
        let (partition, offset) = (place.partition.to_string(), record.offset.to_string());
        let timestamp = record.timestamp_ms.to_string();
        let added = [
            (TOPIC, Some(&*place.topic)),
            (PARTITION, Some(&partition)),
            (OFFSET, Some(&offset)),
            (TIMESTAMP, Some(&timestamp)),
            (REASON, Some(reason.kind)),
            (COLUMN, reason.column),
            (DETAIL, Some(reason.detail)),
        ];
        let added = added.into_iter().filter_map(|(name, value)| Some((name, Some(value?.as_bytes()))));
        // Those of an earlier refusal, of a record that was replayed, say nothing about this one.
        let own = record.headers.iter().filter(|(name, _)| !name.starts_with(HEADER_PREFIX));
        let letter = Record { offset: 0, timestamp_ms: now_ms, ..*record };
        let records = outbox.records(&self.topic, place.partition % self.partitions.max(1));
        let before = records.data_bytes();
        records.push_with_headers(letter, own.chain(added));
        let bytes = records.data_bytes() - before;
        outbox.account(bytes);
    }
}

/// What a letter says of the record it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original<'a> {
    /// Where the record stood.
    pub place: TopicPartition,
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Why it was refused: `bad` or `late`.
    pub reason: &'a str,
    /// The column that is to blame, if one is.
    pub column: Option<&'a str>,
    /// What is wrong, for people.
    pub detail: &'a str,
    /// Its headers.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// What a record of a dead-letter topic says of the record it was; its key and value are the letter's. `None` for a
/// record that is not a letter.
pub fn original_of<'a>(letter: &Record<'a>) -> Option<Original<'a>> {
    let text = |name| std::str::from_utf8(letter.headers.get(name)?).ok();
    Some(Original {
        place: TopicPartition::new(text(TOPIC)?, text(PARTITION)?.parse().ok()?),
        offset: text(OFFSET)?.parse().ok()?,
        timestamp_ms: text(TIMESTAMP)?.parse().ok()?,
        reason: text(REASON)?,
        column: text(COLUMN),
        detail: text(DETAIL).unwrap_or_default(),
        headers: letter.headers.iter().filter(|(name, _)| !name.starts_with(HEADER_PREFIX)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Headers, Records, RecordsBuilder};

    fn letters() -> Arc<DeadLetters> {
        Arc::new(DeadLetters { topic: "dead".into(), partitions: 2 })
    }

    fn sent(headers: &[(&str, Option<&[u8]>)], reason: &Reason<'_>) -> (TopicPartition, Records) {
        let mut outbox = Outbox::default();
        let mut builder = RecordsBuilder::default();
        let record = Record {
            offset: 41,
            timestamp_ms: 5,
            key: Some(b"\xff"),
            value: Some(b"{\"a"),
            headers: Headers::NONE,
        };
        builder.push_with_headers(record, headers.iter().copied());
        let place = TopicPartition::new("orders", 3);
        letters().write(&place, &builder.finish().get(0), reason, 1_000, &mut outbox);
        outbox.seal().records.remove(0)
    }

    #[test]
    fn a_letter_is_the_record_with_where_it_stood_and_why() {
        let reason = Reason { kind: "bad", column: Some("a"), detail: "cut off" };
        let (place, records) = sent(&[("trace", Some(b"t")), (REASON, Some(b"late"))], &reason);
        assert_eq!(place, TopicPartition::new("dead", 1));
        let letter = records.get(0);
        assert_eq!(
            (letter.key, letter.value, letter.timestamp_ms),
            (Some(&b"\xff"[..]), Some(&b"{\"a"[..]), 1_000)
        );
        let original = original_of(&letter).unwrap();
        assert_eq!((original.place, original.offset), (TopicPartition::new("orders", 3), 41));
        assert_eq!((original.timestamp_ms, original.reason), (5, "bad"));
        assert_eq!((original.column, original.detail), (Some("a"), "cut off"));
        assert_eq!(original.headers, vec![("trace", Some(&b"t"[..]))]);
    }

    #[test]
    fn a_record_that_is_no_letter_has_no_original() {
        let mut builder = RecordsBuilder::default();
        builder.push(Some(b"k"), Some(b"v"), 1);
        assert_eq!(original_of(&builder.finish().get(0)), None);
    }
}
