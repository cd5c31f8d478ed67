//! Snapshots in a compacted topic of the log itself, so that a cluster alone is enough.
//!
//! Partition 0 is the index: a record for each object, under its name, with its size and the partition and offset from
//! which its chunks are to be read. The other partitions hold the chunks, each under the object's name and its own
//! number. An intent is written to the index before the chunks, so that what a dying process leaves behind is found and
//! removed, and the object's own record when all are acknowledged: only then is it there. Removal writes tombstones.
//!
//! ```text
//! index:  NAME                      -> IndexRecord (JSON)
//!         NAME \0                   -> the same: an intent
//! chunk:  NAME \0 u32 (big endian)  -> at most 512 KiB
//! ```
//!
//! Two processes may write an object at once. They write the same bytes under the same keys; compaction keeps the later
//! ones, which a reader finds behind the offset it was told.

use super::store::{SnapshotStore, StoreError, StoredObject};
use crate::clock::Clock;
use crate::log::{
    Admin, Isolation, Log, LogError, Offset, OffsetQuery, Reader, ReaderOptions, Records, RecordsBuilder,
    TopicPartition, TopicSpec, Writer,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of a chunk: well below the 1 MB that brokers take by default.
const CHUNK_BYTES: usize = 512 << 10;
/// Partitions for chunks at most: tasks share them.
const PARTITIONS_MAX: u32 = 16;
/// How long one poll may wait, and how many in a row may bring nothing before the log counts as not answering.
const POLL: Duration = Duration::from_millis(100);
const POLLS_MAX: u32 = 100;
const FLUSH: Duration = Duration::from_secs(30);

/// A topic of objects. See the module's head.
pub struct TopicStore {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    topic: String,
    partitions: u32,
    index: Mutex<Index>,
    /// Made when it is first needed, and anew after an error. Making one takes a client longer than many objects do.
    clients: Mutex<Option<Clients>>,
}

struct Clients {
    writer: Box<dyn Writer>,
    admin: Box<dyn Admin>,
}

/// The index as far as it was read.
#[derive(Debug, Default)]
struct Index {
    next: Option<Offset>,
    objects: BTreeMap<String, IndexRecord>,
    intents: BTreeMap<String, IndexRecord>,
}

/// Where an object is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct IndexRecord {
    bytes: u64,
    partition: u32,
    /// Its first chunk is here or behind.
    from: Offset,
    stored_ms: i64,
}

impl IndexRecord {
    fn chunks(&self) -> u32 {
        self.bytes.div_ceil(CHUNK_BYTES as u64) as u32
    }
}

