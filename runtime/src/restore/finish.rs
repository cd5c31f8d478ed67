//! The end of a take-over: what was read is held against what the group committed, and against what the inputs have.

use super::reading::Reading;
use super::{Found, Restore, Restored, parse_commit_metadata};
use crate::control::{ControlError, ControlRecord};
use crate::error::JobError;
use crate::journal::InputMark;
use crate::log::{CommittedOffset, Isolation, OffsetQuery};
use crate::plan::TaskId;
use crate::snapshot::Track;
use crate::task::{ResumePoint, Task};
use crate::watch::{check_inputs, replaced};
use millstream_operators::{InputFrom, Offset, TopicPartition};
use tracing::warn;

impl Restore {
    pub(super) fn finish(&mut self, reading: Reading) -> Result<Box<Restored>, JobError> {
        let Reading { found, mut resume, state, track, folded_bytes, .. } = reading;
        let Found { committed, control, control_is_new, .. } = found;
        if self.cx.rules.compare_with_group {
            self.compare(&resume, committed.as_ref())?;
        }
        if self.task == TaskId::FIRST && self.control.is_none() && !resume.is_new {
            let (job, topic) = (self.cx.plan.job().to_owned(), self.cx.plan.control_topic());
            return Err(JobError::ControlMissing { job, topic });
        }
        if !self.cx.rules.positions_from_journal {
            self.take_group_positions(&mut resume.inputs)?;
        }
        self.check_all_are_read(&resume.inputs)?;
        let (begin, ends) = (|place: &TopicPartition| control.begin(place), self.ends(&control));
        let mut task = Task::open(&self.cx.plan, self.task, state, resume, &begin, &ends, &self.cx.build)?;
        *task.track_mut() = match control.base(self.task).number {
            1.. if track.officials().is_empty() => Track::on_savepoint(),
            _ => Track::new(track.officials().to_vec(), folded_bytes),
        };
        self.check_inputs(&task, &control)?;
        let from_snapshot = self.progress.now().fetched.1 > 0;
        Ok(Box::new(Restored { task, control, control_is_new, from_snapshot }))
    }

    /// Refuses to forget where the task stands in an input that this plan does not read: the process has been started before
    /// another one that reads more.
    fn check_all_are_read(&self, marks: &[InputMark]) -> Result<(), JobError> {
        let part = self.cx.plan.part(self.task.sub_topology);
        let job = || self.cx.plan.job().to_owned();
        for mark in marks {
            let reads = part.inputs.iter().find_map(|input| match &input.from {
                InputFrom::Table { topic, partitions, .. } => (*topic == mark.topic).then_some(*partitions),
                InputFrom::Repartition(index) => {
                    (*self.cx.plan.repartition_topic(*index) == *mark.topic).then_some(u32::MAX)
                }
            });
            match reads {
                Some(partitions) if mark.partition < partitions => {}
                Some(_) => {
                    let (topic, partition) = (mark.topic.to_string(), mark.partition);
                    return Err(JobError::MorePartitions { job: job(), topic, partition });
                }
                None => return Err(ControlError::PlanMoved { job: job() }.into()),
            }
        }
        Ok(())
    }

    /// That the first task has a control record and no journal.
    pub(super) fn own_journal_lost(&self) -> JobError {
        let (job, control) = (self.cx.plan.job().to_owned(), self.cx.plan.control_topic());
        let topics = vec![format!("topic {}", self.journal().topic)];
        JobError::OwnTopicDeleted { job, topics, what: "is empty, so it was deleted and made anew", control }
    }

    /// Holds the end of the chain against what the group committed.
    fn compare(&self, resume: &ResumePoint, committed: Option<&CommittedOffset>) -> Result<(), JobError> {
        let chain = resume.chain;
        let contradiction = |committed: String| {
            let (journal, group) = (self.journal(), self.cx.plan.group().to_owned());
            let chain = format!("entry {}, offset {}", chain.number, resume.journal_next);
            Err(JobError::Contradiction { journal, group, chain, committed })
        };
        let Some(committed) = committed else {
            if !resume.is_new {
                warn!(task = %self.task, "the group has forgotten its committed offset: the journal decides");
            }
            return Ok(());
        };
        let Some((of, _)) = parse_commit_metadata(&committed.metadata) else {
            return contradiction(format!("offset {} without a mark of this job", committed.offset));
        };
        if of.number == chain.number && of.hash == chain.hash {
            return Ok(());
        }
        if of.number < chain.number && committed.offset < resume.journal_next {
            // A late copy of an older commit's offsets came after the newer ones.
            warn!(task = %self.task, of.number, "the group's committed offset is behind: the journal decides");
            return Ok(());
        }
        contradiction(format!("entry {}, offset {}", of.number, committed.offset))
    }

    fn take_group_positions(&mut self, inputs: &mut [InputMark]) -> Result<(), JobError> {
        for mark in inputs {
            if let Some(offset) = self.group_offset(&mark.place())? {
                mark.position = offset;
            }
        }
        Ok(())
    }

    /// Checks that the inputs are those that were read, and still reach back to where the task goes on.
    fn check_inputs(&mut self, task: &Task, control: &ControlRecord) -> Result<(), JobError> {
        let tables = task.inputs().iter().filter(|input| input.table().is_some());
        let mut tables: Vec<String> = tables.map(|input| input.place().topic.to_string()).collect();
        tables.dedup();
        let job = self.cx.plan.job();
        let read_of = |topic: &str| read_by_task(task, topic);
        if !self.cx.hold_tables {
            check_inputs(job, control, &tables, &mut *self.admin, &mut |topic, _| read_of(topic))?;
        }
        let is_held = |place: &TopicPartition| {
            self.cx.hold_tables && tables.iter().any(|table| **table == *place.topic)
        };
        for (place, position) in task.positions().filter(|(place, _)| !is_held(place)) {
            let places = std::slice::from_ref(place);
            let mut ask = |query| self.admin.offsets(places, query, Isolation::ReadUncommitted);
            let (start, end) = (ask(OffsetQuery::Earliest)?[0], ask(OffsetQuery::Latest)?[0]);
            if start > position.next && !position.ended {
                let (task, place, from) = (self.task.to_string(), place.clone(), position.next);
                return Err(JobError::DataLoss { task, place, from, start });
            }
            if end < position.next && tables.iter().any(|table| **table == *place.topic) {
                let read = read_of(&place.topic);
                return Err(replaced(job, &place.topic, None, read, &mut *self.admin));
            }
        }
        Ok(())
    }
}

/// What a task has read of a topic: by partition, the next offset.
pub(crate) fn read_by_task(task: &Task, topic: &str) -> Vec<(u32, Offset)> {
    let of_topic = task.positions().filter(|(place, _)| *place.topic == *topic);
    of_topic.map(|(place, position)| (place.partition, position.next)).collect()
}
