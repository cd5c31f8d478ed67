//! One budget for the memory of a process, and how it is shared.
//!
//! [`MemoryPlan`] divides the budget once, when a job starts: so much for the process itself, for records on their way in
//! and out, for what RocksDB caches and buffers, and the rest for state that operators hold ([`StateBudget`]): live values
//! and committed changes that no checkpoint has yet. The rule: after a commit a worker looks whether all workers together
//! hold more than that, and lets go of its own until they do not: first it checkpoints, then it drops live values, which
//! are read back when they are needed. One that outgrows the budget between commits commits early.
//!
//! The parts are estimates, and what is outside of them is not known beforehand: clients, a database for each task, holes
//! between what the allocator gave out. So [`MemoryWatch`] compares the whole with what the system says the process holds,
//! and makes the state's part smaller by what is too much; where that is not enough, it says what is outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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
    /// What of the limit the rest of the process leaves.
    left: AtomicUsize,
    held: AtomicUsize,
    workers: usize,
}

impl StateBudget {
    /// A budget of `limit` bytes for this many workers.
    pub fn new(limit: usize, workers: usize) -> Arc<Self> {
        let (left, held) = (AtomicUsize::new(limit), AtomicUsize::new(0));
        Arc::new(StateBudget { limit, left, held, workers: workers.max(1) })
    }

    /// Leaves as much to state as a process that holds `process` bytes may hold more of `total`; says whether that is the
    /// least there can be.
    fn fit(&self, process: usize, total: usize) -> bool {
        let least = self.limit / LEAST_PART;
        let held = self.held.load(Ordering::Relaxed);
        let left = held.saturating_add(total).saturating_sub(process).clamp(least, self.limit);
        self.left.store(left, Ordering::Relaxed);
        left == least
    }

    fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
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
        let limit = self.budget.left();
        if all <= limit || bytes <= self.part() / 2 {
            return 0;
        }
        // Down to two thirds, so that not every commit has to let go of something.
        all - limit / 3 * 2
    }

    /// Whether it has grown so much since the last commit that the next one should not wait.
    pub(crate) fn has_outgrown(&self) -> bool {
        self.held > self.part() && self.held - self.held_after_commit.min(self.held) > self.part() / 8
    }

    fn part(&self) -> usize {
        self.budget.left() / self.budget.workers
    }
}

impl Drop for StateShare {
    fn drop(&mut self) {
        self.hold(0);
    }
}

/// How often a process looks at what it holds.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long it may hold too much until that is said.
const SAY_AFTER: Duration = Duration::from_secs(10);
/// The part of its budget that state has at least, whatever else there is: a fourth. With less it would be read back all
/// the time.
const LEAST_PART: usize = 4;

/// Keeps a process to its budget by what the system says it holds.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    total: usize,
    budget: Arc<StateBudget>,
    tasks: usize,
    looked: Option<Instant>,
    over_since: Option<Instant>,
    said: bool,
}

impl MemoryWatch {
    /// A watch over a process that should keep to `total` bytes and has some part of so many tasks.
    pub(crate) fn new(total: usize, budget: Arc<StateBudget>, tasks: usize) -> Self {
        let total = total.max(MEMORY_BYTES_MIN);
        MemoryWatch { total, budget, tasks, looked: None, over_since: None, said: false }
    }

    /// Looks, when it is time to.
    pub(crate) fn look(&mut self, now: Instant) {
        if self.looked.is_some_and(|looked| now < looked + LOOK_INTERVAL) {
            return;
        }
        self.looked = Some(now);
        if let Some(text) = own_bytes().and_then(|process| self.weigh(process, now)) {
            tracing::warn!("{text}");
        }
    }

    /// Takes in what the process holds. Once, and only where state can't be made any smaller, it says what is outside.
    fn weigh(&mut self, process: usize, now: Instant) -> Option<String> {
        let is_least = self.budget.fit(process, self.total);
        let is_over = is_least && process > self.total / 100 * 115;
        if !is_over {
            self.over_since = None;
            return None;
        }
        let since = *self.over_since.get_or_insert(now);
        if self.said || now < since + SAY_AFTER {
            return None;
        }
        self.said = true;
        let state = self.budget.held.load(Ordering::Relaxed);
        let mib = |bytes: usize| bytes >> 20;
        Some(format!(
            "this process holds {} MiB where millstream.memory is {} MiB, although state takes only {} MiB of it: \
             outside of the budget are the log's clients, buffers for {} tasks with a database each, and what the \
             program itself needs; raise millstream.memory, or share the tasks among more processes",
            mib(process),
            mib(self.total),
            mib(state),
            self.tasks
        ))
    }
}

/// Memory of its own that the process holds, files that are mapped left out; `None` where the system does not tell.
fn own_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    own_bytes_of(&status)
}

fn own_bytes_of(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_makes_room_for_what_the_rest_of_the_process_holds() {
        let total = 200 << 20;
        let budget = StateBudget::new(80 << 20, 1);
        let mut share = StateShare::new(Arc::clone(&budget));
        let mut watch = MemoryWatch::new(total, Arc::clone(&budget), 300);
        let start = Instant::now();
        assert_eq!(share.excess_after_commit(70 << 20), 0);
        // Thirty MiB too much: state has forty left, and goes down to two thirds of them.
        assert_eq!(watch.weigh(230 << 20, start), None);
        let excess = share.excess_after_commit(70 << 20);
        assert!((43 << 20..44 << 20).contains(&excess), "{excess}");
        // It has gone, and there is room again.
        assert_eq!(share.excess_after_commit(26 << 20), 0);
        assert_eq!(watch.weigh(186 << 20, start), None);
        assert_eq!(share.excess_after_commit(39 << 20), 0);
    }

    #[test]
    fn a_process_that_can_not_keep_to_its_budget_says_what_is_outside_of_it_once() {
        let total = 200 << 20;
        let budget = StateBudget::new(80 << 20, 1);
        let mut share = StateShare::new(Arc::clone(&budget));
        share.hold(15 << 20);
        let mut watch = MemoryWatch::new(total, budget, 300);
        let start = Instant::now();
        assert_eq!(watch.weigh(289 << 20, start), None, "it may be over in a moment");
        let said = watch.weigh(289 << 20, start + SAY_AFTER).expect("a word");
        for part in ["holds 289 MiB", "millstream.memory is 200 MiB", "only 15 MiB", "300 tasks"] {
            assert!(said.contains(part), "{part} is missing in {said}");
        }
        assert_eq!(watch.weigh(289 << 20, start + 3 * SAY_AFTER), None, "once");
        // A little more than the budget is within what estimates are good for.
        assert_eq!(watch.weigh(220 << 20, start + 4 * SAY_AFTER), None);
    }

    #[test]
    fn the_system_says_what_a_process_holds() {
        assert_eq!(own_bytes_of("Name:\tx\nRssAnon:\t  2048 kB\nRssFile:\t 9 kB\n"), Some(2 << 20));
        assert_eq!(own_bytes_of("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(own_bytes().is_some_and(|bytes| bytes > 1 << 20));
        }
    }

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
