//! Keys of the log's database: one key space, told apart by the first byte.
//!
//! ```text
//! d topic partition base      a batch of records                     (values beyond 4 KiB live in blob files)
//! i topic partition base      its index entry: count, largest timestamp, bytes
//! s topic partition block     summary of the batches that begin in 65 536 offsets
//! r topic partition           offsets below are reserved: may have been handed out
//! c topic partition           up to which offset it is compacted
//! l topic partition           the first offset there is, once records were removed
//! t name                      a topic: id, partitions, settings
//! g group                     generation of a group
//! o group topic partition     an offset the group committed
//! w id                        epoch of a transactional writer
//! m name                      the log itself: format, cluster id, next topic id
//! ```
//!
//! Topic ids and partitions are u32, offsets and blocks u64, all big-endian, so that keys sort as they read; names
//! inside a longer key have their length before them.

use millstream_records::{Offset, TopicPartition};

/// A key space, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Space {
    Data = b'd',
    Index = b'i',
    Summary = b's',
    Reserved = b'r',
    Clean = b'c',
    Start = b'l',
    Topic = b't',
    Group = b'g',
    GroupOffset = b'o',
    Writer = b'w',
    Meta = b'm',
}

/// A partition as keys name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartitionId {
    pub(crate) topic: u32,
    pub(crate) partition: u32,
}

pub(crate) const PLACED_KEY_BYTES: usize = 17;

/// Key of something of a partition at an offset or block.
pub(crate) fn placed(space: Space, id: PartitionId, at: u64) -> [u8; PLACED_KEY_BYTES] {
    let mut key = [0; PLACED_KEY_BYTES];
    key[0] = space as u8;
    key[1..5].copy_from_slice(&id.topic.to_be_bytes());
    key[5..9].copy_from_slice(&id.partition.to_be_bytes());
    key[9..].copy_from_slice(&at.to_be_bytes());
    key
}

/// The offset or block in a key that [`placed`] made.
pub(crate) fn place_of(key: &[u8]) -> Option<(PartitionId, u64)> {
    let key: &[u8; PLACED_KEY_BYTES] = key.try_into().ok()?;
    let (_, rest) = key.split_first_chunk::<1>()?;
    let (topic, rest) = rest.split_first_chunk::<4>()?;
    let (partition, rest) = rest.split_first_chunk::<4>()?;
    let (at, _) = rest.split_first_chunk::<8>()?;
    let id = PartitionId { topic: u32::from_be_bytes(*topic), partition: u32::from_be_bytes(*partition) };
    Some((id, u64::from_be_bytes(*at)))
}

/// Key of something of a partition as a whole.
pub(crate) fn of_partition(space: Space, id: PartitionId) -> [u8; 9] {
    let mut key = [0; 9];
    key.copy_from_slice(&placed(space, id, 0)[..9]);
    key
}

/// The range of keys of a topic in a space.
pub(crate) fn topic_range(space: Space, topic: u32) -> ([u8; 5], [u8; 5]) {
    let key = |topic: u32| {
        let mut key = [0; 5];
        key.copy_from_slice(&placed(space, PartitionId { topic, partition: 0 }, 0)[..5]);
        key
    };
    match topic.checked_add(1) {
        Some(next) => (key(topic), key(next)),
        // Ids are handed out one by one; this one is never reached, and nothing comes after it.
        None => (key(topic), [space as u8 + 1, 0, 0, 0, 0]),
    }
}

/// Key of something that has a name.
pub(crate) fn named(space: Space, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + name.len());
    key.push(space as u8);
    key.extend(name.as_bytes());
    key
}

/// The name in a key that [`named`] made.
pub(crate) fn name_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(1..)?).ok()
}

/// Key of a committed offset. Names are at most 65 535 bytes long, see [`check_name`].
pub(crate) fn group_offset(group: &str, place: &TopicPartition) -> Vec<u8> {
    let mut key = vec![Space::GroupOffset as u8];
    for name in [group, &place.topic] {
        key.extend((name.len() as u16).to_be_bytes());
        key.extend(name.as_bytes());
    }
    key.extend(place.partition.to_be_bytes());
    key
}

