//! A job's topics: whether they are there and fit, are kept as the job needs it, and can be read to their ends.

use super::{Finding, Jobs, bad, good, poor};
use crate::cli::Failure;
use crate::cli::log_args;
use millstream::log::{Admin, Isolation, Log, OffsetQuery, TopicPartition};
use millstream::operators::{NodeSpec, StreamKind};
use millstream::sql::SqlJob;
use millstream::topics::{Before, examine, started};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it is waited for the job's own records.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn look(log: &Arc<dyn Log>, jobs: &Jobs, name: &str) -> Vec<Finding> {
    looked(log, jobs, name)
        .unwrap_or_else(|failure| vec![bad("topics", failure.to_string(), "see the line above")])
}

fn looked(log: &Arc<dyn Log>, jobs: &Jobs, name: &str) -> Result<Vec<Finding>, Failure> {
    let mut admin = log.admin()?;
    let (mut findings, mut group) = (Vec::new(), None);
    if let Some(job) = &jobs.job {
        let (finding, found) = fits(&mut *admin, log, job, name);
        findings.push(finding);
        group = found;
    }
    let mut all: Vec<Topic> = jobs.job.iter().chain(&jobs.tables).flat_map(of_job).collect();
    all.sort();
    all.dedup();
    for (topic, is_read, is_upsert) in all {
        let Some(found) = admin.describe_topic(&topic)? else {
            findings.push(missing(&topic, is_read));
            continue;
        };
        let policy = found.config.get("cleanup.policy").map_or("delete", String::as_str);
        let partitions = format!("{topic}: {} partitions", found.partitions);
        let retention = found.config.get("retention.ms").map(String::as_str);
        findings.push(match (is_upsert, policy.contains("compact"), policy.contains("delete")) {
            (true, false, _) => poor(
                "topic",
                format!("{partitions}, not compacted"),
                "an upsert table's topic has the last record of each key for ever: set cleanup.policy=compact",
            ),
            (true, true, true) => poor(
                "topic",
                format!("{partitions}, compacted, and old records are removed"),
                "keys that are not written again vanish from the table: set cleanup.policy=compact alone",
            ),
            (false, true, _) => poor(
                "topic",
                format!("{partitions}, compacted"),
                "an append table loses rows whose keys come again: set cleanup.policy=delete, or declare it 'upsert-kafka'",
            ),
            _ => good("topic", partitions + &kept(retention)),
        });
        if is_read {
            if let Some(group) = &group {
                findings.extend(unread(&mut *admin, group, &topic, found.partitions)?);
            }
            findings.extend(held_back(&mut *admin, &topic, found.partitions)?);
        }
    }
    Ok(findings)
}

fn kept(retention_ms: Option<&str>) -> String {
    match retention_ms.and_then(|text| text.parse::<i64>().ok()) {
        Some(-1) => ", kept for ever".to_owned(),
        Some(ms) => format!(
            ", kept for {:.1} h: a job that stands still for longer loses input",
            ms as f64 / 3_600_000.0
        ),
        None => String::new(),
    }
}

/// A topic, whether it is read, and whether it holds upserts.
pub(super) type Topic = (String, bool, bool);

/// Topics of the job's tables.
pub(super) fn of_job(job: &SqlJob) -> Vec<Topic> {
    let mut topics = Vec::new();
    for node in job.topology.nodes() {
        match &node.spec {
            NodeSpec::Source(source) => {
                let is_upsert = source.kind == StreamKind::Upsert;
                topics.extend(source.topics.iter().map(|topic| (topic.clone(), true, is_upsert)));
            }
            NodeSpec::Sink(sink) => {
                topics.extend(sink.topic.iter().map(|topic| (topic.name.clone(), false, topic.compacted)));
            }
            NodeSpec::Exchange(_) | NodeSpec::Operator(_) => {}
        }
    }
    topics
}

fn missing(topic: &str, is_read: bool) -> Finding {
    match is_read {
        true => bad(
            "topic",
            format!("{topic} is not there"),
            format!("millstream topic create {topic} --partitions N{}", log_args::chosen()),
        ),
        false => good("topic", format!("{topic} is not there, and is made when the job starts")),
    }
}

/// Whether a job fits its topics; and its group, if it does.
fn fits(admin: &mut dyn Admin, log: &Arc<dyn Log>, job: &SqlJob, name: &str) -> (Finding, Option<String>) {
    let mut examined = || -> Result<(usize, String), Failure> {
        let (started, _) = started(log, name, &mut *log.admin()?, Instant::now() + PATIENCE)?;
        let before = started.as_ref().map_or(Before::Nothing, Before::Job);
        let plan = examine(&job.topology, name, job.group.as_deref(), admin, before)?.plan;
        Ok((plan.tasks().count(), plan.group().to_owned()))
    };
    match examined() {
        Ok((tasks, group)) => (good("plan", format!("{name} fits its topics: {tasks} tasks")), Some(group)),
        Err(failure) => {
            (bad("plan", failure.to_string(), "millstream check FILE with the same log says more"), None)
        }
    }
}

/// Partitions whose next record for a job was removed before the job read it.
fn unread(admin: &mut dyn Admin, group: &str, topic: &str, partitions: u32) -> Result<Vec<Finding>, Failure> {
    let places: Vec<TopicPartition> =
        (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
    let first = admin.offsets(&places, OffsetQuery::Earliest, Isolation::ReadCommitted)?;
    let positions = admin.committed(group, &places, Isolation::ReadUncommitted)?;
    let behind = places.iter().zip(first.iter().zip(positions)).filter_map(|(place, (first, position))| {
        let position = position?.offset;
        (position < *first).then(|| {
            bad(
                "input",
                format!("{place}: the job stands at {position}, and records before {first} were removed unread"),
                "the job will not go on over the gap: raise retention.ms above the longest time that it may stand still, and                  start it anew under another name",
            )
        })
    });
    Ok(behind.collect())
}

/// Partitions whose last records can't be read yet, because a transaction is open in front of them.
pub(in crate::cli) fn held_back(
    admin: &mut dyn Admin,
    topic: &str,
    partitions: u32,
) -> Result<Vec<Finding>, Failure> {
    let places: Vec<TopicPartition> =
        (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
    let stable = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadCommitted)?;
    let ends = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)?;
    let held = places.iter().zip(stable.iter().zip(&ends)).filter(|(_, (stable, end))| stable < end);
    let findings = held.map(|(place, (stable, end))| {
        poor(
            "transaction",
            format!("{place}: open at offset {stable}; {} offsets behind it can't be read yet", end - stable),
            "whoever writes there commits, aborts, or times out (transaction.timeout.ms); kafka-transactions.sh finds and \
             aborts what hangs",
        )
    });
    Ok(findings.collect())
}
