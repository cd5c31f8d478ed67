//! Keeping the worker's state within the memory budget.

use super::Worker;
use super::ownership::Held;
use crate::error::JobError;
use crate::plan::TaskId;
use crate::task::Task;

/// Steps between two looks at how much the tasks hold.
const STEPS_BETWEEN_LOOKS: u32 = 16;

impl Worker {
    fn state_bytes(&self) -> usize {
        let bytes = |held: &Held| match held {
            Held::Running(task) => task.memory_bytes() + task.pending_bytes(),
            _ => 0,
        };
        self.held.values().map(bytes).sum()
    }

    /// Whether the tasks hold so much more than after the last commit that they have to commit now.
    pub(super) fn has_outgrown_memory(&mut self) -> bool {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            let bytes = self.state_bytes();
            self.share.hold(bytes);
        }
        self.share.has_outgrown()
    }

    /// Right after a commit: lets go of state that is too much, of what frees most first. Checkpoints come before live
    /// values: they have to be written some time, live values have to be read back.
    pub(super) fn relieve_memory(&mut self) -> Result<(), JobError> {
        let bytes = self.state_bytes();
        let mut excess = self.share.excess_after_commit(bytes);
        if excess == 0 {
            return Ok(());
        }
        for id in self.idle_tasks_by(Task::pending_bytes) {
            if let (true, Some(Held::Running(task))) = (excess > 0, self.held.get_mut(&id)) {
                excess = excess.saturating_sub(task.pending_bytes());
                task.checkpoint()?;
                self.counts.checkpoints += 1;
            }
        }
        for id in self.idle_tasks_by(Task::memory_bytes) {
            if let (true, Some(Held::Running(task))) = (excess > 0, self.held.get_mut(&id)) {
                excess = excess.saturating_sub(task.memory_bytes());
                task.evict()?;
                self.counts.evictions += 1;
            }
        }
        let bytes = self.state_bytes();
        self.share.excess_after_commit(bytes);
        Ok(())
    }

    /// The tasks between two commits that hold any of this, those with the most first.
    fn idle_tasks_by(&self, bytes: impl Fn(&Task) -> usize) -> Vec<TaskId> {
        let tasks = self.held.iter().filter_map(|(id, held)| match held {
            Held::Running(task) if !task.is_dirty() && bytes(task) > 0 => Some((bytes(task), *id)),
            _ => None,
        });
        let mut tasks: Vec<(usize, TaskId)> = tasks.collect();
        tasks.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        tasks.into_iter().map(|(_, id)| id).collect()
    }
}
