//! librdkafka's log lines, as `tracing` events of the target `millstream::kafka`.
//!
//! A broker that is down would fill the log: of each kind of line only a few pass in a while, and the first that passes
//! afterwards says how many did not. librdkafka leaves secrets out of its lines.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of one kind that pass in a window.
const LINES_MAX: u32 = 5;
const WINDOW: Duration = Duration::from_secs(10);

/// A kind of line, and what passed of it.
#[derive(Debug)]
struct Window {
    began: Instant,
    passed: u32,
    held_back: u32,
}

static WINDOWS: Mutex<BTreeMap<String, Window>> = Mutex::new(BTreeMap::new());

/// Passes a line on. `level` is syslog's.
pub(super) fn record(client: &str, level: i32, facility: &str, line: &str) {
    let Some(held_back) = pass(facility, Instant::now()) else { return };
    // What librdkafka calls an error it mostly mends itself: nobody has to act before a call of ours fails.
    match level {
        ..=4 => tracing::warn!(target: "millstream::kafka", client, facility, held_back, "{line}"),
        5 => tracing::info!(target: "millstream::kafka", client, facility, held_back, "{line}"),
        _ => tracing::debug!(target: "millstream::kafka", client, facility, held_back, "{line}"),
    }
}

/// Whether a line may pass, and how many of its kind did not before it.
fn pass(facility: &str, now: Instant) -> Option<u32> {
    let mut windows = WINDOWS.lock().unwrap_or_else(PoisonError::into_inner);
    if !windows.contains_key(facility) {
        windows.insert(facility.to_owned(), Window { began: now, passed: 0, held_back: 0 });
    }
    let window = windows.get_mut(facility)?;
    if now.duration_since(window.began) >= WINDOW {
        (window.began, window.passed) = (now, 0);
    }
    if window.passed == LINES_MAX {
        window.held_back += 1;
        return None;
    }
    window.passed += 1;
    Some(std::mem::take(&mut window.held_back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_held_back_and_counted() {
        let start = Instant::now();
        let passed = (0..100).filter(|_| pass("test-flood", start).is_some()).count();
        assert_eq!(passed, LINES_MAX as usize);
        assert_eq!(pass("test-other", start), Some(0));
        assert_eq!(pass("test-flood", start + WINDOW), Some(95));
        assert_eq!(pass("test-flood", start + WINDOW), Some(0));
    }
}
