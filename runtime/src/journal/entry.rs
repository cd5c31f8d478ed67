//! The entry and its encoding.

use crate::snapshot::SnapshotRef;
use millstream_operators::{
    EventTime, InputProgress, Offset, Record, Records, RecordsBuilder, TopicPartition,
};
use millstream_state::Delta;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// Version of the records. Entries of this version stay readable for one major version of millstream.
pub(super) const VERSION: u8 = 1;
pub(super) const MAGIC: &[u8; 3] = b"MSJ";
pub(super) const RECORD_HEADER_BYTES: usize = 3 + 1 + 8 + 2 + 2;

/// Bytes of an entry that go into one record: well below the 1 MB that brokers take by default.
const PART_BYTES_MAX: usize = 512 << 10;

/// What one commit of a task did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: the one before plus one, from 1.
    pub number: u64,
    /// Hash of the entry before; of entry 1 the job's incarnation.
    pub previous: u128,
    /// Who wrote it.
    pub writer: WriterId,
    /// Fingerprint of the plan.
    pub fingerprint: u128,
    /// What was consumed, in this order. A flush of all operators ends every entry.
    pub steps: Vec<Step>,
    /// Clock reading of the flush, milliseconds since 1970; never before the entry before.
    pub now_ms: i64,
    /// Where the inputs stand afterwards.
    pub inputs: Vec<InputMark>,
    /// The watermark afterwards.
    pub watermark: EventTime,
    /// Hash of the outbox, this entry left out.
    pub outbox_hash: u64,
    /// The snapshot that this commit made official. Encoded at the end of the head: entries from before there were
    /// snapshots have nothing there.
    #[serde(skip)]
    pub official: Option<SnapshotRef>,
    /// Net change of state. Encoded behind the head.
    #[serde(skip)]
    pub delta: Delta,
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterId {
    /// Generation of the consumer group.
    pub generation: i32,
    /// Member id in it.
    pub member: String,
    /// Id of the transactional writer.
    pub transactional_id: String,
}

/// What a task consumed at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A run of records of one input.
    Run {
        /// Index of the input in [`Entry::inputs`].
        input: u16,
        /// First offset that was to be read.
        from: Offset,
        /// The next offset to read afterwards.
        to: Offset,
        /// Number of records delivered: offsets may have gaps.
        count: u32,
        /// Checksum over the delivered records.
        checksum: u64,
        /// Clock reading.
        now_ms: i64,
    },
    /// A change in what the task knows of its inputs.
    Tick {
        /// Indices of the inputs that are idle from now on.
        idle: Vec<u16>,
        /// Indices of the inputs that have ended.
        ended: Vec<u16>,
        /// Clock reading.
        now_ms: i64,
    },
}

/// Where an input stands after an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMark {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The next offset to read.
    pub position: Offset,
    /// Whether bounded input was read to its end.
    pub ended: bool,
    /// Event time of the input.
    pub progress: InputProgress,
}

impl InputMark {
    /// The partition.
    pub fn place(&self) -> TopicPartition {
        TopicPartition::new(self.topic.as_str(), self.partition)
    }
}

/// Encodes an entry into the records of a journal partition; gives them with the entry's hash.
pub fn encode_entry(entry: &Entry) -> (Records, u128) {
    let written = "an entry's head holds nothing that postcard can't write";
    let mut head = postcard::to_allocvec(entry).expect(written);
    if entry.official.is_some() {
        head.extend(postcard::to_allocvec(&entry.official).expect(written));
    }
    let mut delta = Vec::new();
    entry.delta.encode(&mut delta);
    let mut bytes = Vec::with_capacity(8 + head.len() + delta.len() / 2);
    bytes.extend((head.len() as u32).to_le_bytes());
    bytes.extend(head);
    bytes.extend((delta.len() as u32).to_le_bytes());
    bytes.extend(lz4_flex::block::compress(&delta));

    let hash = xxh3_128(&bytes);
    let parts = bytes.len().div_ceil(PART_BYTES_MAX);
    let mut records = RecordsBuilder::with_capacity(parts, bytes.len() + parts * RECORD_HEADER_BYTES);
    for (part, chunk) in bytes.chunks(PART_BYTES_MAX).enumerate() {
        let value_start = records.open_value().len();
        let value = records.open_value();
        value.extend(MAGIC);
        value.push(VERSION);
        value.extend(entry.number.to_le_bytes());
        value.extend((part as u16).to_le_bytes());
        value.extend((parts as u16).to_le_bytes());
        value.extend(chunk);
        records.seal(value_start, None, entry.now_ms);
    }
    (records.finish(), hash)
}

/// A record of a journal partition, taken apart.
pub(super) struct Part<'a> {
    pub(super) number: u64,
    pub(super) part: u16,
    pub(super) parts: u16,
    pub(super) bytes: &'a [u8],
}

impl<'a> Part<'a> {
    pub(super) fn parse(record: Record<'a>) -> Result<Self, String> {
        let value = record.value.ok_or("a record without a value")?;
        let (header, bytes) =
            value.split_at_checked(RECORD_HEADER_BYTES).ok_or("a record that is too short")?;
        if &header[..3] != MAGIC {
            return Err("a record that is no journal entry".to_owned());
        }
        if header[3] != VERSION {
            return Err(format!("an entry of version {}, this program reads {VERSION}", header[3]));
        }
        let number = u64::from_le_bytes(header[4..12].try_into().expect("eight bytes"));
        let part = u16::from_le_bytes([header[12], header[13]]);
        let parts = u16::from_le_bytes([header[14], header[15]]);
        Ok(Part { number, part, parts, bytes })
    }
}

/// Reads an entry back.
pub(super) fn decode_entry(bytes: &[u8]) -> Result<(Entry, u128), String> {
    let hash = xxh3_128(bytes);
    let cut = || "an entry that is cut off".to_owned();
    let (head, rest) = take_block(bytes).ok_or_else(cut)?;
    let unreadable = |error| format!("an entry's head: {error}");
    let (mut entry, rest_of_head): (Entry, &[u8]) = postcard::take_from_bytes(head).map_err(unreadable)?;
    if !rest_of_head.is_empty() {
        entry.official = postcard::from_bytes(rest_of_head).map_err(unreadable)?;
    }
    let (length, compressed) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let delta = millstream_operators::lz4::decompress(compressed, u32::from_le_bytes(*length))
        .map_err(|error| format!("an entry's delta: {error}"))?;
    entry.delta = Delta::decode(&delta).ok_or("an entry's delta can't be read")?;
    Ok((entry, hash))
}

fn take_block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
