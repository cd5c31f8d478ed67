//! Opening: what is read from disk before the first client, and what a new log begins with.

use super::EmbeddedOptions;
use super::blocks::{Blocks, Summary};
use super::directory::{Directory, FORMAT};
use super::groups::Groups;
use super::keys::{self, IndexEntry, PartitionId, Space};
use super::partition::Partition;
use super::store::{Store, StoreSettings};
use super::synced::SyncedMark;
use super::topics::{PARTITIONS_MAX, StoredTopic, Topics};
use super::transactions::Transactions;
use crate::{CommittedOffset, LogError, TopicConfig};
use millstream_records::{Offset, TopicPartition};
use rocksdb::WriteBatch;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// What was on disk.
pub(crate) struct Loaded {
    pub(crate) store: Store,
    pub(crate) cluster: String,
    pub(crate) topics: Topics,
    pub(crate) groups: Groups,
    pub(crate) transactions: Transactions,
}

/// Reads a log, or makes one.
pub(crate) fn load(dir: &Path, directory: &Directory, options: &EmbeddedOptions) -> Result<Loaded, LogError> {
    let known = directory.cluster()?;
    let has_database = directory.has_database();
    if known.is_some() && !has_database {
        return Err(LogError::Corrupt(format!(
            "the log in {0} has no database any more ({0}/db); go back to a copy of the directory",
            dir.display()
        )));
    }
    let settings = StoreSettings {
        create: !has_database,
        write_buffer_bytes: options.write_buffer_bytes,
        free_bytes_min: options.free_bytes_min,
    };
    let store = Store::open(dir, settings, SyncedMark::open(dir)?)?;
    let cluster = match &known {
        Some(known) => check_cluster(&store, known)?,
        None => begin(&store, directory)?,
    };
    let starts = numbers(&store, Space::Start)?;
    let ceilings = numbers(&store, Space::Reserved)?;
    let clean = numbers(&store, Space::Clean)?;
    let topics = load_topics(&store, &starts, &ceilings, &clean)?;
    let groups = load_groups(&store)?;
    let transactions = Transactions::default();
    store.scan_space(Space::Writer, |key, value| {
        let id = keys::name_of(key).ok_or_else(|| damaged("a transactional id"))?;
        let epoch = value.try_into().map_err(|_| damaged("the epoch of a transactional writer"))?;
        transactions.load(id, u32::from_le_bytes(epoch));
        Ok(())
    })?;
    Ok(Loaded { store, cluster, topics, groups, transactions })
}

/// The text file and the database have to be of one log.
fn check_cluster(store: &Store, known: &str) -> Result<String, LogError> {
    match store.number(Space::Meta, "format")? {
        Some(format) if format > u64::from(FORMAT) => Err(LogError::Unsupported(format!(
            "the log's database has format {format}, this build reads up to {FORMAT}; use the newer build"
        ))),
        Some(_) if store.get(&keys::named(Space::Meta, "cluster"))? == Some(known.as_bytes().to_vec()) => {
            Ok(known.to_owned())
        }
        _ => Err(LogError::Corrupt(format!(
            "the format file and the database in {} are not of the same log",
            store.dir().display()
        ))),
    }
}

/// A new log, or one whose making was interrupted.
fn begin(store: &Store, directory: &Directory) -> Result<String, LogError> {
    let cluster = match store.get(&keys::named(Space::Meta, "cluster"))? {
        Some(cluster) => String::from_utf8(cluster).map_err(|_| damaged("the cluster id"))?,
        None => {
            let cluster = format!("embedded-{:032x}", rand::random::<u128>());
            let mut batch = WriteBatch::default();
            batch.put(keys::named(Space::Meta, "format"), keys::number(u64::from(FORMAT)));
            batch.put(keys::named(Space::Meta, "cluster"), &cluster);
            batch.put(keys::named(Space::Meta, "next-topic"), keys::number(0));
            store.write(batch)?;
            store.sync()?;
            cluster
        }
    };
    directory.set_cluster(&cluster)?;
    Ok(cluster)
}

