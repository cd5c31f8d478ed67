//! A log on disk, in this process: the same topics, groups and transactions as a broker's, without one.
//!
//! [`EmbeddedLog::open`] takes a directory and owns it; every client made from the log works in this process, against
//! one RocksDB database. Topic commands of other processes reach it through a socket in the directory.
//!
//! ```text
//!  writers, transactions          readers
//!        |  offsets reserved         ^  ^
//!        v                           |  | tail: what was just written, in memory
//!     queue: units, in order --------|--+
//!        |  one WriteBatch per group |
//!        v                           |
//!     RocksDB: WAL -> memtable -> blob files
//! ```
//!
//! **What survives.** When a write, a commit or a flush has returned, a killed process loses nothing of it. What
//! survives a power cut is the policy's matter ([`SyncPolicy`]); [`Log::sync`] makes everything acknowledged so far
//! survive one. A transaction is on disk whole or not at all, and nothing of an open one ever is.
//!
//! **Offsets.** They are given when records are taken, transactions included, and never name anything else
//! afterwards: not when the transaction aborts, not after a crash, not after a power cut. So there are gaps, which
//! readers pass over. A process that ends without closing the log leaves a larger one.
//!
//! **What readers see.** Read-committed readers stop at the first offset of an open transaction, or of a write under
//! way. Read-uncommitted readers are also handed the records of open transactions, from memory, once their writer has
//! flushed them; those of aborted transactions are gone. To both, the end of a partition seen by
//! [`Isolation::ReadUncommitted`](crate::Isolation::ReadUncommitted) counts every offset given away.
//!
//! **When the disk fails**, the log does: the first write or sync that fails ends it, nothing is acknowledged any
//! more and nothing synced again. A full disk is seen coming: writes are refused until there is room.

mod batch;
mod blocks;
mod clients;
mod compaction;
mod directory;
mod engine;
mod groups;
mod keys;
mod load;
mod options;
mod orphans;
mod partition;
mod queue;
mod reader;
mod remote;
mod retention;
mod scan;
mod store;
mod synced;
mod tail;
mod ticker;
mod topics;
mod transactional;
mod transactions;
mod wake;
mod writer;

pub use options::{EmbeddedOptions, SyncPolicy};
pub use remote::EmbeddedClient;

use crate::clock::{Clock, SystemClock};
use crate::{
    Admin, Log, LogError, LogInfo, Member, MemberOptions, Reader, ReaderOptions, TransactionOptions,
    TransactionalWriter, Writer,
};
use directory::{Directory, Owner};
use engine::Shared;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A log on disk that this process owns. Clones are the same log; it is closed when the last of them is dropped.
/// Clients that are still there then answer with errors, and the directory is free once they are gone too.
///
/// ```
/// use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions};
/// use millstream_log::{Log, RecordsBuilder, TopicPartition, TopicSpec};
/// use std::time::{Duration, Instant};
///
/// let dir = tempfile::tempdir()?;
/// let log = EmbeddedLog::open(dir.path(), &EmbeddedOptions::default())?;
/// log.admin()?.create_topic(&TopicSpec::new("orders", 1))?;
/// let mut records = RecordsBuilder::default();
/// records.push(Some(b"key"), Some(b"value"), 1_000);
/// let mut writer = log.writer()?;
/// writer.write(&TopicPartition::new("orders", 0), records.finish())?;
/// writer.flush(Duration::from_secs(10))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EmbeddedLog {
    running: Arc<Running>,
}

/// Where the log is that a directory stands for: in the directory itself, or in `log` below it, where the command keeps it
/// beside the state of jobs. `None` where there is none yet. Whoever opens or connects to a log looks for it here.
///
/// # Errors
/// [`LogError::Client`] when there is one in both places.
pub fn find(dir: impl AsRef<Path>) -> Result<Option<PathBuf>, LogError> {
    directory::find(dir.as_ref())
}

/// The log in a directory, for a topic command: opened here if nobody has it open, and through its owner otherwise.
///
/// # Errors
/// [`LogError::InUse`] when its owner does not serve it; otherwise as [`EmbeddedLog::open`].
pub fn open_or_connect(dir: impl AsRef<Path>, options: &EmbeddedOptions) -> Result<Arc<dyn Log>, LogError> {
    let dir = &find(dir.as_ref())?.unwrap_or_else(|| dir.as_ref().to_owned());
    let deadline = Instant::now() + OWNER_TIMEOUT;
    loop {
        let in_use = match EmbeddedLog::open(dir, options) {
            Err(error @ LogError::InUse { .. }) if Owner::of(dir).is_none_or(|owner| owner.serves) => error,
            opened => return Ok(Arc::new(opened?)),
        };
        match EmbeddedClient::connect(dir) {
            Ok(client) => return Ok(Arc::new(client)),
            // It is about to serve, or about to end.
            Err(LogError::NotReady(_)) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(LogError::NotReady(_)) => return Err(in_use),
            Err(error) => return Err(error),
        }
    }
}

/// How long an owner may take from taking the directory to serving it: it has to recover the database in between.
const OWNER_TIMEOUT: Duration = Duration::from_secs(10);

/// The log's threads; ending them closes the log.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
    server: Mutex<Option<remote::Server>>,
}

impl EmbeddedLog {
    /// Opens the log in a directory (see [`find`]), or makes one there.
    ///
    /// # Errors
    /// [`LogError::InUse`] when a process has it open; [`LogError::Unsupported`] when another build wrote it in a
    /// format that this one does not read; [`LogError::Corrupt`] when it is damaged.
    pub fn open(dir: impl AsRef<Path>, options: &EmbeddedOptions) -> Result<Self, LogError> {
        Self::open_with_clock(dir, options, Arc::new(SystemClock::default()))
    }

