//! The log in memory, on a clock that only the test moves.

use super::{Feature, Target};
use millstream_log::Log;
use millstream_log::clock::{Clock, ManualClock};
use millstream_log::memory::MemoryLog;
use std::sync::Arc;

struct Memory {
    clock: Arc<ManualClock>,
    log: MemoryLog,
}

pub(crate) fn target() -> Option<Box<dyn Target>> {
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let log = MemoryLog::new(Arc::<ManualClock>::clone(&clock));
    Some(Box::new(Memory { clock, log }))
}

impl Target for Memory {
    fn log(&self, process: &str) -> Arc<dyn Log> {
        Arc::new(self.log.process(process))
    }

    fn pass(&self, ms: u64) {
        self.clock.advance(ms);
        self.log.tick();
    }

    fn now_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    fn can(&self, _feature: Feature) -> bool {
        true
    }

    fn pause(&self, process: &str, paused: bool) {
        self.log.pause(process, paused);
    }

    fn kill(&self, process: &str) {
        self.log.kill(process);
    }
}
