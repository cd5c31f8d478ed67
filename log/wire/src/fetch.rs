//! Reading partitions by hand.
//!
//! A [`Fetcher`] is told what to read and from where ([`Fetcher::assign`]) and asked for batches ([`Fetcher::poll`]). In
//! between, tasks on its I/O thread keep a bounded queue per partition filled: one task per leader with a fetch session
//! and one request under way, and one task that finds leaders.
//!
//! ```text
//! assign, pause --> State (one lock) <-- director task: leaders, epochs
//!      poll <------ queues           <-- one task per leader:
//!                                          new epoch  -> OffsetForLeaderEpoch -> cut? report it
//!                                          room       -> Fetch                -> queue, next offset, ends
//!                                          not there  -> ListOffsets          -> report what there is
//! ```
//!
//! What is fetched is looked through only as far as the heads of batches on the I/O thread; checksums, decompression and
//! the walk over records happen in `poll`, on the caller's thread, from the buffer that the answer was read into.
//!
//! Rules: a position never moves past records that were not handed out, unless they can't be seen (aborted, markers). A
//! log that was cut below what was read is reported, never read again. What is queued and asked for stays within
//! [`FetchOptions::queue_bytes_max`], but for one batch per leader, which brokers answer whatever its size.

mod answer;
mod broker;
mod director;
mod session;
mod state;

pub use crate::Place;
use crate::batch::{AbortedTransactions, BatchError, Batches, Body, Decompressor};
use crate::cluster::Cluster;
use crate::{Code, Config, IoThread, WireError};
use state::{Inner, State};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What a [`Fetcher`] reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOptions {
    /// Whether records of open and aborted transactions are left out.
    pub read_committed: bool,
    /// Bytes, as they come from brokers, that may be queued and asked for.
    pub queue_bytes_max: usize,
    /// Bytes that one batch may have when it is decompressed.
    pub batch_bytes_max: usize,
}

/// Where reading stands in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The next offset that may be handed out.
    pub position: i64,
    /// The end, as far as it can be seen: the last stable offset for who reads committed records.
    pub end: i64,
}

/// Why a partition can't be read any further. It stays so until it is assigned anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The position is not there: never was, was deleted, or was cut off under a new leader.
    #[error("offset {wanted} is not there: the partition holds {start} up to {end}")]
    OutOfRange {
        /// The position.
        wanted: i64,
        /// The first offset there is.
        start: i64,
        /// The end there is.
        end: i64,
    },
    /// The log was cut below the position: what was read is not what the cluster has now.
    #[error(
        "the log was cut to {end} under a new leader, below {wanted}, up to where it was read in epoch {epoch}; \
         records that were read are lost to the cluster"
    )]
    Cut {
        /// The position.
        wanted: i64,
        /// Where what was read ends now.
        end: i64,
        /// The epoch of the last batch that was read.
        epoch: i32,
    },
    /// The topic was deleted, and another made under its name.
    #[error("the topic was deleted and made anew while it was read; its offsets mean something else now")]
    MadeAnew,
    /// The cluster does not let it be read.
    #[error("{0}")]
    Refused(Code),
    /// What the broker has is damaged.
    #[error("{0}")]
    Damaged(BatchError),
}

/// Reads partitions. See the module's head.
#[derive(Debug)]
pub struct Fetcher {
    inner: Arc<Inner>,
    decompressor: Decompressor,
    /// Ends the tasks.
    _io: IoThread,
}

impl Fetcher {
    /// A fetcher that reads nothing yet, with a thread of its own.
    ///
    /// # Errors
    /// [`WireError::Config`]; [`WireError::Timeout`] where the system gives no thread.
    pub fn start(config: Config, options: &FetchOptions) -> Result<Fetcher, WireError> {
        let io = IoThread::start("wire-fetch").map_err(|error| WireError::Timeout {
            what: "a thread for reading".to_owned(),
            last: Some(error.to_string()),
        })?;
        let inner = Arc::new(Inner {
            cluster: Cluster::new(config)?,
            options: options.clone(),
            state: Mutex::new(State::default()),
            arrived: Condvar::new(),
            work: tokio::sync::Notify::new(),
        });
        io.spawn(director::run(Arc::clone(&inner)));
        Ok(Fetcher { inner, decompressor: Decompressor::with_limit(options.batch_bytes_max), _io: io })
    }

