//! What is left of a job: whether something of it was deleted while the rest stayed.
//!
//! A job that has committed has a control record, journals and, between its tasks, repartition topics; and maybe state on
//! disk, snapshots and its group's offsets. Some of it can be lost and made again, some can't: what stands here is asked
//! before anything is made, so that a topic that is missing is not simply made anew. The table of all combinations is in
//! `docs/protocol.md`.

use super::JobSettings;
use crate::control::{ControlRecord, StartedFrom};
use crate::error::JobError;
use crate::log::{Admin, Isolation, Log, LogError, LogInfo, OffsetQuery, ReaderOptions, TopicPartition};
use crate::plan::JobPlan;
use crate::restore::read_control_topic;
use crate::snapshot::{DirectoryStore, FoundState, SnapshotLocation, SnapshotStore, inspect_state};
use crate::topics::{Examined, source_topics};
use crate::watch::{check_inputs, read_by_journals};
use millstream_operators::Topology;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the control topic may be held by a transaction that is open, beyond the time after which the log aborts it.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a topic is read for a committed record.
const READ_FOR: Duration = Duration::from_secs(10);

/// The control record of a job, if it has committed, and what it is being started from.
pub(crate) fn read_started(
    log: &Arc<dyn Log>,
    settings: &JobSettings,
    admin: &mut dyn Admin,
) -> Result<(Option<ControlRecord>, Option<StartedFrom>), JobError> {
    let until = Instant::now() + Duration::from_millis(settings.transaction_timeout_ms) + CONTROL_TIMEOUT;
    started(log, &settings.name, admin, until)
}

/// The same, for who knows the job's name only: waits until some time for transactions that hold its control topic.
///
/// # Errors
/// [`JobError::Log`]; [`JobError::Control`] for a record that can't be read.
pub fn started(
    log: &Arc<dyn Log>,
    job: &str,
    admin: &mut dyn Admin,
    until: Instant,
) -> Result<(Option<ControlRecord>, Option<StartedFrom>), JobError> {
    let topic = JobPlan::control_topic_of(job);
    let there = admin.identify_topics(std::slice::from_ref(&topic))?;
    if there.first().is_none_or(Option::is_none) {
        return Ok((None, None));
    }
    loop {
        match read_control_topic(&**log, admin, &topic) {
            Err(JobError::Log(error)) if error.is_retriable() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(JobError::Log(LogError::UnknownTopic(_))) => return Ok((None, None)),
            read => return read,
        }
    }
}

/// Refuses a job whose own topics were deleted in part.
pub(super) fn check_own_topics(control: &ControlRecord, examined: &Examined) -> Result<(), JobError> {
    let job = examined.plan.job();
    let own = control.own_topics(job);
    let missing = examined.missing_internal.iter().map(|topic| topic.name.clone());
    let mut topics: Vec<String> = missing.filter(|topic| own.contains(topic)).collect();
    if topics.is_empty() {
        return Ok(());
    }
    for topic in &mut topics {
        *topic = format!("topic {topic}");
    }
    let what = if topics.len() == 1 { "was deleted" } else { "were deleted" };
    let (job, control) = (job.to_owned(), examined.plan.control_topic());
    Err(JobError::OwnTopicDeleted { job, topics, what, control })
}

/// Refuses a job one of whose inputs is not the topic that it was, before anything is made.
///
/// # Errors
/// [`JobError::InputReplaced`], [`JobError::InputDeleted`]; [`JobError::Log`] when the log can't be asked.
pub fn check_input_topics(
    topology: &Topology,
    control: &ControlRecord,
    job: &str,
    log: &Arc<dyn Log>,
    admin: &mut dyn Admin,
) -> Result<(), JobError> {
    let topics: Vec<String> =
        source_topics(topology).into_iter().filter(|topic| control.topics.contains_key(topic)).collect();
    check_inputs(job, control, &topics, admin, &mut |topic, admin| {
        read_by_journals(&**log, admin, job, control, topic)
    })
}

