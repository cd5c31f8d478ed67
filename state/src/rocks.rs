//! RocksDB as the base of a task's state: the one place that knows its settings for state.
//!
//! One database per task, so that a task moves and restores alone; one cache and one write-buffer manager for all of
//! a process ([`SharedMemory`]), because memory in RocksDB is the sum over databases of memtables, filters and cached
//! blocks, and only shared ones can be bounded.

use crate::StateError;
use crate::StoreId;
use crate::base::ScanCallback;
use crate::export::beside;
use millstream_wal::cut_endless_logs;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType,
    DEFAULT_COLUMN_FAMILY_NAME, FlushOptions, Options, ReadOptions, WriteBatch, WriteBufferManager,
    WriteOptions,
};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory that all task states of a process share.
#[derive(Clone)]
pub struct SharedMemory {
    cache: Cache,
    write_buffers: WriteBufferManager,
}

impl SharedMemory {
    /// `cache_bytes` for blocks, filters and indexes together; memtables are charged to the same cache and held to
    /// `write_buffer_bytes`.
    pub fn new(cache_bytes: usize, write_buffer_bytes: usize) -> Self {
        let cache = Cache::new_lru_cache(cache_bytes);
        // No stall: a stalled write would hold the worker inside a checkpoint. The bound on pending bytes limits what
        // a checkpoint writes instead.
        let write_buffers =
            WriteBufferManager::new_write_buffer_manager_with_cache(write_buffer_bytes, false, cache.clone());
        SharedMemory { cache, write_buffers }
    }
}

impl std::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedMemory")
            .field("cache_used_bytes", &self.cache.get_usage())
            .finish_non_exhaustive()
    }
}

/// How a task's database is opened.
#[derive(Debug, Clone)]
pub struct RocksSettings {
    /// The process's shared memory.
    pub memory: SharedMemory,
    /// Size of one memtable before it is flushed.
    pub memtable_bytes: usize,
}

impl RocksSettings {
    /// Settings with memtables of 16 MiB: a checkpoint is bounded to 64 MiB, and smaller memtables let the shared
    /// bound take effect sooner.
    pub fn new(memory: SharedMemory) -> Self {
        RocksSettings { memory, memtable_bytes: 16 << 20 }
    }
}

/// A batch in the making.
#[derive(Default)]
pub(crate) struct RocksWrites {
    batch: WriteBatch,
    key: Vec<u8>,
}

impl RocksWrites {
    pub(crate) fn push(&mut self, store: StoreId, key: &[u8], value: Option<&[u8]>) {
        self.key.clear();
        self.key.extend(store.0.to_be_bytes());
        self.key.extend(key);
        match value {
            Some(value) => self.batch.put(&self.key, value),
            None => self.batch.delete(&self.key),
        }
    }
}

pub(crate) struct Rocks {
    db: DB,
    path: PathBuf,
}

