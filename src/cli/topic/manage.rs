//! Creating, listing, describing and deleting topics.

use crate::cli::Failure;
use crate::cli::log_args::{LogArgs, key_value};
use crate::cli::output::print;
use crate::cli::progress::say;
use clap::Args;
use millstream::log::{Admin, Isolation, LogError, OffsetQuery, TopicPartition, TopicSpec};
use millstream::operators::records::names::topic_name;
use std::fmt::Write;

#[derive(Debug, Args)]
#[command(after_help = "\
Records are kept for ever, unless retention.ms or retention.bytes say otherwise.

Example: millstream topic create orders --partitions 4 --config cleanup.policy=compact")]
pub(crate) struct CreateArgs {
    /// Name of the topic
    name: String,
    /// Number of partitions: how many tasks of a job can read it at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    partitions: u32,
    /// A setting by Kafka's name: cleanup.policy, retention.ms, retention.bytes, max.message.bytes,
    /// message.timestamp.type. Can be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    config: Vec<(String, String)>,
    #[command(flatten)]
    log: LogArgs,
}

impl CreateArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Err(why) = topic_name(&self.name) {
            return Err(Failure::Usage(format!(
                "no topic can be called \"{}\": {why}",
                self.name.escape_debug()
            )));
        }
        let mut spec = TopicSpec::new(self.name, self.partitions);
        spec.config.extend(self.config);
        self.log.open_for_topics(true)?.admin()?.create_topic(&spec)?;
        let plural = if spec.partitions == 1 { "" } else { "s" };
        say(&format!("created {} with {} partition{plural}", spec.name, spec.partitions));
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Also list the topics that jobs keep for themselves
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// What the names of topics that jobs keep for themselves begin with.
const INTERNAL: &str = "millstream.";

impl ListArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let topics = self.log.open_for_topics(false)?.admin()?.topics()?;
        let shown = topics.into_iter().filter(|topic| self.all || !topic.starts_with(INTERNAL));
        print(&shown.map(|topic| topic + "\n").collect::<String>())
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
The stable end is where readers of committed records stop: before the first open transaction. Offsets are not counts of \
records: transactions and restarts leave gaps.")]
pub(crate) struct DescribeArgs {
    /// Name of the topic
    name: String,
    #[command(flatten)]
    log: LogArgs,
}

impl DescribeArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let log = self.log.open_for_topics(false)?;
        let mut admin = log.admin()?;
        print(&described(&mut *admin, &self.name)?)
    }
}

/// A topic's partitions, settings and offsets.
///
/// # Errors
/// When it is not there, or the log can't say.
pub(in crate::cli) fn described(admin: &mut dyn Admin, name: &str) -> Result<String, Failure> {
    let topic = admin.describe_topic(name)?.ok_or_else(|| LogError::UnknownTopic(name.to_owned()))?;
    let mut text = format!("topic       {}\npartitions  {}\n", topic.name, topic.partitions);
    for (key, value) in &topic.config {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    let head = ["partition", "first offset", "stable end", "end"].map(str::to_owned);
    let rows = offsets(admin, &topic.name, topic.partitions)?;
    let rows = rows.into_iter().map(|row| row.map(|number| number.to_string()));
    for [partition, first, stable, end] in std::iter::once(head).chain(rows) {
        let _ = writeln!(text, "{partition:>9}  {first:>14}  {stable:>14}  {end:>14}");
    }
    Ok(text)
}

/// For each partition: its index, its first offset, its last stable offset and its end.
fn offsets(admin: &mut dyn Admin, topic: &str, partitions: u32) -> Result<Vec<[u64; 4]>, LogError> {
    let places: Vec<TopicPartition> =
        (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
    let first = admin.offsets(&places, OffsetQuery::Earliest, Isolation::ReadCommitted)?;
    let stable = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadCommitted)?;
    let end = admin.offsets(&places, OffsetQuery::Latest, Isolation::ReadUncommitted)?;
    let ends = first.into_iter().zip(stable).zip(end);
    Ok((0..).zip(ends).map(|(partition, ((first, stable), end))| [partition, first, stable, end]).collect())
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Name of the topic
    name: String,
    #[command(flatten)]
    log: LogArgs,
}

impl DeleteArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.open_for_topics(false)?.admin()?.delete_topic(&self.name)?;
        say(&format!("deleted {}", self.name));
        Ok(())
    }
}