    /// The cluster it reads from.
    pub fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    /// Replaces what is read: partitions, and for each the offset to begin at. Partitions that were read before and stay
    /// go on where they stand.
    pub fn assign(&self, places: &[(Place, i64)]) {
        self.inner.state().assign(places);
        self.inner.work.notify_waiters();
    }

    /// Stops or resumes handing out a partition. What is queued of it stays.
    pub fn pause(&self, place: &Place, paused: bool) {
        if self.inner.state().pause(place, paused) {
            self.inner.work.notify_waiters();
        }
    }

    /// Where reading stands in a partition; `None` when it is not read, or its end is not known yet.
    pub fn status(&self, place: &Place) -> Option<Status> {
        let state = self.inner.state();
        let partition = state.partitions.get(place)?;
        let end =
            if self.inner.options.read_committed { partition.last_stable } else { partition.high_watermark };
        Some(Status { position: partition.position, end: end?.max(partition.position) })
    }

    /// A partition that can't be read any further, and why.
    pub fn failure(&self) -> Option<(Place, FetchError)> {
        let state = self.inner.state();
        let mut failed = state.partitions.iter();
        failed.find_map(|(place, it)| Some((place.clone(), it.failed.clone()?)))
    }

    /// Why the cluster could not be asked, the last time that it was.
    pub fn last_error(&self) -> Option<WireError> {
        self.inner.state().last_error.clone()
    }

    /// Waits up to `timeout` for batches and visits them in order: the partition, the position within it, the batch. Of
    /// the first batch of a partition, records before the position are to be left out. Stops between batches once
    /// `records_max` records were visited.
    ///
    /// Partitions that failed are left out; see [`Fetcher::failure`].
    pub fn poll(
        &mut self,
        timeout: Duration,
        records_max: usize,
        visit: &mut dyn FnMut(&Place, i64, &Body) -> Result<(), BatchError>,
    ) {
        let deadline = Instant::now() + timeout;
        let mut visited = 0;
        while visited < records_max {
            // What was visited goes on without waiting.
            let until = if visited == 0 { Some(deadline) } else { None };
            let Some(mut fetched) = self.inner.take(until) else { return };
            let walked = fetched.walk(&mut self.decompressor, records_max - visited, visit);
            visited += fetched.visited;
            self.inner.give_back(fetched, walked);
        }
    }
}

/// What a broker answered for one partition, and how far it was handed out.
#[derive(Debug)]
struct Fetched {
    place: Place,
    /// Which assignment of the partition it belongs to, and which run of requests since.
    life: u64,
    serial: u64,
    batches: Batches,
    aborted: AbortedTransactions,
    read_committed: bool,
    /// Bytes it counts for.
    bytes: usize,
    /// The next offset to hand out.
    position: i64,
    /// The offset after its last batch.
    end: i64,
    /// Records that the last walk visited.
    visited: usize,
}

impl Fetched {
    /// Visits batches until the end or until enough records were visited; says whether the end was reached.
    fn walk(
        &mut self,
        decompressor: &mut Decompressor,
        records_max: usize,
        visit: &mut dyn FnMut(&Place, i64, &Body) -> Result<(), BatchError>,
    ) -> Result<bool, BatchError> {
        self.visited = 0;
        while self.visited < records_max {
            let Some(batch) = self.batches.next_batch()? else {
                self.position = self.position.max(self.end);
                return Ok(true);
            };
            let header = *batch.header();
            // Asked about every batch: it keeps count of what is open.
            let is_seen = match self.read_committed {
                true => self.aborted.admits(&batch)?,
                false => !header.is_control,
            };
            if is_seen && header.last_offset >= self.position {
                visit(&self.place, self.position, &batch.open(decompressor)?)?;
                self.visited += usize::try_from(header.record_count).unwrap_or(0);
            }
            self.position = self.position.max(header.last_offset.saturating_add(1));
        }
        Ok(false)
    }
}