/// Group and partition of a key that [`group_offset`] made.
pub(crate) fn group_offset_of(key: &[u8]) -> Option<(&str, TopicPartition)> {
    let rest = key.get(1..)?;
    let (group, rest) = take_name(rest)?;
    let (topic, rest) = take_name(rest)?;
    let partition = u32::from_be_bytes(rest.try_into().ok()?);
    Some((group, TopicPartition::new(topic, partition)))
}

fn take_name(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((std::str::from_utf8(name).ok()?, rest))
}

/// Whether a name fits into keys.
pub(crate) fn fits_key(name: &str) -> bool {
    name.len() <= usize::from(u16::MAX)
}

/// What an index entry says of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) count: u32,
    pub(crate) max_timestamp_ms: i64,
    pub(crate) bytes: u32,
}

impl IndexEntry {
    pub(crate) fn encode(&self) -> [u8; 16] {
        let mut value = [0; 16];
        value[..4].copy_from_slice(&self.count.to_le_bytes());
        value[4..12].copy_from_slice(&self.max_timestamp_ms.to_le_bytes());
        value[12..].copy_from_slice(&self.bytes.to_le_bytes());
        value
    }

    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        let (count, rest) = value.split_first_chunk::<4>()?;
        let (max_timestamp_ms, rest) = rest.split_first_chunk::<8>()?;
        Some(IndexEntry {
            count: u32::from_le_bytes(*count),
            max_timestamp_ms: i64::from_le_bytes(*max_timestamp_ms),
            bytes: u32::from_le_bytes(rest.try_into().ok()?),
        })
    }
}

/// An offset or a number as a value.
pub(crate) fn number(value: u64) -> [u8; 8] {
    value.to_le_bytes()
}

/// The number of a value that [`number`] made.
pub(crate) fn number_of(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(value.try_into().ok()?))
}

/// A committed offset as a value: the offset, then the metadata.
pub(crate) fn committed(offset: Offset, metadata: &str) -> Vec<u8> {
    let mut value = number(offset).to_vec();
    value.extend(metadata.as_bytes());
    value
}

/// Offset and metadata of a value that [`committed`] made.
pub(crate) fn committed_of(value: &[u8]) -> Option<(Offset, String)> {
    let (offset, metadata) = value.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*offset), String::from_utf8(metadata.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: PartitionId = PartitionId { topic: 7, partition: 2 };

    #[test]
    fn keys_sort_as_they_read() {
        let key = |topic, partition, at| placed(Space::Data, PartitionId { topic, partition }, at);
        let sorted = [key(1, 0, 0), key(1, 0, 255), key(1, 0, 256), key(1, 256, 0), key(2, 0, 0)];
        assert!(sorted.is_sorted());
        let (from, to) = topic_range(Space::Data, 1);
        assert!(from.as_slice() <= &sorted[0][..] && &sorted[3][..] < to.as_slice());
        assert!(&sorted[4][..] >= to.as_slice());
    }

    #[test]
    fn keys_and_values_come_back() {
        assert_eq!(place_of(&placed(Space::Index, ID, u64::MAX - 1)), Some((ID, u64::MAX - 1)));
        assert_eq!(name_of(&named(Space::Topic, "orders")), Some("orders"));
        let place = TopicPartition::new("orders", 9);
        let key = group_offset("group with spaces", &place);
        assert_eq!(group_offset_of(&key), Some(("group with spaces", place)));
        assert_eq!(group_offset_of(&key[..key.len() - 1]), None);
        let entry = IndexEntry { count: 5, max_timestamp_ms: -3, bytes: 99 };
        assert_eq!(IndexEntry::decode(&entry.encode()), Some(entry));
        assert_eq!(committed_of(&committed(12, "meta")), Some((12, "meta".to_owned())));
        assert_eq!(number_of(&number(77)), Some(77));
    }

    #[test]
    fn damaged_keys_and_values_are_read_as_nothing() {
        use millstream_test_support::mutation::survives;
        let place = TopicPartition::new("topic", 3);
        survives("key", &group_offset("group", &place), 20, |key| drop(group_offset_of(key)));
        survives("placed key", &placed(Space::Data, ID, 9), 20, place_of);
        survives("name", &named(Space::Topic, "topic"), 20, |key| name_of(key).map(str::len));
        survives("committed", &committed(7, "metadata"), 20, |value| drop(committed_of(value)));
    }
}
