//! Waiting for something to happen without looking at the clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes one waiting thread. Costs one load while nobody waits.
///
/// To wait: [`Waker::prepare`], look whether there is something to do, and only then [`Waker::wait`]. What happens
/// in between is not missed.
#[derive(Debug, Default)]
pub(crate) struct Waker {
    waiting: AtomicBool,
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Waker {
    /// Says that this thread is about to wait.
    pub(crate) fn prepare(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.waiting.store(true, Ordering::SeqCst);
    }

    /// Waits until it is woken or `timeout` has passed.
    pub(crate) fn wait(&self, timeout: Duration) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(woken, timeout, |woken| !*woken));
        self.waiting.store(false, Ordering::SeqCst);
    }

    /// Ends a wait that was prepared and is not needed.
    pub(crate) fn cancel(&self) {
        self.waiting.store(false, Ordering::SeqCst);
    }

    /// Wakes whoever waits, or is about to.
    pub(crate) fn wake(&self) {
        if self.waiting.load(Ordering::SeqCst) {
            *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.changed.notify_all();
        }
    }
}
