//! One budget for the memory of a process, and how it is shared.
//!
//! [`MemoryPlan`] divides the budget once, when a job starts: so much for the process itself, for records on their way in
//! and out, for what RocksDB caches and buffers, and the rest for state that operators hold ([`StateBudget`]): live values
//! and committed changes that no checkpoint has yet. The rule: after a commit a worker looks whether all workers together
//! hold more than that, and lets go of its own until they do not: first it checkpoints, then it drops live values, which
//! are read back when they are needed. One that outgrows the budget between commits commits early.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Code, stacks, clients and the allocator's slack.
const PROCESS_BYTES: usize = 48 << 20;

/// The smallest budget that a process can keep.
pub const MEMORY_BYTES_MIN: usize = 128 << 20;

/// How a budget is divided. All in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPlan {
    /// What operators hold, over all workers.
    pub state: usize,
    /// RocksDB's cache, with what is written and not flushed in it.
    pub cache: usize,
    /// Of the cache: what is written and not flushed.
    pub write_buffers: usize,
    /// What an embedded log keeps in memory: its last records, and what is written and not flushed.
    pub log: usize,
    /// By worker: what a client has fetched ahead.
    pub fetched: usize,
    /// By worker and partition: what was read and waits for its task.
    pub queue: usize,
    /// By worker: output that waits for the next commit.
    pub outbox: usize,
}

impl MemoryPlan {
    /// Divides `total` bytes, of which there are at least [`MEMORY_BYTES_MIN`], among `workers`.
    pub fn new(total: usize, workers: usize) -> Self {
        let total = total.max(MEMORY_BYTES_MIN);
        let workers = workers.max(1);
        let fetched = (total / 16 / workers).clamp(1 << 20, 32 << 20);
        let queue = (total / 64 / workers).clamp(256 << 10, 4 << 20);
        let outbox = (total / 16 / workers).clamp(1 << 20, 16 << 20);
        let (cache, log) = (total / 4, (total / 8).min(192 << 20));
        // Twice the outbox: the client has its own copy of what is being sent.
        let flowing = workers * (fetched + 2 * queue + 2 * outbox);
        let state = total.saturating_sub(PROCESS_BYTES + cache + log + flowing).max(total / 8);
        MemoryPlan { state, cache, write_buffers: cache / 2, log, fetched, queue, outbox }
    }
}

/// What the state in the memory of all workers of a process may come to.
#[derive(Debug)]
pub struct StateBudget {
    limit: usize,
    held: AtomicUsize,
    workers: usize,
}

impl StateBudget {
    /// A budget of `limit` bytes for this many workers.
    pub fn new(limit: usize, workers: usize) -> Arc<Self> {
        Arc::new(StateBudget { limit, held: AtomicUsize::new(0), workers: workers.max(1) })
    }

    /// No limit.
    pub fn unlimited() -> Arc<Self> {
        Self::new(usize::MAX, 1)
    }
}

/// One worker's part in the budget. What it holds is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct StateShare {
    budget: Arc<StateBudget>,
    held: usize,
    /// What it held after the last commit.
    held_after_commit: usize,
}

impl StateShare {
    pub(crate) fn new(budget: Arc<StateBudget>) -> Self {
        StateShare { budget, held: 0, held_after_commit: 0 }
    }

    /// Notes what the worker holds now.
    pub(crate) fn hold(&mut self, bytes: usize) {
        // Wrapping: the sum of all differences is what all hold.
        self.budget.held.fetch_add(bytes.wrapping_sub(self.held), Ordering::Relaxed);
        self.held = bytes;
    }

    /// Notes what the worker holds after a commit, and returns how much of it should go.
    pub(crate) fn excess_after_commit(&mut self, bytes: usize) -> usize {
        self.hold(bytes);
        self.held_after_commit = bytes;
        let all = self.budget.held.load(Ordering::Relaxed);
        // Whoever holds less than its part leaves it to the others.
        if all <= self.budget.limit || bytes <= self.part() / 2 {
            return 0;
        }
        // Down to two thirds, so that not every commit has to let go of something.
        all - self.budget.limit / 3 * 2
    }

    /// Whether it has grown so much since the last commit that the next one should not wait.
    pub(crate) fn has_outgrown(&self) -> bool {
        self.held > self.part() && self.held - self.held_after_commit.min(self.held) > self.part() / 8
    }

    fn part(&self) -> usize {
        self.budget.limit / self.budget.workers
    }
}

impl Drop for StateShare {
    fn drop(&mut self) {
        self.hold(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_budget_fit_into_it() {
        for total in [128 << 20, 256 << 20, 1 << 30, 16 << 30] {
            for workers in [1, 2, 4] {
                let plan = MemoryPlan::new(total, workers);
                let flowing = workers * (plan.fetched + 2 * plan.queue + 2 * plan.outbox);
                let sum = PROCESS_BYTES + plan.cache + plan.log + flowing + plan.state;
                assert!(sum <= total + total / 8, "{total} among {workers}: {plan:?}");
            }
        }
    }

    #[test]
    fn whoever_holds_most_lets_go() {
        let budget = StateBudget::new(900, 3);
        let mut small = StateShare::new(Arc::clone(&budget));
        let mut large = StateShare::new(Arc::clone(&budget));
        assert_eq!(small.excess_after_commit(100), 0);
        assert_eq!(large.excess_after_commit(800), 0);
        assert_eq!(large.excess_after_commit(1_000), 500);
        assert_eq!(small.excess_after_commit(100), 0, "it is not the one");
        drop(large);
        assert_eq!(small.excess_after_commit(800), 0, "what a dropped worker held is free");
    }

    #[test]
    fn growth_between_commits_asks_for_a_commit() {
        let mut share = StateShare::new(StateBudget::new(800, 1));
        share.excess_after_commit(500);
        share.hold(790);
        assert!(!share.has_outgrown());
        share.hold(801);
        assert!(share.has_outgrown());
        share.excess_after_commit(801);
        assert!(!share.has_outgrown(), "a commit that could not free anything is not repeated at once");
    }
}