/// Refuses to begin a job anew that has begun before: its topics are gone, but not its state or its snapshots. Snapshots in
/// object storage are not looked for: those of another life of the job have other names.
pub(super) fn check_nothing_remains(log: &Arc<dyn Log>, settings: &JobSettings) -> Result<(), JobError> {
    let info = log.info();
    let job = &settings.name;
    let mut admin = log.admin()?;
    let topics = admin.topics()?;
    let own = |middle: &str| {
        let prefix = format!("millstream.{job}.{middle}.");
        topics.iter().filter(move |topic| topic.starts_with(&prefix))
    };
    for journal in own("journal") {
        if has_records(log, &mut *admin, journal)? {
            let topic = JobPlan::control_topic_of(job);
            return Err(JobError::ControlMissing { job: job.clone(), topic });
        }
    }
    let deleted =
        |remains: String, what: String| Err(JobError::TopicsDeleted { job: job.clone(), remains, what });
    for topic in own("repartition").chain(own("files")) {
        if has_records(log, &mut *admin, topic)? {
            return deleted(format!("topic {topic} has records"), format!("topic {topic}"));
        }
    }
    if let Some((path, state)) =
        settings.state_directory.as_deref().and_then(|path| state_in(path, &info, job))
    {
        let commit = state.mark.map_or(0, |mark| mark.number);
        let remains =
            format!("state of its task {} at commit {commit} is in {}", state.identity.task, path.display());
        return deleted(remains, format!("the state directory {}", path.display()));
    }
    if settings.snapshots == SnapshotLocation::Default && info.kind == "embedded" {
        let directory = Path::new(&info.location).join("snapshots").join(job);
        let store = DirectoryStore::new(directory.clone());
        let is_manifest = |name: &str| name.rsplit('/').next().is_some_and(|file| file.starts_with("m-"));
        if store.list("").is_ok_and(|found| found.iter().any(|object| is_manifest(&object.name))) {
            let directory = directory.display();
            return deleted(format!("snapshots of it are in {directory}"), format!("{directory}"));
        }
    }
    let topic = JobPlan::snapshot_topic_of(job);
    let found = admin.identify_topics(std::slice::from_ref(&topic))?.first().copied().flatten();
    let Some(found) = found else { return Ok(()) };
    let places: Vec<TopicPartition> =
        (0..found.partitions).map(|partition| TopicPartition::new(topic.as_str(), partition)).collect();
    let ends = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)?;
    match ends.iter().any(|end| *end > 0) {
        true => deleted(format!("snapshots of it are in topic {topic}"), format!("topic {topic}")),
        false => Ok(()),
    }
}

/// Whether a topic has committed records.
fn has_records(log: &Arc<dyn Log>, admin: &mut dyn Admin, topic: &str) -> Result<bool, JobError> {
    let found = admin.identify_topics(&[topic.to_owned()])?.first().copied().flatten();
    for partition in 0..found.map_or(0, |found| found.partitions) {
        let place = TopicPartition::new(topic, partition);
        let mut ask = |query| admin.offsets(std::slice::from_ref(&place), query, Isolation::ReadCommitted);
        let (start, end) = (ask(OffsetQuery::Earliest)?[0], ask(OffsetQuery::Latest)?[0]);
        let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted))?;
        reader.assign(&[(place.clone(), start)])?;
        let until = Instant::now() + READ_FOR;
        let mut position = start;
        while position < end && Instant::now() < until {
            let mut runs = Vec::new();
            reader.poll(Duration::from_millis(50), &mut runs)?;
            if runs.iter().any(|run| !run.records.is_empty()) {
                return Ok(true);
            }
            position = reader.status(&place).map_or(position, |status| status.position);
        }
    }
    Ok(false)
}

/// Committed state of a task of the job, if a state directory has some.
fn state_in(path: &Path, info: &LogInfo, job: &str) -> Option<(PathBuf, FoundState)> {
    let tasks = std::fs::read_dir(path).ok()?.flatten().map(|entry| entry.path());
    let mut tasks: Vec<PathBuf> = tasks
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("task-")))
        .collect();
    tasks.sort_unstable();
    let committed = tasks.into_iter().filter_map(|task| inspect_state(&task, false).ok()).find(|state| {
        let of_job = state.identity.job == job && state.identity.cluster == info.cluster;
        of_job && state.mark.is_some()
    });
    committed.map(|state| (path.to_owned(), state))
}