impl Rocks {
    pub(crate) fn open(path: &Path, settings: &RocksSettings) -> Result<Self, StateError> {
        std::fs::create_dir_all(path).map_err(|source| StateError::Io { path: path.into(), source })?;
        cut_endless_logs(path).map_err(|source| match source.kind() {
            ErrorKind::InvalidData => StateError::Damaged { path: path.into(), detail: source.to_string() },
            _ => StateError::Io { path: path.into(), source },
        })?;
        let family = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options(settings));
        let db = DB::open_cf_descriptors(&options(settings), path, [family]).map_err(|source| {
            let path = path.into();
            // RocksDB has no kind of its own for this.
            let still_open = source.to_string().contains("lock hold by current process");
            if still_open { StateError::StillOpen { path } } else { StateError::Storage { path, source } }
        })?;
        Ok(Rocks { db, path: path.into() })
    }

    /// Opens a directory to look at it; whoever has it open goes on.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StateError> {
        let settings = RocksSettings::new(SharedMemory::new(8 << 20, 1 << 20));
        let mut options = options(&settings);
        options.create_if_missing(false);
        // By its name, as reads of many keys ask for it.
        let family = ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options.clone());
        let db = DB::open_cf_descriptors_read_only(&options, path, [family], false)
            .map_err(|source| StateError::Storage { path: path.into(), source })?;
        Ok(Rocks { db, path: path.into() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.db.get(key).map_err(|source| self.storage(source))
    }

    pub(crate) fn get_many(
        &self,
        keys: &[&[u8]],
        mut each: impl FnMut(usize, Option<&[u8]>),
    ) -> Result<(), StateError> {
        let family = self.db.cf_handle(DEFAULT_COLUMN_FAMILY_NAME).expect("opened by its name");
        for (index, value) in self.db.batched_multi_get_cf(family, keys.iter(), false).into_iter().enumerate()
        {
            each(index, value.map_err(|source| self.storage(source))?.as_deref());
        }
        Ok(())
    }

    pub(crate) fn scan(&self, lower: &[u8], upper: &[u8], each: ScanCallback<'_>) -> Result<(), StateError> {
        let mut read = ReadOptions::default();
        // Without the bound an iterator walks tombstones past the range: milliseconds after a window was deleted.
        read.set_iterate_upper_bound(upper);
        let mut rows = self.db.raw_iterator_opt(read);
        rows.seek(lower);
        while let (Some(key), Some(value)) = (rows.key(), rows.value()) {
            if each(key, value).is_break() {
                return Ok(());
            }
            rows.next();
        }
        rows.status().map_err(|source| self.storage(source))
    }

    pub(crate) fn write(&self, writes: RocksWrites) -> Result<(), StateError> {
        // Without a log of its own: the journal has everything. A batch is in one memtable, whole, and memtables reach the
        // disk in order, so what a kill leaves is an older checkpoint.
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.db.write_opt(writes.batch, &options).map_err(|source| self.storage(source))
    }

    /// Has what was written brought to the disk beside whatever comes next.
    pub(crate) fn flush_soon(&self) -> Result<(), StateError> {
        let mut options = FlushOptions::default();
        options.set_wait(false);
        self.db.flush_opt(&options).map_err(|source| self.storage(source))
    }

    /// Makes what was written survive a kill and a power cut.
    pub(crate) fn flush(&self) -> Result<(), StateError> {
        self.db.flush().map_err(|source| self.storage(source))
    }

    pub(crate) fn clear(&self) -> Result<(), StateError> {
        let mut writes = RocksWrites::default();
        let mut rows = self.db.raw_iterator();
        rows.seek_to_first();
        while let Some(key) = rows.key() {
            writes.batch.delete(key);
            rows.next();
        }
        rows.status().map_err(|source| self.storage(source))?;
        drop(rows);
        self.write(writes)
    }

    /// Links the files of what is written into a directory of their own beside this one.
    pub(crate) fn link_checkpoint(&self) -> Result<PathBuf, StateError> {
        // Exports of a task that was lost and came back may overlap.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = beside(&self.path, &format!(".export-{}-{count}", std::process::id()));
        let checkpoint = Checkpoint::new(&self.db).map_err(|source| self.storage(source))?;
        checkpoint.create_checkpoint(&directory).map_err(|source| self.storage(source))?;
        Ok(directory)
    }

    fn storage(&self, source: rocksdb::Error) -> StateError {
        StateError::Storage { path: self.path.clone(), source }
    }
}

impl std::fmt::Debug for Rocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rocks").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Rocks {
    fn drop(&mut self) {
        // A database that is dropped while a compaction runs has crashed processes at exit. This also writes what is only
        // in a memtable.
        self.db.cancel_all_background_work(true);
    }
}

fn options(settings: &RocksSettings) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&settings.memory.cache);
    // Filters and indexes in the cache: otherwise they are memory that no budget sees.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_pin_top_level_index_and_filter(true);
    // Ribbon filters take a third less memory than Bloom's for the same answers, and several times as long to make: not
    // for what a flush writes, which is compacted soon.
    table.set_hybrid_ribbon_filter(10.0, 1);
    // In pieces: a whole filter is megabytes per file, and one lookup would push much of a small cache out for it.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(4 << 10);
    // A lookup of one key decompresses a block; keys that are read together are rarely beside each other.
    table.set_block_size(4 << 10);
    table.set_format_version(5);

    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_manager(&settings.memory.write_buffers);
    options.set_write_buffer_size(settings.memtable_bytes);
    // A memtable takes at least one of these, and counts it: a process may have hundreds of tasks with little state each.
    options.set_arena_block_size(64 << 10);
    // One column family: a checkpoint is one batch, and a memtable per store would multiply memory by the stores.
    options.set_compression_type(DBCompressionType::Lz4);
    // Most keys that are looked up exist: what the last level's filters would save is less than what they would hold of
    // the cache, nine tenths of all filters.
    options.set_optimize_filters_for_hits(true);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_paranoid_checks(true);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options
}