impl TopicStore {
    /// The store in `topic`, which is made for a job of `tasks` tasks when it is not there.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        topic: String,
        tasks: u32,
    ) -> Result<Self, LogError> {
        let mut admin = log.admin()?;
        let mut partitions = 1 + tasks.clamp(1, PARTITIONS_MAX);
        let mut spec = TopicSpec::new(topic.as_str(), partitions).with("cleanup.policy", "compact");
        if log.info().kind == "kafka" {
            // The open segment is never compacted: by default it would hold a gigabyte or a week of what was removed.
            spec = spec.with("segment.bytes", "67108864").with("segment.ms", "3600000");
            spec = spec.with("min.cleanable.dirty.ratio", "0.3").with("delete.retention.ms", "3600000");
        }
        match admin.create_topic(&spec) {
            Ok(()) => {}
            Err(LogError::TopicExists(_)) => {
                let found = admin.describe_topic(&topic)?;
                partitions = found.map_or(partitions, |found| found.partitions);
            }
            Err(error) => return Err(error),
        }
        if partitions < 2 {
            let reason = format!("topic {topic} has one partition, snapshots need two or more");
            return Err(LogError::Unsupported(reason));
        }
        Ok(TopicStore { log, clock, topic, partitions, index: Mutex::default(), clients: Mutex::default() })
    }

    fn place(&self, partition: u32) -> TopicPartition {
        TopicPartition::new(self.topic.as_str(), partition)
    }

    /// The partition of an object's chunks: those of one task share one.
    fn partition_of(&self, name: &str) -> u32 {
        let task = name.rsplit_once('/').map_or(name, |(task, _)| task);
        1 + (xxhash_rust::xxh3::xxh3_64(task.as_bytes()) % u64::from(self.partitions - 1)) as u32
    }

    fn failed(&self, error: &LogError) -> StoreError {
        StoreError::Unavailable { store: self.describe(), reason: error.to_string() }
    }

    fn unavailable(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Unavailable { store: self.describe(), reason: reason.into() }
    }

    /// Calls `each` for the records of a partition from an offset to its end as it is now, until it says to stop.
    fn read(
        &self,
        partition: u32,
        from: Option<Offset>,
        mut each: impl FnMut(&[u8], Option<&[u8]>) -> Result<bool, StoreError>,
    ) -> Result<Offset, StoreError> {
        let place = self.place(partition);
        let (mut reader, next, end) = self.reader(&place, from).map_err(|error| self.failed(&error))?;
        let mut position = next;
        let mut silent = 0;
        while position < end {
            let mut runs = Vec::new();
            match reader.poll(POLL, &mut runs) {
                Err(error) if !error.is_retriable() => return Err(self.failed(&error)),
                _ => {}
            }
            silent = if runs.is_empty() { silent + 1 } else { 0 };
            for record in runs.iter().flat_map(|run| run.records.iter()) {
                position = record.offset + 1;
                if !each(record.key.unwrap_or_default(), record.value)? {
                    return Ok(position);
                }
            }
            position = position.max(reader.status(&place).map_or(0, |status| status.position));
            if silent > POLLS_MAX {
                return Err(self.unavailable(format!("{place} can't be read beyond {position}")));
            }
        }
        Ok(position)
    }

    fn reader(
        &self,
        place: &TopicPartition,
        from: Option<Offset>,
    ) -> Result<(Box<dyn Reader>, Offset, Offset), LogError> {
        let places = std::slice::from_ref(place);
        let ask = |query| {
            self.with_clients(|clients| clients.admin.offsets(places, query, Isolation::ReadUncommitted))
        };
        let (start, end) = (ask(OffsetQuery::Earliest)?[0], ask(OffsetQuery::Latest)?[0]);
        let next = from.unwrap_or(start).max(start);
        let mut reader = self.log.reader(&ReaderOptions::new(Isolation::ReadUncommitted))?;
        reader.assign(&[(place.clone(), next)])?;
        Ok((reader, next, end))
    }

    /// Calls `look` with the index as it is now.
    fn index<T>(&self, look: impl FnOnce(&Index) -> T) -> Result<T, StoreError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let Index { next, objects, intents } = &mut *index;
        let position = self.read(0, *next, |key, value| {
            let name = String::from_utf8_lossy(key);
            let (name, records) = match name.strip_suffix('\0') {
                Some(name) => (name, &mut *intents),
                None => (name.as_ref(), &mut *objects),
            };
            match value.map(serde_json::from_slice::<IndexRecord>) {
                Some(Ok(record)) => drop(records.insert(name.to_owned(), record)),
                Some(Err(error)) => return Err(self.unavailable(format!("index of {name}: {error}"))),
                None => drop(records.remove(name)),
            }
            Ok(true)
        })?;
        *next = Some(position);
        Ok(look(&index))
    }

    /// Calls `act` with clients that are made for it if need be. After an error they are not used again: what they still
    /// hold must not come later than what is written then.
    fn with_clients<T>(&self, act: impl FnOnce(&mut Clients) -> Result<T, LogError>) -> Result<T, LogError> {
        let mut kept = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = match kept.take() {
            Some(clients) => clients,
            None => Clients { writer: self.log.writer()?, admin: self.log.admin()? },
        };
        let done = act(&mut clients)?;
        *kept = Some(clients);
        Ok(done)
    }

    fn write(&self, partition: u32, records: Records) -> Result<(), LogError> {
        let place = self.place(partition);
        self.with_clients(|clients| {
            clients.writer.write(&place, records)?;
            clients.writer.flush(FLUSH)
        })
    }

    fn write_index(&self, key: &str, record: Option<&IndexRecord>) -> Result<(), LogError> {
        let value = record.map(|record| serde_json::to_vec(record).expect("numbers are JSON"));
        let mut records = RecordsBuilder::default();
        records.push(Some(key.as_bytes()), value.as_deref(), self.clock.wall_ms());
        self.write(0, records.finish())
    }

    fn write_chunks(
        &self,
        name: &str,
        record: &IndexRecord,
        content: &mut dyn Read,
    ) -> Result<(), StoreError> {
        let place = self.place(record.partition);
        let mut left = record.bytes;
        for chunk in 0..record.chunks() {
            let mut bytes = vec![0; left.min(CHUNK_BYTES as u64) as usize];
            content.read_exact(&mut bytes).map_err(|error| self.unavailable(error.to_string()))?;
            left -= bytes.len() as u64;
            let mut records = RecordsBuilder::default();
            records.push(Some(&chunk_key(name, chunk)), Some(&bytes), self.clock.wall_ms());
            self.with_clients(|clients| clients.writer.write(&place, records.finish()))
                .map_err(|error| self.failed(&error))?;
        }
        self.with_clients(|clients| clients.writer.flush(FLUSH)).map_err(|error| self.failed(&error))
    }

    fn remove_object(&self, name: &str, record: &IndexRecord) -> Result<(), LogError> {
        // The object first, its intent last: what is in the index is found again.
        self.write_index(name, None)?;
        // Each chunk is a record: more than there are records after its first are not there, whatever the index says.
        let there = self.end_of(record.partition)?.saturating_sub(record.from);
        let chunks = record.chunks().min(u32::try_from(there).unwrap_or(u32::MAX));
        if chunks > 0 {
            let mut records = RecordsBuilder::default();
            for chunk in 0..chunks {
                records.push(Some(&chunk_key(name, chunk)), None, self.clock.wall_ms());
            }
            self.write(record.partition, records.finish())?;
        }
        self.write_index(&format!("{name}\0"), None)
    }

    fn end_of(&self, partition: u32) -> Result<Offset, LogError> {
        let place = [self.place(partition)];
        self.with_clients(|clients| {
            Ok(clients.admin.offsets(&place, OffsetQuery::Latest, Isolation::ReadUncommitted)?[0])
        })
    }
}

