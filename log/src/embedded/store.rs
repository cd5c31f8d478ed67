//! The log's database: the one place that knows RocksDB's settings for a log.
//!
//! Batches beyond 4 KiB are in blob files, so that compaction moves references and not the log; everything else is
//! small. One column family: it has one memtable and one write-ahead log, and a write is atomic over all of it.
//!
//! [`Store::write`] returns when the write-ahead log's bytes are with the operating system: a killed process loses
//! nothing. [`Store::sync`] makes them survive a power cut. The first write or sync that fails ends the store: what a
//! failed `fsync` left behind is unknown and a second one may lie, so nothing is synced or acknowledged afterwards.

use super::keys::{self, PLACED_KEY_BYTES, Space};
use super::orphans::remove_orphans;
use super::synced::SyncedMark;
use crate::LogError;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRawIterator, DBRecoveryMode, ErrorKind, Options,
    ReadOptions, WriteBatch,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Values from this size on live in blob files.
const BLOB_BYTES_MIN: u64 = 4 << 10;
const BLOB_FILE_BYTES: u64 = 256 << 20;
/// Memtables that may wait for their flush. A power of the budget and not of two of it: the flush of one overlaps
/// with the filling of the next.
const MEMTABLES: usize = 4;
const BLOCK_CACHE_BYTES: usize = 16 << 20;
/// File descriptors that the database keeps open.
const OPEN_FILES_MAX: i32 = 512;
/// Bytes written between two looks at the free space.
const SPACE_CHECK_BYTES: i64 = 32 << 20;

pub(crate) struct Store {
    db: DB,
    dir: PathBuf,
    failed: OnceLock<LogError>,
    /// Serialises syncs, so that none begins after one has failed.
    syncing: Mutex<SyncedMark>,
    synced: AtomicU64,
    free_bytes_min: u64,
    /// Bytes that may be written before the free space is looked at again.
    space_credit: AtomicI64,
}

/// How the database is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreSettings {
    /// Make a new database.
    pub(crate) create: bool,
    pub(crate) write_buffer_bytes: usize,
    pub(crate) free_bytes_min: u64,
}