fn load_topics(
    store: &Store,
    starts: &BTreeMap<PartitionId, Offset>,
    ceilings: &BTreeMap<PartitionId, Offset>,
    clean: &BTreeMap<PartitionId, Offset>,
) -> Result<Topics, LogError> {
    let next_id = store.number(Space::Meta, "next-topic")?.and_then(|id| u32::try_from(id).ok());
    let mut topics = Topics::new(next_id.ok_or_else(|| damaged("the next topic id"))?);
    let mut stored = Vec::new();
    store.scan_space(Space::Topic, |key, value| {
        let name = keys::name_of(key).ok_or_else(|| damaged("the name of a topic"))?;
        let topic: StoredTopic = serde_json::from_slice(value)
            .map_err(|error| LogError::Corrupt(format!("topic \"{name}\" is damaged: {error}")))?;
        if topic.partitions > PARTITIONS_MAX {
            return Err(damaged(&format!("the number of partitions of topic \"{name}\"")));
        }
        stored.push((Arc::<str>::from(name), topic));
        Ok(())
    })?;
    for (name, topic) in stored {
        let config = TopicConfig::parse(&topic.config)?;
        let mut blocks = Vec::new();
        for partition in 0..topic.partitions {
            let id = PartitionId { topic: topic.id, partition };
            let place = TopicPartition { topic: Arc::clone(&name), partition };
            let ceiling = ceilings.get(&id).copied().unwrap_or(0);
            blocks.push(load_blocks(store, id, &place, ceiling)?);
        }
        let topic = topic.with_partitions(&name, config, |id, place, config| {
            // Neither is there before the first record, nor before the first is removed.
            let (start, ceiling) = (starts.get(&id).copied(), ceilings.get(&id).copied());
            let blocks = std::mem::take(&mut blocks[id.partition as usize]);
            let clean_to = clean.get(&id).copied().unwrap_or(0);
            Partition::new(id, place, config, start.unwrap_or(0), ceiling.unwrap_or(0), clean_to, blocks)
        });
        topics.insert(name, topic);
    }
    Ok(topics)
}

/// The summaries of a partition: those on disk, and what the index has after them.
fn load_blocks(
    store: &Store,
    id: PartitionId,
    place: &TopicPartition,
    ceiling: Offset,
) -> Result<Blocks, LogError> {
    let mut blocks = Blocks::default();
    let entry = |key: &[u8]| keys::place_of(key).map(|(_, at)| at);
    let (from, to) = super::retention::space_of(Space::Summary, id);
    store.scan(&from, &to, |key, value| {
        let block = entry(key).zip(Summary::decode(value));
        let loaded = block.and_then(|(block, summary)| blocks.load(block, summary));
        loaded.ok_or_else(|| damaged(&format!("a summary of {place}")))?;
        Ok(ControlFlow::Continue(()))
    })?;
    let (_, to) = super::retention::space_of(Space::Index, id);
    let from = keys::placed(Space::Index, id, blocks.loaded_to());
    store.scan(&from, &to, |key, value| {
        let batch = entry(key).zip(IndexEntry::decode(value));
        let (base, batch) = batch.ok_or_else(|| super::retention::damaged_index(place))?;
        if base.saturating_add(Offset::from(batch.count)) > ceiling {
            return Err(damaged(&format!("the reservation of offsets of {place}, which ends at {ceiling},")));
        }
        // What this would have to write is on disk with the batch already.
        let _ = blocks.add(base, &batch);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(blocks)
}

fn load_groups(store: &Store) -> Result<Groups, LogError> {
    let mut groups = Groups::default();
    store.scan_space(Space::Group, |key, value| {
        let name = keys::name_of(key).ok_or_else(|| damaged("the name of a group"))?;
        let generation = value.try_into().map_err(|_| damaged("the generation of a group"))?;
        groups.load_generation(name, i32::from_le_bytes(generation));
        Ok(())
    })?;
    store.scan_space(Space::GroupOffset, |key, value| {
        let found = keys::group_offset_of(key).zip(keys::committed_of(value));
        let ((group, place), (offset, metadata)) = found.ok_or_else(|| damaged("a committed offset"))?;
        groups.load_offset(group, place, CommittedOffset { offset, metadata });
        Ok(())
    })?;
    Ok(groups)
}

/// A number of each partition.
fn numbers(store: &Store, space: Space) -> Result<BTreeMap<PartitionId, u64>, LogError> {
    let mut numbers = BTreeMap::new();
    store.scan_space(space, |key, value| {
        let found = key.split_first_chunk::<9>().map(|(prefix, _)| *prefix).and_then(|prefix| {
            let mut key = [0; keys::PLACED_KEY_BYTES];
            key[..9].copy_from_slice(&prefix);
            keys::place_of(&key).map(|(id, _)| id)
        });
        let (id, number) = found.zip(keys::number_of(value)).ok_or_else(|| damaged("an offset"))?;
        numbers.insert(id, number);
        Ok(())
    })?;
    Ok(numbers)
}

fn damaged(what: &str) -> LogError {
    LogError::Corrupt(format!("{what} in the log's metadata is damaged"))
}
