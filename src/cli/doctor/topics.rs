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
    let mut findings: Vec<Finding> = jobs.job.iter().map(|job| fits(&mut *admin, log, job, name)).collect();
    let mut all: Vec<(String, bool, bool)> = jobs.job.iter().chain(&jobs.tables).flat_map(topics).collect();
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

/// Topics of the job's tables: whether they are read, and whether they hold upserts.
fn topics(job: &SqlJob) -> Vec<(String, bool, bool)> {
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

fn fits(admin: &mut dyn Admin, log: &Arc<dyn Log>, job: &SqlJob, name: &str) -> Finding {
    let mut examined = || -> Result<usize, Failure> {
        let (started, _) = started(log, name, &mut *log.admin()?, Instant::now() + PATIENCE)?;
        let before = started.as_ref().map_or(Before::Nothing, Before::Job);
        Ok(examine(&job.topology, name, job.group.as_deref(), admin, before)?.plan.tasks().count())
    };
    match examined() {
        Ok(tasks) => good("plan", format!("{name} fits its topics: {tasks} tasks")),
        Err(failure) => bad("plan", failure.to_string(), "millstream check FILE with the same log says more"),
    }
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
