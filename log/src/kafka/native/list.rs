//! Lists of partitions with offsets.

use super::{Code, NativeError, c_string};
use millstream_records::TopicPartition;
use rdkafka_sys as sys;
use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;

/// `RD_KAFKA_PARTITION_UA`, which the bindings leave out.
const NO_PARTITION: i32 = -1;

/// A list to give to librdkafka.
#[derive(Debug)]
pub(crate) struct PartitionList {
    list: NonNull<sys::rd_kafka_topic_partition_list_t>,
}

// SAFETY: a list is plain memory with one owner.
unsafe impl Send for PartitionList {}

/// A partition of a list that came from librdkafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListItem {
    pub(crate) place: TopicPartition,
    /// Negative for none.
    pub(crate) offset: i64,
    pub(crate) metadata: String,
    pub(crate) code: Code,
}

impl PartitionList {
    pub(crate) fn new() -> Self {
        // SAFETY: makes a new list.
        let list = unsafe { sys::rd_kafka_topic_partition_list_new(8) };
        PartitionList { list: NonNull::new(list).expect("librdkafka ends the process when it has no memory") }
    }

    /// A list of partitions, all with the same offset.
    pub(crate) fn of<'a>(
        places: impl IntoIterator<Item = &'a TopicPartition>,
        offset: i64,
    ) -> Result<Self, NativeError> {
        let mut list = PartitionList::new();
        places.into_iter().try_for_each(|place| list.add(&place.topic, place.partition, offset, ""))?;
        Ok(list)
    }

    /// Topics without partitions, for a subscription.
    pub(crate) fn of_topics<'a>(topics: impl IntoIterator<Item = &'a str>) -> Result<Self, NativeError> {
        let list = PartitionList::new();
        for topic in topics {
            let topic = c_string(topic)?;
            // SAFETY: the list is ours; the name is copied.
            unsafe {
                sys::rd_kafka_topic_partition_list_add(list.as_ptr(), topic.as_ptr(), NO_PARTITION);
            }
        }
        Ok(list)
    }

    pub(crate) fn add(
        &mut self,
        topic: &str,
        partition: u32,
        offset: i64,
        metadata: &str,
    ) -> Result<(), NativeError> {
        let topic = c_string(topic)?;
        let Ok(partition) = i32::try_from(partition) else {
            return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION));
        };
        // SAFETY: the list is ours; the name is copied; the new entry lives until the list changes. Metadata belongs
        // to the list from here on, which frees it with `free`.
        unsafe {
            let entry = sys::rd_kafka_topic_partition_list_add(self.as_ptr(), topic.as_ptr(), partition);
            (*entry).offset = offset;
            if !metadata.is_empty() {
                let copy = libc::malloc(metadata.len());
                assert!(!copy.is_null(), "out of memory");
                std::ptr::copy_nonoverlapping(metadata.as_ptr(), copy.cast::<u8>(), metadata.len());
                (*entry).metadata = copy;
                (*entry).metadata_size = metadata.len();
            }
        }
        Ok(())
    }

    pub(super) fn as_ptr(&self) -> *mut sys::rd_kafka_topic_partition_list_t {
        self.list.as_ptr()
    }

    /// What is in it: after a call that gave it offsets and errors.
    pub(crate) fn items(&self) -> Vec<ListItem> {
        // SAFETY: the list is ours and lives.
        unsafe { items_of(self.as_ptr()) }
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: the list is ours.
        unsafe { sys::rd_kafka_topic_partition_list_destroy(self.as_ptr()) };
    }
}

/// The contents of a list of librdkafka's.
///
/// # Safety
/// `list` is null or a list that lives while this runs.
pub(super) unsafe fn items_of(list: *const sys::rd_kafka_topic_partition_list_t) -> Vec<ListItem> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the list lives and has `cnt` entries.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        (0..count).map(|at| item_of((*list).elems.add(at))).collect()
    }
}

/// # Safety
/// `entry` lives while this runs, with a topic's name and as much metadata as it says.
pub(super) unsafe fn item_of(entry: *const sys::rd_kafka_topic_partition_t) -> ListItem {
    // SAFETY: as the caller promises.
    unsafe {
        let entry = &*entry;
        let topic: Arc<str> = CStr::from_ptr(entry.topic).to_string_lossy().into();
        let metadata = match entry.metadata.is_null() {
            true => String::new(),
            false => {
                let bytes = std::slice::from_raw_parts(entry.metadata.cast::<u8>(), entry.metadata_size);
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        let place = TopicPartition::new(topic, u32::try_from(entry.partition).unwrap_or(u32::MAX));
        ListItem { place, offset: entry.offset, metadata, code: entry.err }
    }
}
