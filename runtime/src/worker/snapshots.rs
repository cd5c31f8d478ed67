//! Snapshots of the worker's tasks: begun after a commit, stored beside processing, named by a later commit.

use super::Worker;
use super::ownership::Held;
use crate::error::JobError;
use crate::plan::TaskId;
use crate::savepoint::SavepointPart;
use crate::snapshot::SnapshotStore;
use crate::snapshot::cleanup::Cleanup;
use crate::snapshot::upload::{Upload, UploadOf};
use millstream_state::CheckpointMark;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Uploads under way: by ticket, the flag that ends one.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<u64, Arc<AtomicBool>>);

impl Drop for Uploads {
    fn drop(&mut self) {
        self.0.values().for_each(|cancelled| cancelled.store(true, Ordering::Relaxed));
    }
}

impl Worker {
    /// After a commit of these tasks: removes what the snapshots that it named have made superfluous, and begins those
    /// that are due.
    pub(super) fn snapshots_after_commit(&mut self, committed: &[TaskId]) -> Result<(), JobError> {
        let Some(store) = self.cx.snapshots.clone() else { return Ok(()) };
        for id in committed {
            self.remove_superfluous(*id, &store);
            if !self.stopping {
                self.begin_snapshot_if_due(*id, &store)?;
            }
        }
        Ok(())
    }

    fn remove_superfluous(&mut self, id: TaskId, store: &Arc<dyn SnapshotStore>) {
        let Some(Held::Running(task)) = self.held.get_mut(&id) else { return };
        let Some(removable) = task.track_mut().take_removable() else { return };
        self.counts.snapshots += 1;
        let behind_previous = self.cx.settings.rules.purge_behind_previous;
        let (plan, log) = (&self.cx.plan, &self.cx.log);
        self.snapshots.cleanup(Cleanup::new(plan, log, store, id, removable, behind_previous));
    }

    fn begin_snapshot_if_due(&mut self, id: TaskId, store: &Arc<dyn SnapshotStore>) -> Result<(), JobError> {
        let settings = &self.cx.settings;
        let Some(Held::Running(task)) = self.held.get_mut(&id) else { return Ok(()) };
        if !task.track().is_due(id, settings.snapshot_journal_bytes) {
            return Ok(());
        }
        // The files have to stand at a commit after everything that the last snapshot has.
        if task.committed_since_checkpoint() > 0 {
            task.checkpoint()?;
            self.counts.checkpoints += 1;
        }
        let of = UploadOf {
            identity: task.state().identity().clone(),
            exporter: task.state().exporter(),
            last: task.track().officials().last().cloned(),
            keep_ms: settings.snapshot_keep_ms,
        };
        let (ticket, cancelled) = self.snapshots.upload(Upload::new(Arc::clone(store), of));
        task.track_mut().begin(ticket);
        self.uploads.0.insert(ticket, cancelled);
        Ok(())
    }

    /// Every task as it stands on disk, for a savepoint. To be asked for right after the worker was found drained.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub fn savepoint_parts(&mut self) -> Result<Vec<SavepointPart>, JobError> {
        let mut parts = Vec::new();
        for (id, held) in &mut self.held {
            let Held::Running(task) = held else { continue };
            let chain = task.chain();
            let at_chain = |mark: CheckpointMark| (mark.number, mark.hash) == (chain.number, chain.hash);
            if !task.state().mark().is_some_and(at_chain) || task.pending_bytes() > 0 {
                task.checkpoint()?;
            }
            let (identity, exporter) = (task.state().identity().clone(), task.state().exporter());
            // Nothing in the store is relied on, and nothing of it is removed.
            let of = UploadOf { identity, exporter, last: None, keep_ms: u64::MAX };
            parts.push(SavepointPart { task: *id, chain, note: task.note(), of });
        }
        Ok(parts)
    }

    /// Whether a snapshot is being stored, or something removed.
    pub fn is_snapshotting(&self) -> bool {
        self.snapshots.is_busy() || !self.uploads.0.is_empty()
    }

    /// Moves snapshots on, and hands what is stored to its task, if that is still the one that began it. Says whether
    /// it did something.
    pub(super) fn drive_snapshots(&mut self) -> bool {
        let (result, busy) = self.snapshots.next();
        if let Some((ticket, offer)) = result {
            self.uploads.0.remove(&ticket);
            if let Some(task) = self.tasks_mut().find(|task| task.track().ticket() == Some(ticket)) {
                task.track_mut().end(offer.map(|offer| *offer));
            }
        }
        if !self.uploads.0.is_empty() {
            let wanted: Vec<u64> = self.tasks_mut().filter_map(|task| task.track().ticket()).collect();
            let unwanted = self.uploads.0.iter().filter(|(ticket, _)| !wanted.contains(ticket));
            unwanted.for_each(|(_, cancelled)| cancelled.store(true, Ordering::Relaxed));
        }
        busy
    }
}
