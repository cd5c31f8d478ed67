//! The embedded log in a directory of its own, on a clock that only the test moves.

use super::{Feature, Target};
use millstream_log::Log;
use millstream_log::clock::Clock;
use millstream_log::clock::ManualClock;
use millstream_log::embedded::{EmbeddedClient, EmbeddedLog, EmbeddedOptions};
use std::sync::Arc;

struct Embedded {
    clock: Arc<ManualClock>,
    log: EmbeddedLog,
    // Removed after the log is closed.
    _dir: tempfile::TempDir,
}

fn embedded() -> Embedded {
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let dir = tempfile::tempdir().expect("a directory");
    let options = EmbeddedOptions { free_bytes_min: 0, ..EmbeddedOptions::default() };
    let shared = Arc::<ManualClock>::clone(&clock);
    let log = EmbeddedLog::open_with_clock(dir.path(), &options, shared).expect("a new log");
    Embedded { clock, log, _dir: dir }
}

pub(crate) fn target() -> Option<Box<dyn Target>> {
    Some(Box::new(embedded()))
}

/// The same log as another process reaches it: through its socket.
struct Remote {
    owner: Embedded,
    client: EmbeddedClient,
}

pub(crate) fn remote_target() -> Option<Box<dyn Target>> {
    let owner = embedded();
    let client = EmbeddedClient::connect(owner._dir.path()).expect("the owner serves");
    Some(Box::new(Remote { owner, client }))
}

impl Target for Remote {
    fn log(&self, _process: &str) -> Arc<dyn Log> {
        Arc::new(self.client.clone())
    }

    fn pass(&self, ms: u64) {
        self.owner.pass(ms);
    }

    fn now_ms(&self) -> i64 {
        self.owner.now_ms()
    }

    fn can(&self, feature: Feature) -> bool {
        self.owner.can(feature)
    }

    fn pause(&self, _process: &str, _paused: bool) {}

    fn kill(&self, _process: &str) {}
}

impl Target for Embedded {
    fn log(&self, _process: &str) -> Arc<dyn Log> {
        Arc::new(self.log.clone())
    }

    fn pass(&self, ms: u64) {
        self.clock.advance(ms);
        self.log.tick().expect("time passes");
    }

    fn now_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    fn can(&self, feature: Feature) -> bool {
        match feature {
            // All its clients are in the one process that owns it.
            Feature::Processes => false,
            // They never reach the disk.
            Feature::AbortedRecords => false,
        }
    }

    fn pause(&self, _process: &str, _paused: bool) {}

    fn kill(&self, _process: &str) {}
}
