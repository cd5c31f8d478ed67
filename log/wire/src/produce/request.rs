//! The request that carries batches.
//!
//! `kafka-protocol` would copy each batch into the request. Here what stands between the batches is written by hand, and
//! the batches go to the socket from where they are; a test holds the bytes against the library's.

use crate::connection::Parts;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::Arc;

/// Newest version with topics by name; those after it name them by id.
pub(super) const VERSION_MAX: i16 = 12;
/// Newest version that adds no partitions to a transaction by itself.
pub(super) const VERSION_MAX_EXPLICIT: i16 = 11;
/// From here on lengths are of variable size, and structures have tagged fields.
const FLEXIBLE: i16 = 9;
/// All replicas in sync.
const ACKS: i16 = -1;

/// One batch of a request.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) batch: Bytes,
}

/// The body of a request. Parts of one topic follow each other, each for another partition.
pub(super) fn encode(version: i16, transactional_id: Option<&str>, timeout_ms: i32, parts: &[Part]) -> Parts {
    let mut body = Parts::default();
    let mut text = BytesMut::with_capacity(64 * (parts.len() + 1));
    match transactional_id {
        Some(id) => write_text(&mut text, version, id),
        None if version < FLEXIBLE => text.put_i16(-1),
        None => text.put_u8(0),
    }
    text.put_i16(ACKS);
    text.put_i32(timeout_ms);
    let topics: Vec<&[Part]> = parts.chunk_by(|a, b| a.topic == b.topic).collect();
    write_count(&mut text, version, topics.len());
    for parts in topics {
        write_text(&mut text, version, &parts[0].topic);
        write_count(&mut text, version, parts.len());
        for part in parts {
            text.put_i32(part.partition);
            write_count(&mut text, version, part.batch.len());
            body.push(text.split().freeze());
            body.push(part.batch.clone());
            write_tags(&mut text, version);
        }
        write_tags(&mut text, version);
    }
    write_tags(&mut text, version);
    body.push(text.freeze());
    body
}

fn write_text(to: &mut BytesMut, version: i16, text: &str) {
    match version < FLEXIBLE {
        // Names and ids were checked when they were given: none has more bytes than fit here.
        true => to.put_i16(text.len() as i16),
        false => write_count(to, version, text.len()),
    }
    to.put_slice(text.as_bytes());
}

/// The length of what follows: of variable size it is one more, for zero says that there is nothing.
fn write_count(to: &mut BytesMut, version: i16, count: usize) {
    if version < FLEXIBLE {
        return to.put_i32(count as i32);
    }
    let mut rest = count as u64 + 1;
    while rest >= 0x80 {
        to.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.put_u8(rest as u8);
}

fn write_tags(to: &mut BytesMut, version: i16) {
    if version >= FLEXIBLE {
        to.put_u8(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Buf;
    use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
    use kafka_protocol::messages::{ProduceRequest, TopicName, TransactionalId};
    use kafka_protocol::protocol::{Encodable, StrBytes};

    fn part(topic: &str, partition: i32, length: usize) -> Part {
        Part { topic: topic.into(), partition, batch: Bytes::from(vec![partition as u8; length]) }
    }

    #[test]
    fn a_request_has_the_bytes_that_the_library_gives_it() {
        let parts = [part("a", 0, 300), part("a", 7, 0), part("topic", 1, 70_000)];
        for version in 3..=VERSION_MAX {
            for id in [None, Some("writer")] {
                let mut topics: Vec<TopicProduceData> = Vec::new();
                for part in &parts {
                    let name = TopicName(StrBytes::from_string(part.topic.to_string()));
                    let data = PartitionProduceData::default()
                        .with_index(part.partition)
                        .with_records(Some(part.batch.clone()));
                    match topics.last_mut().filter(|topic| topic.name == name) {
                        Some(topic) => topic.partition_data.push(data),
                        None => topics.push(
                            TopicProduceData::default().with_name(name).with_partition_data(vec![data]),
                        ),
                    }
                }
                let request = ProduceRequest::default()
                    .with_transactional_id(
                        id.map(|id: &str| TransactionalId(StrBytes::from_string(id.to_owned()))),
                    )
                    .with_acks(ACKS)
                    .with_timeout_ms(5_000)
                    .with_topic_data(topics);
                let mut expected = BytesMut::new();
                request.encode(&mut expected, version).expect("a request");
                let mut found = encode(version, id, 5_000, &parts);
                let length = found.remaining();
                assert_eq!(found.copy_to_bytes(length), expected, "version {version}");
            }
        }
    }
}
