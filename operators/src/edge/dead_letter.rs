//! Dead letters: records that a job could not use, kept in a topic instead of being counted and forgotten.
//!
//! [`DeadLetters`] is where a source's letters go. A letter is the record as it was, key, value and headers, with
//! headers added that say where it stood and why it was refused; it is part of the commit that passed the record, so
//! it is there once if and only if the record was passed over. A record that can't be decoded is a letter at once. A
//! row turns out to be late only in an operator that has closed what it belongs to: a row that might be is accompanied
//! by an [`Origin`], its record, through projections and exchanges.
//!
//! [`original_of`] is the way back.

use crate::batch::EventTime;
use crate::outbox::Outbox;
use crate::records::{Headers, Offset, Record, Records, TopicPartition};
use bytes::Bytes;
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

/// The record that a row comes from, for a row that may turn out to be late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    letters: Arc<DeadLetters>,
    place: TopicPartition,
    offset: Offset,
    timestamp_ms: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Bytes,
}

/// The origins of the rows of a batch, by row.
pub type Origins = Vec<Option<Arc<Origin>>>;

impl Origin {
    /// The origins of the rows that are not ahead of the watermark: the only ones that can be late anywhere behind.
    /// `of` gives by row the index of its record.
    pub(crate) fn of_rows(
        letters: &Arc<DeadLetters>,
        place: &TopicPartition,
        records: &Records,
        of: &[u32],
        times: &[EventTime],
        behind: &[EventTime],
    ) -> Origins {
        let bytes = |part: Option<&[u8]>| part.map(Bytes::copy_from_slice);
        let origin = |index: u32| {
            let record = records.get(index as usize);
            Arc::new(Origin {
                letters: Arc::clone(letters),
                place: place.clone(),
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                key: bytes(record.key),
                value: bytes(record.value),
                headers: Bytes::copy_from_slice(record.headers.as_bytes()),
            })
        };
        let rows = of.iter().zip(times.iter().zip(behind));
        rows.map(|(index, (time, bound))| (time <= bound).then(|| origin(*index))).collect()
    }

    /// Puts the record among what the next commit sends.
    pub(crate) fn write(&self, reason: &Reason<'_>, now_ms: i64, outbox: &mut Outbox) {
        let record = Record {
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::from_bytes(&self.headers).unwrap_or(Headers::NONE),
        };
        self.letters.write(&self.place, &record, reason, now_ms, outbox);
    }

    /// Appends the origin of a row to a block of an exchange.
    pub(crate) fn encode(origin: Option<&Origin>, out: &mut Vec<u8>) {
        let Some(origin) = origin else { return out.push(0) };
        out.push(1);
        out.extend(origin.letters.partitions.to_le_bytes());
        out.extend(origin.place.partition.to_le_bytes());
        out.extend(origin.offset.to_le_bytes());
        out.extend(origin.timestamp_ms.to_le_bytes());
        let Origin { letters, place, key, value, headers, .. } = origin;
        let parts = [
            Some(letters.topic.as_bytes()),
            Some(place.topic.as_bytes()),
            key.as_deref(),
            value.as_deref(),
            Some(headers),
        ];
        for part in parts {
            out.extend(part.map_or(u32::MAX, |part| part.len() as u32).to_le_bytes());
            out.extend(part.unwrap_or_default());
        }
    }

    /// Reads what [`Origin::encode`] wrote; `None` for bytes that are something else.
    pub(crate) fn decode(input: &mut &[u8]) -> Option<Option<Arc<Origin>>> {
        if take::<1>(input)? == [0] {
            return Some(None);
        }
        let partitions = u32::from_le_bytes(take(input)?);
        let partition = u32::from_le_bytes(take(input)?);
        let offset = u64::from_le_bytes(take(input)?);
        let timestamp_ms = i64::from_le_bytes(take(input)?);
        let letters = std::str::from_utf8(take_part(input)??).ok()?;
        let topic = std::str::from_utf8(take_part(input)??).ok()?;
        let key = take_part(input)?.map(Bytes::copy_from_slice);
        let value = take_part(input)?.map(Bytes::copy_from_slice);
        let headers = take_part(input)??;
        Headers::from_bytes(headers)?;
        Some(Some(Arc::new(Origin {
            letters: Arc::new(DeadLetters { topic: letters.into(), partitions }),
            place: TopicPartition::new(topic, partition),
            offset,
            timestamp_ms,
            key,
            value,
            headers: Bytes::copy_from_slice(headers),
        })))
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

fn take_part<'a>(input: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = u32::from_le_bytes(take(input)?);
    if length == u32::MAX {
        return Some(None);
    }
    let (head, tail) = input.split_at_checked(length as usize)?;
    *input = tail;
    Some(Some(head))
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
    use crate::records::RecordsBuilder;

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

    #[test]
    fn origins_survive_an_exchange_and_noise_is_refused() {
        let mut builder = RecordsBuilder::default();
        builder.push(None, Some(b"first"), 1);
        builder.push(Some(b"k"), None, 2);
        let place = TopicPartition::new("orders", 3);
        let origins = Origin::of_rows(&letters(), &place, &builder.finish(), &[0, 1], &[10, 11], &[10, 10]);
        assert!(origins[0].is_some() && origins[1].is_none());
        let mut bytes = Vec::new();
        origins.iter().for_each(|origin| Origin::encode(origin.as_deref(), &mut bytes));
        let mut input = bytes.as_slice();
        let read: Origins = (0..2).map(|_| Origin::decode(&mut input).unwrap()).collect();
        assert_eq!((read, input.len()), (origins, 0));
        for end in 0..bytes.len() - 1 {
            assert!(Origin::decode(&mut &bytes[..end]).is_none(), "cut at {end}");
        }
    }
}
