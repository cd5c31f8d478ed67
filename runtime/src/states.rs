//! Where the tasks of a process keep their state.

use crate::plan::TaskId;
use millstream_state::{Import, MemoryDisk, RocksSettings, StateError, StateIdentity, TaskState};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Opens the state of tasks.
pub trait StateStore: Send + Sync {
    /// Opens the state of a task, making it when it is not there.
    ///
    /// # Errors
    /// As [`TaskState::open`].
    fn open(&self, task: TaskId, identity: &StateIdentity) -> Result<TaskState, StateError>;

    /// Begins to replace the state of a task, which nobody may have open, by that of a snapshot.
    ///
    /// # Errors
    /// [`StateError::Io`].
    fn import(&self, task: TaskId) -> Result<Import, StateError>;
}

/// A directory with one RocksDB per task.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    settings: RocksSettings,
}

impl StateDirectory {
    /// State below `path`.
    pub fn new(path: PathBuf, settings: RocksSettings) -> Self {
        StateDirectory { path, settings }
    }
}

impl StateStore for StateDirectory {
    fn open(&self, task: TaskId, identity: &StateIdentity) -> Result<TaskState, StateError> {
        TaskState::open(&self.path.join(format!("task-{task}")), identity, &self.settings)
    }

    fn import(&self, task: TaskId) -> Result<Import, StateError> {
        Import::into_directory(&self.path.join(format!("task-{task}")))
    }
}

/// State in memory that outlives the tasks, for tests: what a machine's disk is to its processes.
#[derive(Debug, Default)]
pub struct MemoryStates {
    disks: Mutex<BTreeMap<TaskId, MemoryDisk>>,
}

impl MemoryStates {
    /// The disk of a task.
    pub fn disk(&self, task: TaskId) -> MemoryDisk {
        self.disks.lock().unwrap_or_else(PoisonError::into_inner).entry(task).or_default().clone()
    }

    /// Every disk there is.
    pub fn disks(&self) -> Vec<(TaskId, MemoryDisk)> {
        let disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        disks.iter().map(|(task, disk)| (*task, disk.clone())).collect()
    }
}

impl StateStore for MemoryStates {
    fn open(&self, task: TaskId, identity: &StateIdentity) -> Result<TaskState, StateError> {
        TaskState::open_memory(&self.disk(task), identity)
    }

    fn import(&self, task: TaskId) -> Result<Import, StateError> {
        Ok(Import::into_memory(&self.disk(task)))
    }
}
