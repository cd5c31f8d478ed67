//! What a run of seeds is like: which attacks there are, and how often.

use millstream_runtime::Rules;
use millstream_runtime::worker::Guarantee;

/// What a run of seeds is like.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) rules: Rules,
    pub(crate) guarantee: Guarantee,
    /// Input records of a run.
    pub(crate) records: u64,
    /// Events before everything is set right.
    pub(crate) events: u64,
    /// A process is killed, paused, and so on once in so many events; 0 never.
    pub(crate) kill: u64,
    pub(crate) pause: u64,
    /// Longest pause, milliseconds.
    pub(crate) pause_ms_max: u64,
    pub(crate) stop: u64,
    pub(crate) twin: u64,
    /// Partitions are added to the input once in so many events; 0 never.
    pub(crate) grow: u64,
    pub(crate) stale_disk: u64,
    pub(crate) lose_disk: u64,
    /// A request goes wrong once in so many; 0 never.
    pub(crate) fault: u64,
    pub(crate) late_markers: bool,
    /// A delayed request arrives once in so many of the events that may deliver one.
    pub(crate) late: u64,
    /// Whether snapshots are taken, and journals purged behind them.
    pub(crate) snapshots: bool,
    /// Bytes of journal that bring a snapshot, at most.
    pub(crate) snapshot_bytes: u64,
    /// The newest official snapshot of a task gets lost once in so many events; 0 never.
    pub(crate) lose_snapshot: u64,
    /// Somebody removes the records of a journal after the attack.
    pub(crate) cut_journal: bool,
    /// Whether the job is kept as a savepoint after the attack, and another goes on from it under the next.
    pub(crate) savepoint: bool,
    /// Whether it waits until nothing lies between the tasks; off only to show that it has to.
    pub(crate) drain: bool,
    /// Times out after so long, milliseconds.
    pub(crate) session_timeout_ms: u64,
    pub(crate) transaction_timeout_ms: u64,
}

impl Profile {
    pub(crate) fn chaos() -> Self {
        Profile {
            rules: Rules::default(),
            guarantee: Guarantee::ExactlyOnce,
            records: 120,
            events: 2_500,
            kill: 250,
            pause: 200,
            pause_ms_max: 3_000,
            stop: 400,
            twin: 600,
            grow: 0,
            stale_disk: 4,
            lose_disk: 4,
            fault: 8,
            late_markers: true,
            late: 4,
            snapshots: true,
            snapshot_bytes: 1_500,
            lose_snapshot: 200,
            cut_journal: false,
            savepoint: false,
            drain: true,
            session_timeout_ms: 600,
            transaction_timeout_ms: 1_000,
        }
    }

    /// How often workers look for partitions that were added, milliseconds.
    pub(crate) fn discovery_interval_ms(&self) -> Option<u64> {
        (self.grow > 0).then_some(50)
    }

    /// Many snapshots: longer runs with more commits between the attacks.
    pub(crate) fn purged() -> Self {
        Profile {
            records: 500,
            events: 8_000,
            kill: 500,
            pause: 400,
            stop: 2_000,
            twin: 2_000,
            fault: 40,
            lose_disk: 2,
            snapshot_bytes: 200,
            lose_snapshot: 50,
            ..Self::chaos()
        }
    }

    pub(crate) fn quiet() -> Self {
        Profile {
            lose_snapshot: 0,
            kill: 0,
            pause: 0,
            stop: 0,
            twin: 0,
            fault: 0,
            late_markers: false,
            ..Self::chaos()
        }
    }
}
