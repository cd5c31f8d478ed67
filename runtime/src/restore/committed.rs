//! What a job has committed, as others can see it: its group's offsets, and its control topic.

use super::TURN_TIMEOUT;
use crate::control::{ControlRecord, StartedFrom, newest_start};
use crate::error::JobError;
use crate::journal::ChainEnd;
use crate::log::{
    Admin, CommittedOffset, Isolation, Log, LogError, OffsetQuery, ReaderOptions, TopicPartition,
};
use crate::plan::{JobPlan, TaskId};

/// What a commit writes beside the group's offset of its journal: number and hash of its entry, and whether the task
/// has read all its bounded input with it.
pub(crate) fn commit_metadata(chain: ChainEnd, finished: bool) -> String {
    let finished = if finished { FINISHED } else { "" };
    format!("{} {:032x}{finished}", chain.number, chain.hash)
}

const FINISHED: &str = " finished";

pub(crate) fn parse_commit_metadata(metadata: &str) -> Option<(ChainEnd, bool)> {
    let (chain, finished) = match metadata.strip_suffix(FINISHED) {
        Some(chain) => (chain, true),
        None => (metadata, false),
    };
    let (number, hash) = chain.split_once(' ')?;
    let chain = ChainEnd { number: number.parse().ok()?, hash: u128::from_str_radix(hash, 16).ok()? };
    Some((chain, finished))
}

/// Whether the last commits of these tasks say that they have read all their bounded input.
///
/// # Errors
/// [`LogError`] when the group can't be asked.
pub(crate) fn are_finished(
    admin: &mut dyn Admin,
    plan: &JobPlan,
    tasks: &[TaskId],
) -> Result<bool, LogError> {
    let journal = |task: &TaskId| TopicPartition::new(plan.journal_topic(task.sub_topology), task.partition);
    let journals: Vec<TopicPartition> = tasks.iter().map(journal).collect();
    let committed = admin.committed(plan.group(), &journals, Isolation::ReadUncommitted)?;
    let finished = |committed: &Option<CommittedOffset>| {
        let metadata = committed.as_ref().and_then(|committed| parse_commit_metadata(&committed.metadata));
        metadata.is_some_and(|(_, finished)| finished)
    };
    Ok(committed.iter().all(finished))
}

/// The job's control record, from a topic that holds still: read up to its true end.
///
/// # Errors
/// [`LogError::NotReady`] while an open transaction hides its end.
pub(crate) fn read_control(
    log: &dyn Log,
    admin: &mut dyn Admin,
    plan: &JobPlan,
) -> Result<Option<ControlRecord>, JobError> {
    read_control_topic(log, admin, &plan.control_topic()).map(|(control, _)| control)
}

/// The same, with what the job is being started from.
///
/// # Errors
/// As [`read_control`].
pub(crate) fn read_control_topic(
    log: &dyn Log,
    admin: &mut dyn Admin,
    topic: &str,
) -> Result<(Option<ControlRecord>, Option<StartedFrom>), JobError> {
    let place = TopicPartition::new(topic, 0);
    let places = std::slice::from_ref(&place);
    let start = admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadUncommitted)?[0];
    let end = admin.offsets(places, OffsetQuery::Latest, Isolation::ReadUncommitted)?[0];
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
    reader.assign(&[(place.clone(), start)])?;
    let (mut newest, mut start_from) = (None, None);
    let mut tries = 0;
    while start < end && reader.status(&place).is_none_or(|status| status.position < end) {
        let mut runs = Vec::new();
        reader.poll(TURN_TIMEOUT, &mut runs)?;
        for run in &runs {
            newest = ControlRecord::newest(topic, &run.records)?.or(newest);
            start_from = newest_start(topic, &run.records)?.or(start_from);
        }
        tries = if runs.is_empty() { tries + 1 } else { 0 };
        if tries > CONTROL_TRIES_MAX {
            let why = format!("an open transaction holds the end of {place}");
            return Err(LogError::NotReady(why).into());
        }
    }
    Ok((newest, start_from))
}

/// Polls without a record after which the control topic is asked again later.
const CONTROL_TRIES_MAX: usize = 20;