    /// As [`EmbeddedLog::open`], with another clock: for timestamps of arrival, retention, sessions and time-outs of
    /// transactions. Tests move it and call [`EmbeddedLog::tick`].
    ///
    /// # Errors
    /// As [`EmbeddedLog::open`].
    pub fn open_with_clock(
        dir: impl AsRef<Path>,
        options: &EmbeddedOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let dir = &find(dir.as_ref())?.unwrap_or_else(|| dir.as_ref().to_owned());
        let directory = Directory::take(dir, options, clock.as_ref())?;
        // The socket and messages name it wherever another process stands.
        let dir = dir.canonicalize().map_err(|error| {
            LogError::Client(format!("can't open the log's directory {}: {error}", dir.display()))
        })?;
        let loaded = load::load(&dir, &directory, options)?;
        let info = LogInfo { kind: "embedded", cluster: loaded.cluster, location: dir.display().to_string() };
        let shared = Arc::new(Shared {
            store: loaded.store,
            options: options.clone(),
            clock,
            info,
            queue: queue::Queue::default(),
            ticker: ticker::Ticker::new(Duration::from_millis(options.sync_interval_ms)),
            tail: tail::Tail::new(options.tail_bytes_max),
            topics: RwLock::new(loaded.topics),
            transactions: loaded.transactions,
            cleaner: retention::Cleaner::default(),
            compactor: compaction::Compactor::default(),
            groups: Mutex::new(loaded.groups),
            reserving: Mutex::new(()),
            gathered: Mutex::default(),
            closing: AtomicBool::new(false),
            _directory: directory,
        });
        let running =
            Running { shared: Arc::clone(&shared), ticker: Mutex::default(), server: Mutex::default() };
        running.start()?;
        shared.retain_all()?;
        if options.serve {
            running.serve(&dir);
        }
        Ok(EmbeddedLog { running: Arc::new(running) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.running.shared
    }

    /// Number of the last write that was acknowledged. Numbers ascend, over restarts too.
    pub fn written(&self) -> u64 {
        self.shared().store.written()
    }

    /// Number of the last write that survives a power cut: whatever was acknowledged while [`EmbeddedLog::written`]
    /// was not above this does.
    pub fn synced(&self) -> u64 {
        self.shared().store.synced()
    }

    /// Does what the log's own thread does as time passes: ends sessions and transactions that have timed out by the
    /// log's clock, removes records that are too old, and compacts topics of which enough is dirty.
    ///
    /// # Errors
    /// [`LogError`] when the log has failed.
    pub fn tick(&self) -> Result<(), LogError> {
        self.shared().check()?;
        self.shared().time_out();
        self.shared().retain_all()?;
        self.shared().compact_all()
    }

    /// Writes what the database has in memory to its files. Nothing needs this but tests that look at the files.
    ///
    /// # Errors
    /// [`LogError`] when the log has failed.
    pub fn flush_files(&self) -> Result<(), LogError> {
        self.shared().drain()?;
        self.shared().store.flush()
    }
}

impl Running {
    fn start(&self) -> Result<(), LogError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("millstream-log".to_owned());
        let thread = thread.spawn(move || ticker::run(&shared));
        let thread =
            thread.map_err(|error| LogError::Client(format!("can't start the log's thread: {error}")))?;
        *self.ticker.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// The log is of use without being served: where that fails, it is told and no more.
    fn serve(&self, dir: &Path) {
        match remote::Server::start(dir, &self.shared) {
            Ok(server) => {
                *self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(server);
            }
            Err(error) => tracing::warn!(%error, "topic commands of other processes will not find the log"),
        }
    }
}

fn taken<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

impl Drop for Running {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.closing.store(true, Ordering::Release);
        shared.wake_readers();
        drop(taken(&self.server));
        shared.ticker.stop();
        if let Some(ticker) = taken(&self.ticker) {
            let _ = ticker.join();
        }
        shared.join_compactor();
        shared.send_gathered();
        if let Err(error) = shared.close() {
            tracing::error!(log = shared.info.location, %error, "the embedded log was not closed cleanly");
        }
        shared.store.shut_down();
        shared.join_cleaner();
    }
}

impl Log for EmbeddedLog {
    fn info(&self) -> LogInfo {
        self.shared().info.clone()
    }

    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        self.shared().check()?;
        Ok(Box::new(clients::EmbeddedAdmin::new(self.shared())))
    }

    fn reader(&self, options: &ReaderOptions) -> Result<Box<dyn Reader>, LogError> {
        self.shared().check()?;
        Ok(Box::new(reader::EmbeddedReader::new(self.shared(), options)))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        self.shared().check()?;
        Ok(Box::new(writer::EmbeddedWriter::new(self.shared())))
    }

    fn member(&self, options: &MemberOptions) -> Result<Box<dyn Member>, LogError> {
        self.shared().check()?;
        Ok(Box::new(clients::EmbeddedMember::new(self.shared(), options)))
    }

    fn transactional_writer(
        &self,
        options: &TransactionOptions,
    ) -> Result<Box<dyn TransactionalWriter>, LogError> {
        self.shared().check()?;
        Ok(Box::new(transactional::EmbeddedTransactionalWriter::new(self.shared(), options)))
    }

    fn sync(&self) -> Result<(), LogError> {
        self.shared().store.sync()
    }
}
