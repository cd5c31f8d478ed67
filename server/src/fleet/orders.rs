//! What a job's attendant is told: the last word counts.

use crate::problem::Problem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To run.
    Running,
    /// Not to run for a while.
    Paused,
    /// Not to run.
    Stopped,
}

impl Wanted {
    pub(super) fn name(self) -> &'static str {
        match self {
            Wanted::Running => "running",
            Wanted::Paused => "paused",
            Wanted::Stopped => "stopped",
        }
    }
}

/// A job's text, or why there is none.
pub(super) type Text = Result<Arc<str>, Problem>;

/// What holds for a job now.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) text: Text,
    pub(super) wanted: Wanted,
    /// Rises with every change.
    pub(super) number: u64,
    /// How often it was asked to start anew.
    pub(super) starts: u64,
    /// Whether it is to end for good.
    pub(super) gone: bool,
}

#[derive(Debug)]
pub(super) struct Orders {
    now: Mutex<Order>,
    changed: Condvar,
}

impl Orders {
    pub(super) fn new(order: Order) -> Self {
        Orders { now: Mutex::new(order), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Order {
        self.lock().clone()
    }

    /// Changes what holds.
    pub(super) fn give(&self, change: impl FnOnce(&mut Order)) {
        let mut now = self.lock();
        change(&mut now);
        now.number += 1;
        self.changed.notify_all();
    }

    /// Waits until something else holds than at `number`, or the time has come.
    pub(super) fn wait(&self, number: u64, until: Option<Instant>) -> Order {
        let mut now = self.lock();
        while now.number == number {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            now = match left {
                None => self.changed.wait(now).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        now.clone()
    }
}
