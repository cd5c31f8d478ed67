//! The topics a job needs: finding the ones it reads, making the ones it writes and its own.

use crate::control::ControlRecord;
use crate::error::JobError;
use crate::log::{Admin, LogError, TopicSpec};
use crate::lookup;
use crate::outlets::through_topics_of;
use crate::plan::{JobPlan, StateFrom};
use crate::savepoint::{OpenSavepoint, Savepoint};
use millstream_operators::source::SourceSpec;
use millstream_operators::{InputFrom, NodeSpec, Topology, cut_as_before};
use std::collections::BTreeMap;

pub use crate::job::{check_input_topics, started};

/// A job's plan, and the topics it lacks.
#[derive(Debug)]
pub struct Examined {
    /// The plan.
    pub plan: JobPlan,
    /// Topics of users that the job writes to and that are not there.
    pub missing: Vec<TopicSpec>,
    /// Topics of its own that are not there.
    pub missing_internal: Vec<TopicSpec>,
}

/// What a job has before it is started now.
#[derive(Debug, Clone, Copy)]
pub enum Before<'a> {
    /// Nothing: it begins.
    Nothing,
    /// A history of its own.
    Job(&'a ControlRecord),
    /// A savepoint that it is started from.
    Savepoint(&'a OpenSavepoint),
}

impl Before<'_> {
    fn control(&self) -> Option<&ControlRecord> {
        match self {
            Before::Nothing => None,
            Before::Job(control) => Some(control),
            Before::Savepoint(from) => Some(&from.savepoint.control),
        }
    }

    /// The plan with the numbers and names that it had.
    fn fitted(&self, plan: JobPlan) -> Result<JobPlan, JobError> {
        match self {
            Before::Nothing => Ok(plan),
            Before::Job(control) => Ok(control.fitted(plan, StateFrom::Journal)?),
            Before::Savepoint(from) => {
                let Savepoint { control, .. } = &from.savepoint;
                let fitted = control.fitted(plan, StateFrom::Savepoint);
                Ok(fitted.map_err(|error| from.savepoint.refusal(error))?)
            }
        }
    }
}

/// Cuts a topology for the topics of a log and finds out which are missing, without making any. `group` replaces the
/// job's own consumer group. What the job has `before` gives the plan the numbers and names that it had.
///
/// Topics that results go to get as many partitions as the widest input.
///
/// # Errors
/// [`JobError::Cut`] when an input topic does not exist or a join does not fit; [`JobError::DeadLetterTopic`] when one
/// for dead letters does not; [`JobError::Control`] when the plan does not fit what the job has;
/// [`JobError::InternalTopic`] when somebody has changed a topic of its own; [`JobError::Log`].
pub fn examine(
    topology: &Topology,
    job: &str,
    group: Option<&str>,
    admin: &mut dyn Admin,
    before: Before<'_>,
) -> Result<Examined, JobError> {
    let mut topology = through_topics_of(with_topics_of_patterns(topology, admin)?, job);
    if let Some(control) = before.control() {
        // A job keeps the tasks that its state is divided among.
        topology = topology.with_exchange_tasks_max(control.exchange_tasks_max.unwrap_or(u32::MAX));
    }
    let topology = &topology;
    let topics = source_topics(topology);
    let found = admin.identify_topics(&topics)?;
    let counts: BTreeMap<&str, Option<u32>> = topics
        .iter()
        .zip(&found)
        .map(|(topic, found)| (topic.as_str(), found.map(|found| found.partitions)))
        .collect();
    let now = |topic: &str| counts.get(topic).copied().flatten();
    let known = |topic: &str| before.control()?.topics.get(topic).map(|mark| mark.partitions);
    let cut = cut_as_before(topology, &now, &|topic| now(topic).map(|now| known(topic).unwrap_or(now)))?;

    let widest = cut.parts.iter().flat_map(|part| &part.inputs).map(|input| match &input.from {
        InputFrom::Table { partitions, .. } => *partitions,
        InputFrom::Repartition(_) => 1,
    });
    let widest = widest.max().unwrap_or(1);
    let mut missing = Vec::new();
    let mut sink_partitions = BTreeMap::new();
    for topic in cut.sink_topics() {
        let found = admin.describe_topic(&topic.name)?.map(|found| found.partitions);
        if found.is_none() {
            let spec = TopicSpec::new(&topic.name, widest);
            missing.push(if topic.compacted { spec.with("cleanup.policy", "compact") } else { spec });
        }
        sink_partitions.insert(topic.name, found.unwrap_or(widest));
    }
    for topic in cut.outlets().into_keys() {
        let found = admin.describe_topic(topic)?.map(|found| found.partitions);
        sink_partitions.insert(topic.to_owned(), found.unwrap_or(widest));
    }
    for (table, topic) in dead_letter_topics(topology) {
        let found = admin.describe_topic(&topic)?.map(|found| found.partitions);
        let found = found.ok_or_else(|| JobError::DeadLetterTopic { table, topic: topic.clone() })?;
        sink_partitions.insert(topic, found);
    }
    let plan = before.fitted(JobPlan::new(job, group, cut, sink_partitions))?;
    let mut missing_internal = Vec::new();
    for spec in internal_topics(&plan) {
        match admin.describe_topic(&spec.name)?.map(|found| found.partitions) {
            None => missing_internal.push(spec),
            Some(found) if found == spec.partitions => {}
            Some(found) => {
                return Err(JobError::InternalTopic { topic: spec.name, found, needed: spec.partitions });
            }
        }
    }
    Ok(Examined { plan, missing, missing_internal })
}

