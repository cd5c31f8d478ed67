//! What a worker is started with.

use crate::clock::Clock;
use crate::log::Log;
use crate::memory::StateBudget;
use crate::plan::JobPlan;
use crate::rules::Rules;
use crate::savepoint::OpenSavepoint;
use crate::snapshot::SnapshotStore;
use crate::states::StateStore;
use millstream_operators::BuildCx;
use std::sync::Arc;

/// What a job promises of the records it writes. Its state is exact either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarantee {
    /// Each is there once, for those who read committed records; it becomes visible with its commit.
    #[default]
    ExactlyOnce,
    /// Each is there at least once, as soon as it is written: before its commit, and again after a crash between the
    /// two.
    AtLeastOnce,
}

impl std::fmt::Display for Guarantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Guarantee::ExactlyOnce => "exactly-once",
            Guarantee::AtLeastOnce => "at-least-once",
        })
    }
}

/// How a worker works. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Longest time between two commits while there is something to send.
    pub commit_interval_ms: u64,
    /// Shortest time between two commits of a worker that has drained its input. Where commits are slow, the time is
    /// longer, so that they take no more than half of it.
    pub commit_interval_min_ms: u64,
    /// Longest time between two commits while only clocks move.
    pub commit_interval_idle_ms: u64,
    /// How often idleness and the end of bounded input are looked at.
    pub tick_interval_ms: u64,
    /// How often a worker looks whether its group has left tasks to nobody.
    pub heal_interval_ms: u64,
    /// Output that forces a commit.
    pub outbox_bytes_max: usize,
    /// What the client fetches ahead.
    pub fetch_bytes_max: usize,
    /// Read but unprocessed records of one partition; beyond, the partition is paused.
    pub queue_bytes_max: usize,
    /// What the state in memory may come to, with that of the other workers.
    pub state_budget: Arc<StateBudget>,
    /// Committed state without a checkpoint that forces one.
    pub checkpoint_bytes: usize,
    /// Commits without a checkpoint that force one: a bound on the entries a restore has to fold.
    pub checkpoint_commits: u64,
    /// Bytes of a task's journal entries since its last snapshot that bring the next, unless its state is more than eight
    /// times as large.
    pub snapshot_journal_bytes: u64,
    /// Objects of snapshots younger than this are not removed, whoever stored them.
    pub snapshot_keep_ms: u64,
    /// Whether the topics of tables are left alone, so that only what tasks have sent each other is processed: how a job
    /// comes to where a savepoint can be taken.
    pub hold_tables: bool,
    /// Records a worker steps over in a second at most; no limit when it is not given.
    pub records_per_second: Option<u64>,
    /// What is promised of the records written.
    pub guarantee: Guarantee,
    /// Rules of the protocol; all on, except in control runs of tests.
    pub rules: Rules,
    /// What operators are built with.
    pub build: BuildCx,
    /// Whether hot state is dropped after every commit; for tests.
    pub evict_after_commit: bool,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        WorkerSettings {
            commit_interval_ms: 100,
            commit_interval_min_ms: 10,
            commit_interval_idle_ms: 1_000,
            tick_interval_ms: 100,
            heal_interval_ms: 5_000,
            outbox_bytes_max: 16 << 20,
            fetch_bytes_max: 32 << 20,
            queue_bytes_max: 4 << 20,
            state_budget: StateBudget::unlimited(),
            checkpoint_bytes: 64 << 20,
            checkpoint_commits: 10_000,
            snapshot_journal_bytes: 64 << 20,
            snapshot_keep_ms: 3_600_000,
            hold_tables: false,
            records_per_second: None,
            guarantee: Guarantee::default(),
            rules: Rules::default(),
            build: BuildCx::default(),
            evict_after_commit: false,
        }
    }
}

/// What a worker is made from.
#[derive(Clone)]
pub struct WorkerContext {
    /// The job's plan.
    pub plan: Arc<JobPlan>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// Where state is kept.
    pub states: Arc<dyn StateStore>,
    /// Where snapshots are kept; without one nothing is purged.
    pub snapshots: Option<Arc<dyn SnapshotStore>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Name of the worker over restarts: its transactional id and its instance in the group.
    pub name: String,
    /// Session timeout of its membership.
    pub session_timeout_ms: u64,
    /// After how long the log aborts its open transaction.
    pub transaction_timeout_ms: u64,
    /// The number an incarnation gets, should this job turn out to be new.
    pub nonce: u128,
    /// The savepoint it is started from then.
    pub from: Option<Arc<OpenSavepoint>>,
    /// Settings.
    pub settings: WorkerSettings,
}

impl std::fmt::Debug for WorkerContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerContext").field("name", &self.name).finish_non_exhaustive()
    }
}