fn chunk_key(name: &str, chunk: u32) -> Vec<u8> {
    let mut key = name.as_bytes().to_vec();
    key.push(0);
    key.extend(chunk.to_be_bytes());
    key
}

impl SnapshotStore for TopicStore {
    fn describe(&self) -> String {
        format!("topic {}", self.topic)
    }

    fn put(&self, name: &str, bytes: u64, content: &mut dyn Read) -> Result<(), StoreError> {
        let partition = self.partition_of(name);
        let from = self.end_of(partition).map_err(|error| self.failed(&error))?;
        let record = IndexRecord { bytes, partition, from, stored_ms: self.clock.wall_ms() };
        self.write_index(&format!("{name}\0"), Some(&record)).map_err(|error| self.failed(&error))?;
        self.write_chunks(name, &record, content)?;
        self.write_index(name, Some(&record)).map_err(|error| self.failed(&error))
    }

    fn get(&self, name: &str, to: &mut dyn Write) -> Result<(), StoreError> {
        let missing = || StoreError::Missing { store: self.describe(), name: name.to_owned() };
        let record = self.index(|index| index.objects.get(name).cloned())?.ok_or_else(missing)?;
        let mut next = 0;
        // Chunks of a second writer may come before those of the first have ended.
        let mut early: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        self.read(record.partition, Some(record.from), |key, value| {
            let chunk = key.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(&[0]));
            if let (Some(chunk), Some(bytes)) = (chunk.and_then(|chunk| chunk.try_into().ok()), value) {
                let chunk = u32::from_be_bytes(chunk);
                if chunk > next {
                    early.insert(chunk, bytes.to_vec());
                } else if chunk == next {
                    let mut bytes = bytes.to_vec();
                    loop {
                        to.write_all(&bytes).map_err(|error| self.unavailable(error.to_string()))?;
                        next += 1;
                        match early.remove(&next) {
                            Some(more) => bytes = more,
                            None => break,
                        }
                    }
                }
            }
            Ok(next < record.chunks())
        })?;
        if next < record.chunks() { Err(missing()) } else { Ok(()) }
    }

    fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        let now = self.clock.wall_ms();
        self.index(|index| {
            let object = |(name, record): (&String, &IndexRecord), whole: bool| StoredObject {
                name: name.clone(),
                bytes: if whole { record.bytes } else { 0 },
                age_ms: u64::try_from(now - record.stored_ms).unwrap_or(0),
            };
            let whole = index.objects.iter().map(|found| object(found, true));
            let intents = index.intents.iter().filter(|(name, _)| !index.objects.contains_key(*name));
            let all = whole.chain(intents.map(|found| object(found, false)));
            let mut all: Vec<_> = all.filter(|object| object.name.starts_with(prefix)).collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        })
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        for name in names {
            let found = self.index(|index| index.objects.get(name).or(index.intents.get(name)).cloned())?;
            let Some(record) = found else { continue };
            self.remove_object(name, &record).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for TopicStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicStore").field("topic", &self.topic).finish_non_exhaustive()
    }
}
