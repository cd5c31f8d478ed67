//! Removing what a new official snapshot has made superfluous: journal entries and repartition records before the one
//! *before* it, and objects that neither of the two names.
//!
//! The log checks nobody's generation when records are removed, so this trails: what a former owner removes, however
//! late, lies behind a snapshot that was the last but one when it still owned the task, and is even less needed now.

use super::store::{SnapshotStore, StoreError};
use super::{Removable, places};
use crate::error::JobError;
use crate::journal::Assembler;
use crate::log::{Isolation, Log, LogError, Offset, OffsetQuery, ReaderOptions, TopicPartition};
use crate::plan::{JobPlan, TaskId};
use millstream_operators::InputFrom;
use std::sync::Arc;
use std::time::Duration;

/// Polls in vain after which a journal's first entry counts as out of sight.
const POLLS_MAX: usize = 20;

/// A clean-up under way.
pub(crate) struct Cleanup {
    plan: Arc<JobPlan>,
    log: Arc<dyn Log>,
    store: Arc<dyn SnapshotStore>,
    task: TaskId,
    removable: Removable,
    behind_previous: bool,
    stage: u32,
}

/// Why something was not removed. The next clean-up will try it again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanupError {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LogError> for CleanupError {
    fn from(error: LogError) -> Self {
        CleanupError::Job(error.into())
    }
}

impl CleanupError {
    pub(crate) fn is_retriable(&self) -> bool {
        match self {
            CleanupError::Job(JobError::Log(error)) => error.is_retriable(),
            CleanupError::Job(_) => false,
            CleanupError::Store(error) => matches!(error, StoreError::Unavailable { .. }),
        }
    }
}

impl Cleanup {
    /// `behind_previous` is [`crate::Rules::purge_behind_previous`].
    pub(crate) fn new(
        plan: &Arc<JobPlan>,
        log: &Arc<dyn Log>,
        store: &Arc<dyn SnapshotStore>,
        task: TaskId,
        removable: Removable,
        behind_previous: bool,
    ) -> Self {
        let (plan, log, store) = (Arc::clone(plan), Arc::clone(log), Arc::clone(store));
        Cleanup { plan, log, store, task, removable, behind_previous, stage: 0 }
    }

    pub(crate) fn task(&self) -> TaskId {
        self.task
    }

    /// Does a bounded piece of work; `true` when all is done.
    pub(crate) fn turn(&mut self) -> Result<bool, CleanupError> {
        match self.stage {
            0 => self.purge_journal()?,
            1 => self.purge_repartitions()?,
            2 => self.store.remove(&self.removable.objects)?,
            _ => return Ok(true),
        }
        self.stage += 1;
        Ok(false)
    }

    /// The snapshot that nothing is needed before.
    fn behind(&self) -> Option<&super::SnapshotRef> {
        if self.behind_previous { self.removable.previous.as_ref() } else { Some(&self.removable.newest) }
    }

    fn purge_journal(&self) -> Result<(), CleanupError> {
        let Some(behind) = self.behind() else { return Ok(()) };
        let journal = journal_of(&self.plan, self.task);
        self.purge(&[(journal, behind.journal_offset)])
    }

    fn purge_repartitions(&self) -> Result<(), CleanupError> {
        let Some(behind) = self.behind() else { return Ok(()) };
        let mut before = Vec::new();
        for (place, mut offset) in places(&behind.inputs) {
            let Some(readers) = self.other_readers(&place) else { continue };
            for reader in readers {
                offset = offset.min(self.needed_by(reader, &place)?);
            }
            before.push((place, offset));
        }
        self.purge(&before)
    }

    /// Removes records, where there are some.
    fn purge(&self, before: &[(TopicPartition, Offset)]) -> Result<(), CleanupError> {
        let mut admin = self.log.admin()?;
        for (place, offset) in before {
            let places = std::slice::from_ref(place);
            let start = admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadUncommitted)?[0];
            if start < *offset {
                admin.delete_records(&[(place.clone(), *offset)])?;
            }
        }
        Ok(())
    }

    /// The other tasks that read a partition; `None` when it is not of a repartition topic.
    fn other_readers(&self, place: &TopicPartition) -> Option<Vec<TaskId>> {
        let cut = self.plan.cut();
        let topic = |index: &usize| self.plan.repartition_topic(*index) == place.topic;
        let index = (0..cut.repartitions.len()).find(topic)?;
        let reads = |from: &InputFrom| matches!(from, InputFrom::Repartition(read) if *read == index);
        let parts = cut.parts.iter().filter(|part| part.inputs.iter().any(|input| reads(&input.from)));
        let task = |sub_topology| TaskId { sub_topology, partition: place.partition };
        Some(parts.map(|part| task(part.index)).filter(|task| *task != self.task).collect())
    }

    /// What another task may read of a partition yet: its journal begins at its last but one official snapshot, and the
    /// first entry says where it stood then.
    fn needed_by(&self, task: TaskId, place: &TopicPartition) -> Result<Offset, CleanupError> {
        let journal = journal_of(&self.plan, task);
        let places = std::slice::from_ref(&journal);
        let start = self.log.admin()?.offsets(places, OffsetQuery::Earliest, Isolation::ReadCommitted)?[0];
        let mut reader = self.log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        reader.assign(&[(journal.clone(), start)])?;
        let mut assembler = Assembler::from_anywhere(journal);
        for _ in 0..POLLS_MAX {
            let mut runs = Vec::new();
            reader.poll(Duration::from_millis(50), &mut runs)?;
            for record in runs.iter().flat_map(|run| run.records.iter()) {
                let found = assembler.push(record).map_err(JobError::from)?;
                if let Some(found) = found.filter(|found| found.entry.number > 1) {
                    let mut marks = found.entry.inputs.iter();
                    return Ok(marks.find(|mark| mark.place() == *place).map_or(0, |mark| mark.position));
                }
            }
        }
        // Nothing of it was purged: it may need everything.
        Ok(0)
    }
}

fn journal_of(plan: &JobPlan, task: TaskId) -> TopicPartition {
    TopicPartition::new(plan.journal_topic(task.sub_topology), task.partition)
}
