//! What every client of the log shares, and the ways through it that several of them take.
//!
//! Locks are taken in this order, and none is held while a unit is waited for, save the first two, which nobody
//! needs who leads the queue:
//!
//! ```text
//! transactional writer -> reserving -> groups -> topics -> partition -> (queue, ticker, tail)
//! ```

use super::EmbeddedOptions;
use super::batch::{StoredBatch, Unplaced};
use super::directory::Directory;
use super::groups::Groups;
use super::keys::{self, Space};
use super::partition::{NotPlaced, Partition, Placed};
use super::queue::{Queue, Unit};
use super::store::Store;
use super::tail::Tail;
use super::ticker::Ticker;
use super::topics::Topics;
use super::transactions::Transactions;
use super::writer::Gathered;
use crate::clock::Clock;
use crate::{LogError, LogInfo};
use millstream_records::Offset;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

/// An open log.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: EmbeddedOptions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) info: LogInfo,
    pub(crate) queue: Queue,
    pub(crate) ticker: Ticker,
    pub(crate) tail: Tail,
    pub(crate) topics: RwLock<Topics>,
    pub(crate) transactions: Transactions,
    pub(crate) cleaner: super::retention::Cleaner,
    pub(crate) compactor: super::compaction::Compactor,
    pub(crate) groups: Mutex<Groups>,
    /// Held by whoever reserves offsets: a lower ceiling must not be written after a higher one.
    pub(crate) reserving: Mutex<()>,
    /// Writers whose gathered records the log's own thread has to send on.
    pub(crate) gathered: Mutex<Vec<Weak<Mutex<Gathered>>>>,
    pub(crate) closing: AtomicBool,
    /// Given up after the database is closed: fields are dropped in order.
    pub(crate) _directory: Directory,
}

impl Shared {
    /// # Errors
    /// Why the log can't be used any more.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        if self.closing.load(Ordering::Acquire) {
            return Err(LogError::Client(format!("the log in {} was closed", self.info.location)));
        }
        self.store.check()
    }

    pub(crate) fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn topics(&self) -> RwLockReadGuard<'_, Topics> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn topics_mut(&self) -> RwLockWriteGuard<'_, Topics> {
        self.topics.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives batches their offsets, reserving more on disk where they run out.
    pub(crate) fn place(
        &self,
        partition: &Arc<Partition>,
        mut batches: Vec<Unplaced>,
        open: bool,
    ) -> Result<Vec<StoredBatch>, LogError> {
        loop {
            match partition.place(batches, open) {
                Ok(Placed { batches, hungry }) => {
                    if hungry {
                        self.ticker.reserve(partition);
                    }
                    return Ok(batches);
                }
                Err(NotPlaced::Removed) => return Err(LogError::UnknownTopic(partition.place.to_string())),
                Err(NotPlaced::Exhausted { wanted, batches: back }) => {
                    batches = back;
                    self.reserve(partition, wanted)?;
                }
            }
        }
    }

    /// Reserves offsets up to `wanted` and some more. Synced, whatever the policy: once an offset was seen, it must
    /// never name anything else.
    fn reserve(&self, partition: &Arc<Partition>, wanted: Offset) -> Result<(), LogError> {
        let _one = self.reserving.lock().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        let ceiling = {
            let mut state = partition.lock();
            if state.ceiling >= wanted {
                return Ok(());
            }
            state.next_ceiling(wanted)
        };
        self.write_ceilings(&[(Arc::clone(partition), ceiling)])
    }

    /// Reserves offsets for partitions before they run out.
    pub(crate) fn reserve_ahead(&self, partitions: &[Arc<Partition>]) -> Result<(), LogError> {
        let _one = self.reserving.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = |partition: &Arc<Partition>| {
            let ceiling = partition.lock().ceiling_ahead()?;
            Some((Arc::clone(partition), ceiling))
        };
        self.write_ceilings(&partitions.iter().filter_map(ahead).collect::<Vec<_>>())
    }

    fn write_ceilings(&self, ceilings: &[(Arc<Partition>, Offset)]) -> Result<(), LogError> {
        let mut unit = Unit::default();
        for (partition, ceiling) in ceilings {
            let key = keys::of_partition(Space::Reserved, partition.id);
            unit.keys.push((key.to_vec(), Some(keys::number(*ceiling).to_vec())));
        }
        self.commit(unit)?;
        self.store.sync()?;
        for (partition, ceiling) in ceilings {
            partition.lock().raise_ceiling(*ceiling);
        }
        Ok(())
    }

    /// Ends everything that writes, and leaves the log without gaps in its offsets. Called once, after the log's
    /// threads have ended.
    pub(crate) fn close(&self) -> Result<(), LogError> {
        self.drain()?;
        let mut unit = Unit::default();
        for partition in self.topics().partitions() {
            let mut state = partition.lock();
            // From here on the partition gives no offset away.
            if state.next < state.ceiling {
                state.ceiling = state.next;
                let key = keys::of_partition(Space::Reserved, partition.id);
                unit.keys.push((key.to_vec(), Some(keys::number(state.next).to_vec())));
            }
        }
        self.commit(unit)?;
        self.store.sync()
    }

    /// Wakes every reader that waits.
    pub(crate) fn wake_readers(&self) {
        for partition in self.topics().partitions() {
            partition.lock().wake();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("info", &self.info).finish_non_exhaustive()
    }
}
