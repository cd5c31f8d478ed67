//! The topics a job needs: finding the ones it reads, making the ones it writes and its own.

use crate::error::JobError;
use crate::log::{Admin, LogError, TopicSpec};
use crate::plan::JobPlan;
use millstream_operators::{InputFrom, Topology, cut};
use std::collections::BTreeMap;

/// Cuts a topology for the topics of a log and makes every topic that is missing. `group` replaces the job's own
/// consumer group.
///
/// Topics that results go to get as many partitions as the widest input. Safe to call from several processes at once.
///
/// # Errors
/// [`JobError::Cut`] when an input topic does not exist or a join does not fit; [`JobError::InternalTopic`] when
/// partition counts have changed since the job was started; [`JobError::Log`].
pub fn prepare(
    topology: &Topology,
    job: &str,
    group: Option<&str>,
    admin: &mut dyn Admin,
) -> Result<(JobPlan, Vec<String>), JobError> {
    let mut counts: BTreeMap<String, Option<u32>> = BTreeMap::new();
    for topic in source_topics(topology) {
        let found = admin.describe_topic(&topic)?.map(|found| found.partitions);
        counts.insert(topic, found);
    }
    let cut = cut(topology, &|topic| counts.get(topic).copied().flatten())?;

    let widest = cut.parts.iter().flat_map(|part| &part.inputs).map(|input| match &input.from {
        InputFrom::Table { partitions, .. } => *partitions,
        InputFrom::Repartition(_) => 1,
    });
    let widest = widest.max().unwrap_or(1);
    let mut made = Vec::new();
    let mut sink_partitions = BTreeMap::new();
    for topic in cut.sink_topics() {
        let partitions = match admin.describe_topic(&topic.name)? {
            Some(found) => found.partitions,
            None => {
                let spec = TopicSpec::new(&topic.name, widest);
                let spec = if topic.compacted { spec.with("cleanup.policy", "compact") } else { spec };
                made.push(format!("{} ({widest} partitions)", topic.name));
                create(admin, &spec)?
            }
        };
        sink_partitions.insert(topic.name, partitions);
    }
    let plan = JobPlan::new(job, group, cut, sink_partitions);
    for spec in internal_topics(&plan) {
        let found = match admin.describe_topic(&spec.name)? {
            Some(found) => found.partitions,
            None => create(admin, &spec)?,
        };
        if found != spec.partitions {
            return Err(JobError::InternalTopic { topic: spec.name, found, needed: spec.partitions });
        }
    }
    Ok((plan, made))
}

/// Makes a topic, unless another process was faster. Gives its partition count.
fn create(admin: &mut dyn Admin, spec: &TopicSpec) -> Result<u32, JobError> {
    match admin.create_topic(spec) {
        Ok(()) => Ok(spec.partitions),
        Err(LogError::TopicExists(_)) => {
            Ok(admin.describe_topic(&spec.name)?.map_or(spec.partitions, |found| found.partitions))
        }
        Err(error) => Err(error.into()),
    }
}

fn source_topics(topology: &Topology) -> Vec<String> {
    let mut topics = Vec::new();
    for node in topology.nodes() {
        if let millstream_operators::NodeSpec::Source(source) = &node.spec {
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
    topics.push(TopicSpec::new(plan.control_topic(), 1).with("cleanup.policy", "compact"));
    topics
}
