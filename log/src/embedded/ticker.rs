//! The log's own thread: does what is due and sleeps for as long as nothing is.
//!
//! There is no period. Whatever has to happen later says so: a write asks for a sync one interval on, a queued unit
//! for its writing, a partition for its next reservation or for retention, an open transaction for its time-out. An
//! idle log has no deadline, and its thread does not wake.

use super::engine::Shared;
use super::partition::Partition;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a unit may stay in the queue that nobody waits for.
const LINGER: Duration = Duration::from_millis(5);
/// How long after an append retention looks at the partition.
const RETAIN_AFTER: Duration = Duration::from_secs(1);
/// The shortest sleep before a time-out is looked at again: a clock of a test may stand still.
const CLOCK_STEP_MS: u64 = 10;

#[derive(Debug)]
pub(crate) struct Ticker {
    sync_interval: Duration,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether a sync is due already: spares a writer the lock.
    dirty: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    sync_at: Option<Instant>,
    linger_at: Option<Instant>,
    retain_at: Option<Instant>,
    retain: Vec<Arc<Partition>>,
    hungry: Vec<Arc<Partition>>,
    /// A reading of the log's clock at which sessions or transactions may have timed out.
    timeout_at_ms: Option<u64>,
    stop: bool,
}

/// What is due.
#[derive(Debug, Default)]
struct Due {
    sync: bool,
    linger: bool,
    timeouts: bool,
    retain: Vec<Arc<Partition>>,
    hungry: Vec<Arc<Partition>>,
}

impl Ticker {
    pub(crate) fn new(sync_interval: Duration) -> Self {
        let state = Mutex::default();
        Ticker { sync_interval, state, changed: Condvar::new(), dirty: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was written that is to be synced within the interval.
    pub(crate) fn written(&self) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            self.lock().sync_at = Some(Instant::now() + self.sync_interval);
            self.changed.notify_one();
        }
    }

    /// Something is queued that nobody waits for.
    pub(crate) fn linger(&self) {
        let mut state = self.lock();
        if state.linger_at.is_none() {
            state.linger_at = Some(Instant::now() + LINGER);
            self.changed.notify_one();
        }
    }

    /// A partition will soon need more offsets.
    pub(crate) fn reserve(&self, partition: &Arc<Partition>) {
        self.lock().hungry.push(Arc::clone(partition));
        self.changed.notify_one();
    }

    /// A partition with limits has grown.
    pub(crate) fn retain(&self, partition: &Arc<Partition>) {
        if partition.retention_due.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut state = self.lock();
        state.retain.push(Arc::clone(partition));
        if state.retain_at.is_none() {
            state.retain_at = Some(Instant::now() + RETAIN_AFTER);
            self.changed.notify_one();
        }
    }

    /// Something may time out at a reading of the log's clock.
    pub(crate) fn timeout_at(&self, at_ms: u64) {
        let mut state = self.lock();
        if state.timeout_at_ms.is_none_or(|before| at_ms < before) {
            state.timeout_at_ms = Some(at_ms);
            self.changed.notify_one();
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_one();
    }

    /// Sleeps until something is due; `None` when the thread has to end.
    fn next(&self, now_ms: impl Fn() -> u64) -> Option<Due> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            let due = self.take_due(&mut state, now_ms());
            if due.is_some() {
                return due;
            }
            let until_timeout = state.timeout_at_ms.map(|at_ms| {
                Instant::now() + Duration::from_millis(at_ms.saturating_sub(now_ms()).max(CLOCK_STEP_MS))
            });
            let deadlines = [state.sync_at, state.linger_at, state.retain_at, until_timeout];
            state = match deadlines.into_iter().flatten().min() {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let sleep = deadline.saturating_duration_since(Instant::now());
                    let woken = self.changed.wait_timeout(state, sleep);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn take_due(&self, state: &mut State, now_ms: u64) -> Option<Due> {
        let now = Instant::now();
        let take = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        let mut due = Due {
            sync: take(&mut state.sync_at),
            linger: take(&mut state.linger_at),
            timeouts: state.timeout_at_ms.take_if(|at_ms| *at_ms <= now_ms).is_some(),
            retain: Vec::new(),
            hungry: std::mem::take(&mut state.hungry),
        };
        if take(&mut state.retain_at) {
            due.retain = std::mem::take(&mut state.retain);
        }
        if due.sync {
            // Before the sync: a write that comes during it asks for the next one.
            self.dirty.store(false, Ordering::Release);
        }
        let something = due.sync || due.linger || due.timeouts;
        (something || !due.retain.is_empty() || !due.hungry.is_empty()).then_some(due)
    }
}

/// What the thread runs.
pub(crate) fn run(shared: &Arc<Shared>) {
    while let Some(due) = shared.ticker.next(|| shared.clock.monotonic_ms()) {
        // An error here has ended the store; every caller learns of it there.
        let _ = work(shared, due);
        shared.clean();
    }
}

fn work(shared: &Arc<Shared>, due: Due) -> Result<(), crate::LogError> {
    if due.timeouts {
        shared.time_out();
    }
    if due.linger {
        shared.send_gathered();
        shared.drain()?;
    }
    if !due.hungry.is_empty() {
        shared.reserve_ahead(&due.hungry)?;
    } else if due.sync {
        shared.store.sync()?;
    }
    for partition in due.retain {
        partition.retention_due.store(false, Ordering::Release);
        shared.retain(&partition)?;
        shared.compact_later(&partition);
    }
    Ok(())
}