impl Store {
    /// Opens the database in `dir`.
    pub(crate) fn open(dir: &Path, settings: StoreSettings, mark: SyncedMark) -> Result<Self, LogError> {
        let path = dir.join("db");
        let options = options(settings)
            .map_err(|error| LogError::Client(format!("the settings of the log's database: {error}")))?;
        cut_damaged_logs(&path)?;
        let db = DB::open(&options, &path).map_err(|error| match error.kind() {
            ErrorKind::Corruption => {
                LogError::Corrupt(format!("the log's database in {} is damaged: {error}", path.display()))
            }
            _ => LogError::Client(format!("can't open the log's database in {}: {error}", path.display())),
        })?;
        mark.check(db.latest_sequence_number())?;
        remove_orphans(&db);
        let synced = AtomicU64::new(db.latest_sequence_number());
        Ok(Store {
            db,
            dir: dir.to_owned(),
            failed: OnceLock::new(),
            syncing: Mutex::new(mark),
            synced,
            free_bytes_min: settings.free_bytes_min,
            space_credit: AtomicI64::new(0),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// # Errors
    /// The failure that ended the store.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Ends the store.
    pub(crate) fn fail(&self, doing: &str, error: &dyn std::fmt::Display) -> LogError {
        let failure = LogError::Client(format!(
            "the log in {} failed while it was {doing} and takes nothing more: {error}; see to the disk, then \
             restart the process",
            self.dir.display()
        ));
        if self.failed.set(failure).is_ok() {
            tracing::error!(dir = %self.dir.display(), doing, %error, "the embedded log failed");
        }
        self.failed.get().cloned().unwrap_or_else(|| LogError::Client(error.to_string()))
    }

    /// Writes a batch; it survives a kill when this returns.
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), LogError> {
        self.check()?;
        self.space_credit.fetch_sub(batch.size_in_bytes() as i64, Ordering::Relaxed);
        self.db.write(batch).map_err(|error| self.fail("written to", &error))?;
        // Another thread's sync may have failed meanwhile: then this one is not acknowledged either.
        self.check()
    }

    /// Number of the last write.
    pub(crate) fn written(&self) -> u64 {
        self.db.latest_sequence_number()
    }

    /// Number of the last write that survives a power cut.
    pub(crate) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Makes everything written so far survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.check()?;
        let wanted = self.written();
        if self.synced() >= wanted {
            return Ok(());
        }
        let mut mark = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        if self.synced() >= wanted {
            return Ok(());
        }
        let upto = self.written();
        self.db.flush_wal(true).map_err(|error| self.fail("synced", &error))?;
        self.synced.store(upto, Ordering::Release);
        mark.set(upto);
        Ok(())
    }

    /// Whether there is room for `bytes` more and what RocksDB needs to go on.
    ///
    /// # Errors
    /// [`LogError::NotReady`] when there is not.
    pub(crate) fn check_space(&self, bytes: usize) -> Result<(), LogError> {
        if self.space_credit.load(Ordering::Relaxed) > bytes as i64 {
            return Ok(());
        }
        let Ok(free) = fs4::available_space(&self.dir) else { return Ok(()) };
        let spare = free.saturating_sub(self.free_bytes_min);
        if spare < bytes as u64 {
            return Err(LogError::NotReady(format!(
                "disk full: {} MiB are free below {}, the log needs {} MiB; it goes on as soon as there is room",
                free >> 20,
                self.dir.display(),
                (self.free_bytes_min + bytes as u64) >> 20
            )));
        }
        // Each byte is written twice, to the write-ahead log and to a blob file.
        self.space_credit.store(SPACE_CHECK_BYTES.min((spare / 4) as i64), Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        self.db.get(key).map_err(|error| read_error(&error, "a setting of the log"))
    }

    /// Visits keys and values of `lower..upper` in order.
    pub(crate) fn scan(
        &self,
        lower: &[u8],
        upper: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, LogError>,
    ) -> Result<(), LogError> {
        let mut rows = self.iterator(lower, upper);
        rows.seek_to_first();
        while let (Some(key), Some(value)) = (rows.key(), rows.value()) {
            if each(key, value)?.is_break() {
                return Ok(());
            }
            rows.next();
        }
        rows.status().map_err(|error| read_error(&error, "the log's metadata"))
    }

    /// Visits everything in a key space.
    pub(crate) fn scan_space(
        &self,
        space: Space,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let (lower, upper) = ([space as u8], [space as u8 + 1]);
        self.scan(&lower, &upper, |key, value| each(key, value).map(|()| ControlFlow::Continue(())))
    }

    /// An iterator that stays within `lower..upper`: without bounds it would walk the tombstones of what was removed.
    pub(crate) fn iterator(&self, lower: &[u8], upper: &[u8]) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(lower);
        options.set_iterate_upper_bound(upper);
        self.db.raw_iterator_opt(options)
    }

    /// Brings removed keys and the files behind them to an end. May rewrite what else is in those blob files, and
    /// takes its time; [`Store::shut_down`] ends it early.
    pub(crate) fn clean(&self, from: &[u8; PLACED_KEY_BYTES], to: &[u8; PLACED_KEY_BYTES]) {
        self.db.compact_range(Some(from), Some(to));
        let property = |name: &str| self.db.property_int_value(name).ok().flatten().unwrap_or(0);
        let (garbage, total) =
            (property("rocksdb.live-blob-file-garbage-size"), property("rocksdb.live-blob-file-size"));
        if garbage < GARBAGE_BYTES_MIN || garbage < total / 2 {
            return;
        }
        // Files that are garbage throughout are gone by now. What is left shares files with records that are kept;
        // copying those costs at most what it frees.
        let collecting = |on: &str| {
            let set = self.db.set_options(&[
                ("enable_blob_garbage_collection", on),
                ("blob_garbage_collection_age_cutoff", "1.0"),
            ]);
            if let Err(error) = set {
                tracing::warn!(%error, "can't change the collection of garbage");
            }
        };
        collecting("true");
        let mut options = rocksdb::CompactOptions::default();
        options.set_bottommost_level_compaction(rocksdb::BottommostLevelCompaction::Force);
        let everything = (&[Space::Data as u8][..], &[Space::Data as u8 + 1][..]);
        self.db.compact_range_opt(Some(everything.0), Some(everything.1), &options);
        collecting("false");
    }

    /// Writes what is in memory to files. For tests that damage files.
    pub(crate) fn flush(&self) -> Result<(), LogError> {
        self.db.flush().map_err(|error| self.fail("flushed", &error))
    }

    /// Stops RocksDB's threads: a database dropped while one works has crashed processes.
    pub(crate) fn shut_down(&self) {
        self.db.cancel_all_background_work(true);
    }

    /// Reads the value of a key that has to be a number.
    pub(crate) fn number(&self, space: Space, name: &str) -> Result<Option<u64>, LogError> {
        let value = self.get(&keys::named(space, name))?;
        let damaged = || LogError::Corrupt(format!("the log's setting \"{name}\" is not a number"));
        value.map(|value| keys::number_of(&value).ok_or_else(damaged)).transpose()
    }
}

/// Garbage in blob files that is not worth collecting.
const GARBAGE_BYTES_MIN: u64 = 256 << 20;

/// A failed read: of damaged data, or of a failing disk.
pub(crate) fn read_error(error: &rocksdb::Error, what: &str) -> LogError {
    match error.kind() {
        ErrorKind::Corruption => LogError::Corrupt(format!("{what} is damaged: {error}")),
        _ => LogError::Client(format!("can't read {what}: {error}")),
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What stands behind a record that can't be read is lost either way; said, because it was acknowledged.
fn cut_damaged_logs(path: &Path) -> Result<(), LogError> {
    let damaged = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            LogError::Corrupt(format!("the log's database in {} is damaged: {error}", path.display()))
        }
        _ => LogError::Client(format!("can't read the log's database in {}: {error}", path.display())),
    };
    for (log, bytes) in millstream_wal::cut_endless_logs(path).map_err(damaged)? {
        tracing::warn!(log = %log.display(), bytes, "cut before a damaged record");
    }
    Ok(())
}

fn options(settings: StoreSettings) -> Result<Options, rocksdb::Error> {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE_BYTES));
    table.set_cache_index_and_filter_blocks(true);
    table.set_block_size(16 << 10);
    table.set_format_version(5);

    // When one write-ahead log follows another and a power cut takes the end of the first, the second must not be
    // replayed: what is lost has to be a suffix. Only the options' text form knows this one.
    let mut options = Options::default().get_options_from_string("track_and_verify_wals=true")?;
    options.create_if_missing(settings.create);
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size((settings.write_buffer_bytes / MEMTABLES).max(1 << 20));
    options.set_max_write_buffer_number(MEMTABLES as i32);
    options.set_enable_blob_files(true);
    options.set_min_blob_size(BLOB_BYTES_MIN);
    options.set_blob_file_size(BLOB_FILE_BYTES);
    options.set_blob_compaction_readahead_size(2 << 20);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    // One thread writes at a time: the queue before it does the grouping.
    options.set_allow_concurrent_memtable_write(false);
    // After a power cut the last bytes of the write-ahead log may be there in any order. Whether it ends too early is
    // told by the mark beside the database.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_paranoid_checks(true);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    Ok(options)
}
