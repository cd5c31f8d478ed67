//! Time comes in through here and nowhere else.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The two readings the engine needs.
pub trait Clock: Send + Sync {
    /// Milliseconds since some moment; never goes back. For intervals and timeouts.
    fn monotonic_ms(&self) -> u64;

    /// Milliseconds since 1970. May jump.
    fn wall_ms(&self) -> i64;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn monotonic_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn wall_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }
}

/// A clock that a test moves.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `wall_ms`, milliseconds since 1970.
    pub fn at(wall_ms: i64) -> Self {
        ManualClock { now_ms: AtomicI64::new(wall_ms) }
    }

    /// Lets time pass.
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms as i64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn monotonic_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst) as u64
    }

    fn wall_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}