/// As [`examine`], and makes every topic that is missing; also names those of users that it made. Safe to call from
/// several processes at once.
///
/// # Errors
/// As [`examine`].
pub fn prepare(
    topology: &Topology,
    job: &str,
    group: Option<&str>,
    admin: &mut dyn Admin,
    before: Before<'_>,
) -> Result<(JobPlan, Vec<String>), JobError> {
    let mut examined = examine(topology, job, group, admin, before)?;
    look_up(topology)?;
    let mut made = Vec::new();
    let mut others = false;
    for spec in examined.missing.iter().chain(&examined.missing_internal) {
        match admin.create_topic(spec) {
            Ok(()) => made.push(spec.name.clone()),
            // Another process was faster, maybe with other partitions.
            Err(LogError::TopicExists(_)) => others = true,
            Err(error) => return Err(error.into()),
        }
    }
    let describe = |spec: &TopicSpec| format!("{} ({} partitions)", spec.name, spec.partitions);
    let told = examined.missing.iter().filter(|spec| made.contains(&spec.name)).map(describe).collect();
    if others {
        examined = examine(topology, job, group, admin, before)?;
    }
    Ok((examined.plan, told))
}

/// Gets what the sinks need before they can write. A registry that is starting itself is asked for a few seconds.
fn look_up(topology: &Topology) -> Result<(), JobError> {
    for node in topology.nodes() {
        let NodeSpec::Sink(sink) = &node.spec else { continue };
        for lookup in sink.writer.before_writing() {
            lookup::get_patiently(&lookup)?;
        }
    }
    Ok(())
}

/// The topology with the topics that its patterns name now; where there is none the pattern stays, and is missed as a topic.
fn with_topics_of_patterns(topology: &Topology, admin: &mut dyn Admin) -> Result<Topology, JobError> {
    let mut sources = topology.nodes().iter().filter_map(|node| match &node.spec {
        NodeSpec::Source(source) => Some(source),
        _ => None,
    });
    if !sources.any(|source| source.pattern.is_some()) {
        return Ok(topology.clone());
    }
    let all = admin.topics()?;
    Ok(topology.clone().with_sources(|source| {
        let pattern = source.pattern.as_ref()?;
        // Topics of jobs are nobody's input.
        let named = all.iter().filter(|topic| !topic.starts_with("millstream.") && pattern.matches(topic));
        let topics: Vec<String> = named.cloned().collect();
        (!topics.is_empty()).then(|| SourceSpec { topics, ..source.clone() })
    }))
}

/// Tables that have dead letters, with the topic of these.
fn dead_letter_topics(topology: &Topology) -> Vec<(String, String)> {
    let mut topics = Vec::new();
    for node in topology.nodes() {
        if let NodeSpec::Source(source) = &node.spec {
            let letters = source.dead_letters.as_ref();
            topics.extend(letters.map(|letters| (source.table.clone(), letters.topic.clone())));
        }
    }
    topics
}

/// The topics of tables that a topology reads.
pub(crate) fn source_topics(topology: &Topology) -> Vec<String> {
    let mut topics = Vec::new();
    for node in topology.nodes() {
        if let NodeSpec::Source(source) = &node.spec {
            topics.extend(source.topics.iter().cloned());
        }
    }
    topics.sort();
    topics.dedup();
    topics
}

/// The topics only the job itself reads and writes. Their records are removed by the job alone.
pub fn internal_topics(plan: &JobPlan) -> Vec<TopicSpec> {
    let mut topics = Vec::new();
    for part in &plan.cut().parts {
        let journal = TopicSpec::new(plan.journal_topic(part.index), part.tasks);
        // Entries of a job that replays history would carry its times, and be removed for their age by a careless
        // setting.
        topics.push(journal.with("cleanup.policy", "delete").with("message.timestamp.type", "LogAppendTime"));
    }
    for (index, repartition) in plan.cut().repartitions.iter().enumerate() {
        let topic = TopicSpec::new(plan.repartition_topic(index).to_string(), repartition.partitions);
        topics.push(topic.with("cleanup.policy", "delete").with("message.timestamp.type", "LogAppendTime"));
    }
    for topic in plan.cut().outlets().into_keys() {
        let topic = TopicSpec::new(topic, plan.sink_partitions(topic));
        topics.push(topic.with("cleanup.policy", "delete").with("message.timestamp.type", "LogAppendTime"));
    }
    topics.push(TopicSpec::new(plan.control_topic(), 1).with("cleanup.policy", "compact"));
    topics
}
